//! Doctor: settings of database and broker that would lose data or slow it down, and the mend of each.
//!
//! What can be asked is asked; what no server tells (how much a broker keeps for a session that is away, how much
//! it sends ahead) is tried with a bounded number of small messages on a topic of its own.

mod broker;
mod database;

use serde::Serialize;

use crate::config::Config;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// As it should be.
    Good,
    /// Works, and could be better.
    Note,
    /// Loses data, or does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `database`, `broker`.
    pub subject: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub mend: String,
}

impl Finding {
    fn good(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, weight: Weight::Good, found: found.into(), mend: String::new() }
    }

    fn note(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject, weight: Weight::Note, found: found.into(), mend: mend.into() }
    }

    fn bad(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject, weight: Weight::Bad, found: found.into(), mend: mend.into() }
    }
}

/// Looks at everything; a server that cannot be reached is a finding, not an error.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let (mut findings, broker) = tokio::join!(database::examine(config), broker::examine(&config.mqtt));
    findings.extend(broker);
    findings
}
