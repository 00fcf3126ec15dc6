//! Exports of a real recording: worked out, written, and opened again by our own reader and by one that is not ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use polevod::derive::field::{Field, FieldId, Fields, Rules as FieldRules};
use polevod::derive::fieldwork::{self, Ledger, Machine, Rules, Session, Trace};
use polevod::derive::{Readings, TaskEntry};
use polevod::exchange::export::{self, Added, Exporter, Format, Options, Style, What};
use polevod::exchange::read::isoxml::{self, FileSet};
use polevod::exchange::recording::{Record, Recordings};
use polevod::exchange::{import, open, recording};
use polevod::locale::Language;
use polevod::report::{Drawn, FieldWork, Performed, Section};
use serde_json::Value;

const HARVESTER: &str = "isoxml/forage_harvester_one_task";

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("the zone data is built in")
}

fn written_at() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

/// What the store would give back of recordings of one machine.
fn stored(recordings: &Recordings) -> (Readings, Vec<TaskEntry>) {
    let (mut readings, mut tasks) = (Readings::default(), Vec::new());
    for recording in &recordings.recordings {
        for (sequence, record) in (0_i64..).zip(&recording.records) {
            let identity = (recording.boot.as_i64(), sequence);
            match record {
                Record::Sample(sample) => {
                    let index = readings.push(sample.recorded_at_ms, identity.0, sequence);
                    sample.values.iter().for_each(|(signal, raw)| readings.set(index, *signal, signal.physical(*raw)));
                }
                Record::Task(task) => tasks.push(TaskEntry::of(identity, task)),
                Record::Faults(_) => {}
            }
        }
    }
    readings.sort();
    tasks.sort_by_key(|task| (task.recorded_at_ms, task.identity));
    (readings, tasks)
}

/// Fields of an import, numbered.
fn fields(path: &Path) -> Fields {
    let (sources, _) = import::open(path).expect("a known format");
    let (found, _) = import::gather(&sources, &FieldRules::default());
    Fields::new(found.fields.into_iter().zip(1..).map(|(draft, id)| Field {
        id: FieldId(id),
        name: draft.name,
        code: draft.code,
        farm: draft.farm,
        crop: draft.crop,
        boundary: draft.boundary,
    }))
}

fn worked_out(readings: &Readings, tasks: &[TaskEntry], fields: &Fields) -> Vec<(Session, Trace)> {
    let first = Timestamp::from_millisecond(readings.recorded_at_ms[0]).expect("a time");
    let work = fieldwork::Work {
        day: first.to_zoned(zone()).date(),
        readings,
        carried: &[],
        tasks,
        fields,
        machine: &Machine::default(),
        ledger: &Ledger::default(),
    };
    fieldwork::traced(&work, &Rules::default())
}

/// The harvester's day with one session, as it would be exported.
struct Harvest {
    fields: Fields,
    readings: Readings,
    work: export::Work,
    trace: Trace,
}

fn harvest(path: &Path) -> Harvest {
    let options = recording::Options { zone: zone(), ..recording::Options::default() };
    let recordings = open(path, &options).expect("it opens");
    let (readings, tasks) = stored(&recordings);
    let fields = fields(path);
    let mut sessions = worked_out(&readings, &tasks, &fields);
    assert_eq!(sessions.len(), 1, "one task, one field, one session");
    let (session, trace) = sessions.remove(0);
    let recording = &recordings.recordings[0];
    let machine =
        export::Machine { serial: recording.machine.as_str().to_owned(), name: None, model: recording.model.clone() };
    let field_code = fields.get(FieldId(1)).and_then(|field| field.code.clone());
    let work = export::Work {
        session_id: 1,
        revision: 1,
        is_confirmed: false,
        machine,
        farm: fields.get(FieldId(1)).and_then(|field| field.farm.clone()),
        field_code,
        session,
    };
    Harvest { fields, readings, work, trace }
}

fn exported(harvest: &Harvest, what: What, format: Format) -> Vec<u8> {
    let style = Style { headings: None, zone: zone() };
    let options = Options { what, format, style, written_at: written_at() };
    let mut exporter = Exporter::begin(options, Vec::new()).expect("it begins");
    let field = harvest.work.field_id().and_then(|id| harvest.fields.get(FieldId(id)));
    let added = Added { work: &harvest.work, field, trace: &harvest.trace, readings: &harvest.readings };
    exporter.add(added).expect("it is added");
    exporter.finish().expect("it ends")
}

fn near(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{found} is not within {share} of {expected}");
}

/// The archive, and the file set in it.
fn task_data(harvest: &Harvest, folder: &Path) -> (PathBuf, FileSet) {
    let path = folder.join("taskdata.zip");
    std::fs::write(&path, exported(harvest, What::Taskdata, Format::Isoxml)).expect("it is written");
    let (sources, problems) = import::open(&path).expect("it opens");
    assert_eq!(problems, []);
    match sources.into_iter().next() {
        Some(import::Source::TaskData { files, .. }) => (path, files),
        other => panic!("task data, not {other:?}"),
    }
}

#[test]
fn a_real_session_comes_back_from_task_data_as_the_same_session() {
    let Some(path) = test_support::recording(HARVESTER) else { return };
    let before = harvest(&path);
    let folder = tempfile::tempdir().expect("a folder");
    let (zip, files) = task_data(&before, folder.path());
    let set = isoxml::read(&files);
    let told: Vec<String> = set.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, [""; 0]);
    let after = harvest(&zip);
    assert_eq!(after.work.machine.serial, before.work.machine.serial);
    let (old, new) = (&before.work.session, &after.work.session);
    assert_eq!((new.started_at, new.ended_at), (old.started_at, old.ended_at));
    let period = old.started_at.as_millisecond()..=old.ended_at.as_millisecond();
    let of_session = |readings: &Readings| readings.recorded_at_ms.iter().filter(|ms| period.contains(ms)).count();
    assert_eq!(after.readings.len(), of_session(&before.readings), "every record of the session is in the log");
    assert_eq!(new.operation, old.operation);
    near(new.area.union_m2.expect("an area"), old.area.union_m2.expect("an area"), 1e-4);
    near(new.area.swept_m2.expect("an area"), old.area.swept_m2.expect("an area"), 1e-4);
    let litres = |session: &Session| session.fuel.expect("fuel").total_l;
    // The log begins with the session; counters report every ten seconds, and how much of the first step falls into the
    // session was told by what came before it.
    near(litres(new), litres(old), 1e-3);
    let wet = |session: &Session| session.harvest.as_ref().expect("a harvest").wet_kg;
    near(wet(new), wet(old), 1e-3);
    near(new.time.working_s, old.time.working_s, 1e-4);
}

#[test]
fn another_reader_opens_the_task_data_with_equal_totals() {
    let Some(path) = test_support::recording(HARVESTER) else { return };
    let harvest = harvest(&path);
    let folder = tempfile::tempdir().expect("a folder");
    let (zip, files) = task_data(&harvest, folder.path());
    let theirs = read_with_node(&zip);
    assert_eq!(theirs["warnings"], serde_json::json!([]));

    let ours = isoxml::read(&files);
    let (task, their_task) = (&ours.data.tasks[0], &theirs["tasks"][0]);
    let totals: serde_json::Map<String, Value> =
        task.times[0].values.iter().map(|value| (format!("{:04X}", value.ddi), value.value.into())).collect();
    assert!(totals.len() >= 8, "{totals:?}");
    assert_eq!(their_task["totals"], Value::Array(vec![Value::Object(totals)]));
    // And these are the totals of the session.
    let session = &harvest.work.session;
    assert_eq!(their_task["totals"][0]["0074"], session.area.union_m2.expect("an area").round() as i64);
    assert_eq!(their_task["totals"][0]["005A"], session.harvest.as_ref().expect("a harvest").wet_kg.round() as i64);
    assert_eq!(their_task["totals"][0]["0077"], session.time.working_s.round() as i64);

    let log = &ours.logs[0];
    let (mut records, mut positions, mut sums) = (0, 0, serde_json::Map::new());
    let mut ours = log.records();
    while let Some(record) = ours.next_record() {
        records += 1;
        positions += u64::from(record.position.is_some());
        for (column, raw) in record.reported() {
            let ddi = format!("{:04X}", log.header.columns[usize::from(*column)].ddi);
            let sum = sums.get(&ddi).and_then(Value::as_i64).unwrap_or(0);
            sums.insert(ddi, (sum + i64::from(*raw)).into());
        }
    }
    let their_log = &their_task["logs"][0];
    assert_eq!((&their_log["records"], &their_log["positions"]), (&records.into(), &positions.into()));
    assert_eq!(their_log["sums"], Value::Object(sums));
    assert_eq!(their_log["errors"], serde_json::json!([]));

    let field = harvest.fields.get(FieldId(1)).expect("its field");
    assert_eq!(theirs["fields"][0]["name"], field.name.as_str());
    assert_eq!(theirs["fields"][0]["area_m2"], field.boundary.area_m2().round() as i64);
}

/// What the `isoxml` package finds in an archive.
fn read_with_node(zip: &Path) -> Value {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/isoxml_reader");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("isoxml_reader");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut is_current = folder.join("node_modules/isoxml/package.json").exists();
    for name in ["package.json", "package-lock.json", ".npmrc", "read.mjs"] {
        let wanted = std::fs::read(source.join(name)).expect("a file of the reader");
        if std::fs::read(folder.join(name)).ok().as_ref() != Some(&wanted) {
            is_current &= name == "read.mjs";
            std::fs::write(folder.join(name), wanted).expect("it is copied");
        }
    }
    if !is_current {
        let installed = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output();
        let installed = installed.expect("npm is there: the tests need Node");
        assert!(installed.status.success(), "npm ci: {}", String::from_utf8_lossy(&installed.stderr));
    }
    let output = Command::new("node").arg(folder.join("read.mjs")).arg(zip).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_report_of_a_real_session_says_what_the_machine_counted() {
    let Some(path) = test_support::recording(HARVESTER) else { return };
    let harvest = harvest(&path);
    let day = harvest.work.session.working_day;
    let report = FieldWork {
        organisation: None,
        period: (day, day),
        sections: vec![Section {
            field: harvest.fields.get(FieldId(1)).cloned(),
            performed: vec![Performed { drawn: Drawn::of(&harvest.trace), work: harvest.work }],
        }],
        corrections: Vec::new(),
        prepared_at: written_at(),
        zone: zone(),
        address: None,
    };
    for language in Language::ALL {
        let html = report.render(language);
        let figure = |name: &str| -> f64 {
            let found = html.split(&format!("<data class=\"{name}\" value=\"")).nth(1).expect("the figure");
            found.split('"').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        near(figure("wet_mass_t"), 259.605, 0.01);
        near(figure("fuel_l"), 84.889, 0.02);
        assert!(html.contains("<svg class=\"map\"") && html.len() < 400_000, "{} bytes", html.len());
        if let Some(folder) = std::env::var_os("POLEVOD_KEEP") {
            let file = Path::new(&folder).join(format!("field-work-{}.html", language.code()));
            std::fs::write(file, &html).expect("it is kept");
        }
    }
}

/// Fields of a file, and what was said about it.
fn imported(path: &Path) -> (Vec<import::FieldDraft>, Vec<String>) {
    let (sources, mut problems) = import::open(path).expect("a known format");
    let (found, told) = import::gather(&sources, &FieldRules::default());
    problems.extend(told);
    (found.fields, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_real_boundary_has_its_area_whatever_format_it_comes_in() {
    let Some(geojson) = test_support::recording("fields/field_one.geojson") else { return };
    let Some(isoxml) = test_support::recording(HARVESTER) else { return };
    let ((from_geojson, _), (from_isoxml, told)) = (imported(&geojson), imported(&isoxml));
    assert_eq!(from_geojson[0].boundary.polygons(), from_isoxml[0].boundary.polygons());
    assert!((from_geojson[0].boundary.area_m2() - 43_992.7).abs() < 0.1);
    assert_eq!(
        told,
        [
            "forage_harvester_one_task: field 5uvmpgDU: its centre 54.5819, 10.2094 is outside the region of work; check the coordinates",
            "forage_harvester_one_task: field 5uvmpgDU covers 4.40 ha on the ground, -5.0 % of the 4.63 ha the file claims",
        ]
    );
}

#[test]
fn a_field_export_of_an_office_gives_its_field() {
    let Some(path) = test_support::recording("isoxml/field_export/TASKDATA.XML") else { return };
    let (fields, told) = imported(&path);
    assert_eq!(fields.len(), 1);
    let field = &fields[0];
    assert_eq!((field.name.as_str(), field.farm.as_deref()), ("Lagerfeld", Some("Josephinum")));
    near(field.boundary.area_m2(), 64_104.0, 0.005);
    assert_eq!(told.len(), 1, "only that it is far from Tomsk: {told:?}");
}
