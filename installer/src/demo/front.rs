//! The cashiers at the counters: few customers, each with a receipt in hand before the next one comes, some of whom pay by card.
//!
//! Whether a machine did its part is read in its own ledger, and whether the box knows is asked of the box.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backroom_core::barcode::ReceiptCode;
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::cashier::card::CardEnd;
use super::cashier::{Cashier, Pace};
use super::counter::{FRONT, Kind, happened, tell};
use super::crew::hire;
use super::town::Town;

const PACE: Pace = Pace {
    customers: (100, 300),
    scans: (20, 80),
};
const CARD_WITHIN: Duration = Duration::from_secs(40);
const PAPER_WITHIN: Duration = Duration::from_secs(30);
const COUNT_WITHIN: Duration = Duration::from_secs(9);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The terminal is looked at so often before it counts as holding a payment: it is busy for a moment with other questions too.
const LOOKS: u32 = 25;
/// Where the clerk counts.
const SHELF: &str = "shelf-1";

/// How a customer pays.
#[derive(Clone, Copy, Debug)]
pub enum Customer {
    Cash,
    Card,
    /// Whose card is declined, and who then pays in cash.
    Declined,
}

const MORNING: &[Customer] = &[Customer::Cash, Customer::Card, Customer::Declined, Customer::Card];
pub const AFTERNOON: &[Customer] = &[Customer::Cash, Customer::Card];
const ALL_DAY: &[Customer] = &[
    Customer::Cash,
    Customer::Card,
    Customer::Declined,
    Customer::Card,
    Customer::Cash,
    Customer::Card,
    Customer::Cash,
];

/// The counter of one store, and who stands at it.
pub struct Front {
    pub shop: usize,
    pub cashier: Cashier,
    paper: PathBuf,
    terminal: SocketAddr,
    /// Receipts that were handed out.
    pub receipts: usize,
    pub by_card: usize,
    pub declined: usize,
}

/// A clerk's count that was kept.
#[derive(Clone, Copy, Debug)]
pub struct Shelf {
    pub tags: u64,
    pub took: Duration,
}

impl Front {
    pub async fn open(town: &Town, shop: usize, patience: Duration) -> Result<Self> {
        let counter = &town.shops.get(shop).context("there is no such shop")?.counter;
        Ok(Self {
            shop,
            cashier: hire(town, shop, FRONT, 3, patience).await?,
            paper: counter.machine(Kind::Printer)?.ledger.clone(),
            terminal: counter.machine(Kind::Terminal)?.knobs,
            receipts: 0,
            by_card: 0,
            declined: 0,
        })
    }

    async fn serve(&mut self, customer: Customer) -> Result<()> {
        let view = self.cashier.fill_basket(PACE).await?;
        let receipt = match customer {
            Customer::Cash => self.cashier.pay_in_cash(&view).await?,
            Customer::Card => {
                let ticket = self.cashier.ask_card(&view).await?;
                self.paid(ticket).await?
            }
            Customer::Declined => {
                tell(self.terminal, "next decline").await?;
                let ticket = self.cashier.ask_card(&view).await?;
                match self.cashier.card_end(ticket, CARD_WITHIN).await? {
                    CardEnd::NotPaid(view) => {
                        self.declined += 1;
                        self.cashier.pay_in_cash(&view).await?
                    }
                    CardEnd::Paid(receipt) => bail!("a declined card paid receipt {receipt}"),
                }
            }
        };
        self.hand_out(&receipt).await
    }

    async fn paid(&mut self, ticket: Uuid) -> Result<String> {
        match self.cashier.card_end(ticket, CARD_WITHIN).await? {
            CardEnd::Paid(receipt) => {
                self.by_card += 1;
                Ok(receipt)
            }
            CardEnd::NotPaid(view) => {
                let why = view.card.map(|card| card.words).unwrap_or_default();
                bail!("a card that is good was not taken: {why}")
            }
        }
    }

    /// The receipt is on paper, and the box knows that it and the drawer are done.
    async fn hand_out(&mut self, receipt: &str) -> Result<()> {
        let began = Instant::now();
        while !is_printed(&happened(&self.paper, "print")?, receipt) || self.cashier.waiting_machines().await? > 0 {
            ensure!(
                began.elapsed() < PAPER_WITHIN,
                "receipt {receipt} was not printed within {} s",
                PAPER_WITHIN.as_secs()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.receipts += 1;
        Ok(())
    }

    /// Asks for a card while the terminal holds every payment; returns when it has this one in hand.
    pub async fn ask_a_card_that_is_held(&mut self) -> Result<Uuid> {
        tell(self.terminal, "hold on").await?;
        let view = self.cashier.fill_basket(PACE).await?;
        let ticket = self.cashier.ask_card(&view).await?;
        let began = Instant::now();
        let mut looks = 0;
        while looks < LOOKS {
            let paying = tell(self.terminal, "state").await?["paying"] == true;
            looks = if paying { looks + 1 } else { 0 };
            ensure!(
                began.elapsed() < CARD_WITHIN,
                "the terminal did not begin a payment within {} s",
                CARD_WITHIN.as_secs()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(ticket)
    }

    /// The terminal goes on, and the payment must be found: how long that took.
    pub async fn find_the_held_card(&mut self, ticket: Uuid) -> Result<Duration> {
        let open = self.cashier.card_is_open(ticket).await?;
        ensure!(open, "a card payment that the terminal holds was ended by the box");
        tell(self.terminal, "hold off").await?;
        let began = Instant::now();
        let receipt = self.paid(ticket).await?;
        let found = began.elapsed();
        self.hand_out(&receipt).await?;
        Ok(found)
    }

    /// A clerk counts the shelf from this register.
    pub async fn count_shelf(&mut self, tags: usize) -> Result<Shelf> {
        let began = Instant::now();
        let tags = u64::try_from(tags)?;
        let kept = self.cashier.count_shelf(SHELF, tags, COUNT_WITHIN).await?;
        ensure!(kept == tags, "{tags} tags lie on {SHELF}, and {kept} were kept");
        Ok(Shelf {
            tags: kept,
            took: began.elapsed(),
        })
    }
}

/// A receipt carries its number as a bar code.
fn is_printed(prints: &[Value], receipt: &str) -> bool {
    let codes = prints.iter().filter_map(|print| print["codes"].as_array()).flatten();
    let mut receipts = codes.filter_map(|code| code.as_str()?.parse::<ReceiptCode>().ok());
    receipts.any(|code| code.receipt().to_string() == receipt)
}

/// All counters at work, each serving its customers in a task of its own.
pub struct Fronts {
    /// By store; `None` while the story has it.
    tasks: Vec<JoinSet<Result<Front>>>,
}

impl Fronts {
    pub async fn open(town: &Town, patience: Duration) -> Result<Self> {
        let opening = (0..town.shops.len()).map(|shop| Front::open(town, shop, patience));
        let fronts = futures_util::future::try_join_all(opening).await?;
        let mut all = Self {
            tasks: fronts.iter().map(|_| JoinSet::new()).collect(),
        };
        for front in fronts {
            // The others need no story; the first one's afternoon comes after it.
            let customers = if front.shop == 0 { MORNING } else { ALL_DAY };
            all.send(front, customers)?;
        }
        Ok(all)
    }

    /// Lets a counter serve some customers.
    pub fn send(&mut self, mut front: Front, customers: &'static [Customer]) -> Result<()> {
        let place = self.tasks.get_mut(front.shop).context("there is no such counter")?;
        place.spawn(async move {
            for customer in customers {
                front.serve(*customer).await?;
                front.cashier.breathe(PACE).await;
            }
            Ok(front)
        });
        Ok(())
    }

    /// Waits until a counter has served its customers.
    pub async fn take(&mut self, shop: usize) -> Result<Front> {
        let place = self.tasks.get_mut(shop).context("there is no such counter")?;
        let ended = place.join_next().await.context("this counter has no customers")?;
        ended
            .context("a counter's task ended")?
            .with_context(|| format!("the counter of store {}", shop + 1))
    }
}

#[cfg(test)]
mod tests {
    use backroom_core::ids::ReceiptNo;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_receipt_is_known_by_its_bar_code() {
        let number = ReceiptNo {
            register: "front".parse().unwrap(),
            series: 1,
            number: 7,
        };
        let print = json!({"codes": ["9521234000013", ReceiptCode::new(number).to_string()]});
        assert!(is_printed(&[json!({}), print.clone()], "front/1/7"));
        assert!(!is_printed(&[print], "front/1/1"));
    }
}
