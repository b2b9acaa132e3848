"""The sandboxes that tests run in."""

from collections.abc import Iterator

import pytest

from trial import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox for one test."""
    started = Sandbox()
    yield started
    started.end()


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for the tests of a module that do not disturb each other."""
    started = Sandbox()
    yield started
    started.end()
