//! Escrow: a register that has lost the box sells on within limits, keeps its sales in a log of its own, and hands that over once.
//!
//! [`Log`] is the register's side: a small chain of sales under one grant. [`Escrows`] is the box's: which grants are out, and what
//! becomes of a log. A sale that the box already has under its command id is not written again; a log that was taken once is refused
//! for ever after. What is refused stays on the register, with its money in the drawer, until a person has looked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::Fact;
use crate::facts::escrow::{EscrowFact, EscrowGranted, EscrowRefused, EscrowTaken};
use crate::ids::{CommandId, RegisterId, TicketId};
use crate::money::{LARGEST_AMOUNT, Money, MoneyError};
use crate::time::Instant;

use super::Hash;

/// More sales than one grant may allow.
pub const MOST_SALES: u32 = 1_000;

/// What escrow says at the register or at the box.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "a grant allows 1 to {MOST_SALES} sales and amounts between 1 and {LARGEST_AMOUNT} minor units; the largest sale fits the total"
    )]
    Limits,
    #[error("register {register} holds a grant already; take its log over first")]
    GrantOut { register: RegisterId },
    #[error("series {series} of register {register} was used before; take a new one")]
    SeriesUsed { register: RegisterId, series: u32 },
    #[error("without the box this register may sell until {until} only; wait for the box")]
    Expired { until: Instant },
    #[error("without the box this register may make {sales} sales only; wait for the box")]
    TooMany { sales: u32 },
    #[error("without the box one sale may be {0} minor units at most, this is {1}; wait for the box or split it up", largest.0, due.0)]
    TooLarge { due: Money, largest: Money },
    #[error("without the box this register may take {0} minor units in all; wait for the box", total.0)]
    TotalReached { total: Money },
    #[error("without the box nothing is taken back or paid out; wait for the box")]
    NotASale,
    #[error("this command id is in the log already for another sale; make a new one")]
    CommandReused { command: CommandId },
    #[error("no grant {grant} was given by this box; keep the log and call for help")]
    UnknownGrant { grant: CommandId },
    #[error("grant {grant} was given to register {register}, not to the one that hands over")]
    OtherRegister { grant: CommandId, register: RegisterId },
    #[error("the log of grant {grant} was taken over already; it may be put away")]
    HandedOver { grant: CommandId },
    #[error("grant {grant} ended with another log than this one; keep both and call for help")]
    OtherLog { grant: CommandId },
    #[error("sale {number} of the log does not follow the one before; the log was changed or cut, keep it and call for help")]
    NotALog { number: u64 },
    #[error("the log ends in another hash than was handed over; hand it over again")]
    Cut,
    #[error("command {command} is a sale in the log and something else in the journal; keep the log and call for help")]
    OtherSale { command: CommandId },
    #[error("the sums of the log do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Limits => "escrow_limits",
            Refusal::GrantOut { .. } => "escrow_grant_out",
            Refusal::SeriesUsed { .. } => "escrow_series_used",
            Refusal::Expired { .. } => "escrow_expired",
            Refusal::TooMany { .. } => "escrow_too_many",
            Refusal::TooLarge { .. } => "escrow_too_large",
            Refusal::TotalReached { .. } => "escrow_total",
            Refusal::NotASale => "escrow_not_a_sale",
            Refusal::CommandReused { .. } => "command_id_reused",
            Refusal::UnknownGrant { .. } => "escrow_unknown_grant",
            Refusal::OtherRegister { .. } => "escrow_other_register",
            Refusal::HandedOver { .. } => "escrow_handed_over",
            Refusal::OtherLog { .. } => "escrow_other_log",
            Refusal::NotALog { .. } => "escrow_not_a_log",
            Refusal::Cut => "escrow_cut",
            Refusal::OtherSale { .. } => "escrow_other_sale",
            Refusal::Money(_) => "money",
        }
    }
}

/// One sale in a register's log. The ticket itself lies beside it, known by the hash of its payload bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowSale {
    /// The command that settled it; by this it is merged.
    pub command: CommandId,
    pub ticket: TicketId,
    /// 1, 2, 3 ... in the grant's own series.
    pub number: u64,
    pub at: Instant,
    pub due: Money,
    /// SHA-256 of the payload that becomes the entry.
    pub payload: Hash,
    /// Of the grant and of all sales up to this one.
    pub hash: Hash,
}

/// What a register hands over when the box is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    pub grant: CommandId,
    pub register: RegisterId,
    pub sales: Vec<EscrowSale>,
    /// The hash that the log ends in.
    pub log: Hash,
}

/// The register's side of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    grant: EscrowGranted,
    sales: Vec<EscrowSale>,
    total: Money,
}

impl Log {
    /// Given out while the box is there, so that it is at hand when the box is not.
    pub fn new(grant: EscrowGranted) -> Log {
        Log {
            grant,
            sales: Vec::new(),
            total: Money::ZERO,
        }
    }

    pub fn grant(&self) -> &EscrowGranted {
        &self.grant
    }

    /// Decides on a sale for cash. The same command again gives the same sale.
    pub fn sell(&self, command: CommandId, ticket: TicketId, at: Instant, due: Money, payload: Hash) -> Result<EscrowSale, Refusal> {
        if let Some(known) = self.sales.iter().find(|sale| sale.command == command) {
            let same = (known.ticket, known.due, known.payload) == (ticket, due, payload);
            return if same {
                Ok(*known)
            } else {
                Err(Refusal::CommandReused { command })
            };
        }
        let number = self.sales.len() as u64 + 1;
        let sale = EscrowSale {
            command,
            ticket,
            number,
            at,
            due,
            payload,
            hash: link(&self.end(), command, ticket, number, at, due, payload),
        };
        within(&self.grant, self.sales.len(), self.total, &sale)?;
        Ok(sale)
    }

    /// The sale is on the register's disk.
    pub fn apply(&mut self, sale: EscrowSale) -> Result<(), MoneyError> {
        if self.sales.iter().all(|known| known.command != sale.command) {
            self.total = self.total.checked_add(sale.due)?;
            self.sales.push(sale);
        }
        Ok(())
    }

    pub fn hand_over(&self) -> HandOver {
        HandOver {
            grant: self.grant.grant,
            register: self.grant.register,
            sales: self.sales.clone(),
            log: self.end(),
        }
    }

    fn end(&self) -> Hash {
        self.sales.last().map_or_else(|| start(&self.grant), |sale| sale.hash)
    }
}

fn start(grant: &EscrowGranted) -> Hash {
    let mut bytes = b"backroom escrow v1\0".to_vec();
    bytes.extend_from_slice(&grant.grant.to_bytes());
    bytes.extend_from_slice(&grant.register.to_bytes());
    bytes.extend_from_slice(&grant.series.to_be_bytes());
    Hash::of(&bytes)
}

fn link(before: &Hash, command: CommandId, ticket: TicketId, number: u64, at: Instant, due: Money, payload: Hash) -> Hash {
    let mut bytes = before.0.to_vec();
    bytes.extend_from_slice(&command.to_bytes());
    bytes.extend_from_slice(&ticket.to_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&at.as_micros().to_be_bytes());
    bytes.extend_from_slice(&due.0.to_be_bytes());
    bytes.extend_from_slice(&payload.0);
    Hash::of(&bytes)
}

/// The limits, which register and box both apply.
fn within(grant: &EscrowGranted, sold: usize, total: Money, sale: &EscrowSale) -> Result<(), Refusal> {
    if sale.due.0 < 0 {
        return Err(Refusal::NotASale);
    }
    if sale.at > grant.until {
        return Err(Refusal::Expired { until: grant.until });
    }
    if sold as u64 >= u64::from(grant.sales) {
        return Err(Refusal::TooMany { sales: grant.sales });
    }
    if sale.due > grant.largest {
        let (due, largest) = (sale.due, grant.largest);
        return Err(Refusal::TooLarge { due, largest });
    }
    if total.checked_add(sale.due)? > grant.total {
        return Err(Refusal::TotalReached { total: grant.total });
    }
    Ok(())
}

/// What to write when a log is taken: these sales, in their order, then the fact, all in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub fresh: Vec<EscrowSale>,
    pub fact: EscrowFact,
}

/// The box's side: all grants, and what ended them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escrows {
    grants: BTreeMap<CommandId, Grant>,
    series: BTreeSet<(RegisterId, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grant {
    granted: EscrowGranted,
    /// The log that ended it.
    taken: Option<Hash>,
}

impl Escrows {
    /// A grant for a register that holds none, in a series that was never used.
    pub fn grant(&self, grant: EscrowGranted) -> Result<EscrowFact, Refusal> {
        let amount = |amount: Money| (1..=LARGEST_AMOUNT).contains(&amount.0);
        let sound = (1..=MOST_SALES).contains(&grant.sales) && amount(grant.total) && amount(grant.largest);
        if !sound || grant.largest > grant.total {
            return Err(Refusal::Limits);
        }
        let (register, series) = (grant.register, grant.series);
        if self.out(register).is_some() {
            return Err(Refusal::GrantOut { register });
        }
        if self.series.contains(&(register, series)) || self.grants.contains_key(&grant.grant) {
            return Err(Refusal::SeriesUsed { register, series });
        }
        Ok(EscrowFact::EscrowGranted(grant))
    }

    /// The grant a register holds.
    pub fn out(&self, register: RegisterId) -> Option<&EscrowGranted> {
        let held = self
            .grants
            .values()
            .find(|grant| grant.granted.register == register && grant.taken.is_none());
        held.map(|grant| &grant.granted)
    }

    /// Takes a log over. `known`: the payload's hash of what the journal has under a command id, if it has it.
    pub fn take(&self, log: &HandOver, known: impl Fn(CommandId) -> Option<Hash>) -> Result<Merge, Refusal> {
        let grant = log.grant;
        let Some(held) = self.grants.get(&grant) else {
            return Err(Refusal::UnknownGrant { grant });
        };
        if held.granted.register != log.register {
            let register = held.granted.register;
            return Err(Refusal::OtherRegister { grant, register });
        }
        match held.taken {
            Some(taken) if taken == log.log => return Err(Refusal::HandedOver { grant }),
            Some(_) => return Err(Refusal::OtherLog { grant }),
            None => {}
        }
        let (mut end, mut total, mut fresh) = (start(&held.granted), Money::ZERO, Vec::new());
        let mut commands = BTreeSet::new();
        for (sold, sale) in log.sales.iter().enumerate() {
            let number = sold as u64 + 1;
            let linked = link(&end, sale.command, sale.ticket, number, sale.at, sale.due, sale.payload);
            if sale.number != number || sale.hash != linked || !commands.insert(sale.command) {
                return Err(Refusal::NotALog { number });
            }
            within(&held.granted, sold, total, sale)?;
            (end, total) = (sale.hash, total.checked_add(sale.due)?);
            match known(sale.command) {
                None => fresh.push(*sale),
                Some(payload) if payload == sale.payload => {}
                Some(_) => return Err(Refusal::OtherSale { command: sale.command }),
            }
        }
        if end != log.log {
            return Err(Refusal::Cut);
        }
        let fact = EscrowFact::EscrowTaken(EscrowTaken {
            grant,
            register: log.register,
            log: log.log,
            sales: u32::try_from(log.sales.len()).unwrap_or(u32::MAX), // At most `MOST_SALES`.
            total,
            merged: u32::try_from(fresh.len()).unwrap_or(u32::MAX),
        });
        Ok(Merge { fresh, fact })
    }

    /// A refusal that a person should find in the journal.
    pub fn refused(log: &HandOver, why: &Refusal) -> EscrowFact {
        EscrowFact::EscrowRefused(EscrowRefused {
            grant: log.grant,
            register: log.register,
            log: log.log,
            why: why.code().into(),
        })
    }

    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Escrow(EscrowFact::EscrowGranted(granted)) => {
                self.series.insert((granted.register, granted.series));
                let grant = Grant {
                    granted: *granted,
                    taken: None,
                };
                self.grants.entry(granted.grant).or_insert(grant);
            }
            Fact::Escrow(EscrowFact::EscrowTaken(taken)) => {
                if let Some(grant) = self.grants.get_mut(&taken.grant) {
                    grant.taken = Some(taken.log);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "escrow_tests.rs"]
mod tests;
