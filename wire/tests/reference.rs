//! The catalogue against the published data dictionary of ISO 11783-11.

use std::collections::HashMap;

use serde::Deserialize;
use wire::{Source, catalogue};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    name: String,
    unit: String,
    bit_resolution: f64,
}

/// How many of our units one unit of the dictionary is, as an exact fraction.
const UNITS: [(&str, &str, f64, f64); 23] = [
    ("n.a.", "enum", 1.0, 1.0),
    ("#", "count", 1.0, 1.0),
    ("%", "%", 1.0, 1.0),
    ("ppm", "%", 1.0, 1e4),
    ("h", "h", 1.0, 1.0),
    ("s", "s", 1.0, 1.0),
    ("ms", "ms", 1.0, 1.0),
    ("ms", "s", 1.0, 1e3),
    ("mm", "mm", 1.0, 1.0),
    ("mm", "m", 1.0, 1e3),
    ("mm/s", "m/s", 1.0, 1e3),
    ("m²", "m²", 1.0, 1.0),
    ("mK", "mK", 1.0, 1.0),
    ("kg", "kg", 1.0, 1.0),
    ("g", "kg", 1.0, 1e3),
    ("mg/s", "kg/s", 1.0, 1e6),
    // A hectare is 1e4 m², a tonne 1e9 mg.
    ("mg/m²", "t/ha", 1.0, 1e5),
    ("mg/m²", "kg/ha", 1.0, 1e2),
    ("ml", "L", 1.0, 1e3),
    ("mm³/m²", "L/ha", 1.0, 1e2),
    ("mm³/s", "mm³/s", 1.0, 1.0),
    ("r/min", "rpm", 1.0, 1.0),
    ("/s", "1/s", 1.0, 1.0),
];

#[test]
fn every_process_data_signal_has_the_resolution_and_unit_of_the_dictionary() {
    let Some(path) = test_support::recording("reference/isobus_ddi_entities.json") else { return };
    let text = std::fs::read_to_string(path).expect("the dictionary is readable");
    let dictionary: HashMap<u16, Entity> = serde_json::from_str(&text).expect("the dictionary is JSON");
    let mut compared = 0;
    for signal in catalogue::all() {
        let Source::Ddi(ddi) = signal.source else { continue };
        let entity = dictionary.get(&ddi).unwrap_or_else(|| panic!("{} names DDI {ddi}, which is none", signal.name));
        let (_, _, ours, theirs) = UNITS
            .iter()
            .find(|(dictionary, catalogue, ..)| (*dictionary, *catalogue) == (entity.unit.as_str(), signal.unit))
            .unwrap_or_else(|| panic!("{}: {} against {} of {:?}", signal.name, signal.unit, entity.unit, entity.name));
        let step = f64::from(signal.resolution.numerator) / f64::from(signal.resolution.denominator);
        let expected = entity.bit_resolution * ours / theirs;
        assert!((step / expected - 1.0).abs() < 1e-12, "{}: {step} {}, not {expected}", signal.name, signal.unit);
        compared += 1;
    }
    assert!(compared >= 60, "only {compared} signals were compared");
}

#[test]
fn raw_integers_of_process_data_are_those_of_the_bus() {
    // One step of the wire is one step of the bus, so a gateway copies the value of a process data message.
    assert_eq!(catalogue::CROP_FLOW_KGPS.raw(9.4), Some(9_400_000));
    assert_eq!(catalogue::ACTUAL_WORKING_WIDTH_M.raw(6.1), Some(6_100));
    assert_eq!(catalogue::YIELD_WET_TPHA.raw(2.6), Some(260_000));
}
