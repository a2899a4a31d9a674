//! Both sides as sorted lines without ids, so that equal data gives equal lines.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;
use sqlx::{Connection, Row, SqliteConnection};

use super::http::all_items;

/// Collection to sorted lines.
pub(crate) type Lines = BTreeMap<&'static str, Vec<String>>;

/// The source's records.
pub(crate) async fn of_source(field: &Path) -> Lines {
    let mut at = SqliteConnection::connect(&format!("sqlite:{}", field.display())).await.unwrap();
    let queries = [
        (
            "accounts",
            "select json_array(external_id, name, email, plan, iif(active, 'true', 'false'), iif(credit is null, '', printf('%.2f', credit)), created_at) \
             from accounts",
        ),
        (
            "projects",
            "select json_array(a.external_id, p.name, coalesce(q.name, ''), iif(p.budget is null, '', printf('%.2f', p.budget)), p.status, p.created_at) \
             from projects p join accounts a on a.id = p.account_id left join projects q on q.id = p.parent_id",
        ),
        (
            "users",
            "select json_array(a.external_id, u.email, u.full_name, coalesce(u.locale, ''), u.created_at) \
             from users u join accounts a on a.id = u.account_id",
        ),
        (
            "memberships",
            "select json_array(a.external_id, p.name, u.email, m.role, m.joined_at) from memberships m \
             join projects p on p.id = m.project_id join accounts a on a.id = p.account_id join users u on u.id = m.user_id",
        ),
    ];
    let mut lines = Lines::new();
    for (collection, query) in queries {
        let rows = sqlx::query(query).fetch_all(&mut at).await.unwrap();
        let texts = rows
            .iter()
            .map(|row| serde_json::from_str::<Value>(&row.get::<String, _>(0)).unwrap().to_string());
        lines.insert(collection, sorted(texts.collect()));
    }
    lines
}

/// The target's records, read through its API.
pub(crate) async fn of_target(base: &str) -> Lines {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
    };
    let accounts = all_items(base, "accounts").await;
    let external: HashMap<String, String> =
        accounts.iter().map(|a| (text(&a["id"]), text(&a["external_id"]))).collect();
    let projects = all_items(base, "projects").await;
    let project: HashMap<String, (String, String)> = projects
        .iter()
        .map(|p| (text(&p["id"]), (external[&text(&p["account_id"])].clone(), text(&p["name"]))))
        .collect();
    let users = all_items(base, "users").await;
    let email: HashMap<String, String> = users.iter().map(|u| (text(&u["id"]), text(&u["email"]))).collect();
    let memberships = all_items(base, "memberships").await;

    let line = |cells: Vec<String>| Value::from(cells).to_string();
    let mut lines = Lines::new();
    let of = |a: &Value| {
        ["external_id", "name", "email", "plan", "active", "credit", "created_at"]
            .map(|f| text(&a[f]))
            .to_vec()
    };
    lines.insert("accounts", sorted(accounts.iter().map(|a| line(of(a))).collect()));
    let of = |p: &Value| {
        let parent = p["parent_id"].as_str().map_or_else(String::new, |id| project[id].1.clone());
        let own = &project[&text(&p["id"])];
        vec![
            own.0.clone(),
            own.1.clone(),
            parent,
            text(&p["budget"]),
            text(&p["status"]),
            text(&p["created_at"]),
        ]
    };
    lines.insert("projects", sorted(projects.iter().map(|p| line(of(p))).collect()));
    let of = |u: &Value| {
        vec![
            external[&text(&u["account_id"])].clone(),
            text(&u["email"]),
            text(&u["full_name"]),
            text(&u["locale"]),
            text(&u["created_at"]),
        ]
    };
    lines.insert("users", sorted(users.iter().map(|u| line(of(u))).collect()));
    let of = |m: &Value| {
        let (account, name) = project[&text(&m["project_id"])].clone();
        vec![account, name, email[&text(&m["user_id"])].clone(), text(&m["role"]), text(&m["joined_at"])]
    };
    lines.insert("memberships", sorted(memberships.iter().map(|m| line(of(m))).collect()));
    lines
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.iter_mut().for_each(shorten_stamp);
    lines.sort_unstable();
    lines
}

/// The stamp at the line's end without zeros at its own end, which some engines keep and some do not.
fn shorten_stamp(line: &mut String) {
    if let Some((seconds, fraction)) = line.strip_suffix("Z\"]").and_then(|line| line.rsplit_once('.'))
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        *line = format!("{seconds}{point}{fraction}Z\"]");
    }
}

/// Asserts equality and shows the first few differences.
pub(crate) fn assert_equal(source: &Lines, target: &Lines) {
    for (collection, wanted) in source {
        let found = &target[collection];
        let missing: Vec<&String> =
            wanted.iter().filter(|line| found.binary_search(line).is_err()).take(5).collect();
        let extra: Vec<&String> =
            found.iter().filter(|line| wanted.binary_search(line).is_err()).take(5).collect();
        assert!(
            missing.is_empty() && extra.is_empty() && wanted.len() == found.len(),
            "{collection}: {} in the source, {} in the target\nmissing: {missing:#?}\nextra: {extra:#?}",
            wanted.len(),
            found.len(),
        );
    }
}
