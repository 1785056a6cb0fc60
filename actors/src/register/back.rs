//! Goods that come back by receipt, in parts and in any order: the parts earlier tickets took are read from the journal, and the journal
//! takes the new one only if no other came in between.

use backroom_core::facts::{ClosedLine, ClosedTicket, Fact, TenderTaken};
use backroom_core::ids::{CommandId, ReceiptNo, TicketId};
use backroom_core::money::Quantity;
use backroom_core::ticket::change::Doing;
use backroom_core::ticket::{Event, GivenBack, Open, Refusal};

use super::{Command, CommandError, Outcome, State};
use crate::journal::writer::committed_from;
use crate::journal::{AppendError, Expect};

impl State {
    /// Puts lines of a receipt onto a ticket as goods that come back.
    pub(super) async fn take_lines_back(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        receipt: ReceiptNo,
        wanted: &[(u32, Quantity)],
    ) -> Result<Outcome, CommandError> {
        let sale = self.receipt(receipt).await?;
        let (before, _) = self.given_back(receipt).await?;
        let (base, prices, opened) = self.at_hand(&command, ticket, expected, true).await?;
        let doing = Doing {
            staff: command.staff,
            command_id: command.id,
            at: self.shop.clock.now(),
        };
        // Without a list: everything that is left of it.
        let all: Vec<(u32, Quantity)> = sale
            .lines
            .iter()
            .filter(|line| line.voided.is_none() && line.quantity > Quantity::ZERO)
            .map(|line| (line.line, before.left(line)))
            .filter(|(_, left)| *left > Quantity::ZERO)
            .collect();
        if wanted.is_empty() && all.is_empty() {
            return Err(Refusal::AlreadyReturned { receipt }.into());
        }
        let wanted = if wanted.is_empty() { &all } else { wanted };
        let decided = base.take_back(&self.counter(&prices), &sale, &before, wanted, doing)?;
        self.write_decided(&command, ticket, opened, decided).await
    }

    /// Hands out in cash what the ticket owes, and closes it if so wanted.
    pub(super) async fn refund(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        settle: bool,
    ) -> Result<Outcome, CommandError> {
        let held = self.held(ticket, expected).await?;
        let doing = Doing {
            staff: command.staff,
            command_id: command.id,
            at: self.shop.clock.now(),
        };
        let tender = held.ticket.refund_cash(None, doing)?;
        if settle {
            let mut paid = Open::clone(&held.ticket);
            paid.apply(Event::TenderTaken(tender));
            let closed = paid.settle(&self.counter(&held.prices))?;
            return self.close(Some(&command), closed, true).await;
        }
        self.open_shift()?;
        let fact = Fact::TenderTaken(TenderTaken {
            ticket,
            tender: tender.clone(),
        });
        self.shop.journal.append(self.append(&command, fact)).await?;
        self.write(&command, ticket, vec![Event::TenderTaken(tender)]).await
    }

    pub(super) async fn receipt(&self, receipt: ReceiptNo) -> Result<ClosedTicket, CommandError> {
        let unknown = || Refusal::UnknownReceipt { receipt };
        let entry = self.shop.reader.by_receipt(receipt).await?.ok_or_else(unknown)?;
        match &*committed_from(&entry)?.fact {
            Fact::TicketClosed(sale) => Ok(ClosedTicket::clone(sale)),
            _ => Err(unknown().into()),
        }
    }

    /// What earlier tickets took of a receipt, and how many they were.
    pub(super) async fn given_back(&self, receipt: ReceiptNo) -> Result<(GivenBack, usize), CommandError> {
        let mut given = GivenBack::new(receipt);
        let by = self.shop.reader.returned(receipt).await?;
        for number in &by {
            given.add(&self.receipt(*number).await?)?;
        }
        Ok((given, by.len()))
    }

    /// What the journal must still hold for the goods that come back with this ticket. The parts of a line follow each other, each worth what
    /// it is worth in its turn, so all of it is decided once more from the journal of now: another register may have taken a part meanwhile.
    pub(super) async fn expects_back(&self, closed: &ClosedTicket) -> Result<Vec<Expect>, CommandError> {
        let mut expects = Vec::new();
        for receipt in closed.takes_back() {
            let (before, times) = self.given_back(receipt).await?;
            let parts: Vec<&ClosedLine> = closed
                .lines
                .iter()
                .filter(|line| line.voided.is_none() && line.details.returns.is_some_and(|of| of.receipt == receipt))
                .collect();
            let meanwhile = || AppendError::TakenBackMeanwhile { receipt };
            if let (Some(held), false) = (self.tickets.get(&closed.ticket), parts.is_empty()) {
                let sale = self.receipt(receipt).await?;
                let wanted: Vec<(u32, Quantity)> = parts.iter().filter_map(|line| part_of(line)).collect();
                // Who says it changes no amount.
                let doing = Doing {
                    staff: "box".parse().map_err(|_| meanwhile())?,
                    command_id: CommandId(uuid::Uuid::nil()),
                    at: self.shop.clock.now(),
                };
                let alone = Open::new(held.ticket.opening.clone());
                let again = alone.take_back(&self.counter(&held.prices), &sale, &before, &wanted, doing)?;
                if !same_worth(&again.event, &parts) {
                    return Err(meanwhile().into());
                }
            }
            expects.push(Expect::TakenBack { receipt, times });
        }
        Ok(expects)
    }
}

fn part_of(line: &ClosedLine) -> Option<(u32, Quantity)> {
    let of = line.details.returns?;
    Some((of.line, Quantity(line.quantity.0.checked_neg()?)))
}

fn same_worth(again: &Event, parts: &[&ClosedLine]) -> bool {
    let Event::BasketChanged(changed) = again else { return false };
    let figures = |line: &ClosedLine| (line.details.returns, line.quantity, line.amount, line.net, line.tax);
    changed.lines.len() == parts.len() && changed.lines.iter().zip(parts).all(|(now, then)| figures(now) == figures(then))
}
