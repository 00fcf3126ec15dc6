//! Everything on board of a machine: the machine itself, what its unit makes of its signals, and the unit. Driven by
//! the machine's own time alone, so that the same seed gives the same records, frames and truth, whatever the link and
//! the pace.

mod account;
mod captures;

use wire::{BootId, FaultReport, Record, ReportKind, SignalId, catalogue as signal};

pub(crate) use captures::Reply;
use captures::{Captures, Now};

use self::account::Account;
use crate::conditions::{Conditions, Entries, Home, Network, Power, Receiver, Restart, UnitClock};
use crate::device::{Device, Moment};
use crate::machine::Machine;
use crate::random::Random;
use crate::truth::{At, Event, Outage, OutageCause};

/// A machine and what stands between it and its unit.
pub(crate) struct Onboard {
    machine: Machine,
    receiver: Receiver,
    entries: Entries,
    clock: UnitClock,
    power: Power,
    network: Network,
    captures: Captures,
    account: Account,
    /// The last list of active faults of each controller: a unit that has restarted reports them anew.
    fault_lists: Vec<FaultReport>,
    seed: u64,
    /// The unit records nothing before this: it is starting; none once it has recorded again.
    starting_until_ms: Option<i64>,
    last_at_ms: i64,
    scratch: Vec<Record>,
}

/// What a step brought about.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) samples: u64,
    pub(crate) faults: u64,
    pub(crate) tasks: u64,
    /// Records that went with the power.
    pub(crate) lost: u64,
    pub(crate) restarted: bool,
    /// Machine time that passed.
    pub(crate) passed_ms: u64,
}

impl Step {
    /// How many records were made.
    pub(crate) fn records(&self) -> u64 {
        self.samples + self.faults + self.tasks
    }

    fn count(&mut self, record: &Record) {
        match record {
            Record::Sample(_) => self.samples += 1,
            Record::Faults(_) => self.faults += 1,
            Record::Task(_) => self.tasks += 1,
        }
    }
}

impl Onboard {
    /// Puts `machine` together with its unit. `seed` is that of the machine, `starts_at_ms` the beginning of the run.
    pub(crate) fn new(
        machine: Machine,
        device: &Device,
        conditions: &Conditions,
        home: Home<'_>,
        seed: u64,
        starts_at_ms: i64,
    ) -> Self {
        let now_ms = machine.next_at_ms();
        Self {
            receiver: Receiver::new(conditions.receiver, seed, now_ms),
            entries: Entries::new(conditions.entries, seed),
            clock: UnitClock::new(conditions.clock, seed, now_ms),
            power: Power::new(conditions.power, seed, now_ms),
            network: Network::new(conditions.network, home, seed, now_ms),
            captures: Captures::default(),
            account: Account::open(device.boot().as_u64(), device.next_sequence(), now_ms),
            fault_lists: Vec::new(),
            seed,
            starting_until_ms: None,
            last_at_ms: starts_at_ms,
            scratch: Vec::new(),
            machine,
        }
    }

    /// Machine time at which something is to be recorded next.
    pub(crate) fn next_at_ms(&self) -> i64 {
        self.machine.next_at_ms().min(self.captures.next_at_ms())
    }

    /// Whether the unit can send nothing at `machine_ms`, which is not before the last step.
    pub(crate) fn is_cut_off(&self, machine_ms: i64) -> bool {
        self.starting_until_ms.is_some_and(|until_ms| machine_ms < until_ms) || self.network.is_out(machine_ms)
    }

    /// Goes on to [`Onboard::next_at_ms`], where it is `wall_ms` by the wall clock.
    pub(crate) fn advance(&mut self, device: &mut Device, wall_ms: i64, truth: &mut Vec<Event>) -> Step {
        let at_ms = self.next_at_ms();
        let mut step = Step::default();
        while let Some(restart) = self.power.due(at_ms) {
            self.restart(restart, device, &mut step, truth);
        }
        self.end_days(at_ms, device, truth);
        self.clock.step(at_ms, truth);
        self.receiver.step(at_ms, truth);
        if self.captures.next_at_ms() < self.machine.next_at_ms() {
            self.capture(at_ms, wall_ms, device, &mut step);
        } else {
            let mut records = std::mem::take(&mut self.scratch);
            self.machine.advance(&mut records, truth);
            let position = records.iter().rev().find_map(position_of);
            self.network.step(at_ms, position, truth);
            device.set_offline(self.network.is_out(at_ms));
            for record in records.drain(..) {
                self.take(record, Moment { machine_ms: at_ms, wall_ms }, device, &mut step);
            }
            self.scratch = records;
        }
        step.passed_ms = at_ms.abs_diff(self.last_at_ms);
        self.last_at_ms = at_ms;
        step
    }

    /// Takes a request that arrived at `now`; gives the answer, where there is one.
    pub(crate) fn ask(&mut self, message: &[u8], reply: Reply, device: &Device, now: Moment) -> Option<wire::Answer> {
        let machine_ms = now.machine_ms.clamp(self.last_at_ms, self.machine.next_at_ms());
        let (boot, next_sequence) = (device.boot(), device.next_sequence());
        let now = Now { machine_ms, wall_ms: now.wall_ms, boot, next_sequence };
        let reports = |id: SignalId| self.machine.read(id, machine_ms).is_some();
        self.captures.ask(message, reply, now, reports)
    }

    /// What is to be told of captures.
    pub(crate) fn capture_news(&mut self, wall_ms: i64) -> Vec<(Reply, wire::Answer)> {
        self.captures.news(wall_ms)
    }

    /// Ends the run at `machine_ms`, or at the last record if that was later: what is still open in the truth is told
    /// up to there.
    pub(crate) fn close(&mut self, machine_ms: i64, wall_ms: i64, device: &mut Device, truth: &mut Vec<Event>) -> Step {
        let at_ms = machine_ms.max(self.last_at_ms);
        let mut step = Step::default();
        // Time in which nothing was due has passed as well; a machine that is behind has not come so far.
        if self.next_at_ms() > at_ms {
            step.passed_ms = at_ms.abs_diff(self.last_at_ms);
        }
        if let Some(held) = self.entries.flush() {
            self.keep(held.into(), Moment { machine_ms: at_ms, wall_ms }, device, &mut step);
        }
        self.end_days(at_ms, device, truth);
        self.machine.close(at_ms, truth);
        self.network.close(at_ms, truth);
        self.clock.close(at_ms, truth);
        self.receiver.close(at_ms, truth);
        let account = self.open_account(device, at_ms);
        account.close(at_ms, device.next_sequence(), 0, truth);
        step
    }

    /// A record of the machine on its way into the buffer.
    fn take(&mut self, record: Record, now: Moment, device: &mut Device, step: &mut Step) {
        if let Record::Faults(report) = &record {
            self.remember(report);
        }
        if self.starting_until_ms.is_some_and(|until_ms| now.machine_ms < until_ms) {
            self.account.missed(1);
            return;
        }
        if self.starting_until_ms.take().is_some() {
            for report in self.fault_lists.clone() {
                self.keep(Record::Faults(report).stamped(now.machine_ms), now, device, step);
            }
        }
        let Record::Sample(mut sample) = record else { return self.keep(record, now, device, step) };
        self.receiver.distort(&mut sample, now.machine_ms);
        for sample in self.entries.pass(sample).into_iter().flatten() {
            self.keep(sample.into(), now, device, step);
        }
        self.account.missed(self.entries.take_missing());
    }

    fn keep(&mut self, record: Record, now: Moment, device: &mut Device, step: &mut Step) {
        let shown_ms = self.clock.read(record.recorded_at_ms());
        let record = record.stamped(shown_ms);
        step.count(&record);
        self.account.recorded(&record);
        device.record(record, now);
    }

    fn capture(&mut self, at_ms: i64, wall_ms: i64, device: &mut Device, step: &mut Step) {
        let Self { captures, machine, receiver, clock, account, .. } = self;
        let shown_ms = clock.read(at_ms);
        captures.take(
            at_ms,
            |id| machine.read(id, at_ms),
            |mut sample| {
                receiver.distort(&mut sample, at_ms);
                let record = Record::from(sample).stamped(shown_ms);
                step.count(&record);
                account.recorded(&record);
                device.record(record, Moment { machine_ms: at_ms, wall_ms })
            },
        );
    }

    /// Keeps the last list of active faults of each controller.
    fn remember(&mut self, report: &FaultReport) {
        if report.report == ReportKind::Active {
            self.fault_lists.retain(|known| known.source_address != report.source_address);
            self.fault_lists.push(report.clone());
        }
    }

    fn restart(&mut self, restart: Restart, device: &mut Device, step: &mut Step, truth: &mut Vec<Event>) {
        let Restart { from_ms, to_ms, is_power_cut } = restart;
        device.seal_overdue(from_ms);
        self.end_days(from_ms, device, truth);
        let boot = boot_of(to_ms, self.seed);
        let account = self.open_account(device, to_ms);
        let next_sequence = device.next_sequence();
        let lost = if is_power_cut {
            device.power_cut(boot)
        } else {
            device.reboot(boot);
            0
        };
        account.close(from_ms, next_sequence, lost, truth);
        self.account = Account::open(device.boot().as_u64(), 0, to_ms);
        self.account.missed(u64::from(self.entries.flush().is_some()));
        truth.push(Event::Outage(Outage { from: At(from_ms), to: At(to_ms), cause: OutageCause::Reboot }));
        self.clock.boot(to_ms);
        self.captures.forget();
        self.starting_until_ms = Some(to_ms);
        step.lost += lost;
        step.restarted = true;
    }

    /// A frame holds records of one working day, so that what a power cut takes is of one day too.
    fn end_days(&mut self, at_ms: i64, device: &mut Device, truth: &mut Vec<Event>) {
        if self.account.ends_before(at_ms) {
            device.seal();
            self.account.step(at_ms, device.next_sequence(), truth);
        }
    }

    /// Takes the running account; an empty one begins in its place.
    fn open_account(&mut self, device: &Device, at_ms: i64) -> Account {
        let next = Account::open(device.boot().as_u64(), device.next_sequence(), at_ms);
        std::mem::replace(&mut self.account, next)
    }
}

/// A boot number of 51 bits, which also JavaScript holds exactly: the second of power-up, then 20 random bits. The
/// same machine started twice at the same simulated time has the same boot, any other start has another.
pub(crate) fn boot_of(at_ms: i64, seed: u64) -> BootId {
    let second = at_ms.div_euclid(1_000).unsigned_abs() & 0x7fff_ffff;
    let random = Random::fork(seed ^ second, "boot").next_u64() & 0xf_ffff;
    BootId::new(second << 20 | random).expect("51 bits fit 63")
}

fn position_of(record: &Record) -> Option<(f64, f64)> {
    let Record::Sample(sample) = record else { return None };
    sample.physical(signal::LATITUDE_DEG).zip(sample.physical(signal::LONGITUDE_DEG))
}
