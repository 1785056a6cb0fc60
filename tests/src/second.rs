//! A second calculation of a basket, from the rule page alone (docs/pricing.md): units are laid out one by one, every promotion is tried on
//! all of them, and taxes are fractions of whole numbers.
//!
//! Owns no rule that the product uses: it shares no code with it, is slow on purpose, and reads the same two JSON documents. What both say
//! must be equal to the cent. It believes its input: a file that the product refuses is not judged here.

mod compare;
mod number;
mod offers;
mod paper;
pub mod random;
mod taxes;
mod units;

pub use compare::compare;
pub use number::Fraction;
pub use paper::{Answer, AnswerLine, Basket, Catalog, Reason, TaxPart, TaxRow};

use offers::Offers;
use paper::{BasketLine, Item};
use units::Line;

/// What could not be calculated, with the name of what was missing.
pub type Problem = String;

/// Prices and taxes one basket.
pub fn price(catalog: &Catalog, basket: &Basket) -> Result<Answer, Problem> {
    let mut lines = Vec::new();
    for (index, wanted) in basket.lines.iter().enumerate() {
        let item = catalog
            .item(wanted)
            .ok_or_else(|| format!("nothing in the catalog is {:?}", wanted.code_or_sku()))?;
        lines.push(start(catalog, basket, wanted, item, index)?);
    }
    let offers = Offers::active(catalog, basket)?;
    offers.first_round(&mut lines)?;
    offers.second_round(&mut lines)?;
    offers.third_round(&mut lines)?;
    by_hand(basket, &mut lines)?;
    taxes::settle(catalog, basket, lines)
}

/// The line as it stands before any promotion: unit price, amount and where the price is from.
fn start<'a>(catalog: &'a Catalog, basket: &Basket, wanted: &'a BasketLine, item: &'a Item, index: usize) -> Result<Line<'a>, Problem> {
    let quantity = wanted.quantity;
    let (unit_price, reason, source) = match wanted.price {
        Some(keyed) if item.open_price => (keyed, "open_price", None),
        Some(keyed) => (keyed, "override", None),
        None => match catalog.booked(basket, item, quantity)? {
            Some((book, price)) => (price, "book", Some(book)),
            None => (item.price, "list_price", None),
        },
    };
    let amount = number::times(unit_price, quantity);
    Ok(Line {
        number: index + 1,
        item,
        wanted,
        quantity,
        unit_price,
        amount,
        saved: 0,
        free: units::whole_units(item, quantity),
        has_alone: false,
        // What a person keyed over a price is final; what stands on a label or has no price of its own is a price like any other.
        eligible: quantity > 0 && item.discountable && reason != "override",
        reasons: vec![Reason {
            reason: reason.to_owned(),
            amount,
            source,
        }],
    })
}

/// Discounts a person gave: on lines first, then on the whole ticket.
fn by_hand(basket: &Basket, lines: &mut [Line<'_>]) -> Result<(), Problem> {
    for line in lines.iter_mut() {
        let Some(discount) = &line.wanted.discount else { continue };
        let saving = discount.of(line.left())?;
        line.give("line_discount", None, saving);
    }
    if let Some(discount) = &basket.discount {
        let open: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].quantity > 0).collect();
        let left: Vec<i128> = open.iter().map(|at| lines[*at].left()).collect();
        let saving = discount.of(left.iter().sum())?;
        for (at, part) in open.iter().zip(number::share(saving, &left)) {
            lines[*at].give("ticket_discount", None, part);
        }
    }
    Ok(())
}
