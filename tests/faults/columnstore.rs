//! Old samples as columns, on the edition that has them; on the other the same, as rows. Each test asks which one it is
//! on and asserts what is right there.

use polevod::store::{self, InColumns};
use polevod::{config::Config, recompute};
use wire::{Sample, catalogue};

use crate::harness::{Broker, Database, InProcess, Process, Publisher, Settings, blocking, sample};

const MACHINE: &str = "COLUMNS";
const SAMPLES: u64 = 600;
/// Older than what becomes columns; noon UTC, so that all of it lies in one chunk and one working day.
const AGE_DAYS: i64 = 20;
const DAY_MS: i64 = 86_400_000;
/// Tables of samples, each with one chunk.
const TABLES: i64 = 2;

/// Ten minutes of driving, a sample a second.
fn drive() -> Vec<Sample> {
    let start_ms = (jiff::Timestamp::now().as_millisecond() / DAY_MS - AGE_DAYS) * DAY_MS + DAY_MS / 2;
    let second = |n: u32| {
        let values = [
            (catalogue::ENGINE_SPEED_RPM, 1_500.0 + f64::from(n % 50) * 8.0),
            (catalogue::GROUND_SPEED_KMH, 9.0),
            (catalogue::LATITUDE_DEG, 56.5 + f64::from(n) * 0.000_022),
            (catalogue::LONGITUDE_DEG, 84.9),
            (catalogue::FUEL_RATE_LPH, 18.0),
            (catalogue::NOX_IN_PPM, 400.0 + f64::from(n % 7)),
            (catalogue::FAN_SPEED_RPM, 1_000.0 + f64::from(n % 11)),
        ];
        sample(start_ms + i64::from(n) * 1_000, &values)
    };
    (0..u32::try_from(SAMPLES).unwrap()).map(second).collect()
}

/// A database with ingest on it, and a machine that sends.
struct Site {
    database: Database,
    config: Config,
    ingest: InProcess,
    publisher: Publisher,
    _broker: Broker,
}

impl Site {
    async fn start() -> Self {
        let (database, broker) = (Database::shared().await, Broker::start());
        let settings = Settings::new(&database.url, &broker.url());
        let ingest = InProcess::start(&settings);
        let publisher = Publisher::connect(broker.port()).await;
        publisher.ingest_listens(&database).await;
        Self { database, config: settings.config(), ingest, publisher, _broker: broker }
    }

    /// Sends records and waits until the machine is told that everything before `end` is stored.
    async fn send(&self, drive: &[Sample], sequences: std::ops::Range<u64>, end: u64) {
        let (from, to) = (usize::try_from(sequences.start).unwrap(), usize::try_from(sequences.end).unwrap());
        self.publisher.send(MACHINE, 1, sequences.start, &drive[from..to]).await;
        self.publisher.told_up_to(MACHINE, end).await;
    }

    async fn convert(&self) -> usize {
        let client = self.database.client().await;
        store::convert_old_samples(&client, self.config.retention.columns_after_days).await.unwrap()
    }

    async fn in_columns(&self) -> InColumns {
        store::in_columns(&self.database.client().await).await.unwrap().expect("the tables are there")
    }

    async fn is_community(&self) -> bool {
        store::probe_edition(&self.database.client().await).await.unwrap().no_columnstore().is_none()
    }

    /// Every sample and every value as text, in the order of their identity, without what the clock of the test decides.
    async fn samples(&self) -> String {
        let sql = "select concat_ws('|',
            (select string_agg(concat_ws(' ', boot_id, sequence, recorded_at, engine_speed_rpm, ground_speed_kmh,
                                         latitude_deg, longitude_deg, fuel_rate_lph), ';' order by boot_id, sequence)
             from sample),
            (select string_agg(concat_ws(' ', signal_id, recorded_at, value), ';' order by signal_id, recorded_at, value)
             from signal_sample))";
        self.database.client().await.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What follows from them, computed anew.
    async fn derived(&self) -> String {
        recompute::catch_up(&self.config).await.unwrap();
        let sql = "select concat_ws('|',
            (select string_agg(figures::text, ';' order by working_day) from work_day),
            (select string_agg(figures::text, ';' order by day) from health_day))";
        self.database.client().await.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn mark_everything(&self) {
        let marked = store::mark_everything(&self.database.client().await, None).await.unwrap();
        assert!(marked > 0, "there is something to compute anew");
    }

    async fn ledger(&self) -> (String, i64) {
        let sql = "select stored::text, duplicate_count from stored_sequence join machine using (machine_id)
                   where serial = $1";
        let row = self.database.client().await.query_one(sql, &[&MACHINE]).await.unwrap();
        (row.get(0), row.get(1))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_sample_of_a_day_that_is_columns_is_stored_once_and_every_figure_is_the_same() {
    let drive = drive();
    let plain = Site::start().await;
    plain.send(&drive, 0..SAMPLES, SAMPLES).await;
    let (samples, derived) = (plain.samples().await, plain.derived().await);
    assert!(derived.contains("distance_m"), "{derived}");

    let site = Site::start().await;
    // The same, with a hole that is filled when the day is columns already.
    site.send(&drive, 0..200, 200).await;
    site.publisher.send(MACHINE, 1, 400, &drive[400..]).await;
    site.ingest.shows("both parts are stored", |totals| totals.stored == 400).await;
    let with_hole = site.derived().await;
    let community = site.is_community().await;
    let all = InColumns { switched_on: true, chunks: TABLES, in_columns: TABLES };
    let expected = if community { all } else { InColumns { switched_on: false, chunks: TABLES, in_columns: 0 } };
    let chunks = if community { usize::try_from(TABLES).unwrap() } else { 0 };

    assert_eq!(site.convert().await, chunks);
    assert_eq!(site.in_columns().await, expected);
    assert_eq!(site.convert().await, 0, "what is columns is left alone");
    site.mark_everything().await;
    assert_eq!(site.derived().await, with_hole, "computed anew from columns");

    site.send(&drive, 150..450, SAMPLES).await;
    site.send(&drive, 0..SAMPLES, SAMPLES).await;
    site.ingest.shows("every repeat is counted", |totals| totals.duplicate == 100 + SAMPLES).await;
    assert_eq!(site.ledger().await, (format!("{{[0,{SAMPLES})}}"), i64::try_from(100 + SAMPLES).unwrap()));
    assert_eq!(site.samples().await, samples);
    assert_eq!(site.derived().await, derived);

    assert_eq!(site.convert().await, chunks, "what came late becomes columns too");
    assert_eq!(site.convert().await, 0);
    assert_eq!(site.in_columns().await, expected);
    assert_eq!(site.samples().await, samples);
    site.mark_everything().await;
    assert_eq!(site.derived().await, derived, "computed anew from columns");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_samples_that_come_while_their_day_is_converted_are_stored_once() {
    const FRAME: u64 = 10;
    let drive = drive();
    let plain = Site::start().await;
    plain.send(&drive, 0..SAMPLES, SAMPLES).await;

    let site = Site::start().await;
    site.send(&drive, 0..FRAME, FRAME).await;
    assert_eq!(site.convert().await > 0, site.is_community().await);
    let sends = async {
        // Latest first, each twice: every frame falls between others that are there already.
        for first in (FRAME..SAMPLES).step_by(usize::try_from(FRAME).unwrap()).collect::<Vec<_>>().into_iter().rev() {
            let (from, to) = (usize::try_from(first).unwrap(), usize::try_from(first + FRAME).unwrap());
            for _ in 0..2 {
                site.publisher.send(MACHINE, 1, first, &drive[from..to]).await;
            }
            site.ingest.shows("the frame is stored", |totals| totals.stored >= SAMPLES - first + FRAME).await;
        }
    };
    let converts = async {
        while site.ingest.totals().stored < SAMPLES {
            site.convert().await;
        }
    };
    tokio::join!(sends, converts);
    site.publisher.told_up_to(MACHINE, SAMPLES).await;
    let repeats = SAMPLES - FRAME;
    site.ingest.shows("every repeat is counted", |totals| totals.duplicate == repeats).await;
    assert_eq!(site.ledger().await, (format!("{{[0,{SAMPLES})}}"), i64::try_from(repeats).unwrap()));
    assert_eq!(site.samples().await, plain.samples().await);
    assert_eq!(site.derived().await, plain.derived().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_drops_columns_as_it_drops_rows_and_what_is_gone_is_not_stored_again() {
    let drive = drive();
    let site = Site::start().await;
    site.send(&drive, 0..SAMPLES, SAMPLES).await;
    let derived = site.derived().await;
    let converted = site.convert().await;
    assert_eq!(converted > 0, site.is_community().await);

    let config = Settings::new(&site.database.url, "mqtt://127.0.0.1:1").with("retention.sample_days", 5).config();
    let client = site.database.client().await;
    store::maintain(&client, &config.retention, &config.quarantine).await.unwrap();
    assert_eq!(site.samples().await, "");
    assert_eq!(site.in_columns().await.chunks, 0);

    site.send(&drive, 0..SAMPLES, SAMPLES).await;
    site.ingest.shows("every repeat is counted", |totals| totals.duplicate == SAMPLES).await;
    assert_eq!(site.samples().await, "", "the ledger outlives the samples");
    assert_eq!(site.derived().await, derived, "and so do the figures");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zero_days_leave_every_sample_a_row() {
    let site = Site::start().await;
    site.send(&drive(), 0..10, 10).await;
    assert_eq!(store::convert_old_samples(&site.database.client().await, 0).await.unwrap(), 0);
    assert_eq!(site.in_columns().await.in_columns, 0);
    assert_eq!(store::convert_old_samples(&site.database.client().await, 30).await.unwrap(), 0, "none is that old");
    assert_eq!(site.in_columns().await.in_columns, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_and_doctor_say_what_becomes_of_old_samples() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let edition = store::probe_edition(&database.client().await).await.unwrap();
    let url = database.server().create_empty_database("fresh").unwrap();
    let settings = Settings::new(&url, &broker.url());
    let run = async |verb: &str| Process::run(&[verb], settings.variables()).outcome().await;

    let (code, log) = run("migrate").await;
    assert_eq!(code, Some(0), "{log}");
    let doctor = run("doctor").await.1;
    match edition.no_columnstore() {
        None => {
            for table in ["sample", "signal_sample"] {
                assert!(log.contains(&format!("old samples of {table} become columns")), "{log}");
            }
            assert!(doctor.contains("columnstore on: 0 of 0 chunks"), "{doctor}");
        }
        Some(why) => {
            assert!(log.contains(&format!("old samples stay rows: {why}")), "{log}");
            assert!(doctor.contains(&format!("columnstore not available: {why}")), "{doctor}");
        }
    }
    let (code, log) = run("migrate").await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("become columns"), "nothing is to be changed the second time: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_takes_over_from_a_policy_and_an_earlier_layout() {
    let database = Database::shared().await;
    let mut client = database.client().await;
    let community = store::probe_edition(&client).await.unwrap().no_columnstore().is_none();
    if community {
        database
            .run(
                "alter table signal_sample set (timescaledb.segmentby = 'machine_id');
                 call add_columnstore_policy('signal_sample', after => interval '7 days')",
            )
            .await;
    }
    store::migrate(&mut client).await.unwrap();
    let policies = "select count(*) from timescaledb_information.jobs where hypertable_name is not null";
    assert_eq!(database.number(policies).await, 0, "the service converts");
    let layout = "select count(*) from timescaledb_information.hypertable_columnstore_settings
                  where hypertable = 'signal_sample'::regclass
                    and replace(segmentby, ' ', '') = 'machine_id,signal_id'";
    assert_eq!(database.number(layout).await, i64::from(community));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_columns_its_edition_cannot_read_is_refused_before_anything_is_computed_from_nothing() {
    let drive = drive();
    let (mut database, broker) = (Database::own().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url());
    let config = settings.config();
    let ingest = InProcess::start(&settings);
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    publisher.send(MACHINE, 1, 0, &drive).await;
    publisher.told_up_to(MACHINE, SAMPLES).await;
    ingest.stop().await;
    recompute::catch_up(&config).await.unwrap();
    let client = database.client().await;
    let community = store::probe_edition(&client).await.unwrap().no_columnstore().is_none();
    store::convert_old_samples(&client, config.retention.columns_after_days).await.unwrap();
    store::mark_everything(&client, None).await.unwrap();
    drop(client);

    // What a move to the Apache 2 edition amounts to; where that is the edition, nothing changes.
    database.run("alter system set timescaledb.license = 'apache'").await;
    blocking(|| {
        database.server().stop();
        database.server().start_again().unwrap();
    });
    let driven = "select round(distance_m) from work_day where machine_id =
                  (select machine_id from machine where serial = 'COLUMNS')";
    let before = database.number(driven).await;
    assert!(before > 1_000, "{before} m");
    let recomputed = recompute::catch_up(&config).await;
    let doctor = Process::run(&["doctor"], settings.variables()).outcome().await.1;
    if community {
        let refusal = recomputed.unwrap_err().to_string();
        assert!(refusal.starts_with("2 of 2 chunks of samples are columns"), "{refusal}");
        assert!(doctor.contains("2 of 2 chunks of samples cannot be read"), "{doctor}");
        let (code, log) = Process::start(&settings).outcome().await;
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("set timescaledb.license = 'timescale'"), "{log}");
    } else {
        assert!(recomputed.unwrap() > 0);
        assert!(doctor.contains("columnstore not available"), "{doctor}");
    }
    assert_eq!(database.number(driven).await, before);
}
