//! Sessions beside the truth.

use polevod::derive::fieldwork::{Place, Session};
use simulator::truth;

use super::season::{Day, Sensors};

/// How far the sessions that one kind of sensors shows are from the truth.
pub(crate) struct Comparison {
    pub(crate) sensors: Sensors,
    /// Sessions that really were.
    pub(crate) true_sessions: usize,
    /// Of these, found.
    pub(crate) found: usize,
    /// Of these, found in more than one piece.
    pub(crate) split: usize,
    /// Found where there was none.
    pub(crate) invented: usize,
    pub(crate) area_ha: Pairs,
    pub(crate) swept_ha: Pairs,
    pub(crate) fuel_l: Pairs,
    pub(crate) mass_t: Pairs,
    pub(crate) moisture_pct: Pairs,
    pub(crate) working_s: Pairs,
    pub(crate) distance_m: Pairs,
    /// Our start less the true one, s.
    pub(crate) start_s: Vec<f64>,
    /// Our end less the true one, s.
    pub(crate) end_s: Vec<f64>,
}

/// Pairs of a true figure and ours.
#[derive(Default)]
pub(crate) struct Pairs(pub(crate) Vec<(f64, f64)>);

impl Pairs {
    fn add(&mut self, truth: f64, ours: Option<f64>) {
        if let Some(ours) = ours.filter(|_| truth > 0.0) {
            self.0.push((truth, ours));
        }
    }

    /// Ours over the truth less one, over all of the season.
    pub(crate) fn total(&self) -> f64 {
        let (truth, ours) = self.0.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        if truth > 0.0 { ours / truth - 1.0 } else { f64::NAN }
    }

    /// The relative error that `share` of the sessions keep within.
    pub(crate) fn within(&self, share: f64) -> f64 {
        within(self.0.iter().map(|(truth, ours)| ours / truth - 1.0), share)
    }
}

/// The size that `share` of the numbers keep within.
pub(crate) fn within(numbers: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut sizes: Vec<f64> = numbers.map(f64::abs).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let place = (sizes.len() as f64 * share).ceil() as usize;
    sizes.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

impl Comparison {
    pub(crate) fn new(sensors: Sensors) -> Self {
        Self {
            sensors,
            true_sessions: 0,
            found: 0,
            split: 0,
            invented: 0,
            area_ha: Pairs::default(),
            swept_ha: Pairs::default(),
            fuel_l: Pairs::default(),
            mass_t: Pairs::default(),
            moisture_pct: Pairs::default(),
            working_s: Pairs::default(),
            distance_m: Pairs::default(),
            start_s: Vec::new(),
            end_s: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, day: &Day<'_>, sessions: &[Session], explain: bool) {
        let mut used = vec![false; sessions.len()];
        for truth in &day.truth {
            self.true_sessions += 1;
            let matching: Vec<usize> = (0..sessions.len()).filter(|n| is_of(&sessions[*n], truth)).collect();
            matching.iter().for_each(|n| used[*n] = true);
            let overlap = |n: &usize| {
                let session = &sessions[*n];
                let (from, to) = (session.started_at.as_millisecond(), session.ended_at.as_millisecond());
                to.min(truth.to.0) - from.max(truth.from.0)
            };
            let Some(best) = matching.iter().copied().max_by_key(overlap) else {
                if explain {
                    println!(
                        "{:?} {} {} MISSED {} {} {} .. {} {:.2} ha {:.0} s",
                        self.sensors,
                        day.serial,
                        day.date,
                        truth.field,
                        truth.operation,
                        show(truth.from.0),
                        show(truth.to.0),
                        truth.area.worked_ha,
                        truth.working_s
                    );
                }
                continue;
            };
            self.found += 1;
            self.split += usize::from(matching.len() > 1);
            self.measure(&sessions[best], truth, day, explain, matching.len());
        }
        for (session, _) in sessions.iter().zip(&used).filter(|(_, used)| !**used) {
            self.invented += 1;
            if explain {
                println!(
                    "{:?} {} {} INVENTED {} .. {} {:?} {:?} ha",
                    self.sensors,
                    day.serial,
                    day.date,
                    session.started_at,
                    session.ended_at,
                    session.operation,
                    session.area.union_m2.map(|m2| m2 / 1e4)
                );
            }
        }
    }

    fn measure(&mut self, session: &Session, truth: &truth::Session, day: &Day<'_>, explain: bool, pieces: usize) {
        let hectares = |m2: Option<f64>| m2.map(|m2| m2 / 10_000.0);
        let start_s = (session.started_at.as_millisecond() - truth.from.0) as f64 / 1000.0;
        let end_s = (session.ended_at.as_millisecond() - truth.to.0) as f64 / 1000.0;
        self.start_s.push(start_s);
        self.end_s.push(end_s);
        self.area_ha.add(truth.area.worked_ha, hectares(session.area.union_m2));
        self.swept_ha.add(truth.area.width_distance_ha, hectares(session.area.swept_m2));
        self.fuel_l.add(truth.fuel_l, session.fuel.map(|fuel| fuel.total_l));
        self.working_s.add(truth.working_s, Some(session.time.working_s));
        self.distance_m.add(truth.working_distance_m, Some(session.distance.working_m));
        if let (Some(truth), Some(ours)) = (&truth.harvest, &session.harvest) {
            self.mass_t.add(truth.mass_t, Some(ours.wet_kg / 1000.0));
            self.moisture_pct.add(truth.moisture_pct, ours.moisture_pct);
        }
        if explain {
            let relative = |truth: f64, ours: Option<f64>| ours.map_or(f64::NAN, |ours| 100.0 * (ours / truth - 1.0));
            println!(
                "{:?} {} {} {} {} w {} pieces {} start {start_s:+.0} end {end_s:+.0} area {:.2} {:+.2}% swept {:+.2}% fuel {:+.2}% ({:?}) mass {:+.2}% work {:+.2}% dist {:+.2}% {:?} skip {:.0} dbl {:.3} ovl {:.3} runs {} err {:.3} {:?}",
                self.sensors,
                day.serial,
                day.date,
                truth.field,
                truth.operation,
                truth.width_m,
                pieces,
                truth.area.worked_ha,
                relative(truth.area.worked_ha, hectares(session.area.union_m2)),
                relative(truth.area.width_distance_ha, hectares(session.area.swept_m2)),
                relative(truth.fuel_l, session.fuel.map(|fuel| fuel.total_l)),
                session.fuel.map(|fuel| fuel.source),
                relative(truth.harvest.map_or(0.0, |h| h.mass_t), session.harvest.as_ref().map(|h| h.wet_kg / 1000.0)),
                relative(truth.working_s, Some(session.time.working_s)),
                relative(truth.working_distance_m, Some(session.distance.working_m)),
                session.evidence,
                session.area.skipped_m2.unwrap_or(0.0),
                truth.area.double_worked_ha / truth.area.worked_ha,
                session.area.overlap_share.unwrap_or(0.0),
                session.passes,
                session.area.error_m2.unwrap_or(0.0) / session.area.union_m2.unwrap_or(1.0),
                session.remarks,
            );
        }
    }
}

/// Whether a session is of the same work: same field, some time in common.
fn is_of(session: &Session, truth: &truth::Session) -> bool {
    let (from, to) = (session.started_at.as_millisecond(), session.ended_at.as_millisecond());
    let same_field = match &session.place {
        Place::Field { name, .. } => *name == truth.field,
        Place::Outside { .. } => false,
    };
    same_field && from < truth.to.0 && truth.from.0 < to
}

fn show(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}
