//! Parts of a page that programs write, beside what others write into it.

use std::io::ErrorKind;
use std::path::Path;

/// Puts `text` between the marks `<!-- begin generated: NAME -->` and `<!-- end generated: NAME -->` of a page; a page
/// without them gets them at its end.
pub(crate) fn write(path: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let page = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read?,
    };
    std::fs::write(path, replaced(&page, name, text))
}

fn replaced(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- begin generated: {name} -->\n"), format!("<!-- end generated: {name} -->\n"));
    let text = text.trim_matches('\n');
    let known = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match known {
        Some((before, after)) => format!("{before}{begin}\n{text}\n\n{end}{after}"),
        None if page.is_empty() => format!("{begin}\n{text}\n\n{end}"),
        None => format!("{}\n\n{begin}\n{text}\n\n{end}", page.trim_end()),
    }
}
