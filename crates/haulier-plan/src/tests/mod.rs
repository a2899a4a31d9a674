//! Whole files in, plans, sites or mistakes out.

mod bad_plans;
mod bad_sites;
mod calendar;
mod files;
mod forms;
mod plan;
mod readiness;
mod robust;
mod schema;
mod site;
mod stages;

use std::path::Path;

/// A good text with pieces replaced, each of which must stand in it exactly once.
fn changed(base: &str, changes: &[(&str, &str)]) -> String {
    let mut text = base.to_owned();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "`{from}` must stand in the text once");
        text = text.replace(from, to);
    }
    text
}

/// What no case may come to.
const NO_MISTAKE: &str = "(no mistake was found)";

/// What is printed for a plan's mistakes.
fn plan_mistakes(text: &str) -> String {
    match crate::parse_plan(Path::new("plan.toml"), text) {
        Ok(_) => NO_MISTAKE.to_owned(),
        Err(problems) => problems.to_string(),
    }
}

/// What is printed for a site's mistakes.
fn site_mistakes(text: &str) -> String {
    match crate::parse_site(Path::new("site.toml"), text) {
        Ok(_) => NO_MISTAKE.to_owned(),
        Err(problems) => problems.to_string(),
    }
}
