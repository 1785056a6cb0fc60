//! The reference register client: what a cashier types or scans, said to the box.
//!
//! Does no arithmetic with money: every figure it shows came from the box. Owns the command line, the prompt, and the memory
//! that makes a killed till say the same command again.

pub mod amount;
pub mod args;
pub mod counter;
pub mod memory;
pub mod prompt;
pub mod scripted;
pub mod secret;
pub mod shift;
pub mod show;

use crate::client::Failure;

/// Why the till did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TillError {
    #[error(transparent)]
    Box(#[from] Failure),
    #[error(transparent)]
    Memory(#[from] memory::MemoryError),
    #[error(transparent)]
    Amount(#[from] amount::AmountError),
    #[error(
        "this device is no register yet; run `till enrol --box ADDRESS --code CODE --register r1` with a code from `store-server pair`"
    )]
    NotEnrolled,
    #[error("nobody is signed in at this register; run `till sign-in --staff WHO`")]
    NotSignedIn,
    #[error("no ticket is open at this register; scan an item first")]
    NoTicket,
    #[error("a sale of {scans} items is not finished; finish it with `till resume` or give it up with `till cancel`")]
    SaleUnfinished { scans: usize },
    #[error("a ticket is still open; pay it in the interactive till or give it up with `till cancel`")]
    TicketOpen,
    #[error("{given} is not enough, {due} is due; nothing was sold")]
    NotEnough { given: String, due: String },
    #[error("could not read the PIN from {place}")]
    Pin { place: String, source: std::io::Error },
    #[error("no PIN given; use --pin-file FILE or --pin-env NAME")]
    NoPin,
    #[error("could not open the client log {}", .path.display())]
    Log { path: std::path::PathBuf, source: std::io::Error },
    #[error("could not talk to the terminal")]
    Terminal(#[source] std::io::Error),
}

impl TillError {
    /// 1 failed, 2 wrong use, 3 refused by a rule.
    pub fn exit_code(&self) -> u8 {
        match self {
            TillError::Box(Failure::Refused { .. })
            | TillError::NotEnrolled
            | TillError::NotSignedIn
            | TillError::NoTicket
            | TillError::SaleUnfinished { .. }
            | TillError::TicketOpen
            | TillError::NotEnough { .. } => 3,
            TillError::Amount(_) | TillError::NoPin | TillError::Box(Failure::Address { .. }) => 2,
            _ => 1,
        }
    }

    /// A stable word for programs that read `--json`.
    pub fn code(&self) -> &str {
        match self {
            TillError::Box(Failure::Refused { code, .. }) => code,
            TillError::Box(Failure::Unreachable { .. }) => "unreachable",
            TillError::NotEnrolled => "not_enrolled",
            TillError::NotSignedIn => "not_signed_in",
            TillError::NoTicket => "no_ticket",
            TillError::SaleUnfinished { .. } => "sale_unfinished",
            TillError::TicketOpen => "ticket_open",
            TillError::NotEnough { .. } => "not_enough",
            TillError::Amount(_) => "not_an_amount",
            TillError::NoPin | TillError::Box(Failure::Address { .. }) => "wrong_use",
            _ => "failed",
        }
    }

    /// The sentence with its causes, as one line.
    pub fn told(&self) -> String {
        let mut told = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let sentence = error.to_string();
            if !told.contains(&sentence) {
                told = format!("{told}: {sentence}");
            }
            cause = error.source();
        }
        told
    }
}
