//! A shop for the tests of stock: a room, a catalog of rules, a journal that gives each fact its place, and short names for things.

use std::collections::BTreeMap;

use crate::catalog::Sku;
use crate::facts::{Fact, StockFact, StockOpened};
use crate::ids::{StaffId, StoreId};
use crate::journal::{Epoch, Seq};
use crate::money::{Money, Quantity};
use crate::stock::room::{ItemRule, Items, Mark, Oversell, Stockroom, Tracking};
use crate::stock::{LotNo, LotPart, MoveReason, Portion, StockMove, Unit};
use crate::time::Instant;

pub fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

pub fn pieces(count: i64) -> Quantity {
    Quantity(count * 1000)
}

pub fn anna() -> StaffId {
    "anna1".parse().unwrap()
}

pub fn ben() -> StaffId {
    "ben2".parse().unwrap()
}

pub fn minute(minute: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + minute * 60_000_000).unwrap()
}

pub fn id(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub fn portion(of: &str, count: i64) -> Portion {
    Portion {
        sku: sku(of),
        quantity: pieces(count),
    }
}

pub fn serials(texts: &[&str]) -> Vec<Unit> {
    texts.iter().map(|text| Unit::Serial(text.parse().unwrap())).collect()
}

pub fn lot(text: &str, count: i64, best_before: Option<jiff::civil::Date>) -> Unit {
    Unit::Lot(LotPart {
        lot: text.parse().unwrap(),
        quantity: pieces(count),
        best_before,
    })
}

pub fn lot_no(text: &str) -> LotNo {
    text.parse().unwrap()
}

#[derive(Clone, Debug, Default)]
pub struct Rules(BTreeMap<Sku, (Oversell, Tracking, Vec<Portion>)>);

impl Rules {
    pub fn of(items: &[(&str, Oversell, Tracking)]) -> Self {
        let rule = |(of, oversell, tracking): &(&str, Oversell, Tracking)| (sku(of), (*oversell, *tracking, Vec::new()));
        Self(items.iter().map(rule).collect())
    }

    pub fn bundle(mut self, of: &str, parts: &[(&str, i64)]) -> Self {
        let parts = parts.iter().map(|(part, count)| portion(part, *count)).collect();
        self.0.insert(sku(of), (Oversell::Block, Tracking::Quantity, parts));
        self
    }
}

impl Items for Rules {
    fn rule(&self, sku: &Sku) -> Option<ItemRule<'_>> {
        let (oversell, tracking, parts) = self.0.get(sku)?;
        Some(ItemRule {
            oversell: *oversell,
            tracking: *tracking,
            parts,
        })
    }
}

/// The items most stories are about: mugs that may not be oversold, tees that may, phones by serial, milk by lot.
pub fn goods() -> Rules {
    Rules::of(&[
        ("MUG", Oversell::Block, Tracking::Quantity),
        ("TEE", Oversell::AllowAndFlag, Tracking::Quantity),
        ("PHONE", Oversell::Block, Tracking::Piece),
        ("TABLET", Oversell::Block, Tracking::Piece),
        ("MILK", Oversell::AllowAndFlag, Tracking::Lot),
    ])
    .bundle("BREAKFAST", &[("MUG", 2), ("TEE", 1)])
    .bundle("LOOP", &[("LOOP", 1)])
}

pub struct Shop {
    pub room: Stockroom,
    pub items: Rules,
    pub facts: Vec<Fact>,
}

impl Shop {
    pub fn new(store: &str) -> Self {
        Self {
            room: Stockroom::new(store.parse().unwrap()),
            items: goods(),
            facts: Vec::new(),
        }
    }

    pub fn with(opening: &[(&str, i64)]) -> Self {
        let mut shop = Self::new("berlin");
        shop.open(opening);
        shop
    }

    pub fn open(&mut self, opening: &[(&str, i64)]) {
        let moves = opening
            .iter()
            .map(|(of, count)| StockMove::new(sku(of), pieces(*count), MoveReason::Opening));
        self.write(Fact::StockOpened(StockOpened { moves: moves.collect() }));
    }

    pub fn store(&self) -> StoreId {
        self.room.store
    }

    pub fn mark(&self) -> Mark {
        self.room.head()
    }

    pub fn write(&mut self, fact: Fact) {
        let mark = Mark {
            epoch: Epoch(1),
            seq: Seq(self.facts.len() as u64 + 1),
        };
        self.room.apply(mark, &fact).unwrap();
        self.facts.push(fact);
    }

    pub fn stock(&mut self, fact: StockFact) {
        self.write(Fact::Stock(fact));
    }

    /// A sale or a return as the journal holds it, as far as stock looks at it.
    pub fn sell(&mut self, of: &str, count: i64, units: Vec<Unit>) {
        let reason = if count < 0 { MoveReason::Return } else { MoveReason::Sale };
        let moved = StockMove {
            units,
            ..StockMove::new(sku(of), pieces(-count), reason)
        };
        self.write(ticket(self.facts.len() as u64 + 1, vec![moved]));
    }

    pub fn on_hand(&self, of: &str) -> i64 {
        self.room.stock().on_hand(&sku(of)).0 / 1000
    }

    pub fn value(&self, of: &str) -> Money {
        self.room.position(&sku(of), minute(0)).value
    }

    /// The same room, folded again from the journal's facts through their JSON.
    pub fn folded_again(&self) -> Stockroom {
        let mut room = Stockroom::new(self.store());
        for (index, fact) in self.facts.iter().enumerate() {
            let text = serde_json::to_string(fact).unwrap();
            let read: Fact = serde_json::from_str(&text).unwrap();
            assert_eq!(&read, fact);
            let seq = Seq(index as u64 + 1);
            room.apply(Mark { epoch: Epoch(1), seq }, &read).unwrap();
        }
        room
    }
}

pub fn ticket(number: u64, moves: Vec<StockMove>) -> Fact {
    let body = serde_json::json!({
        "fact": "ticket_closed", "ticket": id(u128::from(number)), "end": "sale",
        "receipt": {"register": "r1", "series": 1, "number": number}, "original": null,
        "register": "r1", "till": "t1", "shift": id(9), "opened_at": minute(0), "currency": "EUR", "prices": "inclusive",
        "lines": [], "taxes": [], "net": 0, "tax": 0, "cash_rounding": 0, "due": 0, "tenders": [], "change": 0, "moves": moves,
    });
    serde_json::from_value(body).unwrap()
}
