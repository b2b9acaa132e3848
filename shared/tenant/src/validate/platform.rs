//! What a platform may say.

use super::roll_out::roll_out;
use super::{
    LONGEST_ACCOUNT_NAME, LONGEST_EMAIL, LONGEST_ROLE_PATH, Problem, email_shape,
    fits_account_name, identifier, pattern, strip_placeholders, tag_key, tells_apart,
    too_many_tags,
};
use crate::access::check_identity_center;
use crate::tags::{OWN, fits};
use crate::{
    BIRTH_ROLE, ControlTower, Enrolment, IdentifierLengths, Platform, PlatformMetadata,
    TagTemplate, alias, contact,
};

/// What is wrong with a platform.
#[must_use]
pub fn check_platform(metadata: &PlatformMetadata, spec: &Platform) -> Vec<Problem> {
    let mut problems = Vec::new();
    identifier("metadata.name", &metadata.name, 16, &mut problems);
    let lengths = spec.identifier_lengths;
    for (name, length) in [("workspace", lengths.workspace), ("project", lengths.project)] {
        if !(1..=IdentifierLengths::MOST).contains(&length) {
            problems.push(Problem::new(
                format!("spec.identifierLengths.{name}"),
                length.to_string(),
                format!("must be 1 to {}", IdentifierLengths::MOST),
                "Write how many characters such an identifier may have, or leave it out.",
            ));
        }
    }
    let email = "spec.accountEmailPattern";
    if let Some(read) =
        pattern(email, &spec.account_email_pattern, LONGEST_EMAIL, lengths, &mut problems)
    {
        email_shape(email, &spec.account_email_pattern, &mut problems);
        tells_apart(email, &spec.account_email_pattern, &read, &mut problems, "address");
    }
    pattern(
        "spec.accountNamePattern",
        &spec.account_name_pattern,
        LONGEST_ACCOUNT_NAME,
        lengths,
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
        if let Some(read) = pattern(field, text, alias::LONGEST, lengths, &mut problems) {
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
    if !(1..=24).contains(&spec.survey_hours) {
        problems.push(Problem::new(
            "spec.surveyHours",
            spec.survey_hours,
            "is no number of hours from 1 to 24",
            "Write how many hours lie between two looks at all accounts, such as 6.",
        ));
    }
    roll_out(&spec.roll_out, &mut problems);
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
