//! Private servers, the service running on them, and the commands as a user runs them.

#![allow(dead_code)] // Each test binary uses a part.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use embedded::{Stack, StackOptions};
use serde_json::Value;

/// How long the service may take to be ready.
const READY_PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const POLEVOD: &str = env!("CARGO_BIN_EXE_polevod");

/// Servers, and the service running on them.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    pub(crate) service: Option<Child>,
    pub(crate) http: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        let stack = Stack::start(&StackOptions::default(), &|_| {}).expect("the private servers start");
        // Asked of the system and given back: free for the moment in which the service takes it.
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let mut site = Self { stack, service: None, http: free.expect("a free port").to_string() };
        let service = site.command(&["run", "--migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        site.service = Some(service.expect("the service starts"));
        let until = Instant::now() + READY_PATIENCE;
        while site.get("/readyz").is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            assert!(Instant::now() < until, "the service is not ready: {:?}", site.get("/readyz"));
            std::thread::sleep(Duration::from_millis(50));
        }
        site
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(POLEVOD);
        command.args(arguments);
        command.env("POLEVOD_DATABASE_URL", self.stack.postgres.url());
        command.env("POLEVOD_MQTT_URL", self.stack.mosquitto.url());
        command.env("POLEVOD_HTTP_LISTEN", &self.http);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }

    /// Standard output of a command that succeeds.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {}\n{said}{complained}", output.status);
        said.into_owned()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.says(arguments);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"))
    }

    pub(crate) fn replay(&self, path: &Path) -> Value {
        self.json(&["replay", "--json", &path.display().to_string()])
    }

    pub(crate) fn sql(&self, query: &str) -> String {
        self.stack.postgres.sql("polevod", query).expect("a query").trim().to_string()
    }

    /// The whole answer; none while nobody listens.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.http).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: polevod\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut service) = self.service.take() {
            // Asked by id, as an operator would; what it does not heed is ended.
            let _ = Command::new("kill").arg(service.id().to_string()).status();
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until && matches!(service.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = service.kill();
            let _ = service.wait();
        }
    }
}
