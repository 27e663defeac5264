//! A source's consent before a client's changes of its offsets are stored.
//!
//! Enters: the changes that a client wants. Leaves: what the plugin says of them. Invariant: it is asked in an instance of its
//! own, without any grant; a package that does not export the interface is not asked, and its answer is that it cannot tell.

use std::sync::Arc;

use lockgate_model::{GuestError, Position};

use crate::abi::exports::offsets::PositionChange;
use crate::abi::imports::tasks::ConnectorContext;
use crate::abi::settings;
use crate::instance::Instance;
use crate::package::{ASK, Package};

impl Package {
    /// Asks a source whether these changes of its positions make sense; `offset: None` forgets a position. True: yes, and
    /// nothing is kept elsewhere that had to be altered, too. False: it cannot tell. Source: KIP-875.
    ///
    /// # Errors
    /// The plugin refuses all of the changes, trapped or reached a limit: none of them may be stored.
    pub async fn alter_offsets(
        self: &Arc<Self>,
        class: &str,
        connector: &str,
        config: &[(String, String)],
        changes: &[Position],
    ) -> Result<bool, GuestError> {
        let Some(offsets) = &self.offsets else { return Ok(false) };
        let shared = self.asking(class);
        let (mut instance, component) = Instance::new(&shared, &[]).await?;
        let guest = offsets.load(&mut instance.store, &component);
        let guest = guest.map_err(|e| instance.protocol("alter", format!("{e:#}")))?;
        let config = settings(config);
        let context = ConnectorContext { class: &shared.spec.class, connector, config: &config };
        let changes = changes.iter().map(|p| PositionChange { partition: &p.partition, offset: p.offset.as_deref() });
        let changes: Vec<_> = changes.collect();
        let call = instance.begin("alter", ASK)?;
        let outcome = call.run(guest.call_alter(&mut instance.store, context, &changes)).await;
        instance.answer(&call, outcome, 0)
    }
}
