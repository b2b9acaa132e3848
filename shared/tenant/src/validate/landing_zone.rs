//! What a landing zone may say.

use std::collections::BTreeSet;

use super::baseline::{baseline, is_region, quotas};
use super::roll_out::roll_out;
use super::{
    LONGEST_EMAIL, LONGEST_TEXT, Problem, contacts, email_shape, identifier, pattern, tags,
    tells_apart, too_many_tags,
};
use crate::access::check_role_mappings;
use crate::tags::OWN;
use crate::{
    ACCOUNT_ARN, AddressAfterClosing, Downgrade, FACTS, Hook, HookTarget, IdentifierLengths,
    LandingZone, LandingZoneMetadata, Platform, contact, names_number, references,
};

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
    if let Some(wished) = &spec.address_after_closing {
        address_after_closing(wished, platform, &mut problems);
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
        let most = IdentifierLengths::MOST;
        identifier(&format!("spec.restrictedTo[{index}]"), workspace, most, &mut problems);
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
    roll_out(&spec.roll_out, &mut problems);
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

/// An address that AWS can mail to, other for each tenant and other than the one that its account has.
fn address_after_closing(
    wished: &AddressAfterClosing,
    platform: &Platform,
    problems: &mut Vec<Problem>,
) {
    let field = "spec.addressAfterClosing.pattern";
    let text = &wished.pattern;
    if let Some(read) = pattern(field, text, LONGEST_EMAIL, platform.identifier_lengths, problems) {
        email_shape(field, text, problems);
        tells_apart(field, text, &read, problems, "address");
        for number in ["tenantPlatformNumber", "meshProjectId"] {
            if read.mentions(number) && !names_number(platform, number) {
                problems.push(Problem::new(
                    field,
                    text,
                    format!(
                        "mentions `{number}`, which no tenant has: the platform's patterns do not"
                    ),
                    "Write `rand` instead, or mention the number in a pattern of the platform.",
                ));
            }
        }
    }
    if *text == platform.account_email_pattern {
        problems.push(Problem::new(
            field,
            text,
            "makes the address that the account has already",
            "Write another pattern, such as `end+#{workspaceIdentifier}.#{projectIdentifier}@example.com`.",
        ));
    }
    if !(1..=30).contains(&wished.within_days) {
        problems.push(Problem::new(
            "spec.addressAfterClosing.withinDays",
            wished.within_days,
            "is no number of days from 1 to 30",
            "Write in how many days somebody gives AWS's code, such as 7.",
        ));
    }
}
