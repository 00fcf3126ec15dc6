//! Fleets against a real Mosquitto and a stand-in for the service.

mod support;

use std::ops::ControlFlow;
use std::time::Duration;

use embedded::MosquittoOptions;
use jiff::Timestamp;
use simulator::conditions::{ClockRules, EntryRules, PowerRules, ReceiverRules};
use simulator::device::Flash;
use simulator::truth::{Totals, read_truth};
use simulator::{Conditions, FleetConfig, Heard, Impairments, Ledger, Options, Record, State, Stop, rehearse, run};
use support::{Habits, Responder, broker, options};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Everything goes wrong that may go wrong and lose nothing.
fn dirty() -> FleetConfig {
    FleetConfig {
        // In harvest, so that machines work on whatever day the tests run.
        starts_at: at("2026-08-20T02:00:00Z"),
        frame_samples: 5,
        json_share: 0.3,
        impairments: Impairments {
            lost_share: 0.05,
            duplicate_share: 0.05,
            reorder_share: 0.05,
            corrupt_share: 0.05,
            outages: None,
        },
        conditions: Conditions {
            power: PowerRules { restarts_per_day: 24.0, power_cut_share: 0.5 },
            entries: EntryRules { missing_share: 0.1, out_of_order_share: 0.3 },
            clock: ClockRules { unset_share: 0.5, ..ClockRules::default() },
            receiver: ReceiverRules { jumps_per_hour: 5.0, losses_per_hour: 1.0, ..ReceiverRules::default() },
            ..Conditions::default()
        },
        ..FleetConfig::default()
    }
}

fn truth_of(folder: &std::path::Path) -> Totals {
    let mut totals = Totals::default();
    let add = |machine: &str, event| {
        totals.add(machine, &event);
        ControlFlow::Continue(())
    };
    read_truth(folder, add).expect("truth reads back");
    totals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_recorded_is_stored_once_whatever_happens_and_truth_ledger_and_store_agree() {
    let broker = broker(MosquittoOptions::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ledger, truth) = (folder.path().join("ledger"), folder.path().join("truth"));
    let responder = Responder::start(&broker, Habits { lose_every: 7, is_silent: false }).await;
    let fleet = FleetConfig { machines: 12, accelerate: 1_200.0, serial_prefix: "T1".into(), ..dirty() };
    let options = Options {
        connections: 5,
        ledger: Some(ledger.clone()),
        truth: Some(truth.clone()),
        run_for: Some(Duration::from_secs(4)),
        ..options(&broker)
    };
    let report = run(fleet, options, |_| {}, Stop::never()).await.expect("the fleet runs");
    eprintln!("{report:#?}");
    let store = responder.stop();
    assert_eq!((report.pending, report.dropped_by_full_buffer), (0, 0));
    assert!(report.restarts > 0 && report.lost_with_power > 0 && report.records_resent > 0);
    assert_eq!(report.records_recorded - report.lost_with_power, report.records_stored);
    assert_eq!(store.records(), report.records_stored);
    assert!(report.truth_agrees());
    let ledger = Ledger::read(&ledger).expect("the ledger reads back");
    assert_eq!((ledger.recorded(), ledger.freed()), (report.records_stored, report.records_stored));
    for (key, boot) in &ledger.boots {
        let stored: Vec<(u64, Record)> = store.boots[key].records.clone().into_iter().collect();
        let mut recorded: Vec<_> = boot.records().collect();
        recorded.sort_by_key(|(sequence, _)| *sequence);
        assert!(recorded == stored, "{key:?}");
    }
    let truth = truth_of(&truth);
    assert_eq!(truth.sum().lost, report.lost_with_power);
    assert_eq!(truth.machines.len(), 12);
    for (machine, totals) in &truth.machines {
        assert_eq!(totals.records, store.records_of(machine), "{machine}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_stores_what_a_rehearsal_without_a_broker_makes() {
    let broker = broker(MosquittoOptions::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let truth = folder.path().join("truth");
    let responder = Responder::start(&broker, Habits::default()).await;
    let mut fleet = FleetConfig {
        machines: 4,
        accelerate: 0.0,
        starts_at: at("2026-05-10T00:00:00Z"),
        until: Some(at("2026-05-10T09:00:00Z")),
        serial_prefix: "T2".into(),
        ..dirty()
    };
    fleet.conditions.network.gaps_per_hour = simulator::conditions::ByCoverage::everywhere(1.0);
    let options = Options { connections: 2, truth: Some(truth.clone()), ..options(&broker) };
    let report = run(fleet.clone(), options, |_| {}, Stop::never()).await.expect("the fleet runs");
    let store = responder.stop();
    assert_eq!(report.pending, 0);
    let mut truth_lines = Totals::default();
    let rehearsed = rehearse(&fleet, |heard| {
        if let Heard::Truth(machine, events) = heard {
            events.iter().for_each(|event| truth_lines.add(machine.as_str(), event));
        }
        Ok(())
    })
    .expect("a rehearsal");
    let made = rehearsed.samples + rehearsed.faults + rehearsed.tasks;
    assert_eq!(store.records(), made - rehearsed.lost);
    assert_eq!(truth_of(&truth), truth_lines, "truth does not depend on the link");
    assert!(truth_lines.sum().outages > 4, "machines went on in times without network");
    let times = store.boots.values().flat_map(|boot| boot.records.values()).map(Record::recorded_at_ms);
    let (first, last) = (fleet.starts_at.as_millisecond(), fleet.until.map_or(0, |until| until.as_millisecond()));
    let season = times.filter(|at| (first..=last).contains(at)).count() as u64;
    assert!(season > store.records() / 2, "{season} of {} carry the time of their season", store.records());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_units_kept_on_the_disk_arrives_after_the_process_was_ended() {
    let broker = broker(MosquittoOptions::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = State { folder: folder.path().join("state"), flash: Flash { ring_bytes: 1024 * 1024, sync: false } };
    let fleet = FleetConfig {
        machines: 6,
        starts_at: at("2026-08-20T02:00:00Z"),
        accelerate: 600.0,
        serial_prefix: "T3".into(),
        ..FleetConfig::default()
    };
    let options =
        Options { connections: 3, state: Some(state), run_for: Some(Duration::from_secs(2)), ..options(&broker) };
    // Nobody confirms anything, so at its end everything is pending.
    let silent = Responder::start(&broker, Habits { is_silent: true, lose_every: 0 }).await;
    let impatient = Options { drain_timeout: Duration::from_millis(100), ..options.clone() };
    let first = run(fleet.clone(), impatient, |_| {}, Stop::never()).await.expect("the fleet runs");
    silent.stop();
    assert!(first.records_recorded > 100 && first.pending == first.records_recorded, "{first:?}");
    let responder = Responder::start(&broker, Habits::default()).await;
    let second = run(fleet, options, |_| {}, Stop::never()).await.expect("the fleet runs again");
    let store = responder.stop();
    assert_eq!((second.found_in_buffers, second.pending), (first.pending, 0));
    assert_eq!(store.records(), first.records_recorded + second.records_recorded);
    let boots: std::collections::BTreeSet<_> = store.boots.keys().collect();
    assert_eq!(boots.len(), 12, "every unit knows that it has restarted");
}
