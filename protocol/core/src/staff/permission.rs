//! What a role says about an action: allow, deny, or approval required, within limits.
//!
//! An action is a word. Roles made by a newer version may speak of words this one does not know: they are kept as they are, and asking
//! for one is denied by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::ApprovedAction;
use crate::money::Money;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Everything a till asks permission for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            pub const ALL: &[Action] = &[$(Action::$name,)*];

            pub fn word(self) -> &'static str {
                match self { $(Action::$name => $word,)* }
            }

            pub fn from_word(word: &str) -> Option<Action> {
                match word { $($word => Some(Action::$name),)* _ => None }
            }
        }
    };
}

actions! {
    Sell = "sell",
    VoidLine = "void_line",
    VoidTicket = "void_ticket",
    CancelReceipt = "cancel_receipt",
    /// Its size is the difference to the list price.
    OverridePrice = "override_price",
    Discount = "discount",
    /// A price keyed for something the box does not know.
    KeyedPrice = "keyed_price",
    TaxExempt = "tax_exempt",
    Return = "return",
    ReturnWithoutReceipt = "return_without_receipt",
    /// Money to a tender other than the one it was paid with.
    RefundOtherTender = "refund_other_tender",
    Refund = "refund",
    SellOnAccount = "sell_on_account",
    GiftCardOffline = "gift_card_offline",
    ForeignCash = "foreign_cash",
    TakeOverTicket = "take_over_ticket",
    ReprintReceipt = "reprint_receipt",
    /// The drawer opens and nothing is sold.
    NoSale = "no_sale",
    OpenShift = "open_shift",
    PaidIn = "paid_in",
    PaidOut = "paid_out",
    Drop = "drop",
    TransferCash = "transfer_cash",
    CountTill = "count_till",
    /// Reading what should be in the till before it was counted.
    SeeExpected = "see_expected",
    CloseShift = "close_shift",
    CloseOverShort = "close_over_short",
    CloseForeignShift = "close_foreign_shift",
    HandOver = "hand_over",
    CloseDay = "close_day",
    SetDocumentAside = "set_document_aside",
    Training = "training",
    AdjustStock = "adjust_stock",
    ReceiveGoods = "receive_goods",
    TransferStock = "transfer_stock",
    CountStock = "count_stock",
    ChangePrice = "change_price",
    BlockStaff = "block_staff",
    CorrectTimes = "correct_times",
    PairRegister = "pair_register",
    AssignFoundCapture = "assign_found_capture",
    ReadReports = "read_reports",
}

impl ApprovedAction {
    /// The action a person must be allowed to approve it for another.
    pub fn action(self) -> Action {
        match self {
            ApprovedAction::PriceOverride => Action::OverridePrice,
            ApprovedAction::LineDiscount | ApprovedAction::TicketDiscount => Action::Discount,
            ApprovedAction::TaxExemption => Action::TaxExempt,
            ApprovedAction::ReturnWithoutReceipt => Action::ReturnWithoutReceipt,
            ApprovedAction::CancelSale => Action::CancelReceipt,
            ApprovedAction::RefundOtherwise => Action::RefundOtherTender,
        }
    }
}

/// The stricter is the larger, so that the strictest of several roles is their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allow,
    Approval,
    /// Also what a word of a newer version comes to.
    #[serde(other)]
    Deny,
}

/// How large something is; what does not apply is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// In hundredths of a percent: 2000 is 20 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_hundredths: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

impl Size {
    pub const NONE: Size = Size {
        percent_hundredths: None,
        amount: None,
    };

    pub fn amount(amount: Money) -> Self {
        Size {
            amount: Some(amount),
            ..Size::NONE
        }
    }

    pub fn percent(percent_hundredths: u32) -> Self {
        Size {
            percent_hundredths: Some(percent_hundredths),
            ..Size::NONE
        }
    }

    /// Whether an approval of this size is enough for `asked`.
    pub fn covers(self, asked: Size) -> bool {
        let percent = asked
            .percent_hundredths
            .is_none_or(|asked| self.percent_hundredths.is_some_and(|given| asked <= given));
        let amount = asked.amount.is_none_or(|asked| {
            let enough = |given: Money| asked.0.unsigned_abs() <= given.0.unsigned_abs();
            self.amount.is_some_and(enough)
        });
        percent && amount
    }
}

/// Up to where a rule counts. A limit on something whose size nobody knows is exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_hundredths: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

impl Limits {
    pub const NONE: Limits = Limits {
        percent_hundredths: None,
        amount: None,
    };

    pub fn hold(self, size: Size) -> bool {
        let percent = self
            .percent_hundredths
            .is_none_or(|limit| size.percent_hundredths.is_some_and(|asked| asked <= limit));
        let amount = self.amount.is_none_or(|limit| {
            let within = |asked: Money| asked.0.unsigned_abs() <= limit.0.unsigned_abs();
            size.amount.is_some_and(within)
        });
        percent && amount
    }
}

/// Why a rule makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("beyond its limit a rule must be at least as strict as within; set both")]
pub struct RuleError;

/// What one role says about one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlainRule", into = "PlainRule")]
pub struct Rule {
    verdict: Verdict,
    limits: Limits,
    above: Verdict,
}

#[derive(Serialize, Deserialize)]
struct PlainRule {
    verdict: Verdict,
    #[serde(default, skip_serializing_if = "is_none")]
    limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<Verdict>,
}

fn is_none(limits: &Limits) -> bool {
    *limits == Limits::NONE
}

impl TryFrom<PlainRule> for Rule {
    type Error = RuleError;
    fn try_from(plain: PlainRule) -> Result<Self, RuleError> {
        // A limit without a word about what lies beyond it denies that.
        let silent = if is_none(&plain.limits) { plain.verdict } else { Verdict::Deny };
        Rule::within(plain.limits, plain.verdict, plain.above.unwrap_or(silent))
    }
}

impl From<Rule> for PlainRule {
    fn from(rule: Rule) -> Self {
        PlainRule {
            verdict: rule.verdict,
            limits: rule.limits,
            above: (!is_none(&rule.limits)).then_some(rule.above),
        }
    }
}

impl Rule {
    pub fn always(verdict: Verdict) -> Self {
        Rule {
            verdict,
            limits: Limits::NONE,
            above: verdict,
        }
    }

    /// One verdict within the limits, another beyond them.
    pub fn within(limits: Limits, verdict: Verdict, above: Verdict) -> Result<Self, RuleError> {
        if above < verdict {
            return Err(RuleError);
        }
        // Without a limit nothing lies beyond it.
        let above = if is_none(&limits) { verdict } else { above };
        Ok(Rule { verdict, limits, above })
    }

    pub fn verdict(&self, size: Size) -> Verdict {
        if self.limits.hold(size) { self.verdict } else { self.above }
    }

    /// Within, the limits, and beyond: for whoever writes a rule down.
    pub fn parts(&self) -> (Verdict, Limits, Verdict) {
        (self.verdict, self.limits, self.above)
    }
}

/// What one role says. An action it does not name is left to the person's other roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    #[serde(default)]
    pub rules: BTreeMap<String, Rule>,
    /// What it may approve for others, and up to where.
    #[serde(default)]
    pub approves: BTreeMap<String, Limits>,
}

impl Role {
    pub fn with(mut self, action: Action, rule: Rule) -> Self {
        self.rules.insert(action.word().to_owned(), rule);
        self
    }

    pub fn approving(mut self, action: Action, limits: Limits) -> Self {
        self.approves.insert(action.word().to_owned(), limits);
        self
    }

    pub(super) fn verdict(&self, action: &str, size: Size) -> Option<Verdict> {
        self.rules.get(action).map(|rule| rule.verdict(size))
    }

    pub(super) fn may_approve(&self, action: &str, size: Size) -> bool {
        self.approves.get(action).is_some_and(|limits| limits.hold(size))
    }
}
