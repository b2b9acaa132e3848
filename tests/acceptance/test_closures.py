"""Many deletions at once: within each of AWS's limits, and all come to their end.

`--closures=300` tries as many as an organization may have to close within a month.
"""

import copy
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER, MANAGEMENT, World

# CloseAccount by AWS: one in twenty seconds, three at once.
INTERVAL = 20
ABREAST = 3
CLIENTS = 8


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world with one tenant that has landed."""
    with World(seed=5) as world:
        world.found()
        yield world


def landed(world: World, number: int) -> list[Tenant]:
    """So many tenants as they would be after their birth, copied from one that was born."""
    first = Tenant("first", "sandbox")
    world.wish(first)
    assert world.until(lambda: world.rows([first]).get(first.id, {}).get("phase") == "Ready")
    ledger = world.client("dynamodb", AUTOMATION)
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    key = {"pk": {"S": f"TENANT#{first.id}"}, "sk": {"S": "TENANT"}}
    row = ledger.get_item(TableName=LEDGER, Key=key)["Item"]
    before = {one["Id"] for one in accounts(world)}
    world._ask("POST", "landfall/seed", {"accounts": number})
    added = [one["Id"] for one in accounts(world) if one["Id"] not in before]
    tenants = [Tenant(f"many-{index:03}", "sandbox") for index in range(number)]
    for tenant, account in zip(tenants, added, strict=True):
        tag = {"Key": wishes.TAG, "Value": tenant.id}
        organizations.tag_resource(ResourceId=account, Tags=[tag])
        put(ledger, of(row, tenant, account))
        put(ledger, holder(tenant))
    return tenants


def accounts(world: World) -> list[dict[str, Any]]:
    """All accounts of the organization."""
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    pages = organizations.get_paginator("list_accounts").paginate()
    return [account for page in pages for account in page["Accounts"]]


def of(row: dict[str, Any], tenant: Tenant, account: str) -> dict[str, Any]:
    """A tenant's row made of another's."""
    made = copy.deepcopy(row)
    made["pk"]["S"] = f"TENANT#{tenant.id}"
    made["id"]["S"], made["account"]["S"] = tenant.id, account
    own = {"S": tenant.project}
    if "M" in made["name"]:
        made["name"]["M"]["project"] = own
    for name, value in made.items():
        if name != "name" and value.get("S") == "sweep.first.aws":
            made[name] = {"S": tenant.name}
    made["names"]["M"].pop("alias", None)
    return made


def holder(tenant: Tenant) -> dict[str, Any]:
    """Who holds a name."""
    return {
        "pk": {"S": f"NAME#{tenant.name}"},
        "sk": {"S": "NAME"},
        "tenant": {"S": tenant.id},
        "incarnation": {"N": "1"},
    }


def put(ledger: Any, item: dict[str, Any]) -> None:
    ledger.put_item(TableName=LEDGER, Item=item)


def test_many_deletions_at_once_keep_within_each_limit_and_all_end(
    world: World, pytestconfig: pytest.Config
) -> None:
    number = pytestconfig.getoption("--closures")
    tenants = landed(world, number)
    world.configure(closureQuota=number)
    since = world.log()[-1]["seq"]
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(world.remove, tenants))

    def gone() -> bool:
        rows = world.rows(tenants)
        return all(row["phase"] == "Deleted" for row in rows.values()) and len(rows) == number

    assert world.until(gone, hours=number, pause=1), world.rows(tenants)
    calls = [call for call in world.log(since) if call["action"] == "organizations:CloseAccount"]
    refused = [call for call in calls if call["status"] >= 400]
    assert not refused, [
        (call["at"], call["status"], call["error"], call["fault"]) for call in refused
    ]
    assert len(calls) == number
    moments = sorted(datetime.fromisoformat(call["at"]).timestamp() for call in calls)
    apart = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(apart) >= INTERVAL, sorted(apart)[:5]
    closed = {one["Id"] for one in accounts(world) if one["State"] == "CLOSED"}
    assert len(closed) == number
