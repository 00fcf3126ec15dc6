//! The thresholds by which work is told from the rest.

/// Thresholds. The defaults are what the project uses; tests and other regions may differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Slower is standing.
    pub standing_kmh: f64,
    /// An engine that turns slower is off.
    pub engine_off_rpm: f64,
    /// How long the engine must be off to count.
    pub off_after_s: f64,
    /// How long a machine must stand to idle; shorter stops belong to what it did before.
    pub idle_after_s: f64,
    /// Evidence of work shorter than this is none: a header that dips.
    pub work_after_s: f64,
    /// Work that pauses for less goes on: a header that hops over a stone.
    pub rest_after_s: f64,
    /// Longest turn between two runs.
    pub turn_max_s: f64,
    /// Faster is the road, whatever the implement says.
    pub road_kmh: f64,
    /// A hitch below this is down (0 down, 100 up).
    pub hitch_down_pct: f64,
    /// A hitch above this is up; between the two it keeps what it was.
    pub hitch_up_pct: f64,
    /// A power take-off that turns faster drives something.
    pub pto_on_rpm: f64,
    /// Samples farther apart leave a gap in which nothing is known, unless the machine works on both sides.
    pub gap_s: f64,
    /// Longest gap over which work on both sides means work between.
    pub bridge_s: f64,
    /// A session ends when the machine is out of its field for longer.
    pub away_max_s: f64,
    /// A session ends when the engine is off for longer.
    pub off_max_s: f64,
    /// A session ends when nothing is known for longer.
    pub silent_max_s: f64,
    /// How far outside its boundary a field still counts: boundaries are drawn and antennas sit beside the implement.
    pub field_margin_m: f64,
    /// A machine this far from its field has left it.
    pub away_margin_m: f64,
    /// A session has at least this much work…
    pub least_work_s: f64,
    /// … or this much area.
    pub least_area_m2: f64,
    /// Two places outside known fields that are nearer to each other are one field.
    pub neighbour_m: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            standing_kmh: 0.5,
            engine_off_rpm: 300.0,
            off_after_s: 60.0,
            idle_after_s: 30.0,
            work_after_s: 3.0,
            rest_after_s: 5.0,
            turn_max_s: 90.0,
            road_kmh: 30.0,
            hitch_down_pct: 35.0,
            hitch_up_pct: 50.0,
            pto_on_rpm: 400.0,
            gap_s: 90.0,
            bridge_s: 15.0 * 60.0,
            away_max_s: 10.0 * 60.0,
            off_max_s: 45.0 * 60.0,
            silent_max_s: 90.0 * 60.0,
            field_margin_m: 5.0,
            away_margin_m: 20.0,
            least_work_s: 5.0 * 60.0,
            least_area_m2: 500.0,
            neighbour_m: 60.0,
        }
    }
}
