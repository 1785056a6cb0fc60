//! Laws 5 to 7: sales, tills and stock that do not add up, each spoiled where only one law looks.

use backroom_tests::laws::{Law, Options};
use serde_json::{Value, json};

use super::case::{Case, breaks};
use super::world::{APPLES, TEE, uuid};
use super::{honest, spoiled, with, with_lines};

fn add(value: &mut Value, amount: i64) {
    *value = json!(value.as_i64().unwrap() + amount);
}

#[test]
fn l5_a_lines_reasons_do_not_make_its_price() {
    let report = with(|shop, places| add(&mut shop.specs[places.sale].body["lines"][1]["reasons"][0]["amount"], -1));
    breaks(
        &report,
        Law::L5,
        "thread/berlin 1:9 (receipt r1/1/1)",
        "line 2: its reasons add up to 330, its amount is 331",
    );
}

#[test]
fn l5_a_voided_line_must_add_up_too() {
    let report = with(|shop, places| add(&mut shop.specs[places.sale].body["lines"][2]["net"], 1));
    breaks(
        &report,
        Law::L5,
        "thread/berlin 1:9",
        "line 3: net 1177 and tax 224 do not make 1400",
    );
}

#[test]
fn l5_tax_shifted_between_two_lines() {
    let report = with(|shop, places| {
        let lines = &mut shop.specs[places.second_sale].body["lines"];
        for (line, cents) in [(1, 3), (2, -3)] {
            add(&mut lines[line]["tax"], cents);
            add(&mut lines[line]["net"], -cents);
        }
    });
    breaks(&report, Law::L5, "thread/berlin 1:10", "line 2: 321 is not the tax of 1990 at 0.19");
}

#[test]
fn l5_a_price_that_is_not_unit_price_times_quantity() {
    let report = with(|shop, places| shop.specs[places.open_sale].body["lines"][0]["unit_price"] = json!(2990));
    breaks(
        &report,
        Law::L5,
        "(receipt r1/1/4)",
        "line 1: 2990 times 1000 thousandths is not 1990",
    );
}

#[test]
fn l5_taxes_that_are_not_the_lines() {
    let report = with(|shop, places| {
        let taxes = &mut shop.specs[places.open_sale].body["taxes"];
        add(&mut taxes[0]["net"], 5);
        add(&mut taxes[0]["tax"], -5);
    });
    breaks(
        &report,
        Law::L5,
        "(receipt r1/1/4)",
        "tax class A at 0.19 says net 1677 tax 313, its lines say net 1672 tax 318",
    );
    let report = with(|shop, places| shop.specs[places.open_sale].body["taxes"] = json!([]));
    breaks(&report, Law::L5, "(receipt r1/1/4)", "tax class A at 0.19 is missing");
}

#[test]
fn l5_a_ticket_that_is_not_its_lines() {
    // The open shift's sale, so no Z counts it yet; head office and client are told the same lie.
    let report = lie_about_the_open_sale(|body| {
        add(&mut body["net"], -10);
        add(&mut body["due"], -10);
        add(&mut body["change"], 10);
    });
    breaks(&report, Law::L5, "(receipt r1/1/4)", "the lines' net is 1672, not 1662");
    let report = lie_about_the_open_sale(|body| {
        add(&mut body["due"], 10);
        add(&mut body["change"], -10);
    });
    breaks(&report, Law::L5, "(receipt r1/1/4)", "net + tax + cash rounding is 1990, not 2000");
    let report = lie_about_the_open_sale(|body| add(&mut body["change"], 7));
    breaks(&report, Law::L5, "(receipt r1/1/4)", "tenders - change is 1983, not 1990");
}

fn lie_about_the_open_sale(lie: impl FnOnce(&mut Value)) -> backroom_tests::laws::Report {
    let (mut shops, places) = honest();
    let body = &mut shops[0].specs[places.open_sale].body;
    lie(body);
    let body = body.clone();
    let told = shops[0].log.iter_mut().find(|line| line["result"]["receipt"] == "r1/1/4").unwrap();
    told["result"] = json!({"ok": true});
    for field in ["net", "tax", "cash_rounding", "due"] {
        shops[0].sales.get_mut("r1/1/4").unwrap()[field] = body[field].clone();
    }
    let more = body["change"].as_i64().unwrap() - 10;
    let mut case = Case::of(&shops);
    let tills = case.shops[0].state.as_mut().unwrap().iter_mut().chain(case.hq.as_mut().unwrap());
    for till in tills.filter(|line| line["projection"] == "tills" && line["value"]["float"] == 9000) {
        add(&mut till["value"]["change"], more);
        add(&mut till["value"]["expected"], -more);
    }
    case.check()
}

#[test]
fn l5_a_tender_that_nobody_took() {
    let report = with(|shop, places| add(&mut shop.specs[places.taken].body["tender"]["amount"], -100));
    breaks(
        &report,
        Law::L5,
        "thread/berlin 1:9",
        "is 1000 cash, thread/berlin 1:8 took 900 cash",
    );
    let report = with(|shop, places| shop.specs[places.sale].body["tenders"][0]["command_id"] = json!(uuid(5)));
    assert_eq!(report.broken(), [Law::L5], "{report}");
    let text = report.to_string();
    assert!(
        text.contains("tender 00000000-0000-0000-0000-000000000005 of 1000 was taken by no entry before"),
        "{text}"
    );
    assert!(text.contains("thread/berlin 1:8: took 1000 for ticket"), "{text}");
    let report = with(|shop, places| shop.specs[places.taken].body["ticket"] = json!(uuid(5)));
    breaks(
        &report,
        Law::L5,
        "thread/berlin 1:9",
        "was taken for ticket 00000000-0000-0000-0000-000000000005",
    );
}

#[test]
fn l5_money_on_a_ticket_that_is_gone() {
    let mut case = spoiled(|_, _| {});
    // Its lines were only written; a power cut may take them, so law 1 is content.
    case.shops[0].tickets = Some(Vec::new());
    let report = case.check();
    assert_eq!(report.broken(), [Law::L1, Law::L5], "{report}");
    assert!(report.to_string().contains("took 100 for ticket"), "{report}");
    let after_power_cut = Options {
        after_power_cut: true,
        ..Options::default()
    };
    case.check_with(after_power_cut).assert_holds(&[Law::L1, Law::L5]);
}

#[test]
fn l5_a_return_mirrors_its_sale_and_happens_once() {
    let report = with(|shop, places| {
        shop.take_back(places.sale);
    });
    breaks(
        &report,
        Law::L5,
        "(receipt r1/1/6)",
        "takes receipt r1/1/1 back, which thread/berlin 1:12 already did",
    );
    let report = with(|shop, places| {
        let at = shop.take_back(places.second_sale);
        shop.specs[at].body["original"]["number"] = json!(5);
    });
    breaks(&report, Law::L5, "(receipt r1/1/6)", "gives back due -4310, receipt r1/1/5 had 330");
    let report = with(|shop, places| {
        let at = shop.take_back(places.second_sale);
        shop.specs[at].body["original"]["number"] = json!(3);
    });
    breaks(&report, Law::L5, "(receipt r1/1/6)", "no sale before it has that number");
    let report = with(|shop, places| {
        let at = shop.take_back(places.second_sale);
        shop.specs[at].body["original"] = Value::Null;
    });
    breaks(&report, Law::L5, "(receipt r1/1/6)", "names no receipt that it takes back");
    let report = with(|shop, places| {
        let at = shop.take_back(places.second_sale);
        shop.specs[at].body["lines"].as_array_mut().unwrap().swap(0, 1);
    });
    breaks(&report, Law::L5, "(receipt r1/1/6)", "gives back TEE-M");
}

#[test]
fn l6_a_z_report_with_one_wrong_figure() {
    for (pointer, figure) in [
        ("/z/number", "its number is 2"),
        ("/z/float", "float is 10001"),
        ("/z/expected", "expected is"),
        ("/z/over_short", "over_short is -9"),
        ("/z/perpetual_sales", "perpetual_sales is"),
        ("/z/perpetual_returns", "perpetual_returns is"),
        ("/z/totals/sales", "sales is 3, the shift adds up to 2"),
        ("/z/totals/returns", "returns is 2, the shift adds up to 1"),
        ("/z/totals/cancelled", "cancelled is 2, the shift adds up to 1"),
        ("/z/totals/net", "net is"),
        ("/z/totals/tax", "tax is"),
        ("/z/totals/cash_rounding", "cash_rounding is"),
        ("/z/totals/sales_due", "sales_due is"),
        ("/z/totals/returns_due", "returns_due is -2319"),
        ("/z/totals/cash_taken", "cash_taken is 8001"),
        ("/z/totals/change", "change is"),
        ("/z/totals/cash_refunds", "cash_refunds is 2321"),
        ("/z/totals/paid_in", "paid_in is 501"),
        ("/z/totals/paid_out", "paid_out is 121"),
        ("/z/totals/drops", "drops is 3001"),
        ("/z/totals/taxes/0/tax", "taxes are"),
        (
            "/z/totals/receipts/0/last/number",
            "its receipts are \"r1/1/1 to r1/1/4\", the shift's are \"r1/1/1 to r1/1/3\"",
        ),
    ] {
        let report = with(|shop, places| add(shop.specs[places.z].body.pointer_mut(pointer).unwrap(), 1));
        breaks(&report, Law::L6, "thread/berlin 1:16, till t1", figure);
    }
}

#[test]
fn l6_a_sale_in_no_shift_or_in_another_one() {
    let (mut shops, places) = honest();
    let closed = shops[0].specs[places.sale].body["shift"].clone();
    shops[0].specs[places.open_sale].body["shift"] = closed;
    let mut case = Case::of(&shops);
    (case.hq, case.shops[0].state) = (None, None);
    breaks(&case.check(), Law::L6, "thread/berlin 1:", "closes a sale in shift");
    let report = with(|shop, _| {
        shop.close_shift(0);
        shop.move_cash("paid_in", 100);
    });
    breaks(&report, Law::L6, "thread/berlin 1:", "but no shift is open");
}

#[test]
fn l6_two_shifts_at_once_or_one_closed_twice() {
    let report = with(|shop, _| {
        shop.open_shift(1);
    });
    breaks(&report, Law::L6, "thread/berlin 1:", "opens a shift while");
    let report = with(|shop, _| {
        shop.close_shift(0);
        shop.close_shift(0);
    });
    breaks(&report, Law::L6, "thread/berlin 1:", "which is not open");
}

#[test]
fn l6_a_store_whose_own_state_is_no_fold() {
    for (field, lie) in [
        ("cash_taken", json!(1)),
        ("expected", json!(1)),
        ("counted", Value::Null),
        ("open", json!(true)),
    ] {
        let report = with_lines(|case, _| {
            let till = |line: &&mut Value| line["projection"] == "tills" && line["value"]["open"] == false;
            let state = case.shops[0].state.as_mut().unwrap();
            state.iter_mut().find(till).unwrap()["value"][field] = lie;
        });
        breaks(&report, Law::L6, "berlin's own state, tills berlin/t1/", &format!("{field} is"));
    }
    // A box need not remember a shift that is closed; of the open one it must.
    with_lines(|case, _| case.shops[0].state.as_mut().unwrap().retain(|line| line["value"]["open"] != false)).assert_holds(&[Law::L6]);
    let report = with_lines(|case, _| {
        let state = case.shops[0].state.as_mut().unwrap();
        state.retain(|line| line["value"]["open"] != true);
    });
    breaks(&report, Law::L6, "berlin's own state, tills berlin/t1/", "is missing");
}

#[test]
fn l7_on_hand_is_not_what_moved() {
    let report = with_lines(|case, _| {
        let state = case.shops[0].state.as_mut().unwrap();
        let line = state.iter_mut().find(|line| line["key"] == "berlin/APPLE").unwrap();
        add(&mut line["value"]["on_hand"], 1000);
    });
    breaks(&report, Law::L7, "berlin's own state, stock berlin/APPLE", "on_hand is");
    let report = with_lines(|case, _| add(&mut case.projection("stock", "munich/TEE-M")["value"]["on_hand"], -1000));
    breaks(&report, Law::L7, "head office, stock munich/TEE-M", "on_hand is");
    let report = with_lines(|case, _| case.hq().retain(|line| line["key"] != "munich/TEE-M"));
    breaks(&report, Law::L7, "head office, stock munich/TEE-M", "is missing");
    let report = with_lines(|case, _| {
        let line = json!({"projection": "stock", "key": "berlin/HAT", "value": {"on_hand": 1}});
        case.shops[0].state.as_mut().unwrap().push(line);
    });
    breaks(&report, Law::L7, "stock berlin/HAT", "stands for nothing that the entries tell");
}

#[test]
fn l7_a_sale_that_moves_something_else_than_it_sold() {
    let report = with(|shop, _| {
        let at = shop.sell(&[TEE, APPLES], &[3000]);
        add(&mut shop.specs[at].body["moves"][0]["delta"], 1000);
        *shop.stock.get_mut("TEE-M").unwrap() += 1000;
    });
    breaks(
        &report,
        Law::L7,
        "thread/berlin 1:",
        "moves -1000 thousandths of TEE-M less than its lines say",
    );
    let report = with(|shop, _| {
        let at = shop.cancel(&[TEE]);
        shop.specs[at].body["moves"] = json!([{"sku": "TEE-M", "delta": -1000, "reason": "sale"}]);
        *shop.stock.get_mut("TEE-M").unwrap() -= 1000;
    });
    breaks(&report, Law::L7, "thread/berlin 1:", "moves 1000 thousandths of TEE-M less");
}

#[test]
fn l7_a_move_for_the_wrong_reason() {
    let report = with(|shop, places| shop.specs[places.sale].body["moves"][0]["reason"] = json!("return"));
    breaks(&report, Law::L7, "thread/berlin 1:9", "for the reason \"return\" instead of sale");
    let report = with(|shop, _| shop.specs[2].body["moves"][0]["reason"] = json!("sale"));
    breaks(&report, Law::L7, "thread/berlin 1:3", "instead of opening");
}
