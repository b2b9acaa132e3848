"""The page that says where each requirement is met names files and tests that exist."""

import re

import pytest

from . import house

PAGE = (house.ROOT / "docs/TRACEABILITY.md").read_text()
ROWS = {
    int(number): [cell.strip() for cell in cells.split("|")]
    for number, cells in re.findall(r"^\| R(\d+) \|(.*)\|$", PAGE, re.MULTILINE)
}
NAMED = sorted(set(re.findall(r"`([^`]*/[^`]*)`", PAGE)))


def test_every_requirement_has_one_row() -> None:
    assert sorted(ROWS) == list(range(1, 43))
    assert len(re.findall(r"^\| R\d+ \|", PAGE, re.MULTILINE)) == 42


@pytest.mark.parametrize("number", sorted(ROWS))
def test_a_requirement_is_proved_or_said_to_be_missing(number: int) -> None:
    _, where, proof, missing = ROWS[number]
    assert ("::" in proof and where) or missing == "not yet", f"R{number} has no proof"


@pytest.mark.parametrize("named", NAMED)
def test_what_is_named_exists(named: str) -> None:
    path, _, name = named.partition("::")
    file = house.ROOT / path
    assert file.exists(), f"docs/TRACEABILITY.md names {path}, which is not there"
    if name:
        found = re.search(rf"\b(def|fn) {name}\(", file.read_text())
        assert found, f"docs/TRACEABILITY.md names {name}, which {path} does not have"
