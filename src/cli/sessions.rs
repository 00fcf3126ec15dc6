//! `polevod sessions`: field work, as a farm signs it.

use std::process::ExitCode;

use anyhow::{bail, ensure};
use jiff::civil::Date;
use serde::Serialize;

use crate::config::Config;
use crate::derive::fieldwork::{Place, Session};
use crate::recompute::{self, WorkingDays};
use crate::store::work::{SessionFilter, SessionRow, TotalRow, TotalsBy};
use crate::store::{self, work as stored};

const M2_PER_HA: f64 = 10_000.0;
const KG_PER_T: f64 = 1_000.0;
/// Days without field work that are named, the latest.
const REASONS_SHOWN: usize = 20;

/// What `sessions` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
One line a session: the work of one machine on one field with one operation. `worked` is the union of the swath, each
place once; `swept` is width × distance, as machines count. --json has every figure with its source, the machine's own
totals beside ours, completeness and remarks.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only this machine, by serial.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<String>,
    /// First working day, 2026-08-20.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last working day.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Sums instead of sessions: by machine, field, operator, operation, crop, day or season.
    #[arg(long, value_name = "GROUP")]
    by: Option<TotalsBy>,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Stand by the figures of a session: they stay as they are, and what changes later is shown beside them.
    Confirm {
        /// Number of the session.
        id: i64,
        /// Who stands by them.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// Take a confirmation back: the session becomes what computing anew gives.
    Reopen {
        /// Number of the session.
        id: i64,
    },
    /// Show what stood before, the newest first.
    History {
        /// Number of the session.
        id: i64,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    recompute::catch_up(config).await?;
    match arguments.action {
        Some(action) => act(config, action).await?,
        None => list(config, arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn act(config: &Config, action: Action) -> anyhow::Result<()> {
    let mut client = store::connect(&config.database).await?;
    match action {
        Action::Confirm { id, by } => {
            ensure!(!by.trim().is_empty(), "--by needs the name of whoever stands by the figures");
            let transaction = client.transaction().await?;
            let is_confirmed = stored::confirm_session(&transaction, id, by.trim()).await?;
            transaction.commit().await?;
            ensure!(is_confirmed, "there is no session {id} to confirm; `polevod sessions` lists them");
            say!("session {id} is confirmed by {}", by.trim());
        }
        Action::Reopen { id } => {
            let transaction = client.transaction().await?;
            let Some((machine_id, date)) = stored::reopen_session(&transaction, id).await? else {
                bail!("there is no session {id}; `polevod sessions` lists them");
            };
            let calendar = WorkingDays::new(config.clock.zone.0.clone(), config.derive.day_starts_h);
            if let Some(day) = calendar.on(date) {
                store::mark(&transaction, machine_id, day.period.start..=day.period.end - 1).await?;
            }
            transaction.commit().await?;
            recompute::catch_up(config).await?;
            say!("session {id} is open again");
        }
        Action::History { id } => {
            say!("{}", serde_json::to_string_pretty(&stored::session_history(&client, id).await?)?);
        }
    }
    Ok(())
}

async fn list(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let client = store::connect(&config.database).await?;
    let filter = SessionFilter { machine: arguments.machine, field_id: None, from: arguments.from, to: arguments.to };
    if let Some(by) = arguments.by {
        let totals = stored::work_totals(&client, &filter, by).await?;
        if arguments.json {
            say!("{}", serde_json::to_string_pretty(&totals)?);
        } else {
            say_text!("{}", total_table(&totals));
        }
        return Ok(());
    }
    let sessions = stored::work_sessions(&client, &filter).await?;
    if arguments.json {
        let listed: Vec<Listed<'_>> = sessions.iter().map(Listed::of).collect();
        say!("{}", serde_json::to_string_pretty(&listed)?);
        return Ok(());
    }
    if !sessions.is_empty() {
        say_text!("{}", table(&sessions, config));
    }
    let days = stored::work_days(&client, &filter).await?;
    let idle: Vec<_> = days.iter().filter_map(|row| Some((row, row.day.no_session?))).collect();
    for (row, why) in idle.iter().rev().take(REASONS_SHOWN).rev() {
        say!("{} {}: no field work: {}", row.working_day, row.machine, why.reason());
    }
    if sessions.is_empty() && idle.is_empty() {
        say!("no field work{}", if filter == SessionFilter::default() { " yet" } else { " there" });
    }
    Ok(())
}

/// A session as JSON: what people ask for first, in their units, then everything.
#[derive(Serialize)]
struct Listed<'s> {
    summary: Summary,
    #[serde(flatten)]
    row: &'s SessionRow,
}

/// What people ask for first.
#[derive(Serialize)]
struct Summary {
    worked_ha: Option<f64>,
    swept_ha: Option<f64>,
    machine_ha: Option<f64>,
    fuel_l: Option<f64>,
    wet_t: Option<f64>,
    moisture_pct: Option<f64>,
    l_per_ha: Option<f64>,
    ha_per_h: Option<f64>,
    wet_t_per_ha: Option<f64>,
}

impl<'s> Listed<'s> {
    fn of(row: &'s SessionRow) -> Self {
        let session = &row.session;
        let rounded = |value: Option<f64>, digits: i32| {
            let steps = 10_f64.powi(digits);
            value.map(|value| (value * steps).round() / steps)
        };
        let own =
            session.device_totals.iter().find(|total| total.quantity == crate::derive::fieldwork::Quantity::AreaM2);
        let harvest = session.harvest.as_ref();
        let summary = Summary {
            worked_ha: rounded(session.area.union_m2.map(|m2| m2 / M2_PER_HA), 3),
            swept_ha: rounded(session.area.swept_m2.map(|m2| m2 / M2_PER_HA), 3),
            machine_ha: rounded(own.map(|total| total.device / M2_PER_HA), 3),
            fuel_l: rounded(session.fuel.map(|fuel| fuel.total_l), 2),
            wet_t: rounded(harvest.map(|harvest| harvest.wet_kg / KG_PER_T), 3),
            moisture_pct: rounded(harvest.and_then(|harvest| harvest.moisture_pct), 2),
            l_per_ha: rounded(session.rates.l_per_ha_total, 2),
            ha_per_h: rounded(session.rates.ha_per_h, 2),
            wet_t_per_ha: rounded(session.rates.wet_t_per_ha, 2),
        };
        Self { summary, row }
    }
}

fn table(sessions: &[SessionRow], config: &Config) -> String {
    let head =
        ["id", "machine", "day", "time", "field", "operation", "worked ha", "swept ha", "L", "L/ha", "t", "%", "state"];
    let mut rows = vec![head.map(String::from)];
    for row in sessions {
        let session = &row.session;
        let number =
            |value: Option<f64>, digits: usize| value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"));
        let at = |at: jiff::Timestamp| at.to_zoned(config.clock.zone.0.clone()).strftime("%H:%M").to_string();
        let harvest = session.harvest.as_ref();
        rows.push([
            row.work_session_id.to_string(),
            row.machine_name.clone().unwrap_or_else(|| row.machine.clone()),
            session.working_day.to_string(),
            format!("{}-{}", at(session.started_at), at(session.ended_at)),
            place(session),
            session.operation.name().into(),
            number(session.area.union_m2.map(|m2| m2 / M2_PER_HA), 2),
            number(session.area.swept_m2.map(|m2| m2 / M2_PER_HA), 2),
            number(session.fuel.map(|fuel| fuel.total_l), 1),
            number(session.rates.l_per_ha_total, 1),
            number(harvest.map(|harvest| harvest.wet_kg / KG_PER_T), 1),
            number(session.completeness.share.map(|share| (share * 1000.0).floor() / 10.0), 1),
            state(row),
        ]);
    }
    super::table::aligned(&rows, &[0, 6, 7, 8, 9, 10, 11])
}

fn place(session: &Session) -> String {
    match &session.place {
        Place::Field { name, .. } => name.clone(),
        Place::Outside { name: Some(name), .. } => format!("({name})"),
        Place::Outside { name: None, .. } => "(no field)".into(),
    }
}

fn state(row: &SessionRow) -> String {
    let state = match (&row.confirmed, &row.proposal) {
        (Some(confirmed), None) => format!("confirmed by {}", confirmed.by),
        (Some(confirmed), Some(_)) => format!("confirmed by {}, would differ now", confirmed.by),
        _ if row.may_grow => "under way".into(),
        _ => String::new(),
    };
    if row.revision > 1 { format!("revision {} {state}", row.revision).trim_end().into() } else { state }
}

fn total_table(totals: &[TotalRow]) -> String {
    let head = ["group", "sessions", "worked ha", "swept ha", "h", "ha/h", "L", "L/ha", "t", "t/ha"];
    let mut rows = vec![head.map(String::from)];
    for total in totals {
        let number =
            |value: Option<f64>, digits: usize| value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"));
        rows.push([
            total.group.clone().unwrap_or_else(|| "-".into()),
            total.sessions.to_string(),
            number(Some(total.union_m2 / M2_PER_HA), 2),
            number(Some(total.swept_m2 / M2_PER_HA), 2),
            number(Some(total.total_s / 3600.0), 1),
            number(total.ha_per_h, 2),
            number(total.fuel_l, 1),
            number(total.l_per_ha, 1),
            number(total.wet_kg.map(|kg| kg / KG_PER_T), 1),
            number(total.wet_t_per_ha, 2),
        ]);
    }
    super::table::aligned(&rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9])
}
