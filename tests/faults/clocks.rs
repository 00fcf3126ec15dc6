//! Clocks that are wrong, from the machine to the chunk.

use jiff::{Timestamp, ToSpan};
use simulator::{Options, Unit, UnitConfig};
use wire::{BootId, Encoding, MachineSerial, SequenceSet, catalogue};

use crate::harness::{Broker, Database, InProcess, Outcome, Settings, check, sample, unit_options};

const DAY_MS: i64 = 86_400_000;
const ROLLOVER_MS: i64 = 1_024 * 7 * DAY_MS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_of_1970_of_a_rollover_and_of_the_far_future_open_no_chunks_of_their_own() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let now_ms = Timestamp::now().as_millisecond();
    let begin_ms = now_ms - 3_600_000;
    // One clock a unit, and one that is wrong in a new way with each record.
    let clocks: [(&str, &dyn Fn(i64) -> i64); 6] = [
        ("CLOCK-RIGHT", &|n| begin_ms + n * 1_000),
        ("CLOCK-1970", &|n| n * 1_000),
        ("CLOCK-1980", &|n| 315_964_800_000 + n * 1_000),
        ("CLOCK-ROLLOVER", &|n| begin_ms - ROLLOVER_MS + n * 1_000),
        ("CLOCK-2081", &|n| 3_500_000_000_000 + n * 1_000),
        ("CLOCK-WILD", &|n| now_ms + (1 + n * n) * 40 * DAY_MS),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (serial, clock) in clocks {
        let ledger = folder.path().join(serial);
        let options = Options { ledger: Some(ledger), ..unit_options(&broker.url()) };
        let serial = MachineSerial::parse(serial).unwrap();
        for (boot, encoding) in [(1, Encoding::Binary), (2, Encoding::Json)] {
            let config = UnitConfig { frame_records: 25, encoding, ..UnitConfig::default() };
            let mut unit = Unit::start(&options, serial.clone(), BootId::new(boot).unwrap(), config).unwrap();
            for n in 0..100 {
                assert!(unit.record(sample(clock(n), &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])).await);
            }
            assert_eq!(unit.finish().await.unwrap().pending, 0);
        }
    }
    // All of them in one ledger: every record is there once, with what its clock said.
    let mut outcome: Option<Outcome> = None;
    for (serial, _) in clocks {
        let read = Outcome::of_unit(simulator::Report::default(), &folder.path().join(serial));
        match &mut outcome {
            None => outcome = Some(read),
            Some(outcome) => outcome.ledger.boots.extend(read.ledger.boots),
        }
    }
    check(&outcome.unwrap(), &database).await.assert_complete();

    let qualities = "select string_agg(line, E'\\n' order by line) from (
         select concat_ws(' ', serial, 'quality', time_quality, count(*)) as line
         from sample join machine using (machine_id) group by serial, time_quality) as lines";
    let found: String = database.client().await.query_one(qualities, &[]).await.unwrap().get(0);
    expect_test::expect![[r#"
        CLOCK-1970 quality 2 200
        CLOCK-1980 quality 2 200
        CLOCK-2081 quality 2 200
        CLOCK-RIGHT quality 0 200
        CLOCK-ROLLOVER quality 1 200
        CLOCK-WILD quality 2 200"#]]
    .assert_eq(&found);
    let misplaced = "select count(*) from sample where abs(extract(epoch from recorded_at - now())) > 86400";
    assert_eq!(database.number(misplaced).await, 0, "every time was placed close to its arrival");
    let chunks = "select count(*) from timescaledb_information.chunks where hypertable_name = 'sample'";
    assert!(database.number(chunks).await <= 3, "a wrong clock opens no chunk of its own");
    assert_eq!(ingest.totals().stored, 1_200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_weeks_is_stored_at_its_own_time_and_counted_as_late() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let _ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let options = Options { ledger: Some(ledger.clone()), ..unit_options(&broker.url()) };
    let serial = MachineSerial::parse("BACKLOG").unwrap();
    let mut unit = Unit::start(&options, serial, BootId::new(1).unwrap(), UnitConfig::default()).unwrap();
    let begin = Timestamp::now() - (21 * 24).hours();
    for hour in 0..500 {
        let at = begin + hour.hours();
        assert!(unit.record(sample(at.as_millisecond(), &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])).await);
    }
    let outcome = Outcome::of_unit(unit.finish().await.unwrap(), &ledger);
    check(&outcome, &database).await.assert_complete();
    assert_eq!(database.number("select count(*) from sample where time_quality <> 0").await, 0);
    assert_eq!(database.number("select sum(late_count) from stored_day").await, 500);
    assert_eq!(SequenceSet::from_range(0..500).count(), outcome.ledger.freed());
}
