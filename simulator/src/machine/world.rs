//! A planned fleet: which machine stands on which farm, and the calendar all of them live by.

use std::sync::Arc;

use jiff::civil::Date;
use wire::MachineSerial;

use super::body::Machine;
use super::catalogue::{Catalogue, CatalogueError, Crop, Implement, Kind, Model, Operation};
use super::faults;
use super::land::{District, Farm, Field, farm_sites};
use super::picture::{FieldInfo, MachineInfo};
use super::settings::FaultSettings;
use crate::fleet::{FleetConfig, SimulatorError, Work};
use crate::truth::LOCAL_OFFSET_MS;

/// Machines that share a farm, unless a fleet is so large that there would be more farms than land.
const MACHINES_A_FARM: usize = 12;

/// What all machines of a fleet share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) starts_at_s: f64,
    pub(crate) work: Work,
    pub(crate) sample_period_s: f64,
    pub(crate) fault_settings: FaultSettings,
    /// Days between the date and the calendar that machines live by.
    calendar_offset_days: i64,
    pub(crate) models: Vec<Arc<Model>>,
    /// Of each model.
    pub(crate) implements: Vec<Vec<Arc<Implement>>>,
    pub(crate) operations: Vec<Arc<Operation>>,
    pub(crate) crops: Vec<Arc<Crop>>,
    pub(crate) farms: Vec<Estate>,
    pub(crate) machines: Vec<Assigned>,
    serial_prefix: String,
}

/// A farm with its machines.
#[derive(Debug)]
pub(crate) struct Estate {
    pub(crate) farm: Farm,
    /// Its district; that of a peat enterprise grows peat.
    pub(crate) district: District,
    members: Vec<usize>,
}

/// Where a machine belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assigned {
    pub(crate) model: usize,
    pub(crate) estate: usize,
}

/// What sort of farm a machine needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trade {
    Fields,
    Timber,
    Peat,
    Flax,
}

impl Trade {
    /// Farms of the trade are counted from here on, so that their names differ.
    fn number(self) -> usize {
        match self {
            Self::Fields => 0,
            Self::Timber => 1_000,
            Self::Peat => 2_000,
            Self::Flax => 3_000,
        }
    }

    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Forwarder | Kind::TimberHarvester => Self::Timber,
            Kind::Peat => Self::Peat,
            Kind::Flax => Self::Flax,
            _ => Self::Fields,
        }
    }
}

/// A local instant, by the calendar that machines live by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Local {
    /// Days since 1970, from midnight to midnight.
    pub(crate) day: i64,
    /// 0 to 24.
    pub(crate) hour: f64,
}

impl Local {
    pub(crate) fn at(time_s: f64) -> Self {
        let local_s = time_s + LOCAL_OFFSET_MS as f64 / 1_000.0;
        let day = (local_s / 86_400.0).floor();
        Self { day: day as i64, hour: (local_s - day * 86_400.0) / 3_600.0 }
    }

    /// The Unix second of `hour` on `day`; hours beyond 24 lie on the next.
    pub(crate) fn second(day: i64, hour: f64) -> f64 {
        day as f64 * 86_400.0 + hour * 3_600.0 - LOCAL_OFFSET_MS as f64 / 1_000.0
    }
}

impl World {
    fn plan(config: &FleetConfig, catalogue: &Catalogue) -> Result<Self, SimulatorError> {
        faults::check(&config.faults)?;
        let codes: Vec<usize> = config
            .models
            .iter()
            .map(|code| {
                let model = catalogue.model(code)?;
                let position = catalogue.models.iter().position(|known| known.code == model.code);
                Ok(position.unwrap_or_default())
            })
            .collect::<Result<_, CatalogueError>>()?;
        let models: Vec<usize> = if codes.is_empty() {
            usual_mix(&catalogue.models, config.machines)
        } else {
            codes.iter().copied().cycle().take(config.machines).collect()
        };
        let starts_at_s = config.starts_at.as_millisecond() as f64 / 1_000.0;
        let mut world = Self {
            seed: config.seed,
            starts_at_s,
            work: config.work,
            sample_period_s: f64::from(config.sample_period_ms) / 1_000.0,
            fault_settings: config.faults.clone(),
            calendar_offset_days: 0,
            implements: catalogue.models.iter().map(|model| catalogue.implements_of(model)).collect(),
            models: catalogue.models.clone(),
            operations: catalogue.operations.clone(),
            crops: catalogue.crops.clone(),
            farms: Vec::new(),
            machines: vec![Assigned { model: 0, estate: 0 }; models.len()],
            serial_prefix: config.serial_prefix.clone(),
        };
        let start = Local::at(starts_at_s).day;
        if let Some(season) = config.season {
            let now = i64::from(world.day_of_year(start));
            world.calendar_offset_days = i64::from(season.first_day_of_year()) - now;
        }
        for trade in [Trade::Fields, Trade::Timber, Trade::Peat, Trade::Flax] {
            let members: Vec<usize> =
                (0..models.len()).filter(|index| Trade::of(catalogue.models[models[*index]].kind) == trade).collect();
            world.settle(trade, &members, &models, catalogue);
        }
        Ok(world)
    }

    /// Makes farms for machines of one trade.
    fn settle(&mut self, trade: Trade, members: &[usize], models: &[usize], catalogue: &Catalogue) {
        // Every trade has places of its own: the districts' centres belong to farms with fields.
        let sites: Vec<Vec<(f64, f64)>> = farm_sites(&catalogue.districts, self.seed)
            .into_iter()
            .map(|sites| {
                let own = |number: usize| match number % 8 {
                    5 => trade == Trade::Flax,
                    6 => trade == Trade::Timber,
                    7 => trade == Trade::Peat,
                    _ => trade == Trade::Fields,
                };
                sites.into_iter().enumerate().filter(|(number, _)| own(*number)).map(|(_, site)| site).collect()
            })
            .collect();
        let weights: Vec<f64> = catalogue
            .districts
            .iter()
            .map(|district| match trade {
                Trade::Fields => district.farm_share,
                Trade::Timber => f64::from(u8::from(district.forest)),
                Trade::Peat => f64::from(u8::from(district.peat)),
                Trade::Flax => district.crops.get("flax").copied().unwrap_or(0.0),
            })
            .collect();
        let room = |district: usize| sites[district].len();
        let farms: usize = (0..weights.len()).filter(|index| weights[*index] > 0.0).map(room).sum();
        let mut used = vec![0usize; weights.len()];
        for group in members.chunks(MACHINES_A_FARM.max(members.len().div_ceil(farms.max(1)))) {
            let open = |(index, weight): (usize, &f64)| if used[index] < room(index) { *weight } else { 0.0 };
            let open: Vec<f64> = weights.iter().enumerate().map(open).collect();
            let Some(district) = next_by_quota(&open, &used) else { return };
            let number = used[district];
            used[district] += 1;
            let at = sites[district][number];
            let mut land = catalogue.districts[district].clone();
            if trade == Trade::Peat {
                land.crops = [("peat".to_string(), 1.0)].into();
                land.field_ha = (10.0, 30.0);
            }
            let mut farm = Farm::make(&land, district, trade.number() + number, at, self.seed);
            if trade == Trade::Timber {
                // Around a landing there is forest and nothing else.
                farm.fields = Vec::new();
            }
            for index in group {
                self.machines[*index] = Assigned { model: models[*index], estate: self.farms.len() };
            }
            self.farms.push(Estate { farm, district: land, members: group.to_vec() });
        }
    }

    pub(crate) fn model(&self, index: usize) -> &Arc<Model> {
        &self.models[self.machines[index].model]
    }

    pub(crate) fn estate(&self, index: usize) -> &Estate {
        &self.farms[self.machines[index].estate]
    }

    pub(crate) fn serial(&self, index: usize) -> MachineSerial {
        let text = format!("{}-{}-{index:05}", self.serial_prefix, self.model(index).code);
        MachineSerial::parse(&text).expect("prefixes are checked, codes have letters that serials may have")
    }

    /// Implements of machine `index` for an operation.
    pub(crate) fn implements_for(&self, index: usize, operation: &str) -> Vec<&Arc<Implement>> {
        let all = &self.implements[self.machines[index].model];
        all.iter().filter(|implement| implement.operation == operation).collect()
    }

    /// The machines of the farm of machine `index` that can do an operation, and the place of the machine among them.
    pub(crate) fn peers(&self, index: usize, operation: &str) -> (usize, usize) {
        let able = |other: &&usize| !self.implements_for(**other, operation).is_empty();
        let members: Vec<_> = self.estate(index).members.iter().filter(able).collect();
        let position = members.iter().position(|other| **other == index).unwrap_or_default();
        (position, members.len().max(1))
    }

    /// The calendar date of a day.
    fn date(&self, day: i64) -> Date {
        let days = i32::try_from(day + self.calendar_offset_days).unwrap_or_default();
        Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(days))
    }

    pub(crate) fn day_of_year(&self, day: i64) -> u16 {
        self.date(day).day_of_year().unsigned_abs()
    }

    pub(crate) fn year(&self, day: i64) -> i16 {
        self.date(day).year()
    }

    /// What grows on a field of an estate in a year.
    pub(crate) fn crop_on(&self, estate: &Estate, field: &Field, year: i16) -> Option<Arc<Crop>> {
        field.crop(year, &estate.district, &self.crops).cloned()
    }

    fn field_info(&self, estate: &Estate, field: &Field) -> FieldInfo {
        let degrees = |ring: &Vec<super::geometry::Point>| {
            ring.iter().map(|point| estate.farm.projection.degrees(*point)).collect()
        };
        let year = self.year(Local::at(self.starts_at_s).day);
        FieldInfo {
            name: field.name.clone(),
            farm: estate.farm.name.clone(),
            district: estate.district.name.clone(),
            crop: self.crop_on(estate, field, year).map(|crop| crop.name.clone()).unwrap_or_default(),
            area_ha: field.area_ha(),
            outline: degrees(&field.boundary.outline),
            holes: field.boundary.holes.iter().map(degrees).collect(),
        }
    }

    /// The field of that name on the farm of machine `index`.
    pub(crate) fn field_named(&self, index: usize, name: &str) -> Option<FieldInfo> {
        let estate = self.estate(index);
        estate.farm.fields.iter().find(|field| field.name == name).map(|field| self.field_info(estate, field))
    }
}

/// Model numbers of a fleet of `count`: at any size the shares come out as well as they can.
fn usual_mix(models: &[Arc<Model>], count: usize) -> Vec<usize> {
    let weights: Vec<f64> = models.iter().map(|model| model.fleet_share).collect();
    let mut used = vec![0usize; weights.len()];
    let mut mix = Vec::with_capacity(count);
    while mix.len() < count {
        let Some(next) = next_by_quota(&weights, &used) else { break };
        used[next] += 1;
        mix.push(next);
    }
    mix
}

/// The one that is furthest behind its share; none when all shares are 0.
fn next_by_quota(weights: &[f64], used: &[usize]) -> Option<usize> {
    (0..weights.len()).filter(|index| weights[*index] > 0.0).min_by(|a, b| {
        let filled = |index: usize| (used[index] as f64 + 0.5) / weights[index];
        filled(*a).total_cmp(&filled(*b))
    })
}

/// A planned fleet.
#[derive(Debug, Clone)]
pub struct Fleet {
    world: Arc<World>,
}

impl Fleet {
    /// Plans a fleet.
    ///
    /// # Errors
    /// When a model or the kind of a scripted fault is unknown.
    pub fn plan(config: &FleetConfig, catalogue: &Catalogue) -> Result<Self, SimulatorError> {
        World::plan(config, catalogue).map(|world| Self { world: Arc::new(world) })
    }

    /// How many machines there are.
    pub fn len(&self) -> usize {
        self.world.machines.len()
    }

    /// Whether there is no machine.
    pub fn is_empty(&self) -> bool {
        self.world.machines.is_empty()
    }

    /// Machine `index`, as it stands when the run begins.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn machine(&self, index: usize) -> (MachineSerial, Machine) {
        (self.world.serial(index), Machine::new(Arc::clone(&self.world), index))
    }

    /// What is known of machine `index`.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn info(&self, index: usize) -> MachineInfo {
        let (model, estate) = (self.world.model(index), self.world.estate(index));
        MachineInfo {
            serial: self.world.serial(index),
            model: model.code.clone(),
            name: model.name.clone(),
            kind: model.kind.name().to_string(),
            farm: estate.farm.name.clone(),
            district: estate.district.name.clone(),
            coverage: estate.district.coverage,
            yard: estate.farm.projection.degrees(estate.farm.yard),
        }
    }

    /// All fields of the fleet's farms.
    pub fn fields(&self) -> Vec<FieldInfo> {
        let fields = |estate| self.fields_of(estate);
        self.world.farms.iter().flat_map(fields).collect()
    }

    /// The plane of machine `index`.
    #[cfg(test)]
    pub(crate) fn projection(&self, index: usize) -> super::geometry::Projection {
        self.world.estate(index).farm.projection
    }

    fn fields_of(&self, estate: &Estate) -> Vec<FieldInfo> {
        estate.farm.fields.iter().map(|field| self.world.field_info(estate, field)).collect()
    }
}
