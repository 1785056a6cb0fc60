//! Head office: the rooms of the `hq-aggregator` program, as a library so that tests can walk into each of them.

pub mod broker;
pub mod commands;
pub mod config;
pub mod control;
pub mod db;
pub mod export;
pub mod intake;
pub mod join;
pub mod office;
mod pages;
pub mod password;
pub mod prove;
pub mod rest;
pub mod room;
pub mod run;
pub mod shopify;
pub mod tenant;
pub mod uplink;
