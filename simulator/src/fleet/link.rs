//! One connection to the broker: connects, reconnects, reports; sends what a shard hands to it.
//!
//! Traps of rumqttc that this module avoids:
//! - An event loop that reconnects by itself sends stale packets again. Every attempt gets a fresh client and loop.
//! - Polling and waiting for a full request queue in one task deadlocks. The poll task never sends; the shard never
//!   waits for the queue, it counts what is in it and stays below its capacity.
//! - Dropping a poll half-way may cut a packet in two. Nothing cancels a poll; the task ends between two of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, LastWill, Packet, PubAckReason, Publish, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{Outgoing, TlsConfiguration, Transport};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::broker::Broker;
use super::counters::Counters;
use crate::random::Random;

/// Packets that may wait in the client for the broker's flow control.
const QUEUE_PACKETS: usize = 128;
/// Publishes that may be unacknowledged, where the broker allows more.
const INFLIGHT_PACKETS: u16 = 100;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT_S: u64 = 10;
const FIRST_BACK_OFF: Duration = Duration::from_millis(200);
const MAX_BACK_OFF: Duration = Duration::from_secs(15);
/// A connection that stood this long was good: the next attempt comes soon again.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// What a connection is made of.
#[derive(Clone)]
pub(super) struct LinkConfig {
    pub(super) client_id: String,
    pub(super) broker: Broker,
    pub(super) credentials: Option<(String, String)>,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    /// Topic and payload published, retained, when the link breaks.
    pub(super) will: Option<(String, Vec<u8>)>,
    /// Spreads connection attempts.
    pub(super) seed: u64,
    /// The first attempt comes within this time, so that a fleet does not knock all at once.
    pub(super) spread: Duration,
    /// Whether there is network; none where it is always there. When it goes, the connection breaks as in a hole: the
    /// broker is told nothing.
    pub(super) network: Option<watch::Receiver<bool>>,
}

/// What a connection tells its shard.
pub(super) enum LinkEvent {
    /// A connection stands; nothing of an earlier one is on its way any more.
    Up(Uplink),
    /// The connection is gone.
    Down,
    /// A message arrived.
    Message(Message),
}

/// A message from the service.
pub(super) struct Message {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    /// Where its sender wants an answer, and with what.
    pub(super) response_topic: Option<String>,
    pub(super) correlation: Option<Bytes>,
}

impl From<Publish> for Message {
    fn from(publish: Publish) -> Self {
        let properties = publish.properties.unwrap_or_default();
        Self {
            topic: publish.topic,
            payload: publish.payload,
            response_topic: properties.response_topic,
            correlation: properties.correlation_data,
        }
    }
}

/// The sending side of one connection.
pub(super) struct Uplink {
    client: AsyncClient,
    queued: Arc<AtomicUsize>,
}

impl Uplink {
    /// Whether another packet may be sent now.
    pub(super) fn has_room(&self) -> bool {
        self.queued.load(Relaxed) < QUEUE_PACKETS
    }

    /// Queues a publish of QoS 1; false when the connection is gone.
    pub(super) fn publish(&self, topic: String, payload: Bytes, retain: bool) -> bool {
        self.counted(|client| client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok())
    }

    /// Queues an answer of QoS 1 with the correlation data of its question; false when the connection is gone.
    pub(super) fn answer(&self, topic: String, payload: Bytes, correlation: Option<Bytes>) -> bool {
        let properties = PublishProperties { correlation_data: correlation, ..PublishProperties::default() };
        self.counted(|client| {
            client.try_publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties).is_ok()
        })
    }

    /// Queues a subscription; false when the connection is gone.
    pub(super) fn subscribe(&self, filters: &[String]) -> bool {
        let filters = filters.iter().map(|filter| Filter::new(filter.clone(), QoS::AtLeastOnce));
        self.counted(|client| client.try_subscribe_many(filters).is_ok())
    }

    /// Ends the connection after what was queued.
    pub(super) async fn close(self, time: Duration) {
        // A connection that cannot take the packet in time is as good as closed: it is dropped with the task.
        let _ = tokio::time::timeout(time, self.client.disconnect()).await;
    }

    /// Counts first: the poll task may write the packet, and count it off, before this returns.
    fn counted(&self, send: impl FnOnce(&AsyncClient) -> bool) -> bool {
        self.queued.fetch_add(1, Relaxed);
        let queued = send(&self.client);
        if !queued {
            self.queued.fetch_sub(1, Relaxed);
        }
        queued
    }
}

/// Keeps a connection until its shard is gone or closes it.
pub(super) async fn keep_connected(
    mut config: LinkConfig,
    events: mpsc::Sender<LinkEvent>,
    space: Arc<Notify>,
    counters: Arc<Counters>,
) {
    let mut random = Random::fork(config.seed, &config.client_id);
    tokio::time::sleep(config.spread.mul_f64(random.unit())).await;
    let mut back_off = FIRST_BACK_OFF;
    let mut times_up = 0u64;
    let mut network = config.network.take();
    loop {
        tokio::select! {
            () = until(&mut network, true) => {}
            () = events.closed() => return,
        }
        let ended = tokio::select! {
            ended = run_connection(&config, &events, &space, &counters, &mut times_up) => ended,
            // Half a packet may be lost with it, as it is in a hole.
            () = until(&mut network, false) => Ended::CutOff,
        };
        let up_since = match ended {
            Ended::Broken { up_since } => {
                counters.connection_failures.fetch_add(1, Relaxed);
                up_since
            }
            Ended::CutOff => {
                if events.send(LinkEvent::Down).await.is_err() {
                    return;
                }
                continue;
            }
            Ended::Closed => return,
        };
        if up_since.is_some() && events.send(LinkEvent::Down).await.is_err() {
            return;
        }
        if up_since.is_some_and(|since| since.elapsed() > GOOD_AFTER) {
            back_off = FIRST_BACK_OFF;
        }
        tokio::select! {
            () = tokio::time::sleep(back_off.mul_f64(random.range(0.5, 1.0))) => {}
            () = events.closed() => return,
        }
        back_off = (back_off * 2).min(MAX_BACK_OFF);
    }
}

enum Ended {
    Broken {
        up_since: Option<Instant>,
    },
    /// There is no network any more.
    CutOff,
    Closed,
}

/// Waits until the network is there, or is not; where it is always there, the latter takes for ever.
async fn until(network: &mut Option<watch::Receiver<bool>>, wanted: bool) {
    let reached = match network {
        Some(network) => network.wait_for(|is_up| *is_up == wanted).await.is_ok(),
        None => wanted,
    };
    // A shard that is gone switches nothing any more; that it is gone is noticed elsewhere.
    if !reached {
        std::future::pending::<()>().await;
    }
}

async fn run_connection(
    config: &LinkConfig,
    events: &mpsc::Sender<LinkEvent>,
    space: &Notify,
    counters: &Counters,
    times_up: &mut u64,
) -> Ended {
    let (client, mut event_loop) = AsyncClient::new(mqtt_options(config), QUEUE_PACKETS + 1);
    let queued = Arc::new(AtomicUsize::new(0));
    let mut uplink = Some(Uplink { client, queued: Arc::clone(&queued) });
    let mut up_since = None;
    loop {
        let told = match event_loop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                counters.connects.fetch_add(1, Relaxed);
                counters.reconnects.fetch_add(u64::from(*times_up > 0), Relaxed);
                *times_up += 1;
                up_since = Some(Instant::now());
                match uplink.take() {
                    Some(uplink) => events.send(LinkEvent::Up(uplink)).await,
                    // The loop reconnected by itself, which it does not; were it to, a fresh one is wanted.
                    None => return Ended::Broken { up_since },
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => events.send(LinkEvent::Message(publish.into())).await,
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                let taken = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
                if !taken && counters.refused_publishes.fetch_add(1, Relaxed) == 0 {
                    let (client_id, reason) = (&config.client_id, ack.reason);
                    tracing::warn!(
                        "the broker refuses publishes of {client_id}: {reason:?}; later ones are only counted"
                    );
                }
                Ok(())
            }
            Ok(Event::Outgoing(Outgoing::Publish(_) | Outgoing::Subscribe(_))) => {
                queued.fetch_sub(1, Relaxed);
                space.notify_one();
                Ok(())
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return Ended::Closed,
            Ok(_) => Ok(()),
            Err(error) => {
                if *times_up == 0 || up_since.is_some() {
                    tracing::debug!("connection of {} ended: {error}", config.client_id);
                }
                return if events.is_closed() { Ended::Closed } else { Ended::Broken { up_since } };
            }
        };
        if told.is_err() {
            return Ended::Closed;
        }
    }
}

fn mqtt_options(config: &LinkConfig) -> MqttOptions {
    let mut options = MqttOptions::new(&config.client_id, &config.broker.host, config.broker.port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_clean_start(true)
        .set_outgoing_inflight_upper_limit(INFLIGHT_PACKETS);
    if let Some((user, password)) = &config.credentials {
        options.set_credentials(user, password);
    }
    if let Some((topic, payload)) = &config.will {
        options.set_last_will(LastWill::new(topic, payload.clone(), QoS::AtLeastOnce, true, None));
    }
    if let Some(tls) = &config.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    options
}
