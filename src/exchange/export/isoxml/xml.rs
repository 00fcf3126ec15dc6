//! XML as task data has it: elements with attributes, no text.

use quick_xml::escape::escape;

/// An attribute that is written only where it has a value.
pub(super) type Attribute<'a> = (&'a str, Option<String>);

/// A value that is there.
pub(super) fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// XML being written.
#[derive(Debug, Default)]
pub(super) struct Xml {
    written: String,
    depth: usize,
}

impl Xml {
    pub(super) fn document() -> Self {
        Self { written: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into(), depth: 0 }
    }

    /// Begins one level deeper, for elements that are appended to an open one.
    pub(super) fn indent(&mut self) {
        self.depth += 1;
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.tag(name, attributes, ">\n");
        self.depth += 1;
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.tag(name, attributes, "/>\n");
    }

    pub(super) fn close(&mut self, name: &str) {
        self.depth -= 1;
        self.written.push_str(&"  ".repeat(self.depth));
        self.written.push_str(&format!("</{name}>\n"));
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.written.push_str(&other.written);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    fn tag(&mut self, name: &str, attributes: &[Attribute<'_>], end: &str) {
        self.written.push_str(&"  ".repeat(self.depth));
        self.written.push('<');
        self.written.push_str(name);
        for (attribute, value) in attributes {
            if let Some(value) = value {
                self.written.push_str(&format!(" {attribute}=\"{}\"", escape(value)));
            }
        }
        self.written.push_str(end);
    }
}
