//! Keeping a count: what becomes a fact, and finding out whether it did.
//!
//! The tags are in the file before the journal is asked; from then on the journal decides whether they were kept, whoever falls meanwhile.

use std::sync::Arc;
use std::time::Duration;

use backroom_core::facts::{CountedItem, Fact, ShelfCounted};
use backroom_core::ids::CommandId;

use super::state::{Kept, Stage};
use super::tags::KeptRow;
use super::{CountError, Keep, State, save};
use crate::file::FileError;
use crate::journal::writer::committed_from;
use crate::journal::{Append, AppendError, Committed};
use crate::stock;

const STOCK_PATIENCE: Duration = Duration::from_secs(5);

impl State {
    /// The tags are in the file before the journal is asked; the journal then decides whether they were kept.
    pub(super) async fn keep(&mut self, keep: Keep) -> Result<Committed, CountError> {
        if let Some(before) = self.settings.shop.said_before(keep.id, keep.body).await? {
            let committed = before?;
            self.resolve().await?;
            return Ok(committed);
        }
        self.sold.catch_up(&self.settings.shop, &mut self.file).await?;
        let count = self.find(keep.count).await?;
        if count.stage == Stage::Keeping {
            let place = count.place.clone();
            return Err(CountError::BeingKept { place });
        }
        // Nothing is added from here on, whatever comes of it.
        count.stage = Stage::Paused;
        self.want();
        let fact = self.counted(keep.count).await?;
        self.file.keeping(keep.count, keep.id).await?;
        self.keeping.insert(keep.count, keep.id);
        if let Some(count) = self.open.get_mut(&keep.count) {
            count.stage = Stage::Keeping;
        }
        let append = Append {
            command_id: Some(keep.id),
            body_hash: keep.body,
            device: Some(keep.register),
            staff: Some(keep.staff),
            ..Append::by_the_box(Fact::ShelfCounted(Box::new(fact)))
        };
        match self.settings.shop.journal.append(append).await {
            Ok(committed) => {
                self.settings.shop.recent.remember(keep.id, keep.body);
                self.kept(keep.count, &committed).await?;
                Ok(committed)
            }
            // Whether it is in the journal is found out as soon as the journal can be asked.
            Err(error @ AppendError::Away(_)) => Err(error.into()),
            Err(error) => {
                self.not_kept(keep.count).await?;
                Err(error.into())
            }
        }
    }

    /// What the journal shall hold of a count.
    async fn counted(&mut self, id: CommandId) -> Result<ShelfCounted, CountError> {
        let count = self.open.get_mut(&id).ok_or(CountError::Unknown)?;
        save(&mut self.file, count).await?;
        let mut lines = Vec::new();
        for (sku, counted) in count.counted() {
            let asked = sku.clone();
            let on_hand = self
                .settings
                .stock
                .ask(|reply| stock::Message::OnHand { sku: asked, reply }, STOCK_PATIENCE);
            lines.push(CountedItem {
                sku,
                counted,
                on_hand: on_hand.await?,
            });
        }
        Ok(ShelfCounted {
            count: id,
            place: count.place.to_string(),
            readers: count.readers.iter().copied().collect(),
            tags: count.tags(),
            missing: count.missing(),
            missing_unexplained: count.missing_unexplained(self.sold.sales()),
            lines,
        })
    }

    /// Asks the journal about counts of which nobody knows whether they were kept: after a fall, or when the journal was away.
    pub(super) async fn resolve(&mut self) -> Result<(), FileError> {
        for (count, command) in self.keeping.clone() {
            // What was submitted before a fall is decided first.
            if self.settings.shop.journal.settle().await.is_err() {
                return Ok(());
            }
            match self.settings.shop.reader.command(command).await? {
                Some((_, entry)) => self.kept(count, &committed_from(&entry)?).await?,
                None => self.not_kept(count).await?,
            }
        }
        Ok(())
    }

    async fn kept(&mut self, id: CommandId, committed: &Committed) -> Result<(), FileError> {
        let Some(count) = self.open.get(&id) else { return Ok(()) };
        let position = (committed.head.epoch, committed.head.seq);
        let row = KeptRow {
            place: count.place.clone(),
            count: id,
            at: committed.at,
            position,
            tags: count.tags(),
        };
        self.file.kept(&row).await?;
        let catalog = self.settings.shop.catalog.borrow().clone();
        let tags = count.all_tags().cloned().collect();
        let kept = Kept::new(id, committed.at, position, tags, &catalog);
        self.kept.insert(row.place, Arc::new(kept));
        self.open.remove(&id);
        self.keeping.remove(&id);
        Ok(())
    }

    async fn not_kept(&mut self, id: CommandId) -> Result<(), FileError> {
        self.file.paused(id).await?;
        self.keeping.remove(&id);
        if let Some(count) = self.open.get_mut(&id) {
            count.stage = Stage::Paused;
        }
        Ok(())
    }
}
