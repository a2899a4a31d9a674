//! Statements that read an entity's rows: pages in key order, rows by key, counts.

use super::{Builder, Dialect, Slot, Statement};
use crate::catalogue::Around;

/// An entity's statements, from the same pieces.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) dialect: Dialect,
    /// What is read, in order.
    pub(crate) select: Vec<String>,
    /// The entity's relation, as `r`.
    pub(crate) relation: String,
    /// Its parents.
    pub(crate) joins: String,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) key: Vec<KeyColumn>,
    /// The tenants whose rows are read; all of them where there is nothing.
    pub(crate) tenants: Option<Tenants>,
}

/// A choice of tenants.
#[derive(Debug, Clone)]
pub(crate) struct Tenants {
    /// The columns that hold the tenant's key, the entity's own or those of its last parent.
    pub(crate) key: Vec<KeyColumn>,
    /// How many of them are chosen; without any, no row is read.
    pub(crate) count: usize,
}

/// A filter of the plan.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The column, ready for this test.
    pub(crate) operand: String,
    pub(crate) test: Test,
}

/// What a filter asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// One of so many values.
    In(usize),
    /// None of so many values, and not NULL.
    NotIn(usize),
    IsNull,
    NotNull,
}

/// A column of the key.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumn {
    /// The column where it is compared and ordered.
    pub(crate) operand: String,
    /// Around the placeholder.
    pub(crate) place: Around,
}

impl Pages {
    /// At most so many rows in key order, behind a key and up to another where they are given.
    pub(crate) fn chunk(&self, after: bool, upto: bool) -> Statement {
        let mut builder = self.selecting();
        if after {
            self.compare(&mut builder, ">", Slot::After);
        }
        if upto {
            self.compare(&mut builder, "<=", Slot::Upto);
        }
        let order: Vec<&str> = self.key.iter().map(|column| &*column.operand).collect();
        builder.push(" order by ").push(&order.join(", ")).push(" limit ").push_place(Slot::Limit);
        builder.finish()
    }

    /// The rows of so many keys; of any number where the engine has arrays.
    pub(crate) fn rows(&self, keys: usize) -> Statement {
        let mut builder = self.selecting();
        builder.push(" and ");
        if self.dialect.has_arrays() {
            self.among_arrays(&mut builder);
        } else {
            builder.push("(");
            for key in 0..keys {
                builder.push(if key == 0 { "(" } else { " or (" });
                self.equal(&mut builder, |part| Slot::Key { key, part });
                builder.push(")");
            }
            builder.push(")");
        }
        builder.finish()
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Statement {
        let mut builder = Builder::new(self.dialect);
        builder.push("select count(*)");
        self.narrow(&mut builder, "");
        builder.finish()
    }

    /// How many rows, at most two, have the key of slot `After`, as the database compares keys.
    pub(crate) fn same_key(&self) -> Statement {
        let mut builder = Builder::new(self.dialect);
        builder.push("select count(*) from (select 1 as one");
        self.narrow(&mut builder, &self.joins);
        builder.push(" and ");
        self.equal(&mut builder, Slot::After);
        builder.push(" limit 2) as same");
        builder.finish()
    }

    /// Whether a row has no value in that key column.
    pub(crate) fn null_key(&self, column: usize) -> Option<Statement> {
        let operand = &self.key.get(column)?.operand;
        let mut builder = Builder::new(self.dialect);
        builder.push("select count(*) from (select 1 as one");
        self.narrow(&mut builder, "");
        builder.push(" and ").push(operand).push(" is null limit 1) as nulls");
        Some(builder.finish())
    }

    fn selecting(&self) -> Builder {
        let mut builder = Builder::new(self.dialect);
        builder.push("select ").push(&self.select.join(", "));
        self.narrow(&mut builder, &self.joins);
        builder
    }

    fn narrow(&self, builder: &mut Builder, joins: &str) {
        // The tenant's key stands at the end of the joins.
        let joins = if self.tenants.is_some() { &self.joins } else { joins };
        builder.push(" from ").push(&self.relation).push(joins).push(" where 1 = 1");
        if let Some(tenants) = &self.tenants {
            tenants.choose(builder);
        }
        let mut next = 0;
        for Condition { operand, test } in &self.conditions {
            builder.push(" and ").push(operand);
            match *test {
                Test::IsNull => {
                    builder.push(" is null");
                }
                Test::NotNull => {
                    builder.push(" is not null");
                }
                Test::In(count) => next = member(builder, count, next, true),
                Test::NotIn(count) => next = member(builder, count, next, false),
            }
        }
    }

    /// `and key <op> bound`, in the form for which the engine uses its index.
    fn compare(&self, builder: &mut Builder, operator: &str, slot: fn(usize) -> Slot) {
        builder.push(" and ");
        if self.key.len() > 1 && self.dialect.compares_rows() {
            let operands: Vec<&str> = self.key.iter().map(|column| &*column.operand).collect();
            builder.push("(").push(&operands.join(", ")).push(") ").push(operator).push(" (");
            for (part, column) in self.key.iter().enumerate() {
                let place = column.place.put(&builder.place(slot(part)));
                builder.push(if part == 0 { "" } else { ", " }).push(&place);
            }
            builder.push(")");
        } else {
            self.expanded(builder, 0, operator, slot);
        }
    }

    /// `a >= x and (a > x or (a = x and <the same for the rest>))`; the operator belongs to the last column.
    fn expanded(&self, builder: &mut Builder, part: usize, operator: &str, slot: fn(usize) -> Slot) {
        let Some(column) = self.key.get(part) else { return };
        let term = |builder: &mut Builder, operator: &str| {
            let place = column.place.put(&builder.place(slot(part)));
            builder.push(&column.operand).push(" ").push(operator).push(" ").push(&place);
        };
        if part + 1 == self.key.len() {
            term(builder, operator);
            return;
        }
        let strict = if operator.starts_with('>') { ">" } else { "<" };
        if part == 0 {
            term(builder, if strict == ">" { ">=" } else { "<=" });
            builder.push(" and ");
        }
        builder.push("(");
        term(builder, strict);
        builder.push(" or (");
        term(builder, "=");
        builder.push(" and ");
        self.expanded(builder, part + 1, operator, slot);
        builder.push("))");
    }

    fn equal(&self, builder: &mut Builder, slot: impl Fn(usize) -> Slot) {
        for (part, column) in self.key.iter().enumerate() {
            let place = column.place.put(&builder.place(slot(part)));
            builder.push(if part == 0 { "" } else { " and " });
            builder.push(&column.operand).push(" = ").push(&place);
        }
    }

    fn among_arrays(&self, builder: &mut Builder) {
        let operands: Vec<&str> = self.key.iter().map(|column| &*column.operand).collect();
        let names: Vec<String> = (0..self.key.len()).map(|part| format!("k{part}")).collect();
        let casts: Vec<String> = self
            .key
            .iter()
            .zip(&names)
            .map(|(column, name)| column.place.put(&format!("u.{name}")))
            .collect();
        let places: Vec<String> = (0..self.key.len()).map(|part| builder.place(Slot::Column(part))).collect();
        builder.push("(").push(&operands.join(", ")).push(") in (select ").push(&casts.join(", "));
        builder
            .push(" from unnest(")
            .push(&places.join(", "))
            .push(") as u(")
            .push(&names.join(", "))
            .push("))");
    }
}

impl Tenants {
    fn choose(&self, builder: &mut Builder) {
        if self.count == 0 {
            builder.push(" and 1 = 0");
            return;
        }
        builder.push(" and (");
        for tenant in 0..self.count {
            builder.push(if tenant == 0 { "(" } else { " or (" });
            for (part, column) in self.key.iter().enumerate() {
                let place = builder.place(Slot::Tenant(tenant * self.key.len() + part));
                builder.push(if part == 0 { "" } else { " and " });
                builder.push(&column.operand).push(" = ").push(&column.place.put(&place));
            }
            builder.push(")");
        }
        builder.push(")");
    }
}

/// Writes `in (...)` or its opposite and returns the number of the next filter value.
fn member(builder: &mut Builder, count: usize, first: usize, inside: bool) -> usize {
    if builder.dialect.has_arrays() {
        let place = builder.place(Slot::Filter(first));
        builder.push(if inside { " = any(" } else { " <> all(" }).push(&place).push(")");
        return first + 1;
    }
    builder.push(if inside { " in (" } else { " not in (" });
    for index in 0..count {
        builder.push(if index == 0 { "" } else { ", " }).push_place(Slot::Filter(first + index));
    }
    builder.push(")");
    first + count
}
