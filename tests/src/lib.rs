//! What proves the product from outside: load generators, campaigns that break things, and the limits to measure against.
//!
//! Talks to the servers only as a shop does, by their command lines, ports and files. Only the simulation of the federation, the speed
//! of the verifier, and random days of a shop (`days`) use core itself, which is what they try.

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
pub mod pricing;
pub mod processes;
pub mod second;
pub mod shop;
pub mod shopify;
