//! The store: the only place that holds SQL.
//!
//! One transaction per batch extends the ledger, loads what is new by binary COPY, files what was refused, and
//! moves the last known state ([`load`]). [`Writer`] repeats it until it has committed.

mod backend;
mod capture;
mod columnstore;
mod connect;
mod copy;
mod edition;
mod error;
pub mod field;
mod foreign;
pub mod health;
mod instant;
mod ledger;
mod load;
mod maintain;
mod marks;
mod migrate;
mod multirange;
mod newest;
mod organisation;
mod pool;
mod quarantine;
mod readings;
mod registry;
mod reports;
mod server;
mod session;
mod state;
mod status;
mod token;
mod use_of_day;
pub mod work;
mod writer;

pub use capture::{
    CaptureRow, CaptureState, NewCapture, SignalSummary, capture_by_request, enter_capture, note_capture,
    stored_of_capture, summary_of_capture,
};
pub use columnstore::{InColumns, UNREADABLE_MEND, convert_old_samples, in_columns, require_readable};
pub use connect::{connect, database_name, ping};
pub use edition::{Edition, probe_edition};
pub use error::{ErrorClass, StoreError, classify, waiting_helps};
pub use foreign::{ForeignMachine, import_foreign};
pub use load::{
    Batch, Loaded, Prepared, Records, Refusal, Reject, Run, Settings, StatusUpdate, StoredBoot, TimeCorrection, load,
};
pub use maintain::maintain;
pub use marks::{Taken, give_back, lock_machine, mark, mark_everything, marked_machines, take_marks};
pub use migrate::{MIGRATIONS, migrate, pending_migrations};
pub use newest::{
    Entries, Newest, Recorded, RegisteredMachine, Slice, changes, engine_changes, grown_in_a_day, machine_by_serial,
    machines, newest_values, places,
};
pub use organisation::{Reach, assign_machines, enter_organisation, organisation, organisations};
pub use pool::{Pool, Pooled};
pub use readings::{MAX_READINGS, fault_reports, readings, readings_and_raw, task_reports};
pub use server::{Server, server};
pub use session::Session;
pub use status::{MachineStatus, fleet_status, machine_days, quarantined_records};
pub use token::{
    ACCESS_LIFETIME_S, ApiToken, Scope, create_token, grant_access, list_tokens, note_use, revoke_token,
    token_by_bearer, token_by_secret,
};
pub use use_of_day::{UseOfDay, use_of_days};
pub use writer::Writer;
