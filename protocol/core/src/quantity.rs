//! How much of something: whole thousandths of a unit, and the units a shop measures in with their exact ratios.
//!
//! Conversions are ratios of whole numbers; one that does not come out in whole thousandths is refused unless a rounding is named. Which unit
//! an item is sold by belongs to the catalog.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::Rounding;

/// Thousandths of a unit: 1000 is one piece, 250 is 250 g of something sold by the kilogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub i64);

/// Why a quantity can not be told in another unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("the quantity is beyond any shop; check the figure")]
    TooLarge,
    #[error("{text:?} is not a unit; use one of each, mg, g, kg, oz, lb, mm, cm, m, in, ft, yd, ml, cl, l, cm2, m2, ft2")]
    UnknownUnit { text: String },
    #[error("{from} is a {} and {to} a {}; nothing turns one into the other", .from.kind(), .to.kind())]
    OtherKind { from: Unit, to: Unit },
    #[error("{quantity} {from} is no whole number of thousandths of {to}; keep it in {from}")]
    NotExact { quantity: Quantity, from: Unit, to: Unit },
}

impl QuantityError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            QuantityError::TooLarge => "quantity_too_large",
            QuantityError::UnknownUnit { .. } => "unknown_unit",
            QuantityError::OtherKind { .. } => "other_kind_of_unit",
            QuantityError::NotExact { .. } => "not_exact",
        }
    }
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    Count,
    Weight,
    Length,
    Volume,
    Area,
}

impl fmt::Display for UnitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            UnitKind::Count => "count",
            UnitKind::Weight => "weight",
            UnitKind::Length => "length",
            UnitKind::Volume => "volume",
            UnitKind::Area => "area",
        })
    }
}

/// A unit goods are sold, bought or weighed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    #[default]
    Each,
    Mg,
    G,
    Kg,
    Oz,
    Lb,
    Mm,
    Cm,
    M,
    In,
    Ft,
    Yd,
    Ml,
    Cl,
    L,
    Cm2,
    M2,
    Ft2,
}

impl Unit {
    pub const ALL: &[Unit] = &[
        Unit::Each,
        Unit::Mg,
        Unit::G,
        Unit::Kg,
        Unit::Oz,
        Unit::Lb,
        Unit::Mm,
        Unit::Cm,
        Unit::M,
        Unit::In,
        Unit::Ft,
        Unit::Yd,
        Unit::Ml,
        Unit::Cl,
        Unit::L,
        Unit::Cm2,
        Unit::M2,
        Unit::Ft2,
    ];

    /// As files and receipts write it.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Each => "each",
            Unit::Mg => "mg",
            Unit::G => "g",
            Unit::Kg => "kg",
            Unit::Oz => "oz",
            Unit::Lb => "lb",
            Unit::Mm => "mm",
            Unit::Cm => "cm",
            Unit::M => "m",
            Unit::In => "in",
            Unit::Ft => "ft",
            Unit::Yd => "yd",
            Unit::Ml => "ml",
            Unit::Cl => "cl",
            Unit::L => "l",
            Unit::Cm2 => "cm2",
            Unit::M2 => "m2",
            Unit::Ft2 => "ft2",
        }
    }

    pub fn kind(self) -> UnitKind {
        match self {
            Unit::Each => UnitKind::Count,
            Unit::Mg | Unit::G | Unit::Kg | Unit::Oz | Unit::Lb => UnitKind::Weight,
            Unit::Mm | Unit::Cm | Unit::M | Unit::In | Unit::Ft | Unit::Yd => UnitKind::Length,
            Unit::Ml | Unit::Cl | Unit::L => UnitKind::Volume,
            Unit::Cm2 | Unit::M2 | Unit::Ft2 => UnitKind::Area,
        }
    }

    /// How many of the kind's smallest whole ratio it holds: each of these is exact by definition (the pound is 0.45359237 kg, the inch
    /// 25.4 mm). Weights in 1/1,600,000 g, lengths in 1/10 mm, volumes in ml, areas in 1/10,000 cm2.
    fn ratio(self) -> i128 {
        match self {
            Unit::Each => 1,
            Unit::Mg => 1_600,
            Unit::G => 1_600_000,
            Unit::Kg => 1_600_000_000,
            Unit::Oz => 45_359_237,
            Unit::Lb => 725_747_792,
            Unit::Mm => 10,
            Unit::Cm => 100,
            Unit::M => 10_000,
            Unit::In => 254,
            Unit::Ft => 3_048,
            Unit::Yd => 9_144,
            Unit::Ml => 1,
            Unit::Cl => 10,
            Unit::L => 1_000,
            Unit::Cm2 => 10_000,
            Unit::M2 => 100_000_000,
            Unit::Ft2 => 9_290_304,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Unit {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let named = |unit: &&Unit| unit.word() == text;
        Unit::ALL.iter().find(named).copied().ok_or_else(|| QuantityError::UnknownUnit {
            text: text.chars().take(20).collect(),
        })
    }
}

impl Quantity {
    pub const ZERO: Quantity = Quantity(0);
    pub const ONE: Quantity = Quantity(1000);

    /// Whole pieces.
    pub fn pieces(count: i64) -> Result<Quantity, QuantityError> {
        count.checked_mul(1000).map(Quantity).ok_or(QuantityError::TooLarge)
    }

    pub fn is_whole(self) -> bool {
        self.0 % Quantity::ONE.0 == 0
    }

    pub fn checked_add(self, other: Quantity) -> Result<Quantity, QuantityError> {
        self.0.checked_add(other.0).map(Quantity).ok_or(QuantityError::TooLarge)
    }

    pub fn checked_sub(self, other: Quantity) -> Result<Quantity, QuantityError> {
        self.0.checked_sub(other.0).map(Quantity).ok_or(QuantityError::TooLarge)
    }

    pub fn negated(self) -> Result<Quantity, QuantityError> {
        self.0.checked_neg().map(Quantity).ok_or(QuantityError::TooLarge)
    }

    pub fn sum(quantities: impl IntoIterator<Item = Quantity>) -> Result<Quantity, QuantityError> {
        quantities.into_iter().try_fold(Quantity::ZERO, Quantity::checked_add)
    }

    /// The same quantity in another unit of the same kind, exactly or not at all.
    pub fn convert(self, from: Unit, to: Unit) -> Result<Quantity, QuantityError> {
        let (exact, whole) = self.ratio(from, to)?;
        if exact % whole != 0 {
            return Err(QuantityError::NotExact { quantity: self, from, to });
        }
        i64::try_from(exact / whole).map(Quantity).map_err(|_| QuantityError::TooLarge)
    }

    /// The same quantity in another unit of the same kind, to whole thousandths as said.
    pub fn convert_by(self, from: Unit, to: Unit, rounding: Rounding) -> Result<Quantity, QuantityError> {
        let (exact, whole) = self.ratio(from, to)?;
        let thousandths = rounding.divide(exact, whole).ok_or(QuantityError::TooLarge)?;
        i64::try_from(thousandths).map(Quantity).map_err(|_| QuantityError::TooLarge)
    }

    fn ratio(self, from: Unit, to: Unit) -> Result<(i128, i128), QuantityError> {
        if from.kind() != to.kind() {
            return Err(QuantityError::OtherKind { from, to });
        }
        // 64 bits by 31 bits: always fits.
        Ok((i128::from(self.0) * from.ratio(), to.ratio()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Decimal::new(self.0, 3).normalize())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Halves;

    #[test]
    fn a_pound_an_inch_and_a_yard_are_what_the_law_says() {
        for (quantity, from, to, expected) in [
            (1000, Unit::Kg, Unit::G, 1_000_000),
            (250, Unit::Kg, Unit::G, 250_000),
            (16_000, Unit::Oz, Unit::Lb, 1000),
            (100_000_000, Unit::Lb, Unit::Kg, 45_359_237),
            (1000, Unit::In, Unit::Mm, 25_400),
            (1000, Unit::Yd, Unit::Ft, 3000),
            (1000, Unit::Yd, Unit::Cm, 91_440),
            (750, Unit::L, Unit::Ml, 750_000),
            (1000, Unit::M2, Unit::Cm2, 10_000_000),
            (-12_000, Unit::In, Unit::Ft, -1000),
            (3000, Unit::Each, Unit::Each, 3000),
        ] {
            assert_eq!(
                Quantity(quantity).convert(from, to),
                Ok(Quantity(expected)),
                "{quantity} {from} in {to}"
            );
        }
    }

    #[test]
    fn a_kilogram_is_no_length_and_a_pound_no_whole_number_of_grams() {
        let error = Quantity::ONE.convert(Unit::Kg, Unit::M).unwrap_err();
        assert_eq!(error.to_string(), "kg is a weight and m a length; nothing turns one into the other");
        assert_eq!(error.code(), "other_kind_of_unit");
        assert_eq!(Quantity::ONE.convert(Unit::Lb, Unit::G).unwrap_err().code(), "not_exact");
        let by = |halves| Quantity::ONE.convert_by(Unit::Lb, Unit::G, Rounding::Half(halves));
        assert_eq!(by(Halves::Away), Ok(Quantity(453_592)));
        assert_eq!("stone".parse::<Unit>().unwrap_err().code(), "unknown_unit");
    }

    #[test]
    fn every_unit_is_read_by_its_word_and_by_the_catalogs_word() {
        for unit in Unit::ALL {
            assert_eq!(unit.word().parse::<Unit>(), Ok(*unit));
            assert_eq!(serde_json::to_value(unit).unwrap(), unit.word());
        }
    }

    proptest! {
        #[test]
        fn what_converts_exactly_converts_back(quantity in any::<i64>(), from in 0..Unit::ALL.len(), to in 0..Unit::ALL.len()) {
            let (from, to) = (Unit::ALL[from], Unit::ALL[to]);
            if let Ok(there) = Quantity(quantity).convert(from, to) {
                prop_assert_eq!(there.convert(to, from), Ok(Quantity(quantity)));
            }
            let _ = Quantity(quantity).convert_by(from, to, Rounding::Up);
        }
    }
}
