//! The broker's address.

use std::str::FromStr;

use super::SimulatorError;

/// Where the broker is and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether the link is encrypted (`mqtts://`).
    pub tls: bool,
    /// User name and password from the address, where it has them.
    pub credentials: Option<(String, String)>,
}

impl FromStr for Broker {
    type Err = SimulatorError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let fail = |reason| SimulatorError::Broker { url: without_password(url), reason };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| fail("has no scheme"))?;
        let tls = match scheme {
            "mqtt" | "tcp" => false,
            "mqtts" | "ssl" => true,
            _ => return Err(fail("has an unknown scheme")),
        };
        let rest = rest.trim_end_matches('/');
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((who, place)) => {
                let (user, password) = who.split_once(':').unwrap_or((who, ""));
                (Some((user.to_string(), password.to_string())), place)
            }
            None => (None, rest),
        };
        let usual_port = if tls { 8883 } else { 1883 };
        let (host, port) = match place.rsplit_once(':') {
            // An IPv6 address in brackets holds colons of its own.
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| fail("has a port that is no number up to 65535"))?)
            }
            _ => (place, usual_port),
        };
        if host.is_empty() || host.contains('/') {
            return Err(fail("has no host"));
        }
        Ok(Self { host: host.to_string(), port, tls, credentials })
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("host", &self.host).field("port", &self.port).field("tls", &self.tls).finish()
    }
}

/// The address as errors may show it.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
        _ => url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(url: &str, expected: Expect) {
        let outcome = match url.parse::<Broker>() {
            Ok(broker) => format!("{} {} tls={} {:?}", broker.host, broker.port, broker.tls, broker.credentials),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn an_address_names_host_port_and_user_or_says_what_is_wrong() {
        check("mqtt://127.0.0.1:1884", expect!["127.0.0.1 1884 tls=false None"]);
        check("mqtt://broker/", expect!["broker 1883 tls=false None"]);
        check("mqtts://fleet:s3:cret@[::1]:9000", expect![[r#"[::1] 9000 tls=true Some(("fleet", "s3:cret"))"#]]);
        check("mqtts://[::1]", expect!["[::1] 8883 tls=true None"]);
        check(
            "localhost:1883",
            expect![[
                r#"broker address "localhost:1883" has no scheme; write mqtt://host:1883 or mqtt://user:password@host:1883"#
            ]],
        );
        check(
            "mqtt://u:secret@h:port",
            expect![[
                r#"broker address "mqtt://…@h:port" has a port that is no number up to 65535; write mqtt://host:1883 or mqtt://user:password@host:1883"#
            ]],
        );
        check(
            "http://x",
            expect![[
                r#"broker address "http://x" has an unknown scheme; write mqtt://host:1883 or mqtt://user:password@host:1883"#
            ]],
        );
        check(
            "mqtt://:1883",
            expect![[
                r#"broker address "mqtt://:1883" has no host; write mqtt://host:1883 or mqtt://user:password@host:1883"#
            ]],
        );
    }
}
