//! Talks to IAM Identity Center about groups, their members, and who may enter an account.
//!
//! Two APIs, one conversation: the identity store knows users and groups, the instance knows which group is assigned
//! which permission set in which account.

mod assignments;
mod directory;

use aws_config::{Region, SdkConfig};
use tenant::{IdentityCenter, Platform};

pub use assignments::{Assignment, Assignments, Operation, Progress};
pub use directory::{Directory, Group, Made, Member};

/// The session in the Region that Identity Center is in.
fn at_home(session: &SdkConfig, platform: &Platform, center: &IdentityCenter) -> SdkConfig {
    let region = center.region.as_ref().unwrap_or(&platform.region);
    session.to_builder().region(Region::new(region.clone())).build()
}
