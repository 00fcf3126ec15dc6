//! SAE J1939 and ISO 11783 on the CAN bus: what a frame is about, what its values are, messages longer than a frame,
//! faults, and who is speaking.
//!
//! ```text
//! CAN frame ─ id ▶ PGN, addresses ─ transport ▶ message ─ parameter ▶ values
//!                                                  ├─ diagnostics ▶ faults
//!                                                  └─ identification ▶ VIN, component
//! ```
//!
//! All of it is pure and bounded: a bus flooded with transport sessions costs a fixed amount of memory.

mod diagnostics;
mod id;
mod identification;
pub mod nmea2000;
mod parameter;
mod table;
mod transport;

pub use diagnostics::{DiagnosticMessage, TroubleCode};
pub use id::{BROADCAST, Id, pgn};
pub use identification::{ComponentId, component_id, vehicle_id};
pub use parameter::{Parameter, Quality, Raw, parameters_of};
pub use transport::{Defect, MAX_ADDRESSED_SESSIONS, MAX_MESSAGE_BYTES, Message, Transport};
