//! The product's answer beside the second one: what differs, in words.

use serde_json::Value;

use super::{Answer, Basket, Catalog, Problem, Reason, price};

/// Compares what `backroom price` says (as JSON) with the second calculation of the same two documents.
pub fn compare(catalog: &Catalog, basket: &Basket, product: &Value) -> Result<(), Problem> {
    let ours = price(catalog, basket)?;
    let number = |value: &Value, field: &str| -> Result<i128, Problem> {
        let found = value.get(field).and_then(Value::as_i64);
        found
            .map(i128::from)
            .ok_or_else(|| format!("the answer has no whole number {field}"))
    };
    for (field, second) in [
        ("net", ours.net),
        ("tax", ours.tax),
        ("total", ours.total),
        ("cash_rounding", ours.cash_rounding),
        ("due", ours.due),
    ] {
        same(field, number(product, field)?, second)?;
    }
    let none = Vec::new();
    let lines = product.get("lines").and_then(Value::as_array).unwrap_or(&none);
    same("number of lines", lines.len(), ours.lines.len())?;
    for (line, second) in lines.iter().zip(&ours.lines) {
        let on = |what: &str| format!("line {}: {what}", second.line);
        for (field, second) in [
            ("unit_price", second.unit_price),
            ("amount", second.amount),
            ("net", second.net),
            ("tax", second.tax),
        ] {
            same(&on(field), number(line, field)?, second)?;
        }
        same(&on("reasons"), reasons(line)?, sorted(second.reasons.clone()))?;
        let parts = line.get("taxes").and_then(Value::as_array).unwrap_or(&none);
        let mut taxes = Vec::new();
        for part in parts {
            taxes.push((part["tax"].as_str().unwrap_or_default().to_owned(), number(part, "amount")?));
        }
        let told = second.taxes.iter().map(|part| (part.tax.clone(), part.amount)).collect();
        same(&on("taxes"), taxes, told)?;
    }
    savings(product, &ours)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, product: T, second: T) -> Result<(), Problem> {
    if product == second {
        return Ok(());
    }
    Err(format!("{what}: the product says {product:?}, the second calculation {second:?}"))
}

fn reasons(line: &Value) -> Result<Vec<Reason>, Problem> {
    let told: Vec<Reason> = serde_json::from_value(line["reasons"].clone()).map_err(|error| error.to_string())?;
    // Why a person did it is not a matter of arithmetic.
    Ok(sorted(
        told.into_iter()
            .map(|reason| Reason {
                source: reason.source.filter(|_| matches!(reason.reason.as_str(), "promotion" | "book")),
                ..reason
            })
            .collect(),
    ))
}

fn sorted(mut reasons: Vec<Reason>) -> Vec<Reason> {
    reasons.sort_by(|a, b| (&a.reason, &a.source).cmp(&(&b.reason, &b.source)));
    reasons
}

fn savings(product: &Value, ours: &Answer) -> Result<(), Problem> {
    let none = Vec::new();
    let given = product.get("promotions").and_then(Value::as_array).unwrap_or(&none);
    let told = given
        .iter()
        .map(|row| {
            (
                row["id"].as_str().unwrap_or_default().to_owned(),
                i128::from(row["saving"].as_i64().unwrap_or_default()),
            )
        })
        .filter(|(_, saving)| *saving != 0)
        .collect();
    same("promotions", told, ours.savings.clone())
}
