"""IAM's decisions in the sandbox, made a second time by a simulator that we did not write."""

import shutil
import subprocess

import pytest

from tests.acceptance.conftest import Vended
from tests.faults.world import ROOT

SIMULATOR = ROOT / "node_modules/@cloud-copilot/iam-simulate"


@pytest.mark.skipif(
    not (SIMULATOR.exists() and shutil.which("node")), reason="`make setup` installs the simulator"
)
def test_another_simulator_decides_every_call_of_a_vend_as_the_sandbox_does(vended: Vended) -> None:
    compared = subprocess.run(
        ["node", "tests/check/decisions.mjs", str(vended.decisions)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr
