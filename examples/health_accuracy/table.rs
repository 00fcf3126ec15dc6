//! The part of docs/accuracy.md about health.

use std::fmt::Write as _;

use polevod::derive::health::{Language, Severity};

use crate::score::{ONSET_WITHIN_MS, Score};
use crate::season::Season;

/// False alarms are told for so many machine-days.
const PER_MACHINE_DAYS: f64 = 10_000.0;
/// Of what was not seen at all so many are to be expected at most, with 95 % confidence (the rule of three).
const NONE_SEEN_95: f64 = 3.0;

/// Both fleets, the healthy one first.
pub(crate) fn write(scores: &[(Season, Score)]) -> String {
    let mut text = String::from(
        "## How accurate health is\n\n\
         Made by `cargo xtask accuracy health`: the simulator drives machines through four windows of the season (sowing,\n\
         haying, harvest, ploughing) and knows what it broke; health sees their records alone. Receivers, samples and units\n\
         are as imperfect as in the field.\n",
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
        "\n### Healthy machines\n\n{} machine-windows, {} machine-days, {:.1} M samples. Nothing is broken, so every alarm \
         beyond information is false.\n\n\
         | severity | alarms | for 10,000 machine-days |\n|---|--:|--:|",
        season.machine_windows(),
        score.machine_days,
        score.samples as f64 / 1e6,
    );
    for severity in Severity::ALL.into_iter().rev() {
        let count = score.episodes.get(&severity).copied().unwrap_or_default();
        let rate = count as f64 * PER_MACHINE_DAYS / score.machine_days.max(1) as f64;
        let _ = writeln!(text, "| {} {} | {count} | {rate:.1} |", severity.number(), severity.word(Language::En));
    }
    let critical = score.episodes.get(&Severity::Stop).copied().unwrap_or_default();
    if critical == 0 {
        let _ = writeln!(
            text,
            "\nNone was critical; with {} machine-days seen, fewer than {:.1} in 10,000 are to be expected (95 %).",
            score.machine_days,
            NONE_SEEN_95 * PER_MACHINE_DAYS / score.machine_days.max(1) as f64,
        );
    }
    subjects(text, score, "What they were about:");
}

fn faulty(text: &mut String, season: &Season, score: &Score) {
    let _ = writeln!(
        text,
        "\n### Machines that break\n\n{} machine-windows, {} machine-days, {:.1} M samples; faults come {} times as often as \
         on real machines.\n\n\
         Whether a cause could be seen at all, the simulator's truth decides, not health: its controller set a code; or it had\n\
         moved its signal by more than noise, work and weather do (`shows` in `docs/simulator.md`) an hour or more before it\n\
         was mended or the records ended; or fuel was gone. The others are told apart: *not yet*, where it was mended or the\n\
         records ended before that (most grow for days; some thieves were still waiting); *hidden*, where the sensor that\n\
         would show it was broken itself. The delay is from where a cause could be seen first to the record by which health\n\
         tells of it; *beside* are told of though they count as not yet or hidden.\n\n\
         | cause | times | not yet | hidden | could be seen | found | beside | delay, median | delay, worst | codes | found | \
         beginning off, worst s | by rule or trend | before the code, median min |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        season.machine_windows(),
        score.machine_days,
        score.samples as f64 / 1e6,
        season.rate,
    );
    for (name, kind) in &score.kinds {
        let worst = kind.onset_off_ms.iter().max().map_or("-".into(), |ms| format!("{:.1}", *ms as f64 / 1_000.0));
        let lead = median(&kind.lead_s).map_or("-".into(), |seconds| format!("{:.1}", seconds / 60.0));
        let delay = median(&kind.delay_s).map_or("-".into(), duration);
        let longest = kind.delay_s.iter().copied().max_by(f64::total_cmp).map_or("-".into(), duration);
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {delay} | {longest} | {} | {} | {worst} | {} | {lead} |",
            kind.causes,
            kind.unseen,
            kind.hidden,
            kind.showed,
            kind.found,
            kind.found_beside,
            kind.codes,
            kind.codes_found,
            kind.by_signal
        );
    }
    let sum = |of: fn(&crate::score::KindScore) -> usize| score.kinds.values().map(of).sum::<usize>();
    let offs: Vec<i64> = score.kinds.values().flat_map(|kind| kind.onset_off_ms.iter().copied()).collect();
    let within = offs.iter().filter(|off| **off <= ONSET_WITHIN_MS).count();
    let _ = writeln!(
        text,
        "\n{} causes; {} did not show before they were mended or the records ended, {} were hidden by a broken sensor, {} \
         could be seen, {} of those were found. {} codes came, {} were found, {within} of them within {} s of their beginning; {} came \
         while the unit was down, and begin in its records with its restart.",
        sum(|kind| kind.causes),
        sum(|kind| kind.unseen),
        sum(|kind| kind.hidden),
        sum(|kind| kind.showed),
        sum(|kind| kind.found),
        sum(|kind| kind.codes),
        sum(|kind| kind.codes_found),
        ONSET_WITHIN_MS / 1_000,
        sum(|kind| kind.codes_unit_down),
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

/// In a unit that people would use.
fn duration(seconds: f64) -> String {
    match seconds {
        0.0..120.0 => format!("{seconds:.1} s"),
        120.0..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
