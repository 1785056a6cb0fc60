//! An RFID reader over real sockets: the link against every fault that the simulated reader can show, and the simulated reader against
//! plain frames.

#![expect(clippy::unwrap_used, reason = "a test may simply stop, in its helpers too")]

mod faults;
mod frames;
mod program;
mod shelf;
mod shop;
