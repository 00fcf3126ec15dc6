//! What attributes hold: numbers of many sizes, dates and times.

use jiff::fmt::temporal::{Pieces, PiecesOffset};

use super::model::IsoDateTime;

/// A date and time as XML Schema writes it; a date alone is midnight.
pub(super) fn parse_date_time(text: &str) -> Option<IsoDateTime> {
    let pieces = Pieces::parse(text).ok()?;
    let civil = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    let offset = pieces.offset().and_then(|offset| match offset {
        PiecesOffset::Numeric(numeric) => Some(numeric.offset()),
        PiecesOffset::Zulu => Some(jiff::tz::Offset::UTC),
        _ => None,
    });
    Some(IsoDateTime { civil, offset })
}

/// Numbers that attributes hold.
pub(super) trait Number: Sized {
    fn parse(text: &str) -> Option<Self>;
    fn from_f64(value: f64) -> Option<Self>;
}

macro_rules! whole_number {
    ($($t:ty),*) => {$(impl Number for $t {
        fn parse(text: &str) -> Option<Self> {
            text.parse().ok()
        }
        fn from_f64(value: f64) -> Option<Self> {
            let whole = value.round();
            (whole >= <$t>::MIN as f64 && whole <= <$t>::MAX as f64).then_some(whole as $t)
        }
    })*};
}
whole_number!(u8, u16, u64, i64);

impl Number for f64 {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }
    fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(value)
    }
}
