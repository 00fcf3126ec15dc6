//! Documents in and out: what servers write differently, what is wrong, and that ours read back as they were written.

use expect_test::{Expect, expect};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn everything() -> Equipment {
    let seen = at("2026-08-20T05:12:07.25Z");
    let mut values = Values::default();
    for (step, metric) in [
        Metric::OperatingHours,
        Metric::IdleHours,
        Metric::IdleNonOperatingHours,
        Metric::PowerTakeOffHours,
        Metric::ActiveRegenerationHours,
        Metric::FuelUsed,
        Metric::FuelUsedLast24,
        Metric::Distance,
        Metric::LoadFactorLast24,
        Metric::MaximumSpeedLast24,
        Metric::LoadCount,
        Metric::Payload,
    ]
    .into_iter()
    .enumerate()
    {
        values.set(metric, seen, 10.25 * step as f64);
    }
    Equipment {
        header: Header {
            installed_at: Some(at("2024-03-01T00:00:00Z")),
            oem_name: Some("Gomselmash & Sons <Gomel>".into()),
            model: Some("GS12".into()),
            equipment_id: Some("Комбайн \"7\"".into()),
            serial_number: Some("0017".into()),
            pin: Some("BY-GS12-0017".into()),
        },
        location: Some(Timed {
            at: seen,
            value: Location { latitude_deg: 56.5, longitude_deg: 84.97, altitude_m: Some(112.5) },
        }),
        values,
        engine: Some(Timed { at: seen, value: EngineStatus { number: Some("1".into()), is_running: true } }),
        fuel_remaining: Some(Timed { at: seen, value: Remaining { percent: 62.4, capacity_l: Some(600.0) } }),
        def_remaining: Some(Timed { at: seen, value: Remaining { percent: 40.0, capacity_l: None } }),
    }
}

fn page() -> Fleet {
    let nameless = Equipment { header: Header { pin: Some("A1".into()), ..Header::default() }, ..Equipment::default() };
    Fleet {
        snapshot_at: Some(at("2026-08-20T06:00:00Z")),
        links: [(Rel::Own, "1"), (Rel::Next, "2"), (Rel::Last, "3")]
            .map(|(rel, page)| Link { rel, href: format!("https://a.example/Fleet/{page}?a=1&b=2") })
            .into(),
        equipment: vec![everything(), nameless],
    }
}

#[test]
fn a_fleet_reads_back_as_it_was_written_in_both_forms() {
    for form in [Form::Xml, Form::Json] {
        let text = page().document().render(form);
        let (found, problems) = fleet("page", text.as_bytes());
        assert_eq!(problems, [], "{text}");
        assert_eq!(found, page(), "{text}");
    }
}

#[test]
fn the_page_looks_as_the_standard_has_it() {
    let mut small = page();
    small.equipment.truncate(1);
    let equipment = &mut small.equipment[0];
    equipment.values = Values::default();
    equipment.values.set(Metric::OperatingHours, at("2026-08-20T05:12:07Z"), 1.5);
    equipment.values.set(Metric::FuelUsed, at("2026-08-20T05:12:07Z"), 3.25);
    expect![[r#"
        <?xml version="1.0" encoding="utf-8"?>
        <Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="20190501" snapshotTime="2026-08-20T06:00:00Z">
          <Links>
            <rel>self</rel>
            <href>https://a.example/Fleet/1?a=1&amp;b=2</href>
          </Links>
          <Links>
            <rel>next</rel>
            <href>https://a.example/Fleet/2?a=1&amp;b=2</href>
          </Links>
          <Links>
            <rel>last</rel>
            <href>https://a.example/Fleet/3?a=1&amp;b=2</href>
          </Links>
          <Equipment>
            <EquipmentHeader>
              <UnitInstallDateTime>2024-03-01T00:00:00Z</UnitInstallDateTime>
              <OEMName>Gomselmash &amp; Sons &lt;Gomel&gt;</OEMName>
              <Model>GS12</Model>
              <EquipmentID>Комбайн "7"</EquipmentID>
              <SerialNumber>0017</SerialNumber>
              <PIN>BY-GS12-0017</PIN>
            </EquipmentHeader>
            <Location datetime="2026-08-20T05:12:07.25Z">
              <Latitude>56.5</Latitude>
              <Longitude>84.97</Longitude>
              <Altitude>112.5</Altitude>
              <AltitudeUnits>metre</AltitudeUnits>
            </Location>
            <CumulativeOperatingHours datetime="2026-08-20T05:12:07Z">
              <Hour>1.5</Hour>
            </CumulativeOperatingHours>
            <FuelUsed datetime="2026-08-20T05:12:07Z">
              <FuelUnits>litre</FuelUnits>
              <FuelConsumed>3.25</FuelConsumed>
            </FuelUsed>
            <EngineStatus datetime="2026-08-20T05:12:07.25Z">
              <EngineNumber>1</EngineNumber>
              <Running>true</Running>
            </EngineStatus>
            <FuelRemaining datetime="2026-08-20T05:12:07.25Z">
              <Percent>62.4</Percent>
              <FuelTankCapacityUnits>litre</FuelTankCapacityUnits>
              <FuelTankCapacity>600</FuelTankCapacity>
            </FuelRemaining>
            <DEFRemaining datetime="2026-08-20T05:12:07.25Z">
              <Percent>40</Percent>
            </DEFRemaining>
          </Equipment>
        </Fleet>
    "#]]
    .assert_eq(&small.document().render(Form::Xml));
}

#[test]
fn a_series_reads_back_whatever_it_is_about() {
    let resources = [
        Resource::Locations,
        Resource::Number(Metric::OperatingHours),
        Resource::Number(Metric::IdleHours),
        Resource::Number(Metric::PowerTakeOffHours),
        Resource::Number(Metric::FuelUsed),
        Resource::Number(Metric::Distance),
        Resource::FuelRemaining,
        Resource::DefRemaining,
        Resource::EngineCondition,
    ];
    for resource in resources {
        assert_eq!(Resource::parse(&resource.word().to_uppercase()), Some(resource));
        let written = Series { entries: vec![everything(), everything()], ..Series::default() };
        for form in [Form::Xml, Form::Json] {
            let text = written.document(resource).render(form);
            let (found, problems) = series("page", text.as_bytes());
            assert_eq!(problems, [], "{text}");
            assert_eq!(found.entries.len(), 2, "{text}");
            assert_eq!(Series { entries: found.entries, ..Series::default() }.document(resource).render(form), text);
        }
    }
    let fault = Fault {
        at: at("2026-08-20T05:12:07Z"),
        identifier: "110/16".into(),
        description: "coolant too hot".into(),
        severity: "High".into(),
        source: "engine 0".into(),
    };
    let written = Series { faults: vec![fault.clone()], ..Series::default() };
    for form in [Form::Xml, Form::Json] {
        let (found, _) = series("page", written.document(Resource::Faults).render(form).as_bytes());
        assert_eq!(found.faults, std::slice::from_ref(&fault));
    }
    assert_eq!(Resource::parse("SwitchStatus"), None);
}

/// Prints what matters of the machines of a document, and its problems.
fn check(text: &str, expected: Expect) {
    let (found, problems) = fleet("page", text.as_bytes());
    let mut lines = Vec::new();
    for machine in &found.equipment {
        match samples(machine) {
            None => lines.push("nameless".into()),
            Some(imported) => {
                lines.push(format!("{} {:?}", imported.machine, machine.header.installed_at));
                for sample in &imported.samples {
                    let values = sample.values.iter().map(|(id, raw)| format!("{id} {}", id.physical(*raw)));
                    lines.push(format!("  {} {}", sample.recorded_at_ms, values.collect::<Vec<_>>().join(", ")));
                }
            }
        }
    }
    lines.extend(problems.iter().map(ToString::to_string));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn the_time_may_be_an_attribute_a_child_or_spelled_otherwise() {
    let metric = |inner: &str, attribute: &str| {
        format!(
            "<a:Equipment xmlns:a='urn:x'><EquipmentHeader><PIN>P1</PIN></EquipmentHeader><a:CumulativeOperatingHours{attribute}><Hour>1.5</Hour>{inner}</a:CumulativeOperatingHours></a:Equipment>"
        )
    };
    let parts = [
        metric("", " datetime='2026-08-20T05:00:00Z'"),
        metric("<datetime>2026-08-20T05:00:00Z</datetime>", ""),
        metric("<DateTime>2026-08-20T12:00:00+07:00</DateTime>", ""),
        metric("", " x:dateTime='2026-08-20T05:00:00'"),
    ];
    check(
        &format!("<x:Fleet xmlns:x='urn:y'>{}</x:Fleet>", parts.concat()),
        expect![[r#"
            P1 None
              1787202000000 engine_hours_h 1.5
            P1 None
              1787202000000 engine_hours_h 1.5
            P1 None
              1787202000000 engine_hours_h 1.5
            P1 None
              1787202000000 engine_hours_h 1.5"#]],
    );
}

#[test]
fn unknown_names_and_other_units_are_understood() {
    check(
        r#"{"Links":[{"Rel":"Next","Href":"x"}],"Equipment":[
            {"EquipmentHeader":{"OEMName":"Deere","Model":"missing","SerialNumber":"0042","PIN":"N/A","UnitInstallDateTime":"0001-01-01T00:00:00Z"},
             "FuelUsed":{"FuelUnits":"US gallons","FuelConsumed":100,"datetime":"2026-08-20T05:00:00Z"},
             "Distance":{"OdometerUnits":"mile","Odometer":"10","@datetime":"2026-08-20T05:00:00Z"},
             "Location":{"Latitude":0,"Longitude":0,"datetime":"2026-08-20T05:00:00Z"},
             "EngineStatus":[{"EngineNumber":"1","Running":"True","datetime":"2026-08-20T05:00:00Z"}]},
            {"EquipmentHeader":{"OEMName":"Deere","EquipmentID":"Field 7"}},
            {"EquipmentHeader":{"OEMName":"Deere"}}]}"#,
        expect![[r#"
            Deere-0042 None
              1787202000000 fuel_total_l 378.541, odometer_km 16.125, engine_running 1
            Deere-Field-7 None
            nameless"#]],
    );
}

#[test]
fn a_single_machine_may_be_the_root_and_a_list_may_come_bare() {
    let machine =
        r#"{"EquipmentHeader":{"PIN":"P1"},"CumulativeIdleHours":{"Hour":3.0,"datetime":"2026-08-20T05:00:00Z"}}"#;
    let expected = "P1 None\n  1787202000000 idle_hours_h 3";
    for text in [machine.to_owned(), format!("[{machine}]")] {
        let (found, problems) = fleet("page", text.as_bytes());
        assert_eq!((found.equipment.len(), problems.len()), (1, 0), "{expected}");
    }
    check("<Equipment><EquipmentHeader><PIN>P1</PIN></EquipmentHeader></Equipment>", expect!["P1 None"]);
}

#[test]
fn what_is_no_value_is_named_and_left_out() {
    let metric = |element: &str, inner: &str| format!("<{element} datetime='2026-08-20T05:00:00Z'>{inner}</{element}>");
    let parts = [
        metric("CumulativeOperatingHours", "<Hour>many</Hour>"),
        metric("CumulativeIdleHours", "<Hour>-3</Hour>"),
        metric("FuelUsed", "<FuelUnits>barrels</FuelUnits><FuelConsumed>3</FuelConsumed>"),
        metric("FuelRemaining", "<Percent>140</Percent>"),
        metric("Location", "<Latitude>95</Latitude><Longitude>1</Longitude>"),
        "<Distance datetime='0001-01-01T00:00:00Z'><Odometer>5</Odometer></Distance>".into(),
        "<CumulativeLoadCount><Count>5</Count></CumulativeLoadCount>".into(),
    ];
    check(
        &format!(
            "<Fleet><Equipment><EquipmentHeader><PIN>P1</PIN></EquipmentHeader>{}</Equipment></Fleet>",
            parts.concat()
        ),
        expect![[r#"
            P1 None
            page: Latitude = 95 is not possible; it is left out
            page: FuelRemaining = 140 is not possible; it is left out
            page: Hour = "many" is no number; it is left out
            page: Hour = -3 is not possible; it is left out
            page: FuelConsumed is in "barrels", which is not known; it is left out
            page: Distance has no time that can be read ("0001-01-01T00:00:00Z"); it is left out
            page: CumulativeLoadCount has no time that can be read (""); it is left out"#]],
    );
}

#[test]
fn what_is_no_document_says_so() {
    check("<Fleet><Equipment>", expect!["page: broken XML at byte 18: it ends before its root does"]);
    check("<html><body>sign in</body></html>", expect!["page: no Equipment in it: is this the address of a fleet?"]);
    check(r#"{"Equipment":["#, expect!["page: broken JSON: EOF while parsing a list at line 1 column 14"]);
    check("Service unavailable", expect![[r#"page: neither XML nor JSON: it begins with "Service unavailable""#]]);
    check("<Fleet/>", expect![""]);
    check(&"<a>".repeat(100), expect!["page: the document is too large or nested too deep"]);
    check(&"[".repeat(100), expect!["page: broken JSON: EOF while parsing a list at line 1 column 100"]);
    check(
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><Fleet><Equipment><EquipmentHeader><PIN>&b;</PIN></EquipmentHeader></Equipment></Fleet>",
        expect!["page: broken XML at byte 94: &b; is unknown"],
    );
}

#[test]
fn the_form_is_what_the_client_accepts() {
    for (accept, form) in [
        ("", Form::Xml),
        ("*/*", Form::Xml),
        ("application/json", Form::Json),
        ("application/iso15143-snapshot+json", Form::Json),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Xml),
        ("application/json, application/xml", Form::Json),
    ] {
        assert_eq!(Form::of_accept(accept), form, "{accept}");
    }
}

#[test]
fn letters_that_xml_cannot_carry_are_left_out() {
    let mut fleet_of_one = page();
    fleet_of_one.equipment.truncate(1);
    fleet_of_one.equipment[0].header.model = Some("G\u{0}S\u{b}12\u{ffff}".into());
    let text = fleet_of_one.document().render(Form::Xml);
    let (found, problems) = fleet("page", text.as_bytes());
    assert_eq!(problems, []);
    assert_eq!(found.equipment[0].header.model.as_deref(), Some("GS12"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (found, problems) = fleet("x", &bytes);
        prop_assert!(found.equipment.is_empty() || problems.len() < 100);
    }

    #[test]
    fn a_document_with_damage_never_panics(form in prop::sample::select(vec![Form::Xml, Form::Json]), cut in 0_usize..4000, noise in prop::collection::vec((0_usize..4000, any::<u8>()), 0..8)) {
        let mut bytes = page().document().render(form).into_bytes();
        for (at, byte) in noise {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        bytes.truncate(cut.max(1));
        let (found, _) = fleet("x", &bytes);
        prop_assert!(found.equipment.len() <= 2);
        for machine in &found.equipment {
            prop_assert!(samples(machine).is_none_or(|imported| imported.samples.len() <= 20));
        }
    }

    #[test]
    fn any_names_and_numbers_read_back(name in "\\PC{1,30}", hours in 0_u32.., lat in -900_000_000..900_000_000_i32) {
        let (hours, lat) = (f64::from(hours) / 1000.0, f64::from(lat) / 1e7);
        prop_assume!(name.trim() == name && !name.is_empty() && !["missing", "unknown", "n/a", "na", "null", "none", "-"].contains(&&*name.to_ascii_lowercase()));
        let mut written = page();
        written.equipment[0].header.equipment_id = Some(name);
        written.equipment[0].values.set(Metric::OperatingHours, at("2026-08-20T05:00:00Z"), hours);
        if let Some(location) = &mut written.equipment[0].location {
            location.value.latitude_deg = lat;
        }
        for form in [Form::Xml, Form::Json] {
            let text = written.document().render(form);
            let (found, problems) = fleet("page", text.as_bytes());
            prop_assert_eq!(problems.len(), 0);
            prop_assert_eq!(&found, &written);
        }
    }
}
