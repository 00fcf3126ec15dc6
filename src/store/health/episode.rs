//! Episodes in the store: replaced by what is computed, under the numbers they have.

use tokio_postgres::{GenericClient, Row};

use super::super::StoreError;
use super::super::instant::Instant;
use crate::derive::health::worklist::{Changes, Known};
use crate::derive::health::{Episode, Evidence, Severity, Subject};

/// An episode with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its number.
    pub id: i64,
    /// The episode.
    pub episode: Episode,
    /// Whether it is told by itself: false for a part of one that is known.
    pub is_told: bool,
    /// Whether it is new.
    pub is_new: bool,
}

/// Columns that [`episode`] reads.
pub(super) const COLUMNS: &str =
    "health_episode_id, subject, severity, opened_at, fired_at, closed_at, settled_at, evidence";

/// The episodes of a machine that last, or were settled after `settled_after_ms`, the withdrawn ones too; `kinds` as
/// in [`Subject::kind`].
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn known_episodes(
    client: &impl GenericClient,
    machine_id: i64,
    settled_after_ms: i64,
    kinds: &[&str],
) -> Result<Vec<Known>, StoreError> {
    let rows = client
        .query(
            &format!(
                "select {COLUMNS}, withdrawn_at is not null as withdrawn from health_episode
                 where machine_id = $1 and split_part(subject, '/', 1) = any ($3)
                   and (settled_at is null or settled_at > $2)
                 order by health_episode_id"
            ),
            &[&machine_id, &Instant(settled_after_ms), &kinds],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (id, episode) = episode(row)?;
            Ok(Known { id, episode, withdrawn: row.get("withdrawn") })
        })
        .collect()
}

/// The episodes of a machine that stand, by their beginning, the latest first.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn episodes(
    client: &impl GenericClient,
    machine_id: i64,
    subject: Option<&Subject>,
    limit: i64,
) -> Result<Vec<(i64, Episode)>, StoreError> {
    let rows = client
        .query(
            &format!(
                "select {COLUMNS} from health_episode
                 where machine_id = $1 and withdrawn_at is null and ($2::text is null or subject = $2)
                 order by opened_at desc, health_episode_id limit $3"
            ),
            &[&machine_id, &subject.map(Subject::to_string), &limit],
        )
        .await?;
    rows.iter().map(episode).collect()
}

/// Applies what [`reconcile`](crate::derive::health::worklist::reconcile) found. Returns every episode that is new or
/// looks different now.
///
/// # Errors
/// When the database cannot be asked.
pub async fn apply_changes(
    client: &impl GenericClient,
    machine_id: i64,
    changes: Changes,
) -> Result<Vec<Stored>, StoreError> {
    let mut stored = Vec::with_capacity(changes.new.len() + changes.changed.len());
    if !changes.withdrawn.is_empty() {
        client
            .execute(
                "update health_episode set withdrawn_at = now() where health_episode_id = any ($1)",
                &[&changes.withdrawn],
            )
            .await?;
    }
    for (id, episode) in changes.changed {
        client
            .execute(
                "update health_episode set severity = $2, opened_at = $3, fired_at = $4, closed_at = $5,
                        settled_at = $6, evidence = $7, withdrawn_at = null
                 where health_episode_id = $1",
                &[
                    &id,
                    &i16::from(episode.severity.number()),
                    &Instant(episode.opened_at_ms),
                    &Instant(episode.fired_at_ms),
                    &episode.closed_at_ms.map(Instant),
                    &episode.settled_at_ms.map(Instant),
                    &evidence(&episode.evidence),
                ],
            )
            .await?;
        stored.push(Stored { id, episode, is_told: true, is_new: false });
    }
    for (episode, is_told) in changes.new {
        let row = client
            .query_one(
                "insert into health_episode
                     (machine_id, subject, severity, opened_at, fired_at, closed_at, settled_at, evidence)
                 values ($1, $2, $3, $4, $5, $6, $7, $8) returning health_episode_id",
                &[
                    &machine_id,
                    &episode.subject.to_string(),
                    &i16::from(episode.severity.number()),
                    &Instant(episode.opened_at_ms),
                    &Instant(episode.fired_at_ms),
                    &episode.closed_at_ms.map(Instant),
                    &episode.settled_at_ms.map(Instant),
                    &evidence(&episode.evidence),
                ],
            )
            .await?;
        stored.push(Stored { id: row.get(0), episode, is_told, is_new: true });
    }
    Ok(stored)
}

/// Evidence as JSON; what is no number there is left out.
fn evidence(evidence: &Evidence) -> serde_json::Value {
    evidence
        .iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(name, value)| (name.clone(), serde_json::Value::from(*value)))
        .collect()
}

/// An episode with its number.
pub(super) fn episode(row: &Row) -> Result<(i64, Episode), StoreError> {
    let id: i64 = row.get("health_episode_id");
    let wrong = |message: String| StoreError::Row { table: "health_episode", message: format!("{id}: {message}") };
    let subject: Subject = row.get::<_, &str>("subject").parse().map_err(|error| wrong(format!("{error}")))?;
    let evidence: Evidence =
        serde_json::from_value(row.get("evidence")).map_err(|error| wrong(format!("evidence: {error}")))?;
    let at = |column: &str| row.get::<_, Instant>(column).0;
    let perhaps = |column: &str| row.get::<_, Option<Instant>>(column).map(|at| at.0);
    Ok((
        id,
        Episode {
            subject,
            severity: severity(row.get("severity")).map_err(wrong)?,
            opened_at_ms: at("opened_at"),
            fired_at_ms: at("fired_at"),
            closed_at_ms: perhaps("closed_at"),
            settled_at_ms: perhaps("settled_at"),
            evidence,
        },
    ))
}

/// A severity as the database holds it.
pub(super) fn severity(number: i16) -> Result<Severity, String> {
    u8::try_from(number).map_err(|error| error.to_string()).and_then(Severity::try_from)
}
