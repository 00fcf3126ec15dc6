//! The checker: compares what machines wrote into their own ledger with what the store holds.
//!
//! The ledger was synced before anything was published, and holds every `stored` message that arrived, so it depends
//! on nothing that the tests break. The checker reads tables and computes what they should hold by the catalogue
//! alone; nothing of the service's own reading, writing or arithmetic takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use simulator::LedgerContent;
use wire::{BootId, MachineSerial, Record, SequenceSet};

use super::fleet::Outcome;
use super::rows::{self, BootRow, Identity, SampleRow, StoredTime};
use super::servers::Database;

/// Findings that a failure lists; the rest is counted.
const LISTED_MAX: usize = 8;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// The machine was told that a record is stored, and freed it; it is in no table.
    Lost(Identity),
    /// A record is in the tables more than once.
    Twice(Identity),
    /// A row that no machine recorded.
    Invented(Identity),
    /// A record is stored with other content.
    Differs(Identity, String),
    /// The ledger of the store claims a record that is in no table, or misses one that is.
    LedgerWrong(MachineSerial, BootId, String),
    /// The quarantine does not hold what the ledger says was refused.
    QuarantineWrong(String),
}

/// What the checker found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    /// Records that machines recorded.
    pub(crate) recorded: u64,
    /// Of these, how many they were told are accounted for.
    pub(crate) freed: u64,
    /// Records in the tables.
    pub(crate) stored: u64,
    /// Records refused for good.
    pub(crate) refused: u64,
    /// Records that came again, by the ledger.
    pub(crate) duplicates: i64,
}

impl Verdict {
    /// Nothing is wrong.
    #[track_caller]
    pub(crate) fn assert_clean(&self) -> &Self {
        assert!(self.findings.is_empty(), "{self}");
        self
    }

    /// Nothing is wrong, and everything that was recorded is in the store and confirmed.
    #[track_caller]
    pub(crate) fn assert_complete(&self) -> &Self {
        self.assert_clean();
        assert_eq!((self.freed, self.stored, self.refused), (self.recorded, self.recorded, 0), "{self}");
        self
    }

    fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for finding in &self.findings {
            *kinds.entry(finding.kind()).or_default() += 1;
        }
        kinds
    }

    /// The kinds of findings there are.
    pub(crate) fn found(&self) -> Vec<&'static str> {
        self.kinds().into_keys().collect()
    }
}

impl Finding {
    fn kind(&self) -> &'static str {
        match self {
            Self::Lost(_) => "lost",
            Self::Twice(_) => "twice",
            Self::Invented(_) => "invented",
            Self::Differs(..) => "differs",
            Self::LedgerWrong(..) => "ledger wrong",
            Self::QuarantineWrong(_) => "quarantine wrong",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recorded, freed, stored, refused, duplicates, .. } = self;
        write!(f, "recorded {recorded}, freed {freed}, stored {stored}, refused {refused}, repeats {duplicates}; ")?;
        writeln!(f, "findings {:?}", self.kinds())?;
        self.findings.iter().take(LISTED_MAX).try_for_each(|finding| writeln!(f, "  {finding:?}"))
    }
}

/// Compares the ledger of machines with the store.
pub(crate) async fn check(outcome: &Outcome, database: &Database) -> Verdict {
    check_ledger(&outcome.ledger, database).await
}

async fn check_ledger(ledger: &LedgerContent, database: &Database) -> Verdict {
    let client = database.client().await;
    let mut verdict = Verdict { recorded: ledger.recorded(), freed: ledger.freed(), ..Verdict::default() };
    let recorded = recorded_of(ledger);

    let mut in_tables: BTreeMap<(MachineSerial, BootId), BTreeSet<u64>> = BTreeMap::new();
    let mut enter = |identity: &Identity, findings: &mut Vec<Finding>| {
        let (machine, boot, sequence) = identity;
        let sequences = in_tables.entry((machine.clone(), *boot)).or_default();
        if !sequences.insert(*sequence) {
            findings.push(Finding::Twice(identity.clone()));
        }
        if !recorded.contains_key(identity) {
            findings.push(Finding::Invented(identity.clone()));
        }
    };
    let findings = &mut verdict.findings;
    let mut narrow: BTreeMap<(MachineSerial, i64), Vec<(u32, f64)>> = BTreeMap::new();
    for (identity, row) in rows::samples(&client).await {
        enter(&identity, findings);
        let Some(record) = recorded.get(&identity) else { continue };
        findings.extend(time_differs(&identity, record, row.time));
        findings.extend(sample_differs(&identity, record, &row));
        if let Record::Sample(sample) = record {
            let signals = rows::narrow_values(sample).collect::<Vec<_>>();
            if !signals.is_empty() {
                narrow.entry((identity.0.clone(), row.time.at_ms)).or_default().extend(signals);
            }
        }
    }
    for (identity, time, content) in rows::reports(&client).await {
        enter(&identity, findings);
        let Some(record) = recorded.get(&identity) else { continue };
        findings.extend(time_differs(&identity, record, time));
        findings.extend(report_differs(&identity, record, &content));
    }
    findings.extend(signals_differ(narrow, rows::signals(&client).await));

    let [boots, days] = rows::ledger(&client).await;
    for (key, row) in &boots {
        let tables = in_tables.remove(key).unwrap_or_default();
        findings.extend(ledger_wrong(key, row, &tables, days.get(key)));
        verdict.stored += tables.len() as u64;
        verdict.refused += row.refused.count();
        verdict.duplicates += row.duplicates;
        if let Some(boot) = ledger.boots.get(key) {
            let freed = boot.recorded().intersection(&boot.freed);
            let stored: SequenceSet = tables.iter().map(|sequence| *sequence..sequence + 1).collect();
            let lost = freed.difference(&stored).difference(&row.refused);
            let lost = lost.ranges().iter().cloned().flatten();
            findings.extend(lost.map(|sequence| Finding::Lost((key.0.clone(), key.1, sequence))));
        }
    }
    for ((machine, boot), sequences) in in_tables {
        verdict.stored += sequences.len() as u64;
        findings.push(Finding::LedgerWrong(machine, boot, format!("{} rows of an unknown boot", sequences.len())));
    }
    // A boot that the store does not know at all has lost everything that was confirmed.
    for ((machine, boot), content) in ledger.boots.iter().filter(|(key, _)| !boots.contains_key(key)) {
        let freed = content.recorded().intersection(&content.freed);
        let lost = freed.ranges().iter().cloned().flatten();
        findings.extend(lost.map(|sequence| Finding::Lost((machine.clone(), *boot, sequence))));
    }
    findings.extend(quarantine_wrong(database, verdict.refused).await);
    verdict
}

fn recorded_of(ledger: &LedgerContent) -> BTreeMap<Identity, Record> {
    let of_boot = |((machine, boot), content): (&(MachineSerial, BootId), &simulator::ledger::BootLedger)| {
        let key = (machine.clone(), *boot);
        let records: Vec<_> = content.records().collect();
        records.into_iter().map(move |(sequence, record)| ((key.0.clone(), key.1, sequence), record))
    };
    ledger.boots.iter().flat_map(of_boot).collect()
}

fn time_differs(identity: &Identity, record: &Record, time: StoredTime) -> Option<Finding> {
    let recorded_ms = record.recorded_at_ms();
    let said_ms = if time.quality == 0 { Some(time.at_ms) } else { time.raw_ms };
    let right = said_ms == Some(recorded_ms) && (time.quality == 0) == time.raw_ms.is_none();
    (!right).then(|| Finding::Differs(identity.clone(), format!("recorded at {recorded_ms}, stored as {time:?}")))
}

fn sample_differs(identity: &Identity, record: &Record, row: &SampleRow) -> Option<Finding> {
    let Record::Sample(sample) = record else {
        return Some(Finding::Differs(identity.clone(), "a sample was stored, another kind recorded".into()));
    };
    let expected = rows::wide_values(sample);
    let pairs = wire::catalogue::wide().zip(expected.iter().zip(&row.values));
    let (signal, (expected, found)) = pairs.into_iter().find(|(_, (expected, found))| expected != found)?;
    Some(Finding::Differs(identity.clone(), format!("{}: recorded {expected:?}, stored {found:?}", signal.name)))
}

fn report_differs(identity: &Identity, record: &Record, content: &str) -> Option<Finding> {
    let expected = match record {
        Record::Sample(_) => "a sample".to_string(),
        Record::Faults(report) => rows::fault_content(report),
        Record::Task(task) => rows::task_content(task),
    };
    (expected != content)
        .then(|| Finding::Differs(identity.clone(), format!("recorded {expected:?}, stored {content:?}")))
}

type Signals = BTreeMap<(MachineSerial, i64), Vec<(u32, f64)>>;

/// Signals without a column have no sequence number of their own: they compare by machine and time.
fn signals_differ(expected: Signals, mut found: Signals) -> Vec<Finding> {
    let sorted = |mut signals: Vec<(u32, f64)>| {
        signals.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        signals
    };
    let nobody = BootId::new(0).expect("0 fits");
    let mut findings = Vec::new();
    for ((machine, at_ms), signals) in expected {
        let stored = sorted(found.remove(&(machine.clone(), at_ms)).unwrap_or_default());
        let signals = sorted(signals);
        if signals != stored {
            let what = format!("signals at {at_ms}: recorded {signals:?}, stored {stored:?}");
            findings.push(Finding::Differs((machine, nobody, 0), what));
        }
    }
    let invented = found.into_keys().map(|(machine, at_ms)| {
        Finding::Differs((machine, nobody, 0), format!("signals at {at_ms} of a sample that is not stored"))
    });
    findings.extend(invented);
    findings
}

fn ledger_wrong(
    (machine, boot): &(MachineSerial, BootId),
    row: &BootRow,
    tables: &BTreeSet<u64>,
    days: Option<&BootRow>,
) -> Vec<Finding> {
    let tables: SequenceSet = tables.iter().map(|sequence| *sequence..sequence + 1).collect();
    let both = row.stored.intersection(&row.refused);
    let empty = BootRow::default();
    let days = days.unwrap_or(&empty);
    let agreed = [
        (row.stored == tables, format!("it says {} are stored, the tables hold {tables}", row.stored)),
        (both.is_empty(), format!("{both} are stored and refused")),
        (days.stored == row.stored, format!("its days hold {}, the boot {}", days.stored, row.stored)),
        (days.refused == row.refused, format!("its days refuse {}, the boot {}", days.refused, row.refused)),
        (
            days.duplicates == row.duplicates,
            format!("its days count {} repeats, the boot {}", days.duplicates, row.duplicates),
        ),
    ];
    let wrong = agreed.into_iter().filter(|(right, _)| !right);
    wrong.map(|(_, what)| Finding::LedgerWrong(machine.clone(), *boot, what)).collect()
}

async fn quarantine_wrong(database: &Database, refused: u64) -> Option<Finding> {
    let kept = database.number("select coalesce(sum(record_count), 0) from quarantine").await;
    (kept.cast_unsigned() != refused).then(|| {
        Finding::QuarantineWrong(format!("{kept} records are in quarantine, {refused} are refused by the ledger"))
    })
}
