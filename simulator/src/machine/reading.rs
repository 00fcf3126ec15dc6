//! What the sensors of a machine show at an instant.

use wire::{SignalId, catalogue as signal};

use super::catalogue::{Carried, Drive, Kind, Model, Receiver};
use super::demand::gear_for;
use super::faults::Effects;
use super::gauges::{self, Moment, Traits};
use super::geometry::{Point, Pose, Projection};
use super::land::{hash, smooth};
use super::plant::Plant;
use super::programme::{Job, Occupation};

/// A machine at an instant, as its sensors see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) model: &'a Model,
    pub(crate) traits: &'a Traits,
    pub(crate) plant: &'a Plant,
    pub(crate) moment: Moment,
    pub(crate) effects: &'a Effects,
    pub(crate) pose: Pose,
    pub(crate) backwards: bool,
    pub(crate) projection: &'a Projection,
    pub(crate) job: Option<&'a Job>,
    pub(crate) occupation: Occupation,
    /// The auger runs.
    pub(crate) unloads: bool,
    pub(crate) on_field: bool,
    pub(crate) slip: f64,
    pub(crate) draft_n: f64,
    pub(crate) cruise_mps: f64,
    pub(crate) pressure_kpa: f64,
    pub(crate) seed: u64,
}

impl Reading<'_> {
    /// What the sensor of `signal` shows; none where there is no such thing on the machine now.
    #[allow(clippy::too_many_lines, reason = "one line for each signal, in the order of the catalogue")]
    pub(crate) fn value(&self, signal: SignalId) -> Option<f64> {
        let (plant, at) = (self.plant, &self.moment);
        let engine = self.model.engine.as_ref();
        let on = |value: f64| if at.engine_on { value } else { 0.0 };
        let working = f64::from(u8::from(at.lowered));
        Some(match signal {
            signal::LATITUDE_DEG => self.position().0,
            signal::LONGITUDE_DEG => self.position().1,
            signal::ALTITUDE_M => {
                let hills = 14.0 * smooth(self.seed_of_land(), self.pose.at.x / 900.0)
                    + 14.0 * smooth(self.seed_of_land() ^ 1, self.pose.at.y / 900.0);
                118.0 + hills + 1.2 * self.noise(3, 90.0)
            }
            signal::HEADING_DEG => self.course(),
            signal::GROUND_SPEED_KMH => (at.speed_mps * 3.6 + self.speed_noise_kmh()).max(0.0),
            signal::GNSS_FIX => match self.model.receiver {
                Receiver::Autonomous => 1.0,
                Receiver::Differential => 2.0,
                // A base station that is not heard for a while.
                Receiver::Rtk if self.noise(11, 900.0) > 2.1 => 5.0,
                Receiver::Rtk => 4.0,
            },
            signal::HDOP => (0.95 + 0.18 * self.noise(12, 600.0)).max(0.6),
            signal::SATELLITES_USED => (14.0 + 2.5 * self.noise(13, 700.0)).round(),
            signal::PITCH_DEG => 0.8 * self.noise(14, 20.0),
            signal::WHEEL_SPEED_KMH => self.wheel_mps() * 3.6,
            signal::WHEEL_BASED_SPEED_MPS => self.wheel_mps(),
            signal::WHEEL_BASED_DISTANCE_M => (plant.odometer_m * 1.03) % 4_211_081.0,
            signal::GROUND_BASED_SPEED_MPS => at.speed_mps * (1.0 + 0.004 * self.noise(15, 3.0)),
            signal::MACHINE_DIRECTION => f64::from(u8::from(!self.backwards)),
            signal::ODOMETER_KM => plant.odometer_m / 1_000.0,
            signal::PARK_BRAKE => f64::from(u8::from(!at.engine_on)),

            signal::ENGINE_SPEED_RPM => on((at.rpm + 6.0 * self.noise(20, 0.7)).max(0.0)),
            signal::ENGINE_TORQUE_PCT | signal::ENGINE_DEMAND_TORQUE_PCT => on(self.torque_pct()?),
            signal::ENGINE_LOAD_PCT => on((at.load * 100.0 + 1.8 * self.noise(21, 1.2)).clamp(2.0, 108.0)),
            signal::ACCEL_PEDAL_PCT => on(self.pedal_pct()?),
            signal::ENGINE_FRICTION_TORQUE_PCT => on(9.0),
            signal::ENGINE_REFERENCE_TORQUE_NM => self.reference_torque_nm()?,
            signal::COOLANT_TEMP_C => plant.coolant_c,
            signal::FUEL_TEMP_C => at.air_c + on(14.0 + 8.0 * at.load),
            signal::ENGINE_OIL_TEMP_C => plant.oil_c,
            signal::ECU_TEMP_C => at.air_c + on(18.0),
            signal::OIL_PRESSURE_KPA => {
                let pressure = gauges::oil_pressure_kpa(engine?, self.traits, plant, at, self.effects);
                on((pressure + 3.0 * self.noise(22, 2.0)).max(0.0))
            }
            signal::OIL_LEVEL_PCT => 88.0 - 0.08 * (plant.engine_hours_h % 250.0),
            signal::FUEL_DELIVERY_PRESSURE_KPA => gauges::feed_kpa(plant, at, self.effects).max(0.0),
            signal::COOLANT_LEVEL_PCT => 92.0 - 0.02 * (plant.engine_hours_h % 500.0),
            signal::CRANKCASE_PRESSURE_KPA => on(0.3 + 0.9 * at.load),
            signal::BOOST_PRESSURE_KPA => {
                (gauges::boost_kpa(engine?, at, self.effects) * (1.0 + 0.02 * self.noise(23, 2.0))).max(0.0)
            }
            signal::INTAKE_TEMP_C => gauges::intake_c(at),
            signal::AIR_FILTER_DP_KPA => gauges::air_filter_kpa(engine?, plant, at, self.effects),
            signal::EXHAUST_TEMP_C => gauges::exhaust_c(at, plant) + on(4.0 * self.noise(24, 4.0)),
            signal::RAIL_PRESSURE_MPA => on(32.0 + 105.0 * at.load.min(1.0) + 1.5 * self.noise(25, 1.0)),
            signal::FUEL_RATE_LPH => on((at.fuel_lph * (1.0 + 0.012 * self.noise(26, 1.5))).max(0.0)),
            signal::FUEL_TOTAL_L | signal::FUEL_TOTAL_COARSE_L => plant.fuel_total_l,
            signal::IDLE_FUEL_TOTAL_L => plant.idle_fuel_l,
            signal::IDLE_HOURS_H => plant.idle_hours_h,
            signal::ENGINE_HOURS_H => plant.engine_hours_h,
            signal::ENGINE_REVS_TOTAL => plant.revolutions,
            signal::FUEL_LEVEL_PCT => self.fuel_level_pct()?,
            signal::FUEL_FILTER_DP_KPA => gauges::fuel_filter_kpa(plant, at, self.effects),
            signal::OIL_FILTER_DP_KPA => {
                let cold = (40.0 - plant.oil_c).max(0.0);
                on(14.0 + 22.0 * at.rpm / engine?.rated_rpm + 0.06 * (plant.engine_hours_h % 250.0) + 0.6 * cold)
            }
            signal::WATER_IN_FUEL => 0.0,
            signal::AMBIENT_TEMP_C => at.air_c + 0.15 * self.noise(27, 200.0),
            signal::BARO_PRESSURE_KPA => self.pressure_kpa,
            signal::SERVICE_HOURS_LEFT_H => {
                let every_h = self.model.service_interval_h()?;
                every_h - plant.engine_hours_h % every_h
            }

            signal::BATTERY_V | signal::CHARGING_V | signal::KEY_SWITCH_V => self.volts(signal),
            signal::ALTERNATOR_CURRENT_A => on(self.model.electrics.alternator_a * 0.35),

            signal::GEAR_CURRENT => self.gear()?,
            signal::CLUTCH_SLIP_PCT => {
                if at.speed_mps > 0.3 {
                    0.4
                } else {
                    0.0
                }
            }
            signal::TRANS_OIL_TEMP_C => plant.transmission_c,
            signal::TRANS_OIL_PRESSURE_KPA => {
                on(1_280.0 + 160.0 * at.rpm / engine?.rated_rpm + 16.0 * self.noise(30, 4.0))
            }
            signal::HYD_TEMP_C | signal::HYD_RESERVOIR_TEMP_C => plant.hydraulics_c,
            signal::HYD_LEVEL_PCT => 86.0 + 0.05 * plant.hydraulics_c,
            signal::HYD_FILTER_SWITCH => 0.0,
            signal::HYD_PRESSURE_KPA => on(self.hydraulic_kpa()),

            signal::DEF_LEVEL_PCT => gauges::exhaust_fluid_pct(engine?, plant),
            signal::DEF_TEMP_C => at.air_c + on(9.0),
            signal::SCR_INDUCEMENT => f64::from(u8::from(gauges::exhaust_fluid_pct(engine?, plant) < 5.0)),
            signal::NOX_IN_PPM => on(180.0 + 620.0 * at.load.min(1.0) + 15.0 * self.noise(31, 2.0)),
            signal::NOX_OUT_PPM => on(14.0 + 28.0 * at.load.min(1.0) + 4.0 * self.noise(32, 3.0)),
            signal::SCR_IN_TEMP_C => gauges::exhaust_c(at, plant) - on(55.0),
            signal::DPF_SOOT_PCT => gauges::soot_pct(plant, self.effects),
            signal::DPF_ASH_PCT => (plant.engine_hours_h / 45.0) % 100.0,
            signal::DPF_DP_KPA => on((1.0 + 5.0 * at.load) * (0.7 + gauges::soot_pct(plant, self.effects) / 140.0)),
            signal::DPF_IN_TEMP_C => gauges::exhaust_c(at, plant) - on(25.0),
            signal::DPF_OUT_TEMP_C => gauges::exhaust_c(at, plant) - on(35.0),
            signal::DPF_REGEN_ACTIVE => f64::from(u8::from((plant.engine_hours_h / 12.0).fract() > 0.97)),

            signal::REAR_HITCH_PCT => self.hitch_pct()?,
            signal::REAR_HITCH_IN_WORK => self.hitch_pct().map(|_| working)?,
            signal::REAR_DRAFT_N => self.draft_n * (1.0 + 0.05 * self.noise(33, 1.5)),
            signal::REAR_PTO_RPM | signal::PTO_SPEED_RPM => self.pto_rpm(),
            signal::PTO_HOURS_H => plant.shaft_hours_h,

            _ => return self.work_value(signal).or_else(|| self.special_value(signal)),
        })
    }

    /// Signals of tasks and harvests.
    fn work_value(&self, signal: SignalId) -> Option<f64> {
        let (plant, at) = (self.plant, &self.moment);
        let job = self.job;
        let harvester = self.model.harvester.as_ref();
        let turning = |rated: f64| if at.shafts_on { rated * self.engine_share() } else { 0.0 };
        let crop_load = self.crop_load();
        Some(match signal {
            signal::ACTUAL_WORK_STATE => f64::from(u8::from(at.lowered)),
            signal::ACTUAL_WORKING_WIDTH_M => {
                if at.lowered {
                    job?.width_m()
                } else {
                    0.0
                }
            }
            signal::TOTAL_AREA_M2 => job.map(|_| plant.area_m2)?,
            signal::EFFECTIVE_DISTANCE_M => job.map(|_| plant.effective_m)?,
            signal::INEFFECTIVE_DISTANCE_M => job.map(|_| plant.ineffective_m)?,
            signal::EFFECTIVE_TIME_S => job.map(|_| plant.effective_s.floor())?,
            signal::INEFFECTIVE_TIME_S => job.map(|_| plant.ineffective_s.floor())?,
            signal::TASK_FUEL_L => job.map(|_| plant.effective_fuel_l + plant.ineffective_fuel_l)?,
            signal::LIFETIME_AREA_M2 => plant.lifetime_area_m2,
            signal::CROP_FLOW_KGPS => {
                let flow = plant.flow_kgps[2] * self.traits.flow_scale;
                if at.shafts_on && flow > 0.02 { (flow * (1.0 + 0.06 * self.noise(40, 1.3))).max(0.0) } else { 0.0 }
            }
            signal::CROP_MOISTURE_PCT => {
                if plant.flow_kgps[2] < 0.05 || !at.shafts_on {
                    return None;
                }
                (plant.moisture_pct + self.traits.moisture_offset_pct + 0.25 * self.noise(41, 4.0)).clamp(1.0, 99.0)
            }
            signal::YIELD_TOTAL_MASS_KG => job.map(|_| plant.sensed_kg * self.traits.flow_scale)?,
            signal::AVERAGE_MOISTURE_PCT => {
                job.filter(|_| plant.sensed_kg > 1.0)?;
                plant.sensed_water_kg / plant.sensed_kg * 100.0 + self.traits.moisture_offset_pct
            }
            signal::LIFETIME_YIELD_KG => plant.lifetime_yield_kg * self.traits.flow_scale,
            signal::HEADER_IN_WORK => f64::from(u8::from(at.lowered)),
            signal::HEADER_HEIGHT_PCT => {
                if at.lowered {
                    (9.0 + 2.5 * self.noise(42, 2.0)).max(0.0)
                } else if self.on_field {
                    58.0
                } else {
                    76.0
                }
            }
            signal::THRESHER_TIME_S => (plant.shaft_hours_h * 3_600.0).floor(),
            signal::DRUM_RPM => {
                let harvester = harvester?;
                let set = harvester.drum_rpm * job.map_or(1.0, |job| job.crop.drum);
                let slip = gauges::drum_slip(at, self.effects);
                (turning(set) * (1.0 - slip) + if at.shafts_on { 1.5 * self.noise(43, 1.5) } else { 0.0 }).max(0.0)
            }
            signal::ACCEL_DRUM_RPM => turning(harvester?.accelerator_rpm),
            signal::SEPARATOR_RPM => turning(harvester?.separator_rpm),
            signal::CLEAN_FAN_RPM => turning(harvester?.fan_rpm),
            signal::ELEVATOR_RPM => turning(392.0) * (1.0 - gauges::elevator_slip(at, self.effects)),
            signal::HEADER_RPM => turning(465.0),
            signal::REEL_RPM => {
                if at.lowered {
                    16.0 + 5.5 * at.speed_mps * 3.6
                } else {
                    0.0
                }
            }
            signal::CHOPPER_RPM => turning(3_050.0),
            signal::FEED_RPM => turning(610.0),
            signal::CHOP_LENGTH_MM => {
                if job?.crop.name == "maize_silage" {
                    9.0
                } else {
                    16.0
                }
            }
            signal::KERNEL_CRACKER_GAP_MM if job?.crop.name == "maize_silage" => 2.0,
            signal::KERNEL_CRACKER_GAP_MM => return None,
            signal::LOSS_SIEVE_PCT => {
                if at.shafts_on {
                    0.35 + 0.75 * crop_load.powi(2) + 0.08 * self.noise(44, 8.0)
                } else {
                    0.0
                }
            }
            signal::LOSS_WALKER_PCT => {
                if at.shafts_on {
                    0.3 + 0.95 * crop_load.powi(3) + 0.08 * self.noise(45, 9.0)
                } else {
                    0.0
                }
            }
            signal::TAILINGS_PCT => {
                if at.shafts_on {
                    8.0 + 26.0 * crop_load
                } else {
                    0.0
                }
            }
            signal::TANK_FILL_PCT => {
                let tank_kg = harvester?.tank_t * 1_000.0;
                (plant.grain_kg / tank_kg * 100.0).min(100.0)
            }
            signal::UNLOAD_ACTIVE => f64::from(u8::from(self.unloads)),
            signal::CONCAVE_CLEARANCE_MM => 14.0,
            signal::SIEVE_CLEARANCE_MM => 9.0,
            _ => return None,
        })
    }

    /// Signals of flax, timber, peat, dryers and fire tankers.
    fn special_value(&self, signal: SignalId) -> Option<f64> {
        let (plant, at) = (self.plant, &self.moment);
        let share = if at.shafts_on { self.engine_share() } else { 0.0 };
        let burns = self.occupation == Occupation::Drying && self.effects.flame < 0.5;
        let crane = matches!(self.occupation, Occupation::Loading | Occupation::Unloading);
        Some(match signal {
            signal::BELT_SPEED_MPS => 3.1 * share * (1.0 - gauges::belt_slip(at, self.effects)),
            signal::DECK_TILT_DEG => 1.5 * self.noise(50, 15.0),
            signal::BALE_COUNT => (plant.cut_kg / BALE_KG).floor(),
            signal::LAST_BALE_MASS_KG => {
                let count = (plant.cut_kg / BALE_KG).floor();
                (count >= 1.0).then(|| BALE_KG * (1.0 + 0.05 * smooth(self.seed ^ 0xba1e, count)))?
            }
            signal::LAST_BALE_MOISTURE_PCT => (plant.cut_kg >= BALE_KG).then_some(plant.moisture_pct)?,
            signal::CRANE_CYCLES => (plant.crane_s / 26.0).floor(),
            signal::LOAD_T => plant.cargo_kg / 1_000.0 + if crane { 0.05 * self.noise(51, 4.0).abs() } else { 0.0 },
            signal::STEM_COUNT => (plant.crane_s / 52.0).floor(),
            signal::STEM_VOLUME_M3 => (plant.crane_s / 52.0).floor() * 0.42,
            signal::PEAT_FAN_RPM => 2_350.0 * share,
            signal::HOPPER_FILL_PCT => plant.fill * 100.0,
            signal::BEARING_TEMP_C => plant.bearing_c,
            signal::MILLING_DEPTH_MM => {
                if at.lowered {
                    14.0 + 1.5 * self.noise(52, 6.0)
                } else {
                    0.0
                }
            }
            signal::BURNER_ON => f64::from(u8::from(burns)),
            signal::HEAT_AGENT_TEMP_C => plant.heat_agent_c + if burns { 1.2 * self.noise(53, 60.0) } else { 0.0 },
            signal::GRAIN_TEMP_C => plant.grain_c,
            signal::MOISTURE_IN_PCT => 21.5 + 2.2 * self.noise(54, 9_000.0),
            signal::MOISTURE_OUT_PCT => {
                // What the grain gives off grows with its temperature.
                let wet = 21.5 + 2.2 * self.noise(54, 9_000.0);
                (wet - 0.19 * (plant.grain_c - at.air_c).max(0.0)).clamp(11.5, wet)
            }
            signal::BIN_LEVEL_PCT => plant.fill * 100.0,
            signal::FAN_CURRENT_A => {
                let plan_tph = self.model.dryer?.plan_tph;
                if self.occupation == Occupation::Drying {
                    2.2 * plan_tph * (1.0 + 0.03 * self.noise(55, 20.0))
                } else {
                    0.0
                }
            }
            signal::PUMP_RPM => {
                if self.occupation == Occupation::Pumping {
                    2_750.0 * at.rpm / self.model.engine.as_ref()?.rated_rpm
                } else {
                    0.0
                }
            }
            signal::PUMP_PRESSURE_KPA => {
                if self.occupation == Occupation::Pumping && plant.water > 0.01 {
                    780.0 + 60.0 * self.noise(56, 5.0)
                } else {
                    0.0
                }
            }
            signal::WATER_LEVEL_PCT => plant.water * 100.0,
            signal::SIREN_ON => f64::from(u8::from(at.speed_mps > 1.0 && plant.water > 0.9)),
            _ => return None,
        })
    }

    /// Smooth noise of a sensor, mean 0, deviation about 0.9, over times of about `period_s`.
    fn noise(&self, sensor: u64, period_s: f64) -> f64 {
        smooth(self.seed ^ sensor.wrapping_mul(0x0100_0193), self.moment.time_s / period_s)
    }

    fn seed_of_land(&self) -> u64 {
        self.job.map_or(77, |job| job.field.seed())
    }

    /// Where the receiver thinks it is: latitude and longitude, degrees.
    fn position(&self) -> (f64, f64) {
        let (slow_m, fast_m) = match self.model.receiver {
            Receiver::Autonomous => (0.42, 0.05),
            Receiver::Differential => (0.22, 0.05),
            Receiver::Rtk => (0.012, 0.008),
        };
        // Orbits and air change over many minutes, reflections within some seconds.
        let error = |axis: u64| slow_m * self.noise(axis, 1_500.0) + fast_m * self.noise(axis + 2, 9.0);
        let at = Point::new(self.pose.at.x + error(5), self.pose.at.y + error(6));
        self.projection.degrees(at)
    }

    fn course(&self) -> f64 {
        // A receiver that stands keeps its last course, as this does.
        let noise = if self.moment.speed_mps > 0.3 { 0.7 * self.noise(9, 4.0) } else { 0.0 };
        (self.pose.course_deg(self.backwards) + noise).rem_euclid(360.0)
    }

    fn speed_noise_kmh(&self) -> f64 {
        if self.moment.speed_mps > 0.1 { 0.05 * self.noise(10, 2.0) } else { (0.05 * self.noise(10, 2.0)).max(0.0) }
    }

    fn wheel_mps(&self) -> f64 {
        self.moment.speed_mps / (1.0 - self.slip).max(0.5)
    }

    fn engine_share(&self) -> f64 {
        self.model.engine.as_ref().map_or(0.0, |engine| self.moment.rpm / engine.rated_rpm)
    }

    fn reference_torque_nm(&self) -> Option<f64> {
        let engine = self.model.engine.as_ref()?;
        let highest = |best: f64, step: u32| best.max(engine.torque_nm.at(800.0 + 50.0 * f64::from(step)));
        Some((0..30).fold(0.0, highest).round())
    }

    fn torque_pct(&self) -> Option<f64> {
        let torque_nm = self.moment.power_kw * 60_000.0 / std::f64::consts::TAU / self.moment.rpm.max(400.0);
        Some((torque_nm / self.reference_torque_nm()? * 100.0 + 1.5 * self.noise(21, 1.2)).clamp(0.0, 100.0))
    }

    fn pedal_pct(&self) -> Option<f64> {
        let engine = self.model.engine.as_ref()?;
        let share = (self.moment.rpm - engine.idle_rpm) / (engine.rated_rpm - engine.idle_rpm);
        Some((share * 100.0 + if share > 0.05 { 2.0 } else { 0.0 }).clamp(0.0, 100.0))
    }

    /// A sender in a tank whose fuel slops about.
    fn fuel_level_pct(&self) -> Option<f64> {
        let tank_l = self.model.engine.as_ref()?.tank_l;
        let slop = if self.moment.speed_mps > 0.3 { 1.6 } else { 0.25 };
        // Each sender is a little bent.
        let bend = 0.8 * (hash(self.seed, &[70]) as f64 / u64::MAX as f64 - 0.5);
        let noise = slop * (0.6 * self.noise(28, 3.0) + 0.5 * self.noise(29, 25.0));
        Some((self.plant.tank_l / tank_l * 100.0 + bend + noise).clamp(0.0, 100.0))
    }

    fn volts(&self, signal: SignalId) -> f64 {
        let volts = gauges::battery_12v(self.plant, &self.moment, self.effects) + 0.03 * self.noise(34, 5.0);
        let scale = self.model.electrics.volts / 12.0;
        if signal == signal::CHARGING_V && !self.moment.engine_on { 0.0 } else { volts * scale }
    }

    fn gear(&self) -> Option<f64> {
        let (Some(engine), Some(drive @ Drive::Gears { .. })) = (&self.model.engine, &self.model.drive) else {
            return None;
        };
        if !self.moment.engine_on || self.moment.speed_mps < 0.05 {
            return Some(0.0);
        }
        let (gear, _) = gear_for(drive, self.cruise_mps, engine.work_rpm.1, engine.rated_rpm)?;
        Some(if self.backwards { -1.0 } else { gear as f64 })
    }

    fn hydraulic_kpa(&self) -> f64 {
        let busy = matches!(self.occupation, Occupation::Loading | Occupation::Felling | Occupation::Unloading);
        let base = if busy {
            15_500.0
        } else if self.moment.shafts_on {
            9_000.0
        } else {
            2_600.0
        };
        base * (1.0 + 0.15 * self.noise(35, 2.0))
    }

    /// The rear hitch: only what hangs on it moves with it.
    fn hitch_pct(&self) -> Option<f64> {
        if self.model.kind != Kind::Tractor && self.model.kind != Kind::Flax {
            return None;
        }
        let carried = self.job.map_or(Carried::Mounted, |job| job.implement.carried);
        Some(match carried {
            Carried::Mounted if self.moment.lowered => (12.0 + 2.0 * self.noise(36, 2.0)).max(0.0),
            Carried::Mounted if self.on_field => 78.0,
            Carried::Mounted => 88.0,
            // The drawbar stays where it is; its own cylinders lift the implement, and the controller sees that.
            Carried::Trailed | Carried::Header => {
                if self.moment.lowered {
                    28.0
                } else {
                    44.0
                }
            }
        })
    }

    fn pto_rpm(&self) -> f64 {
        let rated = self.job.map_or(0.0, |job| job.implement.pto_rpm);
        if !self.moment.shafts_on || rated == 0.0 {
            return 0.0;
        }
        // 540 and 1000 are reached at 93 % of the rated engine speed.
        (rated * self.engine_share() / 0.93 + 2.0 * self.noise(37, 1.5)).max(0.0)
    }

    fn crop_load(&self) -> f64 {
        let throughput = self.model.harvester.as_ref().map_or(1.0, |harvester| harvester.throughput_kgps);
        let straw = self.job.map_or(1.0, |job| job.crop.straw_ratio);
        (self.plant.flow_kgps[1] * (1.0 + straw) / throughput).clamp(0.0, 1.4)
    }
}

/// A roll of flax.
const BALE_KG: f64 = 205.0;
