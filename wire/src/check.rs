//! Bounds that both forms of a frame keep, checked in one place so that the forms cannot disagree.

use crate::error::DroppedValue;
use crate::frame::{FaultReport, TaskRecord};
use crate::limits::{MAX_DROPPED_VALUES, MAX_FAULTS_PER_REPORT, MAX_RECORDS, MAX_SEQUENCE, MAX_TEXT_BYTES, MAX_TOTALS};
use crate::signal::SignalId;

/// A run has 1 to [`MAX_RECORDS`] records and ends at [`MAX_SEQUENCE`] at the latest.
pub(crate) fn check_run(first_sequence: u64, count: u64) -> Result<(), String> {
    if count == 0 || count > MAX_RECORDS as u64 {
        return Err(format!("count = {count} is outside 1..={MAX_RECORDS}; split the run"));
    }
    if first_sequence > MAX_SEQUENCE - count {
        return Err(format!("first_sequence = {first_sequence} is above {}; start a new boot", MAX_SEQUENCE - count));
    }
    Ok(())
}

/// A report has at most [`MAX_FAULTS_PER_REPORT`] faults, whose numbers fit the bits of J1939-73.
pub(crate) fn check_report(report: &FaultReport) -> Result<(), String> {
    if report.faults.len() > MAX_FAULTS_PER_REPORT {
        return Err(format!("a report has {} faults; at most {MAX_FAULTS_PER_REPORT} fit", report.faults.len()));
    }
    for fault in &report.faults {
        if fault.spn >= SignalId::SPN_END || fault.fmi > 31 || fault.occurrence_count > 127 {
            return Err(format!(
                "spn = {}, fmi = {}, occurrence_count = {}; they have 19, 5 and 7 bits",
                fault.spn, fault.fmi, fault.occurrence_count
            ));
        }
    }
    Ok(())
}

/// Texts of a task fit the store, and its totals are bounded.
pub(crate) fn check_task(task: &TaskRecord) -> Result<(), String> {
    for (name, text) in [
        ("task", &task.task),
        ("field", &task.field),
        ("operator", &task.operator),
        ("implement", &task.implement),
        ("operation", &task.operation),
        ("crop", &task.crop),
    ] {
        check_text(name, text, MAX_TEXT_BYTES)?;
    }
    if task.totals.len() > MAX_TOTALS {
        return Err(format!("a task has {} totals; at most {MAX_TOTALS} are allowed", task.totals.len()));
    }
    Ok(())
}

/// A text has at most `most` bytes of UTF-8 and no NUL, which PostgreSQL cannot hold.
pub(crate) fn check_text(name: &str, text: &str, most: usize) -> Result<(), String> {
    if text.len() > most {
        return Err(format!("{name} has {} bytes; at most {most} are allowed, so shorten it", text.len()));
    }
    if text.contains('\0') {
        return Err(format!("{name} has a NUL character; leave it out"));
    }
    Ok(())
}

/// Leaves out the totals of signals that no catalogue here knows, and puts the others in the order of their
/// numbers; of a signal that is named twice the last total counts.
pub(crate) fn tidy_totals(task: &mut TaskRecord, dropped: &mut Vec<DroppedValue>) {
    task.totals.retain(|(number, _)| {
        let known = SignalId::parse(*number).is_some();
        if !known {
            note_dropped(dropped, "unknown_signal", 1, || unknown_signal(*number));
        }
        known
    });
    // Stable, and reversed first, so that the last of equals comes first and survives.
    task.totals.reverse();
    task.totals.sort_by_key(|(number, _)| *number);
    task.totals.dedup_by_key(|(number, _)| *number);
}

pub(crate) fn unknown_signal(number: u32) -> String {
    format!("signal number {number} is in no catalogue this service knows; update the service")
}

/// Notes values that were left out. Beyond [`MAX_DROPPED_VALUES`] entries only counts grow: that of the last
/// entry of the same code, where there is one.
pub(crate) fn note_dropped(
    dropped: &mut Vec<DroppedValue>,
    code: &'static str,
    values: u64,
    detail: impl FnOnce() -> String,
) {
    if values == 0 {
        return;
    }
    if dropped.len() < MAX_DROPPED_VALUES {
        dropped.push(DroppedValue { code, detail: detail(), values });
        return;
    }
    let same = dropped.iter().rposition(|entry| entry.code == code).unwrap_or(dropped.len() - 1);
    dropped[same].values += values;
}
