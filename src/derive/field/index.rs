//! Which field a position lies in, for millions of positions a second.

use rstar::primitives::GeomWithData;
use rstar::primitives::Rectangle;
use rstar::{AABB, RTree};

use crate::derive::geometry::{Point, distance_to_segment};

use super::{Field, FieldId, LatLon};

/// Positions this far outside still count as in the field: receivers scatter, and the antenna is not the header.
pub const MATCH_BUFFER_M: f64 = 5.0;
/// Beyond this distance from every field a machine is on the road.
pub const NEAR_BUFFER_M: f64 = 20.0;
/// Edges for each strip, about.
const EDGES_PER_STRIP: usize = 4;
/// Strips of one field at most.
const MAX_STRIPS: usize = 2_000;
const M_PER_DEGREE: f64 = 111_320.0;

/// All fields of a farm or of the whole organisation, found by position.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    fields: Vec<Field>,
    shapes: Vec<Shape>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

/// A field near a position.
#[derive(Debug, Clone, Copy)]
pub struct Near<'f> {
    /// The field.
    pub field: &'f Field,
    /// Metres to its edge; 0 inside.
    pub distance_m: f64,
}

impl Fields {
    /// Makes the index. Fields come out in the order of their ids, whatever order they came in.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        let mut fields: Vec<Field> = fields.into_iter().collect();
        fields.sort_by_key(|field| field.id);
        let rectangles = fields.iter().enumerate().map(|(number, field)| {
            let (low, high) = field.boundary.corners();
            let corners = Rectangle::from_corners([low.lon_deg, low.lat_deg], [high.lon_deg, high.lat_deg]);
            GeomWithData::new(corners, number)
        });
        let tree = RTree::bulk_load(rectangles.collect());
        let shapes = fields.iter().map(Shape::of).collect();
        Self { fields, shapes, tree }
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field of this id.
    pub fn get(&self, id: FieldId) -> Option<&Field> {
        self.fields.binary_search_by_key(&id, |field| field.id).ok().map(|number| &self.fields[number])
    }

    /// The field that holds a position; where fields overlap, the smallest one.
    pub fn at(&self, lat_deg: f64, lon_deg: f64) -> Option<&Field> {
        let point = AABB::from_point([lon_deg, lat_deg]);
        let candidates = self.tree.locate_in_envelope_intersecting(point).map(|candidate| candidate.data);
        let holding = candidates.filter(|&number| self.shapes[number].holds(lat_deg, lon_deg));
        holding.min_by(|a, b| self.by_size(*a, *b)).map(|number| &self.fields[number])
    }

    /// The field that holds a position or else the nearest one within `buffer_m`.
    pub fn near(&self, lat_deg: f64, lon_deg: f64, buffer_m: f64) -> Option<Near<'_>> {
        if let Some(field) = self.at(lat_deg, lon_deg) {
            return Some(Near { field, distance_m: 0.0 });
        }
        let north = buffer_m / M_PER_DEGREE;
        let east = north / lat_deg.to_radians().cos().max(0.01);
        let around = AABB::from_corners([lon_deg - east, lat_deg - north], [lon_deg + east, lat_deg + north]);
        let candidates = self.tree.locate_in_envelope_intersecting(around).map(|candidate| candidate.data);
        let within =
            candidates.filter_map(|number| Some((self.shapes[number].distance_m(lat_deg, lon_deg, buffer_m)?, number)));
        let nearest = within.min_by(|a, b| a.0.total_cmp(&b.0).then(self.by_size(a.1, b.1)));
        nearest.map(|(distance_m, number)| Near { field: &self.fields[number], distance_m })
    }

    /// Fields that share ground with a boundary, and the area shared, m², greatest first.
    pub fn sharing(&self, boundary: &super::Boundary) -> Vec<(&Field, f64)> {
        let (low, high) = boundary.corners();
        let corners = AABB::from_corners([low.lon_deg, low.lat_deg], [high.lon_deg, high.lat_deg]);
        let candidates = self.tree.locate_in_envelope_intersecting(corners).map(|candidate| candidate.data);
        let mut sharing: Vec<_> = candidates
            .map(|number| (&self.fields[number], self.fields[number].boundary.shared_m2(boundary)))
            .filter(|(_, area_m2)| *area_m2 > 0.0)
            .collect();
        sharing.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.id.cmp(&b.0.id)));
        sharing
    }

    fn by_size(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let [one, two] = [a, b].map(|number| &self.fields[number]);
        one.boundary.area_m2().total_cmp(&two.boundary.area_m2()).then(one.id.cmp(&two.id))
    }
}

/// The edges of a field in metres about its centre, cut into strips from south to north, so that a position meets
/// only the few edges of its own strip. Degrees become metres by one factor each: containment stays exact.
#[derive(Debug, Clone)]
struct Shape {
    centre: LatLon,
    /// Metres a degree east, north.
    scale: [f64; 2],
    south_m: f64,
    strip_m: f64,
    strips: Vec<Vec<[Point; 2]>>,
}

impl Shape {
    fn of(field: &Field) -> Self {
        let centre = field.boundary.centre();
        let scale = scale_at(centre.lat_deg);
        let flat = |place: &LatLon| to_metres(centre, scale, place.lat_deg, place.lon_deg);
        let edges: Vec<[Point; 2]> = field
            .boundary
            .rings()
            .flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)).map(|(p, q)| [flat(p), flat(q)]))
            .collect();
        let ends = || edges.iter().flatten().map(|point| point.y);
        let (south_m, north_m) = (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
        let count = (edges.len() / EDGES_PER_STRIP).clamp(1, MAX_STRIPS);
        let strip_m = (north_m - south_m).max(f64::MIN_POSITIVE) / count as f64;
        let mut shape = Self { centre, scale, south_m, strip_m, strips: vec![Vec::new(); count] };
        for edge in edges {
            let strips = shape.strips(edge[0].y.min(edge[1].y), edge[0].y.max(edge[1].y));
            for strip in &mut shape.strips[strips] {
                strip.push(edge);
            }
        }
        shape
    }

    /// The strips that a span of northings touches. Ends outside are taken into the outermost.
    fn strips(&self, from_m: f64, to_m: f64) -> std::ops::RangeInclusive<usize> {
        let number = |north_m: f64| (((north_m - self.south_m) / self.strip_m) as usize).min(self.strips.len() - 1);
        number(from_m)..=number(to_m)
    }

    fn holds(&self, lat_deg: f64, lon_deg: f64) -> bool {
        let Point { x, y } = to_metres(self.centre, self.scale, lat_deg, lon_deg);
        let edges = &self.strips[*self.strips(y, y).start()];
        edges.iter().filter(|[p, q]| (p.y > y) != (q.y > y) && x < (q.x - p.x) * (y - p.y) / (q.y - p.y) + p.x).count()
            % 2
            == 1
    }

    /// Metres to the nearest edge, if within `buffer_m`.
    fn distance_m(&self, lat_deg: f64, lon_deg: f64, buffer_m: f64) -> Option<f64> {
        let point = to_metres(self.centre, self.scale, lat_deg, lon_deg);
        let strips = &self.strips[self.strips(point.y - buffer_m, point.y + buffer_m)];
        let distances = strips.iter().flatten().map(|[p, q]| distance_to_segment(point, *p, *q));
        distances.min_by(f64::total_cmp).filter(|distance_m| *distance_m <= buffer_m)
    }
}

/// Metres a degree of longitude and of latitude, on the WGS 84 ellipsoid (series of the meridian and parallel radii).
fn scale_at(lat_deg: f64) -> [f64; 2] {
    let phi = lat_deg.to_radians();
    [
        111_412.84 * phi.cos() - 93.5 * (3.0 * phi).cos() + 0.118 * (5.0 * phi).cos(),
        111_132.92 - 559.82 * (2.0 * phi).cos() + 1.175 * (4.0 * phi).cos(),
    ]
}

fn to_metres(centre: LatLon, scale: [f64; 2], lat_deg: f64, lon_deg: f64) -> Point {
    Point::new((lon_deg - centre.lon_deg) * scale[0], (lat_deg - centre.lat_deg) * scale[1])
}
