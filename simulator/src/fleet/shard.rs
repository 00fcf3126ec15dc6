//! A shard: some machines, their units, and the connection they share. One task; nothing in it is shared or locked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};
use wire::{Kind, Link, MachineSerial, Status, Stored, Topic, TopicKind};

use super::clock::{Clock, Pacer};
use super::config::Pace;
use super::counters::Counters;
use super::link::{LinkEvent, Uplink};
use super::stop::{Phase, Stop};
use crate::device::{Device, Impairer, OutFrame};
use crate::ledger::{Durable, Ledger};
use crate::machine::Machine;
use wire::Record;

/// Records that a machine makes before others have their turn.
const RECORDS_A_TURN: usize = 64;
/// Filters in one subscription packet.
const FILTERS_A_PACKET: usize = 64;
/// How often a unit without network looks again.
const OUTAGE_LOOK_MS: i64 = 200;
/// How long the last words may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
/// Firmware that the units claim to run.
const FIRMWARE: &str = concat!("simulator-", env!("CARGO_PKG_VERSION"));

/// A machine with its unit.
pub(super) struct Member {
    pub(super) device: Device,
    /// None where records are handed in from outside.
    pub(super) machine: Option<Box<Machine>>,
    pub(super) impairer: Option<Impairer>,
    pub(super) model: Option<String>,
    /// Records of which the source is known to have no more.
    pub(super) exhausted: bool,
    /// Earliest entry in the heap; `i64::MAX` for none.
    wake_ms: i64,
    is_ready: bool,
    /// Of the unit's drops, how many are already counted.
    dropped_counted: u64,
}

/// What a unit is handed from outside.
pub(super) enum Fed {
    Record(Box<Record>),
    /// Do not wait for company.
    Seal,
    /// The unit restarts.
    Reboot(wire::BootId),
}

/// What a shard needs besides its members.
pub(super) struct ShardSetup {
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    pub(super) pacer: Pacer,
    pub(super) counters: Arc<Counters>,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) stop: Stop,
    /// Wall clock at which recording stops.
    pub(super) record_until_ms: i64,
    /// Simulated clock at which recording stops.
    pub(super) simulate_until_ms: i64,
    pub(super) drain_timeout: Duration,
    pub(super) feed: Option<mpsc::Receiver<Fed>>,
    pub(super) events: mpsc::Receiver<LinkEvent>,
    pub(super) space: Arc<Notify>,
}

/// What goes out besides frames, when a connection has come to stand.
enum Greeting {
    Subscribe(Vec<String>),
    Status(MachineSerial, Status),
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
    pending: usize,
    recording: bool,
    drain_deadline_ms: i64,
}

impl Member {
    pub(super) fn new(
        device: Device,
        machine: Option<Box<Machine>>,
        impairer: Option<Impairer>,
        model: Option<String>,
    ) -> Self {
        Self {
            device,
            machine,
            impairer,
            model,
            exhausted: false,
            wake_ms: i64::MAX,
            is_ready: false,
            dropped_counted: 0,
        }
    }
}

impl Shard {
    pub(super) fn new(members: Vec<Member>, setup: ShardSetup) -> Self {
        let by_serial =
            members.iter().enumerate().map(|(index, member)| (member.device.serial().clone(), index)).collect();
        let durable = setup.ledger.as_ref().map(|ledger| ledger.durable());
        Self {
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
            pending: 0,
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
            self.recording = false;
            self.drain_deadline_ms =
                now_ms.saturating_add(i64::try_from(self.setup.drain_timeout.as_millis()).unwrap_or(i64::MAX));
            for index in 0..self.members.len() {
                self.members[index].device.seal();
                self.attend(index);
            }
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

    /// Records what is due, finishes runs, writes them to the ledger, and puts the member in line for sending.
    fn attend(&mut self, index: usize) {
        let now_ms = self.setup.clock.now_ms();
        if self.recording {
            self.record_due(index, now_ms);
        }
        let member = &mut self.members[index];
        member.device.seal_overdue(now_ms);
        let dropped = member.device.dropped() - member.dropped_counted;
        if dropped > 0 {
            member.dropped_counted += dropped;
            self.pending -= dropped as usize;
            self.setup.counters.dropped_by_full_buffer.fetch_add(dropped, Relaxed);
            self.setup.counters.settled.notify_waiters();
        }
        if let Some(ledger) = &self.setup.ledger {
            member.device.log_with(|packed| ledger.append_run(packed));
        }
        let seal_ms = member.device.next_seal_ms();
        self.wake_at(index, seal_ms);
        self.make_ready(index);
    }

    fn record_due(&mut self, index: usize, now_ms: i64) {
        let Self { members, setup, pending, .. } = self;
        let member = &mut members[index];
        let Some(machine) = &mut member.machine else { return };
        let mut records = Vec::new();
        let mut truth = Vec::new();
        let mut made = 0;
        let wake_ms = loop {
            if machine.next_at_ms() > setup.simulate_until_ms {
                member.exhausted = true;
                break i64::MAX;
            }
            let due_ms = setup.pacer.wall_ms(machine.next_at_ms());
            // Out of pace: enough is unconfirmed, `stored` makes room.
            if setup.pace == Pace::AsFastAsPossible && member.device.pending() + made >= member.device.window() {
                break i64::MAX;
            }
            if due_ms > now_ms || made >= RECORDS_A_TURN {
                break due_ms;
            }
            let before = records.len();
            machine.advance(&mut records, &mut truth);
            made += (records.len() - before).max(1);
        };
        *pending += records.len();
        for record in records {
            setup.counters.recorded(&record);
            member.device.record(record, now_ms);
        }
        self.wake_at(index, wake_ms);
    }

    fn feed(&mut self, fed: Vec<Fed>) {
        if fed.is_empty() {
            self.setup.feed = None;
            self.members[0].exhausted = true;
            return;
        }
        let now_ms = self.setup.clock.now_ms();
        for item in fed {
            let device = &mut self.members[0].device;
            match item {
                Fed::Record(record) => {
                    self.pending += 1;
                    self.setup.counters.recorded(&record);
                    device.record(*record, now_ms);
                }
                Fed::Seal => device.seal(),
                Fed::Reboot(boot) => device.reboot(boot),
            }
        }
        self.attend(0);
    }

    fn make_ready(&mut self, index: usize) {
        if !self.members[index].is_ready {
            self.members[index].is_ready = true;
            self.ready.push_back(index);
        }
    }

    /// Sends while the connection takes it; true when it takes more and there is more.
    fn send(&mut self, now_ms: i64) -> bool {
        while let Some(uplink) = &self.uplink {
            if !uplink.has_room() {
                return false;
            }
            if let Some(greeting) = self.greetings.pop_front() {
                send_greeting(uplink, greeting);
            } else if let Some((index, frame)) = self.outbox.pop_front() {
                let counters = &self.setup.counters;
                counters.frames_sent.fetch_add(1, Relaxed);
                counters.bytes_sent.fetch_add(frame.bytes.len() as u64, Relaxed);
                if frame.resent {
                    counters.records_resent.fetch_add(u64::from(frame.records), Relaxed);
                }
                let kind = match frame.kind {
                    Kind::Telemetry => TopicKind::Telemetry,
                    Kind::Faults => TopicKind::Faults,
                    Kind::Task => TopicKind::Task,
                };
                let topic = Topic::new(self.members[index].device.serial(), kind).to_string();
                // A frame that the dying connection does not take is sent again like one lost on the way.
                uplink.publish(topic, frame.bytes, false);
            } else if let Some(index) = self.ready.pop_front() {
                self.send_next_of(index, now_ms);
            } else {
                return false;
            }
        }
        false
    }

    /// Puts the next run of a member into the outbox, or finds out when it has one.
    fn send_next_of(&mut self, index: usize, now_ms: i64) {
        let simulated_ms = self.simulated_ms(index, now_ms);
        let member = &mut self.members[index];
        member.is_ready = false;
        if member.impairer.as_mut().is_some_and(|impairer| impairer.is_out(simulated_ms)) {
            self.wake_at(index, now_ms + OUTAGE_LOOK_MS);
            return;
        }
        match member.device.poll(now_ms, self.durable_position) {
            Some(frames) => {
                for frame in frames {
                    match &mut member.impairer {
                        Some(impairer) => self.outbox.extend(impairer.pass(frame).into_iter().map(|f| (index, f))),
                        None => self.outbox.push_back((index, frame)),
                    }
                }
                self.make_ready(index);
            }
            None => {
                if member.device.waits_for_ledger(self.durable_position) {
                    self.waiting_for_ledger.push(index);
                }
                let resend_ms = member.device.next_resend_ms();
                self.wake_at(index, resend_ms);
            }
        }
    }

    /// The simulated clock of a member, which decides about its outages.
    fn simulated_ms(&self, index: usize, now_ms: i64) -> i64 {
        let own = || self.members[index].machine.as_ref().map_or(now_ms, |machine| machine.next_at_ms());
        self.setup.pacer.simulated_ms(now_ms).unwrap_or_else(own)
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

    fn take(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up(uplink) => {
                self.uplink = Some(uplink);
                self.greet();
                let now_ms = self.setup.clock.now_ms();
                for index in 0..self.members.len() {
                    self.members[index].device.link_up(now_ms);
                    self.make_ready(index);
                }
            }
            LinkEvent::Down => {
                self.uplink = None;
                self.greetings.clear();
                self.outbox.clear();
            }
            LinkEvent::Message { topic, payload } => self.hear(&topic, &payload),
        }
    }

    fn greet(&mut self) {
        self.greetings.clear();
        let topics = self.members.iter().flat_map(|member| {
            [TopicKind::Stored, TopicKind::Request].map(|kind| Topic::new(member.device.serial(), kind).to_string())
        });
        let topics: Vec<_> = topics.collect();
        self.greetings.extend(topics.chunks(FILTERS_A_PACKET).map(|filters| Greeting::Subscribe(filters.to_vec())));
        self.greetings.extend(self.members.iter().map(|member| status_of(member, Link::Online)));
    }

    fn hear(&mut self, topic: &Bytes, payload: &Bytes) {
        let counters = Arc::clone(&self.setup.counters);
        let known = std::str::from_utf8(topic).ok().and_then(|text| Topic::parse(text).ok());
        let Some((index, kind)) = known.and_then(|t| Some((*self.by_serial.get(&t.machine)?, t.kind))) else {
            counters.unreadable_messages.fetch_add(1, Relaxed);
            return;
        };
        let now_ms = self.setup.clock.now_ms();
        let simulated_ms = self.simulated_ms(index, now_ms);
        let member = &mut self.members[index];
        if member.impairer.as_mut().is_some_and(|impairer| impairer.is_out(simulated_ms)) {
            return;
        }
        match kind {
            TopicKind::Stored => {
                let Ok(stored) = Stored::decode(payload) else {
                    counters.unreadable_messages.fetch_add(1, Relaxed);
                    return;
                };
                if let Some(ledger) = &self.setup.ledger {
                    ledger.append_stored(member.device.serial(), &stored);
                }
                let freed = member
                    .device
                    .on_stored(&stored, now_ms, |waited_ms| counters.latency.add(waited_ms.max(0).unsigned_abs()));
                self.pending -= freed as usize;
                counters.records_stored.fetch_add(freed, Relaxed);
                counters.settled.notify_waiters();
                self.attend(index);
            }
            TopicKind::Request => {
                counters.requests_received.fetch_add(1, Relaxed);
            }
            _ => {
                counters.unreadable_messages.fetch_add(1, Relaxed);
            }
        }
    }

    /// A machine that is switched off says so; only one that is lost is spoken for by its will.
    async fn say_goodbye(mut self) {
        let deadline = tokio::time::Instant::now() + CLOSE_WITHIN;
        let mut farewells: VecDeque<_> = self.members.iter().map(|member| status_of(member, Link::Offline)).collect();
        while let Some(uplink) = &self.uplink {
            while uplink.has_room()
                && let Some(farewell) = farewells.pop_front()
            {
                send_greeting(uplink, farewell);
            }
            if farewells.is_empty() {
                break;
            }
            tokio::select! {
                () = self.setup.space.notified() => {}
                event = self.setup.events.recv() => match event {
                    Some(LinkEvent::Message { .. }) => {}
                    _ => return,
                },
                () = tokio::time::sleep_until(deadline) => return,
            }
        }
        if let Some(uplink) = self.uplink.take() {
            uplink.close(CLOSE_WITHIN).await;
        }
        // The connection's task ends once the farewells are written; until then it must find somebody to talk to.
        let _ = tokio::time::timeout_at(deadline, async { while self.setup.events.recv().await.is_some() {} }).await;
    }
}

pub(super) fn status_of_unit(device: &Device, model: Option<&str>, link: Link) -> Status {
    Status { link, boot: Some(device.boot()), model: model.map(str::to_string), firmware: Some(FIRMWARE.into()) }
}

fn status_of(member: &Member, link: Link) -> Greeting {
    Greeting::Status(member.device.serial().clone(), status_of_unit(&member.device, member.model.as_deref(), link))
}

fn send_greeting(uplink: &Uplink, greeting: Greeting) {
    // What a dying connection does not take is said again on the next one.
    match greeting {
        Greeting::Subscribe(filters) => uplink.subscribe(&filters),
        Greeting::Status(serial, status) => {
            uplink.publish(Topic::new(&serial, TopicKind::Status).to_string(), status.encode().into(), true)
        }
    };
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
