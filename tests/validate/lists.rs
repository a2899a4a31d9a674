//! The target's lists in every shape, and as targets spoil them: capped, cut short, moving, in parts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use haulier_testkit::fake_target::{FakeTarget, Reply, Seen};
use serde_json::json;
use tempfile::TempDir;

use crate::support::process::{Ended, Haulier};
use crate::support::{Engine, services};

pub(super) const PEOPLE: usize = 100;

/// A source of people, and a target that lists them as a test says.
pub(super) struct Lists {
    dir: TempDir,
    target: FakeTarget,
}

fn person(number: usize) -> serde_json::Value {
    let state = if number.is_multiple_of(10) { "closed" } else { "active" };
    json!({ "id": format!("p{number}"), "email": format!("p{number:03}@x.example"), "state": state })
}

pub(super) fn people(numbers: impl Iterator<Item = usize>) -> Vec<serde_json::Value> {
    numbers.map(person).collect()
}

/// A number in the query.
pub(super) fn number(seen: &Seen, name: &str) -> Option<usize> {
    let (_, query) = seen.path.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

impl Lists {
    /// `list` is the plan's; `answer` gives every page.
    pub(super) async fn new(list: &str, answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let dir = TempDir::new().unwrap();
        let rows: Vec<String> = (0..PEOPLE)
            .map(|number| {
                let person = person(number);
                let cell = |name: &str| person[name].as_str().unwrap().to_owned();
                format!("({number}, '{}', '{}')", cell("email"), cell("state"))
            })
            .collect();
        let script = format!(
            "create table people (id integer primary key, email text not null, state text not null);
             insert into people values {}",
            rows.join(", ")
        );
        services::create_database(Engine::Sqlite, "", &dir.path().join("source.sqlite"), &script).await;
        let target = FakeTarget::start().await;
        target.on("GET", "/*").with(answer);
        let plan = format!(
            "name = \"lists\"\ntenant = \"person\"\n[retry]\nattempts = 2\nbase = \"10ms\"\ncap = \"10ms\"\n\
             [[entity]]\nname = \"person\"\nsource = {{ table = \"people\", key = [\"id\"] }}\nnatural_key = [\"email\"]\n\
             extract = [\"email\", \"state\"]\nlist = {list}\nfields = {{ email = \"email\", state = \"state\" }}\n\
             push = {{ shape = \"put\", path = \"/people/{{email}}\", id = \"/id\" }}\n"
        );
        std::fs::write(dir.path().join("plan.toml"), plan).unwrap();
        let lists = Self { dir, target };
        lists.site("");
        lists
    }

    pub(super) fn site(&self, more: &str) {
        let site = format!(
            "[source]\nurl = \"sqlite:source.sqlite\"\n[queue]\nurl = \"embedded:queue.sqlite\"\n\
             [ledger]\nurl = \"sqlite:ledger.sqlite\"\n[target]\nbase_url = \"{}\"\n{more}",
            self.target.url()
        );
        std::fs::write(self.dir.path().join("site.toml"), site).unwrap();
    }

    pub(super) fn haulier(&self, args: &[&str]) -> Haulier {
        Haulier::new(self.dir.path(), args)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn extract(&self, side: &str) -> Ended {
        self.haulier(&["extract", "--side", side, "--out", side]).run().await
    }

    /// Both extracts are the same file; gives what was said of the target's.
    async fn same(&self) -> String {
        let said = self.extract("target").await.expect(0).stderr;
        self.extract("source").await.expect(0);
        let read =
            |side: &str| std::fs::read_to_string(self.dir.path().join(side).join("person.csv")).unwrap();
        assert_eq!(read("source"), read("target"));
        assert_eq!(read("target").lines().count(), PEOPLE + 1);
        said
    }

    /// The target cannot be read, for this reason, and no file is left.
    async fn refused(&self, reason: &str) {
        let said = self.extract("target").await.expect(3).stderr;
        let wanted = format!("error: entity `person`: the target's list cannot be read: {reason}");
        assert!(said.contains(&wanted), "{said}\nshould say\n{wanted}");
        assert_eq!(std::fs::read_dir(self.dir.path().join("target")).unwrap().count(), 0);
    }
}

pub(super) fn page(items: &[serde_json::Value], more: &serde_json::Value) -> Reply {
    let mut body = json!({ "items": items });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Reply::json(200, &body.to_string())
}

#[tokio::test]
async fn every_shape_of_a_list_gives_all_records() {
    // The target gives 40 whatever it is asked for; with and without a total.
    for (total, pages) in [(true, 4), (true, 1), (false, 4)] {
        let list = "{ path = \"/people\", items = \"/items\", page = { offset = \"offset\", limit = \"limit\", size = 90 } }";
        let list = if total { list.replace(", page", ", total = \"/total\", page") } else { list.to_owned() };
        let capped = Lists::new(&list, move |seen| {
            assert_eq!(number(seen, "limit"), Some(90));
            let offset = number(seen, "offset").unwrap();
            let more = if total { json!({ "total": PEOPLE }) } else { json!({}) };
            page(&people((offset..PEOPLE).take(40)), &more)
        })
        .await;
        capped.site(&format!("[validate]\npages = {pages}\n"));
        capped.same().await;
    }
    let numbered = "{ path = \"/people\", items = \"/items\", page = { page = \"page\", limit = \"count\", size = 30, first = 1 } }";
    let numbered = Lists::new(numbered, |seen| {
        let start = (number(seen, "page").unwrap() - 1) * number(seen, "count").unwrap();
        page(&people((start..PEOPLE).take(30)), &json!({}))
    })
    .await;
    numbered.same().await;
    let cursor = "{ path = \"/people\", items = \"/items\", page = { cursor = \"/next\", size = 30 } }";
    let cursor = Lists::new(cursor, |seen| {
        let start = number(seen, "cursor").unwrap_or(0);
        let next = (start + 30 < PEOPLE).then(|| (start + 30).to_string());
        page(&people((start..PEOPLE).take(30)), &json!({ "next": next }))
    })
    .await;
    cursor.same().await;
    let linked = "{ path = \"/people\", items = \"/items\", page = { next_url = \"/links/next\" } }";
    let linked = Lists::new(linked, |seen| {
        let start = number(seen, "marker").unwrap_or(0);
        let next = (start + 30 < PEOPLE).then(|| format!("/people?marker={}", start + 30));
        page(&people((start..PEOPLE).take(30)), &json!({ "links": { "next": next } }))
    })
    .await;
    linked.same().await;
    let single = "{ path = \"/people\", items = \"/items\", page = \"single\" }";
    Lists::new(single, |_| page(&people(0..PEOPLE), &json!({}))).await.same().await;
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_an_error() {
    let offset = "{ path = \"/people\", items = \"/items\", total = \"/total\", truncated = \"/truncated\", page = { offset = \"offset\", limit = \"limit\", size = 50 } }";
    let short = Lists::new(offset, |seen| {
        let start = number(seen, "offset").unwrap();
        page(&people((start..80).take(50)), &json!({ "total": PEOPLE }))
    })
    .await;
    short.refused("list GET /people: the list ends after 80 of 100 records").await;
    let cut =
        Lists::new(offset, |_| page(&people(0..50), &json!({ "total": PEOPLE, "truncated": true }))).await;
    cut.refused("list GET /people: the target says that the list is cut short").await;
    let deaf = Lists::new(offset, |_| page(&people(0..50), &json!({ "total": PEOPLE }))).await;
    deaf.site("[validate]\npages = 1\n");
    deaf.refused(
        "list GET /people: the page is the same as the one before: the target ignores where it should start",
    )
    .await;
    let other = Lists::new(offset, |_| Reply::json(200, r#"{"people":[]}"#)).await;
    other.refused("list GET /people: the reply has nothing at `/items`").await;
}

#[tokio::test]
async fn a_record_that_two_pages_show_counts_once_and_is_told() {
    // A record before the second page went away: all behind it moved up, and another one came at the end.
    let cursor = "{ path = \"/people\", items = \"/items\", page = { cursor = \"/next\", size = 60 } }";
    let moving = Lists::new(cursor, |seen| match number(seen, "cursor") {
        None => page(&people(0..60), &json!({ "next": "2" })),
        Some(_) => page(&people(57..PEOPLE), &json!({})),
    })
    .await;
    let said = moving.same().await;
    let wanted = "person: the list moved while it was read: 3 records came twice and count once";
    assert!(said.contains(wanted), "{said}");
    // With a total it is known that others were not shown.
    let total = "{ path = \"/people\", items = \"/items\", total = \"/total\", page = { cursor = \"/next\", size = 60 } }";
    let losing = Lists::new(total, |seen| match number(seen, "cursor") {
        None => page(&people(0..60), &json!({ "next": "2", "total": PEOPLE })),
        Some(_) => page(&people(57..97), &json!({ "total": PEOPLE })),
    })
    .await;
    losing
        .refused("it tells 100 records and shows 97; it changed while it was read, or it is cut short")
        .await;
}

#[tokio::test]
async fn records_in_hidden_states_come_from_lists_of_their_own() {
    let shown =
        |closed: bool| people(0..PEOPLE).into_iter().filter(move |p| (p["state"] == "closed") == closed);
    let answer = move |seen: &Seen| {
        let closed = seen.path.contains("state=closed");
        page(&shown(closed).collect::<Vec<_>>(), &json!({}))
    };
    let list = "{ path = \"/people\", items = \"/items\", page = \"single\" }";
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let with = list.replace("\"/people\",", "\"/people\", also = [\"/people?state=closed\"],");
    let with = Lists::new(&with, move |seen| {
        log.lock().unwrap().push(seen.path.clone());
        answer(seen)
    })
    .await;
    with.same().await;
    assert_eq!(*asked.lock().unwrap(), ["/people", "/people?state=closed"]);
    let without = Lists::new(list, answer).await;
    let diff = Haulier::new(without.dir.path(), &["validate", "diff", "--json"]).run().await.expect(1);
    assert_eq!(diff.json()["unexplained"], json!({ "missing": 10, "extra": 0, "changed": 0 }));
}

#[tokio::test]
async fn a_column_that_the_target_never_shows_is_named() {
    let list = "{ path = \"/people\", items = \"/items\", page = \"single\" }";
    let bare = || {
        let people = people(0..PEOPLE).into_iter().map(|mut person| {
            person.as_object_mut().unwrap().remove("state");
            person
        });
        page(&people.collect::<Vec<_>>(), &json!({}))
    };
    let lacking = Lists::new(list, move |_| bare()).await;
    let wanted =
        "error: entity `person`: the target shows nothing that is called `state` in any of its 100 records";
    let said = lacking.extract("target").await.expect(3).stderr;
    assert!(said.contains(wanted) && said.contains("hint: in `extract`"), "{said}");
    let said = Haulier::new(lacking.dir.path(), &["validate", "diff"]).run().await.expect(3).stderr;
    assert!(said.contains(wanted), "{said}");
    let plan = std::fs::read_to_string(lacking.dir.path().join("plan.toml")).unwrap();
    let declared = plan.replace("\"state\"]\nlist", "{ column = \"state\", missing_is_null = true }]\nlist");
    assert_ne!(plan, declared);
    std::fs::write(lacking.dir.path().join("plan.toml"), declared).unwrap();
    lacking.extract("target").await.expect(0);
}
