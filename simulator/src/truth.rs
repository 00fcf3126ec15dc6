//! What really happened: the answers that everything derived is checked against.
//!
//! A truth file holds one machine's working day as JSON lines, one [`Event`] a line, told apart by its `event`:
//!
//! | `event` | when it is written | what it is |
//! |---|---|---|
//! | `state` | when the state ends | [`StateInterval`]: off, idle, transport, turning, working, unloading, with exact times |
//! | `session` | when the session closes | [`Session`]: work of one machine on one field in one operation |
//! | `field_done` | when the field is finished | [`FieldDone`]: worked, worked twice, missed, over all days of it |
//! | `unloading` | when the grain tank is empty | [`Unloading`] |
//! | `refuel`, `fuel_theft` | when it is over | [`FuelChange`] |
//! | `fault` | at every change of its life | [`Fault`]: cause begins, code comes, code goes, cause is mended |
//! | `outage`, `clock`, `receiver` | when it is over | [`Outage`], [`ClockError`], [`ReceiverError`]: what the unit, not the machine, did |
//! | `recorded` | when a boot or a day ends | [`Recorded`]: which records the store must hold in the end |
//! | `day` | at the end of the day, last | [`Day`]: counters at both ends, time, distance and fuel by state, work, harvest |
//!
//! A working day runs from 04:00 to 04:00 local time (Asia/Tomsk, UTC+7), because harvest runs past midnight. What
//! lasts over that hour is cut there, and each part stands in its own day's file.
//!
//! Areas are of the swath on the ground, in the metric plane that touches the earth at the farm's yard; the error of
//! that plane is below a millionth. Counters, litres, and kilograms are those of the machine, not of its sensors.

mod files;
mod totals;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use files::{TruthError, TruthFiles, read_truth};
pub use totals::{MachineTotals, Totals};

/// Offset of local time in Tomsk, all the year since 2016-05-29.
pub const LOCAL_OFFSET_MS: i64 = 7 * 3_600_000;
/// When a working day ends, local time.
pub const DAY_STARTS_AT_MS: i64 = 4 * 3_600_000;

/// The working day that holds Unix millisecond `at_ms`.
pub fn working_day(at_ms: i64) -> Date {
    let days = (at_ms + LOCAL_OFFSET_MS - DAY_STARTS_AT_MS).div_euclid(86_400_000);
    let days = i32::try_from(days).unwrap_or(0);
    Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(days))
}

/// Unix millisecond at which the working day `date` begins.
pub fn day_start_ms(date: Date) -> i64 {
    let days = (date - Date::constant(1970, 1, 1)).get_days();
    i64::from(days) * 86_400_000 + DAY_STARTS_AT_MS - LOCAL_OFFSET_MS
}

/// An instant: `{"ms": 1787198400000, "utc": "2026-08-20T04:00:00Z"}`. Both say the same; only `ms` is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct At(pub i64);

#[derive(Serialize, Deserialize)]
struct AtFields {
    ms: i64,
    #[serde(default)]
    utc: String,
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let utc = Timestamp::from_millisecond(self.0).map(|at| at.to_string()).unwrap_or_default();
        AtFields { ms: self.0, utc }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AtFields::deserialize(deserializer).map(|fields| Self(fields.ms))
    }
}

/// One line of a truth file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A state ended.
    State(StateInterval),
    /// A work session closed.
    Session(Session),
    /// A field was finished.
    FieldDone(FieldDone),
    /// A grain tank was emptied.
    Unloading(Unloading),
    /// The fuel tank was filled.
    Refuel(FuelChange),
    /// Fuel was stolen.
    FuelTheft(FuelChange),
    /// A fault changed.
    Fault(Fault),
    /// The unit could not send, or did not run.
    Outage(Outage),
    /// The unit's clock was wrong.
    Clock(ClockError),
    /// The unit's position was wrong.
    Receiver(ReceiverError),
    /// The unit recorded.
    Recorded(Recorded),
    /// A working day ended.
    Day(Box<Day>),
}

impl Event {
    /// The working day in whose file the event stands.
    pub fn day(&self) -> Date {
        let at = match self {
            Self::Day(day) => return day.day,
            Self::State(interval) => interval.from,
            Self::Session(session) => session.from,
            Self::FieldDone(done) => done.at,
            Self::Unloading(unloading) => unloading.from,
            Self::Refuel(change) | Self::FuelTheft(change) => change.from,
            Self::Fault(fault) => fault.at,
            Self::Outage(outage) => outage.from,
            Self::Clock(clock) => clock.from,
            Self::Receiver(error) => error.from,
            Self::Recorded(recorded) => recorded.from,
        };
        working_day(at.0)
    }
}

/// What a machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The engine stands.
    #[default]
    Off,
    /// The engine runs, the machine stands (or works on the spot without working a field).
    Idle,
    /// It drives, not in work, outside the field that it works, or to another part of it.
    Transport,
    /// It drives on its field between two working runs.
    Turning,
    /// It works: the implement is in the ground or the crop.
    Working,
    /// It stands and unloads. Unloading while working is `working`; see [`Unloading::on_the_go`].
    Unloading,
}

impl State {
    /// All states, in the order of [`ByState`].
    pub const ALL: [Self; 6] = [Self::Off, Self::Idle, Self::Transport, Self::Turning, Self::Working, Self::Unloading];
}

/// A time in one state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateInterval {
    /// The state.
    pub state: State,
    /// First instant.
    pub from: At,
    /// First instant of the next state.
    pub to: At,
    /// Name of the field it was on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Operation, while the machine is on a field for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Way over ground, metres.
    pub distance_m: f64,
    /// Fuel burned, litres.
    pub fuel_l: f64,
}

/// Work of one machine on one field in one operation, joined as a farm would: it ends when the machine is out of the
/// field for more than 10 min, its engine stands for more than 45 min, or the working day ends. Work of less than
/// 5 min and 0.05 ha makes none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Name of the field.
    pub field: String,
    /// Operation, `ploughing`, `grain_harvest`.
    pub operation: String,
    /// Crop on the field; empty for bare ground.
    pub crop: String,
    /// Name of the implement or header.
    pub implement: String,
    /// Its working width, metres.
    pub width_m: f64,
    /// Beginning of the first working run.
    pub from: At,
    /// End of the last working run.
    pub to: At,
    /// Time in work, seconds.
    pub working_s: f64,
    /// Time in turns within the session, seconds.
    pub turning_s: f64,
    /// Way in work, metres.
    pub working_distance_m: f64,
    /// What the swath covered.
    pub area: SwathArea,
    /// Fuel burned in work and in turns, litres.
    pub working_fuel_l: f64,
    /// Fuel burned from `from` to `to`, litres.
    pub fuel_l: f64,
    /// What was harvested, for machines that harvest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harvest: Option<Harvest>,
}

/// What a swath covered on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SwathArea {
    /// Union of the swath, hectares: what a farm pays for.
    pub worked_ha: f64,
    /// Of that, covered more than once, hectares.
    pub double_worked_ha: f64,
    /// Width × distance, hectares: what a machine counts.
    pub width_distance_ha: f64,
}

/// What was harvested.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Harvest {
    /// Mass as harvested, tonnes.
    pub mass_t: f64,
    /// Mean moisture by mass, per cent.
    pub moisture_pct: f64,
    /// Mass without its water, tonnes.
    pub dry_mass_t: f64,
}

/// A field that is finished, over all days this machine worked on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldDone {
    /// When.
    pub at: At,
    /// Name of the field.
    pub field: String,
    /// Operation.
    pub operation: String,
    /// The field without its obstacles, hectares.
    pub field_ha: f64,
    /// The share of the field that was this machine's, hectares; the whole field where it worked alone.
    pub assigned_ha: f64,
    /// What the swath covered.
    pub area: SwathArea,
    /// Assigned and not worked, hectares: skips, corners, strips along obstacles.
    pub missed_ha: f64,
    /// What was harvested, for machines that harvest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harvest: Option<Harvest>,
}

/// A grain tank that was emptied into a truck.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unloading {
    /// Auger on.
    pub from: At,
    /// Auger off.
    pub to: At,
    /// What went over, tonnes.
    pub mass_t: f64,
    /// Whether the machine went on harvesting meanwhile.
    pub on_the_go: bool,
}

/// Fuel that came or went otherwise than by burning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FuelChange {
    /// Beginning.
    pub from: At,
    /// End.
    pub to: At,
    /// In the tank before, litres.
    pub before_l: f64,
    /// In the tank after, litres.
    pub after_l: f64,
    /// Latitude and longitude, degrees.
    pub position: (f64, f64),
}

/// A step in the life of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Number of the fault on this machine: the steps of one fault share it.
    pub number: u32,
    /// What is wrong with the machine.
    pub kind: String,
    /// Which step it is.
    pub step: FaultStep,
    /// When.
    pub at: At,
    /// Suspect parameter number, in steps of a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spn: Option<u32>,
    /// Failure mode, in steps of a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fmi: Option<u8>,
    /// How many times the code has come, in steps of a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence_count: Option<u8>,
    /// The signal that shows it first, `coolant_temp_c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// A step in the life of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultStep {
    /// The cause begins to act; signals begin to move.
    Begins,
    /// It has moved its signal by so much, for so long, that the records tell of it to whoever knows what is usual.
    Shows,
    /// A controller sets its code.
    CodeActive,
    /// A controller takes its code back.
    CodeGone,
    /// The cause is mended.
    Mended,
}

/// A time in which nothing of the machine arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// Beginning.
    pub from: At,
    /// End.
    pub to: At,
    /// Why.
    pub cause: OutageCause,
}

/// Why nothing arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageCause {
    /// No network: what was recorded arrives later.
    NoNetwork,
    /// The unit had no power: nothing was recorded.
    UnitOff,
    /// The unit restarted.
    Reboot,
}

/// A time in which the unit's clock was wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClockError {
    /// Beginning, true time.
    pub from: At,
    /// End, true time.
    pub to: At,
    /// What was wrong: `epoch_1970`, `gps_week`, `drift`, `local_as_utc`.
    pub kind: String,
    /// The clock's time less the true time at the beginning, milliseconds.
    pub offset_ms: i64,
}

/// A time in which the unit's position was wrong by more than receivers are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiverError {
    /// Beginning.
    pub from: At,
    /// End.
    pub to: At,
    /// What was wrong: `jump`, `drift`, `freeze`, `zero`, `no_position`.
    pub kind: String,
    /// How far off it was at the most, metres; 0 where that says nothing.
    pub metres: f64,
}

/// What the unit recorded in one boot on one working day: every number from `first_sequence` up to, not including,
/// `end_sequence` was given to one record, and is in the store in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Beginning.
    pub from: At,
    /// End.
    pub to: At,
    /// The boot.
    pub boot: u64,
    /// First number.
    pub first_sequence: u64,
    /// One past the last number that is kept.
    pub end_sequence: u64,
    /// Samples among the records, captures included.
    pub samples: u64,
    /// Fault reports among the records.
    pub faults: u64,
    /// Task records among the records.
    pub tasks: u64,
    /// Samples that the machine gave and the unit did not record.
    pub missed: u64,
    /// Records behind `end_sequence` that were lost with the power; nobody ever heard of them.
    pub lost: u64,
}

/// One number for each state.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the states")]
pub struct ByState {
    pub off: f64,
    pub idle: f64,
    pub transport: f64,
    pub turning: f64,
    pub working: f64,
    pub unloading: f64,
}

impl ByState {
    /// The number of `state`.
    pub fn of(&mut self, state: State) -> &mut f64 {
        match state {
            State::Off => &mut self.off,
            State::Idle => &mut self.idle,
            State::Transport => &mut self.transport,
            State::Turning => &mut self.turning,
            State::Working => &mut self.working,
            State::Unloading => &mut self.unloading,
        }
    }

    /// The sum over all states.
    pub fn total(&self) -> f64 {
        self.off + self.idle + self.transport + self.turning + self.working + self.unloading
    }
}

/// Counters of a machine, as they truly stand.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CountersTruth {
    /// Engine hours.
    pub engine_hours_h: f64,
    /// Fuel burned over the engine's life, litres.
    pub fuel_total_l: f64,
    /// Fuel in the tank, litres.
    pub tank_l: f64,
    /// Way over the machine's life, kilometres.
    pub odometer_km: f64,
}

/// A working day of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// The local date on which it began, at 04:00.
    pub day: Date,
    /// Beginning; later than 04:00 on the day on which the run began.
    pub from: At,
    /// End; earlier than 04:00 on the day on which the run ended.
    pub to: At,
    /// Counters at the beginning.
    pub at_start: CountersTruth,
    /// Counters at the end.
    pub at_end: CountersTruth,
    /// Time by state, seconds.
    pub seconds: ByState,
    /// Way by state, metres.
    pub distance_m: ByState,
    /// Fuel by state, litres.
    pub fuel_l: ByState,
    /// Sum of the areas of the day's sessions, hectares.
    pub area: SwathArea,
    /// Harvested in the day, short sessions included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harvest: Option<Harvest>,
    /// Filled in, litres.
    pub refuelled_l: f64,
    /// Stolen, litres.
    pub stolen_l: f64,
    /// Samples that the unit recorded.
    pub samples: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_working_day_begins_at_four_in_the_morning_in_tomsk() {
        let check = |utc: &str, day: &str| {
            let at: Timestamp = utc.parse().expect("a time");
            let held = working_day(at.as_millisecond());
            assert_eq!(held.to_string(), day, "{utc}");
            assert!(day_start_ms(held) <= at.as_millisecond() && at.as_millisecond() < day_start_ms(held) + 86_400_000);
        };
        check("2026-08-20T20:59:59.999Z", "2026-08-20");
        check("2026-08-20T21:00:00Z", "2026-08-21");
        check("1969-12-31T21:00:00Z", "1970-01-01");
    }

    #[test]
    fn a_line_says_what_happened_and_when_in_both_notations() {
        let line = Event::State(StateInterval {
            state: State::Working,
            from: At(1_787_198_400_000),
            to: At(1_787_198_460_250),
            field: Some("Field 7".into()),
            operation: Some("ploughing".into()),
            distance_m: 140.0,
            fuel_l: 0.4,
        });
        let text = serde_json::to_string(&line).expect("plain data serialises");
        expect![[r#"{"event":"state","state":"working","from":{"ms":1787198400000,"utc":"2026-08-20T04:00:00Z"},"to":{"ms":1787198460250,"utc":"2026-08-20T04:01:00.25Z"},"field":"Field 7","operation":"ploughing","distance_m":140.0,"fuel_l":0.4}"#]]
        .assert_eq(&text);
        let back: Event = serde_json::from_str(&text).expect("reads back");
        assert_eq!(back, line);
        assert_eq!(back.day().to_string(), "2026-08-20");
    }
}
