//! What SQLite can do on this disk: rusqlite with prepared statements on one thread, WAL and full synchronisation, one sale of five
//! lines as fourteen statements, so many sales a commit.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::{Connection, params};

use crate::latency::Latencies;

const SCHEMA: &str = "
    create table sale (id integer primary key, register text not null, number integer not null, total integer not null, at integer not null);
    create table line (sale integer not null, line integer not null, sku text not null, quantity integer not null, amount integer not null,
                       primary key (sale, line)) without rowid;
    create table stock (sku text primary key, on_hand integer not null) without rowid;
    create table payment (sale integer primary key, kind text not null, amount integer not null);
    create table event (seq integer primary key, body blob not null);
    create table outbox (seq integer primary key, body blob not null);
";

/// Figures of one probe.
#[derive(Clone, Debug)]
pub struct Sales {
    pub per_second: f64,
    pub commits: Latencies,
}

/// Sells for so long into a fresh database in this folder.
pub fn sales(folder: &Path, sales_per_commit: u32, time: Duration) -> Result<Sales> {
    let path = folder.join(format!("sqlite-probe-{sales_per_commit}.db"));
    let probed = probe(&path, sales_per_commit, time).context("the SQLite probe failed");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    probed
}

fn probe(path: &Path, sales_per_commit: u32, time: Duration) -> Result<Sales> {
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "full")?;
    database.execute_batch(SCHEMA)?;
    let items: Vec<String> = (0..1_000).map(|number| format!("SKU-{number:06}")).collect();
    let filling = database.transaction()?;
    for sku in &items {
        filling.execute("insert into stock values (?, 1000000)", [sku])?;
    }
    filling.commit()?;

    let mut sold = 0_u64;
    let mut commits = Latencies::default();
    let began = Instant::now();
    while began.elapsed() < time {
        let commit = Instant::now();
        let transaction = database.transaction()?;
        for _ in 0..sales_per_commit {
            sold += 1;
            one_sale(&transaction, sold as i64, &items)?;
        }
        transaction.commit()?;
        commits.push(commit.elapsed());
    }
    Ok(Sales {
        per_second: sold as f64 / began.elapsed().as_secs_f64(),
        commits,
    })
}

fn one_sale(database: &Connection, sale: i64, items: &[String]) -> rusqlite::Result<()> {
    let body = [0x42_u8; 400];
    let mut statement = database.prepare_cached("insert into sale values (?, 'r1', ?, 4995, 1700000000)")?;
    statement.execute(params![sale, sale])?;
    for line in 0..5 {
        let sku = &items[((sale * 7 + line * 131) % items.len() as i64) as usize];
        let mut statement = database.prepare_cached("insert into line values (?, ?, ?, 1000, 999)")?;
        statement.execute(params![sale, line, sku])?;
        let mut statement = database.prepare_cached("update stock set on_hand = on_hand - 1000 where sku = ?")?;
        statement.execute(params![sku])?;
    }
    database
        .prepare_cached("insert into payment values (?, 'cash', 4995)")?
        .execute([sale])?;
    database
        .prepare_cached("insert into event values (?, ?)")?
        .execute(params![sale, body])?;
    database
        .prepare_cached("insert into outbox values (?, ?)")?
        .execute(params![sale, body])?;
    Ok(())
}
