//! One line of a basket: what lies there, its price before all promotions, and what the rounds made of it.

use crate::catalog::{Catalog, PriceVersion, SoldBy};
use crate::facts::{PriceReason, ReasonKind};
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::price::basket::Share;
use crate::price::circumstances::Circumstances;
use crate::price::fits::Fits;
use crate::price::offers::Offers;
use crate::price::units::{Claim, Sold};
use crate::price::{Asked, Goods, LONGEST_REASON, PriceError, PricedLine};
use crate::ticket::LARGEST_QUANTITY;

#[derive(Clone)]
pub(super) struct Line {
    pub goods: Goods,
    unit_price: Money,
    /// Unit price times quantity; below nothing for what is taken back.
    pub full: i64,
    by_measure: bool,
    reason: ReasonKind,
    source: Option<String>,
    version: PriceVersion,
    pub fits: Fits,
    pub outcome: Outcome,
}

/// What the rounds made of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub claims: Vec<Claim>,
    /// Whether one of the claims wants to be alone.
    pub alone: bool,
    pub stacked: Vec<Share>,
    /// After two rounds.
    pub left: i64,
    pub shares: Vec<Share>,
    pub by_hand: i64,
    pub of_ticket: i64,
    /// After everything.
    pub amount: i64,
}

impl Outcome {
    /// Whether one of the first two rounds gave anything.
    pub fn given(&self) -> bool {
        !self.claims.is_empty() || !self.stacked.is_empty()
    }

    /// Whether nobody who reads the line could tell the difference: the same amounts for the same reasons.
    pub fn reads_like(&self, other: &Outcome) -> bool {
        self.amount == other.amount
            && (self.by_hand, self.of_ticket) == (other.by_hand, other.of_ticket)
            && self.savings().eq(other.savings())
    }

    /// What the promotions gave, in the order of the reasons. A unit whose share of its set is nothing is claimed and has no reason.
    fn savings(&self) -> impl Iterator<Item = (u32, i64)> {
        let claims = self.claims.iter().map(|claim| (claim.promotion, claim.saving));
        let shares = self.stacked.iter().chain(&self.shares).map(|share| (share.promotion, share.saving));
        claims.chain(shares).filter(|(_, saving)| *saving > 0)
    }
}

impl Line {
    /// Finds the unit price, and who looks at the line.
    pub fn new(catalog: &Catalog, goods: Goods, circumstances: &Circumstances) -> Result<Self, PriceError> {
        let unknown = || PriceError::UnknownItem { sku: goods.sku.clone() };
        let at = catalog.shelf().by_sku(goods.sku.as_str()).ok_or_else(unknown)?;
        let item = catalog.shelf().item(at).ok_or_else(unknown)?;
        let quantity = goods.quantity;
        if quantity.0 == 0 || quantity.0.unsigned_abs() > LARGEST_QUANTITY.unsigned_abs() {
            return Err(PriceError::Quantity { quantity });
        }
        let by_measure = item.sold_by() == SoldBy::Measure;
        if !by_measure && quantity.0 % Quantity::ONE.0 != 0 {
            return Err(PriceError::NoPieces {
                name: item.name().to_owned(),
                quantity,
            });
        }
        check_by_hand(&goods)?;
        let listed = PriceVersion {
            catalog: catalog.version(),
            directive: 0,
        };
        let (unit_price, reason, source, version) = match goods.price {
            Asked::Override(price) => (price, ReasonKind::Override, goods.reason.clone(), listed),
            Asked::Open(price) => (price, ReasonKind::OpenPrice, None, listed),
            Asked::Listed => match catalog.offers().book_price(at, quantity, circumstances) {
                Some((price, book)) => (price, ReasonKind::Book, Some(book.to_string()), listed),
                None => {
                    let (price, version) = catalog.price(item, circumstances.at);
                    (price, ReasonKind::ListPrice, None, version)
                }
            },
        };
        if !(0..=LARGEST_AMOUNT).contains(&unit_price.0) {
            return Err(PriceError::Price { price: unit_price.0 });
        }
        let full = unit_price.times(quantity)?.0;
        let touchable = item.discountable() && quantity.0 > 0 && !matches!(goods.price, Asked::Override(_));
        let fits = if touchable {
            catalog.offers().fits(at, catalog.shelf(), circumstances)
        } else {
            Fits::default()
        };
        Ok(Self {
            unit_price,
            full,
            by_measure,
            reason,
            source,
            version,
            fits,
            outcome: Outcome {
                left: full,
                amount: full,
                ..Outcome::default()
            },
            goods,
        })
    }

    pub fn returned(&self) -> bool {
        self.goods.quantity.0 < 0
    }

    pub fn sold(&self) -> Sold<'_> {
        let pieces = self.goods.quantity.0.max(0) / Quantity::ONE.0;
        Sold {
            unit_price: self.unit_price.0,
            quantity: self.goods.quantity,
            amount: self.full,
            units: if self.by_measure { 1 } else { u32::try_from(pieces).unwrap_or(0) },
            by_measure: self.by_measure,
            fits: &self.fits.units,
        }
    }

    /// The line with a reason for each part of its amount.
    pub fn priced(&self, offers: &Offers, outcome: &Outcome) -> PricedLine {
        let mut reasons = vec![PriceReason {
            reason: self.reason,
            amount: Money(self.full),
            version: self.version,
            source: self.source.clone(),
        }];
        let mut less = |reason: ReasonKind, saving: i64, source: Option<String>| {
            reasons.push(PriceReason {
                reason,
                amount: Money(-saving),
                version: version(offers),
                source,
            });
        };
        for (number, saving) in outcome.savings() {
            less(ReasonKind::Promotion, saving, Some(offers.promotion(number).id.to_string()));
        }
        if outcome.by_hand != 0 {
            less(ReasonKind::LineDiscount, outcome.by_hand, self.goods.reason.clone());
        }
        if outcome.of_ticket != 0 {
            less(ReasonKind::TicketDiscount, outcome.of_ticket, None);
        }
        PricedLine {
            line: self.goods.line,
            unit_price: self.unit_price,
            amount: Money(outcome.amount),
            reasons,
        }
    }
}

/// What a person keyed or gave.
fn check_by_hand(goods: &Goods) -> Result<(), PriceError> {
    if let Some(discount) = goods.discount {
        discount.check()?;
        if goods.quantity.0 < 0 {
            return Err(PriceError::DiscountOnReturn { line: goods.line });
        }
    }
    let word = |reason: &String| (1..=LONGEST_REASON).contains(&reason.chars().count()) && !reason.chars().any(char::is_control);
    match &goods.reason {
        Some(reason) if !word(reason) => Err(PriceError::Reason),
        _ => Ok(()),
    }
}

/// The version that reasons which are no price of their own carry.
fn version(offers: &Offers) -> PriceVersion {
    PriceVersion {
        catalog: offers.version(),
        directive: 0,
    }
}
