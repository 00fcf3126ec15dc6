//! Who a machine and its parts are, in text between asterisks. Controllers pad these texts with whatever lies in
//! their memory, so only what can be read counts.

/// Longest identification kept; the standard allows 200 characters.
const MAX_TEXT: usize = 200;

/// What a component says about itself (PGN 65259).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentId {
    /// Maker's five letters.
    pub make: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Number of the unit among the owner's.
    pub unit: Option<String>,
}

/// The vehicle identification (PGN 65260): letters, digits, `-`, `.`, `_`, `/` and blanks, up to `*` or to the first
/// byte of another kind, which no maker puts into a serial. `None` when nothing of that stands there.
pub fn vehicle_id(data: &[u8]) -> Option<String> {
    let is_of_serial = |b: &&u8| b.is_ascii_alphanumeric() || b"-._/ ".contains(b);
    let len = data.iter().take_while(is_of_serial).count();
    readable(&data[..len])
}

/// The component identification (PGN 65259): make, model, serial and unit, each ended by `*`.
pub fn component_id(data: &[u8]) -> ComponentId {
    let mut fields = data.split(|&b| b == b'*').map(readable);
    let mut next = || fields.next().flatten();
    ComponentId { make: next(), model: next(), serial: next(), unit: next() }
}

fn readable(field: &[u8]) -> Option<String> {
    let text = field.iter().take_while(|b| matches!(b, b' '..=b'~')).take(MAX_TEXT);
    let text: String = text.map(|&b| char::from(b)).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &[u8], expected: Option<&str>) {
        assert_eq!(vehicle_id(data).as_deref(), expected);
    }

    #[test]
    fn a_vehicle_id_ends_at_the_asterisk_or_where_text_ends() {
        check(b"1L06130RELP969468*", Some("1L06130RELP969468"));
        check(b"1L06130RELP969468\x00\xA7\x13*", Some("1L06130RELP969468"));
        check(b"1L06130RELP969468>,\x05)]\x07*", Some("1L06130RELP969468"));
        check(b"  ABC  *second*", Some("ABC"));
        check(b"ABC", Some("ABC"));
    }

    #[test]
    fn an_unreadable_vehicle_id_is_none() {
        check(b"", None);
        check(b"*", None);
        check(b"\xFF\xFF\xFF\xFF*", None);
    }

    #[test]
    fn a_component_names_make_model_serial_and_unit() {
        let id = component_id(b"DEERE*6068*CD6068\xFF123**");
        assert_eq!(id.make.as_deref(), Some("DEERE"));
        assert_eq!(id.model.as_deref(), Some("6068"));
        assert_eq!(id.serial.as_deref(), Some("CD6068"));
        assert_eq!(id.unit, None);
    }
}
