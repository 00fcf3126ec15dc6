//! Words for trouble codes: what it means, what causes it, what to look at first.

use std::collections::BTreeMap;

use serde::Deserialize;
use wire::SignalId;

use super::super::data::{DataError, DataFile, Entries, matches};
use super::super::text::{Language, Severity, Text, Texts};
use super::life::{Lamp, lamps_on};
use super::{Code, FaultKey};

/// Longest range of parameters in one entry, `651..656/5`.
const MAX_RANGE: u32 = 64;

/// The fault catalogue: texts by code, and names for what no text describes.
#[derive(Debug, Clone, Default)]
pub struct FaultCatalogue {
    entries: Vec<Entry>,
    by_code: BTreeMap<Code, Vec<usize>>,
    failure_modes: BTreeMap<u8, Text>,
    parameters: BTreeMap<u32, Text>,
    controllers: BTreeMap<u8, Text>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Patterns of models; empty: every machine.
    models: Vec<String>,
    severity: Severity,
    title: Text,
    causes: Texts,
    checks: Texts,
}

/// How well a code is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The maker's own text.
    Maker,
    /// The general text for the code.
    General,
    /// No text: numbers, the parameter's name where it has one, and the standard meaning of the failure mode.
    Standard,
    /// The number has an older bit order and cannot be trusted.
    Legacy,
}

/// A code in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it means.
    pub title: Text,
    /// How bad it is.
    pub severity: Severity,
    /// Likely causes.
    pub causes: Texts,
    /// What to look at first.
    pub checks: Texts,
    /// Standard meaning of the failure mode.
    pub failure_mode: Text,
    /// How well the code is known.
    pub known: Known,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    codes: Vec<String>,
    severity: Severity,
    title: Text,
    #[serde(default)]
    causes: Texts,
    #[serde(default)]
    checks: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFailureMode {
    fmi: u8,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawController {
    source_address: u8,
    name: Text,
}

impl FaultCatalogue {
    /// Reads the files of the catalogue; of two entries for the same code and machine the later counts. Everything
    /// that is wrong goes to `errors`, and the rest is used.
    pub fn read(files: &[DataFile], errors: &mut Vec<DataError>) -> Self {
        let mut catalogue = Self::default();
        for file in files {
            let known = ["models", "fault", "failure_mode", "controller", "parameter"];
            if let Some(entries) = Entries::read(file, &known, errors) {
                catalogue.add(&entries, errors);
            }
        }
        catalogue
    }

    fn add(&mut self, entries: &Entries<'_>, errors: &mut Vec<DataError>) {
        let models: Vec<String> = entries.key("models", errors);
        for (entry, raw) in entries.each::<RawFault>("fault", "codes", errors) {
            for codes in &raw.codes {
                match code_range(codes) {
                    Ok(range) => {
                        for (position, code) in range.enumerate() {
                            self.add_fault(code, position + 1, &raw, &models);
                        }
                    }
                    Err(message) => errors.push(entries.error(&entry, format!("codes: {message}"))),
                }
            }
        }
        for (entry, raw) in entries.each::<RawFailureMode>("failure_mode", "fmi", errors) {
            if raw.fmi > 31 {
                errors.push(entries.error(&entry, format!("fmi: {} is outside 0..=31", raw.fmi)));
            }
            self.failure_modes.insert(raw.fmi, raw.text);
        }
        for (_, raw) in entries.each::<RawController>("controller", "source_address", errors) {
            self.controllers.insert(raw.source_address, raw.name);
        }
        let parameters: BTreeMap<String, Text> = entries.key("parameter", errors);
        for (spn, name) in parameters {
            match spn.parse() {
                Ok(spn) if spn < SignalId::SPN_END => drop(self.parameters.insert(spn, name)),
                _ => errors.push(entries.error("parameter", format!("{spn:?} is no SPN; write 0 to 524287"))),
            }
        }
    }

    fn add_fault(&mut self, code: Code, position: usize, raw: &RawFault, models: &[String]) {
        let fill = |text: &str| text.replace("{n}", &position.to_string());
        self.by_code.entry(code).or_default().push(self.entries.len());
        self.entries.push(Entry {
            models: models.to_vec(),
            severity: raw.severity,
            title: raw.title.map(fill),
            causes: raw.causes.map(fill),
            checks: raw.checks.map(fill),
        });
    }

    /// Number of codes that have a text.
    pub fn len(&self) -> usize {
        self.by_code.len()
    }

    /// Whether a general text describes a code.
    pub fn describes(&self, code: Code) -> bool {
        self.find(code, None).is_some()
    }

    /// Whether no code has a text.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// A fault in words, for a machine of a model, with the lamps that its controller lit.
    pub fn explain(&self, key: FaultKey, model: Option<&str>, lamp_state: u8) -> Explanation {
        let code = key.code();
        let failure_mode = self.failure_mode(code.fmi);
        if key.legacy {
            return Explanation {
                title: Text {
                    ru: format!(
                        "код {code} в старом порядке битов (CM = 1): номер не достоверен, прочитать прибором изготовителя"
                    ),
                    en: format!(
                        "code {code} in an older bit order (CM = 1): the number is uncertain, read it with the maker's tool"
                    ),
                },
                severity: of_unknown(code, lamp_state),
                causes: Texts::default(),
                checks: Texts::default(),
                failure_mode,
                known: Known::Legacy,
            };
        }
        match self.find(code, model) {
            Some(entry) => Explanation {
                title: entry.title.clone(),
                severity: entry.severity,
                causes: entry.causes.clone(),
                checks: entry.checks.clone(),
                failure_mode,
                known: if entry.models.is_empty() { Known::General } else { Known::Maker },
            },
            None => {
                let name = self.parameter(code.spn);
                Explanation {
                    title: Text {
                        ru: format!("{}: {}", name.ru, failure_mode.ru),
                        en: format!("{}: {}", name.en, failure_mode.en),
                    },
                    severity: of_unknown(code, lamp_state),
                    causes: Texts::default(),
                    checks: Texts::default(),
                    failure_mode,
                    known: Known::Standard,
                }
            }
        }
    }

    /// The entry for a code: the last that names the machine's model, or else the last general one.
    fn find(&self, code: Code, model: Option<&str>) -> Option<&Entry> {
        let entries = || self.by_code.get(&code).into_iter().flatten().rev().map(|index| &self.entries[*index]);
        let names =
            |entry: &&Entry| model.is_some_and(|model| entry.models.iter().any(|pattern| matches(pattern, model)));
        entries().find(names).or_else(|| entries().find(|entry| entry.models.is_empty()))
    }

    /// The standard meaning of a failure mode; reserved ones by number.
    pub fn failure_mode(&self, fmi: u8) -> Text {
        self.failure_modes
            .get(&fmi)
            .cloned()
            .unwrap_or_else(|| Text { ru: format!("другое (FMI {fmi})"), en: format!("other (FMI {fmi})") })
    }

    /// What a parameter is called; by number where it has no name here.
    pub fn parameter(&self, spn: u32) -> Text {
        if let Some(name) = self.parameters.get(&spn) {
            return name.clone();
        }
        let name = if spn >= MAKERS_OWN { (" изготовителя", " of the maker's range") } else { ("", "") };
        Text { ru: format!("параметр{} SPN {spn}", name.0), en: format!("parameter SPN {spn}{}", name.1) }
    }

    /// Who stands behind a source address; by number where that is not usual.
    pub fn controller(&self, source_address: u8) -> Text {
        self.controllers.get(&source_address).cloned().unwrap_or_else(|| Text {
            ru: format!("контроллер {source_address}"),
            en: format!("controller {source_address}"),
        })
    }
}

/// SPNs from here on are each maker's own (SAE J1939: 0x7F000 to 0x7FFFF).
const MAKERS_OWN: u32 = 0x7F000;

/// The severity of a code without a text: by the standard's three levels beyond a limit, and by the lamps.
fn of_unknown(code: Code, lamp_state: u8) -> Severity {
    let by_mode = match code.fmi {
        0 | 1 => Severity::Urgent,
        15 | 17 => Severity::Information,
        _ => Severity::Plan,
    };
    let by_lamp = lamps_on(lamp_state).into_iter().map(|lamp| match lamp {
        Lamp::RedStop => Severity::Stop,
        Lamp::AmberWarning | Lamp::Malfunction | Lamp::Protect => Severity::Plan,
    });
    by_lamp.max().unwrap_or(Severity::Information).max(by_mode)
}

impl Explanation {
    /// The causes and first checks as one line each, for lists.
    pub fn advice(&self, language: Language) -> String {
        self.checks.get(language).join("; ")
    }
}

/// Reads `100/1`, or `651..656/5` for six parameters.
fn code_range(text: &str) -> Result<impl Iterator<Item = Code>, String> {
    let fail = || format!("{text:?} is no code; write SPN/FMI as 100/1, or a range as 651..656/5");
    let (spns, fmi) = text.split_once('/').ok_or_else(fail)?;
    let (first, last) = spns.split_once("..").unwrap_or((spns, spns));
    let first = Code::parse(&format!("{first}/{fmi}")).ok_or_else(fail)?;
    let last = Code::parse(&format!("{last}/{fmi}")).ok_or_else(fail)?;
    if last.spn < first.spn || last.spn - first.spn >= MAX_RANGE {
        return Err(format!("{text:?} is no range of 1 to {MAX_RANGE} parameters"));
    }
    Ok((first.spn..=last.spn).map(move |spn| Code { spn, fmi: first.fmi }))
}
