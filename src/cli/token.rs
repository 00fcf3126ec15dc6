//! `polevod token`: tokens for other systems and for scripts.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use tokio_postgres::Client;

use crate::config::Config;
use crate::store::{self, Reach, Scope};
use crate::time::{display_ms, now_ms};

/// What `token` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a token and print it: it is shown this once.
    Create {
        /// Whom or what it is for.
        name: String,
        /// What it may do: aemp (read the fleet by ISO 15143-3), capture (ask machines for captures). Repeatable.
        #[arg(long, required = true, value_name = "SCOPE")]
        scope: Vec<Scope>,
        /// Show it the machines of this organisation alone. Without it, every machine.
        #[arg(long, value_name = "NAME")]
        organisation: Option<String>,
        /// How long it is valid: 30d, 12h. Without it, until it is revoked.
        #[arg(long, value_name = "TIME", value_parser = parse_lifetime)]
        expires_in: Option<Duration>,
    },
    /// List the tokens.
    List {
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token, at once.
    Revoke {
        /// Its client id, as `list` shows it.
        client: String,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    match arguments.verb {
        Verb::Create { name, scope, organisation, expires_in } => {
            let expires_at_ms = expires_in.map(|lifetime| now_ms().saturating_add(lifetime.as_millis() as i64));
            let reach = match organisation {
                Some(organisation) => reach_of(&client, &organisation).await?,
                None => Reach::Everything,
            };
            let token = store::create_token(&client, &name, &scope, reach, expires_at_ms).await?;
            say!("{token}");
        }
        Verb::List { json } => {
            let tokens = store::list_tokens(&client).await?;
            if json {
                say!("{}", serde_json::to_string_pretty(&tokens)?);
            } else {
                say!(
                    "{:<14}{:<24}{:<16}{:<22}{:<22}{:<10}{}",
                    "client",
                    "name",
                    "scopes",
                    "made",
                    "last used",
                    "state",
                    "organisation"
                );
                for token in tokens {
                    let at =
                        |ms: Option<i64>| ms.map_or_else(|| "-".into(), |ms| display_ms(ms)[..19].replace('T', " "));
                    let state = match (token.revoked_at_ms, token.expires_at_ms) {
                        (Some(_), _) => "revoked",
                        (None, Some(at)) if at <= now_ms() => "expired",
                        _ => "valid",
                    };
                    let (made, used) = (at(Some(token.created_at_ms)), at(token.last_used_at_ms));
                    let scopes = token.scopes.join(",");
                    let organisation = token.organisation.as_deref().unwrap_or("-");
                    say!(
                        "{:<14}{:<24}{scopes:<16}{made:<22}{used:<22}{state:<10}{organisation}",
                        token.client,
                        token.name
                    );
                }
            }
        }
        Verb::Revoke { client: id } => {
            if !store::revoke_token(&client, &id).await? {
                bail!("no valid token has the client id {id:?}; `polevod token list` shows them");
            }
            say!("revoked {id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The reach of a token that is limited to an organisation, which has to be there: a slip of the pen must not make a
/// token that never sees anything.
async fn reach_of(client: &Client, name: &str) -> anyhow::Result<Reach> {
    if let Some(organisation_id) = store::organisation(client, name).await? {
        return Ok(Reach::Organisation(organisation_id));
    }
    let known: Vec<_> = store::organisations(client).await?.into_iter().map(|(known, _)| known).collect();
    bail!(
        "no organisation is called {name:?}; there are {known:?}; `polevod machine organisation SERIAL… --to {name:?}` \
         enters one"
    )
}

/// Reads 12h, 30d.
fn parse_lifetime(text: &str) -> anyhow::Result<Duration> {
    match text.strip_suffix('d') {
        Some(days) => match days.parse::<u32>() {
            Ok(days) => Ok(Duration::from_secs(u64::from(days) * 86_400)),
            Err(_) => bail!("{text:?} is no time; write 30d or 12h"),
        },
        None => super::demo::parse_time(text),
    }
}
