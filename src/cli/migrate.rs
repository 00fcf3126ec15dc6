//! `polevod migrate`.

use std::process::ExitCode;

use crate::config::Config;
use crate::store;

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let mut client = store::connect(&config.database).await?;
    let applied = store::migrate(&mut client).await?;
    for name in &applied {
        say!("applied {name}");
    }
    let name = store::database_name(&config.database);
    say!("database {name} is up to date ({})", store::probe_edition(&client).await?);
    Ok(ExitCode::SUCCESS)
}
