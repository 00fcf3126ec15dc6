//! A field's day: its outline and obstacles, and what one machine did there.

use super::plane::{Extent, Plane, simplified};
use super::svg::{Anchor, Svg, path_data};
use crate::machine::{FieldInfo, Picture, TrackPoint};
use crate::truth::State;

/// Size of the map, and of the column beside it.
const MAP: (f64, f64) = (900.0, 760.0);
const SIDE: f64 = 290.0;
const MARGIN: f64 = 20.0;
/// Space around the field, share of its size.
const AROUND: f64 = 0.06;
/// A line is drawn as exactly as this, pixels.
const TOLERANCE_PX: f64 = 0.15;

const SOIL: &str = "#efe6d2";
const INK: &str = "#2b2b2b";
const PALE: &str = "#777";

/// What is written beside the map.
#[derive(Debug, Clone, Default)]
pub struct Caption {
    /// First line: machine and day.
    pub title: String,
    /// Second line: model, farm.
    pub subtitle: String,
    /// Names and values, in order.
    pub facts: Vec<(String, String)>,
}

fn colour(state: State) -> &'static str {
    match state {
        State::Working => "#4f8f3a",
        State::Turning => "#e08214",
        State::Transport => "#4575b4",
        State::Unloading => "#8e44ad",
        State::Idle => "#c0392b",
        State::Off => "#555555",
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Working => "working",
        State::Turning => "turning",
        State::Transport => "transport",
        State::Unloading => "unloading",
        State::Idle => "idle",
        State::Off => "off",
    }
}

/// Draws what the machine did on `field`, as SVG. Swaths are drawn as wide as they are: where two overlap it is darker,
/// where one is missing the soil shows.
pub fn field_day(picture: &Picture, field: &FieldInfo, caption: &Caption) -> String {
    let middle = middle_of(&field.outline).unwrap_or(picture.yard);
    let plane = Plane::at(middle);
    let outline: Vec<_> = field.outline.iter().map(|point| plane.metres(*point)).collect();
    let extent = Extent::of(outline.iter().copied()).unwrap_or(Extent { min: (-50.0, -50.0), max: (50.0, 50.0) });
    let extent = extent.grown(AROUND * extent.width().max(extent.height()));
    let scale = (MAP.0 / extent.width()).min(MAP.1 / extent.height());
    let map = Map { plane, extent, scale };

    let mut svg = Svg::default();
    svg.element(r##"rect width="100%" height="100%" fill="#ffffff""##);
    svg.clip("map", (MARGIN, MARGIN), MAP);
    svg.open(r#"clip-path="url(#map)""#);
    svg.element(&format!(r##"rect x="{MARGIN}" y="{MARGIN}" width="{}" height="{}" fill="#f4f7ee""##, MAP.0, MAP.1));
    svg.path(map.points(&field.outline), true, &format!(r##"fill="{SOIL}" stroke="none""##));
    let runs = runs_of(&picture.track, &map);
    draw_swaths(&mut svg, &runs, picture.width_m * scale);
    draw_ways(&mut svg, &runs);
    for hole in &field.holes {
        svg.path(map.points(hole), true, r##"fill="#9fb08a" stroke="#5f7050" stroke-width="1.2""##);
    }
    svg.path(map.points(&field.outline), true, &format!(r##"fill="none" stroke="{INK}" stroke-width="1.6""##));
    draw_stops(&mut svg, &runs);
    svg.close();
    svg.element(&format!(
        r##"rect x="{MARGIN}" y="{MARGIN}" width="{}" height="{}" fill="none" stroke="#bbb""##,
        MAP.0, MAP.1
    ));
    draw_scale(&mut svg, scale);
    draw_side(&mut svg, picture, field, caption, &runs);
    svg.finish(MAP.0 + SIDE + 3.0 * MARGIN, MAP.1 + 2.0 * MARGIN, &caption.title)
}

/// How degrees become pixels.
struct Map {
    plane: Plane,
    extent: Extent,
    scale: f64,
}

impl Map {
    /// The pixel of a place in metres.
    fn pixel(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let Self { extent, scale, .. } = self;
        let left = (MAP.0 - extent.width() * scale) / 2.0;
        let top = (MAP.1 - extent.height() * scale) / 2.0;
        (MARGIN + left + (x - extent.min.0) * scale, MARGIN + top + (extent.max.1 - y) * scale)
    }

    fn points<'a>(&'a self, degrees: &'a [(f64, f64)]) -> impl Iterator<Item = (f64, f64)> + 'a {
        degrees.iter().map(|point| self.pixel(self.plane.metres(*point)))
    }
}

/// A stretch of the track in one state, as pixels; it has been cut where it leaves the map.
struct Run {
    state: State,
    points: Vec<(f64, f64)>,
    seconds: f64,
}

fn runs_of(track: &[TrackPoint], map: &Map) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let around = map.extent.grown(map.extent.width().max(map.extent.height()) * 0.1);
    let mut is_open = false;
    for pair in track.windows(2) {
        let metres = [map.plane.metres(pair[0].position), map.plane.metres(pair[1].position)];
        if !metres.iter().any(|point| around.contains(*point)) {
            is_open = false;
            continue;
        }
        let [from, to] = metres.map(|point| map.pixel(point));
        if !is_open || runs.last().is_none_or(|run| run.state != pair[0].state) {
            runs.push(Run { state: pair[0].state, points: vec![from], seconds: 0.0 });
        }
        is_open = true;
        if let Some(run) = runs.last_mut() {
            run.points.push(to);
            run.seconds += (pair[1].at_ms - pair[0].at_ms) as f64 / 1_000.0;
        }
    }
    for run in &mut runs {
        run.points = simplified(&run.points, TOLERANCE_PX);
    }
    runs
}

fn draw_swaths(svg: &mut Svg, runs: &[Run], width_px: f64) {
    let width_px = width_px.max(1.0);
    // Neighbouring passes differ a little, so that the eye can follow them.
    for (number, run) in runs.iter().filter(|run| run.state == State::Working).enumerate() {
        let fill = if number % 2 == 0 { "#5d9e45" } else { "#74b45a" };
        let stroke = format!(
            r##"fill="none" stroke="{fill}" stroke-opacity="0.62" stroke-width="{width_px:.2}" stroke-linejoin="round""##
        );
        svg.path(run.points.iter().copied(), false, &stroke);
    }
    let lines: String = runs
        .iter()
        .filter(|run| run.state == State::Working)
        .map(|run| path_data(run.points.iter().copied(), false))
        .collect();
    svg.element(&format!(r##"path d="{lines}" fill="none" stroke="#2f6b1f" stroke-width="0.7" stroke-opacity="0.8""##));
}

fn draw_ways(svg: &mut Svg, runs: &[Run]) {
    for (state, width) in [(State::Transport, 1.1), (State::Turning, 1.1), (State::Unloading, 2.4)] {
        let lines: String = runs
            .iter()
            .filter(|run| run.state == state)
            .map(|run| path_data(run.points.iter().copied(), false))
            .collect();
        if !lines.is_empty() {
            let colour = colour(state);
            svg.element(&format!(
                r##"path d="{lines}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round""##
            ));
        }
    }
}

/// Where it stood: a circle that grows with the time.
fn draw_stops(svg: &mut Svg, runs: &[Run]) {
    for run in runs.iter().filter(|run| matches!(run.state, State::Idle | State::Off | State::Unloading)) {
        if let Some((x, y)) = run.points.first() {
            let radius = (2.0 + (run.seconds / 60.0).sqrt()).min(9.0);
            let colour = colour(run.state);
            svg.element(&format!(
                r##"circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill="{colour}" fill-opacity="0.55" stroke="{colour}" stroke-width="0.8""##
            ));
        }
    }
}

/// A bar of a round length, and where north is.
fn draw_scale(svg: &mut Svg, scale: f64) {
    let lengths = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];
    let metres = lengths.into_iter().rev().find(|metres| metres * scale <= 220.0).unwrap_or(10.0);
    let (x, y, length) = (MARGIN + 18.0, MARGIN + MAP.1 - 22.0, metres * scale);
    svg.element(&format!(
        r##"rect x="{:.1}" y="{:.1}" width="{:.1}" height="34" fill="#ffffff" fill-opacity="0.85""##,
        x - 8.0,
        y - 22.0,
        length + 16.0
    ));
    svg.path(
        [(x, y - 5.0), (x, y + 3.0), (x + length, y + 3.0), (x + length, y - 5.0)],
        false,
        r##"fill="none" stroke="#2b2b2b" stroke-width="1.5""##,
    );
    let label = if metres >= 1_000.0 { format!("{} km", metres / 1_000.0) } else { format!("{metres} m") };
    svg.text((x + length / 2.0, y - 7.0), 12.0, Anchor::Middle, INK, &label);
    let (x, y) = (MARGIN + MAP.0 - 26.0, MARGIN + 22.0);
    svg.element(&format!(r##"circle cx="{x}" cy="{:.1}" r="21" fill="#ffffff" fill-opacity="0.85""##, y + 8.0));
    svg.path([(x, y - 8.0), (x + 6.0, y + 12.0), (x, y + 7.0), (x - 6.0, y + 12.0)], true, r##"fill="#2b2b2b""##);
    svg.text((x, y + 25.0), 11.0, Anchor::Middle, INK, "N");
}

fn draw_side(svg: &mut Svg, picture: &Picture, field: &FieldInfo, caption: &Caption, runs: &[Run]) {
    let x = MARGIN * 2.0 + MAP.0;
    let right = x + SIDE;
    let mut y = MARGIN + 20.0;
    svg.text((x, y), 19.0, Anchor::Start, INK, &caption.title);
    y += 22.0;
    svg.text((x, y), 13.0, Anchor::Start, PALE, &caption.subtitle);
    y += 34.0;
    svg.text((x, y), 15.0, Anchor::Start, INK, &field.name);
    svg.text((right, y), 15.0, Anchor::End, INK, &format!("{:.2} ha", field.area_ha));
    y += 20.0;
    svg.text((x, y), 13.0, Anchor::Start, PALE, &format!("{}, {}", field.crop, field.district));
    y += 30.0;
    for (name, value) in &caption.facts {
        svg.text((x, y), 13.0, Anchor::Start, PALE, name);
        svg.text((right, y), 13.0, Anchor::End, INK, value);
        y += 20.0;
    }
    y += 18.0;
    svg.text((x, y), 13.0, Anchor::Start, INK, "state, and time on this map");
    y += 10.0;
    for state in [State::Working, State::Turning, State::Unloading, State::Transport, State::Idle, State::Off] {
        let seconds: f64 = runs.iter().filter(|run| run.state == state).map(|run| run.seconds).sum();
        if seconds == 0.0 {
            continue;
        }
        y += 22.0;
        let mark = colour(state);
        if state == State::Working {
            svg.element(&format!(
                r##"rect x="{x}" y="{:.1}" width="26" height="12" fill="{mark}" fill-opacity="0.62""##,
                y - 10.0
            ));
        } else if matches!(state, State::Idle | State::Off | State::Unloading) {
            svg.element(&format!(
                r##"circle cx="{:.1}" cy="{:.1}" r="6" fill="{mark}" fill-opacity="0.55" stroke="{mark}""##,
                x + 13.0,
                y - 4.0
            ));
        } else {
            svg.path([(x, y - 4.0), (x + 26.0, y - 4.0)], false, &format!(r##"stroke="{mark}" stroke-width="2""##));
        }
        svg.text((x + 36.0, y), 13.0, Anchor::Start, INK, word(state));
        svg.text((right, y), 13.0, Anchor::End, INK, &hours(seconds));
    }
    if !field.holes.is_empty() {
        y += 22.0;
        svg.element(&format!(
            r##"rect x="{x}" y="{:.1}" width="26" height="12" fill="#9fb08a" stroke="#5f7050""##,
            y - 10.0
        ));
        svg.text((x + 36.0, y), 13.0, Anchor::Start, INK, "obstacle");
    }
    draw_overview(svg, picture, field, (x, y + 40.0));
}

/// Where the field lies: the yard, the fields of the day, and the way between them.
fn draw_overview(svg: &mut Svg, picture: &Picture, field: &FieldInfo, (x, y): (f64, f64)) {
    let plane = Plane::at(picture.yard);
    let track: Vec<_> = picture.track.iter().map(|point| plane.metres(point.position)).collect();
    let corners = picture.fields.iter().flat_map(|field| &field.outline).map(|point| plane.metres(*point));
    let Some(extent) = Extent::of(track.iter().copied().chain(corners).chain([(0.0, 0.0)])) else { return };
    let extent = extent.grown(0.05 * extent.width().max(extent.height()).max(100.0));
    let height = (MARGIN + MAP.1 - y - 24.0).clamp(60.0, 240.0);
    let scale = (SIDE / extent.width()).min(height / extent.height());
    let to_map =
        |(east, north): (f64, f64)| (x + (east - extent.min.0) * scale, y + 16.0 + (extent.max.1 - north) * scale);
    svg.text(
        (x, y),
        13.0,
        Anchor::Start,
        INK,
        &format!("the day around the yard, {:.1} km across", extent.width() / 1_000.0),
    );
    for other in &picture.fields {
        let is_this = other.name == field.name;
        let fill = if is_this { "#b9d8a6" } else { SOIL };
        let corners = other.outline.iter().map(|point| to_map(plane.metres(*point)));
        svg.path(corners, true, &format!(r##"fill="{fill}" stroke="{INK}" stroke-width="0.7""##));
    }
    let track: Vec<_> = track.into_iter().map(to_map).collect();
    svg.path(
        simplified(&track, 0.3),
        false,
        r##"fill="none" stroke="#4575b4" stroke-width="0.8" stroke-opacity="0.8""##,
    );
    let (yard_x, yard_y) = to_map((0.0, 0.0));
    svg.element(&format!(
        r##"rect x="{:.1}" y="{:.1}" width="8" height="8" fill="{INK}""##,
        yard_x - 4.0,
        yard_y - 4.0
    ));
    svg.text((yard_x + 8.0, yard_y - 3.0), 11.0, Anchor::Start, INK, "yard");
}

fn middle_of(outline: &[(f64, f64)]) -> Option<(f64, f64)> {
    let extent = Extent::of(outline.iter().copied())?;
    Some(((extent.min.0 + extent.max.0) / 2.0, (extent.min.1 + extent.max.1) / 2.0))
}

fn hours(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    if minutes >= 60 { format!("{} h {:02} min", minutes / 60, minutes % 60) } else { format!("{minutes} min") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of 400 m with two passes of 10 m and the turn between them.
    fn example() -> (Picture, FieldInfo) {
        let (lat, lon) = (56.26, 83.97);
        let (north, east) = (400.0 / 111_350.0, 400.0 / 62_000.0);
        let field = FieldInfo {
            name: "Дальнее <1>".into(),
            farm: "Заря".into(),
            district: "Kozhevnikovsky".into(),
            crop: "spring wheat".into(),
            area_ha: 16.0,
            outline: vec![(lat, lon), (lat, lon + east), (lat + north, lon + east), (lat + north, lon)],
            holes: Vec::new(),
        };
        let point = |second: i64, up: f64, right: f64, state| TrackPoint {
            at_ms: second * 1_000,
            position: (lat + north * up, lon + east * right),
            state,
        };
        let mut track: Vec<_> =
            (0..100).map(|second| point(second, second as f64 / 100.0, 0.2, State::Working)).collect();
        track.push(point(100, 1.0, 0.2, State::Turning));
        track
            .extend((101..201).map(|second| point(second, 1.0 - (second - 101) as f64 / 100.0, 0.225, State::Working)));
        track.push(point(201, 0.0, 0.225, State::Idle));
        track.push(point(801, 0.0, 0.225, State::Off));
        let picture = Picture { fields: vec![field.clone()], track, yard: (lat - 0.01, lon), width_m: 10.0 };
        (picture, field)
    }

    #[test]
    fn a_day_shows_swaths_as_wide_as_they_are_turns_stops_and_names() {
        let (picture, field) = example();
        let caption =
            Caption { title: "SIM-1".into(), facts: vec![("worked".into(), "0.8 ha".into())], ..Caption::default() };
        let drawn = field_day(&picture, &field, &caption);
        // 760 px for 448 m and its margin: 10 m are 16 to 17 px.
        assert_eq!(drawn.matches(r#"stroke-opacity="0.62" stroke-width="1"#).count(), 2, "two passes");
        for expected in
            [r##"stroke="#e08214""##, ">working<", ">10 min<", "Дальнее &lt;1&gt;", ">0.8 ha<", ">100 m<", ">yard<"]
        {
            assert!(drawn.contains(expected), "{expected} is missing in\n{drawn}");
        }
        crate::picture::svg::check_well_formed(&drawn);
        assert!(drawn.len() < 20_000, "straight passes need two points: {} bytes", drawn.len());
    }
}
