"""A changed landing zone comes to its accounts wave after wave, and stops where it does harm."""

import copy
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.test_hooks import settled
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, HOME, World

ZONE = "waved"
TENANTS = [Tenant(f"w{number}", ZONE) for number in range(6)]
AUDIT = {
    "name": "landfall-audit-role",
    "regions": [HOME],
    "parameters": {"SecurityAccountId": "333333333333"},
}
TOPIC = f"arn:aws:sns:{HOME}:{AUTOMATION}:landfall-needs-a-person"
RULES = {"firstWave": 1, "waveSize": "30%", "failureTolerance": 0}


class Scene:
    """Six tenants of a landing zone, its operator, and whoever is told when a person is needed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.organization = Organization(world)
        self.sqs = world.client("sqs", AUTOMATION)
        self.people = self.sqs.create_queue(QueueName="people")["QueueUrl"]
        arn = f"arn:aws:sqs:{HOME}:{AUTOMATION}:people"
        world.client("sns", AUTOMATION).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
        world.found()
        (like,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
        self.zone = copy.deepcopy(like)
        self.zone["metadata"]["name"] = ZONE
        self.apply(rollOut=RULES)
        for tenant in TENANTS:
            world.wish(tenant)
        self.accounts = [settled(world, tenant, "Ready")["account"] for tenant in TENANTS]

    def apply(self, **more: Any) -> None:
        """Applies the landing zone with something more."""
        self.zone["spec"] |= more
        self.world.insist("PUT", f"/landing-zones/{ZONE}", self.zone)

    def rollout(self, command: str, *more: str) -> str:
        """Does something to the roll-out; what our command prints."""
        arguments = ("rollout", command, "landing-zone", ZONE, "--comment", "It is mended")
        done = self.operator.landfall(*arguments, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shown(self) -> dict[str, Any]:
        """The roll-out as our command prints it."""
        done = self.operator.landfall("get", "rollouts", ZONE, "-o", "json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def until(self, state: str) -> dict[str, Any]:
        """The roll-out once it is in a state."""
        path = "/operator/rollouts"

        def there() -> bool:
            all_of_them = self.world.insist("GET", path)["items"]
            return any((one["name"], one["state"]) == (ZONE, state) for one in all_of_them)

        assert self.world.until(there, hours=3), self.shown()
        return self.shown()

    def runs(self) -> list[int]:
        """How many runs each tenant has had."""
        return [self.world.insist("GET", one.path)["run"] for one in TENANTS]

    def audited(self) -> set[str]:
        """The accounts in which the StackSet has an instance, in whatever state."""
        stacks = self.world.client("cloudformation", AUTOMATION)
        found = stacks.list_stack_instances(StackSetName=AUDIT["name"])["Summaries"]
        return {one["Account"] for one in found} & set(self.accounts)

    def environments(self) -> list[str]:
        """What the landing zone's tag says on each account."""
        tags = (self.organization.tags(account) for account in self.accounts)
        return [one["landfall:environment"] for one in tags]

    def told(self) -> list[str]:
        """What people were told, each by its subject and text."""
        found = self.sqs.receive_message(QueueUrl=self.people, MaxNumberOfMessages=10)
        messages = [json.loads(one["Body"]) for one in found.get("Messages", [])]
        return [f"{one['Subject']}\n{one['Message']}" for one in messages]

    def spans(self, since: int) -> dict[str, tuple[str, str]]:
        """When each tenant's runs made their first and last call after a position of the log."""
        found: dict[str, tuple[str, str]] = {}
        for one in self.world.log(since):
            if (one["tenant"] or "") in IDS and one["step"] not in ("intake", "start-due"):
                first, _ = found.get(one["tenant"], (one["at"], ""))
                found[one["tenant"]] = (first, one["at"])
        return found


IDS = [tenant.id for tenant in TENANTS]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Six tenants that are Ready."""
    with World(seed=31, quiet=True) as world:
        yield Scene(world)


def test_a_bad_change_stops_after_the_first_wave_and_goes_on_once_it_is_mended(
    scene: Scene,
) -> None:
    """Somebody's own role stands in the way in the first account, as it might in every one."""
    iam = scene.world.client("iam", scene.accounts[0])
    iam.create_role(RoleName="landfall-audit", AssumeRolePolicyDocument="{}")
    before = scene.world.log()[-1]["seq"]
    scene.apply(stackSets=[*scene.zone["spec"]["stackSets"], AUDIT])
    stopped = scene.until("stopped")
    assert (stopped["tenants"], stopped["waves"], stopped["waiting"]) == (6, 1, 5)
    assert (stopped["failed"], stopped["done"]) == ([TENANTS[0].name], 0)
    assert stopped["reason"] == "1 tenant failed, 0 tolerated"

    # Nobody else is touched, however long it stands.
    scene.world.sleep(600)
    assert set(scene.spans(before)) == {IDS[0]}
    assert scene.runs()[1:] == [1] * 5
    assert scene.audited() == {scene.accounts[0]}
    text = scene.operator.landfall("get", "rollouts").stdout
    assert "stopped" in text
    assert "1 tenant failed, 0 tolerated" in text
    said: list[str] = []
    expected = f"Landfall: its roll-out stopped: landing zone {ZONE}\n"
    assert scene.world.until(
        lambda: said.extend(scene.told()) or any(one.startswith(expected) for one in said), hours=1
    ), said
    (message,) = (one for one in said if one.startswith(expected))
    assert f"landfall rollout resume landing-zone {ZONE}" in message

    iam.delete_role(RoleName="landfall-audit")
    assert "resumed: It is mended" in scene.rollout("resume")
    done = scene.until("done")
    assert (done["done"], done["failed"], done["waiting"]) == (6, [], 0)
    assert scene.audited() == set(scene.accounts)
    assert scene.runs()[1:] == [2] * 5
    again = scene.operator.landfall(
        "rollout", "resume", "landing-zone", ZONE, "--comment", "Once more"
    )
    assert again.returncode == 4, again.stderr
    assert "the roll-out is over" in again.stderr.lower()


def test_a_good_change_reaches_everybody_wave_after_wave_in_order(scene: Scene) -> None:
    before, runs = scene.world.log()[-1]["seq"], scene.runs()
    scene.apply(tags={"environment": "second"})
    done = scene.until("done")
    assert scene.environments() == ["second"] * 6
    assert scene.runs() == [run + 1 for run in runs]
    assert done["waves"] == 4
    begun = [one["event"] for one in reversed(done["history"]) if one["to"] == "rolling"][-5:]
    assert begun[1:] == [
        f"wave {n} began: {n_tenants}"
        for n, n_tenants in enumerate(("1 tenant", "2 tenants", "2 tenants", "1 tenant"), start=1)
    ]
    # Each wave's first call comes after the last one of the wave before.
    spans = scene.spans(before)
    waves = [IDS[:1], IDS[1:3], IDS[3:5], IDS[5:]]
    for earlier, later in pairwise(waves):
        assert max(spans[one][1] for one in earlier) < min(spans[one][0] for one in later)


def test_a_newer_change_takes_the_place_of_one_that_somebody_stopped(scene: Scene) -> None:
    runs = scene.runs()
    scene.apply(tags={"environment": "third"})
    assert "stopped: It is mended" in scene.rollout("stop")
    scene.world.sleep(600)
    third = scene.environments().count("third")
    assert third <= 1

    # Whoever runs meanwhile for another reason gets what is newest.
    scene.world.replicate(TENANTS[5])
    assert scene.world.until(lambda: scene.environments()[5] == "third", hours=1)
    settled(scene.world, TENANTS[5], "Ready")
    assert scene.shown()["state"] == "stopped"

    scene.apply(tags={"environment": "fourth"})
    done = scene.until("done")
    assert "in the place of version" in str(done["history"])
    assert scene.environments() == ["fourth"] * 6
    assert scene.runs()[1:5] == [run + 1 for run in runs[1:5]]


def test_who_is_given_up_on_gets_the_change_with_their_next_run(scene: Scene) -> None:
    scene.apply(tags={"environment": "fifth"})
    scene.rollout("stop")
    assert "abandoned: It is mended" in scene.rollout("abandon")
    scene.world.sleep(600)
    assert scene.environments()[1:] == ["fourth"] * 5
    scene.world.make_due(TENANTS[3])
    assert scene.world.until(lambda: scene.environments()[3] == "fifth", hours=1)
    # Nobody else changed it: it is no drift.
    settled(scene.world, TENANTS[3], "Ready")
    history = scene.operator.landfall("history", TENANTS[3].name).stdout
    assert "drift" not in history


def test_how_changes_are_rolled_out_changes_no_account(scene: Scene) -> None:
    runs, before = scene.runs(), scene.shown()
    scene.apply(rollOut={**RULES, "failureTolerance": "20%"})
    scene.world.sleep(300)
    assert scene.runs() == runs
    assert scene.shown()["version"] == before["version"]


def test_a_roll_out_that_can_not_be_is_refused_with_what_to_write(scene: Scene) -> None:
    wrong = copy.deepcopy(scene.zone)
    wrong["spec"]["rollOut"] = {"firstWave": 0, "waveSize": "150%", "failureTolerance": True}
    answer = scene.operator.insist("PUT", f"/landing-zones/{ZONE}", wrong)
    assert answer.status == 422
    (problem,) = answer.body["problems"]
    assert problem["field"] == "spec.rollOut.failureTolerance"
    assert problem["rule"] == "is true or false; a number or text is wanted"
    del wrong["spec"]["rollOut"]["failureTolerance"]
    answer = scene.operator.insist("PUT", f"/landing-zones/{ZONE}", wrong)
    assert answer.status == 422
    said = {one["field"]: (one["value"], one["rule"]) for one in answer.body["problems"]}
    assert said == {
        "spec.rollOut.firstWave": ("0", "must be 1 to 1000 tenants"),
        "spec.rollOut.waveSize": ("150%", "must be a share of 1% to 100%, in whole per cent"),
    }
    path = f"/operator/rollouts/landing-zones/{ZONE}"
    answer = scene.operator.ask("PUT", path, {"state": "done"})
    assert answer.status == 422
    assert {one["field"] for one in answer.body["problems"]} == {"state", "comment"}
    assert scene.operator.ask("PUT", f"{path}x", {"state": "stopped", "comment": "x"}).status == 404
