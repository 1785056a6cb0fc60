//! How a refusal or a fault leaves the box: its stable code, the gRPC code that goes with it, and the details.
//!
//! The one table of codes. A room of core (and each actor) has its own enum of refusals with a `code()`; here stands, for
//! each of these words, which gRPC code it is. A word means the same in every room that says it. A word without a row leaves
//! as `FAILED_PRECONDITION`; a test reads the sources and names every word that has none.
//!
//! On the wire a refusal is: the gRPC code, the sentence as the message, the code in the metadata `backroom-code`, and in
//! `grpc-status-details-bin` a `google.rpc.Status` that holds one `google.rpc.ErrorInfo` with the code as its reason,
//! `backroom` as its domain, and what else a program may want as its metadata. The code is for programs and stays; the
//! sentence is for people and may be worded better one day.

use std::collections::BTreeMap;

use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// The metadata that names the reason.
pub const CODE: &str = "backroom-code";
/// Who gives the reasons their meaning.
pub const DOMAIN: &str = "backroom";

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// Each row: the gRPC code and the words that leave with it.
const TABLE: &[(Code, &[&str])] = &[
    (Code::InvalidArgument, INVALID_ARGUMENT),
    (Code::NotFound, NOT_FOUND),
    (Code::AlreadyExists, ALREADY_EXISTS),
    (Code::PermissionDenied, PERMISSION_DENIED),
    (Code::ResourceExhausted, RESOURCE_EXHAUSTED),
    (Code::FailedPrecondition, FAILED_PRECONDITION),
    (Code::Unavailable, UNAVAILABLE),
    (Code::Unauthenticated, UNAUTHENTICATED),
];

/// What was said is no value of its kind; the same words will never do.
const INVALID_ARGUMENT: &[&str] = &[
    "absurd_amount",
    "amount",
    "amount_too_large",
    "bad_field",
    "card_data",
    "catalog_too_large",
    "code_twice",
    "cost",
    "count_too_large",
    "count_total",
    "counters",
    "currency_twice",
    "day_end",
    "denominations",
    "discount",
    "empty",
    "entry",
    "exchange_rate",
    "exemption_reason",
    "form",
    "invoice_party",
    "item",
    "line_twice",
    "name",
    "no_amount",
    "not_a_list_code",
    "not_an_amount",
    "not_an_invoice",
    "not_exact",
    "other_kind_of_unit",
    "out_of_calendar",
    "out_of_range",
    "own_times",
    "path",
    "piece_twice",
    "price",
    "price_book",
    "promotion",
    "quantity",
    "quantity_too_large",
    "reason",
    "sku",
    "sku_twice",
    "tare",
    "tax_class",
    "tax_class_twice",
    "tax_holiday",
    "tender_twice",
    "till_totals",
    "tip",
    "too_many_decimals",
    "unit",
    "unit_twice",
    "unknown_action",
    "unknown_currency",
    "unknown_piece",
    "unknown_reason",
    "unknown_role",
    "unknown_rounding",
    "unknown_tax",
    "unknown_tax_class",
    "unknown_unit",
    "unknown_zone",
    "unreadable_code",
];

/// What was named does not exist here.
const NOT_FOUND: &[&str] = &[
    "carton_unknown",
    "count_unknown",
    "line_unknown",
    "no_such_branch",
    "no_such_coupon",
    "no_such_line",
    "no_such_payment",
    "no_such_tender",
    "not_on_receipt",
    "not_there",
    "order_unknown",
    "reservation_unknown",
    "transfer_unknown",
    "unit_unknown",
    "unknown_account",
    "unknown_actor",
    "unknown_code",
    "unknown_count",
    "unknown_customer",
    "unknown_item",
    "unknown_lease",
    "unknown_reader",
    "unknown_receipt",
    "unknown_segment",
    "unknown_store",
    "unknown_ticket",
];

/// The name is taken by something else.
const ALREADY_EXISTS: &[&str] = &[
    "carton_taken",
    "command_id_reused",
    "count_exists",
    "delivery_taken",
    "escrow_series_used",
    "order_exists",
    "reservation_exists",
    "transfer_exists",
];

/// Known, and not allowed.
const PERMISSION_DENIED: &[&str] = &[
    "approval_needed",
    "denied",
    "faults_not_allowed",
    "no_approval",
    "not_an_approver",
    "other_key",
    "own_approval",
    "own_block",
    "pairing",
    "same_person",
    "self_approval",
    "session_fenced",
    "signature",
    "staff_blocked",
    "witness_is_self",
];

/// More than is ever taken.
const RESOURCE_EXHAUSTED: &[&str] = &["too_large"];

/// Right words at the wrong time: something else has to happen first.
const FAILED_PRECONDITION: &[&str] = &[
    "account_blocked",
    "account_too_full",
    "account_twice",
    "age_check",
    "age_refused",
    "already_live",
    "already_paid",
    "already_returned",
    "already_reversed",
    "already_voided",
    "approval_not_needed",
    "approval_spent",
    "approval_used",
    "ask_ended",
    "ask_terminal",
    "at_work",
    "balance_too_small",
    "balance_under_way",
    "base_ahead",
    "below_nothing",
    "branch_closed",
    "branch_grown",
    "branch_tip",
    "bundle_loop",
    "cancel_alone",
    "capture",
    "capture_needed",
    "captured_twice",
    "card_too_much",
    "card_under_way",
    "cash_in_other_till",
    "corrected_meanwhile",
    "count_ended",
    "count_open",
    "count_over",
    "count_unfinished",
    "counted_twice",
    "counted_when",
    "coupon",
    "coupon_twice",
    "customer_erased",
    "customer_has_accounts",
    "customer_merged",
    "customer_needed",
    "damaged_more",
    "day_closing",
    "deposit_least",
    "discount_on_return",
    "empty_basket",
    "epoch_not_known",
    "escrow_cut",
    "escrow_expired",
    "escrow_grant_out",
    "escrow_handed_over",
    "escrow_limits",
    "escrow_not_a_log",
    "escrow_not_a_sale",
    "escrow_other_log",
    "escrow_other_register",
    "escrow_other_sale",
    "escrow_too_large",
    "escrow_too_many",
    "escrow_total",
    "escrow_unknown_grant",
    "expired",
    "forgotten_out",
    "goes_along",
    "has_price",
    "job_ended",
    "kept_too_long",
    "known_branch",
    "known_break",
    "known_superseded",
    "last_epoch",
    "layaway_ended",
    "layaway_goods_only",
    "layaway_overpaid",
    "lease_alive",
    "lease_too_small",
    "line_without_order",
    "lot_short",
    "merged_into_itself",
    "money",
    "no_account",
    "no_age_limit",
    "no_break",
    "no_deposit",
    "no_discount",
    "no_epoch",
    "no_gap",
    "no_key",
    "no_lowest_price",
    "no_printer",
    "no_reader",
    "no_receipt",
    "no_series",
    "no_shift",
    "no_stint",
    "no_tax_class",
    "no_terminal",
    "not_a_mark",
    "not_a_sale",
    "not_at_work",
    "not_available",
    "not_closing",
    "not_counted",
    "not_damaged",
    "not_enough",
    "not_expired",
    "not_held",
    "not_in_count",
    "not_new",
    "not_newer",
    "not_on_order",
    "not_proposed",
    "not_quotable",
    "not_returnable",
    "not_set_aside",
    "not_suspended",
    "not_weighed",
    "not_yet",
    "nothing_changes",
    "nothing_open",
    "nothing_to_follow",
    "nothing_weighed",
    "old_session",
    "on_break",
    "one_by_one",
    "opening_differs",
    "order_closed",
    "other_approval",
    "other_catalog",
    "other_chain",
    "other_currency",
    "other_destination",
    "other_file",
    "other_origin",
    "other_shift",
    "other_store",
    "other_terminal",
    "other_till",
    "other_unit",
    "over_return",
    "overlap",
    "own_currency",
    "paid_by_card",
    "paper_exceeds_lease",
    "partly_returned",
    "place_not_in_count",
    "points_rules",
    "price_limit",
    "price_needed",
    "reader_busy",
    "reading_used",
    "refund_beyond_tender",
    "refund_first",
    "refund_form",
    "refund_too_much",
    "request_answered",
    "reservation_consumed",
    "reservation_expired",
    "reservation_released",
    "reservation_stands",
    "returned_twice",
    "same_currency",
    "same_till",
    "segment",
    "segment_overlap",
    "segment_vanished",
    "shift_open",
    "stale_base",
    "suspended",
    "taken_back_line",
    "taken_back_meanwhile",
    "taxes_turned",
    "tender_stays",
    "throttled",
    "ticket_closed",
    "ticket_fenced",
    "till_in_use",
    "till_twice",
    "to_itself",
    "too_many",
    "too_many_counts",
    "too_many_lines",
    "too_many_tenders",
    "too_many_tickets",
    "too_much",
    "training",
    "transfer_closed",
    "unbalanced",
    "unit_of_other",
    "unit_state",
    "units_missing",
    "until_past",
    "version_conflict",
    "voucher",
    "voucher_too_much",
    "voucher_twice",
    "weighed_line",
    "without_receipt_limit",
    "witness_needed",
    "would_break_promise",
    "would_go_negative",
    "wrong_account_kind",
];

/// The box can not say now; the same command may be said again as it is.
const UNAVAILABLE: &[&str] = &["busy", "head_office_recovering", "unknown_outcome"];

/// Nobody is known to have said it.
const UNAUTHENTICATED: &[&str] = &["not_enrolled", "not_signed_in", "wrong_pin"];

/// The gRPC code of a stable code, where the table has it.
#[must_use]
pub fn grpc_code(code: &str) -> Option<Code> {
    TABLE.iter().find(|(_, words)| words.contains(&code)).map(|(grpc, _)| *grpc)
}

/// A refusal as it leaves the box.
#[must_use]
pub fn status(code: &str, sentence: impl std::fmt::Display) -> Status {
    status_with(code, sentence, BTreeMap::new())
}

/// The same with what else a program may want to know, such as the field that was wrong.
#[must_use]
pub fn status_with(code: &str, sentence: impl std::fmt::Display, more: BTreeMap<String, String>) -> Status {
    let grpc = grpc_code(code).unwrap_or(Code::FailedPrecondition);
    let sentence = sentence.to_string();
    let info = ErrorInfo {
        reason: code.to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: more,
    };
    let details = RpcStatus {
        code: grpc as i32,
        message: sentence.clone(),
        details: vec![prost_types::Any {
            type_url: ERROR_INFO.to_owned(),
            value: info.encode_to_vec(),
        }],
    };
    let mut metadata = MetadataMap::new();
    if let Ok(code) = MetadataValue::try_from(code) {
        metadata.insert(CODE, code);
    }
    Status::with_details_and_metadata(grpc, sentence, details.encode_to_vec().into(), metadata)
}

/// The stable code of a refusal, as its hearer finds it.
#[must_use]
pub fn code_of(status: &Status) -> Option<&str> {
    status.metadata().get(CODE)?.to_str().ok()
}

/// The details of a refusal, as its hearer finds them.
#[must_use]
pub fn info_of(status: &Status) -> Option<ErrorInfo> {
    let details = RpcStatus::decode(status.details()).ok()?;
    let info = details.details.iter().find(|detail| detail.type_url == ERROR_INFO)?;
    ErrorInfo::decode(info.value.as_slice()).ok()
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub reason: String,
    #[prost(string, tag = "2")]
    pub domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub metadata: BTreeMap<String, String>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// The words between quotation marks in the bodies of `fn code`.
    fn words(source: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (at, _) in source.match_indices("fn code(") {
            let signature = source[at..].lines().next().unwrap();
            if !signature.contains("self) -> &'static str") {
                continue;
            }
            let body: String = source[at..]
                .lines()
                .skip(1)
                .take_while(|line| *line != "    }" && *line != "}")
                .collect();
            words.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
        }
        words
    }

    #[test]
    fn every_code_of_every_room_has_a_row() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for room in ["core/src", "../actors/src"] {
            sources(&here.join(room), &mut files);
        }
        let mut seen = 0;
        let mut without = Vec::new();
        for file in files {
            for word in words(&fs::read_to_string(&file).unwrap()) {
                seen += 1;
                if grpc_code(&word).is_none() {
                    without.push(format!("{word} of {}", file.display()));
                }
            }
        }
        assert!(seen > 30, "only {seen} codes found; has `fn code` been renamed?");
        assert!(without.is_empty(), "these codes need a row in the table of refusals: {without:#?}");
    }

    #[test]
    fn no_code_has_two_rows_and_each_may_stand_in_metadata() {
        let mut all: Vec<&str> = TABLE.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        assert!(
            all.iter()
                .all(|word| word.bytes().all(|letter| matches!(letter, b'a'..=b'z' | b'_' | b'0'..=b'9')))
        );
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_refusal_says_its_code_in_three_ways_and_its_sentence() {
        let more = BTreeMap::from([("field".to_owned(), "ticket_id".to_owned())]);
        let status = status_with("bad_field", "ticket_id: is empty", more.clone());
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "ticket_id: is empty"));
        assert_eq!(code_of(&status), Some("bad_field"));
        let info = info_of(&status).unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str(), info.metadata),
            ("bad_field", "backroom", more)
        );
    }

    #[test]
    fn the_bytes_of_the_details_stay_what_they_are() {
        // Clients in other languages read these with Google's own messages, which wrote this line.
        let written = "080e12026e6f1a3c0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e4572726f72496e666f\
                       12100a046275737912086261636b726f6f6d";
        let details: String = status("busy", "no").details().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(details, written);
    }

    #[test]
    fn a_word_nobody_knows_is_still_a_refusal() {
        assert_eq!(status("made_up", "why").code(), Code::FailedPrecondition);
    }
}
