//! The data files of the trade: faults, rules, service plans, models. Built in, and laid over by a folder of the
//! operator, file by file: `faults/*.toml`, `rules/*.toml`, `service/*.toml`, `machines/*.toml`.

use std::path::Path;

use crate::derive::health::{CatalogueFiles, Catalogues, DataError, DataFile};

/// Most files of one kind in a folder.
const MAX_FILES: usize = 200;
/// Longest file.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The files of one kind that are built in.
macro_rules! built_in {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((concat!($folder, "/", $name, ".toml"),
             include_str!(concat!("../catalogue/", $folder, "/", $name, ".toml")))),*]
    };
}

const FAULTS: &[(&str, &str)] = built_in!["faults": "aftertreatment", "controllers", "driveline", "electrical", "engine",
    "failure_modes", "fuel", "harvester", "parameters", "project"];
const RULES: &[(&str, &str)] =
    built_in!["rules": "driveline", "electrical", "engine", "fuel", "harvest", "other_machines", "trends", "use"];
const SERVICE: &[(&str, &str)] = built_in!["service": "plans"];
const MACHINES: &[(&str, &str)] = built_in!["machines": "models"];

/// The built-in files alone.
pub fn built_in() -> Catalogues {
    let mut errors = Vec::new();
    let catalogues = load(None, &mut errors);
    debug_assert!(errors.is_empty(), "{errors:?}");
    catalogues
}

/// The built-in files, laid over by those of `folder`. Everything that is wrong goes to `errors`, and the rest is used.
pub fn load(folder: Option<&Path>, errors: &mut Vec<DataError>) -> Catalogues {
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        errors.push(problem(folder, "is no folder; name one with faults, rules, service or machines in it".into()));
    }
    let mut of_kind = |kind: &str, built_in: &[(&str, &str)]| {
        let mut files: Vec<_> =
            built_in.iter().map(|(name, text)| DataFile { name: (*name).into(), text: (*text).into() }).collect();
        if let Some(folder) = folder {
            files.extend(data_files(&folder.join(kind), errors));
        }
        files
    };
    let files = CatalogueFiles {
        faults: of_kind("faults", FAULTS),
        rules: of_kind("rules", RULES),
        service: of_kind("service", SERVICE),
        machines: of_kind("machines", MACHINES),
    };
    Catalogues::read(&files, errors)
}

/// The TOML files of a folder, by name; none where there is no such folder.
pub fn data_files(folder: &Path, errors: &mut Vec<DataError>) -> Vec<DataFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    if paths.len() > MAX_FILES {
        errors.push(problem(folder, format!("has {} files; the first {MAX_FILES} are used", paths.len())));
        paths.truncate(MAX_FILES);
    }
    paths.iter().filter_map(|path| data_file(path).map_err(|error| errors.push(error)).ok()).collect()
}

/// Reads one file.
///
/// # Errors
/// When it cannot be read, or is longer than any data file.
pub fn data_file(path: &Path) -> Result<DataFile, DataError> {
    let length = std::fs::metadata(path).map_err(|error| problem(path, format!("cannot be read: {error}")))?.len();
    if length > MAX_BYTES {
        return Err(problem(path, format!("has {length} bytes; at most {MAX_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| problem(path, format!("cannot be read: {error}")))?;
    Ok(DataFile { name: path.display().to_string(), text })
}

fn problem(path: &Path, message: String) -> DataError {
    DataError { file: path.display().to_string(), entry: String::new(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn the_built_in_files_are_without_mistakes_and_their_examples_hold() {
        let mut errors = Vec::new();
        let catalogues = load(None, &mut errors);
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        let failures = catalogues.rules.run_examples(&TimeZone::get("Asia/Tomsk").expect("the zone data is built in"));
        assert_eq!(failures.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        let without = catalogues.rules.rules().iter().filter(|rule| rule.examples() == 0);
        assert_eq!(without.map(|rule| rule.id.as_str()).collect::<Vec<_>>(), [""; 0], "every rule shows what it finds");
    }

    #[test]
    fn every_file_of_the_catalogue_folder_is_built_in() {
        for (kind, built_in) in [("faults", FAULTS), ("rules", RULES), ("service", SERVICE), ("machines", MACHINES)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue").join(kind);
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .expect("a folder of the catalogue")
                .map(|entry| format!("{kind}/{}", entry.expect("an entry").file_name().to_string_lossy()))
                .collect();
            files.sort();
            assert_eq!(files, built_in.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    }

    #[test]
    fn rules_name_codes_that_the_fault_catalogue_explains_and_models_name_plans() {
        let catalogues = built_in();
        for rule in catalogues.rules.rules() {
            if let Some(code) = rule.fault {
                assert!(catalogues.faults.describes(code), "rule {} names {code}", rule.id);
            }
        }
        for model in catalogues.models.all() {
            let plan = model.service.as_deref().map(|plan| catalogues.plans.find(plan).is_some());
            assert_ne!(plan, Some(false), "{}", model.code);
        }
    }

    #[test]
    fn a_folder_of_the_operator_adds_replaces_and_is_blamed_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "faults/maker.toml",
            "models = ['x-*']\n[[fault]]\ncodes = ['110/0']\nseverity = 3\ntitle = { ru = 'своё', en = 'own' }",
        );
        write("rules/own.toml", "[[rule]]\nid = 'coolant_hot'\nseverity = 9");
        let mut errors = Vec::new();
        let catalogues = load(Some(folder.path()), &mut errors);
        let said: Vec<_> =
            errors.iter().map(|e| e.to_string().replace(&*folder.path().to_string_lossy(), "")).collect();
        assert_eq!(
            said,
            [
                r#"/rules/own.toml: rule "coolant_hot": severity: severity 9 is none of 1 information, 2 plan, 3 urgent, 4 stop"#
            ]
        );
        let key = crate::derive::health::fault::FaultKey { source_address: 0, spn: 110, fmi: 0, legacy: false };
        assert_eq!(catalogues.faults.explain(key, Some("x-1"), 0xFF).title.en, "own");
        assert_eq!(catalogues.faults.explain(key, Some("mtz-3522"), 0xFF).title.en, "coolant overheating");
        assert!(catalogues.rules.find("coolant_hot").is_some(), "the built-in rule stays in force");
    }
}
