//! The queue's own brakes: too much waits in it, or the broker blocks publishers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::brake::{Brake, BrakeRule, Holding, Unit, name};
use haulier_core::control::Side;
use haulier_core::port::{Clock, Micros, ProbeError, Queue};
use tokio::time::{Instant, sleep, timeout};

use super::Board;

/// A queue runs empty within a second at full speed, so it is looked at more often than a database.
const EVERY: Duration = Duration::from_millis(250);
const ANSWER: Duration = Duration::from_secs(1);
/// So many seconds' worth of what is acknowledged may wait.
const AHEAD: f64 = 60.0;
/// The acknowledgements of this time are the rate.
const SPAN: Duration = Duration::from_secs(60);

/// Watches a queue until it is dropped. `published` tells how many parcels went into it so far.
///
/// The producer stops at `max(floor, 60 s of acknowledgements)` parcels and goes on at half of that: deeper queues bring
/// nothing, since the target is what is waited for, and they make a pause, a stop and old data dear. What is acknowledged is
/// what was published and does not wait any more.
pub async fn watch_queue(
    queue: Arc<dyn Queue>,
    published: impl Fn() -> u64 + Send,
    floor: u32,
    clock: Arc<dyn Clock>,
    board: Board,
) {
    let mut acknowledged = Acknowledged::default();
    let mut alarm_since: Option<Micros> = None;
    let mut ready = Brake::new(rule(f64::from(floor)), clock.micros());
    loop {
        let now = clock.micros();
        let alarm = queue.blocked().map(|reason| Holding {
            name: name::QUEUE_ALARM.to_owned(),
            value: format!("the broker blocks publishers: {reason}"),
            limit: String::new(),
            since: *alarm_since.get_or_insert(now),
            critical: false,
            part: false,
        });
        if alarm.is_none() {
            alarm_since = None;
        }
        board.put(Side::Produce, name::QUEUE_ALARM, alarm.as_ref());
        let before = published();
        let reading = match timeout(ANSWER, queue.ready()).await {
            Ok(Ok(waiting)) => {
                acknowledged.note(before.saturating_sub(waiting), Instant::now());
                ready.set_limit(f64::from(floor).max(AHEAD * acknowledged.per_second()));
                #[expect(clippy::cast_precision_loss, reason = "a queue holds less than 2^52")]
                let waiting = waiting as f64;
                Ok(waiting)
            }
            Ok(Err(error)) => Err(ProbeError::Failed(error.to_string())),
            Err(_) => Err(ProbeError::TimedOut { after_ms: 1000 }),
        };
        ready.read(reading, clock.micros());
        board.put(Side::Produce, name::QUEUE_READY, ready.holding());
        sleep(EVERY).await;
    }
}

/// Half of the limit is far enough to let go at once.
fn rule(limit: f64) -> BrakeRule {
    BrakeRule {
        release_at: 0.5,
        release_after: 1,
        hold_at_least: Duration::ZERO,
        ..BrakeRule::new(name::QUEUE_READY, limit, Unit::Number)
    }
}

/// Parcels that left the queue, over the last minute.
#[derive(Debug, Default)]
struct Acknowledged(VecDeque<(Instant, u64)>);

impl Acknowledged {
    fn note(&mut self, left: u64, now: Instant) {
        // Parcels that wait from an earlier producer make the difference start below what was there: it only grows.
        let left = left.max(self.0.back().map_or(0, |(_, before)| *before));
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| now.duration_since(*at) > SPAN) {
            self.0.pop_front();
        }
        self.0.push_back((now, left));
    }

    fn per_second(&self) -> f64 {
        let (Some((from, before)), Some((to, after))) = (self.0.front(), self.0.back()) else { return 0.0 };
        let seconds = to.duration_since(*from).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "parcels of a minute")]
        let left = after.saturating_sub(*before) as f64;
        if seconds > 0.0 { left / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use haulier_core::Parcel;
    use haulier_core::port::{Consumer, Depth, QueueError};

    use super::*;

    #[derive(Debug, Default)]
    struct Counted {
        published: AtomicU64,
        ready: AtomicU64,
        away: std::sync::atomic::AtomicBool,
        alarm: std::sync::atomic::AtomicBool,
    }

    #[async_trait]
    impl Queue for Counted {
        async fn publish(&self, _parcels: &[Parcel]) -> Result<(), QueueError> {
            Ok(())
        }

        async fn consumer(&self, _prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
            Err(QueueError::Gone { queue: "none".to_owned() })
        }

        async fn depth(&self) -> Result<Depth, QueueError> {
            if self.away.load(Ordering::Relaxed) {
                return Err(QueueError::Gone { queue: "work".to_owned() });
            }
            Ok(Depth { ready: self.ready.load(Ordering::Relaxed), ..Depth::default() })
        }

        fn blocked(&self) -> Option<String> {
            self.alarm.load(Ordering::Relaxed).then(|| "low on memory".to_owned())
        }
    }

    #[derive(Debug)]
    struct Tick(Instant);

    impl Clock for Tick {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::from_microsecond(i64::try_from(self.0.elapsed().as_micros()).unwrap()).unwrap()
        }
    }

    fn watched(floor: u32) -> (Arc<Counted>, Board, tokio::task::JoinHandle<()>) {
        let (queue, board) = (Arc::new(Counted::default()), Board::default());
        let published = Arc::clone(&queue);
        let task = tokio::spawn(watch_queue(
            Arc::clone(&queue) as Arc<dyn Queue>,
            move || published.published.load(Ordering::Relaxed),
            floor,
            Arc::new(Tick(Instant::now())),
            board.clone(),
        ));
        (queue, board, task)
    }

    async fn until(board: &Board, wanted: &[&str]) {
        let mut held = board.watch();
        let same = |held: &std::collections::BTreeMap<String, (Side, Holding)>| held.keys().eq(wanted);
        let found = timeout(Duration::from_secs(5), held.wait_for(same)).await;
        assert!(found.is_ok(), "{wanted:?} within 5 s, not {:?}", board.holding());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_holds_the_producer_until_half_of_it_is_gone() {
        let (queue, board, task) = watched(200);
        queue.ready.store(201, Ordering::Relaxed);
        until(&board, &[name::QUEUE_READY]).await;
        queue.ready.store(101, Ordering::Relaxed);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(board.holding().len(), 1, "half is 100");
        queue.ready.store(100, Ordering::Relaxed);
        until(&board, &[]).await;
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_minutes_worth_of_acknowledgements_may_wait() {
        let (queue, board, task) = watched(200);
        // Ten parcels a second leave the queue, so that 600 may wait.
        for second in 1..=30 {
            queue.published.store(second * 10, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
        }
        queue.published.store(800, Ordering::Relaxed);
        queue.ready.store(500, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        until(&board, &[]).await;
        queue.published.store(1100, Ordering::Relaxed);
        queue.ready.store(800, Ordering::Relaxed);
        until(&board, &[name::QUEUE_READY]).await;
        let held = board.holding()[0].1.to_string();
        assert!(
            held.starts_with("queue-ready 800 (limit 5") || held.starts_with("queue-ready 800 (limit 6"),
            "{held}"
        );
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_is_away_or_blocks_is_named() {
        let (queue, board, task) = watched(200);
        queue.away.store(true, Ordering::Relaxed);
        until(&board, &[name::QUEUE_READY]).await;
        assert!(board.holding()[0].1.value.contains("does not exist"));
        queue.away.store(false, Ordering::Relaxed);
        queue.alarm.store(true, Ordering::Relaxed);
        until(&board, &[name::QUEUE_ALARM]).await;
        let alarm = &board.holding()[0].1;
        assert_eq!(alarm.to_string(), "queue-alarm the broker blocks publishers: low on memory");
        queue.alarm.store(false, Ordering::Relaxed);
        until(&board, &[]).await;
        task.abort();
    }
}
