//! How fast frames decode into columns, and how many bytes a sample takes, for each form of the wire. One thread.

use std::hint::black_box;
use std::time::Duration;

use serde::Serialize;
use wire::{Compression, Frame, decode, encode, encode_json};

use crate::processor::Watch;
use crate::report::{Goal, Report};
use crate::workload::Unit;
use crate::yield_log;

/// How long each form is measured; the best of [`ROUNDS`] counts, since a shared machine only ever slows down.
const ROUND: Duration = Duration::from_millis(100);
const ROUNDS: usize = 10;
/// Different frames in turn, so that the branch predictor does not learn one by heart.
const FRAMES: usize = 64;
/// The frame that the goals speak of: a minute of work.
const MINUTE: usize = 60;

/// One source in one form.
#[derive(Debug, Serialize)]
struct Line {
    source: &'static str,
    form: &'static str,
    samples_a_frame: usize,
    bytes_a_sample: f64,
    samples_per_s: f64,
}

pub(crate) fn measure(report: &mut Report) {
    let mut lines = Vec::new();
    for samples_a_frame in [MINUTE, 20, 1] {
        lines.extend(measure_source("harvest day", &harvest_day(samples_a_frame)));
    }
    match yield_log::frames(MINUTE, FRAMES) {
        Some(frames) => lines.extend(measure_source("yield log", &frames)),
        None => eprintln!("no recorded yield log at hand: only the generated day is measured"),
    }
    let of = |source: &str, form: &str, samples_a_frame: usize| {
        lines.iter().find(|line| (line.source, line.form, line.samples_a_frame) == (source, form, samples_a_frame))
    };
    for (source, name) in [
        ("harvest day", "wire size, harvest day: JSON / binary"),
        ("yield log", "wire size, recorded yield log: JSON / binary"),
    ] {
        if let (Some(json), Some(packed)) = (of(source, "json", MINUTE), of(source, "binary zstd", MINUTE)) {
            let ratio = json.bytes_a_sample / packed.bytes_a_sample;
            let remark = format!(
                "{:.0} B against {:.1} B a sample, {MINUTE} a frame",
                json.bytes_a_sample, packed.bytes_a_sample
            );
            if source == "harvest day" {
                report.figure(name, ratio, "x", Goal::AtLeast(25.0), remark);
            } else {
                report.remark(name, ratio, "x", remark);
            }
        }
    }
    for (form, name, goal) in [("binary", "decode, binary", 10.0), ("json", "decode, JSON", 1.0)] {
        if let Some(line) = of("harvest day", form, MINUTE) {
            let remark = format!("million samples/s on one core, {MINUTE} a frame");
            report.figure(name, line.samples_per_s / 1e6, "M/s", Goal::AtLeast(goal), remark);
        }
    }
    if let Some(line) = of("harvest day", "binary zstd", MINUTE) {
        report.remark("decode, binary with zstd", line.samples_per_s / 1e6, "M/s", "as units send it".into());
    }
    report.detail("decode", &lines);
}

/// A form of the wire and what writes it.
type Form = (&'static str, fn(&Frame) -> Vec<u8>);

fn measure_source(source: &'static str, frames: &[Frame]) -> Vec<Line> {
    let forms: [Form; 3] = [
        ("binary", |frame| encode(frame, Compression::None)),
        ("binary zstd", |frame| encode(frame, Compression::Zstd)),
        ("json", encode_json),
    ];
    forms
        .into_iter()
        .map(|(form, write)| {
            let encoded: Vec<_> = frames.iter().map(write).collect();
            let samples: usize = frames.iter().map(|frame| frame.body.len()).sum();
            let bytes: usize = encoded.iter().map(Vec::len).sum();
            Line {
                source,
                form,
                samples_a_frame: frames[0].body.len(),
                bytes_a_sample: bytes as f64 / samples as f64,
                samples_per_s: (0..ROUNDS).map(|_| samples_per_second(&encoded, samples)).fold(0.0, f64::max),
            }
        })
        .collect()
}

fn samples_per_second(encoded: &[Vec<u8>], samples: usize) -> f64 {
    let watch = Watch::start();
    let mut rounds = 0;
    while watch.elapsed() < ROUND {
        for bytes in encoded {
            black_box(decode(black_box(bytes)).expect("frames we wrote ourselves"));
        }
        rounds += 1;
    }
    (rounds * samples) as f64 / watch.busy().as_secs_f64()
}

fn harvest_day(samples_a_frame: usize) -> Vec<Frame> {
    /// 2026-08-20T05:12:07Z, a harvest morning.
    const MORNING_MS: i64 = 1_787_202_727_000;
    let mut unit = Unit::new(42);
    let at = |number: usize| MORNING_MS + 1_000 * (number * samples_a_frame) as i64;
    (0..FRAMES).map(|number| unit.frame(samples_a_frame, at(number))).collect()
}
