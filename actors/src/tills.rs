//! The tills of the store: opening and closing shifts, cash in and out. Sales reach a till through the journal, not through here.
//!
//! Holds no state of its own: decides on what the journal last committed and lets the journal check that nothing happened since. Two who
//! want the same till at once: one wins, the other decides again.

use std::sync::Arc;

use backroom_core::facts::{CashMove, Fact};
use backroom_core::ids::{CommandId, ShiftId, StaffId};
use backroom_core::money::Money;
use backroom_core::till::Till;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::door::Door;
use crate::journal::{Append, AppendError, BodyHash, Committed, Expect};
use crate::register::{CommandError, Seat};
use crate::shop::Shop;
use crate::supervisor::Child;

/// A signed-in person wants something of the till of their register.
#[derive(Clone, Debug)]
pub struct Command {
    pub id: CommandId,
    pub body: BodyHash,
    pub staff: StaffId,
    pub seat: Seat,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    OpenShift { float: Money },
    MoveCash { kind: CashMove, amount: Money, reason: String },
    CloseShift { counted: Money },
}

#[derive(Debug)]
pub enum Message {
    Do {
        command: Box<Command>,
        reply: RpcReplyPort<Result<Committed, CommandError>>,
    },
    Strike,
}

/// The actor.
pub struct Tills;

/// Sales go on while a shift is being closed; after so many of them in between, somebody should wait a moment.
const MOST_TRIES: usize = 50;

/// How the root keeps the tills alive.
pub fn child(shop: Shop, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child("tills", || Message::Strike, move || (Tills, (shop.clone(), own.clone())))
}

impl Actor for Tills {
    type Msg = Message;
    type State = Shop;
    type Arguments = (Shop, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (shop, door): Self::Arguments) -> Result<Shop, ActorProcessingErr> {
        door.opened_by(me);
        Ok(shop)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, shop: &mut Shop) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Do { command, reply } => drop(reply.send(carry_out(shop, *command).await)), // The asker may have left.
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }
}

async fn carry_out(shop: &Shop, command: Command) -> Result<Committed, CommandError> {
    if let Some(before) = shop.said_before(command.id, command.body).await? {
        return Ok(before?);
    }
    let till = command.seat.till;
    for _ in 0..MOST_TRIES {
        let (version, state) = shop.journal.till(till);
        let append = Append {
            command_id: Some(command.id),
            body_hash: command.body,
            device: Some(command.seat.register),
            staff: Some(command.staff),
            expects: vec![Expect::Till { till, version }],
            ..Append::by_the_box(decide(shop, &state, &command)?)
        };
        match shop.journal.append(append).await {
            Err(AppendError::TillMoved { .. }) => {}
            outcome => {
                let committed = outcome?;
                shop.recent.remember(command.id, command.body);
                return Ok(committed);
            }
        }
    }
    Err(AppendError::TillMoved { till }.into())
}

fn decide(shop: &Shop, till: &Till, command: &Command) -> Result<Fact, CommandError> {
    Ok(match &command.action {
        // The shift bears the id of the command that opened it.
        Action::OpenShift { float } => Fact::ShiftOpened(till.open_shift(ShiftId(command.id.0), command.seat.register, *float)?),
        Action::MoveCash { kind, amount, reason } => Fact::CashMoved(till.move_cash(*kind, *amount, reason)?),
        Action::CloseShift { counted } => Fact::ShiftClosed(Box::new(till.close_shift(*counted, shop.clock.now())?)),
    })
}
