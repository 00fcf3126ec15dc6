//! Faults with a life, in the store.

use serde::Serialize;
use tokio_postgres::{GenericClient, Row};

use super::super::StoreError;
use super::super::instant::Instant;
use super::episode::severity;
use crate::derive::health::Severity;
use crate::derive::health::fault::{Code, Fault, FaultKey};

/// A fault of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRow {
    /// Whose.
    pub machine_id: i64,
    /// Its serial.
    pub serial: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Newest record of the machine, Unix milliseconds.
    pub machine_at_ms: Option<i64>,
    /// Which fault.
    pub key: FaultKey,
    /// How bad.
    pub severity: Severity,
    /// What is known of its life.
    pub fault: Fault,
    /// When a person closed its alert, after it was gone.
    pub closed_by_person_ms: Option<i64>,
    /// Its alert.
    pub alert_id: Option<i64>,
    /// Where that stands.
    pub alert_state: Option<String>,
}

/// The same code on other machines of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultsElsewhere {
    /// Serials of other machines of the model that know the code, the latest first, at most a few.
    pub serials: Vec<String>,
    /// How many there are.
    pub machines: i64,
    /// On how many of them it is active.
    pub active: i64,
    /// How many machines of the model there are in all.
    pub of_machines: i64,
}

/// Serials that are named.
const SERIALS_MAX: i64 = 10;

/// Puts the faults of a machine in place of what was known of them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn replace_faults(
    client: &impl GenericClient,
    machine_id: i64,
    faults: &[(FaultKey, Severity, Fault)],
) -> Result<(), StoreError> {
    for (key, severity, fault) in faults {
        client
            .execute(
                "insert into fault (machine_id, source_address, spn, fmi, legacy, severity, first_seen_at, last_seen_at,
                     active_since_at, gone_at, cleared_at, listed, activations, unseen_activations, occurrence_count,
                     lamp_state, lamp_flash)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
                 on conflict (machine_id, source_address, spn, fmi, legacy) do update set
                     severity = $6, first_seen_at = $7, last_seen_at = $8, active_since_at = $9, gone_at = $10,
                     cleared_at = $11, listed = $12, activations = $13, unseen_activations = $14,
                     occurrence_count = $15, lamp_state = $16, lamp_flash = $17",
                &[
                    &machine_id,
                    &i16::from(key.source_address),
                    &key.spn.cast_signed(),
                    &i16::from(key.fmi),
                    &key.legacy,
                    &i16::from(severity.number()),
                    &Instant(fault.first_seen_ms),
                    &Instant(fault.last_seen_ms),
                    &fault.active_since_ms.map(Instant),
                    &fault.gone_at_ms.map(Instant),
                    &fault.cleared_at_ms.map(Instant),
                    &fault.listed,
                    &fault.activations.cast_signed(),
                    &fault.unseen_activations.cast_signed(),
                    &fault.occurrence_count.map(i16::from),
                    &i16::from(fault.lamps.0),
                    &i16::from(fault.lamps.1),
                ],
            )
            .await?;
    }
    let (addresses, spns): (Vec<i16>, Vec<i32>) =
        faults.iter().map(|(key, ..)| (i16::from(key.source_address), key.spn.cast_signed())).unzip();
    let (fmis, legacies): (Vec<i16>, Vec<bool>) =
        faults.iter().map(|(key, ..)| (i16::from(key.fmi), key.legacy)).unzip();
    client
        .execute(
            "delete from fault where machine_id = $1 and (source_address, spn, fmi, legacy) not in
                 (select * from unnest($2::smallint[], $3::integer[], $4::smallint[], $5::boolean[]))",
            &[&machine_id, &addresses, &spns, &fmis, &legacies],
        )
        .await?;
    Ok(())
}

/// The faults of a machine, or of the fleet, the most severe and then the latest first; without `all` only active ones.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn fault_rows(
    client: &impl GenericClient,
    machine_id: Option<i64>,
    all: bool,
    limit: i64,
) -> Result<Vec<FaultRow>, StoreError> {
    let rows = client
        .query(
            "select fault.machine_id, serial, name, model, machine_state.recorded_at as machine_at,
                    source_address, spn, fmi, legacy, fault.severity, first_seen_at, last_seen_at, active_since_at,
                    fault.gone_at, cleared_at, listed, activations, unseen_activations, occurrence_count, lamp_state,
                    lamp_flash, alert_id, alert.state as alert_state,
                    case when alert.state = 'closed' and alert.state_at >= coalesce(fault.gone_at, first_seen_at)
                         then alert.state_at end as closed_by_person
             from fault
             join machine using (machine_id)
             left join machine_state using (machine_id)
             left join alert on alert.machine_id = fault.machine_id
                  and alert.subject = format('fault/%s/%s/%s', source_address, spn, fmi)
                                      || case when legacy then '/legacy' else '' end
             where ($1::bigint is null or fault.machine_id = $1)
               and ($2 or (active_since_at is not null and fault.gone_at is null))
             order by fault.severity desc, coalesce(active_since_at, first_seen_at) desc, serial, source_address, spn, fmi
             limit $3",
            &[&machine_id, &all, &limit],
        )
        .await?;
    rows.iter().map(fault_row).collect()
}

fn fault_row(row: &Row) -> Result<FaultRow, StoreError> {
    let machine_id: i64 = row.get("machine_id");
    let wrong =
        |message: String| StoreError::Row { table: "fault", message: format!("machine {machine_id}: {message}") };
    let byte =
        |column: &str| u8::try_from(row.get::<_, i16>(column)).map_err(|error| wrong(format!("{column}: {error}")));
    let count =
        |column: &str| u32::try_from(row.get::<_, i32>(column)).map_err(|error| wrong(format!("{column}: {error}")));
    let at = |column: &str| row.get::<_, Instant>(column).0;
    let perhaps = |column: &str| row.get::<_, Option<Instant>>(column).map(|at| at.0);
    let occurrence_count: Option<i16> = row.get("occurrence_count");
    Ok(FaultRow {
        machine_id,
        serial: row.get("serial"),
        name: row.get("name"),
        model: row.get("model"),
        machine_at_ms: perhaps("machine_at"),
        key: FaultKey {
            source_address: byte("source_address")?,
            spn: count("spn")?,
            fmi: byte("fmi")?,
            legacy: row.get("legacy"),
        },
        severity: severity(row.get("severity")).map_err(wrong)?,
        fault: Fault {
            first_seen_ms: at("first_seen_at"),
            last_seen_ms: at("last_seen_at"),
            activations: count("activations")?,
            unseen_activations: count("unseen_activations")?,
            occurrence_count: occurrence_count.and_then(|count| u8::try_from(count).ok()),
            lamps: (byte("lamp_state")?, byte("lamp_flash")?),
            active_since_ms: perhaps("active_since_at"),
            gone_at_ms: perhaps("gone_at"),
            listed: row.get("listed"),
            cleared_at_ms: perhaps("cleared_at"),
            settled: true,
        },
        closed_by_person_ms: perhaps("closed_by_person"),
        alert_id: row.get("alert_id"),
        alert_state: row.get("alert_state"),
    })
}

/// The same code on other machines of the same model.
///
/// # Errors
/// When the database cannot be asked.
pub async fn fault_elsewhere(
    client: &impl GenericClient,
    machine_id: i64,
    code: Code,
) -> Result<FaultsElsewhere, StoreError> {
    let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&machine_id, &code.spn.cast_signed(), &i16::from(code.fmi), &SERIALS_MAX];
    let rows = client
        .query(
            "with other as (
                 select other.machine_id, other.serial from machine as own join machine as other using (model)
                 where own.machine_id = $1 and other.machine_id <> $1),
             known as (
                 select serial, max(last_seen_at) as last_seen_at,
                        bool_or(active_since_at is not null and gone_at is null) as active
                 from other join fault using (machine_id)
                 where spn = $2 and fmi = $3 and not legacy
                 group by serial)
             select (select count(*) from other), (select count(*) from known), (select count(*) from known where active),
                    (select array_agg(serial order by last_seen_at desc)
                     from (select * from known order by last_seen_at desc limit $4) as latest)",
            parameters,
        )
        .await?;
    let row = &rows[0];
    Ok(FaultsElsewhere {
        of_machines: row.get(0),
        machines: row.get(1),
        active: row.get(2),
        serials: row.get::<_, Option<Vec<String>>>(3).unwrap_or_default(),
    })
}
