//! The session with the broker, packet by packet: the traps that a client library lays, each by its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wire::catalogue;

use crate::harness::mqtt::Journal;
use crate::harness::{
    Act, Broker, Database, Direction, Framing, InProcess, LONG, Proxy, Publisher, Settings, eventually, mqtt, sample,
};

/// Machines that publish.
const MACHINES: u64 = 10;

/// Ingest behind a proxy that keeps a journal of what is delivered and acknowledged.
struct Watched {
    database: Database,
    broker: Broker,
    proxy: Proxy,
    journal: Journal,
    ingest: InProcess,
}

impl Watched {
    async fn start(keys: &[(&str, u32)]) -> Self {
        Self::with_rule(keys, |_, _| Act::Pass).await
    }

    /// `rule` is asked about every acknowledgement, with the number of its connection.
    async fn with_rule(keys: &[(&str, u32)], rule: impl Fn(usize, u16) -> Act + Send + Sync + 'static) -> Self {
        let (database, broker) = (Database::shared().await, Broker::start());
        let journal = Journal::default();
        let proxy = Proxy::start(broker.port(), Framing::Mqtt, {
            let journal = journal.clone();
            move |seen| {
                journal.note(seen);
                match (seen.direction, mqtt::acknowledged(seen.packet)) {
                    (Direction::Up, Some(number)) => rule(seen.connection, number),
                    _ => Act::Pass,
                }
            }
        })
        .await;
        let settings = Settings::new(&database.url, &format!("mqtt://127.0.0.1:{}", proxy.port));
        let settings = keys.iter().fold(settings, |settings, (key, value)| settings.with(key, value));
        let ingest = InProcess::start(&settings);
        Self { database, broker, proxy, journal, ingest }
    }

    /// A publisher that ingest listens to and owes nothing.
    async fn publisher(&self) -> Publisher {
        let publisher = Publisher::connect(self.broker.port()).await;
        publisher.ingest_listens(&self.database).await;
        publisher.delivered().await;
        self.acknowledged_in_order(self.proxy.connections() - 1).await;
        publisher
    }

    /// Waits until the session has been delivered at least `messages`.
    async fn delivered(&self, connection: usize, messages: usize) {
        eventually(&format!("{messages} messages are delivered"), LONG, async || {
            (self.journal.session(connection).delivered.len() >= messages).then_some(())
        })
        .await;
    }

    /// Waits until everything that was delivered in a session is acknowledged, and demands that it was in order.
    async fn acknowledged_in_order(&self, connection: usize) {
        let session = eventually("all that was delivered is acknowledged", LONG, async || {
            let session = self.journal.session(connection);
            (session.acknowledged.len() >= session.delivered.len()).then_some(session)
        })
        .await;
        assert_eq!(session.acknowledged, session.delivered);
    }
}

/// Publishes `frames` frames of one sample for each machine.
async fn publish(publisher: &Publisher, name: &str, frames: u64) {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for sequence in 0..frames {
        for machine in 0..MACHINES {
            let sample = sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_000.0 + sequence as f64)]);
            publisher.send(&format!("{name}-{machine}"), 1, sequence, &[sample]).await;
        }
    }
    publisher.delivered().await;
}

async fn told(publisher: &Publisher, name: &str, frames: u64) {
    for machine in 0..MACHINES {
        publisher.told_up_to(&format!("{name}-{machine}"), frames).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polling_and_acknowledging_do_not_wait_for_each_other() {
    // A window much smaller than the burst: every queue of the client is full all the time.
    let watched = Watched::start(&[("mqtt.receive_maximum", 8), ("ingest.flush_after_ms", 0)]).await;
    let publisher = watched.publisher().await;
    publish(&publisher, "BURST", 150).await;
    told(&publisher, "BURST", 150).await;
    watched.acknowledged_in_order(0).await;
    let totals = watched.ingest.totals();
    assert_eq!((totals.stored, totals.duplicate, totals.sessions, totals.in_flight()), (1_500, 0, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubacks_leave_in_the_order_of_delivery_whatever_order_batches_commit_in() {
    let watched = Watched::start(&[("ingest.lanes", 4), ("ingest.flush_after_ms", 0)]).await;
    let publisher = watched.publisher().await;
    publish(&publisher, "ORDER", 1).await;
    told(&publisher, "ORDER", 1).await;
    watched.acknowledged_in_order(0).await;
    // One machine's batch waits, those of the other lanes commit.
    let held = watched
        .database
        .hold("select from stored_sequence join machine using (machine_id) where serial = 'ORDER-0' for update of stored_sequence")
        .await;
    let before = watched.journal.session(0).acknowledged.len();
    publish(&publisher, "ORDER", 20).await;
    watched.ingest.shows("other lanes commit", |totals| totals.stored >= 10 + 19).await;
    let delivered = watched.journal.session(0).delivered;
    let acknowledged = watched.journal.session(0).acknowledged;
    assert_eq!(acknowledged, delivered[..before], "nothing overtakes the message that waits");
    held.release().await;
    told(&publisher, "ORDER", 20).await;
    watched.acknowledged_in_order(0).await;
    assert_eq!(watched.ingest.totals().stored, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_dead_connection_do_not_count_on_the_next() {
    let watched = Watched::start(&[]).await;
    let publisher = watched.publisher().await;
    let held = watched.database.hold_ledger().await;
    let before = watched.journal.session(0);
    publish(&publisher, "DEAD", 5).await;
    watched.delivered(0, before.delivered.len() + 50).await;
    watched.database.batches_wait(1).await;
    watched.proxy.cut();
    watched.delivered(1, 50).await;
    held.release().await;
    told(&publisher, "DEAD", 5).await;
    watched.acknowledged_in_order(1).await;
    let totals = watched.ingest.shows("nothing is in flight", |totals| totals.in_flight() == 0).await;
    assert_eq!((totals.stored, totals.sessions), (50, 2));
    // What was in hand when the connection died has committed; it was acknowledged only where it was delivered again.
    assert_eq!(watched.journal.session(0).acknowledged.len(), before.delivered.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_puback_never_acknowledges_a_message_of_the_next_connection() {
    let mut watched = Watched::start(&[]).await;
    let publisher = watched.publisher().await;
    let held = watched.database.hold_ledger().await;
    let before = watched.journal.session(0).delivered.len();
    publish(&publisher, "STALE", 5).await;
    watched.delivered(0, before + 50).await;
    watched.database.batches_wait(1).await;
    // The broker forgets the session: its packet numbers begin again and name other messages.
    drop(publisher);
    watched.broker.crash(true);
    watched.ingest.shows("ingest is back", |totals| totals.sessions == 2 && totals.broker_up).await;
    let publisher = Publisher::connect(watched.broker.port()).await;
    let connection = watched.proxy.connections() - 1;
    eventually("messages are delivered on the new session", LONG, async || {
        publish(&publisher, "FRESH", 1).await;
        (watched.journal.session(connection).delivered.len() >= 10).then_some(())
    })
    .await;
    let fresh = watched.journal.session(connection);
    assert_eq!(fresh.acknowledged, [0_u16; 0], "nothing is stored, so nothing is acknowledged");
    let reused = fresh.delivered.iter().filter(|number| watched.journal.session(0).delivered.contains(number));
    assert!(reused.count() > 0, "the test needs numbers that are used twice: {fresh:?}");
    held.release().await;
    told(&publisher, "FRESH", 1).await;
    watched.acknowledged_in_order(connection).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_in_which_nothing_moves_is_opened_afresh_by_the_watchdog() {
    // On the first connection acknowledgements get lost, so the broker's window stays full for ever.
    let swallowed = Arc::new(AtomicUsize::new(0));
    let keys = [("mqtt.receive_maximum", 10), ("mqtt.watchdog_after_s", 5)];
    let watched = Watched::with_rule(&keys, {
        let swallowed = swallowed.clone();
        move |connection, _| {
            if connection > 0 {
                return Act::Pass;
            }
            swallowed.fetch_add(1, Relaxed);
            Act::Swallow
        }
    })
    .await;
    let publisher = Publisher::connect(watched.broker.port()).await;
    watched.ingest.shows("ingest is connected", |totals| totals.broker_up).await;
    eventually("the window is full", LONG, async || {
        publish(&publisher, "STUCK", 1).await;
        (watched.journal.session(0).delivered.len() >= 10).then_some(())
    })
    .await;
    publish(&publisher, "STUCK", 5).await;
    watched.ingest.shows("all are stored", |totals| totals.stored == 50).await;
    assert!(swallowed.load(Relaxed) >= 10, "the first session was stuck");
    assert!(watched.ingest.totals().sessions >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_broker_has_lost_is_made_anew() {
    let mut watched = Watched::start(&[]).await;
    drop(watched.publisher().await);
    watched.broker.crash(true);
    watched.ingest.shows("ingest is back", |totals| totals.sessions == 2).await;
    let publisher = watched.publisher().await;
    publish(&publisher, "ANEW", 2).await;
    told(&publisher, "ANEW", 2).await;
    assert_eq!(watched.ingest.totals().stored, 20);
}
