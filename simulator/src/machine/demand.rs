//! How much power work and driving ask of the engine, and how fast a machine can go with what it has.

use super::catalogue::{Drive, Engine, Harvester, Implement, Model};

/// Standard gravity, m/s².
const GRAVITY: f64 = 9.81;
/// From the crankshaft to the wheels.
const DRIVE_EFFICIENCY: f64 = 0.80;
/// Rolling resistance as a share of the weight.
const ROLLS_ON_SOIL: f64 = 0.085;
const ROLLS_ON_ROAD: f64 = 0.032;
/// Fan, pumps, alternator: share of the rated power.
const AUXILIARY_SHARE: f64 = 0.03;
/// A driver loads the engine up to this share of what it can give.
pub(crate) const HIGHEST_LOAD: f64 = 0.90;
/// Draft grows by this share with each km/h.
const DRAFT_PER_KMH: f64 = 0.035;
/// Share of a harvester's throughput that its driver uses.
const THROUGHPUT_USED: f64 = 0.88;
const LOWEST_SPEED_MPS: f64 = 0.5;

/// What a machine does to its engine in some place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ground {
    pub(crate) on_road: bool,
    /// Draft as a multiple of the usual.
    pub(crate) soil: f64,
    /// Crop for each metre of way, kg of grain or fresh mass.
    pub(crate) crop_kgpm: f64,
    /// Straw for each part of grain.
    pub(crate) straw_ratio: f64,
}

/// The power train at work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) model: &'a Model,
    pub(crate) engine: &'a Engine,
    pub(crate) implement: Option<&'a Implement>,
    pub(crate) lowered: bool,
    pub(crate) shafts_on: bool,
    /// Grain, timber, water: whatever it carries.
    pub(crate) cargo_kg: f64,
}

/// What driving and working at a speed takes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Demand {
    pub(crate) total_kw: f64,
    /// Of that, through the transmission.
    pub(crate) drive_kw: f64,
    /// Pull at the hitch, N.
    pub(crate) draft_n: f64,
    /// Wheels turn faster than the machine goes by this share.
    pub(crate) slip: f64,
}

impl Load<'_> {
    /// The demand at a speed; `accelerates` in m/s².
    pub(crate) fn at(&self, speed_mps: f64, accelerates: f64, ground: &Ground) -> Demand {
        let mass_kg = self.model.mass_kg + self.implement.map_or(0.0, |implement| implement.mass_kg) + self.cargo_kg;
        let rolls = if ground.on_road { ROLLS_ON_ROAD } else { ROLLS_ON_SOIL };
        let speed_kmh = speed_mps * 3.6;
        let mut draft_n = 0.0;
        let mut shaft_kw = 0.0;
        if let Some(implement) = self.implement {
            let middle_kmh = (implement.speed_kmh.0 + implement.speed_kmh.1) / 2.0;
            if self.lowered {
                let faster = 1.0 + DRAFT_PER_KMH * (speed_kmh - middle_kmh);
                draft_n = implement.draft_kn_per_m * 1_000.0 * implement.width_m * ground.soil * faster.max(0.4);
            }
            // Shafts turn empty on the headland.
            let filled = if self.lowered { 1.0 } else { 0.3 };
            if self.shafts_on {
                shaft_kw += (implement.pto_kw_per_m / 0.92 + implement.hydraulic_kw_per_m / 0.7)
                    * implement.width_m
                    * filled
                    * (0.6 + 0.4 * ground.soil);
            }
        }
        if let (Some(harvester), true) = (&self.model.harvester, self.shafts_on) {
            shaft_kw += self.harvester_kw(harvester, speed_mps, ground);
        }
        // A wheel that pulls slips, the more the nearer it comes to what its load can carry.
        let pull_share = draft_n / (0.55 * mass_kg * GRAVITY);
        let slip = if self.lowered || draft_n > 0.0 { 0.02 + 0.16 * pull_share * pull_share } else { 0.015 };
        let force_n = draft_n + mass_kg * (rolls * GRAVITY + accelerates.max(0.0));
        let drive_kw = force_n * speed_mps / 1_000.0 / DRIVE_EFFICIENCY / (1.0 - slip.min(0.35));
        let auxiliary_kw = self.engine.rated_kw * AUXILIARY_SHARE;
        Demand { total_kw: drive_kw + shaft_kw + auxiliary_kw, drive_kw, draft_n, slip: slip.min(0.35) }
    }

    fn harvester_kw(&self, harvester: &Harvester, speed_mps: f64, ground: &Ground) -> f64 {
        let crop_kgps = ground.crop_kgpm * (1.0 + ground.straw_ratio) * speed_mps;
        let empty_kw = harvester.empty_power_share * self.engine.rated_kw;
        empty_kw + if self.lowered { harvester.kw_per_kgps * crop_kgps } else { 0.0 }
    }

    /// The speed that a driver chooses for a pass: not above `wished_mps`, not more than engine and harvester take.
    /// What a harvester takes is judged by ear and by the losses behind it: the crop is taken for `taken_for` times what
    /// it is. What the engine gives is heard at once.
    pub(crate) fn working_speed(&self, wished_mps: f64, rpm: f64, ground: &Ground, taken_for: f64) -> f64 {
        let mut speed_mps = wished_mps;
        if let Some(harvester) = &self.model.harvester
            && ground.crop_kgpm > 0.0
        {
            let kgps_per_mps = taken_for * ground.crop_kgpm * (1.0 + ground.straw_ratio);
            speed_mps = speed_mps.min(THROUGHPUT_USED * harvester.throughput_kgps / kgps_per_mps);
        }
        let limit_kw = HIGHEST_LOAD * self.engine.full_kw(rpm);
        // Demand grows with speed: some halvings are as good as a formula.
        if self.at(speed_mps, 0.0, ground).total_kw > limit_kw {
            let (mut low, mut high) = (LOWEST_SPEED_MPS, speed_mps.max(LOWEST_SPEED_MPS));
            for _ in 0..7 {
                let middle = (low + high) / 2.0;
                if self.at(middle, 0.0, ground).total_kw > limit_kw {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            speed_mps = low;
        }
        speed_mps.max(LOWEST_SPEED_MPS)
    }
}

/// The gear for a speed: the highest in which the engine turns at `rpm` or below; its number and the ground speed at
/// rated engine speed. None with a hydrostatic drive.
pub(crate) fn gear_for(drive: &Drive, speed_mps: f64, rpm: f64, rated_rpm: f64) -> Option<(usize, f64)> {
    let Drive::Gears { forward_kmh } = drive else { return None };
    let wanted_kmh = speed_mps * 3.6 * rated_rpm / rpm;
    let position = forward_kmh.partition_point(|kmh| *kmh < wanted_kmh).min(forward_kmh.len() - 1);
    Some((position + 1, forward_kmh[position]))
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;

    /// Steady work of a model with an implement: speed, load and litres an hour.
    fn work(model: &str, implement: &str, crop_tpha: f64, straw_ratio: f64) -> (f64, f64, f64) {
        let catalogue = Catalogue::load(None).expect("the built-in files are sound");
        let model = catalogue.model(model).expect("exists");
        let implement = catalogue.implements.iter().find(|i| i.code == implement).expect("exists").clone();
        let engine = model.engine.as_ref().expect("drives");
        let load =
            Load { model: &model, engine, implement: Some(&implement), lowered: true, shafts_on: true, cargo_kg: 0.0 };
        let ground =
            Ground { soil: 1.0, crop_kgpm: crop_tpha * implement.width_m / 10.0, straw_ratio, ..Ground::default() };
        let rpm = (engine.work_rpm.0 + engine.work_rpm.1) / 2.0;
        let wished = (implement.speed_kmh.0 + implement.speed_kmh.1) / 2.0 / 3.6;
        let speed = load.working_speed(wished, rpm, &ground, 1.0);
        let kw = load.at(speed, 0.0, &ground).total_kw;
        (speed * 3.6, kw / engine.full_kw(rpm), engine.fuel_lph(rpm, kw))
    }

    #[test]
    fn machines_burn_in_work_what_they_are_known_to_burn() {
        let check =
            |model: &str, implement: &str, crop: (f64, f64), kmh: (f64, f64), load: (f64, f64), lph: (f64, f64)| {
                let got = work(model, implement, crop.0, crop.1);
                let within = |value: f64, (low, high): (f64, f64)| (low..=high).contains(&value);
                assert!(
                    within(got.0, kmh) && within(got.1, load) && within(got.2, lph),
                    "{model} {implement}: {got:?}"
                );
            };
        let none = (0.0, 0.0);
        // The operating envelope of the domain reference: load, litres an hour, speed.
        check("mtz-82.1", "pln-3-35", none, (5.0, 9.0), (0.55, 0.95), (9.0, 14.0));
        check("mtz-1221.2", "pln-5-35", none, (5.5, 9.0), (0.60, 0.92), (17.0, 27.0));
        check("mtz-3522", "discover-6", none, (8.0, 13.0), (0.65, 0.95), (45.0, 80.0));
        check("mtz-4522", "ppo-9-45", none, (6.0, 10.0), (0.65, 0.95), (45.0, 80.0));
        check("gs12", "zhzk-7", (2.6, 1.2), (4.5, 7.5), (0.55, 0.92), (30.0, 50.0));
        check("gs812", "zhzk-6", (2.4, 1.2), (4.0, 7.5), (0.55, 0.92), (22.0, 45.0));
        check("fs650", "pickup-3-12", (9.0, 0.0), (5.0, 12.5), (0.65, 0.98), (60.0, 95.0));
        check("fs650", "maize-6", (22.0, 0.0), (4.0, 9.5), (0.65, 0.98), (60.0, 95.0));
    }

    #[test]
    fn a_gear_is_the_highest_that_keeps_the_engine_at_its_speed() {
        let drive = Drive::Gears { forward_kmh: vec![4.0, 6.0, 9.0, 14.0] };
        assert_eq!(gear_for(&drive, 8.0 / 3.6, 2_000.0, 2_100.0), Some((3, 9.0)));
        assert_eq!(gear_for(&drive, 50.0 / 3.6, 2_000.0, 2_100.0), Some((4, 14.0)));
        assert_eq!(gear_for(&Drive::Hydrostat, 8.0, 2_000.0, 2_100.0), None);
    }
}
