//! Tables and their references as a graph: an order in which parents come first, and the rings that have none.

use haulier_core::near;
use haulier_core::schema::{ForeignKey, Schema, Table};

use crate::error::CliError;
use crate::exit::Exit;

/// A reference that closes a ring: the table's position and the reference.
pub(crate) type Closing<'s> = (&'s Table, &'s ForeignKey);

/// Base tables, parents first, and the references that had to be left out of the order because they close a ring.
pub(crate) fn parents_first(schema: &Schema) -> (Vec<&Table>, Vec<Closing<'_>>) {
    let mut walk =
        Walk { schema, state: vec![State::New; schema.tables.len()], order: Vec::new(), closing: Vec::new() };
    for index in 0..schema.tables.len() {
        walk.visit(index);
    }
    (walk.order, walk.closing)
}

/// The table that a reference leads to, if it is among these. A name without a schema belongs to the referring table's; the
/// default schema's tables have none.
pub(crate) fn parent<'t>(tables: &[&'t Table], table: &Table, reference: &ForeignKey) -> Option<&'t Table> {
    let find = |fits: &dyn Fn(&Table) -> bool| tables.iter().copied().find(|table| fits(table));
    if let Some(near) = find(&|other| other.name == reference.table && other.schema == table.schema) {
        return Some(near);
    }
    let (schema, name) = reference.table.split_once('.')?;
    find(&|other| other.name == name && other.schema.as_deref() == Some(schema))
        .or_else(|| find(&|other| other.name == name && other.schema.is_none()))
}

/// Refuses names of tables that the source does not have.
pub(crate) fn known(schema: &Schema, names: &[String]) -> Result<(), CliError> {
    let Some(missing) = names.iter().find(|name| !schema.tables.iter().any(|table| table.name == **name))
    else {
        return Ok(());
    };
    let error = CliError::new(Exit::Usage, format!("the source has no table `{missing}`"));
    let tables = || schema.tables.iter().filter(|table| !table.view).map(|table| table.name.as_str());
    Err(match near::nearest(missing, tables()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("it has {}", tables().take(20).collect::<Vec<_>>().join(", "))),
    })
}

/// Whether a reference points to its own table.
pub(crate) fn is_self(table: &Table, reference: &ForeignKey) -> bool {
    reference.table == table.name
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

struct Walk<'s> {
    schema: &'s Schema,
    state: Vec<State>,
    order: Vec<&'s Table>,
    closing: Vec<Closing<'s>>,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize) {
        let schema = self.schema;
        let Some(table) = schema.tables.get(index) else { return };
        if self.state[index] != State::New || table.view {
            return;
        }
        self.state[index] = State::Open;
        for reference in table.foreign_keys.iter().filter(|reference| !is_self(table, reference)) {
            let found = parent(&schema.tables.iter().collect::<Vec<_>>(), table, reference);
            let Some(parent) =
                found.and_then(|found| schema.tables.iter().position(|t| std::ptr::eq(t, found)))
            else {
                continue;
            };
            if self.state[parent] == State::Open {
                self.closing.push((table, reference));
            } else {
                self.visit(parent);
            }
        }
        self.state[index] = State::Done;
        self.order.push(table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, parents: &[&str]) -> Table {
        let refer = |parent: &&str| ForeignKey {
            columns: vec![format!("{parent}_id")],
            table: (*parent).to_owned(),
            referenced: vec!["id".to_owned()],
        };
        Table {
            schema: None,
            name: name.to_owned(),
            view: false,
            columns: Vec::new(),
            primary_key: vec!["id".to_owned()],
            unique: Vec::new(),
            foreign_keys: parents.iter().map(refer).collect(),
        }
    }

    #[test]
    fn parents_come_first_and_rings_are_named() {
        let schema = Schema {
            tables: vec![
                table("staff", &["store"]),
                table("rental", &["staff"]),
                table("store", &["staff"]),
                table("tree", &["tree"]),
            ],
        };
        let (order, closing) = parents_first(&schema);
        let names: Vec<&str> = order.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["store", "staff", "rental", "tree"]);
        let closing: Vec<(&str, &str)> =
            closing.iter().map(|(t, r)| (t.name.as_str(), r.table.as_str())).collect();
        assert_eq!(closing, [("store", "staff")]);
    }

    #[test]
    fn a_reference_across_schemas_finds_the_one_table_it_means() {
        let within =
            |schema: Option<&str>, table: Table| Table { schema: schema.map(str::to_owned), ..table };
        let tables = [
            within(Some("crm"), table("people", &[])),
            within(None, table("people", &[])),
            within(Some("crm"), table("notes", &["people", "public.people", "crm.people", "other.thing"])),
        ];
        let notes = &tables[2];
        let found: Vec<Option<Option<&str>>> = (notes.foreign_keys.iter())
            .map(|reference| {
                parent(&tables.iter().collect::<Vec<_>>(), notes, reference)
                    .map(|table| table.schema.as_deref())
            })
            .collect();
        assert_eq!(found, [Some(Some("crm")), Some(None), Some(Some("crm")), None]);
    }
}
