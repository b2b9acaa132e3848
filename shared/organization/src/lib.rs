//! Talks to AWS Organizations about accounts, units and tags.
