//! ISOXML task data, ISO 11783-10 version 4.3, as one zip: what was done by whom, where and with what, the machines
//! that did it, and a binary time log for each session.
//!
//! ```text
//! work, readings, trace ─ log ▶ TLG00001.bin, TLG00001.xml ─┐
//!   └─ registry (names ▶ ids), device ──────────────────────┴─ finish ▶ TASKDATA.XML
//! ```
//!
//! A session is written when it is added, so that a season needs the memory of one session.

mod device;
mod log;
mod registry;
mod xml;

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::derive::Readings;
use crate::derive::field::Field;
use crate::derive::fieldwork::{Place, Session, Trace};

use super::work::Work;
use device::MACHINE_ELEMENT;
use registry::Registry;
use xml::{Xml, text};

/// Folder in the archive.
const FOLDER: &str = "TASKDATA";
/// Time logs of one archive: the name has five digits.
pub const MAX_TASKS: usize = 99_999;
/// Task status: completed.
const COMPLETED: &str = "4";
/// Kind of a period: effective.
const EFFECTIVE: &str = "4";
/// Digits behind the point of a degree that the standard allows.
pub(super) const DEGREE_DIGITS: usize = 9;

/// Writes task data.
pub struct TaskData<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    options: SimpleFileOptions,
    zone: TimeZone,
    registry: Registry,
    tasks: Xml,
    task_count: usize,
}

/// What could not be said in task data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsaid {
    /// Signals beyond the 255 that a time log can number.
    pub signals: usize,
}

impl<W: Write> TaskData<W> {
    /// Begins an archive. Times in it are those of `zone`, as a machine there would write them; the UTC of each record
    /// stands beside. `written_at` dates the files.
    pub fn begin(out: W, zone: TimeZone, written_at: Timestamp) -> Self {
        let local = written_at.to_zoned(zone.clone());
        let modified = DateTime::from_date_and_time(
            u16::try_from(local.year()).unwrap_or(1980),
            local.month().unsigned_abs(),
            local.day().unsigned_abs(),
            local.hour().unsigned_abs(),
            local.minute().unsigned_abs(),
            local.second().unsigned_abs(),
        );
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(modified.unwrap_or_default());
        let mut tasks = Xml::default();
        tasks.indent();
        Self { zip: ZipWriter::new_stream(out), options, zone, registry: Registry::default(), tasks, task_count: 0 }
    }

    /// Adds a session with the readings of its time. `field` is where it took place, if that is known.
    ///
    /// # Errors
    /// When `out` takes no more, or there are more than [`MAX_TASKS`].
    pub fn add(
        &mut self,
        work: &Work,
        field: Option<&Field>,
        readings: &Readings,
        trace: &Trace,
    ) -> io::Result<Unsaid> {
        if self.task_count == MAX_TASKS {
            return Err(io::Error::other(format!(
                "task data holds at most {MAX_TASKS} tasks; export a shorter period"
            )));
        }
        self.task_count += 1;
        let name = format!("TLG{:05}", self.task_count);
        let layout = log::Layout::of(work, readings, trace);
        let device = self.registry.machine(work, &layout);
        self.zip.start_file(format!("{FOLDER}/{name}.bin"), self.options)?;
        let byte_len = log::write(&layout, work, readings, trace, &self.zone, &mut self.zip)?;
        self.zip.start_file(format!("{FOLDER}/{name}.xml"), self.options)?;
        self.zip.write_all(log::header(&layout, &device).as_bytes())?;
        self.task(work, field, &device, &name, byte_len);
        Ok(Unsaid { signals: layout.left_out })
    }

    /// Adds a field without work on it.
    pub fn add_field(&mut self, field: &Field) {
        self.registry.field(field, None);
    }

    /// Writes the main file and hands back what was written to.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn finish(mut self) -> io::Result<W> {
        self.zip.start_file(format!("{FOLDER}/TASKDATA.XML"), self.options)?;
        let mut root = Xml::document();
        root.open(
            "ISO11783_TaskData",
            &[
                ("VersionMajor", text("4")),
                ("VersionMinor", text("3")),
                ("ManagementSoftwareManufacturer", text("Polevod")),
                ("ManagementSoftwareVersion", text(env!("CARGO_PKG_VERSION"))),
                ("DataTransferOrigin", text("1")),
            ],
        );
        self.registry.write(&mut root);
        root.append(&self.tasks);
        root.close("ISO11783_TaskData");
        self.zip.write_all(root.as_str().as_bytes())?;
        Ok(self.zip.finish()?.into_inner())
    }

    fn task(&mut self, work: &Work, field: Option<&Field>, device: &registry::Machine, log: &str, byte_len: u64) {
        let session = &work.session;
        let farm = work.farm.as_deref().or(field.and_then(|field| field.farm.as_deref()));
        let (customer, farm) = farm.map(|farm| self.registry.farm(farm)).unzip();
        let place = match (field, &session.place) {
            (Some(field), _) => Some(self.registry.field(field, session.crop.as_deref())),
            (None, Place::Outside { name, proposed_boundary }) => {
                Some(self.registry.place(name.as_deref(), proposed_boundary, session.crop.as_deref()))
            }
            (None, Place::Field { .. }) => None,
        };
        let worker = session.operator.as_deref().map(|operator| self.registry.worker(operator));
        let implement = session.implement.as_deref().map(|name| self.registry.implement(name, session));
        let practice = self.registry.practice(session.operation.name());
        let id = format!("TSK{}", self.task_count);
        let designator = format!("{} {}", session.operation.name(), session.working_day);
        let xml = &mut self.tasks;
        xml.open(
            "TSK",
            &[
                ("A", text(&id)),
                ("B", registry::designator(&designator)),
                ("C", customer),
                ("D", farm),
                ("E", place),
                ("F", worker.clone()),
                ("G", text(COMPLETED)),
            ],
        );
        let local = |at: Timestamp| at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let duration_s = (session.ended_at.as_second() - session.started_at.as_second()).max(0);
        xml.open(
            "TIM",
            &[
                ("A", Some(local(session.started_at))),
                ("B", Some(local(session.ended_at))),
                ("C", Some(duration_s.to_string())),
                ("D", text(EFFECTIVE)),
            ],
        );
        for (ddi, value) in totals(session) {
            let ddi = format!("{ddi:04X}");
            let element = device.elements[MACHINE_ELEMENT].clone();
            xml.empty("DLV", &[("A", Some(ddi)), ("B", Some(value.to_string())), ("C", Some(element))]);
        }
        xml.close("TIM");
        xml.empty("OTP", &[("A", Some(practice))]);
        if let Some(worker) = worker {
            xml.empty("WAN", &[("A", Some(worker))]);
        }
        xml.empty("DAN", &[("A", Some(device.name.to_string())), ("C", Some(device.id.clone()))]);
        if let Some((id, name)) = implement {
            xml.empty("DAN", &[("A", Some(name.to_string())), ("C", Some(id))]);
        }
        xml.empty("TLG", &[("A", text(log)), ("B", Some(byte_len.to_string())), ("C", text("1"))]);
        xml.close("TSK");
    }
}

/// The figures of a session as totals of the data dictionary, in its resolution.
pub(super) fn totals(session: &Session) -> Vec<(u16, i64)> {
    let harvest = session.harvest.as_ref();
    let applied = session.applied;
    let fuel = session.fuel;
    let area_m2 = session.area.union_m2.or(session.area.swept_m2);
    let figures = [
        (80, applied.and_then(|applied| applied.volume_l), 1_000.0),
        (81, applied.and_then(|applied| applied.mass_kg), 1.0),
        (90, harvest.map(|harvest| harvest.wet_kg), 1.0),
        (116, area_m2, 1.0),
        (117, Some(session.distance.working_m), 1_000.0),
        (118, Some(session.distance.other_m), 1_000.0),
        (119, Some(session.time.working_s), 1.0),
        (120, Some(session.time.ineffective_s()), 1.0),
        (148, fuel.map(|fuel| fuel.total_l), 1_000.0),
        (183, harvest.and_then(|harvest| harvest.dry_kg), 1.0),
        (262, harvest.and_then(|harvest| harvest.moisture_pct), 10_000.0),
        (316, fuel.map(|fuel| fuel.working_l), 1_000.0),
        (317, fuel.map(|fuel| fuel.total_l - fuel.working_l), 1_000.0),
    ];
    let known = figures.into_iter().filter_map(|(ddi, value, per_unit)| Some((ddi, value? * per_unit)));
    // Process data has 31 bits and a sign.
    known
        .map(|(ddi, value)| (ddi, value.round().clamp(f64::from(i32::MIN + 1), f64::from(i32::MAX - 1)) as i64))
        .collect()
}
