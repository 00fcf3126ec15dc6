//! Slow changes: the last working days of a machine against what was usual on it before, and against the other
//! machines of its model.
//!
//! Everything is a median of medians, class by class of load, so that neither one odd day nor one odd machine, nor
//! easier work, looks like a change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::episode::{Episode, Evidence, Subject};
use super::rule::{DayFigures, Side, Trend, TrendFigure};

/// Working days before the ones in question that say what was usual.
const REFERENCE_DAYS: usize = 30;
/// Fewest of them that say anything.
const REFERENCE_DAYS_MIN: usize = 5;
/// Fewest other machines that make a cohort.
const COHORT_MIN: usize = 3;
/// Spreads of the cohort beyond which a machine is no longer one of it.
const COHORT_SPREADS: f64 = 3.0;
/// From the median of the distances to a standard deviation, for a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;
/// A change is over when it is less than this share of what matters.
const CLEARED_BELOW: f64 = 0.5;

/// What is usual on the machines of a model, by trend and class: one median a machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cohort {
    /// Sorted medians, one a machine.
    medians: BTreeMap<(String, u8), Vec<f64>>,
}

/// What has been usual on a machine lately, in one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsualFigure {
    /// The trend.
    pub trend: String,
    /// The class, from 0.
    pub class: u8,
    /// Median of its days.
    pub value: f64,
}

/// What has been usual on a machine in the last of its days.
pub fn usual(trends: &[Trend], days: &[DayFigures]) -> Vec<UsualFigure> {
    let mut values: BTreeMap<(&str, u8), Vec<f64>> = BTreeMap::new();
    let recent = &days[days.len().saturating_sub(REFERENCE_DAYS)..];
    for trend in trends {
        for figure in recent.iter().flat_map(|day| figures(trend, day)) {
            values.entry((&trend.id, figure.class)).or_default().push(figure.value);
        }
    }
    let known = values.into_iter().filter(|(_, values)| values.len() >= REFERENCE_DAYS_MIN);
    known.map(|((trend, class), values)| UsualFigure { trend: trend.into(), class, value: median(values) }).collect()
}

impl Cohort {
    /// Adds a machine; the one in question itself is not added.
    pub fn add(&mut self, usual: &[UsualFigure]) {
        for figure in usual {
            let medians = self.medians.entry((figure.trend.clone(), figure.class)).or_default();
            let at = medians.partition_point(|other| *other < figure.value);
            medians.insert(at, figure.value);
        }
    }

    /// Median and spread of a class, and of how many machines.
    fn usual(&self, trend: &str, class: u8) -> Option<(f64, f64, usize)> {
        let medians = self.medians.get(&(trend.to_owned(), class)).filter(|medians| medians.len() >= COHORT_MIN)?;
        let middle = median(medians.clone());
        let spread = median(medians.iter().map(|value| (value - middle).abs()).collect());
        Some((middle, spread * MAD_TO_SIGMA, medians.len()))
    }
}

/// A day of a machine compared with what is usual, over its classes by their time.
#[derive(Debug, Clone, Copy, Default)]
struct Compared {
    value: f64,
    usual: f64,
    change: f64,
    /// Change as a share of what matters.
    matters: f64,
}

/// Finds the slow changes of a machine in its days, which ascend, all of them or the last few months.
pub fn trends<'a>(trends: impl Iterator<Item = &'a Trend>, days: &[DayFigures], cohort: &Cohort) -> Vec<Episode> {
    trends.flat_map(|trend| changes(trend, days, cohort)).collect()
}

fn changes(trend: &Trend, days: &[DayFigures], cohort: &Cohort) -> Vec<Episode> {
    let days: Vec<&DayFigures> = days.iter().filter(|day| figures(trend, day).next().is_some()).collect();
    let mut episodes: Vec<Episode> = Vec::new();
    // Days in a row that show the change, while it is not open; days in a row that no longer do, while it is.
    let mut row: Vec<&DayFigures> = Vec::new();
    let mut open = false;
    for (index, day) in days.iter().enumerate() {
        // The days in question are no part of what is usual, and neither is an episode that is open.
        let before = index.saturating_sub(if open { trend.days + row.len() } else { row.len() });
        let own = compared(trend, day, |class| own_usual(trend, &days[..before], class));
        let others = compared(trend, day, |class| cohort_usual(trend, cohort, class));
        let matters = own.map_or(0.0, |own| own.matters).max(others.map_or(0.0, |others| others.matters));
        let counts = if open { matters < CLEARED_BELOW } else { matters >= 1.0 };
        if !counts {
            row.clear();
            if let (true, Some(episode)) = (open, episodes.last_mut()) {
                worst(episode, own, others);
            }
            continue;
        }
        row.push(day);
        if row.len() < trend.days {
            continue;
        }
        if open {
            if let Some(episode) = episodes.last_mut() {
                episode.closed_at_ms = Some(row[0].first_ms);
                episode.settled_at_ms = Some(day.last_ms);
            }
        } else {
            let mut episode = Episode {
                subject: Subject::Trend(trend.id.clone()),
                severity: trend.severity,
                opened_at_ms: row[0].first_ms,
                fired_at_ms: day.last_ms,
                closed_at_ms: None,
                settled_at_ms: None,
                evidence: Evidence::new(),
            };
            worst(&mut episode, own, others);
            episodes.push(episode);
        }
        open = !open;
        row.clear();
    }
    episodes
}

/// The figures of a day that were observed for long enough.
fn figures<'a>(trend: &'a Trend, day: &'a DayFigures) -> impl Iterator<Item = &'a TrendFigure> {
    day.trends.iter().filter(|figure| figure.trend == trend.id && figure.observed_ms >= trend.at_least_ms)
}

/// What is usual in a class, and the change that matters there.
type Usual = (f64, f64);

fn own_usual(trend: &Trend, before: &[&DayFigures], class: u8) -> Option<Usual> {
    let of_class = before
        .iter()
        .rev()
        .take(REFERENCE_DAYS)
        .flat_map(|day| figures(trend, day).filter(|figure| figure.class == class).map(|figure| figure.value));
    let values: Vec<_> = of_class.collect();
    (values.len() >= REFERENCE_DAYS_MIN).then(|| {
        let usual = median(values);
        (usual, amount(trend, usual))
    })
}

fn cohort_usual(trend: &Trend, cohort: &Cohort, class: u8) -> Option<Usual> {
    let (usual, spread, _) = cohort.usual(&trend.id, class)?;
    Some((usual, amount(trend, usual).max(COHORT_SPREADS * spread)))
}

/// The smallest change that matters.
fn amount(trend: &Trend, usual: f64) -> f64 {
    trend.by.max(trend.by_share * usual.abs())
}

fn compared(trend: &Trend, day: &DayFigures, usual: impl Fn(u8) -> Option<Usual>) -> Option<Compared> {
    let mut sum = Compared::default();
    let mut weight = 0.0;
    for figure in figures(trend, day) {
        let Some((usual, amount)) = usual(figure.class) else { continue };
        let observed = figure.observed_ms as f64;
        let change = figure.value - usual;
        let wrong = if trend.side == Side::Above { change } else { -change };
        sum.value += observed * figure.value;
        sum.usual += observed * usual;
        sum.change += observed * change;
        sum.matters += observed * wrong / amount.max(f64::MIN_POSITIVE);
        weight += observed;
    }
    (weight > 0.0).then(|| Compared {
        value: sum.value / weight,
        usual: sum.usual / weight,
        change: sum.change / weight,
        matters: sum.matters / weight,
    })
}

/// Keeps the figures of the day that showed the change best.
fn worst(episode: &mut Episode, own: Option<Compared>, others: Option<Compared>) {
    let best = [own, others].into_iter().flatten().max_by(|one, other| one.matters.total_cmp(&other.matters));
    let Some(best) = best else { return };
    let known = episode.evidence.get("matters").copied().unwrap_or(f64::NEG_INFINITY);
    if best.matters <= known {
        return;
    }
    let mut evidence = Evidence::from(
        [("value", best.value), ("usual", best.usual), ("change", best.change), ("matters", best.matters)]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    for (name, compared) in [("own_usual", own), ("cohort_usual", others)] {
        if let Some(compared) = compared {
            evidence.insert(name.into(), compared.usual);
        }
    }
    episode.evidence = evidence;
}

/// The middle value; of an even number the mean of the two. Zero of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match (values.len() / 2, values.len() % 2) {
        (0, 0) => 0.0,
        (half, 0) => f64::midpoint(values[half - 1], values[half]),
        (half, _) => values[half],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::health::DataFile;
    use crate::derive::health::rule::RuleSet;
    use expect_test::{Expect, expect};

    const DAY_MS: i64 = 86_400_000;

    fn trend() -> Trend {
        let text =
            "[[trend]]\nid = 'heat'\nseverity = 2\ntitle = { ru = 'а', en = 'a' }\nadvice = { ru = 'а', en = 'a' }
            value = 'coolant_temp_c'\nresolution = 0.5\nrises_by = 6\ndays = 3\nat_least_min = 20
            class = 'engine_load_pct'\nedges = [50]";
        let mut errors = Vec::new();
        let set = RuleSet::read(&[DataFile { name: "own".into(), text: text.into() }], &mut errors);
        assert_eq!(errors, []);
        set.trends()[0].clone()
    }

    /// Figures of a day: class and value.
    type Figures = &'static [(u8, f64)];

    /// Working days from day 1 on; each with its figures by class, of an hour each.
    fn days(figures: &[Figures]) -> Vec<DayFigures> {
        let day = |(index, figures): (usize, &Figures)| {
            let day = index as i64 + 1;
            let trends = figures.iter().map(|(class, value)| TrendFigure {
                trend: "heat".into(),
                class: *class,
                observed_ms: 3_600_000,
                value: *value,
                spread: 1.0,
            });
            DayFigures {
                day,
                first_ms: day * DAY_MS,
                last_ms: day * DAY_MS + 3_600_000,
                running_ms: 3_600_000,
                hours: None,
                fuel_l: None,
                trends: trends.collect(),
            }
        };
        figures.iter().enumerate().map(day).collect()
    }

    fn check(days: &[DayFigures], cohort: &Cohort, expected: Expect) {
        let trend = trend();
        let lines: Vec<_> = trends(std::iter::once(&trend), days, cohort)
            .iter()
            .map(|episode| {
                let end = episode.closed_at_ms.map_or("…".into(), |at| (at / DAY_MS).to_string());
                let figure = |name: &str| episode.evidence.get(name).copied().unwrap_or(f64::NAN);
                format!(
                    "days {}-{end}, told on {}: {:.1} where {:.1} is usual",
                    episode.opened_at_ms / DAY_MS,
                    episode.fired_at_ms / DAY_MS,
                    figure("value"),
                    figure("usual")
                )
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn three_hot_days_in_a_row_are_a_change_and_three_cool_ones_end_it() {
        let mut figures: Vec<Figures> = vec![&[(0, 60.0)]; 10];
        figures.extend::<[Figures; 4]>([&[(0, 68.0)]; 4]);
        check(&days(&figures), &Cohort::default(), expect!["days 11-…, told on 13: 68.0 where 60.0 is usual"]);
        figures.extend::<[Figures; 3]>([&[(0, 61.0)]; 3]);
        check(&days(&figures), &Cohort::default(), expect!["days 11-15, told on 13: 68.0 where 60.0 is usual"]);
    }

    #[test]
    fn one_odd_day_and_harder_work_are_none() {
        let mut figures: Vec<Figures> = vec![&[(0, 60.0), (1, 75.0)]; 10];
        figures.extend::<[Figures; 5]>([&[(0, 90.0)], &[(0, 60.0)], &[(0, 90.0)], &[(0, 90.0)], &[(0, 61.0)]]);
        // Hot because it worked hard: the class knows.
        figures.extend::<[Figures; 5]>([&[(1, 76.0)]; 5]);
        check(&days(&figures), &Cohort::default(), expect![""]);
    }

    #[test]
    fn a_machine_that_has_always_been_hotter_than_its_model_is_told_of() {
        let machine = |value| vec![UsualFigure { trend: "heat".into(), class: 0, value }];
        let mut cohort = Cohort::default();
        [60.0, 61.0, 59.5, 60.5].into_iter().for_each(|value| cohort.add(&machine(value)));
        let figures: Vec<Figures> = vec![&[(0, 70.0)]; 4];
        check(&days(&figures), &cohort, expect!["days 1-…, told on 3: 70.0 where 60.2 is usual"]);
        // Where machines of a model differ widely, it is one of them.
        let mut wide = Cohort::default();
        [50.0, 62.0, 71.0, 80.0].into_iter().for_each(|value| wide.add(&machine(value)));
        check(&days(&figures), &wide, expect![""]);
        // Two others are no cohort.
        let mut few = Cohort::default();
        [60.0, 60.0].into_iter().for_each(|value| few.add(&machine(value)));
        check(&days(&figures), &few, expect![""]);
    }

    #[test]
    fn what_is_usual_needs_days_and_time() {
        let figures: Vec<Figures> = vec![&[(0, 60.0)], &[(0, 60.0)], &[(0, 80.0)], &[(0, 80.0)], &[(0, 80.0)]];
        check(&days(&figures), &Cohort::default(), expect![""]);
        assert_eq!(usual(&[trend()], &days(&figures[..4])), []);
        let five: Vec<Figures> = vec![&[(0, 60.0)]; 5];
        assert_eq!(usual(&[trend()], &days(&five)), [UsualFigure { trend: "heat".into(), class: 0, value: 60.0 }]);
    }
}
