//! Sums over sessions: kept for each machine and working day, grouped on request.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::{GenericClient, Row, Transaction};

use super::super::StoreError;
use super::session::{Day, SessionFilter};

/// By what sums are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalsBy {
    /// By machine.
    Machine,
    /// By field.
    Field,
    /// By operator.
    Operator,
    /// By operation.
    Operation,
    /// By crop.
    Crop,
    /// By working day.
    Day,
    /// By season.
    Season,
}

/// One group. Areas, times, fuel and mass are sums over its sessions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TotalRow {
    /// What the group has in common; absent where nothing tells it.
    pub group: Option<String>,
    /// Sessions.
    pub sessions: i64,
    /// Of these confirmed.
    pub confirmed: i64,
    /// Area, m²: the unions of the sessions. What two sessions worked both counts twice.
    pub union_m2: f64,
    /// Width × distance, m².
    pub swept_m2: f64,
    /// Time of the sessions, s.
    pub total_s: f64,
    /// Time at work, s.
    pub working_s: f64,
    /// Standing with the engine on, s.
    pub idle_s: f64,
    /// Way at work, m.
    pub working_m: f64,
    /// Fuel, L; absent where nothing tells it.
    pub fuel_l: Option<f64>,
    /// Litres per hectare, over the sessions whose fuel is known.
    pub l_per_ha: Option<f64>,
    /// Hectares per hour of the sessions.
    pub ha_per_h: Option<f64>,
    /// Wet mass, kg.
    pub wet_kg: Option<f64>,
    /// Dry mass, kg.
    pub dry_kg: Option<f64>,
    /// Mass at the moisture that trade refers to, kg.
    pub standard_kg: Option<f64>,
    /// Wet tonnes per hectare, over the sessions whose crop was weighed.
    pub wet_t_per_ha: Option<f64>,
}

impl std::str::FromStr for TotalsBy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = [
            ("machine", Self::Machine),
            ("field", Self::Field),
            ("operator", Self::Operator),
            ("operation", Self::Operation),
            ("crop", Self::Crop),
            ("day", Self::Day),
            ("season", Self::Season),
        ];
        let found = known.into_iter().find(|(known, _)| *known == name).map(|(_, by)| by);
        found.ok_or_else(|| format!("sums are by {}", known.map(|(known, _)| known).join(", ")))
    }
}

impl TotalsBy {
    /// Name of the group, and what tells groups of one name apart.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Machine => ("coalesce(m.name, m.serial, s.machine_id::text)", "s.machine_id"),
            Self::Field => ("s.field_name", "s.field_id"),
            Self::Operator => ("s.operator", "null::bigint"),
            Self::Operation => ("s.operation", "null::bigint"),
            Self::Crop => ("s.crop", "null::bigint"),
            Self::Day => ("s.working_day::text", "null::bigint"),
            Self::Season => ("s.season::text", "null::bigint"),
        }
    }
}

/// Sums a machine's day anew.
pub(super) async fn sum_day(transaction: &Transaction<'_>, machine_id: i64, day: Date) -> Result<(), StoreError> {
    let delete = "delete from work_total where machine_id = $1 and working_day = $2";
    transaction.execute(delete, &[&machine_id, &Day(day)]).await?;
    transaction
        .execute(
            // In the order of sessions, so that a sum has the same bits whenever it is formed.
            "insert into work_total (machine_id, working_day, season, field_id, field_name, operation, crop, operator,
                 sessions, confirmed, union_m2, swept_m2, total_s, working_s, idle_s, working_m, fuel_l, fuel_m2,
                 wet_kg, dry_kg, standard_kg, crop_m2)
             select machine_id, working_day, season, field_id, field_name, operation, crop, operator,
                 count(*), count(confirmed_at),
                 coalesce(sum(union_m2 order by started_at), 0), coalesce(sum(swept_m2 order by started_at), 0),
                 sum(total_s order by started_at), sum(working_s order by started_at),
                 sum(idle_s order by started_at), sum(working_m order by started_at),
                 sum(fuel_l order by started_at),
                 coalesce(sum(union_m2 order by started_at) filter (where fuel_l is not null), 0),
                 sum(wet_kg order by started_at), sum(dry_kg order by started_at),
                 sum(standard_kg order by started_at),
                 coalesce(sum(union_m2 order by started_at) filter (where wet_kg is not null), 0)
             from work_session where machine_id = $1 and working_day = $2
             group by machine_id, working_day, season, field_id, field_name, operation, crop, operator",
            &[&machine_id, &Day(day)],
        )
        .await?;
    Ok(())
}

/// Sums over the sessions that `filter` names, by group, the largest area first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn work_totals(
    client: &impl GenericClient,
    filter: &SessionFilter,
    by: TotalsBy,
) -> Result<Vec<TotalRow>, StoreError> {
    let (from, to) = filter.days();
    let (name, key) = by.columns();
    let rows = client
        .query(
            &format!(
                "select {name}, sum(sessions)::bigint, sum(confirmed)::bigint, sum(union_m2), sum(swept_m2),
                     sum(total_s), sum(working_s), sum(idle_s), sum(working_m), sum(fuel_l),
                     sum(fuel_l) / nullif(sum(fuel_m2), 0) * 10000,
                     sum(union_m2) / nullif(sum(total_s), 0) * 0.36,
                     sum(wet_kg), sum(dry_kg), sum(standard_kg), sum(wet_kg) / nullif(sum(crop_m2), 0) * 10
                 from work_total s left join machine m using (machine_id)
                 where {}
                 group by {name}, {key} order by sum(union_m2) desc, 1",
                SessionFilter::CONDITION
            ),
            &[&filter.machine, &filter.field_id, &from, &to],
        )
        .await?;
    let read = |row: &Row| -> Result<TotalRow, tokio_postgres::Error> {
        Ok(TotalRow {
            group: row.try_get(0)?,
            sessions: row.try_get(1)?,
            confirmed: row.try_get(2)?,
            union_m2: row.try_get(3)?,
            swept_m2: row.try_get(4)?,
            total_s: row.try_get(5)?,
            working_s: row.try_get(6)?,
            idle_s: row.try_get(7)?,
            working_m: row.try_get(8)?,
            fuel_l: row.try_get(9)?,
            l_per_ha: row.try_get(10)?,
            ha_per_h: row.try_get(11)?,
            wet_kg: row.try_get(12)?,
            dry_kg: row.try_get(13)?,
            standard_kg: row.try_get(14)?,
            wet_t_per_ha: row.try_get(15)?,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
