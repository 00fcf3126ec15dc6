//! From what each sample shows to what the machine does: states with hysteresis, dated back to where they began.

use super::{Rules, State};

/// After a longer silence the last word of work says nothing of how long it lasted, s.
const HELD_MAX_S: f64 = 10.0;

/// What one sample shows by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// Engine off.
    pub is_off: bool,
    /// Speed that of a standing machine.
    pub stands: bool,
    /// Evidence of work.
    pub works: bool,
    /// The auger runs.
    pub unloads: bool,
}

/// What a machine does. Work that pauses is still work until the pause has lasted; see [`Rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Off,
    Idle,
    Moving,
    Working,
    Unloading,
}

/// Since which sample each condition has held without a break.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    off: Option<usize>,
    stands: Option<usize>,
    works: Option<usize>,
    rests: Option<usize>,
    unloads: Option<usize>,
}

impl Since {
    fn observe(&mut self, index: usize, sight: Sight) {
        let keep = |since: &mut Option<usize>, holds: bool| *since = holds.then(|| since.unwrap_or(index));
        keep(&mut self.off, sight.is_off);
        keep(&mut self.stands, sight.stands);
        keep(&mut self.works, sight.works && !sight.stands);
        keep(&mut self.rests, !sight.works);
        keep(&mut self.unloads, sight.unloads);
    }
}

/// The state at each sample. `Turning` is told from `Transport` later, when the runs on both sides are known.
pub(super) fn states(at_ms: &[i64], sights: &[Sight], rules: &Rules) -> Vec<State> {
    let mut states: Vec<State> = Vec::with_capacity(sights.len());
    let mut since = Since::default();
    let mut activity = Activity::Idle;
    for (index, sight) in sights.iter().enumerate() {
        let worked_since = since.works;
        since.observe(index, *sight);
        // Where samples are seldom a short pass is over with the next one: what the last one said held until now.
        let is_over = since.works.is_none() && activity != Activity::Working;
        if let Some(from) = worked_since.filter(|_| is_over) {
            let seconds = |since: usize| (at_ms[index] - at_ms[since]) as f64 / 1000.0;
            if seconds(from) >= rules.work_after_s && seconds(index - 1) <= HELD_MAX_S {
                states[from..].fill(State::Working);
            }
        }
        let lasted = |began: Option<usize>, seconds: f64| {
            began.filter(|began| (at_ms[index] - at_ms[*began]) as f64 >= seconds * 1000.0)
        };
        let (next, from) = step(activity, *sight, &since, index, lasted, rules);
        if next != activity {
            states[from.min(index)..].fill(state(next));
            activity = next;
        }
        states.push(state(activity));
    }
    states
}

/// Every transition. Returns the activity and the sample at which it began.
fn step(
    activity: Activity,
    sight: Sight,
    since: &Since,
    index: usize,
    lasted: impl Fn(Option<usize>, f64) -> Option<usize>,
    rules: &Rules,
) -> (Activity, usize) {
    use Activity::*;
    let off = lasted(since.off, rules.off_after_s);
    let works = lasted(since.works, rules.work_after_s);
    let rests = lasted(since.rests, rules.rest_after_s);
    let idles = lasted(since.stands, rules.idle_after_s);
    let unloads = lasted(since.unloads, rules.work_after_s);
    match (activity, off, works, rests, idles, unloads) {
        (Off, Some(_), ..) => (Off, index),
        (_, Some(from), ..) => (Off, from),
        (Off, ..) if !sight.is_off && sight.stands => (Idle, index),
        (Off, ..) if !sight.is_off => (Moving, index),
        (Off, ..) => (Off, index),
        // At work: a machine that stands with its header down is blocked, or waits.
        (Working, _, _, None, None, _) => (Working, index),
        (Working, _, _, Some(from), _, Some(auger)) => (Unloading, from.max(auger)),
        (Working, _, _, Some(from), _, None) => (Moving, from),
        (Working, _, _, None, Some(from), None) => (Idle, from),
        (Working, _, _, None, Some(from), Some(auger)) => (Unloading, from.max(auger)),
        // Not at work.
        (_, _, Some(from), ..) => (Working, from),
        (Unloading, ..) if sight.unloads => (Unloading, index),
        (Unloading, ..) if sight.stands => (Idle, index),
        (Unloading, ..) => (Moving, index),
        (_, _, _, _, _, Some(from)) => (Unloading, from),
        (Moving, _, _, _, Some(from), _) => (Idle, from),
        (Idle, ..) if !sight.stands => (Moving, index),
        (unchanged, ..) => (unchanged, index),
    }
}

fn state(activity: Activity) -> State {
    match activity {
        Activity::Off => State::Off,
        Activity::Idle => State::Idle,
        Activity::Moving => State::Transport,
        Activity::Working => State::Working,
        Activity::Unloading => State::Unloading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// One character a second, each run of them given by its length: `o` off, `s` stands, `m` moves, `w` works,
    /// `b` works but stands, `u` stands and unloads, `U` works and unloads.
    fn check(seen: &[(usize, char)], expected: Expect) {
        let marks: Vec<char> = seen.iter().flat_map(|(seconds, mark)| vec![*mark; *seconds]).collect();
        let sights: Vec<Sight> = marks
            .iter()
            .map(|mark| Sight {
                is_off: *mark == 'o',
                stands: "osbu".contains(*mark),
                works: "wbU".contains(*mark),
                unloads: "uU".contains(*mark),
            })
            .collect();
        let at_ms: Vec<i64> = (0..marks.len() as i64).map(|second| second * 1000).collect();
        let states = states(&at_ms, &sights, &Rules::default());
        let mut runs: Vec<(State, usize)> = Vec::new();
        for state in states {
            match runs.last_mut() {
                Some((last, seconds)) if *last == state => *seconds += 1,
                _ => runs.push((state, 1)),
            }
        }
        let text: Vec<_> = runs.iter().map(|(state, seconds)| format!("{state:?} {seconds}")).collect();
        expected.assert_eq(&text.join(", "));
    }

    #[test]
    fn work_begins_and_ends_where_it_is_first_seen() {
        check(&[(60, 'm'), (100, 'w'), (60, 'm')], expect!["Transport 60, Working 100, Transport 60"]);
    }

    #[test]
    fn a_header_that_dips_or_hops_changes_nothing() {
        check(&[(60, 'm'), (2, 'w'), (60, 'm')], expect!["Transport 122"]);
        check(&[(60, 'w'), (4, 'm'), (60, 'w')], expect!["Working 124"]);
    }

    #[test]
    fn one_seldom_sample_at_work_is_a_short_pass_and_a_lonely_one_is_not() {
        let sights = [false, true, false, false].map(|works| Sight { works, ..Sight::default() });
        let working = |at_ms: &[i64]| -> Vec<bool> {
            let states = states(at_ms, &sights, &Rules::default());
            states.into_iter().map(|state| state == State::Working).collect()
        };
        assert_eq!(working(&[0, 5_000, 9_000, 14_000]), [false, true, false, false]);
        assert_eq!(working(&[0, 5_000, 7_000, 12_000]), [false; 4], "shorter than a dip");
        assert_eq!(working(&[0, 5_000, 35_000, 40_000]), [false; 4], "nobody knows for how long");
    }

    #[test]
    fn a_stop_of_less_than_half_a_minute_belongs_to_what_was_done() {
        check(&[(60, 'm'), (20, 's'), (60, 'm')], expect!["Transport 140"]);
        check(&[(60, 'm'), (40, 's'), (60, 'm')], expect!["Transport 60, Idle 40, Transport 60"]);
        check(&[(60, 'w'), (20, 'b'), (60, 'w')], expect!["Working 140"]);
        check(&[(60, 'w'), (90, 'b'), (60, 'w')], expect!["Working 60, Idle 90, Working 60"]);
    }

    #[test]
    fn an_engine_is_off_after_a_minute_from_the_moment_it_stopped() {
        check(&[(60, 's'), (30, 'o'), (60, 's')], expect!["Idle 150"]);
        check(&[(60, 's'), (90, 'o'), (60, 's')], expect!["Idle 60, Off 90, Idle 60"]);
    }

    #[test]
    fn unloading_on_the_go_is_work_and_standing_it_is_not() {
        check(&[(60, 'w'), (60, 'U'), (60, 'w')], expect!["Working 180"]);
        check(&[(60, 'w'), (60, 'u'), (60, 'w')], expect!["Working 60, Unloading 60, Working 60"]);
    }
}
