//! The 29-bit identifier: priority, parameter group, addresses (SAE J1939-21).

/// Destination of messages to all.
pub const BROADCAST: u8 = 0xFF;
/// From this PDU format on, the second byte belongs to the group; below it is the destination.
const PDU2_FORMAT: u8 = 240;

/// Parameter groups that are more than a row of values.
pub mod pgn {
    /// Transport protocol, data transfer.
    pub const TP_DT: u32 = 60_160;
    /// Transport protocol, connection management.
    pub const TP_CM: u32 = 60_416;
    /// Active trouble codes.
    pub const DM1: u32 = 65_226;
    /// Previously active trouble codes.
    pub const DM2: u32 = 65_227;
    /// Component identification.
    pub const COMPONENT_ID: u32 = 65_259;
    /// Vehicle identification.
    pub const VEHICLE_ID: u32 = 65_260;
    /// ISO 11783 process data.
    pub const PROCESS_DATA: u32 = 51_968;
}

/// What a frame is about, who sent it, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// 0 is the most urgent, 7 the least.
    pub priority: u8,
    /// Parameter group number.
    pub pgn: u32,
    /// Address of the sender.
    pub source: u8,
    /// Address of the receiver; [`BROADCAST`] for all, and for groups that have none.
    pub destination: u8,
}

impl Id {
    /// Takes an identifier of 29 bits apart.
    pub fn from_extended(id: u32) -> Self {
        let format = (id >> 16) as u8;
        let specific = (id >> 8) as u8;
        // Extended data page, data page, format.
        let group = id >> 8 & 0x3_FF00;
        let is_addressed = format < PDU2_FORMAT;
        Self {
            priority: (id >> 26 & 7) as u8,
            pgn: if is_addressed { group } else { group | u32::from(specific) },
            source: id as u8,
            destination: if is_addressed { specific } else { BROADCAST },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: u32, priority: u8, pgn: u32, source: u8, destination: u8) {
        assert_eq!(Id::from_extended(id), Id { priority, pgn, source, destination });
    }

    #[test]
    fn a_broadcast_group_includes_its_second_byte() {
        check(0x0CF0_0400, 3, 61_444, 0x00, BROADCAST);
        check(0x18FE_F147, 6, 65_265, 0x47, BROADCAST);
    }

    #[test]
    fn an_addressed_group_names_its_destination_there() {
        check(0x1CEC_FF00, 7, pgn::TP_CM, 0x00, BROADCAST);
        check(0x18EB_2103, 6, pgn::TP_DT, 0x03, 0x21);
        check(0x14CB_F7F0, 5, pgn::PROCESS_DATA, 0xF0, 0xF7);
    }

    #[test]
    fn the_data_page_is_part_of_the_group() {
        check(0x09F8_0121, 2, 129_025, 0x21, BROADCAST);
    }
}
