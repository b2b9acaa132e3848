"""Which tests one worker runs, where several run side by side, and in which order."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.faults.wishes import ROOT

SHARED = "vended"
# Begun first, so that no worker still has one of these when all others have nothing left.
LONG = (
    "access",
    "bad_input",
    "baseline",
    "closing",
    "closures",
    "control_tower",
    "deletion",
    "deploy",
    "limits",
    "move",
    "survey_at_scale",
    "year",
)


class Workers(LoadFileScheduling):
    """Tests of a file are one worker's; those that share the vended examples are, of whatever file.

    Each worker would vend them for itself, and keep a world of theirs to the last test. They come
    first, then the longest files, and then those of few tests: a world's whole life is one test,
    its details are many.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        test = nodeid.removeprefix(f"{file}::").partition("[")[0]
        return SHARED if test in sharing(file) else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        first = min(self.workqueue, key=self._rank)
        self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)

    def _rank(self, unit: str) -> tuple[bool, bool, int]:
        name = Path(unit).stem.removeprefix("test_")
        return unit != SHARED, name not in LONG, len(self.workqueue[unit])


@cache
def sharing(file: str) -> set[str]:
    """A file's tests and fixtures that need the vended examples, unless it vends its own."""
    tree = ast.parse((ROOT / file).read_text())
    needs = {
        one.name: {argument.arg for argument in one.args.args}
        for one in tree.body
        if isinstance(one, ast.FunctionDef)
    }
    found = {SHARED} - needs.keys()
    while more := {name for name, needed in needs.items() if needed & found} - found:
        found |= more
    return found


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Workers | None:
    """Hands tests out as above where they are handed out by files."""
    return Workers(config, log) if config.getvalue("dist") == "loadfile" else None
