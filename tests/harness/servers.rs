//! Databases and brokers of the private stack.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use embedded::{Mosquitto, MosquittoOptions, Packages, Postgres, PostgresOptions};
use polevod::store;
use tokio_postgres::Client;

use super::settings::Settings;
use super::wait::{LONG, eventually};

/// Runs something synchronous on a thread of the test's runtime.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn packages() -> &'static Packages {
    static PACKAGES: LazyLock<Packages> = LazyLock::new(|| Packages::ensure(&|_| {}).unwrap());
    &PACKAGES
}

/// A database with the schema in it.
pub(crate) struct Database {
    pub(crate) url: String,
    own: Option<Postgres>,
}

impl Database {
    /// One on the server that the tests of this process share and none of them kills.
    pub(crate) async fn shared() -> Self {
        static SERVER: LazyLock<Postgres> = LazyLock::new(|| start(&PostgresOptions::cheap()));
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let url = blocking(|| SERVER.create_database(&format!("test_{number}")).unwrap());
        Self::migrated(Self { url, own: None }).await
    }

    /// One on a server of its own, to be killed. What is committed survives that; a loss of power is not tried, so
    /// the disk is not waited for.
    pub(crate) async fn own() -> Self {
        Self::with_options(&PostgresOptions::default().setting("fsync", "off")).await
    }

    /// One on a server of its own.
    pub(crate) async fn with_options(options: &PostgresOptions) -> Self {
        let server = blocking(|| start(options));
        Self::migrated(Self { url: server.url(), own: Some(server) }).await
    }

    async fn migrated(self) -> Self {
        let mut client = self.client().await;
        store::migrate(&mut client).await.unwrap();
        self
    }

    /// The server, where it is this database's own.
    pub(crate) fn server(&mut self) -> &mut Postgres {
        self.own.as_mut().expect("a database on a server of its own")
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        let (_, place) = self.url.rsplit_once('@').unwrap();
        place.split_once(':').unwrap().1.split_once('/').unwrap().0.parse().unwrap()
    }

    /// The address with another port, for a way through a proxy.
    pub(crate) fn url_through(&self, port: u16) -> String {
        self.url.replace(&format!(":{}/", self.port()), &format!(":{port}/"))
    }

    /// A connection past every proxy; a server that is just recovering is waited for.
    pub(crate) async fn client(&self) -> Client {
        let config = Settings::new(&self.url, "mqtt://127.0.0.1:1").config();
        eventually("the database takes connections", LONG, async || store::connect(&config.database).await.ok()).await
    }

    /// Runs SQL in a transaction that stays open, to hold what it locks.
    pub(crate) async fn hold(&self, sql: &str) -> Held {
        let client = self.client().await;
        // Tests hold locks for as long as it takes to show something.
        client.batch_execute("set idle_in_transaction_session_timeout = 0; begin").await.unwrap();
        client.batch_execute(sql).await.unwrap();
        Held(client)
    }

    /// Keeps every batch from being stored.
    pub(crate) async fn hold_ledger(&self) -> Held {
        self.hold("lock table stored_sequence in access exclusive mode").await
    }

    /// Waits until this many batches wait for a lock.
    pub(crate) async fn batches_wait(&self, batches: i64) {
        let client = self.client().await;
        let query = "select count(*) from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'";
        eventually(&format!("{batches} batches wait for a lock"), LONG, async || {
            let waiting: i64 = client.query_one(query, &[]).await.unwrap().get(0);
            (waiting >= batches).then_some(())
        })
        .await;
    }

    /// Runs SQL.
    pub(crate) async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.client().await.query_one(&format!("select ({sql})::bigint"), &[]).await.unwrap().get(0)
    }
}

/// Locks that are held.
pub(crate) struct Held(Client);

impl Held {
    pub(crate) async fn release(self) {
        self.0.batch_execute("commit").await.unwrap();
    }
}

fn start(options: &PostgresOptions) -> Postgres {
    Postgres::start(packages(), options, &|_| {}).unwrap()
}

/// A broker of its own.
pub(crate) struct Broker {
    pub(crate) server: Mosquitto,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::with_options(&MosquittoOptions::default())
    }

    pub(crate) fn with_options(options: &MosquittoOptions) -> Self {
        Self { server: blocking(|| Mosquitto::start(packages(), options).unwrap()) }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// Kills it with SIGKILL and starts it again; with `wiped`, on an empty disk.
    pub(crate) fn crash(&mut self, wiped: bool) {
        blocking(|| {
            self.server.kill().unwrap();
            if wiped {
                self.server.wipe_persistence().unwrap();
            }
            self.server.start_again().unwrap();
        });
    }
}
