//! Figures with their goals: a table for people, JSON for what compares runs.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    /// What stands beside the figures, for whoever wants to know more.
    details: serde_json::Map<String, serde_json::Value>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    met: Option<bool>,
    /// The absolute figures, or what it was compared with.
    remark: String,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl Report {
    /// Adds a figure that has a goal.
    pub(crate) fn figure(&mut self, name: &'static str, value: f64, unit: &'static str, goal: Goal, remark: String) {
        self.figures.push(Figure { name, value, unit, goal: Some(goal), met: Some(goal.is_met(value)), remark });
    }

    /// Adds a figure that only informs.
    pub(crate) fn remark(&mut self, name: &'static str, value: f64, unit: &'static str, remark: String) {
        self.figures.push(Figure { name, value, unit, goal: None, met: None, remark });
    }

    /// Keeps raw measurements for the JSON file.
    pub(crate) fn detail(&mut self, name: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("measurements are plain numbers and names");
        self.details.insert(name.to_owned(), value);
    }

    pub(crate) fn print(&self) {
        println!("{:<44} {:>10} {:<4} {:>9}  {:<4}  remark", "figure", "value", "", "goal", "");
        for figure in &self.figures {
            let goal = match figure.goal {
                Some(Goal::AtLeast(least)) => format!(">= {least}"),
                Some(Goal::AtMost(most)) => format!("<= {most}"),
                None => String::new(),
            };
            let verdict = figure.met.map_or("", |met| if met { "met" } else { "MISS" });
            let value = display(figure.value);
            let Figure { name, unit, remark, .. } = figure;
            println!("{name:<44} {value:>10} {unit:<4} {goal:>9}  {verdict:<4}  {remark}");
        }
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }
}

fn display(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The middle one; the lower of two middle ones.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_how_far_out_the_outliers_are() {
        assert_eq!(median([9.0, 1.0, 1e9]), 9.0);
        assert_eq!(median([4.0, 1.0, 2.0, 1e9]), 2.0);
        assert!(median([]).is_nan());
    }
}
