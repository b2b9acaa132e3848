//! Talks to AWS Organizations about accounts, units and tags.

mod account;
mod census;
mod closure;
mod creation;

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use refusal::{Refusal, Row};
use tenant::FailureName;

pub use account::{Account, Standing, Unit};
pub use census::{Member, Members};
pub use closure::Closure;
pub use creation::{Creation, Refused, Request, Wanted};

/// An open conversation with Organizations.
#[derive(Clone, Debug)]
pub struct Organization {
    client: Client,
}

impl Organization {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        Self { client: Client::new(session) }
    }
}

const SLOWER: &str = "AWS Organizations asked for a slower pace; it is tried again.";

/// What Organizations answers, and who acts next.
const TABLE: &[Row] = &[
    ("ConcurrentModificationException", "", FailureName::Throttled, SLOWER),
    (
        "ConstraintViolationException",
        "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
        FailureName::Throttled,
        SLOWER,
    ),
    (
        "ConstraintViolationException",
        "TAG_POLICY_VIOLATION",
        FailureName::Rejected,
        "A tag breaks the organization's tag policy. Change the tag's value.",
    ),
    (
        "ConstraintViolationException",
        "MAX_TAG_LIMIT_EXCEEDED",
        FailureName::Rejected,
        "The account would have more than 50 tags. Take some out.",
    ),
    (
        "ConstraintViolationException",
        "",
        FailureName::Blocked,
        "The organization has reached a limit of AWS. Ask Landfall's operators to have it raised.",
    ),
    (
        "FinalizingOrganizationException",
        "",
        FailureName::Transient,
        "AWS is still setting the organization up; it is tried again.",
    ),
    (
        "InvalidInputException",
        "",
        FailureName::Rejected,
        "AWS does not accept one of the account's values, such as a character in a tag. Change the wish's tags or names.",
    ),
    (
        "DestinationParentNotFoundException",
        "",
        FailureName::Blocked,
        "The landing zone's organizational unit does not exist. Ask Landfall's operators to correct the landing zone.",
    ),
    (
        "ParentNotFoundException",
        "",
        FailureName::Blocked,
        "The landing zone's organizational unit does not exist. Ask Landfall's operators to correct the landing zone.",
    ),
    (
        "SourceParentNotFoundException",
        "",
        FailureName::Transient,
        "The account has just moved; it is looked at again.",
    ),
    (
        "AccountNotFoundException",
        "",
        FailureName::Transient,
        "AWS does not know the account yet; it is tried again.",
    ),
    (
        "TargetNotFoundException",
        "",
        FailureName::Transient,
        "AWS does not know the account yet; it is tried again.",
    ),
    (
        "ChildNotFoundException",
        "",
        FailureName::Transient,
        "AWS does not know the account yet; it is tried again.",
    ),
    (
        "CreateAccountStatusNotFoundException",
        "",
        FailureName::Transient,
        "AWS does not know the request yet; it is tried again.",
    ),
    (
        "AWSOrganizationsNotInUseException",
        "",
        FailureName::Blocked,
        "The platform's management account has no organization. Ask Landfall's operators to correct the platform.",
    ),
];

/// Organizations says why in a field of its own, which is as good as a message.
fn with_reason(mut refusal: Refusal, reason: Option<&str>) -> Refusal {
    if let Some(reason) = reason {
        refusal.message = format!("{reason}: {}", refusal.message);
    }
    refusal
}
