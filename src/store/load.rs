//! One batch, one transaction: ledger, rows, refusals, last known state.
//!
//! ```text
//! lock ledger ▶ what is new? ▶ COPY new rows ▶ file refusals ▶ extend ledger ▶ mark ▶ move state ▶ commit
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;
use wire::{
    BootId, Columns, DroppedValue, Encoding, FaultReport, Link, MachineSerial, SequenceSet, Stored, TaskRecord,
};

use super::copy::NewSamples;
use super::ledger::{Accounts, DayAccounts};
use super::session::Session;
use super::{StoreError, copy, ledger, quarantine, reports, state};

/// What is to be committed together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Records, in order of arrival.
    pub runs: Vec<Run>,
    /// Messages that carry no record the ledger could account for.
    pub rejects: Vec<Reject>,
    /// Changes of link state.
    pub statuses: Vec<StatusUpdate>,
}

/// Part of a frame: some of its records, to be stored or refused.
#[derive(Debug, Clone)]
pub struct Run {
    /// The frame.
    pub frame: Arc<Prepared>,
    /// Which of its records, by position.
    pub records: Range<usize>,
    /// Why they are refused; none: they are to be stored.
    pub refusal: Option<Refusal>,
}

/// A frame that passed decoding and validation.
#[derive(Debug)]
pub struct Prepared {
    /// Where it came from, for the quarantine.
    pub topic: String,
    /// Its bytes, for the quarantine.
    pub payload: Bytes,
    /// When it arrived, Unix milliseconds.
    pub received_at_ms: i64,
    /// Form of the frame, and of the answer.
    pub encoding: Encoding,
    /// Who recorded it.
    pub machine: MachineSerial,
    /// In which run of the unit.
    pub boot: BootId,
    /// Sequence of the first record.
    pub first_sequence: u64,
    /// When each record was made, Unix milliseconds, corrected where the clock was wrong.
    pub recorded_at_ms: Vec<i64>,
    /// How each time was found, and what the clock said: one entry a record, or empty where every clock is trusted.
    pub corrections: Vec<TimeCorrection>,
    /// The content.
    pub records: Records,
    /// Single values that were left out.
    pub dropped: Vec<DroppedValue>,
}

/// How the time of a record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCorrection {
    /// 0 machine clock, 1 GPS week rollover undone, 2 estimated.
    pub quality: i16,
    /// What the clock said, where that is a time at all and was not believed.
    pub raw_ms: Option<i64>,
}

/// The content of a frame.
#[derive(Debug)]
pub enum Records {
    /// Samples.
    Samples(Columns),
    /// Diagnostic reports.
    Faults(Vec<FaultReport>),
    /// Task events.
    Tasks(Vec<TaskRecord>),
    /// The header was good, the body was not: the records can only be refused.
    Unreadable,
}

/// Why records are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable word.
    pub reason: &'static str,
    /// What, where and the mend.
    pub detail: String,
}

/// A message that is refused whole.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Where it came from.
    pub topic: String,
    /// Its bytes.
    pub payload: Bytes,
    /// When it arrived, Unix milliseconds.
    pub received_at_ms: i64,
    /// Why.
    pub refusal: Refusal,
}

/// What a machine said of its link.
#[derive(Debug, Clone)]
pub struct StatusUpdate {
    /// Which machine.
    pub machine: MachineSerial,
    /// When it arrived, Unix milliseconds.
    pub received_at_ms: i64,
    /// On or off line.
    pub link: Link,
    /// Model code.
    pub model: Option<String>,
    /// Firmware of the unit.
    pub firmware: Option<String>,
}

/// How the store works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether unknown machines enter the registry.
    pub register_unknown_machines: bool,
    /// Beyond this age a record counts as late, milliseconds.
    pub late_after_ms: i64,
    /// Whose days the completeness record counts.
    pub zone: TimeZone,
    /// Bytes kept of a refused message.
    pub payload_bytes_max: usize,
    /// For the proof that the tests would notice: never set in service.
    #[doc(hidden)]
    pub without_ledger: bool,
}

/// What a committed batch amounted to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// For each boot in the batch, what its machine may now free.
    pub boots: Vec<StoredBoot>,
    /// Records that are new in the store.
    pub stored: u64,
    /// Records that were there already.
    pub duplicate: u64,
    /// Records refused for good.
    pub refused: u64,
    /// Records that are not in the ledger, so their machine sends them again.
    pub unaccounted: u64,
    /// Single values left out.
    pub values_refused: u64,
    /// Messages refused whole.
    pub rejected_messages: u64,
    /// Records stored late.
    pub late: u64,
}

/// An acknowledgement that has become true.
#[derive(Debug)]
pub struct StoredBoot {
    /// Whom to tell.
    pub machine: MachineSerial,
    /// What to say.
    pub stored: Stored,
    /// In which form.
    pub encoding: Encoding,
}

impl Run {
    /// The whole of a frame, to be stored, or to be refused where its body cannot be read.
    pub fn whole(frame: Prepared) -> Self {
        let records = 0..frame.recorded_at_ms.len();
        Self { frame: Arc::new(frame), records, refusal: None }
    }

    /// Number of values in its samples.
    pub fn values(&self) -> usize {
        match &self.frame.records {
            Records::Samples(columns) => columns.columns.iter().map(|column| column.values.len()).sum(),
            Records::Faults(_) | Records::Tasks(_) | Records::Unreadable => 0,
        }
    }

    /// Sequence numbers of its records.
    pub fn sequences(&self) -> Range<u64> {
        let first = self.frame.first_sequence;
        first + self.records.start as u64..first + self.records.end as u64
    }
}

impl Batch {
    /// Number of records.
    pub fn records(&self) -> usize {
        self.runs.iter().map(|run| run.records.len()).sum()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.rejects.is_empty() && self.statuses.is_empty()
    }
}

/// Commits a batch.
///
/// # Errors
/// [`StoreError`]; after any of them nothing of the batch is stored, except after
/// [`StoreError::CommitUnknown`], where that is the question.
pub async fn load(session: &mut Session, batch: &Batch, settings: &Settings) -> Result<Loaded, StoreError> {
    let Session { client, registry, statements, .. } = session;
    let statements = &*statements;
    let serials = batch.runs.iter().map(|run| &run.frame.machine).chain(batch.statuses.iter().map(|s| &s.machine));
    registry.resolve(client, serials, settings.register_unknown_machines).await?;

    let mut loaded = Loaded::default();
    let mut filings = quarantine::Filings::new(settings.payload_bytes_max);
    for reject in &batch.rejects {
        filings.reject(reject);
        loaded.rejected_messages += 1;
    }

    let transaction = client.transaction().await?;
    let known = batch.runs.iter().filter_map(|run| Some((registry.find(&run.frame.machine)?, run.frame.boot)));
    let mut accounts = ledger::lock(&transaction, statements, known).await?;
    let mut days = DayAccounts::new(settings.zone.clone());
    let mut samples = Vec::new();
    let mut reports = reports::Reports::default();
    let mut states = state::LastKnown::default();
    let mut answers: BTreeMap<(i64, BootId), (&MachineSerial, Encoding)> = BTreeMap::new();

    for run in &batch.runs {
        let frame = &*run.frame;
        let Some(machine_id) = registry.find(&frame.machine) else {
            filings.unregistered(run);
            loaded.unaccounted += run.records.len() as u64;
            loaded.rejected_messages += 1;
            continue;
        };
        answers.insert((machine_id, frame.boot), (&frame.machine, frame.encoding));
        let new = account(&mut accounts, machine_id, run, settings, &mut loaded, &mut filings);
        days.count(machine_id, run, &new, settings.late_after_ms);
        states.contact(machine_id, frame.received_at_ms);
        if new.is_empty() || run.refusal.is_some() {
            continue;
        }
        filings.values(machine_id, run);
        match &frame.records {
            Records::Samples(columns) => {
                states.samples(machine_id, run, columns);
                samples.push(NewSamples { machine_id, run, columns, new });
            }
            Records::Faults(faults) => reports.faults(machine_id, run, faults, &new),
            Records::Tasks(tasks) => reports.tasks(machine_id, run, tasks, &new),
            Records::Unreadable => {}
        }
    }
    for status in &batch.statuses {
        if let Some(machine_id) = registry.find(&status.machine) {
            states.status(machine_id, status);
        }
    }

    copy::send(&transaction, statements, &samples).await?;
    reports.write(&transaction).await?;
    filings.write(&transaction).await?;
    // Sent one after another without waiting in between; the server runs them in this order.
    let ((), (), (), (), number) = tokio::try_join!(
        biased;
        ledger::extend(&transaction, statements, &accounts),
        days.write(&transaction, statements),
        days.mark(&transaction, statements),
        states.write(&transaction, statements),
        ledger::number(&transaction, statements),
    )?;
    loaded.late = days.late();
    loaded.boots = answers
        .into_iter()
        .map(|((machine_id, boot), (machine, encoding))| StoredBoot {
            machine: machine.clone(),
            stored: Stored::of(boot, &accounts.accounted(machine_id, boot)),
            encoding,
        })
        .collect();
    match transaction.commit().await {
        Ok(()) => Ok(loaded),
        // Where the server itself answered, it has rolled back.
        Err(source) if source.as_db_error().is_some() => Err(StoreError::Database(source)),
        Err(source) => Err(StoreError::CommitUnknown { transaction: number, source, loaded: Box::new(loaded) }),
    }
}

/// Enters a run in the accounts and returns which of its records are new.
fn account(
    accounts: &mut Accounts,
    machine_id: i64,
    run: &Run,
    settings: &Settings,
    loaded: &mut Loaded,
    filings: &mut quarantine::Filings,
) -> SequenceSet {
    let sequences = run.sequences();
    let length = run.records.len() as u64;
    let account = accounts.of(machine_id, run.frame.boot, run.frame.received_at_ms);
    let new = if settings.without_ledger { SequenceSet::from_range(sequences) } else { account.new_of(sequences) };
    let new_count = new.count();
    account.duplicates += length - new_count;
    loaded.duplicate += length - new_count;
    match &run.refusal {
        None => {
            account.stored.extend(&new);
            loaded.stored += new_count;
            if new_count > 0 {
                loaded.values_refused += run.frame.dropped.iter().map(|dropped| dropped.values).sum::<u64>();
            }
        }
        Some(refusal) => {
            account.refused.extend(&new);
            loaded.refused += new_count;
            if new_count > 0 {
                filings.refusal(machine_id, run, refusal, new_count);
            }
        }
    }
    new
}
