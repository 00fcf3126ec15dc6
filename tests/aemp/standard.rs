//! The element list of ISO 15143-3, and a reader of XML that knows nothing of our own types.

use std::collections::BTreeMap;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// What may stand in which element, in this order; `@` marks an attribute that must be there. From the element list of
/// the standard.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("Fleet", &["@version", "@snapshotTime", "Links", "Equipment"]),
    ("Links", &["rel", "href"]),
    (
        "Equipment",
        &[
            "EquipmentHeader",
            "Location",
            "CumulativeOperatingHours",
            "CumulativeIdleHours",
            "CumulativeIdleNonOperatingHours",
            "CumulativePowerTakeOffHours",
            "CumulativeActiveRegenerationHours",
            "FuelUsed",
            "FuelUsedLast24",
            "Distance",
            "AverageLoadFactorLast24",
            "MaximumSpeedLast24",
            "CumulativeLoadCount",
            "CumulativePayloadTotals",
            "EngineStatus",
            "FuelRemaining",
            "DEFRemaining",
        ],
    ),
    ("EquipmentHeader", &["UnitInstallDateTime", "OEMName", "Model", "EquipmentID", "SerialNumber", "PIN"]),
    ("Location", &["@datetime", "Latitude", "Longitude", "Altitude", "AltitudeUnits"]),
    ("CumulativeOperatingHours", &["@datetime", "Hour"]),
    ("CumulativeIdleHours", &["@datetime", "Hour"]),
    ("CumulativeIdleNonOperatingHours", &["@datetime", "Hour"]),
    ("CumulativePowerTakeOffHours", &["@datetime", "Hour"]),
    ("CumulativeActiveRegenerationHours", &["@datetime", "Hour"]),
    ("FuelUsed", &["@datetime", "FuelUnits", "FuelConsumed"]),
    ("FuelUsedLast24", &["@datetime", "FuelUnits", "FuelConsumed"]),
    ("FuelRemaining", &["@datetime", "Percent", "FuelTankCapacityUnits", "FuelTankCapacity"]),
    ("DEFRemaining", &["@datetime", "Percent", "DEFTankCapacityUnits", "DEFTankCapacity"]),
    ("Distance", &["@datetime", "OdometerUnits", "Odometer"]),
    ("EngineStatus", &["@datetime", "EngineNumber", "Running"]),
    ("AverageLoadFactorLast24", &["@datetime", "Percent"]),
    ("MaximumSpeedLast24", &["@datetime", "SpeedUnits", "SpeedValue"]),
    ("CumulativeLoadCount", &["@datetime", "Count"]),
    ("CumulativePayloadTotals", &["@datetime", "PayloadUnits", "Payload"]),
    ("FaultCode", &["@datetime", "CodeIdentifier", "CodeDescription", "CodeSeverity", "CodeSource"]),
];

/// Checks a page against the list and returns every text by its path, `Fleet/Equipment[1]/Location/Latitude`.
pub(crate) fn validated(xml: &str) -> BTreeMap<String, String> {
    let mut reader = Reader::from_str(xml);
    let mut texts = BTreeMap::new();
    // Name, path, place in the parent's order, names of children so far.
    let mut open: Vec<(String, String, usize, Vec<String>)> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            event @ (Event::Start(_) | Event::Empty(_)) => {
                let is_empty = matches!(event, Event::Empty(_));
                let (Event::Start(start) | Event::Empty(start)) = event else { unreachable!() };
                let name = start.name().0.to_owned();
                let path = match open.last_mut() {
                    None => name.clone(),
                    Some((parent, path, place, siblings)) => {
                        let allowed = &ELEMENTS.iter().find(|(known, _)| known == parent);
                        if let Some((_, allowed)) = allowed {
                            let at = allowed.iter().position(|known| *known == name);
                            let at = at.unwrap_or_else(|| panic!("{name} may not stand in {parent}"));
                            assert!(at >= *place, "{name} stands too late in {parent}");
                            *place = at;
                        }
                        siblings.push(name.clone());
                        let number = siblings.iter().filter(|sibling| **sibling == name).count();
                        format!("{path}/{name}[{number}]")
                    }
                };
                let mut attributes: Vec<String> = Vec::new();
                for attribute in start.attributes() {
                    let attribute = attribute.unwrap();
                    attributes.push(attribute.key.0.to_owned());
                    texts.insert(format!("{path}@{}", attribute.key.0), attribute.value.to_string());
                }
                for needed in ELEMENTS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, all)| *all) {
                    if let Some(needed) = needed.strip_prefix('@') {
                        assert!(attributes.iter().any(|a| a == needed), "{name} lacks {needed}");
                    }
                }
                if !is_empty {
                    open.push((name, path, 0, Vec::new()));
                }
            }
            Event::End(_) => {
                open.pop();
                if open.is_empty() {
                    return texts;
                }
            }
            Event::Text(words) => {
                let words = words.into_inner();
                if let (Some((_, path, ..)), false) = (open.last(), words.trim().is_empty()) {
                    texts.insert(path.clone(), words.trim().to_owned());
                }
            }
            Event::Eof => panic!("the page ends before its root does"),
            _ => {}
        }
    }
}
