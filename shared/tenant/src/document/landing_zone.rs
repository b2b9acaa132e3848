//! A landing zone: what every tenant of it gets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountFactory, Enrolment, Kind, Platform, RollOutRules, Spec};
use crate::{Contact, DriftRules, RoleMapping};

/// Names a landing zone.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LandingZoneMetadata {
    /// The landing zone's name: at most 30 characters of `a-z`, `0-9` and `-`.
    pub name: String,
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
    /// What becomes of what somebody else changes in its accounts.
    #[serde(default, skip_serializing_if = "DriftRules::is_usual")]
    pub drift: DriftRules,
    /// How a change of this landing zone reaches the tenants that are there.
    #[serde(default, skip_serializing_if = "RollOutRules::are_usual")]
    pub roll_out: RollOutRules,
    /// Who is called at the end of each replication, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Whether nobody enters an account before somebody outside Landfall has tagged it `ProductName` (the workspace)
    /// and `Stage` (the project).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait_for_external: bool,
    /// How the access role is downgraded.
    pub access_role: AccessRole,
    /// Whether a deletion goes on without an approver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automate_deletion_approval: bool,
    /// Whether Landfall closes the account of a deleted tenant; else a person does, and Landfall sees to it that it is
    /// closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automate_deletion_replication: bool,
    /// What an account's e-mail address is changed to before it is closed, so that the one it has may be used again; left
    /// as it is without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_after_closing: Option<AddressAfterClosing>,
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

/// What an account's e-mail address is changed to before it is closed. AWS mails a code there, which somebody gives by
/// `landfall answer`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AddressAfterClosing {
    /// Renders the address, as the platform's `accountEmailPattern` does; it can't be longer than 64 characters for any
    /// tenant.
    pub pattern: String,
    /// Days in which the code may be given: 1 to 30. After them the account is closed with the address that it has.
    #[serde(default = "a_week")]
    #[schemars(range(min = 1, max = 30))]
    pub within_days: u32,
}

fn a_week() -> u32 {
    7
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
