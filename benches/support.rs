//! What the benches share: a generated cluster, questions about it, and the plain model to compare with.
#![allow(dead_code, reason = "every bench is a program of its own and takes what it needs")]

pub(crate) mod account;
pub(crate) mod cluster;
pub(crate) mod entries;
pub(crate) mod kubectl;
pub(crate) mod model;
pub(crate) mod questions;
pub(crate) mod random;
pub(crate) mod reach;
