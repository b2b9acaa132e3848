"""Sandboxes that tests share: one with the examples applied, and what was seen meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.acceptance.watch import Reign, Watch
from tests.faults.world import AUTOMATION, LEDGER, World


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the slow tests."""
    parser.addoption(
        "--seeds", type=int, default=1, help="with how many seeds sixty tenants are vended at once"
    )
    parser.addoption(
        "--closures", type=int, default=12, help="how many tenants are deleted at once"
    )
    parser.addoption(
        "--write-calls", action="store_true", help="write docs/CALLS.md from what is measured"
    )


@dataclass(frozen=True)
class Vended:
    """A world after `landfall apply -f examples`."""

    world: World
    person: User
    organization: Organization
    applied: CompletedProcess[str]
    reigns: dict[str, Reign]
    decisions: Path
    _seen: list[int] = field(default_factory=lambda: [0])

    def calls(self) -> list[dict[str, Any]]:
        """The calls since they were last asked for."""
        found = self.world.log(self._seen[-1])
        self._seen.extend(call["seq"] for call in found[-1:])
        return found

    def settle(self) -> None:
        """Waits until nothing runs, or is about to, and every write is seen everywhere."""
        table = self.world.client("dynamodb", AUTOMATION)

        def still() -> bool:
            soon = datetime.fromtimestamp(self.world.now() + 600, UTC).isoformat()
            rows = table.scan(TableName=LEDGER, ConsistentRead=True)["Items"]
            tenants = [row for row in rows if row["sk"]["S"] == "TENANT"]
            due = [row for row in tenants if row.get("nextRun", {}).get("S", "9") < soon]
            changes = [row for row in rows if row["pk"]["S"] == "ROLLOUT"]
            rolling = any(row["state"]["S"] == "rolling" for row in changes)
            return not due and not rolling and not any("running" in row for row in tenants)

        assert self.world.until(still, hours=1), "a run does not end"
        self.world.sleep(60)


@contextmanager
def vending(scratch: Path) -> Iterator[Vended]:
    """Applies the examples in a world of their own."""
    decisions = scratch / "decisions.jsonl"
    with World(seed=1, speed=60, arguments=["--decisions", str(decisions)]) as world:
        person = User.administrator(world, AUTOMATION)
        with Watch(world) as watch:
            applied = person.landfall("apply", "-f", "examples")
        assert applied.returncode == 0, applied.stdout + applied.stderr + world.said()
        yield Vended(world, person, Organization(world), applied, watch.reigns, decisions)


@pytest.fixture(scope="session")
def vended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vended]:
    """The examples, applied once for all tests that only look or that undo what they do."""
    with vending(tmp_path_factory.mktemp("iam")) as vended:
        yield vended
