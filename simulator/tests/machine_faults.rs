//! Every fault that the simulator knows: its cause, its lead-up in the signals, its code, and its end.

#![allow(clippy::unwrap_used)]

use simulator::machine::{Catalogue, FaultSettings, Fleet, ScriptedFault, Season, fault_kinds};
use simulator::truth::{Event, Fault, FaultStep};
use simulator::{FleetConfig, Work};
use wire::{FaultReport, Record, ReportKind, Sample, SignalId, catalogue as signal};

const START: &str = "2026-08-20T00:00:00Z";
const HOUR_MS: i64 = 3_600_000;
/// When the cause begins, from the start.
const BEGINS_MS: i64 = 10 * HOUR_MS;

struct Run {
    samples: Vec<Sample>,
    reports: Vec<FaultReport>,
    steps: Vec<Fault>,
    truth: Vec<Event>,
    begins_ms: i64,
}

fn run(kind: &str, model: &str, season: Season, days: i64, mended_after_h: Option<i64>) -> Run {
    let starts_at: jiff::Timestamp = START.parse().unwrap();
    let begins_ms = starts_at.as_millisecond() + BEGINS_MS;
    let instant = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap();
    let fault = ScriptedFault {
        machine: "0".into(),
        kind: kind.into(),
        at: instant(begins_ms),
        mended_at: mended_after_h.map(|hours| instant(begins_ms + hours * HOUR_MS)),
    };
    let config = FleetConfig {
        seed: 3,
        machines: 1,
        models: vec![model.into()],
        starts_at,
        work: Work::AroundTheClock,
        season: Some(season),
        sample_period_ms: 20_000,
        faults: FaultSettings { random_rate: 0.0, scripted: vec![fault] },
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &Catalogue::load(None).unwrap()).unwrap();
    let (_, mut machine) = fleet.machine(0);
    let until_ms = starts_at.as_millisecond() + days * 24 * HOUR_MS;
    let (mut out, mut truth) = (Vec::new(), Vec::new());
    while machine.next_at_ms() < until_ms {
        machine.advance(&mut out, &mut truth);
    }
    machine.close(until_ms, &mut truth);
    let (mut samples, mut reports) = (Vec::new(), Vec::new());
    for record in out {
        match record {
            Record::Sample(sample) => samples.push(sample),
            Record::Faults(report) => reports.push(report),
            Record::Task(_) => {}
        }
    }
    let steps = truth
        .iter()
        .filter_map(|event| if let Event::Fault(fault) = event { Some(fault.clone()) } else { None })
        .collect();
    Run { samples, reports, steps, truth, begins_ms }
}

impl Run {
    fn step(&self, step: FaultStep) -> Option<&Fault> {
        self.steps.iter().find(|fault| fault.step == step)
    }

    /// The mean of a signal in work between two instants.
    fn mean(&self, id: SignalId, from_ms: i64, to_ms: i64) -> f64 {
        let in_time = |sample: &&Sample| sample.recorded_at_ms >= from_ms && sample.recorded_at_ms < to_ms;
        let moves = |sample: &&Sample| sample.physical(signal::GROUND_SPEED_KMH).is_none_or(|kmh| kmh > 2.0);
        let values: Vec<f64> =
            self.samples.iter().filter(in_time).filter(moves).filter_map(|sample| sample.physical(id)).collect();
        assert!(!values.is_empty(), "{id} is reported");
        values.iter().sum::<f64>() / values.len() as f64
    }
}

#[test]
fn a_cause_shows_in_its_signal_before_its_code_comes_and_the_code_goes_when_it_is_mended() {
    use Season::{Harvest, Spring, Summer};
    // By how much the signal has moved when the code comes, at least; negative: fallen.
    let check = |kind: &str, model: &str, season: Season, code: (u32, u8), id: SignalId, moved: f64| {
        let run = run(kind, model, season, 9, None);
        let begins = run.step(FaultStep::Begins).unwrap_or_else(|| panic!("{kind} begins"));
        assert!((begins.at.0 - run.begins_ms).abs() < 10_000, "{kind} {begins:?}");
        assert_eq!(begins.signal.as_deref(), Some(id.to_string().as_str()), "{kind}");
        let active = run
            .steps
            .iter()
            .find(|step| step.step == FaultStep::CodeActive && (step.spn, step.fmi) == (Some(code.0), Some(code.1)))
            .unwrap_or_else(|| panic!("{kind} sets {code:?}: {:?}", run.steps));
        assert_eq!((active.kind.as_str(), active.number), (kind, begins.number));
        let before = run.mean(id, run.begins_ms - 8 * HOUR_MS, run.begins_ms);
        let then = run.mean(id, active.at.0 - 20_000, active.at.0 + 300_000);
        let change = then - before;
        assert!(change * moved.signum() >= moved.abs(), "{kind}: {id} {before} to {then}, wanted {moved}");
        // The record of it travels with its lamp.
        let holds = |report: &&FaultReport| report.faults.iter().any(|f| (f.spn, f.fmi) == code);
        let first = run.reports.iter().find(holds).unwrap_or_else(|| panic!("{kind} is reported"));
        assert_eq!((first.recorded_at_ms, first.report), (active.at.0, ReportKind::Active), "{kind}");
        assert_ne!(first.lamps.state, 0, "{kind} lights a lamp");
        assert!(first.faults.iter().all(|f| f.occurrence_count >= 1 && f.occurrence_count < 127));
        let mended = run.step(FaultStep::Mended).unwrap_or_else(|| panic!("{kind} is mended: {:?}", run.steps));
        let gone = run
            .steps
            .iter()
            .rfind(|step| step.step == FaultStep::CodeGone && (step.spn, step.fmi) == (Some(code.0), Some(code.1)))
            .unwrap_or_else(|| panic!("{kind}: its code goes: {:?}", run.steps));
        assert!(mended.at > active.at, "{kind}");
        if let Some(shows) = run.step(FaultStep::Shows) {
            assert!(shows.at > begins.at && shows.at <= mended.at, "{kind} shows while it is there: {shows:?}");
        }
        let last = run
            .reports
            .iter()
            .rfind(|report| report.report == ReportKind::Active && report.source_address == first.source_address);
        assert!(last.is_some_and(|report| !holds(&report)) && gone.at >= active.at, "{kind} is in no list in the end");
    };
    check("radiator_clogged", "mtz-3522", Spring, (110, 16), signal::COOLANT_TEMP_C, 7.0);
    check("radiator_clogged", "gs12", Harvest, (110, 16), signal::COOLANT_TEMP_C, 5.0); // Its driver slows down before it does.
    check("oil_pressure_low", "mtz-1523", Spring, (100, 18), signal::OIL_PRESSURE_KPA, -80.0);
    check("air_filter_clogged", "gs16", Harvest, (107, 16), signal::AIR_FILTER_DP_KPA, 2.5);
    check("fuel_filter_clogged", "mtz-3522", Spring, (95, 16), signal::FUEL_FILTER_DP_KPA, 20.0);
    check("boost_leak", "gs12", Harvest, (102, 18), signal::BOOST_PRESSURE_KPA, -15.0);
    check("alternator_dead", "gs812", Harvest, (167, 1), signal::BATTERY_V, -2.5);
    check("hydraulic_cooler_clogged", "mtz-3022", Spring, (1638, 16), signal::HYD_TEMP_C, 18.0);
    check("transmission_cooler_clogged", "mtz-4522", Spring, (177, 16), signal::TRANS_OIL_TEMP_C, 18.0);
    check("drum_belt_slipping", "gs12a1", Harvest, (1488, 18), signal::DRUM_RPM, -25.0);
    check("elevator_chain_slipping", "gs10", Harvest, (1554, 18), signal::ELEVATOR_RPM, -20.0);
    check("particulate_filter_full", "mtz-4522", Spring, (3719, 16), signal::DPF_SOOT_PCT, 20.0);
    check("exhaust_fluid_not_refilled", "mtz-2022", Spring, (1761, 17), signal::DEF_LEVEL_PCT, -10.0);
    check("bearing_hot", "peat-hrv", Summer, (520_210, 16), signal::BEARING_TEMP_C, 40.0);
}

#[test]
fn a_broken_sensor_says_nothing_or_nonsense() {
    let broken = run("coolant_sensor_open", "gs12", Season::Harvest, 2, Some(20));
    let mended_ms = broken.begins_ms + 20 * HOUR_MS;
    let is_told = |from_ms: i64, to_ms: i64| {
        let within = |sample: &&Sample| sample.recorded_at_ms > from_ms && sample.recorded_at_ms < to_ms;
        broken.samples.iter().filter(within).any(|sample| sample.physical(signal::COOLANT_TEMP_C).is_some())
    };
    assert!(!is_told(broken.begins_ms + 60_000, mended_ms) && is_told(mended_ms + 600_000, mended_ms + 3 * HOUR_MS));
    assert!(broken.steps.iter().any(|step| (step.spn, step.fmi) == (Some(110), Some(3))));

    let stuck = run("fuel_sender_stuck", "mtz-82.1", Season::Harvest, 3, None);
    let levels: Vec<f64> = stuck
        .samples
        .iter()
        .filter(|sample| (0..12 * HOUR_MS).contains(&(sample.recorded_at_ms - stuck.begins_ms - 600_000)))
        .filter_map(|sample| sample.physical(signal::FUEL_LEVEL_PCT))
        .collect();
    assert!(levels.len() > 20 && levels.windows(2).all(|pair| pair[0] == pair[1]), "{levels:?}");
    assert!(stuck.reports.is_empty(), "a machine without engine CAN sets no codes");
    let shows = stuck.step(FaultStep::Shows).expect("a tank that is worked from leaves what its sender shows");
    assert!((HOUR_MS / 2..12 * HOUR_MS).contains(&(shows.at.0 - stuck.begins_ms)), "{shows:?}");

    let noisy = run("oil_pressure_sensor_noisy", "mtz-1221.2", Season::Spring, 3, None);
    let spread = |from_ms: i64, to_ms: i64| {
        let within = |sample: &&Sample| (from_ms..to_ms).contains(&(sample.recorded_at_ms - noisy.begins_ms));
        let values: Vec<f64> = noisy
            .samples
            .iter()
            .filter(within)
            .filter(|sample| sample.physical(signal::ENGINE_SPEED_RPM).is_some_and(|rpm| rpm > 1_500.0))
            .filter_map(|sample| sample.physical(signal::OIL_PRESSURE_KPA))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let (before, then) = (spread(-8 * HOUR_MS, 0), spread(0, 8 * HOUR_MS));
    assert!(then > 2.5 * before, "{before} {then}");
}

#[test]
fn a_loose_contact_comes_and_goes_and_counts() {
    let run = run("can_bus_contact", "gs12", Season::Harvest, 4, None);
    let counts: Vec<u8> = run
        .steps
        .iter()
        .filter(|step| step.step == FaultStep::CodeActive)
        .map(|step| step.occurrence_count.unwrap())
        .collect();
    assert!(counts.len() >= 3, "{counts:?}");
    assert_eq!(counts, (1..=u8::try_from(counts.len()).unwrap()).collect::<Vec<_>>());
    let previously = run.reports.iter().filter(|report| report.report == ReportKind::PreviouslyActive);
    assert!(previously.count() > 0, "controllers remember at switching on");
}

#[test]
fn thieves_come_when_the_machine_stands_and_leave_no_code() {
    let run = run("fuel_theft", "mtz-82.1", Season::Harvest, 4, None);
    let theft = run.truth.iter().find_map(|event| if let Event::FuelTheft(theft) = event { Some(theft) } else { None });
    let theft = theft.expect("it happens");
    let litres = theft.before_l - theft.after_l;
    assert!((25.0..=150.0).contains(&litres) && theft.to.0 - theft.from.0 < 10 * 60_000, "{theft:?}");
    let level = |at_ms: i64| {
        let before = run.samples.iter().take_while(|sample| sample.recorded_at_ms <= at_ms);
        before.filter_map(|sample| sample.physical(signal::FUEL_LEVEL_PCT)).last().unwrap()
    };
    let (before, after) = (level(theft.from.0), level(theft.to.0 + 20 * 60_000));
    assert!(((before - after) / 100.0 * 130.0 - litres).abs() < 4.0, "{before} {after} {litres}");
    let engine_on = run.samples.iter().filter(|s| (theft.from.0..theft.to.0).contains(&s.recorded_at_ms));
    assert!(engine_on.into_iter().all(|sample| sample.physical(signal::ENGINE_SPEED_RPM).is_none_or(|rpm| rpm == 0.0)));
    assert!(run.reports.is_empty());
}

#[test]
fn a_red_lamp_stops_the_machine() {
    let run = run("radiator_clogged", "gs12", Season::Harvest, 9, None);
    let stop =
        run.steps.iter().find(|step| (step.spn, step.fmi, step.step) == (Some(110), Some(0), FaultStep::CodeActive));
    let Some(stop) = stop else { panic!("it overheats: {:?}", run.steps) };
    let off = run.samples.iter().find(|sample| {
        sample.recorded_at_ms > stop.at.0 && sample.physical(signal::ENGINE_SPEED_RPM).is_some_and(|rpm| rpm == 0.0)
    });
    let waited_ms = off.expect("it is switched off").recorded_at_ms - stop.at.0;
    assert!((100_000..200_000).contains(&waited_ms), "after idling for two minutes: {waited_ms}");
}

#[test]
fn every_kind_of_fault_can_happen_to_some_machine() {
    let tested = [
        "speed_sensor_contact",
        "can_bus_contact",
        "injector_contact",
        "seat_switch_worn",
        "hitch_sensor_noisy",
        "moisture_cell_fouled",
        "fuel_sender_open",
        "flax_belt_slipping",
        "flame_lost",
    ];
    let on = |kind: &str| match kind {
        "flax_belt_slipping" => ("flax-sp", Season::Harvest),
        "flame_lost" => ("dryer-20", Season::Harvest),
        "hitch_sensor_noisy" => ("mtz-3522", Season::Spring),
        "injector_contact" | "fuel_sender_open" => ("mtz-3522", Season::Spring),
        _ => ("gs12", Season::Harvest),
    };
    for kind in tested {
        let (model, season) = on(kind);
        let run = run(kind, model, season, 5, None);
        assert!(run.step(FaultStep::CodeActive).is_some(), "{kind} on {model}: {:?}", run.steps);
    }
    assert_eq!(fault_kinds().count(), 26);
}
