//! The counter: whatever is scanned, keyed and paid, a ticket adds up or says by name why not.

use std::sync::{Arc, LazyLock};

use backroom_core::barcode::StoreMadeRules;
use backroom_core::catalog::{Catalog, CatalogFile};
use backroom_core::ids::{CommandId, ShiftId, TicketId};
use backroom_core::money::{Currency, Money, Quantity, Rounding};
use backroom_core::tax::{self, PriceMode};
use backroom_core::ticket::{Counter, Event, Mode, Open, Opening, Policy, Put, Refusal};
use backroom_core::time::{Calendar, Instant};
use serde_json::{Value, json};

/// A shop with something of everything.
struct Shop {
    catalog: Catalog,
    taxes: Arc<tax::Rules>,
    rules: StoreMadeRules,
    calendar: Calendar,
    policy: Policy,
    opening: Opening,
}

fn file() -> Value {
    json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}, {"code": "B", "name": "food", "rate": "0.07"}],
        "items": [
            {"sku": "TEE-M", "name": "T-shirt M", "codes": ["4006381333931"], "tax_class": "A", "price": 1990},
            {"sku": "APPLE", "name": "Apples", "tax_class": "B", "price": 249, "sold_by": "measure"},
            {"sku": "YACHT", "name": "Yacht", "tax_class": "A", "price": 1_000_000_000_000_i64},
            {"sku": "CHEESE", "name": "Cheese", "codes": ["2200010000009"], "tax_class": "B", "price": 1990},
            {"sku": "HAM", "name": "Ham", "codes": ["2300010000006"], "tax_class": "B", "price": 2990, "sold_by": "measure"},
            {"sku": "FLOWERS", "name": "Flowers", "tax_class": "B", "price": 0, "open_price": true},
            {"sku": "COAT", "name": "Coat", "codes": ["4006381333948"], "tax_class": "A", "price": 9900, "track": "epc"}
        ],
        "promotions": [{"id": "three-for-two", "name": "Three for two", "priority": 1, "kind": "mix_match", "on": {"skus": ["TEE-M"]}, "quantity": 3000, "price": 3980}]
    })
}

fn build() -> Result<Shop, String> {
    let wrong = |why: &dyn std::fmt::Display| why.to_string();
    let file: CatalogFile = serde_json::from_value(file()).map_err(|why| wrong(&why))?;
    let catalog = Catalog::new(file).map_err(|why| wrong(&why))?;
    let made = ["22 PPPPPPCVVVVV price 2", "23 PPPPPPXVVVVV weight 3"].map(str::parse);
    Ok(Shop {
        taxes: catalog.taxes().clone(),
        rules: StoreMadeRules::new(made.into_iter().flatten().collect()),
        calendar: Calendar::new("Europe/Berlin", "02:00").map_err(|why| wrong(&why))?,
        policy: Policy::default(),
        opening: Opening {
            ticket: TicketId(uuid::Uuid::from_u128(7)),
            register: "r1".parse().map_err(|why| wrong(&why))?,
            till: "t1".parse().map_err(|why| wrong(&why))?,
            shift: ShiftId(uuid::Uuid::from_u128(8)),
            opened_at: at(),
            currency: catalog.currency(),
            prices: PriceMode::Inclusive,
            cash_step: 1,
            cash_rounding: Rounding::default(),
            mode: Mode::Selling,
            pinned: None,
            session: 0,
        },
        catalog,
    })
}

static SHOP: LazyLock<Shop> = LazyLock::new(|| match build() {
    Ok(shop) => shop,
    Err(why) => panic!("the shop of this test can not be opened: {why}"),
});

impl Shop {
    fn counter(&self) -> Counter<'_> {
        Counter {
            catalog: &self.catalog,
            taxes: &self.taxes,
            rules: &self.rules,
            calendar: &self.calendar,
            store: None,
            policy: &self.policy,
        }
    }

    fn open(&self) -> Open {
        Open::new(self.opening.clone())
    }

    fn put(&self, ticket: &mut Open, put: &Put<'_>) -> Result<(), Refusal> {
        let number = ticket.lines().len() as u128 + 1;
        let decided = ticket.put(&self.counter(), put, command(number), at())?;
        ticket.accept(decided);
        Ok(())
    }
}

fn at() -> Instant {
    Instant::from_micros(1_795_000_000_000_000).unwrap_or(Instant::EPOCH)
}

fn command(number: u128) -> CommandId {
    CommandId(uuid::Uuid::from_u128(number))
}

/// Lines of text: a code, thousandths, a keyed price and what is given, as minor units or in digits.
pub fn fuzz_one(bytes: &[u8]) {
    let shop = &*SHOP;
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let code = lines.next().unwrap_or_default();
    let euro: Currency = shop.catalog.currency();
    let quantity = lines.next().and_then(|line| line.parse().ok()).map_or(Quantity::ONE, Quantity);
    let mut amount = || {
        let line = lines.next()?;
        line.parse().map(Money).ok().or_else(|| euro.parse_amount(line).ok())
    };
    let (price, given) = (amount(), amount());
    let mut ticket = shop.open();
    let wish = Put {
        price,
        ..Put::scan(code, quantity)
    };
    // Twice, so that promotions have something to meet.
    for _ in 0..2 {
        if let Err(refusal) = shop.put(&mut ticket, &wish) {
            says_something(&refusal);
        }
    }
    if let Some(given) = given {
        match ticket.tender(given, command(90), at()) {
            Ok(tender) => ticket.apply(Event::TenderTaken(tender)),
            Err(refusal) => says_something(&refusal),
        }
    }
    match ticket.settle(&shop.counter()) {
        Ok(closed) => {
            assert_eq!(closed.net.0 + closed.tax.0 + closed.cash_rounding.0, closed.due.0);
            let given: i64 = closed.tenders.iter().map(|tender| tender.amount.0).sum();
            assert_eq!(given - closed.change.0, closed.due.0);
        }
        Err(refusal) => says_something(&refusal),
    }
}

fn says_something(refusal: &Refusal) {
    let sentence = refusal.to_string();
    assert!(
        !refusal.code().is_empty() && sentence.len() > 10 && sentence.len() < 1_000,
        "{refusal:?}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the person hears, with its code.
    fn refused(wish: &Put<'_>) -> (&'static str, String) {
        let refusal = SHOP.put(&mut SHOP.open(), wish).unwrap_err();
        (refusal.code(), refusal.to_string())
    }

    fn keyed(price: i64) -> Put<'static> {
        Put {
            price: Some(Money(price)),
            ..Put::scan("FLOWERS", Quantity::ONE)
        }
    }

    #[test]
    fn absurd_input_at_the_counter_is_refused_by_a_code_and_a_sentence_that_says_what_to_do() {
        let scan = |code, milli| Put::scan(code, Quantity(milli));
        for (wish, code, sentence) in [
            (
                scan("TEE-M", 0),
                "quantity",
                "quantity 0 can not be sold; use more than 0 and at most 10000",
            ),
            (
                scan("TEE-M", -1000),
                "quantity",
                "quantity -1 can not be sold; use more than 0 and at most 10000",
            ),
            (
                scan("TEE-M", 10_001_000),
                "quantity",
                "quantity 10001 can not be sold; use more than 0 and at most 10000",
            ),
            (
                scan("TEE-M", i64::MIN),
                "quantity",
                "quantity -9223372036854775.808 can not be sold; use more than 0 and at most 10000",
            ),
            (
                scan("TEE-M", i64::MAX),
                "quantity",
                "quantity 9223372036854775.807 can not be sold; use more than 0 and at most 10000",
            ),
            (
                scan("TEE-M", 1500),
                "quantity",
                "T-shirt M is sold by the piece; 1.5 of it is no number of pieces, key in a whole number",
            ),
            (
                scan("YACHT", 10_000_000),
                "money",
                "the amount is beyond what a shop can sell; check quantity and price",
            ),
            (
                keyed(-500),
                "price_limit",
                "a price of -5.00 EUR can not be keyed in; use 0.01 EUR to 500.00 EUR",
            ),
            (
                keyed(i64::MIN),
                "price_limit",
                "a price of -92233720368547758.08 EUR can not be keyed in; use 0.01 EUR to 500.00 EUR",
            ),
            (
                keyed(0),
                "price_limit",
                "a price of 0.00 EUR can not be keyed in; use 0.01 EUR to 500.00 EUR",
            ),
            (
                keyed(i64::MAX),
                "price_limit",
                "a price of 92233720368547758.07 EUR can not be keyed in; use 0.01 EUR to 500.00 EUR",
            ),
            (
                scan("(01)04006381333931(3923)001234", 1000),
                "unreadable_code",
                "the price or weight on the label can not be told in EUR and grams; key in the item and its price",
            ),
            (
                scan("4006381333932", 1000),
                "unreadable_code",
                "the check digit is 2 and should be 1; scan again or key in the digits",
            ),
            (
                scan("4111111111111111", 1000),
                "unreadable_code",
                "this is a payment card; use the card terminal",
            ),
            (
                scan("NO-SUCH-THING", 1000),
                "unknown_code",
                "nothing carries the code \"NO-SUCH-THING\"; check the label, search for the item by name, or sell it by department",
            ),
        ] {
            assert_eq!(refused(&wish), (code, sentence.to_owned()), "{wish:?}");
        }
    }

    #[test]
    fn amounts_that_overflow_are_refused_and_the_ticket_stays_as_it_was() {
        let shop = &*SHOP;
        let mut ticket = shop.open();
        shop.put(&mut ticket, &Put::scan("YACHT", Quantity::ONE)).unwrap();
        let refusal = shop.put(&mut ticket, &Put::scan("YACHT", Quantity(9_000_000))).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the amount is beyond what a shop can sell; check quantity and price"
        );
        assert_eq!((ticket.lines().len(), ticket.total()), (1, Ok(Money(1_000_000_000_000))));
        for given in [i64::MIN, -1, 0, 1_000_000_000_001, i64::MAX] {
            let refusal = ticket.tender(Money(given), command(5), at()).unwrap_err();
            assert_eq!(refusal.code(), "amount", "{given}: {refusal}");
            assert!(refusal.to_string().contains("; "), "{refusal}");
        }
        assert_eq!(ticket.settle(&shop.counter()).unwrap_err().code(), "not_enough");
    }

    #[test]
    fn ten_thousand_lines_stop_at_two_thousand_and_those_can_be_paid() {
        let shop = &*SHOP;
        let mut ticket = shop.open();
        let mut refused = 0;
        // Only each fortieth is scanned after the limit: each is refused in the same way.
        for number in 0..10_000 {
            if number > 2_000 && number % 40 != 0 {
                continue;
            }
            if let Err(refusal) = shop.put(&mut ticket, &Put::scan("APPLE", Quantity::ONE)) {
                assert_eq!(
                    (refusal.code(), refusal.to_string().as_str()),
                    ("too_many_lines", "the ticket has 2000 lines; settle it and open another")
                );
                refused += 1;
            }
        }
        assert_eq!((ticket.lines().len(), refused), (2_000, 200));
        let tender = ticket.tender(Money(498_000), command(9_000), at()).unwrap();
        ticket.apply(Event::TenderTaken(tender));
        assert_eq!(ticket.settle(&shop.counter()).unwrap().due, Money(498_000));
    }

    #[test]
    fn a_catalog_with_absurd_figures_is_refused_by_the_name_of_the_item() {
        let spoilt = |item: usize, field: &str, value: Value| {
            let mut file = file();
            file["items"][item][field] = value;
            let file: CatalogFile = serde_json::from_value(file).map_err(|error| error.to_string())?;
            Catalog::new(file).map(|_| ()).map_err(|error| format!("{}: {error}", error.code()))
        };
        for (value, sentence) in [
            (
                json!(-1),
                "price: item TEE-M has price -1; a price is between 0 and 1000000000000 minor units",
            ),
            (
                json!(1_000_000_000_001_i64),
                "price: item TEE-M has price 1000000000001; a price is between 0 and 1000000000000 minor units",
            ),
        ] {
            assert_eq!(spoilt(0, "price", value), Err(sentence.to_owned()));
        }
        // Beyond what a machine can count, a fraction and a word are refused where the file is read.
        for value in [json!(1e300), json!(19.9), json!("19.90"), json!(9_223_372_036_854_775_808_u64)] {
            assert!(spoilt(0, "price", value.clone()).is_err(), "{value}");
        }
        let mut file = file();
        for (currency, known) in [
            ("EUR", true),
            ("XXX", false),
            ("eur", false),
            ("EURO", false),
            ("", false),
            ("€", false),
        ] {
            file["currency"] = json!(currency);
            let read = serde_json::from_value::<CatalogFile>(file.clone()).map_err(|error| error.to_string());
            match read {
                Ok(_) => assert!(known, "{currency}"),
                Err(why) => assert_eq!(why, format!("{currency:?} is not a currency; use three letters such as EUR")),
            }
        }
    }
}
