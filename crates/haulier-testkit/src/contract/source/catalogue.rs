//! What the database declares, and how good its keys are.

use haulier_core::port::Source;
use haulier_core::schema::{ColumnKind, ForeignKey};

use super::fixture::Engine;
use super::{entity, ok, owned};
use haulier_core::plan::Relation;

/// Tables and views, primary keys, unique columns, references.
pub async fn the_schema_tells_keys_and_references(source: &dyn Source, engine: Engine) {
    let schema = ok(source.schema().await);
    let table = |name: &str| match schema.tables.iter().find(|table| table.name == name) {
        Some(table) => table,
        None => panic!("no table {name} in {schema:?}"),
    };
    assert_eq!(
        schema.tables.len(),
        11,
        "{:?}",
        schema.tables.iter().map(|table| &table.name).collect::<Vec<_>>()
    );
    let badge = table("badge");
    assert_eq!((&badge.schema, badge.view), (&None, false));
    assert_eq!(badge.primary_key, ["member_id", "label"]);
    let member = table("member");
    assert_eq!(member.unique, [["email"]]);
    let shown: Vec<(&str, bool, ColumnKind)> =
        member.columns.iter().map(|column| (&*column.name, column.nullable, column.kind)).collect();
    assert_eq!(shown[0], ("id", false, ColumnKind::Integer));
    assert_eq!(shown[1], ("hub_id", true, ColumnKind::Integer));
    assert_eq!(shown[2], ("email", false, ColumnKind::Text));
    assert!(table("adult").view && table("adult").columns.len() == 2);
    assert!(table("twin").primary_key.is_empty());
    let [reference] = &*table("sale").foreign_keys else { panic!("{:?}", table("sale")) };
    assert_eq!(
        (&*reference.table, &*reference.columns, &*reference.referenced),
        ("member", &["member_id".to_owned()][..], &["id".to_owned()][..])
    );
    let kinds = |name: &str| {
        table("kind").columns.iter().find(|column| column.name == name).map(|column| column.kind)
    };
    assert_eq!(kinds("exact"), Some(ColumnKind::Number));
    assert_eq!(kinds("raw"), Some(ColumnKind::Bytes));
    if engine != Engine::Sqlite {
        assert_eq!(kinds("at"), Some(ColumnKind::Timestamp));
        assert_eq!(kinds("doc"), Some(ColumnKind::Json));
    }
}

/// Rows, distinct combinations without NULL, rows with a NULL; references to nothing.
pub async fn key_quality_and_orphans_are_counted(source: &dyn Source, _: Engine) {
    let schema = ok(source.schema().await);
    let Some(twin) = schema.tables.iter().find(|table| table.name == "twin") else { panic!("{schema:?}") };
    let Some(hole) = schema.tables.iter().find(|table| table.name == "hole") else { panic!("{schema:?}") };
    assert_eq!(ok(source.key_quality(twin, &owned(&["k"])).await), (5, 3, 0));
    assert_eq!(ok(source.key_quality(twin, &owned(&["k", "v"])).await), (5, 5, 0));
    assert_eq!(ok(source.key_quality(hole, &owned(&["k"])).await), (3, 2, 1));
    let Some(member) = schema.tables.iter().find(|table| table.name == "member") else {
        panic!("{schema:?}")
    };
    let reference =
        ForeignKey { columns: owned(&["hub_id"]), table: "hub".to_owned(), referenced: owned(&["id"]) };
    assert_eq!(ok(source.orphans(member, &reference).await), 1);
}

/// In the order of the entity, of a table as of a query; a stranger is refused.
pub async fn columns_tell_what_they_are_read_as(source: &dyn Source, engine: Engine) {
    let mut asked = entity("kind", &["id"], &["exact", "id", "note"]);
    let kinds = [
        ("exact".to_owned(), ColumnKind::Number),
        ("id".to_owned(), ColumnKind::Integer),
        ("note".to_owned(), ColumnKind::Text),
    ];
    let told = |columns: Vec<haulier_core::schema::Column>| {
        columns.into_iter().map(|column| (column.name, column.kind)).collect::<Vec<_>>()
    };
    assert_eq!(told(ok(source.columns(&asked).await)), kinds);
    asked.relation = Relation::Query("select note, id, exact from kind".to_owned());
    let of_query = told(ok(source.columns(&asked).await));
    if engine == Engine::Sqlite {
        // A derived table has affinities only: what is declared as a decimal there is told by its name alone.
        assert!(of_query.iter().map(|(name, _)| name).eq(kinds.iter().map(|(name, _)| name)));
    } else {
        assert_eq!(of_query, kinds);
    }
    asked.columns.push("nota".to_owned());
    assert!(source.columns(&asked).await.is_err());
}
