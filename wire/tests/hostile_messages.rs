//! `stored`, `status` and `request` messages that lie or err, by name. A unit that obeyed a wrong `stored` would
//! free what no one has.

mod common;

use common::unsigned;
use proptest::prelude::*;
use wire::limits::{MAX_GAPS, MAX_MESSAGE_BYTES};
use wire::{Answer, BootId, Encoding, Request, SequenceSet, Status, Stored};

fn refuse_stored(bytes: &[u8], reason: &str) {
    let found = Stored::decode(bytes).expect_err("a wrong message").to_string();
    assert_eq!(found, format!("message is malformed: {reason}"));
}

/// A binary message put together from its numbers.
fn stored(numbers: &[u64]) -> Vec<u8> {
    [b"PV\x01\x05".to_vec(), numbers.iter().flat_map(|number| unsigned(*number)).collect()].concat()
}

#[test]
fn an_unsound_acknowledgement_is_refused() {
    refuse_stored(&stored(&[7, 10, 20, 1, 10, 21]), "gap 10..21 is empty, out of order or beyond end = 20");
    refuse_stored(&stored(&[7, 10, 20, 1, 10, 10]), "gap 10..10 is empty, out of order or beyond end = 20");
    refuse_stored(&stored(&[7, 10, 20, 1, 12, 10]), "gap 12..10 is empty, out of order or beyond end = 20");
    refuse_stored(&stored(&[7, 5, 20, 2, 5, 9, 9, 11]), "gap 9..11 is empty, out of order or beyond end = 20");
    refuse_stored(&stored(&[7, 5, 20, 2, 5, 9, 7, 11]), "gap 7..11 is empty, out of order or beyond end = 20");
    refuse_stored(&stored(&[7, 11, 20, 1, 10, 15]), "contiguous_end = 11, but the first missing is 10");
    refuse_stored(&stored(&[7, 21, 20, 0]), "contiguous_end = 21, but the first missing is 20");
    refuse_stored(
        &stored(&[1 << 63, 0, 0, 0]),
        "boot = 9223372036854775808 does not fit 63 bits; use a number below 9223372036854775808",
    );
}

#[test]
fn an_acknowledgement_with_an_evil_length_too_many_gaps_or_other_bytes_is_refused() {
    refuse_stored(&stored(&[7, 0, 9, u64::MAX]), "a length in it is beyond every limit; split the run");
    let gaps: Vec<_> = (0..=MAX_GAPS as u64).flat_map(|i| [i * 2, i * 2 + 1]).collect();
    refuse_stored(
        &stored(&[&[7, 0, 1_000, gaps.len() as u64 / 2][..], &gaps].concat()),
        "65 gaps; at most 64 are listed",
    );
    refuse_stored(&stored(&[7, 9, 9, 0, 0]), "1 bytes follow its end");
    let good = stored(&[7, 10, 20, 1, 10, 15]);
    for length in 0..good.len() {
        assert!(Stored::decode(&good[..length]).is_err(), "cut to {length} bytes");
    }
    let long = format!("{{\"boot\":7,{}", " ".repeat(MAX_MESSAGE_BYTES));
    refuse_stored(long.as_bytes(), "4106 bytes; at most 4096");
}

#[test]
fn the_longest_acknowledgement_fits_its_bound_in_either_form() {
    let first = (1 << 62) - 1_000;
    let set: SequenceSet = (0..MAX_GAPS as u64).map(|i| first + i * 10..first + i * 10 + 5).collect();
    let longest = Stored::of(BootId::new(u64::MAX >> 1).expect("63 bits"), &set);
    assert_eq!(longest.gaps.len(), MAX_GAPS);
    for encoding in [Encoding::Binary, Encoding::Json] {
        let bytes = longest.encode(encoding);
        assert!(bytes.len() <= MAX_MESSAGE_BYTES, "{} bytes", bytes.len());
        assert_eq!(Stored::decode(&bytes), Ok(longest.clone()));
    }
}

proptest! {
    #[test]
    fn an_acknowledgement_frees_exactly_what_is_accounted_for(
        runs in prop::collection::vec((0u64..2_000, 1u64..20), 0..120), encoding in prop::sample::select(vec![Encoding::Binary, Encoding::Json]),
    ) {
        let accounted: SequenceSet = runs.into_iter().map(|(start, length)| start..start + length).collect();
        let stored = Stored::of(BootId::new(7).expect("small"), &accounted);
        let read = Stored::decode(&stored.encode(encoding)).expect("a message we wrote");
        prop_assert_eq!(&read, &stored);
        let told = accounted.intersection(&SequenceSet::from_range(0..stored.end));
        prop_assert_eq!(read.freed(), told);
        prop_assert!(stored.gaps.len() == MAX_GAPS || stored.end == accounted.end());
    }

    #[test]
    fn arbitrary_bytes_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for bytes in [bytes.clone(), [b"PV\x01\x05", bytes.as_slice()].concat(), [b"{", bytes.as_slice()].concat()] {
            if let Ok(stored) = Stored::decode(&bytes) {
                prop_assert!(stored.freed().end() <= stored.end);
            }
            let _ = (Status::decode(&bytes).is_ok(), Request::decode(&bytes).is_ok());
            let _ = (Answer::decode(&bytes).is_ok(), Request::identity(&bytes));
        }
    }
}

#[test]
fn a_status_is_refused_for_unknown_keys_and_texts_that_do_not_fit() {
    let good = br#"{"link":"online","boot":7,"model":"mtz-3522","firmware":"2.4.1"}"#;
    assert!(Status::decode(good).is_ok_and(|status| status.encode() == good));
    assert!(Status::decode(br#"{"link":"offline"}"#).is_ok());
    for (bad, reason) in [
        (r#"{"link":"asleep"}"#.to_string(), "unknown variant `asleep`"),
        (r#"{"link":"online","mode":1}"#.to_string(), "unknown field `mode`"),
        (format!(r#"{{"link":"online","model":"{}"}}"#, "x".repeat(65)), "model has 65 bytes"),
        (r#"{"link":"online","firmware":"a\u0000"}"#.to_string(), "firmware has a NUL"),
        (String::new(), "EOF while parsing"),
    ] {
        let found = Status::decode(bad.as_bytes()).expect_err("a wrong message").to_string();
        assert!(found.contains(reason), "{bad}: {found}");
    }
}

#[test]
fn a_request_is_refused_beyond_its_bounds() {
    let request = |signals: &str, rate: &str, duration: &str| {
        format!(r#"{{"request":"R1","signals":[{signals}],"rate_hz":{rate},"duration_s":{duration}}}"#)
    };
    let good = request("\"engine_speed_rpm\",\"spn_520192\"", "10.0", "600");
    assert!(Request::decode(good.as_bytes()).is_ok_and(|request| request.encode() == good.as_bytes()));
    for (bad, reason) in [
        (request("", "1", "1"), "0 signals; 1 to 64"),
        (request(&vec!["\"hdop\""; 65].join(","), "1", "1"), "65 signals; 1 to 64"),
        (request("\"engine_speed\"", "1", "1"), "signal \"engine_speed\" is in no catalogue"),
        (request("\"hdop\"", "0", "1"), "0 < rate_hz <= 10"),
        (request("\"hdop\"", "-1", "1"), "0 < rate_hz <= 10"),
        (request("\"hdop\"", "10.1", "1"), "0 < rate_hz <= 10"),
        (request("\"hdop\"", "1e9", "1"), "0 < rate_hz <= 10"),
        (request("\"hdop\"", "1", "0"), "1..=600 s"),
        (request("\"hdop\"", "1", "601"), "1..=600 s"),
        (request("\"hdop\"", "1", "1").replace("R1", &"x".repeat(129)), "request has 129 bytes"),
    ] {
        let found = Request::decode(bad.as_bytes()).expect_err("a wrong message").to_string();
        assert!(found.contains(reason), "{bad}: {found}");
    }
}

#[test]
fn a_request_beyond_its_bounds_still_tells_whom_to_answer() {
    let identity = |text: &str| Request::identity(text.as_bytes());
    assert_eq!(identity(r#"{"request":"R1","signals":[],"rate_hz":-1}"#), Some("R1".into()));
    for unreadable in ["", "{}", "R1", r#"{"request":7}"#, &format!(r#"{{"request":"{}"}}"#, "x".repeat(129))] {
        assert_eq!(identity(unreadable), None, "{unreadable}");
    }
}

#[test]
fn an_answer_that_cannot_be_true_is_refused() {
    let done = |captured: &str| format!(r#"{{"state":"done","request":"R1","captured":{captured}}}"#);
    let good = done(r#"{"boot":7,"first_sequence":10,"end_sequence":20,"samples":10}"#);
    assert!(Answer::decode(good.as_bytes()).is_ok_and(|answer| answer.is_last() && answer.request() == "R1"));
    for (bad, reason) in [
        (done(r#"{"boot":7,"first_sequence":21,"end_sequence":20,"samples":0}"#), "they ascend to"),
        (done(r#"{"boot":7,"first_sequence":0,"end_sequence":4611686018427387905,"samples":0}"#), "they ascend to"),
        (done(r#"{"boot":7,"first_sequence":10,"end_sequence":20,"samples":11}"#), "samples = 11 do not fit"),
        (
            done(r#"{"boot":9223372036854775808,"first_sequence":0,"end_sequence":0,"samples":0}"#),
            "does not fit 63 bits",
        ),
        (good.replace("done", "gone"), "unknown variant `gone`"),
        (good.replace("R1", &"x".repeat(129)), "request has 129 bytes"),
        (r#"{"state":"accepted","request":"R1"}"#.into(), "missing field `samples_expected`"),
        (r#"{"state":"refused","request":"R1","reason":"tired","detail":""}"#.into(), "unknown variant `tired`"),
    ] {
        let found = Answer::decode(bad.as_bytes()).expect_err("a wrong message").to_string();
        assert!(found.contains(reason), "{bad}: {found}");
    }
}
