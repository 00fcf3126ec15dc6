//! `TASKDATA.XML` and the files it includes, from XML elements to [`TaskData`].

use std::collections::HashSet;

use super::super::{At, Problem, Problems};
use super::attribute::{Number, parse_date_time};
use super::device::{Device, DeviceElement, DeviceName, DeviceProperty, Presentation, ProcessData};
use super::model::{
    Customer, Farm, Field, IsoDateTime, LogRef, Polygon, PolygonKind, Ring, Task, TaskData, TaskStatus, TaskTime,
    TimeKind, TimeValue, Worker,
};
use super::xml::{self, Element};
use super::{Defect, FileSet};

/// External files (`XFR`) that are followed.
pub const MAX_EXTERNAL_FILES: usize = 1000;
/// Characters of a bad value that a message shows.
const SHOWN_CHARS: usize = 40;

/// Reads the task data of a folder.
pub(super) fn read(files: &FileSet) -> (TaskData, Vec<Problem<Defect>>) {
    let mut mapper = Mapper { problems: Problems::new("TASKDATA.XML"), ids: HashSet::new(), data: TaskData::default() };
    let Some((name, bytes)) = files.get("TASKDATA.XML") else {
        mapper.problems.push(At::File, Defect::TaskDataMissing);
        return (mapper.data, mapper.problems.into_vec());
    };
    mapper.problems = Problems::new(name);
    let root = mapper.root(bytes, "ISO11783_TaskData");
    let mut external = Vec::new();
    if let Some(root) = &root {
        mapper.heading(root);
        mapper.top_level(root);
        external = root.children_named("XFR").filter_map(|xfr| xfr.get("A")).collect();
    }
    let mut problems = Vec::new();
    if external.len() > MAX_EXTERNAL_FILES {
        mapper.problems.push(At::File, Defect::TooManyExternalFiles);
    }
    for file in external.into_iter().take(MAX_EXTERNAL_FILES) {
        let file = format!("{file}.XML");
        problems.append(&mut mapper.switch_to(&file).into_vec());
        match files.get(&file) {
            Some((_, bytes)) => {
                let root = mapper.root(bytes, "XFC");
                root.iter().for_each(|root| mapper.top_level(root));
            }
            None => mapper.problems.push(At::File, Defect::ExternalMissing),
        }
    }
    problems.append(&mut mapper.switch_to(name).into_vec());
    mapper.check_references();
    problems.append(&mut mapper.problems.into_vec());
    (mapper.data, problems)
}

/// A data dictionary identifier: hex digits.
pub(super) fn parse_ddi(text: &str) -> Option<u16> {
    u16::from_str_radix(text.trim(), 16).ok()
}

struct Mapper {
    problems: Problems<Defect>,
    ids: HashSet<String>,
    data: TaskData,
}

impl Mapper {
    fn switch_to(&mut self, file: &str) -> Problems<Defect> {
        std::mem::replace(&mut self.problems, Problems::new(file))
    }

    fn root(&mut self, bytes: &[u8], expected: &'static str) -> Option<Element> {
        let root = xml::read(bytes, &mut self.problems);
        let found = root.as_ref().map_or("nothing", |root| &root.name);
        if found != expected {
            let found = shorten(found);
            self.problems.push(At::File, Defect::WrongRoot { found, expected });
            return None;
        }
        root
    }

    fn heading(&mut self, root: &Element) {
        self.data.version =
            self.number(root, "VersionMajor").map(|major| (major, self.number(root, "VersionMinor").unwrap_or(0)));
        self.data.from_machine = match root.get("DataTransferOrigin") {
            Some("1") => Some(false),
            Some("2") => Some(true),
            _ => None,
        };
        let with_version = |name, version| {
            let name: &str = root.get(name)?;
            let version = root.get(version).unwrap_or_default();
            text(format!("{name} {version}").trim())
        };
        self.data.management_software = with_version("ManagementSoftwareManufacturer", "ManagementSoftwareVersion");
        self.data.task_controller = with_version("TaskControllerManufacturer", "TaskControllerVersion");
    }

    fn top_level(&mut self, root: &Element) {
        for e in &root.children {
            if matches!(&*e.name, "CTR" | "FRM" | "WKR" | "PFD" | "CTP" | "CPC" | "PDT" | "DVC" | "TSK") {
                let Some(id) = self.id(e) else { continue };
                self.element(id, e);
            }
        }
    }

    fn element(&mut self, id: String, e: &Element) {
        match &*e.name {
            "CTR" => self.data.customers.push(Customer { id, last_name: get(e, "B"), first_name: get(e, "C") }),
            "FRM" => self.data.farms.push(Farm { id, name: get(e, "B"), customer: get(e, "I") }),
            "WKR" => self.data.workers.push(Worker { id, last_name: get(e, "B"), first_name: get(e, "C") }),
            "CTP" => self.data.crops.push((id, get(e, "B").unwrap_or_default())),
            "CPC" => self.data.practices.push((id, get(e, "B").unwrap_or_default())),
            "PDT" => self.data.products.push((id, get(e, "B").unwrap_or_default())),
            "PFD" => {
                let field = self.field(id, e);
                self.data.fields.push(field);
            }
            "DVC" => {
                let device = self.device(id, e);
                self.data.devices.push(device);
            }
            _ => {
                let task = self.task(id, e);
                self.data.tasks.push(task);
            }
        }
    }

    fn field(&mut self, id: String, e: &Element) -> Field {
        let mut polygons: Vec<Polygon> = e
            .children_named("PLN")
            .map(|pln| Polygon {
                kind: match self.number(pln, "A").unwrap_or(1) {
                    1 => PolygonKind::Boundary,
                    2 => PolygonKind::TreatmentZone,
                    other => PolygonKind::Other(other),
                },
                area_m2: self.number(pln, "C"),
                rings: pln.children_named("LSG").filter_map(|lsg| self.ring(&id, lsg)).collect(),
            })
            .collect();
        if polygons.is_empty() {
            // Some version 3 offices write the outline as a line right under the field.
            let outlines = e.children_named("LSG").filter(|lsg| matches!(lsg.get("A"), Some("1" | "2")));
            let rings: Vec<Ring> = outlines.filter_map(|lsg| self.ring(&id, lsg)).collect();
            if !rings.is_empty() {
                self.problems.push(At::Byte(e.byte), Defect::BoundaryWithoutPolygon(id.clone()));
                polygons.push(Polygon { kind: PolygonKind::Boundary, area_m2: None, rings });
            }
        }
        Field {
            code: get(e, "B"),
            name: get(e, "C"),
            area_m2: self.number(e, "D"),
            customer: get(e, "E"),
            farm: get(e, "F"),
            crop: get(e, "G"),
            parent: get(e, "I"),
            polygons,
            id,
        }
    }

    fn ring(&mut self, field: &str, lsg: &Element) -> Option<Ring> {
        let mut points = Vec::new();
        for pnt in lsg.children_named("PNT") {
            let (Some(lat_deg), Some(lon_deg)) = (self.number::<f64>(pnt, "C"), self.number::<f64>(pnt, "D")) else {
                continue;
            };
            if (-90.0..=90.0).contains(&lat_deg) && (-180.0..=180.0).contains(&lon_deg) {
                points.push((lat_deg, lon_deg));
            } else {
                self.problems.push(At::Byte(pnt.byte), Defect::PointOutside { lat_deg, lon_deg });
            }
        }
        if points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        if points.len() < 3 {
            let defect = Defect::RingTooShort { field: shorten(field), points: points.len() };
            self.problems.push(At::Byte(lsg.byte), defect);
            return None;
        }
        Some(Ring { is_hole: lsg.get("A") == Some("2"), points })
    }

    fn device(&mut self, id: String, e: &Element) -> Device {
        let name = get(e, "D").and_then(|hex| {
            let name = u64::from_str_radix(&hex, 16).ok();
            if name.is_none() {
                self.bad(e, "D", &hex, "a NAME of 16 hex digits");
            }
            name.map(DeviceName)
        });
        let mut device = Device {
            id,
            designator: get(e, "B"),
            software: get(e, "C"),
            name,
            serial: get(e, "E"),
            structure_label: get(e, "F"),
            localization_label: get(e, "G"),
            elements: Vec::new(),
            process_data: Vec::new(),
            properties: Vec::new(),
            presentations: Vec::new(),
        };
        for child in &e.children {
            match &*child.name {
                "DET" => device.elements.extend(self.device_element(child)),
                "DPD" => device.process_data.extend(self.process_data(child)),
                "DPT" => device.properties.extend(self.property(child)),
                "DVP" => device.presentations.extend(self.presentation(child)),
                _ => {}
            }
        }
        device
    }

    fn device_element(&mut self, e: &Element) -> Option<DeviceElement> {
        Some(DeviceElement {
            id: self.id(e)?,
            object_id: self.required(e, "B")?,
            kind: self.number(e, "C").unwrap_or(0),
            designator: get(e, "D"),
            number: self.number(e, "E"),
            parent: self.number(e, "F"),
            objects: e.children_named("DOR").filter_map(|dor| self.number(dor, "A")).collect(),
        })
    }

    fn process_data(&mut self, e: &Element) -> Option<ProcessData> {
        Some(ProcessData {
            object_id: self.required(e, "A")?,
            ddi: self.ddi(e, "B")?,
            property_bits: self.number(e, "C").unwrap_or(0),
            trigger_bits: self.number(e, "D").unwrap_or(0),
            designator: get(e, "E"),
            presentation: self.number(e, "F"),
        })
    }

    fn property(&mut self, e: &Element) -> Option<DeviceProperty> {
        Some(DeviceProperty {
            object_id: self.required(e, "A")?,
            ddi: self.ddi(e, "B")?,
            value: self.required(e, "C")?,
            designator: get(e, "D"),
            presentation: self.number(e, "E"),
        })
    }

    fn presentation(&mut self, e: &Element) -> Option<Presentation> {
        Some(Presentation {
            object_id: self.required(e, "A")?,
            offset: self.number(e, "B").unwrap_or(0),
            scale: self.number(e, "C").unwrap_or(1.0),
            decimals: self.number(e, "D").unwrap_or(0),
            unit: get(e, "E"),
        })
    }

    fn task(&mut self, id: String, e: &Element) -> Task {
        let referred = |name, attribute| {
            let found = e.children_named(name).filter_map(|child| get(child, attribute));
            found.collect::<Vec<_>>()
        };
        Task {
            name: get(e, "B"),
            customer: get(e, "C"),
            farm: get(e, "D"),
            field: get(e, "E"),
            worker: get(e, "F"),
            practice: e.children_named("OTP").find_map(|otp| get(otp, "A")),
            status: self.number(e, "G").and_then(task_status),
            devices: referred("DAN", "C"),
            workers: referred("WAN", "A"),
            times: e.children_named("TIM").map(|tim| self.time(tim)).collect(),
            logs: e.children_named("TLG").filter_map(|tlg| self.log_ref(tlg)).collect(),
            id,
        }
    }

    fn time(&mut self, e: &Element) -> TaskTime {
        TaskTime {
            start: self.date_time(e, "A"),
            stop: self.date_time(e, "B"),
            duration_s: self.number(e, "C"),
            kind: self.number(e, "D").and_then(time_kind),
            values: e.children_named("DLV").filter_map(|dlv| self.time_value(dlv)).collect(),
        }
    }

    fn time_value(&mut self, e: &Element) -> Option<TimeValue> {
        Some(TimeValue { ddi: self.ddi(e, "A")?, value: self.number(e, "B")?, element: get(e, "C") })
    }

    fn log_ref(&mut self, e: &Element) -> Option<LogRef> {
        let name = self.id(e)?;
        Some(LogRef { name, byte_len: self.number(e, "B") })
    }

    fn date_time(&mut self, e: &Element, attribute: &'static str) -> Option<IsoDateTime> {
        let written = get(e, attribute)?;
        let parsed = parse_date_time(&written);
        if parsed.is_none() {
            self.bad(e, attribute, &written, "a date and time");
        }
        parsed
    }

    /// The id of an element, which must be there and should be its own.
    fn id(&mut self, e: &Element) -> Option<String> {
        let Some(id) = get(e, "A") else {
            let element = shorten(&e.name);
            self.problems.push(At::Byte(e.byte), Defect::AttributeMissing { element, attribute: "A" });
            return None;
        };
        if !self.ids.insert(id.clone()) {
            self.problems.push(At::Byte(e.byte), Defect::DuplicateId(shorten(&id)));
        }
        Some(id)
    }

    fn required<T: Number>(&mut self, e: &Element, attribute: &'static str) -> Option<T> {
        if get(e, attribute).is_none() {
            let element = shorten(&e.name);
            self.problems.push(At::Byte(e.byte), Defect::AttributeMissing { element, attribute });
        }
        self.number(e, attribute)
    }

    fn number<T: Number>(&mut self, e: &Element, attribute: &'static str) -> Option<T> {
        let written = get(e, attribute)?;
        // Some offices write whole numbers with decimals, and decimals with a comma.
        let parsed = written.replace(',', ".").parse().ok().and_then(T::from_f64);
        let parsed = T::parse(&written).or(parsed);
        if parsed.is_none() {
            self.bad(e, attribute, &written, "a number of its range");
        }
        parsed
    }

    fn ddi(&mut self, e: &Element, attribute: &'static str) -> Option<u16> {
        let written = get(e, attribute).unwrap_or_default();
        let parsed = parse_ddi(&written);
        if parsed.is_none() {
            self.bad(e, attribute, &written, "a data dictionary identifier of 4 hex digits");
        }
        parsed
    }

    fn bad(&mut self, e: &Element, attribute: &'static str, value: &str, expected: &'static str) {
        let defect = Defect::BadAttribute { element: shorten(&e.name), attribute, value: shorten(value), expected };
        self.problems.push(At::Byte(e.byte), defect);
    }

    fn check_references(&mut self) {
        let has = |id: &Option<String>| id.as_ref().is_none_or(|id| self.ids.contains(id));
        let mut missing = Vec::new();
        for task in &self.data.tasks {
            let single = [("C", &task.customer), ("D", &task.farm), ("E", &task.field), ("F", &task.worker)];
            missing.extend(single.into_iter().filter(|(_, id)| !has(id)).map(|(a, id)| ("TSK", a, id.clone())));
            let values = task.times.iter().flat_map(|time| &time.values);
            let elements = values.map(|value| &value.element).filter(|id| !has(id));
            missing.extend(elements.map(|id| ("DLV", "C", id.clone())));
        }
        for field in &self.data.fields {
            let single = [("E", &field.customer), ("F", &field.farm), ("G", &field.crop), ("I", &field.parent)];
            missing.extend(single.into_iter().filter(|(_, id)| !has(id)).map(|(a, id)| ("PFD", a, id.clone())));
        }
        for (element, attribute, id) in missing {
            let id = shorten(&id.unwrap_or_default());
            self.problems.push(At::File, Defect::UnknownReference { element, attribute, id });
        }
    }
}

fn task_status(code: u8) -> Option<TaskStatus> {
    Some(match code {
        1 => TaskStatus::Planned,
        2 => TaskStatus::Running,
        3 => TaskStatus::Paused,
        4 => TaskStatus::Completed,
        5 => TaskStatus::Template,
        6 => TaskStatus::Cancelled,
        _ => return None,
    })
}

fn time_kind(code: u8) -> Option<TimeKind> {
    Some(match code {
        1 => TimeKind::Planned,
        2 => TimeKind::Preliminary,
        4 => TimeKind::Effective,
        5 => TimeKind::Ineffective,
        6 => TimeKind::Repair,
        7 => TimeKind::Clearing,
        8 => TimeKind::PoweredDown,
        _ => return None,
    })
}

/// An attribute that says something: trimmed, not empty.
fn get(e: &Element, attribute: &str) -> Option<String> {
    e.get(attribute).and_then(text)
}

fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn shorten(value: &str) -> String {
    value.chars().take(SHOWN_CHARS).collect()
}
