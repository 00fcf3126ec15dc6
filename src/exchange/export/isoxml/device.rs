//! Device descriptions: what a machine says it measures, as a task controller would have read it from the machine.

use wire::catalogue;

use super::log::Column;
use super::xml::{Xml, text};

/// Index of the element of the machine itself.
pub(super) const MACHINE_ELEMENT: usize = 0;
/// Index of the element of what Polevod worked out where the machine reports nothing.
pub(super) const DERIVED_ELEMENT: usize = 1;
/// Object numbers: elements from 1, presentations and process data behind them.
const FIRST_OBJECT: u16 = 10;
/// Trigger methods: by time; on change; total.
const BY_TIME: u8 = 1;
const ON_CHANGE: u8 = 8;
const TOTAL: u8 = 16;
/// Property: belongs to the default set.
const DEFAULT_SET: u8 = 1;
/// Element types.
const DEVICE: &str = "1";
const FUNCTION: &str = "2";
/// Identifiers of the totals that a task carries.
const TOTALS: [u16; 13] = [80, 81, 90, 116, 117, 118, 119, 120, 148, 183, 262, 316, 317];

/// Writes the elements, process data and presentations of a machine that logs `columns`.
pub(super) fn write(xml: &mut Xml, elements: &[String; 2], columns: &[Column]) {
    let mut process: Vec<(usize, u16)> = columns.iter().map(|column| (column.element, column.ddi)).collect();
    process.extend(TOTALS.map(|ddi| (MACHINE_ELEMENT, ddi)));
    process.sort_unstable();
    process.dedup();
    let object_of = |index: usize| FIRST_OBJECT + u16::try_from(2 * index).unwrap_or(u16::MAX);
    for (number, id) in elements.iter().enumerate() {
        let (kind, name, parent) =
            if number == MACHINE_ELEMENT { (DEVICE, "Machine", "0") } else { (FUNCTION, "Polevod", "1") };
        xml.open(
            "DET",
            &[
                ("A", text(id)),
                ("B", Some((number + 1).to_string())),
                ("C", text(kind)),
                ("D", text(name)),
                ("E", Some(number.to_string())),
                ("F", text(parent)),
            ],
        );
        for (index, _) in process.iter().enumerate().filter(|(_, (element, _))| *element == number) {
            xml.empty("DOR", &[("A", Some(object_of(index).to_string()))]);
        }
        xml.close("DET");
    }
    for (index, (_, ddi)) in process.iter().enumerate() {
        let is_total = TOTALS.contains(ddi) || columns.iter().any(|column| column.ddi == *ddi && column.is_total);
        let triggers = if is_total { TOTAL | ON_CHANGE } else { BY_TIME };
        let known = catalogue::by_ddi(*ddi);
        xml.empty(
            "DPD",
            &[
                ("A", Some(object_of(index).to_string())),
                ("B", Some(format!("{ddi:04X}"))),
                ("C", Some(DEFAULT_SET.to_string())),
                ("D", Some(triggers.to_string())),
                ("E", known.map(|signal| super::registry::shortened(signal.name))),
                ("F", Some((object_of(index) + 1).to_string())),
            ],
        );
    }
    for (index, (_, ddi)) in process.iter().enumerate() {
        let known = catalogue::by_ddi(*ddi);
        let resolution = known.map(|signal| signal.resolution);
        let scale = resolution.map_or(1.0, |resolution| resolution.physical(1));
        let unit = known.map(|signal| signal.unit).filter(|unit| !matches!(*unit, "enum" | "switch" | "count" | "1"));
        let decimals = (0..9).find(|decimals| scale * 10_f64.powi(*decimals) >= 1.0 - 1e-9).unwrap_or(9);
        xml.empty(
            "DVP",
            &[
                ("A", Some((object_of(index) + 1).to_string())),
                ("B", text("0")),
                ("C", Some(scale.to_string())),
                ("D", Some(decimals.to_string())),
                ("E", unit.map(str::to_owned)),
            ],
        );
    }
}
