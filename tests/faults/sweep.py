"""Tries every fault at every point: `python -m tests.faults.sweep --all | --sample SECONDS`.

Each trial is a tenant of its own in a sandbox with others. Steps, actions and kinds are taken from
the golden points, so a new step is covered as soon as its points are.
"""

import argparse
import itertools
import json
import math
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from tests.faults import events, kinds, points, trial, wishes
from tests.faults.points import Point, golden
from tests.faults.trial import Fault, Trial
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import World

LOGS = ROOT / "target/sweep"
# The single faults that passed, one on a line; `--go-on` leaves them out.
PASSED = LOGS / "passed.txt"
# Tenants side by side in a sandbox, and in one sandbox altogether.
ABREAST = 20
CROWD = 80
# Tenants for each way of delivering events.
WITNESSES = 6
# What trials that are under way may still need when the time is up, in real seconds.
TAIL = 80

Faults = tuple[Fault, ...]


@dataclass
class Batch:
    """Trials of one sandbox, and how it delivers events."""

    seed: int
    faults: list[Faults]
    delivery: str | None = None
    # One after another in a quiet world, where every point is met.
    alone: bool = False


@dataclass
class Report:
    """What was tried, what failed, and which calls were met beyond the points."""

    seed: int
    tried: list[Trial] = field(default_factory=list)
    beyond: dict[tuple[str, str, bool], Faults] = field(default_factory=dict)
    deliveries: dict[int, str] = field(default_factory=dict)
    unmet: list[Faults] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Trial]:
        """The trials in which something was wrong."""
        return [one for one in self.tried if one.wrong]

    def summary(self) -> str:
        """What was tried and passed, and each failure with the command that repeats it."""
        points = {fault.point for one in self.tried for fault in one.faults}
        lines = [self.failure(one) for one in sorted(self.failed, key=lambda one: str(one.faults))]
        passed = len(self.tried) - len(self.failed)
        fresh = sum(one.fresh for one in self.tried)
        lines.append(
            f"seed {self.seed}: {len(points)} points, {len(self.tried)} trials tried, "
            f"{passed} passed, {len(self.failed)} failed; {len(self.unmet)} were not met, "
            f"{fresh} stale reads were of something that nothing had read before"
        )
        return "\n".join(self.broken + lines)

    def failure(self, one: Trial) -> str:
        """A failed trial with the command that repeats it."""
        delivery = self.deliveries.get(id(one))
        asked = [f"--fault '{fault}'" for fault in one.faults]
        asked += [f"--events {delivery}"] if delivery else []
        broken = "\n".join(f"    {problem}" for problem in one.wrong)
        where = ", ".join(str(fault) for fault in one.faults) or f"events {delivery}"
        command = f"python -m tests.faults.sweep {' '.join(asked)} --seed {self.seed}"
        return f"FAILED {where} (tenant {one.tenant.id})\n{broken}\n    again: {command}"


def single() -> list[Faults]:
    """Every passing fault at every point, and every lasting refusal."""
    passing = [(Fault(point, kind),) for point in golden() for kind in kinds.fitting(point)]
    lasting = [(Fault(point, "denied"),) for point in golden() if kinds.lasting(point)]
    return passing + lasting


def in_rounds(seed: int, faults: list[Faults]) -> list[Faults]:
    """The single faults, drawn so that each point meets one kind before any meets its second."""
    drawn = list(faults)
    random.Random(seed).shuffle(drawn)
    met: Counter[Point] = Counter()
    rounds: list[tuple[int, Faults]] = []
    for one in drawn:
        met[one[0].point] += 1
        rounds.append((met[one[0].point], one))
    return [one for _, one in sorted(rounds, key=lambda each: each[0])]


def several(seed: int, number: int) -> list[Faults]:
    """Two or three passing faults at once, drawn."""
    drawn = random.Random(seed)
    passing = [fault for (fault,) in single() if fault.kind != "denied"]
    return [tuple(drawn.sample(passing, drawn.choice([2, 2, 3]))) for _ in range(number)]


def in_recovery(report: Report) -> list[Faults]:
    """A second fault at the calls that only the handling of a first one makes."""
    return [
        (*first, Fault(point, kind))
        for (step, action, write), first in sorted(report.beyond.items())
        for point in [Point(step, action, 1, write)]
        for kind in kinds.fitting(point)
    ]


def batches(seed: int, faults: list[Faults]) -> list[Batch]:
    """The trials in crowds, each for a sandbox of its own."""
    starts = range(0, len(faults), CROWD)
    return [
        Batch(seed * 1000 + number, faults[start : start + CROWD])
        for number, start in enumerate(starts)
    ]


def run(report: Report, work: Iterable[Batch], worlds: int, until: float) -> None:
    """Runs batches in several sandboxes side by side and notes what came of them."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(worlds) as pool:
        begun = {pool.submit(_run, batch, until): batch for batch in work}
        for future in as_completed(begun):
            batch = begun[future]
            try:
                trials, beyond = future.result()
            except (AssertionError, OSError, RuntimeError, BotoCoreError, ClientError) as error:
                report.broken.append(f"BROKEN sandbox {batch.seed}: {error!r}")
                traceback.print_exception(error)
                continue
            report.tried += [one for one in trials if not one.unmet]
            report.unmet += [one.faults for one in trials if one.unmet]
            for call, first in beyond.items():
                report.beyond.setdefault(call, first)
            report.deliveries.update({id(one): batch.delivery for one in trials if batch.delivery})
            passed = [one for one in trials if not one.wrong and not one.unmet]
            with PASSED.open("a") as file:
                file.writelines(f"{one.faults[0]}\n" for one in passed if len(one.faults) == 1)
            wrong = [one for one in trials if one.wrong]
            failed = len(wrong)
            print(
                f"sandbox {batch.seed}: {len(passed)} passed, {failed} failed; "
                f"{len(report.tried)} tried, {len(report.failed)} failed altogether",
                *(report.failure(one) for one in wrong),
                sep="\n",
                file=sys.stderr,
                flush=True,
            )


def _run(batch: Batch, until: float) -> tuple[list[Trial], dict[tuple[str, str, bool], Faults]]:
    if time.monotonic() > until:
        return [], {}
    trials = [
        Trial(faults, Tenant(f"{batch.delivery or 'trial'}-{number:03}", _zone(number, faults)))
        for number, faults in enumerate(batch.faults)
    ]
    with World(batch.seed, quiet=batch.alone) as world:
        world.found()
        for zone in wishes.elsewhere():
            world.insist("PUT", f"/landing-zones/{zone['metadata']['name']}", zone)
        if batch.delivery:
            world.control("POST", "delivery", events.DELIVERIES[batch.delivery])
        meanwhile = events.forge if batch.delivery == "forged" else None
        abreast = 1 if batch.alone else ABREAST
        ended = trial.run(world, trials, abreast, until, meanwhile)
        log = world.log()
    for one in ended:
        if batch.alone and one.unmet:
            one.unmet = False
            one.wrong.append("it was never met")
    stale = {entry["tenant"] for entry in log if entry["fault"] == "stale"}
    for one in ended:
        asked = any(fault.kind == "stale" for fault in one.faults)
        one.fresh = asked and one.tenant.id not in stale
    name = f"{batch.delivery or 'faults'}-{batch.seed}.jsonl"
    (LOGS / name).write_text("".join(json.dumps(entry) + "\n" for entry in log))
    return ended, _beyond(log, ended)


def _zone(number: int, faults: Faults) -> str:
    """The landing zone whose tenants meet these faults, of those that are alike one in turn."""
    others = [fault.point.zone for fault in faults if fault.point.zone != points.EVERYTHING]
    alike = [points.EVERYTHING, *(zone["metadata"]["name"] for zone in wishes.elsewhere())]
    return others[0] if others else alike[number % len(alike)]


def _beyond(log: list[dict], trials: list[Trial]) -> dict[tuple[str, str, bool], Faults]:
    """Calls that no unfaulted run makes, with the faults that led to them."""
    known = {(point.step, point.action) for point in golden()}
    of = {one.tenant.id: one for one in trials if len(one.faults) == 1 and not one.wrong}
    return {
        (entry["step"], entry["action"], entry["write"]): of[entry["tenant"]].faults
        for entry in log
        if entry["tenant"] in of
        and entry["occurrence"]
        and (entry["step"], entry["action"]) not in known
    }


def alone(report: Report) -> None:
    """Tries what was not met once more: some calls are made only when nobody else is there."""
    faults, report.unmet = report.unmet, []
    if faults:
        run(report, [Batch(report.seed * 1000 + 999, faults, alone=True)], 1, math.inf)


def unreliable(seed: int, ways: Iterable[str]) -> Iterator[Batch]:
    """Unfaulted tenants under each way of delivering events."""
    for number, way in enumerate(ways):
        yield Batch(seed * 1000 + 900 + number, [()] * WITNESSES, way)


def everything(seed: int, worlds: int, passed: set[str]) -> Report:
    """All points and kinds, unreliable events, faults in recovery, several faults at once."""
    report = Report(seed)
    faults = [one for one in in_rounds(seed, single()) if str(one[0]) not in passed]
    work = itertools.chain(unreliable(seed, events.DELIVERIES), batches(seed, faults))
    run(report, work, worlds, math.inf)
    alone(report)
    run(report, batches(seed + 1, in_recovery(report)), worlds, math.inf)
    run(report, batches(seed + 2, several(seed, CROWD)), worlds, math.inf)
    return report


def sample(seed: int, seconds: float, worlds: int) -> Report:
    """As much of all kinds as fits into the time."""
    report = Report(seed)
    until = time.monotonic() + max(seconds - TAIL, 1)
    faults = single() + several(seed, CROWD)
    random.Random(seed).shuffle(faults)
    shares = [Batch(seed * 1000 + number, faults[number::worlds]) for number in range(worlds)]
    run(report, shares, worlds, until)
    return report


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--go-on", action="store_true", help="leave out what passed in the sweep before"
    )
    parser.add_argument("--worlds", type=int, default=min(os.cpu_count() or 1, 4))
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="everything")
    what.add_argument("--sample", type=float, metavar="SECONDS", help="what fits into the time")
    what.add_argument("--fault", action="append", help="POINT=KIND; several meet one tenant")
    what.add_argument("--events", choices=events.DELIVERIES, help="one way of delivering events")
    return parser.parse_args()


def main() -> int:
    """Runs what was asked for and says what came of it."""
    asked = arguments()
    for old in LOGS.glob("*.jsonl"):
        old.unlink()
    if not asked.go_on:
        PASSED.unlink(missing_ok=True)
    passed = set(PASSED.read_text().splitlines()) if PASSED.exists() else set()
    if asked.all:
        report = everything(asked.seed, asked.worlds, passed)
    elif asked.sample:
        report = sample(asked.seed, asked.sample, asked.worlds)
    else:
        report = Report(asked.seed)
        work = unreliable(asked.seed, [asked.events]) if asked.events else []
        if asked.fault:
            faults = tuple(Fault.parse(text) for text in asked.fault)
            work = batches(asked.seed, [faults])
        run(report, work, 1, math.inf)
        alone(report)
    print(report.summary())
    return 1 if report.failed or report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
