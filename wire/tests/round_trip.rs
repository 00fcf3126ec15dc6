//! What is encoded decodes to the same frame, in either form.

use proptest::prelude::*;
use wire::{
    Body, BootId, Compression, Decoded, Encoding, Fault, FaultReport, Frame, Header, Lamps, MachineSerial, ReportKind,
    Sample, SignalId, TaskEvent, TaskRecord, catalogue, columns_of, decode, encode, encode_json,
};

fn header(count: usize) -> impl Strategy<Value = Header> {
    ("[A-Za-z0-9._-]{1,64}", 0..i64::MAX as u64, 0..1u64 << 61, 0..1_000_000u64).prop_map(
        move |(m, boot, first, age)| Header {
            machine: MachineSerial::parse(&m).expect("the pattern is what a serial allows"),
            boot: BootId::new(boot).expect("63 bits"),
            first_sequence: first,
            count: count as u32,
            age_ms: age,
        },
    )
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let signals: Vec<_> = catalogue::all().collect();
    let value = (prop::sample::select(signals), 0.0..1.0f64).prop_map(|(signal, share)| {
        let (low, high) = signal.valid_raw();
        (signal.id, low + ((high - low) as f64 * share) as i64)
    });
    let raw = (any::<u16>(), any::<i32>()).prop_map(|(ddi, value)| (SignalId::raw_ddi(ddi), i64::from(value)));
    let values = prop::collection::vec(prop_oneof![4 => value, 1 => raw], 0..12);
    prop::collection::vec((1_500_000_000_000i64..2_000_000_000_000, values), 1..40)
        .prop_map(|rows| rows.into_iter().map(|(recorded_at_ms, values)| Sample { recorded_at_ms, values }).collect())
}

fn telemetry() -> impl Strategy<Value = Frame> {
    samples().prop_flat_map(|samples| {
        let body = Body::Telemetry(columns_of(&samples));
        header(samples.len()).prop_map(move |header| Frame { header, body: body.clone() })
    })
}

fn check(frame: &Frame, bytes: &[u8], encoding: Encoding) {
    let Decoded { frame: back, dropped, encoding: found } = decode(bytes).expect("a frame we wrote");
    assert_eq!(&back, frame);
    assert!(dropped.is_empty(), "{dropped:?}");
    assert_eq!(found, encoding);
}

proptest! {
    #[test]
    fn telemetry_survives_every_encoding(frame in telemetry()) {
        check(&frame, &encode(&frame, Compression::None), Encoding::Binary);
        check(&frame, &encode(&frame, Compression::Zstd), Encoding::Binary);
        check(&frame, &encode_json(&frame), Encoding::Json);
    }

    #[test]
    fn one_changed_byte_is_always_noticed(frame in telemetry(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = encode(&frame, Compression::Zstd);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
        let _ = decode(&bytes).is_ok();
        let mut framed = b"PV\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00".to_vec();
        framed.extend(&bytes);
        let _ = decode(&framed).is_ok();
        let _ = decode(format!("{{{text}").as_bytes()).is_ok();
    }
}

#[test]
fn fault_reports_and_tasks_survive_every_encoding() {
    let faults = Body::Faults(vec![FaultReport {
        recorded_at_ms: 1_787_202_727_000,
        report: ReportKind::Active,
        source_address: 0,
        lamps: Lamps { state: 0b0000_0100, flash: 0xff },
        faults: vec![Fault { spn: 110, fmi: 16, occurrence_count: 3, legacy_conversion: false }],
    }]);
    let tasks = Body::Task(vec![TaskRecord {
        recorded_at_ms: 1_787_202_727_000,
        event: TaskEvent::Completed,
        task: "TSK-7".into(),
        field: "Дальнее поле".into(),
        operator: String::new(),
        implement: "disc harrow".into(),
        operation: "discing".into(),
        crop: String::new(),
        totals: vec![(catalogue::TOTAL_AREA_M2.number(), 483_000), (catalogue::TASK_FUEL_L.number(), 84_889)],
    }]);
    for body in [faults, tasks] {
        let header = Header {
            machine: MachineSerial::parse("BY-1221-0042").expect("a good serial"),
            boot: BootId::new(7).expect("small"),
            first_sequence: 99,
            count: 1,
            age_ms: 0,
        };
        let frame = Frame { header, body };
        check(&frame, &encode(&frame, Compression::None), Encoding::Binary);
        check(&frame, &encode_json(&frame), Encoding::Json);
    }
}
