//! The last known state of each machine.

use std::collections::BTreeMap;

use tokio_postgres::Transaction;
use wire::{Columns, Link, SignalId, catalogue};

use super::StoreError;
use super::load::{Run, StatusUpdate};
use super::session::Statements;
use crate::time::postgres_micros;

/// Signals with a column in `machine_state`.
const SIGNALS: [SignalId; 8] = [
    catalogue::LATITUDE_DEG,
    catalogue::LONGITUDE_DEG,
    catalogue::HEADING_DEG,
    catalogue::GROUND_SPEED_KMH,
    catalogue::ENGINE_SPEED_RPM,
    catalogue::FUEL_LEVEL_PCT,
    catalogue::ENGINE_HOURS_H,
    catalogue::COOLANT_TEMP_C,
];

/// What a batch says of the newest state of its machines.
#[derive(Default)]
pub(super) struct LastKnown {
    machines: BTreeMap<i64, State>,
}

#[derive(Default)]
struct State {
    received_at_ms: i64,
    recorded_at_ms: Option<i64>,
    /// Newest value of each of [`SIGNALS`] with its time.
    values: [Option<(i64, f64)>; SIGNALS.len()],
    link: Option<(i64, Link)>,
    model: Option<String>,
    firmware: Option<String>,
}

impl LastKnown {
    /// The machine was heard.
    pub(super) fn contact(&mut self, machine_id: i64, received_at_ms: i64) {
        let state = self.machines.entry(machine_id).or_default();
        state.received_at_ms = state.received_at_ms.max(received_at_ms);
    }

    /// The machine reported samples.
    pub(super) fn samples(&mut self, machine_id: i64, run: &Run, columns: &Columns) {
        let times = &run.frame.recorded_at_ms;
        let state = self.machines.entry(machine_id).or_default();
        state.recorded_at_ms = state.recorded_at_ms.max(times[run.records.clone()].iter().max().copied());
        for column in &columns.columns {
            let Some(slot) = SIGNALS.iter().position(|signal| *signal == column.signal) else { continue };
            let newest = column
                .presence
                .positions(times.len())
                .zip(&column.values)
                .filter(|(position, _)| run.records.contains(position))
                .max_by_key(|(position, _)| times[*position]);
            if let Some((position, raw)) = newest
                && state.values[slot].is_none_or(|(at, _)| at <= times[position])
            {
                state.values[slot] = Some((times[position], column.signal.physical(*raw)));
            }
        }
    }

    /// The machine, or the broker in its place, reported its link.
    pub(super) fn status(&mut self, machine_id: i64, status: &StatusUpdate) {
        let state = self.machines.entry(machine_id).or_default();
        state.received_at_ms = state.received_at_ms.max(status.received_at_ms);
        state.link = Some((status.received_at_ms, status.link));
        if status.model.is_some() {
            state.model.clone_from(&status.model);
        }
        if status.firmware.is_some() {
            state.firmware.clone_from(&status.firmware);
        }
    }

    pub(super) async fn write(&self, transaction: &Transaction<'_>, statements: &Statements) -> Result<(), StoreError> {
        if self.machines.is_empty() {
            return Ok(());
        }
        let each = || self.machines.values();
        let machines: Vec<_> = self.machines.keys().copied().collect();
        let received: Vec<_> = each().map(|state| postgres_micros(state.received_at_ms)).collect();
        let recorded: Vec<_> = each().map(|state| state.recorded_at_ms.map(postgres_micros)).collect();
        let link: Vec<_> = each().map(|state| state.link.map(|(_, link)| link_name(link))).collect();
        let link_at: Vec<_> = each().map(|state| state.link.map(|(at, _)| postgres_micros(at))).collect();
        let firmware: Vec<_> = each().map(|state| state.firmware.as_deref()).collect();
        let value = |slot: usize| -> Vec<Option<f64>> { each().map(|state| state.values[slot].map(|v| v.1)).collect() };
        let values: [Vec<Option<f64>>; SIGNALS.len()] = std::array::from_fn(value);
        transaction
            .execute(
                &statements.move_states,
                &[
                    &machines, &received, &recorded, &link, &link_at, &firmware, &values[0], &values[1], &values[2],
                    &values[3], &values[4], &values[5], &values[6], &values[7],
                ],
            )
            .await?;
        let (named, models): (Vec<i64>, Vec<&str>) =
            self.machines.iter().filter_map(|(machine_id, state)| Some((*machine_id, state.model.as_deref()?))).unzip();
        if !named.is_empty() {
            transaction.execute(&statements.name_models, &[&named, &models]).await?;
        }
        Ok(())
    }
}

pub(super) const MOVE_STATES: &str = include_str!("state.sql");

pub(super) const NAME_MODELS: &str = "update machine set model = new.model
     from unnest($1::bigint[], $2::text[]) as new (machine_id, model)
     where machine.machine_id = new.machine_id and machine.model is distinct from new.model";

fn link_name(link: Link) -> &'static str {
    match link {
        Link::Online => "online",
        Link::Offline => "offline",
    }
}
