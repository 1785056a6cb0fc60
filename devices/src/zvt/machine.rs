//! The register's side of one exchange with a terminal, from the command to its end, as a machine without clock and socket.
//!
//! The link feeds it what it hears, how long it was silent, and that a person would like to stop; it says what to send, how long to
//! wait and how the exchange ended. What the end means for a payment is decided by who asked. It never sends anything twice.
//!
//! After the command the terminal has T3 to acknowledge. From then on it has T4 for each next sign of life; an intermediate status may
//! bring a T4 of its own. The completion is not the result: the result code of the status information is, and two of them that
//! contradict each other, or one that contradicts the end, leave the outcome unclear.

use std::time::Duration;

use crate::zvt::fields::Fields;
use crate::zvt::packet::Packet;
use crate::zvt::words;

/// What is answered to a command of the terminal that the register does not know.
const NOT_POSSIBLE: u8 = 0x83;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// T3, until a command is acknowledged.
    pub acknowledge: Duration,
    /// T4, until the next sign of life.
    pub progress: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            acknowledge: Duration::from_secs(5),
            progress: Duration::from_secs(180),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Packet),
    /// From now on, instead of what was waited before.
    Wait(Duration),
    /// Plain words for the one at the till.
    Show(String),
    End(End),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// 06 0F, after this result if there was one.
    Completed { status: Option<Box<Fields>> },
    /// 06 1E, and no result that says otherwise. The code is the result's where there was one.
    Failed { code: u8, why: String },
    /// The command was not taken: nothing was begun.
    Refused { code: u8 },
    /// Nobody here knows what came of it.
    Unclear { why: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asked,
    Running,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    NotWanted,
    Wanted,
    Sent,
}

#[derive(Debug)]
pub struct Exchange {
    patience: Patience,
    phase: Phase,
    stop: Stop,
    status: Option<Fields>,
    contradicted: bool,
}

impl Exchange {
    /// The caller sends the command and waits for as long as `patience.acknowledge`.
    pub fn begin(patience: Patience) -> Self {
        Self {
            patience,
            phase: Phase::Asked,
            stop: Stop::NotWanted,
            status: None,
            contradicted: false,
        }
    }

    pub fn hear(&mut self, packet: Packet) -> Vec<Step> {
        match (self.phase, packet) {
            (Phase::Over, _) => Vec::new(),
            (Phase::Asked, Packet::Ack) => self.run(),
            (Phase::Asked, Packet::Refused { code }) => self.end(End::Refused { code }),
            // A terminal that goes on without an acknowledgement has taken the command all the same.
            (Phase::Asked, packet) => {
                let mut steps = self.run();
                steps.extend(self.hear_running(packet));
                steps
            }
            (Phase::Running, packet) => self.hear_running(packet),
        }
    }

    /// The wait was over before anything came.
    pub fn silent(&mut self) -> Vec<Step> {
        let why = match self.phase {
            Phase::Asked => "the terminal did not acknowledge; look at its display",
            Phase::Running | Phase::Over => "the terminal fell silent in the middle; look at its display",
        };
        self.end(End::Unclear { why: why.to_owned() })
    }

    /// A person would like to stop. That is a request: what the terminal says counts.
    pub fn stop(&mut self) -> Vec<Step> {
        match (self.phase, self.stop) {
            (Phase::Asked, Stop::NotWanted) => self.stop = Stop::Wanted,
            (Phase::Running, Stop::NotWanted) => {
                self.stop = Stop::Sent;
                return vec![Step::Send(Packet::Abort)];
            }
            _ => {}
        }
        Vec::new()
    }

    fn run(&mut self) -> Vec<Step> {
        self.phase = Phase::Running;
        let mut steps = vec![Step::Wait(self.patience.progress)];
        if self.stop == Stop::Wanted {
            self.stop = Stop::Sent;
            steps.push(Step::Send(Packet::Abort));
        }
        steps
    }

    fn hear_running(&mut self, packet: Packet) -> Vec<Step> {
        let ack = Step::Send(Packet::Ack);
        match packet {
            Packet::Progress { code, minutes, fields } => {
                let own = minutes
                    .filter(|&minutes| minutes > 0)
                    .map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
                let display: Vec<&str> = fields.tlv.display.iter().map(words::Words::as_str).collect();
                let show = match code {
                    // The terminal's own words, where the table has none.
                    0xff if !display.is_empty() => display.join(" "),
                    _ => words::of_progress(code).to_owned(),
                };
                vec![ack, Step::Show(show), Step::Wait(own.unwrap_or(self.patience.progress))]
            }
            Packet::Status(fields) => {
                match &self.status {
                    Some(before) => self.contradicted |= *before != fields,
                    None => self.status = Some(fields),
                }
                vec![ack, Step::Wait(self.patience.progress)]
            }
            Packet::Print => vec![ack, Step::Wait(self.patience.progress)],
            Packet::Completed(_) => {
                let end = match self.status.take() {
                    _ if self.contradicted => contradiction(),
                    status => End::Completed {
                        status: status.map(Box::new),
                    },
                };
                self.end_after(ack, end)
            }
            Packet::Failed { code, fields } => {
                let result = self.status.as_ref().and_then(|status| status.result);
                let code = result.unwrap_or(code);
                let end = if self.contradicted || result == Some(0) {
                    contradiction()
                } else {
                    let own = fields.tlv.error_text.as_ref().filter(|_| code == 0xff);
                    let why = own.map_or(words::of_result(code), words::Words::as_str).to_owned();
                    End::Failed { code, why }
                };
                self.end_after(ack, end)
            }
            // To the request to stop, or a second acknowledgement: neither says what becomes of the payment.
            Packet::Ack | Packet::Refused { .. } => Vec::new(),
            _ => vec![Step::Send(Packet::Refused { code: NOT_POSSIBLE })],
        }
    }

    fn end(&mut self, end: End) -> Vec<Step> {
        self.phase = Phase::Over;
        vec![Step::End(end)]
    }

    fn end_after(&mut self, step: Step, end: End) -> Vec<Step> {
        self.phase = Phase::Over;
        vec![step, Step::End(end)]
    }
}

fn contradiction() -> End {
    End::Unclear {
        why: "the terminal contradicted itself; look at its display".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T3: Duration = Duration::from_secs(5);
    const T4: Duration = Duration::from_secs(180);

    fn status(result: u8) -> Packet {
        Packet::Status(Fields {
            result: Some(result),
            ..Fields::default()
        })
    }

    fn failed(code: u8) -> Packet {
        Packet::Failed {
            code,
            fields: Fields::default(),
        }
    }

    fn completed() -> Packet {
        Packet::Completed(Fields::default())
    }

    /// The last step after all these were heard.
    fn end_of(packets: impl IntoIterator<Item = Packet>) -> Option<End> {
        let mut exchange = Exchange::begin(Patience {
            acknowledge: T3,
            progress: T4,
        });
        let steps: Vec<Step> = packets.into_iter().flat_map(|packet| exchange.hear(packet)).collect();
        match steps.last() {
            Some(Step::End(end)) => Some(end.clone()),
            _ => None,
        }
    }

    #[test]
    fn the_result_is_in_the_status_and_not_in_the_completion() {
        let result = |packets| match end_of(packets) {
            Some(End::Completed { status }) => status.and_then(|status| status.result),
            other => panic!("{other:?}"),
        };
        assert_eq!(result([Packet::Ack, status(0), completed()].as_slice().to_vec()), Some(0));
        assert_eq!(result(vec![Packet::Ack, status(0), status(0), completed()]), Some(0));
        assert_eq!(result(vec![Packet::Ack, completed()]), None);
        // The acknowledgement got lost in the terminal, the rest did not.
        assert_eq!(result(vec![status(0), completed()]), Some(0));
    }

    #[test]
    fn what_contradicts_itself_is_unclear() {
        let unclear = |packets: Vec<Packet>| assert!(matches!(end_of(packets), Some(End::Unclear { .. })));
        unclear(vec![Packet::Ack, status(0), status(0x6c), completed()]);
        unclear(vec![Packet::Ack, status(0), failed(0x6c)]);
        unclear(vec![Packet::Ack, status(0x6c), status(0), failed(0x6c)]);
    }

    #[test]
    fn an_abort_with_any_code_is_a_failure_and_a_refusal_begins_nothing() {
        for code in 0..=u8::MAX {
            let end = end_of([Packet::Ack, failed(code)]);
            assert!(matches!(end, Some(End::Failed { code: got, .. }) if got == code));
            assert_eq!(end_of([Packet::Refused { code }]), Some(End::Refused { code }));
        }
        assert!(matches!(
            end_of([Packet::Ack, status(0x78), failed(0x6c)]),
            Some(End::Failed { code: 0x78, .. })
        ));
    }

    #[test]
    fn each_sign_of_life_winds_the_clock_again_and_may_bring_its_own() {
        let mut exchange = Exchange::begin(Patience {
            acknowledge: T3,
            progress: T4,
        });
        assert_eq!(exchange.hear(Packet::Ack), [Step::Wait(T4)]);
        let progress = |minutes| Packet::Progress {
            code: 0x0a,
            minutes,
            fields: Fields::default(),
        };
        let shown = Step::Show("insert or hold the card".to_owned());
        for (minutes, wait) in [(None, T4), (Some(0), T4), (Some(7), Duration::from_secs(420))] {
            let expected = [Step::Send(Packet::Ack), shown.clone(), Step::Wait(wait)];
            assert_eq!(exchange.hear(progress(minutes)), expected);
        }
        assert!(matches!(exchange.silent()[..], [Step::End(End::Unclear { .. })]));
        assert_eq!(exchange.hear(completed()), []);
    }

    #[test]
    fn a_wish_to_stop_waits_for_the_acknowledgement_is_sent_once_and_decides_nothing() {
        let mut exchange = Exchange::begin(Patience::default());
        assert_eq!(exchange.stop(), []);
        assert_eq!(exchange.hear(Packet::Ack).last(), Some(&Step::Send(Packet::Abort)));
        assert_eq!(exchange.stop(), []);
        assert_eq!(exchange.hear(Packet::Ack), []);
        exchange.hear(status(0));
        let steps = exchange.hear(completed());
        assert!(matches!(steps.last(), Some(Step::End(End::Completed { .. }))));
    }
}
