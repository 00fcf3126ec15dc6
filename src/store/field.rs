//! Fields with their boundaries and revisions, farms, workers. What changes marks the work that it concerns.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row, Transaction};

use super::StoreError;
use super::instant::Instant;
use crate::derive::field::{Boundary, Field, FieldId, Fields, LatLon, NEAR_BUFFER_M, RawBoundary, Region, Ring, Rules};

/// Most fields taken into the index.
pub const FIELDS_MAX: i64 = 100_000;
/// A boundary that is stored was held to the limits when it came: they may have been set wider since.
const STORED: Rules = Rules { area_ha: (0.0, f64::MAX), region: Region::WORLD };
const M_PER_DEGREE: f64 = 111_000.0;

/// A field with what the store knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRow {
    /// The field.
    pub field: Field,
    /// Where its boundary comes from.
    pub source: String,
    /// Counts its changes.
    pub revision: i32,
    /// When it was changed last, Unix milliseconds.
    pub changed_at_ms: i64,
}

/// A field to be entered or changed to.
#[derive(Debug, Clone, PartialEq)]
pub struct NewField {
    /// What people call it.
    pub name: String,
    /// The farm's code for it.
    pub code: Option<String>,
    /// Name of its farm, which is entered where it is not known.
    pub farm: Option<String>,
    /// What grows there.
    pub crop: Option<String>,
    /// Where it lies.
    pub boundary: Boundary,
    /// Where the boundary comes from.
    pub source: String,
}

/// A field as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldRevision {
    /// Which revision.
    pub revision: i32,
    /// Its name then.
    pub name: String,
    /// Its area then, m².
    pub area_m2: f64,
    /// Where its boundary came from.
    pub source: String,
    /// When it was replaced.
    pub replaced_at: Timestamp,
}

/// What changes whenever any field does. Cheap to ask for, so that an index is made anew only when it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldsVersion(i64, i64);

/// The version of the fields that a transaction sees.
///
/// # Errors
/// When the database cannot be asked.
pub async fn fields_version(client: &impl GenericClient) -> Result<FieldsVersion, StoreError> {
    // Every change raises a revision, so the two numbers together never come back.
    let row = client.query_one("select count(*), coalesce(sum(revision), 0)::bigint from field", &[]).await?;
    Ok(FieldsVersion(row.try_get(0)?, row.try_get(1)?))
}

/// Fields in use, by number.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn fields(client: &impl GenericClient) -> Result<Vec<FieldRow>, StoreError> {
    let rows = client
        .query(
            &format!(
                "select field_id, field.name, code, farm.name, crop, boundary, source, revision, changed_at
                 from field left join farm using (farm_id)
                 where removed_at is null order by field_id limit {FIELDS_MAX}"
            ),
            &[],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Fields in use, ready to find positions in.
///
/// # Errors
/// As [`fields`].
pub async fn field_index(client: &impl GenericClient) -> Result<Fields, StoreError> {
    Ok(Fields::new(fields(client).await?.into_iter().map(|row| row.field)))
}

fn read(row: &Row) -> Result<FieldRow, StoreError> {
    let field_id: i64 = row.try_get(0)?;
    let boundary = parse(&row.try_get(5)?).ok_or_else(|| StoreError::Row {
        table: "field",
        message: format!("the boundary of field {field_id} is no sound MultiPolygon"),
    })?;
    Ok(FieldRow {
        field: Field {
            id: FieldId(field_id),
            name: row.try_get(1)?,
            code: row.try_get(2)?,
            farm: row.try_get(3)?,
            crop: row.try_get(4)?,
            boundary,
        },
        source: row.try_get(6)?,
        revision: row.try_get(7)?,
        changed_at_ms: row.try_get::<_, Instant>(8)?.0,
    })
}

/// Enters a field and marks the work around it.
///
/// # Errors
/// When the database cannot be asked, or refuses: a field of that code is there already.
pub async fn enter_field(transaction: &Transaction<'_>, new: &NewField) -> Result<FieldId, StoreError> {
    let farm_id = farm_id(transaction, new.farm.as_deref()).await?;
    let row = transaction
        .query_one(
            "insert into field (farm_id, name, code, crop, boundary, area_m2, source)
             values ($1, $2, $3, $4, $5, $6, $7) returning field_id",
            &[
                &farm_id,
                &new.name,
                &new.code,
                &new.crop,
                &multi_polygon(&new.boundary),
                &new.boundary.area_m2(),
                &new.source,
            ],
        )
        .await?;
    mark_around(transaction, &new.boundary).await?;
    Ok(FieldId(row.try_get(0)?))
}

/// Puts `new` in place of a field, keeps what stood, and marks the work around both boundaries. Words that `new` leaves
/// out stay. Returns whether there is such a field.
///
/// # Errors
/// When the database cannot be asked, or refuses.
pub async fn change_field(transaction: &Transaction<'_>, id: FieldId, new: &NewField) -> Result<bool, StoreError> {
    let Some(stood) = keep_revision(transaction, id).await? else { return Ok(false) };
    let farm_id = farm_id(transaction, new.farm.as_deref()).await?;
    transaction
        .execute(
            "update field set name = $2, code = coalesce($3, code), crop = coalesce($4, crop),
                 farm_id = coalesce($5, farm_id), boundary = $6, area_m2 = $7, source = $8,
                 revision = revision + 1, changed_at = now()
             where field_id = $1",
            &[
                &id.0,
                &new.name,
                &new.code,
                &new.crop,
                &farm_id,
                &multi_polygon(&new.boundary),
                &new.boundary.area_m2(),
                &new.source,
            ],
        )
        .await?;
    mark_around(transaction, &stood).await?;
    mark_around(transaction, &new.boundary).await?;
    Ok(true)
}

/// Takes a field out of use and marks the work on it: it becomes work outside known fields. Returns whether there was
/// such a field.
///
/// # Errors
/// When the database cannot be asked.
pub async fn remove_field(transaction: &Transaction<'_>, id: FieldId) -> Result<bool, StoreError> {
    let Some(stood) = keep_revision(transaction, id).await? else { return Ok(false) };
    let update = "update field set removed_at = now(), revision = revision + 1, changed_at = now() where field_id = $1";
    transaction.execute(update, &[&id.0]).await?;
    mark_around(transaction, &stood).await?;
    Ok(true)
}

/// Earlier revisions of a field, the newest first.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn field_history(client: &impl GenericClient, id: FieldId) -> Result<Vec<FieldRevision>, StoreError> {
    let select = "select revision, name, area_m2, source, replaced_at from field_revision
                  where field_id = $1 order by revision desc";
    let rows = client.query(select, &[&id.0]).await?;
    let read = |row: &Row| -> Result<FieldRevision, StoreError> {
        let replaced_at = Timestamp::from_millisecond(row.try_get::<_, Instant>(4)?.0);
        Ok(FieldRevision {
            revision: row.try_get(0)?,
            name: row.try_get(1)?,
            area_m2: row.try_get(2)?,
            source: row.try_get(3)?,
            replaced_at: replaced_at.unwrap_or_default(),
        })
    };
    rows.iter().map(read).collect()
}

/// Enters a farm, or notes its customer where none is known. Returns whether it is new.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enter_farm(transaction: &Transaction<'_>, name: &str, customer: Option<&str>) -> Result<bool, StoreError> {
    let row = transaction
        .query_one(
            "insert into farm (name, customer) values ($1, $2)
             on conflict (name) do update set customer = coalesce(farm.customer, $2) returning xmax = 0",
            &[&name, &customer],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Enters a person who works. Returns whether he is new.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enter_worker(transaction: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
    let insert = "insert into worker (name) values ($1) on conflict do nothing";
    Ok(transaction.execute(insert, &[&name]).await? > 0)
}

async fn farm_id(transaction: &Transaction<'_>, name: Option<&str>) -> Result<Option<i64>, StoreError> {
    let Some(name) = name else { return Ok(None) };
    enter_farm(transaction, name, None).await?;
    let row = transaction.query_one("select farm_id from farm where name = $1", &[&name]).await?;
    Ok(row.try_get(0)?)
}

/// Copies a field to its revisions and returns its boundary; none where there is no such field in use.
async fn keep_revision(transaction: &Transaction<'_>, id: FieldId) -> Result<Option<Boundary>, StoreError> {
    let row = transaction
        .query_opt(
            "insert into field_revision
                 (field_id, revision, name, code, crop, boundary, area_m2, source, changed_at)
             select field_id, revision, name, code, crop, boundary, area_m2, source, changed_at
             from field where field_id = $1 and removed_at is null
             returning boundary",
            &[&id.0],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let boundary = parse(&row.try_get(0)?).ok_or_else(|| StoreError::Row {
        table: "field",
        message: format!("the boundary of field {} is no sound MultiPolygon", id.0),
    })?;
    Ok(Some(boundary))
}

/// Marks the days of every session whose ground touches the box around a boundary.
async fn mark_around(transaction: &Transaction<'_>, boundary: &Boundary) -> Result<(), StoreError> {
    let (low, high) = boundary.corners();
    let north = NEAR_BUFFER_M / M_PER_DEGREE;
    let east = north / low.lat_deg.to_radians().cos().max(0.01);
    transaction
        .execute(
            "insert into derive_mark (machine_id, from_at, to_at)
             select machine_id, min(started_at), max(ended_at) from work_session
             where south_deg <= $3 and north_deg >= $1 and west_deg <= $4 and east_deg >= $2
             group by machine_id, working_day",
            &[&(low.lat_deg - north), &(low.lon_deg - east), &(high.lat_deg + north), &(high.lon_deg + east)],
        )
        .await?;
    Ok(())
}

fn multi_polygon(boundary: &Boundary) -> Value {
    let ring = |ring: &Ring| {
        let closed = ring.iter().chain(ring.first());
        closed.map(|place| json!([place.lon_deg, place.lat_deg])).collect::<Vec<_>>()
    };
    let parts = boundary
        .polygons()
        .iter()
        .map(|part| std::iter::once(&part.outer).chain(&part.holes).map(ring).collect::<Vec<_>>());
    json!({"type": "MultiPolygon", "coordinates": parts.collect::<Vec<_>>()})
}

fn parse(boundary: &Value) -> Option<Boundary> {
    let ring = |ring: &Value| -> Option<Ring> {
        let place = |place: &Value| Some(LatLon { lon_deg: place[0].as_f64()?, lat_deg: place[1].as_f64()? });
        ring.as_array()?.iter().map(place).collect()
    };
    let mut raw = RawBoundary { repeats_first_point: true, ..RawBoundary::default() };
    for part in boundary["coordinates"].as_array()? {
        let mut rings = part.as_array()?.iter();
        raw.outers.push(ring(rings.next()?)?);
        for hole in rings {
            raw.holes.push(ring(hole)?);
        }
    }
    Some(Boundary::build(&raw, &STORED).ok()?.boundary)
}
