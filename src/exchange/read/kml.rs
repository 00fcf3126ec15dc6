//! Field boundaries as KML (OGC 12-007): the polygons of placemarks, with the names people gave them. Element names
//! are compared without their namespace, since Google Earth, QGIS and phones use several.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::derive::field::{LatLon, Ring};

use super::outline::{MAX_OUTLINES, Outline};
use super::text::{Encoding, decode_xml};
use super::{At, Problem, Problems, Weigh, Weight};

/// Largest file taken.
pub const MAX_KML_BYTES: usize = 128 * 1024 * 1024;
/// Deepest nesting of folders, multi-geometries and the rest.
const MAX_DEPTH: usize = 64;
/// Longest text of an element that is no list of coordinates.
const MAX_TEXT_BYTES: usize = 4096;

/// What can be wrong in KML.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// Larger than [`MAX_KML_BYTES`].
    #[error("{0} bytes of KML are more than {MAX_KML_BYTES}; the file is not read")]
    TooLarge(usize),
    /// Damaged XML.
    #[error("damaged XML ({0}); what stands before it is read")]
    XmlBroken(String),
    /// Nested deeper than any real file.
    #[error("elements nested deeper than {MAX_DEPTH}; reading stops there")]
    TooDeep,
    /// Neither UTF-8 nor what the file says.
    #[error("the text is not UTF-8; names may look wrong")]
    NotUtf8,
    /// A placemark with a point or a line.
    #[error("{0} encloses no area; it is skipped")]
    NotAnArea(String),
    /// A line that ends where it began.
    #[error("{0} is a closed line; it is taken as the boundary")]
    ClosedLine(String),
    /// Coordinates that are no numbers.
    #[error("the coordinates of {label} hold {text:?}, which is no longitude,latitude pair; it is skipped")]
    BadCoordinates {
        /// Which placemark.
        label: String,
        /// What stands there.
        text: String,
    },
    /// More placemarks than [`MAX_OUTLINES`].
    #[error("more than {MAX_OUTLINES} placemarks; the rest is skipped")]
    TooMany,
    /// A file without a placemark.
    #[error("no placemark in it; is it a network link or an overlay?")]
    Empty,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::ClosedLine(_) | Defect::NotUtf8 => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

/// Reads the areas of a file. A folder's name is taken as the farm of the placemarks in it.
pub fn read(file: &str, bytes: &[u8]) -> (Vec<Outline>, Vec<Problem<Defect>>) {
    let mut problems = Problems::new(file);
    if bytes.len() > MAX_KML_BYTES {
        problems.push(At::File, Defect::TooLarge(bytes.len()));
        return (Vec::new(), problems.into_vec());
    }
    let (text, encoding) = decode_xml(bytes);
    if encoding == Encoding::Latin1 {
        problems.push(At::File, Defect::NotUtf8);
    }
    let mut walk = Walk { problems, outlines: Vec::new(), open: Vec::new(), folders: Vec::new(), mark: None, count: 0 };
    walk.events(&text);
    if walk.count == 0 {
        walk.problems.push(At::File, Defect::Empty);
    }
    (walk.outlines, walk.problems.into_vec())
}

/// A placemark being read.
#[derive(Default)]
struct Mark {
    byte: u64,
    outline: Outline,
    properties: Vec<(String, String)>,
    lines: Vec<Ring>,
    bad: Option<String>,
}

struct Walk {
    problems: Problems<Defect>,
    outlines: Vec<Outline>,
    /// Open elements with what was written in them.
    open: Vec<(Box<str>, String)>,
    /// Names of the open folders.
    folders: Vec<Option<String>>,
    mark: Option<Mark>,
    count: usize,
}

impl Walk {
    fn events(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        loop {
            let byte = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    if self.open.len() >= MAX_DEPTH {
                        self.problems.push(At::Byte(byte), Defect::TooDeep);
                        return;
                    }
                    self.start(&start, byte);
                }
                Ok(Event::Empty(start)) => {
                    self.start(&start, byte);
                    self.end();
                }
                Ok(Event::Text(text)) => self.text(&text.xml_content(XmlVersion::Implicit1_0)),
                Ok(Event::CData(text)) => self.text(&text.xml_content(XmlVersion::Implicit1_0)),
                Ok(Event::GeneralRef(reference)) => {
                    let known =
                        quick_xml::escape::unescape(&format!("&{};", &*reference)).map(|text| text.into_owned());
                    self.text(&known.unwrap_or_default());
                }
                Ok(Event::End(end)) => {
                    let name = local(end.name().0).to_owned();
                    // A stray end tag closes nothing; a missing one is made up for.
                    if let Some(depth) = self.open.iter().rposition(|(open, _)| **open == *name) {
                        while self.open.len() > depth {
                            self.end();
                        }
                    }
                }
                Ok(Event::Eof) => return self.finish(byte),
                Ok(_) => {}
                Err(error) => {
                    self.problems.push(At::Byte(reader.error_position()), Defect::XmlBroken(error.to_string()));
                    return;
                }
            }
            if self.count > MAX_OUTLINES {
                self.problems.push(At::Byte(byte), Defect::TooMany);
                return;
            }
        }
    }

    /// A placemark that the file breaks off in is not taken: its ring may be half.
    fn finish(&mut self, byte: u64) {
        if let Some((open, _)) = self.open.last() {
            self.problems.push(At::Byte(byte), Defect::XmlBroken(format!("the file ends inside {open}")));
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, byte: u64) {
        let name = local(start.name().0).to_owned();
        match &*name {
            "Folder" => self.folders.push(None),
            "Placemark" => {
                self.count += 1;
                let mut outline = Outline { key: attribute(start, "id"), ..Outline::default() };
                outline.rings.repeats_first_point = true;
                self.mark = Some(Mark { byte, outline, ..Mark::default() });
            }
            "Data" | "SimpleData" => {
                if let (Some(mark), Some(name)) = (&mut self.mark, attribute(start, "name")) {
                    mark.properties.push((name, String::new()));
                }
            }
            _ => {}
        }
        self.open.push((name.into(), String::new()));
    }

    fn text(&mut self, text: &str) {
        if let Some((name, written)) = self.open.last_mut()
            && (&**name == "coordinates" || written.len() + text.len() <= MAX_TEXT_BYTES)
        {
            written.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some((name, written)) = self.open.pop() else { return };
        let parent = self.open.last().map_or("", |(parent, _)| parent);
        match (&*name, parent) {
            ("Folder", _) => {
                self.folders.pop();
            }
            ("Placemark", _) => self.placemark(),
            ("name", "Placemark") => {
                if let Some(mark) = &mut self.mark {
                    mark.outline.name = Some(written.trim().to_owned()).filter(|name| !name.is_empty());
                }
            }
            ("name", "Folder") => {
                if let Some(folder) = self.folders.last_mut() {
                    *folder = Some(written.trim().to_owned()).filter(|name| !name.is_empty());
                }
            }
            ("value", "Data") | ("SimpleData", _) => {
                if let Some((_, value)) = self.mark.as_mut().and_then(|mark| mark.properties.last_mut()) {
                    *value = written;
                }
            }
            ("coordinates", _) => self.coordinates(&written),
            _ => {}
        }
    }

    fn coordinates(&mut self, written: &str) {
        let is_in = |element: &str| self.open.iter().any(|(name, _)| **name == *element);
        let (hole, outer, line) = (is_in("innerBoundaryIs"), is_in("outerBoundaryIs"), is_in("LineString"));
        let Some(mark) = &mut self.mark else { return };
        match ring(written) {
            Ok(ring) if hole => mark.outline.rings.holes.push(ring),
            Ok(ring) if outer => mark.outline.rings.outers.push(ring),
            Ok(ring) if line => mark.lines.push(ring),
            Ok(_) => {}
            Err(text) => mark.bad = Some(text),
        }
    }

    fn placemark(&mut self) {
        let Some(mut mark) = self.mark.take() else { return };
        let at = At::Byte(mark.byte);
        let farm = self.folders.iter().rev().flatten().next().cloned();
        mark.outline.describe(mark.properties.iter().map(|(name, value)| (name.as_str(), value.clone())));
        mark.outline.farm = mark.outline.farm.or(farm);
        let name = mark.outline.name.as_ref().or(mark.outline.key.as_ref());
        let label: String =
            name.map_or_else(|| format!("placemark {}", self.count), |name| name.chars().take(60).collect());
        mark.outline.label = label.clone();
        if let Some(text) = mark.bad {
            self.problems.push(at, Defect::BadCoordinates { label, text });
            return;
        }
        if mark.outline.rings.outers.is_empty() {
            let closed = |line: &Ring| line.len() > 3 && line.first() == line.last();
            let Some(line) = mark.lines.into_iter().find(closed) else {
                self.problems.push(at, Defect::NotAnArea(label));
                return;
            };
            self.problems.push(at, Defect::ClosedLine(label));
            mark.outline.rings.outers.push(line);
        }
        self.outlines.push(mark.outline);
    }
}

/// Tuples `lon,lat[,alt]` between blanks. Some programs put blanks behind the commas too. The error is the tuple that
/// is none.
fn ring(written: &str) -> Result<Ring, String> {
    let mut tuples: Vec<String> = Vec::new();
    let mut joins = false;
    for token in written.split_whitespace() {
        match tuples.last_mut() {
            Some(last) if joins || token.starts_with(',') => last.push_str(token),
            _ => tuples.push(token.to_owned()),
        }
        joins = token.ends_with(',');
    }
    let parse = |tuple: &String| {
        let mut numbers = tuple.split(',').map(|number| number.parse::<f64>().ok());
        let (lon_deg, lat_deg) = (numbers.next().flatten()?, numbers.next().flatten()?);
        Some(LatLon { lat_deg, lon_deg })
    };
    tuples.iter().map(|tuple| parse(tuple).ok_or_else(|| tuple.chars().take(40).collect())).collect()
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes();
    let found = attributes.with_checks(false).flatten().find(|attribute| local(attribute.key.0) == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(kml: &[u8], expected: Expect) {
        let (outlines, problems) = read("fields.kml", kml);
        let mut lines: Vec<String> = outlines
            .iter()
            .map(|o| {
                let words = [&o.key, &o.name, &o.code, &o.farm, &o.crop].map(|word| word.as_deref().unwrap_or("-"));
                let points: Vec<_> = o.rings.outers.iter().map(Vec::len).collect();
                format!("{}: {} outers {points:?} holes {}", o.label, words.join(" | "), o.rings.holes.len())
            })
            .collect();
        lines.extend(problems.iter().map(ToString::to_string));
        expected.assert_eq(&lines.join("\n"));
    }

    const RING: &str = "<LinearRing><coordinates>84,56,0 84.01,56,0\n 84.01,56.01,0 84,56,0</coordinates></LinearRing>";

    #[test]
    fn placemarks_keep_their_names_folders_and_data() {
        let kml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>all</name>
            <Folder><name>Заря</name><Placemark id="p1"><name>North &amp; east</name>
              <ExtendedData><Data name="crop"><value>oats</value></Data><SchemaData><SimpleData name="code">12</SimpleData></SchemaData></ExtendedData>
              <Polygon><outerBoundaryIs>{RING}</outerBoundaryIs><innerBoundaryIs>{RING}</innerBoundaryIs></Polygon></Placemark></Folder>
            <Placemark><MultiGeometry><Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon>
              <Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon></MultiGeometry></Placemark>
            </Document></kml>"#
        );
        check(
            kml.as_bytes(),
            expect![[r#"
                North & east: p1 | North & east | 12 | Заря | oats outers [4] holes 1
                placemark 2: - | - | - | - | - outers [4, 4] holes 0"#]],
        );
    }

    #[test]
    fn points_open_lines_and_bad_coordinates_are_named() {
        check(
            br#"<kml:kml xmlns:kml="x"><kml:Placemark><kml:name>gate</kml:name><kml:Point><kml:coordinates>84,56</kml:coordinates></kml:Point></kml:Placemark>
            <Placemark><name>round</name><LineString><coordinates>84, 56 84.1, 56 84.1, 56.1 84, 56</coordinates></LineString></Placemark>
            <Placemark><name>bad</name><Polygon><outerBoundaryIs><LinearRing><coordinates>84;56</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml:kml>"#,
            expect![[r#"
                round: - | round | - | - | - outers [4] holes 0
                fields.kml, byte 23: gate encloses no area; it is skipped
                fields.kml, byte 155: round is a closed line; it is taken as the boundary
                fields.kml, byte 294: the coordinates of bad hold "84;56", which is no longitude,latitude pair; it is skipped"#]],
        );
    }

    #[test]
    fn names_in_the_russian_code_page_are_read() {
        let mut kml = br#"<?xml version="1.0" encoding="windows-1251"?><kml><Placemark><name>"#.to_vec();
        kml.extend([0xCF, 0xEE, 0xEB, 0xE5, 0x20, 0xB9, 0x31]);
        kml.extend(
            format!("</name><Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon></Placemark></kml>").bytes(),
        );
        check(&kml, expect!["Поле №1: - | Поле №1 | - | - | - outers [4] holes 0"]);
    }

    #[test]
    fn a_file_that_breaks_off_gives_the_placemarks_before() {
        let kml = format!(
            "<kml><Placemark><Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon></Placemark><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>84,56"
        );
        check(
            kml.as_bytes(),
            expect![[r#"
                placemark 1: - | - | - | - | - outers [4] holes 0
                fields.kml, byte 242: damaged XML (the file ends inside coordinates); what stands before it is read"#]],
        );
        check(b"", expect!["fields.kml: no placemark in it; is it a network link or an overlay?"]);
    }

    proptest! {
        #[test]
        fn arbitrary_xml_never_panics(xml in "(</?(Folder|Placemark|name|coordinates|Polygon|outerBoundaryIs|LineString)>|[0-9., ]{0,9}|&[a-z]{1,3};){0,30}") {
            let (outlines, _) = read("x", xml.as_bytes());
            prop_assert!(outlines.len() <= 30);
        }
    }
}
