//! `polevod import FILE…`: fields, farms, people and implements from files.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::ATTENTION;
use crate::config::Config;
use crate::derive::field::Rules;
use crate::exchange::import::{self, Decision, Plan, PlannedField, Saved};
use crate::exchange::read::{Weigh, Weight};
use crate::recompute;
use crate::store::{self, StoreError, field as stored};

/// What `import FILE…` takes.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Files or folders.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say what would happen, and save nothing.
    #[arg(long)]
    dry_run: bool,
    /// Farm of fields whose file names none.
    #[arg(long, value_name = "NAME")]
    farm: Option<String>,
    /// Take fields that lie on others; work there goes to the smaller one.
    #[arg(long)]
    allow_overlap: bool,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

/// What an import did, or would do.
#[derive(Debug, Serialize)]
struct Done {
    saved: bool,
    problems: Vec<String>,
    farms: Vec<String>,
    workers: Vec<String>,
    implements: Vec<String>,
    fields: Vec<DoneField>,
}

#[derive(Debug, Serialize)]
struct DoneField {
    file: String,
    name: String,
    code: Option<String>,
    farm: Option<String>,
    area_ha: f64,
    decision: &'static str,
    field_id: Option<i64>,
    was_ha: Option<f64>,
    overlap: Option<import::Overlap>,
    /// Refused: the known field of its code or name is so far away.
    elsewhere_km: Option<f64>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (mut sources, mut problems, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for file in &arguments.files {
        match import::open(file) {
            Ok((found, told)) => {
                sources.extend(found);
                problems.extend(told);
            }
            Err(error) => unread.push(error.to_string()),
        }
    }
    if sources.is_empty() {
        bail!("{}", unread.join("\n"));
    }
    let (mut found, told) = import::gather(&sources, &Rules::default());
    problems.extend(told);
    for field in found.fields.iter_mut().filter(|field| field.farm.is_none()) {
        field.farm.clone_from(&arguments.farm);
    }
    let is_loss = !unread.is_empty() || problems.iter().any(|problem| problem.defect.weight() == Weight::Loss);
    unread.extend(problems.iter().map(ToString::to_string));

    let mut client = store::connect(&config.database).await?;
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    let plan = import::plan(found, &stored::field_index(&transaction).await?, arguments.allow_overlap);
    let saved = if arguments.dry_run { Saved::default() } else { import::save(&transaction, &plan).await? };
    transaction.commit().await.map_err(StoreError::from)?;
    if !arguments.dry_run {
        recompute::catch_up(config).await?;
    }
    let done = done(&plan, &saved, !arguments.dry_run, unread);
    let is_refused = plan.fields.iter().any(PlannedField::is_refused);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&done)?);
    } else {
        say_text!("{}", text(&done));
    }
    Ok(if is_loss || is_refused { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS })
}

fn done(plan: &Plan, saved: &Saved, is_saved: bool, problems: Vec<String>) -> Done {
    let fields = plan.fields.iter().enumerate().map(|(number, planned)| {
        let (decision, was_ha, overlap, elsewhere_km) = match &planned.decision {
            Decision::New => ("new", None, None, None),
            Decision::Changed { was_ha, .. } => ("changed", Some(*was_ha), None, None),
            Decision::Unchanged { .. } => ("unchanged", None, None, None),
            Decision::Overlaps(overlap) => ("refused", None, Some(overlap.clone()), None),
            Decision::Elsewhere { km, .. } => ("refused", None, None, Some(*km)),
        };
        DoneField {
            file: planned.draft.file.clone(),
            name: planned.draft.name.clone(),
            code: planned.draft.code.clone(),
            farm: planned.draft.farm.clone(),
            area_ha: planned.draft.boundary.area_ha(),
            decision,
            field_id: saved.fields.get(number).copied().flatten(),
            was_ha,
            overlap,
            elsewhere_km,
        }
    });
    Done {
        saved: is_saved,
        problems,
        farms: plan.farms.iter().map(|farm| farm.name.clone()).collect(),
        workers: plan.workers.iter().map(|worker| worker.name.clone()).collect(),
        implements: plan.implements.iter().map(|implement| implement.name.clone()).collect(),
        fields: fields.collect(),
    }
}

fn text(done: &Done) -> String {
    let mut text = String::new();
    for problem in &done.problems {
        text.push_str(&format!("{problem}\n"));
    }
    let mut rows = vec![["id", "field", "code", "farm", "ha", "what"].map(String::from)];
    for field in &done.fields {
        let what = match (&field.overlap, field.elsewhere_km, field.was_ha) {
            (_, Some(km), _) => format!(
                "refused: the known field of this code or name is {km:.0} km away; import under its own --farm, or change \
                 that field with `polevod field set`"
            ),
            (Some(overlap), ..) => format!(
                "refused: {:.2} ha ({:.0} %) lie on {}; mend the boundary or give --allow-overlap",
                overlap.shared_ha,
                overlap.share * 100.0,
                overlap.other
            ),
            (None, None, Some(was_ha)) => format!("changed, was {was_ha:.2} ha"),
            (None, None, None) => field.decision.to_owned(),
        };
        let dash = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".into());
        let id = field.field_id.map_or_else(|| "-".into(), |id| id.to_string());
        rows.push([
            id,
            field.name.clone(),
            dash(&field.code),
            dash(&field.farm),
            format!("{:.2}", field.area_ha),
            what,
        ]);
    }
    if rows.len() > 1 {
        text.push_str(&super::table::aligned(&rows, &[0, 4]));
    }
    for (what, names) in [("farms", &done.farms), ("people", &done.workers), ("implements", &done.implements)] {
        if !names.is_empty() {
            text.push_str(&format!("{what}: {}\n", names.join(", ")));
        }
    }
    text.push_str(if done.saved { "saved\n" } else { "nothing is saved: --dry-run\n" });
    text
}
