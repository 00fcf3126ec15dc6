//! Captures: the service side against simulated machines, and against units that behave otherwise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use polevod::api::{self, Shared};
use polevod::capture::{self, CaptureError, News, Outcome, Wanted};
use polevod::store::{self, Pool, Reach, Scope};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use simulator::FleetConfig;
use tokio::sync::watch;
use ureq::Agent;
use wire::{Answer, BootId, Captured, Link, MachineSerial, Refusal, Request, Status, Topic, TopicKind};

use crate::harness::{Broker, Database, Fleet, InProcess, LONG, Settings, blocking, eventually};

fn wanted(machine: &str, signals: &[&str]) -> Wanted {
    Wanted {
        machine: MachineSerial::parse(machine).unwrap(),
        signals: signals.iter().map(ToString::to_string).collect(),
        rate_hz: 5.0,
        duration_s: 4,
        asked_by: "engineer Ivanova".into(),
        reach: Reach::Everything,
    }
}

/// A database that knows these machines, a broker, and settings for both.
async fn site(machines: &[&str]) -> (Database, Broker, Settings, Pool) {
    let database = Database::shared().await;
    for machine in machines {
        database.run(&format!("insert into machine (serial) values ('{machine}')")).await;
    }
    let broker = Broker::start();
    let settings = Settings::new(&database.url, &broker.url());
    let pool = Pool::new(settings.config().database);
    (database, broker, settings, pool)
}

/// A request as a unit heard it, with its response topic.
type Asked = (Request, Option<String>);

/// A unit that answers a request as it is told: each answer is made from the request.
struct Unit {
    heard: Arc<Mutex<Vec<Asked>>>,
    _task: tokio::task::JoinHandle<()>,
}

impl Unit {
    /// Answers where the request says, or on its own topic as a unit of MQTT 3.1.1 must.
    async fn start(port: u16, machine: &str, obeys_response_topic: bool, answers: fn(&str) -> Vec<Answer>) -> Self {
        let machine = MachineSerial::parse(machine).unwrap();
        let mut options = MqttOptions::new(format!("unit-{machine}"), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 100);
        let heard: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let task = tokio::spawn({
            let heard = heard.clone();
            async move {
                let mut ready = Some(ready);
                let topic = Topic::new(&machine, TopicKind::Request).to_string();
                client.try_subscribe_many([Filter::new(topic, QoS::AtLeastOnce)]).unwrap();
                while let Ok(event) = events.poll().await {
                    match event {
                        Event::Incoming(Packet::SubAck(_)) => drop(ready.take().map(|ready| ready.send(()))),
                        Event::Incoming(Packet::Publish(publish)) => {
                            let request = Request::decode(&publish.payload).unwrap();
                            let properties = publish.properties.unwrap_or_default();
                            let response = properties.response_topic.clone();
                            heard.lock().unwrap().push((request.clone(), response.clone()));
                            let own = Topic::new(&machine, TopicKind::Answer).to_string();
                            let topic = if obeys_response_topic { response.unwrap() } else { own };
                            for answer in answers(&request.request) {
                                let properties = PublishProperties {
                                    correlation_data: properties
                                        .correlation_data
                                        .clone()
                                        .filter(|_| obeys_response_topic),
                                    ..PublishProperties::default()
                                };
                                let payload = answer.encode();
                                client
                                    .try_publish_with_properties(&topic, QoS::AtLeastOnce, false, payload, properties)
                                    .unwrap();
                            }
                        }
                        _ => {}
                    }
                }
            }
        });
        is_ready.await.unwrap();
        Self { heard, _task: task }
    }
}

fn captured(samples: u32) -> Captured {
    Captured { boot: BootId::new(7).unwrap(), first_sequence: 100, end_sequence: 150, samples }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_machine_is_asked_and_its_records_come_in_by_ingest() {
    let (database, broker, settings, pool) = site(&[]).await;
    let ingest = InProcess::start(&settings);
    // Real time: a capture lasts as long as it says.
    let config =
        FleetConfig { seed: 5, machines: 2, accelerate: 1.0, serial_prefix: "CAP".into(), ..FleetConfig::default() };
    let fleet = Fleet::start(config, &broker.url());
    let client = database.client().await;
    // A machine on line that reports the speed of its engine.
    let machine = eventually("a machine is on line and stored", LONG, async || {
        let query = "select serial from machine join machine_state using (machine_id)
                     where link = 'online' and engine_speed_rpm is not null order by serial limit 1";
        client.query_opt(query, &[]).await.unwrap().map(|row| row.get::<_, String>(0))
    })
    .await;
    let wanted = wanted(&machine, &["engine_speed_rpm", "rail_pressure_mpa", "spn_520192"]);
    let entered = capture::enter(&pool, &wanted).await.unwrap();
    let mut news = Vec::new();
    let outcome = capture::run(&pool, &settings.config().mqtt, &entered, |item| news.push(item)).await.unwrap();
    let Outcome::Done(captured) = outcome else { panic!("{outcome:?} after {news:?}") };
    assert!(news.contains(&News::Asked), "{news:?}");
    let accepted = news.iter().find_map(|item| match item {
        News::Accepted { samples_expected, missing } => Some((*samples_expected, missing.clone())),
        _ => None,
    });
    let (expected, missing) = accepted.expect("accepted before done");
    assert_eq!(expected, 20, "5 a second for 4 seconds");
    assert!(missing.contains(&"spn_520192".to_owned()), "{missing:?}");
    assert!(captured.samples > 0 && captured.samples <= expected, "{captured:?}");

    // The records are telemetry: they come in by ingest, under the numbers that the answer names.
    let records = (captured.end_sequence - captured.first_sequence).cast_signed();
    eventually("the records are stored", LONG, async || {
        let stored = store::stored_of_capture(&client, entered.machine_id, &captured).await.unwrap();
        (stored == records).then_some(())
    })
    .await;
    let row = store::capture_by_request(&client, &entered.request.request).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.asked_by.as_str(), row.machine), ("done", "engineer Ivanova", machine));
    assert_eq!((row.samples, row.missing), (Some(captured.samples.cast_signed()), missing));
    fleet.cut().await;
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_and_kept() {
    let (database, broker, settings, pool) = site(&["M-1"]).await;
    let unit = Unit::start(broker.port(), "M-1", true, |request| {
        let other = Answer::Done { request: "somebody-elses".into(), captured: captured(1) };
        let refusal =
            Answer::Refused { request: request.into(), reason: Refusal::Busy, detail: "2 captures run".into() };
        vec![other, refusal]
    })
    .await;
    let entered = capture::enter(&pool, &wanted("M-1", &["engine_speed_rpm"])).await.unwrap();
    let outcome = capture::run(&pool, &settings.config().mqtt, &entered, |_| {}).await.unwrap();
    assert_eq!(outcome, Outcome::Refused { reason: Refusal::Busy, detail: "2 captures run".into() });
    let (request, response) = unit.heard.lock().unwrap()[0].clone();
    assert_eq!(request, entered.request);
    assert_eq!(response.unwrap(), format!("polevod/v1/M-1/answer/{}", request.request));
    let row = store::capture_by_request(&database.client().await, &request.request).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.detail.as_deref()), ("refused", Some("2 captures run")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_without_response_topics_is_heard_on_its_own_topic() {
    let (database, broker, settings, pool) = site(&["M-2"]).await;
    let _unit = Unit::start(broker.port(), "M-2", false, |request| {
        let request = request.to_owned();
        vec![
            Answer::Accepted { request: request.clone(), samples_expected: 20, missing: vec![] },
            Answer::Progress { request: request.clone(), captured: captured(10) },
            Answer::Done { request, captured: captured(20) },
        ]
    })
    .await;
    let entered = capture::enter(&pool, &wanted("M-2", &["engine_speed_rpm"])).await.unwrap();
    let mut news = Vec::new();
    let outcome = capture::run(&pool, &settings.config().mqtt, &entered, |item| news.push(item)).await.unwrap();
    assert_eq!(outcome, Outcome::Done(captured(20)));
    assert!(news.contains(&News::Progress(captured(10))), "{news:?}");
    let row = store::capture_by_request(&database.client().await, &entered.request.request).await.unwrap().unwrap();
    assert_eq!((row.boot, row.first_sequence, row.end_sequence), (Some(7), Some(100), Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_asks_over_http_and_looks_how_far_it_is() {
    let (database, broker, settings, _) = site(&["M-5"]).await;
    let _unit = Unit::start(broker.port(), "M-5", true, |request| {
        vec![Answer::Done { request: request.into(), captured: captured(20) }]
    })
    .await;
    let config = settings.with("http.listen", "127.0.0.1:0").config();
    let listener = api::bind(&config).await.unwrap().unwrap();
    let address = listener.address().unwrap();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(listener.serve(Shared::new(&config, None), stopped));
    let client = database.client().await;
    let token =
        store::create_token(&client, "engineer Ivanova", &[Scope::Capture], Reach::Everything, None).await.unwrap();
    let stranger = store::create_token(&client, "portal", &[Scope::Aemp], Reach::Everything, None).await.unwrap();
    let organisation = store::enter_organisation(&client, "Колос").await.unwrap();
    let limited = Reach::Organisation(organisation);
    let neighbour = store::create_token(&client, "neighbour", &[Scope::Capture], limited, None).await.unwrap();
    let send = |machine: &str, token: &str, body: &str| {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("http://{address}/api/v1/machines/{machine}/captures"));
        let request = request.header("Authorization", format!("Bearer {token}"));
        let answer = blocking(|| request.send(body).unwrap());
        (answer.status().as_u16(), answer.headers().get("location").map(|at| at.to_str().unwrap().to_owned()))
    };
    let body = r#"{"signals":["engine_speed_rpm"],"rate_hz":5,"duration_s":4}"#;
    assert_eq!(send("M-5", &stranger, body).0, 403);
    assert_eq!(send("NOBODY", &token, body).0, 404);
    assert_eq!(send("M-5", &neighbour, body).0, 404, "it is a machine of somebody else");
    assert_eq!(send("M-5", &token, r#"{"signals":[],"rate_hz":5,"duration_s":4}"#).0, 400);
    let (status, location) = send("M-5", &token, body);
    assert_eq!(status, 202);
    let request = location.unwrap().strip_prefix("/api/v1/captures/").unwrap().to_owned();
    let look = |token: &str| {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let asked = agent.get(format!("http://{address}/api/v1/captures/{request}"));
        blocking(|| asked.header("Authorization", format!("Bearer {token}")).call().unwrap().status().as_u16())
    };
    assert_eq!((look(&token), look(&neighbour)), (200, 404));
    let done = eventually("the capture is done", LONG, async || {
        let agent = Agent::new_with_defaults();
        let asked = agent.get(format!("http://{address}/api/v1/captures/{request}"));
        let asked = asked.header("Authorization", format!("Bearer {token}"));
        let text = blocking(|| asked.call().unwrap().into_body().read_to_string().unwrap());
        let row: serde_json::Value = serde_json::from_str(&text).unwrap();
        (row["state"] == "done").then_some(row)
    })
    .await;
    assert_eq!((&done["asked_by"], &done["samples"]), (&"engineer Ivanova".into(), &20.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_off_is_not_waited_for() {
    let (database, broker, settings, pool) = site(&["M-3"]).await;
    let mut options = MqttOptions::new("the-last-word-of-M-3", "127.0.0.1", broker.port());
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut events) = AsyncClient::new(options, 10);
    let offline = Status { link: Link::Offline, boot: None, model: None, firmware: None };
    client.try_publish("polevod/v1/M-3/status", QoS::AtLeastOnce, true, offline.encode()).unwrap();
    loop {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
            break;
        }
    }
    let entered = capture::enter(&pool, &wanted("M-3", &["engine_speed_rpm"])).await.unwrap();
    let outcome = capture::run(&pool, &settings.config().mqtt, &entered, |_| {}).await.unwrap();
    assert_eq!(outcome, Outcome::Offline);
    let row = store::capture_by_request(&database.client().await, &entered.request.request).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.detail.as_deref()), ("silent", Some("the machine is offline")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_machine_would_refuse_and_whom_nobody_knows_is_refused_before_asking() {
    let (database, _broker, settings, pool) = site(&["M-4"]).await;
    let enter = async |wanted: Wanted| match capture::enter(&pool, &wanted).await {
        Ok(entered) => panic!("entered {entered:?}"),
        Err(error) => error.to_string(),
    };
    let good = || wanted("M-4", &["engine_speed_rpm"]);
    let fast = enter(Wanted { rate_hz: 50.0, ..good() }).await;
    assert!(fast.contains("rate_hz = 50"), "{fast}");
    let long = enter(Wanted { duration_s: 601, ..good() }).await;
    assert!(long.contains("duration_s = 601"), "{long}");
    let unknown = enter(wanted("M-4", &["engine_sped_rpm"])).await;
    assert!(unknown.contains("engine_sped_rpm"), "{unknown}");
    let nobody = enter(wanted("NOBODY", &["engine_speed_rpm"])).await;
    assert_eq!(nobody, "machine NOBODY is not known; `polevod status` lists the fleet");
    assert_eq!(database.number("select count(*) from capture").await, 0);

    // A broker that is not there ends the capture, and the audit says so.
    let mut config = settings.config();
    config.mqtt.url = "mqtt://127.0.0.1:1".parse().unwrap();
    let entered = capture::enter(&pool, &good()).await.unwrap();
    let error = capture::run(&pool, &config.mqtt, &entered, |_| {}).await.unwrap_err();
    assert!(matches!(error, CaptureError::Broker(_)), "{error}");
    assert_eq!(database.number("select count(*) from capture where state = 'failed'").await, 1);
}
