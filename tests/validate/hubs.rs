//! Hubs, and what belongs to them: the plan of cases with a few tenants.

/// A plan of these entities, whose tenants are the hubs.
pub(super) fn plan(entities: &[String]) -> String {
    format!("name = \"hubs\"\ntenant = \"hub\"\n{}", entities.concat())
}

/// The tenants.
pub(super) fn hub() -> String {
    entity("hub", "", "code", &["code"], "{ column = \"code\", as = \"text\" }", "")
}

/// What belongs to a parent, of which one column stands for it: `team.name`.
pub(super) fn below(name: &str, column: &str, natural_key: &[&str], parent: &str) -> String {
    let (above, _) = parent.split_once('.').unwrap();
    let own = format!("{{ column = \"{column}\", as = \"text\" }}");
    // Key columns stand first.
    let extract = if natural_key[0] == parent {
        format!("\"{parent}\", {own}")
    } else {
        format!("{own}, \"{parent}\"")
    };
    let reference = format!(", {above}_id = {{ ref = \"{above}\", by = \"{above}_id\" }}");
    entity(name, &format!("parent = \"{above}\"\n"), column, natural_key, &extract, &reference)
}

fn entity(
    name: &str,
    parent: &str,
    column: &str,
    natural_key: &[&str],
    extract: &str,
    reference: &str,
) -> String {
    format!(
        r#"
[[entity]]
name = "{name}"
{parent}source = {{ table = "{name}s", key = ["id"] }}
natural_key = {natural_key:?}
extract = [{extract}]
list = {{ path = "/{name}s", items = "/items", page = "single" }}
fields = {{ {column} = {{ column = "{column}", as = "text" }}{reference} }}
push = {{ shape = "put", path = "/{name}s/by-key/{{{column}}}", id = "/id" }}
"#
    )
}
