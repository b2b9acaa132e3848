//! An AWS Organization on one machine: the gateway in front of moto.

pub mod authorization;
pub mod call;
pub mod chance;
pub mod clock;
pub mod control;
pub mod deployment;
pub mod error;
pub mod event_pattern;
pub mod events;
pub mod faults;
pub mod gateway;
pub mod http_api;
pub mod identity;
pub mod lambda;
pub mod lineage;
pub mod log;
pub mod moto;
pub mod operation;
pub mod points;
pub mod process;
pub mod start;
pub mod wire;
