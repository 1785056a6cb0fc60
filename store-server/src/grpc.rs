//! The gRPC services of the box: each call is parsed, asked of the store, and shown. One function per call, no rules.

pub mod clerk;
pub mod console;
pub mod errors;
pub mod parse;
pub mod views;

use std::pin::Pin;
use std::time::Duration;

use backroom_actors::journal::Committed;
use backroom_actors::register::{self, Action, Change, Outcome, Seat};
use backroom_actors::shop::Screen;
use backroom_actors::staff::{Enrol, Session, SignIn};
use backroom_actors::store::Store;
use backroom_actors::tills;
use backroom_core::catalog::SoldBy;
use backroom_core::facts::{AgeDecision, CashMove, ClosedTicket, EpochReason, Fact, TicketFact};
use backroom_core::ids::{CommandId, TicketId};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::{Currency, Money, Quantity};
use backroom_core::receipt::{self, Heading};
use backroom_core::ticket;
use backroom_core::time::Instant;
use backroom_protocol::v1::register as wire;
use backroom_protocol::v1::register::register_service_server::RegisterService;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use errors::{bad_field, status};
use parse::body_hash;

type Answer<T> = Result<Response<T>, Status>;

/// No box was set back more often than this between two sign-ins.
const MOST_EPOCHS_AHEAD: u32 = 16;
/// Columns of a printed receipt.
const RECEIPT_WIDTH: usize = 42;

/// The register service.
pub struct RegisterDesk {
    pub store: Store,
}

impl RegisterDesk {
    fn session(&self, metadata: &MetadataMap) -> Result<Session, Status> {
        let token = parse::token(metadata)?;
        self.store.shop().passes.borrow().session(&token).map_err(errors::pass)
    }

    fn currency(&self) -> Currency {
        self.store.shop().catalog.borrow().currency()
    }

    fn position(&self) -> Option<wire::Position> {
        views::position(self.store.head())
    }

    async fn sell(
        &self,
        session: Session,
        id: CommandId,
        body: backroom_actors::journal::BodyHash,
        action: Action,
    ) -> Result<(wire::TicketView, Outcome), Status> {
        self.sell_in(false, session, id, body, action).await
    }

    async fn sell_in(
        &self,
        training: bool,
        session: Session,
        id: CommandId,
        body: backroom_actors::journal::BodyHash,
        action: Action,
    ) -> Result<(wire::TicketView, Outcome), Status> {
        let command = register::Command {
            id,
            body,
            staff: session.staff,
            session: session.number,
            training,
            action,
        };
        let outcome = self.store.sell(session.seat.register, command).await.map_err(errors::command)?;
        let view = self.view(&outcome, session).await?;
        Ok((view, outcome))
    }

    /// Who says it, and what.
    fn said<T>(&self, request: Request<T>) -> Result<(Session, T), Status> {
        let session = self.session(request.metadata())?;
        Ok((session, request.into_inner()))
    }

    /// Carries out what was said on a ticket.
    async fn act(
        &self,
        session: Session,
        (call, said): (&'static str, &impl prost::Message),
        command: Option<&wire::Command>,
        action: Action,
    ) -> Result<(Option<wire::TicketView>, Outcome), Status> {
        let id = parse::command_id(command)?;
        let body = body_hash(call, session.seat.register.as_str(), said);
        let (view, outcome) = self.sell(session, id, body, action).await?;
        Ok((Some(view), outcome))
    }

    /// Carries out a change of a basket: the ticket, and the line that is new, or 0.
    async fn change(
        &self,
        session: Session,
        said: (&'static str, &impl prost::Message),
        (command, head): (Option<&wire::Command>, Option<&wire::TicketHead>),
        change: Change,
    ) -> Result<(Option<wire::TicketView>, u32), Status> {
        let (ticket, expected) = parse::ticket(head)?;
        let id = parse::command_id(command)?;
        let action = Action::Change { ticket, expected, change };
        let (view, outcome) = self.act(session, said, command, action).await?;
        let line = match &outcome {
            Outcome::Open { line, .. } => line.unwrap_or(0),
            Outcome::Closed { committed } => line_of(&committed.fact, id),
        };
        Ok((view, line))
    }

    /// The ticket an outcome belongs to, as it stands now.
    async fn view(&self, outcome: &Outcome, session: Session) -> Result<wire::TicketView, Status> {
        if let Outcome::Closed { committed } = outcome {
            match &*committed.fact {
                Fact::TenderTaken(taken) => return self.ticket(session, taken.ticket).await,
                Fact::CardAsked(asked) => return self.ticket(session, asked.ticket).await,
                Fact::Ticket(TicketFact::TenderVoided(voided)) => return self.ticket(session, voided.ticket).await,
                Fact::Ticket(TicketFact::SaleRefused(refused)) => return self.ticket(session, refused.ticket).await,
                _ => {}
            }
        }
        self.show_outcome(outcome)
    }

    fn show_outcome(&self, outcome: &Outcome) -> Result<wire::TicketView, Status> {
        let shop = self.store.shop();
        views::outcome(outcome, &shop.policy.calendar, &shop.cards)
    }

    /// A ticket, open on this register or in the journal.
    async fn ticket(&self, session: Session, ticket: TicketId) -> Result<wire::TicketView, Status> {
        if let Some(open) = self.store.open_ticket(session.seat.register, ticket).await.map_err(errors::ask)? {
            return self.show_outcome(&open);
        }
        let entry = self
            .store
            .shop()
            .reader
            .by_ticket(ticket)
            .await
            .map_err(|error| errors::file(&error))?;
        match entry.as_ref().map(backroom_protocol::payload::fact) {
            Some(Ok(Some(Fact::TicketClosed(closed)))) => {
                Ok(views::closed(&closed, entry.as_ref().map(|entry| self.local(entry.header.at))))
            }
            _ => Err(status(
                "unknown_ticket",
                "this ticket is neither open on this register nor in the journal",
            )),
        }
    }

    async fn till(
        &self,
        session: Session,
        id: CommandId,
        body: backroom_actors::journal::BodyHash,
        action: tills::Action,
    ) -> Result<Committed, Status> {
        let command = tills::Command {
            id,
            body,
            staff: session.staff,
            seat: session.seat,
            action,
        };
        self.store.till(command).await.map_err(errors::command)
    }

    /// A register that has seen more than this box holds: the box was set back. It opens a new epoch before it sells.
    async fn compare(&self, seen: Option<&wire::Position>) -> Result<(), Status> {
        let Some(seen) = seen else { return Ok(()) };
        let head = self.store.head();
        let seen_at = (Epoch(seen.epoch), Seq(seen.seq));
        let behind = match seen_at {
            // What was lost of an older epoch was dealt with when the present one was opened.
            (epoch, _) if epoch < head.epoch => false,
            (_, Seq(0)) => false,
            (epoch, _) if epoch.0 - head.epoch.0 > MOST_EPOCHS_AHEAD => {
                tracing::error!(seen = %epoch, ours = %head.epoch, "a register claims to have seen an epoch that can not be; not believed");
                false
            }
            at if at > (head.epoch, head.seq) => true,
            (epoch, seq) => {
                let ours = self
                    .store
                    .shop()
                    .reader
                    .range(epoch, seq, 1)
                    .await
                    .map_err(|error| errors::file(&error))?;
                ours.first()
                    .filter(|entry| entry.header.seq == seq)
                    .is_none_or(|entry| entry.hash.0[..] != seen.hash[..])
            }
        };
        if !behind || seen.hash.len() != 32 {
            return Ok(());
        }
        tracing::error!(seen = %format!("{}:{}", seen.epoch, seen.seq), ours = %format!("{}:{}", head.epoch, head.seq), "a register has seen more than this box holds");
        let next = Epoch(head.epoch.0.max(seen.epoch).saturating_add(1));
        self.store
            .shop()
            .journal
            .open_epoch(EpochReason::Rollback, next)
            .await
            .map_err(errors::append)?;
        Ok(())
    }

    fn status_view(&self, session: Session) -> wire::GetStatusResponse {
        let store = &self.store;
        let link = store.link().borrow().clone();
        let down = store.down();
        let trouble = match down.is_empty() {
            true => link.trouble,
            false => format!("out of service: {}", down.join(", ")),
        };
        let identity = store.identity();
        wire::GetStatusResponse {
            store: identity.address.store.to_string(),
            store_name: identity.name.clone(),
            position: self.position(),
            held_by_hq: link.held,
            hq_connected: link.connected,
            catalog_version: store.shop().catalog.borrow().file().version,
            directives_through: store.directives_through(),
            trouble,
            devices: views::devices(&store.shop().board, session.seat.register),
        }
    }

    fn local(&self, at: Instant) -> String {
        self.store.shop().policy.calendar.local(at)
    }

    fn heading<'a>(&'a self) -> Heading<'a> {
        let shop = self.store.shop();
        Heading {
            shop: &shop.policy.name,
            calendar: &shop.policy.calendar,
        }
    }
}

/// The change of an outcome, as the journal has it.
fn change(view: &wire::TicketView) -> Option<wire::Money> {
    view.change.clone()
}

#[tonic::async_trait]
impl RegisterService for RegisterDesk {
    async fn enrol(&self, request: Request<wire::EnrolRequest>) -> Answer<wire::EnrolResponse> {
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        // The code is a secret and has no place in a hash that is kept for ever.
        let body = body_hash(
            "enrol",
            "",
            &wire::EnrolRequest {
                pairing_code: String::new(),
                ..said.clone()
            },
        );
        let register = parse::id("register", &said.register)?;
        let till = parse::id("till", if said.till.is_empty() { &said.register } else { &said.till })?;
        let code = said.pairing_code.chars().take(40).collect();
        let enrol = Enrol {
            id,
            body,
            seat: Seat { register, till },
            code,
        };
        let pass = self.store.enrol(enrol).await.map_err(errors::staff)?;
        let identity = self.store.identity();
        let currency = self.currency();
        Ok(Response::new(wire::EnrolResponse {
            device_token: data_encoding::HEXLOWER.encode(&pass.token),
            store: identity.address.store.to_string(),
            store_name: identity.name.clone(),
            currency: currency.code().into(),
            currency_decimals: currency.decimals(),
            position: self.position(),
        }))
    }

    async fn sign_in(&self, request: Request<wire::SignInRequest>) -> Answer<wire::SignInResponse> {
        let token = parse::token(request.metadata())?;
        let seat = self.store.shop().passes.borrow().device(&token).map_err(errors::pass)?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        // Neither the PIN nor what the register had seen makes it another command.
        let body = body_hash(
            "sign_in",
            seat.register.as_str(),
            &wire::SignInRequest {
                pin: String::new(),
                seen: None,
                ..said.clone()
            },
        );
        let sign_in = SignIn {
            id,
            body,
            seat,
            staff: parse::id("staff", &said.staff)?,
            pin: said.pin.chars().take(64).collect(),
        };
        let pass = self.store.sign_in(sign_in).await.map_err(errors::staff)?;
        // Only who knows the PIN is believed about what this register has seen.
        self.compare(said.seen.as_ref()).await?;
        let (_, till) = self.store.shop().journal.till(seat.till);
        let open = self.store.open_tickets(seat.register).await.map_err(errors::ask)?;
        Ok(Response::new(wire::SignInResponse {
            session_token: data_encoding::HEXLOWER.encode(&pass.token),
            session: pass.session,
            staff_name: pass.name,
            shift_id: till.shift.map(|shift| shift.shift.to_bytes().to_vec()).unwrap_or_default(),
            open_tickets: open.iter().map(|open| self.show_outcome(open)).collect::<Result<_, _>>()?,
            position: self.position(),
        }))
    }

    async fn open_shift(&self, request: Request<wire::OpenShiftRequest>) -> Answer<wire::OpenShiftResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let float = parse::money("float", said.float.as_ref(), self.currency())?;
        let committed = self
            .till(
                session,
                id,
                body_hash("open_shift", session.seat.register.as_str(), &said),
                tills::Action::OpenShift { float },
            )
            .await?;
        let Fact::ShiftOpened(opened) = &*committed.fact else {
            return Err(bad_field("command_id", "belongs to another command"));
        };
        Ok(Response::new(wire::OpenShiftResponse {
            shift_id: opened.shift.to_bytes().to_vec(),
            position: views::position(committed.head),
        }))
    }

    async fn move_cash(&self, request: Request<wire::MoveCashRequest>) -> Answer<wire::MoveCashResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let kind = match said.kind() {
            wire::CashMoveKind::PaidIn => CashMove::PaidIn,
            wire::CashMoveKind::PaidOut => CashMove::PaidOut,
            wire::CashMoveKind::Drop => CashMove::Drop,
            wire::CashMoveKind::Unspecified => return Err(bad_field("kind", "is not paid in, paid out or drop")),
        };
        let amount = parse::money("amount", said.amount.as_ref(), self.currency())?;
        let action = tills::Action::MoveCash {
            kind,
            amount,
            reason: said.reason.clone(),
        };
        let committed = self
            .till(session, id, body_hash("move_cash", session.seat.register.as_str(), &said), action)
            .await?;
        Ok(Response::new(wire::MoveCashResponse {
            position: views::position(committed.head),
        }))
    }

    async fn read_shift(&self, request: Request<wire::ReadShiftRequest>) -> Answer<wire::ReadShiftResponse> {
        let session = self.session(request.metadata())?;
        let (_, till) = self.store.shop().journal.till(session.seat.till);
        let no_shift = backroom_core::till::Refusal::NoShift { till: till.till };
        let shift = till.shift.ok_or_else(|| errors::command(no_shift.into()))?;
        let (t, currency) = (&shift.totals, self.currency());
        Ok(Response::new(wire::ReadShiftResponse {
            shift_id: shift.shift.to_bytes().to_vec(),
            sales: t.sales,
            returns: t.returns,
            cancelled: t.cancelled,
            net: views::money(t.net, currency),
            tax: views::money(t.tax, currency),
            sales_due: views::money(t.sales_due, currency),
            returns_due: views::money(t.returns_due, currency),
            position: self.position(),
        }))
    }

    async fn close_shift(&self, request: Request<wire::CloseShiftRequest>) -> Answer<wire::CloseShiftResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let counted = parse::money("counted", said.counted.as_ref(), self.currency())?;
        let committed = self
            .till(
                session,
                id,
                body_hash("close_shift", session.seat.register.as_str(), &said),
                tills::Action::CloseShift { counted },
            )
            .await?;
        let Fact::ShiftClosed(closed) = &*committed.fact else {
            return Err(bad_field("command_id", "belongs to another command"));
        };
        let (z, currency) = (&closed.z, self.currency());
        let report = receipt::of_z(z, closed.till.as_str(), currency, &self.heading());
        Ok(Response::new(wire::CloseShiftResponse {
            z_number: z.number,
            expected: views::money(z.expected, currency),
            counted: views::money(z.counted, currency),
            over_short: views::money(z.over_short, currency),
            report: report.to_text(RECEIPT_WIDTH),
            report_json: serde_json::to_string(z).map_err(|error| bad_field("report", error))?,
            position: views::position(committed.head),
        }))
    }

    async fn scan(&self, request: Request<wire::ScanRequest>) -> Answer<wire::ScanResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let body = body_hash("scan", session.seat.register.as_str(), &said);
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let code = parse::code(&said.code)?.to_owned();
        let action = Action::Scan {
            ticket,
            expected,
            code,
            quantity: parse::quantity(said.quantity_milli),
        };
        let (view, outcome) = self.sell_in(said.training, session, id, body, action).await?;
        let line = match &outcome {
            Outcome::Open { line, .. } => line.unwrap_or(0),
            Outcome::Closed { committed } => line_of(&committed.fact, id),
        };
        Ok(Response::new(wire::ScanResponse {
            ticket: Some(view),
            line,
            position: self.position(),
        }))
    }

    async fn void_line(&self, request: Request<wire::VoidLineRequest>) -> Answer<wire::VoidLineResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::VoidLine {
            ticket,
            expected,
            line: said.line,
        };
        let (view, _) = self
            .sell(session, id, body_hash("void_line", session.seat.register.as_str(), &said), action)
            .await?;
        Ok(Response::new(wire::VoidLineResponse {
            ticket: Some(view),
            position: self.position(),
        }))
    }

    async fn change_quantity(&self, request: Request<wire::ChangeQuantityRequest>) -> Answer<wire::ChangeQuantityResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Quantity {
            line: said.line,
            quantity: Quantity(said.quantity_milli),
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("change_quantity", &said), heads, change).await?;
        Ok(Response::new(wire::ChangeQuantityResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn override_price(&self, request: Request<wire::OverridePriceRequest>) -> Answer<wire::OverridePriceResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Price {
            line: said.line,
            price: parse::money("price", said.price.as_ref(), self.currency())?,
            reason: parse::id("reason", &said.reason)?,
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("override_price", &said), heads, change).await?;
        Ok(Response::new(wire::OverridePriceResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn give_discount(&self, request: Request<wire::GiveDiscountRequest>) -> Answer<wire::GiveDiscountResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Discount {
            line: parse::line(said.line),
            discount: parse::discount(said.discount.as_ref(), self.currency())?,
            reason: parse::id("reason", &said.reason)?,
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("give_discount", &said), heads, change).await?;
        Ok(Response::new(wire::GiveDiscountResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn take_coupon(&self, request: Request<wire::TakeCouponRequest>) -> Answer<wire::TakeCouponResponse> {
        let (session, said) = self.said(request)?;
        let code = parse::code(&said.code)?.to_owned();
        let change = if said.drop {
            Change::DropCoupon { code }
        } else {
            Change::TakeCoupon { code }
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("take_coupon", &said), heads, change).await?;
        Ok(Response::new(wire::TakeCouponResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn exempt_taxes(&self, request: Request<wire::ExemptTaxesRequest>) -> Answer<wire::ExemptTaxesResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Exempt {
            exemption: parse::exemption(&said.taxes, &said.reason)?,
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("exempt_taxes", &said), heads, change).await?;
        Ok(Response::new(wire::ExemptTaxesResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn add_note(&self, request: Request<wire::AddNoteRequest>) -> Answer<wire::AddNoteResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Note {
            line: parse::line(said.line),
            note: parse::id("note", &said.note)?,
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("add_note", &said), heads, change).await?;
        Ok(Response::new(wire::AddNoteResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn capture_serial(&self, request: Request<wire::CaptureSerialRequest>) -> Answer<wire::CaptureSerialResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Capture {
            line: said.line,
            text: parse::code(&said.text)?.to_owned(),
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("capture_serial", &said), heads, change).await?;
        Ok(Response::new(wire::CaptureSerialResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn check_age(&self, request: Request<wire::CheckAgeRequest>) -> Answer<wire::CheckAgeResponse> {
        let (session, said) = self.said(request)?;
        let decision = match said.decision() {
            wire::AgeDecision::Passed => AgeDecision::Passed,
            wire::AgeDecision::Refused => AgeDecision::Refused,
            wire::AgeDecision::Unspecified => return Err(bad_field("decision", "is neither passed nor refused")),
        };
        let change = Change::Age {
            code: parse::code(&said.code)?.to_owned(),
            decision,
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, _) = self.change(session, ("check_age", &said), heads, change).await?;
        Ok(Response::new(wire::CheckAgeResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn sell_keyed(&self, request: Request<wire::SellKeyedRequest>) -> Answer<wire::SellKeyedResponse> {
        let (session, said) = self.said(request)?;
        let price = parse::money("price", said.price.as_ref(), self.currency())?;
        let change = if said.by_department {
            Change::Department {
                department: parse::id("sku", &said.sku)?,
                price,
                code: (!said.unknown_code.is_empty()).then(|| said.unknown_code.chars().take(200).collect()),
            }
        } else {
            Change::OpenPrice {
                code: parse::code(&said.sku)?.to_owned(),
                quantity: parse::quantity(said.quantity_milli),
                price,
            }
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, line) = self.change(session, ("sell_keyed", &said), heads, change).await?;
        Ok(Response::new(wire::SellKeyedResponse {
            ticket,
            line,
            position: self.position(),
        }))
    }

    async fn refund_bottles(&self, request: Request<wire::RefundBottlesRequest>) -> Answer<wire::RefundBottlesResponse> {
        let (session, said) = self.said(request)?;
        let change = Change::Bottles {
            code: parse::code(&said.code)?.to_owned(),
            quantity: parse::quantity(said.quantity_milli),
        };
        let heads = (said.command.as_ref(), said.ticket.as_ref());
        let (ticket, line) = self.change(session, ("refund_bottles", &said), heads, change).await?;
        Ok(Response::new(wire::RefundBottlesResponse {
            ticket,
            line,
            position: self.position(),
        }))
    }

    async fn suspend_ticket(&self, request: Request<wire::SuspendTicketRequest>) -> Answer<wire::SuspendTicketResponse> {
        let (session, said) = self.said(request)?;
        let reason = if said.reason.is_empty() {
            None
        } else {
            Some(parse::id("reason", &said.reason)?)
        };
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::Suspend { ticket, expected, reason };
        let (ticket, _) = self.act(session, ("suspend_ticket", &said), said.command.as_ref(), action).await?;
        Ok(Response::new(wire::SuspendTicketResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn resume_ticket(&self, request: Request<wire::ResumeTicketRequest>) -> Answer<wire::ResumeTicketResponse> {
        let (session, said) = self.said(request)?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::GoOn { ticket, expected };
        let (ticket, _) = self.act(session, ("resume_ticket", &said), said.command.as_ref(), action).await?;
        Ok(Response::new(wire::ResumeTicketResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn list_suspended_tickets(
        &self,
        request: Request<wire::ListSuspendedTicketsRequest>,
    ) -> Answer<wire::ListSuspendedTicketsResponse> {
        self.session(request.metadata())?;
        let resting = self.store.suspended_tickets().await.map_err(errors::ask)?;
        let tickets = resting.iter().map(|open| self.show_outcome(open)).collect::<Result<_, _>>()?;
        Ok(Response::new(wire::ListSuspendedTicketsResponse { tickets }))
    }

    async fn take_back(&self, request: Request<wire::TakeBackRequest>) -> Answer<wire::TakeBackResponse> {
        let (session, said) = self.said(request)?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::TakeBack {
            ticket,
            expected,
            receipt: parse::receipt(&said.receipt)?,
            lines: said
                .lines
                .iter()
                .map(|line| (line.line, parse::quantity(line.quantity_milli)))
                .collect(),
        };
        let (ticket, _) = self.act(session, ("take_back", &said), said.command.as_ref(), action).await?;
        Ok(Response::new(wire::TakeBackResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn refund_cash(&self, request: Request<wire::RefundCashRequest>) -> Answer<wire::RefundCashResponse> {
        let (session, said) = self.said(request)?;
        let id = parse::command_id(said.command.as_ref())?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::Refund {
            ticket,
            expected,
            settle: said.settle,
        };
        let (view, outcome) = self.act(session, ("refund_cash", &said), said.command.as_ref(), action).await?;
        let tenders = match &outcome {
            Outcome::Open { ticket, .. } => ticket.tenders().to_vec(),
            Outcome::Closed { committed } => match &*committed.fact {
                Fact::TicketClosed(closed) => closed.tenders.clone(),
                Fact::TenderTaken(taken) => vec![taken.tender.clone()],
                _ => return Err(bad_field("command_id", "belongs to another command")),
            },
        };
        let own = tenders.iter().find(|tender| tender.command_id == id);
        let handed = own.map_or(Ok(Money::ZERO), |tender| tender.amount.negated());
        Ok(Response::new(wire::RefundCashResponse {
            ticket: view,
            refund: views::money(handed.map_err(|error| bad_field("refund", error))?, self.currency()),
            position: self.position(),
        }))
    }

    async fn void_tender(&self, request: Request<wire::VoidTenderRequest>) -> Answer<wire::VoidTenderResponse> {
        let (session, said) = self.said(request)?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let action = Action::VoidTender {
            ticket,
            expected,
            tender: CommandId::from_slice(&said.tender_id).map_err(|error| bad_field("tender_id", error))?,
        };
        let (ticket, _) = self.act(session, ("void_tender", &said), said.command.as_ref(), action).await?;
        Ok(Response::new(wire::VoidTenderResponse {
            ticket,
            position: self.position(),
        }))
    }

    async fn tender(&self, request: Request<wire::TenderRequest>) -> Answer<wire::TenderResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let amount = parse::money("amount", said.amount.as_ref(), self.currency())?;
        let settle = said.settle;
        let action = match said.kind() {
            wire::TenderKind::Cash => Action::Tender {
                ticket,
                expected,
                amount,
                settle,
            },
            wire::TenderKind::Card => Action::Card {
                ticket,
                expected,
                amount,
                settle,
            },
            wire::TenderKind::Unspecified => return Err(bad_field("kind", "is no way to pay; this store takes cash and cards")),
        };
        let (view, _) = self
            .sell(session, id, body_hash("tender", session.seat.register.as_str(), &said), action)
            .await?;
        Ok(Response::new(wire::TenderResponse {
            change: change(&view),
            ticket: Some(view),
            position: self.position(),
        }))
    }

    async fn settle(&self, request: Request<wire::SettleRequest>) -> Answer<wire::SettleResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let (view, _) = self
            .sell(
                session,
                id,
                body_hash("settle", session.seat.register.as_str(), &said),
                Action::Settle { ticket, expected },
            )
            .await?;
        Ok(Response::new(wire::SettleResponse {
            change: change(&view),
            ticket: Some(view),
            position: self.position(),
        }))
    }

    async fn cancel_ticket(&self, request: Request<wire::CancelTicketRequest>) -> Answer<wire::CancelTicketResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let (ticket, expected) = parse::ticket(said.ticket.as_ref())?;
        let (view, _) = self
            .sell(
                session,
                id,
                body_hash("cancel_ticket", session.seat.register.as_str(), &said),
                Action::Cancel { ticket, expected },
            )
            .await?;
        Ok(Response::new(wire::CancelTicketResponse {
            ticket: Some(view),
            position: self.position(),
        }))
    }

    async fn return_sale(&self, request: Request<wire::ReturnSaleRequest>) -> Answer<wire::ReturnSaleResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let action = Action::Return {
            ticket: parse::ticket_id(&said.ticket_id)?,
            receipt: parse::receipt(&said.receipt)?,
        };
        let (view, outcome) = self
            .sell(session, id, body_hash("return_sale", session.seat.register.as_str(), &said), action)
            .await?;
        let refund = match &outcome {
            Outcome::Closed { committed } => match &*committed.fact {
                Fact::TicketClosed(closed) => closed.due.negated().map_err(|error| bad_field("refund", error))?,
                _ => return Err(bad_field("command_id", "belongs to another command")),
            },
            Outcome::Open { .. } => return Err(bad_field("command_id", "belongs to another command")),
        };
        let refund = views::money(refund, self.currency());
        Ok(Response::new(wire::ReturnSaleResponse {
            ticket: Some(view),
            refund,
            position: self.position(),
        }))
    }

    async fn get_ticket(&self, request: Request<wire::GetTicketRequest>) -> Answer<wire::GetTicketResponse> {
        let session = self.session(request.metadata())?;
        let ticket = parse::ticket_id(&request.into_inner().ticket_id)?;
        Ok(Response::new(wire::GetTicketResponse {
            ticket: Some(self.ticket(session, ticket).await?),
        }))
    }

    async fn list_open_tickets(&self, request: Request<wire::ListOpenTicketsRequest>) -> Answer<wire::ListOpenTicketsResponse> {
        let session = self.session(request.metadata())?;
        let open = self.store.open_tickets(session.seat.register).await.map_err(errors::ask)?;
        let tickets = open.iter().map(|open| self.show_outcome(open)).collect::<Result<_, _>>()?;
        Ok(Response::new(wire::ListOpenTicketsResponse { tickets }))
    }

    async fn get_receipt(&self, request: Request<wire::GetReceiptRequest>) -> Answer<wire::GetReceiptResponse> {
        self.session(request.metadata())?;
        let number = parse::receipt(&request.into_inner().receipt)?;
        let entry = self
            .store
            .shop()
            .reader
            .by_receipt(number)
            .await
            .map_err(|error| errors::file(&error))?;
        let unknown = || errors::command(ticket::Refusal::UnknownReceipt { receipt: number }.into());
        let entry = entry.ok_or_else(unknown)?;
        let Ok(Some(Fact::TicketClosed(closed))) = backroom_protocol::payload::fact(&entry) else {
            return Err(unknown());
        };
        let text = receipt::of_ticket(&closed, entry.header.at, receipt::Copy::Copy, &self.heading()).to_text(RECEIPT_WIDTH);
        Ok(Response::new(wire::GetReceiptResponse {
            ticket: Some(views::closed(&closed, Some(self.local(entry.header.at)))),
            text,
        }))
    }

    async fn find_item(&self, request: Request<wire::FindItemRequest>) -> Answer<wire::FindItemResponse> {
        self.session(request.metadata())?;
        let said = request.into_inner();
        let catalog = self.store.shop().catalog.borrow().clone();
        let item = ticket::find(&catalog, parse::code(&said.code)?).map_err(|error| errors::command(error.into()))?;
        let (price, _) = catalog.price(item, self.store.shop().clock.now());
        let on_hand = self.store.on_hand(item.sku()).await.map_err(errors::ask)?;
        Ok(Response::new(wire::FindItemResponse {
            sku: item.sku_text().to_owned(),
            name: item.name().to_owned(),
            price: views::money(price, catalog.currency()),
            tax_class: item.tax_class().code.clone(),
            on_hand_milli: on_hand.0,
        }))
    }

    async fn search_items(&self, request: Request<wire::SearchItemsRequest>) -> Answer<wire::SearchItemsResponse> {
        self.session(request.metadata())?;
        let said = request.into_inner();
        let words: String = said.words.chars().take(80).collect();
        let most = if said.limit == 0 { 24 } else { said.limit.min(100) } as usize;
        let catalog = self.store.shop().catalog.borrow().clone();
        let now = self.store.shop().clock.now();
        let mut items = Vec::new();
        for item in catalog.search(&words).take(most) {
            let on_hand = self.store.on_hand(item.sku()).await.map_err(errors::ask)?;
            items.push(wire::ItemView {
                sku: item.sku_text().to_owned(),
                name: item.name().to_owned(),
                price: views::money(catalog.price(item, now).0, catalog.currency()),
                on_hand_milli: on_hand.0,
                by_measure: item.sold_by() == SoldBy::Measure,
            });
        }
        Ok(Response::new(wire::SearchItemsResponse { items }))
    }

    async fn print_receipt(&self, request: Request<wire::PrintReceiptRequest>) -> Answer<wire::PrintReceiptResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let id = parse::command_id(said.command.as_ref())?;
        let body = body_hash("print_receipt", session.seat.register.as_str(), &said);
        let receipt = parse::receipt(&said.receipt)?;
        let committed = self
            .store
            .print_copy(session.seat.register, session.staff, (id, body), receipt)
            .await
            .map_err(errors::command)?;
        Ok(Response::new(wire::PrintReceiptResponse {
            position: views::position(committed.head),
        }))
    }

    async fn cancel_card(&self, request: Request<wire::CancelCardRequest>) -> Answer<wire::CancelCardResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        parse::command_id(said.command.as_ref())?;
        let ticket = parse::ticket_id(&said.ticket_id)?;
        self.store.give_up_card(session.seat.register, ticket);
        Ok(Response::new(wire::CancelCardResponse {}))
    }

    async fn get_status(&self, request: Request<wire::GetStatusRequest>) -> Answer<wire::GetStatusResponse> {
        let session = self.session(request.metadata())?;
        Ok(Response::new(self.status_view(session)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<wire::WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<wire::WatchRequest>) -> Answer<Self::WatchStream> {
        let session = self.session(request.metadata())?;
        let (out, stream) = mpsc::channel(64);
        let desk = RegisterDesk { store: self.store.clone() };
        tokio::spawn(async move { desk.show(session, out).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl RegisterDesk {
    /// Feeds one screen until it leaves: the state now, then each change; the status when it changes.
    async fn show(&self, session: Session, out: mpsc::Sender<Result<wire::WatchResponse, Status>>) {
        let mut screens = self.store.shop().screens.subscribe();
        let mut link = self.store.link();
        let mut machines = self.store.shop().board.watch();
        let mut cards = self.store.shop().cards.watch();
        let send = async |what| out.send(Ok(wire::WatchResponse { what: Some(what) })).await.is_ok();
        if !send(wire::watch_response::What::Status(self.status_view(session))).await {
            return;
        }
        for open in self.store.open_tickets(session.seat.register).await.unwrap_or_default() {
            let Ok(view) = self.show_outcome(&open) else { continue };
            if !send(wire::watch_response::What::Ticket(view)).await {
                return;
            }
        }
        loop {
            let what = tokio::select! {
                screen = screens.recv() => match screen {
                    Ok(Screen::Ticket { register, outcome }) if register == session.seat.register => match self.view(&outcome, session).await {
                        Ok(view) => wire::watch_response::What::Ticket(view),
                        Err(_) => continue,
                    },
                    Ok(Screen::Scanned { register, scanner, code }) if register == session.seat.register => {
                        wire::watch_response::What::Scanned(wire::ScannedView {
                            code,
                            scanner: scanner.to_string(),
                        })
                    }
                    Ok(_) => continue,
                    // Too slow: what was missed is made up by the status, and the screen reads its ticket again.
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => wire::watch_response::What::Status(self.status_view(session)),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                },
                changed = link.changed() => match changed {
                    Ok(()) => wire::watch_response::What::Status(self.status_view(session)),
                    Err(_) => return,
                },
                changed = machines.changed() => match changed {
                    Ok(()) => wire::watch_response::What::Status(self.status_view(session)),
                    Err(_) => return,
                },
                changed = cards.changed() => match changed {
                    Ok(()) => {
                        let mut open = self.store.open_tickets(session.seat.register).await.unwrap_or_default();
                        open.retain(|open| matches!(open, Outcome::Open { ticket, .. } if ticket.card_under_way().is_some()));
                        match open.first().map(|open| self.show_outcome(open)) {
                            Some(Ok(view)) => wire::watch_response::What::Ticket(view),
                            _ => continue,
                        }
                    }
                    Err(_) => return,
                },
                () = out.closed() => return,
            };
            if !send(what).await {
                return;
            }
        }
    }
}

fn line_of(fact: &Fact, id: CommandId) -> u32 {
    let Fact::TicketClosed(closed) = fact else { return 0 };
    let ClosedTicket { lines, .. } = &**closed;
    lines.iter().find(|line| line.command_id == Some(id)).map_or(0, |line| line.line)
}

/// A call may take so long; then the caller hears "unknown" from its own side and asks again.
pub const CALL_DEADLINE: Duration = Duration::from_secs(25);
