//! The bytes of facts about stock: moves, reservations, transfers, purchases, counts, pieces.

use std::collections::BTreeSet;

use backroom_core::facts::{
    ArrivedLine, Carton, CartonLine, CountApproved, CountEnd, CountEnded, CountEntered, CountStarted, CountedLine, Crossing, LostLine,
    OrderLine, Proposed, PurchaseClosed, PurchaseOrdered, PurchaseReceived, PurchasedLine, ReservationConsumed, ReservationReleased,
    StockAdjusted, StockCrossed, StockFact, StockRequestRefused, StockReserved, TransferClosed, TransferDispatched, TransferReceived,
    UnitsMarked,
};
use backroom_core::ids::{CountId, DeliveryId, ReservationId, StaffId, StockRequestId, TicketId, TransferId};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::{Money, Quantity};
use backroom_core::stock::{
    Approver, CountRules, CountScope, LotPart, Mark, MoveReason, Portion, Purpose, ReleaseReason, StockMove, Unit, UnitStep,
};
use prost::Message;

use super::counter::{read_word, word};
use super::{Parsed, PayloadError, command_id, id, instant, needed, parse, read_all};
use crate::v1::journal as wire;

const PURPOSES: [(Purpose, &str); 3] = [
    (Purpose::Order, "order"),
    (Purpose::Layaway, "layaway"),
    (Purpose::WebOrder, "web_order"),
];
const RELEASES: [(ReleaseReason, &str); 2] = [(ReleaseReason::Cancelled, "cancelled"), (ReleaseReason::Expired, "expired")];
const APPROVERS: [(Approver, &str); 2] = [(Approver::Anybody, "anybody"), (Approver::NotACounter, "not_a_counter")];
const COUNT_ENDS: [(CountEnd, &str); 2] = [(CountEnd::Closed, "closed"), (CountEnd::Cancelled, "cancelled")];
const CROSSINGS: [(Crossing, &str); 2] = [(Crossing::Down, "down"), (Crossing::Up, "up")];
const STEPS: [(UnitStep, &str); 14] = [
    (UnitStep::Received, "received"),
    (UnitStep::Sold, "sold"),
    (UnitStep::Returned, "returned"),
    (UnitStep::Dispatched, "dispatched"),
    (UnitStep::Damaged, "damaged"),
    (UnitStep::Mended, "mended"),
    (UnitStep::SentToVendor, "sent_to_vendor"),
    (UnitStep::WrittenOff, "written_off"),
    (UnitStep::WrittenOn, "written_on"),
    (UnitStep::Reserved, "reserved"),
    (UnitStep::Released, "released"),
    (UnitStep::Missed, "missed"),
    (UnitStep::Found, "found"),
    (UnitStep::Restocked, "restocked"),
];

pub fn encode(fact: &StockFact) -> Vec<u8> {
    match fact {
        StockFact::StockAdjusted(fact) => stock_adjusted(fact).encode_to_vec(),
        StockFact::StockRequestRefused(fact) => wire::StockRequestRefused {
            request: fact.request.to_bytes().to_vec(),
            sku: fact.sku.to_string(),
            delta_milli: fact.delta.0,
            code: fact.code.clone(),
            why: fact.why.clone(),
        }
        .encode_to_vec(),
        StockFact::StockReserved(fact) => stock_reserved(fact).encode_to_vec(),
        StockFact::ReservationReleased(fact) => wire::ReservationReleased {
            reservation: fact.reservation.to_bytes().to_vec(),
            why: word(&RELEASES, fact.why),
        }
        .encode_to_vec(),
        StockFact::ReservationConsumed(fact) => wire::ReservationConsumed {
            reservation: fact.reservation.to_bytes().to_vec(),
            ticket: fact.ticket.to_bytes().to_vec(),
        }
        .encode_to_vec(),
        StockFact::TransferDispatched(fact) => wire::TransferDispatched {
            transfer: fact.transfer.to_bytes().to_vec(),
            from: fact.from.to_string(),
            to: fact.to.to_string(),
            by: fact.by.to_string(),
            moves: fact.moves.iter().map(stock_move).collect(),
        }
        .encode_to_vec(),
        StockFact::TransferReceived(fact) => transfer_received(fact).encode_to_vec(),
        StockFact::TransferClosed(fact) => transfer_closed(fact).encode_to_vec(),
        StockFact::PurchaseOrdered(fact) => purchase_ordered(fact).encode_to_vec(),
        StockFact::PurchaseReceived(fact) => purchase_received(fact).encode_to_vec(),
        StockFact::PurchaseClosed(fact) => wire::PurchaseClosed {
            order: fact.order.to_string(),
            by: fact.by.to_string(),
            short: fact.short.iter().map(carton_line).collect(),
        }
        .encode_to_vec(),
        StockFact::CountStarted(fact) => count_started(fact).encode_to_vec(),
        StockFact::CountEntered(fact) => count_entered(fact).encode_to_vec(),
        StockFact::CountEnded(fact) => count_ended(fact).encode_to_vec(),
        StockFact::CountApproved(fact) => wire::CountApproved {
            count: fact.count.to_bytes().to_vec(),
            by: fact.by.to_string(),
            moves: fact.moves.iter().map(stock_move).collect(),
        }
        .encode_to_vec(),
        StockFact::UnitsMarked(fact) => wire::UnitsMarked {
            sku: fact.sku.to_string(),
            step: word(&STEPS, fact.step),
            by: fact.by.map(|by| by.to_string()).unwrap_or_default(),
            units: fact.units.iter().map(unit).collect(),
        }
        .encode_to_vec(),
        StockFact::StockCrossed(fact) => wire::StockCrossed {
            sku: fact.sku.to_string(),
            crossing: word(&CROSSINGS, fact.crossing),
            on_hand_milli: fact.on_hand.0,
            point_milli: fact.point.0,
        }
        .encode_to_vec(),
    }
}

pub fn stock_move(moved: &StockMove) -> wire::StockMove {
    wire::StockMove {
        sku: moved.sku.to_string(),
        delta_milli: moved.delta.0,
        reason: moved.reason.word().into(),
        cost_minor: moved.cost.map(|cost| cost.0),
        units: moved.units.iter().map(unit).collect(),
    }
}

pub fn read_stock_move(read: wire::StockMove) -> Parsed<StockMove> {
    let Some(reason) = MoveReason::from_word(&read.reason) else {
        return Err(PayloadError::Word {
            field: "stock reason",
            value: read.reason,
        });
    };
    Ok(StockMove {
        sku: parse("sku", &read.sku)?,
        delta: Quantity(read.delta_milli),
        reason,
        cost: read.cost_minor.map(Money),
        units: read_all(read.units, read_unit)?,
    })
}

fn unit(unit: &Unit) -> wire::StockUnit {
    let nothing = wire::StockUnit::default();
    match unit {
        Unit::Serial(serial) => wire::StockUnit {
            serial: serial.to_string(),
            ..nothing
        },
        Unit::Epc(epc) => wire::StockUnit {
            epc: epc.to_string(),
            ..nothing
        },
        Unit::Lot(part) => wire::StockUnit {
            lot: part.lot.to_string(),
            quantity_milli: part.quantity.0,
            best_before: part.best_before.map(|date| date.to_string()).unwrap_or_default(),
            ..nothing
        },
    }
}

fn read_unit(read: wire::StockUnit) -> Parsed<Unit> {
    match (read.serial.as_str(), read.epc.as_str(), read.lot.as_str()) {
        (serial, "", "") if !serial.is_empty() => Ok(Unit::Serial(parse("serial", serial)?)),
        ("", epc, "") if !epc.is_empty() => Ok(Unit::Epc(parse("epc", epc)?)),
        ("", "", lot) if !lot.is_empty() => Ok(Unit::Lot(LotPart {
            lot: parse("lot", lot)?,
            quantity: Quantity(read.quantity_milli),
            best_before: some(&read.best_before).map(|date| parse("best_before", date)).transpose()?,
        })),
        _ => Err(PayloadError::Field {
            field: "unit",
            why: "it is not exactly one of serial, tag and lot".into(),
        }),
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn stock_adjusted(fact: &StockAdjusted) -> wire::StockAdjusted {
    wire::StockAdjusted {
        adjustment: fact.adjustment.to_bytes().to_vec(),
        by: fact.by.map(|by| by.to_string()).unwrap_or_default(),
        reason: fact.reason.to_string(),
        request: fact.request.map(|request| request.to_bytes().to_vec()).unwrap_or_default(),
        moves: fact.moves.iter().map(stock_move).collect(),
    }
}

pub fn read_stock_adjusted(read: wire::StockAdjusted) -> Parsed<StockAdjusted> {
    let request = Some(&read.request).filter(|request| !request.is_empty());
    Ok(StockAdjusted {
        adjustment: command_id(&read.adjustment)?,
        by: read_staff(&read.by)?,
        reason: parse("reason", &read.reason)?,
        request: request
            .map(|request| id("request", StockRequestId::from_slice(request)))
            .transpose()?,
        moves: read_all(read.moves, read_stock_move)?,
    })
}

fn read_staff(by: &str) -> Parsed<Option<StaffId>> {
    some(by).map(|by| parse("by", by)).transpose()
}

pub fn read_stock_request_refused(read: wire::StockRequestRefused) -> Parsed<StockRequestRefused> {
    Ok(StockRequestRefused {
        request: id("request", StockRequestId::from_slice(&read.request))?,
        sku: parse("sku", &read.sku)?,
        delta: Quantity(read.delta_milli),
        code: read.code,
        why: read.why,
    })
}

fn stock_reserved(fact: &StockReserved) -> wire::StockReserved {
    let portion = |portion: &Portion| wire::Portion {
        sku: portion.sku.to_string(),
        quantity_milli: portion.quantity.0,
    };
    wire::StockReserved {
        reservation: fact.reservation.to_bytes().to_vec(),
        purpose: word(&PURPOSES, fact.purpose),
        lines: fact.lines.iter().map(portion).collect(),
        until_micros: fact.until.map(|until| until.as_micros()),
        oversold: fact.oversold.iter().map(ToString::to_string).collect(),
    }
}

pub fn read_stock_reserved(read: wire::StockReserved) -> Parsed<StockReserved> {
    let portion = |portion: wire::Portion| {
        Ok(Portion {
            sku: parse("sku", &portion.sku)?,
            quantity: Quantity(portion.quantity_milli),
        })
    };
    Ok(StockReserved {
        reservation: id("reservation", ReservationId::from_slice(&read.reservation))?,
        purpose: read_word("purpose", &PURPOSES, read.purpose)?,
        lines: read_all(read.lines, portion)?,
        until: read.until_micros.map(instant).transpose()?,
        oversold: read_all(read.oversold, |sku| parse("oversold", &sku))?,
    })
}

pub fn read_reservation_released(read: wire::ReservationReleased) -> Parsed<ReservationReleased> {
    Ok(ReservationReleased {
        reservation: id("reservation", ReservationId::from_slice(&read.reservation))?,
        why: read_word("why", &RELEASES, read.why)?,
    })
}

pub fn read_reservation_consumed(read: wire::ReservationConsumed) -> Parsed<ReservationConsumed> {
    Ok(ReservationConsumed {
        reservation: id("reservation", ReservationId::from_slice(&read.reservation))?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
    })
}

fn transfer(bytes: &[u8]) -> Parsed<TransferId> {
    id("transfer", TransferId::from_slice(bytes))
}

pub fn read_transfer_dispatched(read: wire::TransferDispatched) -> Parsed<TransferDispatched> {
    Ok(TransferDispatched {
        transfer: transfer(&read.transfer)?,
        from: parse("from", &read.from)?,
        to: parse("to", &read.to)?,
        by: parse("by", &read.by)?,
        moves: read_all(read.moves, read_stock_move)?,
    })
}

fn transfer_received(fact: &TransferReceived) -> wire::TransferReceived {
    let line = |line: &ArrivedLine| wire::ArrivedLine {
        sku: line.sku.to_string(),
        arrived_milli: line.arrived.0,
        damaged_milli: line.damaged.0,
    };
    wire::TransferReceived {
        transfer: fact.transfer.to_bytes().to_vec(),
        delivery: fact.delivery.to_bytes().to_vec(),
        from: fact.from.to_string(),
        to: fact.to.to_string(),
        by: fact.by.to_string(),
        lines: fact.lines.iter().map(line).collect(),
        moves: fact.moves.iter().map(stock_move).collect(),
    }
}

pub fn read_transfer_received(read: wire::TransferReceived) -> Parsed<TransferReceived> {
    let line = |line: wire::ArrivedLine| {
        Ok(ArrivedLine {
            sku: parse("sku", &line.sku)?,
            arrived: Quantity(line.arrived_milli),
            damaged: Quantity(line.damaged_milli),
        })
    };
    Ok(TransferReceived {
        transfer: transfer(&read.transfer)?,
        delivery: id("delivery", DeliveryId::from_slice(&read.delivery))?,
        from: parse("from", &read.from)?,
        to: parse("to", &read.to)?,
        by: parse("by", &read.by)?,
        lines: read_all(read.lines, line)?,
        moves: read_all(read.moves, read_stock_move)?,
    })
}

fn transfer_closed(fact: &TransferClosed) -> wire::TransferClosed {
    let lost = |line: &LostLine| wire::LostLine {
        sku: line.sku.to_string(),
        quantity_milli: line.quantity.0,
        cost_minor: line.cost.map(|cost| cost.0),
    };
    wire::TransferClosed {
        transfer: fact.transfer.to_bytes().to_vec(),
        from: fact.from.to_string(),
        to: fact.to.to_string(),
        by: fact.by.to_string(),
        lost: fact.lost.iter().map(lost).collect(),
    }
}

pub fn read_transfer_closed(read: wire::TransferClosed) -> Parsed<TransferClosed> {
    let lost = |line: wire::LostLine| {
        Ok(LostLine {
            sku: parse("sku", &line.sku)?,
            quantity: Quantity(line.quantity_milli),
            cost: line.cost_minor.map(Money),
        })
    };
    Ok(TransferClosed {
        transfer: transfer(&read.transfer)?,
        from: parse("from", &read.from)?,
        to: parse("to", &read.to)?,
        by: parse("by", &read.by)?,
        lost: read_all(read.lost, lost)?,
    })
}

fn carton_line(line: &CartonLine) -> wire::CartonLine {
    wire::CartonLine {
        line: line.line,
        quantity_milli: line.quantity.0,
    }
}

fn read_carton_line(line: wire::CartonLine) -> Parsed<CartonLine> {
    Ok(CartonLine {
        line: line.line,
        quantity: Quantity(line.quantity_milli),
    })
}

fn purchase_ordered(fact: &PurchaseOrdered) -> wire::PurchaseOrdered {
    let line = |line: &OrderLine| wire::OrderLine {
        line: line.line,
        sku: line.sku.to_string(),
        quantity_milli: line.quantity.0,
        cost_minor: line.cost.map(|cost| cost.0),
    };
    let carton = |carton: &Carton| wire::Carton {
        sscc: carton.sscc.to_string(),
        lines: carton.lines.iter().map(carton_line).collect(),
    };
    wire::PurchaseOrdered {
        order: fact.order.to_string(),
        supplier: fact.supplier.to_string(),
        lines: fact.lines.iter().map(line).collect(),
        cartons: fact.cartons.iter().map(carton).collect(),
    }
}

pub fn read_purchase_ordered(read: wire::PurchaseOrdered) -> Parsed<PurchaseOrdered> {
    let line = |line: wire::OrderLine| {
        Ok(OrderLine {
            line: line.line,
            sku: parse("sku", &line.sku)?,
            quantity: Quantity(line.quantity_milli),
            cost: line.cost_minor.map(Money),
        })
    };
    let carton = |carton: wire::Carton| {
        Ok(Carton {
            sscc: parse("sscc", &carton.sscc)?,
            lines: read_all(carton.lines, read_carton_line)?,
        })
    };
    Ok(PurchaseOrdered {
        order: parse("order", &read.order)?,
        supplier: parse("supplier", &read.supplier)?,
        lines: read_all(read.lines, line)?,
        cartons: read_all(read.cartons, carton)?,
    })
}

fn purchase_received(fact: &PurchaseReceived) -> wire::PurchaseReceived {
    let line = |line: &PurchasedLine| wire::PurchasedLine {
        line: line.line,
        sku: line.sku.to_string(),
        arrived_milli: line.arrived.0,
        damaged_milli: line.damaged.0,
        cost_minor: line.cost.map(|cost| cost.0),
    };
    wire::PurchaseReceived {
        delivery: fact.delivery.to_bytes().to_vec(),
        order: fact.order.as_ref().map(ToString::to_string).unwrap_or_default(),
        by: fact.by.to_string(),
        cartons: fact.cartons.iter().map(ToString::to_string).collect(),
        lines: fact.lines.iter().map(line).collect(),
        moves: fact.moves.iter().map(stock_move).collect(),
    }
}

pub fn read_purchase_received(read: wire::PurchaseReceived) -> Parsed<PurchaseReceived> {
    let line = |line: wire::PurchasedLine| {
        Ok(PurchasedLine {
            line: line.line,
            sku: parse("sku", &line.sku)?,
            arrived: Quantity(line.arrived_milli),
            damaged: Quantity(line.damaged_milli),
            cost: line.cost_minor.map(Money),
        })
    };
    Ok(PurchaseReceived {
        delivery: id("delivery", DeliveryId::from_slice(&read.delivery))?,
        order: some(&read.order).map(|order| parse("order", order)).transpose()?,
        by: parse("by", &read.by)?,
        cartons: read_all(read.cartons, |carton| parse("carton", &carton))?,
        lines: read_all(read.lines, line)?,
        moves: read_all(read.moves, read_stock_move)?,
    })
}

pub fn read_purchase_closed(read: wire::PurchaseClosed) -> Parsed<PurchaseClosed> {
    Ok(PurchaseClosed {
        order: parse("order", &read.order)?,
        by: parse("by", &read.by)?,
        short: read_all(read.short, read_carton_line)?,
    })
}

fn count(bytes: &[u8]) -> Parsed<CountId> {
    id("count", CountId::from_slice(bytes))
}

fn mark(mark: Mark) -> Option<wire::Mark> {
    Some(wire::Mark {
        epoch: mark.epoch.0,
        seq: mark.seq.0,
    })
}

fn read_mark(field: &'static str, read: Option<wire::Mark>) -> Parsed<Mark> {
    let read = needed(field, read)?;
    Ok(Mark {
        epoch: Epoch(read.epoch),
        seq: Seq(read.seq),
    })
}

fn count_started(fact: &CountStarted) -> wire::CountStarted {
    let (scope, items, places) = match &fact.scope {
        CountScope::Everything => ("everything", Vec::new(), Vec::new()),
        CountScope::Items(items) => ("items", items.iter().map(ToString::to_string).collect(), Vec::new()),
        CountScope::Places(places) => ("places", Vec::new(), places.iter().map(ToString::to_string).collect()),
    };
    wire::CountStarted {
        count: fact.count.to_bytes().to_vec(),
        by: fact.by.to_string(),
        scope: scope.into(),
        items,
        places,
        blind: fact.rules.blind,
        recount_above_milli: fact.rules.recount_above.map(|limit| limit.0),
        counters: fact.rules.counters,
        approver: word(&APPROVERS, fact.rules.approver),
        base: mark(fact.base),
    }
}

pub fn read_count_started(read: wire::CountStarted) -> Parsed<CountStarted> {
    let scope = match read.scope.as_str() {
        "everything" => CountScope::Everything,
        "items" => {
            let items: Parsed<BTreeSet<_>> = read.items.iter().map(|item| parse("items", item)).collect();
            CountScope::Items(items?)
        }
        "places" => {
            let places: Parsed<BTreeSet<_>> = read.places.iter().map(|place| parse("places", place)).collect();
            CountScope::Places(places?)
        }
        _ => {
            return Err(PayloadError::Word {
                field: "scope",
                value: read.scope,
            });
        }
    };
    Ok(CountStarted {
        count: count(&read.count)?,
        by: parse("by", &read.by)?,
        scope,
        rules: CountRules {
            blind: read.blind,
            recount_above: read.recount_above_milli.map(Quantity),
            counters: read.counters,
            approver: read_word("approver", &APPROVERS, read.approver)?,
        },
        base: read_mark("base", read.base)?,
    })
}

fn count_entered(fact: &CountEntered) -> wire::CountEntered {
    let line = |line: &CountedLine| wire::CountedLine {
        sku: line.sku.to_string(),
        counted_milli: line.counted.0,
        at: mark(line.at),
        on_hand_milli: line.on_hand.0,
    };
    wire::CountEntered {
        count: fact.count.to_bytes().to_vec(),
        place: fact.place.to_string(),
        by: fact.by.to_string(),
        lines: fact.lines.iter().map(line).collect(),
    }
}

pub fn read_count_entered(read: wire::CountEntered) -> Parsed<CountEntered> {
    let line = |line: wire::CountedLine| {
        Ok(CountedLine {
            sku: parse("sku", &line.sku)?,
            counted: Quantity(line.counted_milli),
            at: read_mark("at", line.at)?,
            on_hand: Quantity(line.on_hand_milli),
        })
    };
    Ok(CountEntered {
        count: count(&read.count)?,
        place: parse("place", &read.place)?,
        by: parse("by", &read.by)?,
        lines: read_all(read.lines, line)?,
    })
}

fn count_ended(fact: &CountEnded) -> wire::CountEnded {
    let proposed = |line: &Proposed| wire::CountedLine {
        sku: line.sku.to_string(),
        counted_milli: line.counted.0,
        at: mark(line.at),
        on_hand_milli: line.on_hand.0,
    };
    wire::CountEnded {
        count: fact.count.to_bytes().to_vec(),
        by: fact.by.to_string(),
        end: word(&COUNT_ENDS, fact.end),
        proposed: fact.proposed.iter().map(proposed).collect(),
        left: fact.left.iter().map(ToString::to_string).collect(),
    }
}

pub fn read_count_ended(read: wire::CountEnded) -> Parsed<CountEnded> {
    let proposed = |line: wire::CountedLine| {
        Ok(Proposed {
            sku: parse("sku", &line.sku)?,
            counted: Quantity(line.counted_milli),
            on_hand: Quantity(line.on_hand_milli),
            at: read_mark("at", line.at)?,
        })
    };
    Ok(CountEnded {
        count: count(&read.count)?,
        by: parse("by", &read.by)?,
        end: read_word("end", &COUNT_ENDS, read.end)?,
        proposed: read_all(read.proposed, proposed)?,
        left: read_all(read.left, |sku| parse("left", &sku))?,
    })
}

pub fn read_count_approved(read: wire::CountApproved) -> Parsed<CountApproved> {
    Ok(CountApproved {
        count: count(&read.count)?,
        by: parse("by", &read.by)?,
        moves: read_all(read.moves, read_stock_move)?,
    })
}

pub fn read_units_marked(read: wire::UnitsMarked) -> Parsed<UnitsMarked> {
    Ok(UnitsMarked {
        sku: parse("sku", &read.sku)?,
        step: read_word("step", &STEPS, read.step)?,
        by: read_staff(&read.by)?,
        units: read_all(read.units, read_unit)?,
    })
}

pub fn read_stock_crossed(read: wire::StockCrossed) -> Parsed<StockCrossed> {
    Ok(StockCrossed {
        sku: parse("sku", &read.sku)?,
        crossing: read_word("crossing", &CROSSINGS, read.crossing)?,
        on_hand: Quantity(read.on_hand_milli),
        point: Quantity(read.point_milli),
    })
}
