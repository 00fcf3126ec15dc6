//! The macro behind the tables: one line a signal gives both its constant and its row.

/// Writes one group of the catalogue. Each line reads
/// `number NAME = "name", "unit", numerator / denominator, valid low => high, usual low => high, source, column, kinds, behaviour, "meaning";`
macro_rules! signals {
    ($($number:literal $constant:ident = $name:literal, $unit:literal, $numerator:literal / $denominator:literal,
       valid $valid_low:literal => $valid_high:literal, usual $usual_low:literal => $usual_high:literal,
       $source:expr, $column:expr, $kinds:expr, $behaviour:expr, $meaning:literal;)*) => {
        $(
            #[doc = concat!("Signal `", $name, "` (", $unit, "): ", $meaning, ".")]
            pub const $constant: crate::signal::SignalId = crate::signal::SignalId::catalogued($number);
        )*
        pub(super) const SIGNALS: &[crate::signal::Signal] = &[
            $(crate::signal::Signal {
                id: $constant,
                name: $name,
                unit: $unit,
                resolution: crate::signal::Resolution { numerator: $numerator, denominator: $denominator },
                valid: ($valid_low, $valid_high),
                usual: ($usual_low, $usual_high),
                source: $source,
                column: $column,
                kinds: $kinds,
                behaviour: $behaviour,
                meaning: $meaning,
            }),*
        ];
    };
}
pub(super) use signals;
