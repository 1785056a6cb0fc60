//! The store's actors: each owns one thing, waits for it, and remembers it. The rules are in core, the bytes in protocol.
//!
//! Opens no network port and knows no broker: the binary that composes a box hands those in.

pub mod catalog;
pub mod clock;
pub mod count;
pub mod device;
pub mod door;
pub mod figures;
pub mod file;
pub mod hex;
pub mod journal;
pub mod lane;
pub mod register;
pub mod restored;
pub mod shop;
pub mod staff;
pub mod stock;
pub mod store;
pub mod supervisor;
pub mod tills;
pub mod uplink;
pub mod worklog;
