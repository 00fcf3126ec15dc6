//! Doing what a plan says.

use serde::Serialize;
use tokio_postgres::Transaction;

use crate::derive::field::FieldId;
use crate::store::StoreError;
use crate::store::field::{NewField, change_field, enter_farm, enter_field, enter_worker};
use crate::store::work::{ImplementRow, enter_implement, implements};

use super::{Decision, FieldDraft, Plan};

/// Where fields of an import that are new or changed went, and how much else was new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// The number of each field, in the order of the plan; none for one that was not taken.
    pub fields: Vec<Option<i64>>,
    /// Farms that were not known.
    pub new_farms: usize,
    /// People who were not known.
    pub new_workers: usize,
    /// Implements that were not known.
    pub new_implements: usize,
}

/// Enters what a plan takes. Implements that are known stay as people set them.
///
/// # Errors
/// When the database cannot be asked, or refuses.
pub async fn save(transaction: &Transaction<'_>, plan: &Plan) -> Result<Saved, StoreError> {
    let mut saved = Saved::default();
    for farm in &plan.farms {
        saved.new_farms += usize::from(enter_farm(transaction, &farm.name, farm.customer.as_deref()).await?);
    }
    for worker in &plan.workers {
        saved.new_workers += usize::from(enter_worker(transaction, &worker.name).await?);
    }
    let known = implements(transaction).await?;
    for implement in &plan.implements {
        if known.iter().any(|known| known.name == implement.name) {
            continue;
        }
        let row = ImplementRow {
            implement_id: 0,
            name: implement.name.clone(),
            operation: None,
            width_m: implement.width_m.filter(|width| (0.1..=100.0).contains(width)),
            offset_ahead_m: 0.0,
            offset_right_m: 0.0,
        };
        enter_implement(transaction, &row).await?;
        saved.new_implements += 1;
    }
    for planned in &plan.fields {
        let id = match planned.decision {
            Decision::New => Some(enter_field(transaction, &new_field(&planned.draft)).await?),
            Decision::Changed { id, .. } => {
                change_field(transaction, id, &new_field(&planned.draft)).await?.then_some(id)
            }
            Decision::Unchanged { id } => Some(id),
            Decision::Overlaps(_) | Decision::Elsewhere { .. } => None,
        };
        saved.fields.push(id.map(|FieldId(id)| id));
    }
    Ok(saved)
}

fn new_field(draft: &FieldDraft) -> NewField {
    NewField {
        name: draft.name.clone(),
        code: draft.code.clone(),
        farm: draft.farm.clone(),
        crop: draft.crop.clone(),
        boundary: draft.boundary.clone(),
        source: draft.file.clone(),
    }
}
