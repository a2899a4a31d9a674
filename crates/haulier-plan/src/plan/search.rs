//! The JSON body of a lookup by POST: a TOML table whose texts hold `{name}` places.

use toml::de::DeValue;

use super::template::{self, Piece, TemplateDraft};
use crate::node::Node;
use crate::scalar;

/// Turns the table into the template of its JSON.
pub(crate) fn read<'d>(node: &Node<'d>) -> Option<TemplateDraft<'d>> {
    if !node.value.is_table() {
        return node.unfit("a table, the JSON that is sent");
    }
    let mut body = TemplateDraft { at: node.at, pieces: Vec::new() };
    encode(node, &mut body)?;
    Some(body)
}

fn encode<'d>(node: &Node<'d>, out: &mut TemplateDraft<'d>) -> Option<()> {
    let literal = |text: &str| TemplateDraft::literal(node.at, text);
    match node.value {
        DeValue::String(text) if text.contains(['{', '}']) => {
            let mut inner = template::read(node)?;
            // A lone place becomes a string, or null for NULL; with text round it, it is part of a string.
            let quote = literal(if matches!(inner.pieces.as_slice(), [Piece::Place(_)]) { "" } else { "\"" });
            inner.escape_json();
            out.append(quote.clone());
            out.append(inner);
            out.append(quote);
        }
        DeValue::Table(_) => {
            out.append(literal("{"));
            let mut entries = node.entries();
            // Parcels tell variables by position, and plans of one digest may be written in any order.
            entries.sort_by_key(|(key, _)| key.value);
            for (index, (key, member)) in entries.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.append(literal(&format!("{comma}{}:", serde_json::Value::from(key.value))));
                encode(member, out)?;
            }
            out.append(literal("}"));
        }
        DeValue::Array(_) => {
            out.append(literal("["));
            for (index, item) in node.items()?.iter().enumerate() {
                out.append(literal(if index > 0 { "," } else { "" }));
                encode(item, out)?;
            }
            out.append(literal("]"));
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => out.append(literal(&scalar::json(node)?)),
    }
    Some(())
}
