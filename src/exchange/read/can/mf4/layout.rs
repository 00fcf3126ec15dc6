//! What the file says of itself: which groups hold CAN frames, and where in a record each part of a frame stands.

use super::super::super::At;
use super::super::Defect;
use super::blocks::Block;
use super::data;

/// Blocks followed in one list; a made-up file may link a list to itself.
const MAX_LISTED: usize = 4_096;
/// Depth of channels within channels.
const MAX_DEPTH: usize = 4;
/// Bytes of the identification block.
const ID_BYTES: usize = 64;
/// Unfinalised: the length of the last data block was never written.
const LENGTH_MISSING: u16 = 1 << 2;
/// The start time is local, without saying where.
const START_IS_LOCAL: u8 = 1;
/// A group that holds the bytes of a channel of variable length.
const GROUP_OF_BYTES: u16 = 1;
/// Units at the beginning of a `##CC` block: kind 1 is a straight line.
const LINEAR: u8 = 1;

/// What a file holds of CAN.
pub(super) struct Layout<'a> {
    /// When its times begin to count, microseconds since 1970 UTC.
    pub(super) start_us: i64,
    /// The recorder never put the file in order.
    pub(super) is_unfinished: bool,
    /// Data groups with CAN frames.
    pub(super) groups: Vec<DataGroup<'a>>,
}

/// Records of one or several kinds in one stream.
pub(super) struct DataGroup<'a> {
    /// Bytes before each record that tell its kind: 0, 1, 2, 4, 8.
    pub(super) id_bytes: usize,
    /// The kinds of records.
    pub(super) kinds: Vec<RecordKind>,
    /// The stream.
    pub(super) data: data::Source<'a>,
}

/// A channel group.
pub(super) struct RecordKind {
    /// Number before its records.
    pub(super) id: u64,
    /// Bytes of one, without the number.
    pub(super) bytes: usize,
    /// Records of this kind, where the file was finished and says so.
    pub(super) count: Option<u64>,
    /// What it is.
    pub(super) content: Content,
}

/// What records of a group are.
pub(super) enum Content {
    /// CAN frames.
    Frames(Box<FrameLayout>),
    /// Bytes of a channel of variable length: a length, then so many bytes.
    Bytes,
    /// Something else; only its length matters.
    Other,
}

/// Where the parts of a frame stand.
pub(super) struct FrameLayout {
    pub(super) event: Event,
    /// Seconds = offset + factor × number.
    pub(super) time: Field,
    pub(super) time_line: (f64, f64),
    /// Error frames have none.
    pub(super) id: Option<Field>,
    pub(super) is_extended: Option<Field>,
    pub(super) is_fd: Option<Field>,
    pub(super) bit_rate_switch: Option<Field>,
    pub(super) bus: Option<Field>,
    pub(super) length: Option<Field>,
    pub(super) length_code: Option<Field>,
    pub(super) payload: Option<PayloadAt>,
}

/// The kinds of events of a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Data,
    Remote,
    Error,
}

/// A number in a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    byte: usize,
    bit: u8,
    bits: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Little,
    Big,
    Float,
}

/// Where a frame's bytes are.
#[derive(Debug, Clone)]
pub(super) enum PayloadAt {
    /// In the record.
    Inline { byte: usize, bytes: usize },
    /// In the records of another group of the same stream, by the offset that the field holds.
    Group { offset: Field, record_id: u64 },
    /// In a block of their own, by the offset that the field holds.
    Blocks { offset: Field, at: u64 },
}

impl Field {
    /// The number in a record; `None` where the record is too short or the field no number.
    pub(super) fn read(&self, record: &[u8]) -> Option<u64> {
        if self.bits > u64::BITS {
            return None;
        }
        let bytes = (usize::from(self.bit) + self.bits as usize).div_ceil(8);
        let span = record.get(self.byte..self.byte + bytes)?;
        let fold = |all: u128, byte: &u8| all << 8 | u128::from(*byte);
        let all = match self.form {
            Form::Big => span.iter().fold(0, fold),
            Form::Little | Form::Float => span.iter().rev().fold(0, fold),
        };
        Some((all >> self.bit & ((1_u128 << self.bits) - 1)) as u64)
    }

    /// The same as a number with a fraction.
    pub(super) fn read_f64(&self, record: &[u8]) -> Option<f64> {
        let raw = self.read(record)?;
        Some(match (self.form, self.bits) {
            (Form::Float, 32) => f32::from_bits(raw as u32).into(),
            (Form::Float, _) => f64::from_bits(raw),
            _ => raw as f64,
        })
    }
}

/// Reads what the file says of itself.
pub(super) fn read<'a>(file: &'a [u8], defects: &mut Vec<(At, Defect)>) -> Result<Layout<'a>, (At, Defect)> {
    let broken = |block, reason| {
        let defect = Defect::BadBlock { block, reason, consequence: "nothing of the file can be read" };
        (At::File, defect)
    };
    let id = file.get(..ID_BYTES).ok_or(broken("the identification", "the file is too short"))?;
    if id[8] != b'4' {
        return Err(broken("the identification", "only version 4 of MDF holds bus logging"));
    }
    let is_unfinished = id.starts_with(b"UnFinMF");
    let flags = if is_unfinished { u16::from_le_bytes([id[60], id[61]]) } else { 0 };
    let header =
        Block::at(file, ID_BYTES as u64, &[b"##HD"]).ok_or(broken("the header", "it is not where it must be"))?;
    let start_us = start_us(&header).ok_or(broken("the header", "it has no start time"))?;
    let mut layout = Layout { start_us, is_unfinished, groups: Vec::new() };
    let mut next = header.link(0);
    for _ in 0..MAX_LISTED {
        if next == 0 {
            break;
        }
        let Some(block) = Block::at(file, next, &[b"##DG"]) else {
            let consequence = "groups behind it are not read";
            let reason = "a link leads nowhere";
            defects.push((At::Byte(next), Defect::BadBlock { block: "a data group", reason, consequence }));
            break;
        };
        let to_end = flags & LENGTH_MISSING != 0 && block.link(0) == 0;
        layout.groups.extend(data_group(file, &block, is_unfinished, to_end, defects));
        next = block.link(0);
    }
    if layout.groups.is_empty() {
        defects.push((At::File, Defect::NoBusLogging("no group of CAN_DataFrame records")));
    }
    Ok(layout)
}

fn start_us(header: &Block<'_>) -> Option<i64> {
    let start_us = i64::try_from(header.u64(0)? / 1000).ok()?;
    let offset_min = |at| header.u16(at).map(|min| i64::from(min.cast_signed()));
    // A local time is of the zone beside it, where there is one.
    let is_local = header.u8(12)? & START_IS_LOCAL != 0;
    let offset_us = if is_local { (offset_min(8)? + offset_min(10)?) * 60_000_000 } else { 0 };
    Some(start_us - offset_us)
}

/// A data group, when any of its records are CAN frames.
fn data_group<'a>(
    file: &'a [u8],
    block: &Block<'a>,
    is_unfinished: bool,
    to_end: bool,
    defects: &mut Vec<(At, Defect)>,
) -> Option<DataGroup<'a>> {
    let id_bytes = usize::from(block.u8(0)?);
    let mut kinds = Vec::new();
    let mut next = block.link(1);
    while next != 0 && kinds.len() < MAX_LISTED {
        let Some(group) = Block::at(file, next, &[b"##CG"]) else { break };
        kinds.push(record_kind(file, &group, is_unfinished)?);
        next = group.link(0);
    }
    if !kinds.iter().any(|kind| matches!(kind.content, Content::Frames(_))) {
        return None;
    }
    if !matches!(id_bytes, 0 | 1 | 2 | 4 | 8) || (id_bytes == 0 && kinds.len() > 1) {
        let reason = "its records cannot be told apart";
        let consequence = "its frames are missing";
        defects.push((At::Byte(block.at as u64), Defect::BadBlock { block: "a data group", reason, consequence }));
        return None;
    }
    Some(DataGroup { id_bytes, kinds, data: data::Source::new(file, block.link(2), to_end) })
}

fn record_kind(file: &[u8], group: &Block<'_>, is_unfinished: bool) -> Option<RecordKind> {
    let (id, flags) = (group.u64(0)?, group.u16(16)?);
    let bytes = group.u32(24)? as usize + group.u32(28)? as usize;
    let content = if flags & GROUP_OF_BYTES != 0 {
        Content::Bytes
    } else {
        frame_layout(file, group).map_or(Content::Other, |layout| Content::Frames(Box::new(layout)))
    };
    let count = group.u64(8).filter(|count| !is_unfinished && *count > 0);
    Some(RecordKind { id, bytes, count, content })
}

/// A channel with what matters of it.
struct Channel<'a> {
    name: &'a str,
    block: Block<'a>,
    field: Field,
}

fn frame_layout(file: &[u8], group: &Block<'_>) -> Option<FrameLayout> {
    let mut channels = Vec::new();
    collect(file, group.link(1), MAX_DEPTH, &mut channels);
    let event = [("CAN_DataFrame", Event::Data), ("CAN_RemoteFrame", Event::Remote), ("CAN_ErrorFrame", Event::Error)]
        .into_iter()
        .find(|(name, _)| channels.iter().any(|channel| channel.name.starts_with(name)))?
        .1;
    // Names are CAN_DataFrame.ID, with a number of the bus behind the first part in some tools.
    let find = |part: &str| channels.iter().find(|c| c.name.rsplit('.').next() == Some(part) && c.name.contains('.'));
    let field = |part: &str| find(part).map(|channel| channel.field);
    let time = channels.iter().find(|channel| channel.is_time())?;
    let payload = find("DataBytes").map(|channel| {
        let offset = channel.field;
        match Block::at(file, channel.block.link(5), &[b"##CG", b"##SD", b"##DL", b"##HL", b"##DZ"]) {
            Some(group) if group.id() == b"##CG" => PayloadAt::Group { offset, record_id: group.u64(0).unwrap_or(0) },
            Some(signal_data) => PayloadAt::Blocks { offset, at: signal_data.at as u64 },
            None => PayloadAt::Inline { byte: offset.byte, bytes: (offset.bits / 8) as usize },
        }
    });
    Some(FrameLayout {
        event,
        time: time.field,
        time_line: time.line(),
        id: field("ID"),
        is_extended: field("IDE"),
        is_fd: field("EDL"),
        bit_rate_switch: field("BRS"),
        bus: field("BusChannel"),
        length: field("DataLength"),
        length_code: field("DLC"),
        payload,
    })
}

/// Channels of a list and of those within them.
fn collect<'a>(file: &'a [u8], first: u64, depth: usize, into: &mut Vec<Channel<'a>>) {
    let mut next = first;
    while next != 0 && into.len() < MAX_LISTED {
        let Some(block) = Block::at(file, next, &[b"##CN"]) else { return };
        if let Some(channel) = Channel::new(block) {
            into.push(channel);
        }
        if depth > 0 {
            collect(file, block.link(1), depth - 1, into);
        }
        next = block.link(0);
    }
}

impl<'a> Channel<'a> {
    fn new(block: Block<'a>) -> Option<Self> {
        let form = match block.u8(2)? {
            0 | 2 => Form::Little,
            1 | 3 => Form::Big,
            4 => Form::Float,
            // Texts and arrays of bytes: where they stand is all that matters.
            _ => Form::Little,
        };
        let (bit, byte, bits) = (block.u8(3)?, block.u32(4)? as usize, block.u32(8)?);
        let name = block.text(2).unwrap_or("");
        Some(Self { name, block, field: Field { byte, bit: bit.min(7), bits, form } })
    }

    /// Whether this is the time of the records: the master channel, in seconds.
    fn is_time(&self) -> bool {
        const MASTER: u8 = 2;
        const TIME: u8 = 1;
        self.block.u8(0) == Some(MASTER) && self.block.u8(1) == Some(TIME)
    }

    /// The straight line from number to seconds.
    fn line(&self) -> (f64, f64) {
        let conversion = self.block.follow(4, &[b"##CC"]).filter(|conversion| conversion.u8(0) == Some(LINEAR));
        conversion.and_then(|c| Some((c.f64(24)?, c.f64(32)?))).unwrap_or((0.0, 1.0))
    }
}
