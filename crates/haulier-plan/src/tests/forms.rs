//! Every form that a piece of a plan may take, and what it comes to.

use haulier_core::TenantKey;
use haulier_core::plan::{
    BodyMatch, BulkResults, Convert, Entity, FieldSource, Filter, IdSource, KeyFold, Method, NullBytes,
    NullFields, OddNumbers, OrphanPolicy, Paging, Part, PushProgram, ReplyClass, TextRule, ZeroDates,
};

/// The entity of a plan with one, whose tables hold `more`.
fn entity(more: &str) -> Entity {
    let defaults = [
        ("fields", "fields = { name = \"name\" }\n"),
        ("push", "push = { shape = \"create\", create = { path = \"/a\", id = \"/id\" } }\n"),
        ("source", "source = { table = \"a\", key = [\"id\"] }\n"),
    ];
    let missing = |key: &str| {
        !more.lines().any(|line| line.starts_with(key) || line.starts_with(&format!("[entity.{key}]")))
    };
    let rest: String = defaults.iter().filter(|(key, _)| missing(key)).map(|(_, text)| *text).collect();
    let text = format!("name = \"p\"\ntenant = \"a\"\n[[entity]]\nname = \"a\"\n{rest}{more}\n");
    let plan = crate::parse_plan("plan.toml".as_ref(), &text)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    plan.entities.into_iter().next().unwrap()
}

fn convert(text: &str) -> Convert {
    let entity = entity(&format!("fields = {{ x = {{ column = \"c\", {text} }} }}"));
    match entity.fields.into_iter().next().unwrap().source {
        FieldSource::Column { convert, .. } => convert,
        FieldSource::Constant(json) => panic!("{json}"),
    }
}

#[test]
fn every_conversion_has_its_word() {
    let utc = |precision| Convert::Rfc3339 { precision, zone: None };
    for (word, expected) in [
        ("auto", Convert::Auto),
        ("text", Convert::Text),
        ("integer", Convert::Integer),
        ("decimal", Convert::Decimal(None)),
        ("decimal(12, 2)", Convert::Decimal(Some((12, 2)))),
        ("number", Convert::Number),
        ("boolean", Convert::Boolean),
        ("rfc3339", utc(None)),
        ("rfc3339(3)", utc(Some(3))),
        ("date", Convert::Date),
        ("time", Convert::Time),
        ("json", Convert::Json),
        ("base64", Convert::Base64),
        ("hex", Convert::Hex),
        ("uuid", Convert::Uuid),
        ("list", Convert::List(None)),
        ("list(;)", Convert::List(Some(';'))),
    ] {
        assert_eq!(convert(&format!("as = \"{word}\"")), expected, "{word}");
    }
    assert_eq!(
        convert("as = \"rfc3339\", zone = \"America/New_York\""),
        Convert::Rfc3339 { precision: None, zone: Some("America/New_York".to_owned()) }
    );
    let map = [("a", "1"), ("b", "true"), ("c", "\"C\\\"\""), ("d", "[1.50,{\"x\":\"y\"}]")];
    assert_eq!(
        convert(r#"map = { a = 1, b = true, c = 'C"', d = [1.50, { x = "y" }] }"#),
        Convert::Map(map.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect())
    );
}

#[test]
fn every_rule_of_a_column_has_its_key() {
    let entity = entity(
        "[entity.fields]\nx = { column = \"c\", trim = true, lower = true, empty_is_null = true, default = 0, zero_dates = { fixed = \"1970-01-01\" }, odd_numbers = \"text\", nul = \"strip\" }\n\"y.z\" = { const = { a = [1, \"b\"] } }\n",
    );
    let FieldSource::Column { text, default, zero_dates, odd_numbers, null_bytes, .. } =
        &entity.fields[0].source
    else {
        panic!("a column")
    };
    assert_eq!(*text, [TextRule::Trim, TextRule::Lower, TextRule::EmptyIsNull]);
    assert_eq!(default.as_deref(), Some("0"));
    assert_eq!(*zero_dates, ZeroDates::Fixed("1970-01-01".to_owned()));
    assert_eq!((*odd_numbers, *null_bytes), (OddNumbers::Text, NullBytes::Strip));
    assert_eq!(entity.fields[1].name, "y.z");
    assert_eq!(entity.fields[1].source, FieldSource::Constant("{\"a\":[1,\"b\"]}".to_owned()));
}

#[test]
fn every_condition_on_rows_has_its_key() {
    let entity = entity(
        "source.table = \"a\"\nsource.key = \"id\"\nsource.where = [{ column = \"a\", equals = 1 }, { column = \"b\", not_in = [\"x\", true] }, { column = \"c\", null = true }, { column = \"d\", null = false }]",
    );
    let text = str::to_owned;
    assert_eq!(
        entity.filters,
        [
            Filter::In { column: text("a"), values: vec![text("1")] },
            Filter::NotIn { column: text("b"), values: vec![text("x"), text("true")] },
            Filter::IsNull(text("c")),
            Filter::NotNull(text("d")),
        ]
    );
}

#[test]
fn every_kind_of_page_has_its_key() {
    let paging = |page: &str| {
        let listing = entity(&format!("list = {{ path = \"/a\", page = {page} }}")).listing.unwrap();
        assert_eq!(listing.items, "");
        listing.paging
    };
    let text = str::to_owned;
    for (page, expected) in [
        ("\"single\"", Paging::Single),
        ("\"link-header\"", Paging::LinkHeader),
        (
            "{ offset = \"startIndex\", limit = \"count\", size = 50, first = 1 }",
            Paging::Offset { offset: text("startIndex"), limit: text("count"), size: 50, first: 1 },
        ),
        (
            "{ page = \"page\" }",
            Paging::Page { page: text("page"), limit: text("limit"), size: 100, first: 1 },
        ),
        (
            "{ cursor = \"/next\" }",
            Paging::Cursor { pointer: text("/next"), parameter: text("cursor"), limit: None },
        ),
        (
            "{ cursor = \"/next\", parameter = \"after\", limit = \"per_page\", size = 9 }",
            Paging::Cursor {
                pointer: text("/next"),
                parameter: text("after"),
                limit: Some((text("per_page"), 9)),
            },
        ),
        ("{ next_url = \"/links/next\" }", Paging::NextUrl { pointer: text("/links/next") }),
    ] {
        assert_eq!(paging(page), expected);
    }
}

#[test]
fn every_condition_on_replies_has_its_key() {
    let entity = entity(
        "outcomes = [{ status = 409, is = \"exists\" }, { body = { pointer = \"/code\", holds = \"^dup\" }, is = \"duplicate\" }, { header = { name = \"X-Error\", holds = \"gone\" }, is = \"missing\" }, { body = \"(?i)busy\", is = \"throttled\" }]",
    );
    let rules = &entity.outcomes;
    assert_eq!((rules[0].status, rules[0].is), (Some(409), ReplyClass::Exists));
    let pointer = BodyMatch::Pointer { pointer: "/code".to_owned(), holds: "^dup".to_owned() };
    assert_eq!((rules[1].body.as_ref(), rules[1].is), (Some(&pointer), ReplyClass::Exists));
    assert_eq!(rules[2].header, Some(("X-Error".to_owned(), "gone".to_owned())));
    assert_eq!(rules[3].body, Some(BodyMatch::Regex("(?i)busy".to_owned())));
}

#[test]
fn policies_have_their_words() {
    let entity =
        entity("orphans = { attach = [\"7\", \"a|b\"] }\nfold = [\"trim\", \"case\"]\ntarget_unique = true");
    assert_eq!(entity.orphans, OrphanPolicy::Attach(TenantKey::new("7|a\\|b")));
    assert_eq!(entity.fold, KeyFold { trim: true, case: true });
    assert!(entity.target_unique);
    assert_eq!(self::entity("orphans = \"skip\"").orphans, OrphanPolicy::Skip);
    assert_eq!(self::entity("").orphans, OrphanPolicy::Stop);
}

#[test]
fn a_lookup_by_post_carries_json_with_places() {
    let entity = entity(
        "[entity.push]\nshape = \"lookup-then-write\"\ncreate = { path = \"/a\", id = \"/id\" }\nlookup = { method = \"post\", path = \"/search\", body = { limit = 2, where = [{ name = \"{name}\", like = \"a {name}\\\" b\" }], empty = { } }, items = \"\", match = { name = \"/attributes/name\" }, id = { made = \"n:{name}\" } }",
    );
    let PushProgram::LookupThenWrite { lookup, update: None, create } = &entity.push else {
        panic!("a lookup")
    };
    assert_eq!(
        (create.nulls, lookup.method, lookup.items.as_deref()),
        (NullFields::Omit, Method::Post, Some(""))
    );
    assert_eq!(lookup.matches, [("name".to_owned(), "/attributes/name".to_owned())]);
    let literal = |text: &str| Part::Literal(text.to_owned());
    assert_eq!(
        lookup.body.as_ref().unwrap().parts,
        [
            literal("{\"empty\":{},\"limit\":2,\"where\":[{\"like\":\"a "),
            Part::Var(0),
            literal("\\\" b\",\"name\":"),
            Part::Var(0),
            literal("}]}"),
        ]
    );
    assert!(matches!(&lookup.id, IdSource::Made(made) if made.parts == [literal("n:"), Part::Var(0)]));
}

#[test]
fn a_bulk_tells_its_results_by_item_or_as_a_whole() {
    let bulk = |results: &str| {
        let push = "shape = \"bulk\", path = \"/bulk\", wrap = \"items\", max = 500";
        let PushProgram::Bulk(bulk) = entity(&format!("push = {{ {push}, results = {results} }}")).push
        else {
            panic!("a bulk")
        };
        bulk
    };
    let each = bulk("{ items = \"/results\", status = \"/status\" }");
    let (items, id) = ("/results".to_owned(), "/id".to_owned());
    assert_eq!(each.results, BulkResults::PerItem { items, status: "/status".to_owned(), id });
    assert_eq!((each.max, each.write.wrap.as_deref(), each.write.id), (500, Some("items"), None));
    let whole = bulk("{ id = \"/uuid\" }").results;
    assert_eq!(whole, BulkResults::AllOrNothing { items: String::new(), id: "/uuid".to_owned() });
}

#[test]
fn a_request_is_wrapped_restricted_and_headed() {
    let entity = entity(
        "[entity.push]\nshape = \"put\"\nmethod = \"post\"\npath = \"/a/{{x}}/{id}?q={name} {name}\"\nwrap = \"user\"\nconstants = { schemas = [\"urn:a\"], active = true }\nonly = [\"name\"]\nnulls = \"omit\"\nmedia_type = \"application/scim+json\"\nheaders = { If-Match = \"*\", X-Name = \"{name}\" }\nid = \"location\"",
    );
    let PushProgram::Put { write } = &entity.push else { panic!("a put") };
    assert_eq!(write.path.parts[0], Part::Literal("/a/{x}/".to_owned()));
    // Before the write `{id}` is no target id, so it is the column.
    assert_eq!(write.path.parts[1], Part::Var(0));
    assert_eq!((write.path.parts[3].clone(), write.path.parts[5].clone()), (Part::Var(1), Part::Var(1)));
    let vars: Vec<(&str, Option<&str>)> =
        entity.vars.iter().map(|var| (var.name.as_str(), var.field.as_deref())).collect();
    assert_eq!(vars, [("id", None), ("name", Some("name"))]);
    assert_eq!(
        (write.method, write.nulls, write.only.join(",")),
        (Method::Post, NullFields::Omit, "name".to_owned())
    );
    let constants = [("schemas", "[\"urn:a\"]"), ("active", "true")];
    assert_eq!(write.constants, constants.map(|(name, json)| (name.to_owned(), json.to_owned())));
    assert_eq!((write.id.clone(), write.headers.len()), (Some(IdSource::Location), 2));
}
