//! Recordings as a machine would have sent them: real ones by the figures of `data/SOURCES.md`, and made ones with
//! every kind of damage. Nothing here needs a broker or a database.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use polevod::exchange::recording::from_file;
use polevod::exchange::{Format, OpenError, Options, Record, Recordings, open};
use proptest::prelude::*;
use test_support::recording;
use wire::{ReportKind, SignalId, TaskEvent, catalogue};

fn opened(path: &Path) -> Recordings {
    open(path, &Options::default()).expect("it opens")
}

/// Machine, number of samples, of fault reports, of task records, for each recording.
fn counts(recordings: &Recordings) -> Vec<(String, usize, usize, usize)> {
    let count = |records: &[Record], of: fn(&Record) -> bool| records.iter().filter(|r| of(r)).count();
    let one = |r: &polevod::exchange::Recording| {
        (
            r.machine.to_string(),
            r.samples().count(),
            count(&r.records, |r| matches!(r, Record::Faults(_))),
            count(&r.records, |r| matches!(r, Record::Task(_))),
        )
    };
    recordings.recordings.iter().map(one).collect()
}

fn said(recordings: &Recordings) -> String {
    recordings.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_forage_harvester_task_is_4716_samples_and_its_totals() {
    let Some(path) = recording("isoxml/forage_harvester_one_task") else { return };
    let found = opened(&path);
    let machine = "A00086000DF95589".to_owned();
    assert_eq!(counts(&found), [(machine.clone(), 0, 0, 2), (machine, 4_716, 0, 0)]);
    let [task, log] = &found.recordings[..] else { panic!("two recordings") };
    assert_eq!(log.model.as_deref(), Some("uqfOhjIQhhe7sA0"));
    // 17:30:20 in Tomsk, seven hours ahead of UTC.
    assert_eq!(log.records[0].recorded_at_ms(), 1_577_961_020_000);
    let first = log.samples().next().expect("a sample");
    assert_eq!(first.physical(catalogue::LATITUDE_DEG), Some(54.582_294_1));
    assert_eq!(first.physical(catalogue::ACTUAL_WORKING_WIDTH_M), Some(9.0));
    assert_eq!(first.physical(catalogue::TC_FUEL_RATE_MM3PS), Some(6357.0));
    assert_eq!(first.physical(catalogue::GNSS_FIX), None, "status 15 says that nothing is known");
    assert_eq!(first.physical(SignalId::raw_ddi(0xEA60)), Some(1102.0));
    let second = log.samples().nth(1).expect("a sample");
    assert_eq!(second.physical(catalogue::ACTUAL_WORKING_WIDTH_M), None, "not reported again");
    let Record::Task(completed) = &task.records[1] else { panic!("a task record") };
    assert_eq!(
        (completed.event, completed.task.as_str(), completed.field.as_str()),
        (TaskEvent::Completed, "TSK1", "5uvmpgDU")
    );
    assert!(completed.totals.contains(&(catalogue::TOTAL_AREA_M2.number(), 48_300)));
    assert!(completed.totals.contains(&(catalogue::TASK_FUEL_L.number(), 84_889)));
    assert!(completed.totals.contains(&(catalogue::YIELD_TOTAL_MASS_KG.number(), 259_605)));
    let text = said(&found);
    assert!(
        text.contains(r#"DDI EA60 is not in the signal catalogue (the device calls it "Motoristdrehzahl", in UPM)"#)
    );
    assert_eq!(text.matches("is not in the signal catalogue").count(), 12, "{text}");
    assert_eq!(text.matches("status 15").count(), 1);
}

#[test]
fn the_corn_log_is_19495_samples_whose_sums_are_kept() {
    let Some(path) = recording("yield/corn_aglead_advanced.txt") else { return };
    let found = opened(&path);
    assert_eq!(counts(&found), [("corn_aglead_advanced".to_owned(), 19_495, 0, 0)]);
    let samples: Vec<_> = found.recordings[0].samples().collect();
    let of = |sample: &wire::Sample, signal| sample.physical(signal).expect("each row has it");
    let mass_kg: f64 = samples.iter().map(|s| of(s, catalogue::CROP_FLOW_KGPS) * of(s, catalogue::INTERVAL_S)).sum();
    let area_m2: f64 =
        samples.iter().map(|s| of(s, catalogue::INTERVAL_DISTANCE_M) * of(s, catalogue::ACTUAL_WORKING_WIDTH_M)).sum();
    assert!((mass_kg - 110_598.0).abs() < 1.0, "{mass_kg}");
    assert!((area_m2 - 138_345.0).abs() < 10.0, "{area_m2}");
    let times: BTreeSet<i64> = samples.iter().map(|s| s.recorded_at_ms).collect();
    assert_eq!((times.len(), times.first().copied()), (19_495, Some(1_577_836_800_000)));
    expect!["corn_aglead_advanced.txt, line 1: the first time, 1980-05-13T14:25:11Z, is before satellite navigation served farming: it was made unrecognisable; records are dated from 2020-01-01T00:00:00Z with their own intervals (set another start with --start)"]
        .assert_eq(&said(&found));
}

#[test]
fn the_receiver_stream_is_101_samples() {
    let Some(path) = recording("gps/isoblue_gpsd_tpv_2020.jsonl") else { return };
    let found = opened(&path);
    assert_eq!(counts(&found), [("isoblue_gpsd_tpv_2020".to_owned(), 101, 0, 0)]);
    let first = found.recordings[0].samples().next().expect("a sample");
    assert_eq!(first.recorded_at_ms, 1_603_741_675_000);
    assert_eq!(first.physical(catalogue::LONGITUDE_DEG), Some(-84.890_565_6));
    assert_eq!(first.physical(catalogue::GROUND_SPEED_KMH).map(|v| (v * 100.0).round()), Some(792.0));
    assert_eq!(first.physical(catalogue::GNSS_FIX), Some(2.0));
}

#[test]
fn the_tractor_log_is_a_sample_a_second_named_by_its_vehicle_identification() {
    let Some(path) = recording("can/tractor_jd6130r_2021.candump.log") else { return };
    let found = opened(&path);
    let [(machine, samples, faults, tasks)] = &counts(&found)[..] else { panic!("one recording") };
    assert_eq!((machine.as_str(), *faults, *tasks), ("1L06130RELP969468", 0, 0));
    assert!((56..=187).contains(samples), "{samples}");
    let values = |signal| -> BTreeSet<String> {
        found.recordings[0].samples().filter_map(|s| s.physical(signal)).map(|v| format!("{v:.2}")).collect()
    };
    let one = |text: &str| BTreeSet::from([text.to_owned()]);
    assert_eq!(values(catalogue::ENGINE_SPEED_RPM), one("0.00"));
    assert_eq!(values(catalogue::ENGINE_HOURS_H), one("219.20"));
    assert_eq!(values(catalogue::COOLANT_TEMP_C), BTreeSet::from(["85.00".to_owned(), "86.00".to_owned()]));
    assert_eq!(values(catalogue::FUEL_RATE_LPH), one("0.00"));
    assert_eq!(values(catalogue::WHEEL_SPEED_KMH), one("0.00"));
    assert!(values(catalogue::ENGINE_REFERENCE_TORQUE_NM).len() == 1, "it takes a long message to know");
    let text = said(&found);
    assert!(text.contains("PGN 65134 from address 71 is not decoded (187 times)"), "{text}");
}

#[test]
fn the_same_frames_are_the_same_recording_in_whatever_format() {
    let formats = [
        (Format::Candump, "(1600000100.100000) can0 18FECA00#04FF6E001003FFFF\n".to_owned()),
        (
            Format::Asc,
            "date Sun Sep 13 12:28:20.000 2020\nbase hex  timestamps absolute\n0.1 1 18FECA00x Rx d 8 04 FF 6E 00 10 03 FF FF\n".to_owned(),
        ),
        (
            Format::Trc,
            ";$FILEVERSION=1.1\n; Start time: 13.09.2020 12:28:20.000.0\n1) 100.0 Rx 18FECA00 8 04 FF 6E 00 10 03 FF FF\n".to_owned(),
        ),
    ];
    let options = Options { zone: jiff::tz::TimeZone::UTC, ..Options::default() };
    let read = |(format, text): &(Format, String)| {
        let found = from_file(*format, "bus.x", text.as_bytes(), &options);
        (found.recordings[0].boot, found.recordings[0].records.clone(), said(&found))
    };
    for log in &formats {
        assert_eq!(polevod::exchange::open::detect(log.1.as_bytes()), Some(log.0));
        assert_eq!(read(log), read(&formats[0]), "{:?}", log.0);
    }
}

#[test]
fn a_log_without_a_date_is_dated_from_its_start_as_told() {
    let text = "(000.250000) can0 18FECA00#04FF6E001003FFFF\n(002.250000) can0 18FECA00#04FF6E001004FFFF\n";
    let options = Options { start: "2021-05-01T00:00:00Z".parse().ok(), ..Options::default() };
    let found = from_file(Format::Candump, "bus.log", text.as_bytes(), &options);
    let times: Vec<i64> = found.recordings[0].records.iter().map(Record::recorded_at_ms).collect();
    assert_eq!(times, [1_619_827_200_000, 1_619_827_202_000]);
    assert!(said(&found).contains("the log tells no date; records are dated from 2021-05-01T00:00:00Z"));
}

#[test]
fn fifty_trouble_codes_come_whole_and_a_flood_a_spoofed_command_and_an_idle_truck_open_none() {
    let codes: Vec<u8> = (0..50_u8).flat_map(|n| [100 + n, 0, n & 0x1F, 1]).collect();
    let message: Vec<u8> = [&[0x04, 0xFF][..], &codes].concat();
    let packets = message.len().div_ceil(7);
    let mut log = format!("(100.000) can0 18ECFF00#20{:02X}00{packets:02X}FFCAFE00\n", message.len());
    for (index, part) in message.chunks(7).enumerate() {
        let bytes: String = part.iter().chain([0xFF; 7].iter()).take(7).map(|b| format!("{b:02X}")).collect();
        log += &format!("(100.{:03}) can0 18EBFF00#{:02X}{bytes}\n", 10 * (index + 1), index + 1);
        // A flood of openings from the same address, a torque command that nobody should send, an error frame.
        log += &format!("(100.{:03}) can0 18EC{index:02X}00#10FF06FFFFCAFE00\n", 10 * (index + 1) + 1);
        log += &format!(
            "(100.{:03}) can0 0C0000F9#01FFFF7D\n(100.{:03}) can0 20000004#00\n",
            10 * (index + 1) + 2,
            10 * (index + 1) + 3
        );
    }
    let found = from_file(Format::Candump, "bus.log", log.replace("(1", "(16000001").as_bytes(), &Options::default());
    let [Record::Faults(report)] = &found.recordings[0].records[..] else { panic!("one report: {}", said(&found)) };
    assert_eq!(report.faults.len(), 50);
    assert!(said(&found).contains("PGN 0 from address 249 is not decoded"), "{}", said(&found));

    let vin = "(100.0) can0 1CECFF00#20120003FFECFE00\n(100.1) can0 1CEBFF00#01344A32344A4B58\n\
               (100.2) can0 1CEBFF00#02394E3837363534\n(100.3) can0 1CEBFF00#0333322A2AFFFFFF\n\
               (100.4) can0 18FECA00#00FF00000000FFFF\n(100.5) can0 18FECA03#00FFFFFFFFFFFFFF\n";
    let truck = from_file(Format::Candump, "bus.log", vin.replace("(1", "(16000001").as_bytes(), &Options::default());
    assert_eq!(truck.recordings[0].machine.as_str(), "4J24JKX9N8765432");
    let faults = truck.recordings[0].records.iter().map(|record| match record {
        Record::Faults(report) => report.faults.len(),
        _ => 0,
    });
    assert_eq!(faults.sum::<usize>(), 0);
}

#[test]
fn a_recording_read_again_or_grown_has_the_same_boot_and_another_has_not() {
    let rows = |from: u32, count: u32| -> String {
        let row =
            |i| format!("84.97,56.{:05},10,{},1,39,240,14,1,1,7,F,L,WHEAT,9\n", from + i, 1_400_000_000 + from + i);
        (0..count).map(row).collect()
    };
    let boot = |text: &str| {
        let found = from_file(Format::YieldMonitor, "a.txt", text.as_bytes(), &Options::default());
        found.recordings[0].boot
    };
    assert_eq!(boot(&rows(0, 100)), boot(&rows(0, 100)));
    assert_eq!(boot(&rows(0, 100)), boot(&rows(0, 200)), "a longer copy adds only what is new");
    assert_ne!(boot(&rows(0, 100)), boot(&rows(1, 100)));
}

#[test]
fn the_machine_can_be_told() {
    let options = Options { machine: "MTZ-1".parse().ok(), ..Options::default() };
    let found = from_file(Format::Gpsd, "a.jsonl", TPV.as_bytes(), &options);
    assert_eq!(found.recordings[0].machine.as_str(), "MTZ-1");
}

const TPV: &str =
    r#"{"class":"TPV","mode":3,"time":"2020-10-26T19:47:55Z","lat":41.5,"lon":-84.9,"alt":99000,"speed":2.0}"#;

#[test]
fn a_value_outside_its_range_is_left_out_and_named() {
    let found = from_file(Format::Gpsd, "a.jsonl", TPV.as_bytes(), &Options::default());
    let sample = found.recordings[0].samples().next().expect("a sample");
    assert_eq!(sample.physical(catalogue::ALTITUDE_M), None);
    expect!["a.jsonl, line 1: altitude_m = 99000 is outside its valid range; such values are left out"]
        .assert_eq(&said(&found));
}

/// Logs begin 100 s into a day of 2020: a time of a hundred seconds since 1970 would be no date.
fn check_can(log: &str, expected: Expect) {
    let log = log.replace("(1", "(16000001");
    let found = from_file(Format::Candump, "bus.log", log.as_bytes(), &Options::default());
    let mut lines = Vec::new();
    for recording in &found.recordings {
        lines.push(format!("machine {} model {:?}", recording.machine, recording.model));
        for record in &recording.records {
            let at = record.recorded_at_ms();
            lines.push(match record {
                Record::Sample(sample) => {
                    let values = sample.values.iter().map(|(id, raw)| format!("{id} {}", id.physical(*raw)));
                    format!("{at} {}", values.collect::<Vec<_>>().join(", "))
                }
                Record::Faults(report) => {
                    let kind = if report.report == ReportKind::Active { "active" } else { "before" };
                    let codes = report.faults.iter().map(|f| format!("{}/{} x{}", f.spn, f.fmi, f.occurrence_count));
                    let codes = codes.collect::<Vec<_>>().join(", ");
                    let codes = if codes.is_empty() { "none" } else { &codes };
                    format!("{at} {kind} from {}: {codes}", report.source_address)
                }
                Record::Task(task) => format!("{at} {task:?}"),
            });
        }
    }
    lines.push(said(&found));
    expected.assert_eq(lines.join("\n").trim_end());
}

#[test]
fn the_last_value_of_a_second_wins() {
    check_can(
        "(100.1) can0 0CF00400#F0FF7D803EFFFFFF\n(100.9) can0 0CF00400#F0FF7D0019FFFFFF\n(101.2) can0 18FEEE00#7EFFFFFFFFFFFFFF",
        expect![[r#"
            machine bus model None
            1600000100000 engine_speed_rpm 800, engine_torque_pct 0
            1600000101000 coolant_temp_c 86"#]],
    );
}

#[test]
fn trouble_codes_are_told_when_they_change_and_every_five_seconds() {
    let dm1 = |second: u32, code: &str| format!("({second}.5) can0 18FECA00#04FF{code}FFFF\n");
    let log: String = (100..107).map(|s| dm1(s, "6E001003")).chain([dm1(107, "00000000")]).collect();
    check_can(
        &log,
        expect![[r#"
            machine bus model None
            1600000100500 active from 0: 110/16 x3
            1600000105500 active from 0: 110/16 x3
            1600000107500 active from 0: none"#]],
    );
}

#[test]
fn two_controllers_and_long_lists_of_trouble_codes_are_told_apart() {
    check_can(
        concat!(
            "(100.00) can0 18ECFF00#200A0002FFCAFE00\n(100.01) can0 18FECA03#00FF7F001201FFFF\n",
            "(100.05) can0 18EBFF00#0104FF6400017E6E\n(100.10) can0 18EBFF00#02000303FFFFFFFF\n",
            "(100.20) can0 18FECB00#00FF69001001FFFF\n",
        ),
        expect![[r#"
            machine bus model None
            1600000100010 active from 3: 127/18 x1
            1600000100100 active from 0: 100/1 x126, 110/3 x3
            1600000100200 before from 0: 105/16 x1"#]],
    );
}

#[test]
fn a_stranger_does_not_take_over_a_signal() {
    check_can(
        "(100.1) can0 0CF00400#F0FF7D803EFFFFFF\n(100.2) can0 0CF004F9#F0FFE1FFF0FFFFFF\n(107.0) can0 0CF004F9#FFFFFF0019FFFFFF",
        expect![[r#"
            machine bus model None
            1600000100000 engine_speed_rpm 2000, engine_torque_pct 0
            1600000107000 engine_speed_rpm 800
            bus.log, line 2: engine_torque_pct comes from address 0 and also from 249; the values of 249 are left out
            bus.log, line 2: engine_speed_rpm = 7711.875 is outside its valid range; such values are left out"#]],
    );
}

#[test]
fn errors_unknown_groups_other_frames_and_process_data_are_named() {
    check_can(
        concat!(
            "(100.1) can0 18FEEE00#FEFFFFFFFFFFFFFF\n(100.2) can0 18FFAA00#0102\n(100.3) can0 123#01\n",
            "(100.4) can0 20000004#0000\n(100.5) can0 14CBF780#13028D0001000000\n(100.6) can0 14CBF780#230260EA4C040000\n",
        ),
        expect![[r#"
            machine bus model None
            1600000100000 actual_work_state 1, ddi_ea60 1100
            bus.log: 11-bit frames carry no J1939; they are skipped
            bus.log: error frames carry no J1939; they are skipped
            bus.log, line 1: address 0 reports an error instead of SPN 110
            bus.log, line 2: PGN 65450 from address 0 is not decoded
            bus.log, line 6: DDI EA60 is not in the signal catalogue; its values are kept as raw numbers"#]],
    );
}

const TASK_DATA: &str = r#"<ISO11783_TaskData VersionMajor="4" VersionMinor="3" DataTransferOrigin="2">
  <WKR A="WKR1" B="Petrov" C="Ivan"/><CTP A="CTP1" B="Rye"/>
  <PFD A="PFD1" C="North" D="10000" G="CTP1"/>
  <DVC A="DVC1" B="Tractor" D="A00284000DE0C5C2"><DET A="DET1" B="1" C="1" E="0" F="0"/></DVC>
  <DVC A="DVC2" B="Sprayer" D="A00C84000DE0C5C3"><DET A="DET2" B="1" C="1" E="0" F="0"/>
    <DET A="DET3" B="2" C="4" E="1" F="1"/><DET A="DET4" B="3" C="4" E="2" F="1"/></DVC>
  <TSK A="TSK1" E="PFD1" F="WKR1" G="4">
    <TIM A="2023-10-22T01:00:00" B="2023-10-22T01:30:00" D="4"><DLV A="0074" B="4000" C="DET2"/></TIM>
    <TIM A="2023-10-22T01:30:00" B="2023-10-22T02:00:00" D="4"><DLV A="0074" B="9000" C="DET2"/></TIM>
    <DAN C="DVC1"/><DAN C="DVC2"/><TLG A="TLG00001"/></TSK>
  <TSK A="TSK2" G="1"><TIM A="2023-10-23T01:00:00" D="1"/></TSK>
</ISO11783_TaskData>"#;

const LOG_HEADER: &str = r#"<TIM A="" D="4"><DLV A="0043" B="" C="DET3"/><DLV A="0043" B="" C="DET4"/>
  <DLV A="008D" B="" C="DET3"/><DLV A="008D" B="" C="DET4"/><DLV A="018D" B="" C="DET1"/></TIM>"#;

/// A record at 08:00 and so many seconds on 2023-10-22, local time.
fn record(second: u32, values: &[(u8, i32)]) -> Vec<u8> {
    let mut bytes = (8 * 3_600_000 + second * 1000).to_le_bytes().to_vec();
    bytes.extend(16_000_u16.to_le_bytes());
    bytes.push(values.len() as u8);
    for (column, raw) in values {
        bytes.push(*column);
        bytes.extend(raw.to_le_bytes());
    }
    bytes
}

fn task_data_files() -> Vec<(&'static str, Vec<u8>)> {
    let log =
        [record(0, &[(0, 3000), (1, 4500), (2, 1), (3, 0)]), record(1, &[(1, 0)]), record(2, &[(2, 0), (4, 2500)])];
    vec![
        ("TASKDATA/TaskData.xml", TASK_DATA.into()),
        ("TASKDATA/Tlg00001.XML", LOG_HEADER.into()),
        ("TASKDATA/TLG00001.bin", log.concat()),
        ("TASKDATA/readme.txt", b"not task data".to_vec()),
    ]
}

fn folder_of(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    folder
}

fn zip_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a member");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

#[test]
fn task_data_is_the_same_from_its_folder_the_folder_above_a_file_in_it_and_a_zip() {
    let files = task_data_files();
    let folder = folder_of(&files);
    let archive = folder.path().join("export.zip");
    std::fs::write(&archive, zip_of(&files)).expect("a file");
    let inner = folder.path().join("TASKDATA");
    let all = [folder.path(), &inner, &inner.join("TaskData.xml"), &inner.join("TLG00001.bin"), &archive].map(opened);
    let essence = |found: &Recordings| -> Vec<_> {
        found.recordings.iter().map(|r| (r.machine.clone(), r.boot, r.records.clone())).collect()
    };
    for found in &all {
        assert_eq!(essence(found), essence(&all[0]));
        assert_eq!(counts(found), [("A00284000DE0C5C2".to_owned(), 0, 0, 3), ("A00284000DE0C5C2".to_owned(), 3, 0, 0)]);
    }
}

#[test]
fn boom_halves_add_up_any_part_working_is_work_and_a_zone_between_xml_and_log_is_found() {
    let folder = folder_of(&task_data_files());
    let found = opened(folder.path());
    let mut lines = Vec::new();
    for record in found.recordings.iter().flat_map(|r| &r.records) {
        lines.push(match record {
            Record::Sample(sample) => {
                let values = sample.values.iter().map(|(id, raw)| format!("{id} {}", id.physical(*raw)));
                format!("{} {}", sample.recorded_at_ms, values.collect::<Vec<_>>().join(", "))
            }
            Record::Task(t) => {
                format!(
                    "{} {:?} {}|{}|{}|{} {:?}",
                    t.recorded_at_ms, t.event, t.field, t.operator, t.implement, t.crop, t.totals
                )
            }
            Record::Faults(_) => "unexpected".to_owned(),
        });
    }
    lines.push(said(&found));
    expect![[r#"
        1697936400000 Started North|Ivan Petrov|Sprayer|Rye []
        1697938200000 Totals North|Ivan Petrov|Sprayer|Rye [(206, 4000)]
        1697940000000 Completed North|Ivan Petrov|Sprayer|Rye [(206, 9000)]
        1697936400000 actual_working_width_m 7.5, actual_work_state 1
        1697936401000 actual_working_width_m 3
        1697936402000 actual_work_state 0, tc_actual_speed_mps 2.5
        TLG00001.xml: DDI 0043 comes from DET3, DET4; their sum is used
        TLG00001.xml: DDI 008D comes from DET3, DET4; it counts as on when any is
        TASKDATA.XML: task TSK1 is timed -7 h from its own log: another time zone; the log's is used"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_cannot_be_opened_says_why_and_what_would_do() {
    let folder = folder_of(&[("empty/readme.txt", b"nothing".to_vec()), ("notes.txt", b"some notes".to_vec())]);
    let check = |path: &str, expected: &str| {
        let path = folder.path().join(path);
        let error: OpenError = open(&path, &Options::default()).expect_err("it does not open");
        let text = error.to_string().replace(&folder.path().display().to_string(), "…");
        assert!(text.starts_with(expected), "{text}");
    };
    check("nowhere", "cannot read …/nowhere: No such file");
    check("empty", "…/empty has neither TASKDATA.XML nor time logs");
    check("notes.txt", "…/notes.txt is none of the formats that can be replayed: a folder or zip");
    std::fs::write(folder.path().join("bad.zip"), b"PK\x03\x04 and no more").expect("a file");
    check("bad.zip", "cannot unpack …/bad.zip: ");
    std::fs::write(folder.path().join("other.zip"), zip_of(&[("a.txt", vec![1])])).expect("a file");
    check("other.zip", "…/other.zip has neither TASKDATA.XML nor time logs");
}

#[test]
fn task_data_without_anything_recorded_says_so() {
    let Some(path) = recording("isoxml/field_export") else { return };
    let found = opened(&path);
    assert!(found.recordings.is_empty());
    assert_eq!(said(&found), "field_export: nothing in it can be replayed");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(
        format in prop::sample::select(vec![
            Format::Gpsd, Format::YieldMonitor, Format::Candump, Format::Isoxml, Format::Asc, Format::Trc, Format::Mf4,
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let found = from_file(format, "x.y", &bytes, &Options::default());
        prop_assert!(found.recordings.len() <= 1);
    }

    #[test]
    fn arbitrary_bus_traffic_never_panics(frames in prop::collection::vec(
        (0_u32..20, prop::sample::select(vec![0x18EC_FF00_u32, 0x18EB_FF00, 0x18FE_CA00, 0x0CF0_0400, 0x14CB_F780, 0x19F8_0100]),
         prop::collection::vec(any::<u8>(), 0..9)), 0..100))
    {
        let line = |(second, id, data): &(u32, u32, Vec<u8>)| {
            let data: String = data.iter().map(|b| format!("{b:02X}")).collect();
            format!("({second}.5) can0 {id:08X}#{data}\n")
        };
        let log: String = frames.iter().map(line).collect();
        let found = from_file(Format::Candump, "x.log", log.as_bytes(), &Options::default());
        let records: usize = found.recordings.iter().map(|r| r.records.len()).sum();
        prop_assert!(records <= 2 * frames.len());
    }
}
