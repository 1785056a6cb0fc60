//! What the stores of a company say of themselves, and how that compares with what is held.

use backroom_core::ids::StoreId;
use backroom_core::journal::{Epoch, Seq};
use backroom_protocol::messages::Hello;

use crate::db::{self, DbError, now_micros, signed, unsigned};

use super::TenantDb;
use super::journal::read_epoch;

/// How far the journal of a store has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When it announced itself last, unix microseconds.
    pub announced_at: Option<i64>,
    /// The newest epoch that was announced or received.
    pub epoch: Epoch,
    /// Of that epoch: what the store said it has, what is held, and what is in all projections.
    pub head: Seq,
    pub held: Seq,
    pub applied: Seq,
    /// The store has answered all directives up to this number; so many after it wait.
    pub directives_through: u64,
    pub directives_pending: u64,
    pub open_cases: u64,
}

impl TenantDb {
    /// Keeps what a store announced. An older announcement that comes late does no harm: it is only shown.
    pub async fn announced(&self, hello: &Hello) -> Result<(), DbError> {
        let newest = hello.heads.iter().max_by_key(|head| head.epoch);
        let sql = "insert into announced (store, at, epoch, head, directives_through, version) values ($1, $2, $3, $4, $5, $6) \
                   on conflict (store) do update set at = excluded.at, epoch = excluded.epoch, head = excluded.head, \
                   directives_through = case when \
                   excluded.directives_through > announced.directives_through then excluded.directives_through \
                   else announced.directives_through end, version = excluded.version";
        let query = sqlx::query(sql)
            .bind(hello.address.store.as_str())
            .bind(now_micros())
            .bind(newest.map_or(0, |head| i64::from(head.epoch.0)))
            .bind(newest.map_or(0, |head| signed(head.seq.0)))
            .bind(signed(hello.directives_through))
            .bind(db::text(&hello.version));
        query.execute(self.writer()).await.map_err(DbError::doing("keep an announcement"))?;
        Ok(())
    }

    pub async fn standing(&self, store: StoreId) -> Result<Standing, DbError> {
        let doing = DbError::doing("see how far a store is");
        let mut db = self.snapshot().await?;
        let announced: Option<(i64, i64, i64, i64)> =
            sqlx::query_as("select at, epoch, head, directives_through from announced where store = $1")
                .bind(store.as_str())
                .fetch_optional(&mut *db)
                .await
                .map_err(&doing)?;
        // By the end of the index, not by a maximum: a server that has not counted its rows yet would read all of them.
        let newest: Option<(i64, i64)> =
            sqlx::query_as("select epoch, seq from entry where store = $1 and branch = 0 order by epoch desc, seq desc limit 1")
                .bind(store.as_str())
                .fetch_optional(&mut *db)
                .await
                .map_err(&doing)?;
        let (newest, held) = newest.unwrap_or_default();
        let (announced_at, announced_epoch, announced_head, through) = announced.unwrap_or_default();
        let epoch = newest.max(announced_epoch);
        let held = if newest == epoch { held } else { 0 };
        let applied: Option<i64> =
            sqlx::query_scalar("select min(applied) from progress where store = $1 and epoch = $2 and branch = 0 having count(*) = 4")
                .bind(store.as_str())
                .bind(epoch)
                .fetch_optional(&mut *db)
                .await
                .map_err(&doing)?
                .flatten();
        let (pending, answered): (i64, Option<i64>) = sqlx::query_as(
            "select count(*) filter (where state = 'pending'), max(case when state = 'pending' then null else number end) \
             from directive where store = $1",
        )
        .bind(store.as_str())
        .fetch_one(&mut *db)
        .await
        .map_err(&doing)?;
        let open_cases: i64 = sqlx::query_scalar("select count(*) from quarantine where store = $1 and resolved_at is null")
            .bind(store.as_str())
            .fetch_one(&mut *db)
            .await
            .map_err(&doing)?;
        let head = if announced_epoch == epoch { announced_head.max(held) } else { held };
        Ok(Standing {
            announced_at: announced.map(|_| announced_at),
            epoch: read_epoch(epoch)?,
            head: Seq(unsigned(head)),
            held: Seq(unsigned(held)),
            applied: Seq(unsigned(applied.unwrap_or(0))),
            directives_through: unsigned(through.max(answered.unwrap_or(0))),
            directives_pending: unsigned(pending),
            open_cases: unsigned(open_cases),
        })
    }
}
