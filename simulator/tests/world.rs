//! Physics that no machine may break, whatever it does.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use simulator::machine::{Catalogue, FaultSettings, Fleet, Season};
use simulator::truth::{Day, Event, State, StateInterval};
use simulator::{FleetConfig, Work};
use wire::{Record, Sample, catalogue as signal};

const DAY_MS: i64 = 86_400_000;

/// What a machine recorded and what it really did.
struct Run {
    name: String,
    samples: Vec<Sample>,
    truth: Vec<Event>,
    fault_reports: usize,
}

fn config(machines: usize, starts_at: &str) -> FleetConfig {
    FleetConfig {
        seed: 7,
        machines,
        starts_at: starts_at.parse().unwrap(),
        work: Work::ByDay,
        sample_period_ms: 5_000,
        faults: FaultSettings { random_rate: 0.0, scripted: Vec::new() },
        ..FleetConfig::default()
    }
}

fn run(config: &FleetConfig, days: i64) -> Vec<Run> {
    let catalogue = Catalogue::load(None).unwrap();
    let fleet = Fleet::plan(config, &catalogue).unwrap();
    let until_ms = config.starts_at.as_millisecond() + days * DAY_MS;
    (0..fleet.len())
        .map(|index| {
            let (serial, mut machine) = fleet.machine(index);
            let (mut out, mut truth) = (Vec::new(), Vec::new());
            while machine.next_at_ms() < until_ms {
                machine.advance(&mut out, &mut truth);
            }
            machine.close(until_ms, &mut truth);
            let fault_reports = out.iter().filter(|record| matches!(record, Record::Faults(_))).count();
            let samples = out
                .into_iter()
                .filter_map(|record| if let Record::Sample(sample) = record { Some(sample) } else { None })
                .collect();
            Run { name: serial.to_string(), samples, truth, fault_reports }
        })
        .collect()
}

/// Every model, one machine each.
fn one_of_each(starts_at: &str) -> FleetConfig {
    let catalogue = Catalogue::load(None).unwrap();
    let models: Vec<String> = catalogue.models().map(|(code, ..)| code.to_string()).collect();
    FleetConfig { models: models.clone(), ..config(models.len(), starts_at) }
}

fn days(run: &Run) -> impl Iterator<Item = &Day> {
    run.truth.iter().filter_map(|event| if let Event::Day(day) = event { Some(&**day) } else { None })
}

fn states(run: &Run) -> impl Iterator<Item = &StateInterval> {
    run.truth.iter().filter_map(|event| if let Event::State(state) = event { Some(state) } else { None })
}

#[test]
fn every_model_obeys_physics_on_two_days_of_harvest() {
    let runs = run(&one_of_each("2026-08-19T21:00:00Z"), 2);
    let mut working = 0;
    for run in &runs {
        the_fuel_balance_closes(run);
        states_follow_each_other_without_gap(run);
        areas_are_width_times_distance(run);
        nothing_jumps(run);
        counters_only_grow_and_hours_only_while_the_engine_runs(run);
        values_are_usual(run);
        assert_eq!(run.fault_reports, 0, "{} is healthy", run.name);
        working += usize::from(days(run).any(|day| day.seconds.working > 3_600.0));
    }
    assert!(working * 2 > runs.len(), "in harvest more than half of all models work: {working} of {}", runs.len());
}

/// A dryer has neither an engine nor a tank.
fn is_stationary(run: &Run) -> bool {
    run.name.contains("dryer")
}

fn the_fuel_balance_closes(run: &Run) {
    for day in days(run) {
        let burned_l = day.at_end.fuel_total_l - day.at_start.fuel_total_l;
        let left_l = day.at_start.tank_l + day.refuelled_l - day.stolen_l - burned_l;
        assert!((left_l - day.at_end.tank_l).abs() < 1e-3, "{}: {left_l} {day:?}", run.name);
        assert!((day.fuel_l.total() - burned_l).abs() < 1e-6, "{} {day:?}", run.name);
        if is_stationary(run) {
            assert_eq!((day.at_end.tank_l, burned_l), (0.0, 0.0), "{} burns gas from the main", run.name);
        } else {
            assert!(day.at_end.tank_l > 0.0, "{} never runs dry", run.name);
        }
    }
}

fn states_follow_each_other_without_gap(run: &Run) {
    let all: Vec<_> = states(run).collect();
    for pair in all.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "{}", run.name);
    }
    for day in days(run) {
        let of_day = all.iter().filter(|state| state.from >= day.from && state.to <= day.to);
        let mut seconds: BTreeMap<State, f64> = BTreeMap::new();
        for state in of_day {
            *seconds.entry(state.state).or_default() += (state.to.0 - state.from.0) as f64 / 1_000.0;
        }
        let mut told = day.seconds;
        for state in State::ALL {
            let sum = seconds.get(&state).copied().unwrap_or_default();
            assert!((sum - *told.of(state)).abs() < 1.0, "{} {state:?} {sum} {day:?}", run.name);
        }
        assert!((told.total() * 1_000.0 - (day.to.0 - day.from.0) as f64).abs() < 1.0, "{}", run.name);
    }
}

fn areas_are_width_times_distance(run: &Run) {
    for event in &run.truth {
        let Event::Session(session) = event else { continue };
        let by_distance = session.width_m * session.working_distance_m / 10_000.0;
        let area = session.area;
        assert!((area.width_distance_ha - by_distance).abs() < 1e-3 + 1e-4 * by_distance, "{} {session:?}", run.name);
        assert!(area.worked_ha <= area.width_distance_ha * 1.001 + 1e-3, "{} {session:?}", run.name);
        assert!(area.worked_ha > 0.75 * area.width_distance_ha, "{} {session:?}", run.name);
        assert!(session.from < session.to && session.working_s > 0.0);
        let inside = states(run)
            .filter(|state| state.state == State::Working && state.from >= session.from && state.to <= session.to);
        let working_s: f64 = inside.map(|state| (state.to.0 - state.from.0) as f64 / 1_000.0).sum();
        assert!((working_s - session.working_s).abs() < 1.0, "{} {working_s} {session:?}", run.name);
    }
}

fn nothing_jumps(run: &Run) {
    let mut before: Option<(i64, f64, f64)> = None;
    for sample in &run.samples {
        let (Some(latitude), Some(longitude)) =
            (sample.physical(signal::LATITUDE_DEG), sample.physical(signal::LONGITUDE_DEG))
        else {
            continue;
        };
        if let Some((at_ms, old_latitude, old_longitude)) = before {
            let dt_s = (sample.recorded_at_ms - at_ms) as f64 / 1_000.0;
            assert!(dt_s >= 0.0, "{} records in order", run.name);
            let north_m = (latitude - old_latitude) * 111_300.0;
            let east_m = (longitude - old_longitude) * 111_300.0 * latitude.to_radians().cos();
            let way_m = north_m.hypot(east_m);
            // Two metres of receiver noise; a tanker drives 60 km/h.
            assert!(way_m < 2.5 + 18.0 * dt_s, "{} goes {way_m} m in {dt_s} s", run.name);
        }
        before = Some((sample.recorded_at_ms, latitude, longitude));
    }
}

fn counters_only_grow_and_hours_only_while_the_engine_runs(run: &Run) {
    let counters = [
        signal::ENGINE_HOURS_H,
        signal::FUEL_TOTAL_L,
        signal::ODOMETER_KM,
        signal::IDLE_HOURS_H,
        signal::LIFETIME_AREA_M2,
    ];
    for counter in counters {
        let values: Vec<f64> = run.samples.iter().filter_map(|sample| sample.physical(counter)).collect();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{} {counter}", run.name);
    }
    for day in days(run) {
        let mut seconds = day.seconds;
        let running_h = (seconds.total() - *seconds.of(State::Off)) / 3_600.0;
        let counted_h = day.at_end.engine_hours_h - day.at_start.engine_hours_h;
        if is_stationary(run) {
            assert_eq!(counted_h, 0.0);
        } else {
            assert!((running_h - counted_h).abs() < 1e-3, "{} {running_h} {counted_h}", run.name);
        }
    }
}

fn values_are_usual(run: &Run) {
    let mut unusual: BTreeMap<&str, (f64, i64)> = BTreeMap::new();
    for sample in &run.samples {
        for (id, raw) in &sample.values {
            let row = signal::find(*id).unwrap();
            let value = id.physical(*raw);
            let margin = (row.usual.1 - row.usual.0) * 0.02 + 1e-9;
            if !(row.usual.0 - margin..=row.usual.1 + margin).contains(&value) && is_gauge_in_use(sample, row.name) {
                unusual.entry(row.name).or_insert((value, sample.recorded_at_ms));
            }
        }
    }
    assert!(unusual.is_empty(), "{}: {unusual:?}", run.name);
}

/// Shafts stand, pressures are gone and air is cold while nothing runs: that is no reading of a machine in use.
fn is_gauge_in_use(sample: &Sample, name: &str) -> bool {
    let running = sample.physical(signal::ENGINE_SPEED_RPM).is_some_and(|rpm| rpm > 600.0);
    let warm = ["temp", "rpm", "pressure", "torque", "_v"].iter().all(|part| !name.contains(part));
    running && warm
}

#[test]
fn coolant_follows_load_with_a_lag_and_never_overheats_a_healthy_engine() {
    let runs = run(&FleetConfig { models: vec!["gs12".into()], ..config(1, "2026-08-19T21:00:00Z") }, 2);
    let coolant: Vec<(i64, f64)> = runs[0]
        .samples
        .iter()
        .filter_map(|sample| Some((sample.recorded_at_ms, sample.physical(signal::COOLANT_TEMP_C)?)))
        .collect();
    let highest = coolant.iter().map(|(_, c)| *c).fold(0.0, f64::max);
    assert!((85.0..98.0).contains(&highest), "{highest}");
    // From start to the thermostat takes minutes, not seconds.
    let cold = coolant.iter().position(|(_, c)| *c < 40.0).map(|index| coolant[index].0).unwrap();
    let warm = coolant.iter().find(|(at, c)| *at > cold && *c > 80.0).unwrap().0;
    assert!(warm - cold > 240_000, "{} s", (warm - cold) / 1_000);
    for pair in coolant.windows(2) {
        let dt_s = (pair[1].0 - pair[0].0) as f64 / 1_000.0;
        assert!((pair[1].1 - pair[0].1).abs() <= 1.0 + 0.25 * dt_s, "{pair:?}");
    }
}

#[test]
fn the_same_seed_does_the_same_and_another_something_else() {
    let config = FleetConfig { work: Work::AroundTheClock, ..config(6, "2026-07-01T00:00:00Z") };
    let config = FleetConfig { season: Some(Season::Harvest), faults: FaultSettings::default(), ..config };
    let bytes = |config: &FleetConfig| {
        let mut all = Vec::new();
        for run in run(config, 1) {
            all.push(run.name);
            all.extend(run.samples.iter().map(|sample| format!("{sample:?}")));
            all.extend(run.truth.iter().map(|event| serde_json::to_string(event).unwrap()));
        }
        all
    };
    let once = bytes(&config);
    assert!(once == bytes(&config), "the same seed");
    assert!(once != bytes(&FleetConfig { seed: 8, ..config }), "another seed");
}

#[test]
fn how_often_a_machine_is_asked_does_not_change_what_it_does() {
    let truth = |period_ms: u32| {
        let base = config(5, "2026-08-20T00:00:00Z");
        let config = FleetConfig { sample_period_ms: period_ms, work: Work::AroundTheClock, ..base };
        let runs = run(&FleetConfig { faults: FaultSettings::default(), ..config }, 1);
        let events = runs.into_iter().flat_map(|run| run.truth).map(|mut event| {
            if let Event::Day(day) = &mut event {
                day.samples = 0;
            }
            serde_json::to_string(&event).unwrap()
        });
        events.collect::<Vec<_>>()
    };
    assert!(truth(60_000) == truth(2_000));
}

#[test]
fn a_sensor_can_be_read_at_any_instant_without_changing_anything() {
    let base = config(3, "2026-08-20T00:00:00Z");
    let config = FleetConfig { work: Work::AroundTheClock, season: Some(Season::Harvest), ..base };
    let fleet = Fleet::plan(&config, &Catalogue::load(None).unwrap()).unwrap();
    let (_, mut machine) = fleet.machine(2);
    let (_, mut undisturbed) = fleet.machine(2);
    let (mut out, mut quiet, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: Option<(i64, f64)> = None;
    for _ in 0..400 {
        let from_ms = out.last().map_or(config.starts_at.as_millisecond(), Record::recorded_at_ms);
        for tenth in 0..(machine.next_at_ms() - from_ms) / 100 {
            let at_ms = from_ms + tenth * 100;
            let speed = machine.read(signal::GROUND_SPEED_KMH, at_ms).unwrap();
            if let Some((before_ms, before)) = last
                && at_ms > before_ms
            {
                let dt_s = (at_ms - before_ms) as f64 / 1_000.0;
                assert!((speed - before).abs() < 0.3 + 12.0 * dt_s, "{speed} after {before} in {dt_s} s");
            }
            last = Some((at_ms, speed));
        }
        machine.advance(&mut out, &mut truth);
        undisturbed.advance(&mut quiet, &mut truth);
    }
    assert_eq!(out, quiet);
    assert!(machine.read(signal::MOISTURE_IN_PCT, machine.next_at_ms()).is_none(), "no dryer");
}
