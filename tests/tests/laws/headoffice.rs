//! Law 8: head office holds other entries than the store, or makes other sums of them.

use backroom_tests::laws::Law;
use serde_json::json;

use super::case::{Case, breaks, hq_lines};
use super::world::ShopWorld;
use super::{CONVERGED, honest, with_lines};

#[test]
fn l8_head_office_lacks_what_it_says_it_holds() {
    let report = with_lines(|case, _| drop(case.hq().remove(4)));
    breaks(
        &report,
        Law::L8,
        "thread/berlin 1:5 at head office",
        "is missing, though the watermark says",
    );
}

#[test]
fn l8_head_office_holds_other_bytes() {
    let (shops, _) = honest();
    let mut other = shops.clone();
    let at = other[0].sign_in();
    let mut same = shops.clone();
    same[0].sign_in();
    other[0].specs[at].body["session"] = json!(5);
    let mut case = Case::of(&same);
    case.hq = Some(hq_lines(&other));
    breaks(&case.check(), Law::L8, &format!("thread/berlin 1:{}", at + 1), "in the store to");
}

#[test]
fn l8_head_office_holds_an_entry_the_store_never_wrote() {
    let (shops, _) = honest();
    let mut more = shops.clone();
    let at = more[0].fact(
        None,
        2,
        json!({"fact": "catalog_applied", "version": 4, "hash": "cd".repeat(32), "items": 3}),
    );
    let mut case = Case::of(&shops);
    case.hq = Some(hq_lines(&more));
    breaks(
        &case.check(),
        Law::L8,
        &format!("thread/berlin 1:{}", at + 1),
        "is an entry that the store does not have",
    );
}

#[test]
fn l8_a_watermark_that_can_not_be() {
    for (field, lie, why) in [
        ("hash", json!("33".repeat(32)), "is its hash, but it is"),
        ("applied", json!(99), "99 are applied, more than the"),
        ("held", json!(99), "though the watermark says that 99 are held"),
    ] {
        let report = with_lines(|case, _| case.projection("watermark", "berlin/1")["value"][field] = lie);
        breaks(&report, Law::L8, "thread/berlin 1:", why);
    }
}

#[test]
fn l8_a_projection_that_is_no_fold() {
    for (projection, key, field, lie, why) in [
        ("sales", "berlin/r1/1/1", "due", json!(1), "due is 1, the entries add up to 2320"),
        ("sales", "munich/r1/2/1", "business_day", json!("2026-11-19"), "business_day is"),
        ("tills", "berlin/t1/", "drops", json!(0), "drops is 0, the entries add up to 3000"),
        ("tills", "berlin/t1/", "open", json!(true), "open is true"),
    ] {
        let report = with_lines(|case, _| case.projection(projection, key)["value"][field] = lie);
        breaks(&report, Law::L8, &format!("head office, {projection} {key}"), why);
    }
    let report = with_lines(|case, _| case.hq().retain(|line| line["key"] != "berlin/r1/1/2"));
    breaks(&report, Law::L8, "head office, sales berlin/r1/1/2", "is missing");
    let report = with_lines(|case, _| {
        let line = case.projection("sales", "berlin/r1/1/2").clone();
        case.hq().push(line);
    });
    breaks(&report, Law::L8, "head office, sales berlin/r1/1/2", "is projected twice");
}

#[test]
fn l8_entries_may_be_under_way_unless_all_should_have_arrived() {
    let (shops, _) = honest();
    let mut later = shops.clone();
    later[0].sign_in();
    let at = later[0].specs.len();
    let mut case = Case::of(&later);
    case.hq = Some(hq_lines(&shops));
    case.check().assert_holds(&[Law::L8]);
    breaks(
        &case.check_with(CONVERGED),
        Law::L8,
        &format!("thread/berlin 1:{at}"),
        "is not held at head office",
    );
    case.hq = Some(hq_lines(&shops[1..]));
    breaks(&case.check_with(CONVERGED), Law::L8, "thread/berlin", "holds nothing of this store");
}

#[test]
fn l8_head_office_keeps_tenants_apart() {
    let (shops, _) = honest();
    let other = ShopWorld::new("grocer", "hamburg", 9 << 64);
    let mut case = Case::of(&shops);
    let mut line = other.lines().remove(0);
    line["store"] = json!("hamburg");
    case.hq().push(line);
    breaks(
        &case.check(),
        Law::L8,
        "grocer/hamburg 1:1",
        "lies in head office's export of tenant thread",
    );
}
