//! The time clock: when somebody worked and rested, and how long that was on each business day.
//!
//! Hours are elapsed time, so a night with 23 or 25 hours is paid as it was. Wages are not known here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Action, Crew, Refusal, Size};
use crate::barcode::looks_like_card;
use crate::facts::{ClockCorrected, Clocked, Fact, StaffFact};
use crate::ids::{CommandId, StaffId};
use crate::time::{BusinessDay, Calendar, Instant};

/// Nobody works longer than this; a stint that is still open then was forgotten.
pub const LONGEST_STINT_HOURS: i64 = 24;

const MINUTE: i64 = 60_000_000;
const LONGEST_STINT: i64 = LONGEST_STINT_HOURS * 60 * MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMark {
    In,
    BreakBegun,
    BreakEnded,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    pub begun_at: Instant,
    pub ended_at: Option<Instant>,
}

/// One time at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stint {
    pub stint: CommandId,
    pub started_at: Instant,
    pub ended_at: Option<Instant>,
    pub breaks: Vec<Break>,
    pub corrected_by: Option<StaffId>,
}

impl Stint {
    fn on_break(&self) -> bool {
        self.breaks.last().is_some_and(|pause| pause.ended_at.is_none())
    }

    /// Open for longer than anybody works.
    fn forgotten(&self, now: Instant) -> bool {
        self.ended_at.is_none() && now.as_micros().saturating_sub(self.started_at.as_micros()) > LONGEST_STINT
    }
}

/// Everyone's times, in the order they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeClock {
    stints: BTreeMap<StaffId, Vec<Stint>>,
}

impl TimeClock {
    pub fn stints(&self, staff: StaffId) -> &[Stint] {
        self.stints.get(&staff).map_or(&[], Vec::as_slice)
    }

    /// Stints a manager has to end.
    pub fn forgotten(&self, now: Instant) -> impl Iterator<Item = (StaffId, &Stint)> {
        let all = self
            .stints
            .iter()
            .flat_map(|(staff, stints)| stints.iter().map(|stint| (*staff, stint)));
        all.filter(move |(_, stint)| stint.forgotten(now))
    }

    /// A person comes, rests, goes on or leaves. `command_id` names the stint when it is a new one.
    pub fn clock(&self, staff: StaffId, mark: ClockMark, command_id: CommandId, now: Instant) -> Result<Clocked, Refusal> {
        let last = self.stints(staff).last();
        let open = last.filter(|stint| stint.ended_at.is_none());
        if mark == ClockMark::In {
            // A forgotten clock-out of yesterday keeps nobody from working today.
            if open.is_some_and(|stint| !stint.forgotten(now)) {
                return Err(Refusal::AtWork { staff });
            }
            if last.and_then(|stint| stint.ended_at).is_some_and(|ended| now < ended) {
                return Err(Refusal::Overlap);
            }
            return Ok(Clocked {
                staff,
                stint: command_id,
                mark,
            });
        }
        let open = open.ok_or(Refusal::NotAtWork { staff })?;
        if open.forgotten(now) {
            return Err(Refusal::ForgottenOut { staff });
        }
        match mark {
            ClockMark::BreakBegun if open.on_break() => return Err(Refusal::OnBreak { staff }),
            ClockMark::BreakEnded if !open.on_break() => return Err(Refusal::NoBreak { staff }),
            _ => {}
        }
        Ok(Clocked {
            staff,
            stint: open.stint,
            mark,
        })
    }

    /// A manager enters the times that are true. They may neither run over another stint nor cut a break off.
    pub fn correct(&self, crew: &Crew, correction: ClockCorrected, now: Instant) -> Result<ClockCorrected, Refusal> {
        let ClockCorrected {
            staff,
            stint,
            started_at,
            ended_at,
            by,
            reason,
        } = &correction;
        if staff == by {
            return Err(Refusal::OwnTimes);
        }
        crew.may(*by, Action::CorrectTimes.word(), Size::NONE)?;
        let printable = !reason.is_empty() && reason.chars().count() <= 60 && !reason.chars().any(char::is_control);
        if !printable || looks_like_card(reason) {
            return Err(Refusal::Reason);
        }
        let all = self.stints(*staff);
        let place = all.iter().position(|known| known.stint == *stint);
        let place = place.ok_or(Refusal::NoStint { staff: *staff })?;
        let long = ended_at.as_micros().saturating_sub(started_at.as_micros());
        if !(1..=LONGEST_STINT).contains(&long) || *ended_at > now {
            return Err(Refusal::Overlap);
        }
        let others = all.iter().enumerate().filter(|(other, _)| *other != place);
        for (other, known) in others {
            // A forgotten stint before has no end yet; it is known to have begun earlier.
            let over = match known.ended_at {
                Some(ended) => known.started_at < *ended_at && *started_at < ended,
                None if other < place => *started_at <= known.started_at,
                None => known.started_at < *ended_at,
            };
            if over {
                return Err(Refusal::Overlap);
            }
        }
        let outside = |pause: &Break| pause.begun_at < *started_at || pause.ended_at.unwrap_or(pause.begun_at) > *ended_at;
        if all[place].breaks.iter().any(outside) {
            return Err(Refusal::Overlap);
        }
        Ok(correction)
    }

    pub fn apply(&mut self, fact: &Fact, at: Instant) {
        match fact {
            Fact::Staff(StaffFact::Clocked(clocked)) => self.apply_mark(clocked, at),
            Fact::Staff(StaffFact::ClockCorrected(corrected)) => {
                let stints = self.stints.entry(corrected.staff).or_default();
                let Some(stint) = stints.iter_mut().find(|known| known.stint == corrected.stint) else {
                    return;
                };
                stint.started_at = corrected.started_at;
                end(stint, corrected.ended_at);
                stint.corrected_by = Some(corrected.by);
                stints.sort_by_key(|known| known.started_at);
            }
            _ => {}
        }
    }

    fn apply_mark(&mut self, clocked: &Clocked, at: Instant) {
        let stints = self.stints.entry(clocked.staff).or_default();
        let known = stints.iter_mut().find(|stint| stint.stint == clocked.stint);
        match (clocked.mark, known) {
            (ClockMark::In, None) => stints.push(Stint {
                stint: clocked.stint,
                started_at: at,
                ended_at: None,
                breaks: Vec::new(),
                corrected_by: None,
            }),
            (ClockMark::BreakBegun, Some(stint)) if stint.ended_at.is_none() && !stint.on_break() => stint.breaks.push(Break {
                begun_at: at,
                ended_at: None,
            }),
            (ClockMark::BreakEnded, Some(stint)) => {
                if let Some(pause) = stint.breaks.last_mut().filter(|pause| pause.ended_at.is_none()) {
                    pause.ended_at = Some(at);
                }
            }
            (ClockMark::Out, Some(stint)) if stint.ended_at.is_none() => end(stint, at),
            _ => {}
        }
    }

    /// Microseconds worked on each business day, breaks left out. Open stints do not count yet.
    pub fn worked(&self, staff: StaffId, calendar: &Calendar) -> BTreeMap<BusinessDay, i64> {
        let mut days = BTreeMap::new();
        for stint in self.stints(staff) {
            let Some(ended) = stint.ended_at else { continue };
            share_out(&mut days, calendar, stint.started_at, ended, 1);
            for pause in &stint.breaks {
                share_out(&mut days, calendar, pause.begun_at, pause.ended_at.unwrap_or(ended), -1);
            }
        }
        days.retain(|_, micros| *micros != 0);
        days
    }
}

fn end(stint: &mut Stint, at: Instant) {
    stint.ended_at = Some(at);
    if let Some(pause) = stint.breaks.last_mut().filter(|pause| pause.ended_at.is_none()) {
        pause.ended_at = Some(at);
    }
}

/// Gives each minute between two instants to the business day it lies in: exact, also where the clock jumps.
fn share_out(days: &mut BTreeMap<BusinessDay, i64>, calendar: &Calendar, from: Instant, to: Instant, sign: i64) {
    // A journal of a box whose clock went astray must not keep us counting minutes for years.
    let last = to.as_micros().min(from.as_micros().saturating_add(LONGEST_STINT));
    let mut now = from.as_micros();
    while now < last {
        let next = (now.div_euclid(MINUTE) + 1).saturating_mul(MINUTE).min(last);
        let Ok(at) = Instant::from_micros(now) else { return };
        *days.entry(calendar.business_day(at)).or_default() += sign * (next - now);
        now = next;
    }
}
