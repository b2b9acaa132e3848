//! What a landing zone may say about Regions, the baseline and quotas.

use super::Problem;
use crate::{Baseline, DefaultVpc, PasswordPolicy, Quota};

/// Whether a text is the name of a Region, such as `eu-central-1` or `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
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

pub(super) fn baseline(baseline: &Baseline, problems: &mut Vec<Problem>) {
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

pub(super) fn quotas(quotas: &[Quota], problems: &mut Vec<Problem>) {
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
