//! One unit and its link: who it is, what it answers, and what the broker says of it when it is lost.

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use std::time::Duration;

use certificates::Authority;
use embedded::{Mosquitto, MosquittoOptions};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use simulator::conditions::{ByCoverage, NetworkRules};
use simulator::{Conditions, FleetConfig, Identities, Options, Report, SimulatorError, Stop, run, stop_switch};
use support::{Habits, Responder, broker, options};
use tokio::task::JoinHandle;
use wire::{Answer, Link, MachineSerial, Request, Topic, TopicKind};

fn one(serial_prefix: &str) -> FleetConfig {
    FleetConfig {
        machines: 1,
        // In harvest, so that it works on whatever day the test runs.
        starts_at: "2026-08-20T02:00:00Z".parse().expect("a time"),
        accelerate: 20.0,
        serial_prefix: serial_prefix.into(),
        ..FleetConfig::default()
    }
}

fn start(fleet: FleetConfig, options: Options, stop: Stop) -> JoinHandle<Result<Report, SimulatorError>> {
    tokio::spawn(run(fleet, options, |_| {}, stop))
}

/// The only machine that says it is on line.
async fn online(responder: &Responder) -> MachineSerial {
    responder.until(|store| store.statuses.keys().next().cloned()).await
}

/// Asks a machine, and gives every answer up to the last one with its correlation data.
async fn ask(
    broker: &Mosquitto,
    machine: &MachineSerial,
    request: &Request,
    response_topic: Option<&str>,
) -> Vec<(Answer, Option<bytes::Bytes>)> {
    let (client, mut event_loop) =
        AsyncClient::new(MqttOptions::new(format!("desk-{}", request.request), "127.0.0.1", broker.port()), 10);
    let listen = Topic::of_answer(machine, response_topic);
    client.try_subscribe(listen, QoS::AtLeastOnce).expect("the queue is empty");
    let mut answers = Vec::new();
    loop {
        match event_loop.poll().await.expect("the broker stays") {
            Event::Incoming(Packet::SubAck(_)) => {
                let properties = PublishProperties {
                    response_topic: response_topic.map(str::to_string),
                    correlation_data: response_topic.map(|_| "desk 7".into()),
                    ..PublishProperties::default()
                };
                let topic = Topic::new(machine, TopicKind::Request).to_string();
                let sent =
                    client.try_publish_with_properties(topic, QoS::AtLeastOnce, false, request.encode(), properties);
                sent.expect("the queue has room");
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let answer = Answer::decode(&publish.payload).expect("units answer well");
                let is_last = answer.is_last();
                answers.push((answer, publish.properties.and_then(|properties| properties.correlation_data)));
                if is_last {
                    return answers;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_is_answered_where_it_was_asked_and_its_samples_are_stored() {
    let broker = broker(MosquittoOptions::default()).await;
    let responder = Responder::start(&broker, Habits::default()).await;
    let (switch, stop) = stop_switch();
    let running = start(one("C1"), options(&broker), stop);
    let machine = online(&responder).await;
    responder.until(|store| (store.records() > 0).then_some(())).await;
    let request = |identity: &str, signals: &[&str]| Request {
        request: identity.into(),
        signals: signals.iter().map(|name| (*name).to_string()).collect(),
        rate_hz: 5.0,
        duration_s: 20,
    };
    let topic = format!("polevod/v1/{machine}/answer/desk-7");
    let answers = ask(&broker, &machine, &request("R1", &["engine_speed_rpm", "siren_on"]), Some(&topic)).await;
    let expected = Answer::Accepted { request: "R1".into(), samples_expected: 100, missing: vec!["siren_on".into()] };
    assert_eq!(answers[0].0, expected);
    assert!(answers.iter().all(|(_, correlation)| correlation.as_deref() == Some(b"desk 7")));
    let Some((Answer::Done { captured, .. }, _)) = answers.last() else { panic!("{answers:?}") };
    assert_eq!(captured.samples, 100);
    let own = (machine.clone(), captured.boot);
    let all = responder
        .until(|store| {
            let boot = store.boots.get(&own)?;
            let found: Vec<_> =
                boot.records.range(captured.first_sequence..captured.end_sequence).map(|(_, r)| r.clone()).collect();
            (found.len() as u64 == captured.end_sequence - captured.first_sequence).then_some(found)
        })
        .await;
    assert!(all.len() >= 100, "usual samples lie between them");
    let (refused, _) = ask(&broker, &machine, &request("R2", &["siren_on"]), None).await.remove(0);
    assert!(matches!(refused, Answer::Refused { .. }), "{refused:?}");
    switch.stop();
    let report = running.await.expect("no panic").expect("the fleet runs");
    assert_eq!((report.requests_received, report.pending), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_loses_its_network_is_spoken_for_by_its_will() {
    let broker = broker(MosquittoOptions::default()).await;
    let responder = Responder::start(&broker, Habits::default()).await;
    let network = NetworkRules {
        gaps_per_hour: ByCoverage::everywhere(20.0),
        gap_median_s: 60.0,
        gap_p95_s: 70.0,
        ..NetworkRules::default()
    };
    let fleet = FleetConfig { conditions: Conditions { network, ..Conditions::default() }, ..one("W1") };
    let (switch, stop) = stop_switch();
    let running = start(fleet, options(&broker), stop);
    let links = responder
        .until(|store| {
            let links: Vec<_> = store.statuses.values().next()?.iter().map(|status| status.link).collect();
            (links.len() >= 4).then_some(links)
        })
        .await;
    assert_eq!(links[..4], [Link::Online, Link::Offline, Link::Online, Link::Offline]);
    switch.stop();
    let report = running.await.expect("no panic").expect("the fleet runs");
    let store = responder.stop();
    assert!(report.reconnects > 0, "the connection itself was broken");
    assert_eq!((report.pending, store.records()), (0, report.records_recorded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_show_their_own_certificates() {
    let authority = Authority::new();
    for name in ["broker", "X1-gs12-00000", "X1-gs12-00001"] {
        authority.issue(name);
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port").port();
    let at = |file: &str| authority.folder().join(file).display().to_string();
    let broker = broker(MosquittoOptions {
        extra_config: vec![
            format!("listener {port} 127.0.0.1"),
            format!("cafile {}", at("ca.crt")),
            format!("certfile {}", at("broker.crt")),
            format!("keyfile {}", at("broker.key")),
            "require_certificate true".into(),
            "use_identity_as_username true".into(),
        ],
        visible_folders: vec![authority.folder().to_path_buf()],
        ..MosquittoOptions::default()
    })
    .await;
    let responder = Responder::start(&broker, Habits::default()).await;
    let identities = Identities {
        authorities: Some(authority.ca()),
        certificates: Some(authority.folder().to_path_buf()),
        passwords: None,
    };
    let units = FleetConfig { models: vec!["gs12".into()], ..one("X1") };
    let fleet = FleetConfig { machines: 2, ..units.clone() };
    let options = Options {
        broker_url: format!("mqtts://127.0.0.1:{port}"),
        identities: Some(identities),
        run_for: Some(Duration::from_secs(2)),
        ..options(&broker)
    };
    let report = run(fleet.clone(), options.clone(), |_| {}, Stop::never()).await.expect("the fleet runs");
    assert_eq!((report.pending, responder.stop().records()), (0, report.records_recorded));
    assert!(report.records_recorded > 0);
    let shared = Options { connections: 1, ..options.clone() };
    let error = run(fleet, shared, |_| {}, Stop::never()).await.expect_err("too few").to_string();
    assert!(error.contains("units with an identity of their own need a connection each"), "{error}");
    let stranger = FleetConfig { machines: 3, ..units };
    let error = run(stranger, options, |_| {}, Stop::never()).await.expect_err("no certificate").to_string();
    assert!(error.contains("X1-gs12-00002.crt"), "{error}");
}
