"""The golden points are those of an unfaulted run, and the sweep covers each of them."""

from typing import Any

import pytest

from tests.faults import kinds, points, sweep

# It fills the machine: nothing else is tested meanwhile.
pytestmark = pytest.mark.alone


def test_the_golden_points_are_those_of_an_unfaulted_run(unfaulted: list[dict[str, Any]]) -> None:
    found = points.text(points.of_log(unfaulted)).splitlines()
    golden = points.GOLDEN.read_text().splitlines()
    new, gone = sorted(set(found) - set(golden)), sorted(set(golden) - set(found))
    assert found == golden, f"new: {new}, gone: {gone}; `{points.RENEW}` renews the file"


def test_every_point_is_met_by_some_kind() -> None:
    met = {fault.point for (fault,) in sweep.single()}
    assert met == set(points.golden())


def test_every_kind_is_met_at_some_point() -> None:
    met = {fault.kind for (fault,) in sweep.single()}
    assert met == set(kinds.RULES)


def test_the_same_seed_draws_the_same_faults() -> None:
    assert sweep.several(7, 20) == sweep.several(7, 20)
    assert sweep.several(7, 20) != sweep.several(8, 20)
