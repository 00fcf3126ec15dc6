//! Settings: one commented default file, overlaid by the user's file, overlaid by the environment.

mod mqtt_url;
mod secret;
mod types;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use mqtt_url::{MqttUrl, MqttUrlError};
pub use secret::Secret;
pub use types::{
    Aemp, Clock, Config, Database, Derive, Health, Http, Ingest, Log, LogFormat, Mqtt, Notify, Quarantine, Retention,
    Zone,
};

/// The defaults with their explanations, as `polevod config` prints them.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// Prefix of the environment variables that overlay the file.
const ENVIRONMENT_PREFIX: &str = "POLEVOD_";

/// Why the settings cannot be used. Each names the key, the value and the mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{origin} is not valid TOML: {message}")]
    Syntax {
        /// File or variable.
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
        /// File, variable or defaults.
        origin: String,
    },
}

/// Reads the settings: defaults, then `file`, then the variables in `environment` (name and value).
///
/// # Errors
/// [`ConfigError`] for the first thing that is wrong.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table = parse_table(DEFAULT_TOML, "the defaults")?;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let origin = path.display().to_string();
        overlay(&mut table, parse_table(&text, &origin)?, &origin)?;
        // Checked by itself, so that a wrong value is blamed on the file and not on a variable.
        typed(&table, &origin)?;
    }
    let mut variables: Vec<_> =
        environment.into_iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)).collect();
    variables.sort();
    for (name, text) in variables {
        if let Some((section, key)) = key_of_variable(&table, &name) {
            let old = &table[section.as_str()][key.as_str()];
            let value = parse_variable(old, &text).map_err(|message| ConfigError::Key {
                key: format!("{section}.{key}"),
                message,
                origin: format!("the environment variable {name}"),
            })?;
            table[section.as_str()][key.as_str()] = value;
            typed(&table, &format!("the environment variable {name}"))?;
        }
    }
    typed(&table, "the defaults")
}

fn parse_table(text: &str, origin: &str) -> Result<Table, ConfigError> {
    text.parse()
        .map_err(|error: toml::de::Error| ConfigError::Syntax { origin: origin.into(), message: error.to_string() })
}

/// Lays `upper` over `base`; only keys that the defaults have are allowed.
fn overlay(base: &mut Table, upper: Table, origin: &str) -> Result<(), ConfigError> {
    for (section, values) in upper {
        let fail = |key: String, message: String| ConfigError::Key { key, message, origin: origin.into() };
        let known: Vec<_> = base.keys().cloned().collect();
        let Some(Value::Table(base)) = base.get_mut(&section) else {
            return Err(fail(section, format!("is no section; known are {}", known.join(", "))));
        };
        let Value::Table(values) = values else {
            return Err(fail(section.clone(), format!("is a section: write [{section}] and its keys below")));
        };
        for (key, value) in values {
            if !base.contains_key(&key) {
                let known: Vec<_> = base.keys().cloned().collect();
                return Err(fail(format!("{section}.{key}"), format!("is no setting; known are {}", known.join(", "))));
            }
            base.insert(key, value);
        }
    }
    Ok(())
}

/// `POLEVOD_INGEST_FLUSH_AFTER_MS` → (`ingest`, `flush_after_ms`). Variables for other purposes
/// (`POLEVOD_DATA`) match no section and are left alone.
fn key_of_variable(table: &Table, name: &str) -> Option<(String, String)> {
    let name = name.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase();
    table.iter().find_map(|(section, values)| {
        let key = name.strip_prefix(section.as_str())?.strip_prefix('_')?;
        values.get(key).map(|_| (section.clone(), key.to_string()))
    })
}

/// Reads a variable's text as the type that the setting has.
fn parse_variable(old: &Value, text: &str) -> Result<Value, String> {
    match old {
        Value::Integer(_) => {
            text.trim().parse().map(Value::Integer).map_err(|_| format!("{text:?} is no whole number"))
        }
        Value::Boolean(_) => {
            text.trim().parse().map(Value::Boolean).map_err(|_| format!("{text:?} is not true or false"))
        }
        _ => Ok(Value::String(text.to_string())),
    }
}

fn typed(table: &Table, origin: &str) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| ConfigError::Key {
        key: error.path().to_string(),
        message: error.inner().message().to_string(),
        origin: origin.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(file: &str, environment: &[(&str, &str)], expected: Expect) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("polevod.toml");
        std::fs::write(&path, file).expect("a file");
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let outcome = match load(Some(&path), environment) {
            Ok(config) => format!("{} {} {}", config.ingest.lanes, config.ingest.flush_after_ms, config.mqtt.url),
            Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn defaults_file_and_environment_overlay_in_this_order() {
        check("", &[], expect!["2 20 mqtt://127.0.0.1:1883"]);
        check(
            "[ingest]\nlanes = 3\nflush_after_ms = 5",
            &[("POLEVOD_INGEST_LANES", "4"), ("POLEVOD_DATA", "x")],
            expect!["4 5 mqtt://127.0.0.1:1883"],
        );
    }

    #[test]
    fn a_bad_setting_is_named_with_value_origin_and_mend() {
        check(
            "[ingest]\nlane = 3",
            &[],
            expect![
                "ingest.lane: is no setting; known are batch_samples, flush_after_ms, lanes, register_unknown_machines (set in FILE)"
            ],
        );
        check(
            "[ingst]\nlanes = 3",
            &[],
            expect![
                "ingst: is no section; known are aemp, clock, database, derive, health, http, ingest, log, mqtt, notify, quarantine, retention (set in FILE)"
            ],
        );
        check("[ingest]\nlanes = 99", &[], expect!["ingest.lanes: 99 is outside 1..=16 (set in FILE)"]);
        check(
            "[ingest]\nlanes = \"two\"",
            &[],
            expect![[r#"ingest.lanes: invalid type: string "two", expected u32 (set in FILE)"#]],
        );
        check(
            "",
            &[("POLEVOD_INGEST_LANES", "many")],
            expect![[
                r#"ingest.lanes: "many" is no whole number (set in the environment variable POLEVOD_INGEST_LANES)"#
            ]],
        );
        check(
            "",
            &[("POLEVOD_MQTT_URL", "http://broker")],
            expect![
                "mqtt.url: the address begins with http://; write mqtt://HOST:PORT or mqtts://HOST:PORT (set in the environment variable POLEVOD_MQTT_URL)"
            ],
        );
        check(
            "[clock]\nzone = \"Asia/Tomks\"",
            &[],
            expect![[r#"clock.zone: "Asia/Tomks" is no time zone; write a name as Asia/Tomsk (set in FILE)"#]],
        );
        check(
            "[database]\nurl = \"postgres//x\"",
            &[],
            expect![
                "database.url: no database address: unexpected EOF; write postgres://USER:PASSWORD@HOST:PORT/DATABASE (set in FILE)"
            ],
        );
    }
}
