//! The broker side of one capture: a session of its own that asks once it listens, and asks again after a lost
//! connection. A machine takes a repeated request for the same one.

use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet, Publish, PublishProperties, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use wire::{Answer, Link, MachineSerial, Request, Status, Topic, TopicKind};

use crate::config::Mqtt;

/// Room for what waits to be sent: a subscription and a request.
const QUEUE: usize = 8;
/// Longest answer, with its topic and properties.
const PACKET_BYTES_MAX: u32 = 16 * 1024;
/// Answers that may be on their way unacknowledged.
const RECEIVE_MAXIMUM: u16 = 16;
/// How long the broker keeps a request for a machine that is away for a moment.
const REQUEST_EXPIRES_S: u32 = 60;
/// Pause after a lost connection, and tries before the capture is given up.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
const CONNECT_TRIES: u32 = 10;

/// A session that has asked, or is about to.
pub(super) struct Listener {
    client: AsyncClient,
    events: EventLoop,
    machine: MachineSerial,
    request: Request,
    failures: u32,
}

/// What comes in.
#[derive(Debug)]
pub(super) enum Heard {
    /// The request is with the broker.
    Asked,
    /// An answer to this request.
    Answer(Answer),
    /// The machine is not connected.
    Offline,
}

impl Listener {
    pub(super) fn start(settings: &Mqtt, machine: &MachineSerial, request: &Request) -> anyhow::Result<Self> {
        let name = format!("polevod-capture-{}", request.request);
        let mut options = MqttOptions::new(name, &settings.url.host, settings.url.port);
        options.set_keep_alive(Duration::from_secs(settings.keep_alive_s.into()));
        options.set_clean_start(true);
        options.set_connect_properties(ConnectProperties {
            session_expiry_interval: Some(0),
            receive_maximum: Some(RECEIVE_MAXIMUM),
            max_packet_size: Some(PACKET_BYTES_MAX),
            ..ConnectProperties::new()
        });
        if let Some((user, password)) = &settings.url.credentials {
            options.set_credentials(user, password.reveal());
        }
        if let Some(tls) = crate::tls::of_broker(settings)? {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        }
        let (client, events) = AsyncClient::new(options, QUEUE);
        Ok(Self { client, events, machine: machine.clone(), request: request.clone(), failures: 0 })
    }

    /// Waits for the next thing worth knowing.
    ///
    /// # Errors
    /// When the broker refuses, or is away for long.
    pub(super) async fn hear(&mut self) -> Result<Heard, String> {
        loop {
            let event = match self.events.poll().await {
                Ok(event) => event,
                Err(error) => {
                    self.failures += 1;
                    if self.failures >= CONNECT_TRIES {
                        return Err(format!("the broker cannot be reached: {error}"));
                    }
                    tokio::time::sleep(RECONNECT_AFTER).await;
                    continue;
                }
            };
            match event {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let filters = self.topics().map(|topic| Filter::new(topic, QoS::AtLeastOnce));
                    self.client.try_subscribe_many(filters).map_err(|error| error.to_string())?;
                }
                Event::Incoming(Packet::SubAck(ack)) => {
                    let is_granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
                    if let Some(refused) = ack.return_codes.iter().find(|code| !is_granted(code)) {
                        return Err(format!("the broker lets nobody listen for answers ({refused:?})"));
                    }
                    // Only who listens may ask: the first answer comes at once.
                    self.ask()?;
                }
                Event::Incoming(Packet::PubAck(_)) => {
                    self.failures = 0;
                    return Ok(Heard::Asked);
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    if let Some(heard) = self.understand(&publish) {
                        return Ok(heard);
                    }
                }
                _ => {}
            }
        }
    }

    /// Where answers come: the response topic of the request, the one of machines that know no response topics, and the
    /// link state.
    fn topics(&self) -> [String; 3] {
        let [answer, status] =
            [TopicKind::Answer, TopicKind::Status].map(|kind| Topic::new(&self.machine, kind).to_string());
        [self.response_topic(), answer, status]
    }

    fn response_topic(&self) -> String {
        format!("{}/{}", Topic::new(&self.machine, TopicKind::Answer), self.request.request)
    }

    fn ask(&self) -> Result<(), String> {
        let properties = PublishProperties {
            response_topic: Some(self.response_topic()),
            correlation_data: Some(Bytes::from(self.request.request.clone())),
            message_expiry_interval: Some(REQUEST_EXPIRES_S),
            ..PublishProperties::default()
        };
        let topic = Topic::new(&self.machine, TopicKind::Request).to_string();
        let payload = self.request.encode();
        let sent = self.client.try_publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties);
        sent.map_err(|error| error.to_string())
    }

    /// What a message says of this capture; nothing that another capture, or nobody, asked for.
    fn understand(&self, publish: &Publish) -> Option<Heard> {
        let topic = std::str::from_utf8(&publish.topic).ok()?;
        if Topic::parse(topic).is_ok_and(|topic| topic.kind == TopicKind::Status) {
            let status = Status::decode(&publish.payload).ok()?;
            return (status.link == Link::Offline).then_some(Heard::Offline);
        }
        let correlation = publish.properties.as_ref().and_then(|properties| properties.correlation_data.as_deref());
        if correlation.is_some_and(|correlation| correlation != self.request.request.as_bytes()) {
            return None;
        }
        let answer = Answer::decode(&publish.payload).ok()?;
        (answer.request() == self.request.request).then_some(Heard::Answer(answer))
    }
}
