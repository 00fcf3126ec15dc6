//! What all rules keep: the order of arrival leaves no trace, and a fold may stop anywhere and go on.

use expect_test::{Expect, expect};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use wire::{SignalId, catalogue as signal};

use polevod::catalogues;
use polevod::derive::Readings;
use polevod::derive::health::rule::{Ended, MachineFacts, RuleSet};
use polevod::derive::health::{Catalogues, DataFile, Episode, HealthFold, HealthState};

fn zone() -> TimeZone {
    TimeZone::get("Asia/Tomsk").expect("the zone data is built in")
}

/// A stretch of a day that goes through everything rules look at, some of it wrong.
#[derive(Debug, Clone)]
struct Stretch {
    minutes: i64,
    every_s: i64,
    rpm: f64,
    load: f64,
    speed: f64,
    coolant: f64,
    oil: f64,
    volts: f64,
    level: f64,
    hyd: f64,
    drum: f64,
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let rpm = prop_oneof![Just(0.0), 700.0..2200.0f64];
    let usual = (1i64..90, prop::sample::select(vec![1i64, 5, 30, 300]), rpm, 0.0..110.0f64, 0.0..15.0f64);
    let wrong = (80.0..110.0f64, 40.0..400.0f64, 23.0..31.0f64, 5.0..100.0f64, 40.0..99.0f64, 0.0..900.0f64);
    (usual, wrong).prop_map(|((minutes, every_s, rpm, load, speed), (coolant, oil, volts, level, hyd, drum))| Stretch {
        minutes,
        every_s,
        rpm,
        load,
        speed,
        coolant,
        oil,
        volts,
        level,
        hyd,
        drum,
    })
}

/// Time, sequence and values of a sample.
type Row = (i64, i64, Vec<(SignalId, f64)>);

/// Samples with gaps between stretches and signals that come and go.
fn samples(stretches: &[(Stretch, i64)]) -> Vec<Row> {
    let mut samples = Vec::new();
    let mut at_ms = 1_787_200_000_000;
    let mut hours = 812.0;
    for (stretch, gap_minutes) in stretches {
        let end_ms = at_ms + stretch.minutes * 60_000;
        while at_ms < end_ms {
            let n = samples.len() as i64;
            // Cheap noise that is the same each time.
            let noise = ((n * 2_654_435_761) % 1_000) as f64 / 1_000.0 - 0.5;
            if stretch.rpm > 0.0 {
                hours += stretch.every_s as f64 / 3_600.0;
            }
            let mut values = vec![
                (signal::ENGINE_SPEED_RPM, stretch.rpm),
                (signal::WHEEL_SPEED_KMH, if stretch.rpm > 0.0 { stretch.speed } else { 0.0 }),
                (signal::FUEL_LEVEL_PCT, (stretch.level + noise).clamp(0.0, 100.0)),
            ];
            if n % 3 != 0 {
                values.extend([
                    (signal::ENGINE_LOAD_PCT, stretch.load + noise),
                    (signal::COOLANT_TEMP_C, stretch.coolant + 4.0 * noise),
                    (signal::OIL_PRESSURE_KPA, stretch.oil + 20.0 * noise),
                    (signal::HYD_TEMP_C, stretch.hyd + noise),
                    (signal::DRUM_RPM, stretch.drum),
                    (signal::FUEL_RATE_LPH, stretch.load / 3.0),
                ]);
            }
            if n % 5 == 0 {
                values.extend([
                    (signal::BATTERY_V, stretch.volts),
                    (signal::ENGINE_HOURS_H, if n % 35 == 0 { 0.0 } else { hours }),
                    (signal::AMBIENT_TEMP_C, 18.0),
                    (signal::LATITUDE_DEG, 55.0 + stretch.load / 50.0),
                    (signal::LONGITUDE_DEG, 84.0),
                    (signal::HDOP, 1.0),
                ]);
            }
            samples.push((at_ms, n, values));
            at_ms += stretch.every_s * 1_000;
        }
        at_ms += gap_minutes * 60_000;
    }
    samples
}

fn readings<'a>(samples: impl Iterator<Item = &'a (i64, i64, Vec<(SignalId, f64)>)>) -> Readings {
    let mut readings = Readings::default();
    for (at_ms, sequence, values) in samples {
        let index = readings.push(*at_ms, 7, *sequence);
        values.iter().for_each(|(signal, value)| readings.set(index, *signal, *value));
    }
    readings.sort();
    readings
}

fn run_whole(catalogues: &Catalogues, facts: &MachineFacts, readings: &Readings) -> (Ended, Vec<Episode>, HealthState) {
    run_split(catalogues, facts, readings, &[])
}

/// Stops at each of `splits`, stores the state, and goes on from what was stored.
fn run_split(
    catalogues: &Catalogues,
    facts: &MachineFacts,
    readings: &Readings,
    splits: &[usize],
) -> (Ended, Vec<Episode>, HealthState) {
    let begin = |state| HealthFold::new(&catalogues.rules, &catalogues.faults, facts, &zone(), state);
    let until_ms = |index: usize| readings.recorded_at_ms.get(index).copied().unwrap_or(i64::MAX);
    let mut ended = Ended::default();
    let mut state = HealthState::default();
    let mut from = 0;
    for to in splits.iter().copied().chain([readings.len()]) {
        let mut fold = begin(state);
        fold.push(readings, from..to, &[], until_ms(to), &mut ended);
        state = HealthState::decode(&fold.state().encode()).expect("what was stored");
        from = to;
    }
    let mut fold = begin(state.clone());
    let now_ms = readings.recorded_at_ms.last().copied().unwrap_or_default() + 1;
    (ended, fold.open(now_ms), state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn late_shuffled_and_repeated_samples_give_the_same_episodes(
        stretches in prop::collection::vec((stretch(), 0i64..200), 1..8),
        seed in any::<u64>(),
    ) {
        let catalogues = catalogues::built_in();
        let facts = catalogues.models.facts(Some("gs12"));
        let samples = samples(&stretches);
        let expected = run_whole(&catalogues, &facts, &readings(samples.iter()));
        // A shuffle with repeats, by a simple generator.
        let mut order: Vec<usize> = (0..samples.len()).chain((0..samples.len()).step_by(3)).collect();
        let mut random = seed | 1;
        for index in (1..order.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(index, (random >> 33) as usize % (index + 1));
        }
        let shuffled = readings(order.iter().map(|index| &samples[*index]));
        prop_assert_eq!(&run_whole(&catalogues, &facts, &shuffled), &expected);
    }

    #[test]
    fn a_fold_may_stop_anywhere_and_go_on_from_what_was_stored(
        stretches in prop::collection::vec((stretch(), 0i64..200), 1..8),
        splits in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let catalogues = catalogues::built_in();
        let facts = catalogues.models.facts(Some("gs12"));
        let readings = readings(samples(&stretches).iter());
        let mut splits: Vec<_> = splits.iter().map(|index| index.index(readings.len())).collect();
        splits.sort_unstable();
        let expected = run_whole(&catalogues, &facts, &readings);
        let split = run_split(&catalogues, &facts, &readings, &splits);
        prop_assert_eq!(sorted(&split.0), sorted(&expected.0));
        prop_assert_eq!(&split.1, &expected.1);
        prop_assert_eq!(&split.2, &expected.2);
    }
}

/// Rules are run block by block, so what ends within a block comes rule by rule; by time it is the same.
fn sorted(ended: &Ended) -> Ended {
    let mut ended = ended.clone();
    ended.episodes.sort_by(|one, other| {
        (one.settled_at_ms, &one.subject, one.opened_at_ms).cmp(&(
            other.settled_at_ms,
            &other.subject,
            other.opened_at_ms,
        ))
    });
    ended
}

#[test]
fn a_stored_state_is_small() {
    let catalogues = catalogues::built_in();
    let facts = catalogues.models.facts(Some("gs12"));
    let usual = Stretch {
        minutes: 600,
        every_s: 5,
        rpm: 2_050.0,
        load: 72.0,
        speed: 5.2,
        coolant: 92.0,
        oil: 350.0,
        volts: 28.0,
        level: 60.0,
        hyd: 62.0,
        drum: 760.0,
    };
    let readings = readings(samples(&[(usual, 0)]).iter());
    let (ended, open, state) = run_whole(&catalogues, &facts, &readings);
    assert_eq!((ended.episodes, open), (vec![], vec![]), "a harvest day without a fault opens nothing");
    let bytes = state.encode().len();
    assert!(bytes < 16 * 1024, "{bytes} bytes");
}

fn check_mistakes(text: &str, expected: Expect) {
    let mut errors = Vec::new();
    RuleSet::read(&[DataFile { name: "own.toml".into(), text: text.into() }], &mut errors);
    expected.assert_eq(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn mistakes_in_rule_files_are_named_all_at_once_with_the_mend() {
    let words = "title = { ru = 'а', en = 'a' }\nadvice = { ru = 'а', en = 'a' }\nseverity = 2\n";
    check_mistakes(
        &format!(
            "[[rule]]\nid = 'a'\n{words}value = 'coolant_tmp_c'\nabove = 90\nclear = 95\nfor_s = -1\nwhen = 'engine_speed_rpm'
             [[rule]]\nid = 'b'\n{words}value = 'coolant_temp_c'\nfor_s = 1
             [[rule]]\nid = 'C d'\n{words}kind = 'limt'
             [[rule]]\nid = 'e'\nseverity = 2
             [[rule]]\nid = 'f'\n{words}value = 'coolant_temp_c > 3'\nabove = 'learned'\nfor_s = 1
             [[rule]]\nid = 'g'\n{words}kind = 'rate'\nvalue = 'inside_yard'\nfalls_by = 0\nwindow_s = 60
             [[rule]]\nid = 'h'\n{words}value = 'hdop'\nabove = 1\nfor_s = 1\nfault = '110-16'\nabov = 3
             [[area]]\nname = 'x'
             [rules]\n"
        ),
        expect![[r#"
            own.toml: "rules" is not known here; known are area, rule, trend
            own.toml: area "x": has no shape; give center = [LAT, LON] with radius_m above 0, or corners = [[LAT, LON], …] with 3 to 2000 corners
            own.toml: rule "a": clear: 95 is on the wrong side of the limit 90
            own.toml: rule "a": value: "coolant_tmp_c" is no signal; did you mean coolant_temp_c?
            own.toml: rule "a": for_s: -1 is not in 0..=2678400
            own.toml: rule "a": when: "engine_speed_rpm" is no condition; compare it, as in engine_speed_rpm > 500
            own.toml: rule "b": above, below: give exactly one of them
            own.toml: rule "C d": id: "C d" has other characters than a-z, 0-9 and _
            own.toml: rule "C d": kind: "limt" is unknown; known are limit, rate, share, agree, fuel, reset, silence
            own.toml: rule "e": missing field `title`
            own.toml: rule "f": above: "learned" needs a key learn, in above or below
            own.toml: rule "f": value: "coolant_temp_c > 3" is a condition; a value is needed
            own.toml: rule "g": falls_by: 0 is not above 0
            own.toml: rule "g": value: "inside_yard": there is no [[area]] with name = "yard"
            own.toml: rule "h": fault: "110-16" is no code; write SPN/FMI as 110/16
            own.toml: rule "h": abov: unknown field `abov`, expected one of `value`, `above`, `below`, `clear`, `for_s`, `clear_for_s`, `when`, `unless`, `learn`"#]],
    );
    check_mistakes(
        "[[rule",
        expect![[r#"
            own.toml: is not valid TOML: TOML parse error at line 1, column 7
              |
            1 | [[rule
              |       ^
            unclosed array table, expected `]]`"#]],
    );
}

#[test]
fn an_example_that_does_not_hold_is_said_with_what_came() {
    let text = "[[rule]]\nid = 'hot'\ntitle = { ru = 'а', en = 'a' }\nadvice = { ru = 'а', en = 'a' }\nseverity = 2
        value = 'coolant_temp_c'\nabove = 100\nfor_s = 30
        [[rule.example]]\nopens = 2\nsteps = [{ for_s = 60, coolant_temp_c = 103 }]
        [[rule.example]]\nopens = 1\nonset_s = 10\nsteps = [{ for_s = 60, coolant_temp_c = [90, 130] }]
        [[rule.example]]\nopens = 1\nsteps = [{ for_s = 60, coolant = 103 }]";
    let mut errors = Vec::new();
    let set = RuleSet::read(&[DataFile { name: "own.toml".into(), text: text.into() }], &mut errors);
    assert_eq!(errors, []);
    let said: Vec<_> = set.run_examples(&zone()).iter().map(ToString::to_string).collect();
    expect![[r#"
        own.toml: rule "hot": example 1: opens = 2, but the rule opens 1: at 0 s
        own.toml: rule "hot": example 2: onset_s = 10, but the first episode opens at 20 s
        own.toml: rule "hot": example 3: "coolant" is no signal"#]]
    .assert_eq(&said.join("\n"));
}
