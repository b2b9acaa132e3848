//! Talks to EC2 and Account Management about the Regions of an account.
//!
//! Every Region is asked in the same session: its client shares the credentials and the connections of the others.

mod vpc;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ec2::{
    error::{ProvideErrorMetadata, SdkError},
    types::{ImageBlockPublicAccessEnabledState, SnapshotBlockPublicAccessState},
};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName};

pub use vpc::DefaultVpc;

/// What EC2 and Account Management answer, and who acts next.
const TABLE: &[Row] = &[
    (
        "AuthFailure",
        "",
        FailureName::NotReady,
        "AWS has not finished setting the account up in a Region; it is tried again.",
    ),
    ("Blocked", "", FailureName::Blocked, "AWS has blocked the account. Ask AWS Support why."),
    (
        "DependencyViolation",
        "",
        FailureName::Transient,
        "AWS has not finished taking something apart; it is tried again.",
    ),
    (
        "ConflictException",
        "",
        FailureName::Transient,
        "AWS is busy with the account's Regions; it is tried again.",
    ),
    (
        "DeclarativePolicyViolation",
        "",
        FailureName::Blocked,
        "A declarative policy of the organization rules this setting. Change that policy or the landing zone.",
    ),
    (
        "InvalidKmsKeyId",
        "",
        FailureName::Blocked,
        "The account may not use the key for its volumes. Name another in the landing zone, or share this one.",
    ),
    (
        "UnauthorizedOperation",
        POLICY,
        FailureName::Blocked,
        "A policy of the organization keeps Landfall out of a Region. Change that policy or the landing zone.",
    ),
];

/// What IAM's message says when a policy of the organization denies.
const POLICY: &str = "service control policy";

/// Why a Region could not be read or changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The Region does not know the account yet.
    NotReady(Failure),
    /// A policy of the organization keeps everybody out of it.
    Closed(Failure),
    /// The access role may not do this.
    Denied(Failure),
    /// Anything else.
    Failure(Failure),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotReady(failure)
            | Error::Closed(failure)
            | Error::Denied(failure)
            | Error::Failure(failure) => failure,
        }
    }
}

impl From<&Refusal> for Error {
    fn from(refusal: &Refusal) -> Self {
        let failure = refusal.failure(TABLE);
        if failure.name == FailureName::NotReady {
            Self::NotReady(failure)
        } else if refusal.is_denied() && refusal.message.contains(POLICY) {
            Self::Closed(failure)
        } else if refusal.is_denied() {
            Self::Denied(failure)
        } else {
            Self::Failure(failure)
        }
    }
}

/// The Regions of the partition `aws` from before 20 March 2019: AWS enables them in every account, and nobody can
/// disable them. Source: AWS Account Management, "Enable or disable AWS Regions in your account". Younger ones are opted in
/// to, so the list never grows.
const BY_DEFAULT: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether every account of a partition can use a Region, and nobody has to ask.
#[must_use]
pub fn is_enabled_by_default(partition: &str, region: &str) -> bool {
    partition == "aws" && BY_DEFAULT.contains(&region)
}

/// Whether an account can use a Region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OptIn {
    /// It can.
    Enabled,
    /// AWS is making it so.
    Enabling,
    /// It can't, or soon can't any more.
    Disabled,
}

/// What became of asking for a Region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// AWS enables it.
    Enabling,
    /// AWS is busy with other Regions of the account or organization: ask later.
    Busy,
}

/// An open conversation about the Regions of one account.
#[derive(Clone, Debug)]
pub struct Regions {
    session: SdkConfig,
    client: aws_sdk_account::Client,
}

impl Regions {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        Self { session: session.clone(), client: aws_sdk_account::Client::new(session) }
    }

    /// All Regions of the partition, and whether the session's own account can use them.
    pub async fn list(&self) -> Result<BTreeMap<String, OptIn>, Failure> {
        use aws_sdk_account::types::RegionOptStatus as Status;
        let mut pages = self.client.list_regions().max_results(50).into_paginator().items().send();
        let mut regions = BTreeMap::new();
        while let Some(region) = pages.next().await {
            let region = region
                .map_err(|error| Refusal::of("account:ListRegions", &error).failure(TABLE))?;
            let status = match region.region_opt_status {
                Some(Status::Enabled | Status::EnabledByDefault) => OptIn::Enabled,
                Some(Status::Enabling) => OptIn::Enabling,
                _ => OptIn::Disabled,
            };
            regions.insert(region.region_name.unwrap_or_default(), status);
        }
        Ok(regions)
    }

    /// Asks for a Region of a member account, from the management account. That it is enabled already counts as asked.
    pub async fn enable(&self, account: &AccountId, region: &str) -> Result<Asked, Failure> {
        let answer = self
            .client
            .enable_region()
            .account_id(account.to_string())
            .region_name(region)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Asked::Enabling),
            Err(error) if error.code() == Some("ConflictException") => Ok(Asked::Busy),
            Err(error) => Err(Refusal::of("account:EnableRegion", &error).failure(TABLE)),
        }
    }

    /// One Region.
    #[must_use]
    pub fn open(&self, region: &str) -> Region {
        let session =
            self.session.to_builder().region(aws_config::Region::new(region.to_owned())).build();
        Region { name: region.to_owned(), client: aws_sdk_ec2::Client::new(&session) }
    }
}

/// An open conversation with the EC2 of one Region.
#[derive(Clone, Debug)]
pub struct Region {
    /// The Region's name.
    pub name: String,
    client: aws_sdk_ec2::Client,
}

impl Region {
    /// Whether new volumes are encrypted without anybody asking for it.
    pub async fn encrypts_volumes(&self) -> Result<bool, Error> {
        let answer = self.client.get_ebs_encryption_by_default().send().await;
        let answer = answer.map_err(|error| refused("ec2:GetEbsEncryptionByDefault", &error))?;
        Ok(answer.ebs_encryption_by_default.unwrap_or(false))
    }

    /// Lets new volumes be encrypted.
    pub async fn encrypt_volumes(&self) -> Result<(), Error> {
        let answer = self.client.enable_ebs_encryption_by_default().send().await;
        answer.map_err(|error| refused("ec2:EnableEbsEncryptionByDefault", &error))?;
        Ok(())
    }

    /// The key that new volumes are encrypted with.
    pub async fn volume_key(&self) -> Result<String, Error> {
        let answer = self.client.get_ebs_default_kms_key_id().send().await;
        let answer = answer.map_err(|error| refused("ec2:GetEbsDefaultKmsKeyId", &error))?;
        Ok(answer.kms_key_id.unwrap_or_default())
    }

    /// Sets the key that new volumes are encrypted with.
    pub async fn use_volume_key(&self, key: &str) -> Result<(), Error> {
        let answer = self.client.modify_ebs_default_kms_key_id().kms_key_id(key).send().await;
        answer.map_err(|error| refused("ec2:ModifyEbsDefaultKmsKeyId", &error))?;
        Ok(())
    }

    /// Whether no snapshot can be shared with everybody, nor is.
    pub async fn blocks_snapshots(&self) -> Result<bool, Error> {
        let answer = self.client.get_snapshot_block_public_access_state().send().await;
        let answer =
            answer.map_err(|error| refused("ec2:GetSnapshotBlockPublicAccessState", &error))?;
        Ok(answer.state == Some(SnapshotBlockPublicAccessState::BlockAllSharing))
    }

    /// Lets no snapshot be shared with everybody, those included that are.
    pub async fn block_snapshots(&self) -> Result<(), Error> {
        let all = SnapshotBlockPublicAccessState::BlockAllSharing;
        let answer = self.client.enable_snapshot_block_public_access().state(all).send().await;
        answer.map_err(|error| refused("ec2:EnableSnapshotBlockPublicAccess", &error))?;
        Ok(())
    }

    /// Whether no image can be shared with everybody from now on.
    pub async fn blocks_images(&self) -> Result<bool, Error> {
        let answer = self.client.get_image_block_public_access_state().send().await;
        let answer =
            answer.map_err(|error| refused("ec2:GetImageBlockPublicAccessState", &error))?;
        let state = answer.image_block_public_access_state;
        Ok(state.as_deref() == Some(ImageBlockPublicAccessEnabledState::BlockNewSharing.as_str()))
    }

    /// Lets no image be shared with everybody from now on; EC2 knows no other block.
    pub async fn block_images(&self) -> Result<(), Error> {
        let new = ImageBlockPublicAccessEnabledState::BlockNewSharing;
        let answer = self
            .client
            .enable_image_block_public_access()
            .image_block_public_access_state(new)
            .send()
            .await;
        answer.map_err(|error| refused("ec2:EnableImageBlockPublicAccess", &error))?;
        Ok(())
    }
}

fn refused<E>(
    operation: &'static str,
    error: &SdkError<E, aws_sdk_ec2::config::http::HttpResponse>,
) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    Error::from(&Refusal::of(operation, error))
}

/// Whether what was to go is gone already.
fn is_gone(error: &impl ProvideErrorMetadata) -> bool {
    error.code().is_some_and(|code| code.ends_with(".NotFound") || code == "Gateway.NotAttached")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, message: &str) -> Refusal {
        Refusal {
            operation: "ec2:DescribeVpcs",
            code: code.to_owned(),
            message: message.to_owned(),
            status: 403,
            request_id: "r-1".to_owned(),
        }
    }

    #[test]
    fn only_the_old_regions_of_the_commercial_partition_are_on_by_default() {
        assert!(is_enabled_by_default("aws", "eu-central-1"));
        assert!(!is_enabled_by_default("aws", "eu-central-2"), "it is opted in to");
        assert!(!is_enabled_by_default("aws", "us-gov-west-1"), "another partition's");
        assert!(!is_enabled_by_default("aws-cn", "eu-central-1"), "there is none of that name");
    }

    #[test]
    fn a_region_that_is_not_ready_is_told_from_one_that_is_closed() {
        for code in ["AuthFailure", "OptInRequired", "PendingVerification"] {
            assert!(matches!(Error::from(&refusal(code, "")), Error::NotReady(_)), "{code}");
        }
        let closed = "You are not authorized, with an explicit deny in a service control policy";
        let closed = Error::from(&refusal("UnauthorizedOperation", closed));
        assert!(matches!(closed, Error::Closed(_)), "{closed:?}");
        let denied = Error::from(&refusal("UnauthorizedOperation", "You are not authorized"));
        assert!(matches!(denied, Error::Denied(_)), "{denied:?}");
    }
}
