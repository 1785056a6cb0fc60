//! Verifying a journal from its bytes alone, and proving that the kept folds equal a fold of all entries.
//!
//! Trusts no stored hash, number or sum: everything is computed again.

use std::collections::{BTreeMap, BTreeSet};

use backroom_core::facts::Fact;
use backroom_core::ids::{RegisterId, TillId};
use backroom_core::journal::segment::{Builder, SegmentError};
use backroom_core::journal::verify::{Broken, Row, Verifier};
use backroom_core::journal::{Entry, Epoch, Hash, Head, Segment, Seq};
use backroom_core::stock::Stock;
use backroom_core::till::Till;
use backroom_protocol::payload;
use ed25519_dalek::VerifyingKey;

use super::reader::Reader;
use crate::file::FileError;

/// The first place where a journal does not hold, and why.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("{epoch}:{seq} {why}")]
    Broken { epoch: i64, seq: i64, why: String },
    #[error(transparent)]
    Entry(#[from] Broken),
    #[error("{0}")]
    Fold(String),
    #[error(transparent)]
    File(#[from] FileError),
}

/// What a whole journal comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    pub entries: u64,
    pub head: Option<Head>,
    pub segments: u64,
    pub stock: Stock,
    pub tills: BTreeMap<TillId, Till>,
    counters: BTreeMap<(RegisterId, u32), u64>,
    returned: BTreeSet<(String, String)>,
}

/// The segments as they follow from the entries: a few figures each.
#[derive(Default)]
struct Built {
    filling: BTreeMap<Epoch, Builder>,
    full: BTreeMap<(Epoch, Seq), Builder>,
}

impl Built {
    fn push(&mut self, entry: &Entry, fact: Option<&Fact>) -> Result<(), SegmentError> {
        let (epoch, seq) = entry.position();
        let filling = self.filling.entry(epoch).or_insert_with(|| Builder::after(Head::start(epoch)));
        filling.push(entry, fact)?;
        if filling.is_full() {
            let next = Builder::after(filling.head());
            self.full.insert((epoch, seq), std::mem::replace(filling, next));
        }
        Ok(())
    }
}

const PAGE: u32 = 512;

/// Reads every entry and recomputes hashes, chain, numbering and folds; checks segment signatures.
pub async fn verify(reader: &Reader, key: &VerifyingKey) -> Result<Verified, VerifyError> {
    let mut verified = Verified::default();
    let mut verifier = Verifier::new();
    let mut built = Built::default();
    let mut position = 0;
    loop {
        let page = reader.raw_after(position, PAGE).await?;
        let Some(last) = page.last() else { break };
        position = last.0;
        for (_, epoch, seq, bytes, stored) in page {
            let broken = |why: String| VerifyError::Broken { epoch, seq, why };
            let stored = Hash::from_slice(&stored).ok_or_else(|| broken("the hash stored with it is no SHA-256".into()))?;
            let number = "its place in the table is no place of an entry";
            let row = Row {
                epoch: Epoch(u32::try_from(epoch).map_err(|_| broken(number.into()))?),
                seq: Seq(u64::try_from(seq).map_err(|_| broken(number.into()))?),
                prev_hash: None,
                hash: stored,
                bytes: &bytes,
            };
            // Without a header the next entry, or the end, tells what is wrong with this one.
            let Some((header, hash)) = verifier.push(&row)? else { continue };
            let entry = Entry { header, bytes, hash };
            verified.head = verifier.head(header.epoch);
            verified.entries += 1;
            let fact = payload::fact(&entry).map_err(|error| broken(error.to_string()))?;
            built.push(&entry, fact.as_ref()).map_err(|error| broken(error.to_string()))?;
            verified.fold(&entry, fact).map_err(broken)?;
        }
    }
    verifier.finish()?;
    verified.check_segments(reader, key, &built).await?;
    Ok(verified)
}

/// Like `verify`, and the folds kept beside the journal must equal the ones computed here.
pub async fn prove(reader: &Reader, key: &VerifyingKey) -> Result<Verified, VerifyError> {
    let verified = verify(reader, key).await?;
    let kept: BTreeMap<String, i64> = reader.stock().await?.into_iter().filter(|(_, on_hand)| *on_hand != 0).collect();
    let folded: BTreeMap<String, i64> = verified
        .stock
        .iter()
        .filter(|(_, on_hand)| on_hand.0 != 0)
        .map(|(sku, on_hand)| (sku.to_string(), on_hand.0))
        .collect();
    if kept != folded {
        let differs = folded
            .iter()
            .find(|(sku, on_hand)| kept.get(*sku) != Some(on_hand))
            .map(|(sku, _)| sku.clone());
        let sku = differs
            .or_else(|| kept.keys().find(|sku| !folded.contains_key(*sku)).cloned())
            .unwrap_or_default();
        let why = format!(
            "stock of {sku}: {:?} thousandths are kept, {:?} follow from the journal",
            kept.get(&sku),
            folded.get(&sku)
        );
        return Err(VerifyError::Fold(why));
    }
    let kept: BTreeMap<TillId, Till> = reader.tills().await?.into_iter().map(|(_, till)| (till.till, till)).collect();
    if let Some((till, _)) = verified.tills.iter().find(|(till, state)| kept.get(*till) != Some(state)) {
        return Err(VerifyError::Fold(format!(
            "till {till}: what is kept does not follow from the journal"
        )));
    }
    if let Some(till) = kept.keys().find(|till| !verified.tills.contains_key(till)) {
        return Err(VerifyError::Fold(format!("till {till} is kept but never appears in the journal")));
    }
    let kept: BTreeSet<(String, String)> = reader.all_returned().await?.into_iter().collect();
    if kept != verified.returned {
        return Err(VerifyError::Fold(
            "the list of receipts that were taken back does not follow from the journal".into(),
        ));
    }
    let mut kept = BTreeMap::new();
    for (register, series, last) in reader.counters().await? {
        let register = register
            .parse()
            .map_err(|error| FileError::Content(format!("a receipt counter: {error}")))?;
        kept.insert((register, series as u32), last as u64);
    }
    if kept != verified.counters {
        return Err(VerifyError::Fold("the receipt counters do not follow from the journal".into()));
    }
    Ok(verified)
}

impl Verified {
    fn fold(&mut self, entry: &Entry, fact: Option<Fact>) -> Result<(), String> {
        let Some(fact) = fact else { return Ok(()) };
        for moved in fact.stock_moves() {
            self.stock.apply(moved).map_err(|error| error.to_string())?;
        }
        let till = match &fact {
            Fact::ShiftOpened(fact) => Some(fact.till),
            Fact::CashMoved(fact) => Some(fact.till),
            Fact::TicketClosed(fact) => Some(fact.till),
            Fact::ShiftClosed(fact) => Some(fact.till),
            _ => None,
        };
        if let Some(till) = till {
            let state = self.tills.entry(till).or_insert_with(|| Till::new(till));
            state.apply(&fact, entry.header.at).map_err(|error| error.to_string())?;
        }
        if let Fact::TicketClosed(ticket) = &fact
            && let Some(receipt) = ticket.receipt
        {
            let last = self.counters.entry((receipt.register, receipt.series)).or_default();
            if receipt.number != *last + 1 {
                return Err(format!("gives receipt {receipt} after number {last}"));
            }
            *last = receipt.number;
        }
        if let Fact::TicketClosed(ticket) = &fact
            && let Some(by) = ticket.receipt
        {
            let whole = ticket.lines.iter().all(|line| line.details.returns.is_none());
            for receipt in ticket.takes_back() {
                let of = receipt.to_string();
                let earlier = self.returned.range((of.clone(), String::new())..).next();
                if let Some((_, before)) = earlier.filter(|(earlier, _)| whole && *earlier == of) {
                    return Err(format!("takes receipt {receipt} back whole, after {before}"));
                }
                self.returned.insert((of, by.to_string()));
            }
        }
        Ok(())
    }

    async fn check_segments(&mut self, reader: &Reader, key: &VerifyingKey, built: &Built) -> Result<(), VerifyError> {
        for text in reader.segments().await? {
            let segment: Segment = serde_json::from_str(&text).map_err(|error| FileError::Content(format!("a segment: {error}")))?;
            let broken = |why: &str| VerifyError::Broken {
                epoch: i64::from(segment.epoch.0),
                seq: segment.last.0 as i64,
                why: why.into(),
            };
            let Some(head) = self.address(reader, segment.epoch).await? else {
                return Err(broken("a segment of an epoch without entries"));
            };
            segment.verify(key, head.0, head.1).map_err(|error| broken(&error.to_string()))?;
            let Some(figures) = built.full.get(&(segment.epoch, segment.last)) else {
                return Err(broken("a signed segment without its entries"));
            };
            segment.is_over(figures).map_err(|error| broken(&error.to_string()))?;
            self.segments += 1;
        }
        Ok(())
    }

    async fn address(
        &self,
        reader: &Reader,
        epoch: Epoch,
    ) -> Result<Option<(backroom_core::ids::TenantId, backroom_core::ids::StoreId)>, FileError> {
        let first = reader.range(epoch, Seq(1), 1).await?;
        Ok(first.first().map(|entry| (entry.header.tenant, entry.header.store)))
    }
}
