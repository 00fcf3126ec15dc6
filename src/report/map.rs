//! The map of a field: its boundary, and the strips that each machine covered. Strips are half transparent, so what
//! was covered twice is darker and what was left out stays white, in grey too.

use std::fmt::Write as _;

use crate::derive::field::Field;
use crate::derive::fieldwork::Trace;
use crate::derive::geometry::{Bounds, Frame, Point, simplify};
use crate::locale::Language;

use super::html::escaped;

/// Size of the drawing at most, in its own units; a unit prints as a quarter of a millimetre.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 340.0;
/// Room around the drawing, and below it for the scale.
const MARGIN: f64 = 8.0;
const FOOT: f64 = 26.0;
/// Lines are drawn to this accuracy, in units.
const ACCURACY: f64 = 0.25;
/// Most strips drawn one by one; more are drawn as the area they cover.
const MAX_STRIPS: usize = 4_000;
/// Scale bar at most this share of the drawing.
const SCALE_SHARE: f64 = 0.3;
/// Colour and dashes of each machine in turn: apart in hue, in brightness and in pattern.
const MACHINES: [(&str, &str); 6] = [
    ("#007a59", ""),
    ("#e69f00", "6 2"),
    ("#0072b2", "2 2"),
    ("#b3001b", "8 2 2 2"),
    ("#6a3d9a", "4 4"),
    ("#6b7280", "1 3"),
];

/// What is drawn of a session. It keeps no samples, so a season of them fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// The middle of each strip with its mean width, m.
    strips: Vec<(Vec<[f64; 2]>, f64)>,
    /// Parts of the worked area: outline, then holes.
    coverage: Vec<Vec<Vec<[f64; 2]>>>,
}

impl Drawn {
    /// What is drawn of a trace.
    pub fn of(trace: &Trace) -> Self {
        let strips = trace.swaths.iter().filter(|swath| swath.middle.len() > 1).map(|swath| {
            let width = swath.middle.iter().map(|[_, _, width]| width).sum::<f64>() / swath.middle.len() as f64;
            (swath.middle.iter().map(|[lat, lon, _]| [*lat, *lon]).collect(), width)
        });
        Self { strips: strips.collect(), coverage: trace.coverage.clone() }
    }

    /// Parts of the worked area.
    pub(super) fn coverage(&self) -> impl Iterator<Item = &Vec<Vec<[f64; 2]>>> {
        self.coverage.iter()
    }

    fn places(&self) -> impl Iterator<Item = [f64; 2]> {
        let strips = self.strips.iter().flat_map(|(line, _)| line);
        strips.chain(self.coverage.iter().flatten().flatten()).copied()
    }
}

/// A machine on the map, with all it did there.
pub(super) struct Layer<'a> {
    pub name: &'a str,
    pub drawn: Vec<&'a Drawn>,
}

/// Draws a field; none when there is nothing to draw.
pub(super) fn draw(field: Option<&Field>, layers: &[Layer<'_>], language: Language) -> Option<String> {
    let outline = || field.into_iter().flat_map(|field| field.boundary.rings());
    let of_field = outline().flatten().map(|place| [place.lat_deg, place.lon_deg]);
    let of_work = || layers.iter().flat_map(|layer| &layer.drawn).flat_map(|drawn| drawn.places());
    let all: Vec<[f64; 2]> = of_field.chain(of_work()).collect();
    let [lat, lon] = *all.first()?;
    let frame = Frame::at(lat, lon);
    let bounds = Bounds::around(all.iter().map(|[lat, lon]| frame.point(*lat, *lon)))?;
    let view = View::of(frame, bounds);
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {:.0} {:.0}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">",
        view.width,
        view.height,
        escaped(language.text("report.map"))
    );
    let strips: usize = layers.iter().flat_map(|layer| &layer.drawn).map(|drawn| drawn.strips.len()).sum();
    for (layer, (colour, dashes)) in layers.iter().zip(MACHINES.iter().cycle()) {
        if strips <= MAX_STRIPS {
            view.strips(&mut svg, layer, colour, dashes);
        } else {
            view.coverage(&mut svg, layer, colour);
        }
    }
    for ring in outline() {
        let points = ring.iter().map(|place| view.at(place.lat_deg, place.lon_deg));
        let _ = write!(svg, "<path d=\"{}Z\" fill=\"none\" stroke=\"#1b1f23\" stroke-width=\"1.6\"/>", path(points));
    }
    view.scale_and_north(&mut svg, language);
    svg.push_str("</svg>");
    Some(svg)
}

/// The sign of a machine in the legend, as its strips look.
pub(super) fn sign(number: usize) -> String {
    let (colour, dashes) = MACHINES[number % MACHINES.len()];
    format!(
        "<svg class=\"sign\" viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path d=\"M0 5H28\" stroke=\"{colour}\" \
         stroke-width=\"8\" stroke-opacity=\".32\"/><path d=\"M0 5H28\" stroke=\"{colour}\" stroke-width=\"1.4\" \
         stroke-dasharray=\"{dashes}\"/></svg>"
    )
}

/// From places to the drawing.
struct View {
    frame: Frame,
    low: Point,
    high: Point,
    units_per_m: f64,
    width: f64,
    height: f64,
}

impl View {
    fn of(frame: Frame, bounds: Bounds) -> Self {
        // A strip has a width of its own beyond its middle.
        let bounds = bounds.widened(10.0);
        let (wide_m, high_m) = (bounds.high.x - bounds.low.x, bounds.high.y - bounds.low.y);
        let units_per_m = ((WIDTH - 2.0 * MARGIN) / wide_m).min((HEIGHT - 2.0 * MARGIN - FOOT) / high_m);
        Self {
            frame,
            low: bounds.low,
            high: bounds.high,
            units_per_m,
            width: WIDTH,
            height: high_m * units_per_m + 2.0 * MARGIN + FOOT,
        }
    }

    fn at(&self, lat_deg: f64, lon_deg: f64) -> Point {
        let point = self.frame.point(lat_deg, lon_deg);
        let indent = (self.width - (self.high.x - self.low.x) * self.units_per_m) / 2.0;
        Point::new(
            indent + (point.x - self.low.x) * self.units_per_m,
            MARGIN + (self.high.y - point.y) * self.units_per_m,
        )
    }

    fn strips(&self, svg: &mut String, layer: &Layer<'_>, colour: &str, dashes: &str) {
        let _ = write!(svg, "<g fill=\"none\" stroke=\"{colour}\" stroke-linejoin=\"round\">");
        let mut middles = String::new();
        for (line, width_m) in layer.drawn.iter().flat_map(|drawn| &drawn.strips) {
            let points: Vec<Point> = line.iter().map(|[lat, lon]| self.at(*lat, *lon)).collect();
            let line = path(simplify(&points, ACCURACY));
            let width = (width_m * self.units_per_m).max(0.5);
            let _ = write!(svg, "<path d=\"{line}\" stroke-opacity=\".32\" stroke-width=\"{width:.2}\"/>");
            middles.push_str(&line);
        }
        let _ = write!(svg, "<path d=\"{middles}\" stroke-width=\".5\" stroke-dasharray=\"{dashes}\"/></g>");
    }

    fn coverage(&self, svg: &mut String, layer: &Layer<'_>, colour: &str) {
        for part in layer.drawn.iter().flat_map(|drawn| &drawn.coverage) {
            let rings = part.iter().map(|ring| path(ring.iter().map(|[lat, lon]| self.at(*lat, *lon))) + "Z");
            let rings: String = rings.collect();
            let _ = write!(svg, "<path d=\"{rings}\" fill=\"{colour}\" fill-opacity=\".4\" fill-rule=\"evenodd\"/>");
        }
    }

    fn scale_and_north(&self, svg: &mut String, language: Language) {
        let length_m = round_length((self.width * SCALE_SHARE) / self.units_per_m);
        let (left, base) = (MARGIN, self.height - 8.0);
        let right = left + length_m * self.units_per_m;
        let label = format!("{}\u{a0}{}", language.number(length_m, 0), language.text("unit.m"));
        let _ = write!(
            svg,
            "<g stroke=\"#1b1f23\" fill=\"none\"><path d=\"M{left:.1} {:.1}V{base:.1}H{right:.1}V{:.1}\"/></g>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\">{label}</text>",
            base - 5.0,
            base - 5.0,
            right + 6.0,
            base,
        );
        let x = self.width - MARGIN - 8.0;
        let _ = write!(
            svg,
            "<g><path d=\"M{x:.1} {:.1}l5 14l-5 -4l-5 4Z\" fill=\"#1b1f23\"/><text x=\"{:.1}\" y=\"{base:.1}\" \
             font-size=\"11\" font-weight=\"bold\" text-anchor=\"end\">{}</text></g>",
            base - 13.0,
            x - 9.0,
            escaped(language.text("report.north")),
        );
    }
}

/// The greatest of 1, 2, 5 and their tens that is no longer.
fn round_length(most_m: f64) -> f64 {
    let power = 10_f64.powf(most_m.max(1.0).log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|step| step * power);
    steps.into_iter().find(|step| *step <= most_m).unwrap_or(power)
}

fn path(points: impl IntoIterator<Item = Point>) -> String {
    let mut path = String::new();
    for (index, point) in points.into_iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { 'M' } else { 'L' }, point.x, point.y);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_bars_have_round_lengths() {
        let found = [1.4, 7.0, 10.0, 49.0, 120.0, 999.0].map(round_length);
        assert_eq!(found, [1.0, 5.0, 10.0, 20.0, 100.0, 500.0]);
    }
}
