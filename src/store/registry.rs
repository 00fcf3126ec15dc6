//! Machines by serial.

use std::collections::HashMap;

use tokio_postgres::Client;
use wire::MachineSerial;

use super::StoreError;

/// Most serials remembered; beyond, the memory starts afresh. 200,000 machines are twice the largest cell.
const REMEMBERED_MAX: usize = 200_000;

/// Remembers the database's number of each machine.
#[derive(Debug, Default)]
pub(super) struct Registry {
    known: HashMap<MachineSerial, i64>,
}

impl Registry {
    /// Finds the numbers of `serials`, asking the database for those not met before; with `register`, unknown
    /// machines enter the registry. A machine that is missing in the result is unknown and stays so.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn resolve<'a>(
        &mut self,
        client: &Client,
        serials: impl Iterator<Item = &'a MachineSerial>,
        register: bool,
    ) -> Result<(), StoreError> {
        if self.known.len() > REMEMBERED_MAX {
            self.known.clear();
        }
        let mut unknown: Vec<&str> =
            serials.filter(|serial| !self.known.contains_key(*serial)).map(MachineSerial::as_str).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        // Sorted, so that two processes that register the same machines wait for each other in one direction.
        unknown.sort_unstable();
        unknown.dedup();
        if register {
            client
                .execute(
                    "insert into machine (serial) select serial from unnest($1::text[]) as new (serial)
                     where not exists (select from machine where machine.serial = new.serial)
                     order by serial on conflict do nothing",
                    &[&unknown],
                )
                .await?;
        }
        let rows = client.query("select serial, machine_id from machine where serial = any ($1)", &[&unknown]).await?;
        for row in rows {
            let serial = MachineSerial::parse(row.get(0)).map_err(|error| StoreError::Row {
                table: "machine",
                message: format!("serial {:?}: {error}", row.get::<_, &str>(0)),
            })?;
            self.known.insert(serial, row.get(1));
        }
        Ok(())
    }

    /// The number of a machine, once resolved.
    pub(super) fn find(&self, serial: &MachineSerial) -> Option<i64> {
        self.known.get(serial).copied()
    }
}
