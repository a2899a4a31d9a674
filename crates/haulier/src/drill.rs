//! Ends the process at a named point, for drills. Compiled in with the feature `drills` only.

/// Reads `HAULIER_CRASH_AT` (`point`, or `point:n` for the n-th time) and arms that point.
#[cfg(feature = "drills")]
pub(crate) fn arm() {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static AT: OnceLock<(String, u64)> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    let Ok(wish) = std::env::var("HAULIER_CRASH_AT") else { return };
    let (point, count) = wish.rsplit_once(':').unwrap_or((&wish, "1"));
    AT.get_or_init(|| (point.to_owned(), count.parse().unwrap_or(1)));
    haulier_core::crash::set_hook(|point| {
        let Some((wanted, count)) = AT.get() else { return };
        if point == wanted && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *count {
            std::process::abort();
        }
    });
}

/// Without the feature there is nothing to arm.
#[cfg(not(feature = "drills"))]
pub(crate) fn arm() {}
