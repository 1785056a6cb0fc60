//! The journals of a company's stores as head office has them: raw bytes, never changed, never overwritten.
//!
//! Which chain an entry belongs to is decided by core's receiver; here it is only written down.

use backroom_core::federation::receiver::{Branch, Stored, Stretch};
use backroom_core::ids::StoreId;
use backroom_core::journal::{Entry, Epoch, Hash, Seq};

use crate::db::{Connection, DbError, Pool, now_micros, signed, unsigned};

/// An entry as it lies in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub epoch: Epoch,
    pub branch: Branch,
    pub seq: Seq,
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

/// False when just this entry was there already.
pub async fn insert(db: &mut Connection, store: StoreId, branch: Branch, entry: &Entry) -> Result<bool, DbError> {
    let sql = "insert into entry (store, epoch, seq, hash, prev_hash, branch, bytes, arrived_at) values ($1, $2, $3, $4, $5, $6, $7, $8) \
               on conflict (store, epoch, seq, hash) do nothing";
    let done = sqlx::query(sql)
        .bind(store.as_str())
        .bind(i64::from(entry.header.epoch.0))
        .bind(signed(entry.header.seq.0))
        .bind(&entry.hash.0[..])
        .bind(&entry.header.prev_hash.0[..])
        .bind(i64::from(branch.0))
        .bind(&entry.bytes)
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("keep an entry"))?;
    Ok(done.rows_affected() > 0)
}

/// Counts one more time that entries of a store are taken in, and says how many there were with this one.
pub async fn count_intake(db: &mut Connection, store: StoreId) -> Result<u64, DbError> {
    let sql = "insert into intake (store, version) values ($1, 1) \
               on conflict (store) do update set version = intake.version + 1 returning version";
    let query = sqlx::query_scalar(sql).bind(store.as_str());
    let version: i64 = query.fetch_one(db).await.map_err(DbError::doing("count what was taken in"))?;
    Ok(unsigned(version))
}

/// How many times entries of a store were taken in.
pub async fn intakes(db: &Pool, store: StoreId) -> Result<u64, DbError> {
    let query = sqlx::query_scalar("select version from intake where store = $1").bind(store.as_str());
    let version: Option<i64> = query.fetch_optional(db).await.map_err(DbError::doing("look what was taken in"))?;
    Ok(version.map_or(0, unsigned))
}

pub async fn relabel(db: &mut Connection, store: StoreId, epoch: Epoch, from: Branch, to: Branch) -> Result<(), DbError> {
    sqlx::query("update entry set branch = $1 where store = $2 and epoch = $3 and branch = $4")
        .bind(i64::from(to.0))
        .bind(store.as_str())
        .bind(i64::from(epoch.0))
        .bind(i64::from(from.0))
        .execute(db)
        .await
        .map_err(DbError::doing("close a gap"))?;
    Ok(())
}

/// All entries at these places, of whatever branch.
pub async fn stored(db: &mut Connection, store: StoreId, epoch: Epoch, first: Seq, last: Seq) -> Result<Vec<Stored>, DbError> {
    let rows: Vec<(i64, Vec<u8>, i64)> =
        sqlx::query_as("select seq, hash, branch from entry where store = $1 and epoch = $2 and seq between $3 and $4 order by seq")
            .bind(store.as_str())
            .bind(i64::from(epoch.0))
            .bind(signed(first.0))
            .bind(signed(last.0))
            .fetch_all(db)
            .await
            .map_err(DbError::doing("look for entries"))?;
    let stored = |(seq, hash, branch): (i64, Vec<u8>, i64)| {
        Ok(Stored {
            seq: Seq(unsigned(seq)),
            hash: read_hash(&hash)?,
            branch: read_branch(branch)?,
        })
    };
    rows.into_iter().map(stored).collect()
}

/// Where exactly this entry lies.
pub async fn branch_of(db: &mut Connection, store: StoreId, epoch: Epoch, seq: Seq, hash: Hash) -> Result<Option<Branch>, DbError> {
    let found: Option<i64> = sqlx::query_scalar("select branch from entry where store = $1 and epoch = $2 and seq = $3 and hash = $4")
        .bind(store.as_str())
        .bind(i64::from(epoch.0))
        .bind(signed(seq.0))
        .bind(&hash.0[..])
        .fetch_optional(db)
        .await
        .map_err(DbError::doing("look for an entry"))?;
    found.map(read_branch).transpose()
}

/// What the receiver starts from: every stretch of every epoch, epochs rising.
pub async fn stretches(db: &mut Connection, store: StoreId) -> Result<Vec<(Epoch, Vec<Stretch>)>, DbError> {
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
        "select epoch, branch, min(seq), max(seq) from entry where store = $1 group by epoch, branch order by epoch, branch",
    )
    .bind(store.as_str())
    .fetch_all(&mut *db)
    .await
    .map_err(DbError::doing("measure the journal"))?;
    let mut epochs: Vec<(Epoch, Vec<Stretch>)> = Vec::new();
    for (epoch, branch, first, last) in rows {
        let (epoch, branch) = (read_epoch(epoch)?, read_branch(branch)?);
        let (first, last) = (Seq(unsigned(first)), Seq(unsigned(last)));
        let (_, before) = link(db, store, epoch, branch, first).await?;
        let (hash, _) = link(db, store, epoch, branch, last).await?;
        let parent = match first.0 {
            0 | 1 => None,
            _ => branch_of(db, store, epoch, Seq(first.0 - 1), before).await?,
        };
        let stretch = Stretch {
            branch,
            first,
            before,
            last,
            hash,
            parent,
        };
        match epochs.last_mut().filter(|(last, _)| *last == epoch) {
            Some((_, stretches)) => stretches.push(stretch),
            None => epochs.push((epoch, vec![stretch])),
        }
    }
    Ok(epochs)
}

/// Whether a stretch reaches down to entry 1 through what is stored. If not, it waits for a gap to close, and is not held.
pub fn is_rooted(epoch: &[Stretch], branch: Branch) -> bool {
    let mut at = Some(branch);
    // Each parent lies lower; the bound is for a damaged database.
    for _ in 0..=epoch.len() {
        let stretch = at.and_then(|branch| epoch.iter().find(|stretch| stretch.branch == branch));
        let Some(stretch) = stretch else { return false };
        if stretch.first == Seq(1) {
            return true;
        }
        at = stretch.parent;
    }
    false
}

/// Hash and previous hash of an entry that is there.
async fn link(db: &mut Connection, store: StoreId, epoch: Epoch, branch: Branch, seq: Seq) -> Result<(Hash, Hash), DbError> {
    let (hash, prev_hash): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select hash, prev_hash from entry where store = $1 and epoch = $2 and branch = $3 and seq = $4")
            .bind(store.as_str())
            .bind(i64::from(epoch.0))
            .bind(i64::from(branch.0))
            .bind(signed(seq.0))
            .fetch_one(db)
            .await
            .map_err(DbError::doing("read an entry's hash"))?;
    Ok((read_hash(&hash)?, read_hash(&prev_hash)?))
}

/// The next entries of a branch after `after`, at most `most`.
pub async fn following(
    db: &mut Connection,
    store: StoreId,
    epoch: Epoch,
    branch: Branch,
    after: Seq,
    most: u32,
) -> Result<Vec<Kept>, DbError> {
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select seq, hash, bytes from entry where store = $1 and epoch = $2 and branch = $3 and seq > $4 order by seq limit $5",
    )
    .bind(store.as_str())
    .bind(i64::from(epoch.0))
    .bind(i64::from(branch.0))
    .bind(signed(after.0))
    .bind(i64::from(most))
    .fetch_all(db)
    .await
    .map_err(DbError::doing("read entries"))?;
    let kept = |(seq, hash, bytes): (i64, Vec<u8>, Vec<u8>)| {
        Ok(Kept {
            epoch,
            branch,
            seq: Seq(unsigned(seq)),
            hash: read_hash(&hash)?,
            bytes,
        })
    };
    rows.into_iter().map(kept).collect()
}

/// The stores which ever sent something.
pub async fn stores(db: &mut Connection) -> Result<Vec<StoreId>, DbError> {
    let rows: Vec<String> = sqlx::query_scalar("select distinct store from entry order by store")
        .fetch_all(db)
        .await
        .map_err(DbError::doing("list the stores in the journal"))?;
    rows.into_iter()
        .map(|text| text.parse().map_err(|_| DbError::damaged("a store", &text)))
        .collect()
}

pub fn read_hash(bytes: &[u8]) -> Result<Hash, DbError> {
    Hash::from_slice(bytes).ok_or_else(|| DbError::damaged("a hash", format!("{} bytes", bytes.len())))
}

pub fn read_epoch(number: i64) -> Result<Epoch, DbError> {
    u32::try_from(number).map(Epoch).map_err(|_| DbError::damaged("an epoch", number))
}

pub fn read_branch(number: i64) -> Result<Branch, DbError> {
    u32::try_from(number).map(Branch).map_err(|_| DbError::damaged("a branch", number))
}
