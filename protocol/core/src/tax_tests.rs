//! The laws of taxes: parts add up, a return mirrors its sale, lines and sums agree, and growing line by line gives the same as all at once.

use std::sync::Arc;

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::facts::TaxSum;
use crate::money::Halves;

fn rate(text: &str) -> Rate {
    Rate::try_from(text.to_owned()).unwrap()
}

fn check(amount: i64, rate_text: &str, mode: PriceMode, net: i64, tax: i64) {
    assert_eq!(
        split(Money(amount), rate(rate_text), mode),
        Ok(Split {
            net: Money(net),
            tax: Money(tax)
        }),
        "{amount} at {rate_text}"
    );
}

#[test]
fn tax_inside_and_on_top_of_a_price() {
    check(1190, "0.19", PriceMode::Inclusive, 1000, 190);
    check(999, "0.07", PriceMode::Inclusive, 934, 65);
    check(1000, "0.19", PriceMode::Exclusive, 1000, 190);
    check(150, "0.19", PriceMode::Exclusive, 150, 29);
    check(-150, "0.19", PriceMode::Exclusive, -150, -29);
    check(0, "0.19", PriceMode::Inclusive, 0, 0);
    check(500, "0", PriceMode::Inclusive, 500, 0);
}

#[test]
fn absurd_rates_are_refused() {
    for text in ["-0.1", "4.5", "NaN", "", "19%", "0.1234567890123"] {
        assert!(Rate::try_from(text.to_owned()).is_err(), "{text}");
    }
    // What a sum of factors may be, nobody writes down for one tax.
    for text in ["1.5", "19", "0.12345678"] {
        let class = serde_json::json!({"code": "A", "name": "standard", "rate": text});
        assert!(serde_json::from_value::<TaxClass>(class).is_err(), "{text}");
    }
}

fn class(json: serde_json::Value) -> TaxClass {
    serde_json::from_value(json).unwrap()
}

fn classes() -> Vec<TaxClass> {
    vec![
        class(serde_json::json!({"code": "S", "name": "standard", "rate": "0.19"})),
        class(serde_json::json!({"code": "R", "name": "reduced", "rate": "0.07"})),
        class(serde_json::json!({"code": "Z", "name": "none", "rate": "0"})),
        class(serde_json::json!({"code": "Q", "name": "Quebec as it was", "taxes": [
            {"tax": "GST", "rate": "0.05"}, {"tax": "QST", "rate": "0.09975", "compound": true}]})),
        class(serde_json::json!({"code": "C", "name": "city", "taxes": [
            {"tax": "state", "rate": "0.04"}, {"tax": "county", "rate": "0.0425"}, {"tax": "city", "rate": "0.00375"}, {"tax": "GST", "rate": "0.01"}]})),
    ]
}

fn day() -> Date {
    Date::constant(2026, 8, 8)
}

fn rules(mode: PriceMode, rounding: RoundingPlace, halves: Halves, holidays: &[Holiday]) -> Rules {
    Rules::new(mode, Policy { rounding, halves }, &classes(), holidays).unwrap()
}

fn line(class: &str, amount: i64) -> Taxable<'_> {
    Taxable {
        class,
        amount: Money(amount),
        unit_price: Money(amount.saturating_abs()),
        given: None,
    }
}

fn exempt(taxes: &[&str]) -> Circumstances {
    Circumstances {
        day: day(),
        exemption: Some(Exemption {
            taxes: taxes.iter().map(|tax| (*tax).to_owned()).collect(),
            reason: "diplomat".into(),
        }),
    }
}

fn amounts(line: &LineTax) -> (i64, i64, Vec<i64>) {
    (line.net.0, line.tax.0, line.parts.iter().map(|part| part.amount.0).collect())
}

#[test]
fn a_compound_tax_is_taken_of_the_price_with_the_taxes_before_it() {
    let class = class(serde_json::json!({"code": "Q", "name": "q", "taxes": [
        {"tax": "GST", "rate": "0.05"}, {"tax": "QST", "rate": "0.09975", "compound": true}]}));
    assert_eq!(String::from(class.rate), "0.1547375");
    let on = |mode| rules(mode, RoundingPlace::Line, Halves::Away, &[]);
    let document = |mode, amount| super::document(&[line("Q", amount)], &on(mode), &Circumstances::on(day())).unwrap();
    assert_eq!(
        amounts(&document(PriceMode::Exclusive, 10_000).lines[0]),
        (10_000, 1547, vec![500, 1047])
    );
    assert_eq!(
        amounts(&document(PriceMode::Inclusive, 11_547).lines[0]),
        (10_000, 1547, vec![500, 1047])
    );
}

#[test]
fn three_lines_round_differently_by_line_by_tax_and_by_document() {
    let lines = [line("S", 50), line("S", 50), line("S", 50), line("R", 50)];
    let taxes = |rounding| {
        let rules = rules(PriceMode::Exclusive, rounding, Halves::Away, &[]);
        let document = super::document(&lines, &rules, &Circumstances::on(day())).unwrap();
        let sums: Vec<i64> = document.sums.iter().map(|sum| sum.tax.0).collect();
        let lines: Vec<i64> = document.lines.iter().map(|line| line.tax.0).collect();
        (document.tax.0, sums, lines)
    };
    // 9.5 each and 3.5: 10 + 10 + 10 + 4.
    assert_eq!(taxes(RoundingPlace::Line), (34, vec![4, 30], vec![10, 10, 10, 4]));
    // 28.5 and 3.5.
    assert_eq!(taxes(RoundingPlace::Tax), (33, vec![4, 29], vec![9, 10, 10, 4]));
    // 32 exactly; class R comes first: floor(32 * 3.5 / 32) = 3.
    assert_eq!(taxes(RoundingPlace::Document), (32, vec![3, 29], vec![9, 10, 10, 3]));
}

#[test]
fn half_a_cent_of_tax_goes_where_the_store_said() {
    for (halves, expected) in [(Halves::Away, 10), (Halves::Even, 10), (Halves::Down, 9)] {
        for rounding in [RoundingPlace::Line, RoundingPlace::Tax, RoundingPlace::Document] {
            let rules = rules(PriceMode::Exclusive, rounding, halves, &[]);
            let tax = |amount| {
                super::document(&[line("S", amount)], &rules, &Circumstances::on(day()))
                    .unwrap()
                    .tax
                    .0
            };
            assert_eq!((tax(50), tax(-50)), (expected, -expected), "{halves:?} {rounding:?}");
        }
    }
}

#[test]
fn a_tax_free_weekend_holds_on_its_dates_for_cheap_goods_of_its_classes() {
    let weekend = Holiday {
        name: "back to school".into(),
        from: Date::constant(2026, 8, 7),
        to: Date::constant(2026, 8, 9),
        classes: vec!["C".into()],
        taxes: vec!["state".into(), "city".into()],
        max_unit_price: Some(Money(10_000)),
    };
    let rules = rules(
        PriceMode::Exclusive,
        RoundingPlace::Line,
        Halves::Away,
        std::slice::from_ref(&weekend),
    );
    let on = |day, class, unit_price| {
        let taxable = Taxable {
            class,
            amount: Money(10_000),
            unit_price: Money(unit_price),
            given: None,
        };
        amounts(&super::document(&[taxable], &rules, &Circumstances::on(day)).unwrap().lines[0]).2
    };
    let full = vec![400, 425, 38, 100];
    assert_eq!(on(Date::constant(2026, 8, 6), "C", 10_000), full);
    assert_eq!(on(Date::constant(2026, 8, 7), "C", 10_000), [0, 425, 0, 100]);
    assert_eq!(on(Date::constant(2026, 8, 9), "C", 5000), [0, 425, 0, 100]);
    assert_eq!(on(Date::constant(2026, 8, 9), "C", 10_001), full);
    assert_eq!(on(Date::constant(2026, 8, 10), "C", 10_000), full);
    assert_eq!(on(Date::constant(2026, 8, 8), "S", 10_000), [1900]);
}

#[test]
fn an_exempt_customer_pays_the_net_price_whether_the_shelf_shows_it_or_not() {
    let to_pay = |mode, circumstances: &Circumstances| {
        let rules = rules(mode, RoundingPlace::Line, Halves::Away, &[]);
        let document = super::document(&[line("S", 1190), line("C", 1000)], &rules, circumstances).unwrap();
        let waived: i64 = document.lines.iter().map(|line| line.waived.0).sum();
        (document.net.0, document.tax.0, waived)
    };
    let usual = Circumstances::on(day());
    assert_eq!(to_pay(PriceMode::Inclusive, &usual), (1000 + 913, 190 + 87, 0));
    assert_eq!(to_pay(PriceMode::Inclusive, &exempt(&[])), (1000 + 913, 0, 190 + 87));
    assert_eq!(to_pay(PriceMode::Inclusive, &exempt(&["GST"])), (1000 + 913, 190 + 87 - 9, 9));
    assert_eq!(to_pay(PriceMode::Exclusive, &exempt(&[])), (2190, 0, 0));
    assert_eq!(to_pay(PriceMode::Exclusive, &exempt(&["GST"])), (2190, 226 + 40 + 43 + 4, 0));
}

#[test]
fn a_line_that_comes_back_brings_its_own_tax_whatever_the_rates_are_today() {
    let old = LineTax {
        rate: rate("0.16"),
        net: Money(-862),
        tax: Money(-138),
        waived: Money::ZERO,
        parts: vec![TaxPart {
            tax: "S".into(),
            rate: rate("0.16"),
            amount: Money(-138),
        }],
    };
    let back = Taxable {
        given: Some(&old),
        ..line("S", -1000)
    };
    for rounding in [RoundingPlace::Line, RoundingPlace::Tax, RoundingPlace::Document] {
        let rules = rules(PriceMode::Inclusive, rounding, Halves::Away, &[]);
        let document = super::document(&[line("S", 1190), back], &rules, &Circumstances::on(day())).unwrap();
        assert_eq!(document.lines[1], old);
        assert_eq!((document.net, document.tax), (Money(1000 - 862), Money(190 - 138)));
        let rates: Vec<String> = document.sums.iter().map(|sum| sum.rate.to_string()).collect();
        assert_eq!(rates, ["16%", "19%"]);
    }
}

#[test]
fn mistakes_are_named() {
    let code = |result: Result<Rules, TaxError>| result.unwrap_err().code();
    let new = |classes: &[TaxClass], holidays: &[Holiday]| Rules::new(PriceMode::Inclusive, Policy::default(), classes, holidays);
    let mut twice = classes();
    twice.push(classes()[0].clone());
    assert_eq!(code(new(&twice, &[])), "tax_class_twice");
    let holiday = |json: serde_json::Value| serde_json::from_value::<Holiday>(json).unwrap();
    let good = serde_json::json!({"name": "h", "from": "2026-08-07", "to": "2026-08-09", "classes": ["C"], "taxes": ["city"]});
    assert!(new(&classes(), &[holiday(good.clone())]).is_ok());
    for (field, value, expected) in [
        ("to", serde_json::json!("2026-08-06"), "tax_holiday"),
        ("classes", serde_json::json!([]), "tax_holiday"),
        ("name", serde_json::json!(""), "tax_holiday"),
        ("max_unit_price", serde_json::json!(-1), "tax_holiday"),
        ("classes", serde_json::json!(["X"]), "no_tax_class"),
        ("taxes", serde_json::json!(["QST"]), "unknown_tax"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(code(new(&classes(), &[holiday(bad)])), expected, "{field}");
    }
    for bad in [
        serde_json::json!({"code": "A", "name": "a"}),
        serde_json::json!({"code": "A", "name": "a", "rate": "0.1", "taxes": []}),
        serde_json::json!({"code": "A", "name": "a", "taxes": []}),
        serde_json::json!({"code": "", "name": "a", "rate": "0.1"}),
        serde_json::json!({"code": "A", "name": "a", "rate": "0.1", "colour": 1}),
        serde_json::json!({"code": "A", "name": "a", "taxes": [{"tax": "t", "rate": "0.1"}, {"tax": "t", "rate": "0.2"}]}),
        serde_json::json!({"code": "A", "name": "a", "taxes": [
            {"tax": "1", "rate": "1"}, {"tax": "2", "rate": "1", "compound": true}, {"tax": "3", "rate": "1", "compound": true}]}),
    ] {
        assert!(serde_json::from_value::<TaxClass>(bad.clone()).is_err(), "{bad}");
    }
    let rules = rules(PriceMode::Inclusive, RoundingPlace::Line, Halves::Away, &[]);
    let refused = |lines: &[Taxable<'_>], circumstances: &Circumstances| super::document(lines, &rules, circumstances).unwrap_err().code();
    assert_eq!(refused(&[line("X", 1)], &Circumstances::on(day())), "no_tax_class");
    assert_eq!(refused(&[line("S", i64::MAX)], &Circumstances::on(day())), "money");
    assert_eq!(refused(&[line("S", i64::MIN)], &Circumstances::on(day())), "money");
    let many = vec![line("S", crate::money::LARGEST_AMOUNT); 101];
    assert_eq!(refused(&many, &Circumstances::on(day())), "money");
    assert_eq!(refused(&[], &exempt(&["VAT"])), "unknown_tax");
    let mut nameless = exempt(&[]);
    nameless.exemption.as_mut().unwrap().reason.clear();
    assert_eq!(refused(&[], &nameless), "exemption_reason");
    let mut running = Running::new(Arc::new(rules.clone()), Circumstances::on(day())).unwrap();
    assert_eq!(running.remove(&line("S", 5)), Err(TaxError::NotThere));
}

#[test]
fn a_class_is_written_as_it_was_read() {
    for class in classes() {
        let written = serde_json::to_value(&class).unwrap();
        assert_eq!(serde_json::from_value::<TaxClass>(written.clone()).unwrap(), class);
        assert_eq!(written.get("rate").is_some(), class.taxes().len() == 1, "{written}");
    }
}

#[test]
fn the_journal_keeps_parts_only_where_there_is_something_to_tell() {
    let rules = rules(PriceMode::Inclusive, RoundingPlace::Line, Halves::Away, &[]);
    let document = super::document(&[line("S", 1190), line("Q", 1000)], &rules, &Circumstances::on(day())).unwrap();
    let kept: Vec<usize> = document.sums.into_iter().map(|sum| sum.recorded().parts.len()).collect();
    assert_eq!(kept, [2, 0]);
    assert!(document.lines[0].recorded("S").is_empty());
}

const PLACES: [RoundingPlace; 3] = [RoundingPlace::Line, RoundingPlace::Tax, RoundingPlace::Document];

fn halves() -> impl Strategy<Value = Halves> {
    prop::sample::select(vec![Halves::Away, Halves::Even, Halves::Down])
}

fn mode() -> impl Strategy<Value = PriceMode> {
    prop::sample::select(vec![PriceMode::Inclusive, PriceMode::Exclusive])
}

fn basket() -> impl Strategy<Value = Vec<(&'static str, i64)>> {
    let class = prop::sample::select(vec!["S", "R", "Z", "Q", "C"]);
    let amount = prop_oneof![-50_000i64..50_000, -20i64..20, -50_000_000_000i64..50_000_000_000];
    prop::collection::vec((class, amount), 0..40)
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    prop_oneof![
        3 => Just(Circumstances::on(day())),
        1 => Just(exempt(&[])),
        1 => Just(exempt(&["GST"])),
        1 => Just(Circumstances::on(Date::constant(2026, 1, 1))),
    ]
}

fn weekend() -> Holiday {
    Holiday {
        name: "weekend".into(),
        from: day(),
        to: day(),
        classes: vec!["C".into(), "S".into()],
        taxes: Vec::new(),
        max_unit_price: Some(Money(5000)),
    }
}

/// All that must hold for any document.
fn agrees_with_itself(document: &Document, lines: &[Taxable<'_>], mode: PriceMode) {
    assert_eq!(document.lines.len(), lines.len());
    let mut by_lines = Vec::new();
    for (tax, line) in document.lines.iter().zip(lines) {
        assert_eq!(tax.tax, Money::sum(tax.parts.iter().map(|part| part.amount)).unwrap());
        match mode {
            PriceMode::Exclusive => assert_eq!(tax.net, line.amount),
            PriceMode::Inclusive => assert_eq!(tax.net.0 + tax.tax.0 + tax.waived.0, line.amount.0),
        }
        by_lines.push(TaxSum {
            tax_class: line.class.to_owned(),
            rate: tax.rate,
            net: tax.net,
            tax: tax.tax,
            parts: tax.parts.clone(),
        });
    }
    assert_eq!(document.net, Money::sum(document.lines.iter().map(|line| line.net)).unwrap());
    assert_eq!(document.tax, Money::sum(document.lines.iter().map(|line| line.tax)).unwrap());
    let recorded: Vec<TaxSum> = document.sums.iter().cloned().map(TaxSum::recorded).collect();
    let by_lines = by_lines.into_iter().map(TaxSum::recorded);
    assert_eq!(recorded, TaxSum::merged(by_lines).unwrap());
}

proptest! {
    #[test]
    fn inclusive_parts_add_up_and_a_return_mirrors_the_sale(amount in -1_000_000_000i64..1_000_000_000, percent in 0i64..100) {
        let rate = Rate::try_from(Decimal::new(percent, 2).to_string()).unwrap();
        let sale = split(Money(amount), rate, PriceMode::Inclusive).unwrap();
        prop_assert_eq!(sale.net.0 + sale.tax.0, amount);
        let back = split(Money(-amount), rate, PriceMode::Inclusive).unwrap();
        prop_assert_eq!((back.net.0, back.tax.0), (-sale.net.0, -sale.tax.0));
    }

    #[test]
    fn lines_and_sums_agree_to_the_cent_under_every_policy(
        basket in basket(), mode in mode(), halves in halves(), circumstances in circumstances(), holiday in any::<bool>()
    ) {
        let holidays = if holiday { vec![weekend()] } else { Vec::new() };
        let lines: Vec<Taxable<'_>> = basket.iter().map(|(class, amount)| line(class, *amount)).collect();
        for place in PLACES {
            let rules = rules(mode, place, halves, &holidays);
            let document = super::document(&lines, &rules, &circumstances).unwrap();
            agrees_with_itself(&document, &lines, mode);
        }
    }

    #[test]
    fn growing_line_by_line_tells_the_same_totals_as_all_at_once(
        basket in basket(), gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10), mode in mode(), halves in halves(),
        circumstances in circumstances()
    ) {
        for place in PLACES {
            let rules = Arc::new(rules(mode, place, halves, &[weekend()]));
            let mut running = Running::new(Arc::clone(&rules), circumstances.clone()).unwrap();
            let mut lines: Vec<Taxable<'_>> = basket.iter().map(|(class, amount)| line(class, *amount)).collect();
            for line in &lines {
                running.add(line).unwrap();
            }
            for index in &gone {
                if lines.is_empty() {
                    break;
                }
                let line = lines.remove(index.index(lines.len()));
                running.remove(&line).unwrap();
            }
            let document = super::document(&lines, &rules, &circumstances).unwrap();
            prop_assert_eq!(running.totals().unwrap(), Totals { net: document.net, tax: document.tax });
            prop_assert_eq!(running.sums().unwrap(), document.sums);
        }
    }

    #[test]
    fn a_document_of_returns_mirrors_the_document_of_sales(basket in basket(), mode in mode(), halves in halves(), circumstances in circumstances()) {
        let there: Vec<Taxable<'_>> = basket.iter().map(|(class, amount)| line(class, *amount)).collect();
        let back: Vec<Taxable<'_>> = basket.iter().map(|(class, amount)| line(class, -*amount)).collect();
        for place in PLACES {
            let rules = rules(mode, place, halves, &[weekend()]);
            let sale = super::document(&there, &rules, &circumstances).unwrap();
            let refund = super::document(&back, &rules, &circumstances).unwrap();
            let mirrored: Vec<LineTax> = sale.lines.iter().map(|line| line.negated().unwrap()).collect();
            prop_assert_eq!(mirrored, refund.lines);
            prop_assert_eq!((sale.net.0, sale.tax.0), (-refund.net.0, -refund.tax.0));
        }
    }

    #[test]
    fn without_tax_it_does_not_matter_whether_prices_hold_it(amounts in prop::collection::vec(-50_000i64..50_000, 0..20), halves in halves()) {
        let lines: Vec<Taxable<'_>> = amounts.iter().map(|amount| line("Z", *amount)).collect();
        for place in PLACES {
            let told = |mode| super::document(&lines, &rules(mode, place, halves, &[]), &Circumstances::on(day())).unwrap();
            prop_assert_eq!(told(PriceMode::Inclusive), told(PriceMode::Exclusive));
        }
    }

    #[test]
    fn no_policy_is_further_from_the_exact_tax_than_half_a_cent_per_rounding(basket in basket(), mode in mode(), halves in halves()) {
        let lines: Vec<Taxable<'_>> = basket.iter().map(|(class, amount)| line(class, *amount)).collect();
        let mut exact = Decimal::ZERO;
        for line in &lines {
            let rate = rules(mode, RoundingPlace::Line, halves, &[]).class(line.class).unwrap().rate.0;
            let amount = Decimal::from(line.amount.0);
            exact += match mode {
                PriceMode::Exclusive => amount * rate,
                PriceMode::Inclusive => amount * rate / (Decimal::ONE + rate),
            };
        }
        let taxes_of = |class: &str| classes().iter().find(|known| known.code == class).unwrap().taxes().len();
        for place in PLACES {
            let rules = rules(mode, place, halves, &[]);
            let document = super::document(&lines, &rules, &Circumstances::on(day())).unwrap();
            let roundings = match place {
                RoundingPlace::Line => lines.iter().map(|line| taxes_of(line.class)).sum::<usize>(),
                // Each class may have a sold and a returned side.
                RoundingPlace::Tax => 2 * document.sums.iter().map(|sum| sum.parts.len()).sum::<usize>(),
                RoundingPlace::Document => 2,
            };
            let off = (Decimal::from(document.tax.0) - exact).abs();
            let allowed = Decimal::new(5, 1) * Decimal::from(roundings) + Decimal::new(1, 6);
            prop_assert!(off <= allowed, "{place:?}: {off} with {roundings} roundings");
        }
    }

    #[test]
    fn part_returns_of_any_sizes_add_up_to_the_line(amount in -50_000i64..50_000, cuts in prop::collection::vec(1u64..5000, 1..8), mode in mode()) {
        let rules = rules(mode, RoundingPlace::Line, Halves::Away, &[]);
        let document = super::document(&[line("C", amount)], &rules, &exempt(&["GST"])).unwrap();
        let whole = cuts.iter().sum();
        let (mut at, mut sum) = (0, LineTax { net: Money::ZERO, tax: Money::ZERO, waived: Money::ZERO, parts: Vec::new(), ..document.lines[0].clone() });
        for cut in cuts {
            let slice = document.lines[0].slice(at, at + cut, whole, mode).unwrap();
            prop_assert_eq!(slice.tax, Money::sum(slice.parts.iter().map(|part| part.amount)).unwrap());
            sum.net.0 += slice.net.0;
            sum.tax.0 += slice.tax.0;
            sum.waived.0 += slice.waived.0;
            add_parts(&mut sum.parts, &slice.parts).unwrap();
            at += cut;
        }
        prop_assert_eq!(&sum, &document.lines[0]);
    }

    #[test]
    fn no_amount_breaks_it(amounts in prop::collection::vec(any::<i64>(), 0..6), mode in mode(), halves in halves()) {
        let lines: Vec<Taxable<'_>> = amounts.iter().map(|amount| Taxable { unit_price: Money(*amount), amount: Money(*amount), class: "C", given: None }).collect();
        for place in PLACES {
            let _ = super::document(&lines, &rules(mode, place, halves, &[weekend()]), &exempt(&["GST"]));
        }
    }
}
