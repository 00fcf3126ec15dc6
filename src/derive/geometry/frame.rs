//! A plane that touches the ellipsoid along the meridian of a place: a transverse Mercator of its own for each field.
//!
//! At a meridian of its own a projection needs no zone, and the border of two UTM zones that cuts through the region
//! cuts no field. Lengths are too long by x²/2R²: 0.3 mm per kilometre at 5 km from the meridian.

use super::Point;

/// WGS-84.
const A_M: f64 = 6_378_137.0;
const F: f64 = 1.0 / 298.257_223_563;
const E2: f64 = F * (2.0 - F);
/// Second eccentricity squared.
const EP2: f64 = E2 / (1.0 - E2);
/// Rounds of the inverse; each gains three digits within 50 km, and ten are exact for doubles.
const INVERSE_ROUNDS: usize = 10;

/// A plane around a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    latitude: f64,
    longitude_deg: f64,
    arc_m: f64,
}

impl Frame {
    /// The plane with its origin at the given place.
    pub fn at(latitude_deg: f64, longitude_deg: f64) -> Self {
        let latitude = latitude_deg.to_radians();
        Self { latitude, longitude_deg, arc_m: Parallel::of(latitude).arc_m }
    }

    /// Where a place lies on the plane.
    pub fn point(&self, latitude_deg: f64, longitude_deg: f64) -> Point {
        let difference_deg = longitude_deg - self.longitude_deg;
        // The antimeridian is no edge of the plane.
        let difference_deg = difference_deg - 360.0 * (difference_deg / 360.0).round();
        self.project(latitude_deg.to_radians(), difference_deg.to_radians())
    }

    /// Latitude and longitude of a point in degrees.
    pub fn degrees(&self, point: Point) -> (f64, f64) {
        let (mut latitude, mut difference) = (self.latitude, 0.0);
        for _ in 0..INVERSE_ROUNDS {
            let here = self.project(latitude, difference);
            let parallel = Parallel::of(latitude);
            latitude += (point.y - here.y) / parallel.meridian_radius_m;
            difference += (point.x - here.x) / (parallel.normal_m * latitude.cos());
        }
        let longitude_deg = self.longitude_deg + difference.to_degrees();
        (latitude.to_degrees(), longitude_deg - 360.0 * (longitude_deg / 360.0).round())
    }

    /// Redfearn's series, by terms in the fifth power of the longitude.
    fn project(&self, latitude: f64, difference: f64) -> Point {
        let p = Parallel::of(latitude);
        let t2 = p.tan * p.tan;
        let n2 = EP2 * p.cos * p.cos;
        let a = difference * p.cos;
        let a2 = a * a;
        let third = 1.0 - t2 + n2;
        let fourth = 5.0 - t2 + 9.0 * n2 + 4.0 * n2 * n2;
        let fifth = 5.0 - 18.0 * t2 + t2 * t2 + 14.0 * n2 - 58.0 * t2 * n2;
        let x = p.normal_m * a * (1.0 + a2 * (third / 6.0 + a2 * fifth / 120.0));
        let y = p.arc_m - self.arc_m + p.normal_m * p.tan * a2 * (0.5 + a2 * fourth / 24.0);
        Point::new(x, y)
    }
}

/// What is the same all along a parallel.
struct Parallel {
    cos: f64,
    tan: f64,
    /// Metres along the meridian from the equator.
    arc_m: f64,
    normal_m: f64,
    meridian_radius_m: f64,
}

impl Parallel {
    fn of(latitude: f64) -> Self {
        let (sin, cos) = latitude.sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let normal_m = A_M / w2.sqrt();
        // Snyder, Map Projections (1987), 3-21, its sines by the double angle.
        let (sin2, cos2) = (2.0 * sin * cos, cos * cos - sin * sin);
        let (sin4, cos4) = (2.0 * sin2 * cos2, cos2 * cos2 - sin2 * sin2);
        let sin6 = sin4 * cos2 + cos4 * sin2;
        let (e4, e6) = (E2 * E2, E2 * E2 * E2);
        let arc_m = A_M
            * ((1.0 - E2 / 4.0 - 3.0 * e4 / 64.0 - 5.0 * e6 / 256.0) * latitude
                - (3.0 * E2 / 8.0 + 3.0 * e4 / 32.0 + 45.0 * e6 / 1024.0) * sin2
                + (15.0 * e4 / 256.0 + 45.0 * e6 / 1024.0) * sin4
                - (35.0 * e6 / 3072.0) * sin6);
        Self { cos, tan: sin / cos, arc_m, normal_m, meridian_radius_m: A_M * (1.0 - E2) / (w2 * w2.sqrt()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::geometry::ring_area_m2;
    use proptest::prelude::*;

    /// Area between two parallels and two meridians on the ellipsoid (authalic latitude, closed form).
    fn ellipsoid_area_m2(south_deg: f64, north_deg: f64, west_deg: f64, east_deg: f64) -> f64 {
        let b2 = (A_M * (1.0 - F)).powi(2);
        let e = E2.sqrt();
        let zone = |latitude_deg: f64| {
            let s = latitude_deg.to_radians().sin();
            s / (1.0 - E2 * s * s) + ((1.0 + e * s) / (1.0 - e * s)).ln() / (2.0 * e)
        };
        b2 / 2.0 * (zone(north_deg) - zone(south_deg)) * (east_deg - west_deg).to_radians()
    }

    #[test]
    fn areas_are_those_of_the_ellipsoid_within_two_millionths() {
        for latitude_deg in [0.1, 39.05, 54.58, 56.26, 59.4, -33.0, 70.0] {
            let frame = Frame::at(latitude_deg, 84.0);
            let (south, north, west, east) = (latitude_deg - 0.02, latitude_deg + 0.02, 83.97, 84.03);
            // The parallels bend on the plane, so the ring needs many points.
            let along = |i: i32| west + (east - west) * f64::from(i) / 1000.0;
            let lower = (0..=1000).map(|i| frame.point(south, along(i)));
            let upper = (0..=1000).rev().map(|i| frame.point(north, along(i)));
            let area = ring_area_m2(&lower.chain(upper).collect::<Vec<_>>());
            let truth = ellipsoid_area_m2(south, north, west, east);
            assert!((area / truth - 1.0).abs() < 2e-6, "{latitude_deg}: {area} {truth}");
        }
    }

    #[test]
    fn a_second_of_arc_at_tomsk_is_as_long_as_geodesy_says() {
        // The radii of curvature at 56.5 °N, a(1-e²)/w³ and a cos φ/w.
        let frame = Frame::at(56.5, 84.97);
        let north = frame.point(56.5 + 1.0 / 3600.0, 84.97);
        let east = frame.point(56.5, 84.97 + 1.0 / 3600.0);
        assert!((north.y - 30.930_80).abs() < 1e-3 && north.x.abs() < 1e-9, "{north:?}");
        assert!((east.x - 17.106_90).abs() < 1e-3, "{east:?}");
    }

    #[test]
    fn the_antimeridian_is_no_edge() {
        let frame = Frame::at(60.0, 179.999);
        let over = frame.point(60.0, -179.999);
        assert!((over.x - 111.6).abs() < 0.5, "{over:?}");
        let (latitude_deg, longitude_deg) = frame.degrees(over);
        assert!((latitude_deg - 60.0).abs() < 1e-10 && (longitude_deg + 179.999).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn degrees_come_back(latitude in -75.0..75.0, longitude in -180.0..180.0, x in -50e3..50e3, y in -50e3..50e3) {
            let frame = Frame::at(latitude, longitude);
            let (latitude_deg, longitude_deg) = frame.degrees(Point::new(x, y));
            let back = frame.point(latitude_deg, longitude_deg);
            prop_assert!(back.distance(Point::new(x, y)) < 1e-6, "{back:?}");
        }
    }
}
