//! What a gate's checks answer, and what follows from all of them.

use super::words::words;

words! {
    /// What one check answers. No data is no answer, and never a yes.
    CheckResult {
        /// Yes.
        Pass = "pass",
        /// No.
        Fail = "fail",
        /// It cannot be told: no data, or too old.
        Inconclusive = "inconclusive",
        /// The check itself failed.
        Error = "error",
    }
}

words! {
    /// How much a check weighs.
    Weight {
        /// It blocks.
        Must = "must",
        /// It warns.
        Should = "should",
    }
}

words! {
    /// What all checks of a gate together advise. Advice opens nothing.
    Advice {
        /// Every `must` check passed.
        Go = "go",
        /// A `must` check failed.
        NoGo = "no-go",
        /// No `must` check failed, but one has no answer.
        Inconclusive = "inconclusive",
    }
}

/// One check's answer, as it is kept in evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: String,
    /// How much it weighs.
    pub weight: Weight,
    /// Its answer.
    pub result: CheckResult,
    /// What was seen, in a line without record values.
    pub saw: String,
}

/// What findings advise. None at all advise to go: a gate without checks rests on the person alone.
#[must_use]
pub fn advice(findings: &[Finding]) -> Advice {
    let must = || findings.iter().filter(|finding| finding.weight == Weight::Must);
    if must().any(|finding| finding.result == CheckResult::Fail) {
        Advice::NoGo
    } else if must().any(|finding| finding.result != CheckResult::Pass) {
        Advice::Inconclusive
    } else {
        Advice::Go
    }
}
