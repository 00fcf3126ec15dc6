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
        let headline = match language {
            Language::Ru if is_gone => format!("{machine}: прошло: {title}"),
            Language::En if is_gone => format!("{machine}: over: {title}"),
            _ => format!("{machine}: {severity}: {title}"),
        };
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
    let say = |ru: &'static str, en: &'static str| match language {
        Language::Ru => ru,
        Language::En => en,
    };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {value}");
    };
    line(
        say("Машина", "Machine"),
        &match (whose.name, whose.model) {
            (Some(name), Some(model)) => format!("{name} ({model}, {})", whose.serial),
            (Some(name), None) => format!("{name} ({})", whose.serial),
            (None, Some(model)) => format!("{} ({model})", whose.serial),
            (None, None) => whose.serial.to_owned(),
        },
    );
    line(say("Что", "What"), title);
    line(say("Важность", "Severity"), episode.severity.word(language));
    line(say("Началось", "Began"), &local(episode.opened_at_ms, zone));
    if let Some(closed_at_ms) = episode.closed_at_ms {
        line(say("Закончилось", "Ended"), &local(closed_at_ms, zone));
    }
    if !advice.is_empty() {
        line(say("Что делать", "What to do"), advice);
    }
    let figures = figures(&episode.evidence);
    if !figures.is_empty() {
        line(say("Показания", "Figures"), &figures);
    }
    line(say("Оповещение", "Alert"), &alert.to_string());
    text
}

/// `coolant_temp_c 103, limit 100`: numbers as short as they are good for.
pub fn figures(evidence: &Evidence) -> String {
    let shown = evidence.iter().filter(|(name, value)| *name != "lamps" && *name != "raised" && value.is_finite());
    shown.map(|(name, value)| format!("{name} {}", short(*value))).collect::<Vec<_>>().join(", ")
}

/// A number with as many digits as matter: three behind the first that is not zero.
fn short(value: f64) -> String {
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
