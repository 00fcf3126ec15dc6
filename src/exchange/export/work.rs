//! A session with what identifies it: what exports and reports are made of.

use crate::derive::fieldwork::{Place, Session};

/// Who did the work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine {
    /// Serial.
    pub serial: String,
    /// What people call it.
    pub name: Option<String>,
    /// Model.
    pub model: Option<String>,
}

impl Machine {
    /// Name, or else serial.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.serial)
    }
}

/// A session of a machine, as it stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Number in the store.
    pub session_id: i64,
    /// How often it was worked out anew: 1 is the first result.
    pub revision: u32,
    /// Whether someone has confirmed it.
    pub is_confirmed: bool,
    /// Who did it.
    pub machine: Machine,
    /// Farm of its field.
    pub farm: Option<String>,
    /// The farm's code for its field.
    pub field_code: Option<String>,
    /// What was done.
    pub session: Session,
}

impl Work {
    /// Name of the field, or what the task calls the place.
    pub fn field_name(&self) -> Option<&str> {
        match &self.session.place {
            Place::Field { name, .. } => Some(name),
            Place::Outside { name, .. } => name.as_deref(),
        }
    }

    /// Number of the field; none outside known fields.
    pub fn field_id(&self) -> Option<i64> {
        match self.session.place {
            Place::Field { field_id, .. } => Some(field_id),
            Place::Outside { .. } => None,
        }
    }
}
