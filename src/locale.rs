//! Texts and numbers for people, in Russian and English. The texts stand in `locales/`, which the web UI reads too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Keeps a number and its unit, or the groups of a number, on one line.
pub const NO_BREAK_SPACE: char = '\u{a0}';

/// A language of the texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

static RU: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| parse(include_str!("../locales/ru.json")));
static EN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| parse(include_str!("../locales/en.json")));

fn parse(json: &str) -> BTreeMap<String, String> {
    serde_json::from_str(json).expect("a test holds that the texts are a flat object")
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// Its code, as in `lang` of HTML.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The text of a key; the key itself where there is none, which a test rules out for every key in the source.
    pub fn text(self, key: &str) -> &str {
        self.texts().get(key).map_or(key, String::as_str)
    }

    /// The word for a code of a fixed set, such as `working` of `state`; the code itself where there is none.
    pub fn word(self, set: &str, code: &str) -> String {
        self.texts().get(&format!("{set}.{code}")).map_or(code, String::as_str).to_owned()
    }

    /// The word for a crop, however machines and files spell it; their own word where it is none of ours.
    pub fn crop(self, crop: &str) -> String {
        let code = crop.trim().to_lowercase().replace([' ', '-'], "_");
        self.texts().get(&format!("crop.{code}")).map_or(crop, String::as_str).to_owned()
    }

    /// The text of a key with each `{name}` replaced.
    pub fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        let mut text = self.text(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// A number rounded to so many decimals: decimal comma and blanks between thousands in Russian, point and commas
    /// in English. Nothing that rounds to zero is negative.
    pub fn number(self, value: f64, decimals: usize) -> String {
        let rounded = format!("{:.decimals$}", value.abs());
        let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
        let (group, point) = match self {
            Self::Ru => (NO_BREAK_SPACE, ','),
            Self::En => (',', '.'),
        };
        let mut text = String::new();
        if value < 0.0 && rounded.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
            text.push('−');
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// Hectares: two decimals under 100, then one.
    pub fn hectares(self, value: f64) -> String {
        self.number(value, if value.abs() < 99.995 { 2 } else { 1 })
    }

    /// A share as a percentage without its sign.
    pub fn percent(self, share: f64, decimals: usize) -> String {
        self.number(share * 100.0, decimals)
    }

    /// A date: 20.08.2026 or 20 Aug 2026.
    pub fn date(self, day: Date) -> String {
        match self {
            Self::Ru => day.strftime("%d.%m.%Y").to_string(),
            Self::En => day.strftime("%-d %b %Y").to_string(),
        }
    }

    /// A day of the year: 20.08 or 20 Aug.
    pub fn day_and_month(self, day: Date) -> String {
        match self {
            Self::Ru => day.strftime("%d.%m").to_string(),
            Self::En => day.strftime("%-d %b").to_string(),
        }
    }

    /// Hours and minutes of an instant in a zone.
    pub fn time(self, at: Timestamp, zone: &TimeZone) -> String {
        at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
    }

    /// Date, hours and minutes of an instant in a zone.
    pub fn date_time(self, at: Timestamp, zone: &TimeZone) -> String {
        let local = at.to_zoned(zone.clone());
        format!("{} {}", self.date(local.date()), self.time(at, zone))
    }

    fn texts(self) -> &'static BTreeMap<String, String> {
        match self {
            Self::Ru => &RU,
            Self::En => &EN,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let missing: Vec<_> = RU.keys().filter(|key| !EN.contains_key(*key)).collect();
        assert!(missing.is_empty(), "en.json lacks {missing:?}");
        let missing: Vec<_> = EN.keys().filter(|key| !RU.contains_key(*key)).collect();
        assert!(missing.is_empty(), "ru.json lacks {missing:?}");
        for (key, text) in RU.iter() {
            assert_eq!(placeholders(text), placeholders(&EN[key]), "{key}");
            assert!(!text.trim().is_empty() && !EN[key].trim().is_empty(), "{key} is blank");
        }
    }

    fn placeholders(text: &str) -> std::collections::BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    /// Keys stand in the source as plain strings right behind `text(` and `fill(`.
    #[test]
    fn every_key_in_the_source_has_a_text() {
        let mut missing = Vec::new();
        scan(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut missing);
        assert!(missing.is_empty(), "no text for {missing:?}");
    }

    fn scan(folder: &Path, missing: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder of the source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                scan(&path, missing);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).expect("a source file");
                for call in [".text(\"", ".fill(\""] {
                    let keys = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                    missing.extend(keys.filter(|key| !EN.contains_key(*key)).map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn numbers_are_written_as_each_language_does() {
        let both = |value, decimals| Language::ALL.map(|language| language.number(value, decimals));
        assert_eq!(both(1_234_567.891, 2), ["1\u{a0}234\u{a0}567,89", "1,234,567.89"]);
        assert_eq!(both(-0.001, 2), ["0,00", "0.00"]);
        assert_eq!(both(-12.5, 1), ["−12,5", "−12.5"]);
        assert_eq!(both(999.0, 0), ["999", "999"]);
        assert_eq!(Language::En.hectares(99.994), "99.99");
        assert_eq!(Language::En.hectares(99.996), "100.0");
        assert_eq!(Language::Ru.percent(0.0345, 1), "3,5");
    }

    #[test]
    fn times_are_local() {
        let zone = TimeZone::get("Asia/Tomsk").expect("the zone data is built in");
        let at: Timestamp = "2026-08-20T18:05:00Z".parse().expect("a time");
        let both = Language::ALL.map(|language| language.date_time(at, &zone));
        assert_eq!(both, ["21.08.2026 01:05", "21 Aug 2026 01:05"]);
    }
}
