//! What happens to tills between tickets, and the end of a day: floats, cash in and out, safes, looks, blind counts, Zs, handing on, settlements,
//! the day's own number and its seal.

use backroom_core::day::{CarriedTicket, SettlementEnd};
use backroom_core::facts::{CashMove, Fact, TillFact};
use backroom_core::ids::{CommandId, ShiftId, TillId};
use backroom_core::money::Money;
use backroom_core::till::{ClosePolicy, Closing, Count, Counted, CurrencySum, Opening, Tally, TillKind, Transfer, WitnessRule};

use super::book::{By, held};
use super::store::{Place, text};
use super::{Broken, Shop};

fn fault<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Broken {
    move |why| format!("{what}: {why}")
}

impl Shop<'_> {
    pub fn by_place(place: Place, command: Option<CommandId>) -> By {
        By {
            command,
            register: place.register,
            staff: place.staff,
        }
    }

    /// One command that is one fact.
    pub fn fact(&mut self, place: Place, call: &'static str, id: CommandId, fact: Fact) -> Result<(), Broken> {
        self.book.commit(fact, Self::by_place(place, Some(id)))?;
        self.ack(id, call);
        Ok(())
    }

    pub fn declare_safe(&mut self, place: Place) -> Result<(), Broken> {
        let safe: TillId = text("safe")?;
        let id = self.book.asked("declare_till");
        let declared = self.book.till(safe).declare(TillKind::Safe).map_err(fault("declare"))?;
        self.fact(place, "declare_till", id, Fact::Till(TillFact::TillDeclared(declared)))?;
        self.count(place, safe, 100_000).map(drop)
    }

    fn opening(&mut self, place: Place, id: CommandId) -> Result<Opening, Broken> {
        let foreign = if self.chance.percent(25) {
            vec![CurrencySum {
                currency: text("USD")?,
                amount: Money(self.chance.below(5000) as i64),
            }]
        } else {
            Vec::new()
        };
        Ok(Opening {
            shift: ShiftId(uuid::Uuid::from_bytes(id.to_bytes())),
            register: place.register,
            staff: place.staff,
            float: Money(self.chance.below(200) as i64 * 100),
            foreign,
        })
    }

    pub fn open_shift(&mut self, place: Place) -> Result<(), Broken> {
        let id = self.book.asked("open_shift");
        let opening = self.opening(place, id)?;
        let currency = self.store.currency;
        let opened = self
            .book
            .till(place.till)
            .open_with(currency, opening)
            .map_err(fault("open_shift"))?;
        self.fact(place, "open_shift", id, Fact::ShiftOpened(opened))
    }

    pub fn shift(&mut self, place: Place) -> Result<ShiftId, Broken> {
        let till = self.book.till(place.till);
        let shift = till.shift.as_ref().map(|shift| shift.shift);
        shift.ok_or_else(|| format!("till {} has no shift", place.till))
    }

    pub fn move_cash(&mut self, place: Place) -> Result<(), Broken> {
        let kinds = [CashMove::PaidIn, CashMove::PaidOut, CashMove::Drop];
        let kind = self.chance.pick(&kinds).copied().unwrap_or(CashMove::PaidIn);
        let amount = Money(self.chance.between(1, 5000) as i64);
        let id = self.book.asked("move_cash");
        let moved = self
            .book
            .till(place.till)
            .move_cash(kind, amount, "change")
            .map_err(fault("move_cash"))?;
        self.fact(place, "move_cash", id, Fact::CashMoved(moved))?;
        self.met("cash_moves");
        Ok(())
    }

    /// From a drawer into the safe, back, or into another drawer.
    pub fn transfer(&mut self, place: Place) -> Result<(), Broken> {
        let safe: TillId = text("safe")?;
        let other = self.chance.pick(&self.store.places).map_or(safe, |other| other.till);
        let (from, to) = match self.chance.below(3) {
            0 => (place.till, safe),
            1 => (safe, place.till),
            _ => (place.till, other),
        };
        let mut sums = vec![CurrencySum {
            currency: self.store.currency,
            amount: Money(self.chance.between(1, 4000) as i64),
        }];
        if self.chance.percent(20) {
            sums.push(CurrencySum {
                currency: text("USD")?,
                amount: Money(self.chance.between(1, 500) as i64),
            });
        }
        let transfer = Transfer {
            sums,
            by: place.staff,
            witness: Some(text("lead")?),
            reason: "bag 17".to_owned(),
        };
        let id = self.book.asked("transfer");
        let (currency, to) = (self.store.currency, self.book.till(to).clone());
        match self
            .book
            .till(from)
            .transfer_to(&to, currency, WitnessRule::From(Money(1000)), transfer)
        {
            Err(_) => {
                self.book.refused(id, "transfer");
                self.met("refusals");
                Ok(())
            }
            Ok(moved) => {
                self.met("transfers");
                self.fact(place, "transfer", id, Fact::Till(TillFact::CashTransferred(moved)))
            }
        }
    }

    /// A look, which changes nothing and says what a Z would.
    pub fn x(&mut self, place: Place) -> Result<(), Broken> {
        let (at, day) = (self.book.now, self.book.today());
        let till = self.book.till(place.till);
        let x = till.x(at, day).map_err(fault("x"))?;
        if x.expected != held(till)? {
            return Err(format!(
                "the X of till {} expects {}, the till {}",
                place.till,
                x.expected.0,
                held(till)?.0
            ));
        }
        self.met("xs");
        Ok(())
    }

    /// A blind count: the person finds what they find.
    fn count(&mut self, place: Place, till: TillId, found: i64) -> Result<(), Broken> {
        let tally = self.tally(till, found)?;
        let id = self.book.asked("count");
        let currency = self.store.currency;
        let counted = self
            .book
            .till(till)
            .count(currency, tally, place.staff, None)
            .map_err(fault("count"))?;
        self.fact(place, "count", id, Fact::Till(TillFact::TillCounted(Box::new(counted))))
    }

    fn tally(&mut self, till: TillId, found: i64) -> Result<Tally, Broken> {
        let mut counts = vec![Count::keyed(self.store.currency, Money(found.max(0))).map_err(fault("count"))?];
        let foreign = match &self.book.till(till).shift {
            Some(shift) => shift.expected_foreign().map_err(fault("foreign"))?,
            None => Vec::new(),
        };
        for sum in foreign {
            counts.push(Count::keyed(sum.currency, Money(sum.amount.0.max(0))).map_err(fault("count"))?);
        }
        Tally::new(counts, Vec::new()).map_err(fault("tally"))
    }

    /// What lies in the till, and sometimes a little more or less.
    fn found(&mut self, till: TillId) -> Result<i64, Broken> {
        let expected = held(self.book.till(till))?.0;
        let off = if self.chance.percent(30) {
            self.chance.below(400) as i64 - 200
        } else {
            0
        };
        Ok(expected + off)
    }

    fn closing(&mut self, place: Place, counted: Counted) -> Result<(ClosePolicy, Closing), Broken> {
        let day = self.shift(place)?;
        let day = self.book.days.day_of(day, self.book.today());
        let policy = ClosePolicy {
            currency: self.store.currency,
            limit: Money(100),
        };
        let closing = Closing {
            counted,
            by: place.staff,
            at: self.book.now,
            day,
            reason: None,
            approval: None,
        };
        Ok((policy, closing))
    }

    /// Closes a shift in the middle of the day and hands the till on.
    pub fn hand_over(&mut self, place: Place) -> Result<(), Broken> {
        let found = self.found(place.till)?;
        let tally = self.tally(place.till, found)?;
        let (policy, closing) = self.closing(place, Counted::Now(tally))?;
        let id = self.book.asked("hand_over");
        let next = Opening {
            staff: text("lead")?,
            ..self.opening(place, id)?
        };
        let (closed, opened) = self
            .book
            .till(place.till)
            .hand_over(policy, closing, next)
            .map_err(fault("hand_over"))?;
        self.book
            .commit(Fact::ShiftClosed(Box::new(closed)), Self::by_place(place, Some(id)))?;
        self.ack(id, "hand_over");
        // In the box one commit holds both; the second follows from the first.
        let also = self.book.asked("open_shift");
        self.fact(place, "open_shift", also, Fact::ShiftOpened(opened))?;
        self.met("zs");
        Ok(())
    }

    pub fn close_day(&mut self) -> Result<(), Broken> {
        let Some(place) = self.store.places.first().copied() else {
            return Ok(());
        };
        let by = Self::by_place(place, None);
        let day = self.book.today();
        let terminal = text("pay1")?;
        let begun = self.book.days.begin(day, place.staff, vec![terminal]);
        self.book.step(begun, "close_day", by)?;
        for place in self.store.places.clone() {
            let found = self.found(place.till)?;
            self.count(place, place.till, found)?;
        }
        let mut tickets = Vec::new();
        for resting in &self.resting {
            tickets.push(CarriedTicket {
                ticket: resting.open.opening.ticket,
                register: resting.open.opening.register,
                total: resting.open.total().map_err(fault("total"))?,
            });
        }
        let carried = self.book.days.carry(day, tickets);
        self.book.step(carried, "carry", by)?;
        let settlement = CommandId(self.book.id());
        let wanted = self.book.days.settle(day, terminal, settlement);
        self.book.step(wanted, "settle_terminal", by)?;
        if self.chance.percent(30) {
            let unknown = self.book.days.settled(day, terminal, settlement, SettlementEnd::Unknown, "link");
            self.book.step(unknown, "settled", by)?;
        }
        let end = if self.chance.percent(80) {
            SettlementEnd::Done
        } else {
            SettlementEnd::Left
        };
        let ended = self.book.days.settled(day, terminal, settlement, end, "host");
        self.book.step(ended, "settled", by)?;
        for place in self.store.places.clone() {
            self.z(place)?;
        }
        let numbered = self.book.days.number(day);
        self.book.step(numbered, "number_day", by)?;
        let sealed = self.book.days.seal(day);
        self.book.step(sealed, "seal_day", by)?;
        if self.book.days.pending().next().is_some() {
            return Err("a sealed day leaves a Z in no day".to_owned());
        }
        self.met("days");
        let expected = held(self.book.till(text("safe")?))?.0;
        self.count(place, text("safe")?, expected)
    }

    fn z(&mut self, place: Place) -> Result<(), Broken> {
        self.x(place)?;
        let (policy, closing) = self.closing(place, Counted::Before)?;
        let id = self.book.asked("close_shift");
        let closed = self.book.till(place.till).close(policy, closing).map_err(fault("close_shift"))?;
        self.fact(place, "close_shift", id, Fact::ShiftClosed(Box::new(closed)))?;
        self.met("zs");
        Ok(())
    }
}
