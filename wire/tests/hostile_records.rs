//! Fault reports and tasks that lie, by name, in either form.

mod common;

use common::{json_frame as with, json_report as report, outcome, plain_header, sealed, signed, unsigned};
use expect_test::{Expect, expect};
use wire::limits::{MAX_FAULTS_PER_REPORT, MAX_TEXT_BYTES, MAX_TOTALS};

const FAULTS: u8 = 2;
const TASK: u8 = 3;

/// Decodes a frame of `records` records whose body is put together from `parts`, and expects why it is refused.
fn check(kind: u8, records: usize, parts: &[Vec<u8>], reason: &str) {
    let found = outcome(&sealed(kind, 0, &[plain_header(records), parts.concat()].concat()));
    assert_eq!(found, format!("body: frame body is malformed: {reason}, accounted to a 7/0..{records}\n"));
}

fn check_frame(text: &str, expected: Expect) {
    expected.assert_eq(&outcome(text.as_bytes()));
}

/// A report without faults.
fn empty_report() -> Vec<u8> {
    [unsigned(1), signed(0), vec![0, 0, 0, 0, 0]].concat()
}

#[test]
fn an_evil_length_is_refused_before_memory_is_taken() {
    let refused = "a length in it is beyond every limit; split the run";
    for length in [unsigned(u64::MAX), unsigned(1 << 40)] {
        check(FAULTS, 1, std::slice::from_ref(&length), refused);
        check(FAULTS, 1, &[unsigned(1), signed(0), vec![0, 0, 0, 0], length.clone()], refused);
        check(TASK, 1, &[unsigned(1), signed(0), vec![0], length.clone()], refused);
        check(TASK, 1, &[unsigned(1), signed(0), vec![0, 0, 0, 0, 0, 0, 0], length.clone()], refused);
    }
}

#[test]
fn trailing_bytes_are_refused() {
    check(FAULTS, 1, &[empty_report(), vec![1, 2, 3]], "3 bytes follow its end");
}

#[test]
fn a_wrong_count_is_refused() {
    check(FAULTS, 2, &[empty_report()], "it has 1 records, the header says 2");
    check(TASK, 1, &[unsigned(0)], "it has 0 records, the header says 1");
}

#[test]
fn texts_of_a_task_are_bounded_utf_8_without_nul() {
    let task =
        |text: &[u8]| vec![unsigned(1), signed(0), vec![0], unsigned(text.len() as u64), text.to_vec(), vec![0; 6]];
    check(TASK, 1, &task(b"a\0b"), "task has a NUL character; leave it out");
    check(TASK, 1, &task(&[b'a'; MAX_TEXT_BYTES + 1]), "task has 129 bytes; at most 128 are allowed, so shorten it");
    check(TASK, 1, &task(b"\xff\xfe"), "a text is not UTF-8 (invalid utf-8 sequence of 1 bytes from index 0)");
}

#[test]
fn too_many_totals_are_refused() {
    let totals: Vec<_> =
        (0..MAX_TOTALS as u64 + 1).flat_map(|i| [unsigned(0x1_0000 + i), signed(1)].concat()).collect();
    let count = unsigned(MAX_TOTALS as u64 + 1);
    check(
        TASK,
        1,
        &[unsigned(1), signed(0), vec![0; 7], count, totals],
        "a task has 257 totals; at most 256 are allowed",
    );
}

#[test]
fn trouble_codes_beyond_their_bits_are_refused() {
    let report =
        |codes: &[u8], count: usize| vec![unsigned(1), signed(0), vec![0; 4], unsigned(count as u64), codes.to_vec()];
    let code = |spn: u64, fmi: u8, count: u8, legacy: u8| [unsigned(spn), vec![fmi, count, legacy]].concat();
    check(
        FAULTS,
        1,
        &report(&code(1 << 19, 0, 0, 0), 1),
        "spn = 524288, fmi = 0, occurrence_count = 0; they have 19, 5 and 7 bits",
    );
    check(
        FAULTS,
        1,
        &report(&code(1, 32, 0, 0), 1),
        "spn = 1, fmi = 32, occurrence_count = 0; they have 19, 5 and 7 bits",
    );
    check(
        FAULTS,
        1,
        &report(&code(1, 0, 128, 0), 1),
        "spn = 1, fmi = 0, occurrence_count = 128; they have 19, 5 and 7 bits",
    );
    check(FAULTS, 1, &report(&code(1, 0, 0, 2), 1), "2 is no switch; write 0 or 1");
    let many = code(1, 0, 0, 0).repeat(MAX_FAULTS_PER_REPORT + 1);
    check(FAULTS, 1, &report(&many, MAX_FAULTS_PER_REPORT + 1), "a report has 447 faults; at most 446 fit");
    check(FAULTS, 1, &[unsigned(1), signed(0), vec![2, 0, 0, 0, 0]], "2 names no variant of an enumeration");
    check(TASK, 1, &[unsigned(1), signed(0), vec![4, 0, 0, 0, 0, 0, 0, 0]], "4 names no variant of an enumeration");
}

#[test]
fn json_reports_are_checked_by_name() {
    check_frame(
        &report("report", "\"maybe\""),
        expect![[r#"
        body: frame body is malformed: unknown variant `maybe`, expected `active` or `previously_active` at line 1 column 145, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &report("source_address", "256"),
        expect![[r#"
        body: frame body is malformed: invalid value: integer `256`, expected u8 at line 1 column 148, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &report("faults", r#"[{"spn":524288,"fmi":0,"occurrence_count":0}]"#),
        expect![[r#"
        body: frame body is malformed: spn = 524288, fmi = 0, occurrence_count = 0; they have 19, 5 and 7 bits, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &report("faults", r#"[{"spn":1,"fmi":0,"occurrence_count":0,"extra":1}]"#),
        expect![[r#"
        body: frame body is malformed: unknown field `extra`, expected one of `spn`, `fmi`, `occurrence_count`, `legacy_conversion` at line 1 column 190, accounted to a 7/0..1
    "#]],
    );
    let code = r#"{"spn":1,"fmi":0,"occurrence_count":0}"#;
    check_frame(
        &report("faults", &format!("[{}]", vec![code; MAX_FAULTS_PER_REPORT + 1].join(","))),
        expect![[r#"
        body: frame body is malformed: a report has 447 faults; at most 446 fit, accounted to a 7/0..1
    "#]],
    );
}

#[test]
fn json_tasks_are_checked_by_name() {
    let task = |rest: &str| {
        with("tasks", &format!(r#"{{"recorded_at":"2026-08-20T05:12:07Z","event":"started","task":"T"{rest}}}"#))
    };
    check_frame(
        &task(""),
        expect![[r#"
        Json Task of a, boot 7, sequences 0..1, age 0 ms
        0 2026-08-20T05:12:07.000Z: Started "T", field "", operator "", implement "", operation "", crop "", totals []
    "#]],
    );
    check_frame(
        &task(r#","field":"a\u0000b""#),
        expect![[r#"
        body: frame body is malformed: field has a NUL character; leave it out, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &task(&format!(r#","crop":"{}""#, "п".repeat(65))),
        expect![[r#"
        body: frame body is malformed: crop has 130 bytes; at most 128 are allowed, so shorten it, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &task(r#","totals":{"total_area":1}"#),
        expect![[r#"
        body: frame body is malformed: total "total_area" is no signal of the catalogue at line 1 column 157, accounted to a 7/0..1
    "#]],
    );
    check_frame(
        &task(r#","totals":{"total_area_m2":1e300}"#),
        expect![[r#"
            body: frame body is malformed: total total_area_m2 = 1e300 does not fit at line 1 column 164, accounted to a 7/0..1
        "#]],
    );
    check_frame(
        &task(r#","totals":{"ddi_E100":1,"ddi_e100":2,"total_area_m2":3}"#),
        expect![[r#"
        Json Task of a, boot 7, sequences 0..1, age 0 ms
        0 2026-08-20T05:12:07.000Z: Started "T", field "", operator "", implement "", operation "", crop "", totals [(206, 3), (123136, 2)]
    "#]],
    );
}
