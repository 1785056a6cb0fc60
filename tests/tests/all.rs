//! All integration tests in one binary: it is linked once.

mod backup;
mod laws;
mod service;
mod shopify;
mod state;
mod till;
