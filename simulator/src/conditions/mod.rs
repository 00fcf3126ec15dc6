//! What stands between a machine and clean data: networks with holes, clocks without a date, receivers under trees,
//! units that restart. Pure: everything follows from a seed and the machine's own time, and all of it is told as truth.
//!
//! ```text
//! machine ─ Record ▶ receiver (position) ▶ entries (missing, swapped) ▶ clock (time) ▶ device ─ frame ▶ network
//! ```

mod clock;
mod coverage;
mod entries;
mod episode;
mod network;
mod power;
mod receiver;

use serde::Deserialize;

pub use clock::ClockRules;
pub use coverage::{ByCoverage, CoverageMap};
pub use entries::EntryRules;
pub use network::NetworkRules;
pub use power::PowerRules;
pub use receiver::ReceiverRules;

pub(crate) use clock::UnitClock;
pub(crate) use entries::Entries;
pub(crate) use network::{Home, Network};
pub(crate) use power::{Power, Restart};
pub(crate) use receiver::Receiver;

/// How bad the world is to the units. The default is a clean world.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Times and places without network.
    pub network: NetworkRules,
    /// Clocks that are wrong.
    pub clock: ClockRules,
    /// Positions that are wrong.
    pub receiver: ReceiverRules,
    /// Samples that are not recorded, or late.
    pub entries: EntryRules,
    /// Restarts.
    pub power: PowerRules,
}

impl Conditions {
    /// The first value that makes no sense: its key, the value, and the mend.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        self.network.check()?;
        self.clock.check()?;
        self.receiver.check()?;
        self.entries.check()?;
        self.power.check()
    }
}

/// Refuses what is not a share.
fn check_share(key: &'static str, share: f64) -> Result<(), (&'static str, String, &'static str)> {
    if (0.0..=1.0).contains(&share) { Ok(()) } else { Err((key, share.to_string(), "give a share from 0 to 1")) }
}

/// Refuses a number that is negative, not finite, or beyond `most`.
fn check_number(key: &'static str, number: f64, most: f64) -> Result<(), (&'static str, String, &'static str)> {
    let mend = "give a number that is not negative, within what a season can hold";
    if (0.0..=most).contains(&number) { Ok(()) } else { Err((key, number.to_string(), mend)) }
}
