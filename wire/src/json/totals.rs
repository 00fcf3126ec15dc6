//! Totals as `{"total_area_m2": 48300.0}` in JSON, (signal number, raw integer) in memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::signal::SignalId;

pub(crate) fn serialize<S: Serializer>(totals: &[(u32, i64)], serializer: S) -> Result<S::Ok, S::Error> {
    totals
        .iter()
        .filter_map(|(number, raw)| SignalId::parse(*number).map(|id| (id.to_string(), id.physical(*raw))))
        .collect::<BTreeMap<_, _>>()
        .serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u32, i64)>, D::Error> {
    let mut totals = BTreeMap::<String, f64>::deserialize(deserializer)?
        .into_iter()
        .map(|(name, physical)| {
            let id = SignalId::by_name(&name)
                .ok_or_else(|| D::Error::custom(format!("total {name:?} is no signal of the catalogue")))?;
            id.raw(physical)
                .map(|raw| (id.number(), raw))
                .ok_or_else(|| D::Error::custom(format!("total {name} = {physical:?} does not fit")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    totals.sort_unstable();
    Ok(totals)
}
