//! Which field work a command is about: machines, fields, days.

use std::collections::HashMap;

use anyhow::{Context, ensure};
use jiff::Zoned;
use jiff::civil::Date;
use jiff::{ToSpan, tz::TimeZone};
use tokio_postgres::GenericClient;

use crate::config::Config;
use crate::derive::fieldwork::Operation;
use crate::exchange::export::{Machine, Work};
use crate::store::field::{self, FieldRow};
use crate::store::work::{SESSIONS_MAX, SessionFilter, SessionRow, work_sessions};
use crate::store::{self, Reach, Slice};

/// Machines whose names are looked up.
const MACHINES_MAX: i64 = 200_000;

/// Which field work.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only this machine, by serial.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<String>,
    /// Only this field, by number, code or name.
    #[arg(long, value_name = "WHICH")]
    field: Option<String>,
    /// Only this operation: ploughing, grain_harvest, …
    #[arg(long, value_name = "NAME", value_parser = operation)]
    operation: Option<Operation>,
    /// Working days: 2026, 2026-08, 2026-08-20, 2026-08-20..2026-08-25, today or yesterday.
    #[arg(long, value_name = "DAYS", value_parser = parse_period, conflicts_with_all = ["from", "to"])]
    period: Option<Period>,
    /// First working day, 2026-08-20.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last working day.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
}

/// Days as a person names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Days(Date, Date),
    DaysAgo(i32),
}

/// The sessions of a selection, and the fields they are on.
pub(super) struct Selected {
    pub rows: Vec<SessionRow>,
    pub works: Vec<Work>,
    pub fields: Vec<FieldRow>,
    /// The field that was asked for.
    pub field: Option<FieldRow>,
    /// First and last working day: as asked for, or else of the sessions.
    pub period: Option<(Date, Date)>,
}

impl Selection {
    /// Finds the sessions.
    pub(super) async fn find(&self, config: &Config, client: &impl GenericClient) -> anyhow::Result<Selected> {
        let field = match &self.field {
            Some(which) => Some(super::field::find(client, which).await?),
            None => None,
        };
        let (from, to) = self.days(&config.clock.zone.0);
        let field_id = field.as_ref().map(|row| row.field.id.0);
        let filter = SessionFilter { machine: self.machine.clone(), field_id, from, to };
        let mut rows = work_sessions(client, &filter).await?;
        ensure!((rows.len() as i64) < SESSIONS_MAX, "more than {SESSIONS_MAX} sessions; choose a shorter --period");
        rows.retain(|row| self.operation.is_none_or(|operation| row.session.operation == operation));
        let fields = field::fields(client).await?;
        let (machines, _) =
            store::machines(client, Reach::Everything, Slice { limit: MACHINES_MAX, offset: 0 }).await?;
        let models: HashMap<_, _> = machines.iter().map(|machine| (machine.machine_id, &machine.model)).collect();
        let fields_by_id: HashMap<_, _> = fields.iter().map(|row| (row.field.id.0, row)).collect();
        let works = rows.iter().map(|row| work(row, &fields_by_id, &models)).collect();
        let days = || rows.iter().map(|row| row.session.working_day);
        let period = from.or_else(|| days().min()).zip(to.or_else(|| days().max()));
        Ok(Selected { rows, works, fields, field, period })
    }

    /// First and last working day that are asked for.
    pub(super) fn days(&self, zone: &TimeZone) -> (Option<Date>, Option<Date>) {
        match self.period {
            Some(Period::Days(first, last)) => (Some(first), Some(last)),
            Some(Period::DaysAgo(days)) => {
                let day = Zoned::now().with_time_zone(zone.clone()).date().saturating_sub(days.days());
                (Some(day), Some(day))
            }
            None => (self.from, self.to),
        }
    }

    /// The machine that is asked for.
    pub(super) fn machine(&self) -> Option<&str> {
        self.machine.as_deref()
    }
}

fn work(row: &SessionRow, fields: &HashMap<i64, &FieldRow>, models: &HashMap<i64, &Option<String>>) -> Work {
    let mut work = Work {
        session_id: row.work_session_id,
        revision: u32::try_from(row.revision).unwrap_or(1),
        is_confirmed: row.confirmed.is_some(),
        machine: Machine {
            serial: row.machine.clone(),
            name: row.machine_name.clone(),
            model: models.get(&row.machine_id).copied().cloned().flatten(),
        },
        farm: None,
        field_code: None,
        session: row.session.clone(),
    };
    if let Some(field) = work.field_id().and_then(|id| fields.get(&id)) {
        work.farm.clone_from(&field.field.farm);
        work.field_code.clone_from(&field.field.code);
    }
    work
}

fn operation(name: &str) -> Result<Operation, String> {
    let names = || Operation::all().map(Operation::name).collect::<Vec<_>>().join(", ");
    Operation::parse(name).ok_or_else(|| format!("{name:?} is no operation; there are {}", names()))
}

fn parse_period(text: &str) -> Result<Period, String> {
    let shown = || format!("{text:?} is none of 2026, 2026-08, 2026-08-20, 2026-08-20..2026-08-25, today, yesterday");
    match text {
        "today" => return Ok(Period::DaysAgo(0)),
        "yesterday" => return Ok(Period::DaysAgo(1)),
        _ => {}
    }
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (span(first).with_context(shown), span(last).with_context(shown));
    let ((first, _), (_, last)) = (first.map_err(|e| e.to_string())?, last.map_err(|e| e.to_string())?);
    if first > last { Err(format!("{first} is after {last}")) } else { Ok(Period::Days(first, last)) }
}

/// First and last day of a year, a month or a day.
fn span(text: &str) -> Option<(Date, Date)> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |index: usize| parts.get(index).map_or(Some(1), |part| part.parse::<i16>().ok());
    let (month, day) = (i8::try_from(number(1)?).ok()?, i8::try_from(number(2)?).ok()?);
    let first = Date::new(number(0)?, month, day).ok()?;
    let last = match parts.len() {
        1 => first.last_of_year(),
        2 => first.last_of_month(),
        3 => first,
        _ => return None,
    };
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_are_years_months_days_and_spans_of_them() {
        let days = |text| match parse_period(text) {
            Ok(Period::Days(first, last)) => Some((first, last)),
            _ => None,
        };
        assert_eq!(days("2026"), Some((date(2026, 1, 1), date(2026, 12, 31))));
        assert_eq!(days("2026-02"), Some((date(2026, 2, 1), date(2026, 2, 28))));
        assert_eq!(days("2026-08-20"), Some((date(2026, 8, 20), date(2026, 8, 20))));
        assert_eq!(days("2026-08..2026-09"), Some((date(2026, 8, 1), date(2026, 9, 30))));
        assert_eq!(parse_period("today"), Ok(Period::DaysAgo(0)));
        for wrong in ["", "August", "2026-13", "2026-08-20-1", "2026-09..2026-08", "2026-08-32"] {
            assert!(parse_period(wrong).is_err(), "{wrong}");
        }
    }
}
