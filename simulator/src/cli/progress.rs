//! Progress on the terminal; nothing where there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `length` steps; a spinner where that is not known.
pub(super) fn bar(length: Option<u64>, unit: &str) -> ProgressBar {
    let template = match length {
        Some(_) => format!("{{elapsed_precise}} [{{bar:32}}] {{pos}}/{{len}} {unit}  {{wide_msg}}"),
        None => "{elapsed_precise} {spinner} {wide_msg}".to_string(),
    };
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length.unwrap_or(0)).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A number with a thin mark between thousands: 1 234 567.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
    }
}
