//! A tree as a fleet: lenient about names, cases and places, strict about values.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::read::{At, Problem, Problems, Weigh, Weight};
use super::model::{
    EngineStatus, Equipment, Fault, Fleet, Header, Link, Location, Rel, Remaining, Series, Timed, Unit, WORDS,
};
use super::node::{self, Node, NodeError};

/// What servers write for "unknown".
const UNKNOWN: [&str; 7] = ["missing", "unknown", "n/a", "na", "null", "none", "-"];
/// Longest name taken; longer ones are cut.
const MAX_NAME_CHARS: usize = 128;
/// No telematics unit is older; servers write the year 1 or 1900 for "never".
const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0); // 1990-01-01T00:00:00Z

/// What can be wrong with a document.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// It cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] NodeError),
    /// Nothing in it that the standard names.
    #[error("no Equipment in it: is this the address of a fleet?")]
    NoEquipment,
    /// A value that is no number.
    #[error("{element} = {text:?} is no number; it is left out")]
    NotANumber {
        /// Where it stands.
        element: &'static str,
        /// What stands there.
        text: String,
    },
    /// A number that cannot be.
    #[error("{element} = {value} is not possible; it is left out")]
    Impossible {
        /// Where it stands.
        element: &'static str,
        /// The number.
        value: f64,
    },
    /// A value without a time.
    #[error("{element} has no time that can be read ({text:?}); it is left out")]
    NoTime {
        /// Where it stands.
        element: &'static str,
        /// What stands there.
        text: String,
    },
    /// A unit nobody knows.
    #[error("{element} is in {unit:?}, which is not known; it is left out")]
    UnknownUnit {
        /// Where it stands.
        element: &'static str,
        /// The unit.
        unit: String,
    },
    /// A machine without any name of its own.
    #[error("a machine has no PIN, serial number nor equipment id; it is left out")]
    Nameless,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        Weight::Loss
    }
}

/// Reads a fleet snapshot, or a single machine, from XML or JSON; `file` names it in problems.
pub fn fleet(file: &str, bytes: &[u8]) -> (Fleet, Vec<Problem<Defect>>) {
    let mut reader = Reader { problems: Problems::new(file) };
    let mut fleet = Fleet::default();
    match node::parse(bytes) {
        Err(error) => reader.problem(error.into()),
        Ok(root) => {
            fleet.snapshot_at = root.child("snapshotTime").and_then(|node| time(&node.words()?));
            fleet.links = links(&root);
            // A single machine comes as Equipment inside Fleet, or as the root itself.
            let is_machine = root.child("EquipmentHeader").is_some();
            let machines: Vec<&Node> =
                if is_machine { vec![&root] } else { root.children_named("Equipment").collect() };
            if machines.is_empty() && root.child("Links").is_none() && !root.name.eq_ignore_ascii_case("Fleet") {
                reader.problem(Defect::NoEquipment);
            }
            fleet.equipment = machines.into_iter().map(|node| reader.equipment(node)).collect();
        }
    }
    (fleet, reader.problems.into_vec())
}

/// Reads a page of a time series; every element of the standard counts, whatever the root is called.
pub fn series(file: &str, bytes: &[u8]) -> (Series, Vec<Problem<Defect>>) {
    let mut reader = Reader { problems: Problems::new(file) };
    let mut series = Series::default();
    match node::parse(bytes) {
        Err(error) => reader.problem(error.into()),
        Ok(root) => {
            series.links = links(&root);
            for node in &root.children {
                let alone = Node { children: vec![node.clone()], ..Node::default() };
                let entry = reader.equipment(&alone);
                if entry.has_data() {
                    series.entries.push(entry);
                }
            }
            series.faults = root.children_named("FaultCode").filter_map(|node| reader.fault(node)).collect();
        }
    }
    (series, reader.problems.into_vec())
}

struct Reader {
    problems: Problems<Defect>,
}

impl Reader {
    fn problem(&mut self, defect: Defect) {
        self.problems.push(At::File, defect);
    }

    fn equipment(&mut self, node: &Node) -> Equipment {
        let mut equipment = Equipment {
            header: node.child("EquipmentHeader").map(header).unwrap_or_default(),
            location: self.location(node),
            engine: self.engine(node),
            fuel_remaining: self.remaining(node, "FuelRemaining", "FuelTankCapacity", "FuelTankCapacityUnits"),
            def_remaining: self.remaining(node, "DEFRemaining", "DEFTankCapacity", "DEFTankCapacityUnits"),
            ..Equipment::default()
        };
        for words in &WORDS {
            let Some(metric) = node.child(words.element) else { continue };
            let unit = words.unit.map(|(element, unit)| (metric.child(element), unit));
            let Some(value) = self.number(metric, words.number, unit) else { continue };
            if value < 0.0 {
                self.problem(Defect::Impossible { element: words.number, value });
            } else if let Some(at) = self.time_of(metric, words.element) {
                equipment.values.set(words.metric, at, value);
            }
        }
        equipment
    }

    fn location(&mut self, node: &Node) -> Option<Timed<Location>> {
        let node = node.child("Location")?;
        let latitude_deg = self.number(node, "Latitude", None)?;
        let longitude_deg = self.number(node, "Longitude", None)?;
        for (element, value, limit) in [("Latitude", latitude_deg, 90.0), ("Longitude", longitude_deg, 180.0)] {
            if value.abs() > limit {
                self.problem(Defect::Impossible { element, value });
                return None;
            }
        }
        let altitude_m = self.number(node, "Altitude", Some((node.child("AltitudeUnits"), Unit::Metre)));
        // A receiver without a fix says 0/0.
        let has_fix = latitude_deg != 0.0 || longitude_deg != 0.0;
        let at = self.time_of(node, "Location").filter(|_| has_fix)?;
        Some(Timed { at, value: Location { latitude_deg, longitude_deg, altitude_m } })
    }

    fn engine(&mut self, node: &Node) -> Option<Timed<EngineStatus>> {
        let node = node.child("EngineStatus")?;
        let running = node.child("Running")?.words()?.to_ascii_lowercase();
        let is_running = match &*running {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => return None,
        };
        let number = node.child("EngineNumber").and_then(known);
        Some(Timed { at: self.time_of(node, "EngineStatus")?, value: EngineStatus { number, is_running } })
    }

    fn remaining(
        &mut self,
        node: &Node,
        element: &'static str,
        capacity: &'static str,
        units: &'static str,
    ) -> Option<Timed<Remaining>> {
        let node = node.child(element)?;
        let percent = self.number(node, "Percent", None)?;
        if !(0.0..=100.0).contains(&percent) {
            self.problem(Defect::Impossible { element, value: percent });
            return None;
        }
        let capacity_l = node.child(capacity).is_some().then(|| {
            self.number(node, capacity, Some((node.child(units), Unit::Litre))).filter(|litres| *litres > 0.0)
        });
        let at = self.time_of(node, element)?;
        Some(Timed { at, value: Remaining { percent, capacity_l: capacity_l.flatten() } })
    }

    fn fault(&mut self, node: &Node) -> Option<Fault> {
        let words = |name: &str| node.child(name).and_then(known).unwrap_or_default();
        Some(Fault {
            at: self.time_of(node, "FaultCode")?,
            identifier: words("CodeIdentifier"),
            description: words("CodeDescription"),
            severity: words("CodeSeverity"),
            source: words("CodeSource"),
        })
    }

    /// A number in the unit of the standard; no unit named means that one.
    fn number(&mut self, node: &Node, element: &'static str, unit: Option<(Option<&Node>, Unit)>) -> Option<f64> {
        let text = node.child(element).and_then(known)?;
        let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) else {
            self.problem(Defect::NotANumber { element, text });
            return None;
        };
        let named = unit.and_then(|(node, unit)| Some((known(node?)?, unit)));
        let Some((name, unit)) = named else { return Some(number) };
        match unit.factor_of(&name) {
            // By one is no multiplication: digits stay as they are.
            Some(1.0) => Some(number),
            Some(factor) => Some(number * factor),
            None => {
                self.problem(Defect::UnknownUnit { element, unit: name });
                None
            }
        }
    }

    /// The time of a value: an attribute or a child, spelled `datetime` in any case.
    fn time_of(&mut self, node: &Node, element: &'static str) -> Option<Timestamp> {
        let text = node.child("datetime").and_then(|node| node.words()).unwrap_or_default();
        let at = time(&text).filter(|at| *at >= EARLIEST);
        if at.is_none() {
            self.problem(Defect::NoTime { element, text: text.into_owned() });
        }
        at
    }
}

fn header(node: &Node) -> Header {
    let name = |element: &str| node.child(element).and_then(known);
    Header {
        installed_at: name("UnitInstallDateTime").and_then(|text| time(&text)).filter(|at| *at >= EARLIEST),
        oem_name: name("OEMName"),
        model: name("Model"),
        equipment_id: name("EquipmentID"),
        serial_number: name("SerialNumber"),
        pin: name("PIN"),
    }
}

/// Words that are none of [`UNKNOWN`].
fn known(node: &Node) -> Option<String> {
    let words = node.words()?;
    let is_unknown = UNKNOWN.iter().any(|unknown| words.eq_ignore_ascii_case(unknown));
    (!is_unknown).then(|| words.chars().take(MAX_NAME_CHARS).collect())
}

fn links(root: &Node) -> Vec<Link> {
    // Links repeat, or stand in one element as a list of Link.
    let all = root.children_named("Links").flat_map(|node| {
        let nested: Vec<&Node> = node.children_named("Link").collect();
        if nested.is_empty() { vec![node] } else { nested }
    });
    all.filter_map(|node| {
        let rel = Rel::parse(&node.child("rel")?.words()?)?;
        Some(Link { rel, href: node.child("href")?.words()?.into_owned() })
    })
    .collect()
}

/// A time of ISO 8601; without an offset it is UTC, as the standard says.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || text.parse::<DateTime>().ok().and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok());
    text.parse().ok().or_else(civil)
}
