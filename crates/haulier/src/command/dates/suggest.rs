//! `haulier windows suggest`: when it is quiet, by what really happens.

use std::path::{Path, PathBuf};

use haulier_core::Value;
use haulier_core::calendar::{Activity, Zone};
use haulier_core::plan::Entity;
use haulier_core::port::{KeyRange, Source};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::site::dates::{Dates, Seen, unknown};
use crate::ui;

/// Rows of one read.
const CHUNK: u32 = 5_000;

/// Find quiet hours: from a tenant's usage, a CSV file, or a time column of the source
#[derive(Debug, clap::Args)]
pub(crate) struct SuggestArgs {
    /// From this tenant's `usage` in the plan, in its zone
    #[arg(long, value_name = "KEY", conflicts_with_all = ["usage", "column"])]
    tenant: Option<String>,
    /// From a CSV file with a header: a time (RFC 3339, or local), and optionally a count
    #[arg(long, value_name = "FILE", conflicts_with = "column")]
    usage: Option<PathBuf>,
    /// From a column of the source: ENTITY.COLUMN, such as `user.last_seen_at`; rows are read, never written
    #[arg(long, value_name = "ENTITY.COLUMN")]
    column: Option<String>,
    /// Read at most so many rows of the source
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The zone whose hours are meant; the tenant's, else the schedule's
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// How long the window shall be, in hours
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=72))]
    hours: u8,
    /// At most so many suggestions
    #[arg(long, default_value_t = 5)]
    top: usize,
}

pub(super) async fn run(global: &Global, seen: &Seen, args: SuggestArgs) -> Result<Exit, CliError> {
    let dates = Dates::read(global, seen).await?;
    let named = match &args.zone {
        Some(name) => Some(Zone::named(name).ok_or_else(|| unknown("time zone", name, std::iter::empty()))?),
        None => None,
    };
    let usual = || named.clone().unwrap_or_else(|| dates.calendar.zone.clone());
    let (activity, zone, of) = if let Some(key) = &args.tenant {
        let tenant = dates.tenant(key)?;
        let zone = tenant.zone.clone().unwrap_or_else(usual);
        let activity = Activity::of_usage(&tenant.usage).ok_or_else(|| {
            CliError::new(Exit::No, format!("the plan knows no usage of tenant {key}"))
                .hint("`usage = [...]` in `[tenants.KEY]`: 24 figures by hour, or 168")
        })?;
        (activity, zone, format!("tenant {key}"))
    } else if let Some(file) = &args.usage {
        (of_csv(file, &usual())?, usual(), file.display().to_string())
    } else if let Some(column) = &args.column {
        (of_source(global, column, args.rows, &usual()).await?, usual(), column.clone())
    } else {
        return Err(CliError::new(Exit::Usage, "nothing says what happens when")
            .hint("`--column user.created_at`, `--usage FILE`, or `--tenant KEY`"));
    };
    show(global, &activity, &zone, &of, args.hours, args.top)
}

fn show(
    global: &Global,
    activity: &Activity,
    zone: &Zone,
    of: &str,
    hours: u8,
    top: usize,
) -> Result<Exit, CliError> {
    let quiet = activity.quietest(hours, top);
    let day = |day: jiff::civil::Weekday| {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let index = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
        days.get(index).copied().unwrap_or("mon")
    };
    let end = |hour: u8| (hour + hours) % 24;
    if global.json {
        for stretch in &quiet {
            ui::json(&json!({
                "zone": zone.name(), "days": [day(stretch.day)], "from": format!("{:02}:00", stretch.hour),
                "to": format!("{:02}:00", end(stretch.hour)), "hours": stretch.hours, "share": stretch.share,
            }))?;
        }
    } else if quiet.is_empty() {
        ui::line(format!("{of}: nothing happens at all, so every hour is as good"))?;
    } else {
        ui::line(graph(activity))?;
        ui::line(format!("\n{of}, hours of {zone}; quietest first:"))?;
        let rows = quiet.iter().map(|stretch| {
            vec![
                format!("{} {:02}:00", day(stretch.day), stretch.hour),
                format!("{:02}:00", end(stretch.hour)),
                format!("{:.2} %", stretch.share * 100.0),
                format!(
                    "days = [\"{}\"] from = \"{:02}:00\" to = \"{:02}:00\"",
                    day(stretch.day),
                    stretch.hour,
                    end(stretch.hour)
                ),
            ]
        });
        ui::line(ui::table(&["from", "to", "of the week", "in the plan"], rows))?;
    }
    Ok(if quiet.is_empty() { Exit::No } else { Exit::Done })
}

/// A line a day, a sign an hour: the darker, the more.
fn graph(activity: &Activity) -> String {
    const SIGNS: [char; 5] = ['.', '-', '+', '*', '#'];
    let most = activity.hours().iter().copied().fold(0.0, f64::max);
    let mut lines = vec!["     00    06    12    18".to_owned()];
    for (name, hours) in
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().zip(activity.hours().chunks(24))
    {
        let sign = |hour: &f64| {
            let part = if most > 0.0 { hour / most } else { 0.0 };
            let level = [0.05, 0.25, 0.5, 0.75].iter().filter(|limit| part > **limit).count();
            SIGNS.get(level).copied().unwrap_or('#')
        };
        lines.push(format!("{name}  {}", hours.iter().map(sign).collect::<String>()));
    }
    lines.join("\n")
}

fn of_csv(file: &Path, zone: &Zone) -> Result<Activity, CliError> {
    let trouble = |problem: String| CliError::new(Exit::No, format!("{}: {problem}", file.display()));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(file)
        .map_err(|error| trouble(error.to_string()))?;
    let mut activity = Activity::default();
    for row in reader.records() {
        let row = row.map_err(|error| trouble(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let local = row.get(0).and_then(|text| local(text, zone));
        let local = local.ok_or_else(|| trouble(format!("line {line}: its first column is not a time")))?;
        let count = match row.get(1).map(str::trim) {
            None | Some("") => 1.0,
            Some(text) => match text.parse::<f64>() {
                Ok(count) if count.is_finite() && count >= 0.0 => count,
                _ => return Err(trouble(format!("line {line}: its second column is not a count"))),
            },
        };
        activity.add(local, count);
    }
    Ok(activity)
}

async fn of_source(global: &Global, column: &str, most: u64, zone: &Zone) -> Result<Activity, CliError> {
    let at = Neighbours::open(global).await?;
    let (entity, column) = column
        .split_once('.')
        .ok_or_else(|| CliError::new(Exit::Usage, format!("`{column}` is not ENTITY.COLUMN")))?;
    let name = at.entity(entity)?;
    let known =
        at.plan.entity(&name).ok_or_else(|| CliError::bug(anyhow::anyhow!("an entity without a plan")))?;
    // Only what is asked for is read; the key must be among it.
    let mut columns = known.key.clone();
    if !columns.iter().any(|known| known == column) {
        columns.push(column.to_owned());
    }
    let entity = Entity { columns, ..known.clone() };
    let source = at.source().await?;
    source.check(&entity).await?;
    read(source.as_ref(), &entity, column, most, zone).await
}

async fn read(
    source: &dyn Source,
    entity: &Entity,
    column: &str,
    most: u64,
    zone: &Zone,
) -> Result<Activity, CliError> {
    let mut activity = Activity::default();
    let (mut after, mut seen) = (None, 0_u64);
    let place = entity.column(column).unwrap_or(0);
    while seen < most {
        let rows = source.chunk(entity, &KeyRange::default(), after.as_ref(), CHUNK).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
        for row in &rows {
            seen += 1;
            let text = match row.values.get(place) {
                Some(Value::Timestamp(text) | Value::Text(text) | Value::Date(text)) => text,
                Some(Value::Null) | None => continue,
                Some(_) => {
                    return Err(CliError::new(
                        Exit::Plan,
                        format!("column `{column}` of `{}` holds no times", entity.name),
                    ));
                }
            };
            if let Some(local) = local(text, zone) {
                activity.add(local, 1.0);
            }
        }
    }
    Ok(activity)
}

/// What the zone's clocks showed; a time without an offset is the source's UTC.
fn local(text: &str, zone: &Zone) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(zone.local(at));
    }
    let civil: DateTime = text.parse().ok()?;
    Some(zone.local(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()))
}
