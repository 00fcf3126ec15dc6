//! Order, repeats, gaps in arrival: nothing of it shows.

use proptest::prelude::*;

use crate::drive::{Drive, Known, Sensors, readings};

fn day() -> Drive {
    let mut drive = Drive::begin("08:00", Sensors::Implement, 6.0).every_ms(2000);
    drive.passes(4, 200.0, 9.0);
    drive.stand(100, true);
    drive.to(-900.0, 0.0, 20.0, false);
    drive.stand(700, true);
    drive.to(0.0, 40.0, 20.0, false);
    drive.passes(4, 200.0, 9.0);
    drive
}

/// Sessions to the bit.
fn text(readings: &polevod::derive::Readings) -> String {
    serde_json::to_string(&Known::default().sessions_of(readings)).expect("sessions are plain data")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shuffled_repeated_and_delayed_samples_give_the_same_sessions_to_the_bit(
        seed in any::<u64>(), repeats in 0usize..200, cut in 0.0f64..1.0,
    ) {
        let drive = day();
        let count = drive.samples.len();
        let expected = text(&readings(&drive.samples, 0..count));
        // One part comes late, everything in any order, some of it twice.
        let split = (count as f64 * cut) as usize;
        let mut order: Vec<usize> = (split..count).chain(0..split).collect();
        let mut state = seed | 1;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        order.extend((0..repeats).map(|_| next(count)));
        for index in (1..order.len()).rev() {
            order.swap(index, next(index + 1));
        }
        prop_assert_eq!(text(&readings(&drive.samples, order)), expected);
    }
}

#[test]
fn every_part_of_a_day_gives_sessions_without_a_panic() {
    let drive = day();
    let count = drive.samples.len();
    for from in (0..count).step_by(97) {
        for to in (from..count).step_by(131) {
            let _ = Known::default().sessions_of(&readings(&drive.samples, from..to));
        }
    }
}
