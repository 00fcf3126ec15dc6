//! XML as a small tree. Task data keeps everything in attributes, so text is passed over. Damaged XML gives the
//! elements up to the damage: open elements are closed where it stands.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::super::text::{Encoding, decode_xml};
use super::super::{At, Problems};
use super::Defect;

/// Largest XML file taken. Files of 20 MB, with many fields and their guidance lines, are met in practice.
pub const MAX_XML_BYTES: usize = 128 * 1024 * 1024;
/// Deepest nesting taken. Version 4 nests seven deep (`TSK/TZN/PLN/LSG/PNT` under root); makers' own elements more.
pub const MAX_XML_DEPTH: usize = 32;
/// Most elements taken, which bounds the memory at about 1 GB in the worst case and 100 MB in practice.
pub const MAX_XML_ELEMENTS: usize = 2_000_000;
/// Attributes of one element that are kept; the standard has 17 at most.
const MAX_ATTRIBUTES: usize = 64;

/// An element with its attributes and children.
#[derive(Debug)]
pub(super) struct Element {
    pub name: Box<str>,
    /// Byte of its start tag in the decoded text.
    pub byte: u64,
    attributes: Vec<(Box<str>, Box<str>)>,
    pub children: Vec<Element>,
}

/// An attribute tells "logged in each record" (present and empty) from "not logged" (absent).
impl Element {
    pub(super) fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| **name == *attribute).map(|(_, value)| &**value)
    }

    pub(super) fn children_named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| *child.name == *name)
    }
}

/// Reads the root element. `None` for an empty or oversized file, with the reason in `problems`.
pub(super) fn read(bytes: &[u8], problems: &mut Problems<Defect>) -> Option<Element> {
    if bytes.len() > MAX_XML_BYTES {
        problems.push(At::File, Defect::XmlTooLarge(bytes.len()));
        return None;
    }
    let (text, encoding) = decode_xml(bytes);
    if encoding == Encoding::Latin1 {
        problems.push(At::File, Defect::NotUtf8);
    }
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    // Whether tags match is judged here, so that one bad end tag does not end the file.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    Tree::default().grow(reader, problems)
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    /// Open elements that are too deep to be kept.
    skipped_depth: usize,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn grow(mut self, mut reader: Reader<&[u8]>, problems: &mut Problems<Defect>) -> Option<Element> {
        loop {
            let byte = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Start(start)) => self.start(&start, byte, problems),
                Ok(Event::Empty(start)) => {
                    self.start(&start, byte, problems);
                    self.end();
                }
                Ok(Event::End(end)) => self.end_named(end.name().0, byte, problems),
                Ok(Event::Eof) => {
                    if let Some(open) = self.open.last() {
                        let reason = format!("the file ends inside {}", open.name);
                        problems.push(At::Byte(byte), Defect::XmlBroken(reason));
                    }
                    break;
                }
                Ok(_) => {}
                Err(error) => {
                    problems.push(At::Byte(reader.error_position()), Defect::XmlBroken(error.to_string()));
                    break;
                }
            }
            if self.count > MAX_XML_ELEMENTS {
                problems.push(At::Byte(byte), Defect::XmlTooManyElements);
                break;
            }
        }
        self.skipped_depth = 0;
        while !self.open.is_empty() {
            self.end();
        }
        self.root
    }

    fn start(&mut self, start: &BytesStart<'_>, byte: u64, problems: &mut Problems<Defect>) {
        self.count += 1;
        if self.open.len() >= MAX_XML_DEPTH || self.root.is_some() {
            self.skipped_depth += 1;
            if self.root.is_none() {
                problems.push(At::Byte(byte), Defect::XmlTooDeep);
            }
            return;
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        self.open.push(Element {
            name: name.into(),
            byte,
            attributes: attributes(start, byte, problems),
            children: Vec::new(),
        });
    }

    fn end_named(&mut self, name: &str, byte: u64, problems: &mut Problems<Defect>) {
        let local = name.rsplit(':').next().unwrap_or(name).trim();
        if self.skipped_depth > 0 {
            return self.end();
        }
        match self.open.iter().rposition(|open| *open.name == *local) {
            Some(depth) => {
                if depth + 1 < self.open.len() {
                    let reason = format!("{local} ends while an element inside it is open");
                    problems.push(At::Byte(byte), Defect::XmlBroken(reason));
                }
                while self.open.len() > depth {
                    self.end();
                }
            }
            None => problems.push(At::Byte(byte), Defect::XmlBroken(format!("{local} ends and never began"))),
        }
    }

    fn end(&mut self) {
        if self.skipped_depth > 0 {
            self.skipped_depth -= 1;
        } else if let Some(done) = self.open.pop() {
            match self.open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => self.root = Some(done),
            }
        }
    }
}

fn attributes(start: &BytesStart<'_>, byte: u64, problems: &mut Problems<Defect>) -> Vec<(Box<str>, Box<str>)> {
    let mut kept = Vec::new();
    for attribute in start.attributes().with_checks(false).take(MAX_ATTRIBUTES) {
        let value = attribute.map_err(|e| e.to_string()).and_then(|attribute| {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            Ok((attribute.key.0.into(), value.map_err(|e| e.to_string())?.into()))
        });
        match value {
            Ok(attribute) => kept.push(attribute),
            Err(reason) => {
                let element = start.name().0.chars().take(40).collect();
                problems.push(At::Byte(byte), Defect::AttributesBroken { element, reason });
            }
        }
    }
    kept
}
