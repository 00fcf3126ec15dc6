//! The life of faults, told in lines.

use expect_test::{Expect, expect};
use wire::{Fault as WireFault, FaultReport, Lamps, ReportKind};

use super::*;
use crate::derive::health::{DataFile, Episode};

/// Reads `0:10 sa0 lamps04 110/16x3 100/1x127` as a DM1 of controller 0 at 0 min 10 s, `DM2` in front makes it a DM2,
/// `!` behind a code sets its conversion method.
fn report(line: &str) -> FaultReport {
    let (line, report) = match line.trim().strip_prefix("DM2 ") {
        Some(line) => (line, ReportKind::PreviouslyActive),
        None => (line.trim(), ReportKind::Active),
    };
    let mut words = line.split_whitespace();
    let (minutes, seconds) = words.next().expect("a time").split_once(':').expect("min:s");
    let mut report = FaultReport {
        recorded_at_ms: (minutes.parse::<i64>().expect("min") * 60 + seconds.parse::<i64>().expect("s")) * 1_000,
        report,
        source_address: 0,
        lamps: Lamps { state: 0xFF, flash: 0xFF },
        faults: Vec::new(),
    };
    for word in words {
        if let Some(address) = word.strip_prefix("sa") {
            report.source_address = address.parse().expect("an address");
        } else if let Some(lamps) = word.strip_prefix("lamps") {
            report.lamps.state = u8::from_str_radix(lamps, 16).expect("hex");
        } else {
            let (code, legacy) = word.strip_suffix('!').map_or((word, false), |code| (code, true));
            let (code, count) = code.split_once('x').expect("a count");
            let code = Code::parse(code).expect("a code");
            report.faults.push(WireFault {
                spn: code.spn,
                fmi: code.fmi,
                occurrence_count: count.parse().expect("a count"),
                legacy_conversion: legacy,
            });
        }
    }
    report
}

fn time(ms: i64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

fn show(episode: &Episode) -> String {
    let end = episode.closed_at_ms.map_or("…".into(), time);
    format!("{} {}-{end}", episode.subject, time(episode.opened_at_ms))
}

/// Reports, one a line; prints the activations, then every fault with its life at `at`.
fn check(lines: &str, at: &str, expected: Expect) {
    let mut fold = FaultFold::default();
    let mut episodes = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        fold.push(&report(line), &mut episodes);
    }
    let at_ms = report(at).recorded_at_ms;
    fold.advance(at_ms, &mut episodes);
    episodes.extend(fold.open());
    let mut told: Vec<_> = episodes.iter().map(show).collect();
    for (key, fault) in fold.faults() {
        let legacy = if key.legacy { " legacy" } else { "" };
        let count = fault.occurrence_count.map_or("-".into(), |count| count.to_string());
        told.push(format!(
            "{} of {}{legacy}: {:?}, {}+{} times, count {count}",
            key.code(),
            key.source_address,
            fault.life(at_ms, None),
            fault.activations,
            fault.unseen_activations
        ));
    }
    expected.assert_eq(&told.join("\n"));
}

#[test]
fn a_fault_lasts_until_its_controller_no_longer_names_it() {
    check(
        "0:10 110/16x1
         5:00 110/16x1
         9:00",
        "20:00",
        expect![[r#"
            fault/0/110/16 0:10-9:00
            110/16 of 0: PreviouslyActive, 1+0 times, count 1"#]],
    );
}

#[test]
fn silence_ends_nothing_and_a_fault_is_new_for_a_working_day() {
    check(
        "0:10 110/16x1",
        "479:00",
        expect![[r#"
        fault/0/110/16 0:10-…
        110/16 of 0: New, 1+0 times, count 1"#]],
    );
    check(
        "0:10 110/16x1",
        "481:00",
        expect![[r#"
        fault/0/110/16 0:10-…
        110/16 of 0: Active, 1+0 times, count 1"#]],
    );
}

#[test]
fn back_within_ten_seconds_is_the_same_activation_and_later_is_a_return() {
    check(
        "0:10 110/16x1
         0:30
         0:39 110/16x1
         1:00
         1:10 110/16x2",
        "1:20",
        expect![[r#"
            fault/0/110/16 0:10-1:00
            fault/0/110/16 1:10-…
            110/16 of 0: Returned, 2+0 times, count 2"#]],
    );
}

#[test]
fn the_occurrence_count_tells_of_activations_that_no_report_shows() {
    check(
        "0:10 110/16x1
         5:00 110/16x4
         9:00
         20:00 110/16x6",
        "20:30",
        expect![[r#"
            fault/0/110/16 0:10-9:00
            fault/0/110/16 20:00-…
            110/16 of 0: Returned, 2+4 times, count 6"#]],
    );
    check(
        "0:10 110/16x127\n9:00 110/16x127",
        "9:01",
        expect![[r#"
        fault/0/110/16 0:10-…
        110/16 of 0: New, 1+0 times, count -"#]],
    );
}

#[test]
fn the_same_code_of_two_controllers_is_two_faults() {
    check(
        "0:10 sa0 639/9x1
         0:11 sa3 639/9x1
         4:00 sa3",
        "9:00",
        expect![[r#"
            fault/3/639/9 0:11-4:00
            fault/0/639/9 0:10-…
            639/9 of 0: New, 1+0 times, count 1
            639/9 of 3: PreviouslyActive, 1+0 times, count 1"#]],
    );
}

#[test]
fn an_older_bit_order_is_another_fault_and_is_not_looked_up() {
    check(
        "0:10 110/16x1 110/16x1!",
        "0:20",
        expect![[r#"
        fault/0/110/16 0:10-…
        fault/0/110/16/legacy 0:10-…
        110/16 of 0: New, 1+0 times, count 1
        110/16 of 0 legacy: New, 1+0 times, count 1"#]],
    );
}

#[test]
fn a_list_of_previously_active_codes_opens_nothing_and_its_clearing_closes() {
    check(
        "DM2 0:05 100/18x3
         0:10 110/16x1
         9:00
         DM2 9:30 100/18x3 110/16x1",
        "10:00",
        expect![[r#"
            fault/0/110/16 0:10-9:00
            100/18 of 0: PreviouslyActive, 0+3 times, count 3
            110/16 of 0: PreviouslyActive, 1+0 times, count 1"#]],
    );
    check(
        "0:10 110/16x1
         9:00
         DM2 9:30 110/16x1
         DM2 15:00",
        "16:00",
        expect![[r#"
            fault/0/110/16 0:10-9:00
            110/16 of 0: Closed, 1+0 times, count 1"#]],
    );
}

#[test]
fn fifty_codes_at_once_are_fifty_faults_and_a_flood_is_bounded() {
    let many = |count: u32| {
        let codes: Vec<_> = (0..count).map(|n| format!("{}/{}x1", 1_000 + n / 32, n % 32)).collect();
        format!("0:10 {}", codes.join(" "))
    };
    let mut fold = FaultFold::default();
    let mut ended = Vec::new();
    fold.push(&report(&many(50)), &mut ended);
    assert_eq!(fold.open().len(), 50);
    for spn in 0..20 {
        let mut flood = report(&many(400));
        flood.faults.iter_mut().for_each(|code| code.spn += 1_000 * spn);
        fold.push(&flood, &mut ended);
    }
    assert_eq!(fold.faults().count(), 4_096);
    assert!(fold.beyond_bound() > 0);
}

#[test]
fn lamps_are_two_bits_each_and_only_01_is_on() {
    assert_eq!(lamps_on(0x04), [Lamp::AmberWarning]);
    assert_eq!(lamps_on(0x50), [Lamp::RedStop, Lamp::Malfunction]);
    assert_eq!(lamps_on(0xFF), []);
    assert_eq!(lamps_on(0x2A), []);
}

fn catalogue() -> FaultCatalogue {
    let text = r#"
        [[fault]]
        codes = ["651..656/5"]
        severity = 3
        title = { ru = "форсунка {n}", en = "injector {n}" }

        [[failure_mode]]
        fmi = 16
        text = { ru = "выше нормы", en = "above its limit" }

        [parameter]
        110 = { ru = "температура", en = "coolant" }
    "#;
    let mut errors = Vec::new();
    let catalogue = FaultCatalogue::read(&[DataFile { name: "faults.toml".into(), text: text.into() }], &mut errors);
    assert_eq!(errors, []);
    catalogue
}

#[test]
fn a_code_without_a_text_is_its_parameter_and_its_failure_mode() {
    let catalogue = catalogue();
    let check = |spn, fmi, legacy, lamps, expected: Expect| {
        let key = FaultKey { source_address: 0, spn, fmi, legacy };
        let words = catalogue.explain(key, None, lamps);
        expected.assert_eq(&format!("{} ({}, {:?})", words.title.en, words.severity, words.known));
    };
    check(653, 5, false, 0xFF, expect!["injector 3 (urgent, General)"]);
    check(110, 16, false, 0xFF, expect!["coolant: above its limit (plan, Standard)"]);
    check(110, 0, false, 0xFF, expect!["coolant: other (FMI 0) (urgent, Standard)"]);
    check(4_711, 16, false, 0x10, expect!["parameter SPN 4711: above its limit (stop, Standard)"]);
    check(
        524_287,
        16,
        false,
        0xFF,
        expect!["parameter SPN 524287 of the maker's range: above its limit (plan, Standard)"],
    );
    check(
        653,
        5,
        true,
        0xFF,
        expect![
            "code 653/5 in an older bit order (CM = 1): the number is uncertain, read it with the maker's tool (plan, Legacy)"
        ],
    );
}

#[test]
fn mistakes_in_a_fault_file_are_named_all_at_once() {
    let text = r#"
        [[fault]]
        codes = ["110-16", "1..99/2", "9..7/1"]
        severity = 2
        title = { ru = "а", en = "a" }

        [[fault]]
        codes = ["110/16"]
        severity = 5
        title = { ru = "а", en = "a" }

        [[fault]]
        codes = ["110/17"]
        severity = 1
        titel = { ru = "а", en = "a" }

        [[lamp]]
        x = 1
    "#;
    let mut errors = Vec::new();
    FaultCatalogue::read(&[DataFile { name: "own.toml".into(), text: text.into() }], &mut errors);
    let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
    expect![[r#"
        own.toml: "lamp" is not known here; known are models, fault, failure_mode, controller, parameter
        own.toml: fault "110/16": severity: severity 5 is none of 1 information, 2 plan, 3 urgent, 4 stop
        own.toml: fault "110/17": titel: unknown field `titel`, expected one of `codes`, `severity`, `title`, `causes`, `checks`
        own.toml: fault "110-16": codes: "110-16" is no code; write SPN/FMI as 100/1, or a range as 651..656/5
        own.toml: fault "110-16": codes: "1..99/2" is no range of 1 to 64 parameters
        own.toml: fault "110-16": codes: "9..7/1" is no range of 1 to 64 parameters"#]]
    .assert_eq(&said.join("\n"));
}
