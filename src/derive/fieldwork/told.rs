//! What tasks and settings tell of a session: field, operator, implement, operation, crop.

use std::ops::RangeInclusive;

use wire::TaskEvent;

use super::{Machine, Operation, Source};
use crate::derive::TaskEntry;

/// A task over the time in which the machine reported it.
#[derive(Debug, Clone)]
pub(super) struct Task<'a> {
    pub name: &'a str,
    /// Unix milliseconds of its first and last report.
    pub period: RangeInclusive<i64>,
    pub entries: Vec<&'a TaskEntry>,
}

/// Tasks of the day. One that was started and not ended lasts until the next begins, or the day ends.
pub(super) fn tasks(entries: &[TaskEntry], day_end_ms: i64) -> Vec<Task<'_>> {
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for entry in entries {
        let at = entry.recorded_at_ms;
        match tasks.iter_mut().find(|task| task.name == entry.task) {
            Some(task) => {
                task.period = at.min(*task.period.start())..=at.max(*task.period.end());
                task.entries.push(entry);
            }
            None => tasks.push(Task { name: &entry.task, period: at..=at, entries: vec![entry] }),
        }
    }
    let starts: Vec<i64> = tasks.iter().map(|task| *task.period.start()).collect();
    for task in &mut tasks {
        let is_open = task.entries.iter().all(|entry| entry.event == TaskEvent::Started)
            || task.entries.last().is_some_and(|entry| entry.event == TaskEvent::Started);
        if is_open {
            let start = *task.period.start();
            let next = starts.iter().copied().filter(|other| *other > start).min().unwrap_or(day_end_ms);
            task.period = start..=next.max(*task.period.end());
        }
    }
    tasks
}

/// The task of an instant: of several the one that began last.
pub(super) fn task_at<'t, 'a>(tasks: &'t [Task<'a>], unix_ms: i64) -> Option<&'t Task<'a>> {
    tasks.iter().filter(|task| task.period.contains(&unix_ms)).max_by_key(|task| *task.period.start())
}

/// Tasks that a session served: those that share time with it.
pub(super) fn tasks_of<'t, 'a>(tasks: &'t [Task<'a>], session: &RangeInclusive<i64>) -> Vec<&'t Task<'a>> {
    let shares = |task: &&Task<'_>| task.period.start() <= session.end() && session.start() <= task.period.end();
    let mut tasks: Vec<_> = tasks.iter().filter(shares).collect();
    tasks.sort_by_key(|task| task.name);
    tasks
}

impl Task<'_> {
    /// The last word that was said, in the order of reports.
    pub(super) fn word(&self, of: impl Fn(&TaskEntry) -> &str) -> Option<String> {
        self.entries.iter().rev().map(|entry| of(entry).trim()).find(|word| !word.is_empty()).map(str::to_owned)
    }
}

/// What is done at an instant, and who says so.
pub(super) fn operation_at(
    tasks: &[Task<'_>],
    machine: &Machine,
    inferred: Option<Operation>,
    unix_ms: i64,
) -> (Operation, Source) {
    let by_task = || task_at(tasks, unix_ms)?.word(|entry| &entry.operation).and_then(|word| Operation::parse(&word));
    let by_implement = || machine.implement_at(unix_ms)?.operation;
    by_task()
        .map(|operation| (operation, Source::Task))
        .or_else(|| by_implement().map(|operation| (operation, Source::Assigned)))
        .or_else(|| machine.operation.map(|operation| (operation, Source::Machine)))
        .or_else(|| inferred.map(|operation| (operation, Source::Inferred)))
        .unwrap_or((Operation::Unknown, Source::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, event: TaskEvent, task: &str, operation: &str) -> TaskEntry {
        TaskEntry {
            identity: (1, second),
            recorded_at_ms: second * 1000,
            event,
            task: task.into(),
            field: String::new(),
            operator: String::new(),
            implement: String::new(),
            operation: operation.into(),
            crop: String::new(),
            totals: Vec::new(),
        }
    }

    #[test]
    fn a_task_that_was_not_ended_lasts_until_the_next() {
        let entries = [
            entry(10, TaskEvent::Started, "A", "ploughing"),
            entry(50, TaskEvent::Started, "B", "sowing"),
            entry(60, TaskEvent::Completed, "B", ""),
            entry(70, TaskEvent::Started, "C", "nonsense"),
        ];
        let tasks = tasks(&entries, 100_000);
        let machine = Machine { operation: Some(Operation::Discing), ..Machine::default() };
        let check = |second: i64, expected| {
            assert_eq!(operation_at(&tasks, &machine, None, second * 1000), expected, "{second}");
        };
        check(5, (Operation::Discing, Source::Machine));
        check(30, (Operation::Ploughing, Source::Task));
        check(55, (Operation::Sowing, Source::Task));
        check(65, (Operation::Discing, Source::Machine));
        check(80, (Operation::Discing, Source::Machine));
        assert_eq!(tasks_of(&tasks, &(20_000..=55_000)).iter().map(|t| t.name).collect::<Vec<_>>(), ["A", "B"]);
    }
}
