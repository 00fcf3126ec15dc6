//! Implement and work data (ISO 11783-11 process data).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    200 ACTUAL_WORK_STATE = "actual_work_state", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Ddi(141), Wide(SqlType::SmallInt), K::WORK, State, "0 off, 1 on, 2 error, 3 undefined";
    201 ACTUAL_WORKING_WIDTH_M = "actual_working_width_m", "m", 1 / 1000, valid 0.0 => 100.0, usual 0.0 => 48.0, Ddi(67), Wide(SqlType::Real), K::WORK, Gauge, "working width now in use";
    202 MAX_WORKING_WIDTH_M = "max_working_width_m", "m", 1 / 1000, valid 0.0 => 100.0, usual 1.0 => 48.0, Ddi(70), Narrow, K::WORK, Gauge, "greatest working width";
    203 CONDENSED_WORK_STATE = "condensed_work_state", "enum", 1 / 1, valid -2_147_483_648.0 => 4_294_967_295.0, usual 0.0 => 4_294_967_295.0, Ddi(161), Narrow, K::WORK, State, "state of sections 1 to 16, two bits each, left section lowest";
    204 SECTION_CONTROL_STATE = "section_control_state", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Ddi(160), Narrow, K::WORK, State, "0 manual, 1 automatic";
    205 TC_ACTUAL_SPEED_MPS = "tc_actual_speed_mps", "m/s", 1 / 1000, valid -40.0 => 40.0, usual 0.0 => 14.0, Ddi(397), Narrow, K::WORK, Gauge, "speed at the device element, negative in reverse";
    206 TOTAL_AREA_M2 = "total_area_m2", "m²", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 20_000_000.0, Ddi(116), Narrow, K::WORK, Counter, "area worked in the task";
    207 EFFECTIVE_DISTANCE_M = "effective_distance_m", "m", 1 / 1000, valid 0.0 => 2_147_483.647, usual 0.0 => 2_000_000.0, Ddi(117), Narrow, K::WORK, Counter, "distance in work";
    208 INEFFECTIVE_DISTANCE_M = "ineffective_distance_m", "m", 1 / 1000, valid 0.0 => 2_147_483.647, usual 0.0 => 2_000_000.0, Ddi(118), Narrow, K::WORK, Counter, "distance out of work";
    209 EFFECTIVE_TIME_S = "effective_time_s", "s", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 5_000_000.0, Ddi(119), Narrow, K::WORK, Counter, "time in work";
    210 INEFFECTIVE_TIME_S = "ineffective_time_s", "s", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 5_000_000.0, Ddi(120), Narrow, K::WORK, Counter, "time out of work";
    211 TASK_FUEL_L = "task_fuel_l", "L", 1 / 1000, valid 0.0 => 2_147_483.647, usual 0.0 => 100_000.0, Ddi(148), Narrow, K::WORK, Counter, "fuel burned in the task";
    212 TC_FUEL_RATE_MM3PS = "tc_fuel_rate_mm3ps", "mm³/s", 1 / 1, valid 0.0 => 200_000.0, usual 0.0 => 40000.0, Ddi(149), Narrow, K::WORK, Gauge, "fuel rate as process data (1 mm³/s = 0.0036 L/h)";
    213 FUEL_PER_AREA_LPHA = "fuel_per_area_lpha", "L/ha", 1 / 100, valid 0.0 => 1000.0, usual 0.0 => 60.0, Ddi(150), Narrow, K::WORK, Gauge, "fuel per area (1 mm³/m² = 0.01 L/ha)";
    214 EFFECTIVE_FUEL_L = "effective_fuel_l", "L", 1 / 1000, valid 0.0 => 2_147_483.647, usual 0.0 => 100_000.0, Ddi(316), Narrow, K::WORK, Counter, "fuel burned in work";
    215 INEFFECTIVE_FUEL_L = "ineffective_fuel_l", "L", 1 / 1000, valid 0.0 => 2_147_483.647, usual 0.0 => 100_000.0, Ddi(317), Narrow, K::WORK, Counter, "fuel burned out of work";
    216 TILLAGE_DEPTH_M = "tillage_depth_m", "m", 1 / 1000, valid -0.5 => 1.5, usual 0.0 => 0.4, Ddi(52), Narrow, K::WORK, Gauge, "tillage depth";
    217 SEEDING_DEPTH_M = "seeding_depth_m", "m", 1 / 1000, valid -0.5 => 0.5, usual 0.0 => 0.1, Ddi(57), Narrow, K::WORK, Gauge, "seeding depth";
    218 APPLICATION_MASS_RATE_KGPHA = "application_mass_rate_kgpha", "kg/ha", 1 / 100, valid 0.0 => 100_000.0, usual 0.0 => 500.0, Ddi(7), Narrow, K::WORK, Gauge, "mass applied per area now (1 mg/m² = 0.01 kg/ha)";
    219 APPLICATION_TOTAL_MASS_KG = "application_total_mass_kg", "kg", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 1_000_000.0, Ddi(81), Narrow, K::WORK, Counter, "mass applied in the task";
    220 APPLICATION_VOLUME_RATE_LPHA = "application_volume_rate_lpha", "L/ha", 1 / 10000, valid 0.0 => 20000.0, usual 0.0 => 400.0, Ddi(2), Narrow, K::WORK, Gauge, "volume applied per area now (0.01 mm³/m² = 0.0001 L/ha)";
    221 APPLICATION_MASS_FLOW_KGPS = "application_mass_flow_kgps", "kg/s", 1 / 1000000, valid 0.0 => 2147.0, usual 0.0 => 10.0, Ddi(42), Narrow, K::WORK, Gauge, "mass applied per time now";
    222 GROSS_WEIGHT_KG = "gross_weight_kg", "kg", 1 / 1000, valid 0.0 => 2_147_483.0, usual 0.0 => 40000.0, Ddi(232), Narrow, K::WORK, Gauge, "gross weight";
    223 HYDRAULIC_OIL_TEMP_MK = "hydraulic_oil_temp_mk", "mK", 1 / 1, valid 200_000.0 => 500_000.0, usual 250_000.0 => 370_000.0, Ddi(258), Narrow, K::WORK, Gauge, "hydraulic oil temperature as process data";
    224 AMBIENT_TEMP_MK = "ambient_temp_mk", "mK", 1 / 1, valid 200_000.0 => 350_000.0, usual 228_000.0 => 313_000.0, Ddi(192), Narrow, K::WORK, Gauge, "ambient temperature as process data";
    225 LIFETIME_AREA_M2 = "lifetime_area_m2", "m²", 1 / 1, valid 0.0 => 4_294_967_295.0, usual 0.0 => 2_147_483_647.0, Ddi(271), Narrow, K::WORK, Counter, "area worked over the device's life";
    226 LIFETIME_ENGINE_HOURS_H = "lifetime_engine_hours_h", "h", 1 / 10, valid 0.0 => 214_748_364.0, usual 0.0 => 40000.0, Ddi(493), Narrow, K::WORK, Counter, "engine hours over the device's life as process data";
    227 TC_ENGINE_HOURS_H = "tc_engine_hours_h", "h", 1 / 20, valid 0.0 => 107_374_182.0, usual 0.0 => 40000.0, Ddi(492), Narrow, K::WORK, Counter, "engine hours of the task as process data";
    228 TC_ENGINE_SPEED_RPM = "tc_engine_speed_rpm", "rpm", 1 / 10000, valid 0.0 => 10000.0, usual 0.0 => 2600.0, Ddi(484), Narrow, K::WORK, Gauge, "engine speed as process data";
    229 TC_ENGINE_TORQUE_PCT = "tc_engine_torque_pct", "%", 1 / 1000, valid -125.0 => 250.0, usual 0.0 => 110.0, Ddi(502), Narrow, K::WORK, Gauge, "engine torque as process data";
    230 TC_FUEL_LEVEL_PCT = "tc_fuel_level_pct", "%", 1 / 100, valid 0.0 => 100.0, usual 0.0 => 100.0, Ddi(491), Narrow, K::WORK, Gauge, "fuel level as process data";
    231 FUEL_CONTENT_L = "fuel_content_l", "L", 1 / 1000, valid 0.0 => 5000.0, usual 0.0 => 1200.0, Ddi(394), Narrow, K::WORK, Gauge, "fuel in the tank as process data";
    232 TC_DEF_LEVEL_PCT = "tc_def_level_pct", "%", 1 / 100, valid 0.0 => 100.0, usual 0.0 => 100.0, Ddi(488), Narrow, K::WORK, Gauge, "diesel exhaust fluid level as process data";
    233 TC_PTO_SPEED_RPM = "tc_pto_speed_rpm", "rpm", 1 / 10000, valid 0.0 => 10000.0, usual 0.0 => 1450.0, Ddi(541), Narrow, K::WORK, Gauge, "power take-off speed as process data";
    234 DEVICE_OFFSET_X_M = "device_offset_x_m", "m", 1 / 1000, valid -100.0 => 100.0, usual -20.0 => 20.0, Ddi(134), Narrow, K::WORK, Gauge, "device element offset, forward";
    235 DEVICE_OFFSET_Y_M = "device_offset_y_m", "m", 1 / 1000, valid -100.0 => 100.0, usual -20.0 => 20.0, Ddi(135), Narrow, K::WORK, Gauge, "device element offset, right";
    236 DEVICE_OFFSET_Z_M = "device_offset_z_m", "m", 1 / 1000, valid -100.0 => 100.0, usual -10.0 => 10.0, Ddi(136), Narrow, K::WORK, Gauge, "device element offset, up";
    237 VALUE_LATENCY_MS = "value_latency_ms", "ms", 1 / 1, valid 0.0 => 600_000.0, usual 0.0 => 5000.0, Ddi(143), Narrow, K::WORK, Gauge, "latency of the actual value";
    238 INTERVAL_DISTANCE_M = "interval_distance_m", "m", 1 / 1000, valid 0.0 => 10000.0, usual 0.0 => 20.0, Project, Narrow, K::WORK, Gauge, "distance covered since the record before, as a monitor logs it";
    239 INTERVAL_S = "interval_s", "s", 1 / 1000, valid 0.0 => 86400.0, usual 0.0 => 10.0, Project, Narrow, K::WORK, Gauge, "time covered by the record, as a monitor logs it";
    240 PASS_NUMBER = "pass_number", "count", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 10000.0, Project, Narrow, K::WORK, State, "number of the pass, as a monitor counts it";
}
