//! `simulator capture`: frames without a broker, and captures of a running machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use simulator::fleet::Broker;
use simulator::settings::parse_duration;
use simulator::truth::TruthFiles;
use simulator::{Heard, Ledger, SimulatorError, rehearse, tls_config};
use toml::Value;
use wire::{Answer, MachineSerial, Request, Topic, TopicKind};

use super::overrides::FleetFlags;
use super::progress::{self, grouped};

/// How long nothing may be heard of a capture before it is given up.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a request may wait at the broker.
const EXPIRES_AFTER_S: u32 = 60;

/// Ways to capture.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the frames that units would keep to a file, without a broker.
    Frames(Box<FramesArguments>),
    /// Ask a running machine for some signals at a higher rate, and show its answers.
    Ask(AskArguments),
}

/// What `capture frames` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator capture frames --for 1h frames.ledger                        the default fleet, one hour
  simulator capture frames --from 2026-08-20 --to 2026-08-21 day.ledger  a day
  simulator capture frames --for 10m --truth truth frames.ledger

The same settings and times write the same bytes. The file is a ledger as `run --ledger` writes: PVLEDG1, then an entry
for each frame (docs/simulator.md). Frames are uncompressed, with age 0.")]
pub(super) struct FramesArguments {
    /// The file to write; it must not exist.
    file: PathBuf,
    #[command(flatten)]
    fleet: FleetFlags,
    /// Simulated time to capture, from the beginning: 10m, 1h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    run_for: Option<Duration>,
    /// A new folder for truth files.
    #[arg(long, value_name = "FOLDER")]
    truth: Option<PathBuf>,
}

/// Writes frames without a broker.
pub(super) fn frames(arguments: &FramesArguments) -> anyhow::Result<ExitCode> {
    let mut config = arguments.fleet.settings(vec![("time.accelerate", Value::from(1.0))])?.fleet(super::now())?;
    if let Some(run_for) = arguments.run_for {
        config.until = Some(config.starts_at.checked_add(SignedDuration::try_from(run_for)?)?);
    }
    if config.until.is_none() {
        bail!("a capture without a broker needs an end: give --for, as --for 1h, or --to");
    }
    if arguments.file.exists() {
        bail!("{} exists; give a new file", arguments.file.display());
    }
    let ledger = Ledger::open(&arguments.file)?;
    let truth = arguments.truth.as_deref().map(TruthFiles::create).transpose()?;
    let bar = progress::bar(Some(config.machines as u64), "machines");
    let made = rehearse(&config, |heard| {
        match heard {
            Heard::Frame(_, frame) => {
                ledger.append_run(frame);
                ledger.wait_for_room();
            }
            Heard::Truth(machine, events) => {
                if let Some(truth) = &truth {
                    truth.add(machine, events);
                    truth.wait_for_room();
                }
            }
            Heard::MachineDone => bar.inc(1),
        }
        Ok::<_, SimulatorError>(())
    })?;
    bar.finish_and_clear();
    if let Some(reason) = truth.as_ref().and_then(TruthFiles::failed) {
        bail!("the run has no truth: {reason}");
    }
    drop((ledger, truth));
    // Read back, so that a full disk does not go unnoticed.
    let written = Ledger::read(&arguments.file)?.recorded();
    let records = made.samples + made.faults + made.tasks - made.lost;
    println!(
        "{}: {} records in {} frames, {} bytes",
        arguments.file.display(),
        grouped(records),
        grouped(made.frames),
        grouped(made.bytes)
    );
    if written != records {
        bail!("only {written} of {records} records are in the file; is the disk full?");
    }
    Ok(ExitCode::SUCCESS)
}

/// What `capture ask` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  simulator capture ask SIM-gs12-00003 --signals engine_speed_rpm,coolant_temp_c --rate 5 --for 60s

The captured samples are telemetry like any other: they are in the store, under the numbers that the last answer names.
Names of signals stand in docs/wire-format.md, section 19.")]
pub(super) struct AskArguments {
    /// Serial of the machine.
    machine: MachineSerial,
    /// Signals, by name.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    signals: Vec<String>,
    /// Samples a second, up to 10.
    #[arg(long, value_name = "HZ", default_value_t = 5.0)]
    rate: f32,
    /// How long, up to 600s, by the machine's time.
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    duration: Duration,
    /// Where the broker is.
    #[arg(long, value_name = "URL", env = "POLEVOD_MQTT_URL")]
    broker: String,
    /// PEM file with the authorities that may vouch for the broker, for mqtts.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Asks a machine for a capture, and prints its answers as they come.
pub(super) async fn ask(arguments: AskArguments) -> anyhow::Result<ExitCode> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let desk = format!("simulator-{}-{}", std::process::id(), Timestamp::now().as_millisecond());
    let request = Request {
        request: desk.clone(),
        signals: arguments.signals.clone(),
        rate_hz: arguments.rate,
        duration_s: u32::try_from(arguments.duration.as_secs()).unwrap_or(u32::MAX),
    };
    // The machine would say the same, but later.
    let message = request.encode();
    Request::decode(&message)?;
    let broker: Broker = arguments.broker.parse()?;
    let mut options = MqttOptions::new(&desk, &broker.host, broker.port);
    if let Some((user, password)) = &broker.credentials {
        options.set_credentials(user, password);
    }
    if broker.tls {
        let tls = tls_config(arguments.ca_file.as_deref(), None)?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))));
    }
    let (client, mut event_loop) = AsyncClient::new(options, 10);
    let listen = format!("{}/{desk}", Topic::new(&arguments.machine, TopicKind::Answer));
    client.try_subscribe(&listen, QoS::AtLeastOnce)?;
    loop {
        let event = tokio::time::timeout(SILENCE_MAX, event_loop.poll()).await;
        let event = event.with_context(|| {
            format!("{} does not answer; is it on line, and does its firmware capture?", arguments.machine)
        })?;
        match event.with_context(|| format!("the broker {} does not take us", arguments.broker))? {
            Event::Incoming(Packet::SubAck(_)) => {
                let properties = PublishProperties {
                    response_topic: Some(listen.clone()),
                    correlation_data: Some(desk.clone().into()),
                    message_expiry_interval: Some(EXPIRES_AFTER_S),
                    ..PublishProperties::default()
                };
                let topic = Topic::new(&arguments.machine, TopicKind::Request).to_string();
                client.try_publish_with_properties(topic, QoS::AtLeastOnce, false, message.clone(), properties)?;
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let answer = Answer::decode(&publish.payload)?;
                println!("{}", String::from_utf8_lossy(&publish.payload));
                match answer {
                    Answer::Done { .. } => return Ok(ExitCode::SUCCESS),
                    Answer::Refused { .. } => return Ok(ExitCode::FAILURE),
                    Answer::Accepted { .. } | Answer::Progress { .. } => {}
                }
            }
            _ => {}
        }
    }
}
