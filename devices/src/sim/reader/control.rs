//! The knobs of the simulated reader.

use std::str::{FromStr, SplitWhitespace};
use std::time::Instant;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::super::control::Controlled;
use super::device::{Device, State};
use super::shelf::read_tag;

const HELP: &[(&str, &str)] = &[
    ("state", "what the reader is doing, and how its knobs stand"),
    ("tags list | clear", "the tags on the shelf; take them all away"),
    ("tags add EPC...", "hexadecimal digits or urn:epc:..."),
    ("tags remove EPC...", "take some away"),
    ("antenna N on|off", "connect or disconnect an antenna, with the tags that lie at it"),
    ("rate N", "tags read in a second"),
    ("duplicates N", "of a hundred readings, how many are reported twice"),
    ("busy on|off", "refuse whoever connects, as if another program were there"),
    ("mute on|off", "hear nothing, say nothing, read nothing; the connection stays"),
    ("split on|off", "send every byte by itself"),
    ("keepalive on|off", "say that it lives, or not"),
    ("flood N", "read so many tags at once"),
    ("garble once", "the next message begins with a version that does not exist"),
    ("cut", "break the connection; orders go on, and reports are kept"),
    ("die", "lose power: connection, orders and settings are gone; the shelf stays"),
];

impl Controlled for Device {
    fn control(&self, line: &str) -> Result<Map<String, Value>, String> {
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or_default();
        let mut state = self.lock();
        let answer = match word {
            "help" => Ok(HELP.iter().map(|&(knob, does)| (knob.to_owned(), does.into())).collect()),
            "state" => Ok(describe(&state)),
            "tags" => tags(&mut state, &mut words),
            "antenna" => antenna(&mut state, &mut words),
            "flood" => flood(&mut state, &mut words),
            "rate" => number(&mut words).map(|rate| set(&mut state.knobs.rate, rate)),
            "duplicates" => match number(&mut words)? {
                percent @ 0..=100 => Ok(set(&mut state.knobs.duplicates, percent)),
                _ => Err("duplicates are 0 to 100 of a hundred".to_owned()),
            },
            "busy" => switch(&mut words).map(|on| set(&mut state.knobs.busy, on)),
            "mute" => switch(&mut words).map(|on| set(&mut state.knobs.mute, on)),
            "split" => switch(&mut words).map(|on| set(&mut state.knobs.split, on)),
            "keepalive" => switch(&mut words).map(|on| set(&mut state.knobs.keepalive, on)),
            "garble" => match words.next() {
                Some("once") => Ok(set(&mut state.knobs.garble, true)),
                _ => Err("say: garble once".to_owned()),
            },
            "cut" => Ok(one("was_connected", state.drop_client("the connection was cut").into())),
            "die" => {
                state.lose_power();
                Ok(Map::new())
            }
            _ => Err(format!("no knob is called {word:?}; help lists them")),
        }?;
        if let Some(more) = words.next() {
            return Err(format!("{more:?} was not expected, the rest was done"));
        }
        // What was unsaid while mute, for one, can go now.
        state.wake();
        Ok(answer)
    }
}

fn one(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

fn set<T: Copy + Into<Value>>(knob: &mut T, value: T) -> Map<String, Value> {
    *knob = value;
    Map::new()
}

fn number<T: FromStr>(words: &mut SplitWhitespace<'_>) -> Result<T, String> {
    let word = words.next().ok_or("a number is missing")?;
    word.parse().map_err(|_| format!("{word:?} is not a number that fits here"))
}

fn switch(words: &mut SplitWhitespace<'_>) -> Result<bool, String> {
    match words.next() {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err("say on or off".to_owned()),
    }
}

fn tags(state: &mut State, words: &mut SplitWhitespace<'_>) -> Result<Map<String, Value>, String> {
    let word = words.next().unwrap_or_default();
    match word {
        "list" => {
            let epcs: Vec<String> = state.shelf.epcs().map(|epc| HEXLOWER.encode(epc)).collect();
            Ok(one("tags", epcs.into()))
        }
        "clear" => {
            state.shelf.clear();
            Ok(one("tags_on_shelf", 0.into()))
        }
        "add" | "remove" => {
            // All of them are understood before any of them moves.
            let epcs: Vec<Vec<u8>> = words.map(read_tag).collect::<Result<_, _>>()?;
            let moved = epcs.into_iter().filter(|epc| match word {
                "add" => state.shelf.add(epc.clone(), None),
                _ => state.shelf.remove(epc),
            });
            let moved = moved.count();
            let mut answer = one("tags_on_shelf", state.shelf.len().into());
            answer.insert(if word == "add" { "added" } else { "removed" }.to_owned(), moved.into());
            Ok(answer)
        }
        _ => Err("say: tags list, clear, add EPC... or remove EPC...".to_owned()),
    }
}

fn antenna(state: &mut State, words: &mut SplitWhitespace<'_>) -> Result<Map<String, Value>, String> {
    let antenna = number(words)?;
    let connected = switch(words)?;
    let changed = state.connect_antenna(antenna, connected);
    changed
        .map(|changed| one("changed", changed.into()))
        .ok_or_else(|| format!("there is no antenna {antenna}, only 1 to {}", state.shelf.antenna_count()))
}

fn flood(state: &mut State, words: &mut SplitWhitespace<'_>) -> Result<Map<String, Value>, String> {
    let readings = number(words)?;
    let Some(order) = state.orders.active().first().copied() else {
        return Err("no inventory runs".to_owned());
    };
    Ok(one("readings", state.read(order, readings, Instant::now()).into()))
}

fn describe(state: &State) -> Map<String, Value> {
    let antennas = state
        .shelf
        .antennas()
        .map(|(number, connected)| (number.to_string(), connected.into()));
    let orders = state.orders.iter().map(|order| {
        let run = order.run.as_ref();
        json!({
            "rospec": order.spec.id,
            "state": format!("{:?}", order.spec.state).to_lowercase(),
            "run": run.map(|run| run.number),
            "tags": run.map(|run| run.seen.len()),
            "reads": run.map(|run| run.reads),
        })
    });
    let knobs = &state.knobs;
    let told = json!({
        "connected": state.client.is_some(),
        "unacknowledged": state.client.as_ref().map_or(0, |client| client.unacknowledged),
        "messages_waiting": state.client.as_ref().map_or(0, |client| client.outbox.len()),
        "tags_on_shelf": state.shelf.len(),
        "antennas": Value::Object(antennas.collect()),
        "orders": orders.collect::<Vec<_>>(),
        "reports_held": state.held.len(),
        "busy": knobs.busy,
        "mute": knobs.mute,
        "split": knobs.split,
        "keepalive": knobs.keepalive,
        "rate": knobs.rate,
        "duplicates": knobs.duplicates,
    });
    match told {
        Value::Object(told) => told,
        _ => Map::new(),
    }
}
