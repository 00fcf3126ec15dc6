//! The broker side: asked where MQTT 5 has an answer, tried where it has none.

use std::time::Duration;

use rand::Rng;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Packet};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};

use super::Finding;
use crate::config::Mqtt;
use crate::ingest::connection_options;

const SUBJECT: &str = "broker";
/// Messages published for a session that is away. Mosquitto's default limit is 1,000.
const TRIAL_MESSAGES: usize = 1_500;
/// How long each step of the trial may take.
const STEP_PATIENCE: Duration = Duration::from_secs(10);
/// Silence after which nothing more is expected.
const SILENCE: Duration = Duration::from_millis(700);
/// How long the broker may keep the trial's session, should the trial break off.
const TRIAL_EXPIRY_S: u32 = 60;

pub(super) async fn examine(settings: &Mqtt) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !settings.url.tls && !is_loopback(&settings.url.host) {
        findings.push(Finding::note(
            SUBJECT,
            format!("the connection to {} is not encrypted", settings.url),
            "write mqtts:// in mqtt.url and set up TLS in the broker",
        ));
    }
    let outcome = async {
        let trial = Trial::new(settings)?;
        findings.extend(trial.ask(settings).await?);
        trial.run(settings).await
    };
    match outcome.await {
        Ok(more) => findings.extend(more),
        Err(problem) => findings.push(Finding::bad(
            SUBJECT,
            format!("{}: {problem}", settings.url),
            "check mqtt.url, user, password and certificates, and that the broker runs and speaks MQTT 5",
        )),
    }
    findings
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A subscription of its own, for which messages are left while it is away.
struct Trial {
    options: MqttOptions,
    topic: String,
}

/// What the subscriber of a trial found when it came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    /// Messages sent before the first was acknowledged.
    ahead: usize,
    /// Messages in all.
    total: usize,
}

impl Trial {
    fn new(settings: &Mqtt) -> Result<Self, String> {
        let number: u64 = rand::rng().random();
        let mut options = connection_options(settings).map_err(|error| error.to_string())?;
        options.set_client_id(format!("polevod-doctor-{number:016x}"));
        options.set_connect_properties(ConnectProperties {
            session_expiry_interval: Some(TRIAL_EXPIRY_S),
            receive_maximum: u16::try_from(settings.receive_maximum).ok(),
            ..ConnectProperties::new()
        });
        Ok(Self { options, topic: format!("polevod/doctor/{number:016x}") })
    }

    /// What the broker says of itself when we connect.
    async fn ask(&self, settings: &Mqtt) -> Result<Vec<Finding>, String> {
        let (client, mut events) = self.connect(true);
        let answer = until(&mut events, |packet| match packet {
            Packet::ConnAck(ack) => Some(ack.properties.clone()),
            _ => None,
        })
        .await?;
        leave(client, events).await;
        let mut findings = vec![Finding::good(SUBJECT, format!("{} speaks MQTT 5", settings.url))];
        let Some(answer) = answer else { return Ok(findings) };
        let frame = u32::try_from(wire::limits::MAX_FRAME_BYTES).unwrap_or(u32::MAX);
        if let Some(bytes) = answer.max_packet_size.filter(|bytes| *bytes < frame) {
            findings.push(Finding::bad(
                SUBJECT,
                format!("takes packets of at most {bytes} bytes"),
                format!("allow {} bytes (Mosquitto: max_packet_size): machines send frames that long", frame + 4096),
            ));
        }
        if answer.max_qos == Some(0) {
            findings.push(Finding::bad(SUBJECT, "knows no QoS 1", "use a broker that confirms messages"));
        }
        if answer.retain_available == Some(0) {
            findings.push(Finding::bad(
                SUBJECT,
                "keeps no retained messages",
                "allow them (Mosquitto: retain_available true): the link state of machines is retained",
            ));
        }
        if answer.shared_subscription_available == Some(0) && !settings.share_group.is_empty() {
            findings.push(Finding::bad(
                SUBJECT,
                "knows no shared subscriptions, and mqtt.share_group names one",
                "run one ingest process without mqtt.share_group, or another broker",
            ));
        }
        if let Some(seconds) = answer.session_expiry_interval.filter(|seconds| *seconds < TRIAL_EXPIRY_S) {
            findings.push(Finding::bad(
                SUBJECT,
                format!("forgets sessions after {seconds} s"),
                "let it keep persistent sessions for days (Mosquitto: persistent_client_expiration)",
            ));
        }
        Ok(findings)
    }

    /// Subscribes, goes away, lets messages arrive, comes back and counts.
    async fn run(&self, settings: &Mqtt) -> Result<Vec<Finding>, String> {
        let (client, mut events) = self.connect(true);
        connected(&mut events).await?;
        client.subscribe(&self.topic, QoS::AtLeastOnce).await.map_err(|error| error.to_string())?;
        until(&mut events, |packet| matches!(packet, Packet::SubAck(_)).then_some(())).await?;
        leave(client, events).await;
        self.publish().await?;
        let kept = self.count().await;
        // The session goes whatever was found: a clean start with no expiry ends it.
        let mut options = self.options.clone();
        options.set_clean_start(true);
        options.set_connect_properties(ConnectProperties::new());
        let (client, mut events) = AsyncClient::new(options, 10);
        connected(&mut events).await?;
        leave(client, events).await;
        Ok(judge(kept?, settings.receive_maximum as usize))
    }

    fn connect(&self, clean_start: bool) -> (AsyncClient, EventLoop) {
        let mut options = self.options.clone();
        options.set_clean_start(clean_start);
        AsyncClient::new(options, 2 * TRIAL_MESSAGES)
    }

    async fn publish(&self) -> Result<(), String> {
        let mut options = self.options.clone();
        options.set_client_id(format!("{}-publisher", options.client_id()));
        options.set_clean_start(true);
        options.set_connect_properties(ConnectProperties::new());
        let (client, mut events) = AsyncClient::new(options, 2 * TRIAL_MESSAGES);
        connected(&mut events).await?;
        for _ in 0..TRIAL_MESSAGES {
            client.publish(&self.topic, QoS::AtLeastOnce, false, "trial").await.map_err(|error| error.to_string())?;
        }
        let mut confirmed = 0;
        until(&mut events, |packet| {
            confirmed += usize::from(matches!(packet, Packet::PubAck(_)));
            (confirmed == TRIAL_MESSAGES).then_some(())
        })
        .await?;
        leave(client, events).await;
        Ok(())
    }

    async fn count(&self) -> Result<Kept, String> {
        let (client, mut events) = self.connect(false);
        connected(&mut events).await?;
        let ahead = arrived(&mut events).await?;
        let mut kept = Kept { ahead: ahead.len(), total: 0 };
        let mut news = ahead;
        while !news.is_empty() && kept.total < TRIAL_MESSAGES {
            kept.total += news.len();
            for publish in &news {
                client.ack(publish).await.map_err(|error| error.to_string())?;
            }
            news = arrived(&mut events).await?;
        }
        leave(client, events).await;
        Ok(kept)
    }
}

fn judge(kept: Kept, receive_maximum: usize) -> Vec<Finding> {
    let away = format!("kept {} of {TRIAL_MESSAGES} messages for a session that was away", kept.total);
    let wanted = receive_maximum.min(TRIAL_MESSAGES).min(kept.total);
    let ahead = format!("sends {} messages ahead of the first acknowledgement", kept.ahead);
    vec![
        if kept.total >= TRIAL_MESSAGES {
            Finding::good(SUBJECT, away)
        } else {
            Finding::bad(
                SUBJECT,
                away,
                "let it queue without a limit in number (Mosquitto: max_queued_messages 0, and a bound in bytes by \
                 max_queued_bytes); machines send again what is lost, which takes their airtime",
            )
        },
        if kept.ahead >= wanted {
            Finding::good(SUBJECT, ahead)
        } else {
            Finding::note(
                SUBJECT,
                ahead,
                format!("let it send mqtt.receive_maximum = {receive_maximum} (Mosquitto: max_inflight_messages)"),
            )
        },
        Finding::note(
            SUBJECT,
            "whether it keeps sessions over a restart cannot be asked over MQTT",
            "Mosquitto: persistence true, with a persistence_location on a disk that stays",
        ),
    ]
}

async fn connected(events: &mut EventLoop) -> Result<(), String> {
    until(events, |packet| matches!(packet, Packet::ConnAck(_)).then_some(())).await
}

/// Polls until a packet gives what is wanted.
async fn until<T>(events: &mut EventLoop, mut wanted: impl FnMut(&Packet) -> Option<T>) -> Result<T, String> {
    let wait = async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(packet)) => {
                    if let Some(found) = wanted(&packet) {
                        return Ok(found);
                    }
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    tokio::time::timeout(STEP_PATIENCE, wait)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", STEP_PATIENCE.as_secs())))
}

/// Messages that arrive before a silence.
async fn arrived(events: &mut EventLoop) -> Result<Vec<rumqttc::v5::mqttbytes::v5::Publish>, String> {
    let mut news = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, events.poll()).await {
            Err(_) => return Ok(news),
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => news.push(publish),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// Takes leave; what is still on its way out gets out.
async fn leave(client: AsyncClient, mut events: EventLoop) {
    if client.disconnect().await.is_ok() {
        let _ = tokio::time::timeout(SILENCE, async { while events.poll().await.is_ok() {} }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_broker_with_default_limits_is_told_apart() {
        let lines = |kept| {
            let findings = judge(kept, 1_024);
            findings.iter().map(|f| format!("{:?} {}", f.weight, f.found)).collect::<Vec<_>>().join("\n")
        };
        expect![[r#"
            Bad kept 1020 of 1500 messages for a session that was away
            Note sends 20 messages ahead of the first acknowledgement
            Note whether it keeps sessions over a restart cannot be asked over MQTT"#]]
        .assert_eq(&lines(Kept { ahead: 20, total: 1_020 }));
        expect![[r#"
            Good kept 1500 of 1500 messages for a session that was away
            Good sends 1024 messages ahead of the first acknowledgement
            Note whether it keeps sessions over a restart cannot be asked over MQTT"#]]
        .assert_eq(&lines(Kept { ahead: 1_024, total: 1_500 }));
    }
}
