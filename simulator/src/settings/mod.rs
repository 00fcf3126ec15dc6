//! Settings: one commented default file, overlaid by a preset, by the user's file, and by the command line.

mod resolve;
mod types;
mod when;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use resolve::{Plan, PlanError};
pub use types::Settings;
pub use when::{parse_duration, parse_instant};

/// The defaults with their explanations, as `simulator config` prints them.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// The presets: name and text.
pub const PRESETS: [(&str, &str); 3] = [
    ("clean", include_str!("presets/clean.toml")),
    ("tomsk", include_str!("presets/tomsk.toml")),
    ("tsbs", include_str!("presets/tsbs.toml")),
];

/// What the command line overlays, as messages name it.
const COMMAND_LINE: &str = "the command line";

/// Why the settings cannot be used. Each names the key, the value and the mend.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{origin} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        origin: String,
        /// Line and column.
        message: String,
    },
    /// A key is unknown or its value is not acceptable.
    #[error("{key}: {message} (set in {origin})")]
    Key {
        /// Section and key.
        key: String,
        /// What is wrong, and the mend.
        message: String,
        /// Where it was set.
        origin: String,
    },
}

/// Reads the settings: defaults, then the preset, then `file`, then `overrides` (`fleet.machines` and its value).
///
/// # Errors
/// [`SettingsError`] for the first thing that is wrong.
pub fn load(file: Option<&Path>, overrides: Vec<(&'static str, Value)>) -> Result<Settings, SettingsError> {
    let mut layers = Vec::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.into(), source })?;
        let origin = path.display().to_string();
        layers.push((parse_table(&text, &origin)?, origin));
    }
    let mut spoken = Table::new();
    for (key, value) in overrides {
        put(&mut spoken, key, value);
    }
    layers.push((spoken, COMMAND_LINE.to_string()));

    let mut table = parse_table(DEFAULT_TOML, "the defaults")?;
    let (name, origin) = preset_of(&table, &layers);
    let Some((_, preset)) = PRESETS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
        let message = format!("{name:?} is no preset; known are {}", known.join(", "));
        return Err(SettingsError::Key { key: "conditions.preset".into(), message, origin });
    };
    overlay(&mut table, parse_table(preset, "the preset")?, "", "the preset")?;
    for (layer, origin) in layers {
        overlay(&mut table, layer, "", &origin)?;
        // Checked layer by layer, so that a wrong value is blamed on its own.
        typed(&table, &origin)?;
    }
    typed(&table, "the defaults")
}

/// The last word on which preset to use, and who spoke it.
fn preset_of(defaults: &Table, layers: &[(Table, String)]) -> (String, String) {
    let of = |table: &Table| table.get("conditions")?.get("preset")?.as_str().map(str::to_string);
    let spoken = layers.iter().rev().find_map(|(layer, origin)| Some((of(layer)?, origin.clone())));
    spoken.unwrap_or_else(|| (of(defaults).unwrap_or_default(), "the defaults".into()))
}

fn parse_table(text: &str, origin: &str) -> Result<Table, SettingsError> {
    text.parse()
        .map_err(|error: toml::de::Error| SettingsError::Syntax { origin: origin.into(), message: error.to_string() })
}

/// Puts a value at a dotted key.
fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.into(), value);
        }
        Some((section, rest)) => {
            if let Value::Table(inner) = table.entry(section).or_insert_with(|| Value::Table(Table::new())) {
                put(inner, rest, value);
            }
        }
    }
}

/// Lays `upper` over `base`; only keys that the defaults have are allowed.
fn overlay(base: &mut Table, upper: Table, prefix: &str, origin: &str) -> Result<(), SettingsError> {
    let known: Vec<_> = base.keys().cloned().collect();
    for (name, value) in upper {
        let key = format!("{prefix}{name}");
        let fail = |message: String| Err(SettingsError::Key { key: key.clone(), message, origin: origin.into() });
        match (base.get_mut(&name), value) {
            (None, _) => return fail(format!("is no setting; known are {}", known.join(", "))),
            (Some(Value::Table(base)), Value::Table(upper)) => overlay(base, upper, &format!("{key}."), origin)?,
            (Some(Value::Table(_)), _) => return fail(format!("is a section: write [{key}] and its keys below")),
            (Some(place), value) => *place = value,
        }
    }
    Ok(())
}

fn typed(table: &Table, origin: &str) -> Result<Settings, SettingsError> {
    let settings: Settings =
        serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| SettingsError::Key {
            key: error.path().to_string(),
            message: error.inner().message().to_string(),
            origin: origin.to_string(),
        })?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(file: &str, overrides: Vec<(&'static str, Value)>, expected: Expect) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fleet.toml");
        std::fs::write(&path, file).expect("a file");
        let outcome = match load(Some(&path), overrides) {
            Ok(settings) => format!(
                "{} machines, {} lost, {} gaps",
                settings.fleet.machines,
                settings.conditions.frames.lost_share,
                settings.conditions.network.gaps_per_hour.poor
            ),
            Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn defaults_preset_file_and_command_line_overlay_in_this_order() {
        check("", vec![], expect!["20 machines, 0.002 lost, 0.6 gaps"]);
        check(
            "[fleet]\nmachines = 7",
            vec![("conditions.preset", "tsbs".into())],
            expect!["7 machines, 0.01 lost, 0 gaps"],
        );
        check(
            "[conditions]\npreset = \"clean\"\n[conditions.frames]\nlost_share = 0.5",
            vec![("fleet.machines", 9.into())],
            expect!["9 machines, 0.5 lost, 0 gaps"],
        );
        check(
            "[conditions.network]\ngaps_per_hour = { poor = 9.0 }",
            vec![],
            expect!["20 machines, 0.002 lost, 9 gaps"],
        );
    }

    #[test]
    fn a_bad_setting_is_named_with_value_origin_and_mend() {
        check(
            "[fleet]\nmachine = 3",
            vec![],
            expect![
                "fleet.machine: is no setting; known are json_share, machines, models, models_folder, sample_period_ms, season, seed, serial_prefix, work (set in FILE)"
            ],
        );
        check(
            "[fleet]\nmachines = \"many\"",
            vec![],
            expect![[r#"fleet.machines: invalid type: string "many", expected usize (set in FILE)"#]],
        );
        check("fleet = 3", vec![], expect!["fleet: is a section: write [fleet] and its keys below (set in FILE)"]);
        check(
            "[conditions]\npreset = \"moon\"",
            vec![],
            expect![[r#"conditions.preset: "moon" is no preset; known are clean, tomsk, tsbs (set in FILE)"#]],
        );
        check(
            "[conditions.frames]\nlost = 0.1",
            vec![],
            expect![
                "conditions.frames.lost: is no setting; known are corrupt_share, duplicate_share, lost_share, reorder_share (set in FILE)"
            ],
        );
        check(
            "",
            vec![("time.from", "yesterday".into())],
            expect![[
                r#"time.from: "yesterday" is no time; write 2026-08-20T04:00:00Z, or local time as 2026-08-20 or 2026-08-20T11:00 (set in the command line)"#
            ]],
        );
        check(
            "[time]\nfor = \"1 fortnight\"",
            vec![],
            expect![[r#"time.for: "1 fortnight" is no length of time; write 60s, 10m, 2h or 3d (set in FILE)"#]],
        );
        check(
            "[fleet]\nwork = \"never\"",
            vec![],
            expect!["fleet.work: unknown variant `never`, expected `around_the_clock` or `by_day` (set in FILE)"],
        );
    }
}
