//! Holds the JSON Schemas in `config/` against the parser and against the examples.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::shape::{PLAN_SHAPES, SITE_SHAPES, Shape};

fn config(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(config(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// The schema's part for a table; the file itself is the root.
fn part<'s>(root: &'s Value, shape: &Shape) -> &'s Value {
    let found = match shape.name {
        "plan" | "site" => Some(root),
        name => root.pointer(&format!("/$defs/{name}")),
    };
    found.unwrap_or_else(|| panic!("the schema lacks `{}`", shape.name))
}

fn same_keys(file: &str, shapes: &[&Shape]) {
    let root = schema(file);
    for shape in shapes {
        let part = part(&root, shape);
        let known: BTreeSet<&str> = shape.keys.iter().copied().collect();
        assert_eq!(keys(&part["properties"]), known, "{file}: `{}`", shape.name);
        assert_eq!(part["additionalProperties"], Value::Bool(false), "{file}: `{}`", shape.name);
    }
    let closed = |(name, part): (&String, &Value)| {
        (part["additionalProperties"] == Value::Bool(false)).then(|| name.clone())
    };
    let in_schema: BTreeSet<String> =
        root["$defs"].as_object().expect("$defs").iter().filter_map(closed).collect();
    let in_parser: BTreeSet<String> = shapes
        .iter()
        .map(|shape| shape.name.to_owned())
        .filter(|name| name != "plan" && name != "site")
        .collect();
    assert_eq!(in_schema, in_parser, "{file}: tables");
}

#[test]
fn the_plan_schema_has_the_keys_that_the_parser_knows() {
    same_keys("plan.schema.json", PLAN_SHAPES);
}

#[test]
fn the_site_schema_has_the_keys_that_the_parser_knows() {
    same_keys("site.schema.json", SITE_SHAPES);
}

#[test]
fn the_examples_fit_their_schemas_and_parse() {
    for (example, against) in [
        ("plan.toml", "plan.schema.json"),
        ("site.demo.toml", "site.schema.json"),
        ("site.example.toml", "site.schema.json"),
    ] {
        let root = schema(against);
        let value: Value = toml::from_str(&text(example)).unwrap();
        let mistakes = mistakes(&value, &root, &root, "");
        assert!(mistakes.is_empty(), "{example}: {mistakes:#?}");
        let file = config(example);
        let parsed = match against {
            "plan.schema.json" => crate::read_plan(&file).map(drop),
            _ => crate::read_site(&file).map(drop),
        };
        parsed.unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn every_key_is_in_its_reference_page() {
    for (page, shapes) in [("plan-reference.md", PLAN_SHAPES), ("site-reference.md", SITE_SHAPES)] {
        let page_text = text(&format!("../docs/{page}"));
        let code: Vec<&str> = page_text.split('`').skip(1).step_by(2).collect();
        let words: BTreeSet<&str> = code
            .iter()
            .flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')))
            .collect();
        for shape in shapes {
            for key in shape.keys {
                assert!(words.contains(key), "{page} does not explain `{key}` of {}", shape.what);
            }
        }
    }
}

#[test]
fn the_plan_in_the_reference_page_is_good() {
    let page = text("../docs/plan-reference.md");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    crate::parse_plan("docs/plan-reference.md".as_ref(), block)
        .unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn the_schema_check_can_fail() {
    let root = schema("plan.schema.json");
    let bad: Value = toml::from_str("name = 3\ntenant = \"a\"\nnonsense = 1\nentity = []").unwrap();
    assert_eq!(mistakes(&bad, &root, &root, "").len(), 3);
}

/// As much of JSON Schema as ours use.
fn mistakes(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |fine: bool, what: &str| {
        if !fine {
            found.push(format!("{at}: {what}"));
        }
    };
    if let Some(kind) = schema.get("type") {
        let several = kind.as_array().into_iter().flatten().filter_map(Value::as_str);
        let kinds: Vec<&str> = kind.as_str().into_iter().chain(several).collect();
        check(kinds.iter().any(|kind| is(value, kind)), "type");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        check(words.contains(value), "enum");
    }
    if let Some(constant) = schema.get("const") {
        check(constant == value, "const");
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern").and_then(Value::as_str), value.as_str()) {
        check(regex_lite::Regex::new(pattern).unwrap().is_match(text), "pattern");
    }
    if let (Some(least), Some(number)) = (schema.get("minimum").and_then(Value::as_i64), value.as_i64()) {
        check(number >= least, "minimum");
    }
    if let (Some(least), Some(items)) = (schema.get("minItems").and_then(Value::as_u64), value.as_array()) {
        check(items.len() as u64 >= least, "minItems");
    }
    if let Some(object) = value.as_object() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            check(object.contains_key(name.as_str().unwrap()), &format!("lacks {name}"));
        }
        for (name, member) in object {
            let at = format!("{at}/{name}");
            match (schema.pointer(&format!("/properties/{name}")), schema.get("additionalProperties")) {
                (Some(schema), _) => found.extend(mistakes(member, schema, root, &at)),
                (None, Some(Value::Bool(false))) => found.push(format!("{at}: unknown key")),
                (None, Some(schema)) => found.extend(mistakes(member, schema, root, &at)),
                (None, None) => {}
            }
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            found.extend(mistakes(item, schema, root, &format!("{at}/{index}")));
        }
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let named = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name}"));
        found.extend(mistakes(value, named, root, at));
    }
    if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
        let tried: Vec<Vec<String>> =
            alternatives.iter().map(|schema| mistakes(value, schema, root, at)).collect();
        if tried.iter().all(|mistakes| !mistakes.is_empty()) {
            found.extend(tried.into_iter().flatten());
        }
    }
    found
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    }
}
