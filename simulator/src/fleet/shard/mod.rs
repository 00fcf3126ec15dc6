//! A shard: some machines, their units, and the connection they share. One task; nothing in it is shared or locked.

mod hear;
mod member;
mod record;
mod send;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use wire::MachineSerial;

use self::send::Greeting;
use super::clock::{Clock, Pacer};
use super::config::Pace;
use super::counters::Counters;
use super::link::{LinkEvent, Uplink};
use super::stop::{Phase, Stop};
use crate::device::OutFrame;
use crate::ledger::{Durable, Ledger};
use crate::truth::{Event, TruthFiles};

pub(super) use member::{Fed, Member, Source};

/// Records that a machine makes before others have their turn.
const RECORDS_A_TURN: usize = 64;
/// How long the last words may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// What a shard needs besides its members.
pub(super) struct ShardSetup {
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    pub(super) pacer: Pacer,
    pub(super) counters: Arc<Counters>,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) truth: Option<Arc<TruthFiles>>,
    pub(super) stop: Stop,
    /// Wall clock at which recording stops.
    pub(super) record_until_ms: i64,
    /// Simulated clock at which recording stops.
    pub(super) simulate_until_ms: i64,
    pub(super) drain_timeout: Duration,
    pub(super) feed: Option<mpsc::Receiver<Fed>>,
    pub(super) events: mpsc::Receiver<LinkEvent>,
    pub(super) space: Arc<Notify>,
    /// Switches the network of the connection, where it belongs to one member alone.
    pub(super) network: Option<watch::Sender<bool>>,
}

pub(super) struct Shard {
    members: Vec<Member>,
    by_serial: HashMap<MachineSerial, usize>,
    setup: ShardSetup,
    durable: Option<watch::Receiver<Durable>>,
    durable_position: u64,
    wakes: BinaryHeap<Reverse<(i64, usize)>>,
    /// Members that may have something to send, in turn.
    ready: VecDeque<usize>,
    waiting_for_ledger: Vec<usize>,
    uplink: Option<Uplink>,
    greetings: VecDeque<Greeting>,
    /// Frames of the run that is being sent.
    outbox: VecDeque<(usize, OutFrame)>,
    /// Truth of the member that is being attended to.
    truth: Vec<Event>,
    pending: usize,
    recording: bool,
    drain_deadline_ms: i64,
}

impl Shard {
    pub(super) fn new(members: Vec<Member>, setup: ShardSetup) -> Self {
        let by_serial =
            members.iter().enumerate().map(|(index, member)| (member.device.serial().clone(), index)).collect();
        let durable = setup.ledger.as_ref().map(|ledger| ledger.durable());
        Self {
            pending: members.iter().map(|member| member.device.pending()).sum(),
            members,
            by_serial,
            durable,
            durable_position: if setup.ledger.is_some() { 0 } else { u64::MAX },
            setup,
            wakes: BinaryHeap::new(),
            ready: VecDeque::new(),
            waiting_for_ledger: Vec::new(),
            uplink: None,
            greetings: VecDeque::new(),
            outbox: VecDeque::new(),
            truth: Vec::new(),
            recording: true,
            drain_deadline_ms: i64::MAX,
        }
    }

    /// Runs until recording is over and everything is stored, or the drain time is over, or it is told to end.
    pub(super) async fn run(mut self) {
        for index in 0..self.members.len() {
            self.attend(index);
        }
        while !self.is_done() {
            if let Some(ledger) = &self.setup.ledger {
                ledger.room().await;
            }
            if let Some(truth) = &self.setup.truth {
                truth.room().await;
            }
            let now_ms = self.setup.clock.now_ms();
            let busy = self.wake_due(now_ms) | self.send(now_ms);
            if busy {
                // Others share the thread: connections, above all our own.
                tokio::task::yield_now().await;
            }
            self.wait(busy).await;
        }
        self.say_goodbye().await;
    }

    fn is_done(&mut self) -> bool {
        let now_ms = self.setup.clock.now_ms();
        let phase = self.setup.stop.phase();
        let told = phase >= Phase::Drain || now_ms >= self.setup.record_until_ms;
        if self.recording && (told || self.members.iter().all(|member| member.exhausted)) {
            self.stop_recording(now_ms);
        }
        phase == Phase::End || (!self.recording && (self.pending == 0 || now_ms >= self.drain_deadline_ms))
    }

    /// Waits for the next thing that happens; only takes what is already there when there is more to do at once.
    async fn wait(&mut self, busy: bool) {
        let next_ms = if busy { i64::MIN } else { self.next_wake_ms() };
        let timer = tokio::time::sleep_until(self.setup.clock.instant(next_ms));
        let feed_open =
            self.recording && self.members.first().is_some_and(|m| m.device.pending() < 4 * m.device.window());
        tokio::select! {
            biased;
            event = self.setup.events.recv() => {
                if let Some(event) = event {
                    self.take(event);
                }
                while let Ok(event) = self.setup.events.try_recv() {
                    self.take(event);
                }
            }
            () = changed(&mut self.durable) => self.ledger_advanced(),
            _ = self.setup.stop.changed() => {}
            () = self.setup.space.notified() => {}
            fed = next_fed(&mut self.setup.feed), if feed_open => self.feed(fed),
            () = timer => {}
        }
    }

    fn next_wake_ms(&self) -> i64 {
        let member_ms = self.wakes.peek().map_or(i64::MAX, |Reverse((at, _))| *at);
        let end_ms = if self.recording { self.setup.record_until_ms } else { self.drain_deadline_ms };
        member_ms.min(end_ms)
    }

    /// Attends to every member whose time has come; true when some have more to do at once.
    fn wake_due(&mut self, now_ms: i64) -> bool {
        while let Some(Reverse((at, index))) = self.wakes.peek().copied() {
            if at > now_ms {
                return false;
            }
            self.wakes.pop();
            if self.members[index].wake_ms == at {
                self.members[index].wake_ms = i64::MAX;
                self.attend(index);
                if self.members[index].wake_ms <= now_ms {
                    return true;
                }
            }
        }
        false
    }

    fn wake_at(&mut self, index: usize, at_ms: i64) {
        if at_ms < self.members[index].wake_ms {
            self.members[index].wake_ms = at_ms;
            self.wakes.push(Reverse((at_ms, index)));
        }
    }

    /// The machine's own time, which decides about its network.
    fn machine_ms(&self, index: usize, now_ms: i64) -> i64 {
        let of_machine = || self.members[index].next_at_ms().unwrap_or(now_ms);
        self.setup.pacer.simulated_ms(now_ms).unwrap_or_else(of_machine)
    }

    /// Whether a member has no network. When recording is over all have: what is kept is to arrive.
    fn is_cut_off(&mut self, index: usize, now_ms: i64) -> bool {
        let machine_ms = self.machine_ms(index, now_ms);
        self.recording && self.members[index].is_cut_off(machine_ms)
    }

    fn ledger_advanced(&mut self) {
        if let Some(durable) = &self.durable
            && let Durable::Up(position) = &*durable.borrow()
        {
            self.durable_position = *position;
        }
        for index in std::mem::take(&mut self.waiting_for_ledger) {
            self.make_ready(index);
        }
    }
}

/// Waits for the ledger to reach the disk; for ever where there is none.
async fn changed(durable: &mut Option<watch::Receiver<Durable>>) {
    match durable {
        Some(receiver) => {
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// The next records handed in; none when the feeder is gone; waits for ever where there is no feed.
async fn next_fed(feed: &mut Option<mpsc::Receiver<Fed>>) -> Vec<Fed> {
    let mut fed = Vec::new();
    match feed {
        Some(receiver) => {
            receiver.recv_many(&mut fed, RECORDS_A_TURN).await;
        }
        None => std::future::pending().await,
    }
    fed
}
