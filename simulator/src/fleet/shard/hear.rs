//! Listening: what the connection and the service say.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use wire::{Stored, Topic, TopicKind};

use super::Shard;
use super::member::Source;
use crate::device::Moment;
use crate::fleet::link::{LinkEvent, Message};
use crate::onboard::Reply;

impl Shard {
    pub(super) fn take(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up(uplink) => {
                self.uplink = Some(uplink);
                self.greet_all();
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
            LinkEvent::Message(message) => self.hear(&message),
        }
    }

    fn hear(&mut self, message: &Message) {
        let counters = Arc::clone(&self.setup.counters);
        let known = std::str::from_utf8(&message.topic).ok().and_then(|text| Topic::parse(text).ok());
        let Some((index, kind)) = known.and_then(|t| Some((*self.by_serial.get(&t.machine)?, t.kind))) else {
            counters.unreadable_messages.fetch_add(1, Relaxed);
            return;
        };
        let now_ms = self.setup.clock.now_ms();
        if self.is_cut_off(index, now_ms) {
            return;
        }
        match kind {
            TopicKind::Stored => self.free(index, &message.payload, now_ms),
            TopicKind::Request => {
                counters.requests_received.fetch_add(1, Relaxed);
                self.ask(index, message, Moment { machine_ms: self.machine_ms(index, now_ms), wall_ms: now_ms });
            }
            _ => {
                counters.unreadable_messages.fetch_add(1, Relaxed);
            }
        }
    }

    fn free(&mut self, index: usize, payload: &[u8], now_ms: i64) {
        let counters = Arc::clone(&self.setup.counters);
        let Ok(stored) = Stored::decode(payload) else {
            counters.unreadable_messages.fetch_add(1, Relaxed);
            return;
        };
        let device = &mut self.members[index].device;
        if let Some(ledger) = &self.setup.ledger {
            ledger.append_stored(device.serial(), &stored);
        }
        let freed =
            device.on_stored(&stored, now_ms, |waited_ms| counters.latency.add(waited_ms.max(0).unsigned_abs()));
        self.pending -= freed as usize;
        counters.records_stored.fetch_add(freed, Relaxed);
        counters.settled.notify_waiters();
        self.attend(index);
    }

    fn ask(&mut self, index: usize, message: &Message, now: Moment) {
        let member = &mut self.members[index];
        // A unit without a machine cannot capture, and ignores requests.
        let Source::Machine(onboard) = &mut member.source else { return };
        let topic = Topic::of_answer(member.device.serial(), message.response_topic.as_deref());
        let reply = Reply { topic, correlation: message.correlation.clone() };
        if let Some(answer) = onboard.ask(&message.payload, reply.clone(), &member.device, now) {
            self.answer(reply, &answer);
        }
        self.attend(index);
    }
}
