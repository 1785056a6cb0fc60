//! The people of the shop, by id: who holds which role, who is blocked, and what each may do.
//!
//! What a rule is stands in `permission`, one PIN for one action in `approval`, worked hours in `clock`, slowing down guesses in
//! `throttle`. Names, PINs and how a PIN is checked live elsewhere.

mod approval;
mod clock;
mod permission;
mod throttle;

pub use approval::{ApprovalAsk, ApprovalPolicy, ApprovalUse, Approvals, SelfApproval, Subject};
pub use clock::{Break, ClockMark, LONGEST_STINT_HOURS, Stint, TimeClock};
pub use permission::{Action, Limits, Role, Rule, RuleError, Size, Verdict};
pub use throttle::{FORGIVEN_DEVICE, FORGIVEN_PERSON, FORGIVEN_STORE, LONGEST_PAUSE_SECONDS, Tally, Throttle};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::{Fact, RoleSet, RolesGiven, StaffBlocked, StaffFact};
use crate::ids::{CommandId, RoleId, StaffId};
use crate::time::Instant;

/// What the shop's people are told when something is not theirs to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{staff} is blocked; ask the manager on duty")]
    Blocked { staff: StaffId },
    #[error("no role of {staff} allows {action}; ask somebody who may")]
    Denied { staff: StaffId, action: String },
    #[error("{action} needs an approval here; ask somebody who may approve it to enter their PIN")]
    ApprovalNeeded { action: String },
    #[error("this box does not know the action {action}; it is denied until the box is brought up to date")]
    UnknownAction { action: String },
    #[error("role {role} is not known here; use one that is")]
    UnknownRole { role: RoleId },
    #[error("nobody blocks themselves; ask another manager")]
    OwnBlock,
    #[error("{staff} may not approve {action} of this size; ask somebody who may")]
    NotAnApprover { staff: StaffId, action: String },
    #[error("nobody approves for themselves here; ask a second person")]
    OwnApproval,
    #[error("{staff} may do this without an approval; just do it")]
    NotNeeded { staff: StaffId },
    #[error("approval {approval} is not known here, or its time is over; ask for a new one")]
    NoApproval { approval: CommandId },
    #[error("approval {approval} was used already; ask for a new one")]
    ApprovalSpent { approval: CommandId },
    #[error("approval {approval} was given for something else; ask for one for this")]
    OtherApproval { approval: CommandId },
    #[error("{staff} is at work already; take a break or go home first")]
    AtWork { staff: StaffId },
    #[error("{staff} is not at work; come in first")]
    NotAtWork { staff: StaffId },
    #[error("{staff} is on a break; end it first")]
    OnBreak { staff: StaffId },
    #[error("{staff} is not on a break; there is none to end")]
    NoBreak { staff: StaffId },
    #[error("{staff} never clocked out; a manager has to enter when work ended")]
    ForgottenOut { staff: StaffId },
    #[error("there is no such time at work of {staff}; read the times again")]
    NoStint { staff: StaffId },
    #[error("these times run over another time at work, a break or into the future; correct them")]
    Overlap,
    #[error("nobody corrects their own times; ask a manager")]
    OwnTimes,
    #[error("a reason is 1 to 60 printable characters; write it shorter and on one line")]
    Reason,
    #[error("too many wrong tries; wait {seconds} seconds, then try again")]
    Throttled { seconds: i64 },
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Blocked { .. } => "staff_blocked",
            Refusal::Denied { .. } => "denied",
            Refusal::ApprovalNeeded { .. } => "approval_needed",
            Refusal::UnknownAction { .. } => "unknown_action",
            Refusal::UnknownRole { .. } => "unknown_role",
            Refusal::OwnBlock => "own_block",
            Refusal::NotAnApprover { .. } => "not_an_approver",
            Refusal::OwnApproval => "own_approval",
            Refusal::NotNeeded { .. } => "approval_not_needed",
            Refusal::NoApproval { .. } => "no_approval",
            Refusal::ApprovalSpent { .. } => "approval_spent",
            Refusal::OtherApproval { .. } => "other_approval",
            Refusal::AtWork { .. } => "at_work",
            Refusal::NotAtWork { .. } => "not_at_work",
            Refusal::OnBreak { .. } => "on_break",
            Refusal::NoBreak { .. } => "no_break",
            Refusal::ForgottenOut { .. } => "forgotten_out",
            Refusal::NoStint { .. } => "no_stint",
            Refusal::Overlap => "overlap",
            Refusal::OwnTimes => "own_times",
            Refusal::Reason => "reason",
            Refusal::Throttled { .. } => "throttled",
        }
    }
}

/// One person, as far as rules care.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Person {
    roles: BTreeSet<RoleId>,
    blocked: bool,
}

/// Everyone's roles. Whoever holds none may do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    roles: BTreeMap<RoleId, Role>,
    people: BTreeMap<StaffId, Person>,
}

impl Crew {
    /// What the person may do. Deny wins over approval over allow when several roles speak of the action; silence of all denies.
    pub fn verdict(&self, staff: StaffId, action: &str, size: Size) -> Result<Verdict, Refusal> {
        self.not_blocked(staff)?;
        if Action::from_word(action).is_none() {
            return Err(Refusal::UnknownAction {
                action: action.chars().take(40).collect(),
            });
        }
        let verdicts = self.held_by(staff).filter_map(|role| role.verdict(action, size));
        Ok(verdicts.max().unwrap_or(Verdict::Deny))
    }

    /// Goes on only where the person needs nobody else.
    pub fn may(&self, staff: StaffId, action: &str, size: Size) -> Result<(), Refusal> {
        match self.verdict(staff, action, size)? {
            Verdict::Allow => Ok(()),
            Verdict::Approval => Err(Refusal::ApprovalNeeded { action: action.to_owned() }),
            Verdict::Deny => Err(Refusal::Denied {
                staff,
                action: action.to_owned(),
            }),
        }
    }

    /// Whether the person may approve this for others: a role of theirs says so, and none of them denies the action itself.
    pub fn may_approve(&self, staff: StaffId, action: &str, size: Size) -> Result<(), Refusal> {
        self.not_blocked(staff)?;
        let denied = self.held_by(staff).any(|role| role.verdict(action, size) == Some(Verdict::Deny));
        let approves = self.held_by(staff).any(|role| role.may_approve(action, size));
        if Action::from_word(action).is_some() && approves && !denied {
            return Ok(());
        }
        Err(Refusal::NotAnApprover {
            staff,
            action: action.chars().take(40).collect(),
        })
    }

    pub fn is_blocked(&self, staff: StaffId) -> bool {
        self.people.get(&staff).is_some_and(|person| person.blocked)
    }

    fn not_blocked(&self, staff: StaffId) -> Result<(), Refusal> {
        if self.is_blocked(staff) {
            return Err(Refusal::Blocked { staff });
        }
        Ok(())
    }

    fn held_by(&self, staff: StaffId) -> impl Iterator<Item = &Role> {
        let person = self.people.get(&staff);
        let held = person.into_iter().flat_map(|person| &person.roles);
        held.filter_map(|role| self.roles.get(role))
    }

    pub fn set_role(&self, role: RoleId, rules: Role) -> RoleSet {
        RoleSet { role, rules }
    }

    pub fn give_roles(&self, staff: StaffId, roles: Vec<RoleId>) -> Result<RolesGiven, Refusal> {
        if let Some(role) = roles.iter().copied().find(|role| !self.roles.contains_key(role)) {
            return Err(Refusal::UnknownRole { role });
        }
        Ok(RolesGiven { staff, roles })
    }

    /// Takes effect with this fact, wherever the person is signed in.
    pub fn block(&self, staff: StaffId, by: StaffId, blocked: bool) -> Result<StaffBlocked, Refusal> {
        if staff == by {
            return Err(Refusal::OwnBlock);
        }
        self.may(by, Action::BlockStaff.word(), Size::NONE)?;
        Ok(StaffBlocked { staff, by, blocked })
    }

    pub fn apply(&mut self, fact: &Fact) {
        let Fact::Staff(fact) = fact else { return };
        match fact {
            StaffFact::RoleSet(set) => drop(self.roles.insert(set.role, set.rules.clone())),
            StaffFact::RolesGiven(given) => self.people.entry(given.staff).or_default().roles = given.roles.iter().copied().collect(),
            StaffFact::StaffBlocked(block) => self.people.entry(block.staff).or_default().blocked = block.blocked,
            _ => {}
        }
    }
}

/// So many seconds later, as far as the calendar goes.
fn later(at: Instant, seconds: i64) -> Instant {
    let micros = seconds.saturating_mul(1_000_000).saturating_add(at.as_micros());
    Instant::from_micros(micros).unwrap_or(at)
}

#[cfg(test)]
mod tests;
