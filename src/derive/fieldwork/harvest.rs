//! What was harvested: mass by counter or flow, moisture, dry and standard mass.

use std::ops::Range;

use wire::catalogue;

use super::counter::{Amounts, Limit};
use super::held::{Held, Stretches};
use super::{Cleaning, Harvest, Machine, MassSource, Operation, State};
use crate::derive::Readings;

/// More than any harvester takes in: 100 kg/s.
const MOST_KGPS: f64 = 100.0;
/// What a crop counter may gain at once beyond that: reports of a counter come late.
const SLACK_KG: f64 = 200.0;
/// Crop still comes in this long after the header went up: the machine empties.
const TAIL_S: f64 = 30.0;

/// What a harvester measured over a working day.
#[derive(Debug, Clone)]
pub(super) struct Crop {
    counter: Option<Amounts>,
    flow: Option<Amounts>,
    moisture: Held,
    dry_counter: Option<Amounts>,
    /// Crop flow, kg/s.
    pub flow_kgps: Held,
}

impl Crop {
    /// None for a machine that reports no crop.
    pub(super) fn of(readings: &Readings, stretches: &Stretches, seconds: &[f64]) -> Option<Self> {
        let flow_kgps = stretches.held(readings, catalogue::CROP_FLOW_KGPS);
        let flow = Amounts::of_flow(readings, stretches, catalogue::CROP_FLOW_KGPS, 1.0, seconds);
        let no_weights = vec![0.0; readings.len()];
        let weights = flow.as_ref().map_or(no_weights.as_slice(), Amounts::each);
        let counter =
            |signal| Amounts::of_counter(readings, signal, weights, Limit { per_s: MOST_KGPS, slack: SLACK_KG });
        let crop = Self {
            counter: counter(catalogue::YIELD_TOTAL_MASS_KG),
            dry_counter: counter(catalogue::YIELD_TOTAL_DRY_MASS_KG),
            flow,
            moisture: stretches.held(readings, catalogue::CROP_MOISTURE_PCT),
            flow_kgps,
        };
        (crop.counter.is_some() || crop.flow.is_some()).then_some(crop)
    }

    /// Moisture where it is measured: outside the crop monitors keep 0.
    pub(super) fn moisture_pct(&self, index: usize) -> Option<f64> {
        self.moisture.at(index).filter(|pct| *pct > 0.0 && *pct < 100.0)
    }

    /// Mass that came in between a sample and the next, kg, by the source that is used.
    pub(super) fn mass_after_kg(&self, index: usize) -> f64 {
        self.counter.as_ref().or(self.flow.as_ref()).map_or(0.0, |amounts| amounts.after(index))
    }

    /// The harvest of a session whose work fills `intervals`; `tail` is what may follow while the machine empties.
    pub(super) fn of_session(
        &self,
        at_ms: &[i64],
        intervals: Range<usize>,
        states: &[State],
        machine: &Machine,
        grown: (Operation, Option<&str>),
    ) -> Option<(Harvest, u32)> {
        let tail_end = (intervals.end..at_ms.len())
            .take_while(|index| (at_ms[*index] - at_ms[intervals.end]) as f64 <= TAIL_S * 1000.0)
            .take_while(|index| states[*index] != State::Working)
            .last()
            .unwrap_or(intervals.end);
        let all = intervals.start..tail_end;
        // A sensor that does not return to zero must not harvest on the road.
        let mut last_work = None;
        let flowing: Vec<usize> = all
            .clone()
            .filter(|index| {
                if states[*index] == State::Working {
                    last_work = Some(*index);
                }
                last_work.is_some_and(|work| (at_ms[*index] - at_ms[work]) as f64 <= TAIL_S * 1000.0)
            })
            .collect();
        let by_flow = self.flow.as_ref().map(|amounts| flowing.iter().map(|index| amounts.after(*index)).sum::<f64>());
        let by_counter = self.counter.as_ref().map(|amounts| amounts.sum(all.clone()));
        let (source, measured_kg, other) = match (by_counter.filter(|kg| *kg > 0.0), by_flow) {
            (Some(kg), flow) => (MassSource::Counter, kg, flow),
            (None, Some(kg)) if kg > 0.0 => (MassSource::Flow, kg, None),
            _ => return None,
        };
        let factor = machine.mass_factor.unwrap_or(1.0);
        let wet_kg = measured_kg * factor;
        let amounts = if source == MassSource::Counter { self.counter.as_ref() } else { self.flow.as_ref() };
        let (mut mass, mut water) = (0.0, 0.0);
        for index in all.clone() {
            let kg = amounts.map_or(0.0, |amounts| amounts.after(index));
            if let Some(moisture) = self.moisture_pct(index).filter(|_| kg > 0.0) {
                mass += kg;
                water += kg * moisture / 100.0;
            }
        }
        let moisture_pct = (mass > 0.0).then(|| 100.0 * water / mass);
        let counted_dry_kg = self.dry_counter.as_ref().map(|amounts| amounts.sum(all) * factor).filter(|kg| *kg > 0.0);
        let dry_kg = moisture_pct.map(|pct| wet_kg * (1.0 - pct / 100.0)).or(counted_dry_kg);
        let standard_moisture_pct = standard_moisture_pct(grown.0, grown.1);
        let standard_kg = dry_kg.zip(standard_moisture_pct).map(|(kg, pct)| kg / (1.0 - pct / 100.0));
        let resets = amounts.map_or(0, |amounts| amounts.resets);
        let harvest = Harvest {
            source,
            wet_kg,
            dry_kg,
            standard_kg,
            standard_moisture_pct: standard_moisture_pct.filter(|_| standard_kg.is_some()),
            moisture_pct,
            cross_check_kg: other.map(|kg| kg * factor),
            flow_delay_s: 0.0,
            cleaning: Cleaning::default(),
        };
        Some((harvest, resets))
    }
}

/// The moisture that trade refers to, %; none for what is sold by dry matter or not at all.
pub(super) fn standard_moisture_pct(operation: Operation, crop: Option<&str>) -> Option<f64> {
    let crop = crop.map(str::to_lowercase).unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| crop.contains(word));
    match operation {
        Operation::ForageHarvest => None,
        _ if has(&["rape", "canola", "рапс"]) => Some(8.0),
        Operation::FlaxPulling => Some(19.0),
        _ if has(&["flax", "linseed", "лён", "лен"]) => Some(12.0),
        Operation::Baling => Some(17.0),
        _ if has(&["hay", "grass", "сено"]) => Some(17.0),
        Operation::GrainHarvest => Some(14.0),
        _ if has(&[
            "wheat",
            "barley",
            "oat",
            "rye",
            "pea",
            "corn",
            "maize",
            "пшен",
            "ячм",
            "ов",
            "рож",
            "горох",
            "кукуруз",
        ]) =>
        {
            Some(14.0)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trade_refers_to_fourteen_per_cent_for_cereals_and_eight_for_rapeseed() {
        let check =
            |operation, crop, expected| assert_eq!(standard_moisture_pct(operation, crop), expected, "{crop:?}");
        check(Operation::GrainHarvest, Some("Spring wheat"), Some(14.0));
        check(Operation::GrainHarvest, Some("Рапс яровой"), Some(8.0));
        check(Operation::GrainHarvest, None, Some(14.0));
        check(Operation::ForageHarvest, Some("maize silage"), None);
        check(Operation::Unknown, Some("CORN WHITE"), Some(14.0));
        check(Operation::Unknown, None, None);
    }
}
