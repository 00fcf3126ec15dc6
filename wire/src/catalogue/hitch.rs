//! Hitch and power take-off (ISO 11783-7).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*, SqlType};

signals! {
    150 REAR_HITCH_PCT = "rear_hitch_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1873), Wide(SqlType::Real), K::TRACTOR, Gauge, "rear hitch position: 0 down, 100 up";
    151 FRONT_HITCH_PCT = "front_hitch_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 0.0 => 100.0, Spn(1872), Narrow, K::TRACTOR, Gauge, "front hitch position: 0 down, 100 up";
    152 REAR_HITCH_IN_WORK = "rear_hitch_in_work", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1877), Narrow, K::TRACTOR, State, "rear hitch in work";
    153 FRONT_HITCH_IN_WORK = "front_hitch_in_work", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1876), Narrow, K::TRACTOR, State, "front hitch in work";
    154 REAR_DRAFT_N = "rear_draft_n", "N", 10 / 1, valid -320_000.0 => 322_550.0, usual -20000.0 => 200_000.0, Spn(1879), Narrow, K::TRACTOR, Gauge, "draft at the rear hitch";
    155 FRONT_DRAFT_N = "front_draft_n", "N", 10 / 1, valid -320_000.0 => 322_550.0, usual -20000.0 => 200_000.0, Spn(1878), Narrow, K::TRACTOR, Gauge, "draft at the front hitch";
    156 REAR_PTO_RPM = "rear_pto_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 1450.0, Spn(1883), Wide(SqlType::Real), K::TRACTOR, Gauge, "rear power take-off speed";
    157 FRONT_PTO_RPM = "front_pto_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 1450.0, Spn(1882), Narrow, K::TRACTOR, Gauge, "front power take-off speed";
    158 PTO_SPEED_RPM = "pto_speed_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 1450.0, Spn(186), Narrow, K::VEHICLE, Gauge, "power take-off speed, generic message";
    159 PTO_HOURS_H = "pto_hours_h", "h", 1 / 20, valid 0.0 => 210_554_060.75, usual 0.0 => 20000.0, Spn(248), Narrow, K::VEHICLE, Counter, "hours with the power take-off engaged";
    160 KEY_SWITCH_STATE = "key_switch_state", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1865), Narrow, K::VEHICLE, State, "key switch on";
    161 MAINTAIN_POWER_TRANSPORT = "maintain_power_transport", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1869), Narrow, K::IMPLEMENT, State, "implement in transport state";
    162 MAINTAIN_POWER_PARK = "maintain_power_park", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1870), Narrow, K::IMPLEMENT, State, "implement in park state";
    163 MAINTAIN_POWER_WORK = "maintain_power_work", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1871), Narrow, K::IMPLEMENT, State, "implement ready to work";
    164 OPERATOR_SEAT = "operator_seat", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1504), Narrow, K::VEHICLE, State, "operator on the seat";
    165 MAINTAIN_POWER_ECU = "maintain_power_ecu", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1867), Narrow, K::IMPLEMENT, State, "implement asks to keep ECU power";
    166 MAINTAIN_POWER_ACTUATOR = "maintain_power_actuator", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1868), Narrow, K::IMPLEMENT, State, "implement asks to keep actuator power";
    167 START_STOP_STATE = "start_stop_state", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(5203), Narrow, K::VEHICLE, State, "implement operations: 0 stop, 1 may run";
    168 TRACTOR_POWER_TIME_MIN = "tractor_power_time_min", "min", 1 / 1, valid 0.0 => 250.0, usual 0.0 => 250.0, Spn(1866), Narrow, K::TRACTOR, Gauge, "longest time the tractor keeps power on after the key is off";
    169 REAR_PTO_SET_POINT_RPM = "rear_pto_set_point_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 1450.0, Spn(1885), Narrow, K::TRACTOR, Gauge, "rear power take-off speed asked for";
    170 FRONT_PTO_SET_POINT_RPM = "front_pto_set_point_rpm", "rpm", 1 / 8, valid 0.0 => 4000.0, usual 0.0 => 1450.0, Spn(1884), Narrow, K::TRACTOR, Gauge, "front power take-off speed asked for";
    171 REAR_PTO_ENGAGED = "rear_pto_engaged", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(2408), Narrow, K::TRACTOR, State, "rear power take-off engaged";
    172 FRONT_PTO_ENGAGED = "front_pto_engaged", "switch", 1 / 1, valid 0.0 => 1.0, usual 0.0 => 1.0, Spn(1888), Narrow, K::TRACTOR, State, "front power take-off engaged";
}
