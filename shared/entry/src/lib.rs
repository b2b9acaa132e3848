//! The door of every function: configuration, clock, driver, outcome.
