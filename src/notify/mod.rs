//! Notify: alerts on their way to people and programs.
//!
//! ```text
//! delivery (outbox) ─ take, with a lease ▶ webhook | mail | mqtt ─▶ delivered, or tried again, or given up
//! ```
//!
//! The outbox is filled in the transaction that finds the alert, each thing once. It is emptied here, at least once:
//! a process that dies between sending and noting sends again, and the receiver knows the repeat by its number.

mod backoff;
mod mail;
mod mqtt;
mod webhook;

use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::Client;
use tracing::{info, warn};

pub use mail::check_mailbox;
pub use webhook::{check_url, signature};

use crate::config::Config;
use crate::store::health::{self as stored, ChannelKind, Delivery};
use crate::store::{self, StoreError};

/// Deliveries taken at once.
const TAKEN_AT_ONCE: i64 = 32;
/// Pause when nothing is due.
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// Longest reason kept of a failed attempt.
const REASON_MAX: usize = 500;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    reason: String,
    /// Whether another attempt may fare better.
    retry: bool,
}

impl Failure {
    fn retry(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), retry: true }
    }

    fn for_good(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), retry: false }
    }
}

/// The ways out.
struct Senders {
    webhook: webhook::Webhook,
    mail: mail::Mail,
    mqtt: mqtt::Mqtt,
}

/// Delivers what is due until `stop` turns true. Any number of processes may run it.
pub async fn run(config: Config, mut stop: watch::Receiver<bool>) {
    let mut client: Option<Client> = None;
    let senders = Senders::of(&config);
    loop {
        let pause = match round(&config, &senders, &mut client).await {
            Ok(0) => IDLE_PAUSE,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                warn!("alerts wait in the outbox, tried again in {} s: {error}", FAILURE_PAUSE.as_secs());
                client = None;
                FAILURE_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Delivers what is due now; returns how many deliveries were tried.
///
/// # Errors
/// When the database cannot be asked. What a receiver does wrong is noted, and no error.
pub async fn deliver_due(config: &Config) -> Result<usize, StoreError> {
    round(config, &Senders::of(config), &mut None).await
}

async fn round(config: &Config, senders: &Senders, client: &mut Option<Client>) -> Result<usize, StoreError> {
    let client = match client {
        Some(client) if !client.is_closed() => client,
        other => other.insert(store::connect(&config.database).await?),
    };
    // One after the other, so a lease covers the slowest of all that are taken with it.
    let lease_s = f64::from(config.notify.timeout_s) * TAKEN_AT_ONCE as f64 + 60.0;
    let due = stored::due_deliveries(client, TAKEN_AT_ONCE, lease_s).await?;
    let count = due.len();
    for delivery in due {
        let outcome = attempt(config, senders, &delivery).await;
        note(config, client, &delivery, outcome).await?;
    }
    Ok(count)
}

async fn attempt(config: &Config, senders: &Senders, delivery: &Delivery) -> Result<(), Failure> {
    let limit = Duration::from_secs(config.notify.timeout_s.into());
    let sent = async {
        match delivery.channel.channel.kind {
            ChannelKind::Webhook => senders.webhook.send(delivery).await,
            ChannelKind::Mail => senders.mail.send(delivery).await,
            ChannelKind::Mqtt => senders.mqtt.send(delivery).await,
        }
    };
    let late = |_| Err(Failure::retry(format!("no answer within {} s", limit.as_secs())));
    tokio::time::timeout(limit, sent).await.unwrap_or_else(late)
}

async fn note(
    config: &Config,
    client: &Client,
    delivery: &Delivery,
    outcome: Result<(), Failure>,
) -> Result<(), StoreError> {
    let channel = &delivery.channel.channel.name;
    match outcome {
        Ok(()) => {
            info!(delivery = delivery.id, channel, "delivered alert {} to {channel}", delivery.id);
            stored::delivery_succeeded(client, delivery.id).await
        }
        Err(failure) => {
            let attempt = u32::try_from(delivery.attempt).unwrap_or(1);
            let is_last = !failure.retry || attempt >= config.notify.attempts_max;
            let again_after_s = (!is_last).then(|| backoff::pause(attempt).as_secs_f64());
            let reason: String = failure.reason.chars().take(REASON_MAX).collect();
            warn!(
                delivery = delivery.id,
                channel,
                attempt,
                given_up = is_last,
                "alert not delivered to {channel}: {reason}"
            );
            stored::delivery_failed(client, delivery.id, again_after_s, &reason).await
        }
    }
}

impl Senders {
    fn of(config: &Config) -> Self {
        Self {
            webhook: webhook::Webhook::new(config.notify.timeout_s),
            mail: mail::Mail::new(&config.notify),
            mqtt: mqtt::Mqtt::new(&config.mqtt),
        }
    }
}
