//! From the plane to the earth: transverse Mercator around a yard.
//!
//! The series of Krüger (1912) to the third power of the flattening: errors below a micrometre within 100 km of the
//! meridian. The scale on it is exactly 1, so that plane areas are ground areas: 10 km away they differ by 2.5 in a
//! million.

use super::plane::Point;

/// WGS-84.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Third flattening.
const N: f64 = FLATTENING / (2.0 - FLATTENING);
/// Radius of the sphere whose meridian is as long as the ellipsoid's.
const RECTIFYING_M: f64 = SEMI_MAJOR_M / (1.0 + N) * (1.0 + N * N / 4.0 + N * N * N * N / 64.0);
const ALPHA: [f64; 3] = [
    N / 2.0 - 2.0 * N * N / 3.0 + 5.0 * N * N * N / 16.0,
    13.0 * N * N / 48.0 - 3.0 * N * N * N / 5.0,
    61.0 * N * N * N / 240.0,
];
const BETA: [f64; 3] =
    [N / 2.0 - 2.0 * N * N / 3.0 + 37.0 * N * N * N / 96.0, N * N / 48.0 + N * N * N / 15.0, 17.0 * N * N * N / 480.0];

/// The plane of a yard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Projection {
    longitude_deg: f64,
    north_m: f64,
}

impl Projection {
    /// The plane in which the given place is the origin.
    pub(crate) fn at(latitude_deg: f64, longitude_deg: f64) -> Self {
        let at_equator = Self { longitude_deg, north_m: 0.0 };
        Self { longitude_deg, north_m: at_equator.point(latitude_deg, longitude_deg).y }
    }

    /// The point at the given latitude and longitude.
    pub(crate) fn point(&self, latitude_deg: f64, longitude_deg: f64) -> Point {
        let sine = latitude_deg.to_radians().sin();
        let root = 2.0 * N.sqrt() / (1.0 + N);
        let conformal = (sine.atanh() - root * (root * sine).atanh()).sinh();
        let east = (longitude_deg - self.longitude_deg).to_radians();
        let xi = conformal.atan2(east.cos());
        let eta = (east.sin() / conformal.hypot(east.cos())).asinh();
        let (mut x, mut y) = (eta, xi);
        for (index, alpha) in ALPHA.iter().enumerate() {
            let k = 2.0 * (index + 1) as f64;
            y += alpha * (k * xi).sin() * (k * eta).cosh();
            x += alpha * (k * xi).cos() * (k * eta).sinh();
        }
        Point::new(RECTIFYING_M * x, RECTIFYING_M * y - self.north_m)
    }

    /// Latitude and longitude of `point` in degrees.
    pub(crate) fn degrees(&self, point: Point) -> (f64, f64) {
        let xi = (point.y + self.north_m) / RECTIFYING_M;
        let eta = point.x / RECTIFYING_M;
        let (mut xi1, mut eta1) = (xi, eta);
        for (index, beta) in BETA.iter().enumerate() {
            let k = 2.0 * (index + 1) as f64;
            // η is small near the meridian, where its hyperbolic functions need no exponentials.
            let (sinh, cosh) = (k * eta * (1.0 + (k * eta).powi(2) / 6.0), 1.0 + (k * eta).powi(2) / 2.0);
            let (sine, cosine) = (k * xi).sin_cos();
            xi1 -= beta * sine * cosh;
            eta1 -= beta * cosine * sinh;
        }
        let sinh = eta1 * (1.0 + eta1 * eta1 / 6.0);
        let (sine, cosine) = xi1.sin_cos();
        let chi = (sine / eta1.mul_add(eta1 / 2.0, 1.0)).asin();
        let latitude = chi
            + (2.0 * N - 2.0 * N * N / 3.0 - 2.0 * N * N * N) * (2.0 * chi).sin()
            + (7.0 * N * N / 3.0 - 8.0 * N * N * N / 5.0) * (4.0 * chi).sin()
            + 56.0 * N * N * N / 15.0 * (6.0 * chi).sin();
        (latitude.to_degrees(), self.longitude_deg + sinh.atan2(cosine).to_degrees())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_point_comes_back_to_the_millimetre(
            latitude_deg in 55.0..60.0f64, longitude_deg in 80.0..90.0f64, x in -25_000.0..25_000.0f64, y in -25_000.0..25_000.0f64,
        ) {
            let plane = Projection::at(latitude_deg, longitude_deg);
            let (latitude, longitude) = plane.degrees(Point::new(x, y));
            let back = plane.point(latitude, longitude);
            prop_assert!(back.distance(Point::new(x, y)) < 1e-3, "{:?}", back);
        }
    }

    #[test]
    fn the_plane_of_kozhevnikovo_agrees_with_the_ellipsoid() {
        // Geodesics of WGS-84 by Karney's algorithm: 1 km east and north of the place.
        let plane = Projection::at(56.259, 83.971);
        let check = |x: f64, y: f64, latitude_deg: f64, longitude_deg: f64| {
            let (latitude, longitude) = plane.degrees(Point::new(x, y));
            assert!(
                (latitude - latitude_deg).abs() < 2e-7 && (longitude - longitude_deg).abs() < 2e-7,
                "{latitude} {longitude}"
            );
        };
        check(0.0, 0.0, 56.259, 83.971);
        check(0.0, 1_000.0, 56.267_980_9, 83.971);
    }
}
