//! Tenants whose records the target refuses for want of rights: they wait, and all others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haulier_core::TenantKey;
use haulier_core::retry::RetryPolicy;
use tokio::time::Instant;

/// So many tenants refused one after the other, and nothing let in between, mean that the credentials do not work at all.
const ALL: usize = 3;
/// A tenant's probe of which nothing is heard is given up after so long.
const PROBE: Duration = Duration::from_secs(30);
/// How long the others of a tenant wait for what its probe brings.
const BESIDE_PROBE: Duration = Duration::from_secs(1);

/// The tenants that wait, and what refusals and acceptances say about the credentials themselves.
#[derive(Debug, Default)]
pub struct Tenants(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    waiting: BTreeMap<TenantKey, Wait>,
    /// Tenants that were refused since something was last let in; no more than [`ALL`] are kept.
    in_a_row: BTreeSet<TenantKey>,
    /// The wait for the credentials themselves.
    all: Option<Wait>,
}

/// A wait that grows with each probe that is refused.
#[derive(Debug, Clone, Copy)]
struct Wait {
    since: Instant,
    until: Instant,
    refusals: u32,
    /// When the one request left that asks again.
    probe: Option<Instant>,
}

/// Who waits after a refusal, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The tenant: others are let in.
    Tenant(Duration),
    /// Everybody: the credentials are refused whoever is asked for.
    All(Duration),
}

/// What waits now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The first of the tenants.
    pub first: TenantKey,
    /// How many there are.
    pub tenants: usize,
    /// For how long the first of them has waited.
    pub since: Duration,
    /// When the next one is asked for again.
    pub next: Duration,
}

impl Tenants {
    /// Whether a record of this tenant may be sent now; `Err` says after how long to look again. When its time has come
    /// one goes as a probe, and the others wait for what becomes of it.
    pub fn admit(&self, tenant: &TenantKey) -> Result<(), Duration> {
        let now = Instant::now();
        match self.lock().waiting.get_mut(tenant) {
            None => Ok(()),
            Some(wait) if now < wait.until => Err(wait.until - now),
            Some(wait) if wait.probe.is_some_and(|left| now < left + PROBE) => Err(BESIDE_PROBE),
            Some(wait) => {
                wait.probe = Some(now);
                Ok(())
            }
        }
    }

    /// The target refused the credentials for a record of this tenant, or of none.
    pub fn refused(
        &self,
        tenant: Option<&TenantKey>,
        retry: &RetryPolicy,
        asked: Option<Duration>,
    ) -> Refusal {
        let now = Instant::now();
        let mut known = self.lock();
        let Some(tenant) = tenant else {
            return Refusal::All(Wait::grow(&mut known.all, now, retry, asked));
        };
        let mut waiting = known.waiting.get(tenant).copied();
        let wait = Wait::grow(&mut waiting, now, retry, asked);
        known.waiting.extend(waiting.map(|waiting| (tenant.clone(), waiting)));
        if known.in_a_row.len() < ALL {
            known.in_a_row.insert(tenant.clone());
        }
        if known.in_a_row.len() < ALL {
            return Refusal::Tenant(wait);
        }
        Refusal::All(Wait::grow(&mut known.all, now, retry, asked))
    }

    /// The target let a record of this tenant in: the credentials work.
    pub fn accepted(&self, tenant: Option<&TenantKey>) {
        let mut known = self.lock();
        known.in_a_row.clear();
        known.all = None;
        if let Some(tenant) = tenant {
            known.waiting.remove(tenant);
        }
    }

    /// The tenants that wait, if any do.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting> {
        let (now, known) = (Instant::now(), self.lock());
        let (first, _) = known.waiting.first_key_value()?;
        let since = known.waiting.values().map(|wait| wait.since).min()?;
        let until = known.waiting.values().map(|wait| wait.until).min()?;
        Some(Waiting {
            first: first.clone(),
            tenants: known.waiting.len(),
            since: now - since,
            next: until.saturating_duration_since(now),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No code runs under this lock that could leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// Notes a refusal and gives the time that is left. What had left before the wait began says nothing new.
    fn grow(wait: &mut Option<Self>, now: Instant, retry: &RetryPolicy, asked: Option<Duration>) -> Duration {
        let wait = wait.get_or_insert(Self { since: now, until: now, refusals: 0, probe: None });
        if now >= wait.until {
            wait.refusals = wait.refusals.saturating_add(1);
            wait.until = now + retry.wait(wait.refusals, 1.0, asked);
            wait.probe = None;
        }
        wait.until - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 6,
        base: Duration::from_secs(1),
        cap: Duration::from_secs(60),
        retry_after_cap: Duration::from_secs(300),
    };

    fn tenant(name: &str) -> TenantKey {
        TenantKey::new(name)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_tenant_waits_and_the_others_go_on() {
        let tenants = Tenants::default();
        let refuse = || tenants.refused(Some(&tenant("a")), &POLICY, None);
        assert_eq!(tenants.waiting(), None);
        assert_eq!(refuse(), Refusal::Tenant(seconds(1)));
        assert_eq!((tenants.admit(&tenant("a")), tenants.admit(&tenant("b"))), (Err(seconds(1)), Ok(())));
        assert_eq!(refuse(), Refusal::Tenant(seconds(1)), "it had left before");
        tokio::time::advance(seconds(1)).await;
        assert_eq!(tenants.admit(&tenant("a")), Ok(()), "a probe");
        assert_eq!(tenants.admit(&tenant("a")), Err(BESIDE_PROBE), "one only");
        assert_eq!(refuse(), Refusal::Tenant(seconds(2)));
        assert_eq!(tenants.admit(&tenant("a")), Err(seconds(2)));
        let waiting = tenants.waiting().unwrap();
        assert_eq!((waiting.tenants, waiting.since, waiting.next), (1, seconds(1), seconds(2)));
        tokio::time::advance(seconds(2)).await;
        assert_eq!(tenants.admit(&tenant("a")), Ok(()));
        tokio::time::advance(PROBE).await;
        assert_eq!(tenants.admit(&tenant("a")), Ok(()), "a probe of which nothing is heard is given up");
        tenants.accepted(Some(&tenant("a")));
        assert_eq!((tenants.admit(&tenant("a")), tenants.waiting()), (Ok(()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_nobody_takes_hold_everybody_until_somebody_does() {
        let tenants = Tenants::default();
        let refuse = |name: &str| tenants.refused(Some(&tenant(name)), &POLICY, None);
        assert_eq!(refuse("a"), Refusal::Tenant(seconds(1)));
        assert_eq!(refuse("b"), Refusal::Tenant(seconds(1)));
        assert_eq!(refuse("c"), Refusal::All(seconds(1)));
        assert_eq!(refuse("d"), Refusal::All(seconds(1)));
        tokio::time::advance(seconds(1)).await;
        assert_eq!(refuse("a"), Refusal::All(seconds(2)), "as long as nobody is let in");
        tenants.accepted(Some(&tenant("e")));
        assert_eq!(refuse("f"), Refusal::Tenant(seconds(1)));
        assert_eq!(tenants.waiting().unwrap().tenants, 5, "those that were refused still are");
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_without_tenant_and_the_targets_own_time() {
        let tenants = Tenants::default();
        assert_eq!(tenants.refused(None, &POLICY, None), Refusal::All(seconds(1)));
        let asked = Some(seconds(9));
        assert_eq!(tenants.refused(Some(&tenant("a")), &POLICY, asked), Refusal::Tenant(seconds(9)));
        assert_eq!(tenants.waiting().unwrap().first, tenant("a"));
    }
}
