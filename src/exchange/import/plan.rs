//! What an import would do to each field, given those that are known.

use serde::Serialize;

use crate::derive::field::{Field, FieldId, Fields};
use crate::derive::geometry::{Frame, Point};

use super::{Farm, FieldDraft, Implement, Import, Worker};

/// Neighbours share a boundary that two people walked: so much of the smaller one may lie in both.
const SLIVER_SHARE: f64 = 0.02;
/// Boundaries that differ by less than this share of their area are the same.
const SAME_SHARE: f64 = 1e-6;
/// A field whose boundary is entered anew has not moved farther than this, km.
const MOVED_MAX_KM: f64 = 3.0;
const M2_PER_HA: f64 = 10_000.0;
const M_PER_KM: f64 = 1_000.0;

/// What an import would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Farms to be known.
    pub farms: Vec<Farm>,
    /// People to be known.
    pub workers: Vec<Worker>,
    /// Implements to be known.
    pub implements: Vec<Implement>,
    /// In the order of the import.
    pub fields: Vec<PlannedField>,
}

/// A field with what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedField {
    /// The field of the file.
    pub draft: FieldDraft,
    /// What becomes of it.
    pub decision: Decision,
}

/// What becomes of a field of an import.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It is new.
    New,
    /// It is known by its code or name, and its boundary or what is said of it changes.
    Changed {
        /// The known field.
        id: FieldId,
        /// Its boundary so far, ha.
        was_ha: f64,
    },
    /// It is known and the same.
    Unchanged {
        /// The known field.
        id: FieldId,
    },
    /// It lies on another field.
    Overlaps(Overlap),
    /// The known field of its code or name is somewhere else: of two farms that number their fields from 1, say.
    Elsewhere {
        /// The known field.
        other: String,
        /// How far its middle is from this one's, km.
        km: f64,
    },
}

impl PlannedField {
    /// Whether it is left out; the decision says why.
    pub fn is_refused(&self) -> bool {
        matches!(self.decision, Decision::Overlaps(_) | Decision::Elsewhere { .. })
    }
}

/// How much of a field lies on another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// Name of the other field.
    pub other: String,
    /// Area in both, ha.
    pub shared_ha: f64,
    /// Share of the smaller one, 0 to 1.
    pub share: f64,
}

/// Decides for each field of an import. Overlaps with fields known or of the same import are refused unless
/// `allow_overlap`: work there could not be told apart.
pub fn plan(import: Import, known: &Fields, allow_overlap: bool) -> Plan {
    let mut fields: Vec<PlannedField> = Vec::new();
    for draft in import.fields {
        let same = known.iter().find(|field| is_same_field(&draft, field));
        let moved_km = same.map_or(0.0, |same| apart_km(&draft, same));
        let overlap = || {
            let with_known = known
                .sharing(&draft.boundary)
                .into_iter()
                .filter(|(other, _)| same.is_none_or(|same| same.id != other.id));
            let with_known =
                with_known.map(|(other, shared_m2)| (other.name.clone(), other.boundary.area_m2(), shared_m2));
            let accepted = fields.iter().filter(|field| !field.is_refused());
            let with_drafts = accepted.map(|other| {
                let shared_m2 = other.draft.boundary.shared_m2(&draft.boundary);
                (other.draft.name.clone(), other.draft.boundary.area_m2(), shared_m2)
            });
            with_known
                .chain(with_drafts)
                .map(|(other, area_m2, shared_m2)| Overlap {
                    other,
                    shared_ha: shared_m2 / M2_PER_HA,
                    share: shared_m2 / area_m2.min(draft.boundary.area_m2()),
                })
                .filter(|overlap| overlap.share > SLIVER_SHARE)
                .max_by(|a, b| a.share.total_cmp(&b.share))
        };
        let decision = match (same, overlap().filter(|_| !allow_overlap)) {
            (Some(same), _) if is_unchanged(&draft, same) => Decision::Unchanged { id: same.id },
            (Some(same), _) if moved_km > MOVED_MAX_KM => {
                Decision::Elsewhere { other: same.name.clone(), km: moved_km }
            }
            (_, Some(overlap)) => Decision::Overlaps(overlap),
            (Some(same), None) => Decision::Changed { id: same.id, was_ha: same.boundary.area_ha() },
            (None, None) => Decision::New,
        };
        fields.push(PlannedField { draft, decision });
    }
    Plan { farms: import.farms, workers: import.workers, implements: import.implements, fields }
}

/// The same code on the same farm, or the same name where one of them has no code.
fn is_same_field(draft: &FieldDraft, field: &Field) -> bool {
    let same_farm = draft.farm.is_none() || field.farm.is_none() || draft.farm == field.farm;
    same_farm
        && match (&draft.code, &field.code) {
            (Some(one), Some(two)) => one == two,
            _ => draft.name == field.name,
        }
}

fn apart_km(draft: &FieldDraft, field: &Field) -> f64 {
    let (new, old) = (draft.boundary.centre(), field.boundary.centre());
    Frame::at(old.lat_deg, old.lon_deg).point(new.lat_deg, new.lon_deg).distance(Point::default()) / M_PER_KM
}

fn is_unchanged(draft: &FieldDraft, field: &Field) -> bool {
    let adds = |new: &Option<String>, old: &Option<String>| new.is_some() && new != old;
    let (new, old) = (draft.boundary.area_m2(), field.boundary.area_m2());
    let is_same_ground = || {
        let apart_m2 = new + old - 2.0 * draft.boundary.shared_m2(&field.boundary);
        apart_m2 <= old * SAME_SHARE
    };
    draft.name == field.name
        && !adds(&draft.code, &field.code)
        && !adds(&draft.farm, &field.farm)
        && !adds(&draft.crop, &field.crop)
        && (draft.boundary == field.boundary || is_same_ground())
}
