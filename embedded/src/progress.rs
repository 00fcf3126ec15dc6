//! Progress of the long steps, as values a caller can draw.

/// A long step of the preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading Debian's package lists; counted in permille.
    Lists,
    /// Downloading packages; counted in permille.
    Download,
    /// Unpacking packages; counted in packages.
    Unpack,
    /// Making the database cluster that later starts copy; counted in parts.
    Template,
}

impl Step {
    /// What the step does, for the label of a progress bar.
    pub fn title(self) -> &'static str {
        match self {
            Step::Lists => "reading Debian's package lists",
            Step::Download => "downloading PostgreSQL, TimescaleDB, Mosquitto",
            Step::Unpack => "unpacking",
            Step::Template => "making the first database",
        }
    }
}

/// How far a step is. `done == total` closes it; a step that had nothing to do reports nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// Units finished, never above `total`.
    pub done: u64,
    /// Units altogether.
    pub total: u64,
}

/// Called from the calling thread whenever a step moves. Pass `&|_| {}` to stay silent.
pub type ProgressFn<'a> = &'a dyn Fn(Progress);
