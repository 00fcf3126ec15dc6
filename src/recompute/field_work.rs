//! Field work of a working day: computed whole from what is stored and set, and put in place of what stood.

use tokio_postgres::Transaction;
use wire::SignalId;

use super::{Day, WorkingDay, WorkingDays};
use crate::derive::field::Fields;
use crate::derive::fieldwork::{self, Ledger, Machine, Rules, Session, Work};
use crate::store::{StoreError, work as stored};
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

/// Computes the sessions of a day and replaces those that stood. Gives the day back.
pub(super) async fn day(transaction: &Transaction<'_>, day: Day) -> Result<Day, StoreError> {
    let mut boots: Vec<i64> = day.readings.identity.iter().map(|(boot, _)| *boot).collect();
    boots.sort_unstable();
    boots.dedup();
    let carried = match day.readings.identity.first() {
        Some((boot, _)) => stored::carried(transaction, day.machine_id, *boot, day.period.start).await?,
        None => Vec::new(),
    };
    let input = Input {
        machine: stored::machine_setting(transaction, day.machine_id, day.period.clone()).await?,
        ledger: stored::accounted(transaction, day.machine_id, &boots).await?,
        fields: Fields::default(),
        carried,
        day,
    };
    // A day takes a good part of a second: other connections must not wait for it.
    let (input, sessions) = tokio::task::spawn_blocking(move || {
        let sessions = input.sessions();
        (input, sessions)
    })
    .await
    .expect("the fold does not panic, and nobody cancels it");
    let day = input.day;
    stored::replace_sessions(transaction, day.machine_id, day.date, sessions, grows_from_ms(&day)).await?;
    Ok(day)
}

/// Everything that the sessions of a day follow from.
struct Input {
    day: Day,
    machine: Machine,
    ledger: Ledger,
    fields: Fields,
    carried: Vec<(SignalId, f64)>,
}

impl Input {
    fn sessions(&self) -> Vec<Session> {
        let work = Work {
            day: self.day.date,
            readings: &self.day.readings,
            carried: &self.carried,
            tasks: &self.day.tasks,
            fields: &self.fields,
            machine: &self.machine,
            ledger: &self.ledger,
        };
        fieldwork::sessions(&work, &Rules::default())
    }
}

/// Sessions that ended at this instant or later may go on: the day is not over, and what ends a session has not lasted.
fn grows_from_ms(day: &Day) -> i64 {
    let is_over = now_ms() > day.period.end + DAY_SETTLES_MS;
    let newest = day.readings.recorded_at_ms.last().filter(|_| !is_over);
    newest.map_or(i64::MAX, |newest| newest - (Rules::default().silent_max_s * 1000.0) as i64)
}
