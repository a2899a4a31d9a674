//! Order, limits and who is told what.

use super::*;

type Answer = oneshot::Receiver<Result<(), QueueError>>;

fn job(names: &[&str], since: Instant) -> (Job, Answer) {
    let (reply, answer) = oneshot::channel();
    let messages = names
        .iter()
        .map(|name| Outgoing {
            queue: "q".into(),
            id: None,
            body: Arc::new(name.as_bytes().to_vec()),
            reason: None,
            expires: None,
        })
        .collect();
    (Job { messages, reply, since }, answer)
}

fn launch_all(window: &mut Window, now: Instant) -> Vec<(Flight, String)> {
    std::iter::from_fn(|| window.launch(now))
        .map(|(flight, message)| (flight, String::from_utf8(message.body.to_vec()).unwrap()))
        .collect()
}

fn texts(launched: &[(Flight, String)]) -> Vec<&str> {
    launched.iter().map(|(_, text)| text.as_str()).collect()
}

fn unreachable() -> QueueError {
    QueueError::Unreachable { at: "x:1".to_owned(), cause: "gone".to_owned() }
}

#[test]
fn a_job_is_done_when_all_of_it_is_confirmed_in_any_order() {
    let now = Instant::now();
    let mut window = Window::new(10, now);
    let (first, mut answer) = job(&["a", "b"], now);
    window.admit(first);
    let launched = launch_all(&mut window, now);
    window.landed(launched[1].0, now);
    assert!(answer.try_recv().is_err() && window.has_jobs());
    window.landed(launched[0].0, now);
    assert_eq!(answer.try_recv(), Ok(Ok(())));
    assert!(!window.has_jobs());
}

#[test]
fn the_window_bounds_what_is_on_its_way() {
    let now = Instant::now();
    let mut window = Window::new(2, now);
    window.admit(job(&["a", "b", "c"], now).0);
    let launched = launch_all(&mut window, now);
    assert_eq!(texts(&launched), ["a", "b"]);
    window.landed(launched[0].0, now);
    assert_eq!(texts(&launch_all(&mut window, now)), ["c"]);
}

#[test]
fn bytes_bound_it_too_but_one_message_always_goes() {
    let now = Instant::now();
    let mut window = Window::new(10, now);
    let huge = "x".repeat(MAX_FLYING_BYTES + 1);
    window.admit(job(&[&huge, "b"], now).0);
    let launched = launch_all(&mut window, now);
    assert_eq!(launched.len(), 1);
    window.landed(launched[0].0, now);
    assert_eq!(texts(&launch_all(&mut window, now)), ["b"]);
}

#[test]
fn what_was_on_its_way_goes_out_again_first_and_in_order() {
    let now = Instant::now();
    let mut window = Window::new(3, now);
    window.admit(job(&["a", "b", "c", "d"], now).0);
    let launched = launch_all(&mut window, now);
    window.landed(launched[1].0, now);
    window.lost();
    assert_eq!(texts(&launch_all(&mut window, now)), ["a", "c", "d"]);
}

#[test]
fn a_failed_job_takes_its_waiting_messages_with_it_and_no_others() {
    let now = Instant::now();
    let mut window = Window::new(1, now);
    let (first, mut refused) = job(&["a", "b"], now);
    let (second, mut fine) = job(&["c"], now);
    window.admit(first);
    window.admit(second);
    let launched = launch_all(&mut window, now);
    window.refused(launched[0].0, |queue| QueueError::Gone { queue: queue.to_owned() });
    assert_eq!(refused.try_recv(), Ok(Err(QueueError::Gone { queue: "q".to_owned() })));
    let launched = launch_all(&mut window, now);
    assert_eq!(texts(&launched), ["c"]);
    window.landed(launched[0].0, now);
    assert_eq!(fine.try_recv(), Ok(Ok(())));
}

#[test]
fn what_was_given_up_is_not_published_again_after_a_loss() {
    let now = Instant::now();
    let mut window = Window::new(5, now);
    let (first, mut answer) = job(&["a"], now);
    window.admit(first);
    launch_all(&mut window, now);
    window.fail_all(&unreachable());
    assert_eq!(answer.try_recv(), Ok(Err(unreachable())));
    window.lost();
    assert_eq!(launch_all(&mut window, now), []);
}

#[test]
fn messages_that_were_refused_for_now_keep_their_places() {
    let now = Instant::now();
    let mut window = Window::new(3, now);
    window.admit(job(&["a", "b", "c", "d"], now).0);
    let launched = launch_all(&mut window, now);
    for (flight, _) in launched {
        window.again(flight, now);
    }
    assert_eq!(texts(&launch_all(&mut window, now)), ["a", "b", "c"]);
}

#[test]
fn a_deadline_counts_from_the_last_progress() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut window = Window::new(5, now);
    let (first, mut answer) = job(&["a", "b"], now);
    window.admit(first);
    let launched = launch_all(&mut window, now);
    window.landed(launched[0].0, now + 9 * second);
    window.expire(10 * second, now + 18 * second, &unreachable());
    assert!(answer.try_recv().is_err());
    assert_eq!(window.silence(now + 18 * second), 9 * second);
    window.expire(10 * second, now + 19 * second, &unreachable());
    assert_eq!(answer.try_recv(), Ok(Err(unreachable())));
}

#[test]
fn refusals_are_answers_and_no_progress() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut window = Window::new(5, now);
    let (first, mut answer) = job(&["a"], now);
    window.admit(first);
    for round in 1..=10 {
        let launched = launch_all(&mut window, now + round * second);
        window.again(launched[0].0, now + round * second);
    }
    launch_all(&mut window, now + 11 * second);
    assert_eq!(window.silence(now + 11 * second), Duration::ZERO);
    window.expire(10 * second, now + 11 * second, &unreachable());
    assert_eq!(answer.try_recv(), Ok(Err(unreachable())));
}
