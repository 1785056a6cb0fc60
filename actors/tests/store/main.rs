//! Stories of one store's actors over real SQLite files: selling, saying things twice, falling and getting up again.

mod falls;
mod journal;
mod people;
mod selling;
mod shop;
