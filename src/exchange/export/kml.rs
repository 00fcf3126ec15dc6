//! KML 2.2, placemark by placemark: a folder a session, with its worked area, its way by state, and its yield.

use std::io::{self, Write};

use quick_xml::escape::escape;

use crate::derive::field::Field;
use crate::derive::fieldwork::{State, Trace};
use crate::locale::Language;

use super::columns::code;
use super::geojson::stretches;
use super::table::{Cell, Column, Style};
use super::work::Work;

/// Line colours by state, `aabbggrr` as KML has it, in the colours of the UI.
const STATES: [(State, &str); 7] = [
    (State::Working, "ff597a00"),
    (State::Turning, "ffb27200"),
    (State::Transport, "ffb27200"),
    (State::Unloading, "ff009fe6"),
    (State::Idle, "ff009fe6"),
    (State::Off, "ff80726b"),
    (State::Unknown, "ff80726b"),
];
/// Colours of yield from low to high: viridis, which also reads in grey.
const YIELDS: [&str; 5] = ["ff540144", "ff8b523b", "ff8c9021", "ff62c85d", "ff25e7fd"];

/// Writes a document.
pub struct Kml<W> {
    out: W,
    language: Language,
}

impl<W: Write> Kml<W> {
    /// Begins a document with the styles of states and yields.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn begin(mut out: W, name: &str, style: &Style) -> io::Result<Self> {
        write!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\">\n<Document>\
             <name>{}</name>\n",
            escape(name)
        )?;
        for (state, colour) in STATES {
            writeln!(
                out,
                "<Style id=\"{}\"><LineStyle><color>{colour}</color><width>2</width></LineStyle></Style>",
                code(&state)
            )?;
        }
        writeln!(
            out,
            "<Style id=\"coverage\"><LineStyle><color>ff597a00</color></LineStyle><PolyStyle><color>66597a00</color>\
             </PolyStyle></Style>\n<Style id=\"field\"><LineStyle><color>ff000000</color><width>2</width></LineStyle>\
             <PolyStyle><fill>0</fill></PolyStyle></Style>"
        )?;
        for (class, colour) in YIELDS.iter().enumerate() {
            writeln!(
                out,
                "<Style id=\"yield{class}\"><IconStyle><color>{colour}</color><scale>0.4</scale></IconStyle></Style>"
            )?;
        }
        Ok(Self { out, language: style.headings.unwrap_or(Language::En) })
    }

    /// Ends the document and hands back what was written to.
    ///
    /// # Errors
    /// As [`Kml::begin`].
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"</Document>\n</kml>\n")?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The worked area of a session with its figures.
    ///
    /// # Errors
    /// As [`Kml::begin`].
    pub fn coverage(&mut self, columns: &[Column<Work>], work: &Work, trace: &Trace, style: &Style) -> io::Result<()> {
        if trace.coverage.is_empty() {
            return Ok(());
        }
        write!(self.out, "<Placemark><name>{}</name><styleUrl>#coverage</styleUrl>", escape(self.title(work)))?;
        self.extended_data(columns, work, style)?;
        write!(self.out, "<MultiGeometry>")?;
        for polygon in &trace.coverage {
            self.polygon(polygon.iter().map(|ring| ring.iter().copied()))?;
        }
        writeln!(self.out, "</MultiGeometry></Placemark>")
    }

    /// The way of a session, one line for each stretch of one state.
    ///
    /// # Errors
    /// As [`Kml::begin`].
    pub fn track(&mut self, work: &Work, trace: &Trace) -> io::Result<()> {
        write!(self.out, "<Folder><name>{}</name>", escape(self.title(work)))?;
        for stretch in stretches(trace) {
            let state = code(&stretch.state);
            write!(
                self.out,
                "<Placemark><name>{}</name><TimeSpan><begin>{}</begin><end>{}</end></TimeSpan>\
                 <styleUrl>#{state}</styleUrl><LineString><tessellate>1</tessellate><coordinates>",
                escape(self.language.word("state", &state)),
                stretch.points[0].at,
                stretch.points[stretch.points.len() - 1].at,
            )?;
            for point in stretch.points {
                write!(self.out, "{:.7},{:.7} ", point.longitude_deg, point.latitude_deg)?;
            }
            writeln!(self.out, "</coordinates></LineString></Placemark>")?;
        }
        writeln!(self.out, "</Folder>")
    }

    /// The yield points of a session that cleaning kept, coloured by fifths.
    ///
    /// # Errors
    /// As [`Kml::begin`].
    pub fn yield_points(&mut self, work: &Work, trace: &Trace) -> io::Result<()> {
        let kept = || trace.yield_points.iter().filter(|point| point.dropped.is_none());
        let mut ranked: Vec<f64> = kept().map(|point| point.wet_tpha).collect();
        ranked.sort_by(f64::total_cmp);
        write!(self.out, "<Folder><name>{}</name>", escape(self.title(work)))?;
        for point in kept() {
            let below = ranked.partition_point(|tpha| *tpha < point.wet_tpha);
            let class = (below * YIELDS.len() / ranked.len()).min(YIELDS.len() - 1);
            writeln!(
                self.out,
                "<Placemark><description>{:.2} t/ha</description><styleUrl>#yield{class}</styleUrl><Point>\
                 <coordinates>{:.7},{:.7}</coordinates></Point></Placemark>",
                point.wet_tpha, point.longitude_deg, point.latitude_deg
            )?;
        }
        writeln!(self.out, "</Folder>")
    }

    /// A field.
    ///
    /// # Errors
    /// As [`Kml::begin`].
    pub fn field(&mut self, field: &Field) -> io::Result<()> {
        write!(self.out, "<Placemark><name>{}</name><styleUrl>#field</styleUrl><ExtendedData>", escape(&field.name))?;
        let words = [("field_code", &field.code), ("farm", &field.farm), ("crop", &field.crop)];
        for (name, value) in words.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            write!(self.out, "<Data name=\"{name}\"><value>{}</value></Data>", escape(value))?;
        }
        let area_ha = field.boundary.area_ha();
        write!(self.out, "<Data name=\"area_ha\"><value>{area_ha:.4}</value></Data></ExtendedData><MultiGeometry>")?;
        for part in field.boundary.polygons() {
            let rings = std::iter::once(&part.outer).chain(&part.holes);
            self.polygon(rings.map(|ring| ring.iter().map(|place| [place.lat_deg, place.lon_deg])))?;
        }
        writeln!(self.out, "</MultiGeometry></Placemark>")
    }

    fn title(&self, work: &Work) -> String {
        let operation = self.language.word("operation", work.session.operation.name());
        let field = work.field_name().unwrap_or_else(|| self.language.text("word.outside_fields"));
        format!("{field}, {operation}, {}, {}", work.session.working_day, work.machine.label())
    }

    fn extended_data(&mut self, columns: &[Column<Work>], work: &Work, style: &Style) -> io::Result<()> {
        write!(self.out, "<ExtendedData>")?;
        for column in columns {
            let value = match column.cell(work, style) {
                Cell::Empty => continue,
                Cell::Text(text) => text,
                Cell::Number(value, decimals) => format!("{value:.0$}", usize::from(decimals)),
                Cell::Time(at) => at.to_string(),
                Cell::Day(day) => day.to_string(),
            };
            let (name, value) = (column.title(style), escape(&value).into_owned());
            write!(self.out, "<Data name=\"{}\"><value>{value}</value></Data>", escape(&name))?;
        }
        write!(self.out, "</ExtendedData>")
    }

    /// Rings of latitude and longitude, the outline first.
    fn polygon(&mut self, rings: impl Iterator<Item = impl Iterator<Item = [f64; 2]>>) -> io::Result<()> {
        write!(self.out, "<Polygon>")?;
        for (index, ring) in rings.enumerate() {
            let element = if index == 0 { "outerBoundaryIs" } else { "innerBoundaryIs" };
            write!(self.out, "<{element}><LinearRing><coordinates>")?;
            let mut first = None;
            for [lat, lon] in ring {
                first = first.or(Some([lat, lon]));
                write!(self.out, "{lon:.7},{lat:.7} ")?;
            }
            if let Some([lat, lon]) = first {
                write!(self.out, "{lon:.7},{lat:.7}")?;
            }
            write!(self.out, "</coordinates></LinearRing></{element}>")?;
        }
        write!(self.out, "</Polygon>")
    }
}
