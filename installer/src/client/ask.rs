//! Every call of the box's services under one name, so that retry, log and memory are written once.

use std::future::Future;

use backroom_protocol::v1::clerk;
use backroom_protocol::v1::clerk::clerk_service_client::ClerkServiceClient;
use backroom_protocol::v1::register as wire;
use backroom_protocol::v1::register::register_service_client::RegisterServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::log::Outcome;

/// A call with one answer.
pub trait Rpc: Clone + Send + Sync {
    /// The word that stands for it in logs.
    const CALL: &'static str;
    type Answer: Answer;

    fn send(channel: Channel, request: Request<Self>) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

/// A call that changes something, and so carries an id.
pub trait Command: Rpc + prost::Message + Default {
    fn command_id(&self) -> Uuid;
}

/// What every answer can tell.
pub trait Answer: Send {
    fn position(&self) -> Option<&wire::Position> {
        None
    }
    fn outcome(&self) -> Outcome {
        Outcome {
            position: self.position().cloned(),
            ..Outcome::default()
        }
    }
}

macro_rules! rpcs {
    ($of:ident, $service:ident: $($request:ident, $answer:ident, $method:ident;)*) => {$(
        impl Rpc for $of::$request {
            const CALL: &'static str = stringify!($method);
            type Answer = $of::$answer;

            async fn send(channel: Channel, request: Request<Self>) -> Result<Response<$of::$answer>, Status> {
                $service::new(channel).$method(request).await
            }
        }
    )*};
}

rpcs! { wire, RegisterServiceClient:
    EnrolRequest, EnrolResponse, enrol;
    SignInRequest, SignInResponse, sign_in;
    OpenShiftRequest, OpenShiftResponse, open_shift;
    MoveCashRequest, MoveCashResponse, move_cash;
    ReadShiftRequest, ReadShiftResponse, read_shift;
    CloseShiftRequest, CloseShiftResponse, close_shift;
    ScanRequest, ScanResponse, scan;
    VoidLineRequest, VoidLineResponse, void_line;
    TenderRequest, TenderResponse, tender;
    SettleRequest, SettleResponse, settle;
    CancelTicketRequest, CancelTicketResponse, cancel_ticket;
    ReturnSaleRequest, ReturnSaleResponse, return_sale;
    ChangeQuantityRequest, ChangeQuantityResponse, change_quantity;
    OverridePriceRequest, OverridePriceResponse, override_price;
    GiveDiscountRequest, GiveDiscountResponse, give_discount;
    TakeCouponRequest, TakeCouponResponse, take_coupon;
    CheckAgeRequest, CheckAgeResponse, check_age;
    SellKeyedRequest, SellKeyedResponse, sell_keyed;
    RefundBottlesRequest, RefundBottlesResponse, refund_bottles;
    SuspendTicketRequest, SuspendTicketResponse, suspend_ticket;
    ResumeTicketRequest, ResumeTicketResponse, resume_ticket;
    TakeBackRequest, TakeBackResponse, take_back;
    RefundCashRequest, RefundCashResponse, refund_cash;
    GetTicketRequest, GetTicketResponse, get_ticket;
    ListSuspendedTicketsRequest, ListSuspendedTicketsResponse, list_suspended_tickets;
    ListOpenTicketsRequest, ListOpenTicketsResponse, list_open_tickets;
    GetReceiptRequest, GetReceiptResponse, get_receipt;
    FindItemRequest, FindItemResponse, find_item;
    GetStatusRequest, GetStatusResponse, get_status;
}

rpcs! { clerk, ClerkServiceClient:
    ListReadersRequest, ListReadersResponse, list_readers;
    StartCountRequest, StartCountResponse, start_count;
    KeepCountRequest, KeepCountResponse, keep_count;
}

macro_rules! commands {
    ($of:ident: $($request:ident)*) => {$(
        impl Command for $of::$request {
            fn command_id(&self) -> Uuid {
                let bytes = self.command.as_ref().map_or(&[][..], |command| &command.command_id);
                Uuid::from_slice(bytes).unwrap_or_default()
            }
        }
    )*};
}

commands! { wire:
    EnrolRequest SignInRequest OpenShiftRequest MoveCashRequest CloseShiftRequest ScanRequest VoidLineRequest TenderRequest SettleRequest
    CancelTicketRequest ReturnSaleRequest
    ChangeQuantityRequest OverridePriceRequest GiveDiscountRequest TakeCouponRequest CheckAgeRequest SellKeyedRequest
    RefundBottlesRequest SuspendTicketRequest ResumeTicketRequest TakeBackRequest RefundCashRequest
}

commands! { clerk: KeepCountRequest }

macro_rules! told_with_position {
    ($($answer:ident)*) => {$(
        impl Answer for wire::$answer {
            fn position(&self) -> Option<&wire::Position> {
                self.position.as_ref()
            }
        }
    )*};
}

told_with_position! {
    EnrolResponse SignInResponse OpenShiftResponse MoveCashResponse ReadShiftResponse CloseShiftResponse GetStatusResponse
}

macro_rules! told_with_ticket {
    ($($answer:ident)*) => {$(
        impl Answer for wire::$answer {
            fn position(&self) -> Option<&wire::Position> {
                self.position.as_ref()
            }

            fn outcome(&self) -> Outcome {
                of_ticket(self.ticket.as_ref(), self.position.as_ref())
            }
        }
    )*};
}

told_with_ticket! {
    ScanResponse VoidLineResponse TenderResponse SettleResponse CancelTicketResponse ReturnSaleResponse
    ChangeQuantityResponse OverridePriceResponse GiveDiscountResponse TakeCouponResponse CheckAgeResponse SellKeyedResponse
    RefundBottlesResponse SuspendTicketResponse ResumeTicketResponse TakeBackResponse RefundCashResponse
}

impl Answer for wire::GetTicketResponse {}
impl Answer for wire::ListOpenTicketsResponse {}
impl Answer for wire::ListSuspendedTicketsResponse {}
impl Answer for wire::GetReceiptResponse {}
impl Answer for wire::FindItemResponse {}
impl Answer for clerk::ListReadersResponse {}
impl Answer for clerk::StartCountResponse {}
impl Answer for clerk::KeepCountResponse {}

fn of_ticket(ticket: Option<&wire::TicketView>, position: Option<&wire::Position>) -> Outcome {
    let minor = |money: Option<&wire::Money>| money.map(|money| money.minor);
    Outcome {
        refused: None,
        receipt: ticket.map(|ticket| ticket.receipt.clone()).filter(|receipt| !receipt.is_empty()),
        due: ticket.and_then(|ticket| minor(ticket.due.as_ref())),
        change: ticket.and_then(|ticket| minor(ticket.change.as_ref())),
        position: position.cloned(),
    }
}
