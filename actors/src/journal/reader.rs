//! Reading the journal beside its writer: a few read-only connections, every question bounded.
//!
//! Readers see what is flushed and nothing else; none holds a snapshot longer than one question, so checkpoints are never kept waiting.

use std::path::Path;

use backroom_core::ids::{CommandId, DeviceId, ReceiptNo, TicketId};
use backroom_core::journal::{Entry, Epoch, Head, Seq};
use sqlx::SqlitePool;

use super::BodyHash;
use super::sql;
use crate::file::{self, FileError};

/// A handle for questions.
#[derive(Clone)]
pub struct Reader {
    pool: SqlitePool,
}

impl Reader {
    /// The file must exist already.
    pub async fn open(file: &Path) -> Result<Reader, FileError> {
        let pool = file::readers(file).await?;
        Ok(Reader { pool })
    }

    /// Lets go of the file, so that the last to leave tidies up.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn range(&self, epoch: Epoch, first: Seq, limit: u32) -> Result<Vec<Entry>, FileError> {
        sql::range(&mut *self.pool.acquire().await?, epoch, first, limit).await
    }

    pub async fn by_ticket(&self, ticket: TicketId) -> Result<Option<Entry>, FileError> {
        sql::by_ticket(&mut *self.pool.acquire().await?, ticket).await
    }

    pub async fn by_receipt(&self, receipt: ReceiptNo) -> Result<Option<Entry>, FileError> {
        sql::by_receipt(&mut *self.pool.acquire().await?, receipt).await
    }

    pub async fn command(&self, id: CommandId) -> Result<Option<(BodyHash, Entry)>, FileError> {
        sql::command(&mut *self.pool.acquire().await?, id).await
    }

    pub async fn open_tenders(&self, ticket: TicketId) -> Result<Vec<Entry>, FileError> {
        sql::open_tenders(&mut *self.pool.acquire().await?, ticket).await
    }

    /// What was asked of a machine and has no end yet, oldest first.
    pub async fn open_jobs(&self, device: DeviceId) -> Result<Vec<sql::OpenJob>, FileError> {
        sql::open_jobs(&mut *self.pool.acquire().await?, device).await
    }

    /// What was asked of any machine and has no end yet, oldest first.
    pub async fn wanted_jobs(&self) -> Result<Vec<Entry>, FileError> {
        sql::wanted_jobs(&mut *self.pool.acquire().await?).await
    }

    pub async fn is_open_job(&self, name: &str) -> Result<bool, FileError> {
        sql::is_open_job(&mut *self.pool.acquire().await?, name).await
    }

    pub async fn rare(&self, kind: backroom_core::facts::Kind) -> Result<Vec<Entry>, FileError> {
        sql::rare(&mut *self.pool.acquire().await?, kind).await
    }

    pub async fn heads(&self) -> Result<Vec<Head>, FileError> {
        sql::heads(&mut *self.pool.acquire().await?).await
    }

    pub async fn stock(&self) -> Result<Vec<(String, i64)>, FileError> {
        sql::stock(&mut *self.pool.acquire().await?).await
    }

    /// The stock, with the place in the journal it stands for, read as one.
    pub async fn stock_through(&self) -> Result<((Epoch, Seq), Vec<(String, i64)>), FileError> {
        let mut snapshot = self.pool.begin().await?;
        let tail = sql::tail(&mut snapshot, 1).await?;
        let through = tail.last().map_or((Epoch(0), Seq(0)), Entry::position);
        let rows = sql::stock(&mut snapshot).await?;
        snapshot.commit().await?;
        Ok((through, rows))
    }

    pub async fn tills(&self) -> Result<Vec<(u64, backroom_core::till::Till)>, FileError> {
        sql::tills(&mut *self.pool.acquire().await?).await
    }

    pub async fn counters(&self) -> Result<Vec<(String, i64, i64)>, FileError> {
        sql::counters(&mut *self.pool.acquire().await?).await
    }

    /// The receipts that took something of this one back.
    pub async fn returned(&self, receipt: ReceiptNo) -> Result<Vec<ReceiptNo>, FileError> {
        let by = sql::returned(&mut *self.pool.acquire().await?, receipt).await?;
        let number = |text: &String| {
            text.parse()
                .map_err(|error| FileError::Content(format!("a return's receipt: {error}")))
        };
        by.iter().map(number).collect()
    }

    /// Receipts that were taken back, each with the one that did.
    pub async fn all_returned(&self) -> Result<Vec<(String, String)>, FileError> {
        sql::all_returned(&mut *self.pool.acquire().await?).await
    }

    pub async fn segments(&self) -> Result<Vec<String>, FileError> {
        sql::segments(&mut *self.pool.acquire().await?).await
    }

    /// Raw rows in the order they were written, for export and verification.
    pub async fn raw_after(&self, position: i64, limit: u32) -> Result<Vec<(i64, i64, i64, Vec<u8>, Vec<u8>)>, FileError> {
        sql::raw_after(&mut *self.pool.acquire().await?, position, limit).await
    }
}
