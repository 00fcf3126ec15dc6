//! What other programs find in an export.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use expect_test::{Expect, expect};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use wire::catalogue;

use crate::derive::Readings;
use crate::exchange::read::isoxml;
use crate::exchange::recording::{self, Record};
use crate::exchange::{import, read};
use crate::locale::Language;

use super::*;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Tomsk").expect("the zone data is built in")
}

fn export(what: What, format: Format, headings: Option<Language>) -> Vec<u8> {
    let style = Style { headings, zone: zone() };
    let options = Options { what, format, style, written_at: example::start() };
    let mut exporter = Exporter::begin(options, Vec::new()).expect("it begins");
    let (work, field) = (example::work(), example::field());
    let (trace, readings) = (example::trace(), example::readings());
    if what == What::Fields {
        exporter.add_field(&field).expect("it is added");
    }
    let added = Added { work: &work, field: Some(&field), trace: &trace, readings: &readings };
    exporter.add(added).expect("it is added");
    exporter.finish().expect("it ends")
}

fn text(what: What, format: Format, headings: Option<Language>) -> String {
    String::from_utf8(export(what, format, headings)).expect("text")
}

fn head(text: &str, lines: usize) -> String {
    text.lines().take(lines).map(|line| line.trim_end_matches('\r')).collect::<Vec<_>>().join("\n")
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(text);
}

#[test]
fn a_table_for_programs_names_its_units() {
    let csv = text(What::Sessions, Format::Csv, None);
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let told: Vec<String> = names.iter().zip(values).map(|(name, value)| format!("{name} = {value}")).collect();
    check(
        &told.join("\n"),
        expect![[r#"
        session_id = 41
        revision = 2
        confirmed = no
        machine = BY-1218-0007
        machine_name = Комбайн 7
        model = kzs-1218
        farm = "Колхоз ""Заря"""
        field = Дальнее & ближнее
        field_code = 12/3
        operation = grain_harvest
        crop = spring wheat
        operator = Иван Петров
        implement = 
        working_day = 2026-08-20
        season = 2026
        started_at = 2026-08-20T18:30:00Z
        ended_at = 2026-08-20T19:30:00Z
        evidence = implement
        passes = 2
        total_h = 1.000
        working_h = 0.833
        turning_h = 0.083
        unloading_h = 0.000
        idle_h = 0.083
        transport_h = 0.000
        off_h = 0.000
        unknown_h = 0.000
        idle_share_pct = 8.3
        working_distance_km = 4.600
        other_distance_km = 0.320
        speed_kmh = 5.5
        width_m = 7.00
        width_source = reported
        area_ha = 3.1400
        area_error_ha = 0.0150
        swept_ha = 3.2200
        overlap_pct = 2.5
        skipped_ha = 0.0210
        missed_ha = 38.0000
        headland_ha = 0.4000
        ha_per_h = 3.14
        ha_per_h_at_work = 3.77
        field_efficiency_pct = 81.3
        fuel_source = counter
        fuel_l = 34.25
        fuel_working_l = 30.00
        fuel_turning_l = 2.50
        fuel_transport_l = 0.00
        fuel_idle_l = 1.75
        fuel_l_per_ha = 10.35
        fuel_l_per_ha_total = 10.91
        fuel_l_per_h = 34.25
        fuel_l_per_t = 4.195
        wet_mass_t = 8.164
        dry_mass_t = 6.694
        standard_mass_t = 7.784
        standard_moisture_pct = 14.0
        moisture_pct = 18.00
        wet_yield_t_per_ha = 2.60
        dry_yield_t_per_ha = 2.13
        wet_mass_t_per_h = 9.80
        applied_mass_kg = 12.5
        applied_volume_l = 
        samples_stored = 3560
        samples_missing = 41
        complete_pct = 98.9
        longest_gap_s = 41
        position_error_m = 0.40
        remarks = records_missing; worked_through_gap"#]],
    );
}

#[test]
fn a_table_for_people_opens_in_their_spreadsheet() {
    check(
        &head(&text(What::Yield, Format::Csv, Some(Language::Ru)), 3),
        expect![[r#"
        ﻿Номер работы;Машина;Время;Широта, °;Долгота, °;Поток, кг/с;Площадь, м²;Урожайность, т/га;Влажность, %;Причина исключения
        41;BY-1218-0007;2026-08-21 01:30:10;56,2510000;83,9610450;2,7000;10,70;0,400;18,00;lead
        41;BY-1218-0007;2026-08-21 01:31:00;56,2510000;83,9612700;2,7000;10,70;2,600;18,00;"#]],
    );
    check(
        &head(&text(What::Track, Format::Csv, Some(Language::En)), 3),
        expect![[r#"
        ﻿Session,Machine,Time,"Latitude, °","Longitude, °",State,"Speed, km/h"
        41,BY-1218-0007,2026-08-21 01:30:00,56.2510000,83.9610000,Working,5.50
        41,BY-1218-0007,2026-08-21 01:30:01,56.2510000,83.9610045,Working,5.50"#]],
    );
    let russian = text(What::Sessions, Format::Csv, Some(Language::Ru));
    assert!(russian.starts_with('\u{feff}') && russian.contains("\"Колхоз \"\"Заря\"\"\";Дальнее & ближнее;12/3"));
    for headings in Language::ALL {
        for title in head(&text(What::Sessions, Format::Csv, Some(headings)), 1).split([',', ';']) {
            assert!(!title.contains('_'), "{title} has no heading in {}", headings.code());
        }
    }
}

#[test]
fn a_name_that_looks_like_a_formula_is_text() {
    let mut work = example::work();
    work.machine.name = Some("=HYPERLINK(\"x\")".into());
    work.session.operator = Some("a;b\nc".into());
    let style = Style { headings: Some(Language::Ru), zone: zone() };
    let columns = sessions();
    let mut csv = Csv::begin(&columns, &style, Vec::new()).expect("it begins");
    csv.row(&columns, &work).expect("a row");
    let written = String::from_utf8(csv.finish().expect("it ends")).expect("text");
    assert!(written.contains(";\"'=HYPERLINK(\"\"x\"\")\";") && written.contains(";\"a;b\nc\";"), "{written}");
}

/// Cells of a sheet by row, as they stand in its XML; shared or inline strings alike.
fn sheet(workbook: &[u8]) -> Vec<Vec<String>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(workbook)).expect("a workbook is a zip");
    let mut part = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    };
    let strings: Vec<String> = part("xl/sharedStrings.xml")
        .unwrap_or_default()
        .split("<si>")
        .skip(1)
        .map(|item| item.split("</t>").next().and_then(|t| t.rsplit('>').next()).unwrap_or_default().to_owned())
        .collect();
    let rows = part("xl/worksheets/sheet1.xml").expect("a sheet");
    let rows = rows.split("<row ").skip(1).map(|row| {
        let cells = row.split("<c ").skip(1);
        cells
            .map(|cell| {
                let content = cell.split('>').skip(1).collect::<Vec<_>>().join(">");
                let value = content.replace("</is>", "").replace("<is>", "").replace("<v>", "").replace("</v>", "");
                let value = value.split("</c").next().unwrap_or_default().replace("<t>", "").replace("</t>", "");
                match (cell.contains("t=\"s\""), value.parse::<usize>()) {
                    (true, Ok(index)) => strings[index].clone(),
                    _ => value,
                }
            })
            .collect()
    });
    rows.collect()
}

#[test]
fn the_workbook_holds_the_figures_of_the_table() {
    let workbook = sheet(&export(What::Sessions, Format::Xlsx, None));
    let csv = text(What::Sessions, Format::Csv, None);
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    assert_eq!(workbook[0], names);
    // Empty cells are not written in a sheet.
    let filled: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
    assert_eq!(workbook[1].len(), filled.len());
    let mut compared = 0;
    for (cell, value) in workbook[1].iter().zip(filled) {
        let decimals = value.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        if let (Ok(cell), Ok(value)) = (cell.parse::<f64>(), value.parse::<f64>()) {
            // A table is rounded, a workbook is only shown so.
            assert!((cell - value).abs() <= 0.501 * 10_f64.powi(-(decimals as i32)), "{cell} is not {value}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn days_and_times_of_a_workbook_are_dates() {
    let workbook = sheet(&export(What::Sessions, Format::Xlsx, Some(Language::Ru)));
    let column = |name: &str| sessions().iter().position(|column| column.name == name).expect("a column");
    // 2026-08-20 is day 46254 of spreadsheets; 18:30 UTC is 01:30 of the next day in Tomsk.
    let empty_before = |index: usize| index - usize::from(index > column("implement"));
    assert_eq!(workbook[1][empty_before(column("working_day"))], "46254");
    let started: f64 = workbook[1][empty_before(column("started_at"))].parse().expect("a number");
    assert!((started - (46255.0 + 1.5 / 24.0)).abs() < 1e-6, "{started}");
}

#[test]
fn geojson_holds_areas_lines_and_points() {
    let json =
        |what| -> serde_json::Value { serde_json::from_str(&text(what, Format::Geojson, None)).expect("it is JSON") };
    let sessions = json(What::Sessions);
    let feature = &sessions["features"][0];
    assert_eq!(feature["geometry"]["type"], "Polygon");
    assert_eq!(feature["geometry"]["coordinates"][0][0], serde_json::json!([83.961, 56.2509]));
    assert_eq!(feature["geometry"]["coordinates"][0][4], serde_json::json!([83.961, 56.2509]));
    assert_eq!(feature["properties"]["area_ha"], 3.14);
    assert_eq!(feature["properties"]["started_at"], "2026-08-20T18:30:00Z");
    let states: Vec<_> = json(What::Track)["features"]
        .as_array()
        .expect("features")
        .iter()
        .map(|f| {
            (
                f["properties"]["state"].as_str().map(str::to_owned),
                f["geometry"]["coordinates"].as_array().map(Vec::len),
            )
        })
        .collect();
    check(
        &format!("{states:?}"),
        expect![[
            r#"[(Some("working"), Some(1641)), (Some("turning"), Some(301)), (Some("working"), Some(1351)), (Some("idle"), Some(301))]"#
        ]],
    );
    assert_eq!(json(What::Swaths)["features"][0]["properties"]["width_m"], 7.0);
    let dropped: Vec<_> = json(What::Yield)["features"]
        .as_array()
        .expect("features")
        .iter()
        .map(|feature| feature["properties"]["dropped"].clone())
        .collect();
    assert_eq!(dropped, [serde_json::json!("lead"), serde_json::Value::Null, serde_json::json!("not_in_work")]);
}

#[test]
fn a_format_that_cannot_hold_a_thing_says_which_can() {
    let style = Style { headings: None, zone: zone() };
    let options = Options { what: What::Swaths, format: Format::Csv, style, written_at: example::start() };
    let refused = Exporter::begin(options, Vec::new()).err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("swaths cannot be written as csv; possible: geojson"));
}

#[test]
fn fields_come_back_from_every_format_as_they_were() {
    let field = example::field();
    for format in What::Fields.formats() {
        let name = format!("fields.{}", format.extension());
        let (sources, problems) =
            import::from_bytes(&name, export(What::Fields, *format, None)).expect("our own format");
        let (found, more) = import::gather(&sources, &crate::derive::field::Rules::default());
        assert_eq!((problems, more), (vec![], vec![]), "{format}");
        let back = &found.fields[0];
        assert_eq!(
            (&back.name, &back.code, &back.farm, &back.crop),
            (&field.name, &field.code, &field.farm, &field.crop)
        );
        assert_eq!(back.boundary.polygons(), field.boundary.polygons(), "{format}");
    }
}

#[test]
fn kml_keeps_names_and_colours() {
    let kml = text(What::Sessions, Format::Kml, Some(Language::Ru));
    assert!(kml.contains("<name>Дальнее &amp; ближнее, ") && kml.contains("<styleUrl>#coverage</styleUrl>"));
    let (outlines, problems) = read::kml::read("x.kml", kml.as_bytes());
    assert_eq!((outlines.len(), problems.len()), (1, 0));
    let kml = text(What::Yield, Format::Kml, None);
    assert_eq!(kml.matches("<Point>").count(), 1, "dropped points are left out");
}

/// Our own reader's view of exported task data.
fn read_back(zip: &[u8]) -> isoxml::FileSet {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut files = isoxml::FileSet::default();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let name = member.name().expect("a name").rsplit('/').next().expect("a name").to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("its content");
        files.insert(&name, bytes).expect("names differ");
    }
    files
}

#[test]
fn task_data_comes_back_with_its_totals_and_names() {
    let files = read_back(&export(What::Taskdata, Format::Isoxml, None));
    let set = isoxml::read(&files);
    assert_eq!(set.problems, []);
    assert_eq!(set.data.version, Some((4, 3)));
    let task = &set.data.tasks[0];
    let found: BTreeMap<u16, i64> = task.times[0].values.iter().map(|value| (value.ddi, value.value)).collect();
    check(
        &format!("{found:?}"),
        expect![
            "{81: 13, 90: 8164, 116: 31400, 117: 4600000, 118: 320000, 119: 3000, 120: 600, 148: 34250, 183: 6695, 262: 180000, 316: 30000, 317: 4250}"
        ],
    );
    let time = &task.times[0];
    assert_eq!(
        (time.start.map(|at| at.civil.to_string()), time.duration_s),
        (Some("2026-08-21T01:30:00".into()), Some(3_600))
    );
    let (xml_name, xml) = files.get("TASKDATA.XML").expect("the main file");
    assert_eq!(xml_name, "TASKDATA.XML");
    check(
        std::str::from_utf8(xml).expect("text"),
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ISO11783_TaskData VersionMajor="4" VersionMinor="3" ManagementSoftwareManufacturer="Polevod" ManagementSoftwareVersion="0.1.0" DataTransferOrigin="1">
              <CTP A="CTP1" B="spring wheat"/>
              <CPC A="CPC1" B="grain_harvest"/>
              <CTR A="CTR1" B="Колхоз &quot;Заря&quot;"/>
              <FRM A="FRM1" B="Колхоз &quot;Заря&quot;" I="CTR1"/>
              <WKR A="WKR1" B="Иван Петров"/>
              <PFD A="PFD1" B="12/3" C="Дальнее &amp; ближнее" D="411345" E="CTR1" F="FRM1" G="CTP1">
                <PLN A="1">
                  <LSG A="1">
                    <PNT A="2" C="56.250000000" D="83.960000000"/>
                    <PNT A="2" C="56.250000000" D="83.970000000"/>
                    <PNT A="2" C="56.256000000" D="83.970000000"/>
                    <PNT A="2" C="56.256000000" D="83.960000000"/>
                    <PNT A="2" C="56.250000000" D="83.960000000"/>
                  </LSG>
                  <LSG A="2">
                    <PNT A="2" C="56.253000000" D="83.965000000"/>
                    <PNT A="2" C="56.253400000" D="83.965000000"/>
                    <PNT A="2" C="56.253400000" D="83.966000000"/>
                    <PNT A="2" C="56.253000000" D="83.966000000"/>
                    <PNT A="2" C="56.253000000" D="83.965000000"/>
                  </LSG>
                </PLN>
              </PFD>
              <DVC A="DVC1" B="Комбайн 7" D="A00E0000FFF902BB" E="BY-1218-0007" F="00000000000001" G="FF000000006E65">
                <DET A="DET1" B="1" C="1" D="Machine" E="0" F="0">
                  <DOR A="10"/>
                  <DOR A="12"/>
                  <DOR A="14"/>
                  <DOR A="16"/>
                  <DOR A="18"/>
                  <DOR A="20"/>
                  <DOR A="22"/>
                  <DOR A="24"/>
                  <DOR A="26"/>
                  <DOR A="28"/>
                  <DOR A="30"/>
                  <DOR A="32"/>
                  <DOR A="34"/>
                  <DOR A="36"/>
                  <DOR A="38"/>
                  <DOR A="40"/>
                  <DOR A="42"/>
                </DET>
                <DET A="DET2" B="2" C="2" D="Polevod" E="1" F="1">
                  <DOR A="44"/>
                  <DOR A="46"/>
                  <DOR A="48"/>
                </DET>
                <DPD A="10" B="0050" C="1" D="24" F="11"/>
                <DPD A="12" B="0051" C="1" D="24" E="application_total_mass_kg" F="13"/>
                <DPD A="14" B="0057" C="1" D="1" E="crop_flow_kgps" F="15"/>
                <DPD A="16" B="005A" C="1" D="24" E="yield_total_mass_kg" F="17"/>
                <DPD A="18" B="0063" C="1" D="1" E="crop_moisture_pct" F="19"/>
                <DPD A="20" B="0074" C="1" D="24" E="total_area_m2" F="21"/>
                <DPD A="22" B="0075" C="1" D="24" E="effective_distance_m" F="23"/>
                <DPD A="24" B="0076" C="1" D="24" E="ineffective_distance_m" F="25"/>
                <DPD A="26" B="0077" C="1" D="24" E="effective_time_s" F="27"/>
                <DPD A="28" B="0078" C="1" D="24" E="ineffective_time_s" F="29"/>
                <DPD A="30" B="0094" C="1" D="24" E="task_fuel_l" F="31"/>
                <DPD A="32" B="00B7" C="1" D="24" E="yield_total_dry_mass_kg" F="33"/>
                <DPD A="34" B="0106" C="1" D="24" E="average_moisture_pct" F="35"/>
                <DPD A="36" B="013C" C="1" D="24" E="effective_fuel_l" F="37"/>
                <DPD A="38" B="013D" C="1" D="24" E="ineffective_fuel_l" F="39"/>
                <DPD A="40" B="018D" C="1" D="1" E="tc_actual_speed_mps" F="41"/>
                <DPD A="42" B="EA60" C="1" D="1" F="43"/>
                <DPD A="44" B="0043" C="1" D="1" E="actual_working_width_m" F="45"/>
                <DPD A="46" B="008D" C="1" D="1" E="actual_work_state" F="47"/>
                <DPD A="48" B="0094" C="1" D="24" E="task_fuel_l" F="49"/>
                <DVP A="11" B="0" C="1" D="0"/>
                <DVP A="13" B="0" C="1" D="0" E="kg"/>
                <DVP A="15" B="0" C="0.000001" D="6" E="kg/s"/>
                <DVP A="17" B="0" C="1" D="0" E="kg"/>
                <DVP A="19" B="0" C="0.0001" D="4" E="%"/>
                <DVP A="21" B="0" C="1" D="0" E="m²"/>
                <DVP A="23" B="0" C="0.001" D="3" E="m"/>
                <DVP A="25" B="0" C="0.001" D="3" E="m"/>
                <DVP A="27" B="0" C="1" D="0" E="s"/>
                <DVP A="29" B="0" C="1" D="0" E="s"/>
                <DVP A="31" B="0" C="0.001" D="3" E="L"/>
                <DVP A="33" B="0" C="1" D="0" E="kg"/>
                <DVP A="35" B="0" C="0.0001" D="4" E="%"/>
                <DVP A="37" B="0" C="0.001" D="3" E="L"/>
                <DVP A="39" B="0" C="0.001" D="3" E="L"/>
                <DVP A="41" B="0" C="0.001" D="3" E="m/s"/>
                <DVP A="43" B="0" C="1" D="0"/>
                <DVP A="45" B="0" C="0.001" D="3" E="m"/>
                <DVP A="47" B="0" C="1" D="0"/>
                <DVP A="49" B="0" C="0.001" D="3" E="L"/>
              </DVC>
              <TSK A="TSK1" B="grain_harvest 2026-08-20" C="CTR1" D="FRM1" E="PFD1" F="WKR1" G="4">
                <TIM A="2026-08-21T01:30:00+07:00" B="2026-08-21T02:30:00+07:00" C="3600" D="4">
                  <DLV A="0051" B="13" C="DET1"/>
                  <DLV A="005A" B="8164" C="DET1"/>
                  <DLV A="0074" B="31400" C="DET1"/>
                  <DLV A="0075" B="4600000" C="DET1"/>
                  <DLV A="0076" B="320000" C="DET1"/>
                  <DLV A="0077" B="3000" C="DET1"/>
                  <DLV A="0078" B="600" C="DET1"/>
                  <DLV A="0094" B="34250" C="DET1"/>
                  <DLV A="00B7" B="6695" C="DET1"/>
                  <DLV A="0106" B="180000" C="DET1"/>
                  <DLV A="013C" B="30000" C="DET1"/>
                  <DLV A="013D" B="4250" C="DET1"/>
                </TIM>
                <OTP A="CPC1"/>
                <WAN A="WKR1"/>
                <DAN A="A00E0000FFF902BB" C="DVC1"/>
                <TLG A="TLG00001" B="140476" C="1"/>
              </TSK>
            </ISO11783_TaskData>
        "#]],
    );
    let (_, header) = files.get("TLG00001.xml").expect("the header");
    check(
        std::str::from_utf8(header).expect("text"),
        expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <TIM A="" D="4">
          <PTN A="" B="" C="" D="" H="" I=""/>
          <DLV A="0057" B="" C="DET1"/>
          <DLV A="0063" B="" C="DET1"/>
          <DLV A="018D" B="" C="DET1"/>
          <DLV A="EA60" B="" C="DET1"/>
          <DLV A="0043" B="" C="DET2"/>
          <DLV A="008D" B="" C="DET2"/>
          <DLV A="0094" B="" C="DET2"/>
        </TIM>
    "#]],
    );
}

#[test]
fn a_log_comes_back_record_by_record() {
    let files = read_back(&export(What::Taskdata, Format::Isoxml, None));
    let options = recording::Options { zone: zone(), ..recording::Options::default() };
    let read = recording::from_task_data(&files, "export", &options);
    let told: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    check(
        &told.join("\n"),
        expect![[r#"
        TLG00001.bin, record 100 at byte 3910: position status 0 (no fix or error); the record is kept without a position (10 times)
        TLG00001.xml, record 0 at byte 0: DDI EA60 is not in the signal catalogue; its values are kept as raw numbers (721 times)"#]],
    );
    let log = read.recordings.iter().find(|recording| recording.samples().next().is_some()).expect("a log");
    assert_eq!(log.machine.as_str(), "BY-1218-0007");
    let samples: Vec<_> = log.samples().collect();
    let readings = example::readings();
    assert_eq!(samples.len(), readings.len());
    for (index, sample) in samples.iter().enumerate() {
        assert_eq!(sample.recorded_at_ms, readings.recorded_at_ms[index]);
        for signal in
            [catalogue::LATITUDE_DEG, catalogue::LONGITUDE_DEG, catalogue::CROP_FLOW_KGPS, catalogue::CROP_MOISTURE_PCT]
        {
            let found = sample.values.iter().find(|(id, _)| *id == signal).map(|(id, raw)| id.physical(*raw));
            assert_eq!(found, readings.signal(signal).at(index), "{signal} of {index}");
        }
    }
    let task = read.recordings.iter().flat_map(|recording| &recording.records).find_map(|record| match record {
        Record::Task(task) => Some(task),
        _ => None,
    });
    let task = task.expect("the task");
    let words = [&task.field, &task.operator, &task.operation, &task.crop].map(String::as_str);
    assert_eq!(words, ["Дальнее & ближнее", "Иван Петров", "grain_harvest", "spring wheat"]);
}

proptest! {
    /// Whatever machines report, the log holds it as it was: values in the steps of the data dictionary, times to the
    /// millisecond, and nothing where nothing was reported.
    #[test]
    fn any_readings_survive_the_binary_log(
        samples in prop::collection::vec(
            (0_i64..3_600_000, prop::option::of((-890_000_000..890_000_000, -1_790_000_000..1_790_000_000)),
             prop::option::of(0_i64..2_000_000_000), prop::option::of(0_u32..=u32::MAX), prop::option::of(-1_000_i32..1_000)),
            1..60,
        ),
    ) {
        let mut readings = Readings::default();
        let start_ms = example::start().as_millisecond();
        for (sequence, (after_ms, place, flow, sections, own)) in samples.iter().enumerate() {
            let index = readings.push(start_ms + after_ms, 1, sequence as i64);
            if let Some((lat, lon)) = place {
                readings.set(index, catalogue::LATITUDE_DEG, f64::from(*lat) / 1e7);
                readings.set(index, catalogue::LONGITUDE_DEG, f64::from(*lon) / 1e7);
            }
            let mut set = |signal: wire::SignalId, raw: Option<i64>| {
                if let Some(raw) = raw {
                    readings.set(index, signal, signal.physical(raw));
                }
            };
            set(catalogue::CROP_FLOW_KGPS, *flow);
            set(catalogue::CONDENSED_WORK_STATE, sections.map(i64::from));
            set(wire::SignalId::raw_ddi(0xEA60), own.map(i64::from));
        }
        readings.sort();
        let (work, trace) = (example::work(), example::trace());
        let mut data = TaskData::begin(Vec::new(), zone(), example::start());
        data.add(&work, None, &readings, &trace).expect("it is added");
        let files = read_back(&data.finish().expect("it ends"));
        let set = isoxml::read(&files);
        prop_assert_eq!(&set.problems, &[]);
        let log = &set.logs[0];
        let column = |ddi: u16| log.header.columns.iter().position(|column| column.ddi == ddi);
        let mut records = log.records();
        let mut index = 0;
        while let Some(record) = records.next_record() {
            let ms = record.utc_civil().map(|at| at.to_zoned(TimeZone::UTC).expect("UTC").timestamp().as_millisecond());
            prop_assert_eq!(ms, Some(readings.recorded_at_ms[index]));
            let lat = readings.signal(catalogue::LATITUDE_DEG).at(index);
            let lon = readings.signal(catalogue::LONGITUDE_DEG).at(index);
            let is_null = lat == Some(0.0) && lon == Some(0.0);
            if !is_null {
                prop_assert_eq!(record.position.map(|p| (p.lat_deg, p.lon_deg)), lat.zip(lon));
            }
            for (signal, ddi) in [(catalogue::CROP_FLOW_KGPS, 87), (catalogue::CONDENSED_WORK_STATE, 161), (wire::SignalId::raw_ddi(0xEA60), 0xEA60)] {
                let expected = readings.signal(signal).at(index).and_then(|value| signal.raw(value)).map(|raw| raw as i32);
                // The two patterns that mean "no value" cannot be said.
                let expected = expected.filter(|raw| *raw != i32::MIN && *raw != i32::MAX);
                let found = record.reported().iter().find(|(c, _)| Some(usize::from(*c)) == column(ddi)).map(|(_, raw)| *raw);
                prop_assert_eq!(found, expected);
            }
            index += 1;
        }
        prop_assert_eq!(index, readings.len());
    }
}
