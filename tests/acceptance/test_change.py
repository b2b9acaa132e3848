"""A changed landing zone reaches the accounts that it concerns, cut short or not."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Vended

ZONE = "/landing-zones/sandbox"
CONCERNED = ("notebooks", "playground")


def put(vended: Vended, document: dict[str, Any]) -> int:
    """Applies a landing zone."""
    return vended.person.insist("PUT", ZONE, document).status


def environments(vended: Vended) -> set[str]:
    """What the landing zone's tag says in its accounts."""
    organization = vended.organization
    accounts = [organization.account("research", project) for project in CONCERNED]
    return {organization.tags(account)["landfall:environment"] for account in accounts}


def events(vended: Vended, project: str) -> list[str]:
    """What a tenant's history says."""
    path = f"/workspaces/research/projects/{project}/tenants/aws/history"
    return [entry["event"] for entry in vended.person.ask("GET", path).body["entries"]]


@pytest.fixture
def changed(vended: Vended) -> Iterator[dict[str, Any]]:
    """The landing zone with another tag; afterwards it is as it was, in its accounts too."""
    before = vended.person.ask("GET", ZONE).body
    document = copy.deepcopy(before)
    document["spec"]["tags"]["environment"] = "changed"
    yield document
    assert put(vended, before) in (200, 202)
    assert vended.world.until(lambda: environments(vended) == {"sandbox"}, hours=1)


def test_a_changed_landing_zone_reaches_its_accounts_though_intake_was_killed(
    vended: Vended, changed: dict[str, Any]
) -> None:
    version = int(vended.person.ask("GET", ZONE).headers["etag"].strip('"'))
    fault = vended.world.fault(step="intake", action="dynamodb:PutItem", kind="kill", occurrence=1)
    try:
        assert put(vended, changed) >= 500
    finally:
        vended.world.mend(fault)
    assert put(vended, changed) == 200, "it was written before intake was killed"
    assert vended.person.ask("GET", ZONE).headers["etag"] == f'"{version + 1}"'
    assert vended.world.until(lambda: environments(vended) == {"changed"}, hours=1)
    for project in CONCERNED:
        assert events(vended, project).count("landing zone sandbox changed") == 1


def test_our_command_asks_again_while_aws_is_busy_with_a_check(vended: Vended) -> None:
    action = "organizations:DescribeOrganizationalUnit"
    fault = vended.world.fault(step="intake", action=action, kind="throttle", times=3)
    try:
        applied = vended.person.landfall("apply", "-f", "examples/landing-zones", "--no-wait")
        assert applied.returncode == 0, applied.stderr
        assert vended.world.hits()[fault] == 3
    finally:
        vended.world.mend(fault)


def test_who_is_not_concerned_is_left_alone(vended: Vended, changed: dict[str, Any]) -> None:
    path = "/workspaces/payments/projects/checkout-prod/tenants/aws"
    before = vended.person.ask("GET", path).body
    assert put(vended, changed) == 202
    assert vended.world.until(lambda: environments(vended) == {"changed"}, hours=1)
    after = vended.person.ask("GET", path).body
    assert (after["run"], after["generation"]) == (before["run"], before["generation"])


def test_a_change_that_is_taken_back_at_once_is_taken_back(
    vended: Vended, changed: dict[str, Any]
) -> None:
    before = vended.person.ask("GET", ZONE).body
    assert put(vended, changed) == 202
    assert vended.world.until(lambda: environments(vended) == {"changed"}, hours=1)
    # What Organizations shows may be a minute old: it says that all is as it was.
    assert put(vended, before) == 202
    vended.settle()
    assert environments(vended) == {"sandbox"}
