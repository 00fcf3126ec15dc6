//! Health against the simulator's truth, on a fleet small enough for every run; `examples/health_accuracy` is the same
//! over a season.

#[path = "../examples/accuracy/imperfect.rs"]
mod imperfect;
#[path = "../examples/accuracy/region.rs"]
mod region;
#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/health_accuracy/score.rs"]
mod score;
#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/health_accuracy/season.rs"]
mod season;

use expect_test::expect;
use polevod::derive::health::Severity;
use score::{ONSET_WITHIN_MS, Score};
use season::Season;

fn run(machines: usize, days: i64, rate: f64, models: &[&str]) -> Score {
    let models = models.iter().map(|model| (*model).to_owned()).collect();
    let mut score = Score::default();
    Season { machines, days, rate, seed: 7, models, folder: None }
        .run(|window| score.add(&window, true))
        .expect("a season");
    score
}

#[test]
fn healthy_machines_raise_no_alarm() {
    let score = run(8, 2, 0.0, &[]);
    assert!(score.machine_days > 20, "{} machine-days", score.machine_days);
    let alarms: Vec<_> = score.unexplained.keys().filter(|(severity, _)| *severity > Severity::Information).collect();
    assert_eq!(alarms, Vec::<&(Severity, String)>::new());
}

#[test]
fn every_code_is_found_within_ten_seconds_of_its_beginning() {
    let score = run(4, 4, 60.0, &["mtz-3522", "gs12", "peat-hrv", "dryer-20"]);
    let codes: usize = score.kinds.values().map(|kind| kind.codes).sum();
    let found: usize = score.kinds.values().map(|kind| kind.codes_found).sum();
    assert!(codes > 20, "{codes} codes");
    assert_eq!(found, codes);
    let worst = score.kinds.values().flat_map(|kind| &kind.onset_off_ms).max().copied().unwrap_or_default();
    assert!(worst <= ONSET_WITHIN_MS, "{worst} ms");
    let critical: Vec<_> = score.unexplained.keys().filter(|(severity, _)| *severity == Severity::Stop).collect();
    assert_eq!(critical, Vec::<&(Severity, String)>::new(), "no false critical alarm");
}

#[test]
fn a_part_of_a_page_is_written_and_the_others_stay() {
    let path = std::env::temp_dir().join(format!("polevod-region-{}.md", std::process::id()));
    std::fs::write(&path, "# Page\n\nBy hand.\n").expect("a file");
    for (name, text) in [("one", "1"), ("two", "2"), ("one", "1, again\n"), ("two", "2")] {
        region::write(&path, name, text).expect("written");
    }
    let page = std::fs::read_to_string(&path).expect("the file");
    std::fs::remove_file(&path).expect("removed");
    expect![[r#"
        # Page

        By hand.

        <!-- begin generated: one -->

        1, again

        <!-- end generated: one -->

        <!-- begin generated: two -->

        2

        <!-- end generated: two -->
    "#]]
    .assert_eq(&page);
}
