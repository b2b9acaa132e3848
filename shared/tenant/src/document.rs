//! What users write: one document per platform, landing zone and tenant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Contact, Grant, IdentityCenter, Name, RoleMapping};

/// The kinds of documents.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Kind {
    /// One AWS Organization as Landfall sees it.
    Platform,
    /// What every tenant of it gets.
    LandingZone,
    /// A wished-for account.
    Tenant,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Platform, Self::LandingZone, Self::Tenant];

    /// The kind as documents spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "Platform",
            Self::LandingZone => "LandingZone",
            Self::Tenant => "Tenant",
        }
    }
}

/// The content of one kind of document.
pub trait Spec: serde::de::DeserializeOwned + Serialize + JsonSchema {
    /// The kind that this is the content of.
    const KIND: Kind;
    /// What names a document of this kind.
    type Metadata: serde::de::DeserializeOwned + Serialize + JsonSchema;
}

/// A document as users write it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", bound = "")]
#[schemars(rename = "{S}Document")]
pub struct Document<S: Spec> {
    /// The version of the format: `landfall/v1`.
    #[schemars(extend("const" = "landfall/v1"))]
    pub api_version: String,
    /// What the document describes.
    pub kind: Kind,
    /// What names it.
    pub metadata: S::Metadata,
    /// What is wished.
    pub spec: S,
}

impl<S: Spec> Document<S> {
    /// The format's version.
    pub const API_VERSION: &'static str = "landfall/v1";

    /// A document around its content.
    pub fn new(metadata: S::Metadata, spec: S) -> Self {
        Self { api_version: Self::API_VERSION.to_owned(), kind: S::KIND, metadata, spec }
    }
}

/// Names a platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlatformMetadata {
    /// The platform's name: at most 16 characters of `a-z`, `0-9` and `-`.
    pub name: String,
}

/// Names a landing zone.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LandingZoneMetadata {
    /// The landing zone's name: at most 30 characters of `a-z`, `0-9` and `-`.
    pub name: String,
}

/// Names a tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TenantMetadata {
    /// The workspace's identifier: at most 16 characters of `a-z`, `0-9` and `-`.
    pub workspace: String,
    /// The project's identifier: at most 30 characters of `a-z`, `0-9` and `-`.
    pub project: String,
    /// The platform's name.
    pub platform: String,
}

impl TenantMetadata {
    /// The tenant's name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(&self.workspace, &self.project, &self.platform)
    }
}

impl From<&Name> for TenantMetadata {
    fn from(name: &Name) -> Self {
        Self {
            workspace: name.workspace.clone(),
            project: name.project.clone(),
            platform: name.platform.clone(),
        }
    }
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
    /// What holds creations back.
    #[serde(default)]
    pub limits: Limits,
    /// How AWS Control Tower takes accounts in, where it governs the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_tower: Option<Box<ControlTower>>,
    /// How people enter accounts; without it nobody is given access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_center: Option<IdentityCenter>,
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

/// What holds creations back.
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

/// What every tenant of it gets.
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LandingZone {
    /// The platform that it belongs to.
    pub platform: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where there is more to read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info_link: Option<String>,
    /// The workspaces whose tenants may choose it; all if none is named. Tenants that have it go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restricted_to: Vec<String>,
    /// Whether no tenant may choose it any more. Tenants that have it go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The organizational unit that its accounts stand in: `ou-…` or, discouraged, a root `r-…`.
    pub organizational_unit: String,
    /// Whether each workspace's accounts stand in a unit of their own beneath that one, named for the workspace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub organizational_unit_per_workspace: bool,
    /// Contacts of all its accounts by role; a tenant's own win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contacts: BTreeMap<String, Contact>,
    /// Tags of all its accounts, without the platform's prefix.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// StackSets of which each account gets an instance.
    #[serde(default)]
    pub stack_sets: Vec<StackSet>,
    /// Whether AWS Control Tower governs its accounts; needs the platform's `controlTower`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enrol: bool,
    /// What holds in the account's Regions and for the account as a whole; what is not named here is left alone.
    #[serde(default, skip_serializing_if = "Baseline::is_empty")]
    pub baseline: Baseline,
    /// Service quotas that the account has at least. AWS has at most 20 requests for more open in an account, 2 in a
    /// Region; the rest are asked as these are answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// A stack that the access role makes in each account before it is downgraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_stack: Option<AccessStack>,
    /// Who is called at the end of each replication, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Whether nobody enters an account before somebody outside Landfall has tagged it `ProductName` (the workspace)
    /// and `Stage` (the project).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait_for_external: bool,
    /// How the access role is downgraded.
    pub access_role: AccessRole,
    /// What roles may do in these accounts, where it is not what the platform says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub role_mappings: BTreeMap<String, RoleMapping>,
}

impl LandingZone {
    /// Whether being moved into its unit is what enrols an account: then the move waits for its turn.
    #[must_use]
    pub fn enrols_by_move(&self, platform: &Platform) -> bool {
        let tower = platform.control_tower.as_ref();
        self.enrol && tower.is_some_and(|tower| tower.enrolment == Enrolment::Auto)
    }

    /// The Account Factory that enrols its accounts.
    #[must_use]
    pub fn account_factory<'a>(&self, platform: &'a Platform) -> Option<&'a AccountFactory> {
        match platform.control_tower.as_ref().map(|tower| &tower.enrolment) {
            Some(Enrolment::AccountFactory(factory)) if self.enrol => Some(factory),
            _ => None,
        }
    }
}

/// A stack that the access role makes in each account before it is downgraded.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessStack {
    /// Where CloudFormation reads the template: an https address in S3. Another version has another address.
    pub template_url: String,
    /// The Region that the stack is made in.
    pub region: String,
    /// Parameters, each a text that may refer to facts about the account, such as `${AccountId}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// Who is called at the end of each replication: one of a function, a state machine and an event bus.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Hook {
    /// The hook's name, by which remarks speak of it: at most 30 characters of `a-z`, `0-9` and `-`.
    pub name: String,
    /// The ARN of a Lambda function, which is called and waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<String>,
    /// The ARN of a Step Functions state machine, which is started and not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_machine: Option<String>,
    /// The name or ARN of an EventBridge bus, on which an event is put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_bus: Option<String>,
}

/// What a hook is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HookTarget<'a> {
    /// A Lambda function's ARN.
    Lambda(&'a str),
    /// A state machine's ARN.
    StateMachine(&'a str),
    /// An event bus's name or ARN.
    EventBus(&'a str),
}

impl HookTarget<'_> {
    /// The ARN or name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Lambda(target) | Self::StateMachine(target) | Self::EventBus(target) => target,
        }
    }
}

impl Hook {
    /// What the hook is; none if it is nothing, or several things at once.
    #[must_use]
    pub fn target(&self) -> Option<HookTarget<'_>> {
        match (&self.lambda, &self.state_machine, &self.event_bus) {
            (Some(target), None, None) => Some(HookTarget::Lambda(target)),
            (None, Some(target), None) => Some(HookTarget::StateMachine(target)),
            (None, None, Some(target)) => Some(HookTarget::EventBus(target)),
            _ => None,
        }
    }
}

/// A StackSet of which each account gets an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StackSet {
    /// The StackSet's name in the automation account.
    pub name: String,
    /// The Regions of the instances.
    pub regions: Vec<String>,
    /// Who makes the stacks in the accounts.
    #[serde(default, skip_serializing_if = "PermissionModel::is_usual")]
    pub permission_model: PermissionModel,
    /// Parameter overrides, each a text that may refer to facts about the account, such as `${AccountId}`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// What holds in the account's Regions and for the account as a whole.
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Baseline {
    /// The Regions in which it holds: their names, or `all` alone for each that is enabled in the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Opt-in Regions to enable. AWS takes minutes to hours for one, and runs do not wait for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opt_in_regions: Vec<String>,
    /// What becomes of the default VPC that AWS makes in each Region.
    #[serde(default, skip_serializing_if = "DefaultVpc::is_kept")]
    pub default_vpc: DefaultVpc,
    /// Whether new EBS volumes are encrypted without anybody asking for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ebs_encryption: bool,
    /// The ARN of the KMS key that new volumes are encrypted with unless another is named, with `#{region}` where a
    /// multi-Region key's ARN has its Region; without it, AWS's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ebs_key: Option<String>,
    /// Whether no bucket or object of the account can be made public.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub s3_public_access_block: bool,
    /// Whether no EBS snapshot can be shared with everybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub snapshot_public_access_block: bool,
    /// Whether no machine image can be shared with everybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub image_public_access_block: bool,
    /// What the passwords of the account's IAM users must be like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<PasswordPolicy>,
}

impl Baseline {
    /// Stands among the Regions for all that are enabled.
    pub const ALL: &'static str = "all";

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds in every enabled Region.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.regions.iter().any(|region| region == Self::ALL)
    }

    /// Whether it holds in this Region, which is enabled.
    #[must_use]
    pub fn covers(&self, region: &str) -> bool {
        self.is_everywhere() || self.regions.iter().any(|named| named == region)
    }

    /// The key of one Region.
    #[must_use]
    pub fn key_of(&self, region: &str) -> Option<String> {
        self.ebs_key.as_ref().map(|key| key.replace("#{region}", region))
    }
}

/// What becomes of default VPCs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultVpc {
    /// Once in each Region, while the account is raised, it is deleted if nobody uses it. Whoever makes a new one later
    /// keeps it.
    Delete,
    /// It is left alone.
    #[default]
    Keep,
}

impl DefaultVpc {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about so")]
    fn is_kept(&self) -> bool {
        *self == Self::Keep
    }
}

/// What the passwords of the account's IAM users must be like. It is set as a whole: what is left out is off.
#[expect(clippy::struct_excessive_bools, reason = "IAM asks for them one by one")]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordPolicy {
    /// Characters at least: 6 to 128.
    pub minimum_length: u32,
    /// Whether a lower-case letter must be among them.
    #[serde(default)]
    pub lowercase: bool,
    /// Whether an upper-case letter must be among them.
    #[serde(default)]
    pub uppercase: bool,
    /// Whether a digit must be among them.
    #[serde(default)]
    pub digits: bool,
    /// Whether something else must be among them.
    #[serde(default)]
    pub symbols: bool,
    /// Days after which a password must be changed: 1 to 1,095; never, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_age_days: Option<u32>,
    /// How many earlier passwords can't be used again: 1 to 24; all can, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<u32>,
    /// Whether users may change their own passwords.
    #[serde(default = "yes")]
    pub users_may_change: bool,
}

fn yes() -> bool {
    true
}

/// One service quota that the account has at least.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Quota {
    /// The service's code, such as `ec2`.
    pub service: String,
    /// The quota's code, such as `L-1216C47A`.
    pub code: String,
    /// The Regions in which it is asked for.
    pub regions: Vec<String>,
    /// The least value, in the quota's own unit. A higher one that is there already is left.
    pub value: f64,
}

/// Who makes a StackSet's stacks in the accounts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionModel {
    /// The StackSet of the automation account, through the execution role in each account.
    #[default]
    SelfManaged,
    /// CloudFormation itself, in accounts of organizational units: a StackSet of the management account, for which the
    /// automation account is a delegated administrator.
    ServiceManaged,
}

impl PermissionModel {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_usual(&self) -> bool {
        *self == Self::SelfManaged
    }
}

/// How the access role is downgraded.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessRole {
    /// Whether the role's trust is narrowed to Landfall's own roles.
    #[serde(default)]
    pub trust: Trust,
    /// What is left of the role's permissions.
    #[serde(default)]
    pub downgrade: Downgrade,
    /// How a person gets into the account when Landfall no longer can; there is no downgrade without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_way_in: Option<OtherWayIn>,
}

/// Whether the access role's trust is narrowed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Only Landfall's roles of the management account may assume it.
    Tighten,
    /// Whoever the management account lets may assume it, as Organizations made it.
    #[default]
    Keep,
}

/// What is left of the access role's permissions.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Downgrade {
    /// What the steps need for ever, and no way to widen it again.
    #[default]
    Strict,
    /// meshStack's final policy, which can widen itself again.
    Meshstack,
    /// Left to a mechanism of the foundation's own.
    Off,
}

/// How a person gets into the account when Landfall no longer can.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OtherWayIn {
    /// A break-glass role of this name in the member account.
    Role(String),
    /// An Identity Center assignment of this permission set.
    PermissionSet(String),
    /// None: whoever says so accepts that only a StackSet can widen the role again.
    None,
}

impl Spec for LandingZone {
    const KIND: Kind = Kind::LandingZone;
    type Metadata = LandingZoneMetadata;
}

/// A wished-for account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TenantSpec {
    /// The landing zone that the account gets.
    pub landing_zone: String,
    /// The account's e-mail address, where it is not the one of the platform's pattern. Another one takes a code that
    /// AWS mails to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Who is asked about the account, by role: an address, or one with name, title and telephone number. `billing`,
    /// `operations` and `security` are AWS's own alternate contacts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contacts: BTreeMap<String, Contact>,
    /// Tags of the project, without the platform's prefix; they win over all below.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Who may enter the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Grant>,
    /// Tags of what pays for the project; they win over the workspace's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payment_tags: BTreeMap<String, String>,
    /// Tags of the workspace; they win over the landing zone's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workspace_tags: BTreeMap<String, String>,
}

impl TenantSpec {
    /// The tags that the wish comes to: the project's before what pays and the workspace's.
    #[must_use]
    pub fn effective_tags(&self) -> BTreeMap<String, String> {
        // Who comes later wins.
        let all = [&self.workspace_tags, &self.payment_tags, &self.tags];
        all.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Spec for TenantSpec {
    const KIND: Kind = Kind::Tenant;
    type Metadata = TenantMetadata;
}

/// The JSON Schema of a kind, as served, shipped and used by editors.
#[must_use]
pub fn schema(kind: Kind) -> serde_json::Value {
    fn of<S: Spec>() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Document<S>).to_value();
        schema["title"] = S::KIND.as_str().into();
        schema["properties"]["kind"] = serde_json::json!({ "const": S::KIND.as_str() });
        schema
    }
    match kind {
        Kind::Platform => of::<Platform>(),
        Kind::LandingZone => of::<LandingZone>(),
        Kind::Tenant => of::<TenantSpec>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_read_as_it_is_written() {
        let text = serde_json::json!({
            "apiVersion": "landfall/v1", "kind": "Tenant",
            "metadata": {"workspace": "payments", "project": "checkout", "platform": "aws"},
            "spec": {"landingZone": "production", "tags": {"costCenter": "4711"}}
        });
        let document: Document<TenantSpec> =
            serde_json::from_value(text.clone()).expect("a tenant");
        assert_eq!(document.metadata.name().to_string(), "payments.checkout.aws");
        assert_eq!(serde_json::to_value(&document).expect("JSON"), text);
    }

    #[test]
    fn every_kind_has_a_schema_that_refuses_unknown_fields() {
        for kind in Kind::ALL {
            let schema = schema(kind);
            assert_eq!(schema["properties"]["kind"]["const"], kind.as_str());
            assert_eq!(schema["additionalProperties"], false, "{}", kind.as_str());
        }
    }
}
