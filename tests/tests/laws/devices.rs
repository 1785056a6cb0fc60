//! Laws 9 and 10: ledgers of terminals, printers and drawers against card tenders and effects.

use backroom_tests::laws::{Law, Report};
use serde_json::{Value, json};

use super::case::{Case, breaks};
use super::world::{ShopWorld, TEE};

/// A shop with one card sale and one return to the card, printed receipts and an opened drawer.
struct Counter {
    shop: ShopWorld,
    terminal: Vec<Value>,
    printer: Vec<Value>,
}

impl Counter {
    fn new() -> Self {
        let mut shop = ShopWorld::new("thread", "berlin", 1 << 64);
        shop.open_shift(10_000);
        let sale = shop.sell(&[TEE], &[1990]);
        let back = shop.take_back(sale);
        for (at, attempt) in [(sale, "a1"), (back, "a2")] {
            let tender = &mut shop.specs[at].body["tenders"][0];
            tender["tender"] = json!("card");
            tender["attempt"] = json!(attempt);
        }
        let mut counter = Self {
            shop,
            terminal: vec![
                terminal("authorize", "a1", 1990),
                terminal("capture", "a1", 1990),
                terminal("refund", "a2", 1990),
            ],
            printer: Vec::new(),
        };
        counter.effect("e1", "print", "confirmed");
        counter.effect("e2", "pulse", "confirmed");
        counter.effect("e3", "print", "unknown");
        counter.effect("e4", "print", "failed");
        counter.printer = vec![
            json!({"at": "x", "device": "front", "event": "print", "job": "e1", "mark": "original", "codes": ["r1/1/1"], "text": "..."}),
            json!({"at": "x", "device": "front", "event": "pulse", "job": "e2"}),
            json!({"at": "x", "device": "front", "event": "print", "job": "e3", "mark": "copy", "receipt": "r1/1/1"}),
            json!({"at": "x", "device": "front", "event": "paper_out"}),
        ];
        counter
    }

    fn effect(&mut self, effect: &str, does: &str, end: &str) {
        let wanted = json!({"fact": "effect_wanted", "effect": effect, "device": "front", "does": does});
        self.shop.fact(None, 13, wanted);
        let ended = json!({"fact": "effect_ended", "effect": effect, "end": end, "cause": (end == "unknown").then_some("link")});
        self.shop.fact(None, 14, ended);
    }

    fn check(&self) -> Report {
        let mut case = Case::of(std::slice::from_ref(&self.shop));
        // The cash till is another law's; here the world's cash sums would count the card as cash.
        (case.hq, case.shops[0].state) = (None, None);
        case.ledgers = vec![self.terminal.clone(), self.printer.clone()];
        case.check()
    }
}

fn terminal(event: &str, attempt: &str, amount: i64) -> Value {
    json!({"at": "x", "device": "card-1", "event": event, "attempt": attempt, "amount": amount, "outcome": "approved"})
}

#[test]
fn an_honest_counter_keeps_laws_nine_and_ten() {
    Counter::new().check().assert_holds(&[Law::L9, Law::L10]);
}

#[test]
fn l9_a_capture_for_no_tender_is_reversed_once_or_found() {
    let mut counter = Counter::new();
    counter.terminal.push(terminal("capture", "a9", 500));
    breaks(
        &counter.check(),
        Law::L9,
        "terminal card-1",
        "attempt a9 captured 500 for no tender and was reversed 0 times",
    );
    counter.terminal.push(terminal("reverse", "a9", 500));
    counter.check().assert_holds(&[Law::L9]);
    counter.terminal.push(terminal("reverse", "a9", 500));
    breaks(&counter.check(), Law::L9, "terminal card-1", "was reversed 2 times");
    counter.terminal.truncate(4);
    counter
        .shop
        .fact(None, 15, json!({"fact": "found_capture", "attempt": "a9", "amount": 500}));
    counter.check().assert_holds(&[Law::L9]);
    counter.terminal[3]["outcome"] = json!("declined");
    counter.check().assert_holds(&[Law::L9]);
}

#[test]
fn l9_a_card_tender_without_its_capture() {
    let mut counter = Counter::new();
    counter.terminal.remove(1);
    breaks(
        &counter.check(),
        Law::L9,
        "thread/berlin 1:7",
        "card tender of 1990 was never captured as attempt a1",
    );
    counter.terminal.push(terminal("capture", "a1", 1991));
    breaks(
        &counter.check(),
        Law::L9,
        "terminal card-1",
        "captured 1991, the tender in thread/berlin 1:7 is 1990",
    );
    counter.terminal.pop();
    counter
        .terminal
        .extend([terminal("capture", "a1", 1990), terminal("capture", "a1", 1990)]);
    breaks(&counter.check(), Law::L9, "terminal card-1", "attempt a1 was captured 2 times");
}

#[test]
fn l9_a_tender_that_names_no_attempt() {
    let mut counter = Counter::new();
    let at = counter.shop.specs.iter().position(|spec| spec.body["end"] == "sale").unwrap();
    counter.shop.specs[at].body["tenders"][0]["attempt"] = Value::Null;
    breaks(&counter.check(), Law::L9, "thread/berlin 1:7", "names no attempt");
}

#[test]
fn l9_every_refund_matches_one_of_the_terminal() {
    let mut counter = Counter::new();
    counter.terminal.pop();
    breaks(
        &counter.check(),
        Law::L9,
        "thread/berlin 1:8",
        "attempt a2 gives back 1 times, the terminal did so 0 times",
    );
    counter.terminal.push(terminal("refund", "a2", 1000));
    breaks(
        &counter.check(),
        Law::L9,
        "thread/berlin 1:8",
        "gives back 1990, the terminal gave another amount",
    );
    counter.terminal.pop();
    counter
        .terminal
        .extend([terminal("refund", "a2", 1990), terminal("refund", "a7", 10)]);
    breaks(
        &counter.check(),
        Law::L9,
        "terminal card-1",
        "attempt a7 refunded 10 for no void or return",
    );
}

#[test]
fn l9_a_paid_sale_is_not_reversed_and_nothing_unknown_is() {
    let mut counter = Counter::new();
    counter.terminal.push(terminal("reverse", "a1", 1990));
    breaks(
        &counter.check(),
        Law::L9,
        "terminal card-1",
        "attempt a1 was reversed, but thread/berlin 1:7 counts as paid",
    );
    counter.terminal.pop();
    counter.terminal.push(terminal("reverse", "a8", 1990));
    breaks(
        &counter.check(),
        Law::L9,
        "terminal card-1",
        "attempt a8 was reversed, but never authorized",
    );
}

#[test]
fn l10_a_receipt_has_one_unmarked_original() {
    let mut counter = Counter::new();
    counter.printer[2]["mark"] = json!("original");
    breaks(
        &counter.check(),
        Law::L10,
        "front (ledger.jsonl)",
        "receipt r1/1/1 was printed again without being marked",
    );
    counter.printer[2].as_object_mut().unwrap().remove("mark");
    breaks(
        &counter.check(),
        Law::L10,
        "front (ledger.jsonl)",
        "receipt r1/1/1 was printed again without being marked",
    );
}

#[test]
fn l10_a_pulse_is_never_repeated_by_itself() {
    let mut counter = Counter::new();
    // Even where the count would allow it.
    counter.effect("e5", "pulse", "unknown");
    counter.check().assert_holds(&[Law::L10]);
    let again = counter.printer[1].clone();
    counter.printer.push(again);
    breaks(&counter.check(), Law::L10, "front", "pulse e2 was repeated");
}

#[test]
fn l10_the_device_did_what_was_confirmed_and_at_most_what_is_unknown() {
    let mut counter = Counter::new();
    counter.printer.retain(|line| line["event"] != "print");
    breaks(
        &counter.check(),
        Law::L10,
        "front",
        "did print 0 times; 1 are confirmed and 1 unknown",
    );
    let mut counter = Counter::new();
    let copy = counter.printer[2].clone();
    counter.printer.push(copy);
    breaks(
        &counter.check(),
        Law::L10,
        "front",
        "did print 3 times; 1 are confirmed and 1 unknown",
    );
}

#[test]
fn l10_every_effect_ends_and_says_why_it_is_unknown() {
    let body = |counter: &mut Counter, word: &str, effect: &str| -> usize {
        let found = |spec: &super::world::Spec| spec.body["fact"] == word && spec.body["effect"] == effect;
        counter.shop.specs.iter().position(found).unwrap()
    };
    let mut counter = Counter::new();
    let at = body(&mut counter, "effect_ended", "e3");
    counter.shop.specs[at].body["cause"] = Value::Null;
    breaks(
        &counter.check(),
        Law::L10,
        "thread/berlin 1:",
        "effect e3 is unknown, though neither box, device nor link died",
    );
    let mut counter = Counter::new();
    let at = body(&mut counter, "effect_ended", "e4");
    counter.shop.specs.remove(at);
    breaks(
        &counter.check(),
        Law::L10,
        "thread/berlin 1:",
        "effect e4 (print on front) has no end",
    );
    let mut counter = Counter::new();
    let at = body(&mut counter, "effect_wanted", "e4");
    counter.shop.specs.remove(at);
    breaks(
        &counter.check(),
        Law::L10,
        "thread/berlin 1:",
        "effect e4 ends, but is not under way",
    );
    let mut counter = Counter::new();
    let at = body(&mut counter, "effect_ended", "e4");
    counter.shop.specs[at].body["end"] = json!("perhaps");
    breaks(&counter.check(), Law::L10, "thread/berlin 1:", "ends as \"perhaps\"");
}
