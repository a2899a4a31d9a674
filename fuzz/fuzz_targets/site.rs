//! A site is read, or every mistake of it is told with its place.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Err(problems) = haulier_plan::parse_site(Path::new("site.toml"), text) else { return };
    let lines = text.split('\n').count();
    for problem in problems.iter() {
        let (line, column) = problem.place.expect("every mistake of a text has a place");
        assert!((1..=lines).contains(&line) && column >= 1, "{problem}");
    }
    assert!(problems.len() > 0);
    assert!(!problems.to_string().is_empty());
});
