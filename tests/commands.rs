//! The commands as a user runs them, against a real database and a real broker.

mod site;

use std::process::Command;

use expect_test::expect;
use site::{POLEVOD, Site};

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
    let edition = if doctor.contains("(Community)") { "community" } else { "apache2" };
    assert!(metrics.contains(&format!(",edition=\"{edition}\"}} 1\n")), "{metrics}");
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

#[test]
fn health_of_a_parked_tractor_shows_what_its_bus_said_and_no_fault() {
    let Some(log) = test_support::recording("can/tractor_jd6130r_2021.candump.log") else { return };
    let site = Site::start();
    site.replay(&log);
    let machine = site.json(&["machine", "show", "1L06130RELP969468", "--json"]);
    assert_eq!(machine["identification"]["serial"], "1L06130RELP969468");
    assert_eq!(machine["engine_hours"]["total_h"], 219.2);
    let value = |name: &str| {
        let all = machine["values"]
            .as_array()
            .expect("values")
            .iter()
            .chain(machine["counters"].as_array().expect("counters"));
        let found = all.into_iter().find(|value| value["signal"] == name).expect("the signal").clone();
        assert!(found["age_s"].as_i64().is_some_and(|age| age > 0), "{found}");
        found["value"].as_f64().expect("a number")
    };
    assert!((85.0..=86.0).contains(&value("coolant_temp_c")));
    assert_eq!(value("engine_hours_h"), 219.2);
    assert_eq!(machine["active_faults"], serde_json::json!([]));
    assert_eq!(machine["days"][0]["stored"], 186);
    assert_eq!(site.json(&["faults", "--all", "--json"]), serde_json::json!([]));
    assert_eq!(site.json(&["alerts", "--json"]), serde_json::json!([]), "a parked machine needs nobody");
}

#[test]
fn an_active_code_is_shown_in_words_and_as_text_for_a_workshop_order() {
    let site = Site::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("HOT-1.log");
    // Amber lamp, SPN 110 FMI 16, third occurrence; coolant at 103 °C.
    let second = |n: u32| {
        format!(
            "(16225478{:02}.000000) can0 18FECA00#04FF6E001003FFFF\n(16225478{:02}.010000) can0 18FEEE00#8F32FFFFFFFFFFFF\n",
            30 + n,
            30 + n
        )
    };
    std::fs::write(&path, (0..60).map(second).collect::<String>()).expect("a file");
    site.says(&["replay", "--machine", "HOT-1", &path.display().to_string()]);
    let faults = site.json(&["faults", "--json", "--lang", "en"]);
    let shown = |key: &str| faults[0][key].clone();
    assert_eq!(faults.as_array().map(Vec::len), Some(1), "{faults}");
    assert_eq!((shown("machine"), shown("spn"), shown("fmi")), ("HOT-1".into(), 110.into(), 16.into()));
    assert_eq!((shown("occurrence_count"), shown("severity"), shown("active")), (3.into(), 3.into(), true.into()));
    assert_eq!(shown("active_since"), "2021-06-01T11:43:50.000Z");
    assert_eq!(shown("title"), "coolant hot");
    let order = site.says(&["faults", "HOT-1", "110/16", "--lang", "en"]);
    assert!(order.contains("SPN 110 FMI 16") && order.contains("coolant_temp_c 103 °C"), "{order}");
}

#[test]
fn rules_are_checked_and_a_mistake_is_named_with_its_mend() {
    let command = |arguments: &[&str]| Command::new(POLEVOD).args(arguments).output().expect("the command runs");
    let good = command(&["rules", "check"]);
    let said = String::from_utf8_lossy(&good.stdout);
    assert!(good.status.success() && said.contains("examples hold"), "{said}");
    let file = std::env::temp_dir().join(format!("polevod-rules-{}.toml", std::process::id()));
    std::fs::write(&file, "[[rule]]\nid = 'hot'\nseverity = 9\n").expect("a file");
    let bad = command(&["rules", "check", &file.display().to_string()]);
    std::fs::remove_file(&file).expect("the file");
    let said = String::from_utf8_lossy(&bad.stdout);
    assert_eq!(bad.status.code(), Some(1));
    assert!(said.contains(r#"rule "hot": severity: severity 9 is none of 1 information"#), "{said}");
}
