//! Codes a shop prints itself on weighed or priced goods: an EAN-13 beginning with 02, 04 or 20 to 29 that holds the
//! price, weight or count.
//!
//! Which digits mean what differs from country to country and from shop to shop, so it is a table the shop gives, never
//! code here. Owns the table's text form and the inner check digit. A code without a rule stays a plain number.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::barcode::gtin::{Gtin, check_digit};
use crate::barcode::{BarcodeError, GtinForm};

/// What a code says beside the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// In the shop's currency.
    Price,
    /// In kilograms.
    Weight,
    /// In pieces.
    Count,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Price, Self::Weight, Self::Count];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Weight => "weight",
            Self::Count => "count",
        }
    }
}

/// How to read the codes that begin with these two digits. As text: `22 PPPPPPCVVVVV price 2`, where P is the item
/// (with the two digits), C the inner check digit if there is one, V the value, X a digit that says nothing, and the last
/// figure the decimals of the value. A `!` at the end asks for the inner check digit to be looked at; many scales print it
/// wrongly, so it is off otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoreMadeRule {
    prefix: u8,
    /// How many digits, from the front, are the item.
    item: usize,
    inner_check: Option<InnerCheck>,
    /// Where the value begins, and how many digits it has.
    value_at: usize,
    value_digits: usize,
    measure: Measure,
    decimals: u32,
}

/// Where the inner check digit is, and whether anybody minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum InnerCheck {
    Ignored { at: usize },
    LookedAt { at: usize },
}

/// Digits before the check digit of an EAN-13.
const BODY: usize = 12;

impl FromStr for StoreMadeRule {
    type Err = BarcodeError;

    fn from_str(text: &str) -> Result<Self, BarcodeError> {
        let wrong = || BarcodeError::StoreMadeRule {
            text: text.chars().take(40).collect(),
        };
        let mut words = text.split_ascii_whitespace();
        let (Some(prefix), Some(pattern), Some(measure), Some(decimals), None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let prefix = match prefix {
            "02" | "04" | "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" => prefix.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        let measure = Measure::ALL.into_iter().find(|known| known.name() == measure).ok_or_else(wrong)?;
        let (decimals, looked_at) = match decimals.strip_suffix('!') {
            Some(decimals) => (decimals, true),
            None => (decimals, false),
        };
        let decimals = decimals.parse().ok().filter(|decimals| *decimals <= 6).ok_or_else(wrong)?;
        let item = pattern.bytes().take_while(|letter| *letter == b'P').count();
        let value_at = pattern.find('V').ok_or_else(wrong)?;
        let value_digits = pattern.bytes().skip(value_at).take_while(|letter| *letter == b'V').count();
        let count = |wanted: u8| pattern.bytes().filter(|letter| *letter == wanted).count();
        let known = count(b'P') + count(b'V') + count(b'C') + count(b'X');
        if pattern.len() != BODY || known != BODY || item < 3 || count(b'P') != item || count(b'V') != value_digits || count(b'C') > 1 {
            return Err(wrong());
        }
        let inner_check = match (pattern.find('C'), looked_at) {
            (Some(_), _) if !matches!(value_digits, 4 | 5) => return Err(wrong()),
            (None, true) => return Err(wrong()),
            (None, false) => None,
            (Some(at), true) => Some(InnerCheck::LookedAt { at }),
            (Some(at), false) => Some(InnerCheck::Ignored { at }),
        };
        Ok(Self {
            prefix,
            item,
            inner_check,
            value_at,
            value_digits,
            measure,
            decimals,
        })
    }
}

impl TryFrom<String> for StoreMadeRule {
    type Error = BarcodeError;

    fn try_from(text: String) -> Result<Self, BarcodeError> {
        text.parse()
    }
}

impl From<StoreMadeRule> for String {
    fn from(rule: StoreMadeRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for StoreMadeRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (check, looked_at) = match self.inner_check {
            None => (None, ""),
            Some(InnerCheck::Ignored { at }) => (Some(at), ""),
            Some(InnerCheck::LookedAt { at }) => (Some(at), "!"),
        };
        let values = self.value_at..self.value_at + self.value_digits;
        let pattern: String = (0..BODY)
            .map(|place| match place {
                place if place < self.item => 'P',
                place if Some(place) == check => 'C',
                place if values.contains(&place) => 'V',
                _ => 'X',
            })
            .collect();
        write!(
            out,
            "{:02} {pattern} {} {}{looked_at}",
            self.prefix,
            self.measure.name(),
            self.decimals
        )
    }
}

/// The rules of one shop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreMadeRules(Vec<StoreMadeRule>);

/// A code the shop made: the item, and what was weighed, counted or priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreMade {
    /// The number as scanned, different for each piece.
    pub scanned: Gtin,
    /// The same number with the value set to zero: what the catalog knows the item by.
    pub item: Gtin,
    pub measure: Measure,
    pub value: u64,
    pub decimals: u32,
}

impl StoreMade {
    /// The value with its decimals: euros, kilograms or pieces.
    #[must_use]
    pub fn amount(&self) -> Option<Decimal> {
        Decimal::try_new(self.value.try_into().ok()?, self.decimals).ok()
    }
}

impl StoreMadeRules {
    #[must_use]
    pub const fn new(rules: Vec<StoreMadeRule>) -> Self {
        Self(rules)
    }

    /// What the code says by the rule for its first two digits, if the shop has one.
    pub fn read(&self, gtin: Gtin) -> Result<Option<StoreMade>, BarcodeError> {
        if !gtin.is_restricted() || gtin.shortest_form() == GtinForm::Gtin8 {
            return Ok(None);
        }
        let digits = gtin.to_gtin14();
        let Some(body) = digits.get(1..13) else { return Ok(None) };
        let prefix = two_digits(body);
        let Some(rule) = self.0.iter().find(|rule| rule.prefix == prefix) else {
            return Ok(None);
        };
        let Some(values) = body.get(rule.value_at..rule.value_at + rule.value_digits) else {
            return Ok(None);
        };
        if let Some(InnerCheck::LookedAt { at }) = rule.inner_check {
            let (expected, found) = (inner_check_digit(values), body.get(at).map_or(0, |digit| digit & 0x0f));
            if expected != found {
                return Err(BarcodeError::InnerCheckDigit { expected, found });
            }
        }
        let mut plain = [b'0'; BODY];
        for (place, digit) in plain.iter_mut().zip(body.iter().take(rule.item)) {
            *place = *digit;
        }
        let item = plain
            .iter()
            .chain([&check_digit(&plain)])
            .fold(0, |sum: u64, digit| sum * 10 + u64::from(digit & 0x0f));
        let value = values.iter().fold(0, |sum: u64, digit| sum * 10 + u64::from(digit & 0x0f));
        Ok(Some(StoreMade {
            scanned: gtin,
            item: Gtin::checked(item),
            measure: rule.measure,
            value,
            decimals: rule.decimals,
        }))
    }
}

fn two_digits(body: &[u8]) -> u8 {
    match body {
        [first, second, ..] => (first & 0x0f) * 10 + (second & 0x0f),
        _ => 0,
    }
}

/// The check digit before a price or weight of four or five digits (GS1 General Specifications, section 7.9). Of no
/// digits but zeros it is zero.
fn inner_check_digit(values: &[u8]) -> u8 {
    let digit = |at: usize| usize::from(values.get(at).map_or(0, |digit| digit & 0x0f)).min(9);
    const TWICE_MINUS: [u8; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
    const THRICE: [u8; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
    const FIVE_PLUS: [u8; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
    const FIVE_MINUS: [u8; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];
    if values.len() == 4 {
        let sum = TWICE_MINUS[digit(0)] + TWICE_MINUS[digit(1)] + THRICE[digit(2)] + FIVE_MINUS[digit(3)];
        return sum * 3 % 10;
    }
    let sum = FIVE_PLUS[digit(0)] + TWICE_MINUS[digit(1)] + FIVE_MINUS[digit(2)] + FIVE_PLUS[digit(3)] + TWICE_MINUS[digit(4)];
    let wanted = (10 - sum % 10) % 10;
    (0..10).find(|digit| FIVE_MINUS[usize::from(*digit)] == wanted).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, code: &str, item: &str, amount: &str) {
        let rules = StoreMadeRules::new(vec![rule.parse().unwrap()]);
        let read = rules.read(code.parse().unwrap()).unwrap().unwrap();
        assert_eq!(read.item.to_string(), item, "{code}");
        assert_eq!(read.amount().unwrap().to_string(), amount, "{code}");
    }

    #[test]
    fn prices_and_weights_are_read_by_the_shops_own_rules() {
        check("22 PPPPPPCVVVVV price 2!", "2212349010505", "02212340000000", "10.50");
        check("28 PPPPPPCVVVVV weight 3!", "2812347012503", "02812340000002", "1.250");
        check("20 PPPPPPPCVVVV price 2!", "2012345001992", "02012345000001", "1.99");
        check("23 PPPPPPPPVVVV weight 3", "2312345604507", "02312345600004", "0.450");
        check("25 PPPPPPCVVVVV count 0", "2512340000032", "02512340000001", "3");
        // A digit that says nothing, before the value and behind it.
        check("26 PPPPPXCXVVVV price 2!", "2612370901993", "02612300000000", "1.99");
        check("27 PPPPPPVVVVVX weight 3", "2712340125074", "02712340000005", "1.250");
        // A UPC-A of number system 2 is an EAN-13 that begins with 02.
        check("02 PPPPPPPCVVVV price 2!", "0212345001998", "00212345000007", "1.99");
    }

    #[test]
    fn a_code_without_a_rule_stays_a_number() {
        let rules = StoreMadeRules::new(vec!["22 PPPPPPCVVVVV price 2".parse().unwrap()]);
        assert_eq!(rules.read("2312345604507".parse().unwrap()), Ok(None));
        assert_eq!(rules.read("4006381333931".parse().unwrap()), Ok(None));
        assert_eq!(rules.read("22345677".parse().unwrap()), Ok(None));
    }

    #[test]
    fn a_wrong_inner_check_digit_is_named_only_where_the_shop_wants_it() {
        let code = "2212340010504".parse().unwrap();
        let strict = StoreMadeRules::new(vec!["22 PPPPPPCVVVVV price 2!".parse().unwrap()]);
        assert_eq!(strict.read(code), Err(BarcodeError::InnerCheckDigit { expected: 9, found: 0 }));
        let lax = StoreMadeRules::new(vec!["22 PPPPPPCVVVVV price 2".parse().unwrap()]);
        assert_eq!(lax.read(code).unwrap().unwrap().amount().unwrap().to_string(), "10.50");
    }

    #[test]
    fn inner_check_digits_agree_with_another_reader() {
        for (values, expected) in [
            // The two worked examples of the General Specifications.
            ("2875", 9),
            ("14685", 6),
            ("17611", 4),
            ("74606", 8),
            ("08271", 8),
            ("33432", 0),
            ("15455", 7),
            ("64937", 2),
            ("99740", 0),
            ("58915", 5),
            ("61898", 1),
            ("85405", 0),
            ("49756", 9),
            ("27519", 9),
            ("1537", 6),
            ("7993", 3),
            ("0464", 2),
            ("6386", 4),
            ("7090", 0),
            ("9952", 4),
            ("0034", 1),
            ("7297", 8),
            ("4363", 8),
            ("3748", 1),
            ("9685", 5),
            ("1674", 6),
        ] {
            assert_eq!(inner_check_digit(values.as_bytes()), expected, "{values}");
        }
    }

    #[test]
    fn a_rule_reads_back_and_a_wrong_one_is_refused() {
        for text in [
            "22 PPPPPPCVVVVV price 2!",
            "02 PPPPPPPPVVVV weight 3",
            "25 PPPPPPCVVVVV count 0",
            "26 PPPPPXCXVVVV price 2!",
            "27 PPPPPPVVVVVX weight 3",
        ] {
            assert_eq!(text.parse::<StoreMadeRule>().unwrap().to_string(), text);
            assert_eq!(
                serde_json::to_string(&text.parse::<StoreMadeRule>().unwrap()).unwrap(),
                format!("\"{text}\"")
            );
        }
        for text in [
            "",
            "30 PPPPPPCVVVVV price 2",
            "22 PPPPPPCVVVV price 2",
            "22 PPPPPPPPPPPP price 2",
            "22 PPCVVVVVVVVV price 2",
            "22 PPPPPPVVVVVV price 2!",
            "22 PPPPPPCVVVVV money 2",
            "22 PPPPPPCVVVVV price 9",
            "22 PPPPPPCCVVVV price 2",
            "22 PPPPVVVVPVVV price 2",
            "22 PPPPPVVXVVVV price 2",
            "22 PPPPPPCVVVÄ price 2",
            "22 PPPPPPXXXXXX price 2",
        ] {
            assert!(text.parse::<StoreMadeRule>().is_err(), "{text}");
        }
    }
}
