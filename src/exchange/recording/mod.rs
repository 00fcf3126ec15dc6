//! Recordings as a machine would have sent them: samples, fault reports and task records, numbered from 0 in the
//! order they were recorded.
//!
//! A sample holds what its record *reports*. A value that the record leaves out stays out, also where a time log
//! means "as before": whether something was said again is a fact of its own, and the derive stage carries values on.
//!
//! What the signal catalogue does not name is carried under its own number ([`SignalId::raw_ddi`],
//! [`SignalId::raw_spn`]) and named once among the problems, with the device's own words for it.

mod can;
mod defect;
mod digest;
mod gpsd;
mod isoxml;
mod merge;
mod tally;
mod yield_monitor;

use jiff::Timestamp;
use jiff::tz::TimeZone;
pub use wire::Record;
use wire::{BootId, MachineSerial, Sample, SignalId};

pub use can::REPEAT_FAULTS_EVERY_MS;
pub use defect::Defect;
pub use yield_monitor::ANONYMOUS_START;

use super::read::Problem;
use super::read::isoxml::FileSet;
use digest::Digest;

/// Records taken of one recording: 46 days, one a second. A log of that length in one piece is none of one boot.
pub const MAX_RECORDS: usize = 4_000_000;
/// Bytes at the start of a file that tell one recording from another: they hold its first times and places. What
/// comes later is left out on purpose, so that a longer copy of a recording adds only what is new.
const HEAD_BYTES: usize = 4096;
/// Zone of machine-local times unless told otherwise: where the fleet works.
pub const DEFAULT_ZONE: &str = "Asia/Tomsk";

/// What a recording does not say itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Zone of times that are local to the machine.
    pub zone: TimeZone,
    /// Machine to take the recording for, instead of the one it names.
    pub machine: Option<MachineSerial>,
    /// When the first record was made, for recordings whose time was made unrecognisable.
    pub start: Option<Timestamp>,
}

impl Default for Options {
    /// Times of [`DEFAULT_ZONE`], the machine that the recording names.
    fn default() -> Self {
        let zone = TimeZone::get(DEFAULT_ZONE);
        // UTC+7 all year since 2016.
        let zone = zone.unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(7)));
        Self { zone, machine: None, start: None }
    }
}

/// The formats that can be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// ISO 11783-10 task data.
    Isoxml,
    /// gpsd JSON lines.
    Gpsd,
    /// Ag Leader "advanced" text.
    YieldMonitor,
    /// candump text.
    Candump,
    /// Vector ASCII log.
    Asc,
    /// PEAK trace.
    Trc,
    /// ASAM MDF 4 with bus logging.
    Mf4,
}

impl Format {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Isoxml => "ISOXML task data",
            Self::Gpsd => "gpsd JSON",
            Self::YieldMonitor => "yield monitor text",
            Self::Candump => "candump log",
            Self::Asc => "Vector ASC log",
            Self::Trc => "PEAK trace",
            Self::Mf4 => "MF4 bus log",
        }
    }
}

/// What one machine recorded in one go: a file, or of task data one time log or the totals of one task.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The machine: told by the recording, or by [`Options::machine`].
    pub machine: MachineSerial,
    /// Name or model of the machine, where the recording gives one.
    pub model: Option<String>,
    /// Made from how the content begins, so that the same recording replayed again adds nothing, and a copy that was
    /// cut off, replayed before the whole one, does no harm.
    pub boot: BootId,
    /// Format it was read from.
    pub format: Format,
    /// Records in the order recorded; the index is the sequence number.
    pub records: Vec<Record>,
}

impl Recording {
    /// The samples among the records.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.records.iter().filter_map(|record| match record {
            Record::Sample(sample) => Some(sample),
            Record::Faults(_) | Record::Task(_) => None,
        })
    }
}

/// What an input gave, and everything that was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    /// In the order recorded. Task data gives one for each time log and one for the totals of each task, since
    /// machines write a folder anew when one task is added.
    pub recordings: Vec<Recording>,
    /// What could not be read, and what is worth knowing.
    pub problems: Vec<Problem<Defect>>,
}

/// Reads one folder of task data.
pub fn from_task_data(files: &FileSet, fallback_name: &str, options: &Options) -> Recordings {
    isoxml::map(files, fallback_name, options)
}

/// Reads a recording that is one file. `file` names it in problems; without its extension it is the machine
/// where the content names none.
pub fn from_file(format: Format, file: &str, bytes: &[u8], options: &Options) -> Recordings {
    match format {
        Format::Gpsd => gpsd::map(file, bytes, options),
        Format::YieldMonitor => yield_monitor::map(file, bytes, options),
        Format::Candump | Format::Asc | Format::Trc | Format::Mf4 => can::map(format, file, bytes, options),
        Format::Isoxml => {
            let files = FileSet::from_iter([(file, bytes.to_vec())]);
            isoxml::map(&files, file, options)
        }
    }
}

/// A serial from what a recording calls its machine: characters that no serial may have become `-`.
pub(super) fn serial_from(name: &str) -> Option<MachineSerial> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.trim().chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    MachineSerial::parse(&name[..name.len().min(wire::limits::MAX_SERIAL_BYTES)]).ok()
}

/// The machine of a recording that names none: its file, without folders and extension.
fn serial_from_file(file: &str) -> MachineSerial {
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let unnamed = || MachineSerial::parse("recording").expect("a plain word is a serial");
    serial_from(stem).unwrap_or_else(unnamed)
}

/// What tells a file from others; see [`HEAD_BYTES`].
fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEAD_BYTES)]
}

/// The boot of everything of one kind that one name stands for.
pub(super) fn boot_of(kind: &str, name: &str) -> BootId {
    boot_from(Digest::new(kind).with(name.as_bytes()))
}

fn boot_from(digest: Digest) -> BootId {
    BootId::new(digest.finish_63()).expect("63 bits fit")
}

/// Adds a physical value to a sample; `false` when it is no measurement and was left out.
fn put(sample: &mut Sample, signal: SignalId, physical: f64) -> bool {
    let before = sample.values.len();
    sample.set(signal, physical);
    sample.values.len() > before
}
