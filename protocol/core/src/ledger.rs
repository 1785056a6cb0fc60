//! Double entry: what each business event moves from one account to another. The postings of an event always come to nothing, currency by
//! currency.
//!
//! An amount above nothing is what an account gains as the shop's own (cash, claims, costs), one below nothing what it gives or owes (sales,
//! taxes, balances of customers). Says nothing about a chart of accounts: a bookkeeper's numbers are given to these words elsewhere. What a
//! customer pays from a balance stands in two facts, the ticket and the movement (`accounts::legs`); both post against `ticket_clearing`, which
//! is empty when both are in the books. The value of stock is posted by nobody yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounts::Unit;
use crate::facts::accounts::AccountsFact;
use crate::facts::{
    CashMove, CashMoved, CashTransferred, ClosedLine, ClosedTicket, Fact, FoundCapture, LineRole, ShiftClosed, ShiftOpened, Tender,
    TenderKind, TicketFact, TillCounted, TillFact,
};
use crate::ids::{CommandId, TillId};
use crate::money::{Currency, Money, MoneyError};

/// Where money stands. The words are stable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "account", rename_all = "snake_case")]
pub enum Account {
    /// Goods and services without tax.
    Sales {
        tax_class: String,
    },
    TaxPayable {
        tax: String,
    },
    /// In the tills whose shift is open.
    Cash,
    /// In safes, bags, and tills nobody sells from.
    CashAtRest,
    /// What card companies owe the shop.
    Cards,
    Vouchers,
    /// Between tickets and the balances that paid them.
    TicketClearing,
    GiftCardsOwed,
    StoreCreditOwed,
    CustomersOwe,
    /// In points: what customers hold.
    PointsOutstanding,
    /// In points: what the programme gave away.
    PointsGiven,
    /// What points took off tickets, in money.
    PointsRedeemed,
    /// Balances that ran out.
    GiftCardBreakage,
    AccountCorrections,
    /// Taken for tickets that are still open.
    OpenTickets,
    /// Paid towards goods that are put aside.
    Layaways,
    /// On bottles and crates.
    Deposits,
    /// For the staff.
    Tips,
    CashRounding,
    OverShort,
    PaidIn,
    PaidOut,
    /// Between the currencies of foreign cash and the shop's own.
    Exchange,
    /// Money no ticket asked for; a person assigns it.
    Unassigned,
}

impl Account {
    /// The word in exports and reports.
    pub fn word(&self) -> &'static str {
        match self {
            Account::Sales { .. } => "sales",
            Account::TaxPayable { .. } => "tax_payable",
            Account::Cash => "cash",
            Account::CashAtRest => "cash_at_rest",
            Account::Cards => "cards",
            Account::Vouchers => "vouchers",
            Account::TicketClearing => "ticket_clearing",
            Account::GiftCardsOwed => "gift_cards_owed",
            Account::StoreCreditOwed => "store_credit_owed",
            Account::CustomersOwe => "customers_owe",
            Account::PointsOutstanding => "points_outstanding",
            Account::PointsGiven => "points_given",
            Account::PointsRedeemed => "points_redeemed",
            Account::GiftCardBreakage => "gift_card_breakage",
            Account::AccountCorrections => "account_corrections",
            Account::OpenTickets => "open_tickets",
            Account::Layaways => "layaways",
            Account::Deposits => "deposits",
            Account::Tips => "tips",
            Account::CashRounding => "cash_rounding",
            Account::OverShort => "over_short",
            Account::PaidIn => "paid_in",
            Account::PaidOut => "paid_out",
            Account::Exchange => "exchange",
            Account::Unassigned => "unassigned",
        }
    }
}

/// One side of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    #[serde(flatten)]
    pub account: Account,
    /// Which till, for cash whose till the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<TillId>,
    /// A currency, or points.
    pub unit: Unit,
    pub amount: Money,
}

/// Why an event can not be posted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("the two sides of the event are {by} apart; the document does not add up, set it aside and tell support")]
    Unbalanced { by: String },
    #[error("the amounts do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl LedgerError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            LedgerError::Unbalanced { .. } => "unbalanced",
            LedgerError::Money(_) => "money",
        }
    }
}

/// The postings of one entry of the journal, in the order of their accounts; none where no money moved. `command_id` is the entry's own: a
/// tender of a ticket that names another command was taken by an entry before. `currency` is the store's.
pub fn postings(fact: &Fact, command_id: Option<CommandId>, currency: Currency) -> Result<Vec<Posting>, LedgerError> {
    let mut sheet = Sheet {
        own: currency,
        command_id,
        sums: BTreeMap::new(),
    };
    match fact {
        Fact::TicketClosed(ticket) => sheet.ticket(ticket)?,
        Fact::TenderTaken(taken) => sheet.open_tender(&taken.tender, Side::Taken)?,
        Fact::CashMoved(moved) => sheet.cash_moved(moved)?,
        Fact::ShiftOpened(opened) => sheet.shift_opened(opened)?,
        Fact::ShiftClosed(closed) => sheet.shift_closed(closed)?,
        Fact::FoundCapture(found) => sheet.found(found)?,
        Fact::Till(TillFact::CashTransferred(transferred)) => sheet.transferred(transferred)?,
        Fact::Till(TillFact::TillCounted(counted)) => sheet.counted_at_rest(counted)?,
        Fact::Ticket(TicketFact::TenderVoided(voided)) => sheet.open_tender(&voided.tender, Side::HandedBack)?,
        Fact::Accounts(moved) => sheet.legs(moved)?,
        // Everything else moves no money, or its own room says which.
        _ => {}
    }
    sheet.finish()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Taken,
    HandedBack,
}

/// Accounts by the word of the unit, which has an order.
type Key = (Account, Option<TillId>, &'static str);

struct Sheet {
    /// The store's own currency.
    own: Currency,
    command_id: Option<CommandId>,
    sums: BTreeMap<Key, (Unit, Money)>,
}

impl Sheet {
    fn post(&mut self, account: Account, till: Option<TillId>, currency: Currency, amount: Money) -> Result<(), MoneyError> {
        self.post_unit(account, till, Unit::Money(currency), amount)
    }

    fn post_unit(&mut self, account: Account, till: Option<TillId>, unit: Unit, amount: Money) -> Result<(), MoneyError> {
        let sum = self.sums.entry((account, till, unit.word())).or_insert((unit, Money::ZERO));
        sum.1 = sum.1.checked_add(amount)?;
        Ok(())
    }

    /// From one account to another, in the store's own currency.
    fn between(&mut self, amount: Money, from: (Account, Option<TillId>), to: (Account, Option<TillId>)) -> Result<(), MoneyError> {
        self.post(from.0, from.1, self.own, amount.negated()?)?;
        self.post(to.0, to.1, self.own, amount)
    }

    fn ticket(&mut self, ticket: &ClosedTicket) -> Result<(), MoneyError> {
        if !ticket.end.counts() {
            return Ok(());
        }
        // A ticket says itself in which currency it is.
        self.own = ticket.currency;
        for line in ticket.lines.iter().filter(|line| line.voided.is_none()) {
            self.line(line)?;
        }
        for tender in &ticket.tenders {
            self.closing_tender(tender, ticket.till)?;
        }
        self.post(Account::Cash, Some(ticket.till), self.own, ticket.change.negated()?)?;
        self.post(Account::CashRounding, None, self.own, ticket.cash_rounding.negated()?)
    }

    fn line(&mut self, line: &ClosedLine) -> Result<(), MoneyError> {
        let account = match line.details.role {
            LineRole::Goods | LineRole::Department | LineRole::Fee => Account::Sales {
                tax_class: line.tax_class.clone(),
            },
            LineRole::Deposit | LineRole::BottleRefund => Account::Deposits,
            LineRole::Prepayment => Account::Layaways,
        };
        self.post(account, None, self.own, line.net.negated()?)?;
        for part in line.tax_parts() {
            self.post(Account::TaxPayable { tax: part.tax }, None, self.own, part.amount.negated()?)?;
        }
        Ok(())
    }

    /// What was given for a ticket that is now closed: here and now, or before, when it was put to the open tickets.
    fn closing_tender(&mut self, tender: &Tender, till: TillId) -> Result<(), MoneyError> {
        self.post(Account::Tips, None, self.own, tender.details.tip.negated()?)?;
        if self.command_id == Some(tender.command_id) {
            self.money(tender, Some(till), Side::Taken)
        } else {
            self.post(Account::OpenTickets, None, self.own, tender.amount)
        }
    }

    fn open_tender(&mut self, tender: &Tender, side: Side) -> Result<(), MoneyError> {
        self.money(tender, None, side)?;
        let owed = match side {
            Side::Taken => tender.amount.negated()?,
            Side::HandedBack => tender.amount,
        };
        self.post(Account::OpenTickets, None, self.own, owed)
    }

    /// The money itself. Foreign cash is in its own currency, and the exchange says what it is worth here.
    fn money(&mut self, tender: &Tender, till: Option<TillId>, side: Side) -> Result<(), MoneyError> {
        let signed = |amount: Money| match side {
            Side::Taken => Ok(amount),
            Side::HandedBack => amount.negated(),
        };
        let worth = signed(tender.amount)?;
        if let (TenderKind::Cash, Some(foreign)) = (tender.kind, &tender.foreign) {
            let given = signed(foreign.amount)?;
            self.post(Account::Cash, till, foreign.currency, given)?;
            self.post(Account::Exchange, None, foreign.currency, given.negated()?)?;
            return self.post(Account::Exchange, None, self.own, worth);
        }
        let (account, till) = match tender.kind {
            TenderKind::Cash => (Account::Cash, till),
            TenderKind::Card => (Account::Cards, None),
            TenderKind::Voucher => (Account::Vouchers, None),
            TenderKind::GiftCard | TenderKind::StoreCredit | TenderKind::OnAccount | TenderKind::Points => (Account::TicketClearing, None),
        };
        self.post(account, till, self.own, worth)
    }

    fn legs(&mut self, moved: &AccountsFact) -> Result<(), MoneyError> {
        for leg in moved.legs() {
            self.post_unit(leg.account, None, leg.unit, Money(leg.amount))?;
        }
        Ok(())
    }

    fn cash_moved(&mut self, moved: &CashMoved) -> Result<(), MoneyError> {
        let cash = (Account::Cash, Some(moved.till));
        match moved.kind {
            CashMove::PaidIn => self.between(moved.amount, (Account::PaidIn, None), cash),
            CashMove::PaidOut => self.between(moved.amount, cash, (Account::PaidOut, None)),
            CashMove::Drop => self.between(moved.amount, cash, (Account::CashAtRest, None)),
        }
    }

    /// The float was at rest before.
    fn shift_opened(&mut self, opened: &ShiftOpened) -> Result<(), MoneyError> {
        let till = Some(opened.till);
        self.between(opened.float, (Account::CashAtRest, till), (Account::Cash, till))?;
        for sum in &opened.foreign {
            self.post(Account::CashAtRest, till, sum.currency, sum.amount.negated()?)?;
            self.post(Account::Cash, till, sum.currency, sum.amount)?;
        }
        Ok(())
    }

    /// What was counted is at rest from now on; what the till should have held is no longer in it.
    fn shift_closed(&mut self, closed: &ShiftClosed) -> Result<(), MoneyError> {
        let till = Some(closed.till);
        let z = &closed.z;
        self.rest(till, self.own, z.expected, z.counted, z.over_short)?;
        for foreign in z.detail.iter().flat_map(|detail| &detail.foreign) {
            self.rest(till, foreign.currency, foreign.expected, foreign.counted, foreign.over_short)?;
        }
        Ok(())
    }

    fn rest(&mut self, till: Option<TillId>, currency: Currency, expected: Money, counted: Money, over: Money) -> Result<(), MoneyError> {
        self.post(Account::Cash, till, currency, expected.negated()?)?;
        self.post(Account::CashAtRest, till, currency, counted)?;
        self.post(Account::OverShort, None, currency, over.negated()?)
    }

    fn counted_at_rest(&mut self, counted: &TillCounted) -> Result<(), MoneyError> {
        for result in &counted.results {
            self.post(Account::CashAtRest, Some(counted.till), result.currency, result.over_short)?;
            self.post(Account::OverShort, None, result.currency, result.over_short.negated()?)?;
        }
        Ok(())
    }

    fn transferred(&mut self, transferred: &CashTransferred) -> Result<(), MoneyError> {
        let in_shift = |shift: bool| if shift { Account::Cash } else { Account::CashAtRest };
        for sum in &transferred.sums {
            let from = in_shift(transferred.from_shift.is_some());
            let to = in_shift(transferred.to_shift.is_some());
            self.post(from, Some(transferred.from), sum.currency, sum.amount.negated()?)?;
            self.post(to, Some(transferred.to), sum.currency, sum.amount)?;
        }
        Ok(())
    }

    fn found(&mut self, found: &FoundCapture) -> Result<(), MoneyError> {
        self.between(found.amount, (Account::Unassigned, None), (Account::Cards, None))
    }

    fn finish(self) -> Result<Vec<Posting>, LedgerError> {
        let mut sides: BTreeMap<&'static str, (Unit, Money)> = BTreeMap::new();
        for ((_, _, word), (unit, amount)) in &self.sums {
            let side = sides.entry(word).or_insert((*unit, Money::ZERO));
            side.1 = side.1.checked_add(*amount)?;
        }
        if let Some((unit, by)) = sides.values().find(|(_, sum)| *sum != Money::ZERO) {
            let by = match unit {
                Unit::Money(currency) => currency.show(*by),
                Unit::Points => format!("{} points", by.0),
            };
            return Err(LedgerError::Unbalanced { by });
        }
        let moved = self.sums.into_iter().filter(|(_, (_, amount))| *amount != Money::ZERO);
        let posting = |((account, till, _), (unit, amount)): (Key, (Unit, Money))| Posting {
            account,
            till,
            unit,
            amount,
        };
        Ok(moved.map(posting).collect())
    }
}

/// What stands on each account after some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balances(BTreeMap<(Account, &'static str), Money>);

impl Balances {
    pub fn post(&mut self, postings: &[Posting]) -> Result<(), MoneyError> {
        for posting in postings {
            let sum = self.0.entry((posting.account.clone(), posting.unit.word())).or_default();
            *sum = sum.checked_add(posting.amount)?;
        }
        Ok(())
    }

    pub fn of(&self, account: &Account, currency: Currency) -> Money {
        self.0.get(&(account.clone(), currency.code())).copied().unwrap_or_default()
    }

    /// Each account that was ever used, in order, with its unit's word.
    pub fn iter(&self) -> impl Iterator<Item = (&Account, &'static str, Money)> {
        self.0.iter().map(|((account, code), amount)| (account, *code, *amount))
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
