//! stub
use std::sync::Arc;

use bytes::Bytes;

use crate::{EngineError, EngineOptions, Package, PackageError};

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<EngineOptions>);

impl Engine {
    /// Sets it up.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        Ok(Self(Arc::new(options)))
    }

    /// Loads a package.
    pub async fn load(&self, bytes: Bytes) -> Result<Arc<Package>, PackageError> {
        drop((&self.0, bytes));
        Err(PackageError::Empty)
    }
}
