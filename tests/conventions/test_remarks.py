"""What users read when something fails: what is wrong in plain words, and what to do about it.

The remarks stand beside the names of failures, in the tables of AWS's answers and wherever a
function refuses by itself. They are read from the sources, so that a new crate's are covered as
soon as they are written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import house

# What a remark's last sentence begins with, if it says what to do.
REMEDIES = (
    "Ask",
    "Change",
    "Choose",
    "Delete",
    "Deploy",
    "Name",
    "Remove",
    "Send",
    "Shorten",
    "Start",
    "Take",
    "Wait",
    "Write",
)
# A user's words are accounts, roles, stacks and the landing zone, not AWS's names for its insides.
JARGON = re.compile(
    r"\barn:|\b[a-z0-9-]+:[A-Z]\w+|\w+(Exception|Fault)\b|\bAccessDenied\b|\brequest ?id\b|"
    r"\b(IAM|STS|SCP|ARN|JSON|SDK|CloudFormation|StackSets?|DynamoDB|Lambda|EventBridge)\b|"
    r"\bSSO[- ]?Admin\b|\bUUID\b",
    re.IGNORECASE,
)
TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"\(\s*{TEXT},\s*{TEXT},\s*FailureName::(\w+),\s*(?:{TEXT}|([A-Z_]+)),?\s*\)")
PAIR = re.compile(rf"FailureName::(\w+),\s*(?:format!\(\s*)?{TEXT}")
CALL = re.compile(rf"Failure::(rejected|blocked)\(\s*(?:format!\(\s*)?{TEXT}")
NAMED = re.compile(r"FailureName::(Rejected|Blocked)\b|Failure::(?:rejected|blocked)\(")
# Where a failure is told from others, it has no remark; a problem ends in its remedy by itself.
SPEAKS_NOT = re.compile(
    r"matches!|=> ?(?:Some|None|Self)|==|\| FailureName|Self::new|^\s*FailureName::\w+ \||"
    r"problem\.to_string\(\)|&\[Self",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Remark:
    """What a user reads, and where it is written."""

    place: str
    name: str
    text: str


def sources() -> Iterator[tuple[Path, str]]:
    """The production code that can fail, without its tests."""
    for folder in ("shared", "functions"):
        for path in sorted((house.ROOT / folder).rglob("src/**/*.rs")):
            if "tests" not in path.with_suffix("").parts:
                yield path, path.read_text().split("#[cfg(test)]\nmod tests {")[0]


def plain(text: str) -> str:
    """A literal as it reads, with something in the place of what is filled in."""
    text = re.sub(r"\\\n\s*", "", text).replace('\\"', '"')
    return re.sub(r"\{[^}]*\}", "x", text)


def remarks() -> Iterator[Remark]:
    for path, source in sources():
        place = str(path.relative_to(house.ROOT))
        for found in ROW.finditer(source):
            *_, name, text, constant = found.groups()
            if constant:
                (text,) = re.findall(rf"const {constant}: &str =\s*{TEXT}", source)
            yield Remark(place, name, plain(text))
        for found in PAIR.finditer(source):
            yield Remark(place, found.group(1), plain(found.group(2)))
        for found in CALL.finditer(source):
            yield Remark(place, found.group(1).capitalize(), plain(found.group(2)))


def unread() -> Iterator[str]:
    """Where a failure of a person's is named without a remark beside it."""
    for path, source in sources():
        read = [found.span() for one in (ROW, PAIR, CALL) for found in one.finditer(source)]
        for found in NAMED.finditer(source):
            if any(start <= found.start() < end for start, end in read):
                continue
            start = source.rfind("\n", 0, found.start()) + 1
            line = source[start : source.find("\n", found.end())]
            if not SPEAKS_NOT.search(line):
                yield f"{path.relative_to(house.ROOT)}: {line.strip()}"


EVERY = sorted(set(remarks()), key=lambda one: (one.place, one.text))


def test_every_remark_is_read_here() -> None:
    assert len(EVERY) >= 40
    assert {"Rejected", "Blocked", "Defect", "NotReady"} <= {one.name for one in EVERY}
    assert list(unread()) == [], "write the remark as a text beside the failure's name"


@pytest.mark.parametrize("remark", EVERY, ids=lambda one: f"{one.place}: {one.text[:40]}")
def test_a_remark_says_in_plain_words_what_is_wrong_and_what_to_do(remark: Remark) -> None:
    text = remark.text
    where = f"{remark.place}: {text}"
    assert text.endswith("."), f"end it with a full stop: {where}"
    assert not (found := JARGON.search(text)), f"say `{found.group()}` in users' words: {where}"
    match remark.name:
        case "Rejected" | "Blocked":
            wrong, *_, remedy = re.split(r"(?<=[.?!]) (?=[A-Z])", text)
            assert remedy != wrong, f"say what to do, in a sentence of its own: {where}"
            verb = remedy.split()[0]
            assert verb in REMEDIES, f"let the last sentence begin with what to do: {where}"
        case "Defect":
            assert text.endswith("Its operators have been told."), where
        case _:
            assert " again" in text, f"say that it is tried again: {where}"
