//! `polevod alerts`: the worklist, and who is told.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use serde::Serialize;
use tokio_postgres::Client;

use super::catalogue_files;
use super::table::aligned;
use crate::config::{Config, Secret};
use crate::derive::health::worklist::WorkState;
use crate::derive::health::{Catalogues, Evidence, Language, Severity};
use crate::store::health::{self as stored, Alert, AlertFilter, ChannelKind, HistoryEntry, NewChannel, WorkChange};
use crate::time::display_ms;
use crate::{notify, recompute, store};

/// Columns of numbers in the table.
const NUMBERS: &[usize] = &[0, 7];

/// What `alerts` takes.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
An alert stays until a person closes it, also when the machine says that the trouble is over; trouble that returns
after that opens it again, with its history."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only of this machine, by serial.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<String>,
    /// Nothing milder than this: 1 information, 2 plan, 3 urgent, 4 stop.
    #[arg(long, value_name = "N", value_parser = parse_severity)]
    severity: Option<Severity>,
    /// Only those of this person.
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// Also those that are closed.
    #[arg(long)]
    all: bool,
    /// Most alerts shown.
    #[arg(long, default_value_t = 200, value_name = "N")]
    limit: i64,
    /// Language of the texts.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// One alert with its history.
    Show {
        /// Its number.
        alert: i64,
        /// Language of the texts.
        #[arg(long, value_enum, default_value_t)]
        lang: Language,
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Take note of alerts.
    Acknowledge(Change),
    /// Begin work on alerts.
    Start(Change),
    /// Close alerts: they have been dealt with.
    Close(Change),
    /// Undo: alerts are new again.
    Reopen(Change),
    /// Say whose job alerts are, and nothing else.
    Assign(Change),
    /// Say something about alerts, and nothing else.
    Note(Change),
    /// Who is told: webhooks, mailboxes, MQTT topics.
    Channel {
        #[command(subcommand)]
        command: ChannelCommand,
    },
    /// What was told, and what could not be.
    Deliveries {
        /// Only waiting, delivered or dead ones.
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "delivered", "dead"])]
        state: Option<String>,
        /// Most deliveries shown.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: i64,
        /// Try those again that were given up.
        #[arg(long)]
        retry_dead: bool,
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Numbers of the alerts.
    #[arg(required = true)]
    alerts: Vec<i64>,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    by: String,
    /// Whose job it is from now on; empty: nobody's.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// What there is to say.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum ChannelCommand {
    /// Add a channel; what begins from now on is told there.
    Add {
        /// What to call it.
        name: String,
        /// webhook, mail or mqtt.
        kind: String,
        /// Address of the webhook, mailbox, or topic ({machine} stands for the serial).
        target: String,
        /// Key that webhooks are signed with (HMAC-SHA-256), at least 16 characters.
        #[arg(long, value_name = "KEY", env = "POLEVOD_CHANNEL_SECRET", hide_env_values = true)]
        secret: Option<String>,
        /// Language of the texts.
        #[arg(long, value_enum, default_value_t)]
        lang: Language,
        /// Nothing milder is told.
        #[arg(long, value_name = "N", default_value = "3", value_parser = parse_severity)]
        severity: Severity,
        /// Only machines of these models; * stands for anything.
        #[arg(long, value_name = "PATTERN")]
        model: Vec<String>,
        /// Tell also when trouble is over.
        #[arg(long)]
        tell_gone: bool,
    },
    /// Every channel.
    List {
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Deliver to a channel again.
    Enable {
        /// Its name.
        name: String,
    },
    /// Stop delivering to a channel; what is told meanwhile is lost to it.
    Disable {
        /// Its name.
        name: String,
    },
    /// Remove a channel with its deliveries.
    Remove {
        /// Its name.
        name: String,
    },
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    let number: u8 = text.parse().map_err(|_| format!("{text:?} is no severity, 1 to 4"))?;
    Severity::try_from(number)
}

/// An alert as JSON.
#[derive(Debug, Serialize)]
struct AlertJson {
    alert: i64,
    machine: String,
    machine_name: Option<String>,
    model: Option<String>,
    subject: String,
    kind: &'static str,
    severity: Severity,
    title: String,
    advice: String,
    state: &'static str,
    state_at: String,
    assignee: Option<String>,
    active: bool,
    opened_at: String,
    gone_at: Option<String>,
    episodes: i32,
    evidence: serde_json::Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<HistoryEntry>,
}

/// What an alert is about, in words.
pub(super) fn title(catalogues: &Catalogues, alert: &Alert, language: Language) -> String {
    let evidence: Evidence = serde_json::from_value(alert.evidence.clone()).unwrap_or_default();
    catalogues.words(&alert.subject, alert.model.as_deref(), &evidence).title.get(language).to_owned()
}

fn alert_json(catalogues: &Catalogues, alert: &Alert, language: Language) -> AlertJson {
    let evidence: Evidence = serde_json::from_value(alert.evidence.clone()).unwrap_or_default();
    let words = catalogues.words(&alert.subject, alert.model.as_deref(), &evidence);
    AlertJson {
        alert: alert.id,
        machine: alert.serial.clone(),
        machine_name: alert.name.clone(),
        model: alert.model.clone(),
        subject: alert.subject.to_string(),
        kind: alert.subject.kind(),
        severity: alert.severity,
        title: words.title.get(language).to_owned(),
        advice: words.advice.get(language).to_owned(),
        state: alert.state.as_str(),
        state_at: display_ms(alert.state_at_ms),
        assignee: alert.assignee.clone(),
        active: alert.active,
        opened_at: display_ms(alert.opened_at_ms),
        gone_at: alert.gone_at_ms.map(display_ms),
        episodes: alert.episode_count,
        evidence: alert.evidence.clone(),
        history: Vec::new(),
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (state, changed) = match arguments.command {
        None => return list(config, arguments.list).await,
        Some(Command::Show { alert, lang, json }) => return show(config, alert, lang, json).await,
        Some(Command::Channel { command }) => return channel(config, command).await,
        Some(Command::Deliveries { state, limit, retry_dead, json }) => {
            return deliveries(config, state.as_deref(), limit, retry_dead, json).await;
        }
        Some(Command::Acknowledge(changed)) => (Some(WorkState::Acknowledged), changed),
        Some(Command::Start(changed)) => (Some(WorkState::InWork), changed),
        Some(Command::Close(changed)) => (Some(WorkState::Closed), changed),
        Some(Command::Reopen(changed)) => (Some(WorkState::New), changed),
        Some(Command::Assign(changed)) if changed.to.is_none() => bail!("--to NAME says whose job it is"),
        Some(Command::Note(changed)) if changed.note.is_none() => bail!("--note TEXT is what there is to say"),
        Some(Command::Assign(changed) | Command::Note(changed)) => (None, changed),
    };
    let mut client = store::connect(&config.database).await?;
    // All or none: half of a bulk change would be hard to see.
    let transaction = client.transaction().await?;
    for alert in &changed.alerts {
        let change = WorkChange { state, assignee: changed.to.clone(), note: changed.note.clone() };
        if !stored::change_alert(&transaction, *alert, &changed.by, &change).await? {
            bail!("there is no alert {alert}; `polevod alerts --all` lists them; nothing was changed");
        }
    }
    transaction.commit().await?;
    say!("changed {} alerts", changed.alerts.len());
    Ok(ExitCode::SUCCESS)
}

async fn list(config: &Config, list: List) -> anyhow::Result<ExitCode> {
    let catalogues = catalogue_files(config);
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let machine_id = match &list.machine {
        None => None,
        Some(serial) => Some(super::machine::find(&client, serial).await?.machine_id),
    };
    let filter = AlertFilter {
        id: None,
        machine_id,
        severity_min: list.severity,
        closed: list.all,
        assignee: list.assignee,
        limit: list.limit,
    };
    let alerts = stored::alerts(&client, &filter).await?;
    let alerts: Vec<_> = alerts.iter().map(|alert| alert_json(&catalogues, alert, list.lang)).collect();
    if list.json {
        say!("{}", serde_json::to_string_pretty(&alerts)?);
    } else if alerts.is_empty() {
        say!("no open alert");
    } else {
        let head = ["alert", "severity", "machine", "state", "assignee", "since (UTC)", "now", "times", "what"];
        let mut rows = vec![head.map(String::from)];
        rows.extend(alerts.iter().map(|alert| {
            [
                alert.alert.to_string(),
                alert.severity.word(list.lang).to_owned(),
                alert.machine.clone(),
                alert.state.to_owned(),
                alert.assignee.clone().unwrap_or_else(|| "-".into()),
                alert.opened_at[..alert.opened_at.len().min(19)].replace('T', " "),
                if alert.active { "lasts" } else { "gone" }.to_owned(),
                alert.episodes.to_string(),
                alert.title.clone(),
            ]
        }));
        say_text!("{}", aligned(&rows, NUMBERS));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(config: &Config, alert: i64, language: Language, json: bool) -> anyhow::Result<ExitCode> {
    let catalogues = catalogue_files(config);
    let client = store::connect(&config.database).await?;
    let filter = AlertFilter { id: Some(alert), limit: 1, ..AlertFilter::default() };
    let found = stored::alerts(&client, &filter).await?.pop();
    let found = found.ok_or_else(|| anyhow!("there is no alert {alert}; `polevod alerts --all` lists them"))?;
    let history = stored::alert_history(&client, alert).await?;
    let shown = AlertJson { history, ..alert_json(&catalogues, &found, language) };
    if json {
        say!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}: {}: {}", shown.machine, shown.severity.word(language), shown.title);
    say!("{}", shown.advice);
    say!("{} since {}; {}", shown.state, shown.state_at, shown.assignee.as_deref().unwrap_or("nobody's"));
    for entry in &shown.history {
        let note = entry.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let at = entry.device_at_ms.map(|at| format!(" (machine time {})", display_ms(at))).unwrap_or_default();
        say!("  {}  {} {}{at}{note}", display_ms(entry.at_ms), entry.actor, entry.action);
    }
    Ok(ExitCode::SUCCESS)
}

async fn channel(config: &Config, command: ChannelCommand) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    let missing = |name: &str| anyhow!("there is no channel {name:?}; `polevod alerts channel list` lists them");
    match command {
        ChannelCommand::Add { name, kind, target, secret, lang, severity, model, tell_gone } => {
            let kind = ChannelKind::parse(&kind)
                .ok_or_else(|| anyhow!("{kind:?} is no kind of channel; webhook, mail and mqtt are"))?;
            let new = NewChannel {
                name,
                kind,
                target,
                secret: secret.map(Secret::new),
                language: lang,
                severity_min: severity,
                models: model,
                tell_gone,
            };
            check_channel(config, &new)?;
            stored::add_channel(&client, &new).await?;
            say!("alerts from severity {} on go to {}", new.severity_min.number(), new.name);
        }
        ChannelCommand::List { json } => return list_channels(&client, json).await,
        ChannelCommand::Enable { name } => {
            if !stored::enable_channel(&client, &name, true).await? {
                return Err(missing(&name));
            }
        }
        ChannelCommand::Disable { name } => {
            if !stored::enable_channel(&client, &name, false).await? {
                return Err(missing(&name));
            }
        }
        ChannelCommand::Remove { name } => {
            if !stored::remove_channel(&client, &name).await? {
                return Err(missing(&name));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A channel that could never deliver is refused when it is added.
fn check_channel(config: &Config, new: &NewChannel) -> anyhow::Result<()> {
    const KEY_MIN: usize = 16;
    let target = &new.target;
    match new.kind {
        ChannelKind::Webhook => {
            notify::check_url(target).map_err(anyhow::Error::msg)?;
            if new.secret.as_ref().is_some_and(|secret| secret.reveal().len() < KEY_MIN) {
                bail!("--secret has less than {KEY_MIN} characters; a receiver could be fooled");
            }
        }
        ChannelKind::Mail => {
            notify::check_mailbox(target).map_err(anyhow::Error::msg)?;
            if config.notify.mail_url.reveal().is_empty() {
                bail!("notify.mail_url is empty: name the mail server first");
            }
        }
        ChannelKind::Mqtt => {
            let is_topic = !target.is_empty() && !target.contains(['+', '#']) && !target.starts_with("polevod/v1/");
            if !is_topic {
                bail!(
                    "{target:?} is no topic for alerts; write polevod/alerts/{{machine}}: no wildcards, and not below polevod/v1"
                );
            }
        }
    }
    Ok(())
}

/// A channel as JSON; its secret is never shown.
#[derive(Debug, Serialize)]
struct ChannelJson {
    name: String,
    kind: ChannelKind,
    target: String,
    signed: bool,
    language: Language,
    severity_min: Severity,
    models: Vec<String>,
    tell_gone: bool,
    enabled: bool,
    created_at: String,
}

async fn list_channels(client: &Client, json: bool) -> anyhow::Result<ExitCode> {
    let channels: Vec<_> = stored::channels(client)
        .await?
        .into_iter()
        .map(|found| ChannelJson {
            name: found.channel.name,
            kind: found.channel.kind,
            target: found.channel.target,
            signed: found.channel.secret.is_some(),
            language: found.channel.language,
            severity_min: found.channel.severity_min,
            models: found.channel.models,
            tell_gone: found.channel.tell_gone,
            enabled: found.enabled,
            created_at: display_ms(found.created_at_ms),
        })
        .collect();
    if json {
        say!("{}", serde_json::to_string_pretty(&channels)?);
    } else if channels.is_empty() {
        say!("nobody is told; `polevod alerts channel add NAME webhook https://…` adds a channel");
    } else {
        let mut rows =
            vec![["name", "kind", "from severity", "language", "models", "state", "target"].map(String::from)];
        rows.extend(channels.into_iter().map(|channel| {
            [
                channel.name,
                channel.kind.as_str().into(),
                channel.severity_min.number().to_string(),
                channel.language.code().into(),
                if channel.models.is_empty() { "all".into() } else { channel.models.join(",") },
                if channel.enabled { "on" } else { "off" }.into(),
                channel.target,
            ]
        }));
        say_text!("{}", aligned(&rows, &[]));
    }
    Ok(ExitCode::SUCCESS)
}

async fn deliveries(
    config: &Config,
    state: Option<&str>,
    limit: i64,
    retry_dead: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    if retry_dead {
        say!("{} deliveries are tried again", stored::retry_dead(&client, None).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = stored::deliveries(&client, state, limit).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    for row in rows {
        let error = row.last_error.map(|error| format!(": {error}")).unwrap_or_default();
        say!(
            "{:>8}  {}  {:<9}  {}  alert {} {}, {} attempts{error}",
            row.id,
            display_ms(row.at_ms),
            row.state,
            row.channel,
            row.alert_id,
            row.event,
            row.attempts
        );
    }
    Ok(ExitCode::SUCCESS)
}
