//! Service plans as data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::data::{DataError, DataFile, Entries};
use super::super::text::{Text, Texts};

/// Plans by id.
#[derive(Debug, Clone, Default)]
pub struct Plans(BTreeMap<String, Plan>);

/// What has to be done to a machine, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its name: a-z, 0-9 and `_`.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Its services.
    pub items: Vec<Item>,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name: a-z, 0-9 and `_`.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// What is done.
    pub work: Texts,
    /// When it is due; where there are several, whichever comes first.
    pub intervals: Vec<Interval>,
    /// Services that doing this one does too.
    pub covers: Vec<String>,
    /// Where it is soon due, as a share of the interval: the soft limit.
    pub soon: f64,
    /// Where it is overdue, as a share of the interval: the hard limit.
    pub overdue: f64,
}

/// How a service comes due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interval {
    /// After so many engine hours, again and again.
    EveryHours(f64),
    /// Once, at so many engine hours.
    OnceHours(f64),
    /// After so much fuel, kg: for machines without an hour meter.
    EveryFuelKg(f64),
    /// After so many months.
    EveryMonths(u32),
    /// Each year before this month begins, 1 to 12.
    Season(u8),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    id: String,
    name: Text,
    extends: Option<String>,
    #[serde(default, rename = "item")]
    items: Vec<RawItem>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    id: String,
    name: Text,
    #[serde(default)]
    work: Texts,
    every_h: Option<f64>,
    once_h: Option<f64>,
    fuel_kg: Option<f64>,
    every_months: Option<u32>,
    season_month: Option<u8>,
    #[serde(default)]
    covers: Vec<String>,
    soon_pct: Option<f64>,
    overdue_pct: Option<f64>,
}

impl Plan {
    /// Whether doing `done` does `item` too.
    pub fn does(&self, done: &str, item: &str) -> bool {
        done == item || self.items.iter().any(|other| other.id == done && other.covers.iter().any(|id| id == item))
    }
}

impl Plans {
    /// Reads the files; a plan of the same id in a later file replaces the earlier one. A plan that extends another
    /// has its items too; that other one has to stand before it.
    pub fn read(files: &[DataFile], errors: &mut Vec<DataError>) -> Self {
        let mut plans = Self::default();
        for file in files {
            let Some(entries) = Entries::read(file, &["plan"], errors) else { continue };
            for (entry, raw) in entries.each::<RawPlan>("plan", "id", errors) {
                match plans.plan(raw) {
                    Ok(plan) => drop(plans.0.insert(plan.id.clone(), plan)),
                    Err(messages) => {
                        errors.extend(messages.into_iter().map(|message| entries.error(&entry, message)));
                    }
                }
            }
        }
        plans
    }

    /// A plan by its id.
    pub fn find(&self, id: &str) -> Option<&Plan> {
        self.0.get(id)
    }

    /// Every plan.
    pub fn all(&self) -> impl Iterator<Item = &Plan> {
        self.0.values()
    }

    fn plan(&self, raw: RawPlan) -> Result<Plan, Vec<String>> {
        let mut errors = Vec::new();
        let mut items = match &raw.extends {
            None => Vec::new(),
            Some(base) => self.find(base).map(|plan| plan.items.clone()).unwrap_or_else(|| {
                errors.push(format!("extends: {base:?} is no plan that stands before this one"));
                Vec::new()
            }),
        };
        for raw in raw.items {
            match item(raw) {
                Ok(item) => {
                    items.retain(|other| other.id != item.id);
                    items.push(item);
                }
                Err(message) => errors.push(message),
            }
        }
        for item in &items {
            for covered in &item.covers {
                if !items.iter().any(|other| other.id == *covered) {
                    errors.push(format!("item {:?}: covers: {covered:?} is no item of the plan", item.id));
                }
            }
        }
        if errors.is_empty() { Ok(Plan { id: raw.id, name: raw.name, items }) } else { Err(errors) }
    }
}

fn item(raw: RawItem) -> Result<Item, String> {
    let fail = |message: String| Err(format!("item {:?}: {message}", raw.id));
    if raw.id.is_empty() || !raw.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return fail("id: has other characters than a-z, 0-9 and _".into());
    }
    let intervals: Vec<Interval> = [
        raw.every_h.map(Interval::EveryHours),
        raw.once_h.map(Interval::OnceHours),
        raw.fuel_kg.map(Interval::EveryFuelKg),
        raw.every_months.map(Interval::EveryMonths),
        raw.season_month.map(Interval::Season),
    ]
    .into_iter()
    .flatten()
    .collect();
    if intervals.is_empty() {
        return fail("has no interval; give every_h, once_h, fuel_kg, every_months or season_month".into());
    }
    for interval in &intervals {
        let is_possible = match interval {
            Interval::EveryHours(hours) | Interval::OnceHours(hours) => (1.0..=100_000.0).contains(hours),
            Interval::EveryFuelKg(kg) => (1.0..=10_000_000.0).contains(kg),
            Interval::EveryMonths(months) => (1..=600).contains(months),
            Interval::Season(month) => (1..=12).contains(month),
        };
        if !is_possible {
            return fail(format!("{interval:?} is out of any machine's life; hours, kg and months are above 0"));
        }
    }
    let (soon, overdue) = (raw.soon_pct.unwrap_or(90.0) / 100.0, raw.overdue_pct.unwrap_or(110.0) / 100.0);
    if !(0.0..=1.0).contains(&soon) || !(1.0..=10.0).contains(&overdue) {
        return fail(format!("soon_pct = {}, overdue_pct = {}: soon ≤ 100 ≤ overdue", soon * 100.0, overdue * 100.0));
    }
    Ok(Item { id: raw.id, name: raw.name, work: raw.work, intervals, covers: raw.covers, soon, overdue })
}
