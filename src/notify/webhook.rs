//! Webhooks: JSON by HTTP POST, signed so that the receiver knows who speaks and that nothing was changed or replayed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Failure;
use crate::config::Secret;
use crate::store::health::Delivery;
use crate::time::now_ms;

/// Bytes of an answer that are read, to say what a receiver complains about.
const ANSWER_BYTES: u64 = 2_048;

/// The way out by HTTP.
pub(super) struct Webhook {
    agent: Agent,
}

impl Webhook {
    pub(super) fn new(timeout_s: u32) -> Self {
        let system = rustls_native_certs::load_native_certs();
        let authorities: Vec<Certificate<'static>> =
            system.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(authorities)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(timeout_s.into())))
            .http_status_as_error(false)
            // A redirection could lead anywhere, the alert with it.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("polevod/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::new_with_config(config) }
    }

    pub(super) async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let agent = self.agent.clone();
        let delivery = delivery.clone();
        let sent = tokio::task::spawn_blocking(move || post(&agent, &delivery));
        sent.await.unwrap_or_else(|error| Err(Failure::retry(error)))
    }
}

fn post(agent: &Agent, delivery: &Delivery) -> Result<(), Failure> {
    let channel = &delivery.channel.channel;
    let body = delivery.body.to_string();
    let mut request = agent
        .post(&channel.target)
        .header("content-type", "application/json")
        .header("polevod-delivery", delivery.id.to_string())
        .header("polevod-attempt", delivery.attempt.to_string());
    if let Some(secret) = &channel.secret {
        request = request.header("polevod-signature", signature(secret, now_ms() / 1_000, body.as_bytes()));
    }
    let answer = request.send(body).map_err(Failure::retry)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let text = answer.into_body().into_with_config().limit(ANSWER_BYTES).read_to_vec().unwrap_or_default();
    let text = String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = format!("answered {status}: {text}");
    // 410 says that nobody will ever listen there again; anything else may be mended.
    Err(if status == StatusCode::GONE { Failure::for_good(reason) } else { Failure::retry(reason) })
}

/// The value of `Polevod-Signature`: `t=UNIX SECONDS,v1=HEX`, where HEX is the HMAC-SHA-256 of `UNIX SECONDS.BODY` by
/// the channel's secret. A receiver computes the same, compares in constant time, and refuses an old `t`.
pub fn signature(secret: &Secret, unix_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(unix_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = format!("t={unix_s},v1=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Says what is wrong with the address of a webhook.
///
/// # Errors
/// The mend.
pub fn check_url(url: &str) -> Result<(), String> {
    let fail = || format!("{url:?} is no address of a webhook; write https://HOST/PATH");
    let uri: Uri = url.parse().map_err(|_| fail())?;
    let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
    if is_web && uri.host().is_some_and(|host| !host.is_empty()) { Ok(()) } else { Err(fail()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hmac_that_any_tool_computes() {
        // printf '1787198400.{"a":1}' | openssl dgst -sha256 -hmac key
        assert_eq!(
            signature(&Secret::new("key"), 1_787_198_400, br#"{"a":1}"#),
            "t=1787198400,v1=7272f35f49cb33330834fbaebef0d99b88fbfce97f26d88f6e03f912ff1c80cc"
        );
    }

    #[test]
    fn an_address_names_scheme_and_host() {
        assert_eq!(check_url("https://dealer.example/hooks/7"), Ok(()));
        for wrong in ["", "dealer.example", "ftp://dealer.example", "https://", "mailto:a@b"] {
            assert!(check_url(wrong).is_err_and(|message| message.contains("https://HOST/PATH")), "{wrong}");
        }
    }
}
