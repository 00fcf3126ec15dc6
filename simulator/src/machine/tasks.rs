//! Task records: what a task controller tells when work begins, goes on, pauses and ends.

use wire::{MachineSerial, Record, SignalId, TaskEvent, TaskRecord, catalogue as signal};

use super::catalogue::Model;
use super::gauges::Traits;
use super::log::ms;
use super::plant::Plant;
use super::programme::Job;
use crate::random::Random;

/// Totals are told this often while a task goes on.
const TOTALS_EVERY_S: f64 = 600.0;

/// Operators of a farm; a machine has two.
const OPERATORS: [&str; 16] = [
    "Ivanov A. P.",
    "Petrov S. N.",
    "Kuznetsov V. I.",
    "Smirnov D. A.",
    "Popov N. V.",
    "Sokolov I. G.",
    "Lebedev P. S.",
    "Novikov M. Yu.",
    "Morozov E. V.",
    "Volkov K. A.",
    "Schmidt R. E.",
    "Weber A. F.",
    "Galiev R. T.",
    "Nikitin O. L.",
    "Orlov B. D.",
    "Zaitsev Yu. M.",
];

/// The task controller of a machine.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    /// The running job, whether or not the controller knows of it.
    current: String,
    record: Option<TaskRecord>,
    told_s: f64,
    is_paused: bool,
    harvests: bool,
    operators: [&'static str; 2],
    count: usize,
}

impl Tasks {
    pub(crate) fn new(serial: &MachineSerial) -> Self {
        let mut random = Random::fork(0x7a5c, serial.as_str());
        let mut pick = || random.pick(&OPERATORS).copied().unwrap_or_default();
        Self {
            current: String::new(),
            record: None,
            told_s: 0.0,
            is_paused: false,
            harvests: false,
            operators: [pick(), pick()],
            count: 0,
        }
    }

    pub(crate) fn is_on(&self, task: &str) -> bool {
        self.current == task
    }

    /// A job begins.
    pub(crate) fn start(&mut self, job: &Job, model: &Model, now_s: f64, out: &mut Vec<Record>) {
        self.current = job.task.clone();
        self.count += 1;
        self.harvests = job.operation.harvest.is_some();
        self.is_paused = false;
        self.record = (model.task_controller && job.implement.isobus).then(|| TaskRecord {
            recorded_at_ms: ms(now_s),
            event: TaskEvent::Started,
            task: job.task.clone(),
            field: job.field.name.clone(),
            operator: self.operators[self.count % 2].to_string(),
            implement: job.implement.name.clone(),
            operation: job.operation.name.clone(),
            crop: job.crop.name.clone(),
            totals: Vec::new(),
        });
        self.told_s = now_s;
        out.extend(self.record.clone().map(Record::Task));
    }

    /// Tells totals now and then, and that work goes on after a pause.
    pub(crate) fn go_on(&mut self, works: bool, now_s: f64, plant: &Plant, traits: &Traits, out: &mut Vec<Record>) {
        if !works {
            return;
        }
        if std::mem::take(&mut self.is_paused) {
            self.tell(TaskEvent::Started, now_s, plant, traits, out);
        } else if now_s >= self.told_s + TOTALS_EVERY_S {
            self.tell(TaskEvent::Totals, now_s, plant, traits, out);
        }
    }

    pub(crate) fn pause(&mut self, now_s: f64, plant: &Plant, traits: &Traits, out: &mut Vec<Record>) {
        if !self.is_paused {
            self.is_paused = true;
            self.tell(TaskEvent::Paused, now_s, plant, traits, out);
        }
    }

    pub(crate) fn complete(&mut self, now_s: f64, plant: &Plant, traits: &Traits, out: &mut Vec<Record>) {
        self.tell(TaskEvent::Completed, now_s, plant, traits, out);
        self.record = None;
        self.current.clear();
    }

    fn tell(&mut self, event: TaskEvent, now_s: f64, plant: &Plant, traits: &Traits, out: &mut Vec<Record>) {
        self.told_s = now_s;
        let Some(record) = &mut self.record else { return };
        record.recorded_at_ms = ms(now_s);
        record.event = event;
        let mut totals = vec![
            (signal::TOTAL_AREA_M2, plant.area_m2),
            (signal::EFFECTIVE_DISTANCE_M, plant.effective_m),
            (signal::INEFFECTIVE_DISTANCE_M, plant.ineffective_m),
            (signal::EFFECTIVE_TIME_S, plant.effective_s.floor()),
            (signal::INEFFECTIVE_TIME_S, plant.ineffective_s.floor()),
            (signal::TASK_FUEL_L, plant.effective_fuel_l + plant.ineffective_fuel_l),
        ];
        if self.harvests && plant.sensed_kg > 0.0 {
            let moisture_pct = plant.sensed_water_kg / plant.sensed_kg * 100.0 + traits.moisture_offset_pct;
            totals.push((signal::YIELD_TOTAL_MASS_KG, plant.sensed_kg * traits.flow_scale));
            totals.push((signal::AVERAGE_MOISTURE_PCT, moisture_pct));
        }
        let raw = |(id, value): (SignalId, f64)| Some((id.number(), id.raw(value)?));
        record.totals = totals.into_iter().filter_map(raw).collect();
        out.push(Record::Task(record.clone()));
    }
}
