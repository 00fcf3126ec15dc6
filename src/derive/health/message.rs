//! What a receiver is told of an alert: figures for programs, and a text for people.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::catalogues::Words;
use super::episode::{Episode, Evidence};
use super::text::{Language, Severity};

/// Everything that is told of an alert, the same at each attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Version of this form.
    pub version: u32,
    /// `opened`, `returned`, `raised_4`, `gone`.
    pub event: String,
    /// Number of the alert.
    pub alert: i64,
    /// Serial of the machine.
    pub machine: String,
    /// What people call it.
    pub machine_name: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// `fault/0/110/16`, `rule/coolant_hot`, `trend/…`, `service/…`.
    pub subject: String,
    /// 4 stop, 3 urgent, 2 plan, 1 information.
    pub severity: Severity,
    /// What is wrong.
    pub title: String,
    /// What to do.
    pub advice: String,
    /// When it began, machine clock, RFC 3339.
    pub opened_at: String,
    /// When it ended; absent: it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// Figures behind it.
    pub evidence: Evidence,
    /// For people: a line to begin with, and what there is to say.
    pub headline: String,
    /// Several lines.
    pub text: String,
}

/// Whose alert it is.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// Serial of the machine.
    pub serial: &'a str,
    /// What people call it.
    pub name: Option<&'a str>,
    /// Its model.
    pub model: Option<&'a str>,
}

impl Message {
    /// Puts an event into words of a language; times in the text are of `zone`.
    pub fn new(
        alert: i64,
        event: &str,
        whose: Whose<'_>,
        episode: &Episode,
        words: &Words,
        language: Language,
        zone: &TimeZone,
    ) -> Self {
        let title = words.title.get(language).to_owned();
        let advice = words.advice.get(language).to_owned();
        let machine = whose.name.unwrap_or(whose.serial);
        let is_gone = event == "gone";
        let severity = episode.severity.word(language);
        let what = if is_gone { language.text("alert.over") } else { severity };
        let headline = format!("{machine}: {what}: {title}");
        Self {
            version: 1,
            event: event.into(),
            alert,
            machine: whose.serial.into(),
            machine_name: whose.name.map(Into::into),
            model: whose.model.map(Into::into),
            subject: episode.subject.to_string(),
            severity: episode.severity,
            opened_at: utc(episode.opened_at_ms),
            closed_at: episode.closed_at_ms.map(utc),
            evidence: episode
                .evidence
                .iter()
                .filter(|(_, value)| value.is_finite())
                .map(|(k, v)| (k.clone(), *v))
                .collect(),
            text: text(alert, whose, episode, &title, &advice, language, zone),
            title,
            advice,
            headline,
        }
    }
}

fn text(
    alert: i64,
    whose: Whose<'_>,
    episode: &Episode,
    title: &str,
    advice: &str,
    language: Language,
    zone: &TimeZone,
) -> String {
    let machine = match (whose.name, whose.model) {
        (Some(name), Some(model)) => format!("{name} ({model}, {})", whose.serial),
        (Some(name), None) => format!("{name} ({})", whose.serial),
        (None, Some(model)) => format!("{} ({model})", whose.serial),
        (None, None) => whose.serial.to_owned(),
    };
    let ended = episode.closed_at_ms.map(|closed_at_ms| local(closed_at_ms, zone));
    let lines = [
        (language.text("alert.machine"), Some(machine)),
        (language.text("alert.what"), Some(title.to_owned())),
        (language.text("alert.severity"), Some(episode.severity.word(language).to_owned())),
        (language.text("alert.began"), Some(local(episode.opened_at_ms, zone))),
        (language.text("alert.ended"), ended),
        (language.text("alert.advice"), Some(advice.to_owned())),
        (language.text("alert.figures"), Some(figures(&episode.evidence))),
        (language.text("alert.number"), Some(alert.to_string())),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    text
}

/// `coolant_temp_c 103, limit 100`: numbers as short as they are good for.
pub fn figures(evidence: &Evidence) -> String {
    let shown = evidence.iter().filter(|(name, value)| *name != "lamps" && *name != "raised" && value.is_finite());
    shown.map(|(name, value)| format!("{name} {}", short(*value))).collect::<Vec<_>>().join(", ")
}

/// A number with as many digits as matter: three behind the first that is not zero.
pub(super) fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || value == value.round() {
        0
    } else if value.abs() >= 1.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn utc(at_ms: i64) -> String {
    crate::time::display_ms(at_ms)
}

/// A local time for people, with the zone's offset.
pub fn local(at_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| at_ms.to_string(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
    )
}
