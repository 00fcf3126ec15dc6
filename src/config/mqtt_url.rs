//! Broker addresses.

use std::fmt;

use serde::Deserialize;

use super::Secret;

/// `mqtt://[USER[:PASSWORD]@]HOST[:PORT]`, or `mqtts://` for TLS. User and password are taken as written, up to
/// the last `@`; `Display` hides the password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MqttUrl {
    /// Host name or address.
    pub host: String,
    /// Port; 1883, or 8883 with TLS.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// User and password.
    pub credentials: Option<(String, Secret)>,
}

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MqttUrlError {
    /// Another scheme, or none.
    #[error("the address begins with {0}; write mqtt://HOST:PORT or mqtts://HOST:PORT")]
    Scheme(String),
    /// No host.
    #[error("the address has no host; write mqtt://HOST:PORT")]
    Host,
    /// The port is no number.
    #[error("port = {0:?} is not in 1..=65535")]
    Port(String),
    /// Something follows the port.
    #[error("{0:?} follows the port; a broker address ends there")]
    Path(String),
}

impl MqttUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`MqttUrlError`] names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, MqttUrlError> {
        let (tls, rest) = if let Some(rest) = text.strip_prefix("mqtt://") {
            (false, rest)
        } else if let Some(rest) = text.strip_prefix("mqtts://") {
            (true, rest)
        } else {
            let scheme = text.find("://").map_or("no scheme", |end| &text[..end + 3]);
            return Err(MqttUrlError::Scheme(scheme.to_string()));
        };
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((who, address)) => {
                let (user, password) = who.split_once(':').unwrap_or((who, ""));
                (Some((user.to_string(), Secret::new(password))), address)
            }
            None => (None, rest),
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        if let Some((_, path)) = address.split_once('/') {
            return Err(MqttUrlError::Path(path.to_string()));
        }
        // An IPv6 address stands in brackets, so its colons are no port.
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let number = port.parse().ok().filter(|port| *port != 0);
                (host, number.ok_or_else(|| MqttUrlError::Port(port.to_string()))?)
            }
            _ => (address, if tls { 8883 } else { 1883 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(MqttUrlError::Host);
        }
        Ok(Self { host: host.to_string(), port, tls, credentials })
    }
}

impl TryFrom<String> for MqttUrl {
    type Error = MqttUrlError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for MqttUrl {
    type Err = MqttUrlError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for MqttUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        let who = self.credentials.as_ref().map_or(String::new(), |(user, _)| format!("{user}:***@"));
        write!(f, "{scheme}://{who}{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match MqttUrl::parse(text) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn addresses_are_read_or_the_wrong_part_is_named() {
        check("mqtt://localhost", expect!["mqtt://localhost:1883"]);
        check("mqtts://ingest:se:cr@t@broker.example:1", expect!["mqtts://ingest:***@broker.example:1"]);
        check("mqtt://[::1]:1884/", expect!["mqtt://::1:1884"]);
        check("mqtt://:1883", expect!["the address has no host; write mqtt://HOST:PORT"]);
        check("broker:1883", expect!["the address begins with no scheme; write mqtt://HOST:PORT or mqtts://HOST:PORT"]);
        check("mqtt://broker:99999", expect![[r#"port = "99999" is not in 1..=65535"#]]);
        check("mqtt://broker:1883/fleet", expect![[r#""fleet" follows the port; a broker address ends there"#]]);
    }
}
