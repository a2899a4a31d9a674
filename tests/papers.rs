//! Papers of a real run: what it came to, where it stands, and what it is about.

use serde_json::Value;

use crate::dates::Network;
use crate::support::{Case, Setting};

/// The lines of a table's column under a section of the report.
fn rows<'r>(report: &'r Value, title: &str) -> Vec<&'r Vec<Value>> {
    let sections = report["sections"].as_array().unwrap();
    let section = sections.iter().find(|section| section["title"] == title).unwrap();
    section["rows"]
        .as_array()
        .map(|rows| rows.iter().map(|row| row.as_array().unwrap()).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn a_report_says_what_a_run_came_to_and_its_page_needs_nothing_else() {
    let case = Case::small(Setting::default(), 4).await;
    case.haulier(&["announce"]).run().await.expect(1);
    case.haulier(&["retime"]).run().await.expect(1);
    case.haulier(&["run"]).run().await.expect(0);
    let report: Value =
        serde_json::from_str(&case.haulier(&["report", "--json"]).run().await.expect(0).stdout).unwrap();
    let data = rows(&report, "Data");
    let accounts = data.iter().find(|row| row[0] == "account").unwrap();
    assert_eq!((&accounts[1], &accounts[2], &accounts[6]), (&"4".into(), &"4".into(), &"0".into()));
    assert!(report.to_string().contains("Planned = landed + skipped + dead + held + open"));

    let markdown = case.haulier(&["report"]).run().await.expect(0).stdout;
    assert!(markdown.starts_with("# Report on field-to-hq\n"), "{markdown}");
    assert!(markdown.contains("| account | 4 | 4 | 0 | 0 | 0 | 0 |"), "{markdown}");
    assert!(
        markdown.contains("Records landed from") && markdown.contains("The target answered within p50"),
        "{markdown}"
    );
    case.haulier(&["report", "--html", "report.html"]).run().await.expect(0);
    let page = std::fs::read_to_string(case.path("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("default-src 'none'"), "{page}");
    for chart in [
        "Records landed a second",
        "Workers set",
        "Latency of the target",
        "Errors, of all answers",
        ">p99</text>",
    ] {
        assert!(page.contains(chart), "{chart}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");

    let handover = case.haulier(&["handover"]).run().await.expect(0).stdout;
    assert!(
        handover.contains("The run is finished.") && handover.contains("What waits for a person"),
        "{handover}"
    );
    let announced = case.haulier(&["announce"]).run().await.expect(0).stdout;
    assert!(announced.contains("records moved") && announced.contains("- 0 records left"), "{announced}");
    // Quiet hours by what the source itself holds; nothing of it is written.
    let suggest = ["windows", "suggest", "--column", "user.created_at", "--hours", "4", "--top", "2"];
    let quiet = case.haulier(&suggest).run().await.expect(0).stdout;
    assert!(quiet.contains("user.created_at, hours of UTC; quietest first:"), "{quiet}");
    assert_eq!(quiet.matches("days = [").count(), 2, "{quiet}");
    let slip = case.haulier(&["windows", "suggest", "--column", "usr.created_at"]).run().await.expect(2);
    assert!(slip.stderr.contains("the plan has no entity `usr`"), "{}", slip.stderr);
    // A finished run takes no more time, and says so by its exit code.
    let eta = case.haulier(&["eta", "--workers", "8"]).run().await.expect(1).stdout;
    assert!(eta.contains("nothing can be said"), "{eta}");
    case.end().await;
}

#[tokio::test]
async fn a_brief_and_a_checklist_need_nothing_but_the_plan() {
    let network = Network::new("");
    let brief = network.says(&["brief"], 0).await;
    for says in [
        "| account | ",
        "| third | 5, and those that the plan does not name | 2026-05-18 12:00 UTC = 2026-05-18 14:00 CEST |",
        "1 tenants are excluded",
        "A snapshot takes 2h30m, putting it back 1h, the smoke test after that 20m.",
        "Meanwhile it can be read, but nothing can be changed.",
    ] {
        assert!(brief.contains(says), "{says}: {brief}");
    }
    let checklist = network.says(&["checklist"], 0).await;
    assert!(checklist.contains("- [ ] Belgium (be): pending"), "{checklist}");
    assert!(checklist.contains("- Playground (demo): nobody works there"), "{checklist}");
}

#[tokio::test]
async fn a_check_says_whether_the_stages_fit_their_window_and_who_cannot_be_told() {
    let case = Case::small(Setting::default(), 2).await;
    let plan = std::fs::read_to_string(case.path("plan.toml")).unwrap();
    let dates = |hours: u32| {
        format!(
            "{plan}\n[durations]\nsmoke = \"20m\"\nstages = {{ bulk = \"{hours}h\" }}\n[[window]]\nname = \"release\"\nzone = \
             \"Europe/Paris\"\nat = \"2030-05-07T07:00/2030-05-07T12:00\"\n[audiences]\nall = \"a@example.org\"\n[[notice]]\nname = \
             \"n\"\ntemplate = \"end\"\naudience = \"all\"\nchannels = \"mail\"\n"
        )
    };
    std::fs::write(case.path("plan.toml"), dates(6)).unwrap();
    let checked = case.haulier(&["check"]).run().await.expect(1).stdout;
    assert!(checked.contains("it lasts 5h, and stages and smoke take 6h20m"), "{checked}");
    assert!(checked.contains("NO  channel: mail"), "{checked}");
    std::fs::write(case.path("plan.toml"), dates(4)).unwrap();
    let site = std::fs::read_to_string(case.path("site.toml")).unwrap();
    std::fs::write(case.path("site.toml"), format!("{site}\n[channels.mail]\nrelay = \"lin\"\n")).unwrap();
    case.haulier(&["check"]).run().await.expect(0);
    case.end().await;
}
