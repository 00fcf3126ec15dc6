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
        // Destination-specific groups (below 240) go to everybody.
        let pgn = if (pgn >> 8) < 240 { pgn | 0xFF } else { pgn };
        let id = priority << 26 | pgn << 8 | u32::from(source);
        let bytes: String = data.iter().map(|byte| format!("{byte:02X}")).collect();
        writeln!(self.0, "({}.{:03}000) can0 {id:08X}#{bytes}", at_ms / 1_000, at_ms % 1_000).unwrap();
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
        let packets = message.len().div_ceil(7);
        let length = message.len() as u16;
        let [low, mid, high, _] = PGN_DM1.to_le_bytes();
        let announce = [32, length as u8, (length >> 8) as u8, packets as u8, 0xFF, low, mid, high];
        self.frame(at_ms, 7, PGN_TP_CM, source, &announce);
        for (index, part) in message.chunks(7).enumerate() {
            let mut packet = vec![index as u8 + 1];
            packet.extend(part);
            packet.resize(8, 0xFF);
            self.frame(at_ms + 50 * (index as i64 + 1), 7, PGN_TP_DT, source, &packet);
        }
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
