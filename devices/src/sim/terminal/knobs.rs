//! What the simulated terminal can be told to do, at its start and while it runs.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Map, Value, json};

pub const HELP: &str = "next approve | next decline [CODE] | next abort CODE | think MS | hold on|after|off | late MS | \
    drop on-command|before-ack|after-ack|before-status|after-status-unacked|after-status-acked|before-completion [once] | drop off | \
    status-twice on|off | flood N | split on|off | mute on|off | busy on|off | refuse on|off | calm | state | help; codes are hexadecimal";

/// Declined by the bank, of which ZVT has no code of its own: as if it were cancelled.
const CANCELLED: u8 = 0x6c;

/// What comes of a payment that gets as far as the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Decline(u8),
    /// The terminal gives up before the bank is asked.
    Abort(u8),
}

/// Where a payment waits until it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    No,
    /// Before money moves.
    Before,
    /// The money has moved, and nobody was told yet.
    After,
}

/// Where the connection is cut. The payment goes on inside the terminal, but for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The command is read and forgotten.
    OnCommand,
    BeforeAck,
    AfterAck,
    BeforeStatus,
    AfterStatusUnacked,
    AfterStatusAcked,
    BeforeCompletion,
}

const CUTS: [(&str, Cut); 7] = [
    ("on-command", Cut::OnCommand),
    ("before-ack", Cut::BeforeAck),
    ("after-ack", Cut::AfterAck),
    ("before-status", Cut::BeforeStatus),
    ("after-status-unacked", Cut::AfterStatusUnacked),
    ("after-status-acked", Cut::AfterStatusAcked),
    ("before-completion", Cut::BeforeCompletion),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// For the next payments, one each; without any they are approved.
    pub next: VecDeque<Verdict>,
    /// How long customer and bank take.
    pub think: Duration,
    /// Between the money and the telling of it.
    pub late: Duration,
    pub hold: Hold,
    pub cut: Option<Cut>,
    pub cut_once: bool,
    pub status_twice: bool,
    /// So many 04 FF more per payment.
    pub flood: u32,
    /// Everything goes out in pieces of one byte.
    pub split: bool,
    /// Reads and says nothing.
    pub mute: bool,
    /// Refuses every command.
    pub busy: bool,
    /// Closes every connection at once.
    pub refuse: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            next: VecDeque::new(),
            think: Duration::from_millis(400),
            late: Duration::ZERO,
            hold: Hold::No,
            cut: None,
            cut_once: false,
            status_twice: false,
            flood: 0,
            split: false,
            mute: false,
            busy: false,
            refuse: false,
        }
    }
}

impl Knobs {
    pub fn turn(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["next", "approve"] => self.next.push_back(Verdict::Approve),
            ["next", "decline"] => self.next.push_back(Verdict::Decline(CANCELLED)),
            ["next", "decline", code] => self.next.push_back(Verdict::Decline(failure(code)?)),
            ["next", "abort", code] => self.next.push_back(Verdict::Abort(failure(code)?)),
            ["think", millis] => self.think = duration(millis)?,
            ["late", millis] => self.late = duration(millis)?,
            ["hold", "on"] => self.hold = Hold::Before,
            ["hold", "after"] => self.hold = Hold::After,
            ["hold", "off"] => self.hold = Hold::No,
            ["drop", "off"] => self.cut = None,
            ["drop", at] => (self.cut, self.cut_once) = (Some(cut(at)?), false),
            ["drop", at, "once"] => (self.cut, self.cut_once) = (Some(cut(at)?), true),
            ["flood", count] => self.flood = count.parse().map_err(|_| format!("{count:?} is no count"))?,
            ["status-twice", state] => self.status_twice = is_on(state)?,
            ["split", state] => self.split = is_on(state)?,
            ["mute", state] => self.mute = is_on(state)?,
            ["busy", state] => self.busy = is_on(state)?,
            ["refuse", state] => self.refuse = is_on(state)?,
            // Everything as at first, but for the pace.
            ["calm"] => {
                *self = Self {
                    think: self.think,
                    ..Self::default()
                }
            }
            _ => return Err(format!("no knob of a payment terminal is called {line:?}; it has {HELP}")),
        }
        Ok(())
    }

    pub fn state(&self) -> Map<String, Value> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let hold = match self.hold {
            Hold::No => "off",
            Hold::Before => "on",
            Hold::After => "after",
        };
        let cut = self
            .cut
            .and_then(|cut| CUTS.iter().find(|(_, known)| *known == cut))
            .map(|(name, _)| *name);
        let next: Vec<String> = self.next.iter().map(|verdict| format!("{verdict:?}").to_lowercase()).collect();
        let switches = json!({
            "next": next,
            "think_ms": millis(self.think),
            "late_ms": millis(self.late),
            "hold": hold,
            "drop": cut,
            "drop_once": self.cut_once,
            "status_twice": self.status_twice,
            "flood": self.flood,
            "split": self.split,
            "mute": self.mute,
            "busy": self.busy,
            "refuse": self.refuse,
        });
        match switches {
            Value::Object(switches) => switches,
            _ => Map::new(),
        }
    }
}

fn is_on(word: &str) -> Result<bool, String> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{word:?} is neither on nor off")),
    }
}

fn duration(millis: &str) -> Result<Duration, String> {
    let millis = millis.parse().map_err(|_| format!("{millis:?} are no milliseconds"))?;
    Ok(Duration::from_millis(millis))
}

fn failure(code: &str) -> Result<u8, String> {
    match u8::from_str_radix(code, 16) {
        Ok(0) => Err("code 00 is success".to_owned()),
        Ok(code) => Ok(code),
        Err(_) => Err(format!("{code:?} is no code of two hexadecimal digits")),
    }
}

fn cut(at: &str) -> Result<Cut, String> {
    let known = CUTS.iter().find(|(name, _)| *name == at);
    known
        .map(|(_, cut)| *cut)
        .ok_or_else(|| format!("there is no {at:?} to cut the connection at"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_knob_is_turned_by_its_words_and_a_wrong_one_turns_none() {
        let mut knobs = Knobs::default();
        for line in [
            "next decline 78",
            "next approve",
            "think 0",
            "drop before-status once",
            "split on",
            "hold after",
            "flood 9",
        ] {
            knobs.turn(line).unwrap();
        }
        assert_eq!(knobs.next, [Verdict::Decline(0x78), Verdict::Approve]);
        assert_eq!((knobs.cut, knobs.cut_once), (Some(Cut::BeforeStatus), true));
        assert_eq!(knobs.state()["drop"], "before-status");
        let before = knobs.clone();
        for line in [
            "",
            "next",
            "next decline zz",
            "next abort 00",
            "drop somewhere",
            "split maybe",
            "think soon",
            "sing",
        ] {
            knobs.turn(line).unwrap_err();
        }
        assert_eq!(knobs, before);
        knobs.turn("calm").unwrap();
        assert_eq!(
            knobs,
            Knobs {
                think: Duration::ZERO,
                ..Knobs::default()
            }
        );
    }
}
