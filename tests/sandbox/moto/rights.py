"""What a role may do, as those find out who work with it: CloudFormation, Account Factory.

Calls themselves are judged by the gateway; this is for what AWS's services do with a role inside.
"""

from fnmatch import fnmatchcase
from typing import Any

import iam_facts

# What a role must be allowed to make a resource of the type; others need `service:*`.
MAKING = {
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::Config::ConfigurationRecorder": "config:PutConfigurationRecorder",
    "AWS::Config::DeliveryChannel": "config:PutDeliveryChannel",
    "AWS::Events::EventBusPolicy": "events:PutPermission",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Policy": "iam:PutRolePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::IAM::RolePolicy": "iam:PutRolePolicy",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SSM::Parameter": "ssm:PutParameter",
}
# Services whose actions are named otherwise than their types.
NAMED = {"stepfunctions": "states"}


def making(kind: str) -> str:
    """The action that makes a resource of the type."""
    service = kind.split("::")[1].lower()
    return MAKING.get(kind) or f"{NAMED.get(service, service)}:*"


def allows(facts: dict[str, Any], action: str, on: str | None = None) -> bool:
    """Whether a role's policies and boundary allow an action (its resource only where asked)."""
    layers = [facts["identity"]] + ([facts["boundary"]] if facts["boundary"] else [])
    return all(_allowed(documents, action, on) for documents in layers)


def _allowed(documents: list[Any], action: str, on: str | None) -> bool:
    allowed = False
    for document in documents:
        for statement in listed(document.get("Statement")):
            if not _covers(statement, action):
                continue
            resources = listed(statement.get("Resource", []))
            if on is not None and not any(fnmatchcase(on, one) for one in resources):
                continue
            if statement["Effect"] == "Deny":
                if "*" in resources and "Condition" not in statement:
                    return False
                continue
            allowed = True
    return allowed


def _covers(statement: dict[str, Any], action: str) -> bool:
    def matches(patterns: list[str]) -> bool:
        return any(fnmatchcase(action.lower(), one.lower()) for one in patterns)

    if "NotAction" in statement:
        return not matches(listed(statement["NotAction"]))
    return matches(listed(statement.get("Action", [])))


def trusts(trust: Any, principal: dict[str, str], source: str = "") -> bool:
    """Whether a trust policy lets the principal (a service: for its `source`) take the role."""
    word, name = next(iter(principal.items()))
    account = name.split(":")[4] if name.startswith("arn:") else ""
    known = {
        "aws:principalarn": name,
        "aws:principalaccount": account,
        "aws:sourceaccount": source,
        "aws:principalorgid": iam_facts.organization_of(account)["org_id"] or "",
    }
    accepted = {name, account, f"arn:aws:iam::{account}:root", "*"} - {""}
    for statement in listed((trust or {}).get("Statement")):
        principals = statement.get("Principal", {})
        named = ["*"] if principals == "*" else listed(principals.get(word, []))
        if (
            statement["Effect"] == "Allow"
            and _covers(statement, "sts:AssumeRole")
            and accepted & set(named)
            and _holds(statement.get("Condition", {}), known)
        ):
            return True
    return False


def _holds(conditions: dict[str, Any], known: dict[str, str]) -> bool:
    for operator, tests in conditions.items():
        exact = operator in ("StringEquals", "Bool")
        if not exact and operator not in ("ArnLike", "ArnEquals", "StringLike"):
            return False
        for key, values in tests.items():
            value = known.get(key.lower(), "")
            patterns = [str(one) for one in listed(values)]
            met = value in patterns if exact else any(fnmatchcase(value, one) for one in patterns)
            if not value or not met:
                return False
    return True


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
