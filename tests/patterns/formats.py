"""Formats, values and results by Python's `%`, as an independent formatter for Java's formats.

`python -m tests.patterns.formats` writes `formats.json`, which a test of the crate `tenant` reads.
Python takes more than Java does (`%05s`, `%-05d`, `%.2d`, `%#d`); such formats are not drawn.
`S` is Java's alone: cut first, then raised, then padded.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

CASES = Path(__file__).with_name("formats.json")
LETTERS = "abcxyzABC0189-._ äéß√語"


def _text(chance: random.Random) -> dict[str, object]:
    value = "".join(chance.choices(LETTERS, k=chance.randint(0, 24)))
    width = chance.choice(["", str(chance.randint(1, 30))])
    left = "-" if width and chance.random() < 0.4 else ""
    limit = chance.choice([None, chance.randint(0, 20)])
    upper = chance.random() < 0.3
    precision = "" if limit is None else f".{limit}"
    # A letter that becomes two as capitals is cut before, as Java does.
    raised = value[:limit].upper() if upper else value
    python = f"%{left}{width}{'' if upper else precision}s"
    return {
        "format": f"%{left}{width}{precision}{'S' if upper else 's'}",
        "text": value,
        "shown": python % raised,
    }


def _number(chance: random.Random) -> dict[str, object]:
    value = chance.choice([0, 1, 4, -1, -42, chance.randint(-999999, 999999)])
    width = chance.choice(["", str(chance.randint(1, 14))])
    pad = chance.choice(["", "-", "0"]) if width else ""
    flags = [*pad, *chance.choice(["", "+", " "])]
    chance.shuffle(flags)
    written = f"%{''.join(flags)}{width}d"
    return {"format": written, "number": value, "shown": written % value}


def cases() -> str:
    """Two thousand cases, always the same."""
    chance = random.Random(4711)
    drawn = [chance.choice([_text, _number])(chance) for _ in range(2000)]
    return "[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in drawn) + "\n]\n"


if __name__ == "__main__":
    CASES.write_text(cases(), encoding="utf-8")
