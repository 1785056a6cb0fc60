//! Every parser of what comes from outside, in one list, and the bytes that try to fell it.
//!
//! Owns the list and the feeding. What each `fuzz_one` checks (no panic, and that what was read writes and reads back the same) is its own
//! room's matter; `forms` holds those whose JSON is read by serde alone. A parser whose crate is a program and no library is fed by a test
//! of its own beside it, and is named in `FED_AT_HOME`.

mod counter;
mod examples;
mod forms;
mod spoil;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::spoil::Spoiler;
use crate::chance::Chance;

/// One parser.
#[derive(Clone, Copy)]
pub struct Parser {
    /// The file its `fuzz_one` stands in, from the root of the repository.
    pub file: &'static str,
    pub fuzz_one: fn(&[u8]),
    /// Bytes it reads without a refusal, to be spoilt.
    pub examples: fn() -> Vec<Vec<u8>>,
    /// How often it is fed; fewer where one bite is a meal.
    pub bites: u64,
}

const fn parser(file: &'static str, fuzz_one: fn(&[u8]), examples: fn() -> Vec<Vec<u8>>) -> Parser {
    Parser {
        file,
        fuzz_one,
        examples,
        bites: 20_000,
    }
}

const fn slow(file: &'static str, fuzz_one: fn(&[u8]), examples: fn() -> Vec<Vec<u8>>, bites: u64) -> Parser {
    Parser {
        file,
        fuzz_one,
        examples,
        bites,
    }
}

/// All parsers that can be reached from here.
pub const PARSERS: &[Parser] = &[
    parser("devices/llrp/src/lib.rs", backroom_llrp::fuzz_one, examples::llrp),
    slow("devices/src/escpos.rs", backroom_devices::escpos::fuzz_one, examples::escpos, 5_000),
    parser("devices/src/zvt.rs", backroom_devices::zvt::fuzz_one, examples::zvt),
    slow("installer/src/decode.rs", installer::decode::fuzz_one, examples::decode, 10_000),
    slow("installer/src/price.rs", installer::price::fuzz_one, examples::price, 5_000),
    parser(
        "installer/src/till/amount.rs",
        installer::till::amount::fuzz_one,
        examples::till_words,
    ),
    parser(
        "installer/src/till/prompt.rs",
        installer::till::prompt::fuzz_one,
        examples::till_words,
    ),
    parser(
        "protocol/core/src/accounts.rs",
        backroom_core::accounts::fuzz_one,
        examples::accounts,
    ),
    parser(
        "protocol/core/src/accounts/card_number.rs",
        backroom_core::accounts::card_number::fuzz_one,
        examples::accounts,
    ),
    parser("protocol/core/src/barcode.rs", backroom_core::barcode::fuzz_one, examples::barcodes),
    parser("protocol/core/src/catalog.rs", backroom_core::catalog::fuzz_one, examples::words),
    parser(
        "protocol/core/src/customers.rs",
        backroom_core::customers::fuzz_one,
        examples::words,
    ),
    parser("protocol/core/src/epc.rs", backroom_core::epc::fuzz_one, examples::tags),
    parser("protocol/core/src/facts.rs", backroom_core::facts::fuzz_one, examples::words),
    parser("protocol/core/src/ids.rs", backroom_core::ids::fuzz_one, examples::ids),
    parser("protocol/core/src/journal.rs", backroom_core::journal::fuzz_one, examples::journal),
    parser("protocol/core/src/money.rs", backroom_core::money::fuzz_one, examples::numbers),
    parser("protocol/core/src/price.rs", backroom_core::price::fuzz_one, examples::numbers),
    parser(
        "protocol/core/src/receipt/invoice.rs",
        backroom_core::receipt::fuzz_one,
        examples::ids,
    ),
    parser("protocol/core/src/stock.rs", backroom_core::stock::fuzz_one, examples::tags),
    parser("protocol/core/src/tax.rs", backroom_core::tax::fuzz_one, examples::numbers),
    parser(
        "protocol/core/src/till/foreign.rs",
        backroom_core::till::fuzz_one,
        examples::numbers,
    ),
    parser("protocol/core/src/time.rs", backroom_core::time::fuzz_one, examples::times),
    parser(
        "protocol/src/messages.rs",
        backroom_protocol::messages::fuzz_one,
        examples::messages,
    ),
    slow(
        "protocol/src/payload.rs",
        backroom_protocol::payload::fuzz_one,
        examples::payloads,
        4_000,
    ),
    slow("protocol/src/proof.rs", backroom_protocol::proof::fuzz_one, examples::proofs, 5_000),
    parser(
        "protocol/src/subjects.rs",
        backroom_protocol::subjects::fuzz_one,
        examples::subjects,
    ),
    slow("tests/src/parsers/forms.rs", forms::fuzz_one, examples::forms, 8_000),
    slow("tests/src/parsers/counter.rs", counter::fuzz_one, examples::counter, 5_000),
];

/// Parsers that are fed by a test in their own file, and why not from here.
pub const FED_AT_HOME: &[(&str, &str)] = &[
    (
        "protocol/core/src/stock/words.rs",
        "private to the stock, whose own fuzz_one is this one",
    ),
    ("store-server/src/config.rs", "the box is a program and no library"),
    ("store-server/src/devices.rs", "the box is a program and no library"),
    ("store-server/src/grpc/parse.rs", "the box is a program and no library"),
    ("hq-aggregator/src/config.rs", "head office is met only through its ports here"),
    ("hq-aggregator/src/db/postgres.rs", "head office is met only through its ports here"),
    (
        "hq-aggregator/src/shopify/client.rs",
        "head office is met only through its ports here",
    ),
    (
        "hq-aggregator/src/shopify/webhook.rs",
        "head office is met only through its ports here",
    ),
];

/// Feeds a parser and says with which bytes it fell.
pub fn feed(parser: &Parser, seed: u64) -> Result<(), String> {
    let examples = (parser.examples)();
    let mut spoiler = Spoiler::new(Chance::seeded(seed), &examples);
    for bite in 0..parser.bites {
        // The whole examples first: a list of examples that are refused would try nothing.
        let bytes = match examples.get(usize::try_from(bite).unwrap_or(usize::MAX)) {
            Some(whole) => whole.clone(),
            None => spoiler.next(),
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (parser.fuzz_one)(&bytes))) {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
            return Err(format!(
                "{} fell at bite {bite} of seed {seed}: {said}\n  hex {}\n  text {:?}",
                parser.file,
                data_encoding::HEXLOWER.encode(&bytes),
                String::from_utf8_lossy(&bytes)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn no_bytes_fell_a_parser() {
        let fallen: Vec<String> = PARSERS.iter().filter_map(|parser| feed(parser, 0x0bad_1177).err()).collect();
        assert!(fallen.is_empty(), "{}", fallen.join("\n"));
    }

    #[test]
    fn a_parser_that_falls_is_named_with_the_bytes_that_felled_it() {
        // Falls when a quantity is beyond its number, as a careless one would.
        fn careless(bytes: &[u8]) {
            let text = String::from_utf8_lossy(bytes);
            if text.starts_with("MUG ") && text.contains("9223372036854775808") {
                panic!("quantity too large");
            }
        }
        let fallen = feed(&parser("mug.rs", careless, || vec![b"MUG 17 blue".to_vec()]), 1).unwrap_err();
        assert!(
            fallen.starts_with("mug.rs fell at bite ") && fallen.contains("quantity too large") && fallen.contains("\"MUG "),
            "{fallen}"
        );
    }

    #[test]
    fn every_parser_has_examples() {
        for parser in PARSERS {
            assert!(!(parser.examples)().is_empty(), "{}", parser.file);
        }
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "node_modules"].contains(&name.as_str()) && !name.starts_with('.') {
                sources(&path, found);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_parser_is_forgotten_and_none_is_named_that_is_gone() {
        let mut files = Vec::new();
        for room in [
            "actors",
            "devices",
            "hq-aggregator",
            "installer",
            "protocol",
            "store-server",
            "tests",
        ] {
            sources(&root().join(room), &mut files);
        }
        assert!(files.len() > 300, "only {} sources were found", files.len());
        let has_one = |path: &PathBuf| {
            let source = fs::read_to_string(path).unwrap();
            source.lines().any(|line| line.contains("fn fuzz_one(") && !line.contains('"'))
        };
        let name = |path: PathBuf| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let there: BTreeSet<String> = files.into_iter().filter(has_one).map(name).collect();
        let listed = PARSERS
            .iter()
            .map(|parser| parser.file)
            .chain(FED_AT_HOME.iter().map(|(file, _)| *file));
        assert_eq!(there, listed.map(str::to_owned).collect());
    }

    #[test]
    fn who_is_fed_at_home_has_a_test_that_feeds() {
        for (file, _) in FED_AT_HOME {
            let source = fs::read_to_string(root().join(file)).unwrap();
            let tests = source.rsplit("#[cfg(test)]").next().unwrap_or_default();
            assert!(tests.contains("proptest!") && tests.contains("fuzz_one(&"), "{file}");
        }
    }
}
