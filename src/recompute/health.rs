//! Health, followed from record to record and judged by the clock.
//!
//! ```text
//! working day ─ state before it ▶ fold ▶ episodes ─ reconcile ▶ store ─ join ▶ alerts ─ told ▶ outbox
//!                    └◀ checkpoint at its end, for the next day
//! ```
//!
//! A day is followed from the state that the days before it left. Where records come for a day in the past, that day
//! and all after it are followed again, until the state is the same as before; what has been told stays told.

use std::path::Path;

use jiff::tz::TimeZone;
use tokio_postgres::Transaction;
use tracing::{error, info};

use super::{Day, WorkingDays};
use crate::catalogues;
use crate::config::Config;
use crate::derive::health::rule::Ended;
use crate::derive::health::service::{Usage, due};
use crate::derive::health::worklist::reconcile;
use crate::derive::health::{
    Catalogues, Episode, HealthFold, HealthState, Message, Severity, Subject, Whose, trends, usual,
};
use crate::derive::{FaultEntry, Readings};
use crate::store::health::{self as stored, Channel, HealthMachine, Moment, Progress, Told};
use crate::store::{self, StoreError};
use crate::time::now_ms;

/// A machine is judged by the clock this often.
const JUDGE_EVERY_MS: i64 = 600_000;
/// Machines judged in a round.
const JUDGED_A_ROUND: i64 = 100;
/// Slow changes and service are judged this often, and when a day is over.
const JUDGE_DAYS_EVERY_MS: i64 = 6 * 3_600_000;
/// Days of a machine that trends look back on.
const TREND_DAYS: i64 = 120;
/// Days of a machine that service looks back on: beyond the longest interval of most machines.
const SERVICE_DAYS: i64 = 800;
/// Checkpoints of this many days are kept; of older days one a month.
const CHECKPOINT_DAYS: i32 = 45;
/// Freeze frames looked at in one run over a day, a bound for floods of codes: those of the most severe episodes.
const PINNED_A_RUN: usize = 400;
/// Later than anything: of what is known only what lasts.
const NEVER_MS: i64 = wire::limits::MAX_RECORDED_AT_MS;
/// A machine whose newest record was older than this when it arrived is not on line: a recording, or an import. Its
/// silence means nothing.
const LIVE_WITHIN_MS: i64 = 30 * 86_400_000;

/// Everything that following and judging need.
pub(super) struct Health {
    catalogues: Catalogues,
    zone: TimeZone,
    calendar: WorkingDays,
}

/// A stretch of a machine's records, with the state before it.
struct Stretch<'a> {
    machine: &'a HealthMachine,
    state: HealthState,
    /// Every record before this has been followed by `state`.
    state_at_ms: i64,
    until_ms: i64,
    readings: &'a Readings,
    reports: &'a [FaultEntry],
}

/// Which of the known episodes what was found stands for.
struct Replaced<'a> {
    kinds: &'a [&'a str],
    /// Those that last, or were settled after this.
    settled_after_ms: i64,
    /// Nothing that began before this can be disproved; none: before the first record that is kept.
    provable_from_ms: Option<i64>,
}

impl Health {
    /// Loads the data files. What is wrong in them is logged, and the rest is used: a mistake in a rule must not stop
    /// the fleet.
    pub(super) fn of(config: &Config) -> Self {
        let folder = &config.health.folder;
        let mut errors = Vec::new();
        let catalogues = catalogues::load((!folder.is_empty()).then(|| Path::new(folder)), &mut errors);
        for problem in errors {
            error!("{problem}; `polevod rules check` lists all");
        }
        let zone = config.clock.zone.0.clone();
        Self { catalogues, calendar: WorkingDays::new(zone.clone(), config.derive.day_starts_h), zone }
    }

    /// Follows a working day that new records have come for.
    pub(super) async fn day(&self, transaction: &Transaction<'_>, day: &Day) -> Result<(), StoreError> {
        let machine = stored::health_machine(transaction, day.machine_id).await?;
        let progress = self.progress(transaction, day.machine_id).await?;
        let dirty_ms = progress.dirty_from_ms.map_or(day.period.start, |dirty| dirty.min(day.period.start));
        let checkpoint =
            stored::checkpoint_before(transaction, day.machine_id, dirty_ms, self.rules_for(&machine)).await?;
        let (state, state_at_ms) = checkpoint
            .map_or((HealthState::default(), wire::limits::MIN_RECORDED_AT_MS), |found| (found.state, found.at_ms));
        if state_at_ms < day.period.start
            && let Some(next_ms) = stored::next_record(transaction, day.machine_id, state_at_ms).await?
            && next_ms < day.period.start
        {
            // Records before this day have not been followed: they come first.
            let progress = Progress { dirty_from_ms: Some(next_ms), ..progress };
            return stored::set_progress(transaction, day.machine_id, progress).await;
        }
        let stretch = Stretch {
            machine: &machine,
            state,
            state_at_ms,
            until_ms: day.period.end,
            readings: &day.readings,
            reports: &day.fault_reports,
        };
        self.follow(transaction, stretch, progress).await
    }

    /// Follows at most `days` working days of what has not been followed. Returns how many it were.
    pub(super) async fn rest(
        &self,
        transaction: &Transaction<'_>,
        machine_id: i64,
        days: usize,
    ) -> Result<usize, StoreError> {
        for followed in 0..days {
            let progress = self.progress(transaction, machine_id).await?;
            let Some(dirty_ms) = progress.dirty_from_ms else { return Ok(followed) };
            let machine = stored::health_machine(transaction, machine_id).await?;
            let checkpoint =
                stored::checkpoint_before(transaction, machine_id, dirty_ms, self.rules_for(&machine)).await?;
            let (state, state_at_ms) = checkpoint
                .map_or((HealthState::default(), wire::limits::MIN_RECORDED_AT_MS), |found| (found.state, found.at_ms));
            let next_ms = stored::next_record(transaction, machine_id, state_at_ms).await?;
            let Some(day) = next_ms.and_then(|next_ms| self.calendar.of(next_ms)) else {
                stored::set_progress(transaction, machine_id, Progress { dirty_from_ms: None, ..progress }).await?;
                return Ok(followed);
            };
            let readings = store::readings(transaction, machine_id, day.period.clone()).await?;
            let reports = store::fault_reports(transaction, machine_id, day.period.clone()).await?;
            let stretch = Stretch {
                machine: &machine,
                state,
                state_at_ms,
                until_ms: day.period.end,
                readings: &readings,
                reports: &reports,
            };
            self.follow(transaction, stretch, progress).await?;
        }
        Ok(days)
    }

    /// Machines that have to be followed or judged, at most some.
    pub(super) async fn pending(&self, client: &tokio_postgres::Client) -> Result<Vec<i64>, StoreError> {
        stored::machines_to_judge(client, now_ms() - JUDGE_EVERY_MS, JUDGED_A_ROUND).await
    }

    async fn progress(&self, transaction: &Transaction<'_>, machine_id: i64) -> Result<Progress, StoreError> {
        let known = stored::progress(transaction, machine_id).await?;
        Ok(known.unwrap_or(Progress { dirty_from_ms: None, judged_at_ms: 0 }))
    }

    async fn follow(
        &self,
        transaction: &Transaction<'_>,
        stretch: Stretch<'_>,
        progress: Progress,
    ) -> Result<(), StoreError> {
        let Stretch { machine, state, state_at_ms, until_ms, readings, reports } = stretch;
        let machine_id = machine.machine_id;
        let facts = self.catalogues.models.facts(machine.model.as_deref());
        let mut fold = HealthFold::new(&self.catalogues.rules, &self.catalogues.faults, &facts, &self.zone, state);
        let mut ended = Ended::default();
        fold.push(readings, 0..readings.len(), reports, until_ms, &mut ended);

        let next_ms = stored::next_record(transaction, machine_id, until_ms).await?;
        let mut found = ended.episodes;
        if next_ms.is_none() {
            found.extend(fold.open(judged_at(machine)));
        }
        // What was settled by later records is looked at when those are followed again.
        let is_of_stretch =
            |episode: &Episode| next_ms.is_none() || episode.settled_at_ms.is_some_and(|at_ms| at_ms <= until_ms);
        let what = Replaced { kinds: &["fault", "rule"], settled_after_ms: state_at_ms, provable_from_ms: None };
        let changed = self.replace(transaction, machine, &what, &found, is_of_stretch).await?;

        // A day that is over may be the one that shows a slow change: the machine is judged next.
        let judged_at_ms = if ended.days.is_empty() { progress.judged_at_ms } else { 0 };
        ended.days.extend(fold.day());
        stored::store_days(transaction, machine_id, &ended.days).await?;
        if next_ms.is_none() {
            let model = machine.model.as_deref();
            let faults: Vec<_> = fold
                .faults()
                .map(|(key, fault)| {
                    let severity = self.catalogues.faults.explain(key, model, fault.lamps.0).severity;
                    (key, severity, fault.clone())
                })
                .collect();
            stored::replace_faults(transaction, machine_id, &faults).await?;
            stored::store_hours(transaction, machine_id, &fold.engine_hours()).await?;
        }
        self.pin(transaction, machine_id, readings, &changed).await?;

        let rules = self.rules_for(machine);
        let is_same =
            stored::store_checkpoint(transaction, machine_id, until_ms, rules, &fold.state().encode()).await?;
        let dirty_from_ms = if is_same {
            progress.dirty_from_ms.filter(|dirty_ms| *dirty_ms >= until_ms)
        } else {
            stored::drop_checkpoints_after(transaction, machine_id, until_ms, CHECKPOINT_DAYS).await?;
            next_ms
        };
        stored::set_progress(transaction, machine_id, Progress { dirty_from_ms, judged_at_ms }).await
    }

    /// Judges by the clock: silence, slow changes, service. Nothing where records have not been followed.
    pub(super) async fn judge(&self, transaction: &Transaction<'_>, machine_id: i64) -> Result<(), StoreError> {
        let progress = self.progress(transaction, machine_id).await?;
        if progress.dirty_from_ms.is_some() || progress.judged_at_ms > now_ms() - JUDGE_EVERY_MS {
            return Ok(());
        }
        let machine = stored::health_machine(transaction, machine_id).await?;
        let Some(checkpoint) = stored::latest_checkpoint(transaction, machine_id, self.rules_for(&machine)).await?
        else {
            // The rules are others than they were: from the beginning.
            let dirty_from_ms = stored::earliest_record(transaction, machine_id).await?;
            if dirty_from_ms.is_some() {
                info!(
                    machine_id,
                    "rules or model have changed: following machine {} from its first record", machine.serial
                );
            }
            let judged_at_ms = if dirty_from_ms.is_none() { now_ms() } else { progress.judged_at_ms };
            return stored::set_progress(transaction, machine_id, Progress { dirty_from_ms, judged_at_ms }).await;
        };
        let facts = self.catalogues.models.facts(machine.model.as_deref());
        let mut fold =
            HealthFold::new(&self.catalogues.rules, &self.catalogues.faults, &facts, &self.zone, checkpoint.state);
        let open = fold.open(judged_at(&machine));
        let is_open = |episode: &Episode| episode.settled_at_ms.is_none();
        let what = Replaced { kinds: &["fault", "rule"], settled_after_ms: checkpoint.at_ms, provable_from_ms: None };
        let changed = self.replace(transaction, &machine, &what, &open, is_open).await?;
        self.pin(transaction, machine_id, &Readings::default(), &changed).await?;
        if progress.judged_at_ms.div_euclid(JUDGE_DAYS_EVERY_MS) != now_ms().div_euclid(JUDGE_DAYS_EVERY_MS) {
            self.judge_days(transaction, &machine).await?;
        }
        let progress = Progress { judged_at_ms: now_ms(), ..progress };
        stored::set_progress(transaction, machine_id, progress).await
    }

    /// Slow changes and service.
    async fn judge_days(&self, transaction: &Transaction<'_>, machine: &HealthMachine) -> Result<(), StoreError> {
        let machine_id = machine.machine_id;
        let days = stored::health_days(transaction, machine_id, TREND_DAYS).await?;
        let Some(last) = days.last() else { return Ok(()) };
        if let Some(model) = machine.model.as_deref() {
            let lately = usual(self.catalogues.rules.trends(), &days);
            stored::store_usual(transaction, machine_id, model, last.day, &lately).await?;
            let cohort = stored::cohort(transaction, machine_id, model, last.day).await?;
            let found = trends(self.catalogues.rules.trends_for(Some(model)), &days, &cohort);
            let what = Replaced {
                kinds: &["trend"],
                settled_after_ms: wire::limits::MIN_RECORDED_AT_MS,
                provable_from_ms: days.first().map(|day| day.first_ms),
            };
            self.replace(transaction, machine, &what, &found, |_| true).await?;
        }
        if let Some(plan) = self.catalogues.plan(machine.model.as_deref()) {
            let done: Vec<_> =
                stored::service_done(transaction, machine_id).await?.iter().map(stored::ServiceRow::done).collect();
            let days = stored::usage_days(transaction, machine_id, SERVICE_DAYS).await?;
            let usage = Usage { registered_ms: machine.registered_at_ms, days };
            let now_ms = judged_at(machine);
            let mut found: Vec<Episode> =
                due(plan, &done, &usage, now_ms, &self.zone).iter().filter_map(|due| due.episode()).collect();
            // What is no longer due was done: that ends it.
            let known = stored::known_episodes(transaction, machine_id, NEVER_MS, &["service"]).await?;
            for known in known.iter().filter(|known| known.episode.settled_at_ms.is_none() && !known.withdrawn) {
                let Subject::Service(item) = &known.episode.subject else { continue };
                let is_due = found.iter().any(|episode| episode.subject == known.episode.subject);
                let ends_ms = done
                    .iter()
                    .filter(|done| plan.does(&done.item, item) && done.at_ms >= known.episode.opened_at_ms)
                    .map(|done| done.at_ms)
                    .max();
                if let (false, Some(ends_ms)) = (is_due, ends_ms) {
                    found.push(Episode {
                        closed_at_ms: Some(ends_ms),
                        settled_at_ms: Some(ends_ms),
                        ..known.episode.clone()
                    });
                }
            }
            let what = Replaced { kinds: &["service"], settled_after_ms: NEVER_MS, provable_from_ms: Some(i64::MIN) };
            self.replace(transaction, machine, &what, &found, |_| true).await?;
        }
        Ok(())
    }

    /// Puts what was found in place of what was known, and tells what is new. Returns the subjects that have changed.
    async fn replace(
        &self,
        transaction: &Transaction<'_>,
        machine: &HealthMachine,
        what: &Replaced<'_>,
        found: &[Episode],
        may_withdraw: impl Fn(&Episode) -> bool,
    ) -> Result<Vec<Subject>, StoreError> {
        let machine_id = machine.machine_id;
        let known = stored::known_episodes(transaction, machine_id, what.settled_after_ms, what.kinds).await?;
        let mut changes = reconcile(&known, found);
        if !changes.withdrawn.is_empty() {
            // Of a time whose records are gone nothing can be said.
            let provable_from_ms = match what.provable_from_ms {
                Some(from_ms) => from_ms,
                None => stored::earliest_record(transaction, machine_id).await?.unwrap_or(i64::MAX),
            };
            let may_go = |episode: &Episode| episode.opened_at_ms >= provable_from_ms && may_withdraw(episode);
            changes.withdrawn.retain(|id| known.iter().any(|known| known.id == *id && may_go(&known.episode)));
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let withdrawn = changes.withdrawn.clone();
        let gone = known.iter().filter(|known| withdrawn.contains(&known.id));
        let mut subjects: Vec<_> = gone.map(|known| known.episode.subject.clone()).collect();
        subjects.extend(changes.changed.iter().map(|(_, episode)| episode.subject.clone()));
        subjects.extend(changes.new.iter().map(|(episode, _)| episode.subject.clone()));
        subjects.sort_unstable();
        subjects.dedup();
        let changed = stored::apply_changes(transaction, machine_id, changes).await?;
        let told = stored::join_episodes(transaction, machine_id, changed, &withdrawn).await?;
        if told.is_empty() {
            return Ok(subjects);
        }
        let channels = stored::channels(transaction).await?;
        for told in &told {
            for channel in channels.iter().filter(|channel| listens(channel, machine, told)) {
                let message = self.message(machine, told, channel);
                let body = serde_json::to_value(message).map_err(|error| StoreError::Row {
                    table: "delivery",
                    message: format!("alert {}: {error}", told.alert_id),
                })?;
                stored::enqueue(transaction, channel, told, &body).await?;
            }
        }
        Ok(subjects)
    }

    fn message(&self, machine: &HealthMachine, told: &Told, channel: &Channel) -> Message {
        let episode = &told.episode.episode;
        let model = machine.model.as_deref();
        let words = self.catalogues.words(&episode.subject, model, &episode.evidence);
        let whose = Whose { serial: &machine.serial, name: machine.name.as_deref(), model };
        Message::new(told.alert_id, &told.event, whose, episode, &words, channel.channel.language, &self.zone)
    }

    /// Pins what the machine reported around the beginning and the end of episodes: those in a stretch, and those of
    /// subjects that have changed, which may have begun days ago.
    async fn pin(
        &self,
        transaction: &Transaction<'_>,
        machine_id: i64,
        readings: &Readings,
        changed: &[Subject],
    ) -> Result<(), StoreError> {
        let period = match (readings.recorded_at_ms.first(), readings.recorded_at_ms.last()) {
            (Some(first_ms), Some(last_ms)) => first_ms - stored::AROUND_MS..last_ms + stored::AROUND_MS,
            _ if changed.is_empty() => return Ok(()),
            _ => 0..0,
        };
        let mut moments = Vec::new();
        for (id, episode) in stored::episodes_to_pin(transaction, machine_id, &period, changed).await? {
            let is_pinned = match episode.subject {
                Subject::Fault(_) => true,
                Subject::Rule(_) => episode.severity >= Severity::Urgent,
                Subject::Trend(_) | Subject::Service(_) => false,
            };
            if is_pinned {
                let is_wanted = |at_ms: &i64| period.contains(at_ms) || changed.contains(&episode.subject);
                let ends = [(Moment::Onset, Some(episode.opened_at_ms)), (Moment::End, episode.closed_at_ms)];
                let ends = ends.into_iter().filter_map(|(moment, at_ms)| Some((id, moment, at_ms.filter(is_wanted)?)));
                moments.extend(ends);
            }
        }
        for (id, moment, at_ms) in moments.into_iter().take(PINNED_A_RUN) {
            stored::pin(transaction, machine_id, id, moment, at_ms).await?;
        }
        for subject in changed {
            stored::forget_old(transaction, machine_id, subject).await?;
        }
        Ok(())
    }

    /// Which rules left a state: a machine of another model is judged by others.
    fn rules_for(&self, machine: &HealthMachine) -> u64 {
        let model = machine.model.as_deref().unwrap_or_default();
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        model.bytes().fold(self.catalogues.rules.digest(), mix)
    }
}

/// The instant by which a machine is judged: now, or, of a recording, its end.
fn judged_at(machine: &HealthMachine) -> i64 {
    let Some(recorded_at_ms) = machine.recorded_at_ms else { return now_ms() };
    let is_live = machine.received_at_ms.is_some_and(|received| received - recorded_at_ms < LIVE_WITHIN_MS);
    if is_live { now_ms().max(recorded_at_ms + 1) } else { recorded_at_ms + 1 }
}

/// Whether a channel is told of this.
fn listens(channel: &Channel, machine: &HealthMachine, told: &Told) -> bool {
    let wanted = &channel.channel;
    let episode = &told.episode.episode;
    let model = machine.model.as_deref();
    let is_over = told.event == "gone";
    let at_ms = match episode.closed_at_ms {
        Some(closed_at_ms) if is_over => closed_at_ms,
        _ => episode.fired_at_ms,
    };
    channel.enabled
        && episode.severity >= wanted.severity_min
        && (!is_over || wanted.tell_gone)
        && at_ms >= channel.created_at_ms
        && crate::derive::health::is_for(&wanted.models, model)
}
