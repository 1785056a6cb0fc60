//! A register and a payment terminal on real sockets: each fault between the two, and what asking the terminal says afterwards.
//!
//! Every story ends with the same comparison: the payments the register believes in are the captures in the terminal's ledger, one to
//! one. Nothing is ever charged twice.
#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

mod faults;
mod money;
mod process;
mod runs;
mod shop;
