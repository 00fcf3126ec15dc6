//! What a local day of a machine amounts to: its use, and the figures that trends compare from day to day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::counter::GuardedCounter;
use super::super::text::{Severity, Text};
use super::ENGINE_SPEED;
use super::block::{Block, RUNNING_RPM};
use super::expression::Expression;
use super::limit::Side;

/// Samples further apart say nothing of the time between them.
const OBSERVED_MS: i64 = 120_000;
/// Most steps of the value's resolution that are told apart on each side of zero.
const MAX_BIN: f64 = 1_000_000.0;
/// Most classes of a trend.
pub(super) const MAX_CLASSES: usize = 16;

/// A slow change to look for: which figure of a day, and how much of a change matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Its name: a-z, 0-9 and `_`.
    pub id: String,
    /// What it says is wrong.
    pub title: Text,
    /// What to do.
    pub advice: Text,
    /// How bad that is.
    pub severity: Severity,
    /// Patterns of the models it is for; empty: every machine that reports its signals.
    pub models: Vec<String>,
    /// Whether more or less is wrong.
    pub(in super::super) side: Side,
    /// Smallest change that matters, in the value's unit, and as a share of what is usual: whichever is greater.
    pub(in super::super) by: f64,
    pub(in super::super) by_share: f64,
    /// Working days in a row that show it.
    pub(in super::super) days: usize,
    /// Observed time that a day needs in a class.
    pub(in super::super) at_least_ms: i64,
    pub(super) value: Expression,
    pub(super) statistic: Statistic,
    pub(super) when: Option<Expression>,
    /// What puts a sample into a class, and where one class ends and the next begins.
    pub(super) class: Option<(Expression, Vec<f64>)>,
    /// Steps in which values are told apart.
    pub(super) resolution: f64,
}

/// Which figure of a day's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Statistic {
    /// Half of the time it was less.
    #[default]
    Median,
    /// Mean over time; of a condition this is its share of the time.
    Mean,
}

/// A local day of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayFigures {
    /// Days since 1970-01-01.
    pub day: i64,
    /// First sample, Unix milliseconds.
    pub first_ms: i64,
    /// Last sample.
    pub last_ms: i64,
    /// Time with the engine running.
    pub running_ms: i64,
    /// Engine hours in all at the first report of the day and at the last, guarded against glitches.
    pub hours: Option<(f64, f64)>,
    /// Fuel burned in all at the first report of the day and at the last, L, guarded.
    pub fuel_l: Option<(f64, f64)>,
    /// Figures for trends.
    pub trends: Vec<TrendFigure>,
}

/// A figure of a day, in one class of load or speed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendFigure {
    /// The trend.
    pub trend: String,
    /// The class, from 0.
    pub class: u8,
    /// Observed time in it.
    pub observed_ms: i64,
    /// Median or mean.
    pub value: f64,
    /// Median of the distances from the median; 0 for a mean.
    pub spread: f64,
}

/// The day under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct DayFold {
    day: Option<i64>,
    first_ms: i64,
    last_ms: i64,
    running_ms: i64,
    hours: Option<(f64, f64)>,
    fuel_l: Option<(f64, f64)>,
    /// By trend, as an index, and class: time by step of the resolution.
    values: BTreeMap<(u8, u8), BTreeMap<i32, i64>>,
}

impl DayFold {
    /// Goes through a block, whose samples are of the local days `days` and report the totals `counters`.
    pub(super) fn run(
        &mut self,
        block: &Block,
        days: &[i64],
        counters: &[(Option<f64>, Option<f64>)],
        trends: &[&Trend],
        ended: &mut Vec<DayFigures>,
    ) {
        let mut evaluated: Vec<Evaluated<'_>> =
            trends.iter().enumerate().filter_map(|(index, trend)| Evaluated::of(index as u8, trend, block)).collect();
        let engine_speed = block.column(ENGINE_SPEED);
        for (index, &at_ms) in block.at_ms.iter().enumerate() {
            if self.day != Some(days[index]) {
                evaluated.iter_mut().for_each(|evaluated| evaluated.flush(&mut self.values));
                ended.extend(std::mem::take(self).figures(trends));
                (self.day, self.first_ms, self.last_ms) = (Some(days[index]), at_ms, at_ms);
            }
            let observed_ms = at_ms - std::mem::replace(&mut self.last_ms, at_ms);
            let (hours, fuel_l) = counters[index];
            extend(&mut self.hours, hours);
            extend(&mut self.fuel_l, fuel_l);
            if observed_ms == 0 || observed_ms > OBSERVED_MS {
                continue;
            }
            if engine_speed[index] >= RUNNING_RPM {
                self.running_ms += observed_ms;
            }
            evaluated.iter_mut().for_each(|evaluated| evaluated.add(index, observed_ms, &mut self.values));
        }
        evaluated.iter_mut().for_each(|evaluated| evaluated.flush(&mut self.values));
    }

    /// What the day amounts to so far.
    pub(super) fn figures(self, trends: &[&Trend]) -> Option<DayFigures> {
        let day = self.day?;
        let figures = self.values.into_iter().filter_map(|((index, class), times)| {
            let trend = trends.get(usize::from(index))?;
            let observed_ms = times.values().sum();
            let (value, spread) = match trend.statistic {
                Statistic::Median => {
                    let median = median(times.iter().map(|(bin, ms)| (*bin, *ms)), observed_ms);
                    let mut distances: Vec<_> = times.iter().map(|(bin, ms)| ((bin - median).abs(), *ms)).collect();
                    distances.sort_unstable();
                    let spread = self::median(distances.into_iter(), observed_ms);
                    (f64::from(median) * trend.resolution, f64::from(spread) * trend.resolution)
                }
                Statistic::Mean => {
                    let sum: f64 = times.iter().map(|(bin, ms)| f64::from(*bin) * *ms as f64).sum();
                    (sum / observed_ms as f64 * trend.resolution, 0.0)
                }
            };
            Some(TrendFigure { trend: trend.id.clone(), class, observed_ms, value, spread })
        });
        Some(DayFigures {
            day,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            running_ms: self.running_ms,
            hours: self.hours,
            fuel_l: self.fuel_l,
            trends: figures.collect(),
        })
    }
}

fn extend(range: &mut Option<(f64, f64)>, value: Option<f64>) {
    if let Some(value) = value {
        *range = Some((range.map_or(value, |(first, _)| first), value));
    }
}

/// The bin in which half of the time is reached; bins ascend.
fn median(bins: impl Iterator<Item = (i32, i64)>, whole_ms: i64) -> i32 {
    let mut sum_ms = 0;
    let mut last = 0;
    for (bin, ms) in bins {
        sum_ms += ms;
        last = bin;
        if 2 * sum_ms >= whole_ms {
            break;
        }
    }
    last
}

/// A trend's values over a block.
struct Evaluated<'a> {
    index: u8,
    trend: &'a Trend,
    /// Class, bin and time of the last samples: values stay in a bin for a while, and maps are slow.
    run: Option<(u8, i32, i64)>,
    values: Vec<f64>,
    when: Option<Vec<f64>>,
    class: Option<Vec<f64>>,
}

impl<'a> Evaluated<'a> {
    fn of(index: u8, trend: &'a Trend, block: &Block) -> Option<Self> {
        let mut needed = Vec::new();
        trend.value.columns(&mut needed);
        if needed.iter().any(|column| block.is_unknown(*column)) {
            return None;
        }
        Some(Self {
            index,
            trend,
            run: None,
            values: trend.value.evaluate(block),
            when: trend.when.as_ref().map(|when| when.evaluate(block)),
            class: trend.class.as_ref().map(|(class, _)| class.evaluate(block)),
        })
    }

    fn add(&mut self, index: usize, observed_ms: i64, values: &mut BTreeMap<(u8, u8), BTreeMap<i32, i64>>) {
        let Some((class, bin)) = self.at(index) else { return };
        match &mut self.run {
            Some((of_class, of_bin, ms)) if (*of_class, *of_bin) == (class, bin) => *ms += observed_ms,
            _ => {
                self.flush(values);
                self.run = Some((class, bin, observed_ms));
            }
        }
    }

    fn flush(&mut self, values: &mut BTreeMap<(u8, u8), BTreeMap<i32, i64>>) {
        if let Some((class, bin, ms)) = self.run.take() {
            *values.entry((self.index, class)).or_default().entry(bin).or_default() += ms;
        }
    }

    fn at(&self, index: usize) -> Option<(u8, i32)> {
        if self.when.as_ref().is_some_and(|when| when[index] != 1.0) || self.values[index].is_nan() {
            return None;
        }
        let class = match (&self.class, &self.trend.class) {
            (Some(values), Some((_, edges))) => {
                let value = values[index];
                if value.is_nan() {
                    return None;
                }
                // At most 16 classes, as a check of the file holds.
                edges.partition_point(|edge| *edge <= value) as u8
            }
            _ => 0,
        };
        let bin = (self.values[index] / self.trend.resolution).round().clamp(-MAX_BIN, MAX_BIN);
        Some((class, bin as i32))
    }
}

impl Trend {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        let class = self.class.as_ref().map(|(class, _)| class);
        [Some(&self.value), self.when.as_ref(), class].into_iter().flatten().for_each(|of| of.columns(columns));
    }
}

/// Counters of a machine whose totals days are judged by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) hours: GuardedCounter,
    pub(super) fuel_l: GuardedCounter,
}
