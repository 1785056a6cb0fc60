//! What the demo tells the person who started it: one line a step with the time it took, and one line that is rewritten while something is long.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Where nobody sees a line being rewritten, a long step says so as seldom as this.
const SELDOM: Duration = Duration::from_secs(10);
const WIDTH: usize = 100;

/// The demo's voice. Times count from its start.
#[derive(Debug)]
pub struct Voice {
    began: Instant,
    is_terminal: bool,
    /// Of the line that is being rewritten.
    rewriting: bool,
    last_murmur: Option<Instant>,
}

impl Voice {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            is_terminal: io::stdout().is_terminal(),
            rewriting: false,
            last_murmur: None,
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// A step is done, or something happened.
    pub fn say(&mut self, line: impl AsRef<str>) {
        self.clear();
        print(&format!("{} {}\n", stamp(self.began.elapsed()), line.as_ref()));
    }

    /// A step that takes long is on its way.
    pub fn murmur(&mut self, line: &str) {
        let text = format!("{} {line}", stamp(self.began.elapsed()));
        if self.is_terminal {
            let shown: String = text.chars().take(WIDTH).collect();
            print(&format!("\r{shown}\x1b[K"));
            self.rewriting = true;
        } else if self.last_murmur.is_none_or(|last| last.elapsed() >= SELDOM) {
            print(&format!("{text}\n"));
            self.last_murmur = Some(Instant::now());
        }
    }

    /// As it stands, such as a table.
    pub fn show(&mut self, text: &str) {
        self.clear();
        print(text);
    }

    fn clear(&mut self) {
        self.last_murmur = None;
        if std::mem::take(&mut self.rewriting) {
            print("\r\x1b[K");
        }
    }
}

impl Default for Voice {
    fn default() -> Self {
        Self::new()
    }
}

fn stamp(elapsed: Duration) -> String {
    format!("{:>6.1} s ", elapsed.as_secs_f64())
}

/// Whoever closed the pipe does not want to read it; the shops go on.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
