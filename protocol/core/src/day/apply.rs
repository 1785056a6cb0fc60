//! Makes the facts of days true. Refuses nothing: what came twice changes nothing.

use super::{Close, Days, Mark, OpenShift, Pending, Settling, ZRef};
use crate::facts::{DayFact, Fact, ShiftClosed, TillFact};
use crate::ids::DeviceId;
use crate::till::PeriodTotals;
use crate::time::BusinessDay;

impl Days {
    /// Makes a fact true; `calendar_day` is the business day in the entry's header.
    pub fn apply(&mut self, fact: &Fact, calendar_day: BusinessDay) {
        match fact {
            Fact::ShiftOpened(opened) => {
                let (till, shift) = (opened.till, opened.shift);
                let day = self.trading_day(calendar_day);
                self.open.push((OpenShift { till, shift }, day));
            }
            Fact::ShiftClosed(closed) => self.apply_z(closed, calendar_day),
            Fact::TicketClosed(ticket) => self.carried.retain(|carried| carried.ticket != ticket.ticket),
            Fact::Till(TillFact::TillCounted(counted)) => {
                if let (Some(close), Some(shift)) = (&mut self.close, counted.shift) {
                    let own = close.shifts.iter_mut().filter(|(open, _)| open.shift == shift);
                    own.for_each(|(_, counted)| *counted = true);
                }
            }
            Fact::Day(fact) => self.apply_day(fact),
            _ => {}
        }
    }

    fn apply_z(&mut self, closed: &ShiftClosed, calendar_day: BusinessDay) {
        let open = self.open.iter().any(|(open, _)| open.shift == closed.shift);
        if !open {
            return; // The same report twice.
        }
        let day = self.day_of(closed.shift, calendar_day);
        self.open.retain(|(open, _)| open.shift != closed.shift);
        if let Some(close) = &mut self.close {
            close.shifts.retain(|(open, _)| open.shift != closed.shift);
        }
        self.pending.push(Pending {
            z: ZRef {
                till: closed.till,
                number: closed.z.number,
                shift: closed.shift,
            },
            day,
            totals: PeriodTotals::of_shift(&closed.z.totals),
        });
    }

    fn apply_day(&mut self, fact: &DayFact) {
        match fact {
            DayFact::DayCloseBegun(begun) if self.close.is_none() => {
                self.close = Some(Close {
                    day: begun.day,
                    shifts: begun.shifts.iter().map(|open| (*open, false)).collect(),
                    carried: false,
                    terminals: begun.terminals.iter().map(|terminal| (*terminal, Settling::Untouched)).collect(),
                    numbered: None,
                });
            }
            DayFact::DocumentMarked(marked) => {
                let name = marked.document.to_string();
                match marked.mark {
                    Mark::SetAside => drop(self.set_aside.insert(name, (marked.document, marked.why.clone()))),
                    Mark::PutRight => drop(self.set_aside.remove(&name)),
                }
            }
            DayFact::DayNumbered(numbered) => {
                let Some(close) = self.close.as_mut().filter(|close| close.day == numbered.day) else {
                    return;
                };
                close.numbered = Some(numbered.number);
                self.last_number = numbered.number;
                self.pending.retain(|pending| !numbered.zs.contains(&pending.z));
            }
            DayFact::DaySealed(sealed) => {
                self.sealed = self.sealed.max(Some(sealed.day));
                self.close = self.close.take().filter(|close| close.day != sealed.day);
            }
            DayFact::TicketsCarried(carried) => {
                if let Some(close) = self.close.as_mut().filter(|close| close.day == carried.day) {
                    close.carried = true;
                    for ticket in &carried.tickets {
                        if !self.carried.iter().any(|known| known.ticket == ticket.ticket) {
                            self.carried.push(*ticket);
                        }
                    }
                }
            }
            DayFact::SettlementWanted(wanted) => {
                let settlement = wanted.settlement;
                self.set_settling(wanted.day, wanted.terminal, Settling::Wanted { settlement });
            }
            DayFact::SettlementEnded(ended) => {
                let (settlement, end) = (ended.settlement, ended.end);
                self.set_settling(ended.day, ended.terminal, Settling::Ended { settlement, end });
            }
            DayFact::DayCloseBegun(_) => {}
        }
    }

    fn set_settling(&mut self, day: BusinessDay, terminal: DeviceId, settling: Settling) {
        let close = self.close.as_mut().filter(|close| close.day == day);
        if let Some(known) = close.and_then(|close| close.terminals.get_mut(&terminal)) {
            *known = settling;
        }
    }
}
