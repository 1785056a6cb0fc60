//! Facts about the machines of the shop: card payments from the wish to the end, prints and drawer pulses, and shelves that were read.
//!
//! A machine's part in a sale is two facts at least: what was wanted, before the machine is asked, and how it ended. Between the two
//! the box may fall; what has no end is looked at again when it is back.

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::ids::{CommandId, DeviceId, ReceiptNo, RegisterId, TicketId, TillId};
use crate::money::{Money, Quantity};

/// A customer wants to pay by card. Nothing was asked of the terminal yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardAsked {
    /// The register's command, and the name of this wish from here on.
    pub ask: CommandId,
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub terminal: DeviceId,
    pub amount: Money,
    /// Close the ticket when it is paid with this.
    pub settle: bool,
    /// The part of the amount that is for the staff.
    #[serde(default, skip_serializing_if = "has_no_tip")]
    pub tip: Money,
}

fn has_no_tip(tip: &Money) -> bool {
    *tip == Money::ZERO
}

/// The terminal is asked next. Whatever it names with a higher trace number and this amount is this payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardBegun {
    pub ask: CommandId,
    pub terminal: DeviceId,
    /// The terminal's last payment before; none when it never had one.
    pub last_trace: Option<u32>,
    /// The receipt number the terminal gave it.
    pub last_receipt: Option<u32>,
}

/// How a wish ended without money in the till's books. One that was paid ends with `TenderTaken`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardEnd {
    /// The terminal, the card's bank or the customer said no.
    Declined,
    /// The terminal was never asked, or knows of no such payment.
    NotPaid,
    /// It was paid after the ticket no longer needed it, and given back.
    Reversed,
    /// It was paid, is not needed, and could not be given back; a `FoundCapture` stands beside this.
    Found,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardEnded {
    pub ask: CommandId,
    pub ticket: TicketId,
    pub terminal: DeviceId,
    pub end: CardEnd,
    /// Known when money moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    pub why: String,
}

/// Money on a card that no ticket asked for; a person assigns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCapture {
    pub ask: CommandId,
    pub terminal: DeviceId,
    pub attempt: String,
    pub amount: Money,
}

/// What a machine is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    Print,
    /// Opens the drawer. Never repeated by itself.
    Pulse,
}

/// Something is to happen outside the box; written together with the fact that asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectWanted {
    /// The command it follows from, and what is done: `UUID/print`.
    pub effect: String,
    pub device: DeviceId,
    pub does: Does,
    /// What is printed, or why the drawer opens.
    pub receipt: Option<ReceiptNo>,
    pub copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectEnd {
    Confirmed,
    /// It surely did not happen.
    Failed,
    /// It may have happened; a person decides what to do.
    Unknown,
}

/// Who died between start and answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectCause {
    Box,
    Device,
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectEnded {
    pub effect: String,
    pub end: EffectEnd,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EffectCause>,
    pub why: String,
}

/// A place was read with RFID readers and the result kept. Moves no stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfCounted {
    pub count: CommandId,
    pub place: String,
    pub readers: Vec<DeviceId>,
    pub tags: u64,
    /// Tags of the count before that were not read, and those of them nobody can explain.
    pub missing: u64,
    pub missing_unexplained: u64,
    pub lines: Vec<CountedItem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedItem {
    pub sku: Sku,
    pub counted: u64,
    /// What the box believed to be in the shop at that moment.
    pub on_hand: Quantity,
}
