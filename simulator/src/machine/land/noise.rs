//! Smooth randomness: the same place or time always gives the same value, whoever asks and how often.

/// Mixes numbers into one (the finaliser of SplitMix64 over a running sum).
pub(crate) fn hash(seed: u64, parts: &[i64]) -> u64 {
    parts.iter().fold(seed, |hash, part| mix(hash ^ (*part as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash as a number with mean 0 and standard deviation 1, nearly normal: the sum of four even ones.
fn bell(hash: u64) -> f64 {
    let sum: u64 = (0..4).map(|part| (hash >> (16 * part)) & 0xffff).sum();
    // Four times an even number in 0..65535: mean 131,070, standard deviation 65,535 × √(4 ÷ 12).
    (sum as f64 - 131_070.0) / 37_836.6
}

fn ease(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}

/// A number that changes smoothly with `x`, over distances of about 1: mean 0, standard deviation 0.8 to 1.
pub(crate) fn smooth(seed: u64, x: f64) -> f64 {
    let whole = x.floor();
    let share = ease(x - whole);
    let at = |offset: i64| bell(hash(seed, &[whole as i64 + offset]));
    at(0) * (1.0 - share) + at(1) * share
}

/// A number that changes smoothly over a plane, over distances of about 1: mean 0, standard deviation about 0.7.
fn smooth_2d(seed: u64, x: f64, y: f64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let (across, up) = (ease(x - column), ease(y - row));
    let at = |dx: i64, dy: i64| bell(hash(seed, &[column as i64 + dx, row as i64 + dy]));
    let low = at(0, 0) * (1.0 - across) + at(1, 0) * across;
    let high = at(0, 1) * (1.0 - across) + at(1, 1) * across;
    low * (1.0 - up) + high * up
}

/// A surface: hills of two sizes, mean 0, standard deviation about 0.7.
pub(crate) fn surface(seed: u64, x_m: f64, y_m: f64, size_m: f64) -> f64 {
    0.85 * smooth_2d(seed, x_m / size_m, y_m / size_m)
        + 0.45 * smooth_2d(seed ^ 0x5bd1, 3.1 * x_m / size_m, 3.1 * y_m / size_m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_centred_and_change_smoothly() {
        let n = 20_000;
        let values: Vec<f64> = (0..n).map(|i| smooth(7, f64::from(i) * 0.37)).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(n)).sqrt();
        assert!(mean.abs() < 0.05 && (0.75..1.05).contains(&deviation), "{mean} {deviation}");
        for i in 0..5_000 {
            let x = f64::from(i) * 0.01;
            assert!((smooth(3, x + 0.01) - smooth(3, x)).abs() < 0.12);
            assert!((surface(3, x * 100.0 + 1.0, 50.0, 100.0) - surface(3, x * 100.0, 50.0, 100.0)).abs() < 0.2);
        }
    }
}
