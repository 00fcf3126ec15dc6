//! Task data as recordings: each time log record a sample, each task with its totals task records.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use wire::{MachineSerial, Sample, SignalId, TaskEvent, TaskRecord, catalogue, limits};

use super::super::read::isoxml::{
    self, Device, DeviceName, FileSet, GnssStatus, IsoDateTime, Log, Record as LogRecord, Task, TaskData, TaskSet,
    TaskStatus, TaskTime, TimeKind,
};
use super::super::read::{At, Problem, Problems};
use super::merge::{Output, outputs};
use super::tally::{Tally, one, outside_range, uncatalogued, widen};
use super::{
    Defect, Digest, Format, MAX_RECORDS, Options, Record, Recording, Recordings, boot_from, put, serial_from,
    serial_from_file,
};

/// Bytes of a log that tell it from others: its first records, with their times and places.
const LOG_HEAD_BYTES: usize = 512;
/// Zones differ by multiples of this.
const ZONE_STEP_MS: i64 = 30 * 60 * 1000;
/// Farthest zone from another.
const ZONES_APART_MAX_MS: i64 = 26 * 3600 * 1000;
/// How far a task may begin from its log without being in another zone.
const TASK_TOLERANCE_MS: i64 = 5 * 60 * 1000;
const MS_PER_HOUR: f64 = 3_600_000.0;

pub(super) fn map(files: &FileSet, fallback_name: &str, options: &Options) -> Recordings {
    let mut set = isoxml::read(files);
    let mut problems: Vec<_> = widen(std::mem::take(&mut set.problems)).collect();
    let mapper = Mapper { set: &set, fallback_name, options };
    let mut logs: Vec<MappedLog<'_>> = set.logs.iter().map(|log| mapper.log(log, &mut problems)).collect();
    // The order of recording; a log without a record has nothing to be ordered by.
    logs.sort_by_key(|log| log.first_ms);
    let mut recordings = Vec::new();
    for (index, task) in set.data.tasks.iter().enumerate() {
        let of_task = |log: &&MappedLog<'_>| log.log.task == Some(index);
        let first_log = logs.iter().find(of_task);
        recordings.extend(mapper.task(task, first_log, &mut problems));
    }
    recordings.extend(logs.into_iter().filter_map(|log| mapper.recording(log)));
    recordings.sort_by_key(|recording| recording.records.first().map(Record::recorded_at_ms));
    if recordings.is_empty() {
        problems.extend(one(fallback_name, At::File, Defect::NothingRecorded));
    }
    Recordings { recordings, problems: merge_alike(problems) }
}

struct Mapper<'a> {
    set: &'a TaskSet<'a>,
    fallback_name: &'a str,
    options: &'a Options,
}

struct MappedLog<'a> {
    log: &'a Log<'a>,
    device: Option<&'a Device>,
    first_ms: Option<i64>,
    samples: Vec<Record>,
}

impl<'a> Mapper<'a> {
    fn log(&self, log: &'a Log<'a>, problems: &mut Vec<Problem<Defect>>) -> MappedLog<'a> {
        let (outputs, defects) = outputs(&log.header.columns, &self.set.data);
        let file = format!("{}.xml", log.name);
        problems.extend(defects.into_iter().flat_map(|defect| one(&file, At::File, defect)));
        let mut own = Problems::new(&format!("{}.bin", log.name));
        let mut clock = LocalClock { zone: &self.options.zone, behind_utc_ms: None };
        let (mut outside, mut unnamed) = (Tally::default(), Tally::default());
        let mut samples = Vec::new();
        let mut records = log.records();
        while let Some(record) = records.next_record() {
            let at = At::Record { index: record.index, byte: record.byte };
            if samples.len() == MAX_RECORDS {
                own.push(at, Defect::TooManyRecords);
                break;
            }
            match clock.utc_ms(&record) {
                Some(ms) => samples.push(Record::Sample(sample(ms, at, &record, &outputs, &mut outside, &mut unnamed))),
                None => own.push(at, Defect::TimeOutside),
            }
        }
        problems.extend(widen(records.into_problems()));
        problems.extend(own.into_vec());
        problems.extend(outside.into_problems(&file, outside_range));
        let device = self.device_of_log(log);
        problems.extend(unnamed.into_problems(&file, |signal, value| self.describe(log, signal, value)));
        MappedLog { log, device, first_ms: samples.first().map(Record::recorded_at_ms), samples }
    }

    /// The machine of a log: what drives itself, else what most columns come from, else the only one there is.
    fn device_of_log(&self, log: &Log<'_>) -> Option<&'a Device> {
        let data = &self.set.data;
        let of_columns = log.header.columns.iter().filter_map(|c| data.element(c.element.as_deref()?));
        let ids: Vec<&str> = of_columns.map(|(device, _)| device.id.as_str()).collect();
        let columns_of = |device: &&Device| ids.iter().filter(|id| **id == device.id).count();
        let reporting = data.devices.iter().filter(|device| columns_of(device) > 0);
        let drives = |device: &&Device| device.name.is_some_and(|name| name.is_self_propelled());
        // Of equals `max_by_key` takes the last, so they are gone through backwards.
        let main = reporting.rev().max_by_key(|device| (drives(device), columns_of(device)));
        main.or_else(|| self.only_device())
    }

    fn only_device(&self) -> Option<&'a Device> {
        match self.set.data.devices.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    fn describe(&self, log: &Log<'_>, signal: SignalId, value: f64) -> Defect {
        let ddi = signal.ddi().unwrap_or_default();
        let column = log.header.columns.iter().find(|column| column.ddi == ddi);
        let device = column.and_then(|column| self.set.data.element(column.element.as_deref()?));
        match device.and_then(|(device, _)| device.describe(ddi)) {
            Some(text) => Defect::Uncatalogued {
                code: format!("DDI {ddi:04X}"),
                name: text.designator.map(str::to_owned),
                unit: text.presentation.and_then(|presentation| presentation.unit.clone()),
            },
            None => uncatalogued(signal, value),
        }
    }

    fn recording(&self, log: MappedLog<'_>) -> Option<Recording> {
        let bytes = log.log.bytes();
        let layout = format!("{:?}", log.log.header);
        let digest = Digest::new("isoxml log").with(layout.as_bytes());
        let digest = digest.with(&bytes[..bytes.len().min(LOG_HEAD_BYTES)]);
        self.with_records(log.device, digest, log.samples)
    }

    fn with_records(&self, device: Option<&Device>, digest: Digest, records: Vec<Record>) -> Option<Recording> {
        if records.is_empty() {
            return None;
        }
        let named = device.and_then(serial_of);
        // The named machine, not the one told by an option, keeps the recordings of two machines apart.
        let digest = digest.with(named.as_ref().map_or("", MachineSerial::as_str).as_bytes());
        Some(Recording {
            machine: self.options.machine.clone().or(named).unwrap_or_else(|| serial_from_file(self.fallback_name)),
            model: device.and_then(|device| device.designator.clone()),
            boot: boot_from(digest),
            format: Format::Isoxml,
            records,
        })
    }

    /// The begin of a task and each of its totals. Nothing for a task that was only planned.
    fn task(&self, task: &Task, log: Option<&MappedLog<'_>>, problems: &mut Vec<Problem<Defect>>) -> Option<Recording> {
        let done: Vec<&TaskTime> = task.times.iter().filter(|t| t.kind != Some(TimeKind::Planned)).collect();
        let device = log.and_then(|log| log.device).or_else(|| self.device_of_task(task));
        let first_log_ms = log.and_then(|log| log.first_ms);
        let shift_ms = first_log_ms.map_or(0, |first_ms| self.zone_shift_ms(task, &done, first_ms, problems));
        let start_ms = done.iter().find_map(|time| Some(self.instant_ms(time.start?)? + shift_ms));
        let mut records = Vec::new();
        if let Some(ms) = first_log_ms.into_iter().chain(start_ms).min() {
            records.push(self.task_record(task, device, ms, TaskEvent::Started, Vec::new()));
        }
        for (i, time) in done.iter().enumerate() {
            let event = match task.status {
                Some(TaskStatus::Completed) if i + 1 == done.len() => TaskEvent::Completed,
                Some(TaskStatus::Paused) if i + 1 == done.len() => TaskEvent::Paused,
                _ if time.values.is_empty() => continue,
                _ => TaskEvent::Totals,
            };
            if let Some(ms) = self.end_ms(time) {
                records.push(self.task_record(task, device, ms + shift_ms, event, totals(time)));
            }
        }
        let digest = Digest::new("isoxml task").with(format!("{task:?}").as_bytes());
        self.with_records(device, digest, records.into_iter().map(Record::Task).collect())
    }

    fn device_of_task(&self, task: &Task) -> Option<&'a Device> {
        let data = &self.set.data;
        let mut elements = task.times.iter().flat_map(|time| &time.values).filter_map(|value| value.element.as_deref());
        let of_total = elements.find_map(|id| data.element(id)).map(|(device, _)| device);
        let allocated = || data.devices.iter().find(|device| task.devices.contains(&device.id));
        of_total.or_else(allocated).or_else(|| self.only_device())
    }

    /// By how much the times of a task must move to meet its log: some machines write one local and the other UTC.
    fn zone_shift_ms(
        &self,
        task: &Task,
        done: &[&TaskTime],
        first_log_ms: i64,
        problems: &mut Vec<Problem<Defect>>,
    ) -> i64 {
        let holds_log = |time: &&TaskTime| {
            let start = time.start.and_then(|at| self.instant_ms(at));
            let end = self.end_ms(time);
            start.is_some_and(|ms| ms - TASK_TOLERANCE_MS <= first_log_ms)
                && end.is_some_and(|ms| first_log_ms <= ms + TASK_TOLERANCE_MS)
        };
        let first = done.iter().find_map(|time| self.instant_ms(time.start?));
        let Some(first_ms) = first.filter(|_| !done.iter().any(holds_log)) else {
            return 0;
        };
        let apart_ms = first_log_ms - first_ms;
        let steps = (apart_ms + ZONE_STEP_MS / 2).div_euclid(ZONE_STEP_MS);
        let shift_ms = steps * ZONE_STEP_MS;
        let is_zone = (apart_ms - shift_ms).abs() <= TASK_TOLERANCE_MS && shift_ms.abs() <= ZONES_APART_MAX_MS;
        if !is_zone || shift_ms == 0 {
            return 0;
        }
        let hours = format!("{:+}", -shift_ms as f64 / MS_PER_HOUR);
        problems.extend(one("TASKDATA.XML", At::File, Defect::ZonesDiffer { task: task.id.clone(), hours }));
        shift_ms
    }

    fn end_ms(&self, time: &TaskTime) -> Option<i64> {
        let start_ms = || self.instant_ms(time.start?);
        let by_duration = || Some(start_ms()? + i64::try_from(time.duration_s?).ok()?.checked_mul(1000)?);
        time.stop.and_then(|at| self.instant_ms(at)).or_else(by_duration).or_else(start_ms)
    }

    fn instant_ms(&self, at: IsoDateTime) -> Option<i64> {
        let zone = at.offset.map_or_else(|| self.options.zone.clone(), TimeZone::fixed);
        to_ms(&zone, at.civil)
    }

    fn task_record(
        &self,
        task: &Task,
        device: Option<&Device>,
        recorded_at_ms: i64,
        event: TaskEvent,
        totals: Vec<(u32, i64)>,
    ) -> TaskRecord {
        let data = &self.set.data;
        let field = data.fields.iter().find(|field| task.field.as_ref() == Some(&field.id));
        let crop = field.and_then(|f| f.crop.as_ref()).and_then(|id| data.crops.iter().find(|crop| crop.0 == *id));
        let practice = data.practices.iter().find(|(id, _)| task.practice.as_ref() == Some(id));
        let is_other = |other: &&Device| device.is_none_or(|device| device.id != other.id);
        let mut others = data.devices.iter().filter(|other| task.devices.contains(&other.id)).filter(is_other);
        TaskRecord {
            recorded_at_ms,
            event,
            task: bounded(&task.id),
            field: field.map(|f| bounded(f.name.as_ref().or(f.code.as_ref()).unwrap_or(&f.id))).unwrap_or_default(),
            operator: bounded(&operator(task, data)),
            implement: others.next().and_then(|d| d.designator.as_deref()).map(bounded).unwrap_or_default(),
            operation: practice.map_or_else(|| usual_work(task, data).to_owned(), |(_, name)| bounded(name)),
            crop: crop.map(|(_, name)| bounded(name)).unwrap_or_default(),
            totals,
        }
    }
}

/// Data dictionary identifiers that only balers have: sizes of bales, set and made.
const BALE_SIZES: RangeInclusive<u16> = 0x6F..=0x73;

/// What the devices of a task are made for; empty where one cannot tell, as with harvesters of all kinds.
fn usual_work(task: &Task, data: &TaskData) -> &'static str {
    let devices = data.devices.iter().filter(|d| task.devices.is_empty() || task.devices.contains(&d.id));
    if devices.clone().any(|d| d.process_data.iter().any(|value| BALE_SIZES.contains(&value.ddi))) {
        return "baling";
    }
    let of_class = |device: &Device| match device.name?.device_class() {
        DeviceName::PRIMARY_TILLAGE | DeviceName::SECONDARY_TILLAGE => Some("cultivation"),
        DeviceName::SEEDER => Some("sowing"),
        DeviceName::FERTILIZER => Some("fertilizing"),
        DeviceName::SPRAYER => Some("spraying"),
        _ => None,
    };
    devices.filter_map(of_class).next().unwrap_or_default()
}

fn operator(task: &Task, data: &TaskData) -> String {
    let id = task.worker.as_ref().or(task.workers.first());
    let worker = data.workers.iter().find(|worker| id == Some(&worker.id));
    let names = worker.into_iter().flat_map(|w| [&w.first_name, &w.last_name]).flatten();
    names.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Totals by signal; of several elements' the first.
fn totals(time: &TaskTime) -> Vec<(u32, i64)> {
    let mut totals: Vec<(u32, i64)> = Vec::new();
    for value in &time.values {
        let signal = catalogue::by_ddi(value.ddi).map_or(SignalId::raw_ddi(value.ddi), |signal| signal.id).number();
        if totals.len() < limits::MAX_TOTALS && totals.iter().all(|(known, _)| *known != signal) {
            totals.push((signal, value.value));
        }
    }
    totals
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(limits::MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The NAME is unique in the world, a serial only among one maker's machines.
fn serial_of(device: &Device) -> Option<MachineSerial> {
    let name =
        device.name.filter(|name| name.0 != 0 && !name.is_made_up()).and_then(|name| serial_from(&name.to_string()));
    let serial = || serial_from(device.serial.as_deref()?);
    let designator = || serial_from(device.designator.as_deref()?);
    name.or_else(serial).or_else(designator)
}

/// Local times as UTC: by the receiver's own UTC where the log has it, else by the zone.
struct LocalClock<'z> {
    zone: &'z TimeZone,
    behind_utc_ms: Option<i64>,
}

impl LocalClock<'_> {
    fn utc_ms(&mut self, record: &LogRecord<'_>) -> Option<i64> {
        let as_if_utc = |civil| to_ms(&TimeZone::UTC, civil);
        let local_ms = as_if_utc(record.civil())?;
        if let Some(utc_ms) = record.utc_civil().and_then(as_if_utc) {
            self.behind_utc_ms = Some(utc_ms - local_ms);
            return Some(utc_ms);
        }
        match self.behind_utc_ms {
            Some(behind_ms) => Some(local_ms + behind_ms),
            None => to_ms(self.zone, record.civil()),
        }
    }
}

fn to_ms(zone: &TimeZone, civil: DateTime) -> Option<i64> {
    // An hour that summer time repeats or skips is taken as RFC 5545 says; nothing tells the two apart.
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(|at| at.as_millisecond())
}

fn sample(
    ms: i64,
    at: At,
    record: &LogRecord<'_>,
    outputs: &[Output],
    outside: &mut Tally,
    unnamed: &mut Tally,
) -> Sample {
    let mut sample = Sample { recorded_at_ms: ms, values: Vec::with_capacity(record.reported().len() + 6) };
    if let Some(position) = record.position {
        let altitude_m = position.up_mm.map(|mm| f64::from(mm) / 1000.0);
        let values = [
            (catalogue::LATITUDE_DEG, Some(position.lat_deg)),
            (catalogue::LONGITUDE_DEG, Some(position.lon_deg)),
            (catalogue::ALTITUDE_M, altitude_m),
        ];
        for (signal, value) in values {
            add(&mut sample, signal, value, at, outside);
        }
    }
    add(&mut sample, catalogue::GNSS_FIX, record.status.and_then(fix_code), at, outside);
    add(&mut sample, catalogue::HDOP, record.hdop.map(f64::from), at, outside);
    add(&mut sample, catalogue::SATELLITES_USED, record.satellites.map(f64::from), at, outside);
    for output in outputs {
        let Some(raw) = output.value(record) else { continue };
        match output.valid {
            // The catalogue's resolution of process data is that of the data dictionary: raw is raw.
            Some((min, max)) if (min..=max).contains(&raw) => sample.values.push((output.signal, raw)),
            Some(_) => outside.add(at, output.signal, output.signal.physical(raw)),
            None => {
                unnamed.add(at, output.signal, raw as f64);
                sample.values.push((output.signal, raw));
            }
        }
    }
    sample
}

fn add(sample: &mut Sample, signal: SignalId, value: Option<f64>, at: At, outside: &mut Tally) {
    if let Some(value) = value
        && !put(sample, signal, value)
    {
        outside.add(at, signal, value);
    }
}

/// `None` where the receiver does not tell: not reported is not the same as reported unknown.
fn fix_code(status: GnssStatus) -> Option<f64> {
    Some(match status {
        GnssStatus::NoFix => 0.0,
        GnssStatus::Gnss => 1.0,
        GnssStatus::Dgnss => 2.0,
        GnssStatus::Precise => 3.0,
        GnssStatus::RtkFixed => 4.0,
        GnssStatus::RtkFloat => 5.0,
        GnssStatus::DeadReckoning => 6.0,
        GnssStatus::Manual => 7.0,
        GnssStatus::Simulated => 8.0,
        GnssStatus::Error => 14.0,
        GnssStatus::NotAvailable | GnssStatus::Reserved(_) => return None,
    })
}

/// The logs of one folder repeat what is the same in each; it is told once.
fn merge_alike(problems: Vec<Problem<Defect>>) -> Vec<Problem<Defect>> {
    let mut merged: Vec<Problem<Defect>> = Vec::new();
    let mut known = HashMap::new();
    for problem in problems {
        if matches!(problem.defect, Defect::Uncatalogued { .. } | Defect::SeveralElements { .. }) {
            let first = *known.entry(problem.defect.to_string()).or_insert(merged.len());
            if let Some(first) = merged.get_mut(first) {
                first.count += problem.count;
                continue;
            }
        }
        merged.push(problem);
    }
    merged
}
