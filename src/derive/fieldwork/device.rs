//! The machine's own totals, in its task reports and in counters among its samples, beside ours.

use std::ops::Range;

use wire::{SignalId, catalogue};

use super::counter::{Amounts, Limit};
use super::{DeviceTotal, Quantity, TotalSource};
use crate::derive::{Readings, TaskEntry};

/// What a machine counts: the quantity, its signal, and what it can gain per second.
const TOTALS: [(Quantity, SignalId, f64); 10] = [
    // 48 m at 30 km/h.
    (Quantity::AreaM2, catalogue::TOTAL_AREA_M2, 400.0),
    (Quantity::WorkingDistanceM, catalogue::EFFECTIVE_DISTANCE_M, 40.0),
    (Quantity::OtherDistanceM, catalogue::INEFFECTIVE_DISTANCE_M, 40.0),
    (Quantity::WorkingTimeS, catalogue::EFFECTIVE_TIME_S, 1.5),
    (Quantity::OtherTimeS, catalogue::INEFFECTIVE_TIME_S, 1.5),
    (Quantity::FuelL, catalogue::TASK_FUEL_L, 0.06),
    (Quantity::WetMassKg, catalogue::YIELD_TOTAL_MASS_KG, 100.0),
    (Quantity::DryMassKg, catalogue::YIELD_TOTAL_DRY_MASS_KG, 60.0),
    (Quantity::MoisturePct, catalogue::AVERAGE_MOISTURE_PCT, 0.0),
    (Quantity::AppliedMassKg, catalogue::APPLICATION_TOTAL_MASS_KG, 100.0),
];
/// Reports of totals come late by up to this, s.
const LATE_S: f64 = 120.0;

/// The machine's totals of a session that is the only one of its tasks, or of part of the day by its counters.
pub(super) fn totals(
    readings: &Readings,
    intervals: Range<usize>,
    tasks: &[&TaskEntry],
    start_ms: i64,
    ours: impl Fn(Quantity) -> Option<f64>,
) -> Vec<DeviceTotal> {
    let mut totals = Vec::new();
    for (quantity, signal, per_s) in TOTALS {
        let of_task =
            if quantity == Quantity::MoisturePct { last(tasks, signal) } else { grown(tasks, signal, start_ms) };
        let of_counter =
            if quantity == Quantity::MoisturePct { None } else { counted(readings, signal, per_s, intervals.clone()) };
        let reports = [(TotalSource::Task, of_task), (TotalSource::Counter, of_counter)];
        for (reported_by, device) in reports.into_iter().filter_map(|(by, device)| Some((by, device?))) {
            let ours = ours(quantity);
            let difference = ours.filter(|_| device != 0.0).map(|ours| (ours - device) / device);
            totals.push(DeviceTotal { quantity, reported_by, device, ours, difference });
        }
    }
    totals
}

/// What tasks' totals grew by since `start_ms`. Totals are cumulative: repeated in several blocks they do not add up,
/// and blocks may stand in any order, so the greatest is the last.
fn grown(tasks: &[&TaskEntry], signal: SignalId, start_ms: i64) -> Option<f64> {
    let mut names: Vec<&str> = tasks.iter().map(|entry| entry.task.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let of_task = |name: &str| {
        let greatest = |wanted: &dyn Fn(&TaskEntry) -> bool| {
            let entries = tasks.iter().filter(|entry| entry.task == name && wanted(entry));
            let values =
                entries.flat_map(|entry| &entry.totals).filter(|(id, _)| *id == signal).map(|(_, value)| *value);
            values.max_by(f64::total_cmp)
        };
        let after = greatest(&|entry| entry.recorded_at_ms > start_ms)?;
        let before = greatest(&|entry| entry.recorded_at_ms <= start_ms).filter(|before| *before <= after);
        Some(after - before.unwrap_or(0.0))
    };
    names.into_iter().filter_map(of_task).reduce(|a, b| a + b)
}

fn last(tasks: &[&TaskEntry], signal: SignalId) -> Option<f64> {
    let with = tasks.iter().filter_map(|entry| {
        let value = entry.totals.iter().find(|(id, _)| *id == signal).map(|(_, value)| *value)?;
        Some((entry.recorded_at_ms, entry.identity, value))
    });
    with.max_by_key(|(at, identity, _)| (*at, *identity)).map(|(_, _, value)| value)
}

fn counted(readings: &Readings, signal: SignalId, per_s: f64, intervals: Range<usize>) -> Option<f64> {
    if !readings.signal(signal).is_reported() {
        return None;
    }
    let no_weights = vec![0.0; readings.len()];
    let amounts = Amounts::of_counter(readings, signal, &no_weights, Limit { per_s, slack: per_s * LATE_S })?;
    Some(amounts.sum(intervals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::TaskEvent;

    fn entry(second: i64, task: &str, totals: &[(SignalId, f64)]) -> TaskEntry {
        TaskEntry {
            identity: (1, second),
            recorded_at_ms: second * 1000,
            event: TaskEvent::Totals,
            task: task.into(),
            field: String::new(),
            operator: String::new(),
            implement: String::new(),
            operation: String::new(),
            crop: String::new(),
            totals: totals.to_vec(),
        }
    }

    #[test]
    fn totals_repeated_in_several_blocks_out_of_order_count_once() {
        let area = catalogue::TOTAL_AREA_M2;
        let moisture = catalogue::AVERAGE_MOISTURE_PCT;
        let entries = [
            entry(30, "TSK1", &[(area, 48_300.0), (moisture, 54.6)]),
            entry(10, "TSK1", &[(area, 12_000.0), (moisture, 60.0)]),
            entry(20, "TSK1", &[(area, 48_300.0)]),
            entry(40, "TSK2", &[(area, 700.0)]),
            entry(50, "TSK2", &[]),
        ];
        let tasks: Vec<&TaskEntry> = entries.iter().collect();
        assert_eq!(grown(&tasks, area, 0), Some(49_000.0));
        assert_eq!(grown(&tasks, area, 10_000), Some(37_000.0), "a task that went on from before");
        assert_eq!(last(&tasks, moisture), Some(54.6));
        assert_eq!(grown(&tasks, catalogue::TASK_FUEL_L, 0), None);
    }
}
