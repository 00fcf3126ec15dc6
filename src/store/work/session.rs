//! Work sessions: replaced when they are computed anew, kept when a person confirmed them.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{GenericClient, Row, Transaction};

use super::super::StoreError;
use super::super::instant::Instant;
use super::total;
use crate::derive::fieldwork::{Change, Place, Proposal, Session, Standing, changes};
use crate::time::{date_of_postgres_days, postgres_days};

/// Earlier revisions of a session that are kept: a backlog that comes in hundreds of pieces fills no disk.
const REVISIONS_KEPT: i32 = 50;
/// Most sessions listed at once.
pub const SESSIONS_MAX: i64 = 10_000;

/// A session with what the store knows of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionRow {
    /// Its number.
    pub work_session_id: i64,
    /// Number of its machine.
    pub machine_id: i64,
    /// Serial of its machine.
    pub machine: String,
    /// What people call the machine.
    pub machine_name: Option<String>,
    /// Counts how often the figures were replaced.
    pub revision: i32,
    /// When they were computed, Unix milliseconds.
    pub computed_at_ms: i64,
    /// Whether the machine may still be at it.
    pub may_grow: bool,
    /// Who confirmed the figures, and when.
    pub confirmed: Option<Confirmed>,
    /// What a confirmed session would be now, where that differs.
    pub proposal: Option<Proposal>,
    /// The figures.
    #[serde(flatten)]
    pub session: Session,
}

/// That a person stands by the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmed {
    /// Who.
    pub by: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// Figures that stood before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Revision {
    /// Which revision.
    pub revision: i32,
    /// From when they stood, Unix milliseconds.
    pub computed_at_ms: i64,
    /// Until when, Unix milliseconds.
    pub replaced_at_ms: i64,
    /// Whether the session was withdrawn with them.
    pub is_withdrawn: bool,
    /// The figures.
    pub session: Session,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFilter {
    /// Only this machine, by serial.
    pub machine: Option<String>,
    /// Only this field.
    pub field_id: Option<i64>,
    /// First working day.
    pub from: Option<Date>,
    /// Last working day.
    pub to: Option<Date>,
}

impl SessionFilter {
    /// A condition on `s` (sessions or sums) and `m` (machines) with its parameters `$1` to `$4`.
    pub(super) const CONDITION: &str = "($1::text is null or m.serial = $1) and ($2::bigint is null or s.field_id = $2)
         and ($3::date is null or s.working_day >= $3) and ($4::date is null or s.working_day <= $4)";

    pub(super) fn days(&self) -> (Option<Day>, Option<Day>) {
        (self.from.map(Day), self.to.map(Day))
    }
}

/// A date on its way to or from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(pub Date);

impl ToSql for Day {
    fn to_sql(
        &self,
        _: &tokio_postgres::types::Type,
        out: &mut bytes::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        bytes::BufMut::put_i32(out, postgres_days(self.0));
        Ok(tokio_postgres::types::IsNull::No)
    }

    fn accepts(ty: &tokio_postgres::types::Type) -> bool {
        *ty == tokio_postgres::types::Type::DATE
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'a> tokio_postgres::types::FromSql<'a> for Day {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let bytes: [u8; 4] = raw.try_into().map_err(|_| "a date has four bytes")?;
        Ok(Self(date_of_postgres_days(i32::from_be_bytes(bytes)).ok_or("a date beyond the calendar")?))
    }

    fn accepts(ty: &tokio_postgres::types::Type) -> bool {
        *ty == tokio_postgres::types::Type::DATE
    }
}

/// Puts the sessions of a machine's working day in place of those that stand, and sums the day anew. Sessions that are
/// equal to the bit are left alone; returns how many were not. Sessions that ended at `grows_from_ms` or later may
/// still grow; what grows is replaced without a revision.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn replace_sessions(
    transaction: &Transaction<'_>,
    machine_id: i64,
    day: Date,
    computed: Vec<Session>,
    grows_from_ms: i64,
) -> Result<usize, StoreError> {
    let standing = standing(transaction, machine_id, day).await?;
    // Through text once, as those that stand were: then equal is equal.
    let computed = computed.iter().map(through_text).collect::<Result<_, _>>()?;
    let changes = changes(&standing, computed);
    let changed = changes.len();
    for change in changes {
        let may_grow = |session: &Session| session.ended_at.as_millisecond() >= grows_from_ms;
        match change {
            Change::Enter(session) => enter(transaction, machine_id, &session, may_grow(&session)).await?,
            Change::Revise(id, session) => revise(transaction, id, &session, may_grow(&session)).await?,
            Change::Withdraw(id) => withdraw(transaction, id).await?,
            Change::Propose(id, proposal) => {
                let proposal = proposal.map(Json);
                let set = "update work_session set proposal = $2 where work_session_id = $1";
                transaction.execute(set, &[&id, &proposal]).await?;
            }
        }
    }
    // A session whose machine has gone home has stopped growing, though no figure changed.
    let stop = "update work_session set may_grow = false
                where machine_id = $1 and working_day = $2 and may_grow and ended_at < $3";
    transaction.execute(stop, &[&machine_id, &Day(day), &Instant(grows_from_ms)]).await?;
    if changed > 0 {
        total::sum_day(transaction, machine_id, day).await?;
    }
    Ok(changed)
}

fn through_text(session: &Session) -> Result<Session, StoreError> {
    let text = serde_json::to_string(session);
    text.and_then(|text| serde_json::from_str(&text)).map_err(|error| row_error(&error))
}

fn row_error(error: &dyn std::error::Error) -> StoreError {
    StoreError::Row { table: "work_session", message: error.to_string() }
}

async fn standing(transaction: &Transaction<'_>, machine_id: i64, day: Date) -> Result<Vec<Standing>, StoreError> {
    let rows = transaction
        .query(
            "select work_session_id, figures, confirmed_at is not null, proposal from work_session
             where machine_id = $1 and working_day = $2 order by started_at, work_session_id for update",
            &[&machine_id, &Day(day)],
        )
        .await?;
    let read = |row: &Row| -> Result<Standing, tokio_postgres::Error> {
        Ok(Standing {
            id: row.try_get(0)?,
            session: row.try_get::<_, Json<Session>>(1)?.0,
            is_confirmed: row.try_get(2)?,
            proposal: row.try_get::<_, Option<Json<Proposal>>>(3)?.map(|json| json.0),
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// The columns that repeat figures, in the order of [`columns`].
const COLUMNS: &str = "machine_id, working_day, season, started_at, ended_at, field_id, field_name, operation, crop,
    operator, implement, union_m2, swept_m2, total_s, working_s, idle_s, working_m, fuel_l, wet_kg, dry_kg, standard_kg,
    south_deg, west_deg, north_deg, east_deg, figures, may_grow";

fn columns(machine_id: i64, session: &Session, may_grow: bool) -> Vec<Box<dyn ToSql + Sync + Send + '_>> {
    let (field_id, field_name) = match &session.place {
        Place::Field { field_id, name, .. } => (Some(*field_id), Some(name.as_str())),
        Place::Outside { name, .. } => (None, name.as_deref()),
    };
    let harvest = session.harvest.as_ref();
    vec![
        Box::new(machine_id),
        Box::new(Day(session.working_day)),
        Box::new(session.season),
        Box::new(Instant(session.started_at.as_millisecond())),
        Box::new(Instant(session.ended_at.as_millisecond())),
        Box::new(field_id),
        Box::new(field_name),
        Box::new(session.operation.name()),
        Box::new(session.crop.as_deref()),
        Box::new(session.operator.as_deref()),
        Box::new(session.implement.as_deref()),
        Box::new(session.area.union_m2),
        Box::new(session.area.swept_m2),
        Box::new(session.time.total_s),
        Box::new(session.time.working_s),
        Box::new(session.time.idle_s),
        Box::new(session.distance.working_m),
        Box::new(session.fuel.map(|fuel| fuel.total_l)),
        Box::new(harvest.map(|harvest| harvest.wet_kg)),
        Box::new(harvest.and_then(|harvest| harvest.dry_kg)),
        Box::new(harvest.and_then(|harvest| harvest.standard_kg)),
        Box::new(session.bounds.map(|bounds| bounds.south_deg)),
        Box::new(session.bounds.map(|bounds| bounds.west_deg)),
        Box::new(session.bounds.map(|bounds| bounds.north_deg)),
        Box::new(session.bounds.map(|bounds| bounds.east_deg)),
        Box::new(Json(session)),
        Box::new(may_grow),
    ]
}

async fn enter(
    transaction: &Transaction<'_>,
    machine_id: i64,
    session: &Session,
    may_grow: bool,
) -> Result<(), StoreError> {
    let values = columns(machine_id, session, may_grow);
    let numbers: Vec<_> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let insert = format!("insert into work_session ({COLUMNS}) values ({})", numbers.join(", "));
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    transaction.execute(&insert, &values).await?;
    Ok(())
}

async fn revise(transaction: &Transaction<'_>, id: i64, session: &Session, may_grow: bool) -> Result<(), StoreError> {
    let kept = keep(transaction, id, false).await?;
    let row = transaction.query_one("select machine_id from work_session where work_session_id = $1", &[&id]).await?;
    let values = columns(row.get(0), session, may_grow);
    let sets: Vec<_> =
        COLUMNS.split(',').zip(1..).map(|(name, number)| format!("{} = ${number}", name.trim())).collect();
    let (of_id, of_kept) = (values.len() + 1, values.len() + 2);
    let update = format!(
        "update work_session set {}, revision = revision + ${of_kept}, computed_at = now() where work_session_id = ${of_id}",
        sets.join(", ")
    );
    let mut values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    values.extend([&id as &(dyn ToSql + Sync), &kept]);
    transaction.execute(&update, &values).await?;
    Ok(())
}

async fn withdraw(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    keep(transaction, id, true).await?;
    transaction.execute("delete from work_session where work_session_id = $1", &[&id]).await?;
    Ok(())
}

/// Keeps the figures that stand as a revision, unless they were still growing; returns how many that were.
async fn keep(transaction: &Transaction<'_>, id: i64, is_withdrawn: bool) -> Result<i32, StoreError> {
    let kept = transaction
        .execute(
            "insert into work_session_revision
                 (work_session_id, revision, machine_id, working_day, computed_at, is_withdrawn, figures)
             select work_session_id, revision, machine_id, working_day, computed_at, $2, figures
             from work_session where work_session_id = $1 and not may_grow",
            &[&id, &is_withdrawn],
        )
        .await?;
    transaction
        .execute(
            "delete from work_session_revision where work_session_id = $1 and revision <=
                 (select revision - $2 from work_session where work_session_id = $1)",
            &[&id, &REVISIONS_KEPT],
        )
        .await?;
    Ok(kept as i32)
}

/// Sessions by working day, machine and start, at most [`SESSIONS_MAX`].
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn work_sessions(client: &impl GenericClient, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
    let (from, to) = filter.days();
    let rows = client
        .query(
            &format!(
                "select s.work_session_id, s.machine_id, coalesce(m.serial, s.machine_id::text), m.name, s.revision,
                     s.computed_at, s.may_grow, s.confirmed_by, s.confirmed_at, s.proposal, s.figures
                 from work_session s left join machine m using (machine_id)
                 where {}
                 order by s.working_day, 3, s.started_at, s.work_session_id limit {SESSIONS_MAX}",
                SessionFilter::CONDITION
            ),
            &[&filter.machine, &filter.field_id, &from, &to],
        )
        .await?;
    let read = |row: &Row| -> Result<SessionRow, tokio_postgres::Error> {
        let by: Option<String> = row.try_get(7)?;
        let at: Option<Instant> = row.try_get(8)?;
        Ok(SessionRow {
            work_session_id: row.try_get(0)?,
            machine_id: row.try_get(1)?,
            machine: row.try_get(2)?,
            machine_name: row.try_get(3)?,
            revision: row.try_get(4)?,
            computed_at_ms: row.try_get::<_, Instant>(5)?.0,
            may_grow: row.try_get(6)?,
            confirmed: by.zip(at).map(|(by, at)| Confirmed { by, at_ms: at.0 }),
            proposal: row.try_get::<_, Option<Json<Proposal>>>(9)?.map(|json| json.0),
            session: row.try_get::<_, Json<Session>>(10)?.0,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Lets a person stand by the figures of a session: they stay until it is reopened. Confirmed again, it takes what was
/// proposed. Returns whether there is such a session whose figures can be taken.
///
/// # Errors
/// When the database cannot be asked.
pub async fn confirm_session(
    transaction: &Transaction<'_>,
    work_session_id: i64,
    by: &str,
) -> Result<bool, StoreError> {
    let Some((machine_id, day, proposal)) = locked(transaction, work_session_id).await? else { return Ok(false) };
    match proposal {
        Some(Proposal::Gone) => return Ok(false),
        Some(Proposal::Differs(session)) => revise(transaction, work_session_id, &session, false).await?,
        None => {}
    }
    transaction
        .execute(
            "update work_session set confirmed_at = now(), confirmed_by = $2, proposal = null, may_grow = false
             where work_session_id = $1",
            &[&work_session_id, &by],
        )
        .await?;
    total::sum_day(transaction, machine_id, day).await?;
    Ok(true)
}

/// Takes a confirmation back: the session then becomes what computing anew gives. The caller marks its day.
///
/// # Errors
/// When the database cannot be asked.
pub async fn reopen_session(
    transaction: &Transaction<'_>,
    work_session_id: i64,
) -> Result<Option<(i64, Date)>, StoreError> {
    let Some((machine_id, day, _)) = locked(transaction, work_session_id).await? else { return Ok(None) };
    let set =
        "update work_session set confirmed_at = null, confirmed_by = null, proposal = null where work_session_id = $1";
    transaction.execute(set, &[&work_session_id]).await?;
    total::sum_day(transaction, machine_id, day).await?;
    Ok(Some((machine_id, day)))
}

async fn locked(
    transaction: &Transaction<'_>,
    work_session_id: i64,
) -> Result<Option<(i64, Date, Option<Proposal>)>, StoreError> {
    let select = "select machine_id, working_day, proposal from work_session where work_session_id = $1 for update";
    let Some(row) = transaction.query_opt(select, &[&work_session_id]).await? else { return Ok(None) };
    let proposal = row.try_get::<_, Option<Json<Proposal>>>(2)?.map(|json| json.0);
    Ok(Some((row.try_get(0)?, row.try_get::<_, Day>(1)?.0, proposal)))
}

/// What stood before, the newest first.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn session_history(client: &impl GenericClient, work_session_id: i64) -> Result<Vec<Revision>, StoreError> {
    let rows = client
        .query(
            "select revision, computed_at, replaced_at, is_withdrawn, figures from work_session_revision
             where work_session_id = $1 order by revision desc",
            &[&work_session_id],
        )
        .await?;
    let read = |row: &Row| -> Result<Revision, tokio_postgres::Error> {
        Ok(Revision {
            revision: row.try_get(0)?,
            computed_at_ms: row.try_get::<_, Instant>(1)?.0,
            replaced_at_ms: row.try_get::<_, Instant>(2)?.0,
            is_withdrawn: row.try_get(3)?,
            session: row.try_get::<_, Json<Session>>(4)?.0,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
