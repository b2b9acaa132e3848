"""A copy of a process is an organization of its own, which began as the first one was then."""

import subprocess
import time
import urllib.error
from collections.abc import Iterator

import pytest

from trial import Sandbox


class Copy(Sandbox):
    """A copy of a sandbox, and the process to which it belongs."""

    def __init__(self, model: Sandbox, **environment: str) -> None:
        self.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        asked = {"owner": self.process.pid, "environment": environment}
        self.port = model.post("copy", asked)["port"]
        self.keys = {}

    def end(self) -> None:
        """Ends the owner."""
        self.process.communicate()


@pytest.fixture
def copied(sandbox: Sandbox) -> Iterator[tuple[Sandbox, Copy]]:
    """A sandbox with a table, and a copy of it."""
    create(sandbox, "before")
    copy = Copy(sandbox, LANDFALL_START=str(time.time() - 100_000))
    yield sandbox, copy
    copy.end()


def create(sandbox: Sandbox, name: str) -> None:
    sandbox.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def tables(sandbox: Sandbox) -> list[str]:
    return sandbox.client("dynamodb").list_tables()["TableNames"]


def test_a_copy_has_what_was_there_and_nothing_that_comes_later(
    copied: tuple[Sandbox, Copy],
) -> None:
    first, copy = copied
    create(first, "of-the-first")
    create(copy, "of-the-copy")
    assert tables(first) == ["before", "of-the-first"]
    assert tables(copy) == ["before", "of-the-copy"]


def test_a_copy_keeps_its_own_time(copied: tuple[Sandbox, Copy]) -> None:
    first, copy = copied
    # At the first one's speed, since its own start.
    assert copy.get("clock")["epoch"] > first.get("clock")["epoch"] + 1_000_000


def test_of_a_copy_copies_are_taken_too(copied: tuple[Sandbox, Copy]) -> None:
    _, model = copied
    again = Copy(model)
    create(again, "of-the-second")
    assert (tables(model), tables(again)) == (["before"], ["before", "of-the-second"])
    again.end()


def test_a_copy_ends_with_its_owner_and_the_first_one_goes_on(
    copied: tuple[Sandbox, Copy],
) -> None:
    first, copy = copied
    copy.end()
    deadline = time.monotonic() + 30
    while answers(copy) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(copy)
    assert answers(first)


def answers(sandbox: Sandbox) -> bool:
    try:
        return "epoch" in sandbox.get("clock")
    except OSError:
        return False  # it was gone, or went while it was asked


def test_what_is_no_circumstance_of_a_copy_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        Copy(sandbox, PATH="/tmp")
    said = refused.value.read().decode()
    assert refused.value.code == 400
    assert "PATH is none of a copy's own; those are LANDFALL_CLOCK" in said
