//! Diagnostic capture: a machine is asked for chosen signals at up to 10 Hz for up to 10 minutes.
//!
//! ```text
//! enter in the store ▶ ask (MQTT 5: response topic, correlation) ▶ accepted ▶ progress … ▶ done
//!                                                              └▶ refused, or silence
//! ```
//!
//! Only the conversation is here. The records of a capture are telemetry like any other and come in by ingest; an answer
//! tells which they are. Whoever asks has been authorised before; the store keeps who it was and what came of it.

mod listen;

use std::time::Duration;

use rand::TryRngCore;
use rand::rngs::OsRng;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};
use wire::{Answer, Captured, MachineSerial, Refusal, Request};

use crate::config::Mqtt;
use crate::store::{self, CaptureState, NewCapture, Pool, Reach, StoreError};
use listen::{Heard, Listener};

/// How long a machine that is there may take to say whether it will.
const FIRST_ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// Silence after which a capture that had begun counts as given up; progress comes every few seconds.
const SILENCE_PATIENCE: Duration = Duration::from_secs(60);
/// How long a capture may take beyond its duration: the last records are numbered, the answer travels.
const OVERTIME: Duration = Duration::from_secs(60);

/// A capture that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which machine.
    pub machine: MachineSerial,
    /// Signals by name.
    pub signals: Vec<String>,
    /// Samples a second.
    pub rate_hz: f32,
    /// Seconds.
    pub duration_s: u32,
    /// Name of the token or the user; for the audit.
    pub asked_by: String,
    /// Whose machines that one may ask.
    pub reach: Reach,
}

/// A capture that is entered and about to be asked for.
#[derive(Debug, Clone)]
pub struct Entered {
    /// What will be sent.
    pub request: Request,
    /// The machine.
    pub machine: MachineSerial,
    /// Its number.
    pub machine_id: i64,
}

/// What becomes known on the way.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// The request is out.
    Asked,
    /// The machine has begun.
    Accepted {
        /// Samples to come.
        samples_expected: u32,
        /// Signals that it does not report.
        missing: Vec<String>,
    },
    /// So much is recorded.
    Progress(Captured),
}

/// How a capture ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All that will be recorded is.
    Done(Captured),
    /// The machine will not.
    Refused {
        /// Why, for programs.
        reason: Refusal,
        /// Why, for people.
        detail: String,
    },
    /// The machine is switched off or out of reach: it would not hear of the request.
    Offline,
    /// No answer, or none for a long time; what was recorded until then.
    Silent(Option<Captured>),
}

/// Why a capture cannot even be asked for.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A bound is broken or a signal unknown.
    #[error("{0}")]
    Malformed(String),
    /// The machine is in no registry.
    #[error("machine {0} is not known; `polevod status` lists the fleet")]
    UnknownMachine(MachineSerial),
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker cannot be reached, or refuses.
    #[error("{0}")]
    Broker(String),
}

/// Checks a capture and enters it. From here on it is known who wanted it.
///
/// # Errors
/// [`CaptureError`]; nothing was entered.
pub async fn enter(pool: &Pool, wanted: &Wanted) -> Result<Entered, CaptureError> {
    let request = Request {
        request: new_identity()?,
        signals: wanted.signals.clone(),
        rate_hz: wanted.rate_hz,
        duration_s: wanted.duration_s,
    };
    // What the machine would refuse is refused here, by the same rules.
    let request = Request::decode(&request.encode()).map_err(|error| CaptureError::Malformed(error.to_string()))?;
    let client = pool.get().await?;
    let machine = store::machine_by_serial(&*client, wanted.reach, wanted.machine.as_str()).await?;
    let machine_id = machine.ok_or_else(|| CaptureError::UnknownMachine(wanted.machine.clone()))?.machine_id;
    let new = NewCapture {
        request: &request.request,
        machine_id,
        asked_by: &wanted.asked_by,
        signals: &request.signals,
        rate_hz: request.rate_hz,
        duration_s: request.duration_s,
    };
    store::enter_capture(&client, &new).await?;
    info!(
        machine.id = %wanted.machine, capture.request = request.request, asked_by = wanted.asked_by,
        "{} asks {} for a capture of {} signals", wanted.asked_by, wanted.machine, request.signals.len()
    );
    Ok(Entered { request, machine: wanted.machine.clone(), machine_id })
}

/// Asks the machine and listens until the capture has ended, one way or another; every step is noted in the store.
///
/// # Errors
/// [`CaptureError::Broker`] when the request cannot be sent, [`CaptureError::Store`] when a step cannot be noted.
pub async fn run(
    pool: &Pool,
    mqtt: &Mqtt,
    entered: &Entered,
    mut on_news: impl FnMut(News),
) -> Result<Outcome, CaptureError> {
    let request = entered.request.request.as_str();
    let outcome = converse(pool, mqtt, entered, &mut on_news).await;
    let (state, detail, captured) = match &outcome {
        Ok(Outcome::Done(captured)) => (CaptureState::Done, None, Some(*captured)),
        Ok(Outcome::Refused { detail, .. }) => (CaptureState::Refused, Some(detail.clone()), None),
        Ok(Outcome::Offline) => (CaptureState::Silent, Some("the machine is offline".into()), None),
        Ok(Outcome::Silent(captured)) => (CaptureState::Silent, None, *captured),
        Err(error) => (CaptureState::Failed, Some(error.to_string()), None),
    };
    let client = pool.get().await?;
    store::note_capture(&client, request, state, detail.as_deref(), &[], captured.as_ref()).await?;
    outcome
}

async fn converse(
    pool: &Pool,
    mqtt: &Mqtt,
    entered: &Entered,
    on_news: &mut impl FnMut(News),
) -> Result<Outcome, CaptureError> {
    let mut listener = Listener::start(mqtt, &entered.machine, &entered.request).map_err(broker)?;
    let duration = Duration::from_secs(entered.request.duration_s.into());
    let mut captured = None;
    let mut is_accepted = false;
    let mut patience = Instant::now() + FIRST_ANSWER_PATIENCE;
    let mut end = Instant::now() + duration + FIRST_ANSWER_PATIENCE + OVERTIME;
    loop {
        let Ok(heard) = timeout_at(patience.min(end), listener.hear()).await else {
            return Ok(Outcome::Silent(captured));
        };
        match heard.map_err(broker)? {
            Heard::Asked => on_news(News::Asked),
            // Machines that are off keep their place in a capture; only one that has not begun is not waited for.
            Heard::Offline if !is_accepted => return Ok(Outcome::Offline),
            Heard::Offline => {}
            Heard::Answer(answer) => {
                patience = Instant::now() + SILENCE_PATIENCE;
                match answer {
                    Answer::Accepted { samples_expected, missing, .. } => {
                        if !is_accepted {
                            end = Instant::now() + duration + OVERTIME;
                            note(pool, entered, &missing, None).await?;
                            on_news(News::Accepted { samples_expected, missing });
                        }
                        is_accepted = true;
                    }
                    Answer::Progress { captured: so_far, .. } => {
                        is_accepted = true;
                        captured = Some(so_far);
                        note(pool, entered, &[], captured.as_ref()).await?;
                        on_news(News::Progress(so_far));
                    }
                    Answer::Done { captured, .. } => return Ok(Outcome::Done(captured)),
                    Answer::Refused { reason, detail, .. } => return Ok(Outcome::Refused { reason, detail }),
                }
            }
        }
    }
}

async fn note(
    pool: &Pool,
    entered: &Entered,
    missing: &[String],
    captured: Option<&Captured>,
) -> Result<(), CaptureError> {
    let client = pool.get().await?;
    let request = &entered.request.request;
    store::note_capture(&client, request, CaptureState::Accepted, None, missing, captured).await?;
    Ok(())
}

fn broker(error: impl std::fmt::Display) -> CaptureError {
    warn!("capture: {error}");
    CaptureError::Broker(error.to_string())
}

/// An identity that nobody else uses.
fn new_identity() -> Result<String, CaptureError> {
    let mut random = [0; 12];
    OsRng
        .try_fill_bytes(&mut random)
        .map_err(|error| CaptureError::Malformed(format!("no random numbers: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
