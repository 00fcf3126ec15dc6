//! Machine health in the store: how far it has been followed, what was found, what people did about it, what is told.

mod alert;
mod delivery;
mod episode;
mod fault;
mod freeze;
mod machine;
mod progress;
mod service;

pub use alert::{
    Alert, AlertFilter, HistoryEntry, Told, WorkChange, alert_history, alerts, change_alert, join_episodes,
};
pub use delivery::{
    Channel, ChannelKind, Delivery, DeliveryRow, NewChannel, add_channel, channels, deliveries, delivery_failed,
    delivery_succeeded, due_deliveries, enable_channel, enqueue, remove_channel, retry_dead,
};
pub use episode::{Stored, apply_changes, episodes, known_episodes};
pub use fault::{FaultRow, FaultsElsewhere, fault_elsewhere, fault_rows, replace_faults};
pub use freeze::{AROUND_MS, FreezeFrame, Moment, episodes_to_pin, forget_old, freeze_frame, pin};
pub use machine::{HealthMachine, health_machine};
pub use progress::{
    Checkpoint, Progress, checkpoint_before, cohort, drop_checkpoints_after, earliest_record, health_days,
    latest_checkpoint, machines_to_judge, next_record, progress, set_progress, store_checkpoint, store_days,
    store_usual, usage_days,
};
pub use service::{
    HoursRow, NewDone, ServiceRow, enter_service, machine_hours, service_done, store_hours, strike_service,
};
