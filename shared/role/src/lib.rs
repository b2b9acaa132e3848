//! Talks to IAM about the roles of a member account.
