//! How much may be in flight at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// File descriptors kept for everything that is not an attempt: resolvers, controls, reports.
const RESERVED_FILES: u64 = 1024;

/// The fewest open files with which noentry starts: below, the runtime itself cannot be set up.
pub const FEWEST_FILES: u64 = 32;

/// Raises the soft limit on open files to the hard one and says what it is then; none where the
/// system does not tell.
#[must_use]
pub fn raise_open_files() -> Option<u64> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
        Some(if raised { hard } else { soft })
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// How many attempts fit, at most `wanted`, at least 1.
///
/// Where the limit cannot be read or raised, what stands is used: too many attempts then end blind
/// (`EMFILE`), never blocked.
#[must_use]
pub(crate) fn fit_into_open_files(wanted: usize) -> usize {
    let Some(files) = raise_open_files() else {
        return wanted.max(1);
    };
    // A very low limit is shared half and half.
    let room = files.saturating_sub(RESERVED_FILES).max(files / 2).max(1);
    wanted.clamp(1, usize::try_from(room).unwrap_or(usize::MAX))
}

/// Places for attempts: so many in all, so many against one address.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Semaphore,
    size: usize,
    per_host: usize,
    hosts: RefCell<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Slots {
    pub(crate) fn new(all: usize, per_host: usize) -> Self {
        let size = all.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Semaphore::new(size),
            size,
            per_host: per_host.clamp(1, Semaphore::MAX_PERMITS),
            hosts: RefCell::new(HashMap::new()),
        }
    }

    /// Waits for a place at a host, and for as many of all as the attempt holds sockets. The one at the
    /// host comes first, so that a queue before one host does not take places from all others.
    pub(crate) async fn take(
        &self,
        address: IpAddr,
        sockets: usize,
    ) -> Result<Slot<'_>, AcquireError> {
        let semaphore = self
            .hosts
            .borrow_mut()
            .entry(address)
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_host)))
            .clone();
        let host = semaphore.acquire_owned().await?;
        let sockets = u32::try_from(sockets.min(self.size)).unwrap_or(u32::MAX);
        let all = self.all.acquire_many(sockets).await?;
        Ok(Slot {
            slots: self,
            address,
            _host: host,
            _all: all,
        })
    }
}

/// A place, given back on drop.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    slots: &'a Slots,
    address: IpAddr,
    _host: OwnedSemaphorePermit,
    _all: SemaphorePermit<'a>,
}

impl Drop for Slot<'_> {
    /// Forgets hosts that nobody waits for, so that the map grows with what is in flight and not
    /// with the list of targets.
    fn drop(&mut self) {
        let mut hosts = self.slots.hosts.borrow_mut();
        // One count is the map's, one is this place's own.
        if hosts
            .get(&self.address)
            .is_some_and(|semaphore| Arc::strong_count(semaphore) <= 2)
        {
            hosts.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_takes_no_more_than_its_share_and_is_forgotten_after() {
        let slots = Slots::new(10, 1);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        let first = slots.take(one, 1).await.unwrap();
        assert!(
            futures_util::FutureExt::now_or_never(slots.take(one, 1)).is_none(),
            "a second attempt against the same host must wait"
        );
        let second = slots.take(other, 1).await.unwrap();
        drop(first);
        drop(second);
        assert!(slots.hosts.borrow().is_empty());
        assert!(slots.take(one, 1).await.is_ok());
    }

    #[tokio::test]
    async fn attempts_with_two_sockets_do_not_run_out_of_files() {
        let addresses = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse::<IpAddr>().unwrap());
        let slots = Slots::new(3, 1);
        let first = slots.take(addresses[0], 2).await.unwrap();
        assert!(
            futures_util::FutureExt::now_or_never(slots.take(addresses[1], 2)).is_none(),
            "three places are not enough for four sockets"
        );
        drop(first);
        // The smallest limit there is must not be waited for in vain.
        let slots = Slots::new(1, 1);
        assert!(slots.take(addresses[0], 2).await.is_ok());
    }

    #[test]
    fn at_least_one_attempt_always_fits() {
        assert_eq!(fit_into_open_files(0), 1);
        assert_eq!(fit_into_open_files(1), 1);
    }
}
