//! A fleet from another maker's server: sign-in, pages by their links, patience when it asks for some. Blocking: run it
//! where waiting is allowed.
//!
//! What comes from the server is not trusted: bodies are bounded, links are followed on its own address alone (a token
//! must not travel), a chain of pages that bites its tail ends, and a pause longer than the caller's patience is told
//! instead of slept.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::super::read::Problem;
use super::model::{Fleet, Rel};
use super::node::MAX_DOCUMENT_BYTES;
use super::read::{self, Defect};

/// Most pages of one fleet: 200,000 machines at a hundred a page.
pub const MAX_PAGES: usize = 2_000;
/// Tries of one page, the first among them.
const ATTEMPTS_MAX: u32 = 5;
/// Pause before a second try where the server names none; it doubles.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// How long one exchange may take.
const REQUEST_PATIENCE: Duration = Duration::from_secs(120);
/// Most bytes of an answer that is only quoted, or holds a token.
const SHORT_ANSWER_BYTES: u64 = 64 * 1024;
/// What is asked for; servers that know one form alone give it all the same.
const ACCEPT: &str = "application/xml, application/iso15143-snapshot+xml, application/json;q=0.8, */*;q=0.5";

/// A server to read.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address of the fleet's first page, or of what stands before `/Fleet/1`.
    pub url: String,
    /// How to sign in.
    pub sign_in: SignIn,
    /// Longest pause taken when the server asks for one (429, 503 with `Retry-After`).
    pub patience: Duration,
}

/// How to sign in.
#[derive(Clone)]
pub enum SignIn {
    /// Not at all.
    None,
    /// With a token that was handed out.
    Bearer(String),
    /// With a token asked for by OAuth 2 client credentials (RFC 6749, 4.4).
    ClientCredentials {
        /// Where tokens are given.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// The secret.
        client_secret: String,
        /// What for; empty: whatever the server gives.
        scope: String,
    },
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(***)",
            Self::ClientCredentials { .. } => "ClientCredentials(***)",
        })
    }
}

/// Why a fleet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none.
    #[error("{0:?} is no address of a server; write https://HOST/…")]
    BadUrl(String),
    /// A secret would travel in the open.
    #[error("{0} is not encrypted; a sign-in is sent over https, or to this machine, alone")]
    Unencrypted(String),
    /// No answer.
    #[error("{url}: {reason}")]
    Unreachable {
        /// Who.
        url: String,
        /// Why not.
        reason: String,
    },
    /// An answer that is no page.
    #[error("{url} answers {status}: {text}")]
    Refused {
        /// Who.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of what it said.
        text: String,
    },
    /// The server wants a longer pause than the caller has patience for.
    #[error("{url} asks to come back in {seconds} s; that is more than --patience allows")]
    TooBusy {
        /// Who.
        url: String,
        /// How long.
        seconds: u64,
    },
    /// The token answer makes no sense.
    #[error("{url} gives no token: {reason}")]
    NoToken {
        /// Who.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A link that leads away.
    #[error("the next page is said to be at {0}, which is another server; it is not followed")]
    ElsewhereLink(String),
    /// More than [`MAX_PAGES`].
    #[error("more than {MAX_PAGES} pages; the rest is not read")]
    TooManyPages,
    /// TLS cannot be set up.
    #[error("tls: {0}")]
    Tls(String),
}

/// Reads every page of a fleet. `on_page` gets each as it comes, with what was wrong in it; an error of a later page
/// leaves the earlier ones good.
///
/// # Errors
/// [`FetchError`] when a page cannot be had.
pub fn fleet(server: &Server, mut on_page: impl FnMut(Fleet, Vec<Problem<Defect>>)) -> Result<(), FetchError> {
    let mut url = first_page(&server.url)?;
    let mut client = Client { agent: agent()?, server, token: None };
    let mut seen = BTreeSet::new();
    for _ in 0..MAX_PAGES {
        seen.insert(url.clone());
        let bytes = client.page(&url)?;
        let (fleet, problems) = read::fleet(&url, &bytes);
        // Some servers fill in every link, with page 0 or with the page itself: only a page not yet read is next.
        let next = fleet.links.iter().find(|link| link.rel == Rel::Next).map(|link| link.href.clone());
        let is_empty = fleet.equipment.is_empty();
        on_page(fleet, problems);
        let Some(next) = next.map(|href| resolve(&url, &href)).transpose()? else { return Ok(()) };
        if is_empty || seen.contains(&next) || page_number(&next) == Some(0) {
            return Ok(());
        }
        url = next;
    }
    Err(FetchError::TooManyPages)
}

struct Client<'s> {
    agent: Agent,
    server: &'s Server,
    token: Option<String>,
}

impl Client<'_> {
    /// One page, however often it has to be asked for.
    fn page(&mut self, url: &str) -> Result<Vec<u8>, FetchError> {
        let mut pause = PAUSE_FIRST;
        let mut attempt: u32 = 1;
        loop {
            let is_last = attempt == ATTEMPTS_MAX;
            let answer = self.get(url)?;
            let status = answer.status();
            match status {
                StatusCode::OK => return body(url, answer, MAX_DOCUMENT_BYTES as u64),
                // The token ran out between two pages.
                StatusCode::UNAUTHORIZED if self.token.take().is_some() && !is_last => {}
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if !is_last => {
                    let asked = retry_after(&answer).unwrap_or(pause);
                    if asked > self.server.patience {
                        return Err(FetchError::TooBusy { url: url.into(), seconds: asked.as_secs() });
                    }
                    std::thread::sleep(asked);
                }
                _ if status.is_server_error() && !is_last => std::thread::sleep(pause.min(self.server.patience)),
                _ => return Err(refused(url, answer)),
            }
            pause *= 2;
            attempt += 1;
        }
    }

    fn get(&mut self, url: &str) -> Result<Response<Body>, FetchError> {
        let mut request = self.agent.get(url).header(header::ACCEPT, ACCEPT);
        if let Some(token) = self.bearer(url)? {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.call().map_err(|error| unreachable_server(url, &error))
    }

    fn bearer(&mut self, url: &str) -> Result<Option<String>, FetchError> {
        match &self.server.sign_in {
            SignIn::None => Ok(None),
            SignIn::Bearer(token) => {
                confidential(url)?;
                Ok(Some(token.clone()))
            }
            SignIn::ClientCredentials { token_url, client_id, client_secret, scope } => {
                confidential(url)?;
                if self.token.is_none() {
                    self.token = Some(self.ask_token(token_url, client_id, client_secret, scope)?);
                }
                Ok(self.token.clone())
            }
        }
    }

    /// The secret goes in the body: every server takes it there, and some take it nowhere else.
    fn ask_token(&self, url: &str, id: &str, secret: &str, scope: &str) -> Result<String, FetchError> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
            #[serde(default)]
            token_type: String,
        }
        confidential(url)?;
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        let request = self.agent.post(url).header(header::ACCEPT, "application/json");
        let answer = request.send_form(form).map_err(|error| unreachable_server(url, &error))?;
        if answer.status() != StatusCode::OK {
            return Err(refused(url, answer));
        }
        let bytes = body(url, answer, SHORT_ANSWER_BYTES)?;
        let no_token = |reason: String| FetchError::NoToken { url: url.into(), reason };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| no_token(error.to_string()))?;
        if !answer.token_type.is_empty() && !answer.token_type.eq_ignore_ascii_case("bearer") {
            return Err(no_token(format!("it is of type {:?}, not a bearer token", answer.token_type)));
        }
        Ok(answer.access_token)
    }
}

fn agent() -> Result<Agent, FetchError> {
    let system = rustls_native_certs::load_native_certs();
    let authorities: Vec<Certificate<'static>> =
        system.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    if authorities.is_empty() {
        return Err(FetchError::Tls("the system has no trusted authority".into()));
    }
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(authorities)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(REQUEST_PATIENCE))
        .http_status_as_error(false)
        // A redirection could lead anywhere, the token with it.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("polevod/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(Agent::new_with_config(config))
}

fn body(url: &str, answer: Response<Body>, limit: u64) -> Result<Vec<u8>, FetchError> {
    let read = answer.into_body().into_with_config().limit(limit).read_to_vec();
    read.map_err(|error| unreachable_server(url, &error))
}

fn refused(url: &str, answer: Response<Body>) -> FetchError {
    let status = answer.status().as_u16();
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let text = match location {
        Some(location) => format!("it moved to {location}"),
        None => {
            let bytes = body(url, answer, SHORT_ANSWER_BYTES).unwrap_or_default();
            let text: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    FetchError::Refused { url: url.into(), status, text }
}

fn unreachable_server(url: &str, error: &ureq::Error) -> FetchError {
    FetchError::Unreachable { url: url.into(), reason: error.to_string() }
}

/// `Retry-After`: seconds, or a date as HTTP writes it.
fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().to_owned();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp();
    let wait = at.as_second() - Timestamp::now().as_second();
    Some(Duration::from_secs(wait.max(0).unsigned_abs()))
}

/// The first page behind an address that stops before it.
fn first_page(url: &str) -> Result<String, FetchError> {
    let (_, path) = split(url).ok_or_else(|| FetchError::BadUrl(url.into()))?;
    let names_fleet = path.to_ascii_lowercase().split('/').any(|part| part == "fleet");
    if names_fleet || path.contains('?') {
        return Ok(url.to_owned());
    }
    Ok(format!("{}/Fleet/1", url.trim_end_matches('/')))
}

/// Origin and path of an address.
fn split(url: &str) -> Option<(&str, &str)> {
    let host_at = ["https://", "http://"].iter().find_map(|scheme| {
        let is_scheme = url.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        is_scheme.then_some(scheme.len())
    })?;
    let rest = &url[host_at..];
    let path_at = host_at + rest.find(['/', '?']).unwrap_or(rest.len());
    (path_at > host_at).then(|| url.split_at(path_at))
}

/// Where a link leads, seen from the page it stands on.
fn resolve(page: &str, href: &str) -> Result<String, FetchError> {
    let (origin, path) = split(page).ok_or_else(|| FetchError::BadUrl(page.into()))?;
    if let Some((theirs, _)) = split(href) {
        if !theirs.eq_ignore_ascii_case(origin) {
            return Err(FetchError::ElsewhereLink(theirs.to_owned()));
        }
        return Ok(href.to_owned());
    }
    if href.starts_with("//") || href.contains("://") {
        return Err(FetchError::ElsewhereLink(href.to_owned()));
    }
    if href.starts_with('/') {
        return Ok(format!("{origin}{href}"));
    }
    let folder = path.split('?').next().unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
    Ok(format!("{origin}{folder}/{href}"))
}

/// The number at the end of a page's address.
fn page_number(url: &str) -> Option<u64> {
    url.trim_end_matches('/').rsplit('/').next()?.parse().ok()
}

/// Whether a secret may be sent there.
fn confidential(url: &str) -> Result<(), FetchError> {
    let (origin, _) = split(url).ok_or_else(|| FetchError::BadUrl(url.into()))?;
    let is_encrypted = origin.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let host = origin.rsplit('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(host, _)| host);
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if is_encrypted || is_here { Ok(()) } else { Err(FetchError::Unencrypted(origin.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_for_its_first_page() {
        let first = |url| first_page(url).map_err(|error| error.to_string());
        assert_eq!(first("https://a.example/iso15143-3"), Ok("https://a.example/iso15143-3/Fleet/1".into()));
        assert_eq!(first("https://a.example"), Ok("https://a.example/Fleet/1".into()));
        assert!(first("https://").is_err());
        assert_eq!(first("HTTPS://a.example/Telematics/fleet/0"), Ok("HTTPS://a.example/Telematics/fleet/0".into()));
        assert!(first("ftp://a.example/Fleet/1").is_err());
        assert!(first("Fleet/1").is_err());
    }

    #[test]
    fn links_are_followed_on_the_same_server_alone() {
        let page = "https://a.example:8443/x/Fleet/1?z=1";
        let to = |href| resolve(page, href).map_err(|error| error.to_string());
        assert_eq!(to("https://A.example:8443/x/Fleet/2"), Ok("https://A.example:8443/x/Fleet/2".into()));
        assert_eq!(to("/y/Fleet/2"), Ok("https://a.example:8443/y/Fleet/2".into()));
        assert_eq!(to("2"), Ok("https://a.example:8443/x/Fleet/2".into()));
        for away in [
            "https://b.example/x/Fleet/2",
            "http://a.example:8443/x/Fleet/2",
            "//b.example/2",
            "https://a.example:8443@b.example/2",
            "ftp://a.example/2",
        ] {
            assert!(to(away).is_err(), "{away}");
        }
    }

    #[test]
    fn a_secret_travels_encrypted_or_not_at_all() {
        for good in ["https://a.example/t", "http://127.0.0.1:8080/t", "http://localhost/t", "http://[::1]:80/t"] {
            assert!(confidential(good).is_ok(), "{good}");
        }
        for bad in ["http://a.example/t", "http://localhost.example/t", "http://127.0.0.1@a.example/t", "x"] {
            assert!(confidential(bad).is_err(), "{bad}");
        }
    }
}
