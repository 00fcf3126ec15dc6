//! The work session: what was done, where, when and at what cost, as a farm can sign it.
//!
//! One session is the work of one machine on one field with one operation, from the first to the last moment of work.
//! Headland turns, unloading stops and lost radio do not end it. It is a pure function of stored samples and of the
//! settings: the same input gives the same bytes, whatever the order of arrival.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Operation, State};

/// The work of one machine on one field with one operation.
///
/// Areas are in m², masses in kg, volumes in litres, times in seconds, distances in metres; [`Rates`] holds what
/// people compare. A figure that could not be known is absent, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// First moment of work.
    pub started_at: Timestamp,
    /// Last moment of work.
    pub ended_at: Timestamp,
    /// The working day: it begins at the configured hour, so that night harvest stays whole.
    pub working_day: Date,
    /// The season: the year of the harvest that the work serves.
    pub season: i16,
    /// Where.
    pub place: Place,
    /// The box around the positions at work; absent without any.
    pub bounds: Option<GeoBox>,
    /// What was done.
    pub operation: Operation,
    /// What told the operation.
    pub operation_source: Source,
    /// Crop, as the task, the field or the monitor names it.
    pub crop: Option<String>,
    /// Operator, as the task names him.
    pub operator: Option<String>,
    /// Implement, as assigned or as the task names it.
    pub implement: Option<String>,
    /// Tasks of the machine that the session served, in order of their names.
    pub tasks: Vec<String>,
    /// How work was told from the rest.
    pub evidence: Evidence,
    /// Runs of uninterrupted work: passes between turns.
    pub passes: u32,
    /// Where the time went.
    pub time: Times,
    /// Where the way went.
    pub distance: Distances,
    /// Working width.
    pub width: Width,
    /// Area worked.
    pub area: Area,
    /// Fuel burned; absent when nothing tells it.
    pub fuel: Option<Fuel>,
    /// What was harvested; absent when no crop was measured.
    pub harvest: Option<Harvest>,
    /// What was applied; absent when the machine reports none.
    pub applied: Option<Applied>,
    /// What people compare.
    pub rates: Rates,
    /// The machine's own totals beside ours.
    pub device_totals: Vec<DeviceTotal>,
    /// How much of what the machine recorded is in the store.
    pub completeness: Completeness,
    /// How good the positions were.
    pub positions: Positions,
    /// What a reader should know before signing.
    pub remarks: Vec<Remark>,
}

/// Where a session took place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Place {
    /// A known field, by majority of the time at work.
    Field {
        /// Number in the registry.
        field_id: i64,
        /// Its name.
        name: String,
        /// Share of the working time inside its boundary, 0 to 1.
        share: f64,
    },
    /// Outside every known field.
    Outside {
        /// What the task calls the field.
        name: Option<String>,
        /// Outline of the worked area, a boundary to propose: latitude and longitude in degrees, counter-clockwise,
        /// first point not repeated.
        proposed_boundary: Vec<[f64; 2]>,
    },
}

/// A box of degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct GeoBox {
    pub south_deg: f64,
    pub west_deg: f64,
    pub north_deg: f64,
    pub east_deg: f64,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The machine, in its telemetry or its time log.
    Reported,
    /// The task that the machine reported.
    Task,
    /// The implement assigned to the machine.
    Assigned,
    /// The settings of the machine.
    Machine,
    /// Worked out from signals or geometry.
    Inferred,
    /// Nobody.
    Unknown,
}

/// How work was told from the rest, best first. A session names the kind that decided most of its working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The implement says that it works: work state, header, hitch, sections, power take-off.
    Implement,
    /// The engine works: fuel rate or load above what driving takes.
    Engine,
    /// Only the track speaks: parallel passes, speed, turns, being inside a field.
    Geometry,
}

/// Seconds in each state between the first and the last moment of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// From first to last moment of work.
    pub total_s: f64,
    /// At work: the effective time of ISO 11783-11. Everything else in the session is ineffective.
    pub working_s: f64,
    /// Turning between runs.
    pub turning_s: f64,
    /// Standing or creeping to unload.
    pub unloading_s: f64,
    /// Engine on, standing.
    pub idle_s: f64,
    /// Moving without working, turns left out.
    pub transport_s: f64,
    /// Engine off.
    pub off_s: f64,
    /// Without data. Work on both sides of a short gap counts as work and is not in here.
    pub unknown_s: f64,
    /// Unloading while at work; part of `working_s`.
    pub unloading_at_work_s: f64,
}

impl Times {
    /// The ineffective time of ISO 11783-11.
    pub fn ineffective_s(&self) -> f64 {
        self.total_s - self.working_s
    }

    /// Adds seconds in a state.
    pub fn add(&mut self, state: State, seconds: f64) {
        match state {
            State::Working => self.working_s += seconds,
            State::Turning => self.turning_s += seconds,
            State::Unloading => self.unloading_s += seconds,
            State::Idle => self.idle_s += seconds,
            State::Transport => self.transport_s += seconds,
            State::Off => self.off_s += seconds,
            State::Unknown => self.unknown_s += seconds,
        }
    }
}

/// Metres travelled between the first and the last moment of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// At work: the effective distance.
    pub working_m: f64,
    /// Not at work.
    pub other_m: f64,
    /// What measured it.
    pub source: DistanceSource,
}

/// What measured a distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistanceSource {
    /// The distance a monitor logs with each record.
    Interval,
    /// Speed of the receiver or the wheels over time.
    Speed,
    /// From position to position.
    #[default]
    Positions,
}

/// Working width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Width {
    /// Mean over the distance at work, metres; absent when nothing tells it.
    pub mean_m: Option<f64>,
    /// Greatest in use.
    pub max_m: Option<f64>,
    /// Who says so. `Inferred`: from the distance between neighbouring passes.
    pub source: Source,
}

/// Area worked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Union of the swath on the ellipsoid, each place once: the area to bill. Slits between passes that are narrower
    /// than positions can tell are closed.
    pub union_m2: Option<f64>,
    /// Of the union: worked while the receiver had lost its way, by speed and width, overlapping as the rest does.
    /// Absent when every place is known.
    pub unplaced_m2: Option<f64>,
    /// Width × distance at work: what a machine counts. Overlap counts twice.
    pub swept_m2: Option<f64>,
    /// Swept beyond the union, share of the swept area.
    pub overlap_share: Option<f64>,
    /// Strips inside the worked area that no pass covered and that are wider than positions can tell.
    pub skipped_m2: Option<f64>,
    /// Inside the known field and not worked in this session.
    pub missed_m2: Option<f64>,
    /// Worked within three widths of the edge of the field, or of the worked area where the field is unknown.
    pub headland_m2: Option<f64>,
    /// Standard error of the union from the quality of the positions, gaps in the data and the raster.
    pub error_m2: Option<f64>,
}

/// Fuel burned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fuel {
    /// What measured it.
    pub source: FuelSource,
    /// From first to last moment of work.
    pub total_l: f64,
    /// At work.
    pub working_l: f64,
    /// Turning.
    pub turning_l: f64,
    /// On the move otherwise.
    pub transport_l: f64,
    /// Standing: idle and unloading.
    pub idle_l: f64,
    /// Share of the time in which the source reported, 0 to 1.
    pub coverage: f64,
}

/// What measured the fuel, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FuelSource {
    /// The engine's counter of high resolution (SPN 5054).
    Counter,
    /// The counter of the task (DDI 148).
    TaskCounter,
    /// The engine's counter in steps of half a litre (SPN 250).
    CoarseCounter,
    /// Fuel rate over time (SPN 183 or DDI 149).
    Rate,
    /// What went from the tank.
    Level,
}

impl FuelSource {
    const NAMES: [(Self, &str); 5] = [
        (Self::Counter, "counter"),
        (Self::TaskCounter, "task_counter"),
        (Self::CoarseCounter, "coarse_counter"),
        (Self::Rate, "rate"),
        (Self::Level, "level"),
    ];

    /// Name as in JSON, the database and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(source, _)| *source == self).map_or("", |(_, name)| name)
    }

    /// The source of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(source, _)| source)
    }
}

/// What was harvested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Harvest {
    /// What measured the mass.
    pub source: MassSource,
    /// As harvested, kg, before any cleaning.
    pub wet_kg: f64,
    /// Dry matter, kg; absent without moisture.
    pub dry_kg: Option<f64>,
    /// At the moisture that trade refers to, kg; absent without moisture or for a crop that has none.
    pub standard_kg: Option<f64>,
    /// The moisture `standard_kg` refers to, %.
    pub standard_moisture_pct: Option<f64>,
    /// Mean moisture weighted by mass, %.
    pub moisture_pct: Option<f64>,
    /// The other measure of the mass, where the machine has both a counter and a flow: kg.
    pub cross_check_kg: Option<f64>,
    /// Time from header to sensor that was used, s.
    pub flow_delay_s: f64,
    /// Yield points by what became of them.
    pub cleaning: Cleaning,
}

/// What measured a mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MassSource {
    /// The counter of the task.
    Counter,
    /// Mass flow over time.
    Flow,
}

/// Yield points by what became of them, and the yield that the good ones show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cleaning {
    /// All points at work.
    pub points: u32,
    /// Points that are kept.
    pub kept: u32,
    /// Points dropped, by [`Drop`](super::Dropped) in its order.
    pub dropped: [u32; super::Dropped::COUNT],
    /// Mean wet yield of the points that are kept, t/ha, weighted by area.
    pub wet_tpha: Option<f64>,
    /// Standard deviation of the kept points' wet yield, t/ha.
    pub deviation_tpha: Option<f64>,
}

/// What was applied: seed, fertiliser, spray.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// Mass, kg.
    pub mass_kg: Option<f64>,
    /// Volume, L.
    pub volume_l: Option<f64>,
}

/// What people compare, each absent when a part of it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Union per hour of the session.
    pub ha_per_h: Option<f64>,
    /// Union per hour at work.
    pub ha_per_h_at_work: Option<f64>,
    /// Union per hour of the session over width × working speed: field efficiency, 0 to 1.
    pub field_efficiency: Option<f64>,
    /// Mean speed at work.
    pub speed_kmh: Option<f64>,
    /// Litres at work and turning per hectare of the union.
    pub l_per_ha: Option<f64>,
    /// All litres of the session per hectare of the union.
    pub l_per_ha_total: Option<f64>,
    /// Litres per hour with the engine on.
    pub l_per_h: Option<f64>,
    /// Wet tonnes per hectare of the union.
    pub wet_t_per_ha: Option<f64>,
    /// Dry tonnes per hectare of the union.
    pub dry_t_per_ha: Option<f64>,
    /// Wet tonnes per hour at work.
    pub t_per_h: Option<f64>,
    /// Litres per wet tonne.
    pub l_per_t: Option<f64>,
    /// Idle share of the time with the engine on, 0 to 1.
    pub idle_share: Option<f64>,
}

/// A total that the machine itself counts, beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeviceTotal {
    /// What is counted.
    pub quantity: Quantity,
    /// Where the machine says it.
    pub reported_by: TotalSource,
    /// The machine's figure, in the unit of the quantity.
    pub device: f64,
    /// Ours; absent when we have none.
    pub ours: Option<f64>,
    /// (ours − device) / device; absent when either is, or the device counts nothing.
    pub difference: Option<f64>,
}

/// What a machine counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Area, m² (DDI 116); beside it stands our width × distance.
    AreaM2,
    /// Distance at work, m (DDI 117).
    WorkingDistanceM,
    /// Distance not at work, m (DDI 118).
    OtherDistanceM,
    /// Time at work, s (DDI 119).
    WorkingTimeS,
    /// Time not at work, s (DDI 120).
    OtherTimeS,
    /// Fuel, L (DDI 148).
    FuelL,
    /// Harvested mass, kg (DDI 90).
    WetMassKg,
    /// Harvested dry mass, kg (DDI 183).
    DryMassKg,
    /// Mean moisture, % (DDI 262).
    MoisturePct,
    /// Applied mass, kg (DDI 81).
    AppliedMassKg,
}

/// Where a machine says a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalSource {
    /// In the report of a task.
    Task,
    /// In a counter among the samples: the difference over the session.
    Counter,
}

/// How much of what the machine recorded during the session is in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// Records stored.
    pub stored: u64,
    /// Records the machine numbered that never came.
    pub missing: u64,
    /// Stored share, 0 to 1.
    pub share: Option<f64>,
    /// Longest time without a sample, s.
    pub longest_gap_s: f64,
    /// Samples whose time was estimated.
    pub estimated_time: u64,
}

/// How good the positions were at work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Positions {
    /// Share of the samples at work that have a usable position, 0 to 1.
    pub share: f64,
    /// How far one pass strays from its neighbours, m.
    pub error_m: f64,
    /// Whether the receiver told its quality; otherwise `error_m` is what a plain receiver has.
    pub is_reported: bool,
    /// Positions left out because they jumped.
    pub jumps: u32,
}

/// What a reader should know before signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// The width is not reported and was taken from the distance between passes, or is unknown.
    WidthInferred,
    /// No width at all: there is no area.
    WidthUnknown,
    /// Part of the area was worked without positions and is told by speed and width.
    AreaPartlyBySpeed,
    /// Records of the time are missing.
    RecordsMissing,
    /// There was a time without data; the machine was taken to work on where it worked before and after.
    WorkedThroughGap,
    /// There was a time without data of which nothing is known.
    WithoutDataPartly,
    /// Part of the work lies outside the field's boundary and is not in its area.
    PartlyOutsideField,
    /// The machine's own area differs by more than 3 %.
    AreaDiffersFromMachine,
    /// The machine's own fuel differs by more than 5 %.
    FuelDiffersFromMachine,
    /// The machine's own mass differs by more than 3 %.
    MassDiffersFromMachine,
    /// Fuel was not reported for part of the time.
    FuelPartly,
    /// Work was recognised by geometry alone.
    GeometryOnly,
    /// Times were estimated because the machine's clock was wrong.
    TimesEstimated,
    /// The way by positions and the way that the machine measured differ by more than 3 %.
    WaysDiffer,
    /// A counter ran backwards and was taken as reset.
    CounterReset,
    /// The operation is not told by anyone.
    OperationUnknown,
}
