"""Surveys: what others changed is found by one look at the whole organization, and by two."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, World

ELSEWHERE = "ou-land-suspende"
UNIT = "ou-land-sandbox1"
TENANTS = [Tenant(name, "sandbox") for name in ("steady", "moved", "closed", "bare")]


class Scene:
    """A world with four tenants, its operator, and whoever else has a hand in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.organization = Organization(world)

    def settle(self, *tenants: Tenant) -> None:
        """Waits until the tenants are Ready and nothing of them runs."""

        def ready() -> bool:
            rows = self.world.rows(tenants).values()
            return all(row["phase"] == "Ready" and "running" not in row for row in rows)

        assert self.world.until(ready, hours=2), self.world.rows(tenants)
        # What was just changed shows everywhere.
        self.world.sleep(60)

    def is_rolled_out(self) -> bool:
        """Whether every change has come to all of its tenants."""
        changes = self.world.insist("GET", "/operator/rollouts")["items"]
        return all(one["state"] == "done" for one in changes)

    def survey(self) -> dict[str, Any]:
        """What a survey finds that the operator asks for."""
        done = self.operator.landfall("survey", "aws", "-o", "json")
        assert done.returncode == 0, done.stderr + self.world.said()
        (found,) = json.loads(done.stdout)["ended"]
        return found

    def view(self, tenant: Tenant) -> dict[str, Any]:
        """A tenant as its requester sees it."""
        return self.operator.ask("GET", tenant.path).body

    def events(self, tenant: Tenant) -> list[str]:
        """What a tenant's history says."""
        history = self.operator.ask("GET", f"{tenant.path}/history").body
        return [entry["event"] for entry in history["entries"]]

    def account(self, tenant: Tenant) -> str:
        """A tenant's account."""
        return str(self.view(tenant)["account"])

    def surveys(self) -> list[dict[str, Any]]:
        """The surveys that have ended."""
        (platform,) = self.operator.ask("GET", "/operator/surveys").body["items"]
        return platform["ended"]

    def unmanaged(self) -> dict[str, dict[str, Any]]:
        """The accounts that are no tenant's, by name."""
        done = self.operator.landfall("get", "unmanaged", "-o", "json")
        return {one["name"]: one for one in json.loads(done.stdout)}

    @contextmanager
    def nothing_heard(self) -> Iterator[None]:
        """No event arrives."""
        delivery = self.world.control("GET", "delivery")
        self.world.control("POST", "delivery", {**delivery, "lose": 1.0})
        yield
        self.world.sleep(60)
        self.world.control("POST", "delivery", delivery)

    def drifted(self) -> set[str]:
        """The tenants that have drifted, as our command lists them."""
        done = self.operator.landfall("get", "tenants", "--drifted", "-o", "json")
        return {one["project"] for one in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A world whose tenants are Ready."""
    with World(seed=21, quiet=True) as world:
        world.found()
        for tenant in TENANTS:
            world.wish(tenant)
        scene = Scene(world)
        scene.settle(*TENANTS)
        yield scene


def test_what_is_as_wished_is_not_touched(scene: Scene) -> None:
    before = [scene.view(tenant) for tenant in TENANTS]
    found = scene.survey()
    assert (found["tenants"], found["unmanaged"], found["accounts"]) == (4, 2, 8)
    assert (found["differing"], found["drifted"], found["missing"]) == (0, 0, 0)
    # Two stacks of each tenant, and those that were there before.
    assert found["stacks"] >= 8
    after = [scene.view(tenant) for tenant in TENANTS]
    assert [one["run"] for one in after] == [one["run"] for one in before]
    assert {one["drift"]["state"] for one in after} == {"InSync"}
    assert found["askedBy"] == scene.operator.client("sts").get_caller_identity()["Arn"]


def test_accounts_that_are_no_tenants_are_listed(scene: Scene) -> None:
    scene.survey()
    found = scene.unmanaged()
    assert set(found) == {"log-archive", "security"}, "neither tenants nor Landfall's own seats"
    archive = found["log-archive"]
    assert archive["units"] == ["r-land", "ou-land-security"]
    assert (archive["state"], archive["joinedMethod"]) == ("ACTIVE", "CREATED")
    assert "log-archive" in scene.operator.landfall("get", "unmanaged").stdout


def test_a_foreign_hand_is_found_and_set_right_where_a_run_can(scene: Scene) -> None:
    steady, moved, closed, bare = TENANTS
    organizations = scene.organization.client
    account = scene.account(moved)
    with scene.nothing_heard():
        organizations.move_account(
            AccountId=account, SourceParentId=UNIT, DestinationParentId=ELSEWHERE
        )
    organizations.close_account(AccountId=scene.account(closed))
    stacks = scene.world.client("cloudformation", AUTOMATION)
    stacks.delete_stack_instances(
        StackSetName="landfall-access-alarm",
        Accounts=[scene.account(bare)],
        Regions=["eu-central-1"],
        RetainStacks=False,
        OperationId=str(uuid.uuid4()),
    )
    # An event tells of the closing, and the run that it starts finds no way in.
    failed = scene.world.until(lambda: scene.view(closed)["phase"] == "Failed", hours=3)
    assert failed, scene.view(closed)
    scene.world.sleep(120)
    runs = {tenant: scene.view(tenant)["run"] for tenant in TENANTS}
    found = scene.survey()
    assert (found["differing"], found["drifted"], found["suspended"]) == (3, 3, 1)
    assert found["calls"]["secondLooks"] == 3

    assert scene.world.until(lambda: scene.organization.parent(account) == UNIT, hours=1)
    scene.settle(moved, bare)
    move = f"move the account from {ELSEWHERE} to {UNIT}"
    drift = f"drift: organizationalUnit is {ELSEWHERE} instead of {UNIT}; a run follows"
    assert drift in scene.events(moved)
    assert f"drift was set right: {move}" in scene.events(moved)
    rolled = "drift was set right: roll out landfall-access-alarm in eu-central-1"
    assert rolled in scene.events(bare)
    assert scene.view(moved)["drift"]["state"] == "InSync"

    # No run opens a closed account: it is said, and nothing else is done.
    view = scene.view(closed)
    (field,) = view["drift"]["fields"]
    assert (view["drift"]["state"], field["field"]) == ("Drifted", "accountState")
    assert (field["wished"], field["confirmed"]) == ("ACTIVE", True)
    assert scene.drifted() == {"closed"}
    described = scene.operator.landfall("describe", closed.name).stdout
    assert "accountState is " in described
    after = {tenant: scene.view(tenant)["run"] for tenant in (steady, closed)}
    assert after == {tenant: runs[tenant] for tenant in (steady, closed)}


def test_what_a_landing_zone_only_reports_starts_no_run(scene: Scene) -> None:
    steady = TENANTS[0]
    zone = scene.operator.ask("GET", "/landing-zones/sandbox").body
    zone["spec"]["drift"] = {"default": "repair", "organizationalUnit": "report"}
    scene.world.insist("PUT", "/landing-zones/sandbox", zone)
    assert scene.world.until(scene.is_rolled_out, hours=2)
    scene.settle(steady)
    scene.world.sleep(150)
    run = scene.view(steady)["run"]
    move = {"AccountId": scene.account(steady)}
    organizations = scene.organization.client
    organizations.move_account(**move, SourceParentId=UNIT, DestinationParentId=ELSEWHERE)
    scene.world.sleep(60)
    scene.survey()
    view = scene.view(steady)
    (field,) = view["drift"]["fields"]
    assert (field["field"], field["actual"]) == ("organizationalUnit", ELSEWHERE)
    assert (view["run"], view["running"]) == (run, False)
    organizations.move_account(**move, SourceParentId=ELSEWHERE, DestinationParentId=UNIT)
    scene.world.sleep(60)
    scene.survey()
    view = scene.view(steady)
    assert (view["drift"]["state"], view["run"]) == ("InSync", run)
    assert f"drift: organizationalUnit is {UNIT} again" in scene.events(steady)


def test_a_foreign_hand_that_is_heard_of_is_looked_at_before_the_next_survey(scene: Scene) -> None:
    bare = TENANTS[3]
    before = scene.surveys()
    zone = scene.operator.ask("GET", "/landing-zones/sandbox").body
    del zone["spec"]["drift"]
    scene.world.insist("PUT", "/landing-zones/sandbox", zone)
    assert scene.world.until(scene.is_rolled_out, hours=2)
    scene.settle(TENANTS[0], bare)
    account, seen = scene.account(bare), scene.world.log()
    organizations = scene.organization.client
    move = {"SourceParentId": UNIT, "DestinationParentId": ELSEWHERE}
    organizations.move_account(AccountId=account, **move)
    archive = scene.unmanaged()["log-archive"]
    leave = {"SourceParentId": archive["units"][-1], "DestinationParentId": ELSEWHERE}
    organizations.move_account(AccountId=archive["account"], **leave)

    assert scene.world.until(lambda: scene.organization.parent(account) == UNIT, hours=1)
    scene.settle(bare)
    drift = f"drift: organizationalUnit is {ELSEWHERE} instead of {UNIT}; a run follows"
    assert drift in scene.events(bare)
    there = ["r-land", ELSEWHERE]
    assert scene.world.until(lambda: scene.unmanaged()["log-archive"]["units"] == there, hours=1)
    assert scene.surveys() == before, "one account was looked at, not all"
    # The run that moved it back is no foreign hand: it is not looked at again.
    scene.world.sleep(600)
    calls = [call for call in scene.world.log(seen[-1]["seq"]) if call["step"] == "survey"]
    looked = Counter(call["action"] for call in calls if call["service"] == "organizations")
    assert looked == {"organizations:DescribeAccount": 3}, "the tenant's twice, the other once"


def test_a_move_behind_the_back_of_a_run_is_found_once_that_has_ended(scene: Scene) -> None:
    bare = TENANTS[3]
    account = scene.account(bare)
    # The next one is hours away.
    scene.survey()
    before = scene.surveys()
    call = {"step": "roll-out-access", "action": "cloudformation:DescribeStackInstance"}
    fault = scene.world.fault(**call, tenant=bare.id, kind="throttle", times=1_000_000)
    scene.world.replicate(bare)
    # The account's place was looked at by then.
    assert scene.world.until(lambda: scene.world.hits()[fault], hours=1, pause=0.05)
    scene.organization.client.move_account(
        AccountId=account, SourceParentId=UNIT, DestinationParentId=ELSEWHERE
    )
    # Its event is heard while the run still tries again.
    scene.world.sleep(120)
    assert "running" in scene.world.rows([bare])[bare.id], "it was moved while a run was on"
    scene.world.mend(fault)
    assert scene.world.until(lambda: scene.organization.parent(account) == UNIT, hours=2)
    assert scene.surveys() == before, "nobody had to look at all accounts"
