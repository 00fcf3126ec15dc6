//! Diagnostic captures: who asked for what, what came of it, and what the records of one say.

use tokio_postgres::{Client, Row};
use wire::{Captured, SignalId, StoreColumn, catalogue};

use super::StoreError;
use super::instant::Instant;

/// A capture as it is asked for.
#[derive(Debug, Clone)]
pub struct NewCapture<'a> {
    /// Identity on the wire.
    pub request: &'a str,
    /// Which machine.
    pub machine_id: i64,
    /// Name of the token or the user.
    pub asked_by: &'a str,
    /// Signals by name.
    pub signals: &'a [String],
    /// Samples a second.
    pub rate_hz: f32,
    /// Seconds.
    pub duration_s: u32,
}

/// Where a capture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureState {
    /// The machine has begun.
    Accepted,
    /// The machine will not.
    Refused,
    /// It is over.
    Done,
    /// Nothing came, or nothing more.
    Silent,
    /// The request could not be sent.
    Failed,
}

/// A capture as it is kept.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[allow(missing_docs)]
pub struct CaptureRow {
    pub request: String,
    pub machine: String,
    pub asked_by: String,
    pub asked_at_ms: i64,
    pub signals: Vec<String>,
    pub rate_hz: f32,
    pub duration_s: i32,
    /// asked, accepted, refused, done, silent, failed.
    pub state: String,
    pub state_at_ms: i64,
    pub detail: Option<String>,
    pub missing: Vec<String>,
    pub boot: Option<i64>,
    pub first_sequence: Option<i64>,
    pub end_sequence: Option<i64>,
    pub samples: Option<i32>,
}

/// What the records of a capture say of a signal.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[allow(missing_docs)]
pub struct SignalSummary {
    pub signal: String,
    pub values: i64,
    pub min: Option<f64>,
    pub mean: Option<f64>,
    pub max: Option<f64>,
}

impl CaptureState {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Silent => "silent",
            Self::Failed => "failed",
        }
    }
}

/// Enters a capture before it is asked for: whatever happens then, it is known who wanted it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enter_capture(client: &Client, capture: &NewCapture<'_>) -> Result<(), StoreError> {
    client
        .execute(
            "insert into capture (request, machine_id, asked_by, signals, rate_hz, duration_s)
             values ($1, $2, $3, $4, $5, $6)",
            &[
                &capture.request,
                &capture.machine_id,
                &capture.asked_by,
                &capture.signals,
                &capture.rate_hz,
                &capture.duration_s.cast_signed(),
            ],
        )
        .await?;
    Ok(())
}

/// Notes where a capture stands. What was known of its records stays unless `captured` tells more.
///
/// # Errors
/// When the database cannot be asked.
pub async fn note_capture(
    client: &Client,
    request: &str,
    state: CaptureState,
    detail: Option<&str>,
    missing: &[String],
    captured: Option<&Captured>,
) -> Result<(), StoreError> {
    let boot = captured.map(|captured| captured.boot.as_i64());
    let first = captured.map(|captured| captured.first_sequence.cast_signed());
    let end = captured.map(|captured| captured.end_sequence.cast_signed());
    let samples = captured.map(|captured| captured.samples.cast_signed());
    client
        .execute(
            "update capture
             set state = $2, state_at = now(), detail = coalesce($3, detail),
                 missing = case when $4::text[] = '{}' then missing else $4 end,
                 boot_id = coalesce($5, boot_id), first_sequence = coalesce($6, first_sequence),
                 end_sequence = coalesce($7, end_sequence), sample_count = coalesce($8, sample_count)
             where request = $1",
            &[&request, &state.word(), &detail, &missing, &boot, &first, &end, &samples],
        )
        .await?;
    Ok(())
}

/// A capture by its identity.
///
/// # Errors
/// When the database cannot be asked.
pub async fn capture_by_request(client: &Client, request: &str) -> Result<Option<CaptureRow>, StoreError> {
    let row = client
        .query_opt(
            "select request, serial, asked_by, asked_at, signals, rate_hz, duration_s, state, state_at, detail, missing,
                    boot_id, first_sequence, end_sequence, sample_count
             from capture join machine using (machine_id)
             where request = $1",
            &[&request],
        )
        .await?;
    Ok(row.as_ref().map(capture))
}

fn capture(row: &Row) -> CaptureRow {
    CaptureRow {
        request: row.get(0),
        machine: row.get(1),
        asked_by: row.get(2),
        asked_at_ms: row.get::<_, Instant>(3).0,
        signals: row.get(4),
        rate_hz: row.get(5),
        duration_s: row.get(6),
        state: row.get(7),
        state_at_ms: row.get::<_, Instant>(8).0,
        detail: row.get(9),
        missing: row.get(10),
        boot: row.get(11),
        first_sequence: row.get(12),
        end_sequence: row.get(13),
        samples: row.get(14),
    }
}

/// Records of a capture that are in the store, of those from its first to its last.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stored_of_capture(client: &Client, machine_id: i64, captured: &Captured) -> Result<i64, StoreError> {
    let (boot, range) = (captured.boot.as_i64(), captured.first_sequence.cast_signed());
    let end = captured.end_sequence.cast_signed();
    let row = client
        .query_one(
            "select coalesce(sum(upper(part) - lower(part)), 0)::bigint
             from stored_sequence, unnest((stored + refused) * int8multirange(int8range($3, $4))) as part
             where machine_id = $1 and boot_id = $2",
            &[&machine_id, &boot, &range, &end],
        )
        .await?;
    Ok(row.get(0))
}

/// What the stored records of a capture say of each signal.
///
/// # Errors
/// When the database cannot be asked.
pub async fn summary_of_capture(
    client: &Client,
    machine_id: i64,
    captured: &Captured,
    signals: &[SignalId],
) -> Result<Vec<SignalSummary>, StoreError> {
    let (boot, first) = (captured.boot.as_i64(), captured.first_sequence.cast_signed());
    let end = captured.end_sequence.cast_signed();
    let mut summaries = Vec::new();
    for signal in signals {
        let wide = catalogue::find(*signal).filter(|row| matches!(row.column, StoreColumn::Wide(_)));
        // Signals without a column carry no sequence: they are found by the times of the capture's records.
        let source = match wide {
            Some(signal) => format!("select {}::double precision as value from recorded", signal.name),
            None => format!(
                "select value from signal_sample
                 where machine_id = $1 and signal_id = {}
                   and recorded_at between (select min(recorded_at) from recorded) and (select max(recorded_at) from recorded)",
                signal.number()
            ),
        };
        let query = format!(
            "with recorded as (select * from sample
                               where machine_id = $1 and boot_id = $2 and sequence >= $3 and sequence < $4
                                 and recorded_at >= now() - interval '1 day')
             select count(value), min(value), avg(value), max(value) from ({source}) as asked"
        );
        let row = client.query_one(&query, &[&machine_id, &boot, &first, &end]).await?;
        summaries.push(SignalSummary {
            signal: signal.to_string(),
            values: row.get(0),
            min: row.get(1),
            mean: row.get(2),
            max: row.get(3),
        });
    }
    Ok(summaries)
}
