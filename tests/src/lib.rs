//! What proves the product from outside: load generators, campaigns that break things, and the limits to measure against.
//!
//! Talks to the servers only as a shop does, by their command lines, ports and files. Only what tries the rules themselves uses core: the
//! simulation of the federation, the speed of verifier and prices, the list of parsers, the baskets that are priced twice and the days
//! that are lived in memory (`second` and `laws`, which judge them, use none of it).

pub mod baseline;
pub mod baskets;
pub mod campaign;
pub mod chance;
pub mod checkout;
pub mod days;
pub mod federation_sim;
pub mod figure;
pub mod journal_verify;
pub mod latency;
pub mod laws;
pub mod load;
pub mod parsers;
pub mod pricing;
pub mod processes;
pub mod second;
pub mod shop;
pub mod shopify;
