//! Sessions and days for tests.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;

use super::*;

/// A session on a field, from one second to another, with nothing in it.
pub(crate) fn session(field_id: i64, seconds: Range<i64>) -> Session {
    let at = |second: i64| Timestamp::from_second(second).expect("a time");
    Session {
        started_at: at(seconds.start),
        ended_at: at(seconds.end),
        working_day: Date::constant(1970, 1, 1),
        season: 1970,
        place: Place::Field { field_id, name: format!("Field {field_id}"), share: 1.0 },
        bounds: None,
        operation: Operation::Ploughing,
        operation_source: Source::Assigned,
        crop: None,
        operator: None,
        implement: None,
        tasks: Vec::new(),
        evidence: Evidence::Implement,
        passes: 1,
        time: Times::default(),
        distance: Distances::default(),
        width: Width { mean_m: Some(4.0), max_m: Some(4.0), source: Source::Assigned },
        area: Area { union_m2: Some(10_000.0), ..Area::default() },
        fuel: None,
        harvest: None,
        applied: None,
        rates: Rates::default(),
        device_totals: Vec::new(),
        completeness: Completeness::default(),
        positions: Positions::default(),
        remarks: Vec::new(),
    }
}
