//! Proves from the stored bytes alone that head office's figures are right: every hash and chain computed again, every
//! projection folded again in memory, by other code than the one which keeps them up to date.
//!
//! Repairs nothing. Names the first difference, because what follows it means little.

use std::collections::BTreeMap;

use backroom_core::facts::{CashMove, Fact, TenderKind, TicketEnd};
use backroom_core::federation::receiver::Branch;
use backroom_core::ids::{ShiftId, StoreId, TillId};
use backroom_core::journal::{Entry, Epoch, Hash, Seq};
use backroom_core::money::MoneyError;
use backroom_core::stock::Stock;
use backroom_protocol::payload;

use crate::db::{Connection, DbError};
use crate::export::held_chains;
use crate::tenant::progress::{self, Progress, Projection};
use crate::tenant::{TenantDb, journal};

const ROUND: u32 = 500;

/// What was proven, or the first thing that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Right { stores: usize, entries: u64, waiting: usize },
    Wrong(String),
}

/// Why a proof stopped.
enum Stop {
    Db(DbError),
    Wrong(String),
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Stop {
        Stop::Db(error)
    }
}

impl From<MoneyError> for Stop {
    fn from(error: MoneyError) -> Stop {
        Stop::Wrong(error.to_string())
    }
}

pub async fn prove(tenant: &TenantDb) -> Result<Proof, DbError> {
    let mut snapshot = tenant.snapshot().await?;
    match prove_all(&mut snapshot, tenant).await {
        Ok(proof) => Ok(proof),
        Err(Stop::Wrong(difference)) => Ok(Proof::Wrong(difference)),
        Err(Stop::Db(DbError::Damaged { what, found })) => Ok(Proof::Wrong(format!("the database holds {found:?} where {what} should be"))),
        Err(Stop::Db(error)) => Err(error),
    }
}

async fn prove_all(db: &mut Connection, tenant: &TenantDb) -> Result<Proof, Stop> {
    let stores = journal::stores(db).await?;
    let mut entries = 0;
    for store in &stores {
        let mut fold = Fold::default();
        let progress = progress::load(db, *store).await?;
        let mut ends: BTreeMap<(Epoch, Seq, Hash), ()> = BTreeMap::new();
        for (epoch, branch, last) in held_chains(db, *store).await? {
            let through = progress.get(&(epoch, branch)).copied().unwrap_or_default();
            let chain = Chain {
                tenant,
                store: *store,
                epoch,
                branch,
                last,
            };
            entries += chain.fold(db, &through, &mut fold, &mut ends).await?;
        }
        fold.compare(db, *store).await?;
    }
    let waiting = tenant.open_cases().await?.len();
    Ok(Proof::Right {
        stores: stores.len(),
        entries,
        waiting,
    })
}

struct Chain<'a> {
    tenant: &'a TenantDb,
    store: StoreId,
    epoch: Epoch,
    branch: Branch,
    last: Seq,
}

impl Chain<'_> {
    /// Checks every entry against the one before, and adds what it says to the fold. `ends` are the entries seen so far, where
    /// another chain may begin.
    async fn fold(
        &self,
        db: &mut Connection,
        through: &Progress,
        fold: &mut Fold,
        ends: &mut BTreeMap<(Epoch, Seq, Hash), ()>,
    ) -> Result<u64, Stop> {
        let wrong = |seq: Seq, why: String| Stop::Wrong(format!("store {} entry {}:{seq}: {why}", self.store, self.epoch));
        let mut before: Option<(Seq, Hash)> = None;
        let mut count = 0;
        let mut after = Seq(0);
        while after < self.last {
            let round = journal::following(db, self.store, self.epoch, self.branch, after, ROUND).await?;
            let Some(end) = round.last().map(|kept| kept.seq) else { break };
            for kept in round {
                let entry = Entry::read(kept.bytes).map_err(|error| wrong(kept.seq, error.to_string()))?;
                if entry.hash != kept.hash {
                    return Err(wrong(kept.seq, "its bytes do not hash to what was stored with them".to_owned()));
                }
                let header = &entry.header;
                let place = (header.tenant, header.store, header.epoch, header.seq);
                if place != (self.tenant.tenant(), self.store, self.epoch, kept.seq) {
                    return Err(wrong(kept.seq, "its header names another place than it lies at".to_owned()));
                }
                let follows = match before {
                    Some((seq, hash)) => kept.seq.0 == seq.0 + 1 && header.prev_hash == hash,
                    None if kept.seq.0 == 1 => header.prev_hash == Hash::ZERO,
                    None => ends.contains_key(&(self.epoch, Seq(kept.seq.0 - 1), header.prev_hash)),
                };
                if !follows {
                    return Err(wrong(kept.seq, "the chain is broken before it".to_owned()));
                }
                fold.take(&entry, through).map_err(|stop| match stop {
                    Stop::Wrong(why) => wrong(kept.seq, why),
                    other => other,
                })?;
                before = Some((kept.seq, entry.hash));
                ends.insert((self.epoch, kept.seq, entry.hash), ());
                count += 1;
            }
            after = end;
        }
        Ok(count)
    }
}

type SaleKey = (i64, i64, String, i64, i64);
type SaleValue = (String, String, i64, i64, i64, i64, String);

/// The projections of one store, from nothing.
#[derive(Default)]
struct Fold {
    sales: BTreeMap<SaleKey, SaleValue>,
    stock: Stock,
    tills: BTreeMap<(TillId, ShiftId), Drawer>,
}

/// One shift as a list of what went in and out, summed only when it is compared.
#[derive(Default)]
struct Drawer {
    float: i64,
    legs: Vec<(Leg, i64)>,
    counted: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leg {
    Taken,
    Change,
    Refund,
    PaidIn,
    PaidOut,
    Drop,
}

impl Fold {
    /// Each projection is only folded as far as it says it has come.
    fn take(&mut self, entry: &Entry, through: &Progress) -> Result<(), Stop> {
        let reaches = |projection: Projection| entry.header.seq <= through.applied(projection);
        let needed = Projection::ALL
            .into_iter()
            .any(|projection| reaches(projection) && projection.needs(entry.header.kind));
        if !needed {
            return Ok(());
        }
        let fact = payload::fact(entry).map_err(|error| Stop::Wrong(format!("it is in the figures but cannot be read: {error}")))?;
        let Some(fact) = fact else { return Ok(()) };
        if reaches(Projection::Sales) {
            self.take_sale(entry, &fact);
        }
        if reaches(Projection::Stock) {
            let moves = match &fact {
                Fact::TicketClosed(ticket) => &ticket.moves[..],
                Fact::StockOpened(opened) => &opened.moves[..],
                _ => &[],
            };
            for moved in moves {
                self.stock.apply(moved)?;
            }
        }
        if reaches(Projection::Tills) {
            self.take_cash(&fact);
        }
        Ok(())
    }

    fn take_sale(&mut self, entry: &Entry, fact: &Fact) {
        let Fact::TicketClosed(ticket) = fact else { return };
        let Some(receipt) = ticket.receipt else { return };
        let end = ticket.end.word();
        let (epoch, seq) = (i64::from(entry.header.epoch.0), entry.header.seq.0 as i64);
        let key = (
            epoch,
            seq,
            receipt.register.to_string(),
            i64::from(receipt.series),
            receipt.number as i64,
        );
        let sums = (ticket.net.0, ticket.tax.0, ticket.cash_rounding.0, ticket.due.0);
        let day = entry.header.business_day.to_string();
        self.sales.insert(
            key,
            (
                end.to_owned(),
                day,
                sums.0,
                sums.1,
                sums.2,
                sums.3,
                ticket.currency.code().to_owned(),
            ),
        );
    }

    fn take_cash(&mut self, fact: &Fact) {
        match fact {
            Fact::ShiftOpened(opened) => self.drawer(opened.till, opened.shift).float = opened.float.0,
            Fact::CashMoved(moved) => {
                let leg = match moved.kind {
                    CashMove::PaidIn => Leg::PaidIn,
                    CashMove::PaidOut => Leg::PaidOut,
                    CashMove::Drop => Leg::Drop,
                };
                self.drawer(moved.till, moved.shift).legs.push((leg, moved.amount.0));
            }
            Fact::TicketClosed(ticket) => {
                let drawer = self.drawer(ticket.till, ticket.shift);
                let cash = ticket.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
                match ticket.end {
                    TicketEnd::Exchange if ticket.due.0 < 0 => drawer.legs.extend(cash.map(|tender| (Leg::Refund, -tender.amount.0))),
                    TicketEnd::Sale | TicketEnd::Exchange => {
                        drawer.legs.extend(cash.map(|tender| (Leg::Taken, tender.amount.0)));
                        drawer.legs.push((Leg::Change, ticket.change.0));
                    }
                    TicketEnd::Return | TicketEnd::Cancellation => drawer.legs.extend(cash.map(|tender| (Leg::Refund, -tender.amount.0))),
                    TicketEnd::Cancelled | TicketEnd::Training | TicketEnd::Quotation => {}
                }
            }
            Fact::ShiftClosed(closed) => self.drawer(closed.till, closed.shift).counted = Some(closed.z.counted.0),
            _ => {}
        }
    }

    fn drawer(&mut self, till: TillId, shift: ShiftId) -> &mut Drawer {
        self.tills.entry((till, shift)).or_default()
    }

    async fn compare(&self, db: &mut Connection, store: StoreId) -> Result<(), Stop> {
        self.compare_sales(db, store).await?;
        self.compare_stock(db, store).await?;
        self.compare_tills(db, store).await
    }

    async fn compare_sales(&self, db: &mut Connection, store: StoreId) -> Result<(), Stop> {
        type Row = (i64, i64, String, i64, i64, String, String, i64, i64, i64, i64, String);
        let rows: Vec<Row> = sqlx::query_as(
            "select epoch, seq, register, series, number, ended, business_day, net, tax, cash_rounding, due, currency \
             from sale where store = $1",
        )
        .bind(store.as_str())
        .fetch_all(db)
        .await
        .map_err(DbError::doing("read the sales"))?;
        let kept = rows.into_iter().map(
            |(epoch, seq, register, series, number, end, day, net, tax, rounding, due, currency)| {
                (
                    (epoch, seq, register, series, number),
                    (end, day, net, tax, rounding, due, currency),
                )
            },
        );
        same("sale", store, &self.sales, &kept.collect())
    }

    async fn compare_stock(&self, db: &mut Connection, store: StoreId) -> Result<(), Stop> {
        let rows: Vec<(String, i64)> = sqlx::query_as("select sku, on_hand from stock where store = $1")
            .bind(store.as_str())
            .fetch_all(db)
            .await
            .map_err(DbError::doing("read the stock"))?;
        let folded: BTreeMap<String, i64> = self.stock.iter().map(|(sku, on_hand)| (sku.to_string(), on_hand.0)).collect();
        same("stock of", store, &folded, &rows.into_iter().collect())
    }

    async fn compare_tills(&self, db: &mut Connection, store: StoreId) -> Result<(), Stop> {
        type Row = (String, String, i64, i64, i64, i64, i64, i64, i64, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "select till, shift, float, cash_taken, change, cash_refunds, paid_in, paid_out, drops, counted from shift where store = $1",
        )
        .bind(store.as_str())
        .fetch_all(db)
        .await
        .map_err(DbError::doing("read the shifts"))?;
        let kept = rows
            .into_iter()
            .map(|(till, shift, float, taken, change, refunds, paid_in, paid_out, drops, counted)| {
                (
                    (till, shift),
                    ([float, taken, change, refunds, paid_in, paid_out, drops].map(i128::from), counted),
                )
            });
        let folded = self
            .tills
            .iter()
            .map(|((till, shift), drawer)| ((till.to_string(), shift.to_string()), drawer.sums()));
        same("shift", store, &folded.collect(), &kept.collect())
    }
}

impl Drawer {
    fn sums(&self) -> ([i128; 7], Option<i64>) {
        let sum = |of: Leg| {
            self.legs
                .iter()
                .filter(|(leg, _)| *leg == of)
                .map(|(_, amount)| i128::from(*amount))
                .sum()
        };
        let legs = [Leg::Taken, Leg::Change, Leg::Refund, Leg::PaidIn, Leg::PaidOut, Leg::Drop].map(sum);
        let [taken, change, refunds, paid_in, paid_out, drops] = legs;
        (
            [i128::from(self.float), taken, change, refunds, paid_in, paid_out, drops],
            self.counted,
        )
    }
}

fn same<K, V>(what: &str, store: StoreId, folded: &BTreeMap<K, V>, kept: &BTreeMap<K, V>) -> Result<(), Stop>
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    for (key, should) in folded {
        match kept.get(key) {
            Some(is) if is == should => {}
            Some(is) => {
                return Err(Stop::Wrong(format!(
                    "store {store}, {what} {key:?}: the journal says {should:?}, the figures say {is:?}"
                )));
            }
            None => {
                return Err(Stop::Wrong(format!(
                    "store {store}, {what} {key:?}: the journal says {should:?}, the figures lack it"
                )));
            }
        }
    }
    match kept.iter().find(|(key, _)| !folded.contains_key(*key)) {
        Some((key, is)) => Err(Stop::Wrong(format!(
            "store {store}, {what} {key:?}: the figures say {is:?}, the journal does not"
        ))),
        None => Ok(()),
    }
}
