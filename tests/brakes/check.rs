//! An address that must answer 200, on a real HTTP server.

use haulier_testkit::fake_target::{FakeTarget, Fault, Gate, Reply};
use serde_json::Value;

use super::{PLAN, explain, script, until_free, until_held};
use crate::support::collections::Collections;
use crate::support::desk::{Desk, wait_for_counts};
use crate::support::{Engine, evidence};

#[tokio::test]
async fn an_address_that_does_not_answer_200_holds_until_it_did_three_times() {
    let ready = FakeTarget::start().await;
    let answer = |reply: Reply| {
        ready.on("HEAD", "/ready").ever(reply);
    };
    answer(Reply::empty(200));
    let desk = Desk::new(Engine::Sqlite, &script(600), PLAN, Collections::start(&[]).await).await;
    desk.write_site(&format!(
        "zombie_grace = \"1s\"\nworkers = 4\n[produce]\nrate = 40\nchunk = 20\n\
         [brakes]\nevery = \"200ms\"\n[[brakes.check]]\nname = \"gate\"\nurl = \"{}/ready\"",
        ready.url()
    ));
    let mut run = desk.haulier(&["run", "--no-progress"]).start();
    let landed = |counts: &Value| evidence::number(counts, "landed");
    wait_for_counts(&desk, "the first records", |counts| landed(counts) > 0).await;
    for (reply, words) in [
        (Reply::empty(503), "HTTP 503"),
        (Reply::empty(200).fault(Fault::Hold(Gate::default())), "1000 ms"),
        (Reply::empty(204), "HTTP 204"),
        (Reply::empty(200).fault(Fault::Cut), "failed"),
    ] {
        answer(reply);
        let held = until_held(&desk, "gate", words).await;
        assert_eq!((&held["side"], &held["limit"]), (&Value::from("produce"), &Value::from("HTTP 200")));
        let fibres = explain(&desk).await["knobs"][0].clone();
        assert!(fibres["binds"].as_str().unwrap().starts_with("brake gate"), "{fibres}");
    }
    let (before, asked) = (landed(&desk.status().await["all"]), ready.log().len());
    answer(Reply::empty(200));
    until_free(&desk).await;
    assert!(ready.log().len() >= asked + 3, "it let go before three good answers");
    wait_for_counts(&desk, "records after the brake", |counts| landed(counts) > before).await;
    desk.haulier(&["tune", "produce.rate=none", "--force"]).run().await.expect(0);
    assert_eq!(run.child.wait().await.unwrap().code(), Some(0));
    assert_eq!(landed(&desk.status().await["all"]), 600);
    desk.end().await;
}
