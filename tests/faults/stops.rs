//! Stopping in order.

use std::time::Duration;

use wire::catalogue;

use crate::harness::{Broker, Database, LONG, Process, Publisher, Settings, blocking, eventually, sample};

const MACHINES: u64 = 8;

async fn publish(publisher: &Publisher, frames: std::ops::Range<u64>) {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for sequence in frames {
        for machine in 0..MACHINES {
            let sample = sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)]);
            publisher.send(&format!("STOP-{machine}"), 1, sequence, &[sample]).await;
        }
    }
}

/// Each message is published once and no machine repeats anything: what comes twice was delivered twice, because it
/// had committed and was not acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_leaves_nothing_unacknowledged_that_was_committed() {
    const FRAMES: u64 = 600;
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url())
        .with("ingest.lanes", 4)
        .with("mqtt.receive_maximum", 64)
        .with("ingest.flush_after_ms", 1);
    let mut ingest = Process::start(&settings);
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    let stored = "select count(*) from sample";
    for stop in 1..=3 {
        let (from, to) = (FRAMES / 3 * (stop - 1), FRAMES / 3 * stop);
        publish(&publisher, from..to).await;
        let enough = i64::try_from(MACHINES * (from + 20)).unwrap();
        eventually("some are stored", LONG, async || (database.number(stored).await >= enough).then_some(())).await;
        let (status, log) = ingest.terminate().await;
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("did not commit in time"), "{log}");
        // Every machine has been told of everything of its own that is there.
        for machine in 0..MACHINES {
            let of_machine =
                format!("select count(*) from sample join machine using (machine_id) where serial = 'STOP-{machine}'");
            let there = database.number(&of_machine).await.unsigned_abs();
            let told = || publisher.told(&format!("STOP-{machine}")).map_or(0, |stored| stored.contiguous_end);
            eventually("it was told", Duration::from_secs(5), async || (told() == there).then_some(())).await;
        }
        ingest = Process::start(&settings);
    }
    for machine in 0..MACHINES {
        publisher.told_up_to(&format!("STOP-{machine}"), FRAMES).await;
    }
    assert_eq!(database.number(stored).await.unsigned_abs(), MACHINES * FRAMES);
    assert_eq!(database.number("select sum(duplicate_count) from stored_sequence").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_the_database_is_away_leaves_the_rest_to_the_broker() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let mut ingest = Process::start(&settings);
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    blocking(|| database.server().stop());
    publish(&publisher, 0..5).await;
    publisher.delivered().await;
    ingest.says("batch not stored yet").await;
    let (status, log) = ingest.terminate().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("did not commit in time"), "{log}");
    blocking(|| database.server().start_again().unwrap());
    let _ingest = Process::start(&settings);
    for machine in 0..MACHINES {
        publisher.told_up_to(&format!("STOP-{machine}"), 5).await;
    }
    assert_eq!(database.number("select count(*) from sample").await.unsigned_abs(), MACHINES * 5);
}
