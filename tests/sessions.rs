//! Field work from the broker to the command line: recordings replayed, sessions listed, settings changed, figures
//! confirmed.

mod site;

use serde_json::Value;

use site::Site;

const HARVESTER: &str = "A00086000DF95589";
const TASK: &str = "isoxml/forage_harvester_one_task";

fn near(ours: &Value, truth: f64, share: f64) {
    let ours = ours.as_f64().unwrap_or(f64::NAN);
    assert!((ours / truth - 1.0).abs() <= share, "{ours} is not {truth} within {} %", share * 100.0);
}

fn sessions(site: &Site, arguments: &[&str]) -> Vec<Value> {
    let listed = site.json(&[&["sessions", "--json"], arguments].concat());
    listed.as_array().expect("a list").clone()
}

#[test]
fn replayed_recordings_become_sessions_with_the_machines_own_figures() {
    let names = [TASK, "yield/corn_aglead_advanced.txt", "gps/isoblue_gpsd_tpv_2020.jsonl"];
    let found: Vec<_> = names.iter().filter_map(|name| test_support::recording(name)).collect();
    if found.len() < names.len() {
        return;
    }
    let site = Site::start();
    found.iter().for_each(|path| drop(site.replay(path)));

    let listed = sessions(&site, &["--machine", HARVESTER]);
    let [task] = &listed[..] else { panic!("one session: {listed:?}") };
    near(&task["summary"]["swept_ha"], 4.83, 0.005);
    near(&task["summary"]["machine_ha"], 4.83, 0.001);
    near(&task["summary"]["wet_t"], 259.6, 0.01);
    near(&task["summary"]["fuel_l"], 84.9, 0.01);
    assert_eq!((task["operation"].as_str(), task["evidence"].as_str()), (Some("forage_harvest"), Some("implement")));
    assert_eq!((task["revision"].as_i64(), task["may_grow"].as_bool()), (Some(1), Some(false)));
    assert_eq!(task["completeness"]["missing"].as_u64(), Some(0));

    let listed = sessions(&site, &["--machine", "corn_aglead_advanced"]);
    let [corn] = &listed[..] else { panic!("one session: {listed:?}") };
    near(&corn["summary"]["swept_ha"], 13.83, 0.01);
    near(&corn["summary"]["wet_t"], 110.6, 0.01);

    let text = site.says(&["sessions"]);
    assert!(text.contains("no field work: no implement says anything"), "{text}");

    let sums = site.json(&["sessions", "--by", "operation", "--json"]);
    let groups: Vec<_> = sums.as_array().expect("a list").iter().filter_map(|row| row["group"].as_str()).collect();
    assert_eq!(groups, ["grain_harvest", "forage_harvest"], "the larger area first");

    // Again: nothing is new, nothing is revised.
    found.iter().for_each(|path| drop(site.replay(path)));
    let again = sessions(&site, &[]);
    assert!(again.iter().all(|session| session["revision"] == 1), "{again:#?}");
}

#[test]
fn a_changed_setting_revises_the_sessions_it_touches_and_a_confirmed_one_keeps_its_figures() {
    let names = [TASK, "yield/corn_aglead_advanced.txt"];
    let found: Vec<_> = names.iter().filter_map(|name| test_support::recording(name)).collect();
    if found.len() < names.len() {
        return;
    }
    let site = Site::start();
    found.iter().for_each(|path| drop(site.replay(path)));
    let task = || sessions(&site, &["--machine", HARVESTER]).remove(0);
    let first = task();
    let id = first["work_session_id"].to_string();
    assert_eq!(first["fuel"]["source"], "task_counter");

    // By its rate the engine burned more.
    site.says(&["implement", "machine", HARVESTER, "--fuel-source", "rate"]);
    let second = task();
    assert_eq!((&second["fuel"]["source"], &second["revision"]), (&Value::from("rate"), &Value::from(2)));
    assert_eq!(second["work_session_id"], first["work_session_id"]);
    assert_eq!(second["area"], first["area"]);
    assert_eq!(sessions(&site, &["--machine", "corn_aglead_advanced"])[0]["revision"], 1, "the other is left alone");
    let history = site.json(&["sessions", "history", &id]);
    assert_eq!((history[0]["revision"].as_i64(), &history[0]["session"]["fuel"]), (Some(1), &first["fuel"]));

    site.says(&["sessions", "confirm", &id, "--by", "Petrov S. N."]);
    site.says(&["implement", "machine", HARVESTER]);
    let kept = task();
    assert_eq!((&kept["fuel"], &kept["revision"]), (&second["fuel"], &second["revision"]));
    assert_eq!(kept["confirmed"]["by"], "Petrov S. N.");
    assert_eq!(kept["proposal"]["differs"]["fuel"], first["fuel"]);

    site.says(&["sessions", "reopen", &id]);
    let open = task();
    assert_eq!((&open["fuel"], &open["confirmed"]), (&first["fuel"], &Value::Null));
}

#[test]
fn what_comes_late_gives_the_figures_that_all_at_once_gives() {
    let Some(path) = test_support::recording(TASK) else { return };
    let site = Site::start();
    // A copy that was cut off in the middle of the field comes first.
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(&path).expect("the task data").flatten() {
        let bytes = std::fs::read(entry.path()).expect("a file");
        let is_log = entry.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bin"));
        let kept = if is_log { bytes.len() / 2 } else { bytes.len() };
        std::fs::write(folder.path().join(entry.file_name()), &bytes[..kept]).expect("a copy");
    }
    let _ = site.run(&["replay", &folder.path().display().to_string()]);
    let half = sessions(&site, &[]).remove(0);
    // The working state is on for 5,440 m in all; by the middle of the log for 3,320 m, of 9 m at most.
    near(&half["summary"]["swept_ha"], 2.98, 0.01);
    site.replay(&path);
    let whole = sessions(&site, &[]);
    assert_eq!(whole.len(), 1);
    assert_eq!((&whole[0]["work_session_id"], &whole[0]["revision"]), (&half["work_session_id"], &Value::from(2)));

    let other = Site::start();
    other.replay(&path);
    let at_once = sessions(&other, &[]).remove(0);
    for part in ["area", "time", "fuel", "harvest", "rates", "device_totals", "started_at", "ended_at", "place"] {
        assert_eq!(whole[0][part], at_once[part], "{part}");
    }
}
