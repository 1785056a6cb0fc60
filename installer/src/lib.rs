//! What a shop is set up and worked with from a terminal: the reference register client, and the tools of the `backroom` command.
//!
//! Starts the servers as programs and speaks to them by the protocol; knows nothing of their insides.

pub mod client;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod price;
pub mod till;
