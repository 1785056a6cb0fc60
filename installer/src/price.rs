//! `backroom price`: prices a basket by a catalog file and says for each cent why. For support and for tests.
//!
//! Owns the command line, the files and the exit code. The forms of basket and answer are in `ask` and `answer`, the paper for people in
//! `paper`; where taxes come from stands in `taxes` alone. The rules are docs/pricing.md.

mod answer;
mod ask;
mod paper;
mod place;
mod taxes;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backroom_core::catalog::{Catalog, CatalogError, CatalogFile};
use backroom_core::price::{Engine, Goods, PriceError};
use backroom_core::ticket::{self, Refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::answer::Answer;
use self::ask::Basket;

/// The longest catalog that is read.
const LARGEST_CATALOG: u64 = 1 << 30;
/// The longest basket that is read.
const LARGEST_BASKET: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
pub struct Price {
    /// The catalog with its price books and promotions; "-" is standard input
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// What is bought, when, where and by whom; "-" is standard input
    #[arg(long, value_name = "FILE")]
    basket: PathBuf,
    /// Print one JSON object instead of a paper for people
    #[arg(long)]
    json: bool,
}

/// Why a basket has no price.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    /// The command, a file or its form.
    #[error("{0}")]
    Use(String),
    #[error(transparent)]
    Refused(Refused),
}

/// A rule said no.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("{refused}")]
struct Refused {
    refused: String,
    code: &'static str,
    /// On which line of the basket, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl Wrong {
    fn refused(why: impl ToString, code: &'static str, line: Option<u32>) -> Self {
        Wrong::Refused(Refused {
            refused: why.to_string(),
            code,
            line,
        })
    }
}

impl From<CatalogError> for Wrong {
    fn from(error: CatalogError) -> Self {
        Wrong::refused(&error, error.code(), None)
    }
}

fn on_line(line: u32) -> impl Fn(PriceError) -> Wrong {
    move |error| Wrong::refused(&error, error.code(), Some(line))
}

/// 0 priced, 2 wrong use, 3 refused by a rule.
pub fn run(args: Price) -> ExitCode {
    let priced = price_files(&args).and_then(|answer| {
        if args.json {
            serde_json::to_string(&answer).map_err(|error| Wrong::Use(error.to_string()))
        } else {
            Ok(paper::of(&answer))
        }
    });
    let (text, code) = match priced {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(Wrong::Use(why)) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
        Err(Wrong::Refused(refused)) => {
            if !args.json {
                eprintln!("{refused}");
            }
            (serde_json::to_string(&refused).unwrap_or_default(), ExitCode::from(3))
        }
    };
    match writeln!(io::stdout().lock(), "{}", text.trim_end()) {
        Ok(()) => code,
        // Whoever read our lines has seen enough.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => code,
        Err(fault) => {
            eprintln!("could not write the answer: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn price_files(args: &Price) -> Result<Answer, Wrong> {
    let from_input = |path: &Path| path.as_os_str() == "-";
    if from_input(&args.catalog) && from_input(&args.basket) {
        return Err(Wrong::Use("only one of catalog and basket can come from standard input".to_owned()));
    }
    let catalog: CatalogFile = read(&args.catalog, "the catalog", LARGEST_CATALOG)?;
    let basket: Basket = read(&args.basket, "the basket", LARGEST_BASKET)?;
    price(catalog, &basket)
}

fn read<T: DeserializeOwned>(path: &Path, what: &str, largest: u64) -> Result<T, Wrong> {
    let name = if path.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let unreadable = |error: io::Error| Wrong::Use(format!("could not read {what} from {name}: {error}"));
    let mut text = Vec::new();
    let mut source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(unreadable)?)
    };
    source.by_ref().take(largest + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > largest {
        return Err(Wrong::Use(format!("{what} in {name} has more than {largest} bytes")));
    }
    parse(&text, &name).map_err(Wrong::Use)
}

/// Names file, line and field of a mistake.
fn parse<T: DeserializeOwned>(text: &[u8], name: &str) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        let said = error.to_string();
        let (line, column) = (error.line(), error.column());
        let bare = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
        match place::field_at(text, line, column) {
            field if field.is_empty() => format!("{name}: line {line}: {bare}"),
            field => format!("{name}: line {line}, field {field}: {bare}"),
        }
    })
}

/// Prices a basket by the rules of the house.
fn price(file: CatalogFile, basket: &Basket) -> Result<Answer, Wrong> {
    price_with(&Catalog::new(file)?, basket)
}

/// A catalog that is ready to price many baskets: what the command does, without files.
#[derive(Debug)]
pub struct PriceDesk(Catalog);

impl PriceDesk {
    pub fn new(catalog: Value) -> Result<Self, String> {
        let file: CatalogFile = serde_json::from_value(catalog).map_err(|error| error.to_string())?;
        Catalog::new(file).map(Self).map_err(|error| error.to_string())
    }

    pub fn price(&self, basket: Value) -> Result<Value, String> {
        let basket: Basket = serde_json::from_value(basket).map_err(|error| error.to_string())?;
        let answer = price_with(&self.0, &basket).map_err(|wrong| wrong.to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    }
}

fn price_with(catalog: &Catalog, basket: &Basket) -> Result<Answer, Wrong> {
    let circumstances = basket.circumstances()?;
    let mut all = Vec::with_capacity(basket.lines.len());
    for (line, asked) in (1..).zip(&basket.lines) {
        let item = match (&asked.code, &asked.sku) {
            (Some(code), None) => ticket::find(catalog, code).map_err(|error: Refusal| Wrong::refused(&error, error.code(), Some(line)))?,
            (None, Some(sku)) => {
                let unknown = || on_line(line)(PriceError::UnknownItem { sku: sku.clone() });
                catalog.by_sku(sku).ok_or_else(unknown)?
            }
            _ => return Err(Wrong::Use(format!("the basket's line {line} needs a code or a sku, and not both"))),
        };
        all.push(asked.goods(line, item));
    }
    let engine = Engine::rebuild(catalog, circumstances.clone(), all.iter().cloned(), basket.discount).map_err(|error| {
        // What is refused on a line is refused there without the others too.
        let empty = Engine::new(circumstances);
        let alone = |goods: &&Goods| empty.plan_put(catalog, Goods::clone(goods)).is_err();
        Wrong::refused(&error, error.code(), all.iter().find(alone).map(|goods| goods.line))
    })?;
    Answer::of(catalog, &engine, basket)
}

/// Takes any bytes, a catalog and a basket with a zero byte between them, without panicking.
pub fn fuzz_one(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (Some(catalog), Some(basket)) = (parts.next(), parts.next()) else {
        return;
    };
    if let (Ok(catalog), Ok(basket)) = (parse(catalog, "catalog"), parse(basket, "basket"))
        && let Ok(answer) = price(catalog, &basket)
    {
        let _ = paper::of(&answer);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CATALOG: &str = r#"{"version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}], "units": [{"code": "kg", "name": "kilogram"}],
        "items": [{"sku": "CAP", "name": "Cap", "codes": ["4006381333931"], "tax_class": "A", "price": 1490, "category": "clothing/hats"},
            {"sku": "APPLE", "name": "Apples", "tax_class": "A", "price": 299, "sold_by": "measure", "unit": "kg"}],
        "price_books": [{"id": "b", "priority": 1, "prices": [{"sku": "CAP", "price": 1400, "min_quantity": 2000}]}],
        "promotions": [{"id": "p", "name": "P", "priority": 1, "kind": "mix_match", "on": {"all": true}, "quantity": 3000, "price": 4000},
            {"id": "q", "name": "Q", "priority": 1, "kind": "basket", "percent": "10", "combine": "stacks"}]}"#;
    const BASKET: &str = r#"{"at": "2026-11-21T10:00:00Z", "zone": "Europe/Berlin", "cash_step": 5, "coupons": ["X"],
        "lines": [{"code": "4006381333931", "quantity": 4000}, {"sku": "APPLE", "quantity": 1255, "discount": {"percent": "10"}},
            {"sku": "CAP", "price": 1000, "reason": "torn"}, {"sku": "CAP", "quantity": -1000}], "discount": {"amount": 100}}"#;

    #[test]
    fn the_example_is_priced() {
        let answer = price(parse(CATALOG.as_bytes(), "c").unwrap(), &parse(BASKET.as_bytes(), "b").unwrap()).unwrap();
        assert_eq!(answer.lines.len(), 4);
    }

    proptest! {
        #[test]
        fn any_bytes_are_priced_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_one(&bytes);
        }

        #[test]
        fn a_spoiled_file_is_priced_or_refused(at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = [CATALOG.as_bytes(), &[0], BASKET.as_bytes()].concat();
            let at = at.index(bytes.len());
            bytes[at] = with;
            fuzz_one(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            fuzz_one(&bytes);
        }

        #[test]
        fn other_numbers_are_priced_or_refused(numbers in prop::collection::vec(any::<i64>(), 8)) {
            let spoil = |text: &str, digits: [&str; 3], numbers: &[i64]| {
                let each = digits.iter().zip(numbers);
                each.fold(text.to_owned(), |text, (digits, number)| text.replacen(digits, &number.to_string(), 1))
            };
            let catalog = spoil(CATALOG, ["1490", "2000", "4000"], &numbers);
            let basket = spoil(BASKET, ["1255", "1000", "100"], &numbers[3..]);
            fuzz_one(&[catalog.as_bytes(), &[0], basket.as_bytes()].concat());
        }
    }
}
