//! What happens to frames between a unit and the broker on a bad day: lost, doubled, swapped, corrupted, no network.

use serde::Deserialize;

use super::frames::OutFrame;
use crate::random::Random;

/// How bad the day is. Shares are probabilities in `0.0..=1.0` for each frame.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Impairments {
    /// Frames that never arrive.
    pub lost_share: f64,
    /// Frames that arrive twice.
    pub duplicate_share: f64,
    /// Frames that arrive after the one behind them.
    pub reorder_share: f64,
    /// Frames that arrive with changed or missing bytes; nobody confirms them, so their records are sent again.
    pub corrupt_share: f64,
    /// Times without network.
    pub outages: Option<Outages>,
}

/// Times without network: starts follow a Poisson process, lengths are lognormal (domain section 7).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outages {
    /// Outages that begin in an hour with network, mean; simulated time.
    pub per_hour: f64,
    /// Median length in seconds, simulated time.
    pub median_s: f64,
}

impl Outages {
    /// Spread of the logarithm of the length: the 95th percentile is twenty times the median, as measured fleets show.
    const SIGMA: f64 = 1.8;
    /// No outage is longer than a week.
    const MAX_S: f64 = 7.0 * 86_400.0;
}

impl Impairments {
    /// The dirt rates of the TSBS IoT benchmark, as far as frames go: 1 % missing, 5 % out of order, 2 % twice.
    pub const TSBS: Self =
        Self { lost_share: 0.01, duplicate_share: 0.02, reorder_share: 0.05, corrupt_share: 0.01, outages: None };

    /// Whether there is nothing to do.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The bad day of one unit.
#[derive(Debug, Clone)]
pub struct Impairer {
    rules: Impairments,
    random: Random,
    held: Option<OutFrame>,
    next_outage_ms: i64,
    outage_until_ms: i64,
}

impl Impairer {
    /// A bad day that begins at `now_ms` of the simulated clock.
    pub fn new(rules: Impairments, seed: u64, now_ms: i64) -> Self {
        let mut impairer = Self {
            rules,
            random: Random::fork(seed, "impairments"),
            held: None,
            next_outage_ms: i64::MAX,
            outage_until_ms: i64::MIN,
        };
        impairer.plan_outage(now_ms);
        impairer
    }

    /// Whether there is no network at `now_ms` of the simulated clock, which must not run backwards.
    pub fn is_out(&mut self, now_ms: i64) -> bool {
        if let Some(rule) = self.rules.outages
            && now_ms >= self.next_outage_ms
        {
            let length_s = (rule.median_s * (Outages::SIGMA * self.random.normal()).exp()).min(Outages::MAX_S);
            self.outage_until_ms = self.next_outage_ms + (length_s * 1_000.0) as i64;
            self.plan_outage(self.outage_until_ms);
        }
        now_ms < self.outage_until_ms
    }

    /// What arrives when `frame` is sent: nothing, it, it twice, it and one held back before.
    pub fn pass(&mut self, frame: OutFrame) -> Vec<OutFrame> {
        let mut out = Vec::with_capacity(3);
        let held = self.held.take();
        if self.random.chance(self.rules.lost_share) {
            out.extend(held);
            return out;
        }
        let frame = if self.random.chance(self.rules.corrupt_share) { self.corrupt(frame) } else { frame };
        let twice = self.random.chance(self.rules.duplicate_share);
        if held.is_none() && self.random.chance(self.rules.reorder_share) {
            // Should no frame follow, the unit's own resend covers it.
            self.held = Some(frame.clone());
            out.extend(twice.then_some(frame));
        } else {
            out.extend(twice.then(|| frame.clone()));
            out.push(frame);
            out.extend(held);
        }
        out
    }

    fn plan_outage(&mut self, from_ms: i64) {
        if let Some(rule) = self.rules.outages.filter(|rule| rule.per_hour > 0.0) {
            let wait_ms = self.random.exponential(3_600_000.0 / rule.per_hour);
            self.next_outage_ms = from_ms.saturating_add(wait_ms as i64);
        }
    }

    /// Binary frames lose bits anywhere, which their checksum shows. JSON frames have none: a changed digit would be
    /// another reading, so they are cut off.
    fn corrupt(&mut self, frame: OutFrame) -> OutFrame {
        let mut bytes = frame.bytes.to_vec();
        let at = self.random.below(bytes.len());
        if bytes.first() == Some(&b'{') || self.random.chance(0.3) {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << self.random.below(8);
        }
        OutFrame { bytes: bytes.into(), ..frame }
    }
}
