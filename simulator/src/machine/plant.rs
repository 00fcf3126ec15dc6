//! The slow side of a machine: what is warm, what is full, what has been counted.
//!
//! Time goes on in *chunks* of some seconds in which speed, power and fuel change evenly. Everything here follows from
//! a chunk in closed form: the state at any instant in it is a function of the state at its beginning. So how often
//! a machine is asked does not change what it does.

/// Stages from the header to the flow sensor: each delays and smooths.
pub(crate) const FLOW_STAGES: usize = 3;

/// A quantity that changes evenly over a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ramp {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Ramp {
    pub(crate) fn level(value: f64) -> Self {
        Self { from: value, to: value }
    }

    /// The value after a share of the chunk.
    pub(crate) fn at(self, share: f64) -> f64 {
        self.from + (self.to - self.from) * share
    }

    /// The sum over the first `share` of a chunk that lasts `length_s`.
    pub(crate) fn sum(self, share: f64, length_s: f64) -> f64 {
        (self.from + (self.to - self.from) * share / 2.0) * share * length_s
    }
}

/// A temperature on its way: where it tends to, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Tendency {
    pub(crate) target_c: f64,
    pub(crate) time_s: f64,
}

/// What drives the slow quantities for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Chunk {
    pub(crate) from_s: f64,
    pub(crate) length_s: f64,
    pub(crate) speed_mps: Ramp,
    pub(crate) rpm: Ramp,
    /// At the crankshaft.
    pub(crate) power_kw: Ramp,
    pub(crate) fuel_lph: Ramp,
    /// Crop into the header.
    pub(crate) feed_kgps: Ramp,
    pub(crate) feed_moisture_pct: f64,
    pub(crate) engine_on: bool,
    /// The implement is in the ground or the crop.
    pub(crate) lowered: bool,
    /// PTO, thresher, belts: whatever the implement needs.
    pub(crate) shafts_on: bool,
    /// The engine runs and the machine neither moves nor works.
    pub(crate) idles: bool,
    /// On a task: on its field, from the first working run on.
    pub(crate) on_task: bool,
    pub(crate) width_m: f64,
    /// What passed the sensor stays on the machine.
    pub(crate) has_grain_tank: bool,
    /// Out of the grain tank.
    pub(crate) unload_kgps: f64,
    /// Into the fuel tank, otherwise than burning; negative when it is stolen.
    pub(crate) tank_lps: f64,
    /// Between header and sensor.
    pub(crate) flow_delay_s: f64,
    pub(crate) coolant: Tendency,
    pub(crate) oil: Tendency,
    pub(crate) transmission: Tendency,
    pub(crate) hydraulics: Tendency,
    pub(crate) bearing: Tendency,
    /// Of a dryer: the drying air and the grain.
    pub(crate) heat_agent: Tendency,
    pub(crate) grain: Tendency,
    /// Share of the battery's charge gained in a second.
    pub(crate) charge_per_s: f64,
    /// The crane or the felling head works.
    pub(crate) crane_on: bool,
    /// Timber on to the bunk, kg/s.
    pub(crate) cargo_kgps: f64,
    /// Share of the water tank that goes out in a second.
    pub(crate) water_per_s: f64,
    /// Peat, timber, water, grain for the dryer: share of whatever the machine fills, gained in a second.
    pub(crate) fill_per_s: f64,
}

/// The slow quantities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Plant {
    pub(crate) coolant_c: f64,
    pub(crate) oil_c: f64,
    pub(crate) transmission_c: f64,
    pub(crate) hydraulics_c: f64,
    pub(crate) bearing_c: f64,
    pub(crate) heat_agent_c: f64,
    pub(crate) grain_c: f64,
    /// Battery, 0 to 1.
    pub(crate) charge: f64,
    pub(crate) tank_l: f64,
    pub(crate) fuel_total_l: f64,
    pub(crate) idle_fuel_l: f64,
    pub(crate) engine_hours_h: f64,
    pub(crate) idle_hours_h: f64,
    pub(crate) shaft_hours_h: f64,
    pub(crate) revolutions: f64,
    pub(crate) odometer_m: f64,
    pub(crate) def_l: f64,
    /// Of the task.
    pub(crate) area_m2: f64,
    pub(crate) effective_m: f64,
    pub(crate) ineffective_m: f64,
    pub(crate) effective_s: f64,
    pub(crate) ineffective_s: f64,
    pub(crate) effective_fuel_l: f64,
    pub(crate) ineffective_fuel_l: f64,
    /// Of the machine's life.
    pub(crate) lifetime_area_m2: f64,
    pub(crate) lifetime_yield_kg: f64,
    /// Crop cut in the task, and the water in it.
    pub(crate) cut_kg: f64,
    pub(crate) cut_water_kg: f64,
    /// What has passed the sensor in the task, and the water in it.
    pub(crate) sensed_kg: f64,
    pub(crate) sensed_water_kg: f64,
    /// Crop on its way to the sensor.
    pub(crate) flow_kgps: [f64; FLOW_STAGES],
    pub(crate) moisture_pct: f64,
    pub(crate) grain_kg: f64,
    /// What the auger has ever moved into trucks.
    pub(crate) unloaded_kg: f64,
    pub(crate) crane_s: f64,
    pub(crate) cargo_kg: f64,
    /// Water tank, 0 to 1.
    pub(crate) water: f64,
    /// Hopper or bin, 0 to 1.
    pub(crate) fill: f64,
}

/// The moisture cell fills slowly.
const MOISTURE_TIME_S: f64 = 14.0;
/// Exhaust fluid burned with a litre of diesel.
const DEF_PER_FUEL: f64 = 0.04;

impl Plant {
    /// The state after `share` of `chunk`.
    pub(crate) fn after(&self, chunk: &Chunk, share: f64) -> Self {
        let mut next = *self;
        let dt = chunk.length_s * share;
        let tend = |value: f64, tendency: Tendency| {
            if tendency.time_s <= 0.0 {
                return value;
            }
            tendency.target_c + (value - tendency.target_c) * (-dt / tendency.time_s).exp()
        };
        next.coolant_c = tend(self.coolant_c, chunk.coolant);
        next.oil_c = tend(self.oil_c, chunk.oil);
        next.transmission_c = tend(self.transmission_c, chunk.transmission);
        next.hydraulics_c = tend(self.hydraulics_c, chunk.hydraulics);
        next.bearing_c = tend(self.bearing_c, chunk.bearing);
        next.heat_agent_c = tend(self.heat_agent_c, chunk.heat_agent);
        next.grain_c = tend(self.grain_c, chunk.grain);
        next.cargo_kg = (self.cargo_kg + chunk.cargo_kgps * dt).max(0.0);
        next.water = (self.water - chunk.water_per_s * dt).clamp(0.0, 1.0);
        next.fill = (self.fill + chunk.fill_per_s * dt).clamp(0.0, 1.0);
        if chunk.crane_on {
            next.crane_s += dt;
        }
        next.charge = (self.charge + chunk.charge_per_s * dt).clamp(0.0, 1.0);
        let way_m = chunk.speed_mps.sum(share, chunk.length_s);
        let burned_l = chunk.fuel_lph.sum(share, chunk.length_s) / 3_600.0;
        next.odometer_m += way_m;
        next.tank_l += chunk.tank_lps * dt - burned_l;
        next.fuel_total_l += burned_l;
        next.def_l = (self.def_l - burned_l * DEF_PER_FUEL).max(0.0);
        if chunk.engine_on {
            next.engine_hours_h += dt / 3_600.0;
            next.revolutions += chunk.rpm.sum(share, chunk.length_s) / 60.0;
            if chunk.idles {
                next.idle_hours_h += dt / 3_600.0;
                next.idle_fuel_l += burned_l;
            }
            if chunk.shafts_on {
                next.shaft_hours_h += dt / 3_600.0;
            }
        }
        next.count_work(chunk, dt, way_m, burned_l);
        next.pass_crop(self, chunk, share, dt);
        next
    }

    fn count_work(&mut self, chunk: &Chunk, dt: f64, way_m: f64, burned_l: f64) {
        if chunk.lowered {
            self.area_m2 += way_m * chunk.width_m;
            self.lifetime_area_m2 += way_m * chunk.width_m;
            self.effective_m += way_m;
            self.effective_s += dt;
            self.effective_fuel_l += burned_l;
        } else if chunk.on_task && chunk.engine_on {
            self.ineffective_m += way_m;
            self.ineffective_s += dt;
            self.ineffective_fuel_l += burned_l;
        }
    }

    /// Moves crop from the header over the sensor into the tank. What a stage gives is what it got less what it keeps,
    /// so that no kilogram is lost.
    fn pass_crop(&mut self, before: &Self, chunk: &Chunk, share: f64, dt: f64) {
        let fed_kg = chunk.feed_kgps.sum(share, chunk.length_s);
        self.cut_kg += fed_kg;
        self.cut_water_kg += fed_kg * chunk.feed_moisture_pct / 100.0;
        let unloaded_kg = (chunk.unload_kgps * dt).min(self.grain_kg);
        self.unloaded_kg += unloaded_kg;
        self.grain_kg -= unloaded_kg;
        if dt <= 0.0 || (fed_kg == 0.0 && before.flow_kgps.iter().all(|flow| *flow < 1e-6)) {
            return;
        }
        let stage_s = chunk.flow_delay_s / FLOW_STAGES as f64;
        let mut input = fed_kg / dt;
        for (stage, flow) in self.flow_kgps.iter_mut().enumerate() {
            let kept = before.flow_kgps[stage];
            *flow = input + (kept - input) * (-dt / stage_s).exp();
            input -= (*flow - kept) * stage_s / dt;
        }
        let passed_kg = input.max(0.0) * dt;
        if fed_kg > 0.0 {
            let settled = 1.0 - (-dt / MOISTURE_TIME_S).exp();
            let wetter = chunk.feed_moisture_pct - before.moisture_pct;
            self.moisture_pct = if before.moisture_pct == 0.0 {
                chunk.feed_moisture_pct
            } else {
                before.moisture_pct + wetter * settled
            };
        }
        self.sensed_kg += passed_kg;
        self.sensed_water_kg += passed_kg * self.moisture_pct / 100.0;
        self.lifetime_yield_kg += passed_kg;
        if chunk.has_grain_tank {
            self.grain_kg += passed_kg;
        }
    }

    /// The starter takes its share of the battery.
    pub(crate) fn start_engine(&mut self) {
        self.charge = (self.charge - 0.008).max(0.0);
    }

    /// A machine that has worked for a while already.
    pub(crate) fn warm_up(&mut self, thermostat_c: f64) {
        self.coolant_c = thermostat_c + 4.0;
        self.oil_c = thermostat_c + 10.0;
        self.transmission_c += 35.0;
        self.hydraulics_c += 28.0;
    }

    /// Begins a task: its totals are 0.
    pub(crate) fn begin_task(&mut self) {
        self.area_m2 = 0.0;
        self.effective_m = 0.0;
        self.ineffective_m = 0.0;
        self.effective_s = 0.0;
        self.ineffective_s = 0.0;
        self.effective_fuel_l = 0.0;
        self.ineffective_fuel_l = 0.0;
        self.cut_kg = 0.0;
        self.cut_water_kg = 0.0;
        self.sensed_kg = 0.0;
        self.sensed_water_kg = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harvesting() -> Chunk {
        Chunk {
            length_s: 5.0,
            speed_mps: Ramp { from: 1.0, to: 2.0 },
            fuel_lph: Ramp { from: 36.0, to: 40.0 },
            feed_kgps: Ramp { from: 2.0, to: 4.0 },
            feed_moisture_pct: 18.0,
            engine_on: true,
            lowered: true,
            shafts_on: true,
            width_m: 7.0,
            flow_delay_s: 11.0,
            has_grain_tank: true,
            coolant: Tendency { target_c: 90.0, time_s: 100.0 },
            ..Chunk::default()
        }
    }

    #[test]
    fn a_chunk_in_two_parts_is_the_chunk() {
        let chunk = harvesting();
        let whole = Plant { coolant_c: 20.0, tank_l: 300.0, ..Plant::default() }.after(&chunk, 1.0);
        assert!((whole.odometer_m - 7.5).abs() < 1e-12);
        assert!((whole.area_m2 - 52.5).abs() < 1e-12, "speed x width x time = area");
        assert!((whole.fuel_total_l - 38.0 * 5.0 / 3_600.0).abs() < 1e-12);
        assert!((whole.tank_l + whole.fuel_total_l - 300.0).abs() < 1e-12, "the fuel balance closes");
        let part = Plant { coolant_c: 20.0, tank_l: 300.0, ..Plant::default() }.after(&chunk, 0.4);
        assert!(part.coolant_c < whole.coolant_c && whole.coolant_c < 24.0, "coolant lags");
        assert!((part.odometer_m - (1.0 * 2.0 + 0.2 * 2.0 * 2.0 / 2.0)).abs() < 1e-12);
    }

    #[test]
    fn what_is_cut_arrives_late_and_whole() {
        let mut plant = Plant::default();
        for _ in 0..60 {
            plant = plant.after(&harvesting(), 1.0);
        }
        let on_the_way = plant.cut_kg - plant.grain_kg;
        assert!((on_the_way - 3.0 * 11.0).abs() < 0.5, "11 s of 3 kg/s are on the way: {on_the_way}");
        let empty = Chunk { feed_kgps: Ramp::default(), lowered: false, ..harvesting() };
        for _ in 0..40 {
            plant = plant.after(&empty, 1.0);
        }
        assert!((plant.grain_kg - plant.cut_kg).abs() < 0.01, "{plant:?}");
        assert!((plant.sensed_water_kg / plant.sensed_kg - 0.18).abs() < 1e-6);
    }
}
