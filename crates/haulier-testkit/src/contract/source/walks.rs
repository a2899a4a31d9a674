//! Every row once, in order, within its range.

use haulier_core::SourceKey;
use haulier_core::plan::{Entity, Relation, TenantPath};
use haulier_core::port::{KeyRange, Source, SourceError};

use super::fixture::{DAYS, Engine, MEMBERS, PRICES, TAGS};
use super::{badge, badge_keys, entity, keys, member, member_keys, ok, owned, parent, walk};

/// Integers, texts, dates and composites of them, in pages of every size.
pub async fn walks_visit_every_row_once_and_in_order(source: &dyn Source, _: Engine) {
    let walks = [
        (member(), member_keys()),
        (badge(), badge_keys()),
        (entity("tag", &["code"], &["code"]), owned(TAGS)),
        (entity("day", &["day"], &["day"]), owned(DAYS)),
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

/// With filters, computed columns, and parents that are queries themselves.
pub async fn views_and_queries_are_walked_like_tables(source: &dyn Source, _: Engine) {
    let adults: Vec<String> =
        MEMBERS.iter().filter(|m| m.4.is_some_and(|age| age >= 18)).map(|m| m.0.to_string()).collect();
    let doubled: Vec<String> =
        adults.iter().filter_map(|id| Some((id.parse::<i64>().ok()? * 2).to_string())).collect();
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
        assert_eq!(keys(&rows), doubled);
    }
    let missing = Entity { columns: vec!["id".to_owned(), "emial".to_owned()], ..own };
    let result = source.check(&missing).await;
    let Err(SourceError::Plan { hint, .. }) = &result else { panic!("{result:?}") };
    assert_eq!(hint.as_deref(), Some("did you mean `email`?"));
}
