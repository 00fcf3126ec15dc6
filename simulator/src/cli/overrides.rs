//! What the command line may say of a fleet: each flag is a setting of the same meaning.

use std::path::PathBuf;

use simulator::settings::{self, Settings, SettingsError};
use toml::Value;

/// Flags that describe a fleet; all commands that need one take them.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Fleet")]
pub(super) struct FleetFlags {
    /// Settings file (TOML); only what differs from the defaults has to stand in it.
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Conditions: clean, tomsk or tsbs (`simulator list presets`).
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// How many machines.
    #[arg(long, short, value_name = "N")]
    machines: Option<i64>,
    /// The same seed, machines and times make the same frames and truth, to the byte.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<i64>,
    /// Codes of the models to use, as gs12,mtz-3522 (`simulator list models`).
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    models: Vec<String>,
    /// Beginning of every serial.
    #[arg(long, value_name = "TEXT")]
    serial_prefix: Option<String>,
    /// Which season's work is done: spring, summer, harvest, autumn, winter, calendar or auto.
    #[arg(long, value_name = "SEASON")]
    season: Option<String>,
    /// When machines work: by_day or around_the_clock.
    #[arg(long, value_name = "WHEN")]
    work: Option<String>,
    /// Share of units that speak JSON.
    #[arg(long, value_name = "SHARE")]
    json_share: Option<f64>,
    /// How often machines break: 1 as real ones do, 0 never.
    #[arg(long, value_name = "FACTOR")]
    faults: Option<f64>,
    /// Simulated beginning: 2026-08-20T04:00:00Z, or local as 2026-08-20 or 2026-08-20T11:00.
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// Simulated end, likewise. With --from and without --accelerate: a backfill, as fast as the service confirms.
    #[arg(long, value_name = "TIME")]
    pub(super) to: Option<String>,
}

/// A setting and its value.
pub(super) type Override = (&'static str, Value);

impl FleetFlags {
    /// The settings, with further flags of the command.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub(super) fn settings(&self, further: Vec<Override>) -> Result<Settings, SettingsError> {
        let mut said = further;
        let mut say = |key, value: Option<Value>| said.extend(value.map(|value| (key, value)));
        say("conditions.preset", self.preset.clone().map(Value::from));
        say("fleet.machines", self.machines.map(Value::from));
        say("fleet.seed", self.seed.map(Value::from));
        say("fleet.models", (!self.models.is_empty()).then(|| Value::from(self.models.clone())));
        say("fleet.serial_prefix", self.serial_prefix.clone().map(Value::from));
        say("fleet.season", self.season.clone().map(Value::from));
        say("fleet.work", self.work.clone().map(Value::from));
        say("fleet.json_share", self.json_share.map(Value::from));
        say("faults.random_rate", self.faults.map(Value::from));
        say("time.from", self.from.clone().map(Value::from));
        say("time.to", self.to.clone().map(Value::from));
        settings::load(self.config.as_deref(), said)
    }
}

/// A path as a setting holds it.
pub(super) fn path_value(path: &std::path::Path) -> Value {
    Value::from(path.display().to_string())
}
