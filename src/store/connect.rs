//! Connections to the database.

use std::sync::OnceLock;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{debug, warn};

use super::StoreError;
use super::error::passes;
use crate::config::Database;

/// Where we vanish without a word, with our machine or the network, the server is to notice within half a minute and
/// release what the session held; of itself it would wait for hours.
const LET_GO: &str = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

/// Opens a connection and leaves it ready for durable work. The task that drives it ends with the connection.
///
/// # Errors
/// [`StoreError::Connect`] and [`StoreError::Refused`] name host, database and cause; the password never appears.
pub async fn connect(settings: &Database) -> Result<Client, StoreError> {
    let config = parse(settings)?;
    let limit = Duration::from_secs(settings.connect_timeout_s.into());
    let attempt = async {
        match config.get_ssl_mode() {
            SslMode::Disable | SslMode::Prefer => {
                let (client, connection) = config.connect(NoTls).await.map_err(|error| fail(&config, &error))?;
                tokio::spawn(async move { log_end(connection.await) });
                Ok::<_, StoreError>(client)
            }
            _ => {
                let (client, connection) =
                    config.connect(tls()?.clone()).await.map_err(|error| fail(&config, &error))?;
                tokio::spawn(async move { log_end(connection.await) });
                Ok::<_, StoreError>(client)
            }
        }
    };
    let client = tokio::time::timeout(limit, attempt)
        .await
        .map_err(|_| StoreError::Connect(format!("no answer within {} s", settings.connect_timeout_s)))??;
    make_durable(&client).await?;
    let patience_s = settings.transaction_timeout_s;
    client.batch_execute(&format!("{LET_GO}; set idle_in_transaction_session_timeout = '{patience_s}s'")).await?;
    Ok(client)
}

/// Asks a connection whether it is alive.
///
/// # Errors
/// When it is not.
pub async fn ping(client: &Client) -> Result<(), StoreError> {
    client.simple_query("select 1").await?;
    Ok(())
}

/// The database's name, for messages.
pub fn database_name(settings: &Database) -> String {
    parse(settings).ok().and_then(|config| config.get_dbname().map(String::from)).unwrap_or_default()
}

fn parse(settings: &Database) -> Result<Config, StoreError> {
    let mut config: Config = settings
        .url
        .reveal()
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Setup(format!("database.url: {error}")))?;
    config.application_name("polevod");
    // A peer that vanished without a word must not hold a batch for the hours that TCP would wait.
    config.tcp_user_timeout(Duration::from_secs(settings.transaction_timeout_s.into()));
    Ok(config)
}

/// An acknowledged row has to survive a power cut, whatever the server's default says.
async fn make_durable(client: &Client) -> Result<(), StoreError> {
    let setting: String = client.query_one("select current_setting('synchronous_commit')", &[]).await?.get(0);
    if setting == "off" {
        warn!(
            "the server has synchronous_commit = off, which loses acknowledged rows in a crash; this session sets it on"
        );
        client.batch_execute("set synchronous_commit = on").await?;
    }
    Ok(())
}

fn fail(config: &Config, error: &tokio_postgres::Error) -> StoreError {
    let cause = match error.as_db_error() {
        Some(db) => db.message().to_string(),
        None => std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
    };
    let hosts: Vec<_> = config.get_hosts().iter().map(|host| format!("{host:?}")).collect();
    let database = config.get_dbname().unwrap_or("");
    let said = format!("{} port {:?} database {database:?}: {cause}", hosts.join(","), config.get_ports());
    if passes(error) {
        return StoreError::Connect(format!("{said}; check database.url and that the server runs"));
    }
    let mend = match error.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            format!("create it (createdb {database}) and run polevod migrate, or name another in database.url")
        }
        Some(code) if code.code().starts_with("28") => "check user and password in database.url".to_owned(),
        _ => "check database.url".to_owned(),
    };
    StoreError::Refused(format!("{said}; {mend}"))
}

fn log_end(outcome: Result<(), tokio_postgres::Error>) {
    if let Err(error) = outcome {
        debug!(%error, "database connection ended");
    }
}

/// TLS with the system's authorities, loaded once.
fn tls() -> Result<&'static MakeRustlsConnect, StoreError> {
    static TLS: OnceLock<Result<MakeRustlsConnect, String>> = OnceLock::new();
    TLS.get_or_init(|| {
        crate::tls::client_config("", None).map(MakeRustlsConnect::new).map_err(|error| error.to_string())
    })
    .as_ref()
    .map_err(|error| StoreError::Setup(error.clone()))
}
