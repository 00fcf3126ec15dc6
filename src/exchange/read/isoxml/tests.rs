//! Task data as machines and offices write it, whole and damaged, made in code.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const DAY: u16 = 16_000; // 2023-10-22
const MORNING_MS: u32 = 8 * 3_600_000;

const HEADER: &str = r#"<TIM A="" D="4"><PTN A="" B="" D=""/>
    <DLV A="0043" B="" C="DET-1"/><DLV A="008d" B="" C="DET-1"/><DLV A="EA60" B="" C="DET-1"/></TIM>"#;

const TASK_DATA: &str = r#"<?xml version="1.0"?>
<ISO11783_TaskData VersionMajor="4" VersionMinor="3" DataTransferOrigin="2" TaskControllerManufacturer="TC">
  <CTR A="CTR1" B="Ivanov &amp; sons"/><FRM A="FRM1" B="Farm" I="CTR1"/>
  <PFD A="PFD1" C="North" D="10000" E="CTR1" F="FRM1"><PLN A="1" C="9990">
    <LSG A="1"><PNT A="2" C="56.0" D="84.0"/><PNT A="2" C="56.001" D="84.0"/><PNT A="2" C="56.001" D="84.002"/>
      <PNT A="2" C="56.0" D="84.0"/></LSG>
    <LSG A="2"><PNT A="2" C="56.0002" D="84.0002"/><PNT A="2" C="56.0003" D="84.0002"/><PNT A="2" C="56.0002" D="84.0003"/></LSG>
  </PLN></PFD>
  <DVC A="DVC-1" B="Harvester" D="A00E84000DE0C5C2" E="S1"><DET A="DET-1" B="1" C="1" E="0" F="0"><DOR A="3"/></DET>
    <DPD A="3" B="EA60" C="1" D="1" E="Engine" F="9"/><DVP A="9" B="-100" C="0.5" D="1" E="rpm"/></DVC>
  <TSK A="TSK1" B="Chop" E="PFD1" G="4"><TIM A="2023-10-22T08:00:00" B="2023-10-22T09:00:00+07:00" D="4">
    <DLV A="0074" B="9000" C="DET-1"/></TIM><TLG A="TLG00001" C="1"/></TSK>
</ISO11783_TaskData>"#;

/// A record: seconds after 08:00, days after the first, position in 1e-7 degrees, values.
fn record(second: u32, day: u16, position: (i32, i32), status: u8, values: &[(u8, i32)]) -> Vec<u8> {
    let mut bytes = (MORNING_MS + second * 1000).to_le_bytes().to_vec();
    bytes.extend((DAY + day).to_le_bytes());
    bytes.extend(position.0.to_le_bytes());
    bytes.extend(position.1.to_le_bytes());
    bytes.push(status);
    bytes.push(values.len() as u8);
    for (column, raw) in values {
        bytes.push(*column);
        bytes.extend(raw.to_le_bytes());
    }
    bytes
}

fn plain(second: u32, values: &[(u8, i32)]) -> Vec<u8> {
    record(second, 0, (560_000_000 + second as i32, 840_000_000), 1, values)
}

fn folder(bin: Vec<u8>) -> FileSet {
    FileSet::from_iter([
        ("TaskData.XML", TASK_DATA.as_bytes().to_vec()),
        ("tlg00001.XML", HEADER.as_bytes().to_vec()),
        ("TLG00001.bin", bin),
    ])
}

/// Reads a folder and tells every record and problem.
fn tell(files: &FileSet) -> String {
    let set = read(files);
    let mut said = String::new();
    let mut problems = set.problems;
    for log in &set.logs {
        let mut records = log.records();
        while let Some(record) = records.next_record() {
            let at = record.civil();
            write!(said, "{} {at} ", record.index).expect("a string takes it");
            match record.position {
                Some(p) => write!(said, "{:.7},{:.7}", p.lat_deg, p.lon_deg),
                None => write!(said, "no position"),
            }
            .expect("a string takes it");
            for column in 0..log.header.columns.len() {
                match record.reading(column) {
                    Some(Reading::Reported(raw)) => write!(said, " {raw}"),
                    Some(Reading::Carried(raw)) => write!(said, " ({raw})"),
                    None => write!(said, " -"),
                }
                .expect("a string takes it");
            }
            said.push('\n');
        }
        problems.extend(records.into_problems());
    }
    for problem in problems {
        writeln!(said, "{problem}").expect("a string takes it");
    }
    said
}

fn check(bin: Vec<u8>, expected: Expect) {
    expected.assert_eq(&tell(&folder(bin)));
}

#[test]
fn a_column_that_a_record_leaves_out_keeps_its_value_and_says_so() {
    check(
        [plain(0, &[(0, 3000), (1, 1)]), plain(1, &[(2, 1900)]), plain(2, &[(1, 0), (2, 1900)])].concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 1 -
            1 2023-10-22T08:00:01 56.0000001,84.0000000 (3000) (1) 1900
            2 2023-10-22T08:00:02 56.0000002,84.0000000 (3000) 0 1900
        "#]],
    );
}

#[test]
fn a_value_that_means_not_available_ends_the_carrying() {
    check(
        [plain(0, &[(0, 3000)]), plain(1, &[(0, i32::MIN)]), plain(2, &[])].concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
            1 2023-10-22T08:00:01 56.0000001,84.0000000 - - -
            2 2023-10-22T08:00:02 56.0000002,84.0000000 - - -
        "#]],
    );
}

#[test]
fn a_log_that_breaks_off_is_read_up_to_there() {
    let whole = [plain(0, &[(0, 3000)]), plain(1, &[(0, 3001), (1, 1)])].concat();
    check(
        whole[..whole.len() - 3].to_vec(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
            TLG00001.bin, record 1 at byte 21: the log breaks off inside a record: 23 bytes left, at least 26 needed; the rest was read
        "#]],
    );
    check(
        whole[..24].to_vec(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
            TLG00001.bin, record 1 at byte 21: the log breaks off inside a record: 3 bytes left, at least 16 needed; the rest was read
        "#]],
    );
}

#[test]
fn an_empty_or_missing_log_is_named() {
    check(
        Vec::new(),
        expect![[r#"
            TLG00001.bin: the time log has no bytes: the machine opened it and recorded nothing
        "#]],
    );
    let no_bin = FileSet::from_iter([
        ("TASKDATA.XML", TASK_DATA.as_bytes().to_vec()),
        ("TLG00001.XML", HEADER.as_bytes().to_vec()),
    ]);
    expect![[r#"
        TLG00001.bin: the time log is missing: its task names it, the recording does not hold it
    "#]]
    .assert_eq(&tell(&no_bin));
    let no_header =
        FileSet::from_iter([("TASKDATA.XML", TASK_DATA.as_bytes().to_vec()), ("TLG00001.BIN", plain(0, &[]))]);
    expect![[r#"
        TLG00001.xml: the header of the time log is missing; without it the log cannot be read
    "#]]
    .assert_eq(&tell(&no_header));
}

#[test]
fn a_log_that_no_task_names_is_read_without_a_task() {
    let files =
        FileSet::from_iter([("TLG00007.XML", HEADER.as_bytes().to_vec()), ("TLG00007.BIN", plain(0, &[(0, 3000)]))]);
    expect![[r#"
        0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
        TASKDATA.XML: the file is missing; customers, fields, devices and tasks are unknown
        TLG00007.BIN: no task names this time log; it is read without a task
    "#]]
    .assert_eq(&tell(&files));
}

#[test]
fn a_value_for_a_column_the_header_lacks_is_skipped_alone() {
    check(
        [plain(0, &[(0, 3000), (9, 7)]), plain(1, &[(0, 3001)])].concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
            1 2023-10-22T08:00:01 56.0000001,84.0000000 3001 - -
            TLG00001.bin, record 0 at byte 0: value for column 9, but the header has 3; the value is skipped
        "#]],
    );
}

#[test]
fn damaged_bytes_between_records_are_skipped() {
    let rubbish = vec![0xFF; 19];
    check(
        [plain(0, &[(0, 3000)]), plain(1, &[]), rubbish, plain(2, &[(0, 3002)]), plain(3, &[])].concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 3000 - -
            1 2023-10-22T08:00:01 56.0000001,84.0000000 (3000) - -
            3 2023-10-22T08:00:02 56.0000002,84.0000000 3002 - -
            4 2023-10-22T08:00:03 56.0000003,84.0000000 (3002) - -
            TLG00001.bin, record 2 at byte 37: 19 damaged bytes are skipped; reading goes on at byte 56
        "#]],
    );
}

#[test]
fn a_date_that_jumps_and_comes_back_is_damage_and_one_that_stays_is_a_pause() {
    let here = (560_000_000, 840_000_000);
    check(
        [
            record(0, 0, here, 1, &[]),
            record(1, 400, here, 1, &[]),
            record(2, 0, here, 1, &[]),
            record(3, 3, here, 1, &[]),
            record(4, 3, here, 1, &[]),
        ]
        .concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 56.0000000,84.0000000 - - -
            2 2023-10-22T08:00:02 56.0000000,84.0000000 - - -
            3 2023-10-25T08:00:03 56.0000000,84.0000000 - - -
            4 2023-10-25T08:00:04 56.0000000,84.0000000 - - -
            TLG00001.bin, record 1 at byte 16: the date jumps by 400 days and back; the record is damaged and skipped
            TLG00001.bin, record 3 at byte 48: the recording goes on 3 days later
        "#]],
    );
}

#[test]
fn a_record_without_a_usable_position_is_kept_without_it() {
    let here = (560_000_000, 840_000_000);
    check(
        [
            record(0, 0, (0, 0), 1, &[]),
            record(1, 0, (910_000_000, 0), 1, &[]),
            record(2, 0, here, 0, &[]),
            record(3, 0, here, 15, &[]),
            record(4, 0, here, 15, &[]),
        ]
        .concat(),
        expect![[r#"
            0 2023-10-22T08:00:00 no position - - -
            1 2023-10-22T08:00:01 no position - - -
            2 2023-10-22T08:00:02 no position - - -
            3 2023-10-22T08:00:03 56.0000000,84.0000000 - - -
            4 2023-10-22T08:00:04 56.0000000,84.0000000 - - -
            TLG00001.bin, record 0 at byte 0: position 0, 0 means no fix; the record is kept without a position
            TLG00001.bin, record 1 at byte 16: position 910000000, 0 (1e-7 deg) is not on the map; the record is kept without a position
            TLG00001.bin, record 2 at byte 32: position status 0 (no fix or error); the record is kept without a position
            TLG00001.bin, record 3 at byte 48: position status 15 (not available); the positions are kept, their quality is unknown (2 times)
        "#]],
    );
}

#[test]
fn a_clock_that_goes_back_is_named() {
    check(
        [plain(10, &[]), plain(7, &[])].concat(),
        expect![[r#"
            0 2023-10-22T08:00:10 56.0000010,84.0000000 - - -
            1 2023-10-22T08:00:07 56.0000007,84.0000000 - - -
            TLG00001.bin, record 1 at byte 16: the time goes back by 3 s
        "#]],
    );
}

#[test]
fn every_position_field_is_read_where_the_header_says_it_stands() {
    let header = r#"<TIM A=""><PTN A="" B="" C="" D="4" E="" F="" G="" H="" I=""/></TIM>"#;
    let mut bin = MORNING_MS.to_le_bytes().to_vec();
    bin.extend(DAY.to_le_bytes());
    bin.extend(560_000_000_i32.to_le_bytes());
    bin.extend(840_000_000_i32.to_le_bytes());
    bin.extend(123_456_i32.to_le_bytes());
    bin.extend(17_u16.to_le_bytes());
    bin.extend(9_u16.to_le_bytes());
    bin.push(14);
    bin.extend(3_600_000_u32.to_le_bytes());
    bin.extend(DAY.to_le_bytes());
    bin.push(0);
    let files = FileSet::from_iter([("TLG1.XML", header.as_bytes().to_vec()), ("TLG1.BIN", bin)]);
    let set = read(&files);
    let mut records = set.logs[0].records();
    let record = records.next_record().expect("one record");
    assert_eq!(record.position.and_then(|p| p.up_mm), Some(123_456));
    assert_eq!(record.status, Some(GnssStatus::RtkFixed));
    assert_eq!((record.pdop, record.hdop, record.satellites), (Some(1.7), Some(0.9), Some(14)));
    assert_eq!(record.utc_civil().map(|at| at.to_string()).as_deref(), Some("2023-10-22T01:00:00"));
    assert!(records.next_record().is_none());
    assert!(records.problems().is_empty());
}

fn data_of(xml: &str) -> (TaskData, Vec<String>) {
    let files = FileSet::from_iter([("TASKDATA.XML", xml.as_bytes().to_vec())]);
    let set = read(&files);
    (set.data, set.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn customers_fields_devices_and_tasks_are_read() {
    let (data, problems) = data_of(TASK_DATA);
    assert_eq!(data.version, Some((4, 3)));
    assert_eq!(data.from_machine, Some(true));
    assert_eq!(data.customers[0].last_name.as_deref(), Some("Ivanov & sons"));
    let field = &data.fields[0];
    assert_eq!((field.area_m2, field.boundary().count()), (Some(10_000), 1));
    let rings = &field.polygons[0].rings;
    assert_eq!((rings[0].points.len(), rings[0].is_hole), (3, false));
    assert_eq!((rings[1].points.len(), rings[1].is_hole), (3, true));
    let (device, element) = data.element("DET-1").expect("the element is there");
    assert_eq!((device.id.as_str(), element.object_id), ("DVC-1", 1));
    let name = device.name.expect("a NAME");
    assert_eq!((name.device_class(), name.industry_group(), name.function()), (7, 2, 0x84));
    assert!(name.is_self_propelled());
    let text = device.describe(0xEA60).expect("described");
    assert_eq!(text.designator, Some("Engine"));
    assert_eq!(text.presentation.map(|p| p.shown(2100)), Some(1000.0));
    let task = &data.tasks[0];
    assert_eq!((task.status, task.logs.len()), (Some(TaskStatus::Completed), 1));
    let time = &task.times[0];
    assert_eq!(time.kind, Some(TimeKind::Effective));
    assert_eq!(time.start.map(|t| t.offset), Some(None));
    assert_eq!(time.stop.and_then(|t| t.offset).map(|o| o.seconds()), Some(7 * 3600));
    assert_eq!((time.values[0].ddi, time.values[0].value), (0x74, 9000));
    assert_eq!(
        problems,
        [
            "TLG00001.xml: the header of the time log is missing; without it the log cannot be read",
            "TLG00001.bin: the time log is missing: its task names it, the recording does not hold it"
        ]
    );
}

#[test]
fn what_makes_no_sense_in_task_data_is_left_out_and_named() {
    let (data, problems) = data_of(
        r#"<ISO11783_TaskData VersionMajor="3" VersionMinor="0">
        <PFD A="PFD1" D="many" F="FRM7"><LSG A="1"><PNT C="56" D="84"/><PNT C="156" D="84"/><PNT C="56,1" D="84"/><PNT C="56.1" D="84.1"/></LSG></PFD>
        <PFD A="PFD1" C="twice"/><PFD C="no id"/>
        <PFD A="PFD3"><PLN A="1"><LSG A="1"><PNT C="56" D="84"/></LSG></PLN></PFD>
        <TSK A="TSK1" E="PFD9"><TIM A="yesterday"><DLV A="zz" B="1"/><DLV A="0074" B="12.0"/></TIM></TSK>
        </ISO11783_TaskData>"#,
    );
    assert_eq!(data.fields.len(), 3);
    assert_eq!(data.fields[0].boundary().next().map(|b| b.rings[0].points.len()), Some(3));
    assert_eq!(data.tasks[0].times[0].values.len(), 1);
    expect![[r#"
        TASKDATA.XML, byte 125: point 156, 84 is not on the map; it is left out
        TASKDATA.XML, byte 62: field PFD1 has its boundary as a line without a polygon; it is taken as the boundary
        TASKDATA.XML, byte 62: PFD D="many" is not a number of its range; it is left out
        TASKDATA.XML, byte 213: the id PFD1 is given twice; both are kept, references mean the first
        TASKDATA.XML, byte 238: PFD without A; the element is skipped
        TASKDATA.XML, byte 288: a ring of field PFD3 has 1 points and encloses nothing; it is left out
        TASKDATA.XML, byte 369: TIM A="yesterday" is not a date and time; it is left out
        TASKDATA.XML, byte 388: DLV A="zz" is not a data dictionary identifier of 4 hex digits; it is left out
        TASKDATA.XML: TSK E="PFD9" names nothing in this task data
        TASKDATA.XML: PFD F="FRM7" names nothing in this task data"#]]
    .assert_eq(&problems.join("\n"));
}

#[test]
fn task_data_that_breaks_off_gives_what_stands_before() {
    let cut = TASK_DATA.find("<DVC").expect("a device") + 30;
    let (data, problems) = data_of(&TASK_DATA[..cut]);
    assert_eq!((data.customers.len(), data.fields.len(), data.devices.len()), (1, 1, 0));
    expect!["TASKDATA.XML, byte 581: damaged XML (syntax error: tag not closed: `>` not found before end of input); what stands before it is read"]
        .assert_eq(&problems.join("\n"));
}

#[test]
fn external_files_are_followed_and_missing_ones_named() {
    let root = r#"<ISO11783_TaskData VersionMajor="3" VersionMinor="3"><XFR A="CTR00001" B="1"/><XFR A="FRM00001" B="1"/></ISO11783_TaskData>"#;
    let files = FileSet::from_iter([
        ("TASKDATA.XML", root.as_bytes().to_vec()),
        ("ctr00001.xml", br#"<XFC><CTR A="CTR1" B="Petrova"/></XFC>"#.to_vec()),
    ]);
    let set = read(&files);
    assert_eq!(set.data.customers[0].last_name.as_deref(), Some("Petrova"));
    assert_eq!(
        set.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["FRM00001.XML: the external file named by XFR is missing; its elements are unknown"]
    );
}

#[test]
fn text_in_other_encodings_is_read() {
    let xml = "<ISO11783_TaskData><CTR A=\"CTR1\" B=\"Müller\"/></ISO11783_TaskData>";
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(xml.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin1: Vec<u8> = xml.chars().map(|c| c as u8).collect();
    for bytes in [xml.as_bytes().to_vec(), [b"\xEF\xBB\xBF", xml.as_bytes()].concat(), utf16, latin1] {
        let files = FileSet::from_iter([("TASKDATA.XML", bytes)]);
        assert_eq!(read(&files).data.customers[0].last_name.as_deref(), Some("Müller"));
    }
}

#[test]
fn hostile_nesting_is_bounded() {
    let deep = format!("<ISO11783_TaskData>{}", "<PLN>".repeat(100_000));
    let (_, problems) = data_of(&deep);
    assert!(problems[0].contains("nested deeper than 32"), "{}", problems[0]);
}

#[test]
fn a_ring_of_element_parents_ends() {
    let element = |id: &str, object_id, parent| DeviceElement {
        id: id.to_owned(),
        object_id,
        kind: 4,
        designator: None,
        number: None,
        parent: Some(parent),
        objects: Vec::new(),
    };
    let (mut data, _) = data_of(TASK_DATA);
    let device = &mut data.devices[0];
    device.elements = vec![element("A", 1, 2), element("B", 2, 1), element("C", 3, 2)];
    let [a, b, c] = [0, 1, 2].map(|i| device.elements[i].clone());
    assert!(device.is_within(&a, &b));
    assert!(device.is_within(&c, &a));
    assert!(!device.is_within(&a, &c));
}

/// Every byte with every value, so nothing is left to a seed.
#[test]
fn a_damaged_byte_costs_one_record_at_most() {
    let files = folder((0..25).flat_map(|second| plain(second, &[])).collect());
    let set = read(&files);
    let whole = set.logs[0].bytes();
    for at in 0..whole.len() {
        let mut bin = whole.to_vec();
        for byte in 0..=u8::MAX {
            bin[at] = byte;
            let mut log = TimeLog::new("TLG00001.bin", &set.logs[0].header, &bin);
            let mut count = 0;
            while log.next_record().is_some() {
                count += 1;
            }
            assert!((24..=25).contains(&count), "byte {at} = {byte}: {count} records of 25");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_logs_never_panic(bin in prop::collection::vec(any::<u8>(), 0..600)) {
        let files = folder(bin);
        prop_assert!(tell(&files).len() < 1 << 20);
    }

    #[test]
    fn arbitrary_xml_never_panics(xml in "[<>/A-Z=\"' a-z&;!\\[\\]?-]{0,200}", tail in "(<(TSK|PFD|DVC|/DVC|TIM|DLV|/TSK)( [A-G]=\"[0-9a-f-]{0,5}\")*/?>){0,12}") {
        let (data, _) = data_of(&xml);
        prop_assert!(data.tasks.len() <= 200);
        let (data, _) = data_of(&format!("<ISO11783_TaskData>{tail}"));
        prop_assert!(data.tasks.len() <= 12);
    }

    #[test]
    fn arbitrary_headers_never_panic(header in prop::collection::vec(any::<u8>(), 0..300)) {
        let files = FileSet::from_iter([("TLG1.XML", header), ("TLG1.BIN", vec![0; 50])]);
        prop_assert!(read(&files).logs.len() <= 1);
    }
}
