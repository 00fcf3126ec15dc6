//! The command line as people and scripts use it.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};

fn simulator(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env_remove("POLEVOD_MQTT_URL")
        .output()
        .expect("the simulator starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_refused(arguments: &str, expected: Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = simulator(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments}: {}", text(&output.stdout));
    expected.assert_eq(&text(&output.stderr));
}

fn succeed(folder: &Path, arguments: &str) -> String {
    let output = simulator(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                found.push((name, std::fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_wrong_is_said_with_the_mend() {
    check_refused(
        "run",
        expect![[r#"
        simulator: no broker: give --broker mqtt://HOST:PORT, or set POLEVOD_MQTT_URL or broker.url.
        One for this machine, with a database, nothing installed:

            cargo run -p embedded --bin stack -- up

        It prints two lines; put `export` before each in another terminal. Then something has to store and confirm
        what machines send:

            cargo run --release -- run --migrate
    "#]],
    );
    check_refused(
        "run --broker mqtt://127.0.0.1:1 --machines 0",
        expect![[r#"
        simulator: machines = 0 is not possible: give 1 to 100000
    "#]],
    );
    check_refused(
        "run --broker 127.0.0.1",
        expect![[r#"
        simulator: broker address "127.0.0.1" has no scheme; write mqtt://host:1883 or mqtt://user:password@host:1883
    "#]],
    );
    check_refused(
        "run --preset moon",
        expect![[r#"
        simulator: conditions.preset: "moon" is no preset; known are clean, tomsk, tsbs (set in the command line)
    "#]],
    );
    check_refused(
        "run --config nowhere.toml",
        expect![[r#"
            simulator: cannot read the settings file nowhere.toml: No such file or directory (os error 2): No such file or directory (os error 2)
        "#]],
    );
    check_refused(
        "capture frames out.ledger",
        expect![[r#"
        simulator: a capture without a broker needs an end: give --for, as --for 1h, or --to
    "#]],
    );
    check_refused(
        "preview --out day.png",
        expect![[r#"
        simulator: --out = day.png does not end in .svg; only SVG is drawn
    "#]],
    );
    check_refused(
        "truth nowhere",
        expect![[r#"
            simulator: truth nowhere: No such file or directory (os error 2); check the folder, its disk and who may use it: No such file or directory (os error 2)
        "#]],
    );
}

#[test]
fn the_printed_settings_are_the_defaults() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let printed = succeed(folder.path(), "config");
    std::fs::write(folder.path().join("fleet.toml"), printed).expect("written");
    let listed = succeed(folder.path(), "list machines --config fleet.toml");
    assert_eq!(listed.lines().count(), 20);
    assert_eq!(listed, succeed(folder.path(), "list"));
}

#[test]
fn two_captures_of_the_same_seed_are_the_same_files_and_sums_are_what_was_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = |name: &str, seed: u64| {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).expect("a new folder");
        let arguments = format!(
            "capture frames frames.ledger --truth truth --machines 6 --from 2026-08-20T03:30 --for 2h --seed {seed}"
        );
        let said = succeed(&own, &arguments);
        (files(&own), said)
    };
    let (first, said) = capture("first", 5);
    let (second, _) = capture("second", 5);
    let (other, _) = capture("other", 6);
    assert!(first == second, "the same seed makes the same bytes");
    assert!(first != other, "another seed makes others");
    let truth = first.iter().filter(|(name, _)| name.starts_with("truth/2026-08-")).count();
    assert!(truth >= 12, "six machines, and a day that ends at four: {truth}");
    let sums: serde_json::Value =
        serde_json::from_str(&succeed(&folder.path().join("first"), "truth truth --json")).expect("JSON");
    let records: u64 =
        sums["machines"].as_object().expect("machines").values().map(|of| of["records"].as_u64().unwrap_or(0)).sum();
    let grouped = said.split(" records").next().and_then(|text| text.split(": ").nth(1)).expect("a count");
    assert_eq!(grouped.replace(' ', ""), records.to_string());
    let again = simulator(&folder.path().join("first"), "capture frames frames.ledger --for 1h");
    assert_eq!(text(&again.stderr), "simulator: frames.ledger exists; give a new file\n");
}
