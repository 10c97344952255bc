//! The helpers of one HTTP exchange, ended with it.
//!
//! The HTTP library drives its connection in tasks of their own. They end when the exchange does:
//! no socket may outlive its attempt's deadline.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::task::JoinSet;

/// Owns the tasks; dropping it ends them.
#[derive(Debug, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Something that can start tasks here. It holds no claim: tasks that hold it do not keep each
    /// other alive.
    pub fn starter(&self) -> Starter {
        Starter(Arc::downgrade(&self.0))
    }
}

/// Starts tasks for a [`Tasks`].
#[derive(Clone, Debug)]
pub struct Starter(Weak<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for Starter
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        if let Some(tasks) = self.0.upgrade() {
            tasks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .spawn(async move {
                    future.await;
                });
        }
    }
}
