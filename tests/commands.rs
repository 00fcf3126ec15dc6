//! The commands as a user runs them, against a real database and a real broker.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use embedded::{Stack, StackOptions};
use expect_test::expect;
use serde_json::Value;

/// How long the service may take to be ready.
const READY_PATIENCE: Duration = Duration::from_secs(60);
const POLEVOD: &str = env!("CARGO_BIN_EXE_polevod");

/// Servers, and the service running on them.
struct Site {
    stack: Stack,
    service: Option<Child>,
    http: String,
}

impl Site {
    fn start() -> Self {
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

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(POLEVOD);
        command.args(arguments);
        command.env("POLEVOD_DATABASE_URL", self.stack.postgres.url());
        command.env("POLEVOD_MQTT_URL", self.stack.mosquitto.url());
        command.env("POLEVOD_HTTP_LISTEN", &self.http);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }

    /// Standard output of a command that succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {}\n{said}{complained}", output.status);
        said.into_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.says(arguments);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"))
    }

    fn replay(&self, path: &Path) -> Value {
        self.json(&["replay", "--json", &path.display().to_string()])
    }

    fn sql(&self, query: &str) -> String {
        self.stack.postgres.sql("polevod", query).expect("a query").trim().to_string()
    }

    /// The whole answer; none while nobody listens.
    fn get(&self, path: &str) -> Option<String> {
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

#[test]
fn recordings_replayed_are_stored_once_and_again_add_nothing() {
    let names = [
        ("isoxml/forage_harvester_one_task", "A00086000DF95589", 4_716),
        ("yield/corn_aglead_advanced.txt", "corn_aglead_advanced", 19_495),
        ("gps/isoblue_gpsd_tpv_2020.jsonl", "isoblue_gpsd_tpv_2020", 101),
        ("can/tractor_jd6130r_2021.candump.log", "1L06130RELP969468", 186),
    ];
    let found: Vec<_> = names.iter().filter_map(|(name, ..)| test_support::recording(name)).collect();
    if found.len() < names.len() {
        return;
    }
    let site = Site::start();
    let stored = || {
        site.sql(
            "select string_agg(serial || ' ' || samples, ', ' order by serial) from
             (select serial, count(*) as samples from sample join machine using (machine_id) group by serial) as each",
        )
    };
    for (path, (_, machine, samples)) in found.iter().zip(&names) {
        let lines = site.replay(path);
        let sum: u64 = lines.as_array().expect("a list").iter().filter_map(|line| line["samples"].as_u64()).sum();
        assert_eq!((lines[0]["machine"].as_str(), sum), (Some(*machine), *samples), "{lines}");
    }
    let expected =
        "1L06130RELP969468 186, A00086000DF95589 4716, corn_aglead_advanced 19495, isoblue_gpsd_tpv_2020 101";
    assert_eq!(stored(), expected);
    for path in &found {
        site.replay(path);
    }
    assert_eq!(stored(), expected, "replayed again");

    let status = site.json(&["status", "corn_aglead_advanced", "--json"]);
    let day = &status[0]["days"][0];
    assert_eq!((day["stored"].as_u64(), day["missing"].as_u64()), (Some(19_495), Some(0)), "{status}");
    // The first answer tells the unit that all is there; what it had not sent by then it need not send.
    assert!(day["duplicate"].as_u64() > Some(0), "{status}");
}

#[test]
fn what_can_be_read_of_a_recording_that_is_cut_off_is_stored() {
    let site = Site::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("walk.jsonl");
    let line = |second: u32| {
        format!(
            "{{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-08-20T05:00:{second:02}Z\",\"lat\":56.2{second:02},\
             \"lon\":83.97,\"speed\":2.0}}\n"
        )
    };
    let mut text: String = (0..30).map(line).collect();
    text.truncate(text.len() - 40);
    std::fs::write(&path, text).expect("a file");
    let output = site.run(&["replay", &path.display().to_string()]);
    expect!["walk: 29 samples, 0 fault reports, 0 task records; 29 confirmed as stored\n"]
        .assert_eq(&String::from_utf8_lossy(&output.stdout));
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(complained.starts_with("warning: walk.jsonl, line 30: "), "{complained}");
    assert_eq!(output.status.code(), Some(3), "done, and something needs attention");
    assert_eq!(site.sql("select count(*) from sample"), "29");

    let doctor = site.says(&["doctor"]);
    assert!(doctor.contains("kept 1500 of 1500 messages"), "{doctor}");
    let metrics = site.get("/metrics").expect("an answer");
    assert!(metrics.contains("\npolevod_ingest_stored_total 29\n"), "{metrics}");
}

#[test]
fn wrong_words_get_one_error_that_names_the_mend() {
    let check = |arguments: &[&str], environment: &[(&str, &str)], code: i32, expected: expect_test::Expect| {
        let mut command = Command::new(POLEVOD);
        command.args(arguments).envs(environment.iter().copied());
        let output = command.output().expect("it runs");
        expected.assert_eq(&String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    };
    check(
        &["status"],
        &[("POLEVOD_DATABASE_URL", "postgres://polevod:hidden@127.0.0.1:1/polevod")],
        1,
        expect![[r#"
            polevod: cannot reach the database: Tcp("127.0.0.1") port [1] database "polevod": Connection refused (os error 111); check database.url and that the server runs
        "#]],
    );
    check(
        &["status"],
        &[("POLEVOD_DATABASE_URL", "mysql://127.0.0.1")],
        1,
        expect![[r#"
            polevod: database.url: no database address: unexpected EOF; write postgres://USER:PASSWORD@HOST:PORT/DATABASE (set in the environment variable POLEVOD_DATABASE_URL)
        "#]],
    );
    check(
        &["replay", "/nowhere/at/all"],
        &[],
        1,
        expect![[r#"
            polevod: cannot read /nowhere/at/all: No such file or directory (os error 2)
        "#]],
    );
    check(
        &["run"],
        &[("POLEVOD_HTTP_LISTEN", "everywhere")],
        1,
        expect![[r#"
            polevod: http.listen: "everywhere" is no address to listen on; write 127.0.0.1:8080, or nothing to serve none (set in the environment variable POLEVOD_HTTP_LISTEN)
        "#]],
    );
}
