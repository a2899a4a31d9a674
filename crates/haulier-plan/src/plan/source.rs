//! `source`: where an entity's rows come from.

use haulier_core::plan::{Filter, Relation};

use super::entity::SourceDraft;
use crate::node::{Node, Table};
use crate::shape;

/// Reads `source`.
pub(crate) fn read<'d>(node: &Node<'d>) -> Option<SourceDraft<'d>> {
    let table = node.table(&shape::SOURCE)?;
    let relation = relation(&table);
    let key = table.need("key", "name the columns that together tell every row apart").map(|key| key.texts());
    let filters = filters(&table);
    Some(SourceDraft {
        relation: relation?,
        key: key?,
        filters,
        generation: table.text("generation"),
        columns: table.texts("columns"),
    })
}

/// The conditions of `where`.
pub(crate) fn filters(table: &Table<'_>) -> Vec<Filter> {
    let filters = table.get("where").and_then(|node| node.items()).unwrap_or_default();
    filters.iter().filter_map(filter).collect()
}

/// `table`, with its `schema`, or `query`.
pub(crate) fn relation(table: &Table<'_>) -> Option<Relation> {
    match (table.get("table"), table.get("query")) {
        (Some(name), None) => {
            let name = name.text()?.value;
            let schema = table.text("schema").map(|schema| schema.value);
            let (schema, name) = match (schema, name.split_once('.')) {
                (None, Some((schema, name))) if !schema.is_empty() && !name.is_empty() => {
                    (Some(schema), name)
                }
                _ => (schema, name),
            };
            Some(Relation::Table { schema: schema.map(str::to_owned), name: name.to_owned() })
        }
        (None, Some(query)) => {
            if let Some(schema) = table.get("schema") {
                schema.notes.add(schema.at, "`schema` goes with `table`; a query names its schemas itself");
            }
            self::query(&query)
        }
        (Some(_), Some(query)) => {
            query.wrong("`table` and `query` cannot both say where the rows come from", None)
        }
        (None, None) => {
            table.notes.hinted(table.at, format!("{} lacks `table`", table.what()), "or give a `query`");
            None
        }
    }
}

fn query(node: &Node<'_>) -> Option<Relation> {
    let text = node.text()?.value.trim().trim_end_matches(';').trim_end();
    let first = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("").to_ascii_lowercase();
    if !matches!(first.as_str(), "select" | "with") {
        return node.wrong(
            "`query` must be a `select` with named columns",
            Some("haulier reads only; it takes the query as a derived table".to_owned()),
        );
    }
    Some(Relation::Query(text.to_owned()))
}

fn filter(node: &Node<'_>) -> Option<Filter> {
    let table = node.table(&shape::FILTER)?;
    let column = table.need("column", "")?.text()?.value.to_owned();
    let tests: Vec<&'static str> =
        ["equals", "in", "not_in", "null"].into_iter().filter(|key| table.has(key)).collect();
    let [test] = tests.as_slice() else {
        return node.wrong(
            format!("the condition on \"{column}\" needs one of `equals`, `in`, `not_in`, `null`"),
            (tests.len() > 1).then(|| "write one condition each; all of them must hold".to_owned()),
        );
    };
    let value = table.get(test)?;
    Some(match *test {
        "equals" => Filter::In { column, values: vec![self::value(&value)?] },
        "in" => Filter::In { column, values: values(&value)? },
        "not_in" => Filter::NotIn { column, values: values(&value)? },
        _ if value.flag()? => Filter::IsNull(column),
        _ => Filter::NotNull(column),
    })
}

fn values(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if items.is_empty() {
        return node.wrong(format!("`{}` is an empty list", node.key), None);
    }
    items.iter().map(value).collect()
}

/// Columns are compared as text, so a number or a flag is the text that the source reads for it.
fn value(node: &Node<'_>) -> Option<String> {
    use toml::de::DeValue;
    match node.value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(_) | DeValue::Boolean(_) => crate::scalar::json(node),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            node.unfit("a string, an integer, or true or false")
        }
    }
}
