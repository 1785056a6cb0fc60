//! A customer who pays by card: the terminal is asked through the box, and the ticket itself says what came of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backroom_protocol::v1::register as wire;
use uuid::Uuid;

use super::{Cashier, Said, minor};
use crate::client::make::{self, TicketRef};

const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// How a card payment ended.
#[derive(Clone, Debug)]
pub enum CardEnd {
    /// The ticket closed by itself; its receipt.
    Paid(String),
    /// The basket is whole, and can be paid otherwise.
    NotPaid(Box<wire::TicketView>),
}

impl Cashier {
    /// Has the terminal asked for all that is to be paid. Answered as soon as the wish is in the books.
    pub async fn ask_card(&mut self, view: &wire::TicketView) -> Result<Uuid> {
        let ticket = TicketRef::of(view);
        let due = minor(view.remaining_exact.as_ref());
        let tender = make::card_and_settle(ticket, due, &self.currency);
        match self.say(&tender).await? {
            Said::Done(_) => Ok(ticket.id),
            Said::Refused => bail!("the box refused to ask the terminal for {due}"),
        }
    }

    /// Waits until the payment has an end.
    pub async fn card_end(&mut self, ticket: Uuid, within: Duration) -> Result<CardEnd> {
        let began = Instant::now();
        loop {
            let view = self.look_at_ticket(ticket).await?;
            if view.state() == wire::TicketState::Sold {
                ensure!(!view.receipt.is_empty(), "a sold ticket has no receipt number");
                let mut figures = self.board.write();
                figures.sales += 1;
                figures.takings += minor(view.due.as_ref());
                return Ok(CardEnd::Paid(view.receipt));
            }
            match card_state(&view) {
                wire::CardState::Declined => return Ok(CardEnd::NotPaid(Box::new(view))),
                state => ensure!(
                    began.elapsed() < within,
                    "a card payment is still {} after {} s",
                    state.as_str_name(),
                    within.as_secs()
                ),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The terminal has not told yet: asking, or nobody knows.
    pub async fn card_is_open(&mut self, ticket: Uuid) -> Result<bool> {
        let view = self.look_at_ticket(ticket).await?;
        Ok(matches!(card_state(&view), wire::CardState::Asking | wire::CardState::Unknown))
    }

    async fn look_at_ticket(&mut self, ticket: Uuid) -> Result<wire::TicketView> {
        let question = wire::GetTicketRequest {
            ticket_id: ticket.as_bytes().to_vec(),
        };
        let answer = self.client.read(&question).await?;
        answer.ticket.context("a ticket was asked for and answered without it")
    }
}

fn card_state(view: &wire::TicketView) -> wire::CardState {
    view.card.as_ref().map_or(wire::CardState::Unspecified, wire::CardView::state)
}
