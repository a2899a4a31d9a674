//! Looks up the names of a plan, with a hint for the one that is not there.

use haulier_core::plan::Relation;

use crate::catalogue::{Described, DescribedColumn, nearest};
use crate::driver::Driver;
use crate::fault::Fault;

/// What is wrong with a plan, and what helps.
pub(crate) fn refused(problem: String, hint: Option<String>) -> Fault {
    Fault::Refused { cause: problem, hint }
}

/// The relation of an entity, or of a parent of that name.
pub(crate) async fn describe(
    driver: &dyn Driver,
    relation: &Relation,
    parent: Option<&str>,
) -> Result<Described, Fault> {
    if let Some(described) = driver.describe(relation).await? {
        return Ok(described);
    }
    let (name, label) = match relation {
        Relation::Query(_) => return Err(refused("its query has no columns".to_owned(), None)),
        Relation::Table { schema: None, name } => (name.clone(), name.clone()),
        Relation::Table { schema: Some(schema), name } => (name.clone(), format!("{schema}.{name}")),
    };
    let known = driver.relations().await?;
    let whose = parent.map_or_else(String::new, |parent| format!(" of its parent `{parent}`"));
    Err(refused(
        format!("the source has no table or view `{label}`{whose}"),
        hint(&name, known.iter().map(String::as_str)),
    ))
}

/// The column of that name.
pub(crate) fn find<'a>(described: &'a Described, name: &str) -> Result<&'a DescribedColumn, Fault> {
    described.column(name).ok_or_else(|| {
        let names = described.columns.iter().map(|column| &*column.name);
        refused(format!("{} has no column `{name}`", described.label), hint(name, names))
    })
}

fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}
