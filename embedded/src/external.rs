//! Servers the caller brings along.

use std::env;

use crate::error::EmbeddedError;

const DATABASE: &str = "POLEVOD_DATABASE_URL";
const MQTT: &str = "POLEVOD_MQTT_URL";

/// Addresses of servers that are already running and are not ours to start, stop or kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// `postgres://user:password@host:port/database`
    pub database_url: String,
    /// `mqtt://host:port`
    pub mqtt_url: String,
}

/// Reads `POLEVOD_DATABASE_URL` and `POLEVOD_MQTT_URL`; `None` when neither is set (empty counts as unset).
///
/// # Errors
/// [`EmbeddedError::ExternalIncomplete`] when only one is set: mixing somebody's database with a private broker is
/// hardly ever meant.
pub fn external_from_env() -> Result<Option<External>, EmbeddedError> {
    let read = |name| env::var(name).ok().filter(|value| !value.is_empty());
    external_of(read(DATABASE), read(MQTT))
}

fn external_of(database: Option<String>, mqtt: Option<String>) -> Result<Option<External>, EmbeddedError> {
    match (database, mqtt) {
        (Some(database_url), Some(mqtt_url)) => Ok(Some(External { database_url, mqtt_url })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(EmbeddedError::ExternalIncomplete { set: DATABASE, missing: MQTT }),
        (None, Some(_)) => Err(EmbeddedError::ExternalIncomplete { set: MQTT, missing: DATABASE }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(database: Option<&str>, mqtt: Option<&str>) -> Result<Option<External>, String> {
        external_of(database.map(str::to_owned), mqtt.map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn both_addresses_or_neither() {
        let both = External { database_url: "postgres://d".into(), mqtt_url: "mqtt://m".into() };
        assert_eq!(check(Some("postgres://d"), Some("mqtt://m")), Ok(Some(both)));
        assert_eq!(check(None, None), Ok(None));
    }

    #[test]
    fn one_address_alone_names_the_missing_one() {
        let error = check(Some("postgres://d"), None).unwrap_err();
        assert!(error.contains("POLEVOD_MQTT_URL is not"), "{error}");
        let error = check(None, Some("mqtt://m")).unwrap_err();
        assert!(error.contains("POLEVOD_DATABASE_URL is not"), "{error}");
    }
}
