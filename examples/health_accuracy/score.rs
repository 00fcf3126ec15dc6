//! What was found, against what was so.

use std::collections::BTreeMap;

use polevod::derive::health::{Episode, Severity, Subject};
use simulator::truth::{Event, Fault, FaultStep, OutageCause};

use crate::season::Window;

/// Trouble goes on for a while after its cause was mended: hot things cool down, filters settle.
const AFTERMATH_MS: i64 = 12 * 3_600_000;
/// A code's beginning is met when it is found within this time of it.
pub(crate) const ONSET_WITHIN_MS: i64 = 10_000;

/// Which subjects a cause explains: codes by parameter, rules and trends by name.
type Explains = (&'static str, &'static [u32], &'static [&'static str]);

#[rustfmt::skip]
const EXPLAINS: &[Explains] = &[
    ("radiator_clogged", &[110], &["coolant_rises", "coolant_hot", "coolant_critical", "coolant_over_ambient", "hot_under_load", "engine_oil_hot"]),
    ("oil_pressure_low", &[100], &["oil_pressure_falls", "oil_pressure_low", "oil_pressure_critical", "oil_pressure_decline"]),
    ("air_filter_clogged", &[107], &["air_filter_rises", "air_filter_restricted"]),
    ("fuel_filter_clogged", &[95, 94], &["fuel_filter_rises", "fuel_filter_restricted", "fuel_feed_pressure_low"]),
    ("boost_leak", &[102], &["fuel_for_load"]),
    ("alternator_dead", &[167, 168], &["not_charging", "battery_low_off", "cranking_dip"]),
    ("hydraulic_cooler_clogged", &[1638], &["hydraulic_rises", "hydraulic_hot", "hydraulic_critical", "hydraulic_heat"]),
    ("transmission_cooler_clogged", &[177], &["transmission_rises", "transmission_hot", "transmission_critical"]),
    ("drum_belt_slipping", &[1488], &["drum_slip", "drum_stopped"]),
    ("elevator_chain_slipping", &[1554], &["grain_elevator_slow"]),
    ("flax_belt_slipping", &[520_200], &[]),
    ("bearing_hot", &[520_210], &["peat_bearing_hot"]),
    ("flame_lost", &[520_220], &[]),
    ("exhaust_fluid_not_refilled", &[1761], &["exhaust_fluid_low"]),
    ("particulate_filter_full", &[3719], &["dpf_soot_high", "dpf_soot_critical"]),
    ("coolant_sensor_open", &[110], &[]),
    ("fuel_sender_stuck", &[], &["fuel_sender_stuck", "refuelled"]),
    ("fuel_sender_open", &[96], &[]),
    ("oil_pressure_sensor_noisy", &[100], &["oil_pressure_falls", "oil_pressure_low", "oil_pressure_critical", "oil_pressure_decline"]),
    ("hitch_sensor_noisy", &[1873], &[]),
    ("moisture_cell_fouled", &[1555], &[]),
    ("speed_sensor_contact", &[84], &[]),
    ("can_bus_contact", &[639], &[]),
    ("injector_contact", &[653], &[]),
    ("seat_switch_worn", &[1504], &["pto_without_operator"]),
    ("fuel_theft", &[], &["fuel_drain_parked", "fuel_drain_running"]),
];

/// Sensors whose faults hide what a cause does to them.
const HIDES: &[(&str, &[&str])] = &[
    ("fuel_theft", &["fuel_sender_stuck", "fuel_sender_open"]),
    ("fuel_sender_stuck", &["fuel_sender_open"]),
    ("radiator_clogged", &["coolant_sensor_open"]),
    ("oil_pressure_low", &["oil_pressure_sensor_noisy"]),
];
/// A theft of less cannot be told from a tank that cools down and leans: litres, and share of the tank.
const THEFT_TELLS: (f64, f64) = (10.0, 0.03);
/// Records that the unit had not finished when its power went, the oldest of them.
const LOST_WITH_POWER_MS: i64 = 60_000;
/// What shows has to show for so long before it is mended or the records end, or nobody has seen it.
const SEEN_FOR_MS: i64 = 3_600_000;

/// One cause on one machine.
struct Cause<'a> {
    kind: &'a str,
    begins_ms: i64,
    mended_ms: i64,
    /// Until when its signal shows it: it is mended, or the records end.
    seen_until_ms: i64,
    /// When its signal had moved by as much, for as long, as can be told, or fuel was gone.
    moved_ms: Option<i64>,
    /// The sensor that would show it did not work then.
    is_hidden: bool,
    /// Codes that came: when, and which.
    codes: Vec<(i64, u32, u8)>,
}

/// All causes of a kind.
#[derive(Debug, Default, Clone)]
pub(crate) struct KindScore {
    pub(crate) causes: usize,
    /// Causes that were mended, or the records ended, before any signal had moved by as much as can be told; thieves
    /// that had not come yet; contacts that still held.
    pub(crate) unseen: usize,
    /// Causes whose sensor was broken itself.
    pub(crate) hidden: usize,
    /// The others: records tell of them.
    pub(crate) showed: usize,
    /// Of those, the ones that were told of: by a code, or by a rule or a trend.
    pub(crate) found: usize,
    /// Causes that were told of though by the truth nothing was to be seen yet, or a broken sensor hid them.
    pub(crate) found_beside: usize,
    pub(crate) codes: usize,
    pub(crate) codes_found: usize,
    /// Codes that came while the unit was down; their beginning is its restart.
    pub(crate) codes_unit_down: usize,
    /// How far the beginnings of found codes are off, ms.
    pub(crate) onset_off_ms: Vec<i64>,
    /// Causes that a rule or a trend found.
    pub(crate) by_signal: usize,
    /// How much earlier than the first code a rule or a trend told of it, s; negative: later.
    pub(crate) lead_s: Vec<f64>,
    /// From where a cause showed first, its code or its signal, to where it was told of, s.
    pub(crate) delay_s: Vec<f64>,
}

/// Everything of one fleet.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) machine_days: usize,
    pub(crate) samples: usize,
    pub(crate) kinds: BTreeMap<String, KindScore>,
    /// Episodes that no cause explains, by severity and subject.
    pub(crate) unexplained: BTreeMap<(Severity, String), usize>,
    /// Episodes of each severity, explained or not.
    pub(crate) episodes: BTreeMap<Severity, usize>,
}

impl Score {
    pub(crate) fn add(&mut self, window: &Window, explain: bool) {
        self.machine_days += window.machine_days;
        self.samples += window.samples;
        let causes = causes(window);
        for cause in &causes {
            self.cause(window, cause, explain);
        }
        for episode in &window.episodes {
            *self.episodes.entry(episode.severity).or_default() += 1;
            if !causes.iter().any(|cause| cause.explains(episode)) {
                if explain && episode.severity > Severity::Information {
                    println!("{}: {} {:?}", window.serial, episode.subject, episode);
                    for cause in &causes {
                        println!("  {} from {} to {}", cause.kind, cause.begins_ms, cause.mended_ms);
                    }
                }
                *self.unexplained.entry((episode.severity, episode.subject.to_string())).or_default() += 1;
            }
        }
    }

    fn cause(&mut self, window: &Window, cause: &Cause<'_>, explain: bool) {
        let kind = self.kinds.entry(cause.kind.to_owned()).or_default();
        kind.causes += 1;
        let mut told_ms: Option<i64> = None;
        for (at_ms, spn, fmi) in &cause.codes {
            kind.codes += 1;
            let of_code = window.episodes.iter().filter(|episode| match &episode.subject {
                Subject::Fault(key) => (key.spn, key.fmi) == (*spn, *fmi),
                _ => false,
            });
            // One that came back at once is a part of the one before.
            let found_at = |first_ms: i64| {
                of_code
                    .clone()
                    .filter(|episode| episode.overlaps(first_ms - ONSET_WITHIN_MS, first_ms + ONSET_WITHIN_MS))
                    .map(|episode| (episode.opened_at_ms.max(first_ms) - first_ms, episode.fired_at_ms))
                    .min()
            };
            // What came while the unit was down is in its records from its restart on.
            let off_ms = found_at(*at_ms).or_else(|| {
                let off_ms = found_at(restart_after_ms(window, *at_ms)?);
                kind.codes_unit_down += usize::from(off_ms.is_some());
                off_ms
            });
            match off_ms {
                Some((off_ms, fired_ms)) => {
                    kind.codes_found += 1;
                    kind.onset_off_ms.push(off_ms);
                    told_ms = Some(told_ms.map_or(fired_ms, |told_ms| told_ms.min(fired_ms)));
                }
                None if explain => {
                    println!("{}: code {spn}/{fmi} at {at_ms} was missed", window.serial);
                    let near = |other_ms: i64| (other_ms - at_ms).abs() < 600_000;
                    for event in &window.truth {
                        match event {
                            Event::Outage(outage) if near(outage.from.0) || near(outage.to.0) => {
                                println!("  {outage:?}")
                            }
                            Event::Recorded(recorded) if near(recorded.from.0) || near(recorded.to.0) => {
                                println!("  {recorded:?}");
                            }
                            _ => {}
                        }
                    }
                }
                None => {}
            }
        }
        let by_signal = window
            .episodes
            .iter()
            .filter(|episode| matches!(episode.subject, Subject::Rule(_) | Subject::Trend(_)))
            .filter(|episode| cause.explains(episode))
            .map(|episode| episode.fired_at_ms)
            .min();
        kind.by_signal += usize::from(by_signal.is_some());
        if let (Some(told_ms), Some((code_ms, ..))) = (by_signal, cause.codes.first()) {
            kind.lead_s.push((code_ms - told_ms) as f64 / 1_000.0);
        }
        let told_ms = told_ms.into_iter().chain(by_signal).min();
        let what = match (cause.shows_ms(), told_ms) {
            (Some(shows_ms), Some(told_ms)) => {
                kind.showed += 1;
                kind.found += 1;
                kind.delay_s.push((told_ms - shows_ms).max(0) as f64 / 1_000.0);
                return;
            }
            (Some(_), None) => {
                kind.showed += 1;
                "was missed"
            }
            (None, told_ms) => {
                kind.hidden += usize::from(cause.is_hidden);
                kind.unseen += usize::from(!cause.is_hidden);
                kind.found_beside += usize::from(told_ms.is_some());
                if cause.is_hidden { "was hidden" } else { "did not show" }
            }
        };
        if explain {
            let hours = (cause.mended_ms - cause.begins_ms) / 3_600_000;
            let told = if told_ms.is_some() { ", and was told of" } else { "" };
            println!(
                "{}: {} {what}{told}; {}, {hours} h to {}, shown at {:?}",
                window.serial, cause.kind, cause.begins_ms, cause.mended_ms, cause.moved_ms
            );
        }
    }
}

/// When a unit that was down at `at_ms` runs again; none where it ran.
fn restart_after_ms(window: &Window, at_ms: i64) -> Option<i64> {
    window.truth.iter().find_map(|event| match event {
        Event::Outage(outage) if matches!(outage.cause, OutageCause::Reboot | OutageCause::UnitOff) => {
            // What was recorded right before a loss of power is lost with it.
            (outage.from.0 - LOST_WITH_POWER_MS..=outage.to.0).contains(&at_ms).then_some(outage.to.0)
        }
        _ => None,
    })
}

impl Cause<'_> {
    /// When it showed first to whoever watches, by the truth: by its code, or by a signal.
    fn shows_ms(&self) -> Option<i64> {
        let by_signal = self.moved_ms.filter(|at_ms| !self.is_hidden && self.seen_until_ms - at_ms >= SEEN_FOR_MS);
        by_signal.into_iter().chain(self.codes.iter().map(|(at_ms, ..)| *at_ms)).min()
    }

    fn explains(&self, episode: &Episode) -> bool {
        let Some((_, spns, names)) = EXPLAINS.iter().find(|(kind, ..)| *kind == self.kind) else { return false };
        let is_of_it = match &episode.subject {
            Subject::Fault(key) => spns.contains(&key.spn),
            Subject::Rule(id) | Subject::Trend(id) => names.contains(&id.as_str()),
            Subject::Service(_) => false,
        };
        is_of_it && episode.overlaps(self.begins_ms, self.mended_ms + AFTERMATH_MS)
    }
}

/// The causes of a window, by their numbers.
fn causes(window: &Window) -> Vec<Cause<'_>> {
    let mut causes: BTreeMap<u32, Cause<'_>> = BTreeMap::new();
    for event in &window.truth {
        let Event::Fault(Fault { number, kind, step, at, spn, fmi, .. }) = event else { continue };
        let cause = causes.entry(*number).or_insert_with(|| Cause {
            kind,
            begins_ms: at.0,
            mended_ms: window.until_ms,
            seen_until_ms: window.until_ms,
            moved_ms: None,
            is_hidden: false,
            codes: Vec::new(),
        });
        match (step, spn, fmi) {
            (FaultStep::Begins, ..) => cause.begins_ms = at.0.max(window.from_ms),
            (FaultStep::CodeActive, Some(spn), Some(fmi)) => cause.codes.push((at.0, *spn, *fmi)),
            (FaultStep::Shows, ..) => cause.moved_ms = Some(at.0),
            (FaultStep::Mended, ..) => (cause.mended_ms, cause.seen_until_ms) = (at.0, at.0),
            _ => {}
        }
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    let broken: Vec<_> = causes
        .iter()
        .filter(|cause| HIDES.iter().any(|(_, hidden_by)| hidden_by.contains(&cause.kind)))
        .map(|cause| (cause.kind, cause.begins_ms..=cause.mended_ms))
        .collect();
    for cause in &mut causes {
        if cause.kind == "fuel_theft" {
            // The cause begins when thieves make up their minds, and fuel that is gone stays gone.
            let lasted = cause.begins_ms..=cause.mended_ms;
            cause.seen_until_ms = window.until_ms;
            cause.begins_ms = cause.mended_ms;
            let taken = window.truth.iter().find_map(|event| match event {
                Event::FuelTheft(change) if lasted.contains(&change.from.0) => Some(change),
                _ => None,
            });
            if let Some(taken) = taken {
                let tells_l = THEFT_TELLS.0.max(THEFT_TELLS.1 * window.tank_l.unwrap_or_default());
                cause.begins_ms = taken.from.0;
                cause.moved_ms = (taken.before_l - taken.after_l >= tells_l).then_some(taken.from.0);
            }
        }
        let hides = HIDES.iter().find(|(kind, _)| *kind == cause.kind).map_or(&[][..], |(_, hidden_by)| hidden_by);
        cause.is_hidden = cause
            .moved_ms
            .is_some_and(|at_ms| broken.iter().any(|(kind, lasted)| hides.contains(kind) && lasted.contains(&at_ms)));
    }
    causes
}
