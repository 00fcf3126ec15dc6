//! Combines at work: frames as their units send them.

use bytes::Bytes;
use jiff::Timestamp;
use polevod::ingest::RawMessage;
use wire::{
    Body, BootId, Compression, Frame, Header, MachineSerial, Sample, Topic, TopicKind, catalogue, columns_of, encode,
};

/// Machines whose frames arrive in turn.
pub(crate) const MACHINES: usize = 200;

/// One second of work of a combine in spring wheat: straight runs at 5 km/h, sensors that wander, counters that count.
/// Twelve signals a sample.
pub(crate) struct Combine {
    noise: Noise,
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

impl Combine {
    /// The same seed makes the same day.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            noise: Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
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

    /// The next second, recorded about `at_ms`. Every reading is pulled back to its steady value and disturbed a little.
    pub(crate) fn step(&mut self, at_ms: i64) -> Sample {
        let noise = &mut self.noise;
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
        let mut sample = Sample::at(at_ms + (noise.next() * 3.0) as i64);
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

/// A machine's stream of frames.
pub(crate) struct Unit {
    pub(crate) machine: MachineSerial,
    combine: Combine,
    next: u64,
}

impl Unit {
    /// Number `index` of the fleet.
    pub(crate) fn new(index: usize) -> Self {
        let machine = MachineSerial::parse(&format!("BY-GS12.{index:04}")).expect("a good serial");
        Self { machine, combine: Combine::new(index as u64), next: 0 }
    }

    /// The next `samples` samples, the first at `at_ms`, one a second.
    pub(crate) fn frame(&mut self, samples: usize, at_ms: i64) -> Frame {
        let records: Vec<_> = (0..samples).map(|second| self.combine.step(at_ms + 1_000 * second as i64)).collect();
        let header = Header {
            machine: self.machine.clone(),
            boot: BootId::new(7).expect("a small number"),
            first_sequence: self.next,
            count: u32::try_from(samples).expect("a frame holds few samples"),
            age_ms: 40,
        };
        self.next += samples as u64;
        Frame { header, body: Body::Telemetry(columns_of(&records)) }
    }

    /// Where its telemetry goes.
    pub(crate) fn topic(&self) -> String {
        Topic::new(&self.machine, TopicKind::Telemetry).to_string()
    }
}

/// Messages of the whole fleet that carry `samples` in frames of `samples_a_frame`, machines in turn.
pub(crate) fn messages(samples: usize, samples_a_frame: usize) -> Vec<RawMessage> {
    let start_ms = yesterday_morning_ms();
    let mut units: Vec<_> = (0..MACHINES).map(Unit::new).collect();
    let frames = samples / samples_a_frame;
    (0..frames)
        .map(|number| {
            let unit = &mut units[number % MACHINES];
            let at_ms = start_ms + 1_000 * unit.next as i64;
            let frame = unit.frame(samples_a_frame, at_ms);
            RawMessage {
                topic: unit.topic(),
                payload: Bytes::from(encode(&frame, Compression::Zstd)),
                received_at_ms: Timestamp::now().as_millisecond(),
            }
        })
        .collect()
}

/// 05:00 UTC of the day before: recent enough to be believed, and the samples of a run stay within one day.
fn yesterday_morning_ms() -> i64 {
    const DAY_MS: i64 = 86_400_000;
    const FIVE_HOURS_MS: i64 = 5 * 3_600_000;
    Timestamp::now().as_millisecond().div_euclid(DAY_MS) * DAY_MS - DAY_MS + FIVE_HOURS_MS
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
