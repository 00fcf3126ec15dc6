//! Field work of a working day: computed whole from what is stored and set, and put in place of what stood.

use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use tokio_postgres::{GenericClient, Transaction};
use wire::SignalId;

use super::{Day, WorkingDay, WorkingDays};
use crate::derive::Readings;
use crate::derive::field::Fields;
use crate::derive::fieldwork::{self, Ledger, Machine, Rules, Session, Trace, Work};
use crate::store::field::{FieldsVersion, field_index, fields_version};
use crate::store::{self, StoreError, work as stored};
use crate::time::now_ms;

/// Records of a day may still come for so long after it is over without being late.
const DAY_SETTLES_MS: i64 = 3_600_000;

/// Adds the days that follow from touched ones because the machine was at it when they began.
pub(super) async fn with_days_that_follow(
    transaction: &Transaction<'_>,
    calendar: &WorkingDays,
    machine_id: i64,
    touched: Vec<WorkingDay>,
) -> Result<Vec<WorkingDay>, StoreError> {
    let mut days: Vec<WorkingDay> = Vec::with_capacity(touched.len());
    for day in touched {
        let next = calendar.of(day.period.end);
        if days.last().is_none_or(|last| last.date != day.date) {
            days.push(day);
        }
        if let Some(next) = next
            && stored::was_at_it(transaction, machine_id, next.period.start).await?
        {
            days.push(next);
        }
    }
    Ok(days)
}

/// The index of known fields, made anew when a field has changed.
#[derive(Default)]
pub(super) struct KnownFields {
    // A std mutex: nothing is awaited while it is held.
    made: Mutex<Option<(FieldsVersion, Arc<Fields>)>>,
}

impl KnownFields {
    /// The fields as `transaction` sees them.
    async fn seen_by(&self, transaction: &Transaction<'_>) -> Result<Arc<Fields>, StoreError> {
        let version = fields_version(transaction).await?;
        let made = self.made.lock().expect("no holder panics").clone();
        if let Some((_, fields)) = made.filter(|(made, _)| *made == version) {
            return Ok(fields);
        }
        let fields = Arc::new(field_index(transaction).await?);
        *self.made.lock().expect("no holder panics") = Some((version, fields.clone()));
        Ok(fields)
    }
}

/// Computes the sessions of a day and replaces those that stood. Gives the day back.
pub(super) async fn day(transaction: &Transaction<'_>, known: &KnownFields, day: Day) -> Result<Day, StoreError> {
    let fields = known.seen_by(transaction).await?;
    let input = Input::of(transaction, day, fields).await?;
    // A day takes a good part of a second: other connections must not wait for it.
    let (input, sessions) = tokio::task::spawn_blocking(move || {
        let sessions = fieldwork::sessions(&input.work(), &Rules::default());
        (input, sessions)
    })
    .await
    .expect("the fold does not panic, and nobody cancels it");
    let day = input.day;
    stored::replace_sessions(transaction, day.machine_id, day.date, sessions, grows_from_ms(&day)).await?;
    Ok(day)
}

/// What stands behind the sessions of a machine's working day. It is not stored but computed when someone asks.
pub struct Behind {
    /// Everything the machine reported, signals of its maker's own included.
    pub readings: Readings,
    /// The sessions as they are computed now, with their traces.
    pub traced: Vec<(Session, Trace)>,
}

impl Behind {
    /// The trace of a session: of the one that began with it, or else shares most time with it. A confirmed session may
    /// have no equal now.
    pub fn trace_of(&self, session: &Session) -> Option<&Trace> {
        let shared_ms = |other: &Session| {
            let start = session.started_at.max(other.started_at).as_millisecond();
            session.ended_at.min(other.ended_at).as_millisecond() - start
        };
        let alike = self.traced.iter().filter(|(other, _)| shared_ms(other) > 0);
        let key = |other: &Session| (other.started_at == session.started_at, shared_ms(other));
        alike.max_by_key(|(other, _)| key(other)).map(|(_, trace)| trace)
    }
}

/// Computes what stands behind the sessions of a working day.
///
/// # Errors
/// When the database cannot be asked.
pub async fn behind(
    client: &impl GenericClient,
    calendar: &WorkingDays,
    machine_id: i64,
    date: Date,
    fields: Arc<Fields>,
) -> Result<Behind, StoreError> {
    let Some(WorkingDay { period, .. }) = calendar.on(date) else {
        return Ok(Behind { readings: Readings::default(), traced: Vec::new() });
    };
    let day = Day {
        machine_id,
        date,
        readings: store::readings_and_raw(client, machine_id, period.clone()).await?,
        fault_reports: Vec::new(),
        tasks: store::task_reports(client, machine_id, period.clone()).await?,
        period,
    };
    let input = Input::of(client, day, fields).await?;
    let (input, traced) = tokio::task::spawn_blocking(move || {
        let traced = fieldwork::traced(&input.work(), &Rules::default());
        (input, traced)
    })
    .await
    .expect("the fold does not panic, and nobody cancels it");
    Ok(Behind { readings: input.day.readings, traced })
}

/// Everything that the sessions of a day follow from.
struct Input {
    day: Day,
    machine: Machine,
    ledger: Ledger,
    fields: Arc<Fields>,
    carried: Vec<(SignalId, f64)>,
}

impl Input {
    async fn of(client: &impl GenericClient, day: Day, fields: Arc<Fields>) -> Result<Self, StoreError> {
        let mut boots: Vec<i64> = day.readings.identity.iter().map(|(boot, _)| *boot).collect();
        boots.sort_unstable();
        boots.dedup();
        let carried = match day.readings.identity.first() {
            Some((boot, _)) => stored::carried(client, day.machine_id, *boot, day.period.start).await?,
            None => Vec::new(),
        };
        Ok(Self {
            machine: stored::machine_setting(client, day.machine_id, day.period.clone()).await?,
            ledger: stored::accounted(client, day.machine_id, &boots).await?,
            fields,
            carried,
            day,
        })
    }

    fn work(&self) -> Work<'_> {
        Work {
            day: self.day.date,
            readings: &self.day.readings,
            carried: &self.carried,
            tasks: &self.day.tasks,
            fields: &self.fields,
            machine: &self.machine,
            ledger: &self.ledger,
        }
    }
}

/// Sessions that ended at this instant or later may go on: the day is not over, and what ends a session has not lasted.
fn grows_from_ms(day: &Day) -> i64 {
    let is_over = now_ms() > day.period.end + DAY_SETTLES_MS;
    let newest = day.readings.recorded_at_ms.last().filter(|_| !is_over);
    newest.map_or(i64::MAX, |newest| newest - (Rules::default().silent_max_s * 1000.0) as i64)
}
