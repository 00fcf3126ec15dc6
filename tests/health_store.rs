//! Health end to end in a real database: records go in as ingest stores them, derived results come out. The order in
//! which records arrive, how they are cut into batches, and when recomputing runs between them change nothing.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::sync::LazyLock;

use bytes::Bytes;
use embedded::{Packages, Postgres, PostgresOptions};
use expect_test::{Expect, expect};
use jiff::Timestamp;
use polevod::config::{self, Config};
use polevod::derive::health::worklist::WorkState;
use polevod::derive::health::{Language, Severity};
use polevod::store::health::{self as stored, AlertFilter, ChannelKind, Moment, NewChannel, NewDone, WorkChange};
use polevod::store::{self, Batch, Prepared, Records, Run, Session, Settings};
use polevod::{recompute, time};
use tokio_postgres::Client;
use wire::{
    BootId, Encoding, Fault, FaultReport, Lamps, MachineSerial, ReportKind, Sample, SignalId, catalogue as signal,
    columns_of,
};

/// One server for all tests; each test has its own database in it.
fn server() -> &'static Postgres {
    static SERVER: LazyLock<Postgres> = LazyLock::new(|| {
        let packages = Packages::ensure(&|_| {}).unwrap();
        Postgres::start(&packages, &PostgresOptions::cheap(), &|_| {}).unwrap()
    });
    &SERVER
}

struct Site {
    config: Config,
    client: Client,
    session: Session,
    settings: Settings,
}

impl Site {
    async fn new(database: &str) -> Self {
        let url = tokio::task::spawn_blocking({
            let database = database.to_owned();
            move || server().create_database(&database).unwrap()
        });
        let environment = [("POLEVOD_DATABASE_URL".to_owned(), url.await.unwrap())];
        let config = config::load(None, environment).unwrap();
        let mut client = store::connect(&config.database).await.unwrap();
        store::migrate(&mut client).await.unwrap();
        let settings = Settings {
            register_unknown_machines: true,
            late_after_ms: 300_000,
            zone: config.clock.zone.0.clone(),
            payload_bytes_max: 1_000,
            without_ledger: false,
        };
        let session = Session::connect(&config.database).await.unwrap();
        Self { config, client, session, settings }
    }

    /// Stores records of one kind, as a frame of `machine` brings them: (first sequence, records).
    async fn store(
        &mut self,
        machine: &str,
        boot: u64,
        first_sequence: u64,
        recorded_at_ms: Vec<i64>,
        records: Records,
    ) {
        let run = Run::whole(Prepared {
            topic: format!("polevod/v1/{machine}/telemetry"),
            payload: Bytes::new(),
            received_at_ms: recorded_at_ms.iter().copied().max().unwrap() + 1_000,
            encoding: Encoding::Binary,
            machine: MachineSerial::parse(machine).unwrap(),
            boot: BootId::new(boot).unwrap(),
            first_sequence,
            recorded_at_ms,
            corrections: Vec::new(),
            records,
            dropped: Vec::new(),
        });
        let batch = Batch { runs: vec![run], ..Batch::default() };
        store::load(&mut self.session, &batch, &self.settings).await.unwrap();
    }

    async fn samples(&mut self, machine: &str, first_sequence: u64, samples: &[Sample]) {
        let times = samples.iter().map(|sample| sample.recorded_at_ms).collect();
        self.store(machine, 1, first_sequence, times, Records::Samples(columns_of(samples))).await;
    }

    async fn report(&mut self, machine: &str, sequence: u64, at_ms: i64, codes: &[(u32, u8, u8)]) {
        let faults = codes
            .iter()
            .map(|(spn, fmi, count)| Fault { spn: *spn, fmi: *fmi, occurrence_count: *count, legacy_conversion: false })
            .collect();
        let report = FaultReport {
            recorded_at_ms: at_ms,
            report: ReportKind::Active,
            source_address: 0,
            lamps: Lamps { state: 0x04, flash: 0xFF },
            faults,
        };
        self.store(machine, 2, sequence, vec![at_ms], Records::Faults(vec![report])).await;
    }

    async fn model(&self, machine: &str, model: &str) {
        let sql = format!("insert into machine (serial, model) values ('{machine}', '{model}')");
        self.client.batch_execute(&sql).await.unwrap();
    }

    async fn machine_id(&self, machine: &str) -> i64 {
        store::machine_by_serial(&self.client, store::Reach::Everything, machine).await.unwrap().unwrap().machine_id
    }

    async fn catch_up(&self) {
        recompute::catch_up(&self.config).await.unwrap();
    }

    /// Every row of a query as lines.
    async fn lines(&self, query: &str) -> String {
        let rows = self.client.simple_query(query).await.unwrap();
        let lines = rows.iter().filter_map(|row| match row {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                let cells: Vec<_> = (0..row.len()).map(|column| row.get(column).unwrap_or("-")).collect();
                Some(cells.join(" "))
            }
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Everything derived that does not name the time of computing.
    async fn derived(&self) -> String {
        let episodes = self
            .lines(
                "select subject, severity, opened_at, fired_at, closed_at, settled_at, evidence from health_episode
                 where withdrawn_at is null order by machine_id, subject, opened_at",
            )
            .await;
        let faults = self.lines("select * from fault order by machine_id, source_address, spn, fmi").await;
        let days = self.lines("select machine_id, day, figures from health_day order by machine_id, day").await;
        let alerts = self
            .lines(
                // What was told of while records were missing, and is not borne out by all of them, people still see.
                "select subject, severity, opened_at, active, gone_at, episode_count from alert
                 where episode_count > 0 order by subject",
            )
            .await;
        let frames = self
            .lines(
                "select subject, moment, part, at, sample_count, md5(frame) from freeze_frame
                 join health_episode using (health_episode_id) where withdrawn_at is null
                 order by subject, opened_at, moment, part",
            )
            .await;
        let state =
            self.lines("select machine_id, at, md5(state) from health_checkpoint order by machine_id, at").await;
        [episodes, faults, days, alerts, frames, state].join("\n\n")
    }
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// Samples from `from` on, one every `every_s`, each with `values`.
fn run(from: &str, minutes: i64, every_s: i64, values: &[(SignalId, f64)]) -> Vec<Sample> {
    (0..minutes * 60 / every_s)
        .map(|n| {
            let mut sample = Sample::at(at(from) + n * every_s * 1_000);
            values.iter().for_each(|(signal, value)| sample.set(*signal, *value));
            sample
        })
        .collect()
}

/// Three days of a tractor: work, an overheating, a drain at night, and hours that go on.
fn three_days() -> Vec<Sample> {
    let mut samples = Vec::new();
    let work = |coolant: f64| {
        vec![
            (signal::ENGINE_SPEED_RPM, 1_900.0),
            (signal::ENGINE_LOAD_PCT, 80.0),
            (signal::COOLANT_TEMP_C, coolant),
            (signal::OIL_PRESSURE_KPA, 340.0),
            (signal::AMBIENT_TEMP_C, 18.0),
            (signal::BATTERY_V, 28.0),
            (signal::WHEEL_SPEED_KMH, 9.0),
            (signal::FUEL_RATE_LPH, 40.0),
            (signal::FUEL_LEVEL_PCT, 70.0),
            (SignalId::raw_spn(520_192).unwrap(), 7.0),
        ]
    };
    let parked = |level: f64| {
        vec![(signal::ENGINE_SPEED_RPM, 0.0), (signal::WHEEL_SPEED_KMH, 0.0), (signal::FUEL_LEVEL_PCT, level)]
    };
    for (day, level) in [(20, 70.0), (21, 62.0), (22, 61.0)] {
        let time = |clock: &str| format!("2026-08-{day}T{clock}:00Z");
        samples.extend(run(&time("01:00"), 60, 5, &work(88.0)));
        if day == 21 {
            samples.extend(run(&time("02:00"), 4, 5, &work(103.0)));
            samples.extend(run(&time("02:04"), 20, 5, &work(91.0)));
        }
        samples.extend(run(&time("03:00"), 300, 60, &parked(level)));
        samples.extend(run(&time("16:00"), 240, 120, &parked(if day == 20 { 62.0 } else { level })));
    }
    let mut worked_at = at("2026-08-20T00:00:00Z");
    for (index, sample) in samples.iter_mut().enumerate() {
        if sample.physical(signal::ENGINE_SPEED_RPM).is_some_and(|rpm| rpm > 0.0) {
            worked_at = sample.recorded_at_ms;
            // Fuel slops about at work: a level that does not is that of a sender that is stuck.
            sample.set(signal::FUEL_LEVEL_PCT, if index % 2 == 0 { 69.4 } else { 70.6 });
        }
        if index % 10 == 0 {
            sample.set(signal::ENGINE_HOURS_H, 1_000.0 + (worked_at - at("2026-08-20T00:00:00Z")) as f64 / 4e6);
        }
    }
    samples
}

/// Minute of a report, and its codes: SPN, FMI, occurrence count.
type Report = (i64, Vec<(u32, u8, u8)>);

/// Reports of one controller: a code that lasts over a day, one that lasts on, and one that comes and goes
/// more often than freeze frames are kept of.
fn reports() -> Vec<Report> {
    let lasting = |minute: i64| {
        let mut codes = vec![(110, 16, 1)];
        codes.extend((minute >= 240).then_some((100, 18, 3)));
        codes
    };
    let mut reports = vec![(1, lasting(1)), (240, lasting(240)), (1_440, vec![(100, 18, 3)])];
    for (minute, count) in (0..12).map(|nth| (61 + 20 * i64::from(nth), nth + 1)) {
        let mut codes = lasting(minute);
        codes.push((94, 18, count));
        reports.push((minute, codes));
        reports.push((minute + 5, lasting(minute + 5)));
    }
    reports.sort();
    reports
}

/// Numbers that look random, and are the same for the same seed.
struct Shuffler(u64);

impl Shuffler {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_arrival_and_any_pauses_for_recomputing_give_the_same_results() {
    let mut expected = Site::new("in_order").await;
    let samples = three_days();
    let reports = reports();
    let reported_at = |minutes: i64| at("2026-08-21T02:00:20Z") + minutes * 60_000;
    expected.model("T1", "mtz-3522").await;
    for (index, part) in samples.chunks(500).enumerate() {
        expected.samples("T1", 500 * index as u64, part).await;
    }
    for (sequence, (minutes, codes)) in reports.iter().enumerate() {
        expected.report("T1", sequence as u64, reported_at(*minutes), codes).await;
    }
    expected.catch_up().await;
    let in_order = expected.derived().await;
    assert!(in_order.contains("rule/coolant_hot") && in_order.contains("rule/fuel_drain_parked"), "{in_order}");
    // That fault went on into another day: what was reported at its beginning is kept all the same.
    assert!(in_order.contains("fault/0/110/16 onset 0 2026-08-21 02:01:20+00"), "{in_order}");
    assert_eq!(in_order.matches("fault/0/94/18 onset").count(), 9, "the first and the latest eight: {in_order}");

    for seed in 1..=4 {
        let mut other = Site::new(&format!("shuffled_{seed}")).await;
        other.model("T1", "mtz-3522").await;
        let mut random = Shuffler(seed);
        let size = 60 + random.below(300);
        let parts: Vec<_> =
            samples.chunks(size).enumerate().map(|(index, part)| ((size * index) as u64, part)).collect();
        let mut order: Vec<_> = (0..parts.len() + reports.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        let pause = 3 + random.below(9);
        for (step, index) in order.into_iter().enumerate() {
            // Some come twice, and recomputing runs in between.
            for _ in 0..1 + random.below(2) {
                match parts.get(index) {
                    Some((first, part)) => other.samples("T1", *first, part).await,
                    None => {
                        let sequence = index - parts.len();
                        let (minutes, codes) = &reports[sequence];
                        other.report("T1", sequence as u64, reported_at(*minutes), codes).await;
                    }
                }
            }
            if step % pause == 1 {
                other.catch_up().await;
            }
        }
        other.catch_up().await;
        for (ours, theirs) in other.derived().await.split('\n').zip(in_order.split('\n')) {
            assert_eq!(ours, theirs, "seed {seed}");
        }
        assert_eq!(other.derived().await, in_order, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_has_a_life_a_freeze_frame_and_an_alert() {
    let mut site = Site::new("fault").await;
    site.model("T1", "mtz-3522").await;
    site.samples("T1", 0, &three_days()).await;
    site.report("T1", 0, at("2026-08-21T02:00:20Z"), &[(110, 16, 1)]).await;
    site.report("T1", 1, at("2026-08-21T02:06:00Z"), &[]).await;
    site.catch_up().await;
    let machine_id = site.machine_id("T1").await;
    expect![[r#"
        fault/0/110/16 3 2026-08-21 02:00:20+00 2026-08-21 02:06:00+00
        rule/coolant_hot 3 2026-08-21 02:00:00+00 2026-08-21 02:04:00+00
        rule/fuel_drain_parked 4 2026-08-20 07:59:00+00 2026-08-20 16:00:00+00"#]]
    .assert_eq(
        &site
            .lines(
                "select subject, severity, opened_at, closed_at from health_episode
                 where withdrawn_at is null and severity > 2 order by subject",
            )
            .await,
    );
    let rows = stored::fault_rows(&site.client, Some(machine_id), true, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].fault.activations, rows[0].fault.gone_at_ms), (1, Some(at("2026-08-21T02:06:00Z"))));
    let (id, _) =
        stored::episodes(&site.client, machine_id, Some(&"fault/0/110/16".parse().unwrap()), 1).await.unwrap()[0];
    let frame = stored::freeze_frame(&site.client, id, Moment::Onset).await.unwrap().unwrap();
    assert_eq!(frame.samples.len(), 120, "five minutes on either side, a sample each five seconds");
    let hot = frame.samples.iter().filter(|sample| sample.physical(signal::COOLANT_TEMP_C) == Some(103.0)).count();
    assert_eq!(hot, 48);
    let raw = SignalId::raw_spn(520_192).unwrap();
    assert_eq!(frame.samples[0].physical(raw), Some(7.0), "what the catalogue does not name is pinned too");
    // Retention takes the samples; the freeze frame stays, and recomputing does not lessen it.
    site.client.batch_execute("select drop_chunks('sample', older_than => timestamptz '2026-08-22Z')").await.unwrap();
    store::mark(&site.client, machine_id, at("2026-08-21T00:00:00Z")..=at("2026-08-22T05:00:00Z")).await.unwrap();
    site.catch_up().await;
    let kept = stored::freeze_frame(&site.client, id, Moment::Onset).await.unwrap().unwrap();
    assert_eq!(kept, frame);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_records_open_an_alert_at_its_true_time_and_tell_it_once() {
    let mut site = Site::new("late").await;
    site.model("T1", "mtz-3522").await;
    let channel = NewChannel {
        name: "dealer".into(),
        kind: ChannelKind::Webhook,
        target: "http://127.0.0.1:9/".into(),
        secret: None,
        language: Language::En,
        severity_min: Severity::Urgent,
        models: vec!["mtz-*".into()],
        tell_gone: true,
    };
    stored::add_channel(&site.client, &channel).await.unwrap();
    site.client.batch_execute("update notify_channel set created_at = '2020-01-01Z'").await.unwrap();
    let samples = three_days();
    let (before, after): (Vec<_>, Vec<_>) = samples.iter().cloned().enumerate().partition(|(index, sample)| {
        let is_hot = sample.physical(signal::COOLANT_TEMP_C) == Some(103.0);
        !is_hot || index % 2 == 0
    });
    // First without half of the hot samples, then with all of them, one by one.
    for (index, sample) in before {
        site.samples("T1", index as u64, &[sample]).await;
    }
    site.catch_up().await;
    let told = "select event, body->>'headline', body->>'opened_at' from delivery
                where body->>'subject' = 'rule/coolant_hot' order by delivery_id";
    let first = site.lines(told).await;
    for (index, sample) in after {
        site.samples("T1", index as u64, &[sample]).await;
        if index % 8 == 1 {
            site.catch_up().await;
        }
    }
    site.catch_up().await;
    let machine_id = site.machine_id("T1").await;
    store::mark(&site.client, machine_id, at("2026-08-20T00:00:00Z")..=at("2026-08-22T20:00:00Z")).await.unwrap();
    site.client.batch_execute("delete from health_checkpoint").await.unwrap();
    site.catch_up().await;
    assert_eq!(site.lines(told).await, first);
    expect![[r#"
        opened T1: urgent: coolant hot 2026-08-21T02:00:00.000Z
        gone T1: over: coolant hot 2026-08-21T02:00:00.000Z"#]]
    .assert_eq(&first);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_vanishes_by_itself_and_what_returns_comes_back_with_its_history() {
    let mut site = Site::new("worklist").await;
    site.report("T1", 0, at("2026-08-21T02:00:00Z"), &[(110, 0, 1)]).await;
    site.report("T1", 1, at("2026-08-21T03:00:00Z"), &[]).await;
    site.catch_up().await;
    let all = AlertFilter { closed: true, limit: 10, ..AlertFilter::default() };
    let alert = stored::alerts(&site.client, &all).await.unwrap().remove(0);
    assert_eq!((alert.active, alert.state), (false, WorkState::New), "gone, and still to be looked at");
    let change = |state, assignee: Option<&str>, note: Option<&str>| WorkChange {
        state,
        assignee: assignee.map(Into::into),
        note: note.map(Into::into),
    };
    for change in [
        change(Some(WorkState::InWork), Some("Иванов"), None),
        change(Some(WorkState::Closed), None, Some("термостат заменён")),
    ] {
        assert!(stored::change_alert(&site.client, alert.id, "dispatcher", &change).await.unwrap());
    }
    assert_eq!(stored::alerts(&site.client, &AlertFilter { limit: 10, ..AlertFilter::default() }).await.unwrap(), []);
    site.report("T1", 2, at("2026-08-25T02:00:00Z"), &[(110, 0, 2)]).await;
    site.catch_up().await;
    let alert = stored::alerts(&site.client, &all).await.unwrap().remove(0);
    assert_eq!((alert.active, alert.state, alert.episode_count), (true, WorkState::New, 2));
    assert_eq!(alert.assignee.as_deref(), Some("Иванов"));
    let history: Vec<_> = stored::alert_history(&site.client, alert.id)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| format!("{} {} {}", entry.actor, entry.action, entry.note.unwrap_or_default()).trim().to_owned())
        .collect();
    assert_eq!(
        history,
        [
            "machine opened",
            "machine gone",
            "dispatcher assigned Иванов",
            "dispatcher in_work",
            "dispatcher closed термостат заменён",
            "machine reopened"
        ]
    );
    assert!(!stored::change_alert(&site.client, 4_711, "nobody", &WorkChange::default()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn service_comes_due_by_hours_and_ends_when_it_is_done() {
    let mut site = Site::new("service").await;
    site.model("T1", "mtz-1523").await;
    let hours = |from: &str, first: f64, last: f64| {
        let mut samples = run(from, 600, 60, &[(signal::ENGINE_SPEED_RPM, 1_900.0)]);
        let count = samples.len() as f64;
        for (index, sample) in samples.iter_mut().enumerate() {
            sample.set(signal::ENGINE_HOURS_H, first + (last - first) * index as f64 / count);
        }
        samples
    };
    site.samples("T1", 0, &hours("2026-08-20T01:00:00Z", 100.0, 110.0)).await;
    // One glitch: neither triggers nor hides.
    let mut glitch = Sample::at(at("2026-08-20T12:00:00Z"));
    glitch.set(signal::ENGINE_HOURS_H, 99_999.0);
    site.samples("T1", 600, &[glitch]).await;
    site.samples("T1", 601, &hours("2026-08-21T01:00:00Z", 110.0, 120.0)).await;
    site.catch_up().await;
    check_service(&site, expect!["service/to_1 1 2026-08-21 03:29 -"]).await;
    site.samples("T1", 1_300, &hours("2026-08-22T01:00:00Z", 120.0, 130.0)).await;
    site.client.batch_execute("update health_progress set judged_at = '2020-01-01Z'").await.unwrap();
    site.catch_up().await;
    check_service(&site, expect!["service/to_1 2 2026-08-21 03:29 -"]).await;
    let machine_id = site.machine_id("T1").await;
    let done = NewDone {
        item: "to_2".into(),
        at_ms: at("2026-08-22T12:00:00Z"),
        meter_h: Some(130.0),
        total_h: None,
        actor: "mechanic".into(),
        note: None,
    };
    stored::enter_service(&site.client, machine_id, &done).await.unwrap();
    site.samples("T1", 2_000, &hours("2026-08-23T01:00:00Z", 130.0, 131.0)).await;
    site.client.batch_execute("update health_progress set judged_at = '2020-01-01Z'").await.unwrap();
    site.catch_up().await;
    check_service(&site, expect!["service/to_1 2 2026-08-21 03:29 2026-08-22 12:00"]).await;
    assert!(time::now_ms() > 0);
}

async fn check_service(site: &Site, expected: Expect) {
    let lines = site
        .lines(
            "select subject, severity, to_char(opened_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'),
                    to_char(closed_at at time zone 'utc', 'YYYY-MM-DD HH24:MI')
             from health_episode where subject like 'service/%' and withdrawn_at is null order by subject",
        )
        .await;
    expected.assert_eq(&lines);
}
