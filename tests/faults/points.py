"""Where faults can happen: the points of a run in which nothing fails.

A point is the n-th call of an action in a step's work on one run of a tenant; for a door, in one
invocation. How often a step looks while AWS works depends on timing, so the points are those of a
quiet world: no stale reads, every latency the same, few tenants. A look more than there repeats
calls that are points already.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import World

GOLDEN = Path(__file__).with_name("points.txt")
RENEW = "python -m tests.faults.points"
# What hooks do is theirs; how a call of one can end is tried by itself.
HOOKS = {path.parent.name for path in (ROOT / "infra/hooks").glob("*/template.yaml")}
DOORS = ("intake", "hear-events", "start-due")
# A survey is no tenant's work and begins anew by itself; test_survey_at_scale.py breaks it.
SURVEY = "survey"
# What tells of runs is no tenant's work either; test_events.py breaks it.
TELLER = "announce"
OTHERS = {*HOOKS, SURVEY, TELLER}
HEADER = (
    "# step, action, which call of it, read or write, the landing zone unless it is production. "
    f"Renewed by `{RENEW}`.\n"
)
# The landing zone that uses everything, and another, whose tenants make calls that its do not.
EVERYTHING, OTHERWISE = "production", "sandbox"
FIRST, SECOND = Tenant("first", EVERYTHING), Tenant("second", OTHERWISE)


@dataclass(frozen=True, order=True)
class Point:
    """One call of a run."""

    step: str
    action: str
    occurrence: int
    write: bool
    # Whose tenants make the call.
    zone: str = field(default=EVERYTHING, compare=False)

    def __str__(self) -> str:
        return f"{self.step}/{self.action}/{self.occurrence}"

    @property
    def line(self) -> str:
        """The point as a line of the golden file."""
        zone = "" if self.zone == EVERYTHING else f" {self.zone}"
        access = "write" if self.write else "read"
        return f"{self.step} {self.action} {self.occurrence} {access}{zone}"

    @property
    def at_door(self) -> bool:
        """Whether a door makes the call, for whichever tenant."""
        return self.step in DOORS

    @property
    def by_machine(self) -> bool:
        """Whether the state machine makes the call itself."""
        return self.step.startswith("await-") or self.action == "lambda:InvokeFunction"

    @property
    def service(self) -> str:
        """The service that is called."""
        return self.action.partition(":")[0]


def of_log(log: Iterable[dict[str, Any]]) -> list[Point]:
    """The distinct points of a log, in order."""
    found: dict[Point, Point] = {}
    for entry in log:
        if entry["step"] and entry["occurrence"] and entry["step"] not in OTHERS:
            zone = OTHERWISE if entry["tenant"] == SECOND.id else EVERYTHING
            point = Point(entry["step"], entry["action"], entry["occurrence"], entry["write"], zone)
            if zone == EVERYTHING or point not in found:
                found[point] = point
    return sorted(found.values())


def golden() -> list[Point]:
    """The points of the golden file."""
    points = []
    for line in GOLDEN.read_text().splitlines():
        if not line.startswith("#"):
            step, action, occurrence, access, *zone = line.split()
            points.append(Point(step, action, int(occurrence), access == "write", *zone))
    return points


def unfaulted_log(arguments: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The log of a quiet world: two tenants, one changed and deleted, one due again."""
    with World(seed=1, quiet=True, arguments=arguments) as world:
        world.found()
        tenants = [FIRST, SECOND]
        for tenant in tenants:
            world.wish(tenant)
            _settle(world, [tenant], run=1)
        for path in (tenants[0].path, f"{tenants[0].path}/history", "/operator/tenants"):
            world.insist("GET", path)
        # What was changed before shows everywhere: nobody waits for it.
        world.sleep(150)
        world.change(tenants[0])
        _settle(world, tenants[:1], run=2)
        world.make_due(tenants[1])
        _settle(world, tenants[1:], run=2)
        world.sleep(150)
        world.remove(tenants[0])
        _settle(world, tenants[:1], run=3, phase="Deleted")
        # Whoever woke a run may still be at it when that ends.
        world.sleep(60)
        return world.log()


def _settle(world: World, tenants: list[Tenant], run: int, phase: str = "Ready") -> None:
    def settled() -> bool:
        rows = world.rows(tenants).values()
        return all((row["phase"], row["run"]) == (phase, run) for row in rows)

    assert world.until(settled, hours=2), f"not {phase}: {world.rows(tenants)}"


def text(points: Iterable[Point]) -> str:
    """The golden file of these points."""
    return HEADER + "".join(f"{point.line}\n" for point in points)


if __name__ == "__main__":
    GOLDEN.write_text(text(of_log(unfaulted_log())))
