//! What must be refused instead of read wrongly.

use haulier_core::plan::{Entity, Filter, Relation, TenantPath};
use haulier_core::port::{KeyRange, Source, SourceError};

use super::fixture::Engine;
use super::{entity, keys, member, ok, parent, scanned, walk};

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
        let read = source.chunk(&entity, &KeyRange::default(), None, size).await;
        for result in [read, scanned(source, &entity, &KeyRange::default(), None, size).await] {
            let Err(SourceError::Plan { problem, .. }) = &result else { panic!("{size}: {result:?}") };
            assert!(problem.contains("repeats") && problem.contains('k'), "{problem}");
        }
    }
    // The page before the twins is sound.
    assert_eq!(ok(source.chunk(&entity, &KeyRange::default(), None, 1).await).len(), 1);
}
