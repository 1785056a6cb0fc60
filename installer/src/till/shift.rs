//! What happens around the sales of a shift: the float, cash in and out, a return, the count; and a whole shift by itself.

use backroom_protocol::v1::register as wire;
use wire::CashMoveKind;

use super::counter::Counter;
use super::{TillError, amount, scripted};
use crate::client::make;

/// An amount as it was typed, in minor units of the till's own currency.
pub fn amount(counter: &Counter, text: &str) -> Result<i64, TillError> {
    Ok(amount::parse(text, counter.device()?.decimals)?)
}

pub async fn open(counter: &mut Counter, float: &str) -> Result<wire::OpenShiftResponse, TillError> {
    let currency = counter.device()?.currency.clone();
    let float = amount(counter, float)?;
    counter.say(&make::open_shift(float, &currency)).await
}

pub async fn close(counter: &mut Counter, counted: &str) -> Result<wire::CloseShiftResponse, TillError> {
    let currency = counter.device()?.currency.clone();
    let counted = amount(counter, counted)?;
    counter.say(&make::close_shift(counted, &currency)).await
}

/// Without a reason the kind itself is one.
pub async fn move_cash(
    counter: &mut Counter,
    kind: CashMoveKind,
    text: &str,
    reason: Option<&str>,
) -> Result<wire::MoveCashResponse, TillError> {
    let currency = counter.device()?.currency.clone();
    let moved = amount(counter, text)?;
    let usual = match kind {
        CashMoveKind::PaidOut => "paid out",
        CashMoveKind::Drop => "drop to the safe",
        CashMoveKind::PaidIn | CashMoveKind::Unspecified => "paid in",
    };
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).unwrap_or(usual);
    counter.say(&make::move_cash(kind, moved, &currency, reason)).await
}

pub async fn take_back(counter: &mut Counter, receipt: &str) -> Result<wire::ReturnSaleResponse, TillError> {
    counter.say(&make::return_sale(receipt)).await
}

/// What a shift by itself came to.
#[derive(Clone, Debug)]
pub struct DemoShift {
    pub receipts: Vec<String>,
    pub returned: String,
    pub closed: wire::CloseShiftResponse,
}

/// Opens, sells each item in turn, takes the last sale back, counts and closes. `tell` hears of every step.
pub async fn demo(counter: &mut Counter, codes: &[String], sales: u32, mut tell: impl FnMut(String)) -> Result<DemoShift, TillError> {
    let currency = counter.device()?.currency.clone();
    let decimals = counter.device()?.decimals;
    let float = 100 * 10_i64.pow(decimals.min(6));
    counter.say(&make::open_shift(float, &currency)).await?;
    tell(format!("shift opened with {}", amount::show(float, decimals)));
    let mut receipts = Vec::new();
    for sale in 0..sales.max(1) {
        let basket: Vec<String> = (0..=sale as usize % 3)
            .filter_map(|line| codes.get((sale as usize + line) % codes.len().max(1)).cloned())
            .collect();
        let sold = scripted::sell(counter, &basket, "exact", None, None).await?;
        let due = sold.view.due.as_ref().map_or(0, |money| money.minor);
        tell(format!("sold {} for {}", sold.view.receipt, amount::show(due, decimals)));
        receipts.push(sold.view.receipt);
    }
    let last = receipts.last().cloned().unwrap_or_default();
    let back = take_back(counter, &last).await?;
    let returned = back.ticket.map(|view| view.receipt).unwrap_or_default();
    tell(format!("took {last} back with {returned}"));
    // A demonstration has no drawer to count: it counts what it put in, and the Z report tells the difference.
    let closed = counter.say(&make::close_shift(float, &currency)).await?;
    tell(format!("shift closed with Z {}", closed.z_number));
    Ok(DemoShift {
        receipts,
        returned,
        closed,
    })
}
