//! The loader by itself: decoded batches in, committed rows out, over one connection.

use std::time::Instant;

use anyhow::{bail, ensure};
use polevod::ingest::{Item, RawMessage, Rules, prepare};
use polevod::store::{self, Batch, Session, Settings};

use crate::server::{Server, Spent};

/// Decodes messages into batches of about `samples`, in order of arrival.
pub(crate) fn batches(messages: Vec<RawMessage>, samples: usize, rules: &Rules) -> anyhow::Result<Vec<Batch>> {
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    for message in messages {
        match prepare(message, rules) {
            Item::Run(run) => batch.runs.push(run),
            other => bail!("a message of our own making was refused: {other:?}"),
        }
        if batch.records() >= samples {
            batches.push(std::mem::take(&mut batch));
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    Ok(batches)
}

/// Loads the batches one after another; the connection is not counted.
pub(crate) fn load(server: &Server<'_>, batches: &[Batch]) -> anyhow::Result<Spent> {
    let settings = Settings {
        register_unknown_machines: true,
        late_after_ms: i64::from(server.config.clock.late_after_s) * 1_000,
        zone: server.config.clock.zone.0.clone(),
        payload_bytes_max: server.config.quarantine.payload_bytes_max as usize,
        without_ledger: false,
    };
    server.runtime.block_on(async {
        let mut session = Session::connect(&server.config.database).await?;
        let began = Instant::now();
        let mut stored = 0;
        for batch in batches {
            stored += store::load(&mut session, batch, &settings).await?.stored;
        }
        let took = began.elapsed();
        let records: usize = batches.iter().map(Batch::records).sum();
        ensure!(stored == records as u64, "{stored} of {records} samples were new: the store was not empty");
        Ok(Spent { took, cpu: server.other_backend_cpu().await? })
    })
}
