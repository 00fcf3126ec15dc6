//! Freeze frames: all signals around the beginning and the end of an episode, kept whatever becomes of the samples.

use std::collections::BTreeMap;
use std::ops::Range;

use tokio_postgres::GenericClient;
use wire::{
    Body, BootId, Columns, Compression, Frame, Header, MachineSerial, Sample, SignalId, StoreColumn, columns_of,
    samples_of,
};

use super::super::StoreError;
use super::super::instant::Instant;
use super::episode::{COLUMNS, episode};
use crate::derive::health::{Episode, Subject};

/// How far a freeze frame reaches on either side of its moment.
pub const AROUND_MS: i64 = 300_000;
/// Most samples in a freeze frame: ten minutes at 10 Hz.
const SAMPLES_MAX: usize = 6_000;
/// Samples in one frame of the wire format; smaller where the frame would not fit.
const SAMPLES_A_FRAME: usize = 500;
/// Freeze frames of one subject of a machine that are kept beside the first: the latest ones.
const KEPT_OF_SUBJECT: i64 = 8;

/// Which end of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Its beginning.
    Onset,
    /// Its end.
    End,
}

impl Moment {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onset => "onset",
            Self::End => "end",
        }
    }
}

/// What a machine reported around a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct FreezeFrame {
    /// The moment, Unix milliseconds.
    pub at_ms: i64,
    /// What it covers, Unix milliseconds, half-open.
    pub period: Range<i64>,
    /// Samples with every signal, raw ones too, in the order of their time.
    pub samples: Vec<Sample>,
}

/// Pins what is stored around a moment of an episode, where it is more than has been pinned. Returns whether it was.
/// What was pinned around another moment, from which the episode has moved since, goes.
///
/// # Errors
/// When the database cannot be asked.
pub async fn pin(
    client: &impl GenericClient,
    machine_id: i64,
    episode_id: i64,
    moment: Moment,
    at_ms: i64,
) -> Result<bool, StoreError> {
    let period = at_ms - AROUND_MS..at_ms + AROUND_MS;
    let row = client
        .query_one(
            "select (select count(*) from sample where machine_id = $1 and recorded_at >= $2 and recorded_at < $3),
                    (select coalesce(sum(sample_count), 0)::bigint from freeze_frame
                     where health_episode_id = $4 and moment = $5 and at = $6)",
            &[
                &machine_id,
                &Instant(period.start),
                &Instant(period.end),
                &episode_id,
                &moment.as_str(),
                &Instant(at_ms),
            ],
        )
        .await?;
    let (stored, pinned): (i64, i64) = (row.get(0), row.get(1));
    // Retention may have taken samples since: then what is pinned is more, and stays.
    if stored <= pinned {
        if pinned == 0 {
            forget_moved(client, machine_id, episode_id, moment).await?;
        }
        return Ok(false);
    }
    let samples = read(client, machine_id, &period).await?;
    let serial: String =
        client.query_one("select serial from machine where machine_id = $1", &[&machine_id]).await?.get(0);
    let serial = MachineSerial::parse(&serial)
        .map_err(|error| StoreError::Row { table: "machine", message: format!("serial {serial:?}: {error}") })?;
    client
        .execute(
            "delete from freeze_frame where health_episode_id = $1 and moment = $2",
            &[&episode_id, &moment.as_str()],
        )
        .await?;
    for (part, frame) in frames(&serial, &samples).into_iter().enumerate() {
        client
            .execute(
                "insert into freeze_frame
                     (health_episode_id, moment, part, at, from_at, to_at, sample_count, frame)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    &episode_id,
                    &moment.as_str(),
                    &(part as i16),
                    &Instant(at_ms),
                    &Instant(period.start),
                    &Instant(period.end),
                    &(frame.0 as i32),
                    &frame.1,
                ],
            )
            .await?;
    }
    Ok(true)
}

/// Drops what was pinned around a moment that is the episode's no more. Where its samples are gone it is the only
/// thing that is left of them, and stays.
async fn forget_moved(
    client: &impl GenericClient,
    machine_id: i64,
    episode_id: i64,
    moment: Moment,
) -> Result<(), StoreError> {
    client
        .execute(
            "delete from freeze_frame
             where health_episode_id = $2 and moment = $3
               and exists (select from sample
                           where machine_id = $1 and recorded_at >= from_at and recorded_at < to_at)",
            &[&machine_id, &episode_id, &moment.as_str()],
        )
        .await?;
    Ok(())
}

/// Drops the freeze frames of a subject of which there are too many, see [`episodes_to_pin`], and what was pinned
/// around ends that have turned out to be none.
///
/// # Errors
/// When the database cannot be asked.
pub async fn forget_old(client: &impl GenericClient, machine_id: i64, subject: &Subject) -> Result<(), StoreError> {
    client
        .execute(
            "delete from freeze_frame using (
                 select health_episode_id, closed_at, withdrawn_at, row_number() over oldest as nth,
                        row_number() over (partition by withdrawn_at is null
                                           order by opened_at desc, health_episode_id desc) as nth_last
                 from health_episode
                 where machine_id = $1 and subject = $2
                 window oldest as (partition by withdrawn_at is null order by opened_at, health_episode_id)) as episode
             where freeze_frame.health_episode_id = episode.health_episode_id
               and ((nth_last > $3 and (nth > 1 or withdrawn_at is not null))
                    or (moment = 'end' and closed_at is null and withdrawn_at is null))",
            &[&machine_id, &subject.to_string(), &KEPT_OF_SUBJECT],
        )
        .await?;
    Ok(())
}

/// The episodes of a machine whose freeze frames are kept, and that either begin or end in `period` (Unix
/// milliseconds, half-open) or are of one of `subjects`, the most severe first. Of trouble that comes again and again
/// that is the first episode and the latest ones; what was withdrawn is none.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn episodes_to_pin(
    client: &impl GenericClient,
    machine_id: i64,
    period: &Range<i64>,
    subjects: &[Subject],
) -> Result<Vec<(i64, Episode)>, StoreError> {
    let subjects: Vec<String> = subjects.iter().map(Subject::to_string).collect();
    let rows = client
        .query(
            &format!(
                "select {COLUMNS} from (
                     select {COLUMNS}, row_number() over (partition by subject
                                                          order by opened_at, health_episode_id) as nth,
                            row_number() over (partition by subject
                                               order by opened_at desc, health_episode_id desc) as nth_last
                     from health_episode
                     where machine_id = $1 and withdrawn_at is null
                       and subject in (
                           select subject from health_episode
                           where machine_id = $1 and withdrawn_at is null
                             and (subject = any ($4) or (opened_at >= $2 and opened_at < $3)
                                  or (closed_at >= $2 and closed_at < $3)))) as episode
                 where (nth = 1 or nth_last <= $5)
                   and (subject = any ($4) or (opened_at >= $2 and opened_at < $3)
                        or (closed_at >= $2 and closed_at < $3))
                 order by severity desc, opened_at, subject"
            ),
            &[&machine_id, &Instant(period.start), &Instant(period.end), &subjects, &KEPT_OF_SUBJECT],
        )
        .await?;
    rows.iter().map(episode).collect()
}

/// Reads what was pinned; none where nothing was.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn freeze_frame(
    client: &impl GenericClient,
    episode_id: i64,
    moment: Moment,
) -> Result<Option<FreezeFrame>, StoreError> {
    let rows = client
        .query(
            "select at, from_at, to_at, frame from freeze_frame
             where health_episode_id = $1 and moment = $2 order by part",
            &[&episode_id, &moment.as_str()],
        )
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let instant = |column: usize| first.get::<_, Instant>(column).0;
    let mut found = FreezeFrame { at_ms: instant(0), period: instant(1)..instant(2), samples: Vec::new() };
    for row in &rows {
        let wrong = |message: String| StoreError::Row {
            table: "freeze_frame",
            message: format!("episode {episode_id}: {message}"),
        };
        let decoded = wire::decode(row.get(3)).map_err(|error| wrong(error.to_string()))?;
        match decoded.frame.body {
            Body::Telemetry(columns) => found.samples.extend(samples_of(&columns)),
            other => return Err(wrong(format!("holds a {:?} frame", other.kind()))),
        }
    }
    Ok(Some(found))
}

/// Every signal of every sample in a period, raw ones too.
async fn read(client: &impl GenericClient, machine_id: i64, period: &Range<i64>) -> Result<Vec<Sample>, StoreError> {
    let wide: Vec<_> = wire::catalogue::wide()
        .filter_map(|signal| match signal.column {
            StoreColumn::Wide(_) => Some((signal.id, signal.name)),
            StoreColumn::Narrow => None,
        })
        .collect();
    let columns: Vec<_> = wide.iter().map(|(_, name)| format!("{name}::double precision")).collect();
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&machine_id, &Instant(period.start), &Instant(period.end)];
    let rows = client
        .query(
            &format!(
                "select recorded_at, {} from sample
                 where machine_id = $1 and recorded_at >= $2 and recorded_at < $3
                 order by recorded_at, boot_id, sequence limit {SAMPLES_MAX}",
                columns.join(", ")
            ),
            &parameters,
        )
        .await?;
    let mut samples: Vec<Sample> = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut sample = Sample::at(row.get::<_, Instant>(0).0);
        for (column, (signal, _)) in wide.iter().enumerate() {
            if let Some(value) = row.get::<_, Option<f64>>(column + 1) {
                sample.set(*signal, value);
            }
        }
        samples.push(sample);
    }
    let rows = client
        .query(
            "select recorded_at, signal_id, value from signal_sample
             where machine_id = $1 and recorded_at >= $2 and recorded_at < $3 order by recorded_at, signal_id, value",
            &parameters,
        )
        .await?;
    // Narrow rows carry no sequence: among samples of one instant they go to the first.
    let mut by_time: BTreeMap<i64, usize> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        by_time.entry(sample.recorded_at_ms).or_insert(index);
    }
    for row in rows {
        let index = by_time.get(&row.get::<_, Instant>(0).0);
        let signal = SignalId::parse(row.get::<_, i32>(1).cast_unsigned());
        if let (Some(index), Some(signal)) = (index, signal) {
            samples[*index].set(signal, row.get(2));
        }
    }
    Ok(samples)
}

/// Samples as frames of the wire format, with the number of samples in each.
fn frames(serial: &MachineSerial, samples: &[Sample]) -> Vec<(usize, Vec<u8>)> {
    let mut frames = Vec::new();
    // Parts still to be written; one that does not fit is halved.
    let mut parts: Vec<&[Sample]> = samples.chunks(SAMPLES_A_FRAME).rev().collect();
    while let Some(part) = parts.pop() {
        let columns: Columns = columns_of(part);
        let header = Header {
            machine: serial.clone(),
            boot: BootId::new(0).expect("zero is a number of a boot"),
            first_sequence: 0,
            count: part.len() as u32,
            age_ms: 0,
        };
        let frame = wire::encode(&Frame { header, body: Body::Telemetry(columns) }, Compression::Zstd);
        if frame.len() > wire::limits::MAX_FRAME_BYTES && part.len() > 1 {
            let (first, second) = part.split_at(part.len() / 2);
            parts.extend([second, first]);
        } else {
            frames.push((part.len(), frame));
        }
    }
    frames
}
