//! The second and third round, and what people give by hand: everything that looks at what the first round left.
//!
//! The second round looks at one line at a time. The third looks at all of them; what it gives is shared over the lines by what is
//! left of them.

use super::discount::{Discount, times};
use super::fits::Fits;
use super::offers::Offers;
use super::promotion::{Combine, Kind, Saving};
use crate::money::{Money, Quantity};

/// What a promotion gives a line in the second or third round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub promotion: u32,
    pub saving: i64,
}

/// Promotions that stack, on one line of which so much is left. Gives what each saves, and what then is left.
pub(super) fn stack(offers: &Offers, promotions: &[u32], quantity: Quantity, mut left: i64) -> (Vec<Share>, i64) {
    let mut shares = Vec::new();
    for number in promotions {
        let saving = match &offers.promotion(*number).kind {
            Kind::Percent { percent, .. } => percent.of(left),
            Kind::Amount { amount, .. } => times(amount.0, quantity).min(left),
            Kind::FixedPrice { price, .. } => (left - times(price.0, quantity)).max(0),
            _ => 0,
        };
        if saving > 0 {
            left -= saving;
            shares.push(Share {
                promotion: *number,
                saving,
            });
        }
    }
    (shares, left)
}

/// What `minimum` a promotion of the third round asks for and what it takes off.
fn terms(offers: &Offers, number: u32) -> Option<(i64, Saving)> {
    match &offers.promotion(number).kind {
        Kind::Threshold { minimum, saving, .. } => Some((minimum.0, *saving)),
        Kind::Basket { saving } => Some((0, *saving)),
        _ => None,
    }
}

/// What a promotion of the third round saves on goods of this sum.
pub(super) fn saves(offers: &Offers, number: u32, sum: i64) -> i64 {
    match terms(offers, number) {
        Some((minimum, saving)) if sum >= minimum => saving.of(sum),
        _ => 0,
    }
}

/// A line as the third round sees it.
#[derive(Clone, Debug)]
pub(super) struct Rest<'a> {
    pub fits: &'a Fits,
    /// Whether a promotion that wants to be alone has claimed here.
    pub alone: bool,
    pub returned: bool,
    pub left: i64,
    pub shares: Vec<Share>,
    /// What a person gave on this line.
    pub discount: Option<Discount>,
    pub by_hand: i64,
    pub of_ticket: i64,
}

impl Rest<'_> {
    fn counts_for(&self, number: u32) -> bool {
        !self.alone && self.fits.basket.binary_search(&number).is_ok()
    }
}

/// The third round. `given` tells whether an earlier round gave anything.
pub(super) fn third_round(offers: &Offers, lines: &mut [Rest<'_>], mut given: bool) {
    let mut numbers: Vec<u32> = lines.iter().flat_map(|line| line.fits.basket.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let combine = |wanted: Combine| {
        numbers
            .iter()
            .copied()
            .filter(move |number| offers.promotion(*number).combine == wanted)
    };
    if let Some(best) = best(offers, lines, combine(Combine::Claims)) {
        given |= give(offers, lines, best);
    }
    for number in combine(Combine::Stacks) {
        given |= give(offers, lines, number);
    }
    if !given && let Some(best) = best(offers, lines, combine(Combine::Alone)) {
        give(offers, lines, best);
    }
}

/// The first by priority, then by the larger saving, then by id, that saves anything.
fn best(offers: &Offers, lines: &[Rest<'_>], numbers: impl Iterator<Item = u32>) -> Option<u32> {
    let mut best: Option<(u32, i64)> = None;
    for number in numbers {
        if best.is_some_and(|(best, _)| offers.promotion(best).priority != offers.promotion(number).priority) {
            break;
        }
        let saving = saves(offers, number, sum(lines, number));
        if saving > best.map_or(0, |(_, saving)| saving) {
            best = Some((number, saving));
        }
    }
    best.map(|(number, _)| number)
}

fn sum(lines: &[Rest<'_>], number: u32) -> i64 {
    lines.iter().filter(|line| line.counts_for(number)).map(|line| line.left).sum()
}

/// Takes what a promotion saves off its lines; tells whether it was anything.
fn give(offers: &Offers, lines: &mut [Rest<'_>], number: u32) -> bool {
    let saving = saves(offers, number, sum(lines, number));
    if saving <= 0 {
        return false;
    }
    let mut counted: Vec<&mut Rest<'_>> = lines.iter_mut().filter(|line| line.counts_for(number)).collect();
    let shares = share(saving, counted.iter().map(|line| line.left));
    for (line, saving) in counted.iter_mut().zip(shares) {
        if saving > 0 {
            line.left -= saving;
            line.shares.push(Share { promotion: number, saving });
        }
    }
    true
}

/// `saving` in proportion to what is left, in line order.
fn share(saving: i64, left: impl Iterator<Item = i64>) -> Vec<i64> {
    let weights: Vec<u64> = left.map(i64::unsigned_abs).collect();
    let shares = Money(saving).share(&weights).unwrap_or_default();
    shares.into_iter().map(|share| share.0).collect()
}

/// What people gave: first on lines, then on the whole ticket.
pub(super) fn by_hand(lines: &mut [Rest<'_>], ticket: Option<Discount>) {
    for line in lines.iter_mut().filter(|line| !line.returned) {
        if let Some(discount) = line.discount {
            line.by_hand = discount.of(line.left);
            line.left -= line.by_hand;
        }
    }
    let Some(discount) = ticket else { return };
    let mut sold: Vec<&mut Rest<'_>> = lines.iter_mut().filter(|line| !line.returned).collect();
    let sum: i64 = sold.iter().map(|line| line.left).sum();
    let shares = share(discount.of(sum), sold.iter().map(|line| line.left));
    for (line, saving) in sold.iter_mut().zip(shares) {
        line.of_ticket = saving;
        line.left -= saving;
    }
}
