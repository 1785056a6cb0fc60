//! The checker of the ten laws: an honest world satisfies them all, and each way of breaking one is named by its law and place.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

mod case;
mod commands;
mod devices;
mod headoffice;
mod journal;
mod money;
mod world;
mod written;

use std::collections::BTreeSet;

use backroom_tests::laws::{Evidence, Files, Law, Options, Report, Sync, Verdict, check, check_files};
use serde_json::{Value, json};

use case::{Case, breaks};
use world::{APPLES, MUG_VOIDED, ShopWorld, TEE};

/// What the skeleton has evidence for.
const WITHOUT_DEVICES: [Law; 8] = [Law::L1, Law::L2, Law::L3, Law::L4, Law::L5, Law::L6, Law::L7, Law::L8];

/// Where things stand in the first shop of the honest world.
struct Places {
    sale: usize,
    taken: usize,
    second_sale: usize,
    z: usize,
    open_sale: usize,
}

/// Two shops of one tenant: shifts, returns, voided lines, given-up tickets, rounding, an open ticket, a box that was set back.
fn honest() -> (Vec<ShopWorld>, Places) {
    let mut berlin = ShopWorld::new("thread", "berlin", 1 << 64);
    berlin.directive(1);
    berlin.open_shift(10_000);
    let sale = berlin.sell(&[TEE, APPLES, MUG_VOIDED], &[1000, 2000]);
    let taken = sale - 1;
    let second_sale = berlin.sell(&[APPLES, TEE, TEE], &[5000]);
    berlin.cancel(&[TEE, MUG_VOIDED]);
    berlin.take_back(sale);
    for (kind, amount) in [("paid_in", 500), ("paid_out", 120), ("drop", 3000)] {
        berlin.move_cash(kind, amount);
    }
    let z = berlin.close_shift(-10);
    berlin.refuse(2);
    berlin.sign_in();
    berlin.open_shift(9_000);
    let open_sale = berlin.sell(&[TEE], &[2000]);
    berlin.sell(&[APPLES], &[400]);
    berlin.leave_open(&[TEE, MUG_VOIDED], 100);

    let mut munich = ShopWorld::new("thread", "munich", 2 << 64);
    munich.inclusive = false;
    munich.open_shift(0);
    let first = munich.sell(&[TEE, APPLES], &[5000]);
    munich.take_back(first);
    munich.close_shift(0);
    munich.open_shift(2_000);
    munich.sell(&[APPLES], &[500]);
    munich.open_epoch(2);
    munich.sell(&[TEE], &[3000]);
    munich.close_shift(5);
    let places = Places {
        sale,
        taken,
        second_sale,
        z,
        open_sale,
    };
    (vec![berlin, munich], places)
}

/// The honest world, its first shop spoiled before anything is written down.
fn spoiled(spoil: impl FnOnce(&mut ShopWorld, &Places)) -> Case {
    let (mut shops, places) = honest();
    spoil(&mut shops[0], &places);
    Case::of(&shops)
}

/// The same, checked.
fn with(spoil: impl FnOnce(&mut ShopWorld, &Places)) -> Report {
    spoiled(spoil).check()
}

/// The honest world's lines, spoiled afterwards.
fn with_lines(spoil: impl FnOnce(&mut Case, &Places)) -> Report {
    let (shops, places) = honest();
    let mut case = Case::of(&shops);
    spoil(&mut case, &places);
    case.check()
}

const CONVERGED: Options = Options {
    after_power_cut: false,
    sync: Sync::Converged,
    keep: 20,
};

#[test]
fn an_honest_world_keeps_all_laws() {
    let (shops, _) = honest();
    let report = Case::of(&shops).check_with(CONVERGED);
    report.assert_holds(&WITHOUT_DEVICES);
    // The payload of every kind was read from the bytes of the real protocol.
    let kinds: BTreeSet<u16> = shops[0].specs.iter().map(|spec| spec.kind).collect();
    assert_eq!(kinds, BTreeSet::from_iter(1..=12));
    for law in [Law::L9, Law::L10] {
        assert!(matches!(report.verdict(law), Verdict::NothingToCheck { .. }), "{report}");
    }
}

#[test]
fn what_is_not_in_evidence_is_not_called_kept() {
    let (shops, _) = honest();
    let idle = |spoil: fn(&mut Case)| {
        let mut case = Case::of(&shops);
        spoil(&mut case);
        let report = case.check();
        assert!(report.holds(), "{report}");
        let idle = |law: &Law| matches!(report.verdict(*law), Verdict::NothingToCheck { .. });
        Law::ALL.into_iter().filter(idle).collect::<Vec<_>>()
    };
    assert_eq!(idle(|case| case.logs.clear()), [Law::L1, Law::L9, Law::L10]);
    assert_eq!(idle(|case| case.hq = None), [Law::L8, Law::L9, Law::L10]);
    assert_eq!(
        idle(|case| {
            case.shops.clear();
            case.hq = None;
            case.logs.clear();
        }),
        Law::ALL
    );
    let logs_only = |case: &mut Case| {
        case.shops.clear();
        case.hq = None;
    };
    let mut case = Case::of(&shops);
    logs_only(&mut case);
    // With nothing but acknowledgements every one of them is lost.
    assert_eq!(case.check().broken(), [Law::L1]);
}

#[test]
fn head_office_alone_is_checked_like_a_store() {
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    case.shops.clear();
    case.logs.clear();
    let report = case.check();
    report.assert_holds(&[Law::L2, Law::L3, Law::L4, Law::L5, Law::L6, Law::L7, Law::L8]);
}

#[test]
fn a_report_is_a_table_for_people_and_json_for_programs() {
    let report = with(|shop, places| shop.specs[places.sale].body["lines"][0]["reasons"][0]["amount"] = json!(1));
    let table = report.to_string();
    assert!(
        table.contains("L5  each sale adds up") && table.contains("BROKEN 1 times"),
        "{table}"
    );
    assert!(
        table.contains("nothing to check (no ledger of a terminal and no card tender)"),
        "{table}"
    );
    assert!(table.contains("L5 is broken at thread/berlin 1:"), "{table}");
    let json = report.to_json();
    assert_eq!(
        (&json["holds"], &json["laws"][4]["verdict"]),
        (&Value::Bool(false), &json!("broken"))
    );
    assert_eq!(json["laws"][4]["violations"][0]["law"], "L5");
    assert_eq!(json["laws"][8]["verdict"], "nothing_to_check");
}

#[test]
fn of_many_violations_the_first_are_told_and_all_are_counted() {
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    case.logs.iter_mut().for_each(|log| log.retain(|line| line.get("asked").is_none()));
    let report = case.check_with(Options {
        keep: 2,
        ..Options::default()
    });
    assert_eq!(report.broken(), [Law::L2]);
    assert_eq!(report.violations().count(), 2);
    let Verdict::Broken { times, .. } = report.verdict(Law::L2) else {
        panic!("{report}");
    };
    assert!(*times > 20, "{report}");
    assert!(report.to_string().contains("more not shown"), "{report}");
}

#[test]
#[should_panic(expected = "nothing to check for [L1]")]
fn a_test_may_demand_that_a_law_had_something_to_check() {
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    case.logs.clear();
    case.check().assert_holds(&WITHOUT_DEVICES);
}

#[test]
fn a_box_that_was_set_back_leaves_a_branch_which_head_office_keeps() {
    // The box had sold once more; then its disk was set back, it opened a new epoch and went on selling.
    let (shops, _) = honest();
    let [mut forgotten, mut alive] = [shops[0].clone(), shops[0].clone()];
    let fork = shops[0].specs.len();
    forgotten.sell(&[TEE], &[2000]);
    alive.another_life();
    alive.open_epoch(2);
    alive.sell(&[APPLES, APPLES], &[1000]);
    let mut case = Case::of(&[alive.clone(), shops[1].clone()]);
    case.logs.push(forgotten.log.clone());

    // Head office heard of both lives: entries, numbers, money and stock.
    let mut entries = forgotten.lines();
    entries.extend(alive.lines().split_off(fork));
    let watermarks = case::watermarks("berlin", &entries);
    for line in &mut entries {
        line["store"] = json!("berlin");
    }
    let hq = case.hq();
    hq.retain(|line| line["store"] != "berlin" && !line["key"].as_str().is_some_and(|key| key.starts_with("berlin/")));
    hq.extend(entries);
    hq.extend(watermarks);
    let report = case.check();
    assert_eq!(report.broken(), [Law::L7, Law::L8], "{report}");
    assert!(
        report.violations().all(|violation| violation.sentence.contains("is missing")),
        "{report}"
    );
    forgotten.sales.append(&mut alive.sales.clone());
    *forgotten.stock.get_mut("APPLE").unwrap() = alive.stock["APPLE"];
    let mut tills = alive.tills();
    let (both, lost, before) = (
        &mut tills[1]["value"],
        &forgotten.tills()[1]["value"],
        &shops[0].tills()[1]["value"],
    );
    for field in ["cash_taken", "change", "expected"] {
        both[field] = json!(both[field].as_i64().unwrap() + lost[field].as_i64().unwrap() - before[field].as_i64().unwrap());
    }
    case.hq().extend([tills, forgotten.sales_lines(), forgotten.stock_lines()].concat());
    case.check_with(CONVERGED).assert_holds(&WITHOUT_DEVICES);

    // The branch is looked at like any other history, and its commands count as kept.
    case.logs.pop();
    breaks(&case.check(), Law::L2, &format!("thread/berlin 1:{}", fork + 1), "no client asked");

    // Without the newer epoch the branch would be head office's own invention.
    case.shops[0].export.truncate(fork);
    assert!(case.check().broken().contains(&Law::L8));
}

#[test]
fn money_on_a_ticket_that_a_forgotten_life_closed_is_where_it_belongs() {
    // A customer had paid a first part when the disk was set back; the life that was forgotten took the rest.
    let (shops, _) = honest();
    let [mut forgotten, mut alive] = [shops[0].clone(), shops[0].clone()];
    let fork = shops[0].specs.len();
    forgotten.sell(&[TEE], &[1000, 2000]);
    alive.specs.push(forgotten.specs[fork].clone());
    alive.another_life();
    alive.open_epoch(2);
    let mut case = Case::of(&[alive.clone(), shops[1].clone()]);
    case.logs.push(forgotten.log.clone());
    assert!(case.check().broken().contains(&Law::L5), "nobody tells what became of the money");

    let mut entries = forgotten.lines();
    entries.extend(alive.lines().split_off(fork + 1));
    for line in &mut entries {
        line["store"] = json!("berlin");
    }
    let hq = case.hq();
    hq.retain(|line| line["store"] != "berlin");
    hq.extend(entries);
    assert!(!case.check().broken().contains(&Law::L5), "{}", case.check());
}

#[test]
fn two_lives_of_one_box_in_the_same_epoch_are_two_branches() {
    // Set back without noticing, it wrote two more entries before it opened a new epoch; head office has all of it.
    let (shops, _) = honest();
    let [mut forgotten, mut alive] = [shops[0].clone(), shops[0].clone()];
    let fork = shops[0].specs.len();
    for _ in 0..3 {
        forgotten.sign_in();
    }
    alive.another_life();
    alive.sign_in();
    alive.move_cash("paid_in", 700);
    alive.open_epoch(2);
    alive.move_cash("drop", 300);
    let mut case = Case::of(&[alive.clone(), shops[1].clone()]);
    case.logs.push(forgotten.log.clone());
    let mut branch = forgotten.lines().split_off(fork);
    let watermark = case::watermarks("berlin", &branch).remove(0);
    for line in &mut branch {
        line["store"] = json!("berlin");
    }
    case.hq().extend(branch);
    *case.projection("watermark", "berlin/1") = watermark;
    case.check_with(CONVERGED).assert_holds(&WITHOUT_DEVICES);

    // A branch is a chain like any other.
    let lost = |line: &Value| line["store"] == "berlin" && line["seq"] == fork + 2 && line["kind"] == "signed_in";
    let at = case.hq().iter().position(lost).unwrap();
    let gone = case.hq().remove(at);
    let report = case.check();
    assert_eq!(report.broken(), [Law::L1, Law::L4], "{report}");
    assert!(
        report.to_string().contains(&format!("thread/berlin 1:{}: names", fork + 3)),
        "{report}"
    );
    case.hq().push(gone.clone());
    case.hq().push(gone);
    breaks(&case.check(), Law::L8, &format!("thread/berlin 1:{}", fork + 2), "is held twice");
}

#[test]
fn evidence_is_read_from_a_campaigns_folder_or_named_files() {
    let (shops, _) = honest();
    let case = Case::of(&shops);
    let folder = case::Folder::write(&case);
    let read = |path: &str| folder.path().join(path);
    let report = check(&Evidence::read_folder(folder.path()).unwrap(), CONVERGED);
    report.assert_holds(&WITHOUT_DEVICES);
    let mut files = Files {
        store_exports: vec![read("stores/0/journal.jsonl"), read("stores/1/journal.jsonl")],
        hq_exports: vec![read("hq/thread.jsonl")],
        tickets: vec![read("stores/0/tickets.jsonl"), read("stores/1/tickets.jsonl")],
        states: vec![read("stores/0/state.jsonl"), read("stores/1/state.jsonl")],
        logs: vec![read("clients/0.log"), read("clients/1.log")],
        ledgers: Vec::new(),
    };
    check_files(&files, CONVERGED).unwrap().assert_holds(&WITHOUT_DEVICES);
    files.tickets.pop();
    let why = check_files(&files, CONVERGED).unwrap_err().to_string();
    assert!(why.starts_with("1 tickets files for 2 store exports"), "{why}");
    files.tickets = Vec::new();
    files.logs.push(read("clients/2.log"));
    let why = check_files(&files, CONVERGED).unwrap_err().to_string();
    assert!(why.contains("could not open") && why.contains("clients/2.log"), "{why}");
}
