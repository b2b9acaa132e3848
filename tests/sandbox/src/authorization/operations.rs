//! The table: one row for each operation that Landfall or the sandbox calls.
//!
//! Facts are those of the Service Authorization Reference. A row says what the action is called,
//! which resources it is asked about and which condition keys the request fills. A new service gets
//! a line in `SERVICES`; a new operation gets a row in the file of its service.

mod accounts;
mod deployment;
mod identity;
mod running;
mod watching;

use super::row::Row;

/// An ARN in the caller's account and Region.
macro_rules! regional {
    ($service:literal, $resource:literal) => {
        concat!("arn:<partition>:", $service, ":<region>:<account>:", $resource)
    };
}

/// An ARN in the caller's account and no Region.
macro_rules! global {
    ($service:literal, $resource:literal) => {
        concat!("arn:<partition>:", $service, "::<account>:", $resource)
    };
}

use {global, regional};

/// Service as in the signature, start of its actions, operations.
const SERVICES: &[(&str, &str, &[Row])] = &[
    ("account", "account", accounts::ACCOUNT),
    ("budgets", "budgets", accounts::BUDGETS),
    ("ce", "ce", accounts::COST_EXPLORER),
    ("cloudformation", "cloudformation", deployment::CLOUDFORMATION),
    ("cloudtrail", "cloudtrail", watching::CLOUDTRAIL),
    ("config", "config", watching::CONFIG),
    ("controltower", "controltower", accounts::CONTROL_TOWER),
    ("dynamodb", "dynamodb", running::DYNAMODB),
    ("ec2", "ec2", deployment::EC2),
    ("events", "events", running::EVENTS),
    ("iam", "iam", identity::IAM),
    ("identitystore", "identitystore", identity::IDENTITY_STORE),
    ("kms", "kms", deployment::KMS),
    ("lambda", "lambda", running::LAMBDA),
    ("logs", "logs", watching::LOGS),
    ("monitoring", "cloudwatch", watching::CLOUDWATCH),
    ("organizations", "organizations", accounts::ORGANIZATIONS),
    ("s3", "s3", deployment::S3),
    ("scheduler", "scheduler", running::SCHEDULER),
    ("secretsmanager", "secretsmanager", deployment::SECRETS_MANAGER),
    ("servicecatalog", "servicecatalog", accounts::SERVICE_CATALOG),
    ("servicequotas", "servicequotas", accounts::SERVICE_QUOTAS),
    ("sns", "sns", running::SNS),
    ("sqs", "sqs", running::SQS),
    ("ssm", "ssm", deployment::SSM),
    ("sso", "sso", identity::IDENTITY_CENTER),
    ("states", "states", running::STATES),
    ("sts", "sts", identity::STS),
    ("tagging", "tag", watching::TAGGING),
    ("xray", "xray", watching::XRAY),
];

/// The row of an operation.
pub(super) fn by_name(service: &str, operation: &str) -> Option<&'static Row> {
    rows(service).iter().find(|row| row.operation == operation)
}

/// The row whose route fits, and the labels of the path; routes with a query key go first.
pub(super) fn by_route(
    service: &str,
    method: &str,
    path: &str,
    query: &str,
) -> Option<(&'static Row, Vec<(String, String)>)> {
    let mut fitting: Vec<_> = rows(service)
        .iter()
        .filter_map(|row| Some((row, row.labels(method, path, query)?)))
        .collect();
    fitting.sort_by_key(|(row, labels)| (!row.route.contains('?'), labels.len()));
    fitting.into_iter().next()
}

/// What the service's actions start with.
pub(super) fn prefix(service: &str) -> &str {
    SERVICES.iter().find(|(name, ..)| *name == service).map_or(service, |(_, prefix, _)| prefix)
}

fn rows(service: &str) -> &'static [Row] {
    SERVICES.iter().find(|(name, ..)| *name == service).map_or(&[], |(.., rows)| rows)
}

/// Every row with its service.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static Row)> {
    SERVICES.iter().flat_map(|(service, _, rows)| rows.iter().map(|row| (*service, row)))
}
