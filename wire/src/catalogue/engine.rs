//! Engine and fuel (SAE J1939-71).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    40 ENGINE_SPEED_RPM = "engine_speed_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 2600.0, Spn(190), Wide(SqlType::Real), K::ENGINE, Gauge, "engine speed";
    41 ENGINE_TORQUE_PCT = "engine_torque_pct", "%", 1 / 1, valid -125.0 => 125.0, usual 0.0 => 100.0, Spn(513), Wide(SqlType::Real), K::ENGINE, Gauge, "actual engine torque, share of the reference torque";
    42 ENGINE_DEMAND_TORQUE_PCT = "engine_demand_torque_pct", "%", 1 / 1, valid -125.0 => 125.0, usual 0.0 => 100.0, Spn(512), Narrow, K::ENGINE, Gauge, "torque asked for by the driver";
    43 ENGINE_LOAD_PCT = "engine_load_pct", "%", 1 / 1, valid 0.0 => 250.0, usual 0.0 => 110.0, Spn(92), Wide(SqlType::Real), K::ENGINE, Gauge, "engine load at current speed";
    44 ACCEL_PEDAL_PCT = "accel_pedal_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(91), Narrow, K::ENGINE, Gauge, "accelerator pedal position";
    45 ENGINE_FRICTION_TORQUE_PCT = "engine_friction_torque_pct", "%", 1 / 1, valid -125.0 => 125.0, usual 5.0 => 20.0, Spn(514), Narrow, K::ENGINE, Gauge, "nominal friction torque";
    46 ENGINE_REFERENCE_TORQUE_NM = "engine_reference_torque_nm", "N m", 1 / 1, valid 0.0 => 64255.0, usual 290.0 => 2100.0, Spn(544), Narrow, K::ENGINE, Gauge, "the torque that is 100 %";
    47 COOLANT_TEMP_C = "coolant_temp_c", "°C", 1 / 1, valid -40.0 => 210.0, usual -45.0 => 115.0, Spn(110), Wide(SqlType::Real), K::ENGINE, Gauge, "engine coolant temperature";
    48 FUEL_TEMP_C = "fuel_temp_c", "°C", 1 / 1, valid -40.0 => 210.0, usual -40.0 => 90.0, Spn(174), Narrow, K::ENGINE, Gauge, "fuel temperature";
    49 ENGINE_OIL_TEMP_C = "engine_oil_temp_c", "°C", 1 / 32, valid -60.0 => 300.0, usual -40.0 => 130.0, Spn(175), Wide(SqlType::Real), K::ENGINE, Gauge, "engine oil temperature";
    50 ECU_TEMP_C = "ecu_temp_c", "°C", 1 / 32, valid -60.0 => 200.0, usual -40.0 => 105.0, Spn(1136), Narrow, K::ENGINE, Gauge, "engine controller temperature";
    51 OIL_PRESSURE_KPA = "oil_pressure_kpa", "kPa", 4 / 1, valid 0.0 => 1000.0, usual 80.0 => 600.0, Spn(100), Wide(SqlType::Real), K::ENGINE, Gauge, "engine oil pressure, gauge";
    52 OIL_LEVEL_PCT = "oil_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 40.0 => 100.0, Spn(98), Narrow, K::ENGINE, Gauge, "engine oil level";
    53 FUEL_DELIVERY_PRESSURE_KPA = "fuel_delivery_pressure_kpa", "kPa", 4 / 1, valid 0.0 => 1000.0, usual 200.0 => 700.0, Spn(94), Narrow, K::ENGINE, Gauge, "fuel feed pressure";
    54 COOLANT_LEVEL_PCT = "coolant_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 60.0 => 100.0, Spn(111), Narrow, K::ENGINE, Gauge, "coolant level";
    55 CRANKCASE_PRESSURE_KPA = "crankcase_pressure_kpa", "kPa", 1 / 128, valid -250.0 => 251.99, usual -1.0 => 3.0, Spn(101), Narrow, K::ENGINE, Gauge, "crankcase pressure, gauge";
    56 BOOST_PRESSURE_KPA = "boost_pressure_kpa", "kPa", 2 / 1, valid 0.0 => 500.0, usual 0.0 => 260.0, Spn(102), Narrow, K::ENGINE, Gauge, "intake manifold pressure, gauge";
    57 INTAKE_TEMP_C = "intake_temp_c", "°C", 1 / 1, valid -40.0 => 210.0, usual -40.0 => 90.0, Spn(105), Narrow, K::ENGINE, Gauge, "intake manifold temperature";
    58 AIR_FILTER_DP_KPA = "air_filter_dp_kpa", "kPa", 1 / 20, valid 0.0 => 12.5, usual 0.5 => 7.0, Spn(107), Narrow, K::ENGINE, Gauge, "air filter pressure drop";
    59 EXHAUST_TEMP_C = "exhaust_temp_c", "°C", 1 / 32, valid -60.0 => 1000.0, usual 80.0 => 650.0, Spn(173), Narrow, K::ENGINE, Gauge, "exhaust gas temperature";
    60 TURBO_SPEED_RPM = "turbo_speed_rpm", "rpm", 4 / 1, valid 0.0 => 257_020.0, usual 0.0 => 140_000.0, Spn(103), Narrow, K::ENGINE, Gauge, "turbocharger speed";
    61 RAIL_PRESSURE_MPA = "rail_pressure_mpa", "MPa", 1 / 256, valid 0.0 => 250.996, usual 25.0 => 180.0, Spn(157), Narrow, K::ENGINE, Gauge, "fuel rail pressure";
    62 FUEL_RATE_LPH = "fuel_rate_lph", "L/h", 1 / 20, valid 0.0 => 300.0, usual 0.0 => 110.0, Spn(183), Wide(SqlType::Real), K::ENGINE, Gauge, "fuel rate";
    63 FUEL_TOTAL_L = "fuel_total_l", "L", 1 / 1000, valid 0.0 => 2_105_540_607.5, usual 0.0 => 1_000_000.0, Spn(5054), Wide(SqlType::Double), K::ENGINE, Counter, "fuel burned over the engine's life, high resolution";
    64 FUEL_TOTAL_COARSE_L = "fuel_total_coarse_l", "L", 1 / 2, valid 0.0 => 2_105_540_607.5, usual 0.0 => 1_000_000.0, Spn(250), Narrow, K::ENGINE, Counter, "fuel burned over the engine's life, steps of 0.5 L";
    65 FUEL_TRIP_L = "fuel_trip_l", "L", 1 / 2, valid 0.0 => 2_105_540_607.5, usual 0.0 => 10000.0, Spn(182), Narrow, K::ENGINE, Counter, "fuel burned on the trip, reset by the driver";
    66 IDLE_FUEL_TOTAL_L = "idle_fuel_total_l", "L", 1 / 2, valid 0.0 => 2_105_540_607.5, usual 0.0 => 100_000.0, Spn(236), Narrow, K::ENGINE, Counter, "fuel burned at idle";
    67 IDLE_HOURS_H = "idle_hours_h", "h", 1 / 20, valid 0.0 => 210_554_060.75, usual 0.0 => 20000.0, Spn(235), Narrow, K::ENGINE, Counter, "engine hours at idle";
    68 ENGINE_HOURS_H = "engine_hours_h", "h", 1 / 20, valid 0.0 => 210_554_060.75, usual 0.0 => 40000.0, Spn(247), Wide(SqlType::Double), K::ENGINE, Counter, "engine hours";
    69 ENGINE_REVS_TOTAL = "engine_revs_total", "rev", 1000 / 1, valid 0.0 => 4_211_081_215_000.0, usual 0.0 => 4_000_000_000.0, Spn(249), Narrow, K::ENGINE, Counter, "engine revolutions, in steps of 1000";
    70 FUEL_LEVEL_PCT = "fuel_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(96), Wide(SqlType::Real), K::ENGINE, Gauge, "fuel level of the first tank";
    71 FUEL_LEVEL2_PCT = "fuel_level2_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(38), Narrow, K::ENGINE, Gauge, "fuel level of the second tank";
    72 FUEL_FILTER_DP_KPA = "fuel_filter_dp_kpa", "kPa", 2 / 1, valid 0.0 => 500.0, usual 5.0 => 100.0, Spn(95), Narrow, K::ENGINE, Gauge, "fuel filter pressure drop";
    73 OIL_FILTER_DP_KPA = "oil_filter_dp_kpa", "kPa", 1 / 2, valid 0.0 => 125.0, usual 5.0 => 120.0, Spn(99), Narrow, K::ENGINE, Gauge, "oil filter pressure drop";
    74 WATER_IN_FUEL = "water_in_fuel", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 0.0, Spn(97), Narrow, K::ENGINE, State, "water in fuel";
    75 AMBIENT_TEMP_C = "ambient_temp_c", "°C", 1 / 32, valid -70.0 => 70.0, usual -45.0 => 40.0, Spn(171), Wide(SqlType::Real), K::ANY, Gauge, "ambient air temperature";
    76 BARO_PRESSURE_KPA = "baro_pressure_kpa", "kPa", 1 / 2, valid 40.0 => 125.0, usual 95.0 => 105.0, Spn(108), Narrow, K::ENGINE, Gauge, "barometric pressure";
    77 SERVICE_HOURS_LEFT_H = "service_hours_left_h", "h", 1 / 1, valid -32127.0 => 32128.0, usual -500.0 => 2000.0, Spn(916), Narrow, K::ENGINE, Gauge, "engine hours until the next service";
    78 ENGINE_RUNNING = "engine_running", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Project, Narrow, K::ENGINE, State, "the engine runs, where that is all a source tells";
}
