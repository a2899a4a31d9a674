//! The same data in three engines gives the same files.

use std::collections::BTreeMap;

use crate::data::music::{PLAN, shop, snake};
use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::{Case, Engine, Setting, shared};

/// Headers and rows of a source's extracts.
type Files = BTreeMap<String, (String, String)>;

async fn extracted(engine: Engine, script: &str, fibres: u8, zone: &str, language: &str) -> Files {
    let plan = if engine == Engine::Postgres { snake(PLAN, '"', true) } else { PLAN.to_owned() };
    let desk = Desk::new(engine, script, &plan, Collections::start(&[]).await).await;
    desk.write_site(&format!("workers = 1\n[produce]\nfibres = {fibres}\nchunk = 700"));
    let extract = desk.haulier(&["extract", "--side", "source", "--out", "x"]);
    extract.env("TZ", zone).env("LANG", language).env("LC_ALL", language).run().await.expect(0);
    let mut files = Files::new();
    for file in std::fs::read_dir(desk.path("x")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let text = std::fs::read_to_string(&path).unwrap();
            let (header, rows) = text.split_once('\n').unwrap();
            // One plan writes its names in camel case, the other in snake case.
            let header = header.to_lowercase().replace('_', "");
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, (header, rows.to_owned()));
        }
    }
    desk.end().await;
    files
}

fn assert_equal(one: &Files, other: &Files) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, (header, rows)) in one {
        let (other_header, other_rows) = &other[name];
        assert_eq!(header, other_header, "{name}");
        for (a, b) in rows.lines().zip(other_rows.lines()) {
            assert_eq!(a, b, "{name}");
        }
        assert_eq!(rows, other_rows, "{name}");
    }
}

#[tokio::test]
async fn one_shop_in_three_engines_gives_the_same_bytes() {
    let shop = shop();
    let postgres = snake(&shop, '\'', false).replace("DATETIME", "TIMESTAMP");
    let (sqlite, postgres, mariadb) = tokio::join!(
        extracted(Engine::Sqlite, &shop, 1, "UTC", "C"),
        extracted(Engine::Postgres, &postgres, 4, "America/New_York", "de_DE.UTF-8"),
        extracted(Engine::MariaDb, &shop, 3, "Asia/Kathmandu", "tr_TR.UTF-8"),
    );
    assert_eq!(sqlite.len(), 11);
    assert_equal(&sqlite, &postgres);
    assert_equal(&sqlite, &mariadb);
    let tracks = &sqlite["track.csv"].1;
    // No album, no genre, and a number whose end is zero.
    assert!(tracks.contains("5,Track 5,\\N,\\N,MPEG audio file,\\N,\\N,5000,83886080,0.99"), "{tracks}");
    assert!(sqlite["invoice.csv"].1.contains("c1@mail.example,2021-03-14T06:30:00.000000Z,Oslo,13.86"));
}

#[tokio::test]
async fn the_real_chinook_gives_the_same_bytes_where_it_is_at_hand() {
    // Without it the shop above is the proof: the same plan, the same tables.
    let Some([postgres, mysql, sqlite]) = shared::chinook() else { return };
    let (postgres, mariadb, sqlite) = tokio::join!(
        extracted(Engine::Postgres, &postgres, 3, "Pacific/Chatham", "fr_FR.UTF-8"),
        extracted(Engine::MariaDb, &mysql, 2, "UTC", "C"),
        extracted(Engine::Sqlite, &sqlite, 1, "Europe/Berlin", "C.UTF-8"),
    );
    assert_equal(&postgres, &mariadb);
    assert_equal(&postgres, &sqlite);
    assert_eq!(postgres["playlist_track.csv"].1.lines().count(), 8715);
}

#[tokio::test]
async fn the_demos_records_give_the_same_hashes_whatever_their_engine_and_order() {
    let mut hashes = Vec::new();
    for (source, shuffled) in
        [(Engine::Sqlite, false), (Engine::Sqlite, true), (Engine::Postgres, true), (Engine::MariaDb, true)]
    {
        let case = Case::small(Setting { source, ..Setting::default() }, 6).await;
        if shuffled {
            case.execute(
                "create table copied as select * from memberships; delete from memberships;
                 insert into memberships select * from copied order by joined_at desc, user_id desc;",
            )
            .await;
        }
        let written = case.haulier(&["extract", "--side", "source", "--json"]).run().await.expect(0).stdout;
        let hash = |line: &str| {
            let manifest: serde_json::Value = serde_json::from_str(line).unwrap();
            (manifest["entity"].to_string(), manifest["sha256"].to_string(), manifest["rows"].to_string())
        };
        hashes.push(written.lines().map(hash).collect::<Vec<_>>());
        case.end().await;
    }
    for other in &hashes[1..] {
        assert_eq!(other, &hashes[0]);
    }
}
