//! Recomputing a stored machine-day against reading it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use indicatif::ProgressBar;
use polevod::ingest::{Item, RawMessage, Rules, prepare};
use polevod::store::{self, Batch, Session, Settings};
use wire::{Body, BootId, Compression, Frame, Header, MachineSerial, columns_of};

use crate::fold::drive::{DAY_STARTS_MS, FULL_DAY};
use crate::report::{Goal, Report, median};
use crate::server::Server;

const DAY_MS: i64 = 86_400_000;
const FRAME_SAMPLES: usize = 400;
/// Longest payload that is kept of what cannot be read; nothing of it can be.
const PAYLOAD_BYTES_MAX: usize = 1024;

pub(crate) fn measure(
    server: &Server<'_>,
    rounds: usize,
    progress: &ProgressBar,
    report: &mut Report,
) -> anyhow::Result<()> {
    progress.set_message("recomputing a day");
    server.empty()?;
    let ratios = server.runtime.block_on(async {
        load(server).await?;
        let machine: i64 = server.client.query_one("select max(machine_id) from sample", &[]).await?.get(0);
        let period = DAY_STARTS_MS..DAY_STARTS_MS + DAY_MS;
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let began = Instant::now();
            let readings = store::readings(&server.client, machine, period.clone()).await?;
            ensure!(readings.len() == FULL_DAY.samples, "{} samples were read", readings.len());
            let reading = began.elapsed();
            store::mark(&server.client, machine, period.start..=period.end - 1).await?;
            let began = Instant::now();
            polevod::recompute::catch_up(&server.config).await?;
            ratios.push((reading, began.elapsed()));
        }
        anyhow::Ok(ratios)
    })?;
    let ms = |of: fn(&(Duration, Duration)) -> Duration| median(ratios.iter().map(|pair| of(pair).as_secs_f64() * 1e3));
    let remark =
        format!("{:.0} ms against {:.0} ms, {} samples", ms(|pair| pair.1), ms(|pair| pair.0), FULL_DAY.samples);
    let ratio = median(ratios.iter().map(|(reading, recomputing)| recomputing.as_secs_f64() / reading.as_secs_f64()));
    report.figure("a machine-day: recomputing / reading", ratio, "x", Goal::AtMost(2.0), remark);
    Ok(())
}

async fn load(server: &Server<'_>) -> anyhow::Result<()> {
    let serial = MachineSerial::parse("BENCH-DAY")?;
    let rules = Rules::of(&server.config.clock);
    let mut batch = Batch::default();
    for (number, samples) in FULL_DAY.records().chunks(FRAME_SAMPLES).enumerate() {
        let header = Header {
            machine: serial.clone(),
            boot: BootId::new(1).expect("fits"),
            first_sequence: (number * FRAME_SAMPLES) as u64,
            count: samples.len() as u32,
            age_ms: 0,
        };
        let frame = Frame { header, body: Body::Telemetry(columns_of(samples)) };
        let message = RawMessage {
            topic: format!("polevod/v1/{serial}/telemetry"),
            payload: Bytes::from(wire::encode(&frame, Compression::None)),
            received_at_ms: DAY_STARTS_MS + DAY_MS,
        };
        match prepare(message, &rules) {
            Item::Run(run) => batch.runs.push(run),
            other => anyhow::bail!("a message of our own making was refused: {other:?}"),
        }
    }
    let settings = Settings {
        register_unknown_machines: true,
        late_after_ms: 300_000,
        zone: server.config.clock.zone.0.clone(),
        payload_bytes_max: PAYLOAD_BYTES_MAX,
        without_ledger: false,
    };
    let mut session = Session::connect(&server.config.database).await?;
    store::load(&mut session, &batch, &settings).await?;
    Ok(())
}
