//! A field as a file describes it, before anything about it is checked.

use crate::derive::field::RawBoundary;

/// Fields taken from one file. The largest farms of the region have some thousands.
pub const MAX_OUTLINES: usize = 50_000;

/// A field as a file describes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// What the file calls it, for messages; `feature 3` where it has no name.
    pub label: String,
    /// Its id inside the file.
    pub key: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Code.
    pub code: Option<String>,
    /// Name of its farm.
    pub farm: Option<String>,
    /// Crop.
    pub crop: Option<String>,
    /// Area the file claims, m².
    pub declared_area_m2: Option<f64>,
    /// Its rings.
    pub rings: RawBoundary,
}

/// What the properties of a feature say about a field. Offices and people name them in many ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Name,
    Code,
    Farm,
    Crop,
    AreaHa,
    AreaM2,
}

/// Property names, lower case, in order of preference within a meaning.
const PROPERTIES: &[(&str, Meaning)] = &[
    ("name", Meaning::Name),
    ("field_name", Meaning::Name),
    ("fieldname", Meaning::Name),
    ("title", Meaning::Name),
    ("название", Meaning::Name),
    ("наименование", Meaning::Name),
    ("имя", Meaning::Name),
    ("поле", Meaning::Name),
    ("field", Meaning::Name),
    ("field_code", Meaning::Code),
    ("code", Meaning::Code),
    ("number", Meaning::Code),
    ("код", Meaning::Code),
    ("номер", Meaning::Code),
    ("номер_поля", Meaning::Code),
    ("farm", Meaning::Farm),
    ("farm_name", Meaning::Farm),
    ("farmname", Meaning::Farm),
    ("хозяйство", Meaning::Farm),
    ("crop", Meaning::Crop),
    ("crop_name", Meaning::Crop),
    ("культура", Meaning::Crop),
    ("area_ha", Meaning::AreaHa),
    ("площадь_га", Meaning::AreaHa),
    ("declared_area_m2", Meaning::AreaM2),
    ("area_m2", Meaning::AreaM2),
];

const M2_PER_HA: f64 = 10_000.0;

impl Outline {
    /// Takes from named properties what they say about the field; what is set already stays.
    pub(super) fn describe<'p>(&mut self, properties: impl IntoIterator<Item = (&'p str, String)>) {
        let known: Vec<(String, String)> = properties
            .into_iter()
            .map(|(name, value)| (name.trim().to_lowercase().replace(' ', "_"), value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for (property, meaning) in PROPERTIES {
            let Some((_, value)) = known.iter().find(|(name, _)| name == property) else { continue };
            let number = || value.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite());
            let text = match meaning {
                Meaning::Name => &mut self.name,
                Meaning::Code => &mut self.code,
                Meaning::Farm => &mut self.farm,
                Meaning::Crop => &mut self.crop,
                Meaning::AreaHa => {
                    self.declared_area_m2 = self.declared_area_m2.or(number().map(|ha| ha * M2_PER_HA));
                    continue;
                }
                Meaning::AreaM2 => {
                    self.declared_area_m2 = self.declared_area_m2.or(number());
                    continue;
                }
            };
            text.get_or_insert_with(|| value.clone());
        }
    }
}
