//! What stands behind the figures of a session: the way with its states, the swath, the yield points. It is worked
//! out from stored samples whenever someone asks, so nothing of it needs to be stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use super::build::Builder;
use crate::derive::geometry::Point;

/// What stands behind the figures of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The way from the first to the last moment of work.
    pub points: Vec<TracePoint>,
    /// The swath of each run.
    pub swaths: Vec<Swath>,
    /// Outlines of the worked area: first the outer one, counter-clockwise, then its holes; latitude and longitude.
    pub coverage: Vec<Vec<Vec<[f64; 2]>>>,
    /// Yield points, those that cleaning dropped included.
    pub yield_points: Vec<YieldPoint>,
}

/// One place of the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TracePoint {
    /// When.
    pub at: Timestamp,
    /// Latitude in degrees.
    pub latitude_deg: f64,
    /// Longitude in degrees.
    pub longitude_deg: f64,
    /// What the machine did.
    pub state: State,
    /// Speed, km/h.
    pub speed_kmh: Option<f64>,
}

/// The strip that one run covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swath {
    /// Begin of the run.
    pub started_at: Timestamp,
    /// End of the run.
    pub ended_at: Timestamp,
    /// Middle of the strip (implement offsets applied): latitude, longitude, width in metres.
    pub middle: Vec<[f64; 3]>,
}

/// Yield at one place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct YieldPoint {
    /// When the crop was cut: the measurement less the delay.
    pub at: Timestamp,
    /// Latitude in degrees.
    pub latitude_deg: f64,
    /// Longitude in degrees.
    pub longitude_deg: f64,
    /// Mass flow, kg/s.
    pub flow_kgps: f64,
    /// Area that this point covered for the first time, m².
    pub area_m2: f64,
    /// Wet yield, t/ha.
    pub wet_tpha: f64,
    /// Moisture, %.
    pub moisture_pct: Option<f64>,
    /// Why the point is not used; absent for good ones.
    pub dropped: Option<Dropped>,
}

/// Why a yield point is not used, in the order in which the reasons are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// No fix, a poor one, a repeated time or a gap before it.
    Position,
    /// Speed outside what harvest allows, or changing abruptly.
    Speed,
    /// Header up, work state off, no flow, or the machine says to ignore the yield.
    NotInWork,
    /// The machine fills: the first seconds of a run.
    Lead,
    /// The machine empties: the last seconds of a run.
    Lag,
    /// Most of the width had been cut before.
    Overlap,
    /// Yield or moisture that the crop does not have.
    Range,
    /// Far from what the neighbourhood yields.
    Neighbourhood,
}

impl Dropped {
    /// How many reasons there are.
    pub const COUNT: usize = 8;
}

/// Fills in the way, the swath and the coverage of a session.
pub(super) fn trace_of(builder: &Builder<'_, '_>, trace: &mut Trace) {
    let day = builder.day;
    let at = |index: usize| Timestamp::from_millisecond(day.work.readings.recorded_at_ms[index]).unwrap_or_default();
    let placed = builder.intervals.clone().filter(|index| !day.track.degrees[*index].0.is_nan());
    trace.points = placed
        .map(|index| {
            let (latitude_deg, longitude_deg) = day.track.degrees[index];
            let speed_kmh = Some(day.track.speed_mps[index] * 3.6).filter(|speed| !speed.is_nan());
            TracePoint { at: at(index), latitude_deg, longitude_deg, state: day.states[index], speed_kmh }
        })
        .collect();
    let degrees = |point| {
        let (latitude, longitude) = builder.frame.degrees(point);
        [latitude, longitude]
    };
    for (run, strip) in builder.group.runs.iter().zip(&builder.strips) {
        let middle = strip.vertices.iter().map(|vertex| {
            let [latitude, longitude] = degrees(vertex.at);
            let width_m = day.width_at(vertex.sample.min(*run.end())).0.or(builder.width_m).unwrap_or(0.0);
            [latitude, longitude, width_m]
        });
        trace.swaths.push(Swath { started_at: at(*run.start()), ended_at: at(*run.end()), middle: middle.collect() });
    }
    if let Some(coverage) = &builder.coverage {
        let ring = |ring: Vec<Point>| ring.into_iter().map(degrees).collect();
        trace.coverage = coverage.regions().into_iter().map(|region| region.into_iter().map(ring).collect()).collect();
    }
}
