//! MySQL's and MariaDB's types, exactly.

use haulier_core::Value;
use haulier_core::plan::{Entity, Filter, Relation};
use haulier_core::port::{KeyRange, SourceError};
use haulier_testkit::contract::source::{entity, walk};

use super::site;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(text: &str) -> Value {
    Value::Number(text.to_owned())
}

fn zero(text: &str) -> Value {
    Value::ZeroDate(text.to_owned())
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Some((*item).to_owned())).collect())
}

#[tokio::test]
async fn every_type_arrives_exactly() {
    let cases = [
        ("tinyint(1)", "2", Value::Int(2)),
        ("tinyint(1) unsigned", "200", Value::Int(200)),
        ("tinyint", "-128", Value::Int(-128)),
        ("smallint unsigned", "65535", Value::Int(65535)),
        ("mediumint", "-8388608", Value::Int(-8_388_608)),
        ("mediumint unsigned", "16777215", Value::Int(16_777_215)),
        ("int unsigned", "4294967295", Value::Int(4_294_967_295)),
        ("int(8) unsigned zerofill", "42", Value::Int(42)),
        ("bigint", "-9223372036854775808", Value::Int(i64::MIN)),
        ("bigint unsigned", "18446744073709551615", number("18446744073709551615")),
        ("decimal(20,4)", "-0.1000", number("-0.1000")),
        ("decimal(10,2) zerofill", "1.5", number("1.50")),
        ("decimal(65,30)", "1e-30", number("0.000000000000000000000000000001")),
        ("float", "0.1", Value::Float(0.1)),
        ("double", "1e300", Value::Float(1e300)),
        ("bit(1)", "b'1'", Value::Int(1)),
        (
            "bit(64)",
            "b'1111111111111111111111111111111111111111111111111111111111111111'",
            number("18446744073709551615"),
        ),
        ("year", "1999", Value::Int(1999)),
        ("date", "'2024-00-00'", zero("2024-00-00")),
        ("date", "'0000-00-00'", zero("0000-00-00")),
        ("date", "'9999-12-31'", Value::Date("9999-12-31".into())),
        ("datetime", "'0000-00-00 00:00:00'", zero("0000-00-00 00:00:00")),
        (
            "datetime(6)",
            "'2024-03-30 20:30:00.100000'",
            Value::Timestamp("2024-03-30T20:30:00.100000".into()),
        ),
        ("timestamp null", "'2024-03-30 20:30:00'", Value::Timestamp("2024-03-30T20:30:00Z".into())),
        ("time", "'20:30:00'", Value::Time("20:30:00".into())),
        ("time(3)", "'-838:59:59'", text("-838:59:59.000")),
        ("char(6)", "'ab  '", text("ab")),
        ("varchar(6)", "'ab  '", text("ab  ")),
        ("varchar(20) character set latin1", "'Größe'", text("Größe")),
        ("char(9) character set utf8mb3", "'Größe'", text("Größe")),
        ("mediumtext", "'😀'", text("😀")),
        ("enum('x','y,z')", "'y,z'", text("y,z")),
        ("set('a','b','c')", "'c,a'", list(&["a", "c"])),
        ("set('a','b','c')", "''", list(&[])),
        ("json", "'{\"b\": 1.50}'", Value::Json("{\"b\": 1.50}".into())),
        ("binary(3)", "x'00ff'", Value::Bytes(vec![0, 255, 0])),
        ("varbinary(3)", "x'00ff'", Value::Bytes(vec![0, 255])),
        ("longblob", "x'00ff'", Value::Bytes(vec![0, 255])),
        ("point", "point(1, 2)", text("POINT(1 2)")),
    ];
    let columns: Vec<String> = (0..cases.len()).map(|index| format!("c{index}")).collect();
    let types: Vec<String> =
        cases.iter().zip(&columns).map(|((kind, ..), name)| format!("{name} {kind}")).collect();
    let values: Vec<&str> = cases.iter().map(|(_, value, _)| *value).collect();
    let statements = [
        "set sql_mode = '', time_zone = '+00:00'".to_owned(),
        format!("create table odd (id int primary key, {})", types.join(", ")),
        format!("insert into odd values (1, {})", values.join(", ")),
        "insert into odd (id) values (2)".to_owned(),
    ];
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    site::mysql(&statements, |source, _| async move {
        let table = entity("odd", &["id"], &names);
        let query = Entity { relation: Relation::Query("select * from odd".to_owned()), ..table.clone() };
        let rows = walk(&*source, &table, &KeyRange::default(), 1).await;
        for ((kind, _, expected), value) in cases.iter().zip(&rows[0].values) {
            assert_eq!(value, expected, "{kind}");
        }
        assert!(rows[1].values.iter().all(|value| *value == Value::Null));
        // What a query does not tell: a set is text, MariaDB's JSON is text, a geometry is bytes of its own.
        let rows = walk(&*source, &query, &KeyRange::default(), 1).await;
        for ((kind, _, expected), value) in cases.iter().zip(&rows[0].values) {
            if !kind.starts_with("set") && *kind != "json" {
                assert_eq!(value, expected, "{kind} in a query");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_of_any_type_is_walked_filtered_and_found_again() {
    let types = [
        ("bigint unsigned", "18446744073709551615, 0, 9223372036854775808, 9223372036854775807"),
        ("decimal(30,2)", "'12345678901234567890.51', '12345678901234567890.52', '-1.00'"),
        ("date", "'0000-00-00', '2024-00-00', '2024-01-01'"),
        ("datetime(6)", "'2024-01-01 00:00:00.000001', '2024-01-01 00:00:00.000002', '0000-00-00'"),
        ("timestamp", "'2024-01-01 00:00:00', '2024-06-01 00:00:00'"),
        ("time", "'-01:00:00', '100:00:00', '05:00:00'"),
        ("char(4)", "'d005', 'd010', 'a'"),
        ("varchar(9)", "'a|b', 'B', 'c d', 'Ä'"),
        ("varchar(9) collate utf8mb4_bin", "'a', 'A', 'ä', 'Ä', '😀'"),
        ("varchar(9) character set latin1", "'a', 'b', 'Größe'"),
        ("varbinary(4)", "x'00', x'ff00', x''"),
        ("enum('z','a','m') collate utf8mb4_bin", "'z', 'a', 'm'"),
        ("set('z','a')", "'z', 'a', 'z,a', ''"),
        ("year", "1999, 2024"),
        ("bit(64)", "b'1', b'0', 18446744073709551615"),
        ("double", "0.1, 1e300, -5"),
        ("tinyint(1)", "0, 1, 2"),
    ];
    let mut statements = vec!["set sql_mode = '', time_zone = '+00:00'".to_owned()];
    for (index, (kind, values)) in types.iter().enumerate() {
        statements
            .push(format!("create table k{index} (k {kind} not null, n int not null, primary key (k, n))"));
        for value in values.split(", ") {
            statements.push(format!("insert into k{index} values ({value}, 1), ({value}, 2), ({value}, 3)"));
        }
    }
    site::mysql(&statements, |source, _| async move {
        for (index, (kind, values)) in types.iter().enumerate() {
            let entity = entity(&format!("k{index}"), &["k", "n"], &["n", "k"]);
            let all = walk(&*source, &entity, &KeyRange::default(), 1000).await;
            assert_eq!(all.len(), values.split(", ").count() * 3, "{kind}");
            for size in [1, 2] {
                assert_eq!(walk(&*source, &entity, &KeyRange::default(), size).await, all, "{kind}");
            }
            let keys: Vec<_> = all.iter().map(|row| row.key.clone()).collect();
            assert_eq!(source.rows(&entity, &keys).await.unwrap().len(), all.len(), "{kind}");
            let Some(first) = all[0].values[1].key_text().filter(|_| *kind != "double") else { continue };
            let filter = Filter::In { column: "k".to_owned(), values: vec![first] };
            let filtered = Entity { filters: vec![filter], ..entity };
            assert_eq!(source.count(&filtered).await.unwrap(), 3, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_float_is_refused_as_a_key_and_so_are_collations_that_do_not_meet() {
    let statements = [
        "create table f (k float not null primary key)",
        "create table p (k varchar(5) character set utf8mb4 collate utf8mb4_general_ci not null primary key)",
        "create table c (id int primary key, p varchar(5) character set utf8mb4 collate utf8mb4_unicode_ci)",
    ]
    .map(str::to_owned);
    site::mysql(&statements, |source, _| async move {
        let result = source.check(&entity("f", &["k"], &["k"])).await;
        assert!(
            matches!(&result, Err(SourceError::Plan { problem, .. }) if problem.contains("`k`")),
            "{result:?}"
        );
        let parent = entity("p", &["k"], &["k"]);
        let tenant = haulier_core::plan::TenantPath::Parent {
            entity: parent.name,
            relation: parent.relation,
            key: parent.key,
            by: vec!["p".to_owned()],
            next: Box::new(haulier_core::plan::TenantPath::Own),
        };
        let child = Entity { tenant, ..entity("c", &["id"], &["id"]) };
        let result = source.check(&child).await;
        assert!(
            matches!(&result, Err(SourceError::Plan { problem, .. }) if problem.contains("collations")),
            "{result:?}"
        );
    })
    .await;
}
