//! Boundaries as people draw, machines record and offices export them.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// A ring of metres east and north of 56.5 N, 84.9 E, roughly.
fn ring(points: &[(f64, f64)]) -> Ring {
    points.iter().map(|(x, y)| LatLon { lat_deg: 56.5 + y / 111_350.84, lon_deg: 84.9 + x / 61_585.02 }).collect()
}

fn square(x: f64, y: f64, size: f64) -> Ring {
    ring(&[(x, y), (x + size, y), (x + size, y + size), (x, y + size)])
}

fn raw(outers: &[Ring], holes: &[Ring]) -> RawBoundary {
    RawBoundary { outers: outers.to_vec(), holes: holes.to_vec(), repeats_first_point: false }
}

fn build(raw: &RawBoundary) -> Result<Built, Fault> {
    Boundary::build(raw, &Rules::default())
}

fn tell(raw: &RawBoundary) -> String {
    match build(raw) {
        Err(fault) => format!("refused: {fault}"),
        Ok(Built { boundary, mends }) => {
            let holes: usize = boundary.polygons().iter().map(|part| part.holes.len()).sum();
            let mut told = format!("{:.3} ha, parts {}, holes {holes}", boundary.area_ha(), boundary.polygons().len());
            for mend in mends {
                told += &format!("\n{mend}");
            }
            told
        }
    }
}

fn check(raw: &RawBoundary, expected: Expect) {
    expected.assert_eq(&tell(raw));
}

#[test]
fn a_square_of_500_m_has_25_ha() {
    check(&raw(&[square(0.0, 0.0, 500.0)], &[]), expect!["24.998 ha, parts 1, holes 0"]);
}

#[test]
fn holes_count_against_the_area_and_find_their_part() {
    let parts = [square(0.0, 0.0, 500.0), square(1000.0, 0.0, 300.0)];
    check(
        &raw(&parts, &[square(1100.0, 100.0, 100.0), square(100.0, 100.0, 100.0)]),
        expect![[r#"
            31.998 ha, parts 2, holes 2
            a ring ran the wrong way round; outer rings now run against the clock, holes with it"#]],
    );
}

#[test]
fn winding_is_mended() {
    let mut clockwise = square(0.0, 0.0, 500.0);
    clockwise[1..].reverse();
    let built = build(&raw(&[clockwise], &[])).expect("a sound ring");
    assert_eq!(built.mends, [Mend::WindingReversed]);
    assert_eq!(built.boundary, build(&raw(&[square(0.0, 0.0, 500.0)], &[])).expect("a sound ring").boundary);
}

#[test]
fn a_ring_that_is_not_closed_is_closed_where_the_format_asks_for_it() {
    let mut raw = raw(&[square(0.0, 0.0, 500.0)], &[]);
    raw.repeats_first_point = true;
    check(
        &raw,
        expect![[r#"
            24.998 ha, parts 1, holes 0
            a ring was not closed: its first point is taken as its last"#]],
    );
    let first = raw.outers[0][0];
    raw.outers[0].push(first);
    check(&raw, expect!["24.998 ha, parts 1, holes 0"]);
}

#[test]
fn repeated_points_are_dropped() {
    let points = [(0.0, 0.0), (0.0, 0.0), (500.0, 0.0), (500.0, 500.0), (500.0, 500.0), (0.0, 500.0)];
    check(
        &raw(&[ring(&points)], &[]),
        expect![[r#"
            24.998 ha, parts 1, holes 0
            2 repeated points were dropped"#]],
    );
}

#[test]
fn a_bow_tie_is_refused_with_the_place() {
    check(
        &raw(&[ring(&[(0.0, 0.0), (500.0, 500.0), (500.0, 0.0), (0.0, 500.0)])], &[]),
        expect!["refused: the boundary crosses itself at 56.5022452, 84.9040594; redraw it there"],
    );
}

#[test]
fn the_small_loop_where_a_machines_round_meets_itself_is_cut_off() {
    let round = [(5.0, -3.0), (500.0, 0.0), (500.0, 500.0), (0.0, 500.0), (0.0, 0.0), (12.0, -6.0), (8.0, -8.0)];
    check(
        &raw(&[ring(&round)], &[]),
        expect![[r#"
            25.073 ha, parts 1, holes 0
            the boundary crossed itself at 56.4999731, 84.9000972; resolving it changed the area by 15 m²"#]],
    );
}

#[test]
fn a_hole_joined_to_the_outline_by_a_bridge_becomes_a_hole() {
    let keyhole = [
        (0.0, 0.0),
        (500.0, 0.0),
        (500.0, 500.0),
        (0.0, 500.0),
        (0.0, 0.0),
        (100.0, 100.0),
        (100.0, 200.0),
        (200.0, 200.0),
        (200.0, 100.0),
        (100.0, 100.0),
    ];
    check(
        &raw(&[ring(&keyhole)], &[]),
        expect![[r#"
            23.999 ha, parts 1, holes 1
            the boundary crossed itself at 56.5000000, 84.9000000; resolving it changed the area by 0 m²"#]],
    );
}

#[test]
fn swapped_axes_are_told_from_a_place_elsewhere() {
    let turn = |ring: Ring| ring.iter().map(|p| LatLon { lat_deg: p.lon_deg, lon_deg: p.lat_deg }).collect::<Ring>();
    check(
        &raw(&[turn(square(0.0, 0.0, 500.0))], &[]),
        expect![
            "refused: latitude and longitude are swapped: point 84.904059, 56.502245 (latitude, longitude) makes sense only the other way round; GeoJSON and KML put longitude first"
        ],
    );
    let east = |ring: Ring| ring.iter().map(|p| LatLon { lon_deg: p.lon_deg + 40.0, ..*p }).collect::<Ring>();
    check(
        &raw(&[turn(east(square(0.0, 0.0, 500.0)))], &[]),
        expect![
            "refused: latitude and longitude are swapped: point 124.900000, 56.500000 (latitude, longitude) makes sense only the other way round; GeoJSON and KML put longitude first"
        ],
    );
    check(
        &raw(&[east(square(0.0, 0.0, 500.0))], &[]),
        expect![[r#"
            24.998 ha, parts 1, holes 0
            its centre 56.5022, 124.9041 is outside the region of work; check the coordinates"#]],
    );
}

#[test]
fn what_is_no_field_is_refused_in_words() {
    check(&raw(&[], &[]), expect!["refused: there is no outline: a boundary needs at least one outer ring"]);
    check(
        &raw(&[ring(&[(0.0, 0.0), (1.0, 1.0)])], &[]),
        expect!["refused: a ring has 2 different points and encloses nothing; three are needed"],
    );
    check(&raw(&[square(0.0, 0.0, 10.0)], &[]), expect!["refused: the area of 0.010 ha is outside 0.1..=2000 ha"]);
    check(&raw(&[square(0.0, 0.0, 5000.0)], &[]), expect!["refused: the area of 2498.526 ha is outside 0.1..=2000 ha"]);
    check(
        &raw(&[square(0.0, 0.0, 500.0)], &[square(600.0, 0.0, 50.0)]),
        expect!["refused: a hole at 56.5000000, 84.9097426 lies outside the outline"],
    );
    check(
        &raw(&[square(0.0, 0.0, 500.0), square(100.0, 100.0, 50.0)], &[]),
        expect![
            "refused: two parts cover the same ground at 56.5008981, 84.9016238; if one is a hole, mark it as inner ring"
        ],
    );
    check(
        &raw(&[vec![LatLon { lat_deg: f64::NAN, lon_deg: 84.0 }, LatLon { lat_deg: 56.0, lon_deg: 84.0 }]], &[]),
        expect![[
            r#"refused: point NaN, 84 (latitude, longitude) is not on the earth; coordinates must be WGS 84 degrees"#
        ]],
    );
    check(
        &raw(&[vec![LatLon { lat_deg: 56.0, lon_deg: 84.0 }; MAX_POINTS + 1]], &[]),
        expect!["refused: 20001 points are more than 20000; simplify the boundary to the accuracy of its survey"],
    );
}

fn field(id: i64, outers: &[Ring], holes: &[Ring]) -> Field {
    let boundary = build(&raw(outers, holes)).expect("a sound boundary").boundary;
    Field { id: FieldId(id), name: format!("field {id}"), code: None, farm: None, crop: None, boundary }
}

fn at(x: f64, y: f64) -> (f64, f64) {
    let place = ring(&[(x, y)])[0];
    (place.lat_deg, place.lon_deg)
}

#[test]
fn a_position_finds_its_field_and_holes_are_outside() {
    let fields = Fields::new([
        field(2, &[square(500.0, 0.0, 500.0)], &[]),
        field(1, &[square(0.0, 0.0, 500.0)], &[square(200.0, 200.0, 100.0)]),
    ]);
    assert_eq!(fields.iter().map(|field| field.id.0).collect::<Vec<_>>(), [1, 2]);
    let found = |x, y| {
        let (lat, lon) = at(x, y);
        fields.at(lat, lon).map(|field| field.id.0)
    };
    assert_eq!(
        [found(10.0, 10.0), found(510.0, 10.0), found(250.0, 250.0), found(-1.0, 10.0)],
        [Some(1), Some(2), None, None]
    );
}

#[test]
fn near_a_field_counts_up_to_the_buffer() {
    let fields = Fields::new([field(1, &[square(0.0, 0.0, 500.0)], &[]), field(2, &[square(510.0, 0.0, 500.0)], &[])]);
    let near = |x, y, buffer_m| {
        let (lat, lon) = at(x, y);
        fields.near(lat, lon, buffer_m).map(|near| (near.field.id.0, (near.distance_m * 10.0).round() / 10.0))
    };
    assert_eq!(near(-4.0, 100.0, MATCH_BUFFER_M), Some((1, 4.0)));
    assert_eq!(near(-6.0, 100.0, MATCH_BUFFER_M), None);
    assert_eq!(near(-6.0, 100.0, NEAR_BUFFER_M), Some((1, 6.0)));
    assert_eq!(near(503.0, 100.0, MATCH_BUFFER_M), Some((1, 3.0)));
    assert_eq!(near(507.0, 100.0, MATCH_BUFFER_M), Some((2, 3.0)));
    assert_eq!(near(100.0, 100.0, MATCH_BUFFER_M), Some((1, 0.0)));
    assert_eq!(near(-3.0, -4.0, MATCH_BUFFER_M + 0.1), Some((1, 5.0)));
    assert_eq!(near(250.0, -30.0, NEAR_BUFFER_M), None);
}

#[test]
fn fields_that_share_ground_say_how_much() {
    let fields = Fields::new([field(1, &[square(0.0, 0.0, 500.0)], &[]), field(2, &[square(500.0, 0.0, 500.0)], &[])]);
    let third = field(3, &[square(450.0, 100.0, 300.0)], &[]);
    // In units of 100 m².
    let sharing: Vec<_> =
        fields.sharing(&third.boundary).iter().map(|(field, m2)| (field.id.0, (m2 / 100.0).round() as i64)).collect();
    assert_eq!(sharing, [(2, 750), (1, 150)]);
}

#[test]
fn ground_covered_twice_counts_once_and_beyond_the_field_not_at_all() {
    let outline = |ring: &Ring| vec![ring.iter().map(|place| [place.lat_deg, place.lon_deg]).collect::<Vec<_>>()];
    let mut pierced = outline(&square(200.0, 0.0, 300.0));
    pierced.push(square(400.0, 100.0, 50.0).iter().rev().map(|place| [place.lat_deg, place.lon_deg]).collect());
    let outlines = [outline(&square(0.0, 0.0, 300.0)), pierced];
    let field = field(1, &[square(0.0, 0.0, 250.0)], &[]);
    let hundreds = |m2: f64| (m2 / 100.0).round();
    assert_eq!(hundreds(covered_m2(&outlines, None)), 900.0 + 900.0 - 300.0 - 25.0);
    assert_eq!(hundreds(covered_m2(&outlines, Some(&field.boundary))), 625.0);
    assert_eq!(covered_m2(&[], Some(&field.boundary)), 0.0);
}

/// The boundary of a real field; its area on the ellipsoid was computed by another program.
#[test]
fn the_area_of_a_real_field_is_that_of_the_geodesic() {
    let points = [
        [10.209195754, 54.580684068],
        [10.21023812, 54.581275346],
        [10.210957191, 54.581672075],
        [10.211810729, 54.582175615],
        [10.211927554, 54.582312944],
        [10.211666725, 54.582366349],
        [10.210839889, 54.582679155],
        [10.209869525, 54.583075883],
        [10.209581993, 54.583030107],
        [10.208647392, 54.582518937],
        [10.207703731, 54.58197725],
        [10.206895015, 54.581492784],
        [10.207056663, 54.581347825],
        [10.207928321, 54.581069353],
        [10.208916805, 54.580756547],
    ];
    let outer = points.map(|[lon_deg, lat_deg]| LatLon { lat_deg, lon_deg }).to_vec();
    let built = build(&raw(&[outer], &[])).expect("a sound boundary");
    assert!((built.boundary.area_m2() - 43_992.7).abs() < 0.1, "{}", built.boundary.area_m2());
}

proptest! {
    #[test]
    fn any_rings_are_taken_or_refused_and_what_is_taken_is_sound(
        outers in prop::collection::vec(prop::collection::vec((-500.0..500.0, -500.0..500.0), 0..9), 0..3),
        holes in prop::collection::vec(prop::collection::vec((-500.0..500.0, -500.0..500.0), 0..6), 0..3),
    ) {
        let rings = |of: &[Vec<(f64, f64)>]| of.iter().map(|points| ring(points)).collect::<Vec<_>>();
        if let Ok(built) = build(&raw(&rings(&outers), &rings(&holes))) {
            let area: f64 = built.boundary.polygons().iter().map(|part| part.outer.len() as f64).sum();
            prop_assert!(area >= 3.0 && built.boundary.area_m2() >= 1000.0);
            let again = raw(
                &built.boundary.polygons().iter().map(|part| part.outer.clone()).collect::<Vec<_>>(),
                &built.boundary.polygons().iter().flat_map(|part| part.holes.clone()).collect::<Vec<_>>(),
            );
            let again = build(&again).expect("what was built builds again");
            prop_assert!(again.mends.is_empty(), "{:?}", again.mends);
            prop_assert!((again.boundary.area_m2() - built.boundary.area_m2()).abs() < 1e-3);
        }
    }

    #[test]
    fn the_strips_agree_with_the_exact_test(
        points in prop::collection::vec((0.0..std::f64::consts::TAU, 100.0..400.0), 5..60),
        probes in prop::collection::vec((-450.0..450.0, -450.0..450.0), 20),
    ) {
        let mut points: Vec<(f64, f64)> = points;
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup_by(|a, b| (a.0 - b.0).abs() < 0.01);
        prop_assume!(points.len() >= 3);
        let star: Vec<(f64, f64)> = points.iter().map(|(a, r)| (r * a.cos(), r * a.sin())).collect();
        let Ok(built) = build(&raw(&[ring(&star)], &[])) else { return Ok(()) };
        // Points that do not go all around their middle may cross: what is built then has several parts.
        let outers: Vec<_> = built.boundary.polygons().iter().map(|part| part.outer.clone()).collect();
        let fields = Fields::new([Field { boundary: built.boundary, ..field(1, &[square(0.0, 0.0, 100.0)], &[]) }]);
        let nano = |p: &LatLon| [(p.lon_deg * 1e9).round() as i64, (p.lat_deg * 1e9).round() as i64];
        let exact: Vec<Vec<_>> = outers.iter().map(|outer| outer.iter().map(nano).collect()).collect();
        for (x, y) in probes {
            let place = ring(&[(x, y)])[0];
            let expected: Vec<_> = exact.iter().map(|outer| crossing::place(outer, nano(&place))).collect();
            if !expected.contains(&crossing::Place::OnEdge) {
                let found = fields.at(place.lat_deg, place.lon_deg).is_some();
                prop_assert_eq!(found, expected.contains(&crossing::Place::Inside));
            }
        }
    }
}
