//! The twelve bytes before everything else, and the header behind them.

use bincode::{BorrowDecode, Encode, config};

use super::describe;
use crate::check::check_run;
use crate::error::DecodeError;
use crate::frame::{Header, Kind};
use crate::identity::{BootId, MachineSerial};
use crate::limits::MAX_SERIAL_BYTES;

const MAGIC: [u8; 2] = *b"PV";
const VERSION: u8 = 1;
const FLAG_ZSTD: u8 = 1;
const ENVELOPE_BYTES: usize = 12;

#[derive(Encode, BorrowDecode)]
struct WireHeader<'a> {
    machine: &'a str,
    boot: u64,
    first_sequence: u64,
    count: u32,
    age_ms: u64,
}

/// What the envelope and the header say, and where the body is.
pub(super) struct Opened<'a> {
    pub(super) kind: Kind,
    pub(super) compressed: bool,
    pub(super) header: Header,
    pub(super) body: &'a [u8],
}

/// Puts envelope and header before a body that is already packed.
pub(super) fn seal(header: &Header, kind: Kind, compressed: bool, body: &[u8]) -> Vec<u8> {
    let header = WireHeader {
        machine: header.machine.as_str(),
        boot: header.boot.as_u64(),
        first_sequence: header.first_sequence,
        count: header.count,
        age_ms: header.age_ms,
    };
    let flags = if compressed { FLAG_ZSTD } else { 0 };
    let mut bytes = vec![MAGIC[0], MAGIC[1], VERSION, kind as u8, flags, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(super::to_bytes(&header));
    bytes.extend_from_slice(body);
    let checksum = checksum(&bytes);
    bytes[8..ENVELOPE_BYTES].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads and checks envelope and header.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, DecodeError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(DecodeError::Magic { first: bytes.iter().take(4).copied().collect() });
    }
    if bytes.len() < ENVELOPE_BYTES {
        return Err(DecodeError::Header(format!("{} bytes; the envelope alone has {ENVELOPE_BYTES}", bytes.len())));
    }
    // The version comes before the checksum: another version may check its bytes in another way.
    if bytes[2] != VERSION {
        return Err(DecodeError::Version(bytes[2]));
    }
    let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    let computed = checksum(bytes);
    if found != computed {
        return Err(DecodeError::Checksum { found, computed });
    }
    let (flags, reserved) = (bytes[4], [bytes[5], bytes[6], bytes[7]]);
    if flags & !FLAG_ZSTD != 0 || reserved != [0; 3] {
        return Err(DecodeError::Flags { flags, reserved });
    }
    let kind = match bytes[3] {
        1 => Kind::Telemetry,
        2 => Kind::Faults,
        3 => Kind::Task,
        other => return Err(DecodeError::UnknownKind(other)),
    };
    let (header, body) = read_header(&bytes[ENVELOPE_BYTES..])?;
    Ok(Opened { kind, compressed: flags & FLAG_ZSTD != 0, header, body })
}

/// CRC-32C over everything but the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[ENVELOPE_BYTES..])
}

fn read_header(content: &[u8]) -> Result<(Header, &[u8]), DecodeError> {
    // The limit counts decoded sizes: the serial and four numbers.
    const LIMIT: usize = MAX_SERIAL_BYTES + 64;
    let (header, consumed): (WireHeader<'_>, usize) =
        bincode::borrow_decode_from_slice(content, config::standard().with_limit::<LIMIT>())
            .map_err(|error| DecodeError::Header(describe(&error)))?;
    check_run(header.first_sequence, u64::from(header.count)).map_err(DecodeError::Header)?;
    let header = Header {
        machine: MachineSerial::parse(header.machine)?,
        boot: BootId::new(header.boot)?,
        first_sequence: header.first_sequence,
        count: header.count,
        age_ms: header.age_ms,
    };
    Ok((header, &content[consumed..]))
}
