//! Approvals: one PIN, one action, one line, once.
//!
//! Whether the PIN was right is not known here. Giving and using are two facts, so that a box that falls between them has either an
//! approval nobody used, which runs out, or a used one, which no one can use again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Crew, Refusal, Size, Verdict, later};
use crate::catalog::Sku;
use crate::facts::{ApprovalGiven, ApprovalUsed, Fact, StaffFact};
use crate::ids::{CommandId, ReceiptNo, RegisterId, StaffId, TicketId, TillId};
use crate::time::{BusinessDay, Instant};

/// What an approval is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum Subject {
    Line { ticket: TicketId, line: u32 },
    Ticket { ticket: TicketId },
    Receipt { receipt: ReceiptNo },
    Till { till: TillId },
    Register { register: RegisterId },
    Day { day: BusinessDay },
    Item { sku: Sku },
    Person { staff: StaffId },
}

/// Whether one person's PIN may approve the same person's action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfApproval {
    Refused,
    /// For a shop with one person in it; both ids in the journal are then the same.
    Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalPolicy {
    pub self_approval: SelfApproval,
    pub valid_seconds: u32,
}

/// Somebody's PIN was right, and this is what it is for.
#[derive(Clone, Debug)]
pub struct ApprovalAsk {
    pub approval: CommandId,
    pub action: String,
    pub subject: Subject,
    pub size: Size,
    pub asked_by: StaffId,
    pub approved_by: StaffId,
    pub register: RegisterId,
    pub at: Instant,
}

/// Somebody does what was approved.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalUse<'a> {
    pub approval: CommandId,
    pub used_by: CommandId,
    pub action: &'a str,
    pub subject: &'a Subject,
    pub size: Size,
    pub staff: StaffId,
    pub at: Instant,
}

/// Approvals whose time is not over, used ones among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    given: BTreeMap<CommandId, Given>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    approval: ApprovalGiven,
    used: bool,
}

impl Approvals {
    pub fn give(&self, crew: &Crew, policy: ApprovalPolicy, ask: ApprovalAsk) -> Result<ApprovalGiven, Refusal> {
        let approval = ask.approval;
        if self.given.contains_key(&approval) {
            return Err(Refusal::ApprovalSpent { approval });
        }
        match crew.verdict(ask.asked_by, &ask.action, ask.size)? {
            Verdict::Approval => {}
            Verdict::Allow => return Err(Refusal::NotNeeded { staff: ask.asked_by }),
            Verdict::Deny => {
                return Err(Refusal::Denied {
                    staff: ask.asked_by,
                    action: ask.action,
                });
            }
        }
        if ask.asked_by == ask.approved_by && policy.self_approval == SelfApproval::Refused {
            return Err(Refusal::OwnApproval);
        }
        crew.may_approve(ask.approved_by, &ask.action, ask.size)?;
        Ok(ApprovalGiven {
            approval,
            action: ask.action,
            subject: ask.subject,
            size: ask.size,
            asked_by: ask.asked_by,
            approved_by: ask.approved_by,
            register: ask.register,
            expires_at: later(ask.at, i64::from(policy.valid_seconds)),
        })
    }

    /// The fact belongs into the same commit as what it allows.
    pub fn use_up(&self, crew: &Crew, wanted: ApprovalUse<'_>) -> Result<ApprovalUsed, Refusal> {
        let approval = wanted.approval;
        let found = self.given.get(&approval).filter(|given| wanted.at < given.approval.expires_at);
        let Given { approval: given, used } = found.ok_or(Refusal::NoApproval { approval })?;
        if *used {
            return Err(Refusal::ApprovalSpent { approval });
        }
        let same = given.action == wanted.action && given.subject == *wanted.subject && given.asked_by == wanted.staff;
        if !same || !given.size.covers(wanted.size) {
            return Err(Refusal::OtherApproval { approval });
        }
        // Somebody who was blocked or lost the role meanwhile no longer stands behind it.
        crew.may_approve(given.approved_by, &given.action, given.size)?;
        if crew.verdict(given.asked_by, &given.action, wanted.size)? == Verdict::Deny {
            return Err(Refusal::Denied {
                staff: given.asked_by,
                action: given.action.clone(),
            });
        }
        Ok(ApprovalUsed {
            approval,
            used_by: wanted.used_by,
            asked_by: given.asked_by,
            approved_by: given.approved_by,
        })
    }

    pub fn apply(&mut self, fact: &Fact, at: Instant) {
        match fact {
            Fact::Staff(StaffFact::ApprovalGiven(given)) => {
                // What ran out can not be used; forgetting it keeps this small.
                self.given.retain(|_, known| known.approval.expires_at > at);
                let fresh = || Given {
                    approval: (**given).clone(),
                    used: false,
                };
                self.given.entry(given.approval).or_insert_with(fresh);
            }
            Fact::Staff(StaffFact::ApprovalUsed(used)) => {
                if let Some(given) = self.given.get_mut(&used.approval) {
                    given.used = true;
                }
            }
            _ => {}
        }
    }
}
