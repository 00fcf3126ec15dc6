//! How fast stored samples become sessions, rules, trends and faults. One thread, no database.

pub(crate) mod drive;
mod harvest;

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use polevod::catalogues;
use polevod::derive::Readings;
use polevod::derive::field::Fields;
use polevod::derive::fieldwork::{self, Ledger, Machine, Rules, Work};
use polevod::derive::health::rule::Ended;
use polevod::derive::health::{HealthFold, HealthState};
use serde::Serialize;

use crate::processor::Watch;
use crate::report::{Goal, Report};
use drive::{Drive, FULL_DAY};

/// The best of so many runs counts: a shared machine only ever slows down.
const ROUNDS: usize = 5;
/// Days that health follows: two months.
const HEALTH_DAYS: usize = 60;
const MODEL: &str = "gs12";

/// One day in one form.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    samples: usize,
    took_ms: f64,
    samples_per_s: f64,
    area_ha: f64,
}

pub(crate) fn measure(report: &mut Report) {
    let days = [
        ("field work, full day, every sensor", FULL_DAY),
        ("field work, full day, the track alone", Drive { implement: false, ..FULL_DAY }),
        ("field work, 10 Hz", Drive { samples: 100_000, period_ms: 100, ..FULL_DAY }),
        ("field work, 100 ha with 6 m", Drive { samples: 70_000, ..FULL_DAY }),
    ];
    let lines: Vec<Line> = days.into_iter().map(|(name, drive)| fold(name, &drive.readings())).collect();
    for line in &lines {
        let remark = format!("million samples/s on one core, {} samples, {:.1} ha", line.samples, line.area_ha);
        report.figure(line.name, line.samples_per_s / 1e6, "M/s", Goal::AtLeast(2.0), remark);
    }
    if let Some(line) = lines.iter().find(|line| line.name.contains("100 ha")) {
        let remark = "the whole fold with its swath, each place once".into();
        report.figure("field work, union of 100 ha", line.took_ms, "ms", Goal::AtMost(500.0), remark);
    }
    report.detail("field work", &lines);
    health(report);
}

fn fold(name: &'static str, readings: &Readings) -> Line {
    let (fields, machine, ledger) = (Fields::default(), Machine::default(), Ledger::default());
    let work = Work {
        day: Date::constant(2026, 8, 20),
        readings,
        carried: &[],
        tasks: &[],
        fields: &fields,
        machine: &machine,
        ledger: &ledger,
    };
    let mut best = Duration::MAX;
    let mut area_ha = 0.0;
    for _ in 0..ROUNDS {
        let watch = Watch::start();
        let folded = fieldwork::fold(&work, &Rules::default());
        best = best.min(watch.busy());
        area_ha = folded.sessions.iter().filter_map(|session| session.area.union_m2).sum::<f64>() / 10_000.0;
    }
    let samples = readings.len();
    let took_ms = best.as_secs_f64() * 1e3;
    Line { name, samples, took_ms, samples_per_s: samples as f64 / best.as_secs_f64(), area_ha }
}

/// All built-in rules, trends and faults over two months.
fn health(report: &mut Report) {
    let catalogues = catalogues::built_in();
    let facts = catalogues.models.facts(Some(MODEL));
    let zone = TimeZone::get("Asia/Tomsk").expect("the zone data is built in");
    let days: Vec<Readings> = (0..HEALTH_DAYS).map(harvest::day).collect();
    let samples: usize = days.iter().map(Readings::len).sum();
    let mut best = Duration::MAX;
    let mut episodes = 0;
    for _ in 0..ROUNDS {
        let watch = Watch::start();
        let mut ended = Ended::default();
        let mut state = HealthState::default();
        for readings in &days {
            let mut fold = HealthFold::new(&catalogues.rules, &catalogues.faults, &facts, &zone, state);
            fold.push(readings, 0..readings.len(), &[], i64::MAX, &mut ended);
            state = fold.state();
        }
        best = best.min(watch.busy());
        episodes = ended.episodes.len();
    }
    let rules = catalogues.rules.rules_for(Some(MODEL)).count();
    let trends = catalogues.rules.trends_for(Some(MODEL)).count();
    let remark = format!("million samples/s on one core, {rules} rules, {trends} trends, {episodes} episodes");
    let speed = samples as f64 / best.as_secs_f64() / 1e6;
    report.figure("health, two months of harvest", speed, "M/s", Goal::AtLeast(2.0), remark);
}
