//! A unit loses nothing and frees nothing early, whatever the link does to frames and answers.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use simulator::Record;
use simulator::device::{Device, DeviceConfig, Flash, Moment, OutFrame};
use wire::{
    BootId, Encoding, FaultReport, Lamps, MachineSerial, ReportKind, Sample, SequenceSet, Stored, catalogue as signal,
};

/// A step of the unit's life.
#[derive(Debug, Clone)]
enum Step {
    /// Records so many samples, then perhaps a fault report.
    Record { samples: u8, fault: bool },
    /// Time passes; the unit sends what it wants to send.
    Pass { ms: u16 },
    /// The link delivers frame `pick` of those on their way, once or twice, or loses it.
    Frame { pick: u8, copies: u8 },
    /// The link delivers answer `pick`, once or twice, or loses it.
    Answer { pick: u8, copies: u8 },
    /// A byte of a frame on its way changes.
    Corrupt { pick: u8, at: u16 },
    /// A new connection.
    Reconnect,
    /// The unit restarts.
    Reboot,
    /// The unit loses its power; where it keeps its records on the disk, perhaps the process with it.
    PowerCut { process: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..12, any::<bool>()).prop_map(|(samples, fault)| Step::Record { samples, fault }),
        4 => (0u16..20_000).prop_map(|ms| Step::Pass { ms }),
        6 => (any::<u8>(), 0u8..3).prop_map(|(pick, copies)| Step::Frame { pick, copies }),
        6 => (any::<u8>(), 0u8..3).prop_map(|(pick, copies)| Step::Answer { pick, copies }),
        1 => (any::<u8>(), any::<u16>()).prop_map(|(pick, at)| Step::Corrupt { pick, at }),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Reboot),
        1 => any::<bool>().prop_map(|process| Step::PowerCut { process }),
    ]
}

/// The world around one unit: a link with frames and answers on their way, and a store.
struct World {
    device: Device,
    config: DeviceConfig,
    /// Where the unit keeps its records, if not in memory.
    disk: Option<tempfile::TempDir>,
    now_ms: i64,
    boots: u64,
    recorded: BTreeMap<BootId, u64>,
    freed: u64,
    frames: VecDeque<OutFrame>,
    answers: VecDeque<Vec<u8>>,
    stored: BTreeMap<BootId, SequenceSet>,
}

impl World {
    fn new(frame_records: usize, encoding: Encoding) -> Self {
        Self::with(DeviceConfig { frame_records, encoding, ..DeviceConfig::default() }, None)
    }

    fn with(config: DeviceConfig, disk: Option<tempfile::TempDir>) -> Self {
        Self {
            device: unit(&config, disk.as_ref(), boot(1)),
            config,
            disk,
            now_ms: 1_700_000_000_000,
            boots: 1,
            recorded: BTreeMap::new(),
            freed: 0,
            frames: VecDeque::new(),
            answers: VecDeque::new(),
            stored: BTreeMap::new(),
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Record { samples, fault } => {
                for _ in 0..samples {
                    self.record(Record::Sample(sample(self.now_ms)));
                }
                if fault {
                    self.record(Record::Faults(no_faults(self.now_ms)));
                }
            }
            Step::Pass { ms } => self.pass(i64::from(ms)),
            Step::Frame { pick, copies } => {
                if let Some(frame) = take(&mut self.frames, pick) {
                    (0..copies).for_each(|_| self.arrive(&frame));
                }
            }
            Step::Answer { pick, copies } => {
                if let Some(answer) = take(&mut self.answers, pick) {
                    (0..copies).for_each(|_| self.hear(&answer));
                }
            }
            Step::Corrupt { pick, at } => {
                if let Some(frame) = take(&mut self.frames, pick) {
                    let mut bytes = frame.bytes.to_vec();
                    let at = usize::from(at) % bytes.len();
                    // Text has no checksum: cutting it off is the damage that shows.
                    if bytes[0] == b'{' {
                        bytes.truncate(at)
                    } else {
                        bytes[at] ^= 0x10
                    }
                    self.arrive(&OutFrame { bytes: bytes.into(), ..frame });
                }
            }
            Step::Reconnect => self.device.link_up(self.now_ms),
            Step::Reboot => {
                self.boots += 1;
                self.device.reboot(boot(self.boots));
            }
            Step::PowerCut { process } => {
                self.boots += 1;
                let (cut, running) = (self.device.boot(), boot(self.boots));
                let lost = self.device.power_cut(running);
                if let Some(recorded) = self.recorded.get_mut(&cut) {
                    *recorded -= lost;
                }
                if process && self.disk.is_some() {
                    self.boots += 1;
                    // It is told a number that is taken, and takes the next one.
                    self.device = unit(&self.config, self.disk.as_ref(), boot(1));
                    assert_eq!(self.device.boot(), boot(self.boots));
                    // What was freed since the disk last heard of it is there again.
                    let recorded: u64 = self.recorded.values().sum();
                    self.freed = recorded - self.device.pending() as u64;
                }
            }
        }
        let recorded: u64 = self.recorded.values().sum();
        assert_eq!(self.device.pending() as u64, recorded - self.freed, "nothing leaves but what is freed");
    }

    fn record(&mut self, record: Record) {
        let next = self.recorded.entry(self.device.boot()).or_default();
        assert_eq!(self.device.record(record, now(self.now_ms)), *next, "sequence numbers follow each other");
        *next += 1;
    }

    fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.device.seal_overdue(self.now_ms);
        while let Some(frames) = self.device.poll(self.now_ms, u64::MAX) {
            self.frames.extend(frames);
        }
    }

    fn arrive(&mut self, frame: &OutFrame) {
        let Ok(decoded) = wire::decode(&frame.bytes) else { return };
        let header = decoded.frame.header;
        assert!(header.sequences().end <= self.recorded[&header.boot], "only what was recorded is sent");
        let accounted = self.stored.entry(header.boot).or_default();
        accounted.insert(header.sequences());
        self.answers.push_back(Stored::of(header.boot, accounted).encode(decoded.encoding));
    }

    fn hear(&mut self, answer: &[u8]) {
        let stored = Stored::decode(answer).expect("the store answers well");
        let freed = self.device.on_stored(&stored, self.now_ms, |waited_ms| assert!(waited_ms >= 0));
        self.freed += freed;
        let kept_by_the_store: u64 = self.stored.values().map(SequenceSet::count).sum();
        assert!(self.freed <= kept_by_the_store, "nothing is freed that is not stored");
    }

    /// From now on the link is good; time passes until nothing is on its way and nothing is kept.
    fn settle(&mut self) {
        self.device.seal();
        for _ in 0..1_000 {
            self.pass(5_000);
            while let Some(frame) = self.frames.pop_front() {
                self.arrive(&frame);
            }
            while let Some(answer) = self.answers.pop_front() {
                self.hear(&answer);
            }
            if self.device.pending() == 0 {
                return;
            }
        }
        panic!("{} records are never freed", self.device.pending());
    }
}

fn unit(config: &DeviceConfig, disk: Option<&tempfile::TempDir>, boot: BootId) -> Device {
    let serial = MachineSerial::parse("unit-1").expect("a serial");
    match disk {
        None => Device::new(serial, boot, 1, config.clone()),
        Some(disk) => {
            let flash = Flash { ring_bytes: 256 * 1024, sync: false };
            let path = disk.path().join("unit-1.ring");
            Device::open(serial, boot, 1, config.clone(), (&path, &flash)).expect("a folder to write to")
        }
    }
}

/// On a real unit both clocks are one.
fn now(at_ms: i64) -> Moment {
    Moment { machine_ms: at_ms, wall_ms: at_ms }
}

fn boot(number: u64) -> BootId {
    BootId::new(number).expect("small")
}

fn sample(at_ms: i64) -> Sample {
    let mut sample = Sample::at(at_ms);
    sample.set(signal::ENGINE_SPEED_RPM, 1_900.0);
    sample
}

fn no_faults(at_ms: i64) -> FaultReport {
    let lamps = Lamps { state: 0, flash: 0xff };
    FaultReport { recorded_at_ms: at_ms, report: ReportKind::Active, source_address: 0, lamps, faults: Vec::new() }
}

fn take<T>(items: &mut VecDeque<T>, pick: u8) -> Option<T> {
    if items.is_empty() { None } else { items.remove(usize::from(pick) % items.len()) }
}

proptest! {
    #[test]
    fn everything_is_freed_in_the_end_and_nothing_that_is_not_stored(
        steps in prop::collection::vec(step(), 0..120), frame_records in 1usize..8, json in any::<bool>(),
        on_disk in any::<bool>(),
    ) {
        let encoding = if json { Encoding::Json } else { Encoding::Binary };
        let config = DeviceConfig { frame_records, encoding, backlog_records: 30, ..DeviceConfig::default() };
        let disk = on_disk.then(|| tempfile::tempdir().expect("a temporary folder"));
        let mut world = World::with(config, disk);
        for step in &steps {
            world.apply(step);
        }
        world.settle();
        let recorded: u64 = world.recorded.values().sum();
        prop_assert_eq!(world.freed, recorded);
        for (boot, count) in &world.recorded {
            prop_assert_eq!(world.stored.get(boot).map_or(0, SequenceSet::count), *count, "of boot {}", boot);
        }
    }
}

#[test]
fn a_full_buffer_drops_the_oldest_and_counts_them() {
    let mut world = World::new(5, Encoding::Binary);
    let config = DeviceConfig { frame_records: 5, buffer_records: 20, ..DeviceConfig::default() };
    world.device = Device::new(world.device.serial().clone(), boot(1), 1, config);
    for _ in 0..33 {
        world.device.record(Record::Sample(sample(world.now_ms)), now(world.now_ms));
    }
    assert_eq!((world.device.pending(), world.device.dropped()), (18, 15));
    world.recorded.insert(boot(1), 33);
    world.freed = 15;
    world.stored.insert(boot(1), SequenceSet::from_range(0..15));
    world.settle();
    assert_eq!(world.stored[&boot(1)].to_string(), "{[0,33)}");
}

#[test]
fn a_full_disk_ring_drops_the_oldest_and_counts_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serial = MachineSerial::parse("unit-1").expect("a serial");
    let flash = Flash { ring_bytes: 0, sync: true };
    let place = folder.path().join("ring");
    let mut device = Device::open(serial.clone(), boot(1), 1, DeviceConfig::default(), (&place, &flash)).expect("new");
    for at_ms in 0..20_000 {
        device.record(Record::Sample(sample(at_ms)), now(at_ms));
    }
    device.seal();
    let (kept, dropped) = (device.pending() as u64, device.dropped());
    assert!(dropped > 5_000 && kept > 1_000 && kept + dropped == 20_000, "{kept} kept, {dropped} dropped");
    assert_eq!(device.storage_errors(), 0);
    drop(device);
    let mut device = Device::open(serial, boot(1), 1, DeviceConfig::default(), (&place, &flash)).expect("the same");
    assert!(device.pending() as u64 >= kept, "what was kept is found again");
    let frames = device.poll(0, u64::MAX).expect("a backlog");
    let oldest = wire::decode(&frames[0].bytes).expect("whole").frame.header;
    assert_eq!((oldest.boot, oldest.age_ms), (boot(1), 0), "nobody knows how long the power was away");
}

#[test]
fn a_backlog_of_small_runs_travels_in_large_frames() {
    let config = DeviceConfig { frame_records: 20, backlog_records: 50, ..DeviceConfig::default() };
    let mut world = World::with(config, None);
    for _ in 0..120 {
        world.record(Record::Sample(sample(world.now_ms)));
        world.device.seal();
    }
    world.record(Record::Faults(no_faults(world.now_ms)));
    world.pass(0);
    let counts: Vec<_> = world.frames.iter().map(|frame| frame.records).collect();
    assert_eq!(counts, [50, 50, 20, 1], "a fault report travels alone");
    world.settle();
}

#[test]
fn without_network_frames_fill_and_with_it_they_hurry() {
    let mut world = World::new(20, Encoding::Binary);
    world.device.set_offline(true);
    for _ in 0..100 {
        world.now_ms += 5_000;
        world.record(Record::Sample(sample(world.now_ms)));
    }
    assert_eq!(world.device.take_packed().len(), 0, "one frame is still filling");
    world.device.set_offline(false);
    assert_eq!(world.device.take_packed().len(), 1);
    for _ in 0..3 {
        world.now_ms += 5_000;
        world.device.record(Record::Sample(sample(world.now_ms)), now(world.now_ms));
    }
    world.device.seal();
    assert_eq!(world.device.take_packed().len(), 3, "each waited two seconds alone");
}

#[test]
fn an_answer_about_records_that_never_left_the_unit_frees_nothing() {
    let mut world = World::new(5, Encoding::Binary);
    world.apply(&Step::Record { samples: 9, fault: false });
    let claim = Stored::of(boot(1), &SequenceSet::from_range(0..1_000_000));
    assert_eq!(world.device.on_stored(&claim, world.now_ms, |_| ()), 0);
    world.settle();
}

#[test]
fn a_run_waits_for_the_ledger_before_it_is_published() {
    let config = DeviceConfig { frame_records: 2, logged: true, ..DeviceConfig::default() };
    let mut device = Device::new(MachineSerial::parse("unit-1").expect("a serial"), boot(1), 1, config);
    for _ in 0..4 {
        device.record(Record::Sample(sample(1_000)), now(1_000));
    }
    assert!(device.poll(1_000, u64::MAX).is_none(), "nothing is in the ledger yet");
    let mut position = 0;
    device.log_with(|_| {
        position += 10;
        position
    });
    assert!(device.poll(1_000, 9).is_none() && device.waits_for_ledger(9), "nothing has reached the disk yet");
    assert!(device.poll(1_000, 10).is_some() && device.poll(1_000, 10).is_none(), "the first run has");
    assert!(device.poll(1_000, 20).is_some() && !device.waits_for_ledger(20));
}

#[test]
fn a_gap_is_sent_again_before_the_time_out_and_only_the_gap() {
    let mut world = World::with(DeviceConfig { frame_records: 4, backlog_records: 4, ..DeviceConfig::default() }, None);
    world.apply(&Step::Record { samples: 12, fault: false });
    world.pass(0);
    let lost = world.frames.remove(1).expect("three frames are on their way");
    assert_eq!(wire::decode(&lost.bytes).expect("whole").frame.header.sequences(), 4..8);
    while let Some(frame) = world.frames.pop_front() {
        world.arrive(&frame);
    }
    world.now_ms += 3_000;
    while let Some(answer) = world.answers.pop_front() {
        world.hear(&answer);
    }
    world.pass(0);
    let again: Vec<_> = world.frames.iter().map(|f| wire::decode(&f.bytes).expect("whole").frame.header).collect();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].sequences(), again[0].age_ms), (4..8, 3_000));
    assert!(world.frames[0].resent);
}
