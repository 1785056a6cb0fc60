//! Breaking things on purpose, many times, and looking afterwards whether the ten laws still hold.

pub mod books;
pub mod broker;
pub mod crash;
pub mod edges;
pub mod evidence;
pub mod fault;
pub mod hq;
pub mod panics;
pub mod portal;
pub mod relay;
pub mod watch;
