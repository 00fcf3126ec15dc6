//! The C encoder of `docs/wire-format.md`, compiled and run against this crate's decoder.

mod common;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use common::MORNING_MS;
use wire::{Body, Compression, Frame, Sample, SignalId, catalogue, columns_of, decode, encode};

/// The encoder as the document prints it.
fn encoder() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wire-format.md"))
        .expect("docs/wire-format.md is readable");
    let (_, rest) = text.split_once("\n```c\n").expect("the document has a block of C");
    rest.split_once("\n```").expect("the block ends").0.to_string()
}

/// A program that writes `frame` with the encoder and prints it as hexadecimal digits.
fn program(frame: &Frame) -> String {
    let Body::Telemetry(columns) = &frame.body else { panic!("the encoder writes telemetry") };
    let numbers = |numbers: &[i64]| {
        // C has no literal for the smallest number.
        numbers
            .iter()
            .map(|n| if *n == i64::MIN { "INT64_MIN".into() } else { format!("INT64_C({n})") })
            .collect::<Vec<String>>()
            .join(", ")
    };
    let mut text = encoder() + "\n#include <stdio.h>\n\n";
    writeln!(text, "static const int64_t times[] = {{{}}};", numbers(&columns.recorded_at_ms))
        .expect("writing to a text");
    for (index, column) in columns.columns.iter().enumerate() {
        writeln!(text, "static const int64_t values{index}[] = {{{}}};", numbers(&column.values))
            .expect("writing to a text");
    }
    let list: Vec<_> = columns
        .columns
        .iter()
        .enumerate()
        .map(|(index, c)| format!("{{{}, values{index}}}", c.signal.number()))
        .collect();
    let header = &frame.header;
    writeln!(
        text,
        "static const struct column columns[] = {{{}}};\n\nint main(void)\n{{\n    static uint8_t bytes[65536];\n    \
         size_t count = polevod_telemetry(bytes, sizeof bytes, \"{}\", UINT64_C({}), UINT64_C({}), {}, UINT64_C({}), times, columns, {});\n    \
         for (size_t i = 0; i < count; i++)\n        printf(\"%02x\", bytes[i]);\n    \
         return polevod_telemetry(bytes, count - 1, \"{}\", UINT64_C({}), UINT64_C({}), {}, UINT64_C({}), times, columns, {}) == 0 ? 0 : 1;\n}}",
        list.join(", "),
        header.machine, header.boot, header.first_sequence, header.count, header.age_ms, columns.columns.len(),
        header.machine, header.boot, header.first_sequence, header.count, header.age_ms, columns.columns.len(),
    )
    .expect("writing to a text");
    text
}

/// Compiles and runs a program; none when there is no C compiler.
fn run(name: &str, program: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&source, program).expect("the folder of the tests is writable");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(&compiler)
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wconversion",
            "-Wno-sign-conversion",
            "-Werror",
            "-pedantic",
            "-O1",
            "-o",
        ])
        .arg(&binary)
        .arg(&source)
        .output();
    let Ok(compiled) = compiled else {
        test_support::skip(format_args!("there is no C compiler called {compiler}; set CC to one"));
        return None;
    };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&binary).output().expect("the program was compiled");
    assert!(ran.status.success(), "a frame that does not fit gives 0");
    Some(String::from_utf8(ran.stdout).expect("hexadecimal digits"))
}

fn check(name: &str, samples: &[Sample]) {
    let frame = Frame { header: common::header(samples.len()), body: Body::Telemetry(columns_of(samples)) };
    let Some(digits) = run(name, &program(&frame)) else { return };
    let bytes = common::read_hex(&digits);
    assert_eq!(decode(&bytes).map(|decoded| decoded.frame), Ok(frame.clone()));
    assert_eq!(bytes, encode(&frame, Compression::None), "the two encoders write the same bytes");
}

#[test]
fn the_c_encoder_writes_a_minute_of_a_tractor() {
    let samples: Vec<_> = (0..60i64)
        .map(|second| {
            let mut sample = Sample::at(MORNING_MS + second * 1000 + second % 3);
            sample.set(catalogue::LATITUDE_DEG, 56.259_123_4 + second as f64 * 1.1e-5);
            sample.set(catalogue::LONGITUDE_DEG, 83.971_456_7 - second as f64 * 2.3e-5);
            sample.set(catalogue::ENGINE_SPEED_RPM, 1850.0 + (second * 37 % 11) as f64 / 8.0);
            sample.set(catalogue::AMBIENT_TEMP_C, -0.5 - second as f64 / 32.0);
            sample
        })
        .collect();
    check("minute", &samples);
}

#[test]
fn the_c_encoder_writes_one_sample_and_the_ends_of_the_number_range() {
    let signal = SignalId::raw_spn(520_192).expect("19 bits");
    let at = |recorded_at_ms, value| Sample { recorded_at_ms, values: vec![(signal, value)] };
    check("one", &[at(MORNING_MS, 250)]);
    check("ends", &[at(i64::MAX, i64::MIN), at(i64::MIN, i64::MAX), at(0, 0), at(-1, -1), at(i64::MIN, i64::MIN)]);
}
