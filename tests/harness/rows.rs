//! The rows of the store, and what they should be, by the catalogue alone.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row};
use wire::{BootId, MachineSerial, Sample, SequenceSet, SignalId, SqlType, StoreColumn, catalogue};

/// Whose record it is.
pub(crate) type Identity = (MachineSerial, BootId, u64);

/// A value of a column. Reals compare by their bits: the store must not round in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Small(i16),
    Real(f32),
    Double(f64),
}

/// A time as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredTime {
    pub(crate) at_ms: i64,
    pub(crate) raw_ms: Option<i64>,
    pub(crate) quality: i16,
}

/// A row of `sample`: its time, and its signals in the order of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SampleRow {
    pub(crate) time: StoredTime,
    pub(crate) values: Vec<Option<Value>>,
}

/// Rows of the boot ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct BootRow {
    pub(crate) stored: SequenceSet,
    pub(crate) refused: SequenceSet,
    pub(crate) duplicates: i64,
}

const IDENTITY: &str = "serial, boot_id, sequence, (extract(epoch from recorded_at) * 1000)::bigint as at_ms,
     (extract(epoch from recorded_at_raw) * 1000)::bigint as raw_ms, time_quality";

fn identity(row: &Row) -> Identity {
    let boot = BootId::new(row.get::<_, i64>("boot_id").cast_unsigned()).unwrap();
    let sequence = row.get::<_, i64>("sequence").cast_unsigned();
    (MachineSerial::parse(row.get("serial")).unwrap(), boot, sequence)
}

fn time(row: &Row) -> StoredTime {
    StoredTime { at_ms: row.get("at_ms"), raw_ms: row.get("raw_ms"), quality: row.get("time_quality") }
}

/// Every row of `sample`.
pub(crate) async fn samples(client: &Client) -> Vec<(Identity, SampleRow)> {
    let names: Vec<_> = catalogue::wide().map(|signal| signal.name).collect();
    let query = format!("select {IDENTITY}, {} from sample join machine using (machine_id)", names.join(", "));
    let rows = client.query(&query, &[]).await.unwrap();
    rows.iter()
        .map(|row| {
            let value = |signal: &wire::Signal| match signal.column {
                StoreColumn::Wide(SqlType::SmallInt) => row.get::<_, Option<i16>>(signal.name).map(Value::Small),
                StoreColumn::Wide(SqlType::Real) => row.get::<_, Option<f32>>(signal.name).map(Value::Real),
                _ => row.get::<_, Option<f64>>(signal.name).map(Value::Double),
            };
            (identity(row), SampleRow { time: time(row), values: catalogue::wide().map(value).collect() })
        })
        .collect()
}

/// The values that a sample should have in `sample`, in the order of the catalogue.
pub(crate) fn wide_values(sample: &Sample) -> Vec<Option<Value>> {
    catalogue::wide()
        .map(|signal| {
            let physical = kept(sample, signal.id)?;
            Some(match signal.column {
                StoreColumn::Wide(SqlType::SmallInt) => Value::Small(physical as i16),
                StoreColumn::Wide(SqlType::Real) => Value::Real(physical as f32),
                _ => Value::Double(physical),
            })
        })
        .collect()
}

/// The values that a sample should have in `signal_sample`.
pub(crate) fn narrow_values(sample: &Sample) -> impl Iterator<Item = (u32, f64)> + '_ {
    let is_narrow =
        |signal: SignalId| catalogue::find(signal).is_none_or(|signal| !matches!(signal.column, StoreColumn::Wide(_)));
    let signals = sample.values.iter().map(|(signal, _)| *signal).filter(move |signal| is_narrow(*signal));
    signals.filter_map(|signal| Some((signal.number(), kept(sample, signal)?)))
}

/// A value of a sample, unless it is one that no machine can measure.
fn kept(sample: &Sample, signal: SignalId) -> Option<f64> {
    const POSITION: [SignalId; 2] = [catalogue::LATITUDE_DEG, catalogue::LONGITUDE_DEG];
    let possible = |signal: SignalId| {
        let physical = sample.physical(signal)?;
        let fits = catalogue::find(signal).is_none_or(|row| (row.valid.0..=row.valid.1).contains(&physical));
        fits.then_some(physical)
    };
    let has_position = || match POSITION.map(possible) {
        [Some(latitude), Some(longitude)] => latitude != 0.0 || longitude != 0.0,
        _ => false,
    };
    if POSITION.contains(&signal) && !has_position() { None } else { possible(signal) }
}

/// Every row of `signal_sample` by machine and time.
pub(crate) async fn signals(client: &Client) -> BTreeMap<(MachineSerial, i64), Vec<(u32, f64)>> {
    let query = "select serial, (extract(epoch from recorded_at) * 1000)::bigint, signal_id, value
                 from signal_sample join machine using (machine_id)";
    let mut signals: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in client.query(query, &[]).await.unwrap() {
        let key = (MachineSerial::parse(row.get(0)).unwrap(), row.get(1));
        signals.entry(key).or_default().push((row.get::<_, i32>(2).cast_unsigned(), row.get(3)));
    }
    signals
}

/// Every diagnostic report and task event, its content as text.
pub(crate) async fn reports(client: &Client) -> Vec<(Identity, StoredTime, String)> {
    let faults = format!(
        "select {IDENTITY}, concat_ws(' ', active, source_address, lamp_state, lamp_flash, codes) as content
         from fault_report join machine using (machine_id)"
    );
    let tasks = format!(
        "select {IDENTITY}, concat_ws('|', event, task, field, operator, implement, operation, crop, signal_ids, totals)
             as content
         from task_report join machine using (machine_id)"
    );
    let mut reports = Vec::new();
    for query in [faults, tasks] {
        let rows = client.query(&query, &[]).await.unwrap();
        reports.extend(rows.iter().map(|row| (identity(row), time(row), row.get("content"))));
    }
    reports
}

/// The content that a diagnostic report should have.
pub(crate) fn fault_content(report: &wire::FaultReport) -> String {
    let active = if report.report == wire::ReportKind::Active { "t" } else { "f" };
    let codes: Vec<_> = report
        .faults
        .iter()
        .map(|fault| {
            let legacy = u8::from(fault.legacy_conversion);
            format!("{},{},{},{legacy}", fault.spn, fault.fmi, fault.occurrence_count)
        })
        .collect();
    let lamps = report.lamps;
    format!("{active} {} {} {} {{{}}}", report.source_address, lamps.state, lamps.flash, codes.join(","))
}

/// The content that a task event should have.
pub(crate) fn task_content(record: &wire::TaskRecord) -> String {
    let event = match record.event {
        wire::TaskEvent::Started => "started",
        wire::TaskEvent::Totals => "totals",
        wire::TaskEvent::Paused => "paused",
        wire::TaskEvent::Completed => "completed",
    };
    let totals: Vec<_> =
        record.totals.iter().filter_map(|(number, raw)| Some((SignalId::parse(*number)?, *raw))).collect();
    let ids: Vec<_> = totals.iter().map(|(signal, _)| signal.number().to_string()).collect();
    let values: Vec<_> = totals.iter().map(|(signal, raw)| signal.physical(*raw).to_string()).collect();
    let wire::TaskRecord { task, field, operator, implement, operation, crop, .. } = record;
    format!(
        "{event}|{task}|{field}|{operator}|{implement}|{operation}|{crop}|{{{}}}|{{{}}}",
        ids.join(","),
        values.join(",")
    )
}

/// The ledger by boot, and the same summed up from its days.
pub(crate) async fn ledger(client: &Client) -> [BTreeMap<(MachineSerial, BootId), BootRow>; 2] {
    let boots = "select serial, boot_id, stored::text, refused::text, duplicate_count
                 from stored_sequence join machine using (machine_id)";
    let days = "select serial, boot_id, range_agg(stored)::text, range_agg(refused)::text, sum(duplicate_count)::bigint
                from stored_day join machine using (machine_id) group by serial, boot_id";
    let mut ledgers = [BTreeMap::new(), BTreeMap::new()];
    for (query, ledger) in [boots, days].into_iter().zip(&mut ledgers) {
        for row in client.query(query, &[]).await.unwrap() {
            let boot = BootId::new(row.get::<_, i64>(1).cast_unsigned()).unwrap();
            let (stored, refused) = (set_of(row.get(2)), set_of(row.get(3)));
            let key = (MachineSerial::parse(row.get(0)).unwrap(), boot);
            ledger.insert(key, BootRow { stored, refused, duplicates: row.get(4) });
        }
    }
    ledgers
}

/// Reads `{[0,10),[12,20)}`.
fn set_of(text: &str) -> SequenceSet {
    let inner = text.trim_matches(['{', '}']);
    inner
        .split("),")
        .map(|range| range.trim_matches(['[', ')']))
        .filter(|range| !range.is_empty())
        .map(|range| {
            let (start, end) = range.split_once(',').unwrap();
            start.parse().unwrap()..end.parse().unwrap()
        })
        .collect()
}
