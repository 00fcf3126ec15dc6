//! Both servers together.

use crate::{
    error::EmbeddedError,
    mosquitto::{Mosquitto, MosquittoOptions},
    packages::Packages,
    postgres::{Postgres, PostgresOptions},
    progress::ProgressFn,
};

/// How both servers are set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackOptions {
    /// The database.
    pub postgres: PostgresOptions,
    /// The broker.
    pub mosquitto: MosquittoOptions,
}

impl StackOptions {
    /// Cheap on the disk, for tests that do not cut the power: see [`PostgresOptions::cheap`].
    pub fn cheap() -> Self {
        Self { postgres: PostgresOptions::cheap(), mosquitto: MosquittoOptions::default() }
    }
}

/// A running database and a running broker. Dropping it stops both and removes their data.
#[derive(Debug)]
pub struct Stack {
    /// The database.
    pub postgres: Postgres,
    /// The broker.
    pub mosquitto: Mosquitto,
}

impl Stack {
    /// Downloads what is missing and starts both. The first time takes half a minute, later ones a second.
    ///
    /// # Errors
    /// As [`Packages::ensure`], [`Postgres::start`] and [`Mosquitto::start`].
    pub fn start(options: &StackOptions, progress: ProgressFn<'_>) -> Result<Self, EmbeddedError> {
        let packages = Packages::ensure(progress)?;
        let postgres = Postgres::start(&packages, &options.postgres, progress)?;
        let mosquitto = Mosquitto::start(&packages, &options.mosquitto)?;
        Ok(Self { postgres, mosquitto })
    }
}
