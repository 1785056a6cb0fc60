//! Counting a till: which coins and notes a currency has, and a count whose total is its pieces times their values.
//!
//! Knows nothing of what should be in the till: whoever counts, counts blind.

use serde::{Deserialize, Serialize};

use crate::facts::TenderKind;
use crate::money::{Currency, LARGEST_AMOUNT, Money};

/// More kinds of coins and notes than any currency has.
const MOST_KINDS: usize = 40;

/// What is wrong with a count or a list of coins and notes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    #[error("there is no coin or note of {value} in {}; count it under the right one", .currency.code())]
    UnknownPiece { currency: Currency, value: String },
    #[error("{value} {} stands in the count twice; add the pieces together", .currency.code())]
    Twice { currency: Currency, value: String },
    #[error("the pieces come to {counted}, not to {stated}; count again or correct the total")]
    Total { counted: String, stated: String },
    #[error("{} stands in the count twice; give each currency once", .currency.code())]
    CurrencyTwice { currency: Currency },
    #[error("a tender stands in the count twice; add its amounts together")]
    TenderTwice,
    #[error("a count is between nothing and {LARGEST_AMOUNT} minor units; check what was keyed")]
    TooLarge,
    #[error("a count holds at most {MOST_KINDS} kinds of coins and notes; add the pieces of each kind together")]
    TooManyKinds,
    #[error("a list of coins and notes holds 1 to {MOST_KINDS} rising values above nothing; correct the list")]
    List,
}

impl CountError {
    pub fn code(&self) -> &'static str {
        match self {
            CountError::UnknownPiece { .. } => "unknown_piece",
            CountError::Twice { .. } => "piece_twice",
            CountError::Total { .. } => "count_total",
            CountError::CurrencyTwice { .. } => "currency_twice",
            CountError::TenderTwice => "tender_twice",
            CountError::TooLarge => "count_too_large",
            CountError::List | CountError::TooManyKinds => "denominations",
        }
    }
}

/// The coins and notes of one currency, in minor units, rising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denominations {
    currency: Currency,
    values: Vec<Money>,
}

impl Denominations {
    /// The shop's own list, for a currency we have none for or to leave out what nobody takes any more.
    pub fn new(currency: Currency, values: Vec<Money>) -> Result<Self, CountError> {
        let rising = values.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = values.first().is_some_and(|least| least.0 > 0) && values.last().is_some_and(|most| most.0 <= LARGEST_AMOUNT);
        if !rising || !fits || values.len() > MOST_KINDS {
            return Err(CountError::List);
        }
        Ok(Self { currency, values })
    }

    /// What is in people's purses today. `None` for a currency without a list here; give the shop's own.
    pub fn standard(currency: Currency) -> Option<Self> {
        let (_, values) = STANDARD.iter().find(|(code, _)| *code == currency.code())?;
        let values = values.iter().copied().map(Money).collect();
        Some(Self { currency, values })
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn values(&self) -> &[Money] {
        &self.values
    }
}

/// Coins and notes in circulation, in minor units of ISO 4217 (forints and crowns have two decimals there, yen none, dinars three).
const STANDARD: &[(&str, &[i64])] = &[
    (
        "EUR",
        &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
    ),
    ("USD", &[1, 5, 10, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]),
    ("GBP", &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]),
    ("CHF", &[5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 100_000]),
    ("CAD", &[5, 10, 25, 100, 200, 500, 1000, 2000, 5000, 10_000]),
    ("AUD", &[5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]),
    ("NZD", &[10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]),
    (
        "PLN",
        &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
    ),
    (
        "CZK",
        &[100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000],
    ),
    (
        "HUF",
        &[
            500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
        ],
    ),
    ("DKK", &[50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]),
    ("NOK", &[100, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]),
    ("SEK", &[100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]),
    ("INR", &[100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]),
    ("JPY", &[1, 5, 10, 50, 100, 500, 1000, 2000, 5000, 10_000]),
    ("KRW", &[10, 50, 100, 500, 1000, 5000, 10_000, 50_000]),
    ("CLP", &[10, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000]),
    ("ISK", &[1, 5, 10, 50, 100, 500, 1000, 2000, 5000, 10_000]),
    ("KWD", &[5, 10, 20, 50, 100, 250, 500, 1000, 5000, 10_000, 20_000]),
    ("BHD", &[5, 10, 25, 50, 100, 500, 1000, 5000, 10_000, 20_000]),
    ("OMR", &[5, 10, 25, 50, 100, 500, 1000, 5000, 10_000, 20_000, 50_000]),
    ("TND", &[5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]),
];

/// So many coins or notes of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    pub value: Money,
    pub pieces: u64,
}

/// What was found of one currency. Exists only if the total is what the pieces come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlainCount", into = "PlainCount")]
pub struct Count {
    currency: Currency,
    pieces: Vec<Pieces>,
    total: Money,
}

#[derive(Serialize, Deserialize)]
struct PlainCount {
    currency: Currency,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pieces: Vec<Pieces>,
    total: Money,
}

impl TryFrom<PlainCount> for Count {
    type Error = CountError;
    fn try_from(plain: PlainCount) -> Result<Self, CountError> {
        Count::read(plain.currency, plain.pieces, plain.total)
    }
}

impl From<Count> for PlainCount {
    fn from(count: Count) -> Self {
        PlainCount {
            currency: count.currency,
            pieces: count.pieces,
            total: count.total,
        }
    }
}

impl Count {
    /// Only a total, where a shop does not count by coins and notes.
    pub fn keyed(currency: Currency, total: Money) -> Result<Self, CountError> {
        if !(0..=LARGEST_AMOUNT).contains(&total.0) {
            return Err(CountError::TooLarge);
        }
        Ok(Self {
            currency,
            pieces: Vec::new(),
            total,
        })
    }

    /// Piece by piece. A total the person keyed beside it must be what the pieces come to.
    pub fn of_pieces(list: &Denominations, pieces: Vec<Pieces>, stated: Option<Money>) -> Result<Self, CountError> {
        let currency = list.currency;
        if let Some(strange) = pieces.iter().find(|counted| !list.values.contains(&counted.value)) {
            let value = currency.digits(strange.value);
            return Err(CountError::UnknownPiece { currency, value });
        }
        let total = total_of(currency, &pieces)?;
        if let Some(stated) = stated.filter(|stated| *stated != total) {
            let (counted, stated) = (currency.show(total), currency.show(stated));
            return Err(CountError::Total { counted, stated });
        }
        Ok(Self { currency, pieces, total })
    }

    /// A count as it was written down, perhaps with notes that are no longer on any list.
    pub fn read(currency: Currency, pieces: Vec<Pieces>, total: Money) -> Result<Self, CountError> {
        if pieces.is_empty() {
            return Self::keyed(currency, total);
        }
        let counted = total_of(currency, &pieces)?;
        if counted != total {
            let (counted, stated) = (currency.show(counted), currency.show(total));
            return Err(CountError::Total { counted, stated });
        }
        Ok(Self { currency, pieces, total })
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn pieces(&self) -> &[Pieces] {
        &self.pieces
    }

    pub fn total(&self) -> Money {
        self.total
    }
}

fn total_of(currency: Currency, pieces: &[Pieces]) -> Result<Money, CountError> {
    if pieces.len() > MOST_KINDS {
        return Err(CountError::TooManyKinds);
    }
    let mut total = 0i64;
    for (place, counted) in pieces.iter().enumerate() {
        if pieces[..place].iter().any(|before| before.value == counted.value) {
            let value = currency.digits(counted.value);
            return Err(CountError::Twice { currency, value });
        }
        if counted.value <= Money::ZERO {
            let value = currency.digits(counted.value);
            return Err(CountError::UnknownPiece { currency, value });
        }
        let worth = i64::try_from(counted.pieces)
            .ok()
            .and_then(|pieces| pieces.checked_mul(counted.value.0));
        let sum = worth.and_then(|worth| total.checked_add(worth));
        total = sum.filter(|sum| (0..=LARGEST_AMOUNT).contains(sum)).ok_or(CountError::TooLarge)?;
    }
    Ok(Money(total))
}

/// What the person found of another tender than cash: vouchers in the drawer, slips of cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderDeclared {
    pub tender: TenderKind,
    pub amount: Money,
}

/// Everything one person counted in one till: each currency once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlainTally", into = "PlainTally")]
pub struct Tally {
    counts: Vec<Count>,
    tenders: Vec<TenderDeclared>,
}

#[derive(Serialize, Deserialize)]
struct PlainTally {
    counts: Vec<Count>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tenders: Vec<TenderDeclared>,
}

impl TryFrom<PlainTally> for Tally {
    type Error = CountError;
    fn try_from(plain: PlainTally) -> Result<Self, CountError> {
        Tally::new(plain.counts, plain.tenders)
    }
}

impl From<Tally> for PlainTally {
    fn from(tally: Tally) -> Self {
        PlainTally {
            counts: tally.counts,
            tenders: tally.tenders,
        }
    }
}

impl Tally {
    pub fn new(counts: Vec<Count>, tenders: Vec<TenderDeclared>) -> Result<Self, CountError> {
        for (place, count) in counts.iter().enumerate() {
            if counts[..place].iter().any(|before| before.currency == count.currency) {
                return Err(CountError::CurrencyTwice { currency: count.currency });
            }
        }
        for (place, declared) in tenders.iter().enumerate() {
            if tenders[..place].iter().any(|before| before.tender == declared.tender) {
                return Err(CountError::TenderTwice);
            }
        }
        if tenders.iter().any(|declared| !(0..=LARGEST_AMOUNT).contains(&declared.amount.0)) {
            return Err(CountError::TooLarge);
        }
        Ok(Self { counts, tenders })
    }

    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    pub fn tenders(&self) -> &[TenderDeclared] {
        &self.tenders
    }

    /// What was found of a currency; nothing, where nobody found any.
    pub fn total(&self, currency: Currency) -> Money {
        let found = self.counts.iter().find(|count| count.currency == currency);
        found.map_or(Money::ZERO, Count::total)
    }

    /// What was found of a tender, where somebody looked.
    pub fn declared(&self, tender: TenderKind) -> Option<Money> {
        let found = self.tenders.iter().find(|declared| declared.tender == tender);
        found.map(|declared| declared.amount)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn every_list_rises_and_its_smallest_piece_fits_the_decimals_of_its_currency() {
        for (code, values) in STANDARD {
            let list = Denominations::standard(currency(code)).unwrap();
            assert_eq!(Denominations::new(list.currency(), list.values().to_vec()), Ok(list), "{code}");
            assert!(values.len() >= 8, "{code}");
        }
        assert_eq!(Denominations::standard(currency("VES")), None);
    }

    #[test]
    fn yen_and_dinars_are_counted_in_their_own_coins() {
        for (code, value, pieces, total, shown) in [
            ("JPY", 500, 3, 1500, "1500 JPY"),
            ("KWD", 250, 5, 1250, "1.250 KWD"),
            ("EUR", 2000, 2, 4000, "40.00 EUR"),
        ] {
            let list = Denominations::standard(currency(code)).unwrap();
            let counted = vec![Pieces {
                value: Money(value),
                pieces,
            }];
            let count = Count::of_pieces(&list, counted, Some(Money(total))).unwrap();
            assert_eq!(count.currency().show(count.total()), shown);
        }
    }

    #[test]
    fn a_count_whose_total_is_not_its_pieces_is_refused_with_both_sums() {
        let list = Denominations::standard(currency("EUR")).unwrap();
        let two = |value, pieces| Pieces {
            value: Money(value),
            pieces,
        };
        let refused = |pieces, stated| Count::of_pieces(&list, pieces, stated).unwrap_err().to_string();
        assert_eq!(
            refused(vec![two(500, 2)], Some(Money(900))),
            "the pieces come to 10.00 EUR, not to 9.00 EUR; count again or correct the total"
        );
        assert_eq!(
            refused(vec![two(300, 2)], None),
            "there is no coin or note of 3.00 in EUR; count it under the right one"
        );
        assert_eq!(
            refused(vec![two(500, 2), two(500, 1)], None),
            "5.00 EUR stands in the count twice; add the pieces together"
        );
        assert_eq!(Count::of_pieces(&list, vec![two(500, u64::MAX)], None), Err(CountError::TooLarge));
        assert_eq!(Count::keyed(currency("EUR"), Money(-1)), Err(CountError::TooLarge));
    }

    #[test]
    fn a_written_count_that_lies_is_not_read() {
        let text = r#"{"currency":"EUR","pieces":[{"value":100,"pieces":3}],"total":400}"#;
        assert!(serde_json::from_str::<Count>(text).is_err());
        let text = r#"{"counts":[{"currency":"EUR","total":4},{"currency":"EUR","total":4}]}"#;
        assert!(serde_json::from_str::<Tally>(text).is_err());
        let text = r#"{"counts":[],"tenders":[{"tender":"voucher","amount":1},{"tender":"voucher","amount":2}]}"#;
        assert!(
            serde_json::from_str::<Tally>(text)
                .unwrap_err()
                .to_string()
                .contains("a tender stands in the count twice")
        );
        // A piece below nothing could make any total right, and no drawer has a hundred thousand kinds of coins.
        let text = r#"{"currency":"EUR","pieces":[{"value":500,"pieces":1},{"value":-100,"pieces":1}],"total":400}"#;
        assert!(serde_json::from_str::<Count>(text).is_err());
        let kinds = (1..100_000)
            .map(|value| Pieces {
                value: Money(value),
                pieces: 1,
            })
            .collect();
        assert_eq!(Count::read(currency("EUR"), kinds, Money(1)), Err(CountError::TooManyKinds));
    }

    proptest! {
        #[test]
        fn the_total_is_always_pieces_times_value(code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CHF"]), pieces in prop::collection::vec(0u64..5000, 15)) {
            let list = Denominations::standard(currency(code)).unwrap();
            let counted: Vec<Pieces> = list.values().iter().zip(&pieces).map(|(value, pieces)| Pieces { value: *value, pieces: *pieces }).collect();
            let wanted: i64 = counted.iter().map(|piece| piece.value.0 * piece.pieces as i64).sum();
            let count = Count::of_pieces(&list, counted, None).unwrap();
            prop_assert_eq!(count.total(), Money(wanted));
            let again: Count = serde_json::from_str(&serde_json::to_string(&count).unwrap()).unwrap();
            prop_assert_eq!(again, count);
        }
    }
}
