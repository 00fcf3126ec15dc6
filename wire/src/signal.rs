//! What a signal is: identity, unit, resolution, range, source, column.

use std::fmt;

/// Identity of a signal on the wire and in `signal_sample`.
///
/// Three ranges share the number space, so that nothing a machine reports is lost for want of a name:
/// catalogued signals below 65,536; raw process data at 65,536 + DDI; raw J1939 parameters at 1,048,576 + SPN.
/// Raw values are carried as the integers the machine sent, in units only its maker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(u32);

impl SignalId {
    /// Numbers below this are catalogued signals; from it on they carry what a maker reports under its own number.
    pub const RAW_DDI: u32 = 0x0001_0000;
    const RAW_SPN: u32 = 0x0010_0000;
    /// One past the greatest suspect parameter number (19 bits).
    pub const SPN_END: u32 = 1 << 19;

    pub(crate) const fn catalogued(number: u32) -> Self {
        assert!(number < Self::RAW_DDI);
        Self(number)
    }

    /// Process data that the catalogue does not name, by its ISO 11783-11 identifier.
    pub const fn raw_ddi(ddi: u16) -> Self {
        Self(Self::RAW_DDI + ddi as u32)
    }

    /// A J1939 parameter that the catalogue does not name; none when `spn` has more than 19 bits.
    pub const fn raw_spn(spn: u32) -> Option<Self> {
        if spn < Self::SPN_END { Some(Self(Self::RAW_SPN + spn)) } else { None }
    }

    /// Accepts a number from the wire or the database: a catalogued signal or one of the raw ranges.
    pub fn parse(number: u32) -> Option<Self> {
        let id = Self(number);
        (id.ddi().is_some() || id.spn().is_some() || crate::catalogue::find(id).is_some()).then_some(id)
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The identifier of raw process data.
    pub fn ddi(self) -> Option<u16> {
        self.0.checked_sub(Self::RAW_DDI).and_then(|ddi| u16::try_from(ddi).ok())
    }

    /// The number of a raw J1939 parameter.
    pub fn spn(self) -> Option<u32> {
        self.0.checked_sub(Self::RAW_SPN).filter(|spn| *spn < Self::SPN_END)
    }

    /// Reads the name as JSON frames write it: `engine_speed_rpm`, `ddi_ea60`, `spn_520192`.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some(signal) = crate::catalogue::by_name(name) {
            return Some(signal.id);
        }
        if let Some(ddi) = name.strip_prefix("ddi_") {
            return u16::from_str_radix(ddi, 16).ok().map(Self::raw_ddi);
        }
        name.strip_prefix("spn_").and_then(|spn| spn.parse().ok()).and_then(Self::raw_spn)
    }

    /// What one step of the integer on the wire is worth; raw ranges have no scale and pass through.
    pub fn resolution(self) -> Resolution {
        crate::catalogue::find(self).map_or(Resolution::PLAIN, |signal| signal.resolution)
    }

    /// The physical value behind a raw integer; raw ranges have no scale and pass through.
    pub fn physical(self, raw: i64) -> f64 {
        self.resolution().physical(raw)
    }

    /// The nearest raw integer behind a physical value; none for NaN, infinities and what 63 bits cannot hold.
    pub fn raw(self, physical: f64) -> Option<i64> {
        self.resolution().raw(physical)
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(signal) = crate::catalogue::find(*self) {
            f.write_str(signal.name)
        } else if let Some(ddi) = self.ddi() {
            write!(f, "ddi_{ddi:04x}")
        } else if let Some(spn) = self.spn() {
            write!(f, "spn_{spn}")
        } else {
            write!(f, "signal_{}", self.0)
        }
    }
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Signal {
    /// Number on the wire.
    pub id: SignalId,
    /// Name with its unit, as in JSON, SQL and configuration.
    pub name: &'static str,
    /// Unit of the physical value; `enum`, `switch`, `count` and `1` have none.
    pub unit: &'static str,
    /// What one step of the integer on the wire is worth.
    pub resolution: Resolution,
    /// Physical limits, inclusive: a reading outside is no measurement and is refused.
    pub valid: (f64, f64),
    /// What a healthy machine of the fleet shows, inclusive.
    pub usual: (f64, f64),
    /// Where the number comes from on the machine.
    pub source: Source,
    /// Where the store keeps it.
    pub column: Column,
    /// Which machines report it.
    pub kinds: MachineKinds,
    /// How values of this signal relate over time.
    pub behaviour: Behaviour,
    /// Plain words for people.
    pub meaning: &'static str,
}

impl Signal {
    /// The valid range as raw integers, inclusive.
    pub fn valid_raw(&self) -> (i64, i64) {
        let bound = |physical| self.resolution.raw(physical).expect("a test holds the catalogue's limits to i64");
        (bound(self.valid.0), bound(self.valid.1))
    }
}

/// Worth of one raw step as an exact fraction: physical = raw × numerator ÷ denominator. There is no offset:
/// every J1939 offset is a whole number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// Dividend.
    pub numerator: u32,
    /// Divisor, never zero.
    pub denominator: u32,
}

impl Resolution {
    /// One step is worth one.
    pub const PLAIN: Self = Self { numerator: 1, denominator: 1 };

    /// The physical value of a raw integer.
    pub fn physical(self, raw: i64) -> f64 {
        raw as f64 * f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// The nearest raw integer, halves away from zero; none for NaN, infinities and what 63 bits cannot hold.
    pub fn raw(self, physical: f64) -> Option<i64> {
        let steps = physical * f64::from(self.denominator);
        // Most resolutions divide by one, and a division takes longer than all the rest.
        let steps = if self.numerator == 1 { steps } else { steps / f64::from(self.numerator) };
        // `f64::round` is a call into the C library on plain x86-64; the fraction below is exact, so this is the same.
        let whole = steps as i64;
        let fraction = steps - whole as f64;
        (steps.abs() < 9.2e18).then(|| whole + i64::from(fraction >= 0.5) - i64::from(fraction <= -0.5))
    }
}

/// Where a signal comes from on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// SAE J1939 suspect parameter number.
    Spn(u32),
    /// ISO 11783-11 data dictionary identifier.
    Ddi(u16),
    /// Defined by this project; the unit scales it.
    Project,
}

/// Where the store keeps a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A column of the `sample` table, named like the signal.
    Wide(SqlType),
    /// A row of `signal_sample`.
    Narrow,
}

/// Type of a wide column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    /// `smallint`, for states.
    SmallInt,
    /// `real`.
    Real,
    /// `double precision`, for positions and counters.
    Double,
}

/// How values of a signal relate over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Moves freely; a mean makes sense.
    Gauge,
    /// Only grows, until it is reset or wraps; a difference makes sense.
    Counter,
    /// A code or a switch; holds until the next report.
    State,
}

/// A set of machine kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineKinds(u16);

impl MachineKinds {
    /// Wheeled tractors.
    pub const TRACTOR: Self = Self(1);
    /// Grain combines.
    pub const COMBINE: Self = Self(1 << 1);
    /// Forage harvesters.
    pub const FORAGE: Self = Self(1 << 2);
    /// Implements with a controller of their own.
    pub const IMPLEMENT: Self = Self(1 << 3);
    /// Flax pullers, turners, balers.
    pub const FLAX: Self = Self(1 << 4);
    /// Forwarders and timber harvesters.
    pub const FOREST: Self = Self(1 << 5);
    /// Peat harvesters and millers.
    pub const PEAT: Self = Self(1 << 6);
    /// Stationary grain dryers.
    pub const DRYER: Self = Self(1 << 7);
    /// Fire tankers and forest-fire tractors.
    pub const FIRE: Self = Self(1 << 8);

    /// Everything that harvests a crop.
    pub const HARVESTER: Self = Self(Self::COMBINE.0 | Self::FORAGE.0 | Self::FLAX.0 | Self::PEAT.0);
    /// Everything that drives.
    pub const VEHICLE: Self =
        Self(Self::TRACTOR.0 | Self::COMBINE.0 | Self::FORAGE.0 | Self::FLAX.0 | Self::FOREST.0 | Self::FIRE.0);
    /// Everything with a diesel engine.
    pub const ENGINE: Self = Self::VEHICLE;
    /// Everything that does field work.
    pub const WORK: Self = Self(Self::TRACTOR.0 | Self::HARVESTER.0 | Self::IMPLEMENT.0);
    /// Every kind.
    pub const ANY: Self = Self(0x1ff);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::TRACTOR, "tractor"),
        (Self::COMBINE, "combine"),
        (Self::FORAGE, "forage"),
        (Self::IMPLEMENT, "implement"),
        (Self::FLAX, "flax"),
        (Self::FOREST, "forest"),
        (Self::PEAT, "peat"),
        (Self::DRYER, "dryer"),
        (Self::FIRE, "fire"),
    ];

    /// The kinds in the set, by name.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(kind, _)| self.meets(*kind)).map(|(_, name)| name)
    }

    /// Whether the two sets share a kind.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_physical_value_goes_to_the_nearest_step_halves_away_from_zero(
            physical in prop_oneof![any::<f64>(), -1e6..1e6f64, (-4_000_000..4_000_000i64).prop_map(|n| n as f64 / 8.0)],
            numerator in 1u32..20, denominator in prop::sample::select(vec![1u32, 2, 5, 8, 256, 1000, 10_000_000]),
        ) {
            let nearest = (physical * f64::from(denominator) / f64::from(numerator)).round();
            let expected = (nearest.abs() < 9.2e18).then_some(nearest as i64);
            prop_assert_eq!(Resolution { numerator, denominator }.raw(physical), expected);
        }
    }

    #[test]
    fn raw_signals_go_by_their_identifier_in_any_spelling() {
        assert_eq!(SignalId::by_name("ddi_EA60"), Some(SignalId::raw_ddi(0xea60)));
        assert_eq!(SignalId::raw_ddi(0xea60).to_string(), "ddi_ea60");
        assert_eq!(SignalId::by_name("spn_520192"), SignalId::raw_spn(520_192));
        assert_eq!(SignalId::by_name("spn_524288"), None);
        assert_eq!(SignalId::by_name("ddi_10000"), None);
        assert_eq!(SignalId::parse(0x0010_0000 + 524_288), None);
        assert_eq!(MachineKinds::WORK.names().last(), Some("peat"));
    }
}
