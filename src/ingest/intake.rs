//! Where messages wait for their lane. Accepting one never waits: the connection is polled, and so stays alive,
//! whatever the database does. What is accepted is bounded twice: by the broker's promise to send no more than
//! `receive_maximum` messages ahead, and by [`HELD_BYTES_MAX`]. What comes without that promise (QoS 0) has a small share
//! of its own.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use rumqttc::v5::mqttbytes::v5::Publish;
use tokio::sync::Notify;

use super::ack::{Flood, Receipt, Receipts};
use super::prepare::RawMessage;

/// Bytes of messages that wait or are being stored, in all. The usual frame has a few hundred bytes and the window is
/// full before this; frames of 64 KiB fill this long before the window.
const HELD_BYTES_MAX: usize = 48 * 1024 * 1024;

/// A message that was taken in.
pub(super) struct Delivery {
    pub(super) message: RawMessage,
    /// The right to acknowledge it. Messages of QoS 0 have none.
    pub(super) receipt: Option<Receipt>,
    /// To be dropped when nothing of the message is kept any more.
    pub(super) held: Held,
}

/// The room that a message takes, free again when this is dropped.
pub(super) struct Held {
    bytes: usize,
    total: Arc<AtomicUsize>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Relaxed);
    }
}

/// Of `receive_maximum`, the part that messages without acknowledgement may add in all.
const WITHOUT_RECEIPT_DIVISOR: usize = 8;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// It waits for its lane.
    Waits,
    /// No room, and none was promised: it is gone, its machine sends it again.
    Dropped,
    /// No room for its bytes: it stays with the broker.
    Left,
    /// Nothing is accepted any more: the broker keeps it.
    Closed,
}

/// The waiting rooms of all lanes.
pub(super) struct Intake {
    lanes: Vec<Arc<Queue>>,
    held: Arc<AtomicUsize>,
    held_bytes_max: usize,
    /// Held while a message enters, so that closing leaves no message with a receipt behind.
    open: Mutex<bool>,
}

/// The waiting room of one lane, which alone takes from it.
pub(super) struct Queue {
    // A std mutex: nothing is awaited while it is held.
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
    without_receipt_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Delivery>,
    without_receipt: usize,
    closed: bool,
}

impl Intake {
    /// Rooms for `lanes` lanes and `receive_maximum` messages.
    pub(super) fn new(lanes: usize, receive_maximum: usize) -> Self {
        let queue = || Queue {
            state: Mutex::default(),
            changed: Notify::new(),
            // All of them may be for one lane.
            capacity: receive_maximum,
            without_receipt_max: (receive_maximum / WITHOUT_RECEIPT_DIVISOR / lanes).max(1),
        };
        Self {
            lanes: (0..lanes).map(|_| Arc::new(queue())).collect(),
            held: Arc::default(),
            held_bytes_max: HELD_BYTES_MAX,
            open: Mutex::new(true),
        }
    }

    /// The waiting room of each lane.
    pub(super) fn lanes(&self) -> impl Iterator<Item = Arc<Queue>> + '_ {
        self.lanes.iter().cloned()
    }

    /// Takes a message in, and gives its receipt where there is room; none for a message of QoS 0.
    pub(super) fn accept(
        &self,
        message: RawMessage,
        receipt: Option<(&mut Receipts, Publish)>,
    ) -> Result<Accepted, Flood> {
        let open = self.open.lock().expect("no holder panics");
        if !*open {
            return Ok(Accepted::Closed);
        }
        // Only here are bytes added, one message at a time.
        let bytes = message.payload.len() + message.topic.len();
        if self.held.load(Relaxed) + bytes > self.held_bytes_max {
            return Ok(if receipt.is_some() { Accepted::Left } else { Accepted::Dropped });
        }
        self.held.fetch_add(bytes, Relaxed);
        let held = Held { bytes, total: self.held.clone() };
        self.lanes[lane_of(&message.topic, self.lanes.len())].accept(message, receipt, held)
    }

    /// Forgets what dead connections delivered: it comes again on the living one.
    pub(super) fn forget_stale(&self) {
        for lane in &self.lanes {
            lane.lock().waiting.retain(|delivery| !delivery.receipt.as_ref().is_some_and(Receipt::is_stale));
        }
    }

    /// Accepts nothing more. Lanes end when they have taken what waits.
    pub(super) fn close(&self) {
        *self.open.lock().expect("no holder panics") = false;
        for lane in &self.lanes {
            lane.lock().closed = true;
            lane.changed.notify_one();
        }
    }
}

impl Queue {
    fn accept(
        &self,
        message: RawMessage,
        receipt: Option<(&mut Receipts, Publish)>,
        held: Held,
    ) -> Result<Accepted, Flood> {
        let mut state = self.lock();
        let receipt = match receipt {
            Some(_) if state.waiting.len() - state.without_receipt >= self.capacity => return Err(Flood),
            Some((receipts, publish)) => Some(receipts.give(publish)?),
            None if state.without_receipt >= self.without_receipt_max => return Ok(Accepted::Dropped),
            None => {
                state.without_receipt += 1;
                None
            }
        };
        state.waiting.push_back(Delivery { message, receipt, held });
        drop(state);
        self.changed.notify_one();
        Ok(Accepted::Waits)
    }

    /// The next message; none once the intake is closed and nothing waits. Dropping the future loses nothing.
    pub(super) async fn take(&self) -> Option<Delivery> {
        loop {
            {
                let mut state = self.lock();
                if let Some(delivery) = state.pop() {
                    return Some(delivery);
                }
                if state.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// The next message, if one waits.
    pub(super) fn try_take(&self) -> Option<Delivery> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl State {
    fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.waiting.pop_front()?;
        self.without_receipt -= usize::from(delivery.receipt.is_none());
        Some(delivery)
    }
}

/// All topics of one machine belong to one lane.
fn lane_of(topic: &str, lanes: usize) -> usize {
    let machine = topic.rsplit_once('/').map_or(topic, |(machine, _)| machine);
    let mut hasher = DefaultHasher::new();
    machine.hash(&mut hasher);
    (hasher.finish() % lanes as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str) -> RawMessage {
        RawMessage { topic: topic.into(), payload: bytes::Bytes::new(), received_at_ms: 0 }
    }

    #[test]
    fn all_topics_of_a_machine_belong_to_one_lane_and_machines_spread() {
        let of = |machine: u32, kind: &str| lane_of(&format!("polevod/v1/BY-{machine}/{kind}"), 4);
        let mut used = [0; 4];
        for machine in 0..100 {
            assert_eq!(of(machine, "telemetry"), of(machine, "faults"));
            used[of(machine, "task")] += 1;
        }
        assert!(used.iter().all(|machines| *machines >= 10), "{used:?}");
    }

    #[tokio::test]
    async fn messages_without_acknowledgement_have_a_small_share_and_never_wait_for_more() {
        let intake = Intake::new(2, 64);
        let accepted: Vec<_> =
            (0..6).map(|_| intake.accept(message("polevod/v1/a/telemetry"), None).expect("no flood")).collect();
        assert_eq!(accepted.iter().filter(|accepted| **accepted == Accepted::Waits).count(), 4);
        assert_eq!(accepted.last(), Some(&Accepted::Dropped));
        intake.forget_stale();
        intake.close();
        assert_eq!(intake.accept(message("polevod/v1/a/telemetry"), None).expect("no flood"), Accepted::Closed);
        let mut taken = 0;
        for lane in intake.lanes() {
            while lane.take().await.is_some() {
                taken += 1;
            }
        }
        assert_eq!(taken, 4, "what waits when the intake closes is still taken");
    }
    #[tokio::test]
    async fn bytes_are_bounded_and_free_again_when_a_message_is_dealt_with() {
        let mut intake = Intake::new(1, 64);
        let one = message("polevod/v1/a/telemetry").topic.len();
        intake.held_bytes_max = 2 * one;
        let accept = || intake.accept(message("polevod/v1/a/telemetry"), None).expect("no flood");
        assert_eq!([accept(), accept(), accept()], [Accepted::Waits, Accepted::Waits, Accepted::Dropped]);
        let lane = intake.lanes().next().expect("one lane");
        let taken = lane.try_take();
        assert_eq!(accept(), Accepted::Dropped, "it is still being stored");
        drop(taken);
        assert_eq!(accept(), Accepted::Waits);
    }
}
