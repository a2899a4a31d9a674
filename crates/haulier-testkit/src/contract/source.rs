//! What every source adapter must do, tried on one little database.
//!
//! [`fixture::statements`] makes the database; [`crate::source_contract!`] turns each promise into a test.

#![expect(clippy::panic, reason = "a suite fails by panicking")]

pub mod fixture;

use haulier_core::plan::{
    Entity, Filter, KeyFold, Method, NullFields, OrphanPolicy, PushProgram, Relation, RequestSpec, Template,
    TenantPath, UnknownPolicy, Verify,
};
use haulier_core::port::{KeyRange, Source, SourceError};
use haulier_core::schema::ColumnKind;
use haulier_core::{EntityName, Row, SourceKey, Value};

use fixture::{BADGES, DAYS, Engine, KIND_COLUMNS, MEMBERS, PRICES, TAGS};

/// Makes one test of every promise. `$site` is an async function that takes a promise, as a closure from
/// `Arc<dyn Source>` and [`fixture::Engine`] to a future, and runs it on a database of its own.
#[macro_export]
macro_rules! source_contract {
    ($site:path) => {
        $crate::source_contract! { @tests $site:
            walks_visit_every_row_once_and_in_order
            ranges_share_the_rows_out_without_gap_or_overlap
            a_walk_stays_within_its_range
            filters_choose_rows_by_exact_text
            the_tenant_is_found_over_two_parents_and_orphans_have_none
            rows_are_read_by_key_and_a_key_that_is_gone_is_left_out
            counts_tell_the_rows_after_the_filters
            the_generation_is_read_and_is_zero_without_a_column
            a_name_that_is_not_there_is_refused_with_a_hint
            a_key_that_is_null_is_refused
            a_key_that_repeats_is_refused_wherever_the_page_ends
            views_and_queries_are_walked_like_tables
            values_are_exact
            the_schema_tells_keys_and_references
            key_quality_and_orphans_are_counted
        }
    };
    (@tests $site:path: $($promise:ident)*) => {$(
        #[tokio::test]
        async fn $promise() {
            $site(|source, engine| async move {
                $crate::contract::source::$promise(&*source, engine).await;
            })
            .await;
        }
    )*};
}

/// An entity that reads a table; the tests change what they need.
#[must_use]
pub fn entity(table: &str, key: &[&str], columns: &[&str]) -> Entity {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let write = RequestSpec {
        method: Method::Put,
        path: Template::default(),
        wrap: None,
        constants: Vec::new(),
        only: Vec::new(),
        nulls: NullFields::Send,
        media_type: None,
        headers: Vec::new(),
        id: None,
        empty: false,
    };
    Entity {
        name: name(table),
        relation: Relation::Table { schema: None, name: table.to_owned() },
        key: owned(key),
        filters: Vec::new(),
        generation: None,
        tenant: TenantPath::None,
        orphans: OrphanPolicy::Skip,
        columns: owned(columns),
        natural_key: Vec::new(),
        fold: KeyFold { trim: false, case: false },
        fields: Vec::new(),
        refs: Vec::new(),
        vars: Vec::new(),
        push: PushProgram::Put { write },
        outcomes: Vec::new(),
        verify: Verify::None,
        unknown: UnknownPolicy::Hold,
        target_unique: true,
        deferred_of: None,
        listing: None,
    }
}

#[expect(clippy::expect_used, reason = "a suite fails by panicking")]
fn name(text: &str) -> EntityName {
    EntityName::new(text).expect("a fixture's name is one")
}

/// Walks a range to its end in pages of one size.
///
/// # Panics
/// When a call fails or the walk does not end.
pub async fn walk(source: &dyn Source, entity: &Entity, range: &KeyRange, size: u32) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..100_000 {
        let after = rows.last().map(|row| row.key.clone());
        let page = ok(source.chunk(entity, range, after.as_ref(), size).await);
        if page.is_empty() {
            return rows;
        }
        assert!(page.len() <= size as usize, "a page of {} where {size} were asked for", page.len());
        rows.extend(page);
    }
    panic!("the walk of {} does not end", entity.name);
}

#[track_caller]
fn ok<T>(result: Result<T, SourceError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error} ({error:?})"),
    }
}

fn keys(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.key.to_string()).collect()
}

fn member() -> Entity {
    entity("member", &["id"], &["id", "email", "hub_id"])
}

fn badge() -> Entity {
    entity("badge", &["member_id", "label"], &["label", "member_id"])
}

fn parent(table: &str, by: &str, next: TenantPath) -> TenantPath {
    TenantPath::Parent {
        entity: name(table),
        relation: Relation::Table { schema: None, name: table.to_owned() },
        key: vec!["id".to_owned()],
        by: vec![by.to_owned()],
        next: Box::new(next),
    }
}

fn member_keys() -> Vec<String> {
    MEMBERS.iter().map(|member| member.0.to_string()).collect()
}

fn badge_keys() -> Vec<String> {
    BADGES.iter().map(|(id, label)| SourceKey::from_parts(&[&*id.to_string(), label]).to_string()).collect()
}

/// Integers, texts, dates and composites of them, in pages of every size.
pub async fn walks_visit_every_row_once_and_in_order(source: &dyn Source, _: Engine) {
    let text = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let walks = [
        (member(), member_keys()),
        (badge(), badge_keys()),
        (entity("tag", &["code"], &["code"]), text(TAGS)),
        (entity("day", &["day"], &["day"]), text(DAYS)),
        (
            entity("price", &["item", "since"], &["item", "since", "amount"]),
            PRICES.iter().map(|(item, since, _)| format!("{item}|{since}")).collect(),
        ),
    ];
    for (entity, expected) in walks {
        ok(source.check(&entity).await);
        for size in [1, 2, 7, 1000] {
            let rows = walk(source, &entity, &KeyRange::default(), size).await;
            assert_eq!(keys(&rows), expected, "{} in pages of {size}", entity.name);
        }
    }
}

/// Together the ranges have every row; each row is in one.
pub async fn ranges_share_the_rows_out_without_gap_or_overlap(source: &dyn Source, _: Engine) {
    for entity in [member(), badge(), entity("tag", &["code"], &["code"]), entity("hub", &["id"], &["id"])] {
        let whole = walk(source, &entity, &KeyRange::default(), 3).await;
        for want in [1, 2, 3, 10] {
            let ranges = ok(source.ranges(&entity, want).await);
            assert!(!ranges.is_empty() && ranges.len() <= want, "{} of {want}", ranges.len());
            let mut rows = Vec::new();
            for range in &ranges {
                rows.extend(walk(source, &entity, range, 2).await);
            }
            assert_eq!(keys(&rows), keys(&whole), "{} in {want} ranges", entity.name);
        }
    }
    assert!(ok(source.ranges(&member(), 3).await).len() > 1, "an integer key can be cut");
}

/// The lower end is exclusive, the upper end inclusive, for composites too.
pub async fn a_walk_stays_within_its_range(source: &dyn Source, _: Engine) {
    let expected = badge_keys();
    for low in 0..expected.len() {
        for high in low..expected.len() {
            let range = KeyRange {
                after: Some(SourceKey::from_canonical(&expected[low])),
                upto: Some(SourceKey::from_canonical(&expected[high])),
            };
            let rows = walk(source, &badge(), &range, 2).await;
            assert_eq!(keys(&rows), expected[low + 1..=high]);
        }
    }
}

/// Letter case counts, whatever the collation says; numbers are compared by their text.
pub async fn filters_choose_rows_by_exact_text(source: &dyn Source, _: Engine) {
    let by = |filter: Filter| Entity { filters: vec![filter], ..member() };
    let texts = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let chosen = |test: &dyn Fn(&fixture::Member) -> bool| {
        MEMBERS.iter().filter(|member| test(member)).map(|member| member.0.to_string()).collect::<Vec<_>>()
    };
    let column = |text: &str| text.to_owned();
    let cases = [
        (
            by(Filter::In { column: column("state"), values: texts(&["active"]) }),
            chosen(&|m| m.3 == "active"),
        ),
        (
            by(Filter::In { column: column("state"), values: texts(&["active", "closed", "active "]) }),
            chosen(&|m| m.3 == "active" || m.3 == "closed"),
        ),
        (
            by(Filter::NotIn { column: column("state"), values: texts(&["active"]) }),
            chosen(&|m| m.3 != "active"),
        ),
        (
            by(Filter::In { column: column("hub_id"), values: texts(&["2", "9"]) }),
            chosen(&|m| m.1 == Some(2) || m.1 == Some(9)),
        ),
        (
            by(Filter::NotIn { column: column("hub_id"), values: texts(&["2"]) }),
            chosen(&|m| m.1.is_some_and(|hub| hub != 2)),
        ),
        (by(Filter::IsNull(column("age"))), chosen(&|m| m.4.is_none())),
        (by(Filter::NotNull(column("hub_id"))), chosen(&|m| m.1.is_some())),
    ];
    for (entity, expected) in cases {
        let rows = walk(source, &entity, &KeyRange::default(), 2).await;
        assert_eq!(keys(&rows), expected, "{:?}", entity.filters);
        assert_eq!(ok(source.count(&entity).await), expected.len() as u64);
    }
}

/// Also when a parent on the way is missing.
pub async fn the_tenant_is_found_over_two_parents_and_orphans_have_none(source: &dyn Source, _: Engine) {
    let entity =
        Entity { tenant: parent("member", "member_id", parent("hub", "hub_id", TenantPath::Own)), ..badge() };
    ok(source.check(&entity).await);
    let rows = walk(source, &entity, &KeyRange::default(), 4).await;
    let found: Vec<Option<String>> =
        rows.iter().map(|row| row.tenant.as_ref().map(ToString::to_string)).collect();
    let tenant = |id: i64| {
        let member = MEMBERS.iter().find(|member| member.0 == id)?;
        member.1.filter(|hub| *hub < 4).map(|hub| hub.to_string())
    };
    let expected: Vec<Option<String>> = BADGES.iter().map(|badge| tenant(badge.0)).collect();
    assert_eq!(found, expected);
    assert!(found.contains(&None) && found.contains(&Some("2".to_owned())));
    assert_eq!(keys(&rows), badge_keys());

    let hub = Entity { tenant: TenantPath::Own, ..entity_of_hubs() };
    let rows = walk(source, &hub, &KeyRange::default(), 2).await;
    assert!(
        rows.iter().all(|row| row.tenant.as_ref().is_some_and(|tenant| tenant.as_str() == row.key.as_str()))
    );
}

fn entity_of_hubs() -> Entity {
    entity("hub", &["id"], &["id", "code"])
}

/// In any order, over more than one statement, with odd keys among them.
pub async fn rows_are_read_by_key_and_a_key_that_is_gone_is_left_out(source: &dyn Source, _: Engine) {
    for (entity, gone) in [
        (member(), vec!["4", "no number", "99999999999999999999"]),
        (badge(), vec!["1|nobody", "1", "x|y|z"]),
        (entity("tag", &["code"], &["code"]), vec!["ALPHA", "alpha ", "nothing"]),
        (entity("price", &["item", "since"], &["amount", "item", "since"]), vec!["bread|2023-01-02"]),
    ] {
        let all = walk(source, &entity, &KeyRange::default(), 1000).await;
        let mut wanted: Vec<SourceKey> = all.iter().rev().map(|row| row.key.clone()).collect();
        wanted.extend(gone.into_iter().map(SourceKey::from_canonical));
        let mut rows = ok(source.rows(&entity, &wanted).await);
        rows.sort_by_key(|row| all.iter().position(|other| other.key == row.key));
        assert_eq!(rows, all);
    }
    let many: Vec<SourceKey> = (-8..2500).map(|id: i64| SourceKey::from_canonical(&id.to_string())).collect();
    let rows = ok(source.rows(&member(), &many).await);
    assert_eq!(rows.len(), MEMBERS.len() - 1, "all but the huge one");
    assert!(ok(source.rows(&member(), &[]).await).is_empty());
}

/// And without filters all rows.
pub async fn counts_tell_the_rows_after_the_filters(source: &dyn Source, _: Engine) {
    assert_eq!(ok(source.count(&member()).await), MEMBERS.len() as u64);
    assert_eq!(ok(source.count(&badge()).await), BADGES.len() as u64);
}

/// The generation column need not be among the columns that are read.
pub async fn the_generation_is_read_and_is_zero_without_a_column(source: &dyn Source, _: Engine) {
    let entity = Entity { generation: Some("version".to_owned()), ..member() };
    let rows = walk(source, &entity, &KeyRange::default(), 3).await;
    let found: Vec<i64> = rows.iter().map(|row| row.generation).collect();
    assert_eq!(found, MEMBERS.iter().map(|member| member.0 + 100).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.values.len() == 3));
    let rows = walk(source, &member(), &KeyRange::default(), 3).await;
    assert!(rows.iter().all(|row| row.generation == 0));
}

/// Tables, columns, keys, filters, parents: each by name.
pub async fn a_name_that_is_not_there_is_refused_with_a_hint(source: &dyn Source, _: Engine) {
    let table = Entity { relation: Relation::Table { schema: None, name: "membr".to_owned() }, ..member() };
    let filter = Filter::In { column: "stat".to_owned(), values: vec!["x".to_owned()] };
    let cases = [
        (table, "membr", "member"),
        (entity("member", &["id"], &["id", "emial"]), "emial", "email"),
        (entity("member", &["ID"], &["id"]), "ID", "id"),
        (Entity { filters: vec![filter], ..member() }, "stat", "state"),
        (Entity { generation: Some("versoin".to_owned()), ..member() }, "versoin", "version"),
        (Entity { tenant: parent("hubs", "hub_id", TenantPath::Own), ..member() }, "hubs", "hub"),
        (Entity { tenant: parent("hub", "hubid", TenantPath::Own), ..member() }, "hubid", "hub_id"),
    ];
    for (entity, wrong, right) in cases {
        for result in [source.check(&entity).await, source.count(&entity).await.map(|_| ())] {
            let Err(SourceError::Plan { problem, hint, .. }) = &result else { panic!("{wrong}: {result:?}") };
            assert!(problem.contains(&format!("`{wrong}`")), "{problem}");
            assert_eq!(hint.as_deref(), Some(&*format!("did you mean `{right}`?")));
        }
    }
}

/// Wherever the NULL stands in the order of the engine.
pub async fn a_key_that_is_null_is_refused(source: &dyn Source, _: Engine) {
    for size in [1, 2, 1000] {
        let result =
            source.chunk(&entity("hole", &["k"], &["k", "v"]), &KeyRange::default(), None, size).await;
        let Err(SourceError::Plan { problem, .. }) = &result else { panic!("{result:?}") };
        assert!(problem.contains("`k`") && problem.contains("NULL"), "{problem}");
    }
    let entity = Entity { filters: vec![Filter::NotNull("k".to_owned())], ..entity("hole", &["k"], &["k"]) };
    assert_eq!(keys(&walk(source, &entity, &KeyRange::default(), 1).await), ["1", "2"]);
}

/// No row may be lost where a page ends between two rows with the same key.
pub async fn a_key_that_repeats_is_refused_wherever_the_page_ends(source: &dyn Source, _: Engine) {
    let entity = entity("twin", &["k"], &["k", "v"]);
    for size in [2, 3, 4, 5, 1000] {
        let result = source.chunk(&entity, &KeyRange::default(), None, size).await;
        let Err(SourceError::Plan { problem, .. }) = &result else { panic!("{size}: {result:?}") };
        assert!(problem.contains("repeats") && problem.contains('k'), "{problem}");
    }
    // The page before the twins is sound.
    assert_eq!(ok(source.chunk(&entity, &KeyRange::default(), None, 1).await).len(), 1);
}

/// With filters, computed columns, and parents that are queries themselves.
pub async fn views_and_queries_are_walked_like_tables(source: &dyn Source, _: Engine) {
    let adults: Vec<String> =
        MEMBERS.iter().filter(|m| m.4.is_some_and(|age| age >= 18)).map(|m| m.0.to_string()).collect();
    let view = entity("adult", &["id"], &["email", "id"]);
    let query = "select m.id, m.email, m.hub_id, m.id * 2 as twice from member m where m.age >= 18;";
    let own = Entity { relation: Relation::Query(query.to_owned()), ..view.clone() };
    let computed = Entity { key: vec!["twice".to_owned()], ..own.clone() };
    let TenantPath::Parent { entity: hub, key, by, next, .. } = parent("hub", "hub_id", TenantPath::Own)
    else {
        return;
    };
    let relation = Relation::Query("select id from hub -- all of them".to_owned());
    let tenant = TenantPath::Parent { entity: hub, relation, key, by, next };
    for size in [1, 2, 1000] {
        for entity in [&view, &own, &Entity { tenant: tenant.clone(), ..own.clone() }] {
            ok(source.check(entity).await);
            assert_eq!(keys(&walk(source, entity, &KeyRange::default(), size).await), adults);
        }
        let rows = walk(source, &computed, &KeyRange::default(), size).await;
        assert_eq!(rows.iter().map(|row| row.values[1].clone()).collect::<Vec<_>>().len(), adults.len());
    }
    let missing = Entity { columns: vec!["id".to_owned(), "emial".to_owned()], ..own };
    let result = source.check(&missing).await;
    let Err(SourceError::Plan { hint, .. }) = &result else { panic!("{result:?}") };
    assert_eq!(hint.as_deref(), Some("did you mean `email`?"));
}

/// Nothing is rounded, localised or guessed; NULL is NULL.
pub async fn values_are_exact(source: &dyn Source, engine: Engine) {
    let rows = walk(source, &entity("kind", &["id"], KIND_COLUMNS), &KeyRange::default(), 1).await;
    assert_eq!(rows[0].values, fixture::kinds(engine));
    assert!(rows[1].values.iter().all(|value| *value == Value::Null), "{:?}", rows[1].values);
}

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
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(ok(source.key_quality(twin, &owned(&["k"])).await), (5, 3, 0));
    assert_eq!(ok(source.key_quality(twin, &owned(&["k", "v"])).await), (5, 5, 0));
    assert_eq!(ok(source.key_quality(hole, &owned(&["k"])).await), (3, 2, 1));
    let Some(member) = schema.tables.iter().find(|table| table.name == "member") else {
        panic!("{schema:?}")
    };
    let reference = haulier_core::schema::ForeignKey {
        columns: owned(&["hub_id"]),
        table: "hub".to_owned(),
        referenced: owned(&["id"]),
    };
    assert_eq!(ok(source.orphans(member, &reference).await), 1);
}
