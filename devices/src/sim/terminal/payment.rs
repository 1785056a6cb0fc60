//! The course of one payment or refund inside the simulated terminal, with or without a register listening.
//!
//! Money moves in one place ([`Books::decide`](super::books::Books::decide)), and what was decided stays decided: a status that the
//! register never acknowledged is not taken back. That is the newer rule of the standard; an older one let the terminal reverse
//! by itself. The register asks with Repeat Receipt what became of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::sim::terminal::Device;
use crate::sim::terminal::books::Kind;
use crate::sim::terminal::knobs::{Cut, Hold, Verdict};
use crate::sim::terminal::wire::Wire;
use crate::zvt::fields::Fields;
use crate::zvt::packet::Packet;

const INSERT_CARD: u8 = 0x0a;
const ENTER_PIN: u8 = 0x02;
const ASKING_THE_BANK: u8 = 0x04;
const PLEASE_WAIT: u8 = 0x0e;
const TAKE_CARD_OUT: u8 = 0x0b;

const CANCELLED: u8 = 0x6c;

pub struct Wish {
    pub kind: Kind,
    pub amount: u64,
    /// For as long as the bank has not decided.
    pub stop: CancellationToken,
}

pub async fn run(device: &Device, wire: &Wire, wish: Wish) -> std::io::Result<()> {
    let given_up = tokio::select! {
        biased;
        () = wish.stop.cancelled() => true,
        () = until_the_bank_decides(device, wire) => false,
    };
    // From here on a wish to stop comes too late.
    let given_up = !device.too_late_to_stop(&wish.stop) || given_up;
    let verdict = if given_up {
        Verdict::Abort(CANCELLED)
    } else {
        device.next_verdict()
    };
    let code = match verdict {
        Verdict::Abort(code) => {
            device.with_books(|books| books.gave_up(wish.amount, code))?;
            device.free();
            wire.tell(&failed(code)).await;
            return Ok(());
        }
        Verdict::Approve => 0,
        Verdict::Decline(code) => code,
    };
    let currency = device.currency();
    let status = device.with_books(|books| {
        let transaction = books.decide(wish.kind, wish.amount, code)?;
        std::io::Result::Ok(Packet::Status(books.status(&transaction, currency)))
    })?;
    device.released(Hold::After).await;
    tokio::time::sleep(device.knobs().late).await;
    tell_result(device, wire, &status, code).await;
    Ok(())
}

async fn until_the_bank_decides(device: &Device, wire: &Wire) {
    let knobs = device.knobs();
    wire.tell(&progress(INSERT_CARD)).await;
    let mut last = 0;
    for _ in 0..knobs.flood {
        // Without waiting for the register, which is the rudeness of a flood.
        last = wire.send(&progress(PLEASE_WAIT)).await;
    }
    wire.acknowledged(last).await;
    pause(knobs.think / 2).await;
    wire.tell(&progress(ENTER_PIN)).await;
    pause(knobs.think / 2).await;
    wire.tell(&progress(ASKING_THE_BANK)).await;
    device.released(Hold::Before).await;
}

/// Tells the result of a payment, refund or reversal, and ends the exchange.
pub async fn tell_result(device: &Device, wire: &Wire, status: &Packet, code: u8) {
    device.cut_at(Cut::BeforeStatus, wire).await;
    let twice = device.knobs().status_twice;
    for _ in 0..=u8::from(twice) {
        let number = wire.send(status).await;
        device.cut_at(Cut::AfterStatusUnacked, wire).await;
        wire.acknowledged(number).await;
    }
    device.cut_at(Cut::AfterStatusAcked, wire).await;
    wire.tell(&progress(TAKE_CARD_OUT)).await;
    device.cut_at(Cut::BeforeCompletion, wire).await;
    // Free before the last word: the register may ask for the next payment at once.
    device.free();
    let end = if code == 0 {
        Packet::Completed(Fields::default())
    } else {
        failed(code)
    };
    wire.tell(&end).await;
}

pub fn failed(code: u8) -> Packet {
    Packet::Failed {
        code,
        fields: Fields::default(),
    }
}

fn progress(code: u8) -> Packet {
    Packet::Progress {
        code,
        minutes: None,
        fields: Fields::default(),
    }
}

async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}
