//! PUBACKs, in the order in which the broker delivered.
//!
//! MQTT demands that order ([MQTT-4.6.0-2]), lanes finish in any. Each connection has its own task and its own
//! order: a receipt of a connection that is gone leads nowhere, so an old packet number can never acknowledge a
//! new message. The task is not the one that polls: polling is what makes room for acknowledgements.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::v5::Publish;
use tokio::sync::mpsc;

/// The right to acknowledge one message, once.
#[derive(Debug)]
pub(super) struct Receipt {
    index: u64,
    done: mpsc::Sender<u64>,
}

impl Receipt {
    /// Whether the connection that delivered the message is gone; the broker will deliver it again.
    pub(super) fn is_stale(&self) -> bool {
        self.done.is_closed()
    }

    /// The message has been dealt with for good.
    pub(super) async fn done(self) {
        // An error means that the connection is gone: the broker delivers again, the ledger says it knows.
        let _ = self.done.send(self.index).await;
    }
}

/// Gives out receipts in the order of delivery.
pub(super) struct Receipts {
    next: u64,
    deliveries: mpsc::Sender<Publish>,
    done: mpsc::Sender<u64>,
    progress: Arc<Progress>,
}

/// How many messages are with us, and how many acknowledgements have left.
#[derive(Debug, Default)]
pub(super) struct Progress {
    received: AtomicU64,
    acknowledged: AtomicU64,
    left: AtomicBool,
}

impl Progress {
    /// Messages received and acknowledged so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.received.load(Relaxed), self.acknowledged.load(Relaxed))
    }

    /// Whether messages were left with the broker for want of room; it sends them again on the next connection alone.
    pub(super) fn has_left(&self) -> bool {
        self.left.load(Relaxed)
    }

    /// A message was left with the broker.
    pub(super) fn leave(&self) {
        self.left.store(true, Relaxed);
    }
}

/// The broker has sent more than it was allowed to.
#[derive(Debug)]
pub(super) struct Flood;

impl Receipts {
    /// A receipt for a message just delivered. Never waits: the caller polls the connection.
    pub(super) fn give(&mut self, publish: Publish) -> Result<Receipt, Flood> {
        self.deliveries.try_send(publish).map_err(|_| Flood)?;
        self.progress.received.fetch_add(1, Relaxed);
        let index = self.next;
        self.next += 1;
        Ok(Receipt { index, done: self.done.clone() })
    }
}

/// Starts the acknowledging of one connection, for at most `window` messages under way.
pub(super) fn start(client: AsyncClient, window: usize) -> (Receipts, tokio::task::JoinHandle<()>, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    // Twice the window: what the broker was told of as acknowledged may not have left this queue yet.
    let (deliveries, delivered) = mpsc::channel(2 * window);
    let (done, finished) = mpsc::channel(2 * window);
    let task = tokio::spawn(acknowledge(client, delivered, finished, progress.clone()));
    (Receipts { next: 0, deliveries, done, progress: progress.clone() }, task, progress)
}

async fn acknowledge(
    client: AsyncClient,
    mut delivered: mpsc::Receiver<Publish>,
    mut finished: mpsc::Receiver<u64>,
    progress: Arc<Progress>,
) {
    let mut order = AckOrder::default();
    let mut waiting: VecDeque<Publish> = VecDeque::new();
    while let Some(index) = finished.recv().await {
        for _ in 0..order.complete(index) {
            // Each receipt was given after its delivery was sent, so the delivery is there.
            while let Ok(publish) = delivered.try_recv() {
                waiting.push_back(publish);
            }
            let Some(publish) = waiting.pop_front() else { return };
            if client.ack(&publish).await.is_err() {
                return;
            }
            progress.acknowledged.fetch_add(1, Relaxed);
        }
    }
}

/// Turns completions in any order into a run that begins at the first delivery.
#[derive(Debug, Default)]
struct AckOrder {
    first: u64,
    done: VecDeque<bool>,
}

impl AckOrder {
    /// Notes that delivery `index` is done; returns how many deliveries from the front may now be acknowledged.
    fn complete(&mut self, index: u64) -> usize {
        let Some(offset) = index.checked_sub(self.first) else { return 0 };
        let offset = offset as usize;
        if self.done.len() <= offset {
            self.done.resize(offset + 1, false);
        }
        self.done[offset] = true;
        let ready = self.done.iter().take_while(|done| **done).count();
        self.done.drain(..ready);
        self.first += ready as u64;
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_wait_for_the_ones_before_them() {
        let mut order = AckOrder::default();
        let released: Vec<_> = [2, 1, 4, 0, 3, 5, 5].into_iter().map(|index| order.complete(index)).collect();
        assert_eq!(released, [0, 0, 0, 3, 2, 1, 0]);
    }
}
