//! When the unit of a machine records: at its period while something moves, at once when something changes, seldom while
//! nothing happens.

/// While the engine runs and the machine has stood for a while, seconds.
const STANDING_S: f64 = 30.0;
const STANDS_AFTER_S: f64 = 60.0;
/// While the engine stands.
const PARKED_S: f64 = 900.0;
/// A bend of so much is recorded though it is not time yet, degrees.
pub(crate) const BEND_DEG: f64 = 22.0;
/// Signals reported at least this often are also told when something changes.
const ON_CHANGE_S: u32 = 10;

/// The clockwork of a unit.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    period_s: f64,
    /// When it next records by itself.
    pub(crate) next_s: f64,
    last_s: f64,
    last_full_s: f64,
    pub(crate) last_course_deg: f64,
    stands_since_s: f64,
    /// Machines do not report in step.
    phase_s: f64,
}

/// What a sample has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What is due by its own period.
    Due,
    /// That, and everything that changes fast.
    Change,
    /// Everything.
    All,
}

impl Unit {
    pub(crate) fn new(now_s: f64, period_s: f64, phase: f64) -> Self {
        Self {
            period_s,
            next_s: now_s + phase * period_s,
            last_s: f64::NEG_INFINITY,
            last_full_s: f64::NEG_INFINITY,
            last_course_deg: 0.0,
            stands_since_s: now_s,
            phase_s: phase * 60.0,
        }
    }

    /// Notes a sample at `now_s`, and when the next one is due.
    pub(crate) fn recorded(&mut self, now_s: f64, engine_on: bool, moves: bool) {
        if moves {
            self.stands_since_s = now_s;
        }
        let period_s = if moves {
            self.period_s
        } else if !engine_on {
            PARKED_S.max(self.period_s)
        } else if now_s - self.stands_since_s > STANDS_AFTER_S {
            STANDING_S.max(self.period_s)
        } else {
            self.period_s
        };
        self.last_s = now_s;
        self.next_s = now_s + period_s;
    }

    /// A machine that begins to move or starts its engine is watched closely again.
    pub(crate) fn wake(&mut self, now_s: f64) {
        self.stands_since_s = now_s;
        self.next_s = self.next_s.min(now_s + self.period_s);
    }

    /// What a sample at `now_s` has to say.
    pub(crate) fn extent(&mut self, now_s: f64, changed: bool, engine_on: bool) -> Extent {
        if self.last_full_s.is_infinite() || (!engine_on && now_s - self.last_full_s >= PARKED_S - 1.0) {
            self.last_full_s = now_s;
            return Extent::All;
        }
        if changed { Extent::Change } else { Extent::Due }
    }

    /// Whether a signal that is reported every `every_s` seconds belongs into a sample at `now_s`.
    pub(crate) fn is_due(&self, every_s: u32, now_s: f64, extent: Extent) -> bool {
        match extent {
            Extent::All => true,
            Extent::Change if every_s <= ON_CHANGE_S => true,
            _ if every_s == 0 => true,
            _ => {
                let beat = |at_s: f64| ((at_s + self.phase_s) / f64::from(every_s)).floor();
                self.last_s.is_infinite() || beat(now_s) > beat(self.last_s)
            }
        }
    }
}
