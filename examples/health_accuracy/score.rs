//! What was found, against what was so.

use std::collections::BTreeMap;

use polevod::derive::health::{Episode, Severity, Subject};
use simulator::truth::{Event, Fault, FaultStep};

use crate::season::Window;

/// Trouble goes on for a while after its cause was mended: hot things cool down, filters settle.
const AFTERMATH_MS: i64 = 12 * 3_600_000;
/// A code's beginning is met when it is found within this time of it.
pub(crate) const ONSET_WITHIN_MS: i64 = 10_000;

/// Which subjects a cause explains: codes by parameter, rules and trends by name.
type Explains = (&'static str, &'static [u32], &'static [&'static str]);

#[rustfmt::skip]
const EXPLAINS: &[Explains] = &[
    ("radiator_clogged", &[110], &["coolant_hot", "coolant_critical", "coolant_over_ambient", "hot_under_load", "engine_oil_hot"]),
    ("oil_pressure_low", &[100], &["oil_pressure_low", "oil_pressure_critical", "oil_pressure_decline"]),
    ("air_filter_clogged", &[107], &["air_filter_restricted"]),
    ("fuel_filter_clogged", &[95, 94], &["fuel_filter_restricted", "fuel_feed_pressure_low"]),
    ("boost_leak", &[102], &["fuel_for_load"]),
    ("alternator_dead", &[167, 168], &["not_charging", "battery_low_off", "cranking_dip"]),
    ("hydraulic_cooler_clogged", &[1638], &["hydraulic_hot", "hydraulic_critical", "hydraulic_heat"]),
    ("transmission_cooler_clogged", &[177], &["transmission_hot", "transmission_critical"]),
    ("drum_belt_slipping", &[1488], &["drum_slip", "drum_stopped"]),
    ("elevator_chain_slipping", &[1554], &["grain_elevator_slow"]),
    ("flax_belt_slipping", &[520_200], &[]),
    ("bearing_hot", &[520_210], &["peat_bearing_hot"]),
    ("flame_lost", &[520_220], &[]),
    ("exhaust_fluid_not_refilled", &[1761], &["exhaust_fluid_low"]),
    ("particulate_filter_full", &[3719], &["dpf_soot_high", "dpf_soot_critical"]),
    ("coolant_sensor_open", &[110], &[]),
    ("fuel_sender_stuck", &[], &["fuel_sender_stuck", "fuel_drain_running", "fuel_drain_parked", "refuelled"]),
    ("fuel_sender_open", &[96], &[]),
    ("oil_pressure_sensor_noisy", &[100], &["oil_pressure_low", "oil_pressure_critical", "oil_pressure_decline"]),
    ("hitch_sensor_noisy", &[1873], &[]),
    ("moisture_cell_fouled", &[1555], &[]),
    ("speed_sensor_contact", &[84], &[]),
    ("can_bus_contact", &[639], &[]),
    ("injector_contact", &[653], &[]),
    ("seat_switch_worn", &[1504], &["pto_without_operator"]),
    ("fuel_theft", &[], &["fuel_drain_parked"]),
];

/// One cause on one machine.
struct Cause<'a> {
    kind: &'a str,
    begins_ms: i64,
    mended_ms: i64,
    /// When fuel was taken; of thefts alone.
    taken_ms: Option<i64>,
    /// The level sender did not work meanwhile.
    is_hidden: bool,
    /// Codes that came: when, and which.
    codes: Vec<(i64, u32, u8)>,
}

/// All causes of a kind.
#[derive(Debug, Default, Clone)]
pub(crate) struct KindScore {
    pub(crate) causes: usize,
    pub(crate) with_code: usize,
    pub(crate) codes: usize,
    pub(crate) codes_found: usize,
    /// How far the beginnings of found codes are off, ms.
    pub(crate) onset_off_ms: Vec<i64>,
    /// Causes that a rule or a trend found.
    pub(crate) by_signal: usize,
    /// How much earlier than the first code a rule or a trend told of it, s; negative: later.
    pub(crate) lead_s: Vec<f64>,
    /// Causes that showed: its controller set a code, or a rule or a trend told of it, or fuel went past a level
    /// sender that worked. Of the others nothing could be seen before they were mended.
    pub(crate) showed: usize,
    /// Causes that were told of: by a code, or by a rule or a trend.
    pub(crate) found: usize,
    /// From where a cause showed first, its code or else its beginning, to where it was told of, s.
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
                }
                *self.unexplained.entry((episode.severity, episode.subject.to_string())).or_default() += 1;
            }
        }
    }

    fn cause(&mut self, window: &Window, cause: &Cause<'_>, explain: bool) {
        let kind = self.kinds.entry(cause.kind.to_owned()).or_default();
        kind.causes += 1;
        kind.with_code += usize::from(!cause.codes.is_empty());
        let mut told_ms: Option<i64> = None;
        for (at_ms, spn, fmi) in &cause.codes {
            kind.codes += 1;
            let of_code = window.episodes.iter().filter(|episode| match &episode.subject {
                Subject::Fault(key) => (key.spn, key.fmi) == (*spn, *fmi),
                _ => false,
            });
            // One that came back at once is a part of the one before.
            let off_ms = of_code
                .filter(|episode| episode.overlaps(at_ms - ONSET_WITHIN_MS, at_ms + ONSET_WITHIN_MS))
                .map(|episode| (episode.opened_at_ms.max(*at_ms) - at_ms, episode.fired_at_ms))
                .min();
            match off_ms {
                Some((off_ms, fired_ms)) => {
                    kind.codes_found += 1;
                    kind.onset_off_ms.push(off_ms);
                    told_ms = Some(told_ms.map_or(fired_ms, |told_ms| told_ms.min(fired_ms)));
                }
                None if explain => println!("{}: code {spn}/{fmi} at {at_ms} was missed", window.serial),
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
        let showed = told_ms.is_some() || !cause.codes.is_empty() || (cause.taken_ms.is_some() && !cause.is_hidden);
        kind.showed += usize::from(showed);
        kind.found += usize::from(told_ms.is_some());
        let shows_ms = cause.codes.first().map(|(code_ms, ..)| *code_ms).or(cause.taken_ms).unwrap_or(cause.begins_ms);
        kind.delay_s.extend(told_ms.map(|told_ms| (told_ms - shows_ms).max(0) as f64 / 1_000.0));
        if explain && told_ms.is_none() {
            let hours = (cause.mended_ms - cause.begins_ms) / 3_600_000;
            let what = if showed { "was missed, mended after" } else { "did not show in" };
            println!("{}: {} {what} {hours} h", window.serial, cause.kind);
        }
    }
}

impl Cause<'_> {
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
            taken_ms: None,
            is_hidden: false,
            codes: Vec::new(),
        });
        match (step, spn, fmi) {
            (FaultStep::Begins, ..) => cause.begins_ms = at.0.max(window.from_ms),
            (FaultStep::CodeActive, Some(spn), Some(fmi)) => cause.codes.push((at.0, *spn, *fmi)),
            (FaultStep::Mended, ..) => cause.mended_ms = at.0,
            _ => {}
        }
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    let hidden: Vec<_> = causes
        .iter()
        .filter(|cause| cause.kind.starts_with("fuel_sender"))
        .map(|cause| cause.begins_ms..=cause.mended_ms)
        .collect();
    for cause in causes.iter_mut().filter(|cause| cause.kind == "fuel_theft") {
        let lasted = cause.begins_ms..=cause.mended_ms;
        cause.taken_ms = window.truth.iter().find_map(|event| match event {
            Event::FuelTheft(change) if lasted.contains(&change.from.0) => Some(change.from.0),
            _ => None,
        });
        cause.is_hidden = cause.taken_ms.is_some_and(|at_ms| hidden.iter().any(|broken| broken.contains(&at_ms)));
    }
    causes
}
