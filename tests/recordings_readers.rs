//! What the readers find in recordings of real machines, figure by figure as `data/SOURCES.md` gives them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use polevod::exchange::read::can::{Body, CanId, CanLog, candump, mf4};
use polevod::exchange::read::isoxml::{self, FileSet, GnssStatus, Reading};
use polevod::exchange::read::j1939::{self, Id, Transport, pgn};
use polevod::exchange::read::{gpsd, yield_monitor};

/// A file of the real recordings.
fn data(name: &str) -> Option<Vec<u8>> {
    test_support::recording(name).map(|path| std::fs::read(path).expect("the recording is readable"))
}

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not within {within} of {expected}");
}

fn forage_harvester() -> Option<FileSet> {
    let names = ["TASKDATA.XML", "TLG00001.xml", "TLG00001.bin"];
    let files = names.map(|name| Some((name, data(&format!("isoxml/forage_harvester_one_task/{name}"))?)));
    files.into_iter().collect::<Option<Vec<_>>>().map(FileSet::from_iter)
}

#[test]
fn the_forage_harvester_task_names_its_field_its_device_and_its_totals() {
    let Some(files) = forage_harvester() else { return };
    let set = isoxml::read(&files);
    assert_eq!(set.problems, []);
    assert_eq!(set.data.version, Some((4, 1)));
    assert_eq!(set.data.from_machine, Some(true));
    let field = &set.data.fields[0];
    assert_eq!((field.id.as_str(), field.area_m2), ("PFD-2", Some(46_316)));
    assert_eq!(field.boundary().next().map(|b| b.rings[0].points.len()), Some(15));
    let device = &set.data.devices[0];
    assert_eq!((device.elements.len(), device.process_data.len(), device.presentations.len()), (2, 28, 17));
    let engine = device.describe(0xEA60).expect("the device names its own values");
    assert_eq!(engine.designator, Some("Motoristdrehzahl"));
    assert_eq!(engine.presentation.and_then(|p| p.unit.as_deref()), Some("UPM"));
    let totals: BTreeMap<u16, i64> = set.data.tasks[0].times[0].values.iter().map(|v| (v.ddi, v.value)).collect();
    for (ddi, value) in [
        (0x74, 48_300),
        (0x75, 5_503_990),
        (0x76, 1_510_627),
        (0x77, 3_559),
        (0x78, 2_453),
        (0x94, 84_889),
        (0x5A, 259_605),
        (0x106, 546_000),
    ] {
        assert_eq!(totals.get(&ddi), Some(&value), "DDI {ddi:04X}");
    }
}

#[test]
fn the_forage_harvester_log_gives_the_work_its_machine_counted() {
    let Some(files) = forage_harvester() else { return };
    let set = isoxml::read(&files);
    let log = &set.logs[0];
    assert_eq!(log.header.columns.len(), 26);
    let column = |ddi| log.header.columns.iter().position(|c| c.ddi == ddi).expect("the header has it");
    let [width, flow, mass, area, work_state, fuel, fuel_rate] = [0x43, 0x57, 0x5A, 0x74, 0x8D, 0x94, 0x95].map(column);
    let mut records = log.records();
    let (mut count, mut with_position, mut working_s) = (0, 0, 0.0);
    let (mut track_m, mut swath_m2, mut fuel_l, mut mass_kg) = (0.0, 0.0, 0.0, 0.0);
    let (mut first, mut last) = (None, String::new());
    let (mut lat, mut lon) = ((f64::MAX, f64::MIN), (f64::MAX, f64::MIN));
    let mut last_values = BTreeMap::new();
    // What a record says holds until the next: seconds, position, work state, width, flow, fuel rate.
    let mut before: Option<(f64, (f64, f64), [f64; 4])> = None;
    while let Some(record) = records.next_record() {
        count += 1;
        last = record.civil().to_string();
        first.get_or_insert_with(|| last.clone());
        assert_eq!(record.status, Some(GnssStatus::NotAvailable));
        let raw = |column| record.reading(column).map(Reading::raw);
        let position = record.position.expect("each record has one");
        with_position += 1;
        lat = (lat.0.min(position.lat_deg), lat.1.max(position.lat_deg));
        lon = (lon.0.min(position.lon_deg), lon.1.max(position.lon_deg));
        let here = (position.lat_deg, position.lon_deg);
        let second = f64::from(record.time_of_day_ms) / 1000.0;
        if let Some((then, there, [state, width_mm, flow_mgps, rate_mm3ps])) = before {
            let step_s = second - then;
            fuel_l += rate_mm3ps * 1e-6 * step_s;
            mass_kg += flow_mgps * 1e-6 * step_s;
            if state == 1.0 {
                working_s += step_s;
                track_m += flat_distance_m(there, here);
                swath_m2 += flat_distance_m(there, here) * width_mm / 1000.0;
            }
        }
        before = Some((second, here, [work_state, width, flow, fuel_rate].map(|c| f64::from(raw(c).unwrap_or(0)))));
        last_values = [(0x74, area), (0x94, fuel), (0x5A, mass)].map(|(ddi, column)| (ddi, raw(column))).into();
    }
    assert_eq!((count, with_position), (4_716, 4_716));
    assert_eq!((first.as_deref(), last.as_str()), (Some("2020-01-02T17:30:20"), "2020-01-02T19:10:53"));
    assert_eq!((lat, lon), ((54.580_701_7, 54.583_075_6), (10.206_850_1, 10.211_990_4)));
    near(working_s, 3_550.0, 0.5);
    near(track_m, 5_440.0, 10.0);
    near(swath_m2, 48_341.0, 100.0);
    near(fuel_l, 88.05, 0.1);
    near(mass_kg, 259_542.0, 100.0);
    assert_eq!(last_values, BTreeMap::from([(0x74, Some(48_300)), (0x94, Some(84_954)), (0x5A, Some(259_618))]));
    let problems: Vec<String> = records.into_problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("status 15") && problems[0].ends_with("(4716 times)"), "{}", problems[0]);
}

/// Good to a few parts in ten thousand over a field.
fn flat_distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    const M_PER_DEG: f64 = 111_319.5;
    let north = (to.0 - from.0) * M_PER_DEG;
    let east = (to.1 - from.1) * M_PER_DEG * from.0.to_radians().cos();
    north.hypot(east)
}

#[test]
fn the_office_export_gives_a_field_with_its_boundary_and_no_logs() {
    let Some(xml) = data("isoxml/field_export/TASKDATA.XML") else { return };
    let files = FileSet::from_iter([("TASKDATA.XML", xml)]);
    let set = isoxml::read(&files);
    assert_eq!(set.problems, []);
    assert_eq!((set.data.from_machine, set.logs.len()), (Some(false), 0));
    let field = &set.data.fields[0];
    assert_eq!((field.name.as_deref(), field.area_m2), (Some("Lagerfeld"), Some(64_104)));
    assert_eq!(field.polygons[0].rings[0].points.len(), 30, "the closing point is not repeated");
}

#[test]
fn the_corn_log_gives_its_mass_its_area_and_its_moisture() {
    let Some(bytes) = data("yield/corn_aglead_advanced.txt") else { return };
    let log = yield_monitor::read("corn.txt", &bytes);
    assert_eq!((log.rows.len(), log.problems.len()), (19_495, 0));
    let mass_kg: f64 = log.rows.iter().map(yield_monitor::Row::mass_kg).sum();
    let area_m2: f64 = log.rows.iter().map(yield_monitor::Row::area_m2).sum();
    let water_kg: f64 = log.rows.iter().map(|r| r.mass_kg() * r.moisture_pct / 100.0).sum();
    near(mass_kg, 110_598.0, 0.5);
    near(area_m2, 138_345.0, 0.5);
    near(water_kg / mass_kg * 100.0, 21.85, 0.005);
    let range = |of: fn(&yield_monitor::Row) -> f64| {
        let all = log.rows.iter().map(of);
        (all.clone().fold(f64::MAX, f64::min), all.fold(f64::MIN, f64::max))
    };
    let (lat, lon) = (range(|r| r.lat_deg), range(|r| r.lon_deg));
    for (found, expected) in [(lat.0, 39.04953), (lat.1, 39.05555), (lon.0, -93.16834), (lon.1, -93.16431)] {
        near(found, expected, 5e-6);
    }
}

#[test]
fn the_receiver_stream_gives_two_sittings_a_week_apart() {
    let Some(bytes) = data("gps/isoblue_gpsd_tpv_2020.jsonl") else { return };
    let stream = gpsd::read("tpv.jsonl", &bytes);
    assert_eq!((stream.tpv_count, stream.fixes.len()), (123, 101));
    let others = [("DEVICES", 1), ("PPS", 76), ("SKY", 54), ("VERSION", 1), ("WATCH", 1)];
    assert_eq!(stream.skipped, others.map(|(class, count)| (class.to_owned(), count)).into());
    let gaps: Vec<_> = stream.fixes.windows(2).filter(|w| (w[1].time - w[0].time).get_seconds() > 86_400).collect();
    assert_eq!(gaps.len(), 1);
    let [before, after] = gaps[0] else { panic!("a window of two") };
    assert_eq!((after.time - before.time).get_seconds() / 86_400, 7);
    near(flat_distance_m((before.lat_deg, before.lon_deg), (after.lat_deg, after.lon_deg)), 212_000.0, 2_000.0);
    let problems: Vec<String> = stream.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["tpv.jsonl, line 164: TPV without a fix; it is skipped (22 times)"]);
}

#[test]
fn the_tractor_log_gives_hours_coolant_and_an_identification_without_rubbish() {
    let Some(bytes) = data("can/tractor_jd6130r_2021.candump.log") else { return };
    check_tractor_log(candump::read("tractor.log", &bytes, &TimeZone::UTC), &[]);
}

#[test]
fn the_tractor_log_as_its_recorder_left_it_gives_the_same_frames() {
    let Some(bytes) = data("can/tractor_jd6130r_2021.MF4") else { return };
    let unfinished = "tractor.MF4: the file was not finished by its recorder; it is read to its end";
    check_tractor_log(mf4::read("tractor.MF4", &bytes), &[unfinished]);
    let Some(text) = data("can/tractor_jd6130r_2021.candump.log") else { return };
    // The recorder listened on two buses; the text calls both can0.
    let essence = |log: CanLog<'_>| -> Vec<_> { log.map(|f| (f.at_us, f.id, f.body)).collect() };
    assert!(essence(mf4::read("a", &bytes)) == essence(candump::read("b", &text, &TimeZone::UTC)), "the frames differ");
}

fn check_tractor_log(mut log: CanLog<'_>, problems: &[&str]) {
    let mut transport = Transport::default();
    let mut values: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    let mut long: BTreeMap<u32, u64> = BTreeMap::new();
    let (mut sources, mut identifications) = (BTreeSet::new(), BTreeSet::new());
    let (mut first_us, mut last_us) = (None, 0);
    for frame in log.by_ref() {
        first_us.get_or_insert(frame.at_us);
        last_us = frame.at_us;
        let (CanId::Extended(id), Body::Data(payload)) = (frame.id, frame.body) else { panic!("all are J1939") };
        let id = Id::from_extended(id);
        sources.insert(id.source);
        *counts.entry(id.pgn).or_default() += 1;
        for parameter in j1939::parameters_of(id.pgn) {
            if let Ok(raw) = parameter.read(payload.as_slice()) {
                let seen = values.entry(parameter.spn).or_default();
                seen.insert(format!("{:.2}", parameter.physical(raw)));
            }
        }
        if let Some(message) =
            transport.push(frame.at_us, frame.bus, id, payload.as_slice()).expect("no packet is lost")
        {
            *long.entry(message.pgn).or_default() += 1;
            if message.pgn == pgn::VEHICLE_ID {
                assert_eq!(message.data.len(), 28, "eleven bytes of rubbish follow");
                identifications.extend(j1939::vehicle_id(&message.data));
            }
        }
    }
    assert_eq!(log.counts.extended, 1_815);
    let told: Vec<String> = log.problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(told, problems);
    assert_eq!(first_us.map(|us| us / 1_000_000), Some(1_622_547_830));
    near((last_us - first_us.unwrap_or(0)) as f64 / 1e6, 186.1, 0.1);
    assert_eq!(sources, BTreeSet::from([0, 71, 81, 82, 163]));
    assert_eq!(counts[&61_444], 577);
    let seen = |spn: u32| values[&spn].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(seen(190), ["0.00"]);
    assert_eq!(seen(247), ["219.20"]);
    assert_eq!(seen(110), ["85.00", "86.00"]);
    assert_eq!((seen(84), seen(183)), (vec!["0.00"], vec!["0.00"]));
    assert_eq!(long, BTreeMap::from([(pgn::VEHICLE_ID, 3), (65_251, 13)]));
    assert_eq!(identifications, BTreeSet::from(["1L06130RELP969468".to_owned()]));
}
