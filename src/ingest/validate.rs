//! Values against the catalogue: what lies outside a signal's physical limits is no measurement. It is left out,
//! the rest of the record stays.

use wire::{Bitmap, Column, Columns, DroppedValue, catalogue};

/// Removes impossible values and notes them.
pub(super) fn validate(columns: &mut Columns, dropped: &mut Vec<DroppedValue>) {
    let records = columns.recorded_at_ms.len();
    for column in &mut columns.columns {
        let Some(signal) = catalogue::find(column.signal) else { continue };
        let (low, high) = signal.valid_raw();
        let range = low..=high;
        if column.values.iter().all(|value| range.contains(value)) {
            continue;
        }
        let worst = column.values.iter().copied().find(|value| !range.contains(value)).unwrap_or_default();
        let removed = retain(column, records, |_, value| range.contains(&value));
        dropped.push(DroppedValue {
            code: "out_of_range",
            detail: format!(
                "{} = {} is outside {}..={}; check the sensor and its scaling",
                signal.name,
                signal.resolution.physical(worst),
                signal.valid.0,
                signal.valid.1
            ),
            values: removed,
        });
    }
    drop_half_positions(columns, dropped);
    columns.columns.retain(|column| !column.values.is_empty());
}

/// A latitude without its longitude is no position, and 0/0 is a receiver without a fix.
fn drop_half_positions(columns: &mut Columns, dropped: &mut Vec<DroppedValue>) {
    let records = columns.recorded_at_ms.len();
    let index = |columns: &Columns, signal| columns.columns.iter().position(|column| column.signal == signal);
    let latitude = index(columns, catalogue::LATITUDE_DEG);
    let longitude = index(columns, catalogue::LONGITUDE_DEG);
    if latitude.is_none() && longitude.is_none() {
        return;
    }
    let dense = |at: Option<usize>| -> Vec<Option<i64>> {
        let mut values = vec![None; records];
        if let Some(column) = at.map(|at| &columns.columns[at]) {
            for (position, value) in column.presence.positions(records).zip(&column.values) {
                values[position] = Some(*value);
            }
        }
        values
    };
    let good: Vec<bool> = dense(latitude)
        .into_iter()
        .zip(dense(longitude))
        .map(|pair| matches!(pair, (Some(lat), Some(lon)) if lat != 0 || lon != 0))
        .collect();
    let mut removed = 0;
    for at in [latitude, longitude].into_iter().flatten() {
        removed += retain(&mut columns.columns[at], records, |position, _| good[position]);
    }
    if removed > 0 {
        dropped.push(DroppedValue {
            code: "no_position",
            detail: "latitude and longitude are needed together, and 0/0 is a receiver without a fix".into(),
            values: removed,
        });
    }
}

/// Keeps the values that `keep` accepts, given position and value; returns how many went.
fn retain(column: &mut Column, records: usize, keep: impl Fn(usize, i64) -> bool) -> u64 {
    let before = column.values.len();
    let (positions, values): (Vec<_>, Vec<_>) = column
        .presence
        .positions(records)
        .zip(column.values.iter().copied())
        .filter(|(position, value)| keep(*position, *value))
        .unzip();
    if values.len() < before {
        column.presence = Bitmap::from_positions(positions, records);
        column.values = values;
    }
    (before - column.values.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use wire::{Sample, SignalId, columns_of, samples_of};

    /// Records of (signal, physical value); prints what is left and what was noted.
    fn check(records: &[&[(SignalId, f64)]], expected: Expect) {
        let samples: Vec<_> = records
            .iter()
            .map(|values| {
                let raw = |(id, physical): &(SignalId, f64)| {
                    let signal = catalogue::find(*id).expect("a catalogued signal");
                    (*id, signal.resolution.raw(*physical).expect("fits"))
                };
                Sample { recorded_at_ms: 0, values: values.iter().map(raw).collect() }
            })
            .collect();
        let mut columns = columns_of(&samples);
        let mut dropped = Vec::new();
        validate(&mut columns, &mut dropped);
        let mut lines: Vec<_> = samples_of(&columns)
            .iter()
            .map(|sample| {
                let values: Vec<_> =
                    sample.values.iter().map(|(id, raw)| format!("{id} {}", id.physical(*raw))).collect();
                format!("[{}]", values.join(", "))
            })
            .collect();
        lines.extend(dropped.iter().map(|d| format!("{} × {}: {}", d.values, d.code, d.detail)));
        expected.assert_eq(&lines.join("\n"));
    }

    const RPM: SignalId = catalogue::ENGINE_SPEED_RPM;
    const LAT: SignalId = catalogue::LATITUDE_DEG;
    const LON: SignalId = catalogue::LONGITUDE_DEG;

    #[test]
    fn an_impossible_value_goes_and_its_record_stays() {
        check(
            &[
                &[(RPM, 1850.0), (catalogue::COOLANT_TEMP_C, 88.0)],
                &[(RPM, 9120.0), (catalogue::COOLANT_TEMP_C, 118.0)],
            ],
            expect![[r#"
                [engine_speed_rpm 1850, coolant_temp_c 88]
                [coolant_temp_c 118]
                1 × out_of_range: engine_speed_rpm = 9120 is outside 0..=4000; check the sensor and its scaling"#]],
        );
    }

    #[test]
    fn half_a_position_and_null_island_are_no_positions() {
        check(
            &[&[(LAT, 56.5), (LON, 84.9)], &[(LAT, 0.0), (LON, 0.0)], &[(LAT, 56.5)], &[(LAT, 95.0), (LON, 84.9)]],
            expect![[r#"
                [latitude_deg 56.5, longitude_deg 84.9]
                []
                []
                []
                1 × out_of_range: latitude_deg = 95 is outside -90..=90; check the sensor and its scaling
                4 × no_position: latitude and longitude are needed together, and 0/0 is a receiver without a fix"#]],
        );
    }
}
