//! The page.

use std::fmt::Write as _;

use super::compare::{Comparison, Pairs, within};
use super::season::{Season, Sensors};

const HEAD: &str = "\
## How accurate field work is

Made by `cargo xtask accuracy field-work`: the simulator drives a season and knows what it drove; its records go through the fold as
they would from the store; sessions are set beside the truth. Receivers jump, drift, freeze and lose their fix, units
restart and leave out samples, as `docs/simulator.md` describes. Every machine is looked at three times: with all sensors
that it has, with position, speed and engine alone (a plain tractor), and with position and speed alone. Which implement
it had, and how wide that is, is known, as a farm would enter it.

A difference is ours less the truth, in per cent of it: first over the sum of the season, then the size that
half, nine tenths and ninety-nine hundredths of the sessions keep within.

";

const GOALS: &str = "
Goals: area within 1 %, fuel and mass within 2 %, starts and ends within 30 s for 99 % of the sessions, none in pieces.

Where the difference comes from:

- **Area**: receivers. Passes of a plain receiver stray from each other by half a metre; slits narrower than that cannot be
  told from none and are closed. Narrow ploughs suffer most.
- **Fuel** without a counter comes from the level in the tank, which swings. A sender that is stuck, or away for a fifth of
  the session, tells none.
- **Begins**: where nothing says whether the implement is down, a way to the first pass at the speed of work can look like
  a pass, and first passes in a corner like turns.
- **Mass**: the flow sensor of each machine is off by some tenths of a per cent, as it is in the truth. A weighbridge
  factor (`polevod implement machine … --mass-factor`) sets it right.
- **Position alone**: what a track looks like, and nothing else.
";

pub(crate) fn write(season: &Season, samples: usize, comparisons: &[Comparison]) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "{} machines, {} working days in each of six windows from May to October, seed {}: {:.1} million samples.\n",
        season.machines,
        season.days,
        season.seed,
        samples as f64 / 1e6
    );
    let mut row = |name: &str, of: &dyn Fn(&Comparison) -> String| {
        let cells: Vec<_> = comparisons.iter().map(of).collect();
        let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
    };
    row("", &|c| name(c.sensors).into());
    row("---", &|_| "---".into());
    row("true sessions", &|c| c.true_sessions.to_string());
    row("found", &|c| c.found.to_string());
    row("found in pieces", &|c| c.split.to_string());
    row("found where there was none", &|c| c.invented.to_string());
    row("area, each place once", &|c| pairs(&c.area_ha));
    row("area, width × distance", &|c| pairs(&c.swept_ha));
    row("fuel told", &|c| c.fuel_l.0.len().to_string());
    row("fuel", &|c| pairs(&c.fuel_l));
    row("mass, wet", &|c| pairs(&c.mass_t));
    row("moisture", &|c| pairs(&c.moisture_pct));
    row("time at work", &|c| pairs(&c.working_s));
    row("way at work", &|c| pairs(&c.distance_m));
    row("begins within 30 s", &|c| times(&c.start_s));
    row("ends within 30 s", &|c| times(&c.end_s));
    page.push_str(GOALS);
    page
}

fn pairs(pairs: &Pairs) -> String {
    if pairs.0.is_empty() {
        return "–".into();
    }
    let [half, most, nearly_all] = [0.5, 0.9, 0.99].map(|share| 100.0 * pairs.within(share));
    format!("{:+.2} %; {half:.2} / {most:.2} / {nearly_all:.2}", 100.0 * pairs.total())
}

fn times(seconds: &[f64]) -> String {
    let in_time = seconds.iter().filter(|seconds| seconds.abs() <= 30.0).count() as f64 / seconds.len().max(1) as f64;
    let [half, most, nearly_all] = [0.5, 0.9, 0.99].map(|share| within(seconds.iter().copied(), share));
    format!("{:.1} %; {half:.0} / {most:.0} / {nearly_all:.0} s", 100.0 * in_time)
}

fn name(sensors: Sensors) -> &'static str {
    match sensors {
        Sensors::All => "all sensors",
        Sensors::Plain => "position and engine",
        Sensors::Position => "position alone",
    }
}
