"""One sample of the sweep and one unfaulted log for all that is said about them."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults import points, sweep

# A sample ends well within the six minutes that continuous integration gives it.
SECONDS = 340
SEED = 1


@pytest.fixture(scope="session")
def decisions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that IAM's decisions on unfaulted runs go to."""
    return tmp_path_factory.mktemp("unfaulted") / "decisions.jsonl"


@pytest.fixture(scope="session")
def unfaulted(decisions: Path) -> list[dict[str, Any]]:
    """The log of runs in which nothing fails."""
    return points.unfaulted_log(["--decisions", str(decisions)])


@pytest.fixture(scope="session")
def sampled() -> sweep.Report:
    """A sample of the sweep."""
    return sweep.sample(SEED, SECONDS, worlds=2)


@pytest.fixture(scope="session")
def logs(sampled: sweep.Report) -> list[Path]:
    """The call logs of the sample."""
    return sorted(sweep.LOGS.glob("*.jsonl"))
