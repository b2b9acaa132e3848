"""What holds tenants back: the breaker, a pause, which a person ends, and the daily number."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, World

BREAKER = "/operator/limits/aws/breaker"
HELD = "the operators' go-ahead: no accounts are created at present"


class Scene:
    """A world with its operator, and tenants without end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.organization = Organization(world)

    def limits(self) -> dict[str, Any]:
        """The limits of the platform, as our command prints them."""
        done = self.operator.landfall("limits", "aws", "-o", "json")
        assert done.returncode == 0, done.stderr
        (limits,) = json.loads(done.stdout)
        return limits

    def wish(self, project: str) -> Tenant:
        """A tenant that is wished for now."""
        tenant = Tenant(project, "sandbox")
        self.world.wish(tenant)
        return tenant

    def view(self, tenant: Tenant) -> dict[str, Any]:
        """A tenant as its requester sees it."""
        return self.operator.ask("GET", tenant.path).body

    def settled(self, tenant: Tenant, phase: str, hours: float = 1) -> dict[str, Any]:
        """The tenant once its run has ended in a phase."""

        def ended() -> Any:
            view = self.view(tenant)
            return view if view["phase"] == phase and not view["running"] else None

        found = self.world.until(ended, hours=hours)
        assert found, f"not {phase}: {self.view(tenant)}"
        return found

    def creations(self) -> int:
        """How often an account was asked for."""
        return sum(one["action"] == "organizations:CreateAccount" for one in self.world.log())

    def limit(self, **limits: Any) -> None:
        """Applies the platform with these limits."""
        document = wishes.platform()
        document["spec"]["limits"] = limits
        self.world.insist("PUT", "/platforms/aws", document)


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A world in which nothing was wished for."""
    with World(seed=7, quiet=True) as world:
        world.found()
        yield Scene(world)


def test_a_full_organization_opens_the_breaker_and_a_person_closes_it(scene: Scene) -> None:
    scene.world.configure(accountQuota=4)
    first = scene.settled(scene.wish("first"), "Failed")
    assert first["failed"]["name"] == "Blocked"
    assert "have the limit raised" in first["failed"]["remark"]
    breaker = scene.limits()["breaker"]
    assert (breaker["state"], breaker["author"]) == ("open", "create-account")
    assert "ACCOUNT_LIMIT_EXCEEDED" in breaker["reason"]

    # Nobody else is sent into the same refusal; they say what they wait for.
    asked = scene.creations()
    second = scene.settled(scene.wish("second"), "Waiting")
    assert second["waiting"]["for"] == HELD
    assert scene.creations() == asked
    described = scene.operator.landfall("describe", "sweep.second.aws").stdout
    assert HELD in described

    scene.world.configure(accountQuota=100)
    done = scene.operator.landfall("limits", "close-breaker", "aws", "--comment", "AWS raised it")
    assert done.returncode == 0, done.stderr
    assert "closed: AWS raised it" in done.stdout
    for project in ("first", "second"):
        scene.settled(Tenant(project, "sandbox"), "Ready")
        assert scene.organization.account("sweep", project)

    breaker = scene.limits()["breaker"]
    assert (breaker["state"], breaker["failures"]) == ("closed", [])
    events = [(one["event"].split(":")[0], one["author"]) for one in breaker["history"]]
    closed, opened = events
    assert closed[0] == "closed"
    assert closed[1] == scene.operator.client("sts").get_caller_identity()["Arn"]
    assert opened == ("opened", "create-account")
    history = scene.operator.ask("GET", f"{Tenant('second', 'sandbox').path}/history").body
    assert "accounts are created again" in [one["event"] for one in history["entries"]]


def test_failures_in_a_row_open_the_breaker_and_a_success_counts_anew(scene: Scene) -> None:
    scene.limit(dailyCreations=100, breaker={"failures": 2, "withinMinutes": 600})
    reason = {"reason": "FAILED_BUSINESS_VALIDATION"}
    fail = [{"email": f"aws+sweep.{name}@example.com", **reason} for name in ("a", "c", "d")]
    taken = {"email": "aws+sweep.taken@example.com", "reason": "EMAIL_ALREADY_EXISTS"}
    scene.world.configure(failCreations=[*fail, taken])
    scene.settled(scene.wish("a"), "Failed")
    assert len(scene.limits()["breaker"]["failures"]) == 1
    scene.settled(scene.wish("b"), "Ready")
    assert scene.limits()["breaker"]["failures"] == []
    scene.settled(scene.wish("c"), "Failed")
    # A wish that can't be met says nothing about the organization.
    assert scene.settled(scene.wish("taken"), "Failed")["failed"]["name"] == "Rejected"
    breaker = scene.limits()["breaker"]
    assert (breaker["state"], len(breaker["failures"])) == ("closed", 1)
    scene.settled(scene.wish("d"), "Failed")
    breaker = scene.limits()["breaker"]
    assert breaker["state"] == "open"
    assert breaker["reason"].startswith("2 creations in a row failed")
    assert [one["name"] for one in breaker["failures"]] == ["sweep.c.aws", "sweep.d.aws"]


def test_nothing_begins_on_a_paused_platform_and_nothing_is_lost(scene: Scene) -> None:
    ready = scene.wish("ready")
    scene.settled(ready, "Ready")
    open_breaker = {"state": "open", "comment": "We count first."}
    assert scene.operator.ask("PUT", BREAKER, open_breaker).status == 200
    paused = scene.operator.landfall("limits", "pause", "aws", "--comment", "AWS has an outage")
    assert paused.returncode == 0, paused.stderr
    assert "paused: nothing begins" in paused.stdout
    before = scene.world.log()[-1]["seq"]

    new = scene.wish("new")
    scene.world.change(ready)
    scene.world.replicate(ready)
    # Long enough for what starts the due ones, and for the schedule that looks after it.
    scene.world.sleep(300)
    assert scene.view(new)["phase"] == "Requested"
    assert scene.view(ready)["run"] == 1
    begun = [
        one["action"] for one in scene.world.log(before) if one["action"] == "states:StartExecution"
    ]
    assert begun == []
    said = scene.operator.landfall("describe", new.name).stdout
    assert "its platform is paused since" in said
    assert "AWS has an outage" in said
    watched = scene.operator.landfall("watch", new.name, "--timeout", "1s")
    assert "its platform is paused since" in watched.stderr

    # The breaker is what it was before the pause: who has an account begins, who has none waits.
    resumed = scene.operator.landfall("limits", "resume", "aws", "--comment", "It is over")
    assert resumed.returncode == 0, resumed.stderr
    assert "open: no accounts are created" in resumed.stdout
    assert "resumed: It is over" in resumed.stdout
    assert scene.world.until(lambda: scene.view(ready)["observedGeneration"] == 2, hours=1)
    assert scene.settled(new, "Waiting")["waiting"]["for"] == HELD
    awaited = json.loads(scene.operator.landfall("get", "awaited", "-o", "json").stdout)
    assert [(one["name"], one["step"], one["for"]) for one in awaited] == [
        (new.name, "admit", HELD)
    ]
    assert awaited[0]["since"] == scene.view(new)["waiting"]["since"]
    assert not awaited[0]["overdue"]
    assert HELD in scene.operator.landfall("get", "awaited").stdout
    assert HELD not in scene.operator.landfall("get", "awaited", "--overdue").stdout
    closed = scene.operator.landfall("limits", "close-breaker", "aws", "--comment", "Counted")
    assert closed.returncode == 0, closed.stderr
    scene.settled(new, "Ready")
    events = [one["event"].split(":")[0] for one in scene.limits()["breaker"]["history"]]
    assert events == ["closed", "resumed", "paused", "opened"]


def test_only_operators_see_and_set_the_limits(scene: Scene) -> None:
    wish = {"state": "open", "comment": "Everything looks odd."}
    iam = scene.world.client("iam", AUTOMATION)
    policies = iam.list_policies(Scope="Local")["Policies"]
    arns = {one["PolicyName"]: one["Arn"] for one in policies}
    asked = {}
    for name in ("requester", "approver", "auditor", "operator"):
        person = scene.organization.member_of_staff(AUTOMATION, f"a-{name}")
        iam.delete_role_policy(RoleName=f"a-{name}", PolicyName="may")
        iam.attach_role_policy(RoleName=f"a-{name}", PolicyArn=arns[f"landfall-{name}"])
        # Policies take a while to hold.
        expected = 200 if name in ("auditor", "operator") else 403

        def holds(one: User = person, status: int = expected) -> bool:
            return one.ask("GET", "/operator/limits").status == status

        assert scene.world.until(holds, hours=0.1), name
        asked[name] = person.ask("PUT", BREAKER, wish).status
    assert asked == {"requester": 403, "approver": 403, "auditor": 403, "operator": 200}
    assert scene.limits()["breaker"]["reason"] == "Everything looks odd."
    assert scene.settled(scene.wish("held"), "Waiting")["waiting"]["for"] == HELD


def test_a_breaker_is_set_as_it_was_read(scene: Scene) -> None:
    ask = scene.operator.ask
    opened = ask("PUT", BREAKER, {"state": "open", "comment": "one"}, {"If-Match": '"0"'})
    assert (opened.status, opened.headers["etag"]) == (200, '"1"')
    stale = ask("PUT", BREAKER, {"state": "closed", "comment": "two"}, {"If-Match": '"0"'})
    assert (stale.status, stale.headers["etag"]) == (412, '"1"')
    again = ask("PUT", BREAKER, {"state": "open", "comment": "three"})
    assert (again.status, again.headers["etag"]) == (200, '"1"')
    wrong = ask("PUT", BREAKER, {"state": "shut"})
    assert wrong.status == 422
    assert {one["field"] for one in wrong.body["problems"]} == {"state", "comment"}
    assert (
        ask("PUT", BREAKER.replace("/aws/", "/other/"), {"state": "open", "comment": "x"}).status
        == 404
    )


def test_a_tenant_beyond_the_daily_number_waits_for_the_next_day() -> None:
    with World(seed=8, quiet=True) as world:
        world.found()
        scene = Scene(world)
        scene.limit(dailyCreations=2)
        for project in ("first", "second"):
            scene.settled(scene.wish(project), "Ready")
        limits = scene.limits()["daily"]
        third = scene.settled(scene.wish("third"), "Waiting")
        assert (limits["used"], limits["limit"]) == (2, 2)
        assert third["waiting"]["for"] == (
            "a place among tomorrow's new accounts: today's 2 are taken"
        )
        assert third["waiting"]["until"] == limits["renewsAt"]
        assert third["nextRun"] >= limits["renewsAt"]
        assert scene.creations() == 2
        renews = datetime.fromisoformat(limits["renewsAt"]).timestamp()
        world.leap(renews - world.now() - 300)
        # Whoever slept a day signs in again.
        scene = Scene(world)
        ready = scene.settled(Tenant("third", "sandbox"), "Ready", hours=2)
        assert ready["run"] == 2, "it was looked at again before the next day"
        tomorrow = scene.limits()["daily"]
        assert (tomorrow["used"], tomorrow["day"] > limits["day"]) == (1, True)


def test_who_stands_in_the_queue_sees_where_and_until_when() -> None:
    with World(seed=9, speed=2, quiet=True) as world:
        world.found()
        scene = Scene(world)
        tenants = [scene.wish(f"queued-{number}") for number in range(7)]

        def last() -> Any:
            return scene.view(tenants[-1]).get("queue")

        queue = world.until(last, hours=0.05)
        assert queue["position"] >= 1
        assert queue["startsAt"] > scene.view(tenants[0])["asOf"]
        limits = scene.limits()["queue"]
        assert (limits["waiting"] >= queue["position"]) or limits["nextSlot"] > queue["startsAt"]
        described = scene.operator.landfall("describe", tenants[-1].name).stdout
        assert "in the queue for new accounts, due in" in described
        watched = scene.operator.landfall("watch", tenants[-1].name, "--timeout", "1s")
        assert watched.returncode == 7
        assert "in the queue for new accounts" in watched.stderr
