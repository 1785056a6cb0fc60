//! What was sold by its own number since, as the journal has it: why a missing tag is no loss.

use backroom_core::facts::{Fact, Kind, TicketEnd};
use backroom_core::journal::{Entry, Epoch, Seq};

use super::state::{Position, Sale, Sales, Thing};
use super::tags::{Tags, Traded};
use crate::file::FileError;
use crate::journal::writer::committed_from;
use crate::shop::Shop;

/// Entries of the journal in one look, and looks in one turn, so that a long journal never holds a count up for long.
const ENTRIES: u32 = 500;
const MOST_LOOKS: usize = 20;

pub(super) struct Sold {
    sales: Sales,
    /// The journal was read up to here.
    through: Position,
}

impl Sold {
    pub(super) async fn open(file: &mut Tags) -> Result<Sold, FileError> {
        let (sales, through) = (file.sales().await?, file.read_through().await?);
        Ok(Sold { sales, through })
    }

    pub(super) fn sales(&self) -> &Sales {
        &self.sales
    }

    /// Reads in the journal what was sold and taken back since the last look. It is read, not heard, so that nothing is missed.
    pub(super) async fn catch_up(&mut self, shop: &Shop, file: &mut Tags) -> Result<(), FileError> {
        for _ in 0..MOST_LOOKS {
            let head = shop.journal.head();
            let (epoch, seq) = self.through;
            if (epoch, seq) >= (head.epoch, head.seq) {
                return Ok(());
            }
            let entries = shop.reader.range(epoch, Seq(seq.0 + 1), ENTRIES).await?;
            let through = match entries.last() {
                Some(last) => last.position(),
                None if epoch < head.epoch => (Epoch(epoch.0 + 1), Seq(0)),
                None => return Ok(()),
            };
            let mut traded = Vec::new();
            for entry in entries.iter().filter(|entry| entry.header.kind == Kind::TicketClosed as u16) {
                traded.append(&mut traded_in(entry)?);
            }
            file.traded(&traded, through).await?;
            for traded in traded {
                match traded {
                    Traded::Sold(thing, sale) => drop(self.sales.insert(thing, sale)),
                    Traded::TakenBack(receipt) => self.sales.retain(|_, sale| sale.receipt != receipt),
                }
            }
            self.through = through;
        }
        Ok(())
    }
}

/// The things a ticket names by their own number.
fn traded_in(entry: &Entry) -> Result<Vec<Traded>, FileError> {
    let committed = committed_from(entry)?;
    let Fact::TicketClosed(ticket) = &*committed.fact else {
        return Ok(Vec::new());
    };
    let traded = match (ticket.end, ticket.receipt, ticket.original) {
        (TicketEnd::Sale, Some(receipt), _) => {
            let sale = Sale {
                receipt,
                at: committed.at,
                position: entry.position(),
            };
            let lines = ticket.lines.iter().filter(|line| line.voided.is_none());
            lines
                .filter_map(|line| Thing::of_code(&line.code))
                .map(|thing| Traded::Sold(thing, sale.clone()))
                .collect()
        }
        (TicketEnd::Return, _, Some(original)) => vec![Traded::TakenBack(original)],
        _ => Vec::new(),
    };
    Ok(traded)
}
