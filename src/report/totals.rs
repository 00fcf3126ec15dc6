//! Sums over sessions, and what follows from sums. A ratio is never averaged: it is made of the sums.

use serde::Serialize;

use crate::derive::fieldwork::Session;

const M2_PER_HA: f64 = 10_000.0;
const S_PER_H: f64 = 3_600.0;
const KG_PER_T: f64 = 1_000.0;

/// Sums over sessions. A sum is absent when no session has the figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Sessions.
    pub sessions: u32,
    /// Those of them that know their area.
    pub sessions_with_area: u32,
    /// Hours from begin to end.
    pub total_h: f64,
    /// Hours at work.
    pub working_h: f64,
    /// Hours with the engine on, as far as the states tell.
    pub engine_on_h: f64,
    /// Hours of idling.
    pub idle_h: f64,
    /// Area worked, each session by itself, ha.
    pub area_ha: Option<f64>,
    /// Standard error of `area_ha`, errors of sessions taken as independent, ha.
    pub area_error_ha: Option<f64>,
    /// Width × distance, ha.
    pub swept_ha: Option<f64>,
    /// Strips left out, ha.
    pub skipped_ha: Option<f64>,
    /// All litres.
    pub fuel_l: Option<f64>,
    /// Litres at work and turning.
    pub fuel_working_l: Option<f64>,
    /// Harvested, t.
    pub wet_t: Option<f64>,
    /// Harvested at the moisture of trade, t.
    pub standard_t: Option<f64>,
    /// Records stored.
    pub stored: u64,
    /// Records that the machines numbered and that never came.
    pub missing: u64,
    /// Hectares and litres of the sessions that have both.
    area_with_fuel_ha: f64,
    fuel_with_area_l: f64,
    /// Hectares and wet tonnes of the sessions that have both.
    area_with_yield_ha: f64,
    wet_with_area_t: f64,
    /// Hours of the sessions that have an area.
    hours_with_area_h: f64,
    swept_with_union_ha: f64,
    union_with_swept_ha: f64,
    moisture_t_pct: f64,
    moisture_t: f64,
}

impl Totals {
    /// Sums sessions.
    pub fn of<'s>(sessions: impl IntoIterator<Item = &'s Session>) -> Self {
        let mut totals = Self::default();
        for session in sessions {
            totals.add(session);
        }
        totals
    }

    fn add(&mut self, session: &Session) {
        let (time, area) = (&session.time, &session.area);
        self.sessions += 1;
        self.total_h += time.total_s / S_PER_H;
        self.working_h += time.working_s / S_PER_H;
        self.engine_on_h += (time.total_s - time.off_s - time.unknown_s) / S_PER_H;
        self.idle_h += time.idle_s / S_PER_H;
        let area_ha = area.union_m2.map(|m2| m2 / M2_PER_HA);
        plus(&mut self.area_ha, area_ha);
        plus(&mut self.swept_ha, area.swept_m2.map(|m2| m2 / M2_PER_HA));
        plus(&mut self.skipped_ha, area.skipped_m2.map(|m2| m2 / M2_PER_HA));
        if let Some(error_ha) = area.error_m2.map(|m2| m2 / M2_PER_HA) {
            self.area_error_ha = Some(self.area_error_ha.unwrap_or(0.0).hypot(error_ha));
        }
        plus(&mut self.fuel_l, session.fuel.map(|fuel| fuel.total_l));
        plus(&mut self.fuel_working_l, session.fuel.map(|fuel| fuel.working_l + fuel.turning_l));
        let harvest = session.harvest.as_ref();
        plus(&mut self.wet_t, harvest.map(|harvest| harvest.wet_kg / KG_PER_T));
        plus(&mut self.standard_t, harvest.and_then(|harvest| harvest.standard_kg).map(|kg| kg / KG_PER_T));
        self.stored += session.completeness.stored;
        self.missing += session.completeness.missing;
        if let Some(area_ha) = area_ha {
            self.sessions_with_area += 1;
            self.hours_with_area_h += time.total_s / S_PER_H;
            if let Some(fuel) = session.fuel {
                self.area_with_fuel_ha += area_ha;
                self.fuel_with_area_l += fuel.total_l;
            }
            if let Some(harvest) = harvest {
                self.area_with_yield_ha += area_ha;
                self.wet_with_area_t += harvest.wet_kg / KG_PER_T;
            }
            if let Some(swept_m2) = area.swept_m2 {
                self.union_with_swept_ha += area_ha;
                self.swept_with_union_ha += swept_m2 / M2_PER_HA;
            }
        }
        if let Some((harvest, moisture_pct)) = harvest.and_then(|harvest| Some((harvest, harvest.moisture_pct?))) {
            self.moisture_t += harvest.wet_kg / KG_PER_T;
            self.moisture_t_pct += harvest.wet_kg / KG_PER_T * moisture_pct;
        }
    }

    /// Litres per hectare, over the sessions that know both.
    pub fn l_per_ha(&self) -> Option<f64> {
        ratio(self.fuel_with_area_l, self.area_with_fuel_ha)
    }

    /// Hectares per hour from begin to end, over the sessions that know their area.
    pub fn ha_per_h(&self) -> Option<f64> {
        ratio(self.area_ha?, self.hours_with_area_h)
    }

    /// Wet tonnes per hectare, over the sessions that know both.
    pub fn wet_t_per_ha(&self) -> Option<f64> {
        ratio(self.wet_with_area_t, self.area_with_yield_ha).filter(|_| self.wet_t.is_some())
    }

    /// Mean moisture weighted by mass, %.
    pub fn moisture_pct(&self) -> Option<f64> {
        ratio(self.moisture_t_pct, self.moisture_t)
    }

    /// Idle share of the time with the engine on, 0 to 1.
    pub fn idle_share(&self) -> Option<f64> {
        ratio(self.idle_h, self.engine_on_h)
    }

    /// Swept twice, share of the swept area, 0 to 1.
    pub fn overlap_share(&self) -> Option<f64> {
        ratio(self.swept_with_union_ha - self.union_with_swept_ha, self.swept_with_union_ha)
    }

    /// Stored share of the records, 0 to 1.
    pub fn completeness(&self) -> Option<f64> {
        ratio(self.stored as f64, (self.stored + self.missing) as f64)
    }
}

fn plus(sum: &mut Option<f64>, figure: Option<f64>) {
    if let Some(figure) = figure {
        *sum = Some(sum.unwrap_or(0.0) + figure);
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
#[allow(clippy::approx_constant)] // 3.14 ha are no circle.
mod tests {
    use super::*;
    use crate::exchange::export::example;

    #[test]
    fn one_session_gives_its_own_figures() {
        let session = example::session(&example::field());
        let totals = Totals::of([&session]);
        let near = |found: Option<f64>, expected: Option<f64>| {
            assert!((found.unwrap_or(f64::NAN) - expected.unwrap_or(f64::NAN)).abs() < 0.005, "{found:?} {expected:?}");
        };
        near(totals.area_ha, Some(3.14));
        near(totals.l_per_ha(), session.rates.l_per_ha_total);
        near(totals.ha_per_h(), session.rates.ha_per_h);
        near(totals.wet_t_per_ha(), session.rates.wet_t_per_ha);
        near(totals.idle_share(), session.rates.idle_share);
        near(totals.overlap_share(), session.area.overlap_share);
        near(totals.moisture_pct(), Some(18.0));
        near(totals.completeness(), Some(3_560.0 / 3_601.0));
    }

    #[test]
    fn ratios_are_made_of_sums_and_of_sessions_that_know_both_parts() {
        let one = example::session(&example::field());
        let mut two = one.clone();
        two.fuel = None;
        two.harvest = None;
        two.area.union_m2 = Some(62_800.0);
        let mut three = one.clone();
        three.area.union_m2 = None;
        three.area.error_m2 = None;
        let totals = Totals::of([&one, &two, &three]);
        assert_eq!((totals.sessions, totals.fuel_l), (3, Some(68.5)));
        assert!((totals.area_ha.unwrap_or(0.0) - 9.42).abs() < 1e-9);
        assert!((totals.l_per_ha().unwrap_or(0.0) - 34.25 / 3.14).abs() < 1e-9);
        assert!((totals.wet_t_per_ha().unwrap_or(0.0) - 2.6).abs() < 1e-9);
        assert_eq!((totals.sessions, totals.sessions_with_area), (3, 2));
        assert!((totals.ha_per_h().unwrap_or(0.0) - 4.71).abs() < 1e-9);
        assert!((totals.area_error_ha.unwrap_or(0.0) - 0.015 * 2_f64.sqrt()).abs() < 1e-9);
        assert_eq!(Totals::of([]).l_per_ha(), None);
    }
}
