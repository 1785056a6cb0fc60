//! One item of a catalog, as those see it who sell it: a view into the packed shelf, cheap to copy.

use std::fmt;

use super::Sku;
use super::file::{SoldBy, Track};
use super::shelf::{DISCOUNTABLE, OPEN_PRICE, Shelf};
use crate::journal::Hash;
use crate::money::{Money, Quantity};
use crate::tax::TaxClass;

/// One thing that can be sold.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pub(super) shelf: &'a Shelf,
    pub(super) at: u32,
}

impl<'a> Item<'a> {
    pub fn sku(self) -> Sku {
        Sku(self.sku_text().into())
    }

    pub fn sku_text(self) -> &'a str {
        self.shelf.sku(self.at)
    }

    pub fn name(self) -> &'a str {
        self.shelf.name(self.at)
    }

    /// Every code a scanner may read for it, as the catalog writes it.
    pub fn codes(self) -> impl Iterator<Item = &'a str> {
        self.shelf.codes(self.at)
    }

    pub fn tax_class(self) -> &'a TaxClass {
        self.shelf.class(self.at)
    }

    /// The list price, before books and directives.
    pub fn list_price(self) -> Money {
        self.shelf.row(self.at).price
    }

    pub fn sold_by(self) -> SoldBy {
        self.shelf.row(self.at).sold_by
    }

    pub fn unit(self) -> Option<&'a str> {
        self.shelf.more(self.at)?.unit.as_deref()
    }

    /// Its path, such as `drinks/beer`.
    pub fn category(self) -> Option<&'a str> {
        self.shelf.categories.path(self.shelf.category(self.at)?)
    }

    /// The item of which this is one size or colour.
    pub fn variant_of(self) -> Option<Item<'a>> {
        self.shelf.item(self.shelf.more(self.at)?.variant_of?)
    }

    /// What sets this variant apart, by the names of the options.
    pub fn options(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let options = self.shelf.more(self.at).map_or(&[][..], |more| &more.options);
        options.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// All sizes and colours of this item, in the order of the file.
    pub fn variants(self) -> impl Iterator<Item = Item<'a>> {
        let shelf = self.shelf;
        self.shelf.variants(self.at).iter().filter_map(move |at| shelf.item(*at))
    }

    /// The variants that have each of these options; one, when all are named.
    pub fn variants_with<'b>(self, wanted: &'b [(&'b str, &'b str)]) -> impl Iterator<Item = Item<'a>> + use<'a, 'b> {
        let has = move |variant: &Item<'a>| wanted.iter().all(|option| variant.options().any(|own| own == *option));
        self.variants().filter(has)
    }

    /// What lies in the bundle; nothing when it is none.
    pub fn bundle(self) -> impl Iterator<Item = (Item<'a>, Quantity)> {
        let shelf = self.shelf;
        let parts = self.shelf.more(self.at).map_or(&[][..], |more| &more.bundle);
        parts
            .iter()
            .filter_map(move |(part, quantity)| Some((shelf.item(*part)?, *quantity)))
    }

    pub fn min_age(self) -> Option<u8> {
        self.shelf.more(self.at)?.min_age
    }

    pub fn track(self) -> Track {
        self.shelf.more(self.at).map_or(Track::None, |more| more.track)
    }

    /// Whether a person keys the price in.
    pub fn open_price(self) -> bool {
        self.shelf.row(self.at).flags & OPEN_PRICE != 0
    }

    /// Whether promotions may touch it.
    pub fn discountable(self) -> bool {
        self.shelf.row(self.at).flags & DISCOUNTABLE != 0
    }

    /// The item that is sold along as its deposit.
    pub fn deposit(self) -> Option<Item<'a>> {
        self.shelf.item(self.shelf.more(self.at)?.deposit?)
    }

    /// The SHA-256 of its picture.
    pub fn image(self) -> Option<Hash> {
        self.shelf.more(self.at)?.image.as_deref().copied()
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.sku_text())
    }
}

impl PartialEq for Item<'_> {
    /// The same item number; two catalogs may say different things of it.
    fn eq(&self, other: &Self) -> bool {
        self.sku_text() == other.sku_text()
    }
}
