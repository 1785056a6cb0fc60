//! What proves the product from outside: load generators, campaigns that break things, and the limits to measure against.
//!
//! Talks to the servers only as a shop does, by their command lines, ports and files.

pub mod baseline;
pub mod campaign;
pub mod chance;
pub mod checkout;
pub mod figure;
pub mod latency;
pub mod laws;
pub mod load;
pub mod pricing;
pub mod processes;
pub mod shop;
pub mod shopify;
