//! The settings as types: holding a [`Config`] is the proof that every value is acceptable.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};

use super::{MqttUrl, Secret};

/// Every setting. The meaning of each stands in `default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub database: Database,
    pub mqtt: Mqtt,
    pub ingest: Ingest,
    pub clock: Clock,
    pub derive: Derive,
    pub health: Health,
    pub http: Http,
    pub aemp: Aemp,
    pub notify: Notify,
    pub quarantine: Quarantine,
    pub retention: Retention,
    pub log: Log,
}

/// Section `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Database {
    #[serde(deserialize_with = "database_url")]
    pub url: Secret,
    #[serde(deserialize_with = "bounded::<1, 300, _>")]
    pub connect_timeout_s: u32,
    #[serde(deserialize_with = "bounded::<1, 3600, _>")]
    pub transaction_timeout_s: u32,
}

/// Section `[mqtt]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Mqtt {
    pub url: MqttUrl,
    #[serde(deserialize_with = "client_id")]
    pub client_id: String,
    #[serde(deserialize_with = "share_group")]
    pub share_group: String,
    pub ca_file: String,
    pub client_certificate_file: String,
    pub client_key_file: String,
    #[serde(deserialize_with = "bounded::<5, 3600, _>")]
    pub keep_alive_s: u32,
    #[serde(deserialize_with = "bounded::<0, 0xffff_fffe, _>")]
    pub session_expiry_s: u32,
    #[serde(deserialize_with = "bounded::<1, 16_384, _>")]
    pub receive_maximum: u32,
    #[serde(deserialize_with = "bounded::<5, 86_400, _>")]
    pub watchdog_after_s: u32,
}

/// Section `[ingest]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Ingest {
    #[serde(deserialize_with = "bounded::<1, 16, _>")]
    pub lanes: u32,
    #[serde(deserialize_with = "bounded::<1, 200_000, _>")]
    pub batch_samples: u32,
    #[serde(deserialize_with = "bounded::<0, 5_000, _>")]
    pub flush_after_ms: u32,
    pub register_unknown_machines: bool,
}

/// Section `[clock]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Clock {
    #[serde(deserialize_with = "instant")]
    pub earliest: Timestamp,
    #[serde(deserialize_with = "bounded::<0, 86_400, _>")]
    pub future_tolerance_s: u32,
    #[serde(deserialize_with = "bounded::<1, 3_650, _>")]
    pub backlog_days: u32,
    #[serde(deserialize_with = "bounded::<1, 31_536_000, _>")]
    pub late_after_s: u32,
    pub zone: Zone,
}

/// Section `[derive]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Derive {
    #[serde(deserialize_with = "bounded::<0, 3_600_000, _>")]
    pub settle_ms: u32,
    #[serde(deserialize_with = "bounded::<0, 23, _>")]
    pub day_starts_h: u32,
}

/// Section `[health]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Health {
    pub folder: String,
}

/// Section `[notify]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Notify {
    #[serde(deserialize_with = "mail_url")]
    pub mail_url: Secret,
    pub mail_from: String,
    #[serde(deserialize_with = "bounded::<1, 300, _>")]
    pub timeout_s: u32,
    #[serde(deserialize_with = "bounded::<1, 100, _>")]
    pub attempts_max: u32,
}

/// Section `[http]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Http {
    #[serde(deserialize_with = "listen_address")]
    pub listen: Option<std::net::SocketAddr>,
}

/// Section `[aemp]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Aemp {
    #[serde(deserialize_with = "bounded::<1, 100_000, _>")]
    pub requests_per_minute: u32,
    #[serde(deserialize_with = "public_url")]
    pub public_url: String,
}

/// Section `[quarantine]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Quarantine {
    #[serde(deserialize_with = "bounded::<100, 100_000_000, _>")]
    pub rows_max: u32,
    #[serde(deserialize_with = "bounded::<0, 65_536, _>")]
    pub payload_bytes_max: u32,
}

/// Section `[retention]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Retention {
    #[serde(deserialize_with = "bounded::<0, 36_500, _>")]
    pub sample_days: u32,
    #[serde(deserialize_with = "bounded::<0, 36_500, _>")]
    pub columns_after_days: u32,
}

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors, one object a line.
    Json,
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub jiff::tz::TimeZone);

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        jiff::tz::TimeZone::get(&name)
            .map(Self)
            .map_err(|_| format!("{name:?} is no time zone; write a name as Asia/Tomsk"))
    }
}

/// Reads a whole number in `LOW..=HIGH`.
fn bounded<'de, const LOW: u32, const HIGH: u32, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let range: RangeInclusive<u32> = LOW..=HIGH;
    let number = u32::deserialize(deserializer)?;
    if range.contains(&number) { Ok(number) } else { Err(D::Error::custom(format!("{number} is outside {range:?}"))) }
}

fn database_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The parser's own message does not repeat the address, so no password gets out.
    text.parse::<tokio_postgres::Config>().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        D::Error::custom(format!("no database address: {cause}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE"))
    })?;
    Ok(Secret::new(text))
}

fn listen_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<std::net::SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format!("{text:?} is no address to listen on; write 127.0.0.1:8080, or nothing to serve none"))
    })
}

fn mail_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_encrypted = text.starts_with("smtps://") || (text.starts_with("smtp://") && text.ends_with("?tls=required"));
    let host = text.strip_prefix("smtp://").map(|rest| rest.rsplit('@').next().unwrap_or_default());
    let is_local =
        host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local)));
    // The text may hold a password, so the message does not repeat it.
    if text.is_empty() || is_encrypted || is_local {
        return Ok(Secret::new(text));
    }
    Err(D::Error::custom(
        "no address of a mail server with encryption; write smtps://USER:PASSWORD@HOST or \
         smtp://USER:PASSWORD@HOST:587?tls=required; without encryption only smtp://127.0.0.1:PORT is possible",
    ))
}

fn client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() || text.len() > 64 {
        return Err(D::Error::custom(format!("{text:?} has {} bytes; 1 to 64 are possible", text.len())));
    }
    Ok(text)
}

fn share_group<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.contains(['/', '+', '#']) {
        return Err(D::Error::custom(format!("{text:?} has '/', '+' or '#', which a group name cannot carry")));
    }
    Ok(text)
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no time; write 2015-01-01T00:00:00Z")))
}

fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.is_empty() && !text.starts_with("https://") && !text.starts_with("http://") {
        return Err(D::Error::custom(format!("{text:?} is no address; write https://HOST, or nothing")));
    }
    Ok(text)
}
