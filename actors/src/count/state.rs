//! One count of a place: which tags were seen, each once, and how that differs from the count before. Pure: no clock, no file.
//!
//! A reader says the same tag again and again, and two readers may see one tag; here it counts once. What a count means for stock is
//! nobody's business here: counting moves none.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use backroom_core::barcode::{Gtin, Scanned};
use backroom_core::catalog::{Catalog, Sku};
use backroom_core::epc::{Epc, EpcId};
use backroom_core::ids::{CommandId, DeviceId, ReceiptNo};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::time::Instant;

use crate::hex::hex;

/// More than any shop holds. A reader that tells of more is out of order.
const MOST_TAGS: usize = 500_000;
/// What a screen is shown of long lists.
const MOST_NAMED: usize = 500;
const MOST_LATEST: usize = 50;
const SECOND_MICROS: i64 = 1_000_000;

/// A place that is counted, such as `shelf-1`: 1 to 16 of a-z, 0-9 and '-'.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place is 1 to 16 of a-z, 0-9 and '-', such as shelf-1")]
pub struct PlaceError;

impl Place {
    pub fn parse(text: &str) -> Result<Place, PlaceError> {
        let letters = text.bytes().all(|letter| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if letters && (1..=16).contains(&text.len()) {
            Ok(Place(text.into()))
        } else {
            Err(PlaceError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bits of a tag's EPC memory, whatever they say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub Box<[u8]>);

impl Tag {
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    pub fn epc(&self) -> Option<Epc> {
        Epc::from_bytes(&self.0).ok()
    }
}

/// One single thing by its own number, however it is written on tag, label or receipt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thing {
    pub gtin: Gtin,
    pub serial: String,
}

impl Thing {
    pub fn of_tag(tag: &Tag) -> Option<Thing> {
        Thing::of_id(tag.epc()?.id())
    }

    /// What a scanned code names, if it names one single thing: an EPC as hexadecimal or as a URI, or a label with product number and
    /// serial number.
    pub fn of_code(code: &str) -> Option<Thing> {
        let code = code.trim();
        if let Ok(epc) = code.parse::<Epc>() {
            return Thing::of_id(epc.id());
        }
        if let Ok(id) = code.parse::<EpcId>() {
            return Thing::of_id(&id);
        }
        if code.len() >= 24
            && let Ok(epc) = Epc::from_hex(code)
        {
            return Thing::of_id(epc.id());
        }
        match Scanned::parse(code) {
            Ok(Scanned::Elements(label) | Scanned::DigitalLink(label)) => Some(Thing {
                gtin: label.gtin()?,
                serial: label.serial()?.to_owned(),
            }),
            _ => None,
        }
    }

    fn of_id(id: &EpcId) -> Option<Thing> {
        Some(Thing {
            gtin: id.gtin()?,
            serial: id.serial()?.to_owned(),
        })
    }
}

/// A tag as a reader tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub tag: Tag,
    /// 0 when the reader does not say.
    pub antenna: u16,
    pub rssi_dbm: Option<i8>,
    /// How often it was read for this report.
    pub times: u16,
}

/// Where and when a tag was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub antenna: u16,
    pub rssi_dbm: Option<i8>,
    pub at: Instant,
    sku: Option<Sku>,
}

/// Where an entry stands in the journal.
pub type Position = (Epoch, Seq);

/// The sale of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub receipt: ReceiptNo,
    pub at: Instant,
    pub position: Position,
}

/// Things that were sold by their own number and not taken back.
pub type Sales = HashMap<Thing, Sale>;

/// The count of a place that was kept last: what the next one is compared with.
#[derive(Debug)]
pub struct Kept {
    pub count: CommandId,
    pub at: Instant,
    pub position: Position,
    /// How many tags were read then, also those of strangers.
    pub tags: u64,
    /// The goods among them.
    goods: BTreeMap<Tag, (Sku, Thing)>,
}

impl Kept {
    /// Tags which are no item of this shop are left out: nobody misses them.
    pub fn new(count: CommandId, at: Instant, position: Position, tags: Vec<Tag>, catalog: &Catalog) -> Kept {
        let read = tags.len() as u64;
        let mut goods = BTreeMap::new();
        for tag in tags {
            if let Some(thing) = Thing::of_tag(&tag)
                && let Some(item) = catalog.by_gtin(thing.gtin)
            {
                goods.insert(tag, (item.sku(), thing));
            }
        }
        Kept {
            count,
            at,
            position,
            tags: read,
            goods,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Reading,
    Paused,
    /// Being kept: nothing is added any more.
    Keeping,
}

/// A count that is going on.
#[derive(Debug)]
pub struct Count {
    pub id: CommandId,
    pub place: Place,
    pub readers: BTreeSet<DeviceId>,
    pub stage: Stage,
    pub started_at: Instant,
    pub reads: u64,
    pub before: Option<Arc<Kept>>,
    seen: HashMap<Tag, Seen>,
    counted: BTreeMap<Sku, u64>,
    /// In the order in which they were read first.
    found: Vec<Tag>,
    unknown: Vec<Tag>,
    /// Of the tags of the count before, how many were read.
    again: u64,
    latest: VecDeque<Tag>,
    /// When new tags came, within the last second.
    fresh: VecDeque<Instant>,
    unsaved: Vec<Tag>,
}

impl Count {
    pub fn new(id: CommandId, place: Place, readers: BTreeSet<DeviceId>, started_at: Instant, before: Option<Arc<Kept>>) -> Count {
        Count {
            id,
            place,
            readers,
            stage: Stage::Reading,
            started_at,
            reads: 0,
            before,
            seen: HashMap::new(),
            counted: BTreeMap::new(),
            found: Vec::new(),
            unknown: Vec::new(),
            again: 0,
            latest: VecDeque::new(),
            fresh: VecDeque::new(),
            unsaved: Vec::new(),
        }
    }

    /// A reader saw a tag, perhaps not for the first time.
    pub fn read(&mut self, reading: Reading, at: Instant, catalog: &Catalog) {
        let Reading {
            tag,
            antenna,
            rssi_dbm,
            times,
        } = reading;
        self.reads = self.reads.saturating_add(u64::from(times));
        if let Some(known) = self.seen.get_mut(&tag) {
            (known.antenna, known.rssi_dbm, known.at) = (antenna, rssi_dbm.or(known.rssi_dbm), at);
        } else if self.seen.len() < MOST_TAGS {
            self.add(tag.clone(), (antenna, rssi_dbm, at), catalog);
            self.unsaved.push(tag.clone());
            self.fresh.push_back(at);
        } else {
            return;
        }
        self.latest.retain(|other| *other != tag);
        self.latest.push_front(tag);
        self.latest.truncate(MOST_LATEST);
    }

    /// A tag as it was saved.
    pub fn restore(&mut self, tag: Tag, antenna: u16, rssi_dbm: Option<i8>, at: Instant, catalog: &Catalog) {
        self.add(tag, (antenna, rssi_dbm, at), catalog);
    }

    fn add(&mut self, tag: Tag, (antenna, rssi_dbm, at): (u16, Option<i8>, Instant), catalog: &Catalog) {
        let item = tag.epc().and_then(|epc| catalog.by_gtin(epc.gtin()?));
        let sku = item.map(|item| item.sku());
        match &sku {
            Some(sku) => {
                *self.counted.entry(sku.clone()).or_default() += 1;
                match &self.before {
                    Some(before) if before.goods.contains_key(&tag) => self.again += 1,
                    Some(_) => self.found.push(tag.clone()),
                    None => {}
                }
            }
            None => self.unknown.push(tag.clone()),
        }
        let seen = Seen {
            antenna,
            rssi_dbm,
            at,
            sku,
        };
        self.seen.insert(tag, seen);
    }

    /// New tags since the last time this was asked, to be saved.
    pub fn take_unsaved(&mut self) -> Vec<(Tag, Seen)> {
        let fresh = std::mem::take(&mut self.unsaved);
        fresh
            .into_iter()
            .filter_map(|tag| Some((tag.clone(), self.seen.get(&tag)?.clone())))
            .collect()
    }

    pub fn tags(&self) -> u64 {
        self.seen.len() as u64
    }

    pub fn all_tags(&self) -> impl Iterator<Item = &Tag> {
        self.seen.keys()
    }

    /// Per item: tags that were read. Items of which all tags are missing stand there with none.
    pub fn counted(&self) -> BTreeMap<Sku, u64> {
        let mut counted = self.counted.clone();
        for (_, (sku, _)) in self.missing_goods() {
            counted.entry(sku.clone()).or_default();
        }
        counted
    }

    pub fn missing(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.goods.len() as u64 - self.again)
    }

    pub fn missing_unexplained(&self, sales: &Sales) -> u64 {
        let explained = self.missing_goods().filter(|(_, (_, thing))| self.sale(thing, sales).is_some());
        self.missing() - explained.count() as u64
    }

    fn missing_goods(&self) -> impl Iterator<Item = (&Tag, &(Sku, Thing))> {
        let goods = self.before.iter().flat_map(|before| before.goods.iter());
        goods.filter(|(tag, _)| !self.seen.contains_key(*tag))
    }

    /// How a thing left the shop since the count before.
    fn sale<'a>(&self, thing: &Thing, sales: &'a Sales) -> Option<&'a Sale> {
        let before = self.before.as_ref()?;
        sales.get(thing).filter(|sale| sale.position > before.position)
    }

    /// The count as a screen shows it.
    pub fn view(&mut self, now: Instant, sales: &Sales) -> View {
        while self
            .fresh
            .front()
            .is_some_and(|at| now.as_micros() - at.as_micros() > SECOND_MICROS)
        {
            self.fresh.pop_front();
        }
        let line = |tag: &Tag| TagLine {
            tag: tag.clone(),
            sku: self.seen.get(tag).and_then(|seen| seen.sku.clone()),
            seen: self.seen.get(tag).cloned(),
            sale: None,
        };
        View {
            id: self.id,
            place: self.place.clone(),
            stage: self.stage,
            readers: self.readers.clone(),
            started_at: self.started_at,
            compared_with: self.before.as_ref().map(|before| before.at),
            tags: self.tags(),
            reads: self.reads,
            tags_per_second: self.fresh.len() as u64,
            counted: self.counted(),
            missing: self.missing(),
            missing_tags: self.missing_lines(sales),
            found: self.found.len() as u64,
            found_tags: self.found.iter().rev().take(MOST_NAMED).map(line).collect(),
            unknown: self.unknown.len() as u64,
            unknown_tags: self.unknown.iter().rev().take(MOST_NAMED).map(line).collect(),
            latest: self.latest.iter().map(line).collect(),
        }
    }

    /// What nobody can explain comes first.
    fn missing_lines(&self, sales: &Sales) -> Vec<TagLine> {
        let (mut lost, mut sold) = (Vec::new(), Vec::new());
        for (tag, (sku, thing)) in self.missing_goods() {
            let sale = self.sale(thing, sales).cloned();
            let lines = if sale.is_some() { &mut sold } else { &mut lost };
            if lines.len() < MOST_NAMED {
                lines.push(TagLine {
                    tag: tag.clone(),
                    sku: Some(sku.clone()),
                    seen: None,
                    sale,
                });
            }
        }
        lost.append(&mut sold);
        lost.truncate(MOST_NAMED);
        lost
    }
}

/// What a screen shows of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub id: CommandId,
    pub place: Place,
    pub stage: Stage,
    pub readers: BTreeSet<DeviceId>,
    pub started_at: Instant,
    pub compared_with: Option<Instant>,
    pub tags: u64,
    pub reads: u64,
    pub tags_per_second: u64,
    pub counted: BTreeMap<Sku, u64>,
    pub missing: u64,
    pub missing_tags: Vec<TagLine>,
    pub found: u64,
    pub found_tags: Vec<TagLine>,
    pub unknown: u64,
    pub unknown_tags: Vec<TagLine>,
    pub latest: Vec<TagLine>,
}

/// A tag with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagLine {
    pub tag: Tag,
    pub sku: Option<Sku>,
    pub seen: Option<Seen>,
    /// Why a missing one is no loss.
    pub sale: Option<Sale>,
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
