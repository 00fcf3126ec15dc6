//! What the tests know of PostgreSQL's protocol.

use super::proxy::{Direction, Seen};

/// Whether the client asks to commit.
pub(crate) fn is_commit(seen: &Seen<'_>) -> bool {
    seen.direction == Direction::Up && seen.packet == b"Q\0\0\0\x0bCOMMIT\0"
}

/// Whether the server says that it has committed.
pub(crate) fn is_committed(seen: &Seen<'_>) -> bool {
    seen.direction == Direction::Down && seen.packet == b"C\0\0\0\x0bCOMMIT\0"
}

/// Whether rows are being sent.
pub(crate) fn is_copy_data(seen: &Seen<'_>) -> bool {
    seen.direction == Direction::Up && seen.packet.first() == Some(&b'd')
}
