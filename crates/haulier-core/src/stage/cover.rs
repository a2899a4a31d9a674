//! Whether whom a stage needs is there while it runs.

use super::CheckResult;
use crate::calendar::Span;
use crate::plan::Person;

/// Whether enough people of each role are there over a whole span. Of somebody whom nobody asked it cannot be told, and that is
/// never a yes.
#[must_use]
pub fn cover(needs: &[(String, u32)], people: &[Person], span: Span) -> (CheckResult, String) {
    let (mut worst, mut said) = (CheckResult::Pass, Vec::new());
    for (role, min) in needs {
        let of: Vec<(&str, Option<bool>)> = people
            .iter()
            .filter(|person| person.roles.contains(role))
            .map(|person| (person.name.as_str(), is_there(person, span)))
            .collect();
        let named = |answer: Option<bool>| -> Vec<&str> {
            of.iter().filter(|(_, there)| *there == answer).map(|(name, _)| *name).collect()
        };
        let (there, unknown) = (named(Some(true)), named(None));
        let min = usize::try_from(*min).unwrap_or(usize::MAX);
        let (result, says) = if there.len() >= min {
            (CheckResult::Pass, format!("{role}: {}", there.join(", ")))
        } else if there.len() + unknown.len() >= min {
            let unknown = unknown.join(", ");
            (
                CheckResult::Inconclusive,
                format!("{role}: nobody knows of {unknown} (`away` or `cover` of `[people]`)"),
            )
        } else {
            (CheckResult::Fail, format!("{role}: it takes {min}, and {} are there", there.len()))
        };
        worst = match (worst, result) {
            (CheckResult::Fail, _) | (_, CheckResult::Fail) => CheckResult::Fail,
            (CheckResult::Pass, CheckResult::Pass) => CheckResult::Pass,
            _ => CheckResult::Inconclusive,
        };
        said.push(says);
    }
    (worst, said.join("; "))
}

/// Whether somebody is there over a whole span; `None` where nobody knows.
fn is_there(person: &Person, span: Span) -> Option<bool> {
    let away = person.away.iter().flatten().any(|away| away.meet(span).is_some());
    if away {
        return Some(false);
    }
    if person.cover.is_empty() {
        return person.away.as_ref().map(|_| true);
    }
    Some(
        crate::calendar::span::without(span, &crate::calendar::span::merged(person.cover.clone())).is_empty(),
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn span(from: i64, to: i64) -> Span {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).unwrap();
        Span::new(at(from), at(to)).unwrap()
    }

    fn person(name: &str, away: Option<Vec<Span>>, cover: Vec<Span>) -> Person {
        Person { name: name.to_owned(), roles: vec!["approver".to_owned()], away, cover }
    }

    fn asked(people: &[Person], min: u32) -> CheckResult {
        cover(&[("approver".to_owned(), min)], people, span(10, 14)).0
    }

    #[test]
    fn no_answer_is_no_yes_and_being_away_for_an_hour_is_being_away() {
        let unknown = || person("lin", None, Vec::new());
        let there = || person("pierre", Some(Vec::new()), Vec::new());
        let gone = || person("sam", Some(vec![span(13, 20)]), Vec::new());
        assert_eq!(asked(&[there()], 1), CheckResult::Pass);
        assert_eq!(asked(&[unknown()], 1), CheckResult::Inconclusive);
        assert_eq!(asked(&[gone(), unknown()], 1), CheckResult::Inconclusive);
        assert_eq!(asked(&[gone()], 1), CheckResult::Fail);
        assert_eq!(asked(&[there(), gone()], 2), CheckResult::Fail);
        assert_eq!(asked(&[there(), unknown()], 1), CheckResult::Pass);
        assert_eq!(asked(&[], 1), CheckResult::Fail);
    }

    #[test]
    fn cover_must_reach_over_all_of_it_in_parts_if_need_be() {
        let on = |cover| person("pierre", None, cover);
        assert_eq!(asked(&[on(vec![span(8, 12), span(12, 15)])], 1), CheckResult::Pass);
        assert_eq!(asked(&[on(vec![span(8, 12), span(13, 15)])], 1), CheckResult::Fail);
        let ill = person("pierre", Some(vec![span(11, 12)]), vec![span(8, 15)]);
        assert_eq!(asked(&[ill], 1), CheckResult::Fail);
    }

    #[test]
    fn the_worst_of_all_roles_counts() {
        let people = [person("pierre", Some(Vec::new()), Vec::new())];
        let needs = [("approver".to_owned(), 1), ("qa".to_owned(), 1)];
        let (result, said) = cover(&needs, &people, span(10, 14));
        assert_eq!(
            (result, said.as_str()),
            (CheckResult::Fail, "approver: pierre; qa: it takes 1, and 0 are there")
        );
    }
}
