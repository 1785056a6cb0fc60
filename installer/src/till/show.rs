//! How the till shows what the box said: clear lines for a cashier, JSON for a program.

use backroom_protocol::v1::register as wire;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::amount;
use super::counter::Finished;
use super::memory::Device;

const WIDTH: usize = 42;

fn minor(money: Option<&wire::Money>) -> i64 {
    money.map_or(0, |money| money.minor)
}

pub fn digits(money: Option<&wire::Money>, device: &Device) -> String {
    amount::show(minor(money), device.decimals)
}

fn figure(left: &str, right: &str) -> String {
    let room = WIDTH.saturating_sub(right.chars().count() + 1);
    let left: String = left.chars().take(room).collect();
    format!("{left:<room$} {right}\n")
}

fn quantity(milli: i64) -> String {
    let text = amount::show(milli, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The basket with its lines and what is to be paid.
pub fn cart(view: &wire::TicketView, device: &Device) -> String {
    let mut text = String::new();
    for line in &view.lines {
        let name = match line.quantity_milli {
            1000 => line.name.clone(),
            milli => format!("{} x {}", quantity(milli), line.name),
        };
        let right = if line.voided {
            "void".to_owned()
        } else {
            digits(line.amount.as_ref(), device)
        };
        text.push_str(&figure(&format!("{:>3}  {name}", line.line), &right));
        for reason in line.reasons.iter().filter(|_| !line.voided) {
            let why = match reason.reason.as_str() {
                "promotion" => reason.source.as_str(),
                "line_discount" | "ticket_discount" => "discount",
                _ => continue,
            };
            text.push_str(&figure(&format!("       {why} {}", digits(reason.amount.as_ref(), device)), ""));
        }
    }
    text.push_str(&"-".repeat(WIDTH));
    text.push('\n');
    text.push_str(&figure(
        "TOTAL",
        &format!("{} {}", digits(view.due.as_ref(), device), device.currency),
    ));
    if minor(view.due.as_ref()) < 0 {
        text.push_str(&figure("TO PAY OUT, say refund", &digits(view.to_give_back.as_ref(), device)));
    } else if minor(view.given.as_ref()) != 0 {
        text.push_str(&figure("given", &digits(view.given.as_ref(), device)));
        text.push_str(&figure("STILL TO PAY", &digits(view.remaining.as_ref(), device)));
    }
    text
}

/// The end of a sale, a return or a ticket that was given up.
pub fn closed(view: &wire::TicketView, device: &Device) -> String {
    match view.state() {
        // An exchange in which more came back than was sold.
        wire::TicketState::Sold if minor(view.due.as_ref()) < 0 => {
            let refund = amount::show(-minor(view.due.as_ref()), device.decimals);
            let receipt = figure("receipt", &view.receipt);
            format!("\n{receipt}\n  PAY OUT  {refund} {}\n\n", device.currency)
        }
        wire::TicketState::Sold => {
            let change = format!("{} {}", digits(view.change.as_ref(), device), device.currency);
            format!(
                "\n{}{}\n  CHANGE  {change}\n\n",
                figure("TOTAL", &format!("{} {}", digits(view.due.as_ref(), device), device.currency)),
                figure("receipt", &view.receipt),
            )
        }
        wire::TicketState::Returned => {
            let refund = amount::show(-minor(view.due.as_ref()), device.decimals);
            format!(
                "\n{}{}\n  PAY OUT  {refund} {}\n\n",
                figure("return of", &view.original),
                figure("receipt", &view.receipt),
                device.currency
            )
        }
        wire::TicketState::Cancelled => "the ticket is given up; nothing was sold\n".to_owned(),
        wire::TicketState::Open | wire::TicketState::Unspecified => cart(view, device),
    }
}

pub fn x_report(report: &wire::ReadShiftResponse, device: &Device) -> String {
    let mut text = String::from("X REPORT\n");
    let show = |money: &Option<wire::Money>| digits(money.as_ref(), device);
    for (left, right) in [
        (format!("{} sales", report.sales), show(&report.sales_due)),
        (format!("{} returns", report.returns), show(&report.returns_due)),
        (format!("{} given up", report.cancelled), String::new()),
        ("net".to_owned(), show(&report.net)),
        ("tax".to_owned(), show(&report.tax)),
    ] {
        text.push_str(&figure(&left, &right));
    }
    text
}

/// What came of the command an earlier run was saying when it ended.
pub fn finished(finished: &Finished, device: &Device) -> String {
    match finished {
        Finished::Ticket { call, view } if view.state() == wire::TicketState::Open => {
            format!("the till was interrupted; its last {call} is done and the ticket is open\n")
        }
        Finished::Ticket { call, view } => format!("the till was interrupted; its last {call} is done:\n{}", closed(view, device)),
        Finished::Other { call } => format!("the till was interrupted; its last {call} is done\n"),
        Finished::Refused { call, message } => format!("the till was interrupted; its last {call} was refused: {message}\n"),
    }
}

fn id(bytes: &[u8]) -> Value {
    Uuid::from_slice(bytes).map_or(Value::Null, |id| id.to_string().into())
}

fn state(view: &wire::TicketView) -> &'static str {
    match view.state() {
        wire::TicketState::Open => "open",
        wire::TicketState::Sold => "sold",
        wire::TicketState::Returned => "returned",
        wire::TicketState::Cancelled => "cancelled",
        wire::TicketState::Unspecified => "unknown",
    }
}

pub fn ticket_json(view: &wire::TicketView, currency: &str) -> Map<String, Value> {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let lines: Vec<Value> = view
        .lines
        .iter()
        .map(|line| {
            json!({
                "line": line.line, "sku": line.sku, "name": line.name, "code": line.code, "quantity": line.quantity_milli,
                "unit_price": minor(line.unit_price.as_ref()), "amount": minor(line.amount.as_ref()), "tax": minor(line.tax.as_ref()),
                "tax_class": line.tax_class, "voided": line.voided,
            })
        })
        .collect();
    let ticket = json!({
        "ticket": id(&view.ticket_id), "version": view.version, "state": state(view), "receipt": text(&view.receipt),
        "original": text(&view.original), "net": minor(view.net.as_ref()), "tax": minor(view.tax.as_ref()),
        "cash_rounding": minor(view.cash_rounding.as_ref()), "due": minor(view.due.as_ref()), "given": minor(view.given.as_ref()),
        "remaining": minor(view.remaining.as_ref()), "change": minor(view.change.as_ref()), "currency": currency, "lines": lines,
    });
    match ticket {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// `{"ok":true, ...}` with where the journal stood.
pub fn done(mut fields: Map<String, Value>, position: Option<&wire::Position>) -> Value {
    fields.insert("ok".into(), true.into());
    if let Some(position) = position {
        fields.insert("epoch".into(), position.epoch.into());
        fields.insert("seq".into(), position.seq.into());
    }
    Value::Object(fields)
}

pub fn money_json(money: Option<&wire::Money>) -> Value {
    minor(money).into()
}

pub fn id_json(bytes: &[u8]) -> Value {
    id(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        Device {
            address: String::new(),
            register: "r1".into(),
            token: String::new(),
            store: "berlin".into(),
            store_name: "Berlin".into(),
            currency: "EUR".into(),
            decimals: 2,
        }
    }

    fn money(minor: i64) -> Option<wire::Money> {
        Some(wire::Money {
            minor,
            currency: "EUR".into(),
        })
    }

    #[test]
    fn a_cart_shows_what_is_to_be_paid() {
        let view = wire::TicketView {
            state: wire::TicketState::Open.into(),
            lines: vec![
                wire::LineView {
                    line: 1,
                    name: "Mug".into(),
                    quantity_milli: 3000,
                    amount: money(2550),
                    ..Default::default()
                },
                wire::LineView {
                    line: 2,
                    name: "Sock".into(),
                    quantity_milli: 1000,
                    voided: true,
                    ..Default::default()
                },
            ],
            due: money(2550),
            ..Default::default()
        };
        assert_eq!(
            cart(&view, &device()),
            "  1  3 x Mug                         25.50\n  2  Sock                             void\n------------------------------------------\nTOTAL                            25.50 EUR\n"
        );
    }

    #[test]
    fn the_change_stands_alone() {
        let view = wire::TicketView {
            state: wire::TicketState::Sold.into(),
            receipt: "r1/1/7".into(),
            due: money(1990),
            change: money(10),
            ..Default::default()
        };
        let text = closed(&view, &device());
        assert!(text.contains("\n  CHANGE  0.10 EUR\n"), "{text}");
        assert!(text.contains("r1/1/7"));
    }
}
