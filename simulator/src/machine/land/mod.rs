//! The land: districts, farms with their fields and roads, what grows there, and the weather.

mod district;
mod farm;
mod noise;
mod weather;

pub use district::NetworkCoverage;
pub(crate) use district::{District, farm_sites};
pub(crate) use farm::{Farm, Field};
pub(crate) use noise::{hash, smooth};
pub(crate) use weather::Weather;
