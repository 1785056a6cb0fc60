//! Facts about the people of the shop, by id: what they may do, who approved what, when they worked, and PINs that were wrong.

use serde::{Deserialize, Serialize};

use crate::ids::{CommandId, RegisterId, RoleId, StaffId};
use crate::staff::{ClockMark, Role, Size, Subject};
use crate::time::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum StaffFact {
    RoleSet(Box<RoleSet>),
    RolesGiven(RolesGiven),
    StaffBlocked(StaffBlocked),
    ApprovalGiven(Box<ApprovalGiven>),
    ApprovalUsed(ApprovalUsed),
    Clocked(Clocked),
    ClockCorrected(ClockCorrected),
    PinRefused(PinRefused),
}

/// A role is what stands here, and nothing of what it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSet {
    pub role: RoleId,
    pub rules: Role,
}

/// The roles a person holds from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesGiven {
    pub staff: StaffId,
    pub roles: Vec<RoleId>,
}

/// A person may no longer do anything, at once; or may again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffBlocked {
    pub staff: StaffId,
    pub by: StaffId,
    pub blocked: bool,
}

/// One PIN for one action on one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGiven {
    /// The command that gave it, and its name from here on.
    pub approval: CommandId,
    pub action: String,
    pub subject: Subject,
    /// As much and no more.
    pub size: Size,
    pub asked_by: StaffId,
    pub approved_by: StaffId,
    pub register: RegisterId,
    pub expires_at: Instant,
}

/// It is spent; both names stand here again, so that one entry tells the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalUsed {
    pub approval: CommandId,
    /// The command that used it.
    pub used_by: CommandId,
    pub asked_by: StaffId,
    pub approved_by: StaffId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocked {
    pub staff: StaffId,
    /// The command with which this stint of work began.
    pub stint: CommandId,
    pub mark: ClockMark,
}

/// A manager says when somebody really worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCorrected {
    pub staff: StaffId,
    pub stint: CommandId,
    pub started_at: Instant,
    pub ended_at: Instant,
    pub by: StaffId,
    /// One of the shop's own reasons.
    pub reason: String,
}

/// Somebody keyed a wrong PIN for this person. Written so that a restart forgives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRefused {
    pub staff: StaffId,
    pub register: RegisterId,
}
