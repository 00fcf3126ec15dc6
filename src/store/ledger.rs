//! The ledger: which sequence numbers of each boot are stored or refused.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::tz::TimeZone;
use tokio_postgres::Transaction;
use wire::{BootId, SequenceSet};

use super::StoreError;
use super::instant::Instant;
use super::load::Run;
use super::multirange::Multirange;
use super::session::Statements;
use crate::derive::completeness::BootDay;
use crate::time::{LocalDays, date_of_postgres_days, postgres_days, postgres_micros};

/// The ledger rows that a batch touches, locked until it commits.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    boots: BTreeMap<(i64, BootId), Account>,
}

/// What the store holds of one boot.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Sequence numbers whose rows are stored.
    pub stored: SequenceSet,
    /// Sequence numbers that are in quarantine for good.
    pub refused: SequenceSet,
    /// Records of this batch that came again.
    pub duplicates: u64,
    /// Latest arrival in this batch, Unix milliseconds.
    received_at_ms: i64,
}

impl Account {
    /// The part of `sequences` that is accounted for nowhere yet.
    pub(super) fn new_of(&self, sequences: Range<u64>) -> SequenceSet {
        SequenceSet::from_range(sequences).difference(&self.stored).difference(&self.refused)
    }
}

impl Accounts {
    /// The account of a boot that [`lock`] was told of.
    pub(super) fn of(&mut self, machine_id: i64, boot: BootId, received_at_ms: i64) -> &mut Account {
        let account = self.boots.entry((machine_id, boot)).or_default();
        account.received_at_ms = account.received_at_ms.max(received_at_ms);
        account
    }

    /// Everything of a boot that its machine need not send again.
    pub(super) fn accounted(&self, machine_id: i64, boot: BootId) -> SequenceSet {
        self.boots.get(&(machine_id, boot)).map_or_else(SequenceSet::new, |account| {
            let mut all = account.stored.clone();
            all.extend(&account.refused);
            all
        })
    }
}

/// Locks the ledger rows of `boots`, making those that are missing, always in the same order.
pub(super) async fn lock(
    transaction: &Transaction<'_>,
    statements: &Statements,
    boots: impl Iterator<Item = (i64, BootId)>,
) -> Result<Accounts, StoreError> {
    let mut accounts = Accounts { boots: boots.map(|key| (key, Account::default())).collect() };
    let wanted = accounts.boots.len();
    if wanted == 0 || read_locked(transaction, statements, &mut accounts).await? == wanted {
        return Ok(accounts);
    }
    let (machines, boots) = keys(&accounts);
    transaction.execute(&statements.enter_boots, &[&machines, &boots]).await?;
    // Another ingest process may have made and filled the same rows in between: read what is true now.
    read_locked(transaction, statements, &mut accounts).await?;
    Ok(accounts)
}

pub(super) const ENTER_BOOTS: &str =
    "insert into stored_sequence (machine_id, boot_id, first_received_at, last_received_at)
     select machine_id, boot_id, now(), now()
     from unnest($1::bigint[], $2::bigint[]) as new (machine_id, boot_id)
     order by machine_id, boot_id
     on conflict do nothing";

pub(super) const LOCK_BOOTS: &str = "select machine_id, boot_id, stored, refused from stored_sequence
     where (machine_id, boot_id) in (select * from unnest($1::bigint[], $2::bigint[]))
     order by machine_id, boot_id
     for update";

fn keys(accounts: &Accounts) -> (Vec<i64>, Vec<i64>) {
    accounts.boots.keys().map(|(machine_id, boot)| (*machine_id, boot.as_i64())).unzip()
}

async fn read_locked(
    transaction: &Transaction<'_>,
    statements: &Statements,
    accounts: &mut Accounts,
) -> Result<usize, StoreError> {
    let (machines, boots) = keys(accounts);
    let rows = transaction.query(&statements.lock_boots, &[&machines, &boots]).await?;
    for row in &rows {
        let boot: i64 = row.get(1);
        let boot = BootId::new(boot.unsigned_abs())
            .map_err(|error| StoreError::Row { table: "stored_sequence", message: error.to_string() })?;
        if let Some(account) = accounts.boots.get_mut(&(row.get(0), boot)) {
            account.stored = row.get::<_, Multirange>(2).0;
            account.refused = row.get::<_, Multirange>(3).0;
        }
    }
    Ok(rows.len())
}

/// Writes the accounts back.
pub(super) async fn extend(
    transaction: &Transaction<'_>,
    statements: &Statements,
    accounts: &Accounts,
) -> Result<(), StoreError> {
    if accounts.boots.is_empty() {
        return Ok(());
    }
    let (machines, boots) = keys(accounts);
    let each = || accounts.boots.values();
    let stored: Vec<_> = each().map(|account| Multirange(account.stored.clone())).collect();
    let refused: Vec<_> = each().map(|account| Multirange(account.refused.clone())).collect();
    let duplicates: Vec<_> = each().map(|account| account.duplicates.cast_signed()).collect();
    let received: Vec<_> = each().map(|account| postgres_micros(account.received_at_ms)).collect();
    transaction
        .execute(&statements.extend_boots, &[&machines, &boots, &stored, &refused, &duplicates, &received])
        .await?;
    Ok(())
}

pub(super) const EXTEND_BOOTS: &str = "update stored_sequence as ledger
     set stored = new.stored,
         refused = new.refused,
         duplicate_count = ledger.duplicate_count + new.duplicates,
         last_received_at = greatest(ledger.last_received_at, timestamptz '2000-01-01Z' + new.received * interval '1 microsecond')
     from unnest($1::bigint[], $2::bigint[], $3::int8multirange[], $4::int8multirange[], $5::bigint[], $6::bigint[])
          as new (machine_id, boot_id, stored, refused, duplicates, received)
     where ledger.machine_id = new.machine_id and ledger.boot_id = new.boot_id";

/// The transaction's number, by which its fate can be asked for later.
pub(super) async fn number(transaction: &Transaction<'_>, statements: &Statements) -> Result<String, StoreError> {
    Ok(transaction.query_one(&statements.number, &[]).await?.get(0))
}

pub(super) const NUMBER: &str = "select pg_current_xact_id()::text";

/// The completeness record of a batch: what it adds to each machine's local days.
pub(super) struct DayAccounts {
    days: LocalDays,
    accounts: BTreeMap<(i64, i32, BootId), DayAccount>,
}

#[derive(Default)]
struct DayAccount {
    stored: SequenceSet,
    refused: SequenceSet,
    late: i64,
    duplicates: i64,
    estimated: i64,
    values_refused: i64,
    /// Earliest and latest new record, Unix milliseconds: what has to be derived anew.
    changed: Option<(i64, i64)>,
}

impl DayAccount {
    fn change(&mut self, from: i64, to: i64) {
        let (earliest, latest) = self.changed.unwrap_or((from, to));
        self.changed = Some((earliest.min(from), latest.max(to)));
    }
}

impl DayAccounts {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { days: LocalDays::new(zone), accounts: BTreeMap::new() }
    }

    /// Counts the records of a run on their days; `new` are those that were not accounted for before.
    pub(super) fn count(&mut self, machine_id: i64, run: &Run, new: &SequenceSet, late_after_ms: i64) {
        let frame = &*run.frame;
        let mut values_refused: i64 = match run.refusal {
            None if !new.is_empty() => frame.dropped.iter().map(|dropped| dropped.values.cast_signed()).sum(),
            _ => 0,
        };
        let all_new = new.count() == run.records.len() as u64;
        let times = &frame.recorded_at_ms[run.records.clone()];
        // Nearly always a run is new, of one day and of a good clock: one entry for all of it.
        if all_new
            && run.refusal.is_none()
            && frame.corrections.is_empty()
            && let (Some(from), Some(to)) = (times.iter().min(), times.iter().max())
            && let Some(day) = self.days.of_both(*from, *to)
        {
            let account = self.accounts.entry((machine_id, postgres_days(day), frame.boot)).or_default();
            account.values_refused += values_refused;
            account.stored.insert(run.sequences());
            account.change(*from, *to);
            account.late += times.iter().map(|at| i64::from(frame.received_at_ms - at > late_after_ms)).sum::<i64>();
            return;
        }
        for (position, sequence) in run.records.clone().zip(run.sequences()) {
            let at = frame.recorded_at_ms[position];
            // Validation keeps every time within the years that have days.
            let Some(day) = self.days.of(at) else { continue };
            let account = self.accounts.entry((machine_id, postgres_days(day), frame.boot)).or_default();
            account.values_refused += std::mem::take(&mut values_refused);
            if !all_new && !new.contains(sequence) {
                account.duplicates += 1;
                continue;
            }
            if run.refusal.is_some() {
                account.refused.insert(sequence..sequence + 1);
                continue;
            }
            account.stored.insert(sequence..sequence + 1);
            account.change(at, at);
            account.late += i64::from(frame.received_at_ms - at > late_after_ms);
            account.estimated += i64::from(frame.corrections.get(position).is_some_and(|c| c.quality != 0));
        }
    }

    /// Records stored late.
    pub(super) fn late(&self) -> u64 {
        self.accounts.values().map(|account| account.late.unsigned_abs()).sum()
    }

    pub(super) async fn write(&self, transaction: &Transaction<'_>, statements: &Statements) -> Result<(), StoreError> {
        if self.accounts.is_empty() {
            return Ok(());
        }
        let keys = || self.accounts.keys();
        let each = || self.accounts.values();
        let machines: Vec<_> = keys().map(|key| key.0).collect();
        let days: Vec<_> = keys().map(|key| key.1).collect();
        let boots: Vec<_> = keys().map(|key| key.2.as_i64()).collect();
        let stored: Vec<_> = each().map(|account| Multirange(account.stored.clone())).collect();
        let refused: Vec<_> = each().map(|account| Multirange(account.refused.clone())).collect();
        let late: Vec<_> = each().map(|account| account.late).collect();
        let duplicates: Vec<_> = each().map(|account| account.duplicates).collect();
        let estimated: Vec<_> = each().map(|account| account.estimated).collect();
        let values_refused: Vec<_> = each().map(|account| account.values_refused).collect();
        transaction
            .execute(
                &statements.add_to_days,
                &[&machines, &days, &boots, &stored, &refused, &late, &duplicates, &estimated, &values_refused],
            )
            .await?;
        Ok(())
    }

    /// Marks what the batch changed: derived results follow stored records, never the other way round.
    pub(super) async fn mark(&self, transaction: &Transaction<'_>, statements: &Statements) -> Result<(), StoreError> {
        let changed: Vec<_> =
            self.accounts.iter().filter_map(|(key, account)| Some((key.0, account.changed?))).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let machines: Vec<_> = changed.iter().map(|(machine_id, _)| *machine_id).collect();
        let from: Vec<_> = changed.iter().map(|(_, (from, _))| Instant(*from)).collect();
        let to: Vec<_> = changed.iter().map(|(_, (_, to))| Instant(*to)).collect();
        transaction.execute(&statements.mark, &[&machines, &from, &to]).await?;
        Ok(())
    }
}

pub(super) const ADD_TO_DAYS: &str = "insert into stored_day as total
            (machine_id, day, boot_id, stored, refused, late_count, duplicate_count, estimated_count,
             value_refused_count)
     select machine_id, date '2000-01-01' + day, boot_id, stored, refused, late, duplicates, estimated, vals
     from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::int8multirange[], $5::int8multirange[],
                 $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
          as new (machine_id, day, boot_id, stored, refused, late, duplicates, estimated, vals)
     order by machine_id, day, boot_id
     on conflict (machine_id, day, boot_id) do update
     set stored = total.stored + excluded.stored,
         refused = total.refused + excluded.refused,
         late_count = total.late_count + excluded.late_count,
         duplicate_count = total.duplicate_count + excluded.duplicate_count,
         estimated_count = total.estimated_count + excluded.estimated_count,
         value_refused_count = total.value_refused_count + excluded.value_refused_count";

pub(super) const MARK: &str = "insert into derive_mark (machine_id, from_at, to_at)
     select * from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[])";

/// Columns that [`boot_day`] reads.
pub(super) const BOOT_DAY_COLUMNS: &str = "day - date '2000-01-01' as day, boot_id, stored, refused, late_count, \
                                           duplicate_count, estimated_count, value_refused_count";

/// Reads a row of `stored_day`.
pub(super) fn boot_day(row: &tokio_postgres::Row) -> Result<BootDay, StoreError> {
    let days: i32 = row.get("day");
    Ok(BootDay {
        day: date_of_postgres_days(days).ok_or_else(|| StoreError::Row {
            table: "stored_day",
            message: format!("day {days} is beyond the calendar"),
        })?,
        boot: row.get("boot_id"),
        stored: row.get::<_, Multirange>("stored").0,
        refused: row.get::<_, Multirange>("refused").0,
        late: row.get("late_count"),
        duplicates: row.get("duplicate_count"),
        estimated: row.get("estimated_count"),
        values_refused: row.get("value_refused_count"),
    })
}
