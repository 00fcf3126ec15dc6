//! Our client against servers with the habits of other makers'.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use polevod::exchange::aemp::fetch::{self, Server, SignIn};
use tokio::net::TcpListener;

use crate::harness::blocking;

/// Answers to a path, one after another, the last for ever: status, headers, body. `{me}` in them is the address.
type Script = Vec<(u16, Vec<(&'static str, &'static str)>, &'static str)>;

/// A server that says what it is told, and notes who asked.
struct Rude {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shared {
    scripts: Arc<Mutex<HashMap<&'static str, Script>>>,
    heard: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Rude {
    async fn start(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared =
            Shared { scripts: Arc::new(Mutex::new(scripts.into_iter().collect())), heard: heard.clone(), address };
        let router = Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard }
    }

    /// Reads the fleet; tells how many machines each page had, or what went wrong.
    fn fetch(&self, path: &str, sign_in: SignIn) -> String {
        let url = format!("http://{}{path}", self.address);
        let server = Server { url, sign_in, patience: Duration::from_secs(2) };
        let mut pages = Vec::new();
        let outcome = blocking(|| fetch::fleet(&server, |page, _| pages.push(page.equipment.len())));
        let address = self.address.to_string();
        match outcome {
            Ok(()) => format!("{pages:?}"),
            Err(error) => format!("{pages:?} {error}").replace(&address, "HOST"),
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let sign_in = request.headers().get("authorization").map_or("-", |value| value.to_str().unwrap()).to_owned();
    let body = axum::body::to_bytes(request.into_body(), 10_000).await.unwrap();
    shared.heard.lock().unwrap().push(format!("{path} {sign_in} {}", String::from_utf8_lossy(&body)).trim().to_owned());
    let mut scripts = shared.scripts.lock().unwrap();
    let Some(script) = scripts.iter_mut().find(|(known, _)| **known == path).map(|(_, script)| script) else {
        return Response::builder().status(StatusCode::NOT_FOUND).body("no such page".into()).unwrap();
    };
    let (status, headers, body) = if script.len() > 1 { script.remove(0) } else { script[0].clone() };
    let me = shared.address.to_string();
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value.replace("{me}", &me));
    }
    response.body(body.replace("{me}", &me).into()).unwrap()
}

fn page(body: &'static str) -> Script {
    vec![(200, vec![], body)]
}

const LAST: &str = "<Fleet><Equipment><EquipmentHeader><PIN>B</PIN></EquipmentHeader></Equipment></Fleet>";

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_by_their_links_absolute_or_relative_and_a_tail_that_is_bitten_ends() {
    let rude = Rude::start([
        (
            "/x/Fleet/1",
            page("<Fleet><Links><rel>Next</rel><href>http://{me}/x/Fleet/2</href></Links><Equipment/></Fleet>"),
        ),
        ("/x/Fleet/2", page(r#"{"Links":[{"Rel":"next","Href":"3"}],"Equipment":[{},{}]}"#)),
        ("/x/Fleet/3", page("<Fleet><Links><rel>next</rel><href>/x/Fleet/1</href></Links><Equipment/></Fleet>")),
        ("/y/Fleet/0", page("<Fleet><Links><rel>next</rel><href>/y/Fleet/0</href></Links><Equipment/></Fleet>")),
    ])
    .await;
    assert_eq!(rude.fetch("/x", SignIn::None), "[1, 2, 1]");
    assert_eq!(rude.fetch("/y/Fleet/0", SignIn::None), "[1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_not_follow_a_link_or_a_redirection_to_another_server() {
    let rude = Rude::start([
        (
            "/a/Fleet/1",
            page("<Fleet><Links><rel>next</rel><href>http://203.0.113.7/Fleet/2</href></Links><Equipment/></Fleet>"),
        ),
        ("/b/Fleet/1", vec![(302, vec![("location", "http://203.0.113.7/Fleet/1")], "")]),
    ])
    .await;
    let bearer = || SignIn::Bearer("t".into());
    assert_eq!(
        rude.fetch("/a", bearer()),
        "[1] the next page is said to be at http://203.0.113.7, which is another server; it is not followed"
    );
    assert_eq!(
        rude.fetch("/b", bearer()),
        "[] http://HOST/b/Fleet/1 answers 302: it moved to http://203.0.113.7/Fleet/1"
    );
    let server = Server { url: "http://203.0.113.7/Fleet/1".into(), sign_in: bearer(), patience: Duration::ZERO };
    let refused = blocking(|| fetch::fleet(&server, |_, _| {})).unwrap_err().to_string();
    assert_eq!(refused, "http://203.0.113.7 is not encrypted; a sign-in is sent over https, or to this machine, alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_waited_for_and_one_that_wants_too_much_patience_is_named() {
    let rude = Rude::start([
        ("/a/Fleet/1", vec![(429, vec![("retry-after", "0")], "slow down"), (503, vec![], ""), (200, vec![], LAST)]),
        ("/b/Fleet/1", vec![(429, vec![("retry-after", "900")], "")]),
        ("/c/Fleet/1", vec![(429, vec![("retry-after", "0")], "slow down")]),
        ("/d/Fleet/1", vec![(403, vec![], "no\n  contract")]),
    ])
    .await;
    assert_eq!(rude.fetch("/a", SignIn::None), "[1]");
    let too_long = "[] http://HOST/b/Fleet/1 asks to come back in 900 s; that is more than --patience allows";
    assert_eq!(rude.fetch("/b", SignIn::None), too_long);
    assert_eq!(rude.fetch("/c", SignIn::None), "[] http://HOST/c/Fleet/1 answers 429: slow down");
    assert_eq!(rude.heard().iter().filter(|heard| heard.starts_with("/c/")).count(), 5, "a bound on tries");
    assert_eq!(rude.fetch("/d", SignIn::None), "[] http://HOST/d/Fleet/1 answers 403: no contract");
    assert_eq!(rude.fetch("/nowhere", SignIn::None), "[] http://HOST/nowhere/Fleet/1 answers 404: no such page");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_once_and_again_when_it_runs_out() {
    let rude = Rude::start([
        (
            "/token",
            vec![
                (200, vec![], r#"{"access_token":"first","token_type":"bearer","expires_in":1}"#),
                (200, vec![], r#"{"access_token":"second"}"#),
            ],
        ),
        ("/Fleet/1", page("<Fleet><Links><rel>next</rel><href>2</href></Links><Equipment/></Fleet>")),
        ("/Fleet/2", vec![(401, vec![], "expired"), (200, vec![], LAST)]),
        ("/bad-token", page("{\"access_token\":5}")),
        ("/no-token", vec![(400, vec![], r#"{"error":"invalid_client"}"#)]),
    ])
    .await;
    let sign_in = |path: &str| SignIn::ClientCredentials {
        token_url: format!("http://{}{path}", rude.address),
        client_id: "id".into(),
        client_secret: "a b&c".into(),
        scope: "fleet".into(),
    };
    assert_eq!(rude.fetch("", sign_in("/token")), "[1, 1]");
    let form = "grant_type=client_credentials&client_id=id&client_secret=a+b%26c&scope=fleet";
    let ask = format!("/token - {form}");
    let expected = [&*ask, "/Fleet/1 Bearer first", "/Fleet/2 Bearer first", &ask, "/Fleet/2 Bearer second"];
    assert_eq!(rude.heard(), expected);
    assert!(rude.fetch("", sign_in("/bad-token")).contains("gives no token: invalid type"));
    assert!(rude.fetch("", sign_in("/no-token")).ends_with(r#"/no-token answers 400: {"error":"invalid_client"}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server { url: format!("http://{address}/Fleet/1"), sign_in: SignIn::None, patience: Duration::ZERO };
    let error = blocking(|| fetch::fleet(&server, |_, _| {})).unwrap_err().to_string();
    assert!(error.starts_with(&format!("http://{address}/Fleet/1: ")), "{error}");
}
