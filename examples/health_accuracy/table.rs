//! The tables of docs/accuracy/health.md.

use std::fmt::Write as _;

use polevod::derive::health::{Language, Severity};

use crate::score::{ONSET_WITHIN_MS, Score};
use crate::season::Season;

/// False alarms are told for so many machine-days.
const PER_MACHINE_DAYS: f64 = 10_000.0;

/// Both fleets, the healthy one first.
pub(crate) fn write(scores: &[(Season, Score)]) -> String {
    let mut text = String::from(
        "# Health against the truth\n\n\
         Made by `cargo run --release --example health_accuracy -- --write docs/accuracy/health.md`. The simulator drives\n\
         machines through windows of the season and knows what it broke; health sees their records alone. Receivers,\n\
         samples and units are as imperfect as in the field.\n",
    );
    for (season, score) in scores {
        if season.rate == 0.0 {
            healthy(&mut text, season, score);
        } else {
            faulty(&mut text, season, score);
        }
    }
    text
}

// Writing to a string does not fail, so what `write!` returns is dropped throughout.

fn healthy(text: &mut String, season: &Season, score: &Score) {
    let _ = writeln!(
        text,
        "\n## Healthy machines\n\n{} machine-windows, {} machine-days, {:.1} M samples. Nothing is broken, so every alarm \
         beyond information is false.\n\n\
         | severity | episodes | for 10,000 machine-days |\n|---|--:|--:|",
        season.machine_windows(),
        score.machine_days,
        score.samples as f64 / 1e6,
    );
    for severity in Severity::ALL.into_iter().rev() {
        let count = score.episodes.get(&severity).copied().unwrap_or_default();
        let rate = count as f64 * PER_MACHINE_DAYS / score.machine_days.max(1) as f64;
        let _ = writeln!(text, "| {} {} | {count} | {rate:.1} |", severity.number(), severity.word(Language::En));
    }
    subjects(text, score, "What they were about:");
}

fn faulty(text: &mut String, season: &Season, score: &Score) {
    let _ = writeln!(
        text,
        "\n## Machines that break\n\n{} machine-windows, {} machine-days, {:.1} M samples; faults come {} times as often as \
         on real machines. A cause begins, may grow for days, and is mended; some are mended before anything shows.\n\n\
         | cause | times | with a code | codes | found | onset off, worst s | by rule or trend | told before the code, \
         median min |\n|---|--:|--:|--:|--:|--:|--:|--:|",
        season.machine_windows(),
        score.machine_days,
        score.samples as f64 / 1e6,
        season.rate,
    );
    for (name, kind) in &score.kinds {
        let worst = kind.onset_off_ms.iter().max().map_or("-".into(), |ms| format!("{:.1}", *ms as f64 / 1_000.0));
        let lead = median(&kind.lead_s).map_or("-".into(), |seconds| format!("{:.1}", seconds / 60.0));
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {worst} | {} | {lead} |",
            kind.causes, kind.with_code, kind.codes, kind.codes_found, kind.by_signal
        );
    }
    let sum = |of: fn(&crate::score::KindScore) -> usize| score.kinds.values().map(of).sum::<usize>();
    let offs: Vec<i64> = score.kinds.values().flat_map(|kind| kind.onset_off_ms.iter().copied()).collect();
    let within = offs.iter().filter(|off| **off <= ONSET_WITHIN_MS).count();
    let _ = writeln!(
        text,
        "\n{} causes, {} of which showed; {} codes came, {} were found, {within} of them within {} s of their beginning.",
        sum(|kind| kind.causes),
        sum(|kind| kind.found),
        sum(|kind| kind.codes),
        sum(|kind| kind.codes_found),
        ONSET_WITHIN_MS / 1_000,
    );
    subjects(text, score, "Alarms that no cause explains:");
}

fn subjects(text: &mut String, score: &Score, head: &str) {
    if score.unexplained.is_empty() {
        let _ = writeln!(text, "\nNo alarm is without a cause.");
        return;
    }
    let _ = writeln!(text, "\n{head}\n\n| severity | subject | episodes |\n|---|---|--:|");
    for ((severity, subject), count) in score.unexplained.iter().rev() {
        let _ = writeln!(text, "| {} | {subject} | {count} |", severity.number());
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
