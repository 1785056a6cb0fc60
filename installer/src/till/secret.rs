//! Reads a PIN: from a file, an environment variable, or the keyboard without showing it. Never from the command line, where
//! everyone on the machine could read it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::TillError;

/// The PIN by one of the two ways a script has.
pub fn from(file: Option<&Path>, variable: Option<&str>) -> Result<String, TillError> {
    let (place, pin) = match (file, variable) {
        (Some(path), _) => (path.display().to_string(), std::fs::read_to_string(path)),
        (None, Some(name)) => (
            format!("the environment variable {name}"),
            std::env::var(name).map_err(|error| io::Error::new(io::ErrorKind::NotFound, error)),
        ),
        (None, None) if io::stdin().is_terminal() => ("the keyboard".to_owned(), ask("PIN: ")),
        (None, None) => return Err(TillError::NoPin),
    };
    let pin = pin.map_err(|source| TillError::Pin { place, source })?;
    Ok(pin.trim().to_owned())
}

/// Asks at the terminal; nothing shows while it is typed.
pub fn ask(question: &str) -> io::Result<String> {
    let mut out = io::stdout();
    write!(out, "{question}")?;
    out.flush()?;
    let _hidden = Hidden::begin();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    writeln!(out)?;
    Ok(line.trim().to_owned())
}

/// Shows what is typed again when dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    /// `None` where there is no terminal, such as in a pipe.
    fn begin() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // If the terminal is gone there is nobody left who could be helped.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
