//! What a machine does at a moment.

use serde::{Deserialize, Serialize};

/// What a machine does at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Engine off.
    Off,
    /// Engine on, standing.
    Idle,
    /// Moving without working.
    Transport,
    /// Between two runs of work on the same field.
    Turning,
    /// At work.
    Working,
    /// Unloading while not at work. Unloading on the go is work.
    Unloading,
}
