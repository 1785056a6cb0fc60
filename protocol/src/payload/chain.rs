//! The bytes of facts about the journal itself: epochs, branches, breaks; escrow logs; opening balances.

use backroom_core::facts::chain::{BranchClosed, BranchName, BranchRecorded, ChainFact, EpochSuperseded};
use backroom_core::facts::escrow::{EscrowFact, EscrowGranted, EscrowRefused, EscrowTaken};
use backroom_core::facts::opening::{AccountsOpened, OpenedAccount, OpenedKind, OpenedTill, OpeningFact, TillsOpened, WentLive};
use backroom_core::facts::{Fact, Kind};
use backroom_core::ids::AccountId;
use backroom_core::journal::{BreakCause, ChainBreak, Epoch, Seal, Seq};
use backroom_core::money::{Money, Quantity};
use prost::Message;

use super::counter::{read_word, word};
use super::{Parsed, PayloadError, command_id, hash, id, instant, needed, parse, read_all};
use crate::v1::journal as wire;

const CAUSES: [(BreakCause, &str); 3] = [
    (BreakCause::Disk, "disk"),
    (BreakCause::BoxLost, "box_lost"),
    (BreakCause::Tampering, "tampering"),
];
const OPENED: [(OpenedKind, &str); 4] = [
    (OpenedKind::GiftCard, "gift_card"),
    (OpenedKind::StoreCredit, "store_credit"),
    (OpenedKind::Points, "points"),
    (OpenedKind::OnAccount, "on_account"),
];

pub fn encode_chain(fact: &ChainFact) -> Vec<u8> {
    match fact {
        ChainFact::EpochSuperseded(fact) => wire::EpochSuperseded {
            epoch: fact.epoch.0,
            by: fact.by.0,
        }
        .encode_to_vec(),
        ChainFact::BranchRecorded(fact) => wire::BranchRecorded {
            branch: Some(branch(&fact.branch)),
            tip: fact.tip.0,
            tip_hash: fact.tip_hash.0.to_vec(),
        }
        .encode_to_vec(),
        ChainFact::BranchClosed(fact) => wire::BranchClosed {
            branch: Some(branch(&fact.branch)),
            tip: fact.tip.0,
            by: fact.by.to_string(),
        }
        .encode_to_vec(),
        ChainFact::ChainBroken(gap) => wire::ChainBroken {
            epoch: gap.epoch.0,
            before: gap.before.0,
            before_hash: gap.before_hash.0.to_vec(),
            after: gap.after.0,
            named_hash: gap.named_hash.0.to_vec(),
            cause: word(&CAUSES, gap.cause),
            by: gap.by.to_string(),
            at_micros: gap.at.as_micros(),
            signature: gap.signature.0.to_vec(),
        }
        .encode_to_vec(),
    }
}

pub fn encode_escrow(fact: &EscrowFact) -> Vec<u8> {
    match fact {
        EscrowFact::EscrowGranted(fact) => wire::EscrowGranted {
            grant: fact.grant.to_bytes().to_vec(),
            register: fact.register.to_string(),
            series: fact.series,
            sales: fact.sales,
            total_minor: fact.total.0,
            largest_minor: fact.largest.0,
            until_micros: fact.until.as_micros(),
        }
        .encode_to_vec(),
        EscrowFact::EscrowTaken(fact) => wire::EscrowTaken {
            grant: fact.grant.to_bytes().to_vec(),
            register: fact.register.to_string(),
            log: fact.log.0.to_vec(),
            sales: fact.sales,
            total_minor: fact.total.0,
            merged: fact.merged,
        }
        .encode_to_vec(),
        EscrowFact::EscrowRefused(fact) => wire::EscrowRefused {
            grant: fact.grant.to_bytes().to_vec(),
            register: fact.register.to_string(),
            log: fact.log.0.to_vec(),
            why: fact.why.clone(),
        }
        .encode_to_vec(),
    }
}

pub fn encode_opening(fact: &OpeningFact) -> Vec<u8> {
    match fact {
        OpeningFact::AccountsOpened(fact) => {
            let account = |opened: &OpenedAccount| wire::OpenedAccount {
                account: opened.account.to_bytes().to_vec(),
                kind: word(&OPENED, opened.kind),
                balance: opened.balance,
            };
            wire::AccountsOpened {
                source: fact.source.0.to_vec(),
                accounts: fact.accounts.iter().map(account).collect(),
            }
            .encode_to_vec()
        }
        OpeningFact::TillsOpened(fact) => {
            let till = |opened: &OpenedTill| wire::OpenedTill {
                till: opened.till.to_string(),
                last_z: opened.last_z,
                perpetual_sales_minor: opened.perpetual_sales.0,
                perpetual_returns_minor: opened.perpetual_returns.0,
            };
            wire::TillsOpened {
                source: fact.source.0.to_vec(),
                tills: fact.tills.iter().map(till).collect(),
            }
            .encode_to_vec()
        }
        OpeningFact::WentLive(fact) => wire::WentLive {
            items: fact.items,
            on_hand_milli: fact.on_hand.0,
            accounts: fact.accounts,
            money_minor: fact.money.0,
            points: fact.points,
            tills: fact.tills,
            perpetual_sales_minor: fact.perpetual_sales.0,
            perpetual_returns_minor: fact.perpetual_returns.0,
        }
        .encode_to_vec(),
    }
}

/// The fact of one of these kinds; `None` for any other.
pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let fact = match kind {
        Kind::EpochSuperseded => {
            let read = wire::EpochSuperseded::decode(bytes)?;
            let (epoch, by) = (Epoch(read.epoch), Epoch(read.by));
            Fact::Chain(ChainFact::EpochSuperseded(EpochSuperseded { epoch, by }))
        }
        Kind::BranchRecorded => {
            let read = wire::BranchRecorded::decode(bytes)?;
            Fact::Chain(ChainFact::BranchRecorded(BranchRecorded {
                branch: read_branch(read.branch)?,
                tip: Seq(read.tip),
                tip_hash: hash("tip_hash", &read.tip_hash)?,
            }))
        }
        Kind::BranchClosed => {
            let read = wire::BranchClosed::decode(bytes)?;
            Fact::Chain(ChainFact::BranchClosed(BranchClosed {
                branch: read_branch(read.branch)?,
                tip: Seq(read.tip),
                by: parse("by", &read.by)?,
            }))
        }
        Kind::ChainBroken => Fact::Chain(ChainFact::ChainBroken(read_break(wire::ChainBroken::decode(bytes)?)?)),
        Kind::EscrowGranted => {
            let read = wire::EscrowGranted::decode(bytes)?;
            Fact::Escrow(EscrowFact::EscrowGranted(EscrowGranted {
                grant: command_id(&read.grant)?,
                register: parse("register", &read.register)?,
                series: read.series,
                sales: read.sales,
                total: Money(read.total_minor),
                largest: Money(read.largest_minor),
                until: instant(read.until_micros)?,
            }))
        }
        Kind::EscrowTaken => {
            let read = wire::EscrowTaken::decode(bytes)?;
            Fact::Escrow(EscrowFact::EscrowTaken(EscrowTaken {
                grant: command_id(&read.grant)?,
                register: parse("register", &read.register)?,
                log: hash("log", &read.log)?,
                sales: read.sales,
                total: Money(read.total_minor),
                merged: read.merged,
            }))
        }
        Kind::EscrowRefused => {
            let read = wire::EscrowRefused::decode(bytes)?;
            Fact::Escrow(EscrowFact::EscrowRefused(EscrowRefused {
                grant: command_id(&read.grant)?,
                register: parse("register", &read.register)?,
                log: hash("log", &read.log)?,
                why: read.why,
            }))
        }
        Kind::AccountsOpened => {
            let read = wire::AccountsOpened::decode(bytes)?;
            Fact::Opening(OpeningFact::AccountsOpened(AccountsOpened {
                source: hash("source", &read.source)?,
                accounts: read_all(read.accounts, read_account)?,
            }))
        }
        Kind::TillsOpened => {
            let read = wire::TillsOpened::decode(bytes)?;
            Fact::Opening(OpeningFact::TillsOpened(TillsOpened {
                source: hash("source", &read.source)?,
                tills: read_all(read.tills, read_till)?,
            }))
        }
        Kind::WentLive => {
            let read = wire::WentLive::decode(bytes)?;
            Fact::Opening(OpeningFact::WentLive(WentLive {
                items: read.items,
                on_hand: Quantity(read.on_hand_milli),
                accounts: read.accounts,
                money: Money(read.money_minor),
                points: read.points,
                tills: read.tills,
                perpetual_sales: Money(read.perpetual_sales_minor),
                perpetual_returns: Money(read.perpetual_returns_minor),
            }))
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

fn branch(name: &BranchName) -> wire::BranchName {
    wire::BranchName {
        epoch: name.epoch.0,
        first: name.first.0,
        hash: name.hash.0.to_vec(),
    }
}

fn read_branch(read: Option<wire::BranchName>) -> Parsed<BranchName> {
    let read = needed("branch", read)?;
    Ok(BranchName {
        epoch: Epoch(read.epoch),
        first: Seq(read.first),
        hash: hash("branch", &read.hash)?,
    })
}

fn read_break(read: wire::ChainBroken) -> Parsed<ChainBreak> {
    let signature = Seal::from_slice(&read.signature).ok_or_else(|| PayloadError::Field {
        field: "signature",
        why: format!("{} bytes are no Ed25519 signature", read.signature.len()),
    })?;
    Ok(ChainBreak {
        epoch: Epoch(read.epoch),
        before: Seq(read.before),
        before_hash: hash("before_hash", &read.before_hash)?,
        after: Seq(read.after),
        named_hash: hash("named_hash", &read.named_hash)?,
        cause: read_word("cause", &CAUSES, read.cause)?,
        by: parse("by", &read.by)?,
        at: instant(read.at_micros)?,
        signature,
    })
}

fn read_account(read: wire::OpenedAccount) -> Parsed<OpenedAccount> {
    Ok(OpenedAccount {
        account: id("account", AccountId::from_slice(&read.account))?,
        kind: read_word("kind", &OPENED, read.kind)?,
        balance: read.balance,
    })
}

fn read_till(read: wire::OpenedTill) -> Parsed<OpenedTill> {
    Ok(OpenedTill {
        till: parse("till", &read.till)?,
        last_z: read.last_z,
        perpetual_sales: Money(read.perpetual_sales_minor),
        perpetual_returns: Money(read.perpetual_returns_minor),
    })
}
