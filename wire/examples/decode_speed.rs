//! How fast frames decode into columns, and how many bytes a sample takes, for each form of the wire.
//!
//!     cargo run --release -p wire --example decode_speed [-- --json]
//!
//! One thread, frames of a combine at work: 12 signals, one sample a second. Where the recordings are at hand
//! (`POLEVOD_DATA`), sizes of a real yield log are measured beside them.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wire::{
    Body, BootId, Compression, Frame, Header, MachineSerial, Sample, SignalId, catalogue, columns_of, decode, encode,
    encode_json,
};

/// How long each form is measured; the best of [`ROUNDS`] counts, since a shared machine only ever slows down.
const ROUND: Duration = Duration::from_millis(100);
const ROUNDS: usize = 10;
/// Different frames in turn, so that the branch predictor does not learn one by heart.
const FRAMES: usize = 64;

/// One line of the report.
struct Line {
    source: &'static str,
    form: &'static str,
    samples_a_frame: usize,
    bytes_a_sample: f64,
    samples_per_s: f64,
}

fn main() {
    let mut lines = Vec::new();
    for samples_a_frame in [60, 20, 1] {
        measure("harvest day", &harvest_day(samples_a_frame), &mut lines);
    }
    match yield_log(60) {
        Some(frames) => measure("yield log", &frames, &mut lines),
        None => eprintln!("SKIPPED the yield log: no recordings; set POLEVOD_DATA to their folder"),
    }
    if std::env::args().any(|argument| argument == "--json") {
        print_json(&lines);
    } else {
        print_table(&lines);
    }
}

/// A form of the wire and what writes it.
type Form = (&'static str, fn(&Frame) -> Vec<u8>);

fn measure(source: &'static str, frames: &[Frame], lines: &mut Vec<Line>) {
    let forms: [Form; 3] = [
        ("binary", |frame| encode(frame, Compression::None)),
        ("binary zstd", |frame| encode(frame, Compression::Zstd)),
        ("json", encode_json),
    ];
    for (form, write) in forms {
        let encoded: Vec<_> = frames.iter().map(write).collect();
        let samples: usize = frames.iter().map(|frame| frame.body.len()).sum();
        let bytes: usize = encoded.iter().map(Vec::len).sum();
        lines.push(Line {
            source,
            form,
            samples_a_frame: frames[0].body.len(),
            bytes_a_sample: bytes as f64 / samples as f64,
            samples_per_s: (0..ROUNDS).map(|_| samples_per_second(&encoded, samples)).fold(0.0, f64::max),
        });
    }
}

fn samples_per_second(encoded: &[Vec<u8>], samples: usize) -> f64 {
    let begin = Instant::now();
    let busy_before = busy();
    let mut rounds = 0;
    while begin.elapsed() < ROUND {
        for bytes in encoded {
            black_box(decode(black_box(bytes)).expect("frames we wrote ourselves"));
        }
        rounds += 1;
    }
    let busy = match (busy_before, busy()) {
        (Some(before), Some(after)) => after - before,
        _ => begin.elapsed(),
    };
    (rounds * samples) as f64 / busy.as_secs_f64()
}

/// Time this thread has had a core for, so that neighbours on the machine do not count; none outside Linux.
fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn print_table(lines: &[Line]) {
    println!(
        "{:<12} {:<12} {:>14} {:>16} {:>20}",
        "source", "form", "samples/frame", "bytes/sample", "M samples/s a core"
    );
    for line in lines {
        println!(
            "{:<12} {:<12} {:>14} {:>16.1} {:>20.2}",
            line.source,
            line.form,
            line.samples_a_frame,
            line.bytes_a_sample,
            line.samples_per_s / 1e6
        );
    }
    for group in lines.chunks(3) {
        let [plain, packed, json] = group else { continue };
        println!(
            "{}, {} samples a frame: JSON takes {:.1} times the bytes of binary, {:.1} times those of binary zstd",
            plain.source,
            plain.samples_a_frame,
            json.bytes_a_sample / plain.bytes_a_sample,
            json.bytes_a_sample / packed.bytes_a_sample
        );
    }
}

fn print_json(lines: &[Line]) {
    for line in lines {
        println!(
            r#"{{"source":"{}","form":"{}","samples_a_frame":{},"bytes_a_sample":{:.2},"samples_per_s":{:.0}}}"#,
            line.source, line.form, line.samples_a_frame, line.bytes_a_sample, line.samples_per_s
        );
    }
}

/// Frames of a GS12 combine in spring wheat: straight runs at 5 km/h, sensors that wander, counters that count.
fn harvest_day(samples_a_frame: usize) -> Vec<Frame> {
    let mut noise = Noise(42);
    let mut combine = Combine::default();
    let samples: Vec<_> = (0..FRAMES * samples_a_frame).map(|second| combine.step(second, &mut noise)).collect();
    frames_of(&samples, samples_a_frame)
}

struct Combine {
    latitude: f64,
    longitude: f64,
    heading: f64,
    speed: f64,
    engine: f64,
    load: f64,
    fuel_rate: f64,
    fuel_total: f64,
    flow: f64,
    moisture: f64,
    coolant: f64,
}

impl Default for Combine {
    fn default() -> Self {
        Self {
            latitude: 56.259_123_4,
            longitude: 83.971_456_7,
            heading: 37.0,
            speed: 5.2,
            engine: 2050.0,
            load: 72.0,
            fuel_rate: 42.0,
            fuel_total: 48_211.342,
            flow: 9.4,
            moisture: 17.2,
            coolant: 92.0,
        }
    }
}

impl Combine {
    /// One second of work. Every reading is pulled back to its steady value and disturbed a little.
    fn step(&mut self, second: usize, noise: &mut Noise) -> Sample {
        let mut wander = |value: f64, steady: f64, step: f64| value + (steady - value) * 0.05 + noise.next() * step;
        self.heading = wander(self.heading, 37.0, 0.3);
        self.speed = wander(self.speed, 5.2, 0.08);
        self.engine = wander(self.engine, 2050.0, 6.0);
        self.load = wander(self.load, 72.0, 1.5);
        self.fuel_rate = wander(self.fuel_rate, 42.0, 0.5);
        self.flow = wander(self.flow, 9.4, 0.25);
        self.moisture = wander(self.moisture, 17.2, 0.03);
        self.coolant = wander(self.coolant, 92.0, 0.05);
        let metres = self.speed / 3.6;
        self.latitude += metres * self.heading.to_radians().cos() / 111_320.0;
        self.longitude += metres * self.heading.to_radians().sin() / 61_800.0;
        self.fuel_total += self.fuel_rate / 3600.0;
        // Units stamp with the jitter of their own scheduler.
        let mut sample = Sample::at(1_787_202_727_000 + second as i64 * 1000 + (noise.next() * 3.0) as i64);
        for (signal, value) in [
            (catalogue::LATITUDE_DEG, self.latitude),
            (catalogue::LONGITUDE_DEG, self.longitude),
            (catalogue::HEADING_DEG, self.heading),
            (catalogue::GROUND_SPEED_KMH, self.speed),
            (catalogue::ENGINE_SPEED_RPM, self.engine),
            (catalogue::ENGINE_LOAD_PCT, self.load),
            (catalogue::COOLANT_TEMP_C, self.coolant),
            (catalogue::FUEL_RATE_LPH, self.fuel_rate),
            (catalogue::FUEL_TOTAL_L, self.fuel_total),
            (catalogue::ACTUAL_WORK_STATE, 1.0),
            (catalogue::CROP_FLOW_KGPS, (self.flow * 100.0).round() / 100.0),
            (catalogue::CROP_MOISTURE_PCT, (self.moisture * 10.0).round() / 10.0),
        ] {
            sample.set(signal, value);
        }
        sample
    }
}

/// The recorded yield log as frames; none without the recordings.
fn yield_log(samples_a_frame: usize) -> Option<Vec<Frame>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let data = PathBuf::from(std::env::var_os("POLEVOD_DATA").unwrap_or_else(|| default.into()));
    let text = std::fs::read_to_string(data.join("yield/corn_aglead_advanced.txt")).ok()?;
    let samples: Vec<_> = text.lines().filter_map(yield_sample).take(FRAMES * samples_a_frame).collect();
    Some(frames_of(&samples, samples_a_frame))
}

/// longitude, latitude, flow lb/s, GPS time s, interval s, distance in, swath in, moisture %, header, pass, …
fn yield_sample(line: &str) -> Option<Sample> {
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

fn frames_of(samples: &[Sample], samples_a_frame: usize) -> Vec<Frame> {
    let machine = MachineSerial::parse("BY-GS12.0042").expect("a good serial");
    samples
        .chunks_exact(samples_a_frame)
        .enumerate()
        .map(|(index, chunk)| Frame {
            header: Header {
                machine: machine.clone(),
                boot: BootId::new(7).expect("a small number"),
                first_sequence: (index * samples_a_frame) as u64,
                count: samples_a_frame as u32,
                age_ms: 40,
            },
            body: Body::Telemetry(columns_of(chunk)),
        })
        .collect()
}

/// A small generator (xorshift64*): the same frames in every run.
struct Noise(u64);

impl Noise {
    /// Evenly spread in -1..1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
