//! What registers are shown: facts and open tickets of core as messages. Computes nothing a rule of core has not computed.

use backroom_actors::device::{Board, DeviceKind, DeviceState, DeviceView};
use backroom_actors::register::Outcome;
use backroom_actors::shop::{CardWords, Cards};
use backroom_core::facts::{ClosedLine, ClosedTicket, Fact, Tender, TenderKind, TicketEnd};
use backroom_core::ids::RegisterId;
use backroom_core::journal::Head;
use backroom_core::money::{Currency, Money};
use backroom_core::ticket::{self, Card, CardStage, Mode, Open};
use backroom_core::time::Calendar;
use backroom_protocol::v1::register as wire;
use tonic::Status;

use super::errors::bad_field;

pub fn money(amount: Money, currency: Currency) -> Option<wire::Money> {
    Some(wire::Money {
        minor: amount.0,
        currency: currency.code().into(),
    })
}

pub fn position(head: Head) -> Option<wire::Position> {
    Some(wire::Position {
        epoch: head.epoch.0,
        seq: head.seq.0,
        hash: head.hash.0.to_vec(),
    })
}

/// The ticket after a command, however it stands.
pub fn outcome(outcome: &Outcome, calendar: &Calendar, cards: &Cards) -> Result<wire::TicketView, Status> {
    match outcome {
        Outcome::Open { version, ticket, .. } => open(*version, ticket, cards),
        Outcome::Closed { committed } => match &*committed.fact {
            Fact::TicketClosed(ticket) => Ok(closed(ticket, Some(calendar.local(committed.at)))),
            // A tender whose ticket was closed later is answered from the ticket; see `RegisterDesk::outcome`.
            _ => Err(bad_field("command_id", "belongs to another kind of command")),
        },
    }
}

fn open(version: u64, ticket: &Open, cards: &Cards) -> Result<wire::TicketView, Status> {
    let currency = ticket.opening.currency;
    let wrong = |error: ticket::Refusal| bad_field("ticket", error);
    let due = ticket.due().map_err(wrong)?;
    let total = ticket.total().map_err(wrong)?;
    let given = ticket.given().map_err(wrong)?;
    Ok(wire::TicketView {
        ticket_id: ticket.opening.ticket.to_bytes().to_vec(),
        version,
        state: wire::TicketState::Open.into(),
        lines: lines(ticket.lines(), currency),
        tenders: tenders(ticket.tenders(), currency),
        net: money(ticket.net(), currency),
        tax: money(ticket.tax(), currency),
        cash_rounding: money(Money(due.0 - total.0), currency),
        due: money(due, currency),
        given: money(given, currency),
        remaining: money(Money((due.0 - given.0).max(0)), currency),
        change: money(Money((given.0 - due.0).max(0)), currency),
        receipt: String::new(),
        original: String::new(),
        taxes: taxes(&ticket::sum_taxes(ticket.lines()).map_err(wrong)?, currency),
        card: ticket.card().map(|paying| card(paying, cards.of(ticket.opening.ticket), currency)),
        remaining_exact: money(ticket.remaining_exact().map_err(wrong)?, currency),
        settled_at: String::new(),
        suspended: ticket.is_suspended(),
        training: ticket.opening.mode == Mode::Training,
        to_give_back: money(Money((given.0 - due.0).max(0).min((-due.0).max(0))), currency),
        coupons: ticket.details().coupons.clone(),
    })
}

/// How a card payment stands: what the books say, in the words the terminal has for it.
fn card(card: &Card, said: Option<CardWords>, currency: Currency) -> wire::CardView {
    let unknown = said.as_ref().is_some_and(|said| said.unknown);
    let words = |otherwise: &str| said.as_ref().map_or_else(|| otherwise.to_owned(), |said| said.words.clone());
    let (state, words) = match &card.stage {
        CardStage::UnderWay if !unknown => (wire::CardState::Asking, words("asking the terminal")),
        CardStage::UnderWay | CardStage::Unknown => (wire::CardState::Unknown, words("asking the terminal what became of the payment")),
        CardStage::Paid => (wire::CardState::Approved, "approved".to_owned()),
        CardStage::NotPaid { why } => (wire::CardState::Declined, why.clone()),
    };
    wire::CardView {
        state: state.into(),
        amount: money(card.wish.amount, currency),
        words,
        terminal: card.wish.terminal.to_string(),
    }
}

/// The machines on a register's counter, and those of the whole shop.
pub fn devices(board: &Board, register: RegisterId) -> Vec<wire::DeviceView> {
    let own = |view: &DeviceView| view.config.register.is_none_or(|of| of == register);
    let view = |view: DeviceView| wire::DeviceView {
        name: view.config.name.to_string(),
        kind: match view.config.kind {
            DeviceKind::Printer => wire::DeviceKind::Printer,
            DeviceKind::Terminal => wire::DeviceKind::Terminal,
            DeviceKind::Scanner => wire::DeviceKind::Scanner,
            DeviceKind::Reader => wire::DeviceKind::Reader,
        }
        .into(),
        state: match view.state {
            DeviceState::Connecting => wire::DeviceState::Connecting,
            DeviceState::Ready => wire::DeviceState::Ready,
            DeviceState::Attention => wire::DeviceState::Attention,
            DeviceState::Trouble => wire::DeviceState::Trouble,
            DeviceState::Away => wire::DeviceState::Away,
        }
        .into(),
        words: view.words,
        waiting: view.waiting,
        register: view.config.register.map(|register| register.to_string()).unwrap_or_default(),
    };
    board.list().into_iter().filter(own).map(view).collect()
}

/// A ticket as it stands in the journal.
pub fn closed(ticket: &ClosedTicket, settled_at: Option<String>) -> wire::TicketView {
    let currency = ticket.currency;
    let given = ticket.tenders.iter().map(|tender| tender.amount.0).sum();
    let by_card: Vec<&Tender> = ticket.tenders.iter().filter(|tender| tender.kind == TenderKind::Card).collect();
    let voided = ticket.lines.iter().filter(|line| line.voided.is_some()).count();
    let state = match ticket.end {
        TicketEnd::Sale | TicketEnd::Exchange | TicketEnd::Training => wire::TicketState::Sold,
        TicketEnd::Return | TicketEnd::Cancellation => wire::TicketState::Returned,
        TicketEnd::Cancelled | TicketEnd::Quotation => wire::TicketState::Cancelled,
    };
    wire::TicketView {
        ticket_id: ticket.ticket.to_bytes().to_vec(),
        // Opening, each line, each void, each tender (a card's wish too), the end: what the ticket's version came to at least.
        version: (2 + ticket.lines.len() + voided + ticket.tenders.len() + by_card.len()) as u64,
        state: state.into(),
        lines: lines(&ticket.lines, currency),
        tenders: tenders(&ticket.tenders, currency),
        net: money(ticket.net, currency),
        tax: money(ticket.tax, currency),
        cash_rounding: money(ticket.cash_rounding, currency),
        due: money(ticket.due, currency),
        given: money(Money(given), currency),
        remaining: money(Money::ZERO, currency),
        change: money(ticket.change, currency),
        receipt: ticket.receipt.map(|receipt| receipt.to_string()).unwrap_or_default(),
        original: ticket.original.map(|receipt| receipt.to_string()).unwrap_or_default(),
        taxes: taxes(&ticket.taxes, currency),
        card: None,
        remaining_exact: money(Money::ZERO, currency),
        settled_at: settled_at.unwrap_or_default(),
        suspended: false,
        training: ticket.end == TicketEnd::Training,
        to_give_back: money(Money::ZERO, currency),
        coupons: ticket.details.coupons.clone(),
    }
}

fn lines(lines: &[ClosedLine], currency: Currency) -> Vec<wire::LineView> {
    let reason = |reason: &backroom_core::facts::PriceReason| wire::ReasonView {
        reason: reason.reason.word().into(),
        amount: money(reason.amount, currency),
        version: reason.version.to_string(),
        source: reason.source.clone().unwrap_or_default(),
    };
    let line = |line: &ClosedLine| wire::LineView {
        line: line.line,
        sku: line.sku.to_string(),
        name: line.name.clone(),
        code: line.code.clone(),
        quantity_milli: line.quantity.0,
        unit_price: money(line.unit_price, currency),
        amount: money(line.amount, currency),
        tax: money(line.tax, currency),
        tax_class: line.tax_class.clone(),
        voided: line.voided.is_some(),
        reasons: line.reasons.iter().map(reason).collect(),
        returns_receipt: line.details.returns.map(|of| of.receipt.to_string()).unwrap_or_default(),
        returns_line: line.details.returns.map_or(0, |of| of.line),
        role: line.details.role.word().into(),
    };
    lines.iter().map(line).collect()
}

fn tenders(tenders: &[Tender], currency: Currency) -> Vec<wire::TenderView> {
    let view = |tender: &Tender| {
        let kind = match tender.kind {
            TenderKind::Cash => wire::TenderKind::Cash,
            TenderKind::Card => wire::TenderKind::Card,
            // No register is shown these by name yet; nothing at this box takes them.
            TenderKind::GiftCard | TenderKind::StoreCredit | TenderKind::Voucher | TenderKind::OnAccount | TenderKind::Points => {
                wire::TenderKind::Unspecified
            }
        };
        wire::TenderView {
            kind: kind.into(),
            amount: money(tender.amount, currency),
            attempt: tender.attempt.clone().unwrap_or_default(),
            tender_id: tender.command_id.to_bytes().to_vec(),
        }
    };
    tenders.iter().map(view).collect()
}

fn taxes(sums: &[backroom_core::facts::TaxSum], currency: Currency) -> Vec<wire::TaxView> {
    let view = |sum: &backroom_core::facts::TaxSum| wire::TaxView {
        tax_class: sum.tax_class.clone(),
        rate: sum.rate.into(),
        net: money(sum.net, currency),
        tax: money(sum.tax, currency),
    };
    sums.iter().map(view).collect()
}
