"""Lints every identity policy that is deployed: the generated ones and those inside templates."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parliament
import yaml

ROOT = Path(__file__).resolve().parents[2]

# (issue, words of the detail) -> why it is right here.
WAIVERS = {
    ("RESOURCE_MISMATCH", "organizations:MoveAccount"): (
        "Moving needs account, unit and perhaps the root; each stands in a statement of its own."
    ),
    ("RESOURCE_MISMATCH", "cloudformation:CreateStackInstances"): (
        "The stack set, which a parameter may narrow, stands in a statement of its own."
    ),
    ("RESOURCE_MISMATCH", "'identitystore:"): (
        "Identity Store asks for store, group, user and membership; each stands by itself."
    ),
    ("RESOURCE_MISMATCH", "'sso:"): (
        "Identity Center asks for instance, permission set and account; each stands by itself."
    ),
    ("UNKNOWN_ACTION", "account:PutAccountName"): (
        "The linter's list is older than the action, which the Service Authorization Reference has."
    ),
    ("MISMATCHED_TYPE_BUT_USABLE", "StringEquals requires a value of type String but given Arn"): (
        "AWS compares a boundary's ARN as a string in its own examples, and it is one exact ARN."
    ),
}

ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:eu-central-1:123456789012:table/name",
    "AWS::Serverless::Function": "arn:aws:lambda:eu-central-1:123456789012:function:name",
    "AWS::Serverless::StateMachine": "arn:aws:states:eu-central-1:123456789012:stateMachine:name",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-central-1:123456789012:name",
    "AWS::SNS::Topic": "arn:aws:sns:eu-central-1:123456789012:name",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name",
}
# Parameters that stand for resources.
PARAMETERS = {
    "HookFunctionArns": "arn:aws:lambda:eu-central-1:123456789012:function:name",
    "HookStateMachineArns": "arn:aws:states:eu-central-1:123456789012:stateMachine:name",
    "HookEventBusArns": "arn:aws:events:eu-central-1:123456789012:event-bus/name",
}
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "landfall",
}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions kept as `{"!Name": argument}`."""


def short_function(loader: Template, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{suffix}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
    return {f"!{suffix}": loader.construct_mapping(node, deep=True)}


Template.add_multi_constructor("!", short_function)


def resolve(value: Any, types: dict[str, str]) -> Any:
    """The value with every function replaced by something of the right shape."""

    def name(found: re.Match[str]) -> str:
        key = found.group(1)
        if key.startswith("!"):
            return f"${{{key[1:]}}}"
        known = PSEUDO.get(key) or ARNS.get(types.get(key.split(".")[0], ""))
        return known or generic(key)

    if isinstance(value, list):
        return [resolve(item, types) for item in value]
    if not isinstance(value, dict):
        return value
    if "!Sub" in value:
        text = value["!Sub"] if isinstance(value["!Sub"], str) else value["!Sub"][0]
        filled = re.sub(r"\$\{([^}]+)\}", name, text)
        # A policy as a text, for a parameter inside a key.
        return json.loads(filled) if filled.startswith("{") and "Statement" in filled else filled
    if "!If" in value:
        # The first branch has more to read: the other one is a list of names, or nothing.
        return resolve(value["!If"][1], types)
    if "!GetAtt" in value or "!Ref" in value:
        key = (value.get("!GetAtt") or value["!Ref"]).split(".")[0]
        return PSEUDO.get(key) or PARAMETERS.get(key) or ARNS.get(types.get(key, ""), "name")
    return {key: resolve(item, types) for key, item in value.items()}


def documents(value: Any) -> Iterator[dict[str, Any]]:
    """Every identity policy inside: a statement with a principal belongs to another kind."""
    if isinstance(value, dict):
        statements = value.get("Statement")
        if isinstance(statements, list) and not any("Principal" in one for one in statements):
            yield value
        for item in value.values():
            yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((ROOT / "infra/policies").rglob("*.json")):
        text = re.sub(
            r"\$\{(?:AWS::)?(\w+)\}", lambda found: generic(found.group(1)), path.read_text()
        )
        for document in documents(json.loads(text)):
            yield str(path.relative_to(ROOT)), document
    guardrail = ROOT / "infra/accounts/guardrail-scp.json"
    # Control policies take every partition, which the linter does not know.
    yield (
        str(guardrail.relative_to(ROOT)),
        json.loads(guardrail.read_text().replace("arn:*:", "arn:aws:")),
    )
    for folder in (ROOT / "infra", ROOT / "infra/accounts", ROOT / "infra/stacksets"):
        for path in sorted(folder.glob("*.yaml")):
            template = yaml.load(path.read_text(), Loader=Template)
            types = {key: one["Type"] for key, one in template["Resources"].items()}
            for document in documents(resolve(template["Resources"], types)):
                yield str(path.relative_to(ROOT)), document


def generic(key: str) -> str:
    """What stands for a placeholder of a generated policy."""
    lower = key.lower()
    if "partition" in lower:
        return "aws"
    if lower.endswith(("account", "accountid", "management", "automation")):
        return "123456789012"
    return "eu-central-1" if "region" in lower else "name"


def main() -> int:
    used: set[tuple[str, str]] = set()
    complaints: list[str] = []
    count = 0
    for source, document in policies():
        count += 1
        document = {"Version": "2012-10-17", **document}
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings:
            said = f"{finding.detail} {finding.location}"
            waivers = [key for key in WAIVERS if key[0] == finding.issue and key[1] in said]
            used.update(waivers)
            if not waivers:
                complaints.append(f"{source}: {finding.issue}: {said}")
    complaints += [f"the waiver {waiver} is needed no longer" for waiver in WAIVERS.keys() - used]
    print("\n".join(complaints) or f"{count} policies are clean")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
