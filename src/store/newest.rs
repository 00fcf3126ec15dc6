//! Machines page by page, with the newest value of chosen signals and the time of each.

use std::fmt::Write as _;
use std::ops::Range;

use tokio_postgres::{GenericClient, Row};
use wire::{SignalId, SqlType, StoreColumn, catalogue};

use super::instant::Instant;
use super::{Reach, StoreError};

/// Newest samples of a machine that are looked through: at one a second half an hour, in which everything that is
/// reported at all has been reported. What lies further back counts as not known.
const SAMPLES_LOOKED_AT: u32 = 2_000;
/// The same for signals without a column of their own.
const NARROW_LOOKED_AT: u32 = 5_000;

/// A machine of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredMachine {
    /// Its number.
    pub machine_id: i64,
    /// Its serial.
    pub serial: String,
    /// What people call it.
    pub name: Option<String>,
    /// Who built it.
    pub maker: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Unix milliseconds.
    pub registered_at_ms: i64,
    /// Name of the organisation whose it is.
    pub organisation: Option<String>,
}

/// The newest value of a signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Newest {
    /// Whose.
    pub machine_id: i64,
    /// Which.
    pub signal: SignalId,
    /// When it was recorded, Unix milliseconds.
    pub recorded_at_ms: i64,
    /// The value, in the unit of the catalogue.
    pub value: f64,
}

/// A value of a time series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded<T> {
    /// When, Unix milliseconds.
    pub recorded_at_ms: i64,
    /// What.
    pub value: T,
}

/// A page of a time series, and how many entries the whole has.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries<T> {
    /// The entries of the page, ascending by time.
    pub entries: Vec<Recorded<T>>,
    /// Entries of all pages.
    pub total: i64,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Entries before it.
    pub offset: i64,
    /// Entries in it, at most.
    pub limit: i64,
}

const MACHINE_COLUMNS: &str = "machine_id, serial, machine.name, maker, model, registered_at,
    (select organisation.name from organisation where organisation.organisation_id = machine.organisation_id)";

/// Machines within `reach` in the order of their registration, and how many there are. Machines that join later come
/// behind.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machines(
    client: &impl GenericClient,
    reach: Reach,
    slice: Slice,
) -> Result<(Vec<RegisteredMachine>, i64), StoreError> {
    let within = reach.condition();
    let total: i64 = client.query_one(&format!("select count(*) from machine where {within}"), &[]).await?.get(0);
    let query = format!("select {MACHINE_COLUMNS} from machine where {within} order by machine_id limit $1 offset $2");
    let rows = client.query(&query, &[&slice.limit, &slice.offset]).await?;
    Ok((rows.iter().map(machine).collect(), total))
}

/// The machine of a serial, if it is within `reach`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machine_by_serial(
    client: &impl GenericClient,
    reach: Reach,
    serial: &str,
) -> Result<Option<RegisteredMachine>, StoreError> {
    let query = format!("select {MACHINE_COLUMNS} from machine where serial = $1 and {}", reach.condition());
    Ok(client.query_opt(&query, &[&serial]).await?.as_ref().map(machine))
}

fn machine(row: &Row) -> RegisteredMachine {
    RegisteredMachine {
        machine_id: row.get(0),
        serial: row.get(1),
        name: row.get(2),
        maker: row.get(3),
        model: row.get(4),
        registered_at_ms: row.get::<_, Instant>(5).0,
        organisation: row.get(6),
    }
}

/// The newest value of each of `signals` of each machine, where it was reported lately. Latitude and longitude are of
/// one sample.
///
/// # Errors
/// When the database cannot be asked.
pub async fn newest_values(
    client: &impl GenericClient,
    machine_ids: &[i64],
    signals: &[SignalId],
) -> Result<Vec<Newest>, StoreError> {
    let wide: Vec<_> = catalogue::wide().filter(|signal| signals.contains(&signal.id)).collect();
    let mut columns = String::new();
    let mut aggregates = String::new();
    for signal in &wide {
        let name = signal.name;
        // Half a position is none.
        let present = match signal.id {
            catalogue::LATITUDE_DEG | catalogue::LONGITUDE_DEG => {
                "latitude_deg is not null and longitude_deg is not null".to_owned()
            }
            _ => format!("{name} is not null"),
        };
        // Writing to a string does not fail.
        let _ = write!(columns, ", {name}");
        let _ = write!(
            aggregates,
            ", max(recorded_at) filter (where {present}), last({name}, recorded_at) filter (where {present})"
        );
    }
    let mut found = Vec::new();
    if !wide.is_empty() {
        let query = format!(
            "select machine_id{aggregates}
             from unnest($1::bigint[]) as asked (machine_id)
             cross join lateral (select recorded_at{columns} from sample
                                 where sample.machine_id = asked.machine_id
                                 order by recorded_at desc limit {SAMPLES_LOOKED_AT}) as lately
             group by machine_id order by machine_id"
        );
        for row in client.query(&query, &[&machine_ids]).await? {
            for (index, signal) in wide.iter().enumerate() {
                let (at, place) = (2 * index + 1, 2 * index + 2);
                let Some(Instant(recorded_at_ms)) = row.get::<_, Option<Instant>>(at) else { continue };
                let value = match signal.column {
                    StoreColumn::Wide(SqlType::SmallInt) => row.get::<_, Option<i16>>(place).map(f64::from),
                    StoreColumn::Wide(SqlType::Real) => row.get::<_, Option<f32>>(place).map(shortest),
                    _ => row.get(place),
                };
                let Some(value) = value else { continue };
                found.push(Newest { machine_id: row.get(0), signal: signal.id, recorded_at_ms, value });
            }
        }
    }
    let narrow = numbers_of_narrow(signals);
    let query = format!(
        "select machine_id, signal_id, max(recorded_at), last(value, recorded_at)
         from unnest($1::bigint[]) as asked (machine_id)
         cross join lateral (select recorded_at, signal_id, value from signal_sample
                             where signal_sample.machine_id = asked.machine_id
                             order by recorded_at desc limit {NARROW_LOOKED_AT}) as lately
         where signal_id = any ($2)
         group by machine_id, signal_id order by machine_id, signal_id"
    );
    if !narrow.is_empty() {
        for row in client.query(&query, &[&machine_ids, &narrow]).await? {
            let Some(signal) = SignalId::parse(row.get::<_, i32>(1).cast_unsigned()) else { continue };
            let recorded_at_ms = row.get::<_, Instant>(2).0;
            found.push(Newest { machine_id: row.get(0), signal, recorded_at_ms, value: row.get(3) });
        }
    }
    Ok(found)
}

/// What a counter grew by in the 24 hours before its newest value, for each of `newest` that was known then.
///
/// # Errors
/// When the database cannot be asked.
pub async fn grown_in_a_day(client: &impl GenericClient, newest: &[Newest]) -> Result<Vec<Newest>, StoreError> {
    let mut grown = Vec::new();
    for value in newest {
        let Some(column) = catalogue::find(value.signal).filter(|s| matches!(s.column, StoreColumn::Wide(_))) else {
            continue;
        };
        let name = column.name;
        let query = format!(
            "select {name}::double precision from sample
             where machine_id = $1 and recorded_at >= $2::timestamptz - interval '24 hours' and recorded_at <= $2
               and {name} is not null
             order by recorded_at limit 1"
        );
        let row = client.query_opt(&query, &[&value.machine_id, &Instant(value.recorded_at_ms)]).await?;
        let before: Option<f64> = row.map(|row| row.get(0));
        // A counter that was reset grew by nobody knows what.
        grown.extend(
            before
                .filter(|before| *before <= value.value)
                .map(|before| Newest { value: value.value - before, ..*value }),
        );
    }
    Ok(grown)
}

/// Places of a machine in a period, the first of each minute.
///
/// # Errors
/// When the database cannot be asked.
pub async fn places(
    client: &impl GenericClient,
    machine_id: i64,
    period: &Range<i64>,
    slice: Slice,
) -> Result<Entries<(f64, f64, Option<f64>)>, StoreError> {
    let rows = client
        .query(
            "with place as (select distinct on (date_trunc('minute', recorded_at))
                                   recorded_at, latitude_deg, longitude_deg, altitude_m
                            from sample
                            where machine_id = $1 and recorded_at >= $2 and recorded_at < $3
                              and latitude_deg is not null and longitude_deg is not null
                            order by date_trunc('minute', recorded_at), recorded_at)
             select recorded_at, latitude_deg, longitude_deg, altitude_m, (select count(*) from place)
             from place order by recorded_at limit $4 offset $5",
            &[&machine_id, &Instant(period.start), &Instant(period.end), &slice.limit, &slice.offset],
        )
        .await?;
    let place = |row: &Row| (row.get(1), row.get(2), row.get::<_, Option<f32>>(3).map(shortest));
    Ok(entries(&rows, 4, place))
}

/// Values of a signal in a period, each when it changed.
///
/// # Errors
/// When the database cannot be asked.
pub async fn changes(
    client: &impl GenericClient,
    machine_id: i64,
    signal: SignalId,
    period: &Range<i64>,
    slice: Slice,
) -> Result<Entries<f64>, StoreError> {
    let column = catalogue::find(signal).filter(|signal| matches!(signal.column, StoreColumn::Wide(_)));
    let source = match column {
        // Its shortest decimal: 62.4 was meant, not 62.40000152587891.
        Some(signal) => format!(
            "select recorded_at, {0}::text::double precision as value from sample where {0} is not null",
            signal.name
        ),
        None => format!("select recorded_at, value from signal_sample where signal_id = {}", signal.number()),
    };
    changes_of(client, &source, machine_id, period, slice).await
}

/// Whether the engine ran, each time that changed: by its speed, or where that is all a source tells, by its word.
///
/// # Errors
/// When the database cannot be asked.
pub async fn engine_changes(
    client: &impl GenericClient,
    machine_id: i64,
    period: &Range<i64>,
    slice: Slice,
) -> Result<Entries<bool>, StoreError> {
    // Two arms of one union take the machine and the period each.
    let source = format!(
        "select recorded_at, machine_id, (engine_speed_rpm > 0)::int::double precision as value
         from sample where engine_speed_rpm is not null
         union all
         select recorded_at, machine_id, value from signal_sample where signal_id = {}",
        catalogue::ENGINE_RUNNING.number()
    );
    let source = format!("select recorded_at, value from ({source}) as seen where true");
    let found = changes_of(client, &source, machine_id, period, slice).await?;
    let running = |entry: Recorded<f64>| Recorded { recorded_at_ms: entry.recorded_at_ms, value: entry.value > 0.0 };
    Ok(Entries { entries: found.entries.into_iter().map(running).collect(), total: found.total })
}

/// `source` selects `recorded_at` and `value`, and ends in a condition that more can be added to.
async fn changes_of(
    client: &impl GenericClient,
    source: &str,
    machine_id: i64,
    period: &Range<i64>,
    slice: Slice,
) -> Result<Entries<f64>, StoreError> {
    let query = format!(
        "with seen as ({source} and machine_id = $1 and recorded_at >= $2 and recorded_at < $3),
              compared as (select recorded_at, value, lag(value) over (order by recorded_at) as before from seen),
              change as (select recorded_at, value from compared where value is distinct from before)
         select recorded_at, value, (select count(*) from change) from change order by recorded_at limit $4 offset $5"
    );
    let rows = client
        .query(&query, &[&machine_id, &Instant(period.start), &Instant(period.end), &slice.limit, &slice.offset])
        .await?;
    Ok(entries(&rows, 2, |row| row.get(1)))
}

fn entries<T>(rows: &[Row], total_at: usize, value: impl Fn(&Row) -> T) -> Entries<T> {
    let total = rows.first().map_or(0, |row| row.get(total_at));
    let entry = |row: &Row| Recorded { recorded_at_ms: row.get::<_, Instant>(0).0, value: value(row) };
    Entries { entries: rows.iter().map(entry).collect(), total }
}

fn numbers_of_narrow(signals: &[SignalId]) -> Vec<i32> {
    let is_narrow = |id: &&SignalId| catalogue::find(**id).is_none_or(|signal| signal.column == StoreColumn::Narrow);
    signals.iter().filter(is_narrow).map(|id| id.number().cast_signed()).collect()
}

/// The number that a `real` was meant to be: its shortest decimal.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}
