//! The bytes of facts about papers that have numbers of their own.

use backroom_core::facts::{InvoiceNumbered, ReceiptFact};
use backroom_core::receipt::InvoiceNo;
use prost::Message;

use super::{Parsed, needed, read_receipt, receipt};
use crate::v1::journal as wire;

pub fn encode(fact: &ReceiptFact) -> Vec<u8> {
    match fact {
        ReceiptFact::InvoiceNumbered(fact) => wire::InvoiceNumbered {
            invoice: Some(wire::Invoice {
                series: fact.invoice.series,
                number: fact.invoice.number,
            }),
            receipt: Some(receipt(fact.receipt)),
        }
        .encode_to_vec(),
    }
}

pub fn read_invoice_numbered(bytes: &[u8]) -> Parsed<ReceiptFact> {
    let read = wire::InvoiceNumbered::decode(bytes)?;
    let wire::Invoice { series, number } = needed("invoice", read.invoice)?;
    Ok(ReceiptFact::InvoiceNumbered(InvoiceNumbered {
        invoice: InvoiceNo { series, number },
        receipt: read_receipt(needed("receipt", read.receipt)?)?,
    }))
}
