//! How long a sample takes from its unit until it can be queried, at half of what ingest can take in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use indicatif::ProgressBar;
use polevod::config::MqttUrl;
use polevod::ingest::RawMessage;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Event, EventLoop};
use tokio::sync::mpsc;
use tokio::time::Instant;
use wire::{Stored, TopicKind};

use crate::report::{Goal, Report};
use crate::server::Server;
use crate::service::Service;
use crate::{publisher, workload};

const SAMPLES_A_FRAME: usize = 20;
/// The first seconds fill caches and make the day's chunk; they are not measured.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(15);
/// Where the greatest load was not measured in the same run.
const SAMPLES_PER_S_ASSUMED: f64 = 100_000.0;
/// Frames leave in bursts of this rhythm: many machines do not take turns neatly.
const TICK: Duration = Duration::from_millis(5);
/// How long after the last frame an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn measure(
    server: &mut Server<'_>,
    samples_per_s_max: Option<f64>,
    progress: &ProgressBar,
    report: &mut Report,
) -> anyhow::Result<()> {
    progress.set_message("freshness at half load");
    let samples_per_s = samples_per_s_max.unwrap_or(2.0 * SAMPLES_PER_S_ASSUMED) / 2.0;
    let frames_per_s = samples_per_s / SAMPLES_A_FRAME as f64;
    let frames = (frames_per_s * (WARM_UP + MEASURED).as_secs_f64()) as usize;
    let messages = workload::messages(frames * SAMPLES_A_FRAME, SAMPLES_A_FRAME);
    server.empty()?;
    let service = Service::ready(server)?;
    let mut waits = server.runtime.block_on(drive(&server.config.mqtt.url, messages, frames_per_s))?;
    drop(service);
    waits.sort_unstable();
    let at = |share: f64| {
        let index = (waits.len().saturating_sub(1) as f64 * share).round() as usize;
        waits.get(index).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3)
    };
    let remark =
        format!("{:.0} k samples/s; until the machine was told, so a little more than queryable", samples_per_s / 1e3);
    report.figure("freshness p99 at half load", at(0.99), "ms", Goal::AtMost(500.0), remark);
    report.remark("freshness p50 at half load", at(0.5), "ms", format!("{} frames", waits.len()));
    Ok(())
}

/// Publishes at a steady rate and returns how long each measured frame took to be confirmed.
async fn drive(broker: &MqttUrl, messages: Vec<RawMessage>, frames_per_s: f64) -> anyhow::Result<Vec<Duration>> {
    let (client, eventloop) = publisher::connect(broker, "bench-fleet", true);
    client.subscribe(TopicKind::Stored.filter(), QoS::AtMostOnce).await?;
    let (answers, mut answered) = mpsc::unbounded_channel();
    let poll = tokio::spawn(listen(eventloop, answers));
    let began = Instant::now();
    let expected = messages.len();
    let mut outstanding = Outstanding::default();
    let mut messages = messages.into_iter();
    let mut sent = 0;
    let mut tick = tokio::time::interval(TICK);
    let mut last_sent = began;
    while outstanding.confirmed < expected && last_sent.elapsed() < PATIENCE {
        tokio::select! {
            answer = answered.recv() => match answer {
                Some((topic, stored, at)) => outstanding.confirm(&topic, &stored, at, began + WARM_UP),
                None => break,
            },
            _ = tick.tick(), if sent < expected => {
                let due = (began.elapsed().as_secs_f64() * frames_per_s) as usize;
                for message in messages.by_ref().take(due.saturating_sub(sent)) {
                    outstanding.sent(&message.topic);
                    sent += 1;
                    last_sent = Instant::now();
                    client.publish_bytes(message.topic, QoS::AtLeastOnce, false, message.payload).await?;
                }
            }
        }
    }
    poll.abort();
    anyhow::ensure!(outstanding.confirmed == expected, "{} of {expected} frames were confirmed", outstanding.confirmed);
    Ok(outstanding.waits)
}

type Answer = (String, Stored, Instant);

async fn listen(mut eventloop: EventLoop, answers: mpsc::UnboundedSender<Answer>) -> anyhow::Result<()> {
    loop {
        if let Event::Incoming(Packet::Publish(publish)) = eventloop.poll().await? {
            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
            // What the service says is checked by its tests.
            if let Ok(stored) = Stored::decode(&publish.payload)
                && answers.send((topic, stored, Instant::now())).is_err()
            {
                return Ok(());
            }
        }
    }
}

/// Frames that are on their way, by machine.
#[derive(Default)]
struct Outstanding {
    machines: HashMap<String, Sent>,
    confirmed: usize,
    waits: Vec<Duration>,
}

#[derive(Default)]
struct Sent {
    /// Sequence after the last sample sent.
    end: u64,
    /// End of each frame, and when it left.
    frames: VecDeque<(u64, Instant)>,
}

impl Outstanding {
    fn sent(&mut self, topic: &str) {
        let machine = machine_of(topic);
        if !self.machines.contains_key(machine) {
            self.machines.insert(machine.to_owned(), Sent::default());
        }
        let sent = self.machines.get_mut(machine).expect("entered just now");
        sent.end += SAMPLES_A_FRAME as u64;
        sent.frames.push_back((sent.end, Instant::now()));
    }

    fn confirm(&mut self, topic: &str, stored: &Stored, at: Instant, measured_from: Instant) {
        let Some(sent) = self.machines.get_mut(machine_of(topic)) else { return };
        while sent.frames.front().is_some_and(|(end, _)| *end <= stored.contiguous_end) {
            let Some((_, left_at)) = sent.frames.pop_front() else { break };
            self.confirmed += 1;
            if left_at >= measured_from {
                self.waits.push(at - left_at);
            }
        }
    }
}

fn machine_of(topic: &str) -> &str {
    topic.rsplit_once('/').map_or(topic, |(machine, _)| machine)
}
