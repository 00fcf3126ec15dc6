//! Everything that is data, read: faults, rules, service plans, models.

use super::data::{DataError, DataFile};
use super::episode::{Evidence, Subject};
use super::fault::{FaultCatalogue, Known};
use super::model::Models;
use super::rule::RuleSet;
use super::service::{Plan, Plans};
use super::text::Text;

/// Not available: no lamp is known to be on.
const LAMPS_NOT_AVAILABLE: u8 = 0xFF;

/// The data files of the trade.
#[derive(Debug, Clone, Default)]
pub struct Catalogues {
    /// Words for trouble codes.
    pub faults: FaultCatalogue,
    /// Rules on signals, and slow changes.
    pub rules: RuleSet,
    /// Service plans.
    pub plans: Plans,
    /// Models.
    pub models: Models,
}

/// The files, by kind; of each kind later files count before earlier ones.
#[derive(Debug, Clone, Default)]
pub struct CatalogueFiles {
    /// Faults.
    pub faults: Vec<DataFile>,
    /// Rules and trends.
    pub rules: Vec<DataFile>,
    /// Service plans.
    pub service: Vec<DataFile>,
    /// Models.
    pub machines: Vec<DataFile>,
}

/// A subject in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What is wrong.
    pub title: Text,
    /// What to do.
    pub advice: Text,
    /// For a trouble code, how well it is known.
    pub known: Option<Known>,
}

impl Catalogues {
    /// Reads the files. Everything that is wrong goes to `errors`, and the rest is used.
    pub fn read(files: &CatalogueFiles, errors: &mut Vec<DataError>) -> Self {
        Self {
            faults: FaultCatalogue::read(&files.faults, errors),
            rules: RuleSet::read(&files.rules, errors),
            plans: Plans::read(&files.service, errors),
            models: Models::read(&files.machines, errors),
        }
    }

    /// The service plan of a model.
    pub fn plan(&self, model: Option<&str>) -> Option<&Plan> {
        self.plans.find(self.models.find(model?)?.service.as_deref()?)
    }

    /// A subject of a machine of a model in words.
    pub fn words(&self, subject: &Subject, model: Option<&str>, evidence: &Evidence) -> Words {
        match subject {
            Subject::Fault(key) => {
                let lamps = evidence.get("lamps").map_or(LAMPS_NOT_AVAILABLE, |lamps| *lamps as u8);
                let found = self.faults.explain(*key, model, lamps);
                let controller = self.faults.controller(key.source_address);
                let code = key.code();
                let title = |title: &str, controller: &str| {
                    format!("{title} (SPN {} FMI {}, {controller})", code.spn, code.fmi)
                };
                Words {
                    title: Text {
                        ru: title(&found.title.ru, &controller.ru),
                        en: title(&found.title.en, &controller.en),
                    },
                    advice: Text { ru: found.checks.ru.join("; "), en: found.checks.en.join("; ") },
                    known: Some(found.known),
                }
            }
            Subject::Rule(id) => of_entry(id, self.rules.find(id).map(|rule| (&rule.title, &rule.advice))),
            Subject::Trend(id) => {
                let trend = self.rules.trends().iter().find(|trend| trend.id == *id);
                of_entry(id, trend.map(|trend| (&trend.title, &trend.advice)))
            }
            Subject::Service(id) => {
                let item = self.plan(model).and_then(|plan| plan.items.iter().find(|item| item.id == *id));
                let Some(item) = item else { return of_entry(id, None) };
                let title = Text {
                    ru: format!("обслуживание: {}", item.name.ru),
                    en: format!("service: {}", item.name.en),
                };
                let advice = Text { ru: item.work.ru.join("; "), en: item.work.en.join("; ") };
                of_entry(id, Some((&title, &advice)))
            }
        }
    }
}

/// An entry whose file is gone is shown by its name.
fn of_entry(id: &str, entry: Option<(&Text, &Text)>) -> Words {
    let unknown = Text { ru: id.into(), en: id.into() };
    let (title, advice) = entry.map_or((unknown, Text::default()), |(title, advice)| (title.clone(), advice.clone()));
    Words { title, advice, known: None }
}
