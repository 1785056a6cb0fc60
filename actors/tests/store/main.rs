//! Stories of one store's actors over real SQLite files: selling, saying things twice, falling and getting up again.

#![expect(clippy::unwrap_used, reason = "a test may fall where its story breaks")]

mod cards;
mod counter;
mod counting;
mod falls;
mod journal;
mod paper;
mod people;
mod restored;
mod selling;
mod shop;
