//! Pure retail: what store and head office must agree on in meaning, not only in bytes.
//!
//! Owns the rules. Knows no clock, no randomness, no `async`, no files or sockets: time and ids come in as arguments,
//! so every rule can be tried in a plain test.
#![deny(clippy::float_arithmetic)]

pub mod barcode;
pub mod catalog;
pub mod directive;
pub mod epc;
pub mod facts;
pub mod federation;
pub mod ids;
pub mod journal;
pub mod money;
pub mod price;
pub mod receipt;
pub mod stock;
pub mod tax;
pub mod ticket;
pub mod till;
pub mod time;
