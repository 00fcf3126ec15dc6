//! Position and movement from GNSS and wheels (J1939, NMEA 2000, ISO 11783-7).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    1 LATITUDE_DEG = "latitude_deg", "deg", 1 / 10000000, valid -90.0 => 90.0, usual 55.9 => 59.4, Spn(584), Wide(SqlType::Double), K::ANY, Gauge, "geodetic latitude, WGS-84, north positive";
    2 LONGITUDE_DEG = "longitude_deg", "deg", 1 / 10000000, valid -180.0 => 180.0, usual 80.5 => 89.5, Spn(585), Wide(SqlType::Double), K::ANY, Gauge, "longitude, WGS-84, east positive";
    3 ALTITUDE_M = "altitude_m", "m", 1 / 1000, valid -500.0 => 9000.0, usual 30.0 => 300.0, Spn(580), Wide(SqlType::Real), K::ANY, Gauge, "altitude above mean sea level";
    4 HEADING_DEG = "heading_deg", "deg", 1 / 128, valid 0.0 => 360.0, usual 0.0 => 360.0, Spn(165), Wide(SqlType::Real), K::ANY, Gauge, "course over ground, clockwise from true north";
    5 GROUND_SPEED_KMH = "ground_speed_kmh", "km/h", 1 / 256, valid 0.0 => 120.0, usual 0.0 => 80.0, Spn(517), Wide(SqlType::Real), K::ANY, Gauge, "speed over ground from the navigation receiver";
    6 GNSS_FIX = "gnss_fix", "enum", 1 / 1, valid 0.0 => 15.0, usual 0.0 => 5.0, Ddi(514), Wide(SqlType::SmallInt), K::ANY, State, "position status by ISO 11783-10: 0 none, 1 GNSS, 2 DGNSS, 3 precise, 4 RTK fixed, 5 RTK float, 6 dead reckoning, 7 manual, 8 simulated, 14 error, 15 not available";
    7 HDOP = "hdop", "1", 1 / 10, valid 0.0 => 100.0, usual 0.5 => 4.0, Project, Wide(SqlType::Real), K::ANY, Gauge, "horizontal dilution of precision";
    8 SATELLITES_USED = "satellites_used", "count", 1 / 1, valid 0.0 => 64.0, usual 4.0 => 32.0, Project, Narrow, K::ANY, Gauge, "satellites used in the fix";
    9 PITCH_DEG = "pitch_deg", "deg", 1 / 128, valid -90.0 => 90.0, usual -20.0 => 20.0, Spn(583), Narrow, K::ANY, Gauge, "vehicle pitch, nose up positive";
    10 WHEEL_SPEED_KMH = "wheel_speed_kmh", "km/h", 1 / 256, valid 0.0 => 120.0, usual 0.0 => 80.0, Spn(84), Narrow, K::VEHICLE, Gauge, "wheel-based vehicle speed of CCVS1";
    11 WHEEL_BASED_SPEED_MPS = "wheel_based_speed_mps", "m/s", 1 / 1000, valid 0.0 => 35.0, usual 0.0 => 14.0, Spn(1862), Narrow, K::VEHICLE, Gauge, "wheel-based machine speed of the tractor ECU";
    12 WHEEL_BASED_DISTANCE_M = "wheel_based_distance_m", "m", 1 / 1000, valid 0.0 => 4_211_081.215, usual 0.0 => 4_211_081.0, Spn(1863), Narrow, K::VEHICLE, Counter, "wheel-based machine distance, wraps at its maximum";
    13 GROUND_BASED_SPEED_MPS = "ground_based_speed_mps", "m/s", 1 / 1000, valid 0.0 => 35.0, usual 0.0 => 14.0, Spn(1859), Narrow, K::VEHICLE, Gauge, "radar or GNSS speed of the tractor ECU";
    14 GROUND_BASED_DISTANCE_M = "ground_based_distance_m", "m", 1 / 1000, valid 0.0 => 4_211_081.215, usual 0.0 => 4_211_081.0, Spn(1860), Narrow, K::VEHICLE, Counter, "ground-based machine distance, wraps at its maximum";
    15 MACHINE_SELECTED_SPEED_MPS = "machine_selected_speed_mps", "m/s", 1 / 1000, valid 0.0 => 35.0, usual 0.0 => 14.0, Spn(4305), Narrow, K::VEHICLE, Gauge, "the speed the machine itself holds to be best";
    16 MACHINE_DIRECTION = "machine_direction", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Spn(1864), Narrow, K::VEHICLE, State, "0 reverse, 1 forward";
    17 ODOMETER_KM = "odometer_km", "km", 1 / 8, valid 0.0 => 526_385_151.875, usual 0.0 => 1_000_000.0, Spn(245), Narrow, K::VEHICLE, Counter, "total distance of the vehicle";
    18 PARK_BRAKE = "park_brake", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(70), Narrow, K::VEHICLE, State, "parking brake set";
    19 BRAKE_SWITCH = "brake_switch", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(597), Narrow, K::VEHICLE, State, "service brake pressed";
    20 CLUTCH_SWITCH = "clutch_switch", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(598), Narrow, K::VEHICLE, State, "clutch pedal pressed";
    21 GNSS_CORRECTION_AGE_S = "gnss_correction_age_s", "s", 1 / 10, valid 0.0 => 3600.0, usual 0.0 => 60.0, Project, Narrow, K::ANY, Gauge, "age of the differential correction";
    22 HORIZONTAL_ERROR_M = "horizontal_error_m", "m", 1 / 1000, valid 0.0 => 10000.0, usual 0.0 => 8.0, Project, Narrow, K::ANY, Gauge, "estimated horizontal position error, as the receiver reports it";
    23 PDOP = "pdop", "1", 1 / 10, valid 0.0 => 100.0, usual 0.8 => 6.0, Project, Narrow, K::ANY, Gauge, "position dilution of precision";
    24 GROUND_BASED_DIRECTION = "ground_based_direction", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Spn(1861), Narrow, K::VEHICLE, State, "0 reverse, 1 forward, by radar or GNSS";
    25 MACHINE_SELECTED_DISTANCE_M = "machine_selected_distance_m", "m", 1 / 1000, valid 0.0 => 4_211_081.215, usual 0.0 => 4_211_081.0, Spn(4306), Narrow, K::VEHICLE, Counter, "distance by the speed the machine holds to be best, wraps at its maximum";
    26 MACHINE_SELECTED_DIRECTION = "machine_selected_direction", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Spn(4309), Narrow, K::VEHICLE, State, "0 reverse, 1 forward, by the source the machine holds to be best";
    27 MACHINE_SELECTED_SPEED_SOURCE = "machine_selected_speed_source", "enum", 1 / 1, valid 0.0 => 7.0, usual 0.0 => 4.0, Spn(4308), Narrow, K::VEHICLE, State, "0 wheels, 1 ground, 2 navigation, 3 blended, 4 simulated, 7 not available";
    28 MACHINE_SELECTED_SPEED_LIMIT = "machine_selected_speed_limit", "enum", 1 / 1, valid 0.0 => 7.0, usual 0.0 => 3.0, Spn(4307), Narrow, K::VEHICLE, State, "speed limit status: 0 not limited, 1 by the operator, 2 limited high, 3 limited low, 6 fault, 7 not available";
    29 MACHINE_SELECTED_SPEED_EXIT = "machine_selected_speed_exit", "enum", 1 / 1, valid 0.0 => 63.0, usual 0.0 => 63.0, Spn(5818), Narrow, K::VEHICLE, State, "why remote speed control ended: 0 all clear, 63 not available";
    30 OPERATOR_DIRECTION_REVERSED = "operator_direction_reversed", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(5244), Narrow, K::VEHICLE, State, "the operator sits facing backwards";
}
