//! Alerts on an MQTT topic. Alerts are rare, so each opens a connection of its own and closes it.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};

use super::Failure;
use crate::config;
use crate::store::health::Delivery;

/// Requests under way: one publish and one farewell.
const REQUESTS: usize = 4;

/// The way out by MQTT.
pub(super) struct Mqtt {
    settings: config::Mqtt,
}

impl Mqtt {
    pub(super) fn new(settings: &config::Mqtt) -> Self {
        Self { settings: settings.clone() }
    }

    pub(super) async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let machine = delivery.body["machine"].as_str().unwrap_or_default();
        let topic = delivery.channel.channel.target.replace("{machine}", machine);
        let (client, mut eventloop) = AsyncClient::new(self.options(delivery)?, REQUESTS);
        client
            .publish(topic, QoS::AtLeastOnce, false, delivery.body.to_string().into_bytes())
            .await
            .map_err(Failure::retry)?;
        loop {
            match eventloop.poll().await.map_err(Failure::retry)? {
                Event::Incoming(Packet::PubAck(ack)) => {
                    let outcome = match ack.reason {
                        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
                        refused => Err(Failure::retry(format!("the broker refuses it: {refused:?}"))),
                    };
                    // The broker has it; whether it hears our farewell does not matter.
                    let _ = client.disconnect().await;
                    let _ = tokio::time::timeout(Duration::from_millis(200), eventloop.poll()).await;
                    return outcome;
                }
                Event::Incoming(Packet::Disconnect(why)) => {
                    return Err(Failure::retry(format!("the broker disconnected: {:?}", why.reason_code)));
                }
                _ => {}
            }
        }
    }

    fn options(&self, delivery: &Delivery) -> Result<MqttOptions, Failure> {
        // A name of its own for each delivery: two processes must not throw each other out.
        let client_id = format!("{}-alert-{}", self.settings.client_id, delivery.id);
        let mut options = MqttOptions::new(client_id, &self.settings.url.host, self.settings.url.port);
        options.set_clean_start(true);
        if let Some((user, password)) = &self.settings.url.credentials {
            options.set_credentials(user, password.reveal());
        }
        if let Some(tls) = crate::tls::of_broker(&self.settings).map_err(Failure::retry)? {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        }
        Ok(options)
    }
}
