//! The database away for long, and slow: what is waited for, what is held back, and how much of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wire::{Body, BootId, Compression, Frame, Header, MachineSerial, TaskEvent, TaskRecord, catalogue};

use crate::harness::mqtt::Journal;
use crate::harness::{
    Act, Broker, Database, Direction, Framing, InProcess, LONG, Process, Proxy, Publisher, Settings, blocking,
    eventually, frame_of, free_port, http_status, sample,
};

/// What the design allows ingest while the database is away.
const MEMORY_MIB_MAX: u64 = 128;

/// How often the link to the broker breaks during the outage.
const CUTS: usize = 8;
/// Records of a long frame.
const LONG_FRAME_RECORDS: u32 = 75;

/// A frame close to the longest that is allowed; of texts, which are quick to read also where nothing is optimised.
fn long_frame(machine: &str) -> Vec<u8> {
    let text = "x".repeat(wire::limits::MAX_TEXT_BYTES);
    let record = TaskRecord {
        recorded_at_ms: jiff::Timestamp::now().as_millisecond(),
        event: TaskEvent::Totals,
        task: text.clone(),
        field: text.clone(),
        operator: text.clone(),
        implement: text.clone(),
        operation: text.clone(),
        crop: text,
        totals: Vec::new(),
    };
    let header = Header {
        machine: MachineSerial::parse(machine).unwrap(),
        boot: BootId::new(1).unwrap(),
        first_sequence: 0,
        count: LONG_FRAME_RECORDS,
        age_ms: 0,
    };
    let body = Body::Task(vec![record; LONG_FRAME_RECORDS as usize]);
    let frame = wire::encode(&Frame { header, body }, Compression::None);
    assert!((55_000..=wire::limits::MAX_FRAME_BYTES).contains(&frame.len()), "{} bytes", frame.len());
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_nothing_is_acknowledged_and_memory_is_bounded() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let journal = Journal::default();
    let proxy = Proxy::start(broker.port(), Framing::Mqtt, {
        let journal = journal.clone();
        move |seen| {
            journal.note(seen);
            Act::Pass
        }
    })
    .await;
    let mqtt_url = format!("mqtt://127.0.0.1:{}", proxy.port);
    let port = free_port();
    let settings = Settings::new(&database.url, &mqtt_url).with("http.listen", format!("127.0.0.1:{port}"));
    let mut ingest = Process::start(&settings);
    let ready = async |status: u16| {
        let answers = async || (http_status(port, "/readyz").await == Some(status)).then_some(());
        eventually(&format!("/readyz answers {status}"), LONG, answers).await;
    };
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    publisher.delivered().await;
    let all_acknowledged = async || {
        let session = journal.session(0);
        (session.acknowledged.len() == session.delivered.len()).then_some(session.acknowledged.len())
    };
    let before = eventually("ingest is idle", LONG, all_acknowledged).await;
    ready(200).await;

    blocking(|| database.server().stop());
    let frames: Vec<_> = (0..8).map(|machine| long_frame(&format!("AWAY-{machine}"))).collect();
    for number in 0..1_600 {
        let machine = number % 8;
        publisher.publish(&format!("polevod/v1/AWAY-{machine}/task"), frames[machine].clone()).await;
    }
    publisher.delivered().await;
    // Each new session is delivered all that is unacknowledged once more.
    for connection in 0..=CUTS {
        eventually("the window is full", LONG, async || {
            (journal.session(connection).delivered.len() >= 1_024).then_some(())
        })
        .await;
        if connection < CUTS {
            proxy.cut();
        }
    }
    ingest.says("the database does not answer").await;
    ready(503).await;
    let acknowledged: usize = journal.sessions().iter().map(|session| session.acknowledged.len()).sum();
    assert_eq!(acknowledged, before, "nothing is acknowledged");
    assert_eq!(publisher.told("AWAY-0"), None);
    let used = ingest.memory_mib_max();
    assert!(used <= MEMORY_MIB_MAX, "{used} MiB in use");

    blocking(|| database.server().start_again().unwrap());
    for machine in 0..8 {
        publisher.told_up_to(&format!("AWAY-{machine}"), LONG_FRAME_RECORDS.into()).await;
    }
    eventually("everything is acknowledged", LONG, async || {
        let session = journal.sessions().pop().unwrap();
        (session.acknowledged.len() == session.delivered.len()).then_some(())
    })
    .await;
    ready(200).await;
    assert_eq!(database.number("select count(*) from task_report").await, 8 * i64::from(LONG_FRAME_RECORDS));
    let used = ingest.memory_mib_max();
    assert!(used <= MEMORY_MIB_MAX, "{used} MiB in use while catching up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_noticed_while_nothing_is_to_be_stored() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    ingest.shows("all is well", |totals| totals.database_up && totals.broker_up).await;
    blocking(|| database.server().stop());
    ingest.shows("the database is away", |totals| !totals.database_up).await;
    blocking(|| database.server().start_again().unwrap());
    ingest.shows("the database is back", |totals| totals.database_up).await;
    assert_eq!(ingest.totals().messages, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_slows_the_broker_down_and_the_link_lives() {
    const WINDOW: usize = 32;
    const PINGREQ: u8 = 0xC0;
    let (database, broker) = (Database::shared().await, Broker::start());
    let (journal, pings) = (Journal::default(), Arc::new(AtomicUsize::new(0)));
    let proxy = Proxy::start(broker.port(), Framing::Mqtt, {
        let (journal, pings) = (journal.clone(), pings.clone());
        move |seen| {
            journal.note(seen);
            let pinged = seen.direction == Direction::Up && seen.packet[0] == PINGREQ;
            pings.fetch_add(usize::from(pinged), Relaxed);
            Act::Pass
        }
    })
    .await;
    let settings = Settings::new(&database.url, &format!("mqtt://127.0.0.1:{}", proxy.port))
        .with("mqtt.receive_maximum", WINDOW)
        .with("mqtt.keep_alive_s", 5);
    let ingest = InProcess::start(&settings);
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    let held = database.hold_ledger().await;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let one = |rpm: u64| sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, rpm as f64)]);
    for sequence in 0..200 {
        publisher.send("SLOW", 1, sequence, &[one(sequence)]).await;
        // Without acknowledgement the broker holds nothing back: what finds no room is left out.
        let frame = frame_of("LOOSE", 1, sequence, &[one(sequence)]);
        publisher.publish_once("polevod/v1/LOOSE/telemetry", frame).await;
    }
    publisher.delivered().await;
    // Twice as long as the broker would keep a link on which nobody speaks.
    let begun = pings.load(Relaxed);
    eventually("ingest keeps the link alive", LONG, async || (pings.load(Relaxed) >= begun + 3).then_some(())).await;
    let session = journal.session(0);
    assert!(session.delivered.len() - session.acknowledged.len() <= WINDOW, "the window is kept to");
    let totals = ingest.totals();
    assert_eq!((totals.sessions, totals.stored, totals.database_up), (1, 0, false));
    assert!(totals.dropped_messages > 100, "{totals:?}");
    held.release().await;
    publisher.told_up_to("SLOW", 200).await;
    let totals = ingest.shows("nothing is in flight", |totals| totals.in_flight() == 0).await;
    assert_eq!((totals.sessions, totals.duplicate), (1, 0));
    let stored = database.number("select count(*) from sample join machine using (machine_id) where serial = 'SLOW'");
    assert_eq!(stored.await, 200);
}
