//! Certificates by an authority of one's own, for source, queue, ledger and target: nobody else's are believed.

use haulier_testkit::tls::{Authority, Front};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection};

use crate::support::collections::Collections;
use crate::support::desk::{Desk, NOTES, notes};
use crate::support::server::Server;
use crate::support::{Engine, process};

/// Servers that take nobody who speaks plain text, with certificates for `localhost`.
struct Site {
    postgres: Server,
    mariadb: Server,
    rabbitmq: Server,
    front: Front,
    desk: Desk,
}

impl Site {
    async fn start(authority: &Authority) -> Self {
        let folder = authority.folder().display().to_string();
        let tls = [("HAULIER_TLS", folder.as_str())];
        let (postgres, mariadb, rabbitmq) = tokio::join!(
            Server::start("postgres", &tls),
            Server::start("mariadb", &tls),
            Server::start("rabbitmq", &tls)
        );
        let mut at = PgConnection::connect(&format!("postgres://postgres@{}/postgres", postgres.at(11)))
            .await
            .unwrap();
        at.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(notes(3)))).await.unwrap();
        let rules: String = sqlx::query_scalar("show hba_file").fetch_one(&mut at).await.unwrap();
        let only_encrypted = format!(
            "copy (values ('hostssl all all 127.0.0.1/32 trust')) to '{rules}'; select pg_reload_conf()"
        );
        at.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(only_encrypted))).await.unwrap();
        let mut at =
            MySqlConnection::connect(&format!("mysql://root@{}/mysql", mariadb.at(13))).await.unwrap();
        at.execute(sqlx::raw_sql("create database field")).await.unwrap();
        at.execute(sqlx::raw_sql("use field")).await.unwrap();
        at.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(notes(3)))).await.unwrap();
        at.execute(sqlx::raw_sql("set global require_secure_transport = on")).await.unwrap();
        let desk = Desk::new(Engine::Sqlite, &notes(3), NOTES, Collections::start(&[]).await).await;
        let front = authority.front(desk.target.url().trim_start_matches("http://")).await;
        Self { postgres, mariadb, rabbitmq, front, desk }
    }

    /// The site file: a ledger of this name, and this authority's certificate for all four parties.
    fn file(&self, source: Engine, ledger: &str, authority: &Authority) -> String {
        let port = |server: &Server, offset| server.at(offset).replace("127.0.0.1", "localhost");
        let source = match source {
            Engine::Postgres => format!("postgres://postgres@{}/postgres", port(&self.postgres, 11)),
            Engine::MariaDb => format!("mysql://root@{}/field", port(&self.mariadb, 13)),
            Engine::Sqlite => panic!("a file needs no certificate"),
        };
        let ca = format!("ca_file = \"{}\"", authority.file().display());
        format!(
            "[source]\nurl = \"{source}\"\n{ca}\n\
             [queue]\nurl = \"amqps://guest@{}\"\napi_url = \"https://{}\"\nname = \"{ledger}\"\npassword = {{ env = \"TEST_AMQP_PASSWORD\" }}\n{ca}\n\
             [ledger]\nurl = \"postgres://postgres@{}/postgres\"\nschema = \"{ledger}\"\n{ca}\n\
             [target]\nbase_url = \"https://localhost:{}\"\n{ca}\n",
            port(&self.rabbitmq, 3),
            port(&self.rabbitmq, 6),
            port(&self.postgres, 11),
            self.front.port(),
        )
    }

    async fn runs(&self, site: &str, trusted_here: Option<&Authority>) -> process::Ended {
        std::fs::write(self.desk.path("site.toml"), site).unwrap();
        let run = self.desk.haulier(&["run", "--workers", "2"]);
        match trusted_here {
            // What the machine trusts.
            Some(authority) => run.env("SSL_CERT_FILE", authority.file().to_str().unwrap()).run().await,
            None => run.run().await,
        }
    }
}

/// A table of the site file.
fn table<'a>(site: &'a str, name: &str) -> &'a str {
    let start = site.find(&format!("[{name}]")).unwrap();
    let end = site[start + 1..].find("\n[").map_or(site.len(), |end| start + 1 + end);
    &site[start..end]
}

/// The site file with this replaced in one table of it.
fn with(site: &str, name: &str, from: &str, to: &str) -> String {
    let table = table(site, name);
    assert!(table.contains(from), "{table} does not hold {from}");
    site.replace(table, &table.replace(from, to))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_ones_own_is_believed_by_all_four_parties_and_nobody_elses_is() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::for_server("localhost", &folder.path().join("ours"));
    let theirs = Authority::for_server("localhost", &folder.path().join("theirs"));
    let site = Site::start(&ours).await;
    for (ledger, source) in [("t_postgres", Engine::Postgres), ("t_mariadb", Engine::MariaDb)] {
        let before = site.desk.target.records("notes").len();
        site.runs(&site.file(source, ledger, &ours), None).await.expect(0);
        assert_eq!(site.desk.target.records("notes").len(), before + 3, "{source:?}");
        site.desk.haulier(&["empty", "--quiet", "1"]).run().await.expect(0);
    }
    let good = site.file(Engine::Postgres, "t_more", &ours);
    let (ca, other) = (
        format!("ca_file = \"{}\"", ours.file().display()),
        format!("ca_file = \"{}\"", theirs.file().display()),
    );
    let mariadb = site.file(Engine::MariaDb, "t_more", &ours);
    let parties = [
        ("source", &good, "url = \"postgres://postgres@", "the source at "),
        ("source", &mariadb, "url = \"mysql://root@", "the source at "),
        ("queue", &good, "url = \"amqps://guest@", "the queue at "),
        ("ledger", &good, "url = \"postgres://postgres@", "the ledger at "),
        ("target", &good, "base_url = \"https://", "the target: "),
    ];
    for (party, good, start, told) in parties {
        // Somebody else's certificate, by an authority that the site does not name.
        let refused = site.runs(&with(good, party, &ca, &other), None).await.expect(4);
        for words in [
            told,
            "UnknownIssuer",
            &format!("hint: name the authority that signed the server's certificate: `{party}.ca_file`"),
        ] {
            assert!(refused.stderr.contains(words), "{party}: {words}: {}", refused.stderr);
        }
        // A certificate for another host.
        let elsewhere = with(good, party, &format!("{start}localhost"), &format!("{start}127.0.0.1"));
        let refused = site.runs(&elsewhere, None).await.expect(4);
        for words in [told, "not valid for name", "hint: use a name that stands in the server's certificate"]
        {
            assert!(refused.stderr.contains(words), "{party}: {words}: {}", refused.stderr);
        }
    }
    // Who names an authority does not believe those of the machine beside it; who names none believes those.
    for (party, told) in [("queue", "the queue at "), ("target", "the target: ")] {
        let refused = site.runs(&with(&good, party, &ca, &other), Some(&ours)).await.expect(4);
        assert!(
            refused.stderr.contains(told) && refused.stderr.contains("UnknownIssuer"),
            "{}",
            refused.stderr
        );
    }
    let trusting = with(&with(&good, "queue", &ca, ""), "target", &ca, "");
    site.runs(&trusting, None).await.expect(4);
    site.runs(&trusting, Some(&ours)).await.expect(0);
    // Servers that want TLS take no plain text: what went through above was encrypted.
    for (party, good) in [("source", &good), ("source", &mariadb), ("ledger", &good)] {
        site.runs(&with(good, party, &ca, ""), None).await.expect(4);
    }
    site.desk.end().await;
}

#[tokio::test]
async fn plain_text_to_another_machine_is_refused_before_anything_is_connected() {
    let desk = Desk::new(Engine::Sqlite, &notes(3), NOTES, Collections::start(&[]).await).await;
    let site = std::fs::read_to_string(desk.path("site.toml")).unwrap();
    let (queue, target) =
        ("url = \"embedded:queue.sqlite\"", format!("base_url = \"{}\"", desk.target.url()));
    for (from, to, way_out) in [
        (queue, "url = \"amqp://guest@broker.example.org\"", "use amqps://"),
        (queue, "url = \"amqps://guest@localhost\"\napi_url = \"http://broker.example.org\"", "use https://"),
        (&target, "base_url = \"http://target.example.org\"", "use https://"),
    ] {
        std::fs::write(desk.path("site.toml"), site.replace(from, to)).unwrap();
        let refused = desk.haulier(&["run"]).run().await.expect(3);
        for words in ["is not encrypted", way_out, "insecure = true"] {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
    }
    // Databases are reached encrypted there without being told: a server that speaks no TLS gets no login.
    let postgres = crate::support::services::address("HAULIER_TEST_POSTGRES_URL");
    let mysql = crate::support::services::address("HAULIER_TEST_MYSQL_URL");
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::for_server("localhost", folder.path());
    for url in [postgres, mysql] {
        let table = format!("[source]\nurl = \"{url}\"\nca_file = \"{}\"\n", authority.file().display());
        let other = site.split_once("[queue]").unwrap().1;
        std::fs::write(desk.path("site.toml"), format!("{table}[queue]{other}")).unwrap();
        let refused = desk.haulier(&["run"]).run().await.expect(4);
        assert!(refused.stderr.contains("TLS"), "{}", refused.stderr);
    }
    desk.end().await;
}
