//! Organisations: whose machines they are, and how far a caller's sight reaches.

use tokio_postgres::GenericClient;

use super::StoreError;

/// Longest name of an organisation, bytes.
const NAME_BYTES_MAX: usize = 200;

/// Whose machines a caller may see. Every read of machines for others takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of them, those of nobody too.
    Everything,
    /// Those of the organisation of this number.
    Organisation(i64),
}

impl Reach {
    /// A condition on `machine`.
    pub(super) fn condition(self) -> String {
        match self {
            Self::Everything => "true".to_owned(),
            // A number of ours: nothing in it can be SQL.
            Self::Organisation(organisation_id) => format!("machine.organisation_id = {organisation_id}"),
        }
    }
}

/// The number of an organisation, by its name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn organisation(client: &impl GenericClient, name: &str) -> Result<Option<i64>, StoreError> {
    let row = client.query_opt("select organisation_id from organisation where name = $1", &[&name]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Every organisation by name, with how many machines it has.
///
/// # Errors
/// When the database cannot be asked.
pub async fn organisations(client: &impl GenericClient) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = client
        .query(
            "select organisation.name, count(machine_id) from organisation left join machine using (organisation_id)
             group by organisation_id, organisation.name order by organisation.name",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The number of an organisation, which is entered if it is new.
///
/// # Errors
/// [`StoreError::Setup`] for a name that is empty or too long; when the database cannot be asked.
pub async fn enter_organisation(client: &impl GenericClient, name: &str) -> Result<i64, StoreError> {
    if name.trim().is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(StoreError::Setup(format!(
            "{name:?} is no name of an organisation; give one of 1 to {NAME_BYTES_MAX} bytes"
        )));
    }
    let row = client
        .query_one(
            "insert into organisation (name) values ($1)
             on conflict (name) do update set name = excluded.name returning organisation_id",
            &[&name],
        )
        .await?;
    Ok(row.get(0))
}

/// Says whose machines those of `serials` are, none for nobody's; gives the serials that are unknown, of which nothing
/// was changed.
///
/// # Errors
/// When the database cannot be asked.
pub async fn assign_machines(
    client: &impl GenericClient,
    serials: &[String],
    organisation_id: Option<i64>,
) -> Result<Vec<String>, StoreError> {
    let rows = client
        .query(
            "update machine set organisation_id = $2 where serial = any ($1) returning serial",
            &[&serials, &organisation_id],
        )
        .await?;
    let known: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(serials.iter().filter(|serial| !known.contains(serial)).cloned().collect())
}
