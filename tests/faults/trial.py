"""One tenant with its faults, followed until it is Ready or known never to be.

A fault that its birth has not met may be met by a changed wish, and else by its end.
"""

import math
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults import kinds, verdict
from tests.faults.points import Point, golden
from tests.faults.wishes import Tenant
from tests.faults.world import World

HOURS = 6
# Real seconds between looks.
PAUSE = 0.7
# Clients that wish at the same time.
HANDS = 8
# Failures after which a person acts first; in a trial of passing faults nobody does.
FOR_A_PERSON = ("Rejected", "Blocked", "Defect")


@dataclass(frozen=True, order=True)
class Fault:
    """A kind of fault at a point."""

    point: Point
    kind: str

    def __str__(self) -> str:
        return f"{self.point}={self.kind}"

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Reads `step/action/occurrence=kind`."""
        where, _, kind = text.partition("=")
        step, action, occurrence = where.split("/")
        alike = [point for point in golden() if (point.step, point.action) == (step, action)]
        write = any(point.write for point in alike)
        zones = [point.zone for point in alike if point.occurrence == int(occurrence)]
        return cls(Point(step, action, int(occurrence), write, *zones), kind)


@dataclass
class Trial:
    """A tenant, the faults that it meets, and what became of it."""

    faults: tuple[Fault, ...]
    tenant: Tenant
    rules: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    over: bool = False
    repaired: bool = False
    again: bool = False
    removed: bool = False
    unmet: bool = False
    fresh: bool = False
    began: float = 0.0

    @property
    def lasting(self) -> bool:
        """Whether the cause stays until a person takes it away."""
        return any(fault.kind == "denied" for fault in self.faults)

    @property
    def at_door(self) -> str | None:
        """The door at which the fault waits for whoever comes."""
        return next((one.point.step for one in self.faults if one.point.at_door), None)

    def begin(self, world: World) -> None:
        """Sets the faults and wishes for the tenant."""
        rules = [kinds.rule(one.point, one.kind, self.tenant.id) for one in self.faults]
        self.rules = [world.fault(**rule) for rule in rules]
        self.began = world.now()
        if self.at_door == "intake":
            world.found()
            world.insist("GET", "/operator/tenants")
        world.wish(self.tenant)

    def look(self, world: World, row: dict[str, Any] | None, hits: dict[int, int]) -> None:
        """Goes on as the tenant's row says."""
        late = world.now() - self.began > HOURS * 3600
        if row is None:
            return self._end(late, "it was never recorded")
        phase, failed = row["phase"], row.get("failed")
        rests = not row.get("running")
        marked = phase == "MarkedForDeletion" and bool(failed)
        settled = rests and (phase in ("Ready", "Failed", "Deleted") or marked)
        if rests and phase == "Waiting" and self.lasting and not self.repaired:
            waiting = row.get("waiting") or {}
            if waiting.get("for", "").startswith(verdict.BY_A_PERSON):
                # What was refused at birth is lost to the access role: a person does it by hand.
                self.over = True
                return None
        if settled and self.lasting and not self.repaired:
            return self._failed(world, phase, failed, hits)
        if settled and phase in ("Ready", "Deleted"):
            return self._ended_well(world, hits, phase == "Deleted", late)
        if settled and failed and failed["failure"]["name"] in FOR_A_PERSON:
            return self._end(True, f"it failed: {described(failed)}")
        return self._end(late, f"it is {phase} after {HOURS} hours: {described(failed)}")

    def _ended_well(self, world: World, hits: dict[int, int], gone: bool, late: bool) -> None:
        if self.repaired:
            self.over = True
            return
        unmet = [
            str(one)
            for one, rule in zip(self.faults, self.rules, strict=True)
            if one.kind != "stale" and not hits.get(rule)
        ]
        alone = len(self.faults) == 1
        if not unmet or (self.at_door and not alone):
            self.over = True
        elif gone:
            self.over, self.unmet = True, alone
        elif self.at_door in (None, "intake") and not self.again:
            self._change(world)
        elif not self.at_door:
            self._remove(world)
        elif late:
            self.unmet = self.over = True
        elif self.at_door == "start-due":
            world.make_due(self.tenant)
        elif self.at_door == "intake":
            world.found()
            world.insist("GET", "/operator/tenants")
            world.replicate(self.tenant)

    def _change(self, world: World) -> None:
        """Some calls are made only when another wish follows."""
        self.again = True
        world.change(self.tenant)

    def _remove(self, world: World) -> None:
        """Some calls are made only on the way out."""
        self.removed = True
        world.remove(self.tenant)

    def _failed(
        self, world: World, phase: str, failed: dict[str, Any] | None, hits: dict[int, int]
    ) -> None:
        """The failure has its right name; the cause goes, and one replication is asked for."""
        if phase == "Ready" and not self.again:
            return self._change(world)
        if phase == "Ready" and not self.removed:
            return self._remove(world)
        if phase == "Deleted" and not any(hits.get(rule) for rule in self.rules):
            self.over = self.unmet = True
            return None
        if phase in ("Ready", "Deleted"):
            return self._end(True, f"it became {phase} though its fault lasts")
        if failed is None or failed["failure"]["name"] != "Blocked":
            if failed and failed["failure"]["name"] not in FOR_A_PERSON:
                return None
            self.wrong.append(f"it failed by the wrong name: {described(failed)}")
        steps = {one.point.step for one in self.faults}
        if failed and failed["step"] not in steps:
            self.wrong.append(f"another step failed: {described(failed)}")
        for rule in self.rules:
            world.mend(rule)
        self.rules = []
        self.repaired, self.began = True, world.now()
        world.replicate(self.tenant)
        return None

    def _end(self, now: bool, why: str) -> None:
        if now and not self.over:
            self.over = True
            self.wrong.append(why)


def described(failed: dict[str, Any] | None) -> str:
    """A failure in one line."""
    if not failed:
        return "no failure"
    failure = failed["failure"]
    return (
        f"{failed['step']}: {failure['name']}: {failure['systemRemark'] or failure['userRemark']}"
    )


def run(
    world: World,
    trials: Iterable[Trial],
    abreast: int,
    until: float = math.inf,
    meanwhile: Callable[[World, list[Trial]], None] | None = None,
) -> list[Trial]:
    """Runs trials side by side, begins none after the time `until`, and judges all in the end."""
    waiting = iter(trials)
    running: list[tuple[Trial, Future[None]]] = []
    ended: list[Trial] = []
    more = True
    with ThreadPoolExecutor(HANDS) as pool:
        while more or running:
            while more and len(running) < abreast:
                trial = next(waiting, None) if time.monotonic() < until else None
                more = trial is not None
                if trial is not None:
                    running.append((trial, pool.submit(_begin, world, trial)))
            _look(world, [trial for trial, begun in running if begun.done()])
            if meanwhile is not None:
                meanwhile(world, [trial for trial, _ in running])
            ended += [trial for trial, _ in running if trial.over]
            running = [(trial, begun) for trial, begun in running if not trial.over]
            time.sleep(PAUSE)
    return judged(world, ended)


def _look(world: World, trials: list[Trial]) -> None:
    rows = world.rows(trial.tenant for trial in trials)
    hits = world.hits()
    for trial in trials:
        if trial.over:
            continue
        trial.look(world, rows.get(trial.tenant.id), hits)
        if trial.wrong:
            print(*trial.faults, trial.wrong, file=sys.stderr, flush=True)


def _begin(world: World, trial: Trial) -> None:
    try:
        trial.begin(world)
    except AssertionError as error:
        trial.wrong.append(str(error))
        trial.over = True


def judged(world: World, trials: list[Trial]) -> list[Trial]:
    """The trials with what the verdict says of them; what concerns nobody falls to the first."""
    seen = verdict.judge(world, [trial.tenant for trial in trials])
    for trial in trials:
        trial.wrong += seen.tenants[trial.tenant.id]
    if trials:
        trials[0].wrong += seen.whole
    return trials
