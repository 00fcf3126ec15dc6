//! Settings as types: `default.toml` says what each means.

#![allow(missing_docs, reason = "the names and meanings are those of default.toml")]

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::when::{parse_duration, parse_instant};
use crate::conditions::{ClockRules, Conditions, EntryRules, NetworkRules, PowerRules, ReceiverRules};
use crate::device::Impairments;
use crate::fleet::Work;
use crate::machine::{FaultSettings, Season};

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub fleet: FleetSettings,
    pub faults: FaultSettings,
    pub time: TimeSettings,
    pub broker: BrokerSettings,
    pub unit: UnitSettings,
    pub output: OutputSettings,
    pub conditions: ConditionSettings,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSettings {
    pub machines: usize,
    pub seed: u64,
    pub models: Vec<String>,
    #[serde(deserialize_with = "path")]
    pub models_folder: Option<PathBuf>,
    pub serial_prefix: String,
    pub sample_period_ms: u32,
    pub work: Work,
    pub season: SeasonSetting,
    pub json_share: f64,
}

/// Which season's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeasonSetting {
    Auto,
    Calendar,
    #[serde(untagged)]
    Always(Season),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSettings {
    pub accelerate: f64,
    #[serde(deserialize_with = "instant")]
    pub from: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    pub to: Option<Timestamp>,
    #[serde(deserialize_with = "duration", rename = "for")]
    pub run_for: Option<Duration>,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub username: Option<String>,
    #[serde(deserialize_with = "text")]
    pub password: Option<String>,
    #[serde(deserialize_with = "path")]
    pub ca_file: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    pub client_certificate_file: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    pub client_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    pub certificates_folder: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    pub passwords_file: Option<PathBuf>,
    pub connections: usize,
}

impl std::fmt::Debug for BrokerSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Addresses and passwords hold secrets.
        f.debug_struct("BrokerSettings").field("connections", &self.connections).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitSettings {
    pub frame_samples: usize,
    pub frame_wait_ms: u64,
    #[serde(deserialize_with = "path")]
    pub buffer_folder: Option<PathBuf>,
    pub buffer_bytes: u64,
    pub buffer_sync: bool,
    pub resend_after_s: u64,
    pub drain_s: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSettings {
    #[serde(deserialize_with = "path")]
    pub truth_folder: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    pub ledger_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSettings {
    pub preset: String,
    pub frames: Impairments,
    pub network: NetworkRules,
    pub clock: ClockRules,
    pub receiver: ReceiverRules,
    pub entries: EntryRules,
    pub power: PowerRules,
}

impl ConditionSettings {
    /// The conditions, frames excepted.
    pub fn conditions(&self) -> Conditions {
        let Self { network, clock, receiver, entries, power, .. } = *self;
        Conditions { network, clock, receiver, entries, power }
    }
}

/// An empty text is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    text(deserializer).map(|text| text.map(PathBuf::from))
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    text(deserializer)?.map(|text| parse_instant(&text)).transpose().map_err(D::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    text(deserializer)?.map(|text| parse_duration(&text)).transpose().map_err(D::Error::custom)
}
