//! The page.

use std::fmt::Write as _;

use super::compare::{Comparison, Pairs, within};
use super::season::{Season, Sensors};

pub(crate) fn write(season: &Season, samples: usize, comparisons: &[Comparison]) -> String {
    let mut page = String::new();
    let _ = writeln!(
        page,
        "{} machines, {} days in each of six windows, seed {}, {samples} samples\n",
        season.machines, season.days, season.seed
    );
    let mut row = |name: &str, of: &dyn Fn(&Comparison) -> String| {
        let cells: Vec<_> = comparisons.iter().map(of).collect();
        let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
    };
    row("figure", &|c| name(c.sensors).into());
    row("---", &|_| "---".into());
    row("true sessions", &|c| c.true_sessions.to_string());
    row("found", &|c| c.found.to_string());
    row("found in pieces", &|c| c.split.to_string());
    row("found where there was none", &|c| c.invented.to_string());
    let pairs = |pairs: &Pairs| {
        if pairs.0.is_empty() {
            return "–".into();
        }
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        format!(
            "{:+.2} %; {} / {} / {}",
            100.0 * pairs.total(),
            percent(pairs.within(0.5)),
            percent(pairs.within(0.9)),
            percent(pairs.within(0.99))
        )
    };
    row("area (union)", &|c| pairs(&c.area_ha));
    row("area (width × distance)", &|c| pairs(&c.swept_ha));
    row("fuel", &|c| pairs(&c.fuel_l));
    row("mass, wet", &|c| pairs(&c.mass_t));
    row("moisture", &|c| pairs(&c.moisture_pct));
    row("time at work", &|c| pairs(&c.working_s));
    row("distance at work", &|c| pairs(&c.distance_m));
    let times = |seconds: &[f64]| {
        let in_30 = seconds.iter().filter(|s| s.abs() <= 30.0).count() as f64 / seconds.len().max(1) as f64;
        format!(
            "{:.1} % within 30 s; {:.0} s / {:.0} s / {:.0} s",
            100.0 * in_30,
            within(seconds.iter().copied(), 0.5),
            within(seconds.iter().copied(), 0.9),
            within(seconds.iter().copied(), 0.99)
        )
    };
    row("start", &|c| times(&c.start_s));
    row("end", &|c| times(&c.end_s));
    page
}

fn name(sensors: Sensors) -> &'static str {
    match sensors {
        Sensors::All => "all sensors",
        Sensors::Plain => "position and engine",
        Sensors::Position => "position alone",
    }
}
