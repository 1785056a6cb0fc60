//! Head office: the rooms of the `hq-aggregator` program, as a library so that tests can walk into each of them.

pub mod broker;
