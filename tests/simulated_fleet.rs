//! Fleets as the field has them, against the real service: what the truth says was recorded is what the store holds,
//! machine by machine, whatever happened to networks, clocks, power and frames.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use harness::{Broker, Database, InProcess, Settings, unit_options};
use jiff::Timestamp;
use simulator::settings::load;
use simulator::truth::{MachineTotals, Totals, read_truth};
use simulator::{FleetConfig, Options, Stop};

/// Two days of September under the conditions of a preset, as a backfill.
fn fleet_under(preset: &str, prefix: &str) -> FleetConfig {
    let settings = load(
        None,
        vec![
            ("conditions.preset", preset.into()),
            // Everything that happens now and then has to happen in two days of ten machines.
            ("conditions.power.restarts_per_day", 6.0.into()),
            ("conditions.power.power_cut_share", 0.5.into()),
            ("fleet.machines", 10.into()),
            ("fleet.serial_prefix", prefix.into()),
            ("fleet.json_share", 0.2.into()),
            ("fleet.sample_period_ms", 30_000.into()),
            ("time.accelerate", 0.0.into()),
            ("time.from", "2026-09-02".into()),
            ("time.to", "2026-09-04".into()),
        ],
    );
    settings.unwrap().fleet(Timestamp::now()).unwrap()
}

async fn check(preset: &str, prefix: &str) -> MachineTotals {
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let ingest = InProcess::start(&settings);
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth");
    let options = Options { truth: Some(truth.clone()), connections: 4, ..unit_options(&broker.url()) };
    let report = simulator::run(fleet_under(preset, prefix), options, |_| {}, Stop::never()).await.unwrap();
    assert_eq!((report.pending, report.dropped_by_full_buffer), (0, 0), "{report:?}");
    ingest.stop().await;

    let mut totals = Totals::default();
    let add = |machine: &str, event| {
        totals.add(machine, &event);
        ControlFlow::Continue(())
    };
    read_truth(&truth, add).unwrap();
    let recorded: BTreeMap<_, _> =
        totals.machines.iter().map(|(machine, of)| (machine.clone(), i64::try_from(of.records).unwrap())).collect();
    let held = "select serial, (select coalesce(sum(upper(run) - lower(run)), 0)::bigint from unnest(stored) run)
                from stored_sequence join machine using (machine_id)";
    let mut stored = BTreeMap::<String, i64>::new();
    for row in database.client().await.query(held, &[]).await.unwrap() {
        *stored.entry(row.get(0)).or_default() += row.get::<_, i64>(1);
    }
    assert_eq!(stored, recorded);
    let samples = database.number("select count(*) from sample").await;
    assert_eq!(u64::try_from(samples).unwrap(), totals.sum().samples, "rows of samples");
    totals.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truth_and_store_agree_under_the_conditions_of_tomsk() {
    let sum = check("tomsk", "TT").await;
    assert!(sum.outages > 20 && sum.lost > 0 && sum.receiver_errors > 5, "{sum:?}");
    assert!(sum.sessions > 5 && sum.worked_ha > 20.0, "{sum:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truth_and_store_agree_under_the_dirt_rates_of_tsbs() {
    let sum = check("tsbs", "TD").await;
    let missed = sum.missed as f64 / (sum.missed + sum.samples) as f64;
    assert!((0.08..0.12).contains(&missed), "a tenth of the entries is missing: {missed}");
}
