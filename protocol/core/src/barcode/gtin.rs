//! The number of a product: GTIN-8, -12 (UPC-A, UPC-E), -13 (EAN) and -14, with its check digit.
//!
//! Owns the check digit, the canonical fourteen digits and the expansion of UPC-E. Does not know what a shop sells,
//! nor codes which are not a product number (price-embedded codes live in `store_made`, element strings in `elements`).
//!
//! Parsing allocates nothing: it runs for each scan.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::barcode::BarcodeError;

/// A product number whose check digit is right. Exists only if `parse` said so.
///
/// It is the same product however it was printed, so `4006381333931` and `04006381333931` are equal. What was
/// printed is kept beside it in [`ScannedGtin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin(u64);

/// In which of its forms a product number was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GtinForm {
    /// Eight digits, as on a chocolate bar.
    Gtin8,
    /// Twelve digits: UPC-A.
    Gtin12,
    /// Thirteen digits: EAN-13.
    Gtin13,
    /// Fourteen digits: cases and element strings.
    Gtin14,
    /// Eight digits that stand for the twelve of a UPC-A.
    UpcE,
}

impl GtinForm {
    /// The name that exports and `backroom decode` use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtin8 => "gtin-8",
            Self::Gtin12 => "gtin-12",
            Self::Gtin13 => "gtin-13",
            Self::Gtin14 => "gtin-14",
            Self::UpcE => "upc-e",
        }
    }
}

/// A product number and the form in which it was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScannedGtin {
    pub gtin: Gtin,
    pub form: GtinForm,
}

impl ScannedGtin {
    /// Reads 8, 12, 13 or 14 digits as a scanner sends them.
    ///
    /// Eight digits are two things: a GTIN-8, or a UPC-E of which the scanner did not send the long form. Those
    /// beginning with 0 are read as UPC-E first, because GS1 gives no GTIN-8 that begins with 0; all others as
    /// GTIN-8 first. Only where the first reading's check digit is wrong is the second tried (UPC-E may begin with
    /// 0 or 1).
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        let digits = text.as_bytes();
        only_digits(text)?;
        let form = match digits.len() {
            8 => return eight_digits(digits),
            12 => GtinForm::Gtin12,
            13 => GtinForm::Gtin13,
            14 => GtinForm::Gtin14,
            length => return Err(BarcodeError::GtinLength { length }),
        };
        Ok(Self {
            gtin: Gtin(checked_number(digits)?),
            form,
        })
    }

    /// Reads eight digits that are known to be a GTIN-8 and no UPC-E.
    pub(super) fn parse_gtin8(text: &str) -> Result<Self, BarcodeError> {
        only_digits(text)?;
        if text.len() != 8 {
            return Err(BarcodeError::GtinLength { length: text.len() });
        }
        Ok(Self {
            gtin: Gtin(checked_number(text.as_bytes())?),
            form: GtinForm::Gtin8,
        })
    }
}

fn eight_digits(digits: &[u8]) -> Result<ScannedGtin, BarcodeError> {
    let as_gtin8 = checked_number(digits).map(|number| ScannedGtin {
        gtin: Gtin(number),
        form: GtinForm::Gtin8,
    });
    let as_upc_e = upc_e_to_upc_a(digits)
        .and_then(|long| checked_number(&long))
        .map(|number| ScannedGtin {
            gtin: Gtin(number),
            form: GtinForm::UpcE,
        });
    if digits.first() == Some(&b'0') {
        as_upc_e.or(as_gtin8)
    } else {
        as_gtin8.or_else(|wrong| as_upc_e.map_err(|_| wrong))
    }
}

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits; see [`ScannedGtin::parse`] for how eight digits are read.
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        ScannedGtin::parse(text).map(|scanned| scanned.gtin)
    }

    /// Reads a UPC-E: number system 0 or 1, six digits, check digit. The check digit belongs to the UPC-A it stands for.
    pub fn parse_upc_e(text: &str) -> Result<Self, BarcodeError> {
        only_digits(text)?;
        Ok(Self(checked_number(&upc_e_to_upc_a(text.as_bytes())?)?))
    }

    /// The product number made of these digits and the check digit that belongs to them; 7, 11, 12 or 13 digits.
    pub fn from_digits_without_check(text: &str) -> Result<Self, BarcodeError> {
        only_digits(text)?;
        if !matches!(text.len(), 7 | 11 | 12 | 13) {
            return Err(BarcodeError::GtinLength { length: text.len() + 1 });
        }
        let digits = text.as_bytes();
        Ok(Self(number(digits) * 10 + u64::from(check_digit(digits))))
    }

    /// For numbers whose check digit was just computed.
    pub(super) const fn checked(number: u64) -> Self {
        Self(number)
    }

    /// Whether the number means something only in one country, company or shop: an EAN-13 beginning with 02, 04 or 20 to
    /// 29, or a GTIN-8 beginning with 0 or 2. What it means is the shop's to say (`StoreMadeRules`).
    #[must_use]
    pub const fn is_restricted(self) -> bool {
        match self.shortest_form() {
            GtinForm::Gtin8 => matches!(self.0 / 1000_0000, 0 | 2),
            GtinForm::Gtin12 | GtinForm::Gtin13 => matches!(self.0 / 1000_0000_0000, 2 | 4 | 20..=29),
            GtinForm::Gtin14 | GtinForm::UpcE => false,
        }
    }

    /// The number itself; fits fourteen digits.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The canonical fourteen digits as ASCII.
    #[must_use]
    pub fn to_gtin14(self) -> [u8; 14] {
        let mut digits = [b'0'; 14];
        let mut rest = self.0;
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }

    /// The shortest form the number fits: what is printed under the bars.
    #[must_use]
    pub const fn shortest_form(self) -> GtinForm {
        match self.0 {
            0..1_0000_0000 => GtinForm::Gtin8,
            1_0000_0000..1_0000_0000_0000 => GtinForm::Gtin12,
            1_0000_0000_0000..10_0000_0000_0000 => GtinForm::Gtin13,
            _ => GtinForm::Gtin14,
        }
    }
}

impl FromStr for Gtin {
    type Err = BarcodeError;

    fn from_str(text: &str) -> Result<Self, BarcodeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:014}", self.0)
    }
}

impl Serialize for Gtin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gtin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Gtin;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a product number of 8, 12, 13 or 14 digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Gtin, E> {
                Gtin::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The GS1 check digit for these digits (without it): weights 3 and 1 from the right.
///
/// Anything that is not a digit counts as its low bits, so check for digits before.
#[must_use]
pub fn check_digit(digits: &[u8]) -> u8 {
    let mut sum = 0_u32;
    for (place, digit) in digits.iter().rev().enumerate() {
        let weight = if place % 2 == 0 { 3 } else { 1 };
        sum = (sum + u32::from(digit & 0x0f) * weight) % 10;
    }
    ((10 - sum) % 10) as u8
}

/// Whether the last digit is the check digit of those before it.
pub(crate) fn check_last_digit(digits: &[u8]) -> Result<(), BarcodeError> {
    let Some((last, rest)) = digits.split_last() else {
        return Err(BarcodeError::Empty);
    };
    let expected = check_digit(rest);
    let found = last & 0x0f;
    if expected == found {
        Ok(())
    } else {
        Err(BarcodeError::CheckDigit { expected, found })
    }
}

pub(crate) fn only_digits(text: &str) -> Result<(), BarcodeError> {
    match text.char_indices().find(|(_, letter)| !letter.is_ascii_digit()) {
        None if text.is_empty() => Err(BarcodeError::Empty),
        None => Ok(()),
        Some((at, letter)) => Err(BarcodeError::NotADigit { letter, place: at + 1 }),
    }
}

/// The number that up to nineteen digits stand for.
fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |sum: u64, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit & 0x0f)))
}

fn checked_number(digits: &[u8]) -> Result<u64, BarcodeError> {
    check_last_digit(digits)?;
    Ok(number(digits))
}

/// The twelve digits for which the eight of a UPC-E stand. The sixth of its middle digits says where the zeros were left out.
fn upc_e_to_upc_a(digits: &[u8]) -> Result<[u8; 12], BarcodeError> {
    let &[system, a, b, c, d, e, last, check] = digits else {
        return Err(BarcodeError::UpcELength { length: digits.len() });
    };
    if !matches!(system, b'0' | b'1') {
        return Err(BarcodeError::UpcESystem {
            system: char::from(system),
        });
    }
    const Z: u8 = b'0';
    Ok(match last {
        b'0'..=b'2' => [system, a, b, last, Z, Z, Z, Z, c, d, e, check],
        b'3' => [system, a, b, c, Z, Z, Z, Z, Z, d, e, check],
        b'4' => [system, a, b, c, d, Z, Z, Z, Z, Z, e, check],
        _ => [system, a, b, c, d, e, Z, Z, Z, Z, last, check],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, gtin14: &str, form: GtinForm) {
        let scanned = ScannedGtin::parse(text).unwrap();
        assert_eq!((scanned.gtin.to_string().as_str(), scanned.form), (gtin14, form), "{text}");
    }

    #[test]
    fn published_product_numbers_are_read_in_all_forms() {
        check("96385074", "00000096385074", GtinForm::Gtin8);
        check("614141000036", "00614141000036", GtinForm::Gtin12);
        check("4006381333931", "04006381333931", GtinForm::Gtin13);
        check("80614141123458", "80614141123458", GtinForm::Gtin14);
        check("09506000134352", "09506000134352", GtinForm::Gtin14);
    }

    #[test]
    fn upc_e_is_expanded_before_its_check_digit_is_looked_at() {
        check("04252614", "00042100005264", GtinForm::UpcE);
        check("01234565", "00012345000065", GtinForm::UpcE);
        check("06543217", "00065100004327", GtinForm::UpcE);
        assert_eq!(Gtin::parse_upc_e("04252614").unwrap().to_string(), "00042100005264");
        assert!(matches!(
            Gtin::parse_upc_e("24252614"),
            Err(BarcodeError::UpcESystem { system: '2' })
        ));
    }

    #[test]
    fn a_wrong_check_digit_is_named_with_the_right_one() {
        assert_eq!(
            Gtin::parse("4006381333932"),
            Err(BarcodeError::CheckDigit { expected: 1, found: 2 })
        );
    }

    #[test]
    fn letters_and_wrong_lengths_are_named() {
        assert_eq!(Gtin::parse("40063813x3931"), Err(BarcodeError::NotADigit { letter: 'x', place: 9 }));
        assert_eq!(Gtin::parse("123456789"), Err(BarcodeError::GtinLength { length: 9 }));
        assert_eq!(Gtin::parse(""), Err(BarcodeError::Empty));
        assert!(matches!(Gtin::parse("４006381333931"), Err(BarcodeError::NotADigit { .. })));
    }

    #[test]
    fn the_same_product_is_equal_in_every_form() {
        let seen: HashSet<Gtin> = ["614141000036", "0614141000036", "00614141000036"]
            .map(|text| text.parse().unwrap())
            .into();
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn it_is_written_as_a_text_of_fourteen_digits() {
        let gtin: Gtin = "4006381333931".parse().unwrap();
        assert_eq!(serde_json::to_string(&gtin).unwrap(), "\"04006381333931\"");
        assert_eq!(serde_json::from_str::<Gtin>("\"04006381333931\"").unwrap(), gtin);
        assert!(serde_json::from_str::<Gtin>("\"04006381333932\"").is_err());
    }

    proptest! {
        #[test]
        fn fourteen_digits_read_back_as_the_same_number(body in 0_u64..10_000_000_000_000) {
            let gtin = Gtin::from_digits_without_check(&format!("{body:013}")).unwrap();
            prop_assert_eq!(Gtin::parse(&gtin.to_string()), Ok(gtin));
            prop_assert_eq!(gtin.to_string().into_bytes(), gtin.to_gtin14().to_vec());
        }

        #[test]
        fn one_changed_digit_is_always_noticed(body in 0_u64..10_000_000_000_000, place in 0_usize..14, by in 1_u8..10) {
            let mut digits = Gtin::from_digits_without_check(&format!("{body:013}")).unwrap().to_gtin14();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            let text = String::from_utf8(digits.to_vec()).unwrap();
            prop_assert!(Gtin::parse(&text).is_err());
        }
    }
}
