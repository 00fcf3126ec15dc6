//! The words of ISO 15143-3 as types. Units are those of the standard: hours, litres, kilometres, per cent of 0 to 100.

use jiff::Timestamp;

/// A page of a fleet, or a single machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fleet {
    /// When the server put it together.
    pub snapshot_at: Option<Timestamp>,
    /// Where further pages are.
    pub links: Vec<Link>,
    /// The machines.
    pub equipment: Vec<Equipment>,
}

/// A link to another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Which page it leads to.
    pub rel: Rel,
    /// Its address, absolute or relative.
    pub href: String,
}

/// How a page stands to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rel {
    /// This page.
    Own,
    /// The page before.
    Prev,
    /// The page behind.
    Next,
    /// The last page.
    Last,
}

/// One machine with what is known of it. What is not known is absent: a zero is a measurement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Equipment {
    /// Who it is.
    pub header: Header,
    /// Where it was.
    pub location: Option<Timed<Location>>,
    /// Counters and levels, each with its own time.
    pub values: Values,
    /// Whether its engine runs.
    pub engine: Option<Timed<EngineStatus>>,
    /// What is left in the fuel tank.
    pub fuel_remaining: Option<Timed<Remaining>>,
    /// What is left of the diesel exhaust fluid.
    pub def_remaining: Option<Timed<Remaining>>,
}

/// Who a machine is. `None` also where a server writes `missing`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// When the telematics unit was installed; servers write the year 1 for "never".
    pub installed_at: Option<Timestamp>,
    /// Maker.
    pub oem_name: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// What its owner calls it.
    pub equipment_id: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Product identification number.
    pub pin: Option<String>,
}

/// A value and when it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed<T> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: T,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees, north positive.
    pub latitude_deg: f64,
    /// Degrees, east positive.
    pub longitude_deg: f64,
    /// Metres.
    pub altitude_m: Option<f64>,
}

/// State of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStatus {
    /// Which of several.
    pub number: Option<String>,
    /// Whether it runs.
    pub is_running: bool,
}

/// Level of a tank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Remaining {
    /// Per cent.
    pub percent: f64,
    /// Litres it holds; servers write 0 for "unknown".
    pub capacity_l: Option<f64>,
}

/// A counter or a level that is a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Hours the engine ran.
    OperatingHours,
    /// Hours at idle.
    IdleHours,
    /// Hours at idle with the machine unable to work.
    IdleNonOperatingHours,
    /// Hours with the power take-off engaged.
    PowerTakeOffHours,
    /// Hours of active regeneration of the particulate filter.
    ActiveRegenerationHours,
    /// Litres burned over the machine's life.
    FuelUsed,
    /// Litres burned in the last 24 hours.
    FuelUsedLast24,
    /// Kilometres over the machine's life.
    Distance,
    /// Average load of the last 24 hours, per cent.
    LoadFactorLast24,
    /// Highest speed of the last 24 hours, km/h.
    MaximumSpeedLast24,
    /// Loads moved.
    LoadCount,
    /// Kilograms moved.
    Payload,
}

/// The plain numbers of a machine, in the order of the standard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(Vec<(Metric, Timed<f64>)>);

impl Values {
    /// Sets a value.
    pub fn set(&mut self, metric: Metric, at: Timestamp, value: f64) {
        let place = self.0.partition_point(|(known, _)| *known < metric);
        match self.0.get_mut(place) {
            Some((known, old)) if *known == metric => *old = Timed { at, value },
            _ => self.0.insert(place, (metric, Timed { at, value })),
        }
    }

    /// A value, where it is known.
    pub fn get(&self, metric: Metric) -> Option<Timed<f64>> {
        self.0.iter().find(|(known, _)| *known == metric).map(|(_, value)| *value)
    }

    /// Every value that is known.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, Timed<f64>)> {
        self.0.iter().copied()
    }
}

impl Equipment {
    /// Whether anything is known of it but its header.
    pub fn has_data(&self) -> bool {
        *self != Self { header: self.header.clone(), ..Self::default() }
    }
}

/// What a time series is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Places.
    Locations,
    /// A plain number.
    Number(Metric),
    /// Level of the fuel tank.
    FuelRemaining,
    /// Level of the diesel exhaust fluid.
    DefRemaining,
    /// Whether the engine runs.
    EngineCondition,
    /// Trouble codes.
    Faults,
}

/// A page of a time series of one machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Where further pages are.
    pub links: Vec<Link>,
    /// Each entry holds one value of the resource.
    pub entries: Vec<Equipment>,
    /// Trouble codes, where the resource is those.
    pub faults: Vec<Fault>,
}

/// A trouble code as the standard tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// When it was seen.
    pub at: Timestamp,
    /// `SPN/FMI`.
    pub identifier: String,
    /// In words.
    pub description: String,
    /// How bad.
    pub severity: String,
    /// Who reported it.
    pub source: String,
}

/// Element, element of the number, element and word of the unit.
pub(super) struct Words {
    pub(super) metric: Metric,
    pub(super) element: &'static str,
    pub(super) number: &'static str,
    pub(super) unit: Option<(&'static str, Unit)>,
}

/// Units of the standard, with those that servers of other lands use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Litre,
    Kilometre,
    Metre,
    KilometrePerHour,
    Kilogram,
}

impl Unit {
    /// The word of the standard.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Litre => "litre",
            Self::Kilometre => "kilometre",
            Self::Metre => "metre",
            Self::KilometrePerHour => "kilometre per hour",
            Self::Kilogram => "kilogram",
        }
    }

    /// What one of the named unit is worth; `None` for a unit nobody knows.
    pub(super) fn factor_of(self, word: &str) -> Option<f64> {
        let word = word.trim().to_ascii_lowercase().replace(['-', '_'], " ");
        let word = word.strip_suffix('s').unwrap_or(&word);
        let factor = match (self, word) {
            (Self::Litre, "litre" | "liter" | "l") => 1.0,
            (Self::Litre, "gallon" | "us gallon" | "gal") => 3.785_411_784,
            (Self::Litre, "imperial gallon" | "uk gallon") => 4.546_09,
            (Self::Kilometre, "kilometre" | "kilometer" | "km") => 1.0,
            (Self::Kilometre | Self::KilometrePerHour, "mile" | "mi" | "mph" | "mile per hour" | "miles per hour") => {
                1.609_344
            }
            (Self::Metre, "metre" | "meter" | "m") => 1.0,
            (Self::Metre, "foot" | "feet" | "ft") => 0.304_8,
            (
                Self::KilometrePerHour,
                "kilometre per hour" | "kilometer per hour" | "km/h" | "kph" | "kmh" | "kilometre" | "kilometer",
            ) => 1.0,
            (Self::Kilogram, "kilogram" | "kg") => 1.0,
            (Self::Kilogram, "pound" | "lb") => 0.453_592_37,
            (Self::Kilogram, "tonne" | "metric ton" | "t") => 1000.0,
            (Self::Kilogram, "ton" | "short ton") => 907.184_74,
            _ => return None,
        };
        Some(factor)
    }
}

/// The plain numbers in the order of the standard.
pub(super) const WORDS: [Words; 12] = [
    hours(Metric::OperatingHours, "CumulativeOperatingHours"),
    hours(Metric::IdleHours, "CumulativeIdleHours"),
    hours(Metric::IdleNonOperatingHours, "CumulativeIdleNonOperatingHours"),
    hours(Metric::PowerTakeOffHours, "CumulativePowerTakeOffHours"),
    hours(Metric::ActiveRegenerationHours, "CumulativeActiveRegenerationHours"),
    with_unit(Metric::FuelUsed, "FuelUsed", "FuelConsumed", ("FuelUnits", Unit::Litre)),
    with_unit(Metric::FuelUsedLast24, "FuelUsedLast24", "FuelConsumed", ("FuelUnits", Unit::Litre)),
    with_unit(Metric::Distance, "Distance", "Odometer", ("OdometerUnits", Unit::Kilometre)),
    Words { metric: Metric::LoadFactorLast24, element: "AverageLoadFactorLast24", number: "Percent", unit: None },
    with_unit(Metric::MaximumSpeedLast24, "MaximumSpeedLast24", "SpeedValue", ("SpeedUnits", Unit::KilometrePerHour)),
    Words { metric: Metric::LoadCount, element: "CumulativeLoadCount", number: "Count", unit: None },
    with_unit(Metric::Payload, "CumulativePayloadTotals", "Payload", ("PayloadUnits", Unit::Kilogram)),
];

const fn hours(metric: Metric, element: &'static str) -> Words {
    Words { metric, element, number: "Hour", unit: None }
}

const fn with_unit(metric: Metric, element: &'static str, number: &'static str, unit: (&'static str, Unit)) -> Words {
    Words { metric, element, number, unit: Some(unit) }
}

impl Metric {
    pub(super) fn words(self) -> &'static Words {
        WORDS.iter().find(|words| words.metric == self).expect("the table has every metric")
    }
}

impl Resource {
    /// The resources by the word in the address of a time series.
    const WORDS: [(&'static str, Self); 13] = [
        ("Locations", Self::Locations),
        ("CumulativeOperatingHours", Self::Number(Metric::OperatingHours)),
        ("CumulativeIdleHours", Self::Number(Metric::IdleHours)),
        ("CumulativePowerTakeOffHours", Self::Number(Metric::PowerTakeOffHours)),
        ("FuelUsed", Self::Number(Metric::FuelUsed)),
        ("CumulativeFuelUsed", Self::Number(Metric::FuelUsed)),
        ("Distance", Self::Number(Metric::Distance)),
        ("AverageLoadFactorLast24", Self::Number(Metric::LoadFactorLast24)),
        ("MaximumSpeedLast24", Self::Number(Metric::MaximumSpeedLast24)),
        ("FuelRemainingRatio", Self::FuelRemaining),
        ("DEFRemainingRatio", Self::DefRemaining),
        ("EngineCondition", Self::EngineCondition),
        ("Faults", Self::Faults),
    ];

    /// The resource of a word in an address, whatever its case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, resource)| *resource)
    }

    /// The word in the address.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, known)| *known == self).expect("the table has every resource of ours").0
    }

    /// Every word, for a message.
    pub fn known() -> String {
        Self::WORDS.map(|(word, _)| word).join(", ")
    }

    /// The element that an entry of the series stands in.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Locations => "Location",
            Self::Number(metric) => metric.words().element,
            Self::FuelRemaining => "FuelRemaining",
            Self::DefRemaining => "DEFRemaining",
            Self::EngineCondition => "EngineStatus",
            Self::Faults => "FaultCode",
        }
    }
}

impl Rel {
    /// The word of the standard.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Prev => "prev",
            Self::Next => "next",
            Self::Last => "last",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Own, Self::Prev, Self::Next, Self::Last].into_iter().find(|rel| rel.word().eq_ignore_ascii_case(word))
    }
}
