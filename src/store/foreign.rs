//! Readings of other makers' servers: numbered here, then stored as a machine's own would be.

use std::collections::HashMap;

use bytes::Bytes;
use tokio_postgres::Client;
use wire::{BootId, Encoding, MachineSerial, Sample, columns_of};

use super::StoreError;
use super::instant::Instant;
use super::load::{Batch, Loaded, Prepared, Records, Run, Settings, load};
use super::session::Session;

/// First half of the advisory lock that keeps two imports from numbering one machine at a time.
const LOCK_CLASS: i32 = 0x666f_7265;

/// A machine as another server tells it.
#[derive(Debug, Clone)]
pub struct ForeignMachine {
    /// Its serial in our fleet.
    pub machine: MachineSerial,
    /// Who built it.
    pub maker: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// One boot for all that servers tell of it.
    pub boot: BootId,
    /// What it reported, one sample for each time, values of one signal once.
    pub samples: Vec<Sample>,
}

/// Stores what is new of `machines`; what is there already changes nothing. Names and models are taken where none are
/// known: what people or the machine itself said counts more.
///
/// # Errors
/// [`StoreError`]; repeating the import after any of them is harmless.
pub async fn import_foreign(
    session: &mut Session,
    machines: &[ForeignMachine],
    settings: &Settings,
    received_at_ms: i64,
) -> Result<Loaded, StoreError> {
    let Session { client, registry, .. } = &mut *session;
    registry.resolve(client, machines.iter().map(|machine| &machine.machine), true).await?;
    let mut batch = Batch::default();
    for machine in machines {
        let Some(machine_id) = registry.find(&machine.machine) else { continue };
        client
            .execute(
                "update machine set maker = coalesce(maker, $2), model = coalesce(model, $3), name = coalesce(name, $4)
                 where machine_id = $1",
                &[&machine_id, &machine.maker, &machine.model, &machine.name],
            )
            .await?;
        let sequences = number(client, machine_id, machine).await?;
        let mut numbered: Vec<(i64, &Sample)> = sequences.into_iter().zip(&machine.samples).collect();
        numbered.sort_unstable_by_key(|(sequence, _)| *sequence);
        numbered.dedup_by_key(|(sequence, _)| *sequence);
        // A frame holds consecutive numbers.
        for run in numbered.chunk_by(|(a, _), (b, _)| a + 1 == *b) {
            batch.runs.push(Run::whole(prepared(machine, run, received_at_ms)));
        }
    }
    if batch.is_empty() {
        return Ok(Loaded::default());
    }
    load(session, &batch, settings).await
}

/// The sequence number of each sample: the one it was given before, or the next.
async fn number(client: &mut Client, machine_id: i64, machine: &ForeignMachine) -> Result<Vec<i64>, StoreError> {
    let boot_id = machine.boot.as_i64();
    let times: Vec<Instant> = machine.samples.iter().map(|sample| Instant(sample.recorded_at_ms)).collect();
    let contents: Vec<String> = machine.samples.iter().map(content).collect();
    let transaction = client.transaction().await?;
    // A collision of the folded number costs a wait, nothing else.
    let key = (machine_id ^ (machine_id >> 32)) as i32;
    transaction.execute("select pg_advisory_xact_lock($1, $2)", &[&LOCK_CLASS, &key]).await?;
    transaction
        .execute(
            "with given as (select distinct recorded_at, content
                            from unnest($3::timestamptz[], $4::text[]) as given (recorded_at, content)),
                  new as (select recorded_at, content, row_number() over (order by recorded_at, content) - 1 as place
                          from given
                          where not exists (select from foreign_reading as known
                                            where known.machine_id = $1 and known.boot_id = $2
                                              and known.recorded_at = given.recorded_at
                                              and known.content = given.content))
             insert into foreign_reading (machine_id, boot_id, recorded_at, content, sequence)
             select $1, $2, recorded_at, content,
                    place + (select coalesce(max(sequence) + 1, 0) from foreign_reading
                             where machine_id = $1 and boot_id = $2)
             from new",
            &[&machine_id, &boot_id, &times, &contents],
        )
        .await?;
    let rows = transaction
        .query(
            "select recorded_at, content, sequence from foreign_reading
             where machine_id = $1 and boot_id = $2 and recorded_at = any ($3)",
            &[&machine_id, &boot_id, &times],
        )
        .await?;
    transaction.commit().await?;
    let known: HashMap<(i64, String), i64> =
        rows.iter().map(|row| ((row.get::<_, Instant>(0).0, row.get(1)), row.get(2))).collect();
    let found = times.iter().zip(contents).map(|(at, content)| {
        known.get(&(at.0, content)).copied().ok_or_else(|| StoreError::Row {
            table: "foreign_reading",
            message: format!("machine {machine_id} at {}: written just now and not there", at.0),
        })
    });
    found.collect()
}

/// What tells a reading from another at the same time.
fn content(sample: &Sample) -> String {
    let mut values = sample.values.clone();
    values.sort_unstable();
    let values = values.iter().map(|(signal, raw)| format!("{}={raw}", signal.number()));
    values.collect::<Vec<_>>().join(",")
}

fn prepared(machine: &ForeignMachine, run: &[(i64, &Sample)], received_at_ms: i64) -> Prepared {
    let samples: Vec<Sample> = run.iter().map(|(_, sample)| (*sample).clone()).collect();
    let first = run.first().map_or(0, |(sequence, _)| *sequence);
    Prepared {
        topic: "import/aemp".into(),
        payload: Bytes::new(),
        received_at_ms,
        encoding: Encoding::Json,
        machine: machine.machine.clone(),
        boot: machine.boot,
        first_sequence: first.unsigned_abs(),
        recorded_at_ms: samples.iter().map(|sample| sample.recorded_at_ms).collect(),
        corrections: Vec::new(),
        records: Records::Samples(columns_of(&samples)),
        dropped: Vec::new(),
    }
}
