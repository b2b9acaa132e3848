"""Many at once: one tenant by twenty clients, sixty tenants as fast as AWS allows."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.organization import Organization, pages
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
    with World(seed=3, speed=60) as world:
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
        assert sum(f"{tenant.name}: created" in one for one in said) == 1
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
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("--seeds") + 1))


def test_sixty_tenants_at_once_use_the_limit_fully_and_never_storm_it(seed: int) -> None:
    tenants = [Tenant(f"t{number:02}", "sandbox") for number in range(TENANTS)]
    with World(seed=seed, speed=12) as world:
        world.configure(creationLatencySeconds=5)
        world.found()
        person = User.administrator(world, AUTOMATION)
        with ThreadPoolExecutor(TENANTS) as clients:
            answers = list(
                clients.map(lambda one: person.ask("PUT", one.path, one.document), tenants)
            )
        assert {answer.status for answer in answers} == {201}

        def creations() -> list[dict[str, Any]]:
            return [one for one in world.log() if one["action"] == "organizations:CreateAccount"]

        until = time.monotonic() + (TENANTS * INTERVAL * 1.5) / world.speed
        while time.monotonic() < until:
            made = [one for one in creations() if one["status"] == 200]
            if len(made) == TENANTS:
                break
            time.sleep(1)
        accepted = [one for one in creations() if one["status"] == 200]
        refused = [one for one in creations() if one["status"] != 200]
        assert len({one["tenant"] for one in accepted}) == len(accepted) == TENANTS
        assert len(refused) <= REFUSALS
        start = seconds(accepted[0])
        late = {
            k: round(seconds(call) - start, 1)
            for k, call in enumerate(accepted, 1)
            if k > BURST and seconds(call) - start > INTERVAL * (k - BURST) * LATE
        }
        assert late == {}
        assert [one["tenant"] for one in accepted] == order_of_acceptance(world, tenants)
        history = pages(Organization(world).client.list_create_account_status, "CreateAccountStatuses")
        assert len(history) == TENANTS


def order_of_acceptance(world: World, tenants: list[Tenant]) -> list[str]:
    """The tenants' ids in the order in which their turn was reserved."""
    table = world.client("dynamodb", AUTOMATION)
    slots = {}
    for tenant in tenants:
        key = {"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "STEP#admit"}}
        row = table.get_item(TableName=LEDGER, Key=key, ConsistentRead=True)["Item"]
        slots[tenant.id] = row["awaited"]["M"]["id"]["S"]
    return sorted(slots, key=lambda tenant: slots[tenant])
