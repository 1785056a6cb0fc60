//! Takes entries into the projections, in the transaction that stores them: sales, stock, tills, directives followed.
//!
//! Each projection is a sum over facts, so chains may be taken in one after the other in any order. What the facts say is
//! written down as it is: figures of a store are never corrected here. `prove` computes the same in another way.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use backroom_core::catalog::Sku;
use backroom_core::facts::{CashMove, CashTransferred, ClosedTicket, Fact, TenderKind, TicketEnd, TillFact};
use backroom_core::federation::receiver::Branch;
use backroom_core::ids::{ShiftId, StoreId, TillId};
use backroom_core::journal::{Entry, Epoch, Seq};
use backroom_core::money::{Money, MoneyError};
use backroom_core::stock::StockMove;
use backroom_protocol::payload;

use crate::db::{self, Connection, DbError, signed};

use super::progress::{self, Progress, Projection};
use super::quarantine::{self, Reason};
use super::shopify::outbox::Outbox;
use super::{directives, journal};

/// Entries of one round: bounds the memory, not the transaction.
const ROUND: u32 = 500;

/// An entry that could not be taken in, for the alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub epoch: Epoch,
    pub branch: Branch,
    pub seq: Seq,
    pub why: String,
}

/// Takes in all that a chain has and its projections have not. Says which entries were found unreadable for the first time.
pub async fn catch_up(
    db: &mut Connection,
    store: StoreId,
    epoch: Epoch,
    branch: Branch,
    progress: &mut Progress,
) -> Result<Vec<Stopped>, DbError> {
    let before = *progress;
    let mut stopped = Vec::new();
    let mut sums = Sums::new(store);
    while let Some(from) = progress.next_from() {
        let round = journal::following(db, store, epoch, branch, from, ROUND).await?;
        if round.is_empty() {
            break;
        }
        for kept in round {
            let at = (epoch, branch, kept.seq);
            let read = Entry::read(kept.bytes).map_err(|error| error.to_string());
            // Bytes which are no entry any more (a damaged disk) could be anything, so everything needs them.
            let kind = read.as_ref().ok().map(|entry| entry.header.kind);
            let needed = |projection: Projection| kind.is_none_or(|kind| projection.needs(kind));
            let fact = read.and_then(|entry| Ok((payload::fact(&entry).map_err(|error| said(&error))?, entry)));
            for projection in Projection::ALL {
                if !progress.may_take(projection, kept.seq) {
                    continue;
                }
                let taken = match &fact {
                    _ if !needed(projection) => Ok(()),
                    Ok((None, _)) => Ok(()), // A kind of a newer version: carried, not applied.
                    Ok((Some(fact), entry)) => sums.take(db, projection, fact, entry, branch).await?,
                    Err(why) => Err(why.clone()),
                };
                match taken {
                    Ok(()) => {
                        if before.applied(projection).0 + 1 == kept.seq.0 && needed(projection) {
                            quarantine::resolve(db, store, at, Reason::Unreadable).await?;
                        }
                        progress.take(projection, kept.seq);
                    }
                    Err(why) => {
                        progress.stop(projection);
                        if quarantine::add(db, store, at, Reason::Unreadable, &why).await? {
                            stopped.push(Stopped {
                                epoch,
                                branch,
                                seq: kept.seq,
                                why,
                            });
                        }
                    }
                }
            }
            if let Err(why) = &fact
                && quarantine::add(db, store, at, Reason::Unreadable, why).await?
            {
                stopped.push(Stopped {
                    epoch,
                    branch,
                    seq: kept.seq,
                    why: why.clone(),
                }); // No projection needs it, a person still should see it.
            }
        }
    }
    sums.write(db).await?;
    progress::save(db, store, epoch, branch, &before, progress).await?;
    Ok(stopped)
}

/// With its causes: the sentence goes into a list, not into a chain of errors.
fn said(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", said(cause)),
        None => error.to_string(),
    }
}

/// Sums which change while entries are taken in; read when first needed, written once at the end.
struct Sums {
    store: StoreId,
    stock: BTreeMap<Sku, i64>,
    shifts: BTreeMap<(TillId, ShiftId), Shift>,
    /// What the company's web shop is to be told of these entries.
    outbox: Outbox,
}

/// The cash of one shift.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Shift {
    pub float: i64,
    pub cash_taken: i64,
    pub change: i64,
    pub cash_refunds: i64,
    pub paid_in: i64,
    pub paid_out: i64,
    pub drops: i64,
    pub counted: Option<i64>,
}

impl Shift {
    /// What the drawer should hold. Wide, because it is a sum of sums.
    pub fn expected(&self) -> i128 {
        let into = [self.float, self.cash_taken, self.paid_in];
        let out = [self.change, self.cash_refunds, self.paid_out, self.drops];
        into.map(i128::from).iter().sum::<i128>() - out.map(i128::from).iter().sum::<i128>()
    }
}

/// Taken in, or why not. An outer error is the database's.
type Taken = Result<Result<(), String>, DbError>;

impl Sums {
    fn new(store: StoreId) -> Sums {
        Sums {
            store,
            stock: BTreeMap::new(),
            shifts: BTreeMap::new(),
            outbox: Outbox::new(store),
        }
    }

    async fn take(&mut self, db: &mut Connection, projection: Projection, fact: &Fact, entry: &Entry, branch: Branch) -> Taken {
        match (projection, fact) {
            (Projection::Sales, Fact::TicketClosed(ticket)) => {
                insert_sale(db, entry, branch, ticket).await?;
                self.outbox.closed(db, entry, ticket).await.map(Ok)
            }
            (Projection::Stock, fact) if !fact.stock_moves().is_empty() => self.move_stock(db, entry, fact.stock_moves()).await,
            (Projection::Tills, fact) => self.move_cash(db, fact).await,
            (Projection::Directives, fact) => directives::answered(db, self.store, fact).await.map(Ok),
            _ => Ok(Ok(())),
        }
    }

    /// All moves of a fact or none.
    async fn move_stock(&mut self, db: &mut Connection, entry: &Entry, moves: &[StockMove]) -> Taken {
        let mut moved: BTreeMap<&Sku, i64> = BTreeMap::new();
        for StockMove { sku, delta, .. } in moves {
            let on_hand = match moved.get(sku) {
                Some(on_hand) => *on_hand,
                None => self.on_hand(db, sku).await?,
            };
            let Some(sum) = on_hand.checked_add(delta.0) else {
                return Ok(Err(too_large()));
            };
            moved.insert(sku, sum);
        }
        self.stock.extend(moved.into_iter().map(|(sku, on_hand)| (sku.clone(), on_hand)));
        let stock = &self.stock;
        let on_hand = |sku: &Sku| stock.get(sku).copied().unwrap_or_default();
        self.outbox.moved(db, entry, moves, on_hand).await.map(Ok)
    }

    async fn on_hand(&mut self, db: &mut Connection, sku: &Sku) -> Result<i64, DbError> {
        if let Some(on_hand) = self.stock.get(sku) {
            return Ok(*on_hand);
        }
        let found: Option<i64> = sqlx::query_scalar("select on_hand from stock where store = $1 and sku = $2")
            .bind(self.store.as_str())
            .bind(sku.as_str())
            .fetch_optional(db)
            .await
            .map_err(DbError::doing("read what is on hand"))?;
        Ok(found.unwrap_or_default())
    }

    /// What left an open shift for another till counts as dropped, what came into one as paid in.
    async fn transfer_cash(&mut self, db: &mut Connection, moved: &CashTransferred) -> Taken {
        let own = moved.sums.iter().filter(|sum| sum.currency == moved.currency);
        let Ok(amount) = Money::sum(own.map(|sum| sum.amount)) else {
            return Ok(Err(too_large()));
        };
        let sides = [(moved.from, moved.from_shift, true), (moved.to, moved.to_shift, false)];
        let mut changed = Vec::new();
        for (till, shift, leaves) in sides {
            let Some(shift) = shift else { continue };
            let mut sums = match self.shifts.get(&(till, shift)) {
                Some(sums) => sums.clone(),
                None => read_shift(db, self.store, till, shift).await?,
            };
            let sum = if leaves { &mut sums.drops } else { &mut sums.paid_in };
            match Money(*sum).checked_add(amount) {
                Ok(more) => *sum = more.0,
                Err(_) => return Ok(Err(too_large())),
            }
            changed.push(((till, shift), sums));
        }
        self.shifts.extend(changed);
        Ok(Ok(()))
    }

    async fn move_cash(&mut self, db: &mut Connection, fact: &Fact) -> Taken {
        let (till, shift) = match fact {
            Fact::ShiftOpened(fact) => (fact.till, fact.shift),
            Fact::CashMoved(fact) => (fact.till, fact.shift),
            Fact::TicketClosed(fact) => (fact.till, fact.shift),
            Fact::ShiftClosed(fact) => (fact.till, fact.shift),
            Fact::Till(TillFact::CashTransferred(moved)) => return self.transfer_cash(db, moved).await,
            _ => return Ok(Ok(())),
        };
        let store = self.store;
        let sums = match self.shifts.entry((till, shift)) {
            Slot::Occupied(there) => there.into_mut(),
            Slot::Vacant(free) => free.insert(read_shift(db, store, till, shift).await?),
        };
        let mut moved = sums.clone();
        let outcome = add_cash(&mut moved, fact);
        if outcome.is_ok() {
            *sums = moved;
        }
        Ok(outcome.map_err(|_| too_large()))
    }

    async fn write(&self, db: &mut Connection) -> Result<(), DbError> {
        for (sku, on_hand) in &self.stock {
            let sql = "insert into stock (store, sku, on_hand) values ($1, $2, $3) \
                       on conflict (store, sku) do update set on_hand = excluded.on_hand";
            let query = sqlx::query(sql).bind(self.store.as_str()).bind(sku.as_str()).bind(on_hand);
            query.execute(&mut *db).await.map_err(DbError::doing("write what is on hand"))?;
        }
        for ((till, shift), sums) in &self.shifts {
            write_shift(db, self.store, *till, *shift, sums).await?;
        }
        Ok(())
    }
}

fn too_large() -> String {
    MoneyError::TooLarge.to_string()
}

fn add_cash(sums: &mut Shift, fact: &Fact) -> Result<(), MoneyError> {
    let add = |sum: &mut i64, amount: Money| {
        *sum = Money(*sum).checked_add(amount)?.0;
        Ok::<_, MoneyError>(())
    };
    match fact {
        Fact::ShiftOpened(opened) => sums.float = opened.float.0,
        Fact::CashMoved(moved) => match moved.kind {
            CashMove::PaidIn => add(&mut sums.paid_in, moved.amount)?,
            CashMove::PaidOut => add(&mut sums.paid_out, moved.amount)?,
            CashMove::Drop => add(&mut sums.drops, moved.amount)?,
        },
        Fact::TicketClosed(ticket) => {
            let cash = ticket.tendered(TenderKind::Cash)?; // A card fills no drawer.
            match ticket.end {
                TicketEnd::Exchange if ticket.due < Money::ZERO => add(&mut sums.cash_refunds, cash.negated()?)?,
                TicketEnd::Sale | TicketEnd::Exchange => {
                    add(&mut sums.cash_taken, cash)?;
                    add(&mut sums.change, ticket.change)?;
                }
                TicketEnd::Return | TicketEnd::Cancellation => add(&mut sums.cash_refunds, cash.negated()?)?,
                TicketEnd::Cancelled | TicketEnd::Training | TicketEnd::Quotation => {}
            }
        }
        Fact::ShiftClosed(closed) => sums.counted = Some(closed.z.counted.0),
        _ => {}
    }
    Ok(())
}

async fn read_shift(db: &mut Connection, store: StoreId, till: TillId, shift: ShiftId) -> Result<Shift, DbError> {
    let sql = "select float, cash_taken, change, cash_refunds, paid_in, paid_out, drops, counted from shift \
               where store = $1 and till = $2 and shift = $3";
    let query = sqlx::query_as(sql).bind(store.as_str()).bind(till.as_str()).bind(shift.to_string());
    let found: Option<Shift> = query.fetch_optional(db).await.map_err(DbError::doing("read a shift"))?;
    Ok(found.unwrap_or_default())
}

async fn write_shift(db: &mut Connection, store: StoreId, till: TillId, shift: ShiftId, sums: &Shift) -> Result<(), DbError> {
    let sql = "insert into shift (store, till, shift, float, cash_taken, change, cash_refunds, paid_in, paid_out, drops, counted) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (store, till, shift) do update set float = excluded.float, \
               cash_taken = excluded.cash_taken, change = excluded.change, cash_refunds = excluded.cash_refunds, \
               paid_in = excluded.paid_in, paid_out = excluded.paid_out, drops = excluded.drops, counted = excluded.counted";
    sqlx::query(sql)
        .bind(store.as_str())
        .bind(till.as_str())
        .bind(shift.to_string())
        .bind(sums.float)
        .bind(sums.cash_taken)
        .bind(sums.change)
        .bind(sums.cash_refunds)
        .bind(sums.paid_in)
        .bind(sums.paid_out)
        .bind(sums.drops)
        .bind(sums.counted)
        .execute(db)
        .await
        .map_err(DbError::doing("write a shift"))?;
    Ok(())
}

/// A cancelled ticket has no receipt and is no sale.
async fn insert_sale(db: &mut Connection, entry: &Entry, branch: Branch, ticket: &ClosedTicket) -> Result<(), DbError> {
    let Some(receipt) = ticket.receipt else { return Ok(()) };
    let header = &entry.header;
    if !ticket.end.counts() {
        return Ok(()); // Practice and offers are no sales either.
    }
    let ended = ticket.end.word();
    let sql = "insert into sale (store, epoch, seq, branch, register, series, number, ended, at, business_day, till, net, tax, \
               cash_rounding, due, currency) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    sqlx::query(sql)
        .bind(header.store.as_str())
        .bind(i64::from(header.epoch.0))
        .bind(signed(header.seq.0))
        .bind(i64::from(branch.0))
        .bind(receipt.register.as_str())
        .bind(i64::from(receipt.series))
        .bind(signed(receipt.number))
        .bind(ended)
        .bind(header.at.as_micros())
        .bind(header.business_day.to_string())
        .bind(ticket.till.as_str())
        .bind(ticket.net.0)
        .bind(ticket.tax.0)
        .bind(ticket.cash_rounding.0)
        .bind(ticket.due.0)
        .bind(ticket.currency.code())
        .execute(&mut *db)
        .await
        .map_err(DbError::doing("write a sale"))?;
    for (line, sum) in ticket.taxes.iter().enumerate() {
        let sql =
            "insert into sale_tax (store, epoch, seq, branch, line, tax_class, rate, net, tax) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(sql)
            .bind(header.store.as_str())
            .bind(i64::from(header.epoch.0))
            .bind(signed(header.seq.0))
            .bind(i64::from(branch.0))
            .bind(signed(line as u64))
            .bind(db::text(&sum.tax_class))
            .bind(String::from(sum.rate))
            .bind(sum.net.0)
            .bind(sum.tax.0)
            .execute(&mut *db)
            .await
            .map_err(DbError::doing("write the tax of a sale"))?;
    }
    Ok(())
}
