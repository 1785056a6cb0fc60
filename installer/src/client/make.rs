//! Makes the requests of a register: each with a command id of its own, the ticket ones with the version the register has seen.

use backroom_protocol::v1::clerk;
use backroom_protocol::v1::register as wire;
use uuid::Uuid;

use super::new_id;

/// What a register must know of a ticket to say the next thing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRef {
    pub id: Uuid,
    pub version: u64,
}

impl TicketRef {
    /// A ticket that begins with the next scan.
    pub fn begin() -> Self {
        Self { id: new_id(), version: 0 }
    }

    pub fn of(view: &wire::TicketView) -> Self {
        Self {
            id: Uuid::from_slice(&view.ticket_id).unwrap_or_default(),
            version: view.version,
        }
    }

    fn head(self) -> Option<wire::TicketHead> {
        Some(wire::TicketHead {
            ticket_id: self.id.as_bytes().to_vec(),
            expected_version: self.version,
        })
    }
}

fn command() -> Option<wire::Command> {
    Some(wire::Command {
        command_id: new_id().as_bytes().to_vec(),
    })
}

fn money(minor: i64, currency: &str) -> Option<wire::Money> {
    Some(wire::Money {
        minor,
        currency: currency.to_owned(),
    })
}

pub fn enrol(pairing_code: &str, register: &str, till: Option<&str>) -> wire::EnrolRequest {
    wire::EnrolRequest {
        command: command(),
        pairing_code: pairing_code.to_owned(),
        register: register.to_owned(),
        till: till.unwrap_or_default().to_owned(),
    }
}

pub fn sign_in(staff: &str, pin: &str, seen: Option<&wire::Position>) -> wire::SignInRequest {
    wire::SignInRequest {
        command: command(),
        staff: staff.to_owned(),
        pin: pin.to_owned(),
        seen: seen.cloned(),
    }
}

pub fn open_shift(float: i64, currency: &str) -> wire::OpenShiftRequest {
    wire::OpenShiftRequest {
        command: command(),
        float: money(float, currency),
    }
}

pub fn move_cash(kind: wire::CashMoveKind, amount: i64, currency: &str, reason: &str) -> wire::MoveCashRequest {
    wire::MoveCashRequest {
        command: command(),
        kind: kind.into(),
        amount: money(amount, currency),
        reason: reason.to_owned(),
    }
}

pub fn close_shift(counted: i64, currency: &str) -> wire::CloseShiftRequest {
    wire::CloseShiftRequest {
        command: command(),
        counted: money(counted, currency),
    }
}

/// `quantity_milli` 0 is one piece.
pub fn scan(ticket: TicketRef, code: &str, quantity_milli: i64) -> wire::ScanRequest {
    wire::ScanRequest {
        command: command(),
        ticket: ticket.head(),
        code: code.to_owned(),
        quantity_milli,
        training: false,
    }
}

/// The first scan of a ticket that is practice.
pub fn practise(code: &str, quantity_milli: i64) -> wire::ScanRequest {
    wire::ScanRequest {
        training: true,
        ..scan(TicketRef::begin(), code, quantity_milli)
    }
}

pub fn change_quantity(ticket: TicketRef, line: u32, quantity_milli: i64) -> wire::ChangeQuantityRequest {
    wire::ChangeQuantityRequest {
        command: command(),
        ticket: ticket.head(),
        line,
        quantity_milli,
    }
}

pub fn override_price(ticket: TicketRef, line: u32, price: i64, currency: &str, reason: &str) -> wire::OverridePriceRequest {
    wire::OverridePriceRequest {
        command: command(),
        ticket: ticket.head(),
        line,
        price: money(price, currency),
        reason: reason.to_owned(),
    }
}

/// A discount that a person gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Off {
    /// Such as `12.5`.
    Percent(String),
    Amount(i64),
}

/// Without a line: on the whole ticket.
pub fn discount(ticket: TicketRef, line: Option<u32>, off: &Off, currency: &str, reason: &str) -> wire::GiveDiscountRequest {
    use wire::give_discount_request::Discount;
    wire::GiveDiscountRequest {
        command: command(),
        ticket: ticket.head(),
        line: line.unwrap_or(0),
        discount: match off {
            Off::Percent(percent) => Some(Discount::Percent(percent.clone())),
            Off::Amount(minor) => money(*minor, currency).map(Discount::Amount),
        },
        reason: reason.to_owned(),
    }
}

pub fn coupon(ticket: TicketRef, code: &str) -> wire::TakeCouponRequest {
    wire::TakeCouponRequest {
        command: command(),
        ticket: ticket.head(),
        code: code.to_owned(),
        drop: false,
    }
}

pub fn check_age(ticket: TicketRef, code: &str, decision: wire::AgeDecision) -> wire::CheckAgeRequest {
    wire::CheckAgeRequest {
        command: command(),
        ticket: ticket.head(),
        code: code.to_owned(),
        decision: decision.into(),
    }
}

/// Goods nobody knows, by their department.
pub fn department(ticket: TicketRef, sku: &str, price: i64, currency: &str, code: &str) -> wire::SellKeyedRequest {
    wire::SellKeyedRequest {
        command: command(),
        ticket: ticket.head(),
        sku: sku.to_owned(),
        price: money(price, currency),
        unknown_code: code.to_owned(),
        quantity_milli: 0,
        by_department: true,
    }
}

pub fn bottles(ticket: TicketRef, code: &str, quantity_milli: i64) -> wire::RefundBottlesRequest {
    wire::RefundBottlesRequest {
        command: command(),
        ticket: ticket.head(),
        code: code.to_owned(),
        quantity_milli,
    }
}

pub fn suspend(ticket: TicketRef, reason: &str) -> wire::SuspendTicketRequest {
    wire::SuspendTicketRequest {
        command: command(),
        ticket: ticket.head(),
        reason: reason.to_owned(),
    }
}

pub fn resume(ticket: TicketRef) -> wire::ResumeTicketRequest {
    wire::ResumeTicketRequest {
        command: command(),
        ticket: ticket.head(),
    }
}

/// Lines of a receipt, each with its thousandths; all that is left of it where none is named.
pub fn take_back(ticket: TicketRef, receipt: &str, lines: &[(u32, i64)]) -> wire::TakeBackRequest {
    let line = |(line, quantity_milli): &(u32, i64)| wire::LineBack {
        line: *line,
        quantity_milli: *quantity_milli,
    };
    wire::TakeBackRequest {
        command: command(),
        ticket: ticket.head(),
        receipt: receipt.to_owned(),
        lines: lines.iter().map(line).collect(),
    }
}

/// Hands out what the ticket owes, and closes it.
pub fn refund_and_settle(ticket: TicketRef) -> wire::RefundCashRequest {
    wire::RefundCashRequest {
        command: command(),
        ticket: ticket.head(),
        settle: true,
    }
}

pub fn void_line(ticket: TicketRef, line: u32) -> wire::VoidLineRequest {
    wire::VoidLineRequest {
        command: command(),
        ticket: ticket.head(),
        line,
    }
}

/// Takes cash, and closes the ticket when that pays it.
pub fn tender_and_settle(ticket: TicketRef, amount: i64, currency: &str) -> wire::TenderRequest {
    wire::TenderRequest {
        settle: true,
        ..tender(ticket, amount, currency)
    }
}

pub fn tender(ticket: TicketRef, amount: i64, currency: &str) -> wire::TenderRequest {
    wire::TenderRequest {
        command: command(),
        ticket: ticket.head(),
        kind: wire::TenderKind::Cash.into(),
        amount: money(amount, currency),
        settle: false,
    }
}

/// Has the register's terminal asked for a card; the ticket closes by itself when that pays it.
pub fn card_and_settle(ticket: TicketRef, amount: i64, currency: &str) -> wire::TenderRequest {
    wire::TenderRequest {
        kind: wire::TenderKind::Card.into(),
        settle: true,
        ..tender(ticket, amount, currency)
    }
}

pub fn settle(ticket: TicketRef) -> wire::SettleRequest {
    wire::SettleRequest {
        command: command(),
        ticket: ticket.head(),
    }
}

pub fn cancel(ticket: TicketRef) -> wire::CancelTicketRequest {
    wire::CancelTicketRequest {
        command: command(),
        ticket: ticket.head(),
    }
}

/// Begins a count of a place with all readers of the store, or goes on with the one that is open there.
pub fn start_count(place: &str) -> clerk::StartCountRequest {
    clerk::StartCountRequest {
        command: clerk_command(),
        place: place.to_owned(),
        readers: Vec::new(),
    }
}

pub fn keep_count(count_id: &[u8]) -> clerk::KeepCountRequest {
    clerk::KeepCountRequest {
        command: clerk_command(),
        count_id: count_id.to_vec(),
    }
}

fn clerk_command() -> Option<clerk::Command> {
    Some(clerk::Command {
        command_id: new_id().as_bytes().to_vec(),
    })
}

pub fn return_sale(receipt: &str) -> wire::ReturnSaleRequest {
    wire::ReturnSaleRequest {
        command: command(),
        ticket_id: new_id().as_bytes().to_vec(),
        receipt: receipt.to_owned(),
    }
}
