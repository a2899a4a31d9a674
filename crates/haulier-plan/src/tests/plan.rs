//! Good plans: order, tenants, natural keys, deferred references, and the demo's plan.

use std::path::Path;

use haulier_core::plan::{
    Entity, Filter, IdSource, NaturalPart, NullFields, Part, Plan, PushProgram, Relation, TenantPath,
    UnknownPolicy,
};

use super::changed;
use crate::parse_plan;

fn plan(text: &str) -> Plan {
    parse_plan(Path::new("plan.toml"), text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn entity<'p>(plan: &'p Plan, name: &str) -> &'p Entity {
    plan.entities.iter().find(|entity| entity.name.as_str() == name).unwrap_or_else(|| panic!("{name}"))
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.entities.iter().map(|entity| entity.name.as_str()).collect()
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
    assert_eq!(names(&plan), ["account", "project"]);
    let (account, project) = (entity(&plan, "account"), entity(&plan, "project"));
    assert_eq!(account.tenant, TenantPath::Own);
    assert_eq!(account.columns, ["id", "external_id", "email", "name", "plan", "created_at"]);
    assert_eq!(account.vars.len(), 1);
    assert_eq!(account.vars[0].field, None);
    let TenantPath::Parent { entity, by, next, .. } = &project.tenant else { panic!("a parent") };
    assert_eq!(
        (entity.as_str(), by.join(","), &**next),
        ("account", "account_id".to_owned(), &TenantPath::Own)
    );
    let through = NaturalPart::Reference { index: 0, column: "external_id".to_owned() };
    assert_eq!(project.natural_key, [through, NaturalPart::Column("name".to_owned())]);
    let PushProgram::LookupThenWrite { lookup, update: Some(update), .. } = &project.push else {
        panic!("a lookup")
    };
    assert_eq!(lookup.matches, [("name".to_owned(), "/name".to_owned())]);
    assert_eq!(lookup.path.parts[1], Part::Ref(0));
    assert_eq!(project.vars[0].field.as_deref(), Some("name"));
    assert_eq!(update.path.parts, [Part::Literal("/projects/".to_owned()), Part::OwnId]);
}

/// Stores have managers, who are staff, who belong to a store.
const CYCLE: &str = r#"
name = "rental"
tenant = "store"

[[entity]]
name = "store"
source = { table = "sakila.store", key = "store_id", where = [{ column = "closed", in = [0, false, "no"] }] }
natural_key = "code"
[entity.fields]
code = "code"
managerId = { ref = "staff", by = "manager_staff_id", deferred = true, numeric = true }
[entity.push]
shape = "create"
create = { path = "/stores", id = "location" }
update = { path = "/regions/{region}/stores/{id}?code={code}" }

[[entity]]
name = "staff"
parent = "store"
source = { table = "staff", key = ["staff_id"] }
[entity.fields]
storeId = { ref = "store", by = "store_id" }
name = "name"
[entity.push]
shape = "create"
create = { path = "/staff", id = { header = "X-Id" } }
"#;

#[test]
fn a_deferred_reference_becomes_an_update_of_its_own() {
    let text = changed(CYCLE, &[("key = \"store_id\"", "key = \"store_id\", columns = [\"region\"]")]);
    let plan = plan(&text);
    assert_eq!(names(&plan), ["store", "staff", "store.managerId"]);
    let store = entity(&plan, "store");
    assert!(store.refs.is_empty());
    assert_eq!(
        store.relation,
        Relation::Table { schema: Some("sakila".to_owned()), name: "store".to_owned() }
    );

    let late = entity(&plan, "store.managerId");
    assert_eq!(late.deferred_of.as_ref(), Some(&store.name));
    assert_eq!((&late.key, &late.relation, &late.tenant), (&store.key, &store.relation, &TenantPath::Own));
    let fields: Vec<(&str, &str, bool, bool)> = late
        .refs
        .iter()
        .map(|found| (found.field.as_str(), found.entity.as_str(), found.in_body, found.numeric))
        .collect();
    assert_eq!(fields, [("id", "store", false, false), ("managerId", "staff", true, true)]);
    assert_eq!(
        late.filters,
        [Filter::In { column: "closed".to_owned(), values: vec!["0".into(), "false".into(), "no".into()] }],
        "an emptied reference is read, too"
    );
    let PushProgram::Update { write } = &late.push else { panic!("an update") };
    assert_eq!(write.nulls, NullFields::Send);
    assert_eq!(write.only, ["managerId"]);
    assert_eq!(
        (&write.path.parts[1], &write.path.parts[3], &write.path.parts[5]),
        (&Part::Var(0), &Part::Ref(0), &Part::Var(1))
    );
    assert_eq!(late.columns, ["store_id", "manager_staff_id", "region", "code"]);
    assert_eq!((late.fields.len(), late.unknown), (1, UnknownPolicy::Resend));
    assert!(late.natural_key.is_empty());
}

#[test]
fn a_put_sends_a_deferred_reference_by_an_update_that_may_name_it() {
    let create = "shape = \"create\"\ncreate = { path = \"/stores\", id = \"location\" }\nupdate = { path = \"/regions/{region}/stores/{id}?code={code}\" }";
    let put = "shape = \"put\"\npath = \"/stores/{code}\"\nid = \"/id\"\nupdate = { method = \"put\", path = \"/stores/{id}/manager/{managerId}\", empty = true }";
    let plan = plan(&changed(CYCLE, &[(create, put)]));
    let late = entity(&plan, "store.managerId");
    assert!(late.filters.contains(&Filter::NotNull("manager_staff_id".to_owned())), "a path has no null");
    let PushProgram::Update { write } = &late.push else { panic!("an update") };
    assert_eq!(
        (&write.path.parts[1], &write.path.parts[3], write.empty),
        (&Part::Ref(0), &Part::Ref(1), true)
    );
}

#[test]
fn an_entity_without_a_parent_belongs_to_no_tenant() {
    let shared = r#"
[[entity]]
name = "currency"
source = { query = "select code, name from currencies;", key = ["code"] }
natural_key = ["code"]
fields = { name = "name" }
push = { shape = "put", path = "/currencies/{code}", id = { made = "{code}" } }
"#;
    let plan = plan(&format!("{SMALL}{shared}"));
    assert_eq!(names(&plan), ["account", "project", "currency"]);
    let currency = entity(&plan, "currency");
    assert_eq!(currency.tenant, TenantPath::None);
    assert_eq!(currency.relation, Relation::Query("select code, name from currencies".to_owned()));
    let PushProgram::Put { write } = &currency.push else { panic!("a put") };
    assert!(matches!(&write.id, Some(IdSource::Made(template)) if template.parts == [Part::Var(0)]));
}

#[test]
fn the_digest_is_of_what_the_plan_says() {
    let digest = plan(SMALL).digest;
    assert_eq!(digest.len(), 64);
    let same = [
        changed(SMALL, &[("tenant = \"account\"\n", "# the tenants\ntenant   =   'account'\n")]),
        changed(
            SMALL,
            &[(
                "name = \"field-to-hq\"\ntenant = \"account\"",
                "tenant = \"account\"\nname = \"field-to-hq\"",
            )],
        ),
        changed(SMALL, &[("size = 500", "size = 0x1F4")]),
        changed(
            SMALL,
            &[(
                "source.table = \"projects\"\nsource.key = [\"id\"]",
                "source = { key = [\"id\"], table = \"projects\" }",
            )],
        ),
        SMALL.replace('\n', "\r\n"),
    ];
    for text in same {
        assert_eq!(plan(&text).digest, digest, "{text}");
    }
    let other = [
        changed(SMALL, &[("size = 500", "size = 499")]),
        changed(SMALL, &[("\"account.external_id\", \"name\"]", "\"name\", \"account.external_id\"]")]),
        changed(SMALL, &[("status = 422", "status = 409")]),
    ];
    for text in other {
        assert_ne!(plan(&text).digest, digest, "{text}");
    }
}

#[test]
fn what_parcels_tell_by_position_does_not_follow_the_order_of_the_file() {
    let one = r#"
        name = "p"
        tenant = "user"
        [[entity]]
        name = "user"
        source = { table = "users", key = ["id"], columns = ["a", "b", "c", "d"] }
        fields = { manager = { ref = "user", by = "manager" }, buddy = { ref = "user", by = "buddy" } }
        [entity.push]
        shape = "lookup-then-write"
        lookup = { method = "post", path = "/find", body = { one = "{c}", two = "{d}" }, items = "/items", match = ["manager"] }
        create = { path = "/users", headers = { X-One = "{a}", X-Two = "{b}" }, id = "/id" }
        update = { path = "/users/{id}" }
    "#;
    let turned = changed(
        one,
        &[
            (
                r#"manager = { ref = "user", by = "manager" }, buddy = { ref = "user", by = "buddy" }"#,
                r#"buddy = { ref = "user", by = "buddy" }, manager = { ref = "user", by = "manager" }"#,
            ),
            (r#"one = "{c}", two = "{d}""#, r#"two = "{d}", one = "{c}""#),
            (r#"X-One = "{a}", X-Two = "{b}""#, r#"X-Two = "{b}", X-One = "{a}""#),
        ],
    );
    let (one, turned) = (plan(one), plan(&turned));
    assert_eq!(one.digest, turned.digest);
    let (one, turned) = (entity(&one, "user"), entity(&turned, "user"));
    assert_eq!((&one.refs, &one.vars), (&turned.refs, &turned.vars));
}

#[test]
fn the_demos_plan_is_a_tree_of_four_entities() {
    let plan = plan(include_str!("../../../../config/plan.toml"));
    assert_eq!(names(&plan), ["account", "project", "user", "membership"]);
    let project = entity(&plan, "project");
    let refs: Vec<&str> = project.refs.iter().map(|found| found.entity.as_str()).collect();
    assert_eq!(refs, ["account", "project"]);
    let membership = entity(&plan, "membership");
    let TenantPath::Parent { next, .. } = &membership.tenant else { panic!("a parent") };
    assert!(matches!(&**next, TenantPath::Parent { next, .. } if **next == TenantPath::Own));
    assert_eq!(membership.columns, ["project_id", "user_id", "role", "joined_at"]);
    assert!(plan.entities.iter().all(|entity| entity.listing.is_some()));
}

#[test]
fn an_extract_puts_its_key_first_and_knows_what_its_columns_are() {
    use haulier_core::plan::{ExtractFrom, Neutral};
    let text = changed(
        include_str!("../../../../config/plan.toml"),
        &[(
            "extract = [\"project.name\", \"user.email\", \"role\", \"joined_at\"]",
            "extract = [\"role\", { column = \"user.email\", at = \"/person/id\" }, { column = \"joined_at\", as = \"timestamp(3)\", cut = true }, \"project.name\"]",
        )],
    );
    let plan = plan(&text);
    let membership = entity(&plan, "membership");
    let extract = membership.extract.as_ref().unwrap();
    let names: Vec<&str> = extract.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        (extract.key, names.as_slice()),
        (2, ["project.name", "user.email", "role", "joined_at"].as_slice())
    );
    let [project, user, role, joined] = extract.columns.as_slice() else { panic!("four columns") };
    assert!(
        matches!(&project.from, ExtractFrom::Parent { reference, part } if reference.field == "project_id" && part == "name")
    );
    assert_eq!(user.at.as_deref(), Some("/person/id"));
    assert_eq!(role.from, ExtractFrom::Field(0));
    assert_eq!(role.kind, None);
    assert_eq!(joined.kind, Some(Neutral::Timestamp { precision: 3, cut: true, zone: None }));
    // What stands for an account is what the account's own extract says, however far away it is.
    let account = entity(&plan, "account").extract.as_ref().unwrap();
    let active = account.columns.iter().find(|column| column.name == "active").unwrap();
    assert_eq!(active.kind, Some(Neutral::Boolean));
    assert_eq!(plan.fresh_for, std::time::Duration::from_hours(24));
}
