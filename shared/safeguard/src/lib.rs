//! Talks to S3 and IAM about the safeguards that hold for a whole account.

use aws_config::SdkConfig;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_s3control::{
    config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    types::PublicAccessBlockConfiguration,
};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName, PasswordPolicy};

/// What S3 and IAM answer, and who acts next.
const TABLE: &[Row] = &[
    (
        "InvalidAccessKeyId",
        "",
        FailureName::NotReady,
        "AWS has not finished setting the account up; it is tried again.",
    ),
    (
        "NotSignedUp",
        "",
        FailureName::NotReady,
        "AWS has not finished setting the account up; it is tried again.",
    ),
    (
        "AccountProblem",
        "",
        FailureName::Blocked,
        "AWS has a problem with the account. Ask AWS Support which.",
    ),
    (
        "MalformedPolicyDocument",
        "",
        FailureName::Defect,
        "AWS does not accept the password policy that Landfall writes. Its operators have been told.",
    ),
];

/// An open conversation about the safeguards of one account.
#[derive(Clone, Debug)]
pub struct Safeguards {
    storage: aws_sdk_s3control::Client,
    identity: aws_sdk_iam::Client,
}

/// An endpoint that somebody named is used as it is. S3 Control would write the account's id before it, which makes
/// a name that only AWS's own name servers know.
#[derive(Debug)]
struct AsNamed(String);

impl ResolveEndpoint for AsNamed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

impl Safeguards {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        let mut storage = aws_sdk_s3control::config::Builder::from(session);
        if let Some(named) = session.endpoint_url() {
            storage = storage.endpoint_resolver(AsNamed(named.to_owned()));
        }
        Self {
            storage: aws_sdk_s3control::Client::from_conf(storage.build()),
            identity: aws_sdk_iam::Client::new(session),
        }
    }

    /// Whether nothing in S3 can be made public, in all four ways.
    pub async fn blocks_public_access(&self, account: &AccountId) -> Result<bool, Failure> {
        let answer =
            self.storage.get_public_access_block().account_id(account.to_string()).send().await;
        match answer {
            Ok(answer) => {
                let block = answer.public_access_block_configuration;
                Ok(block.is_some_and(|block| {
                    [
                        block.block_public_acls,
                        block.block_public_policy,
                        block.ignore_public_acls,
                        block.restrict_public_buckets,
                    ] == [Some(true); 4]
                }))
            }
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => Ok(false),
            Err(error) => Err(Refusal::of("s3:GetAccountPublicAccessBlock", &error).failure(TABLE)),
        }
    }

    /// Lets nothing in S3 be public.
    pub async fn block_public_access(&self, account: &AccountId) -> Result<(), Failure> {
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        self.storage
            .put_public_access_block()
            .account_id(account.to_string())
            .public_access_block_configuration(all)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("s3:PutAccountPublicAccessBlock", &error).failure(TABLE)
            })?;
        Ok(())
    }

    /// The password policy; none where IAM's own default holds.
    pub async fn password_policy(&self) -> Result<Option<PasswordPolicy>, Failure> {
        let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        match self.identity.get_account_password_policy().send().await {
            Ok(answer) => Ok(answer.password_policy.map(|policy| PasswordPolicy {
                minimum_length: number(policy.minimum_password_length).unwrap_or_default(),
                lowercase: policy.require_lowercase_characters,
                uppercase: policy.require_uppercase_characters,
                digits: policy.require_numbers,
                symbols: policy.require_symbols,
                maximum_age_days: number(policy.max_password_age).filter(|days| *days > 0),
                remembered: number(policy.password_reuse_prevention).filter(|number| *number > 0),
                users_may_change: policy.allow_users_to_change_password,
            })),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
            Err(error) => Err(Refusal::of("iam:GetAccountPasswordPolicy", &error).failure(TABLE)),
        }
    }

    /// Sets the password policy as a whole.
    pub async fn write_password_policy(&self, policy: &PasswordPolicy) -> Result<(), Failure> {
        let number = |value: u32| i32::try_from(value).ok();
        self.identity
            .update_account_password_policy()
            .set_minimum_password_length(number(policy.minimum_length))
            .require_lowercase_characters(policy.lowercase)
            .require_uppercase_characters(policy.uppercase)
            .require_numbers(policy.digits)
            .require_symbols(policy.symbols)
            .set_max_password_age(policy.maximum_age_days.and_then(number))
            .set_password_reuse_prevention(policy.remembered.and_then(number))
            .allow_users_to_change_password(policy.users_may_change)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("iam:UpdateAccountPasswordPolicy", &error).failure(TABLE)
            })?;
        Ok(())
    }
}
