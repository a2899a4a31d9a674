//! Notices on the command line: by mail, into a file, through a person; told once, told again when a date moves.

use haulier_testkit::mail::MailServer;
use jiff::ToSpan;

use crate::dates::Network;

#[expect(
    clippy::disallowed_methods,
    reason = "the binary sends by the system's clock, so a date is set from it"
)]
fn in_two_days() -> String {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    (now.date() + 2.days()).to_string()
}

#[tokio::test]
async fn every_hub_is_told_once_and_told_again_when_its_date_is_off() {
    let server = MailServer::start().await;
    let site = format!(
        "[channels.mail]\nsmtp = \"smtp://127.0.0.1:{}\"\nfrom = \"ops@network.example\"\ninsecure = true\n",
        server.port
    );
    let network = Network::new(&site);
    let day = in_two_days();
    network.says(&["waves", "date", "first", &day, "--reason", "agreed"], 0).await;
    assert!(network.says(&["notices", "plan"], 0).await.contains("the dates are not promised"));
    network.says(&["calendar", "commit", "--reason", "agreed"], 0).await;

    // A planned notice is due a week before, and the night is nearer than that.
    let plan = network.json(&["notices", "plan"], 0).await;
    let due: Vec<_> =
        plan.iter().filter(|post| post["when"] == "now" && post["subject"] == "wave:first").collect();
    assert!(due.iter().any(|post| post["to"][0] == "hub@be.example"), "{plan:?}");
    assert!(server.mails().is_empty(), "a plan sends nothing");
    network.says(&["notices", "send"], 0).await;
    let to_belgium =
        || server.mails().into_iter().filter(|mail| mail.to == ["hub@be.example"]).collect::<Vec<_>>();
    let first = to_belgium().len();
    assert!(first >= 1);
    let again = network.json(&["notices", "send"], 0).await;
    assert_eq!((again[0]["new"].as_u64(), again[0]["accepted"].as_u64()), (Some(0), Some(0)));

    network.says(&["waves", "exclude", "be", "--reason", "they leave"], 0).await;
    network.says(&["notices", "send"], 0).await;
    let told = to_belgium();
    assert_eq!(told.len(), first + 1);
    assert!(told.last().unwrap().header("Subject").unwrap().contains("cancelled"));
    let log = network.json(&["notices", "log"], 0).await;
    assert!(log.iter().all(|post| post["state"] == "sent"), "{log:?}");
    assert!(log.iter().any(|post| post["said"].as_str().unwrap().contains("said 250")), "{log:?}");
}

#[tokio::test]
async fn a_person_passes_an_incident_on_and_confirms() {
    let network = Network::new("[channels.mail]\nrelay = \"theodore\"\n");
    let told = network.json(&["notices", "tell", "incident", "--reason", "the API is down"], 0).await;
    assert_eq!(told[0]["handed"], 1);
    let log = network.json(&["notices", "log", "--text"], 0).await;
    assert_eq!((&log[0]["state"], log[0]["id"].as_i64()), (&"relayed".into(), Some(1)));
    assert!(log[0]["text"].as_str().unwrap().contains("the API is down"));
    let missing = network.refuses(&["notices", "ack", "7", "--sent", "--note", "seen"], 1).await;
    assert!(missing.contains("no notice 7"), "{missing}");
    network.says(&["notices", "ack", "1", "--sent", "--note", "on the phone at 10"], 0).await;
    let twice = network.refuses(&["notices", "ack", "1", "--again", "--note", "once more"], 1).await;
    assert!(twice.contains("is sent"), "{twice}");
    let nobody = network.refuses(&["notices", "tell", "end", "--of", "run", "--reason", "x"], 1).await;
    assert!(nobody.contains("no notice of the plan tells of `end`"), "{nobody}");
}

#[tokio::test]
async fn a_notice_that_cannot_go_out_is_told_and_waits() {
    let network = Network::new("");
    let refused = network.refuses(&["notices", "tell", "incident", "--reason", "no channel"], 1).await;
    assert!(refused.contains("the site has no channel `mail`"), "{refused}");
    let log = network.json(&["notices", "log"], 0).await;
    assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&"failed".into(), &1.into()));
}
