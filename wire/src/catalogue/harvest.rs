//! Harvest process data (ISO 11783-11) and harvester parameters without a public message (SAE J1939-71): these
//! travel in makers' own messages, so their resolution is this project's and the unit scales them.

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    300 CROP_FLOW_KGPS = "crop_flow_kgps", "kg/s", 1 / 1000000, valid 0.0 => 2147.0, usual 0.0 => 70.0, Ddi(87), Wide(SqlType::Real), K::HARVESTER, Gauge, "crop mass flow, wet";
    301 CROP_MOISTURE_PCT = "crop_moisture_pct", "%", 1 / 10000, valid 0.0 => 100.0, usual 5.0 => 80.0, Ddi(99), Wide(SqlType::Real), K::HARVESTER, Gauge, "crop moisture";
    302 YIELD_WET_TPHA = "yield_wet_tpha", "t/ha", 1 / 100000, valid 0.0 => 500.0, usual 0.0 => 80.0, Ddi(84), Narrow, K::HARVESTER, Gauge, "yield per area, wet (1 mg/m² = 1e-5 t/ha)";
    303 YIELD_TOTAL_MASS_KG = "yield_total_mass_kg", "kg", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 5_000_000.0, Ddi(90), Narrow, K::HARVESTER, Counter, "mass harvested in the task, wet";
    304 YIELD_DRY_TPHA = "yield_dry_tpha", "t/ha", 1 / 100000, valid 0.0 => 500.0, usual 0.0 => 40.0, Ddi(181), Narrow, K::HARVESTER, Gauge, "yield per area, dry matter";
    305 CROP_FLOW_DRY_KGPS = "crop_flow_dry_kgps", "kg/s", 1 / 1000000, valid 0.0 => 2147.0, usual 0.0 => 40.0, Ddi(182), Narrow, K::HARVESTER, Gauge, "crop mass flow, dry matter";
    306 YIELD_TOTAL_DRY_MASS_KG = "yield_total_dry_mass_kg", "kg", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 5_000_000.0, Ddi(183), Narrow, K::HARVESTER, Counter, "mass harvested in the task, dry matter";
    307 REFERENCE_MOISTURE_PCT = "reference_moisture_pct", "%", 1 / 10000, valid 0.0 => 100.0, usual 8.0 => 20.0, Ddi(184), Narrow, K::HARVESTER, Gauge, "moisture that dry mass refers to";
    308 AVERAGE_MOISTURE_PCT = "average_moisture_pct", "%", 1 / 10000, valid 0.0 => 100.0, usual 5.0 => 80.0, Ddi(262), Narrow, K::HARVESTER, Gauge, "mean moisture of the task";
    309 LOSS_PER_AREA_TPHA = "loss_per_area_tpha", "t/ha", 1 / 100000, valid 0.0 => 100.0, usual 0.0 => 1.0, Ddi(93), Narrow, K::HARVESTER, Gauge, "crop loss per area";
    310 LOSS_PER_TIME_KGPS = "loss_per_time_kgps", "kg/s", 1 / 1000000, valid 0.0 => 2147.0, usual 0.0 => 2.0, Ddi(96), Narrow, K::HARVESTER, Gauge, "crop loss per time";
    311 LOSS_PCT = "loss_pct", "%", 1 / 10000, valid 0.0 => 100.0, usual 0.0 => 3.0, Ddi(98), Narrow, K::HARVESTER, Gauge, "crop loss, share of the yield";
    312 HEADER_IN_WORK = "header_in_work", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Ddi(237), Narrow, K::HARVESTER, State, "header height status: 0 up, 1 in work";
    313 HEADER_SPEED_STATUS = "header_speed_status", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Ddi(238), Narrow, K::HARVESTER, State, "header speed status";
    314 YIELD_HOLD = "yield_hold", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Ddi(239), Narrow, K::HARVESTER, State, "1: ignore yield now";
    315 UNLOADING_STATUS = "unloading_status", "enum", 1 / 1, valid 0.0 => 255.0, usual 0.0 => 1.0, Ddi(240), Narrow, K::HARVESTER, State, "unloading auger status, bit field";
    316 YIELD_LAG_IGNORE_S = "yield_lag_ignore_s", "s", 1 / 1000, valid 0.0 => 3600.0, usual 0.0 => 15.0, Ddi(259), Narrow, K::HARVESTER, Gauge, "time to ignore yield after the header goes up";
    317 YIELD_LEAD_IGNORE_S = "yield_lead_ignore_s", "s", 1 / 1000, valid 0.0 => 3600.0, usual 0.0 => 15.0, Ddi(260), Narrow, K::HARVESTER, Gauge, "time to ignore yield after the header goes down";
    318 THRESHER_TIME_S = "thresher_time_s", "s", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 50_000_000.0, Ddi(236), Narrow, K::HARVESTER, Counter, "time with the thresher engaged";
    319 CROP_TEMP_MK = "crop_temp_mk", "mK", 1 / 1, valid 200_000.0 => 400_000.0, usual 260_000.0 => 320_000.0, Ddi(241), Narrow, K::HARVESTER, Gauge, "crop temperature";
    320 SIEVE_CLEARANCE_MM = "sieve_clearance_mm", "mm", 1 / 1, valid 0.0 => 1000.0, usual 0.0 => 40.0, Ddi(243), Narrow, K::HARVESTER, Gauge, "upper sieve clearance";
    321 CONCAVE_CLEARANCE_MM = "concave_clearance_mm", "mm", 1 / 1, valid 0.0 => 1000.0, usual 0.0 => 60.0, Ddi(251), Narrow, K::HARVESTER, Gauge, "concave clearance";
    322 TC_CLEANING_FAN_HZ = "tc_cleaning_fan_hz", "1/s", 1 / 1000, valid 0.0 => 200.0, usual 0.0 => 20.0, Ddi(255), Narrow, K::HARVESTER, Gauge, "cleaning fan speed as process data";
    323 TC_HEADER_SHAFT_HZ = "tc_header_shaft_hz", "1/s", 1 / 1000, valid 0.0 => 200.0, usual 0.0 => 20.0, Ddi(327), Narrow, K::HARVESTER, Gauge, "header shaft speed as process data";
    324 TC_CUTTING_DRUM_HZ = "tc_cutting_drum_hz", "1/s", 1 / 1000, valid 0.0 => 200.0, usual 0.0 => 25.0, Ddi(331), Narrow, K::HARVESTER, Gauge, "cutting drum speed as process data";
    325 KERNEL_CRACKER_GAP_MM = "kernel_cracker_gap_mm", "mm", 1 / 1000, valid 0.0 => 100.0, usual 0.0 => 10.0, Ddi(342), Narrow, K::HARVESTER, Gauge, "kernel cracker gap";
    326 LIFETIME_YIELD_KG = "lifetime_yield_kg", "kg", 1 / 1, valid 0.0 => 4_294_967_295.0, usual 0.0 => 2_147_483_647.0, Ddi(269), Narrow, K::HARVESTER, Counter, "mass harvested over the device's life";
    327 LAST_BALE_MASS_KG = "last_bale_mass_kg", "kg", 1 / 1000, valid 0.0 => 5000.0, usual 100.0 => 800.0, Ddi(223), Narrow, K::IMPLEMENT, Gauge, "mass of the last bale";
    328 LAST_BALE_MOISTURE_PCT = "last_bale_moisture_pct", "%", 1 / 10000, valid 0.0 => 100.0, usual 8.0 => 60.0, Ddi(212), Narrow, K::IMPLEMENT, Gauge, "moisture of the last bale";
    329 BALE_LIFETIME_COUNT = "bale_lifetime_count", "count", 1 / 1, valid 0.0 => 2_147_483_647.0, usual 0.0 => 1_000_000.0, Ddi(214), Narrow, K::IMPLEMENT, Counter, "bales over the device's life";
    330 CHOP_LENGTH_MM = "chop_length_mm", "mm", 1 / 1000, valid 0.0 => 500.0, usual 2.0 => 40.0, Ddi(177), Narrow, K::HARVESTER, Gauge, "length of cut";
    331 DRUM_RPM = "drum_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 500.0 => 1200.0, Spn(1488), Narrow, K::HARVESTER, Gauge, "threshing or chopping drum speed";
    332 ACCEL_DRUM_RPM = "accel_drum_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 400.0 => 650.0, Project, Narrow, K::COMBINE, Gauge, "accelerator drum speed";
    333 CLEAN_FAN_RPM = "clean_fan_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 500.0 => 1050.0, Spn(1489), Narrow, K::COMBINE, Gauge, "cleaning fan speed";
    334 ELEVATOR_RPM = "elevator_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 350.0 => 420.0, Spn(1554), Narrow, K::COMBINE, Gauge, "clean-grain elevator speed";
    335 HEADER_RPM = "header_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 0.0 => 800.0, Spn(1490), Narrow, K::HARVESTER, Gauge, "header back shaft speed";
    336 REEL_RPM = "reel_rpm", "rpm", 1 / 8, valid 0.0 => 500.0, usual 0.0 => 60.0, Spn(1541), Narrow, K::COMBINE, Gauge, "reel speed";
    337 CHOPPER_RPM = "chopper_rpm", "rpm", 1 / 8, valid 0.0 => 6000.0, usual 2600.0 => 3400.0, Project, Narrow, K::COMBINE, Gauge, "straw chopper speed";
    338 LOSS_SIEVE_PCT = "loss_sieve_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 3.0, Spn(1511), Narrow, K::COMBINE, Gauge, "cleaning-shoe loss index, the right or only sensor";
    339 LOSS_WALKER_PCT = "loss_walker_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 3.0, Spn(1513), Narrow, K::COMBINE, Gauge, "straw-walker or separator loss index, the right or only sensor";
    340 TAILINGS_PCT = "tailings_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 60.0, Spn(2991), Narrow, K::COMBINE, Gauge, "tailings volume";
    341 TANK_FILL_PCT = "tank_fill_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Project, Narrow, K::COMBINE, Gauge, "grain tank fill";
    342 UNLOAD_ACTIVE = "unload_active", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Project, Narrow, K::HARVESTER, State, "unloading auger running";
    343 HEADER_HEIGHT_PCT = "header_height_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Project, Narrow, K::HARVESTER, Gauge, "header height: 0 down, 100 up";
    344 THRESHER_DRIVE_TEMP_C = "thresher_drive_temp_c", "°C", 1 / 32, valid -60.0 => 250.0, usual 20.0 => 100.0, Spn(1509), Narrow, K::COMBINE, Gauge, "thresher hydrostatic drive temperature";
    345 HYD_RESERVOIR_TEMP_C = "hyd_reservoir_temp_c", "°C", 1 / 32, valid -60.0 => 250.0, usual 20.0 => 90.0, Spn(1508), Narrow, K::HARVESTER, Gauge, "hydraulic reservoir temperature";
    346 CONCAVE_POSITION_PCT = "concave_position_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1486), Narrow, K::COMBINE, Gauge, "concave position";
    347 FEEDERHOUSE_ANGLE_PCT = "feederhouse_angle_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1533), Narrow, K::HARVESTER, Gauge, "feederhouse position";
    348 SEPARATOR_RPM = "separator_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 200.0 => 1000.0, Spn(2989), Narrow, K::COMBINE, Gauge, "separator rotor speed";
    349 FEED_RPM = "feed_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 0.0 => 800.0, Project, Narrow, K::FORAGE, Gauge, "feed roller speed";
    350 LOSS_SIEVE_LEFT_PCT = "loss_sieve_left_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 3.0, Spn(1512), Narrow, K::COMBINE, Gauge, "cleaning-shoe loss index, left sensor";
    351 LOSS_WALKER_LEFT_PCT = "loss_walker_left_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 3.0, Spn(1514), Narrow, K::COMBINE, Gauge, "straw-walker or separator loss index, left sensor";
    352 HEADER_LIFT_PRESSURE_KPA = "header_lift_pressure_kpa", "kPa", 1 / 1, valid 0.0 => 60000.0, usual 0.0 => 25000.0, Spn(1517), Narrow, K::HARVESTER, Gauge, "header lift pressure";
    353 HEADER_HEIGHT1_PCT = "header_height1_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1534), Narrow, K::HARVESTER, Gauge, "height of the first header sensor: 0 down, 100 up";
    354 HEADER_HEIGHT2_PCT = "header_height2_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1535), Narrow, K::HARVESTER, Gauge, "height of the second header sensor: 0 down, 100 up";
    355 HEADER_HEIGHT3_PCT = "header_height3_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1536), Narrow, K::HARVESTER, Gauge, "height of the third header sensor: 0 down, 100 up";
    356 MOISTURE_CELL_HZ = "moisture_cell_hz", "Hz", 1 / 1, valid 0.0 => 50_000_000.0, usual 0.0 => 5_000_000.0, Spn(1555), Narrow, K::HARVESTER, Gauge, "frequency of the moisture cell";
    357 HEADER_UNIT1_RPM = "header_unit1_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 0.0 => 800.0, Spn(3139), Narrow, K::HARVESTER, Gauge, "speed of the first header unit";
    358 HEADER_UNIT2_RPM = "header_unit2_rpm", "rpm", 1 / 8, valid 0.0 => 3000.0, usual 0.0 => 800.0, Spn(3140), Narrow, K::HARVESTER, Gauge, "speed of the second header unit";
}
