//! What an entry says, in the shape of its exported `body`; read once from that JSON and once from the payload bytes, so
//! that the two can be compared field by field.
//!
//! Numbers are those of `protocol/proto/backroom/journal/v1/journal.proto`, names those of docs/contracts.md, section 8.2. Field
//! 0 never lies in bytes: there stands the word that only the JSON carries. A card tender's `attempt` is taken from the JSON where
//! the bytes have none: early drafts did not write it.

use serde::{Deserialize, Serialize};

use super::wire::{Message, Value};
use super::words::{Hash, Id, Micros};

macro_rules! message {
    ($(#[$about:meta])* $name:ident { $($(#[$attribute:meta])* $number:literal $field:ident: $type:ty = $take:path,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            $($(#[$attribute])* pub $field: $type,)*
        }

        impl Message for $name {
            fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String> {
                match number {
                    $($number => $take(&mut self.$field, value)?,)*
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

mod take {
    //! How a field of each sort is taken from the bytes.
    use super::{Hash, Id, Message, Micros, Value};

    type Taken = Result<(), String>;

    pub fn text(field: &mut String, value: Value<'_>) -> Taken {
        value.text().map(|text| *field = text)
    }
    pub fn number(field: &mut u64, value: Value<'_>) -> Taken {
        value.unsigned().map(|number| *field = number)
    }
    pub fn small(field: &mut u32, value: Value<'_>) -> Taken {
        value.small().map(|number| *field = number)
    }
    pub fn amount(field: &mut i64, value: Value<'_>) -> Taken {
        value.signed().map(|amount| *field = amount)
    }
    pub fn micros(field: &mut Micros, value: Value<'_>) -> Taken {
        value.micros().map(|micros| *field = micros)
    }
    pub fn hash(field: &mut Hash, value: Value<'_>) -> Taken {
        value.hash().map(|hash| *field = hash)
    }
    pub fn id(field: &mut Id, value: Value<'_>) -> Taken {
        value.id().map(|id| *field = id)
    }
    pub fn maybe_id(field: &mut Option<Id>, value: Value<'_>) -> Taken {
        value.id().map(|id| *field = Some(id))
    }
    pub fn maybe_text(field: &mut Option<String>, value: Value<'_>) -> Taken {
        let text = value.text()?;
        *field = (!text.is_empty()).then_some(text);
        Ok(())
    }
    pub fn texts(field: &mut Vec<String>, value: Value<'_>) -> Taken {
        value.text().map(|text| field.push(text))
    }
    pub fn maybe_small(field: &mut Option<u32>, value: Value<'_>) -> Taken {
        value.small().map(|number| *field = (number != 0).then_some(number))
    }
    /// The bytes have the code alone.
    pub fn reason(field: &mut Option<super::Reasoned>, value: Value<'_>) -> Taken {
        let reason = value.text()?;
        *field = (!reason.is_empty()).then_some(super::Reasoned { reason });
        Ok(())
    }
    pub fn whole<M: Message>(field: &mut M, value: Value<'_>) -> Taken {
        value.message().map(|message| *field = message)
    }
    pub fn maybe<M: Message>(field: &mut Option<M>, value: Value<'_>) -> Taken {
        value.message().map(|message| *field = Some(message))
    }
    pub fn each<M: Message>(field: &mut Vec<M>, value: Value<'_>) -> Taken {
        value.message().map(|message| field.push(message))
    }
}

message!(#[derive(Eq, Hash, PartialOrd, Ord)] Receipt {
    1 register: String = take::text,
    2 series: u32 = take::small,
    3 number: u64 = take::number,
});

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.register, self.series, self.number)
    }
}

message!(EpochEnd {
    1 epoch: u32 = take::small,
    2 seq: u64 = take::number,
    3 hash: Hash = take::hash,
});

message!(EpochOpened {
    0 fact: String = take::text,
    1 reason: String = take::text,
    2 previous: Option<EpochEnd> = take::maybe,
    3 series: u32 = take::small,
    4 currency: String = take::text,
    5 zone: String = take::text,
    6 day_end: String = take::text,
});

message!(CatalogApplied {
    0 fact: String = take::text,
    1 version: u64 = take::number,
    2 hash: Hash = take::hash,
    3 items: u64 = take::number,
});

message!(StockMove {
    1 sku: String = take::text,
    2 delta: i64 = take::amount,
    3 reason: String = take::text,
});

message!(StockOpened {
    0 fact: String = take::text,
    1 moves: Vec<StockMove> = take::each,
});

message!(RegisterEnrolled {
    0 fact: String = take::text,
    1 register: String = take::text,
    2 till: String = take::text,
});

message!(SignedIn {
    0 fact: String = take::text,
    1 register: String = take::text,
    2 staff: String = take::text,
    3 session: u64 = take::number,
});

message!(#[derive(Eq)] CurrencySum {
    1 currency: String = take::text,
    2 amount: i64 = take::amount,
});

message!(ShiftOpened {
    0 fact: String = take::text,
    1 shift: Id = take::id,
    2 till: String = take::text,
    3 register: String = take::text,
    4 float: i64 = take::amount,
    #[serde(default, skip_serializing_if = "Vec::is_empty")] 6 foreign: Vec<CurrencySum> = take::each,
});

message!(CashMoved {
    0 fact: String = take::text,
    1 shift: Id = take::id,
    2 till: String = take::text,
    #[serde(rename = "move")] 3 kind: String = take::text,
    4 amount: i64 = take::amount,
    5 reason: String = take::text,
});

message!(Foreign {
    1 currency: String = take::text,
    2 amount: i64 = take::amount,
    3 rate: String = take::text,
});

message!(RefundOf {
    1 receipt: Receipt = take::whole,
    2 tender: Id = take::id,
});

message!(TenderDetails {
    #[serde(default)] 1 tip: i64 = take::amount,
    #[serde(default)] 4 refund_of: Option<RefundOf> = take::maybe,
});

message!(Tender {
    1 command_id: Id = take::id,
    2 at: Micros = take::micros,
    #[serde(rename = "tender")] 3 kind: String = take::text,
    4 amount: i64 = take::amount,
    #[serde(default, skip_serializing_if = "Option::is_none")] 5 attempt: Option<String> = take::maybe_text,
    #[serde(default)] 6 foreign: Option<Foreign> = take::maybe,
    #[serde(flatten)] 7 details: TenderDetails = take::whole,
});

message!(TenderTaken {
    0 fact: String = take::text,
    1 ticket: Id = take::id,
    2 tender: Tender = take::whole,
});

message!(Voided {
    1 command_id: Id = take::id,
    2 at: Micros = take::micros,
});

message!(PriceVersion {
    3 catalog: u64 = take::number,
    4 directive: u64 = take::number,
});

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceReason {
    pub reason: String,
    pub amount: i64,
    pub version: PriceVersion,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl Message for PriceReason {
    fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String> {
        match number {
            1 => take::text(&mut self.reason, value),
            2 => take::amount(&mut self.amount, value),
            5 => take::text(&mut self.source, value),
            _ => self.version.field(number, value),
        }
    }
}

message!(#[derive(Eq, PartialOrd, Ord)] TaxPart {
    1 tax: String = take::text,
    2 rate: String = take::text,
    3 amount: i64 = take::amount,
});

message!(#[derive(Eq, Hash, PartialOrd, Ord)] ReturnOf {
    1 receipt: Receipt = take::whole,
    2 line: u32 = take::small,
});

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reasoned {
    pub reason: String,
}

message!(LineDetails {
    #[serde(default)] 1 role: String = take::text,
    #[serde(default)] 2 follows: Option<u32> = take::maybe_small,
    #[serde(default)] 10 returns: Option<ReturnOf> = take::maybe,
    #[serde(default)] 11 layaway: Option<Id> = take::maybe_id,
    #[serde(default)] 12 without_receipt: Option<Reasoned> = take::reason,
});

message!(Line {
    1 line: u32 = take::small,
    2 command_id: Option<Id> = take::maybe_id,
    3 at: Micros = take::micros,
    4 sku: String = take::text,
    5 name: String = take::text,
    6 code: String = take::text,
    7 quantity: i64 = take::amount,
    8 unit_price: i64 = take::amount,
    9 amount: i64 = take::amount,
    10 reasons: Vec<PriceReason> = take::each,
    11 tax_class: String = take::text,
    12 rate: String = take::text,
    13 net: i64 = take::amount,
    14 tax: i64 = take::amount,
    15 voided: Option<Voided> = take::maybe,
    #[serde(default)] 16 taxes: Vec<TaxPart> = take::each,
    #[serde(flatten)] 17 details: LineDetails = take::whole,
});

impl Line {
    /// Goods and what is a piece in the shop; payments, fees and what was sold by department are none.
    pub fn is_goods(&self) -> bool {
        matches!(self.details.role.as_str(), "" | "goods" | "deposit" | "bottle_refund")
    }

    /// Made by a command of its own, and by it alone: several of all others can follow from one.
    pub fn stands_alone(&self) -> bool {
        let details = &self.details;
        details.follows.is_none() && details.returns.is_none() && details.layaway.is_none()
    }
}

message!(#[derive(Eq, PartialOrd, Ord)] TaxSum {
    1 tax_class: String = take::text,
    2 rate: String = take::text,
    3 net: i64 = take::amount,
    4 tax: i64 = take::amount,
    #[serde(default)] 5 parts: Vec<TaxPart> = take::each,
});

message!(Exemption {
    #[serde(default)] 1 taxes: Vec<String> = take::texts,
    2 reason: String = take::text,
});

message!(#[doc = "A command that left neither line nor tender: a check of age, a discount, a rest."] Happened {
    1 command_id: Id = take::id,
    2 at: Micros = take::micros,
    3 what: String = take::text,
});

message!(AgeCheck {
    1 command_id: Id = take::id,
    2 at: Micros = take::micros,
});

message!(Quoted {
    1 net: i64 = take::amount,
    2 tax: i64 = take::amount,
});

/// In the JSON the tender's own fields stand beside `voided`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VoidedTender {
    #[serde(flatten)]
    pub tender: Tender,
    pub voided: Voided,
}

impl Message for VoidedTender {
    fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String> {
        match number {
            1 => take::whole(&mut self.tender, value),
            2 => take::whole(&mut self.voided, value),
            _ => Ok(()),
        }
    }
}

message!(TicketDetails {
    #[serde(default)] 6 exemption: Option<Exemption> = take::maybe,
    #[serde(default)] 7 age_checks: Vec<AgeCheck> = take::each,
    #[serde(default)] 10 voided_tenders: Vec<VoidedTender> = take::each,
    #[serde(default)] 11 layaway: Option<Id> = take::maybe_id,
    #[serde(default)] 12 quoted: Option<Quoted> = take::maybe,
    #[serde(default)] 14 history: Vec<Happened> = take::each,
});

message!(Ticket {
    0 fact: String = take::text,
    1 ticket: Id = take::id,
    2 end: String = take::text,
    3 receipt: Option<Receipt> = take::maybe,
    4 original: Option<Receipt> = take::maybe,
    5 register: String = take::text,
    6 till: String = take::text,
    7 shift: Id = take::id,
    8 opened_at: Micros = take::micros,
    9 currency: String = take::text,
    10 prices: String = take::text,
    11 lines: Vec<Line> = take::each,
    12 taxes: Vec<TaxSum> = take::each,
    13 net: i64 = take::amount,
    14 tax: i64 = take::amount,
    15 cash_rounding: i64 = take::amount,
    16 due: i64 = take::amount,
    17 tenders: Vec<Tender> = take::each,
    18 change: i64 = take::amount,
    19 moves: Vec<StockMove> = take::each,
    #[serde(flatten)] 20 details: TicketDetails = take::whole,
});

impl Ticket {
    /// A voided line keeps its amounts and counts nowhere.
    pub fn counted_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.voided.is_none())
    }

    /// Whether this line may have been without some taxes: today, or, where it was left out, at the moment when it was.
    pub fn may_be_exempt(&self, line: &Line) -> bool {
        let was = || self.details.history.iter().any(|happened| happened.what == "exempted");
        self.details.exemption.is_some() || (line.voided.is_some() && was())
    }

    /// Whether money and goods changed hands.
    pub fn counts(&self) -> bool {
        matches!(self.end.as_str(), "sale" | "return" | "exchange" | "cancellation")
    }

    /// Counted among the returns. An exchange is counted by the way its balance went.
    pub fn counts_as_return(&self) -> bool {
        match self.end.as_str() {
            "exchange" => self.due < 0,
            end => end == "return" || end == "cancellation",
        }
    }
}

message!(#[derive(Eq, PartialOrd, Ord)] ReceiptSpan {
    1 first: Receipt = take::whole,
    2 last: Receipt = take::whole,
});

message!(TenderSum {
    1 tender: String = take::text,
    2 taken: i64 = take::amount,
    3 refunded: i64 = take::amount,
});

message!(Flow {
    1 float: i64 = take::amount,
    2 taken: i64 = take::amount,
    3 change: i64 = take::amount,
    4 refunds: i64 = take::amount,
    5 paid_in: i64 = take::amount,
    6 paid_out: i64 = take::amount,
    7 received: i64 = take::amount,
    8 drops: i64 = take::amount,
});

message!(ForeignCash {
    1 currency: String = take::text,
    2 flow: Flow = take::whole,
});

message!(CountResult {
    1 currency: String = take::text,
    2 expected: i64 = take::amount,
    3 counted: i64 = take::amount,
    4 over_short: i64 = take::amount,
});

message!(PeriodTotals {
    1 zs: u64 = take::number,
    2 sales: u64 = take::number,
    3 returns: u64 = take::number,
    4 net: i64 = take::amount,
    5 tax: i64 = take::amount,
    6 taxes: Vec<TaxSum> = take::each,
    7 cash_rounding: i64 = take::amount,
    8 sales_due: i64 = take::amount,
    9 returns_due: i64 = take::amount,
});

message!(Periods {
    5 perpetual: PeriodTotals = take::whole,
});

message!(ZDetail {
    1 currency: String = take::text,
    2 periods: Periods = take::whole,
    #[serde(default)] 4 foreign: Vec<CountResult> = take::each,
});

message!(Totals {
    1 sales: u64 = take::number,
    2 returns: u64 = take::number,
    3 cancelled: u64 = take::number,
    4 net: i64 = take::amount,
    5 tax: i64 = take::amount,
    6 taxes: Vec<TaxSum> = take::each,
    7 cash_rounding: i64 = take::amount,
    8 sales_due: i64 = take::amount,
    9 returns_due: i64 = take::amount,
    10 cash_taken: i64 = take::amount,
    11 change: i64 = take::amount,
    12 cash_refunds: i64 = take::amount,
    13 paid_in: i64 = take::amount,
    14 paid_out: i64 = take::amount,
    15 drops: i64 = take::amount,
    16 receipts: Vec<ReceiptSpan> = take::each,
    #[serde(default)] 17 card_taken: i64 = take::amount,
    #[serde(default)] 18 received: i64 = take::amount,
    #[serde(default)] 19 tenders: Vec<TenderSum> = take::each,
    #[serde(default)] 20 foreign: Vec<ForeignCash> = take::each,
});

message!(ZReport {
    1 number: u64 = take::number,
    2 opened_at: Micros = take::micros,
    3 closed_at: Micros = take::micros,
    4 float: i64 = take::amount,
    5 totals: Totals = take::whole,
    6 expected: i64 = take::amount,
    7 counted: i64 = take::amount,
    8 over_short: i64 = take::amount,
    9 perpetual_sales: i64 = take::amount,
    10 perpetual_returns: i64 = take::amount,
    #[serde(default)] 11 detail: Option<ZDetail> = take::maybe,
});

message!(ShiftClosed {
    0 fact: String = take::text,
    1 shift: Id = take::id,
    2 till: String = take::text,
    3 z: ZReport = take::whole,
});

message!(PriceChange {
    2 sku: String = take::text,
    3 price: i64 = take::amount,
    4 currency: String = take::text,
    5 effective_at: Micros = take::micros,
});

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceDirected {
    pub fact: String,
    pub directive: u64,
    pub change: PriceChange,
}

impl Message for PriceDirected {
    fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String> {
        match number {
            1 => take::number(&mut self.directive, value),
            _ => self.change.field(number, value),
        }
    }
}

message!(DirectiveRefused {
    0 fact: String = take::text,
    1 directive: u64 = take::number,
    2 why: String = take::text,
});

message!(CashTransferred {
    0 fact: String = take::text,
    1 from: String = take::text,
    2 to: String = take::text,
    #[serde(default)] 3 from_shift: Option<Id> = take::maybe_id,
    #[serde(default)] 4 to_shift: Option<Id> = take::maybe_id,
    5 currency: String = take::text,
    6 sums: Vec<CurrencySum> = take::each,
});

message!(Count {
    1 currency: String = take::text,
    3 total: i64 = take::amount,
});

message!(Tally {
    1 counts: Vec<Count> = take::each,
});

message!(TillCounted {
    0 fact: String = take::text,
    1 till: String = take::text,
    #[serde(default)] 2 shift: Option<Id> = take::maybe_id,
    3 currency: String = take::text,
    4 tally: Tally = take::whole,
    #[serde(default)] 5 results: Vec<CountResult> = take::each,
});

message!(#[derive(Eq, Hash)] ZRef {
    1 till: String = take::text,
    2 number: u64 = take::number,
    3 shift: Id = take::id,
});

message!(DayNumbered {
    0 fact: String = take::text,
    2 number: u64 = take::number,
    3 zs: Vec<ZRef> = take::each,
    4 totals: PeriodTotals = take::whole,
});

message!(TenderVoided {
    0 fact: String = take::text,
    1 ticket: Id = take::id,
    2 tender: Tender = take::whole,
    3 voided: Voided = take::whole,
});

message!(LayawayOpened {
    0 fact: String = take::text,
    1 layaway: Id = take::id,
    8 lines: Vec<Line> = take::each,
    9 total: i64 = take::amount,
});

message!(LayawayEnded {
    0 fact: String = take::text,
    1 layaway: Id = take::id,
    2 end: String = take::text,
    #[serde(default)] 3 ticket: Option<Id> = take::maybe_id,
    4 fee: i64 = take::amount,
});

macro_rules! facts {
    ($($number:literal $word:literal $name:ident($type:ty),)*) => {
        /// One entry's fact.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Fact {
            $($name(Box<$type>),)*
            /// A newer kind: its body as exported, null from a program that does not know it either.
            Newer(serde_json::Value),
            /// Known, but its payload can not be read; the entry's faults say why.
            Unreadable,
        }

        /// The word of a kind; `None` for one of a newer version.
        pub fn word(kind: u16) -> Option<&'static str> {
            match kind {
                $($number => Some($word),)*
                _ => None,
            }
        }

        /// The payload of an entry of this kind.
        pub fn from_bytes(kind: u16, payload: &[u8]) -> Result<Option<Fact>, String> {
            match kind {
                $($number => {
                    let mut message = <$type>::read(payload)?;
                    message.fact = $word.to_owned();
                    Ok(Some(Fact::$name(Box::new(message))))
                })*
                _ => Ok(None),
            }
        }

        /// The body of an entry with this word of kind.
        pub fn from_json<'de, D: serde::Deserializer<'de>>(kind: &str, body: D) -> Result<Fact, D::Error> {
            match kind {
                $($word => <$type>::deserialize(body).map(|fact| Fact::$name(Box::new(fact))),)*
                _ => serde_json::Value::deserialize(body).map(Fact::Newer),
            }
        }
    };
}

facts! {
    1 "epoch_opened" EpochOpened(EpochOpened),
    2 "catalog_applied" CatalogApplied(CatalogApplied),
    3 "stock_opened" StockOpened(StockOpened),
    4 "register_enrolled" RegisterEnrolled(RegisterEnrolled),
    5 "signed_in" SignedIn(SignedIn),
    6 "shift_opened" ShiftOpened(ShiftOpened),
    7 "cash_moved" CashMoved(CashMoved),
    8 "tender_taken" TenderTaken(TenderTaken),
    9 "ticket_closed" TicketClosed(Ticket),
    10 "shift_closed" ShiftClosed(ShiftClosed),
    11 "price_directed" PriceDirected(PriceDirected),
    12 "directive_refused" DirectiveRefused(DirectiveRefused),
    41 "cash_transferred" CashTransferred(CashTransferred),
    42 "till_counted" TillCounted(TillCounted),
    55 "day_numbered" DayNumbered(DayNumbered),
    71 "tender_voided" TenderVoided(TenderVoided),
    75 "layaway_opened" LayawayOpened(LayawayOpened),
    76 "layaway_ended" LayawayEnded(LayawayEnded),
}

impl Fact {
    /// Takes over what the bytes of early drafts do not say: which attempt at the terminal a card tender was.
    pub fn adopt_attempts(&mut self, body: &Fact) {
        match (self, body) {
            (Fact::TicketClosed(read), Fact::TicketClosed(said)) => {
                for (read, said) in read.tenders.iter_mut().zip(&said.tenders) {
                    read.attempt = read.attempt.take().or_else(|| said.attempt.clone());
                }
            }
            (Fact::TenderTaken(read), Fact::TenderTaken(said)) => {
                read.tender.attempt = read.tender.attempt.take().or_else(|| said.tender.attempt.clone());
            }
            _ => {}
        }
    }
}
