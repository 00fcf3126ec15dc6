//! GeoJSON (RFC 7946), feature by feature.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::derive::field::Field;
use crate::derive::fieldwork::{Place, State, Swath, Trace};

use super::columns::{self, code};
use super::table::{Cell, Column, Style};
use super::work::Work;

/// Degrees are written in steps of a centimetre: RFC 7946 advises against more.
const STEPS_PER_DEGREE: f64 = 1e7;

/// Writes a feature collection.
pub struct GeoJson<W> {
    out: W,
    is_empty: bool,
}

impl<W: Write> GeoJson<W> {
    /// Begins a collection.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        Ok(Self { out, is_empty: true })
    }

    /// Ends the collection and hands back what was written to.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The worked area of a session with all its figures. Without a width there is no area, and the geometry is null.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn coverage(&mut self, columns: &[Column<Work>], work: &Work, trace: &Trace, style: &Style) -> io::Result<()> {
        let geometry = match trace.coverage.as_slice() {
            [] => Value::Null,
            [polygon] => json!({"type": "Polygon", "coordinates": rings(polygon)}),
            polygons => {
                let polygons: Vec<_> = polygons.iter().map(|polygon| rings(polygon)).collect();
                json!({"type": "MultiPolygon", "coordinates": polygons})
            }
        };
        self.feature(&geometry, properties(columns, work, style))
    }

    /// The way of a session, one line for each stretch of one state.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn track(&mut self, work: &Work, trace: &Trace) -> io::Result<()> {
        for stretch in stretches(trace) {
            let line: Vec<_> =
                stretch.points.iter().map(|point| position(point.latitude_deg, point.longitude_deg)).collect();
            let mut properties = whose(work);
            properties.insert("state".into(), code(&stretch.state).into());
            properties.insert("started_at".into(), stretch.points[0].at.to_string().into());
            properties.insert("ended_at".into(), stretch.points[stretch.points.len() - 1].at.to_string().into());
            self.feature(&json!({"type": "LineString", "coordinates": line}), properties)?;
        }
        Ok(())
    }

    /// The middle of each strip that a session covered.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn swaths(&mut self, work: &Work, trace: &Trace) -> io::Result<()> {
        for swath in trace.swaths.iter().filter(|swath| swath.middle.len() > 1) {
            let line: Vec<_> = swath.middle.iter().map(|[lat, lon, _]| position(*lat, *lon)).collect();
            let mut properties = whose(work);
            properties.insert("width_m".into(), number(mean_width(swath), 2));
            properties.insert("started_at".into(), swath.started_at.to_string().into());
            properties.insert("ended_at".into(), swath.ended_at.to_string().into());
            self.feature(&json!({"type": "LineString", "coordinates": line}), properties)?;
        }
        Ok(())
    }

    /// The yield points of a session, those that cleaning dropped included, with the reason.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn yield_points(&mut self, work: &Work, trace: &Trace, style: &Style) -> io::Result<()> {
        let mut columns = columns::yield_points();
        columns.retain(|column| !matches!(column.name.as_str(), "latitude_deg" | "longitude_deg"));
        for point in &trace.yield_points {
            let place = json!({"type": "Point", "coordinates": position(point.latitude_deg, point.longitude_deg)});
            self.feature(&place, properties(&columns, &(work, point), style))?;
        }
        Ok(())
    }

    /// The boundary that a session outside known fields proposes.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn proposed_boundary(&mut self, work: &Work) -> io::Result<()> {
        let Place::Outside { proposed_boundary, .. } = &work.session.place else { return Ok(()) };
        if proposed_boundary.len() < 3 {
            return Ok(());
        }
        let outline = json!({"type": "Polygon", "coordinates": rings(std::slice::from_ref(proposed_boundary))});
        self.feature(&outline, whose(work))
    }

    /// A field.
    ///
    /// # Errors
    /// As [`GeoJson::begin`].
    pub fn field(&mut self, field: &Field) -> io::Result<()> {
        let polygons: Vec<Vec<Value>> = field
            .boundary
            .polygons()
            .iter()
            .map(|part| {
                let rings = std::iter::once(&part.outer).chain(&part.holes);
                rings.map(|ring| closed(ring.iter().map(|place| [place.lat_deg, place.lon_deg]))).collect()
            })
            .collect();
        let geometry = match polygons.as_slice() {
            [polygon] => json!({"type": "Polygon", "coordinates": polygon}),
            polygons => json!({"type": "MultiPolygon", "coordinates": polygons}),
        };
        let mut properties = Map::new();
        properties.insert("field_id".into(), field.id.0.into());
        properties.insert("name".into(), field.name.clone().into());
        for (name, value) in [("field_code", &field.code), ("farm", &field.farm), ("crop", &field.crop)] {
            properties.insert(name.into(), value.clone().into());
        }
        properties.insert("area_ha".into(), number(field.boundary.area_ha(), 4));
        self.feature(&geometry, properties)
    }

    fn feature(&mut self, geometry: &Value, properties: Map<String, Value>) -> io::Result<()> {
        self.out.write_all(if self.is_empty { b"\n" } else { b",\n" })?;
        self.is_empty = false;
        let feature = json!({"type": "Feature", "geometry": geometry, "properties": properties});
        serde_json::to_writer(&mut self.out, &feature)?;
        Ok(())
    }
}

/// A stretch of the way in one state. It ends where the next begins, so that the line has no gap.
pub(super) struct Stretch<'t> {
    pub state: State,
    pub points: &'t [crate::derive::fieldwork::TracePoint],
}

pub(super) fn stretches(trace: &Trace) -> impl Iterator<Item = Stretch<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < trace.points.len() {
            let state = trace.points[start].state;
            let length = trace.points[start..].iter().take_while(|point| point.state == state).count();
            let end = (start + length + 1).min(trace.points.len());
            let points = &trace.points[start..end];
            start += length;
            if points.len() > 1 {
                return Some(Stretch { state, points });
            }
        }
        None
    })
}

pub(super) fn mean_width(swath: &Swath) -> f64 {
    swath.middle.iter().map(|[_, _, width]| width).sum::<f64>() / swath.middle.len() as f64
}

fn whose(work: &Work) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("session_id".into(), work.session_id.into());
    properties.insert("machine".into(), work.machine.serial.clone().into());
    properties.insert("field".into(), work.field_name().into());
    properties.insert("operation".into(), work.session.operation.name().into());
    properties
}

/// Cells as JSON, under the names or headings of their columns.
pub(super) fn properties<R: ?Sized>(columns: &[Column<R>], row: &R, style: &Style) -> Map<String, Value> {
    let named = columns.iter().map(|column| {
        let value = match column.cell(row, style) {
            Cell::Empty => Value::Null,
            Cell::Text(text) => text.into(),
            Cell::Number(value, decimals) => number(value, decimals),
            Cell::Time(at) => at.to_string().into(),
            Cell::Day(day) => day.to_string().into(),
        };
        (column.title(style), value)
    });
    named.collect()
}

fn number(value: f64, decimals: u8) -> Value {
    if decimals == 0 && value.abs() < 9e15 {
        return (value.round() as i64).into();
    }
    let scale = 10_f64.powi(i32::from(decimals));
    ((value * scale).round() / scale).into()
}

fn rings(polygon: &[Vec<[f64; 2]>]) -> Vec<Value> {
    polygon.iter().map(|ring| closed(ring.iter().copied())).collect()
}

/// A ring with its first position repeated at the end.
fn closed(ring: impl Iterator<Item = [f64; 2]>) -> Value {
    let mut positions: Vec<Value> = ring.map(|[lat, lon]| position(lat, lon)).collect();
    if positions.first() != positions.last() {
        positions.extend(positions.first().cloned());
    }
    positions.into()
}

fn position(lat_deg: f64, lon_deg: f64) -> Value {
    let round = |degrees: f64| (degrees * STEPS_PER_DEGREE).round() / STEPS_PER_DEGREE;
    json!([round(lon_deg), round(lat_deg)])
}
