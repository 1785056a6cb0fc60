//! All integration tests in one binary: it is linked once.

mod laws;
mod shopify;
mod till;
