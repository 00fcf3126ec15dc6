//! A document as a small tree that XML and JSON share: an element's attributes, its child elements, the members of an
//! object and the items of an array are all children with a name.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use super::super::read::decode;

/// Largest document taken: a page of a hundred machines has some 400 KB.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
/// Deepest nesting taken; the standard nests four deep.
const MAX_DEPTH: usize = 16;
/// Most elements and attributes taken.
const MAX_NODES: usize = 2_000_000;

/// A named value with what stands in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Node {
    pub(super) name: Cow<'static, str>,
    /// Written as an attribute in XML; where it was read from makes no difference.
    pub(super) is_attribute: bool,
    pub(super) text: Text,
    pub(super) children: Vec<Node>,
}

/// What stands in a node itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Text {
    /// Nothing.
    #[default]
    None,
    /// Words, or anything that was read.
    Words(String),
    /// A number, written as one in JSON.
    Number(f64),
    /// A truth, written as one in JSON.
    Truth(bool),
}

/// Why a document cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// More than [`MAX_DOCUMENT_BYTES`], nested too deep, or too many elements.
    #[error("the document is too large or nested too deep")]
    TooLarge,
    /// The XML is broken.
    #[error("broken XML at byte {byte}: {reason}")]
    Xml {
        /// Where.
        byte: u64,
        /// What the parser said.
        reason: String,
    },
    /// The JSON is broken.
    #[error("broken JSON: {0}")]
    Json(String),
    /// Neither form.
    #[error("neither XML nor JSON: it begins with {0:?}")]
    Neither(String),
}

impl Node {
    /// An element.
    pub(super) fn new(name: &'static str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a child with text.
    pub(super) fn with(mut self, name: &'static str, text: impl Into<Text>) -> Self {
        self.children.push(Self { text: text.into(), ..Self::new(name) });
        self
    }

    /// Adds an attribute.
    pub(super) fn with_attribute(mut self, name: &'static str, text: impl Into<Text>) -> Self {
        self.children.push(Self { is_attribute: true, text: text.into(), ..Self::new(name) });
        self
    }

    /// The first child of a name, whatever its case: makers write `datetime`, `dateTime`, `Datetime`.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// The children of a name, whatever its case.
    pub(super) fn children_named<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |child| child.name.eq_ignore_ascii_case(name))
    }

    /// Words of the node without blanks around; `None` when there are none.
    pub(super) fn words(&self) -> Option<Cow<'_, str>> {
        let words: Cow<'_, str> = match &self.text {
            Text::None => return None,
            Text::Words(words) => words.trim().into(),
            Text::Number(number) => number.to_string().into(),
            Text::Truth(truth) => truth.to_string().into(),
        };
        (!words.is_empty()).then_some(words)
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<f64> for Text {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Text {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

/// Reads a document of either form; the root's name tells nothing in JSON and is empty there.
///
/// # Errors
/// [`NodeError`] when it cannot be read; nothing of a broken document is used.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, NodeError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(NodeError::TooLarge);
    }
    let (text, _) = decode(bytes);
    match text.trim_start().chars().next() {
        Some('<') => parse_xml(&text),
        Some('{' | '[') => parse_json(&text),
        _ => Err(NodeError::Neither(text.chars().take(20).collect())),
    }
}

fn parse_xml(text: &str) -> Result<Node, NodeError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    let mut count = 0;
    loop {
        let broken = |byte, reason: String| NodeError::Xml { byte, reason };
        let byte = reader.buffer_position();
        let event = reader.read_event().map_err(|error| broken(reader.error_position(), error.to_string()))?;
        let closed = match event {
            Event::Start(start) => {
                open.push(element(&start, byte, &mut count)?);
                None
            }
            Event::Empty(start) => Some(element(&start, byte, &mut count)?),
            Event::End(_) => open.pop(),
            Event::Text(words) => {
                let words = words.into_inner();
                add_words(&mut open, &words);
                None
            }
            Event::CData(words) => {
                let words = words.into_inner();
                add_words(&mut open, &words);
                None
            }
            Event::GeneralRef(reference) => {
                let name = reference.into_inner();
                add_words(&mut open, &resolve(&name).ok_or_else(|| broken(byte, format!("&{name}; is unknown")))?);
                None
            }
            Event::Eof => return Err(broken(byte, "it ends before its root does".into())),
            // Declarations, comments, and a DOCTYPE, whose entities nobody resolves.
            _ => None,
        };
        if open.len() > MAX_DEPTH || count > MAX_NODES {
            return Err(NodeError::TooLarge);
        }
        if let Some(closed) = closed {
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        }
    }
}

fn add_words(open: &mut [Node], words: &str) {
    let Some(node) = open.last_mut() else { return };
    match &mut node.text {
        Text::Words(so_far) => so_far.push_str(words),
        text => *text = Text::Words(words.to_owned()),
    }
}

/// The five references that XML defines, and characters by number.
fn resolve(name: &str) -> Option<String> {
    let number = |digits: &str, base| u32::from_str_radix(digits, base).ok().and_then(char::from_u32);
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16)?,
            digits => number(digits, 10)?,
        },
    };
    Some(character.into())
}

fn element(start: &BytesStart<'_>, byte: u64, count: &mut usize) -> Result<Node, NodeError> {
    *count += 1;
    let local = |name: &str| -> Cow<'static, str> { name.rsplit(':').next().unwrap_or(name).to_owned().into() };
    let mut node = Node { name: local(start.name().0), ..Node::default() };
    for attribute in start.attributes() {
        let broken = |reason: String| NodeError::Xml { byte, reason };
        let attribute = attribute.map_err(|error| broken(error.to_string()))?;
        *count += 1;
        let name = attribute.key.0;
        // Namespaces differ from maker to maker and mean nothing.
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| broken(error.to_string()))?;
        node.children.push(Node {
            name: local(name),
            is_attribute: true,
            text: Text::Words(value.into_owned()),
            children: Vec::new(),
        });
    }
    Ok(node)
}

fn parse_json(text: &str) -> Result<Node, NodeError> {
    // The parser itself nests no deeper than 128.
    let value: Value = serde_json::from_str(text).map_err(|error| NodeError::Json(error.to_string()))?;
    let mut root = Node::default();
    let mut count = 0;
    match value {
        Value::Array(items) => {
            // Some servers leave out the envelope and give the list alone.
            items.into_iter().try_for_each(|item| add_json(&mut root, "Equipment", item, 0, &mut count))?;
        }
        value => {
            add_json(&mut root, "", value, 0, &mut count)?;
            root = root.children.pop().unwrap_or_default();
        }
    }
    Ok(root)
}

fn add_json(parent: &mut Node, name: &str, value: Value, depth: usize, count: &mut usize) -> Result<(), NodeError> {
    *count += 1;
    if depth > MAX_DEPTH || *count > MAX_NODES {
        return Err(NodeError::TooLarge);
    }
    // `@datetime` is how converters from XML name an attribute.
    let own_name = name.trim_start_matches('@').to_owned();
    let mut node = Node { name: own_name.into(), ..Node::default() };
    match value {
        Value::Null => {}
        Value::Bool(truth) => node.text = Text::Truth(truth),
        // A number keeps its digits: 233.70 must not become 233.69999.
        Value::Number(number) => node.text = Text::Words(number.to_string()),
        Value::String(words) => node.text = Text::Words(words),
        Value::Array(items) => {
            return items.into_iter().try_for_each(|item| add_json(parent, name, item, depth + 1, count));
        }
        Value::Object(members) => {
            for (member, value) in members {
                add_json(&mut node, &member, value, depth + 1, count)?;
            }
        }
    }
    parent.children.push(node);
    Ok(())
}

/// Writes XML; `namespace` is declared on the root.
pub(super) fn to_xml(root: &Node, namespace: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    write_xml(root, Some(namespace), 0, &mut text);
    text
}

fn write_xml(node: &Node, namespace: Option<&str>, depth: usize, into: &mut String) {
    let indent = "  ".repeat(depth);
    // Writing to a string does not fail.
    let _ = write!(into, "{indent}<{}", node.name);
    if let Some(namespace) = namespace {
        let _ = write!(into, " xmlns=\"{}\"", escape(namespace));
    }
    let (attributes, elements): (Vec<_>, Vec<_>) = node.children.iter().partition(|child| child.is_attribute);
    for attribute in attributes {
        let words = attribute.words().unwrap_or_default();
        let _ = write!(into, " {}=\"{}\"", attribute.name, escape(legal(&words)));
    }
    match node.words() {
        Some(words) => {
            let _ = writeln!(into, ">{}</{}>", partial_escape(legal(&words)), node.name);
        }
        None if elements.is_empty() => into.push_str(" />\n"),
        None => {
            into.push_str(">\n");
            elements.into_iter().for_each(|child| write_xml(child, None, depth + 1, into));
            let _ = writeln!(into, "{indent}</{}>", node.name);
        }
    }
}

/// Text without the control characters that XML 1.0 cannot carry in any spelling.
fn legal(words: &str) -> Cow<'_, str> {
    let is_legal =
        |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if words.chars().all(is_legal) {
        words.into()
    } else {
        words.chars().filter(|c| is_legal(*c)).collect::<String>().into()
    }
}

/// Writes JSON: the root's members alone, `lists` named in `arrays` always as arrays.
pub(super) fn to_json(root: &Node, arrays: &[&str]) -> String {
    let mut text = value_of(root, arrays).to_string();
    text.push('\n');
    text
}

fn value_of(node: &Node, arrays: &[&str]) -> Value {
    match &node.text {
        Text::Words(words) => return Value::String(words.clone()),
        Text::Number(number) => return serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Text::Truth(truth) => return Value::Bool(*truth),
        Text::None => {}
    }
    let mut members = Map::new();
    for child in &node.children {
        let value = value_of(child, arrays);
        if arrays.contains(&&*child.name) {
            let list = members.entry(child.name.clone()).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().expect("made an array just now, and by no other way").push(value);
        } else {
            members.insert(child.name.clone().into_owned(), value);
        }
    }
    Value::Object(members)
}
