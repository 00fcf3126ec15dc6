//! Harvest days of a combine: every signal that a PALESSE combine reports, at its rate, moving as it does in work, with
//! stops, nights, and now and then an engine that runs hot.

use polevod::derive::Readings;
use wire::{SignalId, catalogue as signal};

/// Samples of a day: twelve hours at one in five seconds.
const DAY_SAMPLES: usize = 8_640;

/// A harvest day. The noise is a fixed sequence, so that every run does the same work.
pub(crate) fn day(number: usize) -> Readings {
    let begins_ms = 1_787_184_000_000 + number as i64 * 86_400_000;
    let mut readings = Readings::default();
    let mut random = number as u64 + 1;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    };
    for n in 0..DAY_SAMPLES {
        let index = readings.push(begins_ms + n as i64 * 5_000, 1, (number * DAY_SAMPLES + n) as i64);
        let mut set = |signal: SignalId, value: f64| readings.set(index, signal, value);
        // A stop of ten minutes each two hours.
        let stands = n % 1_440 > 1_320;
        let is_hot = number % 10 == 9 && (4_000..4_060).contains(&n);
        let load: f64 = if stands { 8.0 } else { 72.0 + 20.0 * noise() };
        let rpm = if stands { 850.0 } else { 2_050.0 + 20.0 * noise() };
        let works = f64::from(u8::from(!stands));
        set(signal::LATITUDE_DEG, 56.26 + n as f64 * 1e-6);
        set(signal::LONGITUDE_DEG, 83.97);
        set(signal::GROUND_SPEED_KMH, if stands { 0.0 } else { 5.2 + noise() });
        set(signal::HDOP, 0.9);
        set(signal::ENGINE_SPEED_RPM, rpm);
        set(signal::ENGINE_LOAD_PCT, load.round());
        set(signal::FUEL_RATE_LPH, 0.6 * load);
        set(signal::ACTUAL_WORK_STATE, works);
        if n % 2 == 0 {
            set(signal::COOLANT_TEMP_C, if is_hot { 103.0 } else { (90.0 + 3.0 * noise()).round() });
            set(signal::OIL_PRESSURE_KPA, if stands { 140.0 } else { 350.0 + 20.0 * noise() });
            set(signal::DRUM_RPM, 760.0 / 2_050.0 * rpm + 4.0 * noise());
            set(signal::ELEVATOR_RPM, 390.0 / 2_050.0 * rpm);
            set(signal::LOSS_SIEVE_PCT, 0.8);
            set(signal::LOSS_WALKER_PCT, 0.6);
            set(signal::HEADER_IN_WORK, works);
        }
        if n % 6 == 0 {
            set(signal::TRANS_OIL_TEMP_C, 60.0 + noise());
            set(signal::HYD_TEMP_C, (62.0 + 2.0 * noise()).round());
            set(signal::BATTERY_V, 28.0 + 0.2 * noise());
            set(signal::AMBIENT_TEMP_C, 18.0);
            set(signal::ENGINE_OIL_TEMP_C, 98.0 + 4.0 * noise());
            set(signal::CROP_MOISTURE_PCT, 17.0 + noise());
        }
        if n % 12 == 0 {
            set(signal::FUEL_LEVEL_PCT, 90.0 - 60.0 * n as f64 / DAY_SAMPLES as f64);
            set(signal::ENGINE_HOURS_H, 1_000.0 + 12.0 * number as f64 + n as f64 / 720.0);
            set(signal::FUEL_TOTAL_L, 40_000.0 + 500.0 * number as f64 + n as f64 * 0.055);
        }
    }
    readings.sort();
    readings
}
