//! Words for people, in the languages of the service, and how bad a thing is.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::locale::Language;

/// A text in every language of the service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

/// Several short texts, as bullets, in every language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Russian.
    pub ru: Vec<String>,
    /// English.
    pub en: Vec<String>,
}

impl Text {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Ru => &self.ru,
            Language::En => &self.en,
        }
    }

    /// The same change in every language.
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self { ru: change(&self.ru), en: change(&self.en) }
    }
}

impl Texts {
    /// The texts in a language.
    pub fn get(&self, language: Language) -> &[String] {
        match language {
            Language::Ru => &self.ru,
            Language::En => &self.en,
        }
    }

    /// The same change to each text.
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let each = |texts: &[String]| texts.iter().map(|text| change(text)).collect();
        Self { ru: each(&self.ru), en: each(&self.en) }
    }
}

/// How bad a thing is, by what has to be done. A number in data files and in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Severity {
    /// Good to know.
    Information = 1,
    /// Plan a repair.
    Plan = 2,
    /// Urgent today, or power is reduced.
    Urgent = 3,
    /// Stop now: critical.
    Stop = 4,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Information, Self::Plan, Self::Urgent, Self::Stop];

    /// The number in data files.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// A word for it.
    pub fn word(self, language: Language) -> &'static str {
        match self {
            Self::Information => language.text("severity.information"),
            Self::Plan => language.text("severity.plan"),
            Self::Urgent => language.text("severity.urgent"),
            Self::Stop => language.text("severity.stop"),
        }
    }
}

impl TryFrom<u8> for Severity {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|severity| severity.number() == number);
        found.ok_or_else(|| format!("severity {number} is none of 1 information, 2 plan, 3 urgent, 4 stop"))
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> Self {
        severity.number()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word(Language::En))
    }
}
