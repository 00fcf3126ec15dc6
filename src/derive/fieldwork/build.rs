//! From a group of runs to a session with all its figures.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use wire::catalogue;

use super::area::{Coverage, Covering};
use super::counter::{Amounts, Limit};
use super::day::Day;
use super::ground::Ground;
use super::group::Group;
use super::pattern::median;
use super::swath::{Offset, Strip};
use super::told::{self, Task};
use super::{
    Applied, Area, Completeness, DeviceTotal, DistanceSource, Distances, Evidence, Fuel, GeoBox, Harvest, Operation,
    Place, Positions, Quantity, Rates, Remark, Session, Source, State, Times, Trace, Width, device, trace_of, yields,
};
use crate::derive::field::Field;
use crate::derive::geometry::{Frame, Point};

/// Work before this day of the year serves this year's harvest, later work the next, harvest itself excepted.
const NEXT_SEASON_FROM: (i8, i8) = (8, 15);
/// Below this share of samples with a position the way is told by speed.
const POSITIONS_MIN: f64 = 0.8;
/// Differences from the machine's own totals that deserve a remark.
const AREA_DIFFERS: f64 = 0.03;
const FUEL_DIFFERS: f64 = 0.05;
const MASS_DIFFERS: f64 = 0.03;
/// Ways by positions and by the machine's own measure that deserve a remark.
const WAYS_DIFFER: f64 = 0.03;
/// Fuel that is known for less of the session deserves a remark.
const FUEL_COVERAGE: f64 = 0.95;
/// A width that is only inferred is uncertain by this share.
const INFERRED_WIDTH_ERROR: f64 = 0.05;
/// An area that is told by speed and width alone is uncertain by this share.
const UNPLACED_ERROR: f64 = 0.25;
/// Such an area beyond this share of the whole deserves a remark.
const UNPLACED_SHARE: f64 = 0.01;
/// Stored share below which records count as missing.
const COMPLETE: f64 = 0.999;
/// A part outside the field beyond this share deserves a remark.
const OUTSIDE_SHARE: f64 = 0.03;

/// The session of a group; none when it is too small to be one.
pub(super) fn build(day: &Day<'_>, group: &Group, with_trace: bool) -> Option<(Session, Trace)> {
    Builder::of(day, group)?.build(with_trace)
}

/// A group with what all figures share.
pub(super) struct Builder<'d, 'a> {
    pub day: &'d Day<'a>,
    pub group: &'d Group,
    /// Intervals from the first to the last moment of work: interval `i` lies between samples `i` and `i + 1`.
    pub intervals: Range<usize>,
    pub field: Option<&'d Field>,
    pub frame: Frame,
    pub strips: Vec<Strip>,
    pub coverage: Option<Coverage>,
    positions: Positions,
    width: Width,
    /// Mean working width, m; none without any.
    pub width_m: Option<f64>,
    distance_source: DistanceSource,
    tasks: Vec<&'d Task<'a>>,
}

impl<'d, 'a> Builder<'d, 'a> {
    fn of(day: &'d Day<'a>, group: &'d Group) -> Option<Self> {
        let samples = group.samples();
        // What the last sample says holds until the next, if that comes soon.
        let end = (*samples.end() + 1).min(day.states.len());
        let intervals = *samples.start()..end;
        let working = || group.runs.iter().flat_map(|run| run.clone());
        let positions = day.quality.positions(&day.track, working());
        let field = match group.ground {
            Ground::Field(id) => day.work.fields.get(id),
            Ground::Own(_) => None,
        };
        let origin = working().map(|index| day.track.degrees[index]).find(|degrees| !degrees.0.is_nan());
        let frame = origin.map_or(day.track.frame, |(latitude, longitude)| Frame::at(latitude, longitude));
        let strips = group.runs.iter().map(|run| {
            let follows =
                run.end() + 1 < day.states.len() && day.seconds[*run.end()] > 0.0 && !day.track.broken[run.end() + 1];
            Strip::of(
                &day.track,
                &day.work.readings.recorded_at_ms,
                &frame,
                run,
                follows,
                |index| day.width_at(index).0,
                |index| offset_at(day, index),
            )
        });
        let strips: Vec<Strip> = strips.collect();
        let distance_source = distance_source(day, &intervals, positions.share);
        let session =
            day.work.readings.recorded_at_ms[*samples.start()]..=day.work.readings.recorded_at_ms[*samples.end()];
        let mut builder = Self {
            day,
            group,
            intervals,
            field,
            frame,
            strips,
            coverage: None,
            positions,
            width: Width { mean_m: None, max_m: None, source: Source::Unknown },
            width_m: None,
            distance_source,
            tasks: told::tasks_of(&day.tasks, &session),
        };
        builder.width = builder.width();
        builder.width_m = builder.width.mean_m;
        builder.coverage = builder.cover();
        Some(builder)
    }

    fn build(self, with_trace: bool) -> Option<(Session, Trace)> {
        let time = self.time();
        let (area, swept_m2) = self.area(time.working_s);
        let worked_m2 = area.union_m2.or(swept_m2).unwrap_or(0.0);
        let rules = self.day.rules;
        if time.working_s < rules.least_work_s && worked_m2 < rules.least_area_m2 {
            return None;
        }
        let at = &self.day.work.readings.recorded_at_ms;
        let start_ms = at[self.intervals.start];
        let end_ms = self.end_ms();
        let (operation, operation_source) = self.operation(start_ms);
        let crop = self.crop();
        let distance = self.distance();
        let fuel = self.day.fuel.of_session(self.intervals.clone(), &self.day.states, &self.day.seconds);
        let (fuel, fuel_resets) = fuel.map_or((None, 0), |(fuel, resets)| (Some(fuel), resets));
        let grown = (operation, crop.as_deref());
        let harvest = self.day.crop.as_ref().and_then(|measured| {
            measured.of_session(at, self.intervals.clone(), &self.day.states, self.day.work.machine, grown)
        });
        let (mut harvest, mass_resets) = harvest.map_or((None, 0), |(harvest, resets)| (Some(harvest), resets));
        let mut trace = Trace::default();
        if let (Some(harvest), Some(measured)) = (&mut harvest, &self.day.crop) {
            let cuts = self.cuts();
            let flow = yields::Flow { at_ms: at, crop: measured };
            let (points, cleaning, delay_s) = yields::points(&cuts, &flow, self.ends(), grown);
            (harvest.cleaning, harvest.flow_delay_s) = (cleaning, delay_s);
            trace.yield_points = points;
        }
        let completeness = self.completeness();
        let device_totals = self.device_totals(&time, &distance, swept_m2, fuel.as_ref(), harvest.as_ref());
        let rates = rates(&time, &distance, &self.width, area.union_m2, fuel.as_ref(), harvest.as_ref());
        let mut session = Session {
            started_at: Timestamp::from_millisecond(start_ms).ok()?,
            ended_at: Timestamp::from_millisecond(end_ms).ok()?,
            working_day: self.day.work.day,
            season: season(self.day.work.day, operation),
            place: self.place(),
            bounds: self.bounds(),
            operation,
            operation_source,
            crop,
            operator: self.word(|entry| &entry.operator),
            implement: self.implement(start_ms),
            tasks: self.tasks.iter().map(|task| task.name.to_owned()).filter(|name| !name.is_empty()).collect(),
            evidence: self.evidence(),
            passes: self.group.runs.len() as u32,
            time,
            distance,
            width: self.width,
            area,
            fuel,
            harvest,
            applied: self.applied(),
            rates,
            device_totals,
            completeness,
            positions: self.positions,
            remarks: Vec::new(),
        };
        session.remarks = self.remarks(&session, fuel_resets + mass_resets);
        if with_trace {
            trace_of(&self, &mut trace);
        }
        Some((session, trace))
    }

    pub(super) fn working(&self) -> impl Iterator<Item = usize> {
        self.group.runs.iter().flat_map(|run| run.clone())
    }

    fn end_ms(&self) -> i64 {
        let last = self.intervals.end - 1;
        self.day.work.readings.recorded_at_ms[last] + (self.day.seconds[last] * 1000.0) as i64
    }

    fn time(&self) -> Times {
        let at = &self.day.work.readings.recorded_at_ms;
        let mut time = Times::default();
        for index in self.intervals.clone() {
            let state = self.day.states[index];
            let seconds = self.day.seconds[index];
            time.add(state, seconds);
            if state == State::Working && self.day.unloads[index] {
                time.unloading_at_work_s += seconds;
            }
            let elapsed = at.get(index + 1).map_or(0.0, |next| (next - at[index]) as f64 / 1000.0);
            if seconds == 0.0 && index + 1 < self.intervals.end {
                time.add(State::Unknown, elapsed);
            }
        }
        time.total_s = time.working_s
            + time.turning_s
            + time.unloading_s
            + time.idle_s
            + time.transport_s
            + time.off_s
            + time.unknown_s;
        time
    }

    /// Way from a sample to the next, m.
    fn way_m(&self, index: usize) -> f64 {
        match self.distance_source {
            DistanceSource::Interval => {
                self.day.work.readings.signal(catalogue::INTERVAL_DISTANCE_M).at(index).unwrap_or(0.0)
            }
            DistanceSource::Speed => {
                let speed = self.day.track.speed_mps[index];
                if speed.is_nan() { 0.0 } else { speed * self.day.seconds[index] }
            }
            DistanceSource::Positions => self.day.way_m[index],
        }
    }

    fn distance(&self) -> Distances {
        let mut distance = Distances { source: self.distance_source, ..Distances::default() };
        for index in self.intervals.clone() {
            if self.day.states[index] == State::Working {
                distance.working_m += self.way_m(index);
            } else {
                distance.other_m += self.way_m(index);
            }
        }
        distance
    }

    fn width(&self) -> Width {
        let (mut way, mut swept, mut max_m) = (0.0, 0.0, None);
        let mut votes: Vec<(Source, f64)> = Vec::new();
        for index in self.working() {
            let (width, source) = self.day.width_at(index);
            let Some(width) = width else { continue };
            // Standing still counts a little, so that a width is known where no way is.
            let metres = self.way_m(index) + 1e-9;
            way += metres;
            swept += width * metres;
            max_m = Some(width.max(max_m.unwrap_or(0.0)));
            match votes.iter_mut().find(|(known, _)| *known == source) {
                Some((_, sum)) => *sum += metres,
                None => votes.push((source, metres)),
            }
        }
        let source = votes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Source::Unknown, |(source, _)| source);
        Width { mean_m: (way > 0.0).then(|| swept / way), max_m, source }
    }

    fn cover(&self) -> Option<Coverage> {
        let usual_m = self.width_m?;
        let covering = Covering {
            frame: self.frame,
            strips: &self.strips,
            width_m: usual_m,
            error_m: self.positions.error_m,
            field: self.field.map(|field| (&field.boundary, self.day.rules.field_margin_m)),
        };
        covering.cover(|index| self.day.width_at(index).0.unwrap_or(usual_m))
    }

    fn area(&self, working_s: f64) -> (Area, Option<f64>) {
        let swept = || self.working().map(|index| self.way_m(index) * self.day.width_at(index).0.unwrap_or(0.0)).sum();
        let swept_m2: Option<f64> = self.width_m.map(|_| swept());
        let Some(coverage) = &self.coverage else {
            return (Area { swept_m2, ..Area::default() }, swept_m2);
        };
        let covered_m2 = coverage.union_m2 + coverage.outside_m2;
        let unplaced_m2 = self.unplaced_m2(coverage, swept_m2);
        // What is beyond the edge of the field, or was done before, cannot be told; more than the field there is not.
        let unplaced_m2 = coverage.missed_m2.map_or(unplaced_m2, |missed_m2| unplaced_m2.min(missed_m2));
        let union_m2 = coverage.union_m2 + unplaced_m2;
        let unseen = self.unseen_share(working_s);
        let inferred = if self.width.source == Source::Inferred { INFERRED_WIDTH_ERROR } else { 0.0 };
        let errors_m2 =
            [coverage.error_m2, coverage.union_m2 * unseen, union_m2 * inferred, UNPLACED_ERROR * unplaced_m2];
        let error_m2 = errors_m2.iter().map(|error| error * error).sum::<f64>().sqrt();
        let beside = |swept: f64| (1.0 - (covered_m2 + unplaced_m2) / swept).max(0.0);
        let area = Area {
            union_m2: Some(union_m2),
            unplaced_m2: Some(unplaced_m2).filter(|m2| *m2 > 0.0),
            swept_m2,
            overlap_share: swept_m2.filter(|swept| *swept > 0.0).map(beside),
            skipped_m2: Some((coverage.skipped_m2 - unplaced_m2).max(0.0)),
            missed_m2: coverage.missed_m2.map(|missed_m2| missed_m2 - unplaced_m2),
            headland_m2: Some(coverage.headland_m2),
            error_m2: Some(error_m2),
        };
        (area, swept_m2)
    }

    /// Area that was worked without positions: width × distance there, less what overlaps where positions are known.
    fn unplaced_m2(&self, coverage: &Coverage, swept_m2: Option<f64>) -> f64 {
        let at = &self.day.work.readings.recorded_at_ms;
        let runs = self.group.runs.iter().zip(&self.strips);
        let unplaced = runs.flat_map(|(run, strip)| strip.unplaced(run, at)).flatten();
        let unplaced_m2: f64 =
            unplaced.map(|index| self.way_m(index) * self.day.width_at(index).0.unwrap_or(0.0)).sum();
        let placed_m2 = swept_m2.unwrap_or(0.0) - unplaced_m2;
        let share = if placed_m2 > 0.0 { (coverage.union_m2 + coverage.outside_m2) / placed_m2 } else { 1.0 };
        unplaced_m2 * share.min(1.0)
    }

    /// Seconds from a sample to the next one where that is so long that the machine may have been anywhere.
    fn unseen_s(&self, index: usize) -> Option<f64> {
        let at = &self.day.work.readings.recorded_at_ms;
        let elapsed_s = (at.get(index + 1)? - at[index]) as f64 / 1000.0;
        let stood = matches!(self.day.states[index], State::Off | State::Idle) && self.day.seconds[index] > 0.0;
        (elapsed_s > self.day.rules.gap_s && !stood).then_some(elapsed_s)
    }

    /// Time of the session in which the machine may have been anywhere, as a share of the time at work.
    fn unseen_share(&self, working_s: f64) -> f64 {
        let silent = (self.intervals.start..self.intervals.end - 1).filter_map(|index| self.unseen_s(index));
        let unseen_s: f64 = silent.sum();
        if working_s > 0.0 { (unseen_s / working_s).min(1.0) } else { 0.0 }
    }

    fn operation(&self, start_ms: i64) -> (Operation, Source) {
        told::operation_at(&self.day.tasks, self.day.work.machine, self.day.inferred_operation, start_ms)
    }

    fn word(&self, of: impl Fn(&crate::derive::TaskEntry) -> &str + Copy) -> Option<String> {
        self.tasks.iter().rev().find_map(|task| task.word(of))
    }

    fn crop(&self) -> Option<String> {
        self.word(|entry| &entry.crop).or_else(|| self.field.and_then(|field| field.crop.clone()))
    }

    fn implement(&self, start_ms: i64) -> Option<String> {
        let assigned = self.day.work.machine.implement_at(start_ms).map(|implement| implement.name.clone());
        assigned.or_else(|| self.word(|entry| &entry.implement))
    }

    fn place(&self) -> Place {
        if let Some(field) = self.field {
            let inside = self.working().filter(|index| self.day.in_fields.at(*index) == Some(field.id)).count();
            let share = inside as f64 / self.working().count().max(1) as f64;
            return Place::Field { field_id: field.id.0, name: field.name.clone(), share };
        }
        let outline = self.coverage.as_ref().map(Coverage::outline).unwrap_or_default();
        let degrees = outline.into_iter().map(|point| {
            let (latitude, longitude) = self.frame.degrees(point);
            [latitude, longitude]
        });
        Place::Outside { name: self.word(|entry| &entry.field), proposed_boundary: degrees.collect() }
    }

    fn bounds(&self) -> Option<GeoBox> {
        let places = self.working().map(|index| self.day.track.degrees[index]).filter(|degrees| !degrees.0.is_nan());
        let boxes = places.map(|(lat, lon)| GeoBox { south_deg: lat, west_deg: lon, north_deg: lat, east_deg: lon });
        boxes.reduce(|a, b| GeoBox {
            south_deg: a.south_deg.min(b.south_deg),
            west_deg: a.west_deg.min(b.west_deg),
            north_deg: a.north_deg.max(b.north_deg),
            east_deg: a.east_deg.max(b.east_deg),
        })
    }

    /// The kind that decided most of the working time.
    fn evidence(&self) -> Evidence {
        let of = |kind: Evidence| -> f64 {
            self.working().filter(|index| self.day.evidence[*index] == kind).map(|index| self.day.seconds[index]).sum()
        };
        let kinds = [Evidence::Geometry, Evidence::Engine, Evidence::Implement];
        kinds.into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b))).unwrap_or(Evidence::Geometry)
    }

    fn completeness(&self) -> Completeness {
        let readings = self.day.work.readings;
        let range = self.intervals.start..self.intervals.end;
        let mut boots: Vec<(i64, i64, i64)> = Vec::new();
        for (boot, sequence) in &readings.identity[range.clone()] {
            match boots.iter_mut().find(|(known, ..)| known == boot) {
                Some((_, low, high)) => (*low, *high) = ((*low).min(*sequence), (*high).max(*sequence)),
                None => boots.push((*boot, *sequence, *sequence)),
            }
        }
        let number = |sequence: i64| u64::try_from(sequence).unwrap_or(0);
        let missing =
            boots.iter().map(|(boot, low, high)| self.day.work.ledger.missing(*boot, number(*low)..number(*high) + 1));
        let (stored, missing) = (range.len() as u64, missing.sum::<u64>());
        let at = &readings.recorded_at_ms[range];
        let longest_ms = at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        Completeness {
            stored,
            missing,
            share: Some(stored as f64 / (stored + missing) as f64),
            longest_gap_s: longest_ms as f64 / 1000.0,
            estimated_time: readings.estimated_in(self.intervals.clone()) as u64,
        }
    }

    fn applied(&self) -> Option<Applied> {
        let readings = self.day.work.readings;
        let mass_kg = if readings.signal(catalogue::APPLICATION_TOTAL_MASS_KG).is_reported() {
            let no_weights = vec![0.0; readings.len()];
            let limit = Limit { per_s: 100.0, slack: 200.0 };
            Amounts::of_counter(readings, catalogue::APPLICATION_TOTAL_MASS_KG, &no_weights, limit)
                .map(|amounts| amounts.sum(self.intervals.clone()))
        } else {
            self.rate_over_area(catalogue::APPLICATION_MASS_RATE_KGPHA)
        };
        let volume_l = self.rate_over_area(catalogue::APPLICATION_VOLUME_RATE_LPHA);
        (mass_kg.is_some() || volume_l.is_some()).then_some(Applied { mass_kg, volume_l })
    }

    /// What was applied by a rate per hectare: it acts over the whole swept area, overlap included.
    fn rate_over_area(&self, signal: wire::SignalId) -> Option<f64> {
        let rate = self.day.stretches.held(self.day.work.readings, signal);
        if !rate.is_known() {
            return None;
        }
        let of = |index: usize| {
            let hectares = self.way_m(index) * self.day.width_at(index).0.unwrap_or(0.0) / 10_000.0;
            rate.at(index).unwrap_or(0.0) * hectares
        };
        Some(self.working().map(of).sum())
    }

    /// Every sample at work, with what it covered.
    fn cuts(&self) -> Vec<yields::Cut> {
        let at = &self.day.work.readings.recorded_at_ms;
        let hold = self.day.stretches.held(self.day.work.readings, catalogue::YIELD_HOLD);
        let mut cuts = Vec::new();
        for (run, samples) in self.group.runs.iter().enumerate() {
            let first = cuts.len();
            for index in samples.clone() {
                let (latitude, longitude) = self.day.track.degrees[index];
                cuts.push(yields::Cut {
                    sample: index,
                    at_ms: at[index],
                    seconds: self.day.seconds[index],
                    place: self.frame.point(latitude, longitude),
                    degrees: (latitude, longitude),
                    speed_mps: self.day.track.speed_mps[index],
                    hdop: self.day.quality.hdop.at(index),
                    run,
                    fresh_m2: 0.0,
                    swept_m2: self.way_m(index) * self.day.width_at(index).0.unwrap_or(0.0),
                    heading: Point::default(),
                    on_hold: hold.at(index) == Some(1.0),
                });
            }
            self.share_fresh(&mut cuts[first..], &self.strips[run]);
        }
        cuts
    }

    /// Gives each sample its share of the ground that the strip covered for the first time, by what it swept.
    fn share_fresh(&self, cuts: &mut [yields::Cut], strip: &Strip) {
        let (Some(first), Some(coverage)) = (cuts.first().map(|cut| cut.sample), &self.coverage) else { return };
        for (a, b) in strip.edges() {
            let (from, to) = (a.sample - first, (b.sample - first).min(cuts.len()));
            let fresh_m2 = coverage.fresh_m2(a.sample);
            let length = a.at.distance(b.at);
            let swept: f64 = cuts[from..to].iter().map(|cut| cut.swept_m2).sum();
            let count = (to - from) as f64;
            for cut in &mut cuts[from..to] {
                cut.fresh_m2 = fresh_m2 * if swept > 0.0 { cut.swept_m2 / swept } else { 1.0 / count };
                if length > 0.0 {
                    cut.heading = Point::new((b.at.x - a.at.x) / length, (b.at.y - a.at.y) / length);
                }
            }
        }
    }

    fn ends(&self) -> yields::Ends {
        let held = |signal| {
            let held = self.day.stretches.held(self.day.work.readings, signal);
            median(self.working().filter_map(|index| held.at(index)))
        };
        yields::Ends { lead_s: held(catalogue::YIELD_LEAD_IGNORE_S), lag_s: held(catalogue::YIELD_LAG_IGNORE_S) }
    }

    fn device_totals(
        &self,
        time: &Times,
        distance: &Distances,
        swept_m2: Option<f64>,
        fuel: Option<&Fuel>,
        harvest: Option<&Harvest>,
    ) -> Vec<DeviceTotal> {
        let ours = |quantity| match quantity {
            Quantity::AreaM2 => swept_m2,
            Quantity::WorkingDistanceM => Some(distance.working_m),
            Quantity::OtherDistanceM => Some(distance.other_m),
            Quantity::WorkingTimeS => Some(time.working_s),
            Quantity::OtherTimeS => Some(time.ineffective_s()),
            Quantity::FuelL => fuel.map(|fuel| fuel.total_l),
            Quantity::WetMassKg => harvest.map(|harvest| harvest.wet_kg),
            Quantity::DryMassKg => harvest.and_then(|harvest| harvest.dry_kg),
            Quantity::MoisturePct => harvest.and_then(|harvest| harvest.moisture_pct),
            Quantity::AppliedMassKg => None,
        };
        let at = &self.day.work.readings.recorded_at_ms;
        // A task that served several sessions has one total for all of them.
        let period = |group: &Group| at[*group.samples().start()]..=at[*group.samples().end()];
        let serves_others = |task: &Task<'_>| {
            let served =
                |group: &&Group| told::tasks_of(&self.day.tasks, &period(group)).iter().any(|t| t.name == task.name);
            self.day.groups.iter().filter(served).count() > 1
        };
        let own: Vec<_> = self.tasks.iter().filter(|task| !serves_others(task)).collect();
        let entries: Vec<_> = own.iter().flat_map(|task| task.entries.iter().copied()).collect();
        device::totals(self.day.work.readings, self.intervals.clone(), &entries, at[self.intervals.start], ours)
    }

    fn ways_differ(&self, measured_m: f64) -> bool {
        let by_positions: f64 = self.working().map(|index| self.day.way_m[index]).sum();
        self.distance_source == DistanceSource::Interval && (by_positions - measured_m).abs() > WAYS_DIFFER * measured_m
    }

    fn remarks(&self, session: &Session, resets: u32) -> Vec<Remark> {
        let differs = |quantity: Quantity, most: f64| {
            let of = |total: &&DeviceTotal| total.quantity == quantity;
            session.device_totals.iter().filter(of).filter_map(|total| total.difference).any(|d| d.abs() > most)
        };
        let time = &session.time;
        let bridged = (self.intervals.start..self.intervals.end - 1)
            .any(|index| self.unseen_s(index).is_some() && self.day.states[index] == State::Working);
        let unplaced_m2 = session.area.unplaced_m2.unwrap_or(0.0);
        let unplaced = unplaced_m2 > UNPLACED_SHARE * session.area.union_m2.unwrap_or(0.0);
        let outside = self.coverage.as_ref().is_some_and(|c| c.outside_m2 > OUTSIDE_SHARE * c.union_m2);
        let remarks = [
            (Remark::WidthInferred, session.width.source == Source::Inferred),
            (Remark::WidthUnknown, session.width.mean_m.is_none()),
            (Remark::PartlyOutsideField, outside),
            (Remark::AreaPartlyBySpeed, unplaced),
            (Remark::RecordsMissing, session.completeness.share.is_some_and(|share| share < COMPLETE)),
            (Remark::WorkedThroughGap, bridged),
            (Remark::WithoutDataPartly, time.unknown_s > 0.0),
            (Remark::AreaDiffersFromMachine, differs(Quantity::AreaM2, AREA_DIFFERS)),
            (Remark::FuelDiffersFromMachine, differs(Quantity::FuelL, FUEL_DIFFERS)),
            (Remark::MassDiffersFromMachine, differs(Quantity::WetMassKg, MASS_DIFFERS)),
            (Remark::FuelPartly, session.fuel.is_some_and(|fuel| fuel.coverage < FUEL_COVERAGE)),
            (Remark::GeometryOnly, session.evidence == Evidence::Geometry),
            (Remark::TimesEstimated, session.completeness.estimated_time > 0),
            (Remark::WaysDiffer, self.ways_differ(session.distance.working_m)),
            (Remark::CounterReset, resets > 0),
            (Remark::OperationUnknown, session.operation == Operation::Unknown),
        ];
        remarks.into_iter().filter(|(_, applies)| *applies).map(|(remark, _)| remark).collect()
    }
}

fn offset_at(day: &Day<'_>, index: usize) -> Offset {
    let machine = day.work.machine;
    match machine.implement_at(day.work.readings.recorded_at_ms[index]) {
        Some(implement) => Offset { ahead_m: implement.offset_ahead_m, right_m: implement.offset_right_m },
        None => Offset { ahead_m: machine.offset_ahead_m, right_m: machine.offset_right_m },
    }
}

fn distance_source(day: &Day<'_>, intervals: &Range<usize>, positions: f64) -> DistanceSource {
    let interval = day.work.readings.signal(catalogue::INTERVAL_DISTANCE_M);
    if intervals.clone().any(|index| interval.at(index).is_some()) {
        DistanceSource::Interval
    } else if positions < POSITIONS_MIN && day.track.has_speed {
        DistanceSource::Speed
    } else {
        DistanceSource::Positions
    }
}

fn season(day: Date, operation: Operation) -> i16 {
    let serves_next = !operation.is_harvest() && (day.month(), day.day()) >= NEXT_SEASON_FROM;
    day.year() + i16::from(serves_next)
}

fn rates(
    time: &Times,
    distance: &Distances,
    width: &Width,
    union_m2: Option<f64>,
    fuel: Option<&Fuel>,
    harvest: Option<&Harvest>,
) -> Rates {
    let per = |amount: Option<f64>, by: Option<f64>| amount.zip(by.filter(|by| *by > 0.0)).map(|(a, b)| a / b);
    let ha = union_m2.map(|m2| m2 / 10_000.0);
    let hours = Some(time.total_s / 3600.0);
    let hours_at_work = Some(time.working_s / 3600.0);
    let engine_s = time.total_s - time.off_s - time.unknown_s;
    let speed_kmh = per(Some(distance.working_m * 3.6), Some(time.working_s));
    let ha_per_h = per(ha, hours);
    let theoretical = width.mean_m.zip(speed_kmh).map(|(width, speed)| 0.1 * width * speed);
    let wet_t = harvest.map(|harvest| harvest.wet_kg / 1000.0);
    let litres = fuel.map(|fuel| fuel.total_l);
    Rates {
        ha_per_h,
        ha_per_h_at_work: per(ha, hours_at_work),
        field_efficiency: per(ha_per_h, theoretical),
        speed_kmh,
        l_per_ha: per(fuel.map(|fuel| fuel.working_l + fuel.turning_l), ha),
        l_per_ha_total: per(litres, ha),
        l_per_h: per(litres, Some(engine_s / 3600.0)),
        wet_t_per_ha: per(wet_t, ha),
        dry_t_per_ha: per(harvest.and_then(|harvest| harvest.dry_kg).map(|kg| kg / 1000.0), ha),
        t_per_h: per(wet_t, hours_at_work),
        l_per_t: per(litres, wet_t),
        idle_share: per(Some(time.idle_s), Some(engine_s)),
    }
}
