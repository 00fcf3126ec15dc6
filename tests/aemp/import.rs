//! `polevod import aemp` as a user runs it.

use std::process::{Command, Output};

use crate::harness::{Database, blocking};

fn polevod(database: &Database, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polevod"));
    command.args(arguments).env("POLEVOD_DATABASE_URL", &database.url).env_remove("AEMP_TOKEN");
    blocking(|| command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_snapshot_comes_in_once_however_often_it_is_imported() {
    let Some(file) = test_support::recording("aemp/fleet_snapshot_6_units.xml") else { return };
    let database = Database::shared().await;
    let import = || {
        let output = polevod(&database, &["import", "aemp", file.to_str().unwrap(), "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let first = import();
    let expected = [("machines", 6), ("machines_with_data", 4), ("fuel_used_l_sum", 9870), ("engines_running", 2)];
    for (figure, value) in expected {
        assert_eq!(first[figure].as_f64(), Some(f64::from(value)), "{figure}: {first}");
    }
    assert_eq!(first["operating_hours_sum"].as_f64(), Some(1416.80));
    assert_eq!(first["readings_new"], first["readings"]);
    let again = import();
    assert_eq!((&again["readings_new"], &again["readings_known"]), (&0.into(), &first["readings"]));

    // The store holds the same sums, of machines that are named by what is known of them.
    let count = |sql: &'static str| database.number(sql);
    assert_eq!(count("select count(*) from machine where maker = 'Takeuchi'").await, 6);
    assert_eq!(count("select count(*) from machine where model = 'TB290-2'").await, 2, "missing is no model");
    assert_eq!(count("select count(*) from machine where serial = 'Takeuchi-7020000003'").await, 1);
    assert_eq!(count("select round(sum(engine_hours_h) * 100) from sample").await, 141_680);
    assert_eq!(count("select sum(fuel_total_l) from sample").await, 9_870);
    assert_eq!(count("select sum(value) from signal_sample where signal_id = 78").await, 2);
    assert_eq!(count("select count(*) from sample").await, first["readings"].as_i64().unwrap());
    // The ledger knows of no gap.
    assert_eq!(
        count("select count(*) from stored_sequence where stored <> int8multirange(int8range(0, upper(stored)))").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_fleet_says_so_and_a_token_is_shown_once() {
    let database = Database::shared().await;
    let file = std::env::temp_dir().join(format!("polevod-aemp-{}.xml", std::process::id()));
    std::fs::write(&file, "<html>sign in</html>").unwrap();
    let output = polevod(&database, &["import", "aemp", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("no Equipment in it"));

    let made = polevod(&database, &["token", "create", "Farm portal", "--scope", "aemp", "--expires-in", "30d"]);
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let (client, secret) = token.strip_prefix("pvt_").unwrap().split_once('_').unwrap();
    assert_eq!(secret.len(), 64, "256 bits");
    let listed = String::from_utf8(polevod(&database, &["token", "list"]).stdout).unwrap();
    assert!(listed.contains(client) && listed.contains("Farm portal") && listed.contains("valid"), "{listed}");
    assert!(!listed.contains(secret), "the secret is kept nowhere");
    let dump = database.client().await;
    let row = dump.query_one("select api_token::text from api_token", &[]).await.unwrap();
    assert!(!row.get::<_, String>(0).contains(secret), "nor in the database");
    assert_eq!(polevod(&database, &["token", "revoke", client]).status.code(), Some(0));
    assert_eq!(polevod(&database, &["token", "revoke", client]).status.code(), Some(1), "once");
    let unknown = polevod(&database, &["token", "create", "x", "--scope", "everything"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("aemp, capture are known"));
}
