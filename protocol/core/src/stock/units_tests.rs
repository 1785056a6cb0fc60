//! Stories of pieces known one by one, and of lots.

use jiff::civil::date;
use proptest::prelude::*;

use super::shop_for_tests::*;
use super::units::{UnitState, UnitStep};
use super::{MoveReason, Refusal, Source, StockMove, Unit};
use crate::facts::{PurchaseReceived, StockAdjusted, StockFact};
use crate::ids::{CommandId, DeliveryId};
use crate::money::Quantity;

fn moved(of: &str, count: i64, reason: MoveReason, units: Vec<Unit>) -> StockMove {
    StockMove {
        units,
        ..StockMove::new(sku(of), pieces(count), reason)
    }
}

impl Shop {
    /// A move asked for and written when it is allowed.
    fn moves(&mut self, of: &str, count: i64, reason: MoveReason, units: Vec<Unit>) -> Result<(), Refusal> {
        let moves = vec![moved(of, count, reason, units)];
        self.room.may_move(&moves, &self.items)?;
        let fact = StockAdjusted {
            adjustment: CommandId(id(1)),
            by: Some(anna()),
            reason: "counted".parse().unwrap(),
            request: None,
            moves,
        };
        self.stock(StockFact::StockAdjusted(fact));
        Ok(())
    }

    fn mark_units(&mut self, of: &str, step: UnitStep, serial: &str) -> Result<(), Refusal> {
        let fact = self
            .room
            .mark_units(&sku(of), step, &serials(&[serial]), Some(anna()), &self.items)?;
        self.stock(StockFact::UnitsMarked(fact));
        Ok(())
    }

    fn state(&self, of: &str, serial: &str) -> Option<UnitState> {
        self.room.unit(&sku(of), &serials(&[serial])[0])
    }
}

#[test]
fn a_phone_goes_from_the_supplier_to_a_customer_and_back_on_the_shelf() {
    let mut shop = Shop::new("berlin");
    let one = || serials(&["A1"]);
    shop.moves("PHONE", 1, MoveReason::Receipt, one()).unwrap();
    shop.mark_units("PHONE", UnitStep::Reserved, "A1").unwrap();
    shop.moves("PHONE", -1, MoveReason::Sale, one()).unwrap();
    assert_eq!(shop.state("PHONE", "A1"), Some(UnitState::Sold));
    let again = shop.moves("PHONE", -1, MoveReason::Sale, one()).unwrap_err();
    assert_eq!(
        again.to_string(),
        "serial A1 of item PHONE is sold, so it can not be sold; check which one it is"
    );
    shop.moves("PHONE", 1, MoveReason::Return, one()).unwrap();
    let early = shop.moves("PHONE", -1, MoveReason::Sale, one()).unwrap_err();
    assert_eq!(
        early.to_string(),
        "serial A1 of item PHONE is returned and not yet looked at, so it can not be sold; check which one it is"
    );
    shop.mark_units("PHONE", UnitStep::Restocked, "A1").unwrap();
    shop.moves("PHONE", -1, MoveReason::Sale, one()).unwrap();
    assert_eq!(shop.folded_again().unit(&sku("PHONE"), &one()[0]), Some(UnitState::Sold));
}

#[test]
fn a_piece_that_is_missing_is_found_damaged_mended_and_sent_on() {
    let mut shop = Shop::new("berlin");
    let one = || serials(&["A1"]);
    shop.moves("PHONE", 1, MoveReason::Opening, one()).unwrap();
    shop.mark_units("PHONE", UnitStep::Missed, "A1").unwrap();
    assert_eq!(
        shop.moves("PHONE", -1, MoveReason::TransferOut, one()).unwrap_err().code(),
        "unit_state"
    );
    shop.mark_units("PHONE", UnitStep::Found, "A1").unwrap();
    shop.moves("PHONE", -1, MoveReason::Damage, one()).unwrap();
    shop.moves("PHONE", 1, MoveReason::Damage, one()).unwrap();
    shop.moves("PHONE", -1, MoveReason::TransferOut, one()).unwrap();
    assert_eq!(shop.state("PHONE", "A1"), Some(UnitState::InTransit));
    shop.moves("PHONE", 1, MoveReason::TransferIn, one()).unwrap();
    shop.moves("PHONE", -1, MoveReason::ReturnToVendor, one()).unwrap();
    assert_eq!(shop.state("PHONE", "A1"), Some(UnitState::Gone));
}

#[test]
fn pieces_are_named_each_once_and_for_the_right_item() {
    let mut shop = Shop::new("berlin");
    shop.moves("PHONE", 2, MoveReason::Receipt, serials(&["A1", "A2"])).unwrap();
    for (of, count, reason, units, code) in [
        ("PHONE", 1, MoveReason::Receipt, serials(&["A1"]), "unit_state"),
        ("PHONE", 2, MoveReason::Receipt, serials(&["A3", "A3"]), "unit_twice"),
        ("PHONE", 2, MoveReason::Receipt, serials(&["A3"]), "units_missing"),
        ("PHONE", -1, MoveReason::Sale, vec![], "units_missing"),
        ("PHONE", -1, MoveReason::Sale, serials(&["A9"]), "unit_unknown"),
        ("TABLET", -1, MoveReason::Sale, serials(&["A1"]), "unit_of_other"),
        ("PHONE", -1, MoveReason::Sale, vec![lot("L1", 1, None)], "units_missing"),
        ("HAT", 1, MoveReason::Receipt, vec![], "unknown_item"),
    ] {
        assert_eq!(shop.moves(of, count, reason, units).unwrap_err().code(), code);
    }
    shop.moves("TABLET", 1, MoveReason::Receipt, serials(&["A1"])).unwrap();
    assert_eq!(shop.state("PHONE", "A1"), Some(UnitState::InStock), "two makers may use one serial");
    let mark = shop.mark_units("PHONE", UnitStep::Sold, "A1").unwrap_err();
    assert_eq!(mark.code(), "not_a_mark");
}

#[test]
fn a_tag_is_one_thing_in_the_whole_world() {
    let mut shop = Shop::new("berlin");
    let tag = || vec![Unit::Epc("urn:epc:id:sgtin:0614141.812345.6789".parse().unwrap())];
    shop.moves("PHONE", 1, MoveReason::Receipt, tag()).unwrap();
    let other = shop.moves("TABLET", 1, MoveReason::Receipt, tag()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "tag urn:epc:id:sgtin:0614141.812345.6789 belongs to item PHONE, not to TABLET; scan the right item"
    );
}

#[test]
fn what_expires_first_goes_first_and_what_expired_is_taken_off_the_shelf() {
    let mut shop = Shop::new("berlin");
    let lots = vec![
        lot("OLD", 2, Some(date(2026, 11, 1))),
        lot("LATE", 5, Some(date(2027, 1, 1))),
        lot("SOON", 3, Some(date(2026, 12, 1))),
        lot("DATELESS", 1, None),
    ];
    shop.moves("MILK", 11, MoveReason::Receipt, lots).unwrap();
    let found = shop.room.suggest_lots(&sku("MILK"), pieces(10), date(2026, 11, 21));
    let picks: Vec<_> = found.picks.iter().map(|pick| (pick.lot.as_str(), pick.quantity.0 / 1000)).collect();
    assert_eq!(picks, vec![("SOON", 3), ("LATE", 5), ("DATELESS", 1)]);
    assert_eq!((found.missing, found.expired[0].lot.as_str()), (pieces(1), "OLD"));
    shop.sell("MILK", 3, vec![lot("SOON", 3, None)]);
    let found = shop.room.suggest_lots(&sku("MILK"), pieces(1), date(2026, 12, 1));
    assert_eq!(found.picks[0].lot.as_str(), "LATE");
    let short = shop.moves("MILK", -1, MoveReason::Damage, vec![lot("SOON", 1, None)]).unwrap_err();
    assert_eq!(
        short.to_string(),
        "lot SOON of item MILK has 0 left and 1 are wanted; look at the label again"
    );
}

#[test]
fn a_recall_names_the_deliveries_a_lot_came_with_and_the_receipts_it_went_with() {
    let mut shop = Shop::new("berlin");
    let delivery = DeliveryId(id(5));
    shop.stock(StockFact::PurchaseReceived(PurchaseReceived {
        delivery,
        order: None,
        by: anna(),
        cartons: vec![],
        lines: vec![],
        moves: vec![moved("MILK", 5, MoveReason::Receipt, vec![lot("L1", 3, None), lot("L2", 2, None)])],
    }));
    shop.sell("MILK", 1, vec![lot("L1", 1, None)]);
    shop.sell("MILK", 1, vec![lot("L2", 1, None)]);
    shop.moves("MILK", -1, MoveReason::Damage, vec![lot("L1", 1, None)]).unwrap();
    let recall = shop.room.recall(&sku("MILK"), &lot_no("L1")).unwrap();
    assert_eq!(recall.came_with, vec![Source::Purchase { delivery, order: None }]);
    assert_eq!(recall.sold_with.iter().map(ToString::to_string).collect::<Vec<_>>(), vec!["r1/1/2"]);
    assert_eq!((recall.on_hand, recall.damaged), (pieces(1), pieces(1)));
    assert_eq!(shop.room.recall(&sku("MILK"), &lot_no("L9")), None);
}

const REASONS: [MoveReason; 11] = MoveReason::ALL;
const MARKS: [UnitStep; 5] = [
    UnitStep::Reserved,
    UnitStep::Released,
    UnitStep::Missed,
    UnitStep::Found,
    UnitStep::Restocked,
];

proptest! {
    /// Whatever is tried, the pieces that are on hand by their state are as many as the books say, and no refused step leaves a trace.
    #[test]
    fn pieces_on_hand_are_as_many_as_the_books_say(steps in prop::collection::vec((0usize..16, 0u8..4, any::<bool>()), 1..60)) {
        let mut shop = Shop::new("berlin");
        for (what, which, more) in steps {
            let serial = format!("A{which}");
            let before = shop.state("PHONE", &serial);
            let done = match REASONS.get(what) {
                Some(reason) => shop.moves("PHONE", if more { 1 } else { -1 }, *reason, serials(&[&serial])),
                None => shop.mark_units("PHONE", MARKS[what - REASONS.len()], &serial),
            };
            if done.is_err() {
                prop_assert_eq!(shop.state("PHONE", &serial), before);
            }
            let on_hand = shop.room.units_of(&sku("PHONE")).filter(|state| state.is_on_hand()).count();
            prop_assert_eq!(shop.on_hand("PHONE"), on_hand as i64);
        }
    }

    #[test]
    fn absurd_moves_are_refused_not_a_panic(delta in any::<i64>(), quantity in any::<i64>(), reason in 0usize..11) {
        let mut shop = Shop::new("berlin");
        shop.moves("MILK", 1, MoveReason::Receipt, vec![lot("L1", 1, None)]).unwrap();
        let Unit::Lot(mut part) = lot("L1", 1, None) else { unreachable!() };
        part.quantity = Quantity(quantity);
        let moves = [StockMove { units: vec![Unit::Lot(part)], ..StockMove::new(sku("MILK"), Quantity(delta), REASONS[reason]) }];
        let _ = shop.room.may_move(&moves, &shop.items);
    }
}
