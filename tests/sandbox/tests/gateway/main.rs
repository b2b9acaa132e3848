//! The gateway as a process, in front of a stand-in for moto, with a function that does as told.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod events;
mod faults;
mod harness;
mod http_api;
mod judging;
mod lambda;
mod letters;
mod pace;
mod process;
