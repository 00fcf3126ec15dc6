//! HTML, with everything from outside escaped.

use std::fmt::Write as _;

use crate::locale::{Language, NO_BREAK_SPACE};

/// What stands where a figure is not known.
const UNKNOWN: &str = "–";

/// A document being written, in a language.
#[derive(Debug)]
pub(super) struct Html {
    pub language: Language,
    written: String,
}

impl Html {
    pub(super) fn new(language: Language) -> Self {
        Self { language, written: String::new() }
    }

    pub(super) fn into_string(self) -> String {
        self.written
    }

    /// Markup that is known to be sound.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.written.push_str(markup);
        self
    }

    /// Text from anywhere.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.written.push_str(&escaped(text));
        self
    }

    /// An element around text.
    pub(super) fn element(&mut self, tag: &str, text: &str) -> &mut Self {
        let name = tag.split(' ').next().unwrap_or(tag);
        let _ = write!(self.written, "<{tag}>{}</{name}>", escaped(text));
        self
    }

    /// A figure: as people read it, and as it is.
    pub(super) fn figure(&mut self, name: &str, value: Option<f64>, decimals: usize) -> &mut Self {
        let shown = value.map(|value| self.language.number(value, decimals));
        self.shown(name, value, shown)
    }

    /// Hectares.
    pub(super) fn hectares(&mut self, name: &str, value: Option<f64>) -> &mut Self {
        let shown = value.map(|value| self.language.hectares(value));
        self.shown(name, value, shown)
    }

    /// A share of 1 as per cent.
    pub(super) fn percent(&mut self, name: &str, share: Option<f64>, decimals: usize) -> &mut Self {
        self.figure(name, share.map(|share| share * 100.0), decimals)
    }

    /// A unit behind a figure, never on the next line.
    pub(super) fn unit(&mut self, key: &str) -> &mut Self {
        let unit = self.language.word("unit", key);
        self.written.push(NO_BREAK_SPACE);
        self.text(&unit)
    }

    fn shown(&mut self, name: &str, value: Option<f64>, shown: Option<String>) -> &mut Self {
        match (value, shown) {
            (Some(value), Some(shown)) => {
                let _ = write!(self.written, "<data class=\"{name}\" value=\"{value}\">{shown}</data>");
            }
            _ => self.written.push_str(UNKNOWN),
        }
        self
    }
}

/// Text for use between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Text for use in a string of a style sheet: everything but letters, digits and blanks as its
/// number, with the blank that ends it.
pub(super) fn css_string(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_alphanumeric() || c == ' ' { c.to_string() } else { format!("\\{:06x} ", u32::from(c)) })
        .collect()
}
