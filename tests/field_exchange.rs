//! Fields, exports and reports as a user meets them: with a real recording, a real database and a real broker.

mod site;

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use site::Site;

const HARVESTER: &str = "isoxml/forage_harvester_one_task";
/// Exit code: done, but something needs attention.
const ATTENTION: i32 = 3;

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path.display().to_string()
}

fn square(name: &str, west: f64, south: f64, size_deg: f64) -> Value {
    let (east, north) = (west + size_deg, south + size_deg);
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    json!({
        "type": "Feature",
        "properties": {"name": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    })
}

#[test]
fn work_is_found_on_a_field_once_its_boundary_is_known_and_leaves_it_with_it() {
    let Some(recording) = test_support::recording(HARVESTER) else { return };
    let recording_path = recording.display().to_string();
    let site = Site::start();
    site.replay(&recording);
    let places = || {
        let sessions = site.json(&["sessions", "--json"]);
        let places = sessions.as_array().expect("a list").iter().map(|session| session["place"].clone());
        places.collect::<Vec<_>>()
    };
    let before = places();
    assert_eq!((before.len(), &before[0]["kind"]), (1, &json!("outside")));
    assert!(before[0]["proposed_boundary"].as_array().is_some_and(|outline| outline.len() > 3));

    // The same task data brings the field: 5 % smaller than it claims, and far from Tomsk, which is worth a word.
    let imported = site.json(&["import", "--json", &recording_path]);
    assert_eq!((&imported["saved"], &imported["fields"][0]["decision"]), (&json!(true), &json!("new")));
    let told = imported["problems"].as_array().expect("a list").iter().filter_map(Value::as_str).collect::<Vec<_>>();
    assert!(told.iter().any(|line| line.contains("-5.0 % of the 4.63 ha the file claims")), "{told:?}");
    assert!(told.iter().any(|line| line.contains("outside the region of work")), "{told:?}");
    let on_field = places();
    assert_eq!((&on_field[0]["kind"], &on_field[0]["name"]), (&json!("field"), &json!("5uvmpgDU")));
    let again = site.json(&["import", "--json", &recording_path]);
    assert_eq!(again["fields"][0]["decision"], "unchanged");

    // Another field on top of it is refused, whatever it is called.
    let folder = tempfile::tempdir().expect("a folder");
    let on_top = write(folder.path(), "top.geojson", &square("On top", 10.206, 54.580, 0.01).to_string());
    let refused = site.run(&["import", &on_top]);
    assert_eq!(refused.status.code(), Some(ATTENTION));
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("refused: 4.40 ha (100 %) lie on 5uvmpgDU"), "{said}");

    assert!(site.says(&["field", "list"]).contains("5uvmpgDU"));
    site.says(&["field", "set", "5uvmpgDU", "--name", "Far field", "--code", "7"]);
    assert_eq!(places()[0]["name"], "Far field");
    let shown = site.json(&["field", "show", "7"]);
    assert_eq!((&shown["revision"], &shown["earlier"][0]["name"]), (&json!(2), &json!("5uvmpgDU")));
    assert_eq!(shown["sessions"].as_array().map(Vec::len), Some(1));

    assert_eq!(site.sql("select count(*) from field_revision"), "1");
    site.says(&["field", "remove", "7"]);
    let after = places();
    assert_eq!(after[0]["kind"], "outside");
    // What the machine worked becomes a field by its own outline.
    let id = site.json(&["sessions", "--json"])[0]["work_session_id"].to_string();
    let said = site.says(&["field", "accept", &id, "--name", "Worked", "--farm", "Zarya"]);
    assert!(said.contains("\"Worked\" is entered, 4."), "{said}");
    assert_eq!(places()[0]["name"], "Worked");
    let refused = site.run(&["field", "accept", &id, "--name", "Twice"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is on a field already"));
    let missing = site.run(&["field", "show", "nowhere"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no field \"nowhere\""));
}

#[test]
fn an_export_and_a_report_say_what_the_store_says() {
    let Some(recording) = test_support::recording(HARVESTER) else { return };
    let site = Site::start();
    site.says(&["migrate"]);
    site.run(&["import", &recording.display().to_string()]);
    site.replay(&recording);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let session = &site.json(&["sessions", "--json"])[0];
    let worked_ha = session["summary"]["worked_ha"].as_f64().expect("an area");

    let csv = site.says(&["export", "sessions"]);
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (names, values) = (lines.next().expect("names"), lines.next().expect("a session"));
    let value = |name: &str| values[names.iter().position(|column| *column == name).expect("a column")];
    assert!((value("area_ha").parse::<f64>().expect("hectares") - worked_ha).abs() < 0.001);
    assert_eq!((value("field"), value("operation")), ("5uvmpgDU", "forage_harvest"));

    let said = site.says(&["export", "sessions", "--period", "2020", "--lang", "ru", "--out", &at("sessions.xlsx")]);
    assert!(said.starts_with("1 session in "), "{said}");
    assert!(std::fs::read(at("sessions.xlsx")).expect("a workbook").starts_with(b"PK"));
    let none = site.says(&["export", "sessions", "--period", "2021"]);
    assert_eq!(none.lines().count(), 1, "headings alone");

    let json: Value = serde_json::from_str(&site.says(&["export", "track", "--format", "geojson"])).expect("JSON");
    assert!(json["features"].as_array().is_some_and(|features| features.len() > 20));
    let json: Value = serde_json::from_str(&site.says(&["export", "yield", "--format", "geojson"])).expect("JSON");
    let points = json["features"].as_array().expect("points");
    assert!(points.iter().any(|point| point["properties"]["dropped"].is_string()));
    assert!(site.says(&["export", "fields", "--format", "kml"]).contains("<name>5uvmpgDU</name>"));

    let zip = at("taskdata.zip");
    site.says(&["export", "taskdata", "--field", "5uvmpgDU", "--out", &zip]);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&zip).expect("the zip")).expect("a zip");
    let mut log = Vec::new();
    archive.by_name("TASKDATA/TLG00001.bin").expect("a log").read_to_end(&mut log).expect("its bytes");
    assert!(log.len() > 400_000, "{} bytes", log.len());
    // The makers' own values travel too.
    let mut header = String::new();
    archive.by_name("TASKDATA/TLG00001.xml").expect("a header").read_to_string(&mut header).expect("text");
    assert!(header.contains("A=\"EA60\""), "{header}");
    let checked = site.json(&["import", "--json", "--dry-run", &zip]);
    assert_eq!((&checked["saved"], &checked["fields"][0]["decision"]), (&json!(false), &json!("unchanged")));

    let samples =
        site.says(&["export", "samples", "--machine", "A00086000DF95589", "--period", "2020-01-02..2020-01-03"]);
    assert_eq!(samples.lines().count(), 4_717);
    assert!(samples.lines().next().is_some_and(|names| names.contains("crop_flow_kgps") && names.contains("ddi_ea60")));

    let report = at("report.html");
    site.says(&["report", "field-work", "--field", "5uvmpgDU", "--period", "2020", "--lang", "en", "--out", &report]);
    let html = std::fs::read_to_string(report).expect("the report");
    let figure = html.split("<data class=\"area_ha\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let figure: f64 = figure.expect("the area").parse().expect("a number");
    assert!((figure - worked_ha).abs() < 0.001, "{figure} is not {worked_ha}");
    assert!(html.contains("Forage harvest") && html.contains("<svg class=\"map\""));

    let wrong = site.run(&["export", "swaths", "--out", &at("swaths.csv")]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("swaths cannot be written as csv; possible: geojson"));
    assert!(!Path::new(&at("swaths.csv")).exists() && !Path::new(&at("swaths.csv.unfinished")).exists());
    let wrong = site.run(&["export", "sessions", "--field", "nowhere"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("there is no field \"nowhere\""));
}
