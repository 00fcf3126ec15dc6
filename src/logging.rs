//! Log lines on standard error: text for people, JSON for collectors.

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Starts logging as configured. A second call in one process changes nothing, which suits tests.
///
/// # Errors
/// When `log.filter` is no filter.
pub fn start(config: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| {
        format!("log.filter = {:?} is no filter: {error}; write a level as info, or polevod=debug,info", config.filter)
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that logging has been started before.
    let _ = match config.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
