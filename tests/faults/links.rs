//! The link to the database, broken at chosen moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use polevod::ingest::Totals;
use wire::catalogue;

use crate::harness::{
    Act, Broker, Database, Fleet, Framing, InProcess, LONG, Proxy, Publisher, Seen, Settings, check, eventually,
    fleet_of, postgres, sample,
};

/// A fault that strikes once each time it is armed.
#[derive(Clone, Default)]
struct Trap {
    armed: Arc<AtomicBool>,
    sprung: Arc<AtomicU32>,
}

impl Trap {
    fn arm(&self) {
        self.armed.store(true, SeqCst);
    }

    fn springs(&self) -> bool {
        let springs = self.armed.swap(false, SeqCst);
        self.sprung.fetch_add(u32::from(springs), SeqCst);
        springs
    }

    async fn sprung(&self, times: u32) {
        eventually("the link breaks", LONG, async || (self.sprung.load(SeqCst) >= times).then_some(())).await;
    }
}

/// Runs a fleet while the link breaks, five times, at the packets that `at` names; gives the counters of ingest.
async fn broken_at(seed: u64, at: fn(&Seen<'_>) -> bool, act: Act, prepare: &str) -> Totals {
    let (database, broker) = (Database::shared().await, Broker::start());
    database.run(prepare).await;
    let trap = Trap::default();
    let proxy = Proxy::start(database.port(), Framing::Postgres, {
        let trap = trap.clone();
        move |seen| if at(seen) && trap.springs() { act } else { Act::Pass }
    })
    .await;
    let ingest = InProcess::start(&Settings::new(&database.url_through(proxy.port), &broker.url()));
    let fleet = Fleet::start(fleet_of(seed, 5), &broker.url());
    for time in 1..=5 {
        fleet.told_of(u64::from(time) * 1_200).await;
        trap.arm();
        trap.sprung(time).await;
    }
    let outcome = fleet.finish().await;
    let verdict = check(&outcome, &database).await;
    verdict.assert_complete();
    let totals = ingest.shows("nothing is in flight", |totals| totals.in_flight() == 0).await;
    // A commit whose fate was misjudged would count its records as repeats of themselves.
    assert_eq!((totals.stored, totals.duplicate), (verdict.recorded, verdict.duplicates.unsigned_abs()));
    totals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_to_a_commit_is_lost() {
    broken_at(30, postgres::is_committed, Act::Cut, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_does_not_arrive() {
    broken_at(31, postgres::is_commit, Act::Cut, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_breaks_while_the_server_commits() {
    let slow_commit = "
        create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return null; end';
        create constraint trigger slow after update on stored_sequence deferrable initially deferred
            for each row when (new.machine_id % 4 = 0) execute function slow()";
    broken_at(32, postgres::is_commit, Act::PassAndCut, slow_commit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_breaks_between_rows() {
    broken_at(33, postgres::is_copy_data, Act::Cut, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_only_one_side_knows_to_be_dead_does_not_hold_the_ledger() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let trap = Trap::default();
    // The server waits for rows that never come, with the ledger locked, and is never told.
    let proxy = Proxy::start(database.port(), Framing::Postgres, {
        let trap = trap.clone();
        move |seen| if postgres::is_copy_data(seen) && trap.springs() { Act::FallSilent } else { Act::Pass }
    })
    .await;
    let settings = Settings::new(&database.url_through(proxy.port), &broker.url());
    let _ingest = InProcess::start(&settings.with("database.transaction_timeout_s", 2));
    let fleet = Fleet::start(fleet_of(34, 4), &broker.url());
    fleet.told_of(1_000).await;
    trap.arm();
    let outcome = fleet.finish().await;
    trap.sprung(1).await;
    check(&outcome, &database).await.assert_complete();
    let abandoned = "select count(*) from pg_stat_activity
                     where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()";
    eventually("nothing is left on the server", LONG, async || (database.number(abandoned).await == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_known_to_and_nothing_is_acknowledged() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let proxy = Proxy::plain(database.port(), Framing::Postgres).await;
    let ingest = InProcess::start(&Settings::new(&database.url_through(proxy.port), &broker.url()));
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    ingest.shows("the database answers", |totals| totals.database_up).await;
    proxy.stall(true);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for sequence in 0..50 {
        let sample = sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)]);
        publisher.send("HUNG", 1, sequence, &[sample]).await;
    }
    publisher.delivered().await;
    ingest.shows("the database is known to hang", |totals| !totals.database_up).await;
    assert_eq!(publisher.told("HUNG"), None);
    assert_eq!(ingest.totals().stored, 0);
    proxy.stall(false);
    publisher.told_up_to("HUNG", 50).await;
    let totals = ingest.shows("the database is known to be back", |totals| totals.database_up).await;
    assert_eq!((totals.stored, database.number("select count(*) from sample").await), (50, 50));
}
