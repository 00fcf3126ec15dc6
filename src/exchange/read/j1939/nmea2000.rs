//! Messages of NMEA 2000 receivers that share the bus, and ISO 11783 process data: single frames whose values stand
//! in other encodings than J1939's.

/// Position, rapid update.
pub const POSITION: u32 = 129_025;
/// Course and speed over ground, rapid update.
pub const COURSE_AND_SPEED: u32 = 129_026;

const PROCESS_VALUE_COMMAND: u8 = 3;

/// Latitude and longitude in 1e-7 degrees. `None` when either is not available.
pub fn position(data: &[u8]) -> Option<(i32, i32)> {
    let (lat, rest) = data.split_first_chunk::<4>()?;
    let lon = rest.first_chunk::<4>()?;
    let (lat, lon) = (i32::from_le_bytes(*lat), i32::from_le_bytes(*lon));
    (lat != i32::MAX && lon != i32::MAX).then_some((lat, lon))
}

/// Course in degrees from true north, and speed in m/s. A course from magnetic north is left out.
pub fn course_and_speed(data: &[u8]) -> (Option<f64>, Option<f64>) {
    let &[_, reference, course_low, course_high, speed_low, speed_high, ..] = data else {
        return (None, None);
    };
    let measured = |low, high| Some(u16::from_le_bytes([low, high])).filter(|&raw| raw < 0xFFFD).map(f64::from);
    let course = measured(course_low, course_high).filter(|_| reference & 3 == 0);
    (course.map(|raw| (raw * 1e-4).to_degrees()), measured(speed_low, speed_high).map(|raw| raw * 0.01))
}

/// A process data value: device element number, data dictionary identifier, raw value. `None` for other commands.
pub fn process_value(data: &[u8]) -> Option<(u16, u16, i32)> {
    let &[command, element, ddi_low, ddi_high, a, b, c, d] = data else { return None };
    let number = u16::from(command >> 4) | u16::from(element) << 4;
    let is_value = command & 0x0F == PROCESS_VALUE_COMMAND;
    is_value.then_some((number, u16::from_le_bytes([ddi_low, ddi_high]), i32::from_le_bytes([a, b, c, d])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_tells_position_course_and_speed() {
        let tomsk = [565_000_000_i32.to_le_bytes(), 849_700_000_i32.to_le_bytes()].concat();
        assert_eq!(position(&tomsk), Some((565_000_000, 849_700_000)));
        assert_eq!(position(&[0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0]), None);
        let (course, speed) = course_and_speed(&[0, 0xFC, 0x5C, 0x3D, 0xF4, 0x01, 0xFF, 0xFF]);
        assert_eq!((course.map(f64::round), speed), (Some(90.0), Some(5.0)));
        assert_eq!(course_and_speed(&[0, 0xFD, 0x5C, 0x3D, 0xFF, 0xFF]), (None, None));
    }

    #[test]
    fn process_data_tells_element_identifier_and_value() {
        assert_eq!(process_value(&[0x13, 0x02, 0x8D, 0x00, 1, 0, 0, 0]), Some((0x21, 141, 1)));
        assert_eq!(process_value(&[0x12, 0x02, 0x8D, 0x00, 1, 0, 0, 0]), None);
    }
}
