//! Memory of ingest while the database is away and the fleet does not care.

use std::time::Duration;

use indicatif::ProgressBar;
use jiff::Timestamp;
use polevod::ingest::RawMessage;
use wire::encode_json;

use crate::publisher;
use crate::report::{Goal, Report};
use crate::server::Server;
use crate::service::Service;
use crate::workload::{MACHINES, Unit};

/// JSON frames of this many samples come close to the longest frame there may be, 64 KiB.
const SAMPLES_A_FRAME: usize = 150;
/// Half as many again as there is room for, so that a part has to be left with the broker.
const FRAMES: usize = 2_000;
/// Memory grows until nothing more is taken in; this many equal readings in a row say that it is full.
const STEADY_READINGS: usize = 8;
const EVERY: Duration = Duration::from_millis(250);

pub(crate) fn measure(server: &mut Server<'_>, progress: &ProgressBar, report: &mut Report) -> anyhow::Result<()> {
    progress.set_message("memory while the database is away");
    server.empty()?;
    let service = Service::ready(server)?;
    server.stack.postgres.stop();
    let messages = large_frames();
    let bytes = messages[0].payload.len();
    server.runtime.block_on(publisher::publish(&server.config.mqtt.url, &messages))?;
    let mut readings = vec![service.memory_mib_max()?];
    while !is_steady(&readings) {
        std::thread::sleep(EVERY);
        readings.push(service.memory_mib_max()?);
    }
    let most = readings.last().copied().unwrap_or(f64::NAN);
    progress.set_message("working off what came meanwhile");
    server.stack.postgres.start_again()?;
    server.connect_again()?;
    server.wait_for_stored(FRAMES * SAMPLES_A_FRAME)?;
    let afterwards = service.memory_mib_max()?;
    let remark = format!("VmHWM under {FRAMES} frames of {bytes} B, close to the largest that are accepted");
    report.figure("memory of ingest, database away", most, "MiB", Goal::AtMost(128.0), remark);
    let remark = "all of it stored".into();
    report.figure("memory of ingest, working that off", afterwards, "MiB", Goal::AtMost(128.0), remark);
    Ok(())
}

fn is_steady(readings: &[f64]) -> bool {
    let last = readings.len().checked_sub(STEADY_READINGS).map(|from| &readings[from..]);
    last.is_some_and(|last| last.iter().all(|reading| reading == &last[0]))
}

fn large_frames() -> Vec<RawMessage> {
    let now_ms = Timestamp::now().as_millisecond();
    let mut units: Vec<_> = (0..MACHINES).map(Unit::new).collect();
    (0..FRAMES)
        .map(|number| {
            let unit = &mut units[number % MACHINES];
            let frame = unit.frame(SAMPLES_A_FRAME, now_ms - 1_000 * SAMPLES_A_FRAME as i64);
            RawMessage { topic: unit.topic(), payload: encode_json(&frame).into(), received_at_ms: now_ms }
        })
        .collect()
}
