//! Areas that rules speak of: a yard, a district.

use serde::Deserialize;

/// Most corners of an area.
const MAX_CORNERS: usize = 2_000;
/// Metres of a degree of latitude, on the mean sphere.
const METRES_PER_DEGREE: f64 = 111_194.9;

/// A named area.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Area {
    pub(super) name: String,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Circle {
        latitude_deg: f64,
        longitude_deg: f64,
        radius_m: f64,
    },
    /// Corners as (latitude, longitude), joined by lines straight in degrees; the last joins the first.
    Polygon(Vec<(f64, f64)>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArea {
    name: String,
    /// Latitude and longitude.
    center: Option<(f64, f64)>,
    radius_m: Option<f64>,
    #[serde(default)]
    corners: Vec<(f64, f64)>,
}

impl Area {
    pub(super) fn of(raw: RawArea) -> Result<Self, String> {
        if raw.name.is_empty() || !raw.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Err(format!("name: {:?} has other characters than a-z, 0-9 and _", raw.name));
        }
        let shape = match (raw.center, raw.radius_m, raw.corners.as_slice()) {
            (Some(center), Some(radius_m), []) if radius_m > 0.0 => {
                check_position(center)?;
                Shape::Circle { latitude_deg: center.0, longitude_deg: center.1, radius_m }
            }
            (None, None, corners @ [_, _, _, ..]) if corners.len() <= MAX_CORNERS => {
                corners.iter().try_for_each(|corner| check_position(*corner))?;
                Shape::Polygon(corners.to_vec())
            }
            _ => {
                return Err(format!(
                    "has no shape; give center = [LAT, LON] with radius_m above 0, or corners = [[LAT, LON], …] \
                     with 3 to {MAX_CORNERS} corners"
                ));
            }
        };
        Ok(Self { name: raw.name, shape })
    }

    /// Whether a position lies inside.
    pub(super) fn holds(&self, latitude_deg: f64, longitude_deg: f64) -> bool {
        match &self.shape {
            Shape::Circle { latitude_deg: lat, longitude_deg: lon, radius_m } => {
                let north = (latitude_deg - lat) * METRES_PER_DEGREE;
                let east = (longitude_deg - lon) * METRES_PER_DEGREE * lat.to_radians().cos();
                north.hypot(east) <= *radius_m
            }
            Shape::Polygon(corners) => {
                let mut inside = false;
                let mut before = corners[corners.len() - 1];
                for &corner in corners {
                    // Count the edges that a ray to the east crosses.
                    let crosses = (corner.0 > latitude_deg) != (before.0 > latitude_deg);
                    if crosses {
                        let share = (latitude_deg - corner.0) / (before.0 - corner.0);
                        inside ^= longitude_deg < corner.1 + share * (before.1 - corner.1);
                    }
                    before = corner;
                }
                inside
            }
        }
    }
}

fn check_position((lat, lon): (f64, f64)) -> Result<(), String> {
    if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) {
        return Ok(());
    }
    Err(format!("[{lat}, {lon}] is no position; latitude comes first, -90 to 90, then longitude, -180 to 180"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(text: &str) -> Result<Area, String> {
        Area::of(toml::from_str(text).expect("readable"))
    }

    #[test]
    fn a_circle_has_a_radius_in_metres() {
        let yard = area("name = 'yard'\ncenter = [56.26, 83.97]\nradius_m = 300").expect("a circle");
        assert!(yard.holds(56.262, 83.97), "222 m north");
        assert!(!yard.holds(56.263, 83.97), "334 m north");
        assert!(yard.holds(56.26, 83.974), "247 m east");
        assert!(!yard.holds(56.26, 83.976), "371 m east");
    }

    #[test]
    fn a_polygon_may_have_a_bay() {
        let bay = "name = 'u'\ncorners = [[0.0, 0.0], [0.0, 3.0], [3.0, 3.0], [3.0, 2.0], [1.0, 2.0], [1.0, 1.0], [3.0, 1.0], [3.0, 0.0]]";
        let shape = area(bay).expect("a polygon");
        assert!(shape.holds(0.5, 1.5) && shape.holds(2.0, 0.5) && shape.holds(2.0, 2.5));
        assert!(!shape.holds(2.0, 1.5) && !shape.holds(-0.5, 1.5) && !shape.holds(0.5, 3.5));
    }

    #[test]
    fn what_is_no_area_is_said() {
        let said = |text| area(text).expect_err("no area");
        assert!(said("name = 'yard'").contains("has no shape"));
        assert!(said("name = 'Двор'\ncenter = [56.0, 84.0]\nradius_m = 1").contains("other characters"));
        assert!(said("name = 'x'\ncenter = [156.0, 84.0]\nradius_m = 1.0").contains("[156, 84] is no position"));
    }
}
