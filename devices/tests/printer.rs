//! A printer's link against a virtual printer over real sockets: every fault, and what the ledger says happened.
//!
//! The law of all stories: what the link calls confirmed is on paper, what it calls failed is not, and of what it calls unknown
//! there is at most one.

#![expect(clippy::unwrap_used, reason = "a test may simply stop, in its helpers too")]

mod printer {
    pub mod drawer;
    pub mod faults;
    pub mod peer;
    pub mod print;
    pub mod shop;
}
