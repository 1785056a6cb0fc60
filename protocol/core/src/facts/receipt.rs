//! Facts about papers that have numbers of their own beside the receipt.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::ids::ReceiptNo;
use crate::receipt::InvoiceNo;

/// The facts of this room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum ReceiptFact {
    InvoiceNumbered(InvoiceNumbered),
}

impl ReceiptFact {
    pub fn kind(&self) -> Kind {
        match self {
            ReceiptFact::InvoiceNumbered(_) => Kind::InvoiceNumbered,
        }
    }
}

/// A receipt got its one invoice. Whom it names is not in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceNumbered {
    pub invoice: InvoiceNo,
    pub receipt: ReceiptNo,
}
