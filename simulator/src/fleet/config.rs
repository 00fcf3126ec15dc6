//! What fleet to run, and against what.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::SimulatorError;
use super::assemble::State;
use super::identity::Identities;
use crate::conditions::Conditions;
use crate::device::Impairments;
use crate::machine::{FaultSettings, Season};

/// Most machines in one process.
const MAX_MACHINES: usize = 100_000;

/// A fleet: the same values give the same records to the byte.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// Decides everything that varies: models, fields, weather, faults.
    pub seed: u64,
    /// How many machines.
    pub machines: usize,
    /// Simulated time at which the fleet starts.
    pub starts_at: Timestamp,
    /// Simulated time at which the fleet stops recording; none to go on until the run ends.
    pub until: Option<Timestamp>,
    /// Simulated seconds in a second: 1 is real time, 0 as fast as the service confirms.
    pub accelerate: f64,
    /// Whether simulated time stays behind the wall clock: once it has caught up, it is real time.
    pub stay_behind: bool,
    /// Samples that a frame gathers.
    pub frame_samples: usize,
    /// Longest time a sample waits for its frame to fill, by the wall clock of an undisturbed run.
    pub frame_wait: Duration,
    /// Simulated time between the samples of a machine.
    pub sample_period_ms: u32,
    /// Share of machines whose units speak JSON.
    pub json_share: f64,
    /// Beginning of every serial: `SIM` gives `SIM-gs12-00017`.
    pub serial_prefix: String,
    /// What happens to frames on their way.
    pub impairments: Impairments,
    /// How bad networks, clocks, receivers and power are.
    pub conditions: Conditions,
    /// Codes of the machine models to use, in turn; empty for a usual mix of all.
    pub models: Vec<String>,
    /// A folder with further machine models as TOML files.
    pub models_folder: Option<PathBuf>,
    /// When machines work.
    pub work: Work,
    /// Which season's work is done; none to follow the calendar.
    pub season: Option<Season>,
    /// What breaks.
    pub faults: FaultSettings,
    /// Records that a unit keeps; none for a week of samples. Beside it there is a bound on the memory of the process.
    pub buffer_records: Option<usize>,
}

/// When machines work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// In shifts of random phase, so that at any moment most of the fleet works and some of it is off: for demos and
    /// tests at any time of the day.
    #[default]
    AroundTheClock,
    /// By the local day: out in the morning, home in the evening.
    ByDay,
}

/// How simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many simulated seconds in a second.
    Accelerated(f64),
    /// Machines record as soon as the service has confirmed enough of what came before.
    AsFastAsPossible,
}

/// Against what a fleet or a unit runs.
#[derive(Clone)]
pub struct Options {
    /// `mqtt://host:1883`.
    pub broker_url: String,
    /// User name; goes before one in the address.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// TLS settings for `mqtts://`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Most connections; machines beyond share them. A machine with a connection of its own has a last will.
    pub connections: usize,
    /// Certificates and passwords of single units; none where all use the ones above.
    pub identities: Option<Identities>,
    /// Where to write the ledger; none for no ledger.
    pub ledger: Option<PathBuf>,
    /// Where to write truth files: an empty folder, or one that does not exist yet; none for no truth.
    pub truth: Option<PathBuf>,
    /// Where units keep their records across restarts; none for in memory.
    pub state: Option<State>,
    /// Wall-clock time after which recording stops; none to record until told to stop, or the fleet's `until`.
    pub run_for: Option<Duration>,
    /// How long to wait for `stored` after recording has stopped.
    pub drain_timeout: Duration,
    /// What is not covered by `stored` this long after sending is sent again.
    pub resend_after: Duration,
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            machines: 20,
            starts_at: Timestamp::now(),
            until: None,
            accelerate: 1.0,
            stay_behind: false,
            frame_samples: 20,
            frame_wait: Duration::from_secs(2),
            sample_period_ms: 5_000,
            json_share: 0.0,
            serial_prefix: "SIM".into(),
            impairments: Impairments::default(),
            conditions: Conditions::default(),
            models: Vec::new(),
            models_folder: None,
            work: Work::default(),
            season: None,
            faults: FaultSettings::default(),
            buffer_records: None,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            broker_url: "mqtt://127.0.0.1:1883".into(),
            username: None,
            password: None,
            tls: None,
            connections: 200,
            identities: None,
            ledger: None,
            truth: None,
            state: None,
            run_for: None,
            drain_timeout: Duration::from_secs(60),
            resend_after: Duration::from_secs(10),
        }
    }
}

impl FleetConfig {
    /// How simulated time passes.
    pub fn pace(&self) -> Pace {
        if self.accelerate == 0.0 { Pace::AsFastAsPossible } else { Pace::Accelerated(self.accelerate) }
    }

    /// Checks that the values make sense.
    pub(super) fn check(&self) -> Result<(), SimulatorError> {
        let fail = |key, value: String, reason| Err(SimulatorError::Setting { key, value, reason });
        if self.machines == 0 || self.machines > MAX_MACHINES {
            return fail("machines", self.machines.to_string(), "give 1 to 100000");
        }
        if !(self.accelerate >= 0.0 && self.accelerate <= 1e6) {
            return fail("accelerate", self.accelerate.to_string(), "give 1 for real time, 0 for as fast as possible");
        }
        if !(1..=wire::limits::MAX_RECORDS).contains(&self.frame_samples) {
            return fail("frame_samples", self.frame_samples.to_string(), "give 1 to 4096");
        }
        if !(100..=3_600_000).contains(&self.sample_period_ms) {
            return fail("sample_period_ms", self.sample_period_ms.to_string(), "give 100 to 3600000");
        }
        if !(0.0..=1.0).contains(&self.json_share) {
            return fail("json_share", self.json_share.to_string(), "give a share from 0 to 1");
        }
        if self.until.is_some_and(|until| until <= self.starts_at) {
            let value = self.until.map_or_else(String::new, |until| until.to_string());
            return fail("until", value, "give an end behind the start");
        }
        self.conditions.check().map_err(|(key, value, reason)| SimulatorError::Setting { key, value, reason })?;
        let rules = &self.impairments;
        for share in [rules.lost_share, rules.duplicate_share, rules.reorder_share, rules.corrupt_share] {
            if !(0.0..=0.9).contains(&share) {
                return fail("impairments", share.to_string(), "give shares from 0 to 0.9, so that something arrives");
            }
        }
        Ok(())
    }
}

impl Options {
    /// Checks that the values make sense, for a fleet.
    pub(super) fn check(&self, fleet: &FleetConfig) -> Result<(), SimulatorError> {
        let fail =
            |reason| Err(SimulatorError::Setting { key: "connections", value: self.connections.to_string(), reason });
        if self.connections == 0 || self.connections > 10_000 {
            return fail("give 1 to 10000");
        }
        if self.identities.is_some() && self.connections < fleet.machines {
            return fail("units with an identity of their own need a connection each; give as many as machines");
        }
        Ok(())
    }
}
