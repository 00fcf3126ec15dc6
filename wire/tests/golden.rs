//! Captured frames: every kind, form, compression and quirk ever met, as bytes, with what they hold as text.
//!
//! A golden file never changes once committed: units in the field send these bytes for years. A new quirk is a new
//! file: put its bytes into `golden/NAME.hex` behind a comment that says what it is, and run the tests with
//! `NEW_GOLDEN=1` to have `NAME.txt` written.

mod common;

use std::path::{Path, PathBuf};

use wire::{Compression, Encoding, Stored, decode, encode, encode_json};

/// Files that another encoder wrote in a way ours would not, and messages that are no frames, say so.
const NOT_CANONICAL: &str = "# not as our encoder writes it";

fn goldens(kind: impl Fn(&str) -> bool) -> Vec<(String, PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of captured frames")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a readable file");
            (name, path, text)
        })
        .filter(|(name, ..)| kind(name))
        .collect();
    files.sort();
    files
}

fn check(path: &Path, found: &str) {
    let path = path.with_extension("txt");
    if !path.exists() && std::env::var_os("NEW_GOLDEN").is_some() {
        std::fs::write(&path, found).expect("the folder is writable");
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing; read the bytes, then run with NEW_GOLDEN=1", path.display()));
    assert_eq!(found, expected, "{}", path.display());
}

#[test]
fn captured_frames_still_mean_what_they_meant() {
    let files = goldens(|name| !name.starts_with("stored"));
    assert!(files.len() >= 25, "only {} captured frames were found", files.len());
    for (_, path, text) in files {
        assert!(text.starts_with("# "), "{} says what it is", path.display());
        check(&path, &common::outcome(&common::read_hex(&text)));
    }
}

#[test]
fn captured_frames_are_written_again_byte_for_byte() {
    let mut written = 0;
    for (name, _, text) in goldens(|name| !name.starts_with("stored")) {
        let bytes = common::read_hex(&text);
        let Ok(decoded) = decode(&bytes) else { continue };
        if text.contains(NOT_CANONICAL) {
            continue;
        }
        let again = match decoded.encoding {
            Encoding::Json => encode_json(&decoded.frame),
            Encoding::Binary => encode(&decoded.frame, Compression::None),
        };
        assert_eq!(again, bytes, "{name}");
        written += 1;
    }
    assert!(written >= 10, "only {written} frames were written again");
}

#[test]
fn every_form_of_a_captured_frame_holds_the_same() {
    for (name, _, text) in goldens(|name| !name.starts_with("stored")) {
        let Ok(decoded) = decode(&common::read_hex(&text)) else { continue };
        for bytes in [encode(&decoded.frame, Compression::None), encode(&decoded.frame, Compression::Zstd)] {
            let again = decode(&bytes).expect("a frame we wrote");
            assert_eq!(again.frame, decoded.frame, "{name}");
            assert!(again.dropped.is_empty(), "{name}: {:?}", again.dropped);
        }
    }
}

#[test]
fn captured_acknowledgements_still_mean_what_they_meant() {
    let files = goldens(|name| name.starts_with("stored"));
    assert!(files.len() >= 4, "only {} captured acknowledgements were found", files.len());
    for (name, path, text) in files {
        let bytes = common::read_hex(&text);
        let found = match Stored::decode(&bytes) {
            Ok(stored) => {
                let encoding = if bytes.starts_with(b"{") { Encoding::Json } else { Encoding::Binary };
                assert_eq!(stored.encode(encoding), bytes, "{name}");
                format!("{stored:?}\nfree {}\n", stored.freed())
            }
            Err(error) => format!("{error}\n"),
        };
        check(&path, &found);
    }
}
