//! The faults of one machine over time.

use std::sync::Arc;

use wire::{Fault, FaultReport, Lamps, Record, ReportKind};

use super::codes::{Code, Facts, RULES};
use super::kinds::{Acts, Effects, FaultKind, KINDS, moved};
use crate::machine::catalogue::Model;
use crate::machine::settings::FaultSettings;
use crate::random::Random;
use crate::truth::{At, Event, Fault as Truth, FaultStep};

/// Engine hours from one fault to the next, by chance, at rate 1.
const MEAN_HOURS_BETWEEN: f64 = 130.0;
/// An active code is told again after this time.
const HEARTBEAT_S: f64 = 60.0;
/// A contact holds and fails for times around these, seconds.
const CONTACT_FAILS_S: f64 = 40.0;
const CONTACT_HOLDS_S: f64 = 6_000.0;
/// Occurrence counts stop here; 127 means that there is none.
const MOST_OCCURRENCES: u8 = 126;
/// A cause that no code has told of is mended this many days later at most: then somebody looks at the machine anyway.
const LONGEST_UNNOTICED: u8 = 12;
/// Longest step of physics with the engine running; what is longer was a stand, seconds.
const LONGEST_NOTICED_S: f64 = 60.0;
/// A machine has to stand for this long before thieves come, seconds.
const STANDS_FOR_THIEVES_S: f64 = 3_000.0;
/// Codes that a machine can ever have had at a time; older ones are forgotten, as controllers do.
const MAX_CODES: usize = 32;

/// A cause at work.
#[derive(Debug, Clone)]
struct Cause {
    number: u32,
    kind: usize,
    began_at_h: f64,
    grows_h: f64,
    mended_s: f64,
    /// The script says when it is mended; else people mend it once they have noticed.
    by_script: bool,
    /// Days that people have not noticed it.
    unnoticed: u8,
    /// Of a contact: when it next changes, and whether it fails now.
    turns_s: f64,
    fails: bool,
    /// For how long it has moved its signal by as much as can be told, seconds.
    showing_s: f64,
    shown: bool,
}

/// A code that is or was set.
#[derive(Debug, Clone)]
struct Set {
    code: Code,
    active: bool,
    count: u8,
    /// Since when its condition has held without being set.
    pending_since_s: Option<f64>,
    number: u32,
}

/// A fault that a script brings.
#[derive(Debug, Clone, Copy)]
struct Scripted {
    kind: usize,
    at_s: f64,
    mended_s: Option<f64>,
}

/// The faults of one machine.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    causes: Vec<Cause>,
    codes: Vec<Set>,
    /// Soonest last.
    scripted: Vec<Scripted>,
    model: Arc<Model>,
    random: Random,
    rate: f64,
    next_by_chance_h: f64,
    next_number: u32,
    reported_s: f64,
    has_controller: bool,
    /// Of a theft: beginning, end, litres a second.
    theft: Option<(f64, f64, f64)>,
    changed_sources: Vec<u8>,
    /// Until when it is known how far causes moved their signals.
    noticed_s: f64,
    /// A code of severity 4 has come.
    stop_demanded: Option<u32>,
}

impl Faults {
    pub(crate) fn new(
        model: Arc<Model>,
        settings: &FaultSettings,
        names: [&str; 2],
        mut random: Random,
        hours: f64,
    ) -> Self {
        let mut scripted: Vec<Scripted> = settings
            .scripted
            .iter()
            .filter(|fault| names.contains(&fault.machine.as_str()))
            .filter_map(|fault| {
                let second = |at: &jiff::Timestamp| at.as_millisecond() as f64 / 1_000.0;
                let kind = KINDS.iter().position(|kind| kind.name == fault.kind)?;
                Some(Scripted { kind, at_s: second(&fault.at), mended_s: fault.mended_at.as_ref().map(second) })
            })
            .collect();
        scripted.sort_by(|a, b| b.at_s.total_cmp(&a.at_s));
        let wait_h = random.exponential(MEAN_HOURS_BETWEEN);
        let rate = settings.random_rate;
        Self {
            causes: Vec::new(),
            codes: Vec::new(),
            scripted,
            has_controller: model.signal_groups.iter().any(|group| group == "engine" || group == "drying"),
            model,
            random,
            rate,
            next_by_chance_h: if rate > 0.0 { hours + wait_h / rate } else { f64::INFINITY },
            next_number: 1,
            reported_s: f64::NEG_INFINITY,
            theft: None,
            changed_sources: Vec::new(),
            noticed_s: f64::NEG_INFINITY,
            stop_demanded: None,
        }
    }

    /// What physics feels of all causes.
    pub(crate) fn effects(&self, hours: f64) -> Effects {
        let mut effects = Effects::default();
        for cause in &self.causes {
            let grown = if cause.grows_h > 0.0 { ((hours - cause.began_at_h) / cause.grows_h).min(1.0) } else { 1.0 };
            effects.add(KINDS[cause.kind].acts, grown);
        }
        effects
    }

    /// When something happens by itself, at the earliest after `now_s`: physics must not pass over it.
    pub(crate) fn next_s(&self, now_s: f64) -> f64 {
        let scripted = self.scripted.last().map_or(f64::INFINITY, |fault| fault.at_s);
        let causes = self.causes.iter().map(|cause| cause.mended_s.min(cause.turns_s));
        let theft = self.theft.map_or(f64::INFINITY, |(from, to, _)| if from > now_s { from } else { to });
        causes.fold(scripted.min(theft), f64::min).max(now_s)
    }

    /// Litres a second that somebody takes out of the tank.
    pub(crate) fn theft_lps(&self, now_s: f64) -> f64 {
        self.theft.filter(|(from, to, _)| now_s >= *from && now_s < *to).map_or(0.0, |(_, _, lps)| lps)
    }

    /// The theft that ended at `now_s`: its beginning.
    pub(crate) fn theft_over(&mut self, now_s: f64) -> Option<f64> {
        let (from, to, _) = self.theft?;
        (now_s >= to).then(|| {
            self.theft = None;
            from
        })
    }

    /// Lets causes come and go. `parked_until_s` is set while the machine stands switched off.
    pub(crate) fn turn(
        &mut self,
        now_s: f64,
        hours: f64,
        tank_l: f64,
        parked_until_s: Option<f64>,
        truth: &mut Vec<Event>,
    ) {
        while let Some(fault) = self.scripted.last().copied()
            && fault.at_s <= now_s
        {
            self.scripted.pop();
            self.begin(fault.kind, now_s, hours, fault.mended_s, truth);
        }
        if hours >= self.next_by_chance_h {
            self.next_by_chance_h = hours + self.random.exponential(MEAN_HOURS_BETWEEN) / self.rate;
            if let Some(kind) = self.draw_kind() {
                self.begin(kind, now_s, hours, None, truth);
            }
        }
        self.plan_theft(now_s, tank_l, parked_until_s);
        for index in (0..self.causes.len()).rev() {
            if self.causes[index].mended_s <= now_s {
                if self.is_noticed(&self.causes[index]) {
                    self.mend(index, now_s, truth);
                } else {
                    self.causes[index].mended_s += 86_400.0;
                    self.causes[index].unnoticed += 1;
                }
            } else if self.causes[index].turns_s <= now_s {
                let cause = &mut self.causes[index];
                cause.fails = !cause.fails;
                let mean_s = if cause.fails { CONTACT_FAILS_S } else { CONTACT_HOLDS_S };
                cause.turns_s = now_s + 5.0 + self.random.exponential(mean_s);
            }
        }
    }

    /// Whether anybody would mend a cause by now.
    fn is_noticed(&self, cause: &Cause) -> bool {
        let acts = KINDS[cause.kind].acts;
        let has_code = self.has_controller && RULES.iter().any(|rule| rule.cause == acts);
        cause.by_script
            || cause.unnoticed >= LONGEST_UNNOTICED
            || !has_code
            || self.codes.iter().any(|set| set.number == cause.number)
    }

    /// A kind that the machine can have and does not have.
    fn draw_kind(&mut self) -> Option<usize> {
        let possible: Vec<usize> = (0..KINDS.len())
            .filter(|kind| KINDS[*kind].applies_to(&self.model))
            .filter(|kind| self.causes.iter().all(|cause| cause.kind != *kind))
            .collect();
        let mut draw = self.random.unit() * possible.iter().map(|kind| KINDS[*kind].weight).sum::<f64>();
        possible.into_iter().find(|kind| {
            draw -= KINDS[*kind].weight;
            draw <= 0.0
        })
    }

    fn begin(&mut self, kind: usize, now_s: f64, hours: f64, mended_s: Option<f64>, truth: &mut Vec<Event>) {
        let FaultKind { acts, grows_h, mended_d, .. } = &KINDS[kind];
        let by_script = mended_s.is_some();
        let mended_s =
            mended_s.unwrap_or_else(|| now_s + 86_400.0 * self.random.range(mended_d.0, mended_d.1.max(0.01)));
        let is_contact = matches!(acts, Acts::Contact(..));
        let cause = Cause {
            number: self.next_number,
            kind,
            began_at_h: hours,
            grows_h: self.random.range(grows_h.0, grows_h.1),
            // A theft ends with itself.
            mended_s: if *acts == Acts::Theft { f64::INFINITY } else { mended_s },
            by_script,
            unnoticed: 0,
            turns_s: if is_contact { now_s + self.random.exponential(CONTACT_HOLDS_S) } else { f64::INFINITY },
            fails: matches!(acts, Acts::Sensor(..)),
            showing_s: 0.0,
            shown: false,
        };
        self.next_number += 1;
        truth.push(step_of(&cause, FaultStep::Begins, now_s));
        self.causes.push(cause);
    }

    fn mend(&mut self, index: usize, now_s: f64, truth: &mut Vec<Event>) {
        let cause = self.causes.remove(index);
        truth.push(step_of(&cause, FaultStep::Mended, now_s));
    }

    /// Thieves come when a machine has stood for a while and has something in its tank.
    fn plan_theft(&mut self, now_s: f64, tank_l: f64, parked_until_s: Option<f64>) {
        let (Some(until_s), None) = (parked_until_s, self.theft) else { return };
        let waiting = self.causes.iter().any(|cause| KINDS[cause.kind].acts == Acts::Theft);
        let stands_s = until_s - now_s;
        if !waiting || stands_s < STANDS_FOR_THIEVES_S || tank_l < 60.0 {
            return;
        }
        let from_s = now_s + stands_s.min(14_400.0) * self.random.range(0.2, 0.6);
        let lasts_s = self.random.range(240.0, 540.0);
        let litres = (tank_l * self.random.range(0.25, 0.6)).clamp(30.0, 150.0);
        self.theft = Some((from_s, from_s + lasts_s, litres / lasts_s));
    }

    /// Ends the cause of a theft that is over.
    pub(crate) fn theft_done(&mut self, now_s: f64, truth: &mut Vec<Event>) {
        if let Some(index) = self.causes.iter().position(|cause| KINDS[cause.kind].acts == Acts::Theft) {
            self.mend(index, now_s, truth);
        }
    }

    /// Lets controllers look at their sensors while the engine runs, and reports what changed.
    pub(crate) fn watch(&mut self, now_s: f64, facts: &Facts, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        if !self.has_controller {
            return;
        }
        for rule in RULES {
            let excess = (rule.excess)(facts);
            let number = self.cause_of(rule.cause);
            if excess > 0.0 {
                self.hold(rule.code, rule.for_s, number, now_s, truth);
            } else if excess < -rule.hysteresis {
                self.release(rule.code, now_s, truth);
            } else if let Some(set) = self.codes.iter_mut().find(|set| set.code == rule.code) {
                set.pending_since_s = None;
            }
        }
        for index in 0..self.causes.len() {
            let cause = &self.causes[index];
            let (number, fails) = (cause.number, cause.fails);
            let code = match KINDS[cause.kind].acts {
                Acts::Sensor(_, _, Some((spn, fmi))) | Acts::Contact(spn, fmi) => Code::of_circuit(spn, fmi),
                _ => continue,
            };
            if fails {
                self.hold(code, 5.0, Some(number), now_s, truth);
            } else {
                self.release(code, now_s, truth);
            }
        }
        // A circuit that was mended while its code was set.
        let mended: Vec<Code> = self
            .codes
            .iter()
            .filter(|set| set.active && RULES.iter().all(|rule| rule.code != set.code))
            .filter(|set| self.causes.iter().all(|cause| cause.number != set.number))
            .map(|set| set.code)
            .collect();
        for code in mended {
            self.release(code, now_s, truth);
        }
        self.report(now_s, out);
    }

    /// Notes how far causes move what shows them, while the engine runs, and tells the truth once that is enough for
    /// somebody who watches. `healthy` is what sensors would show without any cause.
    pub(crate) fn notice(
        &mut self,
        now_s: f64,
        facts: &Facts,
        healthy: &Facts,
        level_off_pct: f64,
        truth: &mut Vec<Event>,
    ) {
        let elapsed_s = (now_s - std::mem::replace(&mut self.noticed_s, now_s)).min(LONGEST_NOTICED_S);
        for cause in self.causes.iter_mut().filter(|cause| !cause.shown) {
            let FaultKind { acts, tells: Some(tells), .. } = KINDS[cause.kind] else { continue };
            if moved(acts, facts, healthy, level_off_pct) >= tells.by {
                cause.showing_s += elapsed_s;
                cause.shown = cause.showing_s >= tells.for_s;
                if cause.shown {
                    truth.push(step_of(cause, FaultStep::Shows, now_s));
                }
            }
        }
    }

    /// Whether anything is wrong.
    pub(crate) fn has_causes(&self) -> bool {
        !self.causes.is_empty()
    }

    fn cause_of(&self, acts: Acts) -> Option<u32> {
        self.causes.iter().find(|cause| KINDS[cause.kind].acts == acts).map(|cause| cause.number)
    }

    /// The condition of `code` holds.
    fn hold(&mut self, code: Code, for_s: f64, number: Option<u32>, now_s: f64, truth: &mut Vec<Event>) {
        let index = match self.codes.iter().position(|set| set.code == code) {
            Some(index) => index,
            None => {
                if self.codes.len() >= MAX_CODES {
                    self.codes.remove(0);
                }
                self.codes.push(Set { code, active: false, count: 0, pending_since_s: None, number: 0 });
                self.codes.len() - 1
            }
        };
        let set = &mut self.codes[index];
        if set.active {
            return;
        }
        let since_s = *set.pending_since_s.get_or_insert(now_s);
        if now_s - since_s < for_s {
            return;
        }
        set.active = true;
        set.pending_since_s = None;
        set.count = (set.count + 1).min(MOST_OCCURRENCES);
        set.number = number.unwrap_or(0);
        let event = self.code_step(index, FaultStep::CodeActive, now_s);
        truth.push(event);
        self.changed_sources.push(code.source);
        if code.severity == 4 {
            self.stop_demanded = Some(number.unwrap_or(0));
        }
    }

    fn release(&mut self, code: Code, now_s: f64, truth: &mut Vec<Event>) {
        let Some(index) = self.codes.iter().position(|set| set.code == code) else { return };
        let set = &mut self.codes[index];
        set.pending_since_s = None;
        if std::mem::take(&mut set.active) {
            let event = self.code_step(index, FaultStep::CodeGone, now_s);
            truth.push(event);
            self.changed_sources.push(code.source);
        }
    }

    fn code_step(&self, index: usize, step: FaultStep, now_s: f64) -> Event {
        let set = &self.codes[index];
        let cause = self.causes.iter().find(|cause| cause.number == set.number);
        Event::Fault(Truth {
            number: set.number,
            kind: cause.map_or("none", |cause| KINDS[cause.kind].name).to_string(),
            step,
            at: at(now_s),
            spn: Some(set.code.spn),
            fmi: Some(set.code.fmi),
            occurrence_count: Some(set.count),
            signal: None,
        })
    }

    /// Reports the list of every controller whose list has changed, and again those with codes after a while.
    fn report(&mut self, now_s: f64, out: &mut Vec<Record>) {
        let is_time = now_s >= self.reported_s + HEARTBEAT_S;
        if is_time {
            let active = self.codes.iter().filter(|set| set.active).map(|set| set.code.source);
            self.changed_sources.extend(active);
        }
        if self.changed_sources.is_empty() {
            return;
        }
        self.reported_s = now_s;
        let mut sources = std::mem::take(&mut self.changed_sources);
        sources.sort_unstable();
        sources.dedup();
        for source in sources {
            out.push(Record::Faults(self.list(source, true, now_s)));
        }
    }

    /// At switching on, controllers tell what they remember.
    pub(crate) fn switched_on(&mut self, now_s: f64, out: &mut Vec<Record>) {
        if !self.has_controller {
            return;
        }
        let mut sources: Vec<u8> = self.codes.iter().filter(|set| set.count > 0).map(|set| set.code.source).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in sources {
            out.push(Record::Faults(self.list(source, false, now_s)));
            self.changed_sources.push(source);
        }
    }

    fn list(&self, source: u8, active: bool, now_s: f64) -> FaultReport {
        let of_source = |set: &&Set| set.code.source == source && set.count > 0 && set.active == active;
        let sets: Vec<&Set> = self.codes.iter().filter(of_source).collect();
        FaultReport {
            recorded_at_ms: (now_s * 1_000.0).round() as i64,
            report: if active { ReportKind::Active } else { ReportKind::PreviouslyActive },
            source_address: source,
            lamps: lamps(self.codes.iter().filter(|set| set.active && set.code.source == source)),
            faults: sets
                .into_iter()
                .map(|set| Fault {
                    spn: set.code.spn,
                    fmi: set.code.fmi,
                    occurrence_count: set.count,
                    legacy_conversion: false,
                })
                .collect(),
        }
    }

    /// The fault for which the driver has to stop at once, told once.
    pub(crate) fn take_stop(&mut self) -> Option<u32> {
        self.stop_demanded.take()
    }

    /// Mends the cause of that number on the spot.
    pub(crate) fn repair(&mut self, number: u32, now_s: f64, truth: &mut Vec<Event>) {
        if let Some(index) = self.causes.iter().position(|cause| cause.number == number) {
            self.mend(index, now_s, truth);
        }
    }

    /// Whether some code is set or some cause acts: physics then takes small steps.
    pub(crate) fn any(&self) -> bool {
        !self.causes.is_empty() || self.codes.iter().any(|set| set.active || set.pending_since_s.is_some())
    }
}

fn at(now_s: f64) -> At {
    At((now_s * 1_000.0).round() as i64)
}

fn step_of(cause: &Cause, step: FaultStep, now_s: f64) -> Event {
    let kind = &KINDS[cause.kind];
    Event::Fault(Truth {
        number: cause.number,
        kind: kind.name.to_string(),
        step,
        at: at(now_s),
        spn: None,
        fmi: None,
        occurrence_count: None,
        signal: kind.shows.map(|signal| signal.to_string()),
    })
}

/// Lamps of DM1: two bits each from the top: malfunction, red stop, amber warning, protect.
fn lamps<'a>(active: impl Iterator<Item = &'a Set>) -> Lamps {
    let worst = active.map(|set| set.code.severity).max().unwrap_or(0);
    let state = match worst {
        4 => 0b0001_0000,
        2 | 3 => 0b0000_0100,
        1 => 0b0000_0001,
        _ => 0,
    };
    // Lamps that are off do not flash; a stop lamp flashes fast.
    let flash = if worst == 4 { 0b1101_1111 } else { 0b1111_1111 };
    Lamps { state, flash }
}
