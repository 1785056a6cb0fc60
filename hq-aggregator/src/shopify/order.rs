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
        .map(|tax| json!({ "title": format!("Tax {}", tax.tax_class), "rate": String::from(tax.rate), "priceSet": money(currency, tax.tax) }))
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
        TenderKind::GiftCard => "gift-card",
        TenderKind::StoreCredit => "store-credit",
        TenderKind::Voucher => "voucher",
        TenderKind::OnAccount => "on-account",
        TenderKind::Points => "points",
        TenderKind::Card => "card",
    }
}

fn money(currency: Currency, amount: Money) -> Value {
    json!({ "shopMoney": { "amount": currency.digits(amount), "currencyCode": currency.code() } })
}

#[cfg(test)]
mod tests {
    use backroom_core::facts::{PriceReason, ReasonKind, TaxSum, Tender, TicketEnd, Voided};
    use backroom_core::ids::{CommandId, ReceiptNo, ShiftId, TicketId};
    use backroom_core::journal::{Epoch, FiscalBlock, Hash, Retention, Seq};
    use backroom_core::tax::PriceMode;
    use backroom_core::time::{BusinessDay, Instant};
    use uuid::Uuid;

    use super::*;

    const COMMAND: CommandId = CommandId(Uuid::from_u128(1));

    fn at() -> Instant {
        Instant::from_micros(1_795_262_400_000_000).unwrap()
    }

    fn header() -> Header {
        Header {
            tenant: "nord".parse().unwrap(),
            store: "harbour".parse().unwrap(),
            epoch: Epoch(1),
            seq: Seq(4),
            prev_hash: Hash::ZERO,
            at: at(),
            time_trusted: true,
            business_day: BusinessDay::from_days(20_778).unwrap(),
            kind: 9,
            command_id: Some(COMMAND),
            device: None,
            staff: None,
            retention: Retention(1),
            fiscal: FiscalBlock::default(),
        }
    }

    fn line(sku: &str, thousandths: i64, unit_price: i64, amount: i64) -> ClosedLine {
        let version = "{\"catalog\":1,\"directive\":0}";
        ClosedLine {
            line: 1,
            command_id: Some(COMMAND),
            at: at(),
            sku: sku.parse().unwrap(),
            name: format!("{sku} fresh"),
            code: sku.to_owned(),
            quantity: Quantity(thousandths),
            unit_price: Money(unit_price),
            amount: Money(amount),
            reasons: vec![PriceReason {
                source: None,
                reason: ReasonKind::ListPrice,
                amount: Money(amount),
                version: serde_json::from_str(version).unwrap(),
            }],
            tax_class: "A".into(),
            rate: "0.19".to_owned().try_into().unwrap(),
            net: Money(amount),
            tax: Money(1),
            taxes: Vec::new(),
            voided: None,
            details: Default::default(),
        }
    }

    fn ticket(end: TicketEnd, lines: Vec<ClosedLine>, given: i64, change: i64) -> ClosedTicket {
        let receipt = |number| ReceiptNo {
            register: "r1".parse().unwrap(),
            series: 1,
            number,
        };
        ClosedTicket {
            ticket: TicketId(Uuid::from_u128(2)),
            end,
            receipt: Some(receipt(7)),
            original: (end == TicketEnd::Return).then(|| receipt(6)),
            register: "r1".parse().unwrap(),
            till: "t1".parse().unwrap(),
            shift: ShiftId(Uuid::from_u128(3)),
            opened_at: at(),
            currency: "EUR".parse().unwrap(),
            prices: PriceMode::Inclusive,
            lines,
            taxes: vec![TaxSum {
                tax_class: "A".into(),
                rate: "0.19".to_owned().try_into().unwrap(),
                net: Money(840),
                tax: Money(160),
                parts: Vec::new(),
            }],
            net: Money(840),
            tax: Money(160),
            cash_rounding: Money::ZERO,
            due: Money(1000),
            tenders: vec![Tender::cash(COMMAND, at(), Money(given))],
            change: Money(change),
            moves: Vec::new(),
            details: Default::default(),
        }
    }

    #[test]
    fn an_order_says_what_was_sold_what_was_given_and_what_came_back() {
        let mut given_up = line("CAP", 1000, 500, 500);
        given_up.voided = Some(Voided {
            command_id: COMMAND,
            at: at(),
        });
        let sale = ticket(TicketEnd::Sale, vec![line("MUG", 2000, 500, 1000), given_up], 2000, 1000);
        let order = order(&header(), &sale, "gid://shopify/Location/1", "sale-id").unwrap();
        let lines = order["lineItems"].as_array().unwrap();
        assert_eq!(lines.len(), 1, "what was given up is not sold: {order:#}");
        assert_eq!(
            (&lines[0]["quantity"], &lines[0]["priceSet"]["shopMoney"]["amount"]),
            (&json!(2), &json!("5.00"))
        );
        let paid: Vec<_> = order["transactions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|paid| (&paid["kind"], &paid["amountSet"]["shopMoney"]["amount"]))
            .collect();
        assert_eq!(paid, [(&json!("SALE"), &json!("20.00")), (&json!("CHANGE"), &json!("10.00"))]);
        assert_eq!(
            (&order["sourceIdentifier"], &order["metafields"][0]["value"]),
            (&json!("sale-id"), &json!("sale-id"))
        );
        assert_eq!(
            (&order["taxesIncluded"], &order["taxLines"][0]["rate"]),
            (&json!(true), &json!("0.19"))
        );
        assert_eq!(
            (&order["note"], &order["processedAt"]),
            (&json!("Receipt r1/1/7, shop harbour"), &json!("2026-11-21T12:00:00Z"))
        );
    }

    #[test]
    fn what_is_sold_by_weight_is_one_piece_at_the_price_of_all() {
        let sale = ticket(TicketEnd::Sale, vec![line("APPLE", 532, 399, 212)], 212, 0);
        let order = order(&header(), &sale, "gid://shopify/Location/1", "sale-id").unwrap();
        let line = &order["lineItems"][0];
        assert_eq!((&line["quantity"], &line["title"]), (&json!(1), &json!("0.532 × APPLE fresh")));
        assert_eq!(line["priceSet"]["shopMoney"]["amount"], "2.12");
    }

    #[test]
    fn a_refund_names_the_receipt_and_counts_forward() {
        let back = ticket(TicketEnd::Return, vec![line("MUG", -2000, 500, -1000)], -1000, 0);
        let refund = refund(&header(), &back).unwrap();
        assert_eq!(refund.original, "r1/1/6");
        assert_eq!((refund.lines[0].quantity, refund.given_back[0].amount.as_str()), (2, "10.00"));
        assert_eq!(refund.given_back[0].gateway, "cash");
    }

    #[test]
    fn a_ticket_without_lines_is_no_order() {
        let empty = ticket(TicketEnd::Sale, Vec::new(), 0, 0);
        assert!(order(&header(), &empty, "gid://shopify/Location/1", "sale-id").is_err());
    }
}
