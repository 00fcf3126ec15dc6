//! A reader who has only the samples comes to the truth.

use std::sync::Arc;

use wire::{Record, Sample, SignalId, catalogue as signal};

use super::geometry::{Point, Pose, Strip, swath_area};
use super::world::Fleet;
use super::{Catalogue, FaultSettings, Machine, Season};
use crate::fleet::{FleetConfig, Work};
use crate::truth::{Event, Session};

/// Runs one machine of a model for some hours of harvest.
fn harvest(model: &str, season: Season, hours: i64) -> (Fleet, Vec<Sample>, Vec<Event>) {
    let config = FleetConfig {
        seed: 21,
        machines: 1,
        models: vec![model.into()],
        starts_at: "2026-08-20T00:00:00Z".parse().expect("a time"),
        work: Work::AroundTheClock,
        season: Some(season),
        faults: FaultSettings { random_rate: 0.0, scripted: Vec::new() },
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &Catalogue::load(None).expect("sound files")).expect("a fleet");
    let (_, mut machine): (_, Machine) = fleet.machine(0);
    let until_ms = config.starts_at.as_millisecond() + hours * 3_600_000;
    let (mut out, mut truth) = (Vec::new(), Vec::new());
    while machine.next_at_ms() < until_ms {
        machine.advance(&mut out, &mut truth);
    }
    machine.close(until_ms, &mut truth);
    let samples = out.into_iter().filter_map(|r| if let Record::Sample(sample) = r { Some(sample) } else { None });
    (fleet, samples.collect(), truth)
}

/// The value that a sample reports or, where it does not, the one before it.
fn held(samples: &[Sample], signal: SignalId) -> Vec<Option<f64>> {
    let mut last = None;
    samples
        .iter()
        .map(|sample| {
            last = sample.physical(signal).or(last);
            last
        })
        .collect()
}

/// Area, fuel and mass of a session as anybody would work them out from the samples.
fn by_samples(fleet: &Fleet, samples: &[Sample], session: &Session) -> (f64, f64, f64) {
    let projection = fleet.projection(0);
    let origin = Point::default();
    let works = held(samples, signal::ACTUAL_WORK_STATE);
    let fuel = held(samples, signal::FUEL_TOTAL_L);
    let mass = held(samples, signal::YIELD_TOTAL_MASS_KG);
    let at = |index: usize| {
        let place = |signal| samples[index].physical(signal).expect("every sample has a position");
        projection.point(place(signal::LATITUDE_DEG), place(signal::LONGITUDE_DEG))
    };
    let (from, to) = (session.from.0, session.to.0);
    let first = samples.partition_point(|sample| sample.recorded_at_ms < from);
    let end = samples.partition_point(|sample| sample.recorded_at_ms <= to);
    let mut strips = Vec::new();
    for index in (first..end.min(samples.len() - 1)).filter(|&index| works[index] == Some(1.0)) {
        let (a, b) = (at(index), at(index + 1));
        strips.push(Strip::new(origin, Pose::new(a, a.direction(b)), a.distance(b), 0.0));
    }
    let area_ha = swath_area(&strips, session.width_m, None).area.worked_ha;
    let between = |values: &[Option<f64>], later: usize| {
        let last = (end + later).min(values.len()) - 1;
        values[last].zip(values[first]).map_or(f64::NAN, |(last, first)| last - first)
    };
    // The last crop is still on its way to the sensor.
    (area_ha, between(&fuel, 0), between(&mass, 6))
}

#[test]
fn a_reader_of_the_samples_comes_to_the_area_the_fuel_and_the_mass_of_the_truth() {
    // Area within, fuel within, mass within: shares. Narrow swaths suffer most from a receiver without correction.
    let check = |model: &str, season: Season, area: f64, fuel: f64, mass: Option<f64>| {
        let (fleet, samples, truth) = harvest(model, season, 14);
        let (mut told, mut found, mut sessions) = ([0.0; 3], [0.0; 3], 0);
        for event in &truth {
            let Event::Session(session) = event else { continue };
            let (area_ha, fuel_l, mass_kg) = by_samples(&fleet, &samples, session);
            let mass_t = session.harvest.map_or(0.0, |harvest| harvest.mass_t);
            for (sum, value) in told.iter_mut().zip([session.area.worked_ha, session.fuel_l, mass_t]) {
                *sum += value;
            }
            for (sum, value) in found.iter_mut().zip([area_ha, fuel_l, mass_kg / 1_000.0]) {
                *sum += value;
            }
            sessions += 1;
        }
        assert!(sessions > 0 && told[0] > 5.0, "{model} worked {told:?} in {sessions} sessions");
        let share = |index: usize| found[index] / told[index] - 1.0;
        assert!(share(0).abs() < area, "{model}: area {found:?} of {told:?}");
        assert!(share(1).abs() < fuel, "{model}: fuel {found:?} of {told:?}");
        if let Some(mass) = mass {
            assert!(share(2).abs() < mass, "{model}: mass {found:?} of {told:?}");
        }
    };
    check("gs12", Season::Harvest, 0.012, 0.01, Some(0.02));
    check("gs16", Season::Harvest, 0.01, 0.01, Some(0.02));
    check("fs650", Season::Summer, 0.01, 0.01, Some(0.02));
    check("mtz-3522", Season::Spring, 0.01, 0.01, None);
}

#[test]
fn machines_of_a_farm_share_its_fields_and_no_two_work_the_same() {
    let config = FleetConfig {
        machines: 36,
        starts_at: "2026-08-20T00:00:00Z".parse().expect("a time"),
        season: Some(Season::Harvest),
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &Catalogue::load(None).expect("sound files")).expect("a fleet");
    let mut seen: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for index in 0..fleet.len() {
        let (_, machine) = fleet.machine(index);
        let Some((field, operation)) = machine.job_name() else { continue };
        assert!(!seen.contains(&(Arc::clone(&field), Arc::clone(&operation))), "{field} {operation} twice");
        seen.push((field, operation));
    }
    assert!(seen.len() > 15, "{seen:?}");
}
