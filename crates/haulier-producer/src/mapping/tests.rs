//! Whole rows through the mapper.

use haulier_core::plan::{
    Convert, Entity, Field, FieldSource, KeyFold, Method, NaturalPart, NullBytes, NullFields, OddNumbers,
    OrphanPolicy, Part, PushProgram, Reference, Relation, RequestSpec, Template, TenantPath, TextRule,
    UnknownPolicy, Var, Verify, ZeroDates,
};
use haulier_core::port::SightingIntent;
use haulier_core::{EntityName, Row, SourceKey, TenantKey, Value};

use super::Mapper;

fn column(name: &str, column: &str, convert: Convert) -> Field {
    let source = FieldSource::Column {
        column: column.to_owned(),
        convert,
        text: Vec::new(),
        default: None,
        zero_dates: ZeroDates::Error,
        odd_numbers: OddNumbers::Error,
        null_bytes: NullBytes::Error,
    };
    Field { name: name.to_owned(), source }
}

fn entity(fields: Vec<Field>) -> Entity {
    let write = RequestSpec {
        method: Method::Put,
        path: Template::default(),
        wrap: None,
        constants: Vec::new(),
        only: Vec::new(),
        nulls: NullFields::Omit,
        media_type: None,
        headers: Vec::new(),
        id: None,
        empty: false,
    };
    Entity {
        name: EntityName::new("project").unwrap(),
        relation: Relation::Table { schema: None, name: "projects".to_owned() },
        key: vec!["id".to_owned()],
        filters: Vec::new(),
        generation: None,
        tenant: TenantPath::Own,
        orphans: OrphanPolicy::Skip,
        columns: ["id", "account_id", "name", "extra"].map(str::to_owned).to_vec(),
        natural_key: vec![
            NaturalPart::Reference { index: 0, column: "external_id".to_owned() },
            NaturalPart::Column("name".to_owned()),
        ],
        fold: KeyFold { trim: true, case: true },
        fields,
        refs: vec![Reference {
            field: "accountId".to_owned(),
            entity: EntityName::new("account").unwrap(),
            by: vec!["account_id".to_owned()],
            in_body: true,
            numeric: false,
        }],
        vars: vec![Var { name: "name".to_owned(), field: Some("name".to_owned()) }],
        push: PushProgram::Put { write },
        outcomes: Vec::new(),
        verify: Verify::None,
        unknown: UnknownPolicy::Hold,
        target_unique: true,
        deferred_of: None,
        listing: None,
        stored: None,
        extract: None,
    }
}

fn row(name: Value, extra: Value) -> Row {
    Row {
        key: SourceKey::from_parts(&["7"]),
        tenant: Some(TenantKey::new("1")),
        generation: 0,
        values: vec![Value::Int(7), Value::Int(1), name, extra],
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn body(fields: Vec<Field>, name: Value, extra: Value) -> Result<String, String> {
    let mapped = Mapper::new(&entity(fields)).unwrap().map(&row(name, extra));
    match (mapped.record, mapped.sighting.intent) {
        (Some(record), _) => Ok(record.body),
        (None, SightingIntent::Refuse(failure)) => Err(failure.reason),
        (None, other) => Err(format!("{other:?}")),
    }
}

#[test]
fn a_row_becomes_a_record() {
    let fields = vec![
        column("name", "name", Convert::Auto),
        column("budget.amount", "extra", Convert::Decimal(Some((12, 2)))),
    ];
    let mapped =
        Mapper::new(&entity(fields)).unwrap().map(&row(text("Grün \"1\""), Value::Number("12.5".to_owned())));
    let record = mapped.record.unwrap();
    assert_eq!(record.body, r#"{"name":"Grün \"1\"","budget":{"amount":"12.50"}}"#);
    assert_eq!(record.refs, [Some(SourceKey::from_parts(&["1"]))]);
    assert_eq!(record.vars, ["Grün \"1\""]);
    assert_eq!(mapped.sighting.hash, record.hash);
}

#[test]
fn every_conversion_is_exact_or_refused() {
    let cases: Vec<(Convert, Value, Result<&str, &str>)> = vec![
        (Convert::Integer, text("0042"), Ok("42")),
        (Convert::Integer, Value::Number("18446744073709551615".to_owned()), Ok("18446744073709551615")),
        (Convert::Integer, text("4.2"), Err("not an integer")),
        (Convert::Number, Value::Number("0.10".to_owned()), Ok("0.10")),
        (Convert::Text, Value::Int(5), Ok("\"5\"")),
        (Convert::Boolean, Value::Int(1), Ok("true")),
        (Convert::Boolean, text("f"), Ok("false")),
        (Convert::Boolean, Value::Int(2), Err("not a boolean")),
        (Convert::Auto, Value::Bytes(vec![0, 255]), Ok("\"AP8=\"")),
        (Convert::Hex, Value::Bytes(vec![0, 255]), Ok("\"00ff\"")),
        (
            Convert::Uuid,
            text("{ABCDEF00-1111-2222-3333-444455556666}"),
            Ok("\"abcdef00-1111-2222-3333-444455556666\""),
        ),
        (Convert::Uuid, text("nope"), Err("not a UUID")),
        (Convert::Json, text("{\"a\": [1.0]}"), Ok("{\"a\": [1.0]}")),
        (Convert::Json, text("{a}"), Err("not JSON")),
        (Convert::Auto, Value::List(vec![Some("a".to_owned()), None]), Ok("[\"a\",null]")),
        (Convert::List(Some(',')), text("a,b"), Ok("[\"a\",\"b\"]")),
        (Convert::Map(vec![("free".to_owned(), "\"FREE\"".to_owned())]), text("free"), Ok("\"FREE\"")),
        (Convert::Map(Vec::new()), text("gold"), Err("no entry")),
        (Convert::Auto, Value::ZeroDate("0000-00-00".to_owned()), Err("zero parts")),
        (Convert::Auto, Value::Float(f64::NAN), Err("not a finite number")),
        (Convert::Auto, Value::Number("Infinity".to_owned()), Err("not a finite number")),
        (Convert::Auto, Value::Float(-0.0), Ok("0.0")),
        (Convert::Auto, text("a\0b"), Err("NUL")),
        (
            Convert::Rfc3339 { precision: Some(0), zone: None },
            text("2024-01-02 03:04:05"),
            Ok("\"2024-01-02T03:04:05Z\""),
        ),
        (Convert::Date, text("2024-02-30"), Err("not a date")),
    ];
    for (convert, value, wanted) in cases {
        let label = format!("{convert:?} of {value:?}");
        let got = body(
            vec![column("name", "name", Convert::Auto), column("x", "extra", convert)],
            text("n"),
            value,
        );
        match wanted {
            Ok(json) => assert_eq!(got, Ok(format!("{{\"name\":\"n\",\"x\":{json}}}")), "{label}"),
            Err(reason) => assert!(got.clone().unwrap_err().contains(reason), "{label}: {got:?}"),
        }
    }
}

#[test]
fn a_refusal_names_column_and_field_and_not_the_value() {
    let fields = vec![column("name", "name", Convert::Auto), column("amount", "extra", Convert::Integer)];
    let reason = body(fields, text("n"), text("top secret")).unwrap_err();
    assert!(reason.contains("`extra`") && reason.contains("`amount`"), "{reason}");
    assert!(!reason.contains("secret"), "{reason}");
}

#[test]
fn null_is_left_out_or_has_a_default() {
    let mut with_default = column("x", "extra", Convert::Auto);
    if let FieldSource::Column { default, text, .. } = &mut with_default.source {
        *default = Some("\"none\"".to_owned());
        *text = vec![TextRule::Trim, TextRule::EmptyIsNull];
    }
    let name = column("name", "name", Convert::Auto);
    assert_eq!(
        body(vec![name.clone(), column("x", "extra", Convert::Auto)], text("n"), Value::Null).unwrap(),
        r#"{"name":"n"}"#
    );
    assert_eq!(body(vec![name, with_default], text("n"), text("  ")).unwrap(), r#"{"name":"n","x":"none"}"#);
}

#[test]
fn a_path_needs_its_text() {
    let reason = body(vec![column("name", "name", Convert::Auto)], Value::Null, Value::Null).unwrap_err();
    assert!(reason.contains("{name}"), "{reason}");
}

#[test]
fn the_natural_key_is_folded_and_the_hash_is_not() {
    let mapper = Mapper::new(&entity(vec![column("name", "name", Convert::Auto)])).unwrap();
    let one = mapper.map(&row(text("Apollo"), Value::Null)).sighting;
    let two = mapper.map(&row(text(" APOLLO "), Value::Null)).sighting;
    assert_eq!(one.natural, two.natural);
    assert_ne!(one.hash, two.hash);
    assert_eq!(mapper.map(&row(text("Apollo"), Value::Null)).sighting, one);
}

#[test]
fn a_row_without_tenant_follows_the_policy() {
    let mut orphan = row(text("n"), Value::Null);
    orphan.tenant = None;
    let mut entity = entity(vec![column("name", "name", Convert::Auto)]);
    let mapped = Mapper::new(&entity).unwrap().map(&orphan);
    assert!(matches!(mapped.sighting.intent, SightingIntent::Skip(_)) && mapped.record.is_none());
    entity.orphans = OrphanPolicy::Attach(TenantKey::new("9"));
    let mapped = Mapper::new(&entity).unwrap().map(&orphan);
    assert_eq!(mapped.sighting.tenant, Some(TenantKey::new("9")));
    assert_eq!(mapped.record.unwrap().tenant, Some(TenantKey::new("9")));
}

#[test]
fn a_row_with_a_value_that_cannot_be_read_is_refused_even_where_only_a_reference_needs_it() {
    let mapper = Mapper::new(&entity(vec![column("name", "name", Convert::Auto)])).unwrap();
    let unreadable = Value::Unreadable("the text is not UTF-8".to_owned());
    for index in [1, 2, 3] {
        let mut row = row(Value::Text("n".to_owned()), Value::Null);
        row.values[index] = unreadable.clone();
        let SightingIntent::Refuse(failure) = mapper.map(&row).sighting.intent else {
            panic!("value {index} was sent")
        };
        assert!(failure.reason.ends_with("`: the text is not UTF-8"), "{failure}");
    }
}

#[test]
fn a_path_made_of_the_natural_key_is_told_to_the_ledger() {
    let mut entity = entity(vec![column("name", "name", Convert::Auto)]);
    let told = |entity: &Entity| {
        let mapped = Mapper::new(entity).unwrap().map(&row(text("n"), Value::Null));
        mapped.sighting.path_key.map(|names| names.to_string())
    };
    assert_eq!(told(&entity), None, "the path is the same for all");
    for part in [Part::Var(0), Part::Ref(0)] {
        let PushProgram::Put { write } = &mut entity.push else { panic!("a put") };
        write.path.parts = vec![Part::Literal("/projects/".to_owned()), part];
        assert_eq!(told(&entity).as_deref(), Some("`account.external_id`, `name`"));
    }
    entity.vars[0].field = None;
    entity.vars[0].name = "id".to_owned();
    let PushProgram::Put { write } = &mut entity.push else { panic!("a put") };
    write.path.parts = vec![Part::Var(0)];
    assert_eq!(told(&entity), None, "the source key does not change");
}

#[test]
fn an_empty_deferred_reference_is_sent_only_over_another() {
    let mut entity = entity(vec![column("name", "name", Convert::Auto)]);
    entity.deferred_of = Some(EntityName::new("project").unwrap());
    let mut row = row(text("n"), Value::Null);
    let mapper = Mapper::new(&entity).unwrap();
    assert_eq!(mapper.map(&row).sighting.intent, SightingIntent::Send);
    row.values[1] = Value::Null;
    let mapped = mapper.map(&row);
    assert_eq!(mapped.sighting.intent, SightingIntent::SendIfLanded);
    assert_eq!(mapped.record.unwrap().refs, [None]);
}
