//! Reference order: a referenced entity before the one that refers to it.

use super::book::Book;
use super::field::RefDraft;

/// The references that bind the order, with the entity each leads to: not to itself, whose children wait for their
/// parents one by one, and not deferred.
type Bindings<'b, 'd> = Vec<Vec<(&'b RefDraft<'d>, usize)>>;

/// The positions of the entities in reference order, otherwise in the order of the file. `None` with a note when they
/// refer to each other in a circle.
pub(crate) fn of<'d>(book: &Book<'_, 'd>) -> Option<Vec<usize>> {
    let bindings: Bindings<'_, 'd> = (0..book.drafts.len()).map(|index| bindings(book, index)).collect();
    let mut placed = vec![false; bindings.len()];
    let mut order = Vec::with_capacity(bindings.len());
    while order.len() < bindings.len() {
        let is_placed = |at: usize| placed.get(at).copied().unwrap_or(true);
        let ready = bindings
            .iter()
            .enumerate()
            .find(|(index, refs)| !is_placed(*index) && refs.iter().all(|(_, other)| is_placed(*other)));
        let Some((index, _)) = ready else {
            tell_circle(book, &bindings, &placed);
            return None;
        };
        order.push(index);
        if let Some(done) = placed.get_mut(index) {
            *done = true;
        }
    }
    Some(order)
}

fn bindings<'b, 'd>(book: &'b Book<'_, 'd>, index: usize) -> Vec<(&'b RefDraft<'d>, usize)> {
    let refs = book.drafts.get(index).map(|draft| draft.fields.refs.as_slice()).unwrap_or_default();
    refs.iter()
        .filter(|reference| !reference.deferred)
        .filter_map(|reference| Some((reference, book.find(reference.entity.value)?)))
        .filter(|(_, other)| *other != index)
        .collect()
}

fn tell_circle(book: &Book<'_, '_>, bindings: &Bindings<'_, '_>, placed: &[bool]) {
    // Every entity left waits for another one that is left, so following those must come back.
    let is_left = |at: usize| placed.get(at) == Some(&false);
    let step = |at: usize| bindings.get(at)?.iter().find(|(_, other)| is_left(*other)).copied();
    let Some(mut at) = (0..placed.len()).find(|at| is_left(*at)) else { return };
    let mut seen = Vec::new();
    while !seen.contains(&at) {
        seen.push(at);
        let Some((_, next)) = step(at) else { return };
        at = next;
    }
    let circle: Vec<usize> = seen.into_iter().skip_while(|index| *index != at).collect();
    let name = |at: usize| book.drafts.get(at).map_or("", |draft| draft.name.value);
    let told: Vec<String> = circle
        .iter()
        .filter_map(|at| Some(format!("{}.{} -> ", name(*at), step(*at)?.0.field.value)))
        .collect();
    if let Some((reference, _)) = circle.last().and_then(|at| step(*at)) {
        book.notes.hinted(
            reference.field.at,
            format!("these entities refer to each other in a circle: {}{}", told.concat(), name(at)),
            "add `deferred = true` to one of these references, one that the target takes as empty at first: \
             it is then sent by an update once both records exist",
        );
    }
}
