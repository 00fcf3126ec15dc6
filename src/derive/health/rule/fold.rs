//! All rules over the samples of one machine.

use std::ops::Range;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use wire::catalogue;

use super::super::super::Readings;
use super::super::counter::{GuardedCounter, Pace};
use super::super::episode::{Episode, Subject};
use super::super::text::Severity;
use super::block::{BLOCK, Block, BlockMaker, Held, MachineFacts};
use super::daily::DayState;
use super::day::{DayFigures, DayFold, Totals, Trend};
use super::fuel::FuelState;
use super::limit::{Limit, LimitState};
use super::local_time::LocalTime;
use super::rate::RateState;
use super::reset::ResetState;
use super::silence::SilenceState;
use super::{Check, Context, ENGINE_SPEED, Found, Rule, RuleSet};

/// Everything that a fold carries from one sample to the next: small, and a value that can be stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleFoldState {
    held: Held,
    /// By rule. A rule without one has not begun.
    rules: Vec<(String, CheckState)>,
    day: DayFold,
    totals: Totals,
}

/// What a run over samples has found for good.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ended {
    /// Episodes whose end cannot change any more.
    pub episodes: Vec<Episode>,
    /// Days that are over.
    pub days: Vec<DayFigures>,
}

/// How fast a tank can be burned empty: faster than any engine of the fleet, L/h, and the step of a coarse counter.
const FUEL: Pace = Pace { per_hour: 200.0, step: 1.0 };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum CheckState {
    Limit(LimitState),
    Rate(RateState),
    Day(DayState),
    Fuel(Box<FuelState>),
    Reset(ResetState),
    Silence(SilenceState),
}

/// Rules over the samples of one machine, in order.
pub struct RuleFold<'a> {
    set: &'a RuleSet,
    facts: &'a MachineFacts,
    rules: Vec<&'a Rule>,
    states: Vec<CheckState>,
    maker: BlockMaker<'a>,
    trends: Vec<&'a Trend>,
    clock: LocalTime,
    held: Held,
    block: Block,
    day: DayFold,
    totals: Totals,
}

impl<'a> RuleFold<'a> {
    /// Begins with nothing known, or goes on from a state that the same rules left.
    pub fn new(set: &'a RuleSet, facts: &'a MachineFacts, zone: &TimeZone, state: RuleFoldState) -> Self {
        let rules = set.rules_for(facts.model.as_deref()).collect();
        let trends = set.trends_for(facts.model.as_deref()).collect();
        Self::with(set, rules, trends, facts, zone, state)
    }

    /// The same with some of the rules and trends.
    pub(super) fn with(
        set: &'a RuleSet,
        rules: Vec<&'a Rule>,
        trends: Vec<&'a Trend>,
        facts: &'a MachineFacts,
        zone: &TimeZone,
        state: RuleFoldState,
    ) -> Self {
        let mut used = vec![false; set.inputs().len()];
        let mut columns: Vec<_> = rules.iter().flat_map(|rule| rule.columns()).collect();
        trends.iter().for_each(|trend| trend.columns(&mut columns));
        columns.push(ENGINE_SPEED);
        columns.into_iter().for_each(|column| used[column] = true);
        let compared: Vec<_> = rules.iter().flat_map(|rule| rule.compared()).copied().collect();
        let mut known = state.rules;
        let states = rules
            .iter()
            .map(|rule| {
                let kept = known.iter().position(|(id, state)| *id == rule.id && state.is_of(&rule.check));
                kept.map_or_else(|| CheckState::of(&rule.check), |position| known.swap_remove(position).1)
            })
            .collect();
        Self {
            set,
            facts,
            rules,
            states,
            maker: BlockMaker::new(set.inputs(), used, &compared, set.areas(), facts, zone.clone()),
            trends,
            clock: LocalTime::new(zone.clone()),
            held: state.held,
            block: Block::default(),
            day: state.day,
            totals: state.totals,
        }
    }

    /// Takes the next samples, those of `span` in `readings`; what is over and cannot change any more goes to `ended`.
    pub fn push(&mut self, readings: &Readings, span: Range<usize>, ended: &mut Ended) {
        let context = Context { names: self.set.names() };
        let mut found = Vec::new();
        for first in span.clone().step_by(BLOCK) {
            let range = first..span.end.min(first + BLOCK);
            self.maker.fill(readings, range.clone(), &mut self.held, &mut self.block);
            self.run_day(readings, range, &mut ended.days);
            for (rule, state) in self.rules.iter().zip(&mut self.states) {
                match (&rule.check, state) {
                    (Check::Limit(check), CheckState::Limit(state)) => {
                        check.run(&mut self.block, state, &context, &mut found);
                    }
                    (Check::Rate(check), CheckState::Rate(state)) => {
                        check.run(&self.block, state, &context, &mut found);
                    }
                    (Check::Share(check), CheckState::Day(state)) => {
                        check.run(&self.block, state, &mut self.clock, &mut found);
                    }
                    (Check::Agree(check), CheckState::Day(state)) => {
                        check.run(&self.block, state, &mut self.clock, &mut found);
                    }
                    (Check::Fuel(check), CheckState::Fuel(state)) => {
                        check.run(readings, first, &self.block, self.facts.tank_l, state, &mut found);
                    }
                    _ => {}
                }
                ended.episodes.extend(found.drain(..).map(|found| episode(rule, found)));
            }
        }
        for (rule, state) in self.rules.iter().zip(&mut self.states) {
            match (&rule.check, state) {
                (Check::Reset(check), CheckState::Reset(state)) => check.run(readings, span.clone(), state, &mut found),
                (Check::Silence(check), CheckState::Silence(state)) => {
                    check.run(readings, span.clone(), state, &mut self.clock, &mut found);
                }
                _ => {}
            }
            ended.episodes.extend(found.drain(..).map(|found| episode(rule, found)));
        }
    }

    /// The engine's hours: guarded against glitches, with what is behind them.
    pub fn engine_hours(&self) -> GuardedCounter {
        self.totals.hours
    }

    /// The day that goes on, as far as it has come.
    pub fn day(&self) -> Option<DayFigures> {
        self.day.clone().figures(&self.trends)
    }

    fn run_day(&mut self, readings: &Readings, range: Range<usize>, ended: &mut Vec<DayFigures>) {
        let days: Vec<_> = self.block.at_ms.iter().map(|at_ms| self.clock.day(*at_ms)).collect();
        let hours = readings.signal(catalogue::ENGINE_HOURS_H);
        let fuel = readings.signal(catalogue::FUEL_TOTAL_L);
        let mut counters = Vec::with_capacity(range.len());
        for index in range {
            let at_ms = readings.recorded_at_ms[index];
            let total = |reported: Option<f64>, counter: &mut GuardedCounter, pace| {
                let raw = reported?;
                counter.push(at_ms, raw, pace);
                counter.total()
            };
            counters.push((
                total(hours.at(index), &mut self.totals.hours, Pace::ENGINE_HOURS),
                total(fuel.at(index), &mut self.totals.fuel_l, FUEL),
            ));
        }
        self.day.run(&self.block, &days, &counters, &self.trends, ended);
    }

    /// What lasts, or could still change, when the machine's records end and it is `now_ms`.
    pub fn open(&mut self, now_ms: i64) -> Vec<Episode> {
        let mut open = Vec::new();
        for (rule, state) in self.rules.iter().zip(&self.states) {
            let found = match (&rule.check, state) {
                (Check::Limit(_), CheckState::Limit(state)) => Limit::open(state),
                (Check::Rate(_), CheckState::Rate(state)) => state.open(),
                (Check::Share(check), CheckState::Day(state)) => check.open(state),
                (Check::Fuel(check), CheckState::Fuel(state)) => check.open(state, self.facts.tank_l),
                (Check::Silence(check), CheckState::Silence(state)) => check.gap(state, now_ms, &mut self.clock),
                // Two counts are compared when the day is over, and a replaced counter is no state that lasts.
                _ => None,
            };
            open.extend(found.map(|found| episode(rule, found)));
        }
        open
    }

    /// The state to go on from.
    pub fn state(&self) -> RuleFoldState {
        let ids = self.rules.iter().map(|rule| rule.id.clone());
        let rules = ids.zip(self.states.iter().cloned()).collect();
        RuleFoldState { held: self.held.clone(), rules, day: self.day.clone(), totals: self.totals.clone() }
    }
}

impl CheckState {
    fn of(check: &Check) -> Self {
        match check {
            Check::Limit(_) => Self::Limit(LimitState::default()),
            Check::Rate(_) => Self::Rate(RateState::default()),
            Check::Share(_) | Check::Agree(_) => Self::Day(DayState::default()),
            Check::Fuel(_) => Self::Fuel(Box::default()),
            Check::Reset(_) => Self::Reset(ResetState::default()),
            Check::Silence(_) => Self::Silence(SilenceState::default()),
        }
    }

    fn is_of(&self, check: &Check) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(&Self::of(check))
    }
}

fn episode(rule: &Rule, found: Found) -> Episode {
    let raised = found.evidence.get("raised") == Some(&1.0);
    let severity = if raised { Severity::Stop.min(next(rule.severity)) } else { rule.severity };
    Episode {
        subject: Subject::Rule(rule.id.clone()),
        severity,
        opened_at_ms: found.opened_at_ms,
        fired_at_ms: found.fired_at_ms,
        closed_at_ms: found.closed_at_ms,
        settled_at_ms: found.settled_at_ms,
        evidence: found.evidence,
    }
}

fn next(severity: Severity) -> Severity {
    Severity::ALL.into_iter().find(|other| *other > severity).unwrap_or(Severity::Stop)
}
