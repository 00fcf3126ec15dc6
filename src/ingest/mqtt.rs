//! The broker side: one connection after another, each with its own client, so that nothing of a dead one can
//! reach the next.
//!
//! rumqttc resumes by itself when it is polled on after an error; it then sends what it had queued, old PUBACKs
//! among it, whose packet numbers by then name other messages. A fresh client per connection cannot.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use tokio::time::Instant;
use tracing::{debug, info, warn};
use wire::TopicKind;

use super::ack::{self, Flood, Progress, Receipts};
use super::counters::Counters;
use super::intake::{Accepted, Intake};
use super::outbox::Outbox;
use super::prepare::RawMessage;
use crate::config::Mqtt;

/// First pause after a lost connection.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// How long a connection attempt may take.
const CONNECT_PATIENCE_S: u64 = 5;
/// Topic and properties beside the longest frame in one packet.
const PACKET_OVERHEAD_BYTES: usize = 4 * 1024;
/// The watchdog looks this often.
const WATCHDOG_EVERY: Duration = Duration::from_secs(1);
/// While nobody has anything to say, sessions may last up to this many times longer before they are renewed.
const WATCHDOG_STRETCH_MAX: u32 = 16;
/// How long the broker keeps a session of a share group, seconds: it would go on giving its share to a worker that is
/// gone. What it gave is lost with the session, and comes again from the machines, to a worker that lives.
const SHARED_SESSION_EXPIRY_S: u32 = 10;
/// How long the last answers may take to leave when the service stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps a connection until `finish` is over, and hands what it delivers to `intake`.
///
/// # Errors
/// When the settings cannot make a connection at all (TLS files).
pub(super) async fn run(
    settings: &Mqtt,
    intake: &Arc<Intake>,
    outbox: &Outbox,
    counters: &Arc<Counters>,
    finish: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let options = connection_options(settings)?;
    let mut finish = std::pin::pin!(finish);
    let mut backoff = BACKOFF_FIRST;
    let mut stretch = 1;
    loop {
        let mut session = Session::start(&options, settings, intake, outbox, counters);
        let ended = tokio::select! {
            ended = session.watch(settings, stretch, counters) => ended,
            () = &mut finish => {
                session.farewell(outbox).await;
                return Ok(());
            }
        };
        outbox.connected(None);
        counters.set_broker_up(false);
        let heard = session.progress.counts().0 > 0;
        session.stop().await;
        // It would be stored twice over and hold the room that the broker's next messages were promised.
        intake.forget_stale();
        match ended {
            Ended::Silence => {
                stretch = if heard { 1 } else { (stretch * 2).min(WATCHDOG_STRETCH_MAX) };
                debug!(stretch, "no message for a while; opening the session afresh");
                continue;
            }
            Ended::Left => {
                info!("stored what there was room for; opening the session afresh for what was left with the broker");
                stretch = 1;
                continue;
            }
            Ended::Lost(why) => {
                warn!(
                    retry_in_ms = backoff.as_millis() as u64,
                    "connection to the broker {} ended: {why}", settings.url
                );
            }
        }
        let pause = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
        backoff = if heard { BACKOFF_FIRST } else { (backoff * 2).min(BACKOFF_MAX) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut finish => return Ok(()),
        }
    }
}

/// How ingest connects. A client with these options and its own name finds what ingest would find.
///
/// # Errors
/// When TLS files cannot be used.
pub fn connection_options(settings: &Mqtt) -> anyhow::Result<MqttOptions> {
    let mut options = MqttOptions::new(&settings.client_id, &settings.url.host, settings.url.port);
    options.set_keep_alive(Duration::from_secs(settings.keep_alive_s.into()));
    options.set_clean_start(false);
    options.set_manual_acks(true);
    options.set_connection_timeout(CONNECT_PATIENCE_S);
    let session_expiry_s = match settings.share_group.as_str() {
        "" => settings.session_expiry_s,
        _ => settings.session_expiry_s.min(SHARED_SESSION_EXPIRY_S),
    };
    let packet_bytes = wire::limits::MAX_FRAME_BYTES + PACKET_OVERHEAD_BYTES;
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: Some(session_expiry_s),
        receive_maximum: Some(u16::try_from(settings.receive_maximum)?),
        max_packet_size: Some(u32::try_from(packet_bytes)?),
        ..ConnectProperties::new()
    });
    if let Some((user, password)) = &settings.url.credentials {
        options.set_credentials(user, password.reveal());
    }
    if let Some(tls) = crate::tls::of_broker(settings)? {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    Ok(options)
}

/// Why a session is over.
enum Ended {
    /// The watchdog ended it.
    Silence,
    /// Messages were left with the broker, and there is room for them now.
    Left,
    /// The connection broke or the broker refused.
    Lost(String),
}

/// One connection.
struct Session {
    client: AsyncClient,
    poll: tokio::task::JoinHandle<String>,
    acks: tokio::task::JoinHandle<()>,
    progress: Arc<Progress>,
}

impl Session {
    fn start(
        options: &MqttOptions,
        settings: &Mqtt,
        intake: &Arc<Intake>,
        outbox: &Outbox,
        counters: &Arc<Counters>,
    ) -> Self {
        let window = settings.receive_maximum as usize;
        // Room for an acknowledgement of everything that can be under way, and as many answers.
        let (client, eventloop) = AsyncClient::new(options.clone(), 2 * window);
        let (receipts, acks, progress) = ack::start(client.clone(), window);
        let poll = Poll {
            eventloop,
            receipts,
            progress: progress.clone(),
            client: client.clone(),
            filters: filters(&settings.share_group),
            intake: intake.clone(),
            outbox: outbox.clone(),
            counters: counters.clone(),
        };
        Self { client, poll: tokio::spawn(poll.run()), acks, progress }
    }

    /// Waits for the end of the session: the connection breaks, or nothing moves although it could.
    async fn watch(&mut self, settings: &Mqtt, stretch: u32, counters: &Counters) -> Ended {
        let patience = Duration::from_secs(settings.watchdog_after_s.into()) * stretch;
        let mut seen = self.progress.counts();
        let mut moved_at = Instant::now();
        loop {
            tokio::select! {
                ended = &mut self.poll => {
                    return Ended::Lost(ended.unwrap_or_else(|error| error.to_string()));
                }
                () = tokio::time::sleep(WATCHDOG_EVERY) => {}
            }
            let now = self.progress.counts();
            let (received, acknowledged) = now;
            if self.progress.has_left() && received == acknowledged {
                return Ended::Left;
            }
            // While the database is away, messages wait here with good reason.
            let waits_for_database = received > acknowledged && !counters.database_is_up();
            if now != seen || waits_for_database {
                seen = now;
                moved_at = Instant::now();
            } else if moved_at.elapsed() >= patience {
                return Ended::Silence;
            }
        }
    }

    /// Lets the last answers out and takes leave, so that no last will speaks for us.
    async fn farewell(self, outbox: &Outbox) {
        let until = Instant::now() + FAREWELL;
        while Instant::now() < until {
            let (received, acknowledged) = self.progress.counts();
            if outbox.is_empty() && received == acknowledged {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if self.client.disconnect().await.is_ok() {
            let _ = tokio::time::timeout(FAREWELL, self.poll).await;
        }
        self.acks.abort();
    }

    /// Ends both tasks. Receipts of this connection are worthless from then on.
    async fn stop(self) {
        for task in [self.poll.abort_handle(), self.acks.abort_handle()] {
            task.abort();
            while !task.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// What the poll task owns.
struct Poll {
    eventloop: EventLoop,
    receipts: Receipts,
    progress: Arc<Progress>,
    client: AsyncClient,
    filters: Vec<Filter>,
    intake: Arc<Intake>,
    outbox: Outbox,
    counters: Arc<Counters>,
}

impl Poll {
    /// Polls until the connection ends; returns why.
    async fn run(mut self) -> String {
        loop {
            let event = match self.eventloop.poll().await {
                Ok(event) => event,
                Err(error) => return error.to_string(),
            };
            match event {
                Event::Incoming(Packet::ConnAck(ack)) => {
                    info!(session_present = ack.session_present, "connected to the broker");
                    self.counters.session();
                    // The broker keeps subscriptions with the session; saying them again is harmless and heals.
                    if let Err(error) = self.client.try_subscribe_many(self.filters.clone()) {
                        return format!("cannot subscribe: {error}");
                    }
                    self.outbox.connected(Some(self.client.clone()));
                    self.counters.set_broker_up(true);
                }
                Event::Incoming(Packet::SubAck(ack)) => {
                    if let Some(refused) =
                        ack.return_codes.iter().find(|code| !matches!(code, SubscribeReasonCode::Success(_)))
                    {
                        return format!(
                            "the broker refuses the subscription ({refused:?}); allow client and user to read polevod/v1/#"
                        );
                    }
                }
                Event::Incoming(Packet::Disconnect(why)) => {
                    return format!("the broker disconnected us: {:?}", why.reason_code);
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    if let Err(Flood) = self.deliver(publish) {
                        return "the broker sends more messages ahead than receive_maximum allows".into();
                    }
                }
                _ => {}
            }
        }
    }

    /// Never waits: while nobody polls, the connection dies.
    fn deliver(&mut self, mut publish: Publish) -> Result<(), Flood> {
        // After the first message that was left, all are: acknowledgements leave in the order of delivery.
        if self.progress.has_left() && publish.qos != QoS::AtMostOnce {
            return Ok(());
        }
        let payload = std::mem::take(&mut publish.payload);
        let bytes = payload.len();
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        let message = RawMessage { topic, payload, received_at_ms: crate::time::now_ms() };
        let receipt = match publish.qos {
            QoS::AtMostOnce => None,
            _ => Some((&mut self.receipts, publish)),
        };
        match self.intake.accept(message, receipt)? {
            Accepted::Waits => self.counters.message(bytes),
            Accepted::Dropped => self.counters.dropped_message(),
            Accepted::Left => self.progress.leave(),
            Accepted::Closed => {}
        }
        Ok(())
    }
}

fn filters(share_group: &str) -> Vec<Filter> {
    TopicKind::UP
        .iter()
        .map(|kind| {
            let filter = match share_group {
                "" => kind.filter(),
                group => format!("$share/{group}/{}", kind.filter()),
            };
            Filter::new(filter, QoS::AtLeastOnce)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_group_prefixes_every_filter() {
        let shared = filters("ingest");
        assert_eq!(shared[0].path, "$share/ingest/polevod/v1/+/telemetry");
        assert_eq!(filters("")[3].path, "polevod/v1/+/status");
    }
}
