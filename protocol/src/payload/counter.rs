//! The bytes of facts about machines: cards, prints, pulses, counts.

use backroom_core::facts::{
    CardAsked, CardBegun, CardEnd, CardEnded, CountedItem, Does, EffectCause, EffectEnd, EffectEnded, EffectWanted, FoundCapture,
    ShelfCounted,
};
use backroom_core::ids::TicketId;
use backroom_core::money::{Money, Quantity};

use super::{Parsed, PayloadError, command_id, id, parse, read_all, read_receipt, receipt};
use crate::v1::journal as wire;

/// Words of an enum, both ways.
pub fn word<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> String {
    let found = table.iter().find(|(known, _)| *known == value);
    found.map(|(_, word)| (*word).to_owned()).unwrap_or_default()
}

pub fn read_word<T: Copy>(field: &'static str, table: &[(T, &'static str)], value: String) -> Parsed<T> {
    let found = table.iter().find(|(_, word)| *word == value);
    found.map(|(known, _)| *known).ok_or(PayloadError::Word { field, value })
}

const CARD_ENDS: [(CardEnd, &str); 4] = [
    (CardEnd::Declined, "declined"),
    (CardEnd::NotPaid, "not_paid"),
    (CardEnd::Reversed, "reversed"),
    (CardEnd::Found, "found"),
];
const DOES: [(Does, &str); 2] = [(Does::Print, "print"), (Does::Pulse, "pulse")];
const EFFECT_ENDS: [(EffectEnd, &str); 3] = [
    (EffectEnd::Confirmed, "confirmed"),
    (EffectEnd::Failed, "failed"),
    (EffectEnd::Unknown, "unknown"),
];
const CAUSES: [(EffectCause, &str); 3] = [
    (EffectCause::Box, "box"),
    (EffectCause::Device, "device"),
    (EffectCause::Link, "link"),
];

pub fn card_asked(fact: &CardAsked) -> wire::CardAsked {
    wire::CardAsked {
        ask: fact.ask.to_bytes().to_vec(),
        ticket: fact.ticket.to_bytes().to_vec(),
        register: fact.register.to_string(),
        till: fact.till.to_string(),
        terminal: fact.terminal.to_string(),
        amount_minor: fact.amount.0,
        settle: fact.settle,
        tip_minor: fact.tip.0,
    }
}

pub fn read_card_asked(read: wire::CardAsked) -> Parsed<CardAsked> {
    Ok(CardAsked {
        ask: command_id(&read.ask)?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        register: parse("register", &read.register)?,
        till: parse("till", &read.till)?,
        terminal: parse("terminal", &read.terminal)?,
        amount: Money(read.amount_minor),
        settle: read.settle,
        tip: Money(read.tip_minor),
    })
}

pub fn card_begun(fact: &CardBegun) -> wire::CardBegun {
    wire::CardBegun {
        ask: fact.ask.to_bytes().to_vec(),
        terminal: fact.terminal.to_string(),
        last_trace: fact.last_trace,
        last_receipt: fact.last_receipt,
    }
}

pub fn read_card_begun(read: wire::CardBegun) -> Parsed<CardBegun> {
    Ok(CardBegun {
        ask: command_id(&read.ask)?,
        terminal: parse("terminal", &read.terminal)?,
        last_trace: read.last_trace,
        last_receipt: read.last_receipt,
    })
}

pub fn card_ended(fact: &CardEnded) -> wire::CardEnded {
    wire::CardEnded {
        ask: fact.ask.to_bytes().to_vec(),
        ticket: fact.ticket.to_bytes().to_vec(),
        terminal: fact.terminal.to_string(),
        end: word(&CARD_ENDS, fact.end),
        attempt: fact.attempt.clone().unwrap_or_default(),
        why: fact.why.clone(),
    }
}

pub fn read_card_ended(read: wire::CardEnded) -> Parsed<CardEnded> {
    Ok(CardEnded {
        ask: command_id(&read.ask)?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        terminal: parse("terminal", &read.terminal)?,
        end: read_word("end", &CARD_ENDS, read.end)?,
        attempt: Some(read.attempt).filter(|attempt| !attempt.is_empty()),
        why: read.why,
    })
}

pub fn found_capture(fact: &FoundCapture) -> wire::FoundCapture {
    wire::FoundCapture {
        ask: fact.ask.to_bytes().to_vec(),
        terminal: fact.terminal.to_string(),
        attempt: fact.attempt.clone(),
        amount_minor: fact.amount.0,
    }
}

pub fn read_found_capture(read: wire::FoundCapture) -> Parsed<FoundCapture> {
    Ok(FoundCapture {
        ask: command_id(&read.ask)?,
        terminal: parse("terminal", &read.terminal)?,
        attempt: read.attempt,
        amount: Money(read.amount_minor),
    })
}

pub fn effect_wanted(fact: &EffectWanted) -> wire::EffectWanted {
    wire::EffectWanted {
        effect: fact.effect.clone(),
        device: fact.device.to_string(),
        does: word(&DOES, fact.does),
        receipt: fact.receipt.map(receipt),
        copy: fact.copy,
    }
}

pub fn read_effect_wanted(read: wire::EffectWanted) -> Parsed<EffectWanted> {
    Ok(EffectWanted {
        effect: read.effect,
        device: parse("device", &read.device)?,
        does: read_word("does", &DOES, read.does)?,
        receipt: read.receipt.map(read_receipt).transpose()?,
        copy: read.copy,
    })
}

pub fn effect_ended(fact: &EffectEnded) -> wire::EffectEnded {
    wire::EffectEnded {
        effect: fact.effect.clone(),
        end: word(&EFFECT_ENDS, fact.end),
        cause: fact.cause.map(|cause| word(&CAUSES, cause)).unwrap_or_default(),
        why: fact.why.clone(),
    }
}

pub fn read_effect_ended(read: wire::EffectEnded) -> Parsed<EffectEnded> {
    let cause = Some(read.cause).filter(|cause| !cause.is_empty());
    Ok(EffectEnded {
        effect: read.effect,
        end: read_word("end", &EFFECT_ENDS, read.end)?,
        cause: cause.map(|cause| read_word("cause", &CAUSES, cause)).transpose()?,
        why: read.why,
    })
}

pub fn shelf_counted(fact: &ShelfCounted) -> wire::ShelfCounted {
    let item = |item: &CountedItem| wire::CountedItem {
        sku: item.sku.to_string(),
        counted: item.counted,
        on_hand_milli: item.on_hand.0,
    };
    wire::ShelfCounted {
        count: fact.count.to_bytes().to_vec(),
        place: fact.place.clone(),
        readers: fact.readers.iter().map(ToString::to_string).collect(),
        tags: fact.tags,
        missing: fact.missing,
        missing_unexplained: fact.missing_unexplained,
        lines: fact.lines.iter().map(item).collect(),
    }
}

pub fn read_shelf_counted(read: wire::ShelfCounted) -> Parsed<ShelfCounted> {
    let item = |item: wire::CountedItem| {
        Ok(CountedItem {
            sku: parse("sku", &item.sku)?,
            counted: item.counted,
            on_hand: Quantity(item.on_hand_milli),
        })
    };
    Ok(ShelfCounted {
        count: command_id(&read.count)?,
        place: read.place,
        readers: read_all(read.readers, |reader| parse("reader", &reader))?,
        tags: read.tags,
        missing: read.missing,
        missing_unexplained: read.missing_unexplained,
        lines: read_all(read.lines, item)?,
    })
}
