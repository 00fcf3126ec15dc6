//! What was wrong with an input, and where. Alike problems are counted rather than repeated: a receiver that never
//! reports its status says so in each of a hundred thousand records.

use std::collections::HashMap;
use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

/// Different problems of one kind that are kept word for word; the rest are counted. Above the 255 columns of a time
/// log, so each unknown column of one log is always named.
pub const MAX_LISTED_PER_KIND: usize = 256;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The file as a whole.
    File,
    /// A line of a text file, counted from 1.
    Line(u64),
    /// A byte of a file, counted from 0.
    Byte(u64),
    /// A record of a binary log, counted from 0, and the byte it starts at.
    Record {
        /// Number of the record, from 0.
        index: u64,
        /// Offset of its first byte.
        byte: u64,
    },
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::File => Ok(()),
            At::Line(line) => write!(f, ", line {line}"),
            At::Byte(byte) => write!(f, ", byte {byte}"),
            At::Record { index, byte } => write!(f, ", record {index} at byte {byte}"),
        }
    }
}

/// Whether a problem cost anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; everything was read.
    Note,
    /// Something in the file could not be read or used.
    Loss,
}

/// A defect knows whether it cost anything.
pub trait Weigh {
    /// See [`Weight`].
    fn weight(&self) -> Weight;
}

/// One defect, the first place it was met, and how often it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem<D> {
    /// File name as the recording names it, without folders.
    pub file: Arc<str>,
    /// The first place.
    pub at: At,
    /// What is wrong.
    pub defect: D,
    /// Times this very defect was met, at least 1.
    pub count: u64,
    /// Further defects of the same kind with other values, counted because the list was full.
    pub unlisted: u64,
}

impl<D> Problem<D> {
    /// The same problem under a wider defect type.
    pub fn map<E>(self, widen: impl FnOnce(D) -> E) -> Problem<E> {
        Problem { file: self.file, at: self.at, defect: widen(self.defect), count: self.count, unlisted: self.unlisted }
    }
}

impl<D: fmt::Display> fmt::Display for Problem<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.file, self.at, self.defect)?;
        if self.count > 1 {
            write!(f, " ({} times)", self.count)?;
        }
        if self.unlisted > 0 {
            write!(f, " ({} more of this kind)", self.unlisted)?;
        }
        Ok(())
    }
}

/// Collects the problems of one file. Bounded by [`MAX_LISTED_PER_KIND`] for each variant of the defect.
#[derive(Debug, Clone)]
pub struct Problems<D> {
    file: Arc<str>,
    listed: Vec<Problem<D>>,
    kinds: HashMap<Discriminant<D>, Vec<usize>>,
}

impl<D: PartialEq> Problems<D> {
    /// An empty list for the file of this name.
    pub fn new(file: &str) -> Self {
        Self { file: file.into(), listed: Vec::new(), kinds: HashMap::new() }
    }

    /// Adds a defect, or counts it when the same was met before.
    pub fn push(&mut self, at: At, defect: D) {
        let same_kind = self.kinds.entry(discriminant(&defect)).or_default();
        if let Some(&known) = same_kind.iter().find(|&&i| self.listed[i].defect == defect) {
            self.listed[known].count += 1;
        } else if same_kind.len() < MAX_LISTED_PER_KIND {
            same_kind.push(self.listed.len());
            self.listed.push(Problem { file: self.file.clone(), at, defect, count: 1, unlisted: 0 });
        } else if let Some(&last) = same_kind.last() {
            self.listed[last].unlisted += 1;
        }
    }

    /// The problems so far, in the order first met.
    pub fn listed(&self) -> &[Problem<D>] {
        &self.listed
    }

    /// The problems, in the order first met.
    pub fn into_vec(self) -> Vec<Problem<D>> {
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    enum Sample {
        #[error("value {0} is odd")]
        Odd(u64),
    }

    fn check(values: impl IntoIterator<Item = u64>, last_line: &str) {
        let mut problems = Problems::new("a.bin");
        for value in values {
            problems.push(At::Byte(value), Sample::Odd(value));
        }
        assert!(problems.listed().len() <= MAX_LISTED_PER_KIND);
        let last = problems.into_vec().pop().expect("something was pushed");
        assert_eq!(last.to_string(), last_line);
    }

    #[test]
    fn a_repeated_problem_is_counted_at_its_first_place() {
        check([7, 7, 7], "a.bin, byte 7: value 7 is odd (3 times)");
    }

    #[test]
    fn a_flood_of_different_problems_stays_bounded() {
        check(0..1000, "a.bin, byte 255: value 255 is odd (744 more of this kind)");
    }
}
