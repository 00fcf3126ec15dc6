//! What the tests know of MQTT 5, packet by packet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::proxy::{Direction, Seen};

const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;

/// Length of the packet at the start, once its head is there.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let (value, size) = variable(bytes.get(1..)?)?;
    Some(1 + size + value)
}

/// A number of one to four bytes, and how many it took.
fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The packet number of a PUBLISH of QoS 1.
pub(crate) fn published(packet: &[u8]) -> Option<u16> {
    let qos = packet[0] >> 1 & 3;
    if packet[0] >> 4 != PUBLISH || qos != 1 {
        return None;
    }
    let (_, size) = variable(&packet[1..])?;
    let topic = &packet[1 + size..];
    let length = usize::from(u16::from_be_bytes(*topic.first_chunk()?));
    Some(u16::from_be_bytes(*topic.get(2 + length..)?.first_chunk()?))
}

/// The packet number of a PUBACK.
pub(crate) fn acknowledged(packet: &[u8]) -> Option<u16> {
    if packet[0] >> 4 != PUBACK {
        return None;
    }
    let (_, size) = variable(&packet[1..])?;
    Some(u16::from_be_bytes(*packet.get(1 + size..)?.first_chunk()?))
}

/// What went over each connection between a broker and a subscriber: deliveries and acknowledgements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<HashMap<usize, Session>>>);

/// What went over one connection, as packet numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) delivered: Vec<u16>,
    pub(crate) acknowledged: Vec<u16>,
}

impl Journal {
    pub(crate) fn note(&self, seen: &Seen<'_>) {
        let mut sessions = self.0.lock().unwrap();
        let session = sessions.entry(seen.connection).or_default();
        match seen.direction {
            Direction::Down => session.delivered.extend(published(seen.packet)),
            Direction::Up => session.acknowledged.extend(acknowledged(seen.packet)),
        }
    }

    pub(crate) fn session(&self, connection: usize) -> Session {
        self.0.lock().unwrap().get(&connection).cloned().unwrap_or_default()
    }

    pub(crate) fn sessions(&self) -> Vec<Session> {
        let sessions = self.0.lock().unwrap();
        (0..=sessions.keys().copied().max().unwrap_or(0))
            .map(|connection| sessions.get(&connection).cloned().unwrap_or_default())
            .collect()
    }
}
