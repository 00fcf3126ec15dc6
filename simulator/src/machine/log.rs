//! Keeps the truth of one machine: joins chunks into states, states into sessions, sessions into days.

use std::sync::Arc;

use super::geometry::{Point, Pose, Strip, swath_area};
use super::plant::Plant;
use super::programme::Job;
use crate::truth::{
    At, ByState, CountersTruth, Day, Event, FieldDone, FuelChange, Harvest, Session, State, StateInterval, SwathArea,
    Unloading, day_start_ms, working_day,
};

/// A session ends when the machine is out of the field for longer.
const OUT_OF_FIELD_S: f64 = 600.0;
/// A session ends when the engine stands for longer.
const ENGINE_OFF_S: f64 = 2_700.0;
/// Less than both makes no session.
const LEAST_WORKING_S: f64 = 300.0;
const LEAST_HA: f64 = 0.05;

/// What happened in a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) state: State,
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
    pub(crate) way_m: f64,
    pub(crate) fuel_l: f64,
    pub(crate) cut_kg: f64,
    pub(crate) cut_water_kg: f64,
}

/// What a job is called in the truth.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) field: Arc<str>,
    pub(crate) operation: Arc<str>,
    pub(crate) crop: Arc<str>,
    pub(crate) implement: Arc<str>,
    pub(crate) width_m: f64,
    harvests: bool,
    origin: Point,
}

impl Label {
    pub(crate) fn of(job: &Job) -> Self {
        Self {
            field: job.field.name.as_str().into(),
            operation: job.operation.name.as_str().into(),
            crop: job.crop.name.as_str().into(),
            implement: job.implement.name.as_str().into(),
            width_m: job.width_m(),
            harvests: job.operation.harvest.is_some(),
            origin: job.field.gate,
        }
    }
}

/// The truth of one machine in the making.
#[derive(Debug, Clone)]
pub(crate) struct TruthLog {
    day_from_s: f64,
    day_ends_s: f64,
    day: Day,
    day_cut: Cut,
    interval: Option<Interval>,
    session: Option<Open>,
    /// Of the job: what its swath has covered so far, over all days.
    strips: Vec<Strip>,
    job_cut: Cut,
    strip: Option<Growing>,
    last: Plant,
}

/// Crop that was cut.
#[derive(Debug, Clone, Copy, Default)]
struct Cut {
    mass_kg: f64,
    water_kg: f64,
}

#[derive(Debug, Clone)]
struct Interval {
    state: State,
    from_s: f64,
    label: Option<Arc<Label>>,
    way_m: f64,
    fuel_l: f64,
}

/// A session that is open.
#[derive(Debug, Clone)]
struct Open {
    label: Arc<Label>,
    from_s: f64,
    /// End of the last working run, and what was burned up to there.
    to_s: f64,
    fuel_at_end_l: f64,
    fuel_l: f64,
    working_s: f64,
    turning_s: f64,
    working_way_m: f64,
    working_fuel_l: f64,
    /// Turns since the last run: they count when another run follows.
    pending_turn_s: f64,
    pending_turn_fuel_l: f64,
    cut: Cut,
    first_strip: usize,
    /// Since when the machine is out of the field, or its engine off.
    out_s: Option<f64>,
    off_s: Option<f64>,
}

/// A strip that is being worked.
#[derive(Debug, Clone, Copy)]
struct Growing {
    piece: usize,
    from: Pose,
    curvature: f64,
    way_m: f64,
}

impl Cut {
    fn add(&mut self, slice: &Slice) {
        self.mass_kg += slice.cut_kg;
        self.water_kg += slice.cut_water_kg;
    }

    fn harvest(&self) -> Harvest {
        let share = if self.mass_kg > 0.0 { self.water_kg / self.mass_kg } else { 0.0 };
        Harvest {
            mass_t: self.mass_kg / 1_000.0,
            moisture_pct: share * 100.0,
            dry_mass_t: (self.mass_kg - self.water_kg) / 1_000.0,
        }
    }
}

impl TruthLog {
    pub(crate) fn new(now_s: f64, plant: &Plant) -> Self {
        let day = working_day(ms(now_s));
        let mut log = Self {
            day_from_s: now_s,
            day_ends_s: day_start_ms(day) as f64 / 1_000.0 + 86_400.0,
            day: empty_day(day, now_s, plant),
            day_cut: Cut::default(),
            interval: None,
            session: None,
            strips: Vec::new(),
            job_cut: Cut::default(),
            strip: None,
            last: *plant,
        };
        log.day.from = At(ms(log.day_from_s));
        log
    }

    /// When the working day ends: no chunk lasts over it.
    pub(crate) fn day_ends_s(&self) -> f64 {
        self.day_ends_s
    }

    /// Takes a chunk; `plant` is the machine at its end, `label` the job that it is on, if it is on the job's field.
    pub(crate) fn add(&mut self, slice: &Slice, label: Option<&Arc<Label>>, plant: &Plant, out: &mut Vec<Event>) {
        self.add_to_interval(slice, label, out);
        let lasts_s = slice.to_s - slice.from_s;
        *self.day.seconds.of(slice.state) += lasts_s;
        *self.day.distance_m.of(slice.state) += slice.way_m;
        *self.day.fuel_l.of(slice.state) += slice.fuel_l;
        self.day_cut.add(slice);
        self.job_cut.add(slice);
        self.add_to_session(slice, label, out);
        self.last = *plant;
        if slice.to_s >= self.day_ends_s {
            self.end_day(slice.to_s, plant, out);
        }
    }

    fn add_to_interval(&mut self, slice: &Slice, label: Option<&Arc<Label>>, out: &mut Vec<Event>) {
        let goes_on = self.interval.as_ref().is_some_and(|open| {
            open.state == slice.state && open.label.as_ref().map(Arc::as_ptr) == label.map(Arc::as_ptr)
        });
        if !goes_on {
            self.close_interval(slice.from_s, out);
            self.interval = Some(Interval {
                state: slice.state,
                from_s: slice.from_s,
                label: label.cloned(),
                way_m: 0.0,
                fuel_l: 0.0,
            });
        }
        if let Some(open) = &mut self.interval {
            open.way_m += slice.way_m;
            open.fuel_l += slice.fuel_l;
        }
    }

    fn close_interval(&mut self, at_s: f64, out: &mut Vec<Event>) {
        if let Some(open) = self.interval.take()
            && at_s > open.from_s
        {
            out.push(Event::State(StateInterval {
                state: open.state,
                from: At(ms(open.from_s)),
                to: At(ms(at_s)),
                field: open.label.as_ref().map(|label| label.field.to_string()),
                operation: open.label.as_ref().map(|label| label.operation.to_string()),
                distance_m: open.way_m,
                fuel_l: open.fuel_l,
            }));
        }
    }

    fn add_to_session(&mut self, slice: &Slice, label: Option<&Arc<Label>>, out: &mut Vec<Event>) {
        let lasts_s = slice.to_s - slice.from_s;
        if let Some(open) = &mut self.session {
            let is_elsewhere = label.is_none_or(|label| label.field != open.label.field);
            open.out_s = if is_elsewhere { open.out_s.or(Some(slice.from_s)) } else { None };
            open.off_s = if slice.state == State::Off { open.off_s.or(Some(slice.from_s)) } else { None };
            let is_over = open.out_s.is_some_and(|since| slice.to_s - since > OUT_OF_FIELD_S)
                || open.off_s.is_some_and(|since| slice.to_s - since > ENGINE_OFF_S)
                || (slice.state == State::Working && label.is_some_and(|label| **label != *open.label));
            if is_over {
                self.close_session(out);
            }
        }
        if slice.state == State::Working
            && let Some(label) = label
        {
            let first_strip = self.strips.len();
            let open = self.session.get_or_insert_with(|| Open::begin(label, slice.from_s, first_strip));
            open.working_s += lasts_s;
            open.working_way_m += slice.way_m;
            open.turning_s += std::mem::take(&mut open.pending_turn_s);
            open.working_fuel_l += slice.fuel_l + std::mem::take(&mut open.pending_turn_fuel_l);
            open.fuel_l += slice.fuel_l;
            open.to_s = slice.to_s;
            open.fuel_at_end_l = open.fuel_l;
            open.cut.add(slice);
        } else if let Some(open) = &mut self.session {
            open.fuel_l += slice.fuel_l;
            if slice.state == State::Turning {
                open.pending_turn_s += lasts_s;
                open.pending_turn_fuel_l += slice.fuel_l;
            }
        }
    }

    /// Takes the way of an implement in work.
    pub(crate) fn worked(&mut self, label: &Label, from: Pose, piece: usize, curvature: f64, way_m: f64) {
        if self.strip.is_some_and(|growing| growing.piece != piece) {
            self.close_strip(label);
        }
        self.strip.get_or_insert(Growing { piece, from, curvature, way_m: 0.0 }).way_m += way_m;
    }

    /// The implement was lifted, or the way bends.
    pub(crate) fn close_strip(&mut self, label: &Label) {
        if let Some(growing) = self.strip.take() {
            self.strips.push(Strip::new(label.origin, growing.from, growing.way_m, growing.curvature));
        }
    }

    fn close_session(&mut self, out: &mut Vec<Event>) {
        let Some(open) = self.session.take() else { return };
        if self.strip.is_some() {
            self.close_strip(&open.label);
        }
        let strips = self.strips.get(open.first_strip..).unwrap_or_default();
        let area = swath_area(strips, open.label.width_m, None).area;
        if open.working_s < LEAST_WORKING_S && area.worked_ha < LEAST_HA {
            return;
        }
        add_area(&mut self.day.area, &area);
        out.push(Event::Session(Session {
            field: open.label.field.to_string(),
            operation: open.label.operation.to_string(),
            crop: open.label.crop.to_string(),
            implement: open.label.implement.to_string(),
            width_m: open.label.width_m,
            from: At(ms(open.from_s)),
            to: At(ms(open.to_s)),
            working_s: open.working_s,
            turning_s: open.turning_s,
            working_distance_m: open.working_way_m,
            area,
            working_fuel_l: open.working_fuel_l,
            fuel_l: open.fuel_at_end_l,
            harvest: open.label.harvests.then(|| open.cut.harvest()),
        }));
    }

    /// Begins a job: what was worked before belongs to another, unless the machine takes up what it left.
    pub(crate) fn begin_job(&mut self, label: Option<&Label>, out: &mut Vec<Event>) {
        if let (Some(open), Some(label)) = (&self.session, label)
            && *open.label == *label
        {
            return;
        }
        self.close_session(out);
        self.strip = None;
        self.strips = Vec::new();
        self.job_cut = Cut::default();
    }

    /// A field is finished.
    pub(crate) fn field_done(&mut self, job: &Job, at_s: f64, out: &mut Vec<Event>) {
        let label = Label::of(job);
        self.close_strip(&label);
        self.close_session(out);
        if !job.is_partial {
            let covered = swath_area(&self.strips, label.width_m, Some((&job.field.boundary, label.origin)));
            let field_ha = job.field_ha();
            out.push(Event::FieldDone(FieldDone {
                at: At(ms(at_s)),
                field: label.field.to_string(),
                operation: label.operation.to_string(),
                field_ha,
                assigned_ha: field_ha,
                area: covered.area,
                missed_ha: field_ha - covered.inside_ha,
                harvest: label.harvests.then(|| self.job_cut.harvest()),
            }));
        }
        self.begin_job(None, out);
    }

    pub(crate) fn refuelled(&mut self, change: FuelChange, out: &mut Vec<Event>) {
        self.day.refuelled_l += change.after_l - change.before_l;
        out.push(Event::Refuel(change));
    }

    pub(crate) fn stolen(&mut self, change: FuelChange, out: &mut Vec<Event>) {
        self.day.stolen_l += change.before_l - change.after_l;
        out.push(Event::FuelTheft(change));
    }

    pub(crate) fn unloaded(&mut self, unloading: Unloading, out: &mut Vec<Event>) {
        out.push(Event::Unloading(unloading));
    }

    pub(crate) fn sampled(&mut self) {
        self.day.samples += 1;
    }

    /// Ends the day: what lasts over its end is cut there.
    fn end_day(&mut self, at_s: f64, plant: &Plant, out: &mut Vec<Event>) {
        let goes_on = self.interval.as_ref().map(|open| (open.state, open.label.clone()));
        self.close_interval(at_s, out);
        self.close_session(out);
        let next = working_day(ms(at_s));
        let mut day = std::mem::replace(&mut self.day, empty_day(next, at_s, plant));
        day.to = At(ms(at_s));
        day.at_end = counters(plant);
        let cut = std::mem::take(&mut self.day_cut);
        day.harvest = (cut.mass_kg > 0.0).then(|| cut.harvest());
        out.push(Event::Day(Box::new(day)));
        self.day_from_s = at_s;
        self.day_ends_s = day_start_ms(next) as f64 / 1_000.0 + 86_400.0;
        self.interval = goes_on.map(|(state, label)| Interval { state, from_s: at_s, label, way_m: 0.0, fuel_l: 0.0 });
    }

    /// Ends the run.
    pub(crate) fn close(&mut self, at_s: f64, plant: &Plant, out: &mut Vec<Event>) {
        if at_s > self.day_from_s {
            self.end_day(at_s, plant, out);
        }
    }
}

impl Open {
    fn begin(label: &Arc<Label>, from_s: f64, first_strip: usize) -> Self {
        Self {
            label: Arc::clone(label),
            from_s,
            to_s: from_s,
            fuel_at_end_l: 0.0,
            fuel_l: 0.0,
            working_s: 0.0,
            turning_s: 0.0,
            working_way_m: 0.0,
            working_fuel_l: 0.0,
            pending_turn_s: 0.0,
            pending_turn_fuel_l: 0.0,
            cut: Cut::default(),
            first_strip,
            out_s: None,
            off_s: None,
        }
    }
}

fn add_area(sum: &mut SwathArea, area: &SwathArea) {
    sum.worked_ha += area.worked_ha;
    sum.double_worked_ha += area.double_worked_ha;
    sum.width_distance_ha += area.width_distance_ha;
}

fn counters(plant: &Plant) -> CountersTruth {
    CountersTruth {
        engine_hours_h: plant.engine_hours_h,
        fuel_total_l: plant.fuel_total_l,
        tank_l: plant.tank_l,
        odometer_km: plant.odometer_m / 1_000.0,
    }
}

fn empty_day(day: jiff::civil::Date, from_s: f64, plant: &Plant) -> Day {
    Day {
        day,
        from: At(ms(from_s)),
        to: At(ms(from_s)),
        at_start: counters(plant),
        at_end: counters(plant),
        seconds: ByState::default(),
        distance_m: ByState::default(),
        fuel_l: ByState::default(),
        area: SwathArea::default(),
        harvest: None,
        refuelled_l: 0.0,
        stolen_l: 0.0,
        samples: 0,
    }
}

pub(crate) fn ms(time_s: f64) -> i64 {
    (time_s * 1_000.0).round() as i64
}
