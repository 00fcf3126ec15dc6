//! Files of other programs, and what becomes of their fields.

use expect_test::{Expect, expect};

use crate::derive::field::{Field, FieldId, Fields, Rules};

use super::*;

fn ring(x: f64, y: f64, size_deg: f64) -> String {
    let (w, s, e, n) = (84.0 + x, 56.0 + y, 84.0 + x + size_deg, 56.0 + y + size_deg);
    format!("[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{n}],[{w},{s}]]")
}

fn feature(name: &str, ring: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}"#
    )
}

fn collection(features: &[String]) -> Vec<u8> {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")).into_bytes()
}

fn known(features: &[String]) -> Fields {
    let (import, _) = import_of("known.geojson", collection(features));
    Fields::new(import.fields.into_iter().zip(1..).map(|(draft, id)| Field {
        id: FieldId(id),
        name: draft.name,
        code: draft.code,
        farm: draft.farm,
        crop: draft.crop,
        boundary: draft.boundary,
    }))
}

fn import_of(name: &str, bytes: Vec<u8>) -> (Import, Vec<String>) {
    let (sources, mut problems) = from_bytes(name, bytes).expect("a known format");
    let (import, found) = gather(&sources, &Rules::default());
    problems.extend(found);
    (import, problems.iter().map(ToString::to_string).collect())
}

fn check_plan(features: &[String], known: &Fields, expected: Expect) {
    let (import, mut told) = import_of("fields.geojson", collection(features));
    for field in plan(import, known, false).fields {
        let decision = match field.decision {
            Decision::New => "new".to_owned(),
            Decision::Changed { id, was_ha } => format!("changes field {}, was {was_ha:.1} ha", id.0),
            Decision::Unchanged { id } => format!("is field {}", id.0),
            Decision::Overlaps(overlap) => {
                format!("lies on {}: {:.1} ha, {:.0} %", overlap.other, overlap.shared_ha, overlap.share * 100.0)
            }
            Decision::Elsewhere { other, km } => format!("{other} is {km:.1} km away"),
        };
        told.push(format!("{}: {decision}", field.draft.name));
    }
    expected.assert_eq(&told.join("\n"));
}

#[test]
fn fields_are_new_changed_unchanged_or_in_the_way() {
    let known = known(&[feature("North", &ring(0.0, 0.0, 0.01)), feature("South", &ring(0.02, 0.0, 0.01))]);
    check_plan(
        &[
            feature("North", &ring(0.0, 0.0, 0.01)),
            feature("South", &ring(0.02, 0.0, 0.009)),
            feature("West", &ring(0.005, 0.005, 0.01)),
            feature("East", &ring(0.04, 0.0, 0.01)),
            feature("Neighbour", &ring(0.0499, 0.0, 0.01)),
            feature("Twice", &ring(0.041, 0.0, 0.01)),
            feature("South", &ring(0.4, 0.0, 0.01)),
        ],
        &known,
        expect![[r#"
            North: is field 1
            South: changes field 2, was 69.5 ha
            West: lies on North: 17.4 ha, 25 %
            East: new
            Neighbour: new
            Twice: lies on East: 62.5 ha, 90 %
            South: South is 23.7 km away"#]],
    );
}

#[test]
fn task_data_gives_farms_people_implements_and_fields() {
    let xml = r#"<ISO11783_TaskData VersionMajor="3" VersionMinor="0">
        <CTR A="CTR1" B="Ivanov" C="Pyotr"/><CTR A="CTR2" B="Zarya"/><FRM A="FRM1" B="Luch" I="CTR1"/>
        <WKR A="WKR1" B="Sidorov" C="Oleg"/><CTP A="CTP1" B="Oats"/>
        <DVC A="DVC1" B="Tractor" D="A00284000DE0C5C2"/>
        <DVC A="DVC2" B="Drill 6 m" D="A00884000DE0C5C2" E="77"><DPT A="5" B="0046" C="6000"/></DVC>
        <PFD A="PFD1" B="12" C="Far" D="400000" F="FRM1" G="CTP1"><PLN A="1"><LSG A="1">
          <PNT A="2" C="56.0" D="84.0"/><PNT A="2" C="56.0" D="84.01"/><PNT A="2" C="56.01" D="84.01"/><PNT A="2" C="56.01" D="84.0"/></LSG></PLN></PFD>
        <PFD A="PFD2" C="Far, west" I="PFD1"><PLN A="1"><LSG A="1">
          <PNT A="2" C="56.0" D="84.0"/><PNT A="2" C="56.0" D="84.005"/><PNT A="2" C="56.01" D="84.005"/></LSG></PLN></PFD>
        <PFD A="PFD3" C="Name only" E="CTR2"/></ISO11783_TaskData>"#;
    let (import, problems) = import_of("export.xml", xml.as_bytes().to_vec());
    expect![[r#"
        [
            Farm {
                name: "Luch",
                customer: Some(
                    "Pyotr Ivanov",
                ),
            },
            Farm {
                name: "Zarya",
                customer: None,
            },
        ]
    "#]]
    .assert_debug_eq(&import.farms);
    assert_eq!(import.workers, [Worker { name: "Oleg Sidorov".into() }]);
    expect![[r#"
        [
            Implement {
                name: "Drill 6 m",
                serial: Some(
                    "77",
                ),
                iso_name: Some(
                    "A00884000DE0C5C2",
                ),
                width_m: Some(
                    6.0,
                ),
            },
        ]
    "#]]
    .assert_debug_eq(&import.implements);
    let field = &import.fields[0];
    let words = [&field.code, &field.farm, &field.crop].map(|word| word.as_deref().unwrap_or("-"));
    assert_eq!((field.name.as_str(), words), ("Far", ["12", "Luch", "Oats"]));
    expect![[r#"
        export.xml: field Far, west is a part of field Far; it is left out
        export.xml: field Name only has no boundary in the file; it is left out
        export.xml: field Far covers 69.46 ha on the ground, +73.7 % of the 40.00 ha the file claims"#]]
    .assert_eq(&problems.join("\n"));
}

#[test]
fn archives_give_each_file_they_hold() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [
        ("doc.kml", "<kml><Placemark><name>A</name><Polygon><outerBoundaryIs><LinearRing><coordinates>84,56 84.01,56 84.01,56.01 84,56</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>".to_owned()),
        ("more/fields.geojson", String::from_utf8(collection(&[feature("B", &ring(0.1, 0.0, 0.01))])).expect("text")),
        ("TASKDATA/TaskData.xml", "<ISO11783_TaskData><WKR A=\"WKR1\" B=\"Sidorov\"/></ISO11783_TaskData>".to_owned()),
        ("files/logo.png", "no".to_owned()),
    ] {
        zip.start_file(name, options).expect("a member");
        std::io::Write::write_all(&mut zip, content.as_bytes()).expect("its content");
    }
    let bytes = zip.finish().expect("an archive").into_inner();
    let (import, problems) = import_of("all.zip", bytes);
    let names: Vec<_> = import.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!((names, import.workers.len(), problems.len()), (vec!["A", "B"], 1, 0));
}

#[test]
fn what_cannot_be_imported_is_told_with_the_way_out() {
    let told = |bytes: &[u8]| from_bytes("file", bytes.to_vec()).err().map(|error| error.to_string());
    expect![[r#"
        Some(
            "file is a shape file; convert it first, for example: ogr2ogr -t_srs EPSG:4326 fields.geojson fields.shp",
        )
    "#]]
    .assert_debug_eq(&told(&[0, 0, 0x27, 0x0A, 0]));
    assert!(told(b"hello").is_some_and(|text| text.contains("none of the formats")));
    assert!(told(b"PK\x03\x04 broken").is_some_and(|text| text.starts_with("cannot unpack file")));
    let (_, problems) = import_of("empty.geojson", b"{\"type\":\"FeatureCollection\",\"features\":[]}".to_vec());
    assert_eq!(problems, ["empty.geojson: no field, farm, worker or implement in it"]);
}
