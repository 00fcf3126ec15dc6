//! What the store knows of the fleet, for `polevod status`.

use tokio_postgres::Client;

use super::StoreError;
use super::ledger::{BOOT_DAY_COLUMNS, boot_day};
use crate::derive::completeness::BootDay;

/// A machine and its last known state.
#[derive(Debug, Clone, serde::Serialize)]
#[allow(missing_docs)]
pub struct MachineStatus {
    pub machine_id: i64,
    pub serial: String,
    pub model: Option<String>,
    /// `online`, `offline`; none: it never said.
    pub link: Option<String>,
    /// Newest sample, RFC 3339.
    pub recorded_at: Option<String>,
    /// Last contact of any kind, RFC 3339.
    pub received_at: Option<String>,
    pub latitude_deg: Option<f64>,
    pub longitude_deg: Option<f64>,
    pub ground_speed_kmh: Option<f32>,
    pub engine_speed_rpm: Option<f32>,
    pub fuel_level_pct: Option<f32>,
    pub engine_hours_h: Option<f64>,
    pub coolant_temp_c: Option<f32>,
}

/// Every machine, or the one called `serial`, by serial.
///
/// # Errors
/// When the database cannot be asked.
pub async fn fleet_status(client: &Client, serial: Option<&str>) -> Result<Vec<MachineStatus>, StoreError> {
    let rows = client
        .query(
            "select machine_id, serial, model, link,
                    to_char(recorded_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as recorded_at,
                    to_char(received_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as received_at,
                    latitude_deg, longitude_deg, ground_speed_kmh, engine_speed_rpm, fuel_level_pct, engine_hours_h,
                    coolant_temp_c
             from machine left join machine_state using (machine_id)
             where $1::text is null or serial = $1
             order by serial",
            &[&serial],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| MachineStatus {
            machine_id: row.get("machine_id"),
            serial: row.get("serial"),
            model: row.get("model"),
            link: row.get("link"),
            recorded_at: row.get("recorded_at"),
            received_at: row.get("received_at"),
            latitude_deg: row.get("latitude_deg"),
            longitude_deg: row.get("longitude_deg"),
            ground_speed_kmh: row.get("ground_speed_kmh"),
            engine_speed_rpm: row.get("engine_speed_rpm"),
            fuel_level_pct: row.get("fuel_level_pct"),
            engine_hours_h: row.get("engine_hours_h"),
            coolant_temp_c: row.get("coolant_temp_c"),
        })
        .collect())
}

/// Every day of every boot of a machine, boots together, days ascending: what the completeness of its days is
/// computed from.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn machine_days(client: &Client, machine_id: i64) -> Result<Vec<BootDay>, StoreError> {
    let query =
        format!("select {BOOT_DAY_COLUMNS} from stored_day where machine_id = $1 order by boot_id, stored_day.day");
    client.query(&query, &[&machine_id]).await?.iter().map(boot_day).collect()
}

/// Records and whole messages in quarantine; records that are only known by a message count as one.
///
/// # Errors
/// When the database cannot be asked.
pub async fn quarantined_records(client: &Client) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "select coalesce(sum(case when value_count > 0 then 0 else greatest(record_count, 1) end), 0)::bigint
             from quarantine",
            &[],
        )
        .await?;
    Ok(row.get(0))
}
