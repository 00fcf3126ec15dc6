//! From the columns of a time log to signals. Usually one column is one signal. Where several device elements report
//! the same identifier, what is made of them depends on what it says: the halves of a boom add up to its width, and
//! a machine works when any of its parts does.

use wire::{SignalId, catalogue};

use super::super::read::isoxml::{Column, Device, DeviceElement, Record, TaskData};
use super::Defect;

const ACTUAL_WIDTH: u16 = 67;
const MAX_WIDTH: u16 = 70;
const WORK_STATE: u16 = 141;
const WORK_STATE_ON: i32 = 1;
/// Elements that a message names.
const NAMED_ELEMENTS: usize = 8;

/// A signal and the columns it is made of.
#[derive(Debug)]
pub(super) struct Output {
    pub signal: SignalId,
    /// Valid raw values; `None` for a signal that the catalogue does not name.
    pub valid: Option<(i64, i64)>,
    columns: Vec<usize>,
    rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    First,
    Sum,
    AnyOn,
}

impl Output {
    /// The raw value, where the record reports any of its columns.
    pub(super) fn value(&self, record: &Record<'_>) -> Option<i64> {
        let is_reported = |column: &usize| record.reported().iter().any(|(c, _)| usize::from(*c) == *column);
        if !self.columns.iter().any(is_reported) {
            return None;
        }
        let mut raws = self.columns.iter().filter_map(|&column| record.reading(column)).map(|reading| reading.raw());
        match self.rule {
            Rule::First => raws.next().map(i64::from),
            Rule::Sum => Some(raws.map(i64::from).sum()),
            Rule::AnyOn => raws.clone().find(|&raw| raw == WORK_STATE_ON).or(raws.next()).map(i64::from),
        }
    }
}

/// Decides what becomes of the columns of a log.
pub(super) fn outputs(columns: &[Column], data: &TaskData) -> (Vec<Output>, Vec<Defect>) {
    let mut outputs: Vec<Output> = Vec::new();
    let mut defects = Vec::new();
    for (first, column) in columns.iter().enumerate() {
        let ddi = column.ddi;
        if columns[..first].iter().any(|earlier| earlier.ddi == ddi) {
            continue;
        }
        let alike: Vec<usize> = (first..columns.len()).filter(|&i| columns[i].ddi == ddi).collect();
        let (rule, chosen) = choose(ddi, &alike, columns, data);
        if alike.len() > 1 {
            let names =
                alike.iter().take(NAMED_ELEMENTS).map(|&i| columns[i].element.as_deref().unwrap_or("no element"));
            let used = match rule {
                Rule::First => "the values of the first are used, the others left out",
                Rule::Sum => "their sum is used",
                Rule::AnyOn => "it counts as on when any is",
            };
            let used =
                if rule == Rule::Sum && chosen.len() == 1 { "the one that holds the others is used" } else { used };
            defects.push(Defect::SeveralElements { ddi, elements: names.collect::<Vec<_>>().join(", "), used });
        }
        let catalogued = catalogue::by_ddi(ddi);
        outputs.push(Output {
            signal: catalogued.map_or(SignalId::raw_ddi(ddi), |signal| signal.id),
            valid: catalogued.map(|signal| signal.valid_raw()),
            columns: chosen,
            rule,
        });
    }
    (outputs, defects)
}

fn choose(ddi: u16, alike: &[usize], columns: &[Column], data: &TaskData) -> (Rule, Vec<usize>) {
    match ddi {
        _ if alike.len() == 1 => (Rule::First, alike.to_vec()),
        WORK_STATE => (Rule::AnyOn, alike.to_vec()),
        ACTUAL_WIDTH | MAX_WIDTH => {
            // The width of a whole is not added to the widths of its parts.
            let element = |i: usize| columns[i].element.as_deref().and_then(|id| data.element(id));
            let is_outermost = |&i: &usize| !alike.iter().any(|&other| other != i && holds(element(other), element(i)));
            (Rule::Sum, alike.iter().copied().filter(is_outermost).collect())
        }
        _ => (Rule::First, vec![alike[0]]),
    }
}

fn holds(outer: Option<(&Device, &DeviceElement)>, inner: Option<(&Device, &DeviceElement)>) -> bool {
    match (outer, inner) {
        (Some((device, outer)), Some((other, inner))) => {
            device.id == other.id && outer.object_id != inner.object_id && device.is_within(inner, outer)
        }
        _ => false,
    }
}
