//! A session of an hour as tests need it: a combine that cuts two passes of a known field.

use jiff::Timestamp;
use jiff::civil::date;
use wire::catalogue;

use crate::derive::Readings;
use crate::derive::field::{Boundary, Field, FieldId, LatLon, RawBoundary, Rules};
use crate::derive::fieldwork::{
    Applied, Area, Cleaning, Completeness, DeviceTotal, DistanceSource, Distances, Dropped, Evidence, Fuel, FuelSource,
    Harvest, MassSource, Operation, Place, Positions, Quantity, Rates, Remark, Session, Source, State, Swath, Times,
    TotalSource, Trace, TracePoint, Width, YieldPoint,
};

use super::{Machine, Work};

/// Seconds of the session.
pub(crate) const SECONDS: i64 = 3_600;

pub(crate) fn start() -> Timestamp {
    "2026-08-20T18:30:00Z".parse().expect("a time")
}

pub(crate) fn field() -> Field {
    let corners = [(56.2500, 83.9600), (56.2500, 83.9700), (56.2560, 83.9700), (56.2560, 83.9600)];
    let ring = |points: &[(f64, f64)]| -> Vec<LatLon> {
        points.iter().map(|&(lat_deg, lon_deg)| LatLon { lat_deg, lon_deg }).collect()
    };
    let hole = [(56.2530, 83.9650), (56.2530, 83.9660), (56.2534, 83.9660), (56.2534, 83.9650)];
    let raw = RawBoundary { outers: vec![ring(&corners)], holes: vec![ring(&hole)], repeats_first_point: false };
    let boundary = Boundary::build(&raw, &Rules::default()).expect("a sound boundary").boundary;
    Field {
        id: FieldId(7),
        name: "Дальнее & ближнее".into(),
        code: Some("12/3".into()),
        farm: Some("Колхоз \"Заря\"".into()),
        crop: Some("spring wheat".into()),
        boundary,
    }
}

pub(crate) fn work() -> Work {
    let field = field();
    Work {
        session_id: 41,
        revision: 2,
        is_confirmed: false,
        machine: Machine {
            serial: "BY-1218-0007".into(),
            name: Some("Комбайн 7".into()),
            model: Some("kzs-1218".into()),
        },
        farm: field.farm.clone(),
        field_code: field.code.clone(),
        session: session(&field),
    }
}

pub(crate) fn session(field: &Field) -> Session {
    let started_at = start();
    Session {
        started_at,
        ended_at: started_at + jiff::SignedDuration::from_secs(SECONDS),
        working_day: date(2026, 8, 20),
        season: 2026,
        place: Place::Field { field_id: field.id.0, name: field.name.clone(), share: 0.99 },
        bounds: None,
        operation: Operation::GrainHarvest,
        operation_source: Source::Task,
        crop: Some("spring wheat".into()),
        operator: Some("Иван Петров".into()),
        implement: None,
        tasks: vec!["TSK1".into()],
        evidence: Evidence::Implement,
        passes: 2,
        time: Times { total_s: 3_600.0, working_s: 3_000.0, turning_s: 300.0, idle_s: 300.0, ..Times::default() },
        distance: Distances { working_m: 4_600.0, other_m: 320.0, source: DistanceSource::Positions },
        width: Width { mean_m: Some(7.0), max_m: Some(7.0), source: Source::Reported },
        area: Area {
            union_m2: Some(31_400.0),
            unplaced_m2: None,
            swept_m2: Some(32_200.0),
            overlap_share: Some(0.024_844),
            skipped_m2: Some(210.0),
            missed_m2: Some(380_000.0),
            headland_m2: Some(4_000.0),
            error_m2: Some(150.0),
        },
        fuel: Some(Fuel {
            source: FuelSource::Counter,
            total_l: 34.25,
            working_l: 30.0,
            turning_l: 2.5,
            transport_l: 0.0,
            idle_l: 1.75,
            coverage: 1.0,
        }),
        harvest: Some(Harvest {
            source: MassSource::Flow,
            wet_kg: 8_164.0,
            dry_kg: Some(6_694.5),
            standard_kg: Some(7_784.0),
            standard_moisture_pct: Some(14.0),
            moisture_pct: Some(18.0),
            cross_check_kg: None,
            flow_delay_s: 12.0,
            cleaning: Cleaning { points: 3, kept: 1, ..Cleaning::default() },
        }),
        applied: Some(Applied { mass_kg: Some(12.5), volume_l: None }),
        rates: Rates {
            ha_per_h: Some(3.14),
            ha_per_h_at_work: Some(3.768),
            field_efficiency: Some(0.813),
            speed_kmh: Some(5.52),
            l_per_ha: Some(10.35),
            l_per_ha_total: Some(10.91),
            l_per_h: Some(34.25),
            wet_t_per_ha: Some(2.6),
            dry_t_per_ha: Some(2.132),
            t_per_h: Some(9.797),
            l_per_t: Some(4.195),
            idle_share: Some(0.0833),
        },
        device_totals: vec![DeviceTotal {
            quantity: Quantity::AreaM2,
            reported_by: TotalSource::Task,
            device: 32_000.0,
            ours: Some(32_200.0),
            difference: Some(0.00625),
        }],
        completeness: Completeness {
            stored: 3_560,
            missing: 41,
            share: Some(0.9886),
            estimated_time: 0,
            longest_gap_s: 41.0,
        },
        positions: Positions { share: 1.0, error_m: 0.4, is_reported: true, jumps: 0 },
        remarks: vec![Remark::RecordsMissing, Remark::WorkedThroughGap],
    }
}

/// One place a second: east, then back west.
fn place(second: i64) -> (f64, f64) {
    let half = SECONDS / 2;
    let (row, along) = if second < half { (0.0, second) } else { (1.0, SECONDS - second) };
    let degrees = |value: f64| (value * 1e7).round() / 1e7;
    (degrees(56.251 + row * 0.000_063), degrees(83.961 + along as f64 * 4.5e-6))
}

pub(crate) fn readings() -> Readings {
    let mut readings = Readings::default();
    for second in 0..=SECONDS {
        let index = readings.push(start().as_millisecond() + second * 1_000, 5, second);
        let (lat, lon) = place(second);
        // The receiver loses its fix for a while.
        if !(100..110).contains(&second) {
            readings.set(index, catalogue::LATITUDE_DEG, lat);
            readings.set(index, catalogue::LONGITUDE_DEG, lon);
            readings.set(index, catalogue::ALTITUDE_M, 118.25);
            readings.set(index, catalogue::GNSS_FIX, 4.0);
        }
        readings.set(index, catalogue::GROUND_SPEED_KMH, 5.5);
        readings.set(index, catalogue::FUEL_TOTAL_L, 12_000.0 + 34.25 * second as f64 / SECONDS as f64);
        if second % 5 == 0 {
            readings.set(index, catalogue::CROP_FLOW_KGPS, 2.7);
            readings.set(index, catalogue::CROP_MOISTURE_PCT, 18.0);
            readings.set(index, wire::SignalId::raw_ddi(0xEA60), 1_900.0);
        }
    }
    readings.sort();
    readings
}

pub(crate) fn trace() -> Trace {
    let at = |second: i64| start() + jiff::SignedDuration::from_secs(second);
    let state = |second: i64| match second {
        1_650..=1_949 => State::Turning,
        3_300.. => State::Idle,
        _ => State::Working,
    };
    let points = (0..=SECONDS).filter(|second| !(100..110).contains(second)).map(|second| {
        let (latitude_deg, longitude_deg) = place(second);
        TracePoint { at: at(second), latitude_deg, longitude_deg, state: state(second), speed_kmh: Some(5.5) }
    });
    let yield_point = |second: i64, wet_tpha: f64, dropped| {
        let (latitude_deg, longitude_deg) = place(second);
        YieldPoint {
            at: at(second),
            latitude_deg,
            longitude_deg,
            flow_kgps: 2.7,
            area_m2: 10.7,
            wet_tpha,
            moisture_pct: Some(18.0),
            dropped,
        }
    };
    let middle = |from: i64, to: i64| (from..to).step_by(60).map(|second| [place(second).0, place(second).1, 7.0]);
    Trace {
        points: points.collect(),
        swaths: vec![
            Swath { started_at: at(0), ended_at: at(1_649), middle: middle(0, 1_650).collect() },
            Swath { started_at: at(1_950), ended_at: at(3_299), middle: middle(1_950, 3_300).collect() },
        ],
        coverage: vec![vec![vec![[56.2509, 83.961], [56.2509, 83.968], [56.2511, 83.968], [56.2511, 83.961]]]],
        yield_points: vec![
            yield_point(10, 0.4, Some(Dropped::Lead)),
            yield_point(60, 2.6, None),
            yield_point(1_700, 9.9, Some(Dropped::NotInWork)),
        ],
    }
}
