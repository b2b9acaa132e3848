//! Decides one IAM request as AWS does.
//!
//! A request is judged by every layer that has a say over it: service and resource control
//! policies of the organization, the resource's own policy (a role's trust policy is one), and the
//! caller's identity policies, permissions boundary and session policy. The answer names the layer
//! that decided, because AWS's refusals do.
//!
//! What must stay true: an explicit Deny anywhere wins; a control policy, a boundary and a session
//! policy never grant; a request that no layer allows is denied.

mod compare;
mod condition;
mod decision;
mod document;
mod pattern;
mod principal;
mod request;

pub use decision::{Decision, Layer, Layers, decide};
pub use document::{Document, Error};
pub use request::{Caller, Context, Request};
