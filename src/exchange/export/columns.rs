//! The columns of each table. A column's name carries its unit; figures are those of the session, rounded only when
//! they are written.

use wire::SignalId;

use crate::derive::Readings;
use crate::derive::fieldwork::{Harvest, Session, TracePoint, YieldPoint};

use super::table::{Cell, Column, Style};
use super::work::Work;

const M2_PER_HA: f64 = 10_000.0;
const S_PER_H: f64 = 3_600.0;
const M_PER_KM: f64 = 1_000.0;
const KG_PER_T: f64 = 1_000.0;

/// One row a session.
pub fn sessions() -> Vec<Column<Work>> {
    let mut columns = vec![
        of_work("session_id", |work, _| session_id(work)),
        of_work("revision", |work, _| Cell::count(work.revision.into())),
        of_work("confirmed", |work, style| word("word", if work.is_confirmed { "yes" } else { "no" }, style)),
        of_work("machine", |work, _| Cell::text(Some(&work.machine.serial))),
        of_work("machine_name", |work, _| Cell::text(work.machine.name.as_deref())),
        of_work("model", |work, _| Cell::text(work.machine.model.as_deref())),
        of_work("farm", |work, _| Cell::text(work.farm.as_deref())),
        of_work("field", |work, _| Cell::text(work.field_name())),
        of_work("field_code", |work, _| Cell::text(work.field_code.as_deref())),
        of_session("operation", |s, style| word("operation", s.operation.name(), style)),
        of_session("crop", |s, style| {
            let crop = s.crop.as_deref();
            Cell::text(style.headings.and_then(|language| Some(language.crop(crop?))).as_deref().or(crop))
        }),
        of_session("operator", |s, _| Cell::text(s.operator.as_deref())),
        of_session("implement", |s, _| Cell::text(s.implement.as_deref())),
        of_session("working_day", |s, _| Cell::Day(s.working_day)),
        of_session("season", |s, _| Cell::Number(s.season.into(), 0)),
        of_session("started_at", |s, _| Cell::Time(s.started_at)),
        of_session("ended_at", |s, _| Cell::Time(s.ended_at)),
        of_session("evidence", |s, style| word("evidence", &code(&s.evidence), style)),
        of_session("passes", |s, _| Cell::count(s.passes.into())),
    ];
    columns.extend(times_and_ways());
    columns.extend(area());
    columns.extend(fuel());
    columns.extend(harvest());
    columns.extend(trust());
    columns
}

fn times_and_ways() -> Vec<Column<Work>> {
    vec![
        hours("total_h", |s| s.time.total_s),
        hours("working_h", |s| s.time.working_s),
        hours("turning_h", |s| s.time.turning_s),
        hours("unloading_h", |s| s.time.unloading_s),
        hours("idle_h", |s| s.time.idle_s),
        hours("transport_h", |s| s.time.transport_s),
        hours("off_h", |s| s.time.off_s),
        hours("unknown_h", |s| s.time.unknown_s),
        figure("idle_share_pct", 1, |s| s.rates.idle_share.map(|share| share * 100.0)),
        figure("working_distance_km", 3, |s| Some(s.distance.working_m / M_PER_KM)),
        figure("other_distance_km", 3, |s| Some(s.distance.other_m / M_PER_KM)),
        figure("speed_kmh", 1, |s| s.rates.speed_kmh),
    ]
}

fn area() -> Vec<Column<Work>> {
    vec![
        figure("width_m", 2, |s| s.width.mean_m),
        of_session("width_source", |s, style| word("source", &code(&s.width.source), style)),
        hectares("area_ha", |s| s.area.union_m2),
        hectares("area_error_ha", |s| s.area.error_m2),
        hectares("swept_ha", |s| s.area.swept_m2),
        figure("overlap_pct", 1, |s| s.area.overlap_share.map(|share| share * 100.0)),
        hectares("skipped_ha", |s| s.area.skipped_m2),
        hectares("missed_ha", |s| s.area.missed_m2),
        hectares("headland_ha", |s| s.area.headland_m2),
        figure("ha_per_h", 2, |s| s.rates.ha_per_h),
        figure("ha_per_h_at_work", 2, |s| s.rates.ha_per_h_at_work),
        figure("field_efficiency_pct", 1, |s| s.rates.field_efficiency.map(|share| share * 100.0)),
    ]
}

fn fuel() -> Vec<Column<Work>> {
    vec![
        of_session("fuel_source", |s, style| {
            s.fuel.map_or(Cell::Empty, |fuel| word("fuel_source", &code(&fuel.source), style))
        }),
        figure("fuel_l", 2, |s| s.fuel.map(|fuel| fuel.total_l)),
        figure("fuel_working_l", 2, |s| s.fuel.map(|fuel| fuel.working_l)),
        figure("fuel_turning_l", 2, |s| s.fuel.map(|fuel| fuel.turning_l)),
        figure("fuel_transport_l", 2, |s| s.fuel.map(|fuel| fuel.transport_l)),
        figure("fuel_idle_l", 2, |s| s.fuel.map(|fuel| fuel.idle_l)),
        figure("fuel_l_per_ha", 2, |s| s.rates.l_per_ha),
        figure("fuel_l_per_ha_total", 2, |s| s.rates.l_per_ha_total),
        figure("fuel_l_per_h", 2, |s| s.rates.l_per_h),
        figure("fuel_l_per_t", 3, |s| s.rates.l_per_t),
    ]
}

fn harvest() -> Vec<Column<Work>> {
    let of_harvest = |s: &Session, figure: fn(&Harvest) -> Option<f64>| s.harvest.as_ref().and_then(figure);
    vec![
        figure("wet_mass_t", 3, move |s| of_harvest(s, |harvest| Some(harvest.wet_kg / KG_PER_T))),
        figure("dry_mass_t", 3, move |s| of_harvest(s, |harvest| harvest.dry_kg.map(|kg| kg / KG_PER_T))),
        figure("standard_mass_t", 3, move |s| of_harvest(s, |harvest| harvest.standard_kg.map(|kg| kg / KG_PER_T))),
        figure("standard_moisture_pct", 1, move |s| of_harvest(s, |harvest| harvest.standard_moisture_pct)),
        figure("moisture_pct", 2, move |s| of_harvest(s, |harvest| harvest.moisture_pct)),
        figure("wet_yield_t_per_ha", 2, |s| s.rates.wet_t_per_ha),
        figure("dry_yield_t_per_ha", 2, |s| s.rates.dry_t_per_ha),
        figure("wet_mass_t_per_h", 2, |s| s.rates.t_per_h),
        figure("applied_mass_kg", 1, |s| s.applied.and_then(|applied| applied.mass_kg)),
        figure("applied_volume_l", 1, |s| s.applied.and_then(|applied| applied.volume_l)),
    ]
}

fn trust() -> Vec<Column<Work>> {
    vec![
        of_session("samples_stored", |s, _| Cell::count(s.completeness.stored)),
        of_session("samples_missing", |s, _| Cell::count(s.completeness.missing)),
        figure("complete_pct", 1, |s| s.completeness.share.map(|share| share * 100.0)),
        figure("longest_gap_s", 0, |s| Some(s.completeness.longest_gap_s)),
        figure("position_error_m", 2, |s| Some(s.positions.error_m)),
        of_session("remarks", |s, style| {
            let words: Vec<String> =
                s.remarks.iter().map(|remark| translated("remark", &code(remark), style)).collect();
            Cell::text(Some(&words.join("; ")))
        }),
    ]
}

/// A place of a session's way.
pub type TrackRow<'w> = (&'w Work, &'w TracePoint);

/// One row a place.
pub fn track<'w>() -> Vec<Column<TrackRow<'w>>> {
    fn of_point<'w>(
        name: &str,
        cell: impl Fn(&TracePoint, &Style) -> Cell + Send + Sync + 'static,
    ) -> Column<TrackRow<'w>> {
        Column::new(name, move |(_, point): &TrackRow<'w>, style| cell(point, style))
    }
    vec![
        Column::new("session_id", |(work, _): &TrackRow<'w>, _| session_id(work)),
        Column::new("machine", |(work, _): &TrackRow<'w>, _| Cell::text(Some(&work.machine.serial))),
        of_point("at", |point, _| Cell::Time(point.at)),
        of_point("latitude_deg", |point, _| Cell::Number(point.latitude_deg, 7)),
        of_point("longitude_deg", |point, _| Cell::Number(point.longitude_deg, 7)),
        of_point("state", |point, style| word("state", &code(&point.state), style)),
        of_point("speed_kmh", |point, _| Cell::number(point.speed_kmh, 2)),
    ]
}

/// A yield point of a session.
pub type YieldRow<'w> = (&'w Work, &'w YieldPoint);

/// One row a yield point, those that cleaning dropped included.
pub fn yield_points<'w>() -> Vec<Column<YieldRow<'w>>> {
    fn of_point<'w>(name: &str, cell: impl Fn(&YieldPoint) -> Cell + Send + Sync + 'static) -> Column<YieldRow<'w>> {
        Column::new(name, move |(_, point): &YieldRow<'w>, _| cell(point))
    }
    vec![
        Column::new("session_id", |(work, _): &YieldRow<'w>, _| session_id(work)),
        Column::new("machine", |(work, _): &YieldRow<'w>, _| Cell::text(Some(&work.machine.serial))),
        of_point("at", |point| Cell::Time(point.at)),
        of_point("latitude_deg", |point| Cell::Number(point.latitude_deg, 7)),
        of_point("longitude_deg", |point| Cell::Number(point.longitude_deg, 7)),
        of_point("flow_kg_per_s", |point| Cell::number(Some(point.flow_kgps), 4)),
        of_point("area_m2", |point| Cell::number(Some(point.area_m2), 2)),
        of_point("wet_yield_t_per_ha", |point| Cell::number(Some(point.wet_tpha), 3)),
        of_point("moisture_pct", |point| Cell::number(point.moisture_pct, 2)),
        // A code, not a word: programs filter by it.
        of_point("dropped", |point| Cell::text(point.dropped.map(|dropped| code(&dropped)).as_deref())),
    ]
}

/// A sample of a machine's readings.
pub type SampleRow<'r> = (&'r Readings, usize);

/// One row a sample: time, identity, and each signal that was reported, named with its unit.
pub fn samples<'r>(signals: impl IntoIterator<Item = SignalId>) -> Vec<Column<SampleRow<'r>>> {
    let mut columns = vec![
        Column::new("at", |(readings, index): &SampleRow<'r>, _| {
            let at = jiff::Timestamp::from_millisecond(readings.recorded_at_ms[*index]);
            at.map_or(Cell::Empty, Cell::Time)
        }),
        // As text: a boot has more digits than spreadsheets keep.
        Column::new("boot", |(readings, index): &SampleRow<'r>, _| Cell::Text(readings.identity[*index].0.to_string())),
        Column::new("sequence", |(readings, index): &SampleRow<'r>, _| {
            Cell::Number(readings.identity[*index].1 as f64, 0)
        }),
    ];
    columns.extend(signals.into_iter().map(|signal| {
        let decimals = decimals_of(signal);
        Column::new(&signal.to_string(), move |(readings, index): &SampleRow<'r>, _| {
            Cell::number(readings.signal(signal).at(*index), decimals)
        })
    }));
    columns
}

/// As many decimals as one step of the signal has.
fn decimals_of(signal: SignalId) -> u8 {
    let step = signal.resolution().physical(1);
    (0..9_u8)
        .find(|decimals| {
            let scaled = step * 10_f64.powi(i32::from(*decimals));
            scaled >= 1.0 - 1e-9 && (scaled - scaled.round()).abs() < 1e-6
        })
        .unwrap_or(9)
}

fn of_work(name: &str, cell: impl Fn(&Work, &Style) -> Cell + Send + Sync + 'static) -> Column<Work> {
    Column::new(name, cell)
}

fn of_session(name: &str, cell: impl Fn(&Session, &Style) -> Cell + Send + Sync + 'static) -> Column<Work> {
    of_work(name, move |work, style| cell(&work.session, style))
}

fn session_id(work: &Work) -> Cell {
    Cell::Number(work.session_id as f64, 0)
}

fn figure(name: &str, decimals: u8, value: impl Fn(&Session) -> Option<f64> + Send + Sync + 'static) -> Column<Work> {
    of_session(name, move |session, _| Cell::number(value(session), decimals))
}

fn hours(name: &str, seconds: impl Fn(&Session) -> f64 + Send + Sync + 'static) -> Column<Work> {
    figure(name, 3, move |session| Some(seconds(session) / S_PER_H))
}

fn hectares(name: &str, m2: impl Fn(&Session) -> Option<f64> + Send + Sync + 'static) -> Column<Work> {
    figure(name, 4, move |session| m2(session).map(|m2| m2 / M2_PER_HA))
}

/// A word of a fixed set: its code for programs, its translation for people.
fn word(set: &str, code: &str, style: &Style) -> Cell {
    Cell::Text(translated(set, code, style))
}

fn translated(set: &str, code: &str, style: &Style) -> String {
    style.headings.map_or_else(|| code.to_owned(), |language| language.word(set, code))
}

/// The name under which an enum without content is serialized.
pub fn code<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}
