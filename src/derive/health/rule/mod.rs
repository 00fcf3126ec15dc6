//! Rules on signals: data that says what is wrong, since when, and what to do.
//!
//! ```text
//! data file ─ parse ▶ RuleSet
//! Readings ─ block ▶ dense columns ─ limit, rate, daily, fuel, reset, silence ▶ Episode
//!                                  └ day ▶ DayFigures, which trends compare
//! ```
//!
//! A rule is a fold over the samples of one machine in the order of their time: it keeps a state of bounded size that
//! can be stored and taken up again, and what it finds depends on the samples alone.

mod area;
mod block;
mod daily;
mod day;
mod example;
mod expression;
mod fold;
mod fuel;
mod learn;
mod limit;
mod local_time;
mod parse;
mod rate;
mod reset;
mod silence;

pub use block::MachineFacts;
pub use day::{DayFigures, Trend, TrendFigure};
pub use example::Failure;
pub use fold::{Ended, RuleFold, RuleFoldState};
pub(super) use limit::Side;
pub use parse::RuleSet;

use super::data::is_for;
use super::episode::Evidence;
use super::fault::Code;
use super::text::{Severity, Text};
use block::{Block, LEARNED};

/// The column of the engine's speed, which days are judged by with or without a rule that reads it.
const ENGINE_SPEED: usize = 0;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name: a-z, 0-9 and `_`.
    pub id: String,
    /// What it says is wrong.
    pub title: Text,
    /// What to do.
    pub advice: Text,
    /// How bad that is.
    pub severity: Severity,
    /// The trouble code that a controller would raise for the same.
    pub fault: Option<Code>,
    /// Patterns of the models it is for; empty: every machine that reports its signals.
    pub models: Vec<String>,
    /// Where it stands, for messages.
    pub file: String,
    check: Check,
    examples: Vec<example::Example>,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq)]
enum Check {
    Limit(limit::Limit),
    Rate(rate::Rate),
    Share(daily::Share),
    Agree(daily::Agree),
    Fuel(fuel::Fuel),
    Reset(reset::Reset),
    Silence(silence::Silence),
}

impl Rule {
    /// The kind of check, as data files name it.
    pub const fn kind(&self) -> &'static str {
        match self.check {
            Check::Limit(_) => "limit",
            Check::Rate(_) => "rate",
            Check::Share(_) => "share",
            Check::Agree(_) => "agree",
            Check::Fuel(_) => "fuel",
            Check::Reset(_) => "reset",
            Check::Silence(_) => "silence",
        }
    }

    /// Whether the rule is for a machine of the model.
    pub fn is_for(&self, model: Option<&str>) -> bool {
        is_for(&self.models, model)
    }

    /// Number of examples that `polevod rules check` runs.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// The columns it reads.
    fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        match &self.check {
            Check::Limit(check) => check.columns(&mut columns),
            Check::Rate(check) => check.columns(&mut columns),
            Check::Share(check) => check.columns(&mut columns),
            Check::Agree(check) => check.columns(&mut columns),
            Check::Fuel(check) => check.columns(&mut columns),
            Check::Reset(_) | Check::Silence(_) => {}
        }
        columns
    }

    /// The columns whose values have to be of one time.
    fn compared(&self) -> &[usize] {
        match &self.check {
            Check::Limit(check) => &check.compared,
            _ => &[],
        }
    }
}

/// What a check found; the fold adds whose it is.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    opened_at_ms: i64,
    fired_at_ms: i64,
    closed_at_ms: Option<i64>,
    settled_at_ms: Option<i64>,
    evidence: Evidence,
}

/// What checks need to name their evidence.
struct Context<'a> {
    names: &'a [String],
}

impl Context<'_> {
    /// Everything that a limit looked at, at a sample.
    fn evidence(&self, limit: &limit::Limit, block: &Block, index: usize) -> Evidence {
        let mut columns = Vec::new();
        limit.columns(&mut columns);
        let mut evidence = self.evidence_of(&columns, block, index);
        if limit.learn.is_some() {
            evidence.insert("learned".into(), block.column(LEARNED)[index]);
        }
        evidence
    }

    fn evidence_of(&self, columns: &[usize], block: &Block, index: usize) -> Evidence {
        let known = columns.iter().map(|column| (self.names[*column].clone(), block.column(*column)[index]));
        known.filter(|(_, value)| !value.is_nan()).collect()
    }
}
