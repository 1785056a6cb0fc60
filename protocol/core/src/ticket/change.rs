//! What a person changes about a basket: prices, discounts, what is known of the customer, coupons, exemptions, notes.
//!
//! Who may do it is decided in the staff's room. Here an approval is looked at once more: it is for this action on this line, and each
//! holds once.

use super::pricing::{Draft, Step};
use super::{BasketChanged, Counter, Decided, MOST_NOTES, Open, Refusal, Terms};
use crate::barcode::InStoreCode;
use crate::catalog::Track;
use crate::facts::{Approval, ApprovedAction, ClosedLine, HandDiscount, KeyedPrice, KeyedSource, LineDetails, What};
use crate::ids::{CommandId, CustomerId, ReasonCode, StaffId};
use crate::money::{LARGEST_AMOUNT, Money};
use crate::price::Discount;
use crate::tax::Exemption;
use crate::time::Instant;

/// On whose word something out of the ordinary is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The person's own role allows it.
    Own,
    /// Somebody else allowed it.
    Approved(Approval),
}

/// Who does it, with which command, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doing {
    pub staff: StaffId,
    pub command_id: CommandId,
    pub at: Instant,
}

impl Open {
    /// What an approval is worth here: the one to write down, or nothing where the person's own role allows it.
    pub(super) fn permitted(
        &self,
        permit: Permit,
        action: ApprovedAction,
        line: Option<u32>,
        staff: StaffId,
    ) -> Result<Option<Approval>, Refusal> {
        let Permit::Approved(approval) = permit else { return Ok(None) };
        let fits = approval.action == action && approval.line == line && approval.staff == staff && approval.by != staff;
        if !fits {
            return Err(Refusal::OtherApproval);
        }
        let of_tenders = self.tenders.iter().filter_map(|tender| tender.details.approval.as_ref());
        if self.about.approvals.iter().chain(of_tenders).any(|used| used.id == approval.id) {
            return Err(Refusal::ApprovalUsed);
        }
        Ok(Some(approval))
    }

    fn told(&self, what: What, line: Option<u32>, doing: Doing) -> BasketChanged {
        BasketChanged {
            happened: Some(super::line::happened(what, line, doing.staff, doing.command_id, doing.at)),
            ..BasketChanged::default()
        }
    }

    /// Another price than the shop's, for a reason.
    pub fn override_price(
        &self,
        counter: &Counter<'_>,
        line: u32,
        price: Money,
        reason: ReasonCode,
        permit: Permit,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let found = self.priced_line(line)?;
        if !(0..=LARGEST_AMOUNT).contains(&price.0) {
            return Err(Refusal::Amount { amount: self.show(price) });
        }
        let approval = self.permitted(permit, ApprovedAction::PriceOverride, Some(line), doing.staff)?;
        let details = LineDetails {
            keyed: Some(KeyedPrice {
                source: KeyedSource::Override,
                price,
                reason: Some(reason),
            }),
            ..found.details.clone()
        };
        let told = BasketChanged {
            approval,
            ..self.told(What::PriceOverridden, Some(line), doing)
        };
        self.line_again(counter, found, details, told)
    }

    /// A discount by hand on one line, or none any more.
    pub fn discount_line(
        &self,
        counter: &Counter<'_>,
        line: u32,
        discount: Option<Discount>,
        reason: ReasonCode,
        permit: Permit,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let found = self.priced_line(line)?;
        let approval = self.permitted(permit, ApprovedAction::LineDiscount, Some(line), doing.staff)?;
        let details = LineDetails {
            discount: discount.map(|discount| HandDiscount { discount, reason }),
            ..found.details.clone()
        };
        let told = BasketChanged {
            approval,
            ..self.told(What::Discounted, Some(line), doing)
        };
        self.line_again(counter, found, details, told)
    }

    fn priced_line(&self, line: u32) -> Result<&ClosedLine, Refusal> {
        let found = self.changeable(line)?;
        if super::pricing::is_priced(found) {
            Ok(found)
        } else {
            Err(Refusal::NoDiscount { line })
        }
    }

    fn line_again(&self, counter: &Counter<'_>, found: &ClosedLine, details: LineDetails, told: BasketChanged) -> Result<Decided, Refusal> {
        let item = super::line::by_sku(counter, &found.sku)?;
        let draft = Draft {
            details,
            ..Draft::again(found, item, found.quantity)
        };
        let step = Step::Put(draft.goods(self.prices_of(&draft)));
        self.basket_changes(counter, vec![draft], step, told)
    }

    /// A discount by hand on the whole ticket, or none any more.
    pub fn discount_ticket(
        &self,
        counter: &Counter<'_>,
        discount: Option<Discount>,
        reason: ReasonCode,
        permit: Permit,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let approval = self.permitted(permit, ApprovedAction::TicketDiscount, None, doing.staff)?;
        let terms = Terms {
            discount: discount.map(|discount| HandDiscount { discount, reason }),
            ..self.terms()
        };
        let told = BasketChanged {
            approval,
            terms: Some(Box::new(terms)),
            ..self.told(What::Discounted, None, doing)
        };
        self.lines_change(counter, Vec::new(), Step::Discount(discount), told)
    }

    /// The serial number or lot of a line that has none yet.
    pub fn capture(&self, counter: &Counter<'_>, line: u32, text: &str, doing: Doing) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let found = self.changeable(line)?;
        let item = super::line::by_sku(counter, &found.sku)?;
        let what = if item.track() == Track::Lot { "lot" } else { "serial number" };
        if InStoreCode::parse(text).is_err() {
            return Err(Refusal::Capture { what });
        }
        let text = text.to_owned();
        let mut changed = found.clone();
        if item.track() == Track::Lot {
            changed.details.lot = Some(text);
        } else {
            if self.captured.contains(&(found.sku.clone(), text.clone())) {
                return Err(Refusal::CapturedTwice {
                    name: found.name.clone(),
                    what,
                    text,
                });
            }
            if found.quantity != crate::money::Quantity::ONE {
                return Err(Refusal::OneByOne {
                    name: found.name.clone(),
                    what,
                });
            }
            changed.details.serial = Some(text);
        }
        let told = self.told(What::Captured, Some(line), doing);
        self.lines_change(counter, vec![changed], Step::None, told)
    }

    /// One of the shop's own reasons, on a line or on the ticket. There are no free texts.
    pub fn note(&self, counter: &Counter<'_>, line: Option<u32>, note: ReasonCode, doing: Doing) -> Result<Decided, Refusal> {
        self.may_change()?;
        let told = self.told(What::Noted, line, doing);
        let too_many = |notes: &[ReasonCode]| {
            let full = Refusal::TooMany {
                what: "notes",
                most: MOST_NOTES,
            };
            if notes.len() >= MOST_NOTES { Err(full) } else { Ok(()) }
        };
        let Some(line) = line else {
            let mut terms = self.terms();
            too_many(&terms.notes)?;
            terms.notes.push(note);
            let told = BasketChanged {
                terms: Some(Box::new(terms)),
                ..told
            };
            return self.lines_change(counter, Vec::new(), Step::None, told);
        };
        let mut changed = self.line(line)?.clone();
        if changed.voided.is_some() {
            return Err(Refusal::AlreadyVoided { line });
        }
        too_many(&changed.details.notes)?;
        changed.details.notes.push(note);
        self.lines_change(counter, vec![changed], Step::None, told)
    }

    /// Whose ticket it is, and the price groups that customer belongs to.
    pub fn name_customer(
        &self,
        counter: &Counter<'_>,
        customer: Option<CustomerId>,
        groups: &[String],
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let named = groups.iter().all(|group| (1..=64).contains(&group.len()));
        if groups.len() > MOST_NOTES || !named {
            return Err(Refusal::TooMany {
                what: "customer groups",
                most: MOST_NOTES,
            });
        }
        let terms = Terms {
            customer,
            groups: if customer.is_some() { groups.to_vec() } else { Vec::new() },
            ..self.terms()
        };
        self.terms_change(counter, terms, self.told(What::CustomerNamed, None, doing))
    }

    pub fn take_coupon(&self, counter: &Counter<'_>, code: &str, doing: Doing) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let code = InStoreCode::parse(code).map_err(|_| Refusal::Coupon)?.as_str().to_owned();
        let mut terms = self.terms();
        if terms.coupons.contains(&code) {
            return Err(Refusal::CouponTwice { code });
        }
        if terms.coupons.len() >= MOST_NOTES {
            return Err(Refusal::TooMany {
                what: "coupons",
                most: MOST_NOTES,
            });
        }
        terms.coupons.push(code);
        self.terms_change(counter, terms, self.told(What::CouponTaken, None, doing))
    }

    pub fn drop_coupon(&self, counter: &Counter<'_>, code: &str, doing: Doing) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let mut terms = self.terms();
        let Some(at) = terms.coupons.iter().position(|taken| taken == code) else {
            return Err(Refusal::NoSuchCoupon {
                code: code.chars().take(60).collect(),
            });
        };
        terms.coupons.remove(at);
        self.terms_change(counter, terms, self.told(What::CouponDropped, None, doing))
    }

    fn terms_change(&self, counter: &Counter<'_>, terms: Terms, told: BasketChanged) -> Result<Decided, Refusal> {
        let told = BasketChanged {
            terms: Some(Box::new(terms)),
            ..told
        };
        self.lines_change(counter, Vec::new(), Step::Terms, told)
    }

    /// The customer pays none of these taxes, or all again.
    pub fn exempt(&self, counter: &Counter<'_>, exemption: Option<Exemption>, permit: Permit, doing: Doing) -> Result<Decided, Refusal> {
        self.may_change_lines(counter)?;
        let approval = self.permitted(permit, ApprovedAction::TaxExemption, None, doing.staff)?;
        let terms = Terms { exemption, ..self.terms() };
        let told = BasketChanged {
            approval,
            terms: Some(Box::new(terms)),
            ..self.told(What::Exempted, None, doing)
        };
        self.lines_change(counter, Vec::new(), Step::None, told)
    }

    /// Taxes follow the day on which the ticket is settled. The one who asks for money calls this first: where the day has turned since the
    /// taxes were told, they are told anew. Once money was taken they stay.
    pub fn turn_day(&self, counter: &Counter<'_>, at: Instant) -> Result<Option<Decided>, Refusal> {
        let today = counter.day(at);
        let told_for = self.about.tax_day.unwrap_or_else(|| counter.day(self.opening.opened_at));
        if told_for == today || self.may_change().is_err() {
            return Ok(None);
        }
        let terms = Terms {
            tax_day: Some(today),
            ..self.terms()
        };
        let told = BasketChanged {
            terms: Some(Box::new(terms)),
            ..BasketChanged::default()
        };
        self.lines_change(counter, Vec::new(), Step::None, told).map(Some)
    }
}
