//! Stand-ins for devices: each a real peer on a socket or a terminal line, with a ledger of what happened to it and knobs to
//! make it fail.
//!
//! Owns what all simulators share: [`ledger`], [`control`], [`ready`]. Each runs by itself (`simulate NAME`), or within a test.
//! A simulator knows its device's bytes from their codec and nothing of the shop it stands in.

pub mod control;
pub mod counter;
pub mod ledger;
pub mod printer;
pub mod reader;
pub mod ready;
pub mod scanner;
pub mod terminal;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What every simulator is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// The device's name in its ledger; the same that the box uses
    #[arg(long)]
    pub device: Option<String>,
    /// Where the device answers; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Where its knobs are turned, a line each; `help` lists them
    #[arg(long, default_value = "127.0.0.1:0")]
    pub control: SocketAddr,
    /// File that gets a JSON line for all that happens to the device
    #[arg(long)]
    pub ledger: Option<PathBuf>,
}

impl Default for Common {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            device: None,
            listen: free,
            control: free,
            ledger: None,
        }
    }
}
