//! What a document may say. Limits are checked with the longest possible inputs, when configuration is applied, and
//! not first when an account fails.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{check_grants, check_identity_center, check_role_mappings};
use crate::{
    ACCOUNT_ARN, BIRTH_ROLE, Baseline, Contact, ControlTower, DefaultVpc, Downgrade, Enrolment,
    FACTS, Hook, HookTarget, LandingZone, LandingZoneMetadata, Names, Numbers, PasswordPolicy,
    Pattern, Platform, PlatformMetadata, Quota, TagTemplate, Tenant, TenantMetadata, TenantSpec,
    account_alias, account_tags, alias, contact, references, render_names,
    tags::{LONGEST_KEY, LONGEST_VALUE, MOST_TAGS, OWN, fits},
};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Problem {
    /// Where: a path such as `spec.accountEmailPattern`.
    pub field: String,
    /// What stands there.
    pub value: String,
    /// What rule it breaks.
    pub rule: String,
    /// What to write instead.
    pub remedy: String,
}

impl Problem {
    /// A problem with all that a person needs to mend it.
    pub fn new(
        field: impl Into<String>,
        value: impl fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            value: value.to_string(),
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}` {}. {}", self.field, self.value, self.rule, self.remedy)
    }
}

/// The most characters of an account's e-mail address, by AWS.
const LONGEST_EMAIL: usize = 64;
/// The most characters of an account's name, by AWS.
const LONGEST_ACCOUNT_NAME: usize = 50;
/// The most characters of a role's path: session policies name it several times and are short of room.
const LONGEST_ROLE_PATH: usize = 64;
/// The most characters of a text that people read.
const LONGEST_TEXT: usize = 1_000;

pub(crate) fn identifier(field: &str, value: &str, longest: usize, problems: &mut Vec<Problem>) {
    let shaped = !value.is_empty()
        && value.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
    if !shaped {
        problems.push(Problem::new(
            field,
            value,
            "is no identifier",
            "Write lower-case letters and digits, with single hyphens between them, such as `checkout-prod`.",
        ));
    }
    if value.len() > longest {
        problems.push(Problem::new(
            field,
            value,
            format!("has {} characters; {longest} are allowed", value.len()),
            "Shorten it: it becomes part of the account's name and e-mail address, which AWS limits.",
        ));
    }
}

fn pattern(
    field: &str,
    text: &str,
    longest: usize,
    problems: &mut Vec<Problem>,
) -> Option<Pattern> {
    match Pattern::parse(text) {
        Err(error) => {
            problems.push(Problem::new(
                field,
                text,
                format!("can't be read: {error}"),
                "Write placeholders as `#{name}` or `#{name:%.7s}`.",
            ));
            None
        }
        Ok(pattern) => {
            if pattern.longest() > longest {
                problems.push(Problem::new(
                    field,
                    text,
                    format!("can grow to {} characters; AWS allows {longest}", pattern.longest()),
                    "Cut a placeholder, as in `#{projectIdentifier:%.12s}`, or shorten the text around it.",
                ));
            }
            Some(pattern)
        }
    }
}

/// What AWS takes in an account's name, when it makes the account and when it names it anew.
fn fits_account_name(one: char) -> bool {
    (' '..='~').contains(&one) && !"<>".contains(one)
}

/// A pattern whose names must differ between tenants.
fn tells_apart(field: &str, text: &str, pattern: &Pattern, problems: &mut Vec<Problem>, why: &str) {
    let unique = pattern.mentions("rand") || pattern.mentions("tenantPlatformNumber");
    let missing = ["workspaceIdentifier", "projectIdentifier"]
        .into_iter()
        .filter(|placeholder| !pattern.mentions(placeholder) && !unique);
    for placeholder in missing {
        problems.push(Problem::new(
            field,
            text,
            format!("gives several tenants the same {why}: it does not mention `{placeholder}`"),
            format!(
                "AWS wants an {why} of its own for each account, for ever: name both identifiers."
            ),
        ));
    }
}

fn email_shape(field: &str, text: &str, problems: &mut Vec<Problem>) {
    let forbidden =
        |character: char| character.is_whitespace() || "\"'()<>[]:;,\\|%&".contains(character);
    let (local, domain) = text.split_once('@').unwrap_or((text, ""));
    // Placeholders stand for identifiers, which are harmless.
    let bare = strip_placeholders(local);
    let well = !bare.contains(forbidden)
        && !local.is_empty()
        && !local.starts_with('.')
        && text.is_ascii()
        && !domain.contains('@')
        && domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !well {
        problems.push(Problem::new(
            field,
            text,
            "does not make an e-mail address that AWS accepts",
            "Write one `@`, a domain with a dot, and ASCII letters, digits, `.`, `+`, `-` or `_` before the `@`.",
        ));
    }
}

fn strip_placeholders(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once("#{") {
        bare.push_str(before);
        rest = inner.split_once('}').map_or("", |(_, after)| after);
    }
    bare + rest
}

fn tags<'a>(
    field: &str,
    tags: impl Iterator<Item = (&'a String, &'a String)>,
    prefix: usize,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in tags {
        let at = format!("{field}.{key}");
        tag_key(&at, key, prefix, problems);
        if value.chars().count() > LONGEST_VALUE || !value.chars().all(fits) {
            problems.push(Problem::new(
                &at,
                value,
                "is no tag value: at most 256 letters, digits, spaces and `_.:/=+-@`",
                "Shorten it or take the other characters out.",
            ));
        }
    }
}

fn tag_key(field: &str, key: &str, prefix: usize, problems: &mut Vec<Problem>) {
    let length = key.chars().count();
    if length == 0 || length + prefix > LONGEST_KEY || !key.chars().all(fits) {
        problems.push(Problem::new(
            field,
            key,
            "is no tag key: 1 to 128 letters, digits, spaces and `_.:/=+-@`, prefix included",
            "Shorten it or take the other characters out.",
        ));
    }
    if OWN.contains(&key) {
        problems.push(Problem::new(
            field,
            key,
            "is a tag that Landfall writes itself",
            format!("Take another key than {}.", OWN.join(", ")),
        ));
    }
}

fn contacts(
    field: &str,
    contacts: &std::collections::BTreeMap<String, Contact>,
    problems: &mut Vec<Problem>,
) {
    for (role, contact) in contacts {
        email_shape(&format!("{field}.{role}"), contact.email(), problems);
    }
    contact::check_parts(field, contacts, problems);
}

/// What is wrong with names as they were rendered.
#[must_use]
pub fn check_names(names: &Names) -> Vec<Problem> {
    let mut problems = Vec::new();
    email_shape("email", &names.email, &mut problems);
    for (field, text, longest) in [
        ("email", &names.email, LONGEST_EMAIL),
        ("accountName", &names.account_name, LONGEST_ACCOUNT_NAME),
    ] {
        let length = text.chars().count();
        if field == "accountName" && !text.chars().all(fits_account_name) {
            problems.push(Problem::new(
                field,
                text,
                "has characters that AWS refuses in an account's name",
                "Use ASCII letters, digits, spaces and punctuation, but not `<` and `>`.",
            ));
        }
        if length > longest || text.is_empty() {
            problems.push(Problem::new(
                field,
                text,
                format!("has {length} characters; AWS takes 1 to {longest}"),
                "Shorten the tag or identifier that makes it so long.",
            ));
        }
    }
    problems
}

/// What is wrong with a platform.
#[must_use]
pub fn check_platform(metadata: &PlatformMetadata, spec: &Platform) -> Vec<Problem> {
    let mut problems = Vec::new();
    identifier("metadata.name", &metadata.name, 16, &mut problems);
    let email = "spec.accountEmailPattern";
    if let Some(read) = pattern(email, &spec.account_email_pattern, LONGEST_EMAIL, &mut problems) {
        email_shape(email, &spec.account_email_pattern, &mut problems);
        tells_apart(email, &spec.account_email_pattern, &read, &mut problems, "address");
    }
    pattern(
        "spec.accountNamePattern",
        &spec.account_name_pattern,
        LONGEST_ACCOUNT_NAME,
        &mut problems,
    );
    if !strip_placeholders(&spec.account_name_pattern).chars().all(fits_account_name) {
        problems.push(Problem::new(
            "spec.accountNamePattern",
            &spec.account_name_pattern,
            "has characters that AWS refuses in an account's name",
            "Use ASCII letters, digits, spaces and punctuation, but not `<` and `>`.",
        ));
    }
    if let Some(text) = &spec.account_alias_pattern {
        let field = "spec.accountAliasPattern";
        if let Some(read) = pattern(field, text, alias::LONGEST, &mut problems) {
            tells_apart(field, text, &read, &mut problems, "alias");
        }
    } else if spec.enforce_account_alias {
        problems.push(Problem::new(
            "spec.enforceAccountAlias",
            "true",
            "says that an alias is enforced, but there is none",
            "Write `accountAliasPattern` too, or leave this out.",
        ));
    }
    for (index, mapper) in spec.tag_mappers.iter().enumerate() {
        let field = format!("spec.tagMappers[{index}]");
        tag_key(
            &format!("{field}.key"),
            &mapper.key,
            spec.tag_prefix.chars().count(),
            &mut problems,
        );
        if spec.tag_mappers[..index].iter().any(|earlier| earlier.key == mapper.key) {
            problems.push(Problem::new(
                format!("{field}.key"),
                &mapper.key,
                "stands there twice",
                "Write each key once.",
            ));
        }
        if let Err(error) = TagTemplate::parse(&mapper.value) {
            problems.push(Problem::new(
                format!("{field}.value"),
                &mapper.value,
                format!("can't be read: {error}"),
                "Write text, with placeholders as `${name}`.",
            ));
        }
    }
    too_many_tags("spec.tagMappers", spec.tag_mappers.len() + OWN.len(), &mut problems);
    contact::check_phone("spec.contactPhone", spec.contact_phone.as_deref(), &mut problems);
    if !["aws", "aws-us-gov", "aws-cn"].contains(&spec.partition.as_str()) {
        problems.push(Problem::new(
            "spec.partition",
            &spec.partition,
            "is no partition",
            "Write aws, aws-us-gov or aws-cn.",
        ));
    }
    if let Some(organization) = &spec.organization
        && !is_organization(organization)
    {
        problems.push(Problem::new(
            "spec.organization",
            organization,
            "is no organization's id",
            "Write the id, such as `o-a1b2c3d4e5`, as `aws organizations describe-organization` shows it.",
        ));
    }
    if spec.tag_prefix.is_empty()
        || spec.tag_prefix.len() > 32
        || !spec.tag_prefix.chars().all(fits)
        || spec.tag_prefix.to_lowercase().starts_with("aws:")
    {
        problems.push(Problem::new(
            "spec.tagPrefix",
            &spec.tag_prefix,
            "must have 1 to 32 letters, digits and `_.:/=+-@`, not starting with `aws:`: only tags that start with it are ours to change",
            "Write for example `landfall:`.",
        ));
    }
    let (path, access_role) = (spec.access_role_path(), spec.access_role_name());
    if path.len() > LONGEST_ROLE_PATH || path.bytes().any(|byte| !byte.is_ascii_graphic()) {
        problems.push(Problem::new(
            "spec.accessRole",
            path,
            "is no path of a role: at most 64 printable characters without spaces",
            "Write the role as in `/platform/LandfallAccess`.",
        ));
    }
    if path.contains([':', '*', '?', '$']) {
        problems.push(Problem::new(
            "spec.accessRole",
            path,
            "is no path of a role that Landfall can name in a policy",
            "Write the role's path and name, not its ARN, without `:`, `*`, `?` and `$`.",
        ));
    }
    if !path.is_empty() && access_role == BIRTH_ROLE {
        problems.push(Problem::new(
            "spec.accessRole",
            &spec.access_role,
            "has the name that Organizations' own role has, which every new account has already",
            "Give the role with a path another name.",
        ));
    }
    let breaker = &spec.limits.breaker;
    for (field, number) in [
        ("spec.limits.breaker.failures", breaker.failures),
        ("spec.limits.breaker.withinMinutes", breaker.within_minutes),
    ] {
        if number == 0 {
            problems.push(Problem::new(
                field,
                number,
                "must be 1 at least: with 0 no account would ever be created",
                "Write a number from 1, or leave it out.",
            ));
        }
    }
    for (field, role) in
        [("spec.accessRole", access_role), ("spec.executionRole", spec.execution_role.as_str())]
    {
        let fits = (1..=64).contains(&role.len())
            && role.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        if !fits {
            problems.push(Problem::new(
                field,
                role,
                "is no role name: 1 to 64 letters, digits and `_+=,.@-`",
                "Write the role's name, not its ARN.",
            ));
        }
    }
    if let Some(tower) = &spec.control_tower {
        control_tower(tower, &spec.partition, &mut problems);
    }
    check_identity_center(spec, &mut problems);
    problems
}

fn control_tower(tower: &ControlTower, partition: &str, problems: &mut Vec<Problem>) {
    let field = "spec.controlTower";
    if partition == "aws-cn" {
        problems.push(Problem::new(
            field,
            partition,
            "is a partition without Control Tower",
            "Take `controlTower` out.",
        ));
    }
    let region = &tower.home_region;
    let parts: Vec<&str> = region.split('-').collect();
    let numbered = parts.last().is_some_and(|last| last.parse::<u8>().is_ok());
    if parts.len() < 3 || !numbered || region.to_ascii_lowercase() != *region {
        problems.push(Problem::new(
            format!("{field}.homeRegion"),
            region,
            "is no Region",
            "Write the Region that Control Tower was set up in, such as `eu-central-1`.",
        ));
    }
    let Enrolment::AccountFactory(factory) = &tower.enrolment else { return };
    let field = format!("{field}.enrolment.accountFactory");
    let id = factory.product_id.strip_prefix("prod-");
    let shaped = |id: &str| id.len() >= 3 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !id.is_some_and(shaped) {
        problems.push(Problem::new(
            format!("{field}.productId"),
            &factory.product_id,
            "is no id of a Service Catalog product",
            "Write the id of `AWS Control Tower Account Factory` as `aws servicecatalog search-products-as-admin` shows it: `prod-…`.",
        ));
    }
    let user = &factory.sso_user;
    email_shape(&format!("{field}.ssoUser.email"), &user.email, problems);
    for (name, value) in [("firstName", &user.first_name), ("lastName", &user.last_name)] {
        if value.trim().is_empty() {
            problems.push(Problem::new(
                format!("{field}.ssoUser.{name}"),
                "(empty)",
                "must be there: Account Factory asks for it",
                "Write a name.",
            ));
        }
    }
}

fn is_organization(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// What is wrong with hooks: what each is, where it is, and what it could be called with.
fn hooks(hooks: &[Hook], platform: &Platform, problems: &mut Vec<Problem>) {
    for (index, hook) in hooks.iter().enumerate() {
        let field = format!("spec.hooks[{index}]");
        identifier(&format!("{field}.name"), &hook.name, 30, problems);
        if hooks[..index].iter().any(|earlier| earlier.name == hook.name) {
            problems.push(Problem::new(
                format!("{field}.name"),
                &hook.name,
                "stands there twice",
                "Give each hook a name of its own.",
            ));
        }
        let Some(target) = hook.target() else {
            problems.push(Problem::new(
                field,
                &hook.name,
                "must be exactly one thing",
                "Write one of `lambda`, `stateMachine` and `eventBus`.",
            ));
            continue;
        };
        hook_target(&field, target, platform, problems);
    }
    if !hooks.is_empty() && platform.organization.is_none() {
        problems.push(Problem::new(
            "spec.hooks",
            format!("{} hooks", hooks.len()),
            "are told the account's ARN, for which the platform must name its organization",
            "Write `organization: o-…` into the platform and apply it first.",
        ));
    }
}

fn hook_target(
    field: &str,
    target: HookTarget<'_>,
    platform: &Platform,
    problems: &mut Vec<Problem>,
) {
    let (key, service, kind, own) = match target {
        HookTarget::Lambda(_) => ("lambda", "lambda", "function:", false),
        HookTarget::StateMachine(_) => ("stateMachine", "states", "stateMachine:", true),
        HookTarget::EventBus(_) => ("eventBus", "events", "event-bus/", false),
    };
    let text = target.as_str();
    let is_name = |name: &str| {
        (1..=256).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
    };
    if matches!(target, HookTarget::EventBus(_)) && !text.starts_with("arn:") && is_name(text) {
        return;
    }
    let Platform { partition, region, automation_account, .. } = platform;
    let account = text.split(':').nth(4).unwrap_or_default();
    let start = format!("arn:{partition}:{service}:{region}:{account}:{kind}");
    let fits = account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && text
            .strip_prefix(&start)
            .is_some_and(|name| name.split(':').count() <= 2 && name.split(':').all(is_name));
    if !fits {
        problems.push(Problem::new(
            format!("{field}.{key}"),
            text,
            format!("is no ARN of such a thing in {region}"),
            format!(
                "Write `arn:{partition}:{service}:{region}:{automation_account}:{kind}NAME`: \
                 Step Functions calls in its own Region only."
            ),
        ));
    } else if own && account != automation_account.as_str() {
        problems.push(Problem::new(
            format!("{field}.{key}"),
            text,
            "is in another account",
            format!("Write a state machine of the automation account {automation_account}."),
        ));
    }
}

/// What is wrong with the values of parameters: they may refer to known facts only.
fn parameters<'a>(
    field: &str,
    values: impl Iterator<Item = (&'a String, &'a String)>,
    platform: &Platform,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in values {
        let at = format!("{field}.{name}");
        match references(value) {
            Err(rule) => problems.push(Problem::new(
                at,
                value,
                rule,
                format!("Known are {} and tag<Name>, each written `${{…}}`.", FACTS.join(", ")),
            )),
            Ok(found) if found.contains(&ACCOUNT_ARN) && platform.organization.is_none() => {
                problems.push(Problem::new(
                    at,
                    value,
                    "wants the account's ARN, for which the platform must name its organization",
                    "Write `organization: o-…` into the platform and apply it first.",
                ));
            }
            Ok(_) => {}
        }
    }
}

/// What is wrong with a landing zone, by itself and beside its platform.
#[must_use]
pub fn check_landing_zone(
    metadata: &LandingZoneMetadata,
    spec: &LandingZone,
    platform: &Platform,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    identifier("metadata.name", &metadata.name, 30, &mut problems);
    let unit = &spec.organizational_unit;
    let lower =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_unit = unit.strip_prefix("ou-").and_then(|rest| rest.split_once('-')).is_some_and(
        |(root, own)| {
            (4..=32).contains(&root.len())
                && (8..=32).contains(&own.len())
                && lower(root)
                && lower(own)
        },
    );
    let is_root =
        unit.strip_prefix("r-").is_some_and(|rest| (4..=32).contains(&rest.len()) && lower(rest));
    if !is_unit && !is_root {
        problems.push(Problem::new(
            "spec.organizationalUnit",
            unit,
            "is no id of an organizational unit",
            "Write the id, such as `ou-ab12-11112222`, as `aws organizations list-organizational-units-for-parent` shows it.",
        ));
    }
    if spec.enrol && platform.control_tower.is_none() {
        problems.push(Problem::new(
            "spec.enrol",
            true,
            "can't be: the platform does not say where Control Tower is",
            "Add `controlTower: {homeRegion: …}` to the platform first.",
        ));
    }
    if spec.enrol && is_root {
        problems.push(Problem::new(
            "spec.enrol",
            true,
            "can't be in a root: Control Tower governs organizational units",
            "Write a unit that is registered with Control Tower as `organizationalUnit`.",
        ));
    }
    if spec.enrol && spec.organizational_unit_per_workspace {
        problems.push(Problem::new(
            "spec.organizationalUnitPerWorkspace",
            true,
            "can't be with `enrol`: Control Tower does not govern a unit that was not registered with it",
            "Take one of the two out, or register a unit for each workspace and give it a landing zone.",
        ));
    }
    tags("spec.tags", spec.tags.iter(), platform.tag_prefix.chars().count(), &mut problems);
    let mapped = platform.tag_mappers.iter().map(|mapper| &mapper.key);
    let keys: BTreeSet<&String> = spec.tags.keys().chain(mapped).collect();
    too_many_tags("spec.tags", keys.len() + OWN.len(), &mut problems);
    contacts("spec.contacts", &spec.contacts, &mut problems);
    contact::check("spec.contacts", &spec.contacts, platform, &mut problems);
    for (field, text) in [
        ("spec.displayName", &spec.display_name),
        ("spec.description", &spec.description),
        ("spec.infoLink", &spec.info_link),
    ] {
        let length = text.as_ref().map_or(1, |text| text.chars().count());
        if length == 0 || length > LONGEST_TEXT {
            problems.push(Problem::new(
                field,
                text.as_deref().unwrap_or_default(),
                format!("has {length} characters; 1 to {LONGEST_TEXT} are allowed"),
                "Shorten it, or leave it out.",
            ));
        }
    }
    if let Some(link) = &spec.info_link
        && !(link.starts_with("https://") || link.starts_with("http://"))
    {
        problems.push(Problem::new(
            "spec.infoLink",
            link,
            "is no address of a web page",
            "Write it with `https://`.",
        ));
    }
    for (index, workspace) in spec.restricted_to.iter().enumerate() {
        identifier(&format!("spec.restrictedTo[{index}]"), workspace, 16, &mut problems);
    }
    for (index, set) in spec.stack_sets.iter().enumerate() {
        let field = format!("spec.stackSets[{index}]");
        let named = set.name.starts_with(|first: char| first.is_ascii_alphabetic())
            && set.name.len() <= 128
            && set.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !named {
            problems.push(Problem::new(
                format!("{field}.name"),
                &set.name,
                "is no StackSet name: a letter, then letters, digits and `-`",
                "Write the name as `aws cloudformation list-stack-sets` shows it.",
            ));
        }
        if set.regions.is_empty() {
            problems.push(Problem::new(
                format!("{field}.regions"),
                "[]",
                "names no Region",
                "Name at least one Region for the instances.",
            ));
        }
        if spec.stack_sets[..index].iter().any(|earlier| earlier.name == set.name) {
            problems.push(Problem::new(
                format!("{field}.name"),
                &set.name,
                "stands there twice",
                "Write each StackSet once, with all its Regions.",
            ));
        }
    }
    baseline(&spec.baseline, &mut problems);
    quotas(&spec.quotas, &mut problems);
    for (index, set) in spec.stack_sets.iter().enumerate() {
        let field = format!("spec.stackSets[{index}].parameters");
        parameters(&field, set.parameters.iter(), platform, &mut problems);
    }
    if let Some(stack) = &spec.access_stack {
        if !stack.template_url.starts_with("https://") || stack.template_url.len() > 256 {
            problems.push(Problem::new(
                "spec.accessStack.templateUrl",
                &stack.template_url,
                "is no address that CloudFormation reads a template from",
                "Write an https address of an object in S3, of 256 characters at most.",
            ));
        }
        if !is_region(&stack.region) {
            problems.push(Problem::new(
                "spec.accessStack.region",
                &stack.region,
                "is no Region",
                "Write a Region such as `eu-central-1`.",
            ));
        }
        let field = "spec.accessStack.parameters";
        parameters(field, stack.parameters.iter(), platform, &mut problems);
    }
    hooks(&spec.hooks, platform, &mut problems);
    if spec.access_role.downgrade == Downgrade::Strict && spec.access_role.other_way_in.is_none() {
        problems.push(Problem::new(
            "spec.accessRole.otherWayIn",
            "(missing)",
            "must be named before Landfall gives up its own administrator access",
            "Write `{role: NAME}`, `{permissionSet: NAME}`, or `none` if a StackSet is way enough for you.",
        ));
    }
    check_role_mappings(spec, platform, &mut problems);
    problems
}

/// Whether a text is the name of a Region, such as `eu-central-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some((number, words)), 3..=4) = (parts.split_last(), parts.len()) else { return false };
    number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words
            .iter()
            .all(|word| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn regions(field: &str, regions: &[String], problems: &mut Vec<Problem>) {
    for (index, region) in regions.iter().enumerate() {
        let at = format!("{field}[{index}]");
        if !is_region(region) {
            problems.push(Problem::new(
                &at,
                region,
                "is no Region",
                "Write its name, such as `eu-central-1`.",
            ));
        } else if regions[..index].contains(region) {
            problems.push(Problem::new(&at, region, "stands there twice", "Write it once."));
        }
    }
}

fn baseline(baseline: &Baseline, problems: &mut Vec<Problem>) {
    if !baseline.is_everywhere() {
        regions("spec.baseline.regions", &baseline.regions, problems);
    } else if baseline.regions.len() > 1 {
        problems.push(Problem::new(
            "spec.baseline.regions",
            baseline.regions.join(", "),
            "names Regions beside `all`",
            "Write `[all]`, or the names of the Regions.",
        ));
    }
    regions("spec.baseline.optInRegions", &baseline.opt_in_regions, problems);
    let regional = [
        ("defaultVpc", baseline.default_vpc == DefaultVpc::Delete),
        ("ebsEncryption", baseline.ebs_encryption),
        ("snapshotPublicAccessBlock", baseline.snapshot_public_access_block),
        ("imagePublicAccessBlock", baseline.image_public_access_block),
    ];
    if let Some((wished, _)) = regional.iter().find(|(_, wished)| *wished)
        && baseline.regions.is_empty()
    {
        problems.push(Problem::new(
            "spec.baseline.regions",
            "[]",
            format!("names no Region, and `{wished}` holds by Region"),
            "Write `[all]`, or the names of the Regions.",
        ));
    }
    if let Some(key) = &baseline.ebs_key {
        ebs_key(baseline, key, problems);
    }
    if let Some(policy) = &baseline.password_policy {
        password_policy(policy, problems);
    }
}

fn ebs_key(baseline: &Baseline, key: &str, problems: &mut Vec<Problem>) {
    let field = "spec.baseline.ebsKey";
    let parts: Vec<&str> = key.splitn(6, ':').collect();
    let is_key = matches!(parts.as_slice(), ["arn", partition, "kms", region, account, key]
        if partition.starts_with("aws")
            && (*region == "#{region}" || is_region(region))
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && key.starts_with("key/"));
    if !is_key {
        problems.push(Problem::new(
            field,
            key,
            "is no ARN of a KMS key",
            "Write it as `aws kms describe-key` shows it, with `#{region}` for its Region; an alias does not say which key it is.",
        ));
    } else if !key.contains("#{region}") && (baseline.is_everywhere() || baseline.regions.len() > 1)
    {
        problems.push(Problem::new(
            field,
            key,
            "is in one Region, and the baseline holds in several",
            "Write `#{region}` where the ARN has its Region, and use a multi-Region key.",
        ));
    }
    if !baseline.ebs_encryption {
        problems.push(Problem::new(
            field,
            key,
            "is a key for nothing: `ebsEncryption` is not on",
            "Write `ebsEncryption: true`, or take the key out.",
        ));
    }
}

fn password_policy(policy: &PasswordPolicy, problems: &mut Vec<Problem>) {
    let limits = [
        ("minimumLength", Some(policy.minimum_length), 6, 128, "characters"),
        ("maximumAgeDays", policy.maximum_age_days, 1, 1_095, "days"),
        ("remembered", policy.remembered, 1, 24, "passwords"),
    ];
    for (field, value, least, most, unit) in limits {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            problems.push(Problem::new(
                format!("spec.baseline.passwordPolicy.{field}"),
                value,
                format!("is outside of what IAM takes: {least} to {most} {unit}"),
                "Write a number within.",
            ));
        }
    }
}

fn quotas(quotas: &[Quota], problems: &mut Vec<Problem>) {
    for (index, quota) in quotas.iter().enumerate() {
        let field = format!("spec.quotas[{index}]");
        let is_service = (1..=63).contains(&quota.service.len())
            && quota.service.starts_with(|first: char| first.is_ascii_alphabetic())
            && quota
                .service
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_service {
            problems.push(Problem::new(
                format!("{field}.service"),
                &quota.service,
                "is no service's code",
                "Write it as `aws service-quotas list-services` shows it, such as `ec2`.",
            ));
        }
        let is_code = quota.code.strip_prefix("L-").is_some_and(|rest| {
            rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if !is_code {
            problems.push(Problem::new(
                format!("{field}.code"),
                &quota.code,
                "is no quota's code",
                "Write it as `aws service-quotas list-service-quotas` shows it, such as `L-1216C47A`.",
            ));
        }
        regions(&format!("{field}.regions"), &quota.regions, problems);
        if quota.regions.is_empty() {
            problems.push(Problem::new(
                format!("{field}.regions"),
                "[]",
                "names no Region",
                "Name at least one; `us-east-1` for a quota that holds everywhere.",
            ));
        }
        if !(quota.value.is_finite() && (0.0..=1e10).contains(&quota.value)) {
            problems.push(Problem::new(
                format!("{field}.value"),
                quota.value,
                "is no value that Service Quotas takes: 0 to 10,000,000,000",
                "Write a number within.",
            ));
        }
        let twice = quotas[..index].iter().any(|earlier| {
            (&earlier.service, &earlier.code) == (&quota.service, &quota.code)
                && earlier.regions.iter().any(|region| quota.regions.contains(region))
        });
        if twice {
            problems.push(Problem::new(
                format!("{field}.code"),
                &quota.code,
                "is asked for twice in one Region",
                "Write each quota once for a Region.",
            ));
        }
    }
}

/// What is wrong with a tenant, by itself.
#[must_use]
pub fn check_tenant(metadata: &TenantMetadata, spec: &TenantSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    identifier("metadata.workspace", &metadata.workspace, 16, &mut problems);
    identifier("metadata.project", &metadata.project, 30, &mut problems);
    identifier("metadata.platform", &metadata.platform, 16, &mut problems);
    identifier("spec.landingZone", &spec.landing_zone, 30, &mut problems);
    for (field, written) in [
        ("spec.tags", &spec.tags),
        ("spec.paymentTags", &spec.payment_tags),
        ("spec.workspaceTags", &spec.workspace_tags),
    ] {
        tags(field, written.iter(), 32, &mut problems);
    }
    contacts("spec.contacts", &spec.contacts, &mut problems);
    if let Some(email) = &spec.email {
        email_shape("spec.email", email, &mut problems);
        if !(6..=LONGEST_EMAIL).contains(&email.len()) {
            problems.push(Problem::new(
                "spec.email",
                email,
                format!("has {} characters; AWS takes 6 to {LONGEST_EMAIL}", email.len()),
                "Write another address.",
            ));
        }
    }
    check_grants(spec, &mut problems);
    problems
}

/// What is wrong with a tenant beside its landing zone and its platform. `tenant` is as it would be with its wish;
/// `had` is the landing zone that it has so far: what takes no new tenants goes on with those that are there.
#[must_use]
pub fn check_tenant_beside(
    tenant: &Tenant,
    had: Option<&str>,
    zone: &LandingZone,
    platform: &Platform,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (wish, name) = (&tenant.wish, &tenant.name);
    if platform.deprecated && had.is_none() {
        problems.push(Problem::new(
            "metadata.platform",
            &name.platform,
            "takes no new tenants: it is deprecated",
            "Ask the foundation's team which platform has taken its place.",
        ));
    }
    let chooses = had != Some(&wish.landing_zone);
    if zone.disabled && chooses {
        problems.push(Problem::new(
            "spec.landingZone",
            &wish.landing_zone,
            "takes no new tenants: it is disabled",
            "Name another landing zone.",
        ));
    }
    let allowed = zone.restricted_to.is_empty() || zone.restricted_to.contains(&name.workspace);
    if !allowed && chooses {
        problems.push(Problem::new(
            "spec.landingZone",
            &wish.landing_zone,
            format!("is not for workspace `{}`", name.workspace),
            "Name another landing zone, or ask the foundation's team to list the workspace in its `restrictedTo`.",
        ));
    }
    contact::check("spec.contacts", &wish.contacts, platform, &mut problems);
    too_many_tags("spec.tags", account_tags(tenant, zone, platform).len(), &mut problems);
    if !problems.is_empty() {
        return problems;
    }
    // What a tag makes of a name is seen first here, with a number that is as good as any.
    let names = render_names(tenant, zone, platform, Numbers::default());
    let refused = names.err().or_else(|| account_alias(tenant, zone, platform).err());
    if let Some(failure) = refused.filter(|_| tenant.names.is_none()) {
        problems.push(Problem::new(
            "spec.tags",
            format!("{:?}", wish.tags),
            format!("make no name for the account: {}", failure.user_remark),
            "Change the tag that the platform's patterns name.",
        ));
    }
    problems
}

fn too_many_tags(field: &str, number: usize, problems: &mut Vec<Problem>) {
    if number > MOST_TAGS {
        problems.push(Problem::new(
            field,
            number,
            format!(
                "are too many tags for an account with all that it gets: AWS allows {MOST_TAGS}"
            ),
            "Leave some out.",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn platform(email: &str) -> Platform {
        serde_json::from_value(serde_json::json!({
            "region": "eu-central-1", "managementAccount": "111111111111",
            "automationAccount": "123456789012", "accountEmailPattern": email
        }))
        .expect("a platform")
    }

    fn zone(more: serde_json::Value) -> LandingZone {
        let mut spec = serde_json::json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {"otherWayIn": "none"}
        });
        let fields = more.as_object().cloned().expect("fields");
        spec.as_object_mut().expect("a mapping").extend(fields);
        serde_json::from_value(spec).expect("a landing zone")
    }

    fn tenant(spec: serde_json::Value) -> Tenant {
        let wish: TenantSpec = serde_json::from_value(spec).expect("a wish");
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let name = crate::Name::new("payments", "checkout", "aws");
        Tenant::requested(name, 1, wish, "ada", now).tenant
    }

    fn fields(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.field.as_str()).collect()
    }

    #[test]
    fn an_email_pattern_that_can_overflow_is_refused_before_any_account_fails() {
        let metadata = PlatformMetadata { name: "aws".to_owned() };
        let fits = platform("aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com");
        assert_eq!(check_platform(&metadata, &fits), []);
        let overflows = platform("aws+#{workspaceIdentifier}.#{projectIdentifier}@yourcompany.com");
        let problems = check_platform(&metadata, &overflows);
        assert_eq!(fields(&problems), ["spec.accountEmailPattern"]);
        assert!(
            problems[0].rule.contains("can grow to 67 characters; AWS allows 64"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn an_access_role_may_have_a_path_that_policies_can_name() {
        let metadata = PlatformMetadata { name: "aws".to_owned() };
        let email = "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com";
        let with = |role: &str| Platform { access_role: role.to_owned(), ..platform(email) };
        for role in ["/platform/LandfallAccess", "platform/LandfallAccess"] {
            let platform = with(role);
            assert_eq!(check_platform(&metadata, &platform), []);
            assert_eq!(platform.access_role_in_arn(), "platform/LandfallAccess");
            assert_eq!(platform.access_role_name(), "LandfallAccess");
            assert_eq!(platform.access_role_path(), "platform/");
        }
        let plain = with("LandfallAccess");
        assert_eq!((plain.access_role_path(), plain.access_role_name()), ("", "LandfallAccess"));
        for wrong in [
            "arn:aws:iam::111111111111:role/LandfallAccess",
            "/platform/",
            "/plat form/LandfallAccess",
            "/*/LandfallAccess",
            "/platform/OrganizationAccountAccessRole",
            &format!("/{}/LandfallAccess", "p".repeat(64)),
        ] {
            let problems = check_platform(&metadata, &with(wrong));
            assert_eq!(fields(&problems), ["spec.accessRole"], "{wrong}");
        }
    }

    #[test]
    fn an_email_pattern_must_tell_tenants_apart() {
        let metadata = PlatformMetadata { name: "aws".to_owned() };
        let problems =
            check_platform(&metadata, &platform("aws+#{workspaceIdentifier}@example.com"));
        assert!(problems[0].rule.contains("projectIdentifier"), "{}", problems[0]);
    }

    #[test]
    fn an_alias_pattern_is_tried_with_the_longest_that_tenants_can_be_called() {
        let metadata = PlatformMetadata { name: "aws".to_owned() };
        let mut spec = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        let mut with = |pattern: &str| {
            spec.account_alias_pattern = Some(pattern.to_owned());
            check_platform(&metadata, &spec)
        };
        assert_eq!(with("acme-#{workspaceIdentifier}-#{projectIdentifier}"), []);
        let long = with("the-acme-corporation-#{workspaceIdentifier}-#{projectIdentifier}");
        assert!(long[0].rule.contains("can grow to 68 characters; AWS allows 63"), "{}", long[0]);
        let same = with("acme-#{projectIdentifier}");
        assert!(same[0].rule.contains("workspaceIdentifier"), "{}", same[0]);
        spec.account_alias_pattern = None;
        spec.enforce_account_alias = true;
        assert_eq!(fields(&check_platform(&metadata, &spec)), ["spec.enforceAccountAlias"]);
    }

    #[test]
    fn mappers_are_read_before_any_account_is_tagged() {
        let metadata = PlatformMetadata { name: "aws".to_owned() };
        let mut spec = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        spec.tag_mappers = [("Stage", "${stage}"), ("Stage", "x"), ("tenant", "x"), ("a!", "x")]
            .map(|(key, value)| crate::TagMapper { key: key.to_owned(), value: value.to_owned() })
            .into();
        assert_eq!(
            fields(&check_platform(&metadata, &spec)),
            [
                "spec.tagMappers[0].value",
                "spec.tagMappers[1].key",
                "spec.tagMappers[2].key",
                "spec.tagMappers[3].key",
            ]
        );
    }

    #[test]
    fn what_takes_no_new_tenants_goes_on_with_those_that_are_there() {
        let tenant = tenant(serde_json::json!({"landingZone": "production"}));
        let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        let open = zone(serde_json::json!({"restrictedTo": ["payments"]}));
        assert_eq!(check_tenant_beside(&tenant, None, &open, &platform), []);
        platform.deprecated = true;
        let closed = zone(serde_json::json!({"disabled": true, "restrictedTo": ["shipping"]}));
        assert_eq!(check_tenant_beside(&tenant, Some("production"), &closed, &platform), []);
        assert_eq!(
            fields(&check_tenant_beside(&tenant, None, &closed, &platform)),
            ["metadata.platform", "spec.landingZone", "spec.landingZone"]
        );
        assert_eq!(
            fields(&check_tenant_beside(&tenant, Some("sandbox"), &closed, &platform)),
            ["spec.landingZone", "spec.landingZone"]
        );
    }

    #[test]
    fn all_tags_of_an_account_together_are_fifty_at_most() {
        let tags = |letter: &str, number: usize| {
            let tags: std::collections::BTreeMap<_, _> =
                (0..number).map(|index| (format!("{letter}{index}"), "x".to_owned())).collect();
            serde_json::json!(tags)
        };
        let platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        let zone = zone(serde_json::json!({"tags": tags("zone", 20)}));
        for (number, problems) in [(13, 0), (14, 1)] {
            let tenant = tenant(serde_json::json!({
                "landingZone": "production", "tags": tags("own", 13), "workspaceTags": tags("shared", number)
            }));
            assert_eq!(check_tenant_beside(&tenant, None, &zone, &platform).len(), problems);
        }
    }

    #[test]
    fn a_tag_that_makes_no_name_is_refused_with_the_wish() {
        let tenant =
            tenant(serde_json::json!({"landingZone": "production", "tags": {"owner": "a b"}}));
        let platform = platform("#{tagOwner:%.8s}.#{rand:%.8s}@e.io");
        let problems = check_tenant_beside(&tenant, None, &zone(serde_json::json!({})), &platform);
        assert_eq!(fields(&problems), ["spec.tags"]);
        assert!(problems[0].rule.contains("a b."), "{}", problems[0]);
    }

    #[test]
    fn identifiers_longer_than_their_limit_are_refused() {
        let metadata = TenantMetadata {
            workspace: "a".repeat(17),
            project: "Checkout".to_owned(),
            platform: "aws".to_owned(),
        };
        let spec: TenantSpec =
            serde_json::from_value(serde_json::json!({"landingZone": "production"}))
                .expect("a tenant");
        assert_eq!(
            fields(&check_tenant(&metadata, &spec)),
            ["metadata.workspace", "metadata.project"]
        );
    }

    #[test]
    fn a_strict_downgrade_needs_another_way_in() {
        let zone = zone(serde_json::json!({"accessRole": {}}));
        assert_eq!(fields(&checked(&zone, None)), ["spec.accessRole.otherWayIn"]);
    }

    fn checked(zone: &LandingZone, organization: Option<&str>) -> Vec<Problem> {
        let metadata = LandingZoneMetadata { name: "production".to_owned() };
        let platform = Platform {
            organization: organization.map(ToOwned::to_owned),
            ..platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io")
        };
        check_landing_zone(&metadata, zone, &platform)
    }

    #[test]
    fn a_hook_is_one_thing_in_the_platforms_region() {
        let function = "arn:aws:lambda:eu-central-1:222222222222:function:register:live";
        let machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:network";
        let right = zone(serde_json::json!({"hooks": [
            {"name": "register", "lambda": function}, {"name": "network", "stateMachine": machine},
            {"name": "tell", "eventBus": "foundation"},
            {"name": "tell-others", "eventBus": "arn:aws:events:eu-central-1:222222222222:event-bus/x"}
        ]}));
        assert_eq!(checked(&right, Some("o-landfall01")), []);
        assert_eq!(fields(&checked(&right, None)), ["spec.hooks"]);
        let wrong = zone(serde_json::json!({"hooks": [
            {"name": "nothing"},
            {"name": "both", "lambda": function, "eventBus": "foundation"},
            {"name": "elsewhere", "lambda": function.replace("central", "west")},
            {"name": "of-others", "stateMachine": machine.replace("123456789012", "222222222222")},
            {"name": "of-others", "lambda": "register"}
        ]}));
        assert_eq!(
            fields(&checked(&wrong, Some("o-landfall01"))),
            [
                "spec.hooks[0]",
                "spec.hooks[1]",
                "spec.hooks[2].lambda",
                "spec.hooks[3].stateMachine",
                "spec.hooks[4].name",
                "spec.hooks[4].lambda"
            ]
        );
    }

    #[test]
    fn parameters_refer_to_known_facts_only() {
        let stacks = |text: &str| {
            zone(serde_json::json!({
                "stackSets": [{"name": "audit", "regions": ["eu-central-1"], "parameters": {"Owner": text}}],
                "accessStack": {"templateUrl": "https://example.com/a.yaml", "region": "eu-central-1",
                                "parameters": {"Owner": text}}
            }))
        };
        let both = ["spec.stackSets[0].parameters.Owner", "spec.accessStack.parameters.Owner"];
        for right in ["${ProductName}-${Stage}", "${tagCostCenter}", "plain", "$100"] {
            assert_eq!(checked(&stacks(right), None), [], "{right}");
        }
        for wrong in ["${accountId}", "${AccountId", "${tagcost}", "${}"] {
            assert_eq!(fields(&checked(&stacks(wrong), None)), both, "{wrong}");
        }
        assert_eq!(fields(&checked(&stacks("${AccountArn}"), None)), both);
        assert_eq!(checked(&stacks("${AccountArn}"), Some("o-landfall01")), []);
    }

    fn problems_of(tower: serde_json::Value) -> Vec<Problem> {
        let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        platform.control_tower = Some(serde_json::from_value(tower).expect("a Control Tower"));
        check_platform(&PlatformMetadata { name: "aws".to_owned() }, &platform)
    }

    #[test]
    fn control_tower_needs_a_region_and_account_factory_a_product_and_a_person() {
        use serde_json::json;
        assert_eq!(problems_of(json!({"homeRegion": "eu-central-1"})), []);
        assert_eq!(
            fields(&problems_of(json!({"homeRegion": "Frankfurt"}))),
            ["spec.controlTower.homeRegion"]
        );
        let factory = |id: &str, email: &str, name: &str| {
            json!({"homeRegion": "us-gov-west-1", "enrolment": {"accountFactory": {"productId": id,
                "ssoUser": {"email": email, "firstName": name, "lastName": "Foundation"}}}})
        };
        assert_eq!(problems_of(factory("prod-be2kwmlhqyo3o", "cloud@example.com", "Cloud")), []);
        let at = "spec.controlTower.enrolment.accountFactory";
        assert_eq!(
            fields(&problems_of(factory("be2kwmlhqyo3o", "cloud", " "))),
            [
                format!("{at}.productId"),
                format!("{at}.ssoUser.email"),
                format!("{at}.ssoUser.firstName")
            ]
        );
    }

    fn problems_in(baseline: serde_json::Value, quotas: serde_json::Value) -> Vec<Problem> {
        let zone: LandingZone = serde_json::from_value(serde_json::json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod",
            "baseline": baseline, "quotas": quotas, "accessRole": {"otherWayIn": "none"}
        }))
        .expect("a landing zone");
        let metadata = LandingZoneMetadata { name: "production".to_owned() };
        check_landing_zone(&metadata, &zone, &platform("#{projectIdentifier}@e.io"))
    }

    #[test]
    fn a_baseline_that_aws_would_refuse_is_refused_with_the_remedy() {
        use serde_json::json;
        let key = "arn:aws:kms:eu-central-1:222222222222:key/mrk-1";
        let everywhere = "arn:aws:kms:#{region}:222222222222:key/mrk-1";
        for (baseline, wrong) in [
            (json!({"regions": ["eu-central-1"], "defaultVpc": "delete"}), vec![]),
            (json!({"regions": ["all"], "ebsEncryption": true, "ebsKey": everywhere}), vec![]),
            (json!({"s3PublicAccessBlock": true}), vec![]),
            (json!({"ebsEncryption": true}), vec!["spec.baseline.regions"]),
            (json!({"regions": ["all", "eu-central-1"]}), vec!["spec.baseline.regions"]),
            (json!({"regions": ["frankfurt"]}), vec!["spec.baseline.regions[0]"]),
            (
                json!({"optInRegions": ["ap-east-1", "ap-east-1"]}),
                vec!["spec.baseline.optInRegions[1]"],
            ),
            (
                json!({"regions": ["all"], "ebsEncryption": true, "ebsKey": key}),
                vec!["spec.baseline.ebsKey"],
            ),
            (json!({"regions": ["all"], "ebsKey": everywhere}), vec!["spec.baseline.ebsKey"]),
            (
                json!({"regions": ["eu-west-1"], "ebsEncryption": true, "ebsKey": "alias/ours"}),
                vec!["spec.baseline.ebsKey"],
            ),
            (
                json!({"passwordPolicy": {"minimumLength": 4, "remembered": 25}}),
                vec![
                    "spec.baseline.passwordPolicy.minimumLength",
                    "spec.baseline.passwordPolicy.remembered",
                ],
            ),
        ] {
            let problems = problems_in(baseline.clone(), json!([]));
            assert_eq!(fields(&problems), wrong, "{baseline}");
        }
    }

    #[test]
    fn a_quota_is_known_by_its_codes_and_stands_there_once() {
        use serde_json::json;
        let vcpus = json!({
            "service": "ec2", "code": "L-1216C47A", "regions": ["eu-central-1"], "value": 300
        });
        assert_eq!(problems_in(json!({}), json!([vcpus])), []);
        let twice = problems_in(json!({}), json!([vcpus, vcpus]));
        assert_eq!(fields(&twice), ["spec.quotas[1].code"]);
        let odd = json!([{"service": "EC2", "code": "vCPUs", "regions": [], "value": -1}]);
        assert_eq!(
            fields(&problems_in(json!({}), odd)),
            [
                "spec.quotas[0].service",
                "spec.quotas[0].code",
                "spec.quotas[0].regions",
                "spec.quotas[0].value"
            ]
        );
    }

    #[test]
    fn a_landing_zone_enrols_where_its_platform_knows_control_tower() {
        let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
        let zone = |unit: &str| {
            serde_json::from_value::<LandingZone>(serde_json::json!({
                "platform": "aws", "organizationalUnit": unit, "enrol": true,
                "accessRole": {"otherWayIn": "none"}
            }))
            .expect("a landing zone")
        };
        let metadata = LandingZoneMetadata { name: "production".to_owned() };
        let problems = check_landing_zone(&metadata, &zone("ou-land-workprod"), &platform);
        assert_eq!(fields(&problems), ["spec.enrol"]);
        let tower = serde_json::json!({"homeRegion": "eu-central-1"});
        platform.control_tower = Some(serde_json::from_value(tower).expect("a Control Tower"));
        assert_eq!(check_landing_zone(&metadata, &zone("ou-land-workprod"), &platform), []);
        let in_root = check_landing_zone(&metadata, &zone("r-land"), &platform);
        assert_eq!(fields(&in_root), ["spec.enrol"]);
        let mut apart = zone("ou-land-workprod");
        apart.organizational_unit_per_workspace = true;
        let problems = check_landing_zone(&metadata, &apart, &platform);
        assert_eq!(fields(&problems), ["spec.organizationalUnitPerWorkspace"]);
        assert!(zone("ou-land-workprod").enrols_by_move(&platform));
        assert_eq!(zone("ou-land-workprod").account_factory(&platform), None);
    }

    #[test]
    fn the_shapes_of_documents_stay_as_users_know_them() {
        let text = serde_json::json!({
            "apiVersion": "landfall/v1", "kind": "LandingZone", "metadata": {"name": "production"},
            "spec": {"platform": "aws", "organizationalUnit": "ou-land-workprod",
                     "tags": {"environment": "prod"},
                     "stackSets": [{"name": "audit", "regions": ["eu-central-1"], "parameters": {}}],
                     "accessRole": {"trust": "tighten", "downgrade": "strict", "otherWayIn": "none"}}
        });
        let document: Document<LandingZone> =
            serde_json::from_value(text.clone()).expect("a landing zone");
        assert_eq!(serde_json::to_value(document).expect("JSON"), text);
    }
}
