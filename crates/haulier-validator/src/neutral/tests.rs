//! What the neutral form makes of each kind of value, and what it refuses.

use super::*;
use haulier_core::Value;
use proptest::prelude::*;

fn neutral(column: Column, side: Side, cell: Cell<'_>) -> Result<String, String> {
    let key = Column::new("key", Kind::Text);
    let columns = Columns::new(vec![key], vec![column]).unwrap();
    let mut normaliser = Neutral::new(columns, side, Some(b"0123456789abcdef")).unwrap();
    let mut line = Vec::new();
    normaliser.push([Cell::Text("k".into()), cell], &mut line).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(line).unwrap()[2..].to_owned())
}

fn text(kind: Kind, given: &str) -> Result<String, String> {
    neutral(Column::new("v", kind), Side::Source, Cell::Text(given.into()))
}

#[test]
fn every_kind_has_one_spelling() {
    let stamp = Kind::Timestamp { precision: 6, excess: Excess::Refuse };
    let cut = Kind::Timestamp { precision: 3, excess: Excess::Cut };
    let set = Kind::List { set: true, numbers: false };
    let cases: Vec<(Kind, &str, &str)> = vec![
        (Kind::Integer, "+007", "7"),
        (Kind::Integer, "18446744073709551615", "18446744073709551615"),
        (Kind::Decimal(None), "1.1000", "1.1"),
        (Kind::Decimal(None), "-0.00", "0"),
        (Kind::Decimal(Some(2)), "1.5", "1.50"),
        (Kind::Decimal(Some(2)), "1.500", "1.50"),
        (Kind::Float, "1e+21", "1e21"),
        (Kind::Float, "1e21", "1e21"),
        (Kind::Float, "-0", "0"),
        (Kind::Float, "0.1000", "0.1"),
        (Kind::Float, "Infinity", "Infinity"),
        (Kind::Boolean, "t", "true"),
        (Kind::Boolean, "0", "false"),
        (stamp.clone(), "2024-03-30 20:30:00+00", "2024-03-30T20:30:00.000000Z"),
        (stamp.clone(), "2024-03-30T20:30:00-04:00", "2024-03-31T00:30:00.000000Z"),
        (stamp.clone(), "2024-02-29T20:30:00.123456Z", "2024-02-29T20:30:00.123456Z"),
        (cut.clone(), "2024-03-30T20:30:00.999999Z", "2024-03-30T20:30:00.999Z"),
        (
            Kind::Timestamp { precision: 0, excess: Excess::Cut },
            "2024-03-30T20:30:00.9Z",
            "2024-03-30T20:30:00Z",
        ),
        (Kind::Date, "2024-03-30 00:00:00", "2024-03-30"),
        (Kind::Time, "10:00", "10:00:00"),
        (Kind::Interval, "1 day 01:00:00", "P1DT3600S"),
        (Kind::Text, "Zo\u{308}e, ", "\"Zo\u{308}e, \""),
        (Kind::Json, r#"{ "b":1.0, "a":[1e2,null,"x"], "b":2}"#, r#""{""a"":[100,null,""x""],""b"":2}""#),
        (set.clone(), r#"["b","a",null]"#, r#""[null,""a"",""b""]""#),
        (Kind::Uuid, "{0F8FAD5B-D9CB-469F-A165-70867728950E}", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ];
    for (kind, given, expected) in cases {
        assert_eq!(text(kind.clone(), given).as_deref(), Ok(expected), "{kind:?} {given}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_place_and_without_its_value() {
    let stamp = Kind::Timestamp { precision: 3, excess: Excess::Refuse };
    let cases: Vec<(Kind, &str, &str)> = vec![
        (Kind::Integer, "7.5", "not an integer"),
        (Kind::Decimal(None), "NaN", "not a decimal"),
        (Kind::Decimal(Some(1)), "1.55", "more than 1 fraction digits"),
        (Kind::Decimal(None), "1,234", "not a decimal"),
        (Kind::Boolean, "2", "not a boolean"),
        (stamp.clone(), "2024-03-30T20:30:00.123456Z", "more than 3 fraction digits"),
        (stamp.clone(), "infinity", "not a point in time"),
        (stamp.clone(), "0000-00-00 00:00:00", "not a point in time"),
        (stamp.clone(), "2024-02-31T20:30:00.123Z", "not a point in time"),
        (stamp, "2024-13-01T20:30:00.123Z", "not a point in time"),
        (Kind::Date, "2024-03-30 10:00:00", "time of day"),
        (Kind::Enum(vec!["on".into()]), "off", "declared values"),
        (Kind::Json, "{", "not JSON"),
        (Kind::List { set: false, numbers: true }, "[\"x\"]", "an element is not a number"),
        (Kind::Uuid, "x", "not a UUID"),
    ];
    for (kind, given, reason) in cases {
        let error = text(kind.clone(), given).unwrap_err();
        assert!(error.starts_with("row 1 (key k), column `v`: "), "{error}");
        assert!(error.contains(reason), "{kind:?} {given}: {error}");
        assert!(given.len() < 4 || !error.contains(given), "{error}");
    }
}

#[test]
fn sides_that_spell_a_value_otherwise_agree() {
    let mut state = Column::new("v", Kind::Enum(vec!["active".into(), "locked".into()]));
    state.source.map = vec![("1".into(), "active".into()), ("3".into(), "locked".into())];
    assert_eq!(neutral(state.clone(), Side::Source, Cell::Int(3)).unwrap(), "locked");
    assert_eq!(neutral(state.clone(), Side::Target, Cell::Text("locked".into())).unwrap(), "locked");
    assert!(neutral(state, Side::Target, Cell::Int(3)).is_err());

    let mut at = Column::new("v", Kind::Timestamp { precision: 0, excess: Excess::Refuse });
    at.source.zone = Some("Europe/Berlin".into());
    let local = neutral(at.clone(), Side::Source, Cell::Text("2024-07-01 12:00:00".into()));
    assert_eq!(local.unwrap(), "2024-07-01T10:00:00Z");
    let zulu = neutral(at, Side::Target, Cell::Text("2024-07-01T10:00:00Z".into()));
    assert_eq!(zulu.unwrap(), "2024-07-01T10:00:00Z");

    let mut bytes = Column::new("v", Kind::Binary);
    bytes.target.bytes = BytesAs::Base64;
    let raw = neutral(bytes.clone(), Side::Source, Cell::from(&Value::Bytes(vec![0, 255])));
    assert_eq!(raw, neutral(bytes.clone(), Side::Target, Cell::Text("AP8=".into())));
    bytes.target.bytes = BytesAs::Hex;
    assert_eq!(raw, neutral(bytes.clone(), Side::Target, Cell::Text("\\x00FF".into())));
    assert!(neutral(bytes, Side::Target, Cell::Text("\\x00F".into())).is_err());

    let id = Column::new("v", Kind::Uuid);
    let sixteen = neutral(id.clone(), Side::Source, Cell::Bytes(vec![0x0f; 16].into()));
    assert_eq!(sixteen.unwrap(), "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f");

    let list = Column::new("v", Kind::List { set: false, numbers: true });
    let items = vec![Some("1.50".to_owned()), None];
    let listed = neutral(list.clone(), Side::Source, Cell::List(items.into()));
    let json: serde_json::Value = serde_json::from_str("[1.5,null]").unwrap();
    assert_eq!(listed, neutral(list, Side::Target, Cell::from(Some(&json))));

    let money = Column::new("v", Kind::Decimal(Some(4)));
    let number: serde_json::Value = serde_json::from_str("12345678.9012").unwrap();
    let sent = neutral(money.clone(), Side::Target, Cell::from(Some(&number)));
    assert_eq!(sent, neutral(money.clone(), Side::Source, Cell::Text("12345678.901200".into())));
    assert_eq!(neutral(money, Side::Source, Cell::Float(0.100_000_001_49)).unwrap(), "0.1000");
}

#[test]
fn nothing_null_empty_and_missing_are_four_things() {
    let plain = Column::new("v", Kind::Text);
    let of = |column: &Column, cell: Cell<'_>| neutral(column.clone(), Side::Target, cell).unwrap();
    assert_eq!(of(&plain, Cell::Null), "\\N");
    assert_eq!(of(&plain, Cell::Missing), "\\M");
    assert_eq!(of(&plain, Cell::Text("".into())), "");
    assert_eq!(of(&plain, Cell::Text("\\N".into())), "\\\\N");
    assert_eq!(of(&plain, Cell::Text("NULL".into())), "NULL");
    let mut alike = plain;
    alike.rules = vec![Rule::EmptyAsNull, Rule::MissingAsNull];
    assert_eq!(of(&alike, Cell::Missing), "\\N");
    assert_eq!(of(&alike, Cell::Text("".into())), "\\N");
}

#[test]
fn rules_count_what_they_changed() {
    let mut name = Column::new("name", Kind::Text);
    name.rules = vec![Rule::Lower, Rule::Trim, Rule::Nfc];
    let price = Column::new("price", Kind::Decimal(None));
    let columns = Columns::new(vec![Column::new("key", Kind::Integer)], vec![name, price]).unwrap();
    let mut neutral = Neutral::new(columns, Side::Source, None).unwrap();
    let mut line = Vec::new();
    for (key, name, price) in [(1, " Zo\u{65}\u{308} ", "1.0"), (2, "zo\u{eb}", "1"), (3, "ZO\u{cb}", "2.50")]
    {
        line.clear();
        let cells = [Cell::Int(key), Cell::Text(name.into()), Cell::Text(price.into())];
        neutral.push(cells, &mut line).unwrap();
        assert!(String::from_utf8(line.clone()).unwrap().contains(",zo\u{eb},"));
    }
    let counts: Vec<Vec<_>> = neutral.changed().iter().map(|changed| changed.counts().collect()).collect();
    assert_eq!(counts, [vec![], vec![("nfc", 1), ("trim", 1), ("lower", 2)], vec![("kind", 2)]]);
}

#[test]
fn a_key_is_never_null_and_a_row_never_ragged() {
    let columns =
        || Columns::new(vec![Column::new("a", Kind::Text)], vec![Column::new("b", Kind::Text)]).unwrap();
    let mut neutral = Neutral::new(columns(), Side::Source, None).unwrap();
    let mut line = b"before".to_vec();
    let error = neutral.push([Cell::Null, Cell::Null], &mut line).unwrap_err();
    assert_eq!(error.to_string(), "row 1, column `a`: it is part of the key, and NULL or missing");
    let short = neutral.push([Cell::Text("x".into())], &mut line).unwrap_err();
    assert_eq!(short.to_string(), "row 2 (key x), column `b`: the row ends before it");
    assert!(neutral.push([Cell::Int(1), Cell::Int(1), Cell::Int(1)], &mut line).is_err());
    assert_eq!(line, b"before");
}

#[test]
fn a_hashed_column_shows_equality_and_nothing_else() {
    let mut mail = Column::new("v", Kind::Text);
    mail.hashed = true;
    let of = |cell: Cell<'_>| neutral(mail.clone(), Side::Source, cell).unwrap();
    let hashed = of(Cell::Text("a@b.c".into()));
    assert!(hashed.starts_with("hmac-sha256:") && hashed.len() == 12 + 64);
    assert_eq!(hashed, of(Cell::Text("a@b.c".into())));
    assert_ne!(hashed, of(Cell::Text("a@b.d".into())));
    assert_eq!(of(Cell::Null), "\\N");
    let columns = Columns::new(vec![mail.clone()], vec![]).unwrap();
    assert_eq!(Neutral::new(columns, Side::Source, Some(b"short")).unwrap_err(), NoHashKey("v".into()));
}

#[test]
fn the_digest_follows_what_is_agreed_and_nothing_else() {
    let columns =
        |column: Column| Columns::new(vec![Column::new("k", Kind::Text)], vec![column]).unwrap().digest();
    let plain = columns(Column::new("v", Kind::Text));
    let mut zoned = Column::new("v", Kind::Text);
    zoned.source.zone = Some("Europe/Berlin".into());
    assert_eq!(plain, columns(zoned));
    let mut trimmed = Column::new("v", Kind::Text);
    trimmed.rules = vec![Rule::Trim];
    assert_ne!(plain, columns(trimmed));
    assert_ne!(plain, columns(Column::new("v", Kind::Integer)));
    assert_ne!(plain, columns(Column::new("w", Kind::Text)));
    assert_eq!(plain.len(), 64);
}

proptest! {
    /// What is taken as it is must be what the long way makes of it, with the same counts and the same errors.
    #[test]
    fn the_short_way_and_the_long_way_write_the_same(
        given in "-?[0-9]{1,3}(\\.[0-9]{0,3})?|[-+0-9.eE]{0,6}|true|f|(1[0-9]{3}|2024)-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,7})?Z|\
            [0-9a-fA-F]{8}-[0-9a-f]{4}-4000-8000-[0-9a-f]{12}|\\PC{0,6}|[\\x00-\\x7f]{0,6}",
        number in any::<i64>(),
    ) {
        let stamp = |precision, excess| Kind::Timestamp { precision, excess };
        let kinds = [
            Kind::Text, Kind::Integer, Kind::Decimal(None), Kind::Decimal(Some(0)), Kind::Decimal(Some(2)), Kind::Boolean,
            Kind::Uuid, Kind::Date, Kind::Float, stamp(6, Excess::Refuse), stamp(3, Excess::Cut), stamp(0, Excess::Refuse),
        ];
        for kind in kinds {
            for cell in [Cell::Text(given.as_str().into()), Cell::Int(number)] {
                let of = |map: &[(&str, &str)]| {
                    let mut column = Column::new("v", kind.clone());
                    column.source.map = map.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
                    let columns = Columns::new(vec![Column::new("k", Kind::Text)], vec![column]).unwrap();
                    let mut normaliser = Neutral::new(columns, Side::Source, None).unwrap();
                    let mut line = Vec::new();
                    let pushed = normaliser.push([Cell::Text("k".into()), cell.clone()], &mut line);
                    (pushed, line, normaliser.changed().to_vec())
                };
                // A map, even one of other values, asks for the long way.
                prop_assert_eq!(of(&[]), of(&[("no value is this long", "")]), "{:?}", kind);
            }
        }
    }
}
