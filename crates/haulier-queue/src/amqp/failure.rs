//! What the broker's and the driver's errors mean for whoever uses the queue.

use haulier_core::port::QueueError;
use lapin::ErrorKind;

/// Tells an error in the port's words. `queue` is the one that was being used.
///
/// The driver's own `can_be_recovered` says yes to refusals that no retry can change, so the reply code decides.
pub(super) fn classify(at: &str, queue: &str, error: &lapin::Error) -> QueueError {
    let cause = error.to_string();
    let at = at.to_owned();
    match reply_code(error) {
        Some(ACCESS_REFUSED | NOT_ALLOWED) => QueueError::Credentials { at, cause },
        Some(NOT_FOUND) => QueueError::Gone { queue: queue.to_owned() },
        // The same code tells of acknowledgements that came too late; those are over with the channel.
        Some(PRECONDITION_FAILED)
            if !cause.contains("timed out") && !cause.contains("unknown delivery tag") =>
        {
            QueueError::Mismatch { queue: queue.to_owned(), problem: difference(&cause) }
        }
        Some(_) | None => QueueError::Unreachable { at, cause },
    }
}

/// Whether the broker says that the queue does not exist.
pub(super) fn is_missing(error: &lapin::Error) -> bool {
    reply_code(error) == Some(NOT_FOUND)
}

const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

fn reply_code(error: &lapin::Error) -> Option<u16> {
    if let ErrorKind::ProtocolError(error) = error.kind() { Some(error.get_id()) } else { None }
}

/// `inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'quorum' but current is 'classic'`, in words.
fn difference(cause: &str) -> String {
    let quoted = |before: &str| {
        cause.split_once(before).and_then(|(_, rest)| rest.split_once('\'')).map(|(text, _)| text)
    };
    let Some(argument) = quoted("inequivalent arg '") else { return cause.to_owned() };
    let value = |before: &str| match quoted(before) {
        Some("") => "empty".to_owned(),
        Some(text) => format!("`{text}`"),
        None => "missing".to_owned(),
    };
    let (ours, theirs) = (value("received the value '"), value("but current is the value '"));
    if ours == "missing" && theirs == "missing" {
        let (ours, theirs) = (value("received '"), value("but current is '"));
        return format!("its `{argument}` is {theirs}, and haulier declares {ours}");
    }
    format!("its `{argument}` is {theirs}, and haulier declares {ours}")
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_is_told_in_words() {
        let cases = [
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'quorum' but current is 'classic'",
                "its `x-queue-type` is `classic`, and haulier declares `quorum`",
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost '/': received the value '50' of type 'signedint' but current is the value '7' of type 'signedint'",
                "its `x-delivery-limit` is `7`, and haulier declares `50`",
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-overflow' for queue 'q' in vhost '/': received the value 'reject-publish' of type 'longstr' but current is none",
                "its `x-overflow` is missing, and haulier declares `reject-publish`",
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-dead-letter-exchange' for queue 'q' in vhost '/': received the value '' of type 'longstr' but current is none",
                "its `x-dead-letter-exchange` is missing, and haulier declares empty",
            ),
            ("PRECONDITION_FAILED - something else", "PRECONDITION_FAILED - something else"),
        ];
        for (cause, words) in cases {
            assert_eq!(difference(cause), words);
        }
    }
}
