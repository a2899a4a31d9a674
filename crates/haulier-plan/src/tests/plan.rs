//! Good plans: what their text comes to.

use std::path::Path;

use crate::parse_plan;
use haulier_core::plan::{NaturalPart, Part, Plan, PushProgram, TenantPath};

fn plan(text: &str) -> Plan {
    parse_plan(Path::new("plan.toml"), text).unwrap_or_else(|problems| panic!("{problems}"))
}

const SMALL: &str = r#"
name = "field-to-hq"
tenant = "account"

[[entity]]
name = "project"
parent = "account"
source.table = "projects"
source.key = ["id"]
natural_key = ["account.external_id", "name"]
fields = { accountId = { ref = "account", by = "account_id" }, name = "name", budget = { column = "budget", as = "decimal(12,2)" } }
push = { shape = "lookup-then-write", lookup = { path = "/projects?account={accountId}&name={name}", items = "/items", match = ["name"] }, create = { method = "post", path = "/projects", id = "/id" }, update = { method = "patch", path = "/projects/{id}" } }
outcomes = [ { status = 422, body = "already been taken", is = "duplicate" } ]

[[entity]]
name = "account"
source.table = "accounts"
source.key = ["id"]
natural_key = ["external_id"]
fields = { email = "email", displayName = "name", plan = { column = "plan", map = { free = "FREE" } }, createdAt = { column = "created_at", as = "rfc3339" } }
push = { shape = "put", path = "/accounts/{external_id}", id = "/id" }
list = { path = "/accounts", page = { cursor = "/next", size = 500 }, items = "/items" }
extract = ["email", "external_id", "name", "plan", "created_at"]
"#;

#[test]
fn a_small_plan_is_read_in_reference_order() {
    let plan = plan(SMALL);
    let names: Vec<&str> = plan.entities.iter().map(|entity| entity.name.as_str()).collect();
    assert_eq!(names, ["account", "project"]);
    let [account, project] = plan.entities.as_slice() else { panic!("two entities") };
    assert_eq!(account.tenant, TenantPath::Own);
    assert_eq!(account.columns, ["id", "external_id", "email", "name", "plan", "created_at"]);
    assert_eq!(account.vars.len(), 1);
    assert_eq!(account.vars[0].field, None);
    let TenantPath::Parent { entity, by, next, .. } = &project.tenant else { panic!("a parent") };
    assert_eq!(
        (entity.as_str(), by.as_slice(), &**next),
        ("account", &["account_id".to_owned()][..], &TenantPath::Own)
    );
    assert_eq!(
        project.natural_key,
        [
            NaturalPart::Reference { index: 0, column: "external_id".to_owned() },
            NaturalPart::Column("name".to_owned())
        ]
    );
    let PushProgram::LookupThenWrite { lookup, update: Some(update), .. } = &project.push else {
        panic!("a lookup")
    };
    assert_eq!(lookup.matches, [("name".to_owned(), "/name".to_owned())]);
    assert_eq!(lookup.path.parts[1], Part::Ref(0));
    assert_eq!(update.path.parts, [Part::Literal("/projects/".to_owned()), Part::OwnId]);
    assert_eq!(plan.digest.len(), 64);
}
