//! Shortest ways of bounded curvature between two poses (L. E. Dubins, 1957), by the six words of
//! A. M. Shkel and V. Lumelsky, "Classification of the Dubins set", 2001.

use std::f64::consts::TAU;

use super::plane::Pose;

const LEFT: f64 = 1.0;
const STRAIGHT: f64 = 0.0;
const RIGHT: f64 = -1.0;

/// The pieces of the shortest way: direction of turning (1 left, -1 right, 0 straight) and length in metres.
pub(super) fn shortest(from: Pose, to: Pose, radius_m: f64) -> [(f64, f64); 3] {
    let distance = from.at.distance(to.at) / radius_m;
    let direction = from.at.direction(to.at);
    let (alpha, beta) = (angle(from.heading - direction), angle(to.heading - direction));
    let words = [
        lsl(distance, alpha, beta),
        rsr(distance, alpha, beta),
        lsr(distance, alpha, beta),
        rsl(distance, alpha, beta),
        rlr(distance, alpha, beta),
        lrl(distance, alpha, beta),
    ];
    let length = |word: &[(f64, f64); 3]| word.iter().map(|(_, part)| part).sum::<f64>();
    words
        .into_iter()
        .flatten()
        .min_by(|a, b| length(a).total_cmp(&length(b)))
        // Of LSL and RSR one always exists; a way of no length is the answer for equal poses.
        .unwrap_or_default()
        .map(|(turn, part)| (turn, part * radius_m))
}

type Word = Option<[(f64, f64); 3]>;

fn angle(radians: f64) -> f64 {
    // A full circle less a rounding error is none at all.
    let wrapped = radians.rem_euclid(TAU);
    if TAU - wrapped < 1e-9 { 0.0 } else { wrapped }
}

fn lsl(d: f64, a: f64, b: f64) -> Word {
    let p2 = 2.0 + d * d - 2.0 * (a - b).cos() + 2.0 * d * (a.sin() - b.sin());
    let middle = (b.cos() - a.cos()).atan2(d + a.sin() - b.sin());
    (p2 >= -1e-12).then(|| [(LEFT, angle(middle - a)), (STRAIGHT, p2.max(0.0).sqrt()), (LEFT, angle(b - middle))])
}

fn rsr(d: f64, a: f64, b: f64) -> Word {
    let p2 = 2.0 + d * d - 2.0 * (a - b).cos() + 2.0 * d * (b.sin() - a.sin());
    let middle = (a.cos() - b.cos()).atan2(d - a.sin() + b.sin());
    (p2 >= -1e-12).then(|| [(RIGHT, angle(a - middle)), (STRAIGHT, p2.max(0.0).sqrt()), (RIGHT, angle(middle - b))])
}

fn lsr(d: f64, a: f64, b: f64) -> Word {
    let p2 = -2.0 + d * d + 2.0 * (a - b).cos() + 2.0 * d * (a.sin() + b.sin());
    (p2 >= 0.0).then(|| {
        let p = p2.sqrt();
        let middle = (-a.cos() - b.cos()).atan2(d + a.sin() + b.sin()) - (-2.0f64).atan2(p);
        [(LEFT, angle(middle - a)), (STRAIGHT, p), (RIGHT, angle(middle - b))]
    })
}

fn rsl(d: f64, a: f64, b: f64) -> Word {
    let p2 = -2.0 + d * d + 2.0 * (a - b).cos() - 2.0 * d * (a.sin() + b.sin());
    (p2 >= 0.0).then(|| {
        let p = p2.sqrt();
        let middle = (a.cos() + b.cos()).atan2(d - a.sin() - b.sin()) - 2.0f64.atan2(p);
        [(RIGHT, angle(a - middle)), (STRAIGHT, p), (LEFT, angle(b - middle))]
    })
}

fn rlr(d: f64, a: f64, b: f64) -> Word {
    let cosine = (6.0 - d * d + 2.0 * (a - b).cos() + 2.0 * d * (a.sin() - b.sin())) / 8.0;
    (cosine.abs() <= 1.0).then(|| {
        let p = angle(TAU - cosine.acos());
        let first = angle(a - (a.cos() - b.cos()).atan2(d - a.sin() + b.sin()) + p / 2.0);
        [(RIGHT, first), (LEFT, p), (RIGHT, angle(a - b - first + p))]
    })
}

fn lrl(d: f64, a: f64, b: f64) -> Word {
    let cosine = (6.0 - d * d + 2.0 * (a - b).cos() + 2.0 * d * (b.sin() - a.sin())) / 8.0;
    (cosine.abs() <= 1.0).then(|| {
        let p = angle(TAU - cosine.acos());
        let first = angle(-a + (-a.cos() + b.cos()).atan2(d + a.sin() - b.sin()) + p / 2.0);
        [(LEFT, first), (RIGHT, p), (LEFT, angle(b - a - first + p))]
    })
}
