//! Binary frames that lie, by name: each is refused with one clear error, or read without harm.
//!
//! Memory is bounded by what is refused: no length in a frame is believed before the bytes for it are there
//! (quick reader) or it fits `DECODE_MEMORY_BYTES` (bincode), and a body never unpacks beyond `MAX_BODY_BYTES`.

mod common;

use common::{MORNING_MS, outcome, plain_header, reseal, sealed, signed, telemetry, unsigned};
use expect_test::expect;
use proptest::prelude::*;
use wire::limits::{MAX_BODY_BYTES, MAX_COLUMNS, MAX_FRAME_BYTES, MAX_RECORDS, MAX_SEQUENCE, MAX_VALUES};
use wire::{Body, Compression, Sample, catalogue, decode, encode};

const TELEMETRY: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// Decodes a frame of `records` records whose body is put together from `parts`, and expects why it is refused.
fn check(records: usize, parts: &[Vec<u8>], reason: &str) {
    let found = outcome(&sealed(TELEMETRY, PLAIN, &[plain_header(records), parts.concat()].concat()));
    assert_eq!(found, format!("body: frame body is malformed: {reason}, accounted to a 7/0..{records}\n"));
}

fn check_header(header: &[Vec<u8>], expected: &str) {
    assert_eq!(outcome(&sealed(TELEMETRY, PLAIN, &[header.concat(), one_time()].concat())), format!("{expected}\n"));
}

fn check_zstd(records: usize, body: &[u8], reason: &str) {
    let packed = zstd::bulk::compress(body, 19).expect("compressing works");
    let frame = sealed(TELEMETRY, ZSTD, &[plain_header(records), packed].concat());
    assert!(frame.len() <= MAX_FRAME_BYTES, "the bomb has {} bytes and is refused for its size alone", frame.len());
    let found = outcome(&frame);
    assert_eq!(found, format!("body: frame body is malformed: {reason}, accounted to a 7/0..{records}\n"));
}

/// A body of one sample without values.
fn one_time() -> Vec<u8> {
    [unsigned(1), signed(MORNING_MS), unsigned(0)].concat()
}

/// `count` equal numbers.
fn times(count: usize) -> Vec<u8> {
    [unsigned(count as u64), vec![0; count]].concat()
}

/// A column in which every one of `records` samples has the value 0.
fn whole_column(signal: u64, records: usize) -> Vec<u8> {
    [unsigned(signal), unsigned(0), times(records)].concat()
}

#[test]
fn an_evil_length_is_refused_before_memory_is_taken() {
    let evil = unsigned(u64::MAX);
    let large = unsigned(1 << 40);
    let refused = "a length in it is beyond every limit; split the run";
    for length in [evil, large] {
        check(1, std::slice::from_ref(&length), refused);
        check(1, &[times(1), length.clone()], refused);
        check(1, &[times(1), unsigned(1), unsigned(40), length.clone()], refused);
        check(1, &[times(1), unsigned(1), unsigned(40), unsigned(0), length.clone()], refused);
    }
}

#[test]
fn a_length_beyond_the_end_is_refused() {
    check(4_000, &[unsigned(4_000), vec![0; 10]], "it ends 1 or more bytes too early");
}

#[test]
fn a_zstd_bomb_is_refused() {
    let refused = "it is no zstd frame, or unpacks to more than 1048576 bytes; split the run";
    check_zstd(1, &vec![0; 100 << 20], refused);
    check_zstd(1, &vec![0; MAX_BODY_BYTES + 1], refused);
    check_zstd(1, &[times(1), vec![0; MAX_BODY_BYTES - 2]].concat(), "1048573 bytes follow its end");
}

#[test]
fn a_bomb_of_many_zstd_frames_is_refused() {
    let packed = zstd::bulk::compress(&vec![0; 1 << 20], 19).expect("compressing works").repeat(200);
    let found = outcome(&sealed(TELEMETRY, ZSTD, &[plain_header(1), packed].concat()));
    assert!(found.contains("it is no zstd frame, or unpacks to more than 1048576 bytes"), "{found}");
}

#[test]
fn bytes_that_are_no_zstd_frame_are_refused() {
    for body in [&b""[..], b"\x28\xb5\x2f\xfd", b"PV\x01\x01", &[0xff; 100]] {
        let found = outcome(&sealed(TELEMETRY, ZSTD, &[&plain_header(1), body].concat()));
        assert!(found.starts_with("body: frame body is malformed"), "{found}");
    }
}

#[test]
fn the_decoder_works_on_after_a_bomb() {
    let good = encode(&telemetry(&vec![Sample::at(MORNING_MS); 100]), Compression::Zstd);
    check_zstd(1, &vec![0; 10 << 20], "it is no zstd frame, or unpacks to more than 1048576 bytes; split the run");
    assert!(decode(&good).is_ok());
}

#[test]
fn trailing_bytes_are_refused() {
    check(1, &[one_time(), vec![0]], "1 bytes follow its end");
}

#[test]
fn a_wrong_count_is_refused() {
    check(2, &[one_time()], "it has 1 times, the header says 2");
    check_header(&[plain_header(0)], "header: frame header is malformed: count = 0 is outside 1..=4096; split the run");
    check_header(
        &[plain_header(MAX_RECORDS + 1)],
        "header: frame header is malformed: count = 4097 is outside 1..=4096; split the run",
    );
}

#[test]
fn a_wrong_bitmap_is_refused() {
    let column = |bitmap: &[u8], values: usize| {
        [times(9), unsigned(1), unsigned(40), unsigned(bitmap.len() as u64), bitmap.to_vec(), times(values)].concat()
    };
    let does_not_fit = "the presence bitmap of column 40 does not fit 9 records";
    check(9, &[column(&[0xff], 8)], does_not_fit);
    check(9, &[column(&[0xff, 0x01, 0x00], 9)], does_not_fit);
    check(9, &[column(&[0xff, 0x02], 9)], does_not_fit);
    check(9, &[column(&[0xff, 0x81], 9)], does_not_fit);
    check(9, &[column(&[0xff, 0x00], 9)], "column 40 has 9 values, its presence bitmap says 8");
    check(9, &[column(&[], 8)], "column 40 has 8 values, its presence bitmap says 9");
}

#[test]
fn a_duplicate_or_descending_column_is_refused() {
    for second in [40, 39] {
        let found = outcome(&sealed(
            TELEMETRY,
            PLAIN,
            &[plain_header(1), times(1), unsigned(2), whole_column(40, 1), whole_column(second, 1)].concat(),
        ));
        assert_eq!(
            found,
            format!(
                "body: frame body is malformed: column {second} is out of order; signal numbers ascend, accounted to a 7/0..1\n"
            )
        );
    }
}

#[test]
fn too_many_columns_and_values_are_refused() {
    let columns: Vec<_> = (0..MAX_COLUMNS as u64 + 1).map(|i| whole_column(0x1_0000 + i, 1)).collect();
    check(
        1,
        &[times(1), unsigned(columns.len() as u64), columns.concat()],
        "it has 513 columns; at most 512 are allowed",
    );
    let full = MAX_VALUES / MAX_RECORDS;
    let columns = |count: usize| -> Vec<u8> {
        let each = (0..count as u64).map(|i| whole_column(0x1_0000 + i, MAX_RECORDS));
        [times(MAX_RECORDS), unsigned(count as u64), each.collect::<Vec<_>>().concat()].concat()
    };
    check_zstd(MAX_RECORDS, &columns(full + 1), "it has more than 131072 values; split the run");
    let packed = zstd::bulk::compress(&columns(full), 3).expect("compressing works");
    let most = decode(&sealed(TELEMETRY, ZSTD, &[plain_header(MAX_RECORDS), packed].concat()));
    assert!(most.is_ok_and(|decoded| decoded.frame.body.len() == MAX_RECORDS), "all that the limits allow is read");
}

#[test]
fn unknown_columns_count_against_the_limits_too() {
    let columns: Vec<_> = (0..40).map(|i| whole_column(2_000 + i, MAX_RECORDS)).collect();
    check_zstd(
        MAX_RECORDS,
        &[times(MAX_RECORDS), unsigned(40), columns.concat()].concat(),
        "it has more than 131072 values; split the run",
    );
}

#[test]
fn a_thousand_unknown_signals_are_told_in_a_bounded_report() {
    let columns: Vec<_> = (0..500).map(|i| whole_column(2_000 + i, 2)).collect();
    let bytes = sealed(TELEMETRY, PLAIN, &[plain_header(2), times(2), unsigned(500), columns.concat()].concat());
    let decoded = decode(&bytes).expect("unknown signals do not refuse a frame");
    assert_eq!(decoded.dropped.len(), wire::limits::MAX_DROPPED_VALUES);
    assert_eq!(decoded.dropped.iter().map(|dropped| dropped.values).sum::<u64>(), 1_000);
}

#[test]
fn a_sequence_overflow_is_refused() {
    let header = |first: u64, count: u64| vec![vec![1, b'a', 7], unsigned(first), unsigned(count), vec![0]];
    check_header(
        &header(MAX_SEQUENCE, 1),
        "header: frame header is malformed: first_sequence = 4611686018427387904 is above 4611686018427387903; start a new boot",
    );
    check_header(
        &header(u64::MAX, 1),
        "header: frame header is malformed: first_sequence = 18446744073709551615 is above 4611686018427387903; start a new boot",
    );
    let last = sealed(TELEMETRY, PLAIN, &[header(MAX_SEQUENCE - 1, 1).concat(), one_time()].concat());
    let decoded = decode(&last).expect("the last sequence number is a good one");
    assert_eq!(decoded.frame.header.sequences(), MAX_SEQUENCE - 1..MAX_SEQUENCE);
}

#[test]
fn a_boot_beyond_63_bits_is_refused() {
    check_header(
        &[vec![1, b'a'], unsigned(1 << 63), vec![0, 1, 0]],
        "identity: boot = 9223372036854775808 does not fit 63 bits; use a number below 9223372036854775808",
    );
}

#[test]
fn a_serial_that_no_topic_can_carry_is_refused() {
    let header = |serial: &[u8]| vec![unsigned(serial.len() as u64), serial.to_vec(), vec![7, 0, 1, 0]];
    check_header(&header(b""), "identity: machine serial is empty; it needs 1 to 64 characters");
    check_header(&header(&[b'a'; 65]), "identity: machine serial has 65 bytes; at most 64 are allowed");
    check_header(
        &header(&[b'a'; 30_000]),
        "header: frame header is malformed: a length in it is beyond every limit; split the run",
    );
    check_header(
        &header(b"a\0b"),
        "identity: machine serial has the character '\\0'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed",
    );
    check_header(
        &header(b"a/../b"),
        "identity: machine serial has the character '/'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed",
    );
    check_header(
        &header(b"\xc3\x28"),
        "header: frame header is malformed: a text is not UTF-8 (invalid utf-8 sequence of 1 bytes from index 0)",
    );
}

#[test]
fn a_number_of_the_wrong_width_is_refused() {
    // 254 announces 16 bytes, 255 nothing; a 32-bit number has no eight-byte form.
    check_header(
        &[vec![1, b'a', 254]],
        "header: frame header is malformed: a number is wider than its place allows (U128); see the variable-length integers",
    );
    check_header(
        &[vec![1, b'a', 7, 0, 253, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
        "header: frame header is malformed: a number is wider than its place allows (U64); see the variable-length integers",
    );
    check(1, &[vec![1, 255]], "a number is wider than its place allows (Reserved); see the variable-length integers");
}

#[test]
fn extreme_differences_wrap_and_do_not_overflow() {
    let extremes = [u64::MAX, u64::MAX - 1, u64::MAX, 1, u64::MAX - 1].map(unsigned).concat();
    let body = [unsigned(5), extremes.clone(), unsigned(1), unsigned(1), unsigned(0), unsigned(5), extremes].concat();
    expect![[r#"
        Binary Telemetry of a, boot 7, sequences 0..5, age 0 ms
        columns: latitude_deg
        0 -9223372036854775808 ms: latitude_deg -9223372036854775808 (-922337203685.4775)
        1 1969-12-31T23:59:59.999Z: latitude_deg -1 (-0.0000001)
        2 1969-12-31T23:59:59.998Z: latitude_deg 9223372036854775807 (922337203685.4775)
        3 1969-12-31T23:59:59.996Z: latitude_deg 9223372036854775806 (922337203685.4775)
        4 9223372036854775801 ms: latitude_deg -3 (-0.0000003)
    "#]]
    .assert_eq(&outcome(&sealed(TELEMETRY, PLAIN, &[plain_header(5), body].concat())));
}

#[test]
fn an_envelope_of_another_kind_or_version_is_refused() {
    let changed = |at: usize, byte: u8| {
        let mut bytes = sealed(TELEMETRY, PLAIN, &[plain_header(1), one_time()].concat());
        bytes[at] = byte;
        reseal(&mut bytes);
        outcome(&bytes)
    };
    let found: String = [(0, 0), (2, 2), (3, 0), (3, 4), (3, 5), (4, 2), (4, 0xff), (5, 1), (7, 1), (4, ZSTD)]
        .into_iter()
        .map(|(at, byte)| format!("byte {at} = {byte}: {}", changed(at, byte)))
        .collect();
    expect![[r#"
        byte 0 = 0: magic: frame begins with [00, 56, 01, 01]; a binary frame begins with 50 56, a JSON frame with 7b
        byte 2 = 2: version: frame version = 2; this service reads version 1
        byte 3 = 0: kind: frame kind = 0; 1 telemetry, 2 faults and 3 task are known
        byte 3 = 4: kind: frame kind = 4; 1 telemetry, 2 faults and 3 task are known
        byte 3 = 5: kind: frame kind = 5; 1 telemetry, 2 faults and 3 task are known
        byte 4 = 2: flags: frame flags = 0x02, reserved = [00, 00, 00]; version 1 knows flag 0x01 and reserved zeros
        byte 4 = 255: flags: frame flags = 0xff, reserved = [00, 00, 00]; version 1 knows flag 0x01 and reserved zeros
        byte 5 = 1: flags: frame flags = 0x00, reserved = [01, 00, 00]; version 1 knows flag 0x01 and reserved zeros
        byte 7 = 1: flags: frame flags = 0x00, reserved = [00, 00, 01]; version 1 knows flag 0x01 and reserved zeros
        byte 4 = 1: body: frame body is malformed: it is no zstd frame, or unpacks to more than 1048576 bytes; split the run, accounted to a 7/0..1
    "#]]
    .assert_eq(&found);
}

#[test]
fn frames_of_no_or_too_many_bytes_are_refused() {
    assert_eq!(outcome(b""), "empty: frame is empty\n");
    assert_eq!(
        outcome(&vec![b'P'; MAX_FRAME_BYTES + 1]),
        "too_long: frame has 65537 bytes; at most 65536 are allowed, so split the run\n"
    );
    assert_eq!(outcome(b"PV"), "header: frame header is malformed: 2 bytes; the envelope alone has 12\n");
}

/// Frames of every kind, without and with compression.
fn every_kind() -> Vec<Vec<u8>> {
    let mut samples = vec![Sample::at(MORNING_MS); 20];
    for (index, sample) in samples.iter_mut().enumerate() {
        sample.set(catalogue::LATITUDE_DEG, 56.0 + index as f64 / 1e5);
        if index % 3 == 0 {
            sample.set(catalogue::COOLANT_TEMP_C, 88.0);
        }
    }
    let mut frames = vec![telemetry(&samples)];
    for name in ["faults_life", "task_cyrillic_names"] {
        let path = format!("{}/tests/golden/{name}.hex", env!("CARGO_MANIFEST_DIR"));
        let bytes = common::read_hex(&std::fs::read_to_string(path).expect("a captured frame"));
        frames.push(decode(&bytes).expect("a good frame").frame);
    }
    frames.iter().flat_map(|frame| [encode(frame, Compression::None), encode(frame, Compression::Zstd)]).collect()
}

#[test]
fn a_frame_cut_off_anywhere_is_refused_even_with_a_right_checksum() {
    for frame in every_kind() {
        for length in 0..frame.len() {
            assert!(decode(&frame[..length]).is_err(), "cut to {length} bytes");
            let mut cut = frame[..length].to_vec();
            if length >= 12 {
                reseal(&mut cut);
                assert!(decode(&cut).is_err(), "cut to {length} bytes and sealed again");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_changed_frame_with_a_right_checksum_never_panics_and_keeps_the_limits(
        which in 0..6usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = every_kind().swap_remove(which);
        for (at, byte) in changes {
            let at = 12 + at.index(bytes.len() - 12);
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        if let Ok(decoded) = decode(&bytes) {
            let records = decoded.frame.header.count as usize;
            prop_assert_eq!(decoded.frame.body.len(), records);
            prop_assert!(records <= MAX_RECORDS);
            if let Body::Telemetry(columns) = &decoded.frame.body {
                prop_assert!(columns.columns.windows(2).all(|pair| pair[0].signal < pair[1].signal));
                prop_assert!(columns.columns.iter().all(|c| c.presence.count(records) == c.values.len()));
            }
        }
    }
}
