//! Trouble codes from bus logs: long diagnostic messages, many codes at once, two controllers, and a log without any.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::fmt::Write as _;

use polevod::derive::FaultEntry;
use polevod::derive::health::Episode;
use polevod::derive::health::fault::FaultFold;
use polevod::exchange::{Options, Record, Recording, open};
use wire::catalogue as signal;

/// A candump log under construction.
#[derive(Default)]
struct Log(String);

const PGN_DM1: u32 = 65_226;
const PGN_TP_CM: u32 = 60_416;
const PGN_TP_DT: u32 = 60_160;

impl Log {
    fn frame(&mut self, at_ms: i64, priority: u32, pgn: u32, source: u8, data: &[u8]) {
        self.frame_to(0xFF, at_ms, priority, pgn, source, data);
    }

    fn frame_to(&mut self, destination: u8, at_ms: i64, priority: u32, pgn: u32, source: u8, data: &[u8]) {
        // Groups below 240 name whom they are for.
        let pgn = if (pgn >> 8) < 240 { pgn | u32::from(destination) } else { pgn };
        let id = priority << 26 | pgn << 8 | u32::from(source);
        let bytes: String = data.iter().map(|byte| format!("{byte:02X}")).collect();
        writeln!(self.0, "({}.{:03}000) can0 {id:08X}#{bytes}", at_ms / 1_000, at_ms % 1_000).unwrap();
    }

    /// A line that is no data: an error frame, as the driver reports it.
    fn error(&mut self, at_ms: i64) {
        writeln!(self.0, "({}.{:03}000) can0 20000004#0004000000000000", at_ms / 1_000, at_ms % 1_000).unwrap();
    }

    /// A group in packets that everybody hears.
    fn broadcast(&mut self, at_ms: i64, pgn: u32, source: u8, message: &[u8]) {
        let packets = message.len().div_ceil(7);
        let length = message.len() as u16;
        let [low, mid, high, _] = pgn.to_le_bytes();
        let announce = [32, length as u8, (length >> 8) as u8, packets as u8, 0xFF, low, mid, high];
        self.frame(at_ms, 7, PGN_TP_CM, source, &announce);
        for (index, part) in message.chunks(7).enumerate() {
            let mut packet = vec![index as u8 + 1];
            packet.extend(part);
            packet.resize(8, 0xFF);
            self.frame(at_ms + 50 * (index as i64 + 1), 7, PGN_TP_DT, source, &packet);
        }
    }

    /// DM1 with these codes (SPN, FMI, occurrence count): one frame where it fits, by BAM where it does not.
    fn dm1(&mut self, at_ms: i64, source: u8, lamps: u8, codes: &[(u32, u8, u8)]) {
        let mut message = vec![lamps, 0xFF];
        for (spn, fmi, count) in codes {
            message.extend([*spn as u8, (spn >> 8) as u8, ((spn >> 16) as u8) << 5 | fmi, *count]);
        }
        if codes.is_empty() {
            message.extend([0; 4]);
        }
        if message.len() <= 8 {
            message.resize(8, 0xFF);
            return self.frame(at_ms, 6, PGN_DM1, source, &message);
        }
        self.broadcast(at_ms, PGN_DM1, source, &message);
    }

    fn read(&self) -> Recording {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus.log");
        std::fs::write(&path, &self.0).unwrap();
        open(&path, &Options::default()).unwrap().recordings.remove(0)
    }
}

/// What becomes of the reports of a recording: activations, and every fault at the end.
fn follow(recording: &Recording) -> (FaultFold, Vec<Episode>) {
    let mut fold = FaultFold::default();
    let mut episodes = Vec::new();
    for (sequence, record) in recording.records.iter().enumerate() {
        if let Record::Faults(report) = record {
            let entry = FaultEntry { identity: (1, sequence as i64), report: report.clone() };
            fold.push(&entry.report, &mut episodes);
        }
    }
    episodes.extend(fold.open());
    (fold, episodes)
}

const START_MS: i64 = 1_622_547_830_000;

fn codes(count: u32) -> Vec<(u32, u8, u8)> {
    // Makers' own parameters need all 19 bits.
    (0..count).map(|n| (if n % 2 == 0 { 94 + n } else { 520_192 + n }, (n % 22) as u8, (n % 126) as u8 + 1)).collect()
}

#[test]
fn twenty_and_fifty_codes_of_long_messages_are_each_a_fault() {
    for count in [2, 20, 50] {
        let mut log = Log::default();
        for second in 0..30 {
            log.dm1(START_MS + 3_000 * second, 0, 0x04, &codes(count));
        }
        let (fold, episodes) = follow(&log.read());
        assert_eq!(episodes.len(), count as usize);
        assert!(episodes.iter().all(|episode| episode.closed_at_ms.is_none()));
        let met: Vec<_> = fold.faults().map(|(key, _)| (key.spn, key.fmi)).collect();
        assert!(codes(count).iter().all(|(spn, fmi, _)| met.contains(&(*spn, *fmi))), "{met:?}");
        assert!(fold.faults().all(|(_, fault)| fault.activations == 1), "repeats are no new activations");
    }
}

#[test]
fn two_controllers_keep_their_codes_apart_though_their_packets_interleave() {
    let mut log = Log::default();
    for second in 0..60 {
        let at_ms = START_MS + 1_000 * second;
        log.dm1(at_ms, 0, 0x04, &[(110, 16, 3), (100, 18, 1), (94, 18, 2)]);
        log.dm1(at_ms + 5, 3, 0x00, if second < 30 { &[(639, 9, 1)] } else { &[] });
    }
    // As they would come on a bus: by time.
    let mut lines: Vec<_> = log.0.lines().map(str::to_owned).collect();
    lines.sort();
    log.0 = lines.join("\n");
    let (fold, episodes) = follow(&log.read());
    let shown: Vec<_> = episodes
        .iter()
        .map(|episode| format!("{} {}", episode.subject, if episode.closed_at_ms.is_some() { "gone" } else { "lasts" }))
        .collect();
    assert_eq!(shown, ["fault/3/639/9 gone", "fault/0/94/18 lasts", "fault/0/100/18 lasts", "fault/0/110/16 lasts"]);
    assert_eq!(fold.faults().count(), 4);
}

#[test]
fn a_parked_tractor_has_no_fault() {
    let Some(path) = test_support::recording("can/tractor_jd6130r_2021.candump.log") else { return };
    let recording = open(&path, &Options::default()).unwrap().recordings.remove(0);
    let (fold, episodes) = follow(&recording);
    assert_eq!((fold.faults().count(), episodes.len()), (0, 0));
    let hours: Vec<_> = recording.samples().filter_map(|sample| sample.physical(signal::ENGINE_HOURS_H)).collect();
    assert!(!hours.is_empty() && hours.iter().all(|hours| *hours == 219.2), "{hours:?}");
    let coolant: Vec<_> = recording.samples().filter_map(|sample| sample.physical(signal::COOLANT_TEMP_C)).collect();
    assert!(coolant.iter().all(|coolant| (85.0..=86.0).contains(coolant)), "{coolant:?}");
}

#[test]
fn codes_sent_to_one_listener_by_request_to_send_are_faults_too() {
    const TESTER: u8 = 0xF9;
    let mut log = Log::default();
    // Two codes, ten bytes: announced, cleared by the tester, sent, acknowledged.
    let message = [0x04, 0xFF, 110, 0, 16, 3, 100, 0, 18, 1];
    let [low, mid, high, _] = PGN_DM1.to_le_bytes();
    log.frame_to(TESTER, START_MS, 7, PGN_TP_CM, 0, &[16, 10, 0, 2, 0xFF, low, mid, high]);
    log.frame_to(0, START_MS + 5, 7, PGN_TP_CM, TESTER, &[17, 2, 1, 0xFF, 0xFF, low, mid, high]);
    log.frame_to(TESTER, START_MS + 10, 7, PGN_TP_DT, 0, &[&[1], &message[..7]].concat());
    log.frame_to(TESTER, START_MS + 15, 7, PGN_TP_DT, 0, &[&[2], &message[7..], &[0xFF; 4]].concat());
    log.frame_to(0, START_MS + 20, 7, PGN_TP_CM, TESTER, &[19, 10, 0, 2, 0xFF, low, mid, high]);
    let (_, episodes) = follow(&log.read());
    let subjects: Vec<_> = episodes.iter().map(|episode| episode.subject.to_string()).collect();
    assert_eq!(subjects, ["fault/0/100/18", "fault/0/110/16"]);
}

#[test]
fn error_frames_a_transport_flood_and_a_spoofed_command_open_nothing_and_hide_nothing() {
    let mut log = Log::default();
    for second in 0..20 {
        let at_ms = START_MS + 1_000 * second;
        log.error(at_ms);
        // Announcements of messages that never come, from every address; among them of diagnostic messages.
        for source in 1..=200 {
            let [low, mid, high, _] = if source % 2 == 0 { PGN_DM1 } else { 65_260 }.to_le_bytes();
            log.frame(at_ms + 1, 7, PGN_TP_CM, source, &[32, 0x09, 0x00, 2, 0xFF, low, mid, high]);
        }
        // Torque control (PGN 0) to the engine by somebody who is no transmission.
        log.frame_to(0, at_ms + 2, 3, 0, 0x27, &[0x01, 0xFF, 0xFF, 0xFA, 0xFF, 0xFF, 0xFF, 0xFF]);
        log.dm1(at_ms + 3, 0, 0x04, &[(110, 16, 1)]);
        log.frame(at_ms + 4, 3, 61_444, 0, &[0xF0, 0xFF, 0x8C, 0x40, 0x38, 0xFF, 0xFF, 0xFF]);
    }
    let recording = log.read();
    let (_, episodes) = follow(&recording);
    let subjects: Vec<_> = episodes.iter().map(|episode| episode.subject.to_string()).collect();
    assert_eq!(subjects, ["fault/0/110/16"]);
    let torque: Vec<_> = recording.samples().filter_map(|sample| sample.physical(signal::ENGINE_TORQUE_PCT)).collect();
    assert!(!torque.is_empty() && torque.iter().all(|torque| *torque == 15.0), "what the engine says: {torque:?}");
}

#[test]
fn a_parked_truck_is_named_by_its_number_and_has_no_fault() {
    let mut log = Log::default();
    for second in 0..30 {
        let at_ms = START_MS + 1_000 * second;
        if second % 10 == 0 {
            // Behind the asterisk lies whatever was in the controller's buffer.
            log.broadcast(at_ms, 65_260, 0, b"XLRTE47MS0G123456*\x00\xC3WAB");
        }
        log.dm1(at_ms + 500, 0, 0x00, &[]);
        log.dm1(at_ms + 510, 11, 0xFF, &[]);
    }
    let recording = log.read();
    assert_eq!(recording.machine.to_string(), "XLRTE47MS0G123456");
    let (fold, episodes) = follow(&recording);
    assert_eq!((fold.faults().count(), episodes.len()), (0, 0));
}
