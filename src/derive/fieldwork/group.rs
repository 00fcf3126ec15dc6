//! From states to runs of work, and from runs to sessions.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::ground::{self, Ground, InFields, OwnGrounds};
use super::track::Track;
use super::{Operation, Rules, State};

/// Uninterrupted work: a pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// First and last sample at work. What the last one says holds until the next sample.
    pub samples: RangeInclusive<usize>,
    pub ground: Ground,
    pub operation: Operation,
}

/// Runs of one session, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub ground: Ground,
    pub operation: Operation,
    pub runs: Vec<RangeInclusive<usize>>,
}

impl Group {
    /// From the first to the last sample at work.
    pub(super) fn samples(&self) -> RangeInclusive<usize> {
        let (first, last) = (self.runs.first(), self.runs.last());
        let (first, last) = first.zip(last).expect("a group has a run");
        *first.start()..=*last.end()
    }
}

/// The samples of each run. A gap without data ends one, and so do a break in the track and a new pass.
pub(super) fn runs(at_ms: &[i64], states: &[State], ends_before: &[bool], rules: &Rules) -> Vec<RangeInclusive<usize>> {
    let mut runs: Vec<RangeInclusive<usize>> = Vec::new();
    for (index, _) in states.iter().enumerate().filter(|(_, state)| **state == State::Working) {
        let goes_on = runs.last().is_some_and(|run| *run.end() + 1 == index)
            && !ends_before[index]
            && (at_ms[index] - at_ms[index - 1]) as f64 <= rules.gap_s * 1000.0;
        match runs.last_mut().filter(|_| goes_on) {
            Some(run) => *run = *run.start()..=index,
            None => runs.push(index..=index),
        }
    }
    runs
}

/// Everything that decides whether two runs are one session.
pub(super) struct Joining<'a> {
    pub at_ms: &'a [i64],
    pub states: &'a [State],
    /// Whether an engine was heard at all: without one, standing long is as good as being off.
    pub has_engine: bool,
    pub track: &'a Track,
    pub in_fields: &'a InFields,
    pub own: &'a OwnGrounds,
    pub rules: &'a Rules,
}

impl Joining<'_> {
    /// Joins runs of one ground and operation unless the machine left the field, stopped or fell silent between.
    pub(super) fn groups(&self, runs: &[Run]) -> Vec<Group> {
        let mut open: BTreeMap<(Ground, Operation), usize> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for run in runs {
            let key = (run.ground, run.operation);
            let last = open.get(&key).map(|&number| (number, *groups[number].samples().end()));
            match last.filter(|(_, end)| self.goes_on(*end, *run.samples.start(), run.ground)) {
                Some((number, _)) => groups[number].runs.push(run.samples.clone()),
                None => {
                    open.insert(key, groups.len());
                    let runs = vec![run.samples.clone()];
                    groups.push(Group { ground: run.ground, operation: run.operation, runs });
                }
            }
        }
        groups
    }

    fn goes_on(&self, from: usize, to: usize, ground: Ground) -> bool {
        let seconds = |a: usize, b: usize| (self.at_ms[b] - self.at_ms[a]) as f64 / 1000.0;
        let (mut away_since, mut off_since) = (None, None);
        for index in from..=to {
            if index > from && seconds(index - 1, index) > self.rules.silent_max_s {
                return false;
            }
            let is_away = !ground::is_near(self.track, self.in_fields, self.own, index, ground);
            away_since = is_away.then(|| away_since.unwrap_or(index));
            let is_off = match self.states[index] {
                State::Off => true,
                State::Idle => !self.has_engine,
                _ => false,
            };
            off_since = is_off.then(|| off_since.unwrap_or(index));
            // What a sample says holds until the next one.
            let until = (index + 1).min(to);
            let lasts = |since: Option<usize>, most_s: f64| since.is_some_and(|since| seconds(since, until) > most_s);
            if lasts(away_since, self.rules.away_max_s) || lasts(off_since, self.rules.off_max_s) {
                return false;
            }
        }
        true
    }
}

/// Tells turning from transport within a session: what is driven on the field between two runs, and not for long.
pub(super) fn tell_turns(joining: &Joining<'_>, group: &Group) -> Vec<RangeInclusive<usize>> {
    let mut turns = Vec::new();
    for pair in group.runs.windows(2) {
        let between = *pair[0].end() + 1..*pair[1].start();
        let moves = |index: &usize| joining.states[*index] == State::Transport;
        let mut from = between.start;
        while from < between.end {
            let Some(first) = (from..between.end).find(moves) else { break };
            let end = (first..between.end).find(|index| !moves(index)).unwrap_or(between.end);
            let lasts_s = (joining.at_ms[end] - joining.at_ms[first]) as f64 / 1000.0;
            let on_field = (first..end)
                .all(|index| ground::is_near(joining.track, joining.in_fields, joining.own, index, group.ground));
            if lasts_s <= joining.rules.turn_max_s && on_field {
                turns.push(first..=end - 1);
            }
            from = end;
        }
    }
    turns
}
