//! What holds at this moment in this process, by name.

use std::collections::BTreeMap;

use haulier_core::brake::Holding;
use haulier_core::control::Side;
use tokio::sync::watch;

/// The brakes that hold. Clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(watch::Sender<BTreeMap<String, (Side, Holding)>>);

impl Board {
    /// Puts up what a brake holds by, or takes it down.
    pub fn put(&self, side: Side, name: &str, holding: Option<&Holding>) {
        self.0.send_if_modified(|held| {
            let held_before = held.get(name).map(|(_, holding)| holding);
            if held_before == holding {
                return false;
            }
            let (was, is) = (held_before.is_some(), holding.is_some());
            match holding {
                Some(holding) => {
                    held.insert(name.to_owned(), (side, holding.clone()));
                }
                None => {
                    held.remove(name);
                }
            }
            // A changed value is no news for the log; a brake that begins or ends to hold is.
            match (was, is, holding) {
                (false, true, Some(holding)) => tracing::warn!(%side, brake = %holding, "a brake holds"),
                (true, false, _) => tracing::info!(%side, brake = name, "a brake let go"),
                (_, _, _) => {}
            }
            true
        });
    }

    /// Everything that holds, by name.
    #[must_use]
    pub fn holding(&self) -> Vec<(Side, Holding)> {
        self.0.borrow().values().cloned().collect()
    }

    /// To wait for changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BTreeMap<String, (Side, Holding)>> {
        self.0.subscribe()
    }
}
