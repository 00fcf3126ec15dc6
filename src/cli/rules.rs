//! `polevod rules`: the rules on signals, checked and listed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::catalogue_files;
use super::table::aligned;
use crate::catalogues::{self, data_file};
use crate::config::Config;
use crate::derive::health::rule::RuleSet;
use crate::derive::health::{DataError, Language, Severity};

/// What `rules` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Look through rules, trends, faults, service plans and models for mistakes, and run every example of every rule.
    Check {
        /// Rule files to look at instead of the built-in ones and those of health.folder.
        files: Vec<PathBuf>,
        /// Folder to lay over the built-in files, instead of health.folder.
        #[arg(long, conflicts_with = "files", value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Every rule and trend that is in force.
    List {
        /// Only those for this model.
        #[arg(long, value_name = "CODE")]
        model: Option<String>,
        /// Language of the texts.
        #[arg(long, value_enum, default_value_t)]
        lang: Language,
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
}

/// A rule or a trend, as JSON.
#[derive(Debug, Serialize)]
struct RuleJson {
    id: String,
    kind: &'static str,
    severity: Severity,
    title: String,
    advice: String,
    fault: Option<String>,
    models: Vec<String>,
    examples: usize,
    file: Option<String>,
}

pub(super) fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Check { files, folder } if files.is_empty() => {
            let folder =
                folder.or_else(|| (!config.health.folder.is_empty()).then(|| config.health.folder.clone().into()));
            let mut errors = Vec::new();
            let catalogues = catalogues::load(folder.as_deref(), &mut errors);
            say!(
                "{} rules, {} trends, {} fault codes, {} service plans, {} models",
                catalogues.rules.rules().len(),
                catalogues.rules.trends().len(),
                catalogues.faults.len(),
                catalogues.plans.all().count(),
                catalogues.models.all().count()
            );
            conclude(config, &catalogues.rules, &errors)
        }
        Command::Check { files, .. } => {
            let mut errors = Vec::new();
            let mut texts = Vec::new();
            for file in &files {
                match data_file(file) {
                    Ok(text) => texts.push(text),
                    Err(error) => errors.push(error),
                }
            }
            let rules = RuleSet::read(&texts, &mut errors);
            say!("{} rules, {} trends in {} files", rules.rules().len(), rules.trends().len(), files.len());
            conclude(config, &rules, &errors)
        }
        Command::List { model, lang, json } => list(config, model.as_deref(), lang, json),
    }
}

/// Prints what is wrong, and whether every example holds.
fn conclude(config: &Config, rules: &RuleSet, errors: &[DataError]) -> anyhow::Result<ExitCode> {
    for error in errors {
        say!("{error}");
    }
    let failures = rules.run_examples(&config.clock.zone.0);
    for failure in &failures {
        say!("{failure}");
    }
    let examples: usize = rules.rules().iter().map(|rule| rule.examples()).sum();
    say!("{} of {examples} examples hold", examples - failures.len());
    if !errors.is_empty() || !failures.is_empty() {
        bail!("{} mistakes, {} examples that do not hold", errors.len(), failures.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config, model: Option<&str>, language: Language, json: bool) -> anyhow::Result<ExitCode> {
    let catalogues = catalogue_files(config);
    let is_for = |models: &[String]| model.is_none() || crate::derive::health::is_for(models, model);
    let mut rules: Vec<_> = catalogues
        .rules
        .rules()
        .iter()
        .filter(|rule| is_for(&rule.models))
        .map(|rule| RuleJson {
            id: rule.id.clone(),
            kind: rule.kind(),
            severity: rule.severity,
            title: rule.title.get(language).to_owned(),
            advice: rule.advice.get(language).to_owned(),
            fault: rule.fault.map(|code| code.to_string()),
            models: rule.models.clone(),
            examples: rule.examples(),
            file: Some(rule.file.clone()),
        })
        .collect();
    rules.extend(catalogues.rules.trends().iter().filter(|trend| is_for(&trend.models)).map(|trend| RuleJson {
        id: trend.id.clone(),
        kind: "trend",
        severity: trend.severity,
        title: trend.title.get(language).to_owned(),
        advice: trend.advice.get(language).to_owned(),
        fault: None,
        models: trend.models.clone(),
        examples: 0,
        file: None,
    }));
    if json {
        say!("{}", serde_json::to_string_pretty(&rules)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["rule", "kind", "severity", "code", "models", "title"].map(String::from)];
    rows.extend(rules.into_iter().map(|rule| {
        [
            rule.id,
            rule.kind.into(),
            rule.severity.word(language).into(),
            rule.fault.unwrap_or_else(|| "-".into()),
            if rule.models.is_empty() { "all".into() } else { rule.models.join(",") },
            rule.title,
        ]
    }));
    say_text!("{}", aligned(&rows, &[]));
    Ok(ExitCode::SUCCESS)
}
