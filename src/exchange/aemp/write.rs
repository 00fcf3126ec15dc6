//! A fleet as a tree, by the standard: its elements, its order, its units, times in UTC.

use jiff::Timestamp;

use super::document::Document;
use super::model::{Equipment, Fault, Fleet, Header, Link, Remaining, Resource, Series, Timed, Unit, WORDS};
use super::node::{Node, Text};

/// The version that the schema of 2019 carries.
const VERSION: &str = "20190501";
/// For a name that nobody knows. An empty element would be read as a name by some.
const UNKNOWN: &str = "unknown";

impl Fleet {
    /// The page as a document.
    pub fn document(&self) -> Document {
        let mut root = Node::new("Fleet").with_attribute("version", VERSION);
        if let Some(at) = self.snapshot_at {
            root = root.with_attribute("snapshotTime", instant(at));
        }
        root.children.extend(self.links.iter().map(link));
        root.children.extend(self.equipment.iter().map(equipment));
        Document { root, is_series: false }
    }
}

impl Equipment {
    /// The machine alone as a document.
    pub fn document(&self, snapshot_at: Timestamp) -> Document {
        let mut root = equipment(self);
        let attributes =
            Node::default().with_attribute("version", VERSION).with_attribute("snapshotTime", instant(snapshot_at));
        root.children.splice(0..0, attributes.children);
        Document { root, is_series: false }
    }
}

impl Series {
    /// The page as a document.
    pub fn document(&self, resource: Resource) -> Document {
        let name = match resource.element() {
            "Location" => "LocationMessages",
            "FaultCode" => "FaultCodeMessages",
            "EngineStatus" => "EngineStatusMessages",
            "FuelRemaining" => "FuelRemainingMessages",
            "DEFRemaining" => "DEFRemainingMessages",
            "FuelUsed" => "FuelUsedMessages",
            "Distance" => "DistanceMessages",
            "CumulativeOperatingHours" => "CumulativeOperatingHoursMessages",
            "CumulativeIdleHours" => "CumulativeIdleHoursMessages",
            "AverageLoadFactorLast24" => "AverageLoadFactorLast24Messages",
            "MaximumSpeedLast24" => "MaximumSpeedLast24Messages",
            _ => "CumulativePowerTakeOffHoursMessages",
        };
        let mut root = Node::new(name).with_attribute("version", VERSION);
        root.children.extend(self.links.iter().map(link));
        for entry in &self.entries {
            let mut whole = equipment(entry);
            whole.children.retain(|child| child.name == resource.element());
            root.children.append(&mut whole.children);
        }
        root.children.extend(self.faults.iter().map(fault));
        Document { root, is_series: true }
    }
}

fn link(link: &Link) -> Node {
    Node::new("Links").with("rel", link.rel.word()).with("href", link.href.as_str())
}

fn equipment(equipment: &Equipment) -> Node {
    let mut node = Node::new("Equipment");
    node.children.push(header(&equipment.header));
    if let Some(location) = equipment.location {
        let place = location.value;
        let mut element =
            timed("Location", location).with("Latitude", place.latitude_deg).with("Longitude", place.longitude_deg);
        if let Some(altitude_m) = place.altitude_m {
            element = element.with("Altitude", altitude_m).with("AltitudeUnits", Unit::Metre.word());
        }
        node.children.push(element);
    }
    for words in &WORDS {
        let Some(value) = equipment.values.get(words.metric) else { continue };
        let mut element = timed(words.element, value);
        if let Some((unit_element, unit)) = words.unit {
            element = element.with(unit_element, unit.word());
        }
        node.children.push(element.with(words.number, value.value));
    }
    if let Some(engine) = &equipment.engine {
        let status = &engine.value;
        let mut element = timed("EngineStatus", Timed { at: engine.at, value: () });
        if let Some(number) = &status.number {
            element = element.with("EngineNumber", number.as_str());
        }
        node.children.push(element.with("Running", status.is_running));
    }
    let tanks = [
        ("FuelRemaining", "FuelTankCapacityUnits", "FuelTankCapacity", equipment.fuel_remaining),
        ("DEFRemaining", "DEFTankCapacityUnits", "DEFTankCapacity", equipment.def_remaining),
    ];
    for (element, units, capacity, level) in tanks {
        node.children.extend(level.map(|level| remaining(element, units, capacity, level)));
    }
    node
}

fn remaining(element: &'static str, units: &'static str, capacity: &'static str, level: Timed<Remaining>) -> Node {
    let node = timed(element, level).with("Percent", level.value.percent);
    match level.value.capacity_l {
        Some(litres) => node.with(units, Unit::Litre.word()).with(capacity, litres),
        None => node,
    }
}

fn header(header: &Header) -> Node {
    let mut node = Node::new("EquipmentHeader");
    if let Some(at) = header.installed_at {
        node = node.with("UnitInstallDateTime", instant(at));
    }
    let or_unknown = |name: &Option<String>| Text::Words(name.clone().unwrap_or_else(|| UNKNOWN.to_owned()));
    node = node.with("OEMName", or_unknown(&header.oem_name)).with("Model", or_unknown(&header.model));
    if let Some(id) = &header.equipment_id {
        node = node.with("EquipmentID", id.as_str());
    }
    node = node.with("SerialNumber", or_unknown(&header.serial_number));
    match &header.pin {
        Some(pin) => node.with("PIN", pin.as_str()),
        None => node,
    }
}

fn fault(fault: &Fault) -> Node {
    timed("FaultCode", Timed { at: fault.at, value: () })
        .with("CodeIdentifier", fault.identifier.as_str())
        .with("CodeDescription", fault.description.as_str())
        .with("CodeSeverity", fault.severity.as_str())
        .with("CodeSource", fault.source.as_str())
}

fn timed<T>(element: &'static str, value: Timed<T>) -> Node {
    Node::new(element).with_attribute("datetime", instant(value.at))
}

/// UTC, to the millisecond where there is one.
fn instant(at: Timestamp) -> String {
    let millisecond = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    millisecond.to_string()
}
