//! What is told to whom: channels, and deliveries that are tried until they succeed or are given up.

use serde::Serialize;
use tokio_postgres::{GenericClient, Row};

use super::super::StoreError;
use super::super::instant::Instant;
use super::alert::Told;
use super::episode::severity;
use crate::config::Secret;
use crate::derive::health::{Language, Severity};

/// Most channels.
const CHANNELS_MAX: i64 = 1_000;

/// How a channel delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// HTTP POST of JSON, signed.
    Webhook,
    /// E-mail.
    Mail,
    /// JSON on an MQTT topic.
    Mqtt,
}

impl ChannelKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
            Self::Mqtt => "mqtt",
        }
    }

    /// Reads the word of the database.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Webhook, Self::Mail, Self::Mqtt].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A channel to be added.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// What people call it; unique.
    pub name: String,
    /// How it delivers.
    pub kind: ChannelKind,
    /// Address of the webhook, of the mailbox, topic.
    pub target: String,
    /// Key of the webhook's signature.
    pub secret: Option<Secret>,
    /// Language of the texts.
    pub language: Language,
    /// Nothing milder is told.
    pub severity_min: Severity,
    /// Patterns of models; empty: every machine.
    pub models: Vec<String>,
    /// Also when trouble is over.
    pub tell_gone: bool,
}

/// A channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its number.
    pub id: i64,
    /// What it is.
    pub channel: NewChannel,
    /// Whether it delivers.
    pub enabled: bool,
    /// What began before is not told, Unix milliseconds.
    pub created_at_ms: i64,
}

/// A delivery that is due.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number: what receivers recognise a repeat by.
    pub id: i64,
    /// Where to.
    pub channel: Channel,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What is told.
    pub body: serde_json::Value,
}

/// A delivery, for lists.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// Name of its channel.
    pub channel: String,
    /// Alert it tells of.
    pub alert_id: i64,
    /// `opened`, `returned`, `raised_4`, `gone`.
    pub event: String,
    /// `waiting`, `delivered`, `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was to be told, Unix milliseconds.
    pub created_at_ms: i64,
    /// When it is tried next, or was delivered.
    pub at_ms: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// Adds a channel; what begins from now on is told.
///
/// # Errors
/// When the database refuses it, as where the name is taken.
pub async fn add_channel(client: &impl GenericClient, new: &NewChannel) -> Result<i64, StoreError> {
    let row = client
        .query_opt(
            "insert into notify_channel (name, kind, target, secret, language, severity_min, models, tell_gone)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (name) do nothing returning notify_channel_id",
            &[
                &new.name,
                &new.kind.as_str(),
                &new.target,
                &new.secret.as_ref().map(Secret::reveal),
                &new.language.code(),
                &i16::from(new.severity_min.number()),
                &new.models,
                &new.tell_gone,
            ],
        )
        .await?;
    let taken = || {
        StoreError::Setup(format!("there is a channel called {:?}; remove it first, or choose another name", new.name))
    };
    Ok(row.ok_or_else(taken)?.get(0))
}

/// Every channel, by name.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn channels(client: &impl GenericClient) -> Result<Vec<Channel>, StoreError> {
    let rows = client.query("select * from notify_channel order by name limit $1", &[&CHANNELS_MAX]).await?;
    rows.iter().map(channel).collect()
}

fn channel(row: &Row) -> Result<Channel, StoreError> {
    let id: i64 = row.get("notify_channel_id");
    let wrong = |message: String| StoreError::Row { table: "notify_channel", message: format!("{id}: {message}") };
    let (kind, language): (&str, &str) = (row.get("kind"), row.get("language"));
    Ok(Channel {
        id,
        channel: NewChannel {
            name: row.get("name"),
            kind: ChannelKind::parse(kind).ok_or_else(|| wrong(format!("kind {kind:?} is unknown")))?,
            target: row.get("target"),
            secret: row.get::<_, Option<String>>("secret").map(Secret::new),
            language: Language::ALL
                .into_iter()
                .find(|known| known.code() == language)
                .ok_or_else(|| wrong(format!("language {language:?} is unknown")))?,
            severity_min: severity(row.get("severity_min")).map_err(wrong)?,
            models: row.get("models"),
            tell_gone: row.get("tell_gone"),
        },
        enabled: row.get("enabled"),
        created_at_ms: row.get::<_, Instant>("created_at").0,
    })
}

/// Switches a channel on or off. Returns whether there is one of that name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enable_channel(client: &impl GenericClient, name: &str, enabled: bool) -> Result<bool, StoreError> {
    let changed = client.execute("update notify_channel set enabled = $2 where name = $1", &[&name, &enabled]).await?;
    Ok(changed > 0)
}

/// Removes a channel with its deliveries. Returns whether there was one of that name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn remove_channel(client: &impl GenericClient, name: &str) -> Result<bool, StoreError> {
    Ok(client.execute("delete from notify_channel where name = $1", &[&name]).await? > 0)
}

/// Puts something told into the outbox of a channel; once, however often it is asked for.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enqueue(
    client: &impl GenericClient,
    channel: &Channel,
    told: &Told,
    body: &serde_json::Value,
) -> Result<(), StoreError> {
    client
        .execute(
            "insert into delivery (notify_channel_id, alert_id, health_episode_id, event, body)
             values ($1, $2, $3, $4, $5) on conflict (notify_channel_id, health_episode_id, event) do nothing",
            &[&channel.id, &told.alert_id, &told.episode.id, &told.event, body],
        )
        .await?;
    Ok(())
}

/// Takes deliveries that are due, and puts their next attempt off by `lease_s`: a process that dies with them leaves
/// them to the next.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn due_deliveries(
    client: &impl GenericClient,
    limit: i64,
    lease_s: f64,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = client
        .query(
            "with due as (
                 select delivery_id from delivery join notify_channel using (notify_channel_id)
                 where state = 'waiting' and next_attempt_at <= now() and enabled
                 order by next_attempt_at limit $1 for update of delivery skip locked),
             taken as (
                 update delivery set attempts = attempts + 1, next_attempt_at = now() + $2::double precision * interval '1 second'
                 from due where delivery.delivery_id = due.delivery_id
                 returning delivery.delivery_id, delivery.notify_channel_id, delivery.attempts, delivery.body)
             select taken.delivery_id, taken.attempts, taken.body, notify_channel.*
             from taken join notify_channel using (notify_channel_id) order by taken.delivery_id",
            &[&limit, &lease_s],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Delivery {
                id: row.get("delivery_id"),
                channel: channel(row)?,
                attempt: row.get("attempts"),
                body: row.get("body"),
            })
        })
        .collect()
}

/// A delivery arrived.
///
/// # Errors
/// When the database cannot be asked.
pub async fn delivery_succeeded(client: &impl GenericClient, delivery_id: i64) -> Result<(), StoreError> {
    client
        .execute(
            "update delivery set state = 'delivered', delivered_at = now(), last_error = null where delivery_id = $1",
            &[&delivery_id],
        )
        .await?;
    Ok(())
}

/// An attempt failed: it is tried again after a while, or given up where there is no while.
///
/// # Errors
/// When the database cannot be asked.
pub async fn delivery_failed(
    client: &impl GenericClient,
    delivery_id: i64,
    again_after_s: Option<f64>,
    error: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "update delivery set last_error = $2,
                    state = case when $3::double precision is null then 'dead' else 'waiting' end,
                    next_attempt_at = now() + coalesce($3::double precision, 0) * interval '1 second'
             where delivery_id = $1",
            &[&delivery_id, &error, &again_after_s],
        )
        .await?;
    Ok(())
}

/// Tries deliveries again that were given up, of one channel or of all. Returns how many.
///
/// # Errors
/// When the database cannot be asked.
pub async fn retry_dead(client: &impl GenericClient, channel: Option<&str>) -> Result<u64, StoreError> {
    Ok(client
        .execute(
            "update delivery set state = 'waiting', attempts = 0, next_attempt_at = now()
             where state = 'dead'
               and ($1::text is null
                    or notify_channel_id = (select notify_channel_id from notify_channel where name = $1))",
            &[&channel],
        )
        .await?)
}

/// Deliveries, the latest first; of one state or of all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn deliveries(
    client: &impl GenericClient,
    state: Option<&str>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = client
        .query(
            "select delivery_id, name, alert_id, event, state, attempts, delivery.created_at,
                    coalesce(delivered_at, next_attempt_at) as at, last_error
             from delivery join notify_channel using (notify_channel_id)
             where $1::text is null or state = $1
             order by delivery_id desc limit $2",
            &[&state, &limit],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| DeliveryRow {
            id: row.get("delivery_id"),
            channel: row.get("name"),
            alert_id: row.get("alert_id"),
            event: row.get("event"),
            state: row.get("state"),
            attempts: row.get("attempts"),
            created_at_ms: row.get::<_, Instant>("created_at").0,
            at_ms: row.get::<_, Instant>("at").0,
            last_error: row.get("last_error"),
        })
        .collect())
}
