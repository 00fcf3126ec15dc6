//! Yield monitor rows as samples: one for each row.

use jiff::Timestamp;
use wire::{Sample, catalogue};

use super::super::read::At;
use super::super::read::yield_monitor::{self, Header, Row};
use super::tally::{Tally, one, outside_range, widen};
use super::{
    Defect, Digest, Format, MAX_RECORDS, Options, Record, Recording, Recordings, boot_from, head, put, serial_from,
    serial_from_file,
};

/// When the rows of a log begin whose times were made unrecognisable, unless [`Options::start`] tells: an instant that
/// nobody takes for a harvest, and that does not change from replay to replay.
pub const ANONYMOUS_START: Timestamp = Timestamp::constant(1_577_836_800, 0); // 2020-01-01T00:00:00Z
/// 1980-01-06T00:00:00Z, where GPS time begins.
const GPS_EPOCH_MS: i64 = 315_964_800_000;
/// Satellite navigation served no harvest before: 1994-07-01T00:00:00Z.
const EARLIEST_MS: i64 = 773_020_800_000;
/// Seconds by which GPS time is ahead of UTC, from when on (Unix milliseconds), latest first. IERS Bulletin C.
const LEAP_SECONDS: [(i64, i64); 9] = [
    (1_483_228_800_000, 18),
    (1_435_708_800_000, 17),
    (1_341_100_800_000, 16),
    (1_230_768_000_000, 15),
    (1_136_073_600_000, 14),
    (915_148_800_000, 13),
    (867_715_200_000, 12),
    (820_454_400_000, 11),
    (773_020_800_000, 10),
];

pub(super) fn map(file: &str, bytes: &[u8], options: &Options) -> Recordings {
    let log = yield_monitor::read(file, bytes);
    let mut problems: Vec<_> = widen(log.problems).collect();
    let Some(first) = log.rows.first() else {
        problems.extend(one(file, At::File, Defect::NothingRecorded));
        return Recordings { recordings: Vec::new(), problems };
    };
    let first_ms = utc_ms(first.gps_time_s);
    let mut shift_ms = 0;
    if first_ms < EARLIEST_MS {
        let start = options.start.unwrap_or(ANONYMOUS_START);
        shift_ms = start.as_millisecond() - first_ms;
        let first = Timestamp::from_millisecond(first_ms).map_or_else(|_| first_ms.to_string(), |at| at.to_string());
        let anonymous = Defect::AnonymousTime { first, start: start.to_string() };
        problems.extend(one(file, At::Line(log.rows[0].line), anonymous));
    }
    let mut outside = Tally::default();
    let rows = log.rows.iter().take(MAX_RECORDS);
    let records = rows.map(|row| Record::Sample(sample(row, shift_ms, &mut outside))).collect();
    if log.rows.len() > MAX_RECORDS {
        problems.extend(one(file, At::File, Defect::TooManyRecords));
    }
    problems.extend(outside.into_problems(file, outside_range));
    // A serial that changes from row to row was scrambled and names nothing.
    let serial = &first.monitor_serial;
    let named = log.rows.iter().all(|row| row.monitor_serial == *serial).then(|| serial_from(serial)).flatten();
    let recording = Recording {
        machine: options.machine.clone().or(named).unwrap_or_else(|| serial_from_file(file)),
        model: None,
        boot: boot_from(Digest::new("yield monitor").with(head(bytes))),
        format: Format::YieldMonitor,
        records,
    };
    Recordings { recordings: vec![recording], problems }
}

fn sample(row: &Row, shift_ms: i64, outside: &mut Tally) -> Sample {
    let mut sample = Sample::at(utc_ms(row.gps_time_s) + shift_ms);
    let values = [
        (catalogue::LATITUDE_DEG, Some(row.lat_deg)),
        (catalogue::LONGITUDE_DEG, Some(row.lon_deg)),
        (catalogue::CROP_FLOW_KGPS, Some(row.flow_kg_per_s)),
        (catalogue::CROP_MOISTURE_PCT, Some(row.moisture_pct)),
        (catalogue::ACTUAL_WORKING_WIDTH_M, Some(row.swath_m)),
        (catalogue::INTERVAL_DISTANCE_M, Some(row.distance_m)),
        (catalogue::INTERVAL_S, Some(row.interval_s)),
        (catalogue::PASS_NUMBER, row.pass.map(f64::from)),
        (
            catalogue::HEADER_IN_WORK,
            match row.header {
                Header::Down => Some(1.0),
                Header::Up => Some(0.0),
                Header::Other(_) => None,
            },
        ),
    ];
    for (signal, value) in values {
        if let Some(value) = value
            && !put(&mut sample, signal, value)
        {
            outside.add(At::Line(row.line), signal, value);
        }
    }
    sample
}

/// GPS seconds, as the reader bounds them, as Unix milliseconds UTC.
fn utc_ms(gps_time_s: f64) -> i64 {
    let gps_ms = GPS_EPOCH_MS + (gps_time_s * 1000.0).round() as i64;
    let leap = LEAP_SECONDS.iter().find(|(from_ms, seconds)| gps_ms >= from_ms + seconds * 1000);
    gps_ms - leap.map_or(0, |(_, seconds)| seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gps_time_becomes_utc_by_the_leap_seconds_of_its_day() {
        let check = |gps_time_s: f64, expected: &str| {
            let at = Timestamp::from_millisecond(utc_ms(gps_time_s)).expect("in the calendar");
            assert_eq!(at.to_string(), expected);
        };
        check(1_167_264_016.0, "2016-12-31T23:59:59Z");
        check(1_167_264_018.0, "2017-01-01T00:00:00Z");
        check(1_000_000_000.0, "2011-09-14T01:46:25Z");
        check(11_111_111.0, "1980-05-13T14:25:11Z");
    }
}
