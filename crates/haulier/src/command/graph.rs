//! Tables and their references as a graph: an order in which parents come first, and the rings that have none.

use haulier_core::schema::{ForeignKey, Schema, Table};

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
            let Some(parent) = schema.tables.iter().position(|other| other.name == reference.table) else {
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
}
