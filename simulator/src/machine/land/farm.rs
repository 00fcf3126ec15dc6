//! Farms: a yard, fields between roads, and ways between them.
//!
//! Roads form a crooked lattice around the yard. Between four crossings lies a field, a forest or nothing; so fields
//! never overlap, and a machine on a road never drives over one.

use std::sync::Arc;

use super::district::District;
use super::noise::surface;
use crate::machine::catalogue::{Crop, FieldKind};
use crate::machine::geometry::{Point, Polygon, Projection};
use crate::random::Random;

/// Cells of the lattice on each side of the yard.
const CELLS: i32 = 3;
/// A farm keeps to this distance from its yard along its roads, metres: however it lies, its neighbours begin behind it.
const REACH_M: f64 = 4_300.0;
/// Between the middle of a road and a field, metres.
const ROAD_MARGIN_M: f64 = 9.0;
/// Share of the cells that are no fields.
const FOREST_SHARE: f64 = 0.2;
const FIELD_WITH_OBSTACLES_SHARE: f64 = 0.3;
/// Yield varies over a field in patches of this size, metres.
const PATCH_M: f64 = 170.0;

/// Names that farms have.
const NAMES: [&str; 24] = [
    "Zarya",
    "Rassvet",
    "Sibir",
    "Niva",
    "Kolos",
    "Druzhba",
    "Voskhod",
    "Mir",
    "Rodina",
    "Berezka",
    "Progress",
    "Iskra",
    "Luch",
    "Nadezhda",
    "Pobeda",
    "Trud",
    "Vympel",
    "Kedr",
    "Ob",
    "Tom",
    "Agrosib",
    "Chulym",
    "Podsolnukh",
    "Yubileyny",
];

/// A farm.
#[derive(Debug)]
pub(crate) struct Farm {
    pub(crate) name: String,
    pub(crate) projection: Projection,
    pub(crate) yard: Point,
    pub(crate) fields: Vec<Arc<Field>>,
    /// Crossings of roads, row by row.
    crossings: Vec<Point>,
    rotation: f64,
    /// Decides its weather; farms of a district share it.
    pub(crate) weather_seed: u64,
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Unique in the fleet.
    pub(crate) name: String,
    pub(crate) boundary: Polygon,
    /// Where one drives on to it, and the crossing nearest to there.
    pub(crate) gate: Point,
    crossing: (i32, i32),
    /// Of the farm's fields, from 0; and where the farm stands in its rotation of crops.
    number: usize,
    rotation: f64,
    seed: u64,
}

impl Farm {
    /// Farm `number` of a district, at the given place.
    pub(crate) fn make(district: &District, district_number: usize, number: usize, at: (f64, f64), seed: u64) -> Self {
        let mut random = Random::fork(seed, &format!("farm {} {number}", district.name));
        let base = NAMES[(number + 7 * district_number) % NAMES.len()];
        let round = number / NAMES.len();
        // A name comes once in a district, and districts tell equal names apart.
        let name = match round {
            0 => format!("{base} ({})", district.name),
            _ => format!("{base}-{} ({})", round + 1, district.name),
        };
        let columns = road_lines(district.field_ha, &mut random);
        let rows = road_lines(district.field_ha, &mut random);
        // The land lies as the river and the railway let it.
        let axes = random.range(0.0, std::f64::consts::FRAC_PI_2).sin_cos();
        let mut crossings = Vec::new();
        for y in &rows {
            for x in &columns {
                let crossing = Point::new(x + random.range(-90.0, 90.0), y + random.range(-90.0, 90.0));
                crossings.push(crossing.out_of_axes(axes));
            }
        }
        let mut farm = Self {
            projection: Projection::at(at.0, at.1),
            yard: Point::default(),
            fields: Vec::new(),
            crossings,
            rotation: random.unit(),
            weather_seed: Random::fork(seed, &format!("weather {}", district.name)).next_u64(),
            name,
        };
        let centre = farm.crossing((0, 0));
        farm.yard = Point::new(centre.x + 25.0, centre.y + 40.0);
        for row in -CELLS..CELLS {
            for column in -CELLS..CELLS {
                let mut random = Random::fork(seed, &format!("cell {} {number} {row} {column}", district.name));
                // The village stands where the yard is.
                if (row, column) == (0, 0) || random.chance(FOREST_SHARE) {
                    continue;
                }
                let field = farm.make_field((column, row), district.field_ha, &mut random);
                farm.fields.extend(field.map(Arc::new));
            }
        }
        farm
    }

    /// A field in a cell; none where nothing sensible is left of it.
    fn make_field(&self, cell: (i32, i32), sizes_ha: (f64, f64), random: &mut Random) -> Option<Field> {
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(dx, dy)| self.crossing((cell.0 + dx, cell.1 + dy)));
        let margin_m = ROAD_MARGIN_M + random.range(0.0, 12.0);
        let cell_polygon = Polygon::new(corners.to_vec(), Vec::new());
        let mut outline = cell_polygon.inset(margin_m).into_iter().next()?.outline;
        outline = bend_sides(&outline, random);
        let wanted_ha = random.range(sizes_ha.0, sizes_ha.1);
        outline = cut_to_size(outline, wanted_ha, random);
        let holes = if random.chance(FIELD_WITH_OBSTACLES_SHARE) { obstacles(&outline, random) } else { Vec::new() };
        let boundary = Polygon::new(outline, holes);
        if boundary.area_m2() < 30_000.0 {
            return None;
        }
        // The corner nearest to a crossing is where the gate is; the yard's side is preferred.
        let crossing = [(0, 0), (1, 0), (1, 1), (0, 1)]
            .map(|(dx, dy)| (cell.0 + dx, cell.1 + dy))
            .into_iter()
            .min_by_key(|(x, y)| x.abs() + y.abs())?;
        let post = self.crossing(crossing);
        let gate = boundary.outline.iter().copied().min_by(|a, b| a.distance(post).total_cmp(&b.distance(post)))?;
        Some(Field {
            name: format!("{} {:02}", self.name, self.fields.len() + 1),
            boundary,
            gate,
            crossing,
            number: self.fields.len(),
            rotation: self.rotation,
            seed: random.next_u64(),
        })
    }

    fn crossing(&self, (column, row): (i32, i32)) -> Point {
        let side = 2 * CELLS + 1;
        let index = (row + CELLS) * side + column + CELLS;
        usize::try_from(index).ok().and_then(|index| self.crossings.get(index)).copied().unwrap_or_default()
    }

    /// The way by road from one crossing to another: first along rows, then along columns.
    fn road(&self, from: (i32, i32), to: (i32, i32)) -> Vec<Point> {
        let mut at = from;
        let mut way = vec![self.crossing(at)];
        while at != to {
            if at.0 != to.0 {
                at.0 += (to.0 - at.0).signum();
            } else {
                at.1 += (to.1 - at.1).signum();
            }
            way.push(self.crossing(at));
        }
        way
    }

    /// The way by road from a field, or the yard, to another.
    pub(crate) fn way(&self, from: Option<&Field>, to: Option<&Field>) -> Vec<Point> {
        let crossing = |place: Option<&Field>| place.map_or((0, 0), |field| field.crossing);
        let end = |place: Option<&Field>| place.map_or(self.yard, |field| field.gate);
        let mut way = vec![end(from)];
        way.extend(self.road(crossing(from), crossing(to)));
        way.push(end(to));
        way.dedup_by(|a, b| a.distance(*b) < 1.0);
        way
    }
}

/// Where roads run on both sides of the yard, metres.
fn road_lines(sizes_ha: (f64, f64), random: &mut Random) -> Vec<f64> {
    let mean_m = ((sizes_ha.0 + sizes_ha.1) / 2.0 * 10_000.0).sqrt();
    let pitch_m = (mean_m * 1.08).min(REACH_M / f64::from(CELLS) / 1.15);
    let mut lines = vec![0.0];
    for side in [-1.0, 1.0] {
        let mut at = 0.0;
        for _ in 0..CELLS {
            at += side * pitch_m * random.range(0.75, 1.15);
            lines.push(at);
        }
    }
    lines.sort_by(f64::total_cmp);
    lines
}

/// Lets sides run as brooks and forest edges do: inwards, never on to the road.
fn bend_sides(outline: &[Point], random: &mut Random) -> Vec<Point> {
    let mut bent = Vec::new();
    for index in 0..outline.len() {
        let (from, to) = (outline[index], outline[(index + 1) % outline.len()]);
        bent.push(from);
        let length_m = from.distance(to);
        if length_m < 150.0 || random.chance(0.35) {
            continue;
        }
        let inwards = from.direction(to) + std::f64::consts::FRAC_PI_2;
        // One side in six has a forest or a pond pushed into it.
        let deep = if random.chance(0.16) { random.range(0.12, 0.25) } else { random.range(0.0, 0.05) };
        let at = random.range(0.3, 0.7);
        bent.push(
            from.towards(to, at - random.range(0.08, 0.2)).ahead(inwards, length_m * deep * random.range(0.4, 0.9)),
        );
        bent.push(from.towards(to, at + random.range(0.05, 0.2)).ahead(inwards, length_m * deep));
    }
    bent
}

/// Cuts a strip off until the field has about the size wanted.
fn cut_to_size(outline: Vec<Point>, wanted_ha: f64, random: &mut Random) -> Vec<Point> {
    let polygon = Polygon::new(outline, Vec::new());
    let area_ha = polygon.area_m2() / 10_000.0;
    if area_ha <= wanted_ha * 1.2 {
        return polygon.outline;
    }
    let (low, high) = polygon.bounds();
    let share = wanted_ha / area_ha;
    let (keep_low, along_x) = (random.chance(0.5), random.chance(0.5));
    let limit = |low: f64, high: f64| if keep_low { low + (high - low) * share } else { high - (high - low) * share };
    let (axis, bound) = if along_x { (0, limit(low.x, high.x)) } else { (1, limit(low.y, high.y)) };
    let side = |p: Point| {
        let value = if axis == 0 { p.x } else { p.y };
        if keep_low { bound - value } else { value - bound }
    };
    let mut kept = Vec::new();
    let ring = &polygon.outline;
    for index in 0..ring.len() {
        let (a, b) = (ring[index], ring[(index + 1) % ring.len()]);
        if side(a) >= 0.0 {
            kept.push(a);
        }
        if (side(a) >= 0.0) != (side(b) >= 0.0) {
            kept.push(a.towards(b, side(a) / (side(a) - side(b))));
        }
    }
    // A cut through an inward bend can make two parts joined by a line of no width; the larger part is the field.
    let cleaned = Polygon::new(kept, Vec::new()).inset(1.0);
    let largest = cleaned.into_iter().max_by(|a, b| a.area_m2().total_cmp(&b.area_m2()));
    largest.map_or(polygon.outline, |polygon| polygon.outline)
}

/// Groves, ponds and pylons: round things well inside.
fn obstacles(outline: &[Point], random: &mut Random) -> Vec<Vec<Point>> {
    let field = Polygon::new(outline.to_vec(), Vec::new());
    let (low, high) = field.bounds();
    let mut holes: Vec<(Point, f64, Vec<Point>)> = Vec::new();
    for _ in 0..1 + random.below(3) {
        let radius_m = random.range(9.0, 38.0);
        for _ in 0..20 {
            let at = Point::new(random.range(low.x, high.x), random.range(low.y, high.y));
            let is_apart = holes.iter().all(|(other, r, _)| other.distance(at) > r + radius_m + 70.0);
            if is_apart && field.contains(at) && field.distance_to_boundary(at) > radius_m + 60.0 {
                let corners = 9 + random.below(5);
                let step = std::f64::consts::TAU / corners as f64;
                let ring = (0..corners).map(|c| at.ahead(step * c as f64, radius_m * random.range(0.8, 1.1))).collect();
                holes.push((at, radius_m, ring));
                break;
            }
        }
    }
    holes.into_iter().map(|(_, _, ring)| ring).collect()
}

impl Field {
    pub(crate) fn area_ha(&self) -> f64 {
        self.boundary.area_m2() / 10_000.0
    }

    /// What grows here in `year`: over a farm every crop comes out close to its share, and crops change every year.
    pub(crate) fn crop<'a>(&self, year: i16, district: &District, crops: &'a [Arc<Crop>]) -> Option<&'a Arc<Crop>> {
        /// Steps of the golden section fill any range evenly.
        const GOLDEN: f64 = 0.618_033_988_75;
        let total: f64 = district.crops.values().sum();
        let draw = (self.rotation + GOLDEN * (self.number as f64 + 7.0 * f64::from(year))).fract() * total;
        let mut sum = 0.0;
        let name = district.crops.iter().find(|(_, share)| {
            sum += **share;
            draw < sum
        });
        let name = name.or_else(|| district.crops.iter().next_back())?.0;
        crops.iter().find(|crop| crop.name == *name)
    }

    /// Whether an operation on `ground` is done on this field when `crop` grows here.
    pub(crate) fn suits(ground: FieldKind, crop: &Crop) -> bool {
        match ground {
            FieldKind::Arable => matches!(crop.ground, FieldKind::Grain | FieldKind::Flax | FieldKind::Maize),
            other => crop.ground == other,
        }
    }

    /// Mean yield of the field in `year`, t/ha as the header takes it.
    fn mean_yield(&self, crop: &Crop, year: i16) -> f64 {
        let (mean, deviation) = crop.yield_tpha;
        let draw = Random::new(super::hash(self.seed ^ 0x11e1d, &[i64::from(year)])).normal();
        (mean + deviation * draw.clamp(-2.0, 2.0)).max(mean * 0.3)
    }

    /// Yield at `at`, t/ha.
    pub(crate) fn yield_tpha(&self, crop: &Crop, year: i16, at: Point) -> f64 {
        let patch = surface(self.seed ^ i64::from(year) as u64, at.x, at.y, PATCH_M);
        self.mean_yield(crop, year) * (1.0 + 0.28 * patch).clamp(0.25, 1.8)
    }

    /// Moisture of the crop at `at` and a local hour, per cent: drier in the afternoon, wetter in dew.
    pub(crate) fn moisture_pct(&self, crop: &Crop, day: i64, at: Point, hour: f64) -> f64 {
        let (low, high) = crop.moisture_pct;
        let draw = Random::new(super::hash(self.seed ^ 0x3077, &[day])).unit();
        let base = low + (high - low) * (0.15 + 0.7 * draw);
        let patch = surface(self.seed ^ 0xd4e3, at.x, at.y, PATCH_M * 1.3);
        let daily = -((hour - 15.5) / 24.0 * std::f64::consts::TAU).cos();
        (base + (high - low) * (0.28 * patch + 0.09 * daily)).clamp(low * 0.85, high * 1.1)
    }

    /// How much lies in a swath at `at`, as a multiple of what grew there: rakes and mowers gather in lumps.
    pub(crate) fn evenness_of_swath(&self, at: Point) -> f64 {
        (1.0 + 0.22 * surface(self.seed ^ 0x1a3e, at.x, at.y, 18.0)).clamp(0.4, 1.7)
    }

    /// How heavy the soil is at `at`: draft as a multiple of the usual.
    pub(crate) fn soil(&self, at: Point) -> f64 {
        (1.0 + 0.13 * surface(self.seed ^ 0x5011, at.x, at.y, PATCH_M * 0.8)).clamp(0.6, 1.5)
    }

    /// Decides whatever else is particular to it.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::catalogue::Catalogue;
    use crate::machine::geometry::segments_cross;

    fn farms() -> (Catalogue, Vec<(usize, Farm)>) {
        let catalogue = Catalogue::load(None).expect("the built-in files are sound");
        let farms = catalogue
            .districts
            .iter()
            .enumerate()
            .flat_map(|(index, district)| {
                (0..3).map(move |n| (index, Farm::make(district, index, n, district.centre, 11)))
            })
            .collect();
        (catalogue, farms)
    }

    #[test]
    fn fields_are_simple_of_the_size_of_their_district_and_apart_from_each_other() {
        let (catalogue, farms) = farms();
        for (district, farm) in &farms {
            assert!(farm.fields.len() >= 15, "{} has {} fields", farm.name, farm.fields.len());
            let sizes = catalogue.districts[*district].field_ha;
            let mean = farm.fields.iter().map(|f| f.area_ha()).sum::<f64>() / farm.fields.len() as f64;
            assert!(mean > sizes.0 * 0.7 && mean < sizes.1 * 1.1, "{} {mean} {sizes:?}", farm.name);
            for field in &farm.fields {
                let edges: Vec<_> = field.boundary.edges().collect();
                for (i, (a, b)) in edges.iter().enumerate() {
                    assert!(edges[..i].iter().all(|(c, d)| !segments_cross(*a, *b, *c, *d)), "{} crosses", field.name);
                }
                let others = farm.fields.iter().filter(|other| other.name != field.name);
                for other in others {
                    assert!(field.boundary.outline.iter().all(|p| !other.boundary.contains(*p)), "{}", field.name);
                }
            }
        }
    }

    #[test]
    fn roads_run_past_fields_and_never_over_them() {
        let (_, farms) = farms();
        for (_, farm) in &farms {
            for field in &farm.fields {
                let way = farm.way(None, Some(field));
                assert_eq!((way[0], way[way.len() - 1]), (farm.yard, field.gate));
                for pair in way.windows(2).take(way.len().saturating_sub(2)) {
                    for step in 0..=20 {
                        let at = pair[0].towards(pair[1], f64::from(step) / 20.0);
                        assert!(farm.fields.iter().all(|other| !other.boundary.contains(at)), "to {}", field.name);
                    }
                }
            }
        }
    }

    #[test]
    fn yields_vary_smoothly_around_the_mean_of_their_crop() {
        let (catalogue, farms) = farms();
        let wheat = catalogue.crops.iter().find(|crop| crop.name == "spring_wheat").expect("wheat grows");
        let mut all = Vec::new();
        for field in farms.iter().flat_map(|(_, farm)| &farm.fields) {
            for step in 0..40 {
                let at = field.gate.ahead(0.3, f64::from(step) * 10.0);
                let here = field.yield_tpha(wheat, 2026, at);
                assert!((field.yield_tpha(wheat, 2026, at.ahead(1.0, 1.0)) - here).abs() < 0.12);
                all.push(here);
            }
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((2.2..2.6).contains(&mean), "{mean}");
    }
}
