//! The little of SVG that the pictures need.

use std::fmt::Write;

/// A drawing that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Svg(String);

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// Adds an element as it is written: `name` and its attributes.
    pub(super) fn element(&mut self, element: &str) {
        let _ = writeln!(self.0, "<{element}/>");
    }

    /// Defines a rectangle to clip by, `url(#name)`.
    pub(super) fn clip(&mut self, name: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = writeln!(
            self.0,
            r#"<clipPath id="{name}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath>"#
        );
    }

    /// Opens a group with the given attributes.
    pub(super) fn open(&mut self, attributes: &str) {
        let _ = writeln!(self.0, "<g {attributes}>");
    }

    /// Closes the last group.
    pub(super) fn close(&mut self) {
        self.0.push_str("</g>\n");
    }

    /// Adds a line of text.
    pub(super) fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.0,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{}</text>"#,
            escaped(text)
        );
    }

    /// Adds a path through `points` with the given attributes.
    pub(super) fn path(&mut self, points: impl IntoIterator<Item = (f64, f64)>, closed: bool, attributes: &str) {
        let _ = writeln!(self.0, r#"<path d="{}" {attributes}/>"#, path_data(points, closed));
    }

    /// The whole document.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" font-family=\"'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif\">\n\
             <title>{}</title>\n{}</svg>\n",
            escaped(title),
            self.0
        )
    }
}

/// `M x y L x y …`, to a tenth.
pub(super) fn path_data(points: impl IntoIterator<Item = (f64, f64)>, closed: bool) -> String {
    let mut data = String::new();
    for (index, (x, y)) in points.into_iter().enumerate() {
        let _ = write!(data, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
    }
    if closed {
        data.push('Z');
    }
    data
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Every element is closed, every attribute is quoted.
#[cfg(test)]
pub(super) fn check_well_formed(drawn: &str) {
    let mut reader = quick_xml::Reader::from_str(drawn);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}\n{drawn}", reader.error_position())) {
            quick_xml::events::Event::Eof => return,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                tag.attributes().for_each(|attribute| assert!(attribute.is_ok(), "{attribute:?} in {tag:?}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_drawing() {
        let mut svg = Svg::default();
        svg.text((1.0, 2.0), 12.0, Anchor::Start, "black", "</text><script>\"&");
        let drawn = svg.finish(10.0, 10.0, "<b>");
        check_well_formed(&drawn);
        assert!(drawn.contains("&lt;/text&gt;&lt;script&gt;&quot;&amp;</text>") && drawn.contains("<title>&lt;b&gt;"));
    }
}
