//! Operations and crops.

use serde::Deserialize;

use super::error::{CatalogueError, Place};

/// On which fields an operation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldKind {
    /// Where something is sown in the year.
    Arable,
    /// On cereals, peas and rapeseed.
    Grain,
    Grass,
    Flax,
    Maize,
    /// On peat fields.
    Peat,
}

/// When the rounds along the boundary are driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rounds {
    First,
    Last,
}

/// Which mass an operation takes off the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HarvestOf {
    /// The crop's yield at its moisture.
    Grain,
    /// The fresh mass.
    Fresh,
    /// Straw or hay, dry.
    Straw,
    /// Milled peat.
    Peat,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) ground: FieldKind,
    /// When in the year, as pairs of `MM-DD`.
    pub(crate) windows: Vec<(String, String)>,
    /// Local hours between which it is done.
    pub(crate) hours: (f64, f64),
    /// Hours after rain until it can go on; work stops while it rains. Negative: rain does not matter.
    pub(crate) dry_after_rain_h: f64,
    pub(crate) rounds: Rounds,
    #[serde(default)]
    pub(crate) harvest: Option<HarvestOf>,
    /// Before others that are possible at the same time: 1 first.
    pub(crate) priority: u8,
    #[serde(skip)]
    pub(crate) days: Vec<(u16, u16)>,
}

/// A crop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crop {
    pub(crate) name: String,
    pub(crate) ground: FieldKind,
    /// What the header takes, t/ha, mean and standard deviation between fields.
    pub(crate) yield_tpha: (f64, f64),
    /// At harvest, from and to.
    pub(crate) moisture_pct: (f64, f64),
    /// Straw for each part of grain.
    #[serde(default)]
    pub(crate) straw_ratio: f64,
    /// Bulk density as a multiple of that of wheat.
    #[serde(default = "one")]
    pub(crate) bulk: f64,
    /// Which is harvested before which: ascending.
    #[serde(default)]
    pub(crate) ripens: u8,
    /// Drum speed as a multiple of that in cereals.
    #[serde(default = "one")]
    pub(crate) drum: f64,
}

fn one() -> f64 {
    1.0
}

impl Operation {
    /// Whether it is done on day `day_of_year` of the year.
    pub(crate) fn is_on(&self, day_of_year: u16) -> bool {
        self.days.iter().any(|(from, to)| (*from..=*to).contains(&day_of_year))
    }

    pub(super) fn prepare(&mut self, file: &str) -> Result<(), CatalogueError> {
        let place = Place { file };
        let key = |name: &str| format!("operation[{}].{name}", self.name);
        for (from, to) in &self.windows {
            let day = |text: &str| {
                let date: Option<jiff::civil::Date> = format!("2025-{text}").parse().ok();
                date.map(|date| date.day_of_year().unsigned_abs())
            };
            match (day(from), day(to)) {
                (Some(from), Some(to)) if from <= to => self.days.push((from, to)),
                _ => {
                    let mend = "give days as [\"MM-DD\", \"MM-DD\"], the first not after the second";
                    return Err(place.error(&key("windows"), format!("[{from}, {to}]"), mend));
                }
            }
        }
        place.within(&key("hours"), self.hours.0, 0.0, self.hours.1)?;
        place.within(&key("hours"), self.hours.1, self.hours.0, 26.0)?;
        Ok(())
    }
}

impl Crop {
    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let place = Place { file };
        let key = |name: &str| format!("crop[{}].{name}", self.name);
        place.within(&key("yield_tpha"), self.yield_tpha.0, 0.1, 100.0)?;
        place.within(&key("moisture_pct"), self.moisture_pct.0, 2.0, self.moisture_pct.1)?;
        place.within(&key("moisture_pct"), self.moisture_pct.1, self.moisture_pct.0, 90.0)
    }
}
