//! The fiscal step between settling and printing: a document is wanted signed, and is then signed, marked as failed, or unknown.
//!
//! Owns the order of things: what was wanted is written before the device is asked, and after a fall the device is asked by its counter
//! what it did before it is asked to sign again. The link to a device and its waiting live elsewhere. Profiles: none, and a simulator.

mod desk;
mod simulator;

pub use desk::{Answer, Desk, Next};
pub use simulator::{ChainError, Simulator, verify};

use serde::{Deserialize, Serialize};

use crate::facts::{Fact, FiscalEnded, FiscalFact, FiscalWanted};
use crate::ids::{CommandId, TicketId, TillId};
use crate::journal::{FiscalBlock, Hash};
use crate::receipt::Row;

/// Who numbers and signs. The number stands in the header of each entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The country asks for none.
    #[default]
    None,
    /// Signs with hashes, for tests and for shops that try the box out.
    Simulator,
}

impl Profile {
    pub fn number(self) -> u16 {
        match self {
            Profile::None => 0,
            Profile::Simulator => 1,
        }
    }

    pub fn from_number(number: u16) -> Option<Self> {
        [Profile::None, Profile::Simulator]
            .into_iter()
            .find(|profile| profile.number() == number)
    }
}

/// Documents that must never share numbers or signatures: practice is not trade, and an offer is no sale. Each is gapless of its own.
///
/// Receipts of all kinds look alike, so the kind is in the number of their series. An invoice says `INV` and keeps the plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    Receipts,
    Training,
    Quotations,
    Invoices,
}

/// Receipt series of a box begin at 1 and rise with its epochs, so there is room between the kinds for more than any box lives.
const ROOM: u32 = 1_000_000_000;

impl Series {
    pub const ALL: [Series; 4] = [Series::Receipts, Series::Training, Series::Quotations, Series::Invoices];

    /// The number of this kind's series where plain receipts count in series `base`. `None` beyond any box's life.
    pub fn number(self, base: u32) -> Option<u32> {
        let place = self as u32;
        (base < ROOM).then(|| place * ROOM + base)
    }

    /// What a series number stands for.
    pub fn of(number: u32) -> Option<Series> {
        Series::ALL.get((number / ROOM) as usize).copied()
    }
}

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "document", rename_all = "snake_case")]
pub enum FiscalDocument {
    Ticket { ticket: TicketId },
    TillZ { till: TillId, number: u64 },
    DayZ { number: u64 },
}

/// How a wish ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum FiscalEnd {
    Signed {
        counter: u64,
        signature: Hash,
    },
    /// It surely was not signed; the receipt says so.
    DeviceFailed {
        why: String,
    },
    /// It may have been signed; the device tells when it can be asked again. May still become one of the others.
    Unknown,
}

impl FiscalEnd {
    /// Whether anything can still change it.
    pub fn is_final(&self) -> bool {
        !matches!(self, FiscalEnd::Unknown)
    }
}

/// One signature as the device keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub series: Series,
    pub counter: u64,
    pub digest: Hash,
    pub signature: Hash,
}

/// The fixed block in the header of the entry that holds this fact; all zeros for every other fact.
pub fn block(profile: Profile, fact: &Fact) -> FiscalBlock {
    let state = |state| FiscalBlock {
        profile: profile.number(),
        state,
        ..FiscalBlock::default()
    };
    match fact {
        Fact::Fiscal(FiscalFact::FiscalWanted(wanted)) => FiscalBlock {
            profile: wanted.profile.number(),
            ..state(1)
        },
        Fact::Fiscal(FiscalFact::FiscalEnded(ended)) => match &ended.end {
            FiscalEnd::Signed { counter, signature } => FiscalBlock {
                counter: *counter,
                signature_hash: *signature,
                ..state(2)
            },
            FiscalEnd::DeviceFailed { .. } => state(3),
            FiscalEnd::Unknown => state(4),
        },
        _ => FiscalBlock::default(),
    }
}

/// What the receipt says about its signature.
pub fn receipt_rows(end: Option<&FiscalEnd>) -> Vec<Row> {
    let text = |text: String| Row::Text { text };
    match end {
        None => Vec::new(),
        Some(FiscalEnd::Signed { counter, signature }) => vec![text(format!("signature {counter}")), text(signature.to_string())],
        Some(FiscalEnd::DeviceFailed { .. }) => vec![text("SIGNATURE DEVICE FAILED".to_owned())],
        Some(FiscalEnd::Unknown) => vec![text("SIGNATURE NOT CONFIRMED".to_owned())],
    }
}

/// The words over a document of another series than plain receipts.
pub fn heading_rows(series: Series) -> Vec<Row> {
    let words = match series {
        Series::Receipts | Series::Invoices => return Vec::new(),
        Series::Training => "TRAINING - NO RECEIPT",
        Series::Quotations => "QUOTE - NO RECEIPT",
    };
    vec![Row::Title { text: words.to_owned() }]
}

fn ended(wish: CommandId, end: FiscalEnd) -> FiscalEnded {
    FiscalEnded { wish, end }
}

fn wanted_of(fact: &Fact) -> Option<&FiscalWanted> {
    match fact {
        Fact::Fiscal(FiscalFact::FiscalWanted(wanted)) => Some(wanted),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
