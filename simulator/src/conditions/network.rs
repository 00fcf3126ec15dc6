//! The network of one unit: gaps, holes on the map, outages of its district.

use serde::Deserialize;

use super::coverage::{ByCoverage, CoverageMap, Regional};
use super::episode::Episode;
use super::{check_number, check_share};
use crate::device::Outages;
use crate::machine::NetworkCoverage;
use crate::random::Random;
use crate::truth::{At, Event, Outage, OutageCause};

/// The 95th percentile of the normal distribution.
const P95: f64 = 1.645;

/// Times and places without network (domain section 7). The default is a network without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkRules {
    /// Gaps that begin in an hour with network, mean.
    pub gaps_per_hour: ByCoverage,
    /// Median length of a gap, seconds; lengths are lognormal.
    pub gap_median_s: f64,
    /// Length that one gap in twenty passes, seconds.
    pub gap_p95_s: f64,
    /// No gap is longer, seconds.
    pub gap_max_s: f64,
    /// Share of map cells of 6 km by 6 km that have a hole.
    pub hole_share: ByCoverage,
    /// Outages of a whole district in a month, mean; half of them last from 2 to 8 hours.
    pub regional_outages_per_month: f64,
}

impl Default for NetworkRules {
    fn default() -> Self {
        Self {
            gaps_per_hour: ByCoverage::default(),
            gap_median_s: 720.0,
            gap_p95_s: 14_400.0,
            gap_max_s: 604_800.0,
            hole_share: ByCoverage::default(),
            regional_outages_per_month: 0.0,
        }
    }
}

impl From<Outages> for NetworkRules {
    fn from(outages: Outages) -> Self {
        Self {
            gaps_per_hour: ByCoverage::everywhere(outages.per_hour),
            gap_median_s: outages.median_s,
            gap_p95_s: outages.median_s * Outages::P95_TO_MEDIAN,
            ..Self::default()
        }
    }
}

impl NetworkRules {
    pub(super) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        for rate in [self.gaps_per_hour.good, self.gaps_per_hour.medium, self.gaps_per_hour.poor] {
            check_number("network.gaps_per_hour", rate, 3_600.0)?;
        }
        for share in [self.hole_share.good, self.hole_share.medium, self.hole_share.poor] {
            check_share("network.hole_share", share)?;
        }
        check_number("network.regional_outages_per_month", self.regional_outages_per_month, 4.0)?;
        check_number("network.gap_max_s", self.gap_max_s, 30.0 * 86_400.0)?;
        if !(self.gap_median_s > 0.0 && self.gap_p95_s > self.gap_median_s && self.gap_p95_s.is_finite()) {
            let value = format!("{} with gap_median_s = {}", self.gap_p95_s, self.gap_median_s);
            return Err(("network.gap_p95_s", value, "give a median above 0 and a 95th percentile above the median"));
        }
        Ok(())
    }
}

/// The network of one unit, driven by the machine's own time.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    rules: NetworkRules,
    map: CoverageMap,
    coverage: NetworkCoverage,
    regional: Regional,
    random: Random,
    next_gap_ms: i64,
    out: Option<Out>,
    /// There is no network before this, whether or not the machine says anything meanwhile.
    out_until_ms: i64,
}

/// A time without network.
#[derive(Debug, Clone, Copy)]
struct Out {
    episode: Episode,
    in_hole: bool,
}

/// Where a unit is at home, which decides about its network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    /// Seed of the fleet: neighbours share holes and outages.
    pub(crate) fleet_seed: u64,
    pub(crate) district: &'a str,
    pub(crate) coverage: NetworkCoverage,
}

impl Network {
    pub(crate) fn new(rules: NetworkRules, home: Home<'_>, seed: u64, now_ms: i64) -> Self {
        let mut network = Self {
            rules,
            map: CoverageMap::new(home.fleet_seed, rules.hole_share),
            coverage: home.coverage,
            regional: Regional::new(home.fleet_seed, home.district, rules.regional_outages_per_month),
            random: Random::fork(seed, "network"),
            next_gap_ms: i64::MAX,
            out: None,
            out_until_ms: i64::MIN,
        };
        network.plan_gap(now_ms);
        network
    }

    /// Goes on to `at_ms`, where the machine is at `position`, if that is known.
    pub(crate) fn step(&mut self, at_ms: i64, position: Option<(f64, f64)>, truth: &mut Vec<Event>) {
        let is_hole = position.map(|position| self.map.is_hole(position, self.coverage));
        if let Some(mut out) = self.out {
            // Without a position the machine stands where it was.
            let in_hole = is_hole.unwrap_or(out.in_hole);
            if in_hole || at_ms < self.out_until_ms {
                out.episode.tell_past_days(at_ms, |from, to| truth.push(outage(from, to)));
                self.out = Some(Out { in_hole, ..out });
            } else {
                // It drove out of a hole just now, or the gap ended between two records.
                let end_ms = if out.in_hole { at_ms } else { self.out_until_ms };
                out.episode.end(end_ms, |from, to| truth.push(outage(from, to)));
                self.out = None;
            }
        }
        while self.next_gap_ms <= at_ms {
            let (from_ms, to_ms) = self.begin_gap();
            self.lose(from_ms, to_ms, at_ms, truth);
        }
        if let Some((_, to_ms)) = self.regional.at(at_ms) {
            self.lose(at_ms, to_ms, at_ms, truth);
        }
        if is_hole == Some(true) && self.out.is_none() {
            self.out = Some(Out { episode: Episode::since(at_ms), in_hole: true });
        }
    }

    /// Whether there is no network at `at_ms`, which is not before the last step.
    pub(crate) fn is_out(&self, at_ms: i64) -> bool {
        self.out.is_some_and(|out| out.in_hole || at_ms < self.out_until_ms)
    }

    /// Ends the run: what lasts is told up to now.
    pub(crate) fn close(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        self.step(at_ms, None, truth);
        if let Some(out) = self.out.take() {
            out.episode.end(at_ms, |from, to| truth.push(outage(from, to)));
        }
    }

    /// There is no network from `from_ms` to `to_ms`; it is `at_ms` now.
    fn lose(&mut self, from_ms: i64, to_ms: i64, at_ms: i64, truth: &mut Vec<Event>) {
        if self.out.is_some() {
            self.out_until_ms = self.out_until_ms.max(to_ms);
        } else if to_ms > at_ms {
            self.out = Some(Out { episode: Episode::since(from_ms), in_hole: false });
            self.out_until_ms = to_ms;
        } else {
            // It came and went between two records: nothing was sent meanwhile, and nothing missed it.
            Episode::since(from_ms).end(to_ms, |from, to| truth.push(outage(from, to)));
        }
    }

    fn begin_gap(&mut self) -> (i64, i64) {
        let sigma = (self.rules.gap_p95_s / self.rules.gap_median_s).ln() / P95;
        let length_s = (self.rules.gap_median_s * (sigma * self.random.normal()).exp()).min(self.rules.gap_max_s);
        let (from_ms, to_ms) = (self.next_gap_ms, self.next_gap_ms + (length_s * 1_000.0) as i64);
        self.plan_gap(to_ms);
        (from_ms, to_ms)
    }

    fn plan_gap(&mut self, from_ms: i64) {
        let per_hour = self.rules.gaps_per_hour.of(self.coverage);
        self.next_gap_ms = if per_hour > 0.0 {
            from_ms.saturating_add(self.random.exponential(3_600_000.0 / per_hour) as i64 + 1)
        } else {
            i64::MAX
        };
    }
}

fn outage(from_ms: i64, to_ms: i64) -> Event {
    Event::Outage(Outage { from: At(from_ms), to: At(to_ms), cause: OutageCause::NoNetwork })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: i64 = 1_787_198_400_000;
    const HOUR_MS: i64 = 3_600_000;

    fn home() -> Home<'static> {
        Home { fleet_seed: 1, district: "Bakcharsky", coverage: NetworkCoverage::Poor }
    }

    fn run(rules: NetworkRules, seed: u64, hours: i64, step_ms: i64, position: (f64, f64)) -> (Vec<(i64, i64)>, f64) {
        let mut network = Network::new(rules, home(), seed, START_MS);
        let mut truth = Vec::new();
        let (mut out, mut steps) = (0, 0);
        for at_ms in (START_MS..START_MS + hours * HOUR_MS).step_by(step_ms as usize) {
            network.step(at_ms, Some(position), &mut truth);
            out += u32::from(network.is_out(at_ms));
            steps += 1;
        }
        network.close(START_MS + hours * HOUR_MS, &mut truth);
        let outages = truth
            .into_iter()
            .map(|event| match event {
                Event::Outage(outage) => (outage.from.0, outage.to.0),
                other => panic!("{other:?}"),
            })
            .collect();
        (outages, f64::from(out) / f64::from(steps))
    }

    #[test]
    fn gaps_are_as_frequent_and_as_long_as_the_rules_say() {
        let rules = NetworkRules { gaps_per_hour: ByCoverage::everywhere(0.5), ..NetworkRules::default() };
        let mut lengths = Vec::new();
        for seed in 0..40 {
            let (outages, _) = run(rules, seed, 240, 60_000, (57.0, 82.0));
            lengths.extend(outages.iter().map(|(from, to)| (to - from) / 1_000));
        }
        lengths.sort_unstable();
        let (median, p95) = (lengths[lengths.len() / 2], lengths[lengths.len() * 95 / 100]);
        assert!((600..900).contains(&median), "{median}");
        assert!((9_000..20_000).contains(&p95), "{p95}");
        // Half a gap in an hour with network; a lognormal gap of these figures lasts 1 h on average.
        assert!((2_000..5_000).contains(&lengths.len()), "{}", lengths.len());
    }

    #[test]
    fn what_is_told_is_what_was_and_no_two_outages_overlap() {
        let rules = NetworkRules {
            gaps_per_hour: ByCoverage::everywhere(0.3),
            regional_outages_per_month: 3.0,
            ..NetworkRules::default()
        };
        let (outages, share) = run(rules, 5, 700, 10_000, (57.0, 82.0));
        assert!(outages.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{outages:?}");
        let told = outages.iter().map(|(from, to)| to - from).sum::<i64>() as f64 / (700 * HOUR_MS) as f64;
        assert!((told - share).abs() < 0.002, "{told} {share}");
        assert!(share > 0.05);
    }

    #[test]
    fn a_machine_in_a_hole_has_no_network_until_it_leaves() {
        let rules = NetworkRules { hole_share: ByCoverage::everywhere(1.0), ..NetworkRules::default() };
        let mut network = Network::new(rules, home(), 1, START_MS);
        let places: Vec<_> = (0..60).map(|step| (57.0 + f64::from(step) * 0.001, 82.05)).collect();
        let inside: Vec<_> = places.iter().map(|place| network.map.is_hole(*place, NetworkCoverage::Poor)).collect();
        let mut truth = Vec::new();
        for (index, place) in places.iter().enumerate() {
            let at_ms = START_MS + index as i64 * 60_000;
            network.step(at_ms, Some(*place), &mut truth);
            assert_eq!(network.is_out(at_ms + 30_000), inside[index], "step {index}");
        }
        assert!(inside.contains(&true) && inside.contains(&false), "the track crosses an edge");
    }

    #[test]
    fn a_clean_network_is_never_out() {
        let (outages, share) = run(NetworkRules::default(), 1, 1_000, 60_000, (57.0, 82.0));
        assert_eq!((outages.len(), share), (0, 0.0));
    }
}
