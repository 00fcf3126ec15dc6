//! Alerts on their way out: a receiver of webhooks, a mail server and a broker that really speak their protocols.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedded::{Stack, StackOptions};
use polevod::config::{self, Config, Secret};
use polevod::derive::health::{Language, Severity};
use polevod::notify::{self, signature};
use polevod::store::health::{ChannelKind, NewChannel};
use polevod::store::{self, health as stored};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use serde_json::Value;
use tokio_postgres::Client;

const SECRET: &str = "0123456789abcdef0123";
/// How long a message may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server heard, one text a message.
type Heard = Arc<Mutex<Vec<String>>>;

/// A receiver of webhooks that answers with each of `answers` in turn, the last one for ever.
fn receiver(answers: &'static [&'static str]) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let said = heard.clone();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            said.lock().unwrap().push(read_request(&stream));
            let answer = answers[index.min(answers.len() - 1)];
            write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwhy?").unwrap();
        }
    });
    (format!("http://{address}/hook"), heard)
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request + &String::from_utf8(body).unwrap()
}

/// A mail server that takes every mail (RFC 5321, as much of it as a sender needs).
fn mail_server() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let said = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            write!(stream, "220 test\r\n").unwrap();
            while let Some(Ok(line)) = lines.next() {
                let answer = match line.split(' ').next().unwrap_or_default() {
                    "EHLO" => "250-test\r\n250 SIZE",
                    "RCPT" if line.contains("nobody@") => "550 no such mailbox",
                    "DATA" => {
                        write!(stream, "354 go on\r\n").unwrap();
                        let mail: Vec<_> = lines.by_ref().map(Result::unwrap).take_while(|line| line != ".").collect();
                        said.lock().unwrap().push(mail.join("\n"));
                        "250 taken"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                write!(stream, "{answer}\r\n").unwrap();
            }
        }
    });
    (format!("smtp://{address}"), heard)
}

struct Site {
    _stack: Stack,
    config: Config,
    client: Client,
}

impl Site {
    async fn new(environment: &[(&str, &str)]) -> Self {
        let stack =
            tokio::task::spawn_blocking(|| Stack::start(&StackOptions::default(), &|_| {}).unwrap()).await.unwrap();
        let own = [("POLEVOD_DATABASE_URL", stack.postgres.url()), ("POLEVOD_MQTT_URL", stack.mosquitto.url())];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let given = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = config::load(None, own.chain(given)).unwrap();
        let mut client = store::connect(&config.database).await.unwrap();
        store::migrate(&mut client).await.unwrap();
        client
            .batch_execute(
                "insert into machine (serial, name, model) values ('T1', 'Трактор 1', 'mtz-3522');
                 insert into alert (machine_id, subject, severity, opened_at, active, episode_count, state, state_at)
                 values (1, 'rule/coolant_hot', 3, '2026-08-21T02:00Z', true, 1, 'new', now())",
            )
            .await
            .unwrap();
        Self { _stack: stack, config, client }
    }

    async fn channel(&self, name: &str, kind: ChannelKind, target: &str) {
        let channel = NewChannel {
            name: name.into(),
            kind,
            target: target.into(),
            secret: Some(Secret::new(SECRET)),
            language: Language::En,
            severity_min: Severity::Urgent,
            models: Vec::new(),
            tell_gone: false,
        };
        let id = stored::add_channel(&self.client, &channel).await.unwrap();
        let body = r#"{"version": 1, "event": "opened", "alert": 1, "machine": "T1", "subject": "rule/coolant_hot",
            "severity": 3, "headline": "Трактор 1: urgent: coolant hot", "text": "Machine: Трактор 1\nWhat: coolant hot\n"}"#;
        let sql = format!(
            "insert into delivery (notify_channel_id, alert_id, health_episode_id, event, body)
             values ({id}, 1, 1, 'opened', '{body}')"
        );
        self.client.batch_execute(&sql).await.unwrap();
    }

    /// Delivers what is due, without the pause that a failure earns.
    async fn deliver(&self) -> usize {
        self.client.batch_execute("update delivery set next_attempt_at = now() where state = 'waiting'").await.unwrap();
        notify::deliver_due(&self.config).await.unwrap()
    }

    /// State, attempts and last error of the only delivery.
    async fn state(&self) -> (String, i32, String) {
        let row = stored::deliveries(&self.client, None, 10).await.unwrap().remove(0);
        (row.state, row.attempts, row.last_error.unwrap_or_default())
    }
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let line = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap();
    line.split_once(':').unwrap().1.trim()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_tried_again_and_delivered_once() {
    let site = Site::new(&[]).await;
    let (url, heard) = receiver(&["503 Busy", "200 OK"]);
    site.channel("dealer", ChannelKind::Webhook, &url).await;
    assert_eq!(site.deliver().await, 1);
    let (state, attempts, error) = site.state().await;
    assert_eq!((state.as_str(), attempts), ("waiting", 1));
    assert!(error.contains("503") && error.contains("why?"), "{error}");
    assert_eq!(notify::deliver_due(&site.config).await.unwrap(), 0, "not again before the pause is over");
    assert_eq!(site.deliver().await, 1);
    assert_eq!(site.state().await, ("delivered".into(), 2, String::new()));
    assert_eq!(site.deliver().await, 0);

    let heard = heard.lock().unwrap().clone();
    let [first, second] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(
        header(first, "polevod-delivery"),
        header(second, "polevod-delivery"),
        "a repeat is known by its number"
    );
    assert_eq!((header(first, "polevod-attempt"), header(second, "polevod-attempt")), ("1", "2"));
    let body = second.split("\r\n\r\n").nth(1).unwrap();
    let time = header(second, "polevod-signature").strip_prefix("t=").unwrap().split(',').next().unwrap();
    let expected = signature(&Secret::new(SECRET), time.parse().unwrap(), body.as_bytes());
    assert_eq!(header(second, "polevod-signature"), expected);
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((body["machine"].as_str(), body["alert"].as_i64()), (Some("T1"), Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_delivered_is_given_up_and_can_be_tried_again() {
    let site = Site::new(&[("POLEVOD_NOTIFY_ATTEMPTS_MAX", "3")]).await;
    let (url, heard) = receiver(&["500 No", "500 No", "500 No", "200 OK"]);
    site.channel("dealer", ChannelKind::Webhook, &url).await;
    for _ in 0..5 {
        site.deliver().await;
    }
    let (state, attempts, _) = site.state().await;
    assert_eq!((state.as_str(), attempts, heard.lock().unwrap().len()), ("dead", 3, 3));
    assert_eq!(stored::retry_dead(&site.client, Some("dealer")).await.unwrap(), 1);
    site.deliver().await;
    assert_eq!(site.state().await.0, "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_for_good_or_away_is_told_apart() {
    let site = Site::new(&[]).await;
    let (url, _) = receiver(&["410 Gone"]);
    site.channel("gone", ChannelKind::Webhook, &url).await;
    site.deliver().await;
    assert_eq!(site.state().await.0, "dead");
    site.client.batch_execute("delete from notify_channel").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    site.channel("away", ChannelKind::Webhook, &format!("http://{closed}/")).await;
    site.deliver().await;
    assert_eq!(site.state().await.0, "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_carries_headline_text_and_the_mark_of_a_program() {
    let (url, heard) = mail_server();
    let site =
        Site::new(&[("POLEVOD_NOTIFY_MAIL_URL", &url), ("POLEVOD_NOTIFY_MAIL_FROM", "Polevod <polevod@farm.example>")])
            .await;
    site.channel("mechanic", ChannelKind::Mail, "mechanic@farm.example").await;
    site.deliver().await;
    assert_eq!(site.state().await, ("delivered".into(), 1, String::new()));
    let mail = heard.lock().unwrap().remove(0);
    for expected in [
        "From: Polevod <polevod@farm.example>",
        "To: mechanic@farm.example",
        "Auto-Submitted: auto-generated",
        "References: <alert-1@farm.example>",
        "Subject: =?utf-8?b?",
    ] {
        assert!(mail.contains(expected), "{expected} is not in\n{mail}");
    }
    site.client.batch_execute("delete from notify_channel").await.unwrap();
    site.channel("nobody", ChannelKind::Mail, "nobody@farm.example").await;
    site.deliver().await;
    let (state, _, error) = site.state().await;
    assert!(state == "dead" && error.contains("no such mailbox"), "{state}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_published_on_the_topic_of_its_machine() {
    let site = Site::new(&[]).await;
    let url = &site.config.mqtt.url;
    let mut options = MqttOptions::new("listener", &url.host, url.port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut eventloop) = AsyncClient::new(options, 10);
    client.subscribe("polevod/alerts/#", QoS::AtLeastOnce).await.unwrap();
    while !matches!(eventloop.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    site.channel("bus", ChannelKind::Mqtt, "polevod/alerts/{machine}").await;
    let listen = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = eventloop.poll().await.unwrap() {
                return publish;
            }
        }
    };
    let (count, publish) = tokio::join!(site.deliver(), tokio::time::timeout(PATIENCE, listen));
    let publish = publish.unwrap();
    assert_eq!((count, site.state().await.0), (1, "delivered".into()));
    assert_eq!(publish.topic, "polevod/alerts/T1");
    let body: Value = serde_json::from_slice(&publish.payload).unwrap();
    assert_eq!(body["subject"].as_str(), Some("rule/coolant_hot"));
}
