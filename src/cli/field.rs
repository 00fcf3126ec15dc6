//! `polevod field`: the fields of the farms. What was computed with them follows at once.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use serde_json::json;
use tokio_postgres::{GenericClient, Transaction};

use crate::config::Config;
use crate::derive::field::{Boundary, FieldId, Fields, LatLon, RawBoundary, Rules};
use crate::derive::fieldwork::Place;
use crate::exchange::export::GeoJson;
use crate::exchange::import;
use crate::recompute;
use crate::store::field::{self as stored, FieldRow, NewField};
use crate::store::work::{SessionFilter, work_session, work_sessions};
use crate::store::{self, StoreError};

/// A new field may share so much of the smaller one with a neighbour.
const SLIVER_SHARE: f64 = 0.02;
const M2_PER_HA: f64 = 10_000.0;

/// What `field` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
WHICH is a field's number, its code, or its name. Many fields at once come in with `polevod import`.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List fields.
    List {
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Show a field with its work and what its boundary was before.
    Show {
        /// Which.
        which: String,
        /// As GeoJSON.
        #[arg(long)]
        geojson: bool,
    },
    /// Enter a field.
    Add {
        /// What people call it.
        name: String,
        #[command(flatten)]
        shape: Shape,
        #[command(flatten)]
        words: Words,
        /// Take it although it lies on another field.
        #[arg(long)]
        allow_overlap: bool,
    },
    /// Change what is said of a field, or its boundary.
    Set {
        /// Which.
        which: String,
        /// A new name.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        shape: Shape,
        #[command(flatten)]
        words: Words,
    },
    /// Make a field of the ground that a session outside known fields worked.
    Accept {
        /// Number of the session; `polevod sessions` lists them.
        session: i64,
        /// What to call the field; without it, as the session's task does.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        words: Words,
    },
    /// Take a field out of use. Work on it becomes work outside known fields.
    Remove {
        /// Which.
        which: String,
    },
}

#[derive(Debug, clap::Args)]
struct Words {
    /// The farm's code for it.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Its farm.
    #[arg(long, value_name = "NAME")]
    farm: Option<String>,
    /// What grows there.
    #[arg(long, value_name = "NAME")]
    crop: Option<String>,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Shape {
    /// File with its boundary: GeoJSON, KML, task data; it must hold one field, or one of that name.
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// Its corners: `lat,lon lat,lon lat,lon …`, degrees.
    #[arg(long, value_name = "PLACES")]
    corners: Option<String>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut client = store::connect(&config.database).await?;
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    let said = match arguments.action {
        Action::List { json } => list(&transaction, json).await?,
        Action::Show { which, geojson } => {
            recompute::catch_up(config).await?;
            show(&transaction, &which, geojson).await?
        }
        Action::Add { name, shape, words, allow_overlap } => {
            let (boundary, source, mut said) =
                shape.boundary(&name)?.context("a field needs --boundary or --corners")?;
            said += &add(&transaction, name, words, boundary, source, allow_overlap).await?;
            said
        }
        Action::Set { which, name, shape, words } => {
            let row = find(&transaction, &which).await?;
            let name = name.unwrap_or(row.field.name);
            let (boundary, source, mut said) = match shape.boundary(&name)? {
                Some(given) => given,
                None => (row.field.boundary, row.source, String::new()),
            };
            let area_ha = boundary.area_ha();
            stored::change_field(&transaction, row.field.id, &words.with(name.clone(), boundary, source)).await?;
            said += &format!("field {} {name:?} is set, {area_ha:.2} ha\n", row.field.id.0);
            said
        }
        Action::Accept { session, name, words } => accept(&transaction, session, name, words).await?,
        Action::Remove { which } => {
            let row = find(&transaction, &which).await?;
            stored::remove_field(&transaction, row.field.id).await?;
            format!("field {} {:?} is out of use\n", row.field.id.0, row.field.name)
        }
    };
    transaction.commit().await.map_err(StoreError::from)?;
    recompute::catch_up(config).await?;
    say_text!("{said}");
    Ok(ExitCode::SUCCESS)
}

impl Words {
    fn with(self, name: String, boundary: Boundary, source: String) -> NewField {
        NewField { name, code: self.code, farm: self.farm, crop: self.crop, boundary, source }
    }
}

impl Shape {
    /// The boundary that is given, where it comes from, and what was mended.
    fn boundary(&self, name: &str) -> anyhow::Result<Option<(Boundary, String, String)>> {
        if let Some(corners) = &self.corners {
            let (boundary, told) = built(corners)?;
            return Ok(Some((boundary, "given corners".into(), told)));
        }
        let Some(file) = &self.boundary else { return Ok(None) };
        let (sources, mut problems) = import::open(file)?;
        let (found, told) = import::gather(&sources, &Rules::default());
        problems.extend(told);
        let told: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        let mut fields = found.fields;
        if fields.len() > 1 {
            fields.retain(|field| field.name == name);
        }
        match (fields.pop(), fields.is_empty()) {
            (Some(field), true) => Ok(Some((field.boundary, field.file, told))),
            (Some(_), false) => bail!("{told}{} holds several fields called {name:?}", file.display()),
            (None, _) => bail!("{told}{} holds no field to take, or several and none called {name:?}", file.display()),
        }
    }
}

/// Corners as people type them.
fn built(corners: &str) -> anyhow::Result<(Boundary, String)> {
    let corner = |corner: &str| -> anyhow::Result<LatLon> {
        let (lat, lon) = corner.split_once(',').with_context(|| format!("{corner:?} is not lat,lon"))?;
        let degrees = |text: &str| text.parse::<f64>().with_context(|| format!("{text:?} in {corner:?} is no number"));
        Ok(LatLon { lat_deg: degrees(lat)?, lon_deg: degrees(lon)? })
    };
    let outer = corners.split_whitespace().map(corner).collect::<anyhow::Result<Vec<_>>>()?;
    build(outer)
}

fn build(outer: Vec<LatLon>) -> anyhow::Result<(Boundary, String)> {
    let raw = RawBoundary { outers: vec![outer], ..RawBoundary::default() };
    let built = Boundary::build(&raw, &Rules::default())?;
    Ok((built.boundary, built.mends.iter().map(|mend| format!("{mend}\n")).collect()))
}

async fn add(
    transaction: &Transaction<'_>,
    name: String,
    words: Words,
    boundary: Boundary,
    source: String,
    allow_overlap: bool,
) -> anyhow::Result<String> {
    let known = stored::fields(transaction).await?;
    let is_same = |row: &&FieldRow| {
        let same_farm = row.field.farm == words.farm;
        same_farm && if words.code.is_some() { row.field.code == words.code } else { row.field.name == name }
    };
    if let Some(row) = known.iter().find(is_same) {
        let id = row.field.id.0;
        bail!("field {id} {:?} is that already; change it with `polevod field set {id}`", row.field.name);
    }
    let known = Fields::new(known.into_iter().map(|row| row.field));
    if !allow_overlap {
        for (other, shared_m2) in known.sharing(&boundary) {
            let share = shared_m2 / other.boundary.area_m2().min(boundary.area_m2());
            ensure!(
                share <= SLIVER_SHARE,
                "{:.2} ha ({:.0} %) lie on field {} {:?}; mend the boundary or give --allow-overlap",
                shared_m2 / M2_PER_HA,
                share * 100.0,
                other.id.0,
                other.name
            );
        }
    }
    let area_ha = boundary.area_ha();
    let FieldId(id) = stored::enter_field(transaction, &words.with(name.clone(), boundary, source)).await?;
    Ok(format!("field {id} {name:?} is entered, {area_ha:.2} ha\n"))
}

/// The boundary that a session proposes becomes a field.
async fn accept(transaction: &Transaction<'_>, id: i64, name: Option<String>, words: Words) -> anyhow::Result<String> {
    let row = work_session(transaction, id).await?;
    let row = row.with_context(|| format!("there is no session {id}; `polevod sessions` lists them"))?;
    let (called, outline) = match row.session.place {
        Place::Outside { name, proposed_boundary } => (name, proposed_boundary),
        Place::Field { field_id, name, .. } => bail!("session {id} is on a field already: {field_id} {name:?}"),
    };
    let name = name.or(called).context("the session's task names no field: give --name")?;
    ensure!(!outline.is_empty(), "session {id} proposes no boundary: its positions or its width are not known");
    let corners = outline.iter().map(|[lat_deg, lon_deg]| LatLon { lat_deg: *lat_deg, lon_deg: *lon_deg });
    let (boundary, mut said) = build(corners.collect())?;
    said += &add(transaction, name, words, boundary, format!("session {id}"), false).await?;
    Ok(said)
}

/// A field by number, code or name.
pub(super) async fn find(client: &impl GenericClient, which: &str) -> anyhow::Result<FieldRow> {
    let rows = stored::fields(client).await?;
    let number: Option<i64> = which.parse().ok();
    let alike = |is: &dyn Fn(&FieldRow) -> bool| rows.iter().filter(|row| is(row)).cloned().collect::<Vec<_>>();
    let found = [
        alike(&|row| row.field.code.as_deref() == Some(which)),
        alike(&|row| row.field.name == which),
        alike(&|row| number == Some(row.field.id.0)),
        alike(&|row| row.field.name.to_lowercase() == which.to_lowercase()),
    ];
    let mut found = found.into_iter().find(|rows| !rows.is_empty()).unwrap_or_default();
    match (found.len(), found.pop()) {
        (1, Some(row)) => Ok(row),
        (0, _) | (_, None) => bail!("there is no field {which:?}; `polevod field list` lists them"),
        (_, Some(last)) => {
            let numbers: Vec<String> = found.iter().chain([&last]).map(|row| row.field.id.0.to_string()).collect();
            bail!("{which:?} names several fields; give one of the numbers {}", numbers.join(", "))
        }
    }
}

async fn list(client: &impl GenericClient, as_json: bool) -> anyhow::Result<String> {
    let rows = stored::fields(client).await?;
    if as_json {
        let listed: Vec<_> = rows.iter().map(described).collect();
        return Ok(format!("{}\n", serde_json::to_string_pretty(&listed)?));
    }
    if rows.is_empty() {
        return Ok("no field yet: `polevod import FILE` brings them, or `polevod field add`\n".into());
    }
    let mut table = vec![["id", "field", "code", "farm", "crop", "ha", "parts", "holes", "from"].map(String::from)];
    for row in &rows {
        let dash = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".into());
        let field = &row.field;
        let parts = field.boundary.polygons();
        table.push([
            field.id.0.to_string(),
            field.name.clone(),
            dash(&field.code),
            dash(&field.farm),
            dash(&field.crop),
            format!("{:.2}", field.boundary.area_ha()),
            parts.len().to_string(),
            parts.iter().map(|part| part.holes.len()).sum::<usize>().to_string(),
            row.source.clone(),
        ]);
    }
    Ok(super::table::aligned(&table, &[0, 5, 6, 7]))
}

fn described(row: &FieldRow) -> serde_json::Value {
    let field = &row.field;
    let centre = field.boundary.centre();
    json!({
        "field_id": field.id.0,
        "name": field.name,
        "code": field.code,
        "farm": field.farm,
        "crop": field.crop,
        "area_ha": field.boundary.area_ha(),
        "centre": {"latitude_deg": centre.lat_deg, "longitude_deg": centre.lon_deg},
        "source": row.source,
        "revision": row.revision,
    })
}

async fn show(client: &impl GenericClient, which: &str, geojson: bool) -> anyhow::Result<String> {
    let row = find(client, which).await?;
    if geojson {
        let mut json = GeoJson::begin(Vec::new())?;
        json.field(&row.field)?;
        return Ok(String::from_utf8(json.finish()?)?);
    }
    let filter = SessionFilter { field_id: Some(row.field.id.0), ..SessionFilter::default() };
    let sessions = work_sessions(client, &filter).await?;
    let mut shown = described(&row);
    shown["sessions"] = sessions.iter().map(|session| session.work_session_id).collect();
    shown["worked_ha"] =
        sessions.iter().filter_map(|row| row.session.area.union_m2).map(|m2| m2 / M2_PER_HA).sum::<f64>().into();
    shown["earlier"] = serde_json::to_value(stored::field_history(client, row.field.id).await?)?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&shown)?))
}
