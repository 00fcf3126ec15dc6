//! Real recordings by the machines' own totals.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polevod::derive::fieldwork::{
    self, Evidence, FuelSource, MassSource, Operation, Quantity, Rules, Session, TotalSource, Work,
};
use polevod::derive::{Readings, TaskEntry};
use polevod::exchange::{Options, Record, open};
use wire::{SignalId, catalogue};

use crate::drive::Known;

/// Sessions of a recording, working day by working day, of the signals that `wanted` leaves.
fn sessions(name: &str, wanted: impl Fn(SignalId) -> bool) -> Option<Vec<Session>> {
    let found = open(&test_support::recording(name)?, &Options::default()).expect("it opens");
    let mut days: BTreeMap<i64, (Readings, Vec<TaskEntry>)> = BTreeMap::new();
    for recording in &found.recordings {
        let boot = recording.boot.as_i64();
        for (record, sequence) in recording.records.iter().zip(0..) {
            // 04:00 in Tomsk is 21:00 in Greenwich.
            let day = (record.recorded_at_ms() + 3 * 3_600_000).div_euclid(86_400_000);
            let (readings, tasks) = days.entry(day).or_default();
            match record {
                Record::Sample(sample) => {
                    let index = readings.push(sample.recorded_at_ms, boot, sequence);
                    let catalogued = sample.values.iter().filter(|(id, _)| catalogue::find(*id).is_some());
                    for (id, raw) in catalogued {
                        readings.set(index, *id, id.physical(*raw));
                    }
                }
                Record::Task(task) => tasks.push(TaskEntry::of((boot, sequence), task)),
                Record::Faults(_) => {}
            }
        }
    }
    let known = Known::default();
    let mut sessions = Vec::new();
    for (day, (mut readings, tasks)) in days {
        readings.keep(&wanted);
        readings.sort();
        let day = Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(day));
        let work = Work { day, tasks: &tasks, ..known.work(&readings) };
        sessions.extend(fieldwork::fold(&work, &Rules::default()).sessions);
    }
    Some(sessions)
}

fn near(ours: f64, truth: f64, share: f64) {
    assert!((ours / truth - 1.0).abs() <= share, "{ours} is not {truth} within {} %", share * 100.0);
}

#[test]
fn the_forage_harvester_task_has_the_machines_own_hectares_tonnes_and_litres() {
    let Some(sessions) = sessions("isoxml/forage_harvester_one_task", |_| true) else { return };
    let [session] = &sessions[..] else { panic!("one session") };
    assert_eq!((session.operation, session.evidence), (Operation::ForageHarvest, Evidence::Implement));
    near(session.area.swept_m2.expect("swept"), 48_300.0, 0.005);
    // The field of 4.4 ha (its polygon) to 4.6 ha (as declared) was worked once, with overlap.
    let union_m2 = session.area.union_m2.expect("worked");
    assert!((43_500.0..=46_500.0).contains(&union_m2), "{union_m2}");
    let harvest = session.harvest.as_ref().expect("a harvest");
    assert_eq!(harvest.source, MassSource::Counter);
    near(harvest.wet_kg, 259_605.0, 0.01);
    near(harvest.moisture_pct.expect("moisture"), 54.6, 0.02);
    let fuel = session.fuel.expect("fuel");
    assert_eq!(fuel.source, FuelSource::TaskCounter);
    near(fuel.total_l, 84.889, 0.01);
    near(session.time.working_s, 3_559.0, 0.02);
    let device = |quantity| {
        let of_task =
            |total: &&fieldwork::DeviceTotal| total.quantity == quantity && total.reported_by == TotalSource::Task;
        session.device_totals.iter().find(of_task).map(|total| total.device)
    };
    assert_eq!(device(Quantity::AreaM2), Some(48_300.0));
    assert_eq!(device(Quantity::WetMassKg), Some(259_605.0));
    assert_eq!(device(Quantity::FuelL), Some(84.889));
}

#[test]
fn the_same_task_by_its_track_alone_begins_and_ends_within_half_a_minute_and_covers_most() {
    let position = [catalogue::LATITUDE_DEG, catalogue::LONGITUDE_DEG, catalogue::ACTUAL_WORKING_WIDTH_M];
    let Some(sessions) = sessions("isoxml/forage_harvester_one_task", |signal| position.contains(&signal)) else {
        return;
    };
    let [session] = &sessions[..] else { panic!("one session") };
    assert_eq!(session.evidence, Evidence::Geometry);
    // As the work state has it.
    for (ours, truth) in [(session.started_at, "2020-01-02T10:30:28Z"), (session.ended_at, "2020-01-02T12:10:21Z")] {
        let truth: jiff::Timestamp = truth.parse().expect("a time");
        assert!((ours.as_second() - truth.as_second()).abs() <= 30, "{ours} {truth}");
    }
    near(session.area.union_m2.expect("worked"), 45_000.0, 0.12);
}

#[test]
fn the_corn_log_has_its_gross_hectares_and_raw_tonnes_before_cleaning() {
    let Some(sessions) = sessions("yield/corn_aglead_advanced.txt", |_| true) else { return };
    let sum = |of: &dyn Fn(&Session) -> f64| sessions.iter().map(of).sum::<f64>();
    near(sum(&|s| s.area.swept_m2.unwrap_or(0.0)), 138_345.0, 0.01);
    near(sum(&|s| s.harvest.as_ref().map_or(0.0, |h| h.wet_kg)), 110_598.0, 0.01);
    let [session] = &sessions[..] else { panic!("one session") };
    let harvest = session.harvest.as_ref().expect("a harvest");
    near(harvest.moisture_pct.expect("moisture"), 21.85, 0.005);
    let cleaning = harvest.cleaning;
    let kept = f64::from(cleaning.kept) / f64::from(cleaning.points);
    assert!((0.5..=0.9).contains(&kept), "10 to 50 % of the points of a real log are dropped: {cleaning:?}");
}

#[test]
fn a_receiver_stream_of_a_road_is_no_field_work() {
    let Some(sessions) = sessions("gps/isoblue_gpsd_tpv_2020.jsonl", |_| true) else { return };
    assert_eq!(sessions, []);
}
