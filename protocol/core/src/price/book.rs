//! Price books: other prices than the list's for a while, a store or a group of customers.
//!
//! The file's form, and the rows of all books sorted so that the first fitting one of an item is the one that counts.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::circumstances::{Circumstances, OfferId};
use crate::catalog::{CatalogError, Shelf, Sku};
use crate::ids::StoreId;
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::ticket::LARGEST_QUANTITY;
use crate::time::Instant;

/// More books than any shop keeps.
pub const MOST_BOOKS: usize = 10_000;
/// More rows, over all books, than a box should carry.
pub const MOST_BOOK_PRICES: usize = 20_000_000;
/// A book or promotion names at most so many stores, and at most so many groups.
pub const MOST_NAMED: usize = 10_000;

/// A price book as the file says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    pub id: OfferId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The larger goes first.
    pub priority: i32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    pub prices: Vec<BookPrice>,
}

/// The price of one item from a quantity on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookPrice {
    pub sku: Sku,
    pub price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<Quantity>,
}

/// What is wrong with a price book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookFault {
    #[error("it is in the catalog twice; leave one of them out")]
    Twice,
    #[error("the catalog has more than {MOST_BOOKS} price books or more than {MOST_BOOK_PRICES} prices in them")]
    TooMany,
    #[error("its name is empty, not printable or longer than 80 letters")]
    Name,
    #[error("it names more than {MOST_NAMED} stores or groups, or a group that is empty, not printable or longer than 64 letters")]
    Named,
    #[error("it ends before it begins; correct the instants")]
    Ends,
    #[error("it has a price for {sku}, which is not in the catalog; check the number or add the item")]
    UnknownItem { sku: Sku },
    #[error("item {sku} has price {price} in it; a price is between 0 and {LARGEST_AMOUNT} minor units")]
    Price { sku: Sku, price: i64 },
    #[error("item {sku} has min_quantity {quantity} in it; it is between 0 and {LARGEST_QUANTITY} thousandths")]
    MinQuantity { sku: Sku, quantity: i64 },
    #[error("item {sku} has two prices in it from the quantity {quantity} on; leave one of them out")]
    PriceTwice { sku: Sku, quantity: Quantity },
}

/// A text that stands for a group or a coupon.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

pub(super) fn is_name(text: &str) -> bool {
    (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

impl Book {
    fn check(&self) -> Result<(), BookFault> {
        if self.name.as_ref().is_some_and(|name| !is_name(name)) {
            return Err(BookFault::Name);
        }
        if self.stores.len() > MOST_NAMED || self.groups.len() > MOST_NAMED || !self.groups.iter().all(|group| is_word(group)) {
            return Err(BookFault::Named);
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return Err(BookFault::Ends);
        }
        Ok(())
    }
}

/// Sorted by item, then by the order in which books and their rows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct BookRow {
    item: u32,
    book: u32,
    min_quantity: Reverse<i64>,
    price: i64,
}

/// All books, the one that goes first at the front; `prices` is empty here.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    books: Vec<Book>,
    rows: Box<[BookRow]>,
}

impl Books {
    pub fn new(mut books: Vec<Book>, shelf: &Shelf) -> Result<Self, CatalogError> {
        books.sort_by(|a, b| (Reverse(a.priority), Reverse(a.from), &a.id).cmp(&(Reverse(b.priority), Reverse(b.from), &b.id)));
        let wanted: usize = books.iter().map(|book| book.prices.len()).sum();
        let mut seen = BTreeSet::new();
        let mut rows = Vec::with_capacity(wanted.min(MOST_BOOK_PRICES));
        for (number, book) in books.iter().enumerate() {
            let fault = |why| CatalogError::Book { id: book.id.clone(), why };
            if number >= MOST_BOOKS || wanted > MOST_BOOK_PRICES {
                return Err(fault(BookFault::TooMany));
            }
            if !seen.insert(&book.id) {
                return Err(fault(BookFault::Twice));
            }
            book.check().map_err(fault)?;
            for row in &book.prices {
                rows.push(read_row(row, number as u32, shelf).map_err(fault)?);
            }
        }
        rows.sort_unstable();
        let twice = rows
            .windows(2)
            .find(|pair| (pair[0].item, pair[0].book, pair[0].min_quantity) == (pair[1].item, pair[1].book, pair[1].min_quantity));
        if let Some(&[row, _]) = twice {
            return Err(CatalogError::Book {
                id: books[row.book as usize].id.clone(),
                why: BookFault::PriceTwice {
                    sku: shelf.sku(row.item).parse()?,
                    quantity: Quantity(row.min_quantity.0),
                },
            });
        }
        for book in &mut books {
            book.prices = Vec::new();
        }
        Ok(Self {
            books,
            rows: rows.into_boxed_slice(),
        })
    }

    /// The price that counts, and the book it is from.
    pub fn price(&self, item: u32, quantity: Quantity, circumstances: &Circumstances) -> Option<(Money, &OfferId)> {
        let begin = self.rows.partition_point(|row| row.item < item);
        let own = self.rows[begin..].iter().take_while(|row| row.item == item);
        // How much of it there is counts, also for what is taken back.
        let much = quantity.0.unsigned_abs();
        let enough = own.filter(|row| row.min_quantity.0.unsigned_abs() <= much);
        for row in enough {
            let book = &self.books[row.book as usize];
            if circumstances.fit(book.from, book.to, &book.stores, &book.groups) {
                return Some((Money(row.price), &book.id));
            }
        }
        None
    }
}

fn read_row(row: &BookPrice, book: u32, shelf: &Shelf) -> Result<BookRow, BookFault> {
    let sku = || row.sku.clone();
    let item = shelf
        .by_sku(row.sku.as_str())
        .ok_or_else(|| BookFault::UnknownItem { sku: sku() })?;
    if !(0..=LARGEST_AMOUNT).contains(&row.price.0) {
        return Err(BookFault::Price {
            sku: sku(),
            price: row.price.0,
        });
    }
    let min_quantity = row.min_quantity.unwrap_or_default().0;
    if !(0..=LARGEST_QUANTITY).contains(&min_quantity) {
        return Err(BookFault::MinQuantity {
            sku: sku(),
            quantity: min_quantity,
        });
    }
    Ok(BookRow {
        item,
        book,
        min_quantity: Reverse(min_quantity),
        price: row.price.0,
    })
}
