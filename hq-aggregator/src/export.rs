//! What head office holds, as JSON lines: the entries of every chain, then the projections.
//!
//! Reads one moment of the database, whatever is written meanwhile. The form is promised in docs/contracts.md, section 8.2.

use std::io::Write;

use data_encoding::BASE64;
use serde_json::{Value, json};

use backroom_core::facts::Kind;
use backroom_core::federation::receiver::Branch;
use backroom_core::ids::StoreId;
use backroom_core::journal::{Entry, Epoch, Seq};
use backroom_protocol::payload;

use crate::db::{Connection, DbError, unsigned};
use crate::tenant::TenantDb;
use crate::tenant::journal::{self, Kept};
use crate::tenant::progress;
use crate::tenant::projections::Shift;

const ROUND: u32 = 500;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("could not write the export")]
    Write(#[from] std::io::Error),
}

/// Writes everything of one store, or of all.
pub async fn export(tenant: &TenantDb, only: Option<StoreId>, out: &mut impl Write) -> Result<(), ExportError> {
    let mut snapshot = tenant.snapshot().await?;
    let mut stores = journal::stores(&mut snapshot).await?;
    stores.retain(|store| only.is_none_or(|only| only == *store));
    for store in &stores {
        for (epoch, branch, last) in held_chains(&mut snapshot, *store).await? {
            export_chain(&mut snapshot, *store, epoch, branch, last, out).await?;
        }
    }
    for lines in [
        sales(&mut snapshot, only).await?,
        stock(&mut snapshot, only).await?,
        tills(&mut snapshot, only).await?,
    ] {
        for line in lines {
            writeln!(out, "{line}")?;
        }
    }
    for store in &stores {
        for line in watermarks(&mut snapshot, *store).await? {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}

/// The chains which reach down to entry 1, with their last entry. What waits for a gap to close is not held.
pub async fn held_chains(db: &mut Connection, store: StoreId) -> Result<Vec<(Epoch, Branch, Seq)>, DbError> {
    let mut held = Vec::new();
    for (epoch, stretches) in journal::stretches(db, store).await? {
        let reaching = stretches.iter().filter(|stretch| journal::is_rooted(&stretches, stretch.branch));
        held.extend(reaching.map(|stretch| (epoch, stretch.branch, stretch.last)));
    }
    Ok(held)
}

async fn export_chain(
    db: &mut Connection,
    store: StoreId,
    epoch: Epoch,
    branch: Branch,
    last: Seq,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let mut after = Seq(0);
    while after < last {
        let round = journal::following(db, store, epoch, branch, after, ROUND).await?;
        let Some(end) = round.last().map(|kept| kept.seq) else { break };
        for kept in round {
            writeln!(out, "{}", entry_line(store, kept)?)?;
        }
        after = end;
    }
    Ok(())
}

fn entry_line(store: StoreId, kept: Kept) -> Result<Value, DbError> {
    let stored_hash = kept.hash;
    let entry = Entry::read(kept.bytes).map_err(|error| DbError::damaged("an entry", format!("{}:{}: {error}", kept.epoch, kept.seq)))?;
    let header = &entry.header;
    let kind = Kind::from_number(header.kind).map_or_else(|| format!("kind_{}", header.kind), |kind| kind.word().to_owned());
    // An entry this version can not read is exported all the same; its bytes are the truth.
    let body = payload::fact(&entry)
        .ok()
        .flatten()
        .and_then(|fact| serde_json::to_value(fact).ok());
    Ok(json!({
        "store": store.as_str(),
        "epoch": header.epoch.0,
        "seq": header.seq.0,
        "time": header.at.to_string(),
        "business_day": header.business_day.to_string(),
        "kind": kind,
        "command_id": header.command_id.map(|id| id.to_string()),
        "device": header.device.map(|id| id.to_string()),
        "staff": header.staff.map(|id| id.to_string()),
        "prev_hash": header.prev_hash.to_string(),
        "hash": stored_hash.to_string(),
        "bytes": BASE64.encode(&entry.bytes),
        "body": body,
    }))
}

fn projection(name: &str, key: String, value: Value) -> Value {
    json!({ "projection": name, "key": key, "value": value })
}

async fn sales(db: &mut Connection, only: Option<StoreId>) -> Result<Vec<Value>, DbError> {
    type Row = (String, String, i64, i64, String, String, i64, i64, i64, i64, String);
    let only = only.map(|store| store.to_string());
    let rows: Vec<Row> = sqlx::query_as(
        "select store, register, series, number, ended, business_day, net, tax, cash_rounding, due, currency from sale \
         where $1 is null or store = $1 order by store, register, series, number, epoch, seq",
    )
    .bind(&only)
    .fetch_all(db)
    .await
    .map_err(DbError::doing("export sales"))?;
    let line = |(store, register, series, number, end, business_day, net, tax, cash_rounding, due, currency): Row| {
        let value = json!({
            "end": end, "business_day": business_day, "net": net, "tax": tax,
            "cash_rounding": cash_rounding, "due": due, "currency": currency,
        });
        projection("sales", format!("{store}/{register}/{series}/{number}"), value)
    };
    Ok(rows.into_iter().map(line).collect())
}

async fn stock(db: &mut Connection, only: Option<StoreId>) -> Result<Vec<Value>, DbError> {
    let only = only.map(|store| store.to_string());
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as("select store, sku, on_hand from stock where $1 is null or store = $1 order by store, sku")
            .bind(&only)
            .fetch_all(db)
            .await
            .map_err(DbError::doing("export the stock"))?;
    let line = |(store, sku, on_hand): (String, String, i64)| projection("stock", format!("{store}/{sku}"), json!({ "on_hand": on_hand }));
    Ok(rows.into_iter().map(line).collect())
}

#[derive(sqlx::FromRow)]
struct ShiftRow {
    store: String,
    till: String,
    shift: String,
    #[sqlx(flatten)]
    sums: Shift,
}

async fn tills(db: &mut Connection, only: Option<StoreId>) -> Result<Vec<Value>, DbError> {
    let only = only.map(|store| store.to_string());
    let rows: Vec<ShiftRow> = sqlx::query_as(
        "select store, till, shift, float, cash_taken, change, cash_refunds, paid_in, paid_out, drops, counted from shift \
         where $1 is null or store = $1 order by store, till, shift",
    )
    .bind(&only)
    .fetch_all(db)
    .await
    .map_err(DbError::doing("export the tills"))?;
    let line = |row: ShiftRow| {
        let sums = row.sums;
        let expected = i64::try_from(sums.expected()).map_err(|_| DbError::damaged("the cash of a shift", sums.expected()))?;
        let value = json!({
            "float": sums.float, "cash_taken": sums.cash_taken, "change": sums.change, "cash_refunds": sums.cash_refunds,
            "paid_in": sums.paid_in, "paid_out": sums.paid_out, "drops": sums.drops, "expected": expected,
            "counted": sums.counted, "open": sums.counted.is_none(),
        });
        Ok(projection("tills", format!("{}/{}/{}", row.store, row.till, row.shift), value))
    };
    rows.into_iter().map(line).collect()
}

async fn watermarks(db: &mut Connection, store: StoreId) -> Result<Vec<Value>, DbError> {
    let progress = progress::load(db, store).await?;
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "select epoch, seq, hash from entry one where store = $1 and branch = 0 and seq = \
         (select max(seq) from entry other where other.store = one.store and other.epoch = one.epoch and other.branch = 0) order by epoch",
    )
    .bind(store.as_str())
    .fetch_all(db)
    .await
    .map_err(DbError::doing("export the watermarks"))?;
    let line = |(epoch, held, hash): (i64, i64, Vec<u8>)| {
        let key = (journal::read_epoch(epoch)?, Branch::MAIN);
        let applied = progress.get(&key).map_or(Seq(0), |progress| progress.all());
        let value = json!({ "held": unsigned(held), "applied": applied.0, "hash": journal::read_hash(&hash)?.to_string() });
        Ok(projection("watermark", format!("{store}/{epoch}"), value))
    };
    rows.into_iter().map(line).collect()
}
