//! The landfall command: what a user writes, plans, applies and follows.
