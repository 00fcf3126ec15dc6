//! Messages longer than a frame (SAE J1939-21 transport protocol): broadcast (BAM) and addressed (RTS/CTS), put
//! together for a listener who cannot ask for a packet again.

use std::collections::HashMap;

use super::super::{Weigh, Weight};
use super::id::{BROADCAST, Id, pgn};

/// Longest message: 255 packets of 7 bytes.
pub const MAX_MESSAGE_BYTES: usize = 1785;
/// Addressed sessions of one sender at a time, beside its one broadcast. The standard allows a sender as many as it has
/// receivers; more than a few only come in a flood. What a flood pushes out is its own: a sender's sessions are counted
/// apart from everybody else's, and its broadcasts, which carry the trouble codes, apart from the rest.
pub const MAX_ADDRESSED_SESSIONS: usize = 4;
/// Silence after which a session is given up: T2 of the standard, the longest a receiver waits.
const SESSION_TIMEOUT_US: i64 = 1_250_000;

const PACKET_BYTES: usize = 7;
const CONTROL_RTS: u8 = 16;
const CONTROL_BAM: u8 = 32;
const CONTROL_ABORT: u8 = 255;

/// A complete message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its parameter group.
    pub pgn: u32,
    /// Address of the sender.
    pub source: u8,
    /// Address of the receiver; [`BROADCAST`] for all.
    pub destination: u8,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What can go wrong with a long message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The opening contradicts itself.
    #[error("source {source_address} announces {bytes} bytes of PGN {pgn} in {packets} packets; it is not followed")]
    BadOpening {
        /// Address of the sender.
        source_address: u8,
        /// Announced group.
        pgn: u32,
        /// Announced length.
        bytes: usize,
        /// Announced packets.
        packets: usize,
    },
    /// A packet is missing.
    #[error("source {source_address} skipped a packet of PGN {pgn}; the message is lost")]
    PacketLost {
        /// Address of the sender.
        source_address: u8,
        /// Group of the message.
        pgn: u32,
    },
    /// A packet without an opening.
    #[error("source {source_address} sends packets without having opened a message; they are skipped")]
    PacketWithoutOpening {
        /// Address of the sender.
        source_address: u8,
    },
    /// The sender fell silent, began anew or gave up.
    #[error("source {source_address} left PGN {pgn} unfinished ({reason}); the message is lost")]
    Unfinished {
        /// Address of the sender.
        source_address: u8,
        /// Group of the message.
        pgn: u32,
        /// What happened.
        reason: &'static str,
    },
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        Weight::Loss
    }
}

/// Puts long messages together.
#[derive(Debug, Default)]
pub struct Transport {
    /// Open sessions by bus and sender: 256 senders a bus, a handful of sessions each.
    senders: HashMap<(u8, u8), Vec<Session>>,
}

#[derive(Debug)]
struct Session {
    source: u8,
    destination: u8,
    pgn: u32,
    /// As long as announced; filled in packet by packet.
    data: Vec<u8>,
    packets: usize,
    /// A bit for each packet that arrived.
    arrived: [u64; 4],
    arrived_count: usize,
    last_at_us: i64,
}

impl Transport {
    /// Takes a frame of [`pgn::TP_CM`] or [`pgn::TP_DT`]; gives the message it completes. `bus` keeps the sessions of
    /// several interfaces apart.
    ///
    /// # Errors
    /// [`Defect`] when a message is lost; the frame itself was taken.
    pub fn push(&mut self, at_us: i64, bus: u8, id: Id, data: &[u8]) -> Result<Option<Message>, Defect> {
        match id.pgn {
            pgn::TP_CM => self.manage(at_us, bus, id, data).map(|()| None),
            pgn::TP_DT => self.packet(at_us, bus, id, data),
            _ => Ok(None),
        }
    }

    fn manage(&mut self, at_us: i64, bus: u8, id: Id, data: &[u8]) -> Result<(), Defect> {
        let &[control, size_low, size_high, packets, _, pgn_low, pgn_mid, pgn_high] = data else {
            return Ok(());
        };
        let pgn = u32::from_le_bytes([pgn_low, pgn_mid, pgn_high & 3, 0]);
        match control {
            CONTROL_BAM | CONTROL_RTS => {
                let bytes = usize::from(u16::from_le_bytes([size_low, size_high]));
                let packets = usize::from(packets);
                let is_sound = (1..=MAX_MESSAGE_BYTES).contains(&bytes) && packets == bytes.div_ceil(PACKET_BYTES);
                if !is_sound || (control == CONTROL_BAM) != (id.destination == BROADCAST) {
                    return Err(Defect::BadOpening { source_address: id.source, pgn, bytes, packets });
                }
                self.open(at_us, bus, id, pgn, bytes, packets)
            }
            CONTROL_ABORT => {
                // Either side may give up, so the session may run the other way.
                let ends = [(id.source, id.destination), (id.destination, id.source)];
                let aborted = ends.into_iter().find_map(|(source, destination)| {
                    let is_meant = |s: &Session| s.pgn == pgn && s.destination == destination;
                    take(self.senders.get_mut(&(bus, source))?, is_meant)
                });
                aborted.map_or(Ok(()), |session| Err(session.unfinished("aborted")))
            }
            // Clear to send, end of message: a listener learns nothing from them.
            _ => Ok(()),
        }
    }

    fn open(&mut self, at_us: i64, bus: u8, id: Id, pgn: u32, bytes: usize, packets: usize) -> Result<(), Defect> {
        let sessions = self.senders.entry((bus, id.source)).or_default();
        let replaced = take(sessions, |s| s.destination == id.destination);
        let is_addressed = |s: &Session| s.destination != BROADCAST;
        let oldest = sessions.iter().filter(|s| is_addressed(s)).map(|s| s.last_at_us).min();
        let is_full = sessions.iter().filter(|s| is_addressed(s)).count() >= MAX_ADDRESSED_SESSIONS;
        let evicted = (is_full && id.destination != BROADCAST)
            .then(|| take(sessions, |s| is_addressed(s) && Some(s.last_at_us) == oldest))
            .flatten();
        sessions.push(Session {
            source: id.source,
            destination: id.destination,
            pgn,
            data: vec![0xFF; bytes],
            packets,
            arrived: [0; 4],
            arrived_count: 0,
            last_at_us: at_us,
        });
        match (replaced, evicted) {
            (Some(session), _) => Err(session.unfinished("a new message began")),
            (None, Some(session)) if !session.is_stale(at_us) => Err(session.unfinished("too many at a time")),
            (None, Some(session)) => Err(session.unfinished("the sender fell silent")),
            (None, None) => Ok(()),
        }
    }

    fn packet(&mut self, at_us: i64, bus: u8, id: Id, data: &[u8]) -> Result<Option<Message>, Defect> {
        let without_opening = Defect::PacketWithoutOpening { source_address: id.source };
        let sessions = self.senders.get_mut(&(bus, id.source)).ok_or(without_opening.clone())?;
        let at = sessions.iter().position(|s| s.destination == id.destination).ok_or(without_opening)?;
        let session = &mut sessions[at];
        if session.is_stale(at_us) {
            return Err(sessions.swap_remove(at).unfinished("the sender fell silent"));
        }
        session.last_at_us = at_us;
        let Some((&number, payload)) = data.split_first() else { return Ok(None) };
        let (source_address, pgn) = (session.source, session.pgn);
        if !session.take_packet(usize::from(number), payload) {
            sessions.swap_remove(at);
            return Err(Defect::PacketLost { source_address, pgn });
        }
        if session.arrived_count < session.packets {
            return Ok(None);
        }
        let session = sessions.swap_remove(at);
        Ok(Some(Message { pgn, source: session.source, destination: session.destination, data: session.data }))
    }
}

fn take(sessions: &mut Vec<Session>, is_meant: impl Fn(&Session) -> bool) -> Option<Session> {
    let at = sessions.iter().position(is_meant)?;
    Some(sessions.swap_remove(at))
}

impl Session {
    fn is_stale(&self, at_us: i64) -> bool {
        at_us.saturating_sub(self.last_at_us) > SESSION_TIMEOUT_US
    }

    fn unfinished(self, reason: &'static str) -> Defect {
        Defect::Unfinished { source_address: self.source, pgn: self.pgn, reason }
    }

    /// Stores a packet by its number, from 1; false when one is missing. An addressed receiver may ask for packets
    /// again, in any order; a broadcast comes once and in order.
    fn take_packet(&mut self, number: usize, payload: &[u8]) -> bool {
        if number == 0 || number > self.packets {
            return false;
        }
        let bit = number - 1;
        let (word, mask) = (bit / 64, 1 << (bit % 64));
        if self.arrived[word] & mask != 0 {
            return true;
        }
        if self.destination == BROADCAST && bit != self.arrived_count {
            return false;
        }
        let start = bit * PACKET_BYTES;
        let end = self.data.len().min(start + PACKET_BYTES);
        let Some(payload) = payload.get(..end - start) else { return false };
        self.data[start..end].copy_from_slice(payload);
        self.arrived[word] |= mask;
        self.arrived_count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    /// Frames as `milliseconds id#bytes`, separated by commas.
    fn check(frames: &str, expected: Expect) {
        expected.assert_eq(&told(frames));
    }

    fn told(frames: &str) -> String {
        let mut transport = Transport::default();
        let mut said = Vec::new();
        for frame in frames.split(',').map(str::trim) {
            let (ms, frame) = frame.split_once(' ').expect("time and frame");
            let (id, data) = frame.split_once('#').expect("id and data");
            let at_us = ms.parse::<i64>().expect("milliseconds") * 1000;
            let id = Id::from_extended(u32::from_str_radix(id, 16).expect("hex"));
            let data: Vec<u8> =
                (0..data.len()).step_by(2).map(|i| u8::from_str_radix(&data[i..i + 2], 16).expect("hex")).collect();
            match transport.push(at_us, 0, id, &data) {
                Ok(None) => {}
                Ok(Some(m)) => {
                    said.push(format!("PGN {} from {} to {}: {:02X?}", m.pgn, m.source, m.destination, m.data))
                }
                Err(defect) => said.push(defect.to_string()),
            }
        }
        said.join("\n")
    }

    /// Opens a broadcast of 9 bytes, DM1, from address 3.
    fn bam(ms: u32) -> String {
        format!("{ms} 18ECFF03#20090002FFCAFE00")
    }

    #[test]
    fn a_broadcast_message_is_put_together_without_its_padding() {
        check(
            &format!("{}, 50 18EBFF03#0101020304050607, 100 18EBFF03#020809FFFFFFFFFF", bam(0)),
            expect!["PGN 65226 from 3 to 255: [01, 02, 03, 04, 05, 06, 07, 08, 09]"],
        );
    }

    #[test]
    fn an_addressed_message_may_repeat_packets_and_change_their_order() {
        check(
            concat!(
                "0 18ECF900#10090002FFCAFE00, 5 18EC00F9#110201FFFFCAFE00, 10 18EBF900#020809FFFFFFFFFF,",
                "12 18EBF900#020809FFFFFFFFFF, 15 18EBF900#0101020304050607",
            ),
            expect!["PGN 65226 from 0 to 249: [01, 02, 03, 04, 05, 06, 07, 08, 09]"],
        );
    }

    #[test]
    fn two_senders_at_once_do_not_mix() {
        let other = |frame: &str| frame.replace("FF03#", "FF04#");
        let frames = [
            bam(0),
            other(&bam(1)),
            "50 18EBFF03#0101020304050607".into(),
            "51 18EBFF04#0111121314151617".into(),
            "100 18EBFF04#021819FFFFFFFFFF".into(),
            "101 18EBFF03#020809FFFFFFFFFF".into(),
        ];
        check(
            &frames.join(","),
            expect![[r#"
                PGN 65226 from 4 to 255: [11, 12, 13, 14, 15, 16, 17, 18, 19]
                PGN 65226 from 3 to 255: [01, 02, 03, 04, 05, 06, 07, 08, 09]"#]],
        );
    }

    #[test]
    fn a_lost_packet_loses_the_message_and_says_so() {
        check(
            &format!("{}, 50 18EBFF03#020809FFFFFFFFFF, 60 18EBFF03#0101020304050607", bam(0)),
            expect![[r#"
                source 3 skipped a packet of PGN 65226; the message is lost
                source 3 sends packets without having opened a message; they are skipped"#]],
        );
    }

    #[test]
    fn silence_abort_and_a_new_opening_end_a_session() {
        check(
            &format!("{}, 2000 18EBFF03#0101020304050607", bam(0)),
            expect!["source 3 left PGN 65226 unfinished (the sender fell silent); the message is lost"],
        );
        check(
            "0 18ECF900#10090002FFCAFE00, 5 18EC00F9#FF01FFFFFFCAFE00",
            expect!["source 0 left PGN 65226 unfinished (aborted); the message is lost"],
        );
        check(
            &format!("{}, {}", bam(0), bam(1)),
            expect!["source 3 left PGN 65226 unfinished (a new message began); the message is lost"],
        );
    }

    #[test]
    fn an_opening_that_contradicts_itself_is_refused() {
        check(
            "0 18ECFF03#20FFFFFFFFCAFE00, 0 18ECFF03#20090001FFCAFE00, 0 18ECFF03#20000000FFCAFE00",
            expect![[r#"
                source 3 announces 65535 bytes of PGN 65226 in 255 packets; it is not followed
                source 3 announces 9 bytes of PGN 65226 in 1 packets; it is not followed
                source 3 announces 0 bytes of PGN 65226 in 0 packets; it is not followed"#]],
        );
    }

    #[test]
    fn a_flood_of_openings_keeps_the_memory_bounded() {
        let mut transport = Transport::default();
        let opening = [CONTROL_RTS, 0xF9, 0x06, 255, 0xFF, 0xCA, 0xFE, 0x00];
        for i in 0..100_000_u32 {
            let id = Id { priority: 6, pgn: pgn::TP_CM, source: i as u8, destination: (i >> 8) as u8 & 0x7F };
            let _lost = transport.push(i64::from(i), 0, id, &opening);
        }
        let sessions: Vec<usize> = transport.senders.values().map(Vec::len).collect();
        assert!(sessions.len() <= 256 && sessions.iter().all(|n| *n <= MAX_ADDRESSED_SESSIONS), "{sessions:?}");
    }

    #[test]
    fn a_flood_does_not_push_out_the_messages_of_others_nor_the_senders_own_broadcast() {
        let flood = |source: u8| (0..40).map(move |to: u8| format!("10 18EC{to:02X}{source:02X}#10090002FFCAFE00"));
        let frames =
            [bam(0), "1 18ECF904#10090002FFCAFE00".into()].into_iter().chain(flood(3)).chain(flood(5)).chain([
                "50 18EBFF03#0101020304050607".into(),
                "60 18EBF904#0101020304050607".into(),
                "70 18EBF904#020809FFFFFFFFFF".into(),
                "100 18EBFF03#020809FFFFFFFFFF".into(),
            ]);
        let whole = told(&frames.collect::<Vec<_>>().join(","));
        let whole: Vec<&str> = whole.lines().filter(|line| line.starts_with("PGN")).collect();
        assert_eq!(
            whole,
            [
                "PGN 65226 from 4 to 249: [01, 02, 03, 04, 05, 06, 07, 08, 09]",
                "PGN 65226 from 3 to 255: [01, 02, 03, 04, 05, 06, 07, 08, 09]"
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_frames_never_panic(frames in prop::collection::vec(
            (0_i64..5_000_000, any::<bool>(), 0_u8..4, prop::sample::select(vec![0_u8, 1, 255]),
             prop::collection::vec(prop_oneof![Just(16_u8), Just(32), Just(255), 0_u8..4, any::<u8>()], 0..9)),
            0..200,
        )) {
            let mut transport = Transport::default();
            for (at_us, is_data, source, destination, data) in frames {
                let pgn = if is_data { pgn::TP_DT } else { pgn::TP_CM };
                let id = Id { priority: 7, pgn, source, destination };
                if let Ok(Some(message)) = transport.push(at_us, 0, id, &data) {
                    prop_assert!((1..=MAX_MESSAGE_BYTES).contains(&message.data.len()));
                }
            }
        }
    }
}
