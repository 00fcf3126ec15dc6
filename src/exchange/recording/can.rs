//! A bus log as a recording: one sample for each second in which a value was seen, the last value of the second
//! winning, and the trouble codes as their controllers sent them.

use std::collections::{BTreeMap, HashMap};

use wire::{Fault, FaultReport, Lamps, ReportKind, Sample, SignalId, catalogue};

use super::super::read::can::{Body, CanId, Frame, FrameCounts, asc, candump, mf4, trc};
use super::super::read::j1939::{
    self, DiagnosticMessage, Id, Parameter, Quality, Raw, Transport, nmea2000, parameters_of, pgn,
};
use super::super::read::{At, Problem, Problems};
use super::tally::{Tally, one, outside_range, uncatalogued, widen};
use super::{
    ANONYMOUS_START, Defect, Digest, Format, MAX_RECORDS, Options, Record, Recording, Recordings, boot_from,
    serial_from, serial_from_file,
};

/// A controller repeats its trouble codes each second. Unchanged ones are taken again after this, well within the
/// time after which a fault that is not heard of counts as gone.
pub const REPEAT_FAULTS_EVERY_MS: i64 = 5_000;
/// A sender that has been silent for so long loses its signal to another.
const SOURCE_SILENT_AFTER_MS: i64 = 5_000;
/// Controllers whose trouble codes are remembered: 254 addresses on a few buses, two lists each.
const MAX_CONTROLLERS: usize = 4_096;

/// Frames at the beginning that tell one recording from another. Bytes of the file would do, but the same frames
/// written down in another format are the same recording.
const HEAD_FRAMES: usize = 64;
/// No bus carried J1939 before: 1990-01-01T00:00:00Z. An earlier time counts from the beginning of the log.
const EARLIEST_US: i64 = 631_152_000_000_000;

pub(super) fn map(format: Format, file: &str, bytes: &[u8], options: &Options) -> Recordings {
    let mut log = match format {
        Format::Asc => asc::read(file, bytes, &options.zone),
        Format::Trc => trc::read(file, bytes, &options.zone),
        Format::Mf4 => mf4::read(file, bytes),
        _ => candump::read(file, bytes, &options.zone),
    };
    let mut mapper = Mapper::new(file);
    let mut digest = Digest::new("CAN");
    let mut shift_us = None;
    for (number, frame) in log.by_ref().enumerate() {
        let shift_us = *shift_us.get_or_insert_with(|| mapper.date(&frame, options));
        if number < HEAD_FRAMES {
            digest = with_frame(digest, &frame);
        }
        mapper.frame(&Frame { at_us: frame.at_us.saturating_add(shift_us), ..frame });
        if mapper.records.len() >= MAX_RECORDS {
            mapper.problems.push(frame.at, Defect::TooManyRecords);
            break;
        }
    }
    mapper.end_second();
    let counts = log.counts;
    let mut problems: Vec<_> = widen(log.into_problems()).collect();
    problems.extend(other_frames(file, counts));
    problems.extend(mapper.problems.into_vec());
    problems.extend(mapper.outside.into_problems(file, outside_range));
    problems.extend(mapper.unnamed.into_problems(file, uncatalogued));
    if mapper.records.is_empty() {
        problems.extend(one(file, At::File, Defect::NothingRecorded));
        return Recordings { recordings: Vec::new(), problems };
    }
    let named = mapper.vehicle_id.as_deref().and_then(serial_from);
    let recording = Recording {
        machine: options.machine.clone().or(named).unwrap_or_else(|| serial_from_file(file)),
        model: mapper.model,
        boot: boot_from(digest),
        format,
        records: mapper.records,
    };
    Recordings { recordings: vec![recording], problems }
}

fn with_frame(digest: Digest, frame: &Frame) -> Digest {
    let (id, extended) = match frame.id {
        CanId::Standard(id) => (u32::from(id), 0),
        CanId::Extended(id) => (id, 1),
    };
    let digest = digest.with(&frame.at_us.to_le_bytes()).with(&id.to_le_bytes()).with(&[extended]);
    match &frame.body {
        Body::Data(payload) => digest.with(payload.as_slice()),
        Body::Fd { .. } | Body::Remote | Body::Error => digest,
    }
}

fn other_frames(file: &str, counts: FrameCounts) -> Vec<Problem<Defect>> {
    let kinds =
        [("11-bit", counts.standard), ("CAN FD", counts.fd), ("remote", counts.remote), ("error", counts.error)];
    let met = kinds.into_iter().filter(|(_, count)| *count > 0);
    met.flat_map(|(kind, count)| {
        one(file, At::File, Defect::OtherFrames(kind)).into_iter().map(move |problem| Problem { count, ..problem })
    })
    .collect()
}

/// Who sends a signal: bus, address, device element.
type Sender = (u8, u8, u16);

struct Mapper {
    transport: Transport,
    second: Option<i64>,
    values: BTreeMap<SignalId, i64>,
    faults: Vec<FaultReport>,
    senders: HashMap<SignalId, (Sender, i64)>,
    last_faults: HashMap<(u8, u8, bool), FaultReport>,
    vehicle_id: Option<String>,
    model: Option<String>,
    records: Vec<Record>,
    problems: Problems<Defect>,
    outside: Tally,
    unnamed: Tally,
}

/// A message, from one frame or several.
struct Heard<'m> {
    at: At,
    at_ms: i64,
    bus: u8,
    pgn: u32,
    source: u8,
    data: &'m [u8],
}

impl Mapper {
    fn new(file: &str) -> Self {
        Self {
            transport: Transport::default(),
            second: None,
            values: BTreeMap::new(),
            faults: Vec::new(),
            senders: HashMap::new(),
            last_faults: HashMap::new(),
            vehicle_id: None,
            model: None,
            records: Vec::new(),
            problems: Problems::new(file),
            outside: Tally::default(),
            unnamed: Tally::default(),
        }
    }

    /// What to add to the times of a log whose first frame is `first`: nothing, unless it tells no date.
    fn date(&mut self, first: &Frame, options: &Options) -> i64 {
        if first.at_us >= EARLIEST_US {
            return 0;
        }
        let start = options.start.unwrap_or(ANONYMOUS_START);
        self.problems.push(first.at, Defect::NoDate { start: start.to_string() });
        start.as_microsecond().saturating_sub(first.at_us)
    }

    fn frame(&mut self, frame: &Frame) {
        let second = frame.at_us.div_euclid(1_000_000);
        if self.second != Some(second) {
            self.end_second();
            self.second = Some(second);
        }
        let (CanId::Extended(id), Body::Data(payload)) = (frame.id, frame.body) else { return };
        let id = Id::from_extended(id);
        let at = frame.at;
        let at_ms = frame.at_us.div_euclid(1000);
        let heard = Heard { at, at_ms, bus: frame.bus, pgn: id.pgn, source: id.source, data: payload.as_slice() };
        if !matches!(id.pgn, pgn::TP_CM | pgn::TP_DT) {
            return self.message(&heard);
        }
        match self.transport.push(frame.at_us, frame.bus, id, payload.as_slice()) {
            Ok(None) => {}
            Ok(Some(whole)) => {
                self.message(&Heard { pgn: whole.pgn, source: whole.source, data: &whole.data, ..heard });
            }
            Err(defect) => self.problems.push(at, defect.into()),
        }
    }

    fn message(&mut self, heard: &Heard<'_>) {
        match heard.pgn {
            pgn::DM1 | pgn::DM2 => self.diagnostics(heard),
            pgn::VEHICLE_ID => {
                let id = j1939::vehicle_id(heard.data);
                self.vehicle_id = self.vehicle_id.take().or(id);
            }
            pgn::COMPONENT_ID => {
                let id = j1939::component_id(heard.data);
                self.model = self.model.take().or(id.model);
            }
            pgn::PROCESS_DATA => self.process_data(heard),
            nmea2000::POSITION => {
                if let Some((lat, lon)) = nmea2000::position(heard.data) {
                    self.physical(heard, catalogue::LATITUDE_DEG, f64::from(lat) / 1e7);
                    self.physical(heard, catalogue::LONGITUDE_DEG, f64::from(lon) / 1e7);
                }
            }
            nmea2000::COURSE_AND_SPEED => {
                let (course_deg, speed_mps) = nmea2000::course_and_speed(heard.data);
                course_deg.into_iter().for_each(|deg| self.physical(heard, catalogue::HEADING_DEG, deg));
                let speed_kmh = speed_mps.map(|speed| speed * 3.6);
                speed_kmh.into_iter().for_each(|kmh| self.physical(heard, catalogue::GROUND_SPEED_KMH, kmh));
            }
            _ => self.parameters(heard),
        }
    }

    fn parameters(&mut self, heard: &Heard<'_>) {
        let parameters = parameters_of(heard.pgn);
        if parameters.is_empty() {
            let defect = Defect::UndecodedGroup { pgn: heard.pgn, source_address: heard.source };
            return self.problems.push(heard.at, defect);
        }
        for parameter in parameters {
            match parameter.read(heard.data) {
                Ok(raw) => self.parameter(heard, parameter, raw),
                Err(Quality::Error) => {
                    let defect = Defect::SensorError { spn: parameter.spn, source_address: heard.source };
                    self.problems.push(heard.at, defect);
                }
                Err(Quality::NotAvailable | Quality::Reserved) => {}
            }
        }
    }

    fn parameter(&mut self, heard: &Heard<'_>, parameter: &Parameter, raw: Raw) {
        match catalogue::by_spn(parameter.spn) {
            Some(signal) => self.physical(heard, signal.id, parameter.physical(raw)),
            None => {
                let signal = SignalId::raw_spn(parameter.spn).expect("the table holds 19-bit numbers");
                self.raw(heard, signal, 0, i64::from(raw.0));
            }
        }
    }

    fn process_data(&mut self, heard: &Heard<'_>) {
        let Some((element, ddi, raw)) = nmea2000::process_value(heard.data) else { return };
        let raw = i64::from(raw);
        match catalogue::by_ddi(ddi) {
            Some(signal) => {
                let (min, max) = signal.valid_raw();
                if (min..=max).contains(&raw) {
                    self.take(heard, signal.id, element, raw);
                } else {
                    self.outside.add(heard.at, signal.id, signal.resolution.physical(raw));
                }
            }
            None => self.raw(heard, SignalId::raw_ddi(ddi), element, raw),
        }
    }

    fn raw(&mut self, heard: &Heard<'_>, signal: SignalId, element: u16, raw: i64) {
        self.unnamed.add(heard.at, signal, raw as f64);
        self.take(heard, signal, element, raw);
    }

    fn physical(&mut self, heard: &Heard<'_>, signal: SignalId, value: f64) {
        let mut sample = Sample::default();
        sample.set(signal, value);
        match sample.values.first() {
            Some(&(_, raw)) => self.take(heard, signal, 0, raw),
            None => self.outside.add(heard.at, signal, value),
        }
    }

    /// A signal belongs to the first who sends it, until he falls silent: two engines' speeds must not alternate, and
    /// a stranger on the bus must not take over.
    fn take(&mut self, heard: &Heard<'_>, signal: SignalId, element: u16, raw: i64) {
        let sender = (heard.bus, heard.source, element);
        let (owner, last_ms) = self.senders.entry(signal).or_insert((sender, heard.at_ms));
        let is_silent = heard.at_ms.saturating_sub(*last_ms) > SOURCE_SILENT_AFTER_MS;
        if *owner == sender || is_silent {
            (*owner, *last_ms) = (sender, heard.at_ms);
            self.values.insert(signal, raw);
            return;
        }
        let used = owner.1;
        let defect = Defect::SeveralSources { signal: signal.to_string(), used, other: heard.source };
        self.problems.push(heard.at, defect);
    }

    fn diagnostics(&mut self, heard: &Heard<'_>) {
        let Some(message) = DiagnosticMessage::parse(heard.data) else {
            let defect = Defect::BadDiagnostics { source_address: heard.source };
            return self.problems.push(heard.at, defect);
        };
        let is_active = heard.pgn == pgn::DM1;
        let report = FaultReport {
            recorded_at_ms: heard.at_ms,
            report: if is_active { ReportKind::Active } else { ReportKind::PreviouslyActive },
            source_address: heard.source,
            lamps: Lamps { state: message.lamp_state, flash: message.lamp_flash },
            faults: message.codes.iter().map(fault).collect(),
        };
        let controller = (heard.bus, heard.source, is_active);
        let is_news = self.last_faults.get(&controller).is_none_or(|last| {
            let age_ms = report.recorded_at_ms.saturating_sub(last.recorded_at_ms);
            last.faults != report.faults || last.lamps != report.lamps || age_ms >= REPEAT_FAULTS_EVERY_MS
        });
        if is_news {
            if self.last_faults.len() < MAX_CONTROLLERS || self.last_faults.contains_key(&controller) {
                self.last_faults.insert(controller, report.clone());
            }
            self.faults.push(report);
        }
    }

    /// Writes down the second that has passed: its values, then its trouble codes, each in the order of their times.
    fn end_second(&mut self) {
        if let Some(second) = self.second
            && !self.values.is_empty()
        {
            let values = std::mem::take(&mut self.values).into_iter().collect();
            self.records.push(Record::Sample(Sample { recorded_at_ms: second * 1000, values }));
        }
        self.records.extend(self.faults.drain(..).map(Record::Faults));
    }
}

fn fault(code: &j1939::TroubleCode) -> Fault {
    Fault {
        spn: code.spn,
        fmi: code.fmi,
        occurrence_count: code.occurrence_count,
        legacy_conversion: code.legacy_conversion,
    }
}
