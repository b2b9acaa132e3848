"""Refuses dependencies under other licences than deny.toml lists, or from other places."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def allowed(expression: str, licences: set[str]) -> bool:
    """Whether an SPDX expression can be met with the licences alone."""
    # Older crates write `MIT/Apache-2.0` for OR.
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    position = 0

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def either() -> bool:
        met = both()
        while peek() == "OR":
            take()
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while peek() == "AND":
            take()
            met = one() and met
        return met

    def one() -> bool:
        if peek() == "(":
            take()
            met = either()
            take()
            return met
        name = take()
        if peek() == "WITH":
            take()
            name = f"{name} WITH {take()}"
        return name in licences

    return either()


def main() -> int:
    with (ROOT / "deny.toml").open("rb") as file:
        licences = set(tomllib.load(file)["licenses"]["allow"])
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    complaints = []
    packages = json.loads(answer.stdout)["packages"]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not allowed(package["license"] or "none", licences):
            complaints.append(f"{name}: the licence {package['license']} is not in deny.toml")
        if package["source"] not in (None, CRATES_IO):
            complaints.append(f"{name}: comes from {package['source']}, not from crates.io")
    print("\n".join(complaints) or f"{len(packages)} packages have licences that we allow")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
