//! Exhaust aftertreatment, Stage IIIB and later (SAE J1939-71).

use super::table::signals;
use crate::signal::{Behaviour::*, Column::*, MachineKinds as K, Source::*};

signals! {
    130 DEF_LEVEL_PCT = "def_level_pct", "%", 2 / 5, valid 0.0 => 100.0, usual 5.0 => 100.0, Spn(1761), Narrow, K::ENGINE, Gauge, "diesel exhaust fluid level";
    131 DEF_TEMP_C = "def_temp_c", "°C", 1 / 1, valid -40.0 => 210.0, usual -12.0 => 60.0, Spn(3031), Narrow, K::ENGINE, Gauge, "diesel exhaust fluid temperature";
    132 SCR_INDUCEMENT = "scr_inducement", "enum", 1 / 1, valid 0.0 => 7.0, usual 0.0 => 0.0, Spn(5246), Narrow, K::ENGINE, State, "severity of the operator inducement";
    133 DPF_SOOT_PCT = "dpf_soot_pct", "%", 1 / 1, valid 0.0 => 250.0, usual 0.0 => 100.0, Spn(3719), Narrow, K::ENGINE, Gauge, "particulate filter soot load";
    134 DPF_ASH_PCT = "dpf_ash_pct", "%", 1 / 1, valid 0.0 => 250.0, usual 0.0 => 100.0, Spn(3720), Narrow, K::ENGINE, Gauge, "particulate filter ash load";
    135 DPF_DP_KPA = "dpf_dp_kpa", "kPa", 1 / 10, valid 0.0 => 100.0, usual 0.0 => 20.0, Spn(3251), Narrow, K::ENGINE, Gauge, "particulate filter pressure drop";
    136 DPF_IN_TEMP_C = "dpf_in_temp_c", "°C", 1 / 32, valid -60.0 => 1000.0, usual 100.0 => 650.0, Spn(3242), Narrow, K::ENGINE, Gauge, "gas temperature before the particulate filter";
    137 DPF_OUT_TEMP_C = "dpf_out_temp_c", "°C", 1 / 32, valid -60.0 => 1000.0, usual 100.0 => 650.0, Spn(3246), Narrow, K::ENGINE, Gauge, "gas temperature behind the particulate filter";
    138 DPF_REGEN_ACTIVE = "dpf_regen_active", "enum", 1 / 1, valid 0.0 => 3.0, usual 0.0 => 1.0, Spn(3700), Narrow, K::ENGINE, State, "active regeneration: 0 no, 1 yes, 2 needed";
    139 SCR_IN_TEMP_C = "scr_in_temp_c", "°C", 1 / 32, valid -60.0 => 1000.0, usual 150.0 => 500.0, Spn(4360), Narrow, K::ENGINE, Gauge, "gas temperature before the SCR catalyst";
    140 NOX_IN_PPM = "nox_in_ppm", "ppm", 1 / 20, valid -200.0 => 3012.75, usual 0.0 => 1500.0, Spn(3216), Narrow, K::ENGINE, Gauge, "NOx before aftertreatment";
    141 NOX_OUT_PPM = "nox_out_ppm", "ppm", 1 / 20, valid -200.0 => 3012.75, usual 0.0 => 400.0, Spn(3226), Narrow, K::ENGINE, Gauge, "NOx behind aftertreatment";
}
