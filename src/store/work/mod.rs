//! Field work in the store: sessions with their revisions, sums, and the settings that sessions are computed with.

mod input;
mod session;
mod setting;
mod total;

pub use input::{accounted, carried, was_at_it};
pub use session::{
    Confirmed, Revision, SESSIONS_MAX, SessionFilter, SessionRow, confirm_session, reopen_session, replace_sessions,
    session_history, work_sessions,
};
pub use setting::{
    ImplementRow, MachineWork, UseRow, enter_implement, implement_uses, implements, machine_setting, machine_work,
    set_machine_work, use_implement,
};
pub use total::{TotalRow, TotalsBy, work_totals};
