//! `haulier check`: plan and site against source, queue, ledger and target, without writing.

use haulier_core::plan::{Entity, NaturalPart, PushProgram, Relation};
use haulier_core::port::Source;
use haulier_core::schema::{Schema, Table};
use serde::Serialize;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::{Neighbours, Role};
use crate::ui::{self, grouped};

/// Check plan and site against source, queue, ledger and target, without writing
///
/// With `--keys` it also counts duplicates and NULLs in source keys and natural keys, which reads whole tables.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read whole tables to count duplicates and NULLs in keys
    #[arg(long)]
    keys: bool,
    /// Only plan and site: connect to nobody
    #[arg(long, conflicts_with = "keys")]
    offline: bool,
}

#[derive(Debug, Serialize)]
struct Finding {
    ok: bool,
    what: String,
    says: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    if args.offline {
        let (plan, _) = crate::site::read(global)?;
        ui::line(format!(
            "plan `{}`: {} entities, digest {}",
            plan.name,
            plan.entities.len(),
            &plan.digest[..12]
        ))?;
        return Ok(Exit::Done);
    }
    let at = Neighbours::open(global).await?;
    let mut findings = vec![good("ledger", "it opens, and its version is known")];
    let source = at.source().await?;
    for entity in &at.plan.entities {
        source.check(entity).await?;
        let rows = source.count(entity).await?;
        findings.push(good(format!("source: {}", entity.name), format!("{} rows", grouped(rows))));
    }
    if args.keys {
        let schema = source.schema().await?;
        for entity in &at.plan.entities {
            findings.extend(keys(source.as_ref(), &schema, entity).await?);
        }
    }
    let queue = at.queue(Role::Both).await?;
    findings.push(match queue.depth().await {
        Ok(depth) => good(
            "queue",
            format!("{} ready, {} unsettled, {} dead", depth.ready, depth.unsettled, depth.dead),
        ),
        Err(error) => bad("queue", error.to_string()),
    });
    let target = at.target()?;
    target.check().await?;
    findings.push(good("target", "it answers and takes the credentials"));
    for entity in at.plan.entities.iter().filter(|entity| has_lookup(entity)) {
        let what = format!("target: lookup of {}", entity.name);
        findings.push(match target.check_lookup(entity).await {
            Ok(()) => good(what, "a key that cannot exist finds nothing"),
            Err(failure) => bad(what, failure.to_string()),
        });
    }
    let fine = findings.iter().all(|finding| finding.ok);
    if global.json {
        ui::json(&serde_json::json!({ "ok": fine, "findings": findings }))?;
    } else {
        let rows = findings
            .iter()
            .map(|f| vec![if f.ok { "ok" } else { "NO" }.to_owned(), f.what.clone(), f.says.clone()]);
        ui::line(ui::table(&["", "what", "says"], rows))?;
    }
    Ok(if fine { Exit::Done } else { Exit::No })
}

fn good(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { ok: true, what: what.into(), says: says.into() }
}

fn bad(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { ok: false, what: what.into(), says: says.into() }
}

fn has_lookup(entity: &Entity) -> bool {
    match &entity.push {
        PushProgram::LookupThenWrite { .. } => true,
        PushProgram::Create { lookup, .. } => lookup.is_some(),
        PushProgram::Put { .. }
        | PushProgram::Link { .. }
        | PushProgram::Update { .. }
        | PushProgram::Bulk(_) => false,
    }
}

async fn keys(source: &dyn Source, schema: &Schema, entity: &Entity) -> Result<Vec<Finding>, CliError> {
    let Relation::Table { name, .. } = &entity.relation else { return Ok(Vec::new()) };
    let Some(table) = schema.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)) else {
        return Ok(Vec::new());
    };
    let mut findings = vec![quality(source, table, entity, "key", &entity.key).await?];
    let natural: Vec<String> = entity
        .natural_key
        .iter()
        .flat_map(|part| match part {
            NaturalPart::Column(column) => vec![column.clone()],
            NaturalPart::Reference { index, .. } => {
                entity.refs.get(*index).map(|r| r.by.clone()).unwrap_or_default()
            }
        })
        .collect();
    if !natural.is_empty() && entity.deferred_of.is_none() {
        findings.push(quality(source, table, entity, "natural key", &natural).await?);
    }
    Ok(findings)
}

async fn quality(
    source: &dyn Source,
    table: &Table,
    entity: &Entity,
    which: &str,
    columns: &[String],
) -> Result<Finding, CliError> {
    let (rows, distinct, nulls) = source.key_quality(table, columns).await?;
    let duplicates = rows.saturating_sub(nulls).saturating_sub(distinct);
    let what = format!("source: {which} of {} ({})", entity.name, columns.join(", "));
    let says =
        format!("{} rows, {} duplicates, {} NULLs", grouped(rows), grouped(duplicates), grouped(nulls));
    Ok(if duplicates + nulls == 0 { good(what, says) } else { bad(what, says) })
}
