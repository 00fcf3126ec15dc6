//! gpsd reports as samples: one for each report with a position.

use wire::{Sample, catalogue};

use super::super::read::At;
use super::super::read::gpsd::{self, Fix};
use super::tally::{Tally, one, outside_range, widen};
use super::{
    Defect, Digest, Format, MAX_RECORDS, Options, Record, Recording, Recordings, boot_from, head, put, serial_from_file,
};

const KMH_PER_MPS: f64 = 3.6;

pub(super) fn map(file: &str, bytes: &[u8], options: &Options) -> Recordings {
    let stream = gpsd::read(file, bytes);
    let mut problems: Vec<_> = widen(stream.problems).collect();
    let mut outside = Tally::default();
    let mut records = Vec::with_capacity(stream.fixes.len().min(MAX_RECORDS));
    for fix in stream.fixes.iter().take(MAX_RECORDS) {
        records.push(Record::Sample(sample(fix, &mut outside)));
    }
    if stream.fixes.len() > MAX_RECORDS {
        problems.extend(one(file, At::File, Defect::TooManyRecords));
    }
    problems.extend(outside.into_problems(file, outside_range));
    if records.is_empty() {
        problems.extend(one(file, At::File, Defect::NothingRecorded));
        return Recordings { recordings: Vec::new(), problems };
    }
    let recording = Recording {
        machine: options.machine.clone().unwrap_or_else(|| serial_from_file(file)),
        model: None,
        boot: boot_from(Digest::new("gpsd").with(head(bytes))),
        format: Format::Gpsd,
        records,
    };
    Recordings { recordings: vec![recording], problems }
}

fn sample(fix: &Fix, outside: &mut Tally) -> Sample {
    let mut sample = Sample::at(fix.time.as_millisecond());
    let values = [
        (catalogue::LATITUDE_DEG, Some(fix.lat_deg)),
        (catalogue::LONGITUDE_DEG, Some(fix.lon_deg)),
        (catalogue::ALTITUDE_M, fix.altitude_m),
        (catalogue::HEADING_DEG, fix.track_deg),
        (catalogue::GROUND_SPEED_KMH, fix.speed_mps.map(|speed| speed * KMH_PER_MPS)),
        (catalogue::HORIZONTAL_ERROR_M, fix.error_m),
        (catalogue::GNSS_FIX, Some(fix_code(fix.status))),
    ];
    for (signal, value) in values {
        if let Some(value) = value
            && !put(&mut sample, signal, value)
        {
            outside.add(At::Line(fix.line), signal, value);
        }
    }
    sample
}

/// The position status of ISO 11783-10 for a gpsd status. The report has a fix, so an unknown status is a plain one.
fn fix_code(status: Option<u8>) -> f64 {
    match status {
        Some(2) => 2.0,
        Some(3) => 4.0,
        Some(4) => 5.0,
        Some(5 | 6) => 6.0,
        Some(8) => 8.0,
        _ => 1.0,
    }
}
