//! Electrical supply (SAE J1939-71).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    90 BATTERY_V = "battery_v", "V", 1 / 20, valid 0.0 => 60.0, usual 11.5 => 30.0, Spn(168), Wide(SqlType::Real), K::ENGINE, Gauge, "battery voltage";
    91 CHARGING_V = "charging_v", "V", 1 / 20, valid 0.0 => 60.0, usual 11.5 => 30.0, Spn(167), Narrow, K::ENGINE, Gauge, "charging system voltage";
    92 KEY_SWITCH_V = "key_switch_v", "V", 1 / 20, valid 0.0 => 60.0, usual 0.0 => 30.0, Spn(158), Narrow, K::ENGINE, Gauge, "voltage at the key switch";
    93 ALTERNATOR_CURRENT_A = "alternator_current_a", "A", 1 / 1, valid 0.0 => 250.0, usual 0.0 => 150.0, Spn(115), Narrow, K::ENGINE, Gauge, "alternator current";
}
