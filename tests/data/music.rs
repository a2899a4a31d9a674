//! A music shop: many-to-many, self references, composite keys, decimals and dates, from all three engines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::evidence::number;
use crate::support::{Engine, shared};

pub(crate) const PLAN: &str = include_str!("../cases/chinook/plan.toml");

/// The same tables as Chinook's, as far as the plan reads them.
const TABLES: &str = "
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name VARCHAR(120));
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title VARCHAR(160) NOT NULL, ArtistId INTEGER NOT NULL);
CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name VARCHAR(120));
CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, Name VARCHAR(120));
CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name VARCHAR(200) NOT NULL, AlbumId INTEGER, MediaTypeId INTEGER NOT NULL,
    GenreId INTEGER, Composer VARCHAR(220), Milliseconds INTEGER NOT NULL, Bytes INTEGER, UnitPrice NUMERIC(10,2) NOT NULL);
CREATE TABLE Playlist (PlaylistId INTEGER PRIMARY KEY, Name VARCHAR(120));
CREATE TABLE PlaylistTrack (PlaylistId INTEGER NOT NULL, TrackId INTEGER NOT NULL, PRIMARY KEY (PlaylistId, TrackId));
CREATE TABLE Employee (EmployeeId INTEGER PRIMARY KEY, LastName VARCHAR(20) NOT NULL, FirstName VARCHAR(20) NOT NULL,
    Title VARCHAR(30), ReportsTo INTEGER, BirthDate DATETIME, Email VARCHAR(60));
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName VARCHAR(40) NOT NULL, LastName VARCHAR(20) NOT NULL,
    Company VARCHAR(80), Country VARCHAR(40), PostalCode VARCHAR(10), Email VARCHAR(60) NOT NULL, SupportRepId INTEGER);
CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL, InvoiceDate DATETIME NOT NULL,
    BillingCity VARCHAR(40), Total NUMERIC(10,2) NOT NULL);
CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY, InvoiceId INTEGER NOT NULL, TrackId INTEGER NOT NULL,
    UnitPrice NUMERIC(10,2) NOT NULL, Quantity INTEGER NOT NULL);
";

/// A small shop: 6 artists with 3 albums of 5 tracks each, a playlist of everything, bosses with higher numbers than
/// those who report to them.
pub(crate) fn shop() -> String {
    const NAMES: [&str; 6] =
        ["Motörhead", "Sigur Rós", "O''Jays", "二胡樂團", "AC/DC & <b>", "Господин 100%"];
    let mut sql = TABLES.to_owned();
    let mut add = |table: &str, row: String| writeln!(sql, "INSERT INTO {table} VALUES ({row});").unwrap();
    add("Genre", "1, 'Rock'".to_owned());
    add("Genre", "2, 'Alternative & Punk'".to_owned());
    add("MediaType", "1, 'MPEG audio file'".to_owned());
    add("Playlist", "1, 'Everything'".to_owned());
    add("Playlist", "8, 'Everything'".to_owned());
    add("Playlist", "9, NULL".to_owned());
    let mut track = 0;
    for (index, name) in (1..).zip(NAMES) {
        add("Artist", format!("{index}, '{name}'"));
        for album in 1..=3 {
            let album_id = index * 10 + album;
            // Titles repeat over the artists: only the two together tell albums apart.
            add("Album", format!("{album_id}, 'Volume {album}', {index}"));
            for number in 1..=5 {
                track += 1;
                let (of, genre) = if number == 5 {
                    ("NULL".to_owned(), "NULL".to_owned())
                } else {
                    (album_id.to_string(), "1".to_owned())
                };
                add(
                    "Track",
                    format!(
                        "{track}, 'Track {number}', {of}, 1, {genre}, NULL, {}, {}, 0.99",
                        1000 * track,
                        i64::from(track) << 24
                    ),
                );
                add("PlaylistTrack", format!("1, {track}"));
                if number % 2 == 0 {
                    add("PlaylistTrack", format!("8, {track}"));
                }
            }
        }
    }
    for (id, boss) in [(1, "4"), (2, "4"), (3, "1"), (4, "5"), (5, "NULL")] {
        add(
            "Employee",
            format!(
                "{id}, 'Last{id}', 'First{id}', 'Agent', {boss}, '196{id}-02-18 00:00:00', 'e{id}@shop.example'"
            ),
        );
        add(
            "Customer",
            format!(
                "{id}, 'Zoë', 'Ng', NULL, 'Norway', '0171', 'c{id}@mail.example', {}",
                if id == 5 { "NULL".to_owned() } else { id.to_string() }
            ),
        );
        for invoice in 1..=2 {
            let invoice_id = id * 10 + invoice;
            add("Invoice", format!("{invoice_id}, {id}, '2021-03-14 01:30:00', 'Oslo', 13.86"));
            for line in 1..=3 {
                add(
                    "InvoiceLine",
                    format!("{}, {invoice_id}, {}, 0.99, {line}", invoice_id * 10 + line, id * 3 + line),
                );
            }
        }
    }
    sql
}

/// `AlbumId` as `album_id`; only within these quotes, or only outside of them.
pub(crate) fn snake(text: &str, quote: char, within: bool) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let (mut quoted, mut before) = (false, ' ');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == quote;
        let camel = c.is_ascii_uppercase()
            && rest.peek().is_some_and(char::is_ascii_lowercase)
            && !before.is_ascii_uppercase()
            && quoted == within;
        if camel {
            if before.is_ascii_lowercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// The target's records without ids, by collection.
type Neutral = BTreeMap<String, Vec<String>>;

async fn moved(engine: Engine, script: &str) -> Neutral {
    let target = Collections::start(&[
        ("artists", &["name"]),
        ("albums", &["artist_id", "title"]),
        ("employees", &["email"]),
        ("customers", &["email"]),
    ])
    .await;
    let plan = if engine == Engine::Postgres { snake(PLAN, '"', true) } else { PLAN.to_owned() };
    let desk = Desk::new(engine, script, &plan, target).await;
    desk.haulier(&["check"]).run().await.expect(0);
    let ended = desk.haulier(&["run", "--fibres", "2", "--json"]).run().await.expect(0).json();
    let neutral = desk.target.neutral();
    let records: usize = neutral.values().map(Vec::len).sum();
    assert_eq!(usize::try_from(number(&ended, "moved")).unwrap(), records);
    assert_eq!(number(&ended["all"], "planned"), number(&ended["all"], "landed"), "{ended:#}");
    if records < 1000 {
        let again = desk.haulier(&["run", "--json"]).run().await.expect(0).json();
        assert_eq!(number(&again, "moved"), 0, "{again:#}");
        assert_eq!(desk.target.neutral(), neutral);
    }
    desk.end().await;
    neutral
}

fn counts(neutral: &Neutral) -> BTreeMap<&str, usize> {
    neutral.iter().map(|(collection, lines)| (collection.as_str(), lines.len())).collect()
}

#[test]
fn names_are_written_in_snake_case_where_they_should() {
    assert_eq!(
        snake("INSERT INTO MediaType VALUES ('Big Band')", '\'', false),
        "INSERT INTO media_type VALUES ('Big Band')"
    );
    assert_eq!(snake("Name = { by = \"AlbumId\" }", '"', true), "Name = { by = \"album_id\" }");
}

#[tokio::test]
async fn one_plan_moves_the_same_shop_out_of_three_engines() {
    let shop = shop();
    let postgres = snake(&shop, '\'', false).replace("DATETIME", "TIMESTAMP");
    let (sqlite, postgres, mariadb) = tokio::join!(
        moved(Engine::Sqlite, &shop),
        moved(Engine::Postgres, &postgres),
        moved(Engine::MariaDb, &shop)
    );
    let wanted = [
        ("albums", 18),
        ("artists", 6),
        ("customers", 5),
        ("employees", 5),
        ("genres", 2),
        ("invoice_lines", 30),
        ("invoices", 10),
        ("media_types", 1),
        ("playlist_tracks", 126),
        ("playlists", 3),
        ("tracks", 90),
    ];
    assert_eq!(counts(&sqlite), wanted.into());
    assert_equal("SQLite and PostgreSQL", &sqlite, &postgres);
    assert_equal("SQLite and MariaDB", &sqlite, &mariadb);

    // Spot checks against what stands in the script.
    let holds = |collection: &str, text: &str| {
        assert!(
            sqlite[collection].iter().any(|line| line.contains(text)),
            "no {text} in {:#?}",
            sqlite[collection]
        );
    };
    holds("invoices", r#""invoiced_at":"2021-03-14T06:30:00Z","total":"13.86""#);
    holds("tracks", r#""bytes":1509949440"#);
    holds(
        "employees",
        r#""name":{"first":"First3","last":"Last3"},"reports_to":{"key":null,"named":"e1@shop.example"}"#,
    );
    holds("artists", "O'Jays");
    holds("genres", r#"{"key":"Alternative & Punk""#);
}

fn assert_equal(which: &str, one: &Neutral, other: &Neutral) {
    for (collection, lines) in one {
        for (a, b) in lines.iter().zip(&other[collection]) {
            assert_eq!(a, b, "{which} differ in {collection}");
        }
    }
    assert_eq!(counts(one), counts(other), "{which} differ");
}

#[tokio::test]
async fn the_real_chinook_is_the_same_from_three_engines_where_it_is_at_hand() {
    // Without it the shop above is the proof: the same plan, the same tables.
    let Some([postgres, mysql, sqlite]) = shared::chinook() else { return };
    let (postgres, mariadb, sqlite) = tokio::join!(
        moved(Engine::Postgres, &postgres),
        moved(Engine::MariaDb, &mysql),
        moved(Engine::Sqlite, &sqlite)
    );
    let wanted = [
        ("albums", 347),
        ("artists", 275),
        ("customers", 59),
        ("employees", 8),
        ("genres", 25),
        ("invoice_lines", 2240),
        ("invoices", 412),
        ("media_types", 5),
        ("playlist_tracks", 8715),
        ("playlists", 18),
        ("tracks", 3503),
    ];
    assert_eq!(counts(&postgres), wanted.into());
    assert_equal("PostgreSQL and MariaDB", &postgres, &mariadb);
    assert_equal("PostgreSQL and SQLite", &postgres, &sqlite);
}
