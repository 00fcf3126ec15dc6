//! The columnstore: old samples turned from rows into columns, a twelfth of the space. Community edition only.
//!
//! The service converts them itself, as it drops them itself: a policy runs inside the server, where its failures are
//! seen by nobody. TimescaleDB 2.19.3 and 2.29.2 on PostgreSQL 17.12, for one, report every run of theirs as failed.

use tokio_postgres::Client;
use tracing::{info, warn};

use super::{StoreError, probe_edition};

/// How the rows of a table are gathered into columns.
#[derive(Debug, Clone, Copy)]
struct Layout {
    table: &'static str,
    /// Rows that agree in these share a batch: what is asked for by.
    segment_by: &'static [&'static str],
    order_by: &'static str,
}

const LAYOUTS: [Layout; 2] = [
    Layout { table: "sample", segment_by: &["machine_id"], order_by: "recorded_at" },
    // Values of one signal are alike: apart they take four tenths of what they take mixed.
    Layout { table: "signal_sample", segment_by: &["machine_id", "signal_id"], order_by: "recorded_at" },
];

/// Any number that no other program uses: it keeps two processes from converting the same chunk.
const LOCK: i64 = 0x0070_6f6c_6576_6f65;

/// How long a conversion waits for who reads or writes a chunk. It makes others wait meanwhile, so it gives way and the
/// next round tries again.
const LOCK_PATIENCE: &str = "5s";

/// Bits of `chunk_status`, the same since TimescaleDB 2.18: in columns; with rows that came later beside them; frozen by
/// somebody who wants no change.
const IN_COLUMNS: i32 = 1;
const FROZEN: i32 = 4;
const PARTIAL: i32 = 8;

/// How far the columnstore is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InColumns {
    /// Whether it is switched on for every table of samples.
    pub switched_on: bool,
    /// Chunks of samples.
    pub chunks: i64,
    /// Those that are columns.
    pub in_columns: i64,
}

/// Asks how far the columnstore is in use; none where the tables are not there yet.
///
/// # Errors
/// When the server cannot be asked.
pub async fn in_columns(client: &Client) -> Result<Option<InColumns>, StoreError> {
    let tables = LAYOUTS.map(|layout| layout.table);
    let row = client
        .query_one(
            "select count(*), coalesce(bool_and(compression_enabled), false),
                    coalesce(sum(num_chunks), 0)::bigint,
                    (select count(*) from timescaledb_information.chunks
                     where hypertable_schema = current_schema() and hypertable_name = any ($1) and is_compressed)
             from timescaledb_information.hypertables
             where hypertable_schema = current_schema() and hypertable_name = any ($1)",
            &[&tables.as_slice()],
        )
        .await?;
    if row.get::<_, i64>(0) < tables.len() as i64 {
        return Ok(None);
    }
    Ok(Some(InColumns { switched_on: row.get(1), chunks: row.get(2), in_columns: row.get(3) }))
}

/// Refuses a database whose edition finds nothing in samples that are columns. It says no error, it gives no rows:
/// results would be computed from nothing and take the place of the right ones.
///
/// # Errors
/// [`StoreError::Setup`] with the mend; otherwise when the server cannot be asked.
pub async fn require_readable(client: &Client) -> Result<(), StoreError> {
    let edition = probe_edition(client).await?;
    if edition.timescaledb.is_none() || edition.community {
        return Ok(());
    }
    match in_columns(client).await? {
        Some(found) if found.in_columns > 0 => Err(StoreError::Setup(format!(
            "{} of {} chunks of samples are columns, in which the Apache 2 edition of TimescaleDB finds nothing; \
             {UNREADABLE_MEND}",
            found.in_columns, found.chunks
        ))),
        _ => Ok(()),
    }
}

/// What to do about columns on an edition that finds nothing in them.
pub const UNREADABLE_MEND: &str = "set timescaledb.license = 'timescale' with the Community edition installed, and \
                                   restart the server (docs/operations.md says how to make them rows again)";

/// Makes old samples ready to become columns; where the server cannot, says so and leaves them rows. Idempotent.
pub(super) async fn switch_on(client: &Client) -> Result<(), StoreError> {
    let edition = probe_edition(client).await?;
    if let Some(why) = edition.no_columnstore() {
        info!("old samples stay rows: {why}; everything works, it takes more space");
        return Ok(());
    }
    for layout in LAYOUTS {
        let Layout { table, segment_by, order_by } = layout;
        if !is_laid_out(client, &layout).await? {
            // What is in columns already keeps the layout that it has.
            client
                .batch_execute(&format!(
                    "alter table {table} set (timescaledb.enable_columnstore, timescaledb.segmentby = '{}',
                                              timescaledb.orderby = '{order_by}')",
                    segment_by.join(", ")
                ))
                .await?;
            info!(table, "old samples of {table} become columns");
        }
        // Two who convert would only be in each other's way.
        client.batch_execute(&format!("call remove_columnstore_policy('{table}', if_exists => true)")).await?;
    }
    Ok(())
}

/// Whether a table has its layout already: changing it locks the table against everyone for a moment.
async fn is_laid_out(client: &Client, layout: &Layout) -> Result<bool, StoreError> {
    let row = client
        .query_opt(
            "select segmentby, orderby from timescaledb_information.hypertable_columnstore_settings
             where hypertable = $1::text::regclass",
            &[&layout.table],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (segment_by, order_by): (Option<String>, Option<String>) = (row.get(0), row.get(1));
    let segment_by = segment_by.unwrap_or_default();
    Ok(segment_by.split(',').map(str::trim).eq(layout.segment_by.iter().copied())
        && order_by.as_deref().map(str::trim) == Some(layout.order_by))
}

/// Turns samples older than `after_days` into columns, and takes in what came late for those that are columns already.
/// Returns how many chunks that were; 0 days, another edition, and another process that is at it are none. Any number of
/// processes may call it.
///
/// # Errors
/// When the server cannot be asked. A chunk that cannot be converted stays rows: it is named in the log, and the next call
/// tries again.
pub async fn convert_old_samples(client: &Client, after_days: u32) -> Result<usize, StoreError> {
    if after_days == 0 || probe_edition(client).await?.no_columnstore().is_some() {
        return Ok(0);
    }
    if !client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    client.batch_execute(&format!("set lock_timeout = '{LOCK_PATIENCE}'")).await?;
    let outcome = convert_each(client, after_days).await;
    client.batch_execute("reset lock_timeout").await?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    outcome
}

async fn convert_each(client: &Client, after_days: u32) -> Result<usize, StoreError> {
    let mut converted = 0;
    for Layout { table, .. } in LAYOUTS {
        let chunks = client
            .query(
                "select chunk::text
                 from show_chunks($1::text::regclass, older_than => now() - $2::integer * interval '1 day') as chunk,
                      _timescaledb_functions.chunk_status(chunk) as status
                 where status & $3 in (0, $4)
                 order by chunk",
                &[&table, &after_days.cast_signed(), &(IN_COLUMNS | FROZEN | PARTIAL), &(IN_COLUMNS | PARTIAL)],
            )
            .await?;
        for chunk in chunks {
            let chunk: String = chunk.get(0);
            let call = "call convert_to_columnstore($1::text::regclass, if_not_columnstore => true)";
            match client.execute(call, &[&chunk]).await {
                Ok(_) => {
                    info!(table, chunk, "samples of {chunk} are columns now");
                    converted += 1;
                }
                Err(error) if error.is_closed() => return Err(error.into()),
                Err(error) => {
                    let error = StoreError::from(error);
                    warn!(table, chunk, "samples of {chunk} stay as they are, tried again in the next round: {error}");
                }
            }
        }
    }
    Ok(converted)
}
