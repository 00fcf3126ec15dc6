//! What a fleet tells about its machines and fields, for lists, registers and drawings.

use serde::Serialize;
use wire::MachineSerial;

use super::land::NetworkCoverage;
use crate::truth::State;

/// What a fleet knows of one of its machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineInfo {
    /// Serial.
    pub serial: MachineSerial,
    /// Model code, `gs12`.
    pub model: String,
    /// Model name, `PALESSE GS12`.
    pub name: String,
    /// Kind of machine, `combine`.
    pub kind: String,
    /// Farm or enterprise.
    pub farm: String,
    /// District.
    pub district: String,
    /// Network coverage there.
    pub coverage: NetworkCoverage,
    /// Latitude and longitude of its yard, degrees.
    pub yard: (f64, f64),
}

/// A field of a fleet's farms, for drawing and for registers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldInfo {
    /// Name, unique in the fleet.
    pub name: String,
    /// Farm.
    pub farm: String,
    /// District.
    pub district: String,
    /// Crop in the year in which the fleet starts.
    pub crop: String,
    /// Area without obstacles, hectares.
    pub area_ha: f64,
    /// Boundary as latitude and longitude in degrees, counter-clockwise, not closed.
    pub outline: Vec<(f64, f64)>,
    /// Obstacles, each like the boundary but clockwise.
    pub holes: Vec<Vec<(f64, f64)>>,
}

/// What a machine did in some time, for a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// The fields on which it was.
    pub fields: Vec<FieldInfo>,
    /// Where it was, ascending in time; states change only at points.
    pub track: Vec<TrackPoint>,
    /// Latitude and longitude of its yard, degrees.
    pub yard: (f64, f64),
    /// Width of the widest swath that it worked, metres; 0 where it worked none.
    pub width_m: f64,
}

/// A place of a machine on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackPoint {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Latitude and longitude, degrees: where it truly was.
    pub position: (f64, f64),
    /// What it did from here to the next point.
    pub state: State,
}
