//! The proof that these tests would notice: the same run against ingest that is broken on purpose, and the same store
//! tampered with by hand, must fail in the checker, for the right reason.

use polevod::ingest::Sabotage;
use simulator::{FleetConfig, Impairments, Options, Unit, UnitConfig};
use wire::{
    BootId, Fault, FaultReport, Lamps, MachineSerial, Record, ReportKind, SignalId, TaskEvent, TaskRecord, catalogue,
};

use crate::harness::{
    Broker, Database, Fleet, InProcess, LONG, Outcome, Settings, Verdict, check, eventually, fleet_of, sample,
    unit_options,
};

/// The core of the suite: repeats, batches held up, and a crash while they are.
async fn core(sabotage: Sabotage) -> Verdict {
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let ingest = InProcess::sabotaged(&settings, sabotage);
    let impairments = Impairments { duplicate_share: 0.2, reorder_share: 0.1, ..Impairments::default() };
    let fleet = Fleet::start(FleetConfig { impairments, ..fleet_of(20, 5) }, &broker.url());
    fleet.told_of(2_000).await;
    let held = database.hold_ledger().await;
    database.batches_wait(2).await;
    if sabotage == Sabotage::AckBeforeCommit {
        eventually("the fleet is told of more than is stored", LONG, async || {
            let stored = database.number("select count(*) from sample").await;
            (fleet.report().records_stored > stored.cast_unsigned()).then_some(())
        })
        .await;
    }
    ingest.crash();
    held.release().await;
    let _ingest = InProcess::sabotaged(&settings, sabotage);
    let outcome = fleet.finish().await;
    check(&outcome, &database).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_as_it_is_passes() {
    let verdict = core(Sabotage::None).await;
    verdict.assert_complete();
    assert!(verdict.duplicates > 0, "the run had repeats to recognise: {verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_that_acknowledges_before_it_commits_is_caught_losing() {
    let verdict = core(Sabotage::AckBeforeCommit).await;
    assert_eq!(verdict.found(), ["lost"], "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_that_does_not_ask_the_ledger_is_caught_storing_twice() {
    let verdict = core(Sabotage::WithoutLedger).await;
    assert_eq!(verdict.found(), ["twice"], "{verdict}");
}

/// Samples with signals of all kinds, a diagnostic report, a task.
fn records(now_ms: i64) -> Vec<Record> {
    let values = [
        (catalogue::ENGINE_SPEED_RPM, 1_850.0),
        (catalogue::LATITUDE_DEG, 56.259),
        (catalogue::LONGITUDE_DEG, 83.971),
        (SignalId::raw_ddi(0xEA60), 1_102.0),
    ];
    let mut records: Vec<Record> =
        (0..50).map(|second| sample(now_ms - 60_000 + second * 1_000, &values).into()).collect();
    let fault = Fault { spn: 110, fmi: 0, occurrence_count: 3, legacy_conversion: false };
    records.push(Record::Faults(FaultReport {
        recorded_at_ms: now_ms,
        report: ReportKind::Active,
        source_address: 0,
        lamps: Lamps { state: 4, flash: 0 },
        faults: vec![fault],
    }));
    records.push(Record::Task(TaskRecord {
        recorded_at_ms: now_ms,
        event: TaskEvent::Completed,
        task: "TSK1".into(),
        field: "North".into(),
        operator: String::new(),
        implement: String::new(),
        operation: "grain_harvest".into(),
        crop: "wheat".into(),
        totals: vec![(catalogue::FUEL_TOTAL_L.number(), 12_345)],
    }));
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_tampered_with_is_caught() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let _ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let options = Options { ledger: Some(ledger.clone()), ..unit_options(&broker.url()) };
    let serial = MachineSerial::parse("TAMPERED").unwrap();
    let mut unit = Unit::start(&options, serial, BootId::new(1).unwrap(), UnitConfig::default()).unwrap();
    for record in records(jiff::Timestamp::now().as_millisecond()) {
        assert!(unit.record(record).await);
    }
    let outcome = Outcome::of_unit(unit.finish().await.unwrap(), &ledger);
    let verdict = check(&outcome, &database).await;
    verdict.assert_complete();
    assert_eq!(verdict.recorded, 52);

    // Each deed stays done, so what is found adds up.
    let deeds: [(&str, &[&str]); 10] = [
        ("update sample set engine_speed_rpm = engine_speed_rpm + 1 where sequence = 3", &["differs"]),
        ("update sample set engine_speed_rpm = 1850 where sequence = 3", &[]),
        ("update sample set recorded_at = recorded_at + interval '1 ms' where sequence = 4", &["differs"]),
        ("update sample set recorded_at = recorded_at - interval '1 ms' where sequence = 4", &[]),
        ("delete from fault_report", &["ledger wrong", "lost"]),
        ("insert into sample select * from sample where sequence = 7", &["differs", "ledger wrong", "lost", "twice"]),
        ("update task_report set crop = 'rye'", &["differs", "ledger wrong", "lost", "twice"]),
        (
            "insert into sample (machine_id, boot_id, sequence, recorded_at, time_quality, received_at)
             select machine_id, boot_id, 99, recorded_at, 0, received_at from sample limit 1",
            &["differs", "invented", "ledger wrong", "lost", "twice"],
        ),
        ("delete from signal_sample", &["differs", "invented", "ledger wrong", "lost", "twice"]),
        (
            "insert into quarantine (digest, first_seen_at, last_seen_at, topic, record_count, value_count, reason,
                 detail, payload)
             values ('', now(), now(), '', 1, 0, '', '', '')",
            &["differs", "invented", "ledger wrong", "lost", "quarantine wrong", "twice"],
        ),
    ];
    for (deed, expected) in deeds {
        database.run(deed).await;
        let verdict = check(&outcome, &database).await;
        assert_eq!(verdict.found(), expected, "{deed}: {verdict}");
    }
}
