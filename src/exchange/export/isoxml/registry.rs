//! Names become ids: each customer, farm, field, worker, practice, crop and device stands once in the main file.

use std::collections::BTreeMap;

use wire::MachineSerial;

use crate::derive::field::Field;
use crate::derive::fieldwork::{Operation, Session};

use super::super::super::read::isoxml::DeviceName;
use super::super::work::Work;
use super::log::{Column, Layout};
use super::xml::{Xml, text};
use super::{DEGREE_DIGITS, device};

/// Letters of a designator that every task controller takes.
const MAX_DESIGNATOR_CHARS: usize = 32;
/// Structure and localization labels that say nothing, and English.
const STRUCTURE_LABEL: &str = "00000000000001";
const LOCALIZATION_LABEL: &str = "FF000000006E65";

/// What the tasks refer to.
#[derive(Debug, Default)]
pub(super) struct Registry {
    customers: Ids,
    farms: Ids,
    workers: Ids,
    crops: Ids,
    practices: Ids,
    fields: BTreeMap<String, (usize, Xml)>,
    machines: BTreeMap<String, Described>,
    implements: BTreeMap<String, (String, DeviceName)>,
    /// Devices and elements are numbered through.
    devices: usize,
    elements: usize,
}

/// A machine as tasks refer to it.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub id: String,
    pub name: DeviceName,
    pub elements: [String; 2],
}

#[derive(Debug)]
struct Described {
    machine: Machine,
    designator: String,
    serial: String,
    /// Of all its logs.
    columns: Vec<Column>,
}

/// Names in the order met.
#[derive(Debug, Default)]
struct Ids {
    names: Vec<String>,
}

impl Ids {
    fn id(&mut self, kind: &str, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("{kind}{}", known + 1)
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &String)> {
        (1..).zip(&self.names)
    }
}

impl Registry {
    /// Ids of a farm's customer and of the farm. Who owns it is not known here: the farm is its own customer.
    pub(super) fn farm(&mut self, name: &str) -> (String, String) {
        (self.customers.id("CTR", name), self.farms.id("FRM", name))
    }

    pub(super) fn worker(&mut self, name: &str) -> String {
        self.workers.id("WKR", name)
    }

    pub(super) fn practice(&mut self, name: &str) -> String {
        self.practices.id("CPC", name)
    }

    /// The id of a field. Its crop is that of the field, or else of the first work on it.
    pub(super) fn field(&mut self, field: &Field, crop: Option<&str>) -> String {
        let key = format!("field {}", field.id.0);
        if let Some((number, _)) = self.fields.get(&key) {
            return format!("PFD{number}");
        }
        let parts = field.boundary.polygons().iter().map(|part| {
            let rings = std::iter::once(&part.outer).chain(&part.holes);
            rings.map(|ring| ring.iter().map(|place| [place.lat_deg, place.lon_deg]).collect()).collect()
        });
        let parts: Vec<Vec<Vec<[f64; 2]>>> = parts.collect();
        let farm = field.farm.as_deref().map(|farm| self.farm(farm));
        let (customer, farm) = farm.unzip();
        let crop = field.crop.as_deref().or(crop).map(|crop| self.crops.id("CTP", crop));
        let attributes = [
            ("B", field.code.as_deref().and_then(designator)),
            ("C", designator(&field.name)),
            ("D", Some(format!("{:.0}", field.boundary.area_m2()))),
            ("E", customer),
            ("F", farm),
            ("G", crop),
        ];
        self.insert_field(key, &attributes, &parts)
    }

    /// The id of a place outside known fields, with the outline of the work on it.
    pub(super) fn place(&mut self, name: Option<&str>, outline: &[[f64; 2]], crop: Option<&str>) -> String {
        let key = format!("place {name:?} {outline:?}");
        if let Some((number, _)) = self.fields.get(&key) {
            return format!("PFD{number}");
        }
        let crop = crop.map(|crop| self.crops.id("CTP", crop));
        let unnamed = format!("Place {}", self.fields.len() + 1);
        let attributes = [("C", designator(name.unwrap_or(&unnamed))), ("D", text("0")), ("G", crop)];
        let parts = if outline.len() < 3 { Vec::new() } else { vec![vec![outline.to_vec()]] };
        self.insert_field(key, &attributes, &parts)
    }

    fn insert_field(
        &mut self,
        key: String,
        attributes: &[(&str, Option<String>)],
        parts: &[Vec<Vec<[f64; 2]>>],
    ) -> String {
        let number = self.fields.len() + 1;
        let id = format!("PFD{number}");
        let mut xml = Xml::default();
        xml.indent();
        let all: Vec<_> = [("A", text(&id))].into_iter().chain(attributes.iter().cloned()).collect();
        xml.open("PFD", &all);
        for part in parts {
            xml.open("PLN", &[("A", text("1"))]);
            for (index, ring) in part.iter().enumerate() {
                xml.open("LSG", &[("A", text(if index == 0 { "1" } else { "2" }))]);
                // The standard closes rings by itself; readers that do not know so need the first point again.
                for [lat, lon] in ring.iter().chain(ring.first()) {
                    let degrees = |value: &f64| Some(format!("{value:.DEGREE_DIGITS$}"));
                    xml.empty("PNT", &[("A", text("2")), ("C", degrees(lat)), ("D", degrees(lon))]);
                }
                xml.close("LSG");
            }
            xml.close("PLN");
        }
        xml.close("PFD");
        self.fields.insert(key, (number, xml));
        id
    }

    /// A machine that logs the columns of `layout`, among others.
    pub(super) fn machine(&mut self, work: &Work, layout: &Layout) -> Machine {
        let serial = &work.machine.serial;
        if !self.machines.contains_key(serial) {
            let machine = Machine {
                id: self.device_id(),
                name: machine_name(serial, &work.session),
                elements: [self.element_id(), self.element_id()],
            };
            let designator = work.machine.name.clone().or_else(|| work.machine.model.clone());
            let described = Described {
                machine,
                designator: designator.unwrap_or_else(|| serial.clone()),
                serial: serial.clone(),
                columns: Vec::new(),
            };
            self.machines.insert(serial.clone(), described);
        }
        let described = self.machines.get_mut(serial).expect("it was put there above");
        for column in &layout.columns {
            let is_known = |known: &Column| (known.element, known.ddi) == (column.element, column.ddi);
            if !described.columns.iter().any(is_known) {
                described.columns.push(column.clone());
            }
        }
        described.machine.clone()
    }

    /// Id and NAME of an implement.
    pub(super) fn implement(&mut self, name: &str, session: &Session) -> (String, DeviceName) {
        if let Some(known) = self.implements.get(name) {
            return known.clone();
        }
        let made = (self.device_id(), DeviceName::made_up(class_of_implement(session.operation), name));
        self.implements.insert(name.to_owned(), made.clone());
        made
    }

    fn device_id(&mut self) -> String {
        self.devices += 1;
        format!("DVC{}", self.devices)
    }

    fn element_id(&mut self) -> String {
        self.elements += 1;
        format!("DET{}", self.elements)
    }

    /// Writes everything that tasks refer to, in the order of the standard.
    pub(super) fn write(&mut self, xml: &mut Xml) {
        for (number, name) in self.crops.iter() {
            xml.empty("CTP", &[("A", Some(format!("CTP{number}"))), ("B", designator(name))]);
        }
        for (number, name) in self.practices.iter() {
            xml.empty("CPC", &[("A", Some(format!("CPC{number}"))), ("B", designator(name))]);
        }
        for (number, name) in self.customers.iter() {
            xml.empty("CTR", &[("A", Some(format!("CTR{number}"))), ("B", designator(name))]);
        }
        for (number, name) in self.farms.iter() {
            let customer = Some(format!("CTR{number}"));
            xml.empty("FRM", &[("A", Some(format!("FRM{number}"))), ("B", designator(name)), ("I", customer)]);
        }
        for (number, name) in self.workers.iter() {
            xml.empty("WKR", &[("A", Some(format!("WKR{number}"))), ("B", designator(name))]);
        }
        let mut fields: Vec<_> = self.fields.values().collect();
        fields.sort_by_key(|(number, _)| *number);
        for (_, field) in fields {
            xml.append(field);
        }
        for described in self.machines.values() {
            let machine = &described.machine;
            open_device(xml, &machine.id, machine.name, &described.designator, Some(&described.serial));
            device::write(xml, &machine.elements, &described.columns);
            xml.close("DVC");
        }
        let implements: Vec<_> = self.implements.iter().map(|(name, made)| (name.clone(), made.clone())).collect();
        for (name, (id, iso_name)) in implements {
            let element = self.element_id();
            open_device(xml, &id, iso_name, &name, None);
            let device = [
                ("A", Some(element)),
                ("B", text("1")),
                ("C", text("1")),
                ("D", designator(&name)),
                ("E", text("0")),
                ("F", text("0")),
            ];
            xml.empty("DET", &device);
            xml.close("DVC");
        }
    }
}

fn open_device(xml: &mut Xml, id: &str, iso_name: DeviceName, name: &str, serial: Option<&str>) {
    xml.open(
        "DVC",
        &[
            ("A", text(id)),
            ("B", designator(name)),
            ("D", Some(iso_name.to_string())),
            ("E", serial.and_then(designator)),
            ("F", text(STRUCTURE_LABEL)),
            ("G", text(LOCALIZATION_LABEL)),
        ],
    );
}

/// A machine that came from task data is known by its NAME. Others get one that says it was made up.
fn machine_name(serial: &str, session: &Session) -> DeviceName {
    let is_name = serial.len() == 16 && MachineSerial::parse(serial).is_ok();
    match u64::from_str_radix(serial, 16) {
        Ok(name) if is_name => DeviceName(name),
        _ if session.operation.is_harvest() && session.implement.is_none() => {
            DeviceName::made_up(DeviceName::HARVESTER, serial)
        }
        _ => DeviceName::made_up(DeviceName::TRACTOR, serial),
    }
}

/// Device class of ISO 11783-1, industry group 2.
fn class_of_implement(operation: Operation) -> u8 {
    match operation {
        Operation::Ploughing => 2,
        Operation::Discing | Operation::Cultivation | Operation::Harrowing | Operation::Rolling => 3,
        Operation::Sowing => 4,
        Operation::Fertilizing => 5,
        Operation::Spraying => 6,
        Operation::Mowing | Operation::Raking | Operation::Baling | Operation::ForageHarvest => 9,
        _ => 0,
    }
}

/// A name that every task controller takes; none for an empty one.
pub(super) fn designator(name: &str) -> Option<String> {
    let name = shortened(name.trim());
    (!name.is_empty()).then_some(name)
}

pub(super) fn shortened(name: &str) -> String {
    name.chars().take(MAX_DESIGNATOR_CHARS).collect()
}
