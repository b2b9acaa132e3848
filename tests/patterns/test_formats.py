"""The cases that the crate `tenant` is held to are what Python says today."""

from tests.patterns.formats import CASES, cases


def test_the_cases_are_what_python_formats() -> None:
    assert CASES.read_text(encoding="utf-8") == cases(), "run `python -m tests.patterns.formats`"
