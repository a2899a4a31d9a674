//! `haulier tenants`: who is known, and tenants from a CSV file as the plan takes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use haulier_core::calendar::{Selector, Tenant, Zone};
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};
use crate::ui;

/// The columns that a file may have; all but the first may be left out.
const COLUMNS: [&str; 6] = ["key", "name", "zone", "tags", "contacts", "excluded"];

/// List tenants, and print those of a CSV file as the plan takes them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the plan's tenants with zone, tags, contacts and wave
    List {
        /// Only these: a selector, such as `size:small & !host:us`
        #[arg(default_value = "all")]
        which: String,
    },
    /// Print `[tenants.KEY]` for the plan from a CSV file with a header
    ///
    /// Columns: `key`, and of `name`, `zone`, `tags`, `contacts`, `excluded` those that are there. Several tags or contacts stand in one
    /// cell, apart by blanks or `;`.
    Import {
        /// The file
        file: PathBuf,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::List { which } => list(global, &Dates::read(global, &args.seen).await?, &which),
        What::Import { file } => {
            let tenants = read(&file)?;
            let tables: Vec<String> = tenants.iter().map(table).collect();
            ui::note(format!(
                "{} tenants; put this into the plan in place of its tables of the same keys",
                tenants.len()
            ));
            ui::line(tables.join("\n").trim_end())?;
            Ok(Exit::Done)
        }
    }
}

fn list(global: &Global, dates: &Dates, which: &str) -> Result<Exit, CliError> {
    let selector = Selector::parse(which).map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
    let roster = dates.calendar.roster();
    let found: Vec<&Tenant> = dates.calendar.tenants.iter().filter(|tenant| selector.takes(tenant)).collect();
    let wave = |tenant: &Tenant| roster.wave_of(tenant.key.as_str()).map(|wave| wave.name.clone());
    let zone = |tenant: &Tenant| tenant.zone.as_ref().map(|zone| zone.name().to_owned());
    if global.json {
        for tenant in &found {
            ui::json(&json!({
                "tenant": tenant.key.as_str(), "name": tenant.name, "zone": zone(tenant), "tags": tenant.tags,
                "contacts": tenant.contacts, "wave": wave(tenant), "excluded": tenant.excluded,
            }))?;
        }
    } else {
        let rows = found.iter().map(|tenant| {
            let excluded = tenant.excluded.as_ref().map(|why| format!("excluded: {why}"));
            vec![
                tenant.key.to_string(),
                tenant.name.clone(),
                zone(tenant).unwrap_or_default(),
                tenant.tags.join(" "),
                tenant.contacts.join(" "),
                excluded.or_else(|| wave(tenant)).unwrap_or_default(),
            ]
        });
        ui::line(ui::table(&["tenant", "name", "zone", "tags", "contacts", "wave"], rows))?;
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}

/// Reads the file: every mistake at once, with line and column.
fn read(file: &Path) -> Result<Vec<Tenant>, CliError> {
    let cannot =
        |error: csv::Error| CliError::new(Exit::Usage, format!("{} cannot be read: {error}", file.display()));
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_path(file).map_err(cannot)?;
    let header: Vec<String> = reader.headers().map_err(cannot)?.iter().map(str::to_owned).collect();
    let mut problems = Vec::new();
    for (column, name) in (1..).zip(&header) {
        if !COLUMNS.contains(&name.as_str()) {
            problems.push(format!(
                "{}:1: column {column} is called `{name}`, which no tenant has",
                file.display()
            ));
        }
    }
    if !header.iter().any(|name| name == "key") {
        problems.push(format!("{}:1: no column is called `key`", file.display()));
    }
    let mut tenants: Vec<Tenant> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(cannot)?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            let place = header.iter().position(|known| known == name)?;
            row.get(place).filter(|text| !text.is_empty())
        };
        match tenant(cell) {
            Ok(tenant) if tenants.iter().any(|known| known.key == tenant.key) => {
                problems.push(format!("{}:{line}: tenant {} is there already", file.display(), tenant.key));
            }
            Ok(tenant) => tenants.push(tenant),
            Err(found) => {
                problems.extend(found.iter().map(|problem| format!("{}:{line}: {problem}", file.display())));
            }
        }
    }
    if problems.is_empty() {
        return Ok(tenants);
    }
    Err(CliError::new(Exit::Usage, problems.join("\n"))
        .hint(format!("the first line names the columns, of {}", COLUMNS.join(", "))))
}

fn tenant<'c>(cell: impl Fn(&str) -> Option<&'c str>) -> Result<Tenant, Vec<String>> {
    let words = |name: &str| -> Vec<String> {
        let split = |c: char| c.is_whitespace() || c == ';';
        cell(name)
            .unwrap_or_default()
            .split(split)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut problems = Vec::new();
    let Some(key) = cell("key") else { return Err(vec!["it has no key".to_owned()]) };
    let mut tenant = Tenant::plain(haulier_core::TenantKey::new(key));
    tenant.name = cell("name").unwrap_or(key).to_owned();
    if let Some(name) = cell("zone") {
        tenant.zone = Zone::named(name);
        if tenant.zone.is_none() {
            problems.push(format!("there is no time zone `{name}`"));
        }
    }
    tenant.tags = words("tags");
    if let Some(tag) = tenant.tags.iter().find(|tag| tag.contains(|c: char| "&|!()".contains(c))) {
        problems.push(format!("the tag `{tag}` cannot be written in a selector"));
    }
    tenant.contacts = words("contacts");
    tenant.excluded = cell("excluded").map(str::to_owned);
    if problems.is_empty() { Ok(tenant) } else { Err(problems) }
}

/// As the plan takes it.
fn table(tenant: &Tenant) -> String {
    let quoted = |text: &str| toml_text(text);
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut text = format!("[tenants.{}]\nname = {}\n", quoted(tenant.key.as_str()), quoted(&tenant.name));
    if let Some(zone) = &tenant.zone {
        let _infallible = writeln!(text, "zone = {}", quoted(zone.name()));
    }
    for (name, texts) in [("tags", &tenant.tags), ("contacts", &tenant.contacts)] {
        if !texts.is_empty() {
            let _infallible = writeln!(text, "{name} = [{}]", list(texts));
        }
    }
    if let Some(why) = &tenant.excluded {
        let _infallible = writeln!(text, "excluded = {}", quoted(why));
    }
    text
}

/// A TOML basic string.
fn toml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _infallible = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
