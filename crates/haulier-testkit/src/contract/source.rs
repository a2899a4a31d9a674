//! What every source adapter must do, tried on one little database.
//!
//! [`fixture::statements`] makes the database; [`crate::source_contract!`] turns each promise into a test.

#![expect(clippy::panic, reason = "a suite fails by panicking")]

mod catalogue;
pub mod fixture;
mod refusals;
mod rows;
mod walks;

use haulier_core::plan::{
    Entity, KeyFold, Method, NullFields, OrphanPolicy, PushProgram, Relation, RequestSpec, Template,
    TenantPath, UnknownPolicy, Verify,
};
use haulier_core::port::{KeyRange, Source, SourceError};
use haulier_core::{EntityName, Row, SourceKey};

pub use catalogue::*;
use fixture::{BADGES, MEMBERS};
pub use refusals::*;
pub use rows::*;
pub use walks::*;

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
            a_choice_of_tenants_narrows_the_reading
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
            columns_tell_what_they_are_read_as
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
        stored: None,
        extract: None,
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
        assert_eq!(ok(scanned(source, entity, range, after.as_ref(), size).await), page);
        if page.is_empty() {
            return rows;
        }
        assert!(page.len() <= size as usize, "a page of {} where {size} were asked for", page.len());
        rows.extend(page);
    }
    panic!("the walk of {} does not end", entity.name);
}

/// The rows that a scan shows.
async fn scanned(
    source: &dyn Source,
    entity: &Entity,
    range: &KeyRange,
    after: Option<&SourceKey>,
    size: u32,
) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    let told = source.scan(entity, range, after, size, &mut |row| rows.push(row.clone())).await?;
    assert_eq!(usize::try_from(told), Ok(rows.len()));
    Ok(rows)
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

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
