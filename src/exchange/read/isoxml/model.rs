//! What `TASKDATA.XML` says, in the words of the field. Ids are those of the file: they mean something inside it only.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::device::{Device, DeviceElement};

/// Everything read from one task data folder, time logs excepted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskData {
    /// Version, major and minor, such as (4, 1).
    pub version: Option<(u8, u8)>,
    /// Who wrote the file: `Some(true)` a machine's task controller, `Some(false)` an office.
    pub from_machine: Option<bool>,
    /// Office software and its version.
    pub management_software: Option<String>,
    /// Maker of the task controller and its version.
    pub task_controller: Option<String>,
    /// Customers (`CTR`).
    pub customers: Vec<Customer>,
    /// Farms (`FRM`).
    pub farms: Vec<Farm>,
    /// Workers (`WKR`).
    pub workers: Vec<Worker>,
    /// Fields (`PFD`).
    pub fields: Vec<Field>,
    /// Crops (`CTP`): id and name.
    pub crops: Vec<(String, String)>,
    /// Practices (`CPC`), what is done: id and name.
    pub practices: Vec<(String, String)>,
    /// Products (`PDT`): id and name.
    pub products: Vec<(String, String)>,
    /// Devices (`DVC`).
    pub devices: Vec<Device>,
    /// Tasks (`TSK`).
    pub tasks: Vec<Task>,
}

impl TaskData {
    /// The device that has the element of this id, and the element.
    pub fn element(&self, id: &str) -> Option<(&Device, &DeviceElement)> {
        self.devices.iter().find_map(|device| Some((device, device.element(id)?)))
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Id in this task data.
    pub id: String,
    /// Last name, or the name of a company.
    pub last_name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
}

/// A farm.
#[derive(Debug, Clone, PartialEq)]
pub struct Farm {
    /// Id in this task data.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Id of its customer.
    pub customer: Option<String>,
}

/// A person who works.
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    /// Id in this task data.
    pub id: String,
    /// Last name.
    pub last_name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Id in this task data.
    pub id: String,
    /// Code.
    pub code: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Declared area, m².
    pub area_m2: Option<u64>,
    /// Id of its customer.
    pub customer: Option<String>,
    /// Id of its farm.
    pub farm: Option<String>,
    /// Id of its crop.
    pub crop: Option<String>,
    /// Id of the field it is a part of.
    pub parent: Option<String>,
    /// Outlines of all kinds.
    pub polygons: Vec<Polygon>,
}

impl Field {
    /// The outlines that bound the field, as opposed to what lies in it.
    pub fn boundary(&self) -> impl Iterator<Item = &Polygon> {
        self.polygons.iter().filter(|polygon| polygon.kind == PolygonKind::Boundary)
    }
}

/// What a polygon outlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolygonKind {
    /// The field.
    Boundary,
    /// A zone treated in its own way.
    TreatmentZone,
    /// Something else in or around the field: 3 water, 4 building, 5 road, 6 obstacle, 7 flag, 8 other, 9 main field,
    /// 10 headland, 11 buffer, 12 windbreak.
    Other(u8),
}

/// An outline (`PLN`) with its rings.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// What it outlines.
    pub kind: PolygonKind,
    /// Declared area, m².
    pub area_m2: Option<u64>,
    /// Rings, outer ones and holes.
    pub rings: Vec<Ring>,
}

/// A closed line. The first point is not repeated at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// A hole.
    pub is_hole: bool,
    /// (latitude, longitude), degrees.
    pub points: Vec<(f64, f64)>,
}

/// A task: an order, or the record of work done.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Id in this task data.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Id of its customer.
    pub customer: Option<String>,
    /// Id of its farm.
    pub farm: Option<String>,
    /// Id of its field.
    pub field: Option<String>,
    /// Id of the responsible worker.
    pub worker: Option<String>,
    /// Id of what is done (`OTP A`).
    pub practice: Option<String>,
    /// How far it is.
    pub status: Option<TaskStatus>,
    /// Periods with totals.
    pub times: Vec<TaskTime>,
    /// Time logs it names.
    pub logs: Vec<LogRef>,
    /// Ids of devices allocated to it (`DAN C`).
    pub devices: Vec<String>,
    /// Ids of workers allocated to it (`WAN A`).
    pub workers: Vec<String>,
}

/// `TSK G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStatus {
    /// Not begun.
    Planned,
    /// Being worked on.
    Running,
    /// Interrupted.
    Paused,
    /// Done.
    Completed,
    /// A pattern for tasks.
    Template,
    /// Called off.
    Cancelled,
}

/// A period of a task (`TIM`) with the machine's own totals.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskTime {
    /// Begin.
    pub start: Option<IsoDateTime>,
    /// End.
    pub stop: Option<IsoDateTime>,
    /// Length, seconds.
    pub duration_s: Option<u64>,
    /// What kind of period.
    pub kind: Option<TimeKind>,
    /// Totals: as they stood at the end of the period, so those of several periods of one task are not to be summed.
    pub values: Vec<TimeValue>,
}

/// `TIM D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// Planned.
    Planned,
    /// On the way to the work, or preparing it.
    Preliminary,
    /// Working.
    Effective,
    /// Turning, filling.
    Ineffective,
    /// Repair.
    Repair,
    /// Cleaning up.
    Clearing,
    /// Powered down.
    PoweredDown,
}

/// A total (`DLV`).
#[derive(Debug, Clone, PartialEq)]
pub struct TimeValue {
    /// Data dictionary identifier.
    pub ddi: u16,
    /// Raw value, in the resolution of the identifier.
    pub value: i64,
    /// Id of the device element it belongs to.
    pub element: Option<String>,
}

/// A time log as its task names it (`TLG`).
#[derive(Debug, Clone, PartialEq)]
pub struct LogRef {
    /// Name without extension.
    pub name: String,
    /// Announced size of the binary part.
    pub byte_len: Option<u64>,
}

/// A date and time as task data writes it: local to the machine, unless an offset stands behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsoDateTime {
    /// Date and time as written.
    pub civil: DateTime,
    /// Offset from UTC, if written.
    pub offset: Option<Offset>,
}
