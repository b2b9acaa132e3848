"""A vend costs the same calls whatever the organization's size, and docs/CALLS.md says which."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conventions import house
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import World

PAGE = ROOT / "docs/CALLS.md"
HEADING = "| step | call | times |\n| --- | --- | ---: |\n"
SMALL, LARGE = 10, 2_000
# A zone with both of the baseline's StackSets, in three places.
ZONE = "production"
STEPS = [house.kebab(state) for state in house.tasks() if state != "RecordFailure"]
Calls = Counter[tuple[str, str]]


@pytest.fixture(scope="module")
def vends() -> Iterator[dict[int, Calls]]:
    """The calls of one vend, in organizations of both sizes."""
    with World(seed=5, quiet=True) as world:
        world.found()
        found = {}
        for size in (SMALL, LARGE):
            grow(world, size - grow(world, 0))
            tenant = Tenant(f"among-{size}", ZONE)
            world.wish(tenant)

            def ready(one: Tenant = tenant) -> bool:
                return world.rows([one])[one.id]["phase"] == "Ready"

            assert world.until(ready, hours=0.5), world.said()
            found[size] = Counter(
                (call["step"], call["action"])
                for call in world.log()
                if call["tenant"] == tenant.id and call["run"] == 1 and call["step"] in STEPS
            )
        yield found


def grow(world: World, accounts: int) -> int:
    """Adds accounts to the organization; how many there are then."""
    return int(json.loads(world._ask("POST", "landfall/seed", {"accounts": accounts}))["accounts"])


def table(calls: Calls) -> str:
    """The calls as the page shows them: in the order of the steps."""
    rows = sorted(calls.items(), key=lambda row: (STEPS.index(row[0][0]), row[0][1]))
    total = sum(calls.values())
    ledger = sum(times for (_, call), times in calls.items() if call.startswith("dynamodb:"))
    lines = [f"| `{step}` | `{call}` | {times} |\n" for (step, call), times in rows]
    return f"{HEADING}{''.join(lines)}\n{total} calls in all, {ledger} of them of the ledger.\n"


def test_a_vend_costs_the_same_calls_whatever_the_organizations_size(
    vends: dict[int, Calls],
) -> None:
    small, large = vends[SMALL], vends[LARGE]
    differing = {key: (small[key], large[key]) for key in small | large if small[key] != large[key]}
    assert differing == {}
    assert not any("List" in call and "Accounts" in call for _, call in large)


def test_the_page_says_what_a_vend_costs(
    vends: dict[int, Calls], request: pytest.FixtureRequest
) -> None:
    text = PAGE.read_text()
    begin, end = text.index(HEADING), text.index("\n## ", text.index(HEADING))
    written = text[:begin] + table(vends[SMALL]) + text[end:]
    if request.config.getoption("--write-calls", False):
        PAGE.write_text(written)
    assert text == written, "run this test with --write-calls and commit docs/CALLS.md"
