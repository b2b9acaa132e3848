"""Many at once: one tenant by twenty clients, sixty tenants as fast as AWS allows."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, LEDGER, World

CLIENTS = 20
TENANTS = 60
# CreateAccount by AWS: three at once, then one in ten seconds.
BURST, INTERVAL = 3, 10
LATE = 1.10
REFUSALS = 2


def test_twenty_clients_that_apply_one_tenant_make_one_account(tmp_path: Path) -> None:
    tenant = Tenant("shared", "sandbox")
    wish = tmp_path / "wish.yaml"
    wish.write_text(yaml.safe_dump(tenant.document))
    with World(seed=3) as world:
        world.found()
        person = User.administrator(world, AUTOMATION)
        running = [
            subprocess.Popen(
                ["landfall", "apply", "-f", str(wish)],
                cwd=ROOT,
                env=person.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(CLIENTS)
        ]
        said = [one.communicate(timeout=240)[0] for one in running]
        assert [one.returncode for one in running] == [0] * CLIENTS, said
        assert sum(f"{tenant.name}: created" in one for one in said) <= 1
        organization = Organization(world)
        tagged = [
            account
            for account in organization.accounts().values()
            if organization.tags(account).get("landfall:tenant") == tenant.id
        ]
        assert len(tagged) == 1
        assert tagged == [organization.account("sweep", "shared")]
        calls = [one for one in world.log() if one["action"] == "organizations:CreateAccount"]
        assert len(calls) == 1
        rows = world.client("dynamodb", AUTOMATION).scan(TableName=LEDGER)["Items"]
        names = [row["pk"]["S"] for row in rows if row["pk"]["S"].startswith("NAME#")]
        assert names == [f"NAME#{tenant.name}"]


def seconds(call: dict[str, Any]) -> float:
    """When a call came in, in virtual seconds."""
    return datetime.fromisoformat(call["at"]).timestamp()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many seeds as the command line asks for."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("--seeds", 1) + 1))


def creations(world: World) -> list[dict[str, Any]]:
    """The calls of CreateAccount so far."""
    return [one for one in world.log() if one["action"] == "organizations:CreateAccount"]


def warm(world: World) -> None:
    """Vends one tenant, so that every program has been started once, and lets AWS forget it."""
    world.wish(Tenant("first", "sandbox"))
    assert world.until(lambda: creations(world), hours=0.2)
    world.sleep(INTERVAL * 1.5)


@contextmanager
def held(world: World, function: str) -> Iterator[None]:
    """Nobody gets past a function meanwhile: an operator has taken its concurrency away."""
    functions = world.client("lambda", AUTOMATION)
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    yield
    functions.delete_function_concurrency(FunctionName=function)


# It is in time by tenths of a second: nothing else is tested meanwhile.
@pytest.mark.alone
def test_sixty_tenants_at_once_use_the_limit_fully_and_never_storm_it(
    seed: int, tmp_path: Path
) -> None:
    tenants = [Tenant(f"t{number:02}", "sandbox") for number in range(TENANTS)]
    wishes = tmp_path / "wishes.yaml"
    wishes.write_text(yaml.safe_dump_all(tenant.document for tenant in tenants))
    # What is computed is not sped up; where the machine is late otherwise, a tenth of a second is a
    # second, and the fifth has no more to spare.
    with World(seed=seed, speed=10, working_speed=1) as world:
        world.configure(creationLatencySeconds=5)
        world.found()
        warm(world)
        ids = {tenant.id for tenant in tenants}
        person = User.administrator(world, AUTOMATION)
        with held(world, "landfall-admit"):
            applied = person.landfall("apply", "-f", str(wishes), "--no-wait")
            assert applied.returncode == 0, applied.stderr
            # Whoever was refused asks again at random times, which lie further apart from now on.
            world.sleep(INTERVAL)

        def gone_out() -> list[dict[str, Any]]:
            found = [one for one in creations(world) if one["tenant"] in ids]
            return found if sum(one["status"] == 200 for one in found) >= TENANTS else []

        calls = world.until(gone_out, hours=(TENANTS + 30) * INTERVAL / 3600, pause=1)
        accepted = [one for one in calls if one["status"] == 200]
        refused = [one for one in calls if one["status"] != 200]
        assert len({one["tenant"] for one in accepted}) == len(accepted)
        assert len(refused) <= REFUSALS
        start = seconds(accepted[0])
        late = {
            k: round(seconds(call) - start, 1)
            for k, call in enumerate(accepted, 1)
            if k > BURST and seconds(call) - start > INTERVAL * (k - BURST) * LATE
        }
        assert late == {}
        again = {one["tenant"] for one in refused}
        slots = [one for one in order_of_acceptance(world, tenants) if one not in again]
        order = [one["tenant"] for one in accepted if one["tenant"] not in again]
        # Whoever comes within the first burst goes out at once, side by side.
        assert sorted(order[:BURST]) == sorted(slots[:BURST])
        assert order[BURST:] == slots[BURST : len(order)]


def order_of_acceptance(world: World, tenants: list[Tenant]) -> list[str]:
    """The tenants' ids in the order in which their turn was reserved."""
    table = world.client("dynamodb", AUTOMATION)
    slots = {}
    for tenant in tenants:
        key = {"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "STEP#admit"}}
        row = table.get_item(TableName=LEDGER, Key=key, ConsistentRead=True)["Item"]
        slots[tenant.id] = row["awaited"]["M"]["id"]["S"]
    return sorted(slots, key=lambda tenant: slots[tenant])
