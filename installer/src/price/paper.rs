//! The answer as a paper for people: each line with what was taken off it, taxes, and what is due.

use backroom_core::money::Money;
use backroom_core::tax::PriceMode;

use super::answer::{Answer, Line};

const WIDTH: usize = 64;

/// Text to the left, an amount to the right; a long text is cut rather than the amount moved.
fn row(text: &str, amount: &str) -> String {
    let room = WIDTH.saturating_sub(amount.len() + 1);
    let text: String = text.chars().take(room).collect();
    let gap = WIDTH.saturating_sub(text.chars().count() + amount.len());
    format!("{text}{}{amount}\n", " ".repeat(gap))
}

pub fn of(answer: &Answer) -> String {
    let digits = |amount: Money| answer.currency.digits(amount);
    let included = match answer.prices {
        PriceMode::Inclusive => "with tax",
        PriceMode::Exclusive => "without tax",
    };
    let mut paper = format!(
        "catalog {}, prices in {} {included}\n{}\n",
        answer.catalog,
        answer.currency.code(),
        "-".repeat(WIDTH)
    );
    for line in &answer.lines {
        paper.push_str(&goods(line, &digits));
    }
    paper.push_str(&format!("{}\n", "-".repeat(WIDTH)));
    for class in &answer.taxes {
        for part in &class.parts {
            let text = format!("tax {} {} on {}", part.tax, part.rate, digits(class.net));
            paper.push_str(&row(&text, &digits(part.amount)));
        }
    }
    paper.push_str(&row("net", &digits(answer.net)));
    paper.push_str(&row("total", &digits(answer.total)));
    if answer.cash_rounding != Money::ZERO {
        paper.push_str(&row("rounded to coins", &digits(answer.cash_rounding)));
    }
    paper.push_str(&row("due", &answer.currency.show(answer.due)));
    if !answer.promotions.is_empty() {
        paper.push_str("\npromotions\n");
    }
    for given in &answer.promotions {
        let text = format!("  {} x {} ({})", given.times, given.id, given.name);
        paper.push_str(&row(&text, &digits(Money(-given.saving.0))));
    }
    paper.push_str("\nwhy\n");
    for sentence in &answer.say {
        paper.push_str(&format!("  {sentence}\n"));
    }
    paper
}

fn goods(line: &Line, digits: &impl Fn(Money) -> String) -> String {
    let unit = if line.unit.is_empty() {
        "x".to_owned()
    } else {
        format!("{} x", line.unit)
    };
    let text = format!(
        "{:>3}  {} {unit} {} at {}",
        line.line,
        line.quantity,
        line.name,
        digits(line.unit_price)
    );
    let mut paper = String::new();
    for (at, reason) in line.reasons.iter().enumerate() {
        let source = reason.source.as_deref().unwrap_or_default();
        if at == 0 {
            paper.push_str(&row(&text, &digits(reason.amount)));
        } else {
            let why = format!("       {} {source}", reason.reason.word().replace('_', " "));
            paper.push_str(&row(why.trim_end(), &digits(reason.amount)));
        }
    }
    if line.reasons.len() > 1 {
        paper.push_str(&row("", &format!("{} {}", digits(line.amount), line.tax_class)));
    }
    paper
}
