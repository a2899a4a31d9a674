//! What is read of a row, and which rows are read.

use haulier_core::plan::{Entity, Filter, TenantPath};
use haulier_core::port::{KeyRange, Source};
use haulier_core::{SourceKey, Value};

use super::fixture::{self, BADGES, Engine, KIND_COLUMNS, MEMBERS};
use super::{badge, badge_keys, entity, keys, member, ok, owned, parent, walk};

/// Letter case counts, whatever the collation says; numbers are compared by their text.
pub async fn filters_choose_rows_by_exact_text(source: &dyn Source, _: Engine) {
    let by = |filter: Filter| Entity { filters: vec![filter], ..member() };
    let chosen = |test: &dyn Fn(&fixture::Member) -> bool| {
        MEMBERS.iter().filter(|member| test(member)).map(|member| member.0.to_string()).collect::<Vec<_>>()
    };
    let column = |text: &str| text.to_owned();
    let cases = [
        (
            by(Filter::In { column: column("state"), values: owned(&["active"]) }),
            chosen(&|m| m.3 == "active"),
        ),
        (
            by(Filter::In { column: column("state"), values: owned(&["active", "closed", "active "]) }),
            chosen(&|m| m.3 == "active" || m.3 == "closed"),
        ),
        (
            by(Filter::NotIn { column: column("state"), values: owned(&["active"]) }),
            chosen(&|m| m.3 != "active"),
        ),
        (
            by(Filter::In { column: column("hub_id"), values: owned(&["2", "9"]) }),
            chosen(&|m| m.1 == Some(2) || m.1 == Some(9)),
        ),
        (
            by(Filter::NotIn { column: column("hub_id"), values: owned(&["2"]) }),
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

/// By the tenant's key, over no, one and two parents; counted alike. A key that no tenant can have is that of no row.
pub async fn a_choice_of_tenants_narrows_the_reading(source: &dyn Source, _: Engine) {
    let chosen = |tenants: &[&str]| {
        Filter::Tenants(tenants.iter().map(|tenant| SourceKey::from_canonical(tenant)).collect())
    };
    let badges =
        Entity { tenant: parent("member", "member_id", parent("hub", "hub_id", TenantPath::Own)), ..badge() };
    let members = Entity { tenant: parent("hub", "hub_id", TenantPath::Own), ..member() };
    let hubs = Entity { tenant: TenantPath::Own, ..entity_of_hubs() };
    for entity in [badges, members, hubs] {
        let all = walk(source, &entity, &KeyRange::default(), 1000).await;
        for tenants in [&["2"][..], &["1", "2", "no number"], &["4711"], &["no number"], &[]] {
            let of = |row: &&haulier_core::Row| {
                row.tenant.as_ref().is_some_and(|tenant| tenants.contains(&tenant.as_str()))
            };
            let wanted: Vec<_> = all.iter().filter(of).cloned().collect();
            let mut narrowed = entity.clone();
            narrowed.filters.push(chosen(tenants));
            assert_eq!(walk(source, &narrowed, &KeyRange::default(), 2).await, wanted, "{tenants:?}");
            assert_eq!(ok(source.count(&narrowed).await), wanted.len() as u64, "{tenants:?}");
        }
        assert!(all.iter().any(|row| row.tenant.as_ref().is_some_and(|tenant| tenant.as_str() == "2")));
    }
    let without = Entity { filters: vec![chosen(&["2"])], ..member() };
    assert!(walk(source, &without, &KeyRange::default(), 2).await.is_empty(), "it has no tenant");
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

/// Nothing is rounded, localised or guessed; NULL is NULL.
pub async fn values_are_exact(source: &dyn Source, engine: Engine) {
    let rows = walk(source, &entity("kind", &["id"], KIND_COLUMNS), &KeyRange::default(), 1).await;
    assert_eq!(rows[0].values, fixture::kinds(engine));
    assert!(rows[1].values.iter().all(|value| *value == Value::Null), "{:?}", rows[1].values);
}

fn entity_of_hubs() -> Entity {
    entity("hub", &["id"], &["id", "code"])
}
