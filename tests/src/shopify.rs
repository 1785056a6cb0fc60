//! A stand-in for Shopify, for tests and the demo: real HTTP, real GraphQL, books of its own.
//!
//! It refuses what the published schema refuses for the operations head office sends, can be told to fail in the ways Shopify
//! fails, and writes down each thing that really happened, so that a test compares two ledgers and not two opinions. Knows
//! nothing of head office: shares no code with it.

pub mod deliveries;
pub mod faults;
pub mod graphql;
pub mod ledger;
mod money;
pub mod orders;
pub mod page;
pub mod server;
pub mod shop;
pub mod stand_in;
pub mod stock;
