//! Migrations: the files of `schema/`, in order, each once.

use tokio_postgres::{Client, IsolationLevel};
use tracing::info;

use super::{StoreError, columnstore};

/// One step of the schema: its name and its text.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Number, from the file's name.
    pub number: i32,
    /// File name without its ending.
    pub name: &'static str,
    /// SQL.
    pub text: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration { number: $number, name: $name, text: include_str!(concat!("../../schema/", $name, ".sql")) }),*]
    };
}

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = migrations![
    1 "0001_registry",
    2 "0002_sample",
    3 "0003_ledger",
    4 "0004_reports",
    5 "0005_quarantine",
    6 "0006_machine_state",
    7 "0007_derive_mark",
    10 "0010_work_setting",
    11 "0011_work_session",
    12 "0012_work_total",
    13 "0013_work_day",
    15 "0015_field",
    16 "0016_worker",
    20 "0020_health_fold",
    21 "0021_fault",
    22 "0022_health_episode",
    23 "0023_alert",
    24 "0024_notify",
    25 "0025_service",
    28 "0028_machine_maker",
    29 "0029_foreign_reading",
    30 "0030_api_token",
    31 "0031_capture",
    34 "0034_organisation",
];

/// Any number that no other program uses: it keeps two `polevod migrate` apart.
const LOCK: i64 = 0x0070_6f6c_6576_6f64;

/// Brings the database up to date and returns the names of what was applied.
///
/// # Errors
/// When the extension is missing, a migration fails, or one that was applied has changed since.
pub async fn migrate(client: &mut Client) -> Result<Vec<&'static str>, StoreError> {
    create_extension(client).await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let outcome = apply_pending(client).await;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    let applied = outcome?;
    columnstore::switch_on(client).await?;
    Ok(applied)
}

/// Names of the migrations that are still to be applied.
///
/// # Errors
/// When the database cannot be asked, or an applied migration has changed since.
pub async fn pending_migrations(client: &Client) -> Result<Vec<Migration>, StoreError> {
    let exists: bool = client.query_one("select to_regclass('schema_migration') is not null", &[]).await?.get(0);
    if !exists {
        return Ok(MIGRATIONS.to_vec());
    }
    let mut pending = Vec::new();
    for migration in MIGRATIONS {
        let row = client
            .query_opt(
                "select digest = md5($2) from schema_migration where schema_migration_id = $1",
                &[&migration.number, &migration.text],
            )
            .await?;
        match row.map(|row| row.get::<_, bool>(0)) {
            None => pending.push(*migration),
            Some(true) => {}
            Some(false) => {
                return Err(StoreError::Setup(format!(
                    "schema/{}.sql differs from what was applied to this database; restore the file and add a new one",
                    migration.name
                )));
            }
        }
    }
    Ok(pending)
}

async fn create_extension(client: &Client) -> Result<(), StoreError> {
    client.batch_execute("set client_min_messages = warning; create extension if not exists timescaledb").await.map_err(
        |error| {
            StoreError::Setup(format!(
                "cannot create the extension timescaledb: {}; install TimescaleDB, add it to shared_preload_libraries, \
             and let a superuser run: create extension timescaledb",
                StoreError::from(error)
            ))
        },
    )
}

async fn apply_pending(client: &mut Client) -> Result<Vec<&'static str>, StoreError> {
    client
        .batch_execute(
            "create table if not exists schema_migration (
                 schema_migration_id  integer     not null primary key,
                 name                 text        not null,
                 digest               text        not null,  -- md5 of the file: an applied file never changes
                 applied_at           timestamptz not null default now()
             )",
        )
        .await?;
    let mut applied = Vec::new();
    for migration in pending_migrations(client).await? {
        let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        transaction.batch_execute(migration.text).await.map_err(|error| {
            StoreError::Setup(format!("schema/{}.sql: {}", migration.name, StoreError::from(error)))
        })?;
        transaction
            .execute(
                "insert into schema_migration (schema_migration_id, name, digest) values ($1, $2, md5($3))",
                &[&migration.number, &migration.name, &migration.text],
            )
            .await?;
        transaction.commit().await?;
        info!(migration = migration.name, "applied migration {}", migration.name);
        applied.push(migration.name);
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_schema_folder_is_a_migration_and_numbers_follow() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("the schema folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
        assert_eq!(files, listed);
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!(MIGRATIONS.is_sorted_by_key(|migration| migration.number));
        for migration in MIGRATIONS {
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
        }
    }

    #[test]
    fn the_sample_table_has_the_wide_columns_of_the_catalogue_in_order() {
        let text = MIGRATIONS[1].text;
        let table = text.split("create table sample (").nth(1).expect("the table").split(");").next().expect("its end");
        let columns: Vec<_> = table
            .lines()
            .filter_map(|line| {
                let mut words = line.split("--").next().unwrap_or_default().split_whitespace();
                Some((words.next()?, words.next()?.trim_end_matches(',')))
            })
            .skip(8)
            .collect();
        let expected: Vec<_> = wire::catalogue::wide()
            .map(|signal| {
                let sql_type = match signal.column {
                    wire::StoreColumn::Wide(wire::SqlType::SmallInt) => "smallint",
                    wire::StoreColumn::Wide(wire::SqlType::Real) => "real",
                    _ => "double",
                };
                (signal.name, sql_type)
            })
            .collect();
        assert_eq!(columns, expected);
    }
}
