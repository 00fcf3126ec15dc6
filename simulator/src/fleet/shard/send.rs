//! Sending: greetings first, then frames, member after member.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use wire::{Answer, Link, TopicKind};

use super::{CLOSE_WITHIN, Shard};
use crate::fleet::link::{LinkEvent, Uplink};
use crate::onboard::Reply;

/// Filters in one subscription packet.
const FILTERS_A_PACKET: usize = 64;
/// How often a unit without network looks again.
const OUTAGE_LOOK_MS: i64 = 200;

/// What goes out besides frames, and before them.
pub(super) enum Greeting {
    Subscribe(Vec<String>),
    Status { topic: String, payload: Bytes },
    Answer { reply: Reply, payload: Bytes },
}

impl Shard {
    /// Sends while the connection takes it; true when it takes more and there is more.
    pub(super) fn send(&mut self, now_ms: i64) -> bool {
        while let Some(uplink) = &self.uplink {
            if !uplink.has_room() {
                return false;
            }
            if let Some(greeting) = self.greetings.pop_front() {
                greet(uplink, greeting);
            } else if let Some((index, frame)) = self.outbox.pop_front() {
                let counters = &self.setup.counters;
                counters.frames_sent.fetch_add(1, Relaxed);
                counters.bytes_sent.fetch_add(frame.bytes.len() as u64, Relaxed);
                if frame.resent {
                    counters.records_resent.fetch_add(u64::from(frame.records), Relaxed);
                }
                let topic = self.members[index].topic_of(&frame);
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

    pub(super) fn make_ready(&mut self, index: usize) {
        if !self.members[index].is_ready {
            self.members[index].is_ready = true;
            self.ready.push_back(index);
        }
    }

    /// What is said when a connection has come to stand.
    pub(super) fn greet_all(&mut self) {
        self.greetings.clear();
        let kinds = [TopicKind::Stored, TopicKind::Request];
        let topics: Vec<_> = self.members.iter().flat_map(|member| kinds.map(|kind| member.topic(kind))).collect();
        self.greetings.extend(topics.chunks(FILTERS_A_PACKET).map(|filters| Greeting::Subscribe(filters.to_vec())));
        for index in 0..self.members.len() {
            let link = if self.members[index].cut_off { Link::Offline } else { Link::Online };
            self.say_status(index, link);
        }
    }

    pub(super) fn say_status(&mut self, index: usize, link: Link) {
        // Without a connection the next greeting says it.
        if self.uplink.is_some() {
            self.greetings.push_back(status_of(self, index, link));
        }
    }

    pub(super) fn answer(&mut self, reply: Reply, answer: &Answer) {
        // An answer that finds no connection is not kept: the records of the capture are.
        if self.uplink.is_some() {
            self.setup.counters.answers_sent.fetch_add(1, Relaxed);
            self.greetings.push_back(Greeting::Answer { reply, payload: answer.encode().into() });
        }
    }

    /// A machine that is switched off says so; only one that is lost is spoken for by its will.
    pub(super) async fn say_goodbye(mut self) {
        let deadline = tokio::time::Instant::now() + CLOSE_WITHIN;
        let mut farewells: VecDeque<_> =
            (0..self.members.len()).map(|index| status_of(&self, index, Link::Offline)).collect();
        self.members.iter_mut().for_each(|member| member.device.close());
        while let Some(uplink) = &self.uplink {
            while uplink.has_room()
                && let Some(farewell) = farewells.pop_front()
            {
                greet(uplink, farewell);
            }
            if farewells.is_empty() {
                break;
            }
            tokio::select! {
                () = self.setup.space.notified() => {}
                event = self.setup.events.recv() => match event {
                    Some(LinkEvent::Message(_)) => {}
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

    /// Puts the next run of a member into the outbox, or finds out when it has one.
    fn send_next_of(&mut self, index: usize, now_ms: i64) {
        self.members[index].is_ready = false;
        if self.is_cut_off(index, now_ms) {
            self.wake_at(index, now_ms + OUTAGE_LOOK_MS);
            return;
        }
        let member = &mut self.members[index];
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
}

fn status_of(shard: &Shard, index: usize, link: Link) -> Greeting {
    let member = &shard.members[index];
    Greeting::Status { topic: member.topic(TopicKind::Status), payload: member.status(link).encode().into() }
}

fn greet(uplink: &Uplink, greeting: Greeting) {
    // What a dying connection does not take is said again on the next one, answers excepted.
    match greeting {
        Greeting::Subscribe(filters) => uplink.subscribe(&filters),
        Greeting::Status { topic, payload } => uplink.publish(topic, payload, true),
        Greeting::Answer { reply, payload } => uplink.answer(reply.topic, payload, reply.correlation),
    };
}
