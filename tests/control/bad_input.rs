//! What is wrong is said, with what to do, and nothing is changed.

use super::scene::{Fleet, in_flight, said, setting, version};
use crate::support::{Case, LedgerKind, QueueKind};

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_changes_nothing() {
    let push = "workers = 4\nmax_workers = 6\nmax_rate = 50";
    // Slow enough that the ceiling of the rate keeps all four busy.
    let case = Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 400, push), 20).await;
    let none = case.haulier(&["tune", "push.workers=5"]).run().await.expect(1);
    assert!(none.stderr.contains("no run yet"), "{}", none.stderr);
    let fleet = Fleet::start(&case, 1);
    in_flight(&case, 4).await;
    for (code, args, words) in [
        (2, &["tune", "push.worker=8"] as &[&str], "did you mean `push.workers`?"),
        (2, &["tune", "pusher=8"], "the knobs are"),
        (2, &["tune", "push.workers=\"8\""], "stands in quotes"),
        (2, &["tune", "push.workers="], "given no value"),
        (2, &["tune", ""], "there is no knob ``"),
        (2, &["tune", "push.workers=0"], "haulier pause push"),
        (2, &["tune", "push.rate=0"], "haulier pause push"),
        (2, &["tune", "push.workers=-1"], "cannot be negative"),
        (2, &["tune", "push.rate=NaN"], "not a value"),
        (2, &["tune", "push.rate=+5"], "no limit now"),
        (2, &["tune", "push.workers=2.5"], "a whole number"),
        (2, &["tune", "push.workers=99999999", "--force"], "at most 10000"),
        (2, &["tune", "push.workers=5", "push.workers=6"], "given twice"),
        (2, &["tune", "push.workers=5", "push.rate=x"], "given no value"),
        (2, &["tune", "push.workers=5", "--for", "soon"], "a number with its unit"),
        (2, &["tune"], "required"),
        (2, &["pause", "everything"], "possible values"),
        (1, &["tune", "push.workers=7"], "the site's ceiling is 6"),
        (1, &["tune", "produce.fibres=x3"], "at most to its double"),
        (1, &["resume"], "open already"),
    ] {
        let ended = case.haulier(args).run().await.expect(code);
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
        assert_eq!(version(&case).await, 0, "{args:?} changed something");
    }
    let dry = said(&case, &["tune", "push.workers=5", "--dry-run"]).await;
    assert_eq!((&dry["dry_run"], &dry["turned"][0]["effective"]), (&true.into(), &"5".into()), "{dry:#}");
    let read = said(&case, &["tune", "push.workers=?", "push.rate=?"]).await;
    assert_eq!(read["turned"][0]["effective"], "4", "{read:#}");
    assert_eq!(version(&case).await, 0);

    // Several at once are one step; a value above a ceiling needs force, and is kept as forced.
    said(&case, &["tune", "push.workers=5", "push.rate=40"]).await;
    assert_eq!(version(&case).await, 2);
    let forced = said(&case, &["tune", "push.workers=7", "--force"]).await;
    assert_eq!(
        (&forced["turned"][0]["effective"], &forced["turned"][0]["forced"]),
        (&"7".into(), &true.into())
    );
    said(&case, &["tune", "push.rate=none", "push.workers=x2", "--force"]).await;
    fleet.ends(&case).await;

    let late = case.haulier(&["tune", "push.workers=2"]).run().await.expect(1);
    assert!(late.stderr.contains("is finished"), "{}", late.stderr);
    case.end().await;
}
