//! What all attempts of a round share.

use std::sync::Arc;

use rustls::ClientConfig;
use thiserror::Error;

use super::tls;

/// noentry's own fault: the TLS client could not be built.
#[derive(Debug, Error)]
pub enum ContextError {
    /// The TLS library does not accept its own provider.
    #[error("TLS client could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Made once a round and lent to every attempt. Holds no state of any connection.
#[derive(Clone, Debug)]
pub struct Context {
    pub(super) tls: Arc<ClientConfig>,
}

impl Context {
    /// Sets everything up; touches no network and no file.
    ///
    /// # Errors
    ///
    /// If the TLS client cannot be built.
    pub fn new() -> Result<Self, ContextError> {
        Ok(Self {
            tls: Arc::new(tls::config()?),
        })
    }
}
