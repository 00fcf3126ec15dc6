//! JSON frames that lie or err, by name. One bad value is left out; a frame that cannot be read as a whole is
//! refused, with its records accounted for where its header can be read.

mod common;

use common::{json_frame as with, json_report as report, outcome};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use wire::limits::{MAX_COLUMNS, MAX_FRAME_BYTES, MAX_RECORDS, MAX_SEQUENCE, NO_TIME_MS};
use wire::{Body, decode};

/// Decodes a frame with these samples.
fn check(samples: &str, expected: Expect) {
    check_frame(&with("samples", samples), expected);
}

fn check_frame(text: &str, expected: Expect) {
    expected.assert_eq(&outcome(text.as_bytes()));
}

#[test]
fn nested_values_are_left_out_however_deep_they_go() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for nested in [deep.as_str(), &deep_objects, "[]", "{}", "[[1],{\"a\":[2]}]"] {
        let found = outcome(with("samples", &format!("{{\"hdop\":{nested}}},{{\"hdop\":1}}")).as_bytes());
        assert!(found.ends_with("dropped 1 not_a_number: hdop = a list or an object in sample 0 is not a number that fits; write a number or leave it out\n"), "{found}");
    }
}

#[test]
fn nesting_where_a_frame_should_be_is_refused() {
    let deep = format!("{{\"version\":{}", "[".repeat(30_000));
    let found = outcome(deep.as_bytes());
    assert!(found.starts_with("json: json frame is malformed"), "{found}");
}

#[test]
fn numbers_beyond_a_double_refuse_the_frame_and_its_records_are_accounted_for() {
    check(
        r#"{"hdop":1e400},{"hdop":1}"#,
        expect![[r#"
        body: frame body is malformed: number out of range at line 1 column 79, accounted to a 7/0..2
    "#]],
    );
    check(
        r#"{"hdop":-1e400}"#,
        expect![[r#"
        body: frame body is malformed: number out of range at line 1 column 80, accounted to a 7/0..1
    "#]],
    );
}

#[test]
fn numbers_that_do_not_fit_are_left_out() {
    check(
        r#"{"hdop":1e300,"engine_speed_rpm":123456789012345678901234567890,"fuel_rate_lph":-99999999999999999999}"#,
        expect![[r#"
            Json Telemetry of a, boot 7, sequences 0..1, age 0 ms
            columns: 
            0 -9223372036854775808 ms:
            dropped 1 not_a_number: hdop = 1e300 in sample 0 is not a number that fits; write a number or leave it out
            dropped 1 not_a_number: engine_speed_rpm = 1.2345678901234568e29 in sample 0 is not a number that fits; write a number or leave it out
            dropped 1 not_a_number: fuel_rate_lph = -1e20 in sample 0 is not a number that fits; write a number or leave it out
        "#]],
    );
    check(
        r#"{"spn_1":9223372036854775807,"spn_2":1e18,"hdop":1e-400}"#,
        expect![[r#"
            Json Telemetry of a, boot 7, sequences 0..1, age 0 ms
            columns: hdop, spn_2
            0 -9223372036854775808 ms: hdop 0 (0) spn_2 1000000000000000000 (1000000000000000000)
            dropped 1 not_a_number: spn_1 = 9.223372036854776e18 in sample 0 is not a number that fits; write a number or leave it out
        "#]],
    );
}

#[test]
fn what_is_no_json_number_refuses_the_frame() {
    for number in ["NaN", "Infinity", "-", "+1", "01", "1.", ".5", "0x10", "1_000", "1e", "--1"] {
        let found = outcome(with("samples", &format!("{{\"hdop\":{number}}}")).as_bytes());
        assert!(found.starts_with("json: json frame is malformed"), "{number}: {found}");
    }
}

#[test]
fn of_duplicate_keys_in_a_sample_the_last_number_counts() {
    check(
        r#"{"hdop":1,"hdop":2,"hdop":null,"hdop":"x"},{"hdop":3}"#,
        expect![[r#"
        Json Telemetry of a, boot 7, sequences 0..2, age 0 ms
        columns: hdop
        0 -9223372036854775808 ms: hdop 20 (2)
        1 -9223372036854775808 ms: hdop 30 (3)
        dropped 1 not_a_number: hdop = "x" in sample 0 is not a number that fits; write a number or leave it out
    "#]],
    );
    check(
        r#"{"recorded_at":"2026-08-20T05:12:07Z","recorded_at_ms":1000}"#,
        expect![[r#"
        Json Telemetry of a, boot 7, sequences 0..1, age 0 ms
        columns: 
        0 1970-01-01T00:00:01.000Z:
    "#]],
    );
}

#[test]
fn duplicate_keys_of_the_frame_refuse_it() {
    check_frame(
        r#"{"version":1,"machine":"a","machine":"b","boot":7,"first_sequence":0,"samples":[{}]}"#,
        expect![[r#"
            json: json frame is malformed: duplicate field `machine` at line 1 column 36
        "#]],
    );
    check_frame(
        r#"{"version":1,"machine":"a","boot":7,"first_sequence":0,"samples":[{}],"samples":[{},{}]}"#,
        expect![[r#"
            json: json frame is malformed: duplicate field `samples` at line 1 column 79
        "#]],
    );
}

#[test]
fn a_frame_has_exactly_one_list_of_records() {
    let head = r#"{"version":1,"machine":"a","boot":7,"first_sequence":0"#;
    check_frame(
        &format!("{head}}}"),
        expect![[r#"
        json: json frame is malformed: exactly one of samples, faults and tasks is needed
    "#]],
    );
    check_frame(
        &format!("{head},\"samples\":[]}}"),
        expect![[r#"
        json: json frame is malformed: count = 0 is outside 1..=4096; split the run
    "#]],
    );
    check_frame(
        &format!("{head},\"samples\":[{{}}],\"faults\":[]}}"),
        expect![[r#"
        body: frame body is malformed: exactly one of samples, faults and tasks is needed, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &format!("{head},\"samples\":[{{}}],\"tasks\":[{{}}]}}"),
        expect![[r#"
        json: json frame is malformed: missing field `event` at line 1 column 81
    "#]],
    );
    check_frame(
        &format!("{head},\"samples\":{{}}}}"),
        expect![[r#"
        json: json frame is malformed: invalid type: map, expected a list of samples at line 1 column 65
    "#]],
    );
    check_frame(
        &format!("{head},\"samples\":[7]}}"),
        expect![[r#"
        body: frame body is malformed: invalid type: integer `7`, expected a sample: an object of named values at line 1 column 67, accounted to a 7/0..1
    "#]],
    );
}

#[test]
fn header_keys_are_checked_by_name() {
    let good = with("samples", "{}");
    check_frame(
        &good.replace("\"version\":1", "\"version\":2"),
        expect![[r#"
        version: frame version = 2; this service reads version 1
    "#]],
    );
    check_frame(
        &good.replace("\"version\":1,", ""),
        expect![[r#"
        json: json frame is malformed: missing field `version` at line 1 column 58
    "#]],
    );
    check_frame(
        &good.replace("\"machine\":\"a\"", "\"machine\":\"a/b\""),
        expect![[r#"
        json: json frame is malformed: machine serial has the character '/'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed at line 1 column 28
    "#]],
    );
    check_frame(
        &good.replace("\"machine\":\"a\"", &format!("\"machine\":\"{}\"", "a".repeat(65))),
        expect![[r#"
        json: json frame is malformed: machine serial has 65 bytes; at most 64 are allowed at line 1 column 90
    "#]],
    );
    check_frame(
        &good.replace("\"machine\":\"a\"", "\"machine\":\"a\\u0000\""),
        expect![[r#"
        json: json frame is malformed: machine serial has the character '\0'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed at line 1 column 32
    "#]],
    );
    check_frame(
        &good.replace("\"boot\":7", "\"boot\":9223372036854775808"),
        expect![[r#"
        json: json frame is malformed: boot = 9223372036854775808 does not fit 63 bits; use a number below 9223372036854775808 at line 1 column 53
    "#]],
    );
    check_frame(
        &good.replace("\"boot\":7", "\"boot\":-1"),
        expect![[r#"
        json: json frame is malformed: invalid value: integer `-1`, expected u64 at line 1 column 36
    "#]],
    );
    check_frame(
        &good.replace("\"boot\":7", "\"boot\":7,\"age\":5"),
        expect![[r#"
        body: frame body is malformed: unknown field `age`, expected one of `version`, `machine`, `boot`, `first_sequence`, `age_ms`, `samples`, `faults`, `tasks` at line 1 column 41, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &good.replace("\"first_sequence\":0", &format!("\"first_sequence\":{MAX_SEQUENCE}")),
        expect![[r#"
        json: json frame is malformed: first_sequence = 4611686018427387904 is above 4611686018427387903; start a new boot
    "#]],
    );
}

#[test]
fn a_text_that_is_cut_off_repeated_or_not_utf_8_is_refused() {
    let good = with("samples", r#"{"recorded_at":"2026-08-20T05:12:07Z","hdop":0.8}"#);
    for length in 0..good.len() {
        assert!(decode(&good.as_bytes()[..length]).is_err(), "cut to {length} bytes");
    }
    for bad in
        [good.repeat(2).into_bytes(), [b"\xef\xbb\xbf", good.as_bytes()].concat(), [good.as_bytes(), b"\0"].concat()]
    {
        assert!(decode(&bad).is_err());
    }
    let mut bytes = good.into_bytes();
    let at = bytes.windows(4).position(|window| window == b"hdop").expect("the key is there");
    bytes[at] = 0xff;
    let found = outcome(&bytes);
    assert!(found.contains("invalid unicode code point"), "{found}");
}

#[test]
fn too_many_keys_samples_and_bytes_are_refused() {
    let keys: Vec<_> = (0..=MAX_COLUMNS).map(|i| format!("\"k{i}\":1")).collect();
    check(
        &format!("{{{}}}", keys.join(",")),
        expect![[r#"
        body: frame body is malformed: more than 512 different keys in one frame at line 1 column 4571, accounted to a 7/0..1
    "#]],
    );
    let samples = vec!["{}"; MAX_RECORDS + 1].join(",");
    check(
        &samples,
        expect![[r#"
        json: json frame is malformed: more than 4096 samples or 131072 values; split the run at line 1 column 12357
    "#]],
    );
    let long = with("samples", &format!("{{\"hdop\":1{}}}", " ".repeat(MAX_FRAME_BYTES)));
    assert!(outcome(long.as_bytes()).starts_with("too_long:"));
    let most = vec!["{}"; MAX_RECORDS].join(",");
    assert!(decode(with("samples", &most).as_bytes()).is_ok(), "all that the limits allow is read");
}

#[test]
fn a_key_that_is_always_wrong_is_told_once_with_its_count() {
    let samples = vec![r#"{"engine_speed":900}"#; 300].join(",");
    let decoded = decode(with("samples", &samples).as_bytes()).expect("unknown keys do not refuse a frame");
    assert_eq!(decoded.dropped.len(), 1);
    assert_eq!(decoded.dropped[0].values, 300);
}

#[test]
fn what_is_no_time_leaves_the_record_without_one() {
    for value in ["\"yesterday\"", "\"\"", "\"2026-02-30T00:00:00Z\"", "\"2026-08-20T05:12:07\"", "null", "17", "[]"] {
        let sample = format!("{{\"recorded_at\":{value},\"hdop\":1}}");
        for frame in [with("samples", &sample), report("recorded_at", value)] {
            let decoded = decode(frame.as_bytes()).unwrap_or_else(|error| panic!("{value}: {error}"));
            let time = match decoded.frame.body {
                Body::Telemetry(columns) => columns.recorded_at_ms[0],
                Body::Faults(reports) => reports[0].recorded_at_ms,
                Body::Task(tasks) => tasks[0].recorded_at_ms,
            };
            assert_eq!(time, NO_TIME_MS, "{value}");
        }
    }
}

#[test]
fn times_beyond_every_calendar_saturate_and_are_left_to_validation() {
    check(
        r#"{"recorded_at_ms":1e300},{"recorded_at_ms":-1e300},{"recorded_at_ms":1.9}"#,
        expect![[r#"
        Json Telemetry of a, boot 7, sequences 0..3, age 0 ms
        columns: 
        0 9223372036854775807 ms:
        1 -9223372036854775808 ms:
        2 1970-01-01T00:00:00.001Z:
    "#]],
    );
}

proptest! {
    #[test]
    fn a_changed_text_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[ -~]|[{}\\[\\]\",:0-9.eE-]|\\PC"), 1..8),
    ) {
        let mut text = with("samples", r#"{"recorded_at":"2026-08-20T05:12:07Z","hdop":0.8,"park_brake":true},{"hdop":-1.5e1}"#);
        for (at, new) in changes {
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &new);
            }
        }
        if let Ok(decoded) = decode(text.as_bytes()) {
            prop_assert_eq!(decoded.frame.body.len(), decoded.frame.header.count as usize);
        }
    }
}
