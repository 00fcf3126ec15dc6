//! The rules of `docs/ARCHITECTURE.md`, kept.

use std::fs;
use std::path::{Path, PathBuf};

/// Layers of the service, lowest first: a folder may use those before it and itself.
const LAYERS: &[&[&str]] = &[
    &["time", "config", "tls", "logging", "locale"],
    &["derive"],
    &["catalogues"],
    &["store"],
    &["capture", "exchange", "ingest", "recompute", "report", "notify"],
    &["doctor", "api"],
    &["cli"],
];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(path: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(path).expect("a folder of the project").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

/// What precedes the tests of a file, without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The folder or file directly under `src` that a path belongs to.
fn part(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("under src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_string()
}

fn offenders(folder: &str, is_wrong: impl Fn(&Path, &str) -> Option<String>) -> Vec<String> {
    sources(folder)
        .iter()
        .filter_map(|(path, text)| Some(format!("{}: {}", path.display(), is_wrong(path, &code(text))?)))
        .collect()
}

fn first_of(code: &str, words: &[&str]) -> Option<String> {
    words.iter().find(|word| code.contains(**word)).map(ToString::to_string)
}

#[test]
fn only_the_store_holds_sql() {
    let statements = [
        ".query(",
        ".query_one(",
        ".query_opt(",
        ".query_raw(",
        ".execute(",
        ".batch_execute(",
        ".simple_query(",
        ".copy_in",
    ];
    let wrong = offenders("src", |path, code| (part(path) != "store").then(|| first_of(code, &statements)).flatten());
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn derive_knows_no_io_no_clock_and_no_chance() {
    let words = [
        "std::fs",
        "std::net",
        "std::env",
        "tokio",
        "Timestamp::now",
        "Zoned::now",
        "Instant::now",
        "SystemTime",
        "rand::",
        "HashMap",
        "HashSet",
        "println!",
        "crate::store",
    ];
    assert_eq!(offenders("src/derive", |_, code| first_of(code, &words)), [""; 0]);
}

#[test]
fn the_wire_knows_neither_network_nor_database() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[dev-dependencies]").next().expect("the part before");
    assert_eq!(first_of(dependencies, &["tokio", "rumqttc", "postgres", "axum"]), None);
}

#[test]
fn nothing_imports_upwards() {
    let layer = |part: &str| LAYERS.iter().position(|parts| parts.contains(&part));
    let wrong = offenders("src", |path, code| {
        let own = part(path);
        if ["lib", "main"].contains(&own.as_str()) {
            return None;
        }
        let Some(own_layer) = layer(&own) else { return Some(format!("{own} stands in no layer; add it to LAYERS")) };
        let above = LAYERS.iter().skip(own_layer + 1).flat_map(|parts| parts.iter());
        above.map(|name| format!("crate::{name}")).find(|import| {
            code.match_indices(import.as_str())
                .any(|(at, _)| !code[at + import.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn only_the_command_line_prints() {
    let words = ["println!(", "print!(", "eprintln!(", "eprint!("];
    let wrong = offenders("src", |path, code| (part(path) != "cli").then(|| first_of(code, &words)).flatten());
    assert_eq!(wrong, [""; 0]);
}
