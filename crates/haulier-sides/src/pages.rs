//! The target's lists, page by page, several at a time where the shape of the list lets them.

use futures_util::{StreamExt, stream};
use haulier_core::plan::Entity;
use haulier_core::port::{PageRequest, PageToken, TargetPage};
use haulier_core::{Failure, FailureKind};
use tokio::sync::mpsc;

use crate::list::Lists;

/// Reads one of the entity's lists to its end. Gives the total that the target told last.
pub(crate) async fn walk(
    lists: &Lists,
    entity: &Entity,
    list: usize,
    out: &mpsc::Sender<Vec<String>>,
) -> Result<Option<u64>, Failure> {
    let first = fetch(lists, entity, list, None).await?;
    let (stride, mut total, mut next) = (first.items.len(), first.total, first.next);
    let further = first.further;
    let gone = |_| Failure::new(FailureKind::Refused, "the reading was stopped");
    out.send(first.items).await.map_err(gone)?;
    if lists.pages > 1 && !further.is_empty() {
        let asked = further.iter().map(|at| fetch(lists, entity, list, Some(at)));
        let mut pages = stream::iter(asked).buffered(lists.pages);
        let mut left = further.len();
        while let Some(page) = pages.next().await {
            let page = page?;
            left -= 1;
            let short = page.items.len() < stride;
            (total, next) = (page.total, page.next);
            out.send(page.items).await.map_err(gone)?;
            // The pages asked for ahead start in the wrong places: they are forgotten, and the list goes on from here.
            if short && left > 0 {
                break;
            }
        }
    }
    while let Some(at) = next {
        let page = fetch(lists, entity, list, Some(&at)).await?;
        (total, next) = (page.total, page.next);
        out.send(page.items).await.map_err(gone)?;
    }
    Ok(total)
}

/// One page; what may pass is tried again, as the plan says.
pub(crate) async fn fetch(
    lists: &Lists,
    entity: &Entity,
    list: usize,
    at: Option<&PageToken>,
) -> Result<TargetPage, Failure> {
    let mut attempt = 1;
    loop {
        let failure = match lists.target.page(PageRequest { entity, list, at }, &*lists.throttle).await {
            Ok(page) => return Ok(page),
            Err(failure) => failure,
        };
        if !failure.kind.is_passing() || lists.retry.exhausted(attempt) {
            return Err(failure);
        }
        let wait = lists.retry.wait(attempt, 1.0, failure.retry_after);
        tracing::debug!(reason = %failure, wait_ms = wait.as_millis(), "a page does not come, trying again");
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}
