//! HTTP: health and metrics for operators, interfaces for other systems.
//!
//! Handlers ask the store and render; nothing is computed here.

mod aemp;
mod answer;
mod capture;
mod health;
mod metrics;
mod rate;
mod sign_in;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tracing::{error, info};

use crate::catalogues;
use crate::config::Config;
use crate::derive::health::Catalogues;
use crate::ingest::Counters;
use crate::store::{Edition, Pool};
use rate::RateLimit;

/// What handlers share.
#[derive(Clone)]
pub struct Shared {
    /// The settings.
    pub config: Arc<Config>,
    /// What ingest counts, and whether it is well; none where this process runs no ingest.
    pub ingest: Option<Arc<Counters>>,
    /// The database server, once it has answered.
    pub edition: Arc<OnceLock<Edition>>,
    /// Connections to the database.
    pub pool: Pool,
    /// Faults and models in words.
    pub catalogues: Arc<Catalogues>,
    captures: Arc<Semaphore>,
    aemp_limit: Arc<RateLimit>,
    token_limit: Arc<RateLimit>,
}

/// Token requests a minute, of all clients together: each gets a token for an hour.
const TOKEN_REQUESTS_PER_MINUTE: u32 = 120;

impl Shared {
    /// What handlers share, of a process that ingests or does not.
    pub fn new(config: &Config, ingest: Option<Arc<Counters>>) -> Self {
        let folder = &config.health.folder;
        let mut errors = Vec::new();
        let catalogues = catalogues::load((!folder.is_empty()).then(|| Path::new(folder)), &mut errors);
        for problem in errors {
            error!("{problem}; `polevod rules check` lists all");
        }
        Self {
            config: Arc::new(config.clone()),
            ingest,
            edition: Arc::default(),
            pool: Pool::new(config.database.clone()),
            catalogues: Arc::new(catalogues),
            captures: Arc::new(Semaphore::new(capture::CAPTURES_MAX)),
            aemp_limit: Arc::new(RateLimit::new(config.aemp.requests_per_minute)),
            token_limit: Arc::new(RateLimit::new(TOKEN_REQUESTS_PER_MINUTE)),
        }
    }
}

/// A listener that is bound and not yet served: a port that is taken stops the start, not the service.
pub struct Listener(TcpListener);

/// Binds the configured address; none where nothing is to be served.
///
/// # Errors
/// When the address cannot be bound; the error names it.
pub async fn bind(config: &Config) -> anyhow::Result<Option<Listener>> {
    let Some(address) = config.http.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!(
            "http.listen = {address}: cannot listen; another program may hold the port: name another, or none (\"\")"
        )
    })?;
    Ok(Some(Listener(listener)))
}

impl Listener {
    /// Where it listens, with the port that the system chose where 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until `stop` turns true.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(self, shared: Shared, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        info!("serving http on {}", self.address()?);
        let stopped = async move {
            // An error means that nobody is left who could ask.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        axum::serve(self.0, router(shared)).with_graceful_shutdown(stopped).await?;
        Ok(())
    }
}

/// Every route.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::render))
        .merge(aemp::routes())
        .merge(capture::routes())
        .with_state(shared)
}
