//! A machine model: one TOML file each.

use serde::Deserialize;
use wire::SignalId;

use super::error::{CatalogueError, Place};
use super::table::{Curve, Map};

/// What sort of machine it is; decides what it does all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Tractor,
    Combine,
    Forage,
    Flax,
    Peat,
    Forwarder,
    TimberHarvester,
    Dryer,
    Fire,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tractor => "tractor",
            Self::Combine => "combine",
            Self::Forage => "forage",
            Self::Flax => "flax",
            Self::Peat => "peat",
            Self::Forwarder => "forwarder",
            Self::TimberHarvester => "timber_harvester",
            Self::Dryer => "dryer",
            Self::Fire => "fire",
        }
    }
}

/// How well the unit knows where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Receiver {
    /// No correction: a metre or two, drifting over minutes.
    Autonomous,
    /// Corrected from satellites (SDCM, EGNOS): some decimetres.
    Differential,
    /// Corrected from a base station: centimetres.
    Rtk,
}

/// A machine model, as its file says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Code, `mtz-1221.2`: part of serials.
    pub(crate) code: String,
    /// Name as people say it.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Share of the fleet in a usual mix; 0 for models that come only when asked for.
    #[serde(default)]
    pub(crate) fleet_share: f64,
    pub(crate) mass_kg: f64,
    #[serde(default)]
    pub(crate) top_speed_kmh: f64,
    #[serde(default)]
    pub(crate) turning_radius_m: f64,
    /// Engine hours a year, from and to: how worn machines are when a run begins.
    pub(crate) hours_a_year: (f64, f64),
    /// Positions.
    pub(crate) receiver: Receiver,
    /// Whether a guidance system steers.
    #[serde(default)]
    pub(crate) guided: bool,
    /// Whether it has a task controller, which counts area and reports tasks.
    #[serde(default)]
    pub(crate) task_controller: bool,
    #[serde(default)]
    pub(crate) engine: Option<Engine>,
    #[serde(default)]
    pub(crate) drive: Option<Drive>,
    pub(crate) heat: Heat,
    pub(crate) electrics: Electrics,
    #[serde(default)]
    pub(crate) harvester: Option<Harvester>,
    #[serde(default)]
    pub(crate) dryer: Option<Dryer>,
    /// Codes of the implements that it can have; empty for all of its power class.
    #[serde(default)]
    pub(crate) implements: Vec<String>,
    #[serde(default)]
    pub(crate) service: Vec<Service>,
    /// Names of the signal groups that it reports.
    pub(crate) signal_groups: Vec<String>,
    /// Whether a controller watches the fuel feed; follows from the groups.
    #[serde(skip)]
    pub(crate) watches_feed: bool,
    /// What it reports, from the groups: signal and time between reports in seconds, 0 for every sample.
    #[serde(skip)]
    pub(crate) signals: Vec<(SignalId, u32)>,
}

/// A diesel engine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Engine {
    /// Maker and type.
    #[serde(rename = "name")]
    pub(crate) _name: String,
    pub(crate) rated_kw: f64,
    pub(crate) rated_rpm: f64,
    pub(crate) idle_rpm: f64,
    /// Speed that the governor is set to in work, from and to.
    pub(crate) work_rpm: (f64, f64),
    /// Full-load torque over speed, N m.
    pub(crate) torque_nm: Curve,
    /// Lowest consumption.
    pub(crate) bsfc_best_g_per_kwh: f64,
    /// Consumption as a multiple of the lowest, by speed and load.
    pub(crate) fuel_map: Map,
    pub(crate) idle_lph: f64,
    pub(crate) tank_l: f64,
    /// Diesel exhaust fluid; 0 where the engine needs none.
    #[serde(default)]
    pub(crate) def_tank_l: f64,
    #[serde(default)]
    pub(crate) particulate_filter: bool,
    /// Hot, at idle and at rated speed.
    pub(crate) oil_pressure_kpa: (f64, f64),
    /// At rated power; 0 without a turbocharger.
    pub(crate) boost_kpa: f64,
}

/// How the engine moves the machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, tag = "type", rename_all = "snake_case")]
pub(crate) enum Drive {
    /// A gearbox.
    Gears {
        /// Ground speed in each gear at rated engine speed, ascending, km/h.
        forward_kmh: Vec<f64>,
    },
    /// A hydrostatic drive: any speed at any engine speed.
    Hydrostat,
}

/// First-order heat: what is warm, how warm it gets, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heat {
    /// The thermostat is open at this coolant temperature.
    #[serde(default)]
    pub(crate) thermostat_c: f64,
    /// Coolant above the air at full load with the thermostat open.
    #[serde(default)]
    pub(crate) coolant_rise_c: f64,
    /// Engine oil above the coolant at full load.
    #[serde(default)]
    pub(crate) oil_rise_c: f64,
    /// Transmission oil above the air at full load.
    #[serde(default)]
    pub(crate) transmission_rise_c: f64,
    /// Hydraulic oil above the air at full load.
    #[serde(default)]
    pub(crate) hydraulics_rise_c: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Electrics {
    /// 12 or 24.
    pub(crate) volts: f64,
    /// Rated current of the alternator.
    #[serde(default)]
    pub(crate) alternator_a: f64,
}

/// What harvests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Harvester {
    /// Crop that it can take, grain and straw, kg/s.
    pub(crate) throughput_kgps: f64,
    /// Grain tank, tonnes of wheat; 0 for none.
    #[serde(default)]
    pub(crate) tank_t: f64,
    #[serde(default)]
    pub(crate) unload_kgps: f64,
    /// Share of the rated power that shafts take without crop.
    pub(crate) empty_power_share: f64,
    /// Power for each kg/s of crop.
    pub(crate) kw_per_kgps: f64,
    /// Time from the header to the flow sensor.
    pub(crate) flow_delay_s: f64,
    /// Drum speed at rated engine speed; for combines in cereals.
    pub(crate) drum_rpm: f64,
    #[serde(default)]
    pub(crate) accelerator_rpm: f64,
    #[serde(default)]
    pub(crate) fan_rpm: f64,
    #[serde(default)]
    pub(crate) separator_rpm: f64,
}

/// What dries grain.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dryer {
    /// Tonnes an hour, dried from 20 to 14 %.
    pub(crate) plan_tph: f64,
    pub(crate) burner_mw: f64,
}

/// A service that is due again and again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    #[serde(rename = "name")]
    pub(crate) _name: String,
    pub(crate) every_h: f64,
}

impl Engine {
    /// Full-load power at `rpm`, kW.
    pub(crate) fn full_kw(&self, rpm: f64) -> f64 {
        self.torque_nm.at(rpm) * rpm * std::f64::consts::TAU / 60_000.0
    }

    /// Fuel at `rpm` while the crankshaft gives `kw`, L/h.
    pub(crate) fn fuel_lph(&self, rpm: f64, kw: f64) -> f64 {
        /// Below this load the map ends, and consumption goes over to that of idling.
        const LOWEST_LOAD: f64 = 0.1;
        let full_kw = self.full_kw(rpm).max(1.0);
        let load = (kw / full_kw).clamp(0.0, 1.1);
        let by_map = |load: f64| {
            load * full_kw * self.bsfc_best_g_per_kwh * self.fuel_map.at(rpm, load) / (DIESEL_KG_PER_L * 1_000.0)
        };
        if load >= LOWEST_LOAD {
            return by_map(load);
        }
        let idle_lph = self.idle_lph * (rpm / self.idle_rpm).powf(0.8);
        let least = idle_lph.min(by_map(LOWEST_LOAD));
        least + (by_map(LOWEST_LOAD) - least) * load / LOWEST_LOAD
    }
}

/// Density of diesel fuel.
pub(crate) const DIESEL_KG_PER_L: f64 = 0.84;

impl Model {
    /// The interval of the most frequent service, if there is any.
    pub(crate) fn service_interval_h(&self) -> Option<f64> {
        self.service.iter().map(|service| service.every_h).min_by(f64::total_cmp)
    }

    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let place = Place { file };
        let is_stationary = self.kind == Kind::Dryer;
        if self.code.is_empty() || !self.code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            return Err(place.error(
                "code",
                &self.code,
                "use letters, digits, '-' and '.'; it becomes part of serials",
            ));
        }
        place.within("fleet_share", self.fleet_share, 0.0, 1.0)?;
        place.within("mass_kg", self.mass_kg, 500.0, 200_000.0)?;
        place.within("hours_a_year", self.hours_a_year.0, 1.0, self.hours_a_year.1)?;
        if ![12.0, 24.0].contains(&self.electrics.volts) {
            return Err(place.error("electrics.volts", self.electrics.volts, "give 12 or 24"));
        }
        if !is_stationary {
            place.within("top_speed_kmh", self.top_speed_kmh, 5.0, 90.0)?;
            place.within("turning_radius_m", self.turning_radius_m, 2.0, 20.0)?;
            if self.engine.is_none() || self.drive.is_none() {
                return Err(place.error("kind", self.kind.name(), "a machine that drives needs [engine] and [drive]"));
            }
            place.within("heat.thermostat_c", self.heat.thermostat_c, 60.0, 100.0)?;
            place.within("heat.coolant_rise_c", self.heat.coolant_rise_c, 30.0, 90.0)?;
        }
        if matches!(self.kind, Kind::Combine | Kind::Forage) && self.harvester.is_none() {
            return Err(place.error("kind", self.kind.name(), "add a [harvester] table"));
        }
        if is_stationary && self.dryer.is_none() {
            return Err(place.error("kind", self.kind.name(), "add a [dryer] table"));
        }
        for service in &self.service {
            place.within("service.every_h", service.every_h, 1.0, 20_000.0)?;
        }
        if let Some(engine) = &self.engine {
            engine.check(&place)?;
        }
        if let Some(Drive::Gears { forward_kmh }) = &self.drive
            && (forward_kmh.is_empty() || forward_kmh.windows(2).any(|pair| pair[0] >= pair[1]))
        {
            let mend = "give the speed in each gear at rated engine speed, ascending";
            return Err(place.error("drive.forward_kmh", format!("{forward_kmh:?}"), mend));
        }
        if let Some(harvester) = &self.harvester {
            place.within("harvester.throughput_kgps", harvester.throughput_kgps, 1.0, 100.0)?;
            place.within("harvester.empty_power_share", harvester.empty_power_share, 0.0, 0.6)?;
            place.within("harvester.flow_delay_s", harvester.flow_delay_s, 0.5, 30.0)?;
            if harvester.tank_t > 0.0 {
                place.within("harvester.unload_kgps", harvester.unload_kgps, 5.0, 200.0)?;
            }
        }
        Ok(())
    }
}

impl Engine {
    fn check(&self, place: &Place<'_>) -> Result<(), CatalogueError> {
        place.within("engine.rated_kw", self.rated_kw, 10.0, 1_000.0)?;
        place.within("engine.idle_rpm", self.idle_rpm, 500.0, 1_200.0)?;
        place.within("engine.rated_rpm", self.rated_rpm, self.idle_rpm + 500.0, 3_000.0)?;
        place.within("engine.work_rpm", self.work_rpm.0, self.idle_rpm, self.work_rpm.1)?;
        place.within("engine.work_rpm", self.work_rpm.1, self.work_rpm.0, self.rated_rpm * 1.08)?;
        place.within("engine.bsfc_best_g_per_kwh", self.bsfc_best_g_per_kwh, 180.0, 300.0)?;
        place.within("engine.idle_lph", self.idle_lph, 0.5, 30.0)?;
        place.within("engine.tank_l", self.tank_l, 20.0, 3_000.0)?;
        self.torque_nm.check(place, "engine.torque_nm")?;
        self.fuel_map.check(place, "engine.fuel_map")?;
        let by_torque_kw = self.full_kw(self.rated_rpm);
        if (by_torque_kw / self.rated_kw - 1.0).abs() > 0.05 {
            let mend = format!(
                "the torque curve gives {by_torque_kw:.1} kW at {} rpm; mend rated_kw or torque_nm",
                self.rated_rpm
            );
            return Err(place.error("engine.rated_kw", self.rated_kw, &mend));
        }
        Ok(())
    }
}
