//! What the database itself refuses, and how much of what is refused is kept.

use polevod::store::maintain;
use simulator::{Options, Unit, UnitConfig};
use wire::{BootId, MachineSerial, catalogue};

use crate::harness::{
    Broker, Database, InProcess, LONG, Outcome, Publisher, Settings, check, eventually, sample, unit_options,
};

/// A rule of the operator's that one sample of the tests breaks.
const RULE: &str = "alter table sample add constraint no_1234 check (engine_speed_rpm is distinct from 1234)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_sample_that_the_database_refuses_is_found_among_all_others() {
    let (database, broker) = (Database::shared().await, Broker::start());
    database.run(RULE).await;
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()).with("ingest.flush_after_ms", 200));
    let folder = tempfile::tempdir().unwrap();
    let mut ledgers = Vec::new();
    let mut units = Vec::new();
    for machine in 0..4 {
        let ledger = folder.path().join(format!("{machine}"));
        let options = Options { ledger: Some(ledger.clone()), ..unit_options(&broker.url()) };
        let serial = MachineSerial::parse(&format!("REFUSED-{machine}")).unwrap();
        let unit = Unit::start(&options, serial, BootId::new(1).unwrap(), UnitConfig::default()).unwrap();
        units.push(unit);
        ledgers.push(ledger);
    }
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for n in 0..1_000 {
        for (machine, unit) in units.iter_mut().enumerate() {
            let rpm = if machine == 2 && n == 777 { 1_234.0 } else { 1_850.0 };
            assert!(unit.record(sample(now_ms - 1_000 * n, &[(catalogue::ENGINE_SPEED_RPM, rpm)])).await);
        }
    }
    let mut outcome: Option<Outcome> = None;
    for (unit, ledger) in units.into_iter().zip(&ledgers) {
        let report = unit.finish().await.unwrap();
        assert_eq!(report.pending, 0, "the machine need not send the refused one again");
        let read = Outcome::of_unit(report, ledger);
        match &mut outcome {
            None => outcome = Some(read),
            Some(outcome) => outcome.ledger.boots.extend(read.ledger.boots),
        }
    }
    let verdict = check(&outcome.unwrap(), &database).await;
    verdict.assert_clean();
    assert_eq!((verdict.recorded, verdict.freed, verdict.stored, verdict.refused), (4_000, 4_000, 3_999, 1));
    let client = database.client().await;
    let row = client
        .query_one(
            "select serial, first_sequence, record_count, reason, detail
             from quarantine join machine using (machine_id)",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), ("REFUSED-2", 777, 1));
    let (reason, detail): (&str, &str) = (row.get(3), row.get(4));
    assert!(reason == "database" && detail.contains("no_1234") && detail.contains("[23514]"), "{reason}: {detail}");
    let totals = ingest.shows("nothing is in flight", |totals| totals.in_flight() == 0).await;
    assert_eq!((totals.stored, totals.refused), (3_999, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantine_that_refuses_its_entries_does_not_stop_the_rest() {
    let (database, broker) = (Database::shared().await, Broker::start());
    database
        .run(
            "create function refuse() returns trigger language plpgsql as
                 'begin raise exception ''this quarantine is closed''; end';
             create trigger refuse before insert on quarantine for each row execute function refuse()",
        )
        .await;
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()).with("ingest.flush_after_ms", 200));
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for sequence in 0..20 {
        publisher.publish("polevod/v1/CLOSED/telemetry", vec![0xff; 16]).await;
        publisher.send("OPEN", 1, sequence, &[sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])]).await;
    }
    publisher.told_up_to("OPEN", 20).await;
    let totals = ingest.shows("every bad message is given up", |totals| totals.rejected_messages == 20).await;
    assert_eq!(totals.stored, 20);
    assert_eq!(database.number("select count(*) from quarantine").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_only_count_long_ones_are_cut_and_the_oldest_go_first() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url())
        .with("quarantine.payload_bytes_max", 100)
        .with("quarantine.rows_max", 100);
    let _ingest = InProcess::start(&settings);
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    for _ in 0..3 {
        publisher.publish("polevod/v1/SAME/telemetry", vec![0xff; 1_000]).await;
    }
    let seen = "select coalesce(sum(seen_count), 0) from quarantine";
    eventually("the same bytes are counted", LONG, async || (database.number(seen).await == 3).then_some(())).await;
    assert_eq!(database.number("select count(*) from quarantine where length(payload) = 100").await, 1);
    for number in 0..150_u8 {
        publisher.publish("polevod/v1/MANY/telemetry", vec![0xff, number]).await;
    }
    let rows = "select count(*) from quarantine";
    eventually("all are kept at first", LONG, async || (database.number(rows).await == 151).then_some(())).await;
    let config = settings.config();
    maintain(&database.client().await, &config.retention, &config.quarantine).await.unwrap();
    assert_eq!(database.number(rows).await, 100);
    assert_eq!(database.number("select count(*) from quarantine where topic like '%SAME%'").await, 0);
    assert_eq!(
        database.number("select count(*) from quarantine where payload = '\\xff95'").await,
        1,
        "the newest stays"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_machine_that_is_not_registered_wait_until_it_is() {
    let (database, broker) = (Database::shared().await, Broker::start());
    database.run("insert into machine (serial) values ('LISTENER-0'), ('KNOWN')").await;
    let settings = Settings::new(&database.url, &broker.url()).with("ingest.register_unknown_machines", false);
    let ingest = InProcess::start(&settings);
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let options = Options { ledger: Some(ledger.clone()), ..unit_options(&broker.url()) };
    let serial = MachineSerial::parse("NEWCOMER").unwrap();
    let mut unit = Unit::start(&options, serial, BootId::new(1).unwrap(), UnitConfig::default()).unwrap();
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for n in 0..10 {
        assert!(unit.record(sample(now_ms - 1_000 * n, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])).await);
    }
    unit.seal().await;
    ingest.shows("the frame came several times", |totals| totals.unaccounted >= 30).await;
    let kept = "select count(*) from quarantine where reason = 'unregistered'";
    assert_eq!(database.number(kept).await, 1, "the same records are one entry, whenever they come");
    assert_eq!(unit.report().records_stored, 0);
    database.run("insert into machine (serial) values ('NEWCOMER')").await;
    let outcome = Outcome::of_unit(unit.finish().await.unwrap(), &ledger);
    check(&outcome, &database).await.assert_complete();
}
