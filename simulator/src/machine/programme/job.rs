//! One field, one operation, one implement.

use std::sync::{Arc, OnceLock};

use super::View;
use crate::machine::catalogue::{Crop, Implement, Operation, Receiver, Rounds};
use crate::machine::geometry::{Coverage, CoverageRules, FieldWays, Pass, Path, Point, Pose};
use crate::machine::land::Field;
use crate::random::Random;

/// Guidance keeps this share of the overlap that a driver leaves.
const GUIDED_OVERLAP_SHARE: f64 = 0.4;
/// A driver's passes lie beside the ideal by this share of the overlap, one standard deviation.
const MANUAL_ERROR_SHARE: f64 = 0.45;
const MANUAL_ERROR_M: (f64, f64) = (0.02, 0.22);
/// One pass in so many begins well off its line.
const GROSS_ERRORS: f64 = 0.012;

/// Work on a field.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) field_index: usize,
    pub(crate) field: Arc<Field>,
    pub(crate) operation: Arc<Operation>,
    pub(crate) implement: Arc<Implement>,
    pub(crate) crop: Arc<Crop>,
    pub(crate) year: i16,
    /// Name that its task controller knows it by.
    pub(crate) task: String,
    pub(crate) next_pass: usize,
    /// The machine stands at the beginning of [`Job::next_pass`].
    pub(super) at_start: bool,
    /// It has worked since it came to the field.
    pub(super) has_worked: bool,
    /// The run began in the middle of the field: nobody knows what was done before.
    pub(crate) is_partial: bool,
    /// Hectares until the hopper is empty.
    pub(super) hopper_ha: f64,
    seed: u64,
    rules: CoverageRules,
    error_m: f64,
    /// Made when it is first needed: it is the largest thing that a machine owns.
    plan: OnceLock<(Coverage, FieldWays)>,
}

impl Job {
    #[expect(clippy::too_many_arguments, reason = "a job is exactly this")]
    pub(super) fn new(
        view: &View<'_>,
        field_index: usize,
        operation: Arc<Operation>,
        implement: Arc<Implement>,
        crop: Arc<Crop>,
        year: i16,
        round: usize,
        random: &mut Random,
    ) -> Self {
        let model = view.model();
        let field = Arc::clone(&view.estate().farm.fields[field_index]);
        let precise = model.guided && model.receiver == Receiver::Rtk;
        let overlap = if model.guided { implement.overlap * GUIDED_OVERLAP_SHARE + 0.003 } else { implement.overlap };
        let error_m = if precise {
            0.02
        } else if model.guided {
            0.06
        } else {
            (MANUAL_ERROR_SHARE * overlap * implement.width_m).clamp(MANUAL_ERROR_M.0, MANUAL_ERROR_M.1)
        };
        Self {
            rules: CoverageRules {
                width_m: implement.width_m,
                overlap,
                radius_m: model.turning_radius_m,
                rounds_first: operation.rounds == Rounds::First,
                neighbours_only: implement.neighbours_only,
            },
            task: format!("TSK-{year}-{}-{:02}-{}", operation.name, field_index + 1, round + 1),
            hopper_ha: implement.filling_ha * random.range(0.5, 1.0),
            seed: random.next_u64(),
            field_index,
            field,
            operation,
            implement,
            crop,
            year,
            next_pass: 0,
            at_start: false,
            has_worked: false,
            is_partial: false,
            error_m,
            plan: OnceLock::new(),
        }
    }

    fn plan(&self) -> &(Coverage, FieldWays) {
        self.plan.get_or_init(|| {
            let coverage = Coverage::plan(&self.field.boundary, &self.rules, self.field.gate);
            let margin_m = (self.rules.radius_m).max(self.rules.width_m / 2.0);
            (coverage, FieldWays::new(self.field.boundary.clone(), margin_m, self.rules.radius_m))
        })
    }

    pub(super) fn coverage(&self) -> &Coverage {
        &self.plan().0
    }

    pub(super) fn ways(&self) -> &FieldWays {
        &self.plan().1
    }

    /// Begins in the middle of the field.
    pub(super) fn begin_at_share(&mut self, share: f64) {
        self.next_pass = (self.coverage().passes.len() as f64 * share) as usize;
        self.is_partial = self.next_pass > 0;
    }

    pub(super) fn is_done(&self) -> bool {
        self.next_pass >= self.coverage().passes.len()
    }

    /// The way of the next pass as it is really driven, and the width of its swath that nobody worked before.
    pub(super) fn pass(&self) -> Option<(Path, f64)> {
        let coverage = self.coverage();
        let pass = coverage.passes.get(self.next_pass)?;
        let (way, fresh_m) = coverage.way(pass, self.rules.radius_m, self.rules.width_m);
        Some(match (pass, way.pieces().first(), way.end()) {
            (Pass::Straight { .. }, Some(first), Some(end)) => {
                let (from, to) = self.as_driven(first.from.at, end.at);
                (Path::straight(from, to), fresh_m)
            }
            _ => (way, fresh_m),
        })
    }

    /// Where the next pass begins.
    pub(super) fn pass_start(&self) -> Option<Pose> {
        self.pass().and_then(|(path, _)| path.pieces().first().map(|piece| piece.from))
    }

    /// A straight pass with the errors of whoever steers.
    fn as_driven(&self, from: Point, to: Point) -> (Point, Point) {
        let mut random = Random::new(crate::machine::land::hash(self.seed, &[self.next_pass as i64]));
        let gross = if random.chance(GROSS_ERRORS) { 3.0 } else { 1.0 };
        let across = from.direction(to) + std::f64::consts::FRAC_PI_2;
        let error = |random: &mut Random| self.error_m * random.normal().clamp(-2.5, 2.5);
        let from = from.ahead(across, error(&mut random) * gross);
        let to = to.ahead(across, error(&mut random));
        (from, to)
    }

    /// Width of the swath, metres.
    pub(crate) fn width_m(&self) -> f64 {
        self.rules.width_m
    }

    /// Area of the whole field, hectares.
    pub(crate) fn field_ha(&self) -> f64 {
        self.field.area_ha()
    }
}
