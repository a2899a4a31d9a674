//! PostgreSQL's types, exactly.

use haulier_core::Value;
use haulier_core::plan::{Entity, Filter, Relation};
use haulier_core::port::{KeyRange, SourceError};
use haulier_testkit::contract::source::{entity, walk};

use super::site;

fn made(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|statement| (*statement).to_owned()).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(text: &str) -> Value {
    Value::Number(text.to_owned())
}

fn list(items: &[Option<&str>]) -> Value {
    Value::List(items.iter().map(|item| item.map(str::to_owned)).collect())
}

#[tokio::test]
async fn every_type_arrives_exactly() {
    let cases = [
        ("0.1::real", Value::Float(0.1)),
        ("'NaN'::float8", number("NaN")),
        ("'-Infinity'::real", number("-Infinity")),
        ("'NaN'::numeric", number("NaN")),
        ("0.10::numeric", number("0.10")),
        ("1e30::numeric", number("1000000000000000000000000000000")),
        ("12.5::money", number("12.50")),
        ("4294967295::oid", Value::Int(4_294_967_295)),
        ("'ab'::char(4)", text("ab")),
        ("'x'::\"char\"", text("x")),
        ("'ab'::name", text("ab")),
        ("'infinity'::timestamptz", text("infinity")),
        ("'0044-03-15 12:00 BC'::timestamp", text("0044-03-15 12:00:00 BC")),
        ("'2024-03-30 20:30:00.5-04'::timestamptz", Value::Timestamp("2024-03-31T00:30:00.5Z".into())),
        ("'2024-03-30 20:30'::timestamp", Value::Timestamp("2024-03-30T20:30:00".into())),
        ("'-infinity'::date", text("-infinity")),
        ("'20:30:00.25'::time", Value::Time("20:30:00.25".into())),
        ("'20:30+02'::timetz", text("20:30:00+02")),
        ("'1 year 2 days 03:04:05'::interval", text("1 year 2 days 03:04:05")),
        ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("'<a/>'::xml", text("<a/>")),
        ("'{\"b\":1.50, \"a\":null}'::json", Value::Json("{\"b\":1.50, \"a\":null}".into())),
        ("'[1,3)'::int4range", text("[1,3)")),
        ("'a & b'::tsquery", text("'a' & 'b'")),
        ("'10.0.0.1/8'::inet", text("10.0.0.1/8")),
        ("(1.5, 2)::point_like", text("(1.5,2)")),
        ("'PG-13'::mood", text("PG-13")),
        ("'R'::mood_domain", text("R")),
        ("7::small_domain", Value::Int(7)),
        ("array['a', null, 'b,\"c']", list(&[Some("a"), None, Some("b,\"c")])),
        ("array[1.10, 2]::numeric[]", list(&[Some("1.10"), Some("2")])),
        ("array['G', 'R']::mood[]", list(&[Some("G"), Some("R")])),
        ("array[[1, 2], [3, 4]]", text("{{1,2},{3,4}}")),
        ("'1 2'::int2vector", text("1 2")),
        ("'\\x00ff'::bytea", Value::Bytes(vec![0, 255])),
        ("B'101'", text("101")),
    ];
    let columns: Vec<String> = (0..cases.len()).map(|index| format!("c{index}")).collect();
    let select: Vec<String> =
        cases.iter().zip(&columns).map(|((sql, _), column)| format!("{sql} as {column}")).collect();
    let select = select.join(", ");
    let statements = made(&[
        "create type mood as enum ('PG-13', 'G', 'R')",
        "create domain mood_domain as mood",
        "create domain smaller as smallint",
        "create domain small_domain as smaller check (value > 0)",
        "create type point_like as (x numeric, y integer)",
        &format!("create table odd as select 1 as id, {select}"),
        "alter table odd add primary key (id)",
    ]);
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    site::postgres(&statements, |source, _| async move {
        let table = entity("odd", &["id"], &names);
        let query = Entity { relation: Relation::Query("select * from odd".to_owned()), ..table.clone() };
        for entity in [table, query] {
            let rows = walk(&*source, &entity, &KeyRange::default(), 10).await;
            for ((sql, expected), value) in cases.iter().zip(&rows[0].values) {
                assert_eq!(value, expected, "{sql}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_of_any_type_is_walked_filtered_and_found_again() {
    let types = [
        ("mood", "'R', 'PG-13', 'G'"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000001'"),
        ("numeric", "'1.10', '-3', '12345678901234567890.5'"),
        ("money", "'1.10', '-3', '1000000.00'"),
        ("timestamptz", "'2024-03-30 20:30:00.000001+02', '-infinity', 'infinity', '0044-03-15 12:00 BC'"),
        ("timestamp", "'2024-03-30 20:30:00.000001', '2024-03-30 20:30:00.000002', '2024-03-30 20:30:00'"),
        ("bpchar(4)", "'ab', 'a', 'abcd'"),
        ("varchar(9) collate \"C\"", "'ab', 'AB', 'Ä', 'a|b', 'a\\b', ''"),
        ("text", "'ab', 'AB', 'Ä', '😀'"),
        ("bytea", "'\\x00', '\\xff00', '\\x'"),
        ("boolean", "true, false"),
        ("float8", "'0.1', '1e300', '-Infinity', 'NaN'"),
        ("interval", "'1 day', '1 month', '00:00:01'"),
        ("inet", "'10.0.0.1', '10.0.0.0/8'"),
        ("bit(3)", "'101', '001'"),
    ];
    let mut statements = made(&["create type mood as enum ('PG-13', 'G', 'R')"]);
    for (index, (kind, values)) in types.iter().enumerate() {
        statements.push(format!(
            "create table k{index} (k {kind} not null, n integer not null, primary key (k, n))"
        ));
        statements.push(format!(
            "insert into k{index} select v::{kind}, n from unnest(array[{values}]) v, generate_series(1, 3) n"
        ));
    }
    site::postgres(&statements, |source, _| async move {
        for (index, (kind, values)) in types.iter().enumerate() {
            let entity = entity(&format!("k{index}"), &["k", "n"], &["n", "k"]);
            let all = walk(&*source, &entity, &KeyRange::default(), 1000).await;
            assert_eq!(all.len(), (values.matches(", ").count() + 1) * 3, "{kind}");
            for size in [1, 2] {
                assert_eq!(walk(&*source, &entity, &KeyRange::default(), size).await, all, "{kind}");
            }
            let keys: Vec<_> = all.iter().map(|row| row.key.clone()).collect();
            assert_eq!(source.rows(&entity, &keys).await.unwrap().len(), all.len(), "{kind}");
            let Some(first) = all[0].values[1].key_text() else { panic!("{kind}") };
            let filter = Filter::In { column: "k".to_owned(), values: vec![first] };
            let filtered = Entity { filters: vec![filter], ..entity };
            assert_eq!(source.count(&filtered).await.unwrap(), 3, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn parents_of_inheritance_and_partitions_are_walked_with_their_children() {
    let statements = made(&[
        "create table paid (id integer primary key)",
        "create table paid_2007 () inherits (paid)",
        "insert into paid values (1), (3)",
        "insert into paid_2007 values (2), (3)",
        "create table cut (id integer primary key) partition by range (id)",
        "create table cut_low partition of cut for values from (0) to (10)",
        "create table cut_high partition of cut for values from (10) to (20)",
        "insert into cut select generate_series(8, 12)",
    ]);
    site::postgres(&statements, |source, _| async move {
        let cut = entity("cut", &["id"], &["id"]);
        assert_eq!(walk(&*source, &cut, &KeyRange::default(), 2).await.len(), 5);
        let paid = entity("paid", &["id"], &["id"]);
        // Each table's primary key is its own: 3 stands in both, and no page may split the two.
        let result = source.chunk(&paid, &KeyRange::default(), None, 3).await;
        assert!(
            matches!(&result, Err(SourceError::Plan { problem, .. }) if problem.contains("repeats")),
            "{result:?}"
        );
        let names: Vec<String> =
            source.schema().await.unwrap().tables.into_iter().map(|table| table.name).collect();
        assert_eq!(names, ["cut", "paid", "paid_2007"]);
    })
    .await;
}

#[tokio::test]
async fn a_table_is_found_in_its_schema_and_compared_types_must_fit() {
    let statements = made(&[
        "create schema \"Odd \"\"one\"",
        "create table \"Odd \"\"one\".\"Ta\"\"ble\" (\"Id \"\"x\" integer primary key, ref text)",
        "insert into \"Odd \"\"one\".\"Ta\"\"ble\" values (1, 'a')",
        "create table listed (k integer[] primary key)",
    ]);
    site::postgres(&statements, |source, _| async move {
        let result = source.check(&entity("listed", &["k"], &["k"])).await;
        assert!(
            matches!(&result, Err(SourceError::Plan { problem, .. }) if problem.contains("integer[]")),
            "{result:?}"
        );
        let relation = Relation::Table { schema: Some("Odd \"one".to_owned()), name: "Ta\"ble".to_owned() };
        let odd = Entity { relation: relation.clone(), ..entity("odd", &["Id \"x"], &["Id \"x", "ref"]) };
        assert_eq!(walk(&*source, &odd, &KeyRange::default(), 2).await.len(), 1);
        let tenant = haulier_core::plan::TenantPath::Parent {
            entity: odd.name.clone(),
            relation,
            key: odd.key.clone(),
            by: vec!["ref".to_owned()],
            next: Box::new(haulier_core::plan::TenantPath::Own),
        };
        let result = source.check(&Entity { tenant, ..odd }).await;
        let Err(SourceError::Plan { problem, hint, .. }) = &result else { panic!("{result:?}") };
        assert!(problem.contains("integer = text") && hint.is_some(), "{problem}");
    })
    .await;
}
