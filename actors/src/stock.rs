//! What is on hand, for whoever asks: the fold of all moves the journal committed.
//!
//! Decides nothing: a sale moves stock by being in the journal. After a restart the fold is read again; moves it has already seen are
//! recognised by their place.

use std::sync::Arc;

use backroom_core::catalog::Sku;
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::Quantity;
use backroom_core::stock::{Stock, StockMove};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::door::Door;
use crate::journal::reader::Reader;
use crate::supervisor::Child;

#[derive(Debug)]
pub enum Message {
    /// The journal committed these.
    Moved {
        at: (Epoch, Seq),
        moves: Vec<StockMove>,
    },
    OnHand {
        sku: Sku,
        reply: RpcReplyPort<Quantity>,
    },
    Strike,
}

/// The actor.
pub struct StockActor;

pub struct State {
    stock: Stock,
    /// The fold holds everything up to here.
    through: (Epoch, Seq),
}

/// How the root keeps the stock alive.
pub fn child(reader: Reader, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child("stock", || Message::Strike, move || (StockActor, (reader.clone(), own.clone())))
}

impl Actor for StockActor {
    type Msg = Message;
    type State = State;
    type Arguments = (Reader, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (reader, door): Self::Arguments) -> Result<State, ActorProcessingErr> {
        // The door opens first: a move committed while the fold is read then waits in the mailbox instead of being missed.
        door.opened_by(me);
        let (through, rows) = reader.stock_through().await?;
        let mut stock = Stock::default();
        for (sku, on_hand) in rows {
            stock.set(sku.parse()?, Quantity(on_hand));
        }
        Ok(State { stock, through })
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Moved { at, moves } => state.moved(at, &moves)?,
            Message::OnHand { sku, reply } => drop(reply.send(state.stock.on_hand(&sku))), // The asker may have left.
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }
}

impl State {
    fn moved(&mut self, at: (Epoch, Seq), moves: &[StockMove]) -> Result<(), ActorProcessingErr> {
        if at <= self.through {
            return Ok(());
        }
        for moved in moves {
            self.stock.apply(moved)?;
        }
        self.through = at;
        Ok(())
    }
}
