//! `[tenants.KEY]`: what is known of a tenant.

use haulier_core::TenantKey;
use haulier_core::calendar::{Event, Place, Tenant, Zone};
use toml::de::DeValue;

use super::when;
use crate::node::{Node, Table, Text};
use crate::shape;

/// Reads the table of tenants, which may be left out. Events without a zone are meant in the tenant's, else in `usual`.
pub(super) fn read(plan: &Table<'_>, usual: &Zone) -> Vec<Tenant> {
    let entries = plan.get("tenants").map(|node| node.entries()).unwrap_or_default();
    entries.iter().filter_map(|(key, node)| tenant(*key, node, usual)).collect()
}

fn tenant(key: Text<'_>, node: &Node<'_>, usual: &Zone) -> Option<Tenant> {
    let table = node.table(&shape::TENANT)?;
    if key.value.is_empty() || key.value.contains(['\n', '\r']) {
        node.notes.add(key.at, "a tenant's key is the key of its root record, on one line");
    }
    let texts = |key| table.texts(key).iter().map(|text| text.value.to_owned()).collect::<Vec<_>>();
    let mut tenant = Tenant::plain(TenantKey::new(key.value));
    tenant.name = table.owned("name").unwrap_or(tenant.name);
    tenant.zone = table.get("zone").and_then(|node| when::zone(&node));
    tenant.tags = texts("tags");
    for tag in table.texts("tags") {
        if tag.value.contains(|c: char| c.is_whitespace() || "&|!()".contains(c)) {
            node.notes.hinted(
                tag.at,
                format!("`tags`: \"{}\" cannot be written in a selector", tag.value),
                "no blanks and none of `&|!()`: \"size:small\"",
            );
        }
    }
    tenant.contacts = texts("contacts");
    tenant.usage = table.get("usage").map(|node| usage(&node)).unwrap_or_default();
    tenant.excluded = table.owned("excluded");
    let zone = tenant.zone.clone().unwrap_or_else(|| usual.clone());
    let events = table.get("events").and_then(|node| node.items()).unwrap_or_default();
    tenant.events = events.iter().filter_map(|node| event(node, &zone)).collect();
    Some(tenant)
}

fn event(node: &Node<'_>, usual: &Zone) -> Option<Event> {
    let table = node.table(&shape::EVENT)?;
    let name = table.need("name", "say what the tenant is busy with: `name = \"order cycles close\"`")?;
    let zone = match table.get("zone") {
        Some(node) => when::zone(&node)?,
        None => usual.clone(),
    };
    let when = when::when(&table, Some(&Place::Zone(zone.clone())), &[])?;
    Some(Event { name: name.text()?.value.to_owned(), when, zone })
}

fn usage(node: &Node<'_>) -> Vec<f64> {
    let items = node.items().unwrap_or_default();
    if !matches!(items.len(), 24 | 168) {
        node.notes.hinted(
            node.at,
            format!("`usage` holds {} figures", items.len()),
            "24 by hour of the day, or 168 by hour of the week from Monday 00:00, in the tenant's zone",
        );
        return Vec::new();
    }
    items.iter().filter_map(figure).collect()
}

fn figure(node: &Node<'_>) -> Option<f64> {
    let text = match node.value {
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return node.unfit("a number"),
    };
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Some(number),
        _ => node.wrong("`usage` counts what happens, so it is never below 0", None),
    }
}
