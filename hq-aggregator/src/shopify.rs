//! The line to a company's web shop at Shopify: stock and sales go out exactly once, changes of products come in.
//!
//! What goes out is written down by `tenant::shopify` in the transaction that takes a journal entry in; `outbox` tells it to
//! Shopify until the answer is known. What comes in is checked by `webhook`, stored, answered, and only then worked on.
//!
//! # Why nothing is told twice
//!
//! - A level, a change of stock and a refund carry an idempotency key that belongs to the journal entry, not to the attempt. After
//!   a lost answer the same question goes out again, word for word, and Shopify answers as it did before.
//! - A change is a difference and stands on nothing (the goods have left the shop, whatever Shopify thinks). A level stands on
//!   what Shopify said a moment before; when that is no longer so, it is asked anew.
//! - `orderCreate` takes no key. Each order carries the sale's id twice: where the search finds it, and in a field of our own of
//!   which Shopify takes each value once. After a lost answer both are asked before anything is sent again.
//! - What was asked so long ago that Shopify may have forgotten the key is not repeated: it is shown to a person.
//!
//! An order never moves stock: the changes do, so that stock does not wait for orders.

pub mod client;
pub mod connect;
pub mod operations;
pub mod order;
pub mod outbox;
pub mod vault;
pub mod webhook;

/// The version that is asked for, unless told otherwise.
pub const API_VERSION: &str = "2026-10";
