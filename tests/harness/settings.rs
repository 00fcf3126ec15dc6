//! Settings of an ingest under test, as its process and as the library take them.

use std::collections::BTreeMap;

use polevod::config::{self, Config};

/// Variables of the environment, so that a child process and the library are set up the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(crate) fn new(database_url: &str, mqtt_url: &str) -> Self {
        Self::default()
            .with("database.url", database_url)
            .with("mqtt.url", mqtt_url)
            .with("database.connect_timeout_s", 2)
            .with("http.listen", "")
            .with("log.filter", "polevod=debug,info")
    }

    /// Sets `section.key`.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        let variable = format!("POLEVOD_{}", key.replace('.', "_").to_uppercase());
        self.0.insert(variable, value.to_string());
        self
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn config(&self) -> Config {
        config::load(None, self.0.clone()).expect("the settings of a test are good")
    }
}
