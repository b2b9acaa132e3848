"""Programs and tests share what is compiled: no feature is turned on by tests alone."""

import subprocess

from tests.faults.wishes import ROOT


def crates(edges: str) -> set[str]:
    """The crates that the workspace needs by such dependencies, each with its features."""
    tree = ["cargo", "tree", "--locked", "--workspace", "--edges", edges]
    command = [*tree, "--prefix", "none", "--format", "{p} {f}"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {line.removesuffix(" (*)") for line in listed.stdout.splitlines()}


def test_what_programs_need_is_compiled_once() -> None:
    twice = sorted(crates("normal,build") - crates("normal,build,dev"))
    assert not twice, (
        "tests turn on features of these, so cargo compiles them and all that depends on them "
        f"twice; turn the features on for programs too, or off for tests: {twice}"
    )
