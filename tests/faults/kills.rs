//! Processes killed under load.

use embedded::PostgresOptions;
use simulator::{FleetConfig, Impairments};

use crate::harness::{Broker, Database, Fleet, LONG, Process, Settings, blocking, check, eventually, fleet_of};

/// Confirmed records at which the fault strikes, of the 15,000 or so that a fleet of six seconds records.
const STRIKES: [u64; 3] = [1_500, 4_500, 7_500];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_is_killed() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let mut ingest = Process::start(&settings);
    let fleet = Fleet::start(fleet_of(1, 6), &broker.url());
    for confirmed in STRIKES {
        fleet.told_of(confirmed).await;
        ingest.kill();
        ingest = Process::start(&settings);
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_workers_is_killed_and_the_other_goes_on() {
    let (database, broker) = (Database::shared().await, Broker::start());
    // Until the dead worker's session ends, the broker gives it every second message.
    let settings =
        Settings::new(&database.url, &broker.url()).with("mqtt.share_group", "ingest").with("mqtt.session_expiry_s", 1);
    let first = Process::start(&settings.clone().with("mqtt.client_id", "worker-1"));
    let mut second = Process::start(&settings.with("mqtt.client_id", "worker-2"));
    second.says("connected to the broker").await;
    let fleet = Fleet::start(fleet_of(2, 6), &broker.url());
    fleet.told_of(4_000).await;
    first.kill();
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_are_both_sent_everything_store_it_once() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let mut workers = [1, 2].map(|n| Process::start(&settings.clone().with("mqtt.client_id", format!("worker-{n}"))));
    for worker in &mut workers {
        worker.says("connected to the broker").await;
    }
    let fleet = Fleet::start(fleet_of(9, 4), &broker.url());
    let outcome = fleet.finish().await;
    let verdict = check(&outcome, &database).await;
    verdict.assert_complete();
    assert!(verdict.duplicates > 0, "both were sent something: {verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_is_killed() {
    let (database, mut broker) = (Database::shared().await, Broker::start());
    let _ingest = Process::start(&Settings::new(&database.url, &broker.url()));
    let fleet = Fleet::start(fleet_of(3, 6), &broker.url());
    for confirmed in STRIKES {
        fleet.told_of(confirmed).await;
        broker.crash(false);
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_loses_its_disk() {
    let (database, mut broker) = (Database::shared().await, Broker::start());
    let _ingest = Process::start(&Settings::new(&database.url, &broker.url()));
    let fleet = Fleet::start(fleet_of(4, 6), &broker.url());
    for confirmed in STRIKES {
        fleet.told_of(confirmed).await;
        broker.crash(true);
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_the_database_are_terminated() {
    const TERMINATE: &str = "select pg_terminate_backend(pid) from pg_stat_activity
                             where datname = current_database() and pid <> pg_backend_pid()";
    let (database, broker) = (Database::shared().await, Broker::start());
    let _ingest = Process::start(&Settings::new(&database.url, &broker.url()));
    let fleet = Fleet::start(fleet_of(5, 6), &broker.url());
    for confirmed in [1_000, 2_500, 4_000, 5_500, 7_000, 8_500] {
        fleet.told_of(confirmed).await;
        database.run(TERMINATE).await;
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_of_the_database_is_killed() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let _ingest = Process::start(&Settings::new(&database.url, &broker.url()));
    let fleet = Fleet::start(fleet_of(6, 6), &broker.url());
    for confirmed in STRIKES {
        fleet.told_of(confirmed).await;
        // So much may have been confirmed before the last kill already, and the server may still recover from it.
        let connected = async || blocking(|| database.server().backend_pids().unwrap().pop());
        let backend = eventually("ingest is connected", LONG, connected).await;
        blocking(|| database.server().kill_backend(backend).unwrap());
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_is_killed_and_an_unsafe_default_of_the_server_does_not_count() {
    // With this default the server would lose commits of the last moments; each session of ours overrides it.
    let options = PostgresOptions::default().setting("fsync", "off").setting("synchronous_commit", "off");
    let (mut database, broker) = (Database::with_options(&options).await, Broker::start());
    let _ingest = Process::start(&Settings::new(&database.url, &broker.url()));
    let fleet = Fleet::start(fleet_of(7, 6), &broker.url());
    for confirmed in STRIKES {
        fleet.told_of(confirmed).await;
        blocking(|| {
            database.server().kill_postmaster().unwrap();
            database.server().start_again().unwrap();
        });
    }
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_fails_in_turn_while_the_links_are_bad() {
    let (mut database, mut broker) = (Database::own().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url()).with("mqtt.share_group", "ingest");
    let start = |worker: u32| Process::start(&settings.clone().with("mqtt.client_id", format!("worker-{worker}")));
    let mut workers = [start(0), start(1)];
    let impairments = Impairments {
        lost_share: 0.05,
        duplicate_share: 0.1,
        reorder_share: 0.1,
        corrupt_share: 0.05,
        ..Impairments::default()
    };
    let fleet = Fleet::start(FleetConfig { impairments, ..fleet_of(8, 8) }, &broker.url());
    fleet.told_of(1_500).await;
    broker.crash(true);
    fleet.told_of(3_500).await;
    blocking(|| {
        database.server().kill_postmaster().unwrap();
        database.server().start_again().unwrap();
    });
    fleet.told_of(5_500).await;
    for (number, worker) in (0..).zip(&mut workers) {
        std::mem::replace(worker, start(number)).kill();
    }
    fleet.told_of(8_000).await;
    broker.crash(false);
    let outcome = fleet.finish().await;
    check(&outcome, &database).await.assert_complete();
}
