//! Binary fault reports and tasks that lie, by name.

mod common;

use common::{outcome, plain_header, sealed, signed, unsigned};
use wire::limits::{MAX_FAULTS_PER_REPORT, MAX_TEXT_BYTES, MAX_TOTALS};

const FAULTS: u8 = 2;
const TASK: u8 = 3;

/// Decodes a frame of `records` records whose body is put together from `parts`, and expects why it is refused.
fn check(kind: u8, records: usize, parts: &[Vec<u8>], reason: &str) {
    let found = outcome(&sealed(kind, 0, &[plain_header(records), parts.concat()].concat()));
    assert_eq!(found, format!("body: frame body is malformed: {reason}, accounted to a 7/0..{records}\n"));
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
