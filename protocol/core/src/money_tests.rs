//! Roundings by name, sharing without loss, amounts as people write them, and foreign money.

use proptest::prelude::*;

use super::*;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn half_a_cent_goes_away_from_zero() {
    assert_eq!(Money(333).times(Quantity(1500)), Ok(Money(500)));
    assert_eq!(Money(-333).times(Quantity(1500)), Ok(Money(-500)));
    assert_eq!(Money::rounded(Decimal::new(25, 1)), Ok(Money(3)));
    assert_eq!(Money::rounded(Decimal::new(-25, 1)), Ok(Money(-3)));
}

#[test]
fn a_half_goes_where_the_store_said() {
    for (tenths, away, even, down) in [(5, 1, 0, 0), (15, 2, 2, 1), (25, 3, 2, 2), (24, 2, 2, 2), (26, 3, 3, 3)] {
        for sign in [1, -1] {
            for (halves, expected) in [(Halves::Away, away), (Halves::Even, even), (Halves::Down, down)] {
                let expected = sign * expected;
                let tenths = sign * tenths;
                assert_eq!(
                    Rounding::Half(halves).divide(tenths.into(), 10),
                    Some(expected.into()),
                    "{tenths} {halves:?}"
                );
                assert_eq!(Rounding::Half(halves).divide((-tenths).into(), -10), Some(expected.into()));
                assert_eq!(Money::rounded_by(Decimal::new(tenths, 1), halves), Ok(Money(expected)));
            }
        }
    }
    assert_eq!(Rounding::Up.divide(1, 10), Some(1));
    assert_eq!(Rounding::Up.divide(-1, 10), Some(-1));
    assert_eq!(Rounding::Down.divide(-19, 10), Some(-1));
    assert_eq!(Rounding::Up.divide(1, 0), None);
    assert_eq!(Rounding::Up.divide(i128::MIN, -1), None);
}

#[test]
fn five_cent_coins_round_both_ways_and_both_signs() {
    for (amount, rounded) in [
        (1002, 1000),
        (1003, 1005),
        (1007, 1005),
        (1008, 1010),
        (-1003, -1005),
        (-1002, -1000),
    ] {
        assert_eq!(Money(amount).to_step(5), Ok(Money(rounded)), "{amount}");
    }
    // Ten-cent coins: a five is a half, and each way of rounding mirrors for a refund.
    for (amount, up, down, away, even, toward) in [
        (1005, 1010, 1000, 1010, 1000, 1000),
        (1015, 1020, 1010, 1020, 1020, 1010),
        (1001, 1010, 1000, 1000, 1000, 1000),
        (1000, 1000, 1000, 1000, 1000, 1000),
    ] {
        for (rounding, expected) in [
            (Rounding::Up, up),
            (Rounding::Down, down),
            (Rounding::Half(Halves::Away), away),
            (Rounding::Half(Halves::Even), even),
            (Rounding::Half(Halves::Down), toward),
        ] {
            assert_eq!(Money(amount).to_step_by(10, rounding), Ok(Money(expected)), "{amount} {rounding:?}");
            assert_eq!(
                Money(-amount).to_step_by(10, rounding),
                Ok(Money(-expected)),
                "-{amount} {rounding:?}"
            );
        }
    }
    assert_eq!(Money(i64::MAX).to_step_by(10, Rounding::Up), Err(MoneyError::TooLarge));
}

#[test]
fn yen_have_no_decimals_dinars_three_and_a_unit_of_account_four() {
    let show = |code: &str, amount| currency(code).show(Money(amount));
    assert_eq!(show("JPY", 1250), "1250 JPY");
    assert_eq!(show("KWD", 1250), "1.250 KWD");
    assert_eq!(show("EUR", -5), "-0.05 EUR");
    assert_eq!(show("CLF", 12_345), "1.2345 CLF");
    for text in ["EURO", "eur", "", "XAU", "XXX", "XTS"] {
        assert!(text.parse::<Currency>().is_err(), "{text}");
    }
}

#[test]
fn amounts_are_read_exactly_and_too_many_decimals_are_named() {
    for (code, text, minor) in [
        ("EUR", "12.50", 1250),
        ("EUR", "12.5", 1250),
        ("EUR", "-3", -300),
        ("EUR", "0.05", 5),
        ("JPY", "1250", 1250),
        ("KWD", "1.25", 1250),
        ("CLF", "0.0001", 1),
        ("EUR", "10000000000.00", LARGEST_AMOUNT),
    ] {
        assert_eq!(currency(code).parse_amount(text), Ok(Money(minor)), "{text} {code}");
    }
    for (code, text, refusal) in [
        ("EUR", "12.505", "too_many_decimals"),
        ("EUR", "12.500", "too_many_decimals"),
        ("JPY", "1.0", "too_many_decimals"),
        ("EUR", "12,50", "not_an_amount"),
        ("EUR", ".5", "not_an_amount"),
        ("EUR", "5.", "not_an_amount"),
        ("EUR", "--5", "not_an_amount"),
        ("EUR", "+5", "not_an_amount"),
        ("EUR", "1e3", "not_an_amount"),
        ("EUR", "", "not_an_amount"),
        ("EUR", "-", "not_an_amount"),
        ("EUR", "10000000000.01", "amount_too_large"),
        ("EUR", "99999999999999999999999999", "amount_too_large"),
    ] {
        assert_eq!(currency(code).parse_amount(text).unwrap_err().code(), refusal, "{text} {code}");
    }
    let error = currency("JPY").parse_amount("1.5").unwrap_err();
    assert_eq!(error.to_string(), "\"1.5\" has too many decimals; JPY has 0");
}

#[test]
fn a_price_beyond_any_shop_is_refused_not_wrapped() {
    assert_eq!(Money(i64::MAX).times(Quantity(i64::MAX)), Err(MoneyError::TooLarge));
    assert_eq!(Money(i64::MAX).checked_add(Money(1)), Err(MoneyError::TooLarge));
    assert_eq!(Money(i64::MIN).negated(), Err(MoneyError::TooLarge));
    assert_eq!(Money(i64::MIN).in_bounds(), Err(MoneyError::TooLarge));
}

#[test]
fn nothing_is_shared_over_weights_that_are_nothing_or_of_both_signs() {
    assert_eq!(Money(5).share(&[0, 0]), None);
    assert_eq!(Money(5).share(&[]), None);
    assert_eq!(Money::ZERO.share(&[0, 0]), Some(vec![Money::ZERO; 2]));
    assert_eq!(Money(10).share(&[0, 1, 0, 2]), Some(vec![Money(0), Money(3), Money(0), Money(7)]));
    assert_eq!(Money(10).share_by(&[Money(-1), Money(-2)]), Some(vec![Money(3), Money(7)]));
    assert_eq!(Money(10).share_by(&[Money(-1), Money(2)]), None);
    assert_eq!(Money(i64::MIN).share(&[u64::MAX, u64::MAX]), None);
}

#[test]
fn each_way_to_round_has_a_word_and_others_are_refused() {
    for rounding in Rounding::ALL {
        assert_eq!(rounding.word().parse(), Ok(rounding));
        assert_eq!(serde_json::to_value(rounding).unwrap(), rounding.word());
    }
    assert_eq!("HALF".parse::<Rounding>().unwrap_err().code(), "unknown_rounding");
}

proptest! {
    #[test]
    fn shares_add_up_for_sales_and_refunds(amount in -1_000_000_000i64..1_000_000_000, weights in prop::collection::vec(0u64..10_000, 1..20)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let parts = Money(amount).share(&weights).unwrap();
        prop_assert_eq!(Money::sum(parts).unwrap(), Money(amount));
    }

    #[test]
    fn slices_that_follow_each_other_add_up(amount in -1_000_000_000i64..1_000_000_000, cuts in prop::collection::vec(1u64..5000, 1..10)) {
        let whole = cuts.iter().sum();
        let mut at = 0;
        let mut sum = Money::ZERO;
        for cut in cuts {
            sum = sum.checked_add(Money(amount).slice(at, at + cut, whole).unwrap()).unwrap();
            at += cut;
        }
        prop_assert_eq!(sum, Money(amount));
        prop_assert_eq!(Money(amount).slice(0, whole + 1, whole), None);
    }

    #[test]
    fn an_amount_that_is_shown_is_read_back(amount in -LARGEST_AMOUNT..=LARGEST_AMOUNT, code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"])) {
        prop_assert_eq!(currency(code).parse_amount(&currency(code).digits(Money(amount))), Ok(Money(amount)));
    }

    #[test]
    fn every_rounding_mirrors_and_stays_within_a_unit(numerator in any::<i64>(), denominator in 1i64..1_000_000_000) {
        let (n, d) = (i128::from(numerator), i128::from(denominator));
        for rounding in [Rounding::Up, Rounding::Down, Rounding::Half(Halves::Away), Rounding::Half(Halves::Even), Rounding::Half(Halves::Down)] {
            let whole = rounding.divide(n, d).unwrap();
            prop_assert_eq!(rounding.divide(-n, d).unwrap(), -whole);
            let off = (n - whole * d).abs();
            prop_assert!(off < d);
            if let Rounding::Half(_) = rounding {
                prop_assert!(2 * off <= d);
            }
        }
    }

    #[test]
    fn no_text_breaks_an_amount(text in "\\PC*") {
        let _ = currency("EUR").parse_amount(&text);
        let _ = text.parse::<Rounding>();
        let _ = text.parse::<Unit>();
    }
}
