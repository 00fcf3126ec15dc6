//! A recorded yield log as frames: what a real combine's numbers cost on the wire.

use wire::{Body, BootId, Frame, Header, MachineSerial, Sample, SignalId, catalogue, columns_of};

/// The first `frames` frames of the log; none without the recordings.
pub(crate) fn frames(samples_a_frame: usize, frames: usize) -> Option<Vec<Frame>> {
    let text = std::fs::read_to_string(test_support::recordings().join("yield/corn_aglead_advanced.txt")).ok()?;
    let samples: Vec<_> = text.lines().filter_map(sample).take(frames * samples_a_frame).collect();
    let frame = |(index, chunk): (usize, &[Sample])| Frame {
        header: Header {
            machine: MachineSerial::parse("BY-GS12.0042").expect("a good serial"),
            boot: BootId::new(7).expect("a small number"),
            first_sequence: (index * samples_a_frame) as u64,
            count: u32::try_from(samples_a_frame).expect("a frame holds few samples"),
            age_ms: 40,
        },
        body: Body::Telemetry(columns_of(chunk)),
    };
    Some(samples.chunks_exact(samples_a_frame).enumerate().map(frame).collect())
}

/// longitude, latitude, flow lb/s, GPS time s, interval s, distance in, swath in, moisture %, header, pass, …
fn sample(line: &str) -> Option<Sample> {
    let cells: Vec<f64> = line.split(',').take(10).map(|cell| cell.trim().parse().ok()).collect::<Option<_>>()?;
    let &[longitude, latitude, flow, time, interval, distance, swath, moisture, header, pass] = cells.as_slice() else {
        return None;
    };
    let mut sample = Sample::at((time * 1000.0) as i64);
    let signals: [(SignalId, f64); 9] = [
        (catalogue::LONGITUDE_DEG, longitude),
        (catalogue::LATITUDE_DEG, latitude),
        (catalogue::CROP_FLOW_KGPS, flow * 0.453_592_37),
        (catalogue::INTERVAL_S, interval),
        (catalogue::INTERVAL_DISTANCE_M, distance * 0.0254),
        (catalogue::ACTUAL_WORKING_WIDTH_M, swath * 0.0254),
        (catalogue::CROP_MOISTURE_PCT, moisture),
        (catalogue::HEADER_IN_WORK, f64::from(u8::from(header > 0.0))),
        (catalogue::PASS_NUMBER, pass),
    ];
    for (signal, value) in signals {
        sample.set(signal, value);
    }
    Some(sample)
}
