//! The servers of the private stack, started for real.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::{
    io::Write as _,
    process::{Output, Stdio},
    sync::LazyLock,
    thread,
};

use embedded::{EmbeddedError, Mosquitto, MosquittoOptions, Packages, Postgres, PostgresOptions, Stack, StackOptions};

fn packages() -> Packages {
    Packages::ensure(&|_| {}).unwrap()
}

fn postgres() -> Postgres {
    Postgres::start(&packages(), &PostgresOptions::default(), &|_| {}).unwrap()
}

/// One server for all tests that do not kill it. Nobody drops a static; the guardian ends it with this process.
fn shared() -> &'static Postgres {
    static SHARED: LazyLock<Postgres> = LazyLock::new(postgres);
    &SHARED
}

fn mosquitto() -> Mosquitto {
    Mosquitto::start(&packages(), &MosquittoOptions::default()).unwrap()
}

#[track_caller]
fn check_sql(postgres: &Postgres, sql: &str, expected: &str) {
    assert_eq!(postgres.sql("polevod", sql).unwrap(), expected, "{sql}");
}

/// Runs mosquitto_pub or mosquitto_sub of the tree against the broker.
fn client(mosquitto: &Mosquitto, program: &str, arguments: &str) -> Output {
    let mut command = packages().command(&format!("/usr/bin/{program}"), &[]);
    let port = mosquitto.port().to_string();
    command.args(["-h", "127.0.0.1", "-p", &port]).args(arguments.split_whitespace()).output().unwrap()
}

fn publish(mosquitto: &Mosquitto, arguments: &str) {
    let output = client(mosquitto, "mosquitto_pub", arguments);
    assert!(output.status.success(), "{output:?}");
}

/// What a subscriber is given within a second or two; empty when nothing.
fn received(mosquitto: &Mosquitto, arguments: &str) -> String {
    let output = client(mosquitto, "mosquitto_sub", &format!("-W 2 {arguments}"));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn it_is_postgresql_17_with_timescaledb_and_holds_a_hypertable() {
    let postgres = shared();
    check_sql(postgres, "select current_setting('server_version_num')::int / 10000", "17");
    check_sql(postgres, "select extversion ~ '^2[.][0-9]+' from pg_extension where extname = 'timescaledb'", "t");
    postgres.sql("polevod", "create table sample (recorded_at timestamptz not null, value real)").unwrap();
    postgres.sql("polevod", "select create_hypertable('sample', 'recorded_at')").unwrap();
    postgres
        .sql("polevod", "insert into sample select now() - n * interval '1 day', n from generate_series(1, 30) n")
        .unwrap();
    check_sql(postgres, "select count(*), count(distinct tableoid) > 1 from sample", "30|t");
}

#[test]
fn it_is_as_durable_as_a_production_server_unless_asked_otherwise() {
    let durable =
        "select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')";
    check_sql(shared(), durable, "on|on|on");
    let cheap = Postgres::start(&packages(), &PostgresOptions::cheap(), &|_| {}).unwrap();
    check_sql(&cheap, durable, "off|off|off");
}

#[test]
fn settings_of_the_caller_count_and_a_quote_in_them_is_harmless() {
    let options = PostgresOptions::default().setting("work_mem", "7MB").setting("application_name", "it's");
    let postgres = Postgres::start(&packages(), &options, &|_| {}).unwrap();
    check_sql(&postgres, "show work_mem", "7MB");
    check_sql(&postgres, "show max_connections", "200");
}

#[test]
fn a_setting_that_does_not_exist_stops_the_start_and_is_named() {
    let options = PostgresOptions::default().setting("no_such_setting", "1");
    let error = Postgres::start(&packages(), &options, &|_| {}).unwrap_err();
    assert!(matches!(error, EmbeddedError::ServerFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn every_database_made_has_timescaledb_and_shares_nothing() {
    let postgres = shared();
    let url = postgres.create_database("first").unwrap();
    assert!(url.ends_with(&format!("@127.0.0.1:{}/first", postgres.port())), "{url}");
    postgres.create_database("second").unwrap();
    postgres.sql("first", "create table t (at timestamptz not null)").unwrap();
    postgres.sql("first", "select create_hypertable('t', 'at')").unwrap();
    assert_eq!(postgres.sql("second", "select to_regclass('t') is null").unwrap(), "t");

    postgres.create_empty_database("bare").unwrap();
    assert_eq!(postgres.sql("bare", "select count(*) from pg_extension where extname = 'timescaledb'").unwrap(), "0");
    postgres.sql("bare", "create extension timescaledb").unwrap();

    postgres.drop_database("first").unwrap();
    postgres.drop_database("first").unwrap();
    check_sql(postgres, "select count(*) from pg_database where datname = 'first'", "0");
    assert!(postgres.create_database("second").unwrap_err().to_string().contains("already exists"));
}

#[test]
fn databases_can_be_made_from_many_threads_at_once() {
    let postgres = shared();
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || postgres.create_database(&format!("parallel_{number}")).unwrap());
        }
    });
    check_sql(postgres, "select count(*) from pg_database where datname like 'parallel%'", "8");
}

#[test]
fn a_wrong_password_is_refused() {
    let postgres = shared();
    let output = postgres.psql_command().env("PGPASSWORD", "guess").args(["-c", "select 1"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("password authentication failed"));
}

#[test]
fn psql_reads_standard_input_and_files_of_the_working_and_temporary_folders() {
    let postgres = shared();
    postgres.sql("polevod", "create table copied (n int)").unwrap();
    let mut command = postgres.psql_command();
    let mut child = command.args(["-c", r"\copy copied from pstdin"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();
    assert!(child.wait().unwrap().success());

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"3\n4\n5\n").unwrap();
    let output = postgres.psql(&["-c", &format!(r"\copy copied from '{}'", file.path().display())]).unwrap();
    assert!(output.status.success(), "{output:?}");
    check_sql(postgres, "select sum(n) from copied", "15");
}

#[test]
fn committed_rows_survive_the_death_of_the_postmaster() {
    let mut postgres = postgres();
    let (port, pid) = (postgres.port(), postgres.postmaster_pid().unwrap());
    postgres.sql("polevod", "create table t (n int)").unwrap();
    postgres.sql("polevod", "insert into t select generate_series(1, 1000)").unwrap();
    let mut busy = postgres.psql_command();
    // A query that never looks up from its work does not notice that its postmaster has died.
    let mut busy = busy.args(["-c", "select count(*) from generate_series(1, 1000000000000) n"]).spawn().unwrap();
    while postgres.backend_pids().unwrap().is_empty() {
        thread::yield_now();
    }

    postgres.kill_postmaster().unwrap();
    assert!(!busy.wait().unwrap().success());
    assert!(postgres.sql("polevod", "select 1").is_err());
    assert!(matches!(postgres.kill_postmaster().unwrap_err(), EmbeddedError::WrongState { .. }));

    postgres.start_again().unwrap();
    assert_eq!(postgres.port(), port);
    assert_ne!(postgres.postmaster_pid().unwrap(), pid);
    check_sql(&postgres, "select count(*) from t", "1000");
}

#[test]
fn a_killed_backend_takes_its_connection_along_and_the_server_recovers() {
    let mut postgres = postgres();
    let mut sleeper = postgres.psql_command();
    let mut sleeper = sleeper.args(["-c", "select pg_sleep(600)"]).stderr(Stdio::null()).spawn().unwrap();
    let backend = loop {
        if let Some(pid) = postgres.backend_pids().unwrap().first() {
            break *pid;
        }
        thread::yield_now();
    };
    let error = postgres.kill_backend(std::process::id()).unwrap_err();
    assert!(matches!(error, EmbeddedError::NotABackend { .. }), "{error:?}");

    let postmaster = postgres.postmaster_pid().unwrap();
    postgres.kill_backend(backend).unwrap();
    assert!(!sleeper.wait().unwrap().success());
    // The server refuses connections while it recovers.
    while postgres.sql("polevod", "select 1").is_err() {
        thread::yield_now();
    }
    assert_eq!(postgres.postmaster_pid().unwrap(), postmaster);
}

#[test]
fn an_orderly_stop_and_start_keeps_data_and_port() {
    let mut postgres = postgres();
    postgres.sql("polevod", "create table t as select 42 as n").unwrap();
    assert!(matches!(postgres.start_again().unwrap_err(), EmbeddedError::WrongState { state: "running", .. }));
    postgres.stop();
    postgres.stop();
    postgres.start_again().unwrap();
    check_sql(&postgres, "select n from t", "42");
}

#[test]
fn the_broker_tells_clients_a_receive_maximum_that_lets_ingest_run() {
    let mosquitto = mosquitto();
    let output = client(&mosquitto, "mosquitto_pub", "-d -V 5 -t t -m hello");
    assert!(output.status.success(), "{output:?}");
    let config = std::fs::read_to_string(mosquitto.log_path().with_file_name("mosquitto.conf")).unwrap();
    assert!(config.contains("max_inflight_messages 5000"), "{config}");
}

#[test]
fn messages_queued_for_an_absent_client_survive_an_orderly_restart() {
    let mut mosquitto = mosquitto();
    client(&mosquitto, "mosquitto_sub", "-W 1 -c -i ingest -q 1 -t t");
    for number in 1..=3 {
        publish(&mosquitto, &format!("-q 1 -t t -m message-{number}"));
    }
    mosquitto.stop();
    mosquitto.start_again().unwrap();
    assert_eq!(received(&mosquitto, "-C 3 -c -i ingest -q 1 -t t"), "message-1\nmessage-2\nmessage-3");
}

#[test]
fn a_killed_broker_comes_back_on_its_port_and_a_lost_disk_makes_it_forget() {
    let mut mosquitto = mosquitto();
    let (port, pid) = (mosquitto.port(), mosquitto.pid().unwrap());
    publish(&mosquitto, "-r -q 1 -t status -m online");
    assert!(matches!(mosquitto.wipe_persistence().unwrap_err(), EmbeddedError::WrongState { .. }));
    mosquitto.stop();
    mosquitto.start_again().unwrap();
    assert_eq!(received(&mosquitto, "-C 1 -t status"), "online");

    mosquitto.kill().unwrap();
    assert!(matches!(mosquitto.kill().unwrap_err(), EmbeddedError::WrongState { .. }));
    mosquitto.wipe_persistence().unwrap();
    mosquitto.start_again().unwrap();
    assert_eq!(mosquitto.port(), port);
    assert_ne!(mosquitto.pid().unwrap(), pid);
    assert_eq!(received(&mosquitto, "-C 1 -t status"), "");
}

#[test]
fn a_bad_line_of_broker_configuration_stops_the_start_and_is_named() {
    let options = MosquittoOptions { extra_config: vec!["no_such_option 1".into()], ..Default::default() };
    let error = Mosquitto::start(&packages(), &options).unwrap_err();
    assert!(error.to_string().contains("no_such_option"), "{error}");
}

#[test]
fn a_broker_with_a_password_file_refuses_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    std::fs::write(&passwords, "").unwrap();
    let options = MosquittoOptions {
        allow_anonymous: false,
        extra_config: vec![format!("password_file {}", passwords.display())],
        visible_folders: vec![folder.path().to_owned()],
        ..Default::default()
    };
    let mosquitto = Mosquitto::start(&packages(), &options).unwrap();
    assert!(!client(&mosquitto, "mosquitto_pub", "-t t -m x").status.success());
}

#[test]
fn stacks_started_at_the_same_moment_do_not_meet() {
    let stacks: Vec<Stack> = thread::scope(|scope| {
        let start = || Stack::start(&StackOptions::cheap(), &|_| {}).unwrap();
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|stack| stack.join().unwrap()).collect()
    });
    let mut ports: Vec<u16> = stacks.iter().flat_map(|stack| [stack.postgres.port(), stack.mosquitto.port()]).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 8);
    for (number, stack) in stacks.iter().enumerate() {
        stack.postgres.sql("polevod", &format!("create table t as select {number} as n")).unwrap();
        publish(&stack.mosquitto, &format!("-r -q 1 -t t -m {number}"));
    }
    for (number, stack) in stacks.iter().enumerate() {
        check_sql(&stack.postgres, "select n from t", &number.to_string());
        assert_eq!(received(&stack.mosquitto, "-C 1 -t t"), number.to_string());
    }
}

#[test]
fn dropping_a_server_leaves_nothing_behind() {
    let Stack { mut postgres, mut mosquitto } = Stack::start(&StackOptions::default(), &|_| {}).unwrap();
    let pids = [postgres.postmaster_pid().unwrap(), mosquitto.pid().unwrap()];
    let folders = [postgres.log_path(), mosquitto.log_path()].map(|log| log.parent().unwrap().to_owned());
    drop((postgres, mosquitto));
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
    for folder in folders {
        assert!(!folder.exists(), "{}", folder.display());
    }
}
