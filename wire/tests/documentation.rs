//! `docs/wire-format.md` says what the code does: its tables are written from the code, its examples are run.
//!
//! `UPDATE_DOCS=1 cargo test -p wire` writes the generated tables anew.

mod common;

use std::fmt::Write;
use std::path::PathBuf;

use wire::{
    Answer, Body, BootId, Compression, DecodeError, Encoding, Frame, Header, MachineKinds, MachineSerial, Request,
    Sample, Source, Status, StoreColumn, Stored, catalogue, columns_of, decode, encode, limits,
};

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wire-format.md"))
}

fn document() -> String {
    std::fs::read_to_string(path()).expect("docs/wire-format.md is readable")
}

/// The text between two marks.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("the document has no {begin:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("the document has no {end:?} behind {begin:?}")).0
}

/// Compares a generated part of the document with the code, or writes it.
fn check_generated(tables: &[(&str, String)]) {
    let mut text = document();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- begin generated: {name} -->\n"), format!("<!-- end generated: {name} -->"));
        let found = between(&text, &begin, &end).to_string();
        if found == *table {
            continue;
        }
        assert!(
            std::env::var_os("UPDATE_DOCS").is_some(),
            "the table of {name} in docs/wire-format.md is not what the code says; run UPDATE_DOCS=1 cargo test -p wire"
        );
        text = text.replace(&format!("{begin}{found}{end}"), &format!("{begin}{table}{end}"));
        std::fs::write(path(), &text).expect("docs/wire-format.md is writable");
    }
}

/// The blocks of code of one kind (`json frame`, `c`).
fn blocks(kind: &str) -> Vec<String> {
    let text = document();
    let blocks: Vec<_> = text
        .split(&format!("\n```{kind}\n"))
        .skip(1)
        .map(|rest| rest.split_once("\n```").expect("every block ends").0.to_string())
        .collect();
    assert!(!blocks.is_empty(), "the document has no block of {kind}");
    blocks
}

#[test]
fn the_tables_are_those_of_the_code() {
    check_generated(&[("limits", limits_table()), ("signals", signals_table())]);
}

/// Every public constant of `limits.rs` with its value and the first sentence of its comment.
fn limits_table() -> String {
    let values: [(&str, String); 20] = [
        ("MAX_FRAME_BYTES", limits::MAX_FRAME_BYTES.to_string()),
        ("MAX_BODY_BYTES", limits::MAX_BODY_BYTES.to_string()),
        ("MAX_RECORDS", limits::MAX_RECORDS.to_string()),
        ("MAX_COLUMNS", limits::MAX_COLUMNS.to_string()),
        ("MAX_SERIAL_BYTES", limits::MAX_SERIAL_BYTES.to_string()),
        ("MAX_TEXT_BYTES", limits::MAX_TEXT_BYTES.to_string()),
        ("MAX_FAULTS_PER_REPORT", limits::MAX_FAULTS_PER_REPORT.to_string()),
        ("MAX_TOTALS", limits::MAX_TOTALS.to_string()),
        ("MAX_GAPS", limits::MAX_GAPS.to_string()),
        ("MAX_REQUEST_SIGNALS", limits::MAX_REQUEST_SIGNALS.to_string()),
        ("MAX_CAPTURE_RATE_HZ", limits::MAX_CAPTURE_RATE_HZ.to_string()),
        ("MAX_CAPTURE_DURATION_S", limits::MAX_CAPTURE_DURATION_S.to_string()),
        ("MAX_MESSAGE_BYTES", limits::MAX_MESSAGE_BYTES.to_string()),
        ("MAX_STATUS_TEXT_BYTES", limits::MAX_STATUS_TEXT_BYTES.to_string()),
        ("MAX_DROPPED_VALUES", limits::MAX_DROPPED_VALUES.to_string()),
        ("MIN_RECORDED_AT_MS", limits::MIN_RECORDED_AT_MS.to_string()),
        ("MAX_RECORDED_AT_MS", limits::MAX_RECORDED_AT_MS.to_string()),
        ("MAX_VALUES", limits::MAX_VALUES.to_string()),
        ("MAX_SEQUENCE", limits::MAX_SEQUENCE.to_string()),
        ("NO_TIME_MS", limits::NO_TIME_MS.to_string()),
    ];
    let mut table = "| limit | value | meaning |\n|---|---|---|\n".to_string();
    let mut comment = String::new();
    for line in include_str!("../src/limits.rs").lines() {
        if let Some(words) = line.strip_prefix("/// ") {
            comment.push_str(words);
            comment.push(' ');
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let name = constant.split(':').next().expect("a name");
            let (_, value) = values
                .iter()
                .find(|(known, _)| *known == name)
                .unwrap_or_else(|| panic!("limits.rs has {name}; add it to this test"));
            writeln!(table, "| `{name}` | {} | {} |", with_commas(value), comment.trim()).expect("writing to a text");
            comment.clear();
        } else {
            comment.clear();
        }
    }
    table
}

/// `-1234567` as `-1,234,567`.
fn with_commas(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{sign}{}", groups.join(","))
}

fn signals_table() -> String {
    let mut table = "| number | name | unit | step | valid | source | column | machines | meaning |\n".to_string();
    table.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for signal in catalogue::all() {
        let step = match (signal.resolution.numerator, signal.resolution.denominator) {
            (numerator, 1) => with_commas(&numerator.to_string()),
            (numerator, denominator) => format!("{numerator}/{}", with_commas(&denominator.to_string())),
        };
        let source = match signal.source {
            Source::Spn(spn) => format!("SPN {spn}"),
            Source::Ddi(ddi) => format!("DDI {ddi}"),
            Source::Project => "project".into(),
        };
        let column = match signal.column {
            StoreColumn::Wide(_) => "wide",
            StoreColumn::Narrow => "narrow",
        };
        let machines = match signal.kinds {
            MachineKinds::ANY => "all".into(),
            MachineKinds::VEHICLE => "vehicles".into(),
            kinds => kinds.names().collect::<Vec<_>>().join(", "),
        };
        writeln!(
            table,
            "| {} | `{}` | {} | {step} | {} to {} | {source} | {column} | {machines} | {} |",
            signal.id.number(),
            signal.name,
            signal.unit,
            signal.valid.0,
            signal.valid.1,
            signal.meaning
        )
        .expect("writing to a text");
    }
    table
}

/// What section 17 describes.
fn worked_example() -> Frame {
    let mut samples: Vec<_> = (0..3).map(|second| Sample::at(common::MORNING_MS + second * 1000)).collect();
    for (sample, (speed, ambient)) in samples.iter_mut().zip([(7.0, -0.5), (7.125, -0.53125), (7.25, -0.5)]) {
        sample.set(catalogue::GROUND_SPEED_KMH, speed);
        sample.set(catalogue::AMBIENT_TEMP_C, ambient);
    }
    samples[0].set(catalogue::COOLANT_TEMP_C, 88.0);
    samples[2].set(catalogue::COOLANT_TEMP_C, 87.0);
    let header = Header {
        machine: MachineSerial::parse("A1").expect("a good serial"),
        boot: BootId::new(7).expect("a small number"),
        first_sequence: 300,
        count: 3,
        age_ms: 120,
    };
    Frame { header, body: Body::Telemetry(columns_of(&samples)) }
}

#[test]
fn the_bytes_of_the_worked_example_are_those_of_its_frame() {
    let text = document();
    let section = between(&text, "<!-- begin worked example -->", "<!-- end worked example -->");
    let digits: String = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let bytes = encode(&worked_example(), Compression::None);
    assert_eq!(hex(&common::read_hex(&digits)), hex(&bytes));
    assert!(text.contains(&format!("Not compressed, {} bytes:", bytes.len())), "{} bytes", bytes.len());
}

#[test]
fn the_numbers_of_section_four_are_written_so() {
    let text = document();
    let section = between(&text, "| number | kind | bytes |", "A **byte**");
    let mut checked = 0;
    for line in section.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, number, kind @ ("signed" | "unsigned"), bytes, _] = cells.as_slice() else { continue };
        let number = number.replace(',', "");
        let expected = common::read_hex(bytes.trim_matches('`'));
        let standard = bincode::config::standard();
        let found = match (*kind, number.as_str()) {
            ("unsigned", "2^32") => bincode::encode_to_vec(1u64 << 32, standard),
            ("unsigned", number) => bincode::encode_to_vec(number.parse::<u64>().expect("a number"), standard),
            (_, number) => bincode::encode_to_vec(number.parse::<i64>().expect("a number"), standard),
        };
        assert_eq!(hex(&found.expect("writing to a vector")), hex(&expected), "{line}");
        checked += 1;
    }
    assert_eq!(checked, 13);
}

#[test]
fn the_json_examples_are_read_without_loss() {
    for text in blocks("json frame") {
        let decoded = decode(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(decoded.dropped.is_empty(), "{:?}\n{text}", decoded.dropped);
    }
    for text in blocks("json status") {
        assert!(Status::decode(text.as_bytes()).is_ok_and(|status| status.encode() == text.as_bytes()), "{text}");
    }
    for text in blocks("json request") {
        assert!(Request::decode(text.as_bytes()).is_ok_and(|request| request.encode() == text.as_bytes()), "{text}");
    }
    for text in blocks("json answer") {
        assert!(Answer::decode(text.as_bytes()).is_ok_and(|answer| answer.encode() == text.as_bytes()), "{text}");
    }
    for text in blocks("json stored") {
        let stored = Stored::decode(text.as_bytes()).expect("an example");
        assert_eq!(String::from_utf8_lossy(&stored.encode(Encoding::Json)), text);
        let binary = format!("The same in binary: `{}`.", hex(&stored.encode(Encoding::Binary)));
        assert!(document().contains(&binary), "{binary}");
    }
}

#[test]
fn every_reason_of_a_refusal_is_told() {
    let header = worked_example().header;
    for error in [
        DecodeError::Empty,
        DecodeError::TooLong { length: 0 },
        DecodeError::Magic { first: Vec::new() },
        DecodeError::Version(0),
        DecodeError::UnknownKind(0),
        DecodeError::Flags { flags: 0, reserved: [0; 3] },
        DecodeError::Checksum { found: 0, computed: 0 },
        DecodeError::Header(String::new()),
        DecodeError::Identity(wire::IdentityError::Empty),
        DecodeError::Body { header: Box::new(header), reason: String::new() },
        DecodeError::Json(String::new()),
    ] {
        assert!(document().contains(&format!("`{}`", error.code())), "section 15 does not tell of {}", error.code());
    }
}

#[test]
fn the_checksum_is_the_one_that_section_three_names() {
    assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
    assert!(document().contains("`0xE3069283`"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
