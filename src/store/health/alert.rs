//! Alerts: what people work on. Episodes join them; people change them; everything is noted.

use serde::Serialize;
use tokio_postgres::{GenericClient, Row};

use super::super::StoreError;
use super::super::instant::Instant;
use super::episode::{Stored, severity};
use crate::derive::health::worklist::{AlertBefore, WorkState, join};
use crate::derive::health::{Severity, Subject};

/// Who acts where no person does.
const MACHINE: &str = "machine";
/// Longest note, assignee and actor, characters.
const TEXT_MAX: usize = 2_000;

/// An alert of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub machine_id: i64,
    /// Its serial.
    pub serial: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// Of the latest episode.
    pub severity: Severity,
    /// Beginning of the latest episode, Unix milliseconds.
    pub opened_at_ms: i64,
    /// Whether an episode lasts.
    pub active: bool,
    /// End of the latest episode, where none lasts.
    pub gone_at_ms: Option<i64>,
    /// How many episodes there were.
    pub episode_count: i32,
    /// Where it stands with people.
    pub state: WorkState,
    /// Since when.
    pub state_at_ms: i64,
    /// Whose job it is.
    pub assignee: Option<String>,
    /// Evidence of the latest episode.
    pub evidence: serde_json::Value,
}

/// Which alerts.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// One alert.
    pub id: Option<i64>,
    /// Of one machine.
    pub machine_id: Option<i64>,
    /// At least so severe.
    pub severity_min: Option<Severity>,
    /// Also those that are closed.
    pub closed: bool,
    /// Whose job.
    pub assignee: Option<String>,
    /// Most of them.
    pub limit: i64,
}

/// What a person does to an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkChange {
    /// Where it stands from now on.
    pub state: Option<WorkState>,
    /// Whose job it is from now on; empty: nobody's.
    pub assignee: Option<String>,
    /// What there is to say.
    pub note: Option<String>,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// When it was noted, Unix milliseconds.
    pub at_ms: i64,
    /// A person, or `machine`.
    pub actor: String,
    /// What happened.
    pub action: String,
    /// When, by the machine's clock.
    pub device_at_ms: Option<i64>,
    /// What there is to say.
    pub note: Option<String>,
}

/// Something that receivers are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Alert.
    pub alert_id: i64,
    /// Episode.
    pub episode: Stored,
    /// `opened`, `returned`, `raised_4`, `gone`.
    pub event: String,
}

/// Lets new and changed episodes of a machine join their alerts. Returns what receivers are to be told.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn join_episodes(
    client: &impl GenericClient,
    machine_id: i64,
    mut stored: Vec<Stored>,
    withdrawn: &[i64],
) -> Result<Vec<Told>, StoreError> {
    stored.sort_by_key(|stored| stored.episode.opened_at_ms);
    let mut told = Vec::new();
    for stored in stored {
        told.extend(join_one(client, machine_id, stored).await?);
    }
    for id in withdrawn {
        let row = client
            .query_opt(
                "select alert_id, health_episode.opened_at from health_episode join alert using (machine_id, subject)
                 where health_episode_id = $1",
                &[id],
            )
            .await?;
        if let Some(row) = row {
            let alert_id: i64 = row.get(0);
            note(client, alert_id, MACHINE, "withdrawn", Some(row.get::<_, Instant>(1).0), Some(*id), None).await?;
            refresh(client, alert_id).await?;
        }
    }
    Ok(told)
}

async fn join_one(client: &impl GenericClient, machine_id: i64, stored: Stored) -> Result<Vec<Told>, StoreError> {
    let episode = &stored.episode;
    let subject = episode.subject.to_string();
    let row = client
        .query_opt(
            "select alert_id, state, severity, opened_at, gone_at from alert
             where machine_id = $1 and subject = $2 for update",
            &[&machine_id, &subject],
        )
        .await?;
    let mut told = Vec::new();
    let tell = |alert_id: i64, event: String| Told { alert_id, episode: stored.clone(), event };
    let alert_id = match row {
        None => {
            let row = client
                .query_one(
                    "insert into alert (machine_id, subject, severity, opened_at, active, gone_at, episode_count, state,
                                        state_at)
                     values ($1, $2, $3, $4, $5::timestamptz is null, $5, 1, 'new', now()) returning alert_id",
                    &[
                        &machine_id,
                        &subject,
                        &i16::from(episode.severity.number()),
                        &Instant(episode.opened_at_ms),
                        &episode.closed_at_ms.map(Instant),
                    ],
                )
                .await?;
            let alert_id: i64 = row.get(0);
            note(client, alert_id, MACHINE, "opened", Some(episode.opened_at_ms), Some(stored.id), None).await?;
            told.push(tell(alert_id, "opened".into()));
            alert_id
        }
        Some(row) => {
            let alert_id: i64 = row.get(0);
            let before = before(&row)?;
            if stored.is_new && stored.is_told {
                let joined = join(&before, episode);
                if joined.reopens {
                    client
                        .execute("update alert set state = 'new', state_at = now() where alert_id = $1", &[&alert_id])
                        .await?;
                }
                let action = if joined.reopens { "reopened" } else { "returned" };
                note(client, alert_id, MACHINE, action, Some(episode.opened_at_ms), Some(stored.id), None).await?;
                if joined.is_told {
                    told.push(tell(alert_id, "returned".into()));
                }
            } else if episode.severity > before.severity && episode.opened_at_ms >= before.opened_at_ms {
                note(client, alert_id, MACHINE, "raised", Some(episode.fired_at_ms), Some(stored.id), None).await?;
                told.push(tell(alert_id, format!("raised_{}", episode.severity.number())));
            }
            alert_id
        }
    };
    if let (Some(closed_at_ms), true) = (episode.closed_at_ms, episode.settled_at_ms.is_some()) {
        let is_noted = client
            .query_opt(
                "select 1 from alert_history where alert_id = $1 and health_episode_id = $2 and action = 'gone'",
                &[&alert_id, &stored.id],
            )
            .await?
            .is_some();
        if !is_noted {
            note(client, alert_id, MACHINE, "gone", Some(closed_at_ms), Some(stored.id), None).await?;
            told.push(tell(alert_id, "gone".into()));
        }
    }
    refresh(client, alert_id).await?;
    Ok(told)
}

fn before(row: &Row) -> Result<AlertBefore, StoreError> {
    let alert_id: i64 = row.get(0);
    let wrong = |message: String| StoreError::Row { table: "alert", message: format!("{alert_id}: {message}") };
    Ok(AlertBefore {
        state: state(row.get(1)).map_err(wrong)?,
        severity: severity(row.get(2)).map_err(wrong)?,
        opened_at_ms: row.get::<_, Instant>(3).0,
        gone_at_ms: row.get::<_, Option<Instant>>(4).map(|at| at.0),
    })
}

/// An alert shows the latest of its episodes that stand, and how many there are. One whose episodes were all withdrawn
/// keeps what it showed and is no longer active.
async fn refresh(client: &impl GenericClient, alert_id: i64) -> Result<(), StoreError> {
    client
        .execute(
            "with own as (
                 select health_episode.* from health_episode join alert using (machine_id, subject)
                 where alert_id = $1 and withdrawn_at is null),
             latest as (select * from own order by opened_at desc, health_episode_id desc limit 1)
             update alert set
                 severity = coalesce((select severity from latest), severity),
                 opened_at = coalesce((select opened_at from latest), opened_at),
                 active = exists (select from own where closed_at is null),
                 gone_at = case when not exists (select from own where closed_at is null)
                                then coalesce((select max(closed_at) from own), gone_at, opened_at) end,
                 episode_count = (select count(*) from own)
             where alert_id = $1",
            &[&alert_id],
        )
        .await?;
    Ok(())
}

async fn note(
    client: &impl GenericClient,
    alert_id: i64,
    actor: &str,
    action: &str,
    device_at_ms: Option<i64>,
    episode_id: Option<i64>,
    text: Option<&str>,
) -> Result<(), StoreError> {
    client
        .execute(
            "insert into alert_history (alert_id, actor, action, device_at, health_episode_id, note)
             values ($1, $2, $3, $4, $5, $6)",
            &[&alert_id, &actor, &action, &device_at_ms.map(Instant), &episode_id, &text],
        )
        .await?;
    Ok(())
}

/// Alerts, the most severe and then the latest first.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn alerts(client: &impl GenericClient, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
    let rows = client
        .query(
            "select alert_id, machine_id, serial, name, model, subject, alert.severity, opened_at, active, gone_at,
                    episode_count, state, state_at, assignee,
                    (select evidence from health_episode as latest
                     where latest.machine_id = alert.machine_id and latest.subject = alert.subject
                       and withdrawn_at is null
                     order by opened_at desc, health_episode_id desc limit 1) as evidence
             from alert join machine using (machine_id)
             where ($1::bigint is null or alert_id = $1)
               and ($2::bigint is null or machine_id = $2)
               and alert.severity >= $3
               and ($4 or state <> 'closed')
               and ($5::text is null or assignee = $5)
             order by alert.severity desc, opened_at desc, alert_id limit $6",
            &[
                &filter.id,
                &filter.machine_id,
                &i16::from(filter.severity_min.unwrap_or(Severity::Information).number()),
                &(filter.closed || filter.id.is_some()),
                &filter.assignee,
                &filter.limit,
            ],
        )
        .await?;
    rows.iter().map(alert).collect()
}

fn alert(row: &Row) -> Result<Alert, StoreError> {
    let id: i64 = row.get("alert_id");
    let wrong = |message: String| StoreError::Row { table: "alert", message: format!("{id}: {message}") };
    Ok(Alert {
        id,
        machine_id: row.get("machine_id"),
        serial: row.get("serial"),
        name: row.get("name"),
        model: row.get("model"),
        subject: row.get::<_, &str>("subject").parse().map_err(|error| wrong(format!("{error}")))?,
        severity: severity(row.get("severity")).map_err(wrong)?,
        opened_at_ms: row.get::<_, Instant>("opened_at").0,
        active: row.get("active"),
        gone_at_ms: row.get::<_, Option<Instant>>("gone_at").map(|at| at.0),
        episode_count: row.get("episode_count"),
        state: state(row.get("state")).map_err(wrong)?,
        state_at_ms: row.get::<_, Instant>("state_at").0,
        assignee: row.get("assignee"),
        evidence: row.get::<_, Option<serde_json::Value>>("evidence").unwrap_or_default(),
    })
}

fn state(word: &str) -> Result<WorkState, String> {
    WorkState::parse(word).ok_or_else(|| format!("state {word:?} is unknown"))
}

/// Does what a person wants done to an alert, and notes it. Returns whether there is such an alert.
///
/// # Errors
/// When the database cannot be asked, or a text is longer than anybody reads.
pub async fn change_alert(
    client: &impl GenericClient,
    alert_id: i64,
    actor: &str,
    change: &WorkChange,
) -> Result<bool, StoreError> {
    let texts = [Some(actor), change.assignee.as_deref(), change.note.as_deref()];
    if let Some(text) = texts.into_iter().flatten().find(|text| text.chars().count() > TEXT_MAX) {
        let length = text.chars().count();
        return Err(StoreError::Setup(format!("a text has {length} characters; at most {TEXT_MAX} are kept")));
    }
    let exists = client.query_opt("select 1 from alert where alert_id = $1 for update", &[&alert_id]).await?.is_some();
    if !exists {
        return Ok(false);
    }
    let mut text = change.note.as_deref();
    if let Some(assignee) = &change.assignee {
        client
            .execute("update alert set assignee = nullif($2, '') where alert_id = $1", &[&alert_id, assignee])
            .await?;
        note(client, alert_id, actor, "assigned", None, None, Some(assignee)).await?;
    }
    if let Some(state) = change.state {
        let action = if state == WorkState::New { "reopened" } else { state.as_str() };
        client
            .execute("update alert set state = $2, state_at = now() where alert_id = $1", &[&alert_id, &state.as_str()])
            .await?;
        note(client, alert_id, actor, action, None, None, text.take()).await?;
    }
    if let Some(text) = text {
        note(client, alert_id, actor, "noted", None, None, Some(text)).await?;
    }
    Ok(true)
}

/// Everything that happened to an alert, in order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn alert_history(client: &impl GenericClient, alert_id: i64) -> Result<Vec<HistoryEntry>, StoreError> {
    let rows = client
        .query(
            "select at, actor, action, device_at, note from alert_history where alert_id = $1 order by alert_history_id",
            &[&alert_id],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| HistoryEntry {
            at_ms: row.get::<_, Instant>(0).0,
            actor: row.get(1),
            action: row.get(2),
            device_at_ms: row.get::<_, Option<Instant>>(3).map(|at| at.0),
            note: row.get(4),
        })
        .collect())
}
