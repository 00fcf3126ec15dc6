//! Diagnostic captures: some signals at a higher rate for a while, at the wish of the service. Pure.

use std::collections::VecDeque;

use bytes::Bytes;
use wire::{Answer, BootId, Captured, Refusal, Request, Sample, SignalId};

/// Captures at a time; more would starve the usual samples of the link.
const MAX_RUNNING: usize = 2;
/// Finished captures that a repeated request is still answered from.
const MAX_REMEMBERED: usize = 8;
/// Wall-clock time between two words on progress, at least.
const PROGRESS_EVERY_MS: i64 = 5_000;

/// Whom to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) topic: String,
    pub(crate) correlation: Option<Bytes>,
}

/// The captures of one unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captures {
    running: Vec<Capture>,
    finished: VecDeque<(String, Captured)>,
}

#[derive(Debug, Clone)]
struct Capture {
    request: String,
    signals: Vec<SignalId>,
    reply: Reply,
    captured: Captured,
    samples_expected: u32,
    /// Machine time of the first sample, and of sample `due` behind it.
    began_ms: i64,
    due: u32,
    rate_hz: f64,
    progress_ms: i64,
}

/// What the unit is at when a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) machine_ms: i64,
    pub(crate) wall_ms: i64,
    pub(crate) boot: BootId,
    pub(crate) next_sequence: u64,
}

impl Captures {
    /// Takes a request; gives the answer, if its sender can be told anything. `reports` says whether the machine shows
    /// a signal now.
    pub(crate) fn ask(
        &mut self,
        message: &[u8],
        reply: Reply,
        now: Now,
        reports: impl Fn(SignalId) -> bool,
    ) -> Option<Answer> {
        let request = match Request::decode(message) {
            Ok(request) => request,
            Err(error) => {
                let refused = |request| refusal(request, Refusal::Malformed, error.to_string());
                return Request::identity(message).map(refused);
            }
        };
        if let Some(standing) = self.standing(&request.request) {
            return Some(standing);
        }
        if self.running.len() >= MAX_RUNNING {
            let detail = format!("{MAX_RUNNING} captures are running; ask again when one is done");
            return Some(refusal(request.request, Refusal::Busy, detail));
        }
        let (signals, missing): (Vec<_>, Vec<_>) =
            request.signals.iter().cloned().partition(|name| SignalId::by_name(name).is_some_and(&reports));
        if signals.is_empty() {
            let detail = format!("the machine shows none of {} now; ask while it runs", missing.join(", "));
            return Some(refusal(request.request, Refusal::NoSignal, shortened(detail)));
        }
        let (first_sequence, samples_expected) = (now.next_sequence, request.samples());
        self.running.push(Capture {
            request: request.request.clone(),
            signals: signals.into_iter().filter_map(|name| SignalId::by_name(&name)).collect(),
            reply,
            captured: Captured { boot: now.boot, first_sequence, end_sequence: first_sequence, samples: 0 },
            samples_expected,
            began_ms: now.machine_ms,
            due: 0,
            rate_hz: f64::from(request.rate_hz),
            progress_ms: now.wall_ms,
        });
        Some(Answer::Accepted { request: request.request, samples_expected, missing })
    }

    /// Machine time of the next sample; `i64::MAX` when nothing is running.
    pub(crate) fn next_at_ms(&self) -> i64 {
        self.running.iter().map(Capture::next_at_ms).min().unwrap_or(i64::MAX)
    }

    /// Takes the samples that are due at `at_ms`. `read` gives what a sensor shows; `record` records and gives the
    /// number of the record.
    pub(crate) fn take(
        &mut self,
        at_ms: i64,
        read: impl Fn(SignalId) -> Option<f64>,
        mut record: impl FnMut(Sample) -> u64,
    ) {
        for capture in self.running.iter_mut().filter(|capture| capture.next_at_ms() <= at_ms) {
            capture.due += 1;
            let mut sample = Sample::at(at_ms);
            for signal in &capture.signals {
                if let Some(physical) = read(*signal) {
                    sample.set(*signal, physical);
                }
            }
            // A machine that was switched off shows nothing.
            if !sample.values.is_empty() {
                capture.captured.end_sequence = record(sample) + 1;
                capture.captured.samples += 1;
            }
        }
    }

    /// What is to be said of captures that are done, and of those that have gone on for a while.
    pub(crate) fn news(&mut self, wall_ms: i64) -> Vec<(Reply, Answer)> {
        let mut news = Vec::new();
        self.running.retain_mut(|capture| {
            let (request, captured) = (capture.request.clone(), capture.captured);
            let is_done = capture.due >= capture.samples_expected;
            if is_done {
                self.finished.push_back((request.clone(), captured));
                self.finished.drain(..self.finished.len().saturating_sub(MAX_REMEMBERED));
                news.push((capture.reply.clone(), Answer::Done { request, captured }));
            } else if wall_ms - capture.progress_ms >= PROGRESS_EVERY_MS {
                capture.progress_ms = wall_ms;
                news.push((capture.reply.clone(), Answer::Progress { request, captured }));
            }
            !is_done
        });
        news
    }

    /// The unit restarts: captures end with their boot.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Where a capture stands that was asked for before.
    fn standing(&self, identity: &str) -> Option<Answer> {
        let running = self.running.iter().find(|capture| capture.request == identity);
        let finished = self.finished.iter().find(|(request, _)| request == identity);
        match (running, finished) {
            (Some(running), _) => Some(Answer::Progress { request: identity.into(), captured: running.captured }),
            (None, Some((_, captured))) => Some(Answer::Done { request: identity.into(), captured: *captured }),
            (None, None) => None,
        }
    }
}

impl Capture {
    fn next_at_ms(&self) -> i64 {
        if self.due >= self.samples_expected {
            return i64::MAX;
        }
        self.began_ms + (f64::from(self.due) * 1_000.0 / self.rate_hz).round() as i64
    }
}

fn refusal(request: String, reason: Refusal, detail: String) -> Answer {
    Answer::Refused { request, reason, detail: shortened(detail) }
}

/// A text within the bounds of the wire.
fn shortened(mut detail: String) -> String {
    const MOST: usize = 400;
    if detail.len() > MOST {
        let end = (0..=MOST).rev().find(|end| detail.is_char_boundary(*end)).unwrap_or(0);
        detail.truncate(end);
        detail.push('…');
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use wire::catalogue as signal;

    fn reply() -> Reply {
        Reply { topic: "polevod/v1/M-1/answer".into(), correlation: None }
    }

    fn now(machine_ms: i64) -> Now {
        let boot = BootId::new(7).expect("small");
        Now { machine_ms, wall_ms: machine_ms, boot, next_sequence: 100 }
    }

    fn request(identity: &str, signals: &[&str], rate_hz: f32, duration_s: u32) -> Vec<u8> {
        let signals = signals.iter().map(|name| (*name).to_string()).collect();
        Request { request: identity.into(), signals, rate_hz, duration_s }.encode()
    }

    fn check(captures: &mut Captures, message: &[u8], expected: Expect) {
        let answer = captures.ask(message, reply(), now(1_000), |id| id == signal::ENGINE_SPEED_RPM);
        expected.assert_eq(&answer.map_or("nothing".into(), |a| String::from_utf8_lossy(&a.encode()).into_owned()));
    }

    #[test]
    fn a_request_is_accepted_or_refused_with_the_mend() {
        let mut captures = Captures::default();
        let captures = &mut captures;
        check(captures, b"?", expect!["nothing"]);
        check(
            captures,
            &request("R1", &["hdop"], 99.0, 1),
            expect![[
                r#"{"state":"refused","request":"R1","reason":"malformed","detail":"message is malformed: rate_hz = 99, duration_s = 1; 0 < rate_hz <= 10 and 1..=600 s are possible"}"#
            ]],
        );
        check(
            captures,
            &request("R2", &["hdop"], 1.0, 1),
            expect![[
                r#"{"state":"refused","request":"R2","reason":"no_signal","detail":"the machine shows none of hdop now; ask while it runs"}"#
            ]],
        );
        check(
            captures,
            &request("R3", &["hdop", "engine_speed_rpm"], 2.0, 10),
            expect![[r#"{"state":"accepted","request":"R3","samples_expected":20,"missing":["hdop"]}"#]],
        );
        check(
            captures,
            &request("R4", &["engine_speed_rpm"], 1.0, 1),
            expect![[r#"{"state":"accepted","request":"R4","samples_expected":1}"#]],
        );
        check(
            captures,
            &request("R5", &["engine_speed_rpm"], 1.0, 1),
            expect![[
                r#"{"state":"refused","request":"R5","reason":"busy","detail":"2 captures are running; ask again when one is done"}"#
            ]],
        );
        check(
            captures,
            &request("R3", &["hdop", "engine_speed_rpm"], 2.0, 10),
            expect![[
                r#"{"state":"progress","request":"R3","captured":{"boot":7,"first_sequence":100,"end_sequence":100,"samples":0}}"#
            ]],
        );
    }

    #[test]
    fn a_capture_takes_its_samples_at_its_rate_and_says_where_they_are() {
        let mut captures = Captures::default();
        let message = request("R1", &["engine_speed_rpm"], 4.0, 3);
        captures.ask(&message, reply(), now(1_000), |_| true).expect("an answer");
        let (mut times, mut sequence, mut said) = (Vec::new(), 100, Vec::new());
        while captures.next_at_ms() < i64::MAX {
            let at_ms = captures.next_at_ms();
            captures.take(
                at_ms,
                |_| Some(1_900.0),
                |sample| {
                    times.push(sample.recorded_at_ms);
                    // A usual sample comes between any two.
                    sequence += 2;
                    sequence
                },
            );
            // The machine's time passes ten times as fast as the wall clock's.
            said.extend(captures.news(1_000 + (at_ms - 1_000) / 10 + 4_900));
        }
        assert_eq!(times, (0..12).map(|n| 1_000 + n * 250).collect::<Vec<_>>());
        let said: Vec<_> = said.iter().map(|(_, answer)| answer.clone()).collect();
        let captured =
            |end_sequence, samples| Captured { boot: now(0).boot, first_sequence: 100, end_sequence, samples };
        assert_eq!(
            said,
            [
                Answer::Progress { request: "R1".into(), captured: captured(111, 5) },
                Answer::Done { request: "R1".into(), captured: captured(125, 12) },
            ]
        );
        assert_eq!(captures.ask(&message, reply(), now(9_000), |_| true), said.last().cloned(), "it is not done twice");
        captures.forget();
        let again = captures.ask(&message, reply(), now(9_000), |_| true);
        assert!(matches!(again, Some(Answer::Accepted { .. })), "a restart forgets: {again:?}");
    }

    #[test]
    fn a_machine_that_is_switched_off_ends_its_capture_with_fewer_samples() {
        let mut captures = Captures::default();
        captures.ask(&request("R1", &["hdop"], 1.0, 10), reply(), now(0), |_| true).expect("an answer");
        while captures.next_at_ms() < i64::MAX {
            let at_ms = captures.next_at_ms();
            captures.take(at_ms, |_| (at_ms < 4_000).then_some(1.0), |_| 100);
        }
        let news = captures.news(0);
        assert!(matches!(&news[..], [(_, Answer::Done { captured, .. })] if captured.samples == 4), "{news:?}");
    }
}
