//! The broker's own files, tried on a real Mosquitto: who is let in, and who may speak where.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use embedded::Packages;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PubAckReason, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

const SERIAL: &str = "BY-3522.0017";
/// The broker is loaded and listening in well under a second; this is for a machine that does ten other things.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A broker on a copy of the project's own files, with their places moved into a temporary folder.
struct Broker {
    child: Child,
    folder: TempDir,
    port: u16,
    tls_port: u16,
}

impl Broker {
    fn start() -> Self {
        let packages = Packages::ensure(&|_| {}).expect("the private stack");
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("data")).expect("a folder");
        for (user, password) in [("polevod", "s"), (SERIAL, "m")] {
            let file = folder.path().join("passwords");
            let create: &[&str] = if file.exists() { &[] } else { &["-c"] };
            let mut command = packages.command("/usr/bin/mosquitto_passwd", &[folder.path()]);
            let status =
                command.args(create).arg("-b").arg(&file).args([user, password]).status().expect("mosquitto_passwd");
            assert!(status.success());
        }
        make_certificates(folder.path());
        let (port, tls_port) = (free_port(), free_port());
        let config = folder.path().join("mosquitto.conf");
        fs::write(&config, own_config(folder.path(), port, tls_port)).expect("the configuration");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut command: Command = packages.command("/usr/sbin/mosquitto", &[folder.path()]);
        command.arg("-c").arg(&config).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().expect("the log")).stderr(log).spawn().expect("mosquitto");
        let mut broker = Self { child, folder, port, tls_port };
        broker.wait_until_it_listens();
        broker
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait_until_it_listens(&mut self) {
        let began = std::time::Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().expect("a child of ours");
            assert!(ended.is_none() && began.elapsed() < START_PATIENCE, "{ended:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A client that signs in with a password on the plain listener.
    fn with_password(&self, user: &str, password: &str) -> Connection {
        let mut options = MqttOptions::new(format!("test-{user}"), "127.0.0.1", self.port);
        options.set_credentials(user, password);
        Connection::new(options)
    }

    /// A client that signs in with the certificate of `name`, if there is one.
    fn with_certificate(&self, name: Option<&str>) -> Connection {
        let mut options = MqttOptions::new("test-machine", "localhost", self.tls_port);
        let file = |name: &str| self.folder.path().join(name);
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&file("machines-ca.pem"))).expect("the authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("a set of versions")
            .with_root_certificates(roots);
        let tls = match name {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).expect("a key");
                let chain = vec![certificate(&file(&format!("{name}.pem")))];
                builder.with_client_auth_cert(chain, key).expect("key and certificate fit")
            }
        };
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))));
        Connection::new(options)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Connection {
    client: AsyncClient,
    eventloop: EventLoop,
}

impl Connection {
    fn new(mut options: MqttOptions) -> Self {
        options.set_keep_alive(Duration::from_secs(30));
        let (client, eventloop) = AsyncClient::new(options, 10);
        Self { client, eventloop }
    }

    /// What the broker says to a message on `topic`.
    async fn publish(&mut self, topic: &str) -> Result<PubAckReason, String> {
        self.client.publish(topic, QoS::AtLeastOnce, false, "x").await.expect("room for one");
        loop {
            match self.eventloop.poll().await.map_err(|error| error.to_string())? {
                Event::Incoming(Packet::PubAck(ack)) => return Ok(ack.reason),
                Event::Incoming(Packet::Disconnect(why)) => return Err(format!("{:?}", why.reason_code)),
                _ => {}
            }
        }
    }

    /// What the broker says to a subscription.
    async fn subscribe(&mut self, filter: &str) -> SubscribeReasonCode {
        let filter = Filter::new(filter, QoS::AtLeastOnce);
        self.client.subscribe_many([filter]).await.expect("room for one");
        loop {
            if let Event::Incoming(Packet::SubAck(ack)) = self.eventloop.poll().await.expect("a connection") {
                return ack.return_codes[0];
            }
        }
    }

    /// The next message.
    async fn message(&mut self) -> String {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = self.eventloop.poll().await.expect("a connection") {
                return String::from_utf8_lossy(&publish.topic).into_owned();
            }
        }
    }
}

/// The project's configuration with places, ports and log as a test needs them, and the listener for machines on.
fn own_config(folder: &Path, port: u16, tls_port: u16) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/mosquitto");
    fs::copy(project.join("acl.conf"), folder.join("acl.conf")).expect("the access list");
    let text = fs::read_to_string(project.join("mosquitto.conf")).expect("the configuration");
    let place = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in mosquitto.conf");
        text.replace(from, to)
    };
    let here = format!("{}/", folder.display());
    let mut text = place(text, "/mosquitto/data/", &format!("{here}data/"));
    for from in ["/mosquitto/config/", "/mosquitto/certs/", "/run/mosquitto/"] {
        text = place(text, from, &here);
    }
    text = place(text, "listener 1883", &format!("listener {port} 127.0.0.1"));
    text = place(text, "#listener 8883", &format!("#listener {tls_port} 127.0.0.1"));
    // Settings that wait for an operator to take the # away have no space behind it.
    let switched_on = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => setting.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|line| switched_on(line) + "\n").collect()
}

/// An authority, the broker's certificate, a machine's certificate.
fn make_certificates(folder: &Path) {
    let named = |name: &str, hosts: &[&str]| {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("plain names");
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut authority = named("Machines of the dealer", &[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    fs::write(folder.join("machines-ca.pem"), authority.pem()).expect("a file");
    for (file, name, hosts) in [("broker", "broker", &["localhost"][..]), (SERIAL, SERIAL, &[])] {
        let key = KeyPair::generate().expect("a key");
        let signed = named(name, hosts).signed_by(&key, &authority).expect("a certificate");
        fs::write(folder.join(format!("{file}.pem")), signed.pem()).expect("a file");
        fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).expect("a file");
    }
}

fn certificate(file: &PathBuf) -> rustls::pki_types::CertificateDer<'static> {
    PemObject::from_pem_file(file).expect("a certificate")
}

/// A port that was free a moment ago: the configuration under test has fixed ones.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

#[tokio::test]
async fn a_machine_speaks_for_itself_alone_and_the_service_hears_everyone() {
    let broker = Broker::start();

    let mut service = broker.with_password("polevod", "s");
    for kind in ["telemetry", "faults", "task", "status"] {
        let answer = service.subscribe(&format!("polevod/v1/+/{kind}")).await;
        assert!(matches!(answer, SubscribeReasonCode::Success(QoS::AtLeastOnce)), "{kind}: {answer:?}");
    }

    let own = format!("polevod/v1/{SERIAL}/telemetry");
    let mut machine = broker.with_certificate(Some(SERIAL));
    assert_eq!(machine.publish(&own).await, Ok(PubAckReason::Success));
    assert_eq!(service.message().await, own);
    let other = "polevod/v1/BY-3522.0018/telemetry";
    assert_eq!(machine.publish(other).await, Ok(PubAckReason::NotAuthorized));
    assert_eq!(machine.publish(&format!("polevod/v1/{SERIAL}/stored")).await, Ok(PubAckReason::NotAuthorized));
    let answer = machine.subscribe(&format!("polevod/v1/{SERIAL}/stored")).await;
    assert!(matches!(answer, SubscribeReasonCode::Success(_)), "{answer:?}");

    assert_eq!(service.publish(&format!("polevod/v1/{SERIAL}/stored")).await, Ok(PubAckReason::Success));
    assert_eq!(machine.message().await, format!("polevod/v1/{SERIAL}/stored"));
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate_or_with_a_wrong_password() {
    let broker = Broker::start();
    let own = format!("polevod/v1/{SERIAL}/telemetry");
    assert!(broker.with_certificate(None).publish(&own).await.is_err());
    assert!(broker.with_password("polevod", "guess").publish(&own).await.is_err());
    assert!(broker.with_password("", "").publish(&own).await.is_err());
    // Accepted, and nobody listens: that too is a success.
    let accepted = [Ok(PubAckReason::Success), Ok(PubAckReason::NoMatchingSubscribers)];
    let answer = broker.with_password(SERIAL, "m").publish(&own).await;
    assert!(accepted.contains(&answer), "{answer:?} {}", broker.log());
}
