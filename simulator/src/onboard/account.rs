//! What a unit has recorded, told as truth by boot and working day.

use crate::truth::{At, Event, Recorded, working_day};
use wire::Record;

/// The running account of one boot on one day.
#[derive(Debug, Clone)]
pub(super) struct Account {
    from_ms: i64,
    /// First instant of the next working day.
    day_ends_ms: i64,
    boot: u64,
    first_sequence: u64,
    samples: u64,
    faults: u64,
    tasks: u64,
    missed: u64,
}

impl Account {
    pub(super) fn open(boot: u64, first_sequence: u64, from_ms: i64) -> Self {
        let day_ends_ms = crate::truth::day_start_ms(working_day(from_ms)) + 86_400_000;
        Self { from_ms, day_ends_ms, boot, first_sequence, samples: 0, faults: 0, tasks: 0, missed: 0 }
    }

    pub(super) fn recorded(&mut self, record: &Record) {
        match record {
            Record::Sample(_) => self.samples += 1,
            Record::Faults(_) => self.faults += 1,
            Record::Task(_) => self.tasks += 1,
        }
    }

    pub(super) fn missed(&mut self, samples: u64) {
        self.missed += samples;
    }

    /// Whether the day of this account is over at `at_ms`.
    pub(super) fn ends_before(&self, at_ms: i64) -> bool {
        self.day_ends_ms <= at_ms
    }

    /// Ends the days that are over at `at_ms`, before a record of the next day is counted.
    pub(super) fn step(&mut self, at_ms: i64, next_sequence: u64, truth: &mut Vec<Event>) {
        while self.day_ends_ms <= at_ms {
            let end_ms = self.day_ends_ms;
            let next = Self::open(self.boot, next_sequence, end_ms);
            std::mem::replace(self, next).close(end_ms, next_sequence, 0, truth);
        }
    }

    /// Ends the boot or the run. `lost` records up to `next_sequence` went with the power; they were the last ones,
    /// and samples, because other records never wait.
    pub(super) fn close(self, at_ms: i64, next_sequence: u64, lost: u64, truth: &mut Vec<Event>) {
        let Self { from_ms, boot, first_sequence, samples, faults, tasks, missed, .. } = self;
        // Some of the lost ones may have been recorded on the day before, which the account of that day has told.
        let lost_here = lost.min(next_sequence - first_sequence);
        if next_sequence == first_sequence && missed == 0 {
            return;
        }
        truth.push(Event::Recorded(Recorded {
            from: At(from_ms),
            to: At(at_ms),
            boot,
            first_sequence,
            end_sequence: next_sequence - lost_here,
            samples: samples - lost_here.min(samples),
            faults,
            tasks,
            missed,
            lost,
        }));
    }
}
