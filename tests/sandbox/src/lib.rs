//! An AWS Organization on one machine: the gateway in front of moto.

pub mod event_pattern;
