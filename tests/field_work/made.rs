//! Drives whose truth is known by construction.

use polevod::derive::field::Fields;
use polevod::derive::fieldwork::{
    Evidence, FuelSource, ImplementUse, Machine, Operation, Place, Remark, Session, Source, State,
};

use crate::drive::{Drive, Known, Sensors, field};

/// Ten passes of 400 m at 9 km/h with 6 m: 2.4 ha.
fn field_day(sensors: Sensors) -> Drive {
    let mut drive = Drive::begin("08:00", sensors, 6.0);
    drive.stand(120, true);
    drive.passes(10, 400.0, 9.0);
    drive.stand(120, true);
    drive
}

fn known_width() -> Known {
    let implement = ImplementUse {
        period: 0..i64::MAX,
        name: "KPE-6".into(),
        width_m: Some(6.0),
        operation: Some(Operation::Cultivation),
        offset_ahead_m: 0.0,
        offset_right_m: 0.0,
    };
    Known { machine: Machine { implements: vec![implement], ..Machine::default() }, ..Known::default() }
}

/// Hectares and number of passes, session by session.
fn areas(sessions: &[Session]) -> Vec<(f64, u32)> {
    let hectares = |session: &Session| (session.area.union_m2.unwrap_or(0.0) / 100.0).round() / 100.0;
    sessions.iter().map(|session| (hectares(session), session.passes)).collect()
}

#[test]
fn a_field_is_one_session_with_its_area_fuel_and_times() {
    let sessions = known_width().sessions(&field_day(Sensors::Implement));
    let [session] = &sessions[..] else { panic!("one session: {sessions:?}") };
    assert_eq!(areas(&sessions), [(2.4, 10)]);
    let union_m2 = session.area.union_m2.expect("an area");
    assert!((union_m2 / 24_000.0 - 1.0).abs() < 0.002, "{union_m2}");
    assert!((session.area.swept_m2.expect("swept") / 24_000.0 - 1.0).abs() < 0.005);
    assert!((session.time.working_s - 1600.0).abs() < 12.0, "{:?}", session.time);
    assert!(session.time.turning_s > 40.0 && session.time.transport_s == 0.0, "{:?}", session.time);
    assert_eq!(
        (session.evidence, session.operation, session.operation_source),
        (Evidence::Implement, Operation::Cultivation, Source::Assigned)
    );
    assert_eq!(session.width.source, Source::Assigned);
    let fuel = session.fuel.expect("fuel");
    assert_eq!(fuel.source, FuelSource::Counter);
    let truth_l = (session.time.working_s * 30.0 + session.time.turning_s * 12.0) / 3600.0;
    assert!((fuel.total_l - truth_l).abs() < 0.05, "{fuel:?} {truth_l}");
    assert!(matches!(&session.place, Place::Outside { proposed_boundary, .. } if proposed_boundary.len() >= 4));
    assert!(session.area.error_m2.expect("an error") < 0.01 * union_m2);
}

#[test]
fn a_plain_tractor_shows_its_work_by_engine_and_passes() {
    let sessions = known_width().sessions(&field_day(Sensors::Plain));
    let [session] = &sessions[..] else { panic!("one session: {sessions:?}") };
    assert_eq!(session.evidence, Evidence::Engine);
    assert!((session.area.union_m2.expect("an area") / 24_000.0 - 1.0).abs() < 0.03, "{:?}", session.area);
}

#[test]
fn a_track_alone_shows_work_by_its_passes_and_the_width_by_their_distance() {
    let sessions = Known::default().sessions(&field_day(Sensors::Position));
    let [session] = &sessions[..] else { panic!("one session: {sessions:?}") };
    assert_eq!((session.evidence, session.width.source), (Evidence::Geometry, Source::Inferred));
    assert!((session.width.mean_m.expect("a width") - 6.0).abs() < 0.2, "{:?}", session.width);
    assert!((session.area.union_m2.expect("an area") / 24_000.0 - 1.0).abs() < 0.05, "{:?}", session.area);
    assert!(session.remarks.contains(&Remark::GeometryOnly) && session.remarks.contains(&Remark::WidthInferred));
}

#[test]
fn a_width_that_a_person_enters_outranks_what_the_terminal_was_set_to() {
    let drive = field_day(Sensors::Implement);
    let reported = Known::default().sessions(&drive);
    assert_eq!((reported[0].width.source, reported[0].width.mean_m.map(f64::round)), (Source::Reported, Some(6.0)));
    let mut known = known_width();
    known.machine.implements[0].width_m = Some(5.7);
    let assigned = known.sessions(&drive);
    let ratio = assigned[0].area.swept_m2.expect("swept") / reported[0].area.swept_m2.expect("swept");
    assert!((ratio - 0.95).abs() < 1e-6, "{ratio}");
}

#[test]
fn a_pass_just_outside_the_boundary_belongs_to_the_field_of_the_passes_around_it() {
    // The sixth pass lies between the two fields, 7 m from both.
    let fields = Fields::new([field(1, (-5.0, -3.0), (405.0, 23.0)), field(2, (-5.0, 37.0), (405.0, 90.0))]);
    let known = Known { fields, ..known_width() };
    let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0);
    drive.passes(4, 400.0, 9.0);
    drive.turn_to(30.0, false, 6.0);
    drive.to(400.0, 30.0, 9.0, true);
    drive.stand(60, true);
    let sessions = known.sessions(&drive);
    assert_eq!((sessions.len(), sessions[0].passes), (1, 5), "{:?}", areas(&sessions));
}

#[test]
fn a_road_is_no_field_however_often_it_is_driven() {
    for sensors in [Sensors::Plain, Sensors::Position] {
        let mut drive = Drive::begin("08:00", sensors, 6.0);
        for trip in 0..12 {
            let lane = if trip % 2 == 0 { 0.0 } else { 3.5 };
            drive.to(if trip % 2 == 0 { 3000.0 } else { 0.0 }, lane, 14.0, false);
            drive.stand(90, true);
        }
        assert_eq!(areas(&known_width().sessions(&drive)), [], "{sensors:?}");
    }
}

#[test]
fn headland_turns_stops_to_unload_and_ten_minutes_without_radio_split_nothing() {
    let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0);
    drive.passes(4, 400.0, 9.0);
    drive.stand(8 * 60, true);
    drive.turn_to(24.0, false, 6.0);
    drive.passes(4, 400.0, 9.0);
    drive.silence(10 * 60);
    drive.passes(2, 400.0, 9.0);
    let sessions = known_width().sessions(&drive);
    assert_eq!(sessions.len(), 1, "{:?}", areas(&sessions));
}

fn check_split(between: impl Fn(&mut Drive), sessions: usize) {
    let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0);
    drive.passes(4, 400.0, 9.0);
    between(&mut drive);
    drive.to(0.0, 24.0, 20.0, false);
    drive.passes(4, 400.0, 9.0);
    let found = known_width().sessions(&drive);
    assert_eq!(found.len(), sessions, "{:?}", areas(&found));
}

#[test]
fn what_ends_a_session_does_so_and_a_little_less_does_not() {
    let away = |minutes: i64| {
        move |drive: &mut Drive| {
            drive.to(-2000.0, 0.0, 20.0, false);
            drive.stand(minutes * 60, true);
        }
    };
    check_split(away(1), 2);
    check_split(|drive| drive.to(-700.0, 0.0, 20.0, false), 1);
    check_split(|drive| drive.stand(40 * 60, false), 1);
    check_split(|drive| drive.stand(50 * 60, false), 2);
    check_split(|drive| drive.silence(80 * 60), 1);
    check_split(|drive| drive.silence(100 * 60), 2);
}

#[test]
fn work_belongs_to_the_field_of_most_of_it_and_the_other_field_is_another_session() {
    let fields = Fields::new([field(1, (-5.0, -3.0), (405.0, 57.0)), field(2, (-5.0, 100.0), (405.0, 160.0))]);
    let known = Known { fields, ..known_width() };
    let mut drive = field_day(Sensors::Implement);
    drive.to(0.0, 103.0, 15.0, false);
    drive.passes(5, 400.0, 9.0);
    let sessions = known.sessions(&drive);
    let names: Vec<_> = sessions
        .iter()
        .map(|session| match &session.place {
            Place::Field { name, share, .. } if *share > 0.99 => name.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Field 1", "Field 2"]);
    let missed_m2 = sessions[1].area.missed_m2.expect("a known field");
    assert!((missed_m2 - (410.0 * 60.0 - 400.0 * 30.0)).abs() < 100.0, "{missed_m2}");
}

#[test]
fn what_lies_beyond_the_boundary_is_not_in_the_area_and_is_said() {
    // The boundary ends 40 m before the passes do.
    let fields = Fields::new([field(1, (0.0, -3.0), (360.0, 57.0))]);
    let known = Known { fields, ..known_width() };
    let sessions = known.sessions(&field_day(Sensors::Implement));
    let [session] = &sessions[..] else { panic!("one session") };
    let union_m2 = session.area.union_m2.expect("an area");
    assert!((union_m2 - 365.0 * 60.0).abs() < 60.0, "{union_m2}");
    assert!(session.remarks.contains(&Remark::PartlyOutsideField));
}

#[test]
fn a_strip_left_out_is_skipped_and_one_worked_twice_is_overlap() {
    let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0);
    drive.passes(3, 400.0, 9.0);
    // A strip of 3 m is left out, then 2 m are worked twice.
    drive.turn_to(12.0 + 9.0, true, 6.0);
    drive.to(0.0, 21.0, 9.0, true);
    drive.turn_to(21.0 + 4.0, false, 6.0);
    drive.to(400.0, 25.0, 9.0, true);
    drive.stand(60, true);
    let sessions = known_width().sessions(&drive);
    let [session] = &sessions[..] else { panic!("one session: {:?}", areas(&sessions)) };
    let skipped_m2 = session.area.skipped_m2.expect("an area");
    assert!((skipped_m2 - 1200.0).abs() < 60.0, "{skipped_m2}");
    let overlap = session.area.overlap_share.expect("an area");
    assert!((overlap - 800.0 / 12_000.0).abs() < 0.005, "{overlap}");
}

#[test]
fn the_hour_at_which_the_day_begins_is_the_callers_and_no_session_crosses_it() {
    // A day holds what is recorded in it: the caller cuts, the fold keeps what it is given together.
    let mut drive = Drive::begin("23:30", Sensors::Implement, 6.0);
    drive.passes(12, 400.0, 9.0);
    let sessions = known_width().sessions(&drive);
    assert_eq!((sessions.len(), sessions[0].working_day.to_string().as_str()), (1, "2026-08-20"));
}

#[test]
fn samples_every_five_seconds_and_ten_times_a_second_give_the_same_area() {
    for period_ms in [100, 1000, 5000] {
        let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0).every_ms(period_ms);
        drive.passes(10, 400.0, 9.0);
        drive.stand(60, true);
        let sessions = known_width().sessions(&drive);
        let union_m2 = sessions[0].area.union_m2.expect("an area");
        assert!((union_m2 / 24_000.0 - 1.0).abs() < 0.01, "{period_ms} ms: {union_m2}");
    }
}

#[test]
fn a_field_crossed_once_on_the_way_is_no_work() {
    let fields = Fields::new([field(1, (-5.0, -200.0), (405.0, 200.0))]);
    let known = Known { fields, ..known_width() };
    for sensors in [Sensors::Plain, Sensors::Position] {
        let mut drive = Drive::begin("08:00", sensors, 6.0);
        drive.to(-500.0, 0.0, 15.0, false);
        drive.to(900.0, 5.0, 12.0, false);
        drive.stand(300, true);
        assert_eq!(areas(&known.sessions(&drive)), [], "{sensors:?}");
    }
}

#[test]
fn states_of_a_trace_follow_the_drive() {
    let drive = field_day(Sensors::Implement);
    let known = known_width();
    let readings = crate::drive::readings(&drive.samples, 0..drive.samples.len());
    let traced = polevod::derive::fieldwork::traced(&known.work(&readings), &Default::default());
    let (session, trace) = &traced[0];
    let working = trace.points.iter().filter(|point| point.state == State::Working).count() as f64;
    assert!((working - session.time.working_s).abs() <= 2.0);
    assert_eq!(trace.swaths.len(), 10);
    assert_eq!((trace.coverage.len(), trace.coverage[0].len()), (1, 1), "one piece without holes");
}

/// The seconds by which a session of a track alone begins after `lowered_ms`.
fn begins_late_s(drive: &Drive, lowered_ms: i64) -> f64 {
    let fields = Fields::new([field(1, (-5.0, -5.0), (605.0, 305.0))]);
    let sessions = Known { fields, ..known_width() }.sessions(drive);
    let [session] = &sessions[..] else { panic!("one session: {sessions:?}") };
    (session.started_at.as_millisecond() - lowered_ms) as f64 / 1000.0
}

fn now_ms(drive: &Drive) -> i64 {
    drive.samples.last().expect("a sample").at_ms
}

#[test]
fn a_way_along_the_edge_to_the_first_round_or_pass_is_not_work() {
    let mut drive = Drive::begin("08:00", Sensors::Position, 6.0);
    drive.to(-700.0, 200.0, 20.0, false);
    drive.to(0.0, 200.0, 20.0, false);
    // The gate: along the western edge to the corner, where the implement goes down, and two rounds from there.
    drive.to(3.0, 195.0, 6.0, false);
    drive.to(3.0, 10.0, 10.8, false);
    drive.to(3.0, 3.0, 4.0, false);
    let lowered_ms = now_ms(&drive);
    for inset in [3.0, 9.0] {
        for (x, y) in [(600.0 - inset, inset), (600.0 - inset, 300.0 - inset), (inset, 300.0 - inset)] {
            drive.to(x, y, 9.5, true);
        }
        drive.to(inset, inset + 8.0, 9.5, true);
        drive.to(inset + 6.0, inset + 6.0, 4.0, false);
    }
    drive.to(15.0, 15.0, 4.0, false);
    drive.passes(44, 570.0, 9.5);
    let late_s = begins_late_s(&drive, lowered_ms);
    assert!(late_s.abs() <= 10.0, "{late_s} s");
}

#[test]
fn passes_in_a_corner_too_short_to_show_a_line_are_where_work_began() {
    let mut drive = Drive::begin("08:00", Sensors::Position, 6.0);
    drive.to(-700.0, 0.0, 20.0, false);
    drive.to(0.0, 3.0, 20.0, false);
    drive.to(1.5, 3.0, 4.0, false);
    let lowered_ms = now_ms(&drive);
    // A field that widens from its corner: every pass is longer than the one before.
    for pass in 0..40 {
        let (y, length_m) = (3.0 + 6.0 * f64::from(pass), 6.0 + 5.0 * f64::from(pass));
        let east = pass % 2 == 0;
        drive.to(if east { length_m } else { 1.5 }, y, 6.5, true);
        drive.to(if east { length_m + 1.0 } else { 0.5 }, y, 4.0, false);
        drive.turn_to(y + 6.0, east, 5.0);
        drive.to(if east { length_m } else { 1.5 }, y + 6.0, 4.0, false);
    }
    let late_s = begins_late_s(&drive, lowered_ms);
    assert!(late_s.abs() <= 10.0, "{late_s} s");
}
