//! What can be turned on a virtual printer, and what a line about it means.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) const HELP: &str = "state | paper ok|low|out | paper out-at BYTE | cover open|closed | cover open-at BYTE | offline on|off | \
    cutter ok|jammed | mute on|off | mute at BYTE | stall on|off | stall at BYTE | slow BYTES_PER_S|off | \
    reset-at BYTE [once] | reset-at off | refuse on|off | drawer open|close | help; \
    BYTE counts from 0 behind a job's first mark";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Roll {
    #[default]
    Ok,
    Low,
    Out,
}

/// What goes wrong in the middle of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    PaperOut,
    CoverOpen,
    Mute,
    Stall,
    Reset { once: bool },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Knobs {
    pub(super) roll: Roll,
    pub(super) cover_open: bool,
    pub(super) offline: bool,
    pub(super) cutter_jammed: bool,
    /// Takes bytes and obeys them, but never answers.
    pub(super) mute: bool,
    /// Neither takes bytes nor does anything.
    pub(super) stall: bool,
    /// Bytes a second.
    pub(super) slow: Option<u32>,
    pub(super) refuse: bool,
    /// At a byte of the job that comes.
    pub(super) faults: BTreeMap<u64, Vec<Fault>>,
}

/// What a line asks for beyond the knobs themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    Knob,
    Drawer { open: bool },
    State,
    Help,
}

impl Knobs {
    pub(super) fn turn(&mut self, line: &str) -> Result<Turned, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words {
            ["state"] => return Ok(Turned::State),
            ["help"] => return Ok(Turned::Help),
            ["drawer", "open"] => return Ok(Turned::Drawer { open: true }),
            ["drawer", "close" | "closed"] => return Ok(Turned::Drawer { open: false }),
            ["paper", "ok"] => self.roll = Roll::Ok,
            ["paper", "low"] => self.roll = Roll::Low,
            ["paper", "out"] => self.roll = Roll::Out,
            ["paper", "out-at", byte] => self.plan(byte, Fault::PaperOut)?,
            ["cover", "open"] => self.cover_open = true,
            ["cover", "closed" | "close"] => self.cover_open = false,
            ["cover", "open-at", byte] => self.plan(byte, Fault::CoverOpen)?,
            ["offline", switch] => self.offline = on(switch)?,
            ["cutter", "ok"] => self.cutter_jammed = false,
            ["cutter", "jammed"] => self.cutter_jammed = true,
            ["mute", "at", byte] => self.plan(byte, Fault::Mute)?,
            ["mute", switch] => self.mute = on(switch)?,
            ["stall", "at", byte] => self.plan(byte, Fault::Stall)?,
            ["stall", switch] => self.stall = on(switch)?,
            ["slow", "off"] => self.slow = None,
            ["slow", rate] => self.slow = Some(self::rate(rate)?),
            ["reset-at", "off"] => self.faults.values_mut().for_each(|faults| {
                faults.retain(|fault| !matches!(fault, Fault::Reset { .. }));
            }),
            ["reset-at", byte] => self.plan(byte, Fault::Reset { once: false })?,
            ["reset-at", byte, "once"] => self.plan(byte, Fault::Reset { once: true })?,
            ["refuse", switch] => self.refuse = on(switch)?,
            _ => return Err(format!("{line:?} turns no knob of a printer; say help")),
        }
        Ok(Turned::Knob)
    }

    /// Whether it would print now.
    pub(super) fn stopped(&self) -> bool {
        self.roll == Roll::Out || self.cover_open || self.offline || self.cutter_jammed
    }

    fn plan(&mut self, byte: &str, fault: Fault) -> Result<(), String> {
        let at = byte.parse().map_err(|_| format!("{byte:?} is no number of a byte"))?;
        self.faults.entry(at).or_default().push(fault);
        Ok(())
    }

    pub(super) fn tell(&self, state: &mut Map<String, Value>) {
        let roll = match self.roll {
            Roll::Ok => "ok",
            Roll::Low => "low",
            Roll::Out => "out",
        };
        state.insert("paper".into(), roll.into());
        for (name, on) in [
            ("cover_open", self.cover_open),
            ("offline", self.offline),
            ("cutter_jammed", self.cutter_jammed),
            ("mute", self.mute),
            ("stall", self.stall),
            ("refuse", self.refuse),
        ] {
            state.insert(name.into(), on.into());
        }
        state.insert("slow".into(), self.slow.map_or(Value::Null, Value::from));
        let planned: Vec<String> = self
            .faults
            .iter()
            .flat_map(|(at, faults)| faults.iter().map(move |fault| format!("{fault:?} at {at}")))
            .collect();
        state.insert("planned".into(), planned.into());
    }
}

fn on(switch: &str) -> Result<bool, String> {
    match switch {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{switch:?} is neither on nor off")),
    }
}

fn rate(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(rate) if rate > 0 => Ok(rate),
        _ => Err(format!("{text:?} is no number of bytes a second")),
    }
}
