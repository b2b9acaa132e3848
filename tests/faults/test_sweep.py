"""A sample of all faults at all points, within the time that continuous integration has."""

import pytest

from tests.faults.sweep import Report

# It fills the machine: nothing else is tested meanwhile.
pytestmark = pytest.mark.alone


def test_whatever_fails_every_tenant_gets_its_account(sampled: Report) -> None:
    print(sampled.summary())
    assert not sampled.failed + sampled.broken, sampled.summary()
    assert len(sampled.tried) >= 40, "the machine was too slow for a sample worth the name"
