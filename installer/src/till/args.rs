//! The command line of `till`. Amounts are decimals of the shop's currency, such as 12.50.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::client::patience::Patience;

/// A register: sells, takes back and counts, at the box of its store. Without a command it is an interactive till.
#[derive(Debug, Parser)]
#[command(name = "till", version)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Where the till keeps its token, its session and what it was saying
    #[arg(long, global = true, value_name = "DIR", env = "BACKROOM_TILL_STATE")]
    pub state: Option<PathBuf>,
    /// The address of the box; remembered by `enrol`
    #[arg(long = "box", global = true, value_name = "URL", env = "BACKROOM_TILL_BOX")]
    pub address: Option<String>,
    /// Append every command and its answer to this file, as JSON lines
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Answer with JSON; amounts are whole minor units
    #[arg(long, global = true)]
    pub json: bool,
    /// How long one command may go unanswered
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub patience: u64,
}

impl Common {
    pub fn patience(&self) -> Patience {
        Patience::of(Duration::from_secs(self.patience))
    }

    pub fn state_folder(&self) -> PathBuf {
        let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        self.state.clone().unwrap_or_else(|| home().join(".backroom-till"))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this device a register, with a pairing code from the box
    Enrol {
        /// From `store-server pair`; good for one register and ten minutes
        #[arg(long)]
        code: String,
        /// The register's name, such as r1
        #[arg(long)]
        register: String,
        /// The till (drawer) it works with, if it has another name
        #[arg(long)]
        till: Option<String>,
    },
    /// Take the register; whoever held it before is signed out
    SignIn {
        #[arg(long)]
        staff: String,
        /// A file that holds the PIN
        #[arg(long, value_name = "FILE", conflicts_with = "pin_env")]
        pin_file: Option<PathBuf>,
        /// An environment variable that holds the PIN
        #[arg(long, value_name = "NAME")]
        pin_env: Option<String>,
    },
    /// Open the shift with the cash that lies in the drawer
    Open {
        #[arg(long, value_name = "AMOUNT")]
        float: String,
    },
    /// Sell, take the cash and close the ticket
    Sell(Sell),
    /// Finish a sale that was interrupted
    Resume,
    /// Give up the open ticket
    Cancel,
    /// Take a whole receipt back and pay the cash out
    Return {
        /// Such as r1/1/17, or what the scanner reads from the receipt
        receipt: String,
    },
    /// Put cash into the drawer
    PaidIn(Cash),
    /// Take cash out of the drawer for something bought
    PaidOut(Cash),
    /// Take cash out of the drawer to the safe
    Drop(Cash),
    /// The X report: how the shift stands
    X,
    /// Count the drawer and close the shift: the Z report
    Close {
        #[arg(long, value_name = "AMOUNT")]
        counted: String,
    },
    /// What an item costs, without selling it
    Price { code: String },
    /// A copy of a receipt
    Receipt { receipt: String },
    /// The tickets that are open at this register
    Tickets,
    /// How the box is
    Status,
    /// A whole shift by itself: opens, sells, takes one sale back, counts and closes
    DemoShift {
        /// What is sold in turn
        #[arg(long, required = true, num_args = 1.., value_name = "CODE")]
        scan: Vec<String>,
        #[arg(long, default_value_t = 5)]
        sales: u32,
    },
}

#[derive(Debug, Args)]
pub struct Sell {
    /// What the scanner reads, in turn; 3*CODE is three of it
    #[arg(long, required = true, num_args = 1.., value_name = "CODE")]
    pub scan: Vec<String>,
    /// The cash given: an amount, or `exact`
    #[arg(long, value_name = "exact|AMOUNT")]
    pub cash: String,
}

#[derive(Debug, Args)]
pub struct Cash {
    pub amount: String,
    /// What for, in a few words
    #[arg(long)]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_before_or_after_the_command() {
        let cli = Cli::try_parse_from(["till", "--json", "sell", "--scan", "A", "3*B", "--cash", "exact", "--log", "l"]).unwrap();
        assert!(cli.common.json && cli.common.log.is_some());
        let Some(Command::Sell(sell)) = cli.command else { panic!() };
        assert_eq!(sell.scan, ["A", "3*B"]);
    }
}
