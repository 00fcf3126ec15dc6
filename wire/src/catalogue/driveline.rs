//! Transmission, hydraulics, brakes (SAE J1939-71).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    100 GEAR_CURRENT = "gear_current", "gear", 1 / 1, valid -125.0 => 125.0, usual -12.0 => 36.0, Spn(523), Narrow, K::VEHICLE, State, "gear engaged: negative reverse, 0 neutral";
    101 CLUTCH_SLIP_PCT = "clutch_slip_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 5.0, Spn(522), Narrow, K::VEHICLE, Gauge, "drive clutch slip";
    102 TRANS_OIL_TEMP_C = "trans_oil_temp_c", "°C", 1 / 32, valid -60.0 => 250.0, usual 20.0 => 105.0, Spn(177), Wide(SqlType::Real), K::VEHICLE, Gauge, "transmission oil temperature";
    103 TRANS_OIL_PRESSURE_KPA = "trans_oil_pressure_kpa", "kPa", 16 / 1, valid 0.0 => 4000.0, usual 900.0 => 2200.0, Spn(127), Narrow, K::VEHICLE, Gauge, "transmission oil pressure";
    104 HYD_TEMP_C = "hyd_temp_c", "°C", 1 / 1, valid -40.0 => 210.0, usual 20.0 => 90.0, Spn(1638), Wide(SqlType::Real), K::VEHICLE, Gauge, "hydraulic oil temperature";
    105 HYD_LEVEL_PCT = "hyd_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 50.0 => 100.0, Spn(2602), Narrow, K::VEHICLE, Gauge, "hydraulic oil level";
    106 HYD_FILTER_SWITCH = "hyd_filter_switch", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 0.0, Spn(1713), Narrow, K::VEHICLE, State, "hydraulic filter restricted";
    107 HYD_PRESSURE_KPA = "hyd_pressure_kpa", "kPa", 2 / 1, valid 0.0 => 60000.0, usual 1500.0 => 25000.0, Spn(1762), Narrow, K::VEHICLE, Gauge, "hydraulic pump pressure";
    108 FAN_SPEED_RPM = "fan_speed_rpm", "rpm", 1 / 8, valid 0.0 => 8031.875, usual 0.0 => 3000.0, Spn(1639), Narrow, K::ENGINE, Gauge, "cooling fan speed";
    109 FAN_PCT = "fan_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(975), Narrow, K::ENGINE, Gauge, "cooling fan drive, estimated";
    110 BRAKE_CIRCUIT1_KPA = "brake_circuit1_kpa", "kPa", 8 / 1, valid 0.0 => 2000.0, usual 600.0 => 900.0, Spn(1087), Narrow, K::VEHICLE, Gauge, "service brake circuit 1 air pressure";
    111 BRAKE_CIRCUIT2_KPA = "brake_circuit2_kpa", "kPa", 8 / 1, valid 0.0 => 2000.0, usual 600.0 => 900.0, Spn(1088), Narrow, K::VEHICLE, Gauge, "service brake circuit 2 air pressure";
}
