//! An example of each kind of fact about stock.

use backroom_core::facts::{
    ArrivedLine, Carton, CartonLine, CountApproved, CountEnd, CountEnded, CountEntered, CountStarted, CountedLine, Crossing, Fact,
    LostLine, OrderLine, Proposed, PurchaseClosed, PurchaseOrdered, PurchaseReceived, PurchasedLine, ReservationConsumed,
    ReservationReleased, StockAdjusted, StockCrossed, StockFact, StockRequestRefused, StockReserved, TransferClosed, TransferDispatched,
    TransferReceived, UnitsMarked,
};
use backroom_core::ids::{CommandId, CountId, DeliveryId, ReservationId, StockRequestId, TicketId, TransferId};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::{Money, Quantity};
use backroom_core::stock::{
    Approver, CountRules, CountScope, LotPart, Mark, MoveReason, Portion, Purpose, ReleaseReason, StockMove, Unit, UnitStep,
};

use super::{at, uuid};

pub fn one_of_each() -> Vec<Fact> {
    let sku = || "TEE-M".parse().unwrap();
    let (anna, berlin, hamburg) = ("s101".parse().unwrap(), "berlin".parse().unwrap(), "hamburg".parse().unwrap());
    let (reservation, transfer) = (ReservationId(uuid(20)), TransferId(uuid(21)));
    let (delivery, count, request) = (DeliveryId(uuid(22)), CountId(uuid(23)), StockRequestId(uuid(24)));
    let (three, one) = (Quantity(3000), Quantity(1000));
    let mark = Mark {
        epoch: Epoch(2),
        seq: Seq(17),
    };
    let units = vec![
        Unit::Serial("A1".parse().unwrap()),
        Unit::Epc("urn:epc:id:sgtin:0614141.812345.6789".parse().unwrap()),
        Unit::Lot(LotPart {
            lot: "L7".parse().unwrap(),
            quantity: one,
            best_before: Some("2026-12-01".parse().unwrap()),
        }),
    ];
    let moves = |delta, reason| {
        vec![StockMove {
            cost: Some(Money(1000)),
            units: units.clone(),
            ..StockMove::new(sku(), delta, reason)
        }]
    };
    let carton_line = CartonLine { line: 1, quantity: three };
    vec![
        StockFact::StockAdjusted(StockAdjusted {
            adjustment: CommandId(uuid(25)),
            by: Some(anna),
            reason: "own_use".parse().unwrap(),
            request: Some(request),
            moves: moves(Quantity(-3000), MoveReason::Adjustment),
        }),
        StockFact::StockRequestRefused(StockRequestRefused {
            request,
            sku: sku(),
            delta: three,
            code: "stale_base".into(),
            why: "look at it again".into(),
        }),
        StockFact::StockReserved(StockReserved {
            reservation,
            purpose: Purpose::WebOrder,
            lines: vec![Portion {
                sku: sku(),
                quantity: three,
            }],
            until: Some(at()),
            oversold: vec![sku()],
        }),
        StockFact::ReservationReleased(ReservationReleased {
            reservation,
            why: ReleaseReason::Expired,
        }),
        StockFact::ReservationConsumed(ReservationConsumed {
            reservation,
            ticket: TicketId(uuid(1)),
        }),
        StockFact::TransferDispatched(TransferDispatched {
            transfer,
            from: berlin,
            to: hamburg,
            by: anna,
            moves: moves(Quantity(-3000), MoveReason::TransferOut),
        }),
        StockFact::TransferReceived(TransferReceived {
            transfer,
            delivery,
            from: berlin,
            to: hamburg,
            by: anna,
            lines: vec![ArrivedLine {
                sku: sku(),
                arrived: three,
                damaged: one,
            }],
            moves: moves(three, MoveReason::TransferIn),
        }),
        StockFact::TransferClosed(TransferClosed {
            transfer,
            from: berlin,
            to: hamburg,
            by: anna,
            lost: vec![LostLine {
                sku: sku(),
                quantity: one,
                cost: Some(Money(334)),
            }],
        }),
        StockFact::PurchaseOrdered(PurchaseOrdered {
            order: "PO-7".parse().unwrap(),
            supplier: "S-12".parse().unwrap(),
            lines: vec![OrderLine {
                line: 1,
                sku: sku(),
                quantity: three,
                cost: Some(Money(1000)),
            }],
            cartons: vec![Carton {
                sscc: "106141412345678908".parse().unwrap(),
                lines: vec![carton_line],
            }],
        }),
        StockFact::PurchaseReceived(PurchaseReceived {
            delivery,
            order: Some("PO-7".parse().unwrap()),
            by: anna,
            cartons: vec!["106141412345678908".parse().unwrap()],
            lines: vec![PurchasedLine {
                line: Some(1),
                sku: sku(),
                arrived: three,
                damaged: one,
                cost: Some(Money(1000)),
            }],
            moves: moves(three, MoveReason::Receipt),
        }),
        StockFact::PurchaseClosed(PurchaseClosed {
            order: "PO-7".parse().unwrap(),
            by: anna,
            short: vec![carton_line],
        }),
        StockFact::CountStarted(CountStarted {
            count,
            by: anna,
            scope: CountScope::Places(["shelf", "window"].map(|place| place.parse().unwrap()).into()),
            rules: CountRules {
                blind: true,
                recount_above: Some(one),
                counters: 2,
                approver: Approver::NotACounter,
            },
            base: mark,
        }),
        StockFact::CountEntered(CountEntered {
            count,
            place: "shelf".parse().unwrap(),
            by: anna,
            lines: vec![CountedLine {
                sku: sku(),
                counted: one,
                at: mark,
                on_hand: three,
            }],
        }),
        StockFact::CountEnded(CountEnded {
            count,
            by: anna,
            end: CountEnd::Closed,
            proposed: vec![Proposed {
                sku: sku(),
                counted: one,
                on_hand: three,
                at: mark,
            }],
            left: vec!["MUG".parse().unwrap()],
        }),
        StockFact::CountApproved(CountApproved {
            count,
            by: anna,
            moves: moves(Quantity(-2000), MoveReason::Count),
        }),
        StockFact::UnitsMarked(UnitsMarked {
            sku: sku(),
            step: UnitStep::Missed,
            by: Some(anna),
            units,
        }),
        StockFact::StockCrossed(StockCrossed {
            sku: sku(),
            crossing: Crossing::Down,
            on_hand: one,
            point: three,
        }),
    ]
    .into_iter()
    .map(Fact::Stock)
    .collect()
}
