//! Field boundaries as GeoJSON (RFC 7946): features with areas, or bare areas; a text sequence of features, one a
//! line (RFC 8142), is taken too.

use serde_json::{Map, Value};

use crate::derive::field::{LatLon, RawBoundary, Ring};

use super::outline::{MAX_OUTLINES, Outline};
use super::text::{Encoding, decode};
use super::{At, Problem, Problems, Weigh, Weight};

/// Largest file taken.
pub const MAX_GEOJSON_BYTES: usize = 128 * 1024 * 1024;
/// Geometry collections inside each other.
const MAX_COLLECTION_DEPTH: usize = 4;

/// What can be wrong in GeoJSON.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// Larger than [`MAX_GEOJSON_BYTES`].
    #[error("{0} bytes of GeoJSON are more than {MAX_GEOJSON_BYTES}; the file is not read")]
    TooLarge(usize),
    /// No JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON of another kind.
    #[error("not GeoJSON: its type is {0}, where a FeatureCollection, a Feature or a Polygon is expected")]
    NotGeoJson(String),
    /// Coordinates of another system.
    #[error("its coordinates are in {0}; only WGS 84 degrees are read: export it as RFC 7946 GeoJSON (EPSG:4326)")]
    OtherSystem(String),
    /// Not UTF-8.
    #[error("the text is not UTF-8; names may look wrong")]
    NotUtf8,
    /// Nothing with an area.
    #[error("{label} is a {kind} and encloses no area; it is skipped")]
    NotAnArea {
        /// Which feature.
        label: String,
        /// Its geometry.
        kind: String,
    },
    /// A line that ends where it began.
    #[error("{0} is a closed line; it is taken as the boundary")]
    ClosedLine(String),
    /// Coordinates that are no pairs of numbers.
    #[error("the coordinates of {0} are not [longitude, latitude] numbers; it is skipped")]
    BadCoordinates(String),
    /// More features than [`MAX_OUTLINES`].
    #[error("more than {MAX_OUTLINES} features; the rest is skipped")]
    TooMany,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::ClosedLine(_) | Defect::NotUtf8 => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

/// Reads the areas of a file.
pub fn read(file: &str, bytes: &[u8]) -> (Vec<Outline>, Vec<Problem<Defect>>) {
    let mut reader = Reader { problems: Problems::new(file), outlines: Vec::new(), count: 0 };
    if bytes.len() > MAX_GEOJSON_BYTES {
        reader.problems.push(At::File, Defect::TooLarge(bytes.len()));
        return (Vec::new(), reader.problems.into_vec());
    }
    let (text, encoding) = decode(bytes);
    if encoding == Encoding::Latin1 {
        reader.problems.push(At::File, Defect::NotUtf8);
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(root) => reader.root(&root),
        Err(error) => reader.sequence(&text, &error),
    }
    (reader.outlines, reader.problems.into_vec())
}

struct Reader {
    problems: Problems<Defect>,
    outlines: Vec<Outline>,
    /// Features met.
    count: usize,
}

impl Reader {
    /// One feature a line; the error of the whole is told when the first line is none either.
    fn sequence(&mut self, text: &str, whole: &serde_json::Error) {
        let records = text.split(['\n', '\u{1e}']).map(str::trim).zip(1..).filter(|(record, _)| !record.is_empty());
        for (record, line) in records {
            match serde_json::from_str::<Value>(record) {
                Ok(root) => self.root(&root),
                Err(_) if self.count == 0 => {
                    self.problems.push(At::Line(whole.line() as u64), Defect::NotJson(whole.to_string()));
                    return;
                }
                Err(error) => self.problems.push(At::Line(line), Defect::NotJson(error.to_string())),
            }
        }
    }

    fn root(&mut self, root: &Value) {
        if let Some(system) = other_system(root) {
            self.problems.push(At::File, Defect::OtherSystem(system));
            return;
        }
        match kind(root) {
            "FeatureCollection" => {
                for feature in root["features"].as_array().into_iter().flatten() {
                    if self.count >= MAX_OUTLINES {
                        self.problems.push(At::File, Defect::TooMany);
                        return;
                    }
                    self.feature(feature);
                }
            }
            "Feature" => self.feature(root),
            "Polygon" | "MultiPolygon" | "LineString" | "GeometryCollection" => {
                self.area(root, &Value::Null, &Map::new());
            }
            other => self.problems.push(At::File, Defect::NotGeoJson(shown(other))),
        }
    }

    fn feature(&mut self, feature: &Value) {
        let none = Map::new();
        let properties = feature["properties"].as_object().unwrap_or(&none);
        self.area(&feature["geometry"], &feature["id"], properties);
    }

    fn area(&mut self, geometry: &Value, id: &Value, properties: &Map<String, Value>) {
        self.count += 1;
        let mut outline = Outline { key: text(id), ..Outline::default() };
        outline.describe(properties.iter().filter_map(|(name, value)| Some((name.as_str(), text(value)?))));
        if outline.key.is_none() {
            outline.key = properties.get("id").and_then(text);
        }
        let name = outline.name.as_deref().or(outline.key.as_deref());
        outline.label = name.map_or_else(|| format!("feature {}", self.count), shown);
        outline.rings.repeats_first_point = true;
        let before = self.problems.listed().len();
        let Some(()) = self.geometry(geometry, &outline.label, &mut outline.rings, 0) else {
            self.problems.push(At::File, Defect::BadCoordinates(outline.label));
            return;
        };
        if outline.rings.outers.is_empty() && self.problems.listed().len() == before {
            let kind = if geometry.is_null() { "feature without geometry".into() } else { shown(kind(geometry)) };
            self.problems.push(At::File, Defect::NotAnArea { label: outline.label, kind });
        } else if !outline.rings.outers.is_empty() {
            self.outlines.push(outline);
        }
    }

    /// Adds the rings of a geometry; `None` where its coordinates make no sense.
    fn geometry(&mut self, geometry: &Value, label: &str, rings: &mut RawBoundary, depth: usize) -> Option<()> {
        match kind(geometry) {
            "Polygon" => polygon(&geometry["coordinates"], rings),
            "MultiPolygon" => geometry["coordinates"].as_array()?.iter().try_for_each(|part| polygon(part, rings)),
            "LineString" => {
                let line = ring(&geometry["coordinates"])?;
                if line.len() > 3 && line.first() == line.last() {
                    self.problems.push(At::File, Defect::ClosedLine(label.to_owned()));
                    rings.outers.push(line);
                }
                Some(())
            }
            "GeometryCollection" if depth < MAX_COLLECTION_DEPTH => {
                let parts = geometry["geometries"].as_array()?;
                parts.iter().try_for_each(|part| self.geometry(part, label, rings, depth + 1))
            }
            _ => Some(()),
        }
    }
}

fn polygon(coordinates: &Value, rings: &mut RawBoundary) -> Option<()> {
    let mut parts = coordinates.as_array()?.iter();
    rings.outers.push(ring(parts.next()?)?);
    for hole in parts {
        rings.holes.push(ring(hole)?);
    }
    Some(())
}

fn ring(coordinates: &Value) -> Option<Ring> {
    let position = |position: &Value| {
        let numbers = position.as_array()?;
        Some(LatLon { lon_deg: numbers.first()?.as_f64()?, lat_deg: numbers.get(1)?.as_f64()? })
    };
    coordinates.as_array()?.iter().map(position).collect()
}

/// The coordinate system that a file of the older format names, when it is not WGS 84 degrees.
fn other_system(root: &Value) -> Option<String> {
    let name = root["crs"]["properties"]["name"].as_str()?;
    let known = ["CRS84", "EPSG::4326", "EPSG:4326", "WGS84", "WGS 84"];
    (!known.iter().any(|known| name.to_uppercase().ends_with(known))).then(|| shown(name))
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or("unknown")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Enough of a name for a message.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    const RING: &str = "[[84,56],[84.01,56],[84.01,56.01],[84,56]]";

    fn check(json: &str, expected: Expect) {
        let (outlines, problems) = read("fields.geojson", json.as_bytes());
        let mut lines: Vec<String> = outlines
            .iter()
            .map(|o| {
                let points: Vec<_> = o.rings.outers.iter().map(Vec::len).collect();
                let words = [&o.key, &o.name, &o.code, &o.farm, &o.crop].map(|word| word.as_deref().unwrap_or("-"));
                let area = o.declared_area_m2.map_or("-".into(), |area| area.to_string());
                format!("{}: {} {area} outers {points:?} holes {}", o.label, words.join(" "), o.rings.holes.len())
            })
            .collect();
        lines.extend(problems.iter().map(ToString::to_string));
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_collection_gives_its_areas_with_their_names() {
        check(
            &format!(
                r#"{{"type":"FeatureCollection","features":[
                {{"type":"Feature","id":7,"properties":{{"Name":"North","field_code":12,"farm":"Zarya","Crop":"oats","area_ha":"31,5"}},
                  "geometry":{{"type":"Polygon","coordinates":[{RING},{RING}]}}}},
                {{"type":"Feature","properties":{{"Название":"Дальнее"}},"geometry":{{"type":"MultiPolygon","coordinates":[[{RING}],[{RING}]]}}}},
                {{"type":"Feature","properties":null,"geometry":{{"type":"GeometryCollection","geometries":[{{"type":"Polygon","coordinates":[{RING}]}}]}}}}
                ]}}"#
            ),
            expect![[r#"
                North: 7 North 12 Zarya oats 315000 outers [4] holes 1
                Дальнее: - Дальнее - - - - outers [4, 4] holes 0
                feature 3: - - - - - - outers [4] holes 0"#]],
        );
    }

    #[test]
    fn what_is_no_area_is_named_and_skipped() {
        check(
            &format!(
                r#"{{"type":"FeatureCollection","features":[
                {{"type":"Feature","properties":{{"name":"gate"}},"geometry":{{"type":"Point","coordinates":[84,56]}}}},
                {{"type":"Feature","properties":{{"name":"bad"}},"geometry":{{"type":"Polygon","coordinates":[[["84","56"]]]}}}},
                {{"type":"Feature","properties":{{"name":"none"}},"geometry":null}},
                {{"type":"Feature","properties":{{"name":"round"}},"geometry":{{"type":"LineString","coordinates":{RING}}}}}
                ]}}"#
            ),
            expect![[r#"
                round: - round - - - - outers [4] holes 0
                fields.geojson: gate is a Point and encloses no area; it is skipped
                fields.geojson: the coordinates of bad are not [longitude, latitude] numbers; it is skipped
                fields.geojson: none is a feature without geometry and encloses no area; it is skipped
                fields.geojson: round is a closed line; it is taken as the boundary"#]],
        );
    }

    #[test]
    fn a_bare_polygon_and_a_sequence_of_features_are_read() {
        check(
            &format!(r#"{{"type":"Polygon","coordinates":[{RING}]}}"#),
            expect!["feature 1: - - - - - - outers [4] holes 0"],
        );
        let feature =
            format!(r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[{RING}]}}}}"#);
        check(
            &format!("\u{1e}{feature}\n\u{1e}{feature}\n{{"),
            expect![[r#"
                feature 1: - - - - - - outers [4] holes 0
                feature 2: - - - - - - outers [4] holes 0
                fields.geojson, line 5: not JSON: EOF while parsing an object at line 1 column 1"#]],
        );
    }

    #[test]
    fn files_that_are_something_else_are_told_apart() {
        check("{]", expect!["fields.geojson, line 1: not JSON: key must be a string at line 1 column 2"]);
        check(
            r#"{"type":"Topology"}"#,
            expect![
                "fields.geojson: not GeoJSON: its type is Topology, where a FeatureCollection, a Feature or a Polygon is expected"
            ],
        );
        check(
            r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32645"}},"features":[]}"#,
            expect![
                "fields.geojson: its coordinates are in urn:ogc:def:crs:EPSG::32645; only WGS 84 degrees are read: export it as RFC 7946 GeoJSON (EPSG:4326)"
            ],
        );
        check(
            &"[".repeat(10_000),
            expect!["fields.geojson, line 1: not JSON: recursion limit exceeded at line 1 column 128"],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_json_never_panics(json in "[\\[\\]{}\":,0-9a-z]{0,200}") {
            let (outlines, _) = read("x", json.as_bytes());
            prop_assert!(outlines.len() < 200);
        }
    }
}
