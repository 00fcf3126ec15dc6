//! `polevod service`: what is due, what was done.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Client;

use super::catalogue_files;
use super::table::aligned;
use crate::config::Config;
use crate::derive::health::service::{Due, DueStatus, Usage, due};
use crate::derive::health::{Catalogues, Evidence, Language};
use crate::store::health::{self as stored, NewDone, Progress, ServiceRow};
use crate::store::{Reach, RegisteredMachine, Slice};
use crate::time::{display_ms, now_ms};
use crate::{recompute, store};

/// Days that service looks back on.
const DAYS_LOOKED_BACK: i64 = 800;
/// Most machines of one list.
const MACHINES_MAX: i64 = 100_000;
/// Columns of numbers in the table.
const NUMBERS: &[usize] = &[4, 5, 6];

/// What `service` takes.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Hours are counted across replaced meters; a meter that jumps for a moment neither triggers a service nor hides one.
Plans stand in catalogue/service; `polevod service plans` shows them."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only this machine, by serial.
    machine: Option<String>,
    /// Also what is not due.
    #[arg(long)]
    all: bool,
    /// Language of the texts.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Enter a service that was done.
    Done {
        /// The machine, by serial.
        machine: String,
        /// Item of its plan: to_1.
        item: String,
        /// When, RFC 3339; without it, now.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
        /// What the hour meter showed.
        #[arg(long, value_name = "HOURS")]
        meter: Option<f64>,
        /// Who did it.
        #[arg(long, value_name = "NAME", default_value = "operator")]
        by: String,
        /// What there is to say.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Strike out an entry that was a mistake.
    Strike {
        /// Its number, as `polevod service log` shows it.
        number: i64,
        /// Who strikes it out.
        #[arg(long, value_name = "NAME", default_value = "operator")]
        by: String,
    },
    /// What was done on a machine.
    Log {
        /// The machine, by serial.
        machine: String,
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// The service plans.
    Plans {
        /// Language of the texts.
        #[arg(long, value_enum, default_value_t)]
        lang: Language,
    },
}

/// A service of a machine, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct DueJson {
    machine: String,
    item: String,
    name: String,
    work: Vec<String>,
    status: DueStatus,
    share_pct: f64,
    left_h: Option<f64>,
    left_days: Option<f64>,
    last_done_at: Option<String>,
    since: String,
    evidence: Evidence,
}

impl DueJson {
    pub(super) fn is_due(&self) -> bool {
        self.status > DueStatus::Fine
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn status_word(&self) -> &'static str {
        match self.status {
            DueStatus::Fine => "fine",
            DueStatus::Soon => "soon",
            DueStatus::Due => "due",
            DueStatus::Overdue => "overdue",
        }
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let catalogues = catalogue_files(config);
    match arguments.command {
        None => list(config, &catalogues, arguments.list).await,
        Some(Command::Done { machine, item, at, meter, by, note }) => {
            let at_ms = at.map_or_else(now_ms, |at| at.as_millisecond());
            let new = NewDone { item, at_ms, meter_h: meter, total_h: None, actor: by, note };
            enter(config, &catalogues, &machine, new).await
        }
        Some(Command::Strike { number, by }) => {
            let client = store::connect(&config.database).await?;
            let Some(machine_id) = stored::strike_service(&client, number, &by).await? else {
                bail!("there is no entry {number} that counts; `polevod service log MACHINE` lists them");
            };
            judge_again(config, &client, machine_id).await?;
            say!("entry {number} no longer counts");
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Log { machine, json }) => log(config, &machine, json).await,
        Some(Command::Plans { lang }) => {
            say_text!("{}", plans(&catalogues, lang));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What is due on a machine, the most pressing first.
pub(super) async fn due_of(
    config: &Config,
    client: &Client,
    catalogues: &Catalogues,
    machine: &RegisteredMachine,
    language: Language,
) -> anyhow::Result<Vec<DueJson>> {
    let Some(plan) = catalogues.plan(machine.model.as_deref()) else { return Ok(Vec::new()) };
    let days = stored::usage_days(client, machine.machine_id, DAYS_LOOKED_BACK).await?;
    let done: Vec<_> = stored::service_done(client, machine.machine_id).await?.iter().map(ServiceRow::done).collect();
    let usage = Usage { registered_ms: machine.registered_at_ms, days };
    let all = due(plan, &done, &usage, now_ms(), &config.clock.zone.0);
    let json = |due: Due| {
        let item = plan.items.iter().find(|item| item.id == due.item)?;
        Some(DueJson {
            machine: machine.serial.clone(),
            name: item.name.get(language).to_owned(),
            work: item.work.get(language).to_vec(),
            status: due.status,
            share_pct: 100.0 * due.share,
            left_h: due.left_h,
            left_days: due.left_days,
            last_done_at: due.done_ms.map(display_ms),
            since: display_ms(due.since_ms),
            evidence: due.evidence,
            item: due.item,
        })
    };
    Ok(all.into_iter().filter_map(json).collect())
}

async fn list(config: &Config, catalogues: &Catalogues, list: List) -> anyhow::Result<ExitCode> {
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let machines = match &list.machine {
        Some(serial) => vec![super::machine::find(&client, serial).await?],
        None => store::machines(&client, Reach::Everything, Slice { offset: 0, limit: MACHINES_MAX }).await?.0,
    };
    let mut all = Vec::new();
    for machine in &machines {
        all.extend(due_of(config, &client, catalogues, machine, list.lang).await?);
    }
    all.retain(|due| list.all || due.is_due());
    all.sort_by(|one, other| other.status.cmp(&one.status).then(other.share_pct.total_cmp(&one.share_pct)));
    if list.json {
        say!("{}", serde_json::to_string_pretty(&all)?);
    } else if all.is_empty() {
        say!("nothing is due");
    } else {
        let number = |value: Option<f64>| value.map_or("-".into(), |value| list.lang.number(value, 0));
        let mut rows =
            vec![["status", "machine", "item", "service", "used %", "left h", "left days"].map(String::from)];
        rows.extend(all.iter().map(|due| {
            [
                due.status_word().to_owned(),
                due.machine.clone(),
                due.item.clone(),
                due.name.clone(),
                list.lang.number(due.share_pct, 0),
                number(due.left_h),
                number(due.left_days),
            ]
        }));
        say_text!("{}", aligned(&rows, NUMBERS));
    }
    Ok(ExitCode::SUCCESS)
}

async fn enter(config: &Config, catalogues: &Catalogues, serial: &str, new: NewDone) -> anyhow::Result<ExitCode> {
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let machine = super::machine::find(&client, serial).await?;
    let plan = catalogues
        .plan(machine.model.as_deref())
        .ok_or_else(|| anyhow!("no plan for model {:?}; name one for it in machines/*.toml", machine.model))?;
    if !plan.items.iter().any(|item| item.id == new.item) {
        let known: Vec<_> = plan.items.iter().map(|item| item.id.as_str()).collect();
        bail!("{:?} is no item of plan {:?}; items are {}", new.item, plan.id, known.join(", "));
    }
    if new.at_ms > now_ms() {
        bail!("--at lies in the future; a service that was done was done before now");
    }
    let number = stored::enter_service(&client, machine.machine_id, &new).await?;
    judge_again(config, &client, machine.machine_id).await?;
    say!("entered as {number}: {} on {serial}", new.item);
    Ok(ExitCode::SUCCESS)
}

/// What was done may end an alert: the machine is judged now, not in ten minutes.
async fn judge_again(config: &Config, client: &Client, machine_id: i64) -> anyhow::Result<()> {
    if let Some(progress) = stored::progress(client, machine_id).await? {
        stored::set_progress(client, machine_id, Progress { judged_at_ms: 0, ..progress }).await?;
        recompute::catch_up(config).await?;
    }
    Ok(())
}

async fn log(config: &Config, serial: &str, json: bool) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    let machine = super::machine::find(&client, serial).await?;
    let entries = stored::service_done(&client, machine.machine_id).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&entries)?);
        return Ok(ExitCode::SUCCESS);
    }
    for entry in entries {
        let meter = entry.meter_h.map(|meter| format!(", meter {meter} h")).unwrap_or_default();
        let note = entry.note.map(|note| format!(": {note}")).unwrap_or_default();
        say!("{:>6}  {}  {}{meter}, by {}{note}", entry.id, display_ms(entry.done_at_ms), entry.item, entry.actor);
    }
    Ok(ExitCode::SUCCESS)
}

fn plans(catalogues: &Catalogues, language: Language) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for plan in catalogues.plans.all() {
        let models: Vec<_> = catalogues
            .models
            .all()
            .filter(|model| model.service.as_ref() == Some(&plan.id))
            .map(|model| model.code.as_str())
            .collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} ({}): {}", plan.id, plan.name.get(language), models.join(", "));
        for item in &plan.items {
            let intervals: Vec<_> = item.intervals.iter().map(|interval| format!("{interval:?}")).collect();
            let _ = writeln!(text, "  {:<16} {:<28} {}", item.id, intervals.join(", "), item.name.get(language));
        }
    }
    text
}
