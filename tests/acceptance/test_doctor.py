"""`landfall doctor`, asked by somebody with the two profiles that it wants."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.organization import ACCESS_ROLE, document
from tests.acceptance.user import User
from tests.deployment.test_deploy import profiles
from tests.faults.world import AUTOMATION, MANAGEMENT, World

Checks = list[dict[str, Any]]
Doctor = Callable[..., Checks]


def doctor_of(world: World, folder: Path) -> Doctor:
    """Asks the doctor of a world, with profiles kept in a folder."""
    found = profiles(world, folder)
    person = User.administrator(world, AUTOMATION)
    environment = {k: v for k, v in person.environment.items() if not k.startswith("AWS_")}
    person.__dict__["environment"] = {**environment, **found, "AWS_REGION": "eu-central-1"}

    def ask(*arguments: str) -> Checks:
        command = ["doctor", "--profile", "management", "--automation-profile", "automation"]
        command += ["--email-domain", "example.com", "-o", "json", *arguments]
        done = person.landfall(*command)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        checks: Checks = json.loads(done.stdout)
        failing = any(check["verdict"] == "failing" for check in checks)
        assert done.returncode == (1 if failing else 0)
        return checks

    return ask


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Landfall deployed and configured: what is changed here must not disturb who vends."""
    with World(seed=5, quiet=True) as world:
        person = User.administrator(world, AUTOMATION)
        applied = person.landfall("apply", "-f", "examples/platform.yaml", "examples/landing-zones")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        yield world


@pytest.fixture(scope="module")
def doctor(world: World, tmp_path_factory: pytest.TempPathFactory) -> Doctor:
    return doctor_of(world, tmp_path_factory.mktemp("doctor"))


def said(checks: Checks, name: str, verdict: str) -> list[str]:
    """What the checks of a name found that came to a verdict."""
    return [one["found"] for one in checks if (one["check"], one["verdict"]) == (name, verdict)]


@contextmanager
def policy_of(world: World, role: str, name: str, change: Callable[[str], str]) -> Iterator[None]:
    """A role of the management account with another inline policy for a while."""
    iam = world.client("iam", MANAGEMENT)
    found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    text = json.dumps(found)
    changed = change(text)
    assert changed != text
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)


def test_a_sound_installation_has_no_gap_and_a_guardrail(doctor: Doctor) -> None:
    checks = doctor()
    assert [one for one in checks if one["verdict"] != "ok"] == []
    roles = " ".join(said(checks, "permissions", "ok"))
    assert all(name in roles for name in ("LandfallRead", "LandfallVend", "LandfallStacks"))
    units = " ".join(said(checks, "guardrail", "ok"))
    assert all(
        unit in units for unit in ("ou-land-workload", "ou-land-workprod", "ou-land-sandbox1")
    )


def test_a_permission_that_a_role_lacks_is_named_with_role_action_and_remedy(
    world: World, doctor: Doctor
) -> None:
    taken = ("organizations:MoveAccount", "organizations:MoveNothing")
    with policy_of(world, "LandfallVend", "act", lambda text: text.replace(*taken)):
        gaps = [one for one in doctor() if "gap" in one]
    assert {one["gap"]["action"] for one in gaps} == {"organizations:MoveAccount"}
    assert {one["gap"]["role"] for one in gaps} == {"LandfallVend"}
    movers = ["close-account", "enrol-account", "place-account"]
    assert all(sorted(one["gap"]["steps"]) == movers for one in gaps)
    remedies = {one["remedy"] for one in gaps}
    assert any("management.yaml" in remedy for remedy in remedies)
    resources = {one["gap"]["resource"].rsplit("/", 1)[1] for one in gaps}
    assert {"ou-land-workprod", "ou-land-sandbox1"} <= resources


def test_accounts_that_nobody_may_close_are_a_gap(world: World, doctor: Doctor) -> None:
    other = ("aws:ResourceTag/landfall:tenant", "aws:ResourceTag/other:tenant")
    with policy_of(world, "LandfallClose", "close-by-tag-1", lambda text: text.replace(*other)):
        gaps = [one for one in doctor() if "gap" in one]
    (gap,) = gaps
    assert (gap["gap"]["role"], gap["gap"]["action"]) == (
        "LandfallClose",
        "organizations:CloseAccount",
    )
    assert gap["gap"]["steps"] == ["close-account"]
    assert "management.yaml" in gap["remedy"]


def test_an_access_role_of_another_name_is_a_gap_of_both_roles(
    world: World, doctor: Doctor
) -> None:
    other = (f"role/{ACCESS_ROLE}", "role/Other")
    with policy_of(world, "LandfallRead", "look", lambda text: text.replace(*other)):
        (gap,) = [one["gap"] for one in doctor() if "gap" in one]
    assert (gap["role"], gap["action"]) == ("LandfallRead", "sts:AssumeRole")


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("LandfallVend", {"sts:ExternalId": "another"}, "does not take what the secret"),
        ("LandfallRead", None, "lets in whoever does not say the external id"),
        ("LandfallMetering", {"sts:ExternalId": "another"}, "landfall-metering-external-id"),
    ],
)
def test_a_role_that_asks_for_something_else_is_named(
    world: World, doctor: Doctor, name: str, change: dict[str, str] | None, complaint: str
) -> None:
    iam = world.client("iam", MANAGEMENT)
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    changed = json.loads(json.dumps(trust))
    condition = changed["Statement"][0]["Condition"]
    del condition["StringEquals"]
    if change:
        condition["StringEquals"] = change
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
    try:
        failing = said(doctor(), "role", "failing")
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    assert len(failing) == 1
    assert failing[0].startswith(name)
    assert complaint in failing[0]


def test_a_missing_guardrail_is_advised_and_one_that_hits_landfall_fails(
    world: World, doctor: Doctor
) -> None:
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    kind = "SERVICE_CONTROL_POLICY"
    known = organizations.list_policies(Filter=kind)["Policies"]
    (guardrail,) = [one["Id"] for one in known if one["Name"] == "landfall-guardrail"]
    organizations.detach_policy(PolicyId=guardrail, TargetId="ou-land-sandbox1")
    try:
        (advice,) = said(doctor(), "guardrail", "advice")
        assert "no guardrail is over ou-land-sandbox1" in advice
        everybody = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
        made = organizations.create_policy(
            Name="too-much", Description="", Type=kind, Content=document(everybody)
        )["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=made, TargetId="ou-land-workprod")
        try:
            (failing,) = said(doctor(), "guardrail", "failing")
        finally:
            organizations.detach_policy(PolicyId=made, TargetId="ou-land-workprod")
            organizations.delete_policy(PolicyId=made)
        assert "over ou-land-workprod deny Landfall itself" in failing
        assert "iam:PutRolePermissionsBoundary" in failing
    finally:
        organizations.attach_policy(PolicyId=guardrail, TargetId="ou-land-sandbox1")
