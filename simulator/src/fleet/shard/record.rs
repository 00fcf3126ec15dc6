//! Recording: machines go on, runs are finished, truth and ledger are written.

use std::sync::atomic::Ordering::Relaxed;

use wire::Link;

use super::member::{Fed, Source};
use super::{RECORDS_A_TURN, Shard};
use crate::device::Moment;
use crate::fleet::config::Pace;

impl Shard {
    /// Records what is due, finishes runs, writes them to the ledger, and puts the member in line for sending.
    pub(super) fn attend(&mut self, index: usize) {
        let now_ms = self.setup.clock.now_ms();
        if self.recording {
            self.record_due(index, now_ms);
        }
        if let Some(machine_ms) = self.setup.pacer.simulated_ms(now_ms) {
            let Self { members, setup, .. } = self;
            let member = &mut members[index];
            // A machine that is behind may still make a record that belongs into this run.
            let before_next_ms = member.next_at_ms().map_or(i64::MAX, |next_ms| next_ms - 1);
            member.device.seal_overdue(machine_ms.min(before_next_ms));
            let seal_ms = setup.pacer.wall_ms(member.device.next_seal_ms());
            self.wake_at(index, seal_ms);
        }
        self.count_losses(index);
        if let Some(ledger) = &self.setup.ledger {
            self.members[index].device.log_with(|packed| ledger.append_run(packed));
        }
        self.look_at_network(index, now_ms);
        self.make_ready(index);
    }

    /// Ends recording: what machines and units still hold back comes out.
    pub(super) fn stop_recording(&mut self, now_ms: i64) {
        self.recording = false;
        let drain_ms = i64::try_from(self.setup.drain_timeout.as_millis()).unwrap_or(i64::MAX);
        self.drain_deadline_ms = now_ms.saturating_add(drain_ms);
        for index in 0..self.members.len() {
            let Self { members, setup, pending, truth, .. } = self;
            let member = &mut members[index];
            if let Source::Machine(onboard) = &mut member.source {
                // As fast as possible there is no relation to the wall clock: every machine ends where it is.
                let reached_ms = setup.pacer.simulated_ms(now_ms).unwrap_or(i64::MIN);
                let end_ms = if member.exhausted { setup.simulate_until_ms } else { reached_ms };
                let step = onboard.close(end_ms.min(setup.simulate_until_ms), now_ms, &mut member.device, truth);
                *pending += step.records() as usize;
                setup.counters.stepped(&step);
                setup.counters.told(truth);
                if let Some(files) = &setup.truth {
                    files.add(member.device.serial(), truth);
                }
                truth.clear();
            }
            member.device.seal();
            self.attend(index);
        }
    }

    /// Takes what was handed in from outside; nothing means that no more comes.
    pub(super) fn feed(&mut self, fed: Vec<Fed>) {
        if fed.is_empty() {
            self.setup.feed = None;
            self.members[0].exhausted = true;
            return;
        }
        let wall_ms = self.setup.clock.now_ms();
        let now = Moment { machine_ms: wall_ms, wall_ms };
        for item in fed {
            let device = &mut self.members[0].device;
            match item {
                Fed::Record(record) => {
                    self.pending += 1;
                    self.setup.counters.recorded(&record);
                    device.record(*record, now);
                }
                Fed::Seal => device.seal(),
                Fed::Reboot(boot) => device.reboot(boot),
            }
        }
        self.attend(0);
    }

    fn record_due(&mut self, index: usize, now_ms: i64) {
        let Self { members, setup, pending, truth, .. } = self;
        let member = &mut members[index];
        let Source::Machine(onboard) = &mut member.source else { return };
        let (mut made, mut restarted) = (0, false);
        let wake_ms = loop {
            let at_ms = onboard.next_at_ms();
            if at_ms > setup.simulate_until_ms {
                member.exhausted = true;
                break i64::MAX;
            }
            // Out of pace: enough is unconfirmed, `stored` makes room. In a hole the machine goes on.
            let is_full = member.device.pending() >= member.device.window();
            if setup.pace == Pace::AsFastAsPossible && is_full && !onboard.is_cut_off(at_ms) {
                break i64::MAX;
            }
            let due_ms = setup.pacer.wall_ms(at_ms);
            if due_ms > now_ms || made >= RECORDS_A_TURN {
                break due_ms;
            }
            if setup.pace != Pace::AsFastAsPossible {
                setup.counters.lateness.add((now_ms - due_ms).unsigned_abs());
            }
            let step = onboard.advance(&mut member.device, now_ms, truth);
            made += (step.records() as usize).max(1);
            *pending += step.records() as usize;
            *pending -= step.lost as usize;
            restarted |= step.restarted;
            setup.counters.stepped(&step);
        };
        setup.counters.told(truth);
        if let Some(files) = &setup.truth
            && !truth.is_empty()
        {
            files.add(member.device.serial(), truth);
        }
        truth.clear();
        let news = onboard.capture_news(now_ms);
        self.wake_at(index, wake_ms);
        for (reply, answer) in news {
            self.answer(reply, &answer);
        }
        if restarted {
            self.say_status(index, Link::Online);
        }
    }

    fn count_losses(&mut self, index: usize) {
        let member = &mut self.members[index];
        let dropped = member.device.dropped() - member.dropped_counted;
        let errors = member.device.storage_errors() - member.errors_counted;
        let counters = &self.setup.counters;
        if dropped > 0 {
            member.dropped_counted += dropped;
            self.pending -= dropped as usize;
            counters.dropped_by_full_buffer.fetch_add(dropped, Relaxed);
            counters.settled.notify_waiters();
        }
        if errors > 0 {
            member.errors_counted += errors;
            if counters.storage_errors.fetch_add(errors, Relaxed) == 0 {
                let serial = member.device.serial();
                tracing::warn!(machine.id = %serial, "the disk refuses what {serial} wants to keep; it stays in memory");
            }
        }
    }

    /// Finds out whether the member has lost or found the network, and lets it show.
    fn look_at_network(&mut self, index: usize, now_ms: i64) {
        let cut_off = self.is_cut_off(index, now_ms);
        let member = &mut self.members[index];
        if cut_off == member.cut_off {
            return;
        }
        member.cut_off = cut_off;
        let counters = &self.setup.counters;
        if cut_off {
            counters.cut_off.fetch_add(1, Relaxed);
        } else {
            counters.cut_off.fetch_sub(1, Relaxed);
            member.device.link_up(now_ms);
        }
        match &self.setup.network {
            // The connection itself breaks; the broker finds out and publishes the will.
            Some(network) => {
                network.send_replace(!cut_off);
            }
            // A shared connection stands, and has one will at most: it speaks for those that are gone. A backfill
            // has long gone through all of this.
            None if self.setup.pace != Pace::AsFastAsPossible => {
                self.say_status(index, if cut_off { Link::Offline } else { Link::Online });
            }
            None => {}
        }
    }
}
