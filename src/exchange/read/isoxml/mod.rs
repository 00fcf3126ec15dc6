//! ISO 11783-10 task data ("ISOXML"), versions 3 and 4: `TASKDATA.XML` with what was planned and done, and binary
//! time logs with what was measured.
//!
//! ```text
//! files ─ xml ▶ elements ─ task_data ▶ TaskData ┐
//!   └─ log_header ▶ columns ─ time_log ▶ records ┴▶ TaskSet
//! ```
//!
//! Machines write these files while they run, so they come cut off, with logs missing or empty, and with names in
//! any case. Whatever is wrong becomes a [`Defect`]; whatever can be read is read.

mod attribute;
mod defect;
mod device;
mod file_set;
mod frame;
mod log_header;
mod model;
mod task_data;
mod time_log;
mod xml;

#[cfg(test)]
mod tests;

pub use defect::Defect;
pub use device::{Device, DeviceElement, DeviceName, DeviceProperty, Presentation, ProcessData, SignalText};
pub use file_set::{FileSet, MAX_FILES};
pub use log_header::{Column, LogField, LogHeader, MAX_COLUMNS, PositionLayout};
pub use model::{
    Customer, Farm, Field, IsoDateTime, LogRef, Polygon, PolygonKind, Ring, Task, TaskData, TaskStatus, TaskTime,
    TimeKind, TimeValue, Worker,
};
pub use task_data::MAX_EXTERNAL_FILES;
pub use time_log::{GnssStatus, Reading, Record, RecordPosition, TimeLog};
pub use xml::{MAX_XML_BYTES, MAX_XML_DEPTH, MAX_XML_ELEMENTS};

use super::{At, Problem, Problems};

/// One folder of task data, read.
#[derive(Debug)]
pub struct TaskSet<'f> {
    /// What `TASKDATA.XML` and the files it names say.
    pub data: TaskData,
    /// The logs whose header and binary part could be found, in the order of the tasks.
    pub logs: Vec<Log<'f>>,
    /// What could not be read, the insides of the logs excepted: those come with reading the records.
    pub problems: Vec<Problem<Defect>>,
}

/// A time log, ready to be read.
#[derive(Debug)]
pub struct Log<'f> {
    /// Name without extension, such as `TLG00001`.
    pub name: String,
    /// Index of its task in [`TaskData::tasks`]; `None` when no task names the log.
    pub task: Option<usize>,
    /// What each record holds.
    pub header: LogHeader,
    file: String,
    bytes: &'f [u8],
}

impl Log<'_> {
    /// Reads the records from the start.
    pub fn records(&self) -> TimeLog<'_> {
        TimeLog::new(&self.file, &self.header, self.bytes)
    }

    /// The binary part as it lies in the file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }
}

/// Reads a folder of task data. `None` as data never happens: without a readable `TASKDATA.XML` the data is empty, the
/// problem says so, and logs that lie there are still read.
pub fn read(files: &FileSet) -> TaskSet<'_> {
    let (data, mut problems) = task_data::read(files);
    let mut logs = Vec::new();
    let named = data.tasks.iter().enumerate();
    for (task, log_ref) in named.flat_map(|(i, task)| task.logs.iter().map(move |log| (i, log))) {
        find_log(files, &log_ref.name, log_ref.byte_len, Some(task), &mut logs, &mut problems);
    }
    for (name, _) in files.iter() {
        let stem = stem_of_log(name);
        let Some(stem) = stem.filter(|s| !logs.iter().any(|log: &Log<'_>| log.name.eq_ignore_ascii_case(s))) else {
            continue;
        };
        let is_named = |log: &LogRef| log.name.eq_ignore_ascii_case(stem);
        if !data.tasks.iter().any(|task| task.logs.iter().any(is_named)) {
            problems.extend(one(name, Defect::LogWithoutTask));
            find_log(files, stem, None, None, &mut logs, &mut problems);
        }
    }
    TaskSet { data, logs, problems }
}

/// `TLG00001` of `TLG00001.bin`, in any case.
fn stem_of_log(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let is_log = stem.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("TLG"));
    (is_log && extension.eq_ignore_ascii_case("bin")).then_some(stem)
}

fn find_log<'f>(
    files: &'f FileSet,
    name: &str,
    announced: Option<u64>,
    task: Option<usize>,
    logs: &mut Vec<Log<'f>>,
    problems: &mut Vec<Problem<Defect>>,
) {
    let (header_name, bin_name) = (format!("{name}.xml"), format!("{name}.bin"));
    let (header, bin) = (files.get(&header_name), files.get(&bin_name));
    if header.is_none() {
        problems.extend(one(&header_name, Defect::HeaderMissing));
    }
    if bin.is_none() {
        problems.extend(one(&bin_name, Defect::LogMissing));
    }
    let (Some((header_name, header)), Some((bin_name, bytes))) = (header, bin) else {
        return;
    };
    if let Some(announced) = announced.filter(|&len| len != bytes.len() as u64) {
        let found = bytes.len() as u64;
        problems.extend(one(bin_name, Defect::LengthDiffers { announced, found }));
    }
    let (header, header_problems) = log_header::read(header_name, header);
    problems.extend(header_problems);
    if let Some(header) = header {
        logs.push(Log { name: name.to_owned(), task, header, file: bin_name.to_owned(), bytes });
    }
}

fn one(file: &str, defect: Defect) -> Vec<Problem<Defect>> {
    let mut problems = Problems::new(file);
    problems.push(At::File, defect);
    problems.into_vec()
}
