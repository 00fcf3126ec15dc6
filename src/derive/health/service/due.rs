//! What is due on a machine.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::super::episode::{Episode, Evidence, Subject};
use super::super::rule::DayFigures;
use super::super::text::Severity;
use super::{Interval, Item, Plan};

/// Diesel, kg/L.
const DIESEL_KG_PER_L: f64 = 0.84;
/// A seasonal service counts for the season when it was done within this many days before.
const SEASON_DAYS: i64 = 90;
/// And is soon due, and overdue, so many days before and after.
const SEASON_MARGIN_DAYS: i64 = 30;
/// In summer nobody makes up for last winter's.
const SEASON_LAPSES_DAYS: i64 = 150;
/// Days that tell how much a machine works.
const RECENT_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;
/// Days of a month, on average over the Gregorian cycle.
const MONTH_DAYS: f64 = 30.436_875;

/// A service that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Which item of the plan.
    pub item: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Engine hours in all at that time; none: told by the machine's days.
    pub total_h: Option<f64>,
}

/// How a machine was used: what is due follows from this.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// When it came into the registry, Unix milliseconds.
    pub registered_ms: i64,
    /// Its days, ascending.
    pub days: Vec<DayFigures>,
}

/// How pressing a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DueStatus {
    /// Not yet.
    Fine,
    /// Beyond the soft limit.
    Soon,
    /// At the interval.
    Due,
    /// Beyond the hard limit.
    Overdue,
}

/// A service of a machine and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Due {
    /// Which item of the plan.
    pub item: String,
    /// How pressing.
    pub status: DueStatus,
    /// Used since it was last done, as a share of the interval.
    pub share: f64,
    /// Engine hours left, where hours decide; negative: overdue by so many.
    pub left_h: Option<f64>,
    /// Days left at the present pace, or by the calendar.
    pub left_days: Option<f64>,
    /// When it was last done, Unix milliseconds.
    pub done_ms: Option<i64>,
    /// When the status came about, Unix milliseconds.
    pub since_ms: i64,
    /// When it was first worth telling: at the soft limit.
    pub soon_since_ms: i64,
    /// Figures behind it.
    pub evidence: Evidence,
}

/// How far one interval of an item has come.
struct Progress {
    share: f64,
    left_h: Option<f64>,
    left_days: Option<f64>,
    evidence: Evidence,
    /// When a share of the interval was used up.
    reached_ms: Box<dyn Fn(f64) -> i64>,
}

impl Usage {
    /// Engine hours in all at an instant: between the first and the last report of a day on the line between them.
    fn hours_at(&self, at_ms: i64) -> Option<f64> {
        self.total_at(at_ms, |day| day.hours)
    }

    fn fuel_at(&self, at_ms: i64) -> Option<f64> {
        self.total_at(at_ms, |day| day.fuel_l)
    }

    fn total_at(&self, at_ms: i64, total: fn(&DayFigures) -> Option<(f64, f64)>) -> Option<f64> {
        let known = || self.days.iter().filter_map(|day| Some((day, total(day)?)));
        let before = known().take_while(|(day, _)| day.first_ms <= at_ms).last();
        match before {
            Some((day, (first, last))) if at_ms < day.last_ms => {
                let share = (at_ms - day.first_ms) as f64 / (day.last_ms - day.first_ms) as f64;
                Some(first + (last - first) * share)
            }
            Some((_, (_, last))) => Some(last),
            // Before the first report: a service done then is placed at that report.
            None => known().next().map(|(_, (first, _))| first),
        }
    }

    /// When a total was reached; the last record where it was not.
    fn reached(days: &[(i64, i64, f64, f64)], total: f64) -> i64 {
        for (first_ms, last_ms, first, last) in days {
            if *last >= total {
                let share = if last > first { ((total - first) / (last - first)).clamp(0.0, 1.0) } else { 0.0 };
                return first_ms + ((last_ms - first_ms) as f64 * share) as i64;
            }
        }
        days.last().map_or(0, |(_, last_ms, ..)| *last_ms)
    }

    fn line(&self, total: fn(&DayFigures) -> Option<(f64, f64)>) -> Vec<(i64, i64, f64, f64)> {
        let known = self.days.iter().filter_map(|day| Some((day, total(day)?)));
        known.map(|(day, (first, last))| (day.first_ms, day.last_ms, first, last)).collect()
    }

    /// Engine hours a day, over the last month of its days.
    fn pace_h(&self) -> Option<f64> {
        let last = self.days.last()?.day;
        let recent = self.days.iter().filter(|day| last - day.day < RECENT_DAYS);
        let known: Vec<_> = recent.filter_map(|day| Some((day.day, day.hours?))).collect();
        let ((first_day, (first, _)), (last_day, (_, last))) = (known.first()?, known.last()?);
        (last > first).then(|| (last - first) / (last_day - first_day + 1) as f64)
    }
}

/// What is due of a plan, the most pressing first.
pub fn due(plan: &Plan, done: &[Done], usage: &Usage, now_ms: i64, zone: &TimeZone) -> Vec<Due> {
    let mut all: Vec<_> = plan.items.iter().map(|item| due_item(plan, item, done, usage, now_ms, zone)).collect();
    all.sort_by(|one, other| {
        other.status.cmp(&one.status).then(other.share.total_cmp(&one.share)).then(one.item.cmp(&other.item))
    });
    all
}

fn due_item(plan: &Plan, item: &Item, done: &[Done], usage: &Usage, now_ms: i64, zone: &TimeZone) -> Due {
    let last_done = done
        .iter()
        .filter(|done| plan.does(&done.item, &item.id) && done.at_ms <= now_ms)
        .max_by_key(|done| done.at_ms);
    let hours_known = usage.days.iter().any(|day| day.hours.is_some());
    let mut worst: Option<(DueStatus, Progress)> = None;
    for interval in &item.intervals {
        // Fuel stands in for hours where there is no meter.
        if matches!(interval, Interval::EveryFuelKg(_)) && hours_known {
            continue;
        }
        let Some(progress) = progress(*interval, item, last_done, usage, now_ms, zone) else { continue };
        let status = status(item, progress.share);
        if worst.as_ref().is_none_or(|(so_far, other)| (status, progress.share) > (*so_far, other.share)) {
            worst = Some((status, progress));
        }
    }
    let done_ms = last_done.map(|done| done.at_ms);
    let Some((status, progress)) = worst else {
        return Due {
            item: item.id.clone(),
            status: DueStatus::Fine,
            share: 0.0,
            left_h: None,
            left_days: None,
            done_ms,
            since_ms: usage.registered_ms,
            soon_since_ms: usage.registered_ms,
            evidence: Evidence::new(),
        };
    };
    let begins_at = match status {
        DueStatus::Fine => 0.0,
        DueStatus::Soon => item.soon,
        DueStatus::Due => 1.0,
        DueStatus::Overdue => item.overdue,
    };
    Due {
        item: item.id.clone(),
        status,
        share: progress.share,
        left_h: progress.left_h,
        left_days: progress.left_days,
        done_ms,
        since_ms: (progress.reached_ms)(begins_at).min(now_ms),
        soon_since_ms: (progress.reached_ms)(item.soon).min(now_ms),
        evidence: progress.evidence,
    }
}

fn status(item: &Item, share: f64) -> DueStatus {
    if share >= item.overdue {
        DueStatus::Overdue
    } else if share >= 1.0 {
        DueStatus::Due
    } else if share >= item.soon {
        DueStatus::Soon
    } else {
        DueStatus::Fine
    }
}

fn progress(
    interval: Interval,
    item: &Item,
    last_done: Option<&Done>,
    usage: &Usage,
    now_ms: i64,
    zone: &TimeZone,
) -> Option<Progress> {
    match interval {
        Interval::EveryHours(every) => {
            let base = match last_done {
                Some(done) => done.total_h.or_else(|| usage.hours_at(done.at_ms))?,
                // Of the time before the first report nothing is known: it is taken to have been served by plan.
                None => (usage.hours_at(i64::MIN)? / every).floor() * every,
            };
            Some(by_total(base, every, usage.hours_at(now_ms)?, usage.line(|day| day.hours), usage.pace_h(), 1.0))
        }
        Interval::OnceHours(at) => {
            let first = usage.hours_at(i64::MIN)?;
            if last_done.is_some() || first > at * item.overdue {
                return None;
            }
            Some(by_total(0.0, at, usage.hours_at(now_ms)?, usage.line(|day| day.hours), usage.pace_h(), 1.0))
        }
        Interval::EveryFuelKg(every) => {
            let every_l = every / DIESEL_KG_PER_L;
            let base = match last_done {
                Some(done) => usage.fuel_at(done.at_ms)?,
                None => (usage.fuel_at(i64::MIN)? / every_l).floor() * every_l,
            };
            let progress =
                by_total(base, every_l, usage.fuel_at(now_ms)?, usage.line(|day| day.fuel_l), None, DIESEL_KG_PER_L);
            Some(Progress { left_h: None, ..progress })
        }
        Interval::EveryMonths(months) => {
            let from_ms = last_done.map_or(usage.registered_ms, |done| done.at_ms);
            let length_ms = (f64::from(months) * MONTH_DAYS * DAY_MS as f64) as i64;
            Some(by_calendar(from_ms, length_ms, now_ms))
        }
        Interval::Season(month) => season(month, last_done, usage, now_ms, zone),
    }
}

fn by_total(
    base: f64,
    every: f64,
    total: f64,
    line: Vec<(i64, i64, f64, f64)>,
    pace: Option<f64>,
    unit: f64,
) -> Progress {
    let left = base + every - total;
    let evidence = [("total", total * unit), ("since", (total - base) * unit), ("interval", every * unit)];
    Progress {
        share: (total - base) / every,
        left_h: Some(left),
        left_days: pace.map(|pace| left / pace),
        evidence: evidence.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        reached_ms: Box::new(move |share| Usage::reached(&line, base + every * share)),
    }
}

fn by_calendar(from_ms: i64, length_ms: i64, now_ms: i64) -> Progress {
    let days = |ms: i64| ms as f64 / DAY_MS as f64;
    let evidence = [("since_days", days(now_ms - from_ms)), ("interval_days", days(length_ms))];
    Progress {
        share: (now_ms - from_ms) as f64 / length_ms as f64,
        left_h: None,
        left_days: Some(days(from_ms + length_ms - now_ms)),
        evidence: evidence.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        reached_ms: Box::new(move |share| from_ms + (length_ms as f64 * share) as i64),
    }
}

/// A season's service: due on the first of its month; done for it from 90 days before. Shares are chosen so that it
/// is soon due 30 days before and overdue 30 days after whatever the item's limits.
fn season(month: u8, last_done: Option<&Done>, usage: &Usage, now_ms: i64, zone: &TimeZone) -> Option<Progress> {
    let today = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone()).date();
    let begins = |year: i16| -> Option<i64> {
        let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
        Some(first.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
    };
    // The season that is near: the next one from 90 days before, otherwise the last.
    let near = today.checked_add(SEASON_DAYS.days()).ok()?;
    let this = begins(near.year())?;
    let due_ms = if now_ms >= this - SEASON_DAYS * DAY_MS { this } else { begins(near.year() - 1)? };
    let is_done = last_done.is_some_and(|done| done.at_ms >= due_ms - SEASON_DAYS * DAY_MS);
    let is_past = now_ms - due_ms > SEASON_LAPSES_DAYS * DAY_MS;
    if is_done || is_past || usage.registered_ms > due_ms {
        return None;
    }
    let days = (now_ms - due_ms) as f64 / DAY_MS as f64;
    let margin = SEASON_MARGIN_DAYS as f64;
    // 0.9 thirty days before, 1.0 on the day, 1.1 thirty days after.
    let share = 1.0 + 0.1 * days / margin;
    Some(Progress {
        share,
        left_h: None,
        left_days: Some(-days),
        evidence: Evidence::from([("days_past".to_owned(), days)]),
        reached_ms: Box::new(move |share| due_ms + ((share - 1.0) / 0.1 * margin * DAY_MS as f64) as i64),
    })
}

impl Due {
    /// The episode that people are told of: none while nothing is due.
    pub fn episode(&self) -> Option<Episode> {
        let severity = match self.status {
            DueStatus::Fine => return None,
            DueStatus::Soon => Severity::Information,
            DueStatus::Due => Severity::Plan,
            DueStatus::Overdue => Severity::Urgent,
        };
        let mut evidence = self.evidence.clone();
        evidence.insert("share_pct".into(), 100.0 * self.share);
        Some(Episode {
            subject: Subject::Service(self.item.clone()),
            severity,
            opened_at_ms: self.soon_since_ms,
            fired_at_ms: self.since_ms,
            closed_at_ms: None,
            settled_at_ms: None,
            evidence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::health::DataFile;
    use crate::derive::health::service::Plans;
    use expect_test::{Expect, expect};

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    fn plan() -> Plan {
        let text = "[[plan]]\nid = 'p'\nname = { ru = 'п', en = 'p' }
            [[plan.item]]\nid = 'run_in'\nonce_h = 30\nname = { ru = 'о', en = 'o' }
            [[plan.item]]\nid = 'to_1'\nevery_h = 125\nfuel_kg = 1050\nname = { ru = '1', en = '1' }
            [[plan.item]]\nid = 'to_2'\nevery_h = 500\ncovers = ['to_1']\nname = { ru = '2', en = '2' }
            [[plan.item]]\nid = 'coolant'\nevery_h = 3000\nevery_months = 24\nname = { ru = 'ж', en = 'c' }
            [[plan.item]]\nid = 'winter'\nseason_month = 10\nname = { ru = 'з', en = 'w' }";
        let mut errors = Vec::new();
        let plans = Plans::read(&[DataFile { name: "own".into(), text: text.into() }], &mut errors);
        assert_eq!(errors, []);
        plans.find("p").expect("the plan").clone()
    }

    /// A machine that ran from `first` to `last` hours over the days before `until`, ten hours a day.
    fn usage(first: f64, last: f64, until: &str) -> Usage {
        let count = ((last - first) / 10.0).ceil() as i64;
        let until_ms = at(until);
        let days = (0..count).map(|index| {
            let first_ms = until_ms - (count - index) * DAY_MS;
            let begin = first + 10.0 * index as f64;
            DayFigures {
                day: first_ms.div_euclid(DAY_MS),
                first_ms,
                last_ms: first_ms + 36_000_000,
                running_ms: 36_000_000,
                hours: Some((begin, (begin + 10.0).min(last))),
                fuel_l: None,
                trends: Vec::new(),
            }
        });
        Usage { registered_ms: at("2025-01-15T00:00:00Z"), days: days.collect() }
    }

    fn check(usage: &Usage, done: &[(&str, &str, Option<f64>)], now: &str, expected: Expect) {
        let zone = TimeZone::get("Asia/Tomsk").expect("the zone data is built in");
        let done: Vec<_> = done
            .iter()
            .map(|(item, time, hours)| Done { item: (*item).into(), at_ms: at(time), total_h: *hours })
            .collect();
        let lines: Vec<_> = due(&plan(), &done, usage, at(now), &zone)
            .iter()
            .filter(|due| due.status > DueStatus::Fine)
            .map(|due| {
                let left = match (due.left_h, due.left_days) {
                    (Some(hours), Some(days)) => format!("{hours:.0} h, {days:.0} days"),
                    (None, Some(days)) => format!("{days:.0} days"),
                    _ => "unknown".into(),
                };
                format!("{} {:?} at {:.0} %, {left} left", due.item, due.status, 100.0 * due.share)
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn hours_since_the_last_time_decide_and_a_greater_service_covers_a_smaller() {
        let now = "2026-06-20T00:00:00Z";
        check(&usage(500.0, 610.0, now), &[], now, expect![""]);
        check(&usage(500.0, 615.0, now), &[], now, expect!["to_1 Soon at 92 %, 10 h, 1 days left"]);
        check(&usage(500.0, 640.0, now), &[], now, expect!["to_1 Overdue at 112 %, -15 h, -2 days left"]);
        let done = ("to_2", "2026-06-19T11:00:00Z", None);
        check(&usage(500.0, 640.0, now), &[done], now, expect![""]);
        let noted = ("to_1", "2026-06-10T00:00:00Z", Some(520.0));
        check(&usage(500.0, 640.0, now), &[noted], now, expect!["to_1 Soon at 96 %, 5 h, 0 days left"]);
    }

    #[test]
    fn a_machine_that_came_with_hours_is_taken_to_have_been_served_by_plan() {
        let now = "2026-06-20T00:00:00Z";
        check(&usage(219.2, 224.0, now), &[], now, expect![""]);
        check(&usage(219.2, 240.0, now), &[], now, expect!["to_1 Soon at 92 %, 10 h, 1 days left"]);
    }

    #[test]
    fn run_in_is_done_once_and_never_asked_of_an_old_machine() {
        let now = "2026-06-20T00:00:00Z";
        check(&usage(0.0, 31.0, now), &[], now, expect!["run_in Due at 103 %, -1 h, -0 days left"]);
        check(&usage(0.0, 31.0, now), &[("run_in", "2026-06-19T00:00:00Z", None)], now, expect![""]);
        check(&usage(40.0, 60.0, now), &[], now, expect![""]);
    }

    #[test]
    fn dates_come_due_without_an_hour_of_work() {
        check(
            &usage(100.0, 101.0, "2026-06-20T00:00:00Z"),
            &[],
            "2026-12-20T00:00:00Z",
            expect![[r#"
            winter Overdue at 127 %, -80 days left
            coolant Soon at 96 %, 26 days left"#]],
        );
        let done = [("winter", "2026-09-20T00:00:00Z", None), ("coolant", "2026-10-20T00:00:00Z", None)];
        check(&usage(100.0, 101.0, "2026-06-20T00:00:00Z"), &done, "2026-12-20T00:00:00Z", expect![""]);
    }

    #[test]
    fn fuel_stands_in_for_hours_where_there_is_no_meter() {
        let now = "2026-06-20T00:00:00Z";
        let mut usage = usage(0.0, 20.0, now);
        for (index, day) in usage.days.iter_mut().enumerate() {
            day.hours = None;
            day.fuel_l = Some((5_000.0 + 600.0 * index as f64, 5_600.0 + 600.0 * index as f64));
        }
        check(&usage, &[], now, expect!["to_1 Soon at 96 %, unknown left"]);
        check(&usage, &[("to_1", "2026-06-18T05:00:00Z", None)], now, expect![""]);
    }
}
