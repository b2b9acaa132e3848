"""Which tests one worker runs, where several run side by side."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parent.parent


class Workers(LoadFileScheduling):
    """Tests of one file are one worker's, and so are all files that share the vended examples.

    Each worker would vend them for itself, and keep a world of theirs to the last test.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope(super()._split_scope(nodeid))


@cache
def scope(file: str) -> str:
    """What a file's tests are handed out with."""
    text = (ROOT / file).read_text()
    shares = "vended: Vended" in text and "def vended(" not in text
    return "the vended examples" if shares else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Workers | None:
    """Hands tests out as above where they are handed out by files."""
    return Workers(config, log) if config.getvalue("dist") == "loadfile" else None
