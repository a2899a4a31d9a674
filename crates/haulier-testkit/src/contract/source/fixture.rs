//! The little database that every source adapter is tried on, in the words of each engine.

use haulier_core::Value;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

/// Key of a member, its hub, its mail, its state, its age.
pub(super) type Member = (i64, Option<i64>, &'static str, &'static str, Option<i64>);

/// In key order. Hub 9 does not exist.
pub(super) const MEMBERS: &[Member] = &[
    (-7, Some(1), "minus@x", "active", Some(30)),
    (1, Some(1), "one@x", "active", Some(17)),
    (2, Some(2), "two@x", "locked", None),
    (3, None, "three@x", "active", Some(40)),
    (5, Some(9), "five@x", "closed", Some(41)),
    (8, Some(2), "eight@x", "Active", Some(12)),
    (13, Some(1), "thirteen@x", "active", Some(99)),
    (9_007_199_254_740_993, Some(2), "huge@x", "locked", Some(50)),
];

/// In key order. Member 4 does not exist, member 3 has no hub, the hub of member 5 does not exist.
pub(super) const BADGES: &[(i64, &str)] = &[
    (1, "baker"),
    (1, "cook"),
    (1, "driver"),
    (2, "a|b"),
    (2, "baker"),
    (3, "cook"),
    (4, "baker"),
    (5, "cook"),
    (9_007_199_254_740_993, "zoologist"),
];

/// In key order of every engine and collation.
pub(super) const TAGS: &[&str] = &["alpha", "beta", "beta b", "gamma", "omega"];

/// In key order.
pub(super) const DAYS: &[&str] = &["1999-12-31", "2024-02-29", "2024-03-01", "2024-10-27", "2030-01-01"];

/// Item, first day, amount; in key order. Many rows share the first part.
pub(super) const PRICES: &[(&str, &str, &str)] = &[
    ("bread", "2023-01-01", "1.10"),
    ("bread", "2023-06-01", "1.20"),
    ("bread", "2024-01-01", "1.35"),
    ("bread", "2024-02-29", "1.40"),
    ("milk", "2022-12-31", "0.90"),
    ("milk", "2023-06-01", "0.95"),
    ("salt", "2023-06-01", "0.10"),
];

/// The statements that make the database, in order.
#[must_use]
pub fn statements(engine: Engine) -> Vec<String> {
    let text = if engine == Engine::Sqlite { "text" } else { "varchar(60)" };
    let date = if engine == Engine::Sqlite { "text" } else { "date" };
    let mut all = vec![
        format!("create table hub (id integer not null primary key, code {text} not null unique)"),
        format!(
            "create table member (id bigint not null primary key, hub_id integer, email {text} not null unique, \
             state {text} not null, age integer, version bigint)"
        ),
        format!(
            "create table badge (member_id bigint not null, label {text} not null, primary key (member_id, label))"
        ),
        format!("create table tag (code {text} not null primary key)"),
        format!("create table day (day {date} not null primary key)"),
        format!(
            "create table price (item {text} not null, since {date} not null, amount decimal(12,2), \
             primary key (item, since))"
        ),
        "create table hole (k integer unique, v integer)".to_owned(),
        "create table twin (k integer not null, v integer)".to_owned(),
        format!(
            "create table sale (id integer not null primary key, member_id bigint, paid {text}, \
             constraint sale_member foreign key (member_id) references member (id))"
        ),
        "create view adult as select id, email from member where age >= 18".to_owned(),
        "insert into hub values (1, 'AA'), (2, 'BB'), (3, 'CC')".to_owned(),
        "insert into hole values (1, 1), (2, 2), (null, 3)".to_owned(),
        "insert into twin values (1, 1), (2, 2), (2, 3), (2, 4), (3, 5)".to_owned(),
        kinds_table(engine).to_owned(),
        kinds_row(engine).to_owned(),
        "insert into kind (id) values (2)".to_owned(),
    ];
    for (id, hub, email, state, age) in MEMBERS {
        let (hub, age) = (sql(*hub), sql(*age));
        all.push(format!("insert into member values ({id}, {hub}, '{email}', '{state}', {age}, {id} + 100)"));
    }
    all.extend(BADGES.iter().map(|(id, label)| format!("insert into badge values ({id}, '{label}')")));
    all.extend(TAGS.iter().map(|code| format!("insert into tag values ('{code}')")));
    all.extend(DAYS.iter().map(|day| format!("insert into day values ('{day}')")));
    all.extend(
        PRICES
            .iter()
            .map(|(item, day, amount)| format!("insert into price values ('{item}', '{day}', {amount})")),
    );
    all.push("insert into sale values (1, 1, 'yes'), (2, 1, null), (3, null, 'no')".to_owned());
    all
}

fn sql(number: Option<i64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// The columns of table `kind` behind its key.
pub(super) const KIND_COLUMNS: &[&str] =
    &["flag", "small", "big", "exact", "float", "note", "raw", "at", "on_day", "doc"];

fn kinds_table(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "create table kind (id integer not null primary key, flag boolean, small smallint, big bigint, \
             exact numeric(20,4), float double precision, note text, raw bytea, at timestamptz, on_day date, doc jsonb)"
        }
        Engine::MySql => {
            "create table kind (id integer not null primary key, flag tinyint(1), small smallint, big bigint, \
             exact decimal(20,4), `float` double, note text, raw blob, at timestamp(6) null, on_day date, doc json)"
        }
        Engine::Sqlite => {
            "create table kind (id integer not null primary key, flag boolean, small smallint, big bigint, \
             exact decimal(20,4), float double, note text, raw blob, at timestamp, on_day date, doc json)"
        }
    }
}

fn kinds_row(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "insert into kind values (1, true, -3, 9007199254740993, 12345678.9000, 0.1, ' Ärger ', '\\x00ff', \
             '2024-03-30 22:30:00.123456+02', '2024-02-29', '[1.50]')"
        }
        Engine::MySql => {
            "insert into kind values (1, 2, -3, 9007199254740993, 12345678.9000, 0.1, ' Ärger ', x'00ff', \
             '2024-03-30 20:30:00.123456', '2024-02-29', '[1.50]')"
        }
        Engine::Sqlite => {
            "insert into kind values (1, 1, -3, 9007199254740993, 12345678.9, 0.1, ' Ärger ', x'00ff', \
             '2024-03-30 20:30:00.123456', '2024-02-29', '[1.50]')"
        }
    }
}

/// The values of row 1 of table `kind`, in the order of [`KIND_COLUMNS`].
pub(super) fn kinds(engine: Engine) -> Vec<Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    let sqlite = engine == Engine::Sqlite;
    vec![
        match engine {
            Engine::Postgres => Value::Bool(true),
            // A MySQL TINYINT(1) holds any small number; 2 must not become a truth.
            Engine::MySql => Value::Int(2),
            Engine::Sqlite => Value::Int(1),
        },
        Value::Int(-3),
        Value::Int(9_007_199_254_740_993),
        if sqlite { Value::Float(12_345_678.9) } else { Value::Number("12345678.9000".to_owned()) },
        Value::Float(0.1),
        text(" Ärger "),
        Value::Bytes(vec![0, 255]),
        if sqlite {
            text("2024-03-30 20:30:00.123456")
        } else {
            Value::Timestamp("2024-03-30T20:30:00.123456Z".to_owned())
        },
        if sqlite { text("2024-02-29") } else { Value::Date("2024-02-29".to_owned()) },
        if sqlite { text("[1.50]") } else { Value::Json("[1.50]".to_owned()) },
    ]
}
