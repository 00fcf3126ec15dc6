//! The fleet's side of the broker, as fast as the broker takes it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use polevod::config::MqttUrl;
use polevod::ingest::RawMessage;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use wire::TopicKind;

/// Messages under way to the broker.
const WINDOW: u16 = 1_000;
/// How long the broker keeps the service's session for us.
const SESSION_S: u32 = 3_600;

/// Publishes everything and returns when the broker has acknowledged all of it.
pub(crate) async fn publish(broker: &MqttUrl, messages: &[RawMessage]) -> anyhow::Result<()> {
    let (client, mut eventloop) = connect(broker, "bench-fleet", true);
    let send = async {
        for message in messages {
            let payload = message.payload.clone();
            client.publish_bytes(message.topic.clone(), QoS::AtLeastOnce, false, payload).await?;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    let mut acknowledged = 0;
    let poll = async {
        while acknowledged < messages.len() {
            if let Event::Incoming(Packet::PubAck(_)) = eventloop.poll().await.context("publishing")? {
                acknowledged += 1;
            }
        }
        Ok(())
    };
    tokio::select! {
        outcome = send => outcome,
        outcome = poll => outcome,
    }
}

/// Makes the session that ingest will find, so that the broker keeps for it what is published from now on.
pub(crate) async fn subscribe_for_service(broker: &MqttUrl, client_id: &str) -> anyhow::Result<()> {
    let (client, mut eventloop) = connect(broker, client_id, false);
    let filters = TopicKind::UP.map(|kind| Filter::new(kind.filter(), QoS::AtLeastOnce));
    client.subscribe_many(filters).await?;
    loop {
        if let Event::Incoming(Packet::SubAck(_)) = eventloop.poll().await.context("subscribing")? {
            break;
        }
    }
    client.disconnect().await?;
    while eventloop.poll().await.is_ok() {}
    Ok(())
}

/// A connection of its own name.
pub(crate) fn connect(broker: &MqttUrl, client_id: &str, clean_start: bool) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, &broker.host, broker.port);
    options.set_keep_alive(Duration::from_secs(60));
    options.set_clean_start(clean_start);
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: (!clean_start).then_some(SESSION_S),
        ..ConnectProperties::new()
    });
    options.set_outgoing_inflight_upper_limit(WINDOW);
    AsyncClient::new(options, WINDOW.into())
}

/// Forgets the service's session and what the broker keeps for it.
pub(crate) async fn forget_service(broker: &MqttUrl, client_id: &str) -> anyhow::Result<()> {
    let (client, mut eventloop) = connect(broker, client_id, true);
    loop {
        match eventloop.poll().await.context("connecting")? {
            Event::Incoming(Packet::ConnAck(_)) => break,
            Event::Incoming(Packet::Disconnect(why)) => bail!("the broker disconnected: {:?}", why.reason_code),
            _ => {}
        }
    }
    client.disconnect().await?;
    while eventloop.poll().await.is_ok() {}
    Ok(())
}
