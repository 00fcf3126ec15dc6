//! Data files of the trade (faults, rules, service plans, models) as text that is read, checked and blamed.
//!
//! A file is a list of entries. Each entry is read by itself, so that one mistake does not hide the next: whoever
//! writes a file wants all its mistakes at once.

use std::fmt;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// A data file: its name, for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path or name.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// What is wrong in a data file: where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// The file.
    pub file: String,
    /// The entry, `rule "coolant_hot"`; empty where the file as a whole is meant.
    pub entry: String,
    /// Key, value and mend.
    pub message: String,
}

impl std::error::Error for DataError {}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry.as_str() {
            "" => write!(f, "{}: {}", self.file, self.message),
            entry => write!(f, "{}: {entry}: {}", self.file, self.message),
        }
    }
}

/// A file taken apart into the entries of its lists.
pub(super) struct Entries<'a> {
    file: &'a str,
    table: Table,
}

impl<'a> Entries<'a> {
    /// Reads a file that may hold the lists and keys called `known`; anything else is a mistake.
    pub(super) fn read(file: &'a DataFile, known: &[&str], errors: &mut Vec<DataError>) -> Option<Self> {
        let fail = |message: String| DataError { file: file.name.clone(), entry: String::new(), message };
        let table: Table = match file.text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                errors.push(fail(format!("is not valid TOML: {}", error.to_string().trim_end())));
                return None;
            }
        };
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            errors.push(fail(format!("{key:?} is not known here; known are {}", known.join(", "))));
        }
        Some(Self { file: &file.name, table })
    }

    /// Reads a single key of the file; the default where it is not set.
    pub(super) fn key<T: DeserializeOwned + Default>(&self, key: &str, errors: &mut Vec<DataError>) -> T {
        let Some(value) = self.table.get(key) else { return T::default() };
        typed(value.clone()).unwrap_or_else(|message| {
            errors.push(self.error("", format!("{key}: {message}")));
            T::default()
        })
    }

    /// Reads each entry of the list `[[kind]]`; `name_key` is the key that names an entry in messages. What cannot
    /// be read is an error and is left out.
    pub(super) fn each<T: DeserializeOwned>(
        &self,
        kind: &str,
        name_key: &str,
        errors: &mut Vec<DataError>,
    ) -> Vec<(String, T)> {
        let list = match self.table.get(kind) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                errors.push(self.error("", format!("{kind} is a list: head each entry by [[{kind}]]")));
                return Vec::new();
            }
        };
        let mut entries = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let entry = entry_name(kind, index, value.get(name_key));
            match typed(value.clone()) {
                Ok(content) => entries.push((entry, content)),
                Err(message) => errors.push(self.error(&entry, message)),
            }
        }
        entries
    }

    /// An error about an entry.
    pub(super) fn error(&self, entry: &str, message: String) -> DataError {
        DataError { file: self.file.into(), entry: entry.into(), message }
    }
}

/// `rule "coolant_hot"`, `fault 100/1`, or `fault number 3` where it has no name.
fn entry_name(kind: &str, index: usize, name: Option<&Value>) -> String {
    let first = match name {
        Some(Value::Array(names)) => names.first(),
        other => other,
    };
    match first {
        Some(Value::String(name)) => format!("{kind} {name:?}"),
        Some(Value::Integer(number)) => format!("{kind} {number}"),
        _ => format!("{kind} number {}", index + 1),
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().trim_end().to_owned();
        // The path of an entry's own missing or unknown key is the entry itself.
        if path == "." { message } else { format!("{path}: {message}") }
    })
}

/// Whether patterns of models name a model; none of them name every machine.
pub fn is_for(patterns: &[String], model: Option<&str>) -> bool {
    patterns.is_empty() || model.is_some_and(|model| patterns.iter().any(|pattern| matches(pattern, model)))
}

/// Whether `pattern` with `*` for any run of characters matches the whole of `text`: `mtz-*` matches `mtz-3522`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            // The tail may begin anywhere, the end of the text included.
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(matches("mtz-*", "mtz-3522"));
        assert!(matches("*", ""));
        assert!(matches("gs*a1", "gs12a1"));
        assert!(!matches("gs*a1", "gs12"));
        assert!(!matches("mtz-82.1", "mtz-82"));
        assert!(matches("mtz-82.1", "mtz-82.1"));
    }
}
