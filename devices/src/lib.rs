//! What stands on the counter: how each device is spoken to, what it means by its answers, and a stand-in for each.
//!
//! Three floors. Codecs ([`escpos`]) turn bytes into meaning; they wait for nothing and open nothing. Links ([`link`])
//! hold the socket or serial port to one device, with its timeouts. Simulators ([`sim`]) are the other end: devices without
//! the metal, for tests, demonstrations and campaigns. When a device is used, and what is done after a failure, belongs to
//! the box. RFID readers have a crate of their own for their bytes, `backroom-llrp`.

pub mod escpos;
pub mod link;
pub mod sim;
pub mod zvt;
