//! Cursors.

use async_trait::async_trait;
use haulier_core::port::{Cursor, Cursors, LedgerError};
use haulier_core::{EntityName, RunId};

use super::Book;
use crate::conn::Backend;
use crate::work::{AdvanceCursors, ReadCursors};

#[async_trait]
impl<B: Backend> Cursors for Book<B> {
    async fn cursors(&self, run: &RunId, entity: &EntityName) -> Result<Vec<Cursor>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let Some(number) = self.names.find(&self.backend, entity).await? else { return Ok(Vec::new()) };
        self.backend.read(ReadCursors { run, entity: number, entity_name: entity.clone() }).await
    }

    async fn advance(&self, run: &RunId, cursors: &[Cursor]) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let mut numbered = Vec::with_capacity(cursors.len());
        for cursor in cursors {
            numbered.push((self.names.intern(&self.backend, &cursor.walk.entity).await?, cursor.clone()));
        }
        self.backend.write(AdvanceCursors { run, cursors: numbered }).await
    }
}
