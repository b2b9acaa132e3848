"""The ledger is lost: tenants come back from accounts' tags and wishes; boto3 is the judge."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults.wishes import TAG, Tenant
from tests.faults.world import AUTOMATION, LEDGER, World

FIRST = Tenant("first", "production")
AGAIN = Tenant("again", "sandbox")
OLD = Tenant("old", "sandbox")
LOST = (FIRST, AGAIN, OLD)
ROWS = ("TENANT#", "NAME#", "ACCOUNT#", "EMAIL#")


class Scene:
    """A world whose ledger can be lost."""

    def __init__(self, world: World, wishes: Path) -> None:
        self.world = world
        self.wishes = wishes
        self.operator = User.administrator(world, AUTOMATION)
        self.organization = Organization(world)
        self.table = world.client("dynamodb", AUTOMATION)

    def rows(self) -> list[dict[str, Any]]:
        """All rows of the table."""
        pages = self.table.get_paginator("scan").paginate(TableName=LEDGER, ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]

    def tenants(self) -> list[str]:
        """The rows that are about tenants, in an order of their own."""
        own = [row for row in self.rows() if row["pk"]["S"].startswith(ROWS)]
        return sorted(json.dumps(row, sort_keys=True) for row in own)

    def is_told(self) -> bool:
        """Whether whoever listens has heard of all that happened: rows say what is untold."""
        return not any("untold" in row for row in self.rows())

    def lose(self) -> None:
        """Loses everything that the table held."""
        for row in self.rows():
            key = {name: row[name] for name in ("pk", "sk")}
            self.table.delete_item(TableName=LEDGER, Key=key)

    def view(self, tenant: Tenant) -> Any:
        """A tenant as its requester sees it."""
        return self.operator.ask("GET", tenant.path).body

    def ready(self, tenant: Tenant, phase: str = "Ready") -> Any:
        """The tenant once its run has ended."""

        def there() -> bool:
            found = self.view(tenant)
            return bool(found.get("phase") == phase and not found["running"])

        assert self.world.until(there, hours=3), json.dumps(self.view(tenant), indent=1)
        return self.view(tenant)

    def write(self, *tenants: Tenant) -> None:
        """Puts these wishes, and no others, into the folder."""
        for file in self.wishes.iterdir():
            file.unlink()
        for tenant in tenants:
            (self.wishes / f"{tenant.project}.json").write_text(json.dumps(tenant.document))

    def rebuild(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, what became of each account, what was said."""
        done = self.operator.landfall("rebuild", "-f", str(self.wishes), "-o", "json", *arguments)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(done.stdout + done.stderr) from None
        return (
            done.returncode,
            {one.get("account", one.get("tenant")): one for one in found},
            done.stderr,
        )

    def creations(self) -> int:
        """How often Landfall asked for an account."""
        calls = [one for one in self.world.log() if one["action"] == "organizations:CreateAccount"]
        return len([one for one in calls if one["step"]])

    def acts(self, since: int) -> list[str]:
        """What changed anything in the organization since a position of the log."""
        looks = ("List", "Describe", "Get", "AssumeRole")
        return [
            one["action"]
            for one in self.world.log(since)
            if one["action"].startswith("organizations:")
            and not one["action"].split(":")[1].startswith(looks)
        ]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A world with three tenants: one of a name that was used before, one that was adopted."""
    with World(seed=41, quiet=True) as world:
        world.found()
        scene = Scene(world, tmp_path_factory.mktemp("wishes"))
        world.wish(AGAIN)
        scene.ready(AGAIN)
        assert scene.operator.ask("DELETE", AGAIN.path).status == 202
        account = scene.organization.made_by_hand("brownfield")
        adopted = scene.operator.insist("PUT", f"/operator/adoptions/aws/{account}", OLD.document)
        assert adopted.status == 201, adopted
        world.wish(FIRST)
        scene.ready(AGAIN, "Deleted")
        world.wish(AGAIN)
        for tenant in LOST:
            scene.ready(tenant)
        scene.write(*LOST)
        yield scene


def test_lost_tenants_come_back_with_their_ids_and_accounts_and_nothing_is_made(
    scene: Scene,
) -> None:
    before = {tenant: scene.view(tenant) for tenant in LOST}
    (gone,) = scene.operator.ask("GET", "/workspaces/sweep/tenants?deleted=true").body["items"]
    accounts = scene.organization.accounts()
    tags = {account: scene.organization.tags(account) for account in accounts.values()}
    created = scene.creations()
    scene.lose()
    scene.world.found()
    assert scene.operator.ask("GET", FIRST.path).status == 404

    since = scene.world.log()[-1]["seq"]
    code, found, said = scene.rebuild("--dry-run")
    assert code == 0, said
    wanted = {one["account"]: "restorable" for one in before.values()} | {gone["account"]: "gone"}
    assert {one: found[one]["outcome"] for one in wanted} == wanted, found
    for tenant, one in before.items():
        assert found[one["account"]]["tenant"] == tenant.name
        assert found[one["account"]]["id"] == one["id"]
    others = {one["outcome"] for account, one in found.items() if account not in wanted}
    assert others == {"unmanaged"}
    assert scene.tenants() == [], "a dry run writes nothing"
    assert scene.acts(since) == []

    code, found, said = scene.rebuild()
    assert code == 0, said + scene.world.said()
    wanted = {one["account"]: "restored" for one in before.values()} | {gone["account"]: "putDown"}
    assert {one: found[one]["outcome"] for one in wanted} == wanted
    for tenant, one in before.items():
        after = scene.ready(tenant)
        for field in ("id", "account", "name", "landingZone", "spec"):
            assert after[field] == one[field], field
        for field in ("email", "accountName"):
            assert after["names"][field] == one["names"][field]
        history = scene.operator.ask("GET", f"{tenant.path}/history").body["entries"]
        assert history[0]["event"].startswith(f"restored with account {one['account']}")
        assert "landfall-sandbox-operator" in history[0]["author"]
    assert scene.organization.accounts() == accounts, "no further account"
    assert scene.creations() == created, "none was asked for"
    assert {one: scene.organization.tags(one) for one in tags} == tags
    (again,) = scene.operator.ask("GET", "/workspaces/sweep/tenants?deleted=true").body["items"]
    assert (again["id"], again["account"]) == (gone["id"], gone["account"])

    planned = scene.operator.landfall("plan", "-f", str(scene.wishes))
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert planned.stdout.count("no changes") == len(LOST), planned.stdout


def test_a_ledger_that_is_not_lost_is_left_as_it_is(scene: Scene) -> None:
    for tenant in LOST:
        scene.ready(tenant)
    assert scene.world.until(scene.is_told, hours=1)
    before = scene.tenants()
    for arguments in (("--dry-run",), ()):
        code, found, said = scene.rebuild(*arguments)
        assert code == 0, said
        owned = [one for one in found.values() if one["outcome"] != "unmanaged"]
        assert {one["outcome"] for one in owned} == {"known"}
        assert len(owned) == len(LOST) + 1, "and the one that is deleted"
    assert scene.tenants() == before
    account = scene.view(FIRST)["account"]
    path = f"/operator/restorations/aws/{account}"
    assert scene.operator.insist("PUT", path, FIRST.document).status == 200
    assert scene.tenants() == before


def test_a_name_that_was_used_again_is_used_a_third_time_with_another_account(
    scene: Scene,
) -> None:
    second = scene.view(AGAIN)
    assert scene.operator.ask("DELETE", AGAIN.path).status == 202
    scene.ready(AGAIN, "Deleted")
    scene.world.wish(AGAIN)
    third = scene.ready(AGAIN)
    assert third["id"] != second["id"]
    assert third["account"] != second["account"]
    assert third["names"]["email"] == "aws+sweep.again-3@example.com"


def test_what_can_not_be_told_is_said_and_keeps_no_other_back(scene: Scene) -> None:
    first, old = (scene.view(tenant)["account"] for tenant in (FIRST, OLD))
    organization = scene.organization
    stranger, twin = (organization.made_by_hand(name) for name in ("stranger", "twin"))
    organizations = organization.client
    organizations.tag_resource(ResourceId=twin, Tags=[{"Key": TAG, "Value": OLD.id}])
    organizations.tag_resource(ResourceId=stranger, Tags=[{"Key": TAG, "Value": "nobody"}])
    organizations.untag_resource(ResourceId=first, TagKeys=[TAG])
    scene.world.sleep(120)
    scene.lose()
    scene.world.found()
    unborn = Tenant("unborn", "sandbox")
    scene.write(FIRST, OLD, unborn)
    again = next(
        account
        for email, account in scene.organization.accounts().items()
        if email == "aws+sweep.again-3@example.com"
    )

    code, found, said = scene.rebuild()
    assert code == 1, said
    outcomes = {one: found[one]["outcome"] for one in (first, old, twin, stranger, again)}
    assert set(outcomes.values()) == {"unclear"}, outcomes
    assert f"landfall adopt {first} -f FILE" in found[first]["remark"]
    assert f"account {twin} says the same" in found[old]["remark"]
    assert "its tag names tenant nobody" in found[stranger]["remark"]
    assert "its wish is not among the files" in found[again]["remark"]
    assert found[unborn.name]["outcome"] == "absent"
    assert [one["outcome"] for one in found.values()].count("putDown") == 2, "both earlier uses"

    # The API itself gives no account to whom its tag does not name.
    for account, tenant in ((first, FIRST), (stranger, FIRST), (old, FIRST)):
        path = f"/operator/restorations/aws/{account}"
        answer = scene.operator.insist("PUT", path, tenant.document)
        assert answer.status == 422
        (problem,) = answer.body["problems"]
        assert "does not say that it is tenant sweep.first.aws's" in problem["rule"]

    # A person decides: the one is adopted, the other is told from its twin.
    file = str(scene.wishes / "first.json")
    adopted = scene.operator.landfall("adopt", first, "-f", file, "--no-wait")
    assert adopted.returncode == 0, adopted.stderr
    organizations.untag_resource(ResourceId=twin, TagKeys=[TAG])
    organizations.untag_resource(ResourceId=stranger, TagKeys=[TAG])
    scene.world.sleep(120)
    scene.write(FIRST, OLD, AGAIN)
    code, found, said = scene.rebuild()
    assert code == 0, said
    assert [found[one]["outcome"] for one in (first, old, again)] == [
        "known",
        "restored",
        "restored",
    ]
    assert [found[one]["outcome"] for one in (twin, stranger)] == ["unmanaged", "unmanaged"]
    for tenant, account in ((FIRST, first), (OLD, old), (AGAIN, again)):
        assert scene.ready(tenant)["account"] == account
    assert scene.view(FIRST)["id"] == FIRST.id


def test_an_account_is_not_given_to_a_tenant_that_lives_with_another(scene: Scene) -> None:
    twin = scene.organization.made_by_hand("second-twin")
    tag = [{"Key": TAG, "Value": OLD.id}]
    scene.organization.client.tag_resource(ResourceId=twin, Tags=tag)
    scene.world.sleep(120)
    before = scene.tenants()
    code, found, _ = scene.rebuild()
    assert (code, found[twin]["outcome"]) == (1, "unclear")
    assert "is known already with account" in found[twin]["remark"]
    assert scene.tenants() == before
    scene.organization.client.untag_resource(ResourceId=twin, TagKeys=[TAG])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--platform", "azure"), 6, "there is no platform `azure`"),
        (("-f", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_can_not_be_rebuilt_is_refused(
    scene: Scene, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = scene.operator.landfall("rebuild", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
