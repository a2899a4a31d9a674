//! Lists are read to their end, or it is said that they are not whole.

use haulier_core::plan::{Entity, Listing, Method, Paging, PushProgram};
use haulier_core::port::PageRequest;
use haulier_core::{Failure, FailureKind};
use haulier_testkit::fake_target::{FakeTarget, Reply, Seen, entity, lookup, request, template};

use crate::bench::Bench;

fn listed(paging: Paging, total: Option<&str>) -> Entity {
    let create = request(Method::Post, "/users");
    let mut user = entity("user", PushProgram::Create { create, lookup: None, update: None });
    user.listing = Some(Listing {
        path: template("/users?status=*"),
        items: "/items".to_owned(),
        paging,
        total: total.map(str::to_owned),
        truncated: Some("/truncated".to_owned()),
        also: Vec::new(),
        id: "/id".to_owned(),
    });
    user
}

async fn walk(bench: &Bench, entity: &Entity) -> Result<Vec<String>, Failure> {
    let mut items = Vec::new();
    let mut at = None;
    loop {
        let page =
            bench.target.page(PageRequest { entity, list: 0, at: at.as_ref() }, &bench.throttle).await?;
        items.extend(page.items);
        at = page.next;
        if at.is_none() {
            return Ok(items);
        }
        assert!(items.len() < 1000, "it goes on for ever");
    }
}

fn parameter(seen: &Seen, name: &str) -> Option<usize> {
    let (_, query) = seen.path.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    value.parse().ok()
}

fn items(from: usize, to: usize) -> String {
    (from..to).map(|n| format!(r#"{{"n": {n}}}"#)).collect::<Vec<_>>().join(",")
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!(r#"{{"n": {n}}}"#)).collect()
}

/// A list of `count` that gives at most `cap` at once.
fn by_offset(fake: &FakeTarget, count: usize, cap: usize, first: usize, total: Option<usize>) {
    fake.on("GET", "/users").with(move |seen| {
        let from = parameter(seen, "from").unwrap() - first;
        let to = (from + cap.min(parameter(seen, "size").unwrap())).min(count);
        let total = total.map(|total| format!(r#","total":{total}"#)).unwrap_or_default();
        Reply::json(200, &format!(r#"{{"items":[{}]{total}}}"#, items(from.min(to), to)))
    });
}

fn offset(first: u32) -> Paging {
    Paging::Offset { offset: "from".to_owned(), limit: "size".to_owned(), size: 10, first }
}

#[tokio::test]
async fn an_offset_moves_by_what_came_back() {
    for (count, cap, first, total, requests) in [
        (0, 10, 0, None, 1),
        (25, 10, 0, None, 4),
        (25, 4, 1, None, 8),
        (25, 4, 1, Some(25), 7),
        (20, 10, 0, Some(20), 2),
    ] {
        let bench = Bench::new().await;
        by_offset(&bench.fake, count, cap, first, total);
        let user = listed(offset(u32::try_from(first).unwrap()), total.map(|_| "/total"));
        assert_eq!(walk(&bench, &user).await.unwrap(), expected(count));
        assert_eq!(bench.throttle.count(), requests, "{count} {cap} {first} {total:?}");
    }
}

#[tokio::test]
async fn a_list_that_ends_before_its_total_is_an_error() {
    let bench = Bench::new().await;
    by_offset(&bench.fake, 25, 10, 0, Some(30));
    let short = walk(&bench, &listed(offset(0), Some("/total"))).await.unwrap_err();
    assert_eq!(short.kind, FailureKind::Refused);
    assert!(short.reason.contains("after 25 of 30"), "{short}");

    let bench = Bench::new().await;
    bench.fake.on("GET", "/users").reply(200, &format!(r#"{{"items":[{}],"total":9}}"#, items(0, 5)));
    assert!(walk(&bench, &listed(Paging::Single, Some("/total"))).await.is_err());
}

#[tokio::test]
async fn page_numbers_are_counted_up_to_the_end() {
    let bench = Bench::new().await;
    bench.fake.on("GET", "/users").with(|seen| {
        let page = parameter(seen, "page").unwrap() - 1;
        Reply::json(200, &format!(r#"{{"items":[{}]}}"#, items((page * 3).min(8), (page * 3 + 3).min(8))))
    });
    let paging = Paging::Page { page: "page".to_owned(), limit: "per".to_owned(), size: 10, first: 1 };
    assert_eq!(walk(&bench, &listed(paging, None)).await.unwrap(), expected(8));
    assert_eq!(bench.fake.lines()[1], "GET /users?status=*&page=2&per=10");
}

#[tokio::test]
async fn a_target_that_ignores_the_page_is_found_out() {
    let page = format!(r#"{{"items":[{}]}}"#, items(0, 5));
    for paging in
        [offset(0), Paging::Page { page: "page".to_owned(), limit: "per".to_owned(), size: 5, first: 1 }]
    {
        let bench = Bench::new().await;
        bench.fake.on("GET", "/users").always(200, &page);
        let stuck = walk(&bench, &listed(paging, None)).await.unwrap_err();
        assert!(stuck.reason.contains("same as the one before"), "{stuck}");
    }
}

#[tokio::test]
async fn cursors_and_links_lead_to_the_end() {
    let cursor = Paging::Cursor {
        pointer: "/next".to_owned(),
        parameter: "after".to_owned(),
        limit: Some(("limit".to_owned(), 2)),
    };
    let bench = Bench::new().await;
    bench
        .fake
        .on("GET", "/users?status=*&limit=2")
        .reply(200, &format!(r#"{{"items":[{}],"next":"a|b&"}}"#, items(0, 2)));
    bench
        .fake
        .on("GET", "/users?status=*&limit=2&after=a%7Cb%26")
        .reply(200, &format!(r#"{{"items":[{}],"next":null}}"#, items(2, 3)));
    assert_eq!(walk(&bench, &listed(cursor, None)).await.unwrap(), expected(3));

    let bench = Bench::with(|options| options.base_url.push_str("/v2")).await;
    let whole = format!("{}/v2/users?page=3", bench.fake.url());
    bench
        .fake
        .on("GET", "/v2/users?status=*")
        .reply(200, &format!(r#"{{"items":[{}],"next":"?page=2"}}"#, items(0, 1)));
    bench
        .fake
        .on("GET", "/v2/users?page=2")
        .reply(200, &format!(r#"{{"items":[{}],"next":"{whole}"}}"#, items(1, 2)));
    bench
        .fake
        .on("GET", "/v2/users?page=3")
        .reply(200, &format!(r#"{{"items":[{}],"next":"/v2/rest"}}"#, items(2, 3)));
    bench.fake.on("GET", "/v2/rest").reply(200, r#"{"items":[]}"#);
    let next = Paging::NextUrl { pointer: "/next".to_owned() };
    assert_eq!(walk(&bench, &listed(next, None)).await.unwrap(), expected(3));

    let bench = Bench::new().await;
    let link = format!(
        r#"<{0}/users?page=1>; rel="prev", <{0}/users?page=2,x>; title="n"; rel="last next""#,
        bench.fake.url()
    );
    let first = Reply::json(200, &format!(r#"{{"items":[{}]}}"#, items(0, 1))).header("Link", &link);
    bench.fake.on("GET", "/users?status=*").then(first);
    bench.fake.on("GET", "/users?page=2,x").reply(200, &format!(r#"{{"items":[{}]}}"#, items(1, 2)));
    assert_eq!(walk(&bench, &listed(Paging::LinkHeader, None)).await.unwrap(), expected(2));
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    for link in
        ["http://elsewhere.invalid/users", "//elsewhere.invalid/users", "https://127.0.0.1/users", "/outside"]
    {
        let bench = Bench::with(|options| options.base_url.push_str("/v2")).await;
        bench.fake.on("GET", "*").always(200, &format!(r#"{{"items":[{}],"next":"{link}"}}"#, items(0, 1)));
        let next = Paging::NextUrl { pointer: "/next".to_owned() };
        let refused = walk(&bench, &listed(next, None)).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Refused, "{refused}");
        assert_eq!(bench.fake.log().len(), 1, "{link}");
    }
}

#[tokio::test]
async fn a_list_that_is_no_list_is_an_error() {
    let cases = [
        (Reply::json(200, r#"{"items":[],"truncated":true}"#), "cut short"),
        (Reply::json(200, r#"{"rows":[]}"#), "nothing at `/items`"),
        (Reply::json(200, r#"{"items":{}}"#), "no list at `/items`"),
        (Reply::new(200, "text/html", "<html>"), "text/html"),
        (Reply::json(200, r#"{"items":[],"total":"many"}"#), "not a number"),
        (Reply::json(404, "{}"), "no further words"),
    ];
    for (reply, words) in cases {
        let bench = Bench::new().await;
        let reply = if words == "no further words" { Reply::empty(404) } else { reply };
        bench.fake.on("GET", "/users").then(reply);
        let wrong = walk(&bench, &listed(offset(0), Some("/total"))).await.unwrap_err();
        assert!(wrong.reason.contains(words), "{words}: {wrong}");
    }
}

#[tokio::test]
async fn a_lookup_whose_filter_is_ignored_is_found_out() {
    let looked_up = entity(
        "user",
        PushProgram::LookupThenWrite {
            lookup: lookup("/users?email={v0}", &[("email", "/email")]),
            create: request(Method::Post, "/users"),
            update: None,
        },
    );
    let bench = Bench::new().await;
    bench
        .fake
        .on("GET", "/users")
        .reply(200, &format!(r#"{{"items":[{}]}}"#, items(0, 3)))
        .reply(200, r#"{"items":[]}"#)
        .reply(400, "{}")
        .reply(401, "{}");
    let ignored = bench.target.check_lookup(&looked_up).await.unwrap_err();
    assert!(ignored.reason.contains("the filter is ignored"), "{ignored}");
    bench.target.check_lookup(&looked_up).await.unwrap();
    bench.target.check_lookup(&looked_up).await.unwrap();
    assert_eq!(bench.target.check_lookup(&looked_up).await.unwrap_err().kind, FailureKind::Credential);
    let put = entity("x", PushProgram::Put { write: request(Method::Put, "/users/{v0}") });
    bench.target.check_lookup(&put).await.unwrap();
    assert_eq!(bench.fake.log().len(), 4);
    // A path that is not there is no empty list; below a parent it may be the parent that is not there.
    let looked_up = |name: &str, path: &str| {
        let lookup = lookup(path, &[("email", "/email")]);
        entity(
            name,
            PushProgram::LookupThenWrite { lookup, create: request(Method::Post, "/users"), update: None },
        )
    };
    bench.fake.on("GET", "/uzers").reply(404, "{}");
    let misspelt = bench.target.check_lookup(&looked_up("misspelt", "/uzers?email={v0}")).await.unwrap_err();
    assert!(misspelt.reason.contains("`target.base_url`") && misspelt.status == Some(404), "{misspelt}");
    bench.fake.on("GET", "/accounts/haulier-asks-for-nobody-7f3c9a/users").reply(404, "{}");
    bench.target.check_lookup(&looked_up("below", "/accounts/{v0}/users")).await.unwrap();
}
