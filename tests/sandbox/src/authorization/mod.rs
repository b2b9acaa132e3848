//! What a request asks for, in the words of IAM, and whether its caller may have it.
//!
//! A request becomes a [`Call`]: the operation, its parameters, and one [`Demand`] for each action
//! and resource that AWS would ask IAM about. [`authorize`] puts the demands before the policies of
//! the caller and of the target; [`refusal`] writes the answer as the service would.
//!
//! What must stay true: an operation without a row in `operations` is refused; the sandbox is
//! never kinder than AWS.

mod call;
mod cbor;
mod facts;
mod members;
mod operations;
mod protocol;
mod refusal;
mod row;
mod template;
mod verdict;

#[cfg(test)]
mod tests;

pub use call::{Call, Demand, Error, Subject};
pub use facts::{PrincipalFacts, RoleFacts};
pub use protocol::{Api, Protocol, RequestParts, World};
pub use refusal::{Fault, Refusal, denial, refusal};
pub use verdict::{Principal, Target, Verdict, authorize, context};
