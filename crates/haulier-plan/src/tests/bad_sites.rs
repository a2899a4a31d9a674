//! Mistakes in sites, and what is printed for each. No message may repeat a secret.

use std::fmt::Write as _;

use super::{NO_MISTAKE, changed, site_mistakes};

/// A good site, which every case spoils in its own way.
const GOOD: &str = r#"[source]
url = "postgres://reader@db.example.net/field"
password = { env = "FIELD_PASSWORD" }
statement_timeout = "30s"

[queue]
url = "amqps://haulier@rabbit.example.net/vhost"
password = { file = "rabbit" }
prefetch = 20

[ledger]
url = "sqlite:ledger.sqlite"

[target]
base_url = "https://hq.example.net/api"
auth = { bearer = { env = "HQ_TOKEN" } }
max_reply = "1MiB"

[push]
workers = 8
rate = 100
"#;

/// Stands where a secret would; no message may hold it.
const SECRET: &str = "hunter2";

type Case = (&'static str, &'static [(&'static str, &'static str)]);

const SECRETS: &[Case] = &[
    ("a password in the source's address", &[("//reader@db", "//reader:hunter2@db")]),
    ("a password in the broker's address", &[("//haulier@rabbit", "//haulier:hunter2@rabbit")]),
    ("a password with an at sign", &[("//reader@db", "//reader:p@hunter2@db")]),
    ("a password with a slash", &[("//reader@db", "//reader:hunter2/x@db")]),
    ("a password in a parameter", &[("/field\"", "/field?password=hunter2\"")]),
    ("a user in the target's address", &[("https://hq", "https://hunter2@hq")]),
    ("a password as a text", &[("{ env = \"FIELD_PASSWORD\" }", "\"hunter2\"")]),
    ("a token as a text", &[("{ env = \"HQ_TOKEN\" }", "\"hunter2\"")]),
    ("an auth as a text", &[("{ bearer = { env = \"HQ_TOKEN\" } }", "\"hunter2\"")]),
    ("a token where a variable's name belongs", &[("\"HQ_TOKEN\"", "\"hunter2-hunter2\"")]),
    ("a secret of two places", &[("{ file = \"rabbit\" }", "{ file = \"rabbit\", env = \"X\" }")]),
    ("a secret of no place", &[("{ file = \"rabbit\" }", "{}")]),
    ("a header that is a secret", &[("max_reply = \"1MiB\"", "headers = { X-Api-Key = \"hunter2\" }")]),
    (
        "a login with its password in the body",
        &[(
            "{ bearer = { env = \"HQ_TOKEN\" } }",
            "{ login = { path = \"/login\", body = '{\"p\":\"hunter2\"}', user = \"u\", password = { env = \"P\" }, token = \"/t\" } }",
        )],
    ),
    ("a secret that is not closed", &[("{ env = \"HQ_TOKEN\" }", "\"hunter2")]),
];

const ADDRESSES: &[Case] = &[
    ("a database that does not exist", &[("postgres://reader", "oracle://reader")]),
    ("a database without a name", &[("/field\"", "\"")]),
    ("an address that is none", &[("amqps://haulier@rabbit.example.net/vhost", "rabbit.example.net")]),
    ("a port that is none", &[("db.example.net/", "db.example.net:70000/")]),
    ("a broker in plain text", &[("amqps://", "amqp://")]),
    ("a target in plain text", &[("https://", "http://")]),
    (
        "plain text and a certificate",
        &[("statement_timeout", "insecure = true\nca_file = \"ca.pem\"\nstatement_timeout")],
    ),
    ("an encrypted target called insecure", &[("max_reply", "insecure = true\nmax_reply")]),
    ("a ledger in MySQL", &[("sqlite:ledger.sqlite", "mysql://u@h/d")]),
    ("a ledger in memory", &[("sqlite:ledger.sqlite", "sqlite::memory:")]),
    (
        "a file with a password",
        &[("url = \"sqlite:ledger.sqlite\"", "url = \"sqlite:ledger.sqlite\"\npassword = { env = \"X\" }")],
    ),
    (
        "a schema of SQLite",
        &[("url = \"sqlite:ledger.sqlite\"", "url = \"sqlite:ledger.sqlite\"\nschema = \"x\"")],
    ),
    ("a management API in plain text", &[("prefetch = 20", "api_url = \"http://rabbit.example.net:15672\"")]),
];

const SETTINGS: &[Case] = &[
    ("a misspelt table", &[("[push]", "[pusch]")]),
    ("a misspelt key", &[("workers = 8", "worker = 8")]),
    (
        "no source at all",
        &[(
            "[source]\nurl = \"postgres://reader@db.example.net/field\"\npassword = { env = \"FIELD_PASSWORD\" }\nstatement_timeout = \"30s\"\n",
            "",
        )],
    ),
    ("no target's address", &[("base_url = \"https://hq.example.net/api\"\n", "")]),
    ("a number as a text", &[("workers = 8", "workers = \"8\"")]),
    ("no workers", &[("workers = 8", "workers = 0")]),
    ("a rate of nothing", &[("rate = 100", "rate = 0.0")]),
    ("a rate that is none", &[("rate = 100", "rate = \"fast\"")]),
    ("a size that is none", &[("\"1MiB\"", "\"1MB\"")]),
    ("a silence that is none", &[("rate = 100", "silent_after = \"0s\"")]),
    ("a time that is none", &[("\"30s\"", "\"30 seconds\"")]),
    ("a queue's name with blanks", &[("prefetch = 20", "name = \"my queue\"")]),
    ("an auth of no kind", &[("{ bearer = { env", "{ baerer = { env")]),
    (
        "a login without a token",
        &[(
            "{ bearer = { env = \"HQ_TOKEN\" } }",
            "{ login = { path = \"/login\", body = '{\"p\":\"{password}\"}', user = \"u\", password = { env = \"P\" } } }",
        )],
    ),
    (
        "a login whose body is not JSON",
        &[(
            "{ bearer = { env = \"HQ_TOKEN\" } }",
            "{ login = { path = \"login\", body = 'p={password}', user = \"u\", password = { env = \"P\" }, token = \"t\", format = \"Bearer\" } }",
        )],
    ),
];

/// Brakes and tolerance, written after the last line.
const CHANNELS: &[Case] = &[
    ("a channel of no kind", &[("[push]", "[channels.mail]\nto = \"me\"\n[push]")]),
    (
        "a mail channel without a sender",
        &[("[push]", "[channels.mail]\nsmtp = \"smtps://mail.example.net\"\n[push]")],
    ),
    (
        "a mail channel with its password in the address",
        &[(
            "[push]",
            "[channels.mail]\nsmtp = \"smtps://me:hunter2@mail.example.net\"\nfrom = \"a@b\"\n[push]",
        )],
    ),
    (
        "a mail channel of a user without a password",
        &[("[push]", "[channels.mail]\nsmtp = \"smtp://me@mail.example.net\"\nfrom = \"me\"\n[push]")],
    ),
    ("a webhook that is no address", &[("[push]", "[channels.chat]\nwebhook = \"hunter2\"\n[push]")]),
    (
        "a webhook in plain text",
        &[("[push]", "[channels.chat]\nwebhook = \"http://chat.example.net/x\"\n[push]")],
    ),
    ("a command that is not there", &[("[push]", "[channels.pager]\ncommand = \"./no-such-hook\"\n[push]")]),
    ("two kinds at once", &[("[push]", "[channels.both]\nfile = \"a\"\nrelay = \"b\"\n[push]")]),
];

const HOLDS: &[Case] = &[
    ("a lag without a unit", &[("rate = 100\n", "[brakes]\nlag = 2\n")]),
    ("a load as a text", &[("rate = 100\n", "[brakes]\nload = \"25\"\n")]),
    ("a load below nothing", &[("rate = 100\n", "[brakes]\nload = -1\n")]),
    (
        "a critical limit below the limit",
        &[("rate = 100\n", "[brakes]\nload = { limit = 25, critical = 20 }\n")],
    ),
    ("a brake without a limit", &[("rate = 100\n", "[brakes]\nlag = { critical = \"9s\" }\n")]),
    ("an unknown brake", &[("rate = 100\n", "[brakes]\nlagg = \"2s\"\n")]),
    ("gauges that are read too seldom", &[("rate = 100\n", "[brakes]\nevery = \"10s\"\n")]),
    (
        "an error that is none",
        &[("rate = 100\n", "[brakes]\nlag = { limit = \"2s\", on_error = \"panic\" }\n")],
    ),
    (
        "a query that writes",
        &[("rate = 100\n", "[[brakes.query]]\nname = \"x\"\nsql = \"delete from job\"\n")],
    ),
    ("a query without a name", &[("rate = 100\n", "[[brakes.query]]\nsql = \"select 1\"\n")]),
    (
        "a brake with a built-in name",
        &[("rate = 100\n", "[[brakes.query]]\nname = \"src-lag\"\nsql = \"select 1\"\n")],
    ),
    (
        "two brakes of one name",
        &[(
            "rate = 100\n",
            "[[brakes.query]]\nname = \"x\"\nsql = \"select 1\"\n[[brakes.check]]\nname = \"x\"\nurl = \"https://h/\"\n",
        )],
    ),
    (
        "a check in plain text",
        &[("rate = 100\n", "[[brakes.check]]\nname = \"x\"\nurl = \"http://field.example.net/ready\"\n")],
    ),
    ("a ramp that is none", &[("rate = 100\n", "[tolerance]\nramp = \"fast\"\n")]),
    ("a tolerance of nothing", &[("rate = 100\n", "[tolerance]\np95 = \"0ms\"\n")]),
    ("a factor beside the absolute bound", &[("rate = 100\n", "[tolerance]\np95 = \"9ms\"\nfactor = 2\n")]),
    ("failures beyond all", &[("rate = 100\n", "[tolerance]\nfailures = 101\n")]),
];

#[test]
fn every_mistake_is_told_with_its_place_and_without_a_secret() {
    let mut told = String::new();
    for cases in [SECRETS, ADDRESSES, SETTINGS, HOLDS, CHANNELS] {
        for (name, changes) in cases {
            let text = changed(GOOD, changes);
            write!(told, "# {name}\n{}\n\n", site_mistakes(&text)).unwrap();
        }
    }
    insta::assert_snapshot!(told);
    assert!(!told.contains(NO_MISTAKE));
    assert!(!told.contains(SECRET));
}

#[test]
fn the_site_that_the_cases_spoil_is_good() {
    crate::parse_site("site.toml".as_ref(), GOOD).unwrap_or_else(|problems| panic!("{problems}"));
}
