//! A page to look at what the stand-in holds: orders and stock. It reloads itself; no script, nothing from elsewhere.

use super::money;
use super::shop::{Order, Shop};

/// So many of each are shown, newest first.
const MOST_ROWS: usize = 200;

pub fn page(shop: &Shop) -> String {
    let orders: String = shop
        .orders
        .iter()
        .rev()
        .take(MOST_ROWS)
        .map(|order| order_row(order, &shop.currency))
        .collect();
    let levels: String = shop
        .levels
        .iter()
        .take(MOST_ROWS)
        .map(|((item, location), on_hand)| {
            let variant = shop.variant_by_item(item);
            let sku = variant.map_or("?", |variant| &variant.sku);
            let title = variant.map_or("?", |variant| &variant.title);
            let place = shop
                .locations
                .iter()
                .find(|place| place.id == *location)
                .map_or("?", |place| &place.name);
            row(&[sku, title, place], &on_hand.to_string())
        })
        .collect();
    let held = format!(
        "orders: {}, stock levels: {}, products: {}",
        shop.orders.len(),
        shop.levels.len(),
        shop.variants.len()
    );
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"3\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Stand-in for Shopify</title><style>{STYLE}</style></head><body>\
         <main><h1>Stand-in for Shopify</h1><p>{} &middot; {held}</p>\
         <h2>Orders</h2>{}<h2>Stock</h2>{}</main></body></html>",
        escaped(&shop.domain),
        table(&["Order", "Sold at", "What", "Note"], "Total", &orders),
        table(&["SKU", "Title", "Place"], "On hand", &levels),
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c1c1c;background:#f6f6f4}main{max-width:64rem;margin:auto;padding:1.5rem}\
    table{border-collapse:collapse;width:100%;background:#fff}th,td{text-align:left;padding:.4rem .8rem;border-bottom:1px solid #ddd;vertical-align:top}\
    .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}@media(prefers-color-scheme:dark){body{color:#eee;background:#171717}\
    table{background:#222}th,td{border-color:#444}}";

fn order_row(order: &Order, currency: &str) -> String {
    let what: Vec<String> = order
        .lines
        .iter()
        .map(|line| format!("{} × {}", line.quantity, line.title))
        .collect();
    let mut total = format!("{} {currency}", money::shown(order.total));
    if order.refunded > 0 {
        total.push_str(&format!(" (-{} refunded)", money::shown(order.refunded)));
    }
    row(
        &[
            &order.name,
            &order.processed_at,
            &what.join(", "),
            order.note.as_deref().unwrap_or(""),
        ],
        &total,
    )
}

fn table(heads: &[&str], number: &str, rows: &str) -> String {
    let heads: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    format!("<table><thead><tr>{heads}<th class=\"number\">{number}</th></tr></thead><tbody>{rows}</tbody></table>")
}

fn row(cells: &[&str], number: &str) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr>{cells}<td class=\"number\">{}</td></tr>", escaped(number))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
