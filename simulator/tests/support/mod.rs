//! A real broker, and the least a service must do: count what arrives and say what it has. Stands in for ingest in this
//! crate's tests.

#![allow(dead_code)] // Each test file uses its part.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use embedded::{Mosquitto, MosquittoOptions, Packages};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use simulator::{Options, Record, records_of};
use tokio::task::JoinHandle;
use wire::{BootId, MachineSerial, SequenceSet, Status, Stored, Topic, TopicKind};

/// Starts a broker of its own.
pub(crate) async fn broker(options: MosquittoOptions) -> Mosquitto {
    let start = move || Mosquitto::start(&packages(), &options).expect("Mosquitto starts");
    tokio::task::spawn_blocking(start).await.expect("the start does not panic")
}

pub(crate) fn packages() -> Packages {
    static PACKAGES: LazyLock<Packages> = LazyLock::new(|| Packages::ensure(&|_| {}).expect("the servers unpack"));
    PACKAGES.clone()
}

/// Options for a run against `broker`, with patience of tests.
pub(crate) fn options(broker: &Mosquitto) -> Options {
    Options {
        broker_url: broker.url(),
        resend_after: Duration::from_millis(500),
        drain_timeout: Duration::from_secs(60),
        ..Options::default()
    }
}

/// What has arrived of one boot.
#[derive(Debug, Default, Clone)]
pub(crate) struct BootStore {
    pub(crate) accounted: SequenceSet,
    pub(crate) records: BTreeMap<u64, Record>,
}

/// What has arrived.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) boots: BTreeMap<(MachineSerial, BootId), BootStore>,
    /// Every status in the order it came.
    pub(crate) statuses: BTreeMap<MachineSerial, Vec<Status>>,
    pub(crate) refused: u64,
    pub(crate) duplicates: u64,
    pub(crate) json_frames: u64,
}

impl Store {
    pub(crate) fn records(&self) -> u64 {
        self.boots.values().map(|boot| boot.accounted.count()).sum()
    }

    pub(crate) fn records_of(&self, machine: &str) -> u64 {
        let own = self.boots.iter().filter(|((serial, _), _)| serial.as_str() == machine);
        own.map(|(_, boot)| boot.accounted.count()).sum()
    }
}

/// How the stand-in behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Loses every so manieth answer; 0 loses none.
    pub(crate) lose_every: u64,
    /// Stores and never says so.
    pub(crate) is_silent: bool,
}

/// A stand-in for the service.
pub(crate) struct Responder {
    pub(crate) store: Arc<Mutex<Store>>,
    task: JoinHandle<()>,
}

impl Responder {
    /// Connects to `broker`.
    pub(crate) async fn start(broker: &Mosquitto, habits: Habits) -> Self {
        let mut options = MqttOptions::new(format!("responder-{}", broker.port()), "127.0.0.1", broker.port());
        options
            .set_keep_alive(Duration::from_secs(20))
            .set_receive_maximum(Some(1_000))
            .set_max_packet_size(Some(1 << 20));
        let (client, mut event_loop) = AsyncClient::new(options, 10_000);
        let filters = TopicKind::UP.map(|kind| Filter::new(kind.filter(), QoS::AtLeastOnce));
        client.try_subscribe_many(filters).expect("the queue is empty");
        let store = Arc::new(Mutex::new(Store::default()));
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let task = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut ready = Some(ready);
                let mut answers = 0u64;
                while let Ok(event) = event_loop.poll().await {
                    match event {
                        Event::Incoming(Packet::SubAck(_)) => {
                            ready.take().map(|ready| ready.send(()));
                        }
                        Event::Incoming(Packet::Publish(publish)) => {
                            let topic = std::str::from_utf8(&publish.topic).expect("topics are text");
                            let topic = Topic::parse(topic).expect("machines use our topics");
                            let Some(stored) = take(&store, &topic, &publish.payload) else { continue };
                            answers += 1;
                            let loses = habits.lose_every > 0 && answers.is_multiple_of(habits.lose_every);
                            if habits.is_silent || loses {
                                continue;
                            }
                            let down = Topic::new(&topic.machine, TopicKind::Stored).to_string();
                            // A full queue loses the answer; the unit asks again.
                            let _ = client.try_publish(down, QoS::AtLeastOnce, false, stored);
                        }
                        _ => {}
                    }
                }
            }
        });
        is_ready.await.expect("the broker takes the subscription");
        Self { store, task }
    }

    /// Looks at what has arrived until `is_enough`; gives what was seen then.
    pub(crate) async fn until<T>(&self, mut is_enough: impl FnMut(&Store) -> Option<T>) -> T {
        let look = async {
            loop {
                let found = is_enough(&self.store.lock().expect("no test holds it while it panics"));
                match found {
                    Some(found) => return found,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), look).await.expect("it arrives within a minute")
    }

    pub(crate) fn stop(self) -> Store {
        self.task.abort();
        std::mem::take(&mut *self.store.lock().expect("no test holds it while it panics"))
    }
}

fn take(store: &Mutex<Store>, topic: &Topic, payload: &[u8]) -> Option<Vec<u8>> {
    let mut store = store.lock().expect("no test holds it while it panics");
    if topic.kind == TopicKind::Status {
        let status = Status::decode(payload).expect("units send good statuses");
        store.statuses.entry(topic.machine.clone()).or_default().push(status);
        return None;
    }
    let Ok(decoded) = wire::decode(payload) else {
        store.refused += 1;
        return None;
    };
    assert!(decoded.dropped.is_empty(), "{:?}", decoded.dropped);
    store.json_frames += u64::from(decoded.encoding == wire::Encoding::Json);
    let header = &decoded.frame.header;
    assert_eq!(header.machine, topic.machine);
    let boot = store.boots.entry((header.machine.clone(), header.boot)).or_default();
    let run = SequenceSet::from_range(header.sequences());
    let duplicates = run.intersection(&boot.accounted).count();
    boot.accounted.extend(&run);
    for (sequence, record) in header.sequences().zip(records_of(&decoded.frame.body)) {
        let earlier = boot.records.insert(sequence, record.clone());
        assert!(earlier.is_none_or(|earlier| earlier == record), "a record sent again is the same record");
    }
    let stored = Stored::of(header.boot, &boot.accounted).encode(decoded.encoding);
    store.duplicates += duplicates;
    Some(stored)
}
