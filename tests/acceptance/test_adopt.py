"""Adoption: accounts that were there before become tenants', one each, or are refused with why."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.organization import ACCESS_ROLE, Organization
from tests.acceptance.user import Answer, User
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, MANAGEMENT, World

UNIT = "ou-land-sandbox1"
NOWHERE = "999999999999"


class Scene:
    """A world with an operator, and with accounts that others made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.organization = Organization(world)

    def adopt(self, account: str, tenant: Tenant) -> Answer:
        """Asks Landfall to adopt an account."""
        path = f"/operator/adoptions/aws/{account}"
        return self.operator.insist("PUT", path, tenant.document)

    def unmanaged(self) -> set[str]:
        """The accounts that are no tenant's."""
        items = self.operator.ask("GET", "/operator/unmanaged").body["items"]
        return {one["account"] for one in items}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A world in which nothing was wished for."""
    with World(seed=23, quiet=True) as world:
        world.found()
        yield Scene(world)


def refused(answer: Answer) -> str:
    """Why an adoption is refused: the rule that the account breaks."""
    assert answer.status == 422, answer
    (problem,) = answer.body["problems"]
    assert problem["remedy"]
    return str(problem["rule"])


def test_an_account_is_planned_adopted_and_brought_to_its_landing_zone(
    scene: Scene, tmp_path: Path
) -> None:
    account = scene.organization.made_by_hand("brownfield")
    surveyed = scene.operator.landfall("survey", "aws")
    assert surveyed.returncode == 0, surveyed.stderr
    assert account in scene.unmanaged()
    tenant = Tenant("brownfield", "sandbox")
    file = tmp_path / "tenant.json"
    file.write_text(json.dumps(tenant.document))

    planned = scene.operator.landfall("adopt", account, "-f", str(file), "--plan")
    assert planned.returncode == 0, planned.stderr + planned.stdout
    assert f"move the account from r-land to {UNIT}" in planned.stdout
    assert "create account" not in planned.stdout
    assert scene.operator.ask("GET", tenant.path).status == 404
    assert account in scene.unmanaged()

    adopted = scene.operator.landfall("adopt", account, "-f", str(file))
    assert adopted.returncode == 0, adopted.stderr + scene.world.said()
    assert f"{account} adopted" in adopted.stderr
    view = scene.operator.ask("GET", tenant.path).body
    assert (view["phase"], view["account"], view["run"]) == ("Ready", account, 1)
    names = {"email": "brownfield@example.com", "accountName": "Old brownfield"}
    assert names.items() <= view["names"].items()
    created = [one for one in scene.world.log() if one["action"] == "organizations:CreateAccount"]
    assert [one["step"] for one in created if one["step"]] == [], "Landfall asked for no account"
    assert scene.organization.parent(account) == UNIT
    assert scene.organization.tags(account)["landfall:tenant"] == tenant.id
    iam = scene.world.client("iam", account)
    attached = iam.list_attached_role_policies(RoleName=ACCESS_ROLE)["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {"landfall-life"}
    assert account not in scene.unmanaged()
    history = scene.operator.ask("GET", f"{tenant.path}/history").body["entries"]
    assert history[0]["event"].startswith(f"account {account} adopted")

    again = scene.operator.landfall("adopt", account, "-f", str(file), "--no-wait")
    assert (again.returncode, "is its account already" in again.stderr) == (0, True)
    other = scene.adopt(account, Tenant("another", "sandbox"))
    assert refused(other) == f"is or was the account of tenant {tenant.name}"
    twice = scene.adopt(NOWHERE, tenant)
    assert refused(twice) == f"is a tenant already, with account {account}"


def test_who_adopts_one_account_at_once_gets_it_once(scene: Scene) -> None:
    account = scene.organization.made_by_hand("wanted")
    tenants = [Tenant(f"wants-{number}", "sandbox") for number in range(5)]
    with ThreadPoolExecutor(len(tenants)) as pool:
        answers = list(pool.map(lambda tenant: scene.adopt(account, tenant), tenants))
    assert Counter(one.status for one in answers) == {201: 1, 422: len(tenants) - 1}
    (winner,) = (one.body["name"] for one in answers if one.status == 201)
    for answer in answers:
        if answer.status != 201:
            assert refused(answer) == f"is or was the account of tenant {winner}"
    known = [scene.operator.ask("GET", tenant.path).status for tenant in tenants]
    assert sorted(known) == [200, 404, 404, 404, 404]


def test_an_account_that_can_not_be_adopted_is_refused_with_the_reason(scene: Scene) -> None:
    tenant = Tenant("never", "sandbox")
    seats = {MANAGEMENT: "the organization's management account"}
    seats[AUTOMATION] = "the account that Landfall runs in"
    for account, what in seats.items():
        assert refused(scene.adopt(account, tenant)) == f"is {what}"
    assert refused(scene.adopt(NOWHERE, tenant)) == "is not in the platform's organization"

    # It has been there for long, without an access role: nobody waits for it to become ready.
    scene.world._ask("POST", "landfall/seed", {"accounts": 1})
    locked = "400000000000"
    assert refused(scene.adopt(locked, tenant)).startswith("does not let Landfall in")

    closed = scene.organization.made_by_hand("closed")
    scene.organization.client.close_account(AccountId=closed)
    scene.world.sleep(120)
    assert refused(scene.adopt(closed, tenant)) in ("is CLOSED", "is PENDING_CLOSURE")
    assert scene.operator.ask("GET", tenant.path).status == 404, "nothing was written"


@pytest.mark.parametrize("written", ["12345678901", "1234567890123", "abcdefghijkl", ""])
def test_what_is_no_account_id_is_refused(scene: Scene, tmp_path: Path, written: str) -> None:
    file = tmp_path / "tenant.json"
    file.write_text(json.dumps(Tenant("never", "sandbox").document))
    done = scene.operator.landfall("adopt", written, "-f", str(file))
    assert (done.returncode, "must be twelve digits" in done.stderr) == (2, True)
    if written:
        assert scene.adopt(written, Tenant("never", "sandbox")).status == 404
