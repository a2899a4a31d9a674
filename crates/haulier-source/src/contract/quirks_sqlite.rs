//! SQLite's values, each by its own storage class.

use haulier_core::Value;
use haulier_core::plan::{Entity, Filter, Relation};
use haulier_core::port::{KeyRange, SourceError};
use haulier_testkit::contract::source::{entity, walk};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};

use super::site;

fn made(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|statement| (*statement).to_owned()).collect()
}

#[tokio::test]
async fn values_are_what_they_are_whatever_the_column_is_declared_as() {
    let statements = made(&[
        "create table odd (id integer primary key, i integer, n numeric(10,2), d date, b blob, x)",
        "insert into odd values (1, 'text', '73', 20240330, 'blob?', x'')",
        "insert into odd values (2, 9223372036854775807, '73.50', '2024-03-30', x'00ff', 1e999)",
        "insert into odd values (3, null, null, null, null, 'nul' || char(0) || 'byte')",
    ]);
    site::sqlite(&statements, |source, _| async move {
        let rows =
            walk(&*source, &entity("odd", &["id"], &["i", "n", "d", "b", "x"]), &KeyRange::default(), 2)
                .await;
        let text = |text: &str| Value::Text(text.to_owned());
        let first =
            [text("text"), Value::Int(73), Value::Int(20_240_330), text("blob?"), Value::Bytes(vec![])];
        assert_eq!(rows[0].values, first);
        let infinite = Value::Number("Infinity".into());
        let second = [
            Value::Int(i64::MAX),
            Value::Float(73.5),
            text("2024-03-30"),
            Value::Bytes(vec![0, 255]),
            infinite,
        ];
        assert_eq!(rows[1].values, second);
        assert_eq!(rows[2].values[4], text("nul\0byte"));
        assert_eq!(rows[2].values[0], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_told_apart_from_null_and_only_in_a_key_ends_the_walk() {
    let statements = made(&[
        "create table odd (a text, b integer, name text, primary key (a, b))",
        "insert into odd values ('x', 1, 'good'), ('x', 2, cast(x'ff61' as text)), ('x', 3, null)",
    ]);
    site::sqlite(&statements, |source, _| async move {
        let odd = entity("odd", &["a", "b"], &["a", "b", "name"]);
        let rows = source.chunk(&odd, &KeyRange::default(), None, 9).await.unwrap();
        let unreadable = Value::Unreadable("the text is not UTF-8".to_owned());
        let names: Vec<&Value> = rows.iter().map(|row| &row.values[2]).collect();
        assert_eq!(names, [&Value::Text("good".to_owned()), &unreadable, &Value::Null]);
        assert_eq!(source.rows(&odd, &[rows[1].key.clone()]).await.unwrap(), [rows[1].clone()]);
        let query = "select name as a, b from odd where b = 2".to_owned();
        let keyed = Entity { relation: Relation::Query(query), ..entity("keyed", &["a", "b"], &["b"]) };
        let error = source.chunk(&keyed, &KeyRange::default(), None, 9).await.unwrap_err();
        assert_eq!(error.to_string(), "entity `keyed`, key (unreadable), column `a`: the text is not UTF-8");
    })
    .await;
}

#[tokio::test]
async fn a_key_of_any_affinity_is_walked_filtered_and_found_again() {
    let types = [
        ("integer", "1, -5, 9223372036854775807, 'text', 2.5"),
        ("text", "1, 'a', 'B', 'Ä', '', '1.0'"),
        ("text collate nocase", "'a', 'B', 'c'"),
        ("real", "0.1, 5, -3, 1e300"),
        ("numeric", "'10', '9', 'x', 2.5"),
        ("", "1, 10, 9, 2.5, 'text', x'00ff', x''"),
        ("blob", "x'00', x'ff', x'0000'"),
        ("datetime", "'2024-01-01', '2024-01-01 00:00:01', 20240101"),
    ];
    let mut statements = Vec::new();
    for (index, (kind, values)) in types.iter().enumerate() {
        statements.push(format!(
            "create table k{index} (k {kind} not null, n integer not null, primary key (k, n))"
        ));
        for value in values.split(", ") {
            statements.push(format!("insert into k{index} values ({value}, 1), ({value}, 2), ({value}, 3)"));
        }
    }
    site::sqlite(&statements, |source, _| async move {
        for (index, (kind, values)) in types.iter().enumerate() {
            let table = entity(&format!("k{index}"), &["k", "n"], &["n", "k"]);
            let query = format!("select k, n from k{index}");
            for entity in [table.clone(), Entity { relation: Relation::Query(query), ..table }] {
                let all = walk(&*source, &entity, &KeyRange::default(), 1000).await;
                assert_eq!(all.len(), values.split(", ").count() * 3, "{kind}");
                for size in [1, 2] {
                    assert_eq!(walk(&*source, &entity, &KeyRange::default(), size).await, all, "{kind}");
                }
                let keys: Vec<_> = all.iter().map(|row| row.key.clone()).collect();
                assert_eq!(source.rows(&entity, &keys).await.unwrap().len(), all.len(), "{kind}");
                if let Some(first) = all[0].values[1].key_text().filter(|text| !text.starts_with('\\')) {
                    let filter = Filter::In { column: "k".to_owned(), values: vec![first] };
                    let filtered = Entity { filters: vec![filter], ..entity };
                    assert_eq!(source.count(&filtered).await.unwrap(), 3, "{kind}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_computed_key_without_a_type_is_walked_unless_text_looks_like_a_number() {
    let statements = made(&[
        "create table t (id integer primary key)",
        "insert into t values (1), (2), (10), (20)",
        "create table mixed (k)",
        "insert into mixed values (5), ('5'), ('x')",
        "create table blobs (k text not null primary key)",
        "insert into blobs values ('a'), (x'61')",
    ]);
    site::sqlite(&statements, |source, _| async move {
        let relation = Relation::Query("select id * 2 as k from t".to_owned());
        let computed = Entity { relation, ..entity("computed", &["k"], &["k"]) };
        let rows = walk(&*source, &computed, &KeyRange::default(), 1).await;
        assert_eq!(rows.iter().map(|row| row.key.to_string()).collect::<Vec<_>>(), ["2", "4", "20", "40"]);
        for table in ["mixed", "blobs"] {
            let result = source.chunk(&entity(table, &["k"], &["k"]), &KeyRange::default(), None, 9).await;
            assert!(
                matches!(&result, Err(SourceError::Plan { problem, .. }) if problem.contains("`k`")),
                "{result:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_schema_resolves_a_reference_that_names_no_columns() {
    let statements = made(&[
        "create table p (a integer, b text, primary key (b, a))",
        "create table c (id integer primary key, x integer, y text, foreign key (y, x) references p)",
        "create unique index partial on c (x) where x > 0",
        "create unique index computed on c (lower(y))",
    ]);
    site::sqlite(&statements, |source, _| async move {
        let schema = source.schema().await.unwrap();
        assert_eq!(schema.tables[1].primary_key, ["b", "a"]);
        let child = &schema.tables[0];
        assert_eq!(child.foreign_keys[0].referenced, ["b", "a"]);
        assert_eq!(child.unique, Vec::<Vec<String>>::new(), "a partial or computed index proves nothing");
        assert_eq!(source.orphans(child, &child.foreign_keys[0]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_database_is_read_while_its_application_writes() {
    let statements = made(&["pragma journal_mode = wal", "create table t (id integer primary key)"]);
    site::sqlite(&statements, |source, options| async move {
        let crate::Engine::Sqlite(path) = &options.engine else { panic!("{options:?}") };
        let mut writer: SqliteConnection =
            SqliteConnectOptions::new().filename(path).connect().await.unwrap();
        writer.execute("insert into t values (1), (2)").await.unwrap();
        writer.execute("begin immediate").await.unwrap();
        writer.execute("insert into t values (3)").await.unwrap();
        let rows = walk(&*source, &entity("t", &["id"], &["id"]), &KeyRange::default(), 1).await;
        assert_eq!(rows.len(), 2, "what is not committed is not seen, and does not block");
        writer.execute("commit").await.unwrap();
        assert_eq!(source.count(&entity("t", &["id"], &["id"])).await.unwrap(), 3);
    })
    .await;
}
