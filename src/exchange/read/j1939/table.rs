//! Where each parameter stands: SAE J1939-71, ISO 11783-7, NMEA 2000. Sorted by parameter group, so that a group's
//! rows are one slice.

use super::parameter::Parameter;

/// Builds the rows of one group: SPN, first byte and bit (from 1), bits, scale, offset.
macro_rules! groups {
    ($($pgn:literal: [$($spn:literal @ $byte:literal : $bit:literal, $bits:literal bits, $scale:expr, $offset:expr;)*])*) => {
        &[$($(Parameter {
            pgn: $pgn, spn: $spn, first_bit: ($byte - 1) * 8 + $bit - 1, bits: $bits, scale: $scale, offset: $offset,
        },)*)*]
    };
}

// Scales that many parameters share: temperature in 1/32 K, speed in 1/256 km/h, hours in 1/20.
const T2: f64 = 0.03125;
const S256: f64 = 1.0 / 256.0;
const H20: f64 = 0.05;
const DEG_E7: f64 = 1e-7;

pub(super) static PARAMETERS: &[Parameter] = groups! {
    // ETC1: electronic transmission controller.
    61442: [522 @ 4:1, 8 bits, 0.4, 0.0;]
    // EEC2: accelerator and load.
    61443: [91 @ 2:1, 8 bits, 0.4, 0.0; 92 @ 3:1, 8 bits, 1.0, 0.0;]
    // EEC1: engine speed and torque.
    61444: [512 @ 2:1, 8 bits, 1.0, -125.0; 513 @ 3:1, 8 bits, 1.0, -125.0; 190 @ 4:1, 16 bits, 0.125, 0.0;]
    // ETC2: gear.
    61445: [523 @ 4:1, 8 bits, 1.0, -125.0;]
    // HPG: hydraulic pump.
    61448: [1762 @ 1:1, 16 bits, 2.0, 0.0;]
    // AT1IG1, AT1OG1: NOx before and behind aftertreatment.
    61454: [3216 @ 1:1, 16 bits, 0.05, -200.0;]
    61455: [3226 @ 1:1, 16 bits, 0.05, -200.0;]
    // MSS: machine selected speed.
    61474: [4305 @ 1:1, 16 bits, 0.001, 0.0;]
    // HRLFC: high-resolution fuel.
    64777: [5054 @ 5:1, 32 bits, 0.001, 0.0;]
    // A1SCREGT1: gas before the SCR catalyst.
    64830: [4360 @ 1:1, 16 bits, T2, -273.0;]
    // AT1S1, DPFC1: particulate filter.
    64891: [3719 @ 1:1, 8 bits, 1.0, 0.0; 3720 @ 2:1, 8 bits, 1.0, 0.0;]
    64892: [3700 @ 2:3, 2 bits, 1.0, 0.0;]
    // AT1IMG, AT1OG2, AT1IG2: pressure drop and temperatures around the filter.
    64946: [3251 @ 5:1, 16 bits, 0.1, 0.0;]
    64947: [3246 @ 3:1, 16 bits, T2, -273.0;]
    64948: [3242 @ 3:1, 16 bits, T2, -273.0;]
    // Front and rear power take-off.
    65091: [1883 @ 1:1, 16 bits, 0.125, 0.0;]
    65092: [1882 @ 1:1, 16 bits, 0.125, 0.0;]
    // Rear and front hitch. The place of the in-work bits and the draft differ between descriptions.
    65093: [1873 @ 1:1, 8 bits, 0.4, 0.0; 1877 @ 2:7, 2 bits, 1.0, 0.0; 1879 @ 4:1, 16 bits, 10.0, -320_000.0;]
    65094: [1872 @ 1:1, 8 bits, 0.4, 0.0; 1876 @ 2:7, 2 bits, 1.0, 0.0; 1878 @ 4:1, 16 bits, 10.0, -320_000.0;]
    // Maintain power: what implements ask of the tractor when the key is off.
    65095: [
        1867 @ 1:7, 2 bits, 1.0, 0.0; 1868 @ 1:5, 2 bits, 1.0, 0.0; 1869 @ 2:7, 2 bits, 1.0, 0.0;
        1870 @ 2:5, 2 bits, 1.0, 0.0; 1871 @ 2:3, 2 bits, 1.0, 0.0;
    ]
    // WBSD: wheel-based speed and distance.
    65096: [
        1862 @ 1:1, 16 bits, 0.001, 0.0; 1863 @ 3:1, 32 bits, 0.001, 0.0;
        1864 @ 8:1, 2 bits, 1.0, 0.0; 1865 @ 8:3, 2 bits, 1.0, 0.0;
    ]
    // GBSD: ground-based speed and distance.
    65097: [1859 @ 1:1, 16 bits, 0.001, 0.0; 1860 @ 3:1, 32 bits, 0.001, 0.0; 1861 @ 8:1, 2 bits, 1.0, 0.0;]
    // AT1T1I1: exhaust fluid tank.
    65110: [1761 @ 1:1, 8 bits, 0.4, 0.0; 3031 @ 2:1, 8 bits, 1.0, -40.0; 5246 @ 6:6, 3 bits, 1.0, 0.0;]
    // VF: hydraulic oil.
    65128: [1638 @ 1:1, 8 bits, 1.0, -40.0; 1713 @ 2:1, 2 bits, 1.0, 0.0; 2602 @ 3:1, 8 bits, 0.4, 0.0;]
    // ET2: controller temperature.
    65188: [1136 @ 3:1, 16 bits, T2, -273.0;]
    // AIR1: brake circuits.
    65198: [1087 @ 3:1, 8 bits, 8.0, 0.0; 1088 @ 4:1, 8 bits, 8.0, 0.0;]
    // FD1: fan.
    65213: [975 @ 1:1, 8 bits, 0.4, 0.0; 1639 @ 3:1, 16 bits, 0.125, 0.0;]
    // SERV: next service.
    65216: [916 @ 7:1, 16 bits, 1.0, -32_127.0;]
    // EFL/P2: rail pressure.
    65243: [157 @ 3:1, 16 bits, S256, 0.0;]
    // IO: idle.
    65244: [236 @ 1:1, 32 bits, 0.5, 0.0; 235 @ 5:1, 32 bits, H20, 0.0;]
    // TC: turbocharger.
    65245: [103 @ 2:1, 16 bits, 4.0, 0.0;]
    // EEC3: friction torque.
    65247: [514 @ 1:1, 8 bits, 1.0, -125.0;]
    // VD: distance.
    65248: [245 @ 5:1, 32 bits, 0.125, 0.0;]
    // EC1: engine configuration; longer than a frame.
    65251: [544 @ 20:1, 16 bits, 1.0, 0.0;]
    // HOURS.
    65253: [247 @ 1:1, 32 bits, H20, 0.0; 249 @ 5:1, 32 bits, 1000.0, 0.0;]
    // TD: time and date.
    65254: [
        959 @ 1:1, 8 bits, 0.25, 0.0; 960 @ 2:1, 8 bits, 1.0, 0.0; 961 @ 3:1, 8 bits, 1.0, 0.0;
        963 @ 4:1, 8 bits, 1.0, 0.0; 962 @ 5:1, 8 bits, 0.25, 0.0; 964 @ 6:1, 8 bits, 1.0, 1985.0;
    ]
    // VH: vehicle hours.
    65255: [248 @ 5:1, 32 bits, H20, 0.0;]
    // VDS: direction and speed.
    65256: [
        165 @ 1:1, 16 bits, 0.0078125, 0.0; 517 @ 3:1, 16 bits, S256, 0.0;
        583 @ 5:1, 16 bits, 0.0078125, -200.0; 580 @ 7:1, 16 bits, 0.125, -2500.0;
    ]
    // LFC1: fuel consumed.
    65257: [182 @ 1:1, 32 bits, 0.5, 0.0; 250 @ 5:1, 32 bits, 0.5, 0.0;]
    // ET1: temperatures.
    65262: [110 @ 1:1, 8 bits, 1.0, -40.0; 174 @ 2:1, 8 bits, 1.0, -40.0; 175 @ 3:1, 16 bits, T2, -273.0;]
    // EFL/P1: fluids.
    65263: [
        94 @ 1:1, 8 bits, 4.0, 0.0; 98 @ 3:1, 8 bits, 0.4, 0.0; 100 @ 4:1, 8 bits, 4.0, 0.0;
        101 @ 5:1, 16 bits, 0.0078125, -250.0; 111 @ 8:1, 8 bits, 0.4, 0.0;
    ]
    // PTO1.
    65264: [186 @ 2:1, 16 bits, 0.125, 0.0;]
    // CCVS1: vehicle speed and switches.
    65265: [
        70 @ 1:3, 2 bits, 1.0, 0.0; 84 @ 2:1, 16 bits, S256, 0.0;
        597 @ 4:5, 2 bits, 1.0, 0.0; 598 @ 4:7, 2 bits, 1.0, 0.0;
    ]
    // LFE1: fuel rate.
    65266: [183 @ 1:1, 16 bits, 0.05, 0.0;]
    // VP1: position.
    65267: [584 @ 1:1, 32 bits, DEG_E7, -210.0; 585 @ 5:1, 32 bits, DEG_E7, -210.0;]
    // AMB: ambient.
    65269: [108 @ 1:1, 8 bits, 0.5, 0.0; 171 @ 4:1, 16 bits, T2, -273.0;]
    // IC1: intake and exhaust.
    65270: [
        102 @ 2:1, 8 bits, 2.0, 0.0; 105 @ 3:1, 8 bits, 1.0, -40.0; 107 @ 5:1, 8 bits, 0.05, 0.0;
        173 @ 6:1, 16 bits, T2, -273.0;
    ]
    // VEP1: electrical power.
    65271: [
        115 @ 2:1, 8 bits, 1.0, 0.0; 167 @ 3:1, 16 bits, 0.05, 0.0; 168 @ 5:1, 16 bits, 0.05, 0.0;
        158 @ 7:1, 16 bits, 0.05, 0.0;
    ]
    // TRF1: transmission fluids.
    65272: [127 @ 4:1, 8 bits, 16.0, 0.0; 177 @ 5:1, 16 bits, T2, -273.0;]
    // DD1: fuel level and filters.
    65276: [
        96 @ 2:1, 8 bits, 0.4, 0.0; 95 @ 3:1, 8 bits, 2.0, 0.0; 99 @ 4:1, 8 bits, 0.5, 0.0;
        38 @ 7:1, 8 bits, 0.4, 0.0;
    ]
    // OI: water in fuel.
    65279: [97 @ 1:1, 2 bits, 1.0, 0.0;]
};
