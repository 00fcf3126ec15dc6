//! A lane: messages of some machines, gathered into batches and stored one batch after another.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;
use wire::{Gap, Stored};

use super::Sabotage;
use super::ack::Receipt;
use super::counters::Counters;
use super::intake::{Delivery, Held, Queue};
use super::outbox::Outbox;
use super::prepare::{Item, Rules, prepare};
use crate::store::{Batch, StoredBoot, Writer};

/// Bytes of messages after which a batch is closed: decoded, they may take several times as much.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most values in a batch: 20,000 samples of 32 signals. Bounds what small frames of many signals unpack to.
const BATCH_VALUES_MAX: usize = 640_000;

/// How large a batch grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most records.
    pub samples: usize,
    /// Most messages.
    pub messages: usize,
    /// How long the first message waits for company.
    pub flush_after: Duration,
}

/// One lane.
pub(super) struct Lane {
    pub queue: Arc<Queue>,
    pub writer: Writer,
    pub rules: Arc<Rules>,
    pub limits: Limits,
    pub counters: Arc<Counters>,
    pub outbox: Outbox,
    pub sabotage: Sabotage,
}

impl Lane {
    /// Works until the intake is closed and everything in it is stored.
    pub(super) async fn run(mut self, number: u32) {
        while let Some(first) = self.queue.take().await {
            let Gathered { batch, receipts, held } = self.gather(first).await;
            if self.sabotage == Sabotage::AckBeforeCommit {
                self.outbox.push(promises(&batch));
                acknowledge(receipts).await;
                let loaded = self.writer.store(batch).await;
                self.counters.loaded(&loaded);
                continue;
            }
            let messages = receipts.len();
            let began = Instant::now();
            let loaded = self.writer.store(batch).await;
            debug!(
                lane = number,
                messages,
                stored = loaded.stored,
                duplicate = loaded.duplicate,
                refused = loaded.refused,
                took_ms = began.elapsed().as_millis() as u64,
                "stored a batch"
            );
            drop(held);
            self.counters.loaded(&loaded);
            self.outbox.push(loaded.boots);
            acknowledge(receipts).await;
        }
    }

    /// Collects what has arrived or arrives shortly.
    async fn gather(&mut self, first: Delivery) -> Gathered {
        let mut gathered = Gathered::default();
        let Gathered { batch, receipts, held } = &mut gathered;
        let (mut records, mut values, mut messages, mut bytes) = (0, 0, 0, 0);
        let deadline = Instant::now() + self.limits.flush_after;
        let mut next = Some(first);
        while let Some(Delivery { message, receipt, held: room }) = next.take() {
            // What a dead connection delivered comes again on the living one.
            if !receipt.as_ref().is_some_and(Receipt::is_stale) {
                messages += 1;
                bytes += message.payload.len();
                match prepare(message, &self.rules) {
                    Item::Run(run) => {
                        records += run.records.len();
                        values += run.values();
                        self.counters.records(run.records.len());
                        batch.runs.push(run);
                    }
                    Item::Reject(reject) => batch.rejects.push(reject),
                    Item::Status(status) => batch.statuses.push(status),
                }
                receipts.extend(receipt);
                held.push(room);
            }
            let room_for_messages = messages < self.limits.messages && bytes < BATCH_BYTES_MAX;
            if room_for_messages && records < self.limits.samples && values < BATCH_VALUES_MAX {
                next = match self.queue.try_take() {
                    Some(delivery) => Some(delivery),
                    None => tokio::time::timeout_at(deadline, self.queue.take()).await.ok().flatten(),
                };
            }
        }
        gathered
    }
}

/// What is stored together.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    receipts: Vec<Receipt>,
    /// The room that its messages take, until they are stored.
    held: Vec<Held>,
}

async fn acknowledge(receipts: Vec<Receipt>) {
    for receipt in receipts {
        receipt.done().await;
    }
}

/// What a broken build would promise before it has stored anything.
fn promises(batch: &Batch) -> Vec<StoredBoot> {
    batch
        .runs
        .iter()
        .map(|run| {
            let end = run.sequences().end;
            StoredBoot {
                machine: run.frame.machine.clone(),
                stored: Stored { boot: run.frame.boot.as_u64(), contiguous_end: end, end, gaps: Vec::<Gap>::new() },
                encoding: run.frame.encoding,
            }
        })
        .collect()
}
