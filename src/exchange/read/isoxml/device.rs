//! What a machine says about itself: its name on the bus, its elements, and its values with its own words and units.

use std::fmt;

/// A device (`DVC`): a tractor, a harvester, an implement.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Id in this task data, such as `DVC-1`.
    pub id: String,
    /// Name given by the operator or maker.
    pub designator: Option<String>,
    /// Software version.
    pub software: Option<String>,
    /// Its 64-bit NAME on the bus.
    pub name: Option<DeviceName>,
    /// Serial number, as the maker writes it.
    pub serial: Option<String>,
    /// Structure label, hex digits.
    pub structure_label: Option<String>,
    /// Localization label, hex digits.
    pub localization_label: Option<String>,
    /// Its elements: whole device, functions, bins, sections …
    pub elements: Vec<DeviceElement>,
    /// Values that change.
    pub process_data: Vec<ProcessData>,
    /// Values that do not.
    pub properties: Vec<DeviceProperty>,
    /// How values are shown.
    pub presentations: Vec<Presentation>,
}

/// How a device names and shows a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalText<'d> {
    /// The device's own name for the value.
    pub designator: Option<&'d str>,
    /// How it is shown; `None` when the device gives no unit.
    pub presentation: Option<&'d Presentation>,
}

impl Device {
    /// The device's own words for a data dictionary identifier, from its process data or properties.
    pub fn describe(&self, ddi: u16) -> Option<SignalText<'_>> {
        let process = self.process_data.iter().find(|p| p.ddi == ddi);
        let process = process.map(|p| (p.designator.as_deref(), p.presentation));
        let property = self.properties.iter().find(|p| p.ddi == ddi);
        let property = property.map(|p| (p.designator.as_deref(), p.presentation));
        let (designator, presentation) = process.or(property)?;
        let presentation = presentation.and_then(|id| self.presentations.iter().find(|p| p.object_id == id));
        Some(SignalText { designator, presentation })
    }

    /// The element of this id.
    pub fn element(&self, id: &str) -> Option<&DeviceElement> {
        self.elements.iter().find(|e| e.id == id)
    }

    /// Whether `ancestor` holds `element`, directly or through others, or is the same.
    pub fn is_within(&self, element: &DeviceElement, ancestor: &DeviceElement) -> bool {
        let mut object = Some(element.object_id);
        // The number of elements bounds the walk, so a ring of parents ends too.
        for _ in 0..=self.elements.len() {
            match object {
                Some(id) if id == ancestor.object_id => return true,
                Some(id) => {
                    let holder = self.elements.iter().find(|e| e.object_id == id);
                    object = holder.and_then(|e| e.parent).filter(|&parent| parent != 0);
                }
                None => return false,
            }
        }
        false
    }
}

/// The 64-bit NAME of a control function (ISO 11783-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName(pub u64);

impl DeviceName {
    /// Device class of tractors.
    pub const TRACTOR: u8 = 1;
    /// Device class of ploughs and the like.
    pub const PRIMARY_TILLAGE: u8 = 2;
    /// Device class of harrows, cultivators and the like.
    pub const SECONDARY_TILLAGE: u8 = 3;
    /// Device class of planters and seeders.
    pub const SEEDER: u8 = 4;
    /// Device class of fertilizer spreaders.
    pub const FERTILIZER: u8 = 5;
    /// Device class of sprayers.
    pub const SPRAYER: u8 = 6;
    /// Device class of harvesters.
    pub const HARVESTER: u8 = 7;
    /// The manufacturer of nobody: all bits of the code set.
    const NO_MANUFACTURER: u16 = 0x7FF;

    /// A NAME for a device that has none of its own, where the format asks for one. It tells its class; its identity
    /// is made of `unique`, a serial or a name.
    pub fn made_up(class: u8, unique: &str) -> Self {
        let identity = u64::from(crc32c::crc32c(unique.as_bytes())) & 0x1F_FFFF;
        let agriculture_self_configurable = 0b1_010_u64 << 60;
        Self(
            agriculture_self_configurable
                | u64::from(class & 0x7F) << 49
                | u64::from(Self::NO_MANUFACTURER) << 21
                | identity,
        )
    }

    /// Whether the NAME was made up by an office: it identifies nothing.
    pub fn is_made_up(self) -> bool {
        self.manufacturer() == Self::NO_MANUFACTURER
    }

    /// Number given by the maker, 21 bits.
    pub fn identity_number(self) -> u32 {
        (self.0 & 0x1F_FFFF) as u32
    }

    /// Maker, 11 bits, from the list of ISO 11783.
    pub fn manufacturer(self) -> u16 {
        (self.0 >> 21 & 0x7FF) as u16
    }

    /// Function, 8 bits; from 128 on it depends on industry group and device class.
    pub fn function(self) -> u8 {
        (self.0 >> 40) as u8
    }

    /// Device class, 7 bits: 0 non-specific, 1 tractor, 7 harvester …
    pub fn device_class(self) -> u8 {
        (self.0 >> 49 & 0x7F) as u8
    }

    /// Industry group, 3 bits: 0 global, 2 agriculture and forestry.
    pub fn industry_group(self) -> u8 {
        (self.0 >> 60 & 7) as u8
    }

    /// Whether it drives itself: a tractor or a harvester, rather than something behind or on one.
    pub fn is_self_propelled(self) -> bool {
        matches!(self.device_class(), Self::TRACTOR | Self::HARVESTER)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// A device element (`DET`).
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceElement {
    /// Id in this task data, such as `DET-1`.
    pub id: String,
    /// Number of the object inside the device.
    pub object_id: u16,
    /// 1 device, 2 function, 3 bin, 4 section, 5 unit, 6 connector, 7 navigation.
    pub kind: u8,
    /// The device's own name for it.
    pub designator: Option<String>,
    /// Number among elements.
    pub number: Option<u16>,
    /// Object id of the element that holds it; 0 or `None` for the device itself.
    pub parent: Option<u16>,
    /// Object ids of its process data and properties (`DOR`).
    pub objects: Vec<u16>,
}

/// A value that changes (`DPD`).
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessData {
    /// Number of the object inside the device.
    pub object_id: u16,
    /// Data dictionary identifier.
    pub ddi: u16,
    /// Bits: 1 in the default set, 2 settable, 4 control source.
    pub property_bits: u8,
    /// Bits: 1 time, 2 distance, 4 threshold, 8 on change, 16 total.
    pub trigger_bits: u8,
    /// The device's own name for it.
    pub designator: Option<String>,
    /// Object id of its presentation.
    pub presentation: Option<u16>,
}

/// A value that does not change (`DPT`).
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceProperty {
    /// Number of the object inside the device.
    pub object_id: u16,
    /// Data dictionary identifier.
    pub ddi: u16,
    /// Raw value.
    pub value: i64,
    /// The device's own name for it.
    pub designator: Option<String>,
    /// Object id of its presentation.
    pub presentation: Option<u16>,
}

/// How a raw value is shown (`DVP`): (raw + offset) × scale, with so many decimals and a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    /// Number of the object inside the device.
    pub object_id: u16,
    /// Added to the raw value before scaling.
    pub offset: i64,
    /// Factor.
    pub scale: f64,
    /// Decimals shown.
    pub decimals: u8,
    /// Unit, as the device writes it; `None` when blank.
    pub unit: Option<String>,
}

impl Presentation {
    /// The value as the machine's own display shows it.
    pub fn shown(&self, raw: i32) -> f64 {
        (i64::from(raw) + self.offset) as f64 * self.scale
    }
}
