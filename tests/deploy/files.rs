//! What can be checked without running anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file below `folder` with this ending, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there").flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path.strip_prefix(root()).expect("below the root").display().to_string());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{ending} in {folder}");
    found
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn services() -> serde_json::Map<String, Value> {
    yaml("docker-compose.yml")["services"].as_object().expect("services").clone()
}

#[test]
fn every_yaml_and_json_file_parses() {
    for name in files("deploy", "yml") {
        assert!(yaml(&name).is_object(), "{name}");
    }
    for name in files("deploy", "json") {
        let parsed: Result<Value, _> = serde_json::from_str(&text(&name));
        assert!(parsed.is_ok_and(|value| value.is_object()), "{name}");
    }
}

#[test]
fn every_container_is_of_a_pinned_version_watched_and_on_loopback() {
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap_or_default();
        if !image.starts_with("polevod:") {
            let version = image.rsplit_once(':').map_or("", |(_, tag)| tag).trim_start_matches('v');
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name}: {image} names no version");
        }
        // The simulated fleet serves nobody; it is well as long as it runs.
        assert!(service["healthcheck"].is_object() || name == "simulator", "{name} has no healthcheck");
        for port in list(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to the world");
        }
    }
}

#[test]
fn every_file_that_a_container_is_given_is_there() {
    let mut mounted = 0;
    for (name, service) in services() {
        let built = service["build"]["dockerfile"].as_str();
        let volumes = list(&service["volumes"]).filter_map(|volume| volume.split(':').next());
        for path in volumes.filter(|path| path.starts_with("./")).chain(built) {
            assert!(root().join(path).exists(), "{name}: {path} is missing");
            mounted += 1;
        }
        if let Some(file) = service["env_file"].as_str() {
            assert!(root().join(format!("{file}.example")).exists(), "{name}: no example of {file}");
        }
    }
    assert!(mounted > 4, "volumes are written in another form than this test reads");
}

/// The settings that `polevod config` prints, as environment variables.
fn known_variables() -> BTreeSet<String> {
    let defaults: toml::Table = polevod::config::DEFAULT_TOML.parse().expect("the defaults are TOML");
    let keys = defaults.iter().flat_map(|(section, values)| {
        let values = values.as_table().expect("every default stands in a section");
        values.keys().map(move |key| format!("POLEVOD_{section}_{key}").to_ascii_uppercase())
    });
    keys.collect()
}

#[test]
fn every_setting_in_the_files_is_one_that_the_service_has() {
    let known = known_variables();
    let check = |file: &str, name: &str| assert!(known.contains(name), "{file}: {name} is no setting of the service");
    for (service, value) in services() {
        for name in value["environment"].as_object().into_iter().flatten().map(|(name, _)| name) {
            if name.starts_with("POLEVOD_") {
                check(&format!("docker-compose.yml, {service}"), name);
            }
        }
    }
    let mut seen = 0;
    for file in files("deploy", "service").iter().map(String::as_str).chain(["deploy/secrets.env.example"]) {
        let content = text(file);
        for word in content.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split([' ', '='])) {
            if word.starts_with("POLEVOD_") {
                check(file, word);
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "only {seen} settings found: the files are written in another form than this test reads");
}

#[test]
fn the_example_secrets_are_addresses_that_the_service_takes() {
    let content = text("deploy/secrets.env.example");
    let variables = content.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = polevod::config::load(None, variables).expect("the example is acceptable");
    assert_eq!(config.mqtt.url.host, "mosquitto");
    assert_eq!(config.mqtt.url.credentials.as_ref().map(|(user, _)| user.as_str()), Some("polevod"));
}

#[test]
fn dashboards_and_alerts_ask_only_for_metrics_that_there_are() {
    let totals = serde_json::to_value(polevod::ingest::Counters::default().totals()).expect("plain numbers");
    let totals = totals.as_object().expect("named counters").clone();
    let name = |key: &str, value: &Value| match value {
        // Whether something is up is a gauge; everything else counts.
        Value::Bool(_) => format!("polevod_ingest_{key}"),
        _ => format!("polevod_ingest_{key}_total"),
    };
    let known: BTreeSet<String> = totals.iter().map(|(key, value)| name(key, value)).collect();
    let mut asked = BTreeSet::new();
    for file in files("deploy", "json").iter().map(String::as_str).chain(["deploy/prometheus/rules.yml"]) {
        let content = text(file);
        let words = content.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        asked.extend(words.filter(|word| word.starts_with("polevod_ingest_")).map(str::to_owned));
    }
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
    assert!(asked.len() >= 10, "{asked:?}");
}

#[test]
fn panels_have_their_own_numbers_and_lie_side_by_side() {
    for file in files("deploy/grafana/dashboards", "json") {
        let dashboard: Value = serde_json::from_str(&text(&file)).expect("parsed above");
        let panels = dashboard["panels"].as_array().expect("panels");
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_i64()).collect();
        assert_eq!(ids.len(), panels.len(), "{file}: two panels have one id");
        let mut taken = BTreeSet::new();
        for panel in panels {
            let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
            for (x, y) in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
                assert!(x < 24 && taken.insert((x, y)), "{file}: panel {} overlaps at {x}, {y}", panel["title"]);
            }
        }
    }
}

#[test]
fn units_for_systemd_are_sections_of_keys_and_start_what_we_build() {
    for file in files("deploy/systemd", "service") {
        let content = text(&file);
        let lines = content.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (sections, settings): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with('['));
        assert_eq!(sections, ["[Unit]", "[Service]", "[Install]"], "{file}");
        for setting in &settings {
            let key = setting.split_once('=').map_or("", |(key, _)| key);
            assert!(!key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()), "{file}: {setting}");
        }
        assert!(settings.iter().any(|setting| setting.starts_with("ExecStart=/usr/local/bin/polevod ")), "{file}");
    }
}
