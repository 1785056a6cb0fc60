//! What the portal shows as tables, as files for a spreadsheet: CSV as RFC 4180 has it, with the filter of the page applied.
//!
//! Amounts are written exactly, in the currency's own digits, with a point. Text that a spreadsheet would take for a formula is not.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use backroom_core::ids::StoreId;
use backroom_core::money::{Currency, Money};

use crate::tenant::reports::{SaleCursor, SaleLine};

use super::problem::Problem;
use super::session::Session;
use super::views::{SheetQuestion, day, store};

const ROUND: u32 = 1000;
const HEAD: [&str; 11] = [
    "store",
    "receipt",
    "kind",
    "time",
    "business_day",
    "till",
    "net",
    "tax",
    "cash_rounding",
    "due",
    "currency",
];

/// All rows of the filter, newest first.
pub async fn sales(session: Session, question: web::Query<SheetQuestion>) -> Result<HttpResponse, Problem> {
    let store = question.store.as_deref().map(store).transpose()?;
    let day = question.day.as_deref().map(day).transpose()?;
    let mut sheet = String::new();
    line(&mut sheet, &HEAD.map(str::to_owned));
    let mut before: Option<SaleCursor> = None;
    loop {
        let (sales, next) = session
            .room
            .db
            .sales(store.as_ref().map(StoreId::as_str), day.as_deref(), before.as_ref(), ROUND)
            .await?;
        for sale in sales {
            line(&mut sheet, &cells(sale));
        }
        match next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    let name = [
        "sales",
        day.as_deref().unwrap_or("all"),
        store.as_ref().map_or("all", StoreId::as_str),
    ]
    .join("-");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .body(sheet))
}

fn cells(sale: SaleLine) -> [String; 11] {
    let currency = sale.currency.parse::<Currency>().ok();
    // A code nobody knows has no digits of its own; whole minor units are still exact.
    let money = |minor: i64| currency.map_or(minor.to_string(), |currency| currency.digits(Money(minor)));
    [
        sale.store,
        sale.receipt,
        sale.end,
        sale.at,
        sale.business_day,
        sale.till,
        money(sale.net),
        money(sale.tax),
        money(sale.cash_rounding),
        money(sale.due),
        sale.currency,
    ]
}

fn line(sheet: &mut String, cells: &[String]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            sheet.push(',');
        }
        let is_number = cell.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        let tempting = !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if tempting { format!("'{cell}") } else { cell.clone() };
        if text.contains(['"', ',', '\r', '\n']) {
            sheet.push('"');
            sheet.push_str(&text.replace('"', "\"\""));
            sheet.push('"');
        } else {
            sheet.push_str(&text);
        }
    }
    sheet.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_it_was_for_every_reader() {
        let mut sheet = String::new();
        line(&mut sheet, &["a,b", "say \"x\"", "=1+1", "-3.50", "plain"].map(str::to_owned));
        assert_eq!(sheet, "\"a,b\",\"say \"\"x\"\"\",'=1+1,-3.50,plain\r\n");
    }
}
