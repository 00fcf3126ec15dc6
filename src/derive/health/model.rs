//! What health needs to know of a machine's model beside its signals.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::data::{DataError, DataFile, Entries};
use super::rule::MachineFacts;

/// Models by code.
#[derive(Debug, Clone, Default)]
pub struct Models(BTreeMap<String, Model>);

/// A model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// As machines report it.
    pub code: String,
    /// As people call it.
    pub name: String,
    /// `tractor`, `combine` and so on.
    pub kind: String,
    /// Capacity of the fuel tank, L.
    pub tank_l: Option<f64>,
    /// 12 or 24, V.
    pub system_v: Option<f64>,
    /// Service plan.
    pub service: Option<String>,
}

impl Models {
    /// Reads the files; a model of the same code in a later file replaces the earlier one.
    pub fn read(files: &[DataFile], errors: &mut Vec<DataError>) -> Self {
        let mut models = BTreeMap::new();
        for file in files {
            let Some(entries) = Entries::read(file, &["model"], errors) else { continue };
            for (entry, model) in entries.each::<Model>("model", "code", errors) {
                if model.tank_l.is_some_and(|tank| !(1.0..=10_000.0).contains(&tank)) {
                    errors.push(entries.error(&entry, format!("tank_l: {:?} is not in 1..=10000", model.tank_l)));
                } else if model.system_v.is_some_and(|volts| volts != 12.0 && volts != 24.0) {
                    errors.push(entries.error(&entry, format!("system_v: {:?} is neither 12 nor 24", model.system_v)));
                } else {
                    models.insert(model.code.clone(), model);
                }
            }
        }
        Self(models)
    }

    /// A model by its code.
    pub fn find(&self, code: &str) -> Option<&Model> {
        self.0.get(code)
    }

    /// Every model.
    pub fn all(&self) -> impl Iterator<Item = &Model> {
        self.0.values()
    }

    /// What rules need to know of a machine.
    pub fn facts(&self, code: Option<&str>) -> MachineFacts {
        let model = code.and_then(|code| self.find(code));
        MachineFacts {
            model: code.map(Into::into),
            tank_l: model.and_then(|model| model.tank_l),
            system_v: model.and_then(|model| model.system_v),
        }
    }
}
