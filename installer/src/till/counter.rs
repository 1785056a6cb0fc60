//! One register with its memory: a command is written down, said, learnt from, and crossed out.

use backroom_protocol::v1::register as wire;
use data_encoding::BASE64;

use super::TillError;
use super::args::Common;
use super::memory::{Device, Memory, Notebook, OpenTicket, Pending, Session};
use crate::client::ask::{Command, Rpc};
use crate::client::log::LogFile;
use crate::client::make::{self, TicketRef};
use crate::client::patience::Patience;
use crate::client::{Client, Failure};

/// What a till is until it was told otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:7400";

pub struct Counter {
    pub memory: Memory,
    client: Client,
    address: String,
}

/// What came of a command that was interrupted.
#[derive(Clone, Debug, PartialEq)]
pub enum Finished {
    /// A ticket as it stands now.
    Ticket {
        call: String,
        view: Box<wire::TicketView>,
    },
    Other {
        call: String,
    },
    /// The box refused it; it was not done.
    Refused {
        call: String,
        message: String,
    },
}

impl Counter {
    pub fn open(common: &Common) -> Result<Self, TillError> {
        let memory = Memory::open(&common.state_folder())?;
        let remembered = memory.notes.device.as_ref().map(|device| device.address.clone());
        let address = common.address.clone().or(remembered).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
        let mut client = connect(&address, common.patience(), common)?;
        client.remember(memory.notes.position());
        if let Some(session) = &memory.notes.session {
            client.carry(&session.token)?;
        }
        Ok(Self { memory, client, address })
    }

    pub fn device(&self) -> Result<&Device, TillError> {
        self.memory.notes.device.as_ref().ok_or(TillError::NotEnrolled)
    }

    pub fn session(&self) -> Result<&Session, TillError> {
        self.device()?;
        self.memory.notes.session.as_ref().ok_or(TillError::NotSignedIn)
    }

    pub fn ticket(&self) -> Option<TicketRef> {
        self.memory.notes.ticket.map(TicketRef::from)
    }

    pub async fn enrol(&mut self, code: &str, register: &str, till: Option<&str>) -> Result<wire::EnrolResponse, TillError> {
        self.say(&make::enrol(code, register, till)).await
    }

    /// Said with the device's token. Not written down beforehand: it holds a PIN, and saying it again later harms nobody.
    pub async fn sign_in(&mut self, staff: &str, pin: &str) -> Result<wire::SignInResponse, TillError> {
        let token = self.device()?.token.clone();
        self.client.carry(&token)?;
        let answer = self.client.command(&make::sign_in(staff, pin, self.client.seen())).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                if let Some(session) = &self.memory.notes.session {
                    self.client.carry(&session.token)?; // Whoever was signed in still is.
                }
                return Err(failure.into());
            }
        };
        self.client.carry(&answer.session_token)?;
        let notes = &mut self.memory.notes;
        notes.session = Some(Session {
            token: answer.session_token.clone(),
            staff: staff.to_owned(),
            staff_name: answer.staff_name.clone(),
        });
        let still_open = answer.open_tickets.first().map(open_ticket);
        notes.ticket = still_open;
        notes.script = notes.script.take().filter(|_| still_open.is_some());
        notes.saw(answer.position.as_ref());
        self.memory.keep()?;
        Ok(answer)
    }

    /// Writes a command down, says it until it is answered, learns from the answer and crosses it out.
    pub async fn say<C: Lesson>(&mut self, command: &C) -> Result<C::Answer, TillError> {
        self.memory.notes.pending = Some(Pending {
            call: C::CALL.to_owned(),
            command_id: command.command_id(),
            body: BASE64.encode(&command.encode_to_vec()),
        });
        self.memory.keep()?;
        self.say_pending(command).await
    }

    async fn say_pending<C: Lesson>(&mut self, command: &C) -> Result<C::Answer, TillError> {
        let answer = self.client.command(command).await;
        match &answer {
            Ok(answer) => {
                command.learn(answer, &self.address, &mut self.memory.notes);
                self.memory.notes.pending = None;
            }
            Err(Failure::Refused { .. }) => self.memory.notes.pending = None,
            Err(_) => {} // Perhaps it was done: it stays written down and is said again.
        }
        self.memory.notes.saw(self.client.seen());
        self.memory.keep()?;
        Ok(answer?)
    }

    pub async fn read<R: Rpc>(&mut self, question: &R) -> Result<R::Answer, TillError> {
        Ok(self.client.read(question).await?)
    }

    /// Says again what an earlier run was saying when it ended, if it was saying something.
    pub async fn finish_pending(&mut self) -> Result<Option<Finished>, TillError> {
        let Some(pending) = self.memory.notes.pending.clone() else {
            return Ok(None);
        };
        let Ok(body) = BASE64.decode(pending.body.as_bytes()) else {
            return Ok(None);
        };
        let call = pending.call.clone();
        let said = match call.as_str() {
            "enrol" => self.again::<wire::EnrolRequest>(&body).await,
            "open_shift" => self.again::<wire::OpenShiftRequest>(&body).await,
            "move_cash" => self.again::<wire::MoveCashRequest>(&body).await,
            "close_shift" => self.again::<wire::CloseShiftRequest>(&body).await,
            "scan" => self.again::<wire::ScanRequest>(&body).await,
            "void_line" => self.again::<wire::VoidLineRequest>(&body).await,
            "tender" => self.again::<wire::TenderRequest>(&body).await,
            "settle" => self.again::<wire::SettleRequest>(&body).await,
            "cancel_ticket" => self.again::<wire::CancelTicketRequest>(&body).await,
            "change_quantity" => self.again::<wire::ChangeQuantityRequest>(&body).await,
            "override_price" => self.again::<wire::OverridePriceRequest>(&body).await,
            "give_discount" => self.again::<wire::GiveDiscountRequest>(&body).await,
            "take_coupon" => self.again::<wire::TakeCouponRequest>(&body).await,
            "check_age" => self.again::<wire::CheckAgeRequest>(&body).await,
            "sell_keyed" => self.again::<wire::SellKeyedRequest>(&body).await,
            "refund_bottles" => self.again::<wire::RefundBottlesRequest>(&body).await,
            "suspend_ticket" => self.again::<wire::SuspendTicketRequest>(&body).await,
            "resume_ticket" => self.again::<wire::ResumeTicketRequest>(&body).await,
            "take_back" => self.again::<wire::TakeBackRequest>(&body).await,
            "refund_cash" => self.again::<wire::RefundCashRequest>(&body).await,
            "return_sale" => self.again::<wire::ReturnSaleRequest>(&body).await,
            _ => return Ok(None),
        };
        match said {
            Ok(Some(view)) => Ok(Some(Finished::Ticket {
                call,
                view: Box::new(view),
            })),
            Ok(None) => Ok(Some(Finished::Other { call })),
            Err(TillError::Box(Failure::Refused { code, message })) => {
                if matches!(code.as_str(), "not_signed_in" | "session_fenced") {
                    // Nobody has looked at the command itself: it is said again after the next sign-in.
                    self.memory.notes.pending = Some(pending);
                    self.memory.keep()?;
                    return Err(TillError::Box(Failure::Refused { code, message }));
                }
                Ok(Some(Finished::Refused { call, message }))
            }
            Err(error) => Err(error),
        }
    }

    async fn again<C: Lesson>(&mut self, body: &[u8]) -> Result<Option<wire::TicketView>, TillError> {
        let Ok(command) = C::decode(body) else {
            self.memory.notes.pending = None; // Written by another version; it can not be said any more.
            self.memory.keep()?;
            return Ok(None);
        };
        let answer = self.say_pending(&command).await?;
        Ok(C::view(&answer).cloned())
    }

    /// The open ticket as the box has it, for a till that was restarted or has missed a version.
    pub async fn look_again(&mut self) -> Result<Option<wire::TicketView>, TillError> {
        let mut tickets = self.read(&wire::ListOpenTicketsRequest {}).await?.tickets;
        let known = self.memory.notes.ticket;
        tickets.retain(|view| !view.suspended);
        let at = tickets
            .iter()
            .position(|view| known.is_some_and(|known| known.id.as_bytes()[..] == view.ticket_id[..]));
        let view = match at {
            Some(at) => Some(tickets.swap_remove(at)),
            None => tickets.into_iter().next(),
        };
        let open = view.as_ref().map(open_ticket);
        if open != known {
            self.memory.notes.ticket = open;
            self.memory.keep()?;
        }
        Ok(view)
    }
}

fn connect(address: &str, patience: Patience, common: &Common) -> Result<Client, TillError> {
    let client = Client::new(address, patience)?;
    let Some(path) = &common.log else {
        return Ok(client);
    };
    let log = LogFile::open(path).map_err(|source| TillError::Log {
        path: path.clone(),
        source,
    })?;
    Ok(client.with_notes(Box::new(log)))
}

fn open_ticket(view: &wire::TicketView) -> OpenTicket {
    let TicketRef { id, version } = TicketRef::of(view);
    OpenTicket { id, version }
}

/// What a till takes from an answer, be it the first or a repeated one.
pub trait Lesson: Command {
    fn learn(&self, answer: &Self::Answer, address: &str, notes: &mut Notebook);

    /// The ticket in the answer, if it has one.
    fn view(_answer: &Self::Answer) -> Option<&wire::TicketView> {
        None
    }
}

impl Lesson for wire::EnrolRequest {
    fn learn(&self, answer: &wire::EnrolResponse, address: &str, notes: &mut Notebook) {
        *notes = Notebook {
            device: Some(Device {
                address: address.to_owned(),
                register: self.register.clone(),
                token: answer.device_token.clone(),
                store: answer.store.clone(),
                store_name: answer.store_name.clone(),
                currency: answer.currency.clone(),
                decimals: answer.currency_decimals,
            }),
            ..Notebook::default()
        };
    }
}

macro_rules! nothing_to_learn {
    ($($request:ident)*) => {$(
        impl Lesson for wire::$request {
            fn learn(&self, _answer: &Self::Answer, _address: &str, _notes: &mut Notebook) {}
        }
    )*};
}

nothing_to_learn! { OpenShiftRequest MoveCashRequest CloseShiftRequest }

macro_rules! learns_the_ticket {
    ($($request:ident)*) => {$(
        impl Lesson for wire::$request {
            fn learn(&self, answer: &Self::Answer, _address: &str, notes: &mut Notebook) {
                learn_ticket(answer.ticket.as_ref(), notes);
            }

            fn view(answer: &Self::Answer) -> Option<&wire::TicketView> {
                answer.ticket.as_ref()
            }
        }
    )*};
}

learns_the_ticket! {
    VoidLineRequest TenderRequest SettleRequest CancelTicketRequest
    ChangeQuantityRequest OverridePriceRequest GiveDiscountRequest TakeCouponRequest CheckAgeRequest SellKeyedRequest
    RefundBottlesRequest SuspendTicketRequest ResumeTicketRequest TakeBackRequest RefundCashRequest
}

impl Lesson for wire::ScanRequest {
    fn learn(&self, answer: &wire::ScanResponse, _address: &str, notes: &mut Notebook) {
        learn_ticket(answer.ticket.as_ref(), notes);
        if let Some(script) = &mut notes.script {
            script.scanned += 1;
        }
    }

    fn view(answer: &wire::ScanResponse) -> Option<&wire::TicketView> {
        answer.ticket.as_ref()
    }
}

/// A return is a ticket of its own that is over at once; an open one stays open.
impl Lesson for wire::ReturnSaleRequest {
    fn learn(&self, _answer: &Self::Answer, _address: &str, _notes: &mut Notebook) {}

    fn view(answer: &Self::Answer) -> Option<&wire::TicketView> {
        answer.ticket.as_ref()
    }
}

fn learn_ticket(view: Option<&wire::TicketView>, notes: &mut Notebook) {
    let Some(view) = view else { return };
    // A ticket that rests is nobody's: the next customer may be served.
    if view.state() == wire::TicketState::Open && !view.suspended {
        notes.ticket = Some(open_ticket(view));
    } else {
        notes.ticket = None;
        notes.script = None;
    }
}
