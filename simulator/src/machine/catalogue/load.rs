//! Reading the catalogue files.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use wire::SignalId;

use super::error::{CatalogueError, Place};
use super::implement::Implement;
use super::model::Model;
use super::operation::{Crop, Operation};
use crate::machine::land::District;

macro_rules! built_in {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../", $path)))),*]
    };
}

const MODELS: [(&str, &str); 30] = built_in![
    "machines/mtz-82.1.toml",
    "machines/mtz-1025.4.toml",
    "machines/mtz-1221.2.toml",
    "machines/mtz-1523.toml",
    "machines/mtz-2022.toml",
    "machines/mtz-3022.toml",
    "machines/mtz-3522.toml",
    "machines/mtz-4522.toml",
    "machines/gs5.toml",
    "machines/gs812.toml",
    "machines/gs10.toml",
    "machines/gs12.toml",
    "machines/gs12a1.toml",
    "machines/gs16.toml",
    "machines/gs3219.toml",
    "machines/fs80.toml",
    "machines/fs650.toml",
    "machines/kg6.toml",
    "machines/flax-lk4a.toml",
    "machines/flax-tln15.toml",
    "machines/flax-sp.toml",
    "machines/flax-roll.toml",
    "machines/log-fwd.toml",
    "machines/log-hrv.toml",
    "machines/peat-hrv.toml",
    "machines/peat-mill.toml",
    "machines/dryer-20.toml",
    "machines/dryer-40.toml",
    "machines/fire-tk.toml",
    "machines/fire-mtz.toml",
];
const SIGNALS: (&str, &str) = built_in!["machines/groups/signals.toml"][0];
const IMPLEMENTS: [(&str, &str); 3] =
    built_in!["implements/tillage-and-sowing.toml", "implements/hay-flax-peat.toml", "implements/headers.toml",];
const OPERATIONS: (&str, &str) = built_in!["districts/operations.toml"][0];
const CROPS: (&str, &str) = built_in!["districts/crops.toml"][0];
const DISTRICTS: (&str, &str) = built_in!["districts/tomsk-oblast.toml"][0];

/// Most files of a user's folder.
const MAX_USER_FILES: usize = 1_000;

/// All models, implements, operations, crops and districts.
#[derive(Debug)]
pub struct Catalogue {
    pub(crate) models: Vec<Arc<Model>>,
    pub(crate) implements: Vec<Arc<Implement>>,
    pub(crate) operations: Vec<Arc<Operation>>,
    pub(crate) crops: Vec<Arc<Crop>>,
    pub(crate) districts: Vec<District>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalsFile {
    group: Vec<SignalGroup>,
}

/// Signals that a kind of bus or sensor brings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalGroup {
    name: String,
    #[serde(rename = "meaning")]
    _meaning: String,
    signals: Vec<Reported>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    every_s: u32,
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImplementsFile {
    implement: Vec<Implement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationsFile {
    operation: Vec<Operation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CropsFile {
    crop: Vec<Crop>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DistrictsFile {
    district: Vec<District>,
}

impl Catalogue {
    /// Loads the built-in files and those of `folder`.
    ///
    /// # Errors
    /// [`CatalogueError`] names the file, the key, the value and the mend.
    pub fn load(folder: Option<&Path>) -> Result<Self, CatalogueError> {
        let groups: SignalsFile = parse(SIGNALS.0, SIGNALS.1)?;
        let mut catalogue = Self {
            models: Vec::new(),
            implements: Vec::new(),
            operations: Vec::new(),
            crops: Vec::new(),
            districts: parse::<DistrictsFile>(DISTRICTS.0, DISTRICTS.1)?.district,
        };
        for mut operation in parse::<OperationsFile>(OPERATIONS.0, OPERATIONS.1)?.operation {
            operation.prepare(OPERATIONS.0)?;
            catalogue.operations.push(Arc::new(operation));
        }
        for crop in parse::<CropsFile>(CROPS.0, CROPS.1)?.crop {
            crop.check(CROPS.0)?;
            catalogue.crops.push(Arc::new(crop));
        }
        for (file, text) in IMPLEMENTS.into_iter().chain(MODELS) {
            catalogue.add(file, text, &groups.group)?;
        }
        for (file, text) in folder.map(user_files).transpose()?.unwrap_or_default() {
            catalogue.add(&file, &text, &groups.group)?;
        }
        catalogue.check_references()?;
        Ok(catalogue)
    }

    /// The model of that code.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] names all that there are.
    pub(crate) fn model(&self, code: &str) -> Result<Arc<Model>, CatalogueError> {
        self.models.iter().find(|model| model.code == code).cloned().ok_or_else(|| CatalogueError::Unknown {
            code: code.to_string(),
            known: self.models.iter().map(|model| model.code.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The file of the built-in model of that code: a beginning for one's own.
    pub fn built_in_file(code: &str) -> Option<&'static str> {
        let path = format!("machines/{code}.toml");
        MODELS.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
    }

    /// All models as (code, name, kind).
    pub fn models(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.models.iter().map(|model| (model.code.as_str(), model.name.as_str(), model.kind.name()))
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Arc<Operation>> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The implements that a machine of `model` can have.
    pub(crate) fn implements_of(&self, model: &Model) -> Vec<Arc<Implement>> {
        let kw = model.engine.as_ref().map_or(0.0, |engine| engine.rated_kw);
        let is_for = |implement: &Implement| {
            if !model.implements.is_empty() {
                return model.implements.contains(&implement.code);
            }
            if !implement.machines.is_empty() {
                return implement.machines.contains(&model.code);
            }
            model.kind == super::Kind::Tractor && kw >= implement.machine_kw.0 && kw < implement.machine_kw.1
        };
        self.implements.iter().filter(|implement| is_for(implement)).cloned().collect()
    }

    /// Adds what a file defines: one model, or implements.
    fn add(&mut self, file: &str, text: &str, groups: &[SignalGroup]) -> Result<(), CatalogueError> {
        let table: toml::Table = parse(file, text)?;
        if table.contains_key("implement") {
            for implement in parse::<ImplementsFile>(file, text)?.implement {
                implement.check(file)?;
                replace_or_push(&mut self.implements, implement, |known| known.code.as_str());
            }
            return Ok(());
        }
        let mut model: Model = parse(file, text)?;
        model.check(file)?;
        model.signals = signals_of(&model, file, groups)?;
        model.watches_feed =
            model.signals.iter().any(|(signal, _)| *signal == wire::catalogue::FUEL_DELIVERY_PRESSURE_KPA);
        replace_or_push(&mut self.models, model, |known| known.code.as_str());
        Ok(())
    }

    /// Names in one file that another has to define.
    fn check_references(&self) -> Result<(), CatalogueError> {
        for implement in &self.implements {
            if self.operation(&implement.operation).is_none() {
                let names: Vec<_> = self.operations.iter().map(|operation| operation.name.as_str()).collect();
                let place = Place { file: "implements" };
                let key = format!("implement[{}].operation", implement.code);
                return Err(place.error(&key, &implement.operation, &format!("use one of {}", names.join(", "))));
            }
        }
        for model in &self.models {
            for code in &model.implements {
                if !self.implements.iter().any(|implement| implement.code == *code) {
                    let place = Place { file: &model.code };
                    return Err(place.error("implements", code, "name an implement that some file defines"));
                }
            }
        }
        for district in &self.districts {
            for crop in district.crops.keys() {
                if !self.crops.iter().any(|known| known.name == *crop) {
                    let place = Place { file: DISTRICTS.0 };
                    return Err(place.error("district.crops", crop, "name a crop of crops.toml"));
                }
            }
        }
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|error| CatalogueError::Syntax {
        file: file.to_string(),
        reason: error.to_string().trim().to_string(),
    })
}

fn replace_or_push<T>(all: &mut Vec<Arc<T>>, new: T, code: impl Fn(&T) -> &str) {
    match all.iter_mut().find(|known| code(known) == code(&new)) {
        Some(known) => *known = Arc::new(new),
        None => all.push(Arc::new(new)),
    }
}

/// The signals of a model's groups; where two groups name a signal, the faster counts.
fn signals_of(model: &Model, file: &str, groups: &[SignalGroup]) -> Result<Vec<(SignalId, u32)>, CatalogueError> {
    let place = Place { file };
    let mut signals: Vec<(SignalId, u32)> = Vec::new();
    for name in &model.signal_groups {
        let Some(group) = groups.iter().find(|group| group.name == *name) else {
            let known: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
            return Err(place.error("signal_groups", name, &format!("use some of {}", known.join(", "))));
        };
        for reported in &group.signals {
            for name in &reported.names {
                let Some(signal) = wire::catalogue::by_name(name) else {
                    return Err(place.error(&format!("group[{}]", group.name), name, "name a signal of the catalogue"));
                };
                match signals.iter_mut().find(|(known, _)| *known == signal.id) {
                    Some((_, every_s)) => *every_s = reported.every_s.min(*every_s),
                    None => signals.push((signal.id, reported.every_s)),
                }
            }
        }
    }
    signals.sort_unstable();
    Ok(signals)
}

/// The files of a user's folder, by name.
fn user_files(folder: &Path) -> Result<Vec<(String, String)>, CatalogueError> {
    let unreadable = |path: &Path, error: std::io::Error| CatalogueError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?.take(MAX_USER_FILES) {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    // The order in which a folder lists its files is no order.
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            Ok((path.display().to_string(), text))
        })
        .collect()
}
