//! Texts that nobody wrote: whatever comes, the answer is a plan or mistakes, never a crash.

use std::path::Path;

use proptest::prelude::*;

use crate::{parse_plan, parse_site};

const PLAN: &str = include_str!("../../../../config/plan.toml");
const SITE: &str = include_str!("../../../../config/site.example.toml");

/// A text with pieces cut out, doubled or replaced.
fn spoilt(text: &'static str) -> impl Strategy<Value = String> {
    let edit = (0..text.len(), 0..40_usize, prop_oneof!["", "[\\[\\]{}\"'=.,#\n 0-9a-zé]{0,6}"]);
    prop::collection::vec(edit, 1..5).prop_map(move |edits| {
        let mut spoilt = text.to_owned();
        for (at, length, put) in edits {
            let start = (0..=at.min(spoilt.len())).rev().find(|at| spoilt.is_char_boundary(*at)).unwrap_or(0);
            let end = (start + length).min(spoilt.len());
            let end = (end..=spoilt.len()).find(|at| spoilt.is_char_boundary(*at)).unwrap_or(spoilt.len());
            spoilt.replace_range(start..end, &put);
        }
        spoilt
    })
}

fn has_places(problems: &crate::Problems, text: &str) {
    let lines = text.split('\n').count();
    let mut last = (0, 0);
    for problem in problems.iter() {
        let place = problem.place.expect("every mistake of a text has a place");
        assert!(place.0 >= 1 && place.0 <= lines && place.1 >= 1, "{problem}");
        assert!(place >= last, "in the order of the file: {problems}");
        last = place;
    }
    assert!(problems.len() > 0);
}

proptest! {
    #[test]
    fn a_spoilt_plan_is_read_or_refused(text in spoilt(PLAN)) {
        if let Err(problems) = parse_plan(Path::new("plan.toml"), &text) {
            has_places(&problems, &text);
        }
    }

    #[test]
    fn a_spoilt_site_is_read_or_refused(text in spoilt(SITE)) {
        if let Err(problems) = parse_site(Path::new("site.toml"), &text) {
            has_places(&problems, &text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Err(problems) = parse_plan(Path::new("plan.toml"), &text) {
            has_places(&problems, &text);
        }
    }
}
