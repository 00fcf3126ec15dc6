//! Records as frames: one stream for each data group, merged by time.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::super::At;
use super::super::buses::Buses;
use super::super::clock::LATEST_US;
use super::super::frame::{CLASSIC_BYTES_MAX, FD_BYTES_MAX};
use super::super::{Body, CanId, Defect, Frame, Payload};
use super::data::{Source, Stream};
use super::layout::{Content, DataGroup, Event, FrameLayout, PayloadAt, RecordKind};

/// Frames whose bytes have not come yet, and bytes whose frame has not: loggers write one right behind the other.
const MAX_WAITING: usize = 1_024;
/// The bit of an identifier that marks an extended one, where no channel of its own does.
const EXTENDED_BIT: u64 = 1 << 31;
/// Channels of variable length hold a length before their bytes.
const LENGTH_BYTES: usize = 4;

type Item = Result<Frame, (At, Defect)>;

/// Frames of several streams, the earliest first. Each stream is in the order of its times but for small steps back,
/// which stay as they are.
pub(super) struct Merge<'a> {
    streams: Vec<(Option<Item>, Frames<'a>)>,
    buses: Buses,
}

impl<'a> Merge<'a> {
    pub(super) fn new(streams: Vec<Frames<'a>>) -> Self {
        let streams = streams.into_iter().map(|mut stream| (stream.next(), stream)).collect();
        Self { streams, buses: Buses::default() }
    }
}

impl Iterator for Merge<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let time = |head: &Option<Item>| match head {
            None => None,
            // A defect has no time: it is told at once.
            Some(Err(_)) => Some(i64::MIN),
            Some(Ok(frame)) => Some(frame.at_us),
        };
        let heads = self.streams.iter().enumerate().filter_map(|(index, (head, _))| Some((time(head)?, index)));
        let (_, earliest) = heads.min()?;
        let (head, stream) = &mut self.streams[earliest];
        let item = std::mem::replace(head, stream.next())?;
        // Until here a frame holds the number that the file gives to its bus.
        Some(item.and_then(|frame| match self.buses.number(&[frame.bus]) {
            Ok(bus) => Ok(Frame { bus, ..frame }),
            Err(defect) => Err((frame.at, defect)),
        }))
    }
}

/// The frames of one data group.
pub(super) struct Frames<'a> {
    id_bytes: usize,
    kinds: Vec<RecordKind>,
    start_us: i64,
    stream: Stream<'a>,
    /// Next byte of the stream.
    next: usize,
    /// Records still to come; of several kinds in one stream the end of the data tells.
    left: u64,
    /// Bytes of each channel that has a block for them, by kind of record.
    blocks: Vec<Option<Stream<'a>>>,
    /// Bytes of other groups' records so far, by kind: what their offsets count.
    counted: Vec<u64>,
    /// Frames that wait for their bytes: kind of the record that holds them, offset, record.
    waiting: VecDeque<(usize, u64, (usize, usize))>,
    /// Bytes that wait for their frame: kind, offset, place in the stream.
    pieces: VecDeque<(usize, u64, (usize, usize))>,
    ready: VecDeque<Item>,
}

impl<'a> DataGroup<'a> {
    /// Begins to read the frames of a group.
    pub(super) fn open(self, file: &'a [u8], start_us: i64) -> Frames<'a> {
        let mut stream = self.data.read();
        let mut ready: VecDeque<Item> = stream.defects.drain(..).map(Err).collect();
        let blocks = self.kinds.iter().map(|kind| {
            let Content::Frames(layout) = &kind.content else { return None };
            let Some(PayloadAt::Blocks { at, .. }) = layout.payload else { return None };
            let mut stream = Source::new(file, at, false).read();
            ready.extend(stream.defects.drain(..).map(Err));
            Some(stream)
        });
        let blocks = blocks.collect();
        let counted = vec![0; self.kinds.len()];
        let left = self.kinds.first().filter(|_| self.id_bytes == 0).and_then(|kind| kind.count).unwrap_or(u64::MAX);
        Frames {
            id_bytes: self.id_bytes,
            kinds: self.kinds,
            start_us,
            stream,
            next: 0,
            left,
            blocks,
            counted,
            waiting: VecDeque::new(),
            pieces: VecDeque::new(),
            ready,
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.next >= self.stream.bytes.len() || self.left == 0 {
                let (_, _, (start, _)) = self.waiting.pop_front()?;
                return Some(Err((self.at(start), Defect::FrameWithoutBytes)));
            }
            if let Err(defect) = self.record() {
                let at = self.at(self.next);
                self.next = self.stream.bytes.len();
                return Some(Err((at, defect)));
            }
        }
    }
}

impl Frames<'_> {
    fn at(&self, in_stream: usize) -> At {
        match self.stream.bytes {
            Cow::Borrowed(_) => At::Byte(self.stream.at + 24 + in_stream as u64),
            // Of an unpacked stream no byte stands in the file.
            Cow::Owned(_) => At::File,
        }
    }

    /// Takes the next record of the stream.
    ///
    /// # Errors
    /// When the stream cannot be followed any further.
    fn record(&mut self) -> Result<(), Defect> {
        let bytes = &*self.stream.bytes;
        let rest = &bytes[self.next..];
        let cut = |needed: usize| Defect::CutOff { missing: (needed - rest.len()) as u64 };
        let Some(id) = rest.get(..self.id_bytes) else { return Err(cut(self.id_bytes)) };
        let id = id.iter().rev().fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
        let kind = match self.id_bytes {
            0 => Some(0),
            _ => self.kinds.iter().position(|kind| kind.id == id),
        };
        let Some(kind) = kind else {
            // Space that was set aside and never written is zeros.
            let is_blank = rest.iter().all(|byte| *byte == 0);
            let reason = "a record of an unknown kind";
            let consequence = "what follows it is missing";
            self.next = bytes.len();
            return if is_blank { Ok(()) } else { Err(Defect::BadBlock { block: "the data", reason, consequence }) };
        };
        let start = self.next + self.id_bytes;
        let after_id = &rest[self.id_bytes..];
        let len = match self.kinds[kind].content {
            Content::Bytes => {
                let Some(length) = after_id.first_chunk::<LENGTH_BYTES>() else {
                    return Err(cut(self.id_bytes + LENGTH_BYTES));
                };
                LENGTH_BYTES.saturating_add(u32::from_le_bytes(*length) as usize)
            }
            _ => self.kinds[kind].bytes,
        };
        if after_id.len() < len {
            return Err(cut(self.id_bytes.saturating_add(len)));
        }
        if self.id_bytes + len == 0 {
            let reason = "records without a byte";
            return Err(Defect::BadBlock { block: "the data", reason, consequence: "they are not read" });
        }
        self.next = start + len;
        self.left -= 1;
        let place = (start, start + len);
        match &self.kinds[kind].content {
            Content::Other => {}
            Content::Bytes => {
                let offset = self.counted[kind];
                self.counted[kind] += len as u64;
                self.piece(kind, offset, place);
            }
            Content::Frames(layout) => match &layout.payload {
                Some(PayloadAt::Group { offset, record_id }) => {
                    let owner = self.kinds.iter().position(|kind| kind.id == *record_id);
                    match (owner, offset.read(&bytes[start..start + len])) {
                        (Some(owner), Some(offset)) => self.wait(owner, offset, place),
                        _ => self.ready.push_back(Err((self.at(start), Defect::FrameWithoutBytes))),
                    }
                }
                _ => {
                    let item = self.frame(kind, place, None);
                    self.ready.push_back(item);
                }
            },
        }
        Ok(())
    }

    /// Bytes of a variable length have come: whose are they?
    fn piece(&mut self, kind: usize, offset: u64, place: (usize, usize)) {
        let owner = self.waiting.iter().position(|(of, at, _)| (*of, *at) == (kind, offset));
        match owner.and_then(|owner| self.waiting.remove(owner)) {
            Some((_, _, frame)) => self.join(frame, place),
            None => {
                if self.pieces.len() == MAX_WAITING {
                    self.pieces.pop_front();
                }
                self.pieces.push_back((kind, offset, place));
            }
        }
    }

    /// A frame has come whose bytes are elsewhere: are they here already?
    fn wait(&mut self, kind: usize, offset: u64, place: (usize, usize)) {
        let piece = self.pieces.iter().position(|(of, at, _)| (*of, *at) == (kind, offset));
        match piece.and_then(|piece| self.pieces.remove(piece)) {
            Some((_, _, piece)) => self.join(place, piece),
            None => {
                if self.waiting.len() == MAX_WAITING
                    && let Some((_, _, (start, _))) = self.waiting.pop_front()
                {
                    self.ready.push_back(Err((self.at(start), Defect::FrameWithoutBytes)));
                }
                self.waiting.push_back((kind, offset, place));
            }
        }
    }

    fn join(&mut self, frame: (usize, usize), piece: (usize, usize)) {
        // The record's kind is told by the number before it; without one there is a single kind.
        let before = frame.0 - self.id_bytes;
        let id = self.stream.bytes[before..frame.0].iter().rev().fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
        let kind = self.kinds.iter().position(|kind| kind.id == id).unwrap_or(0);
        let item = self.frame(kind, frame, Some(piece));
        self.ready.push_back(item);
    }

    /// Reads a frame from its record; `piece` holds its bytes where those stand in a record of their own.
    fn frame(&self, kind: usize, (start, end): (usize, usize), piece: Option<(usize, usize)>) -> Item {
        let at = self.at(start);
        let record = &self.stream.bytes[start..end];
        let Content::Frames(layout) = &self.kinds[kind].content else { return Err((at, Defect::FrameWithoutBytes)) };
        let payload = || match (&layout.payload, piece) {
            (_, Some((start, end))) => self.stream.bytes.get(start + LENGTH_BYTES..end),
            (Some(PayloadAt::Inline { byte, bytes }), None) => record.get(*byte..byte.checked_add(*bytes)?),
            (Some(PayloadAt::Blocks { offset, .. }), None) => {
                let stream = self.blocks.get(kind)?.as_ref()?;
                let rest = stream.bytes.get(usize::try_from(offset.read(record)?).ok()?..)?;
                let length = u32::from_le_bytes(*rest.first_chunk::<LENGTH_BYTES>()?) as usize;
                rest.get(LENGTH_BYTES..LENGTH_BYTES.checked_add(length)?)
            }
            (_, None) => None,
        };
        let event = read_event(layout, record, payload).ok_or((at, Defect::FrameWithoutBytes))?;
        let (seconds, bus, id, body) = event;
        let at_us = self.start_us as f64 + (seconds * 1e6).round();
        if !(0.0..=LATEST_US as f64).contains(&at_us) {
            let reason = "a time beyond any calendar";
            return Err((at, Defect::BadBlock { block: "a record", reason, consequence: "it is skipped" }));
        }
        Ok(Frame { at, at_us: at_us as i64, bus, id, body })
    }
}

/// Seconds, bus, identifier and content of a record; `None` where a part is missing.
fn read_event<'p>(
    layout: &FrameLayout,
    record: &[u8],
    payload: impl FnOnce() -> Option<&'p [u8]>,
) -> Option<(f64, u8, CanId, Body)> {
    let (offset, factor) = layout.time_line;
    let seconds = offset + factor * layout.time.read_f64(record)?;
    let is_set = |field: &Option<super::layout::Field>| {
        field.as_ref().and_then(|field| field.read(record)).map(|value| value != 0)
    };
    let bus = layout.bus.as_ref().and_then(|field| field.read(record)).unwrap_or(0) as u8;
    if layout.event == Event::Error {
        return Some((seconds, bus, CanId::Extended(0), Body::Error));
    }
    let raw = layout.id?.read(record)?;
    let number = (raw & !EXTENDED_BIT) as u32;
    let is_extended = is_set(&layout.is_extended).unwrap_or(raw & EXTENDED_BIT != 0 || number > 0x7FF);
    let id = CanId::new(number, is_extended)?;
    if layout.event == Event::Remote {
        return Some((seconds, bus, id, Body::Remote));
    }
    let bytes = payload()?;
    let field = layout.length.as_ref().or(layout.length_code.as_ref());
    let announced = field.and_then(|field| field.read(record)).map_or(bytes.len(), |len| len as usize);
    let is_fd = is_set(&layout.is_fd).unwrap_or(false) || bytes.len().min(announced) > CLASSIC_BYTES_MAX;
    let body = if is_fd {
        Body::Fd {
            len: bytes.len().min(FD_BYTES_MAX) as u8,
            flags: u8::from(is_set(&layout.bit_rate_switch) == Some(true)),
        }
    } else {
        Body::Data(Payload::new(bytes.get(..announced.min(CLASSIC_BYTES_MAX))?)?)
    };
    Some((seconds, bus, id, body))
}
