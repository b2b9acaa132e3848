//! A platform: one AWS Organization as Landfall sees it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, RollOutRules, Spec};
use crate::{AccountId, IdentityCenter};

/// Names a platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlatformMetadata {
    /// The platform's name: at most 16 characters of `a-z`, `0-9` and `-`.
    pub name: String,
}

/// One AWS Organization as Landfall sees it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Platform {
    /// The Region that Landfall and its StackSets live in.
    pub region: String,
    /// The partition that ARNs name.
    #[serde(default = "aws")]
    pub partition: String,
    /// The organization's id, such as `o-a1b2c3d4e5`; account ARNs name it, which hooks are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The organization's management account.
    pub management_account: AccountId,
    /// The account that Landfall runs in.
    pub automation_account: AccountId,
    /// The role through which Landfall works in a member account: its name, with its path if it has one, such as
    /// `/platform/LandfallAccess`. Organizations makes no role with a path.
    #[serde(default = "access_role")]
    pub access_role: String,
    /// The name of the role through which StackSets work in a member account.
    #[serde(default = "execution_role")]
    pub execution_role: String,
    /// Renders each account's e-mail address; it can't be longer than 64 characters for any tenant.
    pub account_email_pattern: String,
    /// Renders each account's name; it can't be longer than 50 characters for any tenant.
    #[serde(default = "account_name_pattern")]
    pub account_name_pattern: String,
    /// Renders each account's alias, part of its sign-in address; 63 characters at most for any tenant. Without it
    /// aliases are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_alias_pattern: Option<String>,
    /// Whether an account has exactly this alias. Otherwise one that is there stays, and one that another AWS account
    /// has gets a suffix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforce_account_alias: bool,
    /// Tags of all accounts that are made from what is known about them; they win over what tenants write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_mappers: Vec<TagMapper>,
    /// Whether an account may stand in a unit beneath its landing zone's. Otherwise it is moved into exactly that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_hierarchical_organizational_unit_assignment: bool,
    /// The telephone number of contacts that name none: AWS wants one of each billing, operations and security contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_phone: Option<String>,
    /// Whether no new tenants are taken; those that are there go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// What stacks of the foundation's own StackSets need besides what Landfall's need, such as `ec2:*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack_actions: Vec<String>,
    /// Starts every tag that is ours; tags without it are left alone.
    #[serde(default = "tag_prefix")]
    pub tag_prefix: String,
    /// How long identifiers may be.
    #[serde(default, skip_serializing_if = "IdentifierLengths::are_usual")]
    pub identifier_lengths: IdentifierLengths,
    /// What holds creations back.
    #[serde(default)]
    pub limits: Limits,
    /// How a change of this platform reaches the tenants that are there.
    #[serde(default, skip_serializing_if = "RollOutRules::are_usual")]
    pub roll_out: RollOutRules,
    /// Hours between two surveys, which hold all accounts of the organization against what is wished: 1 to 24.
    #[serde(default = "survey_hours")]
    pub survey_hours: u32,
    /// How AWS Control Tower takes accounts in, where it governs the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_tower: Option<Box<ControlTower>>,
    /// How people enter accounts; without it nobody is given access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_center: Option<IdentityCenter>,
}

/// How many characters identifiers may have: 1 to 50. Those that are there already may be longer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct IdentifierLengths {
    /// A workspace's.
    #[schemars(range(min = 1, max = 50))]
    pub workspace: usize,
    /// A project's.
    #[schemars(range(min = 1, max = 50))]
    pub project: usize,
}

impl IdentifierLengths {
    /// The most that a platform can allow.
    pub const MOST: usize = 50;

    fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for IdentifierLengths {
    fn default() -> Self {
        Self { workspace: 16, project: 30 }
    }
}

/// How AWS Control Tower takes accounts in.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControlTower {
    /// The Region that Control Tower was set up in.
    pub home_region: String,
    /// By which way an account is enrolled.
    #[serde(default)]
    pub enrolment: Enrolment,
}

/// By which way an account is enrolled.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Enrolment {
    /// Control Tower enrols what is moved into a registered unit: its landing zone is 3.1 or newer, auto-enrollment on.
    #[default]
    Auto,
    /// The Account Factory of Service Catalog enrols it.
    AccountFactory(AccountFactory),
}

/// The Account Factory of Service Catalog.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccountFactory {
    /// The Account Factory's product in the management account: `prod-…`.
    pub product_id: String,
    /// Whom Account Factory lets into each account as administrator, through Identity Center; it can't do without.
    pub sso_user: SsoUser,
}

/// Whom Account Factory lets into each account as administrator.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SsoUser {
    /// The e-mail address; Account Factory makes a user with it if there is none.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
}

impl Platform {
    /// The access role as an ARN ends with it: path and name, without a slash in front.
    #[must_use]
    pub fn access_role_in_arn(&self) -> &str {
        self.access_role.trim_start_matches('/')
    }

    /// The access role's name, as IAM asks for it.
    #[must_use]
    pub fn access_role_name(&self) -> &str {
        self.access_role.rsplit('/').next().unwrap_or_default()
    }

    /// The access role's path without a slash in front, such as `platform/`; empty if it has none.
    #[must_use]
    pub fn access_role_path(&self) -> &str {
        let role = self.access_role_in_arn();
        role.strip_suffix(self.access_role_name()).unwrap_or_default()
    }
}

/// A tag that is made from what is known about an account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TagMapper {
    /// The tag's key, without the platform's prefix.
    pub key: String,
    /// The tag's value: text with placeholders such as `${workspaceIdentifier}`.
    pub value: String,
}

/// How much may happen in a day.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Accounts created in one day (UTC) at the most.
    #[serde(default = "daily_creations")]
    pub daily_creations: u32,
    /// When creations are stopped until a person has looked.
    #[serde(default)]
    pub breaker: BreakerLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { daily_creations: daily_creations(), breaker: BreakerLimits::default() }
    }
}

/// When creations are stopped until a person has looked.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BreakerLimits {
    /// So many creations that fail in a row open the breaker; wishes that can't be met do not count.
    #[serde(default = "breaker_failures")]
    pub failures: u32,
    /// Failures that lie further back, in minutes, do not count.
    #[serde(default = "breaker_minutes")]
    pub within_minutes: u32,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { failures: breaker_failures(), within_minutes: breaker_minutes() }
    }
}

fn aws() -> String {
    "aws".to_owned()
}

/// The role that Organizations makes in a new account, unless it is told another name.
pub const BIRTH_ROLE: &str = "OrganizationAccountAccessRole";

fn access_role() -> String {
    BIRTH_ROLE.to_owned()
}

fn execution_role() -> String {
    "AWSCloudFormationStackSetExecutionRole".to_owned()
}

fn account_name_pattern() -> String {
    "#{workspaceIdentifier}.#{projectIdentifier}".to_owned()
}

fn tag_prefix() -> String {
    "landfall:".to_owned()
}

fn daily_creations() -> u32 {
    100
}

fn survey_hours() -> u32 {
    6
}

fn breaker_failures() -> u32 {
    5
}

fn breaker_minutes() -> u32 {
    60
}

impl Spec for Platform {
    const KIND: Kind = Kind::Platform;
    type Metadata = PlatformMetadata;
}
