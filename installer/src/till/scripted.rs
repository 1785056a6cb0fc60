//! A sale in one command: scans, takes the cash, closes. Interrupted at any point, it goes on where it was.

use backroom_protocol::v1::register as wire;

use super::TillError;
use super::amount;
use super::counter::{Counter, Finished};
use super::memory::Script;
use crate::client::make::{self, TicketRef};

/// A finished sale.
#[derive(Clone, Debug)]
pub struct Sold {
    pub view: wire::TicketView,
    /// It had been begun by an earlier run.
    pub resumed: bool,
}

/// Sells, or finishes the very same sale when an earlier run of it was interrupted.
pub async fn sell(
    counter: &mut Counter,
    scans: &[String],
    cash: &str,
    finished: Option<Finished>,
    before: Option<Script>,
) -> Result<Sold, TillError> {
    let decimals = counter.device()?.decimals;
    if cash != "exact" {
        amount::parse(cash, decimals)?; // A slip in the amount is told before anything is scanned.
    }
    let is_same = |script: &Script| script.scans == scans && script.cash == cash;
    if let (Some(Finished::Ticket { view, .. }), Some(before)) = (finished, &before)
        && is_same(before)
        && view.state() == wire::TicketState::Sold
    {
        return Ok(Sold {
            view: *view,
            resumed: true,
        });
    }
    match &counter.memory.notes.script {
        Some(script) if is_same(script) => return go_on(counter, true).await,
        Some(script) => return Err(TillError::SaleUnfinished { scans: script.scans.len() }),
        None if counter.ticket().is_some() => return Err(TillError::TicketOpen),
        None => {}
    }
    counter.memory.notes.script = Some(Script {
        scans: scans.to_vec(),
        cash: cash.to_owned(),
        scanned: 0,
    });
    go_on(counter, false).await
}

/// Finishes the sale that stands in the till's memory.
pub async fn resume(counter: &mut Counter) -> Result<Sold, TillError> {
    match counter.memory.notes.script {
        Some(_) => go_on(counter, true).await,
        None => Err(TillError::NoTicket),
    }
}

async fn go_on(counter: &mut Counter, resumed: bool) -> Result<Sold, TillError> {
    let mut view = None;
    while let Some((code, quantity)) = next_scan(counter) {
        let ticket = counter.ticket().unwrap_or_else(TicketRef::begin);
        match counter.say(&make::scan(ticket, &code, quantity)).await {
            Ok(answer) => view = answer.ticket,
            Err(error) => return Err(give_up(counter, error).await),
        }
    }
    let view = match view {
        Some(view) => view,
        None => counter.look_again().await?.ok_or(TillError::NoTicket)?,
    };
    let (given, currency) = match given(counter, &view) {
        Ok(given) => given,
        Err(error) => return Err(give_up(counter, error).await),
    };
    let tender = make::tender_and_settle(TicketRef::of(&view), given, &currency);
    match counter.say(&tender).await {
        Ok(answer) => Ok(Sold {
            view: answer.ticket.ok_or(TillError::NoTicket)?,
            resumed,
        }),
        Err(error) => Err(give_up(counter, error).await),
    }
}

fn next_scan(counter: &Counter) -> Option<(String, i64)> {
    let script = counter.memory.notes.script.as_ref()?;
    let (quantity, code) = amount::quantity_and_code(script.scans.get(script.scanned)?);
    Some((code.to_owned(), quantity))
}

fn given(counter: &Counter, view: &wire::TicketView) -> Result<(i64, String), TillError> {
    let device = counter.device()?;
    let cash = counter.memory.notes.script.as_ref().map_or("exact", |script| &script.cash);
    let remaining = view.remaining.as_ref().map_or(0, |money| money.minor);
    let given = match cash {
        "exact" => remaining,
        text => amount::parse(text, device.decimals)?,
    };
    if given < remaining {
        return Err(TillError::NotEnough {
            given: amount::show(given, device.decimals),
            due: amount::show(remaining, device.decimals),
        });
    }
    Ok((given, device.currency.clone()))
}

/// After a refusal nothing of a scripted sale stays open. While the box is away the sale stays as it is, to be resumed.
async fn give_up(counter: &mut Counter, error: TillError) -> TillError {
    if error.exit_code() != 3 {
        return error;
    }
    if let Some(ticket) = counter.ticket()
        && let Err(second) = counter.say(&make::cancel(ticket)).await
        && second.exit_code() != 3
    {
        return second;
    }
    counter.memory.notes.script = None;
    counter.memory.notes.ticket = None;
    match counter.memory.keep() {
        Ok(()) => error,
        Err(second) => second.into(),
    }
}
