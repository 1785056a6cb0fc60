//! Where each kill hit: which state every register's command was in when the box died.
//!
//! Told from the outside alone. The box stamps what it writes; a stamp from before the death means that it was written then,
//! because a command that was not is decided anew after the restart, with a later stamp.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::watch::Life;

pub const IDLE: &str = "idle between calls";
/// The answer was on the wire already when the box died.
pub const ANSWERED: &str = "answered in the last moment";

/// When each command was written or committed, as the exports tell.
#[derive(Clone, Debug, Default)]
pub struct Written(HashMap<Uuid, Timestamp>);

impl Written {
    /// Reads a store's `journal.jsonl` and `tickets.jsonl`.
    pub fn read(store: &Path) -> Result<Self> {
        let mut written = Self::default();
        for line in lines(&store.join("journal.jsonl"))? {
            written.note(&line["command_id"], &line["time"]);
            written.note_lines(&line["body"]["lines"]);
        }
        for line in lines(&store.join("tickets.jsonl"))? {
            written.note_lines(&line["lines"]);
        }
        Ok(written)
    }

    fn note_lines(&mut self, lines: &Value) {
        for line in lines.as_array().into_iter().flatten() {
            self.note(&line["command_id"], &line["at"]);
            self.note(&line["voided"]["command_id"], &line["voided"]["at"]);
        }
    }

    fn note(&mut self, command_id: &Value, at: &Value) {
        let id = command_id.as_str().and_then(|id| id.parse().ok());
        let at = at.as_str().and_then(|at| at.parse().ok());
        if let (Some(id), Some(at)) = (id, at) {
            self.0.insert(id, at);
        }
    }

    fn before(&self, id: Uuid, moment: Timestamp) -> bool {
        self.0.get(&id).is_some_and(|at| *at <= moment)
    }
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{} holds a line that is no JSON", path.display())))
        .collect()
}

/// How often each state edge was hit, over all registers and kills.
pub fn count(deaths: &[Timestamp], lives: &HashMap<Uuid, Life>, written: &Written, registers: usize) -> BTreeMap<String, u64> {
    let mut hits: BTreeMap<String, u64> = BTreeMap::new();
    let mut sorted: Vec<(&Uuid, &Life)> = lives.iter().collect();
    sorted.sort_by_key(|(_, life)| life.asked);
    for death in deaths {
        let mut busy = 0;
        for (id, life) in &sorted {
            if life.asked > *death {
                break;
            }
            if let Some(edge) = edge(**id, life, *death, written) {
                busy += 1;
                *hits.entry(edge).or_default() += 1;
            }
        }
        let idle = (registers as u64).saturating_sub(busy);
        *hits.entry(IDLE.to_owned()).or_default() += idle;
    }
    hits
}

/// `None` for a command that was over when the box died.
fn edge(id: Uuid, life: &Life, death: Timestamp, written: &Written) -> Option<String> {
    match life.acked {
        Some((at, _)) if at <= death => return None,
        Some((_, 1)) if written.before(id, death) => return Some(ANSWERED.to_owned()),
        _ => {}
    }
    let done = match life.call {
        "scan" | "void_line" => "written",
        _ => "committed",
    };
    Some(match written.before(id, death) {
        true => format!("{} {done}, not answered", life.call),
        false => format!("{} asked, not {done}", life.call),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_stamp_from_before_the_death_means_it_was_written() {
        let ids: Vec<Uuid> = (1..=4).map(Uuid::from_u128).collect();
        let life = |call, asked, acked: Option<(i64, u32)>| Life {
            register: 0,
            call,
            asked: at(asked),
            acked: acked.map(|(second, tries)| (at(second), tries)),
        };
        let lives = HashMap::from([
            (ids[0], life("scan", 1, Some((2, 1)))),
            (ids[1], life("scan", 9, Some((20, 2)))),
            (ids[2], life("tender", 9, Some((20, 3)))),
            (ids[3], life("scan", 30, None)),
        ]);
        let written = Written(HashMap::from([(ids[1], at(9)), (ids[2], at(15))]));
        let hits = count(&[at(10)], &lives, &written, 3);
        let expected = [(IDLE, 1), ("scan written, not answered", 1), ("tender asked, not committed", 1)];
        assert_eq!(hits, expected.map(|(edge, times)| (edge.to_owned(), times)).into());
    }
}
