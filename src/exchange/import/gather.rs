//! From the elements of files to what the registry holds.

use std::collections::BTreeMap;

use crate::derive::field::{Boundary, LatLon, RawBoundary, Rules};

use super::super::read::isoxml::{self, Device, Field, Polygon, PolygonKind, TaskData};
use super::super::read::outline::Outline;
use super::super::read::{At, Problem, Problems, geojson, kml};
use super::{Defect, Source};

/// Declared and measured area may differ by this share without a word.
const AREA_TOLERANCE: f64 = 0.05;
/// Polygon kind "main field": the field without its headland, the outline where no boundary is given.
const MAIN_FIELD: PolygonKind = PolygonKind::Other(9);
/// Data dictionary identifiers of a working width, the most telling first: actual, default, greatest.
const WIDTH_DDIS: [u16; 3] = [67, 68, 70];
const M2_PER_HA: f64 = 10_000.0;

/// What files hold that the registry takes.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Farms with their customers.
    pub farms: Vec<Farm>,
    /// People.
    pub workers: Vec<Worker>,
    /// What hangs on tractors.
    pub implements: Vec<Implement>,
    /// Fields with sound boundaries.
    pub fields: Vec<FieldDraft>,
}

/// A farm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farm {
    /// Name.
    pub name: String,
    /// The customer it belongs to.
    pub customer: Option<String>,
}

/// A person who works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// First and last name.
    pub name: String,
}

/// An implement.
#[derive(Debug, Clone, PartialEq)]
pub struct Implement {
    /// Name, as its controller or the operator gives it.
    pub name: String,
    /// Serial number.
    pub serial: Option<String>,
    /// 64-bit NAME on the bus, 16 hex digits.
    pub iso_name: Option<String>,
    /// Working width, m.
    pub width_m: Option<f64>,
}

/// A field to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDraft {
    /// File it comes from.
    pub file: String,
    /// What people call it.
    pub name: String,
    /// The farm's code for it.
    pub code: Option<String>,
    /// Name of its farm.
    pub farm: Option<String>,
    /// What grows there.
    pub crop: Option<String>,
    /// Where it lies.
    pub boundary: Boundary,
}

/// Gathers what sources hold.
pub fn gather(sources: &[Source], rules: &Rules) -> (Import, Vec<Problem<Defect>>) {
    let mut import = Import::default();
    let mut problems = Vec::new();
    for source in sources {
        let before = import.len();
        let (name, found) = match source {
            Source::GeoJson { name, bytes } => {
                let (outlines, found) = geojson::read(name, bytes);
                problems.extend(found.into_iter().map(|problem| problem.map(Defect::from)));
                (name, outlines)
            }
            Source::Kml { name, bytes } => {
                let (outlines, found) = kml::read(name, bytes);
                problems.extend(found.into_iter().map(|problem| problem.map(Defect::from)));
                (name, outlines)
            }
            Source::TaskData { name, files } => {
                let set = isoxml::read(files);
                // Logs are no business of an import: what is wrong with them is told by a replay.
                let of_data =
                    set.problems.into_iter().filter(|problem| !problem.file.to_uppercase().starts_with("TLG"));
                problems.extend(of_data.map(|problem| problem.map(Defect::from)));
                import.people_and_implements(&set.data);
                let mut own = Problems::new(name);
                let outlines = outlines(&set.data, &mut own);
                problems.extend(own.into_vec());
                (name, outlines)
            }
        };
        let mut own = Problems::new(name);
        import.fields.extend(found.into_iter().filter_map(|outline| draft(name, outline, rules, &mut own)));
        if import.len() == before && own.listed().is_empty() {
            own.push(At::File, Defect::Nothing);
        }
        problems.extend(own.into_vec());
    }
    import.farms_of_fields();
    (import, problems)
}

impl Import {
    fn len(&self) -> usize {
        self.farms.len() + self.workers.len() + self.implements.len() + self.fields.len()
    }

    fn people_and_implements(&mut self, data: &TaskData) {
        for farm in &data.farms {
            let customer = data.customers.iter().find(|customer| Some(&customer.id) == farm.customer.as_ref());
            let customer = customer.and_then(|customer| full_name(&customer.first_name, &customer.last_name));
            self.farm(farm.name.clone(), customer);
        }
        // A customer without a farm is a farm of its own: offices that know no farms write it so.
        for customer in &data.customers {
            if !data.farms.iter().any(|farm| farm.customer.as_ref() == Some(&customer.id)) {
                self.farm(full_name(&customer.first_name, &customer.last_name), None);
            }
        }
        for worker in &data.workers {
            if let Some(name) = full_name(&worker.first_name, &worker.last_name)
                && !self.workers.iter().any(|known| known.name == name)
            {
                self.workers.push(Worker { name });
            }
        }
        for device in &data.devices {
            if let Some(implement) = implement(device)
                && !self.implements.contains(&implement)
            {
                self.implements.push(implement);
            }
        }
    }

    fn farm(&mut self, name: Option<String>, customer: Option<String>) {
        let Some(name) = name else { return };
        match self.farms.iter_mut().find(|farm| farm.name == name) {
            Some(known) => known.customer = known.customer.take().or(customer),
            None => self.farms.push(Farm { name, customer }),
        }
    }

    fn farms_of_fields(&mut self) {
        let named: Vec<_> = self.fields.iter().filter_map(|field| field.farm.clone()).collect();
        for name in named {
            self.farm(Some(name), None);
        }
    }
}

/// The fields of task data, references resolved to names.
fn outlines(data: &TaskData, problems: &mut Problems<Defect>) -> Vec<Outline> {
    let farms: BTreeMap<&str, &str> =
        data.farms.iter().filter_map(|farm| Some((farm.id.as_str(), farm.name.as_deref()?))).collect();
    let customers: BTreeMap<&str, String> =
        data.customers.iter().filter_map(|c| Some((c.id.as_str(), full_name(&c.first_name, &c.last_name)?))).collect();
    let mut outlines = Vec::new();
    for field in &data.fields {
        let label = field.name.as_ref().or(field.code.as_ref()).unwrap_or(&field.id).clone();
        let Some(polygons) = outline_of(field) else {
            problems.push(At::File, Defect::NoBoundary(label));
            continue;
        };
        let parent = data.fields.iter().find(|other| Some(&other.id) == field.parent.as_ref() && other.id != field.id);
        if let Some(parent) = parent.filter(|parent| outline_of(parent).is_some()) {
            let parent = parent.name.clone().unwrap_or_else(|| parent.id.clone());
            problems.push(At::File, Defect::PartOfField { field: label, parent });
            continue;
        }
        let crop = data.crops.iter().find(|(id, _)| Some(id) == field.crop.as_ref());
        let farm = field.farm.as_deref().and_then(|id| farms.get(id).map(|name| (*name).to_owned()));
        let customer = field.customer.as_deref().and_then(|id| customers.get(id).cloned());
        let rings = polygons.iter().flat_map(|polygon| &polygon.rings);
        let places = |points: &[(f64, f64)]| {
            points.iter().map(|&(lat_deg, lon_deg)| LatLon { lat_deg, lon_deg }).collect::<Vec<_>>()
        };
        let (holes, outers): (Vec<_>, Vec<_>) = rings.partition(|ring| ring.is_hole);
        outlines.push(Outline {
            label,
            key: Some(field.id.clone()),
            name: field.name.clone(),
            code: field.code.clone(),
            farm: farm.or(customer),
            crop: crop.map(|(_, name)| name.clone()).filter(|name| !name.is_empty()),
            declared_area_m2: field.area_m2.filter(|area| *area > 0).map(|area| area as f64),
            rings: RawBoundary {
                outers: outers.iter().map(|ring| places(&ring.points)).collect(),
                holes: holes.iter().map(|ring| places(&ring.points)).collect(),
                repeats_first_point: false,
            },
        });
    }
    outlines
}

/// The polygons that outline a field.
fn outline_of(field: &Field) -> Option<Vec<&Polygon>> {
    let of_kind = |kind: PolygonKind| {
        let polygons = field.polygons.iter().filter(move |polygon| polygon.kind == kind);
        let with_rings = polygons.filter(|polygon| polygon.rings.iter().any(|ring| !ring.is_hole));
        Some(with_rings.collect::<Vec<_>>()).filter(|polygons| !polygons.is_empty())
    };
    of_kind(PolygonKind::Boundary).or_else(|| of_kind(MAIN_FIELD))
}

fn draft(file: &str, outline: Outline, rules: &Rules, problems: &mut Problems<Defect>) -> Option<FieldDraft> {
    let field = || outline.label.clone();
    let built = match Boundary::build(&outline.rings, rules) {
        Ok(built) => built,
        Err(fault) => {
            problems.push(At::File, Defect::Refused { field: field(), fault });
            return None;
        }
    };
    for mend in built.mends {
        problems.push(At::File, Defect::Mended { field: field(), mend });
    }
    if let Some(declared_m2) = outline.declared_area_m2.filter(|declared| *declared > 0.0) {
        let difference = built.boundary.area_m2() / declared_m2 - 1.0;
        if difference.abs() > AREA_TOLERANCE {
            problems.push(
                At::File,
                Defect::AreaDiffers {
                    field: field(),
                    found_ha: built.boundary.area_ha(),
                    declared_ha: declared_m2 / M2_PER_HA,
                    percent: difference * 100.0,
                },
            );
        }
    }
    Some(FieldDraft {
        file: file.to_owned(),
        name: outline.name.or_else(|| outline.code.clone()).or(outline.key).unwrap_or(outline.label),
        code: outline.code,
        farm: outline.farm,
        crop: outline.crop,
        boundary: built.boundary,
    })
}

/// Anything on the bus that does not drive itself. A device without a NAME tells nothing of its kind and is taken
/// too, unless it has no name at all.
fn implement(device: &Device) -> Option<Implement> {
    if device.name.is_some_and(|name| name.is_self_propelled()) {
        return None;
    }
    let property = |ddi: u16| device.properties.iter().find(|property| property.ddi == ddi && property.value > 0);
    Some(Implement {
        name: device.designator.clone()?,
        serial: device.serial.clone(),
        iso_name: device.name.map(|name| name.to_string()),
        width_m: WIDTH_DDIS.into_iter().find_map(property).map(|property| property.value as f64 / 1000.0),
    })
}

fn full_name(first: &Option<String>, last: &Option<String>) -> Option<String> {
    let words: Vec<&str> = [first, last].into_iter().flatten().map(String::as_str).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
