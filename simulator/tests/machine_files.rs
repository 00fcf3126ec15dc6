//! Machine files: what a user can add, and what is said of a file that makes no sense.

#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use simulator::machine::{Catalogue, Fleet};
use simulator::truth::{Event, State};
use simulator::{FleetConfig, Work};

const OWN_MODEL: &str = r#"
code = "mtz-own"
name = "A tractor of our own"
kind = "tractor"
mass_kg = 5000
top_speed_kmh = 35
turning_radius_m = 5.0
hours_a_year = [500, 900]
receiver = "differential"
signal_groups = ["gnss", "engine"]

[engine]
name = "100 kW"
rated_kw = 100
rated_rpm = 2100
idle_rpm = 800
work_rpm = [1800, 2000]
torque_nm = [[800, 400], [1400, 540], [2100, 455]]
bsfc_best_g_per_kwh = 215
idle_lph = 3.5
tank_l = 180
oil_pressure_kpa = [140, 340]
boost_kpa = 110

[engine.fuel_map]
load = [0.2, 1.0]
rpm = [800, 2100]
factor = [[1.5, 1.02], [1.7, 1.04]]

[drive]
type = "gears"
forward_kmh = [4, 6, 8, 11, 16, 24, 35]

[heat]
thermostat_c = 82
coolant_rise_c = 58
oil_rise_c = 12
transmission_rise_c = 50
hydraulics_rise_c = 40

[electrics]
volts = 12
"#;

fn load(text: &str) -> Result<Catalogue, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.toml"), text).unwrap();
    let place = format!("{}/", folder.path().display());
    Catalogue::load(Some(folder.path())).map_err(|error| error.to_string().replace(&place, ""))
}

fn check(from: &str, to: &str, said: &Expect) {
    let text = OWN_MODEL.replace(from, to);
    assert_ne!(text, OWN_MODEL, "{from:?} stands in the file");
    said.assert_eq(&load(&text).expect_err("it makes no sense"));
}

#[test]
fn a_model_of_ones_own_works_like_the_others() {
    let catalogue = load(OWN_MODEL).unwrap();
    assert_eq!(catalogue.models().count(), 31);
    let config = FleetConfig {
        machines: 1,
        models: vec!["mtz-own".into()],
        starts_at: "2026-05-15T00:00:00Z".parse().unwrap(),
        work: Work::AroundTheClock,
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &catalogue).unwrap();
    let (serial, mut machine) = fleet.machine(0);
    assert_eq!(serial.as_str(), "SIM-mtz-own-00000");
    let (mut out, mut truth) = (Vec::new(), Vec::new());
    let until_ms = config.starts_at.as_millisecond() + 6 * 3_600_000;
    while machine.next_at_ms() < until_ms {
        machine.advance(&mut out, &mut truth);
    }
    let works = |event: &&Event| matches!(event, Event::State(state) if state.state == State::Working);
    assert!(out.len() > 300 && truth.iter().filter(works).count() > 10, "{} {truth:?}", out.len());
}

#[test]
fn a_file_that_makes_no_sense_is_named_with_key_value_and_mend() {
    check(
        "rated_kw = 100",
        "rated_kw = 160",
        &expect![
            "own.toml: engine.rated_kw = 160: the torque curve gives 100.1 kW at 2100 rpm; mend rated_kw or torque_nm"
        ],
    );
    check("volts = 12", "volts = 14", &expect!["own.toml: electrics.volts = 14: give 12 or 24"]);
    check(
        "turning_radius_m = 5.0",
        "turning_radius_m = 50.0",
        &expect!["own.toml: turning_radius_m = 50: give 2 to 20"],
    );
    check(
        "forward_kmh = [4, 6, 8,",
        "forward_kmh = [4, 8, 6,",
        &expect![
            "own.toml: drive.forward_kmh = [4.0, 8.0, 6.0, 11.0, 16.0, 24.0, 35.0]: give the speed in each gear at rated engine speed, ascending"
        ],
    );
    check(
        r#"["gnss", "engine"]"#,
        r#"["gnss", "motor"]"#,
        &expect![
            "own.toml: signal_groups = motor: use some of gnss, retrofit, engine, turbo, common_rail, scr, dpf, driveline, hydrostat, hitch, draft, task_controller, harvest, threshing, two_drums, rotors, chopping, pto_only, flax_belt, flax_deck, baling, forest_crane, felling, peat_suction, peat_milling, drying, stationary_position, fire_pump"
        ],
    );
    check(
        r#"code = "mtz-own""#,
        r#"code = "mtz own""#,
        &expect!["own.toml: code = mtz own: use letters, digits, '-' and '.'; it becomes part of serials"],
    );
    check(
        "factor = [[1.5, 1.02], [1.7, 1.04]]",
        "factor = [[1.5, 1.02]]",
        &expect!["own.toml: engine.fuel_map.factor = 1 rows: give a row for each of 2 speeds, with 2 values each"],
    );
    check(
        "mass_kg = 5000",
        "weight_kg = 5000",
        &expect![[r#"
            own.toml: TOML parse error at line 5, column 1
              |
            5 | weight_kg = 5000
              | ^^^^^^^^^
            unknown field `weight_kg`, expected one of `code`, `name`, `kind`, `fleet_share`, `mass_kg`, `top_speed_kmh`, `turning_radius_m`, `hours_a_year`, `receiver`, `guided`, `task_controller`, `engine`, `drive`, `heat`, `electrics`, `harvester`, `dryer`, `implements`, `service`, `signal_groups`"#]],
    );
    check("kind = \"tractor\"", "kind = \"combine\"", &expect!["own.toml: kind = combine: add a [harvester] table"]);
}

#[test]
fn an_unknown_model_is_told_which_there_are() {
    let config = FleetConfig { models: vec!["mtz-99".into()], ..FleetConfig::default() };
    let error = Fleet::plan(&config, &Catalogue::load(None).unwrap()).unwrap_err().to_string();
    assert!(
        error.starts_with("machine model \"mtz-99\" is in no catalogue; known are mtz-82.1, mtz-1025.4"),
        "{error}"
    );
}
