//! The rounds in their order: the first two as far as a change reaches, the third and what is given by hand over all lines.

use super::Sums;
use super::line::{Line, Outcome};
use crate::price::basket::{self, Rest};
use crate::price::discount::Discount;
use crate::price::offers::Offers;
use crate::price::promotion::Combine;
use crate::price::units;

/// The first two rounds over lines in ascending order. What comes out has seen no third round yet.
pub(super) fn early_rounds(offers: &Offers, lines: &[&Line]) -> Vec<Outcome> {
    let sold: Vec<units::Sold<'_>> = lines.iter().map(|line| line.sold()).collect();
    let claims = units::claims(offers, &sold);
    let outcome = |(line, claims): (&&Line, Vec<units::Claim>)| {
        let alone = claims
            .iter()
            .any(|claim| offers.promotion(claim.promotion).combine == Combine::Alone);
        let left = line.full - claims.iter().map(|claim| claim.saving).sum::<i64>();
        let (stacked, left) = if alone {
            (Vec::new(), left)
        } else {
            basket::stack(offers, &line.fits.stacks, line.goods.quantity, left)
        };
        Outcome {
            claims,
            alone,
            stacked,
            left,
            ..Outcome::default()
        }
    };
    lines.iter().zip(claims).map(outcome).collect()
}

/// Whether something is shared over all lines. The sums only shrink in the third round, so what gives nothing now gives nothing then.
pub(super) fn late_rounds_needed(offers: &Offers, sums: &Sums, discount: Option<Discount>) -> bool {
    let may_give = |(number, sum): (&u32, &i64)| {
        let alone = offers.promotion(*number).combine == Combine::Alone;
        (!alone || sums.given == 0) && basket::saves(offers, *number, *sum) > 0
    };
    discount.is_some() || sums.basket.iter().any(may_give)
}

/// The third round and what is given by hand. `lines` are all lines where anything is shared, or those that changed where nothing is.
pub(super) fn late_rounds(offers: &Offers, lines: &mut [(&Line, Outcome)], given: bool, discount: Option<Discount>) {
    let mut rests: Vec<Rest<'_>> = lines
        .iter()
        .map(|(line, outcome)| Rest {
            fits: &line.fits,
            alone: outcome.alone,
            returned: line.returned(),
            left: outcome.left,
            shares: Vec::new(),
            discount: line.goods.discount,
            by_hand: 0,
            of_ticket: 0,
        })
        .collect();
    basket::third_round(offers, &mut rests, given);
    basket::by_hand(&mut rests, discount);
    for ((_, outcome), rest) in lines.iter_mut().zip(rests) {
        (outcome.shares, outcome.by_hand, outcome.of_ticket, outcome.amount) = (rest.shares, rest.by_hand, rest.of_ticket, rest.left);
    }
}
