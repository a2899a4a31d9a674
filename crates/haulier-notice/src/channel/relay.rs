//! A person who passes it on, and says so.

use async_trait::async_trait;
use haulier_core::notice::Post;

use super::{Channel, Delivery};

/// A person; `haulier notices ack` is the confirmation.
#[derive(Debug, Clone)]
pub struct Relay {
    person: String,
}

impl Relay {
    /// By a name that operators know.
    #[must_use]
    pub fn new(person: impl Into<String>) -> Self {
        Self { person: person.into() }
    }
}

#[async_trait]
impl Channel for Relay {
    async fn deliver(&self, _: &Post) -> Delivery {
        Delivery::Handed(format!("{} passes it on, and confirms", self.person))
    }

    async fn knows(&self, _: &Post) -> Option<bool> {
        None
    }
}
