//! Who may enter a tenant's account: what is written, and what follows from it for each role.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Failure, IdentifierLengths, LONGEST_GROUP_ALIAS, LandingZone, Names, Numbers,
    Pattern, Platform, Problem, Tenant, TenantSpec, TextFormat, account::values,
};

/// The IAM Identity Center through which people enter accounts, by the Identity Store API.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IdentityCenter {
    /// The instance's ARN.
    pub instance_arn: String,
    /// The id of the instance's identity store: `d-…`.
    pub identity_store_id: String,
    /// The Region that Identity Center is in; the platform's if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where people sign in: `https://…/start`.
    pub sign_in_url: String,
    /// Starts the name of every group that is ours.
    #[serde(default = "group_prefix")]
    pub group_prefix: String,
    /// Renders the rest of a group's name, which is one for each tenant and role; knows `platformGroupAlias` too.
    #[serde(default = "group_name_pattern")]
    pub group_name_pattern: String,
    /// Makes of a user as wished for the `userName` in the identity store: a Java format such as `%s@example.com`.
    #[serde(default = "user_name_pattern")]
    pub user_name_pattern: String,
    /// What each role of a tenant may do in an account.
    pub roles: BTreeMap<String, RoleMapping>,
    /// Keeps groups and assignments that are no longer wished for; their members leave all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_stale: bool,
}

/// What a role may do in an account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RoleMapping {
    /// What the role is called in names of groups; the role's own name if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The ARNs of the permission sets that its people are assigned; none in a landing zone means no access there.
    pub permission_sets: Vec<String>,
}

/// Who has a role in a tenant's account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    /// The role, as the platform or the landing zone maps it.
    pub role: String,
    /// People, who join the group that Landfall keeps for the tenant and the role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups that exist in Identity Center, by display name: they are assigned as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// When it ends, such as `2026-12-31T18:00:00Z`; never if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Grant {
    fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

fn group_prefix() -> String {
    "landfall-".to_owned()
}

fn group_name_pattern() -> String {
    "#{workspaceIdentifier}.#{projectIdentifier}.#{platformGroupAlias}".to_owned()
}

fn user_name_pattern() -> String {
    "%s".to_owned()
}

/// Where people sign in.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// The access portal.
    pub url: String,
    /// The account's console, reached through the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_url: Option<String>,
}

impl IdentityCenter {
    /// Where people sign in, and how they come straight to an account.
    #[must_use]
    pub fn sign_in(&self, account: Option<&AccountId>) -> SignIn {
        let portal = self.sign_in_url.trim_end_matches('/');
        let console_url = account
            .filter(|_| portal.ends_with("/start"))
            .map(|account| format!("{portal}/#/console?account_id={account}"));
        SignIn { url: self.sign_in_url.clone(), console_url }
    }
}

/// What a role of a tenant is to have in Identity Center.
#[derive(Clone, Debug, PartialEq)]
pub struct WishedRole {
    /// The role.
    pub role: String,
    /// The display name of our group; none if the role has no people of its own.
    pub group: Option<String>,
    /// The people in our group: as they were wished for, with their `userName` in the identity store.
    pub users: BTreeMap<String, String>,
    /// Groups that are assigned as they are.
    pub groups: BTreeSet<String>,
    /// The permission sets of all of them.
    pub permission_sets: Vec<String>,
}

/// What a tenant's wish for access comes to now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WishedAccess {
    /// What each role is to have.
    pub roles: Vec<WishedRole>,
    /// Roles that are wished for and may do nothing here.
    pub unmapped: Vec<String>,
}

/// What a role may do in a landing zone: its own mapping before the platform's.
fn mapping<'a>(
    role: &str,
    zone: &'a LandingZone,
    center: &'a IdentityCenter,
) -> Option<(String, &'a [String])> {
    let (own, general) = (zone.role_mappings.get(role), center.roles.get(role));
    let mapping = own.or(general)?;
    let alias = [own, general].into_iter().flatten().find_map(|mapping| mapping.alias.clone());
    let alias = alias.unwrap_or_else(|| role.to_owned());
    Some((alias, mapping.permission_sets.as_slice())).filter(|(_, sets)| !sets.is_empty())
}

/// What a tenant's wish for access comes to at a time; grants that have run out count as absent, and so do all of a
/// tenant that is to be deleted.
pub fn wished_access(
    tenant: &Tenant,
    zone: &LandingZone,
    center: &IdentityCenter,
    now: Timestamp,
) -> Result<WishedAccess, Failure> {
    let unreadable = |error: crate::PatternError| {
        Failure::blocked(
            "The platform's patterns for access can't be read. Ask Landfall's operators to mend them.",
            error.to_string(),
        )
    };
    let group_name = Pattern::parse_for_groups(&center.group_name_pattern).map_err(unreadable)?;
    let user_name = TextFormat::parse(&center.user_name_pattern).map_err(unreadable)?;
    let numbers = tenant.names.as_ref().map_or_else(Numbers::default, Names::numbers);
    let mut values = values(tenant, zone, numbers);
    let mut access = WishedAccess::default();
    if tenant.removal.is_some() {
        return Ok(access);
    }
    let live: Vec<&Grant> = tenant.wish.access.iter().filter(|grant| grant.holds(now)).collect();
    let roles: BTreeSet<&String> = live.iter().map(|grant| &grant.role).collect();
    for role in roles {
        let Some((alias, permission_sets)) = mapping(role, zone, center) else {
            access.unmapped.push(role.clone());
            continue;
        };
        let grants = || live.iter().filter(|grant| grant.role == *role);
        let users: BTreeMap<String, String> = grants()
            .flat_map(|grant| &grant.users)
            .map(|user| (user.clone(), user_name.render(user)))
            .collect();
        values.texts.insert("platformGroupAlias".to_owned(), alias);
        let name = format!("{}{}", center.group_prefix, group_name.render(&values));
        access.roles.push(WishedRole {
            role: role.clone(),
            group: Some(name).filter(|_| !users.is_empty()),
            users,
            groups: grants().flat_map(|grant| grant.groups.clone()).collect(),
            permission_sets: permission_sets.to_vec(),
        });
    }
    Ok(access)
}

/// When the first grant runs out that has not yet.
pub(crate) fn first_end(wish: &TenantSpec, now: Timestamp) -> Option<Timestamp> {
    wish.access.iter().filter_map(|grant| grant.until).filter(|until| *until > now).min()
}

/// The most characters of a group's display name, by AWS.
const LONGEST_GROUP: usize = 1024;
/// The most characters of a user's name, by AWS.
const LONGEST_USER: usize = 128;

/// What is wrong with a platform's Identity Center.
pub(crate) fn check_identity_center(spec: &Platform, problems: &mut Vec<Problem>) {
    let Some(center) = &spec.identity_center else { return };
    let at = |field: &str| format!("spec.identityCenter.{field}");
    if instance(&center.instance_arn).is_none() {
        problems.push(Problem::new(
            at("instanceArn"),
            &center.instance_arn,
            "is no ARN of an Identity Center instance",
            "Write it as `aws sso-admin list-instances` shows it: `arn:aws:sso:::instance/ssoins-…`.",
        ));
    }
    let store = &center.identity_store_id;
    if !store.strip_prefix("d-").is_some_and(|rest| rest.len() == 10 && is_hexadecimal(rest)) {
        problems.push(Problem::new(
            at("identityStoreId"),
            store,
            "is no id of an identity store",
            "Write it as `aws sso-admin list-instances` shows it: `d-` and ten hexadecimal digits.",
        ));
    }
    if !center.sign_in_url.starts_with("https://") || center.sign_in_url.contains([' ', '#']) {
        problems.push(Problem::new(
            at("signInUrl"),
            &center.sign_in_url,
            "is no address that people can sign in at",
            "Write the access portal's address, such as `https://example.awsapps.com/start`.",
        ));
    }
    if center.group_prefix.is_empty() || center.group_prefix.len() > 32 {
        problems.push(Problem::new(
            at("groupPrefix"),
            &center.group_prefix,
            "must have 1 to 32 characters: only groups whose names start with it are ours to make",
            "Write for example `landfall-`.",
        ));
    }
    let identifiers = spec.identifier_lengths;
    check_group_names(center, identifiers, &at("groupNamePattern"), problems);
    if let Err(error) = TextFormat::parse(&center.user_name_pattern) {
        problems.push(Problem::new(
            at("userNamePattern"),
            &center.user_name_pattern,
            format!("can't be read: {error}"),
            "Write one `%s` or `%S` where the user stands, such as `%s@example.com`.",
        ));
    }
    if center.roles.is_empty() {
        problems.push(Problem::new(
            at("roles"),
            "{}",
            "maps no role",
            "Write at least one, such as `admin: {permissionSets: [arn:aws:sso:::permissionSet/…]}`.",
        ));
    }
    check_mappings(&at("roles"), &center.roles, &BTreeMap::new(), center, true, problems);
}

fn check_group_names(
    center: &IdentityCenter,
    identifiers: IdentifierLengths,
    field: &str,
    problems: &mut Vec<Problem>,
) {
    let text = &center.group_name_pattern;
    let pattern = match Pattern::parse_for_groups(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            problems.push(Problem::new(
                field,
                text,
                format!("can't be read: {error}"),
                "Write placeholders as `#{name}` or `#{name:%.7s}`; a group's pattern knows `platformGroupAlias` too.",
            ));
            return;
        }
    };
    let tenants: &[&str] = if pattern.mentions("rand") {
        &["platformGroupAlias"]
    } else {
        &["workspaceIdentifier", "projectIdentifier", "platformGroupAlias"]
    };
    for placeholder in tenants.iter().filter(|placeholder| !pattern.mentions(placeholder)) {
        problems.push(Problem::new(
            field,
            text,
            format!("gives several tenants or roles the same group: it does not mention `{placeholder}`"),
            "Name workspaceIdentifier, projectIdentifier and platformGroupAlias: there is a group for each tenant and role.",
        ));
    }
    if pattern.mentions("tenantPlatformNumber") {
        problems.push(Problem::new(
            field,
            text,
            "mentions `tenantPlatformNumber`, which groups don't know",
            "Name `rand`, or the workspace's and the project's identifiers.",
        ));
    }
    let longest = pattern.longest(identifiers) + center.group_prefix.len();
    if longest > LONGEST_GROUP {
        problems.push(Problem::new(
            field,
            text,
            format!("can grow to {longest} characters; AWS allows {LONGEST_GROUP}"),
            "Cut a placeholder, as in `#{tagTeam:%.12s}`.",
        ));
    }
}

/// What is wrong with a landing zone's own role mappings.
pub(crate) fn check_role_mappings(
    spec: &LandingZone,
    platform: &Platform,
    problems: &mut Vec<Problem>,
) {
    let field = "spec.roleMappings";
    let Some(center) = &platform.identity_center else {
        if !spec.role_mappings.is_empty() {
            problems.push(Problem::new(
                field,
                spec.role_mappings.keys().cloned().collect::<Vec<_>>().join(", "),
                format!("has no effect: platform `{}` has no identityCenter", spec.platform),
                "Describe Identity Center in the platform first.",
            ));
        }
        return;
    };
    check_mappings(field, &spec.role_mappings, &center.roles, center, false, problems);
}

fn check_mappings(
    field: &str,
    mappings: &BTreeMap<String, RoleMapping>,
    others: &BTreeMap<String, RoleMapping>,
    center: &IdentityCenter,
    sets_wanted: bool,
    problems: &mut Vec<Problem>,
) {
    let alias = |role: &String| {
        let named = [mappings.get(role), others.get(role)];
        let alias = named.into_iter().flatten().find_map(|mapping| mapping.alias.clone());
        alias.unwrap_or_else(|| role.clone())
    };
    let roles: BTreeSet<&String> = mappings.keys().chain(others.keys()).collect();
    for (role, mapping) in mappings {
        let at = format!("{field}.{role}");
        crate::validate::identifier(&at, role, 30, problems);
        let own = alias(role);
        let fits = |one: char| one.is_ascii_alphanumeric() || "+=,.@_-".contains(one);
        if own.is_empty() || own.len() > LONGEST_GROUP_ALIAS || !own.chars().all(fits) {
            problems.push(Problem::new(
                format!("{at}.alias"),
                &own,
                "is no alias: 1 to 64 letters, digits and `+=,.@_-`",
                "Write what the role is called in names of groups, such as `admin`.",
            ));
        }
        if let Some(twin) = roles.iter().find(|twin| **twin != role && alias(twin) == own) {
            problems.push(Problem::new(
                format!("{at}.alias"),
                &own,
                format!("is the alias of role `{twin}` too: both would share a group"),
                "Give each role an alias of its own.",
            ));
        }
        if sets_wanted && mapping.permission_sets.is_empty() {
            problems.push(Problem::new(
                format!("{at}.permissionSets"),
                "[]",
                "names no permission set",
                "Write the ARN of at least one, as `aws sso-admin list-permission-sets` shows it.",
            ));
        }
        for (index, arn) in mapping.permission_sets.iter().enumerate() {
            let at = format!("{at}.permissionSets[{index}]");
            if permission_set(arn).is_none_or(|of| Some(of) != instance(&center.instance_arn)) {
                problems.push(Problem::new(
                    &at,
                    arn,
                    "is no ARN of a permission set of this instance",
                    "Write it as `aws sso-admin list-permission-sets` shows it: `arn:aws:sso:::permissionSet/ssoins-…/ps-…`.",
                ));
            }
            if mapping.permission_sets[..index].contains(arn) {
                problems.push(Problem::new(&at, arn, "stands there twice", "Write it once."));
            }
        }
    }
}

/// The id of an instance in its ARN.
fn instance(arn: &str) -> Option<&str> {
    let (_, id) = arn.strip_prefix("arn:aws")?.split_once(":sso:::instance/")?;
    Some(id).filter(|id| !id.is_empty() && !id.contains('/'))
}

/// The id of a permission set's instance in its ARN.
fn permission_set(arn: &str) -> Option<&str> {
    let (_, ids) = arn.strip_prefix("arn:aws")?.split_once(":sso:::permissionSet/")?;
    let (instance, set) = ids.split_once('/')?;
    Some(instance).filter(|_| set.starts_with("ps-") && !set.contains('/'))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What is wrong with a wish for access, by itself.
pub(crate) fn check_grants(spec: &TenantSpec, problems: &mut Vec<Problem>) {
    for (index, grant) in spec.access.iter().enumerate() {
        let at = format!("spec.access[{index}]");
        crate::validate::identifier(&format!("{at}.role"), &grant.role, 30, problems);
        if grant.users.is_empty() && grant.groups.is_empty() {
            problems.push(Problem::new(
                &at,
                &grant.role,
                "names nobody",
                "Write `users: […]`, `groups: […]`, or both.",
            ));
        }
        let lists =
            [("users", &grant.users, LONGEST_USER), ("groups", &grant.groups, LONGEST_GROUP)];
        for (list, names, longest) in lists {
            for (number, name) in names.iter().enumerate() {
                let length = name.chars().count();
                let blank = name.trim() != name || (list == "users" && name.contains(' '));
                if length == 0 || length > longest || blank {
                    problems.push(Problem::new(
                        format!("{at}.{list}[{number}]"),
                        name,
                        format!("is no name: 1 to {longest} characters without spaces around them"),
                        "Write it as Identity Center shows it.",
                    ));
                }
            }
        }
    }
}

/// What is wrong with a wish for access, beside its platform.
#[must_use]
pub fn check_access(spec: &TenantSpec, platform: &Platform) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(center) = &platform.identity_center else { return problems };
    for (index, grant) in spec.access.iter().enumerate() {
        for (number, group) in grant.groups.iter().enumerate() {
            if group.starts_with(&center.group_prefix) {
                problems.push(Problem::new(
                    format!("spec.access[{index}].groups[{number}]"),
                    group,
                    format!("begins as Landfall's own groups do: with `{}`", center.group_prefix),
                    "Name its people under `users`, or another group.",
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
