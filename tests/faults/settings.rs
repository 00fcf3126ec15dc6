//! Settings, databases and brokers that cannot be used: one clear line, which names the key or the address and never
//! a password.

use embedded::MosquittoOptions;

use crate::harness::{Broker, Database, Process, Settings};

/// Starts ingest, which must refuse, and gives the one line it says.
async fn refusal(settings: &Settings) -> String {
    let (code, log) = Process::start(settings).outcome().await;
    assert_eq!(code, Some(1), "{log}");
    let mut lines = log.lines().filter(|line| line.starts_with("polevod: "));
    let line = lines.next().expect("it says why").to_string();
    assert_eq!(lines.next(), None, "{log}");
    assert!(!log.contains("panicked") && !log.contains("secret"), "{log}");
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_makes_no_sense_is_named() {
    let good = Settings::new("postgres://polevod@127.0.0.1:1/polevod", "mqtt://127.0.0.1:1");
    for (key, value) in [
        ("database.url", "127.0.0.1:5432"),
        ("database.url", "postgres://polevod:secret@127.0.0.1:port/polevod"),
        ("mqtt.url", "127.0.0.1:1883"),
        ("mqtt.url", "http://127.0.0.1:1883"),
        ("mqtt.url", "mqtt://user:secret@127.0.0.1:99999"),
        ("mqtt.url", "mqtt://"),
        ("mqtt.client_id", ""),
        ("mqtt.share_group", "a/b"),
        ("mqtt.receive_maximum", "0"),
        ("ingest.lanes", "many"),
        ("ingest.flush_after_ms", "-1"),
        ("ingest.register_unknown_machines", "maybe"),
        ("clock.earliest", "yesterday"),
        ("clock.zone", "Asia/Tomks"),
        ("quarantine.rows_max", "1"),
        ("log.format", "xml"),
    ] {
        let line = refusal(&good.clone().with(key, value)).await;
        let variable = format!("POLEVOD_{}", key.replace('.', "_").to_uppercase());
        assert!(line.starts_with(&format!("polevod: {key}: ")) && line.contains(&variable), "{key} = {value}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |text: Option<&str>| {
        let path = folder.path().join("polevod.toml");
        let _ = std::fs::remove_file(&path);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let path = path.to_str().unwrap();
        let (code, log) = Process::run(&["--config", path, "ingest"], std::iter::empty()).outcome().await;
        assert_eq!(code, Some(1), "{log}");
        assert!(log.starts_with("polevod: ") && log.contains(path), "{log}");
        log
    };
    assert!(refused(None).await.contains("cannot read the configuration file"));
    assert!(refused(Some("[ingest\nlanes = 2")).await.contains("is not valid TOML"));
    assert!(refused(Some("[ingest]\nlane = 2")).await.contains("ingest.lane: is no setting"));
    assert!(refused(Some("[ingset]\nlanes = 2")).await.contains("ingset: is no section"));
    assert!(refused(Some("ingest = 2")).await.contains("ingest: is a section"));
    assert!(refused(Some("[ingest]\nlanes = 200")).await.contains("ingest.lanes: 200 is outside 1..=16"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_used_is_named() {
    let (database, broker) = (Database::own().await, Broker::start());
    let refused = async |url: &str| refusal(&Settings::new(url, &broker.url())).await;
    let place = format!("\"127.0.0.1\") port [{}]", database.port());

    let line = refused("postgres://polevod:secret@127.0.0.1:1/polevod").await;
    assert!(line.contains("\"127.0.0.1\") port [1]") && line.contains("check database.url"), "{line}");
    let line = refused(&database.url.replace("://", "://nobody-")).await;
    assert!(line.contains(&place) && line.contains("password authentication failed"), "{line}");
    let line = refused(&format!("{}elsewhere", database.url.strip_suffix("polevod").unwrap())).await;
    assert!(line.contains(&place) && line.contains("\"elsewhere\" does not exist"), "{line}");
    let line = refused(&database.url_through(broker.port())).await;
    assert!(line.contains("cannot reach the database") && line.contains("check database.url"), "{line}");
    let mut database = database;
    let empty = database.server().create_empty_database("empty").unwrap();
    let line = refused(&empty).await;
    assert!(line.contains("0001_registry first; run: polevod migrate"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_cannot_be_used_is_named_and_waited_for() {
    let (database, mut broker) = (Database::shared().await, Broker::start());
    let named = async |url: &str, why: &str| {
        let mut ingest = Process::start(&Settings::new(&database.url, url));
        let address = url.rsplit_once(['@', '/']).unwrap().1;
        ingest.says("connection to the broker mqtt://").await;
        ingest.says(address).await;
        ingest.says(why).await;
        assert!(!ingest.log().contains("secret"), "{}", ingest.log());
        ingest
    };
    named("mqtt://127.0.0.1:1", "refused").await;
    named(&format!("mqtt://127.0.0.1:{}", database.port()), "ended: ").await;
    let closed = Broker::with_options(&MosquittoOptions { allow_anonymous: false, ..MosquittoOptions::default() });
    named(&closed.url().replace("://", "://user:secret@"), "NotAuthorized").await;

    // One that comes up later is found.
    let url = broker.url();
    broker.server.stop();
    let mut ingest = named(&url, "refused").await;
    broker.server.start_again().unwrap();
    ingest.says("connected to the broker").await;
}
