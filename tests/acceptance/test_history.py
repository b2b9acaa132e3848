"""The history of everything, exported for auditors; the table, read with boto3, is the judge."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.user import User
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER, World

LIVING = Tenant("living", "sandbox")
DELETED = Tenant("deleted", "sandbox")
PURGED = Tenant("purged", "sandbox")
ALL = (LIVING, DELETED, PURGED)
# More than one part of a history holds.
MANY = 1_300


class Scene:
    """A world with a tenant that lives, one that was deleted, and one that was purged."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.table = world.client("dynamodb", AUTOMATION)

    def phase(self, tenant: Tenant, wanted: str) -> None:
        """Waits for a tenant's phase."""

        def there() -> bool:
            body = self.operator.ask("GET", tenant.path).body
            return bool(body["phase"] == wanted and not body["running"])

        assert self.world.until(there, hours=2), self.operator.ask("GET", tenant.path)

    def entries(self) -> list[tuple[str, int, str, str]]:
        """All entries of the table: whose, version, time, event."""
        found = []
        for page in self.table.get_paginator("scan").paginate(TableName=LEDGER):
            for row in page["Items"]:
                kind, _, whose = row["pk"]["S"].partition("#")
                if (kind, whose) == ("HISTORY", "CONFIG"):
                    whose = f"{row['kind']['S']} {row['name']['S']}"
                elif kind != "TENANT" or not row["sk"]["S"].startswith("HISTORY#"):
                    continue
                version = int(row["version"]["N"])
                found.append((whose, version, row["at"]["S"], row["event"]["S"]))
        return sorted(found)

    def export(self, *arguments: str) -> tuple[list[dict[str, Any]], str]:
        """The lines of an export, and what was said beside them."""
        done = self.operator.landfall("history", "export", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def known(lines: list[dict[str, Any]]) -> list[tuple[str, int, str, str]]:
    """Lines as the table has them."""
    return sorted((whose(one), one["version"], one["at"], one["event"]) for one in lines)


def moment(line: dict[str, Any]) -> datetime:
    """When it was. As texts, `57.29Z` comes behind `57.291Z`."""
    return datetime.fromisoformat(line["at"])


def whose(line: dict[str, Any]) -> str:
    """The tenant's id, or kind and name of a landing zone or platform."""
    return str(line["id"]) if "id" in line else f"{line['kind']} {line['name']}"


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Three tenants, of which two are no more."""
    with World(seed=31, quiet=True) as world:
        world.found()
        scene = Scene(world)
        for tenant in ALL:
            world.wish(tenant)
        for tenant in ALL:
            scene.phase(tenant, "Ready")
        assert scene.operator.ask("DELETE", DELETED.path).status == 202
        purged = scene.operator.landfall("purge", PURGED.name, "--yes")
        assert purged.returncode == 0, purged.stderr
        scene.phase(DELETED, "Deleted")
        scene.phase(PURGED, "Deleted")
        yield scene


def test_an_export_has_every_entry_of_the_ledger_once(scene: Scene) -> None:
    lines, said = scene.export()
    assert known(lines) == scene.entries()
    assert f"{len(lines)} entries of 3 tenants and 3 landing zones and platforms" in said
    of = {tenant: [one for one in lines if whose(one) == tenant.id] for tenant in ALL}
    for tenant, own in of.items():
        assert {one["name"] for one in own} == {tenant.name}
        versions = [one["version"] for one in own]
        assert (versions[0], versions) == (1, sorted(set(versions))), "in order"
        assert "from" not in own[0]
        for before, after in pairwise(own):
            assert (after["from"], moment(after) >= moment(before)) == (before["to"], True)
        assert "landfall-sandbox-operator" in own[0]["author"]
    assert [of[tenant][-1]["to"] for tenant in ALL] == ["Ready", "Deleted", "Deleted"]
    assert of[PURGED][-1]["author"] == of[PURGED][0]["author"]
    # One tenant's lines stand together, the living one's first.
    names = [one["name"] for one in lines if "id" in one]
    assert names == sorted(names, key=lambda name: (name != LIVING.name, name))
    # Landing zones and platforms follow.
    assert ["id" in one for one in lines] == sorted(("id" in one for one in lines), reverse=True)
    configured = [(one["kind"], one["name"]) for one in lines if "id" not in one]
    assert configured == [
        ("LandingZone", "production"),
        ("LandingZone", "sandbox"),
        ("Platform", "aws"),
    ]


def test_an_export_tells_what_only_operators_read(scene: Scene) -> None:
    failing = Tenant("failing", "sandbox")
    refusal = {"email": "aws+sweep.failing@example.com", "reason": "INVALID_EMAIL"}
    scene.world.configure(failCreations=[refusal])
    scene.world.wish(failing)
    scene.phase(failing, "Failed")
    scene.world.configure(failCreations=[])
    lines, _ = scene.export("--workspace", "sweep")
    (failed,) = (one for one in lines if one["name"] == failing.name and one["to"] == "Failed")
    assert "organizations:CreateAccount" in failed["systemRemark"]
    history = scene.operator.ask("GET", f"{failing.path}/history")
    assert "systemRemark" not in json.dumps(history.body)


def test_an_export_is_of_a_workspace_of_a_platform_and_since_a_time(scene: Scene) -> None:
    everything, said = scene.export()
    assert known(scene.export("--platform", "aws")[0]) == known(everything)
    tenants = [one for one in everything if "id" in one]
    assert known(scene.export("--platform", "aws", "--workspace", "sweep")[0]) == known(tenants)
    assert scene.export("--workspace", "nobody")[0] == []
    middle = sorted(everything, key=moment)[len(everything) // 2]
    late = [one for one in everything if moment(one) >= moment(middle)]
    assert known(scene.export("--since", middle["at"])[0]) == known(late)
    # What an export says the next one is to begin with leaves nothing out that comes later.
    since = said.split("--since ")[1].split()[0]
    scene.operator.ask("POST", f"{LIVING.path}/replications")
    scene.phase(LIVING, "Ready")
    later = known(scene.export("--since", since)[0])
    assert set(scene.entries()) - set(known(everything)) <= set(later)


def test_a_long_export_comes_in_parts_and_goes_on_where_it_was_cut_short(scene: Scene) -> None:
    key = {"pk": {"S": f"TENANT#{PURGED.id}"}}
    (last,) = scene.table.query(
        TableName=LEDGER,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :history)",
        ExpressionAttributeValues={":pk": key["pk"], ":history": {"S": "HISTORY#"}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    first = int(last["version"]["N"]) + 1
    for version in range(first, first + MANY):
        at = last["at"]["S"]
        sort = f"{last['sk']['S'].rsplit('#', 1)[0]}#{version:012}"
        row = {**last, "sk": {"S": sort}, "version": {"N": str(version)}, "at": {"S": at}}
        scene.table.put_item(TableName=LEDGER, Item=row)

    lines, _ = scene.export()
    assert known(lines) == scene.entries()
    parts, after = [], None
    while True:
        query = f"?after={after}" if after else ""
        body = scene.operator.ask("GET", f"/operator/history{query}").body
        assert len(body["items"]) <= 1_000
        parts.append(body["items"])
        if not (after := body.get("next")):
            break
        rest, _ = scene.export("--after", after)
        assert known(rest + [one for part in parts for one in part]) == scene.entries()
    assert known([one for part in parts for one in part]) == scene.entries()


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--since", "yesterday"), "write a day or an instant"),
        (("--after", "elsewhere"), "none of this history's `next`"),
        (("--after", "other.project.aws", "--workspace", "sweep"), "none of this history's `next`"),
        (("--after", "configuration", "--workspace", "sweep"), "none of this history's `next`"),
        (("--platform", "awz"), "`platform` is none that is known"),
        (("--workspace", "a.b"), "no workspace's identifier"),
    ],
)
def test_what_can_not_be_exported_is_refused(
    scene: Scene, arguments: tuple[str, ...], rule: str
) -> None:
    done = scene.operator.landfall("history", "export", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert rule in done.stderr, done.stderr


def test_one_tenants_history_is_printed_as_before(scene: Scene) -> None:
    done = scene.operator.landfall("history", LIVING.name, "-o", "json")
    assert json.loads(done.stdout)["id"] == LIVING.id
    assert scene.operator.landfall("history").returncode == 2
