//! A machine as health sees it.

use tokio_postgres::GenericClient;

use super::super::StoreError;
use super::super::instant::Instant;

/// A machine and when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthMachine {
    /// Its number.
    pub machine_id: i64,
    /// Its serial.
    pub serial: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Unix milliseconds.
    pub registered_at_ms: i64,
    /// Newest sample, machine clock.
    pub recorded_at_ms: Option<i64>,
    /// Last contact of any kind.
    pub received_at_ms: Option<i64>,
}

/// A machine by its number.
///
/// # Errors
/// When the database cannot be asked, or there is none.
pub async fn health_machine(client: &impl GenericClient, machine_id: i64) -> Result<HealthMachine, StoreError> {
    let row = client
        .query_opt(
            "select serial, name, model, registered_at, recorded_at, received_at
             from machine left join machine_state using (machine_id) where machine_id = $1",
            &[&machine_id],
        )
        .await?;
    let row = row.ok_or_else(|| StoreError::Row {
        table: "machine",
        message: format!("machine {machine_id} has records and is not registered"),
    })?;
    let perhaps = |column: usize| row.get::<_, Option<Instant>>(column).map(|at| at.0);
    Ok(HealthMachine {
        machine_id,
        serial: row.get(0),
        name: row.get(1),
        model: row.get(2),
        registered_at_ms: row.get::<_, Instant>(3).0,
        recorded_at_ms: perhaps(4),
        received_at_ms: perhaps(5),
    })
}
