//! Settings, databases and brokers that cannot be used: one clear line, which names the key or the address and never
//! a password.

use embedded::MosquittoOptions;

use wire::catalogue;

use crate::harness::{
    Broker, Database, Framing, LONG, Process, Proxy, Publisher, Settings, blocking, eventually, free_port, http_status,
    sample,
};

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

    let line = refused(&database.url.replace("://", "://nobody-")).await;
    assert!(line.contains(&place) && line.contains("password authentication failed"), "{line}");
    assert!(line.contains("check user and password in database.url"), "{line}");
    let line = refused(&format!("{}elsewhere", database.url.strip_suffix("polevod").unwrap())).await;
    assert!(line.contains(&place) && line.contains("\"elsewhere\" does not exist"), "{line}");
    assert!(line.contains("createdb elsewhere"), "{line}");
    let mut database = database;
    let empty = database.server().create_empty_database("empty").unwrap();
    let line = refused(&empty).await;
    assert!(line.contains("0001_registry first; run: polevod migrate"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_at_the_start_is_named_and_waited_for_and_nothing_is_taken_from_the_broker_before() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let proxy = Proxy::plain(broker.port(), Framing::Mqtt).await;
    let port = free_port();
    let settings = Settings::new(&database.url, &format!("mqtt://127.0.0.1:{}", proxy.port))
        .with("http.listen", format!("127.0.0.1:{port}"));
    blocking(|| database.server().stop());
    let mut ingest = Process::start(&settings);
    ingest.says("waiting for the database, nothing is taken from the broker until it answers").await;
    ingest.says(&format!("port [{}]", database.port())).await;
    ingest.says("check database.url and that the server runs").await;
    assert_eq!(http_status(port, "/healthz").await, Some(200));
    assert_eq!(http_status(port, "/readyz").await, Some(503));

    // What comes meanwhile is the machine's to send again: nobody has subscribed.
    let publisher = Publisher::connect(broker.port()).await;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let record = [sample(now_ms, &[(catalogue::ENGINE_SPEED_RPM, 1_850.0)])];
    publisher.send("EARLY", 1, 0, &record).await;
    publisher.delivered().await;
    assert_eq!((proxy.connections(), publisher.told("EARLY")), (0, None));

    blocking(|| database.server().start_again().unwrap());
    ingest.says("the database answers after").await;
    publisher.ingest_listens(&database).await;
    publisher.send("EARLY", 1, 0, &record).await;
    publisher.told_up_to("EARLY", 1).await;
    assert_eq!(database.number("select count(*) from sample").await, 1);
    eventually("/readyz answers 200", LONG, async || (http_status(port, "/readyz").await == Some(200)).then_some(()))
        .await;
    let (status, log) = ingest.terminate().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_answers_in_place_of_the_database_is_named_and_a_stop_ends_the_waiting() {
    let (mut database, broker) = (Database::own().await, Broker::start());
    let waits = async |url: &str, place: &str| {
        let mut ingest = Process::start(&Settings::new(url, &broker.url()));
        ingest.says("waiting for the database").await;
        ingest.says(place).await;
        ingest
    };
    // Nobody, and a server that speaks something else.
    let nobody = waits("postgres://polevod:secret@127.0.0.1:1/polevod", "port [1]").await;
    let other = waits(&database.url_through(broker.port()), &format!("port [{}]", broker.port())).await;
    for ingest in [nobody, other] {
        let (status, log) = ingest.terminate().await;
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("panicked") && !log.contains("secret"), "{log}");
    }

    // A database that comes up as what waiting cannot mend ends it.
    let empty = database.server().create_empty_database("empty").unwrap();
    blocking(|| database.server().stop());
    let mut ingest = waits(&empty, "check database.url and that the server runs").await;
    blocking(|| database.server().start_again().unwrap());
    let status = ingest.ended().await;
    assert_eq!(status.code(), Some(1), "{}", ingest.log());
    assert!(ingest.log().contains("0001_registry first; run: polevod migrate"), "{}", ingest.log());
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
