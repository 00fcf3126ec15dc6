//! What happens to frames between a unit and the broker on a bad day: lost, doubled, swapped, corrupted.

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
    /// Times without network, the same everywhere.
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
    /// The 95th percentile of the length is twenty times the median, as measured fleets show.
    pub(crate) const P95_TO_MEDIAN: f64 = 20.0;
}

impl Impairments {
    /// The dirt rates of the TSBS IoT benchmark, as far as frames go: 1 % missing, 5 % out of order, 2 % twice.
    pub const TSBS: Self =
        Self { lost_share: 0.01, duplicate_share: 0.02, reorder_share: 0.05, corrupt_share: 0.01, outages: None };

    /// Whether frames arrive as they were sent.
    pub fn is_none(&self) -> bool {
        Self { outages: None, ..*self } == Self::default()
    }
}

/// The bad day of one unit.
#[derive(Debug, Clone)]
pub struct Impairer {
    rules: Impairments,
    random: Random,
    held: Option<OutFrame>,
}

impl Impairer {
    /// A bad day.
    pub fn new(rules: Impairments, seed: u64) -> Self {
        Self { rules, random: Random::fork(seed, "impairments"), held: None }
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
