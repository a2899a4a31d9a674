//! Mistakes in plans, and what is printed for each.

use std::fmt::Write as _;

use super::{NO_MISTAKE, changed, plan_mistakes};

/// A good plan, which every case spoils in its own way.
const GOOD: &str = r#"name = "field-to-hq"
tenant = "account"

[retry]
attempts = 6
base = "1s"

[[entity]]
name = "account"
source.table = "accounts"
source.key = ["id"]
source.where = [{ column = "deleted", null = true }]
natural_key = ["external_id"]
push = { shape = "put", path = "/accounts/{external_id}", id = "/id" }
list = { path = "/accounts", items = "/items", page = { cursor = "/next", size = 500 } }
[entity.fields]
email = { column = "email", trim = true }
plan = { column = "plan", map = { free = "FREE" } }
created = { column = "created_at", as = "rfc3339", zone = "Europe/Berlin" }

[[entity]]
name = "project"
parent = "account"
source = { table = "projects", key = "id" }
natural_key = ["account.external_id", "name"]
outcomes = [{ status = 422, body = "already taken", is = "exists" }]
[entity.fields]
accountId = { ref = "account", by = "account_id" }
name = "name"
budget = { column = "budget", as = "decimal(12,2)" }
[entity.push]
shape = "create"
create = { path = "/projects", id = "/id" }
lookup = { path = "/projects?name={name}", items = "/items", match = ["name"] }
update = { path = "/projects/{id}" }
"#;

/// A case's name and what it changes.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const WORDS: &[Case] = &[
    ("a misspelt key", &[("natural_key = [\"external_id\"]", "naturalkey = [\"external_id\"]")]),
    ("a misspelt key deep inside", &[("trim = true", "trimm = true")]),
    ("an unknown key at the top", &[("tenant = \"account\"", "tenant = \"account\"\ntennant = \"x\"")]),
    ("a number where a text belongs", &[("name = \"project\"", "name = 17")]),
    ("a text where a number belongs", &[("attempts = 6", "attempts = \"6\"")]),
    (
        "a text where a table belongs",
        &[("create = { path = \"/projects\", id = \"/id\" }", "create = \"/projects\"")],
    ),
    ("a text where a flag belongs", &[("trim = true", "trim = \"yes\"")]),
    ("a number out of bounds", &[("attempts = 6", "attempts = 0")]),
    ("a duration without a unit", &[("base = \"1s\"", "base = \"1\"")]),
    ("a first wait beyond the cap", &[("base = \"1s\"", "base = \"2m\"")]),
    ("an empty text", &[("name = \"field-to-hq\"", "name = \"\"")]),
    ("a plan's name with blanks", &[("name = \"field-to-hq\"", "name = \"Field to HQ\"")]),
    ("an entity's name with a capital", &[("name = \"project\"", "name = \"Project\"")]),
    ("an entity's name with a dot", &[("name = \"project\"", "name = \"pro.ject\"")]),
    (
        "one table for a list of tables",
        &[
            ("[[entity]]\nname = \"account\"", "[entity]\nname = \"account\""),
            ("[[entity]]\nname = \"project\"", "[other]\nname = \"project\""),
            ("[entity.push]", "[other.push]"),
            ("[entity.fields]\naccountId", "[other.fields]\naccountId"),
        ],
    ),
];

const SOURCES: &[Case] = &[
    ("no key", &[("source.key = [\"id\"]\n", "")]),
    ("an empty key", &[("source.key = [\"id\"]", "source.key = []")]),
    ("a key column twice", &[("source.key = [\"id\"]", "source.key = [\"id\", \"id\"]")]),
    ("neither table nor query", &[("source.table = \"accounts\"\n", "")]),
    (
        "both table and query",
        &[("source.table = \"accounts\"", "source.table = \"accounts\"\nsource.query = \"select 1\"")],
    ),
    ("a query that writes", &[("source.table = \"accounts\"", "source.query = \"delete from accounts\"")]),
    ("a condition without a test", &[("null = true", "")]),
    ("a condition with two tests", &[("null = true", "null = true, equals = \"x\"")]),
    ("an empty list of values", &[("null = true", "in = []")]),
];

const FIELDS: &[Case] = &[
    ("an unknown conversion", &[("as = \"rfc3339\"", "as = \"rfc3393\"")]),
    ("a decimal that is none", &[("decimal(12,2)", "decimal(2,12)")]),
    ("a decimal without its end", &[("decimal(12,2)", "decimal(12,2")]),
    ("brackets where none belong", &[("as = \"rfc3339\", zone = \"Europe/Berlin\"", "as = \"boolean(1)\"")]),
    ("an unknown zone", &[("Europe/Berlin", "Europe/Berln")]),
    ("a zone without a time", &[("as = \"rfc3339\", zone", "as = \"date\", zone")]),
    ("a map and a conversion", &[("map = {", "as = \"text\", map = {")]),
    (
        "a column field without its column",
        &[("email = { column = \"email\", trim = true }", "email = { trim = true }")],
    ),
    ("a nested member without quotes", &[("name = \"name\"", "address.city = \"city\"\nname = \"name\"")]),
    ("a member within a member", &[("name = \"name\"", "name = \"name\"\n\"name.first\" = \"first\"")]),
    ("a constant that JSON cannot say", &[("name = \"name\"", "name = \"name\"\nscore = { const = nan }")]),
];

const REFERENCES: &[Case] = &[
    ("a reference to nothing", &[("ref = \"account\"", "ref = \"acount\"")]),
    ("a reference without columns", &[("ref = \"account\", by = \"account_id\"", "ref = \"account\"")]),
    ("a reference with too many columns", &[("by = \"account_id\"", "by = [\"account_id\", \"x\"]")]),
    (
        "a nested reference",
        &[("accountId = {", "\"owner.accountId\" = {"), ("account.external_id", "account.external_id")],
    ),
    ("two entities of one name", &[("name = \"project\"", "name = \"account\"")]),
    ("an unknown tenant", &[("tenant = \"account\"", "tenant = \"accounts\"")]),
    ("an unknown parent", &[("parent = \"account\"", "parent = \"acount\"")]),
    (
        "a parent without a reference",
        &[
            ("accountId = { ref = \"account\", by = \"account_id\" }\n", ""),
            ("\"account.external_id\", ", ""),
        ],
    ),
    (
        "a parent by two references",
        &[
            ("name = \"name\"", "name = \"name\"\npayer = { ref = \"account\", by = \"payer_id\" }"),
            ("\"account.external_id\", ", ""),
        ],
    ),
    ("the tenant with a parent", &[("name = \"account\"\n", "name = \"account\"\nparent = \"project\"\n")]),
    ("no parent, but a tenant's record", &[("parent = \"account\"\n", "")]),
    (
        "a parent that is itself",
        &[
            ("parent = \"account\"", "parent = \"project\""),
            ("name = \"name\"", "name = \"name\"\nup = { ref = \"project\", by = \"up_id\" }"),
        ],
    ),
    ("a natural key through nothing", &[("\"account.external_id\"", "\"acount.external_id\"")]),
    ("a natural key by a stranger", &[("\"account.external_id\"", "\"account.externalid\"")]),
    (
        "a natural key through two references",
        &[
            ("parent = \"account\"", "parent = \"accountId\""),
            ("name = \"name\"", "name = \"name\"\npayer = { ref = \"account\", by = \"payer_id\" }"),
        ],
    ),
    ("a circle", &[("email = {", "first = { ref = \"project\", by = \"first_id\" }\nemail = {")]),
    (
        "a deferred reference without an update",
        &[("email = {", "first = { ref = \"project\", by = \"first_id\", deferred = true }\nemail = {")],
    ),
    (
        "a deferred reference in a template",
        &[
            ("email = {", "first = { ref = \"project\", by = \"first_id\", deferred = true }\nemail = {"),
            (
                "id = \"/id\" }\nlist",
                "id = \"/id\", update = { path = \"/accounts/{id}\" }, headers = { X-First = \"{first}\" } }\nlist",
            ),
        ],
    ),
];

const REQUESTS: &[Case] = &[
    ("no shape", &[("shape = \"create\"\n", "")]),
    ("an unknown shape", &[("shape = \"create\"", "shape = \"upsert\"")]),
    (
        "a key of another shape",
        &[("shape = \"put\",", "shape = \"put\", lookup = { path = \"/x\", match = [\"email\"] },")],
    ),
    ("an unknown place", &[("/accounts/{external_id}", "/accounts/{externalid}")]),
    ("a place that no one named", &[("/accounts/{external_id}", "/accounts/{tax_number}")]),
    (
        "the own id before it is known",
        &[("path = \"/projects\", id", "path = \"/projects/{id}/x\", id"), ("key = \"id\"", "key = \"nr\"")],
    ),
    ("a brace without its partner", &[("/accounts/{external_id}", "/accounts/{external_id")]),
    ("a path without its slash", &[("path = \"/projects\", id", "path = \"projects\", id")]),
    ("a whole address for a path", &[("path = \"/projects\", id", "path = \"https://hq/projects\", id")]),
    ("a put without its key", &[("/accounts/{external_id}", "/accounts")]),
    ("no id", &[("path = \"/projects\", id = \"/id\"", "path = \"/projects\"")]),
    ("a pointer without its slash", &[("items = \"/items\", match", "items = \"data.items\", match")]),
    (
        "an id of no kind",
        &[("path = \"/projects\", id = \"/id\"", "path = \"/projects\", id = { head = \"X\" }")],
    ),
    ("an unknown method", &[("create = { path", "create = { method = \"get\", path")]),
    ("a lookup without a match", &[(", match = [\"name\"]", "")]),
    ("a lookup with an empty match", &[("match = [\"name\"]", "match = {}")]),
    ("a lookup that matches a stranger", &[("match = [\"name\"]", "match = [\"title\"]")]),
    ("a lookup without a place", &[("?name={name}", "")]),
    ("a lookup by GET with a body", &[("?name={name}\",", "?name={name}\", body = { name = \"{name}\" },")]),
    ("an update without a place", &[("/projects/{id}", "/projects")]),
    (
        "an update that nothing uses",
        &[("id = \"/id\" }\nlist", "id = \"/id\", update = { path = \"/accounts/{id}\" } }\nlist")],
    ),
    (
        "a secret header",
        &[("create = { path", "create = { headers = { Authorization = \"Bearer x\" }, path")],
    ),
    ("only a stranger", &[("update = { path", "update = { only = [\"nmae\"], path")]),
    ("a constant over a field", &[("create = { path", "create = { constants = { name = 1 }, path")]),
    (
        "an empty request with a body",
        &[("create = { path", "create = { empty = true, wrap = \"project\", path")],
    ),
    (
        "a bulk path of one record",
        &[(
            "shape = \"put\", path = \"/accounts/{external_id}\", id = \"/id\"",
            "shape = \"bulk\", path = \"/accounts/{external_id}\", results = {}",
        )],
    ),
    (
        "a bulk without results",
        &[(
            "shape = \"put\", path = \"/accounts/{external_id}\", id = \"/id\"",
            "shape = \"bulk\", path = \"/bulk/accounts\"",
        )],
    ),
    ("a link of nothing", &[("shape = \"put\"", "shape = \"link\"")]),
    (
        "a reread that cannot be",
        &[
            (
                "shape = \"put\", path = \"/accounts/{external_id}\", id = \"/id\"",
                "shape = \"bulk\", path = \"/bulk/accounts\", results = {}",
            ),
            ("natural_key = [\"external_id\"]", "natural_key = [\"external_id\"]\nverify = \"reread\""),
        ],
    ),
];

const REPLIES: &[Case] = &[
    ("a rule without a condition", &[("status = 422, body = \"already taken\", ", "")]),
    ("a rule without a meaning", &[(", is = \"exists\"", "")]),
    ("an unknown meaning", &[("is = \"exists\"", "is = \"exist\"")]),
    ("a status out of range", &[("status = 422", "status = 42")]),
    ("a regular expression that is none", &[("already taken", "already (taken")]),
    (
        "an unknown policy",
        &[(
            "natural_key = [\"external_id\"]",
            "natural_key = [\"external_id\"]\nverify = \"always\"\nunknown = \"drop\"\norphans = \"ignore\"\nfold = [\"upper\"]",
        )],
    ),
    (
        "a list with a place",
        &[("list = { path = \"/accounts\"", "list = { path = \"/accounts/{external_id}\"")],
    ),
    ("a page of no kind", &[("cursor = \"/next\", ", "")]),
];

const EXTRACTS: &[Case] = &[
    (
        "an extract of a stranger",
        &[("list = {", "extract = [\"external_id\", \"emial\", \"phone\"]\nlist = {")],
    ),
    ("an extract that is no list", &[("list = {", "extract = \"external_id\"\nlist = {")]),
    ("an empty extract", &[("list = {", "extract = []\nlist = {")]),
    (
        "an extract with a column twice",
        &[("list = {", "extract = [\"external_id\", { column = \"external_id\" }]\nlist = {")],
    ),
    ("an extract without its key", &[("list = {", "extract = [\"email\"]\nlist = {")]),
    (
        "an extract without a natural key",
        &[
            ("natural_key = [\"external_id\"]", "extract = [\"email\"]"),
            ("natural_key = [\"account.external_id\", \"name\"]\n", ""),
        ],
    ),
    (
        "an extract of types that are none",
        &[(
            "list = {",
            "extract = [\"external_id\", { column = \"email\", as = \"txt\" }, { column = \"plan\", as = \"decimal(x)\" }, { column = \"created\", as = \"date(3)\" }]\nlist = {",
        )],
    ),
    (
        "an extract of types with odd brackets",
        &[(
            "list = {",
            "extract = [\"external_id\", { column = \"email\", as = \"list(ab)\" }, { column = \"plan\", as = \"binary(octal)\" }, { column = \"created\", as = \"timestamp(3\" }]\nlist = {",
        )],
    ),
    (
        "a zone without a timestamp",
        &[(
            "list = {",
            "extract = [\"external_id\", { column = \"email\", zone = \"UTC\" }, { column = \"plan\", as = \"text\", cut = true }]\nlist = {",
        )],
    ),
    (
        "an extract in an unknown zone",
        &[(
            "list = {",
            "extract = [\"external_id\", { column = \"created\", as = \"timestamp\", zone = \"Europe/Berln\" }]\nlist = {",
        )],
    ),
    (
        "an extract with an unknown rule",
        &[("list = {", "extract = [\"external_id\", { column = \"email\", upper = true }]\nlist = {")],
    ),
    (
        "an extract through nothing",
        &[("outcomes = [", "extract = [\"account.external_id\", \"name\", \"owner.email\"]\noutcomes = [")],
    ),
    (
        "an extract through one that has none",
        &[("outcomes = [", "extract = [\"account.external_id\", \"name\"]\noutcomes = [")],
    ),
    (
        "rules for what stands in another extract",
        &[
            ("list = {", "extract = [\"external_id\"]\nlist = {"),
            (
                "outcomes = [",
                "extract = [{ column = \"account.external_id\", trim = true }, \"name\"]\noutcomes = [",
            ),
        ],
    ),
    ("a stored table without a key", &[("list = {", "stored = { table = \"hq_accounts\" }\nlist = {")]),
    ("a stored table of no name", &[("list = {", "stored = { key = \"id\" }\nlist = {")]),
    (
        "a freshness that is none",
        &[("tenant = \"account\"", "tenant = \"account\"\nvalidate = { fresh_for = \"1 day\" }")],
    ),
];

const WHOLE: &[(&str, &str)] = &[
    ("an empty file", ""),
    ("no entity", "name = \"a\"\ntenant = \"b\"\nentity = []"),
    ("not TOML", "name = \"a\ntenant = b\n[[entity]\n"),
    ("a key twice", "name = \"a\"\nname = \"b\"\n"),
    (
        "many mistakes at once",
        "name = \"x\"\ntennant = \"account\"\n[[entity]]\nname = \"Account\"\nsource = { tabel = \"a\" }\nfields = 3\npush = { shape = \"putt\" }\n",
    ),
    (
        "columns count characters, not bytes",
        "name = \"x\"\ntenant = \"a\"\n[[entity]]\nname = \"a\"\nsource = { table = \"größe\", key = [\"ключ\"], kye = 1 }\nfields = {}\npush = { shape = \"put\", path = \"/ä/{ö}\", id = \"/id\" }\n",
    ),
];

#[test]
fn every_mistake_is_told_with_its_place_and_the_way_out() {
    let mut told = String::new();
    for cases in [WORDS, SOURCES, FIELDS, REFERENCES, REQUESTS, REPLIES, EXTRACTS] {
        for (name, changes) in cases {
            let text = changed(GOOD, changes);
            write!(told, "# {name}\n{}\n\n", plan_mistakes(&text)).unwrap();
        }
    }
    for (name, text) in WHOLE {
        write!(told, "# {name}\n{}\n\n", plan_mistakes(text)).unwrap();
    }
    insta::assert_snapshot!(told);
    assert!(!told.contains(NO_MISTAKE));
}

#[test]
fn the_plan_that_the_cases_spoil_is_good() {
    crate::parse_plan("plan.toml".as_ref(), GOOD).unwrap_or_else(|problems| panic!("{problems}"));
}
