//! What machines did by working day.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::types::Json;
use tokio_postgres::{GenericClient, Row, Transaction};

use super::super::StoreError;
use super::session::{Day, SESSIONS_MAX, SessionFilter};
use crate::derive::fieldwork::DayWork;

/// A machine's working day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayRow {
    /// Number of the machine.
    pub machine_id: i64,
    /// Serial of the machine.
    pub machine: String,
    /// What people call it.
    pub machine_name: Option<String>,
    /// The local date on which the working day began.
    pub working_day: Date,
    /// What it did.
    #[serde(flatten)]
    pub day: DayWork,
}

/// Puts what a machine did in a day in place of what stood. A day without a sample has no row.
pub(super) async fn replace_day(
    transaction: &Transaction<'_>,
    machine_id: i64,
    date: Date,
    day: &DayWork,
) -> Result<(), StoreError> {
    if day.samples == 0 {
        let delete = "delete from work_day where machine_id = $1 and working_day = $2";
        transaction.execute(delete, &[&machine_id, &Day(date)]).await?;
        return Ok(());
    }
    let no_session = serde_json::to_value(day.no_session).ok().and_then(|value| value.as_str().map(str::to_owned));
    transaction
        .execute(
            "insert into work_day (machine_id, working_day, samples, off_s, idle_s, transport_s, turning_s, working_s,
                 unloading_s, distance_m, fuel_l, no_session, figures)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (machine_id, working_day) do update set samples = $3, off_s = $4, idle_s = $5,
                 transport_s = $6, turning_s = $7, working_s = $8, unloading_s = $9, distance_m = $10, fuel_l = $11,
                 no_session = $12, figures = $13, computed_at = now()",
            &[
                &machine_id,
                &Day(date),
                &day.samples.cast_signed(),
                &day.time.off_s,
                &day.time.idle_s,
                &day.time.transport_s,
                &day.time.turning_s,
                &day.time.working_s,
                &day.time.unloading_s,
                &day.distance_m,
                &day.fuel.map(|fuel| fuel.total_l),
                &no_session,
                &Json(day),
            ],
        )
        .await?;
    Ok(())
}

/// What machines did, by day and machine.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn work_days(client: &impl GenericClient, filter: &SessionFilter) -> Result<Vec<DayRow>, StoreError> {
    let (from, to) = filter.days();
    let rows = client
        .query(
            &format!(
                "select s.machine_id, coalesce(m.serial, s.machine_id::text), m.name, s.working_day, s.figures
                 from work_day s left join machine m using (machine_id)
                 where ($1::text is null or m.serial = $1)
                     and ($2::date is null or s.working_day >= $2) and ($3::date is null or s.working_day <= $3)
                 order by s.working_day, 2 limit {SESSIONS_MAX}"
            ),
            &[&filter.machine, &from, &to],
        )
        .await?;
    let read = |row: &Row| -> Result<DayRow, tokio_postgres::Error> {
        Ok(DayRow {
            machine_id: row.try_get(0)?,
            machine: row.try_get(1)?,
            machine_name: row.try_get(2)?,
            working_day: row.try_get::<_, Day>(3)?.0,
            day: row.try_get::<_, Json<DayWork>>(4)?.0,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
