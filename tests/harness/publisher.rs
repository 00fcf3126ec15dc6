//! A client of the broker that publishes whatever a test gives it, and hears what machines are told.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use tokio::task::JoinHandle;
use wire::{
    Body, BootId, Compression, Frame, Header, Link, MachineSerial, Sample, SignalId, Status, Stored, Topic, TopicKind,
    columns_of,
};

use super::servers::Database;
use super::wait::{LONG, eventually};

/// A sample with these physical values.
pub(crate) fn sample(recorded_at_ms: i64, values: &[(SignalId, f64)]) -> Sample {
    let mut sample = Sample::at(recorded_at_ms);
    values.iter().for_each(|(signal, value)| sample.set(*signal, *value));
    sample
}

/// A binary frame of these samples.
pub(crate) fn frame_of(machine: &str, boot: u64, first_sequence: u64, samples: &[Sample]) -> Vec<u8> {
    let header = Header {
        machine: MachineSerial::parse(machine).unwrap(),
        boot: BootId::new(boot).unwrap(),
        first_sequence,
        count: u32::try_from(samples.len()).unwrap(),
        age_ms: 0,
    };
    wire::encode(&Frame { header, body: Body::Telemetry(columns_of(samples)) }, Compression::Zstd)
}

/// A connection to the broker.
pub(crate) struct Publisher {
    client: AsyncClient,
    published: AtomicU64,
    acknowledged: Arc<AtomicU64>,
    answers: Arc<Mutex<Vec<(MachineSerial, Stored)>>>,
    poll: JoinHandle<()>,
}

impl Publisher {
    /// Connects; the broker must not be killed as long as this lives.
    pub(crate) async fn connect(port: u16) -> Self {
        let mut options = MqttOptions::new(format!("publisher-{port}"), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30)).set_connection_timeout(10);
        let (client, mut event_loop) = AsyncClient::new(options, 1_000);
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let acknowledged = Arc::new(AtomicU64::new(0));
        let answers: Arc<Mutex<Vec<_>>> = Arc::default();
        let poll = tokio::spawn({
            let (acknowledged, answers) = (acknowledged.clone(), answers.clone());
            async move {
                let mut ready = Some(ready);
                loop {
                    match event_loop.poll().await.expect("the broker stays") {
                        Event::Incoming(Packet::SubAck(_)) => {
                            ready.take().map(|ready| ready.send(()));
                        }
                        Event::Incoming(Packet::PubAck(_)) => {
                            acknowledged.fetch_add(1, Relaxed);
                        }
                        Event::Incoming(Packet::Publish(publish)) => {
                            let topic = Topic::parse(std::str::from_utf8(&publish.topic).unwrap()).unwrap();
                            let stored = Stored::decode(&publish.payload).unwrap();
                            answers.lock().unwrap().push((topic.machine, stored));
                        }
                        _ => {}
                    }
                }
            }
        });
        client.subscribe(TopicKind::Stored.filter(), QoS::AtLeastOnce).await.unwrap();
        is_ready.await.unwrap();
        Self { client, published: AtomicU64::new(0), acknowledged, answers, poll }
    }

    /// Publishes with QoS 1.
    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.published.fetch_add(1, Relaxed);
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.into()).await.unwrap();
    }

    /// Publishes with QoS 0.
    pub(crate) async fn publish_once(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtMostOnce, false, payload.into()).await.unwrap();
    }

    /// Publishes a frame of samples.
    pub(crate) async fn send(&self, machine: &str, boot: u64, first_sequence: u64, samples: &[Sample]) {
        let frame = frame_of(machine, boot, first_sequence, samples);
        self.publish(&format!("polevod/v1/{machine}/telemetry"), frame).await;
    }

    /// Waits until the broker has everything that was published.
    pub(crate) async fn delivered(&self) {
        eventually("the broker has everything", LONG, async || {
            (self.acknowledged.load(Relaxed) >= self.published.load(Relaxed)).then_some(())
        })
        .await;
    }

    /// The last thing that `machine` was told.
    pub(crate) fn told(&self, machine: &str) -> Option<Stored> {
        let answers = self.answers.lock().unwrap();
        answers.iter().rev().find(|(serial, _)| serial.as_str() == machine).map(|(_, stored)| stored.clone())
    }

    /// Waits until `machine` was told that everything before `end` is accounted for.
    pub(crate) async fn told_up_to(&self, machine: &str, end: u64) {
        eventually(&format!("{machine} is told that it may free up to {end}"), LONG, async || {
            self.told(machine).filter(|stored| stored.contiguous_end >= end)
        })
        .await;
    }

    /// Waits until ingest takes messages: what is published from now on reaches it, now or when it comes back.
    pub(crate) async fn ingest_listens(&self, database: &Database) {
        let client = database.client().await;
        let status = Status { link: Link::Online, boot: None, model: None, firmware: None }.encode();
        let topic = format!("polevod/v1/LISTENER-{}/status", self.published.load(Relaxed));
        let machine = topic.split('/').nth(2).unwrap();
        eventually("ingest stores a status message", LONG, async || {
            self.publish(&topic, status.clone()).await;
            let row = client.query_opt("select from machine where serial = $1", &[&machine]).await.unwrap();
            row.map(|_| ())
        })
        .await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.poll.abort();
    }
}
