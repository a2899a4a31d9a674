//! Reference order: a referenced entity before the one that refers to it.

use super::book::Book;
use super::field::RefDraft;

/// The positions of the entities in reference order, otherwise in the order of the file. `None` with a note when they
/// refer to each other in a circle.
pub(crate) fn of(book: &Book<'_, '_>) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    loop {
        let ready = (0..book.drafts.len()).find(|index| {
            !order.contains(index) && waits_for(book, *index).all(|(_, other)| order.contains(&other))
        });
        match ready {
            Some(index) => order.push(index),
            None if order.len() == book.drafts.len() => return Some(order),
            None => {
                tell_circle(book, &order);
                return None;
            }
        }
    }
}

/// The references that bind the order: not to itself, whose children wait for their parents one by one, and not deferred.
fn waits_for<'b>(book: &'b Book<'b, '_>, index: usize) -> impl Iterator<Item = (&'b RefDraft<'b>, usize)> {
    let refs = book.drafts.get(index).map(|draft| draft.fields.refs.as_slice()).unwrap_or_default();
    refs.iter()
        .filter(|reference| !reference.deferred)
        .filter_map(|reference| Some((reference, book.find(reference.entity.value)?)))
        .filter(move |(_, other)| *other != index)
}

fn tell_circle(book: &Book<'_, '_>, order: &[usize]) {
    // Every entity left waits for another one that is left, so following those must come back.
    let step = |index: usize| waits_for(book, index).find(|(_, other)| !order.contains(other));
    let Some(mut at) = (0..book.drafts.len()).find(|index| !order.contains(index)) else { return };
    let mut seen = Vec::new();
    while !seen.contains(&at) {
        seen.push(at);
        let Some((_, next)) = step(at) else { return };
        at = next;
    }
    let circle: Vec<usize> = seen.into_iter().skip_while(|index| *index != at).collect();
    let name = |index: usize| book.drafts.get(index).map_or("", |draft| draft.name.value);
    let mut told = String::new();
    for &index in &circle {
        if let Some((reference, _)) = step(index) {
            told.push_str(name(index));
            told.push('.');
            told.push_str(reference.field.value);
            told.push_str(" -> ");
        }
    }
    told.push_str(name(at));
    let last = circle.last().and_then(|index| step(*index));
    if let Some((reference, _)) = last {
        book.notes.hinted(
            reference.field.at,
            format!("these entities refer to each other in a circle: {told}"),
            "add `deferred = true` to one of these references, one whose column may be NULL in the target: it is then sent as an update once both records exist",
        );
    }
}
