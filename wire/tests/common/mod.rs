//! What the tests of this crate share: frames built byte by byte, and decoded frames as text.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fmt::Write;

use wire::{Body, BootId, Decoded, FaultReport, Frame, Header, MachineSerial, Sample, TaskRecord, decode, samples_of};

/// 2026-08-20T05:12:07Z, a harvest morning.
pub(crate) const MORNING_MS: i64 = 1_787_202_727_000;

/// A header of the machine that most tests use.
pub(crate) fn header(count: usize) -> Header {
    Header {
        machine: MachineSerial::parse("BY-3522.0017").expect("a good serial"),
        boot: BootId::new(7).expect("a small number"),
        first_sequence: 41,
        count: u32::try_from(count).expect("few records"),
        age_ms: 250,
    }
}

/// A frame of `samples`.
pub(crate) fn telemetry(samples: &[Sample]) -> Frame {
    Frame { header: header(samples.len()), body: Body::Telemetry(wire::columns_of(samples)) }
}

/// A frame with a correct checksum around any content.
pub(crate) fn sealed(kind: u8, flags: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'P', b'V', 1, kind, flags, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(content);
    reseal(&mut bytes);
    bytes
}

/// Puts the right checksum into a frame that was changed.
pub(crate) fn reseal(bytes: &mut [u8]) {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[12..]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
}

/// A header as bytes, written by hand: serial `a`, boot 7, first sequence 0, `count` records, age 0.
pub(crate) fn plain_header(count: usize) -> Vec<u8> {
    [vec![1, b'a', 7, 0], unsigned(count as u64), vec![0]].concat()
}

/// A number as the wire writes it, from the rules of the format and not from the library.
pub(crate) fn unsigned(number: u64) -> Vec<u8> {
    match number {
        0..=250 => vec![number as u8],
        251..=0xffff => [&[251][..], &(number as u16).to_le_bytes()].concat(),
        0x1_0000..=0xffff_ffff => [&[252][..], &(number as u32).to_le_bytes()].concat(),
        _ => [&[253][..], &number.to_le_bytes()].concat(),
    }
}

/// A signed number as the wire writes it.
pub(crate) fn signed(number: i64) -> Vec<u8> {
    unsigned(((number << 1) ^ (number >> 63)) as u64)
}

/// What decoding gives, as text: the whole content, or the code and words of the error.
pub(crate) fn outcome(bytes: &[u8]) -> String {
    match decode(bytes) {
        Ok(decoded) => describe(&decoded),
        Err(error) => {
            let whose = error.header().map_or(String::new(), |header| {
                format!(", accounted to {} {}/{:?}", header.machine, header.boot, header.sequences())
            });
            format!("{}: {error}{whose}\n", error.code())
        }
    }
}

/// Everything a decoded frame holds.
pub(crate) fn describe(decoded: &Decoded) -> String {
    let Header { machine, boot, age_ms, .. } = &decoded.frame.header;
    let sequences = decoded.frame.header.sequences();
    let mut text = format!(
        "{:?} {:?} of {machine}, boot {boot}, sequences {sequences:?}, age {age_ms} ms\n",
        decoded.encoding,
        decoded.frame.body.kind()
    );
    match &decoded.frame.body {
        Body::Telemetry(columns) => {
            let signals: Vec<_> = columns.columns.iter().map(|column| column.signal.to_string()).collect();
            writeln!(text, "columns: {}", signals.join(", ")).expect("writing to a text");
            for (sample, sequence) in samples_of(columns).iter().zip(sequences) {
                write!(text, "{sequence} {}:", time(sample.recorded_at_ms)).expect("writing to a text");
                for (signal, raw) in &sample.values {
                    write!(text, " {signal} {raw} ({})", signal.physical(*raw)).expect("writing to a text");
                }
                text.push('\n');
            }
        }
        Body::Faults(reports) => {
            for (report, sequence) in reports.iter().zip(sequences) {
                describe_report(&mut text, report, sequence);
            }
        }
        Body::Task(tasks) => {
            for (task, sequence) in tasks.iter().zip(sequences) {
                describe_task(&mut text, task, sequence);
            }
        }
    }
    for dropped in &decoded.dropped {
        writeln!(text, "dropped {} {}: {}", dropped.values, dropped.code, dropped.detail).expect("writing to a text");
    }
    text
}

fn describe_report(text: &mut String, report: &FaultReport, sequence: u64) {
    let FaultReport { recorded_at_ms, report, source_address, lamps, faults } = report;
    let at = time(*recorded_at_ms);
    writeln!(text, "{sequence} {at}: {report:?} of {source_address}, {lamps:02x?}").expect("writing to a text");
    for fault in faults {
        writeln!(text, "  {fault:?}").expect("writing to a text");
    }
}

fn describe_task(text: &mut String, task: &TaskRecord, sequence: u64) {
    let TaskRecord { recorded_at_ms, event, task, field, operator, implement, operation, crop, totals } = task;
    let at = time(*recorded_at_ms);
    writeln!(
        text,
        "{sequence} {at}: {event:?} {task:?}, field {field:?}, operator {operator:?}, implement {implement:?}, \
         operation {operation:?}, crop {crop:?}, totals {totals:?}"
    )
    .expect("writing to a text");
}

fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| format!("{at_ms} ms"), |at| format!("{at:.3}"))
}

/// A JSON frame with one list of records under `key`.
pub(crate) fn json_frame(key: &str, list: &str) -> String {
    format!(r#"{{"version":1,"machine":"a","boot":7,"first_sequence":0,"{key}":[{list}]}}"#)
}

/// A good report with one key set to another value.
pub(crate) fn json_report(key: &str, value: &str) -> String {
    let keys =
        [("report", "\"active\""), ("source_address", "0"), ("lamps", "{\"state\":0,\"flash\":255}"), ("faults", "[]")];
    let mut keys: Vec<_> = keys.into_iter().filter(|(name, _)| *name != key).collect();
    keys.push((key, value));
    let keys: Vec<_> = keys.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    json_frame("faults", &format!("{{{}}}", keys.join(",")))
}

/// Reads a file of hexadecimal digits; lines that begin with `#` are comments.
pub(crate) fn read_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .map(|digit| u8::try_from(digit.to_digit(16).expect("a hexadecimal digit")).expect("below 16"))
        .collect();
    assert_eq!(digits.len() % 2, 0, "two digits a byte");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
