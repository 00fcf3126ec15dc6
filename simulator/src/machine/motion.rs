//! Moving along a way: speed changes evenly within a chunk, and no chunk passes over a place where something changes.

use super::geometry::{Cursor, Path, Pose};
use super::plant::Ramp;

/// Longest chunk while moving, seconds.
const LONGEST_S: f64 = 5.0;
const SHORTEST_S: f64 = 0.2;
/// Usual changes of speed, m/s².
const SPEEDS_UP: f64 = 0.45;
const SLOWS_DOWN: f64 = 0.75;
/// Sideways in a turn, at most, m/s².
const SIDEWAYS: f64 = 1.3;
/// Backwards, at most, m/s.
const BACKWARDS_MPS: f64 = 1.3;
/// Slower than this is standing, m/s.
pub(crate) const STANDS_MPS: f64 = 0.02;

/// A machine on its way.
#[derive(Debug, Clone)]
pub(crate) struct Travel {
    pub(crate) path: Path,
    pub(crate) along_m: f64,
    cursor: Cursor,
    pub(crate) speed_mps: f64,
    /// At the end of the way.
    exit_mps: f64,
}

/// A step along a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) length_s: f64,
    pub(crate) speed: Ramp,
}

impl Travel {
    pub(crate) fn new(path: Path, speed_mps: f64, exit_mps: f64) -> Self {
        Self { path, along_m: 0.0, cursor: Cursor::default(), speed_mps, exit_mps }
    }

    /// What is left of the way, metres.
    pub(crate) fn left_m(&self) -> f64 {
        self.path.length_m() - self.along_m
    }

    /// Where the machine is `way_m` further on, and whether it goes backwards there.
    pub(crate) fn pose_after(&self, way_m: f64) -> (Pose, bool) {
        self.path.pose_from(self.along_m + way_m, self.cursor)
    }

    /// Goes on by a step.
    pub(crate) fn advance(&mut self, step: &Step) {
        self.along_m += step.speed.sum(1.0, step.length_s);
        self.speed_mps = step.speed.to;
        // Rounding must not leave a hair of a piece behind.
        if self.piece_left_m() < 1e-6 {
            self.along_m += self.piece_left_m();
        }
        self.cursor = self.path.locate(self.along_m + 1e-9, self.cursor);
    }

    /// The curvature and direction of the piece that is driven now.
    pub(crate) fn piece(&self) -> (f64, bool) {
        self.path.pieces().get(self.cursor.piece).map_or((0.0, false), |piece| (piece.curvature, piece.backwards))
    }

    /// Where the piece that is driven now began on the way, metres.
    pub(crate) fn piece_number(&self) -> usize {
        self.cursor.piece
    }

    fn piece_left_m(&self) -> f64 {
        let piece = self.path.pieces().get(self.cursor.piece);
        piece.map_or(0.0, |piece| self.cursor.before_m + piece.length_m - self.along_m)
    }

    /// The next step, with `cruise_mps` where nothing hinders, and at most `longest_s`. A machine that shall stop
    /// slows down as soon as it can.
    pub(crate) fn plan(&self, cruise_mps: f64, stop: bool, longest_s: f64) -> Step {
        let longest_s = longest_s.min(LONGEST_S);
        let left_m = self.piece_left_m();
        let from = self.speed_mps;
        if stop {
            let length_s = (from / SLOWS_DOWN).max(SHORTEST_S);
            if from * length_s / 2.0 < left_m {
                return Step { length_s, speed: Ramp { from, to: 0.0 } };
            }
        }
        let limit = self.limit(self.cursor.piece, cruise_mps);
        // What lies ahead may be fast; from a standstill it is not reached within a metre.
        let reached = (from * from + 2.0 * SPEEDS_UP * left_m).sqrt();
        let exit = self.exit_limit(cruise_mps).min(limit).min(reached);
        let braking_m = ((from * from - exit * exit) / (2.0 * SLOWS_DOWN)).max(0.0);
        if left_m <= braking_m + 0.01 {
            return arrive(from, exit, left_m);
        }
        let to_of = |dt: f64| from + (limit - from).clamp(-SLOWS_DOWN * dt, SPEEDS_UP * dt);
        let mut dt = longest_s;
        // Not so far that braking would come too late: by halving, for the bound is no simple formula.
        for _ in 0..6 {
            let to = to_of(dt);
            let way_m = (from + to) / 2.0 * dt;
            let then_braking_m = ((to * to - exit * exit) / (2.0 * SLOWS_DOWN)).max(0.0);
            if way_m + then_braking_m <= left_m {
                return Step { length_s: dt, speed: Ramp { from, to } };
            }
            dt *= 0.6;
        }
        // No room to speed up and brake again, but still to brake: so it does from here on.
        arrive(from, exit, left_m)
    }

    /// Speed that a piece allows.
    fn limit(&self, piece: usize, cruise_mps: f64) -> f64 {
        let Some(piece) = self.path.pieces().get(piece) else { return cruise_mps };
        let in_turn = if piece.curvature == 0.0 { f64::INFINITY } else { (SIDEWAYS / piece.curvature.abs()).sqrt() };
        let backwards = if piece.backwards { BACKWARDS_MPS } else { f64::INFINITY };
        cruise_mps.min(in_turn).min(backwards)
    }

    /// Speed at which the piece that is driven now has to be left.
    fn exit_limit(&self, cruise_mps: f64) -> f64 {
        let pieces = self.path.pieces();
        match (pieces.get(self.cursor.piece), pieces.get(self.cursor.piece + 1)) {
            (Some(now), Some(next)) if now.backwards != next.backwards => 0.0,
            (_, Some(_)) => self.limit(self.cursor.piece + 1, cruise_mps),
            (_, None) => self.exit_mps,
        }
    }
}

/// The step that ends the piece; the first half of the way where the machine hardly moves.
fn arrive(from: f64, to: f64, left_m: f64) -> Step {
    let length_s = 2.0 * left_m / (from + to);
    if length_s < LONGEST_S {
        return Step { length_s: length_s.max(1e-3), speed: Ramp { from, to } };
    }
    let to = (SPEEDS_UP * left_m).sqrt().max(from);
    Step { length_s: (left_m / (from + to)).max(1e-3), speed: Ramp { from, to } }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Point;
    use super::*;
    use proptest::prelude::*;

    fn drive(mut travel: Travel, cruise_mps: f64) -> Travel {
        let (mut before, mut steps) = (travel.speed_mps, 0);
        while travel.left_m() > 1e-6 {
            let step = travel.plan(cruise_mps, false, 5.0);
            assert!(step.length_s > 0.0 && step.length_s < 40.0, "{step:?}");
            assert!((step.speed.from - before).abs() < 1e-9, "speed does not jump: {step:?}");
            assert!(step.speed.to >= 0.0 && step.speed.to < cruise_mps + 0.6, "{step:?}");
            let change = (step.speed.to - step.speed.from) / step.length_s;
            let jump_mps = (step.speed.to - step.speed.from).abs();
            assert!(change.abs() < 4.0 || jump_mps < 0.4, "{step:?} {change}");
            before = step.speed.to;
            travel.advance(&step);
            steps += 1;
            assert!(steps < 3_000, "never arrives: {travel:?}");
        }
        travel
    }

    proptest! {
        #[test]
        fn a_machine_arrives_at_the_speed_asked_for_without_jumps(
            beside_m in 1.0..30.0f64, ahead_m in 20.0..400.0f64, cruise_mps in 0.8..8.0f64, exit in 0.0..1.0f64,
        ) {
            let mut path = Path::straight(Point::new(-ahead_m, 0.0), Point::new(0.0, 0.0));
            let from = Pose::new(Point::new(0.0, 0.0), 0.0);
            let to = Pose::new(Point::new(0.0, beside_m), std::f64::consts::PI);
            path.extend(Path::turn_around(from, to, 6.0, 1.0));
            path.extend(Path::straight(Point::new(0.0, beside_m), Point::new(-ahead_m, beside_m)));
            let exit_mps = exit * cruise_mps;
            let end = drive(Travel::new(path, 0.0, exit_mps), cruise_mps);
            prop_assert!(end.speed_mps <= exit_mps + 0.4, "{} {}", end.speed_mps, exit_mps);
        }
    }

    #[test]
    fn a_machine_that_shall_stop_stops_within_some_metres() {
        let mut travel = Travel::new(Path::straight(Point::new(0.0, 0.0), Point::new(500.0, 0.0)), 3.0, 0.0);
        let step = travel.plan(3.0, true, 5.0);
        travel.advance(&step);
        assert_eq!(travel.speed_mps, 0.0);
        assert!((5.0..8.0).contains(&travel.along_m), "{}", travel.along_m);
    }
}
