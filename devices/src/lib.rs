//! What stands on the counter, as bytes: how each device is spoken to, and what it means by its answers.
//!
//! Codecs only. They wait for nothing and open nothing; sockets, serial ports and time belong to the links. RFID
//! readers have a crate of their own, `backroom-llrp`.
//!
//! - [`escpos`]: receipt printers and the cash drawer behind them.

pub mod escpos;
