//! The signal catalogue: every signal the fleet reports, one row each.
//!
//! Decoding, validation, the database schema, labels and the simulator all read this table, so they cannot
//! disagree about a unit, a resolution or a range. Numbers are part of the wire format: a number once used
//! keeps its meaning for ever.
//!
//! SPN, DDI and resolutions follow SAE J1939-71 and ISO 11783-11; the valid ranges are physical limits
//! chosen by this project (beyond them a reading is no measurement), the usual ranges are what a healthy
//! machine of the fleet shows.

mod aftertreatment;
mod driveline;
mod electrical;
mod engine;
mod harvest;
mod hitch;
mod other;
mod position;
mod table;
mod work;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use aftertreatment::*;
pub use driveline::*;
pub use electrical::*;
pub use engine::*;
pub use harvest::*;
pub use hitch::*;
pub use other::*;
pub use position::*;
pub use work::*;

use crate::signal::{Column, Signal, SignalId, Source};

const GROUPS: [&[Signal]; 9] = [
    position::SIGNALS,
    engine::SIGNALS,
    electrical::SIGNALS,
    driveline::SIGNALS,
    aftertreatment::SIGNALS,
    hitch::SIGNALS,
    work::SIGNALS,
    harvest::SIGNALS,
    other::SIGNALS,
];

/// One past the greatest number a catalogued signal may have.
pub(crate) const CATALOGUE_END: usize = 1_024;

struct Catalogue {
    by_number: Vec<Option<&'static Signal>>,
    by_name: HashMap<&'static str, &'static Signal>,
    by_source: HashMap<Source, &'static Signal>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut by_number = vec![None; CATALOGUE_END];
    let mut by_name = HashMap::new();
    let mut by_source = HashMap::new();
    for signal in all() {
        by_number[signal.id.number() as usize] = Some(signal);
        by_name.insert(signal.name, signal);
        by_source.insert(signal.source, signal);
    }
    Catalogue { by_number, by_name, by_source }
});

/// Every signal, in the order of their numbers.
pub fn all() -> impl Iterator<Item = &'static Signal> {
    GROUPS.into_iter().flatten()
}

/// The signals that have a column of their own in the `sample` table, in column order.
pub fn wide() -> impl Iterator<Item = &'static Signal> {
    all().filter(|signal| matches!(signal.column, Column::Wide(_)))
}

/// The row of a catalogued signal; none for raw identifiers and unknown numbers.
pub fn find(id: SignalId) -> Option<&'static Signal> {
    CATALOGUE.by_number.get(id.number() as usize).copied().flatten()
}

/// The signal called `name` (`engine_speed_rpm`).
pub fn by_name(name: &str) -> Option<&'static Signal> {
    CATALOGUE.by_name.get(name).copied()
}

/// The signal that carries a J1939 suspect parameter number.
pub fn by_spn(spn: u32) -> Option<&'static Signal> {
    CATALOGUE.by_source.get(&Source::Spn(spn)).copied()
}

/// The signal that carries an ISO 11783-11 data dictionary identifier.
pub fn by_ddi(ddi: u16) -> Option<&'static Signal> {
    CATALOGUE.by_source.get(&Source::Ddi(ddi)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_names_and_sources_are_unique_and_numbers_ascend() {
        let signals: Vec<_> = all().collect();
        assert!(signals.windows(2).all(|pair| pair[0].id < pair[1].id), "numbers ascend");
        let names: HashSet<_> = signals.iter().map(|s| s.name).collect();
        assert_eq!(names.len(), signals.len(), "names are unique");
        let sources: Vec<_> = signals.iter().map(|s| s.source).filter(|s| *s != Source::Project).collect();
        assert_eq!(sources.iter().collect::<HashSet<_>>().len(), sources.len(), "sources are unique");
        assert!(signals.last().is_some_and(|s| (s.id.number() as usize) < CATALOGUE_END));
    }

    #[test]
    fn the_usual_range_of_a_signal_touches_its_valid_range() {
        for signal in all() {
            assert!(signal.valid.0 < signal.valid.1, "{}", signal.name);
            assert!(signal.usual.0 <= signal.usual.1, "{}", signal.name);
            assert!(signal.usual.0 <= signal.valid.1 && signal.usual.1 >= signal.valid.0, "{}", signal.name);
        }
    }

    #[test]
    fn a_value_at_its_resolution_survives_raw_and_back() {
        for signal in all() {
            for physical in [signal.valid.0, signal.usual.0, signal.usual.1, signal.valid.1] {
                let raw = signal.resolution.raw(physical).expect("the catalogue's own limits fit");
                let back = signal.resolution.physical(raw);
                let step = f64::from(signal.resolution.numerator) / f64::from(signal.resolution.denominator);
                assert!(
                    (back - physical).abs() <= step / 2.0 + physical.abs() * 1e-12,
                    "{} {physical} {back}",
                    signal.name
                );
            }
        }
    }

    #[test]
    fn look_ups_find_what_the_table_holds() {
        assert_eq!(by_spn(190).map(|s| s.id), Some(ENGINE_SPEED_RPM));
        assert_eq!(by_ddi(141).map(|s| s.id), Some(ACTUAL_WORK_STATE));
        assert_eq!(by_name("coolant_temp_c").map(|s| s.id), Some(COOLANT_TEMP_C));
        assert_eq!(find(LATITUDE_DEG).map(|s| s.name), Some("latitude_deg"));
        assert!(find(SignalId::raw_ddi(0xea60)).is_none());
        assert_eq!(wide().count(), 27);
    }
}
