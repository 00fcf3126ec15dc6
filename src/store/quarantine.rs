//! The quarantine: what was refused, with bytes and reason. The same again only counts.

use std::collections::HashMap;

use tokio_postgres::Transaction;

use super::StoreError;
use super::load::{Refusal, Reject, Run};
use crate::time::postgres_micros;

/// Longest explanation kept.
const DETAIL_BYTES_MAX: usize = 500;

/// Entries of a batch, by what makes them the same.
pub(super) struct Filings {
    payload_bytes_max: usize,
    /// By topic, reason and what else makes two of them the same: mostly the bytes.
    entries: HashMap<(String, &'static str, Vec<u8>), Entry>,
}

struct Entry {
    payload: Vec<u8>,
    seen: i64,
    received_at: i64,
    machine_id: Option<i64>,
    boot_id: Option<i64>,
    first_sequence: Option<i64>,
    records: i64,
    values: i64,
    detail: String,
}

impl Filings {
    pub(super) fn new(payload_bytes_max: usize) -> Self {
        Self { payload_bytes_max, entries: HashMap::new() }
    }

    /// A message that is refused whole.
    pub(super) fn reject(&mut self, reject: &Reject) {
        let payload = self.cut(&reject.payload);
        self.file(
            &reject.topic,
            reject.refusal.reason,
            payload.clone(),
            Entry {
                payload,
                seen: 1,
                received_at: postgres_micros(reject.received_at_ms),
                machine_id: None,
                boot_id: None,
                first_sequence: None,
                records: 0,
                values: 0,
                detail: reject.refusal.detail.clone(),
            },
        );
    }

    /// Records of a machine that is not in the registry: kept here, sent again once it is.
    pub(super) fn unregistered(&mut self, run: &Run) {
        let detail =
            format!("machine {} is not registered; register it, and it sends these records again", run.frame.machine);
        // They come again and again, with another age and so with other bytes.
        let same = format!("{} {:?}", run.frame.boot, run.sequences()).into_bytes();
        let entry = Entry { detail, ..self.entry(None, run) };
        self.file(&run.frame.topic, "unregistered", same, entry);
    }

    /// Records that are refused for good.
    pub(super) fn refusal(&mut self, machine_id: i64, run: &Run, refusal: &Refusal, records: u64) {
        let entry = Entry {
            records: records.cast_signed(),
            detail: refusal.detail.clone(),
            ..self.entry(Some(machine_id), run)
        };
        self.file(&run.frame.topic, refusal.reason, entry.payload.clone(), entry);
    }

    /// Values that were left out of records that are stored.
    pub(super) fn values(&mut self, machine_id: i64, run: &Run) {
        for dropped in &run.frame.dropped {
            let entry = Entry {
                values: dropped.values.cast_signed(),
                detail: dropped.detail.clone(),
                ..self.entry(Some(machine_id), run)
            };
            self.file(&run.frame.topic, dropped.code, entry.payload.clone(), entry);
        }
    }

    fn cut(&self, payload: &[u8]) -> Vec<u8> {
        payload[..payload.len().min(self.payload_bytes_max)].to_vec()
    }

    fn entry(&self, machine_id: Option<i64>, run: &Run) -> Entry {
        Entry {
            payload: self.cut(&run.frame.payload),
            seen: 1,
            received_at: postgres_micros(run.frame.received_at_ms),
            machine_id,
            boot_id: Some(run.frame.boot.as_i64()),
            first_sequence: Some(run.sequences().start.cast_signed()),
            records: 0,
            values: 0,
            detail: String::new(),
        }
    }

    fn file(&mut self, topic: &str, reason: &'static str, same: Vec<u8>, new: Entry) {
        self.entries
            .entry((clean(topic, 256), reason, same))
            .and_modify(|old| {
                old.seen += new.seen;
                old.records += new.records;
                old.values += new.values;
                old.received_at = old.received_at.max(new.received_at);
            })
            .or_insert(new);
    }

    pub(super) async fn write(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let statement = transaction
            .prepare(
                "insert into quarantine as old (digest, first_seen_at, last_seen_at, seen_count, topic, machine_id,
                     boot_id, first_sequence, record_count, value_count, reason, detail, payload)
                 values (sha256(convert_to($2 || ' ' || $8 || ' ', 'UTF8') || $12),
                     timestamptz '2000-01-01Z' + $1::bigint * interval '1 microsecond',
                     timestamptz '2000-01-01Z' + $1::bigint * interval '1 microsecond',
                     $11, $2::text, $3, $4, $5, $6, $7, $8::text, $9, $10::bytea)
                 on conflict (digest) do update
                 set seen_count = old.seen_count + excluded.seen_count,
                     last_seen_at = greatest(old.last_seen_at, excluded.last_seen_at),
                     record_count = old.record_count + excluded.record_count,
                     value_count = old.value_count + excluded.value_count",
            )
            .await?;
        // In one order, so that processes that file the same bytes wait for each other in one direction.
        let mut entries: Vec<_> = self.entries.into_iter().collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for ((topic, reason, same), entry) in entries {
            transaction
                .execute(
                    &statement,
                    &[
                        &entry.received_at,
                        &topic,
                        &entry.machine_id,
                        &entry.boot_id,
                        &entry.first_sequence,
                        &entry.records,
                        &entry.values,
                        &reason,
                        &clean(&entry.detail, DETAIL_BYTES_MAX),
                        &entry.payload,
                        &entry.seen,
                        &same,
                    ],
                )
                .await?;
        }
        Ok(())
    }
}

/// Text as the database takes it: no NUL, cut at a character.
fn clean(text: &str, bytes_max: usize) -> String {
    let text = text.replace('\0', "\u{fffd}");
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_string()
}
