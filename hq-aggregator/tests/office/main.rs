//! Head office as its own process, with a real nats-server, against small stores which speak the real bytes.
//!
//! Looks at it only as a store, a person at the command line and a client of the portal do; `books` walks in and opens the
//! databases itself. Every story is told on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

mod books;
mod engine;
mod faults;
mod head_office;
mod http;
mod ingest;
mod orders;
mod pages;
mod portal;
#[path = "../common/postgres.rs"]
mod postgres;
mod shopify;
mod store;
mod tenants;

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longer than anything here takes, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again, and fails with a sentence when it never becomes true.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} in vain until {what}");
        sleep(Duration::from_millis(25)).await;
    }
}
