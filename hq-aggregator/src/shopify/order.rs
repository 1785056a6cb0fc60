//! A closed ticket in Shopify's words: pure, from the facts of the journal alone, so that it comes out the same each time.
//!
//! Nobody's name is in it: only what was sold, what was paid, and the number of the receipt.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use backroom_core::facts::{ClosedLine, ClosedTicket, TenderKind};
use backroom_core::journal::Header;
use backroom_core::money::{Currency, Money, Quantity};

/// The key of our own field on orders; see `operations/sale_id.graphql`.
pub const SALE_FIELD: &str = "backroom_sale";

/// Goods taken back, and the money given for them. Which order it belongs to is found when it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The receipt of the sale.
    pub original: String,
    pub lines: Vec<RefundLine>,
    pub given_back: Vec<GivenBack>,
    pub note: String,
    pub processed_at: String,
    pub currency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    pub sku: String,
    pub quantity: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    pub gateway: String,
    pub amount: String,
}

/// `OrderCreateOrderInput` of a sale. Which product a line is, is added when it is told, as far as Shopify knows it.
pub fn order(header: &Header, ticket: &ClosedTicket, location: &str, sale_id: &str) -> Result<Value, &'static str> {
    let currency = ticket.currency;
    let lines: Vec<Value> = sold(ticket).map(|line| order_line(currency, line)).collect();
    if lines.is_empty() {
        return Err("the ticket has no lines, and Shopify takes no order without one");
    }
    let taxes: Vec<Value> = ticket
        .taxes
        .iter()
        .filter(|tax| tax.tax != Money::ZERO)
        .map(|tax| json!({ "title": format!("Tax {}", tax.tax_class), "rate": tax.rate.to_string(), "priceSet": money(currency, tax.tax) }))
        .collect();
    let processed_at = header.at.to_string();
    let paid = |kind: &str, gateway: &str, amount: Money| {
        json!({
            "kind": kind, "status": "SUCCESS", "gateway": gateway, "amountSet": money(currency, amount),
            "processedAt": processed_at, "locationId": location,
        })
    };
    let mut transactions: Vec<Value> = ticket
        .tenders
        .iter()
        .filter(|tender| tender.amount.0 > 0)
        .map(|tender| paid("SALE", gateway(tender.kind), tender.amount))
        .collect();
    if ticket.change.0 > 0 {
        transactions.push(paid("CHANGE", gateway(TenderKind::Cash), ticket.change));
    }
    let mut order = json!({
        "currency": currency.code(),
        "processedAt": processed_at,
        "sourceIdentifier": sale_id,
        "note": note(header, ticket),
        "tags": ["Backroom", header.store.as_str()],
        "taxesIncluded": is_inclusive(ticket),
        "lineItems": lines,
        "transactions": transactions,
        "financialStatus": "PAID",
        "fulfillmentStatus": "FULFILLED",
        "fulfillment": { "locationId": location },
        "metafields": [{ "key": SALE_FIELD, "type": "id", "value": sale_id }],
    });
    if !taxes.is_empty() {
        order["taxLines"] = taxes.into();
    }
    Ok(order)
}

pub fn refund(header: &Header, ticket: &ClosedTicket) -> Result<Refund, &'static str> {
    let original = ticket
        .original
        .ok_or("the return names no receipt, so there is no order to pay back")?;
    let lines = sold(ticket).map(|line| {
        let Counted { quantity, .. } = counted(line);
        RefundLine {
            sku: line.sku.to_string(),
            quantity,
        }
    });
    let given_back = ticket.tenders.iter().filter(|tender| tender.amount.0 < 0).map(|tender| GivenBack {
        gateway: gateway(tender.kind).to_owned(),
        amount: ticket.currency.digits(Money(tender.amount.0.saturating_neg())),
    });
    Ok(Refund {
        original: original.to_string(),
        lines: lines.collect(),
        given_back: given_back.collect(),
        note: note(header, ticket),
        processed_at: header.at.to_string(),
        currency: ticket.currency.code().to_owned(),
    })
}

fn sold(ticket: &ClosedTicket) -> impl Iterator<Item = &ClosedLine> {
    ticket.lines.iter().filter(|line| line.voided.is_none())
}

fn note(header: &Header, ticket: &ClosedTicket) -> String {
    match ticket.receipt {
        Some(receipt) => format!("Receipt {receipt}, shop {}", header.store),
        None => format!("Shop {}", header.store),
    }
}

fn is_inclusive(ticket: &ClosedTicket) -> bool {
    matches!(ticket.prices, backroom_core::tax::PriceMode::Inclusive)
}

fn order_line(currency: Currency, line: &ClosedLine) -> Value {
    let Counted { quantity, price, title } = counted(line);
    json!({
        "sku": line.sku.as_str(), "title": title, "quantity": quantity, "priceSet": money(currency, price),
        "taxable": line.tax != Money::ZERO, "requiresShipping": false,
    })
}

/// A line as Shopify counts: whole pieces at a price each.
struct Counted {
    quantity: i64,
    price: Money,
    title: String,
}

/// What does not divide evenly (goods by weight) becomes one piece at the price of all, and its title says how much it was.
fn counted(line: &ClosedLine) -> Counted {
    let thousandths = line.quantity.0.saturating_abs();
    let amount = Money(line.amount.0.saturating_abs());
    let pieces = thousandths / Quantity::ONE.0;
    let is_whole = pieces > 0 && thousandths % Quantity::ONE.0 == 0;
    if is_whole && line.unit_price.0.checked_mul(pieces) == Some(amount.0) {
        return Counted {
            quantity: pieces,
            price: line.unit_price,
            title: line.name.clone(),
        };
    }
    Counted {
        quantity: 1,
        price: amount,
        title: format!("{} × {}", Quantity(thousandths), line.name),
    }
}

fn gateway(kind: TenderKind) -> &'static str {
    match kind {
        TenderKind::Cash => "cash",
        TenderKind::Card => "card",
    }
}

fn money(currency: Currency, amount: Money) -> Value {
    json!({ "shopMoney": { "amount": currency.digits(amount), "currencyCode": currency.code() } })
}
