"""Nobody is refused what it needs, and nobody may write what it never writes."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.faults import permissions
from tests.faults.permissions import Writes
from tests.faults.wishes import ROOT
from tests.faults.world import World

# It fills the machine: nothing else is tested meanwhile.
pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def deployed() -> Writes:
    with World(seed=1) as world:
        return permissions.deployed(world)


def test_nobody_is_refused_what_it_needs(logs: list[Path]) -> None:
    assert permissions.denied(logs) == set()


def test_whoever_may_write_does_or_has_a_reason(deployed: Writes, logs: list[Path]) -> None:
    done = permissions.done(logs)
    unused = {
        (role, action)
        for role, actions in deployed.items()
        for action in actions - done.get(role, set())
    }
    missing = sorted(unused - set(permissions.waivers()))
    assert not missing, f"take these off the roles, or add them to {permissions.WAIVERS.name}"


def test_another_evaluator_decides_the_same(
    unfaulted: list[dict[str, Any]], decisions: Path
) -> None:
    assert unfaulted, "the decisions are those of this log"
    command = ["node", "tests/check/decisions.mjs", str(decisions)]
    compared = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_waivers_are_of_what_is_allowed(deployed: Writes) -> None:
    known = {(role, action) for role, actions in deployed.items() for action in actions}
    stale = sorted(set(permissions.waivers()) - known)
    assert not stale, f"take these out of {permissions.WAIVERS.name}"
