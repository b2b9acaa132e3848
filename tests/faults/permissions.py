"""Least privilege, measured: what roles may write, less what they wrote with effect."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.world import AUTOMATION, MANAGEMENT, World

WAIVERS = Path(__file__).with_name("waivers.txt")
READS = (
    *("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Search", "Head", "Lookup"),
    "ConditionCheck",
)
# Neither reads nor writes of anything that is Landfall's: becoming somebody, and telling.
NEITHER = ("sts:AssumeRole", "logs:", "xray:", "cloudwatch:PutMetricData")
OWN = re.compile(r"^(landfall-|Landfall)")
# CloudFormation's suffix of names that it makes up.
SUFFIX = re.compile(r"-[0-9A-Z]{8,}$")

Writes = dict[str, set[str]]


def name_of(role: str) -> str:
    """A role's name without what each deployment makes up anew."""
    return SUFFIX.sub("", role)


def writes(action: str) -> bool:
    """Whether an action of a policy changes anything."""
    return not action.startswith(NEITHER) and not action.partition(":")[2].startswith(READS)


def deployed(world: World) -> Writes:
    """What the roles of Landfall are allowed to write, by role."""
    allowed: Writes = defaultdict(set)
    for account in (AUTOMATION, MANAGEMENT):
        iam = world.client("iam", account, "us-east-1")
        for page in iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                if OWN.match(role["RoleName"]):
                    actions = _allowed(_documents(iam, role["RoleName"]))
                    allowed[name_of(role["RoleName"])] |= {one for one in actions if writes(one)}
    return allowed


def _documents(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = policy["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        yield found["PolicyVersion"]["Document"]


def _allowed(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    for document in documents:
        for statement in _listed(document["Statement"]):
            if statement["Effect"] == "Allow":
                yield from _listed(statement.get("Action", []))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def done(logs: Iterable[Path]) -> Writes:
    """What roles wrote with effect, by role."""
    found: Writes = defaultdict(set)
    for entry in entries(logs):
        if entry["write"] and entry["decision"] == "allowed" and entry["status"] < 400:
            found[role_of(entry)].add(entry["action"])
    return found


def denied(logs: Iterable[Path]) -> set[tuple[str, str, str]]:
    """What IAM refused: role, action, why."""
    return {
        (role_of(entry), entry["action"], entry["decision"])
        for entry in entries(logs)
        if entry["decision"].startswith("denied")
    }


def entries(logs: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The lines of call logs."""
    for path in logs:
        with path.open() as lines:
            yield from map(json.loads, lines)


def role_of(entry: dict[str, Any]) -> str:
    """The role of a call's session."""
    parts = entry["principal"].split("/")
    return name_of(parts[1]) if len(parts) > 1 else entry["principal"]


def waivers() -> dict[tuple[str, str], str]:
    """Why a role may write what nothing showed that it needs: role, action, reason."""
    found = {}
    for line in WAIVERS.read_text().splitlines():
        if line and not line.startswith("#"):
            role, action, reason = line.split(maxsplit=2)
            found[role, action] = reason
    return found
