//! `stored` messages on their way to machines: the newest one of each boot, nothing queued behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use tokio::sync::{Notify, watch};
use wire::{MachineSerial, Topic, TopicKind};

use super::counters::Counters;
use crate::store::StoredBoot;

/// Most boots with an answer waiting. Beyond, answers are not kept: the machine sends again and asks anew.
const WAITING_MAX: usize = 100_000;
/// How long one message may wait for room in the connection.
const SEND_PATIENCE: Duration = Duration::from_secs(2);

/// Where lanes leave answers.
#[derive(Clone)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
    client: Arc<watch::Sender<Option<AsyncClient>>>,
}

struct Shared {
    // A std mutex: nothing is awaited while it is held.
    answers: Mutex<Answers>,
    filled: Notify,
}

#[derive(Default)]
struct Answers {
    waiting: HashMap<(MachineSerial, u64), StoredBoot>,
    /// Taken from `waiting` and not yet handed to the connection.
    leaving: bool,
}

impl Outbox {
    /// Leaves answers to be sent; an older one to the same boot is replaced.
    pub(super) fn push(&self, boots: Vec<StoredBoot>) {
        let mut answers = self.shared.lock();
        for boot in boots {
            let key = (boot.machine.clone(), boot.stored.boot);
            if answers.waiting.len() < WAITING_MAX || answers.waiting.contains_key(&key) {
                answers.waiting.insert(key, boot);
            }
        }
        drop(answers);
        self.shared.filled.notify_one();
    }

    /// The connection to send on, from now on.
    pub(super) fn connected(&self, client: Option<AsyncClient>) {
        self.client.send_replace(client);
    }

    /// Whether everything has been handed to the connection.
    pub(super) fn is_empty(&self) -> bool {
        let answers = self.shared.lock();
        answers.waiting.is_empty() && !answers.leaving
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().expect("no holder panics")
    }

    fn take(&self) -> HashMap<(MachineSerial, u64), StoredBoot> {
        let mut answers = self.lock();
        answers.leaving = !answers.waiting.is_empty();
        std::mem::take(&mut answers.waiting)
    }
}

/// An outbox, and the work of sending what it holds.
pub(super) fn new(counters: Arc<Counters>) -> (Outbox, impl Future<Output = ()> + Send) {
    let shared = Arc::new(Shared { answers: Mutex::default(), filled: Notify::new() });
    let (client, connected) = watch::channel(None);
    let sending = send(shared.clone(), connected, counters);
    (Outbox { shared, client: Arc::new(client) }, sending)
}

async fn send(shared: Arc<Shared>, mut connected: watch::Receiver<Option<AsyncClient>>, counters: Arc<Counters>) {
    loop {
        shared.filled.notified().await;
        let Ok(client) = connected.wait_for(Option::is_some).await.map(|client| client.clone()) else { return };
        let Some(client) = client else { continue };
        for boot in shared.take().into_values() {
            let topic = Topic::new(&boot.machine, TopicKind::Stored).to_string();
            // Once is enough: a machine that misses it sends again and is told again. Waiting for the broker's
            // acknowledgement would share a window with the PUBACKs and could stop them.
            let message = client.publish(topic, QoS::AtMostOnce, false, boot.stored.encode(boot.encoding));
            match tokio::time::timeout(SEND_PATIENCE, message).await {
                Ok(Ok(())) => counters.stored_message(),
                // The connection is gone, and the rest of the batch with it.
                _ => break,
            }
        }
        shared.lock().leaving = false;
    }
}
