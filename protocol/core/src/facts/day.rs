//! Facts about the close of a business day, step by step, and about documents that are set aside.

use serde::{Deserialize, Serialize};

use crate::day::{CarriedTicket, Mark, OpenShift, SettlementEnd, ZRef};
use crate::ids::{CommandId, DeviceId, ReceiptNo, StaffId};
use crate::till::PeriodTotals;
use crate::time::BusinessDay;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum DayFact {
    DayCloseBegun(Box<DayCloseBegun>),
    TicketsCarried(TicketsCarried),
    SettlementWanted(SettlementWanted),
    SettlementEnded(SettlementEnded),
    DayNumbered(Box<DayNumbered>),
    DaySealed(DaySealed),
    DocumentMarked(DocumentMarked),
}

/// Somebody closes the day. The shifts that are open now belong to it; one that opens later belongs to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCloseBegun {
    pub day: BusinessDay,
    pub by: StaffId,
    pub shifts: Vec<OpenShift>,
    pub terminals: Vec<DeviceId>,
}

/// Tickets that were open at the close. They live on, and end in a later day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsCarried {
    pub day: BusinessDay,
    pub tickets: Vec<CarriedTicket>,
}

/// A terminal is asked next for its end of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementWanted {
    pub day: BusinessDay,
    pub terminal: DeviceId,
    /// The name of this wish.
    pub settlement: CommandId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementEnded {
    pub day: BusinessDay,
    pub terminal: DeviceId,
    pub settlement: CommandId,
    pub end: SettlementEnd,
    pub why: String,
}

/// The Z of the day: every Z since the day before, each in exactly one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayNumbered {
    pub day: BusinessDay,
    /// 1, 2, 3 ... per store.
    pub number: u64,
    pub zs: Vec<ZRef>,
    /// Sums over those Zs, faulty documents included.
    pub totals: PeriodTotals,
    /// Documents somebody still has to put right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<ReceiptNo>,
    /// Terminals nobody knows to have closed their day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<DeviceId>,
}

/// Nothing more goes into this day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySealed {
    pub day: BusinessDay,
    pub number: u64,
}

/// A document that does not add up is set aside by name, or was put right. It stays in every total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMarked {
    pub document: ReceiptNo,
    pub mark: Mark,
    /// A stable code of what is wrong.
    pub why: String,
}
