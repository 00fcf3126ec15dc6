//! Files made by hand in every layout that recorders and tools use, then damaged.

use std::io::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::super::log::tests::told;
use super::super::{Body, CanId, Frame};

/// Bytes of a record before the frame's bytes: time, bus, identifier with its kind, length.
const FIXED_BYTES: usize = 8 + 1 + 4 + 1;

/// Seconds since the start, bus, identifier, bytes.
type Sent = (f64, u8, u32, &'static [u8]);

const SENT: [Sent; 4] = [
    (0.5, 1, 0x0CF0_0400, &[0xF0, 0xFF, 0x7D, 0, 0, 0, 0xFF, 0xFF]),
    (0.75, 2, 0x18FE_F100, &[0xFF, 1]),
    (1.0, 1, 0x18FE_EE00, &[]),
    (1.000_001, 1, 0x18FE_EE00, &[0x7E; 8]),
];

const FRAMES: &str = "\
2026-08-20T05:12:07.5Z bus 0 ext CF00400 [F0, FF, 7D, 00, 00, 00, FF, FF]
2026-08-20T05:12:07.75Z bus 1 ext 18FEF100 [FF, 01]
2026-08-20T05:12:08Z bus 0 ext 18FEEE00 []
2026-08-20T05:12:08.000001Z bus 0 ext 18FEEE00 [7E, 7E, 7E, 7E, 7E, 7E, 7E, 7E]";

/// Where a frame's bytes are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bytes {
    Inline,
    Block,
}

/// How the data of the records is laid down.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Laid {
    Plain,
    List,
    Packed,
    Transposed,
}

/// A file being written; blocks come before those that link to them.
struct File(Vec<u8>);

impl File {
    fn new(is_finished: bool, flags: u16) -> Self {
        let mut bytes = if is_finished { b"MDF     ".to_vec() } else { b"UnFinMF ".to_vec() };
        bytes.extend(b"4.11    polevod \0\0\0\0\x9B\x01");
        bytes.resize(60, 0);
        bytes.extend(flags.to_le_bytes());
        bytes.resize(64, 0);
        let start_ns: u64 = 1_787_202_727_000_000_000;
        let header = [&start_ns.to_le_bytes()[..], &120_u16.to_le_bytes(), &[0, 0, 2, 0, 0, 0], &[0; 16]].concat();
        let mut file = Self(bytes);
        file.block(b"##HD", &[0; 6], &header);
        file
    }

    fn block(&mut self, id: &[u8; 4], links: &[u64], data: &[u8]) -> u64 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = self.0.len() as u64;
        self.0.extend([id, &[0; 4][..]].concat());
        self.0.extend((24 + 8 * links.len() as u64 + data.len() as u64).to_le_bytes());
        self.0.extend((links.len() as u64).to_le_bytes());
        links.iter().for_each(|link| self.0.extend(link.to_le_bytes()));
        self.0.extend(data);
        at
    }

    fn link(&mut self, block: u64, index: usize, to: u64) {
        let at = block as usize + 24 + 8 * index;
        self.0[at..at + 8].copy_from_slice(&to.to_le_bytes());
    }

    /// A channel of unsigned numbers. `kind` 2 is the time.
    fn channel(&mut self, next: u64, name: &str, kind: u8, place: (u32, u8, u32), more: (u64, u64, u64)) -> u64 {
        let name = self.block(b"##TX", &[], &[name.as_bytes(), &[0]].concat());
        let (byte, bit, bits) = place;
        let (composition, conversion, data) = more;
        let sync = u8::from(kind == 2);
        let fields = [&[kind, sync, 0, bit][..], &byte.to_le_bytes(), &bits.to_le_bytes(), &[0; 56]].concat();
        self.block(b"##CN", &[next, composition, name, 0, conversion, data, 0, 0], &fields)
    }

    fn frame_group(&mut self, next: u64, id: u64, event: &str, count: u64, payload_data: u64) -> u64 {
        let place = FIXED_BYTES as u32;
        let parts = [("BusChannel", (8, 0, 8)), ("ID", (9, 0, 29)), ("IDE", (12, 7, 1)), ("DataLength", (13, 0, 8))];
        let mut first = self.channel(0, &format!("{event}.DataBytes"), 1, (place, 0, 64), (0, 0, payload_data));
        for (name, place) in parts {
            first = self.channel(first, &format!("{event}.{name}"), 0, place, (0, 0, 0));
        }
        let frame = self.channel(0, event, 0, (8, 0, 8 * 14), (first, 0, 0));
        let line = [&[1, 0, 0, 0, 0, 0, 2, 0][..], &[0; 16], &0_f64.to_le_bytes(), &1e-6_f64.to_le_bytes()].concat();
        let conversion = self.block(b"##CC", &[0; 4], &line);
        let time = self.channel(frame, "Timestamp", 2, (0, 0, 64), (0, conversion, 0));
        self.group(next, id, time, count, 0, (FIXED_BYTES + 8) as u32)
    }

    fn group(&mut self, next: u64, id: u64, first: u64, count: u64, flags: u16, bytes: u32) -> u64 {
        let data =
            [&id.to_le_bytes()[..], &count.to_le_bytes(), &flags.to_le_bytes(), &[0; 6], &bytes.to_le_bytes(), &[0; 4]];
        self.block(b"##CG", &[next, first, 0, 0, 0, 0], &data.concat())
    }

    fn data(&mut self, id: &[u8; 4], bytes: &[u8], laid: Laid) -> u64 {
        let packed = |file: &mut Self, bytes: &[u8], transpose: u32| {
            let columns = transpose.max(1) as usize;
            let rows = bytes.len() / columns;
            let mut turned: Vec<u8> = bytes.to_vec();
            if transpose > 0 {
                turned = (0..columns).flat_map(|c| (0..rows).map(move |r| bytes[r * columns + c])).collect();
                turned.extend(&bytes[rows * columns..]);
            }
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&turned).expect("writing to a vector");
            let zlib = encoder.finish().expect("writing to a vector");
            let head = [&id[2..], &[u8::from(transpose > 0), 0], &transpose.to_le_bytes()].concat();
            let lengths = [(bytes.len() as u64).to_le_bytes(), (zlib.len() as u64).to_le_bytes()].concat();
            file.block(b"##DZ", &[], &[head, lengths, zlib].concat())
        };
        match laid {
            Laid::Plain => self.block(id, &[], bytes),
            Laid::Packed => packed(self, bytes, 0),
            Laid::Transposed => packed(self, bytes, (FIXED_BYTES + 8) as u32),
            Laid::List => {
                // Blocks are cut without regard to records; the second is packed, as tools mix them.
                let (front, back) = bytes.split_at(bytes.len() / 2 + 3);
                let front = self.block(id, &[], front);
                let back = packed(self, back, 0);
                let second = self.block(b"##DL", &[0, back, 0], &[0; 24]);
                let first = self.block(b"##DL", &[second, front], &[0; 16]);
                self.block(b"##HL", &[first], &[0; 8])
            }
        }
    }
}

/// The record of a frame, with its bytes or where they are.
fn record((seconds, bus, id, data): &Sent, tail: [u8; 8]) -> Vec<u8> {
    let micros = (seconds * 1e6).round() as u64;
    let id = id | 1 << 31;
    [&micros.to_le_bytes()[..], &[*bus], &id.to_le_bytes(), &[data.len() as u8], &tail].concat()
}

fn inline(data: &[u8]) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..data.len()].copy_from_slice(data);
    bytes
}

/// A finished file with a group for each bus.
fn sorted(bytes: Bytes, laid: Laid) -> Vec<u8> {
    let mut file = File::new(true, 0);
    let mut next = 0;
    for bus in [1, 2] {
        let sent: Vec<&Sent> = SENT.iter().filter(|sent| sent.1 == bus).collect();
        let mut pieces = Vec::new();
        let mut records = Vec::new();
        for frame in &sent {
            let offset = (pieces.len() as u64).to_le_bytes();
            records.extend(record(frame, if bytes == Bytes::Block { offset } else { inline(frame.3) }));
            pieces.extend([&(frame.3.len() as u32).to_le_bytes()[..], frame.3].concat());
        }
        let payload = if bytes == Bytes::Block { file.data(b"##SD", &pieces, laid) } else { 0 };
        let group = file.frame_group(0, 0, "CAN_DataFrame", sent.len() as u64, payload);
        let data = file.data(b"##DT", &records, laid);
        next = file.block(b"##DG", &[next, group, data, 0], &[0; 8]);
    }
    file.link(64, 0, next);
    file.0
}

/// A file as a recorder leaves it that lost its power: all in one stream, no counts, no length.
fn unfinished() -> Vec<u8> {
    let mut file = File::new(false, 0x25);
    let errors = file.frame_group(0, 3, "CAN_ErrorFrame", 0, 0);
    let pieces = file.group(errors, 2, 0, 0, 1, 0);
    let frames = file.frame_group(pieces, 1, "CAN_DataFrame", 0, pieces);
    let group = file.block(b"##DG", &[0, frames, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0]);
    let data = file.block(b"##DT", &[], &[]);
    file.link(group, 2, data);
    file.link(64, 0, group);
    let mut offset: u64 = 0;
    for sent in &SENT {
        file.0.extend([&[1][..], &record(sent, offset.to_le_bytes())].concat());
        file.0.extend([&[2][..], &(sent.3.len() as u32).to_le_bytes(), sent.3].concat());
        offset += 4 + sent.3.len() as u64;
    }
    file.0
}

fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&told(super::read("a.MF4", bytes)));
}

#[test]
fn finished_files_of_every_layout_give_the_same_frames_in_the_order_of_their_times() {
    for bytes in [Bytes::Inline, Bytes::Block] {
        for laid in [Laid::Plain, Laid::List, Laid::Packed, Laid::Transposed] {
            assert_eq!(told(super::read("a.MF4", &sorted(bytes, laid))), FRAMES, "{bytes:?} {laid:?}");
        }
    }
}

#[test]
fn an_unfinished_file_gives_its_frames_to_the_end() {
    let note = "a.MF4: the file was not finished by its recorder; it is read to its end";
    assert_eq!(told(super::read("a.MF4", &unfinished())), format!("{FRAMES}\n{note}"));
}

#[test]
fn bytes_that_come_before_their_frame_find_it() {
    let mut file = unfinished();
    let at = file.len() - (FIXED_BYTES + 8 + 1) - (1 + 4 + 8);
    // The last frame and its bytes change places.
    file[at..].rotate_left(FIXED_BYTES + 8 + 1);
    assert!(told(super::read("a.MF4", &file)).starts_with(FRAMES));
}

#[test]
fn error_frames_are_counted_among_the_others_and_blank_space_at_the_end_is_none() {
    let mut file = unfinished();
    file.extend([&[3][..], &record(&(2.0, 1, 0, &[]), [0; 8])].concat());
    file.extend([0; 4096]);
    check(
        &file,
        expect![[r#"
            2026-08-20T05:12:07.5Z bus 0 ext CF00400 [F0, FF, 7D, 00, 00, 00, FF, FF]
            2026-08-20T05:12:07.75Z bus 1 ext 18FEF100 [FF, 01]
            2026-08-20T05:12:08Z bus 0 ext 18FEEE00 []
            2026-08-20T05:12:08.000001Z bus 0 ext 18FEEE00 [7E, 7E, 7E, 7E, 7E, 7E, 7E, 7E]
            2026-08-20T05:12:09Z bus 0 ext 0 error
            a.MF4: the file was not finished by its recorder; it is read to its end"#]],
    );
}

#[test]
fn what_was_cut_off_is_said() {
    let file = unfinished();
    let told = told(super::read("a.MF4", &file[..file.len() - 5]));
    expect![[r#"
        2026-08-20T05:12:07.5Z bus 0 ext CF00400 [F0, FF, 7D, 00, 00, 00, FF, FF]
        2026-08-20T05:12:07.75Z bus 1 ext 18FEF100 [FF, 01]
        2026-08-20T05:12:08Z bus 0 ext 18FEEE00 []
        a.MF4: the file was not finished by its recorder; it is read to its end
        a.MF4, byte 3797: the file ends 5 bytes early; what was cut off is missing
        a.MF4, byte 3775: a frame without its bytes; it is skipped"#]]
    .assert_eq(&told);
}

#[test]
fn what_is_no_bus_log_says_so() {
    check(
        b"MDF     3.30    ",
        expect!["a.MF4: the identification is not sound: the file is too short; nothing of the file can be read"],
    );
    let mut old = File::new(true, 0).0;
    old[8] = b'3';
    check(
        &old,
        expect![
            "a.MF4: the identification is not sound: only version 4 of MDF holds bus logging; nothing of the file can be read"
        ],
    );
    check(&File::new(true, 0).0, expect!["a.MF4: it holds no CAN frames: no group of CAN_DataFrame records"]);
}

#[test]
fn lists_that_link_to_themselves_end() {
    let mut file = File::new(true, 0);
    let group = file.block(b"##DG", &[0; 4], &[0; 8]);
    file.link(group, 0, group);
    file.link(64, 0, group);
    let list = file.block(b"##DL", &[0, 0], &[0; 16]);
    file.link(list, 0, list);
    let frames = file.frame_group(0, 0, "CAN_DataFrame", 0, 0);
    let with_frames = file.block(b"##DG", &[0, frames, list, 0], &[0; 8]);
    assert!(told(super::read("a.MF4", &file.0)).contains("no CAN frames"));
    file.link(64, 0, with_frames);
    assert_eq!(told(super::read("a.MF4", &file.0)), "");
}

#[test]
fn every_cut_and_every_damaged_byte_is_survived() {
    for whole in [unfinished(), sorted(Bytes::Block, Laid::List), sorted(Bytes::Inline, Laid::Transposed)] {
        let frames_of = |bytes: &[u8]| super::read("a.MF4", bytes).count();
        assert_eq!(frames_of(&whole), SENT.len());
        for end in 0..whole.len() {
            assert!(frames_of(&whole[..end]) <= SENT.len(), "cut at {end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xFF;
            // A damaged record length makes other records of the same bytes, never more than bytes.
            assert!(frames_of(&damaged) <= whole.len(), "damaged at {at}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(noise in prop::collection::vec((0_usize..4000, any::<u8>()), 1..40)) {
        let mut file = unfinished();
        for (at, byte) in noise {
            let len = file.len();
            file[at % len] = byte;
        }
        let frames: Vec<Frame> = super::read("x", &file).collect();
        prop_assert!(frames.iter().all(|f| !matches!((f.id, f.body), (CanId::Extended(id), Body::Data(_)) if id >= 1 << 29)));
    }
}
