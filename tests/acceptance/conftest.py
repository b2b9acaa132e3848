"""Sandboxes that tests share: one with the examples applied, and what was seen meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import CompletedProcess

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.acceptance.watch import Reign, Watch
from tests.faults.world import AUTOMATION, World


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the slow tests."""
    parser.addoption(
        "--seeds", type=int, default=1, help="with how many seeds sixty tenants are vended at once"
    )


@dataclass(frozen=True)
class Vended:
    """A world after `landfall apply -f examples`."""

    world: World
    person: User
    organization: Organization
    applied: CompletedProcess[str]
    reigns: dict[str, Reign]


@pytest.fixture(scope="session")
def vended() -> Iterator[Vended]:
    """The examples, applied once for all tests that only look or that undo what they do."""
    with World(seed=1, speed=60) as world:
        person = User.administrator(world, AUTOMATION)
        with Watch(world) as watch:
            applied = person.landfall("apply", "-f", "examples")
        assert applied.returncode == 0, applied.stdout + applied.stderr + world.said()
        yield Vended(world, person, Organization(world), applied, watch.reigns)
