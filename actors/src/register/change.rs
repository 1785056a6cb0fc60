//! What a person changes about an open ticket besides scanning: quantities, prices, discounts, coupons, exemptions, notes, ages,
//! departments, empties. Core decides each; the register writes what came of it.

use backroom_core::catalog::Sku;
use backroom_core::facts::{AgeDecision, Fact, TicketFact};
use backroom_core::ids::{ReasonCode, TicketId};
use backroom_core::money::{Money, Quantity};
use backroom_core::price::Discount;
use backroom_core::tax::Exemption;
use backroom_core::ticket::change::Doing;
use backroom_core::ticket::{Permit, Put};

use super::{Command, CommandError, Outcome, State};

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    Quantity {
        line: u32,
        quantity: Quantity,
    },
    Price {
        line: u32,
        price: Money,
        reason: ReasonCode,
    },
    /// On a line, or on the whole ticket; none takes one off again.
    Discount {
        line: Option<u32>,
        discount: Option<Discount>,
        reason: ReasonCode,
    },
    TakeCoupon {
        code: String,
    },
    DropCoupon {
        code: String,
    },
    Exempt {
        exemption: Option<Exemption>,
    },
    Note {
        line: Option<u32>,
        note: ReasonCode,
    },
    /// The serial number or lot a line wants.
    Capture {
        line: u32,
        text: String,
    },
    /// Somebody looked how old the customer is.
    Age {
        code: String,
        decision: AgeDecision,
    },
    /// Goods nobody knows, at a keyed price.
    Department {
        department: Sku,
        price: Money,
        code: Option<String>,
    },
    /// An item without a price of its own, at a keyed one.
    OpenPrice {
        code: String,
        quantity: Quantity,
        price: Money,
    },
    /// Empties that come back.
    Bottles {
        code: String,
        quantity: Quantity,
    },
}

impl Change {
    /// Whether a ticket may begin with it.
    pub(super) fn begins(&self) -> bool {
        matches!(
            self,
            Change::Department { .. } | Change::OpenPrice { .. } | Change::Bottles { .. } | Change::Age { .. }
        )
    }
}

impl State {
    pub(super) async fn change(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        change: Change,
    ) -> Result<Outcome, CommandError> {
        let at = self.shop.clock.now();
        let begins = change.begins();
        let (base, prices, before) = self.at_hand(&command, ticket, expected, begins).await?;
        let counter = self.counter(&prices);
        let (id, own) = (command.id, Permit::Own);
        let doing = Doing {
            staff: command.staff,
            command_id: id,
            at,
        };
        let decided = match change {
            Change::Quantity { line, quantity } => base.change_quantity(&counter, line, quantity, command.staff, id, at),
            Change::Price { line, price, reason } => base.override_price(&counter, line, price, reason, own, doing),
            Change::Discount {
                line: Some(line),
                discount,
                reason,
            } => base.discount_line(&counter, line, discount, reason, own, doing),
            Change::Discount {
                line: None,
                discount,
                reason,
            } => base.discount_ticket(&counter, discount, reason, own, doing),
            Change::TakeCoupon { code } => base.take_coupon(&counter, &code, doing),
            Change::DropCoupon { code } => base.drop_coupon(&counter, &code, doing),
            Change::Exempt { exemption } => base.exempt(&counter, exemption, own, doing),
            Change::Note { line, note } => base.note(&counter, line, note, doing),
            Change::Capture { line, text } => base.capture(&counter, line, &text, doing),
            Change::Age { code, decision } => {
                let (event, refused) = base.check_age(&counter, &code, decision, command.staff, id, at)?;
                if let Some(refused) = refused {
                    // A refused sale is a fact of its own, also when the ticket never comes to anything.
                    let fact = Fact::Ticket(TicketFact::SaleRefused(refused));
                    self.shop.journal.append(self.append(&command, fact)).await?;
                }
                return self.write(&command, ticket, before.into_iter().chain([event]).collect()).await;
            }
            Change::Department { department, price, code } => {
                base.sell_by_department(&counter, &department, price, code.as_deref(), id, at)
            }
            Change::OpenPrice { code, quantity, price } => {
                let put = Put {
                    price: Some(price),
                    ..Put::scan(&code, quantity)
                };
                base.put(&counter, &put, id, at)
            }
            Change::Bottles { code, quantity } => base.refund_bottles(&counter, &code, quantity, id, at),
        };
        self.write_decided(&command, ticket, before, decided?).await
    }
}
