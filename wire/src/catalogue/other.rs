//! Flax, forest, peat, grain drying and fire machines (project signals, scaled by the unit).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*};

signals! {
    400 BELT_SPEED_MPS = "belt_speed_mps", "m/s", 1 / 1000, valid 0.0 => 30.0, usual 0.0 => 6.0, Project, Narrow, K::FLAX, Gauge, "pulling belt speed";
    401 DECK_TILT_DEG = "deck_tilt_deg", "deg", 1 / 10, valid -90.0 => 90.0, usual -20.0 => 20.0, Project, Narrow, K::FLAX, Gauge, "deck tilt";
    402 BALE_COUNT = "bale_count", "count", 1 / 1, valid 0.0 => 1_000_000.0, usual 0.0 => 2000.0, Project, Narrow, K::FLAX, Counter, "bales made";
    403 CRANE_CYCLES = "crane_cycles", "count", 1 / 1, valid 0.0 => 100_000_000.0, usual 0.0 => 1_000_000.0, Project, Narrow, K::FOREST, Counter, "crane grapple cycles";
    404 STEM_COUNT = "stem_count", "count", 1 / 1, valid 0.0 => 100_000_000.0, usual 0.0 => 1_000_000.0, Project, Narrow, K::FOREST, Counter, "stems felled";
    405 STEM_VOLUME_M3 = "stem_volume_m3", "m³", 1 / 1000, valid 0.0 => 1_000_000.0, usual 0.0 => 100_000.0, Project, Narrow, K::FOREST, Counter, "volume felled";
    406 LOAD_T = "load_t", "t", 1 / 1000, valid 0.0 => 100.0, usual 0.0 => 16.0, Project, Narrow, K::FOREST, Gauge, "load on the bunk";
    407 PEAT_FAN_RPM = "peat_fan_rpm", "rpm", 1 / 8, valid 0.0 => 8000.0, usual 0.0 => 3000.0, Project, Narrow, K::PEAT, Gauge, "suction fan speed";
    408 HOPPER_FILL_PCT = "hopper_fill_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Project, Narrow, K::PEAT, Gauge, "hopper fill";
    409 BEARING_TEMP_C = "bearing_temp_c", "°C", 1 / 32, valid -60.0 => 500.0, usual -40.0 => 100.0, Project, Narrow, K::PEAT, Gauge, "hottest bearing, a fire risk above 120 °C";
    410 MILLING_DEPTH_MM = "milling_depth_mm", "mm", 1 / 10, valid 0.0 => 200.0, usual 0.0 => 20.0, Project, Narrow, K::PEAT, Gauge, "milling depth";
    411 BURNER_ON = "burner_on", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Project, Narrow, K::DRYER, State, "burner lit";
    412 HEAT_AGENT_TEMP_C = "heat_agent_temp_c", "°C", 1 / 10, valid -60.0 => 300.0, usual 60.0 => 120.0, Project, Narrow, K::DRYER, Gauge, "drying air temperature";
    413 GRAIN_TEMP_C = "grain_temp_c", "°C", 1 / 10, valid -60.0 => 150.0, usual -10.0 => 55.0, Project, Narrow, K::DRYER, Gauge, "grain temperature";
    414 MOISTURE_IN_PCT = "moisture_in_pct", "%", 1 / 100, valid 0.0 => 100.0, usual 14.0 => 30.0, Project, Narrow, K::DRYER, Gauge, "grain moisture at the inlet";
    415 MOISTURE_OUT_PCT = "moisture_out_pct", "%", 1 / 100, valid 0.0 => 100.0, usual 12.0 => 20.0, Project, Narrow, K::DRYER, Gauge, "grain moisture at the outlet";
    416 BIN_LEVEL_PCT = "bin_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Project, Narrow, K::DRYER, Gauge, "receiving bin level";
    417 FAN_CURRENT_A = "fan_current_a", "A", 1 / 10, valid 0.0 => 1000.0, usual 0.0 => 200.0, Project, Narrow, K::DRYER, Gauge, "fan motor current";
    418 PUMP_RPM = "pump_rpm", "rpm", 1 / 8, valid 0.0 => 8000.0, usual 0.0 => 3500.0, Project, Narrow, K::FIRE, Gauge, "water pump speed";
    419 PUMP_PRESSURE_KPA = "pump_pressure_kpa", "kPa", 1 / 1, valid 0.0 => 4000.0, usual 0.0 => 1200.0, Project, Narrow, K::FIRE, Gauge, "water pump pressure";
    420 WATER_LEVEL_PCT = "water_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Project, Narrow, K::FIRE, Gauge, "water tank level";
    421 SIREN_ON = "siren_on", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Project, Narrow, K::FIRE, State, "siren on";
}
