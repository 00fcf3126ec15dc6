//! Frames as bad links and bad firmware deliver them.

use expect_test::{Expect, expect};
use polevod::ingest::{Item, RawMessage, Rules, prepare};
use proptest::prelude::*;
use simulator::{FleetConfig, Impairments, Options, Unit, UnitConfig};
use wire::{BootId, Link, MachineSerial, Status, catalogue};

use crate::harness::{
    Broker, Database, Fleet, InProcess, Outcome, Publisher, Settings, check, fleet_of, frame_of, sample, unit_options,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_lost_doubled_swapped_damaged_and_cut_off() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let impairments = Impairments {
        lost_share: 0.05,
        duplicate_share: 0.2,
        reorder_share: 0.2,
        corrupt_share: 0.05,
        ..Impairments::default()
    };
    let fleet = Fleet::start(FleetConfig { impairments, json_share: 0.4, ..fleet_of(40, 4) }, &broker.url());
    let outcome = fleet.finish().await;
    let verdict = check(&outcome, &database).await;
    verdict.assert_complete();
    let totals = ingest.shows("nothing is in flight", |totals| totals.in_flight() == 0).await;
    assert_eq!((totals.stored, totals.duplicate), (verdict.stored, verdict.duplicates.unsigned_abs()));
    assert!(totals.duplicate > 0 && totals.rejected_messages > 0, "{totals:?}");
    let kept = database.number("select sum(seen_count) from quarantine").await.unsigned_abs();
    assert_eq!(kept, totals.rejected_messages, "every damaged frame is kept");
}

/// Publishes a bad message between two good frames of another machine; prints what the quarantine says of it.
async fn check_bad(messages: &[(&str, Vec<u8>)], expected: Expect) {
    let (database, broker) = (Database::shared().await, Broker::start());
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let good = |rpm: u64| sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_000.0 + rpm as f64)]);
    for (sequence, (topic, payload)) in (0..).zip(messages) {
        publisher.send("GOOD", 1, sequence, &[good(sequence)]).await;
        publisher.publish(topic, payload.clone()).await;
    }
    let count = messages.len() as u64;
    publisher.send("GOOD", 1, count, &[good(count)]).await;
    publisher.told_up_to("GOOD", count + 1).await;
    let totals = ingest.shows("every message has had its answer", |totals| totals.messages > 2 * count).await;
    assert_eq!((totals.stored, totals.sessions), (count + 1, 1), "nothing good beside it is lost: {totals:?}");
    let client = database.client().await;
    let query = "select topic, reason, detail, payload from quarantine order by quarantine_id";
    let rows = crate::harness::eventually("all are in quarantine", crate::harness::LONG, async || {
        let rows = client.query(query, &[]).await.unwrap();
        (rows.len() >= messages.len()).then_some(rows)
    })
    .await;
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let (topic, reason, detail): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            let (_, sent) = messages.iter().find(|(sent, _)| *sent == topic).expect("it was sent");
            let kept = &sent[..sent.len().min(wire::limits::MAX_FRAME_BYTES)];
            assert!(row.get::<_, Vec<u8>>(3) == kept, "the bytes are kept");
            let topic: String = topic.chars().take(48).collect();
            format!("{topic} {reason}: {detail}")
        })
        .collect();
    lines.sort();
    expected.assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_malformed_topic_and_frame_is_named_and_nothing_beside_it_is_lost() {
    let frame = |machine: &str| {
        frame_of(machine, 1, 0, &[sample(1_700_000_000_000, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])])
    };
    let whole = frame("A");
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    let long_topic = format!("polevod/v1/{}/telemetry", "L".repeat(65));
    let status = |text: &str| format!(r#"{{"link":"{text}"}}"#).into_bytes();
    check_bad(
        &[
            ("polevod/v1/поле/telemetry", frame("A")),
            ("polevod/v1//telemetry", frame("A")),
            (&long_topic, frame("A")),
            ("polevod/v1/EMPTY/telemetry", Vec::new()),
            ("polevod/v1/NOISE/telemetry", vec![0xff; 32]),
            ("polevod/v1/LONG/telemetry", vec![b'P'; wire::limits::MAX_FRAME_BYTES + 1]),
            ("polevod/v1/VERSION/telemetry", with(2, 9)),
            ("polevod/v1/DAMAGED/telemetry", with(whole.len() - 1, whole[whole.len() - 1] ^ 1)),
            ("polevod/v1/CUT/telemetry", whole[..whole.len() / 2].to_vec()),
            ("polevod/v1/OTHER/telemetry", frame("A")),
            ("polevod/v1/A/faults", frame("A")),
            ("polevod/v1/JSON/telemetry", b"{\"machine\":".to_vec()),
            ("polevod/v1/NESTED/telemetry", [b"{\"a\":".repeat(2_000), vec![b'1']].concat()),
            ("polevod/v1/STATUS/status", status("sideways")),
            ("polevod/v1/BINARY/status", vec![0; 8]),
        ],
        expect![[r#"
            polevod/v1//telemetry topic: machine serial is empty; it needs 1 to 64 characters
            polevod/v1/A/faults kind: a telemetry frame came on a faults topic
            polevod/v1/BINARY/status status: message is malformed: expected value at line 1 column 1
            polevod/v1/CUT/telemetry checksum: frame checksum is 0xc02c81ce, computed 0x2c458abe: the bytes changed or were cut off on the way
            polevod/v1/DAMAGED/telemetry checksum: frame checksum is 0xc02c81ce, computed 0x324702cd: the bytes changed or were cut off on the way
            polevod/v1/EMPTY/telemetry empty: frame is empty
            polevod/v1/JSON/telemetry json: json frame is malformed: EOF while parsing a value at line 1 column 11
            polevod/v1/LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL topic: machine serial has 65 bytes; at most 64 are allowed
            polevod/v1/LONG/telemetry too_long: frame has 65537 bytes; at most 65536 are allowed, so split the run
            polevod/v1/NESTED/telemetry json: json frame is malformed: unknown field `a`, expected one of `version`, `machine`, `boot`, `first_sequence`, `age_ms`, `samples`, `faults`, `tasks` at line 1 column 4
            polevod/v1/NOISE/telemetry magic: frame begins with [ff, ff, ff, ff]; a binary frame begins with 50 56, a JSON frame with 7b
            polevod/v1/OTHER/telemetry machine: the frame is of machine A, the topic of OTHER; a unit publishes for itself alone
            polevod/v1/STATUS/status status: message is malformed: unknown variant `sideways`, expected `online` or `offline` at line 1 column 18
            polevod/v1/VERSION/telemetry version: frame version = 9; this service reads version 1
            polevod/v1/поле/telemetry topic: machine serial has the character 'п'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_no_machine_can_measure_are_left_out_and_the_rest_of_the_sample_is_stored() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let options = Options { ledger: Some(ledger.clone()), ..unit_options(&broker.url()) };
    let serial = MachineSerial::parse("SENSOR").unwrap();
    let mut unit = Unit::start(&options, serial, BootId::new(1).unwrap(), UnitConfig::default()).unwrap();
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for n in 0..100 {
        let mut record = sample(now_ms - 1_000 * n, &[(catalogue::COOLANT_TEMP_C, 88.0)]);
        // `Sample::set` would refuse them; firmware does not always.
        let speed = if n % 10 == 0 { i64::from(i32::MAX) } else { 14_800 };
        record.values.push((catalogue::ENGINE_SPEED_RPM, speed));
        record.values.push((catalogue::LATITUDE_DEG, 0));
        record.values.push((catalogue::LONGITUDE_DEG, 0));
        assert!(unit.record(record).await);
    }
    let outcome = Outcome::of_unit(unit.finish().await.unwrap(), &ledger);
    check(&outcome, &database).await.assert_complete();
    assert_eq!(ingest.totals().values_refused, 10 + 200);
    assert_eq!(database.number("select sum(value_count) from quarantine where record_count = 0").await, 210);
    assert_eq!(database.number("select sum(value_refused_count) from stored_day").await, 210);
}

proptest! {
    #[test]
    fn whatever_arrives_becomes_something_to_store_or_to_refuse(
        topic in "(polevod/v1/[A-Za-z0-9 ._-]{0,8}/(telemetry|faults|task|status|stored)|.{0,30})",
        mut payload in prop::collection::vec(any::<u8>(), 0..200),
        begin in prop::sample::select(vec![&b""[..], b"PV\x01\x01", b"{\"machine\":\"A\",", b"{"]),
    ) {
        payload.splice(0..0, begin.iter().copied());
        let config = Settings::new("postgres://x", "mqtt://x").config();
        let bytes = payload.len();
        let message = RawMessage { topic, payload: payload.into(), received_at_ms: 1_787_227_200_000 };
        match prepare(message, &Rules::of(&config.clock)) {
            Item::Run(run) => prop_assert!(!run.records.is_empty()),
            Item::Reject(reject) => {
                prop_assert!(!reject.refusal.detail.is_empty());
                prop_assert_eq!(reject.payload.len(), bytes);
            }
            Item::Status(status) => prop_assert!(matches!(status.link, Link::Online | Link::Offline)),
        }
    }

    #[test]
    fn a_damaged_frame_is_never_another_reading(at in 0_usize..60, bit in 0_u8..8, cut in prop::option::of(0_usize..60)) {
        let good = sample(1_787_227_200_000, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0), (catalogue::COOLANT_TEMP_C, 88.0)]);
        let mut bytes = frame_of("A", 7, 3, &[good.clone(), good]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Some(cut) = cut {
            bytes.truncate(cut % bytes.len());
        }
        let config = Settings::new("postgres://x", "mqtt://x").config();
        let topic = "polevod/v1/A/telemetry".to_string();
        let message = RawMessage { topic, payload: bytes.into(), received_at_ms: 1_787_227_200_000 };
        prop_assert!(matches!(prepare(message, &Rules::of(&config.clock)), Item::Reject(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_word_of_a_lost_machine_is_kept_as_its_state() {
    let (database, broker) = (Database::shared().await, Broker::start());
    let _ingest = InProcess::start(&Settings::new(&database.url, &broker.url()));
    let publisher = Publisher::connect(broker.port()).await;
    publisher.ingest_listens(&database).await;
    for (link, model) in [(Link::Online, Some("mtz-3522")), (Link::Offline, None)] {
        let status = Status { link, boot: None, model: model.map(String::from), firmware: Some("1.2".into()) };
        publisher.publish("polevod/v1/STATE/status", status.encode()).await;
    }
    let client = database.client().await;
    let query =
        "select link, model, firmware from machine join machine_state using (machine_id) where serial = 'STATE'";
    let state = crate::harness::eventually("the machine is off line", crate::harness::LONG, async || {
        let row = client.query_opt(query, &[]).await.unwrap()?;
        let state: (String, String, String) = (row.get(0), row.get(1), row.get(2));
        (state.0 == "offline").then_some(state)
    })
    .await;
    assert_eq!(state, ("offline".into(), "mtz-3522".into(), "1.2".into()));
}
