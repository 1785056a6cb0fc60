//! How far each projection has taken each chain in.
//!
//! A projection that met an entry which it needs and can not read stays behind alone; all others go on.

use std::collections::BTreeMap;

use backroom_core::facts::Kind;
use backroom_core::federation::receiver::Branch;
use backroom_core::ids::StoreId;
use backroom_core::journal::{Epoch, Seq};

use crate::db::{Connection, DbError, signed, unsigned};

use super::journal::{read_branch, read_epoch};

/// What head office makes of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Projection {
    Sales,
    Stock,
    Tills,
    /// Which orders the stores have followed.
    Directives,
}

impl Projection {
    pub const ALL: [Projection; 4] = [Projection::Sales, Projection::Stock, Projection::Tills, Projection::Directives];

    pub fn word(self) -> &'static str {
        match self {
            Projection::Sales => "sales",
            Projection::Stock => "stock",
            Projection::Tills => "tills",
            Projection::Directives => "directives",
        }
    }

    /// Whether this projection would be wrong without entries of that kind. One of a newer version is carried, not applied.
    pub fn needs(self, kind: u16) -> bool {
        let Some(kind) = Kind::from_number(kind) else { return false };
        match kind {
            Kind::TicketClosed => self != Projection::Directives,
            Kind::StockOpened => self == Projection::Stock,
            Kind::ShiftOpened | Kind::CashMoved | Kind::ShiftClosed => self == Projection::Tills,
            Kind::PriceDirected | Kind::DirectiveRefused => self == Projection::Directives,
            Kind::EpochOpened | Kind::CatalogApplied | Kind::RegisterEnrolled | Kind::SignedIn | Kind::TenderTaken => false,
            // Cards and machines: money on a card counts with its ticket, and a count of a shelf moves nothing.
            Kind::CardAsked | Kind::CardBegun | Kind::CardEnded | Kind::FoundCapture => false,
            Kind::EffectWanted | Kind::EffectEnded | Kind::ShelfCounted => false,
            Kind::CashTransferred => self == Projection::Tills,
            Kind::TillDeclared | Kind::TillCounted => false,
            // People, days and signatures: each sale and each till counts with its own entry.
            Kind::RoleSet | Kind::RolesGiven | Kind::StaffBlocked | Kind::ApprovalGiven | Kind::ApprovalUsed => false,
            Kind::Clocked | Kind::ClockCorrected | Kind::PinRefused => false,
            Kind::DayCloseBegun | Kind::TicketsCarried | Kind::SettlementWanted | Kind::SettlementEnded => false,
            Kind::DayNumbered | Kind::DaySealed | Kind::DocumentMarked | Kind::FiscalWanted | Kind::FiscalEnded => false,
            // Accounts and customers have no projection in the database yet.
            Kind::AccountOpened | Kind::AccountMoved | Kind::AccountChanged => false,
            Kind::LeaseAsked | Kind::LeaseGranted | Kind::LeaseTaken | Kind::LeaseReturned | Kind::LeaseClosed => false,
            Kind::OfficeSeen | Kind::CustomerChanged => false,
            Kind::StockAdjusted | Kind::TransferDispatched | Kind::TransferReceived => self == Projection::Stock,
            Kind::PurchaseReceived | Kind::CountApproved => self == Projection::Stock,
            // What is promised, expected, counted and marked moves nothing.
            Kind::StockRequestRefused | Kind::StockReserved | Kind::ReservationReleased | Kind::ReservationConsumed => false,
            Kind::TransferClosed | Kind::PurchaseOrdered | Kind::PurchaseClosed => false,
            Kind::CountStarted | Kind::CountEntered | Kind::CountEnded | Kind::UnitsMarked | Kind::StockCrossed => false,
            // What a ticket waits for or has put aside counts when it closes; an invoice is a paper.
            Kind::SaleRefused
            | Kind::TenderVoided
            | Kind::RefundAsked
            | Kind::BalanceAsked
            | Kind::BalanceEnded
            | Kind::LayawayOpened
            | Kind::LayawayEnded
            | Kind::InvoiceNumbered => false,
            // Chains, escrow and openings are checked where entries come in, and have no projection of their own yet.
            Kind::EpochSuperseded
            | Kind::BranchRecorded
            | Kind::BranchClosed
            | Kind::ChainBroken
            | Kind::EscrowGranted
            | Kind::EscrowTaken
            | Kind::EscrowRefused
            | Kind::AccountsOpened
            | Kind::TillsOpened
            | Kind::WentLive => false,
        }
    }
}

/// How far one chain has been taken in, by projection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress([Step; 4]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    applied: Seq,
    /// The entry after `applied` can not be taken in.
    stopped: bool,
}

impl Progress {
    pub fn applied(&self, projection: Projection) -> Seq {
        self.0[projection as usize].applied
    }

    /// Everything up to here is in all projections: what a watermark calls applied.
    pub fn all(&self) -> Seq {
        self.0.iter().map(|step| step.applied).min().unwrap_or_default()
    }

    /// Where the next round has to begin; `None` when nothing can go on.
    pub fn next_from(&self) -> Option<Seq> {
        self.0.iter().filter(|step| !step.stopped).map(|step| step.applied).min()
    }

    pub fn may_take(&self, projection: Projection, seq: Seq) -> bool {
        let step = self.0[projection as usize];
        !step.stopped && step.applied < seq
    }

    pub fn take(&mut self, projection: Projection, seq: Seq) {
        self.0[projection as usize] = Step {
            applied: seq,
            stopped: false,
        };
    }

    pub fn stop(&mut self, projection: Projection) {
        self.0[projection as usize].stopped = true;
    }
}

/// The progress of every chain of a store. All stopped projections are willing to try again: the program may be a newer one.
pub async fn load(db: &mut Connection, store: StoreId) -> Result<BTreeMap<(Epoch, Branch), Progress>, DbError> {
    let rows: Vec<(i64, i64, String, i64)> = sqlx::query_as("select epoch, branch, projection, applied from progress where store = $1")
        .bind(store.as_str())
        .fetch_all(db)
        .await
        .map_err(DbError::doing("read how far projections are"))?;
    let mut all: BTreeMap<(Epoch, Branch), Progress> = BTreeMap::new();
    for (epoch, branch, word, applied) in rows {
        let projection = Projection::ALL.into_iter().find(|projection| projection.word() == word);
        let projection = projection.ok_or_else(|| DbError::damaged("a projection", &word))?;
        all.entry((read_epoch(epoch)?, read_branch(branch)?))
            .or_default()
            .take(projection, Seq(unsigned(applied)));
    }
    Ok(all)
}

pub async fn save(
    db: &mut Connection,
    store: StoreId,
    epoch: Epoch,
    branch: Branch,
    before: &Progress,
    now: &Progress,
) -> Result<(), DbError> {
    for projection in Projection::ALL
        .into_iter()
        .filter(|projection| before.applied(*projection) != now.applied(*projection))
    {
        let sql = "insert into progress (store, epoch, branch, projection, applied) values ($1, $2, $3, $4, $5) \
                   on conflict (store, epoch, branch, projection) do update set applied = excluded.applied";
        sqlx::query(sql)
            .bind(store.as_str())
            .bind(i64::from(epoch.0))
            .bind(i64::from(branch.0))
            .bind(projection.word())
            .bind(signed(now.applied(projection).0))
            .execute(&mut *db)
            .await
            .map_err(DbError::doing("write down how far projections are"))?;
    }
    Ok(())
}
