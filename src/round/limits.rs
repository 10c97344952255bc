//! How much may be in flight at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::pace::Pacing;

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

/// How many files attempts may hold at once, at least 1.
///
/// Where the limit cannot be read or raised, what stands is used: too many attempts then end blind
/// (`EMFILE`), never blocked.
#[must_use]
pub(crate) fn files_for_attempts() -> usize {
    let Some(files) = raise_open_files() else {
        return Semaphore::MAX_PERMITS;
    };
    // A very low limit is shared half and half.
    let room = files.saturating_sub(RESERVED_FILES).max(files / 2).max(1);
    usize::try_from(room).unwrap_or(usize::MAX)
}

/// Places for attempts: so many in all, so many as there are files for, so many against one address, so
/// many begun a second.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Semaphore,
    files: Semaphore,
    /// How many files there are in all.
    most: u32,
    per_host: usize,
    pub(super) pacing: Pacing,
    hosts: RefCell<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Slots {
    pub(crate) fn new(all: usize, files: usize, per_host: usize, pacing: Pacing) -> Self {
        let files = files.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS)),
            files: Semaphore::new(files),
            most: u32::try_from(files).unwrap_or(u32::MAX),
            per_host: per_host.clamp(1, Semaphore::MAX_PERMITS),
            pacing,
            hosts: RefCell::new(HashMap::new()),
        }
    }

    /// Waits for a place for an attempt that holds so many files at once. The one at the host comes
    /// first, so that a queue before one host does not take places from all others.
    pub(crate) async fn take(&self, address: IpAddr, files: u32) -> Result<Slot<'_>, AcquireError> {
        let semaphore = self
            .hosts
            .borrow_mut()
            .entry(address)
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_host)))
            .clone();
        let host = semaphore.acquire_owned().await?;
        let all = self.all.acquire().await?;
        // An attempt that wants more than there is gets all there is.
        let files = self.files.acquire_many(files.clamp(1, self.most)).await?;
        self.pacing.turn().await;
        Ok(Slot {
            slots: self,
            address,
            _host: host,
            _all: all,
            _files: files,
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
    _files: SemaphorePermit<'a>,
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

    fn places(all: usize, files: usize, per_host: usize) -> Slots {
        Slots::new(all, files, per_host, Pacing::new(0, 0, u32::MAX))
    }

    #[tokio::test]
    async fn a_host_takes_no_more_than_its_share_and_is_forgotten_after() {
        let slots = places(10, 10, 1);
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
    async fn an_attempt_that_holds_more_files_takes_more_of_them_and_never_waits_for_ever() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let slots = places(9, 3, 8);
        let two = slots.take(address, 2).await.unwrap();
        let one = slots.take(address, 1).await.unwrap();
        let third = futures_util::FutureExt::now_or_never(slots.take(address, 1));
        assert!(third.is_none(), "three files are all that there are");
        drop((two, one));
        let few = places(9, 1, 8);
        assert!(few.take(address, 2).await.is_ok());
    }

    #[tokio::test]
    async fn an_attempt_is_one_however_many_files_it_holds() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let slots = places(2, 9, 8);
        let two = (
            slots.take(address, 4).await.unwrap(),
            slots.take(address, 4).await.unwrap(),
        );
        let third = futures_util::FutureExt::now_or_never(slots.take(address, 1));
        assert!(third.is_none(), "two attempts are all that were asked for");
        drop(two);
        let none = places(0, 0, 8);
        assert!(none.take(address, 1).await.is_ok(), "one always fits");
    }

    #[test]
    fn there_is_room_for_a_file() {
        assert!(files_for_attempts() >= 1);
    }
}
