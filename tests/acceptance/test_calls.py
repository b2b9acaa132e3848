"""A run costs the same calls whatever the organization's size, and docs/CALLS.md says which."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conventions import house
from tests.faults import wishes
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import World

PAGE = ROOT / "docs/CALLS.md"
HEADING = "| step | call | times |\n| --- | --- | ---: |\n"
AGAIN = "| step | AWS | AssumeRole | ledger |\n| --- | ---: | ---: | ---: |\n"
SMALL, LARGE = 10, 2_000
# A zone with both of the baseline's StackSets, in three places.
ZONE = "production"
# A zone with one StackSet in one Region, and neither baseline nor quotas.
SIMPLE = "sandbox"
STEPS = [house.kebab(state) for state in house.tasks() if state != "RecordFailure"]
# What a whole run that changes nothing may ask of AWS, but for what a wish or its zone lists.
FIXED, FOR_A_REGION = 15, 3
LAST = ("complete", "lambda:InvokeFunction")
Calls = Counter[tuple[str, str]]


@dataclass
class Counted:
    """The calls of a vend, and those of a run after it that changes nothing."""

    vend: Calls
    again: Calls


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An AWS in which every run sees at once what the one before did."""
    with World(seed=5, quiet=True) as world:
        world.found()
        yield world


@pytest.fixture(scope="module")
def counted(world: World) -> dict[int, Counted]:
    """What is called in organizations of both sizes."""
    counted = {}
    for size in (SMALL, LARGE):
        grow(world, size - grow(world, 0))
        counted[size] = count(world, Tenant(f"among-{size}", ZONE))
    return counted


def count(world: World, tenant: Tenant) -> Counted:
    """Vends a tenant, and looks at it again."""

    def made(run: int) -> Calls:
        return Counter(
            (call["step"], call["action"])
            for call in world.log()
            if call["tenant"] == tenant.id and call["run"] == run and call["step"] in STEPS
        )

    def calls(run: int) -> Calls:
        # A call is logged when it ends, and the row says Ready a moment before the last one does.
        assert world.until(lambda: made(run)[LAST], hours=0.5), world.said()
        row = world.rows([tenant])[tenant.id]
        assert (row["phase"], row["run"]) == ("Ready", run), world.said()
        return made(run)

    world.wish(tenant)
    vend = calls(1)
    # What the vend changed shows everywhere: the next run has only to look.
    world.sleep(150)
    world.replicate(tenant)
    return Counted(vend, calls(2))


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


def by_step(calls: Calls) -> str:
    """The calls of a run that changes nothing, in three kinds; our own functions' starts aside."""

    def times(step: str | None, *beginnings: str) -> int:
        return sum(
            number
            for (one, call), number in calls.items()
            if step in (one, None) and call.startswith(beginnings)
        )

    def line(name: str, step: str | None) -> str:
        every, entered, kept = times(step, ""), times(step, "sts:"), times(step, "dynamodb:")
        aws = every - entered - kept - times(step, "lambda:")
        return f"| {name} | {aws} | {entered} | {kept} |\n"

    steps = [step for step in STEPS if times(step, "")]
    return AGAIN + "".join(line(f"`{step}`", step) for step in steps) + line("all", None)


@pytest.mark.parametrize("run", ["vend", "again"])
def test_a_run_costs_the_same_calls_whatever_the_organizations_size(
    counted: dict[int, Counted], run: str
) -> None:
    small, large = (getattr(counted[size], run) for size in (SMALL, LARGE))
    differing = {key: (small[key], large[key]) for key in small | large if small[key] != large[key]}
    assert differing == {}
    assert not any("List" in call and "Accounts" in call for _, call in large)


def test_the_page_says_what_a_run_costs(
    counted: dict[int, Counted], request: pytest.FixtureRequest
) -> None:
    text = PAGE.read_text()
    written = replaced(text, HEADING, table(counted[SMALL].vend))
    written = replaced(written, AGAIN, by_step(counted[SMALL].again))
    if request.config.getoption("--write-calls", False):
        PAGE.write_text(written)
    assert text == written, "run this test with --write-calls and commit docs/CALLS.md"


def test_a_run_that_changes_nothing_keeps_its_budget(counted: dict[int, Counted]) -> None:
    zone = landing_zone(ZONE)
    regions = len(zone["baseline"]["regions"])
    written_down = listed(zone, Tenant("any", ZONE).document["spec"])
    assert asked(counted[SMALL]) <= FIXED + FOR_A_REGION * regions + written_down


def test_in_a_small_landing_zone_the_budget_is_enough_for_all(world: World) -> None:
    (stacks,) = landing_zone(SIMPLE)["stackSets"]
    again = count(world, Tenant("simple", SIMPLE))
    assert asked(again) <= FIXED + FOR_A_REGION * len(stacks["regions"])


def landing_zone(name: str) -> dict[str, Any]:
    """What an example says."""
    (zone,) = (one["spec"] for one in wishes.landing_zones() if one["metadata"]["name"] == name)
    return dict(zone)


def asked(counted: Counted) -> int:
    """How often a run that changes nothing asks AWS; sessions, ledger and functions aside."""
    aside = ("dynamodb:", "lambda:", "sts:")
    return sum(number for (_, call), number in counted.again.items() if not call.startswith(aside))


def listed(zone: dict[str, Any], wish: dict[str, Any]) -> int:
    """What it costs to look up all that a wish and its landing zone name, as the page says it."""
    places = [place for one in zone["stackSets"] + zone["quotas"] for place in one["regions"]]
    people = {user for one in wish["access"] for user in one.get("users", [])}
    ours = [one["role"] for one in wish["access"] if one.get("users")]
    theirs = {group for one in wish["access"] for group in one.get("groups", [])}
    return len(zone["contacts"]) + len(places) + len(people) + 2 * (len(ours) + len(theirs))


def replaced(text: str, heading: str, by: str) -> str:
    """The page with another table in the place of one."""
    begin = text.index(heading)
    return text[:begin] + by + text[text.index("\n## ", begin) :]
