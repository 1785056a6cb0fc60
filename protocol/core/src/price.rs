//! What the goods in a basket cost.
mod discount;
use crate::money::LARGEST_AMOUNT;
pub use self::discount::{Discount, Percent, PercentError};
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("a discount of {amount} minor units can not be given; give more than nothing and at most {LARGEST_AMOUNT}")]
    Discount { amount: i64 },
}
