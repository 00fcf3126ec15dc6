//! Units in the hands of a command: how they reach the broker that the service uses.

use simulator::Options;

use crate::config::Mqtt;

/// Options of simulated and replayed units, from the settings of the service.
///
/// # Errors
/// When TLS files cannot be used.
pub(super) fn options(mqtt: &Mqtt) -> anyhow::Result<Options> {
    let credentials = mqtt.url.credentials.as_ref();
    let scheme = if mqtt.url.tls { "mqtts" } else { "mqtt" };
    Ok(Options {
        broker_url: format!("{scheme}://{}:{}", mqtt.url.host, mqtt.url.port),
        username: credentials.map(|(user, _)| user.clone()),
        password: credentials.map(|(_, password)| password.reveal().to_string()),
        tls: crate::tls::of_broker(mqtt)?,
        ..Options::default()
    })
}
