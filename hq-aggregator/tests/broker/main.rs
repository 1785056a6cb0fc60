//! The broker room against a real nats-server: who may do what, and what it survives.
//!
//! Looks at it only as head office and a store's uplink do. Which messages travel is none of its business.

#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

mod office;
mod rights;
mod survival;
