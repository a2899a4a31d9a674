//! Every program but its creates, which have a file of their own.

use haulier_core::plan::{IdSource, Method, NullFields, PushProgram, UnknownPolicy};
use haulier_core::{FailureKind, Origin, TargetId};
use haulier_testkit::fake_target::{entity, lookup, record, reference, request, template};

use crate::bench::{Bench, With, failure, kind, landed};

const ADA: &str = r#"{"email":"ada@example.org","name":"Ada"}"#;

#[tokio::test]
async fn without_a_lookup_doubt_is_held_or_sent_again_as_the_plan_says() {
    let only_create =
        || PushProgram::Create { create: request(Method::Post, "/users"), lookup: None, update: None };
    let record = record("1", ADA, &["ada@example.org", ""]);
    for (policy, expected) in [(UnknownPolicy::Hold, None), (UnknownPolicy::Resend, Some("1"))] {
        let bench = Bench::new().await;
        bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
        let mut user = entity("user", only_create());
        user.unknown = policy;
        let outcome = bench.push_with(&user, &record, With { unsure: true, ..With::default() }).await;
        match expected {
            Some(id) => assert_eq!(landed(outcome).0, id),
            None => {
                let failure = failure(outcome);
                assert_eq!(failure.kind, FailureKind::Conflict);
                assert!(failure.reason.contains("no lookup"), "{failure}");
                assert!(bench.fake.log().is_empty());
            }
        }
    }
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").reply(409, "{}");
    let failure = bench.failure(&entity("user", only_create()), &record).await;
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.reason.contains("no lookup"), "{failure}");
}

#[tokio::test]
async fn without_an_update_what_is_found_is_adopted_as_it_is() {
    let bench = Bench::new().await;
    bench.fake.on("GET", "/users").always(200, r#"{"items":[{"id":4,"email":"ada@example.org"}]}"#);
    let push = PushProgram::LookupThenWrite {
        lookup: lookup("/users?email={v0}", &[("email", "/email")]),
        create: request(Method::Post, "/users"),
        update: None,
    };
    let outcome = bench.push(&entity("user", push), &record("1", ADA, &["ada@example.org", ""])).await;
    assert_eq!(landed(outcome), ("4".to_owned(), Origin::Adopted));
    assert_eq!(bench.fake.log().len(), 1);
}

#[tokio::test]
async fn a_put_goes_to_its_own_path_again_and_again() {
    let mut write = request(Method::Put, "/users/{v0}");
    write.id = Some(IdSource::Made(template("u:{v0}")));
    let user = entity("user", PushProgram::Put { write });
    let bench = Bench::new().await;
    bench
        .fake
        .on("PUT", "/users/*")
        .reply(201, "{}")
        .reply(200, "{}")
        .reply(204, "")
        .reply(409, "{}")
        .reply(404, "{}");
    let record = record("1", ADA, &["a b/c?", ""]);
    let id = "u:a b/c?".to_owned();
    assert_eq!(landed(bench.push(&user, &record).await), (id.clone(), Origin::Created));
    assert_eq!(landed(bench.push(&user, &record).await), (id.clone(), Origin::Adopted));
    let again = With { unsure: true, ..With::default() };
    assert_eq!(landed(bench.push_with(&user, &record, again).await), (id, Origin::Adopted));
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::Conflict);
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::Refused);
    assert_eq!(bench.fake.lines(), vec!["PUT /users/a%20b%2Fc%3F"; 5]);
    let empty = haulier_testkit::fake_target::record("2", "{}", &["", ""]);
    assert_eq!(kind(bench.push(&user, &empty).await), FailureKind::Mapping);
    assert_eq!(bench.fake.log().len(), 5);
}

#[tokio::test]
async fn a_link_that_is_there_is_a_success() {
    let mut write = request(Method::Post, "/groups/{r0}/members");
    write.id = Some(IdSource::Made(template("{r0}:{r1}")));
    write.nulls = NullFields::Send;
    let mut member = entity("member", PushProgram::Link { write });
    member.refs = vec![reference("group", "group"), reference("user", "user")];
    member.refs[0].in_body = false;
    member.refs[1].numeric = true;
    let bench = Bench::new().await;
    bench
        .fake
        .on("POST", "/groups/7/members")
        .reply(201, "")
        .reply(204, "")
        .reply(409, "{}")
        .reply(422, "{}");
    let refs = [Some(TargetId::new("7")), Some(TargetId::new("12"))];
    let record = record("1|2", r#"{"role":"admin"}"#, &["", ""]);
    let with = || With { refs: &refs, ..With::default() };
    let id = "7:12".to_owned();
    assert_eq!(landed(bench.push_with(&member, &record, with()).await), (id.clone(), Origin::Created));
    for _ in 0..2 {
        let outcome = bench.push_with(&member, &record, with()).await;
        assert_eq!(landed(outcome), (id.clone(), Origin::Adopted));
    }
    assert_eq!(kind(bench.push_with(&member, &record, with()).await), FailureKind::Refused);
    assert_eq!(bench.fake.bodies("POST"), vec![r#"{"role":"admin","user":12}"#; 4]);

    let refs = [Some(TargetId::new("7")), Some(TargetId::new("not a number"))];
    let failure = failure(bench.push_with(&member, &record, With { refs: &refs, ..With::default() }).await);
    assert_eq!(failure.kind, FailureKind::Mapping);
    assert!(failure.reason.contains("`user`"), "{failure}");
    let refs = [None, Some(TargetId::new("1"))];
    assert_eq!(
        kind(bench.push_with(&member, &record, With { refs: &refs, ..With::default() }).await),
        FailureKind::Mapping
    );
    assert_eq!(bench.fake.log().len(), 4);
}

#[tokio::test]
async fn a_link_that_is_there_needs_an_id_that_somebody_tells() {
    let member = entity("member", PushProgram::Link { write: request(Method::Post, "/members") });
    let bench = Bench::new().await;
    bench.fake.on("POST", "/members").reply(409, r#"{"id":3}"#).always(409, "{}");
    let record = record("1", "{}", &["", ""]);
    assert_eq!(landed(bench.push(&member, &record).await), ("3".to_owned(), Origin::Adopted));
    let known = With { known: Some("4"), ..With::default() };
    assert_eq!(landed(bench.push_with(&member, &record, known).await).0, "4");
    let failure = bench.failure(&member, &record).await;
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.reason.contains("an id at `/id`"), "{failure}");
}

#[tokio::test]
async fn a_deferred_field_is_written_to_the_record_that_landed() {
    let mut write = request(Method::Patch, "/stores/{r0}");
    write.only = vec!["managerId".to_owned()];
    write.id = None;
    let mut store = entity("store.managerid", PushProgram::Update { write });
    store.refs = vec![reference("id", "store"), reference("managerId", "staff")];
    store.refs[0].in_body = false;
    let bench = Bench::new().await;
    bench.fake.on("PATCH", "/stores/s1").reply(204, "").reply(404, "{}");
    let refs = [Some(TargetId::new("s1")), Some(TargetId::new("m \"9\""))];
    let record = record("1", r#"{"name":"Acme"}"#, &["", ""]);
    let with = || With { refs: &refs, ..With::default() };
    let outcome = bench.push_with(&store, &record, with()).await;
    assert_eq!(landed(outcome), ("s1".to_owned(), Origin::Adopted));
    assert_eq!(kind(bench.push_with(&store, &record, with()).await), FailureKind::Refused);
    assert_eq!(bench.fake.bodies("PATCH"), vec![r#"{"managerId":"m \"9\""}"#; 2]);
}

#[tokio::test]
async fn a_search_by_post_sends_its_body_and_no_idempotency_key() {
    let mut search = lookup("/users/search", &[("email", "/attributes/mail")]);
    search.method = Method::Post;
    search.body = Some(template(r#"{"where":{"mail":{v0},"text":"is {v1}!"}}"#));
    let push = PushProgram::LookupThenWrite {
        lookup: search,
        create: request(Method::Post, "/users"),
        update: None,
    };
    let bench = Bench::new().await;
    bench
        .fake
        .on("POST", "/users/search")
        .reply(200, r#"{"items":[{"id":"x","attributes":{"mail":"a\"b"}}]}"#);
    let outcome =
        bench.push(&entity("user", push), &record("1", r#"{"email":"a\"b"}"#, &["a\"b", "c\"d"])).await;
    assert_eq!(landed(outcome), ("x".to_owned(), Origin::Adopted));
    let seen = bench.fake.log().pop().unwrap();
    assert_eq!(seen.body, r#"{"where":{"mail":"a\"b","text":"is c\"d!"}}"#);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("idempotency-key"), None);
}

#[tokio::test]
async fn a_lookup_of_one_record_takes_404_for_none_and_compares_what_it_gets() {
    let mut read = lookup("/users/by-email/{v0}", &[("email", "/email")]);
    read.items = None;
    let push =
        PushProgram::LookupThenWrite { lookup: read, create: request(Method::Post, "/users"), update: None };
    let user = entity("user", push);
    let bench = Bench::new().await;
    let ada = r#"{"id":3,"email":"ada@example.org"}"#;
    let other = r#"{"id":4,"email":"other@example.org"}"#;
    bench
        .fake
        .on("GET", "/users/by-email/ada%40example.org")
        .reply(404, "{}")
        .reply(200, ada)
        .reply(200, other);
    bench.fake.on("POST", "/users").always(201, r#"{"id":1}"#);
    let record = record("1", ADA, &["ada@example.org", ""]);
    for expected in [("1", Origin::Created), ("3", Origin::Adopted), ("1", Origin::Created)] {
        assert_eq!(landed(bench.push(&user, &record).await), (expected.0.to_owned(), expected.1));
    }
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_fails_before_anything_is_sent() {
    let bench = Bench::new().await;
    let record = record("1", ADA, &["ada@example.org", ""]);
    let mut bad_pointer = request(Method::Post, "/users");
    bad_pointer.id = Some(IdSource::Pointer("id".to_owned()));
    let create = |create| PushProgram::Create { create, lookup: None, update: None };
    assert_eq!(kind(bench.push(&entity("a", create(bad_pointer)), &record).await), FailureKind::Mapping);
    let mut reread = entity("b", create(request(Method::Post, "/users")));
    reread.verify = haulier_core::plan::Verify::Reread;
    assert_eq!(kind(bench.push(&reread, &record).await), FailureKind::Mapping);
    let nothing = PushProgram::LookupThenWrite {
        lookup: lookup("/users?email={v0}", &[]),
        create: request(Method::Post, "/users"),
        update: None,
    };
    assert_eq!(kind(bench.push(&entity("c", nothing), &record).await), FailureKind::Mapping);
    assert!(bench.fake.log().is_empty());
}
