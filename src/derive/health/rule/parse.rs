//! From data files to rules. Everything that is wrong is said at once, each with file, rule, key, value and mend.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};
use wire::{SignalId, catalogue};

use super::super::counter::Pace;
use super::super::data::{DataError, DataFile, Entries, is_for};
use super::super::fault::Code;
use super::super::text::{Severity, Text};
use super::area::{Area, RawArea};
use super::block::{Input, LEARNED};
use super::daily::{Agree, Share};
use super::day::{self, Statistic, Trend};
use super::example::Example;
use super::expression::Expression;
use super::fuel::{Fuel, FuelEvent};
use super::learn::Learn;
use super::limit::{Limit, Side};
use super::rate::{Direction, Rate};
use super::reset::Reset;
use super::silence::Silence;
use super::{Check, ENGINE_SPEED, Rule};

/// Most rules.
const MAX_RULES: usize = 500;
/// Most trends.
const MAX_TRENDS: usize = 100;
/// Most areas.
const MAX_AREAS: usize = 500;
/// Changes when the same files come to mean something else; stored states of before are then not taken up.
const MEANING: &str = "2";

/// All rules with what they share.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    trends: Vec<Trend>,
    areas: Vec<Area>,
    inputs: Vec<Input>,
    names: Vec<String>,
    digest: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrend {
    id: String,
    title: Text,
    advice: Text,
    severity: Severity,
    #[serde(default)]
    models: Vec<String>,
    value: String,
    #[serde(default)]
    statistic: Statistic,
    when: Option<String>,
    class: Option<String>,
    #[serde(default)]
    edges: Vec<f64>,
    resolution: f64,
    rises_by: Option<f64>,
    falls_by: Option<f64>,
    #[serde(default)]
    by_pct: f64,
    days: usize,
    at_least_min: f64,
}

/// The keys that rules of every kind have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    id: String,
    title: Text,
    advice: Text,
    severity: Severity,
    #[serde(default)]
    fault: Option<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "limit")]
    kind: String,
    #[serde(default, rename = "example")]
    examples: Vec<Example>,
}

const COMMON_KEYS: [&str; 9] = ["id", "title", "advice", "severity", "fault", "models", "enabled", "kind", "example"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    value: String,
    above: Option<Value>,
    below: Option<Value>,
    clear: Option<Value>,
    for_s: f64,
    #[serde(default = "thirty")]
    clear_for_s: f64,
    when: Option<String>,
    unless: Option<String>,
    learn: Option<RawLearn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLearn {
    over_h: f64,
    by: Option<String>,
    step: Option<f64>,
    anew_after_s: Option<f64>,
    rises_over_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    value: String,
    rises_by: Option<f64>,
    falls_by: Option<f64>,
    window_s: f64,
    when: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShare {
    of: String,
    during: String,
    above_pct: f64,
    at_least_h: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgree {
    rate: String,
    counter: String,
    within_pct: f64,
    at_least: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFuel {
    event: FuelEvent,
    #[serde(default = "fuel_level")]
    level: String,
    #[serde(default = "fuel_rate")]
    rate: String,
    at_least_l: f64,
    at_least_pct: f64,
    within_s: f64,
    join_s: f64,
    #[serde(default = "one")]
    moving_h: f64,
    tank_l: Option<f64>,
    raise_when: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReset {
    counter: String,
    per_h: f64,
    step: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSilence {
    after_running_h: f64,
    after_off_h: f64,
    #[serde(default)]
    resting_months: Vec<u8>,
}

fn yes() -> bool {
    true
}
fn limit() -> String {
    "limit".into()
}
fn thirty() -> f64 {
    30.0
}
fn one() -> f64 {
    1.0
}
fn fuel_level() -> String {
    "fuel_level_pct".into()
}
fn fuel_rate() -> String {
    "fuel_rate_lph".into()
}

impl RuleSet {
    /// Reads the rules of `files`. A rule of the same id in a later file replaces the earlier one, or with
    /// `enabled = false` switches it off. Everything that is wrong goes to `errors`, and the rest is used.
    pub fn read(files: &[DataFile], errors: &mut Vec<DataError>) -> Self {
        let mut set = Self { digest: digest(files), ..Self::default() };
        let engine_speed = set.column_of("engine_speed_rpm", Input::Signal(catalogue::ENGINE_SPEED_RPM));
        debug_assert_eq!(engine_speed, ENGINE_SPEED);
        let mut parsed = Vec::new();
        for file in files {
            let Some(entries) = Entries::read(file, &["area", "rule", "trend"], errors) else { continue };
            for (entry, raw) in entries.each::<RawArea>("area", "name", errors) {
                match Area::of(raw) {
                    Ok(area) => {
                        set.areas.retain(|other| other.name != area.name);
                        set.areas.push(area);
                    }
                    Err(message) => errors.push(entries.error(&entry, message)),
                }
            }
            for (entry, raw) in entries.each::<RawTrend>("trend", "id", errors) {
                let mut messages = Vec::new();
                let trend = set.trend(raw, &mut messages);
                if messages.is_empty() {
                    set.trends.retain(|other| other.id != trend.id);
                    set.trends.push(trend);
                }
                errors.extend(messages.into_iter().map(|message| entries.error(&entry, message)));
            }
            let rules = entries.each::<Table>("rule", "id", errors);
            parsed.extend(rules.into_iter().map(|(entry, table)| (file.name.clone(), entry, table)));
        }
        if set.areas.len() > MAX_AREAS || parsed.len() > MAX_RULES {
            let message = format!("more than {MAX_AREAS} areas or {MAX_RULES} rules are not used; split the fleet");
            errors.push(DataError { file: "rules".into(), entry: String::new(), message });
            set.areas.truncate(MAX_AREAS);
            parsed.truncate(MAX_RULES);
        }
        let mut found: BTreeMap<String, Option<Rule>> = BTreeMap::new();
        for (file, entry, table) in parsed {
            match set.rule(&file, table) {
                Ok((rule, enabled)) => drop(found.insert(rule.id.clone(), enabled.then_some(rule))),
                Err(messages) => errors.extend(messages.into_iter().map(|message| DataError {
                    file: file.clone(),
                    entry: entry.clone(),
                    message,
                })),
            }
        }
        set.rules = found.into_values().flatten().collect();
        set
    }

    /// Every rule, by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule called `id`.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The rules for a machine of a model.
    pub fn rules_for<'a>(&'a self, model: Option<&str>) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.is_for(model))
    }

    /// Changes with the files and with what they mean: states of other rules are not taken up.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Every trend, in the order of the files.
    pub fn trends(&self) -> &[Trend] {
        &self.trends
    }

    /// The trends for a machine of a model.
    pub fn trends_for<'a>(&'a self, model: Option<&str>) -> impl Iterator<Item = &'a Trend> {
        self.trends.iter().filter(move |trend| is_for(&trend.models, model))
    }

    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn areas(&self) -> &[Area] {
        &self.areas
    }

    fn trend(&mut self, raw: RawTrend, errors: &mut Vec<String>) -> Trend {
        check_words(&raw.id, &raw.title, &raw.advice, errors);
        let (side, by) = match (raw.rises_by, raw.falls_by) {
            (Some(by), None) => (Side::Above, by),
            (None, Some(by)) => (Side::Below, by),
            _ => {
                errors.push("rises_by, falls_by: give exactly one of them".into());
                (Side::Above, 1.0)
            }
        };
        if by < 0.0 || raw.by_pct < 0.0 || (by == 0.0 && raw.by_pct == 0.0) {
            errors.push(format!("rises_by or falls_by = {by}, by_pct = {}: one of them is above 0", raw.by_pct));
        }
        if !(1..=30).contains(&raw.days) {
            errors.push(format!("days: {} is not in 1..=30", raw.days));
        }
        if raw.edges.len() >= day::MAX_CLASSES || !raw.edges.is_sorted() || raw.class.is_some() == raw.edges.is_empty()
        {
            errors.push(format!("class, edges: belong together; at most {} edges, ascending", day::MAX_CLASSES - 1));
        }
        // Of a condition the share of the time in which it holds is the figure.
        let value = match raw.statistic {
            Statistic::Median => self.value("value", &raw.value, false, errors),
            Statistic::Mean => self.expression("value", &raw.value, false, errors),
        };
        if self.trends.len() >= MAX_TRENDS {
            errors.push(format!("is one too many; at most {MAX_TRENDS} trends are used"));
        }
        let class = raw.class.map(|class| self.value("class", &class, false, errors));
        Trend {
            id: raw.id,
            title: raw.title,
            advice: raw.advice,
            severity: raw.severity,
            models: raw.models,
            side,
            by,
            by_share: raw.by_pct / 100.0,
            days: raw.days,
            at_least_ms: milliseconds("at_least_min", raw.at_least_min, 60_000.0, errors),
            value,
            statistic: raw.statistic,
            when: raw.when.map(|when| self.condition("when", &when, errors)),
            class: class.map(|class| (class, raw.edges)),
            resolution: positive("resolution", raw.resolution, f64::MAX, errors),
        }
    }

    fn rule(&mut self, file: &str, table: Table) -> Result<(Rule, bool), Vec<String>> {
        let (common, own): (Table, Table) = table.into_iter().partition(|(key, _)| COMMON_KEYS.contains(&key.as_str()));
        let common: Common = typed(common).map_err(|message| vec![message])?;
        let mut errors = Vec::new();
        check_words(&common.id, &common.title, &common.advice, &mut errors);
        let fault = common.fault.as_deref().and_then(|text| {
            let code = Code::parse(text);
            if code.is_none() {
                errors.push(format!("fault: {text:?} is no code; write SPN/FMI as 110/16"));
            }
            code
        });
        let check = self.check(&common.kind, own, &mut errors);
        match check {
            Some(check) if errors.is_empty() => Ok((
                Rule {
                    id: common.id,
                    title: common.title,
                    advice: common.advice,
                    severity: common.severity,
                    fault,
                    models: common.models,
                    file: file.into(),
                    check,
                    examples: common.examples,
                },
                common.enabled,
            )),
            _ => Err(errors),
        }
    }

    fn check(&mut self, kind: &str, own: Table, errors: &mut Vec<String>) -> Option<Check> {
        let known = ["limit", "rate", "share", "agree", "fuel", "reset", "silence"];
        let check = match kind {
            "limit" => typed(own).map(|raw| Check::Limit(self.limit(raw, errors))),
            "rate" => typed(own).map(|raw| Check::Rate(self.rate(raw, errors))),
            "share" => typed(own).map(|raw: RawShare| {
                Check::Share(Share {
                    of: self.condition("of", &raw.of, errors),
                    during: self.condition("during", &raw.during, errors),
                    above: positive("above_pct", raw.above_pct, 100.0, errors) / 100.0,
                    at_least_ms: milliseconds("at_least_h", raw.at_least_h, 3_600_000.0, errors),
                })
            }),
            "agree" => typed(own).map(|raw: RawAgree| {
                Check::Agree(Agree {
                    rate: self.value("rate", &raw.rate, false, errors),
                    counter: self.value("counter", &raw.counter, false, errors),
                    within: positive("within_pct", raw.within_pct, 100.0, errors) / 100.0,
                    at_least: positive("at_least", raw.at_least, f64::MAX, errors),
                })
            }),
            "fuel" => typed(own).map(|raw| Check::Fuel(self.fuel(raw, errors))),
            "reset" => typed(own).map(|raw: RawReset| {
                Check::Reset(Reset {
                    signal: signal("counter", &raw.counter, errors),
                    pace: Pace {
                        per_hour: positive("per_h", raw.per_h, f64::MAX, errors),
                        step: positive("step", raw.step, f64::MAX, errors),
                    },
                })
            }),
            "silence" => typed(own).map(|raw: RawSilence| {
                if let Some(month) = raw.resting_months.iter().find(|month| !(1..=12).contains(*month)) {
                    errors.push(format!("resting_months: {month} is no month, 1 to 12"));
                }
                Check::Silence(Silence {
                    after_running_ms: milliseconds("after_running_h", raw.after_running_h, 3_600_000.0, errors),
                    after_off_ms: milliseconds("after_off_h", raw.after_off_h, 3_600_000.0, errors),
                    resting_months: raw.resting_months,
                })
            }),
            other => Err(format!("kind: {other:?} is unknown; known are {}", known.join(", "))),
        };
        check.map_err(|message| errors.push(message)).ok()
    }

    fn limit(&mut self, raw: RawLimit, errors: &mut Vec<String>) -> Limit {
        let learns = raw.learn.is_some();
        let (side, limit) = match (&raw.above, &raw.below) {
            (Some(above), None) => (Side::Above, self.number("above", above, learns, errors)),
            (None, Some(below)) => (Side::Below, self.number("below", below, learns, errors)),
            _ => {
                errors.push("above, below: give exactly one of them".into());
                (Side::Above, Expression::Number(0.0))
            }
        };
        let clear = raw.clear.as_ref().map(|clear| self.number("clear", clear, learns, errors));
        if let (Some(Expression::Number(clear)), Expression::Number(limit)) = (&clear, &limit) {
            let is_behind = if side == Side::Above { clear <= limit } else { clear >= limit };
            if !is_behind {
                errors.push(format!("clear: {clear} is on the wrong side of the limit {limit}"));
            }
        }
        let learn = raw.learn.map(|raw| {
            let by = match (&raw.by, raw.step) {
                (None, None) => None,
                (Some(by), Some(step)) if step > 0.0 => Some((self.value("learn.by", by, false, errors), step)),
                _ => {
                    errors.push("learn: by and step > 0 belong together".into());
                    None
                }
            };
            Learn {
                over_ms: positive("learn.over_h", raw.over_h, 1e6, errors) * 3_600_000.0,
                by,
                anew_after_ms: raw
                    .anew_after_s
                    .map(|seconds| milliseconds("learn.anew_after_s", seconds, 1_000.0, errors)),
                rises_over_ms: raw
                    .rises_over_s
                    .map(|seconds| positive("learn.rises_over_s", seconds, 86_400.0, errors) * 1_000.0),
            }
        });
        let value = self.value("value", &raw.value, false, errors);
        let clear = clear.unwrap_or_else(|| limit.clone());
        let by = learn.as_ref().and_then(|learn| learn.by.as_ref()).map(|(by, _)| by);
        let compared = self.compared([&value, &limit, &clear].into_iter().chain(by));
        Limit {
            value,
            side,
            clear,
            limit,
            for_ms: milliseconds("for_s", raw.for_s, 1_000.0, errors),
            clear_for_ms: milliseconds("clear_for_s", raw.clear_for_s, 1_000.0, errors),
            when: raw.when.map(|when| self.condition("when", &when, errors)),
            unless: raw.unless.map(|unless| self.condition("unless", &unless, errors)),
            learn,
            compared,
        }
    }

    /// The columns of moving signals in expressions of a rule, if they are two or more.
    fn compared<'a>(&self, expressions: impl Iterator<Item = &'a Expression>) -> Vec<usize> {
        let mut columns = Vec::new();
        expressions.for_each(|expression| expression.columns(&mut columns));
        columns.retain(|column| self.inputs.get(*column).is_some_and(|input| input.compared().is_some()));
        columns.sort_unstable();
        columns.dedup();
        if columns.len() > 1 { columns } else { Vec::new() }
    }

    fn rate(&mut self, raw: RawRate, errors: &mut Vec<String>) -> Rate {
        let (direction, by) = match (raw.rises_by, raw.falls_by) {
            (Some(by), None) => (Direction::Rises, positive("rises_by", by, f64::MAX, errors)),
            (None, Some(by)) => (Direction::Falls, positive("falls_by", by, f64::MAX, errors)),
            _ => {
                errors.push("rises_by, falls_by: give exactly one of them".into());
                (Direction::Rises, 1.0)
            }
        };
        Rate {
            value: self.value("value", &raw.value, false, errors),
            direction,
            by,
            window_ms: milliseconds("window_s", raw.window_s, 1_000.0, errors).max(1),
            when: raw.when.map(|when| self.condition("when", &when, errors)),
        }
    }

    fn fuel(&mut self, raw: RawFuel, errors: &mut Vec<String>) -> Fuel {
        let level = signal("level", &raw.level, errors);
        let rate = Input::Signal(signal("rate", &raw.rate, errors));
        Fuel {
            event: raw.event,
            level,
            rate: self.column_of(&raw.rate, rate),
            stopped_s: self.column_of("stopped_s", Input::StoppedS),
            off_s: self.column_of("off_s", Input::OffS),
            engine_speed: self.column_of("engine_speed_rpm", Input::Signal(catalogue::ENGINE_SPEED_RPM)),
            speed: self.column_of("speed_kmh", Input::SpeedKmh),
            at_least_l: positive("at_least_l", raw.at_least_l, 10_000.0, errors),
            at_least_share: positive("at_least_pct", raw.at_least_pct, 100.0, errors) / 100.0,
            within_ms: milliseconds("within_s", raw.within_s, 1_000.0, errors),
            join_ms: milliseconds("join_s", raw.join_s, 1_000.0, errors),
            moving_ms: milliseconds("moving_h", raw.moving_h, 3_600_000.0, errors).max(1),
            tank_l: raw.tank_l.map(|tank_l| positive("tank_l", tank_l, 10_000.0, errors)),
            raise_when: raw.raise_when.map(|raise_when| self.condition("raise_when", &raise_when, errors)),
        }
    }

    /// A number, or an expression for one.
    fn number(&mut self, key: &str, value: &Value, learns: bool, errors: &mut Vec<String>) -> Expression {
        match value {
            Value::Integer(number) => Expression::Number(*number as f64),
            Value::Float(number) => Expression::Number(*number),
            Value::String(text) => self.value(key, text, learns, errors),
            other => {
                errors.push(format!("{key}: a {} is neither a number nor an expression", other.type_str()));
                Expression::Number(0.0)
            }
        }
    }

    fn value(&mut self, key: &str, text: &str, learns: bool, errors: &mut Vec<String>) -> Expression {
        let expression = self.expression(key, text, learns, errors);
        if expression.is_condition() {
            errors.push(format!("{key}: {text:?} is a condition; a value is needed"));
        }
        expression
    }

    fn condition(&mut self, key: &str, text: &str, errors: &mut Vec<String>) -> Expression {
        let before = errors.len();
        let expression = self.expression(key, text, false, errors);
        if errors.len() == before && !expression.is_condition() {
            errors.push(format!("{key}: {text:?} is no condition; compare it, as in engine_speed_rpm > 500"));
        }
        expression
    }

    fn expression(&mut self, key: &str, text: &str, learns: bool, errors: &mut Vec<String>) -> Expression {
        let parsed = Expression::parse(text, &mut |name| {
            if name == "learned" {
                return if learns {
                    Ok(LEARNED)
                } else {
                    Err("\"learned\" needs a key learn, in above or below".into())
                };
            }
            self.column(name)
        });
        parsed.unwrap_or_else(|message| {
            errors.push(format!("{key}: {message}"));
            Expression::Number(0.0)
        })
    }

    fn column(&mut self, name: &str) -> Result<usize, String> {
        let computed = Input::COMPUTED.into_iter().find(|(known, _)| *known == name).map(|(_, input)| input);
        if let Some(input) = computed {
            return Ok(self.column_of(name, input));
        }
        if let Some(area) = name.strip_prefix("inside_") {
            let index = self.areas.iter().position(|known| known.name == area);
            let index = index.ok_or_else(|| format!("{name:?}: there is no [[area]] with name = {area:?}"))?;
            return Ok(self.column_of(name, Input::Inside(index)));
        }
        match SignalId::by_name(name) {
            Some(signal) => Ok(self.column_of(name, Input::Signal(signal))),
            None => Err(format!("{name:?} is no signal{}", nearest(name))),
        }
    }

    fn column_of(&mut self, name: &str, input: Input) -> usize {
        match self.inputs.iter().position(|known| *known == input) {
            Some(column) => column,
            None => {
                self.inputs.push(input);
                self.names.push(name.into());
                self.inputs.len() - 1
            }
        }
    }
}

/// A name and the texts that people read.
fn check_words(id: &str, title: &Text, advice: &Text, errors: &mut Vec<String>) {
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        errors.push(format!("id: {id:?} has other characters than a-z, 0-9 and _"));
    }
    for (name, text) in [("title", title), ("advice", advice)] {
        if text.ru.trim().is_empty() || text.en.trim().is_empty() {
            errors.push(format!("{name}: is empty in ru or en; people read it"));
        }
    }
}

fn typed<T: serde::de::DeserializeOwned>(table: Table) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().trim_end();
        if path == "." { message.to_owned() } else { format!("{path}: {message}") }
    })
}

fn signal(key: &str, name: &str, errors: &mut Vec<String>) -> SignalId {
    SignalId::by_name(name).unwrap_or_else(|| {
        errors.push(format!("{key}: {name:?} is no signal{}", nearest(name)));
        catalogue::ENGINE_SPEED_RPM
    })
}

fn positive(key: &str, number: f64, most: f64, errors: &mut Vec<String>) -> f64 {
    if number > 0.0 && number <= most {
        return number;
    }
    errors.push(format!(
        "{key}: {number} is not above 0{}",
        if most < f64::MAX { format!(" and up to {most}") } else { String::new() }
    ));
    1.0
}

/// A duration of a rule, at most a month.
fn milliseconds(key: &str, number: f64, unit_ms: f64, errors: &mut Vec<String>) -> i64 {
    const MONTH_MS: f64 = 31.0 * 86_400_000.0;
    let ms = number * unit_ms;
    if (0.0..=MONTH_MS).contains(&ms) {
        return ms.round() as i64;
    }
    errors.push(format!("{key}: {number} is not in 0..={}", MONTH_MS / unit_ms));
    0
}

/// "; did you mean …?" for a name that is nearly one of ours.
fn nearest(name: &str) -> String {
    let known = catalogue::all().map(|signal| signal.name).chain(Input::COMPUTED.iter().map(|(name, _)| *name));
    let best = known.map(|known| (distance(name, known), known)).min();
    match best {
        Some((distance, known)) if distance <= 1 + name.len() / 4 => format!("; did you mean {known}?"),
        _ => "; docs/wire-format.md lists all".into(),
    }
}

/// Edits between two names (Levenshtein), over bytes: names are ASCII.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let best = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[other.len()]
}

/// FNV-1a over names, texts and meaning.
fn digest(files: &[DataFile]) -> u64 {
    let parts = files.iter().flat_map(|file| [file.name.as_str(), file.text.as_str()]).chain([MEANING]);
    let bytes = parts.flat_map(|part| part.bytes().chain([0xFF]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
